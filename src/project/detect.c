/* What a project is, told by its files. What cannot be read tells nothing: whoever needs the file
 * later says what is wrong with it. */
#include "project/project.h"

#include "base/fs.h"
#include "config/drizzle.h"
#include "base/map.h"

enum { TEXT_MAX = 4 * 1024 * 1024, MOST_FOLDERS = 500 };

static const struct {
    const char *name, *id;
} tools[PROJECT_TOOL_COUNT] = {
    [PROJECT_NONE] = {"nothing", "none"},
    [PROJECT_PRISMA_NEXT] = {"Prisma 8", "prisma8"},
    [PROJECT_PRISMA] = {"Prisma", "prisma"},
    [PROJECT_DRIZZLE] = {"Drizzle", "drizzle"},
    [PROJECT_SUPABASE] = {"Supabase", "supabase"},
    [PROJECT_DBMATE] = {"dbmate", "dbmate"},
    [PROJECT_NODE_PG_MIGRATE] = {"node-pg-migrate", "node-pg-migrate"},
    [PROJECT_GRAPHILE_MIGRATE] = {"graphile-migrate", "graphile-migrate"},
    [PROJECT_SQL] = {"plain SQL", "sql"},
};

const char *
project_tool_name(ProjectTool tool)
{
    return tools[tool].name;
}

const char *
project_tool_id(ProjectTool tool)
{
    return tools[tool].id;
}

ProjectTool
project_tool_of(const HistoryLayout *layout)
{
    for (int i = 0; i < PROJECT_TOOL_COUNT; i++)
        if (strcmp(tools[i].id, layout->name) == 0)
            return (ProjectTool)i;
    return layout == &history_drizzle_1 ? PROJECT_DRIZZLE : PROJECT_NONE;
}

const char *
project_platform_name(ProjectPlatform platform)
{
    static const char *const names[] = {"github", "vercel", "docker", "k8s"};
    _Static_assert(COUNT(names) == PROJECT_PLATFORM_COUNT, "a name for each");
    return names[platform];
}

/* ---- files ---------------------------------------------------------------------------------- */

static Str
read_text(Arena *a, const char *path)
{
    Str text;
    Err unread;
    return fs_kind(path) == FS_FILE && fs_read(a, path, TEXT_MAX, &text, &unread) ? text : STR("");
}

/* package.json of a folder as a tree; NULL = none, or no JSON. */
static const ProjectJson *
read_package(Arena *a, const char *dir)
{
    const ProjectJson *root;
    Err unread;
    Str text = read_text(a, fs_join(a, dir, "package.json"));
    return text.n && project_json_parse(a, "package.json", text, &root, &unread) ? root : NULL;
}

static bool
is_there(Arena *a, const char *dir, const char *name, FsKind kind)
{
    return fs_kind(fs_join(a, dir, name)) == kind;
}

/* The first entry of the folder `name` below `dir` whose name ends so, as "name/entry"; or NULL. */
static const char *
with_ending(Arena *a, const char *dir, const char *name, const char *ending, FsKind kind)
{
    FsEntryVec entries = {0};
    Err unread;
    const char *path = fs_join(a, dir, name);
    if (fs_kind(path) != FS_DIR || !fs_list(a, path, &entries, &unread))
        return NULL;
    vec_each (FsEntry, e, &entries) {
        if (e->kind == kind && str_ends(str_of(e->name), str_of(ending)))
            return fs_join(a, name, e->name);
    }
    return NULL;
}

/* ---- whose migrations they are -------------------------------------------------------------- */

/* The version that package.json asks for: "^6.19.0". */
static const char *
wanted_version(Arena *a, const ProjectJson *package, const char *name)
{
    static const char *const parts[] = {"devDependencies", "dependencies"};
    const char *version = NULL;
    for (size_t i = 0; i < 2 && !version; i++)
        version = project_json_text(a, project_json_get(package, parts[i]), name);
    return version;
}

/* The first number in "^8.0.0-rc.1", ">=6 <8", "catalog:"; 0 = it has none. */
static int
major_of(const char *version)
{
    long long major = 0;
    const char *p = version ? version + strcspn(version, "0123456789") : "";
    return str_to_int((Str){p, strspn(p, "0123456789")}, 0, 999, &major) ? (int)major : 0;
}

/* Prisma 8's migrations are packages: migrations/app/<name>/ops.json; who only pushes has names of
 * contracts, migrations/app/refs/<name>.json. */
