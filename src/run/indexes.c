/* Indexes that an interrupted build left invalid, and builds of others on the same table. */
#include "run/alone.h"

#include "base/clock.h"
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

enum {
    LOOK_EVERY_MS = 1000,
    TELL_EVERY_MS = 10000,
    LOCK_MIN_MS = 100,
    LEFTOVER_MS = 30000, /* for one that nobody needs gone; the one in the way has locks.budget */
};

/* Let a moment pass while something is in the way, and say so now and then. */
static bool
wait_a_moment(Run *r, int64_t *told_ms, const char *what, Err *err)
{
    int64_t now = clock_ms();
    if (!*told_ms || now - *told_ms >= TELL_EVERY_MS) {
        run_emit(r, RUN_BLOCKED, RUN_INFO, r->current, "waiting: %s", what);
        *told_ms = now;
    }
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
    for (int64_t told_ms = 0;;) {
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
        if (!wait_a_moment(r, &told_ms, builder_text(a, pid), err))
            return false;
    }
}

/* One repair: how long it may take, and what is passed over. */
typedef struct Repairing {
    const IndexRepair *repair;
    int64_t until_ms, told_ms;
    int looks;
    VEC(const char *) passed;
} Repairing;

/* One that stays harms nobody but by its size, unless its name is needed. */
static bool
tell_undropped(Run *r, const IndexState *x, Repairing *g, const DbOutcome *o, Err *err)
{
    ARENA_LOCAL(a);
    const char *why = str_printable(a, str_of(o->message), false);
    const char *how = str_fmt(a, "as its owner, or as a superuser: DROP INDEX %s", x->qualified);
    if (g->repair->is_needed) {
        err_set(err, ERR_DENIED, "the invalid index %s stands in the way and cannot be dropped",
                x->qualified);
        err_detail(err, "%s", why);
        return err_hint(err, "%s; then: aramid deploy", how);
    }
    run_find(&r->deploy->sink, FINDING_RUN_LEFTOVER, str_fmt(r->arena, "index %s", x->qualified),
             str_dupz(r->arena, how), "%s has left it invalid, and it cannot be dropped: %s",
             g->repair->left_by, why);
    *vec_add(r->arena, &g->passed) = str_dupz(r->arena, x->qualified);
    return true;
}

/* It was waited for long enough. */
static bool
give_up(Run *r, const IndexState *x, Repairing *g, const char *waits_for, Err *err)
{
    if (g->repair->is_needed) {
        err_set(err, ERR_LOCK_BUDGET,
                "the invalid index %s stands in the way, and could not be "
                "dropped",
                x->qualified);
        err_detail(err, "%s", waits_for);
        return err_hint(err, "end that transaction, or try again later: aramid deploy "
                             "(--lock-budget 30min waits longer)");
    }
    run_find(&r->deploy->sink, FINDING_RUN_LEFTOVER, str_fmt(r->arena, "index %s", x->qualified),
             str_fmt(r->arena, "later, by itself: DROP INDEX CONCURRENTLY %s", x->qualified),
             "%s has left it invalid, and the wait to drop it was given up: %s", g->repair->left_by,
             waits_for);
    *vec_add(r->arena, &g->passed) = str_dupz(r->arena, x->qualified);
    return true;
}

/* Whom the drop waits for: whoever has touched the table and is not at his end. */
static bool
holder_of(Run *r, Arena *a, const IndexState *x, const char **ret, Err *err)
{
    Buf b, wanted;
    DbRowsVec results;
    buf_init(&b, a);
    buf_init(&wanted, a);
    buf_addz(&wanted, "SELECT i.indrelid, '{AccessShareLock,RowShareLock,RowExclusiveLock,"
                      "ShareUpdateExclusiveLock,ShareLock,ShareRowExclusiveLock,ExclusiveLock,"
                      "AccessExclusiveLock}'::pg_catalog.text[] FROM pg_catalog.pg_index i"
                      " WHERE i.indexrelid OPERATOR(pg_catalog.=) pg_catalog.to_regclass(");
    sql_add_literal(&wanted, str_of(x->qualified));
    buf_addc(&wanted, ')');
    session_add_user_prefix(&r->session, &b);
    holders_add_query(&b, wanted.p);
    if (!db_query(r->session.db, a, buf_str(&b), &results, err))
        return false;
    const DbRows *rows = &results.v[results.n - 1];
    *ret =
        str_fmt(a, "older transactions keep the invalid index %s from being dropped%s%s",
                x->qualified, rows->rows ? ": " : "", rows->rows ? holders_text(a, rows, 0) : "");
    return true;
}

