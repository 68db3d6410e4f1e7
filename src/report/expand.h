/* Changes in two steps. */
#pragma once

#include "base/jw.h"
#include "flow/expand.h"
#include "report/term.h"

void report_expand_text(Buf *out, const Term *t, const ExpandResult *r, bool written);
void report_expand_json(JsonWriter *w, const ExpandResult *r, bool written);

/* Those that are open, each with what comes next; all: the others, too. */
void report_changes_text(Buf *out, const Term *t, const ExpandShownVec *changes, bool all);
void report_changes_member(JsonWriter *w, const char *key, const ExpandShownVec *changes);
void report_state_json(JsonWriter *w, const StatusResult *r);
