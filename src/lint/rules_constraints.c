/* Rules about constraints and indexes. */
#include "lint/lint_int.h"

#include <string.h>

/* The statement with a word behind the first place of another one, as it is to be typed. */
static const char *
with_word(const Lint *l, const char *behind, const char *word)
{
    Str text = str_slice(l->script->script->text, l->stmt.off, l->stmt.off + l->stmt.len);
    size_t n = strlen(behind);
    for (size_t i = 0; i + n <= text.n && i < 40; i++)
        if (str_ieq(str_slice(text, i, i + n), str_of(behind)))
            return str_printable(l->arena,
                                 str_of(str_fmt(l->arena, "%.*s %s%.*s", (int)(i + n), text.p, word,
                                                (int)(text.n - i - n), text.p + i + n)),
                                 false);
    return NULL;
}

/* The same statement that takes the constraint without a look at the rows, and what looks at them, as both are to be
 * typed; NULL where it does more than that. */
static const char *
in_two(const Lint *l, const CatRelation *t, const SqlAction *x)
{
    Str text = str_slice(l->script->script->text, l->stmt.off, l->stmt.off + l->stmt.len);
    if (l->script->actions[l->at].n != 1 || x->is_inline || memmem(text.p, text.n, "--", 2) ||
        (x->constraint == 'f' && t->partition_key))
        return NULL; /* a comment could swallow the words; before 18 a partitioned table refuses them */
    return str_printable(
        l->arena,
        str_of(str_fmt(l->arena,
                       "%.*s NOT VALID; and in a migration behind it: ALTER TABLE %s.%s VALIDATE "
                       "CONSTRAINT %s",
                       (int)text.n, text.p, lint_ident(l, t->id.schema), lint_ident(l, t->id.name),
                       lint_ident(l, lint_constraint_name(l->arena, x)))),
        false);
}

static bool
begins_with(const CatIndex *index, const SqlTexts *columns)
{
    if (index->predicate || index->keys.n < columns->n)
        return false;
    for (size_t i = 0; i < columns->n; i++)
        if (!cat_same_text(index->keys.v[i].column, columns->v[i]))
            return false;
    return columns->n > 0;
}

static bool
key_begins_with(const CatConstraint *k, const SqlTexts *columns)
{
    if (!columns->n || (k->type != CAT_PRIMARY_KEY && k->type != CAT_UNIQUE) ||
        k->columns.n < columns->n)
        return false;
    for (size_t i = 0; i < columns->n; i++)
        if (strcmp(k->columns.v[i], columns->v[i]) != 0)
            return false;
    return true;
}

/* An index, or the index of a key, that begins with these columns; NULL = none. */
static const char *
index_on(const CatRelation *t, const SqlTexts *columns)
{
    cat_each (CatIndex, index, &t->indexes)
        if (begins_with(index, columns))
            return index->id.name;
    cat_each (CatConstraint, k, &t->constraints)
        if (key_begins_with(k, columns))
            return k->id.sub;
    return NULL;
}

static void
judge_index(Lint *l, CatRelation *t, const SqlAction *x)
{
    const char *there = x->is_partial || x->is_unique ? NULL : index_on(t, &x->columns);
    if (there && strcmp(there, x->name) != 0)
        lint_say(l, FINDING_LINT_DUPLICATE_INDEX, NULL, NULL,
                 "%s has index %s, which begins with the same columns", lint_shown(l, t),
                 lint_ident(l, there));
    if (!lint_is_old(l, t))
        return;
    if (x->is_concurrent && x->if_exists)
        lint_say(l, FINDING_LINT_CIC_IF_NOT_EXISTS, t, NULL,
                 "an invalid leftover of index %s would be taken for it", lint_ident(l, x->name));
    else if (x->if_exists)
        lint_say(l, FINDING_LINT_NO_OP_LOCKS, t, NULL,
                 "an index %s of another shape is left as it is", lint_ident(l, x->name));
    if (!x->is_concurrent)
        lint_say_work(l, FINDING_LINT_CREATE_INDEX_BLOCKING, t,
                      with_word(l, "INDEX", "CONCURRENTLY"),
                      "who writes to %s waits until the index is built%s", lint_shown(l, t),
                      x->is_unique ? "; it fails where values are alike" : "");
}

/* Whether SET NULL meets a column that cannot be. */
static void
judge_set_null(Lint *l, const CatRelation *t, const SqlAction *x)
{
    for (size_t i = 0; x->on_delete == 'n' && i < x->columns.n; i++) {
        const CatColumn *c = catalog_column(t, x->columns.v[i]);
        if (c && c->is_not_null)
            lint_say(l, FINDING_LINT_FK_SET_NULL, NULL, NULL,
                     "ON DELETE SET NULL, and column %s cannot be NULL",
                     lint_ident(l, x->columns.v[i]));
    }
}

/* Whether the columns came in this release and nothing has filled them. */
static bool
is_all_null(const Lint *l, const CatRelation *t, const SqlTexts *columns)
{
    for (size_t i = 0; i < columns->n; i++) {
        const CatColumn *c = catalog_column(t, columns->v[i]);
        if (!c || lint_is_old(l, c) || c->is_not_null || c->default_expr)
            return false;
    }
    return true;
}

