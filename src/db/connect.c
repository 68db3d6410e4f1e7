/* Connecting: resolve, start, poll with a deadline, explain, try again; then look for poolers. */
#include "db/db_int.h"

#include "base/clock.h"
#include "base/os.h"
#include "db/resolve.h"

#include <poll.h>
#include <stdlib.h>

enum { KEYWORDS_MAX = 64 };

typedef struct Keywords {
    const char *key[KEYWORDS_MAX + 1];
    const char *value[KEYWORDS_MAX + 1];
    int n;
} Keywords;

static void
put(Keywords *k, const char *key, const char *value)
{
    if (!value || k->n == KEYWORDS_MAX)
        return;
    k->key[k->n] = key;
    k->value[k->n++] = value;
}

static void
put_default(Keywords *k, const char *key, const char *value)
{
    for (int i = 0; i < k->n; i++)
        if (strcmp(k->key[i], key) == 0)
            return;
    put(k, key, value);
}

static char *
shown_host(Arena *a, const UrlHost *h)
{
    return h->host[0] == '/'
               ? str_fmt(a, "%s/.s.PGSQL.%d", h->host, h->port)
               : str_fmt(a, strchr(h->host, ':') ? "[%s]:%d" : "%s:%d", h->host, h->port);
}

static bool
unresolved(const DbOptions *opt, const char *host, ResolveEnd end, const char *reason, Err *err)
{
    if (end == RESOLVE_TIMEOUT) {
        err_set(err, ERR_TIMEOUT, "looking up the address of \"%s\" took too long", host);
        return err_hint(err, "check this machine's DNS servers");
    }
    err_set(err, ERR_UNREACHABLE, "can't reach database server: host name \"%s\" is not known",
            host);
    err_detail(err, "%s", reason);
    return err_hint(err, "check the host in %s; a container must share a network with the database",
                    opt->url_origin);
}

/* Parallel lists of host, hostaddr and port, as libpq wants them. */
static bool
put_hosts(Arena *a, const DbOptions *opt, int64_t deadline, Keywords *k, Err *err)
{
    Buf hosts, addrs, ports;
    buf_init(&hosts, a);
    buf_init(&addrs, a);
    buf_init(&ports, a);
    bool any = false;
    Err first = {0};
    vec_each (const UrlHost, h, &opt->url->hosts) {
        AddressVec list = {0};
        if (h->host[0] == '/' || db_is_numeric(h->host)) {
            *vec_add(a, &list) = h->host[0] == '/' ? "" : h->host;
        } else {
            const char *reason;
            int64_t left = deadline - clock_ms();
            ResolveEnd end = resolve_host(a, h->host, left > 0 ? left : 1, &list, &reason);
            if (end != RESOLVE_OK && !first.code)
                unresolved(opt, h->host, end, reason, &first);
        }
        vec_each (const char *, addr, &list) {
            if (any)
                buf_addc(&hosts, ','), buf_addc(&addrs, ','), buf_addc(&ports, ',');
            buf_addz(&hosts, h->host);
            buf_addz(&addrs, *addr);
            buf_fmt(&ports, "%d", h->port);
            any = true;
        }
    }
    if (!any) {
        *err = first;
        return false;
    }
    put(k, "host", hosts.p);
    put(k, "hostaddr", addrs.p);
    put(k, "port", ports.p);
    return true;
}

static void
put_rest(const DbOptions *opt, Keywords *k)
{
    const DbUrl *u = opt->url;
    put(k, "user", u->user);
    put(k, "password", u->password);
    put(k, "dbname", u->database ? u->database : "postgres");
    vec_each (const UrlParam, p, &u->params)
        put(k, p->key, p->value);
    put_default(k, "application_name", opt->application);
    put(k, "client_encoding", "UTF8");
    put_default(k, "gssencmode", "disable");
    /* A dead peer is noticed within seconds: https://www.postgresql.org/docs/current/libpq-connect.html */
    put_default(k, "keepalives_idle", "5");
    put_default(k, "keepalives_interval", "2");
    put_default(k, "keepalives_count", "3");
    put_default(k, "tcp_user_timeout", "10000");
}

