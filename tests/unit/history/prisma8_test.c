/* Prisma 8's packages: JSON as JavaScript writes it, hashes that Prisma itself has written, the text of
 * operations, and the way through the graph. */
#include "base/fs.h"
#include "history/prisma8_int.h"
#include "tests.h"

#include <stdio.h>

static JsonTree
parsed(Arena *a, const char *text)
{
    JsonTree t;
    JtError e;
    if (!jt_parse(a, str_of(text), &t, &e))
        fail_msg("%s: %s", text, e.why);
    return t;
}

static void
is_written(const char *text, const char *as)
{
    ARENA_LOCAL(a);
    Buf b;
    buf_init(&b, a);
    JsonTree t = parsed(a, text);
    jt_sort(a, &t);
    jt_write(&b, &t, 0);
    assert_string_equal(b.p, as);
}

/* Right values: JSON.stringify of Node 22. */
void
prisma8_json(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"1.0", "1"},
        {"-0", "0"},
        {"1e21", "1e+21"},
        {"123456789012345678901", "123456789012345680000"},
        {"9007199254740993", "9007199254740992"},
        {"0.000001", "0.000001"},
        {"1e-7", "1e-7"},
        {"-1.5e-10", "-1.5e-10"},
        {"0.1", "0.1"},
        {"5e-324", "5e-324"},
        {"1.7976931348623157e308", "1.7976931348623157e+308"},
        {"100", "100"},
        {"12.50", "12.5"},
        {"\"a\\u0001\\u001f\\b\\f\\n\\r\\t\\\"\\\\\\/\\u2028\\u007f\"",
         "\"a\\u0001\\u001f\\b\\f\\n\\r\\t\\\"\\\\/\xe2\x80\xa8\x7f\""},
        {"{\"b\":1,\"a\":[true,false,null,{}],\"c\":{}}",
         "{\"a\":[true,false,null,{}],\"b\":1,\"c\":{}}"},
        {"{\"10\":1,\"9\":2,\"a\":3,\"01\":4,\"4294967295\":5,\"-1\":6}",
         "{\"9\":2,\"10\":1,\"-1\":6,\"01\":4,\"4294967295\":5,\"a\":3}"},
        /* U+1F600 is two surrogates, before U+FF21 */
        {"{\"\xef\xbc\xa1\":1,\"\xf0\x9f\x98\x80\":2,\"\xc3\xa9\":3}",
         "{\"\xc3\xa9\":3,\"\xf0\x9f\x98\x80\":2,\"\xef\xbc\xa1\":1}"},
        {"{\"a\":1,\"__proto__\":{\"b\":1},\"a\":2}", "{\"a\":2}"},
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        is_written(cases[i][0], cases[i][1]);
}

void
prisma8_no_json(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    JsonTree t;
    JtError e;
    Buf deep;
    buf_init(&deep, a);
    for (int i = 0; i < JT_DEPTH + 2; i++)
        buf_addc(&deep, '[');
    for (int i = 0; i < JT_DEPTH + 2; i++)
        buf_addc(&deep, ']');
    const char *const cases[] = {"",         "{",     "[1,]", "{\"a\":1}x", "\"\\u0000\"",
                                 "\"\xff\"", "1e999", "'a'",  deep.p};
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_false(jt_parse(a, str_of(cases[i]), &t, &e));
        assert_true(e.line > 0 && e.why && e.why[0]);
    }
}

static const char *
golden(Arena *a)
{
    return fs_absolute(a, GOLDEN "/prisma8/migrations");
}

/* All hashes of a project that Prisma made: packages, contracts. */
void
prisma8_known_hashes(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    History h;
    Err err;
    if (!history_open(a, golden(a), "migrations", NULL, &h, &err))
        fail_msg("%s %s", err.primary, err.detail);
    assert_string_equal(h.layout->name, "prisma8");
    assert_int_equal(h.files.n, 6);
    assert_string_equal(h.files.v[0].checksum,
                        "d60700bd452261e3bbce2ce2e0a36d33e5ba0354e7d56974f0c71bc32e2652ce");
    const P8 *all = h.own;
    assert_int_equal(all->spaces.v[0].packages.n, 9);
    vec_each (P8Package *, p, &all->spaces.v[0].packages)
        assert_true(p8_take_contract(a, *p, true, &err));
    assert_string_equal(p8_storage_hash(a, all->emitted),
                        "cda8604f985eceeb23664643b4db022f602711af39bb03933384fcc181c7399b");
}

