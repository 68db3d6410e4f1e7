/* aramid lint, and what other commands judge by it. */
#include "flow/lint.h"

#include "base/fs.h"
#include "flow/lint_baseline.h"
#include "flow/preflight.h"
#include "flow/review.h"
#include "flow/rollback.h"
#include "introspect/stats.h"

enum { MIB = 1024 * 1024 };

/* What is to be judged, and what is known of the database. */
typedef struct Job {
    const Config *config;
    const History *history;
    const char *const *names;
    size_t nnames;
    bool is_read;       /* the history says what is pending */
    const Stats *stats; /* or NULL */
    const Session *s;   /* whose rows are asked; or NULL */
} Job;

/* A script as lint reads it, in the arena. */
static bool
read_script(Arena *a, const char *name, const Source *source, LintScript *ret, Err *err)
{
    SqlScript *script = arena_new(a, SqlScript);
    SqlDirectiveVec *directives = arena_new(a, SqlDirectiveVec);
    if (!sql_split(a, source->path, source->text, script, err) ||
        !sql_directives(a, source->path, script, directives, err))
        return false;
    *ret = (LintScript){.name = name,
                        .source = source,
                        .script = script,
                        .actions = sql_classify_actions(a, script),
                        .directives = directives};
    return true;
}

static bool
check_names(const LintInput *in, const History *h, Err *err)
{
    for (size_t i = 0; i < in->nnames; i++) {
        bool found = false;
        vec_each (const Migration, m, &h->files)
            found = found || strcmp(m->name, in->names[i]) == 0;
        if (!found)
            return flow_no_such_migration(in->names[i], h, err);
    }
    return true;
}

/* Whether it is known which migrations the database has. */
static bool
knows_applied(const Job *j)
{
    return j->is_read || (j->stats && j->stats->has_applied);
}

static bool *
find_pending(Arena *a, const Job *j)
{
    const History *h = j->history;
    bool *pending = arena_array(a, bool, h->files.n);
    for (size_t i = 0; i < h->files.n; i++)
        pending[i] = j->is_read || !j->stats || !stats_has_applied(j->stats, h->files.v[i].name);
    for (size_t i = 0; j->is_read && i < h->entries.n; i++)
        if (h->entries.v[i].file && h->entries.v[i].state == ENTRY_APPLIED)
            pending[h->entries.v[i].file - h->files.v] = false;
    return pending;
}

static bool
is_chosen(const Job *j, const Migration *m, bool is_pending)
{
    for (size_t i = 0; i < j->nnames; i++)
        if (strcmp(j->names[i], m->name) == 0)
            return true;
    return !j->nnames && is_pending;
}

static bool
judge(Arena *a, Lint *lint, const Migration *m, bool is_chosen, LintResult *ret, Err *err)
{
    Source *source = arena_new(a, Source);
    LintScript one;
    source->path = m->path;
    if (!m->has_file || m->unfit)
        return true;
    if (!migration_text(a, m, &source->text, err) || !read_script(a, m->name, source, &one, err))
        return false;
    if (!is_chosen) {
        lint_follow(lint, &one);
        return true;
    }
    const LintEffects *effects = lint_script(lint, &one);
    ret->migrations++;
    for (size_t i = 0; i < one.script->stmts.n; i++) {
        LintedStatement *s = vec_add(a, &ret->statements);
        s->migration = m;
        sql_stmt(one.script, i, &s->stmt);
        s->effects = effects[i];
    }
    return true;
}

static LintOptions
options_for(const Config *c, const History *h, FindingList *findings)
{
    return (LintOptions){.schema = "public",
                         .small_rows = c->values[CFG_LINT_SMALL_ROWS].number,
                         .small_bytes = c->values[CFG_LINT_SMALL_MB].number * MIB,
                         .is_exposed = h->layout == &history_supabase || c->supabase_url,
                         .findings = findings};
}

static bool
ask_rows(Arena *a, const Job *j, const Lint *lint, LintResult *ret, Err *err)
{
    if (j->s)
        return flow_preflight(a, j->s, lint_questions(lint), &ret->findings, err) &&
               flow_preflight_standing(a, j->s, lint, &ret->findings, err);
    if (j->stats)
        flow_preflight_guess(a, j->stats, lint_questions(lint), &ret->findings);
    return true;
}

