#include "report/testdb.h"

#include "base/clock.h"

#include <inttypes.h>

static const char *const kinds[] = {"template", "begun", "ready", "taken"};

void
report_testdb_urls(Buf *out, const TestDbResult *r)
{
    vec_each (const TestDb, d, &r->list)
        buf_fmt(out, "%s\n", d->url);
}

static void
add_time(JsonWriter *w, const char *key, int64_t us)
{
    jw_strz(w, key, us ? clock_iso(w->out.arena, us) : NULL);
}

void
report_testdb_taken_json(JsonWriter *w, const TestDbResult *r)
{
    jw_object(w, NULL);
    jw_strz(w, "command", "testdb");
    jw_bool(w, "ok", true);
    jw_strz(w, "template", r->template);
    jw_bool(w, "madeTemplate", r->has_made);
    jw_array(w, "databases");
    vec_each (const TestDb, d, &r->list) {
        jw_object(w, NULL);
        jw_strz(w, "name", d->name);
        jw_strz(w, "url", d->url);
        jw_bool(w, "wasReady", !d->is_new);
        add_time(w, "until", d->until_us);
        jw_end(w);
    }
    jw_end(w);
    jw_end(w);
}

static void
add_span(Buf *out, int64_t us)
{
    int64_t s = us / 1000000;
    if (s < 120)
        buf_fmt(out, "%" PRId64 " s", s);
    else if (s < 7200)
        buf_fmt(out, "%" PRId64 " min", s / 60);
    else
        buf_fmt(out, "%" PRId64 " h", s / 3600);
}

void
report_testdb_list(Buf *out, const Term *t, const TestDbResult *r, int64_t now_us)
{
    (void)t;
    if (!r->list.n) {
        buf_addz(out, "There are no databases for tests.\n");
        return;
    }
    buf_fmt(out, "Server: %s\n", r->server);
    vec_each (const TestDb, d, &r->list) {
        buf_fmt(out, "%-8s  %s", kinds[d->kind], d->name);
        if (d->kind == TESTDB_TEMPLATE && d->until_us) {
            buf_addz(out, "  last used ");
            add_span(out, now_us > d->until_us ? now_us - d->until_us : 0);
            buf_addz(out, " ago");
        } else if (d->kind == TESTDB_TAKEN && d->until_us > now_us) {
            buf_addz(out, "  for ");
            add_span(out, d->until_us - now_us);
            buf_addz(out, " more");
        } else if (d->kind == TESTDB_TAKEN) {
            buf_addz(out, "  over");
        }
        if (d->sessions)
            buf_fmt(out, "  %" PRId64 " connected", d->sessions);
        buf_addc(out, '\n');
    }
}

void
report_testdb_list_json(JsonWriter *w, const TestDbResult *r)
{
    jw_object(w, NULL);
    jw_strz(w, "command", "testdb list");
    jw_bool(w, "ok", true);
    jw_strz(w, "server", r->server);
    jw_array(w, "databases");
    vec_each (const TestDb, d, &r->list) {
        jw_object(w, NULL);
        jw_strz(w, "kind", kinds[d->kind]);
        jw_strz(w, "name", d->name);
        add_time(w, "until", d->kind == TESTDB_TAKEN ? d->until_us : 0);
        add_time(w, "lastUsed", d->kind == TESTDB_TEMPLATE ? d->until_us : 0);
        jw_strz(w, "owner", d->owner);
        jw_int(w, "sessions", d->sessions);
        jw_end(w);
    }
    jw_end(w);
    jw_end(w);
}

void
report_testdb_dropped(Buf *out, const Term *t, const TestDbResult *r)
{
    (void)t;
    if (r->dropped)
        buf_fmt(out, "Dropped: %zu database%s\n", r->dropped, str_plural((int64_t)r->dropped));
    else
        buf_addz(out, "There was nothing to drop.\n");
}

void
report_testdb_dropped_json(JsonWriter *w, const TestDbResult *r, const char *command)
{
    jw_object(w, NULL);
    jw_strz(w, "command", command);
    jw_bool(w, "ok", true);
    jw_int(w, "dropped", (int64_t)r->dropped);
    jw_end(w);
}
