/* What backup, list, verify and prune found. */
#include "report/backup.h"

#include "base/clock.h"
#include "base/fs.h"
#include "report/error.h"
#include "report/drift.h"
#include "report/finding.h"
#include "report/migrations.h"

static const char *
printable(Arena *a, const char *text)
{
    return str_printable(a, str_of(text), false);
}

/* A path below the project's folder without that. */
static const char *
shown(Arena *a, const Config *c, const char *path)
{
    return printable(a, fs_below(c->project_dir, path));
}

/* "12 tables, 3400 rows, 2 large objects" */
static const char *
contents(Arena *a, const BackupManifest *m)
{
    int64_t rows = backup_rows(m);
    const char *text = str_fmt(a, "%zu table%s, %lld row%s", m->tables.n, str_plural(m->tables.n),
                               (long long)rows, str_plural(rows));
    return m->large_objects ? str_fmt(a, "%s, %lld large object%s", text,
                                      (long long)m->large_objects, str_plural(m->large_objects))
                            : text;
}

/* "5 min", "3 h", "12 days" */
static const char *
age(Arena *a, int64_t us)
{
    int64_t minutes = us / 60000000;
    if (minutes <= -24 * 60) /* less is what two clocks may differ by */
        return str_fmt(a, "%lld days in the future", (long long)-minutes / (24 * 60));
    if (minutes < 1)
        return "just now";
    if (minutes < 120)
        return str_fmt(a, "%lld min ago", (long long)minutes);
    if (minutes < 48 * 60)
        return str_fmt(a, "%lld h ago", (long long)minutes / 60);
    return str_fmt(a, "%lld days ago", (long long)minutes / (24 * 60));
}

static void
add_field(Buf *out, const Term *t, const char *name, const char *text)
{
    term_add(out, t, TERM_DIM, str_fmt(out->arena, "  %-10s", name));
    buf_fmt(out, "%s\n", text);
}

void
report_backup_text(Buf *out, const Term *t, const BackupMade *r)
{
    Arena *a = out->arena;
    const BackupManifest *m = &r->set.manifest;
    report_line(out, t, TERM_MARK_OK, TERM_GREEN,
                str_fmt(a, "Backup %s of database \"%s\" at %s (environment \"%s\")",
                        printable(a, m->id), printable(a, m->database), printable(a, m->host),
                        printable(a, m->environment)));
    if (m->method == BACKUP_BY_COMMAND) {
        add_field(out, t, "id", printable(a, m->command_id));
        add_field(out, t, "made by",
                  str_fmt(a, "the setting backup.command, in %s", clock_duration(a, m->dump_ms)));
    } else {
        add_field(out, t, "file",
                  str_fmt(a, "%s (%s)", shown(a, r->config, backup_path(a, &r->set, &m->data)),
                          str_bytes(a, m->data.bytes)));
        add_field(out, t, "holds", contents(a, m));
        add_field(out, t, "made by",
                  str_fmt(a, "%s in %s; read back as a whole in %s", m->tool,
                          clock_duration(a, m->dump_ms), clock_duration(a, m->read_back_ms)));
    }
    if (m->recipients.n)
        add_field(out, t, "encrypted",
                  str_fmt(a, "to %zu key%s", m->recipients.n, str_plural(m->recipients.n)));
    if (m->schema.name)
        add_field(out, t, "schema", shown(a, r->config, backup_path(a, &r->set, &m->schema)));
    add_field(out, t, "manifest", shown(a, r->config, r->set.path));
    if (r->pruned.n)
        buf_fmt(out, "Removed %zu backup%s older than %lld days.\n", r->pruned.n,
                str_plural(r->pruned.n), (long long)r->config->values[CFG_BACKUP_DAYS].number);
}

/* ---- JSON of a set -------------------------------------------------------------------------- */

static void
add_file_json(JsonWriter *w, const char *key, const BackupSet *s, const BackupFile *f)
{
    if (!f->name) {
        jw_null(w, key);
        return;
    }
    jw_object(w, key);
    jw_strz(w, "path", backup_path(w->out.arena, s, f));
    jw_int(w, "bytes", f->bytes);
    jw_strz(w, "sha256", f->sha256);
    jw_end(w);
}

