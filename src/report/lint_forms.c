/* What lint found, as other programs take it: SARIF, GitLab's code quality, a comment in Markdown. */
#include "report/lint.h"

#include "base/hash.h"

#include <string.h>

/* ---- SARIF --------------------------------------------------------------------------------------- */

static const char *
sarif_level(Severity severity)
{
    return severity == SEV_ERROR ? "error" : severity == SEV_WARNING ? "warning" : "note";
}

static void
sarif_text(JsonWriter *w, const char *key, const char *text)
{
    jw_object(w, key);
    jw_strz(w, "text", text);
    jw_end(w);
}

static void
sarif_rules(JsonWriter *w)
{
    jw_object(w, "tool");
    jw_object(w, "driver");
    jw_strz(w, "name", "aramid");
    jw_strz(w, "version", ARAMID_VERSION);
    jw_array(w, "rules");
    for (int i = 0; i < FINDING_COUNT; i++) {
        const FindingInfo *info = finding_info((FindingId)i);
        if (info->area != AREA_LINT)
            continue;
        jw_object(w, NULL);
        jw_strz(w, "id", info->name);
        sarif_text(w, "shortDescription", info->meaning);
        sarif_text(w, "help", info->help);
        jw_object(w, "defaultConfiguration");
        jw_strz(w, "level", sarif_level(info->severity));
        jw_end(w);
        jw_end(w);
    }
    jw_end(w);
    jw_end(w);
    jw_end(w);
}

static void
sarif_place(JsonWriter *w, const Finding *f)
{
    jw_array(w, "locations");
    jw_object(w, NULL);
    jw_object(w, "physicalLocation");
    jw_object(w, "artifactLocation");
    jw_strz(w, "uri", f->path);
    jw_end(w);
    jw_object(w, "region");
    jw_int(w, "startLine", f->line);
    jw_int(w, "startColumn", f->column);
    jw_end(w);
    jw_end(w);
    jw_end(w);
    jw_end(w);
}

void
report_lint_sarif(JsonWriter *w, const LintResult *r)
{
    jw_object(w, NULL);
    jw_strz(w, "$schema", "https://json.schemastore.org/sarif-2.1.0.json");
    jw_strz(w, "version", "2.1.0");
    jw_array(w, "runs");
    jw_object(w, NULL);
    sarif_rules(w);
    jw_array(w, "results");
    vec_each (const Finding, f, &r->findings.items) {
        jw_object(w, NULL);
        jw_strz(w, "ruleId", finding_info(f->id)->name);
        jw_strz(w, "level", sarif_level(f->severity));
        sarif_text(w, "message", f->text);
        sarif_place(w, f);
        jw_end(w);
    }
    jw_end(w);
    jw_end(w);
    jw_end(w);
    jw_end(w);
}

/* ---- GitLab -------------------------------------------------------------------------------------- */

/* The statement of a finding, or nothing where it is about none. */
static Str
statement(const Finding *f)
{
    return f->source ? str_slice(f->source->text, f->off, f->off + f->len) : STR("");
}

/* The same for the same statement wherever it stands in its file: what is known stays known when lines move. */
static const char *
fingerprint(Arena *a, const Finding *f)
{
    Str text = statement(f);
    return hash_sha256_hex(a, str_of(str_fmt(a, "%s\n%s\n" STR_FMT, finding_info(f->id)->name,
                                             f->path ? f->path : "", STR_ARG(text))));
}

void
report_lint_gitlab(JsonWriter *w, const LintResult *r)
{
    static const char *const severities[SEV_COUNT] = {"info", "info", "major", "critical"};
    jw_array(w, NULL);
    vec_each (const Finding, f, &r->findings.items) {
        ARENA_LOCAL(scratch);
        jw_object(w, NULL);
        jw_strz(w, "description", f->text);
        jw_strz(w, "check_name", finding_info(f->id)->name);
        jw_strz(w, "fingerprint", fingerprint(scratch, f));
        jw_strz(w, "severity", severities[f->severity]);
        jw_object(w, "location");
        jw_strz(w, "path", f->path ? f->path : "");
        jw_object(w, "lines");
        jw_int(w, "begin", f->line ? f->line : 1);
        jw_end(w);
        jw_end(w);
        jw_end(w);
    }
    jw_end(w);
}

