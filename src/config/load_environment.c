#include "load.h"

#include "base/fs.h"

/* Names that need no definition. Those of one group are spellings of the same environment. */
static const struct {
    const char *name;
    ConfigProfile profile;
    int group; /* 0 = none */
} known[] = {
    {"production", PROFILE_PRODUCTION, 1},
    {"prod", PROFILE_PRODUCTION, 1},
    {"live", PROFILE_PRODUCTION, 0},
    {"staging", PROFILE_STAGING, 2},
    {"stage", PROFILE_STAGING, 2},
    {"preview", PROFILE_STAGING, 0},
    {"preprod", PROFILE_STAGING, 0},
    {"uat", PROFILE_STAGING, 0},
    {"qa", PROFILE_STAGING, 0},
    {"development", PROFILE_DEVELOPMENT, 3},
    {"dev", PROFILE_DEVELOPMENT, 3},
    {"local", PROFILE_DEVELOPMENT, 0},
    {"test", PROFILE_DEVELOPMENT, 0},
    {"ci", PROFILE_DEVELOPMENT, 0},
};
enum { KNOWN_COUNT = COUNT(known) };

static const char *const profile_names[] = {"development", "staging", "production"};

const char *
config_load_known_name(size_t i)
{
    return i < KNOWN_COUNT ? known[i].name : NULL;
}

static int
find_known(const char *name)
{
    for (int i = 0; i < KNOWN_COUNT; i++)
        if (str_ieq(str_of(known[i].name), str_of(name)))
            return i;
    return -1;
}

bool
config_same_environment(const char *a, const char *b)
{
    int x = find_known(a), y = find_known(b);
    return str_ieq(str_of(a), str_of(b)) ||
           (x >= 0 && y >= 0 && known[x].group && known[x].group == known[y].group);
}

