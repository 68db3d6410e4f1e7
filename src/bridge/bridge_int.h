/* Private to src/bridge. */
#pragma once

#include "bridge/bridge.h"

/* The default's expression in Prisma's words; NULL when the database has none. `sql_type` is the
 * type of the column as Prisma writes it. */
const char *bridge_default(Arena *a, const PslModelField *f, const char *sql_type);

/* `where` of an index, in parentheses. */
const char *bridge_predicate(Arena *a, const PslModel *m, const PslExpr *where);

void bridge_add_literal(Buf *b, Str text); /* with quotes, those in it doubled */

/* An annotation in the documentation of the object that is called `now`. */
void bridge_rename(Arena *a, Bridge *b, Str doc, CatRef now);
