/* The operating system's user that a server runs as: PostgreSQL refuses to run as root. */
#include "shadow/shadow_int.h"

#include "base/os.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* A user's name, or "uid N". */
static const char *
name_of(Arena *a, uid_t uid)
{
    const struct passwd *pw = getpwuid(uid);
    return pw ? str_dupz(a, pw->pw_name) : str_fmt(a, "uid %u", (unsigned)uid);
}

bool
user_for_new(Arena *a, ServerUser *ret, Err *err)
{
    if (geteuid() != 0) {
        *ret = (ServerUser){geteuid(), getegid(), name_of(a, geteuid()), false};
        return true;
    }
    const struct passwd *pw = getpwnam("postgres");
    if (!pw || pw->pw_uid == 0)
        pw = getpwnam("nobody");
    if (!pw || pw->pw_uid == 0) {
        err_set(err, ERR_EMBEDDED, "the embedded database cannot run as root");
        err_detail(err, "there is neither a user \"postgres\" nor a user \"nobody\" to run it");
        return err_hint(err, "make one: useradd --system postgres");
    }
    *ret = (ServerUser){pw->pw_uid, pw->pw_gid, str_dupz(a, pw->pw_name), true};
    return true;
}

bool
user_of_data(Arena *a, const char *data, ServerUser *ret, Err *err)
{
    struct stat st;
    if (stat(data, &st) != 0)
        return err_set(err, ERR_EMBEDDED, "cannot read \"%s\": %s", data, strerror(errno));
    const char *name = name_of(a, st.st_uid);
    if (geteuid() != 0 && st.st_uid != geteuid()) {
        err_set(err, ERR_EMBEDDED, "the embedded database belongs to user %s", name);
        err_detail(err, "data: %s", data);
        return err_hint(err,
                        "run the command as that user or as root, or give the folder away: "
                        "sudo chown -R %u:%u \"%s\"",
                        (unsigned)geteuid(), (unsigned)getegid(), data);
    }
    if (st.st_uid == 0) {
        err_set(err, ERR_EMBEDDED, "the data of the embedded database belongs to root");
        err_detail(err, "data: %s; PostgreSQL does not run as root", data);
        return err_hint(err, "give it to the server's user: chown -R postgres \"%s\"", data);
    }
    *ret = (ServerUser){st.st_uid, st.st_gid, name, geteuid() == 0};
    return true;
}

bool
user_become(const ServerUser *user)
{
    return !user->drop ||
           (setgroups(1, &user->gid) == 0 && setgid(user->gid) == 0 && setuid(user->uid) == 0);
}

bool
user_can_enter(const ServerUser *user, const char *folder)
{
    if (!user->drop)
        return access(folder, X_OK) == 0;
    pid_t pid = fork();
    if (pid == 0)
        _exit(user_become(user) && access(folder, X_OK) == 0 ? 0 : 1);
    int status = 0;
    while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    return pid > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

bool
user_owns_folder(const ServerUser *user, const char *path)
{
    struct stat st;
    return lstat(path, &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == user->uid &&
           (st.st_mode & 07777) == 0700;
}

bool
user_mkdir(const ServerUser *user, const char *path)
{
    if (mkdir(path, 0700) != 0)
        return false;
    if ((!user->drop || lchown(path, user->uid, user->gid) == 0) && user_owns_folder(user, path))
        return true;
    rmdir(path);
    errno = EPERM;
    return false;
}

const char *
user_home(Arena *a)
{
    const char *home = os_env("HOME");
    if (home && home[0] == '/')
        return home;
    const struct passwd *pw = getpwuid(geteuid());
    return pw && pw->pw_dir[0] == '/' ? str_dupz(a, pw->pw_dir) : NULL;
}
