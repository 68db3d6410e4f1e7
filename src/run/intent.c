/* The journal's word, before a statement outside of transactions, that it is about to begin. */
#include "run/alone.h"
#include "run/session_int.h"
#include "sqltext/sqltext.h"

const JournalStep *
intent_find(const Run *r, const char *ledger_id, size_t first)
{
    vec_each (const JournalStep, j, &r->journal)
        if (!j->done && j->first == first && strcmp(j->ledger_id, ledger_id) == 0)
            return j;
    return NULL;
}

int64_t
alone_lock_ms(const Try *t)
{
    const SqlStmt *s = t->step->only;
    int64_t own = plan_lock_timeout_ms(t->mp);
    bool lets_through = s->is_concurrent && s->kind != SQL_DETACH_PARTITION;
    return own >= 0 ? own
           : lets_through || s->tx == SQL_TX_HIDDEN
               ? 0
               : config_ms(t->run->session.config, CFG_LOCK_TIMEOUT);
}

void
alone_add_timeouts(const Try *t, Buf *b)
{
    int64_t own = plan_timeout_ms(t->mp);
    buf_fmt(b, "SET lock_timeout=%lld;SET statement_timeout=%lld", (long long)alone_lock_ms(t),
            (long long)(own > 0 ? own : 0));
}

/* Its rows. Where they are there already, only what the journal remembers of the indexes is new. */
static bool
add_rows(const Try *t, Buf *b, Err *err)
{
    Run *r = t->run;
    Arena *a = t->arena;
    const Step *step = t->step;
    const LedgerRow *row = t->row;
    const Session *ses = &r->session;
    const SqlStmt *s = step->only;
    const char *table = index_table(a, s);
    const char *prefix;
    if (!journal_prefix_hash(a, t->mp, step->first + 1, &prefix, err))
        return false;
    bool remembers = table || s->kind == SQL_REINDEX;
    bool holds = t->first && ledger_holds_begun(ledger_of(ses, row));
    if (holds && !t->is_begun) {
        ledger_add_begun(ses, b, row);
        buf_addc(b, ';');
    }
    if (t->first && (row->is_undone || t->is_begun)) {
        journal_add_forget(ses, b, row->id);
        buf_addc(b, ';');
    }
    journal_add_insert(ses, b,
                       &(JournalEntry){.ledger_id = row->id,
                                       .name = row->name,
                                       .first = step->first,
                                       .next = step->first + 1,
                                       .prefix_hash = prefix,
                                       .relation = table,
                                       .undo = journal_undo(t),
                                       .before = remembers ? index_left_by(a, s) : NULL,
                                       .run_id = r->deploy->run_id});
    buf_addc(b, ';');
    ledger_add_proof(ses, b,
                     &(Kept){.row = row,
                             .ledger = holds,
                             .journal = true,
                             .first = step->first,
                             .next = step->first + 1});
    buf_addc(b, ';');
    return true;
}

/* One row: whether a tool waits, whether the lock is ours, and for each statement who is in its way. */
static void
add_look(const Try *t, Buf *b)
{
    /* One scan of the locks, and no join: this runs before each index build. */
    buf_addz(b, "SELECT COALESCE(pg_catalog.bool_or(NOT l.granted AND ");
    lock_add_is_tools(&t->run->session, b);
    buf_addz(b, "), false), COALESCE(pg_catalog.bool_or(l.locktype"
                " OPERATOR(pg_catalog.=) 'advisory' AND l.granted AND l.classid "
                "OPERATOR(pg_catalog.=) " LOCK_CLASS_OWN
                " AND l.objid OPERATOR(pg_catalog.=) " LOCK_OBJ_OWN
                " AND l.pid OPERATOR(pg_catalog.=) pg_catalog.pg_backend_pid()), false)");
    for (const Try *x = t; x <= t + t->behind; x++) {
        const char *table = index_table(t->arena, x->step->only);
        if (table)
            buf_fmt(b,
                    ", COALESCE(pg_catalog.bool_or(l.mode OPERATOR(pg_catalog.=)"
                    " 'ShareUpdateExclusiveLock' AND l.granted AND l.relation"
                    " OPERATOR(pg_catalog.=) %s"
                    " AND l.pid OPERATOR(pg_catalog.<>) pg_catalog.pg_backend_pid()), false) OR"
                    " EXISTS (SELECT 1 FROM pg_catalog.pg_index i WHERE i.indrelid"
                    " OPERATOR(pg_catalog.=) %s AND NOT i.indisvalid)",
                    table, table);
        else
            buf_addz(b, ", false");
    }
    buf_addz(b,
             " FROM pg_catalog.pg_lock_status() l WHERE l.database OPERATOR(pg_catalog.=) (SELECT"
             " d.oid FROM pg_catalog.pg_database d WHERE d.datname OPERATOR(pg_catalog.=)"
             " pg_catalog.current_database());");
}

bool
intent_write(Try *t, Intent *ret, Err *err)
{
    Run *r = t->run;
    Buf b;
    buf_init(&b, t->arena);
    session_add_user_prefix(&r->session, &b);
    buf_addz(&b, "SET LOCAL synchronous_commit=off;SET LOCAL lock_timeout='5s';");
    session_add_row_security(&r->session, &b);
    run_add_carry(r, &b);
    for (const Try *x = t; x <= t + t->behind; x++)
        if (!add_rows(x, &b, err))
            return false;
    add_look(t, &b);
    alone_add_timeouts(t, &b);
    DbRowsVec results;
    if (!session_query(&r->session, t->arena, buf_str(&b), &results, err))
        return false;
    run_drop_carry(r);
    const DbRows *rows = &results.v[results.n - 3];
    ret->tool_waits = str_is(db_cell(rows, 0, 0), "t");
    ret->has_lock = str_is(db_cell(rows, 0, 1), "t");
    for (Try *x = t; x <= t + t->behind; x++) {
        x->is_begun = true;
        x->in_the_way = str_is(db_cell(rows, 0, (int)(2 + (x - t))), "t");
    }
    return true;
}

/* Of a migration whose statement was announced and not sent: its rows go, and it is pending again. */
static void
take_back(Run *r, Buf *b, MigrationPlan *mp)
{
    const Session *s = &r->session;
    LedgerRow row = {.id = mp->ledger_id,
                     .name = mp->migration->name,
                     .migration = mp->migration,
                     .part = mp->migration->part};
    if (ledger_holds_begun(ledger_of(s, &row))) {
        ledger_add_forgotten(s, b, &row);
        buf_addc(b, ';');
    }
    journal_add_forget(s, b, row.id);
    buf_addc(b, ';');
    mp->ledger_id = NULL;
}

bool
intent_forget_behind(const Try *t, const JournalStep *begun, Err *err)
{
    Run *r = t->run;
    Buf b;
    buf_init(&b, t->arena);
    session_add_prefix(&r->session, &b);
    size_t before = b.n;
    vec_each (MigrationPlan, mp, &r->plan.migrations) {
        if (mp <= t->mp || !mp->ledger_id || mp->undoes || !mp->steps.n)
            continue;
        const JournalStep *j = intent_find(r, mp->ledger_id, mp->steps.v->first);
        if (j && strcmp(j->run_id, begun->run_id) == 0)
            take_back(r, &b, mp);
    }
    return b.n == before || session_query(&r->session, t->arena, buf_str(&b), NULL, err);
}
