/* aramid lint: the project's migrations judged before they run. */
#pragma once

#include "flow/flow.h"
#include "lint/lint.h"

typedef struct LintInput {
    FlowInput base;
    const char *const *names; /* of migrations that are judged; the others are only followed */
    size_t nnames;            /* 0 = all */
} LintInput;

/* A statement and what it does to tables that were there before. */
typedef struct LintedStatement {
    const Migration *migration;
    SqlStmt stmt;
    LintEffects effects;
} LintedStatement;

typedef struct LintResult {
    const Config *config;
    History history;
    size_t migrations; /* that were judged */
    VEC(LintedStatement) statements;
    FindingList findings; /* in the order of the statements */
} LintResult;

/* Read the folder and judge it. No database is asked.
 * errors: ERR_NO_SUCH_MIGRATION, those of flow_history, migration_text, sql_split and sql_directives
 * cost: linear in the migrations' text; all of it is parsed */
MUST_CHECK bool flow_lint(Arena *a, const LintInput *in, LintResult *ret, Err *err);
