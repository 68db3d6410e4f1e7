/* What the rows that are there can be asked before anything runs. They are asked as they are then: where a
 * statement before has changed rows, names or types, nothing can be told. */
#include "lint/lint_int.h"

#include <string.h>

/* ---- what is as it was --------------------------------------------------------------------------- */

static Str
number_of(Arena *a, const CatRelation *t)
{
    return str_of(str_fmt(a, "%u", t->ordinal));
}

static void
touch(Lint *l, const CatRelation *t, const char *what)
{
    Str key = t ? number_of(l->arena, t) : (Str){0};
    if (t && !map_has(&l->touched, key))
        map_put(&l->touched, key,
                str_fmt(l->arena, "%s in line %d of %s comes before", what, l->stmt.line,
                        l->script->name));
}

void
lint_touch_all(Lint *l, const char *why)
{
    if (!l->all_touched)
        l->all_touched = str_fmt(l->arena, "%s in line %d of %s may change anything before", why,
                                 l->stmt.line, l->script->name);
}

void
lint_touch(Lint *l, const SqlAction *x)
{
    const CatRelation *t = lint_relation(&l->schema, x->on);
    switch (x->kind) {
    case SQL_ACT_UPDATE:
    case SQL_ACT_DELETE:
    case SQL_ACT_INSERT:
    case SQL_ACT_TRUNCATE:
    case SQL_ACT_TYPE:
        touch(l, t, l->stmt.tag);
        return;
    case SQL_ACT_RENAME:
    case SQL_ACT_SET_SCHEMA:
        touch(l, t, "a new name");
        return;
    case SQL_ACT_ATTACH:
    case SQL_ACT_DETACH:
        touch(l, t, l->stmt.tag);
        touch(l, lint_relation(&l->schema, x->ref), l->stmt.tag);
        return;
    case SQL_ACT_CODE:
        lint_touch_all(l, l->stmt.tag);
        return;
    default:
        return;
    }
}

/* Why rows of a table say nothing about the statement; NULL: they do. */
static const char *
why_not(const Lint *l, const CatRelation *t)
{
    ARENA_LOCAL(scratch);
    if (!lint_is_old(l, t))
        return "a table that it needs comes with the same migrations";
    const char *why = map_get(&l->touched, number_of(scratch, t));
    return why ? why : l->all_touched;
}

/* ---- questions ----------------------------------------------------------------------------------- */

/* A catalog of what a question is about: as the database has it. */
static void
add_table(Arena *a, Catalog *to, const CatRelation *t)
{
    if (!t || catalog_relation(to, t->id.schema, t->id.name))
        return;
    CatRelation *copy = catalog_add(to, CAT_TABLE, t->id.schema, t->id.name);
    cat_each (CatColumn, c, &t->columns) {
        CatColumn *column = catalog_add_to(to, copy, CAT_COLUMN, c->id.sub);
        column->type = c->type;
    }
    (void)a;
}

/* What else a question needs beside its table. */
typedef struct Beside {
    const CatRelation *other; /* or NULL */
    const CatEnum *values;    /* or NULL */
} Beside;

static void
ask(Lint *l, const CatRelation *t, Change *c, const Beside *beside)
{
    Arena *a = l->arena;
    LintQuestion *q = vec_add(a, &l->questions);
    *q = (LintQuestion){.effect = c->effects.v[0], .place = lint_place(l), .sql = STR("")};
    q->why_not = why_not(l, t);
    if (!q->why_not && beside->other)
        q->why_not = why_not(l, beside->other);
    if (q->why_not)
        return;
    Catalog *catalog = catalog_new(a);
    add_table(a, catalog, t);
    if (beside->other != t)
        add_table(a, catalog, beside->other);
    if (beside->values) {
        CatEnum *e =
            catalog_add(catalog, CAT_ENUM, beside->values->id.schema, beside->values->id.name);
        e->labels = beside->values->labels;
    }
    catalog_finish(catalog);
    Diff d = {.arena = a, .from = {.catalog = catalog}, .to = {.catalog = catalog}};
    *vec_add(a, &d.changes) = c;
    DiffQuestions asked = diff_questions(a, &d);
    if (asked.n)
        q->sql = asked.v[0].sql;
    else
        q->why_not = "no query can tell";
}

static Change *
change_of(Lint *l, CatKind kind, const void *to, const DiffEffect *effect)
{
    Change *c = arena_new(l->arena, Change);
    *c = (Change){.op = CHANGE_ALTER, .kind = kind, .to = to};
    *vec_add(l->arena, &c->effects) = *effect;
    return c;
}

static CatRef
column_ref(const CatRelation *t, const char *column)
{
    return (CatRef){CAT_COLUMN, t->id.schema, t->id.name, column};
}

