/* Building the one message of a step, and finding one's way back from an error in it. */
#include "base/invariant.h"
#include "run/message.h"
#include "run/session_int.h"
#include "run/step.h"
#include "sqltext/sqltext.h"

enum { AROUND = 64 * 1024 }; /* bytes of a message that are not the file's */

static void
add_part(Arena *a, Message *m, PartKind kind, size_t index)
{
    *vec_add(a, &m->parts) = (Part){kind, index, 1};
}

static void
add_local(Arena *a, Message *m, const char *setting, int64_t ms)
{
    buf_fmt(&m->sql, "SET LOCAL %s=%lld;", setting, (long long)ms);
    add_part(a, m, PART_SETTING, 0);
}

static void
add_lock_table(Arena *a, Message *m, const StepLock *l, SqlLockMode mode)
{
    buf_addz(&m->sql, "LOCK TABLE ONLY ");
    if (l->rel.schema[0])
        sql_add_name(&m->sql, l->rel.schema, l->rel.name);
    else
        sql_add_ident(&m->sql, l->rel.name);
    buf_fmt(&m->sql, " IN %s MODE;", sql_lock_mode_name(mode));
    add_part(a, m, PART_PRELOCK, 0);
}

/* First the mode that blocks no reader and no writer: it evicts autovacuum, which only yields to a
 * waiter after deadlock_timeout. Then the final modes, each for a moment only. */
static void
add_prelocks(Arena *a, Message *m, const LockPlan *locks)
{
    if (locks->tables.n) {
        add_local(a, m, "lock_timeout", locks->evict_ms);
        vec_each (const StepLock *, l, &locks->tables)
            add_lock_table(a, m, *l, SQL_LOCK_SHARE_UPDATE_EXCLUSIVE);
        add_local(a, m, "lock_timeout", locks->table_ms);
        vec_each (const StepLock *, l, &locks->tables)
            add_lock_table(a, m, *l, (*l)->mode);
    }
    add_local(a, m, "lock_timeout", locks->rest_ms);
}

/* If the session's lock was lost (a script may do so), these keep "exactly once" true: only one
 * message at a time, and not after somebody else applied the migration. Dividing by zero is the
 * only error that plain SQL can raise. The ledger's INSERT looks for the second once more; it is
 * asked early where a script could let the lock go, to fail before the script does. */
static void
add_checks(Run *r, Arena *a, Message *m, const LedgerRow *row)
{
    const Session *s = &r->session;
    buf_addz(&m->sql, "SELECT 1 OPERATOR(pg_catalog./) CASE WHEN "
                      "pg_catalog.pg_try_advisory_xact_lock(" LOCK_KEY_MESSAGE ")");
    if (s->unclean) {
        buf_addz(&m->sql, " AND ");
        lock_add_is_held(&m->sql);
    }
    buf_addz(&m->sql, " THEN 1 ELSE 0 END;");
    add_part(a, m, PART_CHECK_LOCK, 0);
    if (!row)
        return;
    buf_addz(&m->sql, "SELECT 1 OPERATOR(pg_catalog./) CASE WHEN (");
    ledger_add_is_settled(s, &m->sql, row);
    buf_addz(&m->sql, ") THEN 0 ELSE 1 END;");
    add_part(a, m, PART_CHECK_PENDING, 0);
}

/* The time of a statement is known from the server's clock before and behind it: what a message gives
 * comes when all of it has run. */
#define CLOCK_MARK "aramid clock "
#define CLOCK_QUERY                                                                                \
    "SELECT '" CLOCK_MARK "%06zu ' OPERATOR(pg_catalog.||) pg_catalog.encode("                     \
    "pg_catalog.timestamptz_send(pg_catalog.clock_timestamp()), 'hex');"

enum {
    TIMED_MAX = 2000,
    CLOCK_DIGITS = 6,
    CLOCK_LENGTH = sizeof CLOCK_QUERY - 1 - 5 + CLOCK_DIGITS
};

/* behind: the statement that begins then. */
static void
add_clock(Arena *a, Message *m, size_t behind)
{
    *vec_add(a, &m->clocks) = m->sql.n;
    buf_fmt(&m->sql, CLOCK_QUERY, behind);
    add_part(a, m, PART_CLOCK, behind);
}

/* Not where only the server knows where a statement ends, nor of a text that is not kept. */
static bool
is_timed(const Message *m, const MigrationPlan *mp, const Step *step, size_t end)
{
    const SqlScript *script = &mp->script;
    if (!m->is_timed || !script->text.p || end < step->first + 2 || end - step->first > TIMED_MAX ||
        end >= 1000000)
        return false;
    for (size_t i = step->first; i < end; i++)
        if (script->forms.v[script->stmts.v[i].form].opaque)
            return false;
    return true;
}

static size_t
statement_at(const SqlScript *script, size_t off)
{
    size_t i = 0;
    while (i < script->stmts.n && script->stmts.v[i].off < off)
        i++;
    return i;
}

