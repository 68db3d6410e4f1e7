/* What was restored and compared. */
#include "report/restore.h"

#include "base/clock.h"
#include "base/fs.h"
#include "report/finding.h"
#include "report/migrations.h"

#include <inttypes.h>

static const char *
plain(Buf *b, const char *text)
{
    return str_printable(b->arena, str_of(text), false);
}

static void
line(Buf *out, const Term *t, TermMark mark, TermStyle style, const char *text)
{
    term_add(out, t, style, term_mark(t, mark));
    buf_fmt(out, " %s\n", text);
}

static const char *
size_text(Arena *a, int64_t bytes)
{
    static const char *const units[] = {"bytes", "kB", "MB", "GB", "TB"};
    double n = (double)bytes;
    size_t u = 0;
    while (n >= 1000 && u < 4) {
        n /= 1000;
        u++;
    }
    return u ? str_fmt(a, "%.1f %s", n, units[u]) : str_fmt(a, "%" PRId64 " bytes", bytes);
}

static void
add_backup(Buf *out, const RestoreReport *r)
{
    const RestoreSurvey *s = &r->survey;
    Arena *a = out->arena;
    buf_fmt(out, "Backup:   %s (%s)\n", plain(out, fs_below(r->config->project_dir, r->path)),
            size_text(a, s->file_bytes));
    if (r->manifest)
        buf_fmt(out, "          of %s, database \"%s\" at %s\n",
                clock_iso(a, r->manifest->started_us), plain(out, r->manifest->database),
                plain(out, r->manifest->host));
    buf_fmt(out, "          %zu table%s, %" PRId64 " row%s", s->tables.n, str_plural(s->tables.n),
            s->totals.rows, str_plural(s->totals.rows));
    if (s->totals.large_objects)
        buf_fmt(out, ", %" PRId64 " large object%s", s->totals.large_objects,
                str_plural(s->totals.large_objects));
    if (s->server)
        buf_fmt(out, ", from PostgreSQL %s", plain(out, s->server));
    buf_addc(out, '\n');
}

/* The tables whose rows are wanted. */
static void
add_only(Buf *out, const RestoreReport *r)
{
    const RestoreChoice *only = &r->only;
    vec_each (const char *, name, &only->tables) {
        bool is_added = false;
        vec_each (const char *, added, &only->added)
            is_added |= strcmp(*added, *name) == 0;
        buf_fmt(out, "%s%s%s\n", name == only->tables.v ? "Rows of:  " : "          ",
                plain(out, *name), is_added ? ", which a foreign key of the others needs" : "");
    }
}

static void
add_guests(Buf *out, const Term *t, const RestoreReport *r)
{
    if (!r->guests.n)
        return;
    line(out, t, TERM_MARK_WARN, TERM_YELLOW,
         str_fmt(out->arena, "connected to \"%s\" now (they have to go, or --force ends them):",
                 plain(out, r->database)));
    vec_each (const RestoreGuest, g, &r->guests)
        buf_fmt(out, "    process %d: user %s, %s, from %s\n", g->pid, g->user,
                g->application[0] ? g->application : "without a name", g->from);
}

void
report_restore_plan(Buf *out, const Term *t, const RestoreReport *r)
{
    add_backup(out, r);
    buf_addz(out, "Server:   ");
    report_target_text(out, t, &r->target);
    buf_addc(out, '\n');
    add_only(out, r);
    if (r->into && r->only.tables.n) {
        buf_fmt(out, "Restores: into these tables of database \"%s\", which must be empty\n",
                plain(out, r->database));
    } else if (r->into) {
        buf_fmt(out, "Restores: into the empty database \"%s\"\n", plain(out, r->database));
    } else if (r->replaces) {
        buf_fmt(out, "Replaces: database \"%s\"", plain(out, r->database));
        if (r->old_bytes >= 0)
            buf_fmt(out, " (%s)", size_text(out->arena, r->old_bytes));
        buf_fmt(out, ", which is kept as \"%s\" or a later date\n", plain(out, r->old_name));
        buf_addz(out,
                 "          All that was written to it since the backup is missing afterwards.\n");
    } else if (r->target.absent) {
        buf_addz(out, "Makes:    the server, and a database on it\n");
    } else {
        buf_fmt(out, "Makes:    database \"%s\"\n", plain(out, r->database));
        if (r->exists)
            buf_fmt(out, "Leaves:   database \"%s\" as it is\n",
                    plain(out, r->target.url.database ? r->target.url.database : "postgres"));
    }
    add_guests(out, t, r);
    findings_text(out, t, &r->findings);
}

static void
add_history(Buf *out, const Term *t, const RestoreReport *r)
{
    const History *h = &r->history;
    if (!r->has_history)
        return;
    if (!h->pending && !h->failed && !h->resumable && !h->missing) {
        line(out, t, TERM_MARK_OK, TERM_GREEN, "its history has all migrations of this project");
        return;
    }
    if (h->pending) {
        line(out, t, TERM_MARK_ARROW, TERM_CYAN,
             str_fmt(out->arena, "%d migration%s newer than the backup %s pending:",
                     (int)h->pending, str_plural(h->pending), h->pending == 1 ? "is" : "are"));
        vec_each (const Entry, e, &h->entries)
            if (e->state == ENTRY_PENDING && e->file)
                buf_fmt(out, "    %s\n", plain(out, e->name));
    }
}

