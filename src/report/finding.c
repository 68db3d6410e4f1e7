/* Findings, with the line they are about. */
#include "report/finding.h"

#include "base/fs.h"
#include "config/config.h"

static const struct {
    TermStyle style, excerpt;
    TermMark mark;
    const char *command; /* of GitHub's workflows */
} looks[SEV_COUNT] = {
    [SEV_OK] = {TERM_GREEN, TERM_GREEN, TERM_MARK_OK, "notice"},
    [SEV_NOTICE] = {TERM_CYAN, TERM_CYAN, TERM_MARK_ARROW, "notice"},
    [SEV_WARNING] = {TERM_YELLOW, TERM_BOLD_YELLOW, TERM_MARK_WARN, "warning"},
    [SEV_ERROR] = {TERM_RED, TERM_BOLD_RED, TERM_MARK_FAIL, "error"},
};

/* The part of the source line around [off, off + len) that fits into `room` columns. */
typedef struct Excerpt {
    size_t from, to; /* bytes of the text */
    size_t mark_from, mark_to;
    bool cut_left, cut_right;
} Excerpt;

static bool
is_line_end(char c)
{
    return c == '\n' || c == '\r';
}

/* Of a longer line only what is around the place is looked at. */
enum { LINE_MAX_BYTES = 1024 };

static Excerpt
excerpt(Str text, size_t off, size_t len, size_t room)
{
    size_t limit = room * 4, left = off, right = off;
    while (left > 0 && off - left < limit && !is_line_end(text.p[left - 1]))
        left--;
    while (right < text.n && right - off < limit && !is_line_end(text.p[right]))
        right++;
    while (left < off && ((unsigned char)text.p[left] & 0xc0) == 0x80)
        left++;
    Excerpt e = {.from = left, .to = right};
    e.cut_left = left > 0 && !is_line_end(text.p[left - 1]);
    size_t n, before = term_columns(str_slice(text, left, off));
    /* Keep two thirds of the room for what stands before the place. */
    while (before > room * 2 / 3 && e.from < off) {
        before -= term_first_columns(str_slice(text, e.from, off), &n);
        e.from += n;
        e.cut_left = true;
    }
    size_t used = before, end = off;
    while (end < right) {
        size_t columns = term_first_columns(str_slice(text, end, right), &n);
        if (used + columns > room)
            break;
        used += columns;
        end += n;
    }
    e.cut_right = end < text.n && !is_line_end(text.p[end]);
    e.to = end;
    e.mark_from = off;
    e.mark_to = len > e.to - off ? e.to : off + len;
    return e;
}

/* Write a piece of source text; tabs become four spaces. Returns the columns written. */
static size_t
add_source(Buf *out, Str text)
{
    ARENA_LOCAL(scratch);
    size_t columns = 0;
    for (Str rest = text; rest.p;) {
        Str part = str_cut(&rest, '\t');
        Str shown = str_of(str_printable(scratch, part, false));
        buf_add(out, shown);
        columns += term_columns(shown);
        if (rest.p) {
            buf_addz(out, "    ");
            columns += 4;
        }
    }
    return columns;
}

static void
gutter(Buf *out, const Term *term, const char *number)
{
    term_begin(out, term, TERM_BLUE);
    buf_fmt(out, "%5s |", number);
    term_end(out, term, TERM_BLUE);
}

static void
add_excerpt(Buf *out, const Term *term, const Finding *d, const StrCursor *at)
{
    ARENA_LOCAL(scratch);
    int width = term->width > 40 ? term->width : 80;
    /* The line may hold the URL of a datasource. */
    size_t first = at->off > LINE_MAX_BYTES ? at->off - LINE_MAX_BYTES : 0;
    size_t last =
        d->source->text.n - at->off > LINE_MAX_BYTES ? at->off + LINE_MAX_BYTES : d->source->text.n;
    Str near = str_slice(d->source->text, first, last);
    Str line = str_line_at(near, at->off - first);
    Str text = str_of(url_mask(scratch, line));
    size_t off = at->off - first - (size_t)(line.p - near.p);
    size_t len = d->len < text.n - off ? d->len : text.n - off;
    Excerpt e = excerpt(text, off, len, (size_t)width - 16);
    const char *dots = term_mark(term, TERM_MARK_ELLIPSIS);
    size_t dots_columns = term_columns(str_of(dots));

    gutter(out, term, str_fmt(scratch, "%d", at->line));
    buf_addc(out, ' ');
    if (e.cut_left)
        buf_addz(out, dots);
    size_t before = add_source(out, str_slice(text, e.from, e.mark_from));
    term_begin(out, term, looks[d->severity].excerpt);
    size_t marked = add_source(out, str_slice(text, e.mark_from, e.mark_to));
    term_end(out, term, looks[d->severity].excerpt);
    add_source(out, str_slice(text, e.mark_to, e.to));
    if (e.cut_right)
        buf_addz(out, dots);
    buf_addc(out, '\n');

    gutter(out, term, "");
    buf_addn(out, ' ', 1 + (e.cut_left ? dots_columns : 0) + before);
    term_begin(out, term, looks[d->severity].excerpt);
    buf_addn(out, '^', marked ? marked : 1);
    term_end(out, term, looks[d->severity].excerpt);
    buf_addc(out, '\n');
}

