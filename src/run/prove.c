/* Proof from the catalog whether a statement that was begun outside of transactions had its effect. */
#include "run/alone.h"
#include "run/session_int.h"
#include "sqltext/sqltext.h"

static bool
ask(Run *r, Arena *a, const char *sql, DbRowsVec *results, Err *err)
{
    Buf b;
    buf_init(&b, a);
    session_add_user_prefix(&r->session, &b);
    buf_addz(&b, sql);
    return db_query(r->session.db, a, buf_str(&b), results, err);
}

static const SqlStmt *
statement(const Try *t)
{
    return t->step->only;
}

/* What the journal wrote down about indexes is in numbers, which mean nothing in a copy of the database:
 * there the table has another one. */
static bool
is_copy(const Try *t, const JournalStep *j, bool *ret, Err *err)
{
    const char *table = index_table(t->arena, statement(t));
    DbRowsVec results;
    *ret = false;
    if (!table || !j->relation)
        return true;
    if (!ask(t->run, t->arena, str_fmt(t->arena, "SELECT (%s)::pg_catalog.oid", table), &results,
             err))
        return false;
    Str now = db_cell(&results.v[results.n - 1], 0, 0);
    *ret = !str_is(now, str_fmt(t->arena, "%lld", (long long)j->relation));
    return true;
}

static char *
was_before(Arena *a, const JournalStep *j)
{
    return str_fmt(a, "c.oid OPERATOR(pg_catalog.=) ANY ('%s'::pg_catalog.oid[])",
                   j->indexes_before ? j->indexes_before : "{}");
}

/* In a copy only the name tells: dump and restore bring valid indexes only. One that the server named is
 * built again there. */
static bool
prove_create_index(const Try *t, const JournalStep *j, Proof *ret, Err *err)
{
    Run *r = t->run;
    Arena *a = t->arena;
    const SqlStmt *s = statement(t);
    const char *name = s->index.name;
    bool copy;
    *ret = PROOF_NOT_DONE;
    if (!is_copy(t, j, &copy, err))
        return false;
    IndexRepair repair = {.before = copy ? "false" : was_before(a, j),
                          .where = index_of_statement(a, s),
                          .left_by = "an interrupted build"};
    IndexRepair of_name = {.before = "false",
                           .where = name[0] ? index_where_named(a, s) : "false",
                           .left_by = repair.left_by,
                           .is_needed = true};
    IndexVec list = {0};
    if ((name[0] && !index_repair(r, a, &of_name, err)) ||
        (!copy && !index_repair(r, a, &repair, err)) ||
        !index_read(r, a, repair.before, repair.where, &list, err))
        return false;
    vec_each (const IndexState, x, &list) {
        bool same_name = strcmp(x->name, name) == 0;
        if (x->valid && (name[0] ? same_name && (!x->before || s->if_exists) : !x->before && !copy))
            *ret = PROOF_DONE;
    }
    return true;
}

static bool
prove_drop_index(const Try *t, const JournalStep *j, Proof *ret, Err *err)
{
    Buf lit;
    buf_init(&lit, t->arena);
    sql_add_literal(&lit, str_of(index_regclass(t->arena, statement(t)->index)));
    DbRowsVec results;
    if (!ask(t->run, t->arena,
             str_fmt(t->arena, "SELECT pg_catalog.to_regclass(%s) IS NULL", lit.p), &results, err))
        return false;
    bool is_gone = str_is(db_cell(&results.v[results.n - 1], 0, 0), "t");
    bool was_there = j->relation || statement(t)->if_exists;
    *ret = is_gone && was_there ? PROOF_DONE : PROOF_NOT_DONE;
    return true;
}

/* ---- DETACH ... CONCURRENTLY --------------------------------------------------------------- */

typedef enum Detached { DETACH_NOT_BEGUN, DETACH_PENDING, DETACH_DONE } Detached;

