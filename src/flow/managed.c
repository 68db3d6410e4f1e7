/* What of a database is not ours to compare: platforms, other tools, what is ignored. */
#include "flow/managed.h"

#include "history/known.h"

/* Supabase's own dumps leave these out (supabase/cli, dump_schema.sh), and those of other platforms
 * and tools; migration tools' are known to history/. */
static const char *const schemas[] = {
    "_analytics",
    "_realtime",
    "_supavisor",
    "_prisma_dev_wal",
    "_timescaledb_*",
    "auth",
    "aws_*",
    "cron",
    "dbdev",
    "etl",
    "extensions",
    "google_*",
    "graphile_worker",
    "graphql",
    "graphql_public",
    "hdb_catalog",
    "heroku_ext",
    "_heroku",
    "neon",
    "neon_auth",
    "neon_migration",
    "net",
    "partman",
    "pgboss",
    "pgbouncer",
    "pgmq",
    "pgsodium",
    "pgsodium_masks",
    "pgtle",
    "rdsadmin",
    "realtime",
    "repack",
    "storage",
    "supabase_functions",
    "tiger",
    "tiger_data",
    "timescaledb_*",
    "topology",
    "vault",
};

static const char *const owners[] = {
    "azure_*",   "azuresu",       "cloud_admin", "cloudsql*", "neon_*",
    "pgbouncer", "pgsodium_key*", "pgtle_admin", "rds*",      "supabase_*",
};

static const char *const extensions[] = {
    "aws_*",          "azure*",   "google_*",   "hypopg", "index_advisor",  "neon*",
    "pg_buffercache", "pg_cron",  "pg_graphql", "pg_net", "pg_stat_*",      "pg_tle",
    "pgaudit",        "pgsodium", "plpgsql",    "rds_*",  "supabase_vault", "wrappers",
};

static bool
matches_any(const char *const *patterns, size_t n, const char *text)
{
    for (size_t i = 0; i < n; i++)
        if (introspect_matches(patterns[i], text))
            return true;
    return false;
}

/* Like a platform's or a tool's. */
static bool
is_named(const char *schema)
{
    return matches_any(schemas, COUNT(schemas), schema) || history_known_schema(schema);
}

Patterns
managed_ignored(Arena *a, const Config *c)
{
    Patterns all = {0};
    ConfigList ignored = config_list(a, c, CFG_IGNORE);
    vec_each (const char *, p, &ignored)
        *vec_add(a, &all) = *p;
    vec_each (const char *, p, &c->external_tables)
        *vec_add(a, &all) = *p;
    vec_each (const char *, p, &c->external_enums)
        *vec_add(a, &all) = *p;
    return all;
}

bool
managed_schemas(Arena *a, Db *db, ManagedSchemas *ret, Err *err)
{
    DbRowsVec results;
    if (!db_query(db, a,
                  STR("SELECT n.nspname, r.rolname FROM pg_catalog.pg_namespace n JOIN"
                      " pg_catalog.pg_roles r ON r.oid OPERATOR(pg_catalog.=) n.nspowner"
                      " WHERE n.nspname OPERATOR(pg_catalog.!~) '^pg_|^information_schema$'"
                      " AND n.nspname OPERATOR(pg_catalog.<>) 'public'"
                      " ORDER BY n.nspname COLLATE pg_catalog.\"C\""),
                  &results, err))
        return false;
    const DbRows *rows = &results.v[results.n - 1];
    for (int i = 0; i < rows->rows; i++) {
        const char *name = str_dup(a, db_cell(rows, i, 0)), *owner = db_cell(rows, i, 1).p;
        if (matches_any(owners, COUNT(owners), owner))
            *vec_add(a, &ret->owned) = name;
        else if (is_named(name))
            *vec_add(a, &ret->named) = name;
    }
    return true;
}

bool
managed_role(const char *name)
{
    return matches_any(owners, COUNT(owners), name) || strcmp(name, "authenticator") == 0;
}

bool
managed_extension(const char *name, const char *in_schema)
{
    return matches_any(extensions, COUNT(extensions), name) || (in_schema && is_named(in_schema));
}
