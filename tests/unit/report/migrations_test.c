/* deploy, plan, status, resolve and unlock as text and as JSON. */
#include "sqltext/sqltext_int.h"
#include "tests.h"

static const Term plain = {.width = 80};
static const Config config = {.env_name = "staging"};

typedef void Writer(Arena *a, const char *name, JsonWriter *w);

static void
write_status(Arena *a, const char *name, JsonWriter *w)
{
    StatusResult r;
    fill_status(a, name, &config, &r);
    report_status_json(w, &r, NULL, (int)r.state);
}

static void
write_deploy(Arena *a, const char *name, JsonWriter *w)
{
    DeployResult r;
    Err err;
    fill_deploy(a, name, &config, &r);
    err_set(&err, ERR_MIGRATION_FAILED, "migration \"%s\" failed", name);
    err_detail(&err, "%s", name);
    err_hint(&err, "%s", name);
    err_at(&err, name, 1, 2);
    report_deploy_json(w, &r, &err, NULL, name);
}

static void
write_plan(Arena *a, const char *name, JsonWriter *w)
{
    PlanResult r;
    Buf sql;
    buf_init(&sql, a);
    buf_addz(&sql, "ALTER TABLE ");
    if (str_utf8_invalid_at(str_of(name)) == strlen(name)) /* the splitter refuses others */
        sql_add_name(&sql, name, name);
    else
        buf_addz(&sql, "t");
    buf_addz(&sql, " ADD c int; CREATE INDEX CONCURRENTLY ON t (c)");
    fill_plan(a, name, sql.p, &r);
    report_plan_json(w, &r);
}

static void
write_unlock(Arena *a, const char *name, JsonWriter *w)
{
    UnlockResult r;
    fill_unlock(a, name, &r);
    report_unlock_json(w, &r);
}

static void
write_resolve(Arena *a, const char *name, JsonWriter *w)
{
    ResolveResult r = {.target = {.shown = name, .origin = name}};
    *vec_add(a, &r.names) = name;
    report_resolve_json(w, &r);
}

void
json_of_hostile_names(void **state)
{
    (void)state;
    static Writer *const writers[] = {write_status, write_deploy, write_plan, write_unlock,
                                      write_resolve};
    for (size_t i = 0; i < sizeof writers / sizeof *writers; i++)
        for (int k = 0; k < HOSTILE_COUNT; k++)
            for (int pretty = 0; pretty < 2; pretty++) {
                ARENA_LOCAL(a);
                JsonWriter w;
                jw_init(&w, a, pretty);
                writers[i](a, hostile[k], &w);
                json_decref(must_parse(buf_str(&w.out)));
                assert_int_equal(w.depth, 0);
            }
}

static json_t *
json_of(Arena *a, Writer *writer, const char *name)
{
    JsonWriter w;
    jw_init(&w, a, true);
    writer(a, name, &w);
    return must_parse(buf_str(&w.out));
}

static const char *
text_at(const json_t *j, const char *key)
{
    const char *v = json_string_value(json_object_get(j, key));
    return v ? v : "(none)";
}

void
json_of_deploy(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    json_t *j = json_of(a, write_deploy, "o'clock\\");
    assert_string_equal(text_at(j, "command"), "deploy");
    assert_true(json_is_false(json_object_get(j, "ok")));
    assert_string_equal(text_at(j, "environment"), "staging");
    const json_t *done = json_array_get(json_object_get(j, "applied"), 0);
    assert_string_equal(text_at(done, "name"), "o'clock\\");
    assert_int_equal(json_integer_value(json_object_get(done, "steps")), 3);
    const json_t *e = json_object_get(j, "error");
    assert_string_equal(text_at(e, "code"), "migration-failed");
    assert_string_equal(text_at(e, "prisma"), "P3018");
    assert_int_equal(json_integer_value(json_object_get(e, "exitStatus")), 22);
    json_decref(j);

    /* Nothing is known yet: the URL was wrong. */
    DeployResult r = {.config = &config, .run_id = "x"};
    JsonWriter w;
    jw_init(&w, a, true);
    Err err;
    err_set(&err, ERR_URL, "no URL");
    report_deploy_json(&w, &r, &err, NULL, NULL);
    j = must_parse(buf_str(&w.out));
    assert_true(json_is_null(json_object_get(j, "server")));
    assert_true(json_is_null(json_object_get(j, "log")));
    assert_true(json_is_null(json_object_get(j, "failed")));
    json_decref(j);
    jw_init(&w, a, true);
    report_deploy_json(&w, &r, NULL, NULL, NULL);
    j = must_parse(buf_str(&w.out));
    assert_true(json_is_true(json_object_get(j, "ok")));
    assert_true(json_is_null(json_object_get(j, "error")));
    json_decref(j);
}

