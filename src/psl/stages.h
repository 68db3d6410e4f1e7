#pragma once

#include "base/finding.h"

/* The rank of a diagnostic of the schema language (Finding.rank), by its id. Warnings come last. */
unsigned psl_stage(Severity severity, FindingId id);
