/* aramid seed: which files were run, and the command. */
#include "report/seed.h"

#include "base/clock.h"
#include "report/error.h"
#include "report/finding.h"
#include "report/identity.h"
#include "report/migrations.h"
#include "report/scripts.h"

static bool
has_nothing(const SeedResult *r)
{
    return !r->command && !r->scripts.history.files.n;
}

static void
add_help(Buf *out)
{
    buf_addz(out,
             "There is nothing to seed with.\n\n"
             "SQL files: seed.sql beside the schema, or in aramid.yaml\n\n"
             "    seed_files: [seeds/*.sql]\n\n"
             "A command: in prisma.config.ts (migrations: { seed: \"tsx prisma/seed.ts\" }), in "
             "package.json (\"prisma\": {\"seed\": ...}), or in aramid.yaml\n\n"
             "    seed: tsx prisma/seed.ts\n");
}

void
report_seed_plan(Buf *out, const Term *t, const SeedResult *r)
{
    Arena *a = out->arena;
    if (has_nothing(r)) {
        add_help(out);
        return;
    }
    report_scripts_plan(out, t, &r->scripts);
    vec_each (const Entry, e, &r->scripts.history.entries)
        if (e->state == ENTRY_APPLIED)
            buf_fmt(out, "%s was run with this text before (--again runs it again)\n",
                    str_printable(a, str_of(e->name), false));
    if (r->command)
        buf_fmt(out, "Command: %s (%s)\n", str_printable(a, str_of(r->command), false),
                str_printable(a, str_of(r->origin), false));
    buf_addz(out, "\nNothing was changed. To do it: aramid seed\n");
}

static const RunDone *
done_of(const SeedResult *r, const Entry *e)
{
    vec_each (const RunDone, d, &r->scripts.run.applied)
        if (strcmp(d->name, e->name) == 0)
            return d;
    return NULL;
}

void
report_seed_text(Buf *out, const Term *t, const SeedResult *r, const char *log_dir)
{
    Arena *a = out->arena;
    if (has_nothing(r)) {
        add_help(out);
        return;
    }
    vec_each (const Entry, e, &r->scripts.history.entries) {
        const RunDone *d = done_of(r, e);
        buf_addz(out, "  ");
        term_text(out, t, TERM_PLAIN, str_of(e->name));
        term_add(out, t, TERM_DIM,
                 d ? str_fmt(a, "  %s\n", clock_duration(a, d->ms))
                   : "  was run with this text before (--again runs it again)\n");
    }
    if (r->scripts.history.entries.n)
        buf_addc(out, '\n');
    term_add(out, t, TERM_GREEN, term_mark(t, TERM_MARK_OK));
    buf_addz(out, r->command                 ? " The seed command has been executed.\n"
                  : r->scripts.run.applied.n ? " The database is seeded.\n"
                                             : " The database was seeded before.\n");
    if (r->scripts.backup_id)
        buf_fmt(out, "Backup: %s (aramid restore %s brings it back)\n", r->scripts.backup_id,
                r->scripts.backup_id);
    if (log_dir)
        term_add(out, t, TERM_DIM,
                 str_fmt(a, "Log: %s\n", str_printable(a, str_of(log_dir), false)));
}

static void
files_json(JsonWriter *w, const SeedResult *r, bool is_plan)
{
    jw_array(w, "files");
    vec_each (const Entry, e, &r->scripts.history.entries) {
        const RunDone *d = done_of(r, e);
        jw_object(w, NULL);
        jw_strz(w, "path", e->name);
        jw_strz(w, "checksum", e->file ? e->file->checksum : NULL);
        jw_strz(w, "state",
                d                           ? "run"
                : e->state == ENTRY_APPLIED ? "unchanged"
                : is_plan                   ? "pending"
                                            : "not-run");
        if (d)
            jw_int(w, "ms", d->ms);
        else
            jw_null(w, "ms");
        jw_end(w);
    }
    jw_end(w);
}

static void
command_json(JsonWriter *w, const SeedResult *r)
{
    if (!r->command) {
        jw_null(w, "seedCommand");
        return;
    }
    jw_object(w, "seedCommand");
    jw_strz(w, "line", r->command);
    jw_strz(w, "origin", r->origin);
    jw_strz(w, "folder", r->folder);
    jw_bool(w, "run", r->has_run);
    if (r->has_run)
        jw_int(w, "status", r->status);
    else
        jw_null(w, "status");
    jw_int(w, "ms", r->ms);
    jw_end(w);
}

void
report_seed_json(JsonWriter *w, const SeedResult *r, const Err *err, const char *log_dir,
                 bool is_plan)
{
    const ScriptsResult *s = &r->scripts;
    report_scripts_begin(w, "seed", s, err, is_plan);
    files_json(w, r, is_plan);
    command_json(w, r);
    report_losses_json(w, &s->losses);
    findings_json(w, "findings", is_plan ? &s->plan.findings : s->findings);
    jw_strz(w, "backup", s->backup_id);
    jw_int(w, "retries", s->run.retries);
    jw_int(w, "ms", s->run.ms + r->ms);
    jw_strz(w, "log", log_dir);
    if (err)
        error_json(w, "error", err);
    else
        jw_null(w, "error");
    jw_end(w);
}
