/* Who does what at this moment: sessions, dumps, prepared transactions, standbys, locks. */
#include "doctor/server_int.h"

#include "backup/backup.h"
#include "base/clock.h"

enum {
    LONG_TRANSACTION_S = 5 * 60,
    IDLE_S = 60,
    LAG_S = 300,
};

static const int64_t lag_bytes = INT64_C(1) << 30, slot_bytes = INT64_C(10) << 30;

/* ---- sessions -------------------------------------------------------------------------------- */

/* Times of sessions of other roles are NULL without pg_monitor. */
static const char sessions_sql[] =
    "SELECT a.pid, a.usename, a.datname, a.application_name, a.state,"
    " EXTRACT(epoch FROM pg_catalog.clock_timestamp() - a.xact_start)::int8,"
    " EXTRACT(epoch FROM pg_catalog.clock_timestamp() - a.state_change)::int8"
    " FROM pg_catalog.pg_stat_activity a WHERE a.pid <> pg_catalog.pg_backend_pid()"
    " AND (a.backend_type IS NULL OR a.backend_type IN ('client backend', 'walsender'))"
    " AND (a.datname = pg_catalog.current_database() OR a.datname IS NULL)"
    " AND a.xact_start < pg_catalog.clock_timestamp() - interval '1 minute'"
    " AND a.application_name <> 'pg_dump' AND a.application_name NOT LIKE 'aramid/%/dump'"
    " ORDER BY a.xact_start, a.pid LIMIT 20";

static void
look_at_sessions(Doctor *d, Session *s)
{
    const DbRows *r = doctor_ask(d, s, "sessions", sessions_sql);
    int found = 0;
    for (int i = 0; r && i < r->rows; i++) {
        const char *who = str_fmt(d->arena, "process %s, role %s%s%s", doctor_text(d, r, i, 0),
                                  doctor_text(d, r, i, 1), db_cell(r, i, 3).n ? ", " : "",
                                  doctor_text(d, r, i, 3));
        const char *end =
            str_fmt(d->arena, "SELECT pg_terminate_backend(%s); or end it where it was started",
                    doctor_text(d, r, i, 0));
        int64_t open_s = doctor_int(r, i, 5), state_s = doctor_int(r, i, 6);
        const char *open = clock_duration(d->arena, open_s * 1000);
        bool idle = str_starts(db_cell(r, i, 4), STR("idle in transaction"));
        if (idle && state_s >= IDLE_S)
            doctor_add(d, FINDING_SERVER_IDLE, SEV_WARNING, who, end,
                       "idle for %s in an open transaction: its locks stay",
                       clock_duration(d->arena, state_s * 1000));
        else if (open_s >= LONG_TRANSACTION_S)
            doctor_add(
                d, FINDING_SERVER_TRANSACTION, SEV_WARNING, who, end,
                "its transaction is open for %s: migrations wait for its locks, CONCURRENTLY for "
                "its end",
                open);
        else
            continue;
        found++;
    }
    if (r && !found)
        doctor_add(d, FINDING_SERVER_TRANSACTION, SEV_OK, NULL, NULL,
                   "no long or idle transaction");
}

static void
look_at_dumps(Doctor *d, Session *s)
{
    ForeignDumpVec list = {0};
    Err err;
    if (d->is_over)
        return;
    if (!backup_foreign_dumps(s->db, d->arena, &list, &err)) {
        d->is_over = err.code == ERR_INTERRUPTED || !db_is_open(s->db);
        doctor_add(d, FINDING_CHECK_FAILED, SEV_WARNING, "dumps", NULL,
                   "could not be looked at: %s", err.primary);
        return;
    }
    vec_each (const ForeignDump, f, &list)
        doctor_add(d, FINDING_SERVER_DUMP, SEV_WARNING,
                   str_fmt(d->arena, "process %d, role %s, %s", f->pid,
                           str_printable(d->arena, str_of(f->user), false),
                           str_printable(d->arena, str_of(f->application), false)),
                   "wait until it has ended: it holds a lock on every table, and a waiting ALTER "
                   "TABLE stops all readers behind it",
                   "a dump runs now%s%s", f->seconds < 0 ? "" : ", for ",
                   f->seconds < 0 ? "" : clock_duration(d->arena, f->seconds * 1000));
}

static void
look_at_prepared(Doctor *d, Session *s)
{
    const DbRows *r = doctor_ask(
        d, s, "prepared transactions",
        "SELECT p.gid, p.owner, EXTRACT(epoch FROM pg_catalog.clock_timestamp() - "
        "p.prepared)::int8,"
        " pg_catalog.quote_literal(p.gid) FROM pg_catalog.pg_prepared_xacts p WHERE p.database ="
        " pg_catalog.current_database() ORDER BY p.prepared LIMIT 20");
    for (int i = 0; r && i < r->rows; i++)
        doctor_add(d, FINDING_SERVER_PREPARED,
                   doctor_int(r, i, 2) >= LONG_TRANSACTION_S ? SEV_ERROR : SEV_WARNING,
                   doctor_text(d, r, i, 0),
                   str_fmt(d->arena, "COMMIT PREPARED %s; or ROLLBACK PREPARED %s",
                           doctor_text(d, r, i, 3), doctor_text(d, r, i, 3)),
                   "prepared by role %s %s ago and not ended: its locks stay, also over a restart",
                   doctor_text(d, r, i, 1), clock_duration(d->arena, doctor_int(r, i, 2) * 1000));
}

/* ---- replication ----------------------------------------------------------------------------- */

#define CURRENT_LSN                                                                                \
    "CASE WHEN pg_catalog.pg_is_in_recovery() THEN pg_catalog.pg_last_wal_replay_lsn() ELSE"       \
    " pg_catalog.pg_current_wal_lsn() END"

