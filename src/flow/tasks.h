/* Named tasks of the project: what has to be done once, or again, behind its migrations (setting tasks,
 * docs/hooks.md). Which were done stands in aramid.runs of the database. */
#pragma once

#include "flow/hooks.h"

typedef enum TaskState { TASK_RUN, TASK_DONE_BEFORE, TASK_NOT_REACHED } TaskState;

typedef struct TaskShown {
    const char *name, *when, *command; /* command without what is secret */
    TaskState state;
    int64_t ms;
} TaskShown;

typedef struct TasksInput {
    FlowInput base;
    RunSink sink;
    const char *run_id;
    const char
        *name;  /* of the one that was called for; NULL = those that are due behind a deploy */
    bool again; /* also when it was done */
} TasksInput;

typedef struct TasksResult {
    const Config *config;
    Target target;
    VEC(TaskShown) tasks; /* that were called for, or are due */
} TasksResult;

bool flow_has_tasks(const Config *c);
bool flow_has_task(Arena *a, const Config *c, const char *name);

/* Run them in their order, until one fails. A task with `when: once` runs once for each database, `changed`
 * again when its text is another one (of a .sql file that of the file), `always` behind each deploy, `called`
 * only by its name.
 * errors: ERR_USAGE: no task of that name; ERR_HOOK: one failed; those of flow_target, session_open and the guard */
MUST_CHECK bool flow_tasks(Arena *a, const TasksInput *in, TasksResult *ret, Err *err);

/* The same over a session of a deploy: ret has its configuration and target. */
MUST_CHECK bool flow_tasks_due(Arena *a, const TasksInput *in, Session *s, TasksResult *ret,
                               Err *err);
