/* The histories of a project: which folders, whose they are, and where their ledgers lie. */
#include "base/fs.h"
#include "base/hash.h"
#include "config/drizzle.h"
#include "flow/repeatable.h"

/* Where the project's tool was told to keep its history. */
static bool
use_table(Arena *a, Str text, const char *origin, History *h, Err *err)
{
    Str rest = text, first = str_cut(&rest, '.');
    if (!h->layout->ledger.may_move || !first.n || (rest.p && !rest.n)) {
        err_set(err, ERR_CONFIG, "\"%s\" cannot be the history table of %s",
                str_printable(a, text, false), h->layout->ledger.tool);
        err_detail(err, "it is set by %s", origin);
        return err_hint(err, h->layout->ledger.may_move
                                 ? "name a table, or schema.table"
                                 : "take the setting away: its tool has one place for it");
    }
    if (rest.p)
        h->ledger.schema = str_dup(a, first);
    h->ledger.table = str_dup(a, rest.p ? rest : first);
    return true;
}

/* The same of Drizzle, whose own configuration says it where the settings do not. */
static bool
use_drizzles_table(Arena *a, const Config *c, History *h, Err *err)
{
    ConfigDrizzle d;
    if (!config_drizzle_of(a, c->project_dir, h->source, &d))
        return true;
    const char *table = config_drizzle_table(a, &d), *shown = fs_below(c->project_dir, d.path);
    if (d.is_table_computed) {
        err_set(err, ERR_CONFIG, "which table keeps the history cannot be read from %s", shown);
        err_detail(err, "\"%s\" is no literal there, and nothing is run to find out", d.computed);
        return err_hint(err, "say it in aramid.yaml: history_table: schema.table");
    }
    return !table || use_table(a, str_of(table), shown, h, err);
}

/* The item of a list that goes with folder `i` of the settings; NULL: there is no list.
 * errors: ERR_CONFIG where the list does not have one for each */
static bool
item_for(Arena *a, const Config *c, ConfigKey key, size_t i, const char **ret, Err *err)
{
    ConfigList list = config_list(a, c, key);
    *ret = list.n ? list.v[i < list.n ? i : 0] : NULL;
    if (!list.n || list.n == c->migrations_dirs.n)
        return true;
    err_set(err, ERR_CONFIG, "\"%s\" has %zu item%s for %zu folder%s of migrations",
            config_info(key)->key, list.n, str_plural((int64_t)list.n), c->migrations_dirs.n,
            str_plural((int64_t)c->migrations_dirs.n));
    err_detail(err, "set by %s; the folders by %s", c->values[key].origin,
               c->values[CFG_MIGRATIONS].origin);
    return err_hint(err, "one for each, in the order of \"migrations\"");
}

HistoryOptions
flow_history_options(Arena *a, const Config *c, const char *dir)
{
    bool is_dbmates = c->migrations_are_dbmates && strcmp(dir, c->migrations_dir) == 0;
    HistoryOptions o = {.takes_scripts = flow_takes_scripts(a, c, dir),
                        .tool = is_dbmates ? "dbmate" : NULL,
                        .dbmate_table = c->dbmate.table,
                        .is_prismas = c->schema_path != NULL,
                        .subfolders = c->values[CFG_SUBFOLDERS].number};
    for (size_t i = 1; i < c->dbmate.dirs.n && is_dbmates; i++)
        *vec_add(a, &o.more) =
            (HistoryFolder){c->dbmate.dirs.v[i], fs_below(c->project_dir, c->dbmate.dirs.v[i])};
    return o;
}

/* dir: the real path; one of the settings is read as these say. begins: it may be missing */
static bool
open_one(Arena *a, const Config *c, HistoryFolder at, bool begins, FileStates *states, History *ret,
         Err *err)
{
    const char *dir = at.dir, *shown = at.shown;
    const char *tool = NULL, *table = NULL;
    for (size_t i = 0; i < c->migrations_dirs.n; i++)
        if (strcmp(c->migrations_dirs.v[i], dir) == 0 &&
            (!item_for(a, c, CFG_HISTORY, i, &tool, err) ||
             !item_for(a, c, CFG_HISTORY_TABLE, i, &table, err)))
            return false;
    HistoryOptions o = flow_history_options(a, c, dir);
    o.tool = tool ? tool : o.tool;
    o.states = states;
    bool is_new = begins && fs_kind(dir) == FS_MISSING;
    ConfigDrizzle d;
    if (is_new && !o.tool && config_drizzle_of(a, c->project_dir, dir, &d))
        o.tool = history_drizzle.name;
    if (is_new ? !history_begin(a, dir, shown, o.tool, c->schema_path, ret, err)
               : !history_open(a, dir, shown, &o, ret, err))
        return false;
    if (table && strcmp(table, "-") != 0)
        return use_table(a, str_of(table), c->values[CFG_HISTORY_TABLE].origin, ret, err);
    return table || !history_is_drizzle(ret->layout) || use_drizzles_table(a, c, ret, err);
}

