/* The result of a push as text and JSON. */
#pragma once

#include "base/jw.h"
#include "flow/push.h"
#include "report/term.h"

/* --dry-run */
void report_push_plan(Buf *out, const Term *t, const PushResult *r);
void report_push_text(Buf *out, const Term *t, const PushResult *r, const char *log_dir);

/* err NULL = done. */
void report_push_json(JsonWriter *w, const PushResult *r, const Err *err, const char *log_dir,
                      bool is_plan);
