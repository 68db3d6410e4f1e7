#include "report/task.h"

#include "base/clock.h"
#include "report/error.h"
#include "report/migrations.h"

void
report_task_text(Buf *out, const Term *t, const TasksResult *r)
{
    Arena *a = out->arena;
    vec_each (const TaskShown, task, &r->tasks) {
        bool before = task->state == TASK_DONE_BEFORE;
        term_add(out, t, TERM_GREEN, term_mark(t, TERM_MARK_OK));
        buf_addc(out, ' ');
        term_text(out, t, TERM_BOLD, str_of(task->name));
        buf_addz(out, before ? " was done in this database before: --again runs it again\n"
                             : str_fmt(a, " (%s)\n", clock_duration(a, task->ms)));
    }
}

void
report_task_json(JsonWriter *w, const TasksResult *r, const Err *err, const char *log_dir)
{
    static const char *const states[] = {"run", "done-before", "not-reached"};
    jw_object(w, NULL);
    jw_strz(w, "command", "task");
    jw_bool(w, "ok", !err);
    jw_strz(w, "environment", r->config->env_name);
    report_target_json(w, &r->target);
    jw_array(w, "tasks");
    vec_each (const TaskShown, t, &r->tasks) {
        jw_object(w, NULL);
        jw_strz(w, "name", t->name);
        jw_strz(w, "when", t->when);
        jw_strz(w, "state", states[t->state]);
        jw_int(w, "ms", t->ms);
        jw_end(w);
    }
    jw_end(w);
    jw_strz(w, "log", log_dir);
    if (err)
        error_json(w, "error", err);
    else
        jw_null(w, "error");
    jw_end(w);
}
