/* A trace: what was sent to servers and which programs were started, one line of JSON for each, for
 * reading after something went wrong (docs/trace.md).
 *
 *     if (t) {
 *         ARENA_LOCAL(a);
 *         JsonWriter w;
 *         trace_begin(a, &w, "sent");
 *         trace_text(t, &w, "sql", sql);
 *         trace_end(t, &w);
 *     }
 *
 * Whoever makes a connection or a child hands the trace on in its options; NULL = none is kept. */
#pragma once

#include "base/err.h"
#include "base/jw.h"

typedef struct Trace Trace;

/* Take what is secret out of a text. */
typedef char *(*TraceHide)(void *arg, Arena *a, Str text);

struct Trace {
    int fd;
    TraceHide hide;
    void *hide_arg;
    int connections; /* how many were opened so far: their numbers */
    int lost;        /* errno of the first line that could not be written, 0 = all were */
};

/* Open the file for appending; it is for its owner only. errors: ERR_IO: also when it is no
 * ordinary file or somebody else's. */
MUST_CHECK bool trace_open(const char *path, TraceHide hide, void *hide_arg, Trace *ret, Err *err);
void trace_close(Trace *t);

/* Begin a line: when, by which process, and what happens. Members are added with jw_* and
 * trace_text; `a` may be short-lived. */
void trace_begin(Arena *a, JsonWriter *w, const char *event);

/* Text that may hold secrets: they are hidden, and of a long one only the beginning is kept. */
void trace_text(const Trace *t, JsonWriter *w, const char *key, Str text);

/* Write the line. That it could not be written stops nobody: t->lost says so. */
void trace_end(Trace *t, JsonWriter *w);
