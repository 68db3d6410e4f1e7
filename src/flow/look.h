/* What a deploy looks at: before the first change, and when all of it is done. Each look is told with
 * what was looked at and how long it took. */
#pragma once

#include "flow/drift.h"

/* The project's schema.prisma, if it has one. sink: told, or NULL.
 * errors: ERR_SCHEMA with the first places; ERR_IO */
MUST_CHECK bool look_at_schema(Arena *a, const Config *c, const RunSink *sink, Err *err);

/* Whether a change to a database, to be what its migrations make, only takes away: then it has all that
 * they make, and more. */
bool look_is_more(const Change *c);

/* What was found of a database beside its migrations. */
typedef struct Look {
    bool is_done;
    bool is_in_vain;      /* there is no server for it, or another reason, which was told */
    CatTexts differences; /* one text for each, to be compared with those of another look */
    const Catalog *live;  /* what was there; NULL = not looked */
} Look;

/* Add the differences of a database to what its migrations make (Diff `repair`). all: also what is there
 * beside them, which is drift and no migration's doing; but what a rollback leaves is its own. */
void look_take(Arena *a, const Diff *d, bool all, Look *ret);
/* How many of these were not so before. */
size_t look_new(const Look *now, const Look *before);

/* By the setting drift. errors: ERR_DRIFT; ERR_FINDING; what ends the run */
MUST_CHECK bool look_before(Arena *a, const FlowInput *in, const RunSink *sink, const Session *s,
                            DeployResult *r, Look *ret, Err *err);

/* By the setting verify: what is there must be what the migrations make. What was so before is told
 * and is no error.
 * errors: ERR_VERIFY; ERR_FINDING; what ends the run */
MUST_CHECK bool look_after(Arena *a, const FlowInput *in, const RunSink *sink, const Session *s,
                           DeployResult *r, const Look *before, Err *err);
