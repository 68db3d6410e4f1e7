/* Colours, marks and columns of a terminal. */
#include "report/term.h"

#include "base/os.h"

#include <sys/ioctl.h>
#include <unistd.h>

static bool
env_set(const char *name)
{
    const char *v = os_env(name);
    return v && *v;
}

static bool
wants_color(bool is_tty, TermWish wish)
{
    if (wish != TERM_AUTO)
        return wish == TERM_ALWAYS;
    const char *force = os_env("FORCE_COLOR"), *term = os_env("TERM");
    if (force && *force)
        return strcmp(force, "0") != 0;
    if (env_set("NO_COLOR") || (term && strcmp(term, "dumb") == 0))
        return false;
    return is_tty;
}

static bool
is_unicode(void)
{
    static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};
    for (size_t i = 0; i < COUNT(names); i++) {
        if (env_set(names[i])) {
            Str v = str_of(os_env(names[i]));
            return str_icontains(v, STR("UTF-8")) || str_icontains(v, STR("UTF8"));
        }
    }
    return false;
}

static int
columns_of(int fd)
{
    struct winsize ws = {0};
    if (ioctl(fd, TIOCGWINSZ, &ws) == 0 && ws.ws_col > 0)
        return ws.ws_col;
    long long n;
    if (env_set("COLUMNS") && str_to_int(str_of(os_env("COLUMNS")), 1, 10000, &n))
        return (int)n;
    return 80;
}

Term
term_detect(int fd, TermWish wish)
{
    bool is_tty = isatty(fd) == 1;
    return (Term){is_tty, wants_color(is_tty, wish), is_unicode(), columns_of(fd)};
}

static const char *const codes[TERM_STYLE_COUNT] = {
    [TERM_BOLD] = "1",   [TERM_DIM] = "2",         [TERM_RED] = "31",
    [TERM_GREEN] = "32", [TERM_YELLOW] = "33",     [TERM_BLUE] = "34",
    [TERM_CYAN] = "36",  [TERM_BOLD_RED] = "1;31", [TERM_BOLD_YELLOW] = "1;33",
};

void
term_begin(Buf *out, const Term *term, TermStyle style)
{
    if (term->color && codes[style])
        buf_fmt(out, "\033[%sm", codes[style]);
}

void
term_end(Buf *out, const Term *term, TermStyle style)
{
    if (term->color && codes[style])
        buf_addz(out, "\033[0m");
}

void
term_add(Buf *out, const Term *term, TermStyle style, const char *text)
{
    term_begin(out, term, style);
    buf_addz(out, text);
    term_end(out, term, style);
}

void
term_text(Buf *out, const Term *term, TermStyle style, Str text)
{
    ARENA_LOCAL(scratch);
    term_add(out, term, style, str_printable(scratch, text, false));
}

const char *
term_mark(const Term *term, TermMark mark)
{
    static const char *const marks[TERM_MARK_COUNT][2] = {
        [TERM_MARK_OK] = {"ok", "✅"},        [TERM_MARK_WARN] = {"warning:", "⚠️"},
        [TERM_MARK_FAIL] = {"error:", "❌"},  [TERM_MARK_ARROW] = {"->", "→"},
        [TERM_MARK_ELLIPSIS] = {"...", "…"},
    };
    return marks[mark][term->unicode];
}

typedef struct Range {
    uint32_t from, to;
} Range;

/* Combining marks, joiners and variation selectors (Unicode general categories Mn, Me, Cf). */
static const Range zero[] = {
    {0x300, 0x36f},   {0x483, 0x489},   {0x591, 0x5bd},   {0x610, 0x61a},     {0x64b, 0x65f},
    {0x6d6, 0x6dc},   {0x900, 0x902},   {0x93c, 0x93c},   {0x941, 0x948},     {0xe31, 0xe31},
    {0xe34, 0xe3a},   {0xe47, 0xe4e},   {0x1ab0, 0x1aff}, {0x1dc0, 0x1dff},   {0x200b, 0x200f},
    {0x20d0, 0x20ff}, {0xfe00, 0xfe0f}, {0xfe20, 0xfe2f}, {0xe0100, 0xe01ef},
};

