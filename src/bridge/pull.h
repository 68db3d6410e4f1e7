/* A database's catalog as a schema in Prisma's language: `prisma db pull`.
 *
 * Without models to begin with the result is what Prisma's engine makes of the database, where that
 * is valid and says what is there. Models, enums and fields of a schema that is there already are
 * found again by the names that they have in the database, and edited in place: names, order,
 * comments, groups and whatever the database cannot know stay, and so do all bytes of what says
 * the same as the database.
 *
 * The layout of names and relations was measured with the engine of Prisma 7
 * (tests/compat/pull_compare.py); what differs on purpose is listed in tests/compat/README.md. */
#pragma once

#include "base/err.h"
#include "catalog/catalog.h"
#include "psl/psl_validate.h"

typedef struct PullOptions {
    const char *schema;         /* of models without @@schema; NULL = "public" */
    const char *const *schemas; /* to be written into the datasource; none: what stands there */
    size_t nschemas;
    const FindingRules *rules; /* of `findings`; or NULL */
    bool force; /* take the generators and the datasource only from the schema that is there */
} PullOptions;

typedef struct Pull {
    Source *files; /* those of the schema, in their order */
    size_t nfiles;
    size_t models, enums, views; /* in the result */
    bool is_empty;               /* the database has nothing for a schema */
    FindingList findings;        /* what the schema cannot say, by id; objects are Prisma's words
                                    (`Model: "t", field: "x"`) with texts of the database */
} Pull;

/* Write the schema of a catalog.
 *
 * catalog  finished; only the schemas that are to be in the result
 * old      the schema that is there, without errors; at least one file, which may be empty
 * options  NULL for defaults
 * ret      owned by `a`, with views into the texts of `old`
 * errors   ERR_INTERNAL when the result would not be valid: then there is none
 * cost     O(n log n) in both schemas */
MUST_CHECK bool bridge_pull(Arena *a, const Catalog *catalog, const PslResolved *old,
                            const PullOptions *options, Pull *ret, Err *err);
