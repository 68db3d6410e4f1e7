/* Internal to cli/: what commands that run scripts share. `arg` is their CliRun. */
#pragma once

#include "cli/run.h"
#include "flow/scripts.h"

/* ScriptsInput.on_plan: the plan is kept with the log. */
void cli_keep_scripts(void *arg, const ScriptsResult *r);

/* ScriptsInput.ask: the name of the database, and a word for what would be lost. */
bool cli_ask_scripts(void *arg, const ScriptsResult *r, Err *err);

/* SeedInput.on_command and on_output: beside the result where that is JSON. */
void cli_tell_command(void *arg, const char *line);
void cli_pass_output(void *arg, Str line);

/* Run the project's generator, where it has one and --skip-generate was not given. errors: those of flow_generate */
MUST_CHECK bool cli_generate_after(CliRun *run, const Config *config, Err *err);
