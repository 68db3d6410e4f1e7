/* aramid backup, and the backup that a deploy makes by policy. */
#include "flow/backup.h"

#include "base/clock.h"
#include "base/fs.h"
#include "base/os.h"

enum { LOOK_MS = 1000, CLOCK_MS = 3000 };

static void
say(const RunSink *sink, RunEventKind kind, RunLevel level, int64_t ms, const char *text)
{
    sink->event(sink->arg, &(RunEvent){.kind = kind, .level = level, .ms = ms, .text = text});
}

/* ---- what happens while one is made ---------------------------------------------------------- */

static void
on_progress(void *arg, const BackupProgress *p)
{
    ARENA_LOCAL(a);
    Buf b;
    buf_init(&b, a);
    buf_fmt(&b, "%s: %s", p->reads_back ? "reading the backup back" : "backing up",
            str_bytes(a, p->bytes));
    if (p->reads_back && p->all_bytes > 0)
        buf_fmt(&b, " of %s", str_bytes(a, p->all_bytes));
    else if (p->all_bytes > p->bytes)
        buf_fmt(&b, " of about %s", str_bytes(a, p->all_bytes));
    if (p->tables && p->all_tables >= p->tables)
        buf_fmt(&b, ", table %lld of %lld", (long long)p->tables, (long long)p->all_tables);
    else if (p->tables)
        buf_fmt(&b, ", %lld table%s", (long long)p->tables, str_plural(p->tables));
    say(arg, RUN_PROGRESS, RUN_INFO, -1, b.p);
}

static void
on_finding(void *arg, FindingId id, const char *text)
{
    run_find(arg, id, NULL, NULL, "%s", text);
}

/* The newest migration that is applied, and how many are; `run` may have applied more than the
 * history knew when it was read. */
static void
fill_migrations(BackupRequest *r, const History *h, const RunReport *run)
{
    r->applied = h->applied;
    vec_each (const Entry, e, &h->entries)
        if (e->state == ENTRY_APPLIED && (!r->migration || strcmp(e->name, r->migration) > 0))
            r->migration = e->name;
    for (size_t i = 0; run && i < run->applied.n; i++) {
        const Entry *e = history_find(h, run->applied.v[i].name);
        r->applied += !e || e->state != ENTRY_APPLIED;
        r->migration = run->applied.v[i].name;
    }
}

/* PGlite has one session for all who are connected, and `prisma dev` ends when it is asked for COPY:
 * a dump would change what others see, or take the server away from them. */
static bool
refuse_shared(const Session *s, Err *err)
{
    if (!db_info(s->db)->is_shared)
        return true;
    err_set(err, ERR_BACKUP,
            "this server is PGlite (also in `prisma dev`): it cannot be dumped "
            "beside others");
    err_detail(err, "all its clients share one session; nothing was touched");
    return err_hint(err,
                    "stop it and copy its folder, or use pgDump of @electric-sql/pglite-tools");
}

static bool
make(Arena *a, const BackupJob *job, BackupSet *ret, Err *err)
{
    RunSink *to = arena_new(a, RunSink);
    *to = *job->sink;
    BackupRequest r = {.config = job->in->config,
                       .url = &job->target->url,
                       .url_origin = job->target->origin,
                       .name = job->name,
                       .reason = job->run_id ? "deploy" : "asked for",
                       .run_id = job->run_id,
                       .clock_offset_us = db_info(job->session->db)->clock_offset_us,
                       .tick = job->in->tick,
                       .tick_arg = job->in->tick_arg,
                       .tell = on_progress,
                       .tell_arg = to,
                       .find = on_finding,
                       .find_arg = to};
    fill_migrations(&r, job->history, job->run);
    int64_t started = clock_ms();
    if (!backup_create(a, &r, ret, err))
        return false;
    const BackupManifest *m = &ret->manifest;
    const char *text =
        m->method == BACKUP_BY_COMMAND
            ? str_fmt(a, "backup %s was made by the command: %s", m->id, m->command_id)
            : str_fmt(a, "backup %s was made and read back: %s, %zu table%s, %lld row%s", m->id,
                      str_bytes(a, m->data.bytes), m->tables.n, str_plural(m->tables.n),
                      (long long)backup_rows(m), str_plural(backup_rows(m)));
    say(job->sink, RUN_BACKUP, RUN_OK, clock_ms() - started, text);
    return true;
}

