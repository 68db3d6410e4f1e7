/* The result of verify-rollback as text and JSON; the JSON is the evidence, too. */
#pragma once

#include "base/jw.h"
#include "flow/verify_rollback.h"
#include "report/term.h"

void report_verify_rollback_text(Buf *out, const Term *t, const VerifyRollbackResult *r);
/* at: when, as "2026-11-30T22:00:00Z" */
void report_verify_rollback_json(JsonWriter *w, const VerifyRollbackResult *r, const char *at);
