#include "plan/plan_int.h"

#include "config/config.h"

#include "base/invariant.h"
#include "base/map.h"

const char *
plan_mode_name(StepMode mode)
{
    static const char *const names[] = {"transaction", "own-transaction", "alone", "batch",
                                        "prove"};
    return names[mode];
}

static bool
refuse(const MigrationPlan *mp, const SqlScript *script, size_t statement, const char *what,
       const char *hint, Err *err)
{
    err_set(err, ERR_MIGRATION_FILE, "%s", what);
    plan_place_in(mp, script, statement, err);
    return err_hint(err, "%s", hint);
}

static bool
listed(const size_t *v, size_t n, size_t x)
{
    for (size_t i = 0; i < n; i++)
        if (v[i] == x)
            return true;
    return false;
}

/* Add a lock to the step; the strongest mode of a relation counts. */
static void
add_lock(Arena *a, Step *step, const SqlLock *lock)
{
    for (size_t i = 0; i < step->locks.n; i++) {
        StepLock *old = &step->locks.v[i];
        if (strcmp(old->rel.name, lock->rel.name) == 0 &&
            strcmp(old->rel.schema, lock->rel.schema) == 0) {
            if (lock->mode > old->mode)
                old->mode = lock->mode;
            old->can_prelock = old->can_prelock || lock->kind_table;
            return;
        }
    }
    *vec_add(a, &step->locks) = (StepLock){lock->rel, lock->mode, lock->kind_table, false};
}

/* Neither the kind nor the words tell what it locks. */
static bool
hides_locks(const SqlStmt *s)
{
    return s->kind == SQL_OTHER && !s->locks.n && (s->opaque || !s->objects.n);
}

static void
describe(Arena *a, const SqlScript *script, Step *step)
{
    bool strong_table = false;
    const SqlSpan *spans = script->stmts.v;
    for (size_t i = step->first; i < step->first + step->count; i++) {
        const SqlStmt *s = &script->forms.v[spans[i].form];
        if (i > step->first && spans[i].form == spans[i - 1].form)
            continue;
        vec_each (const SqlLock, l, &s->locks) {
            add_lock(a, step, l);
            strong_table = strong_table || l->mode >= SQL_LOCK_SHARE;
        }
        /* Functions that a SELECT, DO or CALL runs can do anything; so can those of an INSERT. */
        bool code = s->kind == SQL_DO || s->kind == SQL_CALL || s->kind == SQL_SELECT;
        step->runs_code = step->runs_code || code;
        step->has_dml = step->has_dml || s->is_dml || code;
        if (s->is_dml && !step->change_line)
            step->change_line = (int)spans[i].line;
        step->hides_session =
            step->hides_session || s->changes_session || s->is_dml || code || s->opaque;
        step->hides_locks = step->hides_locks || code || hides_locks(s);
        step->drops = step->drops || s->kind == SQL_DROP || s->kind == SQL_DROP_INDEX;
    }
    step->has_strong = step->has_strong || strong_table || step->drops;
}

static bool
sets_isolation(const SqlScript *script, const Step *step)
{
    for (size_t i = step->first; i < step->first + step->count; i++) {
        const SqlSpan *at = &script->stmts.v[i];
        const SqlStmt *s = &script->forms.v[at->form];
        if ((s->tx == SQL_TX_BEGIN || s->kind == SQL_SET || s->kind == SQL_OTHER) &&
            str_icontains(str_slice(script->text, at->off, at->off + at->len), STR("isolation")))
            return true;
    }
    return false;
}

/* The bytes that are sent of a step: of the first one with the file's leading comments, for the
 * server's log. */
static void
measure(Arena *a, const SqlScript *script, Step *step)
{
    const SqlSpan *spans = script->stmts.v + step->first;
    size_t sent = step->mode == STEP_OWN_TX ? step->count - 1 : step->count;
    step->off = step->first ? spans[0].off : 0;
    step->end = sent ? spans[sent - 1].end : step->off;
    step->sets_isolation = sets_isolation(script, step);
    if (step->count == 1)
        step->only = sql_stmt(script, step->first, arena_new(a, SqlStmt));
}

static void
close_step(Arena *a, MigrationPlan *mp, const SqlScript *script, Step *open, size_t end,
           StepMode mode, const char *why)
{
    if (end > open->first) {
        open->count = end - open->first;
        open->mode = mode;
        open->why = why;
        describe(a, script, open);
        measure(a, script, open);
        *vec_add(a, &mp->steps) = *open;
    }
    *open = (Step){.first = end, .begin = SIZE_MAX};
}

