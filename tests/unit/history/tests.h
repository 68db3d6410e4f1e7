/* The tests of src/history: one list for one program. */
#pragma once

#include "history/history.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

/* clang-format off */
#define HISTORY_TESTS(T) \
    T(folder_reads_migrations) T(folder_names) T(folder_odd_names_are_noted) T(folder_stray_sql_is_named) \
    T(folder_missing) T(folder_lock_file) T(folder_foreign_layouts) \
    T(folder_unreadable) T(order_is_that_of_node) \
    T(checksums) T(compare_states) T(compare_several_rows) \
    T(compare_counts) T(compare_after_new_rows) T(rows_are_read) \
    T(statements_parse_and_quote) T(statements_times) \
    T(known_rows_are_found) T(known_by_columns) T(known_tables_are_left_out) T(another_layout) \
    T(no_layout) T(tools_drizzle_files) T(tools_drizzle_journals) T(tools_drizzle_markers) \
    T(tools_drizzle_1_files) T(tools_supabase_files) T(tools_dbmate_files) T(tools_dbmate_blocks) T(tools_plain_files) T(tools_plain_refused) \
    T(tools_plain_checksums) T(tools_plain_yields) T(tools_node_pg_migrate_files) \
    T(tools_graphile_migrate_files) \
    T(prisma8_json) T(prisma8_no_json) T(prisma8_known_hashes) T(prisma8_text) T(prisma8_ways) \
    T(tools_of_two)
/* clang-format on */

#define DECLARE(name) void name(void **state);
HISTORY_TESTS(DECLARE)
#undef DECLARE
