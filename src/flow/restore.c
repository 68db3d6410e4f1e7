/* Restoring a backup into a database. */
#include "flow/restore_int.h"

#include "base/clock.h"
#include "base/fs.h"
#include "sqltext/sqltext.h"

#include <inttypes.h>

enum { TELL_EVERY_MS = 200, FINISH_ATTEMPTS = 3 };

static void
event(const RestoreInput *in, RunEventKind kind, RunLevel level, const char *text)
{
    RunEvent e = {.kind = kind, .level = level, .ms = -1, .text = text};
    if (in->sink.event)
        in->sink.event(in->sink.arg, &e);
}

/* ---- the backup ----------------------------------------------------------------------------- */

/* A set of ours, or any file that is a dump. */
bool
restoring_backup(Restore *r)
{
    const Config *c = r->in->base.config;
    const char *name = r->in->backup;
    BackupSet *set = arena_new(r->arena, BackupSet);
    bool is_file = name && fs_kind(name) == FS_FILE;
    if (backup_find(r->arena, c->values[CFG_BACKUP_DIR].text, name, set, r->err)) {
        if (set->broken) {
            err_set(r->err, ERR_BACKUP_BROKEN, "backup \"%s\" cannot be used",
                    restoring_shown(r->arena, set->id));
            err_detail(r->err, "%s", set->broken);
            return err_hint(r->err, "aramid backup list shows the others");
        }
        r->ret->manifest = &set->manifest;
        if (!set->manifest.data.name) {
            err_set(r->err, ERR_BACKUP, "backup \"%s\" has no file: it was made by a command",
                    restoring_shown(r->arena, set->id));
            err_detail(r->err, "the command's id: %s",
                       restoring_shown(r->arena,
                                       set->manifest.command_id ? set->manifest.command_id : ""));
            return err_hint(r->err, "restore it with the provider's own tools");
        }
        r->ret->path = backup_path(r->arena, set, &set->manifest.data);
    } else if (r->err->code == ERR_BACKUP && is_file) {
        r->ret->path = name;
        finding_add(&r->ret->findings, FINDING_RESTORE_NO_MANIFEST,
                    "the file has no manifest: whether it is what was backed up cannot be told");
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

bool
restoring_survey(Restore *r)
{
    event(r->in, RUN_PROGRESS, RUN_INFO, "reading the backup");
    if (!restore_survey(r->arena, &r->input, r->ret->manifest, on_read, r, &r->ret->survey, r->err))
        return false;
    const RestoreSurvey *s = &r->ret->survey;
    event(r->in, RUN_STAGE, RUN_OK,
          str_fmt(r->arena, "the backup is whole: %zu table%s, %" PRId64 " row%s", s->tables.n,
                  str_plural(s->tables.n), s->totals.rows, str_plural(s->totals.rows)));
    return !r->in->only || restore_choose(r->arena, s, r->in->only, &r->ret->only, r->err);
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
                                restoring_shown(a, p->table))
          : p->table  ? str_fmt(a, "restoring, %d %%: table %zu of %zu: %s", done, p->number,
                                p->count, restoring_shown(a, p->table))
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
    SessionOptions o = flow_session(&r->in->base, &restored, &ret->history, "restore", FLOW_LOCKS);
    if (!session_open(r->arena, &o, &s, &ignored))
        return;
    ret->has_history = session_read(&s, &ret->history, &journal, &ignored) && s.ledger_exists;
    if (r->in->run_id && !ret->is_drill && !db_info(s.db)->in_recovery)
        flow_record(&s, &r->in->sink,
                    &(RunRow){.run_id = r->in->run_id,
                              .verb = "restore",
                              .outcome = "done",
                              .backup_id = ret->manifest ? ret->manifest->id : NULL});
    session_close(&s);
    const History *h = &ret->history;
    if (ret->has_history && h->missing)
        finding_add(&ret->findings, FINDING_RESTORE_HISTORY,
                    "%d migration%s of its history %s not in the migrations folder", h->missing,
                    str_plural(h->missing), h->missing == 1 ? "is" : "are");
    if (ret->has_history && (h->failed || h->resumable))
        finding_add(&ret->findings, FINDING_RESTORE_HISTORY,
                    "its history holds a migration that did not end");
}

bool
restoring_run(Restore *r)
{
    RestoreOptions o = {.input = &r->input,
                        .no_owner = r->in->no_owner,
                        .no_privileges = r->in->no_privileges,
                        .only = r->ret->only.tables.n ? &r->ret->only : NULL,
                        .into_tables = r->ret->only.tables.n && r->in->into,
                        .rules = &r->in->base.config->finding_rules,
                        .progress = on_progress,
                        .progress_arg = r};
    if (!restore_run(r->arena, r->db, &r->ret->survey, &o, &r->ret->run, r->err))
        return false;
    r->ret->is_done = true;
    FindingList *l = &r->ret->findings;
    vec_each (const char *, table, &r->ret->run.kept)
        finding_add(l, FINDING_RESTORE_KEPT, "foreign keys need it: it had rows and keeps them")
            ->object = *table;
    vec_each (const char *, table, &r->ret->run.by_count)
        finding_add(l, FINDING_RESTORE_BY_COUNT,
                    "compared by the number of rows only (values are printed otherwise here)")
            ->object = *table;
    vec_each (const char *, table, &r->ret->run.not_compared)
        finding_add(l, FINDING_RESTORE_NOT_COMPARED,
                    "not read back: this role may not see all rows")
            ->object = *table;
    vec_each (const Finding, f, &r->ret->run.findings.items)
        finding_keep(l, f);
    event(r->in, RUN_STAGE, RUN_OK,
          str_fmt(r->arena, "restored and compared: %zu of %zu tables are the same row by row",
                  r->ret->run.compared, r->ret->run.tables));
    return true;
}

/* No migration runs in a database that is about to be replaced; whoever wants to waits, and goes on in
 * the restored one. */
static bool
lock_old(Restore *r)
{
    History nothing = history_none();
    JournalVec journal = {0};
    return !r->ret->replaces || (lock_and_read(&r->old, &nothing, &journal, &r->in->sink, r->err) &&
                                 database_writes(r->arena, r->old.db, &r->old_writes, r->err));
}

/* Others may have come and gone since: what they wrote is in the old database only. */
static void
tell_writes(Restore *r)
{
    RestoreReport *ret = r->ret;
    Err why;
    int64_t now = -1;
    if (!ret->replaces)
        return;
    if (restoring_open(r, ret->old_name) && database_writes(r->arena, r->db, &now, &why) &&
        now == r->old_writes)
        return;
    if (now < 0)
        finding_add(&r->ret->findings, FINDING_RESTORE_WRITES,
                    "whether the old database was written to meanwhile could not be asked");
    else
        finding_add(&r->ret->findings, FINDING_RESTORE_WRITES,
                    "the old database was written to while the backup was restored (%" PRId64
                    " rows): that is in \"%s\" only",
                    now - r->old_writes, restoring_shown(r->arena, ret->old_name));
}

static bool
connect_admin(Restore *r)
{
    return (r->admin && db_is_open(r->admin)) ||
           database_admin(r->arena, &r->in->base, &r->ret->target.url, r->ret->target.origin,
                          &r->admin, r->err);
}

/* A connection that was lost while rows came in, by another, is no reason to fail. */
static bool
finish(Restore *r, const char *fresh)
{
    for (int attempt = 1;; attempt++) {
        RestoreTexts denied = {0};
        if (connect_admin(r) &&
            database_finish(r->arena, r->admin, fresh, &r->facts, &denied, r->err)) {
            vec_each (const char *, text, &denied)
                finding_add(&r->ret->findings, FINDING_RESTORE_DENIED,
                            "role \"%s\" may not say, for the new database: %s",
                            restoring_shown(r->arena, db_info(r->admin)->user),
                            restoring_shown(r->arena, *text));
            return true;
        }
        if (r->err->code != ERR_CONNECTION_LOST || attempt == FINISH_ATTEMPTS)
            return false;
    }
}

/* The copy is whole: now the names. What fails here leaves it under its own. */
static bool
take_name(Restore *r, const char *fresh)
{
    Db *other = NULL;
    Arena *a = r->arena;
    RestoreReport *ret = r->ret;
    const DatabaseNames names = {ret->database, ret->old_name, fresh};
    if (strcmp(fresh, ret->database) == 0)
        return true;
    bool ok = connect_admin(r) &&
              database_admin(a, &r->in->base, &ret->target.url, ret->target.origin, &other, r->err);
    session_close(&r->old); /* it would be in the way, too */
    ok = ok && database_exchange(a, r->admin, other, &names, r->in->force, r->err);
    db_close(other);
    if (ok) {
        ret->made = ret->database;
        tell_writes(r);
        return true;
    }
    if (r->err->code == ERR_CONNECTION_LOST)
        err_detail(r->err,
                   "whether the name was given is not known: if there is no database \"%s\" "
                   "any more, it was",
                   restoring_shown(a, fresh));
    err_detail(r->err, "the backup is restored, whole and compared, in database \"%s\"",
               restoring_shown(a, fresh));
    return err_hint(r->err, "to give the name by hand: %s",
                    restoring_shown(a, database_exchange_sql(a, &names)));
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
               restoring_shown(r->arena, name));
    Buf b;
    buf_init(&b, r->arena);
    buf_addz(&b, "DROP DATABASE ");
    sql_add_ident(&b, name);
    return err_hint(r->err, "later: %s", restoring_shown(r->arena, b.p));
}

