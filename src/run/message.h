/* Internal to run/: a message of transactions, each of which is a step and what it records. */
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
    PART_COMMIT,  /* of one that is followed by another */
} PartKind;

typedef struct Part {
    PartKind kind;
    size_t index, count; /* statements of the message; the file's follow each other */
} Part;

/* A transaction of a message: settings and checks, a file's bytes, its record. One that stands alone is
 * the message's implicit transaction; several of them begin and end in words. */
typedef struct Block {
    size_t first, end; /* statements of the message that stand in front of it; and behind it */
    VEC(Part) parts;   /* all of its statements, in order */
    size_t user_off, user_len; /* where the file's bytes stand in the message */
    size_t file_off;           /* and where they come from */
    bool is_timed;             /* the time of each statement is asked for */
    VEC(size_t) clocks;        /* where the time is asked for, between the file's bytes */
    bool is_placed;            /* by message_drop_text: an error's position is inside the file, */
    size_t error_off;          /* there */
} Block;

typedef struct Message {
    Arena *arena;
    Buf sql;
    bool has_many;     /* blocks */
    size_t statements; /* of all of them */
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
    const LockPlan *locks;
    bool is_flushed;     /* the commit waits for the disk; else one of a later block does */
    const char *promise; /* one statement, or NULL */
    const char *record;  /* SQL for the tail: statements, each with its semicolon */
    int record_statements;
    const char *proof;        /* one statement for each row of the ledger */
    int proofs;               /* how many; 0 = one */
    const LedgerRow *pending; /* of the migration, not applied yet; NULL = not asked early */
} StepWrite;

/* Begin a message; its text is as long as the files, and is made in `text`, its blocks' parts in `a`. */
void message_begin(Message *ret, Arena *a, Arena *text, bool has_many);

/* Add a STEP_TX or STEP_OWN_TX. errors: those of plan_add_text */
MUST_CHECK bool message_add(Run *r, const MigrationPlan *mp, const Step *step,
                            const StepWrite *write, Message *m, Block *ret, Err *err);

/* Whether a notice of the server is one that a message of many blocks asks for, not the file's. */
bool message_is_notice(const char *text);

/* How long each statement of a file took, from the answers of PART_CHECK_LOCK and PART_CLOCK. */
typedef struct BlockTimes {
    int64_t last_us; /* 0 at the block's beginning */
    size_t statement;
    RunTimes *to;
    Arena *arena;
} BlockTimes;
void message_take_row(void *arg, size_t result, const Str *cells);

/* Of a block that failed: keep where in the file the error stands, as the message's text will be gone
 * (the file is read again to tell of it). */
void message_drop_text(Message *m, Block *block, const DbOutcome *o);

/* The part that failed, of one statement (false: the commit did), and behind message_drop_text the
 * place in the file. */
bool message_failed_part(const Block *block, const DbOutcome *o, Part *ret);
bool message_place(const Block *block, const MigrationPlan *mp, const DbOutcome *o, Err *err);
