/* Histories of migration tools: several on one database go different ways sooner or later. */
#include "doctor/doctor_int.h"

#include "sqltext/sqltext.h"

/* A table is a tool's history when it has the name and the columns. `failed` counts rows of
 * migrations that did not end well; NULL = the tool knows none. Sources: facts of each tool's own
 * code. */
typedef struct KnownLedger {
    const char *tool, *schema, *table; /* schema NULL = any */
    const char *columns;               /* all of them, comma-separated */
    const char *failed;
    const char *fix; /* of failed rows */
} KnownLedger;

static const KnownLedger known[] = {
    {"Prisma", NULL, "_prisma_migrations", "migration_name,finished_at,rolled_back_at",
     "finished_at IS NULL AND rolled_back_at IS NULL",
     "aramid status tells what happened; then aramid deploy, or aramid resolve"},
    {"Drizzle", NULL, "__drizzle_migrations", "hash,created_at", NULL, NULL},
    {"Supabase", "supabase_migrations", "schema_migrations", "version", NULL, NULL},
    {"golang-migrate", NULL, "schema_migrations", "version,dirty", "dirty",
     "look what the migration did, then: migrate force VERSION"},
    {"Phoenix", NULL, "schema_migrations", "version,inserted_at", NULL, NULL},
    {"dbmate or Rails", NULL, "schema_migrations", "version", NULL, NULL},
    {"Flyway", NULL, "flyway_schema_history", "installed_rank,success", "NOT success",
     "undo what the migration did, then: flyway repair"},
    {"Liquibase", NULL, "databasechangelog", "id,author,filename", NULL, NULL},
    {"Atlas", NULL, "atlas_schema_revisions", "version,error", "error IS NOT NULL AND error <> ''",
     "atlas migrate status"},
    {"goose", NULL, "goose_db_version", "version_id,is_applied", NULL, NULL},
    {"Knex", NULL, "knex_migrations", "name,batch", NULL, NULL},
    {"node-pg-migrate", NULL, "pgmigrations", "name,run_on", NULL, NULL},
    {"Sequelize", NULL, "SequelizeMeta", "name", NULL, NULL},
    {"TypeORM", NULL, "migrations", "timestamp,name", NULL, NULL},
    {"Laravel", NULL, "migrations", "migration,batch", NULL, NULL},
    {"Alembic", NULL, "alembic_version", "version_num", NULL, NULL},
    {"Django", NULL, "django_migrations", "app,name,applied", NULL, NULL},
    {"Entity Framework", NULL, "__EFMigrationsHistory", "MigrationId", NULL, NULL},
    {"sqlx", NULL, "_sqlx_migrations", "version,success", "NOT success",
     "undo what the migration did and delete its row"},
    {"Diesel", NULL, "__diesel_schema_migrations", "version", NULL, NULL},
    {"Kysely", NULL, "kysely_migration", "name", NULL, NULL},
    {"MikroORM", NULL, "mikro_orm_migrations", "name,executed_at", NULL, NULL},
    {"graphile-migrate", "graphile_migrate", "migrations", "hash,filename", NULL, NULL},
    {"Sqitch", "sqitch", "changes", "change_id,project", NULL, NULL},
    {"pgroll", "pgroll", "migrations", "name,done", "NOT done", "pgroll status"},
};
enum { KNOWN = sizeof known / sizeof *known };

typedef struct Ledger {
    const KnownLedger *as;
    const char *schema;
    bool readable;
    int64_t rows, failed;
} Ledger;
typedef VEC(Ledger) LedgerVec;

static bool
has_columns(Str columns, const char *wanted)
{
    for (Str rest = str_of(wanted); rest.p;) {
        Str one = str_cut(&rest, ',');
        bool found = false;
        for (Str all = columns; all.p && !found;)
            found = str_eq(str_cut(&all, ','), one);
        if (!found)
            return false;
    }
    return true;
}

static const KnownLedger *
recognise(Str schema, Str table, Str columns)
{
    for (int i = 0; i < KNOWN; i++)
        if (str_is(table, known[i].table) &&
            (!known[i].schema || str_is(schema, known[i].schema)) &&
            has_columns(columns, known[i].columns))
            return &known[i];
    return NULL;
}