/* Concurrently, so that nobody waits. It must not wait behind somebody who began to build meanwhile: the
 * server would end one of us, or we would drop what he has finished. So it gives up before anybody looks
 * for a deadlock, and the caller looks again. */
static bool
drop_invalid(Run *r, Arena *a, const IndexState *x, const Repairing *g, DbOutcome *ret, Err *err)
{
    failpoint(r, FP_BEFORE_REPAIR);
    Buf b;
    buf_init(&b, a);
    session_add_prefix(&r->session, &b);
    /* Old transactions are waited for too, so the limit grows. */
    int64_t left = g->until_ms - clock_ms(), limit = db_info(r->session.db)->deadlock_timeout_ms / 2
                                                     << (g->looks < 7 ? g->looks : 7);
    limit = limit < left ? limit : left;
    buf_fmt(&b, "SET statement_timeout=0;SET lock_timeout=%lld",
            (long long)(limit > LOCK_MIN_MS ? limit : LOCK_MIN_MS));
    if (!db_query(r->session.db, a, buf_str(&b), NULL, err))
        return false;
    db_run(r->session.db, a,
           str_of(str_fmt(a, "DROP INDEX CONCURRENTLY IF EXISTS %s", x->qualified)), &(DbRun){0},
           ret);
    return ret->end == DB_LOST || ret->cancelled
               ? db_outcome_err(ret, "dropping an invalid index", err)
               : true;
}

/* ret_waits_for: NULL = there is nothing more to do with it. */
static bool
repair_one(Run *r, Arena *a, const IndexState *x, Repairing *g, const char **ret_waits_for,
           Err *err)
{
    DbOutcome o;
    if (x->builder) {
        *ret_waits_for = builder_text(a, x->builder);
        if (!g->repair->is_needed && clock_ms() >= g->until_ms)
            return give_up(r, x, g, *ret_waits_for, err);
        return true;
    }
    if (!drop_invalid(r, a, x, g, &o, err))
        return false;
    DbRetry retry = db_retry_class(o.sqlstate);
    if (o.end == DB_FAILED && (retry == DB_RETRY_LOCK || retry == DB_RETRY_CONFLICT))
        return holder_of(r, a, x, ret_waits_for, err) &&
               (clock_ms() < g->until_ms || give_up(r, x, g, *ret_waits_for, err));
    if (o.end == DB_FAILED)
        return tell_undropped(r, x, g, &o, err);
    run_emit(r, RUN_REPAIRED, RUN_WARN, r->current, "dropped the invalid index %s that %s had left",
             x->qualified, g->repair->left_by);
    failpoint(r, FP_AFTER_REPAIR);
    *vec_add(r->arena, &g->passed) = str_dupz(r->arena, x->qualified);
    return true;
}

static bool
is_passed(const Repairing *g, const IndexState *x)
{
    vec_each (const char *const, name, &g->passed)
        if (strcmp(*name, x->qualified) == 0)
            return true;
    return false;
}

bool
index_repair(Run *r, Arena *a, const IndexRepair *repair, Err *err)
{
    int64_t budget = config_ms(r->session.config, CFG_LOCK_BUDGET);
    if (!repair->is_needed && budget > LEFTOVER_MS)
        budget = LEFTOVER_MS;
    Repairing g = {.repair = repair, .until_ms = clock_ms() + budget};
    for (;; g.looks++) {
        IndexVec list = {0};
        const char *waits_for = NULL;
        if (!index_read(r, a, repair->before, repair->where, &list, err))
            return false;
        vec_each (const IndexState, x, &list) {
            const char *waits = NULL;
            if (x->valid || x->before || is_passed(&g, x))
                continue;
            if (!repair_one(r, a, x, &g, &waits, err))
                return false;
            if (waits && !is_passed(&g, x))
                waits_for = waits;
        }
        if (!waits_for)
            return true;
        if (!wait_a_moment(r, &g.told_ms, waits_for, err))
            return false;
    }
}

