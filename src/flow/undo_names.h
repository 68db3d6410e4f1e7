/* Internal to flow/: what a script renames. */
#pragma once

#include "catalog/catalog.h"
#include "sqltext/actions.h"

/* The renames and moves of tables, columns, sequences, enums and their labels that a script does on its way from one
 * catalog to another: the two alone do not tell a rename from a drop beside something new. A name without a schema
 * means public's, else the only one. Not among them: what the script drops or makes itself, what takes the name of
 * something that goes, and what code (DO, CALL) does.
 *
 * actions  of the script's statements, n of them, in their order
 * back     those that lead back, from `to` to `from`
 * returns  for DiffOptions.renames of a comparison in that direction; in `a` */
CatRenames script_renames(Arena *a, const SqlActionVec *actions, size_t n, const Catalog *from,
                          const Catalog *to, bool back);