/* A good one was just made: older ones of its database may go. What cannot be removed is said, and
 * is no reason to stop. */
static void
prune_after(Arena *a, const FlowInput *in, const RunSink *sink, int64_t clock_offset_us,
            const char *fresh, BackupSetVec *ret)
{
    const Config *c = in->config;
    BackupFolder f;
    BackupSetVec old = {0};
    Err why;
    BackupInputOptions o = {.identity = c->values[CFG_BACKUP_IDENTITY].text,
                            .trace = c->trace,
                            .tick = in->tick,
                            .tick_arg = in->tick_arg};
    bool ok = backup_folder_read(a, c->values[CFG_BACKUP_DIR].text, &f, &why);
    const BackupSet *made = NULL;
    if (ok)
        vec_each (const BackupSet, s, &f.sets)
            if (strcmp(s->id, fresh) == 0)
                made = s;
    const BackupAge age = {.clock = {clock_wall_us() + clock_offset_us, clock_offset_us},
                           .days = c->values[CFG_BACKUP_DAYS].number,
                           .fresh = fresh};
    ok = ok && backup_choose_old(a, &f, &age, &o, &old, &why);
    vec_each (const BackupSet, s, &old) {
        if (!ok || !made || !backup_same_database(s, made))
            continue;
        ok = backup_remove(a, s, &why);
        if (ok)
            *vec_add(a, ret) = *s;
    }
    if (!ok)
        run_find(sink, FINDING_BACKUP_NOT_PRUNED, NULL, "aramid backup prune",
                 "old backups were not removed: %s", why.primary);
}

/* ---- commands ------------------------------------------------------------------------------- */

bool
flow_history_if_any(Arena *a, const Config *c, History *ret, Err *err)
{
    if (flow_history(a, c, ret, err))
        return true;
    *ret = history_none();
    return err->code != ERR_INTERRUPTED;
}

bool
flow_backup(Arena *a, const BackupMake *in, BackupMade *ret, Err *err)
{
    const Config *c = in->base.config;
    *ret = (BackupMade){.config = c, .findings = in->sink.findings};
    History h;
    if (!flow_history_if_any(a, c, &h, err) ||
        !flow_target(a, c, in->base.self_exe, FLOW_MAKES_NOTHING, &ret->target, err))
        return false;
    if (ret->target.absent) {
        err_set(err, ERR_BACKUP, "there is no database to back up: %s is not made yet",
                ret->target.origin);
        return err_hint(err, "give --url, or set DATABASE_URL");
    }
    SessionOptions o = flow_session(&in->base, &ret->target, &h, "backup", FLOW_LOCKS);
    Session s;
    JournalVec journal = {0};
    if (!session_open(a, &o, &s, err))
        return false;
    if (!refuse_shared(&s, err)) {
        session_close(&s);
        return false;
    }
    const DbInfo *info = db_info(s.db);
    say(&in->sink, RUN_CONNECTED, RUN_INFO, -1,
        str_fmt(a, "PostgreSQL %d.%d at %s, database \"%s\", user \"%s\"", info->version / 10000,
                info->version % 10000, info->host, str_printable(a, str_of(info->database), false),
                str_printable(a, str_of(info->user), false)));
    const BackupJob job = {.in = &in->base,
                           .sink = &in->sink,
                           .target = &ret->target,
                           .session = &s,
                           .history = &h,
                           .name = in->name};
    bool ok = lock_and_read(&s, &h, &journal, &in->sink, err) && make(a, &job, &ret->set, err);
    session_close(&s);
    if (ok)
        prune_after(a, &in->base, &in->sink, info->clock_offset_us, ret->set.id, &ret->pruned);
    return ok;
}

static BackupInputOptions
reading(const FlowInput *in)
{
    const Config *c = in->config;
    return (BackupInputOptions){.identity = c->values[CFG_BACKUP_IDENTITY].text,
                                .trace = c->trace,
                                .bindir = c->values[CFG_BACKUP_BIN].text,
                                .timeout_ms = config_ms(c, CFG_BACKUP_TIMEOUT),
                                .tick = in->tick,
                                .tick_arg = in->tick_arg};
}

