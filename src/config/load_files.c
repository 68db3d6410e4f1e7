#include "load.h"

#include "base/fs.h"
#include "config/drizzle.h"

/* A path as messages show it: relative to the project's folder when it lies in it. */
static const char *
shown_path(const Loader *l, const char *path)
{
    return fs_below(l->c->project_dir, path);
}

/* Remember that a file was read. */
static void
note_read(Loader *l, const char *path)
{
    const char *shown = shown_path(l, path);
    vec_each (const char *, other, &l->c->files)
        if (strcmp(*other, shown) == 0)
            return;
    *vec_add(l->a, &l->c->files) = shown;
}

static const char *
in_project(const Loader *l, const char *name)
{
    return fs_absolute(l->a, fs_join(l->a, l->c->project_dir, name));
}

static bool
ends_with_any(const char *path, const char *const *ends)
{
    for (; *ends; ends++)
        if (str_ends(str_of(path), str_of(*ends)))
            return true;
    return false;
}

/* --config when it has one of these endings; ret NULL = it was not given or is another file. */
static bool
find_config_flag(Loader *l, const char *const *ends, const char **ret)
{
    *ret = NULL;
    if (!l->request->config_path || !ends_with_any(l->request->config_path, ends))
        return true;
    *ret = in_project(l, l->request->config_path);
    if (fs_kind(*ret) == FS_FILE)
        return true;
    err_set(l->err, ERR_CONFIG, "config file not found at \"%s\"", l->request->config_path);
    return err_at(l->err, *ret, 0, 0);
}

static const char *const yaml_ends[] = {".yaml", ".yml", NULL};
static const char *const js_ends[] = {".js", ".ts", ".mjs", ".cjs", ".mts", ".cts", NULL};

bool
config_load_yaml(Loader *l)
{
    const char *path, *other = in_project(l, "aramid.yml");
    const char *given = l->request->config_path;
    if (given && !ends_with_any(given, yaml_ends) && !ends_with_any(given, js_ends)) {
        err_set(l->err, ERR_CONFIG, "\"%s\" is not a config file", given);
        return err_hint(l->err, "--config takes aramid.yaml or prisma.config.ts");
    }
    if (!find_config_flag(l, yaml_ends, &path))
        return false;
    if (!path) {
        path = in_project(l, "aramid.yaml");
        bool has = fs_kind(path) == FS_FILE, has_other = fs_kind(other) == FS_FILE;
        if (has && has_other) {
            err_set(l->err, ERR_CONFIG, "there are both aramid.yaml and aramid.yml");
            err_hint(l->err, "keep one of them");
            return err_at(l->err, "aramid.yml", 0, 0);
        }
        l->c->settings_path = path;
        if (!has && !has_other)
            return true;
        path = has ? path : other;
    }
    l->c->settings_path = path;
    Str text;
    l->yaml.path = shown_path(l, path);
    l->yaml.dir = fs_dirname(l->a, path);
    note_read(l, path);
    return fs_read(l->a, path, CONFIG_FILE_MAX, &text, l->err) &&
           config_yaml_parse(l->a, l->yaml.path, text, &l->yaml, l->err);
}

void
config_load_package_json(Loader *l)
{
    Str text;
    Err unread;
    const char *path = in_project(l, "package.json");
    int line = 0;
    if (fs_kind(path) != FS_FILE)
        return;
    note_read(l, path);
    if (!fs_read(l->a, path, 4 * CONFIG_FILE_MAX, &text, &unread) ||
        !config_package_parse(l->a, text, &l->package_schema, &l->package_seed, &line)) {
        config_load_note(l, FINDING_CONFIG_UNREAD, "package.json", line,
                         "package.json is not valid JSON: its \"prisma\" part "
                         "was not read");
        return;
    }
    if (!config_dbmate_scripts(l->a, text, &l->dbmate))
        config_load_note(
            l, FINDING_CONFIG_COMPUTED, "package.json", 0,
            "its scripts give dbmate different folders, tables or databases, or such "
            "that a shell fills in, so that none of them is taken: set migrations, history_table "
            "and url in aramid.yaml");
}

/* ---- prisma.config.* ------------------------------------------------------------------------- */

/* The first of Prisma's places that exists. */
static const char *
find_prisma_config(Loader *l)
{
    static const char *const bases[] = {"prisma7.config", ".config/prisma7", "prisma.config",
                                        ".config/prisma", ".config/prisma.config"};
    for (size_t b = 0; b < COUNT(bases); b++)
        for (int index = 0; index < 2; index++)
            for (size_t e = 0; js_ends[e]; e++) {
                const char *name =
                    str_fmt(l->a, "%s%s%s", bases[b], index ? "/index" : "", js_ends[e]);
                const char *path = in_project(l, name);
                if (fs_kind(path) == FS_FILE)
                    return path;
            }
    return NULL;
}

