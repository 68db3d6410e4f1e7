/* aramid reset: what is dropped and what is left alone; then deploy and seed. */
#include "flow/reset.h"

#include "diff/diff.h"
#include "flow/guard.h"
#include "flow/managed.h"
#include "history/known.h"
#include "introspect/introspect.h"
#include "render/render.h"
#include "sqltext/sqltext.h"

typedef struct Resetting {
    Arena *arena;
    const ResetInput *in;
    ResetResult *ret;
    History history;
    Session session;
    VEC(const char *) schemas; /* that the project manages */
    VEC(const char *) kept;    /* of these, those that are not dropped themselves */
    Buf histories, drops;      /* in this order: rows first, as long as no table is locked */
} Resetting;

static void
close_session(Session *s)
{
    if (s->db)
        session_close(s);
}

static void
leave(Resetting *r, const char *text)
{
    *vec_add(r->arena, &r->ret->left_alone) = text;
}

/* ---- which schemas ------------------------------------------------------------------------------ */

static bool
is_in(const char *const *list, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(list[i], name) == 0)
            return true;
    return false;
}

static void
add_schema(Resetting *r, const char *name)
{
    if (name && name[0] && !is_in(r->schemas.v, r->schemas.n, name))
        *vec_add(r->arena, &r->schemas) = str_dupz(r->arena, name);
}

/* Those that a migration names. One that cannot be read ends all of it before anything is dropped. */
static bool
add_schemas_of(Resetting *r, const Migration *m, Err *err)
{
    ARENA_LOCAL(a);
    MigrationPlan mp;
    SqlScript script;
    if (!m->has_file)
        return migration_gone(m, err);
    if (!plan_migration(a, m, &(PlanHints){0}, &mp, err) ||
        !plan_script(a, &mp, false, &script, err))
        return false;
    vec_each (const SqlStmt, s, &script.forms)
        vec_each (const SqlObject, o, &s->objects)
            if (o->effect == SQL_CREATES)
                add_schema(r, o->kind == SQL_OBJ_SCHEMA ? o->name.name : o->name.schema);
    return true;
}

static bool
choose_schemas(Resetting *r, Err *err)
{
    const Config *c = r->in->base.config;
    const Session *s = &r->session;
    add_schema(r, s->schema ? s->schema : "public");
    vec_each (const char *const, name, &c->schemas)
        add_schema(r, *name);
    vec_each (const Migration, m, &r->history.files)
        if (!add_schemas_of(r, m, err))
            return false;
    *vec_add(r->arena, &r->kept) = "public";
    if (s->schema)
        *vec_add(r->arena, &r->kept) = s->schema;
    vec_each (const SessionLedger, l, &s->ledgers)
        if (l->at.schema)
            *vec_add(r->arena, &r->kept) = l->at.schema;
    return true;
}

/* ---- what is in them ---------------------------------------------------------------------------- */

/* What stays in a schema keeps it. */
static void
keep_schema_of(Resetting *r, const char *pattern)
{
    Str rest = str_of(pattern), schema = str_cut(&rest, '.');
    if (rest.p)
        *vec_add(r->arena, &r->kept) = str_dup(r->arena, schema);
}

static bool
read_live(Resetting *r, Catalog **ret, Err *err)
{
    Arena *a = r->arena;
    ManagedSchemas managed = {0};
    KnownTableVec others = {0};
    Patterns except = managed_ignored(a, r->in->base.config);
    vec_each (const char *const, p, &except) {
        keep_schema_of(r, *p);
        leave(r, str_fmt(a, "%s (ignored)", *p));
    }
    if (!managed_schemas(a, r->session.db, &managed, err) ||
        !session_other_histories(&r->session, &others, err))
        return false;
    Patterns *lists[] = {&managed.owned, &managed.named};
    for (size_t i = 0; i < COUNT(lists); i++)
        vec_each (const char *const, name, lists[i]) {
            *vec_add(a, &except) = *name;
            if (strcmp(*name, "aramid") != 0)
                leave(r, str_fmt(a, "schema %s", *name));
        }
    vec_each (const KnownTable, t, &others) {
        *vec_add(a, &r->kept) = t->schema;
        leave(r, str_fmt(a, "table %s.%s, the history of %s", t->schema, t->table, t->as->tool));
    }
    const IntrospectOptions o = {
        .schemas = r->schemas.v, .nschemas = r->schemas.n, .except = except.v, .nexcept = except.n};
    if (!introspect(a, r->session.db, &o, ret, err))
        return false;
    history_leave_out(*ret, &r->history, NULL);
    return true;
}

