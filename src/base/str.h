/* Strings.
 *
 * Str is a view: bytes somewhere else, not NUL-terminated, may hold any byte. A `const char *` is
 * always NUL-terminated and, unless said otherwise, owned by an arena. Buf is the only builder:
 * it grows in an arena and is always NUL-terminated. */
#pragma once

#include "base/mem.h"

#include <string.h>

/* How many elements an array has. */
#define COUNT(array) (sizeof(array) / sizeof *(array))

typedef struct Str {
    const char *p; /* never NULL for a valid view; an empty view may point anywhere */
    size_t n;
} Str;

#define STR(lit) ((Str){"" lit, sizeof(lit) - 1})
#define STR_FMT "%.*s"
#define STR_ARG(s) (int)((s).n > 100000 ? 100000 : (s).n), (s).p

static inline Str
str_of(const char *z)
{
    return z ? (Str){z, strlen(z)} : (Str){"", 0};
}

static inline Str
str_slice(Str s, size_t from, size_t to)
{
    return (Str){s.p + from, to - from};
}

static inline bool
str_eq(Str a, Str b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static inline bool
str_is(Str a, const char *z)
{
    return str_eq(a, str_of(z));
}

bool str_ieq(Str a, Str b); /* ASCII case-insensitive */
bool str_starts(Str s, Str prefix);
bool str_ends(Str s, Str suffix);
bool str_contains(Str s, Str needle);
bool str_icontains(Str s, Str needle);
int str_cmp(Str a, Str b); /* byte order, shorter first */
Str str_trim(Str s);       /* without ASCII white space at both ends */

/* Cut `*rest` at the first `sep`: returns the part before it and moves *rest behind it. When there
 * is none, returns all and leaves *rest empty with p == NULL (the end of the loop). */
Str str_cut(Str *rest, char sep);

/* NUL-terminated copies in the arena. */
char *str_dup(Arena *a, Str s);
char *str_dupz(Arena *a, const char *z); /* NULL stays NULL */
Str str_copy(Arena *a, Str s);

__attribute__((format(printf, 2, 3))) char *str_fmt(Arena *a, const char *fmt, ...);
__attribute__((format(printf, 2, 0))) char *str_vfmt(Arena *a, const char *fmt, va_list ap);

/* "17 bytes", "4.2 kB", "1.5 GB": powers of 1000, two digits at least. */
char *str_bytes(Arena *a, int64_t n);

/* "1 row", "3 rows"; and only the ending of such a word. */
char *str_count(Arena *a, int64_t n, const char *word);
static inline const char *
str_plural(int64_t n)
{
    return n == 1 ? "" : "s";
}

/* Parse a whole decimal number; false when `s` is anything else or out of [min, max]. */
bool str_to_int(Str s, long long min, long long max, long long *ret);

/* Byte offset of the first invalid UTF-8 sequence (overlong, surrogate, > U+10FFFF count), or s.n. */
size_t str_utf8_invalid_at(Str s);

/* Number of code points in a valid UTF-8 text. */
size_t str_utf8_len(Str s);

/* Byte offset of code point number `index` (0-based), at most s.n. */
size_t str_utf8_offset(Str s, size_t index);

/* 1-based line and column (in code points) of the byte at `off`; CR LF, LF and lone CR end lines. */
void str_line_col(Str s, size_t off, int *ret_line, int *ret_col);

/* The same for many places of one text: from where the cursor is, or from the beginning when `off`
 * lies before it or the text is another one. Begin with {0}. Linear for places in order. */
typedef struct StrCursor {
    Str text;
    size_t off;
    int line, column;
} StrCursor;
void str_cursor_to(StrCursor *c, Str text, size_t off);

/* The line of text that holds the byte at `off`, without its line end. */
Str str_line_at(Str s, size_t off);

/* How many letters of two short words are wrong, missing, too many, or swapped with their neighbour,
 * at most `max` + 1. For "did you mean". */
size_t str_distance(Str a, Str b, size_t max);

/* Copy for a terminal: control characters, invalid UTF-8, bidirectional overrides and other
 * invisible formatting are written as \xNN or \u{N}; tab and newline stay when `multiline`.
 * Everything that a database or a file says passes through here before it is printed. */
char *str_printable(Arena *a, Str s, bool multiline);

/* A word of a command that a person is told to type: as it is, or in single quotes where a shell
 * would read it otherwise; control characters are written as str_printable writes them. */
const char *str_shell(Arena *a, const char *word);

typedef struct Buf {
    Arena *arena;
    char *p; /* NUL-terminated, never NULL after buf_init */
    size_t n, cap;
} Buf;

void buf_init(Buf *b, Arena *a);
void buf_clear(Buf *b);             /* keep the space */
void buf_room(Buf *b, size_t more); /* for what is known to come: growing keeps old copies */
void buf_add(Buf *b, Str s);
void buf_addz(Buf *b, const char *z);
void buf_addc(Buf *b, char c);
void buf_addn(Buf *b, char c, size_t count);
__attribute__((format(printf, 2, 3))) void buf_fmt(Buf *b, const char *fmt, ...);
static inline Str
buf_str(const Buf *b)
{
    return (Str){b->p, b->n};
}

/* The same for a text that stays: unused space goes back to the arena when nothing was allocated
 * since. The Buf must not be written to any more. */
Str buf_finish(Buf *b);
