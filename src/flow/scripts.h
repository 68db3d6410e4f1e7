/* Scripts that are run beside the migrations, by the protocol of a deploy: what `execute` is given,
 * seeds. */
#pragma once

#include "flow/flow.h"
#include "gate/gate.h"
#include "history/scripts.h"

struct ScriptsResult;

/* Where --yes alone does not do: the environment must be named, on a terminal or by ARAMID_CONSENT. */
typedef enum ScriptsCare {
    SCRIPTS_USUAL, /* nowhere */
    SCRIPTS_SEED,  /* in production */
    SCRIPTS_RESET, /* in staging; refused in production, whatever is said. All data may be lost */
    SCRIPTS_PUSH,  /* the same, but for that not all data is lost */
} ScriptsCare;

typedef struct ScriptsInput {
    FlowInput base;
    RunSink sink;
    const char *run_id;
    bool show_progress;
    const char *verb;         /* "execute" */
    const char *again;        /* as a person types it: "execute --file x.sql" */
    bool one_tx;              /* each script is one transaction, or an error */
    const char *many_tx_hint; /* what helps then, or NULL */
    bool from_start;          /* where an interrupted run stopped does not matter */
    bool only_plan;
    const char *more; /* what is done behind them, for which consent is needed, too; or NULL */
    ScriptsCare care;
    bool
        loses; /* data is lost, and that was agreed to: what a coding agent may not say by itself */
    bool accepts_loss;  /* of rows and values that go with their tables and columns */
    const char *reason; /* why there is to be no backup, or NULL */
    /* Told what there is to do, before the first question; may be NULL. */
    void (*on_plan)(void *arg, const struct ScriptsResult *r);
    /* Asked where a person must agree. */
    bool (*ask)(void *arg, const struct ScriptsResult *r, Err *err);
    void *arg;
} ScriptsInput;

typedef struct ScriptsResult {
    const Config *config;
    Target target;
    const DbInfo *server; /* NULL when the target is absent */
    History history;      /* the scripts, as scripts_new() and its kin have made them */
    PlanResult plan;
    PlanLosses losses; /* counted */
    const char *more;  /* of the input */
    RunReport run;
    const char *run_id;
    IdentityShown identity;
    const char *backup_id;
    const FindingList *findings;
} ScriptsResult;

/* Run those of `scripts` that are pending. On false the result tells how far it came.
 * errors: ERR_CONFIRM, those of run_deploy */
MUST_CHECK bool flow_scripts(Arena *a, const ScriptsInput *in, const History *scripts,
                             ScriptsResult *ret, Err *err);

/* No flag gets around this. errors: ERR_REFUSED */
MUST_CHECK bool flow_refuse_production(const GateFacts *f, Err *err);

/* Write down what was done behind them, in the row of the run. failed: why it failed, or NULL. That it cannot be
 * written is told, and no error. */
void flow_scripts_record(Arena *a, const ScriptsInput *in, const ScriptsResult *r, const char *what,
                         const Err *failed);
