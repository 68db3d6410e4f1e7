/* Whether code that was made for one schema can go on with another one. Pure. */
#pragma once

#include "base/finding.h"
#include "catalog/catalog.h"

/* Find what the database does not have any more, or refuses, of what code made for `old` reads and writes; and values
 * that it does not know. What only the database has beside (views, functions, partial indexes) is left alone.
 *
 * old, now  finished, in the words of one server
 * ret       findings named old-code-...; their object is the table, column, enum */
void lint_old_code(Arena *a, const Catalog *old, const Catalog *now, FindingList *ret);
