/* Ledgers of tools whose migrations Aramid does not run; a layout brings its own. */
#include "history/known_int.h"

#include "sqltext/sqltext.h"

static const KnownLedger known[] = {
    /* before 2 (Lift) */
    {.tool = "Prisma 1",
     .table = "_Migration",
     .columns = "revision,datamodel,datamodel_steps,database_migration",
     .is_prismas = true},
    {.tool = "Prisma 8",
     .schema = "prisma_contract",
     .table = "ledger",
     .columns = "space,migration_name,migration_hash"},
    {.kind = KNOWN_BESIDE,
     .tool = "Prisma 8",
     .schema = "prisma_contract",
     .table = "contract",
     .columns = "core_hash,contract_json"},
    {.kind = KNOWN_BESIDE,
     .tool = "Supabase",
     .schema = "supabase_migrations",
     .table = "seed_files",
     .columns = "path,hash"},
    {.tool = "golang-migrate",
     .table = "schema_migrations",
     .columns = "version,dirty",
     .has_only_these = true,
     .failed = "dirty",
     .fix = "look what the migration did, then: migrate force VERSION"},
    {.tool = "Phoenix",
     .table = "schema_migrations",
     .columns = "version,inserted_at",
     .has_only_these = true},
    {.kind = KNOWN_BESIDE,
     .tool = "Rails",
     .table = "ar_internal_metadata",
     .columns = "key,value,created_at,updated_at"},
    {.tool = "Flyway",
     .table = "flyway_schema_history",
     .columns = "installed_rank,version,script,checksum,success",
     .failed = "NOT success",
     .fix = "undo what the migration did, then: flyway repair"},
    {.tool = "Liquibase",
     .table = "databasechangelog",
     .columns = "id,author,filename,dateexecuted,md5sum"},
    {.kind = KNOWN_BESIDE,
     .tool = "Liquibase",
     .table = "databasechangeloglock",
     .columns = "id,locked,lockgranted,lockedby"},
    {.tool = "Atlas",
     .schema = "atlas_schema_revisions",
     .may_move = true,
     .table = "atlas_schema_revisions",
     .columns = "version,applied,executed_at,error,hash",
     .failed = "error IS NOT NULL AND error <> ''",
     .fix = "atlas migrate status"},
    {.tool = "goose", .table = "goose_db_version", .columns = "id,version_id,is_applied"},
    {.tool = "Knex", .table = "knex_migrations", .columns = "id,name,batch,migration_time"},
    {.kind = KNOWN_BESIDE,
     .tool = "Knex",
     .table = "knex_migrations_lock",
     .columns = "index,is_locked"},
    {.tool = "Sequelize", .table = "SequelizeMeta", .columns = "name", .has_only_these = true},
    {.tool = "TypeORM",
     .table = "migrations",
     .columns = "id,timestamp,name",
     .has_only_these = true},
    {.kind = KNOWN_BESIDE,
     .tool = "TypeORM",
     .table = "typeorm_metadata",
     .columns = "type,database,schema,table,name,value"},
    {.tool = "Laravel",
     .table = "migrations",
     .columns = "id,migration,batch",
     .has_only_these = true},
    {.tool = "db-migrate",
     .table = "migrations",
     .columns = "id,name,run_on",
     .has_only_these = true},
    {.tool = "postgres-migrations",
     .table = "migrations",
     .columns = "id,name,hash,executed_at",
     .has_only_these = true},
    {.tool = "Alembic", .table = "alembic_version", .columns = "version_num"},
    {.tool = "Django", .table = "django_migrations", .columns = "id,app,name,applied"},
    {.tool = "Entity Framework",
     .table = "__EFMigrationsHistory",
     .columns = "MigrationId,ProductVersion"},
    {.tool = "Entity Framework",
     .table = "__EFMigrationsHistory",
     .columns = "migration_id,product_version"},
    {.tool = "Doctrine",
     .table = "doctrine_migration_versions",
     .columns = "version,executed_at,execution_time"},
    {.tool = "sqlx",
     .table = "_sqlx_migrations",
     .columns = "version,installed_on,success,checksum",
     .failed = "NOT success",
     .fix = "undo what the migration did and delete its row"},
    {.tool = "Diesel", .table = "__diesel_schema_migrations", .columns = "version,run_on"},
    {.tool = "SeaORM", .table = "seaql_migrations", .columns = "version,applied_at"},
    {.tool = "refinery",
     .table = "refinery_schema_history",
     .columns = "version,name,applied_on,checksum"},
    {.tool = "Kysely", .table = "kysely_migration", .columns = "name,timestamp"},
    {.kind = KNOWN_BESIDE,
     .tool = "Kysely",
     .table = "kysely_migration_lock",
     .columns = "id,is_locked"},
    {.tool = "MikroORM", .table = "mikro_orm_migrations", .columns = "id,name,executed_at"},
    {.tool = "AdonisJS", .table = "adonis_schema", .columns = "id,name,batch,migration_time"},
    {.kind = KNOWN_BESIDE,
     .tool = "AdonisJS",
     .table = "adonis_schema_versions",
     .columns = "version"},
    {.tool = "Bun", .table = "bun_migrations", .columns = "id,name,group_id,migrated_at"},
    {.kind = KNOWN_BESIDE,
     .tool = "Bun",
     .table = "bun_migration_locks",
     .columns = "id,table_name"},
    {.tool = "sql-migrate", .table = "gorp_migrations", .columns = "id,applied_at"},
    {.kind = KNOWN_BESIDE,
     .tool = "graphile-migrate",
     .schema = "graphile_migrate",
     .table = "current",
     .columns = "filename,content"},
    {.tool = "Sqitch", .schema = "sqitch", .table = "changes", .columns = "change_id,project"},
    {.tool = "pgroll",
     .schema = "pgroll",
     .table = "migrations",
     .columns = "name,done",
     .failed = "NOT done",
     .fix = "pgroll status"},
    /* run/own.c makes them: in a schema of their own, else beside the ledger. */
    {.kind = KNOWN_OWN,
     .tool = "Aramid",
     .schema = "aramid",
     .table = "scripts",
     .columns = "kind,name"},
    {.kind = KNOWN_OWN,
     .tool = "Aramid",
     .schema = "aramid",
     .table = "journal",
     .columns = "ledger_id,first_statement"},
    {.kind = KNOWN_OWN,
     .tool = "Aramid",
     .schema = "aramid",
     .table = "identity",
     .columns = "environment,profile"},
    {.kind = KNOWN_OWN,
     .tool = "Aramid",
     .schema = "aramid",
     .table = "runs",
     .columns = "run_id,outcome"},
    {.kind = KNOWN_OWN,
     .tool = "Aramid",
     .table = "_aramid_journal",
     .columns = "ledger_id,first_statement"},
    {.kind = KNOWN_OWN,
     .tool = "Aramid",
     .table = "_aramid_identity",
     .columns = "environment,profile"},
    {.kind = KNOWN_OWN, .tool = "Aramid", .table = "_aramid_runs", .columns = "run_id,outcome"},
    {.kind = KNOWN_OWN,
     .tool = "Aramid",
     .table = "_aramid_batches",
     .columns = "ledger_id,reached"},
    {.kind = KNOWN_OWN,
     .tool = "Aramid",
     .schema = "aramid",
     .table = "repeatable",
     .columns = "checksum,script,applied_at"},
    {.kind = KNOWN_OWN,
     .tool = "Aramid",
     .table = "_aramid_repeatable",
     .columns = "checksum,script,applied_at"},
};
enum { KNOWN = COUNT(known) };

