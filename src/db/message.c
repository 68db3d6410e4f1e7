/* Sending a message and collecting its results. */
#include "db/db_int.h"

#include "base/clock.h"
#include "db/resolve.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>

typedef struct CancelCall {
    PqApi pq;
    PGcancel *cancel;
} CancelCall;

static void
cancel_send(void *p)
{
    CancelCall *c = p;
    char text[256];
    c->pq.PQcancel(c->cancel, text, sizeof text);
}

static void
cancel_free(void *p)
{
    CancelCall *c = p;
    c->pq.PQfreeCancel(c->cancel);
    mem_free(c);
}

/* PQcancel connects and waits without a limit, so it gets a thread and a deadline. */
static void
request_cancel(Db *db)
{
    PGcancel *cancel = db->pq.PQgetCancel(db->conn);
    if (!cancel)
        return;
    db_trace_plain(db, "cancel");
    CancelCall *c = mem_alloc(sizeof *c);
    *c = (CancelCall){db->pq, cancel};
    if (run_with_deadline(cancel_send, c, cancel_free, CANCEL_MS))
        cancel_free(c);
}

static const char *
field(Db *db, Arena *a, const PGresult *res, int code)
{
    const char *v = db->pq.PQresultErrorField(res, code);
    return v ? str_dupz(a, v) : "";
}

/* What a server says may quote a statement with a password: it goes no further than here. */
static const char *
words(Db *db, Arena *a, const PGresult *res, int code)
{
    const SecretVec *secrets = db->opt.secrets;
    return url_redact(a, str_of(field(db, a, res, code)), secrets ? secrets->v : NULL,
                      secrets ? secrets->n : 0);
}

/* The first line of libpq's text; the others guess at causes. */
static const char *
connection_text(Db *db, Arena *a)
{
    Str text = str_trim(str_of(db->pq.PQerrorMessage(db->conn)));
    return str_dup(a, str_cut(&text, '\n'));
}

static void
take_error(Db *db, Arena *a, const PGresult *res, DbOutcome *ret)
{
    const char *state = db->pq.PQresultErrorField(res, PG_DIAG_SQLSTATE);
    if (ret->end != DB_DONE)
        return; /* the first error counts */
    if (!state) {
        ret->end = DB_LOST;
        ret->message = connection_text(db, a);
        return;
    }
    ret->end = DB_FAILED;
    memcpy(ret->sqlstate, state, 5);
    ret->message = words(db, a, res, PG_DIAG_MESSAGE_PRIMARY);
    ret->detail = words(db, a, res, PG_DIAG_MESSAGE_DETAIL);
    ret->hint = words(db, a, res, PG_DIAG_MESSAGE_HINT);
    ret->context = words(db, a, res, PG_DIAG_CONTEXT);
    ret->schema = field(db, a, res, PG_DIAG_SCHEMA_NAME);
    ret->table = field(db, a, res, PG_DIAG_TABLE_NAME);
    ret->column = field(db, a, res, PG_DIAG_COLUMN_NAME);
    ret->constraint = field(db, a, res, PG_DIAG_CONSTRAINT_NAME);
    long long position = 0;
    str_to_int(str_of(field(db, a, res, PG_DIAG_STATEMENT_POSITION)), 0, INT64_MAX, &position);
    ret->position = (size_t)position;
    /* After these the server ends the session: what a COMMIT did is unknown. The SQLSTATE does not
     * tell: dblink, foreign tables and RAISE give class 08 to ordinary errors. */
    const char *severity = db->pq.PQresultErrorField(res, PG_DIAG_SEVERITY_NONLOCALIZED);
    if (severity && (strcmp(severity, "FATAL") == 0 || strcmp(severity, "PANIC") == 0))
        ret->end = DB_LOST;
}

