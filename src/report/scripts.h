/* What was done by scripts beside the migrations, as text and JSON. */
#pragma once

#include "base/jw.h"
#include "flow/scripts.h"
#include "report/term.h"

/* Steps, SQL, locks, and what would be lost. */
void report_scripts_plan(Buf *out, const Term *t, const ScriptsResult *r);

/* Begin the object of a command, with the members that all of them have; the caller ends it. */
void report_scripts_begin(JsonWriter *w, const char *command, const ScriptsResult *r,
                          const Err *err, bool is_plan);

/* The member "losses". */
void report_losses_json(JsonWriter *w, const PlanLosses *losses);

/* --dry-run; again: what is to be typed. */
void report_execute_plan(Buf *out, const Term *t, const ScriptsResult *r, const char *again);

void report_execute_text(Buf *out, const Term *t, const ScriptsResult *r, const char *log_dir);

/* err NULL = done. */
void report_execute_json(JsonWriter *w, const ScriptsResult *r, const Err *err, const char *log_dir,
                         bool is_plan);
