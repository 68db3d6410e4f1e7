/* aramid verify: is the database what its migrations make, and is the application well? */
#pragma once

#include "flow/drift.h"
#include "flow/health.h"

typedef struct VerifyResult {
    const Config *config;
    StatusResult status;
    DriftResult drift;      /* looked at where the history is as it should be */
    bool looked;            /* it was */
    const char *not_looked; /* why not; NULL: it was, or the history tells enough */
    HealthChecks health;    /* of those that were asked */
    int exit_status;        /* 0 = all is well; that of the status, DRIFT_EXIT, or of ERR_HEALTH */
} VerifyResult;

/* Ask all of it; that something is not well is no error, but exit_status.
 * sink: told of each look
 * errors: those of flow_status, flow_drift and flow_health but ERR_HEALTH; ERR_DB_MISSING: the project's
 * own database was not made yet */
MUST_CHECK bool flow_verify(Arena *a, const FlowInput *in, const RunSink *sink, VerifyResult *ret,
                            Err *err);
