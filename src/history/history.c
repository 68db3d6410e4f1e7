#include "history/history.h"

#include "base/fs.h"
#include "base/map.h"

#include <stdlib.h>

/* Folders that no layout knows, by what lies in them. */
static bool
check_foreign(Arena *a, const char *dir, const char *shown, bool is_prismas, Err *err)
{
    FsEntryVec list;
    if (!fs_list(a, dir, &list, err))
        return false;
    int flat = 0;
    vec_each (FsEntry, e, &list)
        flat += e->kind != FS_DIR && str_ends(str_of(e->name), STR(".sql"));
    if (!flat || fs_exists(fs_join(a, dir, "migration_lock.toml")))
        return true;
    err_set(err, ERR_NO_MIGRATIONS,
            is_prismas ? "\"%s\" holds one .sql file for each migration, and not Prisma's folders"
                       : "\"%s\" holds .sql files, but no migration",
            shown);
    err_at(err, shown, 0, 0);
    if (!is_prismas)
        return err_hint(err,
                        "name them <version>_name.sql or V<version>__name.sql, or name another "
                        "folder with --migrations");
    err_hint(err, "to deploy them as they are, with a history of their own: \"history: sql\" in "
                  "aramid.yaml");
    return err_hint(err, "or make folders of them: <timestamp>_name/migration.sql");
}

static History
history_of(const HistoryLayout *layout)
{
    return (History){
        .layout = layout,
        .ledger = {.schema = layout->ledger.schema, .table = layout->ledger.table},
        .dir = "",
    };
}

History
history_none(void)
{
    return history_of(history_layouts[0]);
}

static const HistoryLayout *
named(const char *tool)
{
    for (const HistoryLayout *const *l = history_layouts; *l; l++)
        if (strcmp((*l)->name, tool) == 0)
            return *l;
    return NULL;
}

static const char *
all_names(Arena *a)
{
    Buf b;
    buf_init(&b, a);
    for (const HistoryLayout *const *l = history_layouts; *l; l++)
        buf_fmt(&b, "%s%s", b.n ? ", " : "", (*l)->name);
    return b.p;
}

static bool
refuse_two(const HistoryLayout *one, const HistoryLayout *two, const char *shown, Err *err)
{
    err_set(err, ERR_NO_MIGRATIONS, "the files in \"%s\" may be migrations of %s or of %s", shown,
            one->ledger.tool, two->ledger.tool);
    err_at(err, shown, 0, 0);
    return err_hint(err,
                    "say whose history table the database has: \"history: %s\" or "
                    "\"history: %s\" in aramid.yaml",
                    one->name, two->name);
}

/* Among the layouts that yield to others, or those that do not. *ret NULL: none says yes. */
static bool
recognise(Arena *a, const char *dir, const char *shown, bool yields, const HistoryLayout **ret,
          Err *err)
{
    for (const HistoryLayout *const *l = history_layouts; *l; l++) {
        if ((*l)->yields != yields || !(*l)->recognise(a, dir))
            continue;
        if (*ret)
            return refuse_two(*ret, *l, shown, err);
        *ret = *l;
    }
    return true;
}

/* The layout of a folder; of one that holds nothing yet, Prisma's. */
static bool
find_layout(Arena *a, const char *dir, const char *shown, const HistoryOptions *o,
            const HistoryLayout **ret, Err *err)
{
    *ret = o->tool ? named(o->tool) : NULL;
    if (o->tool && !*ret) {
        err_set(err, ERR_CONFIG, "\"%s\" is no tool whose migrations Aramid deploys", o->tool);
        return err_hint(err, "one of %s", all_names(a));
    }
    if (o->tool)
        return true;
    if (!recognise(a, dir, shown, false, ret, err))
        return false;
    bool nobodys = !*ret && !o->is_prismas && !fs_exists(fs_join(a, dir, "migration_lock.toml"));
    if (nobodys && !recognise(a, dir, shown, true, ret, err))
        return false;
    if (!*ret && !check_foreign(a, dir, shown, o->is_prismas, err))
        return false;
    if (!*ret)
        *ret = history_layouts[0];
    return true;
}

