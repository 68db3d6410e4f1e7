/* The result of a rollback as text and JSON. */
#pragma once

#include "base/jw.h"
#include "flow/rollback.h"
#include "report/term.h"

/* What would be done: the script, and what is lost. */
Str report_rollback_script(Arena *a, const RollbackResult *r);
void report_rollback_plan(Buf *out, const Term *t, const RollbackResult *r);

void report_rollback_text(Buf *out, const Term *t, const RollbackResult *r, const char *log_dir);
/* err NULL = done. */
void report_rollback_json(JsonWriter *w, const RollbackResult *r, const Err *err,
                          const char *log_dir, bool is_plan);
