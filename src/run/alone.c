/* Statements outside of transactions: an intent in the journal, the statement, and proof from the
 * catalog of whether it ran, so that an interrupted run goes on by itself. */
#include "base/clock.h"
#include "run/run_int.h"
#include "sqltext/sqltext.h"

typedef enum Proof {
    PROOF_NOT_DONE, /* run it (again) */
    PROOF_DONE,
    PROOF_NONE, /* nothing can tell */
} Proof;

static bool
own_query(Run *r, Arena *a, Buf *b, DbRowsVec *ret, Err *err)
{
    return db_query(r->session.db, a, buf_str(b), ret, err);
}

/* Text for to_regclass, in the user's search_path. */
static char *
regclass(Arena *a, SqlName name)
{
    Buf b;
    buf_init(&b, a);
    if (name.schema && name.schema[0])
        sql_add_name(&b, name.schema, name.name);
    else
        sql_add_ident(&b, name.name);
    return b.p;
}

/* ---- invalid indexes ---------------------------------------------------------------------- */

typedef struct IndexState {
    const char *qualified; /* quoted "schema"."index" */
    const char *name;
    bool valid, before;
    const char *builder; /* process that builds one on its table, or NULL */
} IndexState;
typedef VEC(IndexState) IndexVec;

/* Indexes of a table: valid or not, there before the step or not, and who builds on that table. */
static const char index_query[] =
    "SELECT pg_catalog.quote_ident(n.nspname::pg_catalog.text) OPERATOR(pg_catalog.||) '.'"
    " OPERATOR(pg_catalog.||) pg_catalog.quote_ident(c.relname::pg_catalog.text), c.relname,"
    " i.indisvalid, %s, %s"
    " FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=)"
    " i.indexrelid JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace"
    " WHERE %s ORDER BY c.oid";

static bool
read_indexes(Run *r, Arena *a, const char *before, const char *where, IndexVec *ret, Err *err)
{
    Buf b;
    buf_init(&b, a);
    session_add_user_prefix(&r->session, &b);
    buf_addz(&b, str_fmt(a, index_query, before, str_fmt(a, BUILDER_ON, "i.indrelid"), where));
    DbRowsVec results;
    if (!own_query(r, a, &b, &results, err))
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

/* Until nobody else builds on a table: two builds, or a build and a drop, deadlock. */
static bool
wait_for_builder(Run *r, Arena *a, const char *table, Err *err)
{
    for (int looks = 0;; looks++) {
        Buf b;
        buf_init(&b, a);
        session_add_user_prefix(&r->session, &b);
        buf_fmt(&b, "SELECT " BUILDER_ON, table);
        DbRowsVec results;
        if (!own_query(r, a, &b, &results, err))
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
    if (!own_query(r, a, &b, NULL, err))
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

/* Drop the invalid indexes for which `where` holds and `before` does not; one that may be somebody
 * else's, being built right now, is waited for. */
static bool
repair(Run *r, Arena *a, const char *before, const char *where, Err *err)
{
    for (int looks = 0;; looks++) {
        IndexVec list = {0};
        const char *waits_for = NULL;
        if (!read_indexes(r, a, before, where, &list, err))
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

static char *
where_relation(Arena *a, const JournalStep *j)
{
    return str_fmt(a, "i.indrelid OPERATOR(pg_catalog.=) %lld", (long long)j->relation);
}

static char *
was_before(Arena *a, const JournalStep *j)
{
    return str_fmt(a, "c.oid OPERATOR(pg_catalog.=) ANY ('%s'::pg_catalog.oid[])",
                   j->indexes_before ? j->indexes_before : "{}");
}

static const char reindex_leftovers[] =
    "c.relname OPERATOR(pg_catalog.~) '_cc(new|old)[0-9]*$' AND NOT i.indisvalid";

/* An invalid index of the statement's own name: left by an interrupted build of anyone. */
static char *
where_named(Arena *a, const SqlStmt *s)
{
    Buf lit;
    buf_init(&lit, a);
    sql_add_literal(&lit, str_of(s->index.name));
    Buf table;
    buf_init(&table, a);
    sql_add_literal(&table, str_of(regclass(a, s->table)));
    return str_fmt(a,
                   "c.relname OPERATOR(pg_catalog.=) %s AND i.indrelid OPERATOR(pg_catalog.=) "
                   "pg_catalog.to_regclass(%s) AND NOT i.indisvalid",
                   lit.p, table.p);
}

/* ---- proof -------------------------------------------------------------------------------- */

static bool
prove_create_index(Run *r, Arena *a, const SqlStmt *s, const JournalStep *j, Proof *ret, Err *err)
{
    *ret = PROOF_NOT_DONE;
    IndexVec list = {0};
    if (!repair(r, a, was_before(a, j), where_relation(a, j), err) ||
        !read_indexes(r, a, was_before(a, j), where_relation(a, j), &list, err))
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
    return own_query(r, a, &b, results, err);
}

static bool
prove_drop_index(Run *r, Arena *a, const SqlStmt *s, Proof *ret, Err *err)
{
    Buf lit;
    buf_init(&lit, a);
    sql_add_literal(&lit, str_of(regclass(a, s->index)));
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
    sql_add_literal(&parent, str_of(regclass(a, s->parent)));
    sql_add_literal(&child, str_of(regclass(a, s->table)));
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
                 str_fmt(a, "ALTER TABLE %s DETACH PARTITION %s FINALIZE", regclass(a, s->parent),
                         regclass(a, s->table)),
                 &results, err))
            return false;
        *ret = PROOF_DONE;
    }
    return true;
}

/* The kinds for which prove() knows an answer. */
static bool
is_provable(const SqlStmt *s)
{
    return s->kind == SQL_CREATE_INDEX || s->kind == SQL_DROP_INDEX || s->kind == SQL_REINDEX ||
           s->kind == SQL_DETACH_PARTITION || s->kind == SQL_VACUUM;
}

static bool
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
        return repair(r, a, "false", reindex_leftovers, err);
    case SQL_VACUUM: /* harmless to run twice */
        *ret = PROOF_NOT_DONE;
        return true;
    default:
        return true;
    }
}

