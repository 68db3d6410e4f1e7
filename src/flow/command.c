/* A program of the project: what it says is passed on as it comes. */
#include "flow/command.h"

#include "base/child.h"
#include "base/fs.h"

enum { LINE_MAX_BYTES = 8192 };

const char *
flow_find_up(Arena *a, const char *dir, const char *name)
{
    for (;;) {
        if (fs_exists(fs_join(a, dir, name)))
            return dir;
        const char *up = fs_dirname(a, dir);
        if (fs_exists(fs_join(a, dir, ".git")) || strcmp(up, dir) == 0)
            return NULL;
        dir = up;
    }
}

static void
put_line(const FlowCommand *c, Str line)
{
    ARENA_LOCAL(scratch);
    const SecretVec *secrets = &c->in->config->secrets;
    c->on_output(c->arg, url_hide(scratch, line, secrets->v, secrets->n));
}

/* Whole lines, so that a password is never cut in two; a very long one is passed on in parts. */
static bool
stream(Arena *a, const FlowCommand *c, Child *child, Err *err)
{
    Buf line;
    buf_init(&line, a);
    for (;;) {
        char part[4096];
        size_t n;
        if (!child_exchange(child, NULL, part, sizeof part, &n, err))
            return false;
        if (!n)
            break;
        for (size_t i = 0; i < n; i++) {
            buf_addc(&line, part[i]);
            if (part[i] != '\n' && line.n < LINE_MAX_BYTES)
                continue;
            put_line(c, buf_str(&line));
            buf_clear(&line);
        }
    }
    if (line.n)
        put_line(c, buf_str(&line));
    return true;
}

bool
flow_command(Arena *a, const FlowCommand *c, int *ret_status, Err *err)
{
    ChildOptions o = {.argv = c->argv,
                      .trace = c->in->config->trace,
                      .env = c->env,
                      .folder = c->folder,
                      .out = CHILD_PIPE,
                      .messages = CHILD_WITH_OUT,
                      .own_group = true,
                      .timeout_ms = c->timeout_ms,
                      .tick = c->in->tick,
                      .tick_arg = c->in->tick_arg};
    CHILD_LOCAL child;
    ChildResult done;
    if (!child_start(a, &o, &child, err) || !stream(a, c, &child, err) ||
        !child_finish(&child, &done, err))
        return false;
    *ret_status = done.status;
    if (done.timed_out)
        err_set(err, ERR_TIMEOUT, "\"%s\" did not end in time", c->name);
    return !done.timed_out;
}
