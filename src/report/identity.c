/* Which database it is. */
#include "report/identity.h"
#include "report/finding.h"
#include "report/migrations.h"

void
report_identity_member(JsonWriter *w, const IdentityShown *i)
{
    if (!i->environment) {
        jw_null(w, "identity");
        return;
    }
    jw_object(w, "identity");
    jw_strz(w, "environment", i->environment);
    jw_strz(w, "name", i->name);
    jw_strz(w, "markedAt", i->made_at);
    jw_strz(w, "markedBy", i->made_by);
    jw_strz(w, "markedWith", i->made_with);
    jw_strz(w, "match", i->match);
    jw_end(w);
}

void
report_identity_line(Buf *out, const Term *t, const IdentityShown *i)
{
    term_text(out, t, TERM_BOLD, str_of(i->environment));
    if (i->name) {
        buf_addz(out, " (");
        term_text(out, t, TERM_PLAIN, str_of(i->name));
        buf_addc(out, ')');
    }
    if (!i->made_at)
        return;
    buf_addz(out, ", marked at ");
    term_text(out, t, TERM_PLAIN, str_of(i->made_at));
    buf_addz(out, " by \"");
    term_text(out, t, TERM_PLAIN, str_of(i->made_by));
    buf_addz(out, "\" (");
    term_text(out, t, TERM_PLAIN, str_of(i->made_with));
    buf_addc(out, ')');
}

static void
add_match(Buf *out, const Term *t, const IdentityResult *r)
{
    const char *match = r->identity.match;
    if (strcmp(match, "copy") == 0) {
        term_add(out, t, TERM_YELLOW, term_mark(t, TERM_MARK_WARN));
        buf_addz(out,
                 " It was written elsewhere: this is a copy. Name it: aramid identity set NAME\n");
    } else if (strcmp(match, "renamed") == 0) {
        buf_addz(out, "The database had another name then.\n");
    } else if (strcmp(match, "moved") == 0) {
        buf_addz(out, "It was restored in its place, or its server upgraded, since then.\n");
    }
}

void
report_identity_text(Buf *out, const Term *t, const IdentityResult *r)
{
    Arena *a = out->arena;
    buf_addz(out, "Database: ");
    report_target_text(out, t, &r->target);
    if (!r->server) {
        buf_addc(out, '\n');
        return;
    }
    buf_fmt(out, "\nServer: %s at %s, database \"%s\", user \"%s\"\nIdentity: ",
            db_server_text(a, r->server), str_printable(a, str_of(r->server->host), false),
            str_printable(a, str_of(r->server->database), false),
            str_printable(a, str_of(r->server->user), false));
    if (r->identity.environment) {
        report_identity_line(out, t, &r->identity);
        buf_addc(out, '\n');
        add_match(out, t, r);
    } else {
        buf_addz(out, "it does not say which environment it is\n");
    }
    vec_each (const Identity *const, i, &r->others) {
        buf_addz(out, "Schema \"");
        term_text(out, t, TERM_PLAIN, str_of((*i)->schema));
        buf_addz(out, "\": ");
        term_text(out, t, TERM_PLAIN, str_of((*i)->environment));
        buf_addc(out, '\n');
    }
    if (r->action == IDENTITY_SHOW) {
        if (!r->identity.environment)
            buf_addz(out, "To mark it: aramid identity set ENVIRONMENT\n");
        return;
    }
    term_add(out, t, TERM_GREEN, term_mark(t, TERM_MARK_OK));
    if (r->before && r->changed)
        buf_fmt(out, " It was \"%s\".\n", str_printable(a, str_of(r->before->environment), false));
    else
        buf_addz(out, r->changed ? " Done.\n" : " Nothing to change.\n");
}

void
report_identity_json(JsonWriter *w, const IdentityResult *r)
{
    static const char *const names[] = {"identity show", "identity set", "identity forget"};
    jw_object(w, NULL);
    jw_strz(w, "command", names[r->action]);
    jw_bool(w, "ok", true);
    jw_strz(w, "environment", r->config->env_name);
    report_target_json(w, &r->target);
    report_identity_member(w, &r->identity);
    jw_strz(w, "before", r->before ? r->before->environment : NULL);
    jw_bool(w, "changed", r->changed);
    if (r->server) {
        jw_object(w, "here");
        jw_strz(w, "host", r->server->host);
        jw_strz(w, "database", r->server->database);
        jw_strz(w, "user", r->server->user);
        jw_strz(w, "schema", r->schema);
        jw_strz(w, "systemIdentifier", r->place.system);
        jw_strz(w, "databaseOid", r->place.oid);
        jw_strz(w, "branch", r->place.branch);
        jw_end(w);
    } else
        jw_null(w, "here");
    jw_array(w, "others");
    vec_each (const Identity *const, i, &r->others) {
        jw_object(w, NULL);
        jw_strz(w, "schema", (*i)->schema);
        jw_strz(w, "environment", (*i)->environment);
        jw_end(w);
    }
    jw_end(w);
    findings_json(w, "findings", r->findings);
    jw_end(w);
}