static void
add_comparison(Buf *out, const Term *t, const RestoreReport *r)
{
    size_t all = r->run.tables;
    if (r->run.compared == all)
        line(out, t, TERM_MARK_OK, TERM_GREEN,
             str_fmt(out->arena,
                     "%zu table%s, %" PRId64 " row%s: read back, the same as in the backup", all,
                     str_plural(all), r->run.rows, str_plural(r->run.rows)));
    else
        line(out, t, TERM_MARK_OK, TERM_GREEN,
             str_fmt(out->arena, "%zu of %zu tables are row by row the same as in the backup",
                     r->run.compared, all));
}

void
report_restore_text(Buf *out, const Term *t, const RestoreReport *r)
{
    Arena *a = out->arena;
    if (r->dry_run) {
        report_restore_plan(out, t, r);
        buf_addz(out, "Nothing was changed (--dry-run).\n");
        return;
    }
    add_comparison(out, t, r);
    add_history(out, t, r);
    findings_text(out, t, &r->findings);
    const char *name = plain(out, r->database);
    if (r->replaces)
        line(out, t, TERM_MARK_OK, TERM_GREEN,
             str_fmt(a, "database \"%s\" is the restored one (%s); the old one is kept as \"%s\"",
                     name, clock_duration(a, r->ms), plain(out, r->old_name)));
    else if (r->into && r->only.tables.n)
        line(out, t, TERM_MARK_OK, TERM_GREEN,
             str_fmt(a, "rows restored into %zu table%s of database \"%s\" (%s)", r->run.tables,
                     str_plural((int64_t)r->run.tables), name, clock_duration(a, r->ms)));
    else
        line(out, t, TERM_MARK_OK, TERM_GREEN,
             str_fmt(a, "restored into database \"%s\" (%s)", name, clock_duration(a, r->ms)));
    if (r->replaces)
        buf_fmt(out, "   When nobody needs it any more: DROP DATABASE \"%s\"\n",
                plain(out, r->old_name));
    if (r->has_history && r->history.pending)
        buf_fmt(out, "   To apply what is pending: aramid deploy%s\n",
                r->replaces ? "" : " --url (with the new database's name)");
}

void
report_drill_text(Buf *out, const Term *t, const RestoreReport *r)
{
    add_backup(out, r);
    add_comparison(out, t, r);
    findings_text(out, t, &r->findings);
    line(out, t, TERM_MARK_OK, TERM_GREEN,
         str_fmt(out->arena, "the backup can be restored: tried on PostgreSQL %d.%d in %s",
                 r->server->version / 10000, r->server->version % 10000,
                 clock_duration(out->arena, r->ms)));
}

static void
add_texts(JsonWriter *w, const char *key, const RestoreTexts *list)
{
    jw_array(w, key);
    vec_each (const char *, text, list)
        jw_strz(w, NULL, *text);
    jw_end(w);
}

static void
backup_json(JsonWriter *w, const RestoreReport *r)
{
    const RestoreSurvey *s = &r->survey;
    jw_object(w, "backup");
    jw_strz(w, "path", r->path);
    jw_strz(w, "id", r->manifest ? r->manifest->id : NULL);
    jw_strz(w, "format", backup_format_name(s->format));
    jw_bool(w, "encrypted", s->is_encrypted);
    jw_strz(w, "sha256", s->sha256);
    jw_int(w, "bytes", s->file_bytes);
    jw_strz(w, "server", s->server);
    jw_int(w, "tables", (int64_t)s->tables.n);
    jw_int(w, "rows", s->totals.rows);
    jw_int(w, "largeObjects", s->totals.large_objects);
    jw_end(w);
}

void
report_restore_json(JsonWriter *w, const RestoreReport *r)
{
    jw_object(w, NULL);
    jw_strz(w, "command", r->is_drill ? "backup verify" : "restore");
    jw_bool(w, "ok", r->findings.counts[SEV_ERROR] == 0);
    jw_strz(w, "result", r->dry_run ? "planned" : r->is_drill ? "tried" : "restored");
    backup_json(w, r);
    report_target_json(w, &r->target);
    jw_strz(w, "database", r->database);
    jw_strz(w, "made", r->made);
    jw_strz(w, "kept", r->replaces ? r->old_name : NULL);
    jw_bool(w, "replaces", r->replaces);
    jw_array(w, "connected");
    vec_each (const RestoreGuest, g, &r->guests) {
        jw_object(w, NULL);
        jw_int(w, "pid", g->pid);
        jw_strz(w, "user", g->user);
        jw_strz(w, "application", g->application);
        jw_strz(w, "from", g->from);
        jw_end(w);
    }
    jw_end(w);
    jw_int(w, "rows", r->run.rows);
    jw_int(w, "compared", (int64_t)r->run.compared);
    add_texts(w, "onlyTables", &r->only.tables);
    add_texts(w, "addedTables", &r->only.added);
    add_texts(w, "keptTables", &r->run.kept);
    add_texts(w, "comparedByCount", &r->run.by_count);
    add_texts(w, "notCompared", &r->run.not_compared);
    jw_array(w, "pending");
    if (r->has_history)
        vec_each (const Entry, e, &r->history.entries)
            if (e->state == ENTRY_PENDING && e->file)
                jw_strz(w, NULL, e->name);
    jw_end(w);
    findings_json_texts(w, "notes", &r->findings);
    findings_json(w, "findings", &r->findings);
    jw_int(w, "durationMs", r->ms);
    jw_end(w);
}
