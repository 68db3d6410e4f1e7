/* The database connection: the only room that knows libpq (loaded on first use).
 *
 * Everything is sent as one simple-query message and every wait has a deadline: resolving names,
 * connecting, answers, cancelling. While a message is under way the caller's tick runs about ten
 * times a second, also while COPY's data flows, so that signals, progress and liveness are looked
 * after.
 *
 * Own statements are built with sqltext's quoting; there are no parameters because a message may
 * hold several statements. Names in own statements are schema-qualified. */
#pragma once

#include "base/err.h"
#include "base/trace.h"
#include "base/vec.h"
#include "config/config.h"

typedef struct Db Db;

/* Called while waiting; false asks to cancel what is under way. */
typedef bool (*DbTick)(void *arg, int64_t elapsed_ms);

typedef struct DbOptions {
    const DbUrl *url;
    const char *url_origin;  /* for error texts */
    const char *application; /* application_name, at most 63 bytes */
    int64_t connect_ms;      /* one attempt, name resolution included */
    int64_t operation_ms;    /* one of our own queries */
    int64_t wait_server_ms;  /* a server that is starting or full is asked again for so long */
    int retries;             /* tries after the first one at an unreachable server */
    int64_t retry_delay_ms;
    DbTick tick; /* may be NULL */
    void *tick_arg;
    bool refuse_pooler;       /* look for a transaction pooler and refuse it */
    Trace *trace;             /* may be NULL */
    const SecretVec *secrets; /* hidden in what the server says; may be NULL */
    const char *ask;          /* a query of the caller's for the session's first message, or NULL */
} DbOptions;

/* What every session learns with its first message. */
typedef struct DbInfo {
    int version;         /* 150018 */
    int backend_pid;     /* as the server says */
    const char *started; /* when the server was started: which instance it is */
    const char *database, *user;
    const char *host; /* "localhost:5432", or the socket folder */
    bool in_recovery, read_only;
    const char *tls; /* "TLSv1.3, TLS_AES_256_GCM_SHA384"; NULL = not encrypted */
    bool used_password;
    int64_t clock_offset_us; /* server's wall clock minus ours */
    bool is_direct;          /* nothing that keeps sessions of its own stands in between */
    bool escapes_strings;    /* standard_conforming_strings is off for this role or database */
    bool is_shared;          /* PGlite: one session for all clients, and one database by any name */
    int64_t deadlock_timeout_ms;
    bool gives_notices;     /* client_min_messages lets them through */
    bool has_sync_standbys; /* a commit may wait for other servers */
} DbInfo;

/* Connect and learn DbInfo. The arena must outlive the connection.
 * errors: ERR_AUTH, ERR_DB_MISSING, ERR_TLS, ERR_DENIED, ERR_POOLER, ERR_SERVER_VERSION,
 * ERR_UNREACHABLE, ERR_TIMEOUT, ERR_SERVER_BUSY, ERR_INTERRUPTED; each with the place to look at.
 * The session then has none of the timeouts that the role, the database or the server set for it and
 * its statements, and from 14 on the server notices within a second that we are gone and stops our
 * statement. Where the session is not ours alone (a pooler, PGlite) it is left as it is.
 * cost: one round trip after authentication. */
MUST_CHECK bool db_open(Arena *a, const DbOptions *options, Db **ret, Err *err);
void db_close(Db *db); /* NULL is fine */
const DbInfo *db_info(const Db *db);

/* "PostgreSQL 15.18", or "PGlite (PostgreSQL 17.5)". */
char *db_server_text(Arena *a, const DbInfo *info);
bool db_is_open(const Db *db);

/* Those settings again, for a message that begins with RESET ALL; returns the number of statements. */
int db_add_settings(const Db *db, Buf *b);

/* What stands between us and the server. */
typedef enum DbPooler {
    DB_DIRECT,
    DB_PROXY,  /* something, but each of our connections keeps a server process of its own */
    DB_POOLER, /* a transaction pooler */
} DbPooler;

/* Find out. errors: those of db_open: where something stands in between, a second connection is made. */
MUST_CHECK bool db_pooler(Db *db, DbPooler *ret, Err *err);

/* What a change through this connection would be refused for. errors: ERR_POOLER, those of db_pooler */
MUST_CHECK bool db_refuse_pooler(Db *db, Err *err);