static bool
unproven(const MigrationPlan *mp, const Step *step, Err *err)
{
    const SqlStmt *s = &mp->script.stmts.v[step->first];
    err_set(err, ERR_UNPROVEN,
            "a run was interrupted during %s of migration \"%s\", and nothing "
            "tells whether it had its effect",
            s->tag, mp->migration->name);
    plan_place(mp, step->first, err);
    ARENA_LOCAL(a);
    const char *name = str_shell(a, mp->migration->name);
    err_hint(err,
             "look at the data, then either record the migration as done: aramid resolve "
             "--applied %s",
             name);
    return err_hint(err,
                    "or undo what is there and let it run from its beginning: aramid resolve "
                    "--rolled-back %s",
                    name);
}

/* ---- the three messages ------------------------------------------------------------------- */

static const JournalStep *
find_intent(const Run *r, const LedgerRow *row, size_t first)
{
    vec_each (const JournalStep, j, &r->journal)
        if (!j->done && j->first == first && strcmp(j->ledger_id, row->id) == 0)
            return j;
    return NULL;
}

typedef struct Intent {
    bool prisma_waits;
    bool has_lock;   /* ours, still: a script may have let it go */
    bool in_the_way; /* the table may have an invalid index, or somebody who builds one */
} Intent;

/* SQL for the oid of the table whose indexes a statement works on; NULL = not such a statement. */
static char *
table_of(Arena *a, const SqlStmt *s)
{
    bool by_table = s->kind == SQL_CREATE_INDEX || (s->kind == SQL_REINDEX && s->table.name[0]);
    bool by_index = s->kind == SQL_DROP_INDEX || (s->kind == SQL_REINDEX && s->index.name[0]);
    if (!by_table && !by_index)
        return NULL;
    Buf lit;
    buf_init(&lit, a);
    sql_add_literal(&lit, str_of(regclass(a, by_table ? s->table : s->index)));
    return str_fmt(a,
                   by_table ? "pg_catalog.to_regclass(%s)"
                            : "(SELECT x.indrelid FROM pg_catalog.pg_index x WHERE x.indexrelid"
                              " OPERATOR(pg_catalog.=) pg_catalog.to_regclass(%s))",
                   lit.p);
}

