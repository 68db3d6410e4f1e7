/* Environments that share a database. */
#include "load.h"

#include "base/fs.h"

static bool
is_twin(Arena *a, const ConfigRequest *request, const Config *c, const char *name, ConfigTwin *ret)
{
    VEC(ConfigFlag) flags = {0};
    for (size_t i = 0; i < request->flag_count; i++)
        if (config_info(request->flags[i].key)->type != CFG_TYPE_URL)
            *vec_add(a, &flags) = request->flags[i];
    ConfigRequest r = *request;
    r.problems = NULL;
    r.env_name = name;
    r.flags = flags.v;
    r.flag_count = flags.n;
    Config *other = arena_new(a, Config);
    Err ignored;
    if (!config_load(a, &r, other, &ignored) || strcmp(other->env_name, c->env_name) == 0)
        return false;
    const ConfigValue *ours = config_target(c), *theirs = config_target(other);
    DbUrl mine, url;
    /* What holds for every environment is no statement about that one. */
    if (!other->url_is_own || !ours || !theirs || strcmp(ours->origin, theirs->origin) == 0 ||
        !url_parse(a, ours->text, "", &mine, &ignored) ||
        !url_parse(a, theirs->text, "", &url, &ignored) || !url_same_database(&mine, &url))
        return false;
    *ret = (ConfigTwin){other->env_name, theirs->origin, other->profile};
    return true;
}

bool
config_find_twin(Arena *a, const ConfigRequest *request, const Config *c, ConfigTwin *ret)
{
    VEC(const char *) names = {0};
    for (size_t i = 0; i < c->environments.n; i++)
        *vec_add(a, &names) = c->environments.v[i];
    const char *known;
    for (size_t i = 0; (known = config_load_known_name(i)); i++) {
        const char *file = fs_join(a, c->project_dir, str_fmt(a, ".env.%s", known));
        /* .env.local belongs to every environment */
        bool has_file = strcmp(known, "local") != 0 &&
                        (fs_exists(file) || fs_exists(str_fmt(a, "%s.local", file)));
        if (has_file || i == 0)
            *vec_add(a, &names) = known;
    }
    bool found = false;
    ConfigTwin twin;
    vec_each (const char *, name, &names) {
        if (is_twin(a, request, c, *name, &twin) && (!found || twin.profile > ret->profile)) {
            *ret = twin;
            found = true;
        }
    }
    return found;
}
