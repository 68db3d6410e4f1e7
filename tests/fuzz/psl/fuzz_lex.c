/* Every piece that the lexer finds, at every place of a short text: it lies inside the text, is
 * what it is said to be, and decoding it ends. */
#include <stdio.h>
#include <stdlib.h>

#include "psl/lex.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
require(bool holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "%s\n", what);
    abort();
}

static void
check_string(Arena *a, Str t, size_t at)
{
    size_t bad = 0, bad_len = 0, end = lex_string(t, at, &bad);
    require(end >= at && end <= t.n && bad <= t.n, "a string outside of the text");
    if (end == at)
        return;
    require(end - at >= 2 && t.p[at] == '"' && t.p[end - 1] == '"', "a string without quotes");
    Str content = str_slice(t, at + 1, end - 1);
    Str value = lex_unescape(a, content, &bad, &bad_len);
    require(value.n <= content.n, "a string longer than its escapes");
    require(bad_len == 0 || (bad <= content.n && bad_len <= content.n - bad),
            "a wrong escape outside of its string");
}

static void
check_comment(Str comment)
{
    Str line;
    for (size_t at = 0, before = 0; lex_comment_line(comment, &at, &line); before = at) {
        require(at > before && at <= comment.n, "lines of a comment that do not end");
        require(line.n == 0 || (line.p >= comment.p && line.p + line.n <= comment.p + comment.n),
                "a line outside of its comment");
    }
}

static void
check_at(Arena *a, Str t, size_t at)
{
    size_t (*const pieces[])(Str, size_t) = {lex_space, lex_newline, lex_line,
                                             lex_name,  lex_path,    lex_number};
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
        size_t end = pieces[i](t, at);
        require(end >= at && end <= t.n, "a piece outside of the text");
    }
    require(lex_newline(t, at) - at <= 2, "a line end of more than two bytes");
    require(lex_path(t, at) >= lex_name(t, at), "a path shorter than its first name");
    size_t n = 0;
    if (at < t.n) {
        uint32_t point = lex_code_point(t, at, &n);
        require(n >= 1 && n <= 4 && n <= t.n - at && point <= 0x10ffff, "a wrong code point");
    }
    check_string(a, t, at);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum { PLACES = 512 };
    ARENA_LOCAL(a);
    Str t = {(const char *)data, size};
    for (size_t at = 0; at <= t.n && at < PLACES; at++)
        check_at(a, t, at);
    if (t.n >= strlen("/**/"))
        check_comment(t);
    require(lex_columns(t) <= 2 * t.n, "more columns than bytes can take");
    return 0;
}
