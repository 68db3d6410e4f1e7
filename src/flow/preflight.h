/* Whether rows that are there stand in the way of pending migrations: asked before anything is locked. */
#pragma once

#include "flow/flow.h"
#include "lint/lint.h"

/* Ask the session's database, READ ONLY and no longer than the setting preflight.timeout says, and add what is
 * found: rows that make a statement fail, and what could not be asked. Outside of a transaction.
 * errors: those of introspect_ask */
MUST_CHECK bool flow_preflight(Arena *a, const Session *s, const LintQuestions *questions,
                               FindingList *ret, Err *err);

/* Ask what stands on what the scripts take away, and add what makes a statement fail, or goes with CASCADE; but for what
 * the scripts let go of themselves. As long and as harmless as flow_preflight.
 * errors: those of introspect_standing */
MUST_CHECK bool flow_preflight_standing(Arena *a, const Session *s, const Lint *lint,
                                        FindingList *ret, Err *err);

/* The same of statistics, which know fractions and no rows: what is likely is a warning. */
void flow_preflight_guess(Arena *a, const Stats *stats, const LintQuestions *questions,
                          FindingList *ret);
