/* Whether the database takes writes and the application answers (settings health.*, docs/health.md). */
#pragma once

#include "flow/hooks.h"

/* Ask all that is set: a write that is rolled back, the SQL of health.sql, the address of health.url (with
 * its tries and pauses), and, when these are well, the hooks of hooks.smoke. Each is told.
 * facts  with target and sink
 * errors  ERR_HEALTH: one is not well, with its reason; ERR_INTERRUPTED; ERR_IO, ERR_MIGRATION_FILE: a file
 * cost  a connection; as long as the tries of health.url take */
MUST_CHECK bool flow_health(Arena *a, const HookFacts *facts, HealthChecks *ret, Err *err);

/* Whether anything beside the write is set. */
bool flow_has_health(const Config *c);
