/* Where a project's cluster lies. */
#include "shadow/shadow_int.h"

#include "base/fs.h"
#include "base/hash.h"
#include "base/os.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define MARKER_NAME "aramid-cluster.json"
#define POINTER_NAME "embedded-location"
const char *
home_root_lock(Arena *a, const char *root)
{
    return fs_join(a, root, "cluster.lock");
}

const char *
home_prefix(const ClusterOptions *options)
{
    return options->for_tests ? "tests" : "pg";
}

void
home_paths(Arena *a, const char *root, const char *name, ClusterHome *ret)
{
    const char *dir = fs_join(a, root, name);
    *ret = (ClusterHome){
        .root = root,
        .dir = dir,
        .data = fs_join(a, dir, "data"),
        .log_path = fs_join(a, dir, "server.log"),
        .marker_path = fs_join(a, dir, MARKER_NAME),
        .server_lock = fs_join(a, dir, "server.lock"),
        .supervisor_lock = fs_join(a, dir, "supervisor.lock"),
        .used_path = fs_join(a, dir, "last-used"),
        .boot_path = fs_join(a, dir, "boot"),
    };
}

bool
home_project(Arena *a, const ClusterOptions *options, const char **ret, Err *err)
{
    char real[PATH_MAX];
    if (!realpath(options->project_dir, real) || fs_kind(real) != FS_DIR)
        return err_set(err, ERR_EMBEDDED, "the project folder \"%s\" cannot be used: %s",
                       options->project_dir, strerror(errno ? errno : ENOTDIR));
    *ret = str_dupz(a, real);
    return true;
}

char *
home_database_name(Arena *a, const char *project)
{
    Buf b;
    buf_init(&b, a);
    for (const char *c = fs_basename(project); *c && b.n < 63; c++) {
        bool upper = *c >= 'A' && *c <= 'Z';
        bool plain = (*c >= 'a' && *c <= 'z') || (*c >= '0' && *c <= '9');
        if (b.n == 0 && *c >= '0' && *c <= '9')
            buf_addc(&b, '_');
        if (upper || plain)
            buf_addc(&b, upper ? (char)(*c + 32) : *c);
        else if (b.n && b.p[b.n - 1] != '_')
            buf_addc(&b, '_');
    }
    while (b.n && b.p[b.n - 1] == '_')
        b.p[--b.n] = 0;
    Str name = buf_str(&b);
    if (name.n == 0 || str_is(name, "postgres") || str_is(name, "template0") ||
        str_is(name, "template1"))
        return str_dupz(a, "app");
    return b.p;
}

/* ---- finding ------------------------------------------------------------------------------- */

/* Where data goes that cannot lie in the project; NULL = nowhere. */
static const char *
fallback_root(Arena *a, const char *project)
{
    char *name = str_fmt(a, "%.16s", hash_sha256_hex(a, str_of(project)));
    if (geteuid() == 0)
        return fs_join(a, "/var/lib/aramid", name);
    const char *state = os_env("XDG_STATE_HOME"), *home = user_home(a);
    if (state && state[0] == '/')
        return str_fmt(a, "%s/aramid/%s", state, name);
    return home ? str_fmt(a, "%s/.local/state/aramid/%s", home, name) : NULL;
}

static const char *
pointer_target(Arena *a, const char *project)
{
    Err ignored;
    Str text;
    const char *path = str_fmt(a, "%s/.aramid/" POINTER_NAME, project);
    if (!fs_read(a, path, PATH_MAX, &text, &ignored))
        return NULL;
    text = str_trim(text);
    return text.n && text.p[0] == '/' ? str_dup(a, text) : NULL;
}

static bool
not_ours(const char *dir, Err *err)
{
    err_set(err, ERR_EMBEDDED, "\"%s\" was not made by aramid", dir);
    err_detail(err, "it holds data but no " MARKER_NAME "; it is left alone");
    return err_hint(err, "move it away, or choose another folder with ARAMID_PG_DATA");
}

/* Read what is known of the cluster in <root>/<name>. *ret_found is false when nothing is there,
 * or a home whose data folder someone removed. */
