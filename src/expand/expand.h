/* Expand and contract: a change that old and new code can live with, as plain SQL of two migrations.
 *
 * The first one (expand) adds what new code needs beside what old code uses, and keeps both alike by a
 * trigger, whichever of them is written; it fills what is there in batches and proves that both are alike.
 * The second one (contract), written when a person says so, takes away what nobody uses any more. What a
 * migration is of stands in its head: "-- aramid:expand KIND TABLE.COLUMN ..." and "-- aramid:contract NAME".
 *
 * Pure: strings and catalogs in, SQL out. */
#pragma once

#include "catalog/catalog.h"

typedef enum ExpandKind {
    EXPAND_RENAME_COLUMN,
    EXPAND_RENAME_TABLE,
    EXPAND_CHANGE_TYPE,
    EXPAND_NOT_NULL,
    EXPAND_DROP_COLUMN,
    EXPAND_SPLIT,
    EXPAND_KIND_COUNT
} ExpandKind;

const char *expand_kind_name(ExpandKind kind); /* "rename-column" */
bool expand_kind_of(const char *name, ExpandKind *ret);

/* A column that comes: its name, type and value, an expression over the table's columns. */
typedef struct ExpandColumn {
    const char *name, *type, *expr;
} ExpandColumn;

/* What a person asks for. */
typedef struct ExpandWish {
    ExpandKind kind;
    const char *schema; /* of the table where its name says none */
    const char *target; /* table, or table.column; as SQL writes names, or as they are */
    const char *to;     /* new name; of EXPAND_CHANGE_TYPE the new type */
    const char *as;     /* EXPAND_CHANGE_TYPE: the new column's name; NULL = made of the type */
    const char *using;  /* EXPAND_CHANGE_TYPE: the new value; NULL = a cast */
    const char *back;   /* the old value, over the new columns; NULL = a cast, or none */
    const char *value;  /* EXPAND_NOT_NULL: what NULL becomes */
    const char *const *into; /* EXPAND_SPLIT: "NAME TYPE = EXPRESSION" */
    size_t ninto;
} ExpandWish;

/* One that was begun: as the head of its first migration says it. */
typedef struct ExpandChange {
    ExpandKind kind;
    const char *name;                    /* users_full_name */
    const char *schema, *table, *column; /* column NULL: of a table */
    CatTexts made;                       /* new columns, or the new table */
} ExpandChange;

/* How far it has come. */
typedef enum ExpandState {
    EXPAND_UNKNOWN,     /* there is no database to ask */
    EXPAND_PENDING,     /* its first migration is not applied */
    EXPAND_RUNNING,     /* it is under way, or was interrupted */
    EXPAND_EXPANDED,    /* old and new code work: what is new may be read */
    EXPAND_CONTRACTING, /* its second migration is written, not applied */
    EXPAND_CONTRACTED,
    EXPAND_STATE_COUNT
} ExpandState;
const char *expand_state_name(ExpandState state); /* "expanded" */

typedef struct ExpandShown {
    ExpandChange change;
    const char *expand, *contract; /* names of migrations; contract NULL = not written */
    ExpandState state;
} ExpandShown;
typedef VEC(ExpandShown) ExpandShownVec;

typedef struct ExpandScript {
    ExpandChange change;
    Str sql;          /* the migration, with its directive in the head */
    CatTexts indexes; /* statements, each for a migration of its own */
    CatTexts index_names;
    CatTexts notes; /* what a person should know or do */
} ExpandScript;

/* The first migration.
 * errors: ERR_USAGE: a wish that is none; ERR_IMPOSSIBLE, ERR_STILL_USED: with the reason */
MUST_CHECK bool expand_write(Arena *a, const Catalog *c, const ExpandWish *wish, ExpandScript *ret,
                             Err *err);

/* The second one, of a change whose first one is in the catalog. proof: the query of the first one; or NULL.
 * errors: ERR_STILL_USED: something in the database uses what goes; ERR_IMPOSSIBLE: it is not there */
MUST_CHECK bool expand_contract(Arena *a, const Catalog *c, const ExpandChange *change, Str proof,
                                ExpandScript *ret, Err *err);

/* The value of "-- aramid:expand", read back; false: it is none. */
bool expand_read(Arena *a, Str value, ExpandChange *ret);
