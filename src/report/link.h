/* Environments and their projects of Supabase, as text and JSON. */
#pragma once

#include "base/jw.h"
#include "flow/link.h"
#include "report/term.h"

/* What was written, or would be. password_set: the variable has a value here. */
void report_link_text(Buf *out, const Term *t, const LinkResult *r, bool dry_run,
                      bool password_set);
void report_link_json(JsonWriter *w, const LinkResult *r, bool dry_run, bool password_set);

typedef VEC(LinkShown) LinkShownVec;

void report_links_text(Buf *out, const Term *t, const LinkShownVec *list);
void report_links_json(JsonWriter *w, const LinkShownVec *list);
