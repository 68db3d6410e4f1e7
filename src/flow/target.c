#include "base/fs.h"
#include "flow/flow.h"

static bool
embedded(Arena *a, const Config *c, const char *self_exe, Target *ret, Err *err)
{
    if (c->profile == PROFILE_PRODUCTION) {
        err_set(err, ERR_CONFIG, "environment \"%s\" is production, but no database URL is set",
                c->env_name);
        vec_each(const ConfigNote, n, &c->notes) err_detail(err, "%s:%d: %s", n->path, n->line, n->text);
        return err_hint(err, "set DATABASE_URL, or give --url; the embedded PostgreSQL is for "
                             "development");
    }
    const ClusterOptions o = {
        .project_dir = c->project_dir,
        .data_dir = c->values[CFG_EMBEDDED_DIR].text,
        .bindir = c->values[CFG_EMBEDDED_BIN].text,
        .idle_ms = config_ms(c, CFG_EMBEDDED_IDLE),
        .self_exe = self_exe,
    };
    if (!cluster_ensure(a, &o, &ret->cluster, err))
        return false;
    ret->embedded = true;
    ret->origin = "the embedded PostgreSQL of this project";
    *vec_add(a, &ret->url.hosts) = (UrlHost){ret->cluster.socket_dir, ret->cluster.port};
    ret->url.user = ret->cluster.user;
    ret->url.database = ret->cluster.database;
    ret->url.connect_timeout_s = -1;
    ret->shown = url_shown(a, &ret->url);
    return true;
}

bool
flow_target(Arena *a, const Config *c, const char *self_exe, Target *ret, Err *err)
{
    *ret = (Target){0};
    const ConfigValue *url = &c->values[CFG_URL], *direct = &c->values[CFG_DIRECT_URL];
    bool by_flag = url->text && str_starts(str_of(url->origin), STR("flag"));
    const ConfigValue *v = direct->text && direct->text[0] && !by_flag ? direct : url;
    if (!v->text || !v->text[0])
        return embedded(a, c, self_exe, ret, err);
    ret->origin = v->origin;
    if (!url_parse(a, v->text, v->origin, &ret->url, err))
        return false;
    ret->shown = url_shown(a, &ret->url);
    return true;
}

/* `path` as a person in the project folder would write it. */
static const char *
shown_path(const Config *c, const char *path)
{
    size_t n = strlen(c->project_dir);
    if (strncmp(path, c->project_dir, n) == 0 && path[n] == '/')
        return path + n + 1;
    return path;
}

bool
flow_history(Arena *a, const Config *c, History *ret, Err *err)
{
    return history_open(a, c->migrations_dir, shown_path(c, c->migrations_dir), ret, err);
}
