/* drizzle.config.* without running it: where the migrations lie, and which table keeps their history. */
#include "config/drizzle.h"

#include "base/fs.h"
#include "config/config_int.h"
#include "config/js_lex.h"

enum { CONFIG_MAX = 1024 * 1024 };

static const JsToken *
at(const JsTokenVec *tokens, size_t i)
{
    return &tokens->v[i < tokens->n ? i : tokens->n - 1];
}

static bool
is(const JsTokenVec *tokens, size_t i, const char *punct)
{
    return at(tokens, i)->kind == JS_PUNCT && str_is(at(tokens, i)->text, punct);
}

/* Whether the token names a member: out:, "out": */
static bool
is_key(const JsTokenVec *tokens, size_t i, const char *name)
{
    JsKind kind = at(tokens, i)->kind;
    return (kind == JS_WORD || kind == JS_TEXT) && str_is(at(tokens, i)->text, name) &&
           is(tokens, i + 1, ":");
}

/* The literal that is a member's whole value; NULL = it is made by a program. */
static const char *
literal(Arena *a, const JsTokenVec *tokens, size_t key)
{
    const JsToken *value = at(tokens, key + 2);
    bool whole = is(tokens, key + 3, ",") || is(tokens, key + 3, "}");
    return value->kind == JS_TEXT && whole ? str_dup(a, value->text) : NULL;
}

/* Read the file at `path`, as far as its values are literals. */
static void
read_config(Arena *a, const char *path, ConfigDrizzle *ret)
{
    static const struct {
        const char *key;
        bool of_table; /* a member of "migrations" */
        size_t to;
    } wanted[] = {{"out", false, offsetof(ConfigDrizzle, out)},
                  {"dialect", false, offsetof(ConfigDrizzle, dialect)},
                  {"table", true, offsetof(ConfigDrizzle, table)},
                  {"schema", true, offsetof(ConfigDrizzle, schema)}};
    JsTokenVec tokens = {0};
    Str text;
    Err unread;
    *ret = (ConfigDrizzle){.path = path, .out = "drizzle"};
    if (fs_kind(path) != FS_FILE || !fs_read(a, path, CONFIG_MAX, &text, &unread))
        return;
    config_js_lex(a, text, &tokens);
    bool inside = false;
    for (size_t i = 0; i + 2 < tokens.n; i++) {
        if (is_key(&tokens, i, "migrations") && is(&tokens, i + 2, "{"))
            inside = true;
        else if (is(&tokens, i, "}"))
            inside = false;
        for (size_t k = 0; k < COUNT(wanted); k++) {
            if (wanted[k].of_table != inside || !is_key(&tokens, i, wanted[k].key))
                continue;
            const char *value = literal(a, &tokens, i);
            if (value)
                *(const char **)(void *)((char *)ret + wanted[k].to) = value;
            else if (inside || !ret->computed)
                ret->computed = wanted[k].key;
            ret->is_table_computed = ret->is_table_computed || (inside && !value);
        }
    }
    while (strncmp(ret->out, "./", 2) == 0)
        ret->out += 2;
    size_t n = strlen(ret->out);
    while (n > 1 && ret->out[n - 1] == '/')
        n--;
    ret->out = str_dup(a, (Str){ret->out, n});
}

const char *
config_drizzle_table(Arena *a, const ConfigDrizzle *d)
{
    if (!d->schema && !d->table)
        return NULL;
    return str_fmt(a, "%s.%s", d->schema ? d->schema : "drizzle",
                   d->table ? d->table : "__drizzle_migrations");
}

/* ---- which file --------------------------------------------------------------------------- */

static const char *const usual[] = {
    "drizzle.config.ts",  "drizzle.config.js",  "drizzle.config.json", "drizzle.config.mts",
    "drizzle.config.mjs", "drizzle.config.cts", "drizzle.config.cjs"};

/* drizzle.prod.config.ts, drizzle-local.config.ts, drizzle.config.dev.ts */
static bool
is_unusual(const char *name)
{
    static const char *const ends[] = {".ts", ".js", ".json", ".mts", ".mjs", ".cts", ".cjs"};
    bool fits = false;
    for (size_t i = 0; i < COUNT(ends); i++)
        fits = fits || str_ends(str_of(name), str_of(ends[i]));
    return fits && str_starts(str_of(name), STR("drizzle")) && strstr(name, ".config.");
}

