#include "flow/database.h"
#include "flow/guard.h"

#include "base/clock.h"
#include "base/fs.h"
#include "sqltext/sqltext.h"

#include <inttypes.h>

typedef struct Restore {
    Arena *arena;
    const RestoreInput *in;
    RestoreReport *ret;
    Err *err;
    BackupInputOptions input;
    Db *admin, *db;
    DatabaseFacts facts;
    int64_t told_ms;
} Restore;

enum { TELL_EVERY_MS = 200 };

static void
event(const RestoreInput *in, RunEventKind kind, RunLevel level, const char *text)
{
    RunEvent e = {.kind = kind, .level = level, .ms = -1, .text = text};
    if (in->sink.event)
        in->sink.event(in->sink.arg, &e);
}

__attribute__((format(printf, 2, 3))) static void
note(Restore *r, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    *vec_add(r->arena, &r->ret->notes) = str_vfmt(r->arena, fmt, ap);
    va_end(ap);
}

static const char *
shown(Arena *a, const char *name)
{
    return str_printable(a, str_of(name), false);
}

/* ---- the backup ----------------------------------------------------------------------------- */

/* A set of ours, or any file that is a dump. */
static bool
find_backup(Restore *r)
{
    const Config *c = r->in->base.config;
    const char *name = r->in->backup;
    BackupSet *set = arena_new(r->arena, BackupSet);
    bool is_file = name && fs_kind(name) == FS_FILE;
    if (backup_find(r->arena, c->values[CFG_BACKUP_DIR].text, name, set, r->err)) {
        if (set->broken) {
            err_set(r->err, ERR_BACKUP_BROKEN, "backup \"%s\" cannot be used",
                    shown(r->arena, set->id));
            err_detail(r->err, "%s", set->broken);
            return err_hint(r->err, "aramid backup list shows the others");
        }
        r->ret->manifest = &set->manifest;
        if (!set->manifest.data.name) {
            err_set(r->err, ERR_BACKUP, "backup \"%s\" has no file: it was made by a command",
                    shown(r->arena, set->id));
            err_detail(r->err, "the command's id: %s",
                       shown(r->arena, set->manifest.command_id ? set->manifest.command_id : ""));
            return err_hint(r->err, "restore it with the provider's own tools");
        }
        r->ret->path = backup_path(r->arena, set, &set->manifest.data);
    } else if (r->err->code == ERR_BACKUP && is_file) {
        r->ret->path = name;
        note(r, "the file has no manifest: whether it is what was backed up cannot be told");
    } else {
        return false;
    }
    r->input = (BackupInputOptions){
        .path = r->ret->path,
        .identity = c->values[CFG_BACKUP_IDENTITY].text,
        .trace = c->trace,
        .bindir = c->values[CFG_BACKUP_BIN].text,
        .tick = r->in->base.tick,
        .tick_arg = r->in->base.tick_arg,
    };
    return true;
}

/* Not more often than a person can read. */
static bool
is_time_to_tell(Restore *r)
{
    int64_t now = clock_ms();
    if (now - r->told_ms < TELL_EVERY_MS)
        return false;
    r->told_ms = now;
    return true;
}

static int
percent(int64_t part, int64_t all)
{
    return all > 0 ? (int)(part * 100 / all) : 0;
}

static void
on_read(void *arg, const BackupProgress *p)
{
    Restore *r = arg;
    ARENA_LOCAL(a);
    if (is_time_to_tell(r))
        event(r->in, RUN_PROGRESS, RUN_INFO,
              str_fmt(a, "reading the backup, %d %%", percent(p->bytes, p->all_bytes)));
}

static bool
survey(Restore *r)
{
    event(r->in, RUN_PROGRESS, RUN_INFO, "reading the backup");
    if (!restore_survey(r->arena, &r->input, r->ret->manifest, on_read, r, &r->ret->survey, r->err))
        return false;
    const RestoreSurvey *s = &r->ret->survey;
    event(r->in, RUN_NOTE, RUN_OK,
          str_fmt(r->arena, "the backup is whole: %zu table%s, %" PRId64 " row%s", s->tables.n,
                  s->tables.n == 1 ? "" : "s", s->totals.rows, s->totals.rows == 1 ? "" : "s"));
    return true;
}

