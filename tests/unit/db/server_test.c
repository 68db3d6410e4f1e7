/* With a server: messages, errors, cancelling, lost connections. */
#include "tests.h"

#include "shadow/cluster.h"
#include "base/mem_int.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

typedef struct Fixture {
    Arena *arena;
    TempCluster *cluster;
    Db *db; /* a connection for tests that do not break it */
} Fixture;

typedef struct Heard {
    Buf text; /* "SEVERITY SQLSTATE text\n" */
} Heard;

static Db *
open_with(Arena *a, const char *url_text, DbOptions o)
{
    DbUrl *url = arena_new(a, DbUrl);
    Db *db;
    Err err;
    if (!url_parse(a, url_text, "the test", url, &err))
        fail_msg("%s", err.primary);
    o.url = url;
    o.url_origin = "the test";
    o.application = "aramid-test";
    o.operation_ms = o.operation_ms ? o.operation_ms : PATIENCE_MS;
    if (!db_open(a, &o, &db, &err))
        fail_msg("%s\n%s", err.primary, err.detail);
    return db;
}

int
fixture_open(void **state)
{
    Fixture *f = mem_alloc(sizeof *f);
    *f = (Fixture){.arena = arena_make()};
    Err err;
    if (!temp_cluster_open(f->arena, NULL, 0, NULL, &f->cluster, &err)) {
        print_error("%s\n%s\n", err.primary, err.detail);
        return -1;
    }
    f->db = open_with(f->arena, temp_cluster_url(f->cluster), (DbOptions){0});
    *state = f;
    return 0;
}

int
fixture_close(void **state)
{
    Fixture *f = *state;
    if (f) {
        db_close(f->db);
        temp_cluster_close(f->cluster);
        arena_free(f->arena);
        mem_free(f);
    }
    return 0;
}

static DbOutcome
run(Db *db, Arena *a, const char *sql)
{
    DbOutcome o;
    db_run(db, a, str_of(sql), &(DbRun){.timeout_ms = PATIENCE_MS}, &o);
    return o;
}

static void
must_run(Db *db, const char *sql)
{
    ARENA_LOCAL(a);
    DbOutcome o = run(db, a, sql);
    if (o.end != DB_DONE)
        fail_msg("%s: %s", sql, o.message);
}

static Db *
open_own(Fixture *f, Arena *a)
{
    return open_with(a, temp_cluster_url(f->cluster), (DbOptions){0});
}

/* ---- connecting --------------------------------------------------------------------------- */

void
open_learns(void **state)
{
    Fixture *f = *state;
    const DbInfo *i = db_info(f->db);
    assert_int_equal(i->version / 10000, temp_cluster_major(f->cluster));
    assert_true(i->backend_pid > 0);
    assert_string_equal(i->user, "postgres");
    assert_string_equal(i->database, "postgres");
    assert_true(i->started[0] && i->host[0] == '/');
    assert_false(i->in_recovery || i->read_only);
    assert_true(i->clock_offset_us > -1000000 && i->clock_offset_us < 1000000);
    assert_int_equal(i->deadlock_timeout_ms, 1000);
    ARENA_LOCAL(a);
    DbOutcome o = run(f->db, a, "SHOW application_name; SELECT pg_backend_pid()");
    assert_true(str_is(db_cell(&o.results.v[0], 0, 0), "aramid-test"));
    assert_true(str_is(db_cell(&o.results.v[1], 0, 0), str_fmt(a, "%d", i->backend_pid)));
}

void
open_wrong_database(void **state)
{
    Fixture *f = *state;
    ARENA_LOCAL(a);
    DbUrl url;
    Err err;
    Db *db;
    assert_true(url_parse(a, temp_cluster_url(f->cluster), "the test", &url, &err));
    url.database = "no such \"one\"";
    DbOptions o = {
        .url = &url, .url_origin = "the test", .application = "x", .connect_ms = PATIENCE_MS};
    assert_false(db_open(a, &o, &db, &err));
    assert_int_equal(err.code, ERR_DB_MISSING);
    assert_string_equal(err.sqlstate, "3D000");
    url.database = "postgres";
    url.user = "nobody there";
    assert_false(db_open(a, &o, &db, &err));
    assert_int_equal(err.code, ERR_AUTH);
}

