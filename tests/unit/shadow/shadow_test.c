/* Starts real servers. As root it also plays an ordinary user (nobody) in child processes. The
 * program is its own supervisor: "test-shadow db supervise ...". */
#include "shadow/shadow_int.h"

#include "base/child.h"
#include "base/clock.h"
#include "base/fs.h"
#include "base/os.h"

#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#define NOBODY 65534
#define PATIENCE_MS 900000 /* who waits longer hangs */

typedef struct Fixture {
    Arena *arena;
    char *base;      /* folder of everything that the tests make */
    char *project;   /* its cluster is shared by the tests of one server's life */
    const char *exe; /* this program */
} Fixture;

static void
must(bool ok, const Err *err)
{
    if (!ok)
        fprintf(stderr, "# %s\n# %s\n# %s\n", err->primary, err->detail, err->hint);
    assert_true(ok);
}

static char *
make_project(const Fixture *f, const char *name)
{
    Err err;
    char *dir = fs_join(f->arena, f->base, name);
    must(fs_mkdirs(dir, 0755, &err), &err);
    return dir;
}

static ClusterInfo
ensure(Arena *a, const ClusterOptions *options)
{
    Err err;
    ClusterInfo info;
    must(cluster_ensure(a, options, &info, &err), &err);
    assert_true(info.running);
    assert_true(info.postmaster_pid > 1);
    return info;
}

static void
stop(Arena *a, const ClusterOptions *options)
{
    Err err;
    bool was_running;
    ClusterInfo info;
    must(cluster_inspect(a, options, &info, &err), &err);
    must(cluster_stop(a, options, PATIENCE_MS, &was_running, &err), &err);
    assert_false(info.socket_dir && fs_exists(info.socket_dir));
}

static void
query(const ClusterInfo *info, const char *sql, const char *expected)
{
    ProbeResult r;
    probe(info->socket_dir, info->port, info->database, sql, PATIENCE_MS, &r);
    if (r.state != PROBE_READY)
        fprintf(stderr, "# %s: %s\n", sql, r.message);
    assert_int_equal(r.state, PROBE_READY);
    assert_true(r.logged_in);
    if (expected)
        assert_string_equal(r.value, expected);
}

static void
wait_for_answer(const ClusterInfo *info, const char *sql, const char *expected)
{
    ProbeResult r;
    for (int64_t deadline = clock_ms() + PATIENCE_MS;; clock_sleep_ms(5)) {
        probe(info->socket_dir, info->port, info->database, sql, PATIENCE_MS, &r);
        if (r.state == PROBE_READY && strcmp(r.value, expected) == 0)
            return;
        assert_true(clock_ms() < deadline);
    }
}

static void
wait_until_gone(pid_t pid)
{
    ARENA_LOCAL(a);
    const char *proc = str_fmt(a, "/proc/%ld/cwd", (long)pid);
    for (int64_t deadline = clock_ms() + PATIENCE_MS; fs_exists(proc);) {
        assert_true(clock_ms() < deadline);
        clock_sleep_ms(5);
    }
}

static void
write_file(const char *path, const char *text)
{
    Err err;
    must(fs_write(path, str_of(text), 0644, &err), &err);
}

/* Pid of the supervisor of a data folder, 0 = none. */
static pid_t
supervisor_pid(Arena *a, const char *data)
{
    Err err;
    FsEntryVec entries;
    must(fs_list(a, "/proc", &entries, &err), &err);
    vec_each (FsEntry, e, &entries) {
        Str text;
        if (e->name[0] < '1' || e->name[0] > '9' ||
            !fs_read(a, str_fmt(a, "/proc/%s/cmdline", e->name), 0, &text, &err))
            continue;
        if (str_contains(text, STR("supervise")) && str_contains(text, str_of(data)))
            return (pid_t)atoi(e->name);
    }
    return 0;
}

/* Waits for one; `other_than` is not taken for it. */
static pid_t
wait_for_supervisor(const char *data, pid_t other_than)
{
    for (int64_t deadline = clock_ms() + PATIENCE_MS;;) {
        ARENA_LOCAL(a);
        pid_t pid = supervisor_pid(a, data);
        if (pid && pid != other_than)
            return pid;
        assert_true(clock_ms() < deadline);
        clock_sleep_ms(5);
    }
}

/* ---- without a server ---------------------------------------------------------------------- */