bool
config_load_prisma_config(Loader *l)
{
    const char *path;
    Str text;
    if (!find_config_flag(l, js_ends, &path))
        return false;
    path = path ? path : find_prisma_config(l);
    if (!path)
        return true;
    note_read(l, path);
    if (!fs_read(l->a, path, CONFIG_FILE_MAX / 4, &text, l->err))
        return false;
    l->c->prisma_config = path;
    l->prisma.path = shown_path(l, path);
    l->prisma.dir = fs_dirname(l->a, path);
    config_prisma_parse(l->a, text, l->c->project_dir, &l->prisma);
    if (!l->prisma.has_object)
        config_load_unread(l, l->prisma.path, 0,
                           "exports no object that can be read without running it");
    if (!l->prisma.has_object)
        config_load_note(
            l, FINDING_CONFIG_COMPUTED, l->prisma.path, 0,
            "%s exports no object that can be read without running it: use aramid.yaml for "
            "its settings",
            l->prisma.path);
    vec_each (FileValue, v, &l->prisma.values) {
        bool tables = strcmp(v->key, "tables.external") == 0;
        if (!tables && strcmp(v->key, "enums.external") != 0)
            continue;
        if (v->computed)
            config_load_note(l, FINDING_CONFIG_COMPUTED, l->prisma.path, v->line,
                             "%s is computed and was not read", v->key);
        for (size_t i = 0; i < v->list.n && tables; i++)
            *vec_add(l->a, &l->c->external_tables) = v->list.v[i];
        for (size_t i = 0; i < v->list.n && !tables; i++)
            *vec_add(l->a, &l->c->external_enums) = v->list.v[i];
    }
    return true;
}

/* ---- .env files ------------------------------------------------------------------------------ */

static bool
is_ours(const char *key)
{
    return strncmp(key, "MIGRATION_", 10) == 0 || strncmp(key, "ARAMID_", 7) == 0;
}

/* Put a .env file, if there is one, at the end of the layers. */
static bool
add_env_file(Loader *l, const char *path, bool of_environment, bool only_ours)
{
    Str text;
    EnvLayer layer = {.path = shown_path(l, path), .of_environment = of_environment};
    EnvVarVec all = {0};
    if (fs_kind(path) != FS_FILE)
        return true;
    vec_each (EnvLayer, other, &l->env.layers) {
        if (other->path && strcmp(other->path, layer.path) == 0)
            return true;
    }
    note_read(l, path);
    if (!fs_read(l->a, path, CONFIG_FILE_MAX, &text, l->err) ||
        !config_dotenv_parse(l->a, layer.path, text, &all, l->err))
        return config_load_forgive(l);
    vec_each (EnvVar, var, &all) {
        if (!only_ours || is_ours(var->key))
            *vec_add(l->a, &layer.vars) = *var;
    }
    *vec_add(l->a, &l->env.layers) = layer;
    return true;
}

bool
config_load_env_base(Loader *l)
{
    *vec_add(l->a, &l->env.layers) = (EnvLayer){0};
    return add_env_file(l, in_project(l, ".env.migration"), false, true) &&
           add_env_file(l, in_project(l, ".env.local"), false, false) &&
           add_env_file(l, in_project(l, ".env"), false, false);
}

static bool
add_environment_files(Loader *l, const char *suffix)
{
    for (size_t i = 0; i < l->name_count; i++) {
        const char *name = str_fmt(l->a, ".env.%s%s", l->names[i], suffix);
        if (strcmp(name, ".env.local") != 0 && strcmp(name, ".env.migration") != 0 &&
            !add_env_file(l, in_project(l, name), true, false))
            return false;
    }
    return true;
}

static void
keep_layer(Loader *l, const EnvSet *from, const char *path)
{
    vec_each (EnvLayer, layer, &from->layers) {
        if (path ? layer->path && strcmp(layer->path, path) == 0 : !layer->path)
            *vec_add(l->a, &l->env.layers) = *layer;
    }
}

bool
config_load_env_of_environment(Loader *l)
{
    EnvSet base = l->env;
    l->env = (EnvSet){0};
    keep_layer(l, &base, NULL);
    keep_layer(l, &base, ".env.migration");
    if (!add_environment_files(l, ".local"))
        return false;
    l->yaml_section_at = l->env.layers.n;
    keep_layer(l, &base, ".env.local");
    if (!add_environment_files(l, ""))
        return false;
    keep_layer(l, &base, ".env");
    vec_each (const char *, path, &l->prisma.dotenv_paths) {
        if (!add_env_file(l, in_project(l, *path), false, false))
            return false;
    }
    return true;
}

/* ---- schema ---------------------------------------------------------------------------------- */