static bool
detached(const Try *t, Detached *ret, Err *err)
{
    Arena *a = t->arena;
    const SqlStmt *s = statement(t);
    Buf parent, child;
    buf_init(&parent, a);
    buf_init(&child, a);
    sql_add_literal(&parent, str_of(index_regclass(a, s->parent)));
    sql_add_literal(&child, str_of(index_regclass(a, s->table)));
    DbRowsVec results;
    if (!ask(t->run, a,
             str_fmt(a,
                     "SELECT h.inhdetachpending FROM pg_catalog.pg_inherits h WHERE h.inhrelid"
                     " OPERATOR(pg_catalog.=) pg_catalog.to_regclass(%s) AND h.inhparent"
                     " OPERATOR(pg_catalog.=) pg_catalog.to_regclass(%s)",
                     child.p, parent.p),
             &results, err))
        return false;
    const DbRows *rows = &results.v[results.n - 1];
    *ret = DETACH_DONE;
    if (rows->rows)
        *ret = str_is(db_cell(rows, 0, 0), "t") ? DETACH_PENDING : DETACH_NOT_BEGUN;
    return true;
}

/* It locks the partition and then waits for older snapshots, each for half of what others may queue. */
static bool
finalize(const Try *t, Err *err)
{
    Run *r = t->run;
    Arena *a = t->arena;
    const SqlStmt *s = statement(t);
    DbRowsVec ignored;
    DbOutcome o;
    if (!ask(r, a,
             str_fmt(a, "SET statement_timeout=0;SET lock_timeout=%lld",
                     (long long)(config_ms(r->session.config, CFG_LOCK_TIMEOUT) / 2)),
             &ignored, err))
        return false;
    db_run(r->session.db, a,
           str_of(str_fmt(a, "ALTER TABLE %s DETACH PARTITION %s FINALIZE",
                          index_regclass(a, s->parent), index_regclass(a, s->table))),
           &(DbRun){0}, &o);
    if (o.end == DB_DONE)
        return true;
    return o.end == DB_FAILED && db_retry_class(o.sqlstate) == DB_RETRY_LOCK
               ? alone_wait(t, &(LockWatch){0}, err)
               : db_outcome_err(&o, "ending the detachment of a partition", err);
}

/* It has two transactions; after the first only FINALIZE goes on. */
static bool
prove_detach(const Try *t, Proof *ret, Err *err)
{
    for (;;) {
        Detached state;
        if (!detached(t, &state, err))
            return false;
        *ret = state == DETACH_DONE ? PROOF_DONE : PROOF_NOT_DONE;
        if (state != DETACH_PENDING)
            return true;
        if (!finalize(t, err))
            return false;
    }
}

/* Harmless to run twice. */
static bool
is_repeatable(const SqlStmt *s)
{
    return s->kind == SQL_REINDEX || s->kind == SQL_VACUUM || strcmp(s->tag, "CLUSTER") == 0 ||
           strcmp(s->tag, "REPACK") == 0;
}

bool
is_provable(const SqlStmt *s)
{
    return s->kind == SQL_CREATE_INDEX || s->kind == SQL_DROP_INDEX ||
           s->kind == SQL_DETACH_PARTITION || is_repeatable(s);
}

bool
prove(const Try *t, const JournalStep *j, Proof *ret, Err *err)
{
    const SqlStmt *s = statement(t);
    *ret = is_repeatable(s) ? PROOF_NOT_DONE : PROOF_NONE;
    switch (s->kind) {
    case SQL_CREATE_INDEX:
        return prove_create_index(t, j, ret, err);
    case SQL_DROP_INDEX:
        return prove_drop_index(t, j, ret, err);
    case SQL_DETACH_PARTITION:
        return prove_detach(t, ret, err);
    case SQL_REINDEX:
        return index_repair(t->run, t->arena,
                            &(IndexRepair){.before = was_before(t->arena, j),
                                           .where = index_left_by(t->arena, s),
                                           .left_by = "an interrupted REINDEX"},
                            err);
    default:
        return true;
    }
}
