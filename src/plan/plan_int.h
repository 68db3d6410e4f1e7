/* Internal to plan/. */
#pragma once

#include "plan/plan.h"

/* Read and classify a file's script: its text in `a`, what its statements are in `forms`.
 * errors: those of migration_text and sql_split */
MUST_CHECK bool plan_read(Arena *forms, Arena *a, const Migration *m, bool brief, SqlScript *ret,
                          Err *err);

/* plan_place with a script that is at hand. */
void plan_place_in(const MigrationPlan *mp, const SqlScript *script, size_t statement, Err *err);

/* Fill mp->drops. */
void plan_note_drops(Arena *a, const SqlScript *script, MigrationPlan *mp);

/* Fill plan->losses, and a finding for each. */
void plan_find_losses(Arena *a, Plan *plan);