/* What lies in no schema is dropped where it is this role's own; extensions but for those of platforms. */
static bool
is_dropped(Resetting *r, const CatObject *o)
{
    const char *user = db_info(r->session.db)->user;
    if (o->id.kind == CAT_SCHEMA)
        return is_in(r->schemas.v, r->schemas.n, o->id.name) &&
               !is_in(r->kept.v, r->kept.n, o->id.name);
    bool is_managed = o->id.kind == CAT_EXTENSION &&
                      managed_extension(o->id.name, ((const CatExtension *)o)->in_schema);
    if (o->id.schema || (o->owner && strcmp(o->owner, user) == 0 && !is_managed))
        return true;
    if (!is_managed || strcmp(o->id.name, "plpgsql") != 0)
        leave(r, cat_ref_text(r->arena, &o->id));
    return false;
}

static void
add_drops(Resetting *r, const Catalog *live)
{
    Arena *a = r->arena;
    const CatRules rules = {.ignore_owners = true, .ignore_grants = true};
    const DiffOptions options = {.rules = &rules};
    Catalog *nothing = catalog_new(a);
    catalog_finish(nothing);
    const DiffSide from = {.catalog = live}, to = {.catalog = nothing};
    Diff *d = diff_catalogs(a, &from, &to, &options);
    RenderSteps steps = render_steps(a, d, &(RenderOptions){.schema = ""});
    vec_each (const RenderStep, step, &steps) {
        const Change *c = step->change;
        if (c->op == CHANGE_DROP && c->from && !is_dropped(r, c->from))
            continue;
        vec_each (const char *const, statement, &step->statements)
            buf_fmt(&r->drops, "%s;\n", *statement);
    }
}

static void
add_delete(Resetting *r, const char *schema, const char *table, const char *where)
{
    buf_addz(&r->histories, "DELETE FROM ");
    sql_add_name(&r->histories, schema, table);
    buf_fmt(&r->histories, "%s;\n", where);
}

/* The histories of the project say afterwards that nothing is applied, and nothing seeded. */
static void
add_histories(Resetting *r)
{
    const OwnPlace *journal = &r->session.own[OWN_JOURNAL];
    vec_each (const SessionLedger, l, &r->session.ledgers) {
        if (!l->exists)
            continue;
        add_delete(r, l->at.schema, l->at.table, "");
        if (l->at.has_beside)
            add_delete(r, l->at.schema, l->layout->beside, "");
    }
    if (journal->exists)
        add_delete(r, journal->schema, journal->table, "");
    if (r->histories.n || r->drops.n)
        add_delete(r, "aramid", "scripts",
                   " WHERE kind OPERATOR(pg_catalog.=) \'" SCRIPT_SEED "\'");
}

/* ---- who is connected --------------------------------------------------------------------------- */

static bool
refuse_connections(Resetting *r, Err *err)
{
    enum { SHOWN_MAX = 8 };
    Arena *a = r->arena;
    DbRowsVec results;
    if (r->in->ignores_connections || r->in->only_plan || db_info(r->session.db)->is_shared)
        return true;
    if (!db_query(
            r->session.db, a,
            STR("SELECT a.usename, a.application_name, COALESCE(pg_catalog.host(a.client_addr),"
                " \'this machine\'), a.pid, COALESCE(a.state, \'state not visible\'),"
                " pg_catalog.to_char(a.backend_start AT TIME ZONE \'UTC\',"
                " \'YYYY-MM-DD HH24:MI:SS\"Z\"\') FROM pg_catalog.pg_stat_activity a WHERE"
                " a.datname OPERATOR(pg_catalog.=) pg_catalog.current_database() AND a.pid"
                " OPERATOR(pg_catalog.<>) pg_catalog.pg_backend_pid() AND a.backend_type"
                " OPERATOR(pg_catalog.=) \'client backend\' AND a.application_name"
                " OPERATOR(pg_catalog.!~~) \'aramid/%\' ORDER BY a.backend_start"),
            &results, err))
        return false;
    const DbRows *rows = &results.v[results.n - 1];
    size_t n = 0;
    Buf b;
    buf_init(&b, a);
    for (int i = 0; i < rows->rows; i++) {
        Str user = db_cell(rows, i, 0), name = db_cell(rows, i, 1);
        if (managed_role(user.p ? user.p : "") || n++ >= SHOWN_MAX)
            continue;
        buf_fmt(&b, "%s%s%suser %s from %s, process " STR_FMT ", " STR_FMT ", since " STR_FMT,
                n > 1 ? "\n" : "", str_printable(a, name, false), name.n ? ", " : "",
                str_printable(a, user, false), str_printable(a, db_cell(rows, i, 2), false),
                STR_ARG(db_cell(rows, i, 3)), STR_ARG(db_cell(rows, i, 4)),
                STR_ARG(db_cell(rows, i, 5)));
    }
    if (!n)
        return true;
    err_set(err, ERR_REFUSED, "%zu other%s connected to the database", n, n == 1 ? " is" : "s are");
    err_detail(err, "%s", b.p);
    err_detail(err, "nothing was changed");
    return err_hint(err, "stop them, or reset beneath them: aramid %s --ignore-connections",
                    r->in->command);
}

