/* Two branches' migrations, replayed in both orders. */
#include "flow/branches.h"

#include "base/fs.h"
#include "flow/endpoint.h"
#include "flow/git.h"
#include "plan/plan.h"

#include <errno.h>
#include <sys/stat.h>

typedef struct Merging {
    Arena *a;
    const FlowInput *in;
    const char *against;
    const char *scratch; /* folder to be removed, or NULL */
    Branches *ret;
    History mine, theirs;
    MigrationRefs common;
} Merging;

/* ---- the other side ------------------------------------------------------------------------ */

/* A folder as it is there, in a folder of our own. One of several may have come here only: it is empty
 * there. */
static bool
check_out(Merging *m, const History *h, size_t part, const char **ret, Err *err)
{
    const char *said, *to = str_fmt(m->a, "%s/%zu", m->scratch, part);
    const GitFiles files = {.dir = h->source,
                            .ref = m->against,
                            .name = ".",
                            .may_be_missing = m->mine.parts.n > 0,
                            .to = to};
    *ret = to;
    if (mkdir(to, 0700) != 0)
        return err_set(err, ERR_IO, "cannot make a folder \"%s\": %s", to, strerror(errno));
    if (!git_export(m->a, &files, &said, err))
        return err_hint(err, "install git, or name a folder: aramid check --against DIR");
    if (!said)
        return true;
    err_set(err, ERR_USAGE, "git has nothing of the migrations at \"%s\"",
            str_printable(m->a, str_of(m->against), false));
    err_detail(err, "%s",
               *said ? str_printable(m->a, str_of(said), true) : "no such branch, tag or commit");
    return err_hint(err,
                    "name a branch, tag or commit of this repository, as origin/main (git fetch "
                    "brings it), or a folder of migrations");
}

/* Of a folder for each history, with commas: the one of the history `part`. */
static const char *
folder_of(Merging *m, size_t part)
{
    Str rest = str_of(m->against), item = rest;
    if (!m->mine.parts.n)
        return fs_absolute(m->a, m->against);
    for (size_t i = 0; i <= part && rest.p; i++)
        item = str_trim(str_cut(&rest, ','));
    return fs_absolute(m->a, str_dup(m->a, item));
}

/* Whether the other side is folders, and not what git knows. */
static bool
is_folders(Merging *m)
{
    size_t n = 1;
    for (const char *p = m->against; *p; p++)
        n += *p == ',';
    for (size_t i = 0; i < history_parts(&m->mine); i++)
        if (fs_kind(folder_of(m, i)) != FS_DIR)
            return false;
    return !m->mine.parts.n || n == m->mine.parts.n;
}

static bool
read_part(Merging *m, size_t i, bool in_folders, History *ret, Err *err)
{
    const Config *c = m->in->config;
    const History *h = history_part(&m->mine, i);
    HistoryOptions o = {.tool = h->layout->name,
                        .is_prismas = c->schema_path != NULL,
                        .subfolders = c->values[CFG_SUBFOLDERS].number};
    const char *dir, *shown = str_fmt(m->a, "%s:%s", m->against, h->dir);
    if (in_folders) {
        dir = folder_of(m, i);
        shown = m->mine.parts.n ? fs_below(fs_absolute(m->a, "."), dir) : m->against;
    } else if (!check_out(m, h, i, &dir, err)) {
        return false;
    }
    if (!history_open(m->a, dir, shown, &o, ret, err))
        return false;
    ret->ledger = h->ledger;
    return true;
}

static bool
read_theirs(Merging *m, Err *err)
{
    VEC(History *) parts = {0};
    bool in_folders = is_folders(m);
    if (!in_folders && m->mine.parts.n && fs_kind(fs_absolute(m->a, m->against)) == FS_DIR) {
        err_set(err, ERR_USAGE, "this project has %zu histories, and \"%s\" is one folder",
                m->mine.parts.n, m->against);
        return err_hint(err, "name one for each, with commas, in the order of \"migrations\"; or a "
                             "branch of git, which has them all");
    }
    if (!in_folders && !git_scratch(m->a, "branch", &m->scratch, err))
        return false;
    for (size_t i = 0; i < history_parts(&m->mine); i++)
        if (!read_part(m, i, in_folders, *vec_add(m->a, &parts) = arena_new(m->a, History), err))
            return false;
    m->ret->shown = parts.n == 1 ? parts.v[0]->dir : m->against;
    return history_join(m->a, parts.v, parts.n, &m->theirs, err);
}

