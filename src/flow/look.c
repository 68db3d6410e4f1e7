#include "flow/look.h"

#include "base/clock.h"
#include "base/fs.h"
#include "base/map.h"
#include "flow/told.h"
#include "render/render.h"

/* Tell that something was checked. since_ms: when it began. */
__attribute__((format(printf, 3, 4))) static void
look_tell(const RunSink *sink, int64_t since_ms, const char *fmt, ...)
{
    ARENA_LOCAL(a);
    va_list ap;
    va_start(ap, fmt);
    const char *text = str_printable(a, str_of(str_vfmt(a, fmt, ap)), false);
    va_end(ap);
    sink->event(sink->arg, &(RunEvent){.kind = RUN_CHECKED,
                                       .level = RUN_OK,
                                       .ms = clock_ms() - since_ms,
                                       .text = text});
}

/* ---- the schema ------------------------------------------------------------------------------ */

bool
look_at_schema(Arena *a, const Config *c, const RunSink *sink, Err *err)
{
    enum { SHOWN_MAX = 3 };
    if (!c->schema_path)
        return true;
    int64_t started = clock_ms();
    const char *path = fs_below(fs_absolute(a, "."), c->schema_path);
    PslSchema *schema;
    FindingList diags;
    findings_init(&diags, a, &c->finding_rules);
    if (!psl_load(a, path, &schema, &diags, err))
        return false;
    psl_validate(a, schema, &(PslValidateOpts){0}, &diags);
    if (!diags.counts[SEV_ERROR]) {
        if (sink)
            look_tell(sink, started, "%s is valid", path);
        return true;
    }
    err_set(err, ERR_SCHEMA, "%s has %zu error%s", path, (size_t)diags.counts[SEV_ERROR],
            str_plural((int64_t)diags.counts[SEV_ERROR]));
    int shown = 0;
    findings_sort(&diags);
    vec_each (const Finding, f, &diags.items) {
        if (f->severity != SEV_ERROR || shown++ >= SHOWN_MAX)
            continue;
        int line = f->line, column = f->column;
        const char *file = f->source ? f->source->path : f->path ? f->path : path;
        if (f->source)
            str_line_col(f->source->text, f->off, &line, &column);
        if (shown == 1)
            err_at(err, file, line, column);
        err_detail(err, "%s:%d: %s", file, line, str_printable(a, str_of(f->text), false));
    }
    err_detail(err, "nothing was changed");
    return err_hint(err, "aramid validate shows all of them");
}

/* ---- the database ---------------------------------------------------------------------------- */

static void
add_difference(Arena *a, Look *l, const Change *c, const char *part)
{
    static const char *const ops[] = {"create", "drop", "alter", "rename", "attach", "index"};
    const CatObject *o = c->from ? c->from : c->to;
    *vec_add(a, &l->differences) =
        str_fmt(a, "%s %s %s", ops[c->op], cat_ref_text(a, &o->id), part);
}

bool
look_is_more(const Change *c)
{
    if (c->op == CHANGE_DROP)
        return true;
    if (c->op != CHANGE_ALTER || c->fields.n || c->drop_key || c->add_key || !c->columns.n)
        return false;
    vec_each (const ColumnChange, k, &c->columns)
        if (k->op != COLUMN_DROP)
            return false;
    return true;
}

void
look_take(Arena *a, const Diff *d, bool all, Look *ret)
{
    vec_each (Change *, at, &d->changes) {
        const Change *c = *at;
        if (!all && look_is_more(c))
            continue;
        size_t before = ret->differences.n;
        vec_each (const ColumnChange, k, &c->columns)
            add_difference(a, ret, c,
                           str_fmt(a, "column %d %s %u", (int)k->op,
                                   cat_ref_text(a, k->from ? &k->from->id : &k->to->id),
                                   k->fields));
        vec_each (const char *, f, &c->fields)
            add_difference(a, ret, c, *f);
        if (c->drop_key || c->add_key)
            add_difference(a, ret, c, "key");
        if (ret->differences.n == before)
            add_difference(a, ret, c, "");
    }
}

/* A look that cannot be had is told once; the run goes on. */
static bool
in_vain(const RunSink *sink, const Session *s, FindingId id, const char *what, Look *l, Err *err)
{
    if (err->code == ERR_INTERRUPTED || !db_is_open(s->db))
        return false;
    l->is_in_vain = true;
    run_find(sink, id, NULL, NULL, "%s: %s", what, err->primary);
    return run_findings_pass(sink, err);
}

static const char *
counted(Arena *a, const DriftResult *r)
{
    return str_fmt(a, "%zu difference%s", r->adopt->changes.n, str_plural(r->adopt->changes.n));
}

