#include "base/child.h"
#include "base/clock.h"
#include "base/filestate.h"
#include "base/finding.h"
#include "base/err.h"
#include "base/fs.h"
#include "base/hash.h"
#include "base/invariant.h"
#include "base/jr.h"
#include "base/jw.h"
#include "base/map.h"
#include "base/os.h"
#include "base/pack.h"
#include "base/tar.h"
#include "base/vec.h"
#include "base/mem_int.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

static void
arena_reset_keeps_earlier(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    char *keep = str_dupz(a, "keep");
    ArenaMark m = arena_mark(a);
    for (int i = 0; i < 1000; i++)
        arena_alloc(a, 1000);
    arena_reset(a, m);
    assert_string_equal(keep, "keep");
    assert_true(arena_bytes(a) <= 64 * 1024);
    char *z = arena_alloc(a, 100);
    for (int i = 0; i < 100; i++)
        assert_int_equal(z[i], 0);
}

static void
vec_and_map_grow(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    VEC(int) v = {0};
    Map m;
    map_init(&m, a);
    for (int i = 0; i < 5000; i++) {
        *vec_add(a, &v) = i;
        char *k = str_fmt(a, "k%d", i);
        assert_null(map_put(&m, str_of(k), k));
    }
    int sum = 0;
    vec_each (int, it, &v)
        sum += *it;
    assert_int_equal(sum, 5000 * 4999 / 2);
    assert_string_equal(map_get(&m, STR("k4321")), "k4321");
    assert_null(map_get(&m, STR("k5000")));
    assert_string_equal(map_put(&m, STR("k7"), NULL), "k7");
    assert_true(map_has(&m, STR("k7")));
}

static void
strings(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    Str rest = STR("a,b,,c");
    int parts = 0;
    while (rest.p)
        str_cut(&rest, ','), parts++;
    assert_int_equal(parts, 4);
    assert_true(str_ieq(STR("SELECT"), STR("select")));
    assert_int_equal(str_utf8_invalid_at(STR("a\xc3\xa4\xff")), 3);
    assert_int_equal(str_utf8_invalid_at(STR("\xed\xa0\x80")), 0); /* surrogate */
    assert_int_equal(str_utf8_invalid_at(STR("\xc0\x80")), 0);     /* overlong */
    assert_int_equal(str_utf8_offset(STR("\xc3\xa4z"), 1), 2);
    assert_int_equal(str_distance(STR("deplyo"), STR("deploy"), 3), 1);
    assert_int_equal(str_distance(STR("yse"), STR("yes"), 3), 1);
    assert_int_equal(str_distance(STR("sey"), STR("yes"), 3), 2);
    assert_int_equal(str_distance(STR("aab"), STR("baa"), 3), 2);
    assert_int_equal(str_distance(STR(""), STR("abc"), 5), 3);
    assert_int_equal(str_distance(STR("ca"), STR("abc"), 5), 3); /* no letter is moved twice */
    int line, col;
    str_line_col(STR("a\r\nb\xc3\xa4x\n"), 6, &line, &col);
    assert_int_equal(line, 2);
    assert_int_equal(col, 3);
    StrCursor at = {0};
    static const char lines[] = "a\r\nb\xc3\xa4x\n\rc";
    for (size_t off = 0; off < sizeof lines; off += 2) {
        str_line_col(str_of(lines), off, &line, &col);
        str_cursor_to(&at, str_of(lines), off);
        assert_int_equal(at.line, line);
        assert_int_equal(at.column, col);
    }
    str_cursor_to(&at, STR("x"), 9);
    assert_true(at.line == 1 && at.column == 2);
    assert_string_equal(str_printable(a, STR("a\x1b[31m\xe2\x80\xae\xff\n"), false),
                        "a\\x1b[31m\\u{202e}\\xff\\x0a");
    long long n;
    assert_true(str_to_int(STR("-12"), -20, 20, &n) && n == -12);
    assert_false(str_to_int(STR("12x"), 0, 20, &n));
    assert_false(str_to_int(STR("21"), 0, 20, &n));
}

