#include "cli/watching.h"

#include "cli/cli_int.h"

#include "base/fs.h"
#include "base/os.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/inotify.h>
#include <sys/wait.h>
#include <unistd.h>

/* An editor writes several files, or one in several pieces. */
enum { SETTLE_MS = 150 };

typedef struct Watching {
    const CmdCall *call;
    int (*look)(CmdCall *);
    int (*make)(CmdCall *);
} Watching;

/* What is the same in a file that is written, moved into its place or taken away. */
#define EVENTS (IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE)

static bool
watch_folder(int fd, const char *dir, Err *err)
{
    ARENA_LOCAL(a);
    FsEntryVec entries = {0};
    if (inotify_add_watch(fd, dir, EVENTS) < 0)
        return err_set(err, ERR_IO, "cannot watch \"%s\": %s", dir, strerror(errno));
    if (!fs_list(a, dir, &entries, err))
        return false;
    vec_each (const FsEntry, e, &entries) {
        const char *path = fs_join(a, dir, e->name);
        if (fs_kind(path) == FS_DIR && strcmp(e->name, "migrations") != 0 &&
            !watch_folder(fd, path, err))
            return false;
    }
    return true;
}

static bool
watch_begin(Arena *a, const Config *c, int *ret, Err *err)
{
    if (!c->schema_path) {
        err_set(err, ERR_NO_SCHEMA, "there is no schema.prisma to watch");
        return err_hint(err, "name it: --schema PATH");
    }
    *ret = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (*ret < 0)
        return err_set(err, ERR_IO, "cannot watch files: %s", strerror(errno));
    const char *file = c->schema_path;
    if (fs_kind(file) == FS_DIR)
        return watch_folder(*ret, file, err);
    const char *dir = fs_dirname(a, file); /* the file itself is another one after a save */
    return inotify_add_watch(*ret, dir, EVENTS) >= 0 ||
           err_set(err, ERR_IO, "cannot watch \"%s\": %s", dir, strerror(errno));
}

/* Take what has happened; whether a schema's file is among it. */
static bool
has_changed(int fd)
{
    _Alignas(struct inotify_event) char block[8192];
    bool changed = false;
    for (ssize_t n; (n = read(fd, block, sizeof block)) > 0;)
        for (char *p = block; p < block + n;) {
            const struct inotify_event *e = (const void *)p;
            changed = changed || (e->len && str_ends(str_of(e->name), STR(".prisma")));
            p += sizeof *e + e->len;
        }
    return changed;
}

/* The call without --watch, in a process of its own: it leaves nothing behind in this one. */
static int
run_apart(const Watching *w, const char *name, bool is_look)
{
    const CmdCall *call = w->call;
    static const OptSpec dry_run = {.name = "dry-run", .type = OPT_FLAG};
    fflush(call->out);
    fflush(call->err);
    pid_t pid = fork();
    if (pid < 0)
        return -1;
    if (pid == 0) {
        Arena *a = call->arena;
        CmdCall own = *call;
        own.options.n = own.args.n = 0;
        own.options.v = NULL, own.args.v = NULL, own.options.cap = own.args.cap = 0;
        vec_each (const OptValue, o, &call->options)
            if (strcmp(o->spec->name, "watch") != 0)
                *vec_add(a, &own.options) = *o;
        *vec_add(a, &own.args) = name;
        if (is_look) {
            *vec_add(a, &own.options) = (OptValue){&dry_run, "--dry-run", NULL, 1};
            int null = open("/dev/null", O_RDONLY | O_CLOEXEC); /* nobody is asked while it looks */
            if (null >= 0)
                dup2(null, STDIN_FILENO);
        }
        int status = is_look ? w->look(&own) : w->make(&own);
        fflush(call->out);
        fflush(call->err);
        _exit(status);
    }
    int status = 0;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void
look(const Watching *w)
{
    const CmdCall *call = w->call;
    enum { NOTHING_TO_CREATE = 60 };
    int status = run_apart(w, "next", true);
    if (status == 0)
        cli_note(call, "Its name, to write and apply it; Enter to look again; q to stop:");
    else if (status == NOTHING_TO_CREATE)
        cli_note(call, "Waiting for a change of the schema; q to stop.");
    else if (!os_signal_pending())
        cli_note(call, "Waiting for a change of the schema. A name writes and applies the "
                       "migration, and asks what is open; q to stop:");
}

/* What a person has typed. false: that was the last of it. */
static bool
answer(const Watching *w)
{
    const CmdCall *call = w->call;
    char line[256];
    if (!fgets(line, sizeof line, stdin))
        return false;
    const char *name = str_dup(call->arena, str_trim(str_copy(call->arena, str_of(line))));
    if (strcmp(name, "q") == 0)
        return false;
    if (*name)
        run_apart(w, name, false);
    look(w);
    return true;
}

int
watch_schema(CmdCall *call, int (*look_at)(CmdCall *), int (*make)(CmdCall *))
{
    const Watching w = {call, look_at, make};
    os_signals_catch();
    Config config;
    Err err;
    FD_LOCAL fd = -1;
    if (!cli_can_ask(call)) {
        err_set(&err, ERR_USAGE,
                "--watch needs a terminal: it shows what would be done, and waits for a name");
        err_hint(&err, "without one: aramid dev NAME");
        return cli_fail(call, &err);
    }
    if (!cli_load_config(call, &config, &err) || !watch_begin(call->arena, &config, &fd, &err))
        return cli_fail(call, &err);
    look(&w);
    struct pollfd wait[] = {{.fd = fd, .events = POLLIN}, {.fd = STDIN_FILENO, .events = POLLIN}};
    while (!os_signal_pending()) {
        if (poll(wait, 2, 100) <= 0)
            continue;
        if (wait[1].revents && !answer(&w))
            return 0;
        if (!wait[0].revents)
            continue;
        poll(NULL, 0, SETTLE_MS);
        if (has_changed(fd))
            look(&w);
    }
    err_set(&err, ERR_INTERRUPTED, "stopped; what was not applied is not written");
    return cli_fail(call, &err);
}
