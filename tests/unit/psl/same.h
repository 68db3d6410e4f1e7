/* Properties of syntax trees, for tests and fuzzers. Each returns NULL when all is well, and else
 * what is wrong, in a few words. */
#pragma once

#include "psl/psl.h"

/* Items lie inside their parents, in order, and nothing but white space is between them. */
const char *tree_check(const PslSchema *schema);

/* Do two schemas say the same? The order of attributes and the places of comments may differ; the
 * texts of the comments, apart from decoration, may not. */
const char *tree_same(const PslSchema *a, const PslSchema *b);

/* All that must hold for any text: the tree is well formed, diagnostics have places; if the text
 * can be formatted, the result says the same and is not changed by formatting it again. */
const char *tree_check_text(Str text, bool fixups);