/* What is pending is one release: it runs on what is applied. Where nobody knows, each migration is one. */
static bool
judge_all(Arena *a, const Job *j, LintResult *ret, Err *err)
{
    const Config *c = j->config;
    const History *h = j->history;
    LintOptions options = options_for(c, h, &ret->findings);
    options.stats = j->stats;
    if (j->s && j->s->schema)
        options.schema = j->s->schema;
    options.asks = j->s || j->stats;
    Lint *lint = lint_new(a, &options);
    const bool *pending = find_pending(a, j);
    bool is_known = knows_applied(j);
    for (size_t i = 0; i < h->files.n; i++) {
        const Migration *m = &h->files.v[i];
        if (!i || !is_known || !pending[i] || !pending[i - 1])
            lint_release(lint);
        if (!judge(a, lint, m, is_chosen(j, m, pending[i]), ret, err))
            return false;
    }
    ret->only_pending = is_known && !j->nnames;
    return ask_rows(a, j, lint, ret, err) &&
           (!j->is_read || flow_find_unreviewed(a, c, h, &ret->findings, err));
}

/* The sizes of the session's tables, with the names of the migrations that `h` calls applied. */
static bool
read_stats(Arena *a, const Session *s, const History *h, Stats *ret, Err *err)
{
    if (!introspect_stats(a, s->db, config_ms(s->config, CFG_LOCK_TIMEOUT), ret, err))
        return false;
    ret->has_applied = true;
    vec_each (const Entry, e, &h->entries)
        if (e->state == ENTRY_APPLIED)
            *vec_add(a, &ret->applied) = str_dupz(a, e->name);
    return true;
}

/* That sizes cannot be had is told, and no error: without them everything may be large. */
static bool
stats_if_any(Arena *a, const Session *s, const History *h, LintResult *ret, Err *err)
{
    Stats *stats = arena_new(a, Stats);
    if (!s || !s->db)
        return true;
    if (!read_stats(a, s, h, stats, err)) {
        if (!db_is_open(s->db) || err->code == ERR_INTERRUPTED)
            return false;
        finding_add(&ret->findings, FINDING_LINT_NO_SIZES, "how large tables are is not known: %s",
                    err->primary);
        return true;
    }
    ret->stats = stats;
    ret->stats_from =
        str_fmt(a, "database \"%s\"", str_printable(a, str_of(db_info(s->db)->database), false));
    return true;
}

bool
flow_lint_pending(Arena *a, const Config *c, const Session *s, const History *h, LintResult *ret,
                  Err *err)
{
    if (!stats_if_any(a, s, h, ret, err))
        return false;
    const Job job = {.config = c,
                     .history = h,
                     .is_read = true,
                     .stats = ret->stats,
                     .s = s && s->db ? s : NULL};
    return judge_all(a, &job, ret, err);
}

bool
flow_lint_new(Arena *a, const Config *c, const History *h, const Catalog *before,
              const Source *text, FindingList *ret, Err *err)
{
    LintScript one;
    LintOptions options = options_for(c, h, ret);
    options.before = before;
    if (!read_script(a, text->path, text, &one, err))
        return false;
    lint_script(lint_new(a, &options), &one);
    return true;
}

void
flow_lint_safer(Arena *a, const Config *c, const History *h, const char *name, Err *err)
{
    enum { SHOWN_MAX = 3 };
    LintResult r = {0};
    Err ignored; /* then there is no advice */
    FindingRules as_they_are = {0};
    int shown = 0;
    findings_init(&r.findings, a, &as_they_are);
    const Entry *e = name ? history_find(h, name) : NULL;
    const Migration *m = e ? e->file : NULL;
    if (!m || !flow_lint_pending(a, c, NULL, h, &r, &ignored))
        return;
    for (int others = 0; others < 2 && !shown; others++)
        vec_each (const Finding, f, &r.findings.items) {
            if (!f->fix || !f->source || strcmp(f->source->path, m->path) != 0)
                continue;
            int line, column;
            str_line_col(f->source->text, f->off, &line, &column);
            if ((others || line == err->at.line) && shown++ < SHOWN_MAX)
                err_hint(err, "safer, for line %d: %s", line, f->fix);
        }
    if (!shown)
        err_hint(
            err,
            "locks are held until a migration ends: what works for long goes into one of its own");
}

/* ---- aramid lint --------------------------------------------------------------------------------- */

static bool
read_file(Arena *a, const LintInput *in, LintResult *ret, Err *err)
{
    enum { MOST = 256 * MIB };
    const char *path = in->stats ? in->stats : in->base.config->values[CFG_LINT_STATS].text;
    const char *shown = fs_below(in->base.config->project_dir, path);
    Stats *stats = arena_new(a, Stats);
    Str text;
    bool is_there = true;
    if (!(in->stats ? fs_read(a, path, MOST, &text, err)
                    : fs_read_if_there(a, path, &is_there, &text, err)))
        return err_hint(err, "to write one: aramid stats save");
    if (!is_there)
        return true;
    if (!stats_read(a, shown, text, stats, err))
        return false;
    ret->stats = stats;
    ret->stats_from = str_fmt(a, "%s of %.10s", shown, stats->taken ? stats->taken : "another day");
    return true;
}

