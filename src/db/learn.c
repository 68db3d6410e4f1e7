/* A session's first message: who answered, and our settings. */
#include "db/db_int.h"

#include "base/clock.h"

enum { SERVER_OLDEST = 130000 };

/* On 14 and newer the server can look whether we are still there
 * (https://www.postgresql.org/docs/current/runtime-config-connection.html
 * #GUC-CLIENT-CONNECTION-CHECK-INTERVAL); servers on other systems than Linux refuse it. */
static const struct {
    const char *name, *value;
    int since; /* version */
} settings[] = {
    {"client_connection_check_interval", "1s", 140000},
    {"statement_timeout", "0", 0},
    {"idle_in_transaction_session_timeout", "0", 0},
    {"idle_session_timeout", "0", 140000},
    {"transaction_timeout", "0", 170000},
};

static bool
is_set(const Db *db, size_t i)
{
    return db->info.version >= settings[i].since && (i > 0 || db->checks_client);
}

int
db_add_settings(const Db *db, Buf *b)
{
    int n = 0;
    for (size_t i = 0; i < COUNT(settings) && db->is_ours; i++)
        if (is_set(db, i)) {
            buf_fmt(b, "SET %s='%s';", settings[i].name, settings[i].value);
            n++;
        }
    return n;
}

/* The same for the first message, which goes before it is known whose session it is: behind a pooler
 * another process answers than the one that was announced, and PGlite has one session for all. */
static void
add_first_settings(const Db *db, Buf *b)
{
    buf_addz(b, "SELECT pg_catalog.set_config(s.n, s.v, false) FROM (VALUES ");
    for (size_t i = 0, n = 0; i < COUNT(settings); i++)
        if (is_set(db, i))
            buf_fmt(b, "%s('%s', '%s')", n++ ? ", " : "", settings[i].name, settings[i].value);
    buf_fmt(b,
            ") s(n, v) WHERE pg_catalog.pg_backend_pid() OPERATOR(pg_catalog.=) %d AND "
            "pg_catalog.strpos(pg_catalog.version(), 'emcc') OPERATOR(pg_catalog.=) 0;",
            db->pq.PQbackendPID(db->conn));
}

/* The session's first message. Only functions that cost little in a new backend. */
static bool
learn(Db *db, DbOutcome *o)
{
    Buf b;
    buf_init(&b, db->arena);
    add_first_settings(db, &b);
    buf_addz(&b,
             "SELECT pg_catalog.pg_backend_pid(), pg_catalog.pg_postmaster_start_time(),"
             " pg_catalog.current_database(), CURRENT_USER, pg_catalog.pg_is_in_recovery(),"
             " pg_catalog.current_setting('transaction_read_only'),"
             " pg_catalog.encode(pg_catalog.timestamptz_send(pg_catalog.clock_timestamp()), 'hex'),"
             " pg_catalog.current_setting('deadlock_timeout'),"
             " pg_catalog.strpos(pg_catalog.version(), 'emcc') OPERATOR(pg_catalog.>) 0,"
             " pg_catalog.current_setting('client_min_messages'),"
             " pg_catalog.current_setting('synchronous_standby_names')");
    if (db->opt.ask) {
        buf_addc(&b, ';');
        buf_addz(&b, db->opt.ask);
    }
    db_run(db, db->arena, buf_str(&b), &(DbRun){.timeout_ms = db->opt.operation_ms}, o);
    return o->end == DB_DONE;
}

/* Milliseconds of a setting as the server shows it: "1s", "1500ms", "2min". */
static int64_t
shown_ms(Str text)
{
    static const struct {
        const char *unit;
        int64_t ms;
    } units[] = {{"ms", 1}, {"s", 1000}, {"min", 60000}, {"h", 3600000}, {"d", 86400000}};
    size_t digits = 0;
    while (digits < text.n && text.p[digits] >= '0' && text.p[digits] <= '9')
        digits++;
    long long v = 0;
    str_to_int(str_slice(text, 0, digits), 0, INT32_MAX, &v);
    for (size_t i = 0; i < COUNT(units); i++)
        if (str_is(str_slice(text, digits, text.n), units[i].unit))
            return v * units[i].ms;
    return v;
}

