/* report.html: what a run did, as one page that needs nothing but a browser. */
#pragma once

#include "config/config.h"
#include "erd/erd.h"
#include "history/history.h"
#include "report/story.h"

#include <stdio.h>

typedef struct RunPage {
    const Story *story;
    const History *history;   /* whose files have the SQL; NULL = it is not shown */
    Erd *erd;                 /* what changed in the schema, laid out; NULL = not known */
    const char *no_erd;       /* why not, or what draws it; or NULL */
    const SecretVec *secrets; /* hidden in all texts; or NULL */
} RunPage;

/* Write the page. A file that is another one than the run had is not shown. false: it could not be written
 * cost: linear; no more than one migration's text is in memory */
bool report_run_page(FILE *out, const RunPage *page);
