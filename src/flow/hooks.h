/* What a project wants to have done around its migrations: commands, SQL files, HTTP addresses
 * (settings hooks.*, docs/hooks.md). */
#pragma once

#include "flow/flow.h"

typedef enum HookPoint {
    HOOK_BEFORE,    /* hooks.pre_migrate: nothing was changed yet */
    HOOK_AFTER,     /* hooks.post_migrate */
    HOOK_SMOKE,     /* hooks.smoke: all else is well */
    HOOK_GENERATED, /* hooks.post_generate */
    HOOK_FAILED,    /* hooks.on_failure */
} HookPoint;

/* What hooks are told. */
typedef struct HookFacts {
    const FlowInput *in;
    const RunSink *sink;  /* told of each, and of what it says */
    const Target *target; /* for SQL files; NULL: there is no database to run them on */
    const DbInfo *server; /* or NULL */
    const char *run_id;   /* or NULL */
    const char *const
        *migrations;  /* names of what is pending or applied, ends with NULL; or NULL */
    const Err *error; /* of HOOK_FAILED */
} HookFacts;

/* Run those of a point, one behind the other, until one fails.
 *
 * A command is given to /bin/sh in the project's folder; it succeeds with status 0, and ends, with
 * what it has started, after hooks.timeout. It has the variables of hooks.env and no others but
 * PATH, HOME and the like, and ARAMID_*. Not more than 64 kB of what one says is passed on.
 * A word that ends in .sql is a file, run in one transaction. An address succeeds with a status of 2xx;
 * "POST https://..." is sent the facts as JSON, an address alone is asked by GET.
 *
 * errors: ERR_HOOK with what failed; ERR_INTERRUPTED; HOOK_FAILED fails never: it is told */
MUST_CHECK bool flow_hooks(Arena *a, HookPoint point, const HookFacts *facts, Err *err);

/* One text of that kind, under a name: a task (flow/tasks.h). A command also gets the database's URLs.
 * errors: ERR_HOOK: what it says; ERR_INTERRUPTED */
MUST_CHECK bool flow_hook(Arena *a, const char *name, const char *text, const HookFacts *facts,
                          Err *err);

/* Whether one is set. */
bool flow_has_hooks(const Config *c, HookPoint point);

/* false where this process is a hook of a deploy that waits for it, under the migration lock.
 * errors: ERR_REFUSED */
MUST_CHECK bool flow_hooks_outside(Err *err);