/* Whether a URL leads to a transaction pooler by its provider's naming; *ret_hint (may be NULL) says
 * what the address of PostgreSQL itself is. Nothing is asked. */
bool db_is_pooler_url(Arena *a, const DbUrl *url, const char **ret_hint);

/* Replace the tick of an open connection. */
void db_set_tick(Db *db, DbTick tick, void *arg);

/* A value of a result: p == NULL is SQL NULL. */
typedef struct DbRows {
    int rows, cols;
    const Str *cells; /* row by row */
    const char *tag;  /* command tag */
} DbRows;

static inline Str
db_cell(const DbRows *r, int row, int col)
{
    return r->cells[row * r->cols + col];
}

typedef VEC(DbRows) DbRowsVec;

/* Microseconds since 1970 of encode(timestamptz_send(x), 'hex'): a point in time whatever DateStyle
 * and TimeZone are, at a tenth of the cost of EXTRACT. 0 for NULL. */
static inline int64_t
db_time_us(Str hex)
{
    static const int64_t from_1970_to_2000_us = INT64_C(946684800000000);
    uint64_t v = 0;
    for (size_t i = 0; i < hex.n; i++)
        v = v << 4 | (uint64_t)(hex.p[i] <= '9' ? hex.p[i] - '0' : hex.p[i] - 'a' + 10);
    return hex.n == 16 ? (int64_t)v + from_1970_to_2000_us : 0;
}

/* The answer to DbOptions.ask. */
const DbRows *db_asked(const Db *db);

/* How a message ended. */
typedef enum DbEnd {
    DB_DONE,
    DB_FAILED, /* the server said ERROR */
    DB_LOST,   /* the connection is gone; what the message did is unknown */
} DbEnd;

typedef struct DbOutcome {
    DbEnd end;
    int completed; /* statements that ended before the error, or all */
    DbRowsVec results;
    bool cancelled; /* our tick or the deadline asked for it */
    bool timed_out;
    /* of the error: */
    char sqlstate[6];
    const char *message, *detail, *hint, *context;
    const char *schema, *table, *column, *constraint;
    size_t position; /* 1-based, in characters of the message; 0 = none */
} DbOutcome;

/* Called for each NOTICE, WARNING, ... while a message runs. */
typedef void (*DbNotice)(void *arg, const char *severity, const char *sqlstate, const char *text);

/* Called when another statement of a message has ended, while that still runs: how many have. When the
 * server sends that is its own choice: at the message's end, or with the next NOTICE. */
typedef void (*DbStep)(void *arg, int completed);

/* Called for each row of result number `result` (from 0, statements without rows count too). The
 * cells, at most DB_ROW_CELLS of them, live until it returns. */
enum { DB_ROW_CELLS = 32 };
typedef void (*DbRow)(void *arg, size_t result, const Str *cells);

/* Called for each row, with its line end, that a COPY ... TO STDOUT sends. The bytes live until it
 * returns. false: nobody wants the rest; the statement is cancelled. */
typedef bool (*DbCopyOut)(void *arg, size_t result, Str row);

/* Asked for the next piece of a COPY ... FROM STDIN, of any length below 1 GB (best 64 kB of whole
 * rows or parts of them); it must live until the next call. n == 0: that was all. false: the data
 * cannot be had; the statement fails on the server. An error that the server finds early is heard
 * when the data has ended: libpq tells no sooner. */
typedef bool (*DbCopyIn)(void *arg, Str *ret);

typedef struct DbRun {
    int64_t timeout_ms; /* 0 = no limit; then the statement is cancelled on the server */
    int tick_ms;        /* how often the tick is called, 0 = every 100 ms */
    bool discard_rows;  /* a user's script: rows are counted by the server, not kept */
    DbRow row; /* takes the rows (also with discard_rows, one by one) instead of the outcome,
                           which then has none */
    void *row_arg;
    DbStep step; /* or NULL */
    void *step_arg;
    DbCopyOut copy_out; /* NULL: what COPY sends is thrown away */
    DbCopyIn copy_in;   /* NULL: COPY FROM STDIN fails */
    void *copy_arg;
    DbNotice notice;
    void *notice_arg;
} DbRun;

