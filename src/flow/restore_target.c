/* Where a backup goes: the server, the database, and whether it may be done. */
#include "flow/restore_int.h"

#include "base/clock.h"
#include "flow/guard.h"
#include "sqltext/sqltext.h"

const char *
restoring_shown(Arena *a, const char *name)
{
    return str_printable(a, str_of(name), false);
}

/* ---- the server ----------------------------------------------------------------------------- */

static void
add_list(Err *err, const RestoreTexts *names)
{
    ARENA_LOCAL(a);
    Buf b;
    buf_init(&b, a);
    vec_each (const char *, name, names)
        buf_fmt(&b, "%s%s", b.n ? ", " : "", restoring_shown(a, *name));
    err_detail(err, "%s", b.p);
}

bool
restoring_lacks(Restore *r, Db *db)
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

void
restoring_versions(Restore *r, const DbInfo *info)
{
    r->ret->server = info;
    int major = info->version / 10000;
    if (r->ret->survey.major > major)
        finding_add(
            &r->ret->findings, FINDING_RESTORE_NEWER,
            "the backup is of PostgreSQL %d, the server runs %d: what %d does not know ends the "
            "restore",
            r->ret->survey.major, major, major);
}

/* What would keep the names from being exchanged is told before the work. */
static bool
check_exchange(Restore *r, const char *name)
{
    if (r->facts.prepared.n) {
        err_set(r->err, ERR_RESTORE,
                "database \"%s\" has transactions that are prepared: its name "
                "cannot be given away",
                restoring_shown(r->arena, name));
        add_list(r->err, &r->facts.prepared);
        return err_hint(r->err, "in that database: COMMIT PREPARED or ROLLBACK PREPARED ...");
    }
    if (r->facts.may_rename)
        return true;
    err_set(r->err, ERR_DENIED,
            "database \"%s\" belongs to role \"%s\": role \"%s\" cannot give "
            "its name away",
            restoring_shown(r->arena, name), restoring_shown(r->arena, r->facts.owner),
            restoring_shown(r->arena, db_info(r->admin)->user));
    return err_hint(r->err, "restore as its owner, or beside it, without --replace");
}

/* A pooler keeps its sessions on the new database, which then cannot be given its name. */
static bool
check_way(Restore *r)
{
    if (db_info(r->admin)->is_direct || !(r->in->replace || r->in->name))
        return true;
    err_set(r->err, ERR_POOLER,
            "a pooler stands between here and the server, and keeps sessions: a "
            "restored database could not be given its name");
    return err_hint(r->err, "use the address of PostgreSQL itself (DIRECT_URL, or --url)");
}

bool
restoring_wants(const Restore *r, const char *extension)
{
    vec_each (const char *, name, &r->ret->survey.extensions)
        if (strcmp(*name, extension) == 0)
            return true;
    return false;
}

/* Extensions that can only be made where the server was started with them, or in one database. */
static bool
check_extensions(Restore *r)
{
    for (size_t i = 0; cluster_preloads[i]; i++) {
        const char *name = cluster_preloads[i];
        if (!restoring_wants(r, name) || !r->facts.preloaded || strstr(r->facts.preloaded, name))
            continue;
        err_set(r->err, ERR_RESTORE,
                "the backup needs the extension %s, which this server was not "
                "started with",
                name);
        return err_hint(r->err, "add it to shared_preload_libraries and start the server again");
    }
    const char *cron = r->facts.cron;
    if (!restoring_wants(r, "pg_cron") || !cron ||
        (strcmp(cron, r->ret->database) == 0 && !r->ret->replaces))
        return true;
    err_set(r->err, ERR_RESTORE,
            "the backup needs the extension pg_cron, which can only be made in "
            "database \"%s\" (cron.database_name)",
            restoring_shown(r->arena, cron));
    if (r->ret->replaces)
        err_hint(r->err,
                 "give that database another name first (ALTER DATABASE ... RENAME TO ...), "
                 "then: aramid restore --name %s",
                 str_shell(r->arena, cron));
    return err_hint(r->err,
                    "or set cron.database_name to the new database's name, start the server "
                    "again, and restore with --name");
}

