/* Running a plan: the lock, the messages, the journal, resuming, and proof at the end.
 *
 * The protocol (docs/run-protocol.md): a migration of one transaction is sent as one message that
 * also writes its ledger row; other files are cut into steps with a journal row each; the lock lies
 * on the connection that works; after a lost connection a new pass reads the ledger and goes on.
 * Nothing here asks people or prints: events go to a sink, approval to a callback. */
#pragma once

#include "base/os.h"
#include "config/config.h"
#include "db/db.h"
#include "gate/gate.h"
#include "history/known.h"
#include "plan/plan.h"

typedef enum RunEventKind {
    RUN_CONNECTED,
    RUN_WAITING, /* for another runner */
    RUN_LOCKED,
    RUN_TARGET, /* the database that is about to be changed, and who it is; RUN_OK where the
                   environment has a name: then it is told in any case */
    RUN_PLANNED,
    RUN_MIGRATION, /* begins */
    RUN_STEP,      /* begins, of a migration with several */
    RUN_STEP_DONE,
    RUN_APPLIED,   /* a migration ended well */
    RUN_STATEMENT, /* of it, and how long it took */
    RUN_CHECKED,   /* something was looked at before the change, or behind it */
    RUN_PROGRESS,  /* of the statement that runs: percentages, blockers */
    RUN_BLOCKED,   /* waiting for table locks of others */
    RUN_STALL,     /* others wait for what a statement has locked */
    RUN_RETRY,
    RUN_REPAIRED,
    RUN_STAGE,   /* done on the way: a database made, a backup read */
    RUN_OUTPUT,  /* a line that a hook says */
    RUN_FINDING, /* something a person should know */
    RUN_NOTICE,  /* the server's own WARNING or NOTICE */
    RUN_BACKUP,  /* begins (info), or was made */
    RUN_VERIFIED,
    RUN_FAILED,
} RunEventKind;

typedef enum RunLevel { RUN_INFO, RUN_OK, RUN_WARN, RUN_ERROR } RunLevel;

typedef struct RunEvent {
    RunEventKind kind;
    RunLevel level;
    const char *migration;  /* or NULL */
    int index, total;       /* migration number of all, 1-based; 0 = none */
    int step, steps;        /* 0 = none */
    int64_t ms;             /* duration, -1 = none */
    const char *text;       /* one sentence */
    const Finding *finding; /* RUN_FINDING */
} RunEvent;

typedef struct RunSink {
    void (*event)(void *arg, const RunEvent *e);
    void *arg;
    const char *(*place)(void *arg); /* where the run's log is, NULL = nowhere (yet); may be NULL */
    FindingList
        *findings; /* keeps those that are told; its rules judge. NULL = as the table says */
} RunSink;

/* Tell a finding, unless the settings silence it. run_find makes it: `object` and `fix` may be NULL. */
void run_finding(const RunSink *sink, const Finding *f);
__attribute__((format(printf, 5, 6))) void run_find(const RunSink *sink, FindingId id,
                                                    const char *object, const char *fix,
                                                    const char *fmt, ...);

/* False when one that was told is an error by the settings; to be asked before something is changed.
 * errors: ERR_FINDING */
MUST_CHECK bool run_findings_pass(const RunSink *sink, Err *err);

const char *run_event_name(RunEventKind kind);

/* ---- sessions ----------------------------------------------------------------------------- */

/* Aramid's own tables. */
typedef enum OwnTable {
    OWN_JOURNAL,
    OWN_IDENTITY,
    OWN_RUNS,
    OWN_BATCHES,
    OWN_REPEATABLE,
    OWN_COUNT
} OwnTable;

typedef struct OwnPlace {
    const char *schema, *table; /* where it is, or would be made; NULL = nowhere */
    bool exists, may_read, may_write;
    bool is_old, may_alter; /* an older version made it, with fewer columns */
} OwnPlace;

/* Where the ledger of one history is. */
typedef struct SessionLedger {
    const HistoryLayout *layout;
    LedgerName at;                 /* schema NULL: there is none to put it in */
    const char *home;              /* the schema that it must be in; NULL = where the path leads */
    const char *const *lock_names; /* as the history has them */
    size_t lock_name_count;
    bool exists;
    bool has_once; /* the index HISTORY_ONCE is there: a run goes on, or was killed */
} SessionLedger;

