#include "flow/init.h"

#include "base/fs.h"
#include "base/jw.h"
#include "config/config.h"

enum { FILE_MAX = 1024 * 1024 };

const char *
flow_init_group_name(InitGroup group)
{
    static const char *const names[] = {"npm", "github", "vercel", "docker", "k8s"};
    _Static_assert(sizeof names / sizeof *names == INIT_GROUP_COUNT, "a name for each");
    return names[group];
}

typedef struct Init {
    Arena *a;
    const InitInput *in;
    InitResult *r;
    const char *prisma_config; /* below home, or NULL */
    const char *slug;          /* "" or "-backend": tells workflows of one repository apart */
    const char *name;          /* of the project, for images and jobs */
    bool package_says_schema;  /* "prisma" in package.json names it */
    bool has_history;          /* its migrations are of a layout that Aramid works with */
    Err *err;
} Init;

__attribute__((format(printf, 2, 3))) static void
note(Init *s, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    *vec_add(s->a, &s->r->notes) = str_vfmt(s->a, fmt, ap);
    va_end(ap);
}

static const char *
in_home(const Init *s, const char *name)
{
    return fs_join(s->a, s->r->home, name);
}

static const char *
in_root(const Init *s, const char *name)
{
    return fs_join(s->a, s->r->project.root, name);
}

/* ---- which project it is -------------------------------------------------------------------- */

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

static bool
choose_place(Init *s)
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
            if (strncmp(schema, place->dir, n) == 0 && schema[n] == '/')
                r->place.version = place->version;
        }
        return true;
    }
    if (p->places.n != 1)
        return p->places.n ? fail_several(s) : fail_nothing(s);
    r->place = p->places.v[0];
    if (r->place.tool == PROJECT_PRISMA_NEXT) {
        err_set(s->err, ERR_CONFIG, "this is a project of Prisma 8 or later (%s)",
                str_printable(s->a, str_of(r->place.evidence), false));
        err_detail(s->err, "Its migrations are programs, not a folder of SQL, and its schema is "
                           "another language.");
        return err_hint(s->err,
                        "Aramid works with the migrations of Prisma 2 to 7; stay with Prisma 7 "
                        "to use it");
    }
    /* What people type, they type where package.json is. */
    if (!p->has_package && r->place.has_package)
        r->home = fs_join(s->a, p->start, r->place.dir);
    return true;
}

static const char *
slug_of(Arena *a, const char *text)
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

/* Where schema and migrations are, as the configuration of their own folder says. */
static bool
find_paths(Init *s)
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
    s->has_history = r->place.tool == PROJECT_PRISMA;
    if (config.schema_path)
        r->schema = fs_below(r->home, config.schema_path);
    if (s->has_history || fs_kind(config.migrations_dir) == FS_DIR)
        r->migrations = fs_below(r->home, config.migrations_dir);
    if (config.prisma_config)
        s->prisma_config = fs_below(r->home, config.prisma_config);
    if (config.prisma_config && strcmp(request.start_dir, r->home) != 0)
        note(s,
             "%s is only read in its own folder: what it says beside schema and migrations belongs "
             "into aramid.yaml",
             s->prisma_config);
    if (s->has_history && fs_kind(in_home(s, "supabase/migrations")) == FS_DIR)
        note(s, "supabase/migrations is a history of its own, which Aramid leaves to Supabase's "
                "command line; use one of the two for a database");
    const char *below = fs_below(r->project.root, r->home);
    bool is_root = strcmp(r->home, r->project.root) == 0;
    s->slug = is_root ? "" : str_fmt(s->a, "-%s", slug_of(s->a, below));
    const char *name = slug_of(s->a, fs_basename(r->project.root));
    s->name = str_fmt(s->a, "%s%s", *name ? name : "project", s->slug);
    return true;
}

