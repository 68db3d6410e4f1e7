/* aramid push: schema.prisma into a development database, without a migration. */
#pragma once

#include "flow/diff.h"
#include "flow/reset.h"

struct PushResult;

typedef struct PushInput {
    FlowInput base;
    RunSink sink;
    const char *run_id;
    bool show_progress, create_database;
    bool accepts_loss; /* of what the changes drop */
    bool force_reset;  /* drop all that the project manages first */
    bool ignores_connections, ignores_history;
    bool only_plan;
    const char *const *renames; /* OLD:NEW */
    size_t nrenames;
    const char *reason; /* why there is to be no backup, or NULL */
    /* As in ScriptsInput. */
    void (*on_plan)(void *arg, const ScriptsResult *r);
    bool (*ask)(void *arg, const ScriptsResult *r, Err *err);
    /* Where somebody can be asked: whether what is lost may be. */
    bool (*ask_losses)(void *arg, const struct PushResult *r, Err *err);
    void *arg;
} PushInput;

typedef struct PushResult {
    ResetResult reset;     /* force_reset */
    DiffResult diff;       /* from the database to the schema */
    ScriptsResult scripts; /* its script */
    VEC(const char *) losses;
    bool is_same; /* there was nothing to do */
    const char *schema_path;
} PushResult;

/* Compare, count what would be lost from the rows that are there, and run the script, by the protocol of a
 * deploy. Tables of other tools and of platforms are not compared.
 *
 * errors: ERR_REFUSED: production, staging that was not named, a database with a history of migrations;
 * ERR_CONFIRM: data would be lost; ERR_IMPOSSIBLE: rows do not fit, or PostgreSQL cannot do it; ERR_NO_SCHEMA; those
 * of flow_diff, flow_scripts, flow_reset. On false the result tells how far it came. */
MUST_CHECK bool flow_push(Arena *a, const PushInput *in, PushResult *ret, Err *err);