/* "      = hint: first line", further lines below the first. */
static void
add_remark(Buf *out, const Term *term, const char *label, const char *text)
{
    if (!text || !*text)
        return;
    ARENA_LOCAL(scratch);
    for (Str rest = str_of(str_printable(scratch, str_of(text), true)); rest.p; label = NULL) {
        Str line = str_cut(&rest, '\n');
        if (label) {
            buf_addz(out, "      = ");
            term_begin(out, term, TERM_BOLD);
            buf_fmt(out, "%s:", label);
            term_end(out, term, TERM_BOLD);
            buf_addc(out, ' ');
        } else {
            buf_addn(out, ' ', 14);
        }
        buf_add(out, line);
        buf_addc(out, '\n');
    }
}

/* As a compiler tells it, with the line of the source. */
static void
add_with_source(Buf *out, const Term *term, const Finding *d, StrCursor *at)
{
    str_cursor_to(at, d->source->text, d->off);
    term_text(out, term, TERM_BOLD, str_of(d->source->path));
    buf_fmt(out, ":%d:%d: ", at->line, at->column);
    term_begin(out, term, looks[d->severity].excerpt);
    buf_fmt(out, "%s:", severity_name(d->severity));
    term_end(out, term, looks[d->severity].excerpt);
    buf_addc(out, ' ');
    term_text(out, term, TERM_PLAIN, str_of(d->text));
    buf_addc(out, ' ');
    term_begin(out, term, TERM_DIM);
    buf_fmt(out, "[%s]", finding_info(d->id)->name);
    term_end(out, term, TERM_DIM);
    buf_addc(out, '\n');
    add_excerpt(out, term, d, at);
    add_remark(out, term, "note", d->note);
    add_remark(out, term, "hint", d->fix);
}

/* Broken where a terminal ends; whole for files and pipes. */
static void
add_words(Buf *out, const Term *t, const char *text, size_t at, size_t indent)
{
    const char *shown = str_printable(out->arena, str_of(text), false);
    if (t->is_tty)
        term_wrap(out, shown, at, indent, t->width ? (size_t)t->width : 80);
    else
        buf_addz(out, shown);
}

static void
add_below(Buf *out, const Term *t, TermStyle style, const char *text, size_t indent)
{
    for (Str rest = str_of(text); text && rest.p;) {
        Str line = str_cut(&rest, '\n');
        buf_addn(out, ' ', indent);
        term_begin(out, t, style);
        add_words(out, t, str_dup(out->arena, line), indent, indent + 2);
        term_end(out, t, style);
        buf_addc(out, '\n');
    }
}

const char *
finding_place(Arena *a, const Finding *f)
{
    if (!f->path || !f->line)
        return f->path;
    return f->column ? str_fmt(a, "%s:%d:%d", f->path, f->line, f->column)
                     : str_fmt(a, "%s:%d", f->path, f->line);
}

void
finding_text(Buf *out, const Term *t, const Finding *f, size_t indent)
{
    if (f->source) {
        add_with_source(out, t, f, &(StrCursor){0});
        return;
    }
    Arena *a = out->arena;
    const char *place = finding_place(a, f);
    buf_addn(out, ' ', indent);
    term_add(out, t, looks[f->severity].style, term_mark(t, looks[f->severity].mark));
    buf_addc(out, ' ');
    add_words(
        out, t,
        str_fmt(a, "%s%s%s%s%s%s", place ? place : "", place ? ": " : "",
                f->object ? f->object : "", f->object ? ": " : "", f->text,
                f->severity >= SEV_WARNING ? str_fmt(a, " [%s]", finding_info(f->id)->name) : ""),
        indent + 3, indent + 3);
    buf_addc(out, '\n');
    add_below(out, t, TERM_DIM, f->note, indent + 5);
    add_below(out, t, TERM_BOLD, f->fix, indent + 5);
}

void
findings_text(Buf *out, const Term *term, const FindingList *list)
{
    StrCursor at = {0};
    vec_each (const Finding, f, &list->items) {
        if (f->source)
            add_with_source(out, term, f, &at);
        else
            finding_text(out, term, f, 0);
    }
}

