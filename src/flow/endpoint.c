/* Where a schema comes from, and how two become comparable. */
#include "flow/endpoint.h"

#include "base/fs.h"
#include "flow/managed.h"
#include "history/known.h"
#include "render/render.h"
#include "sqltext/sqltext.h"

/* What is only needed while both sides are read. */
typedef struct Reading {
    Arena *a;
    const SidesInput *in;
    FindingList *diags;
    const PslResolved *schemas[2];
    History histories[2];
    IntrospectOptions what;
    Patterns except;         /* what no side is asked about */
    VEC(const char *) names; /* of the schemas that count, where Prisma's language says so */
    const char *default_schema;
} Reading;

void
flow_sides_close(Side sides[2])
{
    for (int i = 0; i < 2; i++)
        if (sides[i].session.db)
            session_close(&sides[i].session);
}

static Catalog *
empty_catalog(Arena *a)
{
    Catalog *c = catalog_new(a);
    catalog_finish(c);
    return c;
}

static bool
is_in_words_of_server(EndpointKind kind)
{
    return kind == ENDPOINT_MIGRATIONS || kind == ENDPOINT_SQL || kind == ENDPOINT_DATABASE;
}

/* ---- reading what is on disk ----------------------------------------------------------------- */

static bool
read_schema(Reading *r, int i, Side *side, Err *err)
{
    PslSchema *schema;
    size_t before = r->diags->counts[SEV_ERROR];
    if (!psl_load(r->a, side->endpoint.path, &schema, r->diags, err))
        return false;
    const PslResolved *s =
        psl_validate(r->a, schema, &(PslValidateOpts){.prisma = r->in->prisma}, r->diags);
    r->schemas[i] = s;
    for (size_t g = 0; g < s->ngenerators; g++)
        for (size_t k = 0; k < s->generators[g].npreviews; k++)
            if (str_is(s->generators[g].previews[k], "partialIndexes"))
                side->has_partial_indexes = true;
    if (r->diags->counts[SEV_ERROR] == before)
        return true;
    err_set(err, ERR_SCHEMA, "%s has errors", side->endpoint.path);
    return err_hint(err, "aramid validate --schema %s", side->endpoint.path);
}

static bool
read_files(Reading *r, int i, Side *side, Err *err)
{
    const Endpoint *e = &side->endpoint;
    side->shown = e->path;
    switch (e->kind) {
    case ENDPOINT_SCHEMA:
        return read_schema(r, i, side, err);
    case ENDPOINT_MIGRATIONS:
        if (e->history)
            r->histories[i] = *e->history;
        return e->history ||
               flow_histories_named(r->a, r->in->base.config, e->path, &r->histories[i], err);
    case ENDPOINT_DATABASE:
        return true;
    case ENDPOINT_SQL:
        return true;
    case ENDPOINT_NONE:
    case ENDPOINT_EMPTY:
        break;
    }
    side->shown = "nothing";
    side->catalog = empty_catalog(r->a);
    return true;
}

/* ---- databases ------------------------------------------------------------------------------- */

static bool
open_database(Reading *r, Side *side, Err *err)
{
    const Endpoint *e = &side->endpoint;
    const FlowInput *base = &r->in->base;
    Target *t = &side->target;
    if (e->url) {
        t->origin = e->origin;
        if (!url_parse(r->a, e->url, e->origin, &t->url, err))
            return false;
        t->shown = url_shown(r->a, &t->url);
    } else if (!flow_target(r->a, e->config, base->self_exe, FLOW_MAKES_NOTHING, t, err))
        return false;
    if (t->absent) {
        err_set(err, ERR_DB_MISSING,
                "there is no database to compare with: no URL is set, and the "
                "embedded PostgreSQL of this project was not made yet");
        err_hint(err, "set %s, or give the URL; aramid deploy makes the embedded one",
                 flow_url_variable(e->config));
        return err_hint(err, "to compare with nothing: --from-empty or --to-empty");
    }
    side->shown = t->shown;
    History nothing = history_none();
    SessionOptions o = flow_session(base, t, &nothing, "diff", FLOW_READS);
    if (!session_open(r->a, &o, &side->session, err))
        return false;
    side->major = db_info(side->session.db)->version / 10000;
    if (t->url.schema)
        r->default_schema = t->url.schema;
    return true;
}

/* The schemas that a schema.prisma tells about. */
static void
add_schemas(Reading *r, const PslResolved *s)
{
    for (size_t k = 0; s->datasource && k < s->datasource->nschemas; k++)
        *vec_add(r->a, &r->names) = str_dup(r->a, s->datasource->schemas[k]);
    if (!s->datasource || !s->datasource->nschemas)
        *vec_add(r->a, &r->names) = r->default_schema;
}