static void
set_members(JsonWriter *w, const BackupSet *s)
{
    const BackupManifest *m = &s->manifest;
    jw_strz(w, "id", s->id);
    jw_strz(w, "manifest", s->path);
    jw_strz(w, "broken", s->broken);
    if (!m->id) {
        jw_null(w, "made");
        return;
    }
    jw_object(w, "made");
    jw_strz(w, "started", clock_iso(w->out.arena, m->started_us));
    jw_strz(w, "finished", clock_iso(w->out.arena, m->finished_us));
    jw_int(w, "dumpMs", m->dump_ms);
    jw_int(w, "readBackMs", m->read_back_ms);
    jw_strz(w, "method", backup_method_name(m->method));
    jw_strz(w, "tool", m->tool);
    jw_strz(w, "format", backup_format_name(m->format));
    jw_strz(w, "commandId", m->command_id);
    jw_strz(w, "environment", m->environment);
    jw_strz(w, "host", m->host);
    jw_strz(w, "database", m->database);
    jw_strz(w, "server", m->server);
    jw_strz(w, "reason", m->reason);
    jw_strz(w, "run", m->run_id);
    jw_strz(w, "lastMigration", m->migration);
    jw_bool(w, "encrypted", m->recipients.n > 0);
    add_file_json(w, "data", s, &m->data);
    add_file_json(w, "schema", s, &m->schema);
    jw_int(w, "tables", (int64_t)m->tables.n);
    jw_int(w, "rows", backup_rows(m));
    jw_int(w, "largeObjects", m->large_objects);
    jw_end(w);
}

static void
add_set_json(JsonWriter *w, const char *key, const BackupSet *s)
{
    jw_object(w, key);
    set_members(w, s);
    jw_end(w);
}

static void
add_sets_json(JsonWriter *w, const char *key, const BackupSetVec *list)
{
    jw_array(w, key);
    vec_each (const BackupSet, s, list)
        add_set_json(w, NULL, s);
    jw_end(w);
}

void
report_backup_json(JsonWriter *w, const BackupMade *r)
{
    jw_object(w, NULL);
    jw_strz(w, "command", "backup");
    jw_bool(w, "ok", !r->findings || r->findings->counts[SEV_ERROR] == 0);
    report_target_json(w, &r->target);
    add_set_json(w, "backup", &r->set);
    add_sets_json(w, "removed", &r->pruned);
    findings_json(w, "findings", r->findings);
    jw_end(w);
}

/* ---- list ----------------------------------------------------------------------------------- */

static void
add_row(Buf *out, const Term *t, const BackupSet *s, int64_t now_us)
{
    Arena *a = out->arena;
    const BackupManifest *m = &s->manifest;
    buf_addz(out, "  ");
    term_add(out, t, TERM_BOLD, printable(a, s->id));
    if (m->id)
        buf_fmt(out, "  %s, %s, environment \"%s\", database \"%s\" at %s",
                age(a, now_us - m->started_us),
                m->method == BACKUP_BY_COMMAND ? printable(a, m->command_id)
                                               : str_bytes(a, s->bytes),
                printable(a, m->environment), printable(a, m->database), printable(a, m->host));
    buf_addc(out, '\n');
    if (s->broken)
        report_line(out, t, TERM_MARK_FAIL, TERM_RED,
                    str_fmt(a, "broken: %s", printable(a, s->broken)));
}

void
report_backup_list_text(Buf *out, const Term *t, const BackupFolder *f, const Config *c,
                        int64_t now_us)
{
    Arena *a = out->arena;
    const char *dir = shown(a, c, f->dir);
    if (!f->sets.n)
        buf_fmt(out, "There is no backup in %s.\n", dir);
    else
        buf_fmt(out, "%zu backup%s in %s:\n\n", f->sets.n, str_plural(f->sets.n), dir);
    vec_each (const BackupSet, s, &f->sets) {
        const BackupManifest *m = &s->manifest;
        add_row(out, t, s, now_us);
        if (m->id && m->method != BACKUP_BY_COMMAND && !s->broken)
            buf_fmt(out, "      %s, %s%s, PostgreSQL %s, %s\n", contents(a, m),
                    backup_format_name(m->format), m->recipients.n ? ", encrypted" : "",
                    printable(a, m->server), printable(a, m->reason));
    }
    findings_text(out, t, &f->findings);
    if (f->sets.n)
        buf_addz(out, "\nTo read one back: aramid backup verify ID\n");
}

