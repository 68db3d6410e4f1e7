/* The model without a server: types, order, lookup, comparing, storing, dependencies. */
#include "catalog/catalog_int.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

/* ---- types --------------------------------------------------------------------------------- */

static void
types_have_one_form(void **state)
{
    (void)state;
    static const struct {
        const char *sql, *text, *schema, *name, *args;
        bool is_array;
    } cases[] = {
        {"INTEGER", "integer", NULL, "int4", NULL, false},
        {"int", "integer", NULL, "int4", NULL, false},
        {"INT4[]", "integer[]", NULL, "int4", NULL, true},
        {"bigint[3][]", "bigint[]", NULL, "int8", NULL, true},
        {"integer ARRAY", "integer[]", NULL, "int4", NULL, true},
        {"TEXT", "text", NULL, "text", NULL, false},
        {"VARCHAR(191)", "character varying(191)", NULL, "varchar", "191", false},
        {"character varying(191)", "character varying(191)", NULL, "varchar", "191", false},
        {"VarChar", "character varying", NULL, "varchar", NULL, false},
        {"CHAR", "character(1)", NULL, "bpchar", "1", false},
        {"character(3)", "character(3)", NULL, "bpchar", "3", false},
        {"national  character varying (3)", "character varying(3)", NULL, "varchar", "3", false},
        {"bpchar", "bpchar", NULL, "bpchar", NULL, false},
        {"\"char\"", "\"char\"", NULL, "char", NULL, false},
        {"pg_catalog.\"char\"", "\"char\"", NULL, "char", NULL, false},
        {"pg_catalog.int4", "integer", NULL, "int4", NULL, false},
        {"BIT", "bit(1)", NULL, "bit", "1", false},
        {"\"bit\"", "\"bit\"", NULL, "bit", NULL, false},
        {"VARBIT(5)", "bit varying(5)", NULL, "varbit", "5", false},
        {"DECIMAL(65,30)", "numeric(65,30)", NULL, "numeric", "65,30", false},
        {"numeric(10)", "numeric(10,0)", NULL, "numeric", "10,0", false},
        {"dec ( 10 , 2 )", "numeric(10,2)", NULL, "numeric", "10,2", false},
        {"float(24)", "real", NULL, "float4", NULL, false},
        {"float", "double precision", NULL, "float8", NULL, false},
        {"DOUBLE  PRECISION", "double precision", NULL, "float8", NULL, false},
        {"TIMESTAMP(3)", "timestamp(3) without time zone", NULL, "timestamp", "3", false},
        {"timestamp(3) without time zone[]", "timestamp(3) without time zone[]", NULL, "timestamp",
         "3", true},
        {"TIMESTAMPTZ(6)", "timestamp(6) with time zone", NULL, "timestamptz", "6", false},
        {"timestamp with time zone", "timestamp with time zone", NULL, "timestamptz", NULL, false},
        {"time", "time without time zone", NULL, "time", NULL, false},
        {"TIMETZ(0)", "time(0) with time zone", NULL, "timetz", "0", false},
        {"interval", "interval", NULL, "interval", NULL, false},
        {"interval(3)", "interval(3)", NULL, "interval", "3", false},
        {"interval day to second(3)", "interval day to second(3)", NULL, "interval",
         "day to second(3)", false},
        {"interval year", "interval year", NULL, "interval", "year", false},
        {"JSONB", "jsonb", NULL, "jsonb", NULL, false},
        {"CITEXT", "citext", NULL, "citext", NULL, false},
        {"geometry(Point, 4326)", "geometry(Point,4326)", NULL, "geometry", "Point,4326", false},
        {"extensions.vector(3)", "\"extensions\".\"vector\"(3)", "extensions", "vector", "3",
         false},
        {"\"Role\"", "\"Role\"", NULL, "Role", NULL, false},
        {"app.\"Ro\"\"le.x\"[]", "\"app\".\"Ro\"\"le.x\"[]", "app", "Ro\"le.x", NULL, true},
        {"\"integer\"", "\"integer\"", NULL, "integer", NULL, false},
        {"", "\"\"", NULL, "", NULL, false},
    };
    ARENA_LOCAL(a);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        /* The canonical text is a spelling, too. */
        for (int pass = 0; pass < 2; pass++) {
            CatType t = catalog_type(a, str_of(pass ? cases[i].text : cases[i].sql));
            if (strcmp(t.text, cases[i].text) != 0 || strcmp(t.name, cases[i].name) != 0 ||
                !cat_same_text(t.schema, cases[i].schema) ||
                !cat_same_text(t.args, cases[i].args) || t.is_array != cases[i].is_array)
                fail_msg("%s, pass %d: %s (%s, %s, %s)", cases[i].sql, pass, t.text,
                         t.schema ? t.schema : "-", t.name, t.args ? t.args : "-");
        }
    }
    CatType here = catalog_type_named(a, "app", "Role", true);
    assert_string_equal(here.text, "\"app\".\"Role\"[]");
    CatType anywhere = catalog_type(a, STR("\"Role\"[]"));
    assert_true(catalog_type_same(&here, &anywhere));
    anywhere.schema = "other";
    assert_false(catalog_type_same(&here, &anywhere));
}

