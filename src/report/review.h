/* Records of reviews. */
#pragma once

#include "base/jw.h"
#include "flow/review.h"
#include "report/term.h"

void report_review_text(Buf *out, const Term *t, const ReviewResult *r);
void report_review_json(JsonWriter *w, const ReviewResult *r);