/* A connection that knows where the ledgers and our own tables are. */
typedef struct Session {
    Arena *arena;
    Db *db;
    const Config *config;
    const char *url_schema; /* of the URL, or NULL: then the role's search_path holds */
    const char *url_user;
    VEC(SessionLedger) ledgers; /* of the histories, in their order */
    const char *schema; /* whose history it is: the first ledger's; of a ledger in a schema of
                                   its own that of unqualified names. NULL = none */
    bool ledger_exists; /* one of them does */
    /* Counted only where there is no ledger: */
    bool is_fresh; /* no schema holds a table of a user */
    int tables;    /* ordinary tables in `schema`, without ours */
    OwnPlace own[OWN_COUNT];
    bool has_own_schema;              /* schema aramid is there */
    bool has_policies;                /* row-level security holds for us on ledger or own tables */
    IdentityPlace place;              /* where this database is now */
    VEC(Identity) identities;         /* what is written in it; read together with the ledger */
    bool has_own_lock, has_tool_lock; /* all of the tools' */
    int lease; /* the file that is locked where advisory locks exclude nobody, plus 1; 0 = none */
    bool unclean; /* a script may have changed settings or the role, or let the lock go */
    DbTick tick;  /* stops waits between queries too; may be NULL */
    void *tick_arg;
    const RunSink *sink;  /* may be NULL */
    int64_t patience_ms;  /* how long it waits for ledger and own tables that others have locked */
    bool may_make_beside; /* own tables, in the ledger's schema */
    bool only_reads;      /* each message is a READ ONLY transaction */
    const char *sent_by;  /* publication that sends every table to a subscriber, or NULL */
} Session;

typedef struct SessionOptions {
    const Config *config;
    const DbUrl *url;
    const char *url_origin;
    const History *history; /* whose ledger is looked for */
    const char *verb;       /* "deploy", for application_name */
    DbTick tick;
    void *tick_arg;
    bool writes;         /* refuse read-only servers and transaction poolers */
    bool locks;          /* only take the lock: refuse transaction poolers */
    bool only_reads;     /* the server is to refuse every change */
    const RunSink *sink; /* for waits; may be NULL */
} SessionOptions;

/* Connect and find the ledger and our own tables. One round trip after authentication.
 * errors: those of db_open; ERR_READ_ONLY. */
MUST_CHECK bool session_open(Arena *a, const SessionOptions *options, Session *ret, Err *err);
void session_close(Session *s);

/* Histories that other tools keep in the database, appended to `ret`. One round trip. */
MUST_CHECK bool session_other_histories(Session *s, KnownTableVec *ret, Err *err);

/* Begin an own message: what a script may have changed back to the role's defaults, then, for this
 * transaction, our settings and an empty search_path. Returns the number of statements added. */
int session_add_prefix(const Session *s, Buf *b);

/* Look again where they are; another runner may have made them. */
MUST_CHECK bool session_refresh(Session *s, Err *err);

/* Fill `tables` and `is_fresh`. cost: a scan of pg_class. */
MUST_CHECK bool session_count_tables(Session *s, Err *err);

/* What the journal knows about a migration that was begun. */
typedef struct JournalStep {
    const char *ledger_id, *name;
    int64_t begun_us;           /* server's clock */
    size_t first, next;         /* statements [first, next) */
    bool done;                  /* else it was begun outside a transaction and may have run */
    const char *run_id;         /* the run that wrote it last */
    const char *undo;           /* the whole script, of the first step of a rollback; else NULL */
    const char *prefix_hash;    /* of the file's bytes up to the end of statement next-1 */
    const char *chained;        /* see PlanHints */
    int64_t relation;           /* oid of the table of an index step, 0 = none */
    const char *indexes_before; /* "{1,2}": oids of its indexes before the step */
} JournalStep;
typedef VEC(JournalStep) JournalVec;

/* Read ledger, journal and identities without locks, in a READ ONLY transaction, and compare. */
MUST_CHECK bool session_read(Session *s, History *h, JournalVec *ret, Err *err);

/* ---- locks -------------------------------------------------------------------------------- */

