/* What follows the last migration of a deploy: hooks, health, and what becomes of the migrations when
 * these do not pass. */
#pragma once

#include "flow/health.h"

/* Whether anything is to follow. Then a deploy writes into its row what it is about to apply (flow_settle_begin), and
 * the row says "running" or "applied" until it is known how that ended: what was killed in between is settled
 * by the next deploy. */
bool flow_settles(const Config *c);

/* Under the lock, before the first change. That it cannot be written is told. names: of what is pending, ends with NULL */
void flow_settle_begin(Session *s, const DeployInput *in, const char *const *names);

/* Run hooks.post_migrate, ask what health.* says, and answer as health.on_failure says: about what this deploy
 * has applied, and what deploys before it have that were never settled. Nothing where there is nothing.
 *
 * errors  ERR_HEALTH, with what became of the migrations; ERR_INTERRUPTED: the next deploy goes on here; those
 * of session_open
 * cost    a connection, beside what is asked */
MUST_CHECK bool flow_settle(Arena *a, const DeployInput *in, DeployResult *ret, Err *err);
