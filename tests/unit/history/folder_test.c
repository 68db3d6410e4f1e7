/* Reading a folder of migrations. */
#include "base/fs.h"
#include "tests.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct Folder {
    Arena *arena;
    char dir[64];
} Folder;

static void
folder_make(Folder *f, Arena *a)
{
    *f = (Folder){.arena = a, .dir = "/tmp/aramid-history-XXXXXX"};
    assert_non_null(mkdtemp(f->dir));
}

static void
folder_remove(Folder *f)
{
    Err err;
    assert_true(fs_remove(f->dir, &err));
}

static void
put(const Folder *f, const char *path, const char *text)
{
    Err err;
    const char *whole = fs_join(f->arena, f->dir, path);
    assert_true(fs_mkdirs(fs_dirname(f->arena, whole), 0700, &err));
    assert_true(fs_write(whole, str_of(text), 0600, &err));
}

static void
put_dir(const Folder *f, const char *path)
{
    Err err;
    assert_true(fs_mkdirs(fs_join(f->arena, f->dir, path), 0700, &err));
}

static bool
read_folder(const Folder *f, History *h, Err *err)
{
    return history_open(f->arena, f->dir, "prisma/migrations", NULL, h, err);
}

static void
must_read(const Folder *f, History *h)
{
    Err err;
    if (!read_folder(f, h, &err))
        fail_msg("%s\n%s", err.primary, err.detail);
}

static void
assert_names(const History *h, const char *expected)
{
    ARENA_LOCAL(a);
    Buf b;
    buf_init(&b, a);
    vec_each (const Migration, m, &h->files) {
        if (b.n)
            buf_addc(&b, '|');
        buf_addz(&b, m->name);
    }
    assert_string_equal(b.p, expected);
}

/* How many findings of an id there are, and of which migration the last one is. */
static int
found(const History *h, FindingId id, const char **ret_object)
{
    int n = 0;
    vec_each (const Finding, f, &h->findings.items) {
        if (f->id != id)
            continue;
        n++;
        *ret_object = f->object;
    }
    return n;
}

void
folder_reads_migrations(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    Folder f;
    folder_make(&f, a);
    put(&f, "migration_lock.toml", "# Please do not edit\nprovider = \"postgresql\"\n");
    put(&f, "20240102_b/migration.sql", "SELECT 2");
    put(&f, "20240101_a/migration.sql", "SELECT 1;\n");
    put(&f, "20240101_a/README.md", "stray");
    put(&f, "20240103_crlf/migration.sql", "SELECT 3;\r\n");
    put(&f, "notes.txt", "stray");
    put(&f, "20240104_flat.sql", "SELECT 'a file is no migration';");
    History h;
    must_read(&f, &h);
    assert_ptr_equal(h.layout, &history_prisma);
    assert_string_equal(h.dir, "prisma/migrations");
    assert_names(&h, "20240101_a|20240102_b|20240103_crlf");
    const Migration *m = &h.files.v[0];
    assert_string_equal(m->path, "prisma/migrations/20240101_a/migration.sql");
    assert_true(m->has_file && str_is(m->text, "SELECT 1;\n"));
    /* printf 'SELECT 1;\n' | sha256sum */
    assert_string_equal(m->checksum,
                        "b4e0497804e46e0a0b0b8c31975b062152d551bac49c3c2e80932567b4085dcd");
    assert_int_equal(h.entries.n, 3);
    assert_int_equal(h.pending, 3);
    assert_int_equal(h.findings.items.n, 1); /* the .sql file, and nothing else */
    folder_remove(&f);
}

