/* The steps of a release. */
#include "report/workflow.h"

#include "base/clock.h"

void
report_workflow_heading(Buf *out, const Term *t, const WorkflowReport *r, WorkflowStep step)
{
    int number = 0, all = 0;
    for (int i = 0; i < WORKFLOW_STEP_COUNT; i++) {
        bool counts = r->parts[i].outcome != WORKFLOW_OFF;
        all += counts;
        number += counts && i <= (int)step;
    }
    const WorkflowPart *part = &r->parts[step];
    buf_addz(out, step ? "\n" : "");
    term_add(out, t, TERM_BOLD, str_fmt(out->arena, "%d/%d %s", number, all, part->name));
    if (part->reason)
        term_add(out, t, TERM_DIM, str_fmt(out->arena, " (left out: %s)", part->reason));
    buf_addc(out, '\n');
}

/* "Not run: generate, verify." when there are such steps. */
static void
add_names(Buf *out, const WorkflowReport *r, WorkflowOutcome outcome, const char *title)
{
    bool any = false;
    for (int i = 0; i < WORKFLOW_STEP_COUNT; i++) {
        if (r->parts[i].outcome != outcome)
            continue;
        buf_fmt(out, "%s%s", any ? ", " : title, r->parts[i].name);
        any = true;
    }
    if (any)
        buf_addz(out, ".\n");
}

void
report_workflow_text(Buf *out, const Term *t, const WorkflowReport *r)
{
    buf_addc(out, '\n');
    if (!r->failed) {
        term_add(out, t, TERM_GREEN, term_mark(t, TERM_MARK_OK));
        buf_addz(out, r->is_dry ? " All steps would run; nothing was changed.\n"
                                : " All steps are done.\n");
        add_names(out, r, WORKFLOW_SKIPPED, "Left out: ");
        return;
    }
    term_add(out, t, TERM_RED, term_mark(t, TERM_MARK_FAIL));
    buf_fmt(out, " Stopped at %s (exit status %d).\n", r->failed->name, r->failed->status);
    add_names(out, r, WORKFLOW_DONE, r->is_dry ? "Looked at, nothing was changed: " : "Done: ");
    add_names(out, r, WORKFLOW_SKIPPED, "Left out: ");
    add_names(out, r, WORKFLOW_NOT_RUN, "Not run: ");
    buf_addz(out,
             "To go on: correct what it said, then the same command again. What is done is not "
             "done twice.\n");
}

void
report_workflow_json(JsonWriter *w, const WorkflowReport *r)
{
    static const char *const outcomes[] = {
        [WORKFLOW_NOT_RUN] = "not-run",
        [WORKFLOW_SKIPPED] = "skipped",
        [WORKFLOW_DONE] = "done",
        [WORKFLOW_FAILED] = "failed",
    };
    jw_object(w, NULL);
    jw_strz(w, "command", "workflow");
    jw_bool(w, "ok", r->failed == NULL);
    jw_bool(w, "dryRun", r->is_dry);
    jw_int(w, "exitStatus", r->exit_status);
    jw_array(w, "steps");
    for (int i = 0; i < WORKFLOW_STEP_COUNT; i++) {
        const WorkflowPart *p = &r->parts[i];
        if (p->outcome == WORKFLOW_OFF)
            continue;
        bool ran = p->outcome == WORKFLOW_DONE || p->outcome == WORKFLOW_FAILED;
        jw_object(w, NULL);
        jw_strz(w, "name", p->name);
        jw_strz(w, "outcome", outcomes[p->outcome]);
        jw_strz(w, "reason", p->reason);
        if (ran)
            jw_int(w, "exitStatus", p->status);
        else
            jw_null(w, "exitStatus");
        jw_int(w, "ms", p->ms);
        if (ran && str_trim(p->json).n)
            jw_raw(w, "result", p->json);
        else
            jw_null(w, "result");
        jw_end(w);
    }
    jw_end(w);
    jw_end(w);
}
