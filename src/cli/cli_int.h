/* Shared by the files of this room only. */
#pragma once

#include "cli/cli.h"
#include "flow/flow.h"

/* cli_fail with the command's usage line (may be NULL) behind it. */
int cli_fail_usage(const CmdCall *call, const Err *err, const char *usage, bool json);

/* The exit status of an error: 1 for Prisma's spellings, and with --exit-code. */
int cli_status(const CmdCall *call, const Err *err);
/* On standard error, unless --quiet. */
void cli_tell_finding(const CmdCall *call, const Finding *f);
/* Of a command that is done: 0, or that of ERR_FINDING where one of these is an error. */
int cli_findings_status(const CmdCall *call, const FindingList *list);

/* config_find_twin for the configuration of this call. */
bool cli_find_twin(const CmdCall *call, const Config *config, ConfigTwin *ret);

/* `text` with the options that say where to work (-C, --env, --config, --schema, --migrations, --url)
 * put behind each command of ours in it that takes them, and in Prisma's spelling where this call is:
 * what is pasted must not lead to another database. In `a`. */
Str cli_again(Arena *a, const CmdCall *call, Str text);

/* The same in the fixes of findings of a JSON text. */
Str cli_again_json(Arena *a, const CmdCall *call, Str text);

/* Say it on standard error where two sources name different databases: for commands that only look;
 * those that change one are refused (flow_target). */
void cli_note_target(const CmdCall *call, const Config *c);

/* What flows need to know of the call: configuration, tick, consent. */
FlowInput cli_flow_input(const CmdCall *call, const Config *config);

/* Whether somebody sits there who can be asked. */
bool cli_can_ask(const CmdCall *call);

/* Write a question and wait for a line; signals (os_signals_catch) end the wait at once.
 * errors: ERR_INTERRUPTED; ERR_CONFIRM at the end of the input. */
MUST_CHECK bool cli_ask(const CmdCall *call, const char *question, Str *ret, Err *err);

/* Ask for the name of the database that is about to be changed: `question`, a line that ends with it.
 * errors: ERR_CONFIRM when it is another text, those of cli_ask */
MUST_CHECK bool cli_ask_name(const CmdCall *call, const char *question, const char *database,
                             Err *err);

/* Ask a question of yes or no on the terminal; --yes is yes. `what` is said where nobody can be
 * asked: ERR_CONFIRM, with the command line `again` as hint. */
MUST_CHECK bool cli_confirm(const CmdCall *call, const char *question, const char *what,
                            const char *again, Err *err);

/* Overwrite what may be secret in a URL that stands in argv: user and password, and everything
 * behind '?'. Text that is no URL is overwritten as a whole. */
void cli_mask(char *text);

/* "\"text\"" for messages: without passwords, control characters visible, long text cut. */
const char *cli_quotable(Arena *a, Str text);

/* Check value->text against its option's type and fill value->number; ERR_USAGE. */
MUST_CHECK bool cli_check_value(Arena *a, OptValue *value, Err *err);

/* Search for the nearest spelling of a word: begin, try each candidate, look at .best (NULL = none
 * is near). A candidate that begins with the word counts as near. */
typedef struct CliNearest {
    Str word;
    const char *best;
    size_t distance;
} CliNearest;

CliNearest cli_nearest_begin(Str word);
void cli_nearest_try(CliNearest *near, const char *candidate);

/* The folders of migrations, as people see them, with commas. cmd_check.c */
const char *cli_shown_folders(Arena *a, const Config *c);
