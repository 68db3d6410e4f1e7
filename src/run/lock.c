/* The migration locks: taken by polling, on the connection that works.
 *
 * A client that blocks in pg_advisory_lock holds a snapshot, for which CREATE INDEX CONCURRENTLY
 * waits: a deadlock with the holder. So nobody here ever blocks. */
#include "base/clock.h"
#include "base/invariant.h"
#include "base/os.h"
#include "run/session_int.h"
#include "sqltext/sqltext.h"

/* An expression: a key of the layout's tool, as pg_locks shows it in two halves. */
static void
add_is_key(Buf *b, const char *key)
{
    buf_fmt(b,
            "(l.classid::pg_catalog.int8 OPERATOR(pg_catalog.<<) 32 OPERATOR(pg_catalog.|)"
            " l.objid::pg_catalog.int8) OPERATOR(pg_catalog.=) %s",
            key);
}

/* The keys of the tools' locks, as SQL; each once, as two histories may be of one tool. */
typedef VEC(const char *) Keys;

static void
add_key(const Session *s, Keys *keys, const char *key)
{
    vec_each (const char *, k, keys)
        if (strcmp(*k, key) == 0)
            return;
    *vec_add(s->arena, keys) = key;
}

static bool
is_off(const HistoryLayout *l)
{
    const char *off = l->lock_off ? os_env(l->lock_off) : NULL;
    return off && off[0] && strcmp(off, "0") != 0;
}

/* takes: without those that a variable turns off. */
static Keys
tools_keys(const Session *s, bool takes)
{
    Keys keys = {0};
    for (size_t i = 0; i < s->ledgers.n; i++) {
        const SessionLedger *of = &s->ledgers.v[i];
        const HistoryLayout *l = of->layout;
        if (takes && is_off(l))
            continue;
        if (l->lock_key)
            add_key(s, &keys, str_fmt(s->arena, "%lld::pg_catalog.int8", (long long)l->lock_key));
        for (size_t k = 0; k < of->lock_name_count; k++) {
            Buf b;
            buf_init(&b, s->arena);
            buf_addz(&b, "pg_catalog.hashtext(");
            sql_add_literal(&b, str_of(of->lock_names[k]));
            buf_addz(&b, ")::pg_catalog.int8");
            add_key(s, &keys, b.p);
        }
    }
    return keys;
}

const HistoryLayout *
lock_layout(const Session *s)
{
    vec_each (const SessionLedger, l, &s->ledgers)
        if (l->layout->lock_key || l->lock_name_count)
            return l->layout;
    return NULL;
}

bool
lock_has_tools(const Session *s)
{
    return tools_keys(s, false).n != 0;
}

void
lock_add_is_tools(const Session *s, Buf *b)
{
    Keys keys = tools_keys(s, false);
    if (!keys.n) {
        buf_addz(b, "false");
        return;
    }
    buf_addz(b,
             "l.locktype OPERATOR(pg_catalog.=) 'advisory' AND l.objsubid OPERATOR(pg_catalog.=) 1"
             " AND (");
    vec_each (const char *, key, &keys) {
        buf_addz(b, key == keys.v ? "" : " OR ");
        add_is_key(b, *key);
    }
    buf_addc(b, ')');
}

static void
add_holders_query(const Session *s, Buf *b)
{
    Buf tools;
    buf_init(&tools, s->arena);
    lock_add_is_tools(s, &tools);
    buf_fmt(b,
            "SELECT COALESCE(a.pid, 0), a.application_name, COALESCE(a.usename, x.owner), "
            "COALESCE(a.client_addr::pg_catalog.text, "
            "'local'),"
            " COALESCE(a.backend_start::pg_catalog.text, ''), CASE WHEN x.gid IS NULL"
            " THEN COALESCE(a.state, 'state not visible') ELSE 'prepared' END,"
            " COALESCE(a.query, ''), k.tools,"
            " COALESCE(pg_catalog.to_char(COALESCE(a.xact_start, a.backend_start, x.prepared) AT "
            "TIME ZONE 'UTC',"
            " 'YYYY-MM-DD HH24:MI:SS\"Z\"'), 'a time that this role may not see'),"
            " COALESCE(EXTRACT(epoch FROM pg_catalog.clock_timestamp() OPERATOR(pg_catalog.-)"
            " COALESCE(a.backend_start, x.prepared))::pg_catalog.int8, 0),"
            " pg_catalog.quote_literal(x.gid)"
            " FROM (SELECT l.pid, l.virtualtransaction AS v, pg_catalog.bool_and(%s) AS tools FROM "
            "pg_catalog.pg_locks l"
            " WHERE l.locktype OPERATOR(pg_catalog.=) 'advisory'"
            " AND l.granted AND l.objsubid OPERATOR(pg_catalog.=) 1"
            " AND l.database OPERATOR(pg_catalog.=) (SELECT d.oid FROM pg_catalog.pg_database d"
            " WHERE d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database())"
            " AND ((%s) OR (l.classid OPERATOR(pg_catalog.=) " LOCK_CLASS_OWN
            " AND l.objid OPERATOR(pg_catalog.=) " LOCK_OBJ_OWN ")) AND l.pid IS DISTINCT FROM"
            " pg_catalog.pg_backend_pid() GROUP BY l.pid, l.virtualtransaction) k"
            " LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid OPERATOR(pg_catalog.=) k.pid"
            " LEFT JOIN pg_catalog.pg_prepared_xacts x ON k.pid IS NULL AND EXISTS (SELECT 1 FROM"
            " pg_catalog.pg_locks i WHERE i.pid IS NULL AND i.locktype OPERATOR(pg_catalog.=)"
            " 'transactionid' AND i.transactionid OPERATOR(pg_catalog.=) x.transaction AND"
            " i.virtualtransaction OPERATOR(pg_catalog.=) k.v)"
            " WHERE a.pid IS NOT NULL OR k.pid IS NULL ORDER BY"
            " k.tools, a.pid",
            tools.p, tools.p);
}