static bool
choose_groups(Init *s)
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
    bool has_package = fs_kind(in_home(s, "package.json")) == FS_FILE;
    if (!s->in->chosen)
        r->groups[INIT_NPM] = has_package;
    else if (r->groups[INIT_NPM] && !has_package) {
        err_set(s->err, ERR_CONFIG, "there is no package.json in %s", r->home);
        return err_hint(s->err, "leave npm out of --only, or make one: npm init");
    }
    for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
        bool wanted = s->in->chosen ? r->groups[same[i].group]
                                    : r->project.platforms[same[i].platform] != NULL;
        if (wanted && !s->has_history)
            note(s,
                 "nothing for %s: this version of Aramid applies Prisma's migrations only, and "
                 "these are %s's",
                 flow_init_group_name(same[i].group), project_tool_name(r->place.tool));
        r->groups[same[i].group] = wanted && s->has_history;
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
static bool
choose_branches(Init *s)
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

/* ---- files ---------------------------------------------------------------------------------- */

/* What people edit after us is not ours any more. */
typedef enum Ownership {
    OWN_EDIT, /* an edit of a text that is the user's: it is shown and made */
    OWN_FILE, /* a file of ours: --force replaces it */
    OWN_YAML, /* never replaced */
} Ownership;

static bool
read_file(Init *s, const char *path, bool *ret_there, Str *ret)
{
    *ret = STR("");
    *ret_there = fs_exists(path);
    return !*ret_there || fs_read(s->a, path, FILE_MAX, ret, s->err);
}

static bool
add_file(Init *s, const char *path, Str text, unsigned mode, Ownership own, const char *why)
{
    InitFile f = {.path = path,
                  .shown = fs_below(s->r->project.start, path),
                  .why = why,
                  .after = text,
                  .mode = mode};
    if (!read_file(s, path, &f.was_there, &f.before))
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
    return add_file(s, str_fmt(s->a, "%s.aramid-new", path), text, mode, OWN_EDIT,
                    "what Aramid would have written");
}

static const char *
quoted(const Init *s, const char *text)
{
    JsonWriter w;
    jw_init(&w, s->a, false);
    jw_strz(&w, NULL, text);
    return str_dup(s->a, str_trim(buf_str(&w.out)));
}

/* ---- aramid.yaml and ignore files ----------------------------------------------------------- */

static const char *
settings_name(const Init *s)
{
    return fs_exists(in_home(s, "aramid.yml")) ? "aramid.yml" : "aramid.yaml";
}

/* Schema and migrations are only named where they would not be found without it. */
static bool
add_settings(Init *s)
{
    InitResult *r = s->r;
    Config config;
    ConfigRequest request = {.start_dir = r->home};
    if (!config_load(s->a, &request, &config, s->err))
        return false;
    const char *schema = config.schema_path ? fs_below(r->home, config.schema_path) : NULL;
    const char *origin = config.values[CFG_SCHEMA].origin;
    s->package_says_schema = origin && str_starts(str_of(origin), STR("package.json"));
    const char *migrations = fs_below(r->home, config.migrations_dir);
    bool other_schema = r->schema && (!schema || strcmp(schema, r->schema) != 0);
    bool other_folder = r->migrations && strcmp(migrations, r->migrations) != 0;
    const char *path = in_home(s, settings_name(s));
    Buf b;
    buf_init(&b, s->a);
    if (other_schema)
        buf_fmt(&b, "schema: %s\n", quoted(s, r->schema));
    if (other_schema || other_folder)
        buf_fmt(&b, "migrations: %s\n", quoted(s, r->migrations));
    if (b.n)
        buf_addc(&b, '\n');
    Str text;
    bool there;
    if (!read_file(s, path, &there, &text))
        return false;
    if (!there)
        return add_file(s, path,
                        project_template(s->a, "aramid.yaml", &(ProjectVar){"SETTINGS", b.p}, 1),
                        0644, OWN_YAML, "settings of Aramid");
    if (b.n)
        note(s,
             "the settings lead to another schema or other migrations than those found: " STR_FMT,
             STR_ARG(str_trim(buf_str(&b))));
    return add_file(s, path, text, 0644, OWN_YAML, "settings of Aramid");
}

