/* What restack renamed. */
#pragma once

#include "base/jw.h"
#include "flow/restack.h"
#include "report/term.h"

void report_restack_text(Buf *out, const Term *t, const RestackResult *r, bool done);
void report_restack_json(JsonWriter *w, const RestackResult *r, bool done);
