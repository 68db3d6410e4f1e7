/* Databases for tests: the server, their names and comments, locks, making and dropping. */
#include "flow/testdb_int.h"

#include "base/jr.h"
#include "base/os.h"
#include "flow/database.h"
#include "sqltext/sqltext.h"

#include <inttypes.h>

static const char letters[] = "tbpc"; /* of TestDbKind */

/* ---- the server -------------------------------------------------------------------------------- */

static bool
refuse(const TestDbInput *in, Err *err)
{
    const Config *c = in->base.config;
    if (c->profile == PROFILE_DEVELOPMENT || !in->url)
        return true;
    err_set(err, ERR_REFUSED, "databases for tests are not made on a server of environment \"%s\"",
            c->env_name);
    return err_hint(err, "leave --env away, or name a server of your own: --url");
}

static ClusterOptions
options_for(const TestDbInput *in)
{
    ClusterOptions o;
    flow_cluster_options(in->base.config, in->base.self_exe, &o);
    o.for_tests = true;
    return o;
}

bool
testdb_remove_server(Arena *a, const TestDbInput *in, Err *err)
{
    enum { STOP_MS = 10000 };
    bool was_there;
    const ClusterOptions o = options_for(in);
    return cluster_remove(a, &o, STOP_MS, &was_there, err);
}

static bool
own_server(Arena *a, const TestDbInput *in, bool makes, TestServer *ret, Err *err)
{
    const ClusterOptions o = options_for(in);
    ClusterInfo info = {0};
    ret->is_own = true;
    ret->origin = "the project's PostgreSQL for tests";
    if (!makes) {
        if (!cluster_inspect(a, &o, &info, err))
            return false;
        if (!info.data_dir)
            return true;
    }
    if (!cluster_ensure(a, &o, &info, err))
        return false;
    ret->url = flow_cluster_url(a, &info);
    return true;
}

bool
testdb_open(Arena *a, const TestDbInput *in, bool makes, TestServer *ret, Err *err)
{
    *ret = (TestServer){.in = in, .url = in->url, .origin = in->url_origin};
    if (!refuse(in, err) || (!in->url && !own_server(a, in, makes, ret, err)))
        return false;
    if (!ret->url)
        return true;
    DbUrl *url = arena_new(a, DbUrl);
    if (!url_parse(a, ret->url, ret->origin, url, err))
        return false;
    ret->shown = url_shown(a, url);
    return database_admin(a, &in->base, url, ret->origin, &ret->admin, err) &&
           testdb_read(a, ret, err);
}

/* ---- names and what their comments say ----------------------------------------------------------- */

const char *
testdb_name(Arena *a, TestDbKind kind, const char *hash)
{
    if (kind == TESTDB_TEMPLATE)
        return str_fmt(a, TESTDB_PREFIX "t_%s", hash);
    uint64_t random;
    os_random(&random, sizeof random);
    return str_fmt(a, TESTDB_PREFIX "%c_%s_%012" PRIx64, letters[kind], hash,
                   random & UINT64_C(0xffffffffffff));
}

bool
testdb_read_name(Arena *a, Str name, TestDb *ret)
{
    static const Str prefix = {TESTDB_PREFIX, sizeof TESTDB_PREFIX - 1};
    if (!str_starts(name, prefix) || name.n < prefix.n + 3)
        return false;
    const char *letter = strchr(letters, name.p[prefix.n]);
    if (!letter || !*letter || name.p[prefix.n + 1] != '_')
        return false;
    Str rest = str_slice(name, prefix.n + 2, name.n);
    ret->kind = (TestDbKind)(letter - letters);
    ret->name = str_dup(a, name);
    ret->hash = str_dup(a, str_cut(&rest, '_'));
    return true;
}

static void
read_comment(Arena *a, Str comment, TestDb *ret)
{
    JsonReader r;
    jr_init(&r, a, comment);
    jr_object(&r);
    for (Str key; jr_key(&r, &key);)
        if (str_is(key, "until"))
            ret->until_us = jr_int(&r);
        else if (str_is(key, "owner"))
            ret->owner = str_dup(a, jr_str(&r));
        else
            jr_skip(&r);
    (void)!jr_done(&r); /* what cannot be read has no time and no owner */
}