/* Any bytes give some type, and its text gives the same one again. */
static void
types_of_any_bytes(void **state)
{
    (void)state;
    static const char letters[] = "ai \"().[],1_\t\xc3";
    unsigned seed = 1;
    for (int i = 0; i < 20000; i++) {
        ARENA_LOCAL(a);
        char text[12];
        size_t n = 0;
        for (; n < sizeof text; n++) {
            seed = seed * 1103515245 + 12345;
            text[n] = letters[(seed >> 16) % (sizeof letters - 1)];
        }
        CatType t = catalog_type(a, (Str){text, n});
        assert_non_null(t.text);
        assert_non_null(t.name);
    }
}

/* ---- a catalog with all kinds -------------------------------------------------------------- */

static CatColumn *
column(Catalog *c, void *of, const char *name, const char *type)
{
    CatColumn *col = catalog_add_to(c, of, CAT_COLUMN, name);
    col->type = catalog_type(c->arena, str_of(type));
    return col;
}

static void
add_text(Catalog *c, CatTexts *list, const char *text)
{
    *vec_add(c->arena, list) = text;
}

/* Every field is set somewhere. With `shuffled` the objects come in another order. */
static Catalog *
sample(Arena *a, bool shuffled)
{
    Catalog *c = catalog_new(a);
    CatRelation *user = NULL, *post = NULL;
    for (int i = 0; i < 2; i++) {
        if (i == (shuffled ? 1 : 0))
            user = catalog_add(c, CAT_TABLE, "public", "User");
        else
            post = catalog_add(c, CAT_TABLE, "public", "Post \"\xf0\x9f\x98\x80\"");
    }
    CatSchema *schema = catalog_add(c, CAT_SCHEMA, NULL, "public");
    schema->owner = "pg_database_owner";
    schema->comment = "the \"usual\"\none";

    CatExtension *extension = catalog_add(c, CAT_EXTENSION, NULL, "citext");
    extension->in_schema = "public";
    extension->version = "1.6";

    CatEnum *role = catalog_add(c, CAT_ENUM, "public", "Role");
    role->owner = "app";
    add_text(c, &role->labels, "USER");
    add_text(c, &role->labels, "ADMIN");
    add_text(c, &role->labels, "");

    CatDomain *domain = catalog_add(c, CAT_DOMAIN, "public", "positive");
    domain->type = catalog_type(a, STR("int"));
    domain->default_expr = "1";
    domain->collation = (CatName){NULL, "C"};
    domain->is_not_null = true;
    CatConstraint *check = catalog_add_to(c, domain, CAT_CONSTRAINT, "positive_check");
    check->expr = "(VALUE > 0)";
    check->is_not_valid = true;

    CatComposite *pair = catalog_add(c, CAT_COMPOSITE, "public", "pair");
    column(c, pair, "b", "text")->collation = (CatName){"public", "german"};
    column(c, pair, "a", "int");

    CatSequence *sequence = catalog_add(c, CAT_SEQUENCE, "public", "User_id_seq");
    catalog_sequence_init(sequence, catalog_type(a, STR("int")));
    sequence->owner_table = (CatName){"public", "User"};
    sequence->owner_column = "id";
    sequence->cache = INT64_MAX;
    sequence->min = INT64_MIN;
    sequence->is_cycle = sequence->is_unlogged = sequence->is_identity = true;

    CatFunction *f = catalog_add(c, CAT_FUNCTION, "public", "touch");
    f->id.sub = "";
    f->arguments = "";
    f->returns = "trigger";
    f->definition = "CREATE OR REPLACE FUNCTION ...";
    *vec_add(a, &f->grants) = (CatGrant){NULL, ""};
    CatFunction *p = catalog_add(c, CAT_FUNCTION, "public", "touch");
    p->id.sub = "integer, text";
    p->is_procedure = true;

    CatColumn *id = column(c, user, "id", "INTEGER");
    id->is_not_null = true;
    id->identity = CAT_BY_DEFAULT;
    id->default_expr = "nextval('\"User_id_seq\"'::regclass)";
    id->statistics = "0";
    add_text(c, &id->options, "n_distinct=5");
    *vec_add(a, &id->needs) = sequence->id;
    *vec_add(a, &id->needs) = sequence->id; /* once is enough */
    CatColumn *kind = column(c, user, "kind", "public.\"Role\"");
    kind->storage = 'e';
    kind->compression = 'l';
    kind->generated = CAT_VIRTUAL;
    kind->is_inherited = kind->is_not_null_unchecked = true;
    *vec_add(a, &kind->grants) = (CatGrant){"reader", "r"};
    user->owner = "app";
    user->comment = "people";
    user->partition_key = "RANGE (id)";
    user->partition_of = (CatName){"public", "all"};
    user->partition_bound = "DEFAULT";
    *vec_add(a, &user->inherits) = (CatName){"public", "z"};
    *vec_add(a, &user->inherits) = (CatName){"public", "a"};
    user->of_type = (CatName){"public", "pair"};
    add_text(c, &user->options, shuffled ? "fillfactor=70" : "autovacuum_enabled=false");
    add_text(c, &user->options, shuffled ? "autovacuum_enabled=false" : "fillfactor=70");
    add_text(c, &user->toast_options, "autovacuum_enabled=false");
    user->tablespace = "fast";
    user->access_method = "columnar";
    user->replica_index = user->cluster_index = "User_pkey";
    user->replica_identity = 'i';
    user->is_unlogged = user->is_rls = user->is_rls_forced = true;
    *vec_add(a, &user->grants) = (CatGrant){shuffled ? "anon" : "writer", shuffled ? "r" : "a*w"};
    *vec_add(a, &user->grants) = (CatGrant){shuffled ? "writer" : "anon", shuffled ? "a*w" : "r"};

    CatConstraint *pk = catalog_add_to(c, user, CAT_CONSTRAINT, "User_pkey");
    pk->type = CAT_PRIMARY_KEY;
    add_text(c, &pk->columns, "id");
    add_text(c, &pk->include, "kind");
    add_text(c, &pk->options, "fillfactor=70");
    pk->tablespace = "fast";
    pk->is_nulls_not_distinct = pk->is_without_overlaps = true;

    column(c, post, "author", "int");
    column(c, post, "at", "tstzrange");
    CatConstraint *fk = catalog_add_to(c, post, CAT_CONSTRAINT, "Post_author_fkey");
    fk->type = CAT_FOREIGN_KEY;
    add_text(c, &fk->columns, "author");
    fk->ref_table = (CatName){"public", "User"};
    add_text(c, &fk->ref_columns, "id");
    add_text(c, &fk->set_columns, "author");
    fk->on_delete = CAT_SET_NULL;
    fk->on_update = CAT_CASCADE;
    fk->is_match_full = fk->is_deferrable = fk->is_deferred = fk->is_not_enforced = true;
    fk->is_inherited = fk->is_no_inherit = true;
    CatConstraint *ex = catalog_add_to(c, post, CAT_CONSTRAINT, "Post_excl");
    ex->type = CAT_EXCLUDE;
    ex->method = "gist";
    ex->expr = "(author > 0)";
    *vec_add(a, &ex->keys) = (CatKey){.column = "at", .op = "&&"};

    CatIndex *index = catalog_add_to(c, post, CAT_INDEX, "Post_idx");
    index->is_unique = index->is_nulls_not_distinct = index->is_only = index->is_invalid = true;
    index->method = "gin";
    *vec_add(a, &index->keys) = (CatKey){.column = "author",
                                         .is_desc = true,
                                         .is_nulls_reversed = true,
                                         .opclass = {"public", "gin_trgm_ops"},
                                         .opclass_args = "siglen=32"};
    *vec_add(a, &index->keys) = (CatKey){.expr = "lower(x)", .collation = {NULL, "C"}};
    add_text(c, &index->include, "at");
    index->predicate = "(author IS NOT NULL)";
    add_text(c, &index->options, "fastupdate=off");
    index->tablespace = "fast";
    index->parent = (CatName){"public", "all_idx"};

    CatTrigger *trigger = catalog_add_to(c, post, CAT_TRIGGER, "touch");
    trigger->function = (CatName){"public", "touch"};
    trigger->definition = "CREATE TRIGGER ...";
    trigger->enabled = 'D';
    CatRule *rule = catalog_add_to(c, post, CAT_RULE, "quiet");
    rule->definition = "CREATE RULE ...";
    rule->enabled = 'A';
    CatPolicy *policy = catalog_add_to(c, post, CAT_POLICY, "own");
    policy->command = 'r';
    add_text(c, &policy->roles, shuffled ? "writer" : "anon");
    add_text(c, &policy->roles, shuffled ? "anon" : "writer");
    policy->using_expr = policy->check_expr = "(author = 1)";
    policy->is_restrictive = true;

    CatRelation *view = catalog_add(c, CAT_VIEW, "public", "people");
    view->query = " SELECT 1";
    column(c, view, "x", "int");
    *vec_add(a, &view->needs) = (CatRef){CAT_COLUMN, "public", "User", "id"};
    CatRelation *matview = catalog_add(c, CAT_MATVIEW, "public", "counted");
    matview->query = " SELECT 2";
    *vec_add(a, &matview->needs) = view->id;
    catalog_add_to(c, matview, CAT_INDEX, "counted_idx");

    *vec_add(a, &c->others) = (CatOther){"operator", "public", "=== (integer, integer)"};
    *vec_add(a, &c->others) = (CatOther){"event trigger", NULL, "watch"};
    catalog_finish(c);
    return c;
}