void
json_of_status(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    json_t *j = json_of(a, write_status, "m");
    assert_string_equal(text_at(j, "state"), "failed");
    assert_int_equal(json_integer_value(json_object_get(j, "exitStatus")), 11);
    assert_string_equal(text_at(j, "lastAppliedAt"), "2024-11-21T03:42:47.000Z");
    assert_string_equal(json_string_value(json_array_get(json_object_get(j, "missing"), 0)),
                        "m applied");
    assert_string_equal(json_string_value(json_array_get(json_object_get(j, "failed"), 0)),
                        "m failed");
    assert_string_equal(json_string_value(json_array_get(json_object_get(j, "pending"), 0)),
                        "20240102_file");
    const json_t *rows = json_object_get(j, "history");
    assert_int_equal(json_array_size(rows), 3);
    assert_true(json_is_null(json_object_get(json_array_get(rows, 1), "finishedAt")));
    assert_true(json_is_null(json_object_get(json_array_get(rows, 0), "logs")));
    json_decref(j);
}

void
json_of_plan(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    json_t *j = json_of(a, write_plan, "we\"ird");
    const json_t *m = json_array_get(json_object_get(j, "migrations"), 0);
    const json_t *steps = json_object_get(m, "steps");
    assert_int_equal(json_array_size(steps), 2);
    assert_string_equal(text_at(json_array_get(steps, 0), "mode"), "transaction");
    assert_string_equal(text_at(json_array_get(steps, 1), "mode"), "alone");
    assert_int_equal(
        json_integer_value(json_object_get(json_array_get(steps, 1), "firstStatement")), 2);
    if (sql_parser_available()) {
        const json_t *lock = json_array_get(json_object_get(json_array_get(steps, 0), "locks"), 0);
        assert_string_equal(text_at(lock, "schema"), "we\"ird");
        assert_string_equal(text_at(lock, "mode"), "ACCESS EXCLUSIVE");
    }
    json_decref(j);
}

void
json_of_unlock(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    json_t *j = json_of(a, write_unlock, "somebody");
    const json_t *h = json_array_get(json_object_get(j, "holders"), 0);
    assert_int_equal(json_integer_value(json_object_get(h, "pid")), 4711);
    assert_true(json_is_true(json_object_get(h, "orphaned")));
    assert_true(json_is_null(json_object_get(j, "ended")));
    json_decref(j);
}

/* ---- text --------------------------------------------------------------------------------- */

static char *
status_text(Arena *a, const StatusResult *r, bool verbose)
{
    Buf b;
    buf_init(&b, a);
    report_status_text(&b, &plain, r, verbose);
    return b.p;
}

void
text_of_hostile_names(void **state)
{
    (void)state;
    for (int k = 0; k < HOSTILE_COUNT; k++) {
        ARENA_LOCAL(a);
        StatusResult s;
        fill_status(a, hostile[k], &config, &s);
        assert_clean(str_of(status_text(a, &s, true)));
        Buf b;
        buf_init(&b, a);
        DeployResult d;
        fill_deploy(a, hostile[k], &config, &d);
        report_deploy_text(&b, &plain, &d, hostile[k]);
        UnlockResult u;
        fill_unlock(a, hostile[k], &u);
        report_unlock_text(&b, &plain, &u);
        ResolveResult r = {.applied = true};
        *vec_add(a, &r.names) = hostile[k];
        report_resolve_text(&b, &plain, &r);
        PlanResult p;
        fill_plan(a, hostile[k], "SELECT '\x1b[31m\xe2\x80\xae';\r\n\tSELECT 2", &p);
        report_plan_text(&b, &plain, &p, true);
        assert_clean(buf_str(&b));
    }
}

void
text_of_deploy(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    DeployResult r;
    Buf b;
    buf_init(&b, a);
    fill_deploy(a, "20240101_a", &config, &r);
    report_deploy_text(&b, &plain, &r, ".aramid/runs/x");
    assert_string_equal(b.p, "1 migration found in 20240101_a\n\n"
                             "The following migration(s) have been applied:\n\n"
                             "  20240101_a  12 ms, 3 steps, resumed\n\n"
                             "ok All migrations have been successfully applied. (1 in 1.2 s)\n"
                             "Log: .aramid/runs/x\n");
    r.run.applied.n = 0;
    r.history.files.n = 0;
    buf_clear(&b);
    report_deploy_text(&b, &plain, &r, NULL);
    assert_string_equal(b.p,
                        "No migration found in 20240101_a\n\n"
                        "No pending migrations to apply.\nok All migrations are up to date!\n");
}

