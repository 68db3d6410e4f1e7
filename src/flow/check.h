/* aramid check: schema, migrations and database against each other. */
#pragma once

#include "flow/branches.h"
#include "flow/diff.h"
#include "flow/drift.h"
#include "flow/lint.h"

typedef enum CheckPartId {
    CHECK_SCHEMA,     /* valid */
    CHECK_MIGRATIONS, /* readable, and they run on an empty database */
    CHECK_PARITY,     /* they make what the schema says */
    CHECK_HISTORY,    /* the database has them all, as they are */
    CHECK_DRIFT,      /* and nothing else */
    CHECK_LINT, /* nothing that the settings make an error of is in them, or in the rows they meet */
    CHECK_OLD_CODE, /* the code that runs now can go on with them */
    CHECK_ROLLBACK, /* they lead back */
    CHECK_BRANCHES, /* those of another branch go with them in any order */
    CHECK_PART_COUNT
} CheckPartId;

typedef enum CheckOutcome { CHECK_SKIPPED, CHECK_OK, CHECK_FAILED } CheckOutcome;

/* Beside the statuses of errors (errors.def), of `status` (StatusState) and DRIFT_EXIT. */
enum { CHECK_EXIT_PARITY = 17, CHECK_EXIT_ROLLBACK = 27 };

typedef struct CheckPart {
    CheckOutcome outcome;
    int exit_status;      /* CHECK_FAILED */
    const char *text;     /* one sentence; of an error its primary text */
    Err *err;             /* why it failed; NULL when that is no error */
    FindingList findings; /* beside; one that is an error fails a part that is well else */
} CheckPart;

typedef struct CheckInput {
    FlowInput base;
    const char *schema;     /* path as shown to people; NULL = there is none */
    const char *migrations; /* folder as shown to people */
    bool only_migrations;   /* without the schema */
    bool with_database;     /* also history and drift */
    const char *against;    /* also the branches: a folder, or what git knows; NULL = not */
    const char *
        deployed; /* also the code that runs now, by its schema: a file, or what git knows; NULL = not */
    bool rollback; /* also whether the migrations that only this branch has lead back */
    bool only_new; /* lint judges only these, and tells all that is worth a word; with `against` */
} CheckInput;

typedef struct CheckResult {
    const Config *config;
    CheckPart parts[CHECK_PART_COUNT];
    int exit_status;     /* of the first part that failed, 0 = none did */
    DiffResult parity;   /* migrations -> schema; .diff NULL when it could not be compared */
    StatusResult status; /* of CHECK_HISTORY, when it was looked at */
    DriftResult drift;   /* of CHECK_DRIFT, when it was looked at */
    LintResult lint;     /* of CHECK_LINT, when they were judged */
    Branches branches;   /* of CHECK_BRANCHES, when they were looked at */
} CheckResult;

/* "schema", "migrations", "parity", "history", "drift", "lint", "old-code", "rollback", "branches". */
const char *check_part_name(CheckPartId id);

/* Check all parts, each also when an earlier one failed. Never fails: the parts tell. */
void flow_check(Arena *a, const CheckInput *in, CheckResult *ret);
