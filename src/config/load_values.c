#include "load.h"

#include "base/fs.h"
#include "base/os.h"
#include "url_int.h"

/* Names of a setting in the files of Prisma; NULL = it has none there. */
static const struct {
    ConfigKey key;
    const char *config, *datasource;
} prisma_names[] = {
    {CFG_URL, "datasource.url", "url"},
    {CFG_DIRECT_URL, "datasource.directUrl", "directUrl"},
    {CFG_SHADOW_URL, "datasource.shadowDatabaseUrl", "shadowDatabaseUrl"},
    {CFG_SCHEMA, "schema", NULL},
    {CFG_MIGRATIONS, "migrations.path", NULL},
    {CFG_SEED, "migrations.seed", NULL},
};

static bool
is_url(ConfigKey key)
{
    return config_info(key)->type == CFG_TYPE_URL;
}

/* Between two layers there is room for what is written for the environment in use. */
static size_t
layer_rank(size_t layer)
{
    return 10 + 4 * layer;
}

static bool
find_flag(Loader *l, ConfigKey key, Found *ret)
{
    const ConfigRequest *r = l->request;
    if (key == CFG_SCHEMA && r->schema_path)
        *ret = (Found){.text = r->schema_path, .origin = "flag --schema"};
    for (size_t i = 0; i < r->flag_count && !ret->text; i++)
        if (r->flags[i].key == key && r->flags[i].value && r->flags[i].value[0])
            *ret = (Found){.text = r->flags[i].value,
                           .origin = str_fmt(l->a, "flag %s", r->flags[i].flag)};
    ret->base = l->c->project_dir;
    ret->from_flag = ret->text != NULL;
    return ret->text != NULL;
}

/* Where a value of another tool's file stands. */
typedef struct FileSource {
    const char *path, *dir; /* as shown; the folder that relative paths start from */
    size_t rank;
} FileSource;

/* A variable that is set to nothing names no database: most often a secret that is not there. */
static void
found_empty(Loader *l, const char *name, const EnvHit *hit, Found *ret)
{
    config_load_note(l, FINDING_CONFIG_EMPTY, NULL, 0, "%s is empty in %s: it names no database",
                     name, hit->origin);
    if (!ret->empty)
        *ret = (Found){.empty = name, .origin = hit->origin, .rank = layer_rank(hit->layer)};
}

static void
find_variable(Loader *l, ConfigKey key, const char *name, size_t layer, Found *ret)
{
    EnvHit hit;
    if (!name[0] || !config_env_find_in(l->a, &l->env, layer, name, &hit))
        return;
    if (!str_trim(str_of(hit.value)).n) {
        if (is_url(key))
            found_empty(l, name, &hit, ret);
        return;
    }
    *ret = (Found){.text = hit.value,
                   .origin = hit.origin,
                   .base = l->c->project_dir,
                   .rank = layer_rank(layer),
                   .variable = name,
                   .of_every = layer > 0 && !l->env.layers.v[layer].of_environment,
                   .is_own = layer > 0 && l->env.layers.v[layer].of_environment};
}

/* PROD_DATABASE_URL and PRODUCTION_DATABASE_URL for DATABASE_URL. */
static void
find_own_variable(Loader *l, ConfigKey key, size_t layer, Found *ret)
{
    for (size_t i = 0; i < l->name_count && is_url(key); i++) {
        Buf name;
        buf_init(&name, l->a);
        for (const char *p = l->names[i]; *p; p++)
            buf_addc(&name, (char)(*p >= 'a' && *p <= 'z'     ? *p - 32
                                   : strchr("-.", *p) != NULL ? '_'
                                                              : *p));
        buf_fmt(&name, "_%s", config_info(key)->env);
        find_variable(l, key, name.p, layer, ret);
        if (ret->text) {
            ret->rank = l->env_named ? 1 : ret->rank - 1;
            ret->of_every = false;
            ret->is_own = true;
            if (layer > 0) /* the origin of the process's environment has the name */
                ret->origin = str_fmt(l->a, "%s (%s)", ret->origin, name.p);
            return;
        }
    }
}

/* aramid.yaml: the section of the environment, or the general part. Sets ret->text when there is a
 * value; false for an error. */
