#include "url_int.h"

/* ---- scheme --------------------------------------------------------------------------------- */

static const struct {
    const char *scheme, *what, *hint;
} refused[] = {
    {"prisma", "prisma:// leads to Prisma Accelerate, not to a database",
     "use the direct postgresql:// URL of the database"},
    {"prisma+postgres", "prisma+postgres:// leads to Prisma's own proxy, not to a database",
     "use the direct postgresql:// URL of the database"},
    {"jdbc", "jdbc: URLs are for Java",
     "remove \"jdbc:\" and write postgresql://user@host:5432/db"},
    {"mysql", "mysql:// is not PostgreSQL", "PostgreSQL is the only database that is supported"},
    {"mariadb", "mariadb:// is not PostgreSQL",
     "PostgreSQL is the only database that is supported"},
    {"sqlserver", "sqlserver:// is not PostgreSQL",
     "PostgreSQL is the only database that is supported"},
    {"mongodb", "mongodb:// is not PostgreSQL",
     "PostgreSQL is the only database that is supported"},
    {"mongodb+srv", "mongodb+srv:// is not PostgreSQL",
     "PostgreSQL is the only database that is supported"},
    {"sqlite", "sqlite: is not PostgreSQL", "PostgreSQL is the only database that is supported"},
    {"file", "file: names a SQLite file, not PostgreSQL",
     "PostgreSQL is the only database that is supported"},
    {"http", "http:// is not the address of a database",
     "use the connection string of the database, which begins with postgresql://"},
    {"https", "https:// is not the address of a database",
     "use the connection string of the database, which begins with postgresql://"},
};

static bool
fail_scheme(const UrlReader *r, Str s)
{
    Str rest = s, scheme = str_cut(&rest, ':');
    for (size_t i = 0; rest.p && i < COUNT(refused); i++)
        if (str_ieq(scheme, str_of(refused[i].scheme))) {
            url_fail(r, s.p, "%s", refused[i].what);
            return err_hint(r->err, "%s", refused[i].hint);
        }
    url_fail(r, s.p, "it does not begin with postgresql:// or postgres://");
    if (str_starts(s, STR("psql ")))
        return err_hint(r->err, "leave out the word psql and the quotes around the URL");
    if (rest.p && (str_starts(scheme, STR("postgresql+")) || str_starts(scheme, STR("postgres+"))))
        return err_hint(r->err, "leave out the name of the driver: postgresql://user@host:5432/db");
    if (str_contains(s, STR("=postgres")))
        return err_hint(r->err, "leave out the name of the variable and the \"=\"");
    return err_hint(r->err, "postgresql://user:password@host:5432/database");
}

static bool
parse_scheme(const UrlReader *r, Str *s)
{
    static const char *const ours[] = {"postgresql://", "postgres://"};
    for (size_t i = 0; i < 2; i++) {
        size_t n = strlen(ours[i]);
        if (s->n >= n && str_ieq(str_slice(*s, 0, n), str_of(ours[i]))) {
            *s = str_slice(*s, n, s->n);
            return true;
        }
    }
    return fail_scheme(r, *s);
}

/* ---- whole text ----------------------------------------------------------------------------- */

/* White space and quotes around a URL come from secret stores and `docker --env-file`. */
static Str
strip(Str s)
{
    s = str_trim(s);
    if (s.n >= 2 && s.p[0] == s.p[s.n - 1] && strchr("\"'`", s.p[0]))
        s = str_trim(str_slice(s, 1, s.n - 1));
    return s;
}

