/* What follows the last migration of a deploy: hooks, health, and what becomes of the migrations when
 * these do not pass. */
#pragma once

#include "flow/health.h"

/* Whether anything is to follow, so that the run's row says "applied" until it is known how that ended: a
 * deploy that was killed in between is then settled by the next one. */
bool flow_settles(const Config *c);

/* Run hooks.post_migrate, ask what health.* says, and answer as health.on_failure says.
 *
 * names  of the migrations that this deploy applied, or the one before left unsettled
 * errors  ERR_HEALTH, with what became of the migrations; ERR_INTERRUPTED: the next deploy goes on here */
MUST_CHECK bool flow_settle(Arena *a, const DeployInput *in, const char *const *names, size_t count,
                            DeployResult *ret, Err *err);

/* The migrations of the newest deploy of the environment that was killed before it was settled; none: n = 0.
 * cost: a connection
 * errors: those of session_open */
MUST_CHECK bool flow_unsettled(Arena *a, const DeployInput *in, const DeployResult *r,
                               ConfigList *ret, Err *err);
