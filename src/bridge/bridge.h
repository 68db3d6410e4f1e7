/* A schema in Prisma's language as a catalog: what Prisma would make of it.
 *
 * Default expressions, predicates and Unsupported types are texts as Prisma writes them, not as a
 * server prints them: whoever compares the result with a live database lets a server normalise it
 * first (catalog.h). Objects are added in the order in which Prisma makes them, which `ordinal`
 * keeps.
 *
 * Names of constraints and indexes, types, defaults and the tables of implicit many-to-many
 * relations follow https://www.prisma.io/docs/orm/reference/prisma-schema-reference and what the
 * engine of Prisma 7 was measured to do. */
#pragma once

#include "catalog/catalog.h"
#include "psl/psl_validate.h"

typedef struct BridgeOptions {
    const char *schema; /* of models without @@schema; NULL = "public" */
} BridgeOptions;

typedef struct Bridge {
    Catalog *catalog; /* finished */
    /* Columns of which the schema says no more than that there is some default: dbgenerated(). */
    CatRefs any_default;
    /* Columns that the client fills: uuid(), cuid(), ulid(), nanoid(). */
    CatRefs client_default;
    /* Documentation comments of the form /// @renamed(from: "old") on models, fields, enums and enum
     * values: for diff_wishes. Names are those of the database (@map, @@map). */
    CatFormers former;
    CatRefs unread_renames; /* whose annotation has another form, for diff_wishes */
    CatJoins joins;         /* tables of implicit many-to-many relations */
    CatRefs
        unused_schemas; /* listed in the datasource; nothing is in them, so nothing makes them */
} Bridge;

/* Make the catalog of a schema in which psl_validate found no errors. Views, and relations with
 * them, make nothing.
 *
 * opts     NULL for defaults
 * returns  owned by `a`, with views into the schema's texts
 * cost     linear */
Bridge bridge_catalog(Arena *a, const PslResolved *schema, const BridgeOptions *opts);

/* What every schema takes for given of a database that it is compared with: its schemas and
 * extensions. Owned by `a`, finished; with views into `other`. */
Catalog *bridge_surroundings(Arena *a, const Catalog *other);

/* The same, and the enums, domains, composite types, sequences and functions that the schema names
 * in Unsupported("..."), dbgenerated("..."), with what they need, without owners and without what
 * they belong to.
 *
 * returns  owned by `a`, finished; with views into `other`
 * cost     objects of the schema times those kinds of `other` */
Catalog *bridge_named(Arena *a, const Catalog *schema, const Catalog *other);

/* Put the expressions and foreign types of what a server printed of a schema back into the schema's own
 * words, for scripts that people know from Prisma. It is not to be compared afterwards. */
void bridge_reword(Catalog *printed, const Catalog *written);

/* Whether it can name such things at all: they may lie in schemas that it does not tell about. */
bool bridge_names_more(const PslResolved *schema);
