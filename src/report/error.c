/* Errors, as people and machines read them. */
#include "report/error.h"

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
error_text(Buf *out, const Term *term, const Err *err)
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
error_json(JsonWriter *w, const char *key, const Err *err)
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
