/* The ways back of migrations: the project's own scripts, and where it has none those that lead from
 * what the migration makes to what was there before. */
#pragma once

#include "diff/diff.h"
#include "flow/flow.h"
#include "replay/replay.h"
#include "sqltext/actions.h"

/* A statement of a migration whose effect on rows no comparison of schemas sees. */
typedef struct WayRest {
    int line;
    const char *what;  /* "UPDATE of users", "DO: may change rows" */
    const char *table; /* "users"; NULL: any */
} WayRest;

typedef struct Way {
    const Migration *migration;
    const char *path;         /* of the project's script, as people see it; NULL: it is derived */
    const char *irreversible; /* the reason that the project gives; NULL: there is a way back */
    Str script;               /* NUL-terminated; p == NULL: there is none */
    Diff *diff;          /* from behind the migration to before it; NULL: that could not be seen */
    VEC(WayRest) rest;   /* of a derived one: what stays as the migration left it */
    CatTexts concurrent; /* indexes that the migration makes or drops without blocking others */
    const SqlActionVec *actions; /* of each of its statements */
    size_t nactions;
} Way;

typedef VEC(Way) WayVec;

typedef struct WaysInput {
    const FlowInput *base;
    const History *history;
    const Session *compared; /* the database that is meant, for version and search_path; or NULL */
    const ReplayScript *before; /* what is applied before the first of them */
    size_t nbefore;
    const Migration *const *list; /* oldest first */
    size_t n;
    bool
        is_part; /* the last one is the beginning of a migration: no script of the project's undoes that, and the
                     derived one is one transaction */
} WaysInput;

typedef struct Ways {
    WayVec list;                   /* newest first */
    const Catalog *before, *after; /* all of them; NULL: they could not be replayed */
    Replay replay;                 /* of all */
    Err why;                       /* why not, then */
} Ways;

/* Find them, deriving those that the project does not have. Nothing is written.
 * errors: those of history_down, migration_text; where one must be derived those of replay_scripts
 * cost: a replay for each migration, and one more */
MUST_CHECK bool flow_ways(Arena *a, const WaysInput *in, Ways *ret, Err *err);

/* From behind all migrations to before them, as one comparison, with what their ways back rename: for questions to
 * the rows that are there now. NULL: they could not be replayed. errors: a script cannot be read */
MUST_CHECK bool flow_ways_total(Arena *a, const Ways *ways, Diff **ret, Err *err);

/* Run them behind the migrations on a private server. *ret: what differs afterwards from what was there
 * before the first of them; NULL: nothing.
 * errors: ERR_NO_WAY_BACK, one does not run; those of flow_replay_options */
MUST_CHECK bool flow_ways_lead_back(Arena *a, const WaysInput *in, const Ways *ways, Diff **ret,
                                    Err *err);

/* The pieces of it. The project's own word on w->migration; and what leads from `after` to `before`,
 * which is the script where it has none. user: who runs scripts on the private server.
 * errors: those of history_down, migration_text */
MUST_CHECK bool flow_way_own(Arena *a, const History *h, Way *w, Err *err);
void flow_way_derive(Arena *a, const Catalog *before, const Catalog *after, const char *user,
                     Way *w);
/* How they replay. errors: those of flow_replay_options */
MUST_CHECK bool flow_ways_options(Arena *a, const FlowInput *in, const Session *compared,
                                  ReplayOptions *ret, Err *err);

/* Scripts for a replay: the migrations that are applied, or all of them; oldest first. errors: those of migration_text */
MUST_CHECK bool flow_add_script(Arena *a, const Migration *m, ReplayScripts *ret, Err *err);

/* As catalogs are compared here: what cannot come back (the order of columns) does not count. */
Diff *flow_compare_states(Arena *a, const Catalog *from, const Catalog *to, const char *runner);

/* The whole text for people and for psql: newest first, with the history's rows.
 * s  that knows where they are; NULL: they are in it where the history says so */
Str flow_ways_text(Arena *a, const Ways *ways, const History *h, const Session *s);