static bool
say_no(void *arg, int64_t elapsed_ms)
{
    (void)arg;
    (void)elapsed_ms;
    return false;
}

/* A server that accepts and says nothing. */
void
tick_stops_connecting(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    DbUrl url;
    Err err;
    Db *db;
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof at;
    int silent = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(silent, (struct sockaddr *)&at, size) | listen(silent, 1), 0);
    assert_int_equal(getsockname(silent, (struct sockaddr *)&at, &size), 0);
    const char *text = str_fmt(a, "postgresql://u@127.0.0.1:%d/x", ntohs(at.sin_port));
    assert_true(url_parse(a, text, "the test", &url, &err));
    DbOptions o = {.url = &url,
                   .url_origin = "the test",
                   .application = "x",
                   .connect_ms = PATIENCE_MS,
                   .tick = say_no};
    assert_false(db_open(a, &o, &db, &err));
    assert_int_equal(err.code, ERR_INTERRUPTED);
    close(silent);
}

/* ---- messages ----------------------------------------------------------------------------- */

void
results_and_tags(void **state)
{
    Fixture *f = *state;
    ARENA_LOCAL(a);
    DbOutcome o = run(f->db, a,
                      "CREATE TEMP TABLE rt (i int, t text);"
                      "INSERT INTO rt VALUES (1, NULL), (2, ''), (3, 'ä''b');"
                      "SELECT i, t FROM rt ORDER BY i; /* c */ ; SELECT 1 WHERE false;"
                      "DROP TABLE rt -- the end");
    assert_int_equal(o.end, DB_DONE);
    assert_int_equal(o.completed, 5);
    assert_int_equal(o.results.n, 5);
    assert_string_equal(o.results.v[0].tag, "CREATE TABLE");
    assert_string_equal(o.results.v[1].tag, "INSERT 0 3");
    const DbRows *r = &o.results.v[2];
    assert_string_equal(r->tag, "SELECT 3");
    assert_int_equal(r->rows, 3);
    assert_int_equal(r->cols, 2);
    assert_null(db_cell(r, 0, 1).p);
    assert_true(db_cell(r, 1, 1).p && db_cell(r, 1, 1).n == 0);
    assert_true(str_is(db_cell(r, 2, 1), "ä'b"));
    assert_int_equal(o.results.v[3].rows, 0);
    assert_string_equal(o.results.v[4].tag, "DROP TABLE");
    o = run(f->db, a, "-- nothing");
    assert_int_equal(o.end, DB_DONE);
    assert_int_equal(o.completed, 1);
}

static void
hear(void *arg, const char *severity, const char *sqlstate, const char *text)
{
    buf_fmt(&((Heard *)arg)->text, "%s %s %s\n", severity, sqlstate, text);
}

void
notices_arrive(void **state)
{
    Fixture *f = *state;
    ARENA_LOCAL(a);
    Heard h;
    buf_init(&h.text, a);
    DbOutcome o;
    db_run(f->db, a,
           STR("SET client_min_messages = notice; DROP TABLE IF EXISTS never_made;"
               "DO $$BEGIN RAISE WARNING 'careful %', 1; RAISE INFO 'ä'; END$$; COMMIT"),
           &(DbRun){.timeout_ms = PATIENCE_MS, .notice = hear, .notice_arg = &h}, &o);
    assert_int_equal(o.end, DB_DONE);
    assert_non_null(
        strstr(h.text.p, "NOTICE 00000 table \"never_made\" does not exist, skipping\n"));
    assert_non_null(strstr(h.text.p, "WARNING 01000 careful 1\n"));
    assert_non_null(strstr(h.text.p, "INFO 00000 ä\n"));
    buf_clear(&h.text);
    must_run(f->db, "DROP TABLE IF EXISTS never_made"); /* nobody listens any more */
    assert_int_equal(h.text.n, 0);
}