typedef struct LockHolder {
    int pid;              /* 0 = a prepared transaction */
    const char *prepared; /* its name, as a literal; NULL = a process */
    bool is_aramid;
    bool is_tool_key; /* it has the lock of the layout's tool only */
    bool orphaned;    /* its process on this machine is gone */
    OsAlive alive;    /* that process, of an Aramid; OS_ELSEWHERE = nothing can be seen of it */
    const char *client_pid, *client_host; /* of an Aramid */
    const char *who;   /* "aramid deploy on host web-1 (pid 4711)", "user app from 10.0.0.7" */
    const char *since; /* "2026-11-21 02:22:46Z" */
    const char *backend_start; /* exactly as the server has it */
    const char *state, *query;
    int64_t seconds;
} LockHolder;
typedef VEC(LockHolder) LockHolderVec;

/* Who holds or waits for the migration locks. */
MUST_CHECK bool lock_holders(Session *s, Arena *a, LockHolderVec *ret, Err *err);

/* End a backend, if it still is the one that was looked at. */
MUST_CHECK bool lock_terminate(Session *s, const LockHolder *h, bool *ret_ended, Err *err);

/* Take our lock and those of the layouts' tools, then read ledger and journal and compare. Waits, polling, up to
 * CFG_WAIT_RUNNER; ends orphans of this machine. errors: ERR_RUNNER_ACTIVE, ERR_INTERRUPTED. */
MUST_CHECK bool lock_and_read(Session *s, History *h, JournalVec *ret, const RunSink *sink,
                              Err *err);

/* Release the tools' locks, let their waiters through and take them again: a waiter that blocks in
 * pg_advisory_lock() deadlocks with CREATE INDEX CONCURRENTLY. The ledger must be read again. */
MUST_CHECK bool lock_yield_to_tool(Session *s, const RunSink *sink, Err *err);

/* ---- who the database is, and who was here ------------------------------------------------- */

/* What a run is about to write about the database. */
typedef struct IdentityMark {
    const char *environment, *profile;
    const char *name;      /* or NULL */
    const char *made_with; /* "aramid deploy" */
} IdentityMark;

/* What the database says about the session's schema; NULL = nothing. After a read. */
const Identity *run_identity(const Session *s);

/* Write it, in place of what was there, or take it out. The table is made where it is missing.
 * errors: ERR_DENIED without any place for the table, those of db_query */
MUST_CHECK bool run_identity_set(Session *s, const IdentityMark *mark, Err *err);
MUST_CHECK bool run_identity_forget(Session *s, Err *err);

/* A run that changes the database. */
typedef struct RunRow {
    const char *run_id, *verb, *environment;
    int64_t started_us;  /* server's clock, 0 = now */
    const char *outcome; /* "done", "failed", "interrupted"; NULL = not at its end yet */
    int applied;         /* migrations */
    const char *backup_id, *no_backup_reason, *consent; /* NULL = nothing to add */
    const char *log;                                    /* folder; NULL = nothing to add */
    const char *const *names;                           /* of the migrations */
    size_t name_count;
} RunRow;

/* Write the row of a run, or complete it: texts that are NULL leave what is there. A deploy writes its
 * beginning where it makes tables anyway, and its end, by itself. The table is made where it is missing.
 * errors: ERR_DENIED without any place for the table, those of db_query
 * cost: one round trip */
MUST_CHECK bool run_write_row(Session *s, const RunRow *row, Err *err);

/* A row of the table, as it is shown. */
typedef struct RunShown {
    const char *run_id, *verb, *environment, *os_user, *db_user, *started_at, *finished_at,
        *outcome;
    const char *backup_id, *tool_version, *log; /* NULL = not known */
    const char *names;                          /* of migrations, each in line feeds: "\na\nb\n" */
} RunShown;
typedef VEC(RunShown) RunShownVec;

/* Read them, oldest first; none where there is no table or it may not be read (*ret_hidden). */
MUST_CHECK bool run_read_rows(Session *s, RunShownVec *ret, bool *ret_hidden, Err *err);

/* ---- deploy ------------------------------------------------------------------------------- */

