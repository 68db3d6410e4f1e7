/* What is left over: found with its proof, shown, removed. */
#include "flow/clean.h"

#include "base/clock.h"
#include "base/fs.h"
#include "flow/backup.h"
#include "flow/guard.h"

#include <sys/stat.h>
#include <unistd.h>

enum { RUNS_KEPT = 10 };

const char *
clean_kind_name(CleanKind k)
{
    static const char *const names[] = {"session", "index",  "journal", "folder",
                                        "run",     "backup", "cluster"};
    _Static_assert(COUNT(names) == CLEAN_KINDS, "each has a name");
    return names[k];
}

typedef struct Cleaning {
    Arena *a;
    const CleanInput *in;
    CleanResult *ret;
    History history;
    Session session; /* db NULL: there is no database */
    FlowGuard guard;
} Cleaning;

static void
close_session(Cleaning *c)
{
    if (c->session.db)
        session_close(&c->session);
}

static CleanItem *
add(Cleaning *c, CleanKind kind, const char *name, const char *why)
{
    CleanItem *i = vec_add(c->a, &c->ret->items);
    *i = (CleanItem){.kind = kind, .name = name, .why = why};
    return i;
}

/* ---- the database -------------------------------------------------------------------------- */

static bool
find_in_database(Cleaning *c, const JournalVec *journal, Err *err)
{
    static const CleanKind kinds[] = {CLEAN_JOURNAL, CLEAN_INDEX, CLEAN_SESSION};
    RunLeftoverVec *left = arena_new(c->a, RunLeftoverVec);
    *left = (RunLeftoverVec){0};
    if (!run_leftovers(&c->session, &c->history, journal, left, err))
        return false;
    vec_each (const RunLeftover, l, left)
        add(c, kinds[l->kind], l->name, l->why)->left = l;
    return true;
}

/* Nothing in it, and no row of it: a deploy would stop there. */
static void
find_folders(Cleaning *c)
{
    vec_each (const Entry, e, &c->history.entries) {
        FsEntryVec inside;
        Err ignored;
        const char *dir = e->file ? fs_dirname(c->a, e->file->source) : NULL;
        if (!dir || e->file->has_file || e->row || fs_kind(dir) != FS_DIR ||
            !fs_list(c->a, dir, &inside, &ignored) || inside.n)
            continue;
        add(c, CLEAN_FOLDER, fs_dirname(c->a, e->file->path),
            "an empty folder among the migrations, and the history has no row of it")
            ->path = dir;
    }
}

/* ---- files --------------------------------------------------------------------------------- */

/* 20261130-210508-a1b2c3, with the events of a run in it. */
static bool
is_run(Arena *a, const char *dir, const FsEntry *e)
{
    return e->kind == FS_DIR && !e->is_link && e->name[0] >= '0' && e->name[0] <= '9' &&
           fs_exists(fs_join(a, fs_join(a, dir, e->name), "events.jsonl"));
}

/* The names sort by time. */
static void
find_runs(Cleaning *c)
{
    const Config *config = c->in->base.config;
    int64_t days = config->values[CFG_RUNS_DAYS].number;
    const char *dir = fs_join(c->a, config->project_dir, ".aramid/runs");
    FsEntryVec list = {0};
    VEC(const char *) runs = {0};
    Err ignored;
    if (!days || !fs_list(c->a, dir, &list, &ignored))
        return;
    vec_each (const FsEntry, e, &list)
        if (is_run(c->a, dir, e))
            *vec_add(c->a, &runs) = e->name;
    for (size_t i = 0; i + RUNS_KEPT < runs.n; i++) {
        struct stat st;
        const char *path = fs_join(c->a, dir, runs.v[i]);
        if (stat(path, &st) != 0 || st.st_mtime > clock_wall_us() / 1000000 - days * 24 * 3600)
            continue;
        add(c, CLEAN_RUN, fs_join(c->a, ".aramid/runs", runs.v[i]),
            str_fmt(c->a, "the log of a run that is older than %lld days (runs.retention_days)",
                    (long long)days))
            ->path = path;
    }
}

static bool
prune(Cleaning *c, bool removes, Err *err)
{
    BackupPrune in = {.base = c->in->base,
                      .days = c->in->base.config->values[CFG_BACKUP_DAYS].number,
                      .dry_run = !removes};
    BackupPruned old;
    if (!in.days || !flow_backup_prune(c->a, &in, &old, err))
        return !in.days;
    vec_each (const BackupSet, s, &old.removed)
        if (!removes)
            add(c, CLEAN_BACKUP, s->id,
                str_fmt(c->a, "a backup that is older than %lld days (backup.retention_days)",
                        (long long)in.days));
    return true;
}

static bool
find_files(Cleaning *c, Err *err)
{
    TempFolders folders = {0};
    Err ignored; /* then there can be none, either */
    find_runs(c);
    if (!prune(c, false, err))
        return false;
    if (!temp_clusters_left(c->a, false, &folders, &ignored))
        return true;
    vec_each (const char *, dir, &folders)
        add(c, CLEAN_CLUSTER, *dir, "a temporary server whose process is gone");
    return true;
}

/* ---- removing ------------------------------------------------------------------------------ */

static bool
remove_one(Cleaning *c, CleanItem *i, Err *err)
{
    Err ignored;
    if (i->left)
        return run_remove_leftover(&c->session, i->left, &i->is_gone, err);
    if (i->kind == CLEAN_FOLDER) /* only while it is empty */
        i->is_gone = rmdir(i->path) == 0;
    else if (i->path)
        i->is_gone = fs_remove(i->path, &ignored);
    return true;
}

