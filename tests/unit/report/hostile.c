/* Results as the rooms below would fill them, with hostile names in every field that is not ours.
 */
#include "tests.h"

#include "base/hash.h"

#include <string.h>

const char *const hostile[HOSTILE_COUNT] = {
    "20240101_plain",
    "we\"ird",
    "o'clock\\",
    "\x1b[31mred\x1b[0m",
    "two\nlines\r\tand a tab",
    "bad \xff utf-8 \xc3",
    "right \xe2\x80\xae to left \xe2\x80\x8b",
    "</script>\x07\x08\x7f",
    "%s%n%d{}[],:",
};

json_t *
must_parse(Str text)
{
    json_error_t e;
    json_t *j = json_loadb(text.p, text.n, JSON_REJECT_DUPLICATES, &e);
    if (!j)
        fail_msg("line %d: %s\n%.*s", e.line, e.text, (int)text.n, text.p);
    return j;
}

void
assert_clean(Str text)
{
    static const char *const hidden[] = {"\x7f", "\xe2\x80\xae", "\xe2\x80\x8b"};
    bool clean = str_utf8_invalid_at(text) == text.n;
    for (size_t i = 0; i < text.n; i++)
        clean = clean && ((unsigned char)text.p[i] >= 0x20 || text.p[i] == '\n');
    for (size_t i = 0; i < sizeof hidden / sizeof *hidden; i++)
        clean = clean && !str_contains(text, str_of(hidden[i]));
    if (clean)
        return;
    ARENA_LOCAL(a);
    fail_msg("not fit for a terminal: %s\n", str_printable(a, text, false));
}

static Target
target(void)
{
    return (Target){.shown = "postgresql://u@h:5432/db", .origin = ".env:3"};
}

static DbInfo *
server(Arena *a, const char *name)
{
    DbInfo *i = arena_new(a, DbInfo);
    *i = (DbInfo){.version = 150018, .host = "h:5432", .database = name, .user = name};
    return i;
}

/* Ledger rows of every kind under names that only the database knows, and one file. */
static void
fill_history(Arena *a, const char *name, History *h)
{
    *h = (History){.layout = &history_prisma, .dir = name};
    const char *kinds[] = {"applied", "failed", "rolled-back"};
    for (int i = 0; i < 3; i++)
        *vec_add(a, &h->rows) = (LedgerRow){
            .id = name,
            .checksum = name,
            .name = str_fmt(a, "%s %s", name, kinds[i]),
            .logs = i == 1 ? name : "",
            .started_us = INT64_C(1732160566123000) + i * 1000,
            .finished_us = i == 0 ? INT64_C(1732160567000000) : 0,
            .rolled_back_us = i == 2 ? INT64_C(1732160567000000) : 0,
        };
    *vec_add(a, &h->files) = (Migration){.name = "20240102_file",
                                         .path = "prisma/migrations/x",
                                         .has_file = true,
                                         .text = STR("SELECT 1"),
                                         .checksum = hash_sha256_hex(a, STR("SELECT 1"))};
    findings_init(&h->findings, a, NULL);
    finding_add(&h->findings, FINDING_HISTORY_NO_TIMESTAMP, "%s", name)->object = name;
    history_compare(a, h);
}

static LockHolder
holder(const char *name)
{
    return (LockHolder){.pid = 4711,
                        .who = name,
                        .since = name,
                        .state = name,
                        .query = name,
                        .seconds = 75,
                        .orphaned = true};
}

void
fill_status(Arena *a, const char *name, const Config *c, StatusResult *ret)
{
    *ret = (StatusResult){.config = c,
                          .target = target(),
                          .server = server(a, name),
                          .state = STATUS_FAILED,
                          .ledger_exists = true,
                          .tables = 3};
    fill_history(a, name, &ret->history);
    *vec_add(a, &ret->runners) = holder(name);
}

void
fill_deploy(Arena *a, const char *name, const Config *c, DeployResult *ret)
{
    *ret = (DeployResult){.config = c, .target = target(), .run_id = "20261121T022246Z-abcdef"};
    fill_history(a, name, &ret->history);
    ret->run =
        (RunReport){.pending_before = 2,
                    .server = {.host = name, .database = name, .user = name, .version = 150018},
                    .ms = 1234,
                    .failed = name,
                    .retries = 1};
    *vec_add(a, &ret->run.applied) = (RunDone){.name = name, .ms = 12, .steps = 3, .resumed = true};
}

void
fill_plan(Arena *a, const char *name, const char *sql, PlanResult *ret)
{
    *ret = (PlanResult){.target = target(), .server = server(a, name), .ledger_exists = true};
    fill_history(a, name, &ret->history);
    Migration *m = arena_new(a, Migration);
    *m = (Migration){
        .name = name, .path = name, .has_file = true, .text = str_of(sql), .checksum = "sum"};
    Err err;
    if (!plan_migration(a, m, &(PlanHints){0}, vec_add(a, &ret->plan.migrations), &err))
        fail_msg("%s", err.primary);
    plan_link(a, &ret->plan);
}

void
fill_unlock(Arena *a, const char *name, UnlockResult *ret)
{
    *ret = (UnlockResult){.target = target()};
    *vec_add(a, &ret->holders) = holder(name);
}
