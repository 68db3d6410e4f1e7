#include "flow/repeatable.h"

#include "base/fs.h"

enum { DEEPEST = 8 };

/* ---- the files ------------------------------------------------------------------------------- */

typedef struct Gathering {
    Arena *a;
    const Config *c;
    HistoryScripts files;
} Gathering;

static void
add(Gathering *g, const char *path)
{
    vec_each (const HistoryScript, f, &g->files)
        if (fs_same(f->source, path))
            return;
    *vec_add(g->a, &g->files) = (HistoryScript){path, fs_below(g->c->project_dir, path)};
}

static bool
add_folder(Gathering *g, const char *dir, int depth, Err *err)
{
    FsEntryVec list;
    if (!fs_list(g->a, dir, &list, err))
        return false;
    vec_each (FsEntry, e, &list) {
        const char *path = fs_join(g->a, dir, e->name);
        if (e->kind == FS_FILE && str_ends(str_of(e->name), STR(".sql")))
            add(g, path);
        else if (e->kind == FS_DIR && !e->is_link && e->name[0] != '.' && depth &&
                 !add_folder(g, path, depth - 1, err))
            return false;
    }
    return true;
}

static bool
is_migrations(const Gathering *g, const char *dir)
{
    for (size_t i = 0; i < g->c->migrations_dirs.n; i++)
        if (fs_same(g->c->migrations_dirs.v[i], dir))
            return true;
    return false;
}

static bool
add_place(Gathering *g, const char *said, Err *err)
{
    const char *path = said[0] == '/' ? said : fs_join(g->a, g->c->project_dir, said);
    switch (fs_kind(path)) {
    case FS_DIR: /* that of the migrations gives its own */
        return is_migrations(g, path) || add_folder(g, path, DEEPEST, err);
    case FS_FILE:
        add(g, path);
        return true;
    default:
        err_set(err, ERR_CONFIG, "there is no file or folder \"%s\" of repeatable scripts", said);
        err_detail(err, "it is named by \"repeatable\", set by %s",
                   g->c->values[CFG_REPEATABLE].origin);
        return err_hint(err, "make it, or take it out of the setting");
    }
}

static bool
is_off(const ConfigList *places)
{
    return places->n == 1 && strcmp(places->v[0], "off") == 0;
}

bool
flow_takes_scripts(Arena *a, const Config *c, const char *dir)
{
    ConfigList places = config_list(a, c, CFG_REPEATABLE);
    for (size_t i = 0; i < places.n; i++)
        if (fs_same(places.v[i][0] == '/' ? places.v[i] : fs_join(a, c->project_dir, places.v[i]),
                    dir))
            return true;
    return false;
}

bool
flow_repeatables(Arena *a, const Config *c, History *const *parts, size_t n, History **ret,
                 Err *err)
{
    Gathering g = {.a = a, .c = c};
    ConfigList places = config_list(a, c, CFG_REPEATABLE);
    *ret = NULL;
    if (is_off(&places))
        return true;
    for (size_t i = 0; i < places.n; i++)
        if (!add_place(&g, places.v[i], err))
            return false;
    for (size_t i = 0; i < n; i++) {
        const char *beside = fs_join(a, fs_dirname(a, parts[i]->source), "sql");
        if (!places.n && parts[i]->layout == &history_prisma && fs_kind(beside) == FS_DIR &&
            !add_folder(&g, beside, DEEPEST, err))
            return false;
        vec_each (const char *const, file, &parts[i]->scripts)
            add(&g, fs_join(a, parts[i]->source, *file));
    }
    if (!g.files.n && !places.n)
        return true;
    *ret = arena_new(a, History);
    return history_repeatables(a, &g.files, *ret, err);
}

/* ---- what of them is in a database ------------------------------------------------------------ */

static void
add_drops(Buf *b, const SqlStmt *stmt)
{
    static const char made[] = "CREATE ";
    vec_each (const SqlObject, o, &stmt->objects) {
        bool is_part = o->kind == SQL_OBJ_TRIGGER || o->kind == SQL_OBJ_POLICY;
        if (o->effect != SQL_CREATES || !str_starts(str_of(stmt->tag), str_of(made)))
            continue;
        buf_fmt(b, "%sDROP %s IF EXISTS ", b->n ? " " : "", stmt->tag + strlen(made));
        if (is_part) {
            sql_add_ident(b, o->sub);
            buf_addz(b, " ON ");
        }
        if (o->name.schema[0])
            sql_add_name(b, o->name.schema, o->name.name);
        else
            sql_add_ident(b, o->name.name);
        buf_addc(b, ';');
    }
}

