/* Errors and diagnostics, with the line they are about. */
#include "report/diag_text.h"

#include "base/fs.h"
#include "config/config.h"

static const char *
severity_name(Severity s)
{
    static const char *const names[SEV_COUNT] = {"error", "warning", "info"};
    return names[s];
}

static TermStyle
severity_style(Severity s)
{
    static const TermStyle styles[SEV_COUNT] = {TERM_BOLD_RED, TERM_BOLD_YELLOW, TERM_CYAN};
    return styles[s];
}

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
add_excerpt(Buf *out, const Term *term, const Diag *d, const StrCursor *at)
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
    term_begin(out, term, severity_style(d->severity));
    size_t marked = add_source(out, str_slice(text, e.mark_from, e.mark_to));
    term_end(out, term, severity_style(d->severity));
    add_source(out, str_slice(text, e.mark_to, e.to));
    if (e.cut_right)
        buf_addz(out, dots);
    buf_addc(out, '\n');

    gutter(out, term, "");
    buf_addn(out, ' ', 1 + (e.cut_left ? dots_columns : 0) + before);
    term_begin(out, term, severity_style(d->severity));
    buf_addn(out, '^', marked ? marked : 1);
    term_end(out, term, severity_style(d->severity));
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

void
diag_text(Buf *out, const Term *term, const DiagList *list)
{
    StrCursor at = {0};
    vec_each (const Diag, d, &list->items) {
        if (d->source) {
            str_cursor_to(&at, d->source->text, d->off);
            term_text(out, term, TERM_BOLD, str_of(d->source->path));
            buf_fmt(out, ":%d:%d: ", at.line, at.column);
        }
        term_begin(out, term, severity_style(d->severity));
        buf_fmt(out, "%s:", severity_name(d->severity));
        term_end(out, term, severity_style(d->severity));
        buf_addc(out, ' ');
        term_text(out, term, TERM_PLAIN, str_of(d->message));
        buf_addc(out, ' ');
        term_begin(out, term, TERM_DIM);
        buf_fmt(out, "[%s]", d->id);
        term_end(out, term, TERM_DIM);
        buf_addc(out, '\n');
        if (d->source)
            add_excerpt(out, term, d, &at);
        add_remark(out, term, "note", d->note);
        add_remark(out, term, "hint", d->hint);
    }
}

char *
diag_text_count(Arena *a, const DiagList *list)
{
    size_t e = list->errors, w = list->warnings;
    const char *warnings =
        w ? str_fmt(a, "%s%zu warning%s", e ? " and " : "", w, w == 1 ? "" : "s") : "";
    if (e)
        return str_fmt(a, "%zu error%s%s", e, e == 1 ? "" : "s", warnings);
    return str_dupz(a, w ? warnings : "no errors");
}