bool
flow_backup_verify(Arena *a, const BackupVerify *in, BackupLooks *ret, Err *err)
{
    *ret = (BackupLooks){.dir = in->base.config->values[CFG_BACKUP_DIR].text};
    BackupFolder f = {0};
    if (in->all ? !backup_folder_read(a, ret->dir, &f, err)
                : !backup_find(a, ret->dir, in->name, vec_add(a, &f.sets), err))
        return false;
    BackupInputOptions o = reading(&in->base);
    RunSink sink = in->sink;
    vec_each (const BackupSet, s, &f.sets) {
        BackupLook *look = vec_add(a, &ret->looks);
        look->set = *s;
        look->ok = backup_verify(a, s, &o, on_progress, &sink, &look->deep, &look->why);
        if (look->ok)
            continue;
        /* These are about us, not about the backup. */
        if (look->why.code == ERR_INTERRUPTED || look->why.code == ERR_CONFIG ||
            look->why.code == ERR_NO_DUMP) {
            *err = look->why;
            return false;
        }
    }
    return true;
}

/* The server's clock, where a server is named and answers soon. */
static void
read_clock(Arena *a, const FlowInput *in, BackupClock *ret)
{
    const ConfigValue *v = config_target(in->config);
    DbUrl url;
    Err ignored;
    Db *db = NULL;
    *ret = (BackupClock){.now_us = clock_wall_us()};
    if (!v || !url_parse(a, v->text, v->origin, &url, &ignored))
        return;
    DbOptions o = {.url = &url,
                   .url_origin = v->origin,
                   .application = "aramid backup prune",
                   .connect_ms = CLOCK_MS,
                   .operation_ms = CLOCK_MS,
                   .tick = in->tick,
                   .tick_arg = in->tick_arg,
                   .refuse_pooler = true};
    if (!db_open(a, &o, &db, &ignored))
        return;
    ret->offset_us = db_info(db)->clock_offset_us;
    ret->now_us = clock_wall_us() + ret->offset_us;
    db_close(db);
}

bool
flow_backup_prune(Arena *a, const BackupPrune *in, BackupPruned *ret, Err *err)
{
    *ret = (BackupPruned){.dir = in->base.config->values[CFG_BACKUP_DIR].text,
                          .days = in->days,
                          .dry_run = in->dry_run};
    BackupFolder f;
    BackupSetVec old;
    BackupInputOptions o = reading(&in->base);
    BackupAge age = {.days = in->days};
    read_clock(a, &in->base, &age.clock);
    if (!backup_folder_read(a, ret->dir, &f, err) || !backup_choose_old(a, &f, &age, &o, &old, err))
        return false;
    if (!in->dry_run)
        backup_sweep(a, ret->dir);
    vec_each (const BackupSet, s, &old) {
        if (!in->dry_run && !backup_remove(a, s, err))
            return false;
        *vec_add(a, &ret->removed) = *s;
    }
    ret->kept = f.sets.n - old.n;
    return true;
}

/* ---- before a deploy ------------------------------------------------------------------------ */

bool
flow_backup_policy(const Config *c, const char *reason, BackupPolicy *ret, Err *err)
{
    const ConfigValue *v = &c->values[CFG_BACKUP];
    *ret = (BackupPolicy){.makes = v->number != 0,
                          .each = strcmp(c->values[CFG_BACKUP_SCOPE].text, "migration") == 0,
                          .reason = reason};
    if (ret->makes || c->profile != PROFILE_PRODUCTION)
        return true;
    ret->off_origin = v->origin;
    /* A file of the project is a decision that others can see; these are not. */
    bool passing = str_starts(str_of(v->origin), STR("flag ")) ||
                   str_starts(str_of(v->origin), STR("environment variable"));
    if (!passing || (reason && str_trim(str_of(reason)).n))
        return true;
    err_set(err, ERR_CONFIRM, "a deploy to production without a backup needs a reason");
    err_detail(err, "the backup is switched off by: %s", v->origin);
    return err_hint(err, "aramid deploy --no-backup --reason \"snapshot taken at 12:00\"");
}

static bool
is_set(const char *variable, const char *value)
{
    const char *v = os_env(variable);
    return v && v[0] && (!value || strcmp(v, value) == 0);
}

/* A backup on a machine that is gone in an hour is none.
 * https://vercel.com/docs/builds,
 * https://docs.github.com/actions/reference/workflows-and-actions/variables */
