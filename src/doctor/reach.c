/* The way to the database, one step after the other: a person then knows which one fails. */
#include "doctor/doctor_int.h"

/* A configuration for looking: nothing is waited for, and each wait is short. */
static const Config *
impatient(Doctor *d)
{
    static const struct {
        ConfigKey key;
        int64_t most;
    } limits[] = {{CFG_MAX_RETRIES, 0},
                  {CFG_WAIT_SERVER, 0},
                  {CFG_OPERATION_TIMEOUT, 10000},
                  {CFG_CONNECT_TIMEOUT, 10000}};
    Config *c = arena_new(d->arena, Config);
    *c = *d->config;
    for (size_t i = 0; i < COUNT(limits); i++)
        if (c->values[limits[i].key].number > limits[i].most)
            c->values[limits[i].key].number = limits[i].most;
    return c;
}

/* ---- name and route -------------------------------------------------------------------------- */

static const char ipv6_fix[] = "use an address that IPv4 reaches: Supabase's session pooler (port "
                               "5432 of its pooler host), or "
                               "its IPv4 add-on; GitHub's and Vercel's machines speak no IPv6";

static void
tell_name(Doctor *d, const DbWay *way, const char *origin)
{
    const char *host = str_printable(d->arena, str_of(way->host->host), false);
    if (way->reason) {
        doctor_add(d, FINDING_REACH_NAME, SEV_ERROR, host,
                   str_fmt(d->arena,
                           "check the host in %s; a container must share a network with "
                           "the database; a paused project has no name",
                           origin),
                   "its name is not known: %s", way->reason);
        return;
    }
    int v6 = 0;
    vec_each (const DbHop, h, &way->hops)
        v6 += h->is_ipv6;
    doctor_add(d, FINDING_REACH_NAME, SEV_OK, host, NULL, "looked up in %lld ms: %zu address%s",
               (long long)way->lookup_ms, way->hops.n, way->hops.n == 1 ? "" : "es");
    if (v6 && v6 == (int)way->hops.n)
        doctor_add(d, FINDING_REACH_IPV6, way->hops.v[0].has_no_route ? SEV_ERROR : SEV_NOTICE,
                   host, ipv6_fix, "has IPv6 addresses only%s",
                   way->hops.v[0].has_no_route ? ", and this network speaks none" : "");
}

static bool
is_reached(const DbWayVec *ways)
{
    vec_each (const DbWay, way, ways)
        vec_each (const DbHop, h, &way->hops)
            if (h->is_reached)
                return true;
    return false;
}

/* any: some address of some host is reached, so that the others do no harm. */
static void
tell_hops(Doctor *d, const DbWay *way, bool any)
{
    vec_each (const DbHop, h, &way->hops) {
        const char *at = h->address[0] == '/' ? h->address
                                              : str_fmt(d->arena, h->is_ipv6 ? "[%s]:%d" : "%s:%d",
                                                        h->address, way->host->port);
        if (h->is_reached)
            doctor_add(d, FINDING_REACH_TCP, SEV_OK, at, NULL, "answers (%lld ms)",
                       (long long)h->ms);
        else
            doctor_add(d, FINDING_REACH_TCP, any ? SEV_NOTICE : SEV_ERROR, at,
                       any             ? NULL
                       : h->is_refused ? "is PostgreSQL running there, and is the port right?"
                       : h->has_no_route && h->is_ipv6
                           ? ipv6_fix
                           : "check host, port and firewall (allow-lists of a provider count "
                             "this machine's address)",
                       "%s", h->reason);
    }
}

static bool
look(Doctor *d, const DbUrl *url, const char *origin)
{
    const Config *c = impatient(d);
    int64_t ms = config_ms(c, CFG_CONNECT_TIMEOUT);
    DbWayVec ways;
    db_look(d->arena, url, ms < LOOK_MS ? ms : LOOK_MS, d->tick, d->tick_arg, &ways);
    bool any = is_reached(&ways);
    vec_each (const DbWay, way, &ways) {
        if (way->is_name)
            tell_name(d, way, origin);
        tell_hops(d, way, any);
    }
    return any;
}

/* ---- the session ----------------------------------------------------------------------------- */

static void
tell_failure(Doctor *d, const Err *err, const char *subject)
{
    FindingId id = err->code == ERR_TLS         ? FINDING_REACH_TLS
                   : err->code == ERR_POOLER    ? FINDING_REACH_POOLER
                   : err->code == ERR_READ_ONLY ? FINDING_REACH_READ_ONLY
                                                : FINDING_REACH_LOGIN;
    doctor_add(d, id, SEV_ERROR, subject, err->hint[0] ? str_dupz(d->arena, err->hint) : NULL,
               "%s%s%s", err->primary, err->detail[0] ? ": " : "", err->detail);
}

static bool
is_here(const DbUrl *url)
{
    const char *host = url->hosts.v[0].host;
    return host[0] == '/' || strcmp(host, "localhost") == 0 || strncmp(host, "127.", 4) == 0 ||
           strcmp(host, "::1") == 0;
}

static const char *
param(const DbUrl *url, const char *key)
{
    vec_each (const UrlParam, p, &url->params)
        if (strcmp(p->key, key) == 0)
            return p->value;
    return NULL;
}