/* Everything that counts in a comparison. */
static const char *
comparable(Arena *a, const Catalog *c, const CatRules *rules)
{
    static const CatRules all;
    return catalog_json(a, c, rules ? rules : &all, false).p;
}

static void
order_is_canonical(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    Catalog *x = sample(a, false), *y = sample(a, true);
    Str one = catalog_json(a, x, NULL, true), two = catalog_json(a, y, NULL, true);
    assert_string_equal(one.p, two.p);
    assert_string_equal(comparable(a, x, NULL), comparable(a, y, NULL));
    assert_int_equal(x->objects.n, y->objects.n);
    for (size_t i = 0; i < x->objects.n; i++)
        assert_int_equal(cat_ref_cmp(&x->objects.v[i]->id, &y->objects.v[i]->id), 0);
    assert_string_equal(x->tables.v[1]->id.name, "User");
    assert_string_equal(x->tables.v[1]->columns.v[0]->id.sub, "id");
    assert_string_equal(x->others.v[0].what, "event trigger");
}

static void
everything_is_stored(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    Catalog *c = sample(a, false), *back;
    Err err;
    Str stored = catalog_store(a, c);
    assert_true(catalog_read(a, stored, &back, &err));
    assert_true(str_eq(catalog_store(a, back), stored));
    assert_string_equal(catalog_json(a, back, NULL, true).p, catalog_json(a, c, NULL, true).p);
    for (size_t i = 0; i < c->objects.n; i++) {
        CatObject *o = c->objects.v[i], *twin = catalog_find(back, o->id);
        assert_non_null(twin);
        CatTexts changes = catalog_changes(a, o, twin, NULL);
        if (changes.n)
            fail_msg("%s: %s", cat_ref_text(a, &o->id), changes.v[0]);
        assert_int_equal(o->needs.n, twin->needs.n);
    }
    assert_int_equal(back->others.n, 2);
    assert_null(back->others.v[0].schema);
}