/* Write the intent. It need not be flushed: what the statement does is later in the log. */
static bool
write_intent(Run *r, Arena *a, const MigrationPlan *mp, const Step *step, const LedgerRow *row,
             bool first, Intent *ret, Err *err)
{
    const Session *ses = &r->session;
    const SqlStmt *s = &mp->script.stmts.v[step->first];
    bool index_build = s->kind == SQL_CREATE_INDEX;
    Buf b;
    buf_init(&b, a);
    session_add_user_prefix(ses, &b);
    buf_addz(&b, "SET LOCAL synchronous_commit=off;");
    run_add_carry(r, &b);
    if (first) {
        ses->layout->add_begun(&b, ses->ledger_schema, row);
        buf_addc(&b, ';');
    }
    journal_add_insert(ses, &b,
                       &(JournalEntry){.ledger_id = row->id,
                                       .name = row->name,
                                       .first = step->first,
                                       .next = step->first + 1,
                                       .prefix_hash = journal_prefix_hash(a, mp, step->first + 1),
                                       .relation = index_build ? regclass(a, s->table) : NULL,
                                       .run_id = r->deploy->run_id});
    /* One scan of the locks, and no join: this runs before each index build. */
    const char *table = table_of(a, s);
    buf_addz(
        &b,
        ";SELECT COALESCE(pg_catalog.bool_or(l.locktype OPERATOR(pg_catalog.=) 'advisory' AND NOT"
        " l.granted AND l.classid OPERATOR(pg_catalog.=) 0 AND l.objid "
        "OPERATOR(pg_catalog.=) " LOCK_KEY_PRISMA
        "), false), COALESCE(pg_catalog.bool_or(l.locktype"
        " OPERATOR(pg_catalog.=) 'advisory' AND l.granted AND l.classid "
        "OPERATOR(pg_catalog.=) " LOCK_CLASS_OWN " AND l.objid OPERATOR(pg_catalog.=) " LOCK_OBJ_OWN
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
             " pg_catalog.current_database());SET lock_timeout=0;SET statement_timeout=0");
    DbRowsVec results;
    if (!own_query(r, a, &b, &results, err))
        return false;
    run_drop_carry(r);
    const DbRows *rows = &results.v[results.n - 3];
    ret->prisma_waits = str_is(db_cell(rows, 0, 0), "t");
    ret->has_lock = str_is(db_cell(rows, 0, 1), "t");
    ret->in_the_way = str_is(db_cell(rows, 0, 2), "t");
    return true;
}

/* A statement that the catalog proves may be recorded with the next message: until then it looks
 * interrupted, which harms nobody. */
static bool
finish(Run *r, const SqlStmt *s, const Step *step, const LedgerRow *row, bool last, Err *err)
{
    const Session *ses = &r->session;
    Buf b;
    buf_init(&b, r->arena);
    journal_add_done(ses, &b, row->id, step->first);
    buf_addc(&b, ';');
    if (last) {
        ses->layout->add_finished(&b, ses->ledger_schema, row->id, row->checksum);
        buf_addc(&b, ';');
    }
    r->carry = b.p;
    r->carry_statements = last ? 2 : 1;
    return is_provable(s) || run_flush_carry(r, err);
}

/* Nothing of the migration has happened: take its rows away again. */
static bool
forget(Run *r, Arena *a, const LedgerRow *row, Err *err)
{
    const Session *s = &r->session;
    Buf b;
    buf_init(&b, a);
    session_add_prefix(s, &b);
    s->layout->add_forgotten(&b, s->ledger_schema, row->id);
    buf_addc(&b, ';');
    journal_add_forget(s, &b, row->id);
    return own_query(r, a, &b, NULL, err);
}