static void
json(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    JsonWriter w;
    jw_init(&w, a, false);
    jw_object(&w, NULL);
    jw_str(&w, "a\"", STR("\n\x01\xff\xc3\xa4"));
    jw_array(&w, "l");
    jw_int(&w, NULL, -5);
    jw_bool(&w, NULL, true);
    jw_null(&w, NULL);
    jw_end(&w);
    jw_array(&w, "e");
    jw_end(&w);
    jw_end(&w);
    assert_string_equal(
        w.out.p, "{\"a\\\"\":\"\\n\\u0001\xef\xbf\xbd\xc3\xa4\",\"l\":[-5,true,null],\"e\":[]}");
}

static void
errors_append_and_cut(void **state)
{
    (void)state;
    Err err;
    assert_false(err_set(&err, ERR_SYNTAX, "bad \"%s\"", "x"));
    err_detail(&err, "one");
    err_detail(&err, "two");
    assert_string_equal(err.detail, "one\ntwo");
    char big[9000];
    memset(big, 'x', sizeof big);
    big[sizeof big - 1] = 0;
    err_hint(&err, "%s", big);
    assert_true(str_ends(str_of(err.hint), STR("...")));
    assert_int_equal(err_exit_status(&err), 21);
    for (int c = 1; c < ERR_COUNT; c++)
        assert_true(err_info(c)->exit_status > 0);
}

static void
files(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    Err err;
    char dir[] = "/tmp/aramid-base-XXXXXX";
    assert_non_null(mkdtemp(dir));
    const char *deep = fs_join(a, dir, "x/y/z");
    assert_true(fs_mkdirs(deep, 0700, &err));
    const char *f = fs_join(a, deep, "f");
    assert_true(fs_write(f, STR("hello"), 0600, &err));
    assert_true(fs_write(f, STR("again"), 0600, &err));
    Str text;
    assert_true(fs_read(a, f, 0, &text, &err));
    assert_true(str_is(text, "again"));
    assert_false(fs_read(a, f, 3, &text, &err));
    assert_false(fs_read(a, deep, 0, &text, &err));
    assert_int_equal(err.code, ERR_IO);
    FsEntryVec list;
    assert_true(fs_list(a, deep, &list, &err));
    assert_int_equal(list.n, 1);
    assert_true(fs_remove(dir, &err));
    assert_false(fs_exists(dir));
    assert_true(fs_remove(dir, &err));
    assert_string_equal(fs_absolute(a, "/a/./b/../c//d/"), "/a/c/d");
    assert_string_equal(fs_dirname(a, "/a/b"), "/a");
    assert_string_equal(fs_dirname(a, "b"), ".");
}

/* More than a pipe holds goes through `cat` and back. */
static void
child_streams(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    Err err;
    size_t size = 3 * 1024 * 1024 + 7, received = 0, n;
    char *bytes = arena_alloc(a, size), part[40000];
    for (size_t i = 0; i < size; i++)
        bytes[i] = (char)(i * 31 % 251);
    const char *argv[] = {"sh", "-c", "echo note >&2; cat; exit 7", NULL};
    ChildOptions o = {.argv = argv,
                      .in = CHILD_PIPE,
                      .out = CHILD_PIPE,
                      .messages = CHILD_KEEP,
                      .timeout_ms = 900000};
    CHILD_LOCAL c;
    assert_true(child_start(a, &o, &c, &err));
    Str input = {bytes, size};
    for (;;) {
        size_t before = input.n;
        assert_true(child_exchange(&c, &input, part, sizeof part, &n, &err));
        assert_int_equal(memcmp(part, bytes + received, n), 0);
        received += n;
        if (input.n == 0)
            child_end_input(&c);
        if (n == 0 && before == input.n)
            break;
    }
    assert_int_equal(received, size);
    ChildResult r;
    assert_true(child_finish(&c, &r, &err));
    assert_int_equal(r.status, 7);
    assert_true(str_is(r.out, "note\n"));
}

static bool
stops_soon(void *arg, int64_t elapsed_ms)
{
    (void)elapsed_ms;
    return ++*(int *)arg < 3;
}