static void
names_of_databases(void **state)
{
    Fixture *f = *state;
    const char *const cases[][2] = {
        {"/home/x/My-Shop", "my_shop"},
        {"/srv/2024 data", "_2024_data"},
        {"/a/postgres", "app"},
        {"/a/--", "app"},
        {"/a/x__y--z.", "x_y_z"},
        {"/a/\xc3\xa4pfel", "pfel"},
        {"/", "app"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_string_equal(home_database_name(f->arena, cases[i][0]), cases[i][1]);
    char longest[100] = "/";
    memset(longest + 1, 'a', 90);
    assert_int_equal(strlen(home_database_name(f->arena, longest)), 63);
}

static void
binaries_are_found(void **state)
{
    Fixture *f = *state;
    Err err;
    PgBinaries b, same;
    must(cluster_find_binaries(f->arena, NULL, 0, &b, &err), &err);
    assert_in_range(b.major, PG_MAJOR_MIN, PG_MAJOR_MAX);
    assert_true(str_starts(str_of(b.version), str_of(str_fmt(f->arena, "%d", b.major))));
    must(cluster_find_binaries(f->arena, b.bindir, b.major, &same, &err), &err);
    assert_string_equal(same.version, b.version);

    assert_false(cluster_find_binaries(f->arena, f->base, 0, &same, &err));
    assert_int_equal(err.code, ERR_NO_POSTGRES);
    assert_non_null(strstr(err.hint, "ARAMID_PG_BINDIR"));
    assert_false(cluster_find_binaries(f->arena, b.bindir, b.major == 13 ? 14 : 13, &same, &err));
    assert_int_equal(err.code, ERR_NO_POSTGRES);
}

static void
missing_binaries_name_the_command(void **state)
{
    Fixture *f = *state;
    Err err;
    PgBinaries b;
    int missing = 0;
    for (int major = PG_MAJOR_MIN; major <= PG_MAJOR_MAX && !missing; major++)
        if (!cluster_find_binaries(f->arena, NULL, major, &b, &err))
            missing = major;
    if (!missing)
        skip();
    assert_int_equal(err.code, ERR_NO_POSTGRES);
    const char *command = binaries_install_command(f->arena, missing);
    if (command)
        assert_non_null(strstr(err.hint, command));
    assert_non_null(strstr(err.hint, "--url"));
}

static void
locks_are_inherited_and_freed(void **state)
{
    Fixture *f = *state;
    Err err;
    const char *path = fs_join(f->arena, f->base, "some.lock");
    int fd, second;
    must(lock_take(path, false, 0, &fd, &err), &err);
    assert_true(fd >= 0);
    assert_true(lock_is_held(path));
    must(lock_take(path, false, 30, &second, &err), &err);
    assert_int_equal(second, -1);
    close(fd);
    assert_false(lock_is_held(path));
}

static void
markers_keep_odd_names(void **state)
{
    Fixture *f = *state;
    Err err;
    ClusterHome home;
    Str text;
    home_paths(f->arena, f->base, "odd", &home);
    must(fs_mkdirs(home.dir, 0700, &err), &err);
    home.major = 15;
    home.project = "/tmp/a \"b\" \\ c\n\x01 \xc3\xa4";
    home.database = "x";
    must(marker_save(&home, &err), &err);
    must(fs_read(f->arena, home.marker_path, 0, &text, &err), &err);
    assert_string_equal(marker_value(f->arena, text, "project"), home.project);
    assert_string_equal(marker_value(f->arena, text, "database"), "x");
    assert_null(marker_value(f->arena, text, "socket_dir"));
    assert_null(marker_value(f->arena, text, "nothing"));
}

/* ---- the life of a cluster ----------------------------------------------------------------- */

static void
ensure_makes_starts_and_keeps(void **state)
{
    Fixture *f = *state;
    Err err;
    struct stat st;
    ClusterInfo info;
    ClusterOptions o = {.project_dir = f->project};
    must(cluster_inspect(f->arena, &o, &info, &err), &err);
    assert_null(info.data_dir);

    ClusterInfo first = ensure(f->arena, &o);
    assert_true(first.created);
    assert_true(first.started);
    assert_string_equal(first.database, "shop_2");
    assert_int_equal(first.port, SOCKET_PORT);
    assert_int_equal(stat(first.data_dir, &st), 0);
    assert_true(st.st_uid != 0);
    assert_int_equal(stat(first.socket_dir, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0700);
    assert_true(fs_exists(fs_join(f->arena, f->project, ".aramid/.gitignore")));
    query(&first, "SHOW listen_addresses", "");
    query(&first, "SHOW fsync", "on");
    query(&first, "SHOW shared_buffers", "64MB");
    query(&first, "SHOW server_encoding", "UTF8");
    query(&first, "SHOW timezone", "UTC");
    query(&first, "CREATE TABLE t AS SELECT 42 AS x", NULL);

    ClusterInfo second = ensure(f->arena, &o);
    assert_false(second.created);
    assert_false(second.started);
    assert_int_equal(second.postmaster_pid, first.postmaster_pid);

    bool was_running;
    must(cluster_stop(f->arena, &o, PATIENCE_MS, &was_running, &err), &err);
    assert_true(was_running);
    must(cluster_inspect(f->arena, &o, &info, &err), &err);
    assert_false(info.running);
    assert_int_equal(info.postmaster_pid, 0);
    must(cluster_stop(f->arena, &o, PATIENCE_MS, &was_running, &err), &err);
    assert_false(was_running);

    ClusterInfo third = ensure(f->arena, &o);
    assert_false(third.created);
    assert_true(third.started);
    assert_string_equal(third.socket_dir, first.socket_dir);
    query(&third, "SELECT x FROM t", "42");
}

static void
dropped_database_comes_back(void **state)
{
    Fixture *f = *state;
    ClusterOptions o = {.project_dir = f->project};
    ClusterInfo info = ensure(f->arena, &o);
    ClusterInfo admin = info;
    admin.database = "postgres";
    query(&admin, "DROP DATABASE shop_2", NULL);
    info = ensure(f->arena, &o);
    query(&info, "CREATE TABLE t AS SELECT 42 AS x", NULL);
}

static void
killed_server_is_replaced(void **state)
{
    Fixture *f = *state;
    ClusterOptions o = {.project_dir = f->project};
    ClusterInfo info = ensure(f->arena, &o);
    for (int i = 0; i < 2; i++) {
        kill((pid_t)info.postmaster_pid, SIGKILL);
        ClusterInfo next = ensure(f->arena, &o);
        assert_true(next.postmaster_pid != info.postmaster_pid);
        query(&next, "SELECT x FROM t", "42");
        info = next;
    }
}

/* The pid in the stale files now belongs to a living process: ours. */
static void
reused_pid_does_not_block(void **state)
{
    Fixture *f = *state;
    Arena *a = f->arena;
    ClusterOptions o = {.project_dir = f->project};
    ClusterInfo info = ensure(a, &o);
    stop(a, &o);
    mkdir(info.socket_dir, 0700);
    struct stat st;
    assert_int_equal(stat(info.data_dir, &st), 0);
    assert_int_equal(chown(info.socket_dir, st.st_uid, st.st_gid), 0);
    const char *text = str_fmt(a, "%ld\n%s\n1\n%d\n%s\n\n     1         2\nready   \n",
                               (long)getpid(), info.data_dir, info.port, info.socket_dir);
    write_file(fs_join(a, info.data_dir, "postmaster.pid"), text);
    write_file(str_fmt(a, "%s/.s.PGSQL.%d.lock", info.socket_dir, info.port), text);
    write_file(str_fmt(a, "%s/.s.PGSQL.%d", info.socket_dir, info.port), "");
    info = ensure(a, &o);
    assert_true(info.started);
    query(&info, "SELECT x FROM t", "42");
}

static void
removed_socket_comes_back(void **state)
{
    Fixture *f = *state;
    Err err;
    ClusterOptions o = {.project_dir = f->project};
    ClusterInfo info = ensure(f->arena, &o);
    must(fs_remove(info.socket_dir, &err), &err);
    ClusterInfo next = ensure(f->arena, &o);
    assert_true(next.started);
    query(&next, "SELECT x FROM t", "42");
}

static void
failed_start_shows_the_log(void **state)
{
    Fixture *f = *state;
    Err err;
    Str text;
    ClusterInfo info;
    ClusterOptions o = {.project_dir = f->project};
    info = ensure(f->arena, &o);
    stop(f->arena, &o);
    const char *conf = fs_join(f->arena, info.data_dir, "postgresql.conf");
    struct stat st;
    assert_int_equal(stat(conf, &st), 0);
    must(fs_read(f->arena, conf, 0, &text, &err), &err);
    write_file(conf, str_fmt(f->arena, "%s\nno_such_setting = 1\n", text.p));
    assert_false(cluster_ensure(f->arena, &o, &info, &err));
    assert_int_equal(err.code, ERR_EMBEDDED);
    assert_non_null(strstr(err.detail, "no_such_setting"));
    write_file(conf, str_fmt(f->arena, "%s\nwork_mem = 5MB\n", text.p));
    info = ensure(f->arena, &o);
    query(&info, "SHOW work_mem", "5MB");
}

static void
moved_project_keeps_its_data(void **state)
{
    Fixture *f = *state;
    Err err;
    Str text;
    const char *moved = fs_join(f->arena, f->base, "moved");
    ClusterOptions o = {.project_dir = f->project}, at_new = {.project_dir = moved};
    stop(f->arena, &o);
    assert_int_equal(rename(f->project, moved), 0);
    ClusterInfo info = ensure(f->arena, &at_new);
    assert_false(info.created);
    assert_string_equal(info.database, "shop_2");
    query(&info, "SELECT x FROM t", "42");
    must(fs_read(f->arena, fs_join(f->arena, info.data_dir, "../aramid-cluster.json"), 0, &text,
                 &err),
         &err);
    assert_string_equal(marker_value(f->arena, text, "project"), moved);
    stop(f->arena, &at_new);
    assert_int_equal(rename(moved, f->project), 0);
}

static void
supervisor_stops_an_idle_server(void **state)
{
    Fixture *f = *state;
    Arena *a = f->arena;
    ClusterOptions without = {.project_dir = f->project};
    ClusterInfo info = ensure(a, &without);
    pid_t user = fork();
    if (user == 0) {
        ProbeResult r;
        probe(info.socket_dir, info.port, info.database, "SELECT pg_sleep(3600)", PATIENCE_MS, &r);
        _exit(strcmp(r.sqlstate, "57014") == 0 ? 0 : 1);
    }
    wait_for_answer(&info, "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%(3600)'", "1");

    ClusterOptions o = {.project_dir = f->project, .idle_ms = 1000, .self_exe = f->exe};
    ensure(a, &o);
    pid_t supervisor = wait_for_supervisor(info.data_dir, 0);

    /* Killed, it is replaced by the next call; the server does not mind. */
    kill(supervisor, SIGKILL);
    wait_until_gone(supervisor);
    ClusterInfo next = ensure(a, &o);
    assert_int_equal(next.postmaster_pid, info.postmaster_pid);
    supervisor = wait_for_supervisor(info.data_dir, supervisor);

    /* A connection keeps the server up. */
    clock_sleep_ms(2 * o.idle_ms);
    query(&info,
          "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE query LIKE '%(3600)'"
          " AND pid <> pg_backend_pid()",
          "t");
    int status = 1;
    assert_int_equal(waitpid(user, &status, 0), user);
    assert_int_equal(status, 0);

    wait_until_gone((pid_t)info.postmaster_pid);
    wait_until_gone(supervisor);
    assert_false(fs_exists(fs_join(a, info.data_dir, "postmaster.pid"))); /* a clean end */
}

/* ---- making, with trouble ------------------------------------------------------------------ */

/* Run ensure in a child; exit status 10 = made and started, 11 = found, 1 = error. */
static pid_t
ensure_in_child(const ClusterOptions *o)
{
    pid_t pid = fork();
    if (pid != 0)
        return pid;
    ARENA_LOCAL(a);
    Err err;
    ClusterInfo info;
    if (!cluster_ensure(a, o, &info, &err)) {
        fprintf(stderr, "# %s\n# %s\n", err.primary, err.detail);
        _exit(1);
    }
    _exit(info.created ? 10 : 11);
}

static void
two_at_once_make_one_cluster(void **state)
{
    Fixture *f = *state;
    ClusterOptions o = {.project_dir = make_project(f, "twins")};
    pid_t one = ensure_in_child(&o), two = ensure_in_child(&o);
    int first = 0, second = 0;
    assert_int_equal(waitpid(one, &first, 0), one);
    assert_int_equal(waitpid(two, &second, 0), two);
    assert_int_equal(WEXITSTATUS(first) + WEXITSTATUS(second), 21);
    ClusterInfo info = ensure(f->arena, &o);
    assert_false(info.started);

    /* A copy of the project, pid file and all, is another cluster with a server of its own. */
    const char *copy = make_project(f, "twins copy");
    const char *const argv[] = {"cp", "-a", fs_join(f->arena, o.project_dir, ".aramid"), copy,
                                NULL};
    Err err;
    ChildResult result;
    ClusterOptions oc = {.project_dir = copy};
    must(child_run(f->arena, argv, NULL, PATIENCE_MS, &result, &err), &err);
    ClusterInfo other = ensure(f->arena, &oc);
    assert_true(other.started);
    assert_string_not_equal(other.socket_dir, info.socket_dir);
    assert_true(ensure(f->arena, &o).postmaster_pid == info.postmaster_pid);
    stop(f->arena, &oc);
    stop(f->arena, &o);
}

static void
interrupted_or_removed_begins_again(void **state)
{
    Fixture *f = *state;
    Err err;
    PgBinaries b;
    must(cluster_find_binaries(f->arena, NULL, 0, &b, &err), &err);
    ClusterOptions o = {.project_dir = make_project(f, "killed")};
    const char *unfinished =
        str_fmt(f->arena, "%s/.aramid/pg%d.aramid-unfinished", o.project_dir, b.major);
    pid_t pid = ensure_in_child(&o);
    while (!fs_exists(unfinished))
        clock_sleep_ms(1);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    ClusterInfo info = ensure(f->arena, &o);
    assert_true(info.created);
    assert_false(fs_exists(unfinished));

    /* The folder is removed under a running server, whose socket lives on. */
    must(fs_remove(fs_join(f->arena, o.project_dir, ".aramid"), &err), &err);
    ClusterInfo next = ensure(f->arena, &o);
    assert_true(next.created);
    assert_string_not_equal(next.socket_dir, info.socket_dir);
    kill((pid_t)info.postmaster_pid, SIGQUIT);
    wait_until_gone((pid_t)info.postmaster_pid);
    must(fs_remove(info.socket_dir, &err), &err);
    query(&next, "SELECT 1", "1");
    stop(f->arena, &o);
}

/* A folder with the real server and an initdb that fails as on a full disk. */
static void
failed_initdb_leaves_nothing(void **state)
{
    Fixture *f = *state;
    Err err;
    PgBinaries b;
    ClusterInfo info;
    FsEntryVec entries;
    char *bindir = make_project(f, "broken-bin");
    must(cluster_find_binaries(f->arena, NULL, 0, &b, &err), &err);
    assert_int_equal(
        symlink(fs_join(f->arena, b.bindir, "postgres"), fs_join(f->arena, bindir, "postgres")), 0);
    const char *initdb = fs_join(f->arena, bindir, "initdb");
    write_file(initdb, "#!/bin/sh\nmkdir -p \"$2/base\"\n"
                       "echo 'initdb: error: No space left on device'\nexit 1\n");
    chmod(initdb, 0755);
    ClusterOptions o = {.project_dir = make_project(f, "full"), .bindir = bindir};
    assert_false(cluster_ensure(f->arena, &o, &info, &err));
    assert_int_equal(err.code, ERR_EMBEDDED);
    assert_non_null(strstr(err.detail, "No space left"));
    must(fs_list(f->arena, fs_join(f->arena, o.project_dir, ".aramid"), &entries, &err), &err);
    vec_each (FsEntry, e, &entries)
        assert_int_equal(e->kind, FS_FILE);
}

static void
foreign_data_is_refused(void **state)
{
    Fixture *f = *state;
    Arena *a = f->arena;
    Err err;
    ClusterInfo info;
    char *project = make_project(f, "foreign");
    ClusterOptions o = {.project_dir = project};
    const char *data = fs_join(a, project, ".aramid/pg15/data");
    must(fs_mkdirs(data, 0700, &err), &err);
    write_file(fs_join(a, data, "PG_VERSION"), "15\n");
    assert_false(cluster_ensure(a, &o, &info, &err));
    assert_int_equal(err.code, ERR_EMBEDDED);
    assert_non_null(strstr(err.primary, "was not made by aramid"));

    o.data_dir = data;
    assert_false(cluster_ensure(a, &o, &info, &err));
    assert_non_null(strstr(err.primary, "was not made by aramid"));
    bool was_running;
    assert_false(cluster_stop(a, &o, PATIENCE_MS, &was_running, &err));
    assert_true(fs_exists(fs_join(a, data, "PG_VERSION")));
}

static void
given_folder_is_shared_by_projects(void **state)
{
    Fixture *f = *state;
    const char *dir = make_project(f, "given");
    ClusterOptions one = {.project_dir = make_project(f, "one"), .data_dir = dir};
    ClusterOptions two = {.project_dir = make_project(f, "two"), .data_dir = dir};
    ClusterInfo first = ensure(f->arena, &one), second = ensure(f->arena, &two);
    assert_int_equal(first.postmaster_pid, second.postmaster_pid);
    assert_string_equal(first.database, "one");
    assert_string_equal(second.database, "two");
    query(&first, "SELECT current_database()", "one");
    assert_string_equal(ensure(f->arena, &one).database, "one");
    /* The data folder itself names the cluster, too. */
    one.data_dir = first.data_dir;
    assert_int_equal(ensure(f->arena, &one).postmaster_pid, first.postmaster_pid);
    stop(f->arena, &one);
}

static void
other_major_is_refused(void **state)
{
    Fixture *f = *state;
    Arena *a = f->arena;
    Err err;
    PgBinaries b;
    ClusterInfo info;
    if (cluster_find_binaries(a, NULL, 13, &b, &err))
        skip();
    ClusterOptions o = {.project_dir = f->project};
    must(cluster_inspect(a, &o, &info, &err), &err);
    const char *file = fs_join(a, info.data_dir, "PG_VERSION");
    write_file(file, "13\n");
    assert_false(cluster_ensure(a, &o, &info, &err));
    assert_int_equal(err.code, ERR_EMBEDDED);
    assert_non_null(strstr(err.primary, "PostgreSQL 13"));
    assert_non_null(strstr(err.hint, "db remove"));
    assert_non_null(strstr(err.hint, "pg_dump"));
    must(cluster_inspect(a, &o, &info, &err), &err);
    assert_int_equal(info.major, 13);
    must(cluster_find_binaries(a, NULL, 0, &b, &err), &err);
    write_file(file, str_fmt(a, "%d\n", b.major));
}

/* As root: what the server's user cannot reach lies in /var/lib, with a pointer to it. */
static void
closed_folder_keeps_data_outside(void **state)
{
    Fixture *f = *state;
    Arena *a = f->arena;
    Err err;
    if (geteuid() != 0)
        skip();
    char *closed = make_project(f, "closed");
    chmod(closed, 0700);
    ClusterOptions o = {.project_dir = make_project(f, "closed/app")};
    ClusterInfo info = ensure(a, &o);
    assert_true(str_starts(str_of(info.data_dir), STR("/var/lib/aramid/")));
    Str pointer;
    must(fs_read(a, fs_join(a, o.project_dir, ".aramid/embedded-location"), 0, &pointer, &err),
         &err);
    const char *root = str_dup(a, str_trim(pointer));
    assert_true(str_starts(str_of(info.data_dir), str_of(root)));
    assert_false(ensure(a, &o).started);

    /* The pointer of a copied project does not lead to the original's data; that of a moved one
     * does. */
    ClusterOptions copy = {.project_dir = make_project(f, "closed/copy")};
    must(fs_mkdirs(fs_join(a, copy.project_dir, ".aramid"), 0755, &err), &err);
    write_file(fs_join(a, copy.project_dir, ".aramid/embedded-location"), pointer.p);
    ClusterInfo other;
    must(cluster_inspect(a, &copy, &other, &err), &err);
    assert_null(other.data_dir);
    ClusterOptions moved = {.project_dir = fs_join(a, closed, "moved")};
    assert_int_equal(rename(o.project_dir, moved.project_dir), 0);
    other = ensure(a, &moved);
    assert_string_equal(other.data_dir, info.data_dir);
    assert_string_equal(other.database, "app");
    stop(a, &moved);
    must(fs_remove(root, &err), &err);
}

/* ---- throwaway clusters -------------------------------------------------------------------- */

/* "postgresql://postgres@/postgres?host=DIR&port=5432" */
static ClusterInfo
info_of_url(Arena *a, const char *url)
{
    Str s = str_of(strstr(url, "host=") + 5);
    return (ClusterInfo){
        .socket_dir = str_dup(a, str_cut(&s, '&')), .port = SOCKET_PORT, .database = "postgres"};
}

static void
temp_cluster_comes_and_goes(void **state)
{
    Fixture *f = *state;
    Err err;
    for (int i = 0; i < 2; i++) { /* the second time from the template */
        TempCluster *c;
        int64_t before = clock_ms();
        must(temp_cluster_open(f->arena, NULL, 0, NULL, &c, &err), &err);
        print_message("# throwaway cluster: %d ms\n", (int)(clock_ms() - before));
        assert_in_range(temp_cluster_major(c), PG_MAJOR_MIN, PG_MAJOR_MAX);
        ClusterInfo info = info_of_url(f->arena, temp_cluster_url(c));
        query(&info, "SHOW fsync", "off");
        query(&info, "CREATE TABLE t AS SELECT 1", NULL);
        temp_cluster_close(c);
        assert_false(fs_exists(info.socket_dir));
    }
    temp_cluster_close(NULL);
}

/* Below $TMPDIR; elsewhere where the server's user cannot go there. */
static void
temp_cluster_obeys_tmpdir(void **state)
{
    Fixture *f = *state;
    Arena *a = f->arena;
    Err err;
    const char *before = os_env("TMPDIR"), *dir = fs_join(a, f->base, "tmp");
    must(fs_mkdirs(dir, 0777, &err), &err);
    const mode_t modes[] = {0777, 0};
    for (size_t i = 0; i < COUNT(modes); i++) {
        assert_int_equal(chmod(dir, modes[i]) | setenv("TMPDIR", dir, 1), 0);
        TempCluster *c;
        must(temp_cluster_open(a, NULL, 0, NULL, &c, &err), &err);
        ClusterInfo info = info_of_url(a, temp_cluster_url(c));
        query(&info, "SELECT 1", "1");
        assert_int_equal(str_starts(str_of(info.socket_dir), str_of(dir)), i == 0);
        temp_cluster_close(c);
    }
    assert_int_equal(before ? setenv("TMPDIR", before, 1) : unsetenv("TMPDIR"), 0);
}

static void
refused(const ClusterInfo *info, const char *sql)
{
    ProbeResult r;
    probe(info->socket_dir, info->port, info->database, sql, PATIENCE_MS, &r);
    print_message("# %s: %s\n", sql, r.message);
    assert_int_equal(r.state, PROBE_REFUSED);
}

/* What a migration or a database defines runs there as the superuser. */
static void
temp_cluster_stays_in_its_folder(void **state)
{
    Fixture *f = *state;
    if (!fence_version())
        skip();
    Err err;
    const char *open = fs_join(f->arena, f->base, "open"), *file = fs_join(f->arena, open, "file");
    must(fs_mkdirs(open, 0777, &err), &err);
    must(fs_write(file, STR("secret\n"), 0666, &err), &err);
    assert_int_equal(chmod(open, 0777) | chmod(file, 0666) | chmod(f->base, 0755), 0);
    TempCluster *c;
    must(temp_cluster_open(f->arena, NULL, 0, NULL, &c, &err), &err);
    ClusterInfo info = info_of_url(f->arena, temp_cluster_url(c));
    refused(&info, str_fmt(f->arena, "SELECT pg_read_file('%s')", file));
    refused(&info, str_fmt(f->arena, "COPY (SELECT 1) TO '%s'", file));
    refused(&info, str_fmt(f->arena, "COPY (SELECT 1) TO '%s/new'", open));
    query(&info, "CREATE TABLE fence (x text)", NULL);
    refused(&info, "COPY fence FROM PROGRAM 'echo 1'");
    query(&info, "CREATE DATABASE other", NULL);
    temp_cluster_close(c);
    Str text;
    must(fs_read(f->arena, file, 0, &text, &err), &err);
    assert_true(str_is(text, "secret\n"));
}

static void
temp_cluster_dies_with_its_parent(void **state)
{
    Fixture *f = *state;
    Arena *a = f->arena;
    Err err;
    int fds[2];
    assert_int_equal(pipe(fds), 0);
    pid_t child = fork();
    if (child == 0) {
        TempCluster *c;
        if (!temp_cluster_open(a, NULL, 0, NULL, &c, &err))
            _exit(1);
        const char *url = temp_cluster_url(c);
        if (write(fds[1], url, strlen(url)) < 0)
            _exit(1);
        for (;;)
            pause();
    }
    close(fds[1]);
    char url[256] = "";
    assert_true(read(fds[0], url, sizeof url - 1) > 0);
    close(fds[0]);
    ClusterInfo info = info_of_url(a, url);
    query(&info, "SELECT 1", "1");
    Str text;
    must(fs_read(a, fs_join(a, info.socket_dir, "data/postmaster.pid"), 0, &text, &err), &err);
    pid_t server = atoi(text.p);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    wait_until_gone(server);

    /* The next one clears away what was left (nothing younger than ten seconds). */
    struct timespec old[2] = {{.tv_sec = 1000000000}, {.tv_sec = 1000000000}};
    assert_true(fs_exists(info.socket_dir));
    assert_int_equal(utimensat(AT_FDCWD, info.socket_dir, old, 0), 0);
    /* On a busy machine the server's children hold the folder for a moment longer than it does. */
    for (int64_t deadline = clock_ms() + PATIENCE_MS; fs_exists(info.socket_dir);) {
        assert_true(clock_ms() < deadline);
        TempCluster *c;
        must(temp_cluster_open(a, NULL, 0, NULL, &c, &err), &err);
        temp_cluster_close(c);
    }
}

/* ---- an ordinary user ---------------------------------------------------------------------- */

#define CHECK(cond)                                                                                \
    do {                                                                                           \
        if (!(cond)) {                                                                             \
            fprintf(stderr, "# line %d: %s\n# %s\n# %s\n", __LINE__, #cond, err.primary,           \
                    err.detail);                                                                   \
            return 1;                                                                              \
        }                                                                                          \
    } while (0)

static int
ordinary_user(const Fixture *f)
{
    ARENA_LOCAL(a);
    Err err = {0};
    ClusterInfo info, none;
    bool was_running;
    ClusterOptions own = {.project_dir = fs_join(a, f->base, "own")};
    CHECK(cluster_ensure(a, &own, &info, &err));
    CHECK(info.created && info.running);
    CHECK(str_starts(str_of(info.data_dir), str_of(own.project_dir)));
    CHECK(cluster_ensure(a, &own, &info, &err) && !info.started);
    CHECK(cluster_stop(a, &own, PATIENCE_MS, &was_running, &err) && was_running);

    ClusterOptions read_only = {.project_dir = fs_join(a, f->base, "read-only")};
    CHECK(cluster_ensure(a, &read_only, &info, &err));
    CHECK(str_starts(str_of(info.data_dir), str_of(fs_join(a, f->base, "home/.local/state"))));
    CHECK(cluster_inspect(a, &read_only, &info, &err) && info.running);
    CHECK(cluster_stop(a, &read_only, PATIENCE_MS, &was_running, &err) && was_running);

    TempCluster *c;
    CHECK(temp_cluster_open(a, NULL, 0, NULL, &c, &err));
    temp_cluster_close(c);
    CHECK(fs_exists(fs_join(a, f->base, "home/.cache/aramid")));

    ClusterOptions roots = {.project_dir = f->project};
    CHECK(!cluster_ensure(a, &roots, &none, &err));
    CHECK(err.code == ERR_EMBEDDED && strstr(err.primary, "belongs to user"));
    return 0;
}

static void
works_for_an_ordinary_user(void **state)
{
    Fixture *f = *state;
    if (geteuid() != 0)
        skip();
    assert_int_equal(chown(make_project(f, "own"), NOBODY, NOBODY), 0);
    assert_int_equal(chown(make_project(f, "home"), NOBODY, NOBODY), 0);
    make_project(f, "read-only");
    pid_t pid = fork();
    if (pid == 0) {
        const ServerUser nobody = {NOBODY, NOBODY, "nobody", true};
        setenv("HOME", fs_join(f->arena, f->base, "home"), 1);
        _exit(user_become(&nobody) ? ordinary_user(f) : 2);
    }
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

/* Root works on a cluster of an ordinary user as that user. */
static void
root_takes_over_as_the_owner(void **state)
{
    Fixture *f = *state;
    struct stat st;
    if (geteuid() != 0)
        skip();
    ClusterOptions o = {.project_dir = fs_join(f->arena, f->base, "own")};
    ClusterInfo info = ensure(f->arena, &o);
    assert_false(info.created);
    assert_int_equal(stat(str_fmt(f->arena, "/proc/%ld", info.postmaster_pid), &st), 0);
    assert_int_equal(st.st_uid, NOBODY);
    stop(f->arena, &o);
}

/* ---- frame --------------------------------------------------------------------------------- */

static int
supervise(int argc, char **argv)
{
    ClusterOptions o = {0};
    for (int i = 3; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--project") == 0)
            o.project_dir = argv[i + 1];
        else if (strcmp(argv[i], "--data-dir") == 0)
            o.data_dir = argv[i + 1];
        else if (strcmp(argv[i], "--idle") == 0)
            o.idle_ms = atoi(argv[i + 1]);
    }
    return cluster_supervise(&o);
}

static int
setup(void **state)
{
    Arena *a = arena_make();
    Fixture *f = arena_new(a, Fixture);
    char exe[4096];
    ssize_t n = readlink("/proc/self/exe", exe, sizeof exe - 1);
    f->arena = a;
    f->base = str_dupz(a, "/tmp/shadow-test-XXXXXX"); /* servers may write to /dev/shm */
    f->exe = str_dup(a, (Str){exe, n > 0 ? (size_t)n : 0});
    if (!mkdtemp(f->base) || chmod(f->base, 0755) != 0)
        return 1;
    f->project = make_project(f, "Shop 2");
    unsetenv("XDG_CACHE_HOME");
    unsetenv("XDG_STATE_HOME");
    if (geteuid() != 0)
        setenv("HOME", f->base, 1);
    *state = f;
    return 0;
}

static int
teardown(void **state)
{
    Fixture *f = *state;
    Err err;
    ClusterOptions o = {.project_dir = f->project};
    stop(f->arena, &o);
    bool ok = fs_remove(f->base, &err); /* root's cache in /var stays: others use it meanwhile */
    arena_free(f->arena);
    return ok ? 0 : 1;
}

int
main(int argc, char **argv)
{
    if (argc > 3 && strcmp(argv[2], "supervise") == 0)
        return supervise(argc, argv);
    ARENA_LOCAL(a);
    Err err;
    PgBinaries b;
    ServerUser user;
    if (!cluster_find_binaries(a, NULL, 0, &b, &err) || !user_for_new(a, &user, &err)) {
        printf("1..0 # SKIP %s\n", err.primary);
        return 0;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_of_databases),
        cmocka_unit_test(binaries_are_found),
        cmocka_unit_test(missing_binaries_name_the_command),
        cmocka_unit_test(locks_are_inherited_and_freed),
        cmocka_unit_test(markers_keep_odd_names),
        cmocka_unit_test(ensure_makes_starts_and_keeps),
        cmocka_unit_test(dropped_database_comes_back),
        cmocka_unit_test(killed_server_is_replaced),
        cmocka_unit_test(reused_pid_does_not_block),
        cmocka_unit_test(removed_socket_comes_back),
        cmocka_unit_test(failed_start_shows_the_log),
        cmocka_unit_test(moved_project_keeps_its_data),
        cmocka_unit_test(supervisor_stops_an_idle_server),
        cmocka_unit_test(two_at_once_make_one_cluster),
        cmocka_unit_test(interrupted_or_removed_begins_again),
        cmocka_unit_test(failed_initdb_leaves_nothing),
        cmocka_unit_test(foreign_data_is_refused),
        cmocka_unit_test(given_folder_is_shared_by_projects),
        cmocka_unit_test(other_major_is_refused),
        cmocka_unit_test(closed_folder_keeps_data_outside),
        cmocka_unit_test(temp_cluster_comes_and_goes),
        cmocka_unit_test(temp_cluster_obeys_tmpdir),
        cmocka_unit_test(temp_cluster_stays_in_its_folder),
        cmocka_unit_test(temp_cluster_dies_with_its_parent),
        cmocka_unit_test(works_for_an_ordinary_user),
        cmocka_unit_test(root_takes_over_as_the_owner),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, setup, teardown);
}
