/* Between the files of our own dump. */
#pragma once

#include "backup/native.h"

/* A table whose rows are in the dump. */
typedef struct NativeRows {
    const char *schema, *name;
    const char *root_schema, *root; /* the table that its rows come in through: of a partition the
                                       one at the top, which may put them elsewhere */
    Str columns;                    /* quoted, with commas; empty: none */
    Str condition;                  /* of a table of an extension: WHERE ...; p NULL = all rows */
} NativeRows;

typedef VEC(NativeRows) NativeRowsVec;

typedef struct NativeDumper {
    Arena *arena;
    Db *db;
    const NativeOptions *options;
    NativeDump *ret;
    Err *err;
    bool failed; /* err is filled */
    Buf out;
    DumpReader *reader;
    size_t number, count; /* of tables */
    const char *table;
    bool raw_text; /* the server converts nothing: SQL_ASCII, MULE_INTERNAL */
} NativeDumper;

/* Writing (native_write.c): all of it goes through `out`; false: d->err is filled. */
bool native_put(NativeDumper *d, Str text);
__attribute__((format(printf, 2, 3))) bool native_put_fmt(NativeDumper *d, const char *fmt, ...);
bool native_put_title(NativeDumper *d, const char *kind, const char *schema, const char *name);
bool native_flush(NativeDumper *d);

/* Rows are taken as they are, but names and definitions must be UTF-8: d->err says so where it tells of
 * that. Returns false. */
bool native_no_text(NativeDumper *d);

/* The last result of a message of own statements. */
bool native_ask(NativeDumper *d, Arena *a, Str sql, const DbRows **ret);

/* The schema of a new database, and a catalog without what comes behind the data (keys: "schema\1name"
 * of the tables whose primary key a view stands on). */
Catalog *native_new_database(Arena *a, const char *owner);
Catalog *native_before_data(Arena *a, const Catalog *full, const Map *keys);
Catalog *native_before_end(Arena *a, const Catalog *full);

/* Whose rows the dump has, and the rows; sequences with where they are. */
bool native_list_rows(NativeDumper *d, const Catalog *c, NativeRowsVec *tables,
                      NativeRowsVec *sequences);
bool native_copy_table(NativeDumper *d, const NativeRows *t);
bool native_put_sequences(NativeDumper *d, const NativeRowsVec *list);

/* Large objects: oid, and the statements that make it what it is. */
bool native_list_objects(NativeDumper *d, Arena *a, const DbRows **ret);
bool native_put_object_heads(NativeDumper *d, const DbRows *list);
bool native_put_objects(NativeDumper *d, const DbRows *list);

/* The query whose rows are statements about privileges on objects of extensions. */
Str native_privileges_sql(Arena *a);
