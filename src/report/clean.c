/* Leftovers. */
#include "report/clean.h"

#include "report/finding.h"
#include "report/migrations.h"

void
report_clean_text(Buf *out, const Term *t, const CleanResult *r)
{
    Arena *a = out->arena;
    if (!r->items.n) {
        term_add(out, t, TERM_GREEN, term_mark(t, TERM_MARK_OK));
        buf_addz(out, " Nothing is left over.\n");
        return;
    }
    vec_each (const CleanItem, i, &r->items) {
        TermMark mark = i->is_gone ? TERM_MARK_OK : r->dry_run ? TERM_MARK_ARROW : TERM_MARK_WARN;
        term_add(out, t, i->is_gone ? TERM_GREEN : TERM_YELLOW, term_mark(t, mark));
        buf_fmt(out, " %-8s ", clean_kind_name(i->kind));
        term_text(out, t, TERM_PLAIN, str_of(i->name));
        buf_fmt(out, "\n           %s\n", str_printable(a, str_of(i->why), false));
    }
    if (r->dry_run)
        buf_fmt(out, "\n%zu to remove; nothing was changed. To remove: aramid clean\n", r->items.n);
    else
        buf_fmt(out, "\n%zu removed.\n", r->removed);
    if (r->stayed)
        buf_fmt(out, "%zu stayed: in use, or somebody is in the way; try again later.\n",
                r->stayed);
}

void
report_clean_json(JsonWriter *w, const CleanResult *r)
{
    jw_object(w, NULL);
    jw_strz(w, "command", "clean");
    jw_bool(w, "ok", r->stayed == 0);
    jw_strz(w, "environment", r->config->env_name);
    report_target_json(w, &r->target);
    jw_bool(w, "dryRun", r->dry_run);
    jw_array(w, "items");
    vec_each (const CleanItem, i, &r->items) {
        jw_object(w, NULL);
        jw_strz(w, "kind", clean_kind_name(i->kind));
        jw_strz(w, "name", i->name);
        jw_strz(w, "why", i->why);
        jw_bool(w, "removed", i->is_gone);
        jw_end(w);
    }
    jw_end(w);
    jw_int(w, "removed", (int64_t)r->removed);
    jw_int(w, "stayed", (int64_t)r->stayed);
    findings_json(w, "findings", r->findings);
    jw_end(w);
}