static bool
find_yaml(Loader *l, ConfigKey key, const char *env, Found *ret)
{
    vec_each (YamlSetting, s, &l->yaml.settings) {
        if (s->key != key || (s->env == NULL) != (env == NULL) || (env && strcmp(s->env, env) != 0))
            continue;
        const char *missing,
            *text = is_url(key) ? config_env_expand_url(l->a, &l->env, s->text, &missing)
                                : config_env_expand(l->a, &l->env, str_of(s->text), true, &missing);
        if (!missing && !str_trim(str_of(text)).n && is_url(key) && s->text[0])
            text = s->text; /* an empty secret: url_parse will name it */
        if (missing && !is_url(key)) {
            err_set(l->err, ERR_CONFIG, "the variable %s is not set", missing);
            err_detail(l->err, "\"%s\" in \"%s\" refers to it.", config_info(key)->key,
                       l->yaml.path);
            return err_at(l->err, l->yaml.path, s->line, s->column);
        }
        if (!text[0])
            continue;
        size_t last = layer_rank(l->env.layers.n);
        *ret = (Found){.text = text,
                       .origin = str_fmt(l->a, "%s:%d", l->yaml.path, s->line),
                       .base = l->yaml.dir,
                       .path = l->yaml.path,
                       .line = s->line,
                       .column = s->column,
                       .rank = env ? layer_rank(l->yaml_section_at) - 2 : last + 1,
                       .of_section = env != NULL,
                       .is_decided = true,
                       .is_named = !env && is_url(key) && strstr(s->text, "${")};
    }
    return true;
}

/* What alternatives and their parts come to. */
typedef struct FileText {
    Buf text;
    EnvHit hit;          /* the strongest variable in it */
    const char *names;   /* of its variables, for the origin; NULL = it has none */
    const char *missing; /* a variable that it cannot do without and that is not set */
} FileText;

static void
add_text(Loader *l, const FileText *part, FileText *ret)
{
    buf_add(&ret->text, buf_str(&part->text));
    if (part->names && (!ret->names || part->hit.layer < ret->hit.layer))
        ret->hit = part->hit;
    if (part->names)
        ret->names = ret->names ? str_fmt(l->a, "%s, %s", ret->names, part->names) : part->names;
}

/* Append the first alternative that is known; false = none is, and ret->missing may say why. */
static bool
add_first(Loader *l, const FileAlts *alts, bool encoded, FileText *ret)
{
    vec_each (FileAlt, alt, alts) {
        FileText t = {0};
        bool known = true;
        buf_init(&t.text, l->a);
        const char *text = alt->text;
        if (alt->is_env) {
            known = config_env_find(l->a, &l->env, alt->text, &t.hit);
            text = t.hit.value;
            t.names = t.missing = alt->text;
        }
        for (size_t i = 0; known && i < alt->part_count; i++)
            known = add_first(l, &alt->parts[i].alts, alt->parts[i].encoded, &t);
        if (!known) {
            ret->missing = t.missing;
            continue;
        }
        if (text)
            buf_addz(&t.text, text);
        if (encoded) {
            Buf b;
            buf_init(&b, l->a);
            url_encode(&b, t.text.p, "");
            t.text = b;
        }
        add_text(l, &t, ret);
        return true;
    }
    return false;
}

static bool
names_variable(const FileAlts *alts, const char *name)
{
    vec_each (FileAlt, alt, alts) {
        if (alt->is_env && strcmp(alt->text, name) == 0)
            return true;
        for (size_t i = 0; i < alt->part_count; i++)
            if (names_variable(&alt->parts[i].alts, name))
                return true;
    }
    return false;
}

/* The first alternative that is set; false = none is, and *ret_missing may say why. */
static bool
take_in_file(Loader *l, ConfigKey key, const FileValue *v, const FileSource *from, Found *ret,
             const char **ret_missing)
{
    const char *ours = config_info(key)->env;
    vec_each (FileAlt, alt, &v->alts) {
        FileAlts one = {.v = alt, .n = 1};
        FileText t = {0};
        buf_init(&t.text, l->a);
        bool known = add_first(l, &one, false, &t);
        *ret_missing = t.missing;
        if (!known || !t.text.n)
            continue;
        const char *origin = str_fmt(l->a, "%s:%d", from->path, v->line);
        if (alt->is_env)
            origin = t.hit.layer
                         ? str_fmt(l->a, "%s (%s, named by %s)", t.hit.origin, t.names, from->path)
                         : str_fmt(l->a, "%s (named by %s)", t.hit.origin, from->path);
        else if (t.names)
            origin = str_fmt(l->a, "%s, with %s", origin, t.names);
        *ret = (Found){.text = t.text.p,
                       .origin = origin,
                       .base = from->dir,
                       .rank = t.names ? layer_rank(t.hit.layer) : from->rank,
                       .variable = alt->is_env ? alt->text : NULL,
                       .is_named = t.names && !(alt->is_env && strcmp(alt->text, ours) == 0),
                       .names_general = names_variable(&v->alts, ours)};
        return true;
    }
    return false;
}