/* Send one message and wait for its end. Never fails by itself: the outcome tells. */
void db_run(Db *db, Arena *a, Str sql, const DbRun *run, DbOutcome *ret);

/* Send own statements with the operation deadline; any error becomes an Err (ERR_SQL, ERR_DENIED,
 * ERR_CONNECTION_LOST, ERR_TIMEOUT, ERR_INTERRUPTED). ret may be NULL. */
MUST_CHECK bool db_query(Db *db, Arena *a, Str sql, DbRowsVec *ret, Err *err);

/* The same for results that are too large to keep: each row is handed on. Rows of a message that
 * fails later were handed on, too. */
MUST_CHECK bool db_query_rows(Db *db, Arena *a, Str sql, DbRow row, void *row_arg, Err *err);

/* Turn an outcome that is not DB_DONE into an Err; `what` says what was tried. */
bool db_outcome_err(const DbOutcome *o, const char *what, Err *err);

/* Add what else the server said of an error: DETAIL, HINT and CONTEXT, made printable. */
void db_outcome_details(Arena *a, const DbOutcome *o, Err *err);

typedef enum DbRetry {
    DB_RETRY_NEVER,
    DB_RETRY_LOCK,      /* 55P03: not available within lock_timeout */
    DB_RETRY_CONFLICT,  /* 40001, 40P01: run the transaction again */
    DB_RETRY_CONNECTION /* the server went away or is not ready */
} DbRetry;

/* The one table of SQLSTATEs that are worth another try. */
DbRetry db_retry_class(const char *sqlstate);

/* What is tried again: how often, and how long the pauses are, stands in one table (retry.c). */
typedef enum DbPatience {
    DB_PATIENCE_CONNECT,  /* a server that cannot be reached */
    DB_PATIENCE_BUSY,     /* one that is starting or full */
    DB_PATIENCE_PASS,     /* a run whose connection or lock was lost */
    DB_PATIENCE_YIELD,    /* a run that let another client go first */
    DB_PATIENCE_CONFLICT, /* a transaction that the server ended: deadlock, serialization failure */
    DB_PATIENCE_ALONE,    /* a statement outside of transactions that it ended */
    DB_PATIENCE_LOCK,     /* a table lock that is not free */
    DB_PATIENCE_DUMP,     /* pg_dump, because of such a lock */
    DB_PATIENCE_SCHEMA,   /* reading a schema that changes meanwhile */
    DB_PATIENCE_COUNT
} DbPatience;

/* Whether another try may follow after `failures` of them (1 = the first has failed). retries: the
 * setting, which counts the tries after the first; 0 where the kind does not go by it. Kinds that have
 * a budget of time always may: their caller looks at the clock. */
bool db_may_retry(DbPatience patience, long long retries, int failures);

/* The pause before it: grows to a cap, with jitter. delay_ms: the setting retry_delay, 0 where the kind
 * does not go by it. */
int64_t db_retry_ms(DbPatience patience, int64_t delay_ms, int failures);

/* Wait, ticking; false when the tick asked to stop. */
bool db_pause(DbTick tick, void *arg, int64_t ms);

/* ---- the way to a server, before PostgreSQL is spoken --------------------------------------- */

/* One address of a host. */
typedef struct DbHop {
    const char *address; /* numeric, or the path of a socket */
    bool is_ipv6;
    bool is_reached;
    bool is_refused;    /* something answered: nobody listens there */
    bool has_no_route;  /* this machine knows no way to such an address */
    const char *reason; /* why it was not reached */
    int64_t ms;
} DbHop;

typedef struct DbWay {
    const UrlHost *host;
    bool is_name;       /* that had to be looked up */
    const char *reason; /* why the name was not found; NULL = it was */
    int64_t lookup_ms;
    VEC(DbHop) hops; /* in the order in which they are tried */
} DbWay;
typedef VEC(DbWay) DbWayVec;

/* Look each host of a URL up, and open and close a connection to each of its addresses; nothing is
 * sent. A step takes at most timeout_ms; ends early when the tick asks for it. Never fails: the
 * result tells. */
void db_look(Arena *a, const DbUrl *url, int64_t timeout_ms, DbTick tick, void *tick_arg,
             DbWayVec *ret);
