/* aramid lint. */
#include "flow/lint.h"

#include "flow/rollback.h"

/* Below this many rows nobody notices. */
enum { SMALL_ROWS = 10000 };

static bool
is_chosen(const LintInput *in, const Migration *m)
{
    for (size_t i = 0; i < in->nnames; i++)
        if (strcmp(in->names[i], m->name) == 0)
            return true;
    return !in->nnames;
}

static bool
check_names(const LintInput *in, const History *h, Err *err)
{
    for (size_t i = 0; i < in->nnames; i++) {
        bool found = false;
        vec_each (const Migration, m, &h->files)
            found = found || strcmp(m->name, in->names[i]) == 0;
        if (!found)
            return flow_no_such_migration(in->names[i], h, err);
    }
    return true;
}

static bool
judge(Arena *a, const LintInput *in, Lint *lint, const Migration *m, LintResult *ret, Err *err)
{
    SqlScript *script = arena_new(a, SqlScript);
    Source *source = arena_new(a, Source);
    SqlDirectiveVec directives;
    source->path = m->path;
    if (!m->has_file || m->unfit)
        return true;
    if (!migration_text(a, m, &source->text, err) ||
        !sql_split(a, m->path, source->text, script, err) ||
        !sql_directives(a, m->path, script, &directives, err))
        return false;
    LintScript one = {.name = m->name,
                      .source = source,
                      .script = script,
                      .actions = sql_classify_actions(a, script),
                      .directives = &directives};
    if (!is_chosen(in, m)) {
        lint_follow(lint, &one);
        return true;
    }
    const LintEffects *effects = lint_script(lint, &one);
    ret->migrations++;
    for (size_t i = 0; i < script->stmts.n; i++) {
        LintedStatement *s = vec_add(a, &ret->statements);
        s->migration = m;
        sql_stmt(script, i, &s->stmt);
        s->effects = effects[i];
    }
    return true;
}

bool
flow_lint(Arena *a, const LintInput *in, LintResult *ret, Err *err)
{
    const Config *c = in->base.config;
    *ret = (LintResult){.config = c};
    findings_init(&ret->findings, a, &c->finding_rules);
    if (!flow_history(a, c, &ret->history, err) || !check_names(in, &ret->history, err))
        return false;
    LintOptions options = {.schema = "public",
                           .small_rows = SMALL_ROWS,
                           .is_exposed =
                               ret->history.layout == &history_supabase || c->supabase_url,
                           .findings = &ret->findings};
    Lint *lint = lint_new(a, &options);
    vec_each (const Migration, m, &ret->history.files)
        if (!judge(a, in, lint, m, ret, err))
            return false;
    return true;
}
