/* Internal to cli/: the sides of a comparison, as --from-... and --to-... name them. */
#pragma once

#include "cli/cli_int.h"
#include "flow/endpoint.h"

/* side: "from" or "to". ENDPOINT_NONE: none is named.
 * errors: those of cli_load_config_of */
MUST_CHECK bool cli_side(CmdCall *call, const char *side, const Config *config, Endpoint *ret,
                         Err *err);

/* The call's --rename, each. */
CatTexts cli_renames(const CmdCall *call);
