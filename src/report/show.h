/* One migration as text and JSON. */
#pragma once

#include "base/jw.h"
#include "flow/show.h"
#include "report/term.h"

/* Up and down side by side where the terminal is wide enough, else one below the other. */
void report_show_text(Buf *out, const Term *t, const ShowResult *r);
void report_show_json(JsonWriter *w, const ShowResult *r);
