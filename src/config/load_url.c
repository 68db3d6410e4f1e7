/* Which database: the URL, the one without a pooler, the one for replays. The rule above all: a
 * connection never goes to a database that nobody named for this environment. */
#include "load.h"

#include "base/fs.h"
#include "url_int.h"

/* A variable, or what the file holds that NAME_FILE points to (secrets of Docker). */
static bool
find_or_file(Loader *l, const char *name, const char **ret)
{
    EnvHit hit;
    *ret = NULL;
    if (config_env_find(l->a, &l->env, name, &hit)) {
        *ret = hit.value;
        return true;
    }
    if (!config_env_find(l->a, &l->env, str_fmt(l->a, "%s_FILE", name), &hit))
        return true;
    Str text;
    const char *path = fs_absolute(l->a, fs_join(l->a, l->c->project_dir, hit.value));
    if (!fs_read(l->a, path, 64 * 1024, &text, l->err))
        return err_detail(l->err, "%s_FILE points there (%s).", name, hit.origin);
    while (text.n && (text.p[text.n - 1] == '\n' || text.p[text.n - 1] == '\r'))
        text.n--;
    *ret = str_dup(l->a, text);
    return true;
}

typedef struct UrlParts {
    const char *host, *port, *user, *password, *database;
} UrlParts;

static const char *
build(Loader *l, const UrlParts *p)
{
    Buf b;
    buf_init(&b, l->a);
    buf_addz(&b, "postgresql://");
    if (p->user)
        url_encode(&b, p->user, "");
    if (p->password) {
        buf_addc(&b, ':');
        url_encode(&b, p->password, "");
    }
    buf_addz(&b, p->user || p->password ? "@/" : "/");
    url_encode(&b, p->database ? p->database : "", "");
    buf_addz(&b, "?host=");
    url_encode(&b, p->host, "/,:");
    if (p->port) {
        buf_addz(&b, "&port=");
        url_encode(&b, p->port, ",");
    }
    return b.p;
}

/* The variables of the postgres image, or libpq's own; only when they name a host. */
static bool
find_parts(Loader *l, bool libpq, Found *ret)
{
    static const char *const docker[] = {"POSTGRES_HOST", "POSTGRES_PORT", "POSTGRES_USER",
                                         "POSTGRES_PASSWORD", "POSTGRES_DB"};
    static const char *const own[] = {"PGHOST", "PGPORT", "PGUSER", "PGPASSWORD", "PGDATABASE"};
    const char *const *names = libpq ? own : docker;
    EnvHit hit;
    UrlParts p = {0};
    if (!config_env_find(l->a, &l->env, names[0], &hit)) {
        EnvHit other;
        if (!libpq && config_env_find(l->a, &l->env, "POSTGRES_DB", &other))
            config_load_note(l, NULL, 0,
                             "POSTGRES_DB is set (%s) but POSTGRES_HOST is not: no URL was "
                             "made of them",
                             other.origin);
        return true;
    }
    p.host = hit.value;
    if (!find_or_file(l, names[1], &p.port) || !find_or_file(l, names[2], &p.user) ||
        !find_or_file(l, names[3], &p.password) || !find_or_file(l, names[4], &p.database))
        return false;
    p.user = p.user || libpq ? p.user : "postgres";
    p.database = p.database ? p.database : p.user;
    *ret = (Found){.text = build(l, &p),
                   .rank = SIZE_MAX, /* a URL that was written out says more */
                   .origin = str_fmt(l->a, "%s%s and the variables beside it", hit.origin,
                                     hit.layer ? libpq ? " (PGHOST)" : " (POSTGRES_HOST)" : "")};
    return true;
}

/* Say when a variable that people expect to count did not. */
static void
note_unused(Loader *l, const Found *url)
{
    EnvHit hit;
    if (!config_env_find(l->a, &l->env, "DATABASE_URL", &hit) || !strcmp(hit.value, url->text) ||
        url->from_flag)
        return;
    config_load_note(l, NULL, 0, "DATABASE_URL (%s) is not used: %s is stronger", hit.origin,
                     url->origin);
}

/* Prisma itself would use the variable that the schema or its config names. */
static void
note_other_name(Loader *l, const Found *url, const FileValue *values, size_t n, const char *key,
                const char *path)
{
    for (size_t i = 0; i < n; i++) {
        EnvHit hit;
        if (strcmp(values[i].key, key) != 0 || !values[i].alts.n || !values[i].alts.v[0].is_env)
            continue;
        const char *name = values[i].alts.v[0].text;
        if (config_env_find(l->a, &l->env, name, &hit) && strcmp(hit.value, url->text) != 0 &&
            strcmp(name, "DATABASE_URL") != 0)
            config_load_note(l, path, values[i].line,
                             "%s names the variable %s, but %s is stronger", path, name,
                             url->origin);
    }
}

bool
config_load_urls(Loader *l)
{
    Found url, direct, shadow;
    if (!config_load_find(l, CFG_URL, &url))
        return false;
    if (!url.text && !url.empty && !find_parts(l, false, &url))
        return false;
    if (!url.text && !url.empty && !find_parts(l, true, &url))
        return false;
    if (!config_load_find(l, CFG_DIRECT_URL, &direct) ||
        !config_load_find(l, CFG_SHADOW_URL, &shadow))
        return false;
    if (url.text) {
        note_unused(l, &url);
        note_other_name(l, &url, l->prisma.values.v, l->prisma.values.n, "datasource.url",
                        l->prisma.path);
        note_other_name(l, &url, l->datasource.values.v, l->datasource.values.n, "url",
                        l->datasource.path);
    }
    if (url.of_every && l->env_named && l->c->profile != PROFILE_DEVELOPMENT)
        config_load_note(l, NULL, 0,
                         "the URL for environment %s is from %s, which holds for every environment",
                         l->c->env_name, url.origin);
    if ((url.text || url.empty) && direct.text && url.rank < direct.rank) {
        config_load_note(l, direct.path, direct.line,
                         "the direct URL (%s) is not used: the URL is from %s, which is stronger",
                         direct.origin, url.origin);
        direct.text = NULL;
    }
    const Found *empty = url.empty ? &url : direct.empty ? &direct : NULL;
    if (!url.text && !direct.text && empty) {
        l->c->empty_url = empty->empty;
        l->c->empty_url_origin = empty->origin;
    }
    if ((url.text && !config_load_set(l, CFG_URL, &url)) ||
        (direct.text && !config_load_set(l, CFG_DIRECT_URL, &direct)) ||
        (shadow.text && !config_load_set(l, CFG_SHADOW_URL, &shadow)))
        return false;
    const Found *used = config_target(l->c) == &l->c->values[CFG_DIRECT_URL] ? &direct : &url;
    l->c->url_is_own = used->text && (used->is_own || used->of_section);
    return true;
}

const ConfigValue *
config_target(const Config *c)
{
    const ConfigValue *url = &c->values[CFG_URL], *direct = &c->values[CFG_DIRECT_URL];
    bool by_flag = url->text && str_starts(str_of(url->origin), STR("flag"));
    const ConfigValue *v = direct->text && direct->text[0] && !by_flag ? direct : url;
    return v->text && v->text[0] ? v : NULL;
}