/* No statement of a script may be left out, or be in two steps. */
static bool
covers(const MigrationPlan *mp, size_t start)
{
    size_t next = start;
    vec_each (const Step, s, &mp->steps) {
        bool is_single = s->mode != STEP_TX && s->mode != STEP_OWN_TX;
        if (s->first != next || (is_single && s->count != 1))
            return false;
        next += s->count;
    }
    return next == mp->statements;
}

/* What the file itself says is stronger than what was asked for. */
static bool
is_by_statement(const PlanHints *hints, const MigrationPlan *mp)
{
    const SqlDirective *d = sql_directive(&mp->directives, SQL_DIRECTIVE_TX);
    return d ? str_is(d->value, "none") : hints->tx == PLAN_TX_NONE;
}

int64_t
plan_timeout_ms(const MigrationPlan *mp)
{
    const SqlDirective *d = sql_directive(&mp->directives, SQL_DIRECTIVE_TIMEOUT);
    return d ? d->ms : -1;
}

int64_t
plan_lock_timeout_ms(const MigrationPlan *mp)
{
    const SqlDirective *d = sql_directive(&mp->directives, SQL_DIRECTIVE_LOCK_TIMEOUT);
    return d ? d->ms : -1;
}

/* A piece is sent with its checks around it: no step may end in the middle of one, and none may end its
 * own transaction. */
static bool
check_pieces(const MigrationPlan *mp, const SqlScript *script, Err *err)
{
    vec_each (const Step, s, &mp->steps) {
        size_t next = s->first + s->count;
        bool splits = false;
        if (!mp->migration->pieces.n)
            return true;
        for (size_t i = 0; next < script->stmts.n && i < mp->migration->pieces.n; i++) {
            const MigrationPiece *p = &mp->migration->pieces.v[i];
            size_t off = script->stmts.v[next].off;
            splits =
                splits || (off > p->off && off < p->end && script->stmts.v[next - 1].off >= p->off);
        }
        if (s->mode == STEP_OWN_TX)
            return refuse(mp, script, next - 1, "an operation ends the transaction that it runs in",
                          "without it the package is applied as a whole, or not at all", err);
        if (splits)
            return refuse(mp, script, next - 1,
                          "an operation holds a statement that needs a transaction of its own, and "
                          "others",
                          "make operations of one statement each of it", err);
    }
    return true;
}

bool
plan_is_one_message(const MigrationPlan *mp)
{
    return mp->steps.n == 1 && !mp->resumes &&
           (mp->steps.v[0].mode == STEP_TX || mp->steps.v[0].mode == STEP_OWN_TX);
}

bool
plan_may_share(const MigrationPlan *mp)
{
    if (!plan_is_one_message(mp) || mp->undoes || mp->has_opaque || mp->directives.n ||
        mp->migration->pieces.n || !mp->script.text.p)
        return false;
    vec_each (const SqlStmt, s, &mp->script.forms)
        if (s->changes_session)
            return false;
    const Step *step = mp->steps.v;
    return !step->sets_isolation && !step->runs_code && !step->chained;
}

bool
plan_has_batch(const MigrationPlan *mp)
{
    return sql_directive(&mp->directives, SQL_DIRECTIVE_BATCH) != NULL;
}

/* A statement that a directive tells of. */
static const SqlDirective *
told(const MigrationPlan *mp, size_t statement)
{
    const SqlDirective *d = sql_directive_at(&mp->directives, SQL_DIRECTIVE_BATCH, statement);
    return d ? d : sql_directive_at(&mp->directives, SQL_DIRECTIVE_PROVE, statement);
}

static bool
check_told(const MigrationPlan *mp, const SqlScript *script, const SqlDirective *d, bool inside,
           Err *err)
{
    SqlStmt stmt;
    const SqlStmt *s = sql_stmt(script, d->statement, &stmt);
    if (inside)
        return refuse(mp, script, d->statement,
                      d->id == SQL_DIRECTIVE_BATCH
                          ? "batches cannot run inside the file's own BEGIN ... COMMIT"
                          : "a proof cannot stand inside the file's own BEGIN ... COMMIT",
                      "move it behind the COMMIT", err);
    if (mp->migration->pieces.n)
        return refuse(mp, script, d->statement, "an operation cannot have directives of its own",
                      "a migration of its own can", err);
    if (d->id == SQL_DIRECTIVE_PROVE && (s->kind != SQL_SELECT || s->is_dml) && !s->opaque)
        return refuse(mp, script, d->statement, "a proof is a query that changes nothing",
                      "SELECT ... that gives no row, or true, when all is as it should be", err);
    return true;
}

