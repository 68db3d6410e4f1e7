/* Which project of Supabase an environment is: a line of aramid.yaml. */
#pragma once

#include "flow/flow.h"

typedef struct LinkInput {
    const Config *config; /* of the project; no environment's in particular */
    const char *env;      /* to be linked */
    const char *project_ref;
    const char *pooler; /* host of its pooler; NULL: as Supabase's CLI has kept it, else none */
    const char *password_variable; /* whose value stands in the URL at each run */
    bool replace;                  /* another URL of that environment may go */
} LinkInput;

typedef struct LinkResult {
    const LinkInput *in;
    const char *host, *user;
    ConfigEdit edit;
    bool is_pooler;
} LinkResult;

/* The file with the environment's `direct_url`; nothing is written yet.
 * errors: ERR_USAGE (what is no reference, host or variable), ERR_CONFIG (another URL is there; those of
 * config_edit), ERR_IO */
MUST_CHECK bool flow_link(Arena *a, const LinkInput *in, LinkResult *ret, Err *err);
MUST_CHECK bool flow_link_write(const LinkResult *r, Err *err);

/* Where an environment leads to. */
typedef struct LinkShown {
    const char *env;
    const char *project_ref; /* NULL: no project of Supabase */
    const char *url;         /* without its password; NULL: no database is named */
    const char *problem;     /* why it does not lead there; or NULL */
    const char *origin;
} LinkShown;

/* config: that of the environment. */
LinkShown flow_link_show(Arena *a, const Config *config);
