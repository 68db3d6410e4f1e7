/* aramid verify-rollback: each migration up, down and up again, on a private server. */
#pragma once

#include "flow/undo.h"

typedef enum ProofState {
    PROOF_LEADS_BACK,
    PROOF_IRREVERSIBLE, /* the project says so */
    PROOF_ROWS_STAY, /* it leads back, but rows that the migration wrote keep it from being applied again */
    PROOF_ROWS_DIFFER, /* it leads back, but rows that were there and of which nothing was said are others */
    PROOF_DIFFERS, /* afterwards something is not as it was before */
    PROOF_BREAKS,  /* a script does not run */
} ProofState;

const char *proof_state_name(ProofState state); /* "leads-back" */

typedef struct RollbackProof {
    const char *name, *checksum;
    const char *path; /* of the project's script; NULL: it is derived */
    const char *why;  /* of all but those that lead back; not filtered for terminals */
    ProofState state;
    bool is_seeded; /* it was tried with rows */
    int losses;     /* that are told: tables, columns, values that go */
    int rest;       /* statements whose effect on rows stays */
} RollbackProof;

typedef struct VerifyRollbackInput {
    FlowInput base;
    const char *const *names; /* these; none: those that are pending in the database */
    size_t nnames;
    bool all;
    const char *const *seeds; /* files with rows to try it with; none: the project's own seeds */
    size_t nseeds;
} VerifyRollbackInput;

typedef struct VerifyRollbackResult {
    const Config *config;
    History history;
    int major; /* of the server on which it was tried */
    VEC(RollbackProof) proofs;
    const char *
        unseeded; /* why rows could not be put in before any of them; NULL: they were, or there are none */
    size_t wrong; /* neither lead back nor say that they do not */
} VerifyRollbackResult;

/* errors: those of flow_history, session_open, replay_scripts; ERR_NO_SUCH_MIGRATION
 * cost: four readings of the catalog and three scripts for each migration */
MUST_CHECK bool flow_verify_rollback(Arena *a, const VerifyRollbackInput *in,
                                     VerifyRollbackResult *ret, Err *err);