/* A child that does not read, one that does not end, one that is no longer wanted. */
static void
child_ends(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    Err err;
    ChildResult r;
    size_t n;
    char part[100];
    os_signals_catch();
    const char *deaf[] = {"sh", "-c", "exec <&-; echo >&2 deaf; exit 9", NULL};
    ChildOptions o = {
        .argv = deaf, .in = CHILD_PIPE, .out = CHILD_PIPE, .messages = CHILD_KEEP, .folder = "/"};
    static char zeros[1 << 20];
    {
        CHILD_LOCAL c;
        assert_true(child_start(a, &o, &c, &err));
        for (Str input = {zeros, sizeof zeros}; input.n > 0;)
            assert_true(child_exchange(&c, &input, part, 0, &n, &err));
        assert_true(child_finish(&c, &r, &err));
        assert_int_equal(r.status, 9);
        assert_true(str_is(r.out, "deaf\n"));
    }
    const char *endless[] = {"sh", "-c", "trap '' TERM; while :; do echo x; done", NULL};
    int calls = 0;
    o = (ChildOptions){.argv = endless, .out = CHILD_PIPE, .tick = stops_soon, .tick_arg = &calls};
    {
        CHILD_LOCAL c;
        assert_true(child_start(a, &o, &c, &err));
        while (child_exchange(&c, NULL, part, sizeof part, &n, &err))
            assert_true(n > 0);
        assert_int_equal(err.code, ERR_INTERRUPTED);
        assert_int_equal(c.pid, 0);
    }
    const char *slow[] = {"sleep", "30", NULL};
    o = (ChildOptions){.argv = slow, .out = CHILD_PIPE, .timeout_ms = 50};
    {
        CHILD_LOCAL c;
        assert_true(child_start(a, &o, &c, &err));
        assert_false(child_exchange(&c, NULL, part, sizeof part, &n, &err));
        assert_int_equal(err.code, ERR_TIMEOUT);
    }
    o = (ChildOptions){.argv = slow, .folder = "/no/such/folder"};
    CHILD_LOCAL none;
    assert_false(child_start(a, &o, &none, &err));
    assert_int_equal(err.code, ERR_IO);
}

static void
processes(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    Err err;
    ChildResult r;
    const char *echo[] = {"sh", "-c", "echo out; echo err >&2; exit 3", NULL};
    assert_true(child_run(a, echo, NULL, 900000, &r, &err));
    assert_int_equal(r.status, 3);
    assert_true(str_is(r.out, "out\nerr\n"));
    const char *slow[] = {"sleep", "30", NULL};
    assert_true(child_run(a, slow, NULL, 100, &r, &err));
    assert_true(r.timed_out);
    assert_int_equal(r.status, 128 + 15);
    const char *none[] = {"/no/such/program", NULL};
    assert_false(child_run(a, none, NULL, 100, &r, &err));
    assert_non_null(strstr(err.primary, "No such file"));
    char *tag = os_self_tag(a);
    assert_true(strlen(tag) <= 48);
    assert_int_equal(os_tag_alive(str_of(tag)), OS_ALIVE);
    assert_int_equal(os_tag_alive(STR("ffffff/1/1/other")), OS_ELSEWHERE);
    Str rest = str_of(tag);
    Str space = str_cut(&rest, '/');
    assert_int_equal(os_tag_alive(str_of(str_fmt(a, STR_FMT "/%d/1/h", STR_ARG(space), getpid()))),
                     OS_DEAD);
}

