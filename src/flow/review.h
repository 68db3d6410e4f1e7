/* aramid review: who has read which migration; and whether a deploy may go on without. */
#pragma once

#include "flow/flow.h"
#include "gate/review.h"

typedef struct ReviewInput {
    FlowInput base;
    const char *const *names; /* of migrations that were read; none: only look */
    size_t nnames;
    const char *by; /* who; NULL = git's user */
} ReviewInput;

typedef struct ReviewShown {
    const char *name;
    const char *missing;      /* why it does not count as reviewed; NULL: it does */
    const GateReview *record; /* or NULL */
    bool is_new;              /* written now */
} ReviewShown;

typedef struct ReviewResult {
    const char *path;            /* of the file, as shown */
    VEC(ReviewShown) migrations; /* all of the folder */
    size_t written;
} ReviewResult;

/* Write records, each with the checksum of the file as it is now.
 * errors: ERR_NO_SUCH_MIGRATION; ERR_USAGE: nobody said who; ERR_CONFIG: the file; those of flow_history */
MUST_CHECK bool flow_review(Arena *a, const ReviewInput *in, ReviewResult *ret, Err *err);

/* The records that there are; none where there is no file. errors: ERR_CONFIG, ERR_IO */
MUST_CHECK bool flow_reviews_read(Arena *a, const Config *c, GateReviews *ret, Err *err);

/* SHA-256 of a migration's bytes as they are, whatever the layout's ledger keeps of them. errors: those of migration_text */
MUST_CHECK bool flow_file_checksum(Arena *a, const Migration *m, const char **ret, Err *err);

/* Where the setting wants them: add a finding for each pending migration of a history that was read without one.
 * errors: ERR_CONFIG; ERR_IO */
MUST_CHECK bool flow_find_unreviewed(Arena *a, const Config *c, const History *h, FindingList *ret,
                                     Err *err);
