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
    bool force; /* take the generators and the datasource only from the schema that is there */
} PullOptions;

typedef enum PullWarningKind {
    PULL_NO_COLUMNS,
    PULL_NO_ID,
    PULL_UNSUPPORTED_TYPE,
    PULL_RENAMED_DUPLICATE,
    PULL_PARTITIONED,
    PULL_INHERITED,
    PULL_NULL_ORDER,
    PULL_ROW_SECURITY,
    PULL_CHECK,
    PULL_EXCLUSION,
    PULL_DEFERRABLE,
    PULL_COMMENT,
    PULL_EXPRESSION_INDEX,
    /* beyond what Prisma tells */
    PULL_PARTIAL_INDEX,
    PULL_INDEX_DETAIL,
    PULL_GENERATED,
    PULL_DOMAIN,
    PULL_TRIGGER,
    PULL_FOREIGN_KEY,
    PULL_VIEW,
    PULL_REMOVED, /* of the schema that was there: it is not in the database */
    PULL_WARNING_COUNT
} PullWarningKind;

typedef struct PullWarning {
    PullWarningKind kind;
    CatTexts items; /* `Model: "t", field: "x"`; texts of the database, not filtered */
} PullWarning;

const char *pull_warning_name(PullWarningKind kind);     /* "no-id" */
const char *pull_warning_sentence(PullWarningKind kind); /* Prisma's where it has one */

typedef struct Pull {
    Source *files; /* those of the schema, in their order */
    size_t nfiles;
    size_t models, enums, views; /* in the result */
    bool is_empty;               /* the database has nothing for a schema */
    VEC(PullWarning) warnings;   /* by kind */
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
