/* Changes between catalogs: casts, order, circles, enums, renames, notes, questions. */
#include "diff/diff.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

/* ---- small catalogs ------------------------------------------------------------------------- */

static Catalog *
begin(Arena *a)
{
    Catalog *c = catalog_new(a);
    catalog_add(c, CAT_SCHEMA, NULL, "public");
    return c;
}

static CatRelation *
table(Catalog *c, const char *name, const char *const *columns)
{
    CatRelation *t = catalog_add(c, CAT_TABLE, "public", name);
    for (; *columns; columns += 2) {
        CatColumn *k = catalog_add_to(c, t, CAT_COLUMN, columns[0]);
        k->type = catalog_type(c->arena, str_of(columns[1]));
    }
    return t;
}

static CatConstraint *
key(Catalog *c, CatRelation *t, const char *name, CatConstraintType type, const char *column)
{
    CatConstraint *k = catalog_add_to(c, t, CAT_CONSTRAINT, name);
    k->type = type;
    *vec_add(c->arena, &k->columns) = column;
    return k;
}

static void
foreign_key(Catalog *c, CatRelation *t, const char *name, const char *column, const char *to)
{
    CatConstraint *k = key(c, t, name, CAT_FOREIGN_KEY, column);
    k->ref_table = (CatName){"public", to};
    *vec_add(c->arena, &k->ref_columns) = "id";
}

static void
label(Catalog *c, CatEnum *e, const char *text)
{
    *vec_add(c->arena, &e->labels) = text;
}

static Diff *
compare(Arena *a, Catalog *x, Catalog *y, const DiffOptions *options)
{
    return diff_catalogs(a, &(DiffSide){.catalog = x}, &(DiffSide){.catalog = y}, options);
}

/* "C table A, D constraint k, ...": operation, kind and last name. */
static const char *
told(Arena *a, const Diff *d)
{
    static const char letters[] = {'C', 'D', 'A', 'R'};
    Buf b;
    buf_init(&b, a);
    vec_each (Change *, at, &d->changes) {
        const Change *c = *at;
        const CatRef *id = &(c->to ? c->to : c->from)->id;
        buf_fmt(&b, "%s%c %s %s", b.n ? ", " : "", letters[c->op], cat_kind_name(c->kind),
                id->sub && c->kind != CAT_FUNCTION ? id->sub : id->name);
    }
    return b.n ? b.p : "";
}

static const DiffEffect *
note(const Diff *d, FindingId kind)
{
    vec_each (Change *, c, &d->changes)
        vec_each (const DiffEffect, n, &(*c)->effects)
            if (n->id == kind)
                return n;
    return NULL;
}

/* ---- tests ---------------------------------------------------------------------------------- */

static void
casts(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    static const struct {
        const char *from, *to;
        Cast cast;
    } cases[] = {
        {"integer", "integer", CAST_NONE},
        {"integer", "bigint", CAST_SAFE},
        {"bigint", "integer", CAST_RISKY},
        {"text", "varchar(5)", CAST_RISKY},
        {"varchar(5)", "varchar(9)", CAST_SAFE},
        {"varchar(9)", "text", CAST_SAFE},
        {"text", "integer", CAST_IMPOSSIBLE},
        {"integer", "text", CAST_SAFE},
        {"numeric(10,2)", "numeric(8,2)", CAST_RISKY},
        {"integer[]", "integer", CAST_IMPOSSIBLE},
        {"integer[]", "text", CAST_SAFE},
        {"timestamp(3)", "date", CAST_SAFE},
        {"uuid", "char(36)", CAST_SAFE},
        {"jsonb", "json", CAST_SAFE},
        {"int4range", "text", CAST_RISKY},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        CatType x = catalog_type(a, str_of(cases[i].from)),
                y = catalog_type(a, str_of(cases[i].to));
        if (diff_cast(&x, &y) != cases[i].cast)
            fail_msg("%s -> %s", cases[i].from, cases[i].to);
    }
}