void
error_fields(void **state)
{
    Fixture *f = *state;
    ARENA_LOCAL(a);
    must_run(f->db,
             "CREATE TABLE ef (i int CONSTRAINT \"we\"\"ird\" CHECK (i > 0), n int NOT NULL)");
    DbOutcome o = run(f->db, a, "INSERT INTO ef VALUES (0, 1)");
    assert_int_equal(o.end, DB_FAILED);
    assert_string_equal(o.sqlstate, "23514");
    assert_string_equal(o.schema, "public");
    assert_string_equal(o.table, "ef");
    assert_string_equal(o.constraint, "we\"ird");
    assert_non_null(strstr(o.detail, "Failing row"));
    o = run(f->db, a, "INSERT INTO ef VALUES (1, NULL)");
    assert_string_equal(o.sqlstate, "23502");
    assert_string_equal(o.column, "n");
    o = run(f->db, a,
            "DO $$BEGIN RAISE EXCEPTION 'm' USING DETAIL = 'd', HINT = 'h', "
            "ERRCODE = 'AB123'; END$$");
    assert_string_equal(o.sqlstate, "AB123");
    assert_string_equal(o.message, "m");
    assert_string_equal(o.detail, "d");
    assert_string_equal(o.hint, "h");
    assert_non_null(strstr(o.context, "PL/pgSQL"));
    assert_true(db_is_open(f->db));
    must_run(f->db, "DROP TABLE ef");
}

void
position_counts_characters(void **state)
{
    Fixture *f = *state;
    ARENA_LOCAL(a);
    DbOutcome o = run(f->db, a, "SELECT 'äöü', nowhere");
    assert_string_equal(o.sqlstate, "42703");
    assert_int_equal(o.position, 15);
    o = run(f->db, a, "SELECT 1; SELECT '日本語'; SELCT 2");
    assert_string_equal(o.sqlstate, "42601");
    assert_int_equal(o.position, 25);
    assert_int_equal(o.completed, 0); /* the whole message is parsed first */
    o = run(f->db, a, "SELECT 1/0");
    assert_int_equal(o.position, 0);
}

void
error_ends_a_message(void **state)
{
    Fixture *f = *state;
    ARENA_LOCAL(a);
    DbOutcome o = run(f->db, a,
                      "CREATE TABLE em (i int); INSERT INTO em VALUES (1);"
                      "INSERT INTO em VALUES (1/0); SELECT 1");
    assert_int_equal(o.end, DB_FAILED);
    assert_int_equal(o.completed, 2);
    assert_string_equal(o.sqlstate, "22012");
    o = run(f->db, a, "SELECT to_regclass('em') IS NULL"); /* one implicit transaction */
    assert_true(str_is(db_cell(&o.results.v[0], 0, 0), "t"));
}

void
rows_are_discarded(void **state)
{
    Fixture *f = *state;
    ARENA_LOCAL(a);
    DbOutcome o;
    db_run(f->db, a, STR("SELECT repeat('x', 1000) FROM generate_series(1, 20000); SELECT 1, 2"),
           &(DbRun){.discard_rows = true}, &o);
    assert_int_equal(o.end, DB_DONE);
    assert_int_equal(o.completed, 2);
    assert_string_equal(o.results.v[0].tag, "SELECT 20000");
    assert_int_equal(o.results.v[0].rows, 0);
    assert_true(arena_bytes(a) < 1 << 20);
    /* An error behind rows that were sent already. */
    db_run(f->db, a, STR("SELECT 1; SELECT 1 / (3 - i) FROM generate_series(1, 5) i; SELECT 2"),
           &(DbRun){.discard_rows = true}, &o);
    assert_int_equal(o.end, DB_FAILED);
    assert_int_equal(o.completed, 1);
    o = run(f->db, a, "SELECT 7"); /* the next message keeps its rows */
    assert_true(str_is(db_cell(&o.results.v[0], 0, 0), "7"));
}

static void
write_row(void *arg, size_t result, const Str *cells)
{
    buf_fmt(arg, "%zu:" STR_FMT ":%s ", result, STR_ARG(cells[0]), cells[1].p ? cells[1].p : "-");
}

