/* The folder of the tool that a project moves to. */
#include "base/fs.h"
#include "flow/adopt.h"

static bool
is_named(const HistoryLayout *l, const char *tool)
{
    return strcmp(l->name, tool) == 0 || str_ieq(str_of(l->ledger.tool), str_of(tool));
}

/* The layout of that name that a folder is of; of several layouts of one tool (Drizzle's) the one that
 * recognises it. NULL: none. */
static const HistoryLayout *
layout_of(Arena *a, const char *dir, const char *tool)
{
    for (const HistoryLayout *const *l = history_layouts; *l; l++)
        if (is_named(*l, tool) && (*l)->recognise(a, dir))
            return *l;
    return NULL;
}

static bool
refuse_tool(Arena *a, const char *tool, Err *err)
{
    Buf names;
    buf_init(&names, a);
    for (const HistoryLayout *const *l = history_layouts; *l; l++)
        buf_fmt(&names, "%s%s", names.n ? ", " : "", (*l)->name);
    err_set(err, ERR_USAGE, "\"%s\" is no tool whose history Aramid writes", tool);
    return err_hint(err, "one of %s", names.p);
}

static void
add_new(Arena *a, ConfigList *list, const char *dir)
{
    vec_each (const char *, d, list)
        if (strcmp(*d, dir) == 0)
            return;
    *vec_add(a, list) = dir;
}

bool
flow_adopted(Arena *a, const Config *c, const char *tool, History *ret, Err *err)
{
    static const char *const places[] = {"prisma/migrations",   "db/migrations",
                                         "supabase/migrations", "drizzle",
                                         "migrations",          "sql/migrations"};
    bool is_known = false, is_told = str_starts(str_of(c->migrations_origin), STR("flag "));
    for (const HistoryLayout *const *l = history_layouts; *l; l++)
        is_known = is_known || is_named(*l, tool);
    if (!is_known)
        return refuse_tool(a, tool, err);
    ConfigList dirs = {0};
    vec_each (const char *, dir, &c->migrations_dirs)
        add_new(a, &dirs, *dir);
    for (size_t i = 0; i < COUNT(places) && !is_told; i++)
        add_new(a, &dirs, fs_join(a, c->project_dir, places[i]));
    Buf looked;
    buf_init(&looked, a);
    vec_each (const char *, dir, &dirs) {
        const char *shown = fs_below(c->project_dir, *dir);
        const HistoryLayout *l = fs_kind(*dir) == FS_DIR ? layout_of(a, *dir, tool) : NULL;
        HistoryOptions o = flow_history_options(a, c, *dir);
        o.is_prismas = false; /* it was said whose it is */
        o.tool = l ? l->name : NULL;
        if (l)
            return history_open(a, *dir, shown, &o, ret, err);
        buf_fmt(&looked, "%s%s", looked.n ? ", " : "", shown);
    }
    err_set(err, ERR_NO_MIGRATIONS, "no folder holds migrations of %s", tool);
    err_detail(err, "looked in %s", looked.p);
    err_hint(err,
             "make them first: one migration that makes the database as it is (a baseline), or "
             "the old files in the new form");
    return err_hint(err, "lie they elsewhere: --migrations DIR");
}
