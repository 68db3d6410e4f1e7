/* aramid lint: as text and JSON. */
#include "report/lint.h"

#include <string.h>

/* The places where else a rule holds in a file. */
static const char *
also(Arena *a, const FindingList *all, size_t first)
{
    enum { SHOWN = 8 };
    const Finding *f = &all->items.v[first];
    size_t n = 0;
    Buf b;
    buf_init(&b, a);
    for (size_t i = first + 1; i < all->items.n; i++) {
        const Finding *g = &all->items.v[i];
        if (g->id != f->id || strcmp(g->path, f->path) != 0)
            continue;
        if (n++ < SHOWN)
            buf_fmt(&b, "%s%d", b.n ? ", " : "", g->line);
    }
    if (!n)
        return NULL;
    if (n > SHOWN)
        buf_fmt(&b, " and %zu more", n - SHOWN);
    return str_fmt(a, "the same in line%s %s", n == 1 ? "" : "s", b.p);
}

static bool
is_first(const FindingList *all, size_t at)
{
    const Finding *f = &all->items.v[at];
    for (size_t i = at; i-- > 0 && strcmp(all->items.v[i].path, f->path) == 0;)
        if (all->items.v[i].id == f->id)
            return false;
    return true;
}

/* One of a rule for each file. */
static void
told_of(FindingList *told, const LintResult *r, Arena *a, bool all)
{
    findings_init(told, a, NULL);
    for (size_t i = 0; i < r->findings.items.n; i++) {
        Finding f = r->findings.items.v[i];
        if ((!all && f.severity <= SEV_NOTICE) || !is_first(&r->findings, i))
            continue;
        if (!f.note)
            f.note = also(a, &r->findings, i);
        finding_keep(told, &f);
    }
}

void
report_lint_text(Buf *out, const Term *t, const LintResult *r, bool all)
{
    Arena *a = out->arena;
    FindingList told;
    told_of(&told, r, a, all);
    findings_text(out, t, &told);
    size_t hidden = all ? 0 : r->findings.counts[SEV_NOTICE];
    if (told.items.n)
        buf_addc(out, '\n');
    bool is_fine = !r->findings.counts[SEV_ERROR] && !r->findings.counts[SEV_WARNING];
    term_add(out, t, is_fine ? TERM_GREEN : TERM_YELLOW,
             term_mark(t, is_fine ? TERM_MARK_OK : TERM_MARK_WARN));
    buf_fmt(out, " %s in %s: %s", str_count(a, (int64_t)r->statements.n, "statement"),
            str_count(a, (int64_t)r->migrations, "migration"),
            is_fine ? "nothing that hurts" : findings_counted(a, &told));
    if (hidden)
        buf_fmt(out, "; %s with --all", str_count(a, (int64_t)hidden, "notice"));
    buf_addc(out, '\n');
    if (r->known)
        buf_fmt(out, "  %s %s: %s\n", str_count(a, (int64_t)r->known, "finding"),
                r->known == 1 ? "is known" : "are known",
                str_printable(a, str_of(r->baseline), false));
    if (!r->stats_from)
        return;
    buf_fmt(out, "  %ssizes of tables: ",
            r->only_pending ? "migrations that were applied are only followed; " : "");
    term_text(out, t, TERM_PLAIN, str_of(r->stats_from));
    buf_addc(out, '\n');
}

static void
effects_json(JsonWriter *w, const LintEffects *effects)
{
    jw_array(w, "effects");
    vec_each (const LintEffect, e, effects) {
        jw_object(w, NULL);
        jw_strz(w, "schema", e->schema);
        jw_strz(w, "table", e->name);
        jw_strz(w, "lock", sql_lock_mode_name(e->mode));
        jw_bool(w, "scans", e->scans);
        jw_bool(w, "builds", e->builds);
        jw_bool(w, "rewrites", e->rewrites);
        jw_end(w);
    }
    jw_end(w);
}

void
report_lint_json(JsonWriter *w, const LintResult *r)
{
    jw_object(w, NULL);
    jw_strz(w, "command", "lint");
    jw_bool(w, "ok", !r->findings.counts[SEV_ERROR]);
    jw_int(w, "migrations", (int64_t)r->migrations);
    jw_bool(w, "onlyPending", r->only_pending);
    jw_strz(w, "sizesFrom", r->stats_from);
    jw_strz(w, "baseline", r->baseline);
    jw_int(w, "known", (int64_t)r->known);
    jw_array(w, "statements");
    vec_each (const LintedStatement, s, &r->statements) {
        jw_object(w, NULL);
        jw_strz(w, "migration", s->migration->name);
        jw_strz(w, "path", s->migration->path);
        jw_int(w, "line", s->stmt.line);
        jw_int(w, "column", s->stmt.column);
        jw_int(w, "offset", (int64_t)s->stmt.off);
        jw_int(w, "length", (int64_t)s->stmt.len);
        jw_strz(w, "tag", s->stmt.tag);
        jw_bool(w, "opaque", s->stmt.opaque);
        effects_json(w, &s->effects);
        jw_end(w);
    }
    jw_end(w);
    findings_json(w, "findings", &r->findings);
    jw_end(w);
}

/* ---- statistics ---------------------------------------------------------------------------------- */

void
report_stats_text(Buf *out, const Term *t, const StatsResult *r)
{
    term_add(out, t, TERM_GREEN, term_mark(t, TERM_MARK_OK));
    buf_addc(out, ' ');
    term_text(out, t, TERM_BOLD, str_of(r->path));
    buf_fmt(out, ": sizes of %s, no rows and no values\n",
            str_count(out->arena, (int64_t)r->stats.tables.n, "table"));
    buf_addz(out,
             "  `aramid lint` reads it where it has no database to ask: commit it, and write it "
             "anew now and then\n");
}

void
report_stats_json(JsonWriter *w, const StatsResult *r)
{
    jw_object(w, NULL);
    jw_strz(w, "command", "stats save");
    jw_bool(w, "ok", true);
    jw_strz(w, "path", r->path);
    jw_int(w, "tables", (int64_t)r->stats.tables.n);
    jw_int(w, "applied", (int64_t)r->stats.applied.n);
    jw_end(w);
}