static bool
read_datasource(Loader *l, const char *path)
{
    Str text;
    Err unread; /* a schema that cannot be read is the business of the commands that need it */
    if (!fs_read(l->a, path, 4 * CONFIG_FILE_MAX, &text, &unread) ||
        !config_schema_parse(l->a, text, &l->datasource))
        return false;
    note_read(l, path);
    l->datasource.path = shown_path(l, path);
    bool has_url = false;
    vec_each (FileValue, v, &l->datasource.values)
        has_url = has_url || (v->alts.n && strcmp(v->key, "url") == 0);
    if (l->datasource.bad_line && !has_url)
        config_load_unread(l, l->datasource.path, l->datasource.bad_line,
                           "this line of the datasource cannot be read");
    return true;
}

/* Look through a folder of .prisma files; stops at the datasource. *ret_any: it has such files. */
static bool
search_folder(Loader *l, const char *dir, int depth, bool *ret_any)
{
    FsEntryVec entries = {0};
    Err unread;
    if (depth > 8 || !fs_list(l->a, dir, &entries, &unread))
        return false;
    vec_each (FsEntry, e, &entries) {
        const char *path = fs_join(l->a, dir, e->name);
        bool is_schema = e->kind == FS_FILE && str_ends(str_of(e->name), STR(".prisma"));
        *ret_any |= is_schema;
        if (is_schema && read_datasource(l, path))
            return true;
        if (e->kind == FS_DIR && !e->is_link && e->name[0] != '.' &&
            strcmp(e->name, "node_modules") != 0 && strcmp(e->name, "migrations") != 0 &&
            search_folder(l, path, depth + 1, ret_any))
            return true;
    }
    return false;
}

/* Take `path` for the schema when it is a schema file or a folder with some. */
static bool
try_schema(Loader *l, const char *path)
{
    FsKind kind = fs_kind(path);
    bool any = kind == FS_FILE;
    if (kind == FS_FILE)
        read_datasource(l, path);
    else if (kind == FS_DIR)
        search_folder(l, path, 0, &any);
    if (any)
        l->c->schema_path = path;
    return any;
}

static bool
use_named_schema(Loader *l, const Found *found)
{
    const char *path = l->c->values[CFG_SCHEMA].text;
    if (try_schema(l, path))
        return true;
    if (found->from_flag) {
        err_set(l->err, ERR_CONFIG, "no schema found at \"%s\"", found->text);
        err_detail(l->err, "It comes from %s.", found->origin);
        return err_at(l->err, path, 0, 0);
    }
    config_load_note(l, FINDING_CONFIG_MISSING, found->path, found->line,
                     "%s names the schema \"%s\", which does not exist", found->origin,
                     shown_path(l, path));
    return true;
}

/* In a monorepo the schema's package has .env files of its own, beside its package.json. */
static bool
add_package_env(Loader *l, const char *dir)
{
    const char *shown = shown_path(l, dir);
    for (; shown[0] != '/' && strcmp(dir, l->c->project_dir) != 0; dir = fs_dirname(l->a, dir))
        if (fs_kind(fs_join(l->a, dir, "package.json")) == FS_FILE)
            return add_env_file(l, fs_join(l->a, dir, ".env.local"), false, false) &&
                   add_env_file(l, fs_join(l->a, dir, ".env"), false, false);
    return true;
}

bool
config_load_schema(Loader *l)
{
    static const char *const places[] = {"schema.prisma", "prisma/schema.prisma", "prisma/schema",
                                         "db/schema.prisma"};
    Found found;
    if (!config_load_find(l, CFG_SCHEMA, &found, NULL))
        return false;
    if (found.text) {
        if (!config_load_set(l, CFG_SCHEMA, &found) || !use_named_schema(l, &found))
            return false;
    }
    for (size_t i = 0; i < COUNT(places) && !found.text; i++)
        if (try_schema(l, in_project(l, places[i]))) {
            l->c->values[CFG_SCHEMA] =
                (ConfigValue){.text = l->c->schema_path, .origin = "default"};
            break;
        }
    vec_each (FileValue, v, &l->datasource.values) {
        if (strcmp(v->key, "provider") == 0 && v->alts.n && v->alts.v[0].text &&
            !v->alts.v[0].is_env)
            l->c->provider = v->alts.v[0].text;
        for (size_t i = 0; i < v->list.n && strcmp(v->key, "schemas") == 0; i++)
            *vec_add(l->a, &l->c->schemas) = v->list.v[i];
    }
    if (!l->c->schema_path)
        return true;
    const char *dir = fs_kind(l->c->schema_path) == FS_DIR ? l->c->schema_path
                                                           : fs_dirname(l->a, l->c->schema_path);
    return add_env_file(l, fs_join(l->a, dir, ".env"), false, false) && add_package_env(l, dir);
}

