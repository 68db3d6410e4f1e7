#include "url_int.h"

#include "base/fs.h"
#include "base/os.h"

typedef enum ParamKind {
    PARAM_PASS, /* libpq's, as it is */
    PARAM_TEXT, /* the same; "@" in it is no sign of a mistake */
    PARAM_PLUS, /* the same; "+" is a space, as Prisma reads it */
    PARAM_POOL, /* of Prisma's pool: no meaning here */
    PARAM_REFUSED,
    PARAM_OWN, /* handled by name */
} ParamKind;

static const struct {
    const char *name;
    ParamKind kind;
} known[] = {
    {"application_name", PARAM_TEXT},
    {"channel_binding", PARAM_PASS},
    {"connect_timeout", PARAM_OWN},
    {"connection_limit", PARAM_POOL},
    {"dbname", PARAM_OWN},
    {"gssencmode", PARAM_PASS},
    {"host", PARAM_OWN},
    {"hostaddr", PARAM_PASS},
    {"keepalives", PARAM_PASS},
    {"keepalives_count", PARAM_PASS},
    {"keepalives_idle", PARAM_PASS},
    {"keepalives_interval", PARAM_PASS},
    {"krbsrvname", PARAM_PASS},
    {"max_connection_lifetime", PARAM_POOL},
    {"max_idle_connection_lifetime", PARAM_POOL},
    {"options", PARAM_PLUS},
    {"passfile", PARAM_TEXT},
    {"password", PARAM_OWN},
    {"pgbouncer", PARAM_OWN},
    {"pool_mode", PARAM_POOL},
    {"pool_timeout", PARAM_POOL},
    {"port", PARAM_OWN},
    {"requirepeer", PARAM_PASS},
    {"schema", PARAM_OWN},
    {"service", PARAM_REFUSED},
    {"servicefile", PARAM_REFUSED},
    {"single_use_connections", PARAM_POOL},
    {"socket_timeout", PARAM_POOL},
    {"ssl", PARAM_OWN},
    {"ssl_max_protocol_version", PARAM_PASS},
    {"ssl_min_protocol_version", PARAM_PASS},
    {"sslaccept", PARAM_OWN},
    {"sslcert", PARAM_OWN},
    {"sslcompression", PARAM_PASS},
    {"sslcrl", PARAM_PASS},
    {"sslcrldir", PARAM_PASS},
    {"sslidentity", PARAM_REFUSED},
    {"sslkey", PARAM_OWN},
    {"sslmode", PARAM_OWN},
    {"sslpassword", PARAM_OWN},
    {"sslrootcert", PARAM_OWN},
    {"sslsni", PARAM_PASS},
    {"statement_cache_size", PARAM_POOL},
    {"target_session_attrs", PARAM_PASS},
    {"tcp_user_timeout", PARAM_PASS},
    {"user", PARAM_OWN},
    {"workaround", PARAM_POOL},
};

/* Parameters that only make sense together with others. */
typedef struct Later {
    const char *host, *port, *port_at;
    const char *mode, *accept, *cert, *key, *key_password, *root, *key_password_at, *root_at;
} Later;

/* Set a keyword; a repeated one counts with its last value, as Prisma reads it. */
static void
set(const UrlReader *r, const char *key, const char *value)
{
    vec_each (UrlParam, p, &r->url->params) {
        if (strcmp(p->key, key) == 0) {
            p->value = value;
            return;
        }
    }
    *vec_add(r->a, &r->url->params) = (UrlParam){key, value};
}

static bool
parse_sslmode(const UrlReader *r, const char *value, const char *at, Later *later)
{
    static const char *const modes[] = {"disable", "allow",     "prefer",
                                        "require", "verify-ca", "verify-full"};
    for (size_t i = 0; i < COUNT(modes); i++)
        if (strcmp(value, modes[i]) == 0) {
            later->mode = modes[i];
            return true;
        }
    url_fail(r, at, "this sslmode does not exist");
    if (!strcmp(value, "no-verify"))
        return err_hint(r->err,
                        "no-verify is a word of node-postgres; PostgreSQL's for the same is "
                        "sslmode=require: encrypted, and no certificate is checked");
    return err_hint(r->err, "use one of: disable, allow, prefer, require, verify-ca, verify-full");
}

static bool
parse_flag(const UrlReader *r, const char *value, const char *at, bool *ret)
{
    *ret = !strcmp(value, "true") || !strcmp(value, "1") || !*value;
    return *ret || !strcmp(value, "false") || !strcmp(value, "0") ||
           url_fail(r, at, "the value must be true or false");
}