/* Any cut or changed byte is an error or a catalog, never a crash. */
static void
damaged_text_is_refused(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    Str stored = catalog_store(a, sample(a, false));
    Catalog *back;
    Err err;
    for (size_t n = 0; n < stored.n; n += 7) {
        ArenaMark m = arena_mark(a);
        assert_false(catalog_read(a, str_slice(stored, 0, n), &back, &err));
        assert_int_equal(err.code, ERR_INTERNAL);
        arena_reset(a, m);
    }
    static const char junk[] = "{}[]:;0tfni9x";
    for (size_t n = 0; n < stored.n; n++) {
        ArenaMark m = arena_mark(a);
        char *copy = str_dup(a, stored);
        copy[n] = junk[n % (sizeof junk - 1)];
        (void)!catalog_read(a, (Str){copy, stored.n}, &back, &err);
        arena_reset(a, m);
    }
    assert_false(catalog_read(a, STR("{6:format\0i999;}"), &back, &err));
    assert_false(catalog_read(a, STR("{6:tables\0[]6:format\0i1;}"), &back, &err));
    assert_true(catalog_read(a, STR("{6:format\0i2;}"), &back, &err));
    assert_int_equal(back->objects.n, 0);
}

static void
lookups(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    Catalog *c = sample(a, false);
    CatRelation *user = catalog_relation(c, "public", "User");
    assert_int_equal(user->id.kind, CAT_TABLE);
    assert_int_equal(catalog_relation(c, "public", "counted")->id.kind, CAT_MATVIEW);
    assert_null(catalog_relation(c, "public", "user"));
    assert_null(catalog_relation(c, "other", "User"));
    assert_string_equal(catalog_column(user, "kind")->type.name, "Role");
    assert_null(catalog_column(user, "Kind"));
    CatFunction *f = catalog_find(c, (CatRef){CAT_FUNCTION, "public", "touch", "integer, text"});
    assert_true(f->is_procedure);
    assert_false(((CatFunction *)catalog_find(c, (CatRef){CAT_FUNCTION, "public", "touch", NULL}))
                     ->is_procedure);
    CatIndex *i = catalog_find(c, (CatRef){CAT_INDEX, "public", "Post_idx", NULL});
    assert_string_equal(i->table, "Post \"\xf0\x9f\x98\x80\"");
    CatConstraint *k =
        catalog_find(c, (CatRef){CAT_CONSTRAINT, "public", "positive", "positive_check"});
    assert_string_equal(k->expr, "(VALUE > 0)");
    assert_string_equal(cat_ref_text(a, &k->id),
                        "constraint \"positive_check\" of \"public\".\"positive\"");
    assert_string_equal(cat_ref_text(a, &f->id), "function \"public\".\"touch\"(integer, text)");
    assert_string_equal(cat_ref_text(a, &c->schemas.v[0]->id), "schema \"public\"");
    assert_string_equal(cat_ref_text(a, &c->tables.v[0]->id),
                        "table \"public\".\"Post \"\"\xf0\x9f\x98\x80\"\"\"");
    size_t seen = 0;
    cat_each (CatRelation, r, &c->tables) {
        cat_each (CatColumn, col, &r->columns) {
            assert_non_null(col->type.text);
            seen++;
            if (seen == 1)
                break;
        }
    }
    assert_int_equal(seen, 3); /* the break left the inner walk only */
    assert_int_equal(c->views.v[1]->columns.n, 0);
    cat_each (CatColumn, none, &c->views.v[1]->columns)
        fail_msg("%s", none->id.sub);
}

