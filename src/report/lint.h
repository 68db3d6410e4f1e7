/* What lint found. */
#pragma once

#include "flow/lint.h"
#include "report/finding.h"

/* Findings as a compiler prints them, notices only with `all`, and a line that counts them. */
void report_lint_text(Buf *out, const Term *t, const LintResult *r, bool all);
/* The same with every statement and what it locks. */
void report_lint_json(JsonWriter *w, const LintResult *r);
/* SARIF 2.1.0 (docs.oasis-open.org/sarif/sarif/v2.1.0), as GitHub's code scanning takes it. */
void report_lint_sarif(JsonWriter *w, const LintResult *r);
