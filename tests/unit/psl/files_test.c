/* Reading schema files and folders. */
#include "psl/psl.h"

#include "base/fs.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

/* A folder of its own for each test; removed at its end. */
static int
make_folder(void **state)
{
    char path[] = "/tmp/psl-files-XXXXXX";
    *state = strdup(mkdtemp(path));
    return *state == NULL;
}

static int
remove_folder(void **state)
{
    Err err;
    bool ok = fs_remove(*state, &err);
    free(*state);
    return !ok;
}

static const char *
put(Arena *a, const char *folder, const char *name, const char *text)
{
    Err err;
    const char *path = fs_join(a, folder, name);
    if (!fs_mkdirs(fs_dirname(a, path), 0755, &err) || !fs_write(path, str_of(text), 0644, &err))
        fail_msg("%s", err.primary);
    return path;
}

static void
folders_are_walked_and_sorted(void **state)
{
    ARENA_LOCAL(a);
    const char *root = *state;
    put(a, root, "z.prisma", "model Z {\n}\n");
    put(a, root, "models/b.prisma", "model B {\n}\n");
    put(a, root, "models/a.prisma", "model A {\n");
    put(a, root, "notes.txt", "nothing");
    put(a, root, "empty/deep/c.prisma", "");
    assert_int_equal(symlink("..", fs_join(a, root, "models/loop")), 0);
    assert_int_equal(symlink("models", fs_join(a, root, "twice")), 0);
    PslSchema *schema;
    FindingList diags;
    Err err = {0};
    findings_init(&diags, a, NULL);
    if (!psl_load(a, root, &schema, &diags, &err))
        fail_msg("%s", err.primary);
    assert_int_equal(schema->nfiles, 4);
    assert_string_equal(schema->files[0].source->path, fs_join(a, root, "empty/deep/c.prisma"));
    assert_int_equal(schema->ndecls, 3);
    assert_int_equal(diags.counts[SEV_ERROR], 1);
    assert_non_null(strstr(diags.items.v[0].source->path, "a.prisma"));
}

static void
a_file_is_enough(void **state)
{
    ARENA_LOCAL(a);
    const char *path = put(a, *state, "any.name", "enum E {\n  A\n}\n");
    Source *sources;
    size_t n;
    Err err = {0};
    assert_true(psl_load_sources(a, path, &sources, &n, &err));
    assert_int_equal(n, 1);
    assert_string_equal(sources[0].path, path);
    assert_int_equal(sources[0].text.n, 15);
}

static void
what_cannot_be_read_is_named(void **state)
{
    ARENA_LOCAL(a);
    const char *root = *state;
    Source *sources;
    size_t n;
    Err err = {0};
    assert_false(psl_load_sources(a, fs_join(a, root, "missing"), &sources, &n, &err));
    assert_int_equal(err.code, ERR_IO);
    assert_non_null(strstr(err.primary, "missing"));
    assert_false(psl_load_sources(a, root, &sources, &n, &err));
    assert_non_null(strstr(err.primary, "no .prisma file"));
    assert_string_equal(err.at.path, root);

    const char *pipe = fs_join(a, root, "pipe.prisma");
    assert_int_equal(mkfifo(pipe, 0644), 0);
    assert_false(psl_load_sources(a, root, &sources, &n, &err));
    assert_non_null(strstr(err.primary, "pipe.prisma"));
    assert_false(psl_load_sources(a, pipe, &sources, &n, &err));
    assert_int_equal(unlink(pipe), 0);

    assert_int_equal(symlink("nowhere", fs_join(a, root, "dangling.prisma")), 0);
    assert_false(psl_load_sources(a, root, &sources, &n, &err));
    assert_non_null(strstr(err.primary, "dangling.prisma"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(folders_are_walked_and_sorted, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(a_file_is_enough, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(what_cannot_be_read_is_named, make_folder, remove_folder),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
