/* Proof from the catalog whether a statement that was begun outside of transactions had its effect. */
#include "run/alone.h"
#include "run/session_int.h"
#include "sqltext/sqltext.h"

static bool
prove_create_index(Run *r, Arena *a, const SqlStmt *s, const JournalStep *j, Proof *ret, Err *err)
{
    *ret = PROOF_NOT_DONE;
    IndexVec list = {0};
    if (!index_repair(r, a, index_was_before(a, j), index_where_relation(a, j), err) ||
        !index_read(r, a, index_was_before(a, j), index_where_relation(a, j), &list, err))
        return false;
    vec_each (const IndexState, x, &list) {
        bool same_name = strcmp(x->name, s->index.name) == 0;
        if (x->valid && (s->index.name[0] ? same_name && (!x->before || s->if_exists) : !x->before))
            *ret = PROOF_DONE;
    }
    return true;
}

static bool
ask(Run *r, Arena *a, const char *sql, DbRowsVec *results, Err *err)
{
    Buf b;
    buf_init(&b, a);
    session_add_user_prefix(&r->session, &b);
    buf_addz(&b, sql);
    return db_query(r->session.db, a, buf_str(&b), results, err);
}

static bool
prove_drop_index(Run *r, Arena *a, const SqlStmt *s, Proof *ret, Err *err)
{
    Buf lit;
    buf_init(&lit, a);
    sql_add_literal(&lit, str_of(index_regclass(a, s->index)));
    DbRowsVec results;
    if (!ask(r, a, str_fmt(a, "SELECT pg_catalog.to_regclass(%s) IS NULL", lit.p), &results, err))
        return false;
    *ret = str_is(db_cell(&results.v[results.n - 1], 0, 0), "t") ? PROOF_DONE : PROOF_NOT_DONE;
    return true;
}

/* DETACH ... CONCURRENTLY has two transactions; after the first only FINALIZE goes on. */
static bool
prove_detach(Run *r, Arena *a, const SqlStmt *s, Proof *ret, Err *err)
{
    Buf parent, child;
    buf_init(&parent, a);
    buf_init(&child, a);
    sql_add_literal(&parent, str_of(index_regclass(a, s->parent)));
    sql_add_literal(&child, str_of(index_regclass(a, s->table)));
    DbRowsVec results;
    if (!ask(r, a,
             str_fmt(a,
                     "SELECT h.inhdetachpending FROM pg_catalog.pg_inherits h WHERE h.inhrelid"
                     " OPERATOR(pg_catalog.=) pg_catalog.to_regclass(%s) AND h.inhparent"
                     " OPERATOR(pg_catalog.=) pg_catalog.to_regclass(%s)",
                     child.p, parent.p),
             &results, err))
        return false;
    const DbRows *rows = &results.v[results.n - 1];
    *ret = rows->rows ? PROOF_NOT_DONE : PROOF_DONE;
    if (rows->rows && str_is(db_cell(rows, 0, 0), "t")) {
        if (!ask(r, a,
                 str_fmt(a, "ALTER TABLE %s DETACH PARTITION %s FINALIZE",
                         index_regclass(a, s->parent), index_regclass(a, s->table)),
                 &results, err))
            return false;
        *ret = PROOF_DONE;
    }
    return true;
}

bool
is_provable(const SqlStmt *s)
{
    return s->kind == SQL_CREATE_INDEX || s->kind == SQL_DROP_INDEX || s->kind == SQL_REINDEX ||
           s->kind == SQL_DETACH_PARTITION || s->kind == SQL_VACUUM;
}

bool
prove(Run *r, Arena *a, const SqlStmt *s, const JournalStep *j, Proof *ret, Err *err)
{
    *ret = PROOF_NONE;
    switch (s->kind) {
    case SQL_CREATE_INDEX:
        return prove_create_index(r, a, s, j, ret, err);
    case SQL_DROP_INDEX:
        return prove_drop_index(r, a, s, ret, err);
    case SQL_DETACH_PARTITION:
        return prove_detach(r, a, s, ret, err);
    case SQL_REINDEX: /* running it again is harmless once the leftovers are gone */
        *ret = PROOF_NOT_DONE;
        return index_repair(r, a, "false", INDEX_REINDEX_LEFTOVER, err);
    case SQL_VACUUM: /* harmless to run twice */
        *ret = PROOF_NOT_DONE;
        return true;
    default:
        return true;
    }
}
