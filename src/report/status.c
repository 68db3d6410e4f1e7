/* The state of a history. */
#include "report/drift.h"
#include "report/expand.h"
#include "report/finding.h"
#include "report/identity.h"
#include "report/migrations.h"

#include "base/clock.h"

static void
add_line(Buf *out, const Term *t, TermMark mark, TermStyle style, const char *text)
{
    term_add(out, t, style, term_mark(t, mark));
    buf_fmt(out, " %s\n", text);
}

/* A heading and the names for which `wanted` holds. */
static void
add_names(Buf *out, const Term *t, const History *h, bool (*wanted)(const Entry *),
          const char *text)
{
    bool any = false;
    vec_each (const Entry, e, &h->entries) {
        if (!wanted(e))
            continue;
        if (!any)
            buf_fmt(out, "\n%s\n", text);
        any = true;
        buf_addz(out, "  ");
        term_text(out, t, TERM_PLAIN, str_of(e->name));
        if (history_versioned(h) > 1)
            term_add(out, t, TERM_DIM,
                     str_fmt(out->arena, "  %s", h->parts.v[e->part]->layout->ledger.tool));
        if (e->state == ENTRY_PENDING && e->file && !e->file->has_file)
            term_add(out, t, TERM_YELLOW, "  (its file is missing)");
        if (e->state == ENTRY_RESUMABLE && e->row && e->row->logs[0])
            term_add(out, t, TERM_RED,
                     str_fmt(out->arena, "  (an error stopped it: %s)",
                             str_printable(out->arena, str_of(e->row->logs), false)));
        if (e->out_of_order)
            term_add(out, t, TERM_YELLOW, "  (older than applied ones)");
        buf_addc(out, '\n');
    }
}

static bool
is_pending(const Entry *e)
{
    return e->state == ENTRY_PENDING && e->file;
}

static bool
is_failed(const Entry *e)
{
    return e->state == ENTRY_FAILED;
}

static bool
is_resumable(const Entry *e)
{
    return e->state == ENTRY_RESUMABLE;
}

static bool
is_resumed(const Entry *e)
{
    return is_resumable(e) && !e->undo;
}

static bool
is_half_undone(const Entry *e)
{
    return e->undo != NULL;
}

static bool
is_edited(const Entry *e)
{
    return e->edited;
}

static bool
is_missing(const Entry *e)
{
    return e->state == ENTRY_APPLIED && !e->file && !e->repeats;
}

static bool
is_applied(const Entry *e)
{
    return e->state == ENTRY_APPLIED;
}

static const char *
first_name(const History *h, bool (*wanted)(const Entry *))
{
    vec_each (const Entry, e, &h->entries)
        if (wanted(e))
            return e->name;
    return "NAME";
}

static void
add_findings(Buf *out, const Term *t, const StatusResult *r)
{
    Arena *a = out->arena;
    const History *h = &r->history;
    add_names(out, t, h, is_pending, "Following migration(s) have not yet been applied:");
    add_names(out, t, h, is_failed, "Following migration(s) have failed:");
    add_names(out, t, h, is_resumed, "Interrupted, will be finished by the next deploy:");
    add_names(
        out, t, h, is_half_undone,
        "A rollback was interrupted: the next aramid rollback finishes it, and so does aramid "
        "deploy, which then applies it again:");
    add_names(out, t, h, is_edited,
              "Changed after they were applied (the change is not in the "
              "database):");
    add_names(out, t, h, is_missing,
              "Applied in the database, but missing from the migrations "
              "folder:");
    buf_addc(out, '\n');
    if (h->failed) {
        const char *name = str_shell(a, first_name(h, is_failed));
        add_line(out, t, TERM_MARK_FAIL, TERM_RED, "A failed migration stops every deploy.");
        buf_fmt(out, "   Let the database decide which:         aramid resolve --auto %s\n", name);
        buf_addz(out, "   Undo what it left:                      aramid rollback --failed\n");
        buf_fmt(out, "   If its changes are in the database:    aramid resolve --applied %s\n",
                name);
        buf_fmt(out, "   If they are not, or were undone:       aramid resolve --rolled-back %s\n",
                name);
    }
    if (h->edited || h->missing)
        buf_addz(out, "What to do about them: aramid sync --dry-run\n");
    if ((h->pending || h->resumable) && !h->failed && r->state != STATUS_UNMANAGED)
        buf_addz(out, "To apply: aramid deploy     To look first: aramid plan\n");
}