/* Who is asked on the way; each may be NULL, and false with err stops the run. */
typedef struct RunCalls {
    void *arg;
    /* In every pass as soon as the database has told who it is, before all else. ret_mark: what to
     * write about it before the first migration, NULL = nothing. */
    bool (*guard)(void *arg, const Session *s, const IdentityMark **ret_mark, Err *err);
    /* Once, when there is something to do and nothing was changed yet (ERR_CONFIRM). */
    bool (*approve)(void *arg, const Session *s, const Plan *plan, Err *err);
    /* Under the locks when something is to be done: with NULL before the first change, then with the
     * name of each migration before it begins; again with NULL in a pass after a lost connection. */
    bool (*before)(void *arg, Session *s, const char *migration, Err *err);
    /* Under the locks, when all that was pending is applied and recorded. */
    bool (*after)(void *arg, const Session *s, Err *err);
} RunCalls;

/* What is rolled back by a run, instead of what is pending being applied. */
typedef struct RunUndo {
    const Migration *migration; /* of the history */
    Migration script;           /* its way back: the same name, a text of its own */
} RunUndo;

/* A script that lies in no folder, as a Migration.
 *
 * path  as people are to see it in errors
 * text  NUL-terminated; kept, as the other two are */
void run_undo_script(Arena *a, const char *name, const char *path, Str text, Migration *ret);

typedef struct RunDeploy {
    SessionOptions session; /* of each pass; the run has a tick of its own */
    History *history;       /* files are read; rows are filled by the run */
    const char *verb;       /* for the row, and as people type it: "deploy", "rollback" */
    const RunUndo *undos;   /* in the order in which they are run: newest first */
    size_t undo_count;      /* 0: what is pending is applied */
    const char *run_id;
    RunSink sink;
    RunCalls calls;
    /* A person is asked to approve: before the locks are taken, so that nobody waits behind the
     * question. What runs afterwards is at most what was approved. */
    bool ask_first;
    bool one_by_one;     /* something stands between two migrations: a backup */
    bool keeps_runs;     /* make the table of runs where it is missing */
    const char *consent; /* for the row, or NULL */
    const char *outcome; /* for it, when all is applied; NULL = "done" */
    bool show_progress;  /* open a second connection to watch long statements */
    /* Of scripts (history/scripts.h): */
    const char *again;        /* how a person runs them again: "execute --file x.sql"; else NULL */
    bool one_tx;              /* each is one transaction, or an error */
    const char *many_tx_hint; /* what helps then, or NULL */
    bool from_start;          /* where an interrupted run stopped does not matter */
} RunDeploy;

/* How long a statement took, by the server's clock. */
typedef struct RunTime {
    size_t statement; /* of its file, from 0 */
    int64_t us;
} RunTime;
typedef VEC(RunTime) RunTimes;

typedef struct RunStatement {
    int number, line; /* in its file, from 1 */
    const char *tag;
    int64_t us;
} RunStatement;

typedef struct RunDone {
    const char *name;
    int64_t ms;
    int steps;
    bool resumed;
    bool undone; /* rolled back, else applied */
    int64_t
        stalled_ms; /* the longest that somebody waited for what it had locked, as far as was seen; */
    int stalled;    /* and how many did at once */
    VEC(RunStatement)
    statements; /* those whose time is known: all, but for syntax that nobody here reads */
} RunDone;

typedef struct RunReport {
    VEC(RunDone) applied;
    int pending_before;
    DbInfo server; /* host NULL: none was reached */
    int64_t ms;
    const char *failed; /* name of the migration that failed, or NULL */
    int retries;
    int skipped; /* tables, indexes, columns that IF NOT EXISTS found */
} RunReport;

/* The plan that a deploy would have now, with the refusals that it would make. Nothing is written.
 * A session without a connection (s->db NULL) stands for an empty database that is still to be made.
 * cost: one round trip for each file with syntax newer than libpg_query's. */
MUST_CHECK bool run_plan(Arena *a, const Session *s, const History *h, const JournalVec *journal,
                         Plan *ret, Err *err);

/* Which of the plan's losses there is something in, with how much: "table users: 3 rows". What is not
 * there, or is empty, is left out; what cannot be counted soon stays as it is.
 * cost: one round trip for each loss */
MUST_CHECK bool run_count_losses(const Session *s, Arena *a, const Plan *plan, PlanLosses *ret,
                                 Err *err);

