/* Results of generate and workflow as text and JSON. */
#pragma once

#include "base/jw.h"
#include "flow/generate.h"
#include "report/term.h"

/* The command line as a person would type it. */
char *report_generate_line(Arena *a, const GenerateResult *r);

/* err NULL = done. */
void report_generate_text(Buf *out, const Term *t, const GenerateResult *r);
void report_generate_json(JsonWriter *w, const GenerateResult *r, const Err *err);
