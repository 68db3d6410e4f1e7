/* The layouts of other tools: which files are migrations, under which names, in which order, and what
 * of them is run. Right values: runs of the tools themselves. */
#include "base/fs.h"
#include "history/drizzle_int.h"
#include "tests.h"

#include <stdlib.h>
#include <unistd.h>

typedef struct Dir {
    Arena *a;
    char root[32];
    const char *dir; /* of the migrations */
} Dir;

static Dir
dir_make(Arena *a, const char *below)
{
    Err err;
    Dir d = {.a = a, .root = "/tmp/aramid-tools-XXXXXX"};
    assert_non_null(mkdtemp(d.root));
    d.dir = fs_join(a, d.root, below);
    assert_true(fs_mkdirs(d.dir, 0755, &err));
    return d;
}

static void
put(const Dir *d, const char *name, const char *text)
{
    Err err;
    const char *path = fs_join(d->a, d->dir, name);
    assert_true(fs_mkdirs(fs_dirname(d->a, path), 0755, &err));
    assert_true(fs_write(path, str_of(text), 0644, &err));
}

static void
dir_remove(const Dir *d)
{
    Err err;
    assert_true(fs_remove(d->root, &err));
}

static History
must_open(const Dir *d, const char *layout)
{
    History h;
    Err err;
    if (!history_open(d->a, d->dir, "m", NULL, &h, &err))
        fail_msg("%s %s", err.primary, err.detail);
    assert_string_equal(h.layout->name, layout);
    return h;
}

/* names: in order, separated by spaces. */
static void
has_files(const History *h, const char *names)
{
    ARENA_LOCAL(a);
    Buf b;
    buf_init(&b, a);
    vec_each (const Migration, m, &h->files)
        buf_fmt(&b, "%s%s", b.n ? " " : "", m->name);
    assert_string_equal(b.n ? b.p : "", names);
}

static void
refused(const Dir *d, ErrCode code, const char *words)
{
    History h;
    Err err;
    assert_false(history_open(d->a, d->dir, "m", NULL, &h, &err));
    assert_int_equal(err.code, code);
    if (!strstr(err.primary, words) && !strstr(err.detail, words))
        fail_msg("%s / %s: not \"%s\"", err.primary, err.detail, words);
}

void
tools_drizzle_files(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    Dir d = dir_make(a, "drizzle");
    put(&d, "meta/_journal.json",
        "{\"version\":\"7\",\"dialect\":\"postgresql\",\"entries\":["
        "{\"idx\":0,\"when\":5000,\"tag\":\"0000_b\",\"breakpoints\":true},"
        "{\"idx\":1,\"when\":4000,\"tag\":\"0001_a\",\"breakpoints\":true}]}");
    put(&d, "0000_b.sql", "CREATE TABLE b ()--> statement-breakpoint\nCREATE TABLE c ();");
    put(&d, "0001_a.sql", "SELECT 1;");
    put(&d, "0002_stray.sql", "SELECT 1;");
    History h = must_open(&d, "drizzle");
    has_files(&h, "0000_b 0001_a"); /* the journal's order, not that of names or times */
    assert_string_equal(h.files.v[0].key, "5000");
    /* sha256sum of the file as it is */
    assert_string_equal(h.files.v[1].checksum,
                        "17db4fd369edb9244b9f91d9aeed145c3d04ad8ba6e95d06247f07a63527d11a");
    assert_true(
        str_is(h.files.v[0].text, "CREATE TABLE b ();                       \nCREATE TABLE c ();"));
    assert_int_equal(h.findings.items.n, 2);
    assert_string_equal(h.findings.items.v[0].object, "0002_stray.sql");
    assert_string_equal(h.findings.items.v[1].object, "0001_a"); /* older than the one before */
    dir_remove(&d);
}