/* The step of such a statement. */
static bool
close_told(Arena *a, MigrationPlan *mp, const SqlScript *script, Step *open, const SqlDirective *d,
           Err *err)
{
    size_t at = d->statement;
    bool is_batch = d->id == SQL_DIRECTIVE_BATCH;
    close_step(a, mp, script, open, at, STEP_TX, NULL);
    if (is_batch) {
        SqlBatch *b = arena_new(a, SqlBatch);
        open->batch = b;
        if (!sql_batch(a, mp->migration->path, script, d, b, err))
            return false;
    }
    close_step(a, mp, script, open, at + 1, is_batch ? STEP_BATCH : STEP_PROVE,
               is_batch ? "in batches" : "a proof");
    return true;
}

static bool
cut(Arena *a, const SqlScript *script, const PlanHints *hints, MigrationPlan *mp, Err *err)
{
    size_t n = script->stmts.n, open_begin = SIZE_MAX;
    INVARIANT(hints->start <= n, "a plan that goes on behind its script");
    bool inside = hints->chained != NULL, by_statement = is_by_statement(hints, mp);
    Step step = {.first = hints->start, .begin = SIZE_MAX, .chained = hints->chained};
    const char *isolation = hints->chained ? hints->chained : "";
    mp->steps.n = 0;
    mp->resumes = hints->start > 0;
    mp->done_statements = hints->start;
    for (size_t i = hints->start; i < n; i++) {
        const SqlStmt *s = &script->forms.v[script->stmts.v[i].form];
        bool forced = listed(hints->alone.v, hints->alone.n, i);
        const SqlDirective *told_of = told(mp, i);
        if (told_of) {
            if (!check_told(mp, script, told_of, inside, err) ||
                !close_told(a, mp, script, &step, told_of, err))
                return false;
            continue;
        }
        if (s->tx == SQL_TX_ROLLBACK)
            return refuse(mp, script, i, "the migration rolls its own transaction back",
                          "remove ROLLBACK: Aramid rolls back by itself when a statement fails",
                          err);
        if (s->tx == SQL_TX_PREPARE)
            return refuse(mp, script, i, "the migration uses two-phase commit",
                          "a prepared transaction would outlive the run: use COMMIT", err);
        if (s->tx == SQL_TX_BEGIN && !inside) {
            inside = true;
            open_begin = i;
            isolation = s->isolation;
            step.begin = i;
        } else if (s->tx == SQL_TX_NEVER || forced) {
            if (inside)
                return refuse(mp, script, i,
                              "this statement cannot run inside the file's own BEGIN ... "
                              "COMMIT",
                              "move it behind the COMMIT", err);
            close_step(a, mp, script, &step, i, STEP_TX, NULL);
            close_step(a, mp, script, &step, i + 1, STEP_ALONE,
                       s->tx == SQL_TX_NEVER ? "cannot run inside a transaction"
                                             : "the server refused it inside a transaction");
        } else if (s->tx == SQL_TX_COMMIT) {
            close_step(a, mp, script, &step, i + 1, STEP_OWN_TX, NULL);
            inside = s->is_chain;
            if (inside) {
                step.chained = isolation;
                open_begin = i;
            }
        } else if (!inside && by_statement) {
            if (s->kind == SQL_SET && n > 1)
                return refuse(
                    mp, script, i, "a setting would end with its own statement",
                    "with \"tx none\" each statement is a transaction of its own: leave it "
                    "out, or put the setting into the function, the role or the name",
                    err);
            close_step(a, mp, script, &step, i + 1, STEP_TX,
                       n > 1 ? "each statement on its own" : NULL);
        } else if (!inside && listed(hints->cut_after.v, hints->cut_after.n, i)) {
            close_step(a, mp, script, &step, i + 1, STEP_TX,
                       "a new enum value can be used only after a commit");
        }
    }
    if (inside)
        return refuse(mp, script, open_begin != SIZE_MAX ? open_begin : 0,
                      "the transaction that begins here is never committed",
                      "add COMMIT at the end of the file: without it the server throws all of the "
                      "transaction away",
                      err);
    close_step(a, mp, script, &step, n, STEP_TX, NULL);
    if (mp->steps.n == 0 && hints->start == 0) /* an empty file: only the ledger's row */
        *vec_add(a, &mp->steps) = (Step){.begin = SIZE_MAX};
    INVARIANT(covers(mp, hints->start), "steps that leave a statement out");
    return check_pieces(mp, script, err);
}

bool
plan_cut(Arena *a, const PlanHints *hints, MigrationPlan *mp, Err *err)
{
    ARENA_LOCAL(scratch);
    SqlScript script = mp->script;
    return (script.text.p || plan_read(a, scratch, mp->migration, hints->fresh, &script, err)) &&
           cut(a, &script, hints, mp, err);
}