/* Would a connection that checks the certificate succeed? */
static void
try_certificate(Doctor *d, const DbUrl *url, const char *origin)
{
    const char *mode = param(url, "sslmode"), *root = param(url, "sslrootcert");
    if (mode && strncmp(mode, "verify-", 7) == 0) {
        doctor_add(d, FINDING_REACH_CERTIFICATE, SEV_OK, NULL, NULL, "checked (sslmode=%s)", mode);
        return;
    }
    DbUrl strict = *url;
    strict.params.v = NULL;
    strict.params.n = strict.params.cap = 0;
    vec_each (const UrlParam, p, &url->params)
        if (strcmp(p->key, "sslmode") != 0)
            *vec_add(d->arena, &strict.params) = *p;
    *vec_add(d->arena, &strict.params) = (UrlParam){"sslmode", "verify-full"};
    if (!root && url_system_roots())
        *vec_add(d->arena, &strict.params) = (UrlParam){"sslrootcert", url_system_roots()};
    DbOptions o = {.url = &strict,
                   .url_origin = origin,
                   .application = "aramid",
                   .trace = d->config->trace,
                   .connect_ms = LOOK_MS,
                   .operation_ms = LOOK_MS,
                   .tick = d->tick,
                   .tick_arg = d->tick_arg};
    Db *db = NULL;
    Err err;
    if (db_open(d->arena, &o, &db, &err)) {
        db_close(db);
        doctor_add(d, FINDING_REACH_CERTIFICATE, SEV_WARNING, NULL,
                   "add sslmode=verify-full&sslrootcert=system to the URL",
                   "it would pass, but the URL asks for no check: whoever stands in between can "
                   "read along");
    } else if (err.code == ERR_TLS)
        doctor_add(
            d, FINDING_REACH_CERTIFICATE, SEV_WARNING, NULL,
            "take the provider's root certificate: sslmode=verify-full&sslrootcert=FILE in the URL",
            "it is not checked, and would not pass: %s", err.detail);
    else
        doctor_add(d, FINDING_REACH_CERTIFICATE, SEV_NOTICE, NULL, NULL,
                   "it is not checked; whether it would pass could not be tried: %s", err.primary);
}

static void
tell_session(Doctor *d, const DbUrl *url, const char *origin, const Session *s)
{
    const DbInfo *info = db_info(s->db);
    const char *user = str_printable(d->arena, str_of(info->user), false);
    doctor_add(d, FINDING_REACH_LOGIN, SEV_OK, user, NULL, "is let into database \"%s\" at %s, %s",
               str_printable(d->arena, str_of(info->database), false), info->host,
               info->used_password ? "with a password"
                                   : "without a password (trust, peer or certificate)");
    if (info->tls) {
        doctor_add(d, FINDING_REACH_TLS, SEV_OK, NULL, NULL, "encrypted: %s", info->tls);
        try_certificate(d, url, origin);
    } else if (!is_here(url))
        doctor_add(d, FINDING_REACH_TLS, SEV_WARNING, NULL,
                   "turn TLS on at the server and add sslmode=require to the URL",
                   "not encrypted: %severy row crosses the network in clear text",
                   info->used_password ? "the login and " : "");
    DbPooler between;
    Err err;
    if (!db_pooler(s->db, &between, &err))
        doctor_add(d, FINDING_REACH_POOLER, SEV_NOTICE, NULL, NULL,
                   "whether it is a transaction pooler could not be tried: %s", err.primary);
    else if (between == DB_POOLER) {
        const char *hint;
        db_is_pooler_url(d->arena, url, &hint);
        doctor_add(
            d, FINDING_REACH_POOLER, SEV_ERROR, info->host, hint,
            "is a transaction pooler: two connections share one server process, so locks and "
            "settings of migrations land on those of others");
    } else
        doctor_add(d, FINDING_REACH_POOLER, SEV_OK, NULL, NULL, "%s",
                   info->is_shared ? "one session for all clients"
                   : between == DB_DIRECT
                       ? "a direct connection"
                       : "something stands in between, but keeps sessions apart");
    if (info->in_recovery)
        doctor_add(d, FINDING_REACH_READ_ONLY, SEV_ERROR, info->host,
                   "use the address of the primary", "is a standby: it accepts no writes");
    else if (info->read_only)
        doctor_add(d, FINDING_REACH_READ_ONLY, SEV_ERROR, info->host,
                   "use another role, or turn default_transaction_read_only off",
                   "default_transaction_read_only is on for this role, database or server");
}

bool
doctor_reach(Doctor *d, const SessionOptions *to, bool embedded, Session *ret)
{
    d->now = AREA_REACH;
    if (!embedded && !look(d, to->url, to->url_origin))
        return false;
    if (d->tick && !d->tick(d->tick_arg, 0)) {
        d->is_over = true;
        return false;
    }
    SessionOptions o = *to;
    o.config = impatient(d);
    Err err;
    if (!session_open(d->arena, &o, ret, &err)) {
        tell_failure(d, &err, to->url->hosts.v[0].host);
        d->is_over = err.code == ERR_INTERRUPTED;
        return false;
    }
    if (!embedded)
        tell_session(d, to->url, to->url_origin, ret);
    return true;
}