/* "aramid/<space>/<pid>/<start>/<host>/<verb>" for people. */
static void
describe(Arena *a, const Session *s, LockHolder *h, Str application, Str user, Str address)
{
    h->is_aramid = str_starts(application, STR("aramid/"));
    h->alive = OS_ELSEWHERE;
    if (!h->is_aramid) {
        h->who = str_fmt(a, "%s%s%suser %s from %s", str_printable(a, application, false),
                         application.n ? ", " : "",
                         h->is_tool_key && lock_layout(s)
                             ? str_fmt(a, "(%s's lock) ", lock_layout(s)->ledger.tool)
                             : "",
                         str_printable(a, user, false), str_printable(a, address, false));
        return;
    }
    Str tag = str_slice(application, strlen("aramid/"), application.n);
    /* With our own tag: a connection that this process has lost, though the server does not know
     * it yet. */
    h->orphaned =
        os_tag_alive(tag) == OS_DEAD || str_starts(tag, str_of(str_fmt(a, "%s/", os_self_tag(a))));
    Str rest = tag;
    str_cut(&rest, '/');
    Str pid = str_cut(&rest, '/');
    str_cut(&rest, '/');
    Str host = str_cut(&rest, '/');
    h->alive = h->orphaned ? OS_DEAD : os_tag_alive(tag);
    h->client_pid = str_printable(a, pid, false);
    h->client_host = str_printable(a, host, false);
    h->who =
        str_fmt(a, "aramid %s on %s (process %s)", str_printable(a, rest.p ? rest : STR(""), false),
                str_printable(a, host, false), str_printable(a, pid, false));
}

static void
take_holders(Arena *a, const Session *s, const DbRows *r, LockHolderVec *ret)
{
    ret->n = 0;
    for (int i = 0; i < r->rows; i++) {
        LockHolder *h = vec_add(a, ret);
        long long n = 0;
        str_to_int(db_cell(r, i, 0), 0, INT32_MAX, &n);
        h->pid = (int)n;
        h->is_tool_key = str_is(db_cell(r, i, 7), "t");
        h->backend_start = db_cell(r, i, 4).p;
        h->state = str_printable(a, db_cell(r, i, 5), false);
        h->query = str_printable(a, db_cell(r, i, 6), false);
        h->since = db_cell(r, i, 8).p;
        str_to_int(db_cell(r, i, 9), 0, INT64_MAX, &n);
        h->seconds = n;
        h->prepared = db_cell(r, i, 10).p;
        if (h->prepared)
            h->who = str_fmt(a, "the prepared transaction %s of user %s",
                             str_printable(a, db_cell(r, i, 10), false),
                             str_printable(a, db_cell(r, i, 2), false));
        else
            describe(a, s, h, db_cell(r, i, 1), db_cell(r, i, 2), db_cell(r, i, 3));
    }
}

void
lock_add_is_held(Buf *b)
{
    buf_addz(b,
             "EXISTS (SELECT 1 FROM pg_catalog.pg_locks l WHERE l.locktype OPERATOR(pg_catalog.=)"
             " 'advisory' AND l.granted AND l.classid OPERATOR(pg_catalog.=) " LOCK_CLASS_OWN
             " AND l.objid OPERATOR(pg_catalog.=) " LOCK_OBJ_OWN " AND l.pid OPERATOR(pg_catalog.=)"
             " pg_catalog.pg_backend_pid() AND l.database OPERATOR(pg_catalog.=) (SELECT d.oid FROM"
             " pg_catalog.pg_database d WHERE d.datname OPERATOR(pg_catalog.=)"
             " pg_catalog.current_database()))");
}

