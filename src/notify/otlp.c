/* OTLP over HTTP, as JSON: ids in hexadecimal, 64-bit numbers as texts, enumerations as numbers. */
#include "notify/notify.h"

#include "base/jw.h"

#include <stdio.h>

enum { KIND_INTERNAL = 1, STATUS_OK = 1, STATUS_ERROR = 2 };

bool
notify_traceparent(Arena *a, const char *text, TraceIds *ret)
{
    Str s = str_of(text);
    if (s.n < 55 || s.p[2] != '-' || s.p[35] != '-' || s.p[52] != '-')
        return false;
    Str trace = str_slice(s, 3, 35), parent = str_slice(s, 36, 52);
    if (strspn(trace.p, "0123456789abcdef") != 32 || strspn(parent.p, "0123456789abcdef") != 16 ||
        strspn(trace.p, "0") == 32 || strspn(parent.p, "0") == 16)
        return false;
    ret->trace = str_dup(a, trace);
    ret->parent = str_dup(a, parent);
    return true;
}

static void
add_attribute(JsonWriter *w, const char *key, const char *value)
{
    if (!value)
        return;
    jw_object(w, NULL);
    jw_strz(w, "key", key);
    jw_object(w, "value");
    jw_strz(w, "stringValue", value);
    jw_end(w);
    jw_end(w);
}

static void
begin(JsonWriter *w, const Word *word, const char *resources, const char *scopes)
{
    jw_object(w, NULL);
    jw_array(w, resources);
    jw_object(w, NULL);
    jw_object(w, "resource");
    jw_array(w, "attributes");
    add_attribute(w, "service.name", "aramid");
    add_attribute(w, "service.version", ARAMID_VERSION);
    add_attribute(w, "deployment.environment.name", word->environment);
    jw_end(w);
    jw_end(w);
    jw_array(w, scopes);
    jw_object(w, NULL);
    jw_object(w, "scope");
    jw_strz(w, "name", "aramid");
    jw_strz(w, "version", ARAMID_VERSION);
    jw_end(w);
}

static Str
end(JsonWriter *w)
{
    for (int i = 0; i < 5; i++) /* scope, scopes, resource, resources, all */
        jw_end(w);
    return buf_str(&w->out);
}

static void
add_time(JsonWriter *w, const char *key, int64_t us)
{
    char text[32];
    snprintf(text, sizeof text, "%lld000", (long long)us);
    jw_strz(w, key, text);
}

/* ---- traces -------------------------------------------------------------------------------- */

typedef struct Spans {
    Arena *arena;
    JsonWriter *w;
    const Word *word;
    const TraceIds *ids;
    uint64_t next;
} Spans;

/* Begin one, up to its attributes; returns its id. */
static const char *
begin_span(Spans *s, const char *parent, const char *name, int64_t from_us, int64_t to_us)
{
    JsonWriter *w = s->w;
    const char *id = str_fmt(s->arena, "%016llx", (unsigned long long)s->next++);
    jw_object(w, NULL);
    jw_strz(w, "traceId", s->ids->trace);
    jw_strz(w, "spanId", id);
    if (parent)
        jw_strz(w, "parentSpanId", parent);
    jw_strz(w, "name", name);
    jw_int(w, "kind", KIND_INTERNAL);
    add_time(w, "startTimeUnixNano", from_us);
    add_time(w, "endTimeUnixNano", to_us > from_us ? to_us : from_us + 1);
    jw_array(w, "attributes");
    return id;
}

static void
end_span(Spans *s, bool failed, const char *why)
{
    jw_end(s->w);
    jw_object(s->w, "status");
    jw_int(s->w, "code", failed ? STATUS_ERROR : STATUS_OK);
    if (failed && why)
        jw_strz(s->w, "message", why);
    jw_end(s->w);
    jw_end(s->w);
}

/* Migrations run one behind the other, and end with the run: each begins where the one before ended. */
static void
add_migrations(Spans *s, const char *run)
{
    const Word *word = s->word;
    int64_t at = word->began_us + word->ms * 1000;
    vec_each (const WordMigration, m, &word->migrations)
        at -= m->ms * 1000;
    at = at > word->began_us ? at : word->began_us;
    vec_each (const WordMigration, m, &word->migrations) {
        const char *id =
            begin_span(s, run, str_fmt(s->arena, "migration %s", m->name), at, at + m->ms * 1000);
        add_attribute(s->w, "aramid.migration", m->name);
        end_span(s, false, NULL);
        int64_t from = at;
        vec_each (const WordStatement, st, &m->statements) {
            begin_span(s, id, st->tag, from, from + st->us);
            add_attribute(s->w, "db.system.name", "postgresql");
            add_attribute(s->w, "db.operation.name", st->tag);
            add_attribute(s->w, "code.line.number", str_fmt(s->arena, "%d", st->line));
            end_span(s, false, NULL);
            from += st->us;
        }
        at += m->ms * 1000;
    }
}

Str
notify_otlp_traces(Arena *a, const Word *word, const TraceIds *ids)
{
    JsonWriter w;
    jw_init(&w, a, false);
    begin(&w, word, "resourceSpans", "scopeSpans");
    jw_array(&w, "spans");
    Spans s = {.arena = a, .w = &w, .word = word, .ids = ids, .next = ids->first ? ids->first : 1};
    bool failed = word->kind == WORD_FAILED;
    const char *run = begin_span(&s, ids->parent, str_fmt(a, "aramid %s", word->command),
                                 word->began_us, word->began_us + word->ms * 1000);
    add_attribute(&w, "aramid.run", word->run_id);
    add_attribute(&w, "db.namespace", word->database);
    add_attribute(&w, "aramid.error", word->error_name);
    add_attribute(&w, "aramid.health", word->health);
    end_span(&s, failed, word->error_text);
    if (!failed)
        add_migrations(&s, run);
    jw_end(&w);
    return end(&w);
}

/* ---- metrics ------------------------------------------------------------------------------- */

static void
add_gauge(JsonWriter *w, const Word *word, const char *name, const char *unit, const char *value)
{
    jw_object(w, NULL);
    jw_strz(w, "name", name);
    jw_strz(w, "unit", unit);
    jw_object(w, "gauge");
    jw_array(w, "dataPoints");
    jw_object(w, NULL);
    jw_array(w, "attributes");
    add_attribute(w, "aramid.command", word->command);
    add_attribute(w, "db.namespace", word->database);
    jw_end(w);
    add_time(w, "timeUnixNano", word->began_us + word->ms * 1000);
    jw_raw(w, "asDouble", str_of(value));
    jw_end(w);
    jw_end(w);
    jw_end(w);
    jw_end(w);
}

Str
notify_otlp_metrics(Arena *a, const Word *word)
{
    JsonWriter w;
    bool ok = word->kind == WORD_DONE;
    jw_init(&w, a, false);
    begin(&w, word, "resourceMetrics", "scopeMetrics");
    jw_array(&w, "metrics");
    add_gauge(&w, word, "aramid.run.success", "1", ok ? "1" : "0");
    add_gauge(
        &w, word, "aramid.run.duration", "s",
        str_fmt(a, "%lld.%03lld", (long long)(word->ms / 1000), (long long)(word->ms % 1000)));
    add_gauge(&w, word, "aramid.run.migrations", "{migration}",
              str_fmt(a, "%zu", ok ? word->migrations.n : 0));
    jw_end(&w);
    return end(&w);
}
