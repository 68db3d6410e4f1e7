/* The events of a run as they happen: on a terminal a line that follows the statement under way,
 * elsewhere plain lines with UTC time stamps. */
#pragma once

#include "report/term.h"
#include "run/run.h"

#include <stdio.h>

typedef struct Progress Progress;

/* out: usually standard error. `quiet` shows warnings and errors only, `verbose` also the server's
 * notices and the steps of one-step migrations. `secrets` (may be NULL) are hidden; findings are judged by `rules` and kept
 * (RunSink.findings). The Progress lives in the arena. */
Progress *progress_open(Arena *a, FILE *out, const Term *term, bool quiet, bool verbose,
                        const SecretVec *secrets, const FindingRules *rules);

/* What is done to each text before it is shown: the commands in it get the options of the call. */
typedef struct ProgressWords {
    const char *(*change)(const void *arg, Arena *a, const char *text);
    const void *arg;
} ProgressWords;

void progress_words(Progress *p, ProgressWords words);

/* A sink for run/; `also` (may be NULL) gets each event too. */
RunSink progress_sink(Progress *p, const RunSink *also);

/* Clear the line of the statement under way. Call before anything else is printed. */
void progress_finish(Progress *p);
