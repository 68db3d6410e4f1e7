/* aramid generate: the project's own generator, found and run. */
#include "flow/generate.h"

#include "base/clock.h"
#include "base/fs.h"
#include "base/os.h"
#include "flow/command.h"
#include "flow/hooks.h"
#include "project/project.h"

#include <unistd.h>

const char *
generate_tool_name(GenerateTool tool)
{
    static const char *const names[] = {NULL, "prisma", "drizzle-kit"};
    return names[tool];
}

/* ---- finding it ------------------------------------------------------------------------------ */

static bool
in_path(Arena *a, const char *program)
{
    const char *path = os_env("PATH");
    Str rest = str_of(path ? path : "/usr/local/bin:/usr/bin:/bin");
    while (rest.p) {
        Str dir = str_cut(&rest, ':');
        if (dir.n && access(fs_join(a, str_dup(a, dir), program), X_OK) == 0)
            return true;
    }
    return false;
}

/* What package.json asks for, whatever the section. */
static bool
is_wanted(Arena *a, const char *dir, const char *name)
{
    static const char *const parts[] = {"devDependencies", "dependencies", "optionalDependencies"};
    Str text;
    bool there;
    Err unread;
    const ProjectJson *root;
    if (!dir || !fs_read_if_there(a, fs_join(a, dir, "package.json"), &there, &text, &unread) ||
        !there || !project_json_parse(a, "package.json", text, &root, &unread))
        return false;
    for (size_t i = 0; i < COUNT(parts); i++)
        if (project_json_get(project_json_get(root, parts[i]), name))
            return true;
    return false;
}

typedef struct Finder {
    Arena *a;
    const Config *config;
    const char *start;   /* folder of the schema, or the project's */
    const char *package; /* folder with the nearest package.json, or NULL */
    Project project;
    const char *name; /* of the tool */
} Finder;

/* What installs it. */
static bool
refuse_missing(const Finder *f, Err *err)
{
    const char *m = f->project.manager;
    bool wanted = is_wanted(f->a, f->package, f->name);
    err_set(err, ERR_TOOL, "%s is not installed", f->name);
    err_detail(err, "there is no node_modules/.bin/%s in %s or above it%s", f->name, f->start,
               wanted ? "; package.json asks for it" : "");
    if (!f->package)
        return err_hint(err,
                        "there is no package.json: run this in the project of the application");
    if (wanted)
        return err_hint(err, "install what package.json asks for: %s install", m);
    return err_hint(err, "add it: %s %s %s", m, strcmp(m, "npm") == 0 ? "install" : "add",
                    str_fmt(f->a, "%s %s",
                            strcmp(m, "npm") == 0   ? "--save-dev"
                            : strcmp(m, "bun") == 0 ? "--dev"
                                                    : "-D",
                            f->name));
}

/* Whether the project generates anything, and with what. */
static GenerateTool
choose(const Finder *f)
{
    bool drizzle = false;
    vec_each (const ProjectPlace, p, &f->project.places)
        drizzle = drizzle || p->tool == PROJECT_DRIZZLE;
    if (f->config->schema_path || f->config->prisma_config)
        return GENERATE_PRISMA;
    return drizzle ? GENERATE_DRIZZLE : GENERATE_NONE;
}

static void
add(Arena *a, GenerateResult *r, const char *word)
{
    *vec_add(a, &r->argv) = word;
}

