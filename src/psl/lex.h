/* The smallest pieces of the schema language, found in a text at an offset.
 *
 * Prisma's grammar has no tokens of its own: what a piece is depends on where it stands (`5a` is a
 * name where a name is expected and the number 5 elsewhere). So these functions look for one kind
 * of piece and return the offset behind it, or `at` itself when it is not there. */
#pragma once

#include "base/str.h"

/* Tabs and Unicode space separators (Zs); never a line end. */
size_t lex_space(Str t, size_t at);

/* LF, CR LF or a lone CR. */
size_t lex_newline(Str t, size_t at);

/* Everything up to the line end, which is not included. */
size_t lex_line(Str t, size_t at);

/* Letters and ASCII digits, then also _ and -. */
size_t lex_name(Str t, size_t at);

/* Names joined by dots; a dot may end it. */
size_t lex_path(Str t, size_t at);

/* -?digits(.digits)? */
size_t lex_number(Str t, size_t at);

/* A string in double quotes on one line, both quotes included. When it is broken, the offset of
 * the byte that may not stand in it (or of the end) goes to *ret_bad, which may be NULL. */
size_t lex_string(Str t, size_t at, size_t *ret_bad);

/* The value of a string's content (without the quotes): a view when there is nothing to decode.
 * Escapes are JSON's. Wrong ones are left out; the place of the first goes to *ret_bad (offset in
 * `content`, length), *ret_bad_len stays 0 when all is well. */
Str lex_unescape(Arena *a, Str content, size_t *ret_bad, size_t *ret_bad_len);

/* Walk over the lines of a block comment (slashes included) that say something: each without the
 * white space and the star at its beginning. *at begins with 0; false at the end. */
bool lex_comment_line(Str comment, size_t *at, Str *ret);

/* Decode the code point at `at` < t.n; *ret_n gets its length in bytes. A byte that is not UTF-8
 * counts as one code point U+FFFD. */
uint32_t lex_code_point(Str t, size_t at, size_t *ret_n);

/* Columns that a text takes on a terminal: 2 for East Asian wide characters, 0 for combining ones.
 */
size_t lex_columns(Str text);
