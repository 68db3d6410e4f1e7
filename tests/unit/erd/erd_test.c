/* Diagrams: what is shown, and layouts that can be read. */
#include "erd/erd_int.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static CatRelation *
table(Catalog *c, const char *schema, const char *name, int columns)
{
    CatRelation *t = catalog_add(c, CAT_TABLE, schema, name);
    for (int i = 0; i < columns; i++) {
        CatColumn *k = catalog_add_to(c, t, CAT_COLUMN, i ? str_fmt(c->arena, "c%d", i) : "id");
        k->type = catalog_type(c->arena, i % 3 ? STR("timestamp(3) with time zone") : STR("text"));
        k->is_not_null = i % 2 == 0;
    }
    CatConstraint *pk = catalog_add_to(c, t, CAT_CONSTRAINT, str_fmt(c->arena, "%s_pkey", name));
    pk->type = CAT_PRIMARY_KEY;
    *vec_add(c->arena, &pk->columns) = "id";
    return t;
}

static CatConstraint *
join(Catalog *c, CatRelation *from, const CatRelation *to, int column)
{
    CatConstraint *k = catalog_add_to(c, from, CAT_CONSTRAINT,
                                      str_fmt(c->arena, "%s_%d_fkey", from->id.name, column));
    k->type = CAT_FOREIGN_KEY;
    *vec_add(c->arena, &k->columns) = column ? str_fmt(c->arena, "c%d", column) : "id";
    k->ref_table = (CatName){to->id.schema, to->id.name};
    *vec_add(c->arena, &k->ref_columns) = "id";
    return k;
}

/* A schema as applications have them: two hubs that much belongs to, trees of details, tables of joins, some that
 * are joined to nothing. */
static Catalog *
application(Arena *a, int n, int schemas, unsigned seed)
{
    Catalog *c = catalog_new(a);
    CatRelation **all = arena_array(a, CatRelation *, n);
    unsigned x = seed * 2654435761u + 1;
    for (int i = 0; i < n; i++) {
        x = x * 1664525u + 1013904223u;
        all[i] = table(c, str_fmt(a, "s%d", i * schemas / n), str_fmt(a, "table_%03d", i),
                       6 + (int)(x >> 24) % 14);
    }
    for (int i = 2; i < n; i++) {
        x = x * 1664525u + 1013904223u;
        if (i % 9 == 0)
            continue;
        if ((x >> 20) % 2)
            join(c, all[i], all[0], 1);
        if ((x >> 21) % 4 == 0)
            join(c, all[i], all[1], 2);
        join(c, all[i], all[i / 2 + (int)(x >> 25) % (i - i / 2)], 3);
        if (i % 11 == 0)
            join(c, all[i], all[i], 4);
        if (i % 13 == 0)
            join(c, all[i], all[(int)(x >> 16) % i], 0);
    }
    catalog_finish(c);
    return c;
}

static Erd *
drawn(Arena *a, const Catalog *c, ErdShow show)
{
    Err err;
    Erd *e = erd_of_catalog(a, c);
    assert_true(erd_choose(e, &(ErdChoice){.show = show}, &err));
    erd_layout(e);
    return e;
}

/* Whatever the schema: tables apart, no line through a table, no two nets on one line. */
static void
nothing_lies_on_another(void **state)
{
    (void)state;
    static const struct {
        int tables, schemas, crossings; /* at most, for each join */
    } cases[] = {{1, 1, 0},  {2, 1, 0},  {3, 1, 1},   {12, 1, 1},
                 {60, 1, 2}, {60, 3, 3}, {200, 1, 2}, {200, 3, 4}};
    for (size_t i = 0; i < COUNT(cases); i++)
        for (int show = ERD_COLUMNS; show <= (cases[i].tables > 60 ? ERD_COLUMNS : ERD_NAMES);
             show++) {
            ARENA_LOCAL(a);
            Erd *e =
                drawn(a, application(a, cases[i].tables, cases[i].schemas, (unsigned)i + 1), show);
            ErdQuality q = erd_measure(e);
            print_message(
                "# %d tables of %d schemas, %d joins, %dx%d: %d crossings, %ld px of lines\n",
                cases[i].tables, cases[i].schemas, (int)e->joins.n, e->w, e->h, q.crossings,
                q.length);
            assert_int_equal(q.overlaps, 0);
            assert_int_equal(q.through, 0);
            assert_int_equal(q.shared, 0);
            assert_true(q.crossings <= cases[i].crossings * (int)e->joins.n);
            vec_each (const ErdJoin, j, &e->joins) { /* each leads from its table to the other */
                const ErdBox *from = &e->boxes.v[j->from], *to = &e->boxes.v[j->to];
                ErdPoint p = j->path.v[0], q2 = j->path.v[j->path.n - 1];
                assert_true(j->path.n >= 2);
                assert_true((p.x == from->x || p.x == from->x + from->w) && p.y >= from->y &&
                            p.y <= from->y + from->h);
                assert_true((q2.x == to->x || q2.x == to->x + to->w) && q2.y >= to->y &&
                            q2.y <= to->y + to->h);
            }
            vec_each (const ErdBox, b, &e->boxes)
                assert_true(b->x >= 0 && b->y >= 0 && b->x + b->w <= e->w && b->y + b->h <= e->h);
        }
}

