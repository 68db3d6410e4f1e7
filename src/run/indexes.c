/* Indexes that an interrupted build left invalid, and builds of others on the same table. */
#include "run/alone.h"
#include "run/session_int.h"
#include "sqltext/sqltext.h"

char *
index_regclass(Arena *a, SqlName name)
{
    Buf b;
    buf_init(&b, a);
    if (name.schema && name.schema[0])
        sql_add_name(&b, name.schema, name.name);
    else
        sql_add_ident(&b, name.name);
    return b.p;
}

/* Indexes of a table: valid or not, there before the step or not, and who builds on that table. */
static const char index_query[] =
    "SELECT pg_catalog.quote_ident(n.nspname::pg_catalog.text) OPERATOR(pg_catalog.||) '.'"
    " OPERATOR(pg_catalog.||) pg_catalog.quote_ident(c.relname::pg_catalog.text), c.relname,"
    " i.indisvalid, %s, %s"
    " FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=)"
    " i.indexrelid JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace"
    " WHERE %s ORDER BY c.oid";

bool
index_read(Run *r, Arena *a, const char *before, const char *where, IndexVec *ret, Err *err)
{
    Buf b;
    buf_init(&b, a);
    session_add_user_prefix(&r->session, &b);
    buf_addz(&b, str_fmt(a, index_query, before, str_fmt(a, BUILDER_ON, "i.indrelid"), where));
    DbRowsVec results;
    if (!db_query(r->session.db, a, buf_str(&b), &results, err))
        return false;
    const DbRows *rows = &results.v[results.n - 1];
    ret->n = 0;
    for (int i = 0; i < rows->rows; i++)
        *vec_add(a, ret) = (IndexState){
            .qualified = db_cell(rows, i, 0).p,
            .name = db_cell(rows, i, 1).p,
            .valid = str_is(db_cell(rows, i, 2), "t"),
            .before = str_is(db_cell(rows, i, 3), "t"),
            .builder = db_cell(rows, i, 4).p,
        };
    return true;
}

enum { LOOK_EVERY_MS = 1000, TELL_EVERY_LOOKS = 10 };

/* Let a moment pass while something is in the way, and say so now and then. */
static bool
wait_a_moment(Run *r, int looks, const char *what, Err *err)
{
    if (looks % TELL_EVERY_LOOKS == 0)
        run_emit(r, RUN_BLOCKED, RUN_INFO, r->current, "waiting: %s", what);
    return db_pause(run_tick, r, LOOK_EVERY_MS) ||
           err_set(err, ERR_INTERRUPTED, "the run was interrupted");
}

static const char *
builder_text(Arena *a, const char *pid)
{
    return str_fmt(a, "process %s builds an index on the same table", pid);
}

bool
index_wait_for_builder(Run *r, Arena *a, const char *table, Err *err)
{
    for (int looks = 0;; looks++) {
        Buf b;
        buf_init(&b, a);
        session_add_user_prefix(&r->session, &b);
        buf_fmt(&b, "SELECT " BUILDER_ON, table);
        DbRowsVec results;
        if (!db_query(r->session.db, a, buf_str(&b), &results, err))
            return false;
        const char *pid = db_cell(&results.v[results.n - 1], 0, 0).p;
        if (!pid)
            return true;
        if (!wait_a_moment(r, looks, builder_text(a, pid), err))
            return false;
    }
}

/* Drop what an interrupted build left. Concurrently, so that nobody waits. It must not wait behind
 * somebody who began to build meanwhile: the server would end one of us, or we would drop what he
 * has finished. So it gives up before anybody looks for a deadlock, and the caller looks again. */
static bool
drop_invalid(Run *r, Arena *a, const IndexState *x, int looks, bool *ret_blocked, Err *err)
{
    failpoint(r, FP_BEFORE_REPAIR);
    Buf b;
    buf_init(&b, a);
    session_add_prefix(&r->session, &b);
    /* Old transactions are waited for too, so the limit grows. */
    buf_fmt(
        &b, "SET statement_timeout=0;SET lock_timeout=%lld",
        (long long)(db_info(r->session.db)->deadlock_timeout_ms / 2 << (looks < 7 ? looks : 7)));
    DbOutcome o;
    if (!db_query(r->session.db, a, buf_str(&b), NULL, err))
        return false;
    db_run(r->session.db, a,
           str_of(str_fmt(a, "DROP INDEX CONCURRENTLY IF EXISTS %s", x->qualified)), &(DbRun){0},
           &o);
    DbRetry retry = db_retry_class(o.sqlstate);
    if (o.end == DB_FAILED && (retry == DB_RETRY_LOCK || retry == DB_RETRY_CONFLICT)) {
        *ret_blocked = true;
        return true;
    }
    if (o.end != DB_DONE)
        return db_outcome_err(&o, "dropping an invalid index", err);
    run_emit(r, RUN_REPAIRED, RUN_WARN, r->current,
             "dropped the invalid index %s that an interrupted build had left", x->qualified);
    failpoint(r, FP_AFTER_REPAIR);
    return true;
}

bool
index_repair(Run *r, Arena *a, const char *before, const char *where, Err *err)
{
    for (int looks = 0;; looks++) {
        IndexVec list = {0};
        const char *waits_for = NULL;
        if (!index_read(r, a, before, where, &list, err))
            return false;
        vec_each (const IndexState, x, &list) {
            if (x->valid || x->before)
                continue;
            bool blocked = false;
            if (x->builder)
                waits_for = builder_text(a, x->builder);
            else if (!drop_invalid(r, a, x, looks, &blocked, err))
                return false;
            if (blocked)
                waits_for = str_fmt(a,
                                    "older transactions keep the invalid index %s from being "
                                    "dropped",
                                    x->qualified);
        }
        if (!waits_for)
            return true;
        if (!wait_a_moment(r, looks, waits_for, err))
            return false;
    }
}

char *
index_where_relation(Arena *a, const JournalStep *j)
{
    return str_fmt(a, "i.indrelid OPERATOR(pg_catalog.=) %lld", (long long)j->relation);
}

char *
index_was_before(Arena *a, const JournalStep *j)
{
    return str_fmt(a, "c.oid OPERATOR(pg_catalog.=) ANY ('%s'::pg_catalog.oid[])",
                   j->indexes_before ? j->indexes_before : "{}");
}

char *
index_where_named(Arena *a, const SqlStmt *s)
{
    Buf lit;
    buf_init(&lit, a);
    sql_add_literal(&lit, str_of(s->index.name));
    Buf table;
    buf_init(&table, a);
    sql_add_literal(&table, str_of(index_regclass(a, s->table)));
    return str_fmt(a,
                   "c.relname OPERATOR(pg_catalog.=) %s AND i.indrelid OPERATOR(pg_catalog.=) "
                   "pg_catalog.to_regclass(%s) AND NOT i.indisvalid",
                   lit.p, table.p);
}