/* ---- what only one has --------------------------------------------------------------------- */

static const Migration *
find(const History *h, const char *name)
{
    vec_each (const Migration, m, &h->files)
        if (strcmp(m->name, name) == 0)
            return m;
    return NULL;
}

static Finding *
conflict(Merging *m, const char *object, const char *path, const char *text)
{
    Finding *f = finding_add(&m->ret->conflicts, FINDING_BRANCH_CONFLICT, "%s", text);
    f->object = object;
    f->path = path;
    return f;
}

static void
sort_sides(Merging *m)
{
    vec_each (const Migration, x, &m->mine.files) {
        const Migration *y = find(&m->theirs, x->name);
        *vec_add(m->a, y ? &m->common : &m->ret->mine) = x;
        if (y && strcmp(x->sha256, y->sha256) != 0)
            conflict(m, x->name, x->path,
                     str_fmt(m->a, "both branches have it, with different texts (%s)", y->path))
                ->fix =
                "keep the one that was applied anywhere, and put the change into a new migration";
    }
    vec_each (const Migration, y, &m->theirs.files)
        if (!find(&m->mine, y->name))
            *vec_add(m->a, &m->ret->theirs) = y;
    m->ret->common = m->common.n;
    vec_each (const Migration *, x, &m->ret->mine)
        vec_each (const Migration *, y, &m->ret->theirs)
            if ((*x)->part == (*y)->part && (*x)->key && (*y)->key &&
                strcmp((*x)->key, (*y)->key) == 0)
                conflict(m, (*x)->name, (*x)->path,
                         str_fmt(m->a, "\"%s\" of the other branch has the same version (%s)",
                                 (*y)->name, (*x)->key))
                    ->fix = "give the one that was applied nowhere another version";
}

/* ---- orders -------------------------------------------------------------------------------- */

static bool
add_scripts(Merging *m, const MigrationRefs *list, ReplayScript *scripts, size_t *n, Err *err)
{
    vec_each (const Migration *, at, list) {
        Str text;
        if (!(*at)->has_file)
            return migration_gone(*at, err);
        const HistoryLayout *l = history_part(&m->mine, (*at)->part)->layout;
        if (!migration_sent_text(m->a, l, *at, &text, err))
            return false;
        scripts[(*n)++] = (ReplayScript){(*at)->name, (*at)->path, text};
    }
    return true;
}

static bool
replay(Merging *m, const MigrationRefs *first, const MigrationRefs *second, Replay *ret, Err *err)
{
    ReplayOptions o;
    size_t n = 0;
    ReplayScript *scripts = arena_array(m->a, ReplayScript, m->common.n + first->n + second->n + 1);
    return flow_replay_options(m->a, m->in, NULL, &o, err) &&
           add_scripts(m, &m->common, scripts, &n, err) &&
           add_scripts(m, first, scripts, &n, err) && add_scripts(m, second, scripts, &n, err) &&
           replay_scripts(m->a, scripts, n, &o, ret, err);
}

/* Of both in one folder, by name. */
static History *
merged_part(Merging *m, size_t part)
{
    History *h = arena_new(m->a, History);
    *h = *history_part(&m->mine, part);
    h->files = (MigrationVec){0};
    const MigrationRefs *x = &m->ret->mine, *y = &m->ret->theirs;
    for (size_t i = 0, k = 0; i < x->n || k < y->n;) {
        bool takes_mine =
            k == y->n || (i < x->n && history_name_cmp(x->v[i]->name, y->v[k]->name) < 0);
        const Migration *next = takes_mine ? x->v[i++] : y->v[k++];
        if (next->part == part)
            *vec_add(m->a, &h->files) = *next;
    }
    return h;
}

/* The order in which a new database gets them: that of a deploy. */
static bool
merged(Merging *m, MigrationRefs *ret, Err *err)
{
    VEC(History *) parts = {0};
    History *all = arena_new(m->a, History);
    for (size_t i = 0; i < history_parts(&m->mine); i++)
        *vec_add(m->a, &parts) = merged_part(m, i);
    if (!history_join(m->a, parts.v, parts.n, all, err))
        return false;
    vec_each (const Migration, x, &all->files)
        *vec_add(m->a, ret) = x;
    return true;
}

