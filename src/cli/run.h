/* Internal to cli/: a command that changes something. */
#pragma once

#include "cli/cli_int.h"
#include "report/progress.h"
#include "report/runlog.h"

typedef struct CliRun {
    CmdCall *call;
    const char *id;
    RunLog *log; /* made on disk with the first event that matters */
    Progress *progress;
    RunSink sink; /* of both */
} CliRun;

CliRun cli_run_open(CmdCall *call, const Config *config);

/* err: why it failed, or NULL. The log stays as it is. */
void cli_run_close(CliRun *r, const Err *err);
