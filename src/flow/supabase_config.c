/* The few words of supabase/config.toml that Aramid reads. */
#include "flow/supabase_config.h"

#include "base/fs.h"

#include <glob.h>
#include <string.h>

/* The part of a line in front of a comment; quotes are counted. */
static Str
without_comment(Str line)
{
    char quote = 0;
    for (size_t i = 0; i < line.n; i++) {
        char c = line.p[i];
        if (quote ? c == quote : c == '"' || c == '\'')
            quote = quote ? 0 : c;
        else if (c == '#' && !quote)
            return str_slice(line, 0, i);
    }
    return line;
}

bool
supabase_config_value(Arena *a, const char *dir, const char *section, const char *key, Str *ret,
                      Err *err)
{
    Str text;
    Buf b;
    bool there, here = false, open = false;
    *ret = (Str){0};
    if (!fs_read_if_there(a, fs_join(a, dir, "config.toml"), &there, &text, err))
        return false;
    if (!there)
        return true;
    buf_init(&b, a);
    for (Str rest = text; rest.p;) {
        Str line = str_trim(without_comment(str_cut(&rest, '\n')));
        if (!open && str_starts(line, STR("[")))
            here = str_is(line, section);
        Str value = line, name = str_cut(&value, '=');
        if (!open && here && value.p && str_is(str_trim(name), key)) {
            line = str_trim(value);
            open = true;
        }
        if (!open)
            continue;
        buf_add(&b, line);
        if (b.p[0] != '[' || memchr(line.p, ']', line.n))
            break;
    }
    if (open)
        *ret = buf_str(&b);
    return true;
}

static bool
is_listed(const SupabaseFiles *list, const char *path)
{
    vec_each (const char *, known, list)
        if (strcmp(*known, path) == 0)
            return true;
    return false;
}

static void
add_pattern(Arena *a, const char *pattern, SupabaseFiles *ret)
{
    glob_t found = {0};
    if (glob(pattern, 0, NULL, &found) == 0)
        for (size_t i = 0; i < found.gl_pathc; i++)
            if (fs_kind(found.gl_pathv[i]) == FS_FILE && !is_listed(ret, found.gl_pathv[i]))
                *vec_add(a, ret) = str_dupz(a, found.gl_pathv[i]);
    globfree(&found);
}

bool
supabase_config_files(Arena *a, const char *dir, const char *section, const char *key,
                      SupabaseFiles *ret, Err *err)
{
    Str list;
    *ret = (SupabaseFiles){0};
    if (!supabase_config_value(a, dir, section, key, &list, err))
        return false;
    while (list.n) {
        const char *open = NULL;
        for (size_t i = 0; i < list.n && !open; i++)
            if (list.p[i] == '"' || list.p[i] == '\'')
                open = list.p + i;
        const char *end =
            open ? memchr(open + 1, *open, (size_t)(list.p + list.n - open - 1)) : NULL;
        if (!end)
            break;
        Str pattern = {open + 1, (size_t)(end - open - 1)};
        list = str_slice(list, (size_t)(end + 1 - list.p), list.n);
        while (str_starts(pattern, STR("./")))
            pattern = str_slice(pattern, 2, pattern.n);
        add_pattern(a, fs_join(a, dir, str_dup(a, pattern)), ret);
    }
    return true;
}