/* ---- comparing ----------------------------------------------------------------------------- */

static bool
same_print(Arena *a, const Catalog *x, const Catalog *y, const CatRules *rules)
{
    return strcmp(comparable(a, x, rules), comparable(a, y, rules)) == 0;
}

static void
rules_say_what_counts(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    Catalog *x = sample(a, false), *y = sample(a, false);
    CatRelation *t = catalog_relation(x, "public", "User"),
                *u = catalog_relation(y, "public", "User");

    u->owner = "postgres";
    assert_false(same_print(a, x, y, NULL));
    assert_string_equal(catalog_changes(a, t, u, NULL).v[0], "owner");
    assert_true(same_print(a, x, y, &(CatRules){.ignore_owners = true}));
    CatRules mapped = {.roles = (CatRoleMap[]){{"postgres", "app"}}, .nroles = 1};
    assert_true(same_print(a, x, y, &mapped));
    assert_int_equal(catalog_changes(a, t, u, &mapped).n, 0);
    u->owner = "app";

    /* Renamed roles are put into order again. */
    u->grants.v[0].role = "zz_anon";
    assert_false(same_print(a, x, y, NULL));
    CatRules zz = {.roles = (CatRoleMap[]){{"anon", "zz_anon"}}, .nroles = 1};
    CatPolicy *policy =
        catalog_find(y, (CatRef){CAT_POLICY, "public", y->tables.v[0]->id.name, "own"});
    policy->roles.v[0] = "zz_anon";
    assert_true(same_print(a, x, y, &zz));
    assert_int_equal(catalog_changes(a, t, u, &zz).n, 0);
    policy->roles.v[0] = "anon";
    assert_true(same_print(a, x, y, &(CatRules){.ignore_grants = true}));
    CatRefs none = {0}, user = {0};
    *vec_add(a, &user) = t->id;
    assert_true(same_print(a, x, y, &(CatRules){.grants_of = &none}));
    assert_false(same_print(a, x, y, &(CatRules){.grants_of = &user}));
    u->grants.v[0].role = "anon";

    u->comment = NULL;
    assert_false(same_print(a, x, y, NULL));
    assert_true(same_print(a, x, y, &(CatRules){.ignore_comments = true}));
    u->comment = t->comment;

    y->extensions.v[0]->version = "1.7";
    assert_false(same_print(a, x, y, NULL));
    assert_true(same_print(a, x, y, &(CatRules){.ignore_versions = true}));
    y->extensions.v[0]->version = "1.6";

    CatColumn *first = u->columns.v[0];
    u->columns.v[0] = u->columns.v[1];
    u->columns.v[1] = first;
    assert_false(same_print(a, x, y, NULL));
    assert_true(same_print(a, x, y, &(CatRules){.ignore_column_order = true}));
    CatTexts changes = catalog_changes(a, t, u, NULL);
    assert_int_equal(changes.n, 1);
    assert_string_equal(changes.v[0], "column_order");
    u->columns.n = 1; /* a missing column is no other order */
    assert_int_equal(catalog_changes(a, t, u, NULL).n, 0);
    assert_int_equal(catalog_changes(a, u, t, NULL).n, 0);
    u->columns.n = 2;
    u->columns.v[1] = u->columns.v[0];
    u->columns.v[0] = first;
    assert_true(same_print(a, x, y, NULL));

    /* What follows from other fields, and what is only listed, does not count. */
    y->views.v[0]->needs.n = 0;
    y->others.n = 0;
    assert_true(same_print(a, x, y, NULL));
}

