/* aramid expand-contract and state: changes in two steps that old and new code can live with. */
#pragma once

#include "flow/create.h"

typedef struct ExpandInput {
    FlowInput base;
    ExpandWish wish;      /* the first step */
    const char *contract; /* the second step of this change instead; or NULL */
    bool dry_run;
} ExpandInput;

typedef struct ExpandResult {
    History history;
    ExpandScript script;
    bool is_contract;
    VEC(CreateFile) files; /* of all its migrations, in order */
} ExpandResult;

/* Make the migrations of a step, after the migrations up to now and they were run on a private server; for
 * the first step the second one, too. Without dry_run they are written, one after the other.
 * errors: those of expand_write, expand_contract, flow_sides, flow_create_write; ERR_USAGE: no such change,
 * or the layout's tool makes its migrations itself */
MUST_CHECK bool flow_expand(Arena *a, const ExpandInput *in, ExpandResult *ret, Err *err);

/* The changes of a history's files. compared: its entries say what is applied. */
MUST_CHECK bool flow_find_changes(Arena *a, const History *h, bool compared, ExpandShownVec *ret,
                                  Err *err);