static void
json_reading(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    /* What the writer wrote comes back. */
    Str odd = STR("\" \\ / \b\f\n\r\t \x01 \x7f \xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80");
    JsonWriter w;
    jw_init(&w, a, true);
    jw_object(&w, NULL);
    jw_str(&w, "odd", odd);
    jw_array(&w, "list");
    jw_int(&w, NULL, INT64_MIN);
    jw_array(&w, NULL);
    jw_end(&w);
    jw_null(&w, NULL);
    jw_bool(&w, NULL, true);
    jw_end(&w);
    jw_object(&w, "skipped");
    jw_strz(&w, "a", NULL);
    jw_array(&w, "b");
    jw_bool(&w, NULL, false);
    jw_end(&w);
    jw_end(&w);
    jw_end(&w);
    JsonReader r;
    Str key;
    jr_init(&r, a, buf_str(&w.out));
    jr_object(&r);
    assert_true(jr_key(&r, &key) && str_is(key, "odd"));
    assert_true(str_eq(jr_str(&r), odd));
    assert_true(jr_key(&r, &key) && str_is(key, "list"));
    jr_array(&r);
    assert_true(jr_item(&r) && jr_int(&r) == INT64_MIN);
    assert_true(jr_item(&r));
    jr_array(&r);
    assert_false(jr_item(&r));
    assert_true(jr_item(&r) && jr_null(&r));
    assert_true(jr_item(&r) && !jr_null(&r) && jr_bool(&r));
    assert_false(jr_item(&r));
    assert_true(jr_key(&r, &key) && str_is(key, "skipped"));
    jr_skip(&r);
    assert_false(jr_key(&r, &key));
    assert_true(jr_done(&r));

    jr_init(&r, a, STR("[\"\\ud83d\\ude00\\u20AC\\u00e4\"]"));
    jr_array(&r);
    assert_true(jr_item(&r));
    assert_true(str_is(jr_str(&r), "\xf0\x9f\x98\x80\xe2\x82\xac\xc3\xa4"));
    assert_true(!jr_item(&r) && jr_done(&r));

    static const char *const wrong[] = {
        "",
        "{",
        "[",
        "[1",
        "[1,]",
        "[1 2]",
        "[,1]",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}",
        "{a:1}",
        "[\"a]",
        "[\"\n\"]",
        "[\"\\x\"]",
        "[\"\\u12\"]",
        "[\"\\ud800\"]",
        "[\"\\ud800\\u0041\"]",
        "[\"\\udc00\"]",
        "[\"\\u0000\"]",
        "[] x",
        "{]",
        "[}",

        "[\"",
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        jr_init(&r, a, str_of(wrong[i]));
        jr_skip(&r);
        if (jr_done(&r))
            fail_msg("%s", wrong[i]);
    }
    Buf deep;
    buf_init(&deep, a);
    buf_addn(&deep, '[', 100000);
    jr_init(&r, a, buf_str(&deep));
    jr_skip(&r);
    assert_false(jr_done(&r));

    /* Where, and what: numbers of 64 bits, no bytes that are no text; the last of a key counts. */
    jr_init(&r, a, STR("{\"a\": 1,\n \"b\" 2}"));
    assert_int_equal(r.line, 2);
    assert_true(r.column > 1);
    assert_non_null(r.why);
    assert_false(jr_done(&r));
    static const Str odd_texts[] = {STR("9223372036854775808"), STR("\"\xff\""), STR("\"a\0b\""),
                                    STR("1\0")};
    for (size_t i = 0; i < sizeof odd_texts / sizeof *odd_texts; i++) {
        jr_init(&r, a, odd_texts[i]);
        jr_skip(&r);
        assert_true(r.line == 1 && r.why);
        assert_false(jr_done(&r));
    }
    jr_init(&r, a, STR("{\"a\":1,\"a\":2}"));
    jr_object(&r);
    assert_true(jr_key(&r, &key) && jr_int(&r) == 2);
    assert_false(jr_key(&r, &key));
    assert_true(jr_done(&r));

    /* A value that is left out is skipped; one of another kind is an error that stays. */
    jr_init(&r, a, STR("[[1,{\"x\":[2]}],1.5,\"end\"]"));
    jr_array(&r);
    assert_true(jr_item(&r) && jr_item(&r) && jr_item(&r) && jr_is_str(&r));
    assert_true(str_is(jr_str(&r), "end"));
    assert_true(!jr_item(&r) && jr_done(&r));
    jr_init(&r, a, STR("[1.5,2]"));
    jr_array(&r);
    assert_true(jr_item(&r) && jr_int(&r) == 0 && r.is_bad);
    assert_false(jr_item(&r) || jr_done(&r));
}

