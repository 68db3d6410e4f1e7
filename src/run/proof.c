/* The proving query of a migration: nothing behind it runs, and the ledger has no end of the migration,
 * unless it gives no row, or true. */
#include "run/session_int.h"
#include "run/step.h"
#include "sqltext/sqltext.h"

enum { ROWS_SHOWN = 3 };

/* The first rows of what it gives, with the number of statements before it in the message. */
static bool
write_query(const Try *t, Arena *a, Buf *out, int *ret_before, Err *err)
{
    const Session *s = &t->run->session;
    const SqlStmt *stmt = t->step->only;
    int64_t own = plan_timeout_ms(t->mp);
    buf_init(out, a);
    *ret_before = session_add_user_prefix(s, out) + 2;
    buf_fmt(out, "SET TRANSACTION READ ONLY;SET LOCAL statement_timeout=%lld;SELECT * FROM (\n",
            (long long)(own >= 0 ? own : config_ms(s->config, CFG_STATEMENT_TIMEOUT)));
    bool ok = plan_add_text(out, t->mp, stmt->off, stmt->off + stmt->len, err);
    buf_fmt(out, "\n) AS aramid_proof LIMIT %d", ROWS_SHOWN + 1);
    return ok;
}

static const char *
row_text(Arena *a, const DbRows *rows, int row)
{
    Buf b;
    buf_init(&b, a);
    for (int i = 0; i < rows->cols; i++) {
        Str cell = db_cell(rows, row, i);
        buf_addz(&b, i ? ", " : "");
        buf_add(&b, cell.p ? str_slice(cell, 0, cell.n < 60 ? cell.n : 60) : STR("NULL"));
    }
    return str_printable(a, buf_str(&b), false);
}

static bool
refuse(const Try *t, const DbRows *rows, Err *err)
{
    Run *r = t->run;
    ARENA_LOCAL(a);
    err_set(err, ERR_PROOF, "the proof of %s \"%s\" does not hold", run_noun(r),
            t->mp->migration->name);
    plan_place(t->mp, t->step->first, err);
    plan_quote_line(t->mp, err);
    for (int i = 0; i < rows->rows && i < ROWS_SHOWN; i++)
        err_detail(err, "%s: %s", rows->rows == 1 && rows->cols == 1 ? "it gives" : "a row",
                   row_text(a, rows, i));
    if (rows->rows > ROWS_SHOWN)
        err_detail(err, "and more");
    err_detail(err, "state: the %zu statements before it are committed, the rest has not run",
               t->step->first);
    r->report->failed = t->mp->migration->name;
    err_hint(err,
             "correct the rows, or put a statement that does so in front of the proof, and run: "
             "aramid %s",
             run_verb(r));
    return false;
}

static bool
ask(const Try *t, StepEnd *ret, Err *err)
{
    Run *r = t->run;
    ARENA_LOCAL(a);
    Buf b;
    int before;
    DbOutcome o;
    if (!run_flush_carry(r, err) || !write_query(t, a, &b, &before, err))
        return false;
    failpoint(r, FP_BEFORE_PROOF);
    db_run(r->session.db, a, buf_str(&b), &(DbRun){0}, &o);
    if (o.cancelled && r->stop_asked)
        return db_outcome_err(&o, "the proof", err);
    if (o.end == DB_LOST) {
        run_restart(r, DB_PATIENCE_PASS, o.message);
        *ret = STEP_RESTART;
        return true;
    }
    if (o.end == DB_FAILED)
        return step_failed(r, t->mp, NULL, &o, t->step->first, err);
    const DbRows *rows = &o.results.v[before];
    bool is_true = rows->rows == 1 && rows->cols == 1 && str_is(db_cell(rows, 0, 0), "t");
    *ret = STEP_ENDED;
    return !rows->rows || is_true || refuse(t, rows, err);
}

bool
proof_run(Try *t, StepEnd *ret, Err *err)
{
    Run *r = t->run;
    if (!ask(t, ret, err) || *ret != STEP_ENDED)
        return *ret == STEP_RESTART;
    StepWrite write;
    Buf b;
    if (!step_record(t, t->arena, &write, err))
        return false;
    buf_init(&b, t->arena);
    session_add_prefix(&r->session, &b);
    buf_addz(&b, write.record);
    buf_addz(&b, write.proof);
    if (!session_query(&r->session, t->arena, buf_str(&b), NULL, err))
        return false;
    run_emit(r, RUN_CHECKED, RUN_OK, t->mp->migration->name, "the proof holds (line %d)",
             t->step->only->line);
    return true;
}
