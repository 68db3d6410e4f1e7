/* The tests of what migration commands and runs report. */
#pragma once

#include "report/migrations.h"

#include <jansson.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

/* clang-format off */
#define REPORT_TESTS(T) \
    T(json_of_hostile_names) T(json_of_deploy) T(json_of_status) T(json_of_plan) T(json_of_unlock) \
    T(text_of_hostile_names) T(text_of_deploy) T(text_of_every_state) T(text_of_plan) \
    T(text_of_resolve) T(text_of_unlock) \
    T(progress_plain) T(progress_on_a_terminal) T(progress_quiet) \
    T(progress_tells_findings) \
    T(runlog_writes_lines) T(runlog_hides_secrets) T(runlog_keeps_json_whole) \
    T(runlog_nothing_for_nothing) T(runlog_elsewhere) T(runlog_leaves_modes_alone) \
    T(story_of_a_run) T(story_of_anything)
/* clang-format on */

#define DECLARE(name) void name(void **state);
REPORT_TESTS(DECLARE)
#undef DECLARE

/* Texts that try to leave their place. */
enum { HOSTILE_COUNT = 9 };
extern const char *const hostile[HOSTILE_COUNT];

/* Parse; fails the test when it is no JSON. The result is freed with json_decref. */
json_t *must_parse(Str text);

/* No control character but line ends, valid UTF-8, no bidirectional override. */
void assert_clean(Str text);

/* Results filled with everything that a database or a folder can say. */
void fill_status(Arena *a, const char *name, const Config *c, StatusResult *ret);
void fill_deploy(Arena *a, const char *name, const Config *c, DeployResult *ret);
void fill_plan(Arena *a, const char *name, const char *sql, PlanResult *ret);
void fill_unlock(Arena *a, const char *name, UnlockResult *ret);
