#include "lint/old_code.h"

#include "diff/diff.h"

#include <string.h>

typedef struct Looking {
    Arena *arena;
    const Catalog *old, *now;
    FindingList *ret;
} Looking;

static const char *
shown(const Looking *l, const CatRef *at)
{
    return str_printable(l->arena, str_of(cat_ref_text(l->arena, at)), false);
}

static void
say(const Looking *l, FindingId id, const CatRef *at, const char *what)
{
    Finding *f = finding_add(l->ret, id, "%s %s", shown(l, at), what);
    f->object = shown(l, at);
}

/* Whether a row that leaves the column out gets a value. */
static bool
has_value(const CatColumn *c)
{
    return c->default_expr || c->identity != CAT_NO_IDENTITY || c->generated != CAT_NOT_GENERATED;
}

/* ---- columns ------------------------------------------------------------------------------------- */

static void
compare_type(const Looking *l, const CatColumn *old, const CatColumn *now)
{
    const CatType *was = &old->type, *is = &now->type;
    bool is_same = was->is_array == is->is_array && cat_same_text(was->schema, is->schema) &&
                   strcmp(was->name, is->name) == 0;
    if (is_same && (cat_same_text(was->args, is->args) || diff_cast(was, is) == CAST_SAFE))
        return;
    say(l, FINDING_OLD_CODE_TYPE, &old->id,
        str_fmt(l->arena, "was %s and is %s", str_printable(l->arena, str_of(was->text), false),
                str_printable(l->arena, str_of(is->text), false)));
}

static void
compare_column(const Looking *l, const CatColumn *old, const CatColumn *now, bool is_table)
{
    compare_type(l, old, now);
    if (!is_table)
        return;
    if (old->is_not_null && !now->is_not_null)
        say(l, FINDING_OLD_CODE_NULL, &old->id, "may be NULL now, which this code does not expect");
    if (!old->is_not_null && now->is_not_null)
        say(l, FINDING_OLD_CODE_NOT_NULL, &old->id, "refuses NULL now, which this code may write");
    else if (has_value(old) && !has_value(now) && now->is_not_null)
        say(l, FINDING_OLD_CODE_DEFAULT, &old->id,
            "has lost its default, on which rows of this code rely");
    if (old->generated == CAT_NOT_GENERATED && now->generated != CAT_NOT_GENERATED)
        say(l, FINDING_OLD_CODE_TYPE, &old->id,
            "is generated now, and refuses what this code writes");
}

static void
compare_columns(const Looking *l, const CatRelation *old, const CatRelation *now)
{
    bool is_table =
        now->id.kind == CAT_TABLE; /* a view in its place says no more than its columns */
    cat_each (CatColumn, c, &old->columns) {
        const CatColumn *other = catalog_column(now, c->id.sub);
        if (other)
            compare_column(l, c, other, is_table);
        else
            say(l, FINDING_OLD_CODE_COLUMN, &c->id, "is gone");
    }
    cat_each (CatColumn, c, &now->columns)
        if (is_table && !catalog_column(old, c->id.sub) && c->is_not_null && !has_value(c))
            say(l, FINDING_OLD_CODE_NOT_NULL, &c->id,
                "must have a value, and this code does not know it");
}

/* ---- keys ---------------------------------------------------------------------------------------- */

static bool
same_columns(const CatTexts *a, const CatTexts *b)
{
    if (a->n != b->n)
        return false;
    vec_each (const char *const, column, a)
        if (!cat_has_text(b, *column))
            return false;
    return true;
}

/* The columns of a unique index without condition or expression; none of another one. */
static CatTexts
unique_columns(Arena *a, const CatIndex *index)
{
    CatTexts ret = {0};
    for (size_t i = 0; index->is_unique && !index->predicate && i < index->keys.n; i++) {
        if (!index->keys.v[i].column)
            return (CatTexts){0};
        *vec_add(a, &ret) = index->keys.v[i].column;
    }
    return ret;
}

static bool
is_unique_in(Arena *a, const CatRelation *t, const CatTexts *columns)
{
    cat_each (CatConstraint, k, &t->constraints)
        if ((k->type == CAT_UNIQUE || k->type == CAT_PRIMARY_KEY) &&
            same_columns(&k->columns, columns))
            return true;
    cat_each (CatIndex, index, &t->indexes) {
        CatTexts list = unique_columns(a, index);
        if (list.n && same_columns(&list, columns))
            return true;
    }
    return false;
}

static void
say_unique(const Looking *l, const CatRelation *old, const CatRef *at, const CatTexts *columns)
{
    if (columns->n && !is_unique_in(l->arena, old, columns))
        say(l, FINDING_OLD_CODE_UNIQUE, at,
            "refuses values that are alike, which this code may write");
}

static bool
has_key(const CatRelation *t, const CatConstraint *key)
{
    cat_each (CatConstraint, k, &t->constraints)
        if (k->type == CAT_FOREIGN_KEY && same_columns(&k->columns, &key->columns) &&
            cat_same_text(k->ref_table.name, key->ref_table.name) &&
            cat_same_text(k->ref_table.schema, key->ref_table.schema))
            return true;
    return false;
}

static void
compare_keys(const Looking *l, const CatRelation *old, const CatRelation *now)
{
    cat_each (CatIndex, index, &now->indexes) {
        CatTexts columns = unique_columns(l->arena, index);
        say_unique(l, old, &index->id, &columns);
    }
    cat_each (CatConstraint, k, &now->constraints) {
        if (k->type == CAT_UNIQUE || k->type == CAT_PRIMARY_KEY)
            say_unique(l, old, &k->id, &k->columns);
        else if (k->type == CAT_FOREIGN_KEY && !has_key(old, k))
            say(l, FINDING_OLD_CODE_FOREIGN_KEY, &k->id,
                "refuses rows that refer to nothing, which this code may write");
    }
}

/* ---- enums --------------------------------------------------------------------------------------- */

static void
compare_enum(const Looking *l, const CatEnum *old)
{
    const CatEnum *now = catalog_find(l->now, old->id);
    if (!now) /* its columns have another type, which is told there */
        return;
    vec_each (const char *const, label, &old->labels)
        if (!cat_has_text(&now->labels, *label))
            say(l, FINDING_OLD_CODE_VALUE_GONE, &old->id,
                str_fmt(l->arena, "has no value %s any more",
                        str_printable(l->arena, str_of(*label), false)));
    vec_each (const char *const, label, &now->labels)
        if (!cat_has_text(&old->labels, *label))
            say(l, FINDING_OLD_CODE_VALUE_NEW, &old->id,
                str_fmt(l->arena, "has a value %s, on which this code fails when it reads it",
                        str_printable(l->arena, str_of(*label), false)));
}

void
lint_old_code(Arena *a, const Catalog *old, const Catalog *now, FindingList *ret)
{
    const Looking l = {a, old, now, ret};
    cat_each (CatRelation, t, &old->tables) {
        const CatRelation *other = catalog_relation(now, t->id.schema, t->id.name);
        if (!other) {
            say(&l, FINDING_OLD_CODE_TABLE, &t->id, "is gone");
            continue;
        }
        compare_columns(&l, t, other);
        if (other->id.kind == CAT_TABLE)
            compare_keys(&l, t, other);
    }
    cat_each (CatEnum, e, &old->enums)
        compare_enum(&l, e);
}
