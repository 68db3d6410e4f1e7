/* aramid push: refusals, the difference, what it loses, the run. */
#include "flow/push.h"

#include "flow/guard.h"
#include "render/render.h"

typedef struct Pushing {
    Arena *arena;
    const PushInput *in;
    PushResult *ret;
    Target target;
} Pushing;

static void
close_session(Session *s)
{
    if (s->db)
        session_close(s);
}

/* ---- whether it is a database for this ---------------------------------------------------------- */

static bool
refuse_history(const char *tool, const char *schema, const char *table, Err *err)
{
    err_set(err, ERR_REFUSED, "the database has a history of migrations: %s.%s of %s", schema,
            table, tool);
    err_detail(err, "what push changes no migration makes: other databases would not get it, and "
                    "the next migration would not fit");
    err_detail(err, "nothing was changed");
    err_hint(err, "write a migration: aramid create NAME, then aramid deploy");
    return err_hint(err, "or, if the history does not matter here: aramid push --ignore-history");
}

static bool
check_histories(const Pushing *p, Session *s, const History *h, Err *err)
{
    KnownTableVec others = {0};
    if (p->in->ignores_history || p->in->force_reset)
        return true;
    for (size_t i = 0; i < s->ledgers.n; i++)
        if (s->ledgers.v[i].exists && history_part_of(h, i)->rows.n)
            return refuse_history(s->ledgers.v[i].layout->ledger.tool, s->ledgers.v[i].at.schema,
                                  s->ledgers.v[i].at.table, err);
    if (!session_other_histories(s, &others, err))
        return false;
    return !others.n || refuse_history(others.v->as->tool, others.v->schema, others.v->table, err);
}

/* Nothing is written. */
static bool
look(Pushing *p, Err *err)
{
    const FlowInput *base = &p->in->base;
    Session s __attribute__((cleanup(close_session))) = {0};
    FlowGuard g;
    History h;
    JournalVec journal = {0};
    flow_guard_open(p->arena, base, GATE_LOOKS, "aramid push", &g);
    if (!flow_guard_check(&g, err) || !flow_refuse_production(&g.facts, err) ||
        !flow_history_if_any(p->arena, base->config, &h, err))
        return false;
    SessionOptions o = flow_session(base, &p->target, &h, "push", FLOW_PLANS);
    return session_open(p->arena, &o, &s, err) && session_read(&s, &h, &journal, err) &&
           flow_guard_session(&g, &s, p->target.origin, err) &&
           flow_refuse_production(&g.facts, err) && check_histories(p, &s, &h, err);
}

static bool
look_or_make(Pushing *p, Err *err)
{
    const PushInput *in = p->in;
    if (look(p, err))
        return true;
    return err->code == ERR_DB_MISSING && in->create_database && !in->only_plan &&
           flow_create_database(p->arena, &in->base, &p->target, &in->sink, err);
}

/* ---- what it does ------------------------------------------------------------------------------- */

static bool
check_schema(const Pushing *p, Err *err)
{
    const Config *c = p->in->base.config;
    if (c->schema_path)
        return true;
    err_set(err, ERR_NO_SCHEMA, "there is no schema.prisma to push");
    return err_hint(err, "say where it is: aramid push --schema PATH");
}

static bool
compare(Pushing *p, Err *err)
{
    const PushInput *in = p->in;
    const Config *c = in->base.config;
    const DiffInput d = {.sides = {.base = in->base,
                                   .from = {.kind = ENDPOINT_DATABASE, .config = c},
                                   .to = {.kind = ENDPOINT_SCHEMA, .path = c->schema_path}},
                         .renames = in->renames,
                         .nrenames = in->nrenames,
                         .written_first = true};
    return flow_diff(p->arena, &d, &p->ret->diff, err);
}

/* What cannot work with the rows that are there. */
static bool
check_rows(Arena *a, const Diff *d, Err *err)
{
    size_t n = 0;
    vec_each (Change *, c, &d->changes)
        vec_each (const DiffEffect, e, &(*c)->effects) {
            if (e->harm != DIFF_FAILS || !e->is_answered || !e->hits)
                continue;
            if (!n++)
                err_set(err, ERR_IMPOSSIBLE, "there are changes that cannot be executed");
            err_detail(err, "%s", str_printable(a, str_of(render_effect(a, e)), false));
        }
    if (!n)
        return true;
    err_detail(err, "nothing was changed");
    err_hint(err, "change the rows first, or give the columns defaults");
    return err_hint(err, "or drop all data of the database: aramid push --force-reset");
}

