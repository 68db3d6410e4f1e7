/* The drill: a backup restored into a private server, compared, and thrown away. */
#include "flow/restore_int.h"

#include "base/clock.h"
#include "sqltext/sqltext.h"

static void
close_cluster(TempCluster **c)
{
    temp_cluster_close(*c);
}

static bool
make_roles(Restore *r)
{
    RestoreLacks lacks;
    Buf b;
    buf_init(&b, r->arena);
    if (!restore_lacks(r->arena, r->db, &r->ret->survey, false, false, &lacks, r->err))
        return false;
    vec_each (const char *, role, &lacks.roles) {
        buf_addz(&b, "CREATE ROLE ");
        sql_add_ident(&b, *role);
        buf_addc(&b, ';');
    }
    return !b.n || db_query(r->db, r->arena, buf_str(&b), NULL, r->err);
}

static const char drill_name[] = "drill";

/* What the backup's extensions must be started with. */
static const char *const *
drill_settings(Restore *r)
{
    VEC(const char *) names = {0};
    for (const char *const *name = cluster_preloads; *name; name++)
        if (restoring_wants(r, *name))
            *vec_add(r->arena, &names) = *name;
    return cluster_preload_settings(r->arena, names.v, names.n,
                                    restore_is_raw(&r->ret->survey) ? drill_name : "postgres");
}

/* The same major, or else the newest that there is. *ret_same: why it is not the same. */
static bool
open_cluster(Restore *r, TempCluster **ret, Err *ret_same)
{
    Arena *a = r->arena;
    const char *bindir = r->in->base.config->values[CFG_EMBEDDED_BIN].text;
    const char *const *settings = drill_settings(r);
    if (temp_cluster_open(a, bindir, r->ret->survey.major, settings, ret, ret_same) ||
        temp_cluster_open(a, NULL, 0, settings, ret, r->err))
        return true;
    if (!settings || r->err->code != ERR_EMBEDDED)
        return false;
    const Err why = *r->err;
    err_set(r->err, ERR_EMBEDDED,
            "the drill cannot tell whether the backup restores: no PostgreSQL of this machine "
            "starts with %s",
            settings[0]);
    err_detail(r->err, "%s", why.detail);
    return err_hint(r->err, "install the extension here; the backup was read, and is whole");
}

/* A database that can hold the rows: in one of UTF8 there is no place for bytes of no encoding. */
static bool
open_drill(Restore *r)
{
    if (!restoring_open(r, NULL) || !restore_is_raw(&r->ret->survey))
        return r->db && db_is_open(r->db);
    bool ok = db_query(r->db, r->arena,
                       str_of(str_fmt(r->arena, "CREATE DATABASE %s TEMPLATE template0%s",
                                      drill_name, database_raw_options(r->arena, &r->ret->survey))),
                       NULL, r->err);
    db_close(r->db);
    r->db = NULL;
    return ok && restoring_open(r, drill_name);
}

static bool
drill(Restore *r)
{
    __attribute__((cleanup(close_cluster))) TempCluster *cluster = NULL;
    Target *t = &r->ret->target;
    Err same;
    if (!restoring_backup(r) || !restoring_survey(r) || !open_cluster(r, &cluster, &same))
        return false;
    int wanted = r->ret->survey.major;
    if (temp_cluster_major(cluster) < wanted) {
        *r->err = same;
        return err_detail(r->err, "a backup of PostgreSQL %d is tried on %d or newer", wanted,
                          wanted);
    }
    t->origin = "a throwaway server";
    if (!url_parse(r->arena, temp_cluster_url(cluster), t->origin, &t->url, r->err))
        return false;
    t->shown = url_shown(r->arena, &t->url);
    bool ok = open_drill(r) && make_roles(r) && restoring_lacks(r, r->db);
    if (ok) {
        r->ret->into = true;
        r->ret->database = "postgres";
        restoring_versions(r, db_info(r->db));
        ok = restoring_run(r);
    }
    db_close(r->db);
    r->db = NULL;
    return ok;
}

bool
flow_drill(Arena *a, const RestoreInput *in, RestoreReport *ret, Err *err)
{
    int64_t started = clock_ms();
    *ret = (RestoreReport){.config = in->base.config, .is_drill = true};
    findings_init(&ret->findings, a, &in->base.config->finding_rules);
    Restore r = {.arena = a, .in = in, .ret = ret, .err = err};
    bool ok = drill(&r);
    ret->ms = clock_ms() - started;
    return ok;
}