static const char *
find_prisma_next(Arena *a, const char *dir, const char *version)
{
    FsEntryVec entries = {0};
    Err unread;
    const char *app = fs_join(a, dir, "migrations/app");
    if (fs_kind(app) == FS_DIR && fs_list(a, app, &entries, &unread))
        vec_each (FsEntry, e, &entries) {
            const char *ops = fs_join(a, fs_join(a, "migrations/app", e->name), "ops.json");
            if (is_there(a, dir, ops, FS_FILE))
                return ops;
        }
    /* Signing a database writes these beside the migrations of Prisma 7, which go on then. */
    static const char *const marks[] = {"src/prisma/contract.prisma", "prisma/contract.prisma"};
    if (is_there(a, dir, "prisma/migrations", FS_DIR))
        return major_of(version) >= 8 ? "package.json" : NULL;
    for (size_t i = 0; i < COUNT(marks); i++)
        if (is_there(a, dir, marks[i], FS_FILE))
            return marks[i];
    const char *ref = with_ending(a, dir, "migrations/app/refs", ".json", FS_FILE);
    if (ref)
        return "migrations/app/refs";
    return major_of(version) >= 8 ? "package.json" : NULL;
}

static const char *
find_prisma(Arena *a, const char *dir, const ProjectJson *package)
{
    static const char *const schemas[] = {"schema.prisma", "prisma/schema.prisma",
                                          "db/schema.prisma"};
    static const char *const folders[] = {"prisma/schema", "prisma/schemas", "prisma"};
    static const char *const configs[] = {"prisma7.config", "prisma.config", ".config/prisma7",
                                          ".config/prisma"};
    static const char *const ends[] = {".ts", ".js", ".mts", ".mjs", ".cts", ".cjs"};
    const char *named = project_json_text(a, project_json_get(package, "prisma"), "schema");
    if (named && fs_exists(fs_join(a, dir, named)))
        return named;
    for (size_t i = 0; i < COUNT(schemas); i++)
        if (is_there(a, dir, schemas[i], FS_FILE))
            return schemas[i];
    for (size_t i = 0; i < COUNT(folders); i++)
        if (with_ending(a, dir, folders[i], ".prisma", FS_FILE))
            return folders[i];
    for (size_t c = 0; c < COUNT(configs); c++)
        for (size_t e = 0; e < COUNT(ends); e++) {
            const char *name = str_fmt(a, "%s%s", configs[c], ends[e]);
            if (is_there(a, dir, name, FS_FILE))
                return name;
        }
    return is_there(a, dir, "prisma/migrations", FS_DIR) ? "prisma/migrations" : NULL;
}

/* Where Drizzle keeps its files and its history. */
static const char *
find_drizzle(Arena *a, const char *path, ProjectPlace *ret)
{
    ConfigDrizzleVec configs = config_drizzle_in(a, path);
    const char *journal = "drizzle/meta/_journal.json";
    if (!configs.n && !is_there(a, path, journal, FS_FILE))
        return NULL;
    ret->migrations = "drizzle";
    if (!configs.n)
        return journal;
    const ConfigDrizzle *d = &configs.v[0];
    ret->migrations = d->out;
    ret->unread = d->computed;
    ret->history_table = config_drizzle_table(a, d);
    if (d->dialect && strcmp(d->dialect, "postgresql") != 0)
        ret->unfit = str_fmt(a, "they are for %s, and Aramid is for PostgreSQL", d->dialect);
    return fs_below(path, d->path);
}

/* A usual folder with migrations of a tool that has no file of its own, or of none. */
static void
find_folder(Arena *a, const char *path, ProjectPlace *ret)
{
    static const char *const folders[] = {"db/migrations", "migrations", "sql/migrations",
                                          "db/migration", "src/main/resources/db/migration"};
    static const struct {
        ProjectTool tool;
        const HistoryLayout *layout;
    } layouts[] = {{PROJECT_DBMATE, &history_dbmate},
                   {PROJECT_NODE_PG_MIGRATE, &history_node_pg_migrate},
                   {PROJECT_GRAPHILE_MIGRATE, &history_graphile_migrate},
                   {PROJECT_SQL, &history_plain}};
    for (size_t l = 0; l < COUNT(layouts); l++)
        for (size_t i = 0; i < COUNT(folders); i++)
            if (is_there(a, path, folders[i], FS_DIR) &&
                layouts[l].layout->recognise(a, fs_join(a, path, folders[i]))) {
                ret->tool = layouts[l].tool;
                ret->migrations = ret->evidence = folders[i];
                return;
            }
}