bool
lock_holders(Session *s, Arena *a, LockHolderVec *ret, Err *err)
{
    Buf b;
    buf_init(&b, a);
    session_add_prefix(s, &b);
    add_holders_query(s, &b);
    DbRowsVec results;
    if (!db_query(s->db, a, buf_str(&b), &results, err))
        return false;
    take_holders(a, s, &results.v[results.n - 1], ret);
    return true;
}

bool
lock_terminate(Session *s, const LockHolder *h, bool *ret_ended, Err *err)
{
    Buf b;
    buf_init(&b, s->arena);
    session_add_prefix(s, &b);
    buf_fmt(&b,
            "SELECT pg_catalog.pg_terminate_backend(a.pid) FROM pg_catalog.pg_stat_activity a"
            " WHERE a.pid OPERATOR(pg_catalog.=) %d"
            " AND a.backend_start::pg_catalog.text OPERATOR(pg_catalog.=) ",
            h->pid);
    sql_add_literal(&b, str_of(h->backend_start));
    DbRowsVec results;
    if (!db_query(s->db, s->arena, buf_str(&b), &results, err))
        return err_hint(err, "only a superuser, a member of pg_signal_backend or the same role may "
                             "end it");
    const DbRows *r = &results.v[results.n - 1];
    *ret_ended = r->rows == 1 && str_is(db_cell(r, 0, 0), "t");
    return true;
}

/* All of them, or none: 2 or 1. */
static const char *
try_keys(Arena *a, const Keys *keys, size_t i)
{
    if (i == keys->n)
        return "2";
    Buf back;
    buf_init(&back, a);
    for (size_t k = 0; k < i; k++)
        buf_fmt(&back, " AND pg_catalog.pg_advisory_unlock(%s)", keys->v[k]);
    return str_fmt(
        a, "CASE WHEN pg_catalog.pg_try_advisory_lock(%s) THEN %s WHEN true%s THEN 1 ELSE 1 END",
        keys->v[i], try_keys(a, keys, i + 1), back.p);
}

/* SELECT that tries what is not held yet: 0 nothing new, 1 ours, 2 ours and the tools'. */
static void
add_try(const Session *s, Buf *b)
{
    Keys keys = tools_keys(s, true);
    const char *second = try_keys(s->arena, &keys, 0);
    if (s->has_own_lock)
        buf_fmt(b, "SELECT %s;", second);
    else
        buf_fmt(b,
                "SELECT CASE WHEN pg_catalog.pg_try_advisory_lock(" LOCK_KEY_OWN
                ") THEN %s ELSE 0 END;",
                second);
}

static void
note_try(Session *s, Str cell)
{
    if (!str_is(cell, "0"))
        s->has_own_lock = true;
    if (str_is(cell, "2"))
        s->has_tool_lock = true;
}

static void
tell_waiting(const RunSink *sink, Arena *a, const LockHolder *h, int64_t ms)
{
    RunEvent e = {.kind = RUN_WAITING, .level = RUN_INFO, .ms = ms};
    e.text = h ? str_fmt(a, "waiting for another migration run: %s, since %s", h->who, h->since)
               : "waiting for another migration run";
    sink->event(sink->arg, &e);
}

static bool
still_held(const LockHolderVec *list, int64_t waited_ms, Err *err)
{
    ARENA_LOCAL(a);
    err_set(err, ERR_RUNNER_ACTIVE,
            "another migration run holds the lock since %s; gave up after %s",
            list->n ? list->v[0].since : "some time", clock_duration(a, waited_ms));
    vec_each (const LockHolder, h, list)
        if (h->prepared)
            err_detail(err, "%s; ROLLBACK PREPARED %s ends it", h->who, h->prepared);
        else
            err_detail(err, "server process %d: %s, %s", h->pid, h->who, h->state);
    return err_hint(err, "run the same command again later, wait longer with --wait 2h, or look at "
                         "it with: aramid unlock");
}

/* One look at the holders: end orphans of this machine, tell about the others. */
static bool
look_at_holders(Session *s, const RunSink *sink, Arena *scratch, int64_t waited_ms, bool tell,
                LockHolderVec *list, Err *err)
{
    if (!lock_holders(s, scratch, list, err))
        return false;
    vec_each (const LockHolder, h, list) {
        bool ended;
        Err ignored; /* not ours to end: then it is waited for */
        if (!h->orphaned || !lock_terminate(s, h, &ended, &ignored) || !ended)
            continue;
        run_find(sink, FINDING_RUN_ORPHAN, NULL, NULL,
                 "ended server process %d, left behind by a run that died: %s", h->pid, h->who);
    }
    if (tell)
        tell_waiting(sink, scratch, list->n ? list->v : NULL, waited_ms);
    return true;
}

