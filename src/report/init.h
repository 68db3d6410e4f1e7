/* What `aramid init` found, would write and has written, as text and JSON (docs/schema/init.json). */
#pragma once

#include "base/jw.h"
#include "flow/init.h"
#include "report/term.h"

/* What the project is. */
void report_init_project(Buf *out, const Term *t, const InitResult *r);

/* The names whose meanings differ between the profiles, with what they do today. */
void report_init_profiles(Buf *out, const Term *t, const InitResult *r);

/* Every change of a file, as a diff. */
void report_init_difference(Buf *out, const Term *t, const InitResult *r);

/* The scripts, the files and the remarks. */
void report_init_text(Buf *out, const Term *t, const InitResult *r);

void report_init_json(JsonWriter *w, const InitResult *r, bool written);