void
tools_drizzle_journals(void **state)
{
    (void)state;
    static const struct {
        const char *journal, *words;
        ErrCode code;
    } bad[] = {
        {"{", "cannot be read", ERR_MIGRATION_FILE},
        {"[]", "form of a journal", ERR_MIGRATION_FILE},
        {"{\"entries\":[{\"when\":1}]}", "no \"tag\"", ERR_MIGRATION_FILE},
        {"{\"entries\":[{\"tag\":\"a\"}]}", "no time", ERR_MIGRATION_FILE},
        {"{\"entries\":[{\"tag\":\"../a\",\"when\":1}]}", "leads out", ERR_MIGRATION_FILE},
        {"{\"entries\":[{\"tag\":\"a\",\"when\":1},{\"tag\":\"b\",\"when\":1}]}", "same time",
         ERR_MIGRATION_FILE},
        {"{\"entries\":[{\"tag\":\"a\",\"when\":1},{\"tag\":\"a\",\"when\":2}]}", "same tag",
         ERR_MIGRATION_FILE},
        {"{\"dialect\":\"mysql\",\"entries\":[]}", "mysql", ERR_PROVIDER},
    };
    for (size_t i = 0; i < COUNT(bad); i++) {
        ARENA_LOCAL(a);
        Dir d = dir_make(a, "drizzle");
        put(&d, "meta/_journal.json", bad[i].journal);
        refused(&d, bad[i].code, bad[i].words);
        dir_remove(&d);
    }
}

void
tools_drizzle_markers(void **state)
{
    (void)state;
    static const struct {
        const char *text, *becomes; /* NULL: refused, as Drizzle's halves are by the server */
        int line, column;
    } cases[] = {
        {"SELECT 1", "SELECT 1", 0, 0},
        {"A;--> statement-breakpoint B", "A;;                        B", 0, 0},
        {"-- A\n--> statement-breakpoint\nB", "-- A\n;                       \nB", 0, 0},
        {"-- A --> statement-breakpoint\nB", "-- A ;                       \nB", 0, 0},
        {"-- A --> statement-breakpoint B", NULL, 1, 6},
        {"SELECT '\n --> statement-breakpoint'", NULL, 2, 2},
        {"DO $$BEGIN --> statement-breakpoint\nEND$$", NULL, 1, 12},
        {"/* --> statement-breakpoint */", NULL, 1, 4},
        {"SELECT 'whole file is broken", "SELECT 'whole file is broken", 0, 0},
        {"A--> statement-breakpoint\nB '--> statement-breakpoint",
         "A;                       \n"
         "B ';                       ",
         0, 0},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        ARENA_LOCAL(a);
        Err err;
        Migration m = {.path = "m.sql", .has_file = true};
        char *text = str_dupz(a, cases[i].text);
        size_t n = strlen(text);
        bool ok = drizzle_cut(&m, text, &n, &err);
        assert_int_equal(ok, cases[i].becomes != NULL);
        if (ok)
            assert_string_equal(text, cases[i].becomes);
        else {
            assert_int_equal(err.at.line, cases[i].line);
            assert_int_equal(err.at.column, cases[i].column);
        }
    }
}

void
tools_drizzle_1_files(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    Dir d = dir_make(a, "drizzle");
    static const char *const names[] = {"20261129232423_b", "20261129232423_A", "20261129232357_c"};
    for (size_t i = 0; i < COUNT(names); i++) {
        put(&d, fs_join(a, names[i], "migration.sql"), "SELECT 1;");
        put(&d, fs_join(a, names[i], "snapshot.json"), "{}");
    }
    put(&d, "20261129232424_none/readme", "");
    History h = must_open(&d, "drizzle-1");
    has_files(&h, "20261129232357_c 20261129232423_A 20261129232423_b");
    assert_string_equal(h.files.v[0].key, "1795994637000");
    put(&d, "later/migration.sql", "SELECT 1;");
    refused(&d, ERR_MIGRATION_FILE, "does not begin with a timestamp");
    dir_remove(&d);
}

