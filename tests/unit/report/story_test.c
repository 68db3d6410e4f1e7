/* Events and plan, read back. */
#include "tests.h"

#include "report/story.h"

static Story
story_read(Arena *a, Str events, Str plan)
{
    Story s = {0};
    story_plan(a, &s, plan);
    story_events(a, &s, events);
    return s;
}

#define EVENT(time, more) "{\"time\":\"2026-12-01T" time "Z\",\"run\":\"r\"," more "}\n"

void
story_of_a_run(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    Story s = story_read(
        a,
        STR(EVENT("23:59:59.900",
                  "\"event\":\"connected\",\"level\":\"info\",\"text\":\"PostgreSQL\"")
                EVENT("00:00:00.100", "\"event\":\"migration\",\"level\":\"info\","
                                      "\"migration\":\"m\",\"text\":\"begins\"")
                    EVENT("00:00:01.000",
                          "\"event\":\"statement\",\"level\":\"info\","
                          "\"migration\":\"m\",\"ms\":7,\"text\":\"line "
                          "3: DROP\"") "{\"time\":\n" EVENT("00:00:02.000",
                                                            "\"event\":\"done\",\"level\":\"ok\","
                                                            "\"text\":\"done\"")),
        STR("{\"command\":\"deploy\",\"migrations\":[{\"name\":\"m\",\"forecastMs\":"
            "null,\"steps\":[{\"mode\":"
            "\"transaction\",\"sql\":[{\"line\":3,\"kind\":\"DROP "
            "TABLE\",\"forecastMs\":9}],\"locks\":[{\"schema\":\"s\","
            "\"relation\":\"t\",\"mode\":\"ACCESS "
            "EXCLUSIVE\",\"new\":false}]}]},{\"steps\":[]}]}"));
    assert_string_equal(s.began, "2026-12-01 23:59:59 UTC");
    assert_string_equal(s.command, "deploy");
    assert_true(s.is_done && !s.error);
    assert_int_equal(s.skipped, 1);
    assert_int_equal(s.migrations.n, 1);
    const StoryMigration *m = s.migrations.v;
    assert_int_equal(m->state, STORY_BEGUN);
    assert_int_equal(m->forecast, -1);
    assert_int_equal(m->statements.n, 1);
    assert_int_equal(m->statements.v[0].ms, 7);
    assert_int_equal(m->statements.v[0].forecast, 9);
    assert_string_equal(m->statements.v[0].kind, "DROP TABLE");
    assert_string_equal(m->locks.v[0].relation, "s.t");
    Story next = story_read(
        a,
        STR(EVENT("10:00:00.000",
                  "\"event\":\"a\"") "{\"time\":\"2026-12-02T10:00:00.001Z\",\"event\":\"b\"}\n"),
        STR(""));
    assert_int_equal(next.ms, 24 * 3600 * 1000 + 1);
}

/* Whatever stands there, it is read to its end. */
void
story_of_anything(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "",
        "null",
        "[]",
        "{}",
        "{\"event\":{}}",
        "\"x\"",
        "{\"time\":\"2026-12-01T00:00:00.000Z\",\"event\":\"failed\",\"error\":[1]}",
        "{\"time\":\"2026-12-01T00:00:00.000Z\",\"event\":\"x\",\"migration\":7,\"ms\":\"y\"}",
        "{\"migrations\":{}}",
        "{\"migrations\":[7,{\"name\":{}},{\"steps\":[{\"sql\":7}]}]}",
        "\xff\xfe"};
    for (size_t i = 0; i < COUNT(lines); i++)
        for (size_t k = 0; k < COUNT(lines); k++) {
            ARENA_LOCAL(a);
            Story s =
                story_read(a, str_of(str_fmt(a, "%s\n%s", lines[i], lines[k])), str_of(lines[k]));
            assert_true(s.ms >= 0);
        }
}
