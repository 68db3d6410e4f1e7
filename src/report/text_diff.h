/* The difference of two texts, line by line, as `diff -u` shows it. */
#pragma once

#include "report/term.h"

/* Write the hunks with three lines of context, under "--- name" and "+++ name"; nothing when the
 * texts are equal. Control characters are made visible. Time grows with the number of different
 * lines; beyond two thousand of them a part is shown as replaced as a whole. */
void text_diff(Buf *out, const Term *t, const char *name, Str before, Str after);
