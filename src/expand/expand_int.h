/* Between the files of this room. */
#pragma once

#include "expand/expand.h"
#include "sqltext/sqltext.h"

/* What the texts are made of. */
typedef struct Expansion {
    Arena *arena;
    ExpandKind kind;
    const CatRelation *table;
    const CatColumn *column; /* the old one; NULL: of a table */
    const char *where;       /* the table, for SQL */
    const char *alone;       /* the same without its schema: what expressions call it */
    const char *function;    /* that keeps both alike; and its trigger's name */
    VEC(ExpandColumn) made;
    const char *back;  /* the old value, over the new columns */
    const char *value; /* EXPAND_NOT_NULL */
} Expansion;

const char *expand_ident(Arena *a, const char *name);
const char *expand_function(Arena *a, const char *table, const char *column);

void expand_slug_add(Buf *b, const char *text);                  /* for names of files */
const char *expand_change_name(Arena *a, const ExpandChange *c); /* users_full_name */

/* The columns that a proof shows: of the primary key, or of the first unique one that is NOT NULL. False:
 * there is none, so that rows cannot be changed in batches. */
bool expand_has_key(const Expansion *x, Buf *b);

/* Statements, each with its semicolon and line end. */
void expand_add_columns(const Expansion *x, Buf *b);
void expand_add_sync(const Expansion *x, Buf *b); /* function and trigger */
void expand_add_sync_gone(const Expansion *x, Buf *b);
void expand_add_fill(const Expansion *x, Buf *b); /* in batches */
Str expand_proof(const Expansion *x);             /* the query, without its directive */
void expand_add_proof(Buf *b, Str proof);
void expand_add_not_null(const Expansion *x, Buf *b, const char *column, Str proof);

/* Something that stands in the way of changing the column, or NULL; for people. gone: of dropping it. */
const char *expand_user(Arena *a, const Catalog *c, const Expansion *x, bool gone);
