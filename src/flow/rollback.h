/* aramid rollback: the newest migrations are undone, newest first. */
#pragma once

#include "flow/flow.h"
#include "flow/undo.h"

struct RollbackResult;

typedef struct RollbackInput {
    FlowInput base;
    RunSink sink;
    const char *run_id;
    bool show_progress;
    const char *to;     /* this one stays, all newer ones go; or NULL */
    int64_t steps;      /* without `to`: so many */
    bool failed;        /* neither: what the migration left that did not end */
    bool only_plan;     /* find out and tell; nothing is changed */
    bool accepts_loss;  /* of rows and values that go with their tables and columns */
    bool accepts_rest;  /* that rows stay as the migrations left them */
    const char *reason; /* why there is to be no backup, or NULL */
    /* Told what there is to do, before the first question; may be NULL. */
    void (*on_plan)(void *arg, const struct RollbackResult *r);
    /* Asked where a person must agree. */
    bool (*ask)(void *arg, const Session *s, const struct RollbackResult *r, Err *err);
    void *arg;
} RollbackInput;

/* What will be gone, and how much of it there is. */
typedef struct RollbackLoss {
    const char *text; /* not filtered for terminals */
    bool is_counted;
} RollbackLoss;

typedef struct RollbackResult {
    const Config *config;
    Target target;
    const DbInfo *server;
    History history;
    Ways ways;
    VEC(RollbackLoss) losses;
    bool finishes;  /* a rollback that was interrupted is brought to its end first */
    bool is_proven; /* the scripts were run on a private server, and led back */
    RunReport run;
    const char *run_id;
    IdentityShown identity;
    const char *backup_id;
    const char
        *verified; /* of the database afterwards: "same", "not-looked"; NULL: nothing was done */
    const FindingList *findings;
} RollbackResult;

/* errors: ERR_NO_WAY_BACK, ERR_NO_SUCH_MIGRATION, ERR_NOT_APPLIED, ERR_NOT_FAILED, ERR_CONFIRM, those of
 * run_deploy. On false the result tells how far it came. */
MUST_CHECK bool flow_rollback(Arena *a, const RollbackInput *in, RollbackResult *ret, Err *err);

/* No migration of that name: its error, with the nearest name. false. */
bool flow_no_such_migration(const char *name, const History *h, Err *err);
