/* Results of restore and of the drill as text and JSON (docs/schema/restore.json). */
#pragma once

#include "base/jw.h"
#include "flow/restore.h"
#include "report/term.h"

/* What would be done: for --dry-run, and before the question. */
void report_restore_plan(Buf *out, const Term *t, const RestoreReport *r);
void report_restore_text(Buf *out, const Term *t, const RestoreReport *r);
void report_restore_json(JsonWriter *w, const RestoreReport *r);
void report_drill_text(Buf *out, const Term *t, const RestoreReport *r);
