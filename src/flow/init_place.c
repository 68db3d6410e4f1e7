/* Which project it is, and what it uses. */
#include "flow/init_int.h"

#include "base/fs.h"
#include "flow/flow.h"

static bool
fail_several(Init *s)
{
    const Project *p = &s->r->project;
    err_set(s->err, ERR_CONFIG, "there are %zu schemas or folders of migrations here", p->places.n);
    vec_each (const ProjectPlace, place, &p->places) {
        const char *dir = str_shell(s->a, place->dir);
        err_detail(s->err, "%s: %s (%s)", str_printable(s->a, str_of(place->dir), false),
                   project_tool_name(place->tool),
                   str_printable(s->a, str_of(place->evidence), false));
        err_hint(s->err, "aramid init -C %s", dir);
        if (p->has_package && !place->has_package && place->tool == PROJECT_PRISMA)
            err_hint(s->err, "or with scripts in this package.json: aramid init --schema %s",
                     str_shell(s->a, fs_join(s->a, place->dir, place->evidence)));
    }
    return false;
}

static bool
fail_nothing(Init *s)
{
    err_set(s->err, ERR_CONFIG, "no schema.prisma and no migrations were found");
    err_detail(s->err,
               "looked in %s, in the workspaces of package.json and pnpm-workspace.yaml, in "
               "backend/, packages/*, apps/* and the like",
               s->r->project.start);
    return err_hint(s->err, "name the folder of the project, or its schema: aramid init -C DIR, "
                            "aramid init --schema PATH");
}

/* The schema that --schema names, or the settings that are there; NULL = neither does. */
static bool
named_schema(Init *s, const char **ret)
{
    Config config;
    const char *start = s->r->project.start;
    ConfigRequest request = {.start_dir = start, .config_path = s->in->config_path};
    bool has_settings = s->in->config_path || fs_exists(fs_join(s->a, start, "aramid.yaml")) ||
                        fs_exists(fs_join(s->a, start, "aramid.yml"));
    *ret = s->in->schema;
    if (*ret || !has_settings)
        return true;
    if (!config_load(s->a, &request, &config, s->err))
        return false;
    if (config.schema_path && strcmp(config.values[CFG_SCHEMA].origin, "default") != 0)
        *ret = fs_below(start, config.schema_path);
    return true;
}

/* A folder that --migrations names, or dbmate's own settings. */
static bool
named_folder(Init *s, const char **ret, const char **ret_by)
{
    Config config;
    ConfigRequest request = {.start_dir = s->r->project.start, .config_path = s->in->config_path};
    *ret = s->in->migrations;
    *ret_by = s->in->migrations;
    if (*ret)
        return true;
    if (!config_load(s->a, &request, &config, s->err))
        return false;
    if (config.migrations_are_dbmates) {
        *ret = config.migrations_dir;
        *ret_by = config.migrations_origin;
    }
    return true;
}

/* Where nothing usual is there. */
static bool
place_by_folder(Init *s, bool *ret_found)
{
    const Project *p = &s->r->project;
    const char *dir, *by;
    History h;
    Err unread;
    const HistoryOptions options = {0};
    if (!named_folder(s, &dir, &by))
        return false;
    *ret_found = dir && history_open(s->a, fs_absolute(s->a, dir), dir, &options, &h, &unread);
    if (*ret_found)
        s->r->place = (ProjectPlace){.dir = "",
                                     .tool = project_tool_of(h.layout),
                                     .evidence = by,
                                     .has_package = p->has_package,
                                     .migrations = fs_below(p->start, fs_absolute(s->a, dir))};
    return true;
}