/* What is wanted of the folders. */
typedef enum Wanted {
    WANTED_ALL,      /* scripts, too */
    WANTED_VERSIONS, /* migrations only */
    WANTED_BEGUN,    /* the same, and a folder may not be there yet */
} Wanted;

/* A file beside Prisma's folders may be meant to run whenever it changes; said with what to type. */
static void
offer_scripts(Arena *a, History *h)
{
    vec_each (Finding, f, &h->findings.items)
        if (f->id == FINDING_HISTORY_STRAY_SQL && h->layout == &history_prisma &&
            !h->options.takes_scripts && f->object && !strchr(f->object, '/'))
            f->fix = str_fmt(a,
                             "a migration: a folder of its own; views, functions and policies that "
                             "run whenever they change: \"repeatable: [%s]\" in aramid.yaml",
                             h->dir);
}

/* Several as one. */
static bool
open_all(Arena *a, const Config *c, const HistoryFolderVec *at, Wanted wanted, FileStates *states,
         History *ret, Err *err)
{
    VEC(History *) parts = {0};
    if (at->n > HISTORY_PARTS_MAX)
        return err_set(err, ERR_CONFIG, "%zu folders of migrations are more than the %d of one run",
                       at->n, HISTORY_PARTS_MAX);
    vec_each (const HistoryFolder, f, at) {
        History *h = *vec_add(a, &parts) = arena_new(a, History);
        if (!open_one(a, c, *f, wanted == WANTED_BEGUN, states, h, err))
            return false;
        offer_scripts(a, h);
    }
    History *scripts = NULL;
    if (wanted == WANTED_ALL && !flow_repeatables(a, c, parts.v, parts.n, &scripts, err))
        return false;
    if (scripts)
        *vec_add(a, &parts) = scripts;
    if (!history_join(a, parts.v, parts.n, ret, err))
        return false;
    findings_apply(&ret->findings, &c->finding_rules);
    return true;
}

bool
flow_histories_named(Arena *a, const Config *c, const char *path, History *ret, Err *err)
{
    HistoryFolderVec at = {0};
    bool is_one = fs_kind(path) == FS_DIR;
    for (Str rest = str_of(path); rest.p;) {
        Str item = is_one ? rest : str_trim(str_cut(&rest, ','));
        rest = is_one ? (Str){0} : rest;
        const char *shown = str_dup(a, item);
        *vec_add(a, &at) = (HistoryFolder){fs_absolute(a, shown), shown};
    }
    return open_all(a, c, &at, WANTED_ALL, NULL, ret, err);
}

/* Folders whose migrations nobody has named: each read, or with why it cannot be. */
typedef struct OtherFolder {
    const char *shown;
    History history;
    const Err *unread;
} OtherFolder;
typedef VEC(OtherFolder) OtherFolders;

static bool
is_named(const Config *c, const char *dir)
{
    vec_each (const char *, known, &c->migrations_dirs)
        if (fs_same(dir, *known))
            return true;
    vec_each (const char *, known, &c->dbmate.dirs)
        if (c->migrations_are_dbmates && fs_same(dir, *known))
            return true;
    return false;
}

static bool
has_migration(const History *h)
{
    vec_each (const Migration, m, &h->files)
        if (m->has_file) /* any folder of folders looks like Prisma's */
            return true;
    return false;
}

static OtherFolders
other_folders(Arena *a, const Config *c)
{
    static const char *const places[] = {"prisma/migrations", "db/migrations",
                                         "supabase/migrations", "drizzle", "migrations"};
    const HistoryOptions o = {.is_prismas = c->schema_path != NULL};
    OtherFolders ret = {0};
    for (size_t i = 0; i < COUNT(places); i++) {
        const char *dir = fs_join(a, c->project_dir, places[i]);
        OtherFolder f = {.shown = places[i]};
        Err *why = arena_new(a, Err);
        if (fs_kind(dir) != FS_DIR || is_named(c, dir))
            continue;
        if (!history_open(a, dir, places[i], &o, &f.history, why))
            f.unread = why;
        if (f.unread || has_migration(&f.history))
            *vec_add(a, &ret) = f;
    }
    return ret;
}

