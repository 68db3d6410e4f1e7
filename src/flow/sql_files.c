/* SQL that makes a schema: a file, or files of folders in the order of their names. */
#include "flow/endpoint.h"

#include "base/fs.h"

static bool
read_file(Arena *a, const char *path, ReplayScripts *scripts, Err *err)
{
    Str sql;
    if (!fs_read(a, path, 0, &sql, err))
        return false;
    *vec_add(a, scripts) = (ReplayScript){.name = path, .path = path, .sql = sql};
    return true;
}

/* Files by their names, those of folders in their place. */
static bool
read_folder(Arena *a, const char *path, int depth, ReplayScripts *scripts, Err *err)
{
    FsEntryVec list;
    if (!fs_list(a, path, &list, err))
        return false;
    vec_each (FsEntry, e, &list) {
        const char *inside = fs_join(a, path, e->name);
        bool is_sql = e->kind == FS_FILE && str_ends(str_of(e->name), STR(".sql"));
        if (is_sql && !read_file(a, inside, scripts, err))
            return false;
        if (e->kind == FS_DIR && depth && !read_folder(a, inside, depth - 1, scripts, err))
            return false;
    }
    return true;
}

bool
flow_read_sql(Arena *a, const Endpoint *e, ReplayScripts *scripts, Err *err)
{
    enum { DEPTH = 8 };
    for (size_t i = 0; i < e->nfiles; i++)
        if (!read_file(a, e->files[i], scripts, err))
            return false;
    if (e->files)
        return true;
    if (fs_kind(e->path) != FS_DIR)
        return read_file(a, e->path, scripts, err);
    if (!read_folder(a, e->path, DEPTH, scripts, err))
        return false;
    if (scripts->n)
        return true;
    err_set(err, ERR_IO, "there is no .sql file in \"%s\"", e->path);
    return err_hint(err, "name a file, or a folder with the files that make the schema");
}
