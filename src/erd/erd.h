/* A schema, or what two of them differ in, as a diagram of tables and joins: what is shown, and where it
 * lies. Pure; the same input gives the same diagram. What it looks like is report/'s.
 *
 *     Erd *e = erd_of_catalog(a, catalog);
 *     if (!erd_choose(e, &(ErdChoice){.around = "User", .depth = 1}, &err)) ...
 *     erd_layout(e);
 *
 * The layout is that of a circuit board: tables stand in columns, lines run in the channels between them and
 * cross a column only between two tables. So no line runs through a table, whatever the schema. All joins that
 * lead to one column share a line. */
#pragma once

#include "base/err.h"
#include "diff/diff.h"

typedef enum ErdMark { ERD_SAME, ERD_CHANGED, ERD_ADDED, ERD_REMOVED, ERD_MARK_COUNT } ErdMark;

typedef struct ErdRow {
    const char *name, *type;
    const char *was; /* what it was before: a name, a type; or NULL */
    bool is_key, is_foreign, is_nullable;
    bool is_part; /* no column: an index, a constraint, an enum's value */
    ErdMark mark;
} ErdRow;

/* A table; in a difference also another object that changed. */
typedef struct ErdBox {
    const char *kind; /* NULL: a table */
    const char *schema, *name, *was, *comment;
    VEC(ErdRow) rows;
    size_t left_out; /* columns that are there and not shown */
    ErdMark mark;
    int group;
    int x, y, w, h;
} ErdBox;

typedef struct ErdPoint {
    int x, y;
} ErdPoint;

/* A foreign key: from the table that has it to the one that it names. */
typedef struct ErdJoin {
    const char *name;
    size_t from, to;      /* boxes */
    int from_row, to_row; /* -1: the head */
    CatTexts from_columns, to_columns;
    bool is_single; /* at most one row of `from` for each of `to` */
    ErdMark mark;
    VEC(ErdPoint) path; /* from the edge of `from` to that of `to`, only level and upright */
} ErdJoin;

/* A schema, where there are several. */
typedef struct ErdGroup {
    const char *name;
    int x, y, w, h;
} ErdGroup;

typedef struct Erd {
    Arena *arena;
    bool is_difference;
    VEC(ErdBox) boxes; /* sorted by schema and name */
    VEC(ErdJoin) joins;
    VEC(ErdGroup) groups; /* none: all of one schema */
    size_t left_out;      /* tables that are there and not shown */
    int w, h;
} Erd;

enum { ERD_HEAD = 32, ERD_ROW = 24 };

typedef enum ErdShow { ERD_COLUMNS, ERD_KEYS, ERD_NAMES } ErdShow;

typedef struct ErdChoice {
    ErdShow show;
    const char *around; /* a table as people type it; NULL = all */
    int depth;          /* how many joins away from it */
    bool all;           /* of a difference: also what did not change */
} ErdChoice;

/* The tables of a finished catalog, without partitions. Texts are the catalog's.
 * returns  owned by `a`, everything shown, not laid out */
Erd *erd_of_catalog(Arena *a, const Catalog *c);

/* What a comparison has found, marked. Tables that did not change are in it, too. */
Erd *erd_of_diff(Arena *a, const Diff *d);

/* Leave out what is not to be shown. Of a difference, without `all`: tables that did not change and are not joined
 * to one that did, and of the others that did not change all but keys.
 * errors: ERR_USAGE, there is no such table, or there are several */
MUST_CHECK bool erd_choose(Erd *e, const ErdChoice *choice, Err *err);

/* Give boxes, groups and paths their places.
 * cost: about 30 ms for 200 tables; grows with the square of the tables up to some hundreds, then less */
void erd_layout(Erd *e);