static void
set_what(Reading *r)
{
    r->what = (IntrospectOptions){.schemas = r->names.v,
                                  .nschemas = r->names.n,
                                  .except = r->except.v,
                                  .nexcept = r->except.n};
}

bool
flow_schema_scope(Arena *a, const Config *c, IntrospectOptions *ret)
{
    Err ignored;
    FindingList diags;
    const SidesInput in = {.base.config = c};
    Reading r = {.a = a, .in = &in, .diags = &diags, .default_schema = "public"};
    Side side = {.endpoint = {.kind = ENDPOINT_SCHEMA, .path = c->schema_path}};
    findings_init(&diags, a, NULL);
    if (!c->schema_path || !read_schema(&r, 0, &side, &ignored))
        return false;
    r.except = managed_ignored(a, c);
    add_schemas(&r, r.schemas[0]);
    set_what(&r);
    *ret = r.what;
    return true;
}

/* Where one side is in Prisma's language, the schemas that it tells about; else all but those of
 * platforms. */
static bool
choose_what(Reading *r, Side *sides, Err *err)
{
    r->except = managed_ignored(r->a, r->in->base.config);
    for (int i = 0; i < 2; i++)
        if (r->schemas[i])
            add_schemas(r, r->schemas[i]);
    for (int i = 0; i < 2 && !r->names.n; i++) {
        ManagedSchemas managed = {0};
        if (!sides[i].session.db)
            continue;
        if (!managed_schemas(r->a, sides[i].session.db, &managed, err))
            return false;
        vec_each (const char *, name, &managed.owned)
            *vec_add(r->a, &sides[i].left_out) = *name;
        vec_each (const char *, name, &managed.named)
            *vec_add(r->a, &sides[i].left_out) = *name;
        vec_each (const char *, name, &sides[i].left_out)
            *vec_add(r->a, &r->except) = *name;
    }
    set_what(r);
    return true;
}

/* ---- a private server ------------------------------------------------------------------------ */

/* In transactions of bounded size: the server's time for one grows with the square of its locks. */
static void
add_steps(Arena *a, const Diff *d, const char *name, ReplayScripts *scripts)
{
    enum { IN_ONE_SCRIPT = 250 };
    RenderSteps steps = render_steps(a, d, NULL);
    CatTexts all = {0};
    vec_each (const RenderStep, step, &steps)
        vec_each (const char *const, statement, &step->statements)
            *vec_add(a, &all) = *statement;
    for (size_t i = 0; i < all.n;) {
        Buf b;
        buf_init(&b, a);
        for (size_t end = i + IN_ONE_SCRIPT; i < all.n && i < end; i++)
            buf_fmt(&b, "%s;\n", all.v[i]);
        *vec_add(a, scripts) = (ReplayScript){.name = name, .sql = buf_str(&b)};
    }
}

bool
flow_reprint(Arena *a, const ReplayOptions *o, int *db_major, int major, Catalog **catalog,
             Err *err)
{
    if (*db_major == major)
        return true;
    const CatRules rules = {.ignore_owners = true, .ignore_grants = true};
    const DiffOptions options = {.rules = &rules};
    DiffSide nothing = {.catalog = empty_catalog(a)}, all = {.catalog = *catalog};
    ReplayScripts scripts = {0};
    ReplayOptions same = *o;
    Replay printed;
    add_steps(a, diff_catalogs(a, &nothing, &all, &options), "of the database", &scripts);
    same.major = major;
    same.search_path = NULL; /* the scripts are ours */
    if (!replay_scripts(a, scripts.v, scripts.n, &same, &printed, err))
        return err->code == ERR_REPLAY &&
               err_hint(err,
                        "the database is of PostgreSQL %d, the private server of %d: install "
                        "PostgreSQL %d, or name a server of that version with --shadow-url",
                        *db_major, major, *db_major);
    /* Owners and privileges are roles, which nobody prints in another way. */
    vec_each (CatObject *, at, &printed.catalog->objects) {
        const CatObject *was = catalog_find(*catalog, (*at)->id);
        (*at)->owner = was ? was->owner : NULL;
        (*at)->grants = was ? was->grants : (CatGrants){0};
    }
    printed.catalog->dependents.v = (*catalog)->dependents.v;
    printed.catalog->dependents.n = (*catalog)->dependents.n;
    *catalog = printed.catalog;
    *db_major = printed.major;
    return true;
}

