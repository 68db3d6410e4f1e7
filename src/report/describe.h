/* One table or view as text and JSON. */
#pragma once

#include "base/jw.h"
#include "flow/describe.h"
#include "report/term.h"

void report_describe_text(Buf *out, const Term *t, const DescribeResult *r);
void report_describe_json(JsonWriter *w, const DescribeResult *r);