void
rows_are_handed_on(void **state)
{
    Fixture *f = *state;
    ARENA_LOCAL(a);
    DbOutcome o;
    Buf seen;
    buf_init(&seen, a);
    DbRun how = {.row = write_row, .row_arg = &seen};
    db_run(f->db, a,
           STR("SELECT 'a', 1; SET LOCAL search_path = ''; SELECT i, NULL FROM generate_series(1, "
               "2) i"),
           &how, &o);
    assert_int_equal(o.end, DB_DONE);
    assert_int_equal(o.completed, 3);
    assert_string_equal(seen.p, "0:a:1 2:1:- 2:2:- ");
    assert_int_equal(o.results.v[2].rows, 0);
    buf_clear(&seen);
    db_run(f->db, a, STR("SELECT 1, 2; SELECT 1 / 0, 1"), &how, &o);
    assert_int_equal(o.end, DB_FAILED);
    assert_string_equal(seen.p, "0:1:2 ");
}

/* ---- stopping ----------------------------------------------------------------------------- */

static bool
stop_after(void *arg, int64_t elapsed_ms)
{
    return elapsed_ms < *(int *)arg;
}

void
tick_cancels(void **state)
{
    Fixture *f = *state;
    ARENA_LOCAL(a);
    int ms = 150;
    db_set_tick(f->db, stop_after, &ms);
    DbOutcome o;
    db_run(f->db, a, STR("SELECT 1; SELECT pg_sleep(3600)"), &(DbRun){0}, &o);
    db_set_tick(f->db, NULL, NULL);
    assert_int_equal(o.end, DB_FAILED);
    assert_true(o.cancelled && !o.timed_out);
    assert_string_equal(o.sqlstate, "57014");
    assert_int_equal(o.completed, 1);
    must_run(f->db, "SELECT 1");
}

void
timeout_cancels(void **state)
{
    Fixture *f = *state;
    ARENA_LOCAL(a);
    DbOutcome o;
    db_run(f->db, a, STR("SELECT pg_sleep(3600)"), &(DbRun){.timeout_ms = 100}, &o);
    assert_true(o.cancelled && o.timed_out);
    assert_string_equal(o.sqlstate, "57014");
    Err err;
    assert_false(db_outcome_err(&o, "a nap", &err));
    assert_int_equal(err.code, ERR_TIMEOUT);
    must_run(f->db, "SELECT 1");
}

/* Who holds the lock that the statement waits for: it gives way when the statement is cancelled. */
static Db *holder;

static PGcancel *
cancel_too_late(PGconn *conn)
{
    (void)conn;
    must_run(holder, "SELECT pg_advisory_unlock(1)");
    return NULL;
}

/* The statement ends by itself while it is being cancelled: it is done. */
void
late_cancel_is_still_done(void **state)
{
    Fixture *f = *state;
    ARENA_LOCAL(a);
    Db *db = open_own(f, a);
    db->pq.PQgetCancel = cancel_too_late;
    holder = f->db;
    must_run(holder, "SELECT pg_advisory_lock(1)");
    DbOutcome o;
    db_run(db, a, STR("SELECT pg_advisory_lock(1)"), &(DbRun){.timeout_ms = 50}, &o);
    assert_int_equal(o.end, DB_DONE);
    assert_true(o.cancelled);
    assert_int_equal(o.completed, 1);
    db_close(db);
}

