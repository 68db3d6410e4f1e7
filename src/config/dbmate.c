/* What a project tells dbmate: variables of the process and of .env, and over these the flags of the
 * commands in package.json. */
#include "load.h"

#include "base/fs.h"

/* ---- commands ----------------------------------------------------------------------------- */

/* The next word of a command line, quotes taken off; false: none, or the command's end. */
static bool
next_word(Arena *a, Str *rest, const char **ret)
{
    Buf b;
    buf_init(&b, a);
    while (rest->n && strchr(" \t\n", rest->p[0]))
        *rest = str_slice(*rest, 1, rest->n);
    if (!rest->n || strchr(";&|", rest->p[0]))
        return false;
    for (char quote = 0; rest->n; *rest = str_slice(*rest, 1, rest->n)) {
        char c = rest->p[0];
        if (quote ? c == quote : c == '"' || c == '\'') {
            quote = quote ? 0 : c;
            continue;
        }
        if (!quote && strchr(" \t\n;&|", c))
            break;
        buf_addc(&b, c);
    }
    *ret = buf_finish(&b).p;
    return true;
}

/* `word` is one of the two spellings, alone (its value is the next word) or as --flag=value. */
static bool
is_flag(Arena *a, const char *word, const char *const names[2], Str *rest, const char **ret)
{
    for (int i = 0; i < 2; i++) {
        size_t n = strlen(names[i]);
        if (!n || strncmp(word, names[i], n) != 0 || (word[n] && word[n] != '='))
            continue;
        *ret = word[n] ? word + n + 1 : NULL;
        return *ret || next_word(a, rest, ret);
    }
    return false;
}

static void
add_list(Arena *a, const char *value, DbmateFlags *f)
{
    for (Str rest = str_of(value); rest.p;) {
        Str one = str_trim(str_cut(&rest, ','));
        if (one.n)
            *vec_add(a, &f->dirs) = str_dup(a, one);
    }
}

static bool
looks_at_history(const char *word)
{
    static const char *const verbs[] = {"up", "migrate", "rollback", "down", "status"};
    for (size_t i = 0; i < COUNT(verbs); i++)
        if (strcmp(word, verbs[i]) == 0)
            return true;
    return false;
}

/* The flags of the next dbmate in a command line that looks at the history; false: there is none. */
static bool
read_command(Arena *a, Str *line, DbmateFlags *ret)
{
    static const char *const dir[2] = {"--migrations-dir", "-d"},
                             *const table[2] = {"--migrations-table", ""},
                             *const file[2] = {"--schema-file", "-s"},
                             *const env[2] = {"--env", "-e"};
    const char *word, *value;
    bool found = false, looks = false;
    *ret = (DbmateFlags){0};
    while (line->n) {
        if (!next_word(a, line, &word)) {
            if (looks)
                return true;
            *line = line->n ? str_slice(*line, 1, line->n) : *line;
            *ret = (DbmateFlags){0};
            found = false;
        } else if (strcmp(fs_basename(word), "dbmate") == 0)
            found = true;
        else if (!found)
            continue;
        else if (is_flag(a, word, dir, line, &value))
            add_list(a, value, ret);
        else if (is_flag(a, word, table, line, &value))
            ret->table = value;
        else if (is_flag(a, word, file, line, &value))
            ret->schema_file = value;
        else if (is_flag(a, word, env, line, &value))
            ret->env = value;
        else if (strcmp(word, "--no-dump-schema") == 0)
            ret->no_dump = true;
        else
            looks = looks || looks_at_history(word);
    }
    return looks;
}

static bool
same_text(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : !a && !b;
}

static bool
same(const DbmateFlags *a, const DbmateFlags *b)
{
    bool ok = a->dirs.n == b->dirs.n && same_text(a->table, b->table) && same_text(a->env, b->env);
    for (size_t i = 0; ok && i < a->dirs.n; i++)
        ok = same_text(a->dirs.v[i], b->dirs.v[i]);
    return ok;
}

/* A value that the shell fills in. */
static bool
is_filled_in(const DbmateFlags *f)
{
    bool found = (f->table && strchr(f->table, '$')) || (f->env && strchr(f->env, '$'));
    vec_each (const char *const, dir, &f->dirs)
        found = found || strchr(*dir, '$');
    return found;
}

bool
config_dbmate_scripts(Arena *a, Str package, DbmateFlags *ret)
{
    JsonReader r;
    bool found = false, agree = true;
    *ret = (DbmateFlags){0};
    if (!str_contains(package, STR("dbmate")))
        return true;
    bool has_keys = config_package_open(a, package, &r);
    for (Str key; has_keys && jr_key(&r, &key);) {
        if (!str_is(key, "scripts") || !jr_is_object(&r)) {
            jr_skip(&r);
            continue;
        }
        jr_object(&r);
        for (Str name; jr_key(&r, &name);) {
            DbmateFlags one;
            if (!jr_is_str(&r)) {
                jr_skip(&r);
                continue;
            }
            for (Str line = jr_str(&r); read_command(a, &line, &one);) {
                agree = agree && (!found || same(ret, &one)) && !is_filled_in(&one);
                one.no_dump = one.no_dump || ret->no_dump;
                *ret = found ? *ret : one;
                ret->no_dump = one.no_dump;
                found = true;
            }
        }
    }
    if (!jr_done(&r)) /* told by whoever reads the rest of it */
        *ret = (DbmateFlags){0};
    if (!agree)
        *ret = (DbmateFlags){.no_dump = ret->no_dump};
    return agree;
}

/* ---- variables ---------------------------------------------------------------------------- */

/* Where dbmate looks: in its own environment, and in .env. */
static const char *
variable(Loader *l, const char *name, const char **ret_origin)
{
    EnvHit hit;
    for (size_t i = 0; i < l->env.layers.n; i++) {
        const char *path = l->env.layers.v[i].path;
        if ((i == 0 || (path && strcmp(path, ".env") == 0)) &&
            config_env_find_in(l->a, &l->env, i, name, &hit) && hit.value[0]) {
            *ret_origin = hit.origin;
            return hit.value;
        }
    }
    return NULL;
}

static const char *
in_project(Loader *l, const char *path)
{
    return fs_absolute(l->a, fs_join(l->a, l->c->project_dir, path));
}

void
config_load_dbmate(Loader *l)
{
    static const char scripts[] = "dbmate's flags in package.json";
    ConfigDbmate *d = &l->c->dbmate;
    DbmateFlags f = l->dbmate;
    const char *origin = scripts, *value;
    if (!f.dirs.n && (value = variable(l, "DBMATE_MIGRATIONS_DIR", &origin)))
        add_list(l->a, value, &f);
    vec_each (const char *, dir, &f.dirs)
        *vec_add(l->a, &d->dirs) = in_project(l, *dir);
    d->dirs_origin = origin;
    d->table = f.table ? f.table : variable(l, "DBMATE_MIGRATIONS_TABLE", &origin);
    value = f.schema_file ? f.schema_file : variable(l, "DBMATE_SCHEMA_FILE", &origin);
    d->schema_file = in_project(l, value ? value : "db/schema.sql");
    value = variable(l, "DBMATE_NO_DUMP_SCHEMA", &origin);
    d->no_dump =
        f.no_dump || (value && (str_ieq(str_of(value), STR("true")) || strcmp(value, "1") == 0 ||
                                str_ieq(str_of(value), STR("t"))));
}