/* Databases of restores that were killed take space until somebody drops them. */
static bool
tell_left(Restore *r)
{
    DbRowsVec rows;
    if (!db_query(r->admin, r->arena,
                  STR("SELECT d.datname FROM pg_catalog.pg_database d WHERE "
                      "(pg_catalog.shobj_description(d.oid, 'pg_database') OPERATOR(pg_catalog.=) "
                      "'" DATABASE_BEGUN "' OR d.datname OPERATOR(pg_catalog.~) "
                      "'_restoring_[0-9]{8}t[0-9]{6}z(_[0-9]+)?$') AND NOT EXISTS (SELECT FROM "
                      "pg_catalog.pg_stat_activity a WHERE a.datid OPERATOR(pg_catalog.=) d.oid) "
                      "ORDER BY d.datname LIMIT 20"),
                  &rows, r->err))
        return false;
    for (int i = 0; i < rows.v[0].rows; i++) {
        Buf b;
        buf_init(&b, r->arena);
        sql_add_ident(&b, db_cell(&rows.v[0], i, 0).p);
        finding_add(
            &r->ret->findings, FINDING_RESTORE_LEFT,
            "database %s is what a restore that was killed has left; nobody is connected to "
            "it: DROP DATABASE %s",
            restoring_shown(r->arena, b.p), restoring_shown(r->arena, b.p));
    }
    return true;
}

/* Poolers keep the server process of a client that has gone, pgpool and pgbouncer in session mode, too:
 * then the restored database would stay in use, and could neither be given its name nor be dropped. */
static bool
is_let_go(Restore *r)
{
    const Target *t = &r->ret->target;
    Err *err = r->err;
    enum { GONE_MS = 5000, LOOK_MS = 50 };
    Db *other;
    DbRowsVec rows;
    /* To the project's own database: pgpool keeps no sessions of "postgres" and the templates. */
    DbOptions o = flow_connection(&r->in->base, &t->url, t->origin, "aramid restore");
    if (!db_open(r->arena, &o, &other, err))
        return err->code == ERR_DB_MISSING || err->code == ERR_DENIED;
    int pid = db_info(other)->backend_pid;
    db_close(other);
    const char *there =
        str_fmt(r->arena,
                "SELECT EXISTS (SELECT FROM pg_catalog.pg_stat_activity x WHERE x.pid"
                " OPERATOR(pg_catalog.=) %d)",
                pid);
    for (int64_t end = clock_ms() + GONE_MS; clock_ms() < end;) {
        if (!db_query(r->admin, r->arena, str_of(there), &rows, err))
            return false;
        if (!str_is(db_cell(&rows.v[0], 0, 0), "t"))
            return true;
        if (!db_pause(o.tick, o.tick_arg, LOOK_MS))
            return err_set(err, ERR_INTERRUPTED, "the restore was interrupted");
    }
    err_set(err, ERR_RESTORE,
            "a pooler at %s keeps its sessions: the restored database could not be "
            "given its name",
            db_info(r->admin)->host);
    err_detail(err, "server process %d stayed when its client was gone; nothing was touched", pid);
    return err_hint(err, "use a direct connection: the address of PostgreSQL itself, by --url; or "
                         "restore into an empty database that is there: --into URL");
}

bool
restoring_server(Restore *r)
{
    RestoreReport *ret = r->ret;
    if (ret->target.absent)
        return true; /* only looked at: a restore makes it */
    const char *name = ret->target.url.database ? ret->target.url.database : "postgres";
    if (!database_admin(r->arena, &r->in->base, &ret->target.url, ret->target.origin, &r->admin,
                        r->err) ||
        !is_let_go(r) || !database_facts(r->arena, r->admin, name, &r->facts, r->err) ||
        !restoring_lacks(r, r->admin))
        return false;
    restoring_versions(r, db_info(r->admin));
    if (!tell_left(r))
        return false;
    if (db_info(r->admin)->in_recovery)
        return err_set(r->err, ERR_READ_ONLY, "the server accepts no writes");
    /* A database of another encoding would refuse its names, and take its rows for what they are not. */
    if (restore_is_raw(&ret->survey) &&
        !(r->facts.create && strstr(r->facts.create, ret->survey.encoding)))
        r->facts.create = database_raw_options(r->arena, &ret->survey);
    ret->exists = r->facts.exists;
    ret->old_bytes = r->facts.bytes;
    if (r->in->replace && ret->exists) {
        ret->replaces = true;
        ret->database = name;
        ret->old_name = database_dated(r->arena, r->admin, name, "before");
        if (!database_guests(r->arena, r->admin, name, ret, r->err) || !check_exchange(r, name))
            return false;
        if (r->facts.has_slots || r->facts.has_subscriptions)
            finding_add(&r->ret->findings, FINDING_RESTORE_SLOTS,
                        "replication slots and subscriptions stay with the old database \"%s\"",
                        restoring_shown(r->arena, ret->old_name));
    } else {
        ret->database = r->in->name      ? r->in->name
                        : r->in->replace ? name
                                         : database_dated(r->arena, r->admin, name, "restored");
    }
    if (!check_way(r) || !check_extensions(r))
        return false;
    DatabaseFacts there;
    if (!ret->replaces && !database_facts(r->arena, r->admin, ret->database, &there, r->err))
        return false;
    if (!ret->replaces && there.exists) {
        err_set(r->err, ERR_RESTORE, "there is a database \"%s\" already",
                restoring_shown(r->arena, ret->database));
        return err_hint(r->err,
                        "give another --name; only --replace takes the place of a database");
    }
    if (!r->facts.may_create) {
        err_set(r->err, ERR_DENIED, "role \"%s\" may not make databases",
                restoring_shown(r->arena, db_info(r->admin)->user));
        return err_hint(r->err, "give it the right (ALTER ROLE ... CREATEDB), or have an empty "
                                "database made and restore with: --into URL");
    }
    return true;
}