static void
on_notice(void *arg, const PGresult *res)
{
    Db *db = arg;
    if (!db->notice)
        return;
    const char *severity = db->pq.PQresultErrorField(res, PG_DIAG_SEVERITY_NONLOCALIZED);
    const char *state = db->pq.PQresultErrorField(res, PG_DIAG_SQLSTATE);
    const char *text = db->pq.PQresultErrorField(res, PG_DIAG_MESSAGE_PRIMARY);
    ARENA_LOCAL(a);
    db->notice(db->notice_arg, severity ? severity : "", state ? state : "",
               url_redact(a, str_of(text), db->opt.secrets ? db->opt.secrets->v : NULL,
                          db->opt.secrets ? db->opt.secrets->n : 0));
}

/* PGlite's socket never answers the question for TLS. A server of this machine that does not, and whose
 * URL says nothing about TLS, is asked again without: no more than libpq's "prefer" promises. */
static bool
may_do_without_tls(const DbUrl *url)
{
    vec_each (const UrlParam, p, &url->params)
        if (strncmp(p->key, "ssl", 3) == 0)
            return false;
    vec_each (const UrlHost, h, &url->hosts)
        if (strcmp(h->host, "localhost") != 0 && strcmp(h->host, "127.0.0.1") != 0 &&
            strcmp(h->host, "::1") != 0)
            return false;
    return true;
}

static bool
no_answer(const Db *db, Arena *scratch, const char *host, Err *err)
{
    bool asked_for_tls = db->pq.PQstatus(db->conn) == CONNECTION_SSL_STARTUP;
    err_set(err, ERR_UNREACHABLE, "can't reach database server at %s: no answer%s within %s", host,
            asked_for_tls ? " to the question for TLS" : "",
            clock_duration(scratch, db->opt.connect_ms));
    if (asked_for_tls)
        return err_hint(err, "a server that knows none (PGlite, a tunnel): add sslmode=disable to "
                             "the URL; else check host, port and firewall");
    return err_hint(err,
                    "check host, port and firewall; timeouts.connect or connect_timeout in the "
                    "URL gives it more time");
}

static bool
connect_to(Db *db, Arena *scratch, const char *host, int64_t started, Err *err)
{
    enum { TLS_ANSWER_MS = 2000 };
    const DbOptions *opt = &db->opt;
    int64_t deadline = started + opt->connect_ms;
    bool may_do_without = !db->skips_tls && may_do_without_tls(opt->url);
    Keywords k = {0};
    if (!put_hosts(scratch, opt, deadline, &k, err))
        return false;
    if (db->skips_tls)
        put(&k, "sslmode", "disable");
    put_rest(opt, &k);
    db->conn = db->pq.PQconnectStartParams(k.key, k.value, 0);
    if (!db->conn)
        return err_set(err, ERR_INTERNAL, "libpq could not start a connection");
    db->pq.PQsetErrorVerbosity(db->conn, PQERRORS_VERBOSE); /* the text then holds the SQLSTATE */
    db->pq.PQsetNoticeReceiver(db->conn, on_notice, db);
    PostgresPollingStatusType state =
        db->pq.PQstatus(db->conn) == CONNECTION_BAD ? PGRES_POLLING_FAILED : PGRES_POLLING_WRITING;
    while (state != PGRES_POLLING_OK && state != PGRES_POLLING_FAILED) {
        short events = state == PGRES_POLLING_READING ? POLLIN : POLLOUT;
        bool asks = may_do_without && db->pq.PQstatus(db->conn) == CONNECTION_SSL_STARTUP;
        int64_t until =
            asks && started + TLS_ANSWER_MS < deadline ? started + TLS_ANSWER_MS : deadline;
        WaitEnd end = db_wait_socket(db->pq.PQsocket(db->conn), events, until, started, 0,
                                     opt->tick, opt->tick_arg);
        if (end == WAIT_STOP)
            return err_set(err, ERR_INTERRUPTED, "connecting to %s was interrupted", host);
        if (end == WAIT_DEADLINE && asks && until < deadline) {
            db->pq.PQfinish(db->conn);
            db->conn = NULL;
            db->skips_tls = true;
            return connect_to(db, scratch, host, clock_ms(), err);
        }
        if (end == WAIT_DEADLINE)
            return no_answer(db, scratch, host, err);
        state = db->pq.PQconnectPoll(db->conn);
    }
    if (state == PGRES_POLLING_FAILED)
        return connect_diagnose(opt, host, db->pq.PQerrorMessage(db->conn), err);
    db->pq.PQsetErrorVerbosity(db->conn, PQERRORS_DEFAULT);
    db->pq.PQsetnonblocking(db->conn, 1);
    return true;
}