char *
findings_counted(Arena *a, const FindingList *list)
{
    size_t e = list->counts[SEV_ERROR], w = list->counts[SEV_WARNING];
    const char *warnings =
        w ? str_fmt(a, "%s%zu warning%s", e ? " and " : "", w, str_plural(w)) : "";
    if (e)
        return str_fmt(a, "%zu error%s%s", e, str_plural(e), warnings);
    return str_dupz(a, w ? warnings : "no errors");
}

/* ---- JSON ------------------------------------------------------------------------------------ */

static void
number(JsonWriter *w, const char *key, int n)
{
    if (n)
        jw_int(w, key, n);
    else
        jw_null(w, key);
}

static void
members(JsonWriter *w, const Finding *f, StrCursor *at)
{
    int line = f->line, column = f->column, end_line = 0, end_column = 0;
    if (f->source) {
        str_cursor_to(at, f->source->text, f->off);
        StrCursor end = *at;
        str_cursor_to(&end, f->source->text, f->off + f->len);
        line = at->line, column = at->column;
        end_line = end.line, end_column = end.column;
    }
    jw_strz(w, "id", finding_info(f->id)->name);
    jw_strz(w, "area", finding_area_name(f->area));
    jw_strz(w, "severity", severity_name(f->severity));
    jw_strz(w, "object", f->object);
    jw_strz(w, "message", f->text);
    jw_strz(w, "note", f->note);
    jw_strz(w, "fix", f->fix);
    jw_strz(w, "path", f->source ? f->source->path : f->path);
    number(w, "line", line);
    number(w, "column", column);
    number(w, "endLine", end_line);
    number(w, "endColumn", end_column);
}

void
finding_json_members(JsonWriter *w, const Finding *f)
{
    members(w, f, &(StrCursor){0});
}

void
findings_json(JsonWriter *w, const char *key, const FindingList *list)
{
    StrCursor at = {0};
    jw_array(w, key);
    for (size_t i = 0; list && i < list->items.n; i++) {
        jw_object(w, NULL);
        members(w, &list->items.v[i], &at);
        jw_end(w);
    }
    jw_end(w);
}

void
findings_json_texts(JsonWriter *w, const char *key, const FindingList *list)
{
    jw_array(w, key);
    vec_each (const Finding, f, &list->items)
        jw_strz(w, NULL, f->object ? str_fmt(w->out.arena, "%s: %s", f->object, f->text) : f->text);
    jw_end(w);
}

void
findings_json_of_schema(JsonWriter *w, const char *key, const FindingList *list)
{
    StrCursor at = {0};
    jw_array(w, key);
    vec_each (const Finding, f, &list->items) {
        jw_object(w, NULL);
        members(w, f, &at);
        jw_strz(w, "hint", f->fix);
        jw_int(w, "offset", (int64_t)f->off);
        jw_int(w, "length", (int64_t)f->len);
        jw_end(w);
    }
    jw_end(w);
}

/* ---- GitHub ---------------------------------------------------------------------------------- */

/* Escape for a workflow command; properties also need ':' and ',' escaped. */
static void
add_escaped(Buf *out, const char *text, bool property)
{
    ARENA_LOCAL(scratch);
    for (const char *p = str_printable(scratch, str_of(text), true); *p; p++) {
        if (*p == '%' || *p == '\r' || *p == '\n' || (property && (*p == ':' || *p == ',')))
            buf_fmt(out, "%%%02X", (unsigned)(unsigned char)*p);
        else
            buf_addc(out, *p);
    }
}

/* GitHub wants paths relative to the checkout, wherever the program was started. */
static const char *
below_root(Arena *a, const char *path, const char *root)
{
    const char *below = root && *root ? fs_below(root, fs_absolute(a, path)) : path;
    return below[0] == '/' ? path : below;
}

void
findings_github(Buf *out, const FindingList *list, const char *root)
{
    ARENA_LOCAL(scratch);
    StrCursor at = {0};
    vec_each (const Finding, d, &list->items) {
        buf_fmt(out, "::%s ", looks[d->severity].command);
        if (d->source) {
            str_cursor_to(&at, d->source->text, d->off);
            buf_addz(out, "file=");
            add_escaped(out, below_root(scratch, d->source->path, root), true);
            buf_fmt(out, ",line=%d,col=%d,", at.line, at.column);
        }
        buf_addz(out, "title=");
        add_escaped(out, finding_info(d->id)->name, true);
        buf_addz(out, "::");
        add_escaped(out, d->text, false);
        const char *more[] = {d->note, d->fix};
        for (size_t i = 0; i < 2; i++) {
            if (more[i]) {
                buf_addz(out, "%0A");
                add_escaped(out, more[i], false);
            }
        }
        buf_addc(out, '\n');
    }
}