bool
restoring_open(Restore *r, const char *name)
{
    DbUrl *url = arena_new(r->arena, DbUrl);
    *url = r->ret->target.url;
    if (name)
        url->database = name;
    DbOptions o = flow_connection(&r->in->base, url, r->ret->target.origin, "aramid restore");
    o.refuse_pooler = true;
    if (!db_open(r->arena, &o, &r->db, r->err))
        return false;
    const DbInfo *info = db_info(r->db);
    if (!info->is_shared && (!name || strcmp(info->database, name) == 0))
        return true;
    err_set(r->err, ERR_RESTORE,
            "the server gave database \"%s\" instead of the one that was asked for: nothing was "
            "touched",
            restoring_shown(r->arena, info->database));
    return err_hint(r->err, "use the address of a PostgreSQL itself (DIRECT_URL, or --url)");
}

/* Rows of no encoding would be taken by any, and be no text there. */
static bool
check_encoding(Restore *r)
{
    DbRowsVec rows;
    if (!restore_is_raw(&r->ret->survey))
        return true;
    if (!db_query(r->db, r->arena, STR("SELECT pg_catalog.current_setting('server_encoding')"),
                  &rows, r->err))
        return false;
    Str there = db_cell(&rows.v[0], 0, 0);
    if (str_is(there, r->ret->survey.encoding))
        return true;
    err_set(r->err, ERR_RESTORE,
            "the backup's texts are of no encoding (%s), and database \"%s\" has one (%s)",
            r->ret->survey.encoding, restoring_shown(r->arena, r->ret->database),
            restoring_shown(r->arena, str_dup(r->arena, there)));
    return err_hint(r->err, "make the empty database so: CREATE DATABASE ... TEMPLATE template0%s",
                    database_raw_options(r->arena, &r->ret->survey));
}

/* --into: the database is there, and must be empty; or, for the rows of some tables, these. */
bool
restoring_database(Restore *r)
{
    const char *found;
    if (!restoring_open(r, NULL))
        return false;
    r->ret->into = true;
    r->ret->database = db_info(r->db)->database;
    restoring_versions(r, db_info(r->db));
    if (!check_encoding(r))
        return false;
    if (r->in->only)
        return true; /* looked at under their locks */
    if (!restore_is_empty(r->arena, r->db, &found, r->err))
        return false;
    if (found) {
        err_set(r->err, ERR_NOT_EMPTY, "database \"%s\" is not empty",
                restoring_shown(r->arena, r->ret->database));
        err_detail(r->err, "there is: %s", restoring_shown(r->arena, found));
        return err_hint(r->err, "--into wants an empty database; without it, a new one is made");
    }
    return restoring_lacks(r, r->db);
}

bool
restoring_target(Restore *r)
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

bool
restoring_guests(Restore *r)
{
    if (!r->ret->guests.n || r->in->force)
        return true;
    err_set(r->err, ERR_RESTORE, "%zu session%s of others %s connected to database \"%s\"",
            r->ret->guests.n, str_plural(r->ret->guests.n), r->ret->guests.n == 1 ? "is" : "are",
            restoring_shown(r->arena, r->ret->database));
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

/* The database that is replaced says who it is; a new one beside it harms nothing, but is not made
 * by a build of a preview, either. */
bool
restoring_gate(Restore *r)
{
    FlowGuard guard;
    GateConsent consent;
    if (!r->ret->replaces) {
        flow_guard_open(r->arena, &r->in->base, GATE_CHANGES, "aramid restore", &guard);
        return flow_guard_check(&guard, r->err);
    }
    Session *s = &r->old;
    History nothing = history_none();
    SessionOptions o = flow_session(&r->in->base, &r->ret->target, &nothing, "restore", FLOW_LOCKS);
    JournalVec journal = {0};
    flow_guard_open(r->arena, &r->in->base, GATE_DESTROYS, "aramid restore --replace", &guard);
    if (!session_open(r->arena, &o, s, r->err) || !session_read(s, &nothing, &journal, r->err) ||
        !flow_guard_session(&guard, s, r->ret->target.origin, r->err) ||
        !flow_guard_consent(&guard, &consent, r->err))
        return false;
    return flow_guard_announce(&guard, &r->in->sink, r->err);
}