static void
packed_trees(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    JsonWriter w;
    jw_init_packed(&w, a);
    jw_object(&w, NULL);
    jw_str(&w, "any bytes", STR("\"\n\\ \xff"));
    jw_array(&w, "list");
    jw_int(&w, NULL, INT64_MIN);
    jw_bool(&w, NULL, false);
    jw_strz(&w, NULL, NULL);
    jw_strz(&w, NULL, "");
    jw_end(&w);
    jw_end(&w);
    Str packed = buf_str(&w.out);
    PackReader r;
    Str key;
    pack_init(&r, packed);
    pack_object(&r);
    assert_true(pack_key(&r, &key) && str_is(key, "any bytes"));
    assert_true(str_is(pack_str(&r), "\"\n\\ \xff"));
    assert_true(pack_key(&r, &key) && str_is(key, "list"));
    pack_array(&r);
    assert_true(pack_item(&r) && pack_int(&r) == INT64_MIN);
    assert_true(pack_item(&r) && !pack_null(&r) && !pack_bool(&r));
    assert_true(pack_item(&r) && pack_null(&r));
    assert_true(pack_item(&r) && str_is(pack_str(&r), ""));
    assert_false(pack_item(&r) || pack_key(&r, &key));
    assert_true(pack_done(&r));

    static const char *const wrong[] = {
        "",     "{",
        "[",    "}",
        "5:ab", "1ab",
        ":",    "i;",
        "i5",   "i99999999999999999999;",
        "x",    "[t",
        "{t}",  "99999999999999999999999:",
        "tt",
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        pack_init(&r, str_of(wrong[i]));
        switch (wrong[i][0]) {
        case '{':
            for (pack_object(&r); pack_key(&r, &key);)
                pack_bool(&r);
            break;
        case '[':
            for (pack_array(&r); pack_item(&r);)
                pack_bool(&r);
            break;
        case 'i':
            pack_int(&r);
            break;
        case 't':
            pack_bool(&r);
            break;
        default:
            pack_str(&r);
        }
        if (pack_done(&r))
            fail_msg("%s", wrong[i]);
    }
    Buf deep;
    buf_init(&deep, a);
    buf_addn(&deep, '[', 1000);
    pack_init(&r, buf_str(&deep));
    for (int i = 0; i < 1000; i++)
        pack_array(&r);
    assert_true(r.is_bad);
}

