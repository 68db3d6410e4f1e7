/* Questions about rows, asked one by one: what cannot be answered stays open. */
#include "introspect/introspect_int.h"

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

bool
introspect_answers(Db *db, Diff *d, int64_t timeout_ms, Err *err)
{
    ARENA_LOCAL(scratch);
    DiffQuestions questions = diff_questions(scratch, d);
    if (!questions.n)
        return true;
    DbOutcome o;
    const char *begin = str_fmt(scratch,
                                "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;"
                                "SET LOCAL statement_timeout = %lld;"
                                "SET LOCAL lock_timeout = %lld;"
                                "SET LOCAL search_path = ''",
                                (long long)timeout_ms, (long long)timeout_ms);
    if (!db_query(db, scratch, str_of(begin), NULL, err))
        return false;
    vec_each (const DiffQuestion, q, &questions) {
        const char *message = str_fmt(scratch, "SAVEPOINT question;" STR_FMT, STR_ARG(q->sql));
        if (!ask(scratch, db, message, &o, err))
            return false;
        if (o.end == DB_DONE)
            take_answer(q->effect, &o);
        if (o.cancelled) {
            db_outcome_err(&o, "asking about rows", err);
            return false;
        }
        if (!ask(scratch, db, "ROLLBACK TO SAVEPOINT question", &o, err))
            return false;
    }
    return db_query(db, scratch, STR("ROLLBACK"), NULL, err);
}