static void
add_runners(Buf *out, const Term *t, const StatusResult *r)
{
    vec_each (const LockHolder, l, &r->runners)
        add_line(out, t, TERM_MARK_ARROW, TERM_CYAN,
                 l->prepared
                     ? str_fmt(out->arena, "The migration lock is held by %s, since %s",
                               str_printable(out->arena, str_of(l->who), false),
                               str_printable(out->arena, str_of(l->since), false))
                     : str_fmt(out->arena,
                               "A migration run is under way: %s, since %s (server process %d)",
                               str_printable(out->arena, str_of(l->who), false),
                               str_printable(out->arena, str_of(l->since), false), l->pid));
}

/* The run that applied a migration, or recorded it; NULL = none that is known. */
static const RunShown *
run_of(const StatusResult *r, const char *migration)
{
    const RunShown *found = NULL;
    size_t n = strlen(migration);
    vec_each (const RunShown, run, &r->runs)
        for (const char *at = run->names; at && (at = strstr(at, migration)); at += n)
            if (at[-1] == '\n' && at[n] == '\n')
                found = run;
    return found;
}

static void
add_run(Buf *out, const Term *t, const RunShown *run)
{
    Arena *a = out->arena;
    buf_addz(out, "      ");
    term_add(out, t, TERM_DIM,
             str_fmt(a, "%s by %s as \"%s\"%s%s%s%s", str_printable(a, str_of(run->verb), false),
                     run->os_user ? str_printable(a, str_of(run->os_user), false) : "somebody",
                     str_printable(a, str_of(run->db_user), false),
                     run->tool_version ? ", aramid " : "",
                     run->tool_version ? str_printable(a, str_of(run->tool_version), false) : "",
                     run->log ? ", log: " : "",
                     run->log ? str_printable(a, str_of(run->log), false) : ""));
    buf_addc(out, '\n');
}

static void
add_runs(Buf *out, const Term *t, const StatusResult *r)
{
    Arena *a = out->arena;
    if (r->runs_hidden)
        buf_addz(out, "\nRuns: this role may not read the table of runs\n");
    if (r->runs.n)
        buf_addz(out, "\nRuns:\n");
    vec_each (const RunShown, run, &r->runs) {
        buf_fmt(out, "  %s  %-12s %s%s%s\n", run->started_at,
                str_printable(a, str_of(run->outcome), false),
                str_printable(a, str_of(run->run_id), false), run->backup_id ? ", backup " : "",
                run->backup_id ? str_printable(a, str_of(run->backup_id), false) : "");
        add_run(out, t, run);
    }
}

static void
add_history(Buf *out, const Term *t, const StatusResult *r)
{
    Arena *a = out->arena;
    const History *h = &r->history;
    if (h->rows.n)
        buf_addz(out, "\nHistory:\n");
    vec_each (const LedgerRow, row, &h->rows) {
        bool has_time = row->started_us > HISTORY_SOMETIME;
        buf_fmt(out, "  %-24s  ", has_time ? clock_iso(a, row->started_us) : "-");
        const char *state = row->rolled_back_us ? "rolled back"
                            : !row->finished_us ? "not finished"
                            : !has_time
                                ? "applied"
                                : clock_duration(a, (row->finished_us - row->started_us) / 1000);
        buf_fmt(out, "%-12s ", state);
        term_text(out, t, TERM_PLAIN, str_of(row->name));
        term_add(out, t, TERM_DIM,
                 str_fmt(a, "  %.12s", str_printable(a, str_of(row->checksum), false)));
        buf_addc(out, '\n');
        if (row->finished_us > HISTORY_SOMETIME)
            buf_fmt(out, "      finished %s, %d step%s\n", clock_iso(a, row->finished_us),
                    row->steps, str_plural(row->steps));
        const RunShown *run = run_of(r, row->name);
        if (run)
            add_run(out, t, run);
        for (Str rest = str_of(row->logs); row->logs[0] && rest.p;) {
            Str line = str_cut(&rest, '\n');
            buf_addz(out, "      ");
            term_text(out, t, TERM_DIM, line);
            buf_addc(out, '\n');
        }
    }
}

