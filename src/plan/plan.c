#include "plan/plan.h"

#include "config/config.h"

#include "base/invariant.h"
#include "base/map.h"

const char *
plan_mode_name(StepMode mode)
{
    static const char *const names[] = {"transaction", "own-transaction", "alone"};
    return names[mode];
}

void
plan_place(const MigrationPlan *mp, size_t statement, Err *err)
{
    if (statement >= mp->script.stmts.n) {
        err_at(err, mp->migration->path, 0, 0);
        return;
    }
    const SqlStmt *s = &mp->script.stmts.v[statement];
    err_at(err, mp->migration->path, s->line, s->column);
    err->statement = (int)statement + 1;
}

void
plan_quote_line(const MigrationPlan *mp, Err *err)
{
    if (!err->at.line)
        return;
    ARENA_LOCAL(a);
    Str rest = mp->script.text;
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

static bool
refuse(const MigrationPlan *mp, size_t statement, const char *what, const char *hint, Err *err)
{
    err_set(err, ERR_MIGRATION_FILE, "%s", what);
    plan_place(mp, statement, err);
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
    for (size_t i = step->first; i < step->first + step->count; i++) {
        const SqlStmt *s = &script->stmts.v[i];
        vec_each (const SqlLock, l, &s->locks) {
            add_lock(a, step, l);
            strong_table = strong_table || l->mode >= SQL_LOCK_SHARE;
        }
        /* Functions that a SELECT, DO or CALL runs can do anything; so can those of an INSERT. */
        bool code = s->kind == SQL_DO || s->kind == SQL_CALL || s->kind == SQL_SELECT;
        step->has_dml = step->has_dml || s->is_dml || code;
        step->hides_session =
            step->hides_session || s->changes_session || s->is_dml || code || s->opaque;
        step->hides_locks = step->hides_locks || code || hides_locks(s);
        if (s->kind == SQL_DROP || s->kind == SQL_DROP_INDEX)
            step->has_strong = true;
    }
    step->has_strong = step->has_strong || strong_table;
}

static void
close_step(Arena *a, MigrationPlan *mp, Step *open, size_t end, StepMode mode, const char *why)
{
    if (end > open->first) {
        open->count = end - open->first;
        open->mode = mode;
        open->why = why;
        describe(a, &mp->script, open);
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
        if (s->first != next || (s->mode == STEP_ALONE && s->count != 1))
            return false;
        next += s->count;
    }
    return next == mp->script.stmts.n;
}

bool
plan_cut(Arena *a, const PlanHints *hints, MigrationPlan *mp, Err *err)
{
    const SqlStmt *stmts = mp->script.stmts.v;
    size_t n = mp->script.stmts.n, open_begin = SIZE_MAX;
    INVARIANT(hints->start <= n, "a plan that goes on behind its script");
    bool inside = hints->chained != NULL;
    Step step = {.first = hints->start, .begin = SIZE_MAX, .chained = hints->chained};
    const char *isolation = hints->chained ? hints->chained : "";
    mp->steps.n = 0;
    mp->resumes = hints->start > 0;
    mp->done_statements = hints->start;
    for (size_t i = hints->start; i < n; i++) {
        const SqlStmt *s = &stmts[i];
        bool forced = listed(hints->alone.v, hints->alone.n, i);
        if (s->tx == SQL_TX_ROLLBACK)
            return refuse(mp, i, "the migration rolls its own transaction back",
                          "remove ROLLBACK: Aramid rolls back by itself when a statement fails",
                          err);
        if (s->tx == SQL_TX_PREPARE)
            return refuse(mp, i, "the migration uses two-phase commit",
                          "a prepared transaction would outlive the run: use COMMIT", err);
        if (s->tx == SQL_TX_BEGIN && !inside) {
            inside = true;
            open_begin = i;
            isolation = s->isolation;
            step.begin = i;
        } else if (s->tx == SQL_TX_NEVER || forced) {
            if (inside)
                return refuse(mp, i,
                              "this statement cannot run inside the file's own BEGIN ... "
                              "COMMIT",
                              "move it behind the COMMIT", err);
            close_step(a, mp, &step, i, STEP_TX, NULL);
            close_step(a, mp, &step, i + 1, STEP_ALONE,
                       s->tx == SQL_TX_NEVER ? "cannot run inside a transaction"
                                             : "the server refused it inside a transaction");
        } else if (s->tx == SQL_TX_COMMIT) {
            close_step(a, mp, &step, i + 1, STEP_OWN_TX, NULL);
            inside = s->is_chain;
            if (inside) {
                step.chained = isolation;
                open_begin = i;
            }
        } else if (!inside && listed(hints->cut_after.v, hints->cut_after.n, i)) {
            close_step(a, mp, &step, i + 1, STEP_TX,
                       "a new enum value can be used only after a commit");
        }
    }
    if (inside)
        return refuse(mp, open_begin != SIZE_MAX ? open_begin : 0,
                      "the transaction that begins here is never committed",
                      "add COMMIT at the end of the file: without it the server throws all of the "
                      "transaction away",
                      err);
    close_step(a, mp, &step, n, STEP_TX, NULL);
    if (mp->steps.n == 0 && hints->start == 0) /* an empty file: only the ledger's row */
        *vec_add(a, &mp->steps) = (Step){.begin = SIZE_MAX};
    INVARIANT(covers(mp, hints->start), "steps that leave a statement out");
    return true;
}

/* A message of the server's protocol has at most 1 GB; what stands around the file is in it, too. */
enum { MESSAGE_MAX = 0x3fffffff - 1024 * 1024 };

bool
plan_migration(Arena *a, const Migration *m, const PlanHints *hints, MigrationPlan *ret, Err *err)
{
    *ret = (MigrationPlan){.migration = m};
    if (!m->has_file) {
        err_set(err, ERR_MIGRATION_GONE, "the migration folder \"%s\" has no migration.sql",
                m->name);
        err_at(err, m->path, 0, 0);
        return err_hint(err, "restore the file from version control, or delete the folder");
    }
    if (m->text.n > MESSAGE_MAX) {
        err_set(err, ERR_MIGRATION_FILE,
                "the file of %zu bytes is longer than the longest message that PostgreSQL takes "
                "(1 GB)",
                m->text.n);
        err_at(err, m->path, 0, 0);
        return err_hint(err, "make several migrations of it, or load the rows by COPY");
    }
    if (!sql_split(a, m->path, m->text, &ret->script, err))
        return false;
    if (hints->fresh)
        sql_classify_brief(a, &ret->script);
    else
        sql_classify(a, &ret->script);
    return plan_cut(a, hints, ret, err);
}

/* The enum values that were added before the statement that used one: cut behind each. */
static bool
learn_cuts(Arena *a, const MigrationPlan *mp, const Step *step, size_t failed, PlanHints *hints)
{
    size_t before = hints->cut_after.n;
    for (size_t i = step->first; i < failed; i++)
        if (mp->script.stmts.v[i].kind == SQL_ALTER_TYPE_ADD_VALUE)
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
mark_touched(Arena *a, Map *created, Map *touched, const SqlScript *script)
{
    vec_each (const SqlStmt, s, &script->stmts) {
        vec_each (const SqlObject, o, &s->objects) {
            if (o->kind != SQL_OBJ_TABLE && o->kind != SQL_OBJ_VIEW && o->kind != SQL_OBJ_INDEX)
                continue;
            Str name = str_copy(a, str_of(o->name.name));
            map_put(o->effect == SQL_CREATES && !o->if_exists ? created : touched, name, a);
        }
    }
}

/* A data change keeps the locks of its transaction for as long as it takes. */
static void
find_mixed(FindingList *l, const MigrationPlan *mp)
{
    vec_each (const Step, s, &mp->steps) {
        const SqlStmt *change = NULL;
        bool strong_old = false;
        for (size_t i = s->first + s->count; i > s->first; i--)
            change = mp->script.stmts.v[i - 1].is_dml ? &mp->script.stmts.v[i - 1] : change;
        vec_each (const StepLock, lock, &s->locks)
            strong_old = strong_old || (lock->mode >= SQL_LOCK_SHARE && !lock->is_new);
        if (s->mode == STEP_ALONE || !change || !strong_old)
            continue;
        Finding *f = finding_add(l, FINDING_PLAN_MIXED, "changes data while it holds table locks");
        f->object = mp->migration->name;
        f->path = mp->migration->path;
        f->line = change->line;
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
    vec_each (MigrationPlan, mp, &plan->migrations) {
        plan->statements += mp->script.stmts.n - mp->done_statements;
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
        mark_touched(a, &created, &touched, &mp->script);
    }
}
