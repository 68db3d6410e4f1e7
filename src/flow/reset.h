/* aramid reset: a development database from its migrations, anew. */
#pragma once

#include "flow/seed.h"

typedef struct ResetInput {
    FlowInput base;
    const char *command; /* "reset", or what does it, for hints */
    RunSink sink;
    const char *run_id;
    bool show_progress, create_database;
    bool force;               /* all that is lost was agreed to */
    bool ignores_connections; /* others may be connected */
    bool only_plan;
    bool only_drops; /* neither deploy nor seed */
    bool seeds;
    const char *reason; /* why there is to be no backup, or NULL */
    /* As in ScriptsInput and SeedInput. */
    void (*on_plan)(void *arg, const ScriptsResult *r);
    bool (*ask)(void *arg, const ScriptsResult *r, Err *err);
    void (*on_command)(void *arg, const char *line);
    void (*on_output)(void *arg, Str line);
    void *arg;
} ResetInput;

typedef struct ResetResult {
    ScriptsResult drop;           /* the script that drops, as one transaction */
    VEC(const char *) left_alone; /* for people: schemas, tables, extensions */
    size_t migrations;            /* in the folder */
    DeployResult deploy;          /* has_dropped: what was applied then */
    SeedResult seed;
    bool has_dropped, has_deployed, has_seeded;
} ResetResult;

/* Drop what the project manages, in one transaction with the emptying of its histories: all objects of the
 * URL's schema, of those that the datasource names and of those that the migrations name, but for what
 * belongs to platforms, extensions and other tools. Then deploy and seed. Interrupted behind the first
 * part, the next call (or a deploy) goes on.
 *
 * errors: ERR_REFUSED: production; others are connected; staging or a coding agent without a person's words.
 * ERR_CONFIRM; those of flow_scripts, flow_deploy, flow_seed. On false the result tells how far it came. */
MUST_CHECK bool flow_reset(Arena *a, const ResetInput *in, ResetResult *ret, Err *err);