static void
ask_nulls(Lint *l, const CatRelation *t, const char *column)
{
    const CatColumn *c = catalog_column(t, column);
    if (!c || !lint_is_old(l, c) || c->is_not_null)
        return;
    const DiffEffect effect = {
        .id = FINDING_DIFF_MADE_REQUIRED, .harm = DIFF_FAILS, .at = column_ref(t, c->id.sub)};
    ask(l, t, change_of(l, CAT_TABLE, t, &effect), &(Beside){0});
}

/* Whether all of them were there before the release. */
static bool
are_old(const Lint *l, const CatRelation *t, const SqlTexts *columns)
{
    for (size_t i = 0; i < columns->n; i++)
        if (!lint_is_old(l, catalog_column(t, columns->v[i])))
            return false;
    return columns->n > 0;
}

static CatConstraint *
constraint_of(Lint *l, const CatRelation *t, const SqlAction *x)
{
    CatConstraint *k = arena_new(l->arena, CatConstraint);
    k->id = (CatRef){CAT_CONSTRAINT, t->id.schema, t->id.name, lint_constraint_name(l->arena, x)};
    vec_each (const char *const, column, &x->columns)
        *vec_add(l->arena, &k->columns) = *column;
    k->is_nulls_not_distinct = x->is_nulls_equal;
    return k;
}

static void
ask_alike(Lint *l, const CatRelation *t, const SqlAction *x)
{
    if (!are_old(l, t, &x->columns) || *x->index)
        return;
    DiffEffect effect = {.id = FINDING_DIFF_UNIQUE, .harm = DIFF_FAILS, .at = t->id};
    vec_each (const char *const, column, &x->columns)
        *vec_add(l->arena, &effect.names) = *column;
    ask(l, t, change_of(l, CAT_CONSTRAINT, constraint_of(l, t, x), &effect), &(Beside){0});
}

/* The columns that a foreign key leads to, where it does not say so. */
static void
add_key_of(Arena *a, const CatRelation *t, CatTexts *ret)
{
    cat_each (CatConstraint, k, &t->constraints)
        if (k->type == CAT_PRIMARY_KEY)
            vec_each (const char *const, column, &k->columns)
                *vec_add(a, ret) = *column;
}

static void
ask_key(Lint *l, const CatRelation *t, const CatConstraint *key)
{
    const CatRelation *other =
        lint_relation(&l->schema, (SqlName){key->ref_table.schema, key->ref_table.name});
    CatConstraint *k = arena_new(l->arena, CatConstraint);
    *k = *key;
    if (other && !k->ref_columns.n)
        add_key_of(l->arena, other, &k->ref_columns);
    if (!other || k->ref_columns.n != k->columns.n)
        return;
    const DiffEffect effect = {
        .id = FINDING_DIFF_FOREIGN_KEY_ROWS, .harm = DIFF_FAILS, .at = k->id};
    ask(l, t, change_of(l, CAT_CONSTRAINT, k, &effect), &(Beside){.other = other});
}

/* New columns have nothing yet that a check could refuse, or a default that is meant for it. */
static bool
names_new_column(const Lint *l, const CatRelation *t, const char *expr)
{
    cat_each (CatColumn, c, &t->columns)
        if (!lint_is_old(l, c) && catalog_mentions(expr, c->id.sub))
            return true;
    return false;
}

/* An index of expressions, or with a condition: its words are the question. */
static void
ask_index(Lint *l, const CatRelation *t, const SqlAction *x)
{
    SqlTexts keys = {0};
    Str condition;
    CatIndex *index = arena_new(l->arena, CatIndex);
    index->id = (CatRef){CAT_INDEX, t->id.schema, x->name, t->id.name};
    index->is_nulls_not_distinct = x->is_nulls_equal;
    DiffEffect effect = {.id = FINDING_DIFF_UNIQUE, .harm = DIFF_FAILS, .at = t->id};
    Str statement = str_slice(l->script->script->text, l->stmt.off, l->stmt.off + l->stmt.len);
    if (!sql_index_words(l->arena, statement, &keys, &condition)) {
        ask(l, t, change_of(l, CAT_INDEX, index, &effect), &(Beside){0});
        return;
    }
    index->predicate = condition.n ? str_dup(l->arena, condition) : NULL;
    vec_each (const char *const, key, &keys) {
        vec_add(l->arena, &index->keys)->expr = *key;
        *vec_add(l->arena, &effect.names) = *key;
        if (names_new_column(l, t, *key))
            return;
    }
    if (!names_new_column(l, t, index->predicate ? index->predicate : ""))
        ask(l, t, change_of(l, CAT_INDEX, index, &effect), &(Beside){0});
}

