/* What git knows: who works here, and the project's files elsewhere. Between the files of this room. */
#pragma once

#include "flow/flow.h"

/* Who works here, as git knows it, without control characters; NULL = it does not. */
const char *git_user(Arena *a);

/* A new folder of our own below TMPDIR; the caller removes it. `what`: a word in its name. errors: ERR_IO */
MUST_CHECK bool git_scratch(Arena *a, const char *what, const char **ret, Err *err);

typedef struct GitFiles {
    const char *dir;     /* of the working tree */
    const char *ref;     /* branch, tag, commit */
    const char *name;    /* in dir; "." = all of it */
    bool may_be_missing; /* dir itself: nothing is put there then */
    const char *to;      /* folder that is there */
} GitFiles;

/* Put them into the folder `to`.
 * ret_said  NULL: done; else git could not, and this is what it said ("": it knows no such ref)
 * errors    ERR_TOOL: there is no git; the caller's hint belongs behind it. ERR_INTERRUPTED */
MUST_CHECK bool git_export(Arena *a, const GitFiles *files, const char **ret_said, Err *err);
