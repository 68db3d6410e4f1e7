/* Internal to run/: one migration, and the two ways of its steps. */
#pragma once

#include "run/session_int.h"
#include "run/watch.h"

typedef enum StepEnd {
    STEP_ENDED,   /* committed */
    STEP_AGAIN,   /* the plan of this migration changed: cut again */
    STEP_RESTART, /* a new pass is needed; the run has been told why */
} StepEnd;

/* A step that is under way. */
typedef struct Try {
    Run *run;
    Arena *arena; /* lives as long as this try, at least */
    const MigrationPlan *mp;
    const Step *step;
    const LedgerRow *row;
    const LedgerRow *more; /* of the migrations behind it, which are run as one with it */
    size_t more_count;
    bool first, last; /* of the migration's steps */
    /* Of a step outside of transactions: */
    size_t behind;   /* tries that are announced with it and come behind it */
    bool is_begun;   /* its rows are there */
    bool in_the_way; /* the table may have an invalid index, or somebody who builds one */
    /* Of a step in a transaction: */
    LockPlan locks;
    LockWatch watch;
    Block block;
} Try;

/* together.c: how many of `mps` may go in one message, or be announced in one, 1 where the first one goes by
 * itself; and whether of such a message only the last commit waits for the disk. */
size_t together_count(const Run *r, const MigrationPlan *mps, size_t n);
bool together_flushes_late(const Run *r);

/* Run so many migrations of the plan: several together, or one, step by step. *ret_ended of them are at
 * their end; STEP_AGAIN: the next one is worth another try by itself. */
MUST_CHECK bool migrations_run(Run *r, MigrationPlan *mps, size_t n, size_t *ret_ended,
                               StepEnd *ret, Err *err);

/* The same for all of them as one (plan_join). */
MUST_CHECK bool migration_run_whole(Run *r, const MigrationPlan *whole, StepEnd *ret, Err *err);

/* Run a step in a transaction: one message, sent again where that helps. Several of them, each a whole
 * migration, in one message, whose beginnings and ends it tells and which is sent once: *ret_ended are at
 * their end, and the others are not in the database; STEP_AGAIN: they are worth another try. */
MUST_CHECK bool tx_run(Try *tries, size_t n, size_t *ret_ended, StepEnd *ret, Err *err);

/* Run a step outside of transactions: intent, statement, proof. Several of them, each a whole migration, with
 * one intent for all: it tells their beginnings and ends, and *ret_ended are at their end. */
MUST_CHECK bool alone_run(Try *tries, size_t n, size_t *ret_ended, StepEnd *ret, Err *err);

/* Run a statement in batches: one transaction each, with how far they have come. */
MUST_CHECK bool batch_run(Try *t, StepEnd *ret, Err *err);

/* Run a query that must give no row, or true. errors: ERR_PROOF */
MUST_CHECK bool proof_run(Try *t, StepEnd *ret, Err *err);

/* What a step in one message records: ret's record and proof (tx.c). errors: those of plan_script */
MUST_CHECK bool step_record(const Try *t, Arena *a, StepWrite *ret, Err *err);

/* Tell that a migration, or all as one, begins or is applied; and note it (applied.c). The time of one ends
 * when its end is told. */
void applied_begin(Run *r, const MigrationPlan *mp);
void applied_end(Run *r, const MigrationPlan *mp);
void applied_begin_whole(Run *r, const MigrationPlan *whole);
void applied_end_whole(Run *r, const MigrationPlan *whole);
/* The connection broke: what was told since the last commit that waited for the disk may be gone, where the
 * server went down; and what was sent (r->sent) may be there. A new pass settles it by what the ledger says. */
void applied_doubt(Run *r);
void applied_settle(Run *r);
/* Let what was told be on disk. errors: those of db_query */
MUST_CHECK bool applied_flush(Run *r, Err *err);

/* What a step records that was begun before: carried, to go with the next message (carry.c).
 * closed: what it closes in the journal, or NULL: it said so when it began. */
void step_finish(const Try *t, const JournalEntry *closed);

/* The text that goes on being run: for the journal's row of a rollback's first step. */
Str journal_undo(const Try *t);

/* Fill err from a failed statement of a migration: place, SQLSTATE, server's texts, state. `block` is
 * NULL for a statement that was sent alone; `done` counts the committed statements. */
bool step_failed(Run *r, const MigrationPlan *mp, const Block *block, const DbOutcome *o,
                 size_t done, Err *err);

/* The same of one that was cancelled because others waited for it (stall.c). errors: ERR_STALLED */
bool step_stalled(Run *r, const MigrationPlan *mp, const Block *block, const DbOutcome *o,
                  size_t done, Err *err);

/* The same where the ledger or the journal refused, or did not keep, what the message wrote. */
bool step_not_recorded(Run *r, const MigrationPlan *mp, const DbOutcome *o, size_t done, Err *err);

/* What steps outside of transactions left to be recorded: add it to a message, forget it when that message
 * is committed, or send it by itself. */
void run_add_carry(const Run *r, Buf *b);
void run_drop_carry(Run *r);
MUST_CHECK bool run_flush_carry(Run *r, Err *err);
