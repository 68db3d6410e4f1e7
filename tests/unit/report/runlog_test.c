/* Events on a terminal, in a log, and in the folder that a run leaves. */
#include "tests.h"

#include "base/fs.h"
#include "report/progress.h"
#include "report/runlog.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static void
send(const RunSink *sink, RunEvent e)
{
    sink->event(sink->arg, &e);
}

/* What the progress of some events writes. */
static char *
shown(Arena *a, const Term *term, bool quiet, bool verbose, const RunEvent *events, size_t n)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    Progress *p = progress_open(a, out, term, quiet, verbose, NULL, NULL);
    RunSink sink = progress_sink(p, NULL);
    for (size_t i = 0; i < n; i++)
        send(&sink, events[i]);
    progress_finish(p);
    fclose(out);
    char *copy = str_dup(a, (Str){text, size});
    free(text);
    return copy;
}

static const RunEvent usual[] = {
    {.kind = RUN_LOCKED, .ms = -1, .text = "locked"},
    {.kind = RUN_MIGRATION, .migration = "1_a", .index = 1, .total = 2, .ms = -1, .text = "begins"},
    {.kind = RUN_STEP,
     .migration = "1_a",
     .index = 1,
     .total = 2,
     .step = 1,
     .steps = 3,
     .ms = -1,
     .text = "CREATE INDEX CONCURRENTLY"},
    {.kind = RUN_PROGRESS, .migration = "1_a", .index = 1, .total = 2, .ms = -1, .text = "running"},
    {.kind = RUN_PROGRESS, .migration = "1_a", .index = 1, .total = 2, .ms = -1, .text = "still"},
    {.kind = RUN_NOTICE, .level = RUN_INFO, .migration = "1_a", .ms = -1, .text = "skipping"},
    {.kind = RUN_NOTICE, .level = RUN_WARN, .migration = "1_a", .ms = -1, .text = "careful"},
    {.kind = RUN_APPLIED,
     .level = RUN_OK,
     .migration = "1_a",
     .index = 1,
     .total = 2,
     .ms = 12,
     .text = "applied"},
};
enum { USUAL = sizeof usual / sizeof *usual };

void
progress_plain(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    const Term term = {.width = 80};
    char *text = shown(a, &term, false, false, usual, USUAL);
    assert_clean(str_of(text));
    assert_null(strstr(text, "locked"));
    assert_null(strstr(text, "begins"));
    assert_null(strstr(text, "skipping"));
    assert_null(strstr(text, "still")); /* repeated progress only every ten seconds */
    assert_non_null(strstr(text, "Z -> 1/2 1_a running\n"));
    assert_non_null(strstr(text, "Z warning: 1_a server: careful\n"));
    assert_non_null(strstr(text, "Z ok 1/2 1_a applied (12 ms)\n"));
    for (Str rest = str_of(text); rest.p;) { /* every line has its time */
        Str line = str_cut(&rest, '\n');
        assert_true(line.n == 0 || (line.n > 24 && line.p[4] == '-' && line.p[10] == 'T'));
    }
    text = shown(a, &term, false, true, usual, USUAL);
    assert_non_null(strstr(text, "1_a begins\n"));
    assert_non_null(strstr(text, "1_a step 1/3 CREATE INDEX CONCURRENTLY\n"));
    assert_non_null(strstr(text, "server: skipping\n"));
}