void
lost_connection(void **state)
{
    Fixture *f = *state;
    ARENA_LOCAL(a);
    Db *db = open_own(f, a);
    DbOutcome o = run(db, a, "SELECT 1; SELECT pg_terminate_backend(pg_backend_pid())");
    assert_int_equal(o.end, DB_LOST);
    assert_string_equal(o.sqlstate, "57P01");
    assert_non_null(strstr(o.message, "terminating connection"));
    assert_false(db_is_open(db));
    o = run(db, a, "SELECT 1"); /* no crash, the same answer */
    assert_int_equal(o.end, DB_LOST);
    db_close(db);

    db = open_own(f, a); /* ended from outside, between two messages */
    must_run(f->db, str_fmt(a, "SELECT pg_terminate_backend(%d); SELECT pg_sleep(0.05)",
                            db_info(db)->backend_pid));
    o = run(db, a, "SELECT 1");
    assert_int_equal(o.end, DB_LOST);
    assert_true(o.message[0]);
    assert_null(strchr(o.message, '\n')); /* libpq's guesses at causes are left out */
    db_close(db);
    db_close(db);
    db_close(NULL);

    db = open_own(f, a); /* a session to be put back cannot be when it is lost */
    db->shared = STR("RESET ALL");
    o = run(db, a, "SELECT pg_terminate_backend(pg_backend_pid())");
    assert_int_equal(o.end, DB_LOST);
    assert_false(db_is_open(db));
    db_close(db);
}

/* dblink, foreign tables and RAISE give such states to errors that leave the session alive. */
void
error_of_class_08_is_no_loss(void **state)
{
    Fixture *f = *state;
    static const char *const states[] = {"08006", "08001", "53300", "57P03"};
    for (size_t i = 0; i < sizeof states / sizeof *states; i++) {
        ARENA_LOCAL(a);
        Db *db = open_own(f, a);
        DbOutcome o = run(db, a,
                          str_fmt(a,
                                  "DO $$BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '%s'; "
                                  "END$$",
                                  states[i]));
        bool open = db_is_open(db);
        db_close(db);
        if (o.end != DB_FAILED || !open)
            fail_msg("%s: end %d", states[i], o.end);
    }
}

void
copy_is_survived(void **state)
{
    Fixture *f = *state;
    ARENA_LOCAL(a);
    DbOutcome o =
        run(f->db, a, "COPY (SELECT i FROM generate_series(1, 1000) i) TO STDOUT; SELECT 1");
    assert_int_equal(o.end, DB_DONE);
    assert_int_equal(o.completed, 2);
    o = run(f->db, a, "CREATE TEMP TABLE ci (i int); COPY ci FROM STDIN");
    assert_int_equal(o.end, DB_FAILED);
    assert_string_equal(o.sqlstate, "57014");
    assert_non_null(strstr(o.message, "no data"));
    must_run(f->db, "SELECT 1");
}

/* A COPY that is still sending must not keep the caller from its deadline. */
void
copy_is_cancelled(void **state)
{
    Fixture *f = *state;
    ARENA_LOCAL(a);
    DbOutcome o;
    db_run(f->db, a,
           STR("COPY (SELECT pg_sleep(0.3), repeat('x', 10000) FROM generate_series(1, 9999)) TO "
               "STDOUT"),
           &(DbRun){.timeout_ms = 500, .discard_rows = true}, &o);
    assert_true(o.timed_out);
    assert_string_equal(o.sqlstate, "57014");
    must_run(f->db, "SELECT 1");
}

/* Counts what goes out; gives pieces of its own making to what wants to come in. */
typedef struct Copy {
    size_t rows, bytes, last_result;
    size_t pieces, refuse_at;
    Buf piece;
} Copy;

static bool
take_out(void *arg, size_t result, Str row)
{
    Copy *c = arg;
    c->last_result = result;
    c->rows++;
    c->bytes += row.n;
    assert_int_equal(row.p[row.n - 1], '\n');
    return !c->refuse_at || c->rows < c->refuse_at;
}

static bool
give_piece(void *arg, Str *ret)
{
    Copy *c = arg;
    if (c->refuse_at && c->rows + 1 == c->refuse_at)
        return false;
    *ret = c->rows < c->pieces ? buf_str(&c->piece) : (Str){0};
    c->rows++;
    return true;
}

static DbOutcome
run_copy(Db *db, Arena *a, const char *sql, Copy *c)
{
    DbOutcome o;
    db_run(db, a, str_of(sql), &(DbRun){.copy_out = take_out, .copy_in = give_piece, .copy_arg = c},
           &o);
    return o;
}