static void
state_says(StatusState state, const char *part, const char *const *files, const LedgerRow *rows,
           size_t n, bool resumable)
{
    ARENA_LOCAL(a);
    StatusResult r;
    fill_status(a, "x", &config, &r);
    r.state = state;
    r.runners.n = 0;
    r.history = (History){.layout = &history_prisma, .dir = "prisma/migrations"};
    for (; *files; files++)
        *vec_add(a, &r.history.files) =
            (Migration){.name = *files, .has_file = true, .text = STR(""), .checksum = "right"};
    for (size_t i = 0; i < n; i++)
        *vec_add(a, &r.history.rows) = rows[i];
    history_compare(a, &r.history);
    if (resumable)
        r.history.entries.v[0].state = ENTRY_RESUMABLE, r.history.failed--, r.history.resumable++;
    char *text = status_text(a, &r, false);
    if (!strstr(text, part))
        fail_msg("%s: no \"%s\" in\n%s", status_name(state), part, text);
    bool up_to_date = strstr(text, "up to date") != NULL;
    assert_int_equal(up_to_date, state == STATUS_UP_TO_DATE);
    assert_non_null(strstr(text, "Environment: staging"));
    assert_non_null(strstr(text, "PostgreSQL 15.18"));
}

void
text_of_every_state(void **state)
{
    (void)state;
    const char *const one[] = {"1_a", NULL}, *const two[] = {"1_a", "2_b", NULL},
                      *const no[] = {NULL};
    const LedgerRow good = {.id = "i",
                            .checksum = "right",
                            .name = "1_a",
                            .logs = "",
                            .started_us = 1000,
                            .finished_us = 2000};
    LedgerRow wrong = good, open = good, later = good;
    wrong.checksum = "0123456789";
    open.finished_us = 0;
    later.name = "2_b";
    state_says(STATUS_UP_TO_DATE, "Database schema is up to date!", one, &good, 1, false);
    state_says(STATUS_PENDING, "have not yet been applied:\n  2_b\n", two, &good, 1, false);
    state_says(STATUS_FAILED, "resolve --rolled-back 1_a", one, &open, 1, false);
    state_says(STATUS_RESUMABLE, "will be finished by the next deploy:\n  1_a", one, &open, 1,
               true);
    state_says(STATUS_EDITED, "Changed after they were applied", one, &wrong, 1, false);
    state_says(STATUS_MISSING, "missing from the migrations folder:\n  1_a", no, &good, 1, false);
    state_says(STATUS_OUT_OF_ORDER, "1_a  (older than applied ones)", two, &later, 1, false);
    state_says(STATUS_UNMANAGED, "have not yet been applied:\n  1_a", one, NULL, 0, false);
}

void
text_of_plan(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    PlanResult r;
    Buf b;
    buf_init(&b, a);
    fill_plan(a, "20240101_a", "ALTER TABLE t ADD c int;\nCREATE INDEX CONCURRENTLY x ON t (c);",
              &r);
    report_plan_text(&b, &plain, &r, true);
    assert_non_null(strstr(b.p, "deploy would apply 1 migration:"));
    assert_non_null(strstr(b.p, "  1. 20240101_a  2 statements, 2 steps\n"));
    assert_non_null(strstr(b.p, "| ALTER TABLE t ADD c int\n"));
    assert_non_null(strstr(b.p, "step 2: outside of a transaction; resumable (cannot run inside"));
    assert_non_null(strstr(b.p, "Nothing was changed."));
    if (sql_parser_available())
        assert_non_null(strstr(b.p, "lock: ACCESS EXCLUSIVE on t\n"));
    buf_clear(&b);
    report_plan_text(&b, &plain, &r, false);
    assert_null(strstr(b.p, "| ALTER TABLE"));
    r.plan.migrations.n = 0;
    buf_clear(&b);
    report_plan_text(&b, &plain, &r, true);
    assert_non_null(strstr(b.p, "No pending migrations to apply."));
}

void
text_of_resolve(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    ResolveResult r = {.applied = true};
    Buf b;
    buf_init(&b, a);
    report_resolve_text(&b, &plain, &r);
    assert_non_null(strstr(b.p, "Nothing to record"));
    buf_clear(&b);
    *vec_add(a, &r.names) = "1_a";
    report_resolve_text(&b, &plain, &r);
    assert_string_equal(b.p, "ok Migration 1_a marked as applied.\n");
    buf_clear(&b);
    r.applied = false;
    report_resolve_text(&b, &plain, &r);
    assert_string_equal(b.p, "ok Migration 1_a marked as rolled back.\n");
}

void
text_of_unlock(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    UnlockResult r;
    Buf b;
    buf_init(&b, a);
    fill_unlock(a, "aramid deploy on web-1", &r);
    report_unlock_text(&b, &plain, &r);
    assert_non_null(strstr(b.p, "4711  aramid deploy on web-1\n"));
    assert_non_null(strstr(b.p, "1 min 15 s"));
    assert_non_null(strstr(b.p, "an orphan"));
    assert_non_null(strstr(b.p, "To end one: aramid unlock 4711\n"));
    buf_clear(&b);
    r.ended_pid = 4711;
    report_unlock_text(&b, &plain, &r);
    assert_non_null(strstr(b.p, "Ended server process 4711"));
    buf_clear(&b);
    r = (UnlockResult){0};
    report_unlock_text(&b, &plain, &r);
    assert_string_equal(b.p, "Nobody holds the migration lock.\n");
}
