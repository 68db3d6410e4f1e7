/* The repeatable scripts of a project: which files they are, and what of them is in a database. */
#pragma once

#include "flow/flow.h"
#include "replay/replay.h"

/* The scripts that go with these histories, as one more: files that the settings name, prisma/sql, and what the
 * histories' own folders hold of them. *ret NULL: there are none.
 * errors  ERR_CONFIG (a place that is not there), those of history_repeatables */
MUST_CHECK bool flow_repeatables(Arena *a, const Config *c, History *const *parts, size_t n,
                                 History **ret, Err *err);

/* Whether the settings name a folder of migrations as a place of scripts, too. */
bool flow_takes_scripts(Arena *a, const Config *c, const char *dir);

/* Scripts that are in the database in another form than in their file, or without one. */
typedef struct AppliedScripts {
    VEC(ReplayScript) changed; /* as they were applied */
    VEC(ReplayScript) removed; /* of those, the ones whose objects are still there */
    VEC(const char *) settled; /* names of the others: nothing that they made is left */
    VEC(const char *) drops;   /* for each of these: SQL that drops what it made */
} AppliedScripts;

/* errors: those of db_query. cost: a round trip, where there are such; one for each that was removed */
MUST_CHECK bool flow_applied_scripts(Arena *a, const Session *s, const History *h,
                                     AppliedScripts *ret, Err *err);

/* Add a finding for each that was removed; that the database does not answer is left to who asks it next. */
void flow_find_removed(Arena *a, const Session *s, const History *h, FindingList *ret);

/* Take the rows of removed scripts out of which nothing is left: should the file come back, it runs again. That this
 * cannot be done changes nothing. */
void flow_forget_scripts(Arena *a, const Session *s, const History *h);
