/* Internal to run/: pieces of the messages that a session sends, its locks, and Aramid's own tables. */
#pragma once

#include "run/run.h"

/* Our session lock, and the lock of each message; the layout tells its tool's. */
#define LOCK_KEY_OWN "107143888726372" /* "aramid" in ASCII */
#define LOCK_KEY_MESSAGE "107143888726373"

/* The oid and objid under which pg_locks shows them. */
#define LOCK_CLASS_OWN "24946"
#define LOCK_OBJ_OWN "1634560356"

/* An expression: does this session hold our lock? */
void lock_add_is_held(Buf *b);

/* lease.c: what stands in for the advisory locks of PGlite; nothing elsewhere. Given back by lease_drop.
 * errors: ERR_RUNNER_ACTIVE after the time for another run, ERR_INTERRUPTED. */
bool lease_take(Session *s, const RunSink *sink, Err *err);
void lease_drop(Session *s);
/* An expression: is row l of pg_locks about the lock of a layout's tool? */
void lock_add_is_tools(const Session *s, Buf *b);
bool lock_has_tools(const Session *s); /* whether it takes any */
/* The first layout whose tool takes a lock, or NULL. */
const HistoryLayout *lock_layout(const Session *s);

/* A statement, with its semicolon: from here on hidden rows of ledger and own tables are an error, not a
 * lie. Policies that show all rows to this role hide none: that is looked at when the statement runs. */
void session_add_row_security(const Session *s, Buf *b);
/* The same as a column of a SELECT that stands there anyway. */
void session_add_row_security_call(const Session *s, Buf *b);
/* Settings before a user's statements; returns the number of statements added. */
int session_add_user_prefix(const Session *s, Buf *b);
/* Statements that make the ledgers of the set (1u << part) that are missing, and the schema of the URL
 * where it is missing; those that give one today's form where `h` says that it has an older one.
 * errors: ERR_DENIED without any schema to put it in. */
MUST_CHECK bool session_add_ledgers(Session *s, Buf *b, const History *h, unsigned parts, Err *err);
unsigned session_ledgers_missing(const Session *s);
/* Those of the set that are missing or have an older form. */
unsigned session_ledgers_behind(const Session *s, const History *h, unsigned parts);
/* Noting that they are there now. */
void session_ledgers_made(Session *s, History *h, unsigned parts);
/* Take back what a script may have left in the session. cost: a round trip, if there may be something */
MUST_CHECK bool session_clean(Session *s, Err *err);
/* Queries for ledger, journal and identities (those that exist), and taking their results from index
 * `at`. */
void session_add_history_queries(Session *s, Buf *b);
MUST_CHECK bool session_take_history(Session *s, const DbRowsVec *results, size_t at, History *h,
                                     JournalVec *journal, Err *err);

/* ---- own statements on ledger and own tables ------------------------------------------------ */

/* Send some. Where others have locked a table it is waited for, as long as the session has patience, and
 * they are named; whatever else the server refuses is told with what lies on the tables.
 * errors: ERR_LOCK_BUDGET, ERR_LEDGER, those of db_query */
MUST_CHECK bool session_query(Session *s, Arena *a, Str sql, DbRowsVec *ret, Err *err);
/* The same for those that make tables. */
MUST_CHECK bool session_make(Session *s, Str sql, DbRowsVec *ret, Err *err);
/* Say what on these tables may be the cause of an error: triggers, rules, policies, missing rights; where
 * tables are made event triggers too. Returns false. */
bool session_explain(Session *s, bool makes, Err *err);
/* Wait until nobody holds a lock on these tables that keeps rows from being written. since_ms: when
 * waiting began, 0 at first. errors: ERR_LOCK_BUDGET, ERR_INTERRUPTED */
MUST_CHECK bool session_wait_for_tables(Session *s, int64_t *since_ms, Err *err);

/* A query for sessions and prepared transactions that hold locks; `wanted` is one with two columns, the
 * oid of a relation and the names of modes. And one row of its answer for people. */
void holders_add_query(Buf *b, const char *wanted);
char *holders_text(Arena *a, const DbRows *rows, int row);
/* Of a deadlock: what the server says of it, with the names of the processes and tables behind their numbers, in
 * one line. Nothing of another error is changed. */
void holders_name_sides(Session *s, Arena *a, DbOutcome *o);

/* ---- the ledger --------------------------------------------------------------------------- */

/* What a message has written, to be looked at in the same message. */
typedef struct Kept {
    const LedgerRow *row;
    bool ledger, finished; /* the ledger's row; that tells of the end */
    bool journal, done;    /* the journal's row of a step; that has run */
    size_t first, next;
} Kept;
/* A statement that divides by zero unless all of it is there as it was written. */
void ledger_add_proof(const Session *s, Buf *b, const Kept *kept);

