/* The table of known ledgers. */
#include "history/known_int.h"
#include "tests.h"

typedef VEC(const char *) Names;

static Names
split(Arena *a, const char *columns)
{
    Names all = {0};
    for (Str rest = str_of(columns); rest.p;)
        *vec_add(a, &all) = str_dup(a, str_cut(&rest, ','));
    return all;
}

/* No row stands in the shadow of an earlier one, in any order of the columns. */
void
known_rows_are_found(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    const KnownLedger *k;
    size_t n = 0;
    for (; (k = history_known_at(n)); n++) {
        Names c = split(a, k->columns), turned = {0};
        for (size_t i = c.n; i-- > 0;)
            *vec_add(a, &turned) = c.v[i];
        const char *schema = k->schema ? k->schema : "public";
        assert_ptr_equal(history_known(schema, k->table, c.v, c.n), k);
        assert_ptr_equal(history_known(schema, k->table, turned.v, turned.n), k);
        assert_null(history_known(schema, k->table, c.v, c.n - 1) == k ? k : NULL);
        assert_null(history_known(schema, "people", c.v, c.n));
        *vec_add(a, &c) = "a_column_of_somebody";
        if (k->has_only_these)
            assert_null(history_known(schema, k->table, c.v, c.n));
        else
            assert_ptr_equal(history_known(schema, k->table, c.v, c.n), k);
        assert_int_equal(k->failed != NULL, k->fix != NULL);
    }
    assert_true(n > 40);
}

void
known_by_columns(void **state)
{
    (void)state;
    static const struct {
        const char *schema, *table, *columns, *tool;
    } cases[] = {
        {"public", "schema_migrations", "version", "dbmate or Rails"},
        {"public", "schema_migrations", "version,dirty", "golang-migrate"},
        {"public", "schema_migrations", "inserted_at,version", "Phoenix"},
        {"public", "schema_migrations", "version,statements,name", NULL},
        {"supabase_migrations", "schema_migrations", "version,statements,name", "Supabase"},
        {"supabase_migrations", "schema_migrations", "version", "Supabase"},
        {"public", "migrations", "id,timestamp,name", "TypeORM"},
        {"public", "migrations", "id,migration,batch", "Laravel"},
        {"public", "migrations", "id,name", NULL},
        {"drizzle", "__drizzle_migrations", "id,hash,created_at,name,applied_at", "Drizzle"},
        {"app", "__drizzle_migrations", "id,hash,created_at", "Drizzle"},
        {"graphile_migrate", "migrations", "hash,previous_hash,filename,date", "graphile-migrate"},
        {"public", "current", "filename,content,date", NULL},
        {"public", "journal", "ledger_id,first_statement", NULL},
        {"public", "SEQUELIZEMETA", "name", NULL},
    };
    ARENA_LOCAL(a);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Names c = split(a, cases[i].columns);
        const KnownLedger *k = history_known(cases[i].schema, cases[i].table, c.v, c.n);
        if (cases[i].tool) {
            assert_non_null(k);
            assert_string_equal(k->tool, cases[i].tool);
        } else
            assert_null(k);
    }
    assert_true(history_known_schema("aramid") && history_known_schema("prisma_contract"));
    assert_false(history_known_schema("public") || history_known_schema("app"));
}

static CatRelation *
add_table(Catalog *c, const char *name, const char *columns)
{
    CatRelation *t = catalog_add(c, CAT_TABLE, "public", name);
    Names names = split(c->arena, columns);
    vec_each (const char *, one, &names)
        catalog_add_to(c, t, CAT_COLUMN, *one);
    return t;
}

static Catalog *
shop(Arena *a)
{
    Catalog *c = catalog_new(a);
    add_table(c, "users", "id");
    add_table(c, "_prisma_migrations",
              "checksum,finished_at,migration_name,rolled_back_at,applied_steps_count");
    add_table(c, "alembic_version", "version_num");
    catalog_add_to(c, add_table(c, "pgmigrations", "id,name,run_on"), CAT_INDEX, "by_name");
    const char *owners[] = {"pgmigrations", "users", NULL};
    const char *names[] = {"pgmigrations_id_seq", "users_id_seq", "pgmigrations_free"};
    for (int i = 0; i < 3; i++) {
        CatSequence *s = catalog_add(c, CAT_SEQUENCE, "public", names[i]);
        catalog_sequence_init(s, catalog_type(a, STR("integer")));
        s->owner_table = (CatName){owners[i] ? "public" : NULL, owners[i]};
        s->owner_column = owners[i] ? "id" : NULL;
    }
    catalog_finish(c);
    return c;
}

static bool
has(const Catalog *c, CatKind kind, const char *name)
{
    return catalog_find(c, (CatRef){kind, "public", name, NULL}) != NULL;
}

void
known_tables_are_left_out(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    Catalog *c = shop(a);
    history_leave_out(c, NULL, NULL);
    assert_int_equal(c->tables.n, 1);
    assert_true(has(c, CAT_TABLE, "users"));
    assert_false(has(c, CAT_TABLE, "pgmigrations"));
    assert_false(has(c, CAT_INDEX, "by_name"));
    assert_false(has(c, CAT_SEQUENCE, "pgmigrations_id_seq"));
    assert_true(has(c, CAT_SEQUENCE, "users_id_seq") && has(c, CAT_SEQUENCE, "pgmigrations_free"));
    vec_each (CatObject *, o, &c->objects)
        assert_ptr_equal(catalog_find(c, (*o)->id), *o);
    assert_int_equal(c->objects.n, 4); /* table, column, two sequences */

    /* What schema.prisma names stays, but for Prisma's own. */
    c = shop(a);
    history_leave_out(c, NULL, c);
    assert_int_equal(c->tables.n, 3);
    assert_false(has(c, CAT_TABLE, "_prisma_migrations"));
    Catalog *written = catalog_new(a);
    add_table(written, "alembic_version", "version_num");
    catalog_finish(written);
    c = shop(a);
    history_leave_out(c, NULL, written);
    assert_int_equal(c->tables.n, 2);
    assert_true(has(c, CAT_TABLE, "alembic_version"));
}
