/* What squash made. */
#pragma once

#include "flow/squash.h"
#include "report/term.h"

/* done: files were written. */
void report_squash_text(Buf *out, const Term *t, const SquashResult *r, bool done);
void report_squash_json(JsonWriter *w, const SquashResult *r, bool done);
