/* Who a database is: show, set, forget. */
#pragma once

#include "flow/guard.h"

typedef enum IdentityAction { IDENTITY_SHOW, IDENTITY_SET, IDENTITY_FORGET } IdentityAction;

typedef struct IdentityInput {
    FlowInput base; /* SET: its configuration is that of the environment to be written */
    IdentityAction action;
    const char *name; /* SET: a word of a person's, or NULL */
    const char *run_id;
    RunSink sink;
    /* Asked where a person must agree (base.can_ask). */
    bool (*ask)(void *arg, const Session *s, const Identity *before, Err *err);
    void *ask_arg;
} IdentityInput;

typedef struct IdentityResult {
    const Config *config;
    IdentityAction action;
    Target target;
    const DbInfo *server; /* NULL when the target is absent */
    bool changed;
    IdentityShown identity;       /* now */
    const Identity *before;       /* NULL = it said nothing */
    IdentityPlace place;          /* where the database is */
    const char *schema;           /* whose migrations it is about */
    VEC(const Identity *) others; /* of other schemas in this database */
    const FindingList *findings;  /* of the input's sink; or NULL */
} IdentityResult;

/* SHOW only reads; the others write under the migration lock.
 * errors: those of flow_target, session_open, gate_target and gate_consent; ERR_DENIED */
MUST_CHECK bool flow_identity(Arena *a, const IdentityInput *in, IdentityResult *ret, Err *err);