/* A value of prisma.config.* or of the datasource. */
static void
find_in_file(Loader *l, ConfigKey key, const FileValue *v, const FileSource *from, Found *ret)
{
    const char *missing = NULL;
    if (take_in_file(l, key, v, from, ret, &missing))
        return;
    if (v->alts.n && v->alts.v[v->alts.n - 1].part_count && missing && is_url(key))
        config_load_unread(
            l, from->path, v->line,
            str_fmt(l->a, "%s needs the variable %s, which is not set", v->key, missing));
    vec_each (FileAlt, alt, &v->alts) {
        EnvHit hit;
        for (size_t i = 0; alt->is_env && is_url(key) && i < l->env.layers.n; i++)
            if (config_env_find_in(l->a, &l->env, i, alt->text, &hit) && !ret->empty)
                found_empty(l, alt->text, &hit, ret);
    }
}

static const FileValue *
last_value(const FileValue *v, size_t n, const char *key)
{
    while (n-- > 0)
        if (strcmp(v[n].key, key) == 0)
            return &v[n];
    return NULL;
}

static void
find_prisma(Loader *l, ConfigKey key, const char *name, Found *ret)
{
    const PrismaConfig *p = &l->prisma;
    const FileValue *v = last_value(p->values.v, p->values.n, name);
    Str group = str_of(name);
    group = str_cut(&group, '.');
    if (!v)
        v = last_value(p->values.v, p->values.n, str_dup(l->a, group));
    if (!v)
        return;
    find_in_file(l, key, v, &(FileSource){p->path, p->dir, layer_rank(l->env.layers.n) + 2}, ret);
    if (ret->text || !v->computed)
        return;
    const char *env = config_info(key)->env;
    if (key == CFG_URL)
        config_load_unread(l, p->path, v->line,
                           str_fmt(l->a, "%s is computed (%s)", name, v->computed));
    config_load_note(
        l, FINDING_CONFIG_COMPUTED, p->path, v->line,
        "%s is computed (%s), which cannot be known without running the file: set %s%s%s in "
        "aramid.yaml",
        name, v->computed, env, env[0] ? " or " : "", config_info(key)->key);
}

/* An empty DATABASE_URL must not lead to a weaker URL, nor to the embedded PostgreSQL. */
static bool
stops_search(ConfigKey key, const Found *found)
{
    return key == CFG_URL && found->empty;
}

/* What the schema says where a stronger file has spoken. */
static void
add_beside(Loader *l, ConfigKey key, const FileValue *v, const FileSource *from, Found *ret)
{
    const char *missing;
    Found *beside = arena_new(l->a, Found);
    if (!ret->is_decided && take_in_file(l, key, v, from, beside, &missing))
        ret->beside = beside;
}

/* Of the project's files: the general part of aramid.yaml, Prisma's, package.json. */
static bool
find_in_files(Loader *l, ConfigKey key, Found *ret)
{
    *ret = (Found){0};
    if (!find_yaml(l, key, NULL, ret))
        return false;
    size_t rank = layer_rank(l->env.layers.n) + 3;
    if (key == CFG_URL && l->dbmate.env && !ret->text) {
        FileValue v = {.key = "dbmate --env"};
        *vec_add(l->a, &v.alts) = (FileAlt){.is_env = true, .text = l->dbmate.env};
        find_in_file(l, key, &v, &(FileSource){"package.json", l->c->project_dir, rank + 2}, ret);
    }
    for (size_t i = 0; i < COUNT(prisma_names) && !ret->text; i++) {
        if (prisma_names[i].key != key)
            continue;
        find_prisma(l, key, prisma_names[i].config, ret);
        const char *package = key == CFG_SCHEMA ? l->package_schema
                              : key == CFG_SEED ? l->package_seed
                                                : NULL;
        if (!ret->text && package && package[0])
            *ret = (Found){.text = package,
                           .origin = "package.json \"prisma\"",
                           .base = l->c->project_dir,
                           .rank = rank};
        const FileValue *v = prisma_names[i].datasource
                                 ? last_value(l->datasource.values.v, l->datasource.values.n,
                                              prisma_names[i].datasource)
                                 : NULL;
        const FileSource schema = {l->datasource.path, l->c->project_dir, rank + 1};
        if (v && ret->text)
            add_beside(l, key, v, &schema, ret);
        else if (v)
            find_in_file(l, key, v, &schema, ret);
    }
    return true;
}

/* A variable that the project's own files name says which database it means; DATABASE_URL may be
 * another tool's. So the named one is stronger, wherever both are set; what is said for the
 * environment by name counts before both. */
