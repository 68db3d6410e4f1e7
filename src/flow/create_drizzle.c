/* A new migration of a Drizzle project: by its own drizzle-kit, which alone reads a schema in TypeScript. */
#include "flow/create_int.h"

#include "base/fs.h"
#include "flow/generate.h"

typedef struct Heard {
    const CreateInput *in;
    bool nothing_new; /* it said so */
} Heard;

static void
hear(void *arg, Str line)
{
    Heard *h = arg;
    h->nothing_new = h->nothing_new || str_icontains(line, STR("No schema changes"));
    if (h->in->on_output)
        h->in->on_output(h->in->on_output_arg, line);
}

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
take_new(Arena *a, CreateResult *r, const FsEntryVec *before, Err *err)
{
    FsEntryVec after;
    const char *dir = r->history.source;
    if (!fs_list(a, dir, &after, err))
        return false;
    vec_each (const FsEntry, e, &after) {
        bool is_folder = e->kind == FS_DIR;
        const char *file = is_folder ? fs_join(a, e->name, "migration.sql") : e->name;
        Str text, name = str_of(e->name);
        if (is_there(before, e->name) || !str_ends(str_of(file), STR(".sql")) ||
            fs_kind(fs_join(a, dir, file)) != FS_FILE)
            continue;
        if (!fs_read(a, fs_join(a, dir, file), 0, &text, err))
            return false;
        r->name = str_dup(a, str_slice(name, 0, name.n - (is_folder ? 0 : 4)));
        *vec_add(a, &r->files) =
            (CreateFile){.path = file, .shown = fs_join(a, r->history.dir, file), .text = text};
    }
    return true;
}

static bool
refuse(const CreateInput *in, Err *err)
{
    const char *option = in->dry_run                ? "--dry-run"
                         : in->kind == CREATE_DRIFT ? "--from-drift"
                         : in->sql                  ? "--to-sql"
                         : in->rls                  ? "--rls"
                         : in->down                 ? "--down"
                         : in->nrenames             ? "--rename"
                                                    : NULL;
    if (!option)
        return true;
    err_set(err, ERR_USAGE, "%s is not for migrations that drizzle-kit writes", option);
    return err_hint(err, "leave it away, or use the tool itself: npx drizzle-kit generate");
}

bool
create_by_drizzle(Arena *a, const CreateInput *in, CreateResult *r, Err *err)
{
    FsEntryVec before = {0};
    Heard heard = {.in = in};
    GenerateResult done;
    const char *const words[] = {"--name", r->name, "--custom"};
    bool to_fill = in->kind == CREATE_EMPTY || in->kind == CREATE_DATA;
    GenerateInput g = {.base = in->base,
                       .tool = GENERATE_DRIZZLE,
                       .arguments = words,
                       .argument_count = to_fill ? 3 : 2,
                       .on_output = hear,
                       .arg = &heard};
    if (!refuse(in, err) ||
        (fs_exists(r->history.source) && !fs_list(a, r->history.source, &before, err)) ||
        !flow_generate(a, &g, &done, err) || !take_new(a, r, &before, err))
        return false;
    r->by_tool = "drizzle-kit";
    r->is_same = !r->files.n && heard.nothing_new;
    r->from = "the project's drizzle schema";
    if (r->files.n || r->is_same)
        return true;
    err_set(err, ERR_GENERATE, "drizzle-kit ended well and wrote nothing");
    err_detail(err, "it asks whether something was renamed or made anew, and without a terminal it "
                    "ends there, with status 0; what it said stands above");
    return err_hint(err, "answer it on a terminal: npx drizzle-kit generate --name %s", r->name);
}
