/* What a run has left behind, looked at later: its folder, and what it did to the schema. */
#pragma once

#include "diff/diff.h"
#include "flow/flow.h"

/* The folder of a run: by its id, the beginning of it, its path, or NULL for the newest.
 * errors: ERR_USAGE: there is none, or several begin so */
MUST_CHECK bool flow_run_folder(Arena *a, const Config *c, const char *name, const char **ret,
                                Err *err);

/* What leads from one catalog to another as people look at it: owners and privileges do not count. */
const Diff *flow_change(Arena *a, const Catalog *was, const Catalog *now);
/* A new database beside this one: the schemas that are there by themselves. */
const Catalog *flow_nothing(Arena *a, const Catalog *beside);

/* What these migrations did to the schema, by replaying what was there before them without and with them. Those of
 * names that the folder does not have are passed over.
 *
 * ret     NULL: the folder has none of them
 * errors  those of flow_replay_options and replay_scripts */
MUST_CHECK bool flow_change_of(Arena *a, const FlowInput *in, const History *h,
                               const CatTexts *names, const Diff **ret, Err *err);
