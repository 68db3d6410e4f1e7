/* Which of several histories a new migration belongs to. */
#include "flow/create_int.h"

#include "base/fs.h"

/* The only one for which `fits` says yes; NULL: none, or several. */
static History *
only_one(History *all, bool (*fits)(const HistoryLayout *l))
{
    History *found = NULL;
    for (size_t i = 0; i < history_parts(all); i++) {
        History *h = history_part(all, i);
        if (!fits(h->layout))
            continue;
        if (found)
            return NULL;
        found = h;
    }
    return found;
}

static bool
is_prismas(const HistoryLayout *l)
{
    return l == &history_prisma;
}

static bool
takes_sql(const HistoryLayout *l)
{
    return !is_prismas(l) && l->new_one;
}

/* A schema is the one of its tool. */
static History *
by_schema(const CreateInput *in, History *all)
{
    const Config *c = in->base.config;
    if (in->any_name) /* Prisma's own command */
        return only_one(all, is_prismas);
    if (in->kind != CREATE_CHANGES)
        return NULL;
    if (!in->sql && c->schema_path)
        return only_one(all, is_prismas);
    if (in->sql || c->values[CFG_SCHEMA_SQL].text)
        return only_one(all, takes_sql);
    return only_one(all, history_is_drizzle);
}

static History *
by_folder(Arena *a, const char *folder, History *all)
{
    const char *dir = fs_absolute(a, folder);
    for (size_t i = 0; i < history_parts(all); i++) {
        History *h = history_part(all, i);
        if (strcmp(h->source, dir) == 0 || fs_same(h->source, dir))
            return h;
    }
    return NULL;
}

bool
create_history(Arena *a, const CreateInput *in, CreateResult *ret, Err *err)
{
    History *all = &ret->all;
    History *h = in->folder                ? by_folder(a, in->folder, all)
                 : history_parts(all) == 1 ? history_part(all, 0)
                                           : by_schema(in, all);
    if (h) {
        ret->history = *h;
        return true;
    }
    const char *name = in->name ? str_shell(a, in->name) : "NAME";
    if (in->folder)
        err_set(err, ERR_USAGE, "\"%s\" is no folder of this project's migrations",
                str_printable(a, str_of(in->folder), false));
    else
        err_set(err, ERR_USAGE, "this project has %zu histories: which is the new migration for?",
                history_parts(all));
    for (size_t i = 0; i < history_parts(all); i++) {
        const History *p = history_part(all, i);
        const char *dir = fs_below(fs_absolute(a, "."), p->source);
        err_hint(err, "%s: aramid create %s --to %s", p->layout->ledger.tool, name,
                 str_shell(a, dir));
    }
    return false;
}