/* East Asian Wide and Fullwidth, and the emoji that terminals draw in two columns. */
static const Range wide[] = {
    {0x1100, 0x115f},   {0x231a, 0x231b},   {0x2705, 0x2705},   {0x274c, 0x274c},
    {0x2e80, 0x303e},   {0x3041, 0x33ff},   {0x3400, 0x4dbf},   {0x4e00, 0x9fff},
    {0xa000, 0xa4cf},   {0xa960, 0xa97f},   {0xac00, 0xd7a3},   {0xf900, 0xfaff},
    {0xfe30, 0xfe6f},   {0xff00, 0xff60},   {0xffe0, 0xffe6},   {0x1f300, 0x1f64f},
    {0x1f680, 0x1f6ff}, {0x1f900, 0x1f9ff}, {0x20000, 0x3fffd},
};

static bool
in_ranges(const Range *r, size_t n, uint32_t cp)
{
    for (size_t i = 0; i < n && cp >= r[i].from; i++)
        if (cp <= r[i].to)
            return true;
    return false;
}

size_t
term_first_columns(Str text, size_t *ret_len)
{
    const unsigned char *p = (const unsigned char *)text.p;
    size_t len = p[0] < 0x80 ? 1 : p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : p[0] >= 0xc0 ? 2 : 1;
    *ret_len = 1;
    if (len == 1 || len > text.n || str_utf8_invalid_at((Str){text.p, len}) != len)
        return 1;
    *ret_len = len;
    uint32_t cp = p[0] & (0xffu >> (len + 1));
    for (size_t i = 1; i < len; i++)
        cp = cp << 6 | (p[i] & 0x3fu);
    if (in_ranges(zero, COUNT(zero), cp))
        return 0;
    return in_ranges(wide, COUNT(wide), cp) ? 2 : 1;
}

size_t
term_columns(Str text)
{
    size_t columns = 0, len;
    for (size_t i = 0; i < text.n; i += len)
        columns += term_first_columns(str_slice(text, i, text.n), &len);
    return columns;
}

void
term_wrap(Buf *out, const char *text, size_t at, size_t indent, size_t width)
{
    Str lines = str_of(text);
    for (bool first_line = true; lines.p; first_line = false) {
        Str line = str_cut(&lines, '\n');
        if (!first_line) {
            buf_addc(out, '\n');
            if (line.n)
                buf_addn(out, ' ', indent);
            at = indent;
        }
        for (bool first_word = true; line.p && line.n; first_word = false) {
            Str word = str_cut(&line, ' ');
            size_t columns = term_columns(word);
            if (!first_word && at + 1 + columns > width) {
                buf_addc(out, '\n');
                buf_addn(out, ' ', indent);
                at = indent;
            } else if (!first_word) {
                buf_addc(out, ' ');
                at++;
            }
            buf_add(out, word);
            at += columns;
        }
    }
}

/* Columns without what sets colours. */
static size_t
seen_columns(Str text)
{
    size_t columns = 0;
    while (text.n) {
        const char *escape = memchr(text.p, '\033', text.n);
        size_t n = escape ? (size_t)(escape - text.p) : text.n;
        columns += term_columns(str_slice(text, 0, n));
        while (n < text.n && text.p[n] != 'm')
            n++;
        text = str_slice(text, n < text.n ? n + 1 : n, text.n);
    }
    return columns;
}

static void
break_line(Buf *out, Str line, size_t width)
{
    size_t indent = 0, at = 0;
    while (indent < line.n && line.p[indent] == ' ')
        indent++;
    bool is_code = indent < line.n && line.p[indent] == '|';
    if (is_code || seen_columns(line) <= width) {
        buf_add(out, line);
        return;
    }
    for (size_t i = 0, next; i < line.n; i = next) {
        size_t word = i;
        while (word < line.n && line.p[word] == ' ')
            word++;
        for (next = word; next < line.n && line.p[next] != ' ';)
            next++;
        size_t columns = seen_columns(str_slice(line, word, next));
        if (i && at + (word - i) + columns > width) {
            buf_addc(out, '\n');
            buf_addn(out, ' ', indent + 2);
            at = indent + 2;
        } else {
            buf_addn(out, ' ', word - i);
            at += word - i;
        }
        buf_add(out, str_slice(line, word, next));
        at += columns;
    }
}

void
term_break(Buf *out, const Term *term, Str text)
{
    enum { MADE_FOR = 80 };
    if (!term->is_tty || term->width <= 0 || term->width >= MADE_FOR) {
        buf_add(out, text);
        return;
    }
    for (Str rest = text; rest.p;) {
        break_line(out, str_cut(&rest, '\n'), (size_t)term->width);
        if (rest.p)
            buf_addc(out, '\n');
    }
}