static bool
load_home(Arena *a, const char *root, const char *name, ClusterHome *ret, bool *ret_found, Err *err)
{
    Err reason;
    Str marker, version;
    FsEntryVec entries;
    *ret_found = false;
    if (fs_kind(fs_join(a, root, name)) != FS_DIR)
        return true;
    home_paths(a, root, name, ret);
    if (access(ret->dir, R_OK | X_OK) != 0) {
        ServerUser unused;
        return user_of_data(a, ret->dir, &unused, err) &&
               err_set(err, ERR_EMBEDDED, "cannot read \"%s\"", ret->dir);
    }
    if (!fs_read(a, ret->marker_path, 64 * 1024, &marker, &reason)) {
        if (fs_exists(ret->marker_path))
            return err_set(err, ERR_EMBEDDED, "%s", reason.primary);
        bool empty = fs_list(a, ret->dir, &entries, &reason) && entries.n == 0;
        return empty || not_ours(ret->dir, err);
    }
    if (!fs_exists(ret->data))
        return true;
    long long major;
    if (!fs_read(a, fs_join(a, ret->data, "PG_VERSION"), 64, &version, &reason) ||
        !str_to_int(str_trim(version), 1, 99, &major)) {
        err_set(err, ERR_EMBEDDED, "\"%s\" is no complete data folder", ret->data);
        err_detail(err, "its file PG_VERSION is missing or damaged");
        return err_hint(err, "restore it, or begin with an empty database: rm -r \"%s\"", ret->dir);
    }
    ret->major = (int)major;
    ret->project = marker_value(a, marker, "project");
    ret->version = marker_value(a, marker, "version");
    ret->created_at = marker_value(a, marker, "created_at");
    ret->database = marker_value(a, marker, "database");
    ret->socket_dir = marker_value(a, marker, "socket_dir");
    if (!ret->project || !ret->database || !ret->socket_dir) {
        err_set(err, ERR_EMBEDDED, "\"%s\" is damaged", ret->marker_path);
        return err_hint(err, "it must name project, database and socket_dir");
    }
    *ret_found = true;
    return true;
}

/* Among clusters of several majors: the running one, else the newest whose programs are there. */
static const ClusterHome *
pick_home(Arena *a, const ClusterOptions *options, const ClusterHome *homes, size_t n)
{
    ServerStatus status;
    PgBinaries b;
    Err ignored;
    for (size_t i = n; i-- > 0;) {
        server_status(a, &homes[i], &status);
        if (status.state != SERVER_GONE)
            return &homes[i];
    }
    for (size_t i = n; i-- > 0;)
        if (binaries_find(a, options->bindir, homes[i].major, &b, &ignored))
            return &homes[i];
    return &homes[n - 1];
}

static bool
find_in_root(Arena *a, const ClusterOptions *options, const char *root, ClusterHome *ret, Err *err)
{
    VEC(ClusterHome) homes = {0};
    *ret = (ClusterHome){0};
    FsEntryVec entries;
    if (!fs_exists(root))
        return true;
    if (!fs_list(a, root, &entries, err))
        return false;
    vec_each (FsEntry, e, &entries) {
        ClusterHome home;
        bool found;
        long long major;
        Str name = str_of(e->name), prefix = str_of(home_prefix(options));
        if (!str_starts(name, prefix) ||
            !str_to_int(str_slice(name, prefix.n, name.n), PG_MAJOR_MIN, 99, &major))
            continue;
        if (!load_home(a, root, e->name, &home, &found, err))
            return false;
        if (found)
            *vec_add(a, &homes) = home;
    }
    if (homes.n)
        *ret = homes.n == 1 ? homes.v[0] : *pick_home(a, options, homes.v, homes.n);
    return true;
}

/* A folder that the user named: it holds pg<major>/, or it is the data folder of such a home. */
static bool
find_in_given(Arena *a, const ClusterOptions *options, ClusterHome *ret, Err *err)
{
    const char *dir = fs_absolute(a, options->data_dir);
    if (!fs_exists(fs_join(a, dir, "PG_VERSION")))
        return find_in_root(a, options, dir, ret, err);
    const char *home = fs_dirname(a, dir);
    if (options->for_tests && !str_starts(str_of(fs_basename(home)), STR("tests")))
        return find_in_root(a, options, fs_dirname(a, home), ret, err);
    bool found = false;
    if (strcmp(fs_basename(dir), "data") != 0 || !fs_exists(fs_join(a, home, MARKER_NAME)))
        return not_ours(dir, err);
    return load_home(a, fs_dirname(a, home), fs_basename(home), ret, &found, err) &&
           (found || not_ours(dir, err));
}

