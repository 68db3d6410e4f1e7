/* Several files, all or none: each is written beside its place first, and then all are renamed. */
#include "flow/init.h"

#include "base/clock.h"
#include "base/fs.h"
#include "base/os.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LOCK_WAIT_MS = 10000 };

typedef struct Stage {
    const InitFile *file;
    const char *target; /* links followed */
    const char *ready;  /* the new text, beside it */
    struct stat was;
} Stage;

typedef struct Writer {
    Arena *a;
    const InitInput *in;
    const InitResult *r;
    VEC(Stage) stages;
    VEC(const char *) made; /* folders, outer ones first */
    Err *err;
} Writer;

static bool
fail(Writer *w, const InitFile *f, const char *what)
{
    err_set(w->err, ERR_IO, "\"%s\" %s", f->shown, what);
    err_at(w->err, f->shown, 0, 0);
    return err_hint(w->err, "nothing was written");
}

static bool
interrupted(Writer *w)
{
    if (!w->in->tick || w->in->tick(NULL, 0))
        return false;
    err_set(w->err, ERR_INTERRUPTED, "interrupted; nothing was written");
    return true;
}

/* The folder itself is what is locked: a lock file would be one more file in the project. */
static bool
lock(Writer *w, int *ret_fd)
{
    const char *dir = w->r->project.root;
    *ret_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (*ret_fd < 0)
        return err_set(w->err, ERR_IO, "cannot open folder \"%s\": %s", dir, strerror(errno));
    for (int64_t began = clock_ms(); flock(*ret_fd, LOCK_EX | LOCK_NB) != 0;) {
        if (errno != EWOULDBLOCK && errno != EINTR)
            return true; /* a file system without locks */
        if (interrupted(w))
            return false;
        if (clock_ms() - began > LOCK_WAIT_MS) {
            err_set(w->err, ERR_RUNNER_ACTIVE, "another `aramid init` is writing here");
            return err_hint(w->err, "wait until it has ended, and try again");
        }
        clock_sleep_ms(20);
    }
    return true;
}

static bool
is_inside(const char *root, const char *path)
{
    size_t n = strlen(root);
    return strcmp(root, "/") == 0 || (strncmp(root, path, n) == 0 && path[n] == '/');
}

/* The nearest folder of `path` that is there, as it is without links; NULL = it is no folder. */
static const char *
existing_parent(Writer *w, const char *path)
{
    const char *dir = fs_dirname(w->a, path);
    struct stat st;
    while (lstat(dir, &st) != 0 && errno == ENOENT)
        dir = fs_dirname(w->a, dir);
    if (fs_kind(dir) != FS_DIR)
        return NULL;
    char *real = realpath(dir, NULL);
    const char *copy = real ? str_dupz(w->a, real) : NULL;
    free(real);
    return copy;
}

/* Look whether the file can be written, and is still what was shown. */
static bool
check_file(Writer *w, const InitFile *f)
{
    struct stat link;
    Stage stage = {.file = f, .target = f->path};
    char *real_root = realpath(w->r->project.root, NULL);
    const char *root = str_dupz(w->a, real_root ? real_root : w->r->project.root);
    free(real_root);
    if (lstat(f->path, &link) == 0) {
        char *real = realpath(f->path, NULL);
        if (!real)
            return fail(w, f, "is a link that leads nowhere");
        stage.target = str_dupz(w->a, real);
        free(real);
        if (stat(stage.target, &stage.was) != 0 || !S_ISREG(stage.was.st_mode))
            return fail(w, f, "is not a file");
        if (!(stage.was.st_mode & 0222) || access(stage.target, W_OK) != 0)
            return fail(w, f, "is read-only");
    }
    const char *parent = existing_parent(w, stage.target);
    if (!parent)
        return fail(w, f, "cannot be made: its folder is not a folder");
    if (!is_inside(root, str_fmt(w->a, "%s/", parent)))
        return fail(w, f, "is a link to a place outside of the project");
    if (access(parent, W_OK | X_OK) != 0)
        return fail(w, f, "cannot be written: its folder is read-only");
    Str now = STR("");
    bool there;
    if (!fs_read_if_there(w->a, f->path, &there, &now, w->err))
        return false;
    if (there && str_eq(now, f->after))
        return true; /* another run was faster */
    if (there != f->was_there || !str_eq(now, f->before))
        return fail(w, f, "was changed by somebody else in the meantime");
    *vec_add(w->a, &w->stages) = stage;
    return true;
}

static bool
make_folders(Writer *w, const char *dir)
{
    if (fs_kind(dir) == FS_DIR)
        return true;
    if (!make_folders(w, fs_dirname(w->a, dir)))
        return false;
    if (mkdir(dir, 0777) != 0)
        return err_set(w->err, ERR_IO, "cannot create folder \"%s\": %s", dir, strerror(errno));
    *vec_add(w->a, &w->made) = dir;
    return true;
}

static bool
prepare(Writer *w, Stage *stage)
{
    const InitFile *f = stage->file;
    unsigned mode = f->was_there ? stage->was.st_mode & 07777 : f->mode;
    if (interrupted(w) || !make_folders(w, fs_dirname(w->a, stage->target)))
        return false;
    stage->ready = str_fmt(w->a, "%s.aramid-%ld", stage->target, (long)getpid());
    if (!fs_write(stage->ready, f->after, mode, w->err)) {
        stage->ready = NULL;
        return false;
    }
    if (!f->was_there)
        return true;
    bool mine = stage->was.st_uid == geteuid() && stage->was.st_gid == getegid();
    if ((!mine && chown(stage->ready, stage->was.st_uid, stage->was.st_gid) != 0) ||
        chmod(stage->ready, mode) != 0)
        return fail(w, f, "cannot keep its owner and mode");
    return true;
}

static void
clean_up(Writer *w)
{
    vec_each (Stage, stage, &w->stages)
        if (stage->ready)
            unlink(stage->ready);
    while (w->made.n)
        rmdir(w->made.v[--w->made.n]);
}

/* A rename in a folder that was just written to fails only when somebody takes the folder away:
 * then what was there comes back. */
static bool
put_in_place(Writer *w)
{
    vec_each (Stage, stage, &w->stages) {
        if (rename(stage->ready, stage->target) == 0)
            continue;
        err_set(w->err, ERR_IO, "cannot write \"%s\": %s", stage->file->shown, strerror(errno));
        for (Stage *done = w->stages.v; done != stage; done++) {
            Err undone;
            if (!(done->file->was_there ? fs_replace(done->target, done->file->before, &undone)
                                        : fs_remove(done->target, &undone)))
                err_hint(w->err, "\"%s\" was written", done->file->shown);
        }
        return false;
    }
    return true;
}

bool
flow_init_write(Arena *a, const InitInput *in, const InitResult *r, Err *err)
{
    Writer w = {.a = a, .in = in, .r = r, .err = err};
    FD_LOCAL fd = -1;
    if (!lock(&w, &fd))
        return false;
    vec_each (const InitFile, f, &r->files)
        if ((f->action == INIT_CREATE || f->action == INIT_CHANGE) && !check_file(&w, f))
            return false;
    bool ok = true;
    for (size_t i = 0; ok && i < w.stages.n; i++)
        ok = prepare(&w, &w.stages.v[i]);
    ok = ok && put_in_place(&w);
    if (!ok)
        clean_up(&w);
    return ok;
}
