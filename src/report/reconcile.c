/* Differences and repairs: sync, fix, resolve --auto. */
#include "report/reconcile.h"

#include "report/finding.h"
#include "report/identity.h"
#include "report/migrations.h"

enum { SHOWN_MAX = 12 };

static const char *
outcome_of(const ReconcileResult *r, const Difference *d)
{
    if (d->repair.kind)
        return r->repaired ? "repaired" : "planned";
    return d->is_left ? "left" : "deploy";
}

static void
add_texts(Buf *out, const Term *t, const char *what, const CatTexts *list)
{
    for (size_t i = 0; i < list->n && i < SHOWN_MAX; i++) {
        buf_fmt(out, "      %s", what);
        term_text(out, t, TERM_PLAIN, str_of(list->v[i]));
        buf_addc(out, '\n');
    }
    if (list->n > SHOWN_MAX)
        buf_fmt(out, "      %sand %zu more\n", what, list->n - SHOWN_MAX);
}

static void
add_line(Buf *out, const Term *t, const char *label, const char *text)
{
    buf_fmt(out, "    %s", label);
    term_text(out, t, TERM_PLAIN, str_of(text));
    buf_addc(out, '\n');
}

static void
add_difference(Buf *out, const Term *t, const ReconcileResult *r, const Difference *d)
{
    bool is_done = d->repair.kind && r->repaired;
    TermMark mark = is_done ? TERM_MARK_OK : d->is_left ? TERM_MARK_WARN : TERM_MARK_ARROW;
    TermStyle style = is_done ? TERM_GREEN : d->is_left ? TERM_YELLOW : TERM_CYAN;
    term_add(out, t, style, term_mark(t, mark));
    buf_addc(out, ' ');
    term_add(out, t, TERM_BOLD, difference_name(d->class));
    if (d->name) {
        buf_addz(out, "  ");
        term_text(out, t, TERM_PLAIN, str_of(d->name));
    }
    buf_addc(out, '\n');
    add_line(out, t, "", d->text);
    if (d->evidence && d->evidence->verdict != VERDICT_APPLIED) {
        bool is_drift = d->class == DIFFERENCE_DRIFT;
        bool is_partly = d->evidence->verdict != VERDICT_NOT_APPLIED;
        if (is_partly) {
            add_texts(out, t, "there:   ", &d->evidence->there);
            add_texts(out, t, "missing: ", &d->evidence->missing);
            add_texts(out, t, is_drift ? "" : "another: ", &d->evidence->other);
        }
    }
    if (d->does)
        add_line(out, t, is_done ? "done: " : "repair: ", d->does);
    if (d->next)
        add_line(out, t, "next: ", d->next);
}

static void
add_end(Buf *out, const Term *t, const ReconcileResult *r)
{
    buf_addc(out, '\n');
    if (r->repairs)
        buf_fmt(out,
                r->repaired ? "%zu repair%s made, in one transaction; only the history table was "
                              "changed.\n"
                            : "%zu repair%s to make; nothing was changed.\n",
                r->repairs, str_plural((int64_t)r->repairs));
    if (r->repairs && !r->repaired)
        buf_fmt(out, "To make %s: aramid %s\n", r->repairs == 1 ? "it" : "them", r->verb);
    if (r->pending)
        buf_fmt(out, "%zu to apply: aramid deploy\n", r->pending);
    if (r->left) {
        term_add(out, t, TERM_YELLOW, term_mark(t, TERM_MARK_WARN));
        buf_fmt(out, " %zu left for a person: no repair of %s is proven to be right.\n", r->left,
                r->left == 1 ? "it" : "them");
    }
    if (r->backup_id)
        buf_fmt(out, "Backup: %s\n", r->backup_id);
}

void
report_reconcile_text(Buf *out, const Term *t, const ReconcileResult *r)
{
    if (r->target.absent) {
        buf_addz(out, "There is no database yet: aramid deploy makes it.\n");
        return;
    }
    buf_addz(out, "Database: ");
    report_target_text(out, t, &r->target);
    buf_fmt(out, "\n%s\n\n", report_migrations_found(out->arena, &r->history));
    if (!r->differences.n) {
        term_add(out, t, TERM_GREEN, term_mark(t, TERM_MARK_OK));
        buf_addz(out, r->compared ? " Files, history and database agree.\n"
                      : strcmp(r->verb, "resolve") == 0
                          ? " No migration failed: there is nothing to decide.\n"
                          : " The history table needs no repair.\n");
        return;
    }
    vec_each (const Difference, d, &r->differences)
        add_difference(out, t, r, d);
    add_end(out, t, r);
}

static void
texts_json(JsonWriter *w, const char *key, const CatTexts *list)
{
    jw_array(w, key);
    for (size_t i = 0; list && i < list->n; i++)
        jw_strz(w, NULL, list->v[i]);
    jw_end(w);
}

static void
difference_json(JsonWriter *w, const ReconcileResult *r, const Difference *d)
{
    static const char *const kinds[] = {NULL,      "record", "roll-back",
                                        "correct", "remove", "upgrade"};
    const Evidence *e = d->evidence;
    jw_object(w, NULL);
    jw_strz(w, "class", difference_name(d->class));
    jw_strz(w, "migration", d->name);
    jw_strz(w, "text", d->text);
    jw_strz(w, "verdict", e && d->class != DIFFERENCE_DRIFT ? verdict_name(e->verdict) : NULL);
    texts_json(w, "there", e ? &e->there : NULL);
    texts_json(w, "missing", e ? &e->missing : NULL);
    texts_json(w, "other", e ? &e->other : NULL);
    jw_strz(w, "repair", kinds[d->repair.kind]);
    jw_strz(w, "does", d->does);
    jw_strz(w, "next", d->next);
    jw_strz(w, "outcome", outcome_of(r, d));
    jw_end(w);
}

void
report_reconcile_json(JsonWriter *w, const ReconcileResult *r)
{
    jw_object(w, NULL);
    jw_strz(w, "command", r->verb);
    jw_bool(w, "ok", r->left == 0);
    jw_int(w, "exitStatus", r->exit_status);
    jw_strz(w, "environment", r->config->env_name);
    report_target_json(w, &r->target);
    report_identity_member(w, &r->identity);
    jw_bool(w, "dryRun", r->dry_run);
    jw_bool(w, "compared", r->compared);
    jw_array(w, "differences");
    vec_each (const Difference, d, &r->differences)
        difference_json(w, r, d);
    jw_end(w);
    jw_int(w, "repairs", (int64_t)r->repairs);
    jw_bool(w, "repaired", r->repaired);
    jw_int(w, "left", (int64_t)r->left);
    jw_int(w, "pending", (int64_t)r->pending);
    jw_strz(w, "backup", r->backup_id);
    findings_json(w, "findings", r->findings);
    jw_end(w);
}
