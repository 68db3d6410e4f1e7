/* Private to restoring: the dump as events that are asked for, one after another. */
#pragma once

#include "backup/restore.h"
#include "base/map.h"
#include "sqltext/sqltext.h"

typedef struct RestoreStream RestoreStream;

/* Open the backup. The stream lives in the arena; it is closed with restore_stream_cleanup. */
MUST_CHECK bool restore_stream_open(Arena *a, const BackupInputOptions *options,
                                    RestoreStream **ret, Err *err);
void restore_stream_cleanup(RestoreStream **s);
#define RESTORE_STREAM_LOCAL __attribute__((cleanup(restore_stream_cleanup))) RestoreStream *

typedef enum RestoreItemKind {
    RESTORE_STATEMENT, /* text: one SQL statement, without its semicolon */
    RESTORE_META,      /* text: a line of psql's */
    RESTORE_COPY,      /* text: COPY ... FROM stdin; what follows are rows up to RESTORE_COPY_END */
    RESTORE_ROWS,
    RESTORE_COPY_END,
    RESTORE_END, /* of the backup, which is whole as far as it says itself */
} RestoreItemKind;

typedef struct RestoreItem {
    RestoreItemKind kind;
    Str text;
    const DumpEvent *copy; /* RESTORE_COPY, RESTORE_COPY_END */
} RestoreItem;

/* The next one; its texts live until the next call. errors: those of backup_input_next, dump_read;
 * ERR_BACKUP_BROKEN where the end is missing. */
MUST_CHECK bool restore_next(RestoreStream *s, RestoreItem *ret, Err *err);

/* The names of a list with commas, as they are written there. */
RestoreTexts restore_names(Arena *a, Str list);

BackupInput *restore_input(RestoreStream *s);
const DumpTotals *restore_totals(const RestoreStream *s); /* final after RESTORE_END */
Str restore_comments(const RestoreStream *s); /* the dump's head, up to its first statement */

/* Read the rows of the tables back and compare, inside of the transaction. */
MUST_CHECK bool restore_compare(Arena *a, Db *db, const RestoreSurvey *survey,
                                const RestoreOptions *options, RestoreResult *ret, Err *err);

/* Rows into tables that are there (restore_tables.c): opened behind BEGIN, moved when all COPYs are
 * done. `only` are tables that the survey has; rows that foreign keys need and that are there already
 * are told in result->kept. */
typedef struct RestoreTables RestoreTables;
MUST_CHECK bool restore_tables_open(Arena *a, Db *db, const RestoreSurvey *survey,
                                    const RestoreChoice *only, RestoreResult *result,
                                    RestoreTables **ret, Err *err);
/* The COPY that takes a table's rows; NULL: they are not wanted. */
const char *restore_tables_copy(const RestoreTables *t, Arena *a, const DumpEvent *copy);
MUST_CHECK bool restore_tables_move(RestoreTables *t, Err *err);
BackupTableVec restore_tables_filled(const RestoreTables *t, Arena *a);