static Catalog *
circle(Arena *a)
{
    static const char *const columns[] = {"id", "integer", "other", "integer", NULL};
    Catalog *c = begin(a);
    CatRelation *x = table(c, "A", columns), *y = table(c, "B", columns);
    key(c, x, "A_pkey", CAT_PRIMARY_KEY, "id");
    key(c, y, "B_pkey", CAT_PRIMARY_KEY, "id");
    foreign_key(c, x, "A_fk", "other", "B");
    foreign_key(c, y, "B_fk", "other", "A");
    catalog_finish(c);
    return c;
}

static void
foreign_keys_in_a_circle(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    Catalog *none = begin(a), *c = circle(a);
    catalog_finish(none);
    assert_string_equal(told(a, compare(a, none, c, NULL)),
                        "C table A, C table B, C constraint A_fk, C constraint B_fk");
    assert_string_equal(told(a, compare(a, c, none, NULL)),
                        "D constraint A_fk, D constraint B_fk, D table A, D table B");
    assert_string_equal(told(a, compare(a, c, circle(a), NULL)), "");
}

static CatRelation *
view(Catalog *c, const char *name, const char *of, CatKind kind)
{
    CatRelation *v = catalog_add(c, CAT_VIEW, "public", name);
    CatColumn *k = catalog_add_to(c, v, CAT_COLUMN, "x");
    k->type = catalog_type(c->arena, STR("text"));
    v->query = str_fmt(c->arena, "SELECT x FROM public.%s", of);
    *vec_add(c->arena, &v->needs) = (CatRef){kind, "public", of, NULL};
    if (kind == CAT_TABLE)
        *vec_add(c->arena, &v->needs) = (CatRef){CAT_COLUMN, "public", of, "x"};
    return v;
}

static Catalog *
views_on_views(Arena *a, const char *type)
{
    const char *const columns[] = {"x", type, NULL};
    Catalog *c = begin(a);
    table(c, "t", columns);
    view(c, "a_top", "z_bottom", CAT_VIEW);
    view(c, "z_bottom", "t", CAT_TABLE);
    catalog_finish(c);
    return c;
}

static void
views_are_made_again_around_a_type(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    Diff *d = compare(a, views_on_views(a, "varchar(5)"), views_on_views(a, "text"), NULL);
    assert_string_equal(told(a, d), "D view a_top, D view z_bottom, A table t, C view z_bottom, "
                                    "C view a_top");
    assert_non_null(note(d, FINDING_DIFF_CASCADES));
}

static Catalog *
with_enum(Arena *a, const char *name, const char *const *labels, bool is_used)
{
    Catalog *c = begin(a);
    CatEnum *e = catalog_add(c, CAT_ENUM, "public", name);
    for (; *labels; labels++)
        label(c, e, *labels);
    static const char *const columns[] = {"id", "integer", NULL};
    CatRelation *t = table(c, "t", columns);
    if (is_used) {
        CatColumn *k = catalog_add_to(c, t, CAT_COLUMN, "e");
        k->type = catalog_type_named(a, "public", name, false);
        k->default_expr = "'A'";
    }
    catalog_finish(c);
    return c;
}

static void
enums(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    static const char *const ab[] = {"A", "B", NULL}, *const abc[] = {"A", "B", "C", NULL},
                             *const ba[] = {"B", "A", NULL};
    Diff *d = compare(a, with_enum(a, "E", ab, true), with_enum(a, "E", abc, true), NULL);
    assert_string_equal(told(a, d), "A enum E");
    assert_false(d->changes.v[0]->is_rebuilt);
    assert_string_equal(d->changes.v[0]->labels.v[0], "C");
    assert_non_null(note(d, FINDING_DIFF_ENUM_COMMIT));

    d = compare(a, with_enum(a, "E", abc, true), with_enum(a, "E", ab, true), NULL);
    assert_true(d->changes.v[0]->is_rebuilt);
    assert_false(d->changes.v[0]->keeps_old_type);
    assert_int_equal(d->changes.v[0]->retype.n, 1);
    assert_string_equal(note(d, FINDING_DIFF_ENUM_VALUES_REMOVED)->names.v[0], "C");

    /* Another order is another enum. */
    d = compare(a, with_enum(a, "E", ab, true), with_enum(a, "E", ba, true), NULL);
    assert_true(d->changes.v[0]->is_rebuilt);

    /* The column goes later, and the old type after it. */
    d = compare(a, with_enum(a, "E", abc, true), with_enum(a, "E", ab, false), NULL);
    assert_true(d->changes.v[0]->keeps_old_type);
    assert_string_equal(told(a, d), "A enum E, A table t, D enum E_old");
}

