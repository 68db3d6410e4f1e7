/* Which variables of an environment hold a secret, judged by their names. */
#pragma once

#include "base/str.h"
#include "base/vec.h"

/* Whether a variable of this name holds what nobody may see: NEXTAUTH_SECRET, SUPABASE_SERVICE_ROLE_KEY,
 * DB_PASSWORD, githubToken. Not what only speaks of one (..._FILE, ..._TTL) or is meant for browsers
 * (NEXT_PUBLIC_...). */
bool secret_is_name(Str name);

/* "NAME=value" of the process's environment without such variables, but for those in `kept` (their
 * names, ended by NULL; may be NULL): what a child may see that was not given more. In the arena, ended
 * by NULL. */
const char *const *secret_free_environment(Arena *a, const char *const *kept);
