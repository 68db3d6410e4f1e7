/* What is known of old migrations and not to be told again: a file of numbers, by migration and rule. */
#pragma once

#include "flow/lint.h"

/* The file for what was found: warnings and errors. */
Str lint_baseline_text(Arena *a, const LintResult *r);

/* Take what a file says out of the findings. An entry of a migration that was edited since, and one of a rule that
 * is found more often than it says, take nothing out; one that nothing matches is told. What was not judged is
 * left alone.
 *
 * shown   the file's name, for people
 * errors  ERR_CONFIG */
MUST_CHECK bool lint_baseline_apply(Arena *a, const char *shown, Str text, LintResult *r, Err *err);
