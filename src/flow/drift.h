/* Drift: what is in a database against what its applied migrations make. */
#pragma once

#include "diff/diff.h"
#include "flow/flow.h"
#include "replay/replay.h"

/* Exit status of commands that look for drift beside other things. */
enum { DRIFT_EXIT = 18 };

typedef struct DriftResult {
    const Config *config;
    Target target;
    const DbInfo *server; /* NULL when the target is absent */
    History history;
    bool only_applied; /* take the history as it says, also where the database has none */
    const IntrospectOptions *also; /* ReplayOptions.also; or NULL */
    Replay replay;                 /* of the migrations that the ledger calls applied */
    size_t migrations;             /* how many those are */
    const Catalog
        *live;    /* as compared: printed by the same server, owners and privileges aligned */
    Diff *adopt;  /* migrations -> database: what was done to the database */
    Diff *repair; /* database -> migrations: what would undo it */
    bool has_drift;
    CatOthers not_compared; /* of kinds that are not whole, on either side */
    CatTexts left_out;      /* schemas of platforms and tools */
    FindingList findings;   /* what the result rests on, where that is not the usual */
} DriftResult;

/* Compare. Only reads the database; replays on a server of our own.
 *
 * Counts: structure, comments, privileges where migrations grant or revoke any, owners where
 * migrations set them. Does not count: column order, versions of extensions, privileges that come
 * from the database's default privileges, objects of platforms, tools and extensions.
 * errors: those of flow_target, session_open, introspect and replay_scripts */
MUST_CHECK bool flow_drift(Arena *a, const FlowInput *in, DriftResult *ret, Err *err);

/* The same over a session, with its history (read and compared) in ret->history. Outside of a
 * transaction. */
MUST_CHECK bool flow_drift_of(Arena *a, const FlowInput *in, const Session *s, DriftResult *ret,
                              Err *err);

/* What leads from what the migrations of one result make to what those of another make, by the rules of
 * drift. Both of the same session. */
Diff *flow_drift_between(Arena *a, const DriftResult *from, const DriftResult *to);

/* Make the privileges of a live catalog comparable with those that migrations made elsewhere: without
 * what default privileges and owning an object give, and with the schema public as it is.
 * errors: those of db_query */
MUST_CHECK bool flow_align_grants(Arena *a, Db *db, Catalog *live, const Replay *expected,
                                  Err *err);
