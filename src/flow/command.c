/* A program of the project: what it says is passed on as it comes. */
#include "flow/command.h"

#include "base/child.h"
#include "base/fs.h"
#include "base/os.h"

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

const char *
flow_path(Arena *a, const char *folder)
{
    const char *path = os_env("PATH"), *bin = flow_find_up(a, folder, "node_modules/.bin");
    path = path ? path : "/usr/local/bin:/usr/bin:/bin";
    return bin ? str_fmt(a, "PATH=%s/node_modules/.bin:%s", bin, path)
               : str_fmt(a, "PATH=%s", path);
}

static const char *
url_of(const Config *c, const Target *t)
{
    const ConfigValue *url = &c->values[CFG_URL];
    if (t->embedded)
        return t->shown;
    return url->text && url->text[0] ? url->text : config_target(c)->text;
}

ConfigList
flow_urls(Arena *a, const Config *c, const Target *t)
{
    ConfigList list = {0};
    const char *url = url_of(c, t), *direct = config_target(c) ? config_target(c)->text : url;
    *vec_add(a, &list) = str_fmt(a, "DATABASE_URL=%s", url);
    *vec_add(a, &list) = str_fmt(a, "DIRECT_URL=%s", direct);
    vec_each (const char *const, v, &c->url_variables)
        if (strcmp(*v, "DATABASE_URL") != 0 && strcmp(*v, "DIRECT_URL") != 0)
            *vec_add(a, &list) = str_fmt(a, "%s=%s", *v, url);
    return list;
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