/* The database that the rows go into. A name that somebody asked for is given to a whole one only; of a
 * name of ours there is another when it was taken just now. */
static bool
make_database(Restore *r, const char **ret_name)
{
    enum { TRIES = 5 };
    RestoreReport *ret = r->ret;
    const char *old = ret->target.url.database ? ret->target.url.database : "postgres";
    bool is_cron = r->facts.cron && restoring_wants(r, "pg_cron");
    bool is_asked_for = ret->replaces || r->in->replace || r->in->name;
    bool is_exchanged = is_asked_for && !is_cron;
    for (int i = 0; i < TRIES; i++) {
        if (i && !is_asked_for)
            ret->database = database_dated(r->arena, r->admin, old, "restored");
        *ret_name = is_exchanged ? database_dated(r->arena, r->admin, ret->database, "restoring")
                                 : ret->database;
        if (database_create(r->arena, r->admin, *ret_name, &r->facts, r->err))
            return true;
        bool is_taken = strcmp(r->err->sqlstate, "42P04") == 0 || /* or in the same moment: */
                        strcmp(r->err->sqlstate, "23505") == 0;
        if (!is_taken || (is_asked_for && !is_exchanged))
            return false;
    }
    return false;
}

static bool
into_new_database(Restore *r)
{
    RestoreReport *ret = r->ret;
    const char *fresh;
    if (!make_database(r, &fresh))
        return false;
    event(r->in, RUN_STAGE, RUN_OK,
          str_fmt(r->arena, "made database \"%s\"", restoring_shown(r->arena, fresh)));
    bool ok = restoring_open(r, fresh) && restoring_run(r);
    db_close(r->db);
    r->db = NULL;
    if (!ok)
        return drop_unfinished(r, fresh);
    ret->made = fresh;
    if (!finish(r, fresh))
        return err_detail(r->err,
                          "the backup is restored and whole in database \"%s\", without the "
                          "settings of \"%s\"",
                          restoring_shown(r->arena, fresh),
                          restoring_shown(r->arena, ret->database));
    read_history(r, fresh);
    return take_name(r, fresh);
}

static bool
restore(Restore *r)
{
    if (!restoring_backup(r) || !restoring_target(r) || !restoring_survey(r) ||
        !(r->in->into ? restoring_database(r) : restoring_server(r)))
        return false;
    if (r->in->dry_run)
        return true;
    if (!restoring_gate(r) || !restoring_guests(r) || !findings_pass(&r->ret->findings, r->err) ||
        (r->in->approve && !r->in->approve(r->in->approve_arg, r->ret, r->err)) || !lock_old(r))
        return false;
    if (!r->in->into)
        return into_new_database(r);
    if (!restoring_run(r))
        return false;
    read_history(r, NULL);
    return true;
}

bool
flow_restore(Arena *a, const RestoreInput *in, RestoreReport *ret, Err *err)
{
    int64_t started = clock_ms();
    *ret = (RestoreReport){.config = in->base.config, .dry_run = in->dry_run};
    findings_init(&ret->findings, a, &in->base.config->finding_rules);
    Restore r = {.arena = a, .in = in, .ret = ret, .err = err};
    bool ok = restore(&r);
    session_close(&r.old);
    db_close(r.db);
    db_close(r.admin);
    ret->ms = clock_ms() - started;
    return ok;
}