/* Hand out the rows of a result as they lie in libpq's memory. */
static void
hand_rows(Db *db, const PGresult *res, const DbRun *run, size_t result)
{
    Str cells[DB_ROW_CELLS];
    int rows = db->pq.PQntuples(res), cols = db->pq.PQnfields(res);
    cols = cols < DB_ROW_CELLS ? cols : DB_ROW_CELLS;
    for (int i = 0; i < rows; i++) {
        for (int k = 0; k < cols; k++)
            cells[k] = db->pq.PQgetisnull(res, i, k) ? (Str){0}
                                                     : (Str){db->pq.PQgetvalue(res, i, k),
                                                             (size_t)db->pq.PQgetlength(res, i, k)};
        run->row(run->row_arg, result, cells);
    }
}

static void
take_rows(Db *db, Arena *a, const PGresult *res, DbOutcome *ret)
{
    DbRows *r = vec_add(a, &ret->results);
    r->rows = db->pq.PQntuples(res);
    r->cols = db->pq.PQnfields(res);
    Str *cells = arena_array(a, Str, r->rows * r->cols);
    for (int i = 0; i < r->rows; i++)
        for (int k = 0; k < r->cols; k++)
            if (!db->pq.PQgetisnull(res, i, k))
                cells[i * r->cols + k] = str_copy(
                    a, (Str){db->pq.PQgetvalue(res, i, k), (size_t)db->pq.PQgetlength(res, i, k)});
    r->cells = cells;
}

/* Hand on what a COPY ... TO STDOUT has sent so far; false: more is to come. */
static bool
drain_copy_out(Db *db, const DbRun *run, const DbOutcome *ret)
{
    char *row;
    int n;
    while ((n = db->pq.PQgetCopyData(db->conn, &row, 1)) > 0) {
        db->bytes_out += n;
        if (run->copy_out && !db->copy_refused)
            db->copy_refused = !run->copy_out(run->copy_arg, ret->results.n, (Str){row, (size_t)n});
        db->pq.PQfreemem(row);
    }
    return n != 0;
}

/* Queue the next piece of a COPY ... FROM STDIN, or its end. */
static bool
feed_copy_in(Db *db, const DbRun *run)
{
    Str piece = {0};
    if (!run->copy_in(run->copy_arg, &piece)) {
        db->copies_in = false;
        return db->pq.PQputCopyEnd(db->conn, "the data ended early") >= 0;
    }
    db->copies_in = piece.n > 0;
    db->bytes_in += (int64_t)piece.n;
    return (piece.n ? db->pq.PQputCopyData(db->conn, piece.p, (int)piece.n)
                    : db->pq.PQputCopyEnd(db->conn, NULL)) >= 0;
}

/* A script may have a million statements: of those whose rows nobody wants the count is enough, and the
 * first tags for the trace. */
static bool
is_kept(const DbRun *run, const DbOutcome *ret)
{
    return !run->discard_rows || ret->results.n < DB_TAGS_KEPT;
}

static void
take_result(Db *db, Arena *a, PGresult *res, const DbRun *run, DbOutcome *ret)
{
    const char *tag; /* PQcmdStatus only reads, but its declaration lacks the const */
    bool keeps = is_kept(run, ret);
    int before = ret->completed;
    switch (db->pq.PQresultStatus(res)) {
    case PGRES_COMMAND_OK:
    case PGRES_EMPTY_QUERY:
        ret->completed++;
        if (keeps)
            vec_add(a, &ret->results)->tag = str_dupz(a, db->pq.PQcmdStatus(res));
        break;
    case PGRES_TUPLES_OK:
        db->rows += db->pq.PQntuples(res);
        if (run->row)
            hand_rows(db, res, run, ret->results.n);
        if (!keeps)
            ;
        else if (run->row || run->discard_rows)
            vec_add(a, &ret->results);
        else
            take_rows(db, a, res, ret);
        tag = db->pq.PQcmdStatus(res);
        /* A rule can make several results of a statement; only the last one has the tag. */
        ret->completed += tag[0] != 0;
        if (keeps)
            ret->results.v[ret->results.n - 1].tag = str_dupz(a, tag);
        break;
    case PGRES_SINGLE_TUPLE:
        db->rows++; /* kept by nobody */
        if (run->row)
            hand_rows(db, res, run, ret->results.n);
        break;
    case PGRES_COPY_OUT:
        db->copies_out = true;
        break;
    case PGRES_COPY_IN:
        db->copies_in = run->copy_in != NULL;
        if (!db->copies_in)
            db->pq.PQputCopyEnd(db->conn, "COPY FROM STDIN has no data here");
        break;
    default:
        take_error(db, a, res, ret);
    }
    db->pq.PQclear(res);
    if (run->step && ret->completed > before)
        run->step(run->step_arg, ret->completed);
}