static void
look_at_standbys(Doctor *d, Session *s)
{
    const DbRows *r = doctor_ask(
        d, s, "standbys",
        "SELECT COALESCE(a.application_name, ''), a.state, pg_catalog.pg_wal_lsn_diff(" CURRENT_LSN
        ", a.replay_lsn)::int8, EXTRACT(epoch FROM a.replay_lag)::int8, a.pid FROM"
        " pg_catalog.pg_stat_replication a WHERE a.application_name IS DISTINCT FROM "
        "'pg_basebackup'"
        " ORDER BY a.pid LIMIT 20");
    for (int i = 0; r && i < r->rows; i++) {
        const char *name = db_cell(r, i, 0).n ? doctor_text(d, r, i, 0) : "a standby";
        int64_t bytes = doctor_int(r, i, 2), lag_s = doctor_int(r, i, 3);
        if (doctor_null(r, i, 2))
            doctor_add(d, FINDING_SERVER_REPLICATION, SEV_NOTICE, name, NULL,
                       "how far it is behind is not visible to this role");
        else
            doctor_add(d, FINDING_SERVER_REPLICATION,
                       bytes >= lag_bytes || lag_s >= LAG_S ? SEV_WARNING : SEV_OK, name,
                       bytes >= lag_bytes || lag_s >= LAG_S
                           ? "wait until it has caught up: a migration that rewrites tables puts "
                             "it further behind"
                           : NULL,
                       "%s behind by %s and %s", doctor_text(d, r, i, 1),
                       doctor_bytes(d->arena, bytes), clock_duration(d->arena, lag_s * 1000));
    }
}

static void
look_at_slots(Doctor *d, Session *s)
{
    const DbRows *r = doctor_ask(
        d, s, "replication slots",
        "SELECT l.slot_name, l.slot_type, l.active, pg_catalog.pg_wal_lsn_diff(" CURRENT_LSN
        ", l.restart_lsn)::int8, l.wal_status, pg_catalog.quote_literal(l.slot_name) FROM"
        " pg_catalog.pg_replication_slots l WHERE NOT l.temporary ORDER BY l.slot_name LIMIT 20");
    for (int i = 0; r && i < r->rows; i++) {
        bool active = doctor_true(r, i, 2), lost = str_is(db_cell(r, i, 4), "lost");
        int64_t bytes = doctor_int(r, i, 3);
        if (active && bytes < slot_bytes && !lost)
            continue;
        doctor_add(d, FINDING_SERVER_SLOT, bytes >= slot_bytes || lost ? SEV_ERROR : SEV_WARNING,
                   doctor_text(d, r, i, 0),
                   active
                       ? "look why its reader is slow"
                       : str_fmt(d->arena,
                                 "start its reader again, or: SELECT pg_drop_replication_slot(%s)",
                                 doctor_text(d, r, i, 5)),
                   "%s slot%s%s: the server keeps %s of WAL for it, until the disk is full",
                   doctor_text(d, r, i, 1), active ? "" : " that nobody reads",
                   lost ? ", which lost its place" : "", doctor_bytes(d->arena, bytes));
    }
    const DbRows *w = doctor_ask(
        d, s, "logical replication",
        "SELECT pg_catalog.current_setting('wal_level'), (SELECT pg_catalog.count(*) FROM"
        " pg_catalog.pg_publication)");
    if (w && doctor_int(w, 0, 1) && !str_is(db_cell(w, 0, 0), "logical"))
        doctor_add(d, FINDING_SERVER_SETTING, SEV_WARNING, "wal_level",
                   "ALTER SYSTEM SET wal_level = 'logical'; then restart the server, or drop the "
                   "publications",
                   "%s: there %s, but nothing is published", doctor_text(d, w, 0, 0),
                   doctor_int(w, 0, 1) == 1 ? "is a publication" : "are publications");
}

static void
look_at_locks(Doctor *d, Session *s)
{
    LockHolderVec list = {0};
    Err err;
    if (d->is_over)
        return;
    if (!lock_holders(s, d->arena, &list, &err)) {
        d->is_over = err.code == ERR_INTERRUPTED || !db_is_open(s->db);
        doctor_add(d, FINDING_CHECK_FAILED, SEV_WARNING, "locks", NULL,
                   "could not be looked at: %s", err.primary);
        return;
    }
    vec_each (const LockHolder, h, &list)
        doctor_add(d, FINDING_SERVER_LOCK, h->orphaned ? SEV_ERROR : SEV_WARNING,
                   h->prepared ? "prepared transaction" : str_fmt(d->arena, "process %d", h->pid),
                   h->prepared ? str_fmt(d->arena, "COMMIT PREPARED %s, or ROLLBACK PREPARED %s",
                                         h->prepared, h->prepared)
                   : h->orphaned
                       ? str_fmt(d->arena, "aramid unlock %d", h->pid)
                       : str_fmt(d->arena, "a deploy waits for it; when it hangs: aramid unlock %d",
                                 h->pid),
                   "the migration lock is held since %s by %s%s",
                   str_printable(d->arena, str_of(h->since), false), h->who,
                   h->orphaned ? ", whose program is gone" : "");
    if (!list.n)
        doctor_add(d, FINDING_SERVER_LOCK, SEV_OK, NULL, NULL, "nobody holds the migration lock");
}

void
doctor_server_sessions(Doctor *d, Session *s)
{
    look_at_sessions(d, s);
    look_at_dumps(d, s);
    look_at_prepared(d, s);
    look_at_standbys(d, s);
    look_at_slots(d, s);
    look_at_locks(d, s);
}
