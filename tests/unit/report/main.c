#include "tests.h"

int
main(void)
{
#define ENTRY(name) cmocka_unit_test(name),
    const struct CMUnitTest tests[] = {REPORT_TESTS(ENTRY)};
#undef ENTRY
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("report", tests, NULL, NULL);
}