/* What the folder `dir` itself holds; false = nothing. */
static bool
look(Arena *a, const char *base, const char *dir, ProjectPlace *ret)
{
    const char *path = fs_join(a, base, dir);
    const ProjectJson *package = read_package(a, path);
    const char *prisma = wanted_version(a, package, "prisma");
    *ret = (ProjectPlace){.dir = dir, .has_package = is_there(a, path, "package.json", FS_FILE)};
    if ((ret->evidence = find_prisma_next(a, path, prisma))) {
        ret->tool = PROJECT_PRISMA_NEXT;
        ret->version = prisma;
        if (str_ends(str_of(ret->evidence), STR("/ops.json")))
            ret->migrations = "migrations";
    } else if ((ret->evidence = find_prisma(a, path, package))) {
        ret->tool = PROJECT_PRISMA;
        ret->version = prisma;
    } else if ((ret->evidence = find_drizzle(a, path, ret))) {
        ret->tool = PROJECT_DRIZZLE;
        ret->version = wanted_version(a, package, "drizzle-kit");
    } else if (is_there(a, path, "supabase/config.toml", FS_FILE)) {
        ret->tool = PROJECT_SUPABASE;
        ret->evidence = "supabase/config.toml";
    } else if (is_there(a, path, "supabase/migrations", FS_DIR)) {
        ret->tool = PROJECT_SUPABASE;
        ret->evidence = "supabase/migrations";
    } else {
        find_folder(a, path, ret);
    }
    if (ret->tool == PROJECT_SUPABASE)
        ret->migrations = "supabase/migrations";
    return ret->tool != PROJECT_NONE;
}

/* ---- folders of a monorepo ------------------------------------------------------------------ */

typedef struct Search {
    Arena *a;
    Project *p;
    Map seen;
    size_t looked;
} Search;

/* Whether the folder is a place, or inside one: a schema belongs to one project. */
static bool
is_place(const Search *s, const char *dir)
{
    vec_each (const ProjectPlace, place, &s->p->places) {
        size_t n = strlen(place->dir);
        if (strncmp(place->dir, dir, n) == 0 && (dir[n] == 0 || dir[n] == '/'))
            return true;
    }
    return false;
}

static void
try_folder(Search *s, const char *dir)
{
    ProjectPlace place;
    while (str_starts(str_of(dir), STR("./")))
        dir += 2;
    Str name = str_of(dir);
    if (!name.n || map_has(&s->seen, name) || s->looked >= MOST_FOLDERS || is_place(s, dir) ||
        fs_kind(fs_join(s->a, s->p->start, dir)) != FS_DIR)
        return;
    map_put(&s->seen, name, s);
    s->looked++;
    if (look(s->a, s->p->start, dir, &place))
        *vec_add(s->a, &s->p->places) = place;
}

/* The folders below `dir`, and those below them while `depth` is left. */
static void
try_below(Search *s, const char *dir, int depth)
{
    FsEntryVec entries = {0};
    Err unread;
    const char *path = fs_join(s->a, s->p->start, dir);
    if (fs_kind(path) != FS_DIR || !fs_list(s->a, path, &entries, &unread))
        return;
    vec_each (FsEntry, e, &entries) {
        if (e->kind != FS_DIR || e->is_link || e->name[0] == '.' ||
            strcmp(e->name, "node_modules") == 0)
            continue;
        const char *below = fs_join(s->a, dir, e->name);
        try_folder(s, below);
        if (depth > 0)
            try_below(s, below, depth - 1);
    }
}

/* "apps/web", "packages/...": a star stands for one folder, two stars for any. */
static void
try_pattern(Search *s, Str pattern)
{
    pattern = str_trim(pattern);
    while (str_ends(pattern, STR("/")))
        pattern.n--;
    const char *star = pattern.n ? memchr(pattern.p, '*', pattern.n) : NULL;
    if (!pattern.n || pattern.p[0] == '!' || pattern.p[0] == '/' ||
        str_contains(pattern, STR("..")))
        return;
    if (!star) {
        try_folder(s, str_dup(s->a, pattern));
        return;
    }
    Str dir = str_slice(pattern, 0, (size_t)(star - pattern.p));
    while (str_ends(dir, STR("/")))
        dir.n--;
    try_below(s, str_dup(s->a, dir), str_contains(pattern, STR("**")) ? 2 : 0);
}

/* The list under "packages:" of pnpm-workspace.yaml; each item on a line of its own, as pnpm and
 * people write it. */