static bool
add_ignores(Init *s, const char *name, const char *why)
{
    static const char *const entries[] = {"backups/", ".aramid/", NULL};
    const char *heading = "Aramid: backups hold data of users, .aramid/ logs of runs";
    const char *path = in_home(s, name);
    Str text;
    bool there;
    return read_file(s, path, &there, &text) &&
           add_file(s, path, project_ignore(s->a, text, heading, entries), 0644, OWN_EDIT, why);
}

static bool
add_all_ignores(Init *s)
{
    bool has_docker = s->r->groups[INIT_DOCKER] || fs_exists(in_home(s, ".dockerignore")) ||
                      fs_exists(in_home(s, "Dockerfile"));
    return add_ignores(s, ".gitignore", "backups are never committed") &&
           (!has_docker || add_ignores(s, ".dockerignore", "backups never get into an image"));
}

/* ---- package.json --------------------------------------------------------------------------- */

static bool
can_run(const Init *s, const ProjectScript *script)
{
    return s->in->has_command(s->in->arg, script->command) &&
           (s->has_history || !script->needs_history);
}

static bool
is_prisma_name(const ProjectScript *script)
{
    return strncmp(script->name, "prisma:", 7) == 0;
}

/* The text of a script, or the JSON that stands in its place; NULL = none. */
static const char *
script_today(Init *s, const ProjectJson *scripts, Str text, const char *name)
{
    const ProjectJson *node = project_json_get(scripts, name);
    if (!node)
        return NULL;
    return str_dup(s->a, node->kind == PROJECT_JSON_TEXT ? node->text
                                                         : str_slice(text, node->from, node->to));
}

/* The profile whose names package.json has already: all that can be written are there, and more of
 * them mean the same than with any other profile. */
static const ProjectProfile *
profile_in_use(Init *s, const ProjectJson *scripts, Str text)
{
    const ProjectProfile *best = NULL;
    int most = 0;
    for (const ProjectProfile *const *p = project_profiles(); *p; p++) {
        int same = 0;
        bool all = true;
        for (const ProjectScript *script = (*p)->scripts; script->name; script++) {
            if (!can_run(s, script) ||
                (is_prisma_name(script) && s->r->place.tool != PROJECT_PRISMA))
                continue;
            const char *today = script_today(s, scripts, text, script->name);
            all = all && today;
            same += today && strcmp(today, script->line) == 0;
        }
        if (all && same > most)
            most = same, best = *p;
    }
    return best;
}

/* The profile that is nearest to what people type today. */
static const ProjectProfile *
suggest_profile(Init *s, const ProjectJson *scripts, Str text)
{
    const char *migrate = script_today(s, scripts, text, "db:migrate");
    if (migrate && strstr(migrate, "migrate deploy"))
        return project_profile("deploy");
    if (migrate && strstr(migrate, "--create-only"))
        return project_profile("create");
    if (migrate && (strstr(migrate, "migrate dev") || strstr(migrate, "drizzle-kit migrate")))
        return project_profile("develop");
    if (migrate)
        return NULL;
    if (project_json_get(scripts, "db:create") || project_json_get(scripts, "db:workflow") ||
        project_json_get(scripts, "db:deploy"))
        return project_profile("workflow");
    for (const ProjectJson *n = scripts && scripts->kind == PROJECT_JSON_OBJECT ? scripts->first
                                                                                : NULL;
         n; n = n->next)
        if (str_starts(n->key, STR("prisma:")))
            return project_profile("prisma");
    return NULL;
}

/* Set a script, unless another one stands there. */
static bool
set_script(Init *s, Str *text, const char *name, const char *line)
{
    const ProjectJson *root;
    if (!project_json_parse(s->a, "package.json", *text, &root, s->err))
        return false;
    const char *today = script_today(s, project_json_get(root, "scripts"), *text, name);
    bool same = today && strcmp(today, line) == 0;
    *vec_add(s->a, &s->r->scripts) = (InitScript){.name = name,
                                                  .line = line,
                                                  .today = today,
                                                  .state = !today         ? INIT_SCRIPT_ADDED
                                                           : same         ? INIT_SCRIPT_SAME
                                                           : s->in->force ? INIT_SCRIPT_REPLACED
                                                                          : INIT_SCRIPT_KEPT};
    if (same || (today && !s->in->force))
        return true;
    return project_json_set(s->a, "package.json", *text, "scripts", name, line, text, s->err);
}

