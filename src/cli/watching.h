/* dev --watch: the schema's files are watched. */
#pragma once

#include "cli/cli.h"

/* Each time that the schema is written, show what a migration would be (look, with --dry-run and a name), and when a name is
 * typed make it (make, with that name). Both run in a process of their own. Ends with "q", the end of the input or a signal;
 * returns the exit status. */
int watch_schema(CmdCall *call, int (*look)(CmdCall *), int (*make)(CmdCall *));
