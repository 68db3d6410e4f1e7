/* The process's surroundings: environment variables, random bytes, signals, who we are. */
#pragma once

#include "base/err.h"
#include "base/vec.h"

/* Value of an environment variable, NULL when unset. The only caller of getenv. */
const char *os_env(const char *name);

/* "user@host", as the environment names the user, else by its number; for records. */
char *os_who(Arena *a);

/* Fill with bytes from the kernel's generator. */
void os_random(void *p, size_t n);

/* A version 4 UUID as text, 36 characters. */
char *os_uuid(Arena *a);

/* Install handlers for SIGINT, SIGTERM, SIGHUP (also needed as PID 1) and ignore SIGPIPE, SIGXFSZ. */
void os_signals_catch(void);

/* The first caught signal, 0 = none. */
int os_signal_pending(void);

/* Identity of this process for others on the machine, at most 40 characters of [0-9a-z/.-]:
 * "<space>/<pid>/<start>/<host>", where <space> names the kernel boot and the pid name space, and
 * <start> the process's start time, so that a reused pid is told apart. */
char *os_self_tag(Arena *a);
/* The same of another process of this machine; NULL: there is none. */
char *os_tag(Arena *a, long pid);

typedef enum OsAlive {
    OS_ALIVE,
    OS_DEAD,
    OS_ELSEWHERE, /* another machine or container: nothing can be said */
} OsAlive;

/* Whether the process that made this tag still runs. */
OsAlive os_tag_alive(Str tag);
