/* Where sockets lie: in folders whose names are short enough. */
#include "shadow_int.h"

#include "base/hash.h"
#include "base/os.h"

#include <unistd.h>

#define SOCKET_FOLDER_MAX 90 /* 107 bytes less "/.s.PGSQL.5432" */

bool
holds_sockets(const char *dir)
{
    /* Nothing that a URL or the server's list of folders would need quoted. */
    static const char plain[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-";
    return dir && dir[0] == '/' && strlen(dir) + 32 <= SOCKET_FOLDER_MAX &&
           strspn(dir, plain) == strlen(dir) && access(dir, W_OK | X_OK) == 0;
}

/* /tmp before $TMPDIR: a project's socket has the same name from every shell. */
static const char *
socket_root(void)
{
    const char *const candidates[] = {"/tmp", os_env("TMPDIR"), "/var/tmp"};
    for (size_t i = 0; i < COUNT(candidates); i++)
        if (holds_sockets(candidates[i]))
            return candidates[i];
    return NULL;
}

char *
socket_folder_name(Arena *a, const char *home_dir)
{
    const char *root = socket_root();
    return str_fmt(a, "%s/aramid-%.12s", root ? root : "/tmp",
                   hash_sha256_hex(a, str_of(home_dir)));
}

bool
socket_folder(Arena *a, const ServerUser *user, const char *preferred, const char **ret, Err *err)
{
    *ret = preferred;
    if (preferred && strlen(preferred) <= SOCKET_FOLDER_MAX &&
        (user_owns_folder(user, preferred) || user_mkdir(user, preferred)))
        return true;
    const char *root = socket_root();
    if (root) { /* the name is taken, perhaps by someone who would like to be our server */
        *ret = str_fmt(a, "%s/aramid-%.12s", root, hash_sha256_hex(a, str_of(os_uuid(a))));
        if (user_mkdir(user, *ret))
            return true;
    }
    err_set(err, ERR_EMBEDDED, "there is no place for the embedded database's socket");
    return err_detail(err, "neither /tmp, $TMPDIR nor /var/tmp can hold a folder of user %s",
                      user->name);
}
