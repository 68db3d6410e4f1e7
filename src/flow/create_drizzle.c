/* A new migration of a Drizzle project: by its own drizzle-kit, which alone reads a schema in TypeScript. */
#include "flow/create_int.h"

#include "base/fs.h"
#include "config/drizzle.h"
#include "flow/generate.h"

typedef struct Heard {
    const CreateInput *in;
    bool nothing_new; /* it said so */
    bool asks;        /* it wanted to know what was renamed */
} Heard;

static void
hear(void *arg, Str line)
{
    Heard *h = arg;
    h->nothing_new = h->nothing_new || str_icontains(line, STR("No schema changes"));
    h->asks = h->asks || str_icontains(line, STR("interactive prompts require")) ||
              str_icontains(line, STR("missing_hints")); /* 0.x, 1.0 */
    if (h->in->on_output)
        h->in->on_output(h->in->on_output_arg, line);
}

/* What its folder holds: of 0.x also beside the journal, which it writes anew. */
typedef struct CreateFolder {
    FsEntryVec files, meta;
    const char *journal;
    bool has_journal;
    Str text; /* of the journal */
} CreateFolder;

static bool
is_there(const FsEntryVec *list, const char *name)
{
    vec_each (const FsEntry, e, list)
        if (strcmp(e->name, name) == 0)
            return true;
    return false;
}

/* What it has written: <name>.sql, or <name>/migration.sql since 1.0. */
static bool
take_new(Arena *a, CreateResult *r, Err *err)
{
    FsEntryVec after;
    const char *dir = r->history.source;
    if (!fs_exists(dir))
        return true;
    if (!fs_list(a, dir, &after, err))
        return false;
    vec_each (const FsEntry, e, &after) {
        bool is_folder = e->kind == FS_DIR;
        const char *file = is_folder ? fs_join(a, e->name, "migration.sql") : e->name;
        Str text, name = str_of(e->name);
        if (is_there(&r->was->files, e->name) || !str_ends(str_of(file), STR(".sql")) ||
            fs_kind(fs_join(a, dir, file)) != FS_FILE)
            continue;
        if (!fs_read(a, fs_join(a, dir, file), 0, &text, err))
            return false;
        r->name = str_dup(a, str_slice(name, 0, name.n - (is_folder ? 0 : 4)));
        r->history.layout = is_folder ? &history_drizzle_1 : &history_drizzle;
        *vec_add(a, &r->files) =
            (CreateFile){.path = file, .shown = fs_join(a, r->history.dir, file), .text = text};
    }
    return true;
}

static bool
look_at_folder(Arena *a, CreateResult *r, Err *err)
{
    CreateFolder *f = arena_new(a, CreateFolder);
    const char *dir = r->history.source, *meta = fs_join(a, dir, "meta");
    f->journal = fs_join(a, meta, "_journal.json");
    r->was = f;
    return (!fs_exists(dir) || fs_list(a, dir, &f->files, err)) &&
           (!fs_exists(meta) || fs_list(a, meta, &f->meta, err)) &&
           fs_read_if_there(a, f->journal, &f->has_journal, &f->text, err);
}

static bool
remove_new(Arena *a, const char *dir, const FsEntryVec *before, Err *err)
{
    FsEntryVec now;
    if (!fs_exists(dir))
        return true;
    if (!fs_list(a, dir, &now, err))
        return false;
    vec_each (const FsEntry, e, &now)
        if (!is_there(before, e->name) && !fs_remove(fs_join(a, dir, e->name), err))
            return false;
    return true;
}

bool
flow_create_take_back(Arena *a, const CreateResult *r, Err *err)
{
    const CreateFolder *f = r->was;
    const char *dir = r->history.source;
    return !f || (remove_new(a, dir, &f->files, err) &&
                  remove_new(a, fs_join(a, dir, "meta"), &f->meta, err) &&
                  (!f->has_journal || fs_replace(f->journal, f->text, err)));
}

static bool
refuse(const CreateInput *in, Err *err)
{
    const char *option = in->dry_run                ? "--dry-run"
                         : in->kind == CREATE_DRIFT ? "--from-drift"
                         : in->sql                  ? "--to-sql"
                         : in->rls                  ? "--rls"
                         : in->needs_down           ? "--down"
                         : in->nrenames             ? "--rename"
                                                    : NULL;
    if (!option)
        return true;
    err_set(err, ERR_USAGE, "%s is not for migrations that drizzle-kit writes", option);
    return err_hint(err, "leave it away, or use the tool itself: npx drizzle-kit generate");
}

/* Without a terminal it ends at its question: 0.x with status 0, 1.0 with 2. */
static bool
refuse_question(const CreateResult *r, Err *err)
{
    err_set(err, ERR_GENERATE, "drizzle-kit asks whether something was renamed or made anew");
    err_detail(err, "it can only be answered on a terminal, and has written nothing; what it said "
                    "stands above");
    return err_hint(err, "answer it: npx drizzle-kit generate%s%s", r->name ? " --name " : "",
                    r->name ? r->name : "");
}

/* 0.x also ends with status 0 where it cannot read the schema. */
static bool
refuse_nothing(const GenerateInput *g, const CreateResult *r, const char *config, Err *err)
{
    err_set(err, ERR_GENERATE, "drizzle-kit ended well and wrote nothing into %s", r->history.dir);
    if (config)
        err_detail(err, "it was run with %s; what it said stands above", config);
    else
        err_detail(err, "no drizzle.config from there upwards leads to this folder (\"out\"); what "
                        "it said stands above");
    return err_hint(err, "correct it and run: %s", g->again);
}

/* Its command, where its configuration lies. */
static GenerateInput
command(Arena *a, const CreateInput *in, const CreateResult *r, Heard *heard, const char **config)
{
    VEC(const char *) words = {0};
    ConfigDrizzle d;
    GenerateInput g = {.base = in->base,
                       .tool = GENERATE_DRIZZLE,
                       .again = in->name ? str_fmt(a, "%s %s", in->command, str_shell(a, in->name))
                                         : in->command,
                       .on_output = hear,
                       .arg = heard};
    if (config_drizzle_of(a, in->base.config->project_dir, r->history.source, &d)) {
        g.folder = d.folder;
        *config = fs_below(in->base.config->project_dir, d.path);
        if (!config_drizzle_is_default(&d)) {
            *vec_add(a, &words) = "--config";
            *vec_add(a, &words) = fs_below(d.folder, d.path);
        }
    }
    if (r->name) {
        *vec_add(a, &words) = "--name";
        *vec_add(a, &words) = r->name;
    }
    if (in->kind == CREATE_EMPTY || in->kind == CREATE_DATA)
        *vec_add(a, &words) = "--custom";
    g.arguments = words.v;
    g.argument_count = words.n;
    return g;
}

bool
create_by_drizzle(Arena *a, const CreateInput *in, CreateResult *r, Err *err)
{
    Heard heard = {.in = in};
    GenerateResult done;
    const char *config = NULL;
    const GenerateInput g = command(a, in, r, &heard, &config);
    if (!refuse(in, err) || !look_at_folder(a, r, err))
        return false;
    if (!flow_generate(a, &g, &done, err)) {
        return err->code == ERR_GENERATE && heard.asks ? refuse_question(r, err) : false;
    }
    if (!take_new(a, r, err))
        return false;
    r->by_tool = "drizzle-kit";
    r->is_same = !r->files.n && heard.nothing_new;
    r->from = "the project's drizzle schema";
    return r->files.n || r->is_same ||
           (heard.asks ? refuse_question(r, err) : refuse_nothing(&g, r, config, err));
}
