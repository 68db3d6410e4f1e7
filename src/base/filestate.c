#include "base/filestate.h"

#include "base/clock.h"
#include "base/fs.h"

#include <stdio.h>
#include <sys/stat.h>

#define HEAD "aramid file states 1\n"
#define TAIL "end\n"

enum {
    WORTH = 32,        /* so many new ones are written */
    SETTLED_MS = 2000, /* the coarsest clock of a file system: FAT's */
    HASH_LENGTH = 64,
    STATES_MAX = 64 * 1024 * 1024
};

typedef struct FileKnown {
    FileState state;
    const char *sha256;
    bool is_used;
} FileKnown;

bool
filestate_of(const char *file, FileState *ret)
{
    struct stat st;
    if (stat(file, &st) != 0 || !S_ISREG(st.st_mode))
        return false;
    *ret = (FileState){st.st_size, st.st_mtim.tv_sec * 1000000000LL + st.st_mtim.tv_nsec,
                       st.st_ctim.tv_sec * 1000000000LL + st.st_ctim.tv_nsec, (long long)st.st_ino,
                       (long long)st.st_dev};
    return true;
}

static bool
is_same(const FileState *a, const FileState *b)
{
    return a->size == b->size && a->mtime_ns == b->mtime_ns && a->ctime_ns == b->ctime_ns &&
           a->inode == b->inode && a->device == b->device;
}

/* "<size> <mtime> <ctime> <inode> <device> <sha256> <file>" */
static bool
take_line(FileStates *s, Str line)
{
    FileKnown *k = arena_new(s->arena, FileKnown);
    long long *const numbers[] = {&k->state.size, &k->state.mtime_ns, &k->state.ctime_ns,
                                  &k->state.inode, &k->state.device};
    for (size_t i = 0; i < COUNT(numbers); i++)
        if (!str_to_int(str_cut(&line, ' '), INT64_MIN, INT64_MAX, numbers[i]))
            return false;
    Str hash = str_cut(&line, ' ');
    if (hash.n != HASH_LENGTH || !line.n)
        return false;
    k->sha256 = str_dup(s->arena, hash);
    map_put(&s->known, line, k);
    return true;
}

static void
take(FileStates *s, Str text)
{
    if (!str_starts(text, STR(HEAD)) || !str_ends(text, STR(TAIL)))
        return;
    Str rest = str_slice(text, strlen(HEAD), text.n - strlen(TAIL));
    while (rest.n)
        if (!take_line(s, str_cut(&rest, '\n'))) {
            map_init(&s->known, s->arena);
            return;
        }
}

void
filestates_open(Arena *a, const char *path, FileStates *ret)
{
    *ret = (FileStates){.arena = a, .path = path};
    map_init(&ret->known, a);
    Str text;
    bool there;
    Err ignored;
    if (path && fs_size(path) < STATES_MAX && fs_read_if_there(a, path, &there, &text, &ignored) &&
        there)
        take(ret, text);
}

const char *
filestates_find(FileStates *s, const char *file, const FileState *state)
{
    FileKnown *k = map_get(&s->known, str_of(file));
    if (!k || !is_same(&k->state, state))
        return NULL;
    k->is_used = true;
    return k->sha256;
}

void
filestates_note(FileStates *s, const char *file, const FileState *state, const char *sha256)
{
    long long newest = state->mtime_ns > state->ctime_ns ? state->mtime_ns : state->ctime_ns;
    if (clock_wall_us() / 1000 - newest / 1000000 < SETTLED_MS || strchr(file, '\n') ||
        strlen(sha256) != HASH_LENGTH)
        return;
    FileKnown *k = arena_new(s->arena, FileKnown);
    *k = (FileKnown){*state, sha256, true};
    map_put(&s->known, str_of(file), k);
    s->fresh++;
}

void
filestates_save(const FileStates *s)
{
    if (!s->path || s->fresh < WORTH)
        return;
    ARENA_LOCAL(a);
    Buf b;
    Err ignored;
    buf_init(&b, a);
    buf_addz(&b, HEAD);
    for (size_t i = 0; i < s->known.n; i++) {
        const FileKnown *k = s->known.entries[i].value;
        const FileState *f = &k->state;
        Str file = s->known.entries[i].key;
        if (k->is_used)
            buf_fmt(&b, "%lld %lld %lld %lld %lld %s %.*s\n", f->size, f->mtime_ns, f->ctime_ns,
                    f->inode, f->device, k->sha256, (int)file.n, file.p);
    }
    buf_addz(&b, TAIL);
    bool ok = fs_mkdirs(fs_dirname(a, s->path), 0700, &ignored) &&
              fs_write(s->path, buf_str(&b), 0600, &ignored);
    (void)ok;
}
