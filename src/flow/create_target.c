/* Which schema the migrations are to lead to. */
#include "flow/create_int.h"

#include "base/fs.h"

#include <glob.h>

/* ---- supabase/config.toml --------------------------------------------------------------------- */

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

/* The value of schema_paths in [db.migrations]: from its bracket to the one that closes it. */
static Str
schema_paths(Arena *a, Str text)
{
    Buf b;
    buf_init(&b, a);
    bool here = false, open = false;
    for (Str rest = text; rest.p;) {
        Str line = str_trim(without_comment(str_cut(&rest, '\n')));
        if (!open && str_starts(line, STR("[")))
            here = str_is(line, "[db.migrations]");
        Str value = line, key = str_cut(&value, '=');
        if (here && !open && value.p && str_is(str_trim(key), "schema_paths")) {
            open = true;
            line = value;
        }
        if (!open)
            continue;
        buf_add(&b, line);
        if (memchr(line.p, ']', line.n))
            break;
    }
    return buf_str(&b);
}

/* Its strings are patterns below the folder, each with its files in order. */
static void
add_files(Arena *a, const char *dir, Str list, CatTexts *ret)
{
    while (list.n) {
        const char *open = NULL;
        for (size_t i = 0; i < list.n && !open; i++)
            if (list.p[i] == '"' || list.p[i] == '\'')
                open = list.p + i;
        const char *end =
            open ? memchr(open + 1, *open, (size_t)(list.p + list.n - open - 1)) : NULL;
        if (!end)
            return;
        Str pattern = {open + 1, (size_t)(end - open - 1)};
        list = str_slice(list, (size_t)(end + 1 - list.p), list.n);
        glob_t found = {0};
        if (glob(fs_join(a, dir, str_dup(a, pattern)), 0, NULL, &found) == 0)
            for (size_t i = 0; i < found.gl_pathc; i++)
                if (!cat_has_text(ret, found.gl_pathv[i]))
                    *vec_add(a, ret) = str_dupz(a, found.gl_pathv[i]);
        globfree(&found);
    }
}

static bool
supabase_files(Arena *a, const char *dir, Endpoint *ret, Err *err)
{
    const char *config = fs_join(a, dir, "config.toml"), *folder = fs_join(a, dir, "schemas");
    Str text;
    bool there;
    if (!fs_read_if_there(a, config, &there, &text, err))
        return false;
    Str list = there ? schema_paths(a, text) : STR("");
    CatTexts files = {0};
    add_files(a, dir, list, &files);
    if (files.n) {
        *ret = (Endpoint){.kind = ENDPOINT_SQL,
                          .path = fs_below(fs_absolute(a, "."), config),
                          .files = files.v,
                          .nfiles = files.n};
    } else if (fs_kind(folder) == FS_DIR) {
        *ret = (Endpoint){.kind = ENDPOINT_SQL, .path = fs_below(fs_absolute(a, "."), folder)};
    }
    return true;
}

/* ---- all of it -------------------------------------------------------------------------------- */

bool
create_target(Arena *a, const CreateInput *in, const History *h, Endpoint *ret, Err *err)
{
    const Config *c = in->base.config;
    const char *here = fs_absolute(a, "."),
               *sql = in->sql ? in->sql : c->values[CFG_SCHEMA_SQL].text;
    *ret = (Endpoint){.kind = ENDPOINT_NONE};
    if (!in->sql && c->schema_path)
        *ret = (Endpoint){.kind = ENDPOINT_SCHEMA, .path = fs_below(here, c->schema_path)};
    else if (sql)
        *ret = (Endpoint){.kind = ENDPOINT_SQL, .path = fs_below(here, sql)};
    else if (h->layout == &history_supabase &&
             !supabase_files(a, fs_dirname(a, h->source), ret, err))
        return false;
    if (ret->kind == ENDPOINT_SQL && !ret->files && fs_kind(ret->path) == FS_MISSING) {
        err_set(err, ERR_NO_SCHEMA, "there is no file and no folder \"%s\"", ret->path);
        return err_hint(err, "name the SQL that makes the schema: --to-sql PATH");
    }
    if (ret->kind != ENDPOINT_NONE)
        return true;
    err_set(err, ERR_NO_SCHEMA, "there is no schema that a migration could be made of");
    err_detail(err,
               "neither a schema.prisma nor SQL files that make the schema (setting schema_sql%s)",
               h->layout == &history_supabase ? ", schema_paths in supabase/config.toml" : "");
    return err_hint(err,
                    "name it: --schema PATH or --to-sql PATH; or write the SQL yourself: aramid "
                    "create NAME --empty");
}