/* Several projects may be given one folder: each has a database there, named as its folder. */
static bool
find_shared(Arena *a, const ClusterOptions *options, const char *project, ClusterHome *ret,
            Err *err)
{
    if (!find_in_given(a, options, ret, err))
        return false;
    if (ret->dir && strcmp(ret->project, project) != 0 && fs_kind(ret->project) == FS_DIR) {
        ret->database = home_database_name(a, project);
        ret->project = project;
    }
    return true;
}

bool
home_find(Arena *a, const ClusterOptions *options, const char *project, ClusterHome *ret, Err *err)
{
    *ret = (ClusterHome){0};
    if (options->data_dir && options->data_dir[0])
        return find_shared(a, options, project, ret, err);
    if (!find_in_root(a, options, fs_join(a, project, ".aramid"), ret, err))
        return false;
    const char *outside[] = {pointer_target(a, project), fallback_root(a, project)};
    for (int i = 0; i < 2 && !ret->dir; i++) {
        /* A pointer may lead to what another user can read only: then it is not for us. */
        if (!outside[i] || (i == 0 && access(outside[i], R_OK | X_OK) != 0))
            continue;
        if (!find_in_root(a, options, outside[i], ret, err))
            return false;
        /* The pointer of a copied project leads to the original's data. */
        if (ret->dir && strcmp(ret->project, project) != 0 && fs_kind(ret->project) == FS_DIR)
            *ret = (ClusterHome){0};
    }
    return true;
}

/* ---- making -------------------------------------------------------------------------------- */

/* Whether the user can have folders of its own in `root`, which is made when it is missing. */
static bool
root_is_usable(Arena *a, const char *root, const ServerUser *user, Err *reason)
{
    /* Folders that root makes lie above those of the server's user, who has to get through. */
    mode_t mask = umask(022);
    bool made = fs_mkdirs(root, 0755, reason);
    umask(mask);
    if (!made)
        return false;
    if (!user_can_enter(user, root))
        return err_set(reason, ERR_EMBEDDED, "user %s cannot reach \"%s\"", user->name, root);
    const char *trial = str_fmt(a, "%s/trial-%ld", root, (long)getpid());
    if (!user_mkdir(user, trial))
        return err_set(reason, ERR_EMBEDDED, "user %s cannot own a folder in \"%s\": %s",
                       user->name, root, strerror(errno));
    rmdir(trial);
    return true;
}

/* Keep the cluster out of version control; for people, a pointer to data that lies elsewhere. */
static void
write_notes(Arena *a, const char *project, const char *root)
{
    Err ignored;
    const char *folder = fs_join(a, project, ".aramid");
    const char *gitignore = fs_join(a, folder, ".gitignore");
    const char *pointer = fs_join(a, folder, POINTER_NAME);
    bool outside = strcmp(root, folder) != 0;
    if (mkdir(folder, 0755) != 0 && fs_kind(folder) != FS_DIR)
        return;
    if (!fs_exists(gitignore) && !fs_write(gitignore, STR("*\n"), 0644, &ignored))
        return;
    if (outside && !fs_write(pointer, str_of(str_fmt(a, "%s\n", root)), 0644, &ignored))
        return;
}

bool
home_make_root(Arena *a, const ClusterOptions *options, const char *project, const ServerUser *user,
               const char **ret_root, Err *err)
{
    Err failure, reason;
    bool given = options->data_dir && options->data_dir[0];
    const char *candidates[] = {given ? fs_absolute(a, options->data_dir)
                                      : fs_join(a, project, ".aramid"),
                                given ? NULL : fallback_root(a, project)};
    err_set(&failure, ERR_EMBEDDED, "there is no place for the embedded database");
    for (int i = 0; i < 2; i++) {
        if (!candidates[i])
            continue;
        if (root_is_usable(a, candidates[i], user, &reason)) {
            if (!given)
                write_notes(a, project, candidates[i]);
            *ret_root = candidates[i];
            return true;
        }
        err_detail(&failure, "%s", reason.primary);
    }
    *err = failure;
    return err_hint(err, "name a folder that user %s can reach and write to: ARAMID_PG_DATA=...",
                    user->name);
}
