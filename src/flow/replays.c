/* How a command replays, and what is told of a replay. */
#include "flow/endpoint.h"

#include "shadow/cluster.h"
#include "sqltext/sqltext.h"

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
    if (s->url_schema)
        sql_add_ident(&path, s->url_schema);
    else
        buf_add(&path, db_cell(&results.v[0], 0, 0));
    ret->search_path = path.p;
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
