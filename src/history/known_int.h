/* Internal to history/, and for its tests: the table of known ledgers. */
#pragma once

#include "history/known.h"

/* The i-th of all, NULL behind the last: those of the layouts, then those of tools whose migrations
 * Aramid does not run. Where two fit a table, the first counts. */
const KnownLedger *history_known_at(size_t i);

/* What a table is, or NULL: the user's. Columns in any order. */
const KnownLedger *history_known(const char *schema, const char *table, const char *const *columns,
                                 size_t n);