void
copy_goes_out(void **state)
{
    Fixture *f = *state;
    ARENA_LOCAL(a);
    Copy c = {0};
    DbOutcome o =
        run_copy(f->db, a,
                 "SELECT 1; COPY (SELECT i, repeat('x', i % 1000) FROM generate_series(1, "
                 "20000) i) TO STDOUT; SELECT 2; COPY (SELECT 'a\tb' WHERE true) TO STDOUT",
                 &c);
    assert_int_equal(o.end, DB_DONE);
    assert_int_equal(o.completed, 4);
    assert_string_equal(o.results.v[1].tag, "COPY 20000");
    assert_int_equal(c.rows, 20001);
    assert_int_equal(c.last_result, 3);
}

void
copy_comes_in(void **state)
{
    Fixture *f = *state;
    ARENA_LOCAL(a);
    must_run(f->db, "CREATE TEMP TABLE ci_rows (i int, t text)");
    Copy c = {.pieces = 300};
    buf_init(&c.piece, a);
    for (int i = 0; i < 1000; i++)
        buf_fmt(&c.piece, "%d\t%s\n", i, i % 2 ? "\\N" : "text");
    DbOutcome o =
        run_copy(f->db, a, "COPY ci_rows FROM STDIN; SELECT count(*), count(t) FROM ci_rows", &c);
    assert_int_equal(o.end, DB_DONE);
    assert_string_equal(o.results.v[0].tag, "COPY 300000");
    assert_true(str_is(db_cell(&o.results.v[1], 0, 1), "150000"));
    /* Pieces need not end where rows do; no data at all is fine. */
    buf_clear(&c.piece);
    buf_addz(&c.piece, "1\tx\n2\ty\n3");
    c = (Copy){.pieces = 1, .piece = c.piece};
    o = run_copy(f->db, a, "TRUNCATE ci_rows; COPY ci_rows (i) FROM STDIN", &c);
    assert_int_equal(o.end, DB_FAILED);
    c = (Copy){.pieces = 0, .piece = c.piece};
    o = run_copy(f->db, a, "COPY ci_rows FROM STDIN", &c);
    assert_int_equal(o.end, DB_DONE);
    assert_string_equal(o.results.v[0].tag, "COPY 0");
    must_run(f->db, "DROP TABLE ci_rows");
}

/* The caller's disk is full, or its file ends early. */
void
copy_is_refused(void **state)
{
    Fixture *f = *state;
    ARENA_LOCAL(a);
    Copy c = {.refuse_at = 10};
    DbOutcome o =
        run_copy(f->db, a,
                 "COPY (SELECT repeat('x', 1000) FROM generate_series(1, 10000000)) TO STDOUT", &c);
    assert_true(o.cancelled && !o.timed_out);
    assert_string_equal(o.sqlstate, "57014");
    assert_int_equal(c.rows, 10);
    must_run(f->db, "CREATE TEMP TABLE ci_refused (i int)");
    c = (Copy){.pieces = 100, .refuse_at = 10};
    buf_init(&c.piece, a);
    buf_addz(&c.piece, "1\n");
    o = run_copy(f->db, a, "COPY ci_refused FROM STDIN", &c);
    assert_int_equal(o.end, DB_FAILED);
    assert_false(o.cancelled);
    assert_string_equal(o.sqlstate, "57014");
    assert_non_null(strstr(o.message, "ended early"));
    must_run(f->db, "SELECT 1");
}