static bool
choose_profile(Init *s, const ProjectJson *scripts, Str text)
{
    InitResult *r = s->r;
    for (const ProjectJson *n = scripts && scripts->kind == PROJECT_JSON_OBJECT ? scripts->first
                                                                                : NULL;
         n; n = n->next)
        *vec_add(s->a, &r->today) = (InitToday){
            str_dup(s->a, n->key), script_today(s, scripts, text, str_dup(s->a, n->key))};
    r->suggested = suggest_profile(s, scripts, text);
    r->profile =
        s->in->profile ? project_profile(s->in->profile) : profile_in_use(s, scripts, text);
    r->wants_profile = !r->profile;
    if (r->profile || !s->in->profile)
        return true;
    err_set(s->err, ERR_USAGE, "there is no profile \"%s\"", s->in->profile);
    for (const ProjectProfile *const *p = project_profiles(); *p; p++)
        err_hint(s->err, "--profile %s: %s", (*p)->name, (*p)->summary);
    return false;
}

static bool
add_profile(Init *s, Str *text)
{
    const ProjectProfile *profile = s->r->profile;
    for (const ProjectScript *script = profile ? profile->scripts : NULL; script && script->name;
         script++) {
        if (is_prisma_name(script) && s->r->place.tool != PROJECT_PRISMA)
            continue;
        if (can_run(s, script)) {
            if (!set_script(s, text, script->name, script->line))
                return false;
            continue;
        }
        bool has = s->in->has_command(s->in->arg, script->command);
        *vec_add(s->a, &s->r->scripts) = (InitScript){.name = script->name,
                                                      .line = script->line,
                                                      .state = INIT_SCRIPT_LEFT_OUT,
                                                      .command = has ? NULL : script->command};
    }
    return true;
}

/* Whether a command line changes the database that DATABASE_URL names. */
static bool
runs_migrations(Str line)
{
    return str_contains(line, STR("migrate deploy")) || str_contains(line, STR("db push")) ||
           str_contains(line, STR("drizzle-kit migrate")) ||
           str_contains(line, STR("aramid deploy"));
}

static void
warn_of_builds(Init *s, const ProjectJson *scripts)
{
    static const char *const names[] = {"build",       "prebuild",   "postbuild",
                                        "postinstall", "preinstall", "prepare"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const ProjectJson *script = project_json_get(scripts, names[i]);
        if (script && script->kind == PROJECT_JSON_TEXT && runs_migrations(script->text))
            note(s,
                 "the script \"%s\" of package.json changes the database in every build, previews "
                 "too: take \"" STR_FMT "\" apart",
                 names[i], STR_ARG(script->text));
    }
    if (s->r->groups[INIT_VERCEL] && !project_json_get(scripts, "build"))
        note(s,
             "scripts/vercel-build.sh ends with the script \"build\", which package.json does not "
             "have");
}

static bool
add_package(Init *s)
{
    const char *path = in_home(s, "package.json");
    const ProjectJson *root;
    Str text;
    bool there;
    if (!s->r->groups[INIT_NPM] && !s->r->groups[INIT_VERCEL])
        return true;
    if (!read_file(s, path, &there, &text))
        return false;
    if (!there)
        return true;
    const char *shown = fs_below(s->r->project.start, path);
    if (!project_json_parse(s->a, shown, text, &root, s->err))
        return false;
    const ProjectJson *scripts = project_json_get(root, "scripts");
    warn_of_builds(s, scripts);
    if (s->r->groups[INIT_NPM] && (!choose_profile(s, scripts, text) || !add_profile(s, &text)))
        return false;
    if (s->r->groups[INIT_VERCEL] &&
        !set_script(s, &text, "vercel-build", "sh scripts/vercel-build.sh"))
        return false;
    return add_file(s, path, text, 0644, OWN_EDIT, "the names that people type");
}

/* ---- GitHub --------------------------------------------------------------------------------- */

