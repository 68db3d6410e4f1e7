/* Starting PostgreSQL's programs: another user, no inherited files, one log. */
#include "shadow/shadow_int.h"

#include "base/clock.h"
#include "base/fs.h"
#include "base/os.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

typedef enum SpawnStep {
    STEP_PID, /* no failure: the number is the detached process's id */
    STEP_FORK,
    STEP_USER,
    STEP_LOG,
    STEP_EXEC,
} SpawnStep;

static const char *const step_texts[] = {
    [STEP_FORK] = "cannot start a process",
    [STEP_USER] = "cannot become the server's user",
    [STEP_LOG] = "cannot write the log",
    [STEP_EXEC] = "cannot run",
};

/* What the new process tells through the pipe; a successful exec closes it without a word. */
typedef struct SpawnReport {
    SpawnStep step;
    int number; /* errno or pid */
} SpawnReport;

enum { KEPT_FD = 3, REPORT_FD = 4 };

static void
report_send(int fd, SpawnStep step, int number)
{
    SpawnReport r = {step, number};
    while (write(fd, &r, sizeof r) < 0 && errno == EINTR)
        ;
}

static _Noreturn void
report_failure(int fd, SpawnStep step)
{
    report_send(fd, step, errno);
    _exit(127);
}

/* Bring the two inherited files to fixed places and close all others: a server that lives for
 * hours must not hold a pipe of the shell or CI job that started us. */
static int
arrange_files(int keep_fd, int report_fd)
{
    int report = fcntl(report_fd, F_DUPFD_CLOEXEC, REPORT_FD + 1);
    int keep = keep_fd >= 0 ? fcntl(keep_fd, F_DUPFD_CLOEXEC, REPORT_FD + 1) : -1;
    if (keep >= 0)
        dup2(keep, KEPT_FD);
    else
        close(KEPT_FD);
    dup3(report, REPORT_FD, O_CLOEXEC);
    closefrom(REPORT_FD + 1);
    return REPORT_FD;
}

static bool
arrange_output(const char *log_path)
{
    int in = open("/dev/null", O_RDONLY);
    int out = open(log_path, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW, 0600);
    return in >= 0 && out >= 0 && dup2(in, 0) == 0 && dup2(out, 1) == 1 && dup2(out, 2) == 2;
}

