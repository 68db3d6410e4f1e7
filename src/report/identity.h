/* Who a database is, as text and JSON. */
#pragma once

#include "base/jw.h"
#include "flow/identity.h"
#include "report/term.h"

void report_identity_text(Buf *out, const Term *t, const IdentityResult *r);
void report_identity_json(JsonWriter *w, const IdentityResult *r);

/* The member "identity" of other results; null where the database says nothing. */
void report_identity_member(JsonWriter *w, const IdentityShown *i);

/* "production (name), marked at ... by "user" (aramid deploy)", for one line of other results. */
void report_identity_line(Buf *out, const Term *t, const IdentityShown *i);
