/* How a command replays, what of it is another history's, and what is told of a replay. */
#include "flow/endpoint.h"

#include "shadow/cluster.h"
#include "sqltext/sqltext.h"

#include <stdlib.h>

/* How the database's own deploys find things. */
static bool
read_surroundings(Arena *a, const Session *s, ReplayOptions *ret, Err *err)
{
    DbRowsVec results;
    VEC(CatName) extensions = {0};
    if (!db_query(
            s->db, a,
            STR("SELECT pg_catalog.current_setting('search_path');"
                "SELECT e.extname, n.nspname FROM pg_catalog.pg_extension e JOIN"
                " pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) e.extnamespace"
                " WHERE e.extname OPERATOR(pg_catalog.<>) 'plpgsql' ORDER BY e.extname COLLATE"
                " pg_catalog.\"C\""),
            &results, err))
        return false;
    const DbRows *rows = &results.v[1];
    for (int i = 0; i < rows->rows; i++)
        *vec_add(a, &extensions) =
            (CatName){.schema = db_cell(rows, i, 1).p, .name = db_cell(rows, i, 0).p};
    ret->extensions = extensions.v;
    ret->nextensions = extensions.n;
    Buf path;
    buf_init(&path, a);
    Str role = db_cell(&results.v[0], 0, 0);
    if (s->url_schema)
        sql_add_ident(&path, s->url_schema);
    else if (!str_is(role, "\"$user\", public")) /* the private server's own: one cache for both */
        buf_add(&path, role);
    ret->search_path = path.n ? path.p : NULL;
    return true;
}

bool
flow_replay_options(Arena *a, const FlowInput *in, const Session *compared, ReplayOptions *ret,
                    Err *err)
{
    const ConfigValue *shadow = &in->config->values[CFG_SHADOW_URL];
    *ret = (ReplayOptions){.bindir = in->config->values[CFG_EMBEDDED_BIN].text,
                           .trace = in->config->trace,
                           .major = compared ? db_info(compared->db)->version / 10000 : 0,
                           .not_there = compared ? db_info(compared->db) : NULL,
                           .cache_dir = cluster_cache_folder(a),
                           .tick = in->tick,
                           .tick_arg = in->tick_arg};
    if (compared && !read_surroundings(a, compared, ret, err))
        return false;
    if (!shadow->text)
        return true;
    DbUrl *url = arena_new(a, DbUrl);
    ret->shadow_url = url;
    ret->shadow_origin = shadow->origin;
    if (!url_parse(a, shadow->text, shadow->origin, url, err))
        return false;
    const ConfigValue *target = config_target(in->config);
    DbUrl other;
    Err ignored;
    if (!target || !url_parse(a, target->text, target->origin, &other, &ignored) ||
        !url_same_database(url, &other))
        return true;
    err_set(err, ERR_SHADOW, "the database for replays is the one that is looked at");
    err_detail(err, "%s and %s name the same database", shadow->origin, target->origin);
    return err_hint(err, "name an empty database, or none: then a private server is used");
}

/* Where no database says it, the platform does. */
ReplayOptions
flow_replay_as(const History *h, const ReplayOptions *o)
{
    ReplayOptions ret = *o;
    if (h->layout == &history_supabase && !o->search_path && !o->nextensions) {
        ret.search_path = REPLAY_SUPABASE_PATH;
        ret.extensions = replay_supabase;
        ret.nextensions = COUNT(replay_supabase);
    }
    return ret;
}

bool
flow_replay_history(Arena *a, const History *h, size_t part, const ReplayOptions *o, Replay *ret,
                    Err *err)
{
    const ReplayOptions options = flow_replay_as(h, o);
    VEC(ReplayScript) scripts = {0};
    vec_each (const Migration, m, &h->files) {
        Str text;
        if (part != HISTORY_ALL && m->part != part)
            continue;
        if (!m->has_file)
            return migration_gone(m, err);
        if (!migration_sent_text(a, history_part_of(h, m->part)->layout, m, &text, err))
            return false;
        *vec_add(a, &scripts) = (ReplayScript){.name = m->name, .path = m->path, .sql = text};
    }
    return replay_scripts(a, scripts.v, scripts.n, &options, ret, err);
}

/* What Prisma's migrations alone make, and what its schema names. */
typedef struct Prismas {
    Arena *arena;
    const Catalog *own, *wanted;
    CatRefs *others;
} Prismas;

static bool
is_of_others(const void *arg, const CatObject *o)
{
    const Prismas *p = arg;
    CatName on = {o->id.schema, o->id.name};
    if (o->id.kind == CAT_SEQUENCE)
        on = ((const CatSequence *)(const void *)o)->owner_table;
    bool is_taken_over = /* all of it counts, as Prisma has it after a pull */
        on.name && catalog_relation(p->wanted, on.schema, on.name) &&
        !catalog_relation(p->own, on.schema, on.name);
    if (is_taken_over || catalog_find(p->own, o->id) || catalog_find(p->wanted, o->id))
        return false;
    *vec_add(p->arena, p->others) = o->id;
    return true;
}

bool
flow_leave_others_own(Arena *a, const History *h, const ReplayOptions *o, Catalog *made,
                      const Catalog *wanted, CatRefs *ret, Err *err)
{
    Replay own;
    size_t part = 0;
    *ret = (CatRefs){0};
    while (part < h->parts.n && history_part_of(h, part)->layout != &history_prisma)
        part++;
    if (part == h->parts.n)
        return true;
    if (!flow_replay_history(a, h, part, o, &own, err))
        return err->code == ERR_REPLAY;
    catalog_leave_out_objects(made, is_of_others, &(Prismas){a, own.catalog, wanted, ret});
    return true;
}

void
flow_find_replay(Arena *a, const Replay *r, FindingList *ret)
{
    if (r->is_other_major)
        finding_add(ret, FINDING_REPLAY_OTHER_MAJOR,
                    "replayed on PostgreSQL %d: the database's own version is not installed here",
                    r->major);
    vec_each (const ReplayStub, s, &r->stubs)
        finding_add(ret, FINDING_REPLAY_STUB, "for the replay, a stub stands in for it")->object =
            str_fmt(a, "%s \"%s\"", replay_stub_name(s->kind), s->name);
}

static int
by_kind(const void *x, const void *y)
{
    const CatOther *a = x, *b = y;
    int c = strcmp(a->what, b->what);
    if (!c)
        c = strcmp(a->schema ? a->schema : "", b->schema ? b->schema : "");
    return c ? c : strcmp(a->name, b->name);
}

void
flow_add_others(Arena *a, CatOthers *list, const Catalog *c)
{
    vec_each (const CatOther, o, &c->others)
        *vec_add(a, list) = *o;
    if (!list->n)
        return;
    qsort(list->v, list->n, sizeof *list->v, by_kind);
    size_t kept = 1;
    for (size_t i = 1; i < list->n; i++)
        if (by_kind(&list->v[kept - 1], &list->v[i]) != 0)
            list->v[kept++] = list->v[i];
    list->n = kept;
}
