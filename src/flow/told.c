/* A run, looked at later. */
#include "flow/told.h"

#include "base/fs.h"
#include "flow/endpoint.h"

#include <sys/stat.h>

bool
flow_run_folder(Arena *a, const Config *c, const char *name, const char **ret, Err *err)
{
    const char *dir = fs_join(a, c->project_dir, ".aramid/runs"), *found = NULL;
    FsEntryVec names = {0};
    size_t n = 0;
    int64_t newest = 0; /* an id knows seconds only */
    if (name && strchr(name, '/')) {
        *ret = name;
        return fs_exists(fs_join(a, name, "events.jsonl")) ||
               err_set(err, ERR_USAGE, "%s is not the folder of a run: it has no events.jsonl",
                       str_printable(a, str_of(name), false));
    }
    if (fs_exists(dir) && !fs_list(a, dir, &names, err))
        return false;
    vec_each (const FsEntry, e, &names) { /* sorted: an id begins with its time */
        if (!fs_exists(fs_join(a, fs_join(a, dir, e->name), "events.jsonl")) ||
            (name && !str_starts(str_of(e->name), str_of(name))))
            continue;
        struct stat st;
        int64_t at = stat(fs_join(a, fs_join(a, dir, e->name), "log.txt"), &st)
                         ? 0
                         : st.st_mtim.tv_sec * INT64_C(1000000000) + st.st_mtim.tv_nsec;
        n++;
        if (!found || (name ? strcmp(e->name, name) == 0 : at >= newest)) {
            found = e->name;
            newest = at;
        }
    }
    if (!found) {
        err_set(err, ERR_USAGE, "there is no run%s%s in %s", name ? " " : "",
                name ? str_printable(a, str_of(name), false) : "", dir);
        return err_hint(err,
                        "runs are written down by aramid deploy; their folders can be named, too");
    }
    if (name && n > 1 && strcmp(found, name) != 0)
        return err_set(err, ERR_USAGE, "%zu runs begin with %s", n,
                       str_printable(a, str_of(name), false));
    *ret = fs_join(a, dir, found);
    return true;
}

const Diff *
flow_change(Arena *a, const Catalog *was, const Catalog *now)
{
    CatRules *rules = arena_new(a, CatRules); /* the diff keeps them */
    *rules = (CatRules){.ignore_owners = true,
                        .ignore_grants = true,
                        .ignore_versions = true,
                        .ignore_column_order = true};
    const DiffOptions options = {.rules = rules};
    const DiffSide from = {.catalog = was}, to = {.catalog = now};
    return diff_catalogs(a, &from, &to, &options);
}

const Catalog *
flow_nothing(Arena *a, const Catalog *beside)
{
    const CatRef public = {.kind = CAT_SCHEMA, .name = "public"};
    const CatSchema *there = catalog_find(beside, public);
    Catalog *c = catalog_new(a);
    if (there)
        ((CatSchema *)catalog_add(c, CAT_SCHEMA, NULL, "public"))->comment = there->comment;
    catalog_finish(c);
    return c;
}

static bool
replay(Arena *a, const FlowInput *in, const History *h, Catalog **ret, Err *err)
{
    ReplayOptions o;
    Replay r;
    if (!flow_replay_options(a, in, NULL, &o, err) ||
        !flow_replay_history(a, h, HISTORY_ALL, &o, &r, err))
        return false;
    *ret = r.catalog;
    history_leave_out(r.catalog, NULL, NULL);
    return true;
}

bool
flow_change_of(Arena *a, const FlowInput *in, const History *h, const CatTexts *names,
               const Diff **ret, Err *err)
{
    History before = *h, after = *h;
    size_t last = h->files.n;
    Catalog *was, *now;
    *ret = NULL;
    before.files = after.files = (MigrationVec){0};
    for (size_t i = 0; i < h->files.n; i++)
        if (cat_has_text(names, h->files.v[i].name))
            last = i;
    if (last == h->files.n)
        return true;
    for (size_t i = 0; i <= last; i++) {
        *vec_add(a, &after.files) = h->files.v[i];
        if (!cat_has_text(names, h->files.v[i].name))
            *vec_add(a, &before.files) = h->files.v[i];
    }
    if (!replay(a, in, &after, &now, err) || !replay(a, in, &before, &was, err))
        return false;
    *ret = flow_change(a, was, now);
    return true;
}
