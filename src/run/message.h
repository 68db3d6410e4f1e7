/* Internal to run/: the one message of a step inside a transaction. */
#pragma once

#include "run/run_int.h"

typedef enum PartKind {
    PART_SETTING,
    PART_PRELOCK,
    PART_CHECK_LOCK,    /* fails when another runner is inside a message */
    PART_CHECK_PENDING, /* fails when somebody applied the migration meanwhile */
    PART_USER,          /* statement `index` of the file */
    PART_CLOCK,         /* the server's time, between two of them */
    PART_SETTLE,  /* deferred constraints, which the commit would look at: `index`, if the file's */
    PART_PROMISE, /* fails when the database is not what the migration promises */
    PART_RECORD,  /* ledger and journal */
    PART_PROOF,   /* fails when these do not keep what was written */
} PartKind;

typedef struct Part {
    PartKind kind;
    size_t index, count; /* statements of the message; the file's follow each other */
} Part;

typedef struct Message {
    Buf sql;
    VEC(Part) parts;           /* all statements of the message, in order */
    size_t user_off, user_len; /* where the file's bytes stand in it */
    size_t file_off;           /* and where they come from */
    bool is_timed;             /* the time of each statement is asked for */
    VEC(size_t) clocks;        /* where the time is asked for, between the file's bytes */
    bool is_placed;            /* by message_drop_text: an error's position is inside the file, */
    size_t error_off;          /* there */
} Message;

/* How a step's locks are to be taken. */
typedef struct LockPlan {
    VEC(const StepLock *) tables; /* that exist and may be locked first */
    int64_t table_ms;             /* lock_timeout of each opening LOCK TABLE in the final mode */
    int64_t evict_ms;             /* of the SHARE UPDATE EXCLUSIVE before it, which blocks nobody */
    int64_t rest_ms;              /* of the script itself; 0 = none */
    int blocker_pid;              /* seen in the way, where no table is known; 0 = nobody */
    bool is_watched;              /* somebody looks at our waits from outside */
    bool waits_for_rows;          /* and rest_ms is long because of that */
} LockPlan;

/* What stands around the file's bytes. */
typedef struct StepWrite {
    Arena *text; /* where the message's text is made, which is as long as the file */
    const LockPlan *locks;
    const char *promise; /* one statement, or NULL */
    const char *record;  /* SQL for the tail: statements, each with its semicolon */
    int record_statements;
    const char *proof;        /* one statement for each row of the ledger */
    int proofs;               /* how many; 0 = one */
    const LedgerRow *pending; /* of the migration, not applied yet; NULL = not asked early */
} StepWrite;

/* The message of a STEP_TX or STEP_OWN_TX. errors: those of plan_add_text */
MUST_CHECK bool message_step(Run *r, Arena *a, const MigrationPlan *mp, const Step *step,
                             const StepWrite *write, Message *ret, Err *err);

/* How long each statement of the file took, from the answers of PART_CLOCK. */
typedef struct MessageTimes {
    int64_t last_us;
    size_t statement;
    RunTimes *to;
    Arena *arena;
} MessageTimes;
void message_take_row(void *arg, size_t result, const Str *cells);

/* Of a message that failed: keep where in the file the error stands, as its text will be gone (the
 * file is read again to tell of it). */
void message_drop_text(Message *m, const DbOutcome *o);

/* The part that failed, of one statement (false: the commit did), and behind message_drop_text the
 * place in the file. */
bool message_failed_part(const Message *m, const DbOutcome *o, Part *ret);
bool message_place(const Message *m, const MigrationPlan *mp, const DbOutcome *o, Err *err);
