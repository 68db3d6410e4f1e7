/* Child processes: a stream for each direction, a deadline, and an end in any case.
 *
 * A child never outlives us: it gets SIGTERM when this process dies. Files of ours are not
 * inherited. SIGPIPE must be ignored (os_signals_catch) where input is written. */
#pragma once

#include "base/err.h"
#include "base/trace.h"
#include "base/vec.h"

typedef enum ChildStream {
    CHILD_NULL,     /* /dev/null */
    CHILD_PIPE,     /* through child_exchange */
    CHILD_KEEP,     /* output only: kept for ChildResult.out, its first 64 kB */
    CHILD_INHERIT,  /* ours */
    CHILD_WITH_OUT, /* messages only: the same pipe as output of CHILD_PIPE */
} ChildStream;

typedef struct ChildOptions {
    const char *const *argv;       /* argv[0] is a path or found in PATH; ends with NULL */
    const char *const *env;        /* "K=V" strings ending with NULL; NULL = ours without
                                what looks like a secret (base/secret.h) */
    const char *folder;            /* to start in; NULL = ours */
    ChildStream in, out, messages; /* standard input, output, error */
    bool own_group; /* with the processes that it starts, which end with it; Ctrl-C of the terminal
                       then reaches it through `tick` only */
    int64_t timeout_ms; /* of its whole life, then it is ended (ERR_TIMEOUT); 0 = none */
    bool (*tick)(void *arg, int64_t elapsed_ms); /* several times a second; false ends it
                                                    (ERR_INTERRUPTED); may be NULL */
    void *tick_arg;
    Trace *trace; /* may be NULL */
} ChildOptions;

typedef struct Child {
    const ChildOptions *options;
    const char *const *env;
    int pid;               /* 0 = not running */
    int in, out, messages; /* our ends, -1 = none or closed */
    int life;              /* readable when it has ended (a pidfd); -1 = the kernel has none */
    int64_t started, ticked;
    Buf kept;
} Child;

typedef struct ChildResult {
    int status; /* exit status, or 128 + signal */
    Str out;    /* what was kept of its output and messages together */
    bool timed_out;
} ChildResult;

/* Start it. `options` must live as long as `ret`; put CHILD_LOCAL before the variable, so that it
 * is ended when the block is left before child_finish. errors: ERR_IO, it cannot be started (kept
 * is empty then). */
MUST_CHECK bool child_start(Arena *a, const ChildOptions *options, Child *ret, Err *err);

/* Move bytes both ways, whichever way is free first: from the front of *input to its standard
 * input, and from its standard output to `to`. What it says meanwhile is kept.
 *
 * input    shortened by what was taken; NULL or empty = nothing to send now. A child that closed
 * its input takes everything and loses it: its exit status tells why cap      room in `to`; 0 =
 * only send ret_n    bytes that came; 0 with *input not shortened = its output is at its end, or it has
 * ended and nothing of it is left there, whoever else holds it open errors
 * ERR_TIMEOUT, ERR_INTERRUPTED (it is ended), ERR_IO */
MUST_CHECK bool child_exchange(Child *c, Str *input, char *to, size_t cap, size_t *ret_n, Err *err);

/* No more input. */
void child_end_input(Child *c);

/* Close its input, keep what it still says (output of CHILD_PIPE is thrown away), wait for its end.
 * A timeout is no error here: timed_out tells. errors: ERR_INTERRUPTED, ERR_IO */
MUST_CHECK bool child_finish(Child *c, ChildResult *ret, Err *err);

/* End it with SIGTERM, after three seconds with SIGKILL, and reap it. Nothing to do when it ended.
 */
void child_end(Child *c);
#define CHILD_LOCAL __attribute__((cleanup(child_end))) Child

/* Run a program and wait; input is empty, output and messages are kept together. timeout_ms 0 =
 * none. errors: ERR_IO, it could not be started. */
MUST_CHECK bool child_run(Arena *a, const char *const *argv, const char *const *env,
                          int64_t timeout_ms, ChildResult *ret, Err *err);