/* Collect all results that are there; true when the message has ended. */
static bool
collect(Db *db, Arena *a, const DbRun *run, DbOutcome *ret)
{
    for (;;) {
        db->copies_out = db->copies_out && !drain_copy_out(db, run, ret);
        if (db->copies_out || db->copies_in || db->pq.PQisBusy(db->conn))
            return false;
        PGresult *res = db->pq.PQgetResult(db->conn);
        if (!res)
            return true;
        take_result(db, a, res, run, ret);
    }
}

static void
lose(Db *db, Arena *a, DbOutcome *ret, const char *fallback)
{
    if (ret->end == DB_DONE) {
        const char *text = connection_text(db, a);
        ret->message = text[0] ? text : fallback;
    }
    ret->end = DB_LOST;
}

/* Where data flows without a pause the socket's wait never ticks: then it is done here. */
static WaitEnd
look_at_clock(Db *db, const DbRun *run, int64_t started, int64_t deadline, int64_t *ticked)
{
    int64_t now = clock_ms();
    if (now >= deadline)
        return WAIT_DEADLINE;
    if (db->copy_refused)
        return WAIT_STOP;
    if (now - *ticked < (run->tick_ms ? run->tick_ms : TICK_MS))
        return WAIT_READY;
    *ticked = now;
    return !db->opt.tick || db->opt.tick(db->opt.tick_arg, now - started) ? WAIT_READY : WAIT_STOP;
}

/* Send, hand data in and out, wait for the answer. A stop or a timeout cancels the statement and
 * waits a little longer. */
static void
await(Db *db, Arena *a, const DbRun *run, DbOutcome *ret)
{
    int64_t started = clock_ms(), ticked = started;
    int64_t deadline = run->timeout_ms ? started + run->timeout_ms : INT64_MAX;
    bool sent = false, cancelling = false;
    for (;;) {
        if (!sent) {
            int left = db->pq.PQflush(db->conn);
            if (left < 0)
                return lose(db, a, ret, "the message could not be sent");
            sent = left == 0;
        }
        if (sent && collect(db, a, run, ret))
            return;
        WaitEnd end = cancelling ? WAIT_READY : look_at_clock(db, run, started, deadline, &ticked);
        if (sent && db->copies_in && end == WAIT_READY) {
            if (!feed_copy_in(db, run))
                return lose(db, a, ret, "the data could not be sent");
            sent = false;
            continue;
        }
        short events = (short)(sent ? POLLIN : POLLIN | POLLOUT);
        if (end == WAIT_READY)
            end = db_wait_socket(db->pq.PQsocket(db->conn), events, deadline, started, run->tick_ms,
                                 cancelling ? NULL : db->opt.tick, db->opt.tick_arg);
        if (end == WAIT_READY) {
            if (!db->pq.PQconsumeInput(db->conn)) {
                collect(db, a, run, ret);
                return lose(db, a, ret, "the connection broke");
            }
            continue;
        }
        if (cancelling)
            return lose(db, a, ret, "the server did not answer to a cancel request");
        ret->cancelled = cancelling = true;
        ret->timed_out = end == WAIT_DEADLINE;
        if (db->copies_in) { /* a server that waits for data hears nothing else */
            db->copies_in = false;
            db->pq.PQputCopyEnd(db->conn, "cancelled");
            sent = false;
        }
        request_cancel(db);
        deadline = clock_ms() + GRACE_MS;
    }
}

