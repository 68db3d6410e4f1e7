/* The parts of a check. */
#include "report/check.h"

#include "report/error.h"
#include "report/finding.h"
#include "report/lint.h"

static void
add_indented(Buf *out, const Term *t, Str text)
{
    size_t first = 0; /* the first line's own blanks count: a place below it may be pointed at */
    while (first < text.n && text.p[first] == '\n')
        first++;
    for (Str rest = str_slice(text, first, text.n); rest.n && rest.p;) {
        buf_addz(out, "      ");
        term_text(out, t, TERM_PLAIN, str_cut(&rest, '\n'));
        buf_addc(out, '\n');
    }
}

static void
add_err(Buf *out, const Term *t, const Err *err)
{
    if (err->at.path[0])
        add_indented(out, t,
                     str_of(err->at.line ? str_fmt(out->arena, "%s:%d", err->at.path, err->at.line)
                                         : err->at.path));
    add_indented(out, t, str_of(err->detail));
    add_indented(out, t, str_of(err->hint));
}

/* What to do about a part that failed without an error. */
static void
add_advice(Buf *out, const Term *t, const CheckResult *r, CheckPartId id)
{
    Arena *a = out->arena;
    switch (id) {
    case CHECK_PARITY:
        buf_addz(out, "      What the migrations lack:\n");
        add_indented(out, t, r->parity.summary);
        add_indented(
            out, t,
            str_of(str_fmt(a, "the SQL: aramid diff --from-migrations %s --to-schema %s --script",
                           str_shell(a, r->parity.sides[0].endpoint.path),
                           str_shell(a, r->parity.sides[1].endpoint.path))));
        break;
    case CHECK_HISTORY:
        add_indented(
            out, t,
            r->status.state == STATUS_PENDING
                ? str_of(str_fmt(a, "%d to apply before the code is deployed: aramid deploy",
                                 r->status.history.pending))
                : STR("aramid status tells which, and what to do"));
        break;
    case CHECK_DRIFT:
        buf_addz(out, "      What was done to the database beside the migrations:\n");
        add_indented(out, t, render_summary(a, r->drift.adopt));
        add_indented(out, t, STR("the SQL for either side: aramid drift"));
        break;
    case CHECK_SCHEMA:
    case CHECK_MIGRATIONS:
    case CHECK_LINT:
    case CHECK_OLD_CODE:
    case CHECK_ROLLBACK:
    case CHECK_BRANCHES:
    case CHECK_PART_COUNT:
        break;
    }
}

/* Of another branch and of other code only who asks wants to know. */
static bool
is_asked(const CheckResult *r, CheckPartId id)
{
    return id < CHECK_OLD_CODE || r->parts[id].outcome != CHECK_SKIPPED;
}

void
report_check_text(Buf *out, const Term *t, const CheckResult *r)
{
    for (CheckPartId i = 0; i < CHECK_PART_COUNT; i++) {
        const CheckPart *p = &r->parts[i];
        if (!is_asked(r, i))
            continue;
        bool failed = p->outcome == CHECK_FAILED;
        TermStyle style = failed ? TERM_RED : p->outcome == CHECK_SKIPPED ? TERM_DIM : TERM_GREEN;
        TermMark mark = failed                        ? TERM_MARK_FAIL
                        : p->outcome == CHECK_SKIPPED ? TERM_MARK_ARROW
                                                      : TERM_MARK_OK;
        term_add(out, t, style, term_mark(t, mark));
        buf_fmt(out, " %-11s", check_part_name(i));
        term_text(out, t, TERM_PLAIN,
                  str_of(p->outcome == CHECK_SKIPPED
                             ? str_fmt(out->arena, "not checked: %s", p->text)
                             : p->text));
        buf_addc(out, '\n');
        if (p->err)
            add_err(out, t, p->err);
        else if (failed)
            add_advice(out, t, r, i);
        vec_each (const Finding, f, &p->findings.items)
            finding_text(out, t, f, 6);
    }
}

static void
part_json(JsonWriter *w, CheckPartId id, const CheckPart *p)
{
    static const char *const outcomes[] = {"skipped", "ok", "failed"};
    jw_object(w, NULL);
    jw_strz(w, "part", check_part_name(id));
    jw_strz(w, "outcome", outcomes[p->outcome]);
    jw_int(w, "exitStatus", p->exit_status);
    jw_strz(w, "text", p->text);
    if (p->err)
        error_json(w, "error", p->err);
    else
        jw_null(w, "error");
    findings_json(w, "findings", &p->findings);
    jw_end(w);
}

void
report_check_json(JsonWriter *w, const CheckResult *r)
{
    jw_object(w, NULL);
    jw_strz(w, "command", "check");
    jw_bool(w, "ok", r->exit_status == 0);
    jw_int(w, "exitStatus", r->exit_status);
    jw_strz(w, "environment", r->config->env_name);
    jw_array(w, "parts");
    for (CheckPartId i = 0; i < CHECK_PART_COUNT; i++)
        if (is_asked(r, i))
            part_json(w, i, &r->parts[i]);
    jw_end(w);
    findings_json_of_schema(w, "diagnostics", &r->parity.diags);
    if (r->parity.diff) {
        jw_object(w, "parity");
        report_changes_json(w, "changes", r->parity.diff);
        jw_str(w, "script", r->parity.script);
        jw_end(w);
    } else
        jw_null(w, "parity");
    report_drift_member(w, "drift", &r->drift);
    jw_end(w);
}

void
report_check_markdown(Buf *out, const CheckResult *r)
{
    static const char *const marks[] = {"➖", "✅", "❌"};
    buf_fmt(out, "<!-- aramid ci -->\n## Migrations: %s\n\n| | part | |\n|---|---|---|\n",
            r->exit_status ? "not ready" : "ready");
    for (CheckPartId i = 0; i < CHECK_PART_COUNT; i++) {
        const CheckPart *p = &r->parts[i];
        if (!is_asked(r, i) || p->outcome == CHECK_SKIPPED)
            continue;
        buf_fmt(out, "| %s | %s | ", marks[p->outcome], check_part_name(i));
        report_markdown_text(out, p->text);
        if (p->err && p->err->detail[0] && i != CHECK_LINT && i != CHECK_OLD_CODE) {
            buf_addz(out, "<br>");
            report_markdown_text(out, p->err->detail);
        }
        vec_each (const Finding, f, &p->findings.items) {
            if (i == CHECK_LINT || f->severity <= SEV_NOTICE)
                continue;
            buf_addz(out, "<br>");
            report_markdown_text(out, f->text);
            buf_fmt(out, " `%s`", finding_info(f->id)->name);
        }
        buf_addz(out, " |\n");
    }
    buf_addc(out, '\n');
    if (r->parts[CHECK_LINT].outcome != CHECK_SKIPPED && r->lint.config)
        report_lint_markdown(out, &r->lint);
}
