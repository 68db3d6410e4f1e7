/* Named tasks that were run. */
#pragma once

#include "base/jw.h"
#include "flow/tasks.h"
#include "report/term.h"

void report_task_text(Buf *out, const Term *t, const TasksResult *r);
void report_task_json(JsonWriter *w, const TasksResult *r, const Err *err, const char *log_dir);
