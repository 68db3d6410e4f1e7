/* Vercel, images and Kubernetes. */
#include "flow/init_int.h"

#include "base/fs.h"

/* ---- Vercel --------------------------------------------------------------------------------- */

/* vercel.json comes before the script "vercel-build" and before the project's settings, so that it
 * is the place that decides. */
bool
init_vercel(Init *s)
{
    const char *path = init_in_home(s, "vercel.json");
    const char *line = "sh scripts/vercel-build.sh";
    const char *run = str_fmt(s->a, "%s run", s->r->project.manager);
    const ProjectVar vars[] = {{"RUN", run}, {"DEPLOYER", s->vercel_deploys ? "vercel" : "github"}};
    const ProjectJson *root;
    Str text;
    bool there;
    if (!init_add_file(s, init_in_home(s, "scripts/vercel-build.sh"),
                       project_template(s->a, "vercel-build.sh", vars, COUNT(vars)), 0755, OWN_FILE,
                       "migrations before a build of production, and no other") ||
        !init_read_file(s, path, &there, &text))
        return false;
    if (!there)
        text = STR("{}\n");
    if (!project_json_parse(s->a, fs_below(s->r->project.start, path), text, &root, s->err))
        return false;
    const char *today = project_json_text(s->a, root, "buildCommand");
    if (today && strcmp(today, line) != 0 && !s->in->force) {
        Finding *f = init_find(
            s, FINDING_INIT_VERCEL,
            "it builds with \"%s\", so that scripts/vercel-build.sh is not used%s", today,
            init_runs_migrations(str_of(today)) ? ", and previews change the database" : "");
        f->path = "vercel.json";
        f->fix = "aramid init --force replaces it";
        return true;
    }
    return project_json_set(s->a, &(Source){"vercel.json", text}, NULL, "buildCommand", line, &text,
                            s->err) &&
           init_add_file(s, path, text, 0644, OWN_EDIT, "builds through that script");
}

/* ---- Docker and Kubernetes ------------------------------------------------------------------ */

static void
copy_into_image(const Init *s, Buf *copies, Buf *keeps, const char *path)
{
    const char *end = fs_kind(init_in_home(s, path)) == FS_DIR ? "/" : "";
    const char *from = str_fmt(s->a, "%s%s", path, end), *to = str_fmt(s->a, "./%s", from);
    buf_fmt(copies, "COPY [%s, %s]\n", init_quoted(s, from), init_quoted(s, to));
    buf_fmt(keeps, "!%s\n", path);
}

/* What says to which contract Prisma 8's packages are to lead: where history/ looks for it. */
static void
copy_contract(const Init *s, Buf *copies, Buf *keeps)
{
    static const char *const files[] = {
        "prisma.config.ts",  "prisma.config.mts",        "prisma.config.js",
        "prisma.config.mjs", "src/prisma/contract.json", "prisma/contract.json",
        "src/contract.json", "db/contract.json",         "contract.json"};
    const char *home = fs_dirname(s->a, s->r->migrations);
    for (size_t i = 0; i < COUNT(files) && s->r->place.tool == PROJECT_PRISMA_NEXT; i++) {
        const char *path = strcmp(home, ".") == 0 ? files[i] : fs_join(s->a, home, files[i]);
        bool is_copied = s->prisma_config && strcmp(path, s->prisma_config) == 0;
        if (!is_copied && fs_exists(init_in_home(s, path)))
            copy_into_image(s, copies, keeps, path);
    }
}

/* What else a tool is told, and history/ reads. */
static void
copy_tools_own(const Init *s, Buf *copies, Buf *keeps)
{
    static const struct {
        ProjectTool tool;
        const char *file;
    } files[] = {{PROJECT_GRAPHILE_MIGRATE, ".gmrc"},
                 {PROJECT_GRAPHILE_MIGRATE, ".gmrc.js"},
                 {PROJECT_GRAPHILE_MIGRATE, ".gmrc.cjs"},
                 {PROJECT_SUPABASE, "supabase/config.toml"}};
    for (size_t i = 0; i < COUNT(files); i++)
        if (s->r->place.tool == files[i].tool && fs_exists(init_in_home(s, files[i].file)))
            copy_into_image(s, copies, keeps, files[i].file);
}

bool
init_docker(Init *s)
{
    const InitResult *r = s->r;
    const char *both = init_common_folder(s);
    Buf copies, keeps;
    buf_init(&copies, s->a);
    buf_init(&keeps, s->a);
    if ((r->schema && r->schema[0] == '/') || (r->migrations && r->migrations[0] == '/')) {
        init_find(s, FINDING_INIT_LEFT_OUT,
                  "nothing for docker: schema or migrations lie outside of %s", r->home);
        return true;
    }
    copy_into_image(s, &copies, &keeps, init_settings_name(s));
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
        if (r->migrations)
            copy_contract(s, &copies, &keeps);
    }
    vec_each (const char *, more, &r->more)
        copy_into_image(s, &copies, &keeps, *more);
    copy_tools_own(s, &copies, &keeps);
    const ProjectVar vars[] = {
        {"NAME", s->name}, {"VERSION", ARAMID_VERSION}, {"COPIES", copies.p}, {"KEEPS", keeps.p}};
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
    for (size_t i = 0; i < COUNT(files); i++)
        if (!init_add_file(s, init_in_home(s, files[i].path),
                           project_template(s->a, files[i].template, vars, COUNT(vars)),
                           files[i].mode, files[i].own, files[i].why))
            return false;
    return true;
}

bool
init_k8s(Init *s)
{
    const char *dir = fs_kind(init_in_home(s, "kubernetes")) == FS_DIR ? "kubernetes" : "k8s";
    return init_add_file(
        s, init_in_home(s, str_fmt(s->a, "%s/migrations-job.yaml", dir)),
        project_template(s->a, "migrations-job.yaml", &(ProjectVar){"NAME", s->name}, 1), 0644,
        OWN_YAML, "a Job that deploys");
}
