/* GitHub's workflows. */
#include "flow/init_int.h"

#include "base/fs.h"

static void
add_path(const Init *s, Buf *b, const char *path, bool folder)
{
    const char *whole = fs_below(s->r->project.root, fs_join(s->a, s->r->home, path));
    buf_fmt(b, "      - %s\n", init_quoted(s, folder ? str_fmt(s->a, "%s/**", whole) : whole));
}

/* The changes that start a workflow. */
static const char *
trigger_paths(const Init *s)
{
    const InitResult *r = s->r;
    const char *both = init_common_folder(s);
    Buf b;
    buf_init(&b, s->a);
    if (both) {
        add_path(s, &b, both, true);
    } else {
        if (r->schema)
            add_path(s, &b, r->schema, fs_kind(init_in_home(s, r->schema)) == FS_DIR);
        if (r->migrations)
            add_path(s, &b, r->migrations, true);
    }
    vec_each (const char *, more, &r->more)
        add_path(s, &b, *more, true);
    if (s->prisma_config)
        add_path(s, &b, s->prisma_config, false);
    add_path(s, &b, init_settings_name(s), false);
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
    const char *path = init_in_root(s, str_fmt(s->a, ".github/workflows/%s%s.yml", stem, s->slug));
    return init_add_file(s, path, project_template(s->a, template, vars, count), 0644, OWN_YAML,
                         why);
}

/* A job with a server of its own, and no secret that names another: a test. */
static bool
is_test(Str text)
{
    return str_contains(text, STR("services:")) && str_contains(text, STR("postgres")) &&
           !str_contains(text, STR("DATABASE_URL: ${{ secrets."));
}

void
init_warn_of_workflows(Init *s)
{
    FsEntryVec entries = {0};
    Err unread;
    const char *dir = init_in_root(s, ".github/workflows");
    if (fs_kind(dir) != FS_DIR || !fs_list(s->a, dir, &entries, &unread))
        return;
    vec_each (FsEntry, e, &entries) {
        Str text;
        if (e->kind == FS_FILE && strncmp(e->name, "migrations-", 11) != 0 &&
            fs_read(s->a, fs_join(s->a, dir, e->name), FILE_MAX, &text, &unread) &&
            init_runs_migrations(text) && !is_test(text))
            init_find(s, FINDING_INIT_WORKFLOW, "it deploys migrations already; keep one of them")
                ->path = str_fmt(s->a, ".github/workflows/%s", e->name);
    }
}

bool
init_github(Init *s)
{
    InitResult *r = s->r;
    bool is_root = !*s->slug;
    const char *home = is_root ? "." : fs_below(r->project.root, r->home);
    const char *title = is_root ? "" : str_fmt(s->a, " of %s", init_slug(s->a, home));
    const char *paths = trigger_paths(s);
    static const char valid[] = "      - name: Is the schema valid?\n"
                                "        run: aramid validate\n";
    bool prisma = r->place.tool == PROJECT_PRISMA;
    const char *backups = is_root ? "backups/" : str_fmt(s->a, "%s/backups/", home);
    Buf jobs, branches, secrets;
    buf_init(&jobs, s->a);
    buf_init(&branches, s->a);
    buf_init(&secrets, s->a);
    const ProjectBranch *daily = NULL;
    vec_each (const ProjectBranch, b, &r->branches) {
        const char *secret = url_variable(s, b->env);
        const ProjectVar vars[] = {{"JOB", init_slug(s->a, str_fmt(s->a, "deploy-%s", b->env))},
                                   {"BRANCH", b->name},
                                   {"ENV", b->env},
                                   {"SLUG", s->slug},
                                   {"HOME", init_quoted(s, home)},
                                   {"SECRET", secret},
                                   {"BACKUPS", init_quoted(s, backups)}};
        if (!daily || strcmp(b->env, "production") == 0)
            daily = b;
        if (!s->github_deploys && strcmp(b->env, "production") == 0)
            continue;
        Str job = project_template(s->a, "migrations-deploy-job.yml", vars, COUNT(vars));
        buf_fmt(&jobs, "%s" STR_FMT, jobs.n ? "\n" : "", STR_ARG(job));
        buf_fmt(&branches, "%s%s", branches.n ? ", " : "", init_quoted(s, b->name));
        buf_fmt(&secrets, "%s%s", secrets.n ? ", " : "", secret);
    }
    const ProjectVar common[] = {
        {"TITLE", title},
        {"SLUG", s->slug},
        {"HOME", init_quoted(s, home)},
        {"PATHS", paths},
        {"WHAT", prisma ? "the schema and the migrations" : "the migrations"},
        {"VALIDATE", prisma ? valid : ""},
        {"RUN", prisma ? ", and make what the schema says" : " on an empty database"}};
    if (!add_workflow(s, "migrations-validate.yml", common, COUNT(common),
                      "checks every pull request"))
        return false;
    if (!daily) {
        init_find(s, FINDING_INIT_NO_BRANCH, "no branch is deployed")->fix =
            "name one: --branch BRANCH=ENVIRONMENT";
        return true;
    }
    if (jobs.n)
        jobs.p[--jobs.n] = 0; /* the template ends the line */
    const ProjectVar deploy[] = {{"TITLE", title},
                                 {"PATHS", paths},
                                 {"BRANCHES", branches.p},
                                 {"SECRETS", secrets.p},
                                 {"JOBS", jobs.p}};
    const ProjectVar check[] = {{"TITLE", title},
                                {"SLUG", s->slug},
                                {"HOME", init_quoted(s, home)},
                                {"BRANCH", init_quoted(s, daily->name)},
                                {"ENV", daily->env},
                                {"SECRET", url_variable(s, daily->env)}};
    return (!jobs.n || add_workflow(s, "migrations-deploy.yml", deploy, COUNT(deploy),
                                    "deploys what reaches a branch")) &&
           add_workflow(s, "migrations-check.yml", check, COUNT(check),
                        "looks at the database once a day");
}
