/* The result of `aramid diff` as text and JSON (docs/schema/diff.json). */
#pragma once

#include "base/jw.h"
#include "flow/diff.h"
#include "report/term.h"

/* The summary as `prisma migrate diff` prints it, then report_diff_notes. */
void report_diff_text(Buf *out, const Term *t, const DiffResult *r);

/* What a person should know before the script runs, a line each: what is lost, what may fail, what
 * was not compared, what the private server lacked. Nothing to say writes nothing. */
void report_diff_notes(Buf *out, const Term *t, const DiffResult *r);

void report_diff_json(JsonWriter *w, const DiffResult *r);