/* What others have set in a session that is theirs too. */
static bool
keep_shared(Db *db, Err *err)
{
    DbRowsVec rows;
    if (!db_query(db, db->arena,
                  STR("SELECT pg_catalog.concat('RESET ALL;', pg_catalog.string_agg("
                      "pg_catalog.format('SELECT pg_catalog.set_config(%L, %L, false);', name, "
                      "setting), '')) FROM pg_catalog.pg_settings WHERE source "
                      "OPERATOR(pg_catalog.=) 'session'"),
                  &rows, err))
        return false;
    db->shared = db_cell(&rows.v[0], 0, 0);
    return true;
}

bool
db_learn(Db *db, Err *err)
{
    DbInfo *info = &db->info;
    info->version = db->pq.PQserverVersion(db->conn);
    if (info->version < SERVER_OLDEST) {
        err_set(err, ERR_SERVER_VERSION,
                "the server runs PostgreSQL %d.%d; Aramid needs 13 or newer", info->version / 10000,
                info->version % 10000);
        return err_hint(err, "upgrade the server");
    }
    int64_t before = clock_wall_us();
    DbOutcome o;
    db->checks_client = info->version >= 140000;
    if (!learn(db, &o) && strcmp(o.sqlstate, "22023") == 0) {
        db->checks_client = false;
        learn(db, &o);
    }
    if (o.end != DB_DONE)
        return db_outcome_err(&o, "the first query of the session", err);
    size_t at = o.results.n - (db->opt.ask ? 2 : 1);
    const DbRows *r = &o.results.v[at];
    if (r->rows != 1)
        return err_set(err, ERR_SERVER_VERSION, "the server does not answer as PostgreSQL does");
    db->asked = db->opt.ask ? r + 1 : NULL;
    long long v = 0;
    str_to_int(db_cell(r, 0, 0), 0, INT32_MAX, &v);
    info->backend_pid = (int)v;
    info->started = db_cell(r, 0, 1).p;
    info->database = db_cell(r, 0, 2).p;
    info->user = db_cell(r, 0, 3).p;
    info->in_recovery = str_is(db_cell(r, 0, 4), "t");
    info->read_only = str_is(db_cell(r, 0, 5), "on");
    info->clock_offset_us = db_time_us(db_cell(r, 0, 6)) - (before + clock_wall_us()) / 2;
    info->deadlock_timeout_ms = shown_ms(db_cell(r, 0, 7));
    info->is_direct = db->pq.PQbackendPID(db->conn) == info->backend_pid;
    info->is_shared = str_is(db_cell(r, 0, 8), "t");
    Str least = db_cell(r, 0, 9);
    info->gives_notices = !str_is(least, "warning") && !str_is(least, "error");
    info->has_sync_standbys = db_cell(r, 0, 10).n > 0;
    db->is_ours = info->is_direct && !info->is_shared;
    if (info->is_shared && !keep_shared(db, err))
        return false;
    const char *strings = db->pq.PQparameterStatus(db->conn, "standard_conforming_strings");
    info->escapes_strings = strings && strcmp(strings, "on") != 0;
    info->used_password = db->pq.PQconnectionUsedPassword(db->conn);
    const char *tls = db->pq.PQsslAttribute(db->conn, "protocol");
    const char *cipher = db->pq.PQsslAttribute(db->conn, "cipher");
    info->tls =
        tls ? str_fmt(db->arena, "%s%s%s", tls, cipher ? ", " : "", cipher ? cipher : "") : NULL;
    const char *host = db->pq.PQhost(db->conn), *port = db->pq.PQport(db->conn);
    info->host = host && host[0] == '/'
                     ? str_dupz(db->arena, host)
                     : str_fmt(db->arena, "%s:%s", host ? host : "", port ? port : "");
    return true;
}