static void
ask_check(Lint *l, const CatRelation *t, const CatConstraint *k)
{
    const DiffEffect effect = {.id = FINDING_DIFF_CHECK_ROWS, .harm = DIFF_FAILS, .at = k->id};
    if (k->expr && *k->expr && !names_new_column(l, t, k->expr))
        ask(l, t, change_of(l, CAT_CONSTRAINT, k, &effect), &(Beside){0});
}

static void
ask_constraint(Lint *l, const CatRelation *t, const SqlAction *x)
{
    if (x->is_in_create || x->is_not_valid)
        return;
    CatConstraint *k = constraint_of(l, t, x);
    switch (x->constraint) {
    case 'p':
        for (size_t i = 0; i < x->columns.n; i++)
            ask_nulls(l, t, x->columns.v[i]);
        ask_alike(l, t, x);
        return;
    case 'u':
        ask_alike(l, t, x);
        return;
    case 'n':
        for (size_t i = 0; i < x->columns.n; i++)
            ask_nulls(l, t, x->columns.v[i]);
        return;
    case 'c':
        k->type = CAT_CHECK;
        k->expr = str_dup(l->arena, sql_action_check(l->script->script->text, x));
        ask_check(l, t, k);
        return;
    case 'f':
        k->type = CAT_FOREIGN_KEY;
        k->ref_table = (CatName){*x->ref.schema ? x->ref.schema : l->schema.usual, x->ref.name};
        vec_each (const char *const, column, &x->ref_columns)
            *vec_add(l->arena, &k->ref_columns) = *column;
        if (are_old(l, t, &x->columns))
            ask_key(l, t, k);
        return;
    default:
        return;
    }
}

static void
ask_validate(Lint *l, const CatRelation *t, const SqlAction *x)
{
    cat_each (CatConstraint, k, &t->constraints) {
        if (strcmp(k->id.sub, x->name) != 0 || !k->is_not_valid)
            continue;
        if (k->type == CAT_FOREIGN_KEY)
            ask_key(l, t, k);
        else if (k->type == CAT_CHECK)
            ask_check(l, t, k);
    }
}

static void
ask_type(Lint *l, const CatRelation *t, const SqlAction *x)
{
    const CatColumn *c = catalog_column(t, x->name);
    if (!c || !lint_is_old(l, c) || !x->is_cast)
        return;
    CatType *now = arena_new(l->arena, CatType), *was = arena_new(l->arena, CatType);
    *was = c->type;
    *now = catalog_type(l->arena, str_of(x->type));
    const CatEnum *values = lint_lookup(&l->schema, &l->schema.enums,
                                        (SqlName){now->schema ? now->schema : "", now->name});
    if (values && !now->schema)
        now->schema = values->id.schema;
    Cast cast = diff_cast(was, now);
    if (!values && cast != CAST_RISKY && !(cast == CAST_IMPOSSIBLE && x->expr.is_there))
        return;
    const DiffEffect effect = {.id = FINDING_DIFF_RISKY_CAST,
                               .harm = DIFF_FAILS,
                               .at = column_ref(t, c->id.sub),
                               .from_type = was,
                               .to_type = now};
    ask(l, t, change_of(l, CAT_TABLE, t, &effect), &(Beside){.values = values});
}

static void
ask_new_column(Lint *l, const CatRelation *t, const SqlAction *x)
{
    bool has_value =
        x->expr.is_there ? !x->expr.is_null : x->is_serial || x->is_identity || x->is_generated;
    if (x->is_in_create || !x->is_not_null || has_value)
        return;
    const DiffEffect effect = {
        .id = FINDING_DIFF_ADD_REQUIRED, .harm = DIFF_FAILS, .at = column_ref(t, x->name)};
    ask(l, t, change_of(l, CAT_TABLE, t, &effect), &(Beside){0});
}

void
lint_ask(Lint *l, const SqlAction *x)
{
    const CatRelation *t = lint_relation(&l->schema, x->on);
    if (!lint_is_old(l, t) || t->id.kind != CAT_TABLE)
        return;
    switch (x->kind) {
    case SQL_ACT_COLUMN:
        ask_new_column(l, t, x);
        return;
    case SQL_ACT_SET_NOT_NULL:
        ask_nulls(l, t, x->name);
        return;
    case SQL_ACT_CONSTRAINT:
        ask_constraint(l, t, x);
        return;
    case SQL_ACT_VALIDATE:
        ask_validate(l, t, x);
        return;
    case SQL_ACT_INDEX:
        if (x->is_unique && (x->has_expression || x->is_partial))
            ask_index(l, t, x);
        else if (x->is_unique)
            ask_alike(l, t, x);
        return;
    case SQL_ACT_TYPE:
        ask_type(l, t, x);
        return;
    default:
        return;
    }
}