void
tools_supabase_files(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    Dir d = dir_make(a, "supabase/migrations");
    static const char *const taken[] = {"20240101_short.sql",
                                        "20240102000000_a b.sql",
                                        "1_one.sql",
                                        "0_init.sql",
                                        "20240106000000_.sql",
                                        "20240107000000_a.down.sql",
                                        "202401080000001_long.sql"};
    static const char *const passed[] = {"20240101000000.sql",
                                         "20240101000000_UP.SQL",
                                         "20240101000000_x.sql.bak",
                                         "20240105000000-dash.sql",
                                         "abc_x.sql",
                                         ".20240101000000_h.sql",
                                         "20200101000000_init.sql"};
    for (size_t i = 0; i < COUNT(taken); i++)
        put(&d, taken[i], "SELECT 1;");
    for (size_t i = 0; i < COUNT(passed); i++)
        put(&d, passed[i], "SELECT 1;");
    put(&d, "README.md", "");
    put(&d, "20240101000001_folder.sql/x", "");
    History h = must_open(&d, "supabase");
    has_files(&h, "0_init 1_one 20240101_short 20240102000000_a b 20240106000000_ "
                  "20240107000000_a.down 202401080000001_long");
    assert_string_equal(h.files.v[2].key, "20240101");
    assert_int_equal(h.findings.items.n, COUNT(passed));
    put(&d, "20240101_other.sql", "SELECT 2;");
    refused(&d, ERR_MIGRATION_FILE, "version 20240101");
    dir_remove(&d);
}

void
tools_dbmate_files(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    Dir d = dir_make(a, "db/migrations");
    static const char whole[] =
        "-- note\n\n-- migrate:up\nSELECT 1;\n--migrate:down x\nSELECT 2;\n";
    static const char *const taken[] = {"9_b.sql",
                                        "0010_c.sql",
                                        "11.5_x.sql",
                                        "20240111000000.sql",
                                        "20240112000000-dash.sql",
                                        "20240115abc.sql"};
    for (size_t i = 0; i < COUNT(taken); i++)
        put(&d, taken[i], whole);
    put(&d, "abc.sql", whole);
    put(&d, "1_x.SQL", whole);
    History h = must_open(&d, "dbmate");
    has_files(&h, "0010_c 11.5_x 20240111000000 20240112000000-dash 20240115abc 9_b");
    assert_string_equal(h.files.v[1].key, "11");
    assert_true(str_is(h.files.v[0].text, "-- note\n\n-- migrate:up\nSELECT 1;\n"));
    assert_int_equal(h.findings.items.n, 2);
    dir_remove(&d);
}

void
tools_dbmate_blocks(void **state)
{
    (void)state;
    static const struct {
        const char *text, *words; /* NULL: good */
        int line;
    } cases[] = {
        {"-- migrate:up\r\nA;\r\n-- migrate:down\r\n", NULL, 0},
        {"--  migrate:up   transaction:false\nA;\n--migrate:down", NULL, 0},
        {"-- migrate:up\n-- migrate:down", NULL, 0},
        {"-- migrate: up\n", "no block \"-- migrate:up\"", 1},
        {" -- migrate:up\n-- migrate:down", "before", 2},
        {"-- Migrate:Up\n", "no block", 1},
        {"-- migrate:upx\n", "no block", 1},
        {"-- migrate:up\nA;\n", "no block \"-- migrate:down\"", 3},
        {"-- migrate:up\n-- migrate:up\n-- migrate:down\n-- migrate:down", "two \"-- migrate:up\"",
         2},
        {"-- migrate:up\nA\n-- migrate:down\nB\n-- migrate:up\n", "two \"-- migrate:up\"", 5},
        {"-- migrate:up\n-- migrate:down\n-- migrate:down\n", "two \"-- migrate:down\"", 3},
        {"SELECT 1;\n-- migrate:up\n-- migrate:down", "statements before", 1},
        {"/* x */\n-- migrate:up\n-- migrate:down", "statements before", 1},
        {"\xef\xbb\xbf-- migrate:up\n-- migrate:down", "byte order mark", 1},
        {"-- migrate:down\n-- migrate:up\n", "before \"-- migrate:up\"", 1},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        ARENA_LOCAL(a);
        Dir d = dir_make(a, "db/migrations");
        put(&d, "1_first.sql", "-- migrate:up\n-- migrate:down\n");
        put(&d, "2_second.sql", cases[i].text);
        History h;
        Err err;
        bool ok = history_open(a, d.dir, "m", NULL, &h, &err);
        if (ok != !cases[i].words)
            fail_msg("case %zu: %s", i, ok ? "taken" : err.primary);
        if (!ok && !strstr(err.primary, cases[i].words))
            fail_msg("case %zu: %s", i, err.primary);
        if (!ok)
            assert_int_equal(err.at.line, cases[i].line);
        dir_remove(&d);
    }
}

