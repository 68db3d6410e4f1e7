/* What validate, format and schema have in common: which schema, and what is wrong in it. */
#pragma once

#include "base/finding.h"
#include "cli/cli.h"

/* Begin the list of what is found in a schema, as the project's settings judge it. A configuration
 * that cannot be read judges nothing where --schema says all that is needed, which is noted. */
void schema_input_findings(CmdCall *call, FindingList *ret);

/* The schema that the call means: --schema as it was typed, else what the configuration finds,
 * relative to the current folder when it lies below it.
 * errors: ERR_CONFIG when there is none, and those of config_load. */
MUST_CHECK bool schema_input_path(CmdCall *call, const char **ret, Err *err);

/* Print a list as text on `stream` (call->out or call->err); it is sorted first. */
void schema_input_print(const CmdCall *call, FILE *stream, FindingList *diags);

/* Findings beyond this number are counted but not kept. */
enum { SCHEMA_INPUT_MAX_DIAGS = 2000 };
