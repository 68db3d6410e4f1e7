#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "backup/age.h"
#include "backup/input.h"

#include "base/fs.h"
#include "base/hash.h"
#include "base/os.h"

#include <stdlib.h>
#include <unistd.h>
#include <zstd.h>

/* A pair of age-keygen's. */
#define PUBLIC "age14ase0390xh75fnrhzdzqkknpenwhga26mgplqldplgdhwk0gngpsmelt20"
#define SECRET "AGE-SECRET-KEY-1H5A2UXE9J3XAJ63K95LS3C3R2UYV0YDJ2H2T6CK0CL54TZ0KYV8SGEA4RX"
/* Another's public key. */
#define OTHER "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"

typedef struct Fixture {
    Arena *a;
    const char *dir, *path;
} Fixture;

static int
set_up(void **state)
{
    static Fixture f;
    char dir[] = "/tmp/aramid-input-XXXXXX";
    assert_non_null(mkdtemp(dir));
    f.a = arena_make();
    f.dir = str_dupz(f.a, dir);
    f.path = fs_join(f.a, dir, "file");
    *state = &f;
    return 0;
}

static int
tear_down(void **state)
{
    Fixture *f = *state;
    Err err;
    bool ok = fs_remove(f->dir, &err);
    arena_free(f->a);
    return ok ? 0 : -1;
}

/* Write `bytes` as the file and read it as a backup. */
static bool
read_all(Fixture *f, Str bytes, const BackupInputOptions *options, Str *ret, Err *err)
{
    Err ignored;
    assert_true(fs_remove(f->path, &ignored));
    assert_true(fs_write(f->path, bytes, 0600, err));
    BackupInputOptions o = *options;
    o.path = f->path;
    BackupInput *in = NULL;
    Buf b;
    buf_init(&b, f->a);
    Str piece = STR("x");
    bool ok = backup_input_open(f->a, &o, &in, err);
    while (ok && piece.n) {
        ok = backup_input_next(in, &piece, err);
        if (ok)
            buf_add(&b, piece);
    }
    *ret = buf_str(&b);
    if (ok) {
        assert_int_equal(backup_input_position(in), bytes.n);
        assert_string_equal(backup_input_sha256(in), hash_sha256_hex(f->a, bytes));
    }
    backup_input_close(in);
    return ok;
}

static Str
noise(Arena *a, size_t n)
{
    char *p = arena_alloc(a, n ? n : 1);
    os_random(p, n);
    for (size_t i = 0; i < n; i++)
        p[i] = (char)('a' + (p[i] & 15));
    return (Str){p, n};
}

static Str
packed(Arena *a, Str s)
{
    size_t cap = ZSTD_compressBound(s.n);
    char *p = arena_alloc(a, cap);
    return (Str){p, ZSTD_compress(p, cap, s.p, s.n, 3)};
}

static bool
collect(void *arg, Str bytes, Err *err)
{
    (void)err;
    buf_add(arg, bytes);
    return true;
}

static Str
encrypted(Arena *a, Str s, const char *recipient, unsigned char file_key[BACKUP_FILE_KEY])
{
    Buf b;
    buf_init(&b, a);
    Err err;
    AgeWriter *w = NULL;
    assert_true(age_writer_make(a, &recipient, 1, (AgeOut){collect, &b}, file_key, &w, &err));
    for (size_t i = 0; i < s.n; i += 40000)
        assert_true(age_write(w, str_slice(s, i, s.n - i > 40000 ? i + 40000 : s.n), &err));
    assert_true(age_write_end(w, &err));
    age_writer_free(w);
    return buf_str(&b);
}

/* Lengths around the sizes of pieces. */
static const size_t lengths[] = {0, 1, 15, 65535, 65536, 65537, 131072, 262144, 262145, 1000003};
enum { LENGTHS = sizeof lengths / sizeof *lengths };

