/* Questions about rows, asked one by one: what cannot be answered stays open. */
#include "introspect/introspect_int.h"

#include "base/clock.h"

#include <stdio.h>

static bool
ask(Arena *a, Db *db, const char *message, DbOutcome *ret, Err *err)
{
    static const DbRun run = {0};
    db_run(db, a, str_of(message), &run, ret);
    if (ret->end == DB_LOST)
        return db_outcome_err(ret, "asking about rows", err);
    return true;
}

static void
take_answer(DiffEffect *effect, const DbOutcome *o)
{
    long long rows, hits;
    vec_each (const DbRows, r, &o->results) {
        if (r->rows == 1 && r->cols >= 2 && str_to_int(db_cell(r, 0, 0), 0, INT64_MAX, &rows) &&
            str_to_int(db_cell(r, 0, 1), 0, INT64_MAX, &hits))
            diff_answer(effect, rows, hits);
        if (r->rows == 1 && r->cols == 3)
            snprintf(effect->zone, sizeof effect->zone, STR_FMT, STR_ARG(db_cell(r, 0, 2)));
    }
}

static bool
begin(Db *db, Arena *a, Err *err)
{
    return db_query(
        db, a, STR("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;SET LOCAL search_path = ''"),
        NULL, err);
}

/* One question; limit_ms 0 = none. */
static bool
ask_one(Arena *a, Db *db, const DiffQuestion *q, int64_t limit_ms, Err *err)
{
    DbOutcome o;
    const char *message = str_fmt(a,
                                  "SAVEPOINT question;SET LOCAL statement_timeout = %lld;"
                                  "SET LOCAL lock_timeout = %lld;" STR_FMT,
                                  (long long)limit_ms, (long long)limit_ms, STR_ARG(q->sql));
    if (!ask(a, db, message, &o, err))
        return false;
    if (o.end == DB_DONE)
        take_answer(q->effect, &o);
    if (o.cancelled)
        return db_outcome_err(&o, "asking about rows", err);
    return ask(a, db, "ROLLBACK TO SAVEPOINT question", &o, err);
}

bool
introspect_answers(Db *db, Diff *d, int64_t timeout_ms, Err *err)
{
    ARENA_LOCAL(scratch);
    DiffQuestions questions = diff_questions(scratch, d);
    if (!questions.n)
        return true;
    if (!begin(db, scratch, err))
        return false;
    vec_each (const DiffQuestion, q, &questions)
        if (!ask_one(scratch, db, q, timeout_ms, err))
            return false;
    return db_query(db, scratch, STR("ROLLBACK"), NULL, err);
}

bool
introspect_ask(Db *db, const DiffQuestions *questions, int64_t timeout_ms, Err *err)
{
    ARENA_LOCAL(scratch);
    if (!questions->n)
        return true;
    int64_t end_ms = clock_ms() + timeout_ms;
    if (!begin(db, scratch, err))
        return false;
    vec_each (const DiffQuestion, q, questions) {
        int64_t left_ms = timeout_ms ? end_ms - clock_ms() : 0;
        if (left_ms < 0 || (timeout_ms && !left_ms))
            break;
        if (!ask_one(scratch, db, q, left_ms, err))
            return false;
    }
    return db_query(db, scratch, STR("ROLLBACK"), NULL, err);
}