/* ---- migrations ------------------------------------------------------------------------------ */

/* Prisma keeps migrations beside the schema file, and beside the folder when the schema is one. */
static const char *
beside_schema(Loader *l, const char *schema)
{
    const char *parent = fs_join(l->a, fs_dirname(l->a, schema), "migrations");
    if (str_ends(str_of(schema), STR(".prisma")))
        return parent;
    const char *inside = fs_join(l->a, schema, "migrations");
    const char *name = fs_basename(schema);
    if (fs_kind(inside) == FS_DIR || fs_kind(parent) == FS_DIR)
        return fs_kind(inside) == FS_DIR ? inside : parent;
    return !strcmp(name, "schema") || !strcmp(name, "schemas") ? parent : inside;
}

/* One folder or several; a comma in the name of one that is there is no end. */
static void
add_folders(Loader *l, const Found *found)
{
    Buf all;
    buf_init(&all, l->a);
    bool is_one = fs_kind(config_load_absolute(l, found->text, found->base)) == FS_DIR;
    for (Str rest = str_of(found->text); rest.p;) {
        Str item = is_one ? rest : str_trim(str_cut(&rest, ','));
        rest = is_one ? (Str){0} : rest;
        if (!item.n)
            continue;
        const char *dir = config_load_absolute(l, str_dup(l->a, item), found->base);
        *vec_add(l->a, &l->c->migrations_dirs) = dir;
        buf_fmt(&all, "%s%s", all.n ? ", " : "", dir);
    }
    l->c->values[CFG_MIGRATIONS].text = all.n ? all.p : NULL;
}

/* Where the project's drizzle-kit writes; false: it has none, or a program says where. */
static bool
drizzles_folder(Loader *l, ConfigValue *ret)
{
    ConfigDrizzleVec all = config_drizzle_in(l->a, l->c->project_dir);
    vec_each (const ConfigDrizzle, d, &all) {
        if (d->computed && strcmp(d->computed, "out") == 0)
            continue;
        ret->text = fs_absolute(l->a, in_project(l, d->out));
        ret->origin = shown_path(l, d->path);
        return true;
    }
    return false;
}

/* Where nobody says it: a folder that is there, else the one that a tool will make. */
static void
usual_folder(Loader *l, ConfigValue *ret)
{
    static const char *const places[] = {"prisma/migrations", "db/migrations",
                                         "supabase/migrations", "drizzle", "migrations"};
    ConfigValue drizzles = {.origin = "default"};
    bool is_there = false, *is_drizzles = &l->c->migrations_are_drizzles;
    bool has_drizzle = drizzles_folder(l, &drizzles);
    for (size_t i = 0; i < COUNT(places) && !is_there; i++) {
        const char *dir = in_project(l, places[i]);
        if (has_drizzle && strcmp(places[i], "drizzle") == 0)
            dir = drizzles.text;
        is_there = fs_kind(dir) == FS_DIR;
        *is_drizzles = has_drizzle && strcmp(dir, drizzles.text) == 0;
        *ret = *is_drizzles ? drizzles : (ConfigValue){.text = dir, .origin = "default"};
    }
    if (is_there)
        return;
    /* Supabase's CLI makes the folder with the first migration only. */
    bool supabase = fs_exists(in_project(l, "supabase/config.toml"));
    *is_drizzles = has_drizzle;
    *ret = has_drizzle ? drizzles
                       : (ConfigValue){.text = in_project(l, places[supabase ? 2 : 0]),
                                       .origin = "default"};
}

bool
config_load_migrations(Loader *l)
{
    ConfigValue *v = &l->c->values[CFG_MIGRATIONS];
    const char *schema = l->c->values[CFG_SCHEMA].text;
    Found found;
    if (!config_load_find(l, CFG_MIGRATIONS, &found, NULL)) {
        if (!config_load_forgive(l))
            return false;
        found = (Found){0};
    }
    if (found.text) {
        if (!config_load_set(l, CFG_MIGRATIONS, &found))
            return false;
        add_folders(l, &found);
    } else if (schema) {
        v->text = beside_schema(l, schema);
        v->origin = str_fmt(l->a, "beside %s", shown_path(l, schema));
    } else if (l->c->dbmate.dirs.n) {
        v->text = l->c->dbmate.dirs.v[0];
        v->origin = l->c->dbmate.dirs_origin;
        l->c->migrations_are_dbmates = true;
    } else {
        usual_folder(l, v);
    }
    if (!l->c->migrations_dirs.n)
        *vec_add(l->a, &l->c->migrations_dirs) = v->text;
    l->c->migrations_dir = l->c->migrations_dirs.v[0];
    l->c->migrations_origin = v->origin;
    return true;
}
