/* aramid clean: what interrupted and old runs have left. */
#pragma once

#include "flow/flow.h"

typedef enum CleanKind {
    CLEAN_SESSION,
    CLEAN_INDEX,
    CLEAN_JOURNAL,
    CLEAN_FOLDER, /* of a migration: empty, and never applied */
    CLEAN_RUN,    /* log of an old run */
    CLEAN_BACKUP,
    CLEAN_CLUSTER, /* folder of a temporary server */
    CLEAN_KINDS
} CleanKind;

/* "session", "index", ... */
const char *clean_kind_name(CleanKind k);

typedef struct CleanItem {
    CleanKind kind;
    const char *name, *why;
    const char *path; /* of a file or folder that is removed by it, NULL = otherwise */
    const RunLeftover *left;
    bool is_gone;
} CleanItem;

typedef struct CleanInput {
    FlowInput base;
    RunSink sink;
    const char *run_id;
    bool dry_run;
    bool (*ask)(void *arg, size_t n, Err *err); /* before anything is removed */
    void *ask_arg;
} CleanInput;

typedef struct CleanResult {
    const Config *config;
    Target target;
    VEC(CleanItem) items;
    size_t removed, stayed;
    bool dry_run;
    const FindingList *findings;
} CleanResult;

/* Find what is proven to be left over, ask, and remove it; the database's part under the migration lock.
 * errors: those of flow_target, session_open, lock_and_read; ERR_IO; ERR_CONFIRM */
MUST_CHECK bool flow_clean(Arena *a, const CleanInput *in, CleanResult *ret, Err *err);