static bool
parse_own(const UrlReader *r, const char *key, const char *value, const char *at, Later *later)
{
    DbUrl *url = r->url;
    const char *text = value[0] ? value : NULL;
    bool on;
    if (!strcmp(key, "schema"))
        url->schema = text;
    else if (!strcmp(key, "user"))
        url->user = text;
    else if (!strcmp(key, "password"))
        url->password = text;
    else if (!strcmp(key, "dbname"))
        url->database = text ? text : url->database;
    else if (!strcmp(key, "host"))
        later->host = text;
    else if (!strcmp(key, "port"))
        later->port = text, later->port_at = at;
    else if (!strcmp(key, "sslmode"))
        return parse_sslmode(r, value, at, later);
    else if (!strcmp(key, "sslaccept"))
        later->accept = value;
    else if (!strcmp(key, "sslcert"))
        later->cert = text;
    else if (!strcmp(key, "sslkey"))
        later->key = text;
    else if (!strcmp(key, "sslpassword"))
        later->key_password = value, later->key_password_at = at;
    else if (!strcmp(key, "sslrootcert"))
        later->root = text, later->root_at = at;
    else if (!strcmp(key, "connect_timeout")) {
        long long n;
        if (!str_to_int(str_of(value), 0, 1000000, &n))
            return url_fail(r, at, "connect_timeout is not a number of seconds");
        url->connect_timeout_s = (int)n;
    } else if (!strcmp(key, "pgbouncer")) {
        if (!parse_flag(r, value, at, &url->pgbouncer))
            return false;
        *vec_add(r->a, &url->ignored) = (UrlParam){key, value};
    } else if (!strcmp(key, "ssl")) { /* of node-postgres and JDBC */
        if (strcmp(value, "no-verify") != 0 && !parse_flag(r, value, at, &on))
            return false;
        if (!later->mode && (!strcmp(value, "no-verify") || on))
            later->mode = "require";
    }
    return true;
}

static bool
fail_identity(const UrlReader *r, const char *at)
{
    url_fail(r, at, "a client certificate in a PKCS#12 file cannot be used");
    err_hint(r->err, "convert it: openssl pkcs12 -in client.p12 -clcerts -nokeys -out client.crt; "
                     "openssl pkcs12 -in client.p12 -nocerts -nodes -out client.key");
    return err_hint(r->err, "then write sslcert=client.crt&sslkey=client.key");
}

/* A mistyped TLS parameter would silently leave the connection unprotected. */
static bool
fail_tls_name(const UrlReader *r, Str key, const char *at)
{
    const char *nearest = NULL;
    size_t best = 4;
    for (size_t i = 0; i < COUNT(known); i++) {
        size_t d = str_distance(key, str_of(known[i].name), best);
        if (d < best && !strncmp(known[i].name, "ssl", 3) && known[i].kind != PARAM_REFUSED)
            best = d, nearest = known[i].name;
    }
    url_fail(r, at, "unknown TLS parameter");
    return err_hint(r->err, nearest ? "did you mean %s?" : "the usual one is %s",
                    nearest ? nearest : "sslmode");
}

static bool
parse_pair(const UrlReader *r, Str pair, Later *later)
{
    Str value = pair, name = str_cut(&value, '=');
    ParamKind kind = PARAM_POOL;
    const char *key = NULL, *decoded = "";
    for (size_t i = 0; i < COUNT(known) && !key; i++)
        if (str_is(name, known[i].name))
            key = known[i].name, kind = known[i].kind;
    bool odd_name = false;
    for (size_t i = 0; i < name.n; i++)
        odd_name |= strchr("@/:", name.p[i]) != NULL;
    bool own = kind == PARAM_OWN || kind == PARAM_TEXT || kind == PARAM_PLUS;
    if (odd_name || (!r->has_at && !own && value.n && memchr(value.p, '@', value.n))) {
        return url_fail_escape(r, pair.p,
                               "this part after the \"?\" seems to belong to the password");
    }
    if (value.p && !url_decode(r, value, kind == PARAM_PLUS, &decoded))
        return false;
    const char *at = value.p ? value.p : name.p;
    if (kind == PARAM_REFUSED && key[3] == 'i')
        return fail_identity(r, name.p);
    if (kind == PARAM_REFUSED) {
        url_fail(r, name.p, "service files are not read");
        return err_hint(r->err, "write host, user and database into the URL itself");
    }
    if (kind == PARAM_OWN)
        return parse_own(r, key, decoded, at, later);
    if (!key && name.n >= 3 && str_ieq(str_slice(name, 0, 3), STR("ssl")) &&
        !str_is(name, "sslcertmode") && !str_is(name, "sslnegotiation") &&
        !str_is(name, "sslkeylogfile"))
        return fail_tls_name(r, name, name.p);
    if (key && kind != PARAM_POOL)
        set(r, key, decoded);
    else
        *vec_add(r->a, &r->url->ignored) = (UrlParam){key ? key : str_dup(r->a, name), decoded};
    return true;
}

