/* The gate's facts, gathered: from the configuration, the process's environment and the session. */
#pragma once

#include "flow/flow.h"
#include "gate/gate.h"

typedef struct FlowGuard {
    Arena *arena;
    const FlowInput *in;
    GateFacts facts;
    GateTarget target; /* the verdict on the database */
    IdentityMark mark; /* to be written before the first change, when target.writes */
} FlowGuard;

/* Gather what is known before there is a connection.
 *
 * command  "aramid deploy", for hints */
void flow_guard_open(Arena *a, const FlowInput *in, GateAct act, const char *command,
                     FlowGuard *ret);

/* Whether the command may go on, by what is known now. errors: those of gate_target */
MUST_CHECK bool flow_guard_check(FlowGuard *g, Err *err);

/* The same with a session that has read its history.
 *
 * origin  of the URL, or NULL */
MUST_CHECK bool flow_guard_session(FlowGuard *g, const Session *s, const char *origin, Err *err);

/* Before the change: whether it may be made, or a person must be asked. errors: those of
 * gate_consent */
MUST_CHECK bool flow_guard_consent(FlowGuard *g, GateConsent *ret, Err *err);

/* Say on every sink which database is about to be changed. Once, before the first change.
 * errors: ERR_FINDING, the settings make an error of what is found about it */
MUST_CHECK bool flow_guard_announce(const FlowGuard *g, const RunSink *sink, Err *err);

/* For results: who the database is, after this command. */
void flow_guard_shown(const FlowGuard *g, IdentityShown *ret);

/* What a session that has read its history knows of it. */
void flow_identity_shown(const Session *s, IdentityShown *ret);
