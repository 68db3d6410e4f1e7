/* Internal to run/: what its files share. */
#pragma once

#include "base/map.h"
#include "run/run.h"

/* Our session lock, the lock of each message, and Prisma's (schema-engine: 72707369). */
#define LOCK_KEY_OWN "107143888726372" /* "aramid" in ASCII */
#define LOCK_KEY_MESSAGE "107143888726373"
#define LOCK_KEY_PRISMA "72707369"

/* The oid and objid under which pg_locks shows them. */
#define LOCK_CLASS_OWN "24946"
#define LOCK_OBJ_OWN "1634560356"

typedef enum Failpoint {
    FP_CONNECTED,
    FP_LOCKED,
    FP_LEDGER_CREATED,
    FP_JOURNAL_CREATED,
    FP_IDENTITY_WRITTEN,
    FP_BEFORE_MESSAGE,
    FP_AFTER_MESSAGE,
    FP_BEFORE_INTENT,
    FP_AFTER_INTENT,
    FP_AFTER_STATEMENT,
    FP_AFTER_FINISH,
    FP_BEFORE_REPAIR,
    FP_AFTER_REPAIR,
    FP_LOCK_RETRY,
    FP_BEFORE_VERIFY,
    FP_COUNT
} Failpoint;

typedef struct Watch Watch;

/* What tries of this process have taught about a migration; survives passes. */
struct Learned {
    PlanHints hints;
    bool no_prelock;
    bool lock_failed;    /* a try ended because it waited for a lock */
    bool waits_for_rows; /* and it was a row's, of a script that hides what it locks */
    int alone_tries;
};

/* The state of one deploy over all its passes. */
typedef struct Run {
    Arena *arena;
    const RunDeploy *deploy;
    RunReport *report;
    Session session; /* of the current pass */
    Plan plan;
    JournalVec journal;
    int64_t started_ms, started_us; /* monotonic; by our wall clock */
    bool told;                      /* the oddities of the history */
    const IdentityMark *mark;       /* to be written, or NULL */
    bool approved;
    VEC(const char *) approved_names; /* of migrations, when a person was asked */
    bool stop_asked;
    int hits[FP_COUNT];
    VEC(SqlName) existing; /* relations of the plan that exist and may be locked by LOCK TABLE */
    const char *current;   /* migration under way, NULL = none */
    int64_t current_started_ms;
    int number, total;    /* of it */
    bool is_alone;        /* its step under way is outside of transactions */
    Watch *watch;         /* of the statement that runs, or NULL */
    Db *observer;         /* second connection for progress, made when a statement takes long */
    bool no_observer;     /* it could not be made */
    Map learned;          /* by migration: struct Learned */
    const char *carry;    /* ledger and journal of a finished step, for the next message; or NULL */
    int carry_statements; /* in it, each with its semicolon */
    int64_t lock_wait_started_ms; /* of the migration under way, 0 = has not waited */
    int64_t blocked_told_ms;      /* who is in the way was said then, */
    bool blocked_named;           /* by name */
} Run;

void failpoint(Run *r, Failpoint id);

/* Tell something. The text becomes printable here: names and messages of servers may be in it. */
__attribute__((format(printf, 5, 6))) void run_emit(Run *r, RunEventKind kind, RunLevel level,
                                                    const char *migration, const char *fmt, ...);

/* The same for a step of a migration; ms -1 = it begins. */
void run_emit_step(Run *r, RunEventKind kind, const MigrationPlan *mp, size_t step, int64_t ms);

/* Ticks for waits of the run: stop on signals and on the run's own deadline; drives the watch. */
bool run_tick(void *arg, int64_t elapsed_ms);

struct Learned *run_learned(Run *r, const char *name);

/* ---- session ------------------------------------------------------------------------------ */

/* Settings before a user's statements; returns the number of statements added. */
int session_add_user_prefix(const Session *s, Buf *b);
/* Statements that make the ledger, and the schema of the URL where it is missing; none when the
 * ledger is there. errors: ERR_DENIED without any schema to put it in. */
MUST_CHECK bool session_add_ledger(Session *s, Buf *b, Err *err);
/* Queries for ledger, journal and identities (those that exist), and taking their results from index
 * `at`. */