static bool
find(Doctor *d, Session *s, LedgerVec *ret)
{
    Buf b;
    buf_init(&b, d->arena);
    buf_addz(
        &b, "SELECT n.nspname, c.relname, (SELECT pg_catalog.string_agg(a.attname, ',') FROM"
            " pg_catalog.pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT"
            " a.attisdropped), pg_catalog.has_table_privilege(c.oid, 'SELECT') AND"
            " pg_catalog.has_schema_privilege(n.oid, 'USAGE') FROM pg_catalog.pg_class c JOIN"
            " pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'p') AND"
            " n.nspname !~ '^pg_' AND c.relname = ANY (ARRAY[");
    for (int i = 0; i < KNOWN; i++) {
        buf_addz(&b, i ? "," : "");
        sql_add_literal(&b, str_of(known[i].table));
    }
    buf_addz(&b, "]::pg_catalog.name[]) ORDER BY 1, 2 LIMIT 100");
    const DbRows *r = doctor_ask(d, s, "histories", b.p);
    for (int i = 0; r && i < r->rows; i++) {
        const KnownLedger *k = recognise(db_cell(r, i, 0), db_cell(r, i, 1), db_cell(r, i, 2));
        if (k)
            *vec_add(d->arena, ret) =
                (Ledger){.as = k, .schema = db_cell(r, i, 0).p, .readable = doctor_true(r, i, 3)};
    }
    return r != NULL;
}

static bool
count(Doctor *d, Session *s, LedgerVec *list)
{
    Buf b;
    buf_init(&b, d->arena);
    for (size_t i = 0; i < list->n; i++) {
        const Ledger *l = &list->v[i];
        if (!l->readable)
            continue;
        buf_fmt(&b, "%sSELECT %zu, pg_catalog.count(*), ", b.n ? " UNION ALL " : "", i);
        if (l->as->failed)
            buf_fmt(&b, "pg_catalog.count(*) FILTER (WHERE %s)", l->as->failed);
        else
            buf_addz(&b, "0");
        buf_addz(&b, " FROM ");
        sql_add_name(&b, l->schema, l->as->table);
    }
    const DbRows *r = b.n ? doctor_ask(d, s, "rows of histories", b.p) : NULL;
    for (int i = 0; r && i < r->rows; i++) {
        Ledger *l = &list->v[doctor_int(r, i, 0)];
        l->rows = doctor_int(r, i, 1);
        l->failed = doctor_int(r, i, 2);
    }
    return r || !b.n;
}

static void
tell(Doctor *d, const Session *s, const Ledger *l)
{
    const char *name =
        str_printable(d->arena, str_of(str_fmt(d->arena, "%s.%s", l->schema, l->as->table)), false);
    if (!l->readable)
        doctor_add(d, FINDING_LEDGER_HIDDEN, FINDING_WARNING, name,
                   str_fmt(d->arena, "as its owner: GRANT SELECT ON %s TO %s",
                           doctor_ident(d, l->schema, l->as->table),
                           doctor_ident(d, NULL, db_info(s->db)->user)),
                   "%s's history is not visible to this role", l->as->tool);
    else if (l->failed)
        doctor_add(d, FINDING_LEDGER_FAILED, FINDING_ERROR, name, l->as->fix,
                   "%s's history: %s, %lld of them failed or not finished", l->as->tool,
                   doctor_count(d->arena, l->rows, "row"), (long long)l->failed);
    else
        doctor_add(d, FINDING_LEDGER_FOUND, FINDING_OK, name, NULL, "%s's history: %s", l->as->tool,
                   doctor_count(d->arena, l->rows, "row"));
}

void
doctor_ledgers(Doctor *d, Session *s)
{
    d->now = DOCTOR_LEDGERS;
    LedgerVec list = {0};
    if (!find(d, s, &list) || !count(d, s, &list))
        return;
    Buf tools;
    buf_init(&tools, d->arena);
    int different = 0;
    for (size_t i = 0; i < list.n; i++) {
        bool is_first = true;
        for (size_t k = 0; k < i; k++)
            is_first = is_first && strcmp(list.v[k].as->tool, list.v[i].as->tool) != 0;
        tell(d, s, &list.v[i]);
        if (is_first && different++ >= 0)
            buf_fmt(&tools, "%s%s", tools.n ? ", " : "", list.v[i].as->tool);
    }
    if (different > 1)
        doctor_add(d, FINDING_LEDGER_SEVERAL, FINDING_WARNING, NULL,
                   "let one tool make the changes; the others' histories do not know what it did",
                   "%d tools keep a history in this database: %s", different, tools.p);
    else if (list.n > 1)
        doctor_add(
            d, FINDING_LEDGER_SEVERAL, FINDING_WARNING, NULL,
            "the search_path or the URL's schema decides which one counts; aramid status shows it",
            "%s has %zu histories in different schemas", tools.p, list.n);
    if (!list.n)
        doctor_add(d, FINDING_LEDGER_FOUND, FINDING_INFO, NULL, NULL,
                   "no migration history in this database");
}
