/* Making a data folder. */
#include "shadow/shadow_int.h"

#include "base/fs.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <signal.h>
#include <unistd.h>

#define INITDB_TIMEOUT_MS 180000

/* What suits one developer's machine. At the end of postgresql.conf, where it counts and where its
 * owner may change it. */
static const char settings[] =
    "\n"
    "#------------------------------------------------------------------------------\n"
    "# Set by Aramid when the cluster was made; never written again: edit freely.\n"
    "# Address, socket folder and port are given on the server's command line.\n"
    "#------------------------------------------------------------------------------\n"
    "shared_buffers = 64MB\n"
    "max_connections = 50\n"
    "max_wal_size = 256MB\n"
    "min_wal_size = 32MB\n"
    "timezone = 'UTC'\n"
    "log_timezone = 'UTC'\n"
    "log_line_prefix = '%m [%p] %q%u@%d '\n";

/* Where nothing has to survive a power cut, and many databases are made. */
static const char test_settings[] = "fsync = off\n"
                                    "synchronous_commit = off\n"
                                    "full_page_writes = off\n"
                                    "wal_level = minimal\n"
                                    "max_wal_senders = 0\n"
                                    "max_connections = 300\n"
                                    "max_wal_size = 1GB\n"
                                    "checkpoint_timeout = 1h\n";

static bool
run_once(Arena *a, const InitdbRequest *r, const char *locale, bool *ret_bad_locale, Err *err)
{
    const char *argv[16];
    int n = 0;
    argv[n++] = fs_join(a, r->binaries->bindir, "initdb");
    argv[n++] = "-D";
    argv[n++] = fs_join(a, r->dir, "data");
    argv[n++] = "--username=postgres";
    argv[n++] = "--auth=trust"; /* the socket's folder is open to one user only */
    argv[n++] = "--encoding=UTF8";
    argv[n++] = str_fmt(a, "--locale=%s", locale);
    if (r->binaries->major >= 14)
        argv[n++] = "--no-instructions";
    if (r->throwaway)
        argv[n++] = "--wal-segsize=1";
    if (!r->synced)
        argv[n++] = "--no-sync";
    argv[n] = NULL;
    const char *log = fs_join(a, r->dir, "initdb.log");
    int64_t from = log_size(log);
    SpawnRequest spawn = {.argv = argv,
                          .user = r->user,
                          .log_path = log,
                          .keep_fd = r->keep_fd,
                          .death_signal = SIGKILL};
    pid_t pid;
    int status;
    if (!spawn_start(a, &spawn, &pid, err) || !spawn_wait(pid, INITDB_TIMEOUT_MS, &status, err))
        return false;
    if (status == 0)
        return true;
    char *output = log_tail(a, log, from, 1500);
    *ret_bad_locale = str_contains(str_of(output), STR("invalid locale"));
    err_set(err, ERR_EMBEDDED, "the embedded database could not be made");
    return err_detail(err, "%s ended with status %d\n%s", argv[0], status, output);
}

bool
initdb_settings(Arena *a, const char *dir, bool for_tests, Err *err)
{
    const char *path = fs_join(a, dir, "data/postgresql.conf");
    FD_LOCAL fd = open(path, O_WRONLY | O_APPEND | O_NOFOLLOW | O_CLOEXEC);
    const char *text = for_tests ? str_fmt(a, "%s%s", settings, test_settings) : settings;
    const ssize_t size = (ssize_t)strlen(text);
    if (fd >= 0 && write(fd, text, (size_t)size) == size && (for_tests || fsync(fd) == 0))
        return true;
    return err_set(err, ERR_EMBEDDED, "cannot write \"%s\": %s", path, strerror(errno));
}

bool
initdb_run(Arena *a, const InitdbRequest *request, Err *err)
{
    /* initdb, unlike the server, insists on a name. */
    if (!getpwuid(request->user->uid)) {
        err_set(err, ERR_EMBEDDED, "the user id %u has no entry in the password file",
                (unsigned)request->user->uid);
        err_detail(err, "PostgreSQL's initdb looks up the name of the user who runs it; containers "
                        "with arbitrary user ids lack one");
        return err_hint(err,
                        "add one when the image is built or started: "
                        "echo \"aramid:x:%u:0::/tmp:/bin/sh\" >> /etc/passwd; "
                        "or use a database of your own: --url",
                        (unsigned)request->user->uid);
    }
    Err reason; /* may be of the first try only */
    bool bad_locale = false;
    if (!run_once(a, request, "C.UTF-8", &bad_locale, &reason) &&
        (!bad_locale || !run_once(a, request, "C", &bad_locale, &reason))) {
        *err = reason;
        return false;
    }
    return request->throwaway || initdb_settings(a, request->dir, request->for_tests, err);
}