/* Statements stand on the lines of their strings, parameters in their places. */
void
prisma8_text(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    static const char file[] =
        "[{\"id\": \"x\", \"label\": \"X\", \"operationClass\": \"data\",\n"
        "  \"target\": {\"id\": \"postgres\", \"details\": {\"sql\": 1}},\n"
        "  \"precheck\": [{\"description\": \"p\", \"sql\": \"SELECT 1\"}],\n"
        "  \"execute\": [\n"
        "    {\"description\": \"d\", \"sql\": \"SELECT '$1', $$ $1 $$, $1, $2 -- $1\",\n"
        "     \"params\": [\"it's\", [\"a\", null, 2]]},\n"
        "    {\"description\": \"e\",\n"
        "     \"sql\": \"SELECT 2; SELECT 3;\"}],\n"
        "  \"postcheck\": []}]";
    P8Package p = {.space = "app", .dir = "x", .migration = {.name = "x", .path = "ops.json"}};
    Err err;
    JsonTree ops = parsed(a, file);
    assert_true(p8_take_ops(a, &ops, str_of(file), &p, &err));
    assert_string_equal(p.migration.text.p,
                        "\n\n\n\nSELECT '$1', $$ $1 $$, 'it''s', '{\"a\",NULL,\"2\"}' -- $1\n;\n\n"
                        "SELECT 2; SELECT 3;\n");
    assert_int_equal(p.migration.pieces.n, 1);
    assert_int_equal(p.migration.pieces.v[0].off, 4);
    assert_int_equal(p.migration.pieces.v[0].end, p.migration.text.n);
}

/* ---- the graph ------------------------------------------------------------------------------ */

/* Packages "from>to", in the order in which they are looked at; "" = the empty database. */
static void
graph(Arena *a, P8 *all, P8Space *space, const char *const *edges, const char *target)
{
    *all = (P8){0};
    *space = (P8Space){.name = "app", .target = target, .target_path = "contract.json"};
    for (size_t i = 0; edges[i]; i++) {
        P8Package *p = arena_new(a, P8Package);
        Str rest = str_of(edges[i]), from = str_cut(&rest, '>');
        *p = (P8Package){.space = "app",
                         .dir = edges[i],
                         .from = from.n ? str_dup(a, from) : NULL,
                         .to = rest.p,
                         .hash = edges[i],
                         .tree = arena_new(a, JsonTree),
                         .migration = {.name = edges[i], .checksum = edges[i]}};
        p->migration.own = p;
        *vec_add(a, &space->packages) = p;
    }
    *vec_add(a, &all->spaces) = *space;
}

void
prisma8_ways(void **state)
{
    (void)state;
    static const struct {
        const char *edges[8], *target, *at, *applied; /* rows, separated by spaces */
        const char *files;                            /* in order, pending ones behind '|' */
        ErrCode code;
    } cases[] = {
        {{">a", "a>b"}, "b", NULL, "", "| >a a>b", ERR_NONE},
        {{">a", "a>b"}, "b", "a", ">a", ">a | a>b", ERR_NONE},
        {{">a", "a>b"}, "b", "b", "", ">a a>b |", ERR_NONE},                /* only signed */
        {{">a", "a>b", "b>c", "a>c"}, "c", NULL, "", "| >a a>c", ERR_NONE}, /* the shortest */
        {{">a", "a>b", "a>c", "b>d", "c>d"}, "d", NULL, "", "| >a a>b b>d", ERR_NONE},
        {{">a", "a>b", "a>c", "b>d", "c>d"}, "d", "d", ">a a>c c>d", ">a a>c c>d |", ERR_NONE},
        {{">a", "a>b", "b>a"}, "b", "a", ">a a>b b>a", ">a b>a | a>b", ERR_NONE}, /* a circle */
        {{">a", "a>a", "a>b"}, "b", NULL, "", "| >a a>b", ERR_NONE},
        {{">a", "a>b"}, "a", "b", ">a a>b", "", ERR_DIVERGED}, /* ahead */
        {{">a", "a>b"}, "b", "z", "", "", ERR_DIVERGED},       /* of another project */
        {{">a", "a>b"}, "c", "b", "", "", ERR_DIVERGED},       /* not planned yet */
        {{">a", ">b"}, "b", "a", "", "", ERR_DIVERGED},        /* no way */
        {{"a>b"}, "b", NULL, "", "", ERR_DIVERGED},            /* nor a first package */
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        ARENA_LOCAL(a);
        P8 all;
        P8Space space;
        P8State s = {0};
        Err err = {0};
        graph(a, &all, &space, cases[i].edges, cases[i].target);
        if (cases[i].at)
            *vec_add(a, &s.markers) = (P8Marker){.space = "app", .contract = cases[i].at};
        for (Str rest = str_of(cases[i].applied); rest.n;) {
            const char *name = str_dup(a, str_cut(&rest, ' '));
            Str to = str_of(name), from = str_cut(&to, '>');
            *vec_add(a, &s.rows) = (P8Row){.id = name,
                                           .space = "app",
                                           .name = name,
                                           .hash = name,
                                           .from = str_dup(a, from),
                                           .to = to.p};
        }
        History h = {.layout = &history_prisma8, .own = &all};
        assert_int_equal(p8_route(a, &s, &h, &err), cases[i].code == ERR_NONE);
        assert_int_equal(err.code, cases[i].code);
        if (err.code) {
            assert_true(err.hint[0]);
            continue;
        }
        history_compare(a, &h);
        Buf b;
        buf_init(&b, a);
        bool split = false;
        vec_each (const Entry, e, &h.entries) {
            if (e->state == ENTRY_PENDING && !split)
                buf_addz(&b, b.n ? " |" : "|");
            split = split || e->state == ENTRY_PENDING;
            buf_fmt(&b, "%s%s", b.n ? " " : "", e->name);
        }
        if (!split)
            buf_addz(&b, " |");
        assert_string_equal(b.p, cases[i].files);
    }
}
