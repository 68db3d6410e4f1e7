#include "tests.h"

#include <stdlib.h>

static void
parse(Arena *a, const char *text, DbUrl *u)
{
    Err err = {0};
    if (!url_parse(a, text, "test", u, &err))
        fail_msg("%s: %s: %s", text, err.primary, err.detail);
}

static const char *
param(const DbUrl *u, const char *key)
{
    vec_each (UrlParam, p, &u->params) {
        if (strcmp(p->key, key) == 0)
            return p->value;
    }
    return NULL;
}

static void
same(const char *a, const char *b)
{
    assert_string_equal(a ? a : "(null)", b ? b : "(null)");
}

void
url_good(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    static const struct {
        const char *text, *user, *password, *host, *database, *schema;
        int port;
    } cases[] = {
        {"postgresql://u:p@h:5433/db", "u", "p", "h", "db", NULL, 5433},
        {"postgres://h", NULL, NULL, "h", "postgres", NULL, 5432},
        {"postgresql://", NULL, NULL, "localhost", "postgres", NULL, 5432},
        {"postgresql:///db", NULL, NULL, "localhost", "db", NULL, 5432},
        {"postgresql://u@/db/", "u", NULL, "localhost", "db", NULL, 5432},
        {"POSTGRES://u:@h:/", "u", NULL, "h", "postgres", NULL, 5432},
        {" 'postgres://u:p@h/db'\n", "u", "p", "h", "db", NULL, 5432},
        {"\"postgres://h/db\"\r\n", NULL, NULL, "h", "db", NULL, 5432},
        {"postgres://u%40x:p%3A%2F%23%25@h/d%20b", "u@x", "p:/#%", "h", "d b", NULL, 5432},
        {"postgres://u:a@b:c@h/db", "u", "a@b:c", "h", "db", NULL, 5432},
        {"postgres://u:p w@h/db", "u", "p w", "h", "db", NULL, 5432},
        {"postgres://u:p@[::1]:6000/db", "u", "p", "::1", "db", NULL, 6000},
        {"postgres://[fe80::1%25eth0]/db", NULL, NULL, "fe80::1%eth0", "db", NULL, 5432},
        {"postgres://u@%2Fvar%2Frun/db", "u", NULL, "/var/run", "db", NULL, 5432},
        {"postgres://u@h:7/db?host=/tmp/x%3Ay", "u", NULL, "/tmp/x:y", "db", NULL, 7},
        {"postgres:///db?host=::1&port=6001", NULL, NULL, "::1", "db", NULL, 6001},
        {"postgres://h/db?schema=app", NULL, NULL, "h", "db", "app", 5432},
        {"postgres://h/db?schema=", NULL, NULL, "h", "db", NULL, 5432},
        {"postgres://h?user=a%40b&password=x@y&dbname=d", "a@b", "x@y", "h", "d", NULL, 5432},
        {"postgres://postgres.abc:p@aws-0-eu.pooler.supabase.com:6543/postgres?pgbouncer=true",
         "postgres.abc", "p", "aws-0-eu.pooler.supabase.com", "postgres", NULL, 6543},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        DbUrl u;
        parse(a, cases[i].text, &u);
        same(u.user, cases[i].user);
        same(u.password, cases[i].password);
        same(u.database, cases[i].database);
        same(u.schema, cases[i].schema);
        same(u.hosts.v[0].host, cases[i].host);
        assert_int_equal(u.hosts.n, 1);
        assert_int_equal(u.hosts.v[0].port, cases[i].port);
        DbUrl again; /* what is shown is itself a URL for the same place */
        parse(a, url_shown(a, &u), &again);
        same(again.hosts.v[0].host, u.hosts.v[0].host);
        same(again.database, u.database);
        same(again.user, u.user);
        assert_int_equal(again.hosts.v[0].port, u.hosts.v[0].port);
        assert_null(again.password);
    }
}