void
report_backup_list_json(JsonWriter *w, const BackupFolder *f, int64_t now_us)
{
    jw_object(w, NULL);
    jw_strz(w, "command", "backup list");
    jw_bool(w, "ok", f->findings.counts[SEV_ERROR] == 0);
    jw_strz(w, "folder", f->dir);
    jw_array(w, "backups");
    vec_each (const BackupSet, s, &f->sets) {
        jw_object(w, NULL);
        set_members(w, s);
        if (s->manifest.id)
            jw_int(w, "ageSeconds", (now_us - s->manifest.started_us) / 1000000);
        else
            jw_null(w, "ageSeconds");
        jw_end(w);
    }
    jw_end(w);
    jw_array(w, "withoutManifest");
    vec_each (const Finding, stray, &f->findings.items)
        jw_strz(w, NULL, stray->path);
    jw_end(w);
    findings_json(w, "findings", &f->findings);
    jw_end(w);
}

/* ---- verify --------------------------------------------------------------------------------- */

void
report_backup_verify_text(Buf *out, const Term *t, const BackupLooks *r, const Config *c)
{
    Arena *a = out->arena;
    size_t bad = 0;
    vec_each (const BackupLook, l, &r->looks) {
        const BackupManifest *m = &l->set.manifest;
        const char *id = printable(a, l->set.id);
        bad += !l->ok;
        if (!l->ok) {
            report_line(out, t, TERM_MARK_FAIL, TERM_RED,
                        str_fmt(a, "%s is damaged: %s", id, l->why.primary));
            if (l->why.detail[0])
                buf_fmt(out, "    %s\n", l->why.detail);
        } else if (m->method == BACKUP_BY_COMMAND)
            report_line(out, t, TERM_MARK_WARN, TERM_YELLOW,
                        str_fmt(a, "%s was made by a command (%s): there is nothing here to read",
                                id, printable(a, m->command_id)));
        else if (l->deep)
            report_line(out, t, TERM_MARK_OK, TERM_GREEN,
                        str_fmt(a, "%s is good: %s, all as its manifest says", id, contents(a, m)));
        else
            report_line(out, t, TERM_MARK_OK, TERM_GREEN,
                        str_fmt(a,
                                "%s has the bytes that were written; its rows cannot be counted "
                                "without the key (--identity FILE)",
                                id));
    }
    if (!r->looks.n)
        buf_fmt(out, "There is no backup in %s.\n", shown(a, c, r->dir));
    if (bad)
        buf_fmt(out, "%zu of %zu backup%s cannot be relied on. A new one: aramid backup\n", bad,
                r->looks.n, str_plural(r->looks.n));
}

void
report_backup_verify_json(JsonWriter *w, const BackupLooks *r)
{
    bool ok = true;
    vec_each (const BackupLook, l, &r->looks)
        ok = ok && l->ok;
    jw_object(w, NULL);
    jw_strz(w, "command", "backup verify");
    jw_bool(w, "ok", ok);
    jw_strz(w, "folder", r->dir);
    jw_array(w, "backups");
    vec_each (const BackupLook, l, &r->looks) {
        jw_object(w, NULL);
        set_members(w, &l->set);
        jw_bool(w, "good", l->ok);
        jw_strz(w, "compared", !l->ok ? NULL : l->deep ? "rows" : "bytes");
        if (l->ok)
            jw_null(w, "error");
        else
            error_json(w, "error", &l->why);
        jw_end(w);
    }
    jw_end(w);
    jw_end(w);
}

/* ---- prune ---------------------------------------------------------------------------------- */

void
report_backup_prune_text(Buf *out, const Term *t, const BackupPruned *r, const Config *c)
{
    Arena *a = out->arena;
    vec_each (const BackupSet, s, &r->removed)
        report_line(out, t, TERM_MARK_ARROW, TERM_DIM,
                    str_fmt(a, "%s %s (%s)", r->dry_run ? "would remove" : "removed",
                            printable(a, s->id), str_bytes(a, s->bytes)));
    if (!r->removed.n)
        buf_fmt(out,
                "Nothing to remove: no backup in %s is older than %lld days, or it is the "
                "newest good one.\n",
                shown(a, c, r->dir), (long long)r->days);
    buf_fmt(out, "%zu backup%s kept.\n", r->kept, r->kept == 1 ? " is" : "s are");
}

void
report_backup_prune_json(JsonWriter *w, const BackupPruned *r)
{
    jw_object(w, NULL);
    jw_strz(w, "command", "backup prune");
    jw_bool(w, "ok", true);
    jw_strz(w, "folder", r->dir);
    jw_int(w, "days", r->days);
    jw_bool(w, "dryRun", r->dry_run);
    jw_int(w, "kept", (int64_t)r->kept);
    add_sets_json(w, "removed", &r->removed);
    jw_end(w);
}
