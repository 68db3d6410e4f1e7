/* The database that a command works on. */
#include "report/migrations.h"

void
report_target_text(Buf *out, const Term *t, const Target *target)
{
    if (target->absent) {
        term_text(out, t, TERM_BOLD, str_of(target->origin));
        buf_addz(out, ", not made yet (aramid deploy makes it)");
        return;
    }
    term_text(out, t, TERM_BOLD, str_of(target->shown));
    buf_addz(out, " (");
    term_text(out, t, TERM_PLAIN, str_of(target->origin));
    buf_addc(out, ')');
}

void
report_target_json(JsonWriter *w, const Target *t)
{
    jw_object(w, "target");
    jw_strz(w, "url", t->shown);
    jw_strz(w, "origin", t->origin);
    jw_bool(w, "embedded", t->embedded);
    jw_end(w);
}

void
report_server_json(JsonWriter *w, const DbInfo *s)
{
    if (!s) {
        jw_null(w, "server");
        return;
    }
    jw_object(w, "server");
    jw_strz(w, "host", s->host);
    jw_strz(w, "database", s->database);
    jw_strz(w, "user", s->user);
    jw_int(w, "version", s->version);
    jw_bool(w, "standby", s->in_recovery);
    jw_strz(w, "tls", s->tls);
    jw_end(w);
}

const char *
report_entry_state(EntryState state)
{
    static const char *const names[] = {
        [ENTRY_PENDING] = "pending",
        [ENTRY_APPLIED] = "applied",
        [ENTRY_FAILED] = "failed",
        [ENTRY_RESUMABLE] = "half applied",
    };
    return names[state];
}
