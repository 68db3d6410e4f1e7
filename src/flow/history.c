/* The histories of a project: which folders, whose they are, and where their ledgers lie. */
#include "base/fs.h"
#include "flow/flow.h"

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
    HistoryOptions o = {.tool = is_dbmates ? "dbmate" : NULL,
                        .dbmate_table = c->dbmate.table,
                        .is_prismas = c->schema_path != NULL,
                        .subfolders = c->values[CFG_SUBFOLDERS].number};
    for (size_t i = 1; i < c->dbmate.dirs.n && is_dbmates; i++)
        *vec_add(a, &o.more) =
            (HistoryFolder){c->dbmate.dirs.v[i], fs_below(c->project_dir, c->dbmate.dirs.v[i])};
    return o;
}

/* dir: the real path; one of the settings is read as these say. */
static bool
open_one(Arena *a, const Config *c, const char *dir, const char *shown, History *ret, Err *err)
{
    const char *tool = NULL, *table = NULL;
    for (size_t i = 0; i < c->migrations_dirs.n; i++)
        if (strcmp(c->migrations_dirs.v[i], dir) == 0 &&
            (!item_for(a, c, CFG_HISTORY, i, &tool, err) ||
             !item_for(a, c, CFG_HISTORY_TABLE, i, &table, err)))
            return false;
    HistoryOptions o = flow_history_options(a, c, dir);
    o.tool = tool ? tool : o.tool;
    bool is_own = !table || strcmp(table, "-") == 0;
    return history_open(a, dir, shown, &o, ret, err) &&
           (is_own || use_table(a, str_of(table), c->values[CFG_HISTORY_TABLE].origin, ret, err));
}

/* Several as one. dirs: real paths; `shown`: what people see of them. */
static bool
open_all(Arena *a, const Config *c, const char *const *dirs, const char *const *shown, size_t n,
         History *ret, Err *err)
{
    VEC(History *) parts = {0};
    if (n > HISTORY_PARTS_MAX)
        return err_set(err, ERR_CONFIG, "%zu folders of migrations are more than the %d of one run",
                       n, HISTORY_PARTS_MAX);
    for (size_t i = 0; i < n; i++) {
        History *h = *vec_add(a, &parts) = arena_new(a, History);
        if (!open_one(a, c, dirs[i], shown[i], h, err))
            return false;
    }
    if (!history_join(a, parts.v, n, ret, err))
        return false;
    findings_apply(&ret->findings, &c->finding_rules);
    return true;
}

bool
flow_histories_named(Arena *a, const Config *c, const char *path, History *ret, Err *err)
{
    VEC(const char *) dirs = {0}, shown = {0};
    bool is_one = fs_kind(path) == FS_DIR;
    for (Str rest = str_of(path); rest.p;) {
        Str item = is_one ? rest : str_trim(str_cut(&rest, ','));
        rest = is_one ? (Str){0} : rest;
        *vec_add(a, &shown) = str_dup(a, item);
        *vec_add(a, &dirs) = fs_absolute(a, shown.v[shown.n - 1]);
    }
    return open_all(a, c, dirs.v, shown.v, dirs.n, ret, err);
}

/* A second folder that holds a tool's migrations is nothing to be silent about, and nothing to deploy
 * unasked. */
static void
find_other_folders(Arena *a, const Config *c, History *h)
{
    static const char *const places[] = {"prisma/migrations", "db/migrations",
                                         "supabase/migrations", "drizzle", "migrations"};
    for (size_t i = 0; i < COUNT(places); i++) {
        const char *dir = fs_join(a, c->project_dir, places[i]);
        History other;
        Err unread;
        bool is_known = fs_kind(dir) != FS_DIR;
        for (size_t k = 0; k < c->migrations_dirs.n && !is_known; k++)
            is_known = fs_same(dir, c->migrations_dirs.v[k]);
        for (size_t k = 0; k < c->dbmate.dirs.n && !is_known; k++)
            is_known = c->migrations_are_dbmates && fs_same(dir, c->dbmate.dirs.v[k]);
        if (is_known)
            continue;
        Finding *f;
        size_t n = 0;
        const HistoryOptions o = {.is_prismas = c->schema_path != NULL};
        if (!history_open(a, dir, places[i], &o, &other, &unread))
            f = finding_add(&h->findings, FINDING_HISTORY_OTHER_FOLDER,
                            "nothing here applies what it holds: %s", unread.primary);
        else {
            vec_each (const Migration, m, &other.files)
                n += m->has_file; /* any folder of folders looks like Prisma's */
            if (!n)
                continue;
            f = finding_add(&h->findings, FINDING_HISTORY_OTHER_FOLDER,
                            "it holds %zu migration%s of %s, which nothing here applies", n,
                            str_plural((int64_t)n), other.layout->ledger.tool);
        }
        f->path = places[i];
        f->fix = str_fmt(a, "to deploy both in one order, in aramid.yaml: migrations: [%s, %s]",
                         h->dir, places[i]);
    }
}

bool
flow_history(Arena *a, const Config *c, History *ret, Err *err)
{
    size_t n = c->migrations_dirs.n;
    const char **shown = arena_array(a, const char *, n);
    for (size_t i = 0; i < n; i++)
        shown[i] = fs_below(c->project_dir, c->migrations_dirs.v[i]);
    if (!open_all(a, c, c->migrations_dirs.v, shown, n, ret, err))
        return false;
    find_other_folders(a, c, ret);
    findings_apply(&ret->findings, &c->finding_rules);
    return true;
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
    if (!h->parts.n)
        return true;
    err_set(err, ERR_USAGE, "this project has %zu histories, and a way back is that of one",
            h->parts.n);
    return err_hint(err, "name its folder: --migrations %s", h->parts.v[0]->dir);
}
