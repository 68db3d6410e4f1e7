/* The configuration with the origin of every value; secrets are masked. */
#pragma once

#include "base/jw.h"
#include "config/config.h"
#include "report/term.h"

void report_config_text(Buf *out, const Term *t, const Config *c);
void report_config_json(JsonWriter *w, const Config *c);
