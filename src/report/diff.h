/* The result of `aramid diff` as text and JSON (docs/schema/diff.json). */
#pragma once

#include "base/jw.h"
#include "flow/diff.h"
#include "report/term.h"

/* The summary as `prisma migrate diff` prints it, then the findings. */
void report_diff_text(Buf *out, const Term *t, const DiffResult *r);

void report_diff_json(JsonWriter *w, const DiffResult *r);