void
folder_names(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    Folder f;
    folder_make(&f, a);
    put(&f, "2024 with spaces/migration.sql", "SELECT 1");
    put(&f, "2025_ends.sql/migration.sql", "SELECT 1");
    put(&f, "2026_we\"ird o'clock\\/migration.sql", "SELECT 1");
    put(&f, "2027_\xc3\xa4\xe6\x97\xa5/migration.sql", "SELECT 1");
    put(&f, "2028_empty_file/migration.sql", "");
    put_dir(&f, "2029_empty_folder");
    put(&f, ".2030_hidden/migration.sql", "SELECT 1");
    History h;
    must_read(&f, &h);
    assert_names(&h, ".2030_hidden|2024 with spaces|2025_ends.sql|2026_we\"ird o'clock\\|"
                     "2027_\xc3\xa4\xe6\x97\xa5|2028_empty_file|2029_empty_folder");
    assert_true(h.files.v[5].has_file);
    assert_int_equal(h.files.v[5].text.n, 0);
    assert_string_equal(h.files.v[5].checksum, /* of nothing */
                        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    assert_false(h.files.v[6].has_file);
    assert_non_null(history_find(&h, "2029_empty_folder"));
    assert_null(history_find(&h, "2029"));
    folder_remove(&f);
}

void
folder_stray_sql_is_named(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    Folder f;
    folder_make(&f, a);
    put(&f, "20240101_a/migration.sql", "");
    put(&f, "20240101_a/down.sql", "");
    put(&f, "20240101_a/README.md", "");
    put(&f, "migration_lock.toml", "provider = \"postgresql\"");
    History h;
    const char *of;
    must_read(&f, &h);
    h.layout->look(a, f.dir, &h);
    assert_int_equal(found(&h, FINDING_HISTORY_STRAY_SQL, &of), 0);
    put(&f, "20240101_a/second.sql", "");
    must_read(&f, &h);
    h.layout->look(a, f.dir, &h);
    assert_int_equal(found(&h, FINDING_HISTORY_STRAY_SQL, &of), 1);
    assert_string_equal(of, "20240101_a/second.sql");
    put(&f, "seed.sql", "");
    put(&f, "migration.sql", "");
    must_read(&f, &h);
    h.layout->look(a, f.dir, &h);
    assert_int_equal(found(&h, FINDING_HISTORY_STRAY_SQL, &of), 3);
    folder_remove(&f);
}

void
folder_odd_names_are_noted(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    Folder f;
    folder_make(&f, a);
    put(&f, "20240101_a/migration.sql", "");
    put(&f, "20240101_b/migration.sql", "");
    put(&f, "20240102_c/migration.sql", "");
    put(&f, "20240102_C/migration.sql", "");
    put(&f, "init/migration.sql", "");
    History h;
    must_read(&f, &h);
    assert_names(&h, "20240101_a|20240101_b|20240102_c|20240102_C|init");
    const char *of;
    assert_int_equal(found(&h, FINDING_HISTORY_SAME_TIMESTAMP, &of), 2);
    assert_int_equal(found(&h, FINDING_HISTORY_CASE, &of), 1);
    assert_string_equal(of, "20240102_C");
    assert_int_equal(found(&h, FINDING_HISTORY_NO_TIMESTAMP, &of), 1);
    assert_string_equal(of, "init");
    assert_int_equal(h.findings.counts[SEV_WARNING], 1);
    /* Prisma's order of these is ICU's; only where the names decide is it of any weight. */
    put(&f, "20240103_a/migration.sql", "");
    put(&f, "20240104_\xc3\xa4/migration.sql", "");
    must_read(&f, &h);
    assert_int_equal(found(&h, FINDING_HISTORY_ORDER, &of), 0);
    put(&f, "20240104_b/migration.sql", "");
    must_read(&f, &h);
    assert_int_equal(found(&h, FINDING_HISTORY_ORDER, &of), 1);
    assert_string_equal(of, "20240104_\xc3\xa4");
    folder_remove(&f);

    folder_make(&f, a);
    put(&f, "2024\x1b[31m_red/migration.sql", "");
    Err err;
    assert_false(read_folder(&f, &h, &err));
    assert_int_equal(err.code, ERR_MIGRATION_FILE);
    assert_null(strchr(err.primary, '\x1b'));
    folder_remove(&f);

    folder_make(&f, a);
    put(&f, "2024_\xff/migration.sql", "");
    assert_false(read_folder(&f, &h, &err));
    assert_int_equal(err.code, ERR_MIGRATION_FILE);
    assert_int_equal(str_utf8_invalid_at(str_of(err.primary)), strlen(err.primary));
    folder_remove(&f);
}

void
folder_missing(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    Folder f;
    folder_make(&f, a);
    History h;
    Err err;
    put_dir(&f, "");
    must_read(&f, &h); /* empty: a project without migrations yet */
    assert_int_equal(h.files.n + h.entries.n, 0);
    assert_false(history_open(a, fs_join(a, f.dir, "none"), "shown", NULL, &h, &err));
    assert_int_equal(err.code, ERR_NO_MIGRATIONS);
    assert_string_equal(err.at.path, "shown");
    assert_non_null(strstr(err.hint, "--migrations"));
    put(&f, "file", "");
    assert_false(history_open(a, fs_join(a, f.dir, "file"), "shown", NULL, &h, &err));
    assert_int_equal(err.code, ERR_NO_MIGRATIONS);
    folder_remove(&f);
}

void
folder_lock_file(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        ErrCode code;
        int line;
    } cases[] = {
        {"", ERR_NONE, 0},
        {"provider = \"postgresql\"", ERR_NONE, 0},
        {"# provider = \"mysql\"\r\nprovider=\"postgresql\"\r\n", ERR_NONE, 0},
        {"  provider   =   \"postgres\"\n", ERR_NONE, 0},
        {"# edited\nprovider = \"mysql\"\n", ERR_PROVIDER, 2},
        {"provider = \"sqlite\x1b\"\n", ERR_PROVIDER, 1},
        {"provider = \"cockroachdb\"\n", ERR_PROVIDER, 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ARENA_LOCAL(a);
        Folder f;
        folder_make(&f, a);
        put(&f, "1_a/migration.sql", "");
        put(&f, "migration_lock.toml", cases[i].text);
        History h;
        Err err = {0};
        assert_int_equal(read_folder(&f, &h, &err), cases[i].code == ERR_NONE);
        assert_int_equal(err.code, cases[i].code);
        if (err.code) {
            assert_int_equal(err.at.line, cases[i].line);
            assert_string_equal(err.at.path, "prisma/migrations/migration_lock.toml");
            assert_null(strchr(err.primary, '\x1b'));
        }
        folder_remove(&f);
    }
}

void
folder_foreign_layouts(void **state)
{
    (void)state;
    static const struct {
        const char *files[4];
        const char *tool;
    } cases[] = {
        {{"schema.sql", "seed.sql"}, "no migration"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ARENA_LOCAL(a);
        Folder f;
        folder_make(&f, a);
        for (int k = 0; cases[i].files[k]; k++)
            put(&f, cases[i].files[k], "");
        History h;
        Err err;
        assert_false(read_folder(&f, &h, &err));
        assert_int_equal(err.code, ERR_NO_MIGRATIONS);
        assert_non_null(strstr(err.primary, cases[i].tool));
        assert_non_null(strstr(err.hint, "--migrations"));
        /* One migration of Prisma's makes it Prisma's folder. */
        put(&f, "20240109_own/migration.sql", "");
        must_read(&f, &h);
        folder_remove(&f);
    }
}

void
folder_unreadable(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    Folder f;
    folder_make(&f, a);
    put_dir(&f, "1_a/migration.sql"); /* a folder where the file should be */
    History h;
    Err err;
    assert_false(read_folder(&f, &h, &err));
    assert_int_equal(err.code, ERR_IO);
    assert_string_equal(err.at.path, "prisma/migrations/1_a/migration.sql");
    folder_remove(&f);

    folder_make(&f, a); /* nothing blocks on a pipe */
    put_dir(&f, "1_a");
    assert_int_equal(mkfifo(fs_join(a, f.dir, "1_a/migration.sql"), 0600), 0);
    assert_false(read_folder(&f, &h, &err));
    assert_int_equal(err.code, ERR_IO);
    folder_remove(&f);

    folder_make(&f, a); /* a dangling link is no file */
    put_dir(&f, "1_a");
    assert_int_equal(symlink("/nowhere/at/all", fs_join(a, f.dir, "1_a/migration.sql")), 0);
    must_read(&f, &h);
    assert_false(h.files.v[0].has_file);
    folder_remove(&f);
}

/* The order that node 20 gives: [...].sort((x, y) => x.localeCompare(y)). */
static const char *const node_order[] = {
    " a",
    "_a",
    "_ab",
    "_B",
    "-<B",
    ",",
    ";{.=",
    ";*'",
    ":`",
    ":A",
    ".hidden",
    "'(*3",
    "(-",
    ")2]",
    "[",
    "[|A",
    "]",
    "]*A",
    "@ ]",
    "@0+!",
    "@6b",
    "&",
    "&\":;",
    "&>;",
    "&6b",
    "%;",
    "^$-(",
    "<",
    "=>",
    "=8:;",
    "|.",
    "|A_",
    "1",
    "2@3(",
    "20240101_a b",
    "20240101_a_b",
    "20240101_a-b",
    "20240101_a.sql",
    "20240101_aa",
    "20240101_ab",
    "20240101_aB",
    "20240101_b",
    "32@",
    "4_",
    "4#\"a",
    "6",
    "6\\ '",
    "7",
    "7{",
    "7`,",
    "8(5",
    "8^^0",
    "9",
    "a",
    "A",
    "A;",
    "a}",
    "A>=",
    "aa",
    "aA",
    "Aa",
    "b",
    "B",
    "b;[",
    "B|0",
    "BAzz",
    "z",
    "z@",
};

void
order_is_that_of_node(void **state)
{
    (void)state;
    size_t n = sizeof node_order / sizeof *node_order;
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < n; k++) {
            int d = history_name_cmp(node_order[i], node_order[k]);
            int sign = (d > 0) - (d < 0), expected = (i > k) - (i < k);
            if (sign != expected)
                fail_msg("\"%s\" against \"%s\": %d", node_order[i], node_order[k], d);
        }
    assert_true(history_name_cmp("", "a") < 0);
    assert_true(history_name_cmp("a\xc3\xa4", "a\xc3\xa4") == 0);
}