HistoryFolderVec
flow_history_others(Arena *a, const Config *c)
{
    OtherFolders all = other_folders(a, c);
    HistoryFolderVec ret = {0};
    vec_each (const OtherFolder, f, &all)
        if (!f->unread && !f->history.layout->is_whole)
            *vec_add(a, &ret) = (HistoryFolder){f->history.source, f->shown};
    return ret;
}

/* A second folder that holds a tool's migrations is nothing to be silent about, and nothing to deploy
 * unasked. */
static void
find_other_folders(Arena *a, const Config *c, History *h)
{
    OtherFolders all = other_folders(a, c);
    bool is_whole = false;
    for (size_t i = 0; i < history_parts(h); i++)
        is_whole = is_whole || history_part(h, i)->layout->is_whole;
    vec_each (const OtherFolder, o, &all) {
        Finding *f;
        size_t n = 0;
        vec_each (const Migration, m, &o->history.files)
            n += m->has_file;
        if (o->unread)
            f = finding_add(&h->findings, FINDING_HISTORY_OTHER_FOLDER,
                            "nothing here applies what it holds: %s", o->unread->primary);
        else
            f = finding_add(&h->findings, FINDING_HISTORY_OTHER_FOLDER,
                            "it holds %zu migration%s of %s, which nothing here applies", n,
                            str_plural((int64_t)n), o->history.layout->ledger.tool);
        f->path = o->shown;
        if (!o->unread && o->history.layout->is_whole)
            h->beside = o->history.layout->ledger.tool;
        if (is_whole || (!o->unread && o->history.layout->is_whole))
            f->fix = str_fmt(a,
                             "Prisma 8 goes with no other history in one run; deploy it by one of "
                             "its own: aramid deploy --migrations %s",
                             str_shell(a, o->shown));
        else
            f->fix = str_fmt(a, "to deploy both in one order, in aramid.yaml: migrations: [%s, %s]",
                             h->dir, o->shown);
    }
}

static bool
open_project(Arena *a, const Config *c, Wanted wanted, FileStates *states, History *ret, Err *err)
{
    HistoryFolderVec at = {0};
    for (size_t i = 0; i < c->migrations_dirs.n; i++)
        *vec_add(a, &at) = (HistoryFolder){c->migrations_dirs.v[i],
                                           fs_below(c->project_dir, c->migrations_dirs.v[i])};
    if (!open_all(a, c, &at, wanted, states, ret, err))
        return false;
    find_other_folders(a, c, ret);
    findings_apply(&ret->findings, &c->finding_rules);
    return true;
}

bool
flow_history(Arena *a, const Config *c, History *ret, Err *err)
{
    return open_project(a, c, WANTED_ALL, NULL, ret, err);
}

/* The folder of a person's caches, by the project's. */
static const char *
states_path(Arena *a, const Config *c)
{
    const char *cache = cluster_cache_folder(a);
    const char *hash = hash_sha256_hex(a, str_of(c->project_dir));
    return cache ? str_fmt(a, "%s/files/%.16s", cache, hash) : NULL;
}

bool
flow_history_remembered(Arena *a, const Config *c, History *ret, Err *err)
{
    FileStates *states = arena_new(a, FileStates);
    filestates_open(a, states_path(a, c), states);
    if (!open_project(a, c, WANTED_ALL, states, ret, err))
        return false;
    filestates_save(states);
    return true;
}

bool
flow_history_begun(Arena *a, const Config *c, History *ret, Err *err)
{
    return open_project(a, c, WANTED_BEGUN, NULL, ret, err);
}

bool
flow_versions(Arena *a, const Config *c, History *ret, Err *err)
{
    return open_project(a, c, WANTED_VERSIONS, NULL, ret, err);
}

void
flow_history_look(Arena *a, const Config *c, History *h)
{
    for (size_t i = 0; i < history_parts(h); i++) {
        History *p = history_part(h, i);
        size_t before = p->findings.items.n;
        if (p->layout->look)
            p->layout->look(a, p->source, p);
        for (size_t k = before; p != h && k < p->findings.items.n; k++)
            finding_keep(&h->findings, &p->findings.items.v[k]);
    }
    findings_apply(&h->findings, &c->finding_rules);
}

bool
flow_history_is_one(const History *h, Err *err)
{
    if (history_versioned(h) == 1)
        return true;
    err_set(err, ERR_USAGE, "this project has %zu histories, and a way back is that of one",
            history_versioned(h));
    return err_hint(err, "name its folder: --migrations %s", h->parts.v[0]->dir);
}
