/* aramid diff: what leads from one schema to another. */
#pragma once

#include "flow/endpoint.h"
#include "render/render.h"

typedef struct DiffInput {
    SidesInput sides;
    bool prisma_compat;         /* write what Prisma's engine would, its mistakes included */
    const char *const *renames; /* OLD:NEW, as diff_wishes reads them */
    size_t nrenames;
    /* The schema that it leads to is compared as it is written first, and printed by a server only where that
     * leaves doubt (diff_is_certain); the script is in the schema's own words. */
    bool written_first;
    bool new_database;  /* ENDPOINT_EMPTY as `from` is one: it has the schema public */
    bool with_way_back; /* also the way back */
} DiffInput;

typedef struct DiffResult {
    Side sides[2];
    FindingList diags;    /* of the schemas, sorted; also when the result is false */
    FindingList findings; /* what a person should know before the script runs */
    Diff *diff;
    Diff *back; /* the other way: with_way_back; else NULL */
    Str script, summary;
    Str back_script;    /* of `back` */
    const char *schema; /* its objects are written without it */
    /* Kinds of objects that are there and are not compared, by side; sorted, each once. */
    CatOthers others;
} DiffResult;

/* Compare.
 *
 * Where one side is in Prisma's language, only what it can say is compared, and the rest of a
 * database is left as it is. Owners and versions of extensions do not count; privileges count
 * between two databases only, because a private server has other roles.
 *
 * A database on the side `from` is asked what its rows mean for the changes. Renames are those of
 * the input and those that a schema on the side `to` announces.
 *
 * errors: those of flow_sides, ERR_USAGE for renames */
MUST_CHECK bool flow_diff(Arena *a, const DiffInput *in, DiffResult *ret, Err *err);

/* Whether the script can run.
 * errors: ERR_STILL_USED: it drops what something uses that stays */
MUST_CHECK bool flow_diff_can_run(Arena *a, const Diff *d, Err *err);
