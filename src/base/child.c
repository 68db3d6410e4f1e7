/* Child processes: starting, streams in both directions, ending. */
#include "base/child.h"

#include "base/clock.h"
#include "base/secret.h"
#include "base/fs.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    PIPE_BYTES = 1024 * 1024,
    KEPT_MAX = 64 * 1024,
    TICK_MS = 100,
    REAP_MS = 10,
    GRACE_MS = 3000, /* between SIGTERM and SIGKILL */
};

static void
close_end(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

/* ---- start --------------------------------------------------------------------------------- */

/* What the new process puts at one of its three places: -1 = leave ours there. */
static int
other_end(ChildStream stream, int pipe_end)
{
    if (stream == CHILD_NULL)
        return open("/dev/null", O_RDWR | O_CLOEXEC);
    return stream == CHILD_INHERIT ? -1 : pipe_end;
}

static int
above(int fd)
{
    return fd > 2 ? fd : fcntl(fd, F_DUPFD_CLOEXEC, 3);
}

static _Noreturn void
give_up(int report)
{
    int e = errno;
    while (write(report, &e, sizeof e) < 0 && errno == EINTR)
        ;
    _exit(127);
}

static _Noreturn void
become(const Child *c, const int *ends, int report, pid_t parent)
{
    const ChildOptions *o = c->options;
    /* Above the three places first, so that none overwrites another. */
    int at[3];
    report = above(report);
    for (int i = 0; i < 3; i++)
        at[i] = ends[i] >= 0 ? above(ends[i]) : -1;
    for (int i = 0; i < 3; i++)
        if (ends[i] >= 0 && (at[i] < 0 || dup2(at[i], i) < 0))
            give_up(report); /* it would have ours */
    if (o->own_group)
        setpgid(0, 0);
    signal(SIGPIPE, SIG_DFL);
    signal(SIGXFSZ, SIG_DFL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent) /* it died before that call */
        _exit(127);
    if (!o->folder || chdir(o->folder) == 0) {
        union {
            const char *const *in;
            char *const *out;
        } av = {o->argv}, ev = {c->env};
        execvpe(o->argv[0], av.out, ev.out);
    }
    give_up(report);
}

typedef struct Pipe {
    int read, write;
} Pipe;

static bool
pipe_for(ChildStream stream, Pipe *ret)
{
    *ret = (Pipe){-1, -1};
    int fds[2];
    if (stream != CHILD_PIPE && stream != CHILD_KEEP)
        return true;
    if (pipe2(fds, O_CLOEXEC) != 0)
        return false;
    *ret = (Pipe){fds[0], fds[1]};
    return true;
}

/* Fork, and learn whether the program could be run. Returns errno, 0 = it runs. */
static int
spawn(Child *c, const int *ends)
{
    int report[2];
    if (pipe2(report, O_CLOEXEC) != 0)
        return errno;
    pid_t parent = getpid(), pid = fork();
    if (pid == 0)
        become(c, ends, report[1], parent);
    int e = pid < 0 ? errno : 0;
    close(report[1]);
    if (pid > 0) {
        c->pid = pid;
        ssize_t n;
        while ((n = read(report[0], &e, sizeof e)) < 0 && errno == EINTR)
            ;
        if (n <= 0)
            e = 0;
        else {
            while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
                ;
            c->pid = 0;
        }
    }
    close(report[0]);
    return e;
}

/* As a shell tells it. */
static int
exit_status(int status)
{
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void
trace_started(const Child *c, const Err *err)
{
    Trace *t = c->options->trace;
    if (!t)
        return;
    ARENA_LOCAL(a);
    JsonWriter w;
    trace_begin(a, &w, err ? "program-not-started" : "program-started");
    if (err)
        trace_text(t, &w, "error", str_of(err->primary));
    else
        jw_int(&w, "program", c->pid);
    jw_array(&w, "argv");
    for (const char *const *arg = c->options->argv; *arg; arg++)
        trace_text(t, &w, NULL, str_of(*arg));
    jw_end(&w);
    trace_end(t, &w);
}

static void
trace_ended(const Child *c, int pid, int status)
{
    Trace *t = c->options->trace;
    if (!t)
        return;
    ARENA_LOCAL(a);
    JsonWriter w;
    trace_begin(a, &w, "program-ended");
    jw_int(&w, "program", pid);
    jw_int(&w, "status", exit_status(status));
    jw_int(&w, "ms", clock_ms() - c->started);
    trace_end(t, &w);
}

bool
child_start(Arena *a, const ChildOptions *options, Child *ret, Err *err)
{
    *ret = (Child){.options = options,
                   .env = options->env ? options->env : secret_free_environment(a, NULL),
                   .in = -1,
                   .life = -1,
                   .out = -1,
                   .messages = -1,
                   .started = clock_ms()};
    buf_init(&ret->kept, a);
    Pipe in, out = {-1, -1}, messages = {-1, -1};
    /* Kept output and kept messages share one pipe, so that their order stays. */
    bool together = options->out == CHILD_KEEP && options->messages == CHILD_KEEP;
    int e = 0;
    if (!pipe_for(options->in, &in) || !pipe_for(together ? CHILD_NULL : options->out, &out) ||
        !pipe_for(options->messages, &messages))
        e = errno;
    int ends[3] = {
        other_end(options->in, in.read),
        other_end(options->out, together ? messages.write : out.write),
        options->messages == CHILD_WITH_OUT ? out.write
                                            : other_end(options->messages, messages.write),
    };
    /* Without one of them the child would have ours. */
    const ChildStream streams[3] = {options->in, options->out, options->messages};
    for (int i = 0; i < 3 && !e; i++)
        if (ends[i] < 0 && streams[i] != CHILD_INHERIT)
            e = errno;
    if (!e)
        e = spawn(ret, ends);
    for (int i = 0; i < 3; i++) {
        if (ends[i] >= 0 && ends[i] != in.read && ends[i] != out.write && ends[i] != messages.write)
            close(ends[i]);
    }
    close_end(&in.read);
    close_end(&out.write);
    close_end(&messages.write);
    ret->in = in.write;
    ret->out = out.read;
    ret->messages = messages.read;
    if (e) {
        child_end(ret);
        err_set(err, ERR_IO, "cannot run \"%s\": %s", options->argv[0], strerror(e));
        trace_started(ret, err);
        return false;
    }
    int ours[] = {ret->in, ret->out, ret->messages};
    for (int i = 0; i < 3; i++) {
        if (ours[i] < 0)
            continue;
        fcntl(ours[i], F_SETFL, O_NONBLOCK);
        fcntl(ours[i], F_SETPIPE_SZ, PIPE_BYTES); /* may be refused: fewer turns for each */
    }
    ret->life = (int)syscall(SYS_pidfd_open, ret->pid, 0);
    trace_started(ret, NULL);
    return true;
}

/* ---- streams ------------------------------------------------------------------------------- */

/* Whether read(2) or write(2) only has nothing to do now. */
static bool
is_idle(ssize_t n)
{
    return n < 0 && (errno == EAGAIN || errno == EINTR);
}

static void
keep(Child *c, int *fd)
{
    char tmp[4096];
    ssize_t n = read(*fd, tmp, sizeof tmp);
    if (n > 0 && c->kept.n < KEPT_MAX)
        buf_add(&c->kept, (Str){tmp, (size_t)n});
    else if (n <= 0 && !is_idle(n))
        close_end(fd);
}

static bool
is_late(const Child *c)
{
    return c->options->timeout_ms && clock_ms() - c->started > c->options->timeout_ms;
}

static bool
is_stopped(Child *c)
{
    int64_t now = clock_ms();
    if (!c->options->tick || now - c->ticked < TICK_MS)
        return false;
    c->ticked = now;
    return !c->options->tick(c->options->tick_arg, now - c->started);
}

static bool
interrupted(Child *c, Err *err)
{
    child_end(c);
    return err_set(err, ERR_INTERRUPTED, "interrupted while \"%s\" was running",
                   fs_basename(c->options->argv[0]));
}

bool
child_exchange(Child *c, Str *input, char *to, size_t cap, size_t *ret_n, Err *err)
{
    *ret_n = 0;
    for (;;) {
        bool sends = input && input->n > 0;
        if (sends && c->in < 0) {
            *input = (Str){input->p + input->n, 0};
            return true;
        }
        bool takes = cap > 0 && c->out >= 0;
        if (!sends && !takes)
            return true;
        if (is_late(c)) {
            child_end(c);
            return err_set(err, ERR_TIMEOUT, "\"%s\" did not end within %lld s",
                           fs_basename(c->options->argv[0]),
                           (long long)(c->options->timeout_ms / 1000));
        }
        struct pollfd fds[] = {
            {.fd = sends ? c->in : -1, .events = POLLOUT},
            {.fd = takes ? c->out : -1, .events = POLLIN},
            {.fd = c->messages, .events = POLLIN},
            {.fd = takes ? c->life : -1, .events = POLLIN},
        };
        int ready = poll(fds, 4, TICK_MS);
        if (ready < 0 && errno != EINTR)
            return err_set(err, ERR_IO, "cannot wait for \"%s\": %s", c->options->argv[0],
                           strerror(errno));
        if (is_stopped(c))
            return interrupted(c, err);
        if (ready <= 0)
            continue;
        if (fds[2].revents)
            keep(c, &c->messages);
        if (fds[1].revents) {
            ssize_t n = read(c->out, to, cap);
            if (n > 0) {
                *ret_n = (size_t)n;
                return true;
            }
            if (!is_idle(n))
                close_end(&c->out);
        } else if (fds[3].revents)
            close_end(&c->out); /* what it has started may hold it open for ever */
        if (fds[0].revents) {
            ssize_t n = write(c->in, input->p, input->n);
            if (n > 0) {
                *input = str_slice(*input, (size_t)n, input->n);
                return true;
            }
            if (!is_idle(n))
                close_end(&c->in);
        }
    }
}

void
child_end_input(Child *c)
{
    close_end(&c->in);
}

/* ---- end ----------------------------------------------------------------------------------- */

/* Whether it ended; reaps it then. */
static bool
reap(Child *c, int *status)
{
    pid_t pid = waitpid(c->pid, status, WNOHANG);
    if (pid == 0 || (pid < 0 && errno == EINTR))
        return false;
    trace_ended(c, c->pid, *status);
    c->pid = 0;
    close_end(&c->life);
    return true;
}

static void
send_signal(const Child *c, int sig)
{
    kill(c->options->own_group ? -c->pid : c->pid, sig);
}

void
child_end(Child *c)
{
    close_end(&c->in);
    close_end(&c->out);
    close_end(&c->messages);
    int status;
    if (c->pid <= 0 || reap(c, &status))
        return;
    send_signal(c, SIGTERM);
    for (int64_t end = clock_ms() + GRACE_MS; clock_ms() < end; clock_sleep_ms(REAP_MS)) {
        if (reap(c, &status))
            return;
    }
    send_signal(c, SIGKILL);
    while (waitpid(c->pid, &status, 0) < 0 && errno == EINTR)
        ;
    trace_ended(c, c->pid, status);
    c->pid = 0;
    close_end(&c->life);
}

bool
child_finish(Child *c, ChildResult *ret, Err *err)
{
    *ret = (ChildResult){0};
    close_end(&c->in);
    int status = 0;
    int64_t kill_at = 0;
    bool has_ended = c->pid <= 0;
    while (!has_ended) {
        int *open_end = c->messages >= 0 ? &c->messages : &c->out;
        /* Both closed: only its end is waited for. */
        struct pollfd fds[] = {{.fd = c->messages, .events = POLLIN},
                               {.fd = c->out, .events = POLLIN},
                               {.fd = c->life, .events = POLLIN}};
        poll(fds, 3, *open_end >= 0 ? 2 * REAP_MS : REAP_MS);
        if (fds[0].revents)
            keep(c, &c->messages);
        if (fds[1].revents) {
            char lost[4096];
            if (c->options->out == CHILD_KEEP)
                keep(c, &c->out);
            else {
                ssize_t n = read(c->out, lost, sizeof lost);
                if (n <= 0 && !is_idle(n))
                    close_end(&c->out);
            }
        }
        has_ended = reap(c, &status);
        if (has_ended)
            break;
        if (is_late(c) && clock_ms() > kill_at) {
            send_signal(c, ret->timed_out ? SIGKILL : SIGTERM);
            ret->timed_out = true;
            kill_at = clock_ms() + GRACE_MS;
        }
        if (is_stopped(c))
            return interrupted(c, err);
    }
    /* What it left in the pipes; grandchildren may hold them open for ever. */
    for (int before = -1; c->messages >= 0 && before != (int)c->kept.n;) {
        before = (int)c->kept.n;
        keep(c, &c->messages);
    }
    for (int before = -1;
         c->out >= 0 && c->options->out == CHILD_KEEP && before != (int)c->kept.n;) {
        before = (int)c->kept.n;
        keep(c, &c->out);
    }
    close_end(&c->messages);
    close_end(&c->out);
    ret->status = exit_status(status);
    ret->out = buf_str(&c->kept);
    return true;
}

bool
child_run(Arena *a, const char *const *argv, const char *const *env, int64_t timeout_ms,
          ChildResult *ret, Err *err)
{
    ChildOptions o = {.argv = argv,
                      .env = env,
                      .out = CHILD_KEEP,
                      .messages = CHILD_KEEP,
                      .timeout_ms = timeout_ms};
    CHILD_LOCAL c;
    return child_start(a, &o, &c, err) && child_finish(&c, ret, err);
}
