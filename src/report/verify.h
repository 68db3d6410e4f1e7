/* Whether all is well after a deploy. */
#pragma once

#include "base/jw.h"
#include "flow/verify.h"
#include "report/term.h"

void report_verify_text(Buf *out, const Term *t, const VerifyResult *r);
void report_verify_json(JsonWriter *w, const VerifyResult *r);

/* "health": a list; of an empty one []. */
void health_json(JsonWriter *w, const HealthChecks *list);
