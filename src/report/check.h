/* The result of `aramid check` as text and JSON (docs/schema/check.json). */
#pragma once

#include "flow/check.h"
#include "report/drift.h"

void report_check_text(Buf *out, const Term *t, const CheckResult *r);
void report_check_json(JsonWriter *w, const CheckResult *r);
/* The same as a comment on a pull request, with what lint has found below. */
void report_check_markdown(Buf *out, const CheckResult *r);
