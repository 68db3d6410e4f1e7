/* Another layout through the same interface: a folder is recognised and read, and compared with a
 * ledger that knows no names. */
#include "base/fs.h"
#include "tests.h"
#include "toy.h"

#include <stdlib.h>
#include <unistd.h>

static void
put(Arena *a, const char *dir, const char *name, const char *text)
{
    Err err;
    if (!fs_write(fs_join(a, dir, name), str_of(text), 0644, &err))
        fail_msg("%s", err.primary);
}

void
another_layout(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    char dir[] = "/tmp/aramid-toy-XXXXXX";
    assert_non_null(mkdtemp(dir));
    put(a, dir, "toy.journal", "3000 zebra\n2000 ant\n4000 bee\n5000 gone\n");
    put(a, dir, "zebra.sql", "SELECT 1");
    put(a, dir, "ant.sql", "SELECT 2");
    put(a, dir, "bee.sql", "SELECT 3");
    History h;
    Err err;
    if (!history_open(a, dir, "toys", NULL, &h, &err))
        fail_msg("%s", err.primary);
    assert_ptr_equal(h.layout, &history_toy);
    assert_int_equal(h.files.n, 4);
    assert_string_equal(h.files.v[0].name, "zebra");
    assert_string_equal(h.files.v[0].path, "toys/zebra.sql");
    assert_false(h.files.v[3].has_file);
    assert_int_equal(h.pending, 4);
    Str cells[] = {
        STR("1"), str_of(h.files.v[0].checksum), STR("3000"),
        STR("2"), STR("0123456789abcdef"),       STR("2000"),
        STR("3"), STR("fedcba9876543210"),       STR("1000"),
    };
    assert_true(h.layout->read_rows(a, &(DbRows){.rows = 3, .cols = 3, .cells = cells}, &h, &err));
    history_compare(a, &h);
    assert_int_equal(h.applied, 3);
    assert_int_equal(h.edited, 1);
    assert_int_equal(h.missing, 1);
    assert_int_equal(h.pending, 2);
    assert_true(history_find(&h, "ant")->edited);
    assert_non_null(history_find(&h, "fedcba987654 of 1000"));
    static const char *const files[] = {"toy.journal", "zebra.sql", "ant.sql", "bee.sql"};
    for (size_t i = 0; i < 4; i++)
        unlink(fs_join(a, dir, files[i]));
    rmdir(dir);
}

/* Who has no folder looks for the first layout's ledger. */
void
no_layout(void **state)
{
    (void)state;
    assert_ptr_equal(history_none().layout, &history_prisma);
    assert_null(history_toy.add_begun);
}
