/* The terminal: what the stream that we write to can show.
 *
 * Rendering functions take a `const Term *` and write into a Buf; whoever owns the stream prints
 * the Buf. A zeroed Term is plain ASCII-only text without colours, 80 columns wide. Text from
 * outside (files, databases, the command line) goes through term_text or str_printable first. */
#pragma once

#include "base/str.h"

typedef enum TermWish {
    TERM_AUTO,
    TERM_ALWAYS,
    TERM_NEVER,
} TermWish;

typedef struct Term {
    bool is_tty;
    bool color;
    bool unicode;
    int width; /* columns; 0 = not known, taken as 80 */
} Term;

/* Look at the stream `fd` and the environment.
 *
 * Colours under TERM_AUTO: FORCE_COLOR (not empty, not "0") turns them on, NO_COLOR (not empty) and
 * TERM=dumb turn them off, else they are on for a terminal. Unicode: LC_ALL, LC_CTYPE and LANG, the
 * first that is set, names UTF-8. Width: the terminal's own, else COLUMNS, else 80. */
Term term_detect(int fd, TermWish wish);

typedef enum TermStyle {
    TERM_PLAIN,
    TERM_BOLD,
    TERM_DIM,
    TERM_RED,
    TERM_GREEN,
    TERM_YELLOW,
    TERM_BLUE,
    TERM_CYAN,
    TERM_BOLD_RED,
    TERM_BOLD_YELLOW,
    TERM_STYLE_COUNT,
} TermStyle;

/* Begin and end a style; nothing is written when the terminal has no colours. */
void term_begin(Buf *out, const Term *term, TermStyle style);
void term_end(Buf *out, const Term *term, TermStyle style);

/* Write text of our own, styled. */
void term_add(Buf *out, const Term *term, TermStyle style, const char *text);

/* Write text from outside, styled: invisible and control characters are made visible. */
void term_text(Buf *out, const Term *term, TermStyle style, Str text);

typedef enum TermMark {
    TERM_MARK_OK,
    TERM_MARK_WARN,
    TERM_MARK_FAIL,
    TERM_MARK_ARROW,
    TERM_MARK_ELLIPSIS,
    TERM_MARK_COUNT,
} TermMark;

/* A sign, or its ASCII form ("ok", "warning:", "error:", "->", "...") without Unicode. */
const char *term_mark(const Term *term, TermMark mark);

/* Columns that valid UTF-8 text takes on a terminal: 0 for combining marks, 2 for East Asian wide
 * characters and emoji, 1 for the rest. Control characters count as 1. */
size_t term_columns(Str text);

/* Columns of the first code point of `text` (not empty); *ret_len its length in bytes. Invalid
 * bytes count as one column each. */
size_t term_first_columns(Str text, size_t *ret_len);

/* Write words of our own text, broken at spaces so that lines end before column `width`; each line
 * but the first starts with `indent` spaces. `at` is the column where the text begins. A newline
 * in the text starts a new line. No newline is written at the end. */
void term_wrap(Buf *out, const char *text, size_t at, size_t indent, size_t width);

/* Write finished lines, with their colours; on a terminal that is narrower than they are made for (80) the
 * longer ones are broken at spaces, and go on two columns further in. Quoted SQL ("|") stays whole. */
void term_break(Buf *out, const Term *term, Str text);
