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

bool
intent_write(const Try *t, Intent *ret, Err *err)
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
    Buf b;
    buf_init(&b, a);
    session_add_user_prefix(ses, &b);
    buf_addz(&b, "SET LOCAL synchronous_commit=off;SET LOCAL lock_timeout='5s';");
    session_add_row_security(ses, &b);
    run_add_carry(r, &b);
    const SessionLedger *l = ledger_of(ses, row);
    if (t->first && ledger_holds_begun(l)) {
        ledger_add_begun(ses, &b, row);
        buf_addc(&b, ';');
    }
    if (t->first && row->is_undone) {
        journal_add_forget(ses, &b, row->id);
        buf_addc(&b, ';');
    }
    journal_add_insert(ses, &b,
                       &(JournalEntry){.ledger_id = row->id,
                                       .name = row->name,
                                       .first = step->first,
                                       .next = step->first + 1,
                                       .prefix_hash = prefix,
                                       .relation = table,
                                       .undo = journal_undo(t),
                                       .before = remembers ? index_left_by(a, s) : NULL,
                                       .run_id = r->deploy->run_id});
    buf_addc(&b, ';');
    ledger_add_proof(ses, &b,
                     &(Kept){.row = row,
                             .ledger = t->first && ledger_holds_begun(l),
                             .journal = true,
                             .first = step->first,
                             .next = step->first + 1});
    /* One scan of the locks, and no join: this runs before each index build. */
    buf_addz(&b, ";SELECT COALESCE(pg_catalog.bool_or(NOT l.granted AND ");
    lock_add_is_tools(ses, &b);
    buf_addz(&b, "), false), COALESCE(pg_catalog.bool_or(l.locktype"
                 " OPERATOR(pg_catalog.=) 'advisory' AND l.granted AND l.classid "
                 "OPERATOR(pg_catalog.=) " LOCK_CLASS_OWN
                 " AND l.objid OPERATOR(pg_catalog.=) " LOCK_OBJ_OWN
                 " AND l.pid OPERATOR(pg_catalog.=) pg_catalog.pg_backend_pid()), false)");
    if (table)
        buf_fmt(&b,
                ", COALESCE(pg_catalog.bool_or(l.mode OPERATOR(pg_catalog.=)"
                " 'ShareUpdateExclusiveLock' AND l.granted AND l.relation OPERATOR(pg_catalog.=) %s"
                " AND l.pid OPERATOR(pg_catalog.<>) pg_catalog.pg_backend_pid()), false) OR EXISTS"
                " (SELECT 1 FROM pg_catalog.pg_index i WHERE i.indrelid OPERATOR(pg_catalog.=) %s"
                " AND NOT i.indisvalid)",
                table, table);
    else
        buf_addz(&b, ", false");
    buf_addz(&b,
             " FROM pg_catalog.pg_lock_status() l WHERE l.database OPERATOR(pg_catalog.=) (SELECT"
             " d.oid FROM pg_catalog.pg_database d WHERE d.datname OPERATOR(pg_catalog.=)"
             " pg_catalog.current_database());");
    alone_add_timeouts(t, &b);
    DbRowsVec results;
    if (!session_query(&r->session, a, buf_str(&b), &results, err))
        return false;
    run_drop_carry(r);
    const DbRows *rows = &results.v[results.n - 3];
    ret->tool_waits = str_is(db_cell(rows, 0, 0), "t");
    ret->has_lock = str_is(db_cell(rows, 0, 1), "t");
    ret->in_the_way = str_is(db_cell(rows, 0, 2), "t");
    return true;
}
