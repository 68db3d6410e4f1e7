/* aramid checklist: the lists of a team's guide, ticked by the program where it can prove an item, by a person with
 * a name where it cannot. */
#pragma once

#include "flow/ready.h"

typedef enum ChecklistPhase { CHECKLIST_PRE, CHECKLIST_PRODUCTION, CHECKLIST_POST } ChecklistPhase;

typedef struct ChecklistInput {
    FlowInput base;
    RunSink sink;
    ChecklistPhase phase;
} ChecklistInput;

typedef struct ChecklistResult {
    const Config *config;
    ChecklistPhase phase;
    Target target;
    size_t pending;  /* migrations */
    GateItems items; /* those of the phase, then those of gate.requires that are not among them */
    size_t missing;
} ChecklistResult;

const char *checklist_phase_name(ChecklistPhase phase); /* "pre", "production", "post" */

/* errors: those of flow_plan and flow_verify */
MUST_CHECK bool flow_checklist(Arena *a, const ChecklistInput *in, ChecklistResult *ret, Err *err);
