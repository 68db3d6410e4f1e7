/* aramid create: what the migrations lack of the schema, as the next migration. */
#include "flow/create_int.h"

#include "flow/drift.h"
#include "flow/lint.h"

/* ---- what is there ---------------------------------------------------------------------------- */

static bool
is_local(const DbUrl *url)
{
    vec_each (const UrlHost, h, &url->hosts)
        if (h->host[0] != '/' && strcmp(h->host, "localhost") != 0 &&
            strcmp(h->host, "127.0.0.1") != 0 && strcmp(h->host, "::1") != 0)
            return false;
    return true;
}

/* What the history table says of the files, where asking it costs nothing: on this machine. That it cannot
 * be asked is no error. */
static void
look_at_ledger(Arena *a, const CreateInput *in, CreateResult *r)
{
    DbUrl url;
    Err ignored;
    StatusResult s;
    const ConfigValue *target = config_target(in->base.config);
    if (!r->all.files.n || !target || !target->text ||
        !url_parse(a, target->text, target->origin, &url, &ignored) || !is_local(&url) ||
        !flow_status(a, &in->base, &s, &ignored) || !s.ledger_exists)
        return;
    FindingList found;
    findings_init(&found, a, NULL);
    run_find_history(&s.history, &found);
    vec_each (const Finding, f, &found.items)
        finding_keep(&r->findings, f);
    if (s.history.pending)
        finding_add(&r->findings, FINDING_CREATE_PENDING,
                    "%s not applied to %s yet; the new one comes behind",
                    str_fmt(a, "%d migration%s %s", s.history.pending,
                            str_plural(s.history.pending), s.history.pending == 1 ? "is" : "are"),
                    s.target.shown)
            ->fix = "aramid deploy";
}

/* ---- kinds ------------------------------------------------------------------------------------ */

static const char empty_text[] = "-- This is an empty migration.";

static const char data_text[] =
    "-- Changes rows, not the schema. It also runs on new databases, where there are no rows yet: "
    "name "
    "the rows by\n"
    "-- what they are, not by their number.\n"
    "--\n"
    "-- With \"aramid:batch\" in front of it a statement runs in batches by the table's primary "
    "key "
    "(or key=COLUMN):\n"
    "-- each is committed by itself, an interrupted deploy goes on behind the last one, and others "
    "wait for a moment\n"
    "-- at most. Without that line all rows stay locked until the end. The query behind "
    "\"aramid:prove\" must give no\n"
    "-- row, or true; until then the migration is not applied. Take the first two dashes away:\n"
    "--\n"
    "-- -- aramid:batch\n"
    "-- UPDATE \"table\" SET \"column\" = ... WHERE \"column\" IS NULL;\n"
    "--\n"
    "-- -- aramid:prove\n"
    "-- SELECT * FROM \"table\" WHERE \"column\" IS NULL;\n";

/* Whether it is written: dbmate's file always has the part for it. */
static bool
has_down(Arena *a, const CreateInput *in, const History *h)
{
    const HistoryLayout *l = h->layout;
    return l->add_both || (in->down && l->new_one(a, h, "20260101000000", "x").down);
}

/* All that there is would be dropped: a schema that lost its models is a mistake. */
static bool
check_models(const DiffResult *d, const Endpoint *to, Err *err)
{
    const Catalog *made = d->sides[0].catalog, *wanted = d->sides[1].catalog;
    if (wanted->tables.n || !made->tables.n || to->kind != ENDPOINT_SCHEMA)
        return true;
    err_set(err, ERR_NO_SCHEMA, "%s has no models", to->path);
    err_detail(err, "a migration that leads there would drop %s",
               made->tables.n == 1 ? "the only table" : "all tables");
    err_at(err, to->path, 0, 0);
    return err_hint(err, "if that is meant, write it yourself: aramid create NAME --empty");
}

