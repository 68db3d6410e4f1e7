/* Internal to history/: what layouts share. */
#pragma once

#include "history/history.h"

/* The digits that a name begins with. */
Str layout_digits(const char *name);

/* "20261130174500" as microseconds since 1970 UTC, as JavaScript's Date.UTC counts (months and days
 * may run over); 0: not 14 digits. */
int64_t layout_stamp_us(Str digits);

/* Whether a ledger can hold `name`, and a terminal show it.
 *
 * what   "folder" or "file", for the message
 * max    bytes that the ledger has for it, 0 = no limit
 * errors ERR_MIGRATION_FILE at `shown` */
MUST_CHECK bool layout_check_name(Arena *a, const char *name, const char *what, size_t max,
                                  const char *shown, Err *err);

/* Where a migration's file is: path and source. `file`: below the folder. */
void layout_place(Arena *a, const char *dir, const char *shown, const char *file, Migration *m);

/* Read a migration's file, which is in h->dir for people; its checksum is the SHA-256 of all bytes.
 *
 * file    below the folder `dir`
 * errors  those of history_read_file */
MUST_CHECK bool layout_read(Arena *a, const char *dir, const char *file, History *h, Migration *m,
                            Err *err);

/* The SHA-256 of a text without what git and editors change: line ends, and a mark in front. */
const char *layout_checksum(Arena *a, Str text);

/* SQL that nobody will run, or a script where the settings say so; not for a way back (rollback_<name>.sql). */
void layout_note_stray(History *h, const char *file, const char *why);

/* HistoryLayout.new_one: "20261130210000_name.sql"; and of plain SQL folders, in the form of the last one. */
HistoryNew layout_new(Arena *a, const History *h, const char *stamp, const char *slug);
HistoryNew plain_new(Arena *a, const History *h, const char *stamp, const char *slug);

/* The file's name without ".sql". */
char *layout_stem(Arena *a, const char *file);

/* Where the ledger knows a migration by the version that its name begins with (Migration.key): that
 * no two files have one.
 * errors ERR_MIGRATION_FILE with the place of the second */
MUST_CHECK bool layout_check_versions(Arena *a, const History *h, Err *err);

/* The migration of a version, or NULL. */
const Migration *layout_of_version(const History *h, Str version);

/* HistoryLayout.version and squashed, of names that begin with digits. */
const char *layout_version(Arena *a, const char *name);
HistoryNew layout_squashed(Arena *a, const Migration *last);

/* The name of the migration that a row of a version tells of: that of its file, or of one that the file of a squash
 * stands for.
 *
 * said, checksum  what the row itself has of it; NULL and "" = nothing: of a version that both have, it is the old
 *                 one's
 * returns         `said`, or NULL, where no file knows it */
const char *layout_row_name(const History *h, Str version, const char *said, Str checksum);

void layout_add_table(Buf *b, const LedgerName *at);

/* ", <the bytes of a timestamptz in hexadecimal>", for db_time_us. */
void layout_add_epoch(Buf *b, const char *column);
/* A time as a literal, in UTC and milliseconds; and the server's, now. */
void layout_add_time(Buf *b, int64_t us);
void layout_add_now(Buf *b);

/* An expression that is 1, and divides by zero (22012) when the migration is applied already. */
void layout_add_one(Buf *b, const HistoryLayout *l, const LedgerName *at, const LedgerRow *row);

/* "<column> = '<value>'", and " WHERE " in front of it. */
void layout_add_equal(Buf *b, const char *column, const char *value);
void layout_add_where(Buf *b, const char *column, const char *value);

/* HistoryLayout.add_removed of ledgers with a column "id"; and of those whose rows are known by a version. */
void layout_add_removed(Buf *b, const LedgerName *at, const char *id);
void layout_add_removed_version(Buf *b, const LedgerName *at, const char *id);

/* The beginning of HistoryLayout.add_once: values of the column and "]::type[])" follow. */
void layout_add_once(Buf *b, const LedgerName *at, const char *column);

/* "UPDATE <ledger> SET " */
void layout_add_update(Buf *b, const LedgerName *at);

/* " FROM ... t": the ledger beside c.n, how many of these columns it has. One row at least. */
void layout_add_from(Buf *b, const LedgerName *at, const char *columns);

/* A row of a ledger that tells no times; checksum.p NULL: nor that. */
LedgerRow layout_row(Str id, Str checksum, const char *name);

/* HistoryLayout.checksum_matches, of a ledger that knows nothing of what a file said. */
bool layout_checksum_unknown(Arena *a, const char *recorded, const Migration *m);

/* The columns of a query on the ledger.
 * errors ERR_INTERNAL */
MUST_CHECK bool layout_check_columns(const DbRows *rows, int want, Err *err);
