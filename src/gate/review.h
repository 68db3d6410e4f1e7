/* Records of reviews: who has read which migration, and when; a file that lies in git. Pure. */
#pragma once

#include "base/err.h"
#include "base/str.h"
#include "base/vec.h"

typedef struct GateReview {
    const char *name, *checksum; /* of the migration, as it was read */
    const char *by, *at;
} GateReview;
typedef VEC(GateReview) GateReviews;

/* shown: the file's name, for people. errors: ERR_CONFIG */
MUST_CHECK bool gate_reviews_read(Arena *a, const char *shown, Str text, GateReviews *ret,
                                  Err *err);
Str gate_reviews_text(Arena *a, const GateReviews *list);

/* Add a record, in place of an older one of the migration. */
void gate_reviews_add(Arena *a, GateReviews *list, const GateReview *review);

/* Why a migration does not count as reviewed; NULL: it does. */
const char *gate_review_missing(Arena *a, const GateReviews *list, const char *name,
                                const char *checksum);