bool
history_open(Arena *a, const char *dir, const char *shown, const HistoryOptions *options,
             History *ret, Err *err)
{
    HistoryOptions o = options ? *options : (HistoryOptions){0};
    *ret = history_none();
    ret->dir = shown;
    FsKind kind = fs_kind(dir);
    if (kind != FS_DIR) {
        err_set(err, ERR_NO_MIGRATIONS,
                kind == FS_MISSING ? "there is no migrations folder \"%s\""
                                   : "\"%s\" is not a folder",
                shown);
        err_at(err, shown, 0, 0);
        return err_hint(err, "say where it is: --migrations DIR (or -C DIR for another project "
                             "folder)");
    }
    const HistoryLayout *l;
    if (!find_layout(a, dir, shown, &o, &l, err))
        return false;
    *ret = history_of(l);
    ret->options = o;
    ret->dir = shown;
    ret->source = dir;
    findings_init(&ret->findings, a, NULL);
    if (!ret->layout->list(a, dir, shown, ret, err))
        return false;
    history_compare(a, ret);
    return true;
}

bool
history_begin(Arena *a, const char *dir, const char *shown, const char *tool,
              const char *schema_path, History *ret, Err *err)
{
    const HistoryLayout *l = NULL;
    const HistoryOptions o = {.tool = tool};
    if (tool && !find_layout(a, dir, shown, &o, &l, err))
        return false;
    if (!l && strcmp(fs_basename(fs_dirname(a, dir)), "supabase") == 0)
        l = &history_supabase;
    if (!l && schema_path)
        l = &history_prisma;
    *ret = history_of(l ? l : history_layouts[0]);
    ret->dir = shown;
    ret->source = dir;
    findings_init(&ret->findings, a, NULL);
    if (l)
        return true;
    err_set(err, ERR_NO_MIGRATIONS, "there is no migrations folder \"%s\"", shown);
    err_at(err, shown, 0, 0);
    return err_hint(err, "say where it is (--migrations DIR), or whose migrations it is to hold: "
                         "\"history: dbmate\" in aramid.yaml");
}

/* The row that decides about a name: a failed one before an applied one before a rolled back one. */
static int
row_rank(const LedgerRow *r)
{
    if (!r)
        return 0;
    if (r->rolled_back_us)
        return 1;
    return r->finished_us ? 2 : 3;
}

static void
count(History *h, const Entry *e)
{
    h->applied += e->state == ENTRY_APPLIED;
    h->pending += e->state == ENTRY_PENDING && e->file;
    h->failed += e->state == ENTRY_FAILED;
    h->resumable += e->state == ENTRY_RESUMABLE;
    h->edited += e->edited;
    h->missing += e->state == ENTRY_APPLIED && !e->file && !e->repeats;
    h->out_of_order += e->out_of_order;
}

/* A pending migration that stands for others is applied where all of them are, each as it was put into it.
 * `known`: their names, whose rows tell of it then. */
static void
compare_replaced(Entry *e, const Map *rows, Map *known)
{
    size_t n = 0;
    if (e->state != ENTRY_PENDING)
        return;
    const LedgerRow *last = NULL;
    vec_each (const MigrationReplaced, r, &e->file->replaces) {
        const LedgerRow *row = map_get(rows, str_of(r->name));
        bool fits = row_rank(row) == 2 && (!*row->checksum || !strcmp(row->checksum, r->checksum));
        n += fits;
        last = fits ? row : last;
    }
    e->moves = n && n == e->file->replaces.n;
    e->partly = e->moves ? 0 : (int)n;
    if (!e->moves)
        return;
    e->state = ENTRY_APPLIED;
    e->row = last;
    vec_each (const MigrationReplaced, r, &e->file->replaces)
        map_put(known, str_of(r->name), e);
}