void session_add_history_queries(Session *s, Buf *b);
/* An expression: does this session hold our lock? */
void lock_add_is_held(Buf *b);
MUST_CHECK bool session_take_history(Session *s, const DbRowsVec *results, size_t at, History *h,
                                     JournalVec *journal, Err *err);

/* ---- messages ----------------------------------------------------------------------------- */

typedef enum PartKind {
    PART_SETTING,
    PART_PRELOCK,
    PART_GUARD_LOCK,    /* another runner is inside a message */
    PART_GUARD_APPLIED, /* somebody applied the migration meanwhile */
    PART_USER,          /* statement `index` of the file */
    PART_RECORD,        /* ledger and journal */
} PartKind;

typedef struct Part {
    PartKind kind;
    size_t index;
} Part;

typedef struct Message {
    Buf sql;
    VEC(Part) parts;           /* one for each statement of the message, in order */
    size_t user_off, user_len; /* where the file's bytes stand in it */
    size_t file_off;           /* and where they come from */
} Message;

/* How a step's locks are to be taken. */
typedef struct LockPlan {
    VEC(const StepLock *) tables; /* that exist and may be locked first */
    int64_t table_ms;             /* lock_timeout of each opening LOCK TABLE in the final mode */
    int64_t evict_ms;             /* of the SHARE UPDATE EXCLUSIVE before it, which blocks nobody */
    int64_t rest_ms;              /* of the script itself; 0 = none */
    bool guard;                   /* somebody looks at our waits from outside */
    bool waits_for_rows;          /* and rest_ms is long because of that */
} LockPlan;

typedef struct StepWrite {
    const char *record; /* SQL for the tail: statements joined by "; ", without the last ";" */
    int record_statements;
    const char *guard_name; /* migration that must not be applied yet, NULL = no such guard */
} StepWrite;

/* The message of a STEP_TX or STEP_OWN_TX. */
void message_step(Run *r, Arena *a, const MigrationPlan *mp, const Step *step,
                  const LockPlan *locks, const StepWrite *write, Message *ret);

/* The part that failed, and the place in the file for an error at a character position. */
const Part *message_failed_part(const Message *m, const DbOutcome *o);
bool message_place(const Message *m, const MigrationPlan *mp, const DbOutcome *o, Err *err);

/* ---- our own tables ------------------------------------------------------------------------ */

/* Where the role may make tables. */
typedef struct OwnFacts {
    bool may_own;    /* in schema aramid */
    bool may_beside; /* in the ledger's */
} OwnFacts;

/* Their names for the query of facts, each with a comma behind it; and taking its answer. */
void own_add_names(Buf *b);
void own_take(Session *s, const DbRows *facts, const OwnFacts *may);
/* A schema that is about to be made gives room to those that have none. */
void own_place_beside(Session *s, const char *schema);
void own_add_table(const Session *s, Buf *b, OwnTable t); /* its name */
bool own_is_there(const Session *s, OwnTable t);          /* readable and writable */
bool own_can_be(const Session *s, OwnTable t);            /* there, or there is a place for it */
/* Statements that make those of the set (1u << table) that are missing, each with its semicolon; and
 * noting that they are there now. */
void own_add_create(const Session *s, Buf *b, unsigned tables);
void own_made(Session *s, unsigned tables);
bool own_refuse(const Session *s, const char *what, Err *err); /* no place for a table */

void identity_add_select(const Session *s, Buf *b);
MUST_CHECK bool identity_read(Session *s, const DbRows *rows, Err *err);
void identity_add_write(const Session *s, Buf *b,
                        const IdentityMark *mark); /* with its semicolon */
const char *identity_schema(const Session *s);     /* whose row is meant */

void record_add(const Session *s, Buf *b, const RunRecord *record);

/* ---- journal ------------------------------------------------------------------------------ */

MUST_CHECK bool journal_ensure(Run *r, Err *err);
void journal_add_select(const Session *s, Buf *b);
MUST_CHECK bool journal_read(Arena *a, const DbRows *rows, JournalVec *ret, Err *err);
char *journal_prefix_hash(Arena *a, const MigrationPlan *mp, size_t next);

