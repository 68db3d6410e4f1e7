/* Schema files: the room's only contact with the outside. */
#include "psl/psl.h"

#include "base/fs.h"

#include <stdlib.h>
#include <sys/stat.h>

typedef struct FolderId {
    dev_t device;
    ino_t inode;
} FolderId;

typedef struct Search {
    Arena *a;
    Arena *scratch;
    VEC(const char *) found;
    VEC(FolderId) seen;
} Search;

/* Was this folder not walked yet? Links may lead back to it, or to it twice. */
static bool
enter(Search *s, const char *path)
{
    struct stat st;
    if (stat(path, &st) != 0)
        return true; /* opening it will say why */
    vec_each (const FolderId, id, &s->seen) {
        if (id->device == st.st_dev && id->inode == st.st_ino)
            return false;
    }
    *vec_add(s->scratch, &s->seen) = (FolderId){st.st_dev, st.st_ino};
    return true;
}

/* Collect the schema files of a folder and the folders below it. The work list replaces recursion:
 * a path may be as deep as the file system allows. */
static bool
walk(Search *s, const char *root, Err *err)
{
    VEC(const char *) todo = {0};
    *vec_add(s->scratch, &todo) = root;
    while (todo.n) {
        const char *folder = todo.v[--todo.n];
        FsEntryVec entries;
        if (!enter(s, folder))
            continue;
        if (!fs_list(s->scratch, folder, &entries, err))
            return false;
        vec_each (const FsEntry, entry, &entries) {
            bool is_schema = str_ends(str_of(entry->name), STR(".prisma"));
            if (entry->kind == FS_DIR)
                *vec_add(s->scratch, &todo) = fs_join(s->scratch, folder, entry->name);
            else if (is_schema)
                *vec_add(s->scratch, &s->found) = fs_join(s->a, folder, entry->name);
        }
    }
    return true;
}

static int
compare_paths(const void *a, const void *b)
{
    const char *const *pa = a, *const *pb = b;
    return strcmp(*pa, *pb);
}

bool
psl_load_sources(Arena *a, const char *path, Source **ret, size_t *ret_n, Err *err)
{
    ARENA_LOCAL(scratch);
    Search s = {.a = a, .scratch = scratch};
    if (fs_kind(path) == FS_DIR) {
        if (!walk(&s, path, err))
            return false;
        if (!s.found.n) {
            err_set(err, ERR_IO, "there is no .prisma file in \"%s\"", path);
            err_at(err, path, 0, 0);
            return err_hint(err, "name the schema file or its folder with --schema PATH");
        }
        qsort(s.found.v, s.found.n, sizeof *s.found.v, compare_paths);
    } else {
        *vec_add(scratch, &s.found) = str_dupz(a, path);
    }
    Source *sources = arena_array(a, Source, s.found.n);
    for (size_t i = 0; i < s.found.n; i++) {
        sources[i].path = s.found.v[i];
        if (!fs_read(a, s.found.v[i], PSL_MAX_TEXT, &sources[i].text, err))
            return false;
    }
    *ret = sources;
    *ret_n = s.found.n;
    return true;
}

bool
psl_load(Arena *a, const char *path, PslSchema **ret, FindingList *diags, Err *err)
{
    Source *sources;
    size_t n;
    if (!psl_load_sources(a, path, &sources, &n, err))
        return false;
    *ret = psl_parse(a, sources, n, diags);
    return true;
}
