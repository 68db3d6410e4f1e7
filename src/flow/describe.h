/* aramid describe: one table or view as it is in the database, and the migrations that made it so. */
#pragma once

#include "flow/flow.h"

typedef struct DescribeInput {
    FlowInput base;
    const char *name; /* TABLE, SCHEMA.TABLE, with or without quotes, or a model of schema.prisma */
} DescribeInput;

/* Of a partitioned table: of all its partitions. Negative: not known. */
typedef struct DescribeSize {
    int64_t rows; /* as the server estimates them */
    int64_t bytes, table_bytes, index_bytes;
} DescribeSize;

typedef struct DescribeStatement {
    int line;
    const char *tag; /* words for it: "ALTER TABLE" */
} DescribeStatement;

/* A migration with statements about the relation, under the name that it had then. */
typedef struct DescribeTouch {
    const Entry *entry;
    const char *was; /* that name where it was another one, else NULL */
    VEC(DescribeStatement) statements;
} DescribeTouch;

typedef struct DescribeResult {
    const Config *config;
    Target target;
    const DbInfo *server;
    const char *schema; /* that names without one lead to */
    const char *model;  /* it was found by, or NULL */
    const Catalog *catalog;
    const CatRelation *relation;
    CatConstraints referenced_by; /* foreign keys of all tables that lead here */
    CatObjects used_by;           /* views and functions whose text needs it */
    size_t partitions;
    DescribeSize size;
    History history;
    bool has_states;            /* the entries are those of the database */
    const char *no_history;     /* why they could not be read, or NULL */
    VEC(DescribeTouch) touches; /* in the order of the history */
    CatTexts unread;            /* migrations that are no SQL, or could not be split */
} DescribeResult;

/* Find and read it. Nothing is changed; works with a role that may only read.
 * errors: ERR_NO_SUCH_TABLE, also where several schemas have one of that name; ERR_DB_MISSING, those of flow_target,
 * session_open and introspect
 * cost: those of introspect for the whole database; each migration is split and classified */
MUST_CHECK bool flow_describe(Arena *a, const DescribeInput *in, DescribeResult *ret, Err *err);