bool
init_place(Init *s)
{
    InitResult *r = s->r;
    const Project *p = &r->project;
    const char *schema;
    r->home = p->start;
    if (!named_schema(s, &schema))
        return false;
    if (s->in->schema || (schema && (!p->places.n || p->places.v[0].dir[0]))) {
        r->place = (ProjectPlace){
            .dir = "", .tool = PROJECT_PRISMA, .evidence = schema, .has_package = p->has_package};
        vec_each (const ProjectPlace, place, &p->places) {
            size_t n = strlen(place->dir);
            if (strncmp(schema, place->dir, n) != 0 || schema[n] != '/')
                continue;
            r->place.version = place->version;
            s->schema_dir = place->dir;
        }
        return true;
    }
    bool found = false;
    if (!p->places.n && !place_by_folder(s, &found))
        return false;
    if (found)
        return true;
    if (p->places.n != 1)
        return p->places.n ? fail_several(s) : fail_nothing(s);
    r->place = p->places.v[0];
    if (r->place.tool == PROJECT_PRISMA_NEXT && !r->place.migrations) {
        err_set(s->err, ERR_CONFIG, "this is a project of Prisma 8 or later (%s)",
                str_printable(s->a, str_of(r->place.evidence), false));
        err_detail(s->err,
                   "It has no migrations yet (migrations/app/NAME/ops.json), and its schema "
                   "is another language than that of Prisma 7.");
        return err_hint(s->err, "plan the first one with Prisma, then run this again: npx prisma "
                                "migration plan --name init");
    }
    /* What people type, they type where package.json is. */
    if (!p->has_package && r->place.has_package)
        r->home = fs_join(s->a, p->start, r->place.dir);
    return true;
}

/* What Drizzle's configuration makes by a program, or leaves to another tool. */
static void
find_unread(Init *s)
{
    const ProjectPlace *place = &s->r->place;
    if (place->unread) {
        Finding *f =
            init_find(s, FINDING_INIT_HISTORY,
                      "\"%s\" is no literal there, and nothing is run to find out", place->unread);
        f->path = place->evidence;
        f->fix =
            "name the folder as migrations, and another table as history_table, in aramid.yaml";
    }
    if (place->tool == PROJECT_DRIZZLE && strcmp(place->migrations, "supabase/migrations") == 0) {
        Finding *f = init_find(s, FINDING_INIT_HISTORY,
                               "Drizzle writes into Supabase's folder: which of the two keeps the "
                               "history, the files do not say");
        f->path = place->migrations;
        f->fix =
            "in aramid.yaml \"history: supabase\" or \"history: drizzle\"; a deploy stops until "
            "then";
    }
}

/* Whose the first folder is, and further ones: the settings', else those that nobody has named. */
static void
find_histories(Init *s, Config *c, const char *dir)
{
    InitResult *r = s->r;
    History h;
    Err unread;
    HistoryOptions options = {.is_prismas = c->schema_path != NULL};
    if (history_open(s->a, dir, dir, &options, &h, &unread))
        s->layout = h.layout;
    for (size_t i = 1; i < c->migrations_dirs.n; i++)
        *vec_add(s->a, &r->more) = fs_below(r->home, c->migrations_dirs.v[i]);
    bool is_said = s->in->migrations || c->migrations_dirs.n > 1 || c->migrations_are_dbmates;
    if (is_said || (s->layout && s->layout->is_whole))
        return;
    c->migrations_dirs.v[0] = dir;
    HistoryFolderVec others = flow_history_others(s->a, c);
    vec_each (const HistoryFolder, f, &others)
        *vec_add(s->a, &r->more) = fs_below(r->home, f->dir);
    vec_each (const char *, more, &r->more)
        init_find(s, FINDING_INIT_HISTORIES,
                  "a history of its own: one deploy applies both, in the order of their times")
            ->path = *more;
}