/* ---- the parts ---------------------------------------------------------------------------------- */

/* Find out what is to be dropped; nothing is written. */
static bool
survey(Resetting *r, const Target *t, Err *err)
{
    const FlowInput *base = &r->in->base;
    FlowGuard g;
    Catalog *live;
    JournalVec journal = {0};
    SessionOptions o = flow_session(base, t, &r->history, "reset", FLOW_PLANS);
    flow_guard_open(r->arena, base, GATE_LOOKS, str_fmt(r->arena, "aramid %s", r->in->command), &g);
    if (!flow_guard_check(&g, err) || !flow_refuse_production(&g.facts, err) ||
        !session_open(r->arena, &o, &r->session, err))
        return false;
    bool ok = session_read(&r->session, &r->history, &journal, err) &&
              flow_guard_session(&g, &r->session, t->origin, err) &&
              flow_refuse_production(&g.facts, err) && choose_schemas(r, err) &&
              read_live(r, &live, err);
    if (ok) {
        add_drops(r, live);
        add_histories(r);
        ok = refuse_connections(r, err);
    }
    close_session(&r->session);
    return ok;
}

static bool
drop(Resetting *r, Err *err)
{
    Arena *a = r->arena;
    const ResetInput *in = r->in;
    const Script script = {.kind = SCRIPT_RESET, .run_id = in->run_id, .again = true};
    History scripts = scripts_new(a);
    scripts_add_text(a, &scripts, &script, "reset",
                     str_of(str_fmt(a, "%s%s", r->histories.p, r->drops.p)));
    const ScriptsInput s = {.base = in->base,
                            .sink = in->sink,
                            .run_id = in->run_id,
                            .show_progress = in->show_progress,
                            .verb = "reset",
                            .again = in->command,
                            .one_tx = true,
                            .care = SCRIPTS_RESET,
                            .only_plan = in->only_plan,
                            .accepts_loss = in->force,
                            .reason = in->reason,
                            .on_plan = in->on_plan,
                            .ask = in->ask,
                            .arg = in->arg};
    if (!flow_scripts(a, &s, &scripts, &r->ret->drop, err))
        return false;
    r->ret->has_dropped = !in->only_plan;
    return true;
}

/* What is agreed to by now needs no second word, and no backup of what is empty. */
static bool
build(Resetting *r, Err *err)
{
    const ResetInput *in = r->in;
    Config *c = arena_new(r->arena, Config);
    *c = *in->base.config;
    c->values[CFG_BACKUP].number = 0;
    c->values[CFG_BACKUP].origin = "reset";
    FlowInput base = in->base;
    base.config = c;
    base.yes = true;
    const DeployInput d = {.base = base,
                           .sink = in->sink,
                           .run_id = in->run_id,
                           .show_progress = in->show_progress,
                           .create_database = in->create_database,
                           .accepts_loss = true};
    if (!flow_deploy(r->arena, &d, &r->ret->deploy, err))
        return false;
    r->ret->has_deployed = true;
    const SeedInput s = {.base = base,
                         .sink = in->sink,
                         .run_id = in->run_id,
                         .show_progress = in->show_progress,
                         .accepts_loss = true,
                         .on_command = in->on_command,
                         .on_output = in->on_output,
                         .arg = in->arg};
    if (!in->seeds)
        return true;
    r->ret->has_seeded = flow_seed(r->arena, &s, &r->ret->seed, err);
    return r->ret->has_seeded;
}

bool
flow_reset(Arena *a, const ResetInput *in, ResetResult *ret, Err *err)
{
    const Config *c = in->base.config;
    Target t;
    *ret = (ResetResult){.drop = {.config = c, .run_id = in->run_id}};
    Resetting r = {.arena = a, .in = in, .ret = ret};
    buf_init(&r.histories, a);
    buf_init(&r.drops, a);
    if (!findings_pass(&c->findings, err) ||
        !(in->only_drops ? flow_history_if_any(a, c, &r.history, err)
                         : flow_history(a, c, &r.history, err)) ||
        !flow_target(a, c, in->base.self_exe,
                     in->only_plan ? FLOW_MAKES_NOTHING : FLOW_MAKES_CLUSTER, &t, err))
        return false;
    ret->migrations = r.history.files.n;
    ret->drop.target = t;
    if (!t.absent && !survey(&r, &t, err) && !(err->code == ERR_DB_MISSING && in->create_database))
        return false;
    if (r.histories.n && !drop(&r, err))
        return false;
    return in->only_plan || in->only_drops || build(&r, err);
}