/* ---- whose they are ----------------------------------------------------------------------- */

static char *
regclass_literal(Arena *a, SqlName name)
{
    Buf lit;
    buf_init(&lit, a);
    sql_add_literal(&lit, str_of(index_regclass(a, name)));
    return str_fmt(a, "pg_catalog.to_regclass(%s)", lit.p);
}

char *
index_table(Arena *a, const SqlStmt *s)
{
    bool by_table = s->kind == SQL_CREATE_INDEX || (s->kind == SQL_REINDEX && s->table.name[0]);
    bool by_index = s->kind == SQL_DROP_INDEX || (s->kind == SQL_REINDEX && s->index.name[0]);
    if (by_table)
        return regclass_literal(a, s->table);
    return by_index ? str_fmt(a,
                              "(SELECT x.indrelid FROM pg_catalog.pg_index x WHERE x.indexrelid"
                              " OPERATOR(pg_catalog.=) %s)",
                              regclass_literal(a, s->index))
                    : NULL;
}

/* The partitions of a table have indexes of the same statement, and TOAST has one. */
static char *
of_table(Arena *a, const char *table)
{
    return str_fmt(a,
                   "(i.indrelid OPERATOR(pg_catalog.=) %s OR i.indrelid OPERATOR(pg_catalog.=) ANY"
                   " (SELECT u.relid FROM pg_catalog.pg_partition_tree(%s) u) OR i.indrelid"
                   " OPERATOR(pg_catalog.=) ANY (SELECT k.reltoastrelid FROM pg_catalog.pg_class k"
                   " WHERE k.oid OPERATOR(pg_catalog.=) %s OR k.oid OPERATOR(pg_catalog.=) ANY"
                   " (SELECT u.relid FROM pg_catalog.pg_partition_tree(%s) u)))",
                   table, table, table, table);
}

char *
index_of_statement(Arena *a, const SqlStmt *s)
{
    const char *table = index_table(a, s);
    if (table && s->kind != SQL_REINDEX)
        return str_fmt(a, "i.indrelid OPERATOR(pg_catalog.=) %s", table);
    if (table)
        return of_table(a, table);
    if (!s->table.schema || !s->table.schema[0])
        return str_fmt(a, "true");
    Buf schema;
    buf_init(&schema, a);
    sql_add_literal(&schema, str_of(s->table.schema));
    return str_fmt(a,
                   "EXISTS (SELECT 1 FROM pg_catalog.pg_class k JOIN pg_catalog.pg_namespace m ON"
                   " m.oid OPERATOR(pg_catalog.=) k.relnamespace WHERE m.nspname"
                   " OPERATOR(pg_catalog.=) %s AND (k.oid OPERATOR(pg_catalog.=) i.indrelid OR"
                   " k.reltoastrelid OPERATOR(pg_catalog.=) i.indrelid))",
                   schema.p);
}

char *
index_left_by(Arena *a, const SqlStmt *s)
{
    if (s->kind != SQL_REINDEX)
        return index_of_statement(a, s);
    return str_fmt(a,
                   "c.relkind OPERATOR(pg_catalog.=) 'i' AND c.relname OPERATOR(pg_catalog.~)"
                   " '_cc(new|old)[0-9]*$' AND NOT i.indisvalid AND %s",
                   index_of_statement(a, s));
}

char *
index_where_named(Arena *a, const SqlStmt *s)
{
    Buf lit;
    buf_init(&lit, a);
    sql_add_literal(&lit, str_of(s->index.name));
    return str_fmt(a, "c.relname OPERATOR(pg_catalog.=) %s AND %s AND NOT i.indisvalid", lit.p,
                   index_of_statement(a, s));
}