/* ---- the server ----------------------------------------------------------------------------- */

static void
add_list(Err *err, const RestoreTexts *names)
{
    ARENA_LOCAL(a);
    Buf b;
    buf_init(&b, a);
    vec_each (const char *, name, names)
        buf_fmt(&b, "%s%s", b.n ? ", " : "", shown(a, *name));
    err_detail(err, "%s", b.p);
}

static bool
check_lacks(Restore *r, Db *db)
{
    RestoreLacks lacks;
    if (!restore_lacks(r->arena, db, &r->ret->survey, r->in->no_owner, r->in->no_privileges, &lacks,
                       r->err))
        return false;
    if (lacks.extensions.n) {
        err_set(r->err, ERR_RESTORE, "the server does not have %s that the backup needs",
                lacks.extensions.n == 1 ? "an extension" : "extensions");
        add_list(r->err, &lacks.extensions);
        return err_hint(r->err,
                        "install it on the server (its package, or the provider's console)");
    }
    if (!lacks.roles.n)
        return true;
    err_set(r->err, ERR_RESTORE, "the server does not have %s that the backup names",
            lacks.roles.n == 1 ? "a role" : "roles");
    add_list(r->err, &lacks.roles);
    err_hint(r->err, "make %s first (CREATE ROLE ...)", lacks.roles.n == 1 ? "it" : "them");
    return r->in->no_owner && r->in->no_privileges
               ? false
               : err_hint(r->err, "or leave owners and privileges out: --no-owner --no-privileges");
}

static void
compare_versions(Restore *r, const DbInfo *info)
{
    r->ret->server = info;
    int major = info->version / 10000;
    if (r->ret->survey.major > major)
        note(r,
             "the backup is of PostgreSQL %d, the server runs %d: what %d does not know ends the "
             "restore",
             r->ret->survey.major, major, major);
}

static bool
look_at_server(Restore *r)
{
    RestoreReport *ret = r->ret;
    if (ret->target.absent)
        return true; /* only looked at: a restore makes it */
    const char *name = ret->target.url.database ? ret->target.url.database : "postgres";
    if (!database_admin(r->arena, &r->in->base, &ret->target.url, ret->target.origin, &r->admin,
                        r->err) ||
        !database_facts(r->arena, r->admin, name, &r->facts, r->err) || !check_lacks(r, r->admin))
        return false;
    compare_versions(r, db_info(r->admin));
    if (db_info(r->admin)->in_recovery || db_info(r->admin)->read_only)
        return err_set(r->err, ERR_READ_ONLY, "the server accepts no writes");
    ret->exists = r->facts.exists;
    ret->old_bytes = r->facts.bytes;
    if (r->in->replace && ret->exists) {
        ret->replaces = true;
        ret->database = name;
        ret->old_name = database_dated(r->arena, name, "before");
        if (!database_guests(r->arena, r->admin, name, ret, r->err))
            return false;
        if (r->facts.has_slots || r->facts.has_subscriptions)
            note(r, "replication slots and subscriptions stay with the old database \"%s\"",
                 shown(r->arena, ret->old_name));
    } else {
        ret->database = r->in->name      ? r->in->name
                        : r->in->replace ? name
                                         : database_dated(r->arena, name, "restored");
    }
    DatabaseFacts there;
    if (!ret->replaces && !database_facts(r->arena, r->admin, ret->database, &there, r->err))
        return false;
    if (!ret->replaces && there.exists) {
        err_set(r->err, ERR_RESTORE, "there is a database \"%s\" already",
                shown(r->arena, ret->database));
        return err_hint(r->err,
                        "give another --name; only --replace takes the place of a database");
    }
    if (!r->facts.may_create) {
        err_set(r->err, ERR_DENIED, "role \"%s\" may not make databases",
                shown(r->arena, db_info(r->admin)->user));
        return err_hint(r->err, "give it the right (ALTER ROLE ... CREATEDB), or have an empty "
                                "database made and restore with: --into URL");
    }
    return true;
}

