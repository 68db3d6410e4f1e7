/* Internal to flow/: moving a project from one tool's history to another's. */
#pragma once

#include "flow/flow.h"

/* Read the folder of `tool` (a layout's name, or the tool's): that of the settings, else one of the
 * usual places; with --migrations only that.
 * errors: ERR_USAGE, ERR_NO_MIGRATIONS, those of history_open */
MUST_CHECK bool flow_adopted(Arena *a, const Config *c, const char *tool, History *ret, Err *err);