void
diag_json(JsonWriter *w, const char *key, const DiagList *list)
{
    StrCursor at = {0};
    jw_array(w, key);
    vec_each (const Diag, d, &list->items) {
        jw_object(w, NULL);
        jw_strz(w, "severity", severity_name(d->severity));
        jw_strz(w, "id", d->id);
        jw_strz(w, "message", d->message);
        jw_strz(w, "note", d->note);
        jw_strz(w, "hint", d->hint);
        jw_strz(w, "path", d->source ? d->source->path : NULL);
        if (d->source) {
            str_cursor_to(&at, d->source->text, d->off);
            StrCursor end = at;
            str_cursor_to(&end, d->source->text, d->off + d->len);
            jw_int(w, "line", at.line);
            jw_int(w, "column", at.column);
            jw_int(w, "endLine", end.line);
            jw_int(w, "endColumn", end.column);
        } else {
            jw_null(w, "line");
            jw_null(w, "column");
            jw_null(w, "endLine");
            jw_null(w, "endColumn");
        }
        jw_int(w, "offset", (int64_t)d->off);
        jw_int(w, "length", (int64_t)d->len);
        jw_end(w);
    }
    jw_end(w);
}

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
diag_github(Buf *out, const DiagList *list, const char *root)
{
    static const char *const commands[SEV_COUNT] = {"error", "warning", "notice"};
    ARENA_LOCAL(scratch);
    StrCursor at = {0};
    vec_each (const Diag, d, &list->items) {
        buf_fmt(out, "::%s ", commands[d->severity]);
        if (d->source) {
            str_cursor_to(&at, d->source->text, d->off);
            buf_addz(out, "file=");
            add_escaped(out, below_root(scratch, d->source->path, root), true);
            buf_fmt(out, ",line=%d,col=%d,", at.line, at.column);
        }
        buf_addz(out, "title=");
        add_escaped(out, d->id, true);
        buf_addz(out, "::");
        add_escaped(out, d->message, false);
        const char *more[] = {d->note, d->hint};
        for (size_t i = 0; i < 2; i++) {
            if (more[i]) {
                buf_addz(out, "%0A");
                add_escaped(out, more[i], false);
            }
        }
        buf_addc(out, '\n');
    }
}

static void
add_lines(Buf *out, const Term *term, TermStyle style, const char *label, const char *text)
{
    if (!*text)
        return;
    ARENA_LOCAL(scratch);
    for (Str rest = str_of(str_printable(scratch, str_of(text), true)); rest.p; label = "") {
        Str line = str_cut(&rest, '\n');
        buf_addz(out, "  ");
        term_begin(out, term, style);
        buf_fmt(out, "%-7s", label);
        term_end(out, term, style);
        buf_add(out, line);
        buf_addc(out, '\n');
    }
}

void
diag_text_error(Buf *out, const Term *term, const Err *err)
{
    ARENA_LOCAL(scratch);
    const ErrInfo *info = err_info(err->code);
    term_add(out, term, TERM_BOLD_RED, "error:");
    buf_addc(out, ' ');
    term_text(out, term, TERM_BOLD, str_of(err->primary));
    if (*info->prisma)
        buf_fmt(out, " (%s)", info->prisma);
    buf_addc(out, '\n');
    if (*err->at.path) {
        const char *place = err->at.path;
        if (err->at.line)
            place = str_fmt(scratch, "%s:%d", place, err->at.line);
        if (err->at.line && err->at.column)
            place = str_fmt(scratch, "%s:%d", place, err->at.column);
        if (err->statement)
            place = str_fmt(scratch, "%s (statement %d)", place, err->statement);
        add_lines(out, term, TERM_BLUE, "at:", place);
    }
    if (*err->sqlstate)
        add_lines(out, term, TERM_BLUE, "code:", str_fmt(scratch, "SQLSTATE %s", err->sqlstate));
    add_lines(out, term, TERM_BLUE, "", err->detail);
    add_lines(out, term, TERM_GREEN, "hint:", err->hint);
}

static void
json_text(JsonWriter *w, const char *key, const char *text)
{
    jw_strz(w, key, *text ? text : NULL);
}

static void
json_number(JsonWriter *w, const char *key, int n)
{
    if (n)
        jw_int(w, key, n);
    else
        jw_null(w, key);
}

void
diag_json_error(JsonWriter *w, const char *key, const Err *err)
{
    const ErrInfo *info = err_info(err->code);
    jw_object(w, key);
    jw_strz(w, "code", info->name);
    jw_int(w, "exitStatus", err_exit_status(err));
    json_text(w, "prisma", info->prisma);
    json_text(w, "sqlstate", err->sqlstate);
    jw_strz(w, "message", err->primary);
    json_text(w, "detail", err->detail);
    json_text(w, "hint", err->hint);
    json_text(w, "path", err->at.path);
    json_number(w, "line", err->at.line);
    json_number(w, "column", err->at.column);
    json_number(w, "statement", err->statement);
    jw_end(w);
}