/* Where nothing is left of what a removed script made, it says nothing more. *ret_drops: SQL that drops
 * it; NULL: nothing is left. */
static bool
look_for(Arena *a, const Session *s, const ReplayScript *script, const char **ret_drops, Err *err)
{
    Migration *m = arena_new(a, Migration);
    MigrationPlan mp = {0};
    ProbeResult found = {0};
    SqlStmt stmt;
    Buf drops;
    *ret_drops = NULL;
    run_undo_script(a, script->name, script->path, script->sql, m);
    if (!plan_migration(a, m, &(PlanHints){0}, &mp, err) || !run_probe(s, a, &mp, &found, err))
        return false;
    buf_init(&drops, a);
    for (size_t i = mp.script.stmts.n; i-- > 0;)
        add_drops(&drops, sql_stmt(&mp.script, i, &stmt));
    if (found.present)
        *ret_drops = drops.n ? drops.p : "";
    return true;
}

static const Entry *
changed_entry(const History *h, Str name)
{
    vec_each (const Entry, e, &h->entries)
        if (e->repeats && e->row && str_is(name, e->name))
            return !e->file || e->state == ENTRY_PENDING ? e : NULL;
    return NULL;
}

static bool
has_changed(const History *h)
{
    vec_each (const Entry, e, &h->entries)
        if (e->repeats && e->row && (!e->file || e->state == ENTRY_PENDING))
            return true;
    return false;
}

bool
flow_applied_scripts(Arena *a, const Session *s, const History *h, AppliedScripts *ret, Err *err)
{
    *ret = (AppliedScripts){0};
    const SessionLedger *l = &s->ledgers.v[s->ledgers.n - 1];
    if (!l->layout->repeats || !l->exists || !has_changed(h))
        return true;
    Buf b;
    DbRowsVec results;
    buf_init(&b, a);
    history_add_script_texts(&b, &l->at);
    if (!db_query(s->db, a, buf_str(&b), &results, err))
        return false;
    const DbRows *rows = &results.v[results.n - 1];
    for (int i = 0; i < rows->rows; i++) {
        Str name = db_cell(rows, i, 0);
        const Entry *e = changed_entry(h, name);
        if (!e)
            continue;
        ReplayScript script = {.name = e->name, .path = e->name, .sql = db_cell(rows, i, 1)};
        const char *drops = NULL;
        if (!e->file && !look_for(a, s, &script, &drops, err))
            return false;
        if (e->file)
            *vec_add(a, &ret->changed) = script;
        if (!drops && !e->file)
            *vec_add(a, &ret->settled) = e->name;
        if (!drops)
            continue;
        *vec_add(a, &ret->removed) = script;
        *vec_add(a, &ret->drops) = drops;
    }
    return true;
}

void
flow_find_removed(Arena *a, const Session *s, const History *h, FindingList *ret)
{
    AppliedScripts scripts;
    Err ignored;
    if (!flow_applied_scripts(a, s, h, &scripts, &ignored))
        return;
    for (size_t i = 0; i < scripts.removed.n; i++) {
        Finding *f = finding_add(ret, FINDING_SCRIPT_REMOVED,
                                 "the repeatable script is gone; what it made stays");
        f->object = scripts.removed.v[i].name;
        f->fix = str_fmt(a, "restore the file, or in a new migration: %s", scripts.drops.v[i]);
    }
}

void
flow_forget_scripts(Arena *a, const Session *s, const History *h)
{
    AppliedScripts scripts;
    Err ignored;
    Buf b;
    if (!flow_applied_scripts(a, s, h, &scripts, &ignored) || !scripts.settled.n)
        return;
    buf_init(&b, a);
    session_add_prefix(s, &b);
    vec_each (const char *const, name, &scripts.settled)
        history_add_script_forgotten(&b, &s->ledgers.v[s->ledgers.n - 1].at, *name);
    bool done = db_query(s->db, a, buf_str(&b), NULL, &ignored);
    (void)done;
}
