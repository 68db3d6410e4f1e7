/* Every kind of kinds.def through catalog, diff and render: a failure names the place where a new
 * kind is missing. CONTRIBUTING.md, "Add an object kind", lists them. */
#include "render/render.h"
#include "catalog/catalog_int.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

/* What an object of the kind needs to be one. A kind without a case here does not compile. */
static void
fill(Arena *a, CatKind kind, void *object)
{
    switch (kind) {
    case CAT_ENUM:
        *vec_add(a, &((CatEnum *)object)->labels) = "one";
        break;
    case CAT_DOMAIN:
        ((CatDomain *)object)->type = catalog_type(a, STR("int"));
        break;
    case CAT_SEQUENCE:
        catalog_sequence_init(object, catalog_type(a, STR("bigint")));
        break;
    case CAT_FUNCTION:
        ((CatFunction *)object)->definition = "CREATE OR REPLACE FUNCTION ...";
        break;
    case CAT_VIEW:
    case CAT_MATVIEW:
        ((CatRelation *)object)->query = "SELECT 1";
        break;
    case CAT_COLUMN:
        ((CatColumn *)object)->type = catalog_type(a, STR("int"));
        break;
    case CAT_INDEX:
        *vec_add(a, &((CatIndex *)object)->keys) = (CatKey){.column = "id"};
        break;
    case CAT_CONSTRAINT:
        ((CatConstraint *)object)->expr = "(id > 0)";
        break;
    case CAT_TRIGGER:
        ((CatTrigger *)object)->definition = "CREATE TRIGGER ...";
        break;
    case CAT_RULE:
        ((CatRule *)object)->definition = "CREATE RULE ...";
        break;
#define KIND(...)
#define DEFINED(id, ...) case CAT_##id:
#include "catalog/kinds.def"
        ((CatDefined *)object)->definition = str_fmt(a, "CREATE %s", cat_kind(kind)->sql);
        ((CatDefined *)object)->address = "x";
        break;
    case CAT_SCHEMA:
    case CAT_EXTENSION:
    case CAT_COMPOSITE:
    case CAT_TABLE:
    case CAT_POLICY:
    case CAT_KIND_COUNT:
        break;
    }
}

/* A table, and an object of the kind beside it or in it; `ret` NULL: without that. */
static Catalog *
example(Arena *a, CatKind kind, CatObject **ret)
{
    Catalog *c = catalog_new(a);
    CatRelation *table = catalog_add(c, CAT_TABLE, "app", "t");
    CatColumn *id = catalog_add_to(c, table, CAT_COLUMN, "id");
    id->type = catalog_type(a, STR("int"));
    if (!ret)
        return c;
    bool has_schema = kind != CAT_SCHEMA && kind != CAT_EXTENSION;
    *ret = cat_kind(kind)->is_part ? catalog_add_to(c, table, kind, "x")
                                   : catalog_add(c, kind, has_schema ? "app" : NULL, "x");
    if (kind == CAT_FUNCTION)
        (*ret)->id.sub = "";
    fill(a, kind, *ret);
    return c;
}

static void
is_stored(CatKind kind)
{
    ARENA_LOCAL(a);
    CatObject *object;
    Catalog *c = example(a, kind, &object), *again;
    object->comment = "said";
    catalog_finish(c);
    Err err;
    assert_true(catalog_read(a, catalog_store(a, c), &again, &err));
    const CatObject *found = catalog_find(again, object->id);
    if (!found || !cat_same_text(found->comment, "said") ||
        !str_eq(catalog_json(a, c, NULL, false), catalog_json(a, again, NULL, false)))
        fail_msg("src/catalog/fields.c: a %s is not stored", cat_kind_name(kind));
}

/* Of parts that are told with their table, the table's change. */
static const Change *
change_of(const Diff *d, const CatRef *id, ChangeOp op)
{
    vec_each (Change *, at, &d->changes) {
        const Change *c = *at;
        const CatObject *o = c->to ? c->to : c->from;
        if (c->op == op && cat_ref_cmp(&o->id, id) == 0)
            return c;
        vec_each (const ColumnChange, k, &c->columns)
            if (cat_ref_cmp(&(k->to ? k->to : k->from)->id, id) == 0)
                return c;
    }
    return NULL;
}

/* From x to y there is that change of the object, and its statement holds the word. */
static void
check(Arena *a, Catalog *x, Catalog *y, const CatRef *id, ChangeOp op, const char *word)
{
    static const char *const ops[] = {"created", "dropped", "altered"};
    catalog_finish(x);
    catalog_finish(y);
    Diff *d = diff_catalogs(a, &(DiffSide){.catalog = x}, &(DiffSide){.catalog = y}, NULL);
    const Change *c = change_of(d, id, op);
    if (!c)
        fail_msg("src/diff/diff.c: no %s is ever %s: `plain` in src/catalog/kinds.def, or a stage",
                 cat_kind_name(id->kind), ops[op]);
    RenderSteps steps = render_steps(a, d, NULL);
    vec_each (const RenderStep, step, &steps)
        vec_each (const char *, text, &step->statements)
            if (step->change == c && strstr(*text, word))
                return;
    fail_msg("src/render: no statement with %s where a %s is %s", word, cat_kind_name(id->kind),
             ops[op]);
}

static void
is_compared_and_written(CatKind kind)
{
    ARENA_LOCAL(a);
    const CatKindInfo *info = cat_kind(kind);
    CatObject *x, *y;
    Catalog *with = example(a, kind, &x);
    check(a, example(a, kind, NULL), with, &x->id, CHANGE_CREATE, info->sql);
    with = example(a, kind, &x);
    check(a, with, example(a, kind, NULL), &x->id, CHANGE_DROP, info->sql);
    with = example(a, kind, &x);
    Catalog *other = example(a, kind, &y);
    y->comment = "said";
    if (kind != CAT_EXTENSION) /* it brings its comment with it */
        check(a, with, other, &x->id, CHANGE_ALTER, "COMMENT ON");
    if (!info->owner_privileges[0])
        return;
    with = example(a, kind, &x);
    other = example(a, kind, &y);
    const char letter[] = {info->owner_privileges[0], '\0'};
    *vec_add(a, &y->grants) = (CatGrant){"reader", str_dupz(a, letter)};
    check(a, with, other, &x->id, CHANGE_ALTER, "GRANT");
}

static void
every_kind_is_stored(void **state)
{
    (void)state;
    for (CatKind kind = 0; kind < CAT_KIND_COUNT; kind++)
        is_stored(kind);
}

static void
every_kind_is_compared_and_written(void **state)
{
    (void)state;
    for (CatKind kind = 0; kind < CAT_KIND_COUNT; kind++)
        is_compared_and_written(kind);
}

/* What other columns of kinds.def follow from: a name or word typed twice is a slip. */
static void
rows_are_told_apart(void **state)
{
    (void)state;
    for (CatKind k = 0; k < CAT_KIND_COUNT; k++)
        for (CatKind other = 0; other < k; other++)
            if (strcmp(cat_kind(k)->name, cat_kind(other)->name) == 0 ||
                strcmp(cat_kind(k)->title, cat_kind(other)->title) == 0)
                fail_msg("src/catalog/kinds.def: two kinds are called %s", cat_kind_name(k));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_is_stored),
        cmocka_unit_test(every_kind_is_compared_and_written),
        cmocka_unit_test(rows_are_told_apart),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
