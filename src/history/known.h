/* The tables that migration tools keep in a database, Aramid's own among them: one table of facts
 * for everybody who must tell them from the user's. */
#pragma once

#include "catalog/catalog.h"
#include "history/history.h"

/* The i-th of all, NULL behind the last: those of the layouts, then those of tools whose migrations
 * Aramid does not run. Where two fit a table, the first counts. */
const KnownLedger *history_known_at(size_t i);

/* What a table is, or NULL: the user's. Columns in any order. */
const KnownLedger *history_known(const char *schema, const char *table, const char *const *columns,
                                 size_t n);

/* Whether a schema of this name is some tool's as a whole. */
bool history_known_schema(const char *name);

/* Leave the tools' tables out of a finished catalog, with all that belongs to them.
 *
 * written  a catalog from schema.prisma: what it names stays, for a person said that it counts (but
 *          Prisma's own and Aramid's: Prisma passes over them there, too); it may be `c`. NULL =
 *          nothing was written */
void history_leave_out(Catalog *c, const Catalog *written);