/* What the ledger says against the folder. */
void run_find_history(const History *h, FindingList *ret);

/* Whether a finding about the folder matters as things stand: names only do to what is to be ordered. */
bool run_finding_matters(const History *h, const Finding *f);

/* What can be found before anything is changed: in the folder, in the ledger against it, in the plan. */
void run_find_ahead(const History *h, const Plan *plan, FindingList *ret);

/* Bring the database up to date. On false, report tells what had been applied. */
MUST_CHECK bool run_deploy(Arena *a, const RunDeploy *deploy, RunReport *ret, Err *err);

/* What the objects that a migration makes look like in the database now. */
typedef struct ProbeResult {
    int present, absent, unknown;
    VEC(const char *) lines; /* "table \"public\".\"User\": exists" */
} ProbeResult;
MUST_CHECK bool run_probe(const Session *s, Arena *a, const MigrationPlan *mp, ProbeResult *ret,
                          Err *err);

/* Statements that write the ledger for `resolve`, and take the settled rows' steps out of the
 * journal; all under the lock. */
MUST_CHECK bool run_resolve_applied(Session *s, const Migration *const *list, size_t n,
                                    const History *h, Err *err);
MUST_CHECK bool run_resolve_rolled_back(Session *s, const char *name, const History *h, Err *err);

typedef enum RunRepairKind {
    RUN_REPAIR_NONE,
    RUN_RECORD,    /* a row that says that the migration is applied */
    RUN_ROLL_BACK, /* its failed rows are marked as rolled back */
    RUN_CORRECT,   /* the row tells of the migration: its checksum, name, time */
    RUN_REMOVE,    /* the row is deleted */
    RUN_UPGRADE,   /* the table gets the form in which rows are written */
} RunRepairKind;

/* A repair of the ledger. */
typedef struct RunRepair {
    RunRepairKind kind;
    size_t part;                /* whose ledger (history_part) */
    const char *name;           /* of the migration */
    const Migration *migration; /* RUN_RECORD, RUN_CORRECT */
    const char *row_id;         /* RUN_CORRECT, RUN_REMOVE */
} RunRepair;

/* Make them in one transaction, under the lock, with the table locked against tools that take no lock.
 * It is taken back unless the table held as many rows as h when it was locked, each statement changed the
 * rows that it was to change, and it holds the rows that it should afterwards.
 *
 * errors  ERR_LEDGER: the table does not keep or no longer holds what was read; those of session_query */
MUST_CHECK bool run_repair(Session *s, const RunRepair *list, size_t n, const History *h, Err *err);

/* Let the rows of migrations that a squash replaces (Entry.moves) become the one row of it, as a repair. Under the
 * lock; the ledger must be read again where *ret_moved is not 0. */
MUST_CHECK bool run_move_rows(Session *s, const History *h, size_t *ret_moved, Err *err);

/* What interrupted runs have left in the database. */
typedef enum RunLeftoverKind {
    RUN_LEFT_JOURNAL, /* steps of a migration that is settled: nobody asks for them any more */
    RUN_LEFT_INDEX,   /* an invalid index of a statement that the journal knows to be interrupted */
    RUN_LEFT_SESSION, /* a server process of a run whose program is gone */
} RunLeftoverKind;

typedef struct RunLeftover {
    RunLeftoverKind kind;
    const char *name; /* of the migration; of the index, as SQL; of the process, for people */
    const char *why;  /* how it is known to be one */
    const char *ledger_id;
    LockHolder holder;
} RunLeftover;
typedef VEC(RunLeftover) RunLeftoverVec;

/* Find them: only what the journal, or the end of a program on this machine, proves to be one. */
MUST_CHECK bool run_leftovers(Session *s, const History *h, const JournalVec *journal,
                              RunLeftoverVec *ret, Err *err);

/* Remove one that was found. An index is dropped concurrently and waits no longer than some seconds.
 * *ret_gone: false where it is not one any more, or others are in the way. */
MUST_CHECK bool run_remove_leftover(Session *s, const RunLeftover *l, bool *ret_gone, Err *err);

/* Names of the failpoints, ends with NULL: ARAMID_FAILPOINT=<name>[#N]:kill|pause=MS ends or stops
 * the process at the N-th passage; for tests. */
const char *const *run_failpoint_names(void);