/* A migration of pieces: each is one statement, whose checks stand around what is in the file. */
static void
add_pieces(Run *r, Arena *a, Message *m, const MigrationPlan *mp, const Step *step)
{
    const SqlScript *script = &mp->script;
    size_t end = step->first + step->count;
    size_t timed = m->is_timed && end < 1000000 && end - step->first <= TIMED_MAX;
    m->user_off = m->sql.n;
    vec_each (const MigrationPiece, p, &mp->migration->pieces) {
        size_t first = statement_at(script, p->off);
        bool is_empty = first == statement_at(script, p->end);
        if (first < step->first || first > end ||
            (first == end && !(is_empty && end == script->stmts.n)))
            continue;
        if (timed && !is_empty)
            add_clock(a, m, first);
        r->session.ledgers.v[mp->migration->part].layout->add_piece(&m->sql, p);
        buf_addc(&m->sql, '\n');
        add_part(a, m, is_empty ? PART_SETTLE : PART_USER, is_empty ? SIZE_MAX : first);
    }
    if (timed)
        add_clock(a, m, end);
    m->user_len = 0; /* a position is not one in the file */
}

/* The file's own bytes. Between statements that are known as such the time is asked for. */
static bool
add_user(Arena *a, Message *m, const MigrationPlan *mp, const Step *step, Err *err)
{
    const SqlScript *script = &mp->script;
    size_t first = step->first, end = first + step->count - (step->mode == STEP_OWN_TX);
    size_t from = step->off;
    m->user_off = m->sql.n;
    if (!is_timed(m, mp, step, end)) {
        if (!plan_add_text(&m->sql, mp, step->off, step->end, err))
            return false;
        if (end > first)
            *vec_add(a, &m->parts) = (Part){PART_USER, first, end - first};
        m->user_len = m->sql.n - m->user_off;
        return true;
    }
    for (size_t i = first; i < end; i++) {
        size_t behind = i + 1 < end ? script->stmts.v[i].end : step->end;
        add_clock(a, m, i);
        buf_add(&m->sql, str_slice(script->text, from, behind));
        add_part(a, m, PART_USER, i);
        from = behind;
    }
    m->user_len = m->sql.n - m->user_off;
    buf_addz(&m->sql, "\n;\n"); /* ends a last "-- comment" */
    add_clock(a, m, end);
    return true;
}

void
message_take_row(void *arg, size_t result, const Str *cells)
{
    MessageTimes *t = arg;
    long long statement;
    size_t mark = strlen(CLOCK_MARK), time = mark + CLOCK_DIGITS + 1;
    (void)result;
    if (!str_starts(cells[0], STR(CLOCK_MARK)) || cells[0].n != time + 16 ||
        !str_to_int(str_slice(cells[0], mark, time - 1), 0, TIMED_MAX * 1000, &statement))
        return; /* a row of the file's own */
    int64_t now = db_time_us(str_slice(cells[0], time, cells[0].n));
    if (t->last_us)
        *vec_add(t->arena, t->to) = (RunTime){t->statement, now - t->last_us};
    t->last_us = now;
    t->statement = (size_t)statement;
}

static void
add_carry(Run *r, Arena *a, Message *m)
{
    if (!r->carry)
        return;
    session_add_row_security(&r->session, &m->sql);
    add_part(a, m, PART_SETTING, 0);
    for (int n = run_add_carry(r, &m->sql); n > 0; n--)
        add_part(a, m, n > 1 ? PART_RECORD : PART_PROOF, 0);
    buf_addz(&m->sql, "SET LOCAL row_security TO DEFAULT;");
    add_part(a, m, PART_SETTING, 0);
}