static bool
is_variable_char(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

static bool
fail_variable(const UrlReader *r, Str s, const char *at)
{
    size_t from = (size_t)(at - s.p) + 2, to = from;
    while (to < s.n && is_variable_char(s.p[to]))
        to++;
    url_fail(r, at, "it contains a variable that was not replaced");
    if (to > from && to < s.n && s.p[to] == '}')
        return err_hint(r->err, "set the variable " STR_FMT, STR_ARG(str_slice(s, from, to)));
    return err_hint(r->err, "set the variable, or write $ as %%24 when it is part of the password");
}

static bool
check_text(const UrlReader *r, Str s)
{
    if (!s.n) {
        url_fail(r, NULL, "it is empty");
        return err_hint(r->err, "postgresql://user:password@host:5432/database");
    }
    bool is_psql = str_starts(s, STR("psql ")); /* has an error of its own */
    if (!is_psql && (strchr("\"'`", s.p[0]) || strchr("\"'`", s.p[s.n - 1]))) {
        url_fail(r, strchr("\"'`", s.p[0]) ? s.p : s.p + s.n - 1, "a quote is only on one side");
        return err_hint(r->err, "remove the quote");
    }
    for (size_t i = 0; i < s.n; i++) {
        if ((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f)
            return url_fail(r, s.p + i, "there is a line break or control character inside");
        if (s.p[i] == '$' && i + 1 < s.n && s.p[i + 1] == '{')
            return fail_variable(r, s, s.p + i);
    }
    static const char *const placeholders[] = {"[YOUR-PASSWORD]", "[YOUR_PASSWORD]", "<password>",
                                               "<YOUR-PASSWORD>", "[PASSWORD]"};
    for (size_t i = 0; i < COUNT(placeholders); i++) {
        const char *hit = memmem(s.p, s.n, placeholders[i], strlen(placeholders[i]));
        if (!hit)
            continue;
        url_fail(r, hit, "the placeholder %s was not replaced", placeholders[i]);
        return err_hint(r->err, "put the password of the database there, without the brackets");
    }
    return true;
}

/* ---- user, hosts, database ------------------------------------------------------------------ */

static bool
parse_user(const UrlReader *r, Str userinfo)
{
    Str rest = userinfo, user = str_cut(&rest, ':');
    if (user.n && !url_decode(r, user, false, &r->url->user))
        return false;
    return !rest.n || url_decode(r, rest, false, &r->url->password);
}

static bool
parse_path(const UrlReader *r, Str path)
{
    if (path.n && path.p[path.n - 1] == '/')
        path.n--;
    const char *slash = path.n ? memchr(path.p, '/', path.n) : NULL;
    if (slash)
        return url_fail_escape(r, slash, "there is a second \"/\" after the host");
    r->url->database = "postgres";
    return !path.n || url_decode(r, path, false, &r->url->database);
}

/* Everything behind "://". Where the authority ends and that its last "@" ends the password is as
 * in the URL standard, which Prisma follows. */
static bool
parse_rest(UrlReader *r, Str s)
{
    size_t end = 0;
    while (end < s.n && s.p[end] != '/' && s.p[end] != '?' && s.p[end] != '#')
        end++;
    Str authority = str_slice(s, 0, end), query = str_slice(s, end, s.n);
    const char *hash = s.n ? memchr(s.p, '#', s.n) : NULL;
    if (hash)
        return url_fail_escape(r, hash, "\"#\" is not allowed here");
    Str path = str_cut(&query, '?');
    if (path.n && memchr(path.p, '@', path.n))
        return url_fail_escape(r, path.p,
                               "there is an \"@\" after this \"/\", which seems to be part of the "
                               "password");
    const char *at = authority.n ? memrchr(authority.p, '@', authority.n) : NULL;
    r->has_at = at != NULL;
    Str hosts = authority;
    if (at) {
        size_t n = (size_t)(at - authority.p);
        hosts = str_slice(authority, n + 1, authority.n);
        if (!parse_user(r, str_slice(authority, 0, n)))
            return false;
    }
    return url_hosts_parse(r, hosts, true) &&
           parse_path(r, path.n ? str_slice(path, 1, path.n) : path) &&
           (!query.p || url_params_parse(r, query));
}

bool
url_parse(Arena *a, const char *text, const char *origin, DbUrl *ret, Err *err)
{
    *ret = (DbUrl){.connect_timeout_s = -1};
    UrlReader r = {a, origin, str_of(text), false, ret, err};
    Str s = strip(r.text);
    return check_text(&r, s) && parse_scheme(&r, &s) && parse_rest(&r, s);
}

/* ---- showing -------------------------------------------------------------------------------- */

void
url_encode(Buf *b, const char *z, const char *also)
{
    for (; *z; z++) {
        unsigned char c = (unsigned char)*z;
        bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                     c >= 0x80 || strchr("-._~", c) || strchr(also, c);
        if (plain)
            buf_addc(b, (char)c);
        else
            buf_fmt(b, "%%%02X", (unsigned)c);
    }
}

char *
url_with_database(Arena *a, const char *url, const char *database)
{
    const char *at = strstr(url, "://"), *end;
    at = at ? at + 3 : url;
    at += strcspn(at, "/?#");
    end = at + strcspn(at, "?#");
    Buf b;
    buf_init(&b, a);
    buf_add(&b, (Str){url, (size_t)(at - url)});
    buf_addc(&b, '/');
    url_encode(&b, database, "");
    buf_addz(&b, end);
    return b.p;
}

char *
url_shown(Arena *a, const DbUrl *url)
{
    Buf b;
    buf_init(&b, a);
    buf_addz(&b, "postgresql://");
    if (url->user) {
        url_encode(&b, url->user, "");
        buf_addc(&b, '@');
    }
    bool socket = url->hosts.n == 1 && url->hosts.v[0].host[0] == '/';
    if (socket) /* Prisma wants a host here; the parameter is stronger, for psql too */
        buf_fmt(&b, "localhost:%d", url->hosts.v[0].port);
    for (size_t i = 0; !socket && i < url->hosts.n; i++) {
        const UrlHost *h = &url->hosts.v[i];
        bool is_v6 = strchr(h->host, ':') != NULL;
        buf_addz(&b, i ? "," : "");
        buf_addz(&b, is_v6 ? "[" : "");
        url_encode(&b, h->host, is_v6 ? ":" : "");
        buf_fmt(&b, "%s:%d", is_v6 ? "]" : "", h->port);
    }
    buf_addc(&b, '/');
    url_encode(&b, url->database ? url->database : "", "");
    char sep = '?';
    if (socket) {
        buf_addz(&b, "?host=");
        url_encode(&b, url->hosts.v[0].host, "/");
        sep = '&';
    }
    if (url->schema) {
        buf_fmt(&b, "%cschema=", sep);
        url_encode(&b, url->schema, "");
    }
    return b.p;
}

char *
url_retyped(Arena *a, const DbUrl *url)
{
    Buf b;
    buf_init(&b, a);
    buf_addz(&b, url_shown(a, url));
    char sep = strchr(b.p, '?') ? '&' : '?';
    vec_each (const UrlParam, p, &url->params) {
        if (strstr(p->key, "password"))
            continue;
        buf_fmt(&b, "%c%s=", sep, p->key);
        url_encode(&b, p->value, "/");
        sep = '&';
    }
    if (url->connect_timeout_s >= 0)
        buf_fmt(&b, "%cconnect_timeout=%d", sep, url->connect_timeout_s);
    return b.p;
}

static Str
supabase_ref(Str host, Str user)
{
    Str direct = STR(".supabase.co");
    if (str_starts(host, STR("db.")) && str_ends(host, direct))
        return str_slice(host, 3, host.n - direct.n);
    if (str_ends(host, STR(".pooler.supabase.com")) && str_cut(&user, '.').n && user.p)
        return user;
    return STR("");
}

Str
url_supabase_ref(const DbUrl *url)
{
    return supabase_ref(str_of(url->hosts.v[0].host), str_of(url->user));
}

/* The part of a host's name that says which database server it is, without what only says how to
 * reach it: poolers of Neon ("-pooler" in the first label) and of Supabase, whose user names the
 * project, and the spellings of this machine. */
static Str
server_of(Arena *a, const DbUrl *url, size_t i)
{
    Str host = str_of(url->hosts.v[i].host), rest = host;
    if (str_is(host, "127.0.0.1") || str_is(host, "::1"))
        return STR("localhost");
    Str ref = supabase_ref(host, str_of(url->user));
    if (ref.n)
        return ref;
    Str label = str_cut(&rest, '.');
    if (str_ends(label, STR("-pooler")) && str_ends(host, STR(".neon.tech")))
        return str_of(str_fmt(a, STR_FMT "." STR_FMT, (int)(label.n - strlen("-pooler")), label.p,
                              STR_ARG(rest)));
    return host;
}

bool
url_same_database(const DbUrl *a, const DbUrl *b)
{
    ARENA_LOCAL(scratch);
    bool same = a->hosts.n == b->hosts.n && strcmp(a->database, b->database) == 0 &&
                strcmp(a->schema ? a->schema : "public", b->schema ? b->schema : "public") == 0;
    for (size_t i = 0; same && i < a->hosts.n; i++) {
        Str x = server_of(scratch, a, i), y = server_of(scratch, b, i);
        bool plain = str_ieq(x, str_of(a->hosts.v[i].host)) || str_is(x, "localhost");
        same = str_ieq(x, y) && (!plain || a->hosts.v[i].port == b->hosts.v[i].port);
    }
    return same;
}