static void
looks_renamed(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    static const char *const ab[] = {"A", "B", NULL}, *const ac[] = {"A", "C", NULL};
    static const char *const x[] = {"x", "text", NULL}, *const y[] = {"y", "text", NULL};
    const DiffEffect *n;
    n = note(compare(a, with_enum(a, "E", ab, false), with_enum(a, "F", ab, false), NULL),
             FINDING_DIFF_LOOKS_RENAMED);
    assert_string_equal(n->names.v[0], "F");
    n = note(compare(a, with_enum(a, "E", ab, false), with_enum(a, "E", ac, false), NULL),
             FINDING_DIFF_LOOKS_RENAMED);
    assert_string_equal(n->at.sub, "B");
    assert_string_equal(n->names.v[0], "C");
    Catalog *c = begin(a), *d = begin(a), *e = begin(a);
    table(c, "t", x);
    table(d, "t", y);
    table(e, "u", x);
    catalog_finish(c);
    catalog_finish(d);
    catalog_finish(e);
    assert_string_equal(note(compare(a, c, d, NULL), FINDING_DIFF_LOOKS_RENAMED)->names.v[0], "y");
    assert_string_equal(note(compare(a, c, e, NULL), FINDING_DIFF_LOOKS_RENAMED)->names.v[0], "u");
}

static Catalog *
with_index(Arena *a, const char *name, const char *column)
{
    const char *const columns[] = {"id", "integer", column, "text", NULL};
    Catalog *c = begin(a);
    CatRelation *t = table(c, name, columns);
    key(c, t, str_fmt(a, "%s_pkey", name), CAT_PRIMARY_KEY, "id");
    CatIndex *i = catalog_add_to(c, t, CAT_INDEX, str_fmt(a, "%s_%s_idx", name, column));
    vec_add(a, &i->keys)->column = column;
    i->predicate = str_fmt(a, "(%s IS NOT NULL)", column);
    catalog_finish(c);
    return c;
}

static DiffOptions
wished(Arena *a, const Catalog *x, const Catalog *y, const char *const *texts, size_t n)
{
    Err err;
    CatRenames all = {0};
    if (!diff_wishes(a, &(DiffWishes){.texts = texts, .ntexts = n}, x, y, &all, &err))
        fail_msg("%s", err.primary);
    return (DiffOptions){.renames = all.v, .nrenames = all.n};
}

static void
renames(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    Catalog *x = with_index(a, "users", "mail"), *y = with_index(a, "accounts", "email");
    static const char *const texts[] = {"users:accounts", "users.mail:email"};
    DiffOptions options = wished(a, x, y, texts, 2);
    Diff *d = compare(a, x, y, &options);
    assert_string_equal(told(a, d), "R table accounts, R column email, A table accounts, "
                                    "R index accounts_email_idx");
    assert_int_equal(d->renamed.n, 2);
    assert_null(note(d, FINDING_DIFF_DROP_TABLE));
    /* Questions go to the database as it is. */
    Catalog *z = with_index(a, "accounts", "email");
    catalog_column(catalog_relation(z, "public", "accounts"), "email")->is_not_null = true;
    DiffQuestions q = diff_questions(a, compare(a, x, z, &options));
    assert_int_equal(q.n, 1);
    assert_non_null(strstr(q.v[0].sql.p, "FROM \"public\".\"users\" WHERE \"mail\" IS NULL"));
}

