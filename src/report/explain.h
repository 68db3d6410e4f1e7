/* Errors and findings explained, from their tables. */
#pragma once

#include "base/err.h"
#include "base/finding.h"
#include "base/jw.h"
#include "report/term.h"

/* One of both; the other is NULL. */
typedef struct Explained {
    const ErrInfo *error;
    const FindingInfo *finding;
} Explained;

typedef VEC(Explained) ExplainedVec;

/* Everything of that name: an error, a finding, or the errors behind a code of Prisma ("P3009"), in
 * any case. Empty when there is none; word NULL = all of them. */
ExplainedVec explain_find(Arena *a, const char *word);

/* Meaning, when it comes, what to do, what settings may do; many as a list of names and meanings. */
void explain_text(Buf *out, const Term *term, const ExplainedVec *list);

void explain_json(JsonWriter *w, const ExplainedVec *list);
