/* What lint found. */
#pragma once

#include "flow/lint.h"
#include "report/finding.h"

/* Findings as a compiler prints them, notices only with `all`, and a line that counts them. */
void report_lint_text(Buf *out, const Term *t, const LintResult *r, bool all);
/* The same with every statement and what it locks. */
void report_lint_json(JsonWriter *w, const LintResult *r);
/* GitLab's code quality report (docs.gitlab.com/ci/testing/code_quality). */
void report_lint_gitlab(JsonWriter *w, const LintResult *r);
/* Text that holds no markup, in a cell of a table in Markdown. */
void report_markdown_text(Buf *out, const char *text);
/* A comment on a pull request: warnings and errors as a table, locks folded below. */
void report_lint_markdown(Buf *out, const LintResult *r);
/* SARIF 2.1.0 (docs.oasis-open.org/sarif/sarif/v2.1.0), as GitHub's code scanning takes it. */
void report_lint_sarif(JsonWriter *w, const LintResult *r);

/* Where statistics were written, and of what. */
void report_stats_text(Buf *out, const Term *t, const StatsResult *r);
void report_stats_json(JsonWriter *w, const StatsResult *r);
