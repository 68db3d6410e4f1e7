/* Internal to cli/: words to the team from commands that only look (--notify). */
#pragma once

#include "cli/cli_int.h"
#include "flow/word.h"

/* Begin one about a database that was looked at. server: NULL = not reached */
void cli_word(CmdCall *call, const Config *config, WordKind kind, const DbInfo *server, Word *ret);

/* Tell it; who could not be told is a finding on standard error. */
void cli_word_send(CmdCall *call, const Config *config, const Word *w);