static void
test_forms(void **state)
{
    Fixture *f = *state;
    Err err;
    for (size_t i = 0; i < LENGTHS; i++) {
        ArenaMark mark = arena_mark(f->a);
        Str text = noise(f->a, lengths[i]), got;
        unsigned char key[BACKUP_FILE_KEY];
        BackupInputOptions plain = {0}, keyed = {.file_key = key};
        assert_true(read_all(f, text, &plain, &got, &err));
        assert_true(str_eq(got, text));
        assert_true(read_all(f, packed(f->a, text), &plain, &got, &err));
        assert_true(str_eq(got, text));
        assert_true(read_all(f, encrypted(f->a, text, PUBLIC, key), &keyed, &got, &err));
        assert_true(str_eq(got, text));
        assert_true(
            read_all(f, encrypted(f->a, packed(f->a, text), PUBLIC, key), &keyed, &got, &err));
        assert_true(str_eq(got, text));
        arena_reset(f->a, mark);
    }
    /* Much text in few packed bytes: more than one piece comes out of the last input. */
    char *same = arena_alloc(f->a, 3000000);
    memset(same, 'x', 3000000);
    Str got;
    assert_true(
        read_all(f, packed(f->a, (Str){same, 3000000}), &(BackupInputOptions){0}, &got, &err));
    assert_int_equal(got.n, 3000000);
}

static void
test_damage(void **state)
{
    Fixture *f = *state;
    Str text = noise(f->a, 100000), got;
    Err err;
    unsigned char key[BACKUP_FILE_KEY];
    BackupInputOptions o = {.file_key = key};
    Str forms[] = {packed(f->a, text), encrypted(f->a, text, PUBLIC, key)};
    for (size_t form = 0; form < 2; form++) {
        Str whole = forms[form];
        for (size_t i = 0; i < 100; i++) {
            ArenaMark mark = arena_mark(f->a);
            size_t at = 30 + i * (whole.n - 31) / 99;
            /* Cut off. The first bytes tell the form: without them it would be taken for plain. */
            assert_false(read_all(f, str_slice(whole, 0, at), &o, &got, &err));
            assert_int_equal(err.code, ERR_BACKUP_BROKEN);
            char *bad = str_dup(f->a, whole);
            bad[at] ^= 4;
            bool read = read_all(f, (Str){bad, whole.n}, &o, &got, &err);
            assert_false(form == 1 && read); /* zstd alone has no checksum of contents */
            arena_reset(f->a, mark);
        }
    }
}

static void
test_keys(void **state)
{
    Fixture *f = *state;
    Err err;
    unsigned char key[BACKUP_FILE_KEY];
    Str file = encrypted(f->a, STR("text"), PUBLIC, key), got;
    assert_false(read_all(f, file, &(BackupInputOptions){0}, &got, &err));
    assert_int_equal(err.code, ERR_CONFIG);
    assert_non_null(strstr(err.hint, "--identity"));
    static const char *const bad[] = {
        "",
        "age1",
        "age1abc",
        SECRET,
        "aGE14ASE0390XH75FNRHZDZQKKNPENWHGA26MGPLQLDPLGDHWK0GNGPSMELT20",
        "age14ase0390xh75fnrhzdzqkknpenwhga26mgplqldplgdhwk0gngpsmelt2q"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_false(age_check_recipient(bad[i], &err));
        assert_null(strstr(err.primary, "QQQQ")); /* a secret key is not shown */
    }
    const char *identity = fs_join(f->a, f->dir, "key.txt");
    assert_true(fs_write(identity, STR("# made\n" SECRET "\n"), 0600, &err));
    assert_true(read_all(f, file, &(BackupInputOptions){.identity = identity}, &got, &err));
    assert_true(str_is(got, "text"));
    file = encrypted(f->a, STR("text"), OTHER, key);
    assert_false(read_all(f, file, &(BackupInputOptions){.identity = identity}, &got, &err));
    assert_int_equal(err.code, ERR_CONFIG);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_forms, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_damage, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_keys, set_up, tear_down),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("input", tests, NULL, NULL);
}
