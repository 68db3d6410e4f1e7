#pragma once

#include "base/diag.h"

/* The rank of a diagnostic of the schema language (Diag.rank), by its id. Warnings come last. */
unsigned psl_stage(Severity severity, const char *id);