/* Only the journal's row of this step. */
static bool
forget_step(Run *r, Arena *a, const Step *step, const LedgerRow *row, const char *logs, Err *err)
{
    const Session *s = &r->session;
    Buf b;
    buf_init(&b, a);
    session_add_prefix(s, &b);
    journal_add_forget(s, &b, row->id);
    buf_fmt(&b, " AND first_statement OPERATOR(pg_catalog.=) %zu", step->first);
    if (logs) {
        buf_addc(&b, ';');
        s->layout->add_logs(&b, s->ledger_schema, row->id, str_of(logs));
    }
    return own_query(r, a, &b, NULL, err);
}

/* Remove what the failed statement left. */
static bool
clean_up(Run *r, Arena *a, const SqlStmt *s, const Step *step, const LedgerRow *row, Err *err)
{
    if (s->kind == SQL_CREATE_INDEX) {
        Buf j;
        buf_init(&j, a);
        buf_addz(&j, " FROM ");
        own_add_table(&r->session, &j, OWN_JOURNAL);
        buf_addz(&j, " j WHERE j.ledger_id OPERATOR(pg_catalog.=) ");
        sql_add_literal(&j, str_of(row->id));
        buf_fmt(&j, " AND j.first_statement OPERATOR(pg_catalog.=) %zu", step->first);
        return repair(r, a,
                      str_fmt(a,
                              "c.oid OPERATOR(pg_catalog.=) ANY (SELECT pg_catalog.unnest("
                              "j.indexes_before)%s)",
                              j.p),
                      str_fmt(a, "i.indrelid OPERATOR(pg_catalog.=) (SELECT j.relation%s)", j.p),
                      err);
    }
    if (s->kind == SQL_REINDEX)
        return repair(r, a, "false", reindex_leftovers, err);
    return true;
}

static bool
yield_and_restart(Run *r, Arena *a, const Step *step, const LedgerRow *row, bool first,
                  StepEnd *ret, Err *err)
{
    if (!(first ? forget(r, a, row, err) : forget_step(r, a, step, row, NULL, err)))
        return false;
    if (!lock_yield_to_prisma(&r->session, &r->deploy->sink, err))
        return false;
    err_set(err, ERR_RUNNER_ACTIVE,
            "another client waited for the migration lock; it was let through");
    *ret = STEP_RESTART;
    return true;
}

/* After an error of the statement itself. */
static bool
statement_failed(Run *r, Arena *a, const MigrationPlan *mp, const Step *step, const LedgerRow *row,
                 bool first, const DbOutcome *o, StepEnd *ret, Err *err)
{
    const SqlStmt *s = &mp->script.stmts.v[step->first];
    if (!clean_up(r, a, s, step, row, err))
        return false;
    DbRetry retry = db_retry_class(o->sqlstate);
    struct Learned *l = run_learned(r, mp->migration->name);
    bool may_have_committed = s->tx == SQL_TX_HIDDEN;
    if (retry != DB_RETRY_NEVER && !may_have_committed &&
        ++l->alone_tries <= 2 + r->session.config->values[CFG_MAX_RETRIES].number) {
        run_emit(r, RUN_RETRY, RUN_WARN, row->name, "%s (%s): trying again", o->message,
                 o->sqlstate);
        return yield_and_restart(r, a, step, row, first, ret, err);
    }
    Err ignored; /* the statement's error is the one to tell */
    bool cleaned =
        first ? forget(r, a, row, &ignored) : forget_step(r, a, step, row, o->message, &ignored);
    (void)cleaned;
    return step_failed(r, mp, NULL, o, step->first, err);
}

