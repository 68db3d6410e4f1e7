/* The data folder that throwaway clusters are copies of, and where it is kept. */
#include "shadow/shadow_int.h"

#include "base/clock.h"
#include "base/fs.h"
#include "base/hash.h"
#include "base/os.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define TEMPLATE_LOCK_MS 60000
#define TEMPLATE_AGE_S (30 * 24 * 3600)

const char *
cluster_cache_folder(Arena *a)
{
    Err ignored;
    struct stat st;
    const char *cache = os_env("XDG_CACHE_HOME"), *home = user_home(a), *dir = NULL;
    if (geteuid() == 0)
        dir = "/var/cache/aramid";
    else if (cache && cache[0] == '/')
        dir = str_fmt(a, "%s/aramid", cache);
    else if (home)
        dir = str_fmt(a, "%s/.cache/aramid", home);
    if (!dir)
        return NULL;
    mode_t mask = umask(022);
    bool made = fs_mkdirs(dir, 0755, &ignored);
    umask(mask);
    return made && lstat(dir, &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == geteuid() &&
                   (st.st_mode & 022) == 0
               ? dir
               : NULL;
}

/* The program's size and time stand for its version, which would cost a process to ask. */
char *
cluster_template_name(Arena *a, const PgBinaries *b, const ServerUser *user)
{
    struct stat st = {0};
    (void)!stat(fs_join(a, b->bindir, "postgres"), &st);
    char *hex = hash_sha256_hex(
        a, str_of(str_fmt(a, "1\n%s\n%lld\n%lld\n%u", b->bindir, (long long)st.st_size,
                          (long long)st.st_mtime, (unsigned)user->uid)));
    hex[16] = 0;
    return str_fmt(a, "pg%d-%s", b->major, hex);
}

static void
remove_old_templates(Arena *a, const char *cache)
{
    Err ignored;
    FsEntryVec entries = {0};
    if (!fs_list(a, cache, &entries, &ignored))
        return;
    vec_each (FsEntry, e, &entries) {
        struct stat st;
        const char *dir = fs_join(a, cache, e->name);
        if (str_starts(str_of(e->name), STR("pg")) && lstat(dir, &st) == 0 &&
            st.st_mtime < clock_wall_us() / 1000000 - TEMPLATE_AGE_S)
            (void)!fs_remove(dir, &ignored);
    }
}

static bool
template_is_there(Arena *a, const ServerUser *user, const char *dir)
{
    return user_owns_folder(user, dir) && fs_kind(fs_join(a, dir, "data/PG_VERSION")) == FS_FILE;
}

/* Make the template if it is missing; one process at a time. Synced, unlike the clusters made from
 * it: a template that a power cut damaged would spoil every later run. */
static bool
make_template(Arena *a, const PgBinaries *b, const ServerUser *user, const char *cache,
              const char *dir, Err *err)
{
    FD_LOCAL lock = -1;
    Err ignored;
    if (!lock_take(fs_join(a, cache, "lock"), false, TEMPLATE_LOCK_MS, &lock, err))
        return false;
    if (lock < 0)
        return err_set(err, ERR_EMBEDDED, "another process has been making \"%s\" for long", dir);
    if (template_is_there(a, user, dir))
        return true;
    remove_old_templates(a, cache);
    const char *unfinished = str_fmt(a, "%s.unfinished", dir);
    InitdbRequest request = {.binaries = b,
                             .user = user,
                             .dir = unfinished,
                             .throwaway = true,
                             .synced = true,
                             .keep_fd = lock};
    if (!fs_remove(unfinished, err) || !fs_remove(dir, err))
        return false;
    if (user_mkdir(user, unfinished) && initdb_run(a, &request, &ignored) &&
        rename(unfinished, dir) == 0)
        return true;
    (void)!fs_remove(unfinished, &ignored);
    return err_set(err, ERR_EMBEDDED, "cannot make \"%s\"", dir);
}

bool
cluster_use_template(Arena *a, const PgBinaries *b, const ServerUser *user, const char *data)
{
    Err reason;
    const char *cache = cluster_cache_folder(a);
    if (!cache)
        return false;
    const char *dir = fs_join(a, cache, cluster_template_name(a, b, user));
    if (!template_is_there(a, user, dir) && !make_template(a, b, user, cache, dir, &reason))
        return false;
    utimensat(AT_FDCWD, dir, NULL, AT_SYMLINK_NOFOLLOW);
    if (tree_copy(fs_join(a, dir, "data"), data, user, &reason))
        return true;
    (void)!fs_remove(data, &reason);
    return false;
}