/* Names that the schema says without a schema are found where the other side has them. */
static const char *
path_of(Reading *r, const Catalog *there)
{
    Map seen;
    Buf b;
    VEC(const char *) path = {0};
    map_init(&seen, r->a);
    buf_init(&b, r->a);
    *vec_add(r->a, &path) = "public";
    *vec_add(r->a, &path) = r->default_schema;
    vec_each (CatObject *, o, &there->objects)
        if ((*o)->id.schema)
            *vec_add(r->a, &path) = (*o)->id.schema;
    cat_each (CatExtension, e, &there->extensions)
        if (e->in_schema)
            *vec_add(r->a, &path) = e->in_schema;
    vec_each (const char *, name, &path) {
        if (map_has(&seen, str_of(*name)))
            continue;
        map_put(&seen, str_of(*name), &seen);
        if (b.n)
            buf_addz(&b, ", ");
        sql_add_ident(&b, *name);
    }
    return b.p;
}

/* What creates a schema that is written in Prisma's language. Extensions need not be said there,
 * nor can types, sequences and functions that it names: those of the other side are taken for
 * there. */
static void
add_schema_script(Reading *r, Side *side, const Catalog *other, ReplayScripts *scripts,
                  ReplayOptions *o)
{
    const Catalog *there = bridge_named(r->a, side->catalog, other);
    const CatRules rules = {.ignore_owners = true, .ignore_grants = true};
    const Catalog *steps[2][2] = {{empty_catalog(r->a), there},
                                  {bridge_surroundings(r->a, there), side->catalog}};
    for (int i = 0; i < 2; i++) {
        DiffSide from = {.catalog = steps[i][0]}, to = {.catalog = steps[i][1]};
        DiffOptions options = {.prisma_kinds = i > 0, .from_is_written = true, .rules = &rules};
        add_steps(r->a, diff_catalogs(r->a, &from, &to, &options), side->endpoint.path, scripts);
    }
    o->search_path = path_of(r, there);
}

static bool
replay_files(Reading *r, int i, Side *side, const ReplayOptions *o, Replay *ret, Err *err)
{
    ReplayScripts scripts = {0};
    if (side->endpoint.kind == ENDPOINT_SQL && !flow_read_sql(r->a, &side->endpoint, &scripts, err))
        return false;
    if (side->endpoint.kind == ENDPOINT_SQL)
        return replay_scripts(r->a, scripts.v, scripts.n, o, ret, err);
    return flow_replay_history(r->a, &r->histories[i], HISTORY_ALL, o, ret, err);
}

/* All of a side that is no schema, for what the schema names beside the schemas it tells about. */
static bool
read_around(Reading *r, int i, Side *side, Catalog **ret, Err *err)
{
    ReplayOptions o;
    Replay all;
    *ret = side->catalog;
    if (!bridge_names_more(r->schemas[!i]) || r->schemas[i])
        return true;
    if (side->session.db)
        return introspect(r->a, side->session.db, NULL, ret, err);
    if (!flow_replay_options(r->a, &r->in->base, NULL, &o, err) ||
        !replay_files(r, i, side, &o, &all, err))
        return false;
    *ret = all.catalog;
    return true;
}

static bool
replay_side(Reading *r, int i, Side *side, Side *other, Err *err)
{
    ReplayOptions o;
    const Session *compared = other->session.db ? &other->session : NULL;
    if (!flow_replay_options(r->a, &r->in->base, compared, &o, err))
        return false;
    o.introspect = &r->what;
    if (side->endpoint.kind == ENDPOINT_SCHEMA) {
        ReplayScripts scripts = {0};
        Catalog *around;
        if (!read_around(r, !i, other, &around, err))
            return false;
        add_schema_script(r, side, around, &scripts, &o);
        if (!replay_scripts(r->a, scripts.v, scripts.n, &o, &side->replay, err))
            return false;
    } else if (!replay_files(r, i, side, &o, &side->replay, err)) {
        return false;
    }
    side->catalog = side->replay.catalog;
    side->major = side->replay.major;
    return true;
}

static bool
read_side(Reading *r, int i, Side *sides, Err *err)
{
    Side *side = &sides[i];
    if (side->endpoint.kind == ENDPOINT_EMPTY || side->target.absent)
        return true;
    if (side->endpoint.kind == ENDPOINT_DATABASE)
        return introspect(r->a, side->session.db, &r->what, &side->catalog, err);
    return replay_side(r, i, side, &sides[!i], err);
}