static void
same_again(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    Erd *x = drawn(a, application(a, 80, 2, 5), ERD_COLUMNS),
        *y = drawn(a, application(a, 80, 2, 5), ERD_COLUMNS);
    for (size_t i = 0; i < x->boxes.n; i++)
        assert_true(x->boxes.v[i].x == y->boxes.v[i].x && x->boxes.v[i].y == y->boxes.v[i].y);
    erd_layout(x); /* of one that has places already */
    for (size_t i = 0; i < x->joins.n; i++) {
        assert_int_equal(x->joins.v[i].path.n, y->joins.v[i].path.n);
        assert_memory_equal(x->joins.v[i].path.v, y->joins.v[i].path.v,
                            x->joins.v[i].path.n * sizeof(ErdPoint));
    }
}

static void
around_a_table(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    Catalog *c = catalog_new(a);
    CatRelation *x = table(c, "public", "User", 3), *y = table(c, "public", "Post", 3);
    CatRelation *z = table(c, "app", "Tag", 3);
    table(c, "app", "User", 2);
    join(c, y, x, 1);
    join(c, z, y, 1);
    catalog_finish(c);
    static const struct {
        const char *name;
        int depth;
        size_t boxes, joins; /* 0: refused */
    } cases[] = {{"Post", 0, 1, 0}, {"Post", 1, 3, 2},    {"public.User", 1, 2, 1},
                 {"tag", 2, 3, 2},  {"User", 1, 0, 0},    {"nothing", 1, 0, 0},
                 {"", 1, 0, 0},     {"app.User", 9, 1, 0}};
    for (size_t i = 0; i < COUNT(cases); i++) {
        Err err;
        Erd *e = erd_of_catalog(a, c);
        bool ok =
            erd_choose(e, &(ErdChoice){.around = cases[i].name, .depth = cases[i].depth}, &err);
        assert_int_equal(ok, cases[i].boxes > 0);
        if (ok) {
            assert_int_equal(e->boxes.n, cases[i].boxes);
            assert_int_equal(e->joins.n, cases[i].joins);
            assert_int_equal(e->left_out, 4 - cases[i].boxes);
        } else {
            assert_int_equal(err.code, ERR_USAGE);
        }
    }
}

static const ErdBox *
box(const Erd *e, const char *name)
{
    vec_each (const ErdBox, b, &e->boxes)
        if (strcmp(b->name, name) == 0)
            return b;
    return NULL;
}

static ErdMark
mark(const ErdBox *b, const char *row)
{
    vec_each (const ErdRow, r, &b->rows)
        if (strcmp(r->name, row) == 0)
            return r->mark;
    vec_each (const ErdRow, r, &b->rows)
        print_message("# %s\n", r->name);
    fail_msg("no row %s", row);
    return ERD_SAME;
}

static void
marks_of_a_difference(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    Catalog *old = catalog_new(a), *new = catalog_new(a);
    CatRelation *x = table(old, "public", "users", 3);
    table(old, "public", "gone", 2);
    table(old, "public", "far", 2);
    catalog_finish(old);
    CatRelation *y = table(new, "public", "users", 4), *z = table(new, "public", "posts", 3);
    table(new, "public", "far", 2);
    join(new, z, y, 1);
    catalog_column(y, "c1")->type = catalog_type(a, STR("bigint"));
    CatIndex *i = catalog_add_to(new, y, CAT_INDEX, "users_c2_idx");
    i->table = "users";
    *vec_add(a, &i->keys) = (CatKey){.column = "c2"};
    catalog_finish(new);
    (void)x;
    Err err;
    Erd *e = erd_of_diff(
        a, diff_catalogs(a, &(DiffSide){.catalog = old}, &(DiffSide){.catalog = new}, NULL));
    assert_true(erd_choose(e, &(ErdChoice){0}, &err));
    assert_int_equal(e->boxes.n, 3);
    assert_null(box(e, "far"));
    assert_int_equal(box(e, "gone")->mark, ERD_REMOVED);
    assert_int_equal(box(e, "posts")->mark, ERD_ADDED);
    assert_int_equal(box(e, "users")->mark, ERD_CHANGED);
    assert_int_equal(mark(box(e, "users"), "c3"), ERD_ADDED);
    assert_int_equal(mark(box(e, "users"), "c1"), ERD_CHANGED);
    assert_int_equal(mark(box(e, "users"), "index users_c2_idx (\"c2\")"), ERD_ADDED);
    assert_int_equal(box(e, "users")->left_out, 1); /* c2 */
    assert_int_equal(e->joins.v[0].mark, ERD_ADDED);
    erd_layout(e);
    assert_int_equal(erd_measure(e).through, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_lies_on_another), cmocka_unit_test(same_again),
        cmocka_unit_test(around_a_table), cmocka_unit_test(marks_of_a_difference)};
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("erd", tests, NULL, NULL);
}