/* Make a field another one. */
static void
change(Arena *a, CatObject *o, const Field *f)
{
    void *p = (char *)o + f->offset;
    switch (f->type) {
    case FIELD_TEXT:
        *(const char **)p = "changed";
        break;
    case FIELD_BOOL:
        *(bool *)p = !*(bool *)p;
        break;
    case FIELD_CHAR:
        *(char *)p = '#';
        break;
    case FIELD_INT:
        *(int64_t *)p = 42;
        break;
    case FIELD_ENUM:
        *(int *)p = *(int *)p == 1 ? 0 : 1;
        break;
    case FIELD_NAME:
        *(CatName *)p = (CatName){"changed", "changed"};
        break;
    case FIELD_TYPE:
        *(CatType *)p = catalog_type(a, STR("changed"));
        break;
    case FIELD_TEXTS:
        *vec_add(a, (CatTexts *)p) = "changed";
        break;
    case FIELD_NAMES:
        *vec_add(a, (CatNames *)p) = (CatName){NULL, "changed"};
        break;
    case FIELD_KEYS:
        *vec_add(a, (CatKeys *)p) = (CatKey){.expr = "changed"};
        break;
    case FIELD_GRANTS:
        *vec_add(a, (CatGrants *)p) = (CatGrant){"changed", "r"};
        break;
    case FIELD_REFS:
        *vec_add(a, (CatRefs *)p) = (CatRef){CAT_VIEW, "x", "changed", NULL};
        break;
    }
}

static void
check_field(Arena *a, Catalog *c, CatObject *o, const Field *f, const char *before)
{
    size_t size = cat_kind_info(o->id.kind)->size;
    CatObject *copy = arena_alloc(a, size);
    memcpy(copy, o, size);
    change(a, o, f);
    bool counts = f->rule != RULE_NEVER;
    bool seen = strcmp(comparable(a, c, NULL), before) != 0;
    CatTexts changes = catalog_changes(a, o, copy, NULL);
    if (seen != counts || changes.n != counts || (counts && strcmp(changes.v[0], f->name) != 0))
        fail_msg("%s of %s", f->name, cat_ref_text(a, &o->id));
    memcpy(o, copy, size);
}

