/* Internal to cli/: a command that changes something. */
#pragma once

#include "cli/cli_int.h"
#include "diff/diff.h"
#include "report/failure.h"
#include "report/progress.h"
#include "report/runlog.h"
#include "report/story.h"

/* The events of a command on standard error; hints in them have the options of the call. */
Progress *cli_progress(CmdCall *call, const Config *config);

typedef struct CliRun {
    CmdCall *call;
    const Config *config;
    const History *history; /* whose SQL the run's page shows; set by commands that have one */
    const Diff *changed;    /* what it did to the schema, for the same; or NULL */
    const char *id;
    RunLog *log; /* made on disk with the first event that matters */
    Progress *progress;
    RunSink sink; /* of both */
} CliRun;

CliRun cli_run_open(CmdCall *call, const Config *config);

/* err: why it failed, or NULL. The log stays as it is. */
void cli_run_close(CliRun *r, const Err *err);

/* The answer of a run that is over, or of one that was only planned ("--dry-run", "--plan"). */
typedef struct CliEnd {
    CliAnswer out; /* to be written: JSON always, text where nothing failed */
    bool is_plan;
    const char *dir, *shown; /* folder of the log, and as people see it; or NULL */
} CliEnd;

/* What a run's folder tells. errors: ERR_IO, it has no events.jsonl */
MUST_CHECK bool cli_run_story(Arena *a, const char *dir, Story *ret, Err *err);

/* Write a page about the run in this folder into the file. no_diff: why `changed` is NULL, for people.
 * errors: ERR_IO */
MUST_CHECK bool cli_run_page(const CliRun *r, const char *dir, const char *path,
                             const char *no_diff, Err *err);

/* Close it. err: why it failed, or NULL */
CliEnd cli_run_end(CliRun *r, const Err *err);
/* Print what was written, and the error where it is no JSON; returns the exit status. */
int cli_run_answer(CliRun *r, CliEnd *end, const Err *err);

/* Bring the database up to date, as the call's options say. config: stricter afterwards, where the database is
 * another environment's, too. errors: those of flow_deploy, ready to be shown */
MUST_CHECK bool cli_deploy(const CliRun *run, Config *config, DeployResult *ret, Err *err);

/* What there is to say of one that failed. false: nothing beside the error */
bool cli_deploy_failure(const CliRun *run, const DeployResult *r, const Err *err, Failure *ret);
/* Say it on standard error; returns the exit status. */
int cli_deploy_failed(const CliRun *run, const DeployResult *r, const Err *err);
