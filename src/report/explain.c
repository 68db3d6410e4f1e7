#include "report/explain.h"

enum { WIDTH = 80, INDENT = 2, NAME_COLUMNS = 28 };

static bool
is_meant(const char *word, const char *name)
{
    return !word || (*name && str_ieq(str_of(word), str_of(name)));
}

ExplainedVec
explain_find(Arena *a, const char *word)
{
    ExplainedVec list = {0};
    for (int code = ERR_NONE + 1; code < ERR_COUNT; code++) {
        const ErrInfo *info = err_info((ErrCode)code);
        if (is_meant(word, info->name) || is_meant(word, info->prisma))
            *vec_add(a, &list) = (Explained){.error = info};
    }
    for (int id = 0; id < FINDING_COUNT; id++) {
        const FindingInfo *info = finding_info((FindingId)id);
        if (is_meant(word, info->name))
            *vec_add(a, &list) = (Explained){.finding = info};
    }
    return list;
}

static void
add_paragraph(Buf *out, const Term *t, const char *text)
{
    buf_addn(out, ' ', INDENT);
    term_wrap(out, text, INDENT, INDENT, t->width ? (size_t)t->width : WIDTH);
    buf_addc(out, '\n');
}

static void
add_head(Buf *out, const Term *t, const char *name, const char *prisma, const char *meaning)
{
    term_add(out, t, TERM_BOLD, name);
    if (*prisma)
        buf_fmt(out, " (%s)", prisma);
    buf_addz(out, ": ");
    size_t at = strlen(name) + 2 + (*prisma ? strlen(prisma) + 3 : 0);
    term_wrap(out, meaning, at, INDENT, t->width ? (size_t)t->width : WIDTH);
    buf_addz(out, "\n\n");
}

static void
add_error(Buf *out, const Term *t, const ErrInfo *e)
{
    add_head(out, t, e->name, e->prisma, e->meaning);
    add_paragraph(out, t, e->help);
    buf_addc(out, '\n');
    add_paragraph(
        out, t,
        str_fmt(out->arena, "An error: the command ends with exit status %d.", e->exit_status));
}

static void
add_finding(Buf *out, const Term *t, const FindingInfo *f)
{
    static const char *const may[] = {
        [FINDING_RULE_FREE] = "aramid.yaml may silence it or change its severity:",
        [FINDING_RULE_KEEPS_ERRORS] = "aramid.yaml may change it where it is no error:",
        [FINDING_RULE_NO_ERROR] =
            "aramid.yaml may silence or lower it; it comes too late to stop a run:",
        [FINDING_RULE_FIXED] = "Settings change nothing about it.",
    };
    Arena *a = out->arena;
    add_head(out, t, f->name, "", f->meaning);
    add_paragraph(out, t, f->help);
    buf_addc(out, '\n');
    const char *usual = f->severity == SEV_OK
                            ? "told also where all is well"
                            : str_fmt(a, "mostly of severity %s", severity_name(f->severity));
    add_paragraph(out, t,
                  str_fmt(a, "A finding of the area %s, %s. %s", finding_area_name(f->area), usual,
                          may[f->rule]));
    if (f->rule != FINDING_RULE_FIXED)
        buf_fmt(out, "\n    findings:\n      %s: off   # or notice, warning%s\n", f->name,
                f->rule == FINDING_RULE_NO_ERROR ? "" : ", error");
}

static void
add_row(Buf *out, const Term *t, const char *name, const char *meaning)
{
    buf_addn(out, ' ', INDENT);
    term_add(out, t, TERM_BOLD, name);
    size_t n = strlen(name);
    buf_addn(out, ' ', n < NAME_COLUMNS ? NAME_COLUMNS - n : 1);
    size_t at = INDENT + (n < NAME_COLUMNS ? NAME_COLUMNS : n + 1);
    term_wrap(out, meaning, at, INDENT + NAME_COLUMNS, t->width ? (size_t)t->width : WIDTH);
    buf_addc(out, '\n');
}

static void
add_list(Buf *out, const Term *t, const ExplainedVec *list)
{
    FindingArea area = AREA_COUNT;
    bool in_errors = false;
    vec_each (const Explained, e, list) {
        if (e->error && !in_errors)
            term_add(out, t, TERM_BOLD, "Errors\n");
        else if (e->finding && e->finding->area != area)
            term_add(out, t, TERM_BOLD,
                     str_fmt(out->arena, "\nFindings: %s\n", finding_area_name(e->finding->area)));
        in_errors = e->error != NULL;
        area = e->finding ? e->finding->area : AREA_COUNT;
        if (e->error)
            add_row(out, t, e->error->name,
                    *e->error->prisma
                        ? str_fmt(out->arena, "%s (%s)", e->error->meaning, e->error->prisma)
                        : e->error->meaning);
        else
            add_row(out, t, e->finding->name, e->finding->meaning);
    }
}

void
explain_text(Buf *out, const Term *term, const ExplainedVec *list)
{
    enum { WHOLE = 4 };
    if (list->n > WHOLE) {
        add_list(out, term, list);
        return;
    }
    vec_each (const Explained, e, list) {
        if (e != list->v)
            buf_addc(out, '\n');
        if (e->error)
            add_error(out, term, e->error);
        else
            add_finding(out, term, e->finding);
    }
}

void
explain_json(JsonWriter *w, const ExplainedVec *list)
{
    static const char *const rules[] = {"free", "keeps errors", "no error", "fixed"};
    jw_object(w, NULL);
    jw_strz(w, "command", "explain");
    jw_bool(w, "ok", true);
    jw_array(w, "explained");
    vec_each (const Explained, e, list) {
        const FindingInfo *f = e->finding;
        jw_object(w, NULL);
        jw_strz(w, "kind", f ? "finding" : "error");
        jw_strz(w, "id", f ? f->name : e->error->name);
        jw_strz(w, "meaning", f ? f->meaning : e->error->meaning);
        jw_strz(w, "help", f ? f->help : e->error->help);
        if (f)
            jw_null(w, "exitStatus");
        else
            jw_int(w, "exitStatus", e->error->exit_status);
        jw_strz(w, "prisma", !f && *e->error->prisma ? e->error->prisma : NULL);
        jw_strz(w, "area", f ? finding_area_name(f->area) : NULL);
        jw_strz(w, "severity", f ? severity_name(f->severity) : NULL);
        jw_strz(w, "settings", f ? rules[f->rule] : NULL);
        jw_end(w);
    }
    jw_end(w);
    jw_end(w);
}
