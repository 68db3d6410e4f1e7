/* dev --watch: the schema's files are watched. */
#pragma once

#include "cli/cli.h"

/* Each time that the schema is written, show what a migration would be, and make and apply it when a name is typed. Ends with
 * "q", the end of the input or a signal; returns the exit status. */
int watch_schema(CmdCall *call);
