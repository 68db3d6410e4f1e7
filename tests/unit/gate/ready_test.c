/* Windows of time, evidence, JUnit's reports. */
#include "gate/ready.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static bool
holds(const char *text, int date, int weekday, int hour, int minute)
{
    ARENA_LOCAL(a);
    GateWindows list = {0}, none = {0};
    GateTimes times = {0};
    Err err;
    GateWindow *w = vec_add(a, &list);
    assert_true(gate_window_parse(a, text, w, &err));
    *vec_add(a, &times) = (GateTime){.zone = w->zone ? w->zone : "UTC",
                                     .date = date,
                                     .weekday = weekday,
                                     .minute = hour * 60 + minute};
    bool denied = gate_window_closed(a, &none, &list, &times) != NULL;
    assert_int_equal(denied, gate_window_closed(a, &list, &none, &times) == NULL);
    return denied;
}

static void
windows_hold_when_they_say(void **state)
{
    (void)state;
    assert_true(holds("Mon-Fri 09:00-17:00", 20261201, 1, 9, 0));
    assert_true(holds("Mon-Fri 09:00-17:00", 20261201, 1, 16, 59));
    assert_false(holds("Mon-Fri 09:00-17:00", 20261201, 1, 17, 0));
    assert_false(holds("Mon-Fri 09:00-17:00", 20261201, 1, 8, 59));
    assert_false(holds("Mon-Fri 09:00-17:00 Europe/Berlin", 20261205, 5, 12, 0));
    assert_true(holds("Sat,Sun", 20261205, 5, 0, 0));
    assert_true(holds("Fri-Mon", 20261206, 6, 23, 59)); /* over the end of the week */
    assert_false(holds("Fri-Mon", 20261201, 1, 0, 0));
    /* Over midnight: of the day on which it begins. */
    assert_true(holds("Fri 22:00-06:00", 20261204, 4, 23, 0));
    assert_true(holds("Fri 22:00-06:00", 20261205, 5, 5, 59));
    assert_false(holds("Fri 22:00-06:00", 20261204, 4, 5, 0));
    assert_false(holds("Fri 22:00-06:00", 20261205, 5, 6, 0));
    assert_true(holds("2026-12-31 22:00-06:00", 20270101, 4, 3, 0));
    assert_true(holds("2024-02-29 22:00-06:00", 20240301, 4, 3, 0));
    assert_true(holds("2026-12-24..2026-12-26", 20261226, 5, 23, 59));
    assert_false(holds("2026-12-24..2026-12-26", 20261227, 6, 0, 0));
    assert_true(holds("12:00-24:00 UTC", 20261201, 1, 23, 59));
}

static void
what_is_no_window_is_refused(void **state)
{
    static const char *const wrong[] = {"",
                                        "UTC",
                                        "Mon-",
                                        "9-17",
                                        "09:00",
                                        "25:00-26:00",
                                        "09:00-09:00",
                                        "24:00-06:00",
                                        "2026-02-29",
                                        "2026-13-01",
                                        "2026-12-26..2026-12-24",
                                        "Mon Tue Wed",
                                        "09:00-17:00 Europe/Berlin UTC",
                                        "09:00-17:00 'x'",
                                        "Mon 09:60-10:00",
                                        "\n"};
    (void)state;
    for (size_t i = 0; i < COUNT(wrong); i++) {
        ARENA_LOCAL(a);
        GateWindow w;
        Err err;
        if (gate_window_parse(a, wrong[i], &w, &err))
            fail_msg("taken for a window: %s", wrong[i]);
        assert_int_equal(err.code, ERR_CONFIG);
    }
}

static void
signatures_are_of_one_record(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    GateRecords list = {0};
    GateRecord r = {.kind = "applied",
                    .environment = "staging",
                    .subject = "a",
                    .checksum = "1",
                    .by = "ci",
                    .at = "t"};
    gate_record_sign(a, &r, "key");
    *vec_add(a, &list) = r;
    GateRecord moved = r; /* the same bytes one field further */
    moved.environment = "stagin";
    moved.subject = "ga";
    *vec_add(a, &list) = moved;
    GateRecord other = r;
    gate_record_sign(a, &other, "another key");
    *vec_add(a, &list) = other;
    GateRecord none = r;
    none.signature = NULL;
    *vec_add(a, &list) = none;
    gate_records_check(a, &list, "key");
    assert_true(list.v[0].counts);
    assert_false(list.v[1].counts || list.v[2].counts || list.v[3].counts);
    gate_records_check(a, &list, NULL);
    assert_true(list.v[1].counts && list.v[3].counts);
    GateRecords again;
    Err err;
    assert_true(gate_records_read(a, "file", gate_records_text(a, &list), &again, &err));
    gate_records_check(a, &again, "key");
    assert_true(again.n == 4 && again.v[0].counts && !again.v[1].counts);
}

static void
reports_of_tests_are_counted(void **state)
{
    static const struct {
        const char *text;
        int cases, failed, skipped;
    } reports[] = {
        {"<testsuites><testsuite tests='2'><testcase name='a'/><testcase "
         "name='b'></testcase></testsuite></testsuites>",
         2, 0, 0},
        {"<testsuite><testcase "
         "name='a'><failure>x</failure><error/></testcase><testcase/></testsuite>",
         2, 1, 0},
        {"<testsuite><testcase><skipped/></testcase><testcase><system-out><![CDATA[<failure>]]></"
         "system-out></testcase></testsuite>",
         2, 0, 1},
        {"<?xml version='1.0'?><!-- <testcase> --><testsuite failures='0'/>", 0, 0, 0},
        {"<testcases/>", 0, 0, 0},
        {"<![CDATA[<testcase/>", 0, 0, 0},
        {"", 0, 0, 0},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(reports); i++) {
        GateTests t;
        assert_int_equal(gate_junit(str_of(reports[i].text), &t), reports[i].cases > 0);
        assert_int_equal(t.cases, reports[i].cases);
        assert_int_equal(t.failed, reports[i].failed);
        assert_int_equal(t.skipped, reports[i].skipped);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(windows_hold_when_they_say),
        cmocka_unit_test(what_is_no_window_is_refused),
        cmocka_unit_test(signatures_are_of_one_record),
        cmocka_unit_test(reports_of_tests_are_counted),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
