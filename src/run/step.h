/* Internal to run/: one migration, and the two ways of its steps. */
#pragma once

#include "run/message.h"

typedef enum StepEnd {
    STEP_ENDED,  /* committed */
    STEP_AGAIN,  /* the plan of this migration changed: cut again */
    STEP_RESTART /* the session or the lock is gone: a new pass */
} StepEnd;

/* Run one migration of the plan to its end. With STEP_RESTART err tells why. */
MUST_CHECK bool migration_run(Run *r, MigrationPlan *mp, StepEnd *ret, Err *err);

/* Run a step in a transaction: one message, sent again where that helps. */
MUST_CHECK bool tx_run(Run *r, MigrationPlan *mp, const Step *step, const LedgerRow *row,
                       bool first, bool last, StepEnd *ret, Err *err);

/* Run a step outside of transactions: intent, statement, proof. */
MUST_CHECK bool alone_run(Run *r, MigrationPlan *mp, const Step *step, const LedgerRow *row,
                          bool first_step, bool last_step, StepEnd *ret, Err *err);

/* Fill err from a failed statement of a migration: place, SQLSTATE, server's texts, state. `m` is
 * NULL for a statement that was sent alone; `done` counts the committed statements. */
bool step_failed(Run *r, const MigrationPlan *mp, const Message *m, const DbOutcome *o, size_t done,
                 Err *err);

/* What a step outside of transactions left to be recorded: add it to a message (returns the number of
 * statements), forget it when that message is committed, or send it by itself. */
int run_add_carry(const Run *r, Buf *b);
void run_drop_carry(Run *r);
MUST_CHECK bool run_flush_carry(Run *r, Err *err);
