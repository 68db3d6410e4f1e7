/* The tables that migration tools keep in a database, Aramid's own among them: one table
 * for everybody who must tell them from the user's. */
#pragma once

#include "catalog/catalog.h"
#include "history/history.h"

/* Whether a schema of this name is some tool's as a whole. */
bool history_known_schema(const char *name);

/* A tool's table in a database, and a query for them; it wants an empty search_path. */
typedef struct KnownTable {
    const KnownLedger *as;
    const char *schema, *table;
    bool is_readable;
} KnownTable;
typedef VEC(KnownTable) KnownTableVec;

void history_add_known_query(Buf *b);
/* Its answer: the histories among them. */
void history_take_known(Arena *a, const DbRows *rows, KnownTableVec *ret);
/* Whether one of them is that of a folder beside this history's (History.beside). */
bool history_has_beside(const History *h, const KnownTableVec *tables);

/* Leave the tools' tables out of a finished catalog, with all that belongs to them, and the triggers
 * that `prisma dev` puts on every table.
 *
 * h        whose ledger is one of them, whatever its name; NULL = no project's
 * written  a catalog from schema.prisma: what it names stays, for a person said that it counts (but
 *          Prisma's own and Aramid's: Prisma passes over them there, too); it may be `c`. NULL =
 *          nothing was written */
void history_leave_out(Catalog *c, const History *h, const Catalog *written);