/* One attempt. */
static bool
connect_once(Db *db, Arena *scratch, Err *err)
{
    int64_t started = clock_ms();
    const char *host = shown_host(scratch, &db->opt.url->hosts.v[0]);
    bool ok = connect_to(db, scratch, host, started, err);
    if (ok)
        db_trace_connected(db, clock_ms() - started);
    else
        db_trace_refused(db, host, clock_ms() - started, err);
    return ok;
}

static bool
connect_with_retries(Db *db, Err *err)
{
    int64_t busy_until = clock_ms() + db->opt.wait_server_ms;
    for (int attempt = 1;; attempt++) {
        ARENA_LOCAL(scratch);
        if (connect_once(db, scratch, err))
            return true;
        db->pq.PQfinish(db->conn);
        db->conn = NULL;
        bool busy = err->code == ERR_SERVER_BUSY;
        DbPatience patience = busy ? DB_PATIENCE_BUSY : DB_PATIENCE_CONNECT;
        if (busy ? clock_ms() >= busy_until
                 : !err_is_temporary(err) || !db_may_retry(patience, db->opt.retries, attempt))
            return false;
        if (!db_pause(db->opt.tick, db->opt.tick_arg,
                      db_retry_ms(patience, db->opt.retry_delay_ms, attempt)))
            return err_set(err, ERR_INTERRUPTED, "connecting was interrupted");
    }
}

/* The address of PostgreSQL itself behind a pooler's, where the provider's naming tells it. */
static const char *
direct_hint(Arena *a, const DbUrl *url)
{
    const char *host = url->hosts.v[0].host;
    const char *mark = strstr(host, "-pooler.");
    if (mark)
        return str_fmt(a, "use the direct host %.*s%s (DIRECT_URL)", (int)(mark - host), host,
                       mark + strlen("-pooler"));
    if (strstr(host, ".pooler.supabase."))
        return "use port 5432 of the same host (session mode), or db.<project>.supabase.co:5432, "
               "as "
               "DIRECT_URL";
    return "set DIRECT_URL to the address of PostgreSQL itself (default port 5432)";
}

static bool
refuse_pooler(Arena *a, const DbOptions *opt, const char *why, Err *err)
{
    err_set(err, ERR_POOLER, "%s is a transaction pooler; migrations need a direct connection",
            shown_host(a, &opt->url->hosts.v[0]));
    err_detail(err, "%s", why);
    err_detail(err, "behind it, advisory locks and settings land on connections of other clients");
    return err_hint(err, "%s", direct_hint(a, opt->url));
}

bool
db_is_pooler_url(Arena *a, const DbUrl *url, const char **ret_hint)
{
    const UrlHost *h = &url->hosts.v[0];
    if (ret_hint)
        *ret_hint = direct_hint(a, url);
    return (strstr(h->host, ".pooler.supabase.") && h->port == 6543) ||
           (strstr(h->host, "-pooler.") && strstr(h->host, ".neon."));
}

