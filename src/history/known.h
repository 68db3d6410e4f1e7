/* The tables that migration tools keep in a database, Aramid's own among them: one table of facts
 * for everybody who must tell them from the user's. */
#pragma once

#include "catalog/catalog.h"

typedef enum KnownKind {
    KNOWN_HISTORY, /* what the tool has applied: it migrates this database */
    KNOWN_BESIDE,  /* its locks and notes, which say nothing without the history */
    KNOWN_OWN,     /* Aramid's */
} KnownKind;

/* Names are shared (`migrations`, `schema_migrations`): a table is a tool's when it has its columns,
 * too. Sources: each tool's own code, and runs of it. */
typedef struct KnownLedger {
    KnownKind kind;
    const char *tool;
    const char *schema; /* where it lies, all of which is then the tool's; NULL = anywhere */
    const char *table;
    const char *columns; /* all of them must be there, comma-separated */
    bool has_only_these; /* nor others: people give tables this name, too */
    bool may_move;       /* the tool can be told another schema */
    bool is_prismas;     /* Prisma's own commands see it nowhere, schema.prisma included */
    const char *failed;  /* condition for rows of migrations that did not end well; NULL = the tool
                            records none */
    const char *fix;     /* of those, for people */
} KnownLedger;

/* All of them; where two fit a table, the first counts. */
const KnownLedger *history_known_list(size_t *ret_n);

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
