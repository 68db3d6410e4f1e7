/* aramid erd: a schema, or what two differ in, as a diagram. */
#pragma once

#include "erd/erd.h"
#include "flow/diff.h"

typedef struct ErdInput {
    DiffInput diff; /* sides.from ENDPOINT_NONE: of the other side alone */
    ErdChoice choice;
} ErdInput;

typedef struct ErdResult {
    Erd *erd; /* chosen, not laid out */
    const char *title;
    FindingList diags; /* of the schemas, sorted; also when the result is false */
} ErdResult;

/* Read what is asked for, and choose what of it is shown.
 * errors: those of flow_diff and erd_choose
 * cost: of a schema.prisma parsing, of two databases reading them; else a replay */
MUST_CHECK bool flow_erd(Arena *a, const ErdInput *in, ErdResult *ret, Err *err);