static void
find_losses(Pushing *p)
{
    vec_each (Change *, c, &p->ret->diff.diff->changes)
        vec_each (const DiffEffect, e, &(*c)->effects)
            if (e->harm == DIFF_LOSS && (!e->is_answered || e->hits))
                *vec_add(p->arena, &p->ret->losses) =
                    str_printable(p->arena, str_of(render_effect(p->arena, e)), false);
}

static bool
agree_to_losses(Pushing *p, Err *err)
{
    const PushInput *in = p->in;
    const PushResult *r = p->ret;
    if (!r->losses.n || in->accepts_loss || in->only_plan)
        return true;
    if (in->base.can_ask && !in->base.config->is_ci && in->ask_losses)
        return in->ask_losses(in->arg, r, err);
    err_set(err, ERR_CONFIRM, "there might be data loss when applying the changes");
    vec_each (const char *const, text, &r->losses)
        err_detail(err, "%s", *text);
    err_detail(err, "nothing was changed");
    return err_hint(err, "look at: aramid push --dry-run; then: aramid push --accept-data-loss");
}

static bool
run(Pushing *p, Err *err)
{
    Arena *a = p->arena;
    const PushInput *in = p->in;
    const Script script = {.kind = SCRIPT_PUSHED, .run_id = in->run_id, .again = true};
    History scripts = scripts_new(a);
    const ScriptsInput s = {.base = in->base,
                            .sink = in->sink,
                            .run_id = in->run_id,
                            .show_progress = in->show_progress,
                            .verb = "push",
                            .again = "push",
                            .care = SCRIPTS_PUSH,
                            .loses = p->ret->losses.n != 0,
                            .only_plan = in->only_plan,
                            .accepts_loss = true, /* they were asked about */
                            .reason = in->reason,
                            .on_plan = in->on_plan,
                            .ask = in->ask,
                            .arg = in->arg};
    Str sql = render_script(a, p->ret->diff.diff, &(RenderOptions){.schema = ""});
    scripts_add_text(a, &scripts, &script, "push", sql);
    return flow_scripts(a, &s, &scripts, &p->ret->scripts, err);
}

static bool
reset(Pushing *p, Err *err)
{
    const PushInput *in = p->in;
    FlowInput base = in->base;
    base.yes = true; /* the flag is the word for it, as --force is that of a reset */
    const ResetInput r = {.base = base,
                          .command = "push --force-reset",
                          .sink = in->sink,
                          .run_id = in->run_id,
                          .show_progress = in->show_progress,
                          .create_database = in->create_database,
                          .force = true,
                          .ignores_connections = in->ignores_connections,
                          .only_plan = in->only_plan,
                          .only_drops = true,
                          .reason = in->reason,
                          .on_plan = in->on_plan,
                          .arg = in->arg};
    return !in->force_reset || flow_reset(p->arena, &r, &p->ret->reset, err);
}

bool
flow_push(Arena *a, const PushInput *in, PushResult *ret, Err *err)
{
    const Config *c = in->base.config;
    *ret =
        (PushResult){.schema_path = c->schema_path,
                     .scripts = {.config = c, .run_id = in->run_id, .findings = in->sink.findings}};
    Pushing p = {.arena = a, .in = in, .ret = ret};
    if (!findings_pass(&c->findings, err) || !check_schema(&p, err) ||
        !flow_target(a, c, in->base.self_exe,
                     in->only_plan ? FLOW_MAKES_NOTHING : FLOW_MAKES_CLUSTER, &p.target, err))
        return false;
    ret->scripts.target = p.target;
    if ((!p.target.absent && !look_or_make(&p, err)) || !reset(&p, err) || !compare(&p, err))
        return false;
    const Diff *d = ret->diff.diff;
    ret->is_same = !d->changes.n;
    if (ret->is_same)
        return true;
    find_losses(&p);
    return flow_diff_can_run(a, d, err) && check_rows(a, d, err) && agree_to_losses(&p, err) &&
           run(&p, err);
}