static bool
open_database(Restore *r, const char *name)
{
    DbUrl *url = arena_new(r->arena, DbUrl);
    *url = r->ret->target.url;
    if (name)
        url->database = name;
    DbOptions o = flow_connection(&r->in->base, url, r->ret->target.origin, "aramid restore");
    o.refuse_pooler = true;
    return db_open(r->arena, &o, &r->db, r->err);
}

/* --into: the database is there, and must be empty. */
static bool
look_at_database(Restore *r)
{
    const char *found;
    if (!open_database(r, NULL))
        return false;
    r->ret->into = true;
    r->ret->database = db_info(r->db)->database;
    if (!restore_is_empty(r->arena, r->db, &found, r->err))
        return false;
    if (found) {
        err_set(r->err, ERR_NOT_EMPTY, "database \"%s\" is not empty",
                shown(r->arena, r->ret->database));
        err_detail(r->err, "there is: %s", shown(r->arena, found));
        return err_hint(r->err, "--into wants an empty database; without it, a new one is made");
    }
    compare_versions(r, db_info(r->db));
    return check_lacks(r, r->db);
}

static bool
find_target(Restore *r)
{
    Target *t = &r->ret->target;
    if (!r->in->into)
        return flow_target(r->arena, r->in->base.config, r->in->base.self_exe,
                           r->in->dry_run ? FLOW_MAKES_NOTHING : FLOW_MAKES_CLUSTER, t, r->err);
    t->origin = "flag --into";
    if (!url_parse(r->arena, r->in->into, t->origin, &t->url, r->err))
        return false;
    t->shown = url_shown(r->arena, &t->url);
    return true;
}

static bool
refuse_guests(Restore *r)
{
    if (!r->ret->guests.n || r->in->force)
        return true;
    err_set(r->err, ERR_RESTORE, "%zu session%s of others %s connected to database \"%s\"",
            r->ret->guests.n, r->ret->guests.n == 1 ? "" : "s",
            r->ret->guests.n == 1 ? "is" : "are", shown(r->arena, r->ret->database));
    size_t n = 0;
    vec_each (const RestoreGuest, g, &r->ret->guests)
        if (n++ < 10)
            err_detail(r->err, "process %d: user %s, %s, from %s%s%s", g->pid, g->user,
                       g->application[0] ? g->application : "without a name", g->from,
                       g->state[0] ? ", " : "", g->state);
    return err_hint(r->err, "stop them, or add --force: their sessions are then ended when the "
                            "restored database takes the name");
}

/* ---- may it be done, from here, to this database? ------------------------------------------- */

static void
close_session(Session *s)
{
    session_close(s);
}

/* The database that is replaced says who it is; a new one beside it harms nothing, but is not made
 * by a build of a preview, either. */
static bool
check_gate(Restore *r)
{
    FlowGuard guard;
    GateConsent consent;
    if (!r->ret->replaces) {
        flow_guard_open(r->arena, &r->in->base, GATE_CHANGES, "aramid restore", &guard);
        return flow_guard_check(&guard, r->err);
    }
    Session s __attribute__((cleanup(close_session))) = {0};
    History nothing = history_none();
    SessionOptions o = flow_session(&r->in->base, &r->ret->target, &nothing, "restore", FLOW_READS);
    JournalVec journal = {0};
    flow_guard_open(r->arena, &r->in->base, GATE_DESTROYS, "aramid restore --replace", &guard);
    if (!session_open(r->arena, &o, &s, r->err) || !session_read(&s, &nothing, &journal, r->err) ||
        !flow_guard_session(&guard, &s, r->ret->target.origin, r->err) ||
        !flow_guard_consent(&guard, &consent, r->err))
        return false;
    flow_guard_announce(&guard, &r->in->sink);
    return true;
}

/* ---- the restore ---------------------------------------------------------------------------- */

static void
on_progress(void *arg, const RestoreProgress *p)
{
    Restore *r = arg;
    if (!is_time_to_tell(r))
        return;
    ARENA_LOCAL(a);
    int done = percent(p->bytes, p->all_bytes);
    event(r->in, RUN_PROGRESS, RUN_INFO,
          p->compares ? str_fmt(a, "comparing table %zu of %zu: %s", p->number, p->count,
                                shown(a, p->table))
          : p->table  ? str_fmt(a, "restoring, %d %%: table %zu of %zu: %s", done, p->number,
                                p->count, shown(a, p->table))
                      : str_fmt(a, "restoring, %d %%", done));
}