const KnownLedger *
history_known_at(size_t i)
{
    size_t n = 0;
    while (history_layouts[n])
        n++;
    if (i < n)
        return &history_layouts[i]->ledger;
    return i - n < KNOWN ? &known[i - n] : NULL;
}

static bool
has_columns(const KnownLedger *k, const char *const *columns, size_t n)
{
    size_t wanted = 0;
    for (Str rest = str_of(k->columns); rest.p; wanted++) {
        Str one = str_cut(&rest, ',');
        bool found = false;
        for (size_t i = 0; i < n && !found; i++)
            found = str_is(one, columns[i]);
        if (!found)
            return false;
    }
    return !k->has_only_these || n == wanted;
}

const KnownLedger *
history_known(const char *schema, const char *table, const char *const *columns, size_t n)
{
    const KnownLedger *k;
    for (size_t i = 0; (k = history_known_at(i)); i++)
        if (strcmp(table, k->table) == 0 &&
            (!k->schema || k->may_move || strcmp(schema, k->schema) == 0) &&
            has_columns(k, columns, n))
            return k;
    return NULL;
}

bool
history_known_schema(const char *name)
{
    const KnownLedger *k;
    for (size_t i = 0; (k = history_known_at(i)); i++)
        if (k->schema && strcmp(name, k->schema) == 0)
            return true;
    return false;
}

