/* The result of a reset as text and JSON. */
#pragma once

#include "base/jw.h"
#include "flow/reset.h"
#include "report/term.h"

/* --dry-run */
void report_reset_plan(Buf *out, const Term *t, const ResetResult *r);
void report_reset_text(Buf *out, const Term *t, const ResetResult *r, const char *log_dir);

/* err NULL = done. */
void report_reset_json(JsonWriter *w, const ResetResult *r, const Err *err, const char *log_dir,
                       bool is_plan);
