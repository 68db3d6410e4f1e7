/* Internal to cli/: a migration in the making. */
#pragma once

#include "cli/cli.h"
#include "flow/create.h"

typedef struct Creation {
    CmdCall *call;
    CreateInput in;
    VEC(const char *) renames;
    CatRefs dropped;
    CreateResult result;
} Creation;

/* What the command line says of it. */
void creating_begin(Creation *c, CmdCall *call, const Config *config);

/* Make it, in memory, asking what looks renamed and, where there is something to write, for its name.
 * errors: those of flow_create and cli_ask */
MUST_CHECK bool creating_make(Creation *c, Err *err);
/* errors: ERR_NAME, nobody can be asked */
MUST_CHECK bool creating_ask_name(Creation *c, Err *err);
