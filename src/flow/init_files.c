/* What the parts of `aramid init` share: files, and where they lie. */
#include "flow/init_int.h"

#include "base/fs.h"
#include "base/jw.h"

const char *
flow_init_group_name(InitGroup group)
{
    static const char *const names[] = {"npm", "github", "vercel", "docker", "k8s"};
    _Static_assert(COUNT(names) == INIT_GROUP_COUNT, "a name for each");
    return names[group];
}

Finding *
init_find(Init *s, FindingId id, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    const char *text = str_vfmt(s->a, fmt, ap);
    va_end(ap);
    /* Scripts of people may hold a password. */
    text = url_redact(s->a, str_of(text), NULL, 0);
    return finding_addz(&s->r->findings, id, finding_info(id)->severity, text);
}

const char *
init_in_home(const Init *s, const char *name)
{
    return fs_join(s->a, s->r->home, name);
}

const char *
init_in_root(const Init *s, const char *name)
{
    return fs_join(s->a, s->r->project.root, name);
}

const char *
init_slug(Arena *a, const char *text)
{
    Buf b;
    buf_init(&b, a);
    for (; *text; text++) {
        char c = *text >= 'A' && *text <= 'Z' ? (char)(*text | 32) : *text;
        bool word = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        if (word)
            buf_addc(&b, c);
        else if (b.n && b.p[b.n - 1] != '-')
            buf_addc(&b, '-');
    }
    while (b.n && b.p[b.n - 1] == '-')
        b.p[--b.n] = 0;
    return b.p;
}

const char *
init_quoted(const Init *s, const char *text)
{
    JsonWriter w;
    jw_init(&w, s->a, false);
    jw_strz(&w, NULL, text);
    return str_dup(s->a, str_trim(buf_str(&w.out)));
}

bool
init_read_file(Init *s, const char *path, bool *ret_there, Str *ret)
{
    *ret = STR("");
    *ret_there = fs_exists(path);
    return !*ret_there || fs_read(s->a, path, FILE_MAX, ret, s->err);
}

bool
init_add_file(Init *s, const char *path, Str text, unsigned mode, Ownership own, const char *why)
{
    InitFile f = {.path = path,
                  .shown = fs_below(s->r->project.start, path),
                  .why = why,
                  .after = text,
                  .mode = mode};
    if (!init_read_file(s, path, &f.was_there, &f.before))
        return false;
    if (f.was_there && str_eq(f.before, f.after))
        f.action = INIT_SAME;
    else if (!f.was_there)
        f.action = INIT_CREATE;
    else
        f.action = own == OWN_EDIT || (own == OWN_FILE && s->in->force) ? INIT_CHANGE : INIT_KEEP;
    *vec_add(s->a, &s->r->files) = f;
    s->r->changes += f.action == INIT_CREATE || f.action == INIT_CHANGE;
    if (f.action != INIT_KEEP || !s->in->beside)
        return true;
    return init_add_file(s, str_fmt(s->a, "%s.aramid-new", path), text, mode, OWN_EDIT,
                         "what Aramid would have written");
}

const char *
init_settings_name(const Init *s)
{
    return fs_exists(init_in_home(s, "aramid.yml")) ? "aramid.yml" : "aramid.yaml";
}

/* The folder that holds both schema and migrations and nothing else of the project; NULL = none. */
const char *
init_common_folder(const Init *s)
{
    const InitResult *r = s->r;
    if (!r->schema || !r->migrations)
        return NULL;
    const char *dir = fs_dirname(s->a, r->migrations), *other = fs_dirname(s->a, r->schema);
    return strcmp(dir, other) == 0 && strcmp(dir, ".") != 0 ? dir : NULL;
}

/* Whether a command line changes the database that DATABASE_URL names. */
bool
init_runs_migrations(Str line)
{
    return str_contains(line, STR("migrate deploy")) || str_contains(line, STR("db push")) ||
           str_contains(line, STR("drizzle-kit migrate")) ||
           str_contains(line, STR("drizzle-kit push")) || str_contains(line, STR("migration up")) ||
           str_contains(line, STR("dbmate up")) || str_contains(line, STR("dbmate migrate")) ||
           str_contains(line, STR("aramid deploy"));
}

bool
init_is_prisma_name(const ProjectScript *script)
{
    return strncmp(script->name, "prisma:", 7) == 0;
}

const char *
init_script_today(Init *s, const ProjectJson *scripts, Str text, const char *name)
{
    const ProjectJson *node = project_json_get(scripts, name);
    if (!node)
        return NULL;
    return str_dup(s->a, node->kind == PROJECT_JSON_TEXT ? node->text
                                                         : str_slice(text, node->from, node->to));
}
