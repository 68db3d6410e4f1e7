/* What a connection says to a trace. */
#include "db/db_int.h"

#include "base/clock.h"

static void
begin(Db *db, Arena *a, JsonWriter *w, const char *event)
{
    trace_begin(a, w, event);
    jw_int(w, "connection", db->number);
}

void
db_trace_connected(Db *db, int64_t ms)
{
    Trace *t = db->opt.trace;
    if (!t)
        return;
    db->number = ++t->connections;
    ARENA_LOCAL(a);
    JsonWriter w;
    begin(db, a, &w, "connected");
    const char *host = db->pq.PQhost(db->conn), *port = db->pq.PQport(db->conn);
    jw_strz(&w, "host", host);
    jw_strz(&w, "port", port);
    jw_strz(&w, "user", db->opt.url->user);
    jw_strz(&w, "database", db->opt.url->database);
    jw_strz(&w, "application", db->opt.application);
    jw_strz(&w, "tls", db->pq.PQsslAttribute(db->conn, "protocol"));
    jw_int(&w, "version", db->pq.PQserverVersion(db->conn));
    jw_int(&w, "backend", db->pq.PQbackendPID(db->conn));
    jw_int(&w, "ms", ms);
    trace_end(t, &w);
}

void
db_trace_refused(Db *db, const char *host, int64_t ms, const Err *err)
{
    Trace *t = db->opt.trace;
    if (!t)
        return;
    ARENA_LOCAL(a);
    JsonWriter w;
    trace_begin(a, &w, "not-connected");
    trace_text(t, &w, "server", str_of(host));
    trace_text(t, &w, "error", str_of(err->primary));
    jw_strz(&w, "sqlstate", err->sqlstate);
    jw_int(&w, "ms", ms);
    trace_end(t, &w);
}

void
db_trace_plain(Db *db, const char *event)
{
    Trace *t = db->opt.trace;
    if (!t)
        return;
    ARENA_LOCAL(a);
    JsonWriter w;
    begin(db, a, &w, event);
    trace_end(t, &w);
}

void
db_trace_sent(Db *db, Str sql)
{
    Trace *t = db->opt.trace;
    if (!t)
        return;
    db->message++;
    db->rows = db->bytes_in = db->bytes_out = 0;
    db->sent_ms = clock_ms();
    ARENA_LOCAL(a);
    JsonWriter w;
    begin(db, a, &w, "sent");
    jw_int(&w, "message", db->message);
    trace_text(t, &w, "sql", sql);
    trace_end(t, &w);
}

void
db_trace_answered(Db *db, const DbOutcome *o)
{
    static const char *const ends[] = {
        [DB_DONE] = "done", [DB_FAILED] = "failed", [DB_LOST] = "lost"};
    Trace *t = db->opt.trace;
    if (!t)
        return;
    ARENA_LOCAL(a);
    JsonWriter w;
    begin(db, a, &w, "answered");
    jw_int(&w, "message", db->message);
    jw_strz(&w, "end", ends[o->end]);
    jw_int(&w, "ms", clock_ms() - db->sent_ms);
    if (o->end != DB_DONE) {
        jw_strz(&w, "sqlstate", o->sqlstate);
        trace_text(t, &w, "error", str_of(o->message));
    }
    if (o->cancelled)
        jw_strz(&w, "cancelled", o->timed_out ? "timeout" : "stopped");
    jw_array(&w, "tags");
    for (size_t i = 0; i < o->results.n && i < DB_TAGS_KEPT; i++)
        jw_strz(&w, NULL, o->results.v[i].tag);
    jw_end(&w);
    jw_int(&w, "completed", o->completed);
    jw_int(&w, "rows", db->rows);
    if (db->bytes_in)
        jw_int(&w, "copiedIn", db->bytes_in);
    if (db->bytes_out)
        jw_int(&w, "copiedOut", db->bytes_out);
    trace_end(t, &w);
}
