/* aramid dev: a development database against the migrations, and what makes it one of them again. */
#pragma once

#include "flow/drift.h"
#include "flow/reconcile.h"

typedef struct DevLook {
    const Config *config;
    Target target;
    History history;
    Session session;        /* open until flow_dev_close; db NULL: there is no database yet */
    bool is_new;            /* nothing was ever applied */
    size_t edited, missing; /* of the applied migrations: with another text, without a file */
    const DriftResult
        *drift; /* of what is applied; NULL where is_new, or a migration is half applied */
    CatTexts
        losses; /* of drift->repair, which makes the database what the migrations make: counted where there
                        are rows, else left out */
    const char *unfit; /* why the rows that are there would stop it; NULL: they would not */
} DevLook;

/* Look, and change nothing but that the embedded database is made and started.
 * errors: ERR_REFUSED: not a database for development; those of flow_target, session_open, flow_drift_of */
MUST_CHECK bool flow_dev_look(Arena *a, const FlowInput *in, DevLook *ret, Err *err);
void flow_dev_close(DevLook *look);

/* What the rows say about a change to the database: what is lost, as people read it, and the first thing that
 * cannot be done (NULL). Without a database nothing.
 * errors: those of introspect_answers */
MUST_CHECK bool flow_dev_rows(Arena *a, const DevLook *look, Diff *d, CatTexts *ret_losses,
                              const char **ret_unfit, Err *err);

/* What the migrations that are pending by now would do to a database that is what the applied ones make; NULL: it
 * was new, or is half way. Only reads. errors: those of flow_history, session_read, flow_drift_of */
MUST_CHECK bool flow_dev_pending(Arena *a, const FlowInput *in, DevLook *look, Diff **ret,
                                 Err *err);

/* "12 rows in 3 tables": all that a reset would lose; NULL: nothing, or it could not be counted soon. */
const char *flow_dev_count(Arena *a, const DevLook *look);

typedef struct DevSettleInput {
    FlowInput base;
    RunSink sink;
    const char *run_id;
    const char *again; /* as a person types it: "dev --drift undo" */
} DevSettleInput;

/* Record migrations that are pending in the ledger and there in the database, which is exactly what all of them make:
 * a call was killed behind their file, or a person was first. *ret: some were; look again.
 * errors: those of flow_history, session_read, flow_drift_of, flow_reconcile */
MUST_CHECK bool flow_dev_record(Arena *a, const DevSettleInput *in, DevLook *look, bool *ret,
                                Err *err);

/* Make the database what the migrations make that it calls applied: look->drift->repair, and the ledger
 * without those whose files are gone and with the checksums of those that were edited. Rows of what stays
 * are kept. Asks nobody.
 * errors: those of run_deploy and flow_reconcile */
MUST_CHECK bool flow_dev_settle(Arena *a, const DevSettleInput *in, const DevLook *look, Err *err);