typedef struct JournalEntry {
    const char *ledger_id, *name;
    size_t first, next;
    bool done;
    const char *prefix_hash, *chained;
    const char *relation; /* text for to_regclass, NULL = none */
    const char *run_id;
} JournalEntry;
void journal_add_insert(const Session *s, Buf *b, const JournalEntry *e);
void journal_add_done(const Session *s, Buf *b, const char *ledger_id, size_t first);
void journal_add_forget(const Session *s, Buf *b, const char *ledger_id);

/* ---- steps -------------------------------------------------------------------------------- */

typedef enum StepEnd {
    STEP_ENDED,  /* committed */
    STEP_AGAIN,  /* the plan of this migration changed: cut again */
    STEP_RESTART /* the session or the lock is gone: a new pass */
} StepEnd;

/* Run one migration of the plan to its end. With STEP_RESTART err tells why. */
MUST_CHECK bool migration_run(Run *r, MigrationPlan *mp, StepEnd *ret, Err *err);

/* A close look at a message's waits, several times while others may queue for a moment. It fires,
 * which cancels the message, when that waits for a table lock, or for anything while others wait
 * for a table that it has locked. For a statement outside of transactions it fires when that waits
 * for a Prisma client, which waits for our lock: else the server would end one of the two. */
typedef struct Guard {
    bool is_alone;
    bool may_fire;
    bool fired;
    char blocker[256]; /* the last one seen, "" = none */
} Guard;

enum { GUARD_EVERY_MS = 20 };

/* What a step outside of transactions left to be recorded: add it to a message (returns the number of
 * statements), forget it when that message is committed, or send it by itself. */
int run_add_carry(const Run *r, Buf *b);
void run_drop_carry(Run *r);
MUST_CHECK bool run_flush_carry(Run *r, Err *err);

/* Send a message of the user's statements, watched, with the server's notices as events. guard may
 * be NULL. */
void run_send(Run *r, Arena *a, Str sql, Guard *guard, DbOutcome *ret);

/* The process of somebody else that builds an index on a table. Which index it is may be hidden from
 * our role (pg_stat_progress_create_index), but not the lock that it keeps on the table, which goes
 * with no other build or drop. */
#define BUILDER_ON                                                                                 \
    "(SELECT pg_catalog.min(p.pid) FROM pg_catalog.pg_stat_progress_create_index p"                \
    " JOIN pg_catalog.pg_locks l ON l.pid OPERATOR(pg_catalog.=) p.pid"                            \
    " WHERE p.datname OPERATOR(pg_catalog.=) pg_catalog.current_database()"                        \
    " AND p.pid OPERATOR(pg_catalog.<>) pg_catalog.pg_backend_pid() AND l.granted"                 \
    " AND l.mode OPERATOR(pg_catalog.=) 'ShareUpdateExclusiveLock'"                                \
    " AND l.relation OPERATOR(pg_catalog.=) %s)"

/* Run a step outside of transactions: intent, statement, proof. */
MUST_CHECK bool alone_run(Run *r, MigrationPlan *mp, const Step *step, const LedgerRow *row,
                          bool first_step, bool last_step, StepEnd *ret, Err *err);

/* Fill err from a failed statement of a migration: place, SQLSTATE, server's texts, state. `m` is
 * NULL for a statement that was sent alone; `done` counts the committed statements. */
bool step_failed(Run *r, const MigrationPlan *mp, const Message *m, const DbOutcome *o, size_t done,
                 Err *err);

/* ---- waiting and watching ----------------------------------------------------------------- */

/* After a lock timeout: wait until nobody who is older than a moment holds the relations. Reports
 * who; `seen` was seen blocking us, "" = nobody. false: the budget is used up (ERR_LOCK_BUDGET) or a
 * stop. */
MUST_CHECK bool gate_wait(Run *r, const MigrationPlan *mp, const LockPlan *locks, const char *seen,
                          int attempt, Err *err);

/* Open the observer's connection, if that has not failed before. */
bool watch_open(Run *r);
/* Watch the statement that is sent next; run_tick drives it. After a second it opens the observer's
 * connection and reports progress, who blocks us and whom we block. guard may be NULL; it needs
 * watch_open. */
void watch_begin(Run *r, Guard *guard);
/* false: the guard fired, or the server no longer runs our statement although no answer came (the
 * link is half-open). */
bool watch_tick(Run *r, int64_t elapsed_ms);
void watch_end(Run *r);