/* What the restored database's history says against the project's files. No history, no folder:
 * then there is nothing to say. */
static void
read_history(Restore *r, const char *name)
{
    Err ignored;
    Session s;
    JournalVec journal = {0};
    RestoreReport *ret = r->ret;
    Target restored = ret->target;
    if (name)
        restored.url.database = name;
    if (!flow_history(r->arena, r->in->base.config, &ret->history, &ignored))
        return;
    SessionOptions o = flow_session(&r->in->base, &restored, &ret->history, "restore", FLOW_READS);
    if (!session_open(r->arena, &o, &s, &ignored))
        return;
    ret->has_history = session_read(&s, &ret->history, &journal, &ignored) && s.ledger_exists;
    session_close(&s);
}

static bool
run(Restore *r)
{
    RestoreOptions o = {.input = &r->input,
                        .no_owner = r->in->no_owner,
                        .no_privileges = r->in->no_privileges,
                        .progress = on_progress,
                        .progress_arg = r};
    if (!restore_run(r->arena, r->db, &r->ret->survey, &o, &r->ret->run, r->err))
        return false;
    r->ret->is_done = true;
    event(r->in, RUN_NOTE, RUN_OK,
          str_fmt(r->arena, "restored and compared: %zu of %zu tables are the same row by row",
                  r->ret->run.compared, r->ret->survey.tables.n));
    return true;
}

/* The copy is whole: now the names. What fails here leaves it under its own. */
static bool
take_name(Restore *r, const char *fresh)
{
    Db *other = NULL;
    Arena *a = r->arena;
    RestoreReport *ret = r->ret;
    if (strcmp(fresh, ret->database) == 0)
        return true;
    bool ok =
        database_admin(a, &r->in->base, &ret->target.url, ret->target.origin, &other, r->err) &&
        database_exchange(a, r->admin, other, ret->database, ret->old_name, fresh, r->in->force,
                          r->err);
    db_close(other);
    if (ok) {
        ret->made = ret->database;
        return true;
    }
    if (r->err->code == ERR_CONNECTION_LOST)
        err_detail(r->err,
                   "whether the name was given is not known: if there is no database \"%s\" "
                   "any more, it was",
                   shown(a, fresh));
    err_detail(r->err, "the backup is restored, whole and compared, in database \"%s\"",
               shown(a, fresh));
    return err_hint(r->err, "to give the name by hand: %s",
                    shown(a, database_exchange_sql(a, ret->database, ret->old_name, fresh)));
}

/* Take the new database away again, also when the connection is gone or a person does not want to
 * wait. Returns false. */
static bool
drop_unfinished(Restore *r, const char *name)
{
    Err ignored;
    FlowInput in = r->in->base;
    in.tick = NULL;
    if (!db_is_open(r->admin) && !database_admin(r->arena, &in, &r->ret->target.url,
                                                 r->ret->target.origin, &r->admin, &ignored))
        r->admin = NULL;
    if (r->admin && database_drop(r->admin, name))
        return false;
    err_detail(r->err,
               "database \"%s\", which this restore made, could not be dropped; nothing is in "
               "it, unless the connection broke while it committed",
               shown(r->arena, name));
    Buf b;
    buf_init(&b, r->arena);
    buf_addz(&b, "DROP DATABASE ");
    sql_add_ident(&b, name);
    return err_hint(r->err, "later: %s", shown(r->arena, b.p));
}