/* ---- Markdown ------------------------------------------------------------------------------------ */

/* Text of a file or a database inside of a table's cell: nothing in it is markup. */
void
report_markdown_text(Buf *b, const char *text)
{
    static const char special[] = "\\`*_{}[]<>()#+!|~&@";
    for (const char *p = str_printable(b->arena, str_of(text), false); *p; p++) {
        if (strchr(special, *p))
            buf_fmt(b, "&#%d;", (unsigned char)*p);
        else
            buf_addc(b, *p);
    }
}

static void
add_row(Buf *b, const Finding *f)
{
    static const char *const marks[SEV_COUNT] = {"", "ℹ️", "⚠️", "❌"};
    buf_fmt(b, "| %s | ", marks[f->severity]);
    report_markdown_text(b, f->path ? f->path : "");
    if (f->line)
        buf_fmt(b, ":%d", f->line);
    buf_addz(b, " | ");
    report_markdown_text(b, f->text);
    if (f->note) {
        buf_addz(b, "<br>");
        report_markdown_text(b, f->note);
    }
    buf_fmt(b, "<br>`%s` | ", finding_info(f->id)->name);
    if (f->fix) {
        buf_addz(b, "<code>");
        report_markdown_text(b, f->fix);
        buf_addz(b, "</code>");
    }
    buf_addz(b, " |\n");
}

static bool
is_strong(const LintEffect *e)
{
    return e->mode >= SQL_LOCK_SHARE || e->scans || e->builds || e->rewrites;
}

static void
add_effect(Buf *b, const LintedStatement *s, const LintEffect *e)
{
    buf_addz(b, "| ");
    report_markdown_text(b, s->migration->path);
    buf_fmt(b, ":%d | %s | ", s->stmt.line, s->stmt.tag);
    report_markdown_text(b, str_fmt(b->arena, "%s.%s", e->schema, e->name));
    buf_fmt(b, " | %s |%s%s%s |\n", sql_lock_mode_name(e->mode), e->scans ? " reads all rows" : "",
            e->builds ? " builds an index" : "", e->rewrites ? " writes all rows anew" : "");
}

/* What was locked, folded: a person opens it who wants to know. */
static void
add_effects(Buf *b, const LintResult *r)
{
    enum { MOST = 100 };
    size_t n = 0;
    vec_each (const LintedStatement, s, &r->statements)
        vec_each (const LintEffect, e, &s->effects) {
            if (!is_strong(e) || n++ >= MOST)
                continue;
            if (n == 1)
                buf_addz(
                    b, "\n<details><summary>Locks on tables that are there</summary>\n\n"
                       "| place | statement | table | lock | under it |\n|---|---|---|---|---|\n");
            add_effect(b, s, e);
        }
    if (n > MOST)
        buf_fmt(b, "\nand %zu more\n", n - MOST);
    if (n)
        buf_addz(b, "\n</details>\n");
}

void
report_lint_markdown(Buf *out, const LintResult *r)
{
    Arena *a = out->arena;
    size_t errors = r->findings.counts[SEV_ERROR], warnings = r->findings.counts[SEV_WARNING];
    buf_fmt(out, "<!-- aramid lint -->\n### Migrations: %s\n\n",
            !errors && !warnings ? "nothing that hurts"
            : !errors            ? str_count(a, (int64_t)warnings, "warning")
            : !warnings          ? str_count(a, (int64_t)errors, "error")
                                 : str_fmt(a, "%s, %s", str_count(a, (int64_t)errors, "error"),
                                           str_count(a, (int64_t)warnings, "warning")));
    buf_fmt(out, "%s in %s", str_count(a, (int64_t)r->statements.n, "statement"),
            str_count(a, (int64_t)r->migrations, "migration"));
    if (r->stats_from) {
        buf_addz(out, "; sizes of tables: ");
        report_markdown_text(out, r->stats_from);
    }
    buf_addz(out, "\n");
    if (errors || warnings)
        buf_addz(out, "\n| | where | what | instead |\n|---|---|---|---|\n");
    for (Severity severity = SEV_ERROR; severity > SEV_NOTICE; severity--)
        vec_each (const Finding, f, &r->findings.items)
            if (f->severity == severity)
                add_row(out, f);
    add_effects(out, r);
}
