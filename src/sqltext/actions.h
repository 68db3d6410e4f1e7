/* What a statement does to tables, columns, types and rows, one action after the other: more than its
 * locks and names (sqltext.h), for who judges it or follows a schema through its scripts (lint/).
 *
 * Read from the parse tree; of an opaque statement there are none. Names are as SqlName has them. */
#pragma once

#include "sqltext/sqltext.h"

typedef VEC(const char *) SqlTexts;

/* An expression, as far as somebody judges it. */
typedef struct SqlExpr {
    bool is_there;
    bool is_null;  /* NULL, also cast */
    bool is_plain; /* made of literals and the functions in `calls` alone: no column, no query */
    VEC(SqlName) calls; /* functions; operators are not listed */
    SqlTexts not_null;  /* columns of which it says IS NOT NULL, joined by AND */
} SqlExpr;

typedef enum SqlActionKind {
    SQL_ACT_TABLE, /* CREATE TABLE; its columns and constraints are the next actions, is_in_create */
    SQL_ACT_LIKE,  /* of a new table: takes the columns of `ref` */
    SQL_ACT_INHERITS,   /* of a new table: from `ref` */
    SQL_ACT_PARTITION,  /* of a new table: of `ref` */
    SQL_ACT_TABLE_AS,   /* CREATE TABLE AS, SELECT INTO, CREATE MATERIALIZED VIEW (is_matview) */
    SQL_ACT_VIEW,       /* CREATE VIEW */
    SQL_ACT_COLUMN,     /* added: name, type, flags, expr = default or generation expression */
    SQL_ACT_CONSTRAINT, /* added: name, constraint, columns, ref, ... */
    SQL_ACT_INDEX, /* CREATE INDEX: name, columns (none where an expression is among them), ... */
    SQL_ACT_DROP_COLUMN,
    SQL_ACT_TYPE, /* ALTER COLUMN TYPE: name, type, expr = USING, is_cast */
    SQL_ACT_SET_NOT_NULL,
    SQL_ACT_DROP_NOT_NULL,
    SQL_ACT_SET_DEFAULT,
    SQL_ACT_DROP_DEFAULT,
    SQL_ACT_ADD_IDENTITY,
    SQL_ACT_DROP_CONSTRAINT,
    SQL_ACT_VALIDATE,
    SQL_ACT_REWRITE, /* SET LOGGED, SET ACCESS METHOD, SET TABLESPACE, CLUSTER, VACUUM FULL: `name` says which */
    SQL_ACT_ATTACH, /* `ref` becomes a partition of `on` */
    SQL_ACT_DETACH,
    SQL_ACT_ROW_SECURITY, /* name: "ENABLE", "DISABLE" */
    SQL_ACT_DROP, /* `object` of that name, a part of `on` where `name` is said; an index, view, type, schema, ... */
    SQL_ACT_RENAME,       /* `object`; a column: on = its table, name -> to */
    SQL_ACT_SET_SCHEMA,   /* to = the schema */
    SQL_ACT_ENUM,         /* CREATE TYPE AS ENUM: columns = its values */
    SQL_ACT_ENUM_VALUE,   /* ADD VALUE name */
    SQL_ACT_RENAME_VALUE, /* name -> to */
    SQL_ACT_DOMAIN,       /* CREATE DOMAIN; is_checked: a check or NOT NULL */
    SQL_ACT_CHECK_DOMAIN, /* ALTER DOMAIN: values must be looked at */
    SQL_ACT_FUNCTION,     /* CREATE FUNCTION: volatility, is_definer, has_path */
    SQL_ACT_TRUNCATE,
    SQL_ACT_UPDATE,
    SQL_ACT_DELETE,
    SQL_ACT_INSERT, /* from a query; of VALUES there is no action */
    SQL_ACT_REINDEX,
    SQL_ACT_REFRESH,
    SQL_ACT_CODE, /* DO, CALL */
} SqlActionKind;

typedef struct SqlAction {
    SqlActionKind kind;
    SqlObjectKind object; /* of DROP, RENAME, SET_SCHEMA */
    SqlName on;           /* the table; of others what it is about */
    const char *name, *to;
    const char *type;     /* SQL text */
    char constraint;      /* c, p, u, x, f, n (18's NOT NULL); 0 */
    SqlTexts columns;     /* of a constraint or index */
    SqlName ref;          /* FOREIGN KEY: the table; ATTACH, LIKE, INHERITS, PARTITION */
    SqlTexts ref_columns; /* FOREIGN KEY: none = the primary key of `ref` */
    size_t off;           /* of a constraint: where it begins in the script */
    const char *index;    /* USING INDEX; "" */
    SqlExpr expr;
    char on_delete;               /* FOREIGN KEY: a, r, c, n, d */
    char volatility;              /* FUNCTION: i, s, v */
    bool is_in_create, is_inline; /* of a new table; written at its column */
    bool is_not_null, is_generated, is_virtual, is_identity, is_serial;
    bool is_not_valid, is_unique, is_partial, has_expression;
    bool is_nulls_equal; /* NULLS NOT DISTINCT */
    bool is_concurrent, if_exists, is_cascade, is_matview, is_checked, is_definer, has_path;
    bool has_where;
    bool is_cast; /* TYPE: no USING, or one that only casts the column */
} SqlAction;

typedef VEC(SqlAction) SqlActionVec;

/* The condition of a CHECK, as it is written in the script; "" = it cannot be found. */
Str sql_action_check(Str script, const SqlAction *x);

/* A CREATE INDEX as it is written: each key as an expression, and the condition ("" = none). False: a key is more than
 * that (COLLATE), or it cannot be told. */
bool sql_index_words(Arena *a, Str statement, SqlTexts *keys, Str *condition);

/* sql_classify, and what each statement does: an array as long as script->stmts, in the arena. The locks are
 * also those on relations that the script itself has made or renamed: who follows the schema knows.
 * cost: half as much again as sql_classify */
SqlActionVec *sql_classify_actions(Arena *a, SqlScript *script);
