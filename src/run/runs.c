/* The table of runs: one row for each run that changes a database, completed as it goes on. */
#include "base/os.h"
#include "run/pass.h"
#include "run/session_int.h"
#include "sqltext/sqltext.h"

static void
runs_add_row(const Session *s, Buf *b, const RunRow *r)
{
    buf_addz(b, "INSERT INTO ");
    own_add_table(s, b, OWN_RUNS);
    buf_addz(b,
             " AS r (run_id, verb, environment, os_user, started_at, finished_at, outcome, applied,"
             " backup_id, no_backup_reason, consent) VALUES (");
    const char *texts[] = {r->run_id, r->verb, r->environment, os_who(b->arena)};
    for (size_t i = 0; i < COUNT(texts); i++) {
        sql_add_text(b, texts[i]);
        buf_addz(b, ", ");
    }
    if (r->started_us)
        buf_fmt(b, "pg_catalog.to_timestamp(%lld.%06lld)", (long long)(r->started_us / 1000000),
                (long long)(r->started_us % 1000000));
    else
        buf_addz(b, "pg_catalog.clock_timestamp()");
    buf_addz(b, r->outcome ? ", pg_catalog.clock_timestamp(), " : ", NULL, ");
    sql_add_text(b, r->outcome ? r->outcome : "running");
    buf_fmt(b, ", %d, ", r->applied);
    sql_add_text(b, r->backup_id);
    buf_addz(b, ", ");
    sql_add_text(b, r->no_backup_reason);
    buf_addz(b, ", ");
    sql_add_text(b, r->consent);
    buf_addz(b, ") ON CONFLICT (run_id) DO UPDATE SET finished_at = EXCLUDED.finished_at,"
                " outcome = EXCLUDED.outcome, applied = EXCLUDED.applied,"
                " backup_id = COALESCE(EXCLUDED.backup_id, r.backup_id),"
                " no_backup_reason = COALESCE(EXCLUDED.no_backup_reason, r.no_backup_reason),"
                " consent = COALESCE(EXCLUDED.consent, r.consent)");
}

bool
run_write_row(Session *s, const RunRow *row, Err *err)
{
    if (!own_can_be(s, OWN_RUNS))
        return own_refuse(s, OWN_RUNS, "this run cannot be written down", err);
    Buf b;
    buf_init(&b, s->arena);
    session_add_prefix(s, &b);
    own_add_create(s, &b, 1u << OWN_RUNS);
    runs_add_row(s, &b, row);
    if (!session_make(s, buf_str(&b), NULL, err))
        return false;
    own_made(s, 1u << OWN_RUNS);
    return true;
}

/* ---- a deploy's own ----------------------------------------------------------------------- */

/* The row of this run; outcome NULL = it begins. */
void
run_add_row(Run *r, Buf *b, const char *outcome)
{
    const RunDeploy *d = r->deploy;
    runs_add_row(&r->session, b,
                 &(RunRow){.run_id = d->run_id,
                           .verb = "deploy",
                           .environment = d->session.config->env_name,
                           .started_us = r->started_us + db_info(r->session.db)->clock_offset_us,
                           .outcome = outcome,
                           .applied = (int)r->report->applied.n,
                           .consent = d->consent});
}

/* A run that failed says so in its row, if it can. */
void
run_write_failure(Run *r, const Err *why)
{
    Session *s = &r->session;
    if (!r->approved || !db_is_open(s->db) || !own_is_there(s, OWN_RUNS))
        return;
    Buf b;
    buf_init(&b, r->arena);
    session_add_prefix(s, &b);
    run_add_row(r, &b, why->code == ERR_INTERRUPTED ? "interrupted" : "failed");
    Err ignored;
    db_set_tick(s->db, NULL, NULL); /* also after a signal */
    if (!db_query(s->db, r->arena, buf_str(&b), NULL, &ignored))
        return;
}
