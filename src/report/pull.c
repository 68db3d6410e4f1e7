/* What a pull found and changed. */
#include "report/migrations.h"
#include "report/text_diff.h"

static const char *
shown(const PullResult *r, size_t file)
{
    return r->pull.files[file].path;
}

void
report_pull_schema(Buf *out, const PullResult *r)
{
    for (size_t i = 0; i < r->pull.nfiles; i++) {
        if (r->pull.nfiles > 1)
            buf_fmt(out, "%s// %s\n", i ? "\n" : "",
                    str_printable(out->arena, str_of(shown(r, i)), false));
        buf_add(out, r->pull.files[i].text);
    }
}

void
report_pull_difference(Buf *out, const Term *t, const PullResult *r)
{
    for (size_t i = 0; i < r->pull.nfiles; i++)
        text_diff(out, t, shown(r, i), r->before[i].text, r->pull.files[i].text);
}

static const char *
count(Arena *a, size_t n, const char *one)
{
    return str_fmt(a, "%zu %s%s", n, one, n == 1 ? "" : "s");
}

/* In Prisma's words, so that what looks for them finds them. */
void
report_pull_warnings(Buf *out, const Term *t, const PullResult *r)
{
    if (!r->pull.warnings.n)
        return;
    term_add(out, t, TERM_YELLOW, "*** WARNING ***");
    buf_addz(out, "\n");
    vec_each (const PullWarning, w, &r->pull.warnings) {
        buf_fmt(out, "\n%s\n", pull_warning_sentence(w->kind));
        vec_each (const char *, item, &w->items) {
            buf_addz(out, "  - ");
            term_text(out, t, TERM_PLAIN, str_of(*item));
            buf_addc(out, '\n');
        }
    }
}

void
report_pull_text(Buf *out, const Term *t, const PullResult *r, bool written)
{
    Arena *a = out->arena;
    const char *what = count(a, r->pull.models, "model");
    if (r->pull.enums)
        what = str_fmt(a, "%s and %s", what, count(a, r->pull.enums, "enum"));
    term_add(out, t, TERM_GREEN, term_mark(t, TERM_MARK_OK));
    if (!r->changed)
        buf_fmt(out, " The schema already says what is in the database: %s", what);
    else
        buf_fmt(out, written ? " Introspected %s and wrote them into " : " Introspected %s for ",
                what);
    if (r->changed)
        term_text(out, t, TERM_PLAIN, str_of(r->schema_path));
    buf_addc(out, '\n');
    if (written)
        buf_addz(out, "Run prisma generate to generate Prisma Client.\n");
}

void
report_pull_json(JsonWriter *w, const PullResult *r, bool written, bool with_text)
{
    jw_object(w, NULL);
    jw_strz(w, "command", "pull");
    jw_bool(w, "ok", true);
    report_target_json(w, &r->target);
    jw_strz(w, "schemaPath", r->schema_path);
    jw_bool(w, "changed", r->changed > 0);
    jw_bool(w, "written", written);
    jw_int(w, "models", (int64_t)r->pull.models);
    jw_int(w, "enums", (int64_t)r->pull.enums);
    jw_int(w, "views", (int64_t)r->pull.views);
    jw_array(w, "files");
    for (size_t i = 0; i < r->pull.nfiles; i++) {
        jw_object(w, NULL);
        jw_strz(w, "path", shown(r, i));
        jw_bool(w, "changed", !str_eq(r->before[i].text, r->pull.files[i].text));
        if (with_text)
            jw_str(w, "text", r->pull.files[i].text);
        else
            jw_null(w, "text");
        jw_end(w);
    }
    jw_end(w);
    jw_array(w, "warnings");
    vec_each (const PullWarning, x, &r->pull.warnings) {
        jw_object(w, NULL);
        jw_strz(w, "id", pull_warning_name(x->kind));
        jw_strz(w, "message", pull_warning_sentence(x->kind));
        jw_array(w, "items");
        vec_each (const char *, item, &x->items)
            jw_strz(w, NULL, *item);
        jw_end(w);
        jw_end(w);
    }
    jw_end(w);
    jw_end(w);
}
