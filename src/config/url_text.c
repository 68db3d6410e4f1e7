/* Pieces of a URL: what is wrong with one, its escapes, its list of hosts. */
#include "url_int.h"

#include <stdio.h>

/* Which characters to write differently; the hint of every error that an unescaped one may cause. */
static const char escape_hint[] =
    "in the user name and the password write @ as %40, / as %2F, # as %23, ? as %3F, : as %3A, "
    "% as %25, [ as %5B, ] as %5D";

bool
url_fail(const UrlReader *r, const char *at, const char *what, ...)
{
    char text[512];
    va_list ap;
    va_start(ap, what);
    vsnprintf(text, sizeof text, what, ap);
    va_end(ap);
    err_set(r->err, ERR_URL, "connection URL is invalid: %s", text);
    const char *origin = r->origin ? r->origin : "the given text";
    if (!at)
        return err_detail(r->err, "It comes from %s.", origin);
    size_t before = str_utf8_len((Str){r->text.p, (size_t)(at - r->text.p)});
    return err_detail(r->err, "It comes from %s; the problem is at character %zu.", origin,
                      before + 1);
}

bool
url_fail_escape(const UrlReader *r, const char *at, const char *what)
{
    url_fail(r, at, "%s", what);
    return err_hint(r->err, "%s", escape_hint);
}

static int
hex_digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

bool
url_decode(const UrlReader *r, Str s, bool plus, const char **ret)
{
    char *out = arena_alloc(r->a, s.n + 1);
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] != '%') {
            out[n++] = (char)(plus && s.p[i] == '+' ? ' ' : s.p[i]);
            continue;
        }
        int high = i + 2 < s.n ? hex_digit(s.p[i + 1]) : -1;
        int low = i + 2 < s.n ? hex_digit(s.p[i + 2]) : -1;
        if (high < 0 || low < 0) {
            url_fail(r, s.p + i, "\"%%\" is not followed by two hexadecimal digits");
            return err_hint(r->err, "a percent sign itself is written %%25");
        }
        if (high == 0 && low == 0)
            return url_fail(r, s.p + i, "%%00 cannot be part of a value");
        out[n++] = (char)(high * 16 + low);
        i += 2;
    }
    *ret = out;
    return true;
}

static bool
parse_port(const UrlReader *r, Str s, const char *at, int *ret)
{
    long long port = 5432;
    if (s.n && !str_to_int(s, 0, 1000000, &port))
        return url_fail_escape(r, at, "the port after \":\" is not a number");
    if (port < 1 || port > 65535)
        return url_fail(r, at, "the port is not between 1 and 65535");
    *ret = (int)port;
    return true;
}

/* Cut "host:port" of one list entry. A bare IPv6 address has too many colons to be cut. */
static bool
split_port(const UrlReader *r, Str entry, Str *host, Str *port)
{
    *host = entry, *port = (Str){entry.p + entry.n, 0};
    if (entry.n && entry.p[0] == '[') {
        const char *end = memchr(entry.p, ']', entry.n);
        if (!end)
            return url_fail(r, entry.p, "\"[\" of an IPv6 address is not closed");
        *host = (Str){entry.p + 1, (size_t)(end - entry.p) - 1};
        Str after = {end + 1, entry.n - (size_t)(end + 1 - entry.p)};
        if (after.n && after.p[0] != ':')
            return url_fail_escape(r, after.p, "only \":port\" may follow \"]\"");
        if (after.n)
            *port = str_slice(after, 1, after.n);
        return true;
    }
    const char *colon = entry.n ? memchr(entry.p, ':', entry.n) : NULL;
    if (!colon)
        return true;
    *host = (Str){entry.p, (size_t)(colon - entry.p)};
    *port = (Str){colon + 1, entry.n - host->n - 1};
    if (memchr(port->p, ':', port->n)) {
        url_fail(r, colon, "more than one \":\" after the host");
        return err_hint(r->err, "an IPv6 address needs brackets: [::1]:5432; %s", escape_hint);
    }
    return true;
}

static bool
check_host(const UrlReader *r, const char *host, const char *at, bool bracketed)
{
    if (host[0] == '/' || host[0] == '@') /* socket folder, abstract socket */
        return true;
    bool is_v6 = bracketed || strchr(host, ':') != NULL;
    for (const char *p = host; *p; p++)
        if ((unsigned char)*p <= ' ' || strchr("\"<>\\^`{|}@[]/'()*;=&+!$", *p) ||
            (is_v6 && !strchr("0123456789abcdefABCDEF:.%", *p) && !strchr(host, '%')))
            return url_fail_escape(r, at, "the host name has a character that no host name has");
    return true;
}

bool
url_hosts_parse(const UrlReader *r, Str list, bool escaped)
{
    r->url->hosts.n = 0;
    for (Str rest = list; rest.p;) {
        Str entry = str_cut(&rest, ','), host, port;
        UrlHost h = {.port = 5432};
        if (!escaped) /* the values of host=, which have no port in them */
            host = entry, port = (Str){entry.p, 0};
        else if (!split_port(r, entry, &host, &port))
            return false;
        const char *at = escaped ? entry.p : NULL;
        if (!parse_port(r, port, escaped ? port.p : NULL, &h.port))
            return false;
        if (!escaped)
            h.host = str_dup(r->a, host);
        else if (!url_decode(r, host, false, &h.host))
            return false;
        if (!check_host(r, h.host, at, escaped && entry.n && entry.p[0] == '['))
            return false;
        if (!h.host[0])
            h.host = "localhost";
        *vec_add(r->a, &r->url->hosts) = h;
    }
    return true;
}