/* The folder that holds both schema and migrations and nothing else of the project; NULL = none. */
static const char *
common_folder(const Init *s)
{
    const InitResult *r = s->r;
    if (!r->schema || !r->migrations)
        return NULL;
    const char *dir = fs_dirname(s->a, r->migrations), *other = fs_dirname(s->a, r->schema);
    return strcmp(dir, other) == 0 && strcmp(dir, ".") != 0 ? dir : NULL;
}

static void
add_path(const Init *s, Buf *b, const char *path, bool folder)
{
    const char *whole = fs_below(s->r->project.root, fs_join(s->a, s->r->home, path));
    buf_fmt(b, "      - %s\n", quoted(s, folder ? str_fmt(s->a, "%s/**", whole) : whole));
}

/* The changes that start a workflow. */
static const char *
trigger_paths(const Init *s)
{
    const InitResult *r = s->r;
    const char *both = common_folder(s);
    Buf b;
    buf_init(&b, s->a);
    if (both) {
        add_path(s, &b, both, true);
    } else {
        if (r->schema)
            add_path(s, &b, r->schema, fs_kind(in_home(s, r->schema)) == FS_DIR);
        if (r->migrations)
            add_path(s, &b, r->migrations, true);
    }
    if (s->prisma_config)
        add_path(s, &b, s->prisma_config, false);
    add_path(s, &b, settings_name(s), false);
    add_path(s, &b, "scripts/get-aramid.sh", false);
    return b.p;
}

/* The variable, and the secret, with the URL of an environment. */
static const char *
url_variable(const Init *s, const char *env)
{
    static const char *const shorter[][2] = {{"production", "PROD"}, {"development", "DEV"}};
    for (size_t i = 0; i < 2; i++)
        if (strcmp(env, shorter[i][0]) == 0)
            return str_fmt(s->a, "%s_DATABASE_URL", shorter[i][1]);
    Buf b;
    buf_init(&b, s->a);
    for (; *env; env++)
        buf_addc(&b, *env >= 'a' && *env <= 'z' ? (char)(*env - 32)
                     : (*env >= 'A' && *env <= 'Z') || (*env >= '0' && *env <= '9') ? *env
                                                                                    : '_');
    buf_addz(&b, "_DATABASE_URL");
    return b.p;
}

static bool
add_workflow(Init *s, const char *template, const ProjectVar *vars, size_t count, const char *why)
{
    const char *stem = str_dup(s->a, str_slice(str_of(template), 0, strlen(template) - 4));
    const char *path = in_root(s, str_fmt(s->a, ".github/workflows/%s%s.yml", stem, s->slug));
    return add_file(s, path, project_template(s->a, template, vars, count), 0644, OWN_YAML, why);
}

/* Workflows of the project's own that deploy already. */
static void
warn_of_workflows(Init *s)
{
    FsEntryVec entries = {0};
    Err unread;
    const char *dir = in_root(s, ".github/workflows");
    if (fs_kind(dir) != FS_DIR || !fs_list(s->a, dir, &entries, &unread))
        return;
    vec_each (FsEntry, e, &entries) {
        Str text;
        if (e->kind == FS_FILE && strncmp(e->name, "migrations-", 11) != 0 &&
            fs_read(s->a, fs_join(s->a, dir, e->name), FILE_MAX, &text, &unread) &&
            runs_migrations(text))
            note(s, ".github/workflows/%s deploys migrations already; keep one of them", e->name);
    }
}

