/* Internal to db/: the connection object and what its files share. */
#pragma once

#include "db/db.h"
#include "db/pq.h"

struct Db {
    Arena *arena;
    PqApi pq;
    PGconn *conn;
    DbOptions opt;
    DbInfo info;
    bool skips_tls;     /* it did not answer when it was asked for TLS */
    bool is_ours;       /* the session: settings may stay in it */
    Str shared;         /* what puts a session that is not ours back */
    bool checks_client; /* client_connection_check_interval works here */
    const DbRows *asked;
    DbNotice notice;
    void *notice_arg;
    bool copies_out;   /* the statement under way is a COPY ... TO STDOUT */
    bool copies_in;    /* it is a COPY ... FROM STDIN that wants more */
    bool copy_refused; /* nobody wants the rest of the data */
    /* For the trace: */
    int number, message; /* of the connection, and of the last message on it */
    int64_t sent_ms;
    int64_t rows, bytes_in, bytes_out; /* of the message under way; bytes are COPY's */
};

enum {
    TICK_MS = 100,
    CANCEL_MS = 3000,  /* for delivering a cancel request */
    GRACE_MS = 5000,   /* for the server to answer to it */
    DB_TAGS_KEPT = 50, /* command tags of a script */
};

/* Wait until the socket is ready, the tick or the time ends it. */
typedef enum WaitEnd { WAIT_READY, WAIT_DEADLINE, WAIT_STOP } WaitEnd;
WaitEnd db_wait_socket(int fd, short events, int64_t deadline_ms, int64_t started_ms, int tick_ms,
                       DbTick tick, void *arg);

/* Lines of the trace, where there is one. `event`: "closed", "cancel". */
void db_trace_connected(Db *db, int64_t ms);
void db_trace_refused(Db *db, const char *host, int64_t ms, const Err *err);
void db_trace_plain(Db *db, const char *event);
void db_trace_sent(Db *db, Str sql);
void db_trace_answered(Db *db, const DbOutcome *o);

/* The first message of a session: fill db->info. errors: ERR_SERVER_VERSION, those of a query. */
bool db_learn(Db *db, Err *err);

/* Let go of the connection as it is; db_close says goodbye first. */
void db_drop(Db *db);

/* Explain why connecting failed: libpq's text (verbose form, so that it holds the SQLSTATE). */
bool connect_diagnose(const DbOptions *opt, const char *host, const char *text, Err *err);
