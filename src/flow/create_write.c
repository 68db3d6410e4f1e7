/* The files of a new migration: their texts, and how they come into the folder as a whole. */
#include "flow/create_int.h"

#include "base/clock.h"
#include "base/fs.h"
#include "base/os.h"
#include "flow/git.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- texts ------------------------------------------------------------------------------------ */

/* Summary, author, ticket, and an empty line; nothing where none of them is there. */
static Str
head_of(Arena *a, const CreateInput *in, const CreateResult *r)
{
    Buf b;
    buf_init(&b, a);
    if (r->summary)
        buf_fmt(&b, "%s\n", r->summary);
    const char *author = in->author ? git_user(a) : NULL;
    if (author)
        buf_fmt(&b, "-- Author: %s\n", author);
    if (in->ticket)
        buf_fmt(&b, "-- Ticket: %s\n", str_printable(a, str_of(in->ticket), false));
    if (b.n)
        buf_addc(&b, '\n');
    return buf_str(&b);
}

static bool
summarise(Arena *a, CreateResult *r, Err *err)
{
    SqlScript script;
    if (!sql_split(a, "migration.sql", r->sql, &script, err))
        return false;
    sql_classify(a, &script);
    r->summary = sql_summary(a, &script);
    return true;
}

static void
add_file(Arena *a, CreateResult *r, const char *path, Str text)
{
    *vec_add(a, &r->files) =
        (CreateFile){.path = path, .shown = fs_join(a, r->history.dir, path), .text = text};
}

bool
create_files(Arena *a, const CreateInput *in, CreateResult *r, Err *err)
{
    const HistoryLayout *l = r->history.layout;
    bool to_fill = r->kind == CREATE_EMPTY || r->kind == CREATE_DATA;
    if (!to_fill && !summarise(a, r, err))
        return false;
    Str head = head_of(a, in, r);
    int64_t us = history_next_us(&r->all, clock_wall_us());
    const HistoryNew new_one = l->new_one(a, &r->history, history_stamp(a, us), r->name);
    r->name = new_one.name;
    Buf b;
    buf_init(&b, a);
    if (l->add_both) {
        l->add_both(&b, head, r->sql, r->down);
    } else {
        buf_add(&b, head);
        buf_add(&b, r->sql);
    }
    add_file(a, r, new_one.file, buf_str(&b));
    if (!l->add_both && r->down.n && new_one.down)
        add_file(a, r, new_one.down, str_of(str_fmt(a, "-- down of %s\n%s", r->name, r->down.p)));
    vec_each (const Migration, m, &r->history.files)
        if (l != &history_plain && history_name_cmp(m->name, r->name) >= 0) {
            err_set(err, ERR_EXISTS, "a new migration would come before \"%s\"", m->name);
            err_detail(err,
                       "migrations are applied in the order of their names, and the new one "
                       "would be called %s",
                       r->name);
            return err_hint(err,
                            "give \"%s\" a name that begins with a timestamp, unless it was "
                            "applied already",
                            m->name);
        }
    return true;
}

/* ---- writing ---------------------------------------------------------------------------------- */

static bool
failed(Err *err, const char *what, const char *path)
{
    int why = errno;
    err_set(err, ERR_IO, "cannot %s \"%s\": %s", what, path, strerror(why));
    if (why == EROFS || why == EACCES || why == EPERM)
        err_hint(err, "nothing was written; `aramid create NAME --dry-run` prints the migration");
    return false;
}

static bool
came_meanwhile(const char *name, Err *err)
{
    err_set(err, ERR_EXISTS, "\"%s\" came into the migrations folder meanwhile", name);
    err_detail(err, "the new migration was made without it; nothing was written");
    return err_hint(err, "run the command again");
}