/* Where schema and migrations are, as the configuration of their own folder says. */
bool
init_paths(Init *s)
{
    InitResult *r = s->r;
    Config config;
    ConfigFlag flags[2];
    ConfigRequest request = {.start_dir = fs_join(s->a, r->project.start, r->place.dir),
                             .config_path = s->in->config_path,
                             .flags = flags};
    if (s->in->schema) {
        request.schema_path = fs_absolute(s->a, s->in->schema);
        flags[request.flag_count++] = (ConfigFlag){CFG_SCHEMA, "--schema", request.schema_path};
    }
    if (s->in->migrations)
        flags[request.flag_count++] =
            (ConfigFlag){CFG_MIGRATIONS, "--migrations", fs_absolute(s->a, s->in->migrations)};
    if (!config_load(s->a, &request, &config, s->err))
        return false;
    Config *kept = arena_new(s->a, Config);
    *kept = config;
    s->settings = kept;
    FindingRules *rules = arena_new(s->a, FindingRules);
    *rules = config.finding_rules;
    findings_apply(&r->findings, rules);
    r->deploys = !r->place.unfit;
    if (config.schema_path)
        r->schema = fs_below(r->home, config.schema_path);
    const char *dir = config.migrations_dir;
    if (r->place.migrations && strcmp(config.migrations_origin, "default") == 0)
        dir = fs_join(s->a, request.start_dir, r->place.migrations);
    if (r->deploys || fs_kind(dir) == FS_DIR)
        r->migrations = fs_below(r->home, dir);
    if (r->deploys)
        find_histories(s, &config, dir);
    find_unread(s);
    /* With settings at the root it is not read there any more; the files of a pipeline name it still. */
    Config below_home;
    ConfigRequest far = {.start_dir =
                             fs_join(s->a, r->project.start, s->schema_dir ? s->schema_dir : "")};
    if (config.prisma_config)
        s->prisma_config = fs_below(r->home, config.prisma_config);
    else if (s->schema_dir && s->schema_dir[0]) {
        if (!config_load(s->a, &far, &below_home, s->err))
            return false;
        if (below_home.prisma_config)
            s->prisma_config = fs_below(r->home, below_home.prisma_config);
    }
    if (s->prisma_config && strchr(s->prisma_config, '/'))
        init_find(s, FINDING_INIT_CONFIG_FAR,
                  "it is only read in its own folder: what it says beside schema and migrations "
                  "belongs into aramid.yaml")
            ->path = s->prisma_config;
    const char *below = fs_below(r->project.root, r->home);
    bool is_root = strcmp(r->home, r->project.root) == 0;
    s->slug = is_root ? "" : str_fmt(s->a, "-%s", init_slug(s->a, below));
    const char *name = init_slug(s->a, fs_basename(r->project.root));
    s->name = str_fmt(s->a, "%s%s", *name ? name : "project", s->slug);
    return true;
}

bool
init_groups(Init *s)
{
    static const struct {
        InitGroup group;
        ProjectPlatform platform;
    } same[] = {{INIT_GITHUB, PROJECT_GITHUB},
                {INIT_VERCEL, PROJECT_VERCEL},
                {INIT_DOCKER, PROJECT_DOCKER},
                {INIT_K8S, PROJECT_K8S}};
    InitResult *r = s->r;
    memcpy(r->groups, s->in->groups, sizeof r->groups);
    bool has_package = fs_kind(init_in_home(s, "package.json")) == FS_FILE;
    if (!s->in->chosen)
        r->groups[INIT_NPM] = has_package;
    else if (r->groups[INIT_NPM] && !has_package) {
        err_set(s->err, ERR_CONFIG, "there is no package.json in %s", r->home);
        return err_hint(s->err, "leave npm out of --only, or make one: npm init");
    }
    for (size_t i = 0; i < COUNT(same); i++) {
        bool wanted = s->in->chosen ? r->groups[same[i].group]
                                    : r->project.platforms[same[i].platform] != NULL;
        if (wanted && !r->deploys)
            init_find(s, FINDING_INIT_LEFT_OUT,
                      "nothing for %s, which would deploy the migrations: %s",
                      flow_init_group_name(same[i].group), r->place.unfit);
        r->groups[same[i].group] = wanted && r->deploys;
    }
    return true;
}

/* A name that can stand in a workflow as it is. */
static bool
is_plain(const char *name)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                "0123456789._/-";
    return *name && !name[strspn(name, plain)];
}

/* An environment that the deploy would not know is an error now rather than then. */
bool
init_branches(Init *s)
{
    InitResult *r = s->r;
    for (size_t i = 0; i < s->in->branch_count; i++) {
        Config config;
        ConfigRequest request = {.start_dir = r->home, .env_name = s->in->branches[i].env};
        if (!config_load(s->a, &request, &config, s->err))
            return false;
        *vec_add(s->a, &r->branches) = s->in->branches[i];
    }
    if (!s->in->branch_count)
        vec_each (const ProjectBranch, b, &r->project.branches) {
            if (is_plain(b->name))
                *vec_add(s->a, &r->branches) = *b;
        }
    return true;
}