bool
testdb_read(Arena *a, TestServer *s, Err *err)
{
    DbRowsVec results = {0};
    static const char sql[] =
        "SELECT d.datname, pg_catalog.shobj_description(d.oid, 'pg_database'), (SELECT"
        " pg_catalog.count(*) FROM pg_catalog.pg_stat_activity x WHERE x.datid"
        " OPERATOR(pg_catalog.=) d.oid) FROM pg_catalog.pg_database d WHERE"
        " pg_catalog.starts_with(d.datname::pg_catalog.text, '" TESTDB_PREFIX "') ORDER BY"
        " d.datname";
    if (!db_query(s->admin, a, str_of(sql), &results, err))
        return false;
    s->all.n = 0;
    const DbRows *rows = &results.v[0];
    for (int i = 0; i < rows->rows; i++) {
        TestDb d = {0};
        if (!testdb_read_name(a, db_cell(rows, i, 0), &d))
            continue;
        long long sessions = 0;
        if (db_cell(rows, i, 1).p)
            read_comment(a, db_cell(rows, i, 1), &d);
        (void)!str_to_int(db_cell(rows, i, 2), 0, INT32_MAX, &sessions);
        d.sessions = sessions;
        *vec_add(a, &s->all) = d;
    }
    return true;
}

TestDb *
testdb_find(const TestServer *s, TestDbKind kind, const char *hash)
{
    vec_each (TestDb, d, &s->all)
        if (d->kind == kind && strcmp(d->hash, hash) == 0)
            return d;
    return NULL;
}

/* ---- locks ------------------------------------------------------------------------------------- */

static bool
ask_lock(Arena *a, const TestServer *s, const char *function, const char *hash, bool *ret, Err *err)
{
    DbRowsVec results = {0};
    Str sql = str_of(str_fmt(a, "SELECT pg_catalog.%s(x'%.15s'::pg_catalog.int8)", function, hash));
    if (!db_query(s->admin, a, sql, &results, err))
        return false;
    *ret = str_is(db_cell(&results.v[0], 0, 0), "t");
    return true;
}

bool
testdb_try_lock(Arena *a, const TestServer *s, const char *hash, bool *ret, Err *err)
{
    return ask_lock(a, s, "pg_try_advisory_lock", hash, ret, err);
}

bool
testdb_unlock(Arena *a, const TestServer *s, const char *hash, Err *err)
{
    bool was_held;
    return ask_lock(a, s, "pg_advisory_unlock", hash, &was_held, err);
}

/* ---- making and dropping ------------------------------------------------------------------------- */

static bool
may_not_create(const TestServer *s, Err *err)
{
    if (strcmp(err->sqlstate, "42501") != 0)
        return false;
    err_set(err, ERR_DENIED, "user \"%s\" may make no databases on this server",
            db_info(s->admin)->user);
    err_hint(err, "give the right: ALTER ROLE ... CREATEDB");
    return err_hint(err, "or let the tests use the project's own server: without --url");
}

/* What ALTER DATABASE has set goes with no clone by itself. */
static bool
copy_settings(Arena *a, const TestServer *s, const char *name, const char *of, Err *err)
{
    DatabaseFacts facts;
    if (!database_facts(a, s->admin, of, &facts, err))
        return false;
    Buf b;
    buf_init(&b, a);
    vec_each (const char *, alter, &facts.alters) {
        if (!str_starts(str_of(*alter), STR("ALTER DATABASE")))
            continue;
        Buf ident;
        buf_init(&ident, a);
        sql_add_ident(&ident, name);
        const char *at = strstr(*alter, "%DB%");
        if (at)
            buf_fmt(&b, "%.*s%s%s;", (int)(at - *alter), *alter, ident.p, at + 4);
    }
    return !b.n || db_query(s->admin, a, buf_str(&b), NULL, err);
}

bool
testdb_create(Arena *a, const TestServer *s, const char *name, const char *of, Err *err)
{
    Buf b;
    buf_init(&b, a);
    buf_addz(&b, "CREATE DATABASE ");
    sql_add_ident(&b, name);
    buf_addz(&b, " TEMPLATE ");
    sql_add_ident(&b, of ? of : "template0");
    if (!of && s->is_own)
        buf_addz(&b, " ENCODING 'UTF8'");
    if (!db_query(s->admin, a, buf_str(&b), NULL, err))
        return may_not_create(s, err);
    return !of || copy_settings(a, s, name, of, err);
}

bool
testdb_drop_one(const TestServer *s, const char *name)
{
    ARENA_LOCAL(a);
    Err ignored;
    Buf b;
    buf_init(&b, a);
    buf_addz(&b, "DROP DATABASE IF EXISTS ");
    sql_add_ident(&b, name);
    buf_addz(&b, " WITH (FORCE)");
    return db_query(s->admin, a, buf_str(&b), NULL, &ignored);
}