bool
look_before(Arena *a, const FlowInput *in, const RunSink *sink, const Session *s, DeployResult *r,
            Look *ret, Err *err)
{
    const Config *c = in->config;
    const char *policy = c->values[CFG_DRIFT].text;
    if (!policy)
        policy = c->profile == PROFILE_DEVELOPMENT ? "off" : "warn";
    if (ret->is_done || ret->is_in_vain || strcmp(policy, "off") == 0 || !r->history.applied)
        return true;
    int64_t started = clock_ms();
    DriftResult d = {.config = c, .history = r->history};
    if (!flow_drift_of(a, in, s, &d, err))
        return in_vain(sink, s, FINDING_DRIFT_NOT_LOOKED,
                       "not looked for changes beside the migrations", ret, err);
    ret->is_done = true;
    ret->live = d.live;
    look_take(a, d.repair, false, ret);
    if (!d.has_drift) {
        look_tell(sink, started, "the database is what its %zu applied migration%s make%s",
                  d.migrations, str_plural((int64_t)d.migrations), d.migrations == 1 ? "s" : "");
        return true;
    }
    if (strcmp(policy, "refuse") == 0) {
        err_set(err, ERR_DRIFT, "the database was changed beside its migrations: %s",
                counted(a, &d));
        err_detail(err, "%s", str_printable(a, str_trim(render_summary(a, d.adopt)), true));
        return err_hint(err, "aramid drift shows the SQL that undoes or keeps them; the setting "
                             "\"drift\" decides what a deploy does about it");
    }
    run_find(sink, FINDING_DRIFT_FOUND, NULL, "aramid drift",
             "the database was changed beside its migrations (%s)", counted(a, &d));
    return run_findings_pass(sink, err);
}

static bool
is_among(const Look *l, const char *text)
{
    vec_each (const char *, d, &l->differences)
        if (strcmp(*d, text) == 0)
            return true;
    return false;
}

size_t
look_new(const Look *now, const Look *before)
{
    size_t n = 0;
    vec_each (const char *const, text, &now->differences)
        n += !is_among(before, *text);
    return n;
}

/* What the run did, where both looks were had, or there was nothing before. */
static void
keep_change(Arena *a, DeployResult *r, const Look *before, const Catalog *now)
{
    const Catalog *was = before->live;
    if (!was && r->was_new)
        was = flow_nothing(a, now);
    if (was)
        r->changed = flow_change(a, was, now);
}

static bool
differs(Arena *a, const RunSink *sink, const DriftResult *d, const DeployResult *r, bool is_error,
        Err *err)
{
    const char *skipped =
        r->run.skipped ? "; IF NOT EXISTS found something of that name that is another one" : "";
    if (!is_error) {
        run_find(sink, FINDING_VERIFY_DIFFERS, NULL, "aramid drift",
                 "the migrations ran, but the database is not what they make (%s)%s", counted(a, d),
                 skipped);
        return run_findings_pass(sink, err);
    }
    err_set(err, ERR_VERIFY, "the migrations ran, but the database is not what they make: %s%s",
            counted(a, d), skipped);
    err_detail(err, "%s", str_printable(a, str_trim(render_summary(a, d->adopt)), true));
    err_detail(err, "state: all migrations are applied and in the history");
    return err_hint(err, "aramid drift shows the SQL that undoes or keeps the differences; the "
                         "setting \"verify\" decides what a deploy does about them");
}

bool
look_after(Arena *a, const FlowInput *in, const RunSink *sink, const Session *s, DeployResult *r,
           const Look *before, Err *err)
{
    const Config *c = in->config;
    const char *said = c->values[CFG_VERIFY].text, *policy = said;
    if (!policy) /* an object that was there already is worth a look anywhere */
        policy = c->profile != PROFILE_DEVELOPMENT ? "error" : r->run.skipped ? "warn" : "off";
    r->verified = strcmp(policy, "off") == 0 ? "off" : "not-looked";
    if (strcmp(policy, "off") == 0 || before->is_in_vain)
        return true;
    int64_t started = clock_ms();
    DriftResult d = {.config = c, .history = r->history};
    Look now = {0};
    if (!flow_drift_of(a, in, s, &d, err))
        return in_vain(sink, s, FINDING_VERIFY_NOT_LOOKED,
                       "whether the database is what the migrations make was not looked at", &now,
                       err);
    look_take(a, d.repair, false, &now);
    keep_change(a, r, before, d.live);
    r->verified = now.differences.n ? "differs" : "same";
    if (!now.differences.n) {
        const char *made = d.migrations == 1 ? "its migration makes"
                                             : str_fmt(a, "all %zu migrations make", d.migrations);
        look_tell(sink, started, "the database is what %s%s", made,
                  d.has_drift ? ", and has more beside that" : "");
        return true;
    }
    if (before->is_done && !look_new(&now, before)) {
        look_tell(sink, started,
                  "the database is what the migrations make, but for what was so before");
        return true;
    }
    /* Without a look before, it is not known whether this run has done it. */
    bool is_ours = said || before->is_done || r->was_new;
    return differs(a, sink, &d, r, is_ours && strcmp(policy, "error") == 0, err);
}