/* How many of one history are in a state. */
static int
count_of(const History *h, size_t part, bool (*wanted)(const Entry *))
{
    int n = 0;
    vec_each (const Entry, e, &h->entries)
        n += e->part == part && wanted(e);
    return n;
}

/* Each of several histories. */
static void
add_parts(Buf *out, const Term *t, const History *h)
{
    Arena *a = out->arena;
    for (size_t i = 0; i < h->parts.n; i++) {
        const History *p = h->parts.v[i];
        buf_fmt(out, "  %-9s ", p->layout->ledger.tool);
        term_text(out, t, TERM_PLAIN, str_of(p->dir));
        buf_fmt(out, ": %d applied, %d pending", count_of(h, i, is_applied),
                count_of(h, i, is_pending));
        const struct {
            int n;
            const char *what;
        } odd[] = {{count_of(h, i, is_failed), "failed"},
                   {count_of(h, i, is_resumable), "interrupted"},
                   {count_of(h, i, is_edited), "edited"},
                   {count_of(h, i, is_missing), "missing"}};
        for (size_t k = 0; k < COUNT(odd); k++)
            if (odd[k].n)
                buf_fmt(out, ", %d %s", odd[k].n, odd[k].what);
        const char *table = str_fmt(a, "%s%s%s", p->ledger.schema ? p->ledger.schema : "",
                                    p->ledger.schema ? "." : "", p->ledger.table);
        term_add(out, t, TERM_DIM,
                 str_fmt(a, "  (%s%s)\n", str_printable(a, str_of(table), false),
                         p->has_ledger ? "" : ", not there yet"));
    }
}

void
report_status_text(Buf *out, const Term *t, const StatusResult *r, bool verbose)
{
    Arena *a = out->arena;
    const History *h = &r->history;
    buf_fmt(out,
            "Environment: %s     Database: ", str_printable(a, str_of(r->config->env_name), false));
    report_target_text(out, t, &r->target);
    if (r->server)
        buf_fmt(out, "\nServer: %s, user \"%s\"%s", db_server_text(a, r->server),
                str_printable(a, str_of(r->server->user), false),
                r->server->in_recovery ? ", a standby" : "");
    if (r->identity.environment) {
        buf_addz(out, "\nIdentity: ");
        report_identity_line(out, t, &r->identity);
    }
    buf_addc(out, '\n');
    buf_fmt(out, "%s\n", report_migrations_found(a, h));
    buf_fmt(out, "%d applied, %d pending", h->applied, h->pending);
    if (h->failed)
        buf_fmt(out, ", %d failed", h->failed);
    if (h->resumable)
        buf_fmt(out, ", %d interrupted", h->resumable);
    if (h->last_applied_us > HISTORY_SOMETIME)
        buf_fmt(out, "; last applied at %s", clock_iso(a, h->last_applied_us));
    buf_addc(out, '\n');
    add_parts(out, t, h);
    add_runners(out, t, r);
    if (r->state == STATUS_UP_TO_DATE) {
        buf_addz(out, "\nDatabase schema is up to date!\n");
        add_line(out, t, TERM_MARK_OK, TERM_GREEN,
                 str_fmt(a, "%d migration%s applied", h->applied, str_plural(h->applied)));
    } else
        add_findings(out, t, r);
    report_changes_text(out, t, &r->changes, false);
    vec_each (const Finding, f, &r->findings.items) {
        bool matters = f->area != AREA_HISTORY || !f->object || run_finding_matters(h, f);
        if (verbose || (f->severity > SEV_NOTICE && matters))
            finding_text(out, t, f, 0);
    }
    if (!verbose)
        return;
    add_history(out, t, r);
    add_runs(out, t, r);
}

static void
names_json(JsonWriter *w, const char *key, const History *h, bool (*wanted)(const Entry *))
{
    jw_array(w, key);
    vec_each (const Entry, e, &h->entries)
        if (wanted(e))
            jw_strz(w, NULL, e->name);
    jw_end(w);
}

static bool
is_out_of_order(const Entry *e)
{
    return e->out_of_order;
}

static void
time_json(JsonWriter *w, Arena *a, const char *key, int64_t us)
{
    jw_strz(w, key, us > HISTORY_SOMETIME ? clock_iso(a, us) : NULL);
}

