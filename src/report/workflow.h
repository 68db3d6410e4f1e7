/* The steps of a workflow and what came of each, as text and JSON. */
#pragma once

#include "base/jw.h"
#include "report/term.h"

typedef enum WorkflowStep {
    WORKFLOW_VALIDATE,
    WORKFLOW_CREATE, /* these two only where a migration is named */
    WORKFLOW_SHOW,
    WORKFLOW_STATUS,
    WORKFLOW_DEPLOY, /* with the backup that the policy wants before it */
    WORKFLOW_GENERATE,
    WORKFLOW_VERIFY,
    WORKFLOW_STEP_COUNT
} WorkflowStep;

typedef enum WorkflowOutcome {
    WORKFLOW_OFF, /* no step of this workflow */
    WORKFLOW_NOT_RUN,
    WORKFLOW_SKIPPED,
    WORKFLOW_DONE,
    WORKFLOW_FAILED
} WorkflowOutcome;

typedef struct WorkflowPart {
    const char *name;
    WorkflowOutcome outcome;
    const char *reason; /* WORKFLOW_SKIPPED */
    int status;         /* exit status of the command */
    int64_t ms;
    Str json; /* what it printed with --json */
} WorkflowPart;

typedef struct WorkflowReport {
    WorkflowPart parts[WORKFLOW_STEP_COUNT];
    const WorkflowPart *failed; /* the one that ended it, or NULL */
    int exit_status;
    bool is_dry;
} WorkflowReport;

/* Its number and name; why it is skipped, if it is. */
void report_workflow_heading(Buf *out, const Term *t, const WorkflowReport *r, WorkflowStep step);
/* What was done, what was not, and how to go on. */
void report_workflow_text(Buf *out, const Term *t, const WorkflowReport *r);
void report_workflow_json(JsonWriter *w, const WorkflowReport *r);
