/* Databases for tests as text and JSON. */
#pragma once

#include "base/jw.h"
#include "flow/testdb.h"
#include "report/term.h"

/* A URL on each line, password and all: for $(...). */
void report_testdb_urls(Buf *out, const TestDbResult *r);
void report_testdb_taken_json(JsonWriter *w, const TestDbResult *r);

void report_testdb_list(Buf *out, const Term *t, const TestDbResult *r, int64_t now_us);
void report_testdb_list_json(JsonWriter *w, const TestDbResult *r);

void report_testdb_dropped(Buf *out, const Term *t, const TestDbResult *r);
void report_testdb_dropped_json(JsonWriter *w, const TestDbResult *r, const char *command);