/* A transaction pooler hands the backend of our idle connection to a second one. A proxy that
 * keeps sessions apart does not. Only asked when something stands in between: the backend's pid
 * then differs from the one in the start packet. */
bool
db_pooler(Db *db, DbPooler *ret, Err *err)
{
    *ret = DB_DIRECT;
    if (db->info.is_direct)
        return true;
    Db *other = arena_new(db->arena, Db);
    *other = (Db){.arena = db->arena, .pq = db->pq, .opt = db->opt, .skips_tls = db->skips_tls};
    ARENA_LOCAL(scratch);
    bool ok = connect_once(other, scratch, err);
    if (ok) {
        DbOutcome o;
        db_run(other, scratch, STR("BEGIN; SELECT pg_catalog.pg_backend_pid()"),
               &(DbRun){.timeout_ms = db->opt.operation_ms}, &o);
        long long pid = 0;
        if (o.end == DB_DONE && o.results.n == 2 && o.results.v[1].rows == 1)
            str_to_int(db_cell(&o.results.v[1], 0, 0), 0, INT32_MAX, &pid);
        /* With statement pooling, BEGIN itself ends the connection: an error of the pooler's, not
         * of a server that stops (class 57). */
        bool refused = o.sqlstate[0] && strncmp(o.sqlstate, "57", 2) != 0;
        *ret = refused || pid == db->info.backend_pid ? DB_POOLER : DB_PROXY;
    }
    if (ok)
        db_close(other);
    else
        db->pq.PQfinish(other->conn);
    return ok;
}

bool
db_refuse_pooler(Db *db, Err *err)
{
    DbPooler between;
    if (db_is_pooler_url(db->arena, db->opt.url, NULL))
        return refuse_pooler(db->arena, &db->opt, "its name and port say so", err);
    return db_pooler(db, &between, err) &&
           (between != DB_POOLER ||
            refuse_pooler(db->arena, &db->opt, "two connections were given the same server process",
                          err));
}

/* A proxy that keeps sessions apart was found: this one is ours after all. */
static bool
take_session(Db *db, Err *err)
{
    ARENA_LOCAL(scratch);
    Buf b;
    buf_init(&b, scratch);
    db->is_ours = true;
    db_add_settings(db, &b);
    return db_query(db, scratch, buf_str(&b), NULL, err);
}

bool
db_open(Arena *a, const DbOptions *options, Db **ret, Err *err)
{
    Db *db = arena_new(a, Db);
    *db = (Db){.arena = a, .opt = *options};
    if (options->url->connect_timeout_s > 0)
        db->opt.connect_ms = (int64_t)options->url->connect_timeout_s * 1000;
    if (db->opt.connect_ms <= 0)
        db->opt.connect_ms = 5000;
    if (options->refuse_pooler && db_is_pooler_url(a, options->url, NULL))
        return refuse_pooler(a, options, "its name and port say so", err);
    if (!pq_load(&db->pq, err) || !connect_with_retries(db, err))
        return false;
    DbPooler between = DB_DIRECT;
    if (!db_learn(db, err) || (options->refuse_pooler && !db_pooler(db, &between, err)) ||
        (between == DB_POOLER &&
         !refuse_pooler(a, options, "two connections were given the same server process", err)) ||
        (between == DB_PROXY && !take_session(db, err))) {
        db_close(db);
        return false;
    }
    *ret = db;
    return true;
}

void
db_close(Db *db)
{
    if (!db || !db->conn)
        return;
    if (db->shared.n) {
        ARENA_LOCAL(scratch);
        Err ignored;
        db->opt.tick = NULL; /* also after Ctrl-C */
        (void)!db_query(db, scratch, db->shared, NULL, &ignored);
    }
    db_drop(db);
}
