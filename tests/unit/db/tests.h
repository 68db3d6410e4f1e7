/* The tests of src/db: what needs no server, and what does. */
#pragma once

#include "db/db_int.h"
#include "db/resolve.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#define PATIENCE_MS 900000 /* who waits longer hangs */

/* clang-format off */
#define PURE_TESTS(T) \
    T(retry_table) T(backoff_bounds) T(patience_counts) T(patience_pauses) T(pause_ticks) T(diagnose_texts) T(diagnose_hides_password) \
    T(resolve_names) T(deadline_is_kept) T(outcomes_as_errors) T(connect_refused) \
    T(pooler_by_its_name)

#define SERVER_TESTS(T) \
    T(open_learns) T(open_wrong_database) T(results_and_tags) T(notices_arrive) \
    T(error_fields) T(position_counts_characters) T(error_ends_a_message) T(rows_are_discarded) \
    T(tick_cancels) T(timeout_cancels) T(late_cancel_is_still_done) T(lost_connection) \
    T(error_of_class_08_is_no_loss) T(copy_is_survived) T(copy_is_cancelled) \
    T(copy_goes_out) T(copy_comes_in) T(copy_is_refused) T(copy_meets_errors) \
    T(copy_ticks) T(rules_make_more_results) T(queries_become_errors) T(rows_are_handed_on) \
    T(tick_stops_connecting)
/* clang-format on */

#define DECLARE(name) void name(void **state);
PURE_TESTS(DECLARE)
SERVER_TESTS(DECLARE)
#undef DECLARE

int fixture_open(void **state);
int fixture_close(void **state);
