/* All migrations of a plan as one, of one transaction. */
#include "plan/plan_int.h"

static bool
refuse(const MigrationPlan *mp, size_t statement, const char *why, Err *err)
{
    err_set(err, ERR_MIGRATION_FILE,
            "the migrations cannot run in one transaction (tx: all): migration \"%s\" %s",
            mp->migration->name, why);
    plan_place(mp, statement, err);
    err_detail(err, "nothing was run");
    return err_hint(err, "deploy without \"tx: all\" (--tx file): each migration is a transaction "
                         "of its own, with its row in the history");
}

/* The first statement that a step of its own is for. */
static size_t
cut_at(const MigrationPlan *mp)
{
    vec_each (const Step, s, &mp->steps)
        if (s->mode != STEP_TX)
            return s->first;
    return mp->steps.n > 1 ? mp->steps.v[1].first : 0;
}

bool
plan_check_one_tx(const MigrationPlan *mp, Err *err)
{
    if (mp->steps.n == 1 && mp->steps.v[0].mode == STEP_TX)
        return true;
    size_t at = cut_at(mp);
    const char *why = NULL;
    vec_each (const Step, s, &mp->steps)
        why = s->first == at && s->why ? s->why : why;
    err_set(err, ERR_MIGRATION_FILE, "\"%s\" cannot run in one transaction%s%s",
            mp->migration->name, why ? ": " : "", why ? why : "");
    plan_place(mp, at, err);
    return err_detail(err, "nothing was run");
}

static bool
check(Arena *a, const MigrationPlan *mp, bool is_last, Err *err)
{
    if (mp->resumes || mp->ledger_id)
        return refuse(mp, mp->done_statements, "is half applied: finish it first", err);
    if (sql_directive(&mp->directives, SQL_DIRECTIVE_TX))
        return refuse(mp, SIZE_MAX, "says itself how it is to be run (aramid:tx)", err);
    if (mp->steps.n != 1 || mp->steps.v[0].mode != STEP_TX) {
        size_t at = cut_at(mp);
        bool alone = false;
        vec_each (const Step, s, &mp->steps)
            alone = alone || (s->mode == STEP_ALONE && s->first == at);
        return refuse(mp, at,
                      alone                ? "has a statement that cannot run in a transaction"
                      : plan_has_batch(mp) ? "has a statement that runs in batches"
                                           : "has transactions of its own",
                      err);
    }
    SqlScript script;
    if (!plan_script(a, mp, true, &script, err))
        return false;
    for (size_t i = 0; i < script.stmts.n && !is_last; i++)
        if (script.forms.v[script.stmts.v[i].form].changes_session)
            return refuse(mp, i, "changes a setting, which would hold for those behind it", err);
    if (mp->directives.n)
        return refuse(mp, SIZE_MAX, "has limits of its own (a directive), which would hold for all",
                      err);
    return true;
}

static bool
add_text(Arena *a, const MigrationPlan *mp, Buf *text, MigrationPlan *whole,
         MigrationPieceVec *pieces, Err *err)
{
    SqlScript script, *to = &whole->script;
    size_t off = text->n, forms = to->forms.n;
    if (!plan_script(a, mp, true, &script, err))
        return false;
    *vec_add(a, &whole->parts) = (PlanPart){mp, off, to->stmts.n};
    vec_each (const MigrationPiece, p, &mp->migration->pieces)
        *vec_add(a, pieces) = (MigrationPiece){p->off + off, p->end + off, p->loses, p->own};
    buf_add(text, script.text);
    buf_addz(text, "\n;\n"); /* ends a last statement, and a last "-- comment" */
    vec_each (const SqlStmt, f, &script.forms)
        *vec_add(a, &to->forms) = *f;
    vec_each (const SqlSpan, s, &script.stmts) {
        SqlSpan *span = vec_add(a, &to->stmts);
        *span = *s;
        span->off += (uint32_t)off;
        span->end += (uint32_t)off;
        span->form += (uint32_t)forms;
    }
    if (script.stmts.n)
        to->stmts.v[to->stmts.n - 1].end = (uint32_t)text->n;
    whole->has_opaque = to->has_opaque = to->has_opaque || script.has_opaque;
    return true;
}

/* What one of them may not lock early, none may. */
static void
add_locks(Arena *a, const Step *from, Step *to)
{
    vec_each (const StepLock, l, &from->locks) {
        StepLock *same = NULL;
        vec_each (StepLock, other, &to->locks)
            if (strcmp(other->rel.name, l->rel.name) == 0 &&
                strcmp(other->rel.schema, l->rel.schema) == 0)
                same = other;
        if (!same) {
            *vec_add(a, &to->locks) = *l;
            continue;
        }
        same->mode = l->mode > same->mode ? l->mode : same->mode;
        same->can_prelock = same->can_prelock && l->can_prelock;
    }
    to->has_strong = to->has_strong || from->has_strong;
    to->runs_code = to->runs_code || from->runs_code;
    to->drops = to->drops || from->drops;
    to->has_dml = to->has_dml || from->has_dml;
    to->hides_session = to->hides_session || from->hides_session;
    to->hides_locks = to->hides_locks || from->hides_locks;
    to->sets_isolation = to->sets_isolation || from->sets_isolation;
}

bool
plan_join(Arena *a, Plan *plan, Err *err)
{
    size_t n = plan->migrations.n, bytes = 0;
    plan->whole = NULL;
    for (size_t i = 0; i < n; i++) {
        ARENA_LOCAL(scratch);
        bytes += plan->migrations.v[i].migration->bytes;
        if (!check(scratch, &plan->migrations.v[i], i + 1 == n, err))
            return false;
    }
    if (n < 2)
        return true;
    if (bytes > MIGRATION_MAX)
        return refuse(&plan->migrations.v[n - 1], SIZE_MAX,
                      "makes them longer than the longest message that PostgreSQL takes (1 GB)",
                      err);
    MigrationPlan *whole = arena_new(a, MigrationPlan);
    *whole = (MigrationPlan){0};
    Buf text;
    buf_init(&text, a);
    Step step = {.begin = SIZE_MAX};
    MigrationPieceVec pieces = {0};
    vec_each (const MigrationPlan, mp, &plan->migrations) {
        if (!add_text(a, mp, &text, whole, &pieces, err))
            return false;
        add_locks(a, &mp->steps.v[0], &step);
    }
    whole->script.text = buf_str(&text);
    whole->statements = step.count = whole->script.stmts.n;
    step.end = text.n;
    *vec_add(a, &whole->steps) = step;
    Migration *m = arena_new(a, Migration);
    *m = *plan->migrations.v[0].migration;
    m->text = whole->script.text;
    m->bytes = text.n;
    m->pieces = pieces;
    whole->migration = m;
    plan->whole = whole;
    return true;
}