static void
try_pnpm_workspace(Search *s)
{
    bool inside = false;
    for (Str rest = read_text(s->a, fs_join(s->a, s->p->start, "pnpm-workspace.yaml")); rest.p;) {
        Str line = str_cut(&rest, '\n');
        Str word = str_trim(line);
        if (!word.n || word.p[0] == '#')
            continue;
        if (word.p[0] != '-') {
            inside = str_starts(line, STR("packages:"));
            continue;
        }
        if (!inside)
            continue;
        word = str_trim(str_slice(word, 1, word.n));
        char quote = word.n ? word.p[0] : 0;
        if (quote == '"' || quote == '\'') {
            word = str_slice(word, 1, word.n);
            word = str_cut(&word, quote);
        } else {
            word = str_cut(&word, '#');
        }
        try_pattern(s, word);
    }
}

static void
try_workspaces(Search *s)
{
    const ProjectJson *list = project_json_get(read_package(s->a, s->p->start), "workspaces");
    if (list && list->kind == PROJECT_JSON_OBJECT) /* yarn: {"packages": [...]} */
        list = project_json_get(list, "packages");
    for (const ProjectJson *item = list && list->kind == PROJECT_JSON_ARRAY ? list->first : NULL;
         item; item = item->next)
        if (item->kind == PROJECT_JSON_TEXT)
            try_pattern(s, item->text);
    try_pnpm_workspace(s);
}

static void
search_below(Arena *a, Project *p)
{
    static const char *const usual[] = {"backend",    "server", "api",        "app",
                                        "web",        "src",    "db",         "database",
                                        "packages/*", "apps/*", "services/*", "libs/*"};
    Search s = {.a = a, .p = p};
    map_init(&s.seen, a);
    try_workspaces(&s);
    for (size_t i = 0; i < COUNT(usual); i++)
        try_pattern(&s, str_of(usual[i]));
    for (size_t i = 1; i < p->places.n; i++)
        for (size_t j = i; j && strcmp(p->places.v[j - 1].dir, p->places.v[j].dir) > 0; j--) {
            ProjectPlace swap = p->places.v[j];
            p->places.v[j] = p->places.v[j - 1];
            p->places.v[j - 1] = swap;
        }
}

/* ---- package manager ------------------------------------------------------------------------ */

static bool
manager_in(Arena *a, Project *p, const char *dir)
{
    static const struct {
        const char *file, *manager;
    } locks[] = {
        {"pnpm-lock.yaml", "pnpm"}, {"yarn.lock", "yarn"},        {"bun.lock", "bun"},
        {"bun.lockb", "bun"},       {"package-lock.json", "npm"}, {"npm-shrinkwrap.json", "npm"},
    };
    static const char *const known[] = {"npm", "pnpm", "yarn", "bun"};
    const char *asked = project_json_text(a, read_package(a, dir), "packageManager");
    for (size_t i = 0; asked && i < COUNT(known); i++)
        if (str_starts(str_of(asked), str_of(str_fmt(a, "%s@", known[i])))) {
            p->manager = known[i];
            p->manager_evidence = "packageManager";
            return true;
        }
    for (size_t i = 0; i < COUNT(locks); i++)
        if (is_there(a, dir, locks[i].file, FS_FILE)) {
            p->manager = locks[i].manager;
            p->manager_evidence = locks[i].file;
            return true;
        }
    return false;
}

/* ---- git and platforms ---------------------------------------------------------------------- */

/* The nearest folder upwards that has .git; `start` itself when there is none. */
static const char *
find_root(Arena *a, const char *start)
{
    for (const char *dir = start;; dir = fs_dirname(a, dir)) {
        if (fs_exists(fs_join(a, dir, ".git")))
            return dir;
        if (strcmp(dir, "/") == 0)
            return start;
    }
}

/* Where the references are: .git, or what the file .git of a work tree points to. */
static const char *
git_folder(Arena *a, const char *root)
{
    const char *git = fs_join(a, root, ".git");
    if (fs_kind(git) != FS_FILE)
        return git;
    Str text = str_trim(read_text(a, git));
    if (!str_starts(text, STR("gitdir:")))
        return git;
    git = fs_join(a, root, str_dup(a, str_trim(str_slice(text, 7, text.n))));
    Str common = str_trim(read_text(a, fs_join(a, git, "commondir")));
    return common.n ? fs_join(a, git, str_dup(a, common)) : git;
}

static bool
has_branch(Arena *a, const char *git, Str packed, const char *name)
{
    static const char *const places[] = {"refs/heads", "refs/remotes/origin"};
    for (size_t i = 0; i < 2; i++) {
        const char *ref = str_fmt(a, "%s/%s", places[i], name);
        if (fs_kind(fs_join(a, git, ref)) == FS_FILE ||
            str_contains(packed, str_of(str_fmt(a, " %s\n", ref))))
            return true;
    }
    return false;
}

