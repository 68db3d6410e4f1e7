/* Building a message of steps, and finding one's way back from an error in it. */
#include "base/invariant.h"
#include "run/message.h"
#include "run/session_int.h"
#include "run/step.h"
#include "sqltext/sqltext.h"

enum { AROUND = 64 * 1024 }; /* bytes of a message that are not the file's */

/* A block while it is written. */
typedef struct Writer {
    Run *run;
    Message *message;
    Buf *sql; /* of the message */
    Block *block;
} Writer;

static void
add_part(Writer *w, PartKind kind, size_t index)
{
    *vec_add(w->message->arena, &w->block->parts) = (Part){kind, index, 1};
}

static void
add_local(Writer *w, const char *setting, int64_t ms)
{
    buf_fmt(w->sql, "SET LOCAL %s=%lld;", setting, (long long)ms);
    add_part(w, PART_SETTING, 0);
}

/* The same in the list of a SELECT that stands there anyway. */
static void
add_call(Writer *w, const char *setting, int64_t ms)
{
    buf_fmt(w->sql, ", pg_catalog.set_config('%s', '%lld', true)", setting, (long long)ms);
}

static void
add_lock_table(Writer *w, const StepLock *l, SqlLockMode mode)
{
    buf_addz(w->sql, "LOCK TABLE ONLY ");
    if (l->rel.schema[0])
        sql_add_name(w->sql, l->rel.schema, l->rel.name);
    else
        sql_add_ident(w->sql, l->rel.name);
    buf_fmt(w->sql, " IN %s MODE;", sql_lock_mode_name(mode));
    add_part(w, PART_PRELOCK, 0);
}

/* First the mode that blocks no reader and no writer: it evicts autovacuum, which only yields to a
 * waiter after deadlock_timeout. Then the final modes, each for a moment only. */
static void
add_prelocks(Writer *w, const LockPlan *locks)
{
    if (!locks->tables.n)
        return;
    add_local(w, "lock_timeout", locks->evict_ms);
    vec_each (const StepLock *, l, &locks->tables)
        add_lock_table(w, *l, SQL_LOCK_SHARE_UPDATE_EXCLUSIVE);
    add_local(w, "lock_timeout", locks->table_ms);
    vec_each (const StepLock *, l, &locks->tables)
        add_lock_table(w, *l, (*l)->mode);
}

/* The time of a statement is known from the server's clock before and behind it. */
#define CLOCK_MARK "aramid clock "
#define CLOCK                                                                                      \
    "'" CLOCK_MARK "%06zu ' OPERATOR(pg_catalog.||) pg_catalog.encode("                            \
    "pg_catalog.timestamptz_send(pg_catalog.clock_timestamp()), 'hex')"
#define CLOCK_QUERY "SELECT " CLOCK ";"

enum {
    TIMED_MAX = 2000,
    CLOCK_DIGITS = 6,
    CLOCK_LENGTH = sizeof CLOCK_QUERY - 1 - 5 + CLOCK_DIGITS
};

/* behind: the statement that begins then. */
static void
add_clock(Writer *w, size_t behind)
{
    *vec_add(w->message->arena, &w->block->clocks) = w->sql->n;
    buf_fmt(w->sql, CLOCK_QUERY, behind);
    add_part(w, PART_CLOCK, behind);
}

/* A text of white space is a query for nothing, of which the server gives notice; and a notice is sent at
 * once, with all that waits to be sent: that the block before this one is committed. As a text first: libpq then looks for no place in the message. */
#define NOTHING "'\t \t'"

bool
message_is_notice(const char *text)
{
    return strstr(text, "\"\t \t\"") != NULL;
}

/* If the session's lock was lost (a script may do so), these keep "exactly once" true: only one block at a
 * time, and not after somebody else applied the migration. Dividing by zero is the only error that plain
 * SQL can raise. The ledger's INSERT looks for the second once more; it is asked early (`row`) where a
 * script could let the lock go, to fail before the script does. */
static void
add_lock_check(Writer *w, size_t first)
{
    buf_addz(w->sql, "SELECT ");
    if (w->block->is_timed)
        buf_fmt(w->sql, CLOCK ", ", first);
    buf_addz(w->sql, "1 OPERATOR(pg_catalog./) CASE WHEN "
                     "pg_catalog.pg_try_advisory_xact_lock(" LOCK_KEY_MESSAGE ")");
    if (w->run->session.unclean) {
        buf_addz(w->sql, " AND ");
        lock_add_is_held(w->sql);
    }
    buf_addz(w->sql, " THEN 1 ELSE 0 END");
    if (w->message->has_many)
        buf_addz(w->sql, ", " NOTHING "::pg_catalog.text::pg_catalog.tsquery");
    add_part(w, PART_CHECK_LOCK, 0);
}

static void
add_pending_check(Writer *w, const LedgerRow *row)
{
    if (!row)
        return;
    buf_addz(w->sql, "SELECT 1 OPERATOR(pg_catalog./) CASE WHEN (");
    ledger_add_is_settled(&w->run->session, w->sql, row);
    buf_addz(w->sql, ") THEN 0 ELSE 1 END;");
    add_part(w, PART_CHECK_PENDING, 0);
}