bool
flow_generate_find(Arena *a, const GenerateInput *in, GenerateResult *ret, Err *err)
{
    const Config *c = in->base.config;
    *ret = (GenerateResult){0};
    Finder f = {.a = a, .config = c, .start = c->project_dir};
    if (in->folder)
        f.start = in->folder;
    else if (c->schema_path)
        f.start =
            fs_kind(c->schema_path) == FS_DIR ? c->schema_path : fs_dirname(a, c->schema_path);
    f.package = flow_find_up(a, f.start, "package.json");
    const char *folder = f.package ? f.package : c->project_dir;
    ret->folder = in->folder ? in->folder : folder;
    if (!project_detect(a, folder, &f.project, err))
        return false;
    GenerateTool tool = in->tool ? in->tool : choose(&f);
    f.name = generate_tool_name(tool);
    if (!f.name)
        return true;
    const char *bin = fs_join(a, "node_modules/.bin", f.name), *dir = flow_find_up(a, f.start, bin);
    if (!dir && tool == GENERATE_PRISMA && !f.package)
        return true; /* a schema without an application */
    if (dir)
        add(a, ret, fs_join(a, dir, bin));
    else if (flow_find_up(a, f.start, ".pnp.cjs") && in_path(a, "yarn")) {
        add(a, ret, "yarn");
        add(a, ret, "run");
        add(a, ret, f.name);
    } else
        return refuse_missing(&f, err);
    if (!in_path(a, "node") && !in_path(a, "bun")) {
        err_set(err, ERR_TOOL, "%s needs Node, which is not in PATH", f.name);
        return err_hint(err, "install Node, or run this where the application is built");
    }
    ret->tool = tool;
    add(a, ret, "generate");
    if (tool == GENERATE_PRISMA && c->schema_path) {
        add(a, ret, "--schema");
        add(a, ret, c->schema_path);
    }
    for (size_t i = 0; i < in->argument_count; i++)
        add(a, ret, in->arguments[i]);
    add(a, ret, NULL);
    ret->argv.n--;
    return true;
}

/* ---- running it ------------------------------------------------------------------------------ */

static bool
run(Arena *a, const GenerateInput *in, GenerateResult *r, Err *err)
{
    ConfigList env = config_environment(a, in->base.config);
    if (in->is_colored)
        *vec_add(a, &env) = "FORCE_COLOR=1";
    *vec_add(a, &env) = NULL;
    const FlowCommand c = {.in = &in->base,
                           .name = generate_tool_name(r->tool),
                           .argv = r->argv.v,
                           .env = env.v,
                           .folder = r->folder,
                           .timeout_ms = config_ms(in->base.config, CFG_GENERATE_TIMEOUT),
                           .on_output = in->on_output,
                           .arg = in->arg};
    return flow_command(a, &c, &r->status, err);
}

static void
pass_on(void *arg, const RunEvent *e)
{
    const GenerateInput *in = arg;
    if (in->on_output)
        in->on_output(in->arg, str_of(e->text));
}

/* Type checks, tests, a build: the project's word about what was generated. */
static bool
run_hooks(Arena *a, const GenerateInput *in, Err *err)
{
    GenerateInput copy = *in;
    const RunSink sink = {.event = pass_on, .arg = &copy};
    if (flow_hooks(a, HOOK_GENERATED, &(HookFacts){.in = &in->base, .sink = &sink}, err))
        return true;
    if (err->code == ERR_HOOK)
        err->code = ERR_GENERATE;
    return false;
}

bool
flow_generate(Arena *a, const GenerateInput *in, GenerateResult *ret, Err *err)
{
    if (!flow_generate_find(a, in, ret, err))
        return false;
    const char *name = generate_tool_name(ret->tool);
    if (!name) {
        err_set(err, ERR_TOOL, "this project has nothing to generate with");
        err_detail(err,
                   "there is neither a schema.prisma beside a package.json nor a drizzle.config "
                   "in %s",
                   ret->folder);
        return err_hint(err, "give the schema: aramid generate --schema PATH");
    }
    int64_t started = clock_ms();
    bool ok = run(a, in, ret, err);
    ret->ms = clock_ms() - started;
    if (!ok)
        return err->code == ERR_TIMEOUT
                   ? err_hint(err,
                              "the setting timeouts.generate gives it more time (0 = no limit)")
                   : false;
    if (ret->status == 0)
        return run_hooks(a, in, err);
    if (ret->status > 128)
        err_set(err, ERR_GENERATE, "\"%s generate\" was ended by signal %d", name,
                ret->status - 128);
    else
        err_set(err, ERR_GENERATE, "\"%s generate\" failed with exit status %d", name, ret->status);
    err_detail(err, "what it said stands above");
    return err_hint(err, "correct it and run: %s", in->again ? in->again : "aramid generate");
}
