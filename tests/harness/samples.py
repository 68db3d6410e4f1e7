"""Campaigns of which `make test` runs a fixed sample, spread over their cases: how many. All of them run with
ARAMID_FAULTS=full (`make prove`), and where a test is called for by name."""

import os

SAMPLES = {
    "tests/faults/test_kill.py::test_at_each_failpoint": 12,
    "tests/faults/test_layouts.py::test_cut_at_random_messages": 4,
    "tests/faults/test_layouts.py::test_cut_where_the_row_is_written": 12,
    "tests/faults/test_layouts.py::test_ten_at_once": 4,
    "tests/faults/test_layouts.py::test_the_server_crashes": 6,
    "tests/faults/test_leftovers.py::test_killed": 6,
    "tests/faults/test_ledger_attacks.py::test_both_or_neither": 32,
    "tests/faults/test_restore.py::test_cut_where_it_matters": 5,
    "tests/integration/test_adopt.py::test_each_pair": 9,
    "tests/integration/test_canary.py::test_password": 4,
    "tests/integration/test_canary.py::test_url_that_fails": 3,
    "tests/integration/test_diff.py::test_what_lies_in_other_schemas_is_taken_for_given": 4,
    "tests/integration/test_drift.py::test_edits_are_found": 24,
    "tests/integration/test_drift.py::test_other_majors": 2,
    "tests/integration/test_from_tools.py::test_every_command_of_the_page": 3,
    "tests/integration/test_hints.py::test_commands_carry_the_options_of_the_call": 16,
    "tests/integration/test_histories.py::test_killed_anywhere_it_goes_on": 6,
    "tests/integration/test_histories.py::test_one_order_and_two_tables": 2,
    "tests/integration/test_kinds.py::test_attributes_and_dump": 28,
    "tests/integration/test_kinds.py::test_whole_way": 15,
    "tests/integration/test_layout.py::test_killed_anywhere_it_goes_on": 4,
    "tests/integration/test_lint.py::test_what_is_said": 40,
    "tests/integration/test_pairs.py::test_attributes_of_a_composite_type": 16,
    "tests/integration/test_pairs.py::test_children_keep_their_own_not_null": 8,
    "tests/integration/test_pairs.py::test_partitions_leave_and_join": 20,
    "tests/integration/test_pairs.py::test_what_calls_a_function_that_is_made_again": 12,
    "tests/integration/test_pairs_newer.py::test_not_null_as_a_constraint": 16,
    "tests/integration/test_pairs_newer.py::test_virtual_columns": 8,
    "tests/integration/test_pull.py::test_golden": 12,
    "tests/integration/test_pull_diff.py::test_golden": 12,
    "tests/integration/test_pull_diff.py::test_what_can_be_said_is_a_difference": 8,
    "tests/integration/test_restore.py::test_backups_of_a_newer_pg_dump": 5,
    "tests/integration/test_restore.py::test_the_same_database_again": 12,
    "tests/integration/test_sequences.py::test_a_column_goes_on_counting": 16,
    "tests/integration/test_sequences.py::test_defaults_that_count_by_anothers_sequence": 4,
    "tests/integration/test_supabase_seeds.py::test_the_same_as_the_cli": 2,
    "tests/integration/test_sync.py::test_hash_of_other_line_ends": 2,
    "tests/integration/test_replay.py::test_stubs_in_every_version": 3,
    "tests/integration/test_tools.py::test_cut_where_the_row_is_written": 9,
    "tests/integration/test_tools.py::test_in_turns": 6,
    "tests/integration/test_tools.py::test_killed_anywhere_it_goes_on": 24,
    "tests/integration/test_versions.py::test_kill_in_the_middle_and_start_at_once": 2,
}

# Set by tests/run where everything is run.
WANTED = os.environ.get("ARAMID_TEST_SAMPLES") == "1" and os.environ.get("ARAMID_FAULTS") != "full"


def kept(items):
    """The items (of pytest) of a sample, in their order."""
    groups = {}
    for item in items:
        groups.setdefault(item.nodeid.split("[")[0], []).append(item)
    left_out = set()
    for name, size in SAMPLES.items():
        cases = groups.get(name, [])
        if len(cases) > size:
            chosen = {i * len(cases) // size for i in range(size)}
            left_out |= {cases[i].nodeid for i in range(len(cases)) if i not in chosen}
    return [item for item in items if item.nodeid not in left_out]
