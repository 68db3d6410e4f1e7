/* Internal to run/: the state of one deploy, and what all of its files call. */
#pragma once

#include "base/map.h"
#include "run/run.h"

typedef enum Failpoint {
    FP_CONNECTED,
    FP_LOCKED,
    FP_LEDGER_CREATED,
    FP_JOURNAL_CREATED,
    FP_IDENTITY_WRITTEN,
    FP_BEFORE_MESSAGE,
    FP_AFTER_MESSAGE,
    FP_BETWEEN_BLOCKS,
    FP_BEFORE_INTENT,
    FP_AFTER_INTENT,
    FP_AFTER_STATEMENT,
    FP_AFTER_FINISH,
    FP_BEFORE_REPAIR,
    FP_AFTER_REPAIR,
    FP_LOCK_RETRY,
    FP_BATCHES_CREATED,
    FP_BEFORE_BATCH,
    FP_AFTER_BATCH,
    FP_AFTER_BATCHES,
    FP_BEFORE_PROOF,
    FP_BEFORE_VERIFY,
    FP_COUNT
} Failpoint;

typedef struct Watch Watch;

/* What steps that are at their end leave to the next message: ledger and journal, and the look at both;
 * statements, each with its semicolon. */
typedef struct Carry {
    Buf records, proofs;
    int record_count, proof_count;
} Carry;

/* What tries of this process have taught about a migration; survives passes. */
typedef struct Learned {
    PlanHints hints;
    bool no_prelock;
    bool lock_failed;    /* a try ended because it waited for a lock */
    bool waits_for_rows; /* and it was a row's, of a script that hides what it locks */
} Learned;

/* Others who wait for what we have locked (stall.c). */
typedef struct Stall {
    bool is_on; /* what is under way may hold locks for long */
    bool may_cancel;
    bool fired; /* it was cancelled because of them */
    int64_t sent_ms, next_ms;
    int64_t waited_ms, told_ms; /* the longest of this migration; when that was told last */
    int sessions;               /* and the most at once */
    char who[512];              /* as the longest was: a line for each of the first few */
} Stall;

/* Why a new pass is needed though nothing failed: the session or the lock is gone, or somebody else
 * goes first. */
typedef struct Restart {
    DbPatience patience;
    const char *why; /* NULL = none is needed */
} Restart;

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
    bool is_guarded;                 /* race.c */
    Restart restart;                 /* of the current pass */
    int failures[DB_PATIENCE_COUNT]; /* tries in vain, since something went well */
    int hits[FP_COUNT];
    VEC(SqlName) existing; /* relations of the plan that exist and may be locked by LOCK TABLE */
    bool one_by_one;       /* messages of many migrations are not tried any more */
    bool flushes_late;     /* of such a message only the last commit waits for the disk */
    size_t flushed;        /* of report->applied: those that are on disk */
    VEC(RunDone) doubted;  /* and those of which that is not known since the connection broke; */
    VEC(const char *)
    sent;                /* which were sent in one message with the one under way, and behind it */
    const char *current; /* migration under way, NULL = none */
    bool is_undo;        /* it is rolled back */
    int64_t current_started_ms;
    VEC(const LedgerRow *) stale; /* of what is begun anew: their steps in the journal go first */
    int number, total;            /* of it */
    bool is_alone;                /* its step under way is outside of transactions, */
    bool is_batch;                /* or one of many transactions */
    Watch *watch;                 /* of the statement that runs, or NULL */
    Stall stall;
    bool told_no_stall; /* that nobody looks */
    Db *observer;       /* second connection for progress, made when a statement takes long */
    bool no_observer;   /* it could not be made */
    Map learned;        /* by migration: Learned */
    const MigrationPlan *whole; /* under way, of all migrations; or NULL */
    bool times_statements;
    RunTimes times; /* of the migration under way */
    Carry carry;
    int64_t lock_wait_started_ms; /* of the migration under way, 0 = has not waited */
    int64_t blocked_told_ms;      /* who is in the way was said then, */
    bool blocked_named;           /* by name */
} Run;

void failpoint(Run *r, Failpoint id);

/* For hints: "deploy", "rollback". */
const char *run_verb(const Run *r);
/* What is run: "migration", "script". */
const char *run_noun(const Run *r);

/* Tell something. The text becomes printable here: names and messages of servers may be in it. */
__attribute__((format(printf, 5, 6))) void run_emit(Run *r, RunEventKind kind, RunLevel level,
                                                    const char *migration, const char *fmt, ...);

/* The same for a step of a migration; ms -1 = it begins. */
void run_emit_step(Run *r, RunEventKind kind, const MigrationPlan *mp, size_t step, int64_t ms);

/* Tell an event as it is: its text is printable. */
void run_tell(Run *r, RunEvent e);

/* Ticks for waits of the run: stop on signals and on the run's own deadline; drives the watch. */
bool run_tick(void *arg, int64_t elapsed_ms);

/* Ask for a new pass. */
void run_restart(Run *r, DbPatience patience, const char *why);
void run_restart_lost_lock(Run *r);

/* Count a try in vain: whether another one may follow; and the pause before it.
 * errors: ERR_INTERRUPTED */
bool run_try_again(Run *r, DbPatience patience);
MUST_CHECK bool run_retry_pause(Run *r, DbPatience patience, Err *err);

/* Of a relation that a step locks strongly: whether it was there before the first migration, as a table. */
bool run_relation_exists(const Run *r, const StepLock *l);

Learned *run_learned(Run *r, const MigrationPlan *mp);
