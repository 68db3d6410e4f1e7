/* `aramid init` as a whole, and the files that every project gets. */
#include "flow/init_int.h"

#include "base/child.h"
#include "base/fs.h"

/* ---- aramid.yaml and ignore files ----------------------------------------------------------- */

static void
add_folders(const Init *s, Buf *b)
{
    const InitResult *r = s->r;
    if (!r->more.n) {
        buf_fmt(b, "migrations: %s\n", init_quoted(s, r->migrations));
        return;
    }
    buf_addz(b, "# Two histories in one database: one deploy, in the order of their times.\n");
    buf_fmt(b, "migrations: [%s", init_quoted(s, r->migrations));
    vec_each (const char *, more, &r->more)
        buf_fmt(b, ", %s", init_quoted(s, *more));
    buf_addz(b, "]\n");
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
    bool other_folder = r->migrations && (strcmp(migrations, r->migrations) != 0 ||
                                          r->more.n >= config.migrations_dirs.n);
    /* An image has no drizzle.config. */
    other_folder =
        other_folder || (config.migrations_are_drizzles && strcmp(migrations, "drizzle") != 0);
    const char *path = init_in_home(s, init_settings_name(s));
    Buf b;
    buf_init(&b, s->a);
    if (other_schema)
        buf_fmt(&b, "schema: %s\n", init_quoted(s, r->schema));
    if (other_schema || other_folder)
        add_folders(s, &b);
    const char *table = r->place.history_table, *set = config.values[CFG_HISTORY_TABLE].text;
    if (table && (!set || strcmp(set, table) != 0))
        buf_fmt(&b, "history_table: %s\n", init_quoted(s, table));
    if (b.n)
        buf_addc(&b, '\n');
    Str text;
    bool there;
    if (!init_read_file(s, path, &there, &text))
        return false;
    if (!there)
        return init_add_file(
            s, path, project_template(s->a, "aramid.yaml", &(ProjectVar){"SETTINGS", b.p}, 1), 0644,
            OWN_YAML, "settings of Aramid");
    if (b.n)
        init_find(
            s, FINDING_INIT_OTHER_PATHS,
            "the settings lead to another schema or other migrations than those found: " STR_FMT,
            STR_ARG(str_trim(buf_str(&b))))
            ->path = init_settings_name(s);
    return init_add_file(s, path, text, 0644, OWN_YAML, "settings of Aramid");
}

static bool
add_ignores(Init *s, const char *name, const char *why)
{
    static const char *const entries[] = {"backups/", ".aramid/", NULL};
    const char *heading = "Aramid: backups hold data of users, .aramid/ logs of runs";
    const char *path = init_in_home(s, name);
    Str text;
    bool there;
    return init_read_file(s, path, &there, &text) &&
           init_add_file(s, path, project_ignore(s->a, text, heading, entries), 0644, OWN_EDIT,
                         why);
}

static bool
add_all_ignores(Init *s)
{
    bool has_docker = s->r->groups[INIT_DOCKER] || fs_exists(init_in_home(s, ".dockerignore")) ||
                      fs_exists(init_in_home(s, "Dockerfile"));
    return add_ignores(s, ".gitignore", "backups are never committed") &&
           (!has_docker || add_ignores(s, ".dockerignore", "backups never get into an image"));
}

/* What is not committed is missing in the pipeline that runs it. */
static bool
find_ignored(Init *s)
{
    enum { GIT_MS = 10000 };
    vec_each (const InitFile, f, &s->r->files) {
        const char *const argv[] = {"git",   "-C", s->r->project.root, "check-ignore", "-q", "--",
                                    f->path, NULL};
        ChildResult done;
        Err unread; /* no git, no repository */
        if (!child_run(s->a, argv, NULL, GIT_MS, &done, &unread) || done.status != 0)
            continue;
        Finding *found = init_find(s, FINDING_INIT_IGNORED,
                                   ".gitignore keeps it out of the repository, where a build looks "
                                   "for it");
        found->path = f->shown;
        found->fix =
            str_fmt(s->a, "commit it all the same: git add -f %s", str_shell(s->a, f->shown));
    }
    return true;
}

bool
flow_init(Arena *a, const InitInput *in, InitResult *ret, Err *err)
{
    Init s = {.a = a, .in = in, .r = ret, .err = err};
    *ret = (InitResult){0};
    findings_init(&ret->findings, a, NULL); /* judged when the settings are read */
    if (!project_detect(a, in->start_dir, &ret->project, err) || !init_place(&s) ||
        !init_paths(&s) || !init_groups(&s))
        return false;
    if (!init_branches(&s) || !init_deployer(&s))
        return false;
    const bool *g = ret->groups;
    bool needs_program = g[INIT_GITHUB] || g[INIT_VERCEL] || g[INIT_DOCKER];
    if (g[INIT_GITHUB] || g[INIT_VERCEL])
        init_warn_of_workflows(&s);
    bool done = add_settings(&s) && add_all_ignores(&s) && init_package(&s) &&
                (!needs_program ||
                 init_add_file(&s, init_in_home(&s, "scripts/get-aramid.sh"),
                               project_template(a, "get-aramid.sh", NULL, 0), 0755, OWN_FILE,
                               "finds or downloads the program on machines of a pipeline")) &&
                (!g[INIT_GITHUB] || init_github(&s)) && (!g[INIT_VERCEL] || init_vercel(&s)) &&
                (!g[INIT_DOCKER] || init_docker(&s)) && (!g[INIT_K8S] || init_k8s(&s)) &&
                find_ignored(&s);
    if (done)
        init_needs(&s);
    return done;
}
