/* What no comparison looks at: what platforms keep in a database, and what the configuration says.
 * Tables of migration tools are left out of catalogs by history_leave_out(). */
#pragma once

#include "config/config.h"
#include "db/db.h"
#include "introspect/introspect.h"
#include "replay/replay.h"

typedef VEC(const char *) Patterns;

/* What the configuration ignores or calls external: left out of both sides of a comparison. */
Patterns managed_ignored(Arena *a, const Config *c);

/* Schemas of a live database. */
typedef struct ManagedSchemas {
    Patterns owned; /* by a role of a platform: never the migrations' business */
    Patterns named; /* like a platform's or a tool's; not if the migrations make them */
} ManagedSchemas;

/* errors: those of db_query. */
MUST_CHECK bool managed_schemas(Arena *a, Db *db, ManagedSchemas *ret, Err *err);

/* Whether an extension that no migration makes is a platform's or an administrator's. */
bool managed_extension(const char *name, const char *in_schema);

/* Whether a role is a platform's own. */
bool managed_role(const char *name);

/* Leave out what differs because partitions come and go while the database runs: those of a parent
 * of which pg_partman's part_config tells, with its templates, and those in the database of a parent
 * for which the migrations make none themselves.
 *
 * live, made  finished; what the database has, what the migrations make
 * both_live   `made` is another database, which says itself which partitions it has
 * errors      those of db_query */
MUST_CHECK bool managed_partitions(Arena *a, Db *db, Catalog *live, Catalog *made, bool both_live,
                                   Err *err);

/* Leave to administrators what is theirs where the migrations make none of it: publications, event
 * triggers, foreign servers and what stands on them, casts, and whatever else lies in no schema. User
 * mappings and default privileges belong to roles, which differ from server to server. Both are named
 * among what is not compared.
 *
 * live, made  what the database has; what the migrations make, without what only stands in for something */
void managed_defined(Catalog *live, const Replay *made);