const char *
url_system_roots(void)
{
    static const char *const bundles[] = {"/etc/ssl/certs/ca-certificates.crt",
                                          "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem"};
    for (size_t i = 0; i < COUNT(bundles); i++)
        if (fs_kind(bundles[i]) == FS_FILE)
            return bundles[i];
    return NULL;
}

/* Whether libpq itself would find root certificates. */
static bool
has_own_roots(Arena *a)
{
    const char *home = os_env("HOME"), *named = os_env("PGSSLROOTCERT");
    return (named && *named) || (home && fs_exists(str_fmt(a, "%s/.postgresql/root.crt", home)));
}

/* Translate Prisma's TLS parameters. Its default is to check no certificate and libpq checks as
 * soon as there is a root certificate, so that one is left out when no check was asked for. */
static bool
apply_tls(const UrlReader *r, Later *t)
{
    if (t->key) {
        set(r, "sslkey", t->key);
        if (t->cert)
            set(r, "sslcert", t->cert);
        if (t->key_password)
            set(r, "sslpassword", t->key_password);
    } else if (t->key_password) {
        return fail_identity(r, t->key_password_at);
    } else if (t->cert && !t->root) {
        t->root = t->cert;
    }
    bool off = t->mode && !strcmp(t->mode, "disable");
    if (t->accept && !strcmp(t->accept, "accept_invalid_certs")) {
        t->root = NULL;
        if (t->mode && !strncmp(t->mode, "verify-", 7))
            t->mode = "require";
    } else if (!off && (t->accept || (t->root && !strcmp(t->root, "system")))) {
        t->mode = "verify-full"; /* also for unknown values of sslaccept, as Prisma does */
    }
    bool full = t->mode && !strcmp(t->mode, "verify-full");
    bool wants_system =
        t->root ? !strcmp(t->root, "system") : full && (t->accept || !has_own_roots(r->a));
    if (wants_system && !off) {
        const char *bundle = url_system_roots();
        if (!bundle && t->root) {
            url_fail(r, t->root_at, "the system has no root certificates");
            return err_hint(r->err, "apt-get install ca-certificates");
        }
        t->root = bundle;
    }
    if (t->mode)
        set(r, "sslmode", t->mode);
    if (t->root && !off)
        set(r, "sslrootcert", t->root);
    return true;
}

/* One port for all hosts, or one for each. */
static bool
apply_ports(const UrlReader *r, const char *list, const char *at)
{
    size_t i = 0;
    for (Str rest = str_of(list); rest.p; i++) {
        Str one = str_cut(&rest, ',');
        long long port;
        if (!str_to_int(one, 1, 65535, &port) || (i > 0 && i >= r->url->hosts.n))
            return url_fail(r, at, "the port is not a number between 1 and 65535");
        bool for_all = i == 0 && !rest.p;
        for (size_t h = i; h < (for_all ? r->url->hosts.n : i + 1); h++)
            r->url->hosts.v[h].port = (int)port;
    }
    return true;
}

/* host= replaces the hosts of the authority but keeps their port. */
static bool
apply_hosts(const UrlReader *r, const Later *later)
{
    int port = r->url->hosts.v[0].port;
    if (later->host) {
        if (!url_hosts_parse(r, str_of(later->host), false))
            return false;
        vec_each (UrlHost, h, &r->url->hosts)
            h->port = port;
    }
    return !later->port || apply_ports(r, later->port, later->port_at);
}

bool
url_params_parse(const UrlReader *r, Str query)
{
    Later later = {0};
    while (query.p) {
        Str pair = str_cut(&query, '&');
        if (pair.n && !parse_pair(r, pair, &later))
            return false;
    }
    return apply_hosts(r, &later) && apply_tls(r, &later);
}
