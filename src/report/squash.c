/* What squash made. */
#include "report/squash.h"

static void
add_proof(Buf *out, const SquashResult *r)
{
    buf_fmt(
        out,
        "Proven on a private server: the same schema, the same %lld row%s, the same sequences.\n",
        (long long)r->rows, str_plural(r->rows));
    if (r->data)
        buf_fmt(out, "%zu statement%s about rows stand%s in it, in their order.\n", r->data,
                str_plural((int64_t)r->data), r->data == 1 ? "s" : "");
    if (r->platform)
        buf_fmt(out, "%s on what the platform made %s in it, as %s written.\n",
                str_count(out->arena, (int64_t)r->platform, "statement"),
                r->platform == 1 ? "stands" : "stand", r->platform == 1 ? "it was" : "they were");
    if (r->left_out)
        buf_fmt(out,
                "%zu statement%s left out, as nothing of what %s do%s is left in a new database.\n",
                r->left_out, r->left_out == 1 ? " is" : "s are", r->left_out == 1 ? "it" : "they",
                r->left_out == 1 ? "es" : "");
    vec_each (const char *const, name, &r->varying)
        buf_fmt(out, "%s: as many rows, with values that are others at each run (now(), random).\n",
                str_printable(out->arena, str_of(*name), false));
}

void
report_squash_text(Buf *out, const Term *t, const SquashResult *r, bool done)
{
    Arena *a = out->arena;
    if (!done) {
        buf_add(out, r->text);
        buf_addc(out, '\n');
    }
    term_add(out, t, TERM_GREEN, term_mark(t, TERM_MARK_OK));
    buf_fmt(out, " %zu migrations %s one: %s\n", r->count, done ? "are" : "would be",
            str_printable(a, str_of(r->shown), false));
    add_proof(out, r);
    if (done)
        buf_fmt(
            out,
            "The old ones are in %s, outside of the history; git has them, too.\nCommit the "
            "folder. "
            "Each database that has all of them records the new one by the next aramid deploy, and "
            "runs nothing; one that lacks some is refused: deploy there before this is merged.\n",
            str_printable(a, str_of(r->kept), false));
}

void
report_squash_json(JsonWriter *w, const SquashResult *r, bool done)
{
    jw_object(w, NULL);
    jw_strz(w, "command", "squash");
    jw_bool(w, "ok", true);
    jw_bool(w, "written", done);
    jw_strz(w, "name", r->name);
    jw_strz(w, "file", r->shown);
    jw_strz(w, "kept", r->kept);
    jw_array(w, "replaces");
    for (size_t i = 0; i < r->count; i++)
        jw_strz(w, NULL, r->history.files.v[i].name);
    jw_end(w);
    jw_int(w, "dataStatements", (int64_t)r->data);
    jw_int(w, "platformStatements", (int64_t)r->platform);
    jw_int(w, "leftOut", (int64_t)r->left_out);
    jw_int(w, "rows", r->rows);
    jw_array(w, "varying");
    vec_each (const char *const, name, &r->varying)
        jw_strz(w, NULL, *name);
    jw_end(w);
    jw_str(w, "sql", r->text);
    jw_end(w);
}