void
copy_meets_errors(void **state)
{
    Fixture *f = *state;
    ARENA_LOCAL(a);
    must_run(f->db, "CREATE TEMP TABLE ci_checked (i int CHECK (i < 5))");
    Copy c = {.pieces = 20000};
    buf_init(&c.piece, a);
    for (int i = 0; i < 1000; i++)
        buf_addz(&c.piece, "7\n");
    DbOutcome o = run_copy(f->db, a, "COPY ci_checked FROM STDIN", &c);
    assert_int_equal(o.end, DB_FAILED);
    assert_string_equal(o.sqlstate, "23514");
    assert_non_null(strstr(o.context, "line 1"));
    c = (Copy){0};
    o = run_copy(f->db, a, "COPY (SELECT 1 / (5 - i) FROM generate_series(1, 100) i) TO STDOUT",
                 &c);
    assert_int_equal(o.end, DB_FAILED);
    assert_string_equal(o.sqlstate, "22012");
    /* A connection that is gone in the middle. */
    Db *db = open_own(f, a);
    must_run(db, "CREATE TEMP TABLE ci (i int)");
    c = (Copy){.pieces = 100000};
    buf_init(&c.piece, a);
    for (int i = 0; i < 100; i++)
        buf_addz(&c.piece, "7\n");
    char *end = str_fmt(a, "SELECT pg_terminate_backend(%d)", db_info(db)->backend_pid);
    o = run_copy(db, a, str_fmt(a, "COPY ci FROM STDIN WHERE %s", "i = 7"), &c);
    assert_int_equal(o.end, DB_DONE);
    must_run(f->db, end);
    o = run_copy(db, a, "COPY ci FROM STDIN", &c);
    assert_int_equal(o.end, DB_LOST);
    assert_false(db_is_open(db));
    must_run(f->db, "SELECT 1");
}

/* Data that flows without a pause does not keep the tick from being asked. */
void
copy_ticks(void **state)
{
    Fixture *f = *state;
    ARENA_LOCAL(a);
    int ms = 150;
    Copy c = {.pieces = SIZE_MAX};
    buf_init(&c.piece, a);
    for (int i = 0; i < 1000; i++)
        buf_addz(&c.piece, "7\n");
    must_run(f->db, "CREATE TEMP TABLE ci_endless (i int)");
    db_set_tick(f->db, stop_after, &ms);
    DbOutcome o = run_copy(f->db, a, "COPY ci_endless FROM STDIN", &c);
    assert_int_equal(o.end, DB_FAILED);
    assert_true(o.cancelled && !o.timed_out);
    c = (Copy){0};
    o = run_copy(f->db, a, "COPY (SELECT generate_series(1, 1000000000)) TO STDOUT", &c);
    db_set_tick(f->db, NULL, NULL);
    assert_int_equal(o.end, DB_FAILED);
    assert_true(o.cancelled && c.rows > 0);
    must_run(f->db, "SELECT 1");
}

/* What counts is statements, also when one of them gives several results. */
void
rules_make_more_results(void **state)
{
    Fixture *f = *state;
    ARENA_LOCAL(a);
    must_run(f->db, "CREATE TEMP TABLE ruled (i int);"
                    "CREATE RULE r1 AS ON INSERT TO ruled DO ALSO SELECT 1;"
                    "CREATE RULE r2 AS ON INSERT TO ruled DO ALSO SELECT 2");
    for (int discard = 0; discard < 2; discard++) {
        DbOutcome o;
        db_run(f->db, a, STR("INSERT INTO ruled VALUES (1); SELECT 3; SELECT 1/0; SELECT 4"),
               &(DbRun){.discard_rows = discard}, &o);
        assert_string_equal(o.sqlstate, "22012");
        assert_int_equal(o.completed, 2);
    }
}

void
queries_become_errors(void **state)
{
    Fixture *f = *state;
    ARENA_LOCAL(a);
    Err err;
    DbRowsVec rows;
    assert_true(db_query(f->db, a, STR("SELECT 1; SELECT 2"), &rows, &err));
    assert_int_equal(rows.n, 2);
    assert_true(db_query(f->db, a, STR("SELECT 1"), NULL, &err));
    assert_false(db_query(f->db, a, STR("SELECT nowhere"), &rows, &err));
    assert_int_equal(err.code, ERR_SQL);
    assert_string_equal(err.sqlstate, "42703");
    assert_false(
        db_query(f->db, a, STR("SET TRANSACTION READ ONLY; CREATE TABLE x (i int)"), NULL, &err));
    assert_int_equal(err.code, ERR_READ_ONLY);
    assert_false(db_query(
        f->db, a, STR("CREATE ROLE qe; SET LOCAL ROLE qe; CREATE TABLE pg_catalog.x (i int)"), NULL,
        &err));
    assert_int_equal(err.code, ERR_DENIED);
    must_run(f->db, "SELECT 1");
}
