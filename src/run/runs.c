/* The table of runs: one row for each run that changes a database, completed as it goes on. */
#include "base/os.h"
#include "run/pass.h"
#include "run/session_int.h"
#include "sqltext/sqltext.h"

static void
add_details(Buf *b, const RunRow *r)
{
    buf_addz(b, ", ");
    sql_add_text(b, ARAMID_VERSION);
    buf_addz(b, ", ");
    sql_add_text(b, r->log);
    buf_addz(b, r->name_count ? ", ARRAY[" : ", NULL");
    for (size_t i = 0; i < r->name_count; i++) {
        buf_addz(b, i ? "," : "");
        sql_add_text(b, r->names[i]);
    }
    buf_addz(b, r->name_count ? "]::pg_catalog.text[]" : "");
}

static void
runs_add_row(const Session *s, Buf *b, const RunRow *r)
{
    buf_addz(b, "INSERT INTO ");
    own_add_table(s, b, OWN_RUNS);
    buf_addz(b,
             " AS r (run_id, verb, environment, os_user, started_at, finished_at, outcome, applied,"
             " backup_id, no_backup_reason, consent");
    bool is_old = s->own[OWN_RUNS].exists && s->own[OWN_RUNS].is_old && !s->own[OWN_RUNS].may_alter;
    buf_addz(b, is_old ? ") VALUES (" : ", tool_version, log, migrations) VALUES (");
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
    if (!is_old)
        add_details(b, r);
    buf_addz(b, ") ON CONFLICT (run_id) DO UPDATE SET finished_at = EXCLUDED.finished_at,"
                " outcome = EXCLUDED.outcome, applied = EXCLUDED.applied,"
                " backup_id = COALESCE(EXCLUDED.backup_id, r.backup_id),"
                " no_backup_reason = COALESCE(EXCLUDED.no_backup_reason, r.no_backup_reason),"
                " consent = COALESCE(EXCLUDED.consent, r.consent)");
    if (!is_old)
        buf_addz(b, ", tool_version = EXCLUDED.tool_version, log = COALESCE(EXCLUDED.log, r.log),"
                    " migrations = COALESCE(EXCLUDED.migrations, r.migrations)");
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

bool
run_read_rows(Session *s, RunShownVec *ret, bool *ret_hidden, Err *err)
{
    const OwnPlace *p = &s->own[OWN_RUNS];
    *ret_hidden = p->exists && !p->may_read;
    if (!p->exists || !p->may_read)
        return true;
    Buf b;
    buf_init(&b, s->arena);
    session_add_prefix(s, &b);
    static const char time[] =
        "pg_catalog.to_char(%s AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), ";
    buf_addz(&b, "SELECT run_id, verb, environment, os_user, db_user, ");
    buf_fmt(&b, time, "started_at");
    buf_fmt(&b, time, "finished_at");
    buf_addz(&b, "outcome, backup_id, ");
    buf_addz(&b, p->is_old ? "NULL, NULL, NULL"
                           : "tool_version, log, E'\\n' OPERATOR(pg_catalog.||)"
                             " pg_catalog.array_to_string(migrations, E'\\n')"
                             " OPERATOR(pg_catalog.||) E'\\n'");
    buf_addz(&b, " FROM ");
    own_add_table(s, &b, OWN_RUNS);
    buf_addz(&b, " ORDER BY started_at, run_id");
    DbRowsVec results;
    if (!session_query(s, s->arena, buf_str(&b), &results, err))
        return false;
    const DbRows *rows = &results.v[results.n - 1];
    for (int i = 0; i < rows->rows; i++)
        *vec_add(s->arena, ret) = (RunShown){.run_id = db_cell(rows, i, 0).p,
                                             .verb = db_cell(rows, i, 1).p,
                                             .environment = db_cell(rows, i, 2).p,
                                             .os_user = db_cell(rows, i, 3).p,
                                             .db_user = db_cell(rows, i, 4).p,
                                             .started_at = db_cell(rows, i, 5).p,
                                             .finished_at = db_cell(rows, i, 6).p,
                                             .outcome = db_cell(rows, i, 7).p,
                                             .backup_id = db_cell(rows, i, 8).p,
                                             .tool_version = db_cell(rows, i, 9).p,
                                             .log = db_cell(rows, i, 10).p,
                                             .names = db_cell(rows, i, 11).p};
    return true;
}

/* ---- a deploy's own ----------------------------------------------------------------------- */

/* The row of this run; outcome NULL = it begins. */
void
run_add_row(Run *r, Buf *b, const char *outcome)
{
    const RunDeploy *d = r->deploy;
    VEC(const char *) names = {0};
    for (size_t i = 0; outcome && i < r->report->applied.n; i++)
        *vec_add(r->arena, &names) = r->report->applied.v[i].name;
    runs_add_row(&r->session, b,
                 &(RunRow){.run_id = d->run_id,
                           .verb = d->verb,
                           .environment = d->session.config->env_name,
                           .started_us = r->started_us + db_info(r->session.db)->clock_offset_us,
                           .outcome = outcome,
                           .applied = (int)r->report->applied.n,
                           .consent = d->consent,
                           .log = d->sink.place ? d->sink.place(d->sink.arg) : NULL,
                           .names = names.v,
                           .name_count = names.n});
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
