/* aramid check: its parts, each with its verdict. */
#include "flow/check.h"

#include "flow/deployed.h"
#include "flow/verify_rollback.h"
#include "sqltext/sqltext.h"

const char *
check_part_name(CheckPartId id)
{
    static const char *const names[] = {"schema", "migrations", "parity",   "history", "drift",
                                        "lint",   "old-code",   "rollback", "branches"};
    return names[id];
}

static void
pass(CheckPart *p, const char *text)
{
    *p = (CheckPart){.outcome = CHECK_OK, .text = text};
}

static void
skip(CheckPart *p, const char *text)
{
    *p = (CheckPart){.outcome = CHECK_SKIPPED, .text = text};
}

static void
fail(CheckPart *p, int exit_status, const char *text)
{
    *p = (CheckPart){.outcome = CHECK_FAILED, .exit_status = exit_status, .text = text};
}

static void
fail_with(Arena *a, CheckPart *p, const Err *err)
{
    fail(p, err_exit_status(err), NULL);
    p->err = arena_new(a, Err);
    *p->err = *err;
    p->text = p->err->primary;
}

/* Findings of a part whose outcome stands; `found` are judged again. */
static void
add_findings(Arena *a, const CheckInput *in, CheckPart *p, const FindingList *found)
{
    FindingList list;
    Err err;
    findings_init(&list, a, &in->base.config->finding_rules);
    vec_each (const Finding, f, &found->items)
        finding_keep(&list, f);
    if (p->outcome == CHECK_OK && !findings_pass(&list, &err))
        fail_with(a, p, &err);
    p->findings = list;
}

/* ---- files --------------------------------------------------------------------------------- */

static bool
compare(Arena *a, const CheckInput *in, EndpointKind to, DiffResult *ret, Err *err)
{
    DiffInput d = {.sides = {.base = in->base,
                             .from = {.kind = ENDPOINT_MIGRATIONS, .path = in->migrations},
                             .to = {.kind = to, .path = in->schema}}};
    return flow_diff(a, &d, ret, err);
}

/* First lines that tell what the file does, and do not any more. */
static void
find_stale_summaries(Arena *a, const History *h, FindingList *ret)
{
    vec_each (const Migration, m, &h->files) {
        ARENA_LOCAL(scratch);
        Str text, line;
        SqlScript script;
        Err ignored; /* told where the file is replayed */
        if (!m->has_file || !migration_text(scratch, m, &text, &ignored) ||
            !sql_summary_find(text, &line) || !sql_split(scratch, m->path, text, &script, &ignored))
            continue;
        sql_classify(scratch, &script);
        const char *now = sql_summary(scratch, &script);
        if (script.has_opaque || str_is(line, now))
            continue;
        Finding *f = finding_add(ret, FINDING_HISTORY_SUMMARY,
                                 "its first line is not what its statements do any more");
        f->object = m->name;
        f->path = m->path;
        f->line = 1;
        f->fix = str_fmt(a, "unless it was applied already, make the line: %s", now);
    }
}

static void
migrations_pass(Arena *a, const CheckInput *in, const DiffResult *d, CheckPart *p)
{
    const Side *s = &d->sides[0];
    Buf b;
    buf_init(&b, a);
    buf_fmt(&b, "%s: all run on an empty database (PostgreSQL %d%s)", s->shown, s->major,
            s->replay.is_cached ? ", from the cache" : "");
    for (size_t i = 0; i < s->replay.stubs.n; i++)
        buf_fmt(&b, "%s %s \"%s\"", i ? "," : ", with stubs for",
                replay_stub_name(s->replay.stubs.v[i].kind), s->replay.stubs.v[i].name);
    pass(p, b.p);
    FindingList found;
    History h;
    Err gone; /* since they were replayed */
    findings_init(&found, a, NULL);
    if (flow_history(a, in->base.config, &h, &gone)) {
        flow_history_look(a, in->base.config, &h);
        find_stale_summaries(a, &h, &found);
        vec_each (const Finding, f, &h.findings.items)
            finding_keep(&found, f);
    }
    flow_find_replay(a, &s->replay, &found);
    add_findings(a, in, p, &found);
}

/* The migrations alone. */
static void
check_migrations(Arena *a, const CheckInput *in, CheckResult *r)
{
    Err err;
    DiffResult alone;
    CheckPart *p = &r->parts[CHECK_MIGRATIONS];
    if (compare(a, in, ENDPOINT_EMPTY, &alone, &err))
        migrations_pass(a, in, &alone, p);
    else
        fail_with(a, p, &err);
}

