/* Aramid's own dump: schema and data of a database as plain SQL, for where no pg_dump suffices.
 *
 * One connection, one snapshot (REPEATABLE READ, READ ONLY). The schema comes from the catalog of that
 * snapshot; the data by COPY, in the very form of pg_dump's plain output, so that dump_read.h, psql
 * and `aramid restore` read both. Data stands before indexes, keys, foreign keys, triggers, policies
 * and row-level security; materialized views are filled at the end.
 *
 * Every table is locked (ACCESS SHARE) before the snapshot is taken, so that no table can change its
 * shape in between. Values do not depend on the server's time zone, styles or currency.
 *
 * Not in it: what the catalog only names (result.left_out), roles, the database's own settings. */
#pragma once

#include "backup/dump_read.h"
#include "catalog/catalog.h"
#include "db/db.h"

typedef struct NativeTable {
    const char *schema, *name;
    int64_t rows, bytes; /* bytes: with line ends */
    DumpSum sum;         /* as dump_read has it */
} NativeTable;

typedef struct NativeDump {
    VEC(NativeTable) tables; /* in the order of the dump */
    DumpTotals totals;
    VEC(CatOther) left_out; /* objects that are there and not in the dump */
} NativeDump;

typedef struct NativeOptions {
    /* Takes the dump, about 256 kB at once; false with err ends it. */
    bool (*write)(void *arg, Str bytes, Err *err);
    void *write_arg;
    /* Told now and then which table of how many is under way; may be NULL. */
    void (*progress)(void *arg, const char *table, size_t number, size_t count, int64_t bytes);
    void *progress_arg;
    int64_t lock_ms;     /* to wait for the locks, all in all; 0 = 30 s */
    bool allow_left_out; /* else objects that would be left out are an error, before any data */
    const char *version; /* of Aramid, for the dump's head */
} NativeOptions;

/* Write the dump of the database of `db`, which must be outside of a transaction and is so again
 * afterwards.
 *
 * a       owns what is in `ret`, which counts what was written, not what was read
 * errors  ERR_BACKUP: objects that would be left out, tables whose rows a policy hides;
 *         ERR_DENIED, ERR_LOCK_BUDGET; those of `write`, introspect and db_query
 * cost    one connection; memory below 64 MB plus the longest row */
MUST_CHECK bool backup_native_dump(Arena *a, Db *db, const NativeOptions *options, NativeDump *ret,
                                   Err *err);

/* Read all large objects of a database and count and sum them as a dump would have them, in the
 * transaction that is open (or each message in one of its own). ret: large_objects, large_sum.
 * errors: those of db_query, ERR_DENIED */
MUST_CHECK bool backup_native_objects(Arena *a, Db *db, DumpTotals *ret, Err *err);

/* The settings under which values are printed in a native dump, as SET LOCAL ...; for a session that
 * reads rows in order to compare them with one. */
extern const char *const backup_native_settings;