/* Whether a file names an object, or its table. */
static bool
names_it(Arena *a, const Migration *m, const CatRef *ref)
{
    MigrationPlan mp;
    SqlScript script;
    Err ignored;
    if (!plan_migration(a, m, &(PlanHints){0}, &mp, &ignored) ||
        !plan_script(a, &mp, false, &script, &ignored))
        return false;
    vec_each (const SqlStmt, s, &script.forms) {
        vec_each (const SqlObject, o, &s->objects)
            if (strcmp(o->name.name, ref->name) == 0 || strcmp(o->sub, ref->name) == 0)
                return true;
        vec_each (const SqlLock, l, &s->locks)
            if (strcmp(l->rel.name, ref->name) == 0)
                return true;
    }
    return false;
}

static const char *
files_of(Merging *m, const MigrationRefs *list, const CatRef *ref)
{
    Buf b;
    buf_init(&b, m->a);
    vec_each (const Migration *, at, list)
        if (names_it(m->a, *at, ref))
            buf_fmt(&b, "%s%s", b.n ? ", " : "", (*at)->path);
    return b.n ? b.p : NULL;
}

/* The orders make different catalogs. */
static void
find_differences(Merging *m, const Catalog *x, const Catalog *y, const char *orders)
{
    const CatRules rules = {.ignore_column_order = true, .ignore_versions = true};
    const DiffOptions options = {.rules = &rules};
    const DiffSide from = {.catalog = x}, to = {.catalog = y};
    Diff *d = diff_catalogs(m->a, &from, &to, &options);
    vec_each (Change *, at, &d->changes) {
        const CatRef *ref = &((*at)->from ? (*at)->from : (*at)->to)->id;
        if ((*at)->is_aside && !diff_is_detach(*at))
            continue;
        const char *mine = files_of(m, &m->ret->mine, ref),
                   *theirs = files_of(m, &m->ret->theirs, ref);
        conflict(m, cat_ref_text(m->a, ref), mine ? mine : theirs,
                 str_fmt(m->a, "it depends on the order: %s%s%s", orders,
                         theirs ? "; the other branch changes it in " : "", theirs ? theirs : ""))
            ->fix = "rebase, and write the later migration anew on what the other one makes";
    }
}

/* One of them does not run behind the other's. */
static bool
find_failure(Merging *m, const char *order, const Err *why)
{
    if (why->code != ERR_REPLAY)
        return false;
    const char *place = why->at.line ? str_fmt(m->a, "%s:%d", why->at.path, why->at.line)
                                     : str_dupz(m->a, why->at.path);
    conflict(m, NULL, place, str_fmt(m->a, "%s: %s", order, why->primary))->fix =
        "rebase, and write the later migration anew on what the other one makes";
    return true;
}

/* Each side must run by itself: else it is no matter of the other. */
static bool
compare_orders(Merging *m, Err *err)
{
    const MigrationRefs *mine = &m->ret->mine, *theirs = &m->ret->theirs, none = {0};
    Replay r, orders[3];
    MigrationRefs named = {0};
    Err why;
    if (!merged(m, &named, err) || !replay(m, mine, &none, &r, err) ||
        !replay(m, theirs, &none, &r, err))
        return false;
    bool first = replay(m, mine, theirs, &orders[0], &why);
    if (!first && !find_failure(m, "theirs do not run behind these", &why))
        return *err = why, false;
    bool second = replay(m, theirs, mine, &orders[1], &why);
    if (!second && !find_failure(m, "these do not run behind theirs", &why))
        return *err = why, false;
    if (first && second)
        find_differences(m, orders[0].catalog, orders[1].catalog, "these first, or theirs");
    if (m->ret->conflicts.items.n)
        return true;
    if (!replay(m, &named, &none, &orders[2], &why))
        return find_failure(m, "in the order of a deploy they do not run", &why) ||
               (*err = why, false);
    find_differences(m, orders[0].catalog, orders[2].catalog,
                     "one after the other, or in the order of a deploy, as in a new database");
    return true;
}

static void
remove_scratch(Merging *m)
{
    Err ignored; /* the system's temporary files */
    if (m->scratch && !fs_remove(m->scratch, &ignored))
        return;
}

bool
flow_branches(Arena *a, const FlowInput *in, const char *against, Branches *ret, Err *err)
{
    Merging m __attribute__((cleanup(remove_scratch))) = {
        .a = a, .in = in, .against = against, .ret = ret};
    *ret = (Branches){.shown = against};
    findings_init(&ret->conflicts, a, &in->config->finding_rules);
    if (!flow_versions(a, in->config, &m.mine, err) || !read_theirs(&m, err))
        return false;
    sort_sides(&m);
    return !ret->mine.n || !ret->theirs.n || ret->conflicts.items.n || compare_orders(&m, err);
}
