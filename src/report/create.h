/* A new migration as text and JSON. */
#pragma once

#include "base/jw.h"
#include "flow/create.h"
#include "report/term.h"

/* What it changes, loses and locks: to be told before it is written. */
void report_create_ahead(Buf *out, const Term *t, const CreateResult *r);

/* What was written, and what comes next. */
void report_create_done(Buf *out, const Term *t, const CreateResult *r);

/* The whole file. */
Str report_create_file(const CreateResult *r);

void report_create_json(JsonWriter *w, const CreateResult *r, bool written);