/* The ledger of a row. */
const SessionLedger *ledger_of(const Session *s, const LedgerRow *row);
/* Whether it can hold a row of a migration that did not end; else its steps in the journal are all
 * that tells of it, and they go when it ends. */
bool ledger_holds_begun(const SessionLedger *l);
/* A query of one row: whether all of it is done, be it to apply the migration or to roll it back. */
void ledger_add_is_settled(const Session *s, Buf *b, const LedgerRow *row);
/* A statement: all of it in one message; or it begins, in a ledger that can hold that. */
void ledger_add_whole(const Session *s, Buf *b, const LedgerRow *row);
void ledger_add_begun(const Session *s, Buf *b, const LedgerRow *row);
/* The same for what was begun and has left nothing. */
void ledger_add_forgotten(const Session *s, Buf *b, const LedgerRow *row);
/* Whether a step of the journal may be one of its migrations: those of scripts begin with this. */
#define JOURNAL_SCRIPT "script/"
bool ledger_may_hold(const SessionLedger *l, const char *ledger_id);
/* The rows that such ledgers lack: of what was begun and recorded by nobody since. */
void ledger_take_begun(const Session *s, const JournalVec *journal, History *h);
/* A statement: the end of a migration that was begun. */
void ledger_add_finished(const Session *s, Buf *b, const LedgerRow *row);

/* ---- our own tables ------------------------------------------------------------------------ */

/* Where the role may make tables. */
typedef struct OwnMay {
    bool own;    /* in schema aramid */
    bool beside; /* in the ledger's */
} OwnMay;

/* Their names for the query of facts, each with a comma behind it; and taking its answer. */
void own_add_names(Buf *b);
void own_take(Session *s, const DbRows *facts, const OwnMay *may);
/* The ledger of repeatable scripts is the own table, wherever that is. */
void own_take_scripts(Session *s);
/* A schema that is about to be made gives room to those that have none. */
void own_place_beside(Session *s, const char *schema);
void own_add_table(const Session *s, Buf *b, OwnTable t); /* its name */
bool own_is_there(const Session *s, OwnTable t);          /* readable and writable */
bool own_can_be(const Session *s, OwnTable t);            /* there, or there is a place for it */
/* Missing, or of an older version and ours to change. */
bool own_is_behind(const Session *s, OwnTable t);
void own_add_schema(Buf *b); /* statements that make schema aramid */
/* Statements that make those of the set (1u << table) that are missing, each with its semicolon; and
 * noting that they are there now. */
void own_add_create(const Session *s, Buf *b, unsigned tables);
void own_made(Session *s, unsigned tables);
/* After an error of making some in schema aramid: whether they may be made beside the ledger, where they
 * are to be from now on. */
bool own_fall_back(Session *s, unsigned tables, const Err *why);
/* There is no place for a table, or we may not write it. */
bool own_refuse(const Session *s, OwnTable t, const char *what, Err *err);

void identity_add_select(const Session *s, Buf *b);
MUST_CHECK bool identity_read(Session *s, const DbRows *rows, Err *err);
void identity_add_write(const Session *s, Buf *b,
                        const IdentityMark *mark); /* with its semicolon */

/* ---- journal ------------------------------------------------------------------------------ */

void journal_add_select(const Session *s, Buf *b);
MUST_CHECK bool journal_read(Arena *a, const DbRows *rows, JournalVec *ret, Err *err);
/* What the file's first `next` statements are. errors: those of plan_script */
MUST_CHECK bool journal_prefix_hash(Arena *a, const MigrationPlan *mp, size_t next,
                                    const char **ret, Err *err);

typedef struct JournalEntry {
    const char *ledger_id, *name;
    size_t first, next;
    bool done;
    const char *prefix_hash, *chained;
    const char *relation; /* SQL for the oid of the statement's table, NULL = none */
    const char
        *before; /* SQL condition: indexes (pg_index i, pg_class c) to be remembered; or NULL */
    const char *run_id;
    Str undo; /* the script, of the first step of a rollback; else p == NULL */
} JournalEntry;
void journal_add_insert(const Session *s, Buf *b, const JournalEntry *e);
void journal_add_done(const Session *s, Buf *b, const char *ledger_id, size_t first);
/* The same, with what its statements are, where that was left open when it began. */
void journal_add_closed(const Session *s, Buf *b, const JournalEntry *e);
void journal_add_is_kept(const Session *s, Buf *b, const Kept *kept); /* a query of one row */
void journal_add_forget(const Session *s, Buf *b, const char *ledger_id);