static bool
judge_folder(Arena *a, const LintInput *in, const Session *s, LintResult *ret, Err *err)
{
    const Job job = {.config = in->base.config,
                     .history = &ret->history,
                     .names = in->names,
                     .nnames = in->nnames,
                     .is_read = in->with_database,
                     .stats = ret->stats,
                     .s = s};
    return judge_all(a, &job, ret, err);
}

static bool
judge_for_database(Arena *a, const LintInput *in, LintResult *ret, Err *err)
{
    const FlowInput *base = &in->base;
    Target target;
    JournalVec journal = {0};
    Session s;
    if (!flow_target(a, base->config, base->self_exe, FLOW_MAKES_NOTHING, &target, err))
        return false;
    if (target.absent)
        return judge_folder(a, in, NULL, ret, err);
    SessionOptions o = flow_session(base, &target, &ret->history, "lint", FLOW_READS);
    if (!session_open(a, &o, &s, err))
        return false;
    bool ok = session_read(&s, &ret->history, &journal, err) &&
              stats_if_any(a, &s, &ret->history, ret, err) && judge_folder(a, in, &s, ret, err);
    session_close(&s);
    return ok;
}

static bool
judge_for_file(Arena *a, const LintInput *in, LintResult *ret, Err *err)
{
    return read_file(a, in, ret, err) && judge_folder(a, in, NULL, ret, err);
}

static bool
use_baseline(Arena *a, const LintInput *in, LintResult *r, Err *err)
{
    const Config *c = in->base.config;
    const char *path = in->baseline ? in->baseline : c->values[CFG_LINT_BASELINE].text;
    const char *shown = fs_below(c->project_dir, path);
    bool is_there = true;
    Str text;
    if (in->writes_baseline) {
        r->baseline = shown;
        r->known = r->findings.counts[SEV_WARNING] + r->findings.counts[SEV_ERROR];
        return fs_replace(path, lint_baseline_text(a, r), err);
    }
    if (in->no_baseline)
        return true;
    if (!(in->baseline ? fs_read(a, path, 0, &text, err)
                       : fs_read_if_there(a, path, &is_there, &text, err)))
        return err_hint(err, "to write it: aramid lint --write-baseline");
    return !is_there || lint_baseline_apply(a, shown, text, r, err);
}

bool
flow_lint(Arena *a, const LintInput *in, LintResult *ret, Err *err)
{
    const Config *c = in->base.config;
    *ret = (LintResult){.config = c};
    findings_init(&ret->findings, a, &c->finding_rules);
    return flow_history(a, c, &ret->history, err) && check_names(in, &ret->history, err) &&
           (in->with_database ? judge_for_database : judge_for_file)(a, in, ret, err) &&
           use_baseline(a, in, ret, err);
}

/* ---- aramid stats save --------------------------------------------------------------------------- */

bool
flow_stats_save(Arena *a, const FlowInput *in, const char *file, StatsResult *ret, Err *err)
{
    const Config *c = in->config;
    const char *path = file ? fs_absolute(a, file) : c->values[CFG_LINT_STATS].text;
    Session s;
    JournalVec journal = {0};
    JsonWriter w;
    *ret = (StatsResult){.config = c, .path = fs_below(c->project_dir, path)};
    findings_init(&ret->findings, a, &c->finding_rules);
    if (!flow_history_if_any(a, c, &ret->history, err) ||
        !flow_target(a, c, in->self_exe, FLOW_MAKES_NOTHING, &ret->target, err))
        return false;
    if (ret->target.absent) {
        err_set(err, ERR_DB_MISSING, "the project's embedded database was not made yet");
        return err_hint(err, "of which database? aramid stats save --url URL, or --env NAME");
    }
    SessionOptions o = flow_session(in, &ret->target, &ret->history, "stats", FLOW_READS);
    if (!session_open(a, &o, &s, err))
        return false;
    bool ok = session_read(&s, &ret->history, &journal, err) &&
              read_stats(a, &s, &ret->history, &ret->stats, err);
    session_close(&s);
    if (!ok)
        return false;
    jw_init(&w, a, true);
    stats_write(&w, &ret->stats);
    buf_addc(&w.out, '\n');
    return fs_replace(path, buf_str(&w.out), err);
}