static void
check_files(Arena *a, const CheckInput *in, CheckResult *r)
{
    Err err;
    CheckPart *parts = r->parts;
    if (in->only_migrations) {
        skip(&parts[CHECK_SCHEMA], "only the migrations were asked for");
        skip(&parts[CHECK_PARITY], "only the migrations were asked for");
        check_migrations(a, in, r);
        return;
    }
    if (!in->schema) {
        skip(&parts[CHECK_SCHEMA], "there is no schema.prisma");
        skip(&parts[CHECK_PARITY], "there is no schema.prisma to compare with");
        check_migrations(a, in, r);
        return;
    }
    bool done = compare(a, in, ENDPOINT_SCHEMA, &r->parity, &err);
    pass(&parts[CHECK_SCHEMA], str_fmt(a, "%s is valid", in->schema));
    if (!done) {
        bool is_schema = r->parity.diags.counts[SEV_ERROR] || err.code == ERR_SCHEMA;
        fail_with(a, &parts[is_schema ? CHECK_SCHEMA : CHECK_MIGRATIONS], &err);
        skip(&parts[CHECK_PARITY], "cannot be compared");
        if (is_schema)
            check_migrations(a, in, r);
        return;
    }
    migrations_pass(a, in, &r->parity, &parts[CHECK_MIGRATIONS]);
    if (r->parity.diff->changes.n)
        fail(&parts[CHECK_PARITY], CHECK_EXIT_PARITY,
             str_fmt(a, "%s is not what the migrations make", in->schema));
    else
        pass(&parts[CHECK_PARITY], "the migrations make what the schema says");
}

/* ---- the database -------------------------------------------------------------------------- */

static const char *
history_text(StatusState state)
{
    switch (state) {
    case STATUS_UP_TO_DATE:
        return "All migrations are up to date!";
    case STATUS_PENDING:
        return "Pending migrations detected";
    case STATUS_FAILED:
        return "a migration failed: aramid status";
    case STATUS_RESUMABLE:
        return "a migration was interrupted: aramid deploy finishes it";
    case STATUS_EDITED:
        return "a migration was edited after it was applied";
    case STATUS_MISSING:
        return "an applied migration is missing in the folder";
    case STATUS_OUT_OF_ORDER:
        return "a pending migration is older than an applied one";
    case STATUS_UNMANAGED:
        return "the database has tables but no migration history";
    }
    return "";
}

static void
check_database(Arena *a, const CheckInput *in, CheckResult *r)
{
    Err err;
    CheckPart *history = &r->parts[CHECK_HISTORY], *drift = &r->parts[CHECK_DRIFT];
    if (!in->with_database) {
        skip(history, "no database was named (--url or --env)");
        skip(drift, "no database was named (--url or --env)");
        return;
    }
    if (!flow_status(a, &in->base, &r->status, &err)) {
        fail_with(a, history, &err);
        skip(drift, "cannot be compared");
        return;
    }
    if (r->status.state == STATUS_UP_TO_DATE)
        pass(history, history_text(r->status.state));
    else
        fail(history, (int)r->status.state, history_text(r->status.state));
    FindingList found;
    findings_init(&found, a, NULL);
    run_find_history(&r->status.history, &found);
    add_findings(a, in, history, &found);
    if (!flow_drift(a, &in->base, &r->drift, &err))
        fail_with(a, drift, &err);
    else if (r->drift.has_drift)
        fail(drift, DRIFT_EXIT, "Your database schema is not in sync with your migration history.");
    else
        pass(drift, "the database is what its migrations make");
    add_findings(a, in, drift, &r->drift.findings);
}

/* The names of the migrations that only this branch has. */
static CatTexts
new_names(Arena *a, const CheckResult *r)
{
    CatTexts names = {0};
    vec_each (const Migration *const, m, &r->branches.mine)
        *vec_add(a, &names) = (*m)->name;
    return names;
}

static const char *
lint_text(Arena *a, const LintResult *l, size_t listed)
{
    size_t n = l->findings.counts[SEV_WARNING] + l->findings.counts[SEV_ERROR];
    return str_fmt(a, "%s of %s %s: %s%s", str_count(a, (int64_t)l->statements.n, "statement"),
                   str_count(a, (int64_t)l->migrations, "migration"),
                   l->statements.n == 1 ? "was judged" : "were judged",
                   n ? str_count(a, (int64_t)n, "finding") : "nothing that hurts",
                   n > listed ? "; aramid lint shows them" : "");
}

/* Of all migrations only what the settings make an error of is listed; of those that the database or the other
 * branch lacks also what is worth a word. */
