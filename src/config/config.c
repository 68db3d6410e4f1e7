#include "load.h"

#include "base/fs.h"
#include "base/os.h"

static bool
is_true(const char *value)
{
    static const char *const no[] = {"", "0", "false", "no", "off"};
    for (size_t i = 0; value && i < COUNT(no); i++)
        if (str_ieq(str_of(value), str_of(no[i])))
            return false;
    return value != NULL;
}

static bool
may_go_on(Loader *l, bool ok)
{
    return ok || config_load_forgive(l);
}

/* The order is that of dependence: the name of the environment decides which .env files count, the
 * place of the schema may come from a file that refers to variables, the schema names variables. */
bool
config_load(Arena *a, const ConfigRequest *request, Config *ret, Err *err)
{
    *ret = (Config){0};
    findings_init(&ret->findings, a, NULL); /* judged at the end, when the rules are known */
    Loader l = {.a = a, .request = request, .c = ret, .err = err};
    ret->project_dir = fs_absolute(a, request->start_dir ? request->start_dir : ".");
    ret->is_ci = is_true(os_env("CI"));
    if (fs_kind(ret->project_dir) != FS_DIR)
        return err_set(err, ERR_CONFIG, "there is no folder \"%s\"", ret->project_dir);
    if (!may_go_on(&l, config_load_yaml(&l)) || !may_go_on(&l, config_load_prisma_config(&l)))
        return false;
    config_load_package_json(&l);
    if (!config_load_env_base(&l) || !config_load_environment(&l) ||
        !config_load_env_of_environment(&l))
        return false;
    ret->env_named = l.env_named;
    ret->env_said = strcmp(ret->env_origin, "default") != 0;
    if (!l.env_named) /* then .env files are stronger, as everywhere */
        l.yaml_section_at = l.env.layers.n;
    if (!may_go_on(&l, config_load_schema(&l)))
        return false;
    if (!l.env_named)
        l.yaml_section_at = l.env.layers.n; /* the schema's folder may have had one more */
    EnvSet *env = arena_new(a, EnvSet);
    *env = l.env;
    ret->env = env;
    for (size_t i = 0; i < l.yaml.environments.n; i++)
        *vec_add(a, &ret->environments) = l.yaml.environments.v[i];
    EnvHit hit;
    if (config_env_find(a, &l.env, "SUPABASE_URL", &hit) ||
        config_env_find(a, &l.env, "NEXT_PUBLIC_SUPABASE_URL", &hit)) {
        ret->supabase_url = hit.value;
        ret->supabase_origin = hit.origin;
    }
    if (!may_go_on(&l, config_load_profile(&l)) || !may_go_on(&l, config_load_urls(&l)))
        return false;
    config_load_dbmate(&l);
    if (!may_go_on(&l, config_load_migrations(&l)) || !config_load_values(&l))
        return false;
    config_load_findings(&l);
    config_secrets(a, ret, &ret->secrets);
    return true;
}