void
db_run(Db *db, Arena *a, Str sql, const DbRun *run, DbOutcome *ret)
{
    *ret = (DbOutcome){.message = "",
                       .detail = "",
                       .hint = "",
                       .context = "",
                       .schema = "",
                       .table = "",
                       .column = "",
                       .constraint = ""};
    if (!db->conn) {
        ret->end = DB_LOST;
        ret->message = "the connection is closed";
        return;
    }
    db->notice = run->notice;
    db->notice_arg = run->notice_arg;
    db->copies_out = db->copies_in = db->copy_refused = false;
    db_trace_sent(db, sql);
    if (!db->pq.PQsendQuery(db->conn, sql.p)) {
        if (strstr(db->pq.PQerrorMessage(db->conn), "allocate memory"))
            mem_exhausted(sql.n); /* no broken connection, and no better in the next try */
        lose(db, a, ret, "the message could not be sent");
    } else {
        if (run->discard_rows)
            db->pq.PQsetSingleRowMode(db->conn);
        await(db, a, run, ret);
    }
    db->notice = NULL;
    db_trace_answered(db, ret);
    if (ret->end == DB_LOST)
        db_drop(db);
}

bool
db_outcome_err(const DbOutcome *o, const char *what, Err *err)
{
    if (o->cancelled && !o->timed_out)
        return err_set(err, ERR_INTERRUPTED, "%s was interrupted", what);
    if (o->timed_out) {
        err_set(err, ERR_TIMEOUT, "%s did not end in time and was cancelled", what);
        return err_hint(err,
                        "raise timeouts.operation (MIGRATION_TIMEOUT) when the server is slow");
    }
    if (o->end == DB_LOST)
        err_set(err, ERR_CONNECTION_LOST, "the connection broke during %s", what);
    else if (strcmp(o->sqlstate, "42501") == 0)
        err_set(err, ERR_DENIED, "a privilege is missing for %s", what);
    else if (strcmp(o->sqlstate, "25006") == 0)
        err_set(err, ERR_READ_ONLY, "the server accepts no writes (%s)", what);
    else
        err_set(err, ERR_SQL, "the server refused %s", what);
    memcpy(err->sqlstate, o->sqlstate, sizeof err->sqlstate);
    err_detail(err, "%s", o->message);
    if (o->detail[0])
        err_detail(err, "%s", o->detail);
    if (o->hint[0])
        err_hint(err, "%s", o->hint);
    return false;
}

void
db_outcome_details(Arena *a, const DbOutcome *o, Err *err)
{
    const char *const parts[][2] = {
        {"detail", o->detail}, {"server's hint", o->hint}, {"context", o->context}};
    for (size_t i = 0; i < COUNT(parts); i++)
        if (parts[i][1][0])
            err_detail(err, "%s: %s", parts[i][0], str_printable(a, str_of(parts[i][1]), true));
}

static bool
query(Db *db, Arena *a, Str sql, const DbRun *how, DbRowsVec *ret, Err *err)
{
    DbOutcome o;
    db_run(db, a, sql, how, &o);
    if (o.end != DB_DONE)
        return db_outcome_err(&o, "a query of Aramid", err);
    if (ret)
        *ret = o.results;
    return true;
}

bool
db_query(Db *db, Arena *a, Str sql, DbRowsVec *ret, Err *err)
{
    return query(db, a, sql, &(DbRun){.timeout_ms = db->opt.operation_ms}, ret, err);
}

bool
db_query_rows(Db *db, Arena *a, Str sql, DbRow row, void *row_arg, Err *err)
{
    DbRun how = {.timeout_ms = db->opt.operation_ms, .row = row, .row_arg = row_arg};
    return query(db, a, sql, &how, NULL, err);
}
