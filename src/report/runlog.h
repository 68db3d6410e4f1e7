/* What a run leaves behind: .aramid/runs/<id>/ with events.jsonl, log.txt, plan.json and
 * rollback.sql, redacted.
 * Where the folder cannot be written, a temporary one of this user's own; never a failure of the
 * run. */
#pragma once

#include "run/run.h"

typedef struct RunLog RunLog;

/* A run's id: time stamp and random letters, sorts by time. */
char *runlog_id(Arena *a);

/* Nothing is made on disk before the first event that matters, so that a deploy with nothing to do
 * leaves nothing. `secrets` (may be NULL) are hidden in every line. */
RunLog *runlog_open(Arena *a, const char *project_dir, const char *run_id,
                    const SecretVec *secrets);
void runlog_close(RunLog *l);

RunSink runlog_sink(RunLog *l);

/* Write plan.json. */
void runlog_plan(RunLog *l, Str json);

/* Write rollback.sql: the way back of what is about to be done, or of what is undone. */
void runlog_script(RunLog *l, Str sql);

/* Write an error at the end of the log. */
void runlog_error(RunLog *l, const Err *err);

/* Write that the run came to its end. */
void runlog_done(RunLog *l);

/* The folder, or NULL when nothing was written. */
const char *runlog_dir(const RunLog *l);
