/* A live database as a catalog: pg_catalog read in three messages and one snapshot.
 *
 * Expressions and definitions are as the server prints them with an empty search_path; settings
 * that change such texts (DateStyle, extra_float_digits, ...) are pinned for the time of reading.
 * Members of extensions are left to their extension. The server takes ACCESS SHARE on a relation for
 * the moment in which it prints its expressions. Any role can read everything that is needed.
 *
 * Not kept: names of NOT NULL constraints (PostgreSQL 18), who granted a privilege, comments on
 * extensions, foreign keys and triggers that partitions have because of their parent. */
#pragma once

#include "catalog/catalog.h"
#include "catalog/standing.h"
#include "db/db.h"
#include "diff/diff.h"

/* Patterns are names with * for any run of characters: "auth", "supabase_*". What belongs to tools
 * and platforms is left out as if it were not there; references to it stay. */
typedef struct IntrospectOptions {
    const char *const *schemas; /* only schemas that match one of these; none = all */
    size_t nschemas;
    const char *const *except; /* "schema", or "schema.object" for relations, types, functions, ...;
                                  "*._prisma_migrations" */
    size_t nexcept;
    /* The session is in a transaction REPEATABLE READ: read in its snapshot, once, and leave it open
     * with the settings of a reader. ERR_SQL where something vanished since the snapshot. */
    bool in_transaction;
    /* Also read options of servers and user mappings that hold a secret (passwords): for dumps only. */
    bool secrets;
} IntrospectOptions;

/* Read the catalog. The session must be outside of a transaction (but for in_transaction) and is so
 * again afterwards.
 *
 * a        owns the catalog
 * options  NULL = everything but the system's schemas
 * errors   those of db_query; ERR_CONNECTION_LOST, ERR_TIMEOUT
 * cost     three round trips; 0.3 ms of the server for each table with 10 columns, 4 indexes and
 *          2 foreign keys; again where objects are dropped while they are read */
MUST_CHECK bool introspect(Arena *a, Db *db, const IntrospectOptions *options, Catalog **ret,
                           Err *err);

/* Ask the rows of a database about the effects in a diff whose `from` it is (diff_questions), in one
 * read-only transaction. A question that is not allowed, or takes too long, leaves its effect as it
 * is. The session must be outside of a transaction and is so again afterwards.
 *
 * timeout_ms  for each question; 0 = none
 * errors      ERR_CONNECTION_LOST, ERR_INTERRUPTED, those of db_query
 * cost        two round trips and one or two scans of a table for each question */
MUST_CHECK bool introspect_answers(Db *db, Diff *d, int64_t timeout_ms, Err *err);

/* The same for questions that are at hand, until the time is over: the rest stays unanswered.
 * timeout_ms  for all of them; 0 = none */
MUST_CHECK bool introspect_ask(Db *db, const DiffQuestions *questions, int64_t timeout_ms,
                               Err *err);

/* What stands on things that are to go, so that the server refuses it (CASCADE: what goes with them), and on columns
 * that get another type. What is not there is passed over, and so are functions of which there are several. READ
 * ONLY; the session must be outside of a transaction and is so again afterwards.
 *
 * ret_answered  false: the time was over, or the server refused the query
 * errors        ERR_CONNECTION_LOST, ERR_INTERRUPTED, those of db_query
 * cost          two round trips; index lookups in pg_depend */
MUST_CHECK bool introspect_standing(Arena *a, Db *db, const StandGones *list, int64_t timeout_ms,
                                    Standings *ret, bool *ret_answered, Err *err);

/* Whether `text` matches the pattern. */
bool introspect_matches(const char *pattern, const char *text);
