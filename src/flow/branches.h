/* Two branches' migrations: what happens when both come into one folder. */
#pragma once

#include "flow/evidence.h"

/* Beside the statuses of errors: they are in each other's way. */
enum { BRANCHES_EXIT_CONFLICT = 61 };

typedef struct Branches {
    const char *shown;          /* the other side, for people */
    size_t common;              /* migrations that both have */
    MigrationRefs mine, theirs; /* those that only one has */
    FindingList conflicts;      /* each with object and file */
} Branches;

/* Replay what both have, then what one has and then the other, and the other way round, and in the order
 * of names, and compare the catalogs (but for the order of columns). Reads no database.
 *
 * against  a folder of migrations, or of several histories one for each, with commas; or what git knows in
 *          the project's repository: a branch, a tag, a commit
 * ret      conflicts: texts that differ, versions that both use, a migration that does not run behind the
 *          other's, objects that the orders make differently
 * errors   ERR_USAGE (no such folder or branch), ERR_TOOL (no git, no tar), those of history_open; a
 *          replay that fails without the other side's, too */
MUST_CHECK bool flow_branches(Arena *a, const FlowInput *in, const char *against, Branches *ret,
                              Err *err);
