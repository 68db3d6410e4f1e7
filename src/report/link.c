/* Environments and their projects of Supabase. */
#include "report/link.h"

#include <string.h>

static void
add_word(Buf *out, const Term *t, const char *text)
{
    term_text(out, t, TERM_PLAIN, str_of(text));
}

void
report_link_text(Buf *out, const Term *t, const LinkResult *r, bool dry_run, bool password_set)
{
    term_add(out, t, TERM_GREEN, term_mark(t, TERM_MARK_OK));
    buf_addz(out, " Environment ");
    term_text(out, t, TERM_BOLD, str_of(r->in->env));
    buf_addz(out, r->edit.is_same ? " is project "
                  : dry_run       ? " would be project "
                                  : " is now project ");
    add_word(out, t, r->in->project_ref);
    buf_fmt(out, " (%s%s)\n  ", r->edit.shown, r->edit.is_same ? ", as before" : "");
    add_word(out, t, r->host);
    buf_addz(out, ":5432, user ");
    add_word(out, t, r->user);
    buf_fmt(out, ", the password is that of %s\n", r->in->password_variable);
    if (!r->is_pooler) {
        term_add(out, t, TERM_YELLOW, term_mark(t, TERM_MARK_WARN));
        buf_addz(out,
                 " This host has an IPv6 address only, which GitHub's runners and many networks "
                 "do not reach. The session\n  pooler's host, from the dashboard under Connect: "
                 "--pooler-host HOST\n");
    }
    if (!password_set)
        buf_fmt(out,
                "  %s is not set here: the database's password, in .env or as a secret of the "
                "pipeline.\n",
                r->in->password_variable);
    buf_fmt(out, "  Then: aramid doctor --env %s\n", r->in->env);
}

void
report_link_json(JsonWriter *w, const LinkResult *r, bool dry_run, bool password_set)
{
    jw_object(w, NULL);
    jw_strz(w, "command", "link");
    jw_bool(w, "ok", true);
    jw_object(w, "linked");
    jw_strz(w, "environment", r->in->env);
    jw_strz(w, "projectRef", r->in->project_ref);
    jw_strz(w, "host", r->host);
    jw_bool(w, "pooler", r->is_pooler);
    jw_strz(w, "user", r->user);
    jw_strz(w, "file", r->edit.shown);
    jw_bool(w, "changed", !r->edit.is_same && !dry_run);
    jw_strz(w, "passwordVariable", r->in->password_variable);
    jw_bool(w, "passwordSet", password_set);
    jw_end(w);
    jw_array(w, "environments");
    jw_end(w);
    jw_end(w);
}

void
report_links_text(Buf *out, const Term *t, const LinkShownVec *list)
{
    if (!list->n)
        buf_addz(out, "No environment names a database.\n"
                      "One of Supabase: aramid link --project-ref REF --env staging\n");
    vec_each (const LinkShown, l, list) {
        term_text(out, t, TERM_BOLD, str_of(l->env));
        if (l->project_ref) {
            buf_addz(out, "  project ");
            add_word(out, t, l->project_ref);
        }
        buf_addz(out, "\n  ");
        add_word(out, t, l->url ? l->url : "names no database");
        if (l->problem) {
            buf_addz(out, ": ");
            term_text(out, t, TERM_YELLOW, str_of(l->problem));
        }
        if (l->origin) {
            buf_addz(out, "  ");
            term_text(out, t, TERM_DIM, str_of(l->origin));
        }
        buf_addc(out, '\n');
    }
}

void
report_links_json(JsonWriter *w, const LinkShownVec *list)
{
    jw_object(w, NULL);
    jw_strz(w, "command", "link");
    jw_bool(w, "ok", true);
    jw_null(w, "linked");
    jw_array(w, "environments");
    vec_each (const LinkShown, l, list) {
        jw_object(w, NULL);
        jw_strz(w, "environment", l->env);
        jw_strz(w, "projectRef", l->project_ref);
        jw_strz(w, "url", l->url);
        jw_strz(w, "problem", l->problem);
        jw_strz(w, "origin", l->origin);
        jw_end(w);
    }
    jw_end(w);
    jw_end(w);
}