/* A finding, with what to do below it; silenced or told to the list as the rules have it. */
void
progress_tells_findings(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    for (int quiet = 0; quiet < 2; quiet++) {
        char *text = NULL;
        size_t size = 0;
        FILE *out = open_memstream(&text, &size);
        assert_non_null(out);
        FindingRules rules = {
            .to = {[FINDING_RUN_ORPHAN] = FINDING_OFF, [FINDING_RUN_NOT_RECORDED] = SEV_NOTICE}};
        const Term term = {.width = 80};
        Progress *p = progress_open(a, out, &term, quiet, false, NULL, &rules);
        RunSink sink = progress_sink(p, NULL);
        run_find(&sink, FINDING_RUN_CUT, "1_a", "do this", "was %s", "cut");
        run_find(&sink, FINDING_RUN_ORPHAN, NULL, NULL, "silenced");
        run_find(&sink, FINDING_RUN_NOT_RECORDED, NULL, NULL, "lowered");
        progress_finish(p);
        fclose(out);
        assert_clean(str_of(text));
        assert_non_null(strstr(text, "Z warning: 1_a: was cut [run-cut]\n     do this\n"));
        assert_null(strstr(text, "silenced"));
        assert_true((strstr(text, "lowered") == NULL) == quiet);
        assert_int_equal(sink.findings->items.n, 2);
        assert_int_equal(sink.findings->items.v[1].severity, SEV_NOTICE);
        free(text);
    }
}

void
progress_on_a_terminal(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    const Term term = {.is_tty = true, .unicode = true, .width = 40};
    char *text = shown(a, &term, false, false, usual, USUAL);
    assert_non_null(strstr(text, "\r\x1b[K")); /* the passing line is taken back */
    assert_true(str_ends(str_of(text), STR("applied (12 ms)\n")));
    /* A passing line is never wider than the terminal, whatever is in it. */
    RunEvent wide = usual[3];
    wide.text = "日本語 日本語 日本語 日本語 日本語 日本語 日本語 日本語";
    text = shown(a, &term, false, false, &wide, 1);
    Str line = str_of(text);
    char *end = strstr(text, "\r\x1b[K");
    assert_non_null(end);
    line.n = (size_t)(end - text);
    assert_true(term_columns(line) < 40);
    assert_int_equal(str_utf8_invalid_at(line), line.n);
    /* Names of the database do not move the cursor. */
    for (int k = 0; k < HOSTILE_COUNT; k++) {
        RunEvent e = usual[7];
        e.migration = e.text = hostile[k];
        assert_clean(str_of(shown(a, &(Term){.is_tty = true, .width = 80}, false, false, &e, 1)));
    }
}

void
progress_quiet(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    char *text = shown(a, &(Term){.width = 80}, true, false, usual, USUAL);
    assert_non_null(strstr(text, "careful"));
    assert_null(strstr(text, "applied"));
}

/* ---- the folder --------------------------------------------------------------------------- */

typedef struct Folder {
    char dir[64];
    Arena *arena;
} Folder;

static void
folder_make(Folder *f, Arena *a)
{
    *f = (Folder){.dir = "/tmp/aramid-runlog-XXXXXX", .arena = a};
    assert_non_null(mkdtemp(f->dir));
}

static void
folder_remove(Folder *f)
{
    Err err;
    assert_true(fs_remove(f->dir, &err));
}

static Str
read_in(const Folder *f, const RunLog *l, const char *name)
{
    Str text;
    Err err;
    if (!fs_read(f->arena, fs_join(f->arena, runlog_dir(l), name), 0, &text, &err))
        fail_msg("%s", err.primary);
    return text;
}

static int
parse_lines(Str text)
{
    int n = 0;
    while (text.p && text.n) {
        Str line = str_cut(&text, '\n');
        json_t *j = must_parse(line);
        assert_non_null(json_string_value(json_object_get(j, "event")));
        assert_non_null(json_string_value(json_object_get(j, "time")));
        json_decref(j);
        n++;
    }
    return n;
}

