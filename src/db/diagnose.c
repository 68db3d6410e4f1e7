/* Why a connection could not be made, in words and with what to do. */
#include "db/db_int.h"

#include <ctype.h>

/* The SQLSTATE in libpq's verbose text "FATAL:  28P01: password ...", or "". */
static void
find_sqlstate(const char *text, char ret[6])
{
    ret[0] = 0;
    const char *p = strstr(text, ":  ");
    if (!p)
        return;
    p += 3;
    for (int i = 0; i < 5; i++)
        if (!isdigit((unsigned char)p[i]) && !(p[i] >= 'A' && p[i] <= 'Z'))
            return;
    if (p[5] != ':')
        return;
    memcpy(ret, p, 5);
    ret[5] = 0;
}

/* libpq's text without the LOCATION lines of its verbose form. */
static char *
plain_text(Arena *a, const char *text)
{
    Buf b;
    buf_init(&b, a);
    for (Str rest = str_of(text); rest.p;) {
        Str line = str_trim(str_cut(&rest, '\n'));
        if (line.n == 0 || str_starts(line, STR("LOCATION:")))
            continue;
        if (b.n)
            buf_addc(&b, '\n');
        buf_add(&b, line);
    }
    return b.p;
}

static bool
by_sqlstate(const DbOptions *opt, const char *host, const char *state, const char *text, Err *err)
{
    const char *user = opt->url->user ? opt->url->user : "";
    const char *database = opt->url->database ? opt->url->database : "postgres";
    if (strcmp(state, "28P01") == 0 || strcmp(state, "28000") == 0) {
        if (strstr(text, "pg_hba.conf") || strstr(text, "no encryption")) {
            err_set(err, ERR_DENIED, "the server at %s does not let user \"%s\" in from here", host,
                    user);
            return err_hint(err, "%s",
                            strstr(text, "no encryption") || strstr(text, "SSL off")
                                ? "the server wants TLS: add ?sslmode=require to the URL"
                                : "allow this address in the server's pg_hba.conf or its firewall");
        }
        err_set(err, ERR_AUTH, "authentication failed at %s for user \"%s\"", host, user);
        return err_hint(err,
                        "check user and password of %s; special characters of a password must be "
                        "percent-encoded (@ is %%40, / is %%2F, # is %%23)",
                        opt->url_origin);
    }
    if (strcmp(state, "3D000") == 0) {
        err_set(err, ERR_DB_MISSING, "database \"%s\" does not exist at %s", database, host);
        return err_hint(err, "check the name, or let Aramid create it: aramid deploy "
                             "--create-database");
    }
    if (strcmp(state, "57P03") == 0)
        return err_set(err, ERR_SERVER_BUSY, "the server at %s is starting or stopping", host);
    if (strcmp(state, "53300") == 0) {
        err_set(err, ERR_SERVER_BUSY, "the server at %s has no free connection", host);
        return err_hint(err, "end idle clients or raise max_connections; Aramid needs one "
                             "connection, and a second one to show progress");
    }
    if (strcmp(state, "42501") == 0) {
        err_set(err, ERR_DENIED, "user \"%s\" may not connect to database \"%s\"", user, database);
        return err_hint(err, "as the owner: GRANT CONNECT ON DATABASE ... TO ...");
    }
    if (strcmp(state, "08P01") == 0) {
        err_set(err, ERR_POOLER,
                "the server at %s refused the start of the session; a connection "
                "pooler stands in between",
                host);
        return err_hint(err, "set DIRECT_URL to an address of PostgreSQL itself");
    }
    if (db_retry_class(state) == DB_RETRY_CONNECTION)
        return err_set(err, ERR_SERVER_BUSY, "the server at %s takes no connections now", host);
    return err_set(err, ERR_DENIED, "the server at %s refused the connection", host);
}

static bool
by_text(const DbOptions *opt, const char *host, const char *text, Err *err)
{
    if (strstr(text, "certificate") || strstr(text, "SSL") || strstr(text, "TLS") ||
        strstr(text, "channel binding")) {
        err_set(err, ERR_TLS, "no encrypted connection to %s could be made", host);
        return err_hint(
            err, "%s",
            strstr(text, "does not support SSL")
                ? "the server has TLS off: use sslmode=disable on a trusted network only"
                : "check sslmode and sslrootcert; sslrootcert=system uses this "
                  "machine's certificates");
    }
    if (strstr(text, "No such file or directory")) {
        err_set(err, ERR_UNREACHABLE, "no PostgreSQL server listens on socket %s", host);
        return err_hint(err, "start the server, or check the socket folder in %s", opt->url_origin);
    }
    if (strstr(text, "Connection refused")) {
        err_set(err, ERR_UNREACHABLE, "can't reach database server at %s: connection refused",
                host);
        return err_hint(err, "is PostgreSQL running there, and is the port right? (URL from %s)",
                        opt->url_origin);
    }
    if (strstr(text, "unreachable") || strstr(text, "Cannot assign requested address")) {
        err_set(err, ERR_UNREACHABLE, "can't reach database server at %s: no route", host);
        return err_hint(err, "the host may have an IPv6 address only while this network speaks "
                             "IPv4 (Supabase's direct hosts do): use the session pooler's address, "
                             "port 5432");
    }
    if (strstr(text, "Permission denied"))
        return err_set(err, ERR_DENIED, "this user may not open the socket %s", host);
    if (strstr(text, "timeout") || strstr(text, "timed out"))
        return err_set(err, ERR_TIMEOUT, "the server at %s did not answer in time", host);
    return err_set(err, ERR_UNREACHABLE, "can't reach database server at %s", host);
}

bool
connect_diagnose(const DbOptions *opt, const char *host, const char *text, Err *err)
{
    ARENA_LOCAL(a);
    char state[6];
    find_sqlstate(text, state);
    if (state[0])
        by_sqlstate(opt, host, state, text, err);
    else
        by_text(opt, host, text, err);
    memcpy(err->sqlstate, state, sizeof err->sqlstate);
    char *plain = plain_text(a, text);
    const char *secrets[] = {opt->url->password ? opt->url->password : ""};
    return err_detail(err, "%s", url_redact(a, str_of(plain), secrets, 1));
}