/* Changing any field of any object changes what is compared and is named. */
static void
every_field_counts(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    Catalog *c = sample(a, false);
    const char *before = comparable(a, c, NULL);
    for (size_t i = 0; i < c->objects.n; i++) {
        const KindInfo *kind = cat_kind_info(c->objects.v[i]->id.kind);
        for (size_t k = 0; k < kind->nfields; k++)
            check_field(a, c, c->objects.v[i], &kind->fields[k], before);
        for (size_t k = 0; k < cat_nhead_fields; k++)
            check_field(a, c, c->objects.v[i], &cat_head_fields[k], before);
    }
    assert_string_equal(comparable(a, c, NULL), before);
    CatIndex *index = catalog_find(c, (CatRef){CAT_INDEX, "public", "Post_idx", NULL});
    CatIndex copy = *index;
    assert_int_equal(catalog_changes(a, index, &copy, NULL).n, 0);
    copy.is_unique = false;
    copy.predicate = NULL;
    copy.keys.n = 1;
    CatTexts changes = catalog_changes(a, index, &copy, NULL);
    assert_int_equal(changes.n, 3);
    assert_string_equal(changes.v[0], "is_unique");
    assert_string_equal(changes.v[1], "keys");
    assert_string_equal(changes.v[2], "predicate");
    /* A name without a schema is that name in any schema. */
    copy = *index;
    CatKeys keys = {0};
    *vec_add(a, &keys) = index->keys.v[0];
    *vec_add(a, &keys) = index->keys.v[1];
    keys.v[0].opclass.schema = NULL;
    copy.keys = keys;
    assert_int_equal(catalog_changes(a, index, &copy, NULL).n, 0);
    keys.v[0].opclass.schema = "elsewhere";
    assert_int_equal(catalog_changes(a, index, &copy, NULL).n, 1);
}

/* ---- dependencies -------------------------------------------------------------------------- */

static size_t
position(const CatObjects *order, CatRef id)
{
    for (size_t i = 0; i < order->n; i++)
        if (cat_ref_cmp(&order->v[i]->id, &id) == 0)
            return i;
    fail_msg("%s is not in the order", id.name);
    return 0;
}

static void
order_follows_needs(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    Catalog *c = catalog_new(a);
    catalog_add(c, CAT_SCHEMA, NULL, "app");
    /* Two tables that refer to each other. */
    for (int i = 0; i < 2; i++) {
        CatRelation *t = catalog_add(c, CAT_TABLE, "app", i ? "b" : "a");
        column(c, t, "id", "app.\"Zed\"");
        CatConstraint *pk = catalog_add_to(c, t, CAT_CONSTRAINT, "pkey");
        pk->type = CAT_PRIMARY_KEY;
        add_text(c, &pk->columns, "id");
        CatConstraint *fk = catalog_add_to(c, t, CAT_CONSTRAINT, "fkey");
        fk->type = CAT_FOREIGN_KEY;
        fk->ref_table = (CatName){"app", i ? "a" : "b"};
        add_text(c, &fk->columns, "id");
        add_text(c, &fk->ref_columns, "id");
    }
    catalog_add(c, CAT_ENUM, "app", "Zed");
    CatRelation *part = catalog_add(c, CAT_TABLE, "app", "a_part");
    part->partition_of = (CatName){"app", "whole"};
    catalog_add(c, CAT_TABLE, "app", "whole");
    CatRelation *top = catalog_add(c, CAT_VIEW, "app", "a_view");
    *vec_add(a, &top->needs) = (CatRef){CAT_VIEW, "app", "z_view", NULL};
    CatRelation *low = catalog_add(c, CAT_VIEW, "app", "z_view");
    *vec_add(a, &low->needs) = (CatRef){CAT_COLUMN, "app", "b", "id"};
    *vec_add(a, &low->needs) = (CatRef){CAT_FUNCTION, "app", "f", "app.b"};
    CatFunction *f = catalog_add(c, CAT_FUNCTION, "app", "f");
    f->id.sub = "app.b";
    *vec_add(a, &f->needs) = (CatRef){CAT_TABLE, "app", "b", NULL};
    CatSequence *s = catalog_add(c, CAT_SEQUENCE, "app", "s");
    s->owner_table = (CatName){"app", "a"};
    s->owner_column = "id";
    CatSequence *own = catalog_add(c, CAT_SEQUENCE, "app", "own");
    own->owner_table = (CatName){"app", "a"};
    own->is_identity = true;
    catalog_finish(c);

    CatCycles cycles;
    CatObjects order = catalog_order(a, c, &cycles);
    assert_int_equal(cycles.n, 0);
    assert_int_equal(order.n, 15);
#define AT(kind, name, sub) position(&order, (CatRef){kind, "app", name, sub})
    assert_int_equal(position(&order, (CatRef){CAT_SCHEMA, NULL, "app", NULL}), 0);
    assert_true(AT(CAT_ENUM, "Zed", NULL) < AT(CAT_TABLE, "a", NULL));
    assert_true(AT(CAT_CONSTRAINT, "b", "pkey") < AT(CAT_CONSTRAINT, "a", "fkey"));
    assert_true(AT(CAT_CONSTRAINT, "a", "pkey") < AT(CAT_CONSTRAINT, "b", "fkey"));
    assert_true(AT(CAT_TABLE, "whole", NULL) < AT(CAT_TABLE, "a_part", NULL));
    assert_true(AT(CAT_VIEW, "z_view", NULL) < AT(CAT_VIEW, "a_view", NULL));
    assert_true(AT(CAT_FUNCTION, "f", "app.b") < AT(CAT_VIEW, "z_view", NULL));
    assert_true(AT(CAT_TABLE, "b", NULL) < AT(CAT_FUNCTION, "f", "app.b"));
    assert_true(AT(CAT_SEQUENCE, "s", NULL) < AT(CAT_TABLE, "a", NULL));
    assert_true(AT(CAT_TABLE, "a", NULL) < AT(CAT_SEQUENCE, "own", NULL));
}

