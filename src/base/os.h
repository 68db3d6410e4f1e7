/* The process's surroundings: environment variables, random bytes, signals, who we are. */
#pragma once

#include "base/err.h"
#include "base/vec.h"

/* Value of an environment variable, NULL when unset. The only caller of getenv. */
const char *os_env(const char *name);

/* Fill with bytes from the kernel's generator. */
void os_random(void *p, size_t n);

/* A version 4 UUID as text, 36 characters. */
char *os_uuid(Arena *a);

/* Install handlers for SIGINT, SIGTERM, SIGHUP (also needed as PID 1) and ignore SIGPIPE, SIGXFSZ. */
void os_signals_catch(void);

/* The first caught signal, 0 = none; and how many came in all. */
int os_signal_pending(void);
int os_signal_count(void);

/* Identity of this process for others on the machine, at most 40 characters of [0-9a-z/.-]:
 * "<space>/<pid>/<start>/<host>", where <space> names the kernel boot and the pid name space, and
 * <start> the process's start time, so that a reused pid is told apart. */
char *os_self_tag(Arena *a);

typedef enum OsAlive {
    OS_ALIVE,
    OS_DEAD,
    OS_ELSEWHERE, /* another machine or container: nothing can be said */
} OsAlive;

/* Whether the process that made this tag still runs. */
OsAlive os_tag_alive(Str tag);

typedef VEC(const char *) ArgVec;

typedef struct ChildResult {
    int status; /* exit status, or 128 + signal */
    Str out;    /* standard output and standard error together, at most 64 kB kept */
    bool timed_out;
} ChildResult;

/* Run a program and wait: argv[0] is a path or found in PATH, argv ends with NULL; env NULL =
 * inherited, else "K=V" strings ending with NULL. Standard input is /dev/null. After timeout_ms
 * (0 = none) the child gets SIGTERM, then SIGKILL. false: it could not be started. */
MUST_CHECK bool os_run(Arena *a, const char *const *argv, const char *const *env,
                       int64_t timeout_ms, ChildResult *ret, Err *err);