void
runlog_writes_lines(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    Folder f;
    folder_make(&f, a);
    char *id = runlog_id(a);
    RunLog *l = runlog_open(a, f.dir, id, NULL);
    RunSink sink = runlog_sink(l);
    int sent = 0;
    for (size_t i = 0; i < USUAL; i++, sent++)
        send(&sink, usual[i]);
    for (int k = 0; k < HOSTILE_COUNT; k++, sent++)
        send(&sink,
             (RunEvent){.kind = RUN_NOTICE, .migration = hostile[k], .ms = -1, .text = hostile[k]});
    for (int k = 0; k < HOSTILE_COUNT; k++, sent++)
        run_find(&sink, FINDING_RUN_CUT, hostile[k], hostile[k], "%s", hostile[k]);
    Err err;
    err_set(&err, ERR_MIGRATION_FAILED, "it \"failed\"\n");
    err_detail(&err, "%s", hostile[5]);
    runlog_error(l, &err);
    assert_non_null(runlog_dir(l));
    assert_non_null(strstr(runlog_dir(l), str_fmt(a, ".aramid/runs/%s", id)));
    assert_int_equal(parse_lines(read_in(&f, l, "events.jsonl")), sent + 1);
    assert_non_null(strstr(read_in(&f, l, "log.txt").p, "1_a: applied (12 ms)"));
    struct stat st;
    assert_int_equal(stat(runlog_dir(l), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
    runlog_close(l);
    runlog_close(l);
    folder_remove(&f);
}

void
runlog_hides_secrets(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    Folder f;
    folder_make(&f, a);
    const char *both[] = {"postgresql://u:s3cret-pw@h/db", "t0ken"};
    const SecretVec secrets = {.v = both, .n = 2};
    RunLog *l = runlog_open(a, f.dir, "run", &secrets);
    RunSink sink = runlog_sink(l);
    const char *text = "see postgresql://u:s3cret-pw@h/db and postgres://other:s3cret-pw@h, "
                       "password=s3cret-pw, t0ken";
    send(&sink, (RunEvent){.kind = RUN_APPLIED, .migration = "1_a", .ms = 1, .text = text});
    Err err;
    err_set(&err, ERR_SQL, "%s", text);
    err_hint(&err, "%s", text);
    runlog_error(l, &err);
    runlog_plan(l, str_of(str_fmt(a, "{\"sql\": \"%s\"}", text)));
    static const char *const files[] = {"events.jsonl", "log.txt", "plan.json"};
    for (size_t i = 0; i < 3; i++) {
        Str got = read_in(&f, l, files[i]);
        assert_null(strstr(got.p, "s3cret"));
        assert_null(strstr(got.p, "t0ken"));
        assert_non_null(strstr(got.p, "****"));
    }
    runlog_close(l);
    folder_remove(&f);
}

/* Redaction must leave JSON that can be read, whatever the texts look like. */
void
runlog_keeps_json_whole(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "ALTER ROLE a PASSWORD 'x'; SELECT 1",
        "ALTER ROLE a PASSWORD E'x\\'y'; SELECT 1",
        "ALTER ROLE a PASSWORD $$x$$; SELECT 1",
        "ALTER ROLE a PASSWORD $$never closed",
        "ALTER ROLE a PASSWORD 'never closed",
        "{\"password\": \"x\", \"a\": 1}",
        "password=a\\ b\"c",
        "password=\\",
        "password=\"",
        "password:\"",
        "\"password\":",
        "postgresql://u:pw",
        "postgresql://u:pw@",
        "postgresql://u:p\"w@h/db",
        "postgresql://u:p\\w@h/db\\",
        "'postgresql://u:pw@h/db?password=x'",
    };
    enum { N = sizeof texts / sizeof *texts };
    for (int i = 0; i < N; i++) {
        ARENA_LOCAL(a);
        Folder f;
        folder_make(&f, a);
        const char *hidden[] = {"topsecret"};
        const SecretVec secrets = {.v = hidden, .n = 1};
        RunLog *l = runlog_open(a, f.dir, "run", &secrets);
        RunSink sink = runlog_sink(l);
        send(&sink, (RunEvent){.kind = RUN_APPLIED, .migration = "1_a", .ms = 1, .text = texts[i]});
        Err err;
        err_set(&err, ERR_SQL, "%s", texts[i]);
        err_detail(&err, "%s", texts[(i + 1) % N]);
        err_hint(&err, "mail admin@example.com");
        runlog_error(l, &err);
        JsonWriter w;
        jw_init(&w, a, true);
        jw_object(&w, NULL);
        jw_strz(&w, "sql", texts[i]);
        jw_strz(&w, "after", "mail@example.com");
        jw_end(&w);
        runlog_plan(l, buf_str(&w.out));
        assert_int_equal(parse_lines(read_in(&f, l, "events.jsonl")), 2);
        json_decref(must_parse(read_in(&f, l, "plan.json")));
        runlog_close(l);
        folder_remove(&f);
    }
}

void
runlog_nothing_for_nothing(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    Folder f;
    folder_make(&f, a);
    RunLog *l = runlog_open(a, f.dir, "run", NULL);
    RunSink sink = runlog_sink(l);
    send(&sink, (RunEvent){.kind = RUN_CONNECTED, .ms = -1, .text = "connected"});
    send(&sink, (RunEvent){.kind = RUN_WAITING, .ms = -1, .text = "waiting"});
    Err err;
    err_set(&err, ERR_AUTH, "no");
    runlog_error(l, &err);
    assert_null(runlog_dir(l));
    assert_false(fs_exists(fs_join(a, f.dir, ".aramid")));
    runlog_close(l);
    folder_remove(&f);
}

/* An .aramid/ that its owner closed stays closed. */
void
runlog_leaves_modes_alone(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    Folder f;
    folder_make(&f, a);
    const char *own = fs_join(a, f.dir, ".aramid");
    assert_int_equal(mkdir(own, 0700), 0);
    RunLog *l = runlog_open(a, f.dir, "run", NULL);
    RunSink sink = runlog_sink(l);
    send(&sink, usual[7]);
    assert_non_null(runlog_dir(l));
    runlog_close(l);
    struct stat st;
    assert_int_equal(stat(own, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
    folder_remove(&f);
}

/* A project folder that cannot be written: a temporary one, and never a failure. */
void
runlog_elsewhere(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    Folder f;
    folder_make(&f, a);
    const char *before = getenv("TMPDIR");
    before = before ? str_dupz(a, before) : NULL;
    setenv("TMPDIR", f.dir, 1);
    RunLog *l = runlog_open(a, "/dev/null/project", "run", NULL);
    RunSink sink = runlog_sink(l);
    send(&sink, usual[7]);
    assert_non_null(runlog_dir(l));
    assert_true(str_starts(str_of(runlog_dir(l)), str_of(f.dir)));
    runlog_close(l);
    assert_int_equal(parse_lines(read_in(&f, l, "events.jsonl")), 1);

    /* The folder is this user's own; whoever came before with a link or open doors gets nothing. */
    const char *shared = fs_dirname(a, runlog_dir(l));
    struct stat st;
    assert_int_equal(stat(shared, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
    Err err;
    assert_true(fs_remove(shared, &err));
    assert_int_equal(symlink("/tmp", shared), 0);
    l = runlog_open(a, "/dev/null/project", "run", NULL);
    sink = runlog_sink(l);
    send(&sink, usual[7]);
    assert_null(runlog_dir(l));
    runlog_close(l);
    assert_true(fs_remove(shared, &err));
    assert_int_equal(mkdir(shared, 0700), 0);
    assert_int_equal(chmod(shared, 0777), 0);
    l = runlog_open(a, "/dev/null/project", "run", NULL);
    sink = runlog_sink(l);
    send(&sink, usual[7]);
    assert_null(runlog_dir(l));
    runlog_close(l);

    setenv("TMPDIR", "/dev/null", 1); /* nowhere at all */
    l = runlog_open(a, "/dev/null/project", "run", NULL);
    sink = runlog_sink(l);
    send(&sink, usual[7]);
    send(&sink, usual[7]);
    runlog_plan(l, STR("{}"));
    assert_null(runlog_dir(l));
    runlog_close(l);
    if (before)
        setenv("TMPDIR", before, 1);
    else
        unsetenv("TMPDIR");
    folder_remove(&f);
}