static void
judge_foreign_key(Lint *l, CatRelation *t, const SqlAction *x)
{
    const CatRelation *other = lint_relation(&l->schema, x->ref);
    const char *table = lint_shown(l, t), *to = other ? lint_shown(l, other) : "";
    judge_set_null(l, t, x);
    if (lint_is_old(l, other) && other != t && (x->is_in_create || !lint_is_old(l, t)))
        lint_say(l, FINDING_LINT_FK_LOCKS_PARENT, other, NULL,
                 "who writes to %s waits until this transaction ends", to);
    if (!lint_is_old(l, t) || x->is_in_create)
        return;
    if (!index_on(t, &x->columns))
        lint_say(l, FINDING_LINT_FK_WITHOUT_INDEX, NULL, NULL,
                 "no index of %s begins with the columns of the foreign key", table);
    if (x->is_not_valid)
        *vec_add(l->arena, &l->checked) =
            str_fmt(l->arena, "%s.%s", table, lint_constraint_name(l->arena, x));
    else if (l->did.scans)
        lint_say_work(l,
                      is_all_null(l, t, &x->columns) ? FINDING_LINT_FK_ON_NEW_COLUMN
                                                     : FINDING_LINT_ADD_FK_VALIDATING,
                      t, in_two(l, t, x), "all rows of %s are checked: who writes to it%s%s waits",
                      table, other && other != t ? " or to " : "", other && other != t ? to : "");
}

static void
judge_key(Lint *l, CatRelation *t, const SqlAction *x)
{
    static const struct {
        char letter;
        FindingId rule;
        const char *text;
    } table[] = {
        {'p', FINDING_LINT_ADD_PRIMARY_KEY, "the index of the primary key of"},
        {'u', FINDING_LINT_ADD_UNIQUE_CONSTRAINT, "the index of a unique constraint of"},
        {'x', FINDING_LINT_ADD_EXCLUSION, "the index of an exclusion constraint of"},
    };
    for (size_t i = 0; i < COUNT(table); i++)
        if (table[i].letter == x->constraint && (l->did.builds || l->did.scans))
            lint_say_work(l, table[i].rule, t, NULL, "%s %s is %s: readers and writers wait",
                          table[i].text, lint_shown(l, t),
                          l->did.builds ? "built" : "looked through for NULLs");
}

static void
judge_constraint(Lint *l, CatRelation *t, const SqlAction *x)
{
    if (x->constraint == 'f') {
        judge_foreign_key(l, t, x);
        return;
    }
    if (x->is_in_create || !lint_is_old(l, t))
        return;
    if (x->is_not_valid)
        *vec_add(l->arena, &l->checked) =
            str_fmt(l->arena, "%s.%s", lint_shown(l, t), lint_constraint_name(l->arena, x));
    else if (x->constraint == 'c')
        lint_say_work(l, FINDING_LINT_ADD_CHECK_VALIDATING, t, in_two(l, t, x),
                      "all rows of %s are checked: readers and writers wait", lint_shown(l, t));
    else
        judge_key(l, t, x);
}

static void
judge_validate(Lint *l, CatRelation *t, const SqlAction *x)
{
    const char *name = str_fmt(l->arena, "%s.%s", lint_shown(l, t), x->name);
    vec_each (const char *const, checked, &l->checked)
        if (strcmp(*checked, name) == 0)
            lint_say_work(l, FINDING_LINT_VALIDATED_AT_ONCE, t, NULL,
                          "the lock of ADD CONSTRAINT %s stays while all rows of %s are checked",
                          lint_ident(l, x->name), lint_shown(l, t));
}

static void
judge_drop_index(Lint *l, const SqlAction *x)
{
    const LintIndexAt *at = lint_index(&l->schema, x->on);
    if (at && lint_is_old(l, at->table) && !x->is_concurrent)
        lint_say(l, FINDING_LINT_DROP_INDEX_BLOCKING, at->table,
                 with_word(l, "INDEX", "CONCURRENTLY"),
                 "readers and writers of %s wait while index %s is dropped",
                 lint_shown(l, at->table), lint_ident(l, x->on.name));
}

void
lint_judge_constraints(Lint *l, const SqlAction *x)
{
    CatRelation *t = lint_relation(&l->schema, x->on);
    if (x->kind == SQL_ACT_DROP && x->object == SQL_OBJ_INDEX)
        judge_drop_index(l, x);
    if (!t)
        return;
    if (x->kind == SQL_ACT_INDEX)
        judge_index(l, t, x);
    else if (x->kind == SQL_ACT_CONSTRAINT)
        judge_constraint(l, t, x);
    else if (x->kind == SQL_ACT_VALIDATE)
        judge_validate(l, t, x);
    else if (x->kind == SQL_ACT_REINDEX && !x->is_concurrent && lint_is_old(l, t))
        lint_say_work(l, FINDING_LINT_REINDEX_BLOCKING, t, with_word(l, "TABLE", "CONCURRENTLY"),
                      "who writes to %s waits while its indexes are built anew", lint_shown(l, t));
}