static bool
add_github(Init *s)
{
    InitResult *r = s->r;
    bool is_root = !*s->slug;
    const char *home = is_root ? "." : fs_below(r->project.root, r->home);
    const char *title = is_root ? "" : str_fmt(s->a, " of %s", slug_of(s->a, home));
    const char *paths = trigger_paths(s);
    const char *backups = is_root ? "backups/" : str_fmt(s->a, "%s/backups/", home);
    Buf jobs, branches, secrets;
    buf_init(&jobs, s->a);
    buf_init(&branches, s->a);
    buf_init(&secrets, s->a);
    const ProjectBranch *daily = NULL;
    vec_each (const ProjectBranch, b, &r->branches) {
        const char *secret = url_variable(s, b->env);
        const ProjectVar vars[] = {{"JOB", slug_of(s->a, str_fmt(s->a, "deploy-%s", b->env))},
                                   {"BRANCH", b->name},
                                   {"ENV", b->env},
                                   {"SLUG", s->slug},
                                   {"HOME", quoted(s, home)},
                                   {"SECRET", secret},
                                   {"BACKUPS", quoted(s, backups)}};
        Str job =
            project_template(s->a, "migrations-deploy-job.yml", vars, sizeof vars / sizeof *vars);
        buf_fmt(&jobs, "%s" STR_FMT, jobs.n ? "\n" : "", STR_ARG(job));
        buf_fmt(&branches, "%s%s", branches.n ? ", " : "", quoted(s, b->name));
        buf_fmt(&secrets, "%s%s", secrets.n ? ", " : "", secret);
        if (!daily || strcmp(b->env, "production") == 0)
            daily = b;
    }
    warn_of_workflows(s);
    const ProjectVar common[] = {
        {"TITLE", title}, {"SLUG", s->slug}, {"HOME", quoted(s, home)}, {"PATHS", paths}};
    if (!add_workflow(s, "migrations-validate.yml", common, sizeof common / sizeof *common,
                      "checks every pull request"))
        return false;
    if (!daily) {
        note(s, "no branch is deployed: name one with --branch BRANCH=ENVIRONMENT");
        return true;
    }
    jobs.p[--jobs.n] = 0; /* the template ends the line */
    const ProjectVar deploy[] = {{"TITLE", title},
                                 {"PATHS", paths},
                                 {"BRANCHES", branches.p},
                                 {"SECRETS", secrets.p},
                                 {"JOBS", jobs.p}};
    const ProjectVar check[] = {{"TITLE", title},          {"SLUG", s->slug},
                                {"HOME", quoted(s, home)}, {"BRANCH", quoted(s, daily->name)},
                                {"ENV", daily->env},       {"SECRET", url_variable(s, daily->env)}};
    return add_workflow(s, "migrations-deploy.yml", deploy, sizeof deploy / sizeof *deploy,
                        "deploys what reaches a branch") &&
           add_workflow(s, "migrations-check.yml", check, sizeof check / sizeof *check,
                        "looks at the database once a day");
}

/* ---- Vercel --------------------------------------------------------------------------------- */

/* vercel.json comes before the script "vercel-build" and before the project's settings, so that it
 * is the place that decides. */
static bool
add_vercel(Init *s)
{
    const char *path = in_home(s, "vercel.json");
    const char *line = "sh scripts/vercel-build.sh";
    const char *run = str_fmt(s->a, "%s run", s->r->project.manager);
    const ProjectJson *root;
    Str text;
    bool there;
    if (!add_file(s, in_home(s, "scripts/vercel-build.sh"),
                  project_template(s->a, "vercel-build.sh", &(ProjectVar){"RUN", run}, 1), 0755,
                  OWN_FILE, "migrations before a build of production, and no other") ||
        !read_file(s, path, &there, &text))
        return false;
    if (!there)
        text = STR("{}\n");
    if (!project_json_parse(s->a, fs_below(s->r->project.start, path), text, &root, s->err))
        return false;
    const char *today = project_json_text(s->a, root, "buildCommand");
    if (today && strcmp(today, line) != 0 && !s->in->force) {
        note(s,
             "vercel.json builds with \"%s\", so that scripts/vercel-build.sh is not used%s; "
             "--force replaces it",
             today, runs_migrations(str_of(today)) ? ", and previews change the database" : "");
        return true;
    }
    return project_json_set(s->a, "vercel.json", text, NULL, "buildCommand", line, &text, s->err) &&
           add_file(s, path, text, 0644, OWN_EDIT, "builds through that script");
}

/* ---- Docker and Kubernetes ------------------------------------------------------------------ */