static bool
check_place(const Config *c, const RunSink *sink, Err *err)
{
    if (c->values[CFG_BACKUP_COMMAND].text)
        return true;
    if (is_set("RUNNER_ENVIRONMENT", "github-hosted"))
        run_find(sink, FINDING_BACKUP_PLACE, NULL, "keep the backup as an artifact (docs/init.md)",
                 "the disk of this machine of GitHub is thrown away after the job");
    if (!is_set("VERCEL", NULL))
        return true;
    err_set(err, ERR_BACKUP,
            "a backup would lie on the disk of a Vercel build, which is thrown away");
    err_hint(err, "let the database's provider make one: backup.command in aramid.yaml");
    err_hint(err, "or, where the provider keeps backups by itself: aramid deploy --no-backup "
                  "--reason \"the provider keeps 7 days\"");
    return err_hint(err,
                    "scripts/vercel-build.sh of aramid init takes the reason from the variable "
                    "NO_BACKUP_REASON");
}

bool
flow_backup_before(Arena *a, const BackupJob *job, const char **ret_id, Err *err)
{
    const FlowInput *in = job->in;
    const RunSink *sink = job->sink;
    BackupSet set;
    BackupSetVec pruned = {0};
    if (!check_place(in->config, sink, err) || !refuse_shared(job->session, err))
        return err_detail(err, "state: nothing was changed");
    say(sink, RUN_BACKUP, RUN_INFO, -1, "making a backup first");
    if (!make(a, job, &set, err)) {
        if (err->code == ERR_INTERRUPTED)
            return false;
        if (err->code == ERR_TIMEOUT) /* a lost connection is tried again, this is not */
            err->code = ERR_BACKUP;
        err_detail(err,
                   "state: nothing was changed; a deploy here does not begin without a backup");
        return err_hint(err, "without one, by your decision: aramid deploy --no-backup --reason "
                             "TEXT");
    }
    prune_after(a, in, sink, db_info(job->session->db)->clock_offset_us, set.id, &pruned);
    if (pruned.n)
        say(sink, RUN_STAGE, RUN_INFO, -1,
            str_fmt(a, "removed %zu backup%s older than %lld days", pruned.n, str_plural(pruned.n),
                    (long long)in->config->values[CFG_BACKUP_DAYS].number));
    *ret_id = set.id;
    return true;
}

static const char *
dump_text(Arena *a, const ForeignDump *d)
{
    return str_fmt(a, "process %d (%s%s%s%s%s)", d->pid,
                   str_printable(a, str_of(d->application), false), d->user[0] ? ", user " : "",
                   str_printable(a, str_of(d->user), false),
                   d->seconds >= 0 ? ", running for " : "",
                   d->seconds >= 0 ? clock_duration(a, d->seconds * 1000) : "");
}

bool
flow_wait_for_dumps(Arena *a, const FlowInput *in, const RunSink *sink, Session *s, Err *err)
{
    int64_t budget = config_ms(in->config, CFG_LOCK_BUDGET), started = clock_ms();
    for (bool told = false;; told = true) {
        ForeignDumpVec dumps;
        ArenaMark mark = arena_mark(a);
        if (!backup_foreign_dumps(s->db, a, &dumps, err))
            return false;
        int64_t waited = clock_ms() - started;
        if (!dumps.n)
            return true;
        const char *who = dump_text(a, &dumps.v[0]);
        if (waited > budget) {
            run_find(
                sink, FINDING_BACKUP_OTHERS, NULL, NULL,
                "a dump is still running: %s; going on, tables are locked in short attempts only",
                who);
            return true;
        }
        say(sink, told ? RUN_PROGRESS : RUN_WAITING, told ? RUN_INFO : RUN_WARN, -1,
            str_fmt(a, "waiting for a dump that is running: %s", who));
        arena_reset(a, mark);
        if (!db_pause(in->tick, in->tick_arg, LOOK_MS))
            return err_set(err, ERR_INTERRUPTED, "interrupted while a dump was waited for");
    }
}

bool
flow_backup_by_policy(Arena *a, const BackupJob *job, const char *reason, const char **ret_id,
                      Err *err)
{
    BackupPolicy policy;
    const Session *s = job->session;
    return flow_backup_policy(job->in->config, reason, &policy, err) &&
           (!policy.makes || (!s->ledger_exists && s->is_fresh) ||
            flow_backup_before(a, job, ret_id, err));
}
