/* Which database: the URL, the one without a pooler, the one for replays. The rule above all: a
 * connection never goes to a database that nobody named for this environment. */
#include "load.h"

#include "base/fs.h"
#include "url_int.h"

/* EnvSet.read_file. errors: ERR_IO, into the loader */
static bool
read_file(void *arg, const char *name, EnvHit *hit)
{
    Loader *l = arg;
    Str text;
    const char *path = fs_absolute(l->a, fs_join(l->a, l->c->project_dir, hit->value));
    Err err;
    if (!fs_read(l->a, path, 64 * 1024, &text, &err)) {
        err_detail(&err, "%s_FILE points there (%s).", name, hit->origin);
        if (!l->file_failed)
            *l->err = err;
        l->file_failed = true;
        return false;
    }
    while (text.n && (text.p[text.n - 1] == '\n' || text.p[text.n - 1] == '\r'))
        text.n--;
    hit->value = str_dup(l->a, text);
    return true;
}

static const char *
variable(Loader *l, const char *name)
{
    EnvHit hit;
    return config_env_find(l->a, &l->env, name, &hit) ? hit.value : NULL;
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

/* The first of `names` that is set; false = none is. */
static bool
find_any(Loader *l, const char *const *names, EnvHit *hit, const char **ret_name)
{
    for (; *names; names++) {
        *ret_name = *names;
        if (config_env_find(l->a, &l->env, *names, hit))
            return true;
    }
    return false;
}

/* The variables of the postgres image, or libpq's own. Those of the image mean the container whose
 * port is published on this machine when they name no host; libpq's name one or nothing. */
static void
find_parts(Loader *l, bool libpq, Found *ret)
{
    static const char *const docker[] = {"POSTGRES_HOST", "POSTGRES_PORT", "POSTGRES_USER",
                                         "POSTGRES_PASSWORD", "POSTGRES_DB"};
    static const char *const own[] = {"PGHOST", "PGPORT", "PGUSER", "PGPASSWORD", "PGDATABASE"};
    static const char *const of_docker[] = {"POSTGRES_HOST", "POSTGRES_DB", "POSTGRES_USER", NULL},
                             *const of_libpq[] = {"PGHOST", NULL};
    const char *const *names = libpq ? own : docker;
    EnvHit hit;
    const char *by;
    if (!find_any(l, libpq ? of_libpq : of_docker, &hit, &by))
        return;
    UrlParts p = {variable(l, names[0]), variable(l, names[1]), variable(l, names[2]),
                  variable(l, names[3]), variable(l, names[4])};
    bool no_host = !p.host;
    p.host = p.host ? p.host : "localhost";
    p.user = p.user || libpq ? p.user : "postgres";
    p.database = p.database ? p.database : p.user;
    *ret = (Found){.text = build(l, &p),
                   .rank = SIZE_MAX, /* a URL that was written out says more */
                   .origin = str_fmt(l->a, "%s%s and the variables beside it%s", hit.origin,
                                     hit.layer ? str_fmt(l->a, " (%s)", by) : "",
                                     no_host ? "; POSTGRES_HOST is not set" : "")};
}

/* Say when a variable that people expect to count did not. */
static void
note_unused(Loader *l, const Found *url)
{
    EnvHit hit;
    if (!config_env_find(l->a, &l->env, "DATABASE_URL", &hit) || !strcmp(hit.value, url->text) ||
        url->from_flag || url->names_general)
        return;
    config_load_note(l, FINDING_CONFIG_UNUSED, NULL, 0,
                     "DATABASE_URL (%s) is not used: %s is stronger", hit.origin, url->origin);
}

static bool
is_other_database(Loader *l, const char *a, const char *b, DbUrl *ret_b)
{
    DbUrl x;
    Err unread;
    return url_parse(l->a, a, "", &x, &unread) && url_parse(l->a, b, "", ret_b, &unread) &&
           !url_same_database(&x, ret_b);
}

static const char *
named(Loader *l, const char *name, const EnvHit *hit)
{
    return hit->layer ? str_fmt(l->a, "%s (%s)", name, hit->origin) : hit->origin;
}

/* What NAME_FILE leads to beside the variable NAME that is in use; NULL: nothing. */
static const char *
beside_file(Loader *l, const Found *url, const char **ret_origin)
{
    EnvHit own, hit;
    const char *name = url->variable ? str_fmt(l->a, "%s_FILE", url->variable) : NULL;
    if (!name || !config_env_find(l->a, &l->env, url->variable, &own) ||
        !config_env_find(l->a, &l->env, name, &hit))
        return NULL;
    *ret_origin = named(l, name, &hit);
    if (strcmp(*ret_origin, named(l, name, &own)) == 0 || !read_file(l, url->variable, &hit))
        return NULL;
    return hit.value;
}

/* What the schema says beside the URL of prisma.config.* that is in use; NULL: nothing, or the pooler
 * of the same database. */
static const char *
beside_config(Loader *l, const Found *url, const Found *in_files, const Found *direct,
              const char **ret_origin)
{
    DbUrl ignored;
    const Found *beside = in_files->beside;
    if (!beside || strcmp(url->text, in_files->text) != 0 ||
        (direct->text && !is_other_database(l, url->text, direct->text, &ignored)))
        return NULL;
    *ret_origin = beside->origin;
    return beside->text;
}

/* Two sources that name different databases, where nothing says which one is meant: the variable that
 * the project's files name and DATABASE_URL, or DATABASE_URL and a URL that Prisma's files spell out, a
 * variable and its NAME_FILE, or prisma.config.* and the schema. */
static void
find_other(Loader *l, const Found *url, const Found *in_files, const Found *direct)
{
    EnvHit hit;
    DbUrl other;
    if (url->from_flag || url->is_own || url->of_section || url->is_decided)
        return;
    const char *origin = NULL, *text = beside_file(l, url, &origin);
    if (!text)
        text = beside_config(l, url, in_files, direct, &origin);
    if (!text && url->names_general)
        return;
    if (!text && url->is_named && config_env_find(l->a, &l->env, "DATABASE_URL", &hit))
        text = hit.value, origin = named(l, "DATABASE_URL", &hit);
    else if (!text && !url->is_named && in_files->text && !in_files->is_named &&
             !in_files->is_decided && !in_files->names_general)
        text = in_files->text, origin = in_files->origin;
    if (!text || !is_other_database(l, url->text, text, &other))
        return;
    l->c->other_url = url_shown(l->a, &other);
    l->c->other_url_origin = origin;
    finding_add(&l->c->findings, FINDING_CONFIG_OTHER_URL,
                "names another database (%s); the one in use is from %s", l->c->other_url,
                url->origin)
        ->object = origin;
}

/* DIRECT_URL belongs to DATABASE_URL: it does not stand for a variable that the project's files name
 * instead, unless it leads to the same database. */
static bool
is_direct_of_another(Loader *l, const Found *url, const Found *direct)
{
    DbUrl d;
    bool general = !direct->from_flag && !direct->is_own && !direct->of_section &&
                   !direct->is_decided && !direct->is_named && !direct->names_general;
    return url->text && url->is_named && !url->names_general && general &&
           is_other_database(l, url->text, direct->text, &d);
}

/* What the application reads, whatever the URL is from. */
static void
note_variables(Loader *l, const FileValue *list, size_t n, const char *key)
{
    for (size_t i = 0; i < n; i++)
        vec_each (const FileAlt, alt, &list[i].alts)
            if (strcmp(list[i].key, key) == 0 && alt->is_env && alt->text)
                *vec_add(l->a, &l->c->url_variables) = alt->text;
}

static bool
load_urls(Loader *l)
{
    note_variables(l, l->prisma.values.v, l->prisma.values.n, "datasource.url");
    note_variables(l, l->datasource.values.v, l->datasource.values.n, "url");
    Found url, in_files, direct, shadow, tests;
    if (!config_load_find(l, CFG_URL, &url, &in_files) ||
        !config_load_find(l, CFG_DIRECT_URL, &direct, NULL) ||
        !config_load_find(l, CFG_SHADOW_URL, &shadow, NULL) ||
        !config_load_find(l, CFG_TESTDB_URL, &tests, NULL))
        return false;
    if (direct.text)
        l->c->unread_url = NULL;
    for (int libpq = 0; libpq < 2; libpq++)
        if (!url.text && !url.empty && !l->c->unread_url)
            find_parts(l, libpq, &url);
    if (url.text) {
        l->c->unread_url = NULL;
        note_unused(l, &url);
        find_other(l, &url, &in_files, &direct);
    }
    if (url.of_every && l->env_named && l->c->profile != PROFILE_DEVELOPMENT)
        config_load_note(l, FINDING_CONFIG_SHARED_URL, NULL, 0,
                         "the URL for environment %s is from %s, which holds for every environment",
                         l->c->env_name, url.origin);
    bool weaker = (url.text || url.empty) && direct.text && url.rank < direct.rank;
    if (weaker || (direct.text && is_direct_of_another(l, &url, &direct))) {
        config_load_note(l, FINDING_CONFIG_UNUSED, direct.path, direct.line,
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
        (shadow.text && !config_load_set(l, CFG_SHADOW_URL, &shadow)) ||
        (tests.text && !config_load_set(l, CFG_TESTDB_URL, &tests)))
        return false;
    const Found *used = config_target(l->c) == &l->c->values[CFG_DIRECT_URL] ? &direct : &url;
    l->c->url_is_own = used->text && (used->is_own || used->of_section);
    return true;
}

bool
config_load_urls(Loader *l)
{
    l->env.read_file = read_file;
    l->env.arg = l;
    bool ok = load_urls(l);
    l->env.read_file = NULL;
    return ok && !l->file_failed;
}

const ConfigValue *
config_target(const Config *c)
{
    const ConfigValue *url = &c->values[CFG_URL], *direct = &c->values[CFG_DIRECT_URL];
    bool by_flag = url->text && str_starts(str_of(url->origin), STR("flag"));
    const ConfigValue *v = direct->text && direct->text[0] && !by_flag ? direct : url;
    return v->text && v->text[0] ? v : NULL;
}