/* Try for the locks; with_history also reads what they protect, in the same message. */
static bool
try_locks(Session *s, bool with_history, DbRowsVec *results, size_t *ret_at, Err *err)
{
    Buf b;
    buf_init(&b, s->arena);
    /* Each statement must see what was committed before it, whatever the role's default. */
    buf_addz(&b, "SET TRANSACTION ISOLATION LEVEL READ COMMITTED;");
    *ret_at = 2 + (size_t)session_add_prefix(s, &b);
    if (!s->has_own_lock) { /* a message that failed behind its try has them all the same */
        buf_addz(&b, "SELECT pg_catalog.pg_advisory_unlock_all();");
        ++*ret_at;
    }
    add_try(s, &b);
    if (with_history)
        session_add_history_queries(s, &b);
    if (!session_query(s, s->arena, buf_str(&b), results, err))
        return false;
    note_try(s, db_cell(&results->v[*ret_at - 1], 0, 0));
    return true;
}

static bool
read_history(Session *s, DbRowsVec *results, size_t *ret_at, Err *err)
{
    Buf b;
    buf_init(&b, s->arena);
    *ret_at = (size_t)session_add_prefix(s, &b);
    session_add_history_queries(s, &b);
    return session_query(s, s->arena, buf_str(&b), results, err);
}

/* Poll until the locks are ours. */
static bool
wait_for_locks(Session *s, const RunSink *sink, Err *err)
{
    int64_t started = clock_ms(), budget = config_ms(s->config, CFG_WAIT_RUNNER), pause = 20;
    int64_t look_at = started + 100, tell_at = started + 300;
    while (!s->has_own_lock || !s->has_tool_lock) {
        ARENA_LOCAL(scratch);
        LockHolderVec list = {0};
        int64_t now = clock_ms();
        if (now >= look_at || now >= tell_at) {
            if (!look_at_holders(s, sink, scratch, now - started, now >= tell_at, &list, err))
                return false;
            if (now >= tell_at)
                tell_at = now + 5000;
            look_at = now + 1000;
        }
        if (now - started >= budget)
            return lock_holders(s, scratch, &list, err) && still_held(&list, now - started, err);
        if (!db_pause(s->tick, s->tick_arg, pause))
            return err_set(err, ERR_INTERRUPTED, "waiting for the lock was interrupted");
        pause = pause < 250 ? pause * 2 : 250;
        ArenaMark mark = arena_mark(s->arena);
        DbRowsVec results;
        size_t at;
        if (!try_locks(s, false, &results, &at, err))
            return false;
        arena_reset(s->arena, mark);
    }
    return true;
}

bool
lock_and_read(Session *s, History *h, JournalVec *ret, const RunSink *sink, Err *err)
{
    DbRowsVec results;
    size_t at;
    if (!lease_take(s, sink, err) || !try_locks(s, true, &results, &at, err))
        return false;
    /* What was read without the lock is worth nothing. */
    if (!(s->has_own_lock && s->has_tool_lock) &&
        (!wait_for_locks(s, sink, err) || !session_refresh(s, err) ||
         !read_history(s, &results, &at, err)))
        return false;
    if (!session_take_history(s, &results, at, h, ret, err))
        return false;
    /* What was not there before we had the lock may have been made meanwhile. */
    unsigned missing = session_ledgers_missing(s);
    bool journal = s->own[OWN_JOURNAL].exists;
    if (!missing && (journal || !h->failed))
        return true;
    return session_refresh(s, err) &&
           ((session_ledgers_missing(s) == missing && s->own[OWN_JOURNAL].exists == journal) ||
            (read_history(s, &results, &at, err) &&
             session_take_history(s, &results, at, h, ret, err))) &&
           (s->ledger_exists || session_count_tables(s, err));
}

bool
lock_yield_to_tool(Session *s, const RunSink *sink, Err *err)
{
    Keys keys = tools_keys(s, false);
    INVARIANT(keys.n, "a lock let go that no layout has");
    Buf b;
    buf_init(&b, s->arena);
    session_add_prefix(s, &b);
    vec_each (const char *, key, &keys)
        buf_fmt(&b, "SELECT pg_catalog.pg_advisory_unlock(%s);", *key);
    if (!db_query(s->db, s->arena, buf_str(&b), NULL, err))
        return false;
    s->has_tool_lock = false;
    if (!db_pause(s->tick, s->tick_arg, 300)) /* the waiter needs a moment to take it */
        return err_set(err, ERR_INTERRUPTED, "waiting for the lock was interrupted");
    return wait_for_locks(s, sink, err);
}
