/* What was left over, and what was removed of it. */
#pragma once

#include "base/jw.h"
#include "flow/clean.h"
#include "report/term.h"

void report_clean_text(Buf *out, const Term *t, const CleanResult *r);
void report_clean_json(JsonWriter *w, const CleanResult *r);