/* "public.T x y, #s.E A": tables with columns of text, enums with values. */
static Catalog *
spelled(Arena *a, const char *text)
{
    Catalog *c = begin(a);
    char *rest = str_dupz(a, text), *save = NULL;
    for (char *whole = strtok_r(rest, ",", &save); whole; whole = strtok_r(NULL, ",", &save)) {
        char *words = NULL, *schema = strtok_r(whole, " ", &words), *dot = strchr(schema, '.');
        bool is_enum = *schema == '#';
        *dot = '\0';
        schema += is_enum;
        bool is_known = false;
        cat_each (CatSchema, s, &c->schemas)
            is_known = is_known || strcmp(s->id.name, schema) == 0;
        if (!is_known)
            catalog_add(c, CAT_SCHEMA, NULL, schema);
        void *o = catalog_add(c, is_enum ? CAT_ENUM : CAT_TABLE, schema, dot + 1);
        for (char *w = strtok_r(NULL, " ", &words); w; w = strtok_r(NULL, " ", &words)) {
            if (is_enum)
                label(c, o, w);
            else
                ((CatColumn *)catalog_add_to(c, o, CAT_COLUMN, w))->type =
                    catalog_type(a, STR("text"));
        }
    }
    catalog_finish(c);
    return c;
}

/* What wishes come to: object -> new name, or the error. */
static const char *
understood(Arena *a, const Catalog *x, const Catalog *y, const DiffWishes *wishes)
{
    Err err;
    CatRenames all = {0};
    if (!diff_wishes(a, wishes, x, y, &all, &err)) {
        assert_int_equal(err.code, ERR_USAGE);
        assert_true(err.hint[0] != '\0');
        return str_fmt(a, "%s", err.primary);
    }
    Buf b;
    buf_init(&b, a);
    vec_each (const CatRename, r, &all)
        buf_fmt(&b, "%s%s -> %s%s%s", b.n ? ", " : "", cat_ref_text(a, &r->from),
                r->schema ? r->schema : "", r->schema ? "." : "", r->to);
    return b.n ? b.p : "";
}