void
url_bad(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    static const struct {
        const char *text, *what, *hint;
    } cases[] = {
        {"", "empty", "postgresql://"},
        {"  \n", "empty", ""},
        {"SECRET", "does not begin", ""},
        {"host=h password=SECRET", "does not begin", ""},
        {"u:SECRET@h/db", "does not begin", ""},
        {"psql 'postgres://u:SECRET@h/db'", "does not begin", "psql"},
        {"psql postgres://u:SECRET@h/db", "does not begin", "psql"},
        {"DATABASE_URL=postgres://u:SECRET@h/db", "does not begin", "variable"},
        {"postgresql+psycopg2://u:SECRET@h/db", "does not begin", "driver"},
        {"'postgres://u:SECRET@h/db", "quote", "remove"},
        {"mysql://u:SECRET@h/db", "mysql://", "PostgreSQL"},
        {"prisma://x?api_key=SECRET", "Accelerate", "direct"},
        {"prisma+postgres://localhost:51213/?api_key=SECRET", "proxy", "direct"},
        {"jdbc:postgresql://h/db?password=SECRET", "Java", "jdbc:"},
        {"file:./dev.db", "SQLite", ""},
        {"https://SECRET.supabase.co", "address of a database", "connection string"},
        {"postgres://u:${DB_PASSWORD}@h/db", "variable", "DB_PASSWORD"},
        {"postgres://u:SECRET[YOUR-PASSWORD]@h/db", "placeholder", ""},
        {"postgres://u:SEC/RET@h/db", "part of the password", "%2F"},
        {"postgres://u:SEC#RET@h/db", "\"#\"", "%23"},
        {"postgres://u:SEC?RET@h/db", "not a number", "%3F"},
        {"postgres://u:1?SECRET@h/db", "belong to the password", "%3F"},
        {"postgres://u:1?SECRET=x@h/db", "belong to the password", "%3F"},
        {"postgres://u:SEC%RET@h/db", "hexadecimal", "%25"},
        {"postgres://u:SECRET%4@h/db", "hexadecimal", "%25"},
        {"postgres://u:SECRET%", "not a number", ""},
        {"postgres://u:SECRET%00@h/db", "%00", ""},
        {"postgres://u:SECRET@h:0/db", "between 1 and 65535", ""},
        {"postgres://u:SECRET@h:65536/db", "between 1 and 65535", ""},
        {"postgres://u:SECRET@h:x/db", "not a number", "%3A"},
        {"postgres://u:SECRET@::1/db", "more than one", "[::1]"},
        {"postgres://u:SECRET@[::1/db", "not closed", ""},
        {"postgres://u:SECRET@[::1]x/db", "may follow", ""},
        {"postgres://u:SECRET@[zz]/db", "host name", ""},
        {"postgres://u:SECRET@h h/db", "host name", ""},
        {"postgres://u:SECRET@h%3Ax/db", "host name", ""},
        {"postgres://u:SECRET@h/db/x", "second \"/\"", ""},
        {"postgres://u:SEC\nRET@h/db", "control character", ""},
        {"postgres://u:SECRET@h/db?sslmode=SECRET", "sslmode", "verify-full"},
        {"postgres://u:SECRET@h/db?sslmode=no-verify", "sslmode", "sslmode=require"},
        {"postgres://u:SECRET@h/db?sslmod=require", "TLS parameter", "sslmode"},
        {"postgres://u:SECRET@h/db?sslidentity=x.p12&sslpassword=SECRET", "PKCS#12", "openssl"},
        {"postgres://u:SECRET@h/db?sslpassword=SECRET", "PKCS#12", "openssl"},
        {"postgres://u:SECRET@h/db?service=SECRET", "service files", ""},
        {"postgres://u:SECRET@h/db?connect_timeout=SECRET", "connect_timeout", ""},
        {"postgres://u:SECRET@h/db?pgbouncer=SECRET", "true or false", ""},
        {"postgres://h/db?port=1,2,3", "between 1 and 65535", ""},
        {"postgres://h/db?host=[::1]", "host name", ""},
        {"postgres://h/db?host=[x", "host name", ""},
        {"postgres://h/db?port=SECRET", "between 1 and 65535", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        DbUrl u;
        Err err;
        if (url_parse(a, cases[i].text, "variable X", &u, &err))
            fail_msg("%s was accepted", cases[i].text);
        assert_int_equal(err.code, ERR_URL);
        if (!strstr(err.primary, cases[i].what) || !strstr(err.hint, cases[i].hint))
            fail_msg("%s: %s / %s", cases[i].text, err.primary, err.hint);
        assert_non_null(strstr(err.detail, "variable X"));
        assert_null(strstr(err.primary, "SEC"));
        assert_null(strstr(err.detail, "SEC"));
        assert_null(strstr(err.hint, "SEC"));
        assert_null(strstr(err.hint, "RET"));
    }
}

void
url_positions(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    DbUrl u;
    Err err;
    assert_false(url_parse(a, "postgres://u:%zz@h/db", "x", &u, &err));
    assert_non_null(strstr(err.detail, "character 14"));
    assert_false(url_parse(a, " postgres://\xc3\xa9:p@h:x/db", "x", &u, &err));
    assert_non_null(strstr(err.detail, "character 19"));
}

void
url_params(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    DbUrl u;
    parse(a,
          "postgresql://h1:1,h2,[::1]:3/db?connect_timeout=7&connection_limit=5&pool_timeout=0&"
          "pgbouncer=true&application_name=a%20b&options=-c%20x%3D1+-c+y&what=ever&"
          "keepalives_idle=3&target_session_attrs=read-write&application_name=c&&flag",
          &u);
    assert_int_equal(u.hosts.n, 3);
    assert_int_equal(u.hosts.v[1].port, 5432);
    same(u.hosts.v[2].host, "::1");
    assert_int_equal(u.connect_timeout_s, 7);
    assert_true(u.pgbouncer);
    same(param(&u, "application_name"), "c");
    same(param(&u, "options"), "-c x=1 -c y");
    same(param(&u, "keepalives_idle"), "3");
    same(param(&u, "target_session_attrs"), "read-write");
    assert_null(param(&u, "connection_limit"));
    assert_int_equal(u.ignored.n, 5);
    same(u.ignored.v[3].key, "what");
    same(url_shown(a, &u), "postgresql://h1:1,h2:5432,[::1]:3/db");
    parse(a, "postgresql:///db?host=a,b&port=1,2", &u);
    assert_int_equal(u.hosts.v[1].port, 2);
    parse(a, "postgresql:///db?host=a,b&port=9", &u);
    assert_int_equal(u.hosts.v[1].port, 9);
    assert_int_equal(u.connect_timeout_s, -1);
}

void
url_tls(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    static const struct {
        const char *query, *mode, *root, *cert, *key;
    } cases[] = {
        {"", NULL, NULL, NULL, NULL},
        {"sslmode=require", "require", NULL, NULL, NULL},
        {"sslmode=verify-ca&sslrootcert=/r", "verify-ca", "/r", NULL, NULL},
        {"sslmode=require&sslaccept=strict&sslcert=/ca", "verify-full", "/ca", NULL, NULL},
        {"sslaccept=whatever&sslcert=/ca", "verify-full", "/ca", NULL, NULL},
        {"sslmode=disable&sslaccept=strict&sslcert=/ca", "disable", NULL, NULL, NULL},
        {"sslmode=verify-full&sslaccept=accept_invalid_certs&sslrootcert=/r", "require", NULL, NULL,
         NULL},
        {"sslmode=prefer&sslaccept=accept_invalid_certs&sslcert=/ca", "prefer", NULL, NULL, NULL},
        {"sslcert=/ca", NULL, "/ca", NULL, NULL},
        {"sslcert=/c&sslkey=/k&sslrootcert=/r&sslmode=verify-full", "verify-full", "/r", "/c",
         "/k"},
        {"sslcert=/ca&sslrootcert=/r", NULL, "/r", NULL, NULL},
        {"ssl=true", "require", NULL, NULL, NULL},
        {"ssl=no-verify", "require", NULL, NULL, NULL},
        {"ssl=false", NULL, NULL, NULL, NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        DbUrl u;
        parse(a, str_fmt(a, "postgres://h/db?%s", cases[i].query), &u);
        same(param(&u, "sslmode"), cases[i].mode);
        same(param(&u, "sslrootcert"), cases[i].root);
        same(param(&u, "sslcert"), cases[i].cert);
        same(param(&u, "sslkey"), cases[i].key);
    }
    DbUrl u;
    if (fs_exists("/etc/ssl/certs/ca-certificates.crt")) {
        parse(a, "postgres://h/db?sslrootcert=system", &u);
        same(param(&u, "sslmode"), "verify-full");
        same(param(&u, "sslrootcert"), "/etc/ssl/certs/ca-certificates.crt");
        parse(a, "postgres://h/db?sslaccept=strict", &u);
        same(param(&u, "sslrootcert"), "/etc/ssl/certs/ca-certificates.crt");
    }
}

void
url_shown_safely(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    DbUrl u;
    parse(a, "postgres://u:SECRET@h/db?schema=a%20b&sslkey=/k&sslpassword=SECRET&password=SECRET",
          &u);
    same(url_shown(a, &u), "postgresql://u@h:5432/db?schema=a%20b");
    parse(a, "postgres://u:SECRET@/db?host=/var/run/postgresql&port=5433", &u);
    same(url_shown(a, &u), "postgresql://u@localhost:5433/db?host=/var/run/postgresql");
}

void
url_redacts(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    static const struct {
        const char *text, *expected;
    } cases[] = {
        {"plain text", "plain text"},
        {"to postgres://u:SECRET@h:1/db failed", "to postgres://u:****@h:1/db failed"},
        {"postgres://u:SEC/RE#T@x@h/db", "postgres://u:****@h/db"},
        {"postgres://u@h:5432/db", "postgres://u@h:5432/db"},
        {"https://h:8080/x", "https://h:8080/x"},
        {"postgres://[::1]:5432/db", "postgres://[::1]:5432/db"},
        {"postgres://u:SECRET", "postgres://u:****"},
        {"postgres://u:SEC'RET\"x@h/db", "postgres://u:****@h/db"},
        {"{\"u\":\"http://h:1/x\",\"e\":\"a@b\"}", "{\"u\":\"http://h:1/x\",\"e\":\"a@b\"}"},
        {"postgres://h/db?password=SECRET&x=1", "postgres://h/db?password=****&x=1"},
        {"postgres://h:1/db?password=SEC@RET", "postgres://h:1/db?password=****"},
        {"postgres://h/db?password=SEC:RET", "postgres://h/db?password=****"},
        {"url=postgres%3A%2F%2Fu%3ASECRET%40h%2Fdb", "url=postgres%3A%2F%2Fu%3A****%40h%2Fdb"},
        {"x?password%3DSECRET%26y", "x?password%3D****%26y"},
        {"host=h password=SECRET user=u", "host=h password=**** user=u"},
        {"host=h password = 'SEC RET\\' x' user=u", "host=h password = '****' user=u"},
        {"PASSWORD 'SEC''RET' VALID", "PASSWORD '****' VALID"},
        {"HINT = 'PASSWORD ''SECRET'''; x", "HINT = 'PASSWORD ''****'''; x"},
        {"PASSWORD ''; x", "PASSWORD '****'; x"},
        {"password E'SECRET'", "password E'****'"},
        {"PASSWORD $$SECRET$$;", "PASSWORD $$****$$;"},
        {"{\"password\": \"SECRET\", \"a\": 1}", "{\"password\": \"****\", \"a\": 1}"},
        {"{\\\"password\\\":\\\"SECRET\\\"}", "{\\\"password\\\":\\\"****\"}"},
        {"sslpassword=SECRET PGPASSWORD=SECRET x", "sslpassword=**** PGPASSWORD=**** x"},
        {"password authentication failed for user \"bob\"",
         "password authentication failed for user \"bob\""},
        {"password_hash = 'x'", "password_hash = 'x'"},
        {"a password", "a password"},
        {"password=", "password="},
        {"://", "://"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *got = url_redact(a, str_of(cases[i].text), NULL, 0);
        assert_null(strstr(got, "SEC"));
        assert_null(strstr(got, "RET"));
        if (!strstr(cases[i].text, "\\\"password")) /* how much of escaped JSON goes is open */
            assert_string_equal(got, cases[i].expected);
    }
}

void
url_redact_secrets(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    const char *secrets[] = {"p@s's", "", NULL, "p@"};
    const char *text = "1 p@s's 2 p%40s%27s 3 p%40s''s 4 p@s\\'s 5 p@x";
    assert_string_equal(url_redact(a, str_of(text), secrets, 4),
                        "1 **** 2 **** 3 **** 4 **** 5 ****x");
    const char *quotes[] = {"a\\\\\"\"'b"};
    assert_string_equal(url_redact(a, STR("1 a\\\\\"\"'b 2 a\\\\\\\\\\\"\\\"'b"), quotes, 1),
                        "1 **** 2 ****");
}

/* Any password, escaped or not, goes from a URL. */
void
url_redact_any_password(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    static const char chars[] = "abCANARYxyz0123:/?#@%&=+,;$!*()[]{}|~^-_.";
    srand(7);
    for (int round = 0; round < 2000; round++) {
        char password[24];
        size_t n = 6;
        memcpy(password, "CANARY", 6);
        for (int k = rand() % 12; k > 0; k--)
            password[n++] = chars[(size_t)rand() % (sizeof chars - 1)];
        password[n] = 0;
        char *text = str_fmt(a, "error at \"postgresql://user:%s@host:5432/db?x=1\": no", password);
        assert_null(strstr(url_redact(a, str_of(text), NULL, 0), "CAN"));
        assert_null(strstr(url_redact(a, str_of(text), NULL, 0), password));
    }
}