static void
parts_json(JsonWriter *w, const History *h)
{
    jw_array(w, "histories");
    for (size_t i = 0; i < history_parts(h); i++) {
        const History *p = history_part_of(h, i);
        jw_object(w, NULL);
        jw_strz(w, "name", p->layout->name);
        jw_strz(w, "tool", p->layout->ledger.tool);
        jw_strz(w, "folder", p->dir);
        jw_strz(w, "schema", p->ledger.schema);
        jw_strz(w, "table", p->ledger.table);
        jw_bool(w, "exists", p->has_ledger);
        jw_int(w, "migrations", (int64_t)p->files.n);
        jw_int(w, "applied", count_of(h, i, is_applied));
        jw_int(w, "pending", count_of(h, i, is_pending));
        jw_int(w, "failed", count_of(h, i, is_failed));
        jw_int(w, "resumable", count_of(h, i, is_resumable));
        jw_end(w);
    }
    jw_end(w);
}

void
report_status_json(JsonWriter *w, const StatusResult *r, const DriftResult *drift, int exit_status)
{
    Arena *a = w->out.arena;
    const History *h = &r->history;
    jw_object(w, NULL);
    jw_strz(w, "command", "status");
    jw_bool(w, "ok", true);
    jw_strz(w, "state", status_name(r->state));
    jw_int(w, "exitStatus", exit_status);
    jw_strz(w, "environment", r->config->env_name);
    report_target_json(w, &r->target);
    report_server_json(w, r->server);
    report_identity_member(w, &r->identity);
    jw_strz(w, "refused", r->wrong);
    jw_bool(w, "historyExists", r->ledger_exists);
    jw_int(w, "migrations", (int64_t)h->files.n);
    time_json(w, a, "lastAppliedAt", h->last_applied_us);
    names_json(w, "applied", h, is_applied);
    names_json(w, "pending", h, is_pending);
    names_json(w, "failed", h, is_failed);
    names_json(w, "resumable", h, is_resumable);
    names_json(w, "edited", h, is_edited);
    names_json(w, "missing", h, is_missing);
    names_json(w, "outOfOrder", h, is_out_of_order);
    jw_array(w, "runners");
    vec_each (const LockHolder, l, &r->runners) {
        jw_object(w, NULL);
        jw_int(w, "pid", l->pid);
        jw_strz(w, "who", l->who);
        jw_strz(w, "since", l->since);
        jw_end(w);
    }
    jw_end(w);
    report_changes_member(w, "changes", &r->changes);
    jw_array(w, "otherHistories");
    vec_each (const KnownTable, k, &r->others) {
        jw_object(w, NULL);
        jw_strz(w, "tool", k->as->tool);
        jw_strz(w, "schema", k->schema);
        jw_strz(w, "table", k->table);
        jw_end(w);
    }
    jw_end(w);
    jw_array(w, "history");
    vec_each (const LedgerRow, row, &h->rows) {
        jw_object(w, NULL);
        jw_strz(w, "name", row->name);
        jw_strz(w, "checksum", row->checksum);
        time_json(w, a, "startedAt", row->started_us);
        time_json(w, a, "finishedAt", row->finished_us);
        time_json(w, a, "rolledBackAt", row->rolled_back_us);
        jw_int(w, "steps", row->steps);
        jw_strz(w, "logs", row->logs[0] ? row->logs : NULL);
        const RunShown *run = run_of(r, row->name);
        jw_strz(w, "run", run ? run->run_id : NULL);
        jw_strz(w, "of", history_part_of(h, row->part)->layout->name);
        jw_end(w);
    }
    jw_end(w);
    parts_json(w, h);
    jw_array(w, "runs");
    vec_each (const RunShown, run, &r->runs) {
        jw_object(w, NULL);
        jw_strz(w, "run", run->run_id);
        jw_strz(w, "verb", run->verb);
        jw_strz(w, "environment", run->environment);
        jw_strz(w, "by", run->os_user);
        jw_strz(w, "databaseUser", run->db_user);
        jw_strz(w, "startedAt", run->started_at);
        jw_strz(w, "finishedAt", run->finished_at);
        jw_strz(w, "outcome", run->outcome);
        jw_strz(w, "backup", run->backup_id);
        jw_strz(w, "toolVersion", run->tool_version);
        jw_strz(w, "log", run->log);
        jw_end(w);
    }
    jw_end(w);
    findings_json(w, "findings", &r->findings);
    if (drift)
        report_drift_member(w, "drift", drift);
    else
        jw_null(w, "drift");
    jw_end(w);
}