static void
rename_texts(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    static const char x[] = "public.T x a.b,public.we\"ird:t x,#public.Role ADMIN,T.x y,s.Role2 i",
                      y[] = "public.U x c,public.t x,#public.Role OWNER,T.x z,s.R i,T.Moved i";
    static const struct {
        const char *texts[2], *expected; /* object, new name; or part of the error */
    } cases[] = {
        {{"T:U"}, "table \"public\".\"T\" -> U"},
        {{"public.T : U"}, "table \"public\".\"T\" -> U"},
        {{"public.T:public.U"}, "table \"public\".\"T\" -> U"},
        {{"T.\"a.b\":c", "T:U"},
         "table \"public\".\"T\" -> U, column \"a.b\" of \"public\".\"T\" -> c"},
        {{"T:U", "U.\"a.b\":U.c"},
         "table \"public\".\"T\" -> U, column \"a.b\" of \"public\".\"T\" -> c"},
        {{"T:U", "T.\"a.b\":U.c"},
         "table \"public\".\"T\" -> U, column \"a.b\" of \"public\".\"T\" -> c"},
        {{"\"we\"\"ird:t\":t"}, "table \"public\".\"we\"\"ird:t\" -> t"},
        {{"Role.ADMIN:OWNER"}, "enum \"public\".\"Role\".\"ADMIN\" -> OWNER"},
        {{"Role.ADMIN:Role.OWNER"}, "enum \"public\".\"Role\".\"ADMIN\" -> OWNER"},
        {{"Role2:R"}, "table \"s\".\"Role2\" -> R"},
        {{"Role2:T.Moved"}, "table \"s\".\"Role2\" -> T.Moved"},
        {{"s.Role2:Moved"}, "table \"s\".\"Role2\" -> T.Moved"},
        {{"T.x.y:z"}, "column \"y\" of \"T\".\"x\" -> z"},
        {{"T.x:z"}, "more than one meaning"},
        {{"t:U"}, "nothing of that name"},
        {{"T.n:U"}, "nothing of that name"},
        {{"T"}, "cannot read"},
        {{":U"}, "cannot read"},
        {{"T:"}, "cannot read"},
        {{"T..x:y"}, "cannot read"},
        {{"\"T:U"}, "cannot read"},
        {{"a.b.c.d:e"}, "cannot read"},
        {{"T.\"a.b\":U.c"}, "to another table"},
        {{"T.\"a.b\":c"}, "nothing is called so afterwards"},
        {{"T:Nothing"}, "nothing is called so afterwards"},
        {{"s.Role2:t", "\"we\"\"ird:t\":t"}, "something else is renamed to that, too"},
        {{"T:U", "T:t"}, "it is renamed to something else, too"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const DiffWishes wishes = {.texts = cases[i].texts, .ntexts = cases[i].texts[1] ? 2 : 1};
        const char *found = understood(a, spelled(a, x), spelled(a, y), &wishes);
        if (!strstr(found, cases[i].expected))
            fail_msg("%s: %s", cases[i].texts[0], found);
    }
}

/* Several names at once, and what the schema says. `was` is of the table u, or of the column u.c. */
static void
rename_sets(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    static const struct {
        const char *from, *to, *texts[2], *table_was, *column_was, *expected;
    } cases[] = {
        /* a chain, in either order, and an exchange */
        {"public.m a b", "public.m b c", {"m.b:c", "m.a:b"}, NULL, NULL, "R column c, R column b"},
        {"public.m a b", "public.m b c", {"m.a:b", "m.b:c"}, NULL, NULL, "R column c, R column b"},
        {"public.m a b",
         "public.m a b",
         {"m.a:b", "m.b:a"},
         NULL,
         NULL,
         "R column a_old, R column a, R column b"},
        {"public.m a,public.n a",
         "public.m a,public.n a",
         {"m:n", "n:m"},
         NULL,
         NULL,
         "R table m_old, R table m, R table n"},
        {"#public.e A B",
         "#public.e B A",
         {"e.A:B", "e.B:A"},
         NULL,
         NULL,
         "R enum e, R enum e, R enum e"},
        /* to another schema, and where the name is taken on the way */
        {"s.m a", "t.m a", {"s.m:t.m"}, NULL, NULL, "C schema t, R table m, D schema s"},
        {"s.m a",
         "t.n b",
         {"m:n", "m.a:b"},
         NULL,
         NULL,
         "C schema t, R table n, R table n, R column b, D schema s"},
        {"s.m a,s.n a,t.m a",
         "t.n a,s.n a,t.m a",
         {"s.m:t.n"},
         NULL,
         NULL,
         "R table m_old, R table m_old, R table n"},
        {"#s.e A", "#t.e A", {"s.e:t.e"}, NULL, NULL, "C schema t, R enum e, D schema s"},
        /* half a wish is none */
        {"public.m a b",
         "public.m b c",
         {"m.a:b"},
         NULL,
         NULL,
         "there is one of that name already"},
        {"public.m a", "public.m a,public.u a", {"m:u"}, NULL, NULL, "is there afterwards, too"},
        /* annotations: applied, to be applied, mistyped, of an earlier time, of another schema */
        {"public.old c", "public.u c", {NULL}, "old", NULL, "R table u"},
        {"s.old c,public.x c",
         "public.u c,public.x c",
         {NULL},
         "s.old",
         NULL,
         "R table u, R table u, D schema s"},
        {"s.old c,public.x c",
         "public.u c,public.x c",
         {NULL},
         "old",
         NULL,
         "R table u, R table u, D schema s"},
        {"public.u c", "public.u c", {NULL}, "old", NULL, ""},
        {"public.u c,public.old c", "public.u c,public.old c", {NULL}, "old", NULL, ""},
        {"public.u c,public.old c",
         "public.u c",
         {NULL},
         "old",
         NULL,
         "there is one of that name already"},
        {"public.x c", "public.u c,public.x c", {NULL}, "old", NULL, "C table u"},
        {"public.x c", "public.u c", {NULL}, "old", NULL, "cannot be followed"},
        {"", "public.u c", {NULL}, "old", "d", "C table u"},
        {"public.old d", "public.u c", {NULL}, "old", "d", "R table u, R column c"},
        {"public.u d", "public.u c", {NULL}, NULL, "d", "R column c"},
        {"public.u d", "public.u c", {NULL}, NULL, "e", "cannot be followed"},
        {"public.u d", "public.u c d", {NULL}, NULL, "e", "A table u"},
        {"public.old d", "public.u c", {"old:u", "old.d:c"}, "old", "d", "R table u, R column c"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Err err;
        Catalog *x = spelled(a, cases[i].from), *y = spelled(a, cases[i].to);
        CatFormers former = {0};
        if (cases[i].table_was)
            *vec_add(a, &former) =
                (CatFormer){{CAT_TABLE, "public", "u", NULL}, cases[i].table_was};
        if (cases[i].column_was)
            *vec_add(a, &former) =
                (CatFormer){{CAT_COLUMN, "public", "u", "c"}, cases[i].column_was};
        DiffWishes wishes = {.texts = cases[i].texts, .former = former.v, .nformer = former.n};
        while (wishes.ntexts < 2 && cases[i].texts[wishes.ntexts])
            wishes.ntexts++;
        CatRenames all = {0};
        const char *found;
        if (diff_wishes(a, &wishes, x, y, &all, &err)) {
            DiffOptions options = {.renames = all.v, .nrenames = all.n};
            found = told(a, compare(a, x, y, &options));
            if (strcmp(found, cases[i].expected) != 0)
                fail_msg("case %zu: %s", i, found);
        } else if (!strstr(err.primary, cases[i].expected)) {
            fail_msg("case %zu: %s", i, err.primary);
        }
    }
    /* Exchanged names cannot stay in the schema. */
    Catalog *x = spelled(a, "public.u c d");
    const CatFormer both[] = {{{CAT_COLUMN, "public", "u", "c"}, "d"},
                              {{CAT_COLUMN, "public", "u", "d"}, "c"}};
    const DiffWishes wishes = {.former = both, .nformer = 2};
    assert_non_null(strstr(understood(a, x, x, &wishes), "each time"));
}

static void
questions_quote(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    static const char *const columns[] = {"c\"; DROP", "text", NULL};
    Catalog *x = begin(a), *y = begin(a);
    table(x, "t\"x", columns);
    catalog_column(table(y, "t\"x", columns), "c\"; DROP")->is_not_null = true;
    catalog_finish(x);
    catalog_finish(y);
    DiffQuestions q = diff_questions(a, compare(a, x, y, NULL));
    assert_int_equal(q.n, 1);
    assert_non_null(
        strstr(q.v[0].sql.p, "FROM \"public\".\"t\"\"x\" WHERE \"c\"\"; DROP\" IS NULL"));
    assert_int_equal(q.v[0].effect->harm, DIFF_FAILS);
    diff_answer(q.v[0].effect, 5, 0);
    assert_int_equal(q.v[0].effect->harm, DIFF_HARMLESS);
    diff_answer(q.v[0].effect, 5, 1);
    assert_int_equal(q.v[0].effect->harm, DIFF_FAILS);
}

static void
a_constraint_becomes_valid(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    Catalog *x = circle(a), *y = circle(a);
    ((CatConstraint *)catalog_find(x, (CatRef){CAT_CONSTRAINT, "public", "A", "A_fk"}))
        ->is_not_valid = true;
    Diff *d = compare(a, x, y, NULL);
    assert_string_equal(told(a, d), "A constraint A_fk");
    /* Never the other way without making it anew. */
    assert_string_equal(told(a, compare(a, y, x, NULL)), "D constraint A_fk, C constraint A_fk");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(casts),
        cmocka_unit_test(foreign_keys_in_a_circle),
        cmocka_unit_test(views_are_made_again_around_a_type),
        cmocka_unit_test(enums),
        cmocka_unit_test(looks_renamed),
        cmocka_unit_test(renames),
        cmocka_unit_test(rename_texts),
        cmocka_unit_test(rename_sets),
        cmocka_unit_test(questions_quote),
        cmocka_unit_test(a_constraint_becomes_valid),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
