/* doctor with nothing below it but its own rooms: projects made of a few files, no server. What a
 * server says is in tests/integration/test_doctor.py. */
#include "base/fs.h"
#include "doctor/doctor.h"

#include <setjmp.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

typedef struct Scene {
    Arena *a;
    char dir[64];
    Config config;
    ConfigRequest request;
    ConfigProblems problems;
    Doctor d;
} Scene;

static void
scene_begin(Scene *s, Arena *a)
{
    *s = (Scene){.a = a, .dir = "/tmp/aramid-doctor-XXXXXX"};
    assert_non_null(mkdtemp(s->dir));
}

static void
scene_put(const Scene *s, const char *name, const char *text)
{
    Err err;
    assert_true(fs_write(fs_join(s->a, s->dir, name), str_of(text), 0600, &err));
}

/* Read the project and let doctor look at it; areas 0 = all. */
static void
scene_open(Scene *s, unsigned areas)
{
    Err err;
    s->request = (ConfigRequest){.start_dir = s->dir, .problems = &s->problems};
    assert_true(config_load(s->a, &s->request, &s->config, &err));
    s->d = (Doctor){.arena = s->a,
                    .config = &s->config,
                    .request = &s->request,
                    .problems = &s->problems,
                    .areas = areas ? areas : (1u << DOCTOR_AREA_COUNT) - 1};
    findings_init(&s->d.findings, s->a, &s->config.finding_rules);
}

static void
scene_end(Scene *s)
{
    Err err;
    assert_true(fs_remove(s->dir, &err));
}

static const Finding *
find(const Scene *s, FindingId id)
{
    vec_each (const Finding, f, &s->d.findings.items)
        if (f->id == id)
            return f;
    return NULL;
}

static void
setup(void)
{
    static const char *const names[] = {"DATABASE_URL", "DIRECT_URL", "ARAMID_ENV",
                                        "NODE_ENV",     "CI",         "VERCEL_ENV",
                                        "SUPABASE_URL", "PGHOST",     "POSTGRES_HOST"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        unsetenv(names[i]);
}

static void
areas_and_passwords(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    Scene s;
    scene_begin(&s, a);
    scene_open(&s, 1u << AREA_TOOLS);
    doctor_add(&s.d, FINDING_CONFIG_FILES, SEV_OK, NULL, NULL, "not asked for");
    assert_int_equal(s.d.findings.items.n, 0);
    doctor_add(&s.d, FINDING_REACH_TCP, SEV_ERROR, "h:1", NULL, "an error on the way");
    s.d.now = AREA_LEDGERS;
    doctor_add(&s.d, FINDING_CHECK_FAILED, SEV_WARNING, "", "psql postgresql://u:canary1@h/x",
               "failed: postgresql://u:canary2@h/x");
    assert_int_equal(s.d.findings.items.n, 2);
    const Finding *f = &s.d.findings.items.v[1];
    assert_int_equal(f->area, AREA_LEDGERS);
    assert_null(f->object);
    assert_null(strstr(f->text, "canary"));
    assert_null(strstr(f->fix, "canary"));
    scene_end(&s);
}

static void
what_the_configuration_says(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    Scene s;
    scene_begin(&s, a);
    scene_put(&s, "aramid.yaml",
              "url: postgresql://u:p@db.abc.supabase.co:6543/postgres\n"
              "findings:\n  config-empty: error\n  config-not-ignored: off\n");
    scene_put(&s, ".env", "DATABASE_URL=mysql://u@h/x\nDIRECT_URL=\n");
    scene_open(&s, 0);
    doctor_config(&s.d);
    assert_non_null(find(&s, FINDING_CONFIG_FILES));
    assert_string_equal(find(&s, FINDING_CONFIG_FILES)->text, "read: aramid.yaml, .env");
    assert_int_equal(find(&s, FINDING_CONFIG_URL)->severity, SEV_ERROR);
    const Finding *empty = find(&s, FINDING_CONFIG_EMPTY);
    assert_non_null(empty);
    assert_int_equal(empty->severity, SEV_ERROR); /* raised */
    assert_int_equal(mkdir(fs_join(a, s.dir, ".git"), 0755), 0);
    doctor_config(&s.d);
    assert_null(find(&s, FINDING_CONFIG_NOT_IGNORED)); /* silenced */
    scene_end(&s);
}

static void
broken_files_have_places(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    Scene s;
    scene_begin(&s, a);
    scene_put(&s, "aramid.yaml", "\nlokcs:\n  timeout: 1s\n");
    scene_put(&s, "package.json", "{\n  \"prisma\": x }\n");
    scene_open(&s, 0);
    doctor_config(&s.d);
    const Finding *f = find(&s, FINDING_CONFIG_BROKEN);
    assert_non_null(f);
    assert_string_equal(f->path, "aramid.yaml");
    assert_int_equal(f->line, 2);
    f = find(&s, FINDING_CONFIG_UNREAD);
    assert_non_null(f);
    assert_string_equal(f->path, "package.json");
    assert_int_equal(f->line, 2);
    assert_int_equal(s.d.findings.counts[SEV_ERROR], 1);
    scene_end(&s);
}

static void
readable_backups(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    Scene s;
    scene_begin(&s, a);
    assert_int_equal(mkdir(fs_join(a, s.dir, "backups"), 0755), 0);
    scene_put(&s, "aramid.yaml", "backup:\n  dir: backups\n");
    scene_open(&s, 0);
    doctor_config(&s.d);
    const Finding *f = find(&s, FINDING_CONFIG_BACKUPS);
    assert_non_null(f);
    assert_non_null(strstr(f->fix, "chmod 700"));
    scene_end(&s);
}

/* Nobody listens there: the way is told up to where it ends. */
static void
a_way_that_ends(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    Scene s;
    Session session = {0};
    DbUrl url;
    Err err;
    scene_begin(&s, a);
    scene_open(&s, 1u << AREA_SERVER);
    assert_true(url_parse(a, "postgresql://u:canary@127.0.0.1:1/x", "test", &url, &err));
    SessionOptions to = {.config = &s.config, .url = &url, .url_origin = "test", .verb = "doctor"};
    assert_false(doctor_reach(&s.d, &to, false, &session));
    const Finding *f = find(&s, FINDING_REACH_TCP);
    assert_non_null(f);
    assert_int_equal(f->severity, SEV_ERROR);
    assert_null(find(&s, FINDING_REACH_NAME)); /* fine, and not asked for */
    vec_each (const Finding, each, &s.d.findings.items)
        assert_null(strstr(each->text, "canary"));
    scene_end(&s);
}

static void
without_a_database(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    Scene s;
    scene_begin(&s, a);
    scene_open(&s, 0);
    doctor_identity(&s.d, NULL);
    assert_non_null(strstr(find(&s, FINDING_IDENTITY_DATABASE)->text, "not reached"));
    doctor_tools(&s.d, 0);
    assert_non_null(find(&s, FINDING_TOOL_DUMP));
    assert_non_null(find(&s, FINDING_TOOL_SERVER));
    scene_end(&s);
}

int
main(void)
{
    setup();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(areas_and_passwords),      cmocka_unit_test(what_the_configuration_says),
        cmocka_unit_test(broken_files_have_places), cmocka_unit_test(readable_backups),
        cmocka_unit_test(a_way_that_ends),          cmocka_unit_test(without_a_database),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