static void
cycles_are_reported(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    Catalog *c = catalog_new(a);
    /* A default calls a function that takes the table's row type: a loop of two. */
    CatRelation *t = catalog_add(c, CAT_TABLE, "public", "t");
    CatColumn *x = column(c, t, "x", "int");
    *vec_add(a, &x->needs) = (CatRef){CAT_FUNCTION, "public", "f", "public.t"};
    CatFunction *f = catalog_add(c, CAT_FUNCTION, "public", "f");
    f->id.sub = "public.t";
    *vec_add(a, &f->needs) = (CatRef){CAT_TABLE, "public", "t", NULL};
    CatRelation *v = catalog_add(c, CAT_VIEW, "public", "v");
    *vec_add(a, &v->needs) = f->id;
    *vec_add(a, &v->needs) = (CatRef){CAT_VIEW, "public", "gone", NULL};
    catalog_finish(c);
    CatCycles cycles;
    CatObjects order = catalog_order(a, c, &cycles);
    assert_int_equal(order.n, 3);
    assert_int_equal(cycles.n, 1);
    assert_int_equal(cycles.v[0].n, 2);
    assert_int_equal(order.v[0]->id.kind, CAT_FUNCTION);
    assert_int_equal(order.v[2]->id.kind, CAT_VIEW);
    assert_int_equal(catalog_order(a, c, NULL).n, 3);
}

static void
long_chains_do_not_recurse(void **state)
{
    (void)state;
    enum { N = 30000 };
    ARENA_LOCAL(a);
    Catalog *c = catalog_new(a);
    for (int i = 0; i < N; i++) {
        CatRelation *v = catalog_add(c, CAT_VIEW, "public", str_fmt(a, "v%05d", i));
        if (i + 1 < N)
            *vec_add(a, &v->needs) = (CatRef){CAT_VIEW, "public", str_fmt(a, "v%05d", i + 1), NULL};
    }
    catalog_finish(c);
    CatCycles cycles;
    CatObjects order = catalog_order(a, c, &cycles);
    assert_int_equal(order.n, N);
    assert_string_equal(order.v[0]->id.name, str_fmt(a, "v%05d", N - 1));
    assert_int_equal(cycles.n, 0);
}

static void
sequences_reach_their_type(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    CatSequence s = {0};
    catalog_sequence_init(&s, catalog_type(a, STR("SMALLINT")));
    assert_int_equal(s.max, 32767);
    catalog_sequence_init(&s, catalog_type(a, STR("INTEGER")));
    assert_int_equal(s.max, 2147483647);
    catalog_sequence_init(&s, catalog_type(a, STR("BIGINT")));
    assert_true(s.max == INT64_MAX && s.min == 1 && s.start == 1 && s.increment == 1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(types_have_one_form),        cmocka_unit_test(types_of_any_bytes),
        cmocka_unit_test(order_is_canonical),         cmocka_unit_test(everything_is_stored),
        cmocka_unit_test(damaged_text_is_refused),    cmocka_unit_test(lookups),
        cmocka_unit_test(rules_say_what_counts),      cmocka_unit_test(every_field_counts),
        cmocka_unit_test(order_follows_needs),        cmocka_unit_test(cycles_are_reported),
        cmocka_unit_test(long_chains_do_not_recurse), cmocka_unit_test(sequences_reach_their_type),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
