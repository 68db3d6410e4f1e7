/* Through the statements of a script. */
#include "lint/lint_int.h"

#include <string.h>

Lint *
lint_new(Arena *a, const LintOptions *options)
{
    Lint *l = arena_new(a, Lint);
    l->arena = a;
    l->options = options;
    lint_schema_init(&l->schema, a, options->schema, options->before);
    map_init(&l->was, a);
    map_init(&l->let_go, a);
    lint_release(l);
    return l;
}

/* Whether the table of a CREATE TABLE IF NOT EXISTS is there: then nothing of it happens. */
static bool
is_no_op(const Lint *l, const SqlActionVec *actions)
{
    const SqlAction *first = actions->n ? &actions->v[0] : NULL;
    return first && first->kind == SQL_ACT_TABLE && first->if_exists &&
           lint_relation(&l->schema, first->on);
}

/* A check that is to be validated later keeps its words. */
static void
keep_check(const Lint *l, const LintScript *script, const SqlAction *x)
{
    CatRelation *t = lint_relation(&l->schema, x->on);
    const char *name = lint_constraint_name(l->arena, x);
    for (size_t i = 0; t && i < t->constraints.n; i++)
        if (strcmp(t->constraints.v[i]->id.sub, name) == 0)
            t->constraints.v[i]->expr =
                str_dup(l->arena, sql_action_check(script->script->text, x));
}

static void
apply(Lint *l, const LintScript *script, const SqlAction *x)
{
    lint_schema_apply(&l->schema, x);
    if (l->options->asks && x->kind == SQL_ACT_CONSTRAINT && x->constraint == 'c' &&
        x->is_not_valid)
        keep_check(l, script, x);
}

static void
judge(Lint *l, const SqlActionVec *actions)
{
    lint_effects_named(l);
    lint_judge_statement(l);
    vec_each (const SqlAction, x, actions) {
        l->did = (LintEffect){0};
        lint_effects_add(l, x);
        lint_judge_tables(l, x);
        lint_judge_constraints(l, x);
        lint_judge_rest(l, x);
        if (l->options->asks) {
            lint_ask(l, x);
            lint_touch(l, x);
            lint_remove(l, x);
        }
        apply(l, l->script, x);
    }
    if (l->options->asks && !actions->n)
        lint_remove_unnamed(l);
    if (l->options->asks && l->stmt.opaque)
        lint_touch_all(l, l->stmt.tag);
}

void
lint_follow(Lint *l, const LintScript *script)
{
    for (size_t i = 0; i < script->script->stmts.n; i++)
        if (!is_no_op(l, &script->actions[i]))
            vec_each (const SqlAction, x, &script->actions[i])
                apply(l, script, x);
}

void
lint_release(Lint *l)
{
    l->release = l->schema.catalog->count;
    map_init(&l->touched, l->arena);
    l->all_touched = NULL;
}

/* New tables that nobody guards when the script is over. */
static void
judge_exposed(Lint *l, unsigned before)
{
    cat_each (CatRelation, t, &l->schema.catalog->tables)
        if (t->ordinal >= before && !t->is_rls && strcmp(t->id.schema, "public") == 0)
            lint_say(l, FINDING_LINT_EXPOSED_TABLE, t, NULL,
                     "%s is new, and who has the public key may read and write it",
                     lint_shown(l, t));
}

LintEffects *
lint_script(Lint *l, const LintScript *script)
{
    size_t n = script->script->stmts.n;
    LintEffects *effects = arena_array(l->arena, LintEffects, n);
    unsigned before = l->schema.catalog->count;
    l->script = script;
    l->checked.n = 0;
    map_init(&l->said, l->arena);
    for (l->at = 0; l->at < n; l->at++) {
        sql_stmt(script->script, l->at, &l->stmt);
        l->number++;
        l->effects = &effects[l->at];
        if (l->stmt.tx == SQL_TX_COMMIT || lint_is_apart(l))
            l->checked.n = 0;
        if (!is_no_op(l, &script->actions[l->at]))
            judge(l, &script->actions[l->at]);
    }
    if (l->options->is_exposed && n)
        judge_exposed(l, before);
    return effects;
}

const LintQuestions *
lint_questions(const Lint *l)
{
    return &l->questions;
}
