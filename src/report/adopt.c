/* What became of a move to another tool's history. */
#include "report/finding.h"
#include "report/identity.h"
#include "report/migrations.h"

#include "sqltext/sqltext.h"

void
report_adopt_text(Buf *out, const Term *t, const ResolveResult *r)
{
    const char *dir = str_printable(out->arena, str_of(r->dir), false);
    if (r->compared && r->names.n)
        buf_addz(out, "Compared the whole database: it is what these migrations make.\n");
    vec_each (const char *const, name, &r->names) {
        term_add(out, t, TERM_GREEN, term_mark(t, r->dry_run ? TERM_MARK_ARROW : TERM_MARK_OK));
        buf_addc(out, ' ');
        term_text(out, t, TERM_PLAIN, str_of(*name));
        buf_addz(out, r->dry_run ? " would be recorded as applied\n" : " recorded as applied\n");
    }
    if (!r->names.n)
        buf_fmt(out, "Nothing to record: all of %s is applied already.\n", dir);
    if (r->backup_id)
        buf_fmt(out, "Backup: %s\n", r->backup_id);
    if (r->dry_run && r->names.n) {
        buf_fmt(out, "\nNothing was changed. To do it: aramid adopt %s\n", r->tool);
        return;
    }
    if (r->dry_run)
        return;
    buf_fmt(out, "\nNo migration was run. From now on: aramid deploy with %s\n", dir);
    if (!r->is_configured)
        buf_fmt(out, "The settings lead to another folder; in aramid.yaml: migrations: %s\n", dir);
}

void
report_adopt_json(JsonWriter *w, const ResolveResult *r)
{
    Arena *a = w->out.arena;
    jw_object(w, NULL);
    jw_strz(w, "command", "adopt");
    jw_bool(w, "ok", true);
    report_target_json(w, &r->target);
    report_identity_member(w, &r->identity);
    jw_strz(w, "history", r->tool);
    jw_strz(w, "folder", r->dir);
    jw_bool(w, "isConfigured", r->is_configured);
    jw_bool(w, "dryRun", r->dry_run);
    jw_bool(w, "compared", r->compared);
    jw_strz(w, "backup", r->backup_id);
    jw_array(w, "migrations");
    vec_each (const char *const, name, &r->names)
        jw_strz(w, NULL, *name);
    jw_end(w);
    jw_array(w, "otherHistories");
    vec_each (const KnownTable, k, &r->others) {
        Buf drop;
        buf_init(&drop, a);
        buf_addz(&drop, "DROP TABLE ");
        sql_add_name(&drop, k->schema, k->table);
        jw_object(w, NULL);
        jw_strz(w, "tool", k->as->tool);
        jw_strz(w, "schema", k->schema);
        jw_strz(w, "table", k->table);
        jw_strz(w, "drop", drop.p);
        jw_end(w);
    }
    jw_end(w);
    findings_json(w, "findings", r->findings);
    jw_end(w);
}