static bool
into_new_database(Restore *r)
{
    RestoreReport *ret = r->ret;
    /* A name that somebody asked for is given to a whole database only. */
    bool is_asked_for = ret->replaces || r->in->replace || r->in->name;
    const char *fresh =
        is_asked_for ? database_dated(r->arena, ret->database, "restoring") : ret->database;
    if (!database_create(r->arena, r->admin, fresh, &r->facts, r->err))
        return false;
    event(r->in, RUN_NOTE, RUN_OK,
          str_fmt(r->arena, "made database \"%s\"", shown(r->arena, fresh)));
    bool ok = open_database(r, fresh) && run(r);
    db_close(r->db);
    r->db = NULL;
    if (!ok)
        return drop_unfinished(r, fresh);
    ret->made = fresh;
    if (!database_finish(r->arena, r->admin, fresh, &r->facts, r->err))
        return err_detail(r->err,
                          "the backup is restored and whole in database \"%s\", without the "
                          "settings of \"%s\"",
                          shown(r->arena, fresh), shown(r->arena, ret->database));
    read_history(r, fresh);
    return take_name(r, fresh);
}

static bool
restore(Restore *r)
{
    if (!find_backup(r) || !find_target(r) || !survey(r) ||
        !(r->in->into ? look_at_database(r) : look_at_server(r)))
        return false;
    if (r->in->dry_run)
        return true;
    if (!check_gate(r) || !refuse_guests(r) ||
        (r->in->approve && !r->in->approve(r->in->approve_arg, r->ret, r->err)))
        return false;
    if (!r->in->into)
        return into_new_database(r);
    if (!run(r))
        return false;
    read_history(r, NULL);
    return true;
}

bool
flow_restore(Arena *a, const RestoreInput *in, RestoreReport *ret, Err *err)
{
    int64_t started = clock_ms();
    *ret = (RestoreReport){.config = in->base.config, .dry_run = in->dry_run};
    Restore r = {.arena = a, .in = in, .ret = ret, .err = err};
    bool ok = restore(&r);
    db_close(r.db);
    db_close(r.admin);
    ret->ms = clock_ms() - started;
    return ok;
}

/* ---- the drill ------------------------------------------------------------------------------ */

static void
close_cluster(TempCluster **c)
{
    temp_cluster_close(*c);
}

static bool
make_roles(Restore *r)
{
    RestoreLacks lacks;
    Buf b;
    buf_init(&b, r->arena);
    if (!restore_lacks(r->arena, r->db, &r->ret->survey, false, false, &lacks, r->err))
        return false;
    vec_each (const char *, role, &lacks.roles) {
        buf_addz(&b, "CREATE ROLE ");
        sql_add_ident(&b, *role);
        buf_addc(&b, ';');
    }
    return !b.n || db_query(r->db, r->arena, buf_str(&b), NULL, r->err);
}

static bool
drill(Restore *r)
{
    __attribute__((cleanup(close_cluster))) TempCluster *cluster = NULL;
    Target *t = &r->ret->target;
    const char *bindir = r->in->base.config->values[CFG_EMBEDDED_BIN].text;
    if (!find_backup(r) || !survey(r))
        return false;
    int wanted = r->ret->survey.major;
    Err same;
    /* The same major, or else the newest that there is. */
    if (!temp_cluster_open(r->arena, bindir, wanted, &cluster, &same) &&
        !temp_cluster_open(r->arena, NULL, 0, &cluster, r->err))
        return false;
    if (temp_cluster_major(cluster) < wanted) {
        *r->err = same;
        return err_detail(r->err, "a backup of PostgreSQL %d is tried on %d or newer", wanted,
                          wanted);
    }
    t->origin = "a throwaway server";
    if (!url_parse(r->arena, temp_cluster_url(cluster), t->origin, &t->url, r->err))
        return false;
    t->shown = url_shown(r->arena, &t->url);
    bool ok = open_database(r, NULL) && make_roles(r) && check_lacks(r, r->db);
    if (ok) {
        r->ret->into = true;
        r->ret->database = "postgres";
        compare_versions(r, db_info(r->db));
        ok = run(r);
    }
    db_close(r->db);
    r->db = NULL;
    return ok;
}

bool
flow_drill(Arena *a, const RestoreInput *in, RestoreReport *ret, Err *err)
{
    int64_t started = clock_ms();
    *ret = (RestoreReport){.config = in->base.config, .is_drill = true};
    Restore r = {.arena = a, .in = in, .ret = ret, .err = err};
    bool ok = drill(&r);
    ret->ms = clock_ms() - started;
    return ok;
}