/* Not where only the server knows where a statement ends, nor of a text that is not kept. */
static bool
is_timed(const Run *r, const MigrationPlan *mp, const Step *step, size_t end)
{
    const SqlScript *script = &mp->script;
    if (!r->times_statements || step->sets_isolation)
        return false;
    if (end == step->first + 1)
        return true;
    if (!script->text.p || end == step->first || end - step->first > TIMED_MAX || end >= 1000000)
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
add_pieces(Writer *w, const MigrationPlan *mp, const Step *step)
{
    const SqlScript *script = &mp->script;
    size_t end = step->first + step->count;
    const Session *s = &w->run->session;
    w->block->user_off = w->sql->n;
    vec_each (const MigrationPiece, p, &mp->migration->pieces) {
        size_t first = statement_at(script, p->off);
        bool is_empty = first == statement_at(script, p->end);
        if (first < step->first || first > end ||
            (first == end && !(is_empty && end == script->stmts.n)))
            continue;
        if (w->block->is_timed && !is_empty && first > step->first)
            add_clock(w, first);
        s->ledgers.v[mp->migration->part].layout->add_piece(w->sql, p);
        buf_addc(w->sql, '\n');
        add_part(w, is_empty ? PART_SETTLE : PART_USER, is_empty ? SIZE_MAX : first);
    }
    w->block->user_len = 0; /* a position is not one in the file */
}

/* The file's own bytes. Between statements that are known as such the time is asked for. */
static bool
add_user(Writer *w, const MigrationPlan *mp, const Step *step, Err *err)
{
    Block *block = w->block;
    const SqlScript *script = &mp->script;
    size_t first = step->first, end = first + step->count - (step->mode == STEP_OWN_TX);
    size_t from = step->off;
    block->user_off = w->sql->n;
    if (!block->is_timed || end == first + 1) {
        if (!plan_add_text(w->sql, mp, step->off, step->end, err))
            return false;
        if (end > first)
            *vec_add(w->message->arena, &block->parts) = (Part){PART_USER, first, end - first};
        block->user_len = w->sql->n - block->user_off;
        return true;
    }
    for (size_t i = first; i < end; i++) {
        size_t behind = i + 1 < end ? script->stmts.v[i].end : step->end;
        if (i > first)
            add_clock(w, i);
        buf_add(w->sql, str_slice(script->text, from, behind));
        add_part(w, PART_USER, i);
        from = behind;
    }
    block->user_len = w->sql->n - block->user_off;
    return true;
}

void
message_take_row(void *arg, size_t result, const Str *cells)
{
    BlockTimes *t = arg;
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
add_carry(Writer *w)
{
    Run *r = w->run;
    if (!r->carry.proof_count)
        return;
    session_add_row_security(&r->session, w->sql);
    add_part(w, PART_SETTING, 0);
    run_add_carry(r, w->sql);
    for (int i = 0; i < r->carry.record_count + r->carry.proof_count; i++)
        add_part(w, i < r->carry.record_count ? PART_RECORD : PART_PROOF, 0);
    buf_addz(w->sql, "SET LOCAL row_security TO DEFAULT;");
    add_part(w, PART_SETTING, 0);
}

/* The timeouts are statements of their own only where an isolation level must come before the first query. */
static void
add_head(Writer *w, const MigrationPlan *mp, const Step *step, const StepWrite *write)
{
    Run *r = w->run;
    for (int n = session_add_user_prefix(&r->session, w->sql); n > 0; n--)
        add_part(w, PART_SETTING, 0);
    if (step->chained || (w->message->has_many && step->mode != STEP_OWN_TX)) {
        buf_fmt(w->sql, "BEGIN %s;", step->chained ? step->chained : "");
        add_part(w, PART_SETTING, 0);
    }
    int64_t own_ms = plan_timeout_ms(mp);
    int64_t statement_ms = own_ms >= 0 ? own_ms
                           : step->has_strong || !step->has_dml
                               ? 0
                               : config_ms(r->session.config, CFG_STATEMENT_TIMEOUT);
    if (step->sets_isolation) {
        add_local(w, "statement_timeout", statement_ms);
        add_prelocks(w, write->locks);
        add_local(w, "lock_timeout", write->locks->rest_ms);
        return;
    }
    add_carry(w);
    add_prelocks(w, write->locks);
    add_lock_check(w, step->first);
    add_call(w, "statement_timeout", statement_ms);
    add_call(w, "lock_timeout", write->locks->rest_ms);
    if (!write->is_flushed)
        buf_addz(w->sql, ", pg_catalog.set_config('synchronous_commit', 'off', true)");
    buf_addc(w->sql, ';');
    bool is_shared = db_info(r->session.db)->is_shared; /* then no lock keeps others out */
    add_pending_check(w, step->hides_session || is_shared ? write->pending : NULL);
}

/* From here on nothing is the file's. Whatever it has locked, others wait for it while this waits for the
 * ledger. */
static void
add_tail_settings(Writer *w, size_t end, const LockPlan *locks)
{
    const Session *s = &w->run->session;
    buf_addz(w->sql, "SELECT ");
    if (w->block->is_timed)
        buf_fmt(w->sql, CLOCK ", ", end);
    session_add_row_security_call(s, w->sql);
    int64_t polite_ms = config_ms(s->config, CFG_LOCK_TIMEOUT);
    if (!locks->rest_ms || locks->rest_ms > polite_ms)
        add_call(w, "lock_timeout", polite_ms);
    buf_addc(w->sql, ';');
    add_part(w, PART_SETTING, 0);
}

static void
add_tail(Writer *w, const Step *step, const StepWrite *write)
{
    bool own_commit = step->mode == STEP_OWN_TX; /* then our COMMIT comes behind the record */
    size_t end = step->first + step->count;
    /* The newline ends a last "-- comment". What is deferred comes now: then the file's errors are
     * the file's, and a deferred trigger on the ledger comes before its row is looked at. */
    buf_addz(w->sql, "\n;\nSET CONSTRAINTS ALL IMMEDIATE;");
    add_part(w, PART_SETTLE, own_commit ? end - 1 : SIZE_MAX);
    if (step->hides_session) {
        /* The defaults of transactions count from the next message's beginning, before its RESETs. */
        buf_addz(w->sql,
                 "RESET ROLE;RESET SESSION AUTHORIZATION;"
                 "RESET default_transaction_read_only;RESET default_transaction_isolation;"
                 "RESET default_transaction_deferrable;"
                 "RESET standard_conforming_strings;"); /* the whole next message is read by it */
        for (int i = 0; i < 6; i++)
            add_part(w, PART_RECORD, 0);
    }
    if (step->sets_isolation) {
        add_lock_check(w, step->first);
        buf_addc(w->sql, ';');
        add_carry(w);
    }
    if (write->promise) {
        buf_addz(w->sql, write->promise);
        buf_addc(w->sql, ';');
        add_part(w, PART_PROMISE, 0);
    }
    add_tail_settings(w, end - own_commit, write->locks);
    buf_addz(w->sql, write->record);
    for (int i = 0; i < write->record_statements; i++)
        add_part(w, PART_RECORD, 0);
    buf_addz(w->sql, write->proof);
    for (int i = 0; i < (write->proofs ? write->proofs : 1); i++)
        add_part(w, PART_PROOF, 0);
    if (own_commit || w->message->has_many) {
        buf_addz(w->sql, ";COMMIT");
        add_part(w, own_commit ? PART_USER : PART_COMMIT, end - 1);
    }
    if (w->message->has_many)
        buf_addc(w->sql, ';');
}

void
message_begin(Message *ret, Arena *a, Arena *text, bool has_many)
{
    *ret = (Message){.arena = a, .has_many = has_many};
    buf_init(&ret->sql, text);
}

bool
message_add(Run *r, const MigrationPlan *mp, const Step *step, const StepWrite *write, Message *m,
            Block *ret, Err *err)
{
    INVARIANT(step->mode != STEP_ALONE, "a message around a statement that needs none");
    INVARIANT(step->first + step->count <= mp->statements, "a step beyond its script");
    INVARIANT(write->record && write->record_statements > 0, "a message without a record");
    *ret = (Block){.first = m->statements, .file_off = step->off};
    ret->is_timed = is_timed(r, mp, step, step->first + step->count - (step->mode == STEP_OWN_TX));
    Writer w = {r, m, &m->sql, ret};
    buf_room(&m->sql, (mp->script.text.p ? step->end - step->off : mp->migration->bytes) + AROUND);
    add_head(&w, mp, step, write);
    if (mp->migration->pieces.n)
        add_pieces(&w, mp, step);
    else if (!add_user(&w, mp, step, err))
        return false;
    add_tail(&w, step, write);
    vec_each (const Part, p, &ret->parts)
        m->statements += p->count;
    ret->end = m->statements;
    return true;
}

bool
message_failed_part(const Block *block, const DbOutcome *o, Part *ret)
{
    size_t behind = (size_t)o->completed - block->first;
    vec_each (const Part, p, &block->parts) {
        if (behind < p->count) {
            *ret = (Part){p->kind, p->kind == PART_USER ? p->index + behind : p->index, 1};
            return true;
        }
        behind -= p->count;
    }
    return false;
}

void
message_drop_text(Message *m, Block *block, const DbOutcome *o)
{
    size_t off = o->position ? str_utf8_offset(buf_str(&m->sql), o->position - 1) : 0;
    block->is_placed =
        o->position && off >= block->user_off && off <= block->user_off + block->user_len;
    block->error_off = block->file_off + off - block->user_off;
    vec_each (const size_t, at, &block->clocks)
        block->error_off -= *at < off ? CLOCK_LENGTH : 0;
    m->sql = (Buf){0};
}

/* A syntax error fails the whole message before anything ran: then only the position tells. */
bool
message_place(const Block *block, const MigrationPlan *mp, const DbOutcome *o, Err *err)
{
    Part part = {0};
    bool has_part = message_failed_part(block, o, &part);
    if (block->is_placed) {
        ARENA_LOCAL(a);
        SqlScript script;
        Err ignored;
        size_t file = block->error_off, begins = 0;
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
