/* Judging migrations before they run: the project's, or those that a database does not have yet. */
#pragma once

#include "flow/flow.h"
#include "lint/lint.h"

/* A statement and what it does to tables that were there before. */
typedef struct LintedStatement {
    const Migration *migration;
    SqlStmt stmt;
    LintEffects effects;
} LintedStatement;

typedef struct LintResult {
    const Config *config;
    History history;
    size_t migrations;      /* that were judged */
    const Stats *stats;     /* sizes of tables; NULL = not known */
    const char *stats_from; /* a file or a database, for people; NULL = not known */
    bool only_pending;      /* those that the database has were only followed */
    VEC(LintedStatement) statements;
    FindingList
        findings; /* in the order of the statements; then what their rows and the baseline say */
    const char *baseline; /* the file that was read or written; NULL = none */
    size_t known;         /* that it has silenced, or will */
} LintResult;

typedef struct LintInput {
    FlowInput base;
    const char *const *names; /* of migrations that are judged; the others are only followed */
    size_t nnames;            /* 0 = all; of a database that is known those that it does not have */
    bool with_database;       /* ask the target what it has and how large its tables are */
    const char *stats;        /* a file with that; NULL = that of the settings, if it is there */
    const char *baseline; /* a file of what is known; NULL = that of the settings, if it is there */
    bool no_baseline;     /* tell all */
    bool writes_baseline; /* what is found is known from here on */
} LintInput;

/* Read the folder and judge it. A database, where one is to be asked, is only read.
 * errors: ERR_NO_SUCH_MIGRATION, those of flow_history, migration_text, sql_split and sql_directives; of flow_target,
 * session_open and session_read with a database; ERR_IO, ERR_CONFIG: the file of statistics
 * cost: linear in the migrations' text; all of it is parsed */
MUST_CHECK bool flow_lint(Arena *a, const LintInput *in, LintResult *ret, Err *err);

/* Judge what a history that was read and compared calls pending, with the sizes of the session's tables, and ask
 * its rows whether they refuse it (flow/preflight.h).
 *
 * s       open; NULL, or without a connection: a database that is still to be made
 * ret     findings go to its list, which the caller has made; its history is left alone
 * errors  those of flow_lint; ERR_CONNECTION_LOST, ERR_INTERRUPTED */
MUST_CHECK bool flow_lint_pending(Arena *a, const Config *c, const Session *s, const History *h,
                                  LintResult *ret, Err *err);

/* What would not have made others wait, as hints of an error at a place of the migration: the ways of the statement
 * there, else those of the others. Nothing where the file cannot be read. */
void flow_lint_safer(Arena *a, const Config *c, const History *h, const char *name, Err *err);

/* Judge a migration that is not in the folder yet: what is worth a word.
 *
 * before  what all that are there make; finished, only read
 * ret     made by the caller
 * errors  those of sql_split and sql_directives */
MUST_CHECK bool flow_lint_new(Arena *a, const Config *c, const History *h, const Catalog *before,
                              const Source *text, FindingList *ret, Err *err);

typedef struct StatsResult {
    const Config *config;
    Target target;
    History history;
    Stats stats;
    const char *path; /* as shown; where they were written */
    FindingList findings;
} StatsResult;

/* Read them from the target, and write them into a file: no row and no value.
 * file    NULL = the setting's
 * errors  those of flow_target, session_open, session_read; ERR_DB_MISSING; ERR_IO */
MUST_CHECK bool flow_stats_save(Arena *a, const FlowInput *in, const char *file, StatsResult *ret,
                                Err *err);