/* Of a name each way once: many statements may be about one table. */
static void
note_touched(Arena *a, const SqlScript *script, MigrationPlan *mp)
{
    vec_each (const SqlStmt, s, &script->forms)
        vec_each (const SqlObject, o, &s->objects)
            if (o->kind == SQL_OBJ_TABLE || o->kind == SQL_OBJ_VIEW || o->kind == SQL_OBJ_INDEX)
                *vec_add(a, &mp->touched) =
                    (Touched){o->name.name, o->effect == SQL_CREATES && !o->if_exists};
}

bool
plan_migration(Arena *a, const Migration *m, const PlanHints *hints, MigrationPlan *ret, Err *err)
{
    *ret = (MigrationPlan){.migration = m};
    if (!m->has_file)
        return migration_gone(m, err);
    ARENA_LOCAL(scratch);
    SqlScript script;
    Arena *keeps = m->text.p ? a : scratch;
    if (!plan_read(a, keeps, m, hints->fresh, &script, err))
        return false;
    if (keeps == a)
        ret->script = script;
    ret->statements = script.stmts.n;
    ret->has_opaque = script.has_opaque;
    note_touched(a, &script, ret);
    plan_note_drops(a, &script, ret);
    return sql_directives(a, m->path, &script, &ret->directives, err) &&
           plan_check_set_strings(ret, &script, err) && cut(a, &script, hints, ret, err);
}

/* The enum values that were added before the statement that used one: cut behind each. */
static bool
learn_cuts(Arena *a, const MigrationPlan *mp, const Step *step, size_t failed, PlanHints *hints)
{
    size_t before = hints->cut_after.n;
    ARENA_LOCAL(scratch);
    SqlScript script;
    Err ignored; /* then the server's error is told */
    if (!plan_script(scratch, mp, true, &script, &ignored))
        return false;
    for (size_t i = step->first; i < failed; i++)
        if (script.forms.v[script.stmts.v[i].form].kind == SQL_ALTER_TYPE_ADD_VALUE)
            *vec_add(a, &hints->cut_after) = i;
    return hints->cut_after.n > before;
}

bool
plan_learn(Arena *a, const MigrationPlan *mp, const Step *step, size_t failed, const char *sqlstate,
           PlanHints *hints)
{
    INVARIANT(failed >= step->first && failed - step->first < step->count,
              "a failed statement of another step");
    if (step->mode != STEP_TX)
        return false;
    if (strcmp(sqlstate, "55P04") == 0)
        return learn_cuts(a, mp, step, failed, hints);
    if ((strcmp(sqlstate, "25001") != 0 && strcmp(sqlstate, "2D000") != 0) ||
        listed(hints->alone.v, hints->alone.n, failed))
        return false;
    *vec_add(a, &hints->alone) = failed;
    return true;
}

/* Unqualified and qualified names of one relation count as the same: better one LOCK TABLE too few
 * than one on a relation that is gone. */
static void
mark_touched(Arena *a, Map *created, Map *touched, const MigrationPlan *mp)
{
    vec_each (const Touched, t, &mp->touched)
        map_put(t->is_made ? created : touched, str_of(t->name), a);
}

/* A data change keeps the locks of its transaction for as long as it takes. */
static void
find_mixed(FindingList *l, const MigrationPlan *mp)
{
    vec_each (const Step, s, &mp->steps) {
        bool strong_old = false;
        vec_each (const StepLock, lock, &s->locks)
            strong_old = strong_old || (lock->mode >= SQL_LOCK_SHARE && !lock->is_new);
        if ((s->mode != STEP_TX && s->mode != STEP_OWN_TX) || !s->change_line || !strong_old)
            continue;
        Finding *f = finding_add(l, FINDING_PLAN_MIXED, "changes data while it holds table locks");
        f->object = mp->migration->name;
        f->path = mp->migration->path;
        f->line = s->change_line;
        f->fix = "a migration of its own for the data blocks others for a shorter time";
        return;
    }
}

void
plan_link(Arena *a, Plan *plan)
{
    Map created, touched;
    map_init(&created, a);
    map_init(&touched, a);
    plan->statements = 0;
    findings_init(&plan->findings, a, NULL);
    plan_find_losses(a, plan);
    vec_each (MigrationPlan, mp, &plan->migrations) {
        plan->statements += mp->statements - mp->done_statements;
        for (size_t k = 0; k < mp->steps.n; k++) {
            vec_each (StepLock, l, &mp->steps.v[k].locks) {
                Str name = str_of(l->rel.name);
                l->is_new = map_has(&created, name);
                /* Within a file of several steps an earlier one may have renamed or dropped it. */
                if (l->is_new || k > 0 || map_has(&touched, name))
                    l->can_prelock = false;
            }
        }
        find_mixed(&plan->findings, mp);
        mark_touched(a, &created, &touched, mp);
    }
}