void
tools_plain_files(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    static const struct {
        const char *files, *names, *keys;
        int passed; /* over */
    } cases[] = {
        {"10_b.sql 9_a.sql 0011-c.sql 12.sql 20240101000000_d.sql",
         "9_a 10_b 0011-c 12 20240101000000_d", "9 10 11 12 20240101000000", 0},
        {"1.10_x.sql 1.9_y.sql 1_z.sql", "1_z 1.9_y 1.10_x", "1 1.9 1.10", 0},
        {"V1__a.sql V1_1__b.sql V1.10__c.sql V1.9.0__d.sql V02__e.sql "
         "V99999999999999999999999__f.sql V0__z.sql",
         "V0__z V1__a V1_1__b V1.9.0__d V1.10__c V02__e V99999999999999999999999__f",
         "0 1 1.1 1.9 1.10 2 99999999999999999999999", 0},
        {"1_a.up.sql 1_a.down.sql 2_b.up.sql 3_c.down.sql", "1_a 2_b", "1 2", 1},
        {"1_a.sql 1_a.down.sql README.md x.sql 2x.sql 3_a.SQL 4_a.sql.bak sub/5_a.sql", "1_a", "1",
         5},
        {"V1__a.sql U1__a.sql R__v.sql B2__b.sql V2_c.sql v3__d.sql beforeMigrate.sql V__e.sql",
         "V1__a", "1", 5},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        Dir d = dir_make(a, "migrations");
        for (Str rest = str_of(cases[i].files); rest.p;)
            put(&d, str_dup(a, str_cut(&rest, ' ')), "SELECT 1;");
        History h = must_open(&d, "sql");
        has_files(&h, cases[i].names);
        Str keys = str_of(cases[i].keys);
        vec_each (const Migration, m, &h.files)
            assert_true(str_is(str_cut(&keys, ' '), m->key));
        if ((int)h.findings.items.n != cases[i].passed)
            fail_msg("case %zu: %zu passed over", i, h.findings.items.n);
        dir_remove(&d);
    }
}

