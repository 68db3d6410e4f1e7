/* Reading a plain SQL dump (of pg_dump 13 to 18, and our own) as a stream of events.
 *
 *     DumpReader *r = dump_reader_make(a, sink, arg);
 *     while (there are bytes) dump_read(r, bytes, &err);
 *     dump_read_end(r, &totals, &err);
 *
 * Bytes may be cut anywhere. Memory stays bounded whatever the length of rows, literals and large
 * objects. SQL is not parsed but followed through quotes, dollar quotes and comments by psql's
 * rules, so that a COPY inside a function's body is none.
 *
 * A checksum is the sum of the 128-bit XXH3 hashes of all rows as they stand in the dump: the order
 * of rows does not matter. It finds damage, it is no proof against forgery.
 *
 * Source of the form: src/bin/pg_dump of PostgreSQL. Data of COPY is in text format, where a line
 * is a row and "\." on a line of its own is the end. */
#pragma once

#include "base/err.h"

typedef struct DumpSum {
    uint64_t low, high;
} DumpSum;

static inline bool
dump_sum_eq(DumpSum a, DumpSum b)
{
    return a.low == b.low && a.high == b.high;
}

static inline void
dump_sum_add(DumpSum *sum, DumpSum more)
{
    sum->low += more.low;
    sum->high += more.high + (sum->low < more.low);
}

typedef enum DumpEventKind {
    DUMP_SQL,          /* text: SQL, cut anywhere; large objects come as SQL, too */
    DUMP_META,         /* text: a line of psql's without its end: "\restrict x", "\connect db" */
    DUMP_COPY,         /* COPY begins; text: the statement; table, columns */
    DUMP_ROWS,         /* text: data of COPY with line ends, cut anywhere */
    DUMP_COPY_END,     /* table, columns, rows, bytes, sum */
    DUMP_LARGE_OBJECT, /* the contents of one are complete: oid, bytes */
} DumpEventKind;

typedef struct DumpEvent {
    DumpEventKind kind;
    Str text;
    Str table;   /* as quoted in the dump: public."User" */
    Str columns; /* as in the dump: id, "name"; empty = none */
    int64_t rows;
    int64_t bytes; /* of the rows with their line ends; of a large object */
    DumpSum sum;
    int64_t oid;
} DumpEvent;

/* The texts of an event live until it returns. False with err stops the reading. */
typedef bool (*DumpSink)(void *arg, const DumpEvent *e, Err *err);

typedef struct DumpTotals {
    bool whole; /* pg_dump's end mark is there and nothing but comments behind it */
    int64_t bytes, tables, rows;
    int64_t large_objects;
    DumpSum large_sum; /* over oid and contents of each, in any order */
} DumpTotals;

typedef struct DumpReader DumpReader;

/* The reader lives in the arena. `sink` may be NULL: then only the totals count. */
DumpReader *dump_reader_make(Arena *a, DumpSink sink, void *arg);

/* Read on. errors: ERR_BACKUP_BROKEN (a line of psql's without an end); what the sink reports. */
MUST_CHECK bool dump_read(DumpReader *r, Str bytes, Err *err);

/* No more bytes: hand on what was held back and fill the totals. A dump that is not whole is no
 * error here: ret->whole tells. errors: what the sink reports. */
MUST_CHECK bool dump_read_end(DumpReader *r, DumpTotals *ret, Err *err);

/* Totals so far, for progress. */
const DumpTotals *dump_read_totals(const DumpReader *r);