/* The branch that others are merged into: what the remote says, else main or master. */
static const char *
main_branch(Arena *a, const char *git, Str packed)
{
    static const char prefix[] = "ref: refs/remotes/origin/";
    Str head = str_trim(read_text(a, fs_join(a, git, "refs/remotes/origin/HEAD")));
    if (str_starts(head, STR("ref: refs/remotes/origin/")) && head.n > sizeof prefix - 1)
        return str_dup(a, str_slice(head, sizeof prefix - 1, head.n));
    head = str_trim(read_text(a, fs_join(a, git, "HEAD")));
    bool master = str_is(head, "ref: refs/heads/master") || has_branch(a, git, packed, "master");
    return master && !has_branch(a, git, packed, "main") ? "master" : "main";
}

/* A branch named after an environment is deployed to it. Where there is one for production, the
 * main branch is what is tried before: staging. */
static void
find_branches(Arena *a, Project *p)
{
    static const ProjectBranch known[] = {
        {"production", "production"}, {"prod", "production"},         {"staging", "staging"},
        {"stage", "staging"},         {"development", "development"}, {"develop", "development"},
        {"dev", "development"},
    };
    const char *git = git_folder(a, p->root);
    Str packed = read_text(a, fs_join(a, git, "packed-refs"));
    const char *trunk = main_branch(a, git, packed);
    bool taken[3] = {false};
    ProjectBranchVec others = {0};
    for (size_t i = 0; i < COUNT(known); i++) {
        int env = known[i].env[0] == 'p' ? 0 : known[i].env[0] == 's' ? 1 : 2;
        if (taken[env] || strcmp(known[i].name, trunk) == 0 ||
            !has_branch(a, git, packed, known[i].name))
            continue;
        taken[env] = true;
        *vec_add(a, &others) = known[i];
    }
    if (!taken[0])
        *vec_add(a, &p->branches) = (ProjectBranch){trunk, "production"};
    else if (!taken[1])
        *vec_add(a, &p->branches) = (ProjectBranch){trunk, "staging"};
    vec_each (ProjectBranch, b, &others)
        *vec_add(a, &p->branches) = *b;
}

/* The first of these names below `dir`; NULL = none. */
static const char *
any_of(Arena *a, const char *dir, const char *const *names)
{
    for (; *names; names++)
        if (fs_exists(fs_join(a, dir, *names)))
            return *names;
    return NULL;
}

static void
find_platforms(Arena *a, Project *p)
{
    static const char *const names[PROJECT_PLATFORM_COUNT][12] = {
        [PROJECT_GITHUB] = {".github"},
        [PROJECT_VERCEL] = {"vercel.json", ".vercel"},
        [PROJECT_DOCKER] = {"Dockerfile", "docker-compose.yml", "docker-compose.yaml",
                            "compose.yml", "compose.yaml", "Dockerfile.migrations",
                            "docker/Dockerfile", "docker-compose.dev.yml", ".dockerignore"},
        [PROJECT_K8S] = {"k8s", "kubernetes", "helm", "charts", "deploy/k8s", "Chart.yaml",
                         "kustomization.yaml"},
    };
    for (size_t i = 0; i < PROJECT_PLATFORM_COUNT; i++) {
        p->platforms[i] = any_of(a, p->start, names[i]);
        if (!p->platforms[i])
            p->platforms[i] = any_of(a, p->root, names[i]);
    }
    Str config = read_text(a, fs_join(a, git_folder(a, p->root), "config"));
    if (!p->platforms[PROJECT_GITHUB] && str_contains(config, STR("github.com")))
        p->platforms[PROJECT_GITHUB] = ".git/config";
    const ProjectJson *scripts = project_json_get(read_package(a, p->start), "scripts");
    if (!p->platforms[PROJECT_VERCEL] && project_json_get(scripts, "vercel-build"))
        p->platforms[PROJECT_VERCEL] = "package.json";
}

bool
project_detect(Arena *a, const char *start, Project *ret, Err *err)
{
    ProjectPlace place;
    *ret = (Project){.start = fs_absolute(a, start), .manager = "npm"};
    if (fs_kind(ret->start) != FS_DIR)
        return err_set(err, ERR_CONFIG, "there is no folder \"%s\"", ret->start);
    ret->root = find_root(a, ret->start);
    ret->has_package = is_there(a, ret->start, "package.json", FS_FILE);
    if (look(a, ret->start, "", &place))
        *vec_add(a, &ret->places) = place;
    else
        search_below(a, ret);
    if (!manager_in(a, ret, ret->start))
        manager_in(a, ret, ret->root);
    find_branches(a, ret);
    find_platforms(a, ret);
    return true;
}
