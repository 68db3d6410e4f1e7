/* Where a statement of a plan stands, and the text that it is in. */
#include "plan/plan_int.h"

#include "config/config.h"

const MigrationPlan *
plan_of_statement(const MigrationPlan *mp, size_t statement, size_t *ret_statement)
{
    const PlanPart *part = NULL;
    vec_each (const PlanPart, p, &mp->parts)
        part = p->first <= statement ? p : part;
    *ret_statement = part ? statement - part->first : statement;
    return part ? part->of : mp;
}

/* What the statements are outlives where they stand. */
bool
plan_read(Arena *forms, Arena *a, const Migration *m, bool brief, SqlScript *ret, Err *err)
{
    Str text;
    if (!migration_text(a, m, &text, err) || !sql_split(a, m->path, text, ret, err))
        return false;
    if (brief)
        sql_classify_brief(forms, ret);
    else
        sql_classify(forms, ret);
    return true;
}

bool
plan_script(Arena *a, const MigrationPlan *mp, bool brief, SqlScript *ret, Err *err)
{
    *ret = mp->script;
    return ret->text.p || plan_read(a, a, mp->migration, brief, ret, err);
}

bool
plan_add_text(Buf *b, const MigrationPlan *mp, size_t from, size_t to, Err *err)
{
    Str text = mp->script.text;
    if (text.p) {
        buf_add(b, str_slice(text, from, to == SIZE_MAX ? text.n : to));
        return true;
    }
    size_t at = b->n;
    if (!migration_add_text(b, mp->migration, err))
        return false;
    text = str_slice(buf_str(b), at, b->n);
    size_t bom = str_starts(text, STR(SQL_BOM)) ? strlen(SQL_BOM) : 0;
    text = str_slice(text, bom + from, to == SIZE_MAX ? text.n : bom + to);
    memmove(b->p + at, text.p, text.n);
    b->n = at + text.n;
    b->p[b->n] = 0;
    return true;
}

void
plan_place_in(const MigrationPlan *mp, const SqlScript *script, size_t statement, Err *err)
{
    const SqlSpan *s = &script->stmts.v[statement];
    err_at(err, mp->migration->path, (int)s->line, (int)s->column);
    err->statement = (int)statement + 1;
}

void
plan_place(const MigrationPlan *whole, size_t at, Err *err)
{
    size_t statement;
    const MigrationPlan *mp = plan_of_statement(whole, at, &statement);
    ARENA_LOCAL(a);
    SqlScript script;
    Err ignored;
    err_at(err, mp->migration->path, 0, 0);
    if (statement >= mp->statements)
        return;
    err->statement = (int)statement + 1;
    if (plan_script(a, mp, true, &script, &ignored))
        plan_place_in(mp, &script, statement, err);
}

void
plan_quote_line(const MigrationPlan *mp, Err *err)
{
    Err ignored;
    SqlScript script;
    if (!err->at.line)
        return;
    vec_each (const PlanPart, p, &mp->parts)
        if (strcmp(p->of->migration->path, err->at.path) == 0) {
            plan_quote_line(p->of, err);
            return;
        }
    ARENA_LOCAL(a);
    if (!plan_script(a, mp, true, &script, &ignored))
        return;
    Str rest = script.text;
    for (int i = 1; i < err->at.line && rest.p; i++)
        str_cut(&rest, '\n');
    if (!rest.p)
        return;
    Str line = str_cut(&rest, '\n');
    line = str_of(url_mask(a, line));
    if (line.n > 160)
        line.n = 160;
    err_detail(err, "%6d | %s", err->at.line, str_printable(a, line, false));
    if (err->at.column > 0 && err->at.column <= 160)
        err_detail(err, "       | %*s^", err->at.column - 1, "");
}