static void
hashes_and_findings(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    /* RFC 4231, 2 and 6. */
    assert_string_equal(hash_hmac_hex(a, STR("Jefe"), STR("what do ya want for nothing?")),
                        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    char key[131];
    memset(key, 0xaa, sizeof key);
    assert_string_equal(
        hash_hmac_hex(a, (Str){key, sizeof key},
                      STR("Test Using Larger Than Block-Size Key - Hash Key First")),
        "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
    assert_string_equal(hash_sha256_hex(a, STR("abc")),
                        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    FindingList d;
    findings_init(&d, a, NULL);
    Source s = {"f", STR("text")};
    static const struct {
        size_t off;
        const char *text;
    } found[] = {{3, "later"}, {1, "first"}, {3, "later"}};
    for (size_t i = 0; i < 3; i++) {
        Finding *f = finding_add(&d, FINDING_TYPE_UNKNOWN, "%s", found[i].text);
        f->source = &s;
        f->off = found[i].off;
    }
    findings_sort(&d);
    assert_int_equal(d.items.n, 2);
    assert_int_equal(d.counts[SEV_ERROR], 2);
    assert_string_equal(d.items.v[0].text, "first");
    assert_string_equal(fs_below("/a/b", "/a/b/c"), "c");
    assert_string_equal(fs_below("/a/b/", "/a/bc"), "/a/bc");
    assert_string_equal(fs_below("/a/b", "/a/b"), "/a/b");
    assert_string_equal(clock_duration(a, 65000), "1 min 05 s");
    assert_string_equal(clock_iso(a, 0), "1970-01-01T00:00:00.000Z");
}

static void
rules_silence_and_raise(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    FindingRules rules = {0};
    FindingList l;
    findings_init(&l, a, &rules);
    rules.to[FINDING_RELATION_INDEX] = FINDING_OFF;
    rules.to[FINDING_SERVER_DUMP] = SEV_ERROR;
    rules.to[FINDING_TYPE_UNKNOWN] = FINDING_OFF;      /* fixed */
    rules.to[FINDING_ACTION_SET_NULL] = SEV_NOTICE;    /* errors stay */
    rules.to[FINDING_SERVER_WRAPAROUND] = SEV_WARNING; /* what is fine stays, too */
    finding_add(&l, FINDING_RELATION_INDEX, "silenced")->fix = "may be set";
    finding_add(&l, FINDING_SERVER_DUMP, "raised");
    finding_add(&l, FINDING_TYPE_UNKNOWN, "an error of the language");
    finding_addz(&l, FINDING_ACTION_SET_NULL, SEV_WARNING, "lowered");
    finding_add(&l, FINDING_ACTION_SET_NULL, "an error");
    finding_add(&l, FINDING_SERVER_WRAPAROUND, "fine");
    static const Severity wanted[] = {SEV_ERROR, SEV_ERROR, SEV_NOTICE, SEV_ERROR, SEV_OK};
    assert_int_equal(l.items.n, 5);
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(l.items.v[i].severity, wanted[i]);
    assert_int_equal(l.counts[SEV_ERROR], 3);
    l.max = 5;
    finding_add(&l, FINDING_SERVER_DUMP, "counted only");
    assert_int_equal(l.items.n, 5);
    assert_int_equal(l.counts[SEV_ERROR], 4);
}

/* Each row can be found by its name, and is fit to be printed. */
/* With copies of its texts, judged again; what comes too late to stop a run becomes no error. */
static void
findings_are_kept(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    FindingRules rules = {.to = {[FINDING_HISTORY_CASE] = FINDING_OFF,
                                 [FINDING_HISTORY_LATE] = SEV_ERROR,
                                 [FINDING_RUN_CUT] = SEV_ERROR}};
    FindingList list;
    findings_init(&list, a, &rules);
    char text[] = "text", object[] = "object", path[] = "path", fix[] = "fix";
    Finding f = {.id = FINDING_HISTORY_LATE,
                 .severity = SEV_WARNING,
                 .area = AREA_HISTORY,
                 .text = text,
                 .object = object,
                 .path = path,
                 .line = 7,
                 .fix = fix};
    const Finding *kept = finding_keep(&list, &f);
    text[0] = object[0] = path[0] = fix[0] = 'X';
    assert_int_equal(kept->severity, SEV_ERROR);
    assert_string_equal(kept->text, "text");
    assert_string_equal(kept->object, "object");
    assert_string_equal(kept->path, "path");
    assert_string_equal(kept->fix, "fix");
    assert_true(kept->line == 7 && kept->area == AREA_HISTORY && !kept->note);
    f.id = FINDING_HISTORY_CASE;
    assert_null(finding_keep(&list, &f));
    f.id = FINDING_RUN_CUT;
    assert_int_equal(finding_keep(&list, &f)->severity, SEV_WARNING);
    assert_int_equal(list.items.n, 2);
    assert_int_equal(list.counts[SEV_ERROR], 1);
}

static void
errors_end_what_must_not_go_on(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    Err err;
    FindingRules rules = {.to = {[FINDING_HISTORY_LATE] = SEV_ERROR}};
    FindingList list;
    findings_init(&list, a, &rules);
    assert_true(findings_pass(&list, &err));
    finding_add(&list, FINDING_HISTORY_EDITED, "only a warning");
    assert_true(findings_pass(&list, &err));
    finding_add(&list, FINDING_HISTORY_LATE, "too late")->object = "20240101_a";
    assert_false(findings_pass(&list, &err));
    assert_int_equal(err.code, ERR_FINDING);
    assert_int_equal(err_exit_status(&err), 19);
    assert_string_equal(err.detail, "20240101_a: too late [history-late]");
    assert_non_null(strstr(err.hint, "aramid explain history-late"));
}

/* The same about two objects, or two places, is two findings. */
static void
findings_of_several_objects(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    FindingList list;
    findings_init(&list, a, NULL);
    static const char *const objects[] = {"b", NULL, "a", "b"};
    for (size_t i = 0; i < 4; i++)
        finding_add(&list, FINDING_PULL_NO_ID, "same")->object = objects[i];
    finding_add(&list, FINDING_PULL_NO_ID, "same")->path = "file";
    findings_sort(&list);
    assert_int_equal(list.items.n, 4);
    assert_string_equal(list.items.v[2].object, "a");
    assert_string_equal(list.items.v[3].object, "b");
}

static void
table_of_findings(void **state)
{
    (void)state;
    for (int id = 0; id < FINDING_COUNT; id++) {
        const FindingInfo *info = finding_info((FindingId)id);
        assert_int_equal(finding_find(str_of(info->name)), id);
        assert_true(info->meaning[0] && info->help[0] && strlen(info->meaning) <= 80);
        assert_int_equal(strspn(info->name, "abcdefghijklmnopqrstuvwxyz0123456789-"),
                         strlen(info->name));
    }
    assert_int_equal(finding_find(STR("no-such")), FINDING_COUNT);
}

static void
durations(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t ms;
    } cases[] = {{"0", 0},          {"250", 250},    {"250ms", 250},      {"30s", 30000},
                 {"5 min", 300000}, {"2h", 7200000}, {"1d", 86400000},    {"1m", 60000},
                 {" 7s ", 7000},    {"", -1},        {"s", -1},           {"-1s", -1},
                 {"1.5s", -1},      {"5parsec", -1}, {"99999999999s", -1}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t ms = -1;
        bool ok = clock_parse(str_of(cases[i].text), &ms);
        assert_int_equal(ok, cases[i].ms >= 0);
        if (ok)
            assert_int_equal(ms, cases[i].ms);
    }
}

/* What a person is told to type must arrive as it is meant. */
static void
shell_words(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    static const char *const words[] = {
        "20240101_init", "two words", "it's", "$HOME `id` \\", "~", "", "a;b", "*", "-é-"};
    assert_string_equal(str_shell(a, words[0]), words[0]);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        const char *script = str_fmt(a, "printf %%s %s", str_shell(a, words[i]));
        const char *argv[] = {"sh", "-c", script, NULL};
        ChildResult r;
        Err err;
        assert_true(child_run(a, argv, NULL, 900000, &r, &err));
        assert_string_equal(str_dup(a, r.out), words[i]);
    }
    assert_null(strchr(str_shell(a, "\x1b[31m\n"), '\x1b'));
}

static void
tar_is_read_by_tar(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    Buf archive, name;
    Err err;
    char dir[] = "/tmp/aramid-tar-XXXXXX";
    assert_non_null(mkdtemp(dir));
    buf_init(&archive, a);
    buf_init(&name, a);
    buf_addn(&name, 'n', 100);
    tar_add(&archive, name.p, STR("long"), 1);
    tar_add(&archive, "d/empty", STR(""), 0);
    buf_clear(&name);
    buf_addn(&name, 'x', 512);
    tar_add(&archive, "block", buf_str(&name), 1700000000);
    tar_end(&archive);
    assert_int_equal(archive.n % 512, 0);
    const char *path = fs_join(a, dir, "a.tar");
    assert_true(fs_write(path, buf_str(&archive), 0600, &err));
    const char *argv[] = {"tar", "-xvf", path, "-C", dir, NULL};
    ChildResult r;
    Str text;
    assert_true(child_run(a, argv, NULL, 900000, &r, &err));
    assert_int_equal(r.status, 0);
    assert_true(fs_read(a, fs_join(a, dir, "block"), 0, &text, &err));
    assert_true(str_eq(text, buf_str(&name)));
    assert_int_equal(fs_kind(fs_join(a, dir, "d/empty")), FS_FILE);
    assert_true(fs_remove(dir, &err));
}

static const char *
explain(int *asked)
{
    (*asked)++;
    return "the sky fell";
}

static void
invariants(void **state)
{
    (void)state;
    int asked = 0;
    INVARIANT(1 + 1 == 2, explain(&asked));
    assert_int_equal(asked, 0);

    int ends[2], status;
    assert_int_equal(pipe(ends), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        dup2(ends[1], STDERR_FILENO);
        printf("half a result");
        INVARIANT(asked, explain(&asked));
        _exit(0);
    }
    close(ends[1]);
    char said[65536];
    size_t n = 0;
    for (ssize_t got; (got = read(ends[0], said + n, sizeof said - 1 - n)) > 0;)
        n += (size_t)got;
    said[n] = 0;
    close(ends[0]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 70);
    assert_ptr_equal(strstr(said, "error: internal error: the sky fell\n"), said);
    assert_non_null(strstr(said, "  at:     tests/unit/base/base_test.c:"));
    assert_non_null(strstr(said, "aramid " ARAMID_VERSION "\n"));
}

/* A file that is as it was; edits that keep its size and mtime; entries too young, and a damaged file. */
static void
files_are_remembered_by_state(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    Err err;
    char dir[] = "/tmp/aramid-states-XXXXXX";
    assert_non_null(mkdtemp(dir));
    const char *file = fs_join(a, dir, "a b.sql"), *kept = fs_join(a, dir, "cache/states");
    const char *hash = hash_sha256_hex(a, STR("one"));
    assert_true(fs_write(file, STR("one"), 0600, &err));
    FileState before, now;
    assert_true(filestate_of(file, &before));
    assert_false(filestate_of(fs_join(a, dir, "none"), &now));
    FileStates s;
    filestates_open(a, kept, &s);
    filestates_note(&s, file, &before, hash);
    assert_null(
        filestates_find(&s, file, &before)); /* it may change again within its times' tick */
    FileState old = before;
    old.mtime_ns -= 5000000000LL;
    old.ctime_ns -= 5000000000LL;
    filestates_note(&s, file, &old, hash);
    assert_string_equal(filestates_find(&s, file, &old), hash);
    assert_null(filestates_find(&s, file, &before));
    filestates_save(&s);
    assert_false(fs_exists(kept)); /* not worth it */
    for (int i = 0; i < 40; i++)
        filestates_note(&s, str_fmt(a, "/f/%d", i), &old, hash);
    filestates_save(&s);
    FileStates again;
    filestates_open(a, kept, &again);
    assert_string_equal(filestates_find(&again, file, &old), hash);
    assert_string_equal(filestates_find(&again, "/f/39", &old), hash);
    long long *const parts[] = {&old.size, &old.mtime_ns, &old.ctime_ns, &old.inode, &old.device};
    for (size_t i = 0; i < COUNT(parts); i++) {
        *parts[i] += 1;
        assert_null(filestates_find(&again, file, &old));
        *parts[i] -= 1;
    }
    Str text;
    assert_true(fs_read(a, kept, 0, &text, &err));
    for (size_t n = 0; n < text.n; n += 97) { /* a part of it, after a crash: nothing is known */
        assert_true(fs_write(kept, str_slice(text, 0, n), 0600, &err));
        filestates_open(a, kept, &again);
        assert_null(filestates_find(&again, "/f/0", &old));
    }
    assert_true(fs_remove(dir, &err));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arena_reset_keeps_earlier),
        cmocka_unit_test(vec_and_map_grow),
        cmocka_unit_test(strings),
        cmocka_unit_test(json),
        cmocka_unit_test(json_reading),
        cmocka_unit_test(packed_trees),
        cmocka_unit_test(errors_append_and_cut),
        cmocka_unit_test(invariants),
        cmocka_unit_test(files),
        cmocka_unit_test(processes),
        cmocka_unit_test(child_streams),
        cmocka_unit_test(child_ends),
        cmocka_unit_test(hashes_and_findings),
        cmocka_unit_test(rules_silence_and_raise),
        cmocka_unit_test(findings_are_kept),
        cmocka_unit_test(errors_end_what_must_not_go_on),
        cmocka_unit_test(findings_of_several_objects),
        cmocka_unit_test(table_of_findings),
        cmocka_unit_test(durations),
        cmocka_unit_test(shell_words),
        cmocka_unit_test(tar_is_read_by_tar),
        cmocka_unit_test(files_are_remembered_by_state),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