static bool
remove_all(Cleaning *c, Err *err)
{
    TempFolders gone = {0};
    Err ignored;
    bool has_backups = false, has_clusters = false;
    vec_each (CleanItem, i, &c->ret->items) {
        if (!remove_one(c, i, err))
            return false;
        has_backups = has_backups || i->kind == CLEAN_BACKUP;
        has_clusters = has_clusters || i->kind == CLEAN_CLUSTER;
    }
    if (has_backups && !prune(c, true, err))
        return false;
    has_clusters = has_clusters && temp_clusters_left(c->a, true, &gone, &ignored);
    vec_each (CleanItem, i, &c->ret->items) {
        i->is_gone = i->is_gone || (i->kind == CLEAN_BACKUP && has_backups) ||
                     (i->kind == CLEAN_CLUSTER && fs_kind(i->name) == FS_MISSING);
        i->is_gone ? c->ret->removed++ : c->ret->stayed++;
    }
    return true;
}

static bool
is_listed(const CleanResult *list, const CleanItem *i)
{
    vec_each (const CleanItem, x, &list->items)
        if (x->kind == i->kind && strcmp(x->name, i->name) == 0)
            return true;
    return false;
}

/* Under the lock only what was shown, and still is a leftover. */
static bool
look_again(Cleaning *c, Err *err)
{
    JournalVec journal = {0};
    CleanResult shown = *c->ret;
    bool any = false;
    vec_each (const CleanItem, i, &shown.items)
        any = any || i->left || i->kind == CLEAN_FOLDER;
    if (!any || !c->session.db)
        return true;
    memset(&c->ret->items, 0, sizeof c->ret->items);
    if (!session_refresh(&c->session, err) ||
        !lock_and_read(&c->session, &c->history, &journal, &c->in->sink, err) ||
        !find_in_database(c, &journal, err))
        return false;
    find_folders(c);
    size_t n = 0;
    for (size_t i = 0; i < c->ret->items.n; i++)
        if (is_listed(&shown, &c->ret->items.v[i]))
            c->ret->items.v[n++] = c->ret->items.v[i];
    c->ret->items.n = n;
    vec_each (const CleanItem, i, &shown.items) {
        bool ended = i->kind == CLEAN_SESSION && !is_listed(c->ret, i); /* by taking the lock */
        if ((!i->left && i->kind != CLEAN_FOLDER) || ended) {
            *vec_add(c->a, &c->ret->items) = *i;
            if (ended)
                c->ret->items.v[c->ret->items.n - 1].left = NULL,
                                                  c->ret->items.v[c->ret->items.n - 1].is_gone =
                                                      true;
        }
    }
    return true;
}

static bool
open_database(Cleaning *c, Err *err)
{
    const FlowInput *in = &c->in->base;
    JournalVec journal = {0};
    CleanResult *r = c->ret;
    if (!flow_history(c->a, in->config, &c->history, err) ||
        !flow_target(c->a, in->config, in->self_exe, FLOW_MAKES_NOTHING, &r->target, err))
        return false;
    if (r->target.absent)
        return true;
    SessionOptions o = flow_session(in, &r->target, &c->history, "clean",
                                    c->in->dry_run ? FLOW_READS : FLOW_WRITES);
    flow_guard_open(c->a, in, c->in->dry_run ? GATE_LOOKS : GATE_CHANGES, "aramid clean",
                    &c->guard);
    if (!flow_guard_check(&c->guard, err) || !session_open(c->a, &o, &c->session, err) ||
        !session_read(&c->session, &c->history, &journal, err) ||
        !flow_guard_session(&c->guard, &c->session, r->target.origin, err) ||
        !find_in_database(c, &journal, err))
        return false;
    find_folders(c);
    return true;
}

static bool
agree(Cleaning *c, Err *err)
{
    const CleanInput *in = c->in;
    GateConsent consent = GATE_AGREED;
    if (c->session.db && !flow_guard_consent(&c->guard, &consent, err))
        return false;
    vec_each (const CleanItem, i, &c->ret->items)
        in->sink.event(in->sink.arg,
                       &(RunEvent){.kind = RUN_STAGE,
                                   .ms = -1,
                                   .text = str_printable(
                                       c->a,
                                       str_of(str_fmt(c->a, "%s %s: %s", clean_kind_name(i->kind),
                                                      i->name, i->why)),
                                       false)});
    return (!in->ask || in->ask(in->ask_arg, c->ret->items.n, err)) &&
           (!c->session.db || flow_guard_announce(&c->guard, &in->sink, err));
}

bool
flow_clean(Arena *a, const CleanInput *in, CleanResult *ret, Err *err)
{
    Cleaning c __attribute__((cleanup(close_session))) = {.a = a, .in = in, .ret = ret};
    *ret = (CleanResult){
        .config = in->base.config, .dry_run = in->dry_run, .findings = in->sink.findings};
    if (!open_database(&c, err) || !find_files(&c, err))
        return false;
    if (!ret->items.n || in->dry_run)
        return true;
    if (!agree(&c, err) || !look_again(&c, err))
        return false;
    bool ok = remove_all(&c, err);
    if (c.session.db && db_is_open(c.session.db))
        flow_record(&c.session, &in->sink,
                    &(RunRow){.run_id = in->run_id,
                              .verb = "clean",
                              .outcome = ok ? "done" : "failed",
                              .consent = c.guard.facts.agent ? c.guard.facts.agent_consent : NULL});
    return ok;
}