typedef VEC(const char *) Columns;

static Columns
columns_of(Arena *a, const CatRelation *r)
{
    Columns columns = {0};
    cat_each (CatColumn, c, &r->columns)
        *vec_add(a, &columns) = c->id.sub;
    return columns;
}

static const KnownLedger *
ledger_of(Arena *a, const CatRelation *r)
{
    Columns columns = columns_of(a, r);
    return r->id.schema ? history_known(r->id.schema, r->id.name, columns.v, columns.n) : NULL;
}

typedef struct LeaveOut {
    const History *history;
    const Catalog *written;
} LeaveOut;

/* Under the name that a project gives its ledger; without a schema it lies wherever the path led.
 * NULL: it is none of its. */
static const KnownLedger *
history_of(Arena *a, const History *h, const CatRelation *r)
{
    for (size_t i = 0; h && i < history_parts(h); i++) {
        const History *p = history_part_of(h, i);
        const KnownLedger *k = &p->layout->ledger;
        if (strcmp(r->id.name, p->ledger.table) != 0 || !r->id.schema)
            continue;
        Columns columns = columns_of(a, r);
        if (p->ledger.schema ? strcmp(r->id.schema, p->ledger.schema) == 0
                             : has_columns(k, columns.v, columns.n))
            return k;
    }
    return NULL;
}

static bool
is_left_out(const void *arg, const CatRelation *r)
{
    const LeaveOut *l = arg;
    ARENA_LOCAL(scratch);
    const KnownLedger *k = history_of(scratch, l->history, r);
    k = k ? k : ledger_of(scratch, r);
    return k && (k->is_prismas || k->kind == KNOWN_OWN || !l->written ||
                 !catalog_relation(l->written, r->id.schema, r->id.name));
}

/* `prisma dev` puts one on every table, to see what changes. */
static bool
is_capture(const CatTrigger *g)
{
    return g->function.schema && strcmp(g->function.schema, "_prisma_dev_wal") == 0;
}

void
history_leave_out(Catalog *c, const History *h, const Catalog *written)
{
    catalog_leave_out_triggers(c, is_capture);
    catalog_leave_out(c, is_left_out, &(LeaveOut){h, written});
}

void
history_add_known_query(Buf *b)
{
    buf_addz(
        b, "SELECT n.nspname, c.relname, (SELECT pg_catalog.string_agg(a.attname, ',') FROM"
           " pg_catalog.pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT"
           " a.attisdropped), pg_catalog.has_table_privilege(c.oid, 'SELECT') AND"
           " pg_catalog.has_schema_privilege(n.oid, 'USAGE') FROM pg_catalog.pg_class c JOIN"
           " pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'p') AND"
           " n.nspname !~ '^pg_' AND c.relname = ANY (ARRAY[");
    const KnownLedger *k;
    for (size_t i = 0; (k = history_known_at(i)); i++) {
        buf_addz(b, i ? "," : "");
        sql_add_literal(b, str_of(k->table));
    }
    buf_addz(b, "]::pg_catalog.name[]) ORDER BY 1, 2 LIMIT 100");
}

void
history_take_known(Arena *a, const DbRows *rows, KnownTableVec *ret)
{
    *ret = (KnownTableVec){0};
    for (int i = 0; i < rows->rows; i++) {
        const char *schema = db_cell(rows, i, 0).p, *table = db_cell(rows, i, 1).p;
        VEC(const char *) columns = {0};
        for (Str rest = db_cell(rows, i, 2); rest.p;)
            *vec_add(a, &columns) = str_dup(a, str_cut(&rest, ','));
        const KnownLedger *k = history_known(schema, table, columns.v, columns.n);
        if (k && k->kind == KNOWN_HISTORY)
            *vec_add(a, ret) = (KnownTable){k, schema, table, str_is(db_cell(rows, i, 3), "t")};
    }
}

bool
history_has_beside(const History *h, const KnownTableVec *tables)
{
    vec_each (const KnownTable, k, tables)
        if (h->beside && strcmp(k->as->tool, h->beside) == 0)
            return true;
    return false;
}
