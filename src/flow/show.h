/* aramid show: one migration, its way back, and where it stands. */
#pragma once

#include "flow/lint.h"
#include "flow/undo.h"

typedef struct ShowInput {
    FlowInput base;
    const char *name; /* of the migration, or the part behind its timestamp */
    bool no_down;     /* do not derive a way back: no server is started */
} ShowInput;

typedef struct ShowResult {
    const Config *config;
    const Migration *migration;
    Str up;
    LintResult lint;    /* its statements with what they do, and what a person should know */
    Way way;            /* script p == NULL: there is none */
    const char *no_way; /* why none could be found, NULL */
    bool is_asked;      /* a database was: the rest holds */
    Target target;
    const char *unasked; /* why it could not be; or NULL */
    EntryState state;
    bool edited;
    int64_t applied_us; /* 0 = not, or not known */
} ShowResult;

/* Find it. The database is asked where there is one; that it cannot be is told, and no error.
 * errors: ERR_NO_SUCH_MIGRATION, also where several have that name; those of flow_lint
 * cost: where the project has no way back of it, a replay of the migrations up to it (replay.h) */
MUST_CHECK bool flow_show(Arena *a, const ShowInput *in, ShowResult *ret, Err *err);
