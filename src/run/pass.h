/* Internal to run/: what a pass does, in this order; and the way of one migration in it. */
#pragma once

#include "run/run_int.h"

/* Refuse a history that must be settled first. errors: ERR_HISTORY_FAILED, ERR_NOT_EMPTY,
 * ERR_DIVERGED */
MUST_CHECK bool run_check_history(Run *r, const History *h, Err *err);

/* Fill r->plan with what is pending or half done. errors: ERR_DIVERGED, those of plan_migration */
MUST_CHECK bool run_make_plan(Run *r, const History *h, Err *err);

/* Once: what is found ahead (run_find_ahead). */
void run_tell_ahead(Run *r, const History *h);

/* Syntax that libpg_query does not know is shown to the server before anything runs. */
MUST_CHECK bool run_check_syntax(Run *r, Err *err);

/* Fill r->existing. cost: one round trip where a migration locks strongly */
MUST_CHECK bool run_find_existing(Run *r, Err *err);

/* What must be there before the first migration. The ledger is needed; that our own tables cannot be
 * made stops nobody. May ask for a restart. */
MUST_CHECK bool run_prepare(Run *r, Err *err);
MUST_CHECK bool run_ensure_journal(Run *r, Err *err);
MUST_CHECK bool run_ensure_batches(Run *r, Err *err);

/* batch_key.c: statements that are to run in batches have a table with a key for that, as far as it is there
 * yet. errors: ERR_NO_KEY */
MUST_CHECK bool run_check_batches(Run *r, Err *err);

/* race.c: what keeps a tool without a lock from applying a migration beside us; nothing where its table
 * has a key. Set up before the first migration, taken away when the run ends, however it ends; and, by
 * race_look, what a run that was killed has left, where there is nothing to apply.
 * errors: ERR_LOCK_BUDGET, ERR_INTERRUPTED, ERR_FINDING, those of a lost connection */
MUST_CHECK bool race_guard(Run *r, Err *err);
void race_look(Run *r);
void race_release(Run *r);

/* The ledger must hold every migration, no step may be open, and no index of this run be invalid.
 * The run's own row is completed with it. errors: ERR_VERIFY */
MUST_CHECK bool run_verify(Run *r, Err *err);

/* The row of this run; outcome NULL = it begins. */
void run_add_row(Run *r, Buf *b, const char *outcome);
/* A run that failed says so in its row, if it can. */
void run_write_failure(Run *r, const Err *why);