/* Whether the folder still holds what the migration was made of. */
static bool
check_unchanged(Arena *a, const CreateResult *r, Err *err)
{
    FsEntryVec list;
    const char *dir = r->history.source;
    if (!fs_list(a, dir, &list, err))
        return false;
    vec_each (const FsEntry, e, &list) {
        if (r->history.layout->lock_file && strcmp(e->name, r->history.layout->lock_file) == 0)
            continue;
        if (strcmp(e->name, r->name) == 0 || strcmp(e->name, r->files.v[0].path) == 0) {
            err_set(err, ERR_EXISTS, "\"%s\" is there already", r->files.v[0].shown);
            return err_hint(err, "nothing was written; run the command again");
        }
        bool known = !history_stamp_us(e->name);
        vec_each (const Migration, m, &r->history.files)
            known = known || strcmp(m->name, e->name) == 0 ||
                    strcmp(fs_basename(m->path), e->name) == 0;
        if (!known && (e->kind == FS_DIR || str_ends(str_of(e->name), STR(".sql"))))
            return came_meanwhile(e->name, err);
    }
    return true;
}

/* One rename brings it in, and never over something. */
static bool
move_in(const char *from, const char *to, Err *err)
{
    if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0)
        return true;
    if (errno == EEXIST || errno == ENOTEMPTY) {
        err_set(err, ERR_EXISTS, "\"%s\" is there already", to);
        return err_hint(err, "nothing was written; run the command again");
    }
    /* File systems without that flag. */
    if (errno == EINVAL && !fs_exists(to) && rename(from, to) == 0)
        return true;
    return failed(err, "make", to);
}

/* A folder is one; of two files the way back comes first, which nothing runs without the other. */
static bool
move_all(Arena *a, const CreateResult *r, const char *work, Err *err)
{
    const char *dir = r->history.source, *before = NULL;
    for (size_t i = r->files.n; i-- > 0;) {
        Str path = str_of(r->files.v[i].path);
        const char *top = str_dup(a, str_cut(&path, '/'));
        if (before && strcmp(before, top) == 0)
            continue;
        if (!move_in(fs_join(a, work, top), fs_join(a, dir, top), err)) {
            Err ignored;
            if (before)
                (void)!fs_remove(fs_join(a, dir, before), &ignored);
            return false;
        }
        before = top;
    }
    return true;
}

/* What is half written lies beside the migrations, where no tool looks for any. */
static bool
write_below(Arena *a, const CreateResult *r, const char *work, Err *err)
{
    const char *dir = r->history.source;
    vec_each (const CreateFile, f, &r->files) {
        const char *path = fs_join(a, work, f->path);
        if (!fs_mkdirs(fs_dirname(a, path), 0755, err) || !fs_write(path, f->text, 0644, err))
            return false;
        if (os_signal_pending())
            return err_set(err, ERR_INTERRUPTED, "interrupted; nothing was written");
    }
    const char *beside = r->history.layout->lock_file;
    if (beside && !fs_exists(fs_join(a, dir, beside)) &&
        !fs_write(fs_join(a, dir, beside), str_of(r->history.layout->lock_file_text), 0644, err))
        return false;
    if (!check_unchanged(a, r, err) || !move_all(a, r, work, err))
        return false;
    FD_LOCAL fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0)
        fsync(fd);
    return true;
}

bool
flow_create_write(Arena *a, const CreateResult *r, Err *err)
{
    Err ignored;
    unsigned long long random;
    const char *dir = r->history.source;
    bool is_new = !fs_exists(dir);
    os_random(&random, sizeof random);
    if (!r->files.n || r->by_tool)
        return true;
    if (!fs_mkdirs(dir, 0755, err))
        return false;
    FD_LOCAL lock = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (lock >= 0)
        (void)!flock(lock, LOCK_EX); /* file systems without locks still have the rename */
    const char *work = str_fmt(a, "%s/.aramid-new-%012llx", fs_dirname(a, dir), random >> 16);
    bool ok = mkdir(work, 0755) == 0 || failed(err, "make", work);
    if (ok) {
        ok = write_below(a, r, work, err);
        (void)!fs_remove(work, &ignored);
    }
    if (!ok && is_new)
        rmdir(dir);
    return ok;
}
