/* Checks of what must hold whatever the input: on in every build, release too.
 *
 *     INVARIANT(row < plan->count, "a step beyond the plan");
 *
 * Not for what a file, a server or a person can get wrong: that is an Err. The condition must be
 * cheap and without effects; `what` says in a few words what was found instead, and may be an
 * expression: it is evaluated only when the check fails. */
#pragma once

#define INVARIANT(cond, what) ((cond) ? (void)0 : invariant_broken(__FILE__, __LINE__, (what)))

/* Say on stderr where and what, and what to do; end the process with ERR_INTERNAL's exit status.
 *
 * Nothing is cleaned up on purpose: what the program believes is wrong, so neither its locks, its
 * files nor its buffered output can be trusted to it any more. The kernel closes connections and
 * releases file locks, the server rolls back what is open and frees advisory locks. The terminal's
 * modes are never changed, only a progress line is taken away. In a sanitized build the stack is
 * printed. */
_Noreturn void invariant_broken(const char *file, int line, const char *what);
