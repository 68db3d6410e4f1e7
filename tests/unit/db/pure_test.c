/* Without a server: the table of retries, pauses, diagnosis, deadlines. */
#include "tests.h"

#include "base/clock.h"

#include <unistd.h>

void
retry_table(void **state)
{
    (void)state;
    static const struct {
        const char *state;
        DbRetry retry;
    } cases[] = {
        {"55P03", DB_RETRY_LOCK},
        {"40001", DB_RETRY_CONFLICT},
        {"40P01", DB_RETRY_CONFLICT},
        {"57P01", DB_RETRY_CONNECTION},
        {"57P02", DB_RETRY_CONNECTION},
        {"57P03", DB_RETRY_CONNECTION},
        {"53300", DB_RETRY_CONNECTION},
        {"08006", DB_RETRY_CONNECTION},
        {"25P03", DB_RETRY_CONNECTION},
        /* Trying these again would only hide them. */
        {"57014", DB_RETRY_NEVER},
        {"25001", DB_RETRY_NEVER},
        {"2D000", DB_RETRY_NEVER},
        {"55P04", DB_RETRY_NEVER},
        {"42P07", DB_RETRY_NEVER},
        {"23505", DB_RETRY_NEVER},
        {"28P01", DB_RETRY_NEVER},
        {"08P01", DB_RETRY_NEVER},
        {"40002", DB_RETRY_NEVER},
        {"53100", DB_RETRY_NEVER},
        {"", DB_RETRY_NEVER},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (db_retry_class(cases[i].state) != cases[i].retry)
            fail_msg("%s: %d", cases[i].state, db_retry_class(cases[i].state));
}

void
backoff_bounds(void **state)
{
    (void)state;
    int64_t seen_low = INT64_MAX, seen_high = 0;
    for (int attempt = 1; attempt <= 40; attempt++)
        for (int i = 0; i < 50; i++) {
            int64_t top = attempt < 8 ? (int64_t)100 << (attempt - 1) : 10000;
            if (top > 10000)
                top = 10000;
            int64_t ms = db_retry_ms(DB_PATIENCE_CONFLICT, 100, attempt);
            assert_true(ms >= top / 2 && ms <= top);
            if (attempt == 10) {
                seen_low = ms < seen_low ? ms : seen_low;
                seen_high = ms > seen_high ? ms : seen_high;
            }
        }
    assert_true(seen_high - seen_low > 500); /* with jitter */
    assert_in_range(db_retry_ms(DB_PATIENCE_BUSY, 0, 1), 0, 1);
    assert_in_range(db_retry_ms(DB_PATIENCE_BUSY, 5000, 1), 500, 1000);
}

/* `retries` counts the tries after the first one, the same for all that go by it. */
void
patience_counts(void **state)
{
    (void)state;
    const int forever = 1000000;
    static const struct {
        DbPatience patience;
        int with_none, with_three; /* tries that may follow */
    } cases[] = {
        {DB_PATIENCE_CONNECT, 0, 3},          {DB_PATIENCE_PASS, 0, 3},
        {DB_PATIENCE_CONFLICT, 0, 3},         {DB_PATIENCE_ALONE, 0, 3},
        {DB_PATIENCE_YIELD, 10, 10},          {DB_PATIENCE_SCHEMA, 19, 19},
        {DB_PATIENCE_BUSY, forever, forever}, {DB_PATIENCE_LOCK, forever, forever},
        {DB_PATIENCE_DUMP, forever, forever},
    };
    assert_int_equal(sizeof cases / sizeof *cases, DB_PATIENCE_COUNT);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (int retries = 0; retries <= 3; retries += 3) {
            int failures = 0;
            while (failures < forever && db_may_retry(cases[i].patience, retries, failures + 1))
                failures++;
            int wanted = retries ? cases[i].with_three : cases[i].with_none;
            if (failures != wanted)
                fail_msg("case %zu, retries %d: %d instead of %d", i, retries, failures, wanted);
        }
}

/* Between the half and the whole of base * 2^(n-1), where the setting says the base or the table. */
void
patience_pauses(void **state)
{
    (void)state;
    static const struct {
        DbPatience patience;
        int64_t base, cap;
    } cases[] = {
        {DB_PATIENCE_CONNECT, 500, 5000},   {DB_PATIENCE_BUSY, 500, 1000},
        {DB_PATIENCE_PASS, 500, 5000},      {DB_PATIENCE_YIELD, 500, 5000},
        {DB_PATIENCE_CONFLICT, 500, 10000}, {DB_PATIENCE_ALONE, 500, 5000},
        {DB_PATIENCE_LOCK, 100, 2000},      {DB_PATIENCE_DUMP, 500, 5000},
        {DB_PATIENCE_SCHEMA, 20, 500},
    };
    assert_int_equal(sizeof cases / sizeof *cases, DB_PATIENCE_COUNT);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (int failures = 1; failures <= 12; failures++) {
            int64_t top = cases[i].base << (failures - 1);
            top = top < cases[i].cap ? top : cases[i].cap;
            int64_t ms = db_retry_ms(cases[i].patience, 500, failures);
            if (ms < top / 2 || ms > top)
                fail_msg("case %zu, failure %d: %lld ms", i, failures, (long long)ms);
        }
}

typedef struct Ticks {
    int count, stop_at;
} Ticks;

static bool
count_ticks(void *arg, int64_t elapsed_ms)
{
    (void)elapsed_ms;
    Ticks *t = arg;
    return ++t->count != t->stop_at;
}

void
pause_ticks(void **state)
{
    (void)state;
    Ticks t = {0};
    int64_t before = clock_ms();
    assert_true(db_pause(count_ticks, &t, 250));
    assert_true(clock_ms() - before >= 250);
    assert_in_range(t.count, 1, 20);
    t = (Ticks){.stop_at = 2};
    assert_false(db_pause(count_ticks, &t, PATIENCE_MS));
    assert_int_equal(t.count, 2);
    assert_true(db_pause(NULL, NULL, 0));
}

/* ---- diagnosis ---------------------------------------------------------------------------- */

static void
diagnose(const char *text, Err *err)
{
    DbUrl url = {.user = "app", .password = "s3cret/p@ss", .database = "shop"};
    DbOptions o = {.url = &url, .url_origin = ".env:3"};
    assert_false(connect_diagnose(&o, "db.example.com:5432", text, err));
}

#define TCP "connection to server at \"db.example.com\" (203.0.113.7), port 5432 failed: "

void
diagnose_texts(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        ErrCode code;
        const char *sqlstate;
        const char *hint;
    } cases[] = {
        {TCP
         "FATAL:  28P01: password authentication failed for user \"app\"\nLOCATION:  auth_failed, "
         "auth.c:338\n",
         ERR_AUTH, "28P01", "percent-encoded"},
        {TCP "FATAL:  28000: role \"app\" does not exist\nLOCATION:  InitializeSessionUserId, "
             "miscinit.c:739\n",
         ERR_AUTH, "28000", ".env:3"},
        {"connection to server on socket \"/var/run/postgresql/.s.PGSQL.5432\" failed: FATAL:  "
         "28000: "
         "Peer authentication failed for user \"app\"\nLOCATION:  auth_failed, auth.c:338\n",
         ERR_AUTH, "28000", ""},
        {TCP
         "FATAL:  28000: no pg_hba.conf entry for host \"198.51.100.4\", user \"app\", database "
         "\"shop\", no encryption\nLOCATION:  ClientAuthentication, auth.c:536\n",
         ERR_DENIED, "28000", "sslmode=require"},
        {TCP
         "FATAL:  28000: no pg_hba.conf entry for host \"198.51.100.4\", user \"app\", database "
         "\"shop\", SSL encryption\nLOCATION:  ClientAuthentication, auth.c:536\n",
         ERR_DENIED, "28000", "pg_hba.conf"},
        {TCP "FATAL:  3D000: database \"shop\" does not exist\nLOCATION:  InitPostgres, "
             "postinit.c:941\n",
         ERR_DB_MISSING, "3D000", "--create-database"},
        {TCP "FATAL:  53300: sorry, too many clients already\nLOCATION:  ProcArrayInit, "
             "proc.c:352\n",
         ERR_SERVER_BUSY, "53300", "max_connections"},
        {TCP "FATAL:  53300: remaining connection slots are reserved for non-replication superuser "
             "connections\n",
         ERR_SERVER_BUSY, "53300", "max_connections"},
        {TCP "FATAL:  57P03: the database system is starting up\nLOCATION:  ProcessStartupPacket, "
             "postmaster.c:2334\n",
         ERR_SERVER_BUSY, "57P03", ""},
        {TCP "FATAL:  57P01: terminating connection due to administrator command\n",
         ERR_SERVER_BUSY, "57P01", ""},
        {TCP "FATAL:  42501: permission denied for database \"shop\"\nDETAIL:  User does not have "
             "CONNECT privilege.\nLOCATION:  CheckMyDatabase, postinit.c:352\n",
         ERR_DENIED, "42501", "GRANT CONNECT"},
        {TCP "FATAL:  08P01: unsupported startup parameter: options\n", ERR_POOLER, "08P01",
         "DIRECT_URL"},
        {TCP "Connection refused\n\tIs the server running on that host and accepting TCP/IP "
             "connections?\n",
         ERR_UNREACHABLE, "", "is the port right"},
        {"connection to server on socket \"/tmp/.s.PGSQL.5432\" failed: No such file or "
         "directory\n\tIs "
         "the server running locally and accepting connections on that socket?\n",
         ERR_UNREACHABLE, "", "socket"},
        {"connection to server on socket \"/tmp/.s.PGSQL.5432\" failed: Permission denied\n",
         ERR_DENIED, "", ""},
        {TCP "Network is unreachable\n", ERR_UNREACHABLE, "", "IPv6"},
        {"connection to server at \"db.example.com\" (2001:db8::1), port 5432 failed: Cannot "
         "assign "
         "requested address\n",
         ERR_UNREACHABLE, "", "IPv6"},
        {TCP "timeout expired\n", ERR_TIMEOUT, "", ""},
        {TCP "Connection timed out\n", ERR_TIMEOUT, "", ""},
        {TCP "server does not support SSL, but SSL was required\n", ERR_TLS, "", "sslmode=disable"},
        {TCP "SSL error: certificate verify failed\n", ERR_TLS, "", "sslrootcert"},
        {TCP
         "root certificate file \"/root/.postgresql/root.crt\" does not exist\nEither provide the "
         "file or change sslmode to disable server certificate verification.\n",
         ERR_TLS, "", "sslrootcert"},
        {TCP
         "server certificate for \"*.example.net\" does not match host name \"db.example.com\"\n",
         ERR_TLS, "", ""},
        {TCP "channel binding required, but server authenticated client without channel binding\n",
         ERR_TLS, "", ""},
        {TCP
         "server closed the connection unexpectedly\n\tThis probably means the server terminated "
         "abnormally\n\tbefore or while processing the request.\n",
         ERR_UNREACHABLE, "", ""},
        {"", ERR_UNREACHABLE, "", ""},
        /* The first address refuses, the second one answers. */
        {"connection to server at \"localhost\" (::1), port 5432 failed: Connection refused\n\tIs "
         "the "
         "server running on that host and accepting TCP/IP connections?\nconnection to server at "
         "\"localhost\" (127.0.0.1), port 5432 failed: FATAL:  28P01: password authentication "
         "failed "
         "for user \"app\"\n",
         ERR_AUTH, "28P01", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Err err;
        diagnose(cases[i].text, &err);
        if (err.code != cases[i].code || strcmp(err.sqlstate, cases[i].sqlstate) != 0 ||
            !strstr(err.hint, cases[i].hint))
            fail_msg("%s\n-> %s [%s] hint %s", cases[i].text, err_info(err.code)->name,
                     err.sqlstate, err.hint);
        assert_null(strstr(err.detail, "LOCATION"));
        assert_true(str_eq(str_trim(str_of(err.detail)), str_of(err.detail)));
    }
}

void
diagnose_hides_password(void **state)
{
    (void)state;
    Err err;
    diagnose("connection failed: invalid connection option \"s3cret/p@ss\" of "
             "postgresql://app:s3cret%2Fp%40ss@db.example.com/shop\n",
             &err);
    assert_null(strstr(err.detail, "s3cret"));
    assert_null(strstr(err.primary, "s3cret"));
    assert_non_null(strstr(err.detail, "****"));
}

/* ---- deadlines ---------------------------------------------------------------------------- */

void
resolve_names(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    AddressVec list;
    const char *reason;
    assert_int_equal(resolve_host(a, "localhost", PATIENCE_MS, &list, &reason), RESOLVE_OK);
    assert_true(list.n >= 1);
    assert_true(strcmp(list.v[0], "127.0.0.1") == 0 || strcmp(list.v[0], "::1") == 0);
    assert_int_not_equal(resolve_host(a, "no-such-host.invalid", PATIENCE_MS, &list, &reason),
                         RESOLVE_OK);
    assert_int_equal(list.n, 0);
    char name[400];
    memset(name, 'x', sizeof name);
    name[sizeof name - 1] = 0;
    assert_int_equal(resolve_host(a, name, PATIENCE_MS, &list, &reason), RESOLVE_UNKNOWN);
    assert_true(reason[0]);
}

typedef struct Slow {
    int go;   /* it ends when this can be read */
    int gone; /* closed when the task's argument is freed */
} Slow;

static void
slow_call(void *p)
{
    char byte;
    ssize_t n = read(((Slow *)p)->go, &byte, 1);
    (void)n;
}

static void
quick_call(void *p)
{
    (void)p;
}

static void
slow_free(void *p)
{
    Slow *s = p;
    close(s->gone);
    mem_free(s);
}

void
deadline_is_kept(void **state)
{
    (void)state;
    assert_true(run_with_deadline(quick_call, NULL, slow_free, PATIENCE_MS));
    int go[2], gone[2];
    assert_int_equal(pipe(go) | pipe(gone), 0);
    Slow *slow = mem_alloc(sizeof *slow);
    *slow = (Slow){go[0], gone[1]};
    assert_false(run_with_deadline(slow_call, slow, slow_free, 30));
    char byte = 0;
    assert_int_equal(write(go[1], &byte, 1), 1);
    assert_int_equal(read(gone[0], &byte, 1), 0); /* it went on alone and freed its argument */
    close(gone[0]);
    close(go[0]);
    close(go[1]);
}

/* ---- outcomes and options ----------------------------------------------------------------- */

void
outcomes_as_errors(void **state)
{
    (void)state;
    static const struct {
        DbEnd end;
        bool cancelled, timed_out;
        const char *sqlstate;
        ErrCode code;
    } cases[] = {
        {DB_FAILED, false, false, "42501", ERR_DENIED},
        {DB_FAILED, false, false, "25006", ERR_READ_ONLY},
        {DB_FAILED, false, false, "42P07", ERR_SQL},
        {DB_LOST, false, false, "57P01", ERR_CONNECTION_LOST},
        {DB_LOST, false, false, "", ERR_CONNECTION_LOST},
        {DB_FAILED, true, false, "57014", ERR_INTERRUPTED},
        {DB_LOST, true, false, "", ERR_INTERRUPTED},
        {DB_FAILED, true, true, "57014", ERR_TIMEOUT},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        DbOutcome o = {.end = cases[i].end,
                       .cancelled = cases[i].cancelled,
                       .timed_out = cases[i].timed_out,
                       .message = "the message",
                       .detail = "more",
                       .hint = "do it",
                       .context = ""};
        memcpy(o.sqlstate, cases[i].sqlstate, strlen(cases[i].sqlstate) + 1);
        Err err;
        assert_false(db_outcome_err(&o, "a test", &err));
        assert_int_equal(err.code, cases[i].code);
        if (!cases[i].cancelled) {
            assert_non_null(strstr(err.detail, "the message"));
            assert_string_equal(err.sqlstate, cases[i].sqlstate);
        }
    }
}

static bool
open_url(Arena *a, const char *text, bool refuse_pooler, Err *err)
{
    DbUrl url;
    Db *db;
    assert_true(url_parse(a, text, "the test", &url, err));
    return db_open(a,
                   &(DbOptions){.url = &url,
                                .url_origin = "the test",
                                .application = "test",
                                .connect_ms = PATIENCE_MS,
                                .operation_ms = PATIENCE_MS,
                                .refuse_pooler = refuse_pooler},
                   &db, err);
}

void
connect_refused(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    Err err;
    assert_false(open_url(a, "postgresql://u:pw@127.0.0.1:1/x", false, &err));
    assert_int_equal(err.code, ERR_UNREACHABLE);
    assert_null(strstr(err.detail, "pw"));
    assert_false(open_url(a, "postgresql://u@%2Fno%2Fsuch%2Ffolder/x", false, &err));
    assert_int_equal(err.code, ERR_UNREACHABLE);
    assert_non_null(strstr(err.primary, "/no/such/folder"));
    assert_false(open_url(a, "postgresql://u@no-such-host.invalid/x", false, &err));
    assert_true(err_is_temporary(&err));
    assert_non_null(strstr(err.primary, "no-such-host.invalid"));
}

void
pooler_by_its_name(void **state)
{
    (void)state;
    static const struct {
        const char *url, *direct;
    } cases[] = {
        {"postgresql://u@ep-cool-darkness-123456-pooler.us-east-2.aws.neon.tech/x",
         "ep-cool-darkness-123456.us-east-2.aws.neon.tech"},
        {"postgresql://u@aws-0-eu-central-1.pooler.supabase.com:6543/x", "5432"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ARENA_LOCAL(a);
        Err err;
        assert_false(open_url(a, cases[i].url, true, &err));
        assert_int_equal(err.code, ERR_POOLER);
        assert_non_null(strstr(err.hint, cases[i].direct));
    }
}
