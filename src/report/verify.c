#include "report/verify.h"

#include "base/clock.h"
#include "report/identity.h"
#include "report/migrations.h"

static void
add_line(Buf *out, const Term *t, bool ok, const char *text)
{
    term_add(out, t, ok ? TERM_GREEN : TERM_RED, term_mark(t, ok ? TERM_MARK_OK : TERM_MARK_FAIL));
    buf_addc(out, ' ');
    term_text(out, t, TERM_PLAIN, str_of(text));
    buf_addc(out, '\n');
}

static const char *
history_line(Arena *a, const VerifyResult *r)
{
    const StatusResult *s = &r->status;
    if (s->state == STATUS_UP_TO_DATE)
        return str_fmt(a, "the history holds all %s of %s",
                       str_count(a, (int64_t)s->history.files.n, "migration"), s->history.dir);
    return str_fmt(a, "the history is %s: aramid status tells more", status_name(s->state));
}

void
report_verify_text(Buf *out, const Term *t, const VerifyResult *r)
{
    Arena *a = out->arena;
    add_line(out, t, r->status.state == STATUS_UP_TO_DATE, history_line(a, r));
    if (r->looked)
        add_line(out, t, !r->drift.has_drift,
                 r->drift.has_drift
                     ? "the database is not what its migrations make: aramid drift shows it"
                     : "the database is what its migrations make");
    else if (r->not_looked)
        term_text(out, t, TERM_YELLOW,
                  str_of(str_fmt(a, "  not compared with its migrations: %s\n", r->not_looked)));
    vec_each (const HealthCheck, h, &r->health)
        add_line(out, t, h->ok,
                 str_fmt(a, "%s %s%s%s (%s)", h->what, h->ok ? "is well" : "is not well",
                         h->why ? ": " : "", h->why ? h->why : "", clock_duration(a, h->ms)));
    if (!flow_has_health(r->config))
        buf_addz(out, "  nothing asks the application: health.url in aramid.yaml does\n");
}

void
health_json(JsonWriter *w, const HealthChecks *list)
{
    jw_array(w, "health");
    vec_each (const HealthCheck, h, list) {
        jw_object(w, NULL);
        jw_strz(w, "what", h->what);
        jw_bool(w, "ok", h->ok);
        jw_strz(w, "why", h->why);
        jw_int(w, "ms", h->ms);
        jw_end(w);
    }
    jw_end(w);
}

void
report_verify_json(JsonWriter *w, const VerifyResult *r)
{
    jw_object(w, NULL);
    jw_strz(w, "command", "verify");
    jw_bool(w, "ok", r->exit_status == 0);
    jw_strz(w, "environment", r->config->env_name);
    report_target_json(w, &r->status.target);
    report_server_json(w, r->status.server);
    report_identity_member(w, &r->status.identity);
    jw_strz(w, "history", status_name(r->status.state));
    if (r->looked)
        jw_bool(w, "drift", r->drift.has_drift);
    else
        jw_null(w, "drift");
    health_json(w, &r->health);
    jw_int(w, "exitStatus", r->exit_status);
    jw_end(w);
}