static bool
refuse_renamed(Arena *a, const CreateInput *in, const CreateResult *r, Err *err)
{
    const char *name = in->name ? str_shell(a, in->name) : "NAME";
    const CreateGuess *first = &r->guesses.v[0];
    err_set(err, ERR_RENAMED, "%s goes and `%s` comes: is it a rename?",
            cat_ref_text(a, &first->was), first->now.v[0]);
    err_detail(err, "dropping it loses what it holds; a rename keeps it");
    vec_each (const CreateGuess, g, &r->guesses)
        vec_each (const char *, w, &g->wishes)
            err_hint(err, "renamed: %s %s --rename %s", in->command, name, str_shell(a, *w));
    err_hint(err, "or in the schema, above it: /// @renamed(from: \"%s\")",
             first->was.sub ? first->was.sub : first->was.name);
    return err_hint(err, "dropped, with what it holds: %s %s --no-rename", in->command, name);
}

/* What cannot come back. */
static Str
way_back(Arena *a, const DiffResult *d)
{
    Buf b;
    buf_init(&b, a);
    FindingList lost;
    findings_init(&lost, a, NULL);
    render_findings(a, d->diff, &lost);
    vec_each (const Finding, f, &lost.items)
        if (f->id == FINDING_DIFF_DROP_TABLE || f->id == FINDING_DIFF_DROP_COLUMN ||
            f->id == FINDING_DIFF_RECREATE_COLUMN || f->id == FINDING_DIFF_RISKY_CAST)
            buf_fmt(
                &b,
                "-- lossy: the way there drops or changes what %s holds; this brings back its form "
                "only\n",
                str_printable(a, str_of(f->object), false));
    FindingList gone;
    findings_init(&gone, a, NULL);
    render_findings(a, d->back, &gone);
    vec_each (const Finding, f, &gone.items)
        if (f->id == FINDING_DIFF_DROP_TABLE || f->id == FINDING_DIFF_DROP_COLUMN ||
            f->id == FINDING_DIFF_RISKY_CAST)
            buf_fmt(&b, "-- lossy: %s: what was written there since is lost\n",
                    str_printable(a, str_of(f->object), false));
    buf_add(&b, d->back_script);
    return buf_str(&b);
}

static bool
make_changes(Arena *a, const CreateInput *in, CreateResult *r, Err *err)
{
    DiffResult *d = arena_new(a, DiffResult);
    bool is_first = !r->all.files.n;
    DiffInput di = {.sides = {.base = in->base,
                              .from = {.kind = is_first ? ENDPOINT_EMPTY : ENDPOINT_MIGRATIONS,
                                       .path = r->all.dir,
                                       .history = &r->all}},
                    .renames = in->renames,
                    .nrenames = in->nrenames,
                    .prisma_compat = in->prisma_compat,
                    .written_first = true,
                    .new_database = is_first,
                    .with_way_back = has_down(a, in, &r->history)};
    if (!create_target(a, in, &r->history, &di.sides.to, err))
        return false;
    r->from = di.sides.to.path;
    bool ok = flow_diff(a, &di, d, err);
    r->diags = d->diags;
    if (!ok || !check_models(d, &di.sides.to, err))
        return false;
    r->diff = d;
    r->before = d->sides[0].catalog;
    vec_each (const Finding, f, &d->findings.items)
        finding_keep(&r->findings, f);
    r->is_same = !d->diff->changes.n;
    if (r->is_same && !in->empty_too)
        return true;
    create_guess(a, in, r, d->diff);
    if (r->guesses.n)
        return in->base.can_ask || refuse_renamed(a, in, r, err);
    if (!flow_diff_can_run(a, d->diff, err))
        return false;
    Buf b;
    buf_init(&b, a);
    buf_add(&b, render_warnings(a, d->diff, r->history.layout != &history_prisma));
    buf_add(&b, d->script);
    if (in->rls)
        buf_add(&b, create_rls(a, d->diff, d->schema));
    r->sql = buf_str(&b);
    if (d->back)
        r->down = way_back(a, d);
    return true;
}