bool
config_drizzle_is_default(const ConfigDrizzle *d)
{
    const char *name = fs_below(d->folder, d->path);
    return strcmp(name, usual[0]) == 0 || strcmp(name, usual[1]) == 0 ||
           strcmp(name, usual[2]) == 0;
}

/* Another one, where the file is there and not among them. */
static void
take(Arena *a, const char *dir, const char *name, ConfigDrizzleVec *all)
{
    const char *path = fs_absolute(a, fs_join(a, dir, name));
    if (fs_kind(path) != FS_FILE)
        return;
    vec_each (const ConfigDrizzle, d, all)
        if (strcmp(d->path, path) == 0)
            return;
    ConfigDrizzle *d = vec_add(a, all);
    read_config(a, path, d);
    d->folder = dir;
}

static Str
unquoted(Str word)
{
    bool is_quoted = word.n > 1 && strchr("\"'", word.p[0]) && word.p[0] == word.p[word.n - 1];
    return is_quoted ? str_slice(word, 1, word.n - 1) : word;
}

static void
take_named_in(Arena *a, const char *dir, Str command, ConfigDrizzleVec *all)
{
    bool is_named = false;
    while (command.n) {
        Str word = unquoted(str_cut(&command, ' '));
        if (is_named)
            take(a, dir, str_dup(a, word), all);
        is_named = str_is(word, "--config");
        if (str_starts(word, STR("--config=")))
            take(a, dir, str_dup(a, str_slice(word, 9, word.n)), all);
    }
}

/* What the scripts of package.json give drizzle-kit. */
static void
take_of_scripts(Arena *a, const char *dir, ConfigDrizzleVec *all)
{
    JsonReader r;
    Str text;
    bool there;
    Err unread;
    if (!fs_read_if_there(a, fs_join(a, dir, "package.json"), &there, &text, &unread) || !there ||
        !str_contains(text, STR("drizzle-kit")))
        return;
    bool has_keys = config_package_open(a, text, &r);
    for (Str key; has_keys && jr_key(&r, &key);) {
        if (!str_is(key, "scripts") || !jr_is_object(&r)) {
            jr_skip(&r);
            continue;
        }
        jr_object(&r);
        for (Str name; jr_key(&r, &name);) {
            Str command = jr_is_str(&r) ? jr_str(&r) : (jr_skip(&r), (Str){0});
            if (str_contains(command, STR("drizzle-kit")))
                take_named_in(a, dir, command, all);
        }
    }
    (void)jr_done(&r); /* whoever reads the rest of it says what is wrong there */
}

ConfigDrizzleVec
config_drizzle_in(Arena *a, const char *dir)
{
    ConfigDrizzleVec ret = {0};
    FsEntryVec entries = {0};
    Err unread;
    take_of_scripts(a, dir, &ret);
    for (size_t i = 0; i < COUNT(usual); i++)
        take(a, dir, usual[i], &ret);
    if (ret.n || !fs_list(a, dir, &entries, &unread))
        return ret;
    vec_each (const FsEntry, e, &entries)
        if (is_unusual(e->name))
            take(a, dir, e->name, &ret);
    return ret;
}

static bool
leads_to(Arena *a, const ConfigDrizzle *d, const char *dir, const char *migrations)
{
    const char *out = fs_absolute(a, fs_join(a, dir, d->out));
    bool is_computed = d->computed && strcmp(d->computed, "out") == 0;
    return is_computed || strcmp(out, migrations) == 0 || fs_same(out, migrations);
}

bool
config_drizzle_of(Arena *a, const char *top, const char *migrations, ConfigDrizzle *ret)
{
    for (const char *dir = migrations; strcmp(dir, top) != 0 && fs_below(top, dir) != dir;) {
        dir = fs_dirname(a, dir);
        ConfigDrizzleVec all = config_drizzle_in(a, dir);
        vec_each (const ConfigDrizzle, d, &all)
            if (leads_to(a, d, dir, migrations)) {
                *ret = *d;
                return true;
            }
    }
    *ret = (ConfigDrizzle){0};
    return false;
}
