#include "tests.h"

int
main(void)
{
#define ENTRY(name) cmocka_unit_test(name),
    const struct CMUnitTest tests[] = {HISTORY_TESTS(ENTRY)};
#undef ENTRY
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("history", tests, NULL, NULL);
}