/* Neither side has the tables of migration tools, but where schema.prisma names them. */
static void
leave_out_ledgers(const Reading *r, Side *sides)
{
    const Catalog *written[2];
    for (int i = 0; i < 2; i++)
        written[i] = r->schemas[i] ? sides[i].catalog : NULL;
    for (int i = 0; i < 2; i++)
        history_leave_out(sides[i].catalog, NULL, written[i] ? written[i] : written[!i]);
}

/* Beside a schema only what is its own. */
static bool
leave_others_own(Reading *r, Side *sides, Err *err)
{
    ReplayOptions o;
    for (int i = 0; i < 2; i++) {
        Side *side = &sides[i];
        if (!side->replay.catalog || side->endpoint.kind != ENDPOINT_MIGRATIONS || !r->schemas[!i])
            continue;
        if (!flow_replay_options(r->a, &r->in->base, NULL, &o, err))
            return false;
        o.introspect = &r->what;
        if (!flow_leave_others_own(r->a, &r->histories[i], &o, side->catalog, sides[!i].catalog,
                                   &side->of_others, err))
            return false;
    }
    return true;
}

/* Databases of another version than the other side's are printed by that one's. */
static bool
same_words(Reading *r, Side *sides, Err *err)
{
    for (int i = 0; i < 2; i++) {
        Side *side = &sides[i];
        ReplayOptions o;
        if (!side->session.db)
            continue;
        if (!flow_replay_options(r->a, &r->in->base, &side->session, &o, err))
            return false;
        o.introspect = &r->what;
        if (!flow_reprint(r->a, &o, &side->major, sides[!i].major, &side->catalog, err))
            return false;
    }
    return true;
}

/* A new database has the schema public, and what is said of it is not asked about. */
static void
add_public(Arena *a, Side *empty, const Side *other)
{
    const CatSchema *there =
        catalog_find(other->catalog, (CatRef){.kind = CAT_SCHEMA, .name = "public"});
    bool is_empty = empty->endpoint.kind == ENDPOINT_EMPTY || empty->target.absent;
    if (!is_empty || !there || !other->major)
        return;
    Catalog *c = catalog_new(a);
    CatSchema *copy = catalog_add(c, CAT_SCHEMA, NULL, there->id.name);
    copy->owner = there->owner;
    copy->comment = there->comment;
    copy->grants = there->grants;
    catalog_finish(c);
    empty->catalog = c;
}

bool
flow_sides(Arena *a, const SidesInput *in, FindingList *diags, Side ret[2], Err *err)
{
    Reading r = {.a = a, .in = in, .diags = diags, .default_schema = "public"};
    ret[0] = (Side){.endpoint = in->from};
    ret[1] = (Side){.endpoint = in->to};
    bool needs_server = is_in_words_of_server(in->from.kind) || is_in_words_of_server(in->to.kind);
    /* Both are read, so that all errors of both schemas are told. */
    bool ok = read_files(&r, 0, &ret[0], err);
    Err second;
    if (!read_files(&r, 1, &ret[1], &second)) {
        if (ok)
            *err = second;
        ok = false;
    }
    for (int i = 0; ok && i < 2; i++)
        if (ret[i].endpoint.kind == ENDPOINT_DATABASE)
            ok = open_database(&r, &ret[i], err);
    BridgeOptions options = {.schema = r.default_schema};
    for (int i = 0; ok && i < 2; i++)
        if (r.schemas[i]) {
            ret[i].schema = bridge_catalog(a, r.schemas[i], &options);
            ret[i].catalog = ret[i].schema.catalog;
        }
    ok = ok && (!needs_server || choose_what(&r, ret, err));
    /* A schema needs to know the other side. */
    for (int pass = 0; ok && needs_server && pass < 2; pass++)
        for (int i = 0; ok && i < 2; i++)
            if (r.schemas[i] ? pass == 1 && !in->keep_written : pass == 0)
                ok = read_side(&r, i, ret, err);
    if (ok)
        leave_out_ledgers(&r, ret);
    ok = ok && (!needs_server || leave_others_own(&r, ret, err));
    for (int i = 0; ok && i < 2; i++)
        if (ret[i].session.db && ret[!i].catalog)
            ok = managed_partitions(a, ret[i].session.db, ret[i].catalog, ret[!i].catalog,
                                    ret[!i].session.db, err);
    for (int i = 0; ok && i < 2; i++)
        if (ret[i].session.db && ret[!i].replay.catalog && !r.schemas[!i])
            managed_defined(ret[i].catalog, &ret[!i].replay);
    ok = ok && (!ret[0].major || !ret[1].major || same_words(&r, ret, err));
    for (int i = 0; ok && i < 2; i++)
        add_public(a, &ret[i], &ret[!i]);
    if (!ok)
        flow_sides_close(ret);
    return ok;
}
