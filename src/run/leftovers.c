/* What interrupted runs have left in the database, and taking it away. */
#include "run/alone.h"
#include "run/session_int.h"
#include "sqltext/sqltext.h"

enum { DROP_WAIT_MS = 5000 };

/* ---- the journal --------------------------------------------------------------------------- */

/* Whether nothing is open any more of what the steps tell of. The ledger must know of it: the journal may
 * hold steps of another history in this database. */
static bool
is_settled(const Session *s, const History *h, const JournalStep *j)
{
    bool known = false;
    vec_each (const LedgerRow, r, &h->rows) {
        if (!ledger_may_hold(ledger_of(s, r), j->ledger_id))
            continue;
        bool same = ledger_holds_begun(ledger_of(s, r)) ? strcmp(r->id, j->ledger_id) == 0
                                                        : strcmp(r->name, j->name) == 0;
        if (same && !r->finished_us && !r->rolled_back_us)
            return false;
        known = known || same;
    }
    return known;
}

/* Those of a rollback go with its last step: where there are any it is not at its end. */
static bool
is_of_rollback(const JournalVec *journal, const char *ledger_id)
{
    vec_each (const JournalStep, j, journal)
        if (j->undo && strcmp(j->ledger_id, ledger_id) == 0)
            return true;
    return false;
}

static void
find_journal(Session *s, const History *h, const JournalVec *journal, RunLeftoverVec *ret)
{
    vec_each (const JournalStep, j, journal) {
        bool told = ret->n && strcmp(ret->v[ret->n - 1].ledger_id, j->ledger_id) == 0;
        if (!told && !is_of_rollback(journal, j->ledger_id) && is_settled(s, h, j))
            *vec_add(s->arena, ret) =
                (RunLeftover){.kind = RUN_LEFT_JOURNAL,
                              .name = j->name,
                              .ledger_id = j->ledger_id,
                              .why = "steps in the journal of a migration that is settled"};
    }
}

/* ---- indexes ------------------------------------------------------------------------------- */

/* The statement of a step, when it is one that leaves indexes. */
static bool
statement_of(Arena *a, const Migration *m, const JournalStep *j, SqlStmt *ret)
{
    MigrationPlan mp;
    SqlScript script;
    Err ignored; /* then nothing is proven */
    if (!m || !m->has_file || !plan_migration(a, m, &(PlanHints){0}, &mp, &ignored) ||
        !plan_script(a, &mp, false, &script, &ignored) || j->first >= script.stmts.n)
        return false;
    *ret = *sql_stmt(&script, j->first, ret);
    return ret->is_concurrent && (ret->kind == SQL_CREATE_INDEX || ret->kind == SQL_REINDEX);
}

static bool
find_indexes(Session *s, const Migration *m, const JournalStep *j, RunLeftoverVec *ret, Err *err)
{
    Arena *a = s->arena;
    SqlStmt stmt;
    DbRowsVec results;
    Buf b;
    if (j->done || !j->indexes_before || !statement_of(a, m, j, &stmt))
        return true;
    bool is_named = stmt.kind == SQL_CREATE_INDEX && stmt.index.name[0];
    buf_init(&b, a);
    session_add_user_prefix(s, &b);
    buf_addz(&b, "SELECT pg_catalog.quote_ident(n.nspname::pg_catalog.text)"
                 " OPERATOR(pg_catalog.||) '.' OPERATOR(pg_catalog.||)"
                 " pg_catalog.quote_ident(c.relname::pg_catalog.text) FROM pg_catalog.pg_index i"
                 " JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) i.indexrelid"
                 " JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace"
                 " WHERE NOT i.indisvalid AND c.relkind OPERATOR(pg_catalog.=) 'i' AND ");
    buf_addz(&b, is_named ? index_where_named(a, &stmt) : index_left_by(a, &stmt));
    buf_addz(&b, " AND NOT c.oid OPERATOR(pg_catalog.=) ANY (");
    sql_add_literal(&b, str_of(j->indexes_before));
    buf_addz(&b, "::pg_catalog.oid[]) AND ");
    buf_fmt(&b, BUILDER_ON " IS NULL", "i.indrelid");
    if (!db_query(s->db, a, buf_str(&b), &results, err))
        return false;
    const DbRows *rows = &results.v[results.n - 1];
    for (int i = 0; i < rows->rows; i++)
        *vec_add(a, ret) = (RunLeftover){
            .kind = RUN_LEFT_INDEX,
            .name = db_cell(rows, i, 0).p,
            .ledger_id = "",
            .why = str_fmt(a,
                           "invalid; %s of migration \"%s\" was interrupted, and it was not "
                           "there before",
                           stmt.tag, m->name)};
    return true;
}

/* ---- all of them --------------------------------------------------------------------------- */

bool
run_leftovers(Session *s, const History *h, const JournalVec *journal, RunLeftoverVec *ret,
              Err *err)
{
    LockHolderVec holders = {0};
    find_journal(s, h, journal, ret);
    vec_each (const JournalStep, j, journal) {
        const Entry *e = history_find(h, j->name);
        if (e && e->state == ENTRY_RESUMABLE && !e->undo && /* its steps are those of the file */
            !find_indexes(s, e->file, j, ret, err))
            return false;
    }
    if (!lock_holders(s, s->arena, &holders, err))
        return false;
    vec_each (const LockHolder, l, &holders)
        if (l->orphaned)
            *vec_add(s->arena, ret) =
                (RunLeftover){.kind = RUN_LEFT_SESSION,
                              .name = str_fmt(s->arena, "server process %d: %s", l->pid, l->who),
                              .ledger_id = "",
                              .why = "it holds the migration lock, and its program on this machine "
                                     "is gone",
                              .holder = *l};
    return true;
}

static bool
drop_index(Session *s, const char *name, bool *ret_gone, Err *err)
{
    Buf b;
    DbOutcome o;
    buf_init(&b, s->arena);
    session_add_prefix(s, &b);
    buf_fmt(&b, "SET statement_timeout=0;SET lock_timeout=%d", DROP_WAIT_MS);
    if (!db_query(s->db, s->arena, buf_str(&b), NULL, err))
        return false;
    db_run(s->db, s->arena, str_of(str_fmt(s->arena, "DROP INDEX CONCURRENTLY IF EXISTS %s", name)),
           &(DbRun){0}, &o);
    *ret_gone = o.end == DB_DONE;
    return o.end == DB_LOST || o.cancelled ? db_outcome_err(&o, "dropping an invalid index", err)
                                           : true;
}

bool
run_remove_leftover(Session *s, const RunLeftover *l, bool *ret_gone, Err *err)
{
    Buf b;
    switch (l->kind) {
    case RUN_LEFT_JOURNAL:
        buf_init(&b, s->arena);
        session_add_prefix(s, &b);
        journal_add_forget(s, &b, l->ledger_id);
        *ret_gone = session_query(s, s->arena, buf_str(&b), NULL, err);
        return *ret_gone;
    case RUN_LEFT_INDEX:
        return drop_index(s, l->name, ret_gone, err);
    case RUN_LEFT_SESSION:
        return lock_terminate(s, &l->holder, ret_gone, err);
    }
    return true;
}