static void
check_lint(Arena *a, const CheckInput *in, CheckResult *r)
{
    Err err;
    FindingList found;
    LintResult *l = &r->lint;
    CheckPart *p = &r->parts[CHECK_LINT];
    CatTexts names = {0};
    if (r->parts[CHECK_MIGRATIONS].err || r->parts[CHECK_HISTORY].err) {
        skip(p, "cannot be judged");
        return;
    }
    if (in->only_new && r->parts[CHECK_BRANCHES].outcome != CHECK_SKIPPED)
        names = new_names(a, r);
    if (in->only_new && !names.n) {
        skip(p, "this branch has no migrations of its own");
        return;
    }
    const LintInput input = {
        .base = in->base, .with_database = in->with_database, .names = names.v, .nnames = names.n};
    if (!flow_lint(a, &input, l, &err)) {
        fail_with(a, p, &err);
        return;
    }
    findings_init(&found, a, NULL);
    bool all = in->with_database || in->only_new;
    vec_each (const Finding, f, &l->findings.items)
        if (f->severity == SEV_ERROR || (all && f->severity > SEV_NOTICE) || f->area != AREA_LINT)
            finding_keep(&found, f);
    pass(p, lint_text(a, l, found.counts[SEV_WARNING] + found.counts[SEV_ERROR]));
    add_findings(a, in, p, &found);
}

static void
check_old_code(Arena *a, const CheckInput *in, CheckResult *r)
{
    Err err;
    DeployedResult d;
    CheckPart *p = &r->parts[CHECK_OLD_CODE];
    if (!in->deployed) {
        skip(p, "the code that runs now was not named (--deployed)");
        return;
    }
    if (r->parts[CHECK_MIGRATIONS].err) {
        skip(p, "cannot be compared");
        return;
    }
    if (!flow_deployed(a, &in->base, in->deployed, in->migrations, &d, &err)) {
        fail_with(a, p, &err);
        return;
    }
    bool is_fine = !d.findings.counts[SEV_ERROR] && !d.findings.counts[SEV_WARNING];
    pass(p, str_fmt(a, "code with the schema %s %s", str_printable(a, str_of(d.shown), false),
                    is_fine ? "can go on" : "meets what it does not expect"));
    const char *text = p->text;
    add_findings(a, in, p, &d.findings);
    p->text = text;
}

static void
check_rollback(Arena *a, const CheckInput *in, CheckResult *r)
{
    Err err;
    VerifyRollbackResult v;
    CheckPart *p = &r->parts[CHECK_ROLLBACK];
    CatTexts names = new_names(a, r);
    if (!in->rollback || !names.n || r->parts[CHECK_MIGRATIONS].err) {
        skip(p, in->rollback ? "this branch has no migrations of its own" : "not asked for");
        return;
    }
    const VerifyRollbackInput input = {.base = in->base, .names = names.v, .nnames = names.n};
    if (!flow_verify_rollback(a, &input, &v, &err)) {
        fail_with(a, p, &err);
        return;
    }
    Buf b;
    buf_init(&b, a);
    vec_each (const RollbackProof, proof, &v.proofs)
        if (proof->state != PROOF_LEADS_BACK)
            buf_fmt(&b, "%s%s: %s", b.n ? "; " : "", str_printable(a, str_of(proof->name), false),
                    proof_state_name(proof->state));
    if (v.wrong)
        fail(p, CHECK_EXIT_ROLLBACK, str_fmt(a, "%s (aramid verify-rollback tells why)", b.p));
    else
        pass(p, b.n ? b.p
                    : str_fmt(a, "%s up, down and up again: they lead back",
                              str_count(a, (int64_t)v.proofs.n, "migration")));
}

static void
check_branches(Arena *a, const CheckInput *in, CheckResult *r)
{
    Err err;
    CheckPart *p = &r->parts[CHECK_BRANCHES];
    if (!in->against) {
        skip(p, "no other branch was named (--against)");
        return;
    }
    if (!flow_branches(a, &in->base, in->against, &r->branches, &err)) {
        fail_with(a, p, &err);
        return;
    }
    const Branches b = r->branches;
    size_t n = b.conflicts.items.n;
    if (n)
        fail(p, BRANCHES_EXIT_CONFLICT,
             str_fmt(a, "%zu conflict%s with the migrations of %s", n, str_plural((int64_t)n),
                     b.shown));
    else if (!b.mine.n || !b.theirs.n)
        pass(p,
             str_fmt(a, "%s: only one of the two has migrations of its own (%zu here, %zu there)",
                     b.shown, b.mine.n, b.theirs.n));
    else
        pass(p, str_fmt(a, "%s: %zu of its own and %zu of these make the same in every order",
                        b.shown, b.theirs.n, b.mine.n));
    add_findings(a, in, p, &b.conflicts);
}

void
flow_check(Arena *a, const CheckInput *in, CheckResult *ret)
{
    *ret = (CheckResult){.config = in->base.config};
    check_files(a, in, ret);
    check_database(a, in, ret);
    check_branches(a, in, ret);
    check_lint(a, in, ret);
    check_old_code(a, in, ret);
    check_rollback(a, in, ret);
    for (int i = CHECK_PART_COUNT - 1; i >= 0; i--)
        if (ret->parts[i].outcome == CHECK_FAILED)
            ret->exit_status = ret->parts[i].exit_status;
}