bool
config_load_find(Loader *l, ConfigKey key, Found *ret, Found *ret_in_files)
{
    Found in_files = {0};
    *ret = in_files;
    if (ret_in_files)
        *ret_in_files = in_files;
    if (find_flag(l, key, ret))
        return true;
    size_t layers = l->env.layers.n;
    for (size_t i = 0; i < layers && l->env_named; i++) {
        find_own_variable(l, key, i, ret);
        if (ret->text || stops_search(key, ret))
            return true;
    }
    if (!find_in_files(l, key, &in_files))
        return false;
    if (ret_in_files)
        *ret_in_files = in_files;
    bool named = is_url(key) && (in_files.is_named || (!in_files.text && in_files.empty));
    for (size_t i = 0; i <= layers; i++) {
        if (i == l->yaml_section_at && !find_yaml(l, key, l->c->env_name, ret))
            return false;
        if (!ret->text && i < layers)
            find_own_variable(l, key, i, ret);
        if (!ret->text && !stops_search(key, ret) && named && in_files.rank <= layer_rank(i))
            break;
        if (!ret->text && i < layers && !stops_search(key, ret) && !named)
            find_variable(l, key, config_info(key)->env, i, ret);
        if (ret->text || stops_search(key, ret))
            return true;
    }
    if (in_files.text || !ret->empty)
        *ret = in_files;
    return true;
}

const char *
config_load_absolute(Loader *l, const char *text, const char *base)
{
    const char *home = os_env("HOME");
    if (text[0] == '~' && text[1] == '/' && home)
        return fs_absolute(l->a, fs_join(l->a, home, text + 2));
    return fs_absolute(l->a, fs_join(l->a, base, text));
}

bool
config_load_set(Loader *l, ConfigKey key, const Found *found)
{
    ConfigValue *v = &l->c->values[key];
    const ConfigInfo *info = config_info(key);
    const char *wrong = config_value_check(key, found->text, &v->number);
    if (wrong) {
        err_set(l->err, ERR_CONFIG, "the value of \"%s\" %s", info->key, wrong);
        err_detail(l->err, "It comes from %s.", found->origin);
        return err_at(l->err, found->path, found->line, found->column);
    }
    v->text = info->type == CFG_TYPE_PATH ? config_load_absolute(l, found->text, found->base)
                                          : found->text;
    v->origin = found->origin;
    return true;
}

/* What holds when nobody said anything; some defaults depend on the profile. */
static bool
set_default(Loader *l, ConfigKey key)
{
    const char *text = config_info(key)->dflt, *origin = "default";
    if (key == CFG_BACKUP)
        text = l->c->profile == PROFILE_PRODUCTION ? "true" : "false";
    else if (key == CFG_CONFIRM)
        /* Pipelines make previews and throw them away; that it is one is proven (gate/). */
        text = l->c->profile == PROFILE_DEVELOPMENT || strcmp(l->c->env_name, "preview") == 0
                   ? "false"
                   : "true";
    else if (key == CFG_EDITED)
        text = l->c->is_ci ? "error" : "warn";
    else if (key == CFG_CREATE_DB)
        text = l->c->profile == PROFILE_DEVELOPMENT ? "true" : "false";
    return !text ||
           config_load_set(l, key,
                           &(Found){.text = text, .origin = origin, .base = l->c->project_dir});
}

/* "id: off, id: error" of the general part, then of the environment's section, which only says what
 * is different there. */
static void
add_rules(Loader *l, const char *env, Buf *shown, const char **origin)
{
    vec_each (const YamlSetting, s, &l->yaml.settings) {
        if (s->key != CFG_FINDINGS || (s->env == NULL) != (env == NULL) ||
            (env && strcmp(s->env, env) != 0))
            continue;
        for (Str rest = str_of(s->text); rest.p && rest.n;) {
            Str item = str_trim(str_cut(&rest, ',')), name = str_trim(str_cut(&item, ':'));
            FindingId id = finding_find(name);
            if (id != FINDING_COUNT) /* yaml.c refuses others */
                l->c->finding_rules.to[id] = config_value_severity(str_trim(item));
        }
        buf_fmt(shown, "%s%s", shown->n ? ", " : "", s->text);
        *origin = str_fmt(l->a, "%s:%d", l->yaml.path, s->line);
    }
}

void
config_load_findings(Loader *l)
{
    Buf shown;
    const char *origin = NULL;
    buf_init(&shown, l->a);
    add_rules(l, NULL, &shown, &origin);
    add_rules(l, l->c->env_name, &shown, &origin);
    if (origin)
        l->c->values[CFG_FINDINGS] = (ConfigValue){.text = shown.p, .origin = origin};
    findings_apply(&l->c->findings, &l->c->finding_rules);
}

bool
config_load_values(Loader *l)
{
    for (int k = 0; k < CFG_COUNT; k++) {
        ConfigKey key = (ConfigKey)k;
        if (is_url(key) || key == CFG_PROFILE || key == CFG_SCHEMA || key == CFG_MIGRATIONS ||
            key == CFG_FINDINGS)
            continue; /* set by steps of their own */
        Found found = {0};
        bool ok = config_load_find(l, key, &found, NULL) &&
                  (!found.text || config_load_set(l, key, &found));
        if (!ok && !config_load_forgive(l))
            return false;
        if ((!ok || !found.text) && !set_default(l, key))
            return false;
    }
    return true;
}