static void
default_signals(void)
{
    static const int ignored_by_us[] = {SIGPIPE, SIGXFSZ, SIGHUP, SIGINT, SIGQUIT, SIGTERM};
    for (size_t i = 0; i < COUNT(ignored_by_us); i++)
        signal(ignored_by_us[i], SIG_DFL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

static _Noreturn void
child_main(const SpawnRequest *r, char *const *argv, char *const *env, pid_t parent, int report_fd)
{
    default_signals();
    report_fd = arrange_files(r->keep_fd, report_fd);
    setsid();
    if (r->detach) {
        pid_t pid = fork();
        if (pid < 0)
            report_failure(report_fd, STEP_FORK);
        if (pid > 0) {
            report_send(report_fd, STEP_PID, pid);
            _exit(0);
        }
    }
    umask(077);
    if (r->user && !user_become(r->user))
        report_failure(report_fd, STEP_USER);
    /* Only now: a change of user clears it. The parent may be gone already. */
    if (r->death_signal && (prctl(PR_SET_PDEATHSIG, r->death_signal) != 0 || getppid() != parent))
        _exit(127);
    if (!arrange_output(r->log_path))
        report_failure(report_fd, STEP_LOG);
    if (chdir("/") != 0)
        report_failure(report_fd, STEP_EXEC);
    if (r->fence)
        (void)!fence_self(r->fence, argv[0]);
    execve(argv[0], argv, env);
    report_failure(report_fd, STEP_EXEC);
}

/* The names that programs need; DATABASE_URL and its like stay here. */
static const char **
minimal_environment(Arena *a)
{
    static const char *const passed[] = {
        "PATH",           "HOME",         "TMPDIR",       "LD_LIBRARY_PATH",
        "XDG_STATE_HOME", "ASAN_OPTIONS", "UBSAN_OPTIONS"};
    size_t count = COUNT(passed), n = 0;
    const char **env = arena_array(a, const char *, count + 3);
    for (size_t i = 0; i < count; i++)
        if (os_env(passed[i]))
            env[n++] = str_fmt(a, "%s=%s", passed[i], os_env(passed[i]));
    env[n++] = "LC_ALL=C";
    env[n++] = "TZ=UTC";
    return env;
}

/* Read reports until the pipe closes, which exec does. */
static bool
read_reports(const SpawnRequest *r, int fd, pid_t *pid, Err *err)
{
    bool ok = true;
    SpawnReport report;
    for (;;) {
        ssize_t n = read(fd, &report, sizeof report);
        if (n < 0 && errno == EINTR)
            continue;
        if (n != sizeof report)
            return ok;
        if (report.step == STEP_PID) {
            *pid = report.number;
            continue;
        }
        ok = false;
        bool about_log = report.step == STEP_LOG;
        err_set(err, ERR_EMBEDDED, "%s \"%s\": %s", step_texts[report.step],
                about_log ? r->log_path : r->argv[0], strerror(report.number));
        if (r->user && r->user->drop)
            err_detail(err, "as user %s, because PostgreSQL does not run as root", r->user->name);
        if (report.step == STEP_EXEC && report.number == EACCES)
            err_hint(err, "the program and every folder above it must be open to that user");
    }
}

bool
spawn_start(Arena *a, const SpawnRequest *request, pid_t *ret_pid, Err *err)
{
    union {
        const char *const *in;
        char *const *out;
    } argv = {request->argv}, env = {minimal_environment(a)};
    int fds[2];
    if (pipe2(fds, O_CLOEXEC) != 0)
        return err_set(err, ERR_EMBEDDED, "cannot create a pipe: %s", strerror(errno));
    FD_LOCAL read_fd = fds[0];
    pid_t self = getpid(), pid = fork();
    if (pid == 0)
        child_main(request, argv.out, env.out, self, fds[1]);
    close(fds[1]);
    if (pid < 0)
        return err_set(err, ERR_EMBEDDED, "cannot start a process: %s", strerror(errno));
    pid_t child = pid;
    bool ok = read_reports(request, read_fd, &child, err);
    if (request->detach || !ok)
        while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
            ;
    *ret_pid = child;
    return ok;
}

bool
spawn_wait(pid_t pid, int64_t timeout_ms, int *ret_status, Err *err)
{
    int64_t deadline = clock_ms() + timeout_ms;
    int status = 0;
    bool interrupted = false, late = false;
    for (;;) {
        pid_t got = waitpid(pid, &status, interrupted || late ? 0 : WNOHANG);
        if (got == pid)
            break;
        if (got < 0 && errno != EINTR)
            return err_set(err, ERR_EMBEDDED, "lost a child process: %s", strerror(errno));
        interrupted = os_signal_pending() != 0;
        late = clock_ms() > deadline;
        if (interrupted || late)
            kill(pid, SIGKILL);
        else
            clock_sleep_ms(5);
    }
    if (interrupted)
        return err_set(err, ERR_INTERRUPTED, "interrupted while PostgreSQL was being set up");
    if (late)
        return err_set(err, ERR_EMBEDDED, "a program of PostgreSQL did not end in time");
    *ret_status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return true;
}

int64_t
log_size(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 ? (int64_t)st.st_size : 0;
}

char *
log_tail(Arena *a, const char *path, int64_t from, size_t max)
{
    FD_LOCAL fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    struct stat st;
    if (fd < 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size <= from)
        return str_dupz(a, "");
    bool cut = (size_t)(st.st_size - from) > max;
    char *p = arena_alloc(a, max + 1);
    ssize_t n = pread(fd, p, max, cut ? st.st_size - (off_t)max : (off_t)from);
    Str text = {p, n > 0 ? (size_t)n : 0};
    if (cut)
        str_cut(&text, '\n');
    return str_printable(a, str_trim(text.p ? text : STR("")), true);
}