/* Of one: files against rows. */
static void
compare_own(Arena *a, History *h)
{
    Map rows;
    map_init(&rows, a);
    vec_each (LedgerRow, r, &h->rows) {
        const LedgerRow *old = map_get(&rows, str_of(r->name));
        if (row_rank(r) >= row_rank(old))
            map_put(&rows, str_of(r->name), r);
        if (r->started_us > h->last_started_us)
            h->last_started_us = r->started_us;
        if (r->finished_us && !r->rolled_back_us && r->finished_us > h->last_applied_us)
            h->last_applied_us = r->finished_us;
    }
    Map files;
    map_init(&files, a);
    vec_each (Migration, m, &h->files) {
        map_put(&files, str_of(m->name), m);
        LedgerRow *row = map_get(&rows, str_of(m->name));
        int rank = row_rank(row);
        Entry *e = vec_add(a, &h->entries);
        *e = (Entry){.name = m->name,
                     .file = m,
                     .row = row,
                     .state = rank == 3   ? ENTRY_FAILED
                              : rank == 2 ? ENTRY_APPLIED
                                          : ENTRY_PENDING};
        e->repeats = h->layout->repeats;
        bool differs = e->state == ENTRY_APPLIED && m->has_file && m->bytes <= MIGRATION_MAX &&
                       !h->layout->checksum_matches(a, row->checksum, m);
        e->edited = differs && !e->repeats;
        if (differs && e->repeats)
            e->state = ENTRY_PENDING;
        if (e->state == ENTRY_APPLIED && !m->has_file)
            e->file = NULL; /* an empty folder is none */
        compare_replaced(e, &rows, &files);
    }
    for (size_t i = 0; i < rows.n; i++) {
        LedgerRow *r = rows.entries[i].value;
        if (map_has(&files, rows.entries[i].key) || row_rank(r) < 2)
            continue;
        *vec_add(a, &h->entries) =
            (Entry){.name = r->name,
                    .row = r,
                    .repeats = h->layout->repeats,
                    .state = row_rank(r) == 3 ? ENTRY_FAILED : ENTRY_APPLIED};
    }
}

/* Of several: each by itself; then their entries in the order of all files, and behind those what only
 * ledgers have. */
static void
compare_parts(Arena *a, History *h)
{
    size_t *at = arena_array(a, size_t, h->parts.n);
    h->rows.n = 0;
    for (size_t i = 0; i < h->parts.n; i++) {
        History *p = h->parts.v[i];
        history_compare(a, p);
        vec_each (LedgerRow, r, &p->rows) {
            r->part = i;
            *vec_add(a, &h->rows) = *r;
        }
        if (p->last_applied_us > h->last_applied_us)
            h->last_applied_us = p->last_applied_us;
        if (p->last_started_us > h->last_started_us)
            h->last_started_us = p->last_started_us;
    }
    vec_each (Migration, m, &h->files) {
        Entry *e = vec_add(a, &h->entries);
        *e = h->parts.v[m->part]->entries.v[at[m->part]++];
        e->file = m;
        e->part = m->part;
    }
    for (size_t i = 0; i < h->parts.n; i++)
        for (; at[i] < h->parts.v[i]->entries.n; at[i]++) {
            Entry *e = vec_add(a, &h->entries);
            *e = h->parts.v[i]->entries.v[at[i]];
            e->part = i;
        }
}

void
history_compare(Arena *a, History *h)
{
    h->entries.n = 0;
    h->last_applied_us = h->last_started_us = 0;
    if (h->parts.n)
        compare_parts(a, h);
    else
        compare_own(a, h);
    bool later_applied = false;
    for (size_t i = h->files.n; i-- > 0;) {
        Entry *e = &h->entries.v[i];
        if (e->repeats)
            continue;
        e->out_of_order = e->state == ENTRY_PENDING && later_applied;
        later_applied = later_applied || e->state == ENTRY_APPLIED;
    }
    h->applied = h->pending = h->failed = h->resumable = 0;
    h->edited = h->missing = h->out_of_order = 0;
    vec_each (Entry, e, &h->entries)
        count(h, e);
}

const Entry *
history_find(const History *h, const char *name)
{
    vec_each (Entry, e, &h->entries)
        if (strcmp(e->name, name) == 0)
            return e;
    return NULL;
}
