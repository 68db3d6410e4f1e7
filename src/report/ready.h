/* Checklists, and the evidence that they rest on. */
#pragma once

#include "base/jw.h"
#include "flow/checklist.h"
#include "flow/proofs.h"
#include "report/term.h"

void report_checklist_text(Buf *out, const Term *t, const ChecklistResult *r);
void report_checklist_json(JsonWriter *w, const ChecklistResult *r);

void report_evidence_text(Buf *out, const Term *t, const EvidenceResult *r);
void report_evidence_json(JsonWriter *w, const EvidenceResult *r);
