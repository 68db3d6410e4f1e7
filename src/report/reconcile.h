/* What differs between folder, history table and database, and what was done about it. */
#pragma once

#include "base/jw.h"
#include "flow/reconcile.h"
#include "report/term.h"

void report_reconcile_text(Buf *out, const Term *t, const ReconcileResult *r);
void report_reconcile_json(JsonWriter *w, const ReconcileResult *r);
