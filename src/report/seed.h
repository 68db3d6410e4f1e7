/* The result of a seed as text and JSON. */
#pragma once

#include "base/jw.h"
#include "flow/seed.h"
#include "report/term.h"

/* --dry-run */
void report_seed_plan(Buf *out, const Term *t, const SeedResult *r);

/* Also where there is nothing to seed with: then how to have something. */
void report_seed_text(Buf *out, const Term *t, const SeedResult *r, const char *log_dir);

/* err NULL = done. */
void report_seed_json(JsonWriter *w, const SeedResult *r, const Err *err, const char *log_dir,
                      bool is_plan);