/* What somebody did to the database by hand, as the migration that would have done it. */
static bool
make_drift(Arena *a, const CreateInput *in, CreateResult *r, Err *err)
{
    DriftResult *d = arena_new(a, DriftResult);
    if (!flow_drift(a, &in->base, d, err))
        return false;
    if (d->target.absent) {
        err_set(err, ERR_DB_MISSING, "there is no database that could have been changed by hand");
        return err_hint(err, "name it: --url URL or --env NAME");
    }
    if (d->history.pending || d->history.failed || d->history.resumable) {
        err_set(err, ERR_DIVERGED, "not all migrations are applied to %s", d->target.shown);
        err_detail(err, "what was done by hand can only be told from them once they are");
        return err_hint(err, "aramid deploy, then the same again");
    }
    r->from = d->target.shown;
    r->is_same = !d->has_drift;
    r->before = d->replay.catalog;
    vec_each (const Finding, f, &d->findings.items)
        finding_keep(&r->findings, f);
    if (r->is_same)
        return true;
    render_findings(a, d->adopt, &r->findings);
    r->sql = render_script(a, d->adopt, NULL);
    if (has_down(a, in, &r->history))
        r->down = render_script(a, d->repair, NULL);
    return true;
}

static bool
make(Arena *a, const CreateInput *in, CreateResult *r, Err *err)
{
    switch (in->kind) {
    case CREATE_EMPTY:
        r->sql = str_of(empty_text);
        return true;
    case CREATE_DATA:
        r->sql = str_of(data_text);
        return true;
    case CREATE_DRIFT:
        return make_drift(a, in, r, err);
    case CREATE_CHANGES:
        break;
    }
    return make_changes(a, in, r, err);
}

static bool
check_layout(const CreateInput *in, const History *h, Err *err)
{
    const HistoryLayout *l = h->layout;
    if (history_is_drizzle(l))
        return true;
    if (!l->new_one) {
        err_set(err, ERR_USAGE, "migrations of %s are made by the tool itself", l->ledger.tool);
        return err_hint(err, "make it with that tool%s%s, then: aramid deploy",
                        l->new_command ? ": " : "", l->new_command ? l->new_command : "");
    }
    ARENA_LOCAL(a);
    if (!in->needs_down || has_down(a, in, h))
        return true;
    err_set(err, ERR_USAGE, "a migration of %s is one file, and has no place for the way back",
            l->ledger.tool);
    return err_hint(err, "leave --down away");
}

/* What the new migration locks and breaks; what it loses the comparison has told already. */
static bool
judge(Arena *a, const CreateInput *in, CreateResult *r, Err *err)
{
    static const FindingId told[] = {FINDING_LINT_DROP_COLUMN, FINDING_LINT_DROP_TABLE,
                                     FINDING_LINT_ADD_COLUMN_REQUIRED};
    FindingList found;
    bool is_written = r->kind == CREATE_CHANGES || r->kind == CREATE_DRIFT;
    if (!is_written || !r->files.n)
        return true;
    Source *text = arena_new(a, Source);
    *text = (Source){r->files.v[0].shown, r->files.v[0].text};
    findings_init(&found, a, NULL);
    if (!flow_lint_new(a, in->base.config, &r->all, r->before, text, &found, err))
        return false;
    vec_each (const Finding, f, &found.items) {
        bool is_told = f->severity <= SEV_NOTICE;
        for (size_t i = 0; i < COUNT(told); i++)
            is_told = is_told || f->id == told[i];
        if (!is_told)
            finding_keep(&r->findings, f);
    }
    return true;
}

bool
flow_create_named(Arena *a, const CreateInput *in, Err *err)
{
    const char *slug;
    return create_name(a, in, &slug, err);
}

bool
flow_create(Arena *a, const CreateInput *in, CreateResult *ret, Err *err)
{
    *ret = (CreateResult){
        .config = in->base.config, .kind = in->kind, .sql = STR(""), .down = STR("")};
    findings_init(&ret->findings, a, &in->base.config->finding_rules);
    findings_init(&ret->diags, a, &in->base.config->finding_rules);
    if (!flow_history_begun(a, in->base.config, &ret->all, err) ||
        !create_history(a, in, ret, err) || !check_layout(in, &ret->history, err) ||
        (in->name && !create_name(a, in, &ret->name, err)))
        return false;
    if (history_is_drizzle(ret->history.layout))
        return (!in->name && !in->unnamed) || create_by_drizzle(a, in, ret, err);
    if (!make(a, in, ret, err))
        return false;
    if (!in->name || ret->guesses.n || (ret->is_same && !in->empty_too))
        return true;
    look_at_ledger(a, in, ret);
    return create_files(a, in, ret, err) && judge(a, in, ret, err);
}
