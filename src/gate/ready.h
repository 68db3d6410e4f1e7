/* Whether what a policy asks for before a deploy is there: evidence, approvals, a pipeline, a window. Pure; the
 * same items are the checklists that people see. */
#pragma once

#include "gate/evidence.h"
#include "gate/review.h"
#include "gate/window.h"

typedef struct GatePending {
    const char *name, *checksum; /* of a pending migration */
} GatePending;

typedef struct GateReadyFacts {
    const char *const *required; /* words of gate.requires */
    size_t required_count;
    const char *folder; /* checksum of all migrations together */
    VEC(GatePending) pending;
    const GateRecords *records; /* checked */
    const GateReviews *reviews;
    const char *actor; /* who deploys: their own approval does not count; or NULL */
    int approvals;     /* of so many others */
    const char
        *newest_drill; /* when a record of kind "drill" is too old: those before do not count */
    bool is_pipeline;
    GateWindows allow, deny;
    GateTimes times;
} GateReadyFacts;

typedef struct GateItem {
    const char *word; /* "staging", "tests", ..., "window" */
    const char *what; /* "applied in staging": for people */
    bool ok;
    const char *why; /* not; NULL where ok */
    const char *fix; /* command to type, or NULL */
} GateItem;
typedef VEC(GateItem) GateItems;

/* Words with a meaning of their own: tests, rollback, drill, approval, review, pipeline. Any other is the name of an environment
 * in which each pending migration has to be applied with the same checksum; one that begins with "tick:" is
 * an item that a person ticks. Without something pending all but nothing is asked: no items.
 * The window is an item of its own where one is set. */
void gate_ready(Arena *a, const GateReadyFacts *f, GateItems *ret);