/* A signal or our deadline ended the build: remove its remains if that is quick. */
static void
clean_up_briefly(Run *r, Arena *a, const MigrationPlan *mp, const Step *step, const LedgerRow *row,
                 bool first)
{
    Err ignored;
    const SqlStmt *s = &mp->script.stmts.v[step->first];
    if (!db_is_open(r->session.db) || s->kind != SQL_CREATE_INDEX || !s->index.name[0])
        return;
    db_set_tick(r->session.db, NULL, NULL);
    IndexVec list = {0};
    bool clean = read_indexes(r, a, "false", where_named(a, s), &list, &ignored);
    vec_each (const IndexState, x, &list) {
        clean = clean && !x->builder;
        if (x->builder)
            continue;
        DbOutcome o;
        db_run(r->session.db, a, STR("SET lock_timeout='1s'"), &(DbRun){.timeout_ms = 2000}, &o);
        db_run(r->session.db, a,
               str_of(str_fmt(a, "DROP INDEX CONCURRENTLY IF EXISTS %s", x->qualified)),
               &(DbRun){.timeout_ms = 3000}, &o);
        clean = clean && o.end == DB_DONE;
    }
    if (clean && first)
        clean = forget(r, a, row, &ignored);
}

bool
alone_run(Run *r, MigrationPlan *mp, const Step *step, const LedgerRow *row, bool first, bool last,
          StepEnd *ret, Err *err)
{
    ARENA_LOCAL(a);
    const SqlStmt *s = &mp->script.stmts.v[step->first];
    const JournalStep *begun = find_intent(r, row, step->first);
    r->session.unclean = true; /* the timeouts that this leaves */
    *ret = STEP_ENDED;
    if (begun) {
        Proof proof;
        if (!prove(r, a, s, begun, &proof, err))
            return false;
        if (proof == PROOF_NONE)
            return unproven(mp, step, err);
        if (proof == PROOF_DONE)
            return finish(r, s, step, row, last, err);
        Buf b;
        buf_init(&b, a);
        session_add_user_prefix(&r->session, &b);
        buf_addz(&b, "SET lock_timeout=0;SET statement_timeout=0");
        if (!own_query(r, a, &b, NULL, err))
            return false;
    } else {
        Intent intent;
        failpoint(r, FP_BEFORE_INTENT);
        if (!write_intent(r, a, mp, step, row, first, &intent, err))
            return false;
        failpoint(r, FP_AFTER_INTENT);
        if (!intent.has_lock) {
            if (!(first ? forget(r, a, row, err) : forget_step(r, a, step, row, NULL, err)))
                return false;
            err_set(err, ERR_CONNECTION_LOST,
                    "the lock of this run was lost: a script may have released it");
            *ret = STEP_RESTART;
            return true;
        }
        if (intent.prisma_waits)
            return yield_and_restart(r, a, step, row, first, ret, err);
        if (intent.in_the_way) {
            Buf b;
            buf_init(&b, a);
            session_add_user_prefix(&r->session, &b);
            buf_addz(&b, "SET lock_timeout=0;SET statement_timeout=0");
            if (!wait_for_builder(r, a, table_of(a, s), err) ||
                (s->kind == SQL_CREATE_INDEX && s->index.name[0] &&
                 !repair(r, a, "false", where_named(a, s), err)) ||
                !own_query(r, a, &b, NULL, err))
                return false;
        }
    }
    DbOutcome o;
    const char *text = str_dup(a, str_slice(mp->script.text, s->off, s->off + s->len));
    Guard guard = {.is_alone = true, .may_fire = true};
    run_send(r, a, str_of(text), s->is_concurrent ? &guard : NULL, &o);
    if (guard.fired && o.end == DB_FAILED) {
        memcpy(o.sqlstate, "40P01", sizeof o.sqlstate);
        o.message = "a Prisma client waits for the lock of this run, and the statement for it";
    }
    failpoint(r, FP_AFTER_STATEMENT);
    if (o.end == DB_DONE) { /* also when a stop came too late */
        bool ok = finish(r, s, step, row, last, err);
        failpoint(r, FP_AFTER_FINISH);
        return ok;
    }
    if (o.cancelled && r->stop_asked) {
        clean_up_briefly(r, a, mp, step, row, first);
        return db_outcome_err(&o, s->tag, err);
    }
    if (o.end == DB_LOST) {
        err_set(err, ERR_CONNECTION_LOST, "%s", o.message);
        *ret = STEP_RESTART;
        return true;
    }
    return statement_failed(r, a, mp, step, row, first, &o, ret, err);
}
