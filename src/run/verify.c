/* The last look: the ledger holds every migration, and nothing is left open. */
#include "run/alone.h"
#include "run/pass.h"
#include "run/session_int.h"

/* The last look, and the end of the run's row with it. */
static bool
ask_state(Run *r, bool records, DbRowsVec *ret, size_t *ret_at, Err *err)
{
    Session *s = &r->session;
    Buf b;
    buf_init(&b, r->arena);
    *ret_at = (size_t)session_add_prefix(s, &b);
    session_add_history_queries(s, &b);
    if (records) {
        run_add_row(r, &b, r->deploy->outcome ? r->deploy->outcome : "done");
        buf_addc(&b, ';');
    }
    buf_fmt(&b,
            "SELECT pg_catalog.quote_ident(n.nspname::pg_catalog.text)"
            " OPERATOR(pg_catalog.||) '.' OPERATOR(pg_catalog.||)"
            " pg_catalog.quote_ident(c.relname::pg_catalog.text), c.relname OPERATOR(pg_catalog.~)"
            " '_cc(new|old)[0-9]*$' FROM pg_catalog.pg_index i"
            " JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) i.indexrelid"
            " JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace"
            " WHERE NOT i.indisvalid AND c.relkind OPERATOR(pg_catalog.=) 'i'"
            " AND " BUILDER_ON " IS NULL",
            "i.indrelid");
    return session_query(s, r->arena, buf_str(&b), ret, err);
}

/* The ledger must hold none of what was rolled back. */
static bool
verify_undone(Run *r, const History *h, Err *err)
{
    for (size_t i = 0; i < r->deploy->undo_count; i++) {
        const char *name = r->deploy->undos[i].migration->name;
        const Entry *e = history_find(h, name);
        if (!e || e->state == ENTRY_PENDING)
            continue;
        err_set(err, ERR_VERIFY, "after the rollback migration \"%s\" is still in the history",
                name);
        return err_hint(err, "look at: aramid status");
    }
    r->number = r->total = 0;
    run_emit(r, RUN_VERIFIED, RUN_OK, NULL, "the history table holds %d migration%s", h->applied,
             str_plural(h->applied));
    return true;
}

/* The ledger must hold every migration, no step may be open, and no index of this run be invalid. */
bool
run_verify(Run *r, Err *err)
{
    Session *s = &r->session;
    History *h = r->deploy->history;
    failpoint(r, FP_BEFORE_VERIFY);
    DbRowsVec results;
    size_t at;
    bool records = own_is_there(s, OWN_RUNS);
    bool ok = ask_state(r, records, &results, &at, err);
    if (!ok && records && err->sqlstate[0] && db_is_open(s->db)) {
        run_find(&r->deploy->sink, FINDING_RUN_NOT_RECORDED, NULL, NULL,
                 "the end of this run could not be written down: %s", err->primary);
        ok = ask_state(r, false, &results, &at, err);
    }
    if (!ok || !session_take_history(s, &results, at, h, &r->journal, err))
        return false;
    if (r->deploy->undo_count)
        return verify_undone(r, h, err);
    if (h->pending || h->resumable || h->failed) {
        err_set(err, ERR_VERIFY, "after the run %d %s%s not recorded as applied",
                h->pending + h->resumable + h->failed, run_noun(r),
                h->pending + h->resumable + h->failed == 1 ? " is" : "s are");
        return err_hint(err, "look at: aramid status");
    }
    const DbRows *invalid = &results.v[results.n - 1];
    for (int i = 0; i < invalid->rows; i++) {
        const char *name = db_cell(invalid, i, 0).p;
        bool leftover = str_is(db_cell(invalid, i, 1), "t");
        run_find(&r->deploy->sink, FINDING_RUN_INVALID_INDEX, str_fmt(r->arena, "index %s", name),
                 leftover ? str_fmt(r->arena, "DROP INDEX %s", name)
                          : str_fmt(r->arena, "REINDEX INDEX CONCURRENTLY %s; or drop it", name),
                 "it is invalid: an interrupted build left it");
    }
    r->number = r->total = 0; /* it is about all of them */
    if (h->layout->is_beside)
        return true;
    run_emit(r, RUN_VERIFIED, RUN_OK, NULL, "the history table%s%s%zu migration%s",
             history_versioned(h) > 1 ? "s hold " : " holds ", h->files.n == 1 ? "" : "all ",
             h->files.n, str_plural(h->files.n));
    return true;
}
