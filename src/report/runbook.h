/* The project's own runbook: how a change gets to production, and what to do on a bad day, with the commands and settings
 * that hold here. */
#pragma once

#include "flow/flow.h"

typedef struct RunbookInput {
    const Config *configs; /* of each environment, in their order */
    size_t count;
    const History *history;
    const char *date; /* "2026-12-01" */
} RunbookInput;

/* What every file of ours begins with. */
extern const char report_runbook_mark[];

/* Markdown: from a change of the schema to production. */
void report_runbook_pipeline(Buf *out, const RunbookInput *in);
/* Markdown: deploying, looking, going back, whom to call. */
void report_runbook_guide(Buf *out, const RunbookInput *in);

/* Whether two texts differ in more than the line with date and version. */
bool report_runbook_differs(Str a, Str b);