static bool
is_valid_name(const char *name)
{
    size_t n = 0;
    for (const char *p = name; *p; p++, n++)
        if (!((*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') || (*p >= '0' && *p <= '9') ||
              strchr("_-.", *p)))
            return false;
    return n > 0 && n <= 64 && name[0] != '.';
}

/* The spelling that aramid.yaml defines for `name`, or NULL. */
static const char *
defined_as(const Loader *l, const char *name)
{
    const char *other = NULL;
    int self = find_known(name);
    vec_each (const char *, defined, &l->yaml.environments) {
        int k = find_known(*defined);
        if (strcmp(*defined, name) == 0)
            return *defined;
        if (str_ieq(str_of(*defined), str_of(name)) ||
            (self >= 0 && k >= 0 && known[self].group && known[self].group == known[k].group))
            other = *defined;
    }
    return other;
}

static bool
fail_unknown(Loader *l, const char *name, const char *origin)
{
    if (is_valid_name(name))
        err_set(l->err, ERR_CONFIG, "unknown environment \"%s\"", name);
    else
        err_set(l->err, ERR_CONFIG, "the name of the environment is not a name");
    err_detail(l->err, "It comes from %s.", origin);
    Buf names;
    buf_init(&names, l->a);
    vec_each (const char *, defined, &l->yaml.environments)
        buf_fmt(&names, "%s, ", *defined);
    for (int i = 0; i < KNOWN_COUNT; i++)
        if (!defined_as(l, known[i].name))
            buf_fmt(&names, "%s, ", known[i].name);
    const char *nearest = NULL;
    size_t best = 3;
    for (Str rest = buf_str(&names); rest.n;) {
        Str known_name = str_trim(str_cut(&rest, ','));
        size_t d = known_name.n ? str_distance(known_name, str_of(name), best) : best;
        if (d < best && d < strlen(name))
            best = d, nearest = str_dup(l->a, known_name);
    }
    if (nearest)
        err_hint(l->err, "did you mean \"%s\"?", nearest);
    err_hint(l->err, "known environments: " STR_FMT, (int)(names.n - 2), names.p);
    return err_hint(l->err, "define others in aramid.yaml under \"environments\"");
}

/* What Vercel calls it: VERCEL_TARGET_ENV has the name of a custom environment, where VERCEL_ENV is
 * "preview" (https://vercel.com/docs/environment-variables/system-environment-variables). */
static bool
find_vercel(Loader *l, EnvHit *hit)
{
    return (config_env_find(l->a, &l->env, "VERCEL_TARGET_ENV", hit) &&
            (find_known(hit->value) >= 0 || defined_as(l, hit->value))) ||
           config_env_find(l->a, &l->env, "VERCEL_ENV", hit);
}

/* Who says which environment it is; false = nobody. NODE_ENV is the weakest: builds for previews are
 * made with NODE_ENV=production, too. */
static bool
find_name(Loader *l, EnvHit *hit, bool *is_node)
{
    *is_node = false;
    if (l->request->env_name && l->request->env_name[0]) {
        *hit = (EnvHit){.value = l->request->env_name, .origin = "flag --env"};
        l->env_named = true;
    } else if (config_env_find(l->a, &l->env, "ARAMID_ENV", hit)) {
        l->env_named = true;
    } else if (find_vercel(l, hit)) {
        return true;
    } else {
        *is_node = config_env_find(l->a, &l->env, "NODE_ENV", hit);
        return *is_node;
    }
    return true;
}

bool
config_load_environment(Loader *l)
{
    EnvHit hit = {.value = "development", .origin = "default"};
    bool is_node;
    if (!find_name(l, &hit, &is_node))
        hit = (EnvHit){.value = "development", .origin = "default"};
    hit.value = str_dup(l->a, str_trim(str_of(hit.value)));
    int k = find_known(hit.value);
    const char *defined = defined_as(l, hit.value);
    if (!is_valid_name(hit.value) || (k < 0 && !defined)) {
        fail_unknown(l, hit.value, hit.origin);
        if (!config_load_forgive(l))
            return false;
        if (!is_valid_name(hit.value)) /* it becomes part of file names */
            hit.value = "production";
    }
    l->c->env_name = defined ? defined : k >= 0 ? known[k].name : hit.value;
    l->c->env_origin = hit.origin;
    l->env_profile_known = k >= 0;
    l->env_profile = k >= 0 ? known[k].profile : PROFILE_PRODUCTION;
    l->is_node_production = is_node && l->env_profile_known && l->env_profile == PROFILE_PRODUCTION;
    l->names[l->name_count++] = l->c->env_name;
    for (int i = 0; i < KNOWN_COUNT && l->name_count < 4; i++)
        if (k >= 0 && known[k].group && known[i].group == known[k].group &&
            strcmp(known[i].name, l->c->env_name) != 0)
            l->names[l->name_count++] = known[i].name;
    return true;
}

/* A profile may be raised from anywhere, but lowered only by a flag or by the section that
 * aramid.yaml has for the environment, and never when NODE_ENV says production. */
bool
config_load_profile(Loader *l)
{
    Found found;
    ConfigProfile profile = l->env_profile, asked = profile;
    l->c->profile = profile;
    if (!config_load_find(l, CFG_PROFILE, &found, NULL))
        return false;
    const char *origin = str_fmt(l->a, "environment %s", l->c->env_name);
    if (found.text) {
        if (!config_load_set(l, CFG_PROFILE, &found) ||
            !config_value_profile_of(found.text, &asked))
            return false;
        bool may_lower = (found.from_flag || found.of_section || !l->env_profile_known) &&
                         !l->is_node_production;
        if (asked > profile || may_lower)
            profile = asked, origin = found.origin;
        else if (asked < profile)
            config_load_note(
                l, FINDING_CONFIG_UNUSED, found.path, found.line,
                "the profile \"%s\" of %s is not used: environment %s (%s) stands for %s",
                profile_names[asked], found.origin, l->c->env_name, l->c->env_origin,
                profile_names[profile]);
    } else if (!l->env_profile_known) {
        config_load_note(l, FINDING_CONFIG_NO_PROFILE, l->yaml.path, 0,
                         "environment %s has no profile, so it is treated as production; set "
                         "environments.%s.profile",
                         l->c->env_name, l->c->env_name);
    }
    l->c->profile = profile;
    l->c->values[CFG_PROFILE] = (ConfigValue){.text = profile_names[profile], .origin = origin};
    return true;
}

/* ---- environments that share a database ------------------------------------------------------- */