bool
message_step(Run *r, Arena *a, const MigrationPlan *mp, const Step *step, const StepWrite *write,
             Message *ret, Err *err)
{
    const LockPlan *locks = write->locks;
    INVARIANT(step->mode != STEP_ALONE, "a message around a statement that needs none");
    INVARIANT(step->first + step->count <= mp->statements, "a step beyond its script");
    INVARIANT(write->record && write->record_statements > 0, "a message without a record");
    *ret = (Message){0};
    buf_init(&ret->sql, write->text);
    size_t end = step->first + step->count;
    bool own_commit = step->mode == STEP_OWN_TX; /* then our COMMIT comes behind the record */
    for (int n = session_add_user_prefix(&r->session, &ret->sql); n > 0; n--)
        add_part(a, ret, PART_SETTING, 0);
    ret->file_off = step->off;
    buf_room(&ret->sql,
             (mp->script.text.p ? step->end - step->off : mp->migration->bytes) + AROUND);
    if (step->chained) {
        buf_fmt(&ret->sql, "BEGIN %s;", step->chained);
        add_part(a, ret, PART_SETTING, 0);
    }
    bool is_shared = db_info(r->session.db)->is_shared; /* then no lock keeps others out */
    /* An isolation level must come before the first query. */
    bool checks_last = step->sets_isolation;
    if (!checks_last)
        add_carry(r, a, ret);
    int64_t own_ms = plan_timeout_ms(mp);
    add_local(a, ret, "statement_timeout",
              own_ms >= 0 ? own_ms
              : step->has_strong || !step->has_dml
                  ? 0
                  : config_ms(r->session.config, CFG_STATEMENT_TIMEOUT));
    add_prelocks(a, ret, locks);
    if (!checks_last)
        add_checks(r, a, ret, step->hides_session || is_shared ? write->pending : NULL);
    ret->is_timed = r->times_statements && !checks_last;
    if (mp->migration->pieces.n)
        add_pieces(r, a, ret, mp, step);
    else if (!add_user(a, ret, mp, step, err))
        return false;
    /* The newline ends a last "-- comment". What is deferred comes now: then the file's errors are
     * the file's, and a deferred trigger on the ledger comes before its row is looked at. */
    buf_addz(&ret->sql, "\n;\nSET CONSTRAINTS ALL IMMEDIATE;");
    add_part(a, ret, PART_SETTLE, own_commit ? end - 1 : SIZE_MAX);
    if (step->hides_session) {
        /* The defaults of transactions count from the next message's beginning, before its RESETs. */
        buf_addz(&ret->sql,
                 "RESET ROLE;RESET SESSION AUTHORIZATION;"
                 "RESET default_transaction_read_only;RESET default_transaction_isolation;"
                 "RESET default_transaction_deferrable;"
                 "RESET standard_conforming_strings;"); /* the whole next message is read by it */
        for (int i = 0; i < 6; i++)
            add_part(a, ret, PART_RECORD, 0);
    }
    if (checks_last) {
        add_checks(r, a, ret, NULL);
        add_carry(r, a, ret);
    }
    if (write->promise) {
        buf_addz(&ret->sql, write->promise);
        buf_addc(&ret->sql, ';');
        add_part(a, ret, PART_PROMISE, 0);
    }
    session_add_row_security(&r->session, &ret->sql);
    add_part(a, ret, PART_SETTING, 0);
    /* Whatever the file has locked, others wait for it while this waits for the ledger. */
    int64_t polite_ms = config_ms(r->session.config, CFG_LOCK_TIMEOUT);
    if (!locks->rest_ms || locks->rest_ms > polite_ms)
        add_local(a, ret, "lock_timeout", polite_ms);
    buf_addz(&ret->sql, write->record);
    for (int i = 0; i < write->record_statements; i++)
        add_part(a, ret, PART_RECORD, 0);
    buf_addz(&ret->sql, write->proof);
    for (int i = 0; i < (write->proofs ? write->proofs : 1); i++)
        add_part(a, ret, PART_PROOF, 0);
    if (own_commit) {
        buf_addz(&ret->sql, ";COMMIT");
        add_part(a, ret, PART_USER, end - 1);
    }
    return true;
}

bool
message_failed_part(const Message *m, const DbOutcome *o, Part *ret)
{
    size_t behind = (size_t)o->completed;
    vec_each (const Part, p, &m->parts) {
        if (behind < p->count) {
            *ret = (Part){p->kind, p->kind == PART_USER ? p->index + behind : p->index, 1};
            return true;
        }
        behind -= p->count;
    }
    return false;
}

void
message_drop_text(Message *m, const DbOutcome *o)
{
    size_t off = o->position ? str_utf8_offset(buf_str(&m->sql), o->position - 1) : 0;
    m->is_placed = o->position && off >= m->user_off && off <= m->user_off + m->user_len;
    m->error_off = m->file_off + off - m->user_off;
    vec_each (const size_t, at, &m->clocks)
        m->error_off -= *at < off ? CLOCK_LENGTH : 0;
    m->sql = (Buf){0};
}

/* A syntax error fails the whole message before anything ran: then only the position tells. */
bool
message_place(const Message *m, const MigrationPlan *mp, const DbOutcome *o, Err *err)
{
    Part part = {0};
    bool has_part = message_failed_part(m, o, &part);
    if (m->is_placed) {
        ARENA_LOCAL(a);
        SqlScript script;
        Err ignored;
        size_t file = m->error_off, begins = 0;
        const MigrationPlan *of = mp;
        vec_each (const PlanPart, p, &mp->parts)
            if (p->off <= file)
                of = p->of, begins = p->off;
        file -= begins;
        int line, col;
        err_at(err, of->migration->path, 0, 0);
        if (!plan_script(a, of, true, &script, &ignored))
            return true;
        str_line_col(script.text, file, &line, &col);
        err_at(err, of->migration->path, line, col);
        for (size_t i = 0; i < script.stmts.n && script.stmts.v[i].off <= file; i++)
            err->statement = (int)i + 1;
        return true;
    }
    bool own_commit = has_part && part.kind == PART_SETTLE && part.index != SIZE_MAX;
    if (has_part && (part.kind == PART_USER || own_commit)) {
        plan_place(mp, part.index, err);
        return true;
    }
    err_at(err, mp->migration->path, 0, 0);
    return false;
}