void
tools_plain_refused(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    static const struct {
        const char *files, *words;
    } cases[] = {
        {"1_a.sql 01_b.sql", "two migrations have the version 1"},
        {"V1.0__a.sql V1__b.sql", "two migrations have the version 1"},
        {"V1_2__a.sql V1.2__b.sql", "two migrations have the version 1.2"},
        {"1_a.up.sql 1_b.up.sql", "two migrations have the version 1"},
        {"1_a.sql V2__b.sql", "named in two ways"},
        {"1_a.sql 2_b.up.sql", "named in two ways"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        Dir d = dir_make(a, "migrations");
        for (Str rest = str_of(cases[i].files); rest.p;)
            put(&d, str_dup(a, str_cut(&rest, ' ')), "SELECT 1;");
        refused(&d, ERR_MIGRATION_FILE, cases[i].words);
        dir_remove(&d);
    }
}

/* Line ends and a mark in front change nothing; anything else does. */
void
tools_plain_checksums(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    static const char *const same[] = {"A;\nB;\n", "A;\r\nB;\r\n", "\357\273\277A;\r\nB;\n"};
    static const char *const other[] = {"A;\rB;\n", "A;\n B;\n", "A;\nB;\n\r"};
    const char *first = NULL;
    for (size_t i = 0; i < COUNT(same) + COUNT(other); i++) {
        Dir d = dir_make(a, "migrations");
        put(&d, "1_a.sql", i < COUNT(same) ? same[i] : other[i - COUNT(same)]);
        History h = must_open(&d, "sql");
        first = first ? first : h.files.v[0].checksum;
        assert_int_equal(strcmp(first, h.files.v[0].checksum) == 0, i < COUNT(same));
        assert_int_equal(h.layout->checksum_matches(a, first, &h.files.v[0]), i < COUNT(same));
        dir_remove(&d);
    }
    /* printf 'A;\nB;\n' | sha256sum */
    assert_string_equal(first, "6184b6bafda3bd09bb422c2fad6941c35383f59353765a0e3b2c2e335faf79c5");
}

/* Only what nobody else has is plain SQL. */
void
tools_plain_yields(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    Dir d = dir_make(a, "migrations");
    History h;
    Err err;
    put(&d, "1_a.sql", "SELECT 1;");
    HistoryOptions beside = {.is_prismas = true};
    assert_false(history_open(a, d.dir, "m", &beside, &h, &err));
    assert_non_null(strstr(err.hint, "history: sql"));
    beside.tool = "sql";
    assert_true(history_open(a, d.dir, "m", &beside, &h, &err));
    put(&d, "2_b/migration.sql", "SELECT 1;");
    h = must_open(&d, "prisma");
    has_files(&h, "2_b");
    HistoryOptions below = {.tool = "sql", .subfolders = true};
    put(&d, "more/3_c.sql", "SELECT 1;");
    put(&d, ".hidden/4_c.sql", "SELECT 1;");
    assert_true(history_open(a, d.dir, "m", &below, &h, &err));
    has_files(&h, "1_a more/3_c");
    assert_int_equal(h.findings.items.n, 2); /* 2_b/migration.sql and .hidden/ */
    dir_remove(&d);
}

void
tools_node_pg_migrate_files(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    Dir d = dir_make(a, "migrations");
    History h;
    put(&d, "1700000002000_b.js", "exports.up = (pgm) => {}");
    put(&d, "20231114221321000_a.sql", "-- Down Migration\nB;\n  --- UP  migration x\nA;\n");
    put(&d, "1700000003000_c.sql", "X;\n-- up migration\nA;\n-- down migration\nB;");
    put(&d, "5_plain.sql", "A;");
    put(&d, "1700000004000_d.sql", "A;\n-- Down Migration\nB;");
    put(&d, "none.sql", "A;");
    put(&d, ".6_hidden.sql", "A;");
    put(&d, "README.md", "");
    h = must_open(&d, "node-pg-migrate");
    has_files(&h, "5_plain 20231114221321000_a 1700000002000_b 1700000003000_c 1700000004000_d");
    assert_true(str_is(h.files.v[0].text, "A;"));
    assert_true(str_is(h.files.v[1].text, "                 \n  \n  --- UP  migration x\nA;\n"));
    assert_true(str_is(h.files.v[3].text, "  \n-- up migration\nA;\n"));
    assert_non_null(strstr(h.files.v[2].unfit, "Node.js"));
    assert_non_null(strstr(h.files.v[4].unfit, "no \"-- Up Migration\""));
    assert_int_equal(h.findings.items.n, 1);
    put(&d, "5_plain.js", "pgm");
    refused(&d, ERR_MIGRATION_FILE, "version 5_plain");
    dir_remove(&d);
}

/* Right hashes: of its own commit command. */
void
tools_graphile_migrate_files(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    Dir d = dir_make(a, "migrations");
    put(&d, "current.sql", "-- nothing\n");
    put(&d, "afterReset.sql", "SELECT 1;");
    put(&d, "committed/000001-first.sql",
        "--! Previous: -\n--! Hash: sha1:a76271013b710d32d3b2ca5792d1a48904a0dfec\n\ncreate table "
        "a(i int);\n");
    put(&d, "committed/000002.sql",
        "--! Previous: sha1:a76271013b710d32d3b2ca5792d1a48904a0dfec\n--! Hash: "
        "sha1:f41b4a766ed65aec5f3d25f8484dce22c3a98d9f\n--! Message: x\n\n\ncreate table b(i "
        "int);\n\n");
    put(&d, "committed/000003 x.sql", "");
    History h = must_open(&d, "graphile-migrate");
    has_files(&h, "000001-first 000002");
    assert_string_equal(h.files.v[0].checksum, "sha1:a76271013b710d32d3b2ca5792d1a48904a0dfec");
    assert_string_equal(h.files.v[1].checksum, "sha1:f41b4a766ed65aec5f3d25f8484dce22c3a98d9f");
    assert_null(h.files.v[1].unfit);
    assert_int_equal(h.findings.items.n, 2);
    put(&d, "committed/000002.sql",
        "--! Previous: sha1:a76271013b710d32d3b2ca5792d1a48904a0dfec\n--! Hash: "
        "sha1:f41b4a766ed65aec5f3d25f8484dce22c3a98d9f\n\ncreate table c(i int);\n");
    h = must_open(&d, "graphile-migrate");
    assert_non_null(strstr(h.files.v[1].unfit, "was changed after"));
    put(&d, "committed/000002.sql",
        "--! Previous: sha1:0\n--! Hash: sha1:f41b4a766ed65aec5f3d25f8484dce22c3a98d9f\n\ncreate "
        "table b(i int);\n");
    refused(&d, ERR_MIGRATION_FILE, "does not follow");
    put(&d, "committed/000002.sql",
        "--! Hash: sha1:f41b4a766ed65aec5f3d25f8484dce22c3a98d9f\n\ncreate table b(i int);\n");
    refused(&d, ERR_MIGRATION_FILE, "no line \"--! Previous:\"");
    put(&d, "committed/000002.sql",
        "--! Previous: sha1:a76271013b710d32d3b2ca5792d1a48904a0dfec\r\n--! Hash: "
        "sha1:f41b4a766ed65aec5f3d25f8484dce22c3a98d9f\r\n\r\nA;\r\n");
    refused(&d, ERR_MIGRATION_FILE, "CRLF");
    put(&d, "committed/000002.sql",
        "--! Previous: sha1:a76271013b710d32d3b2ca5792d1a48904a0dfec\n--! Hash: x\n--! "
        "AllowInvalidHash\n\nselect :USER_X;\n");
    h = must_open(&d, "graphile-migrate");
    assert_null(h.files.v[1].unfit);
    put(&d, "../.gmrc",
        "{\"placeholders\": {\":USER_X\": \"!ENV\"}, // afterReset.sql\n \"afterAllMigrations\": "
        "[]}");
    h = must_open(&d, "graphile-migrate");
    assert_non_null(strstr(h.files.v[1].unfit, ":USER_X"));
    assert_int_equal(h.findings.items.n, 1);
    h.layout->look(a, d.dir, &h);
    assert_int_equal(h.findings.items.n, 2);
    dir_remove(&d);
}

/* A folder that two tools would take: the person says whose it is. */
void
tools_of_two(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    Dir d = dir_make(a, "supabase/migrations");
    put(&d, "meta/_journal.json", "{\"entries\":[{\"tag\":\"20240101000000_x\",\"when\":5000}]}");
    put(&d, "20240101000000_x.sql", "SELECT 1;");
    refused(&d, ERR_NO_MIGRATIONS, "Drizzle or of Supabase");
    History h;
    Err err;
    assert_true(history_open(a, d.dir, "m", &(HistoryOptions){.tool = "supabase"}, &h, &err));
    assert_string_equal(h.files.v[0].key, "20240101000000");
    assert_true(history_open(a, d.dir, "m", &(HistoryOptions){.tool = "drizzle"}, &h, &err));
    assert_string_equal(h.files.v[0].key, "5000");
    assert_false(history_open(a, d.dir, "m", &(HistoryOptions){.tool = "rails"}, &h, &err));
    assert_int_equal(err.code, ERR_CONFIG);
    dir_remove(&d);
}