static void
copy_into_image(const Init *s, Buf *copies, Buf *keeps, const char *path)
{
    const char *end = fs_kind(in_home(s, path)) == FS_DIR ? "/" : "";
    const char *from = str_fmt(s->a, "%s%s", path, end), *to = str_fmt(s->a, "./%s", from);
    buf_fmt(copies, "COPY [%s, %s]\n", quoted(s, from), quoted(s, to));
    buf_fmt(keeps, "!%s\n", path);
}

static bool
add_docker(Init *s)
{
    const InitResult *r = s->r;
    const char *both = common_folder(s);
    Buf copies, keeps;
    buf_init(&copies, s->a);
    buf_init(&keeps, s->a);
    if ((r->schema && r->schema[0] == '/') || (r->migrations && r->migrations[0] == '/')) {
        note(s, "nothing for docker: schema or migrations lie outside of %s", r->home);
        return true;
    }
    copy_into_image(s, &copies, &keeps, settings_name(s));
    if (s->package_says_schema)
        copy_into_image(s, &copies, &keeps, "package.json");
    if (s->prisma_config && s->prisma_config[0] != '/')
        copy_into_image(s, &copies, &keeps, s->prisma_config);
    if (both) {
        copy_into_image(s, &copies, &keeps, both);
    } else {
        if (r->schema)
            copy_into_image(s, &copies, &keeps, r->schema);
        if (r->migrations)
            copy_into_image(s, &copies, &keeps, r->migrations);
    }
    const ProjectVar vars[] = {{"NAME", s->name}, {"COPIES", copies.p}, {"KEEPS", keeps.p}};
    static const struct {
        const char *path, *template, *why;
        unsigned mode;
        Ownership own;
    } files[] = {
        {"Dockerfile.migrations", "Dockerfile.migrations", "an image that deploys", 0644, OWN_FILE},
        {"Dockerfile.migrations.dockerignore", "Dockerfile.migrations.dockerignore",
         "keeps everything else out of it", 0644, OWN_FILE},
        {"docker-compose.migrations.yml", "docker-compose.migrations.yml",
         "service migrations, and a database to try it on", 0644, OWN_YAML},
        {"scripts/deploy-migrations.sh", "deploy-migrations.sh",
         "ENVIRONMENT ACTION: status, deploy, backup, verify, ...", 0755, OWN_FILE},
    };
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        if (!add_file(s, in_home(s, files[i].path),
                      project_template(s->a, files[i].template, vars, sizeof vars / sizeof *vars),
                      files[i].mode, files[i].own, files[i].why))
            return false;
    return true;
}

static bool
add_k8s(Init *s)
{
    const char *dir = fs_kind(in_home(s, "kubernetes")) == FS_DIR ? "kubernetes" : "k8s";
    return add_file(
        s, in_home(s, str_fmt(s->a, "%s/migrations-job.yaml", dir)),
        project_template(s->a, "migrations-job.yaml", &(ProjectVar){"NAME", s->name}, 1), 0644,
        OWN_YAML, "a Job that deploys");
}

bool
flow_init(Arena *a, const InitInput *in, InitResult *ret, Err *err)
{
    Init s = {.a = a, .in = in, .r = ret, .err = err};
    *ret = (InitResult){0};
    if (!project_detect(a, in->start_dir, &ret->project, err) || !choose_place(&s) ||
        !find_paths(&s) || !choose_groups(&s))
        return false;
    if (!choose_branches(&s))
        return false;
    const bool *g = ret->groups;
    bool needs_program = g[INIT_GITHUB] || g[INIT_VERCEL] || g[INIT_DOCKER];
    return add_settings(&s) && add_all_ignores(&s) && add_package(&s) &&
           (!needs_program ||
            add_file(&s, in_home(&s, "scripts/get-aramid.sh"),
                     project_template(a, "get-aramid.sh", NULL, 0), 0755, OWN_FILE,
                     "finds or downloads the program on machines of a pipeline")) &&
           (!g[INIT_GITHUB] || add_github(&s)) && (!g[INIT_VERCEL] || add_vercel(&s)) &&
           (!g[INIT_DOCKER] || add_docker(&s)) && (!g[INIT_K8S] || add_k8s(&s));
}
