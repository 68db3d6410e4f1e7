/* What all databases for tests of one history are clones of: its name, and how it is made. */
#include "flow/testdb_int.h"

#include "base/clock.h"
#include "base/hash.h"
#include "flow/seed.h"
#include "sqltext/sqltext.h"

#include <inttypes.h>

enum { HASH_LENGTH = 15, LOCK_PAUSE_MS = 50 };

/* ---- what it is made of ------------------------------------------------------------------------ */

static const char *
add_link(Arena *a, const char *before, const char *name, Str text)
{
    HashState *h = hash_sha256_begin(a);
    hash_sha256_add(h, str_of(before));
    hash_sha256_add(h, str_of(str_fmt(a, "\n%s\n", name)));
    hash_sha256_add(h, text);
    return str_fmt(a, "%.*s", (int)HASH_LENGTH, hash_sha256_end(a, h));
}

bool
testdb_plan(Arena *a, const TestServer *s, TestPlan *ret, Err *err)
{
    const char *seeds = NULL;
    const Config *c = s->in->base.config;
    *ret = (TestPlan){0};
    if (!flow_history(a, c, &ret->history, err) ||
        (s->in->seeds && !flow_seed_sum(a, c, &seeds, err)))
        return false;
    ret->n = ret->history.files.n;
    ret->chain = arena_array(a, const char *, ret->n + 1);
    ret->chain[0] = add_link(a, ret->history.layout->ledger.tool, "testdb 1",
                             str_of(str_fmt(a, "%d", db_info(s->admin)->version)));
    for (size_t i = 0; i < ret->n; i++) {
        Str text;
        const Migration *m = &ret->history.files.v[i];
        if (!migration_text(a, m, &text, err))
            return false;
        ret->chain[i + 1] = add_link(a, ret->chain[i], m->name, text);
    }
    ret->has_seeds = seeds != NULL;
    ret->hash =
        seeds ? add_link(a, ret->chain[ret->n], "seeds", str_of(seeds)) : ret->chain[ret->n];
    return true;
}

/* ---- making it --------------------------------------------------------------------------------- */

static void
no_event(void *arg, const RunEvent *e)
{
    (void)arg;
    (void)e;
}

/* The project as it would be deployed to that database, without what is done for live ones. */
static const Config *
config_for(Arena *a, const Config *c, const char *url)
{
    Config *own = arena_new(a, Config);
    *own = *c;
    own->values[CFG_URL] = (ConfigValue){.text = url, .origin = "aramid testdb"};
    own->values[CFG_DIRECT_URL] = (ConfigValue){0};
    own->values[CFG_BACKUP] = (ConfigValue){.origin = "aramid testdb"};
    own->values[CFG_VERIFY].text = "off";
    own->values[CFG_DRIFT].text = "off";
    own->values[CFG_DUMP_SCHEMA].text = "never";
    own->profile = PROFILE_DEVELOPMENT;
    own->env_name = "development";
    own->env_said = own->env_named = own->url_is_own = false;
    own->other_url = own->other_url_origin = own->empty_url = own->unread_url = NULL;
    return own;
}

typedef struct Making {
    Arena *arena;
    TestServer *server;
    const TestPlan *plan;
    FindingList findings;
    RunSink sink;
} Making;

static FlowInput
input_for(const Making *m, const char *name)
{
    FlowInput base = m->server->in->base;
    base.config =
        config_for(m->arena, base.config, url_with_database(m->arena, m->server->url, name));
    base.yes = true;
    base.can_ask = false;
    return base;
}

static bool
deploy_to(Making *m, const char *name, Err *err)
{
    DeployResult r;
    const DeployInput in = {
        .base = input_for(m, name), .sink = m->sink, .run_id = "testdb", .accepts_loss = true};
    return flow_deploy(m->arena, &in, &r, err);
}

static bool
seed_to(Making *m, const char *name, Err *err)
{
    SeedResult r;
    const SeedInput in = {.base = input_for(m, name),
                          .sink = m->sink,
                          .run_id = "testdb",
                          .accepts_loss = true,
                          .on_output = m->server->in->on_output,
                          .arg = m->server->in->arg};
    return flow_seed(m->arena, &in, &r, err);
}

/* From now on it is one: nobody connects, and its name says what it holds. */
static bool
finish(Making *m, const char *begun, const char *hash, Err *err)
{
    const char *name = testdb_name(m->arena, TESTDB_TEMPLATE, hash);
    Buf b;
    buf_init(&b, m->arena);
    buf_addz(&b, "ALTER DATABASE ");
    sql_add_ident(&b, begun);
    buf_addz(&b, " RENAME TO ");
    sql_add_ident(&b, name);
    buf_addz(&b, ";ALTER DATABASE ");
    sql_add_ident(&b, name);
    buf_addz(&b, " ALLOW_CONNECTIONS false;COMMENT ON DATABASE ");
    sql_add_ident(&b, name);
    buf_fmt(&b, " IS '{\"until\":%" PRId64 "}'", clock_wall_us());
    return db_query(m->server->admin, m->arena, buf_str(&b), NULL, err);
}

/* A database that begins as a clone of `of`, is filled, and becomes the template of a hash. */
static bool
fill(Making *m, const char *of, const char *hash, bool (*what)(Making *, const char *, Err *),
     Err *err)
{
    const char *begun = testdb_name(m->arena, TESTDB_BEGUN, hash);
    if (testdb_create(m->arena, m->server, begun, of, err) && what(m, begun, err) &&
        finish(m, begun, hash, err))
        return true;
    testdb_drop_one(m->server, begun);
    return false;
}

static bool
make(Making *m, Err *err)
{
    const TestPlan *plan = m->plan;
    const TestDbInput *in = m->server->in;
    const char *all = plan->chain[plan->n];
    size_t known = plan->n;
    while (known && !testdb_find(m->server, TESTDB_TEMPLATE, plan->chain[known]))
        known--;
    if (in->on_making)
        in->on_making(in->arg, plan->n, known);
    const char *of = known ? testdb_name(m->arena, TESTDB_TEMPLATE, plan->chain[known]) : NULL;
    if (!testdb_find(m->server, TESTDB_TEMPLATE, all) && !fill(m, of, all, deploy_to, err))
        return false;
    return !plan->has_seeds ||
           fill(m, testdb_name(m->arena, TESTDB_TEMPLATE, all), plan->hash, seed_to, err);
}

bool
testdb_make(Arena *a, TestServer *s, const TestPlan *plan, bool *ret_made, Err *err)
{
    bool is_ours = false;
    Making m = {.arena = a, .server = s, .plan = plan};
    findings_init(&m.findings, a, &s->in->base.config->finding_rules);
    m.sink = (RunSink){.event = no_event, .findings = &m.findings};
    *ret_made = false;
    for (;;) {
        if (!testdb_try_lock(a, s, plan->chain[plan->n], &is_ours, err) || !testdb_read(a, s, err))
            return false;
        if (testdb_find(s, TESTDB_TEMPLATE, plan->hash))
            break;
        if (is_ours) {
            if (!make(&m, err))
                return false;
            *ret_made = true;
            break;
        }
        if (!db_pause(s->in->base.tick, s->in->base.tick_arg, LOCK_PAUSE_MS))
            return err_set(err, ERR_INTERRUPTED,
                           "interrupted while another call makes the template");
    }
    return !is_ours || testdb_unlock(a, s, plan->chain[plan->n], err);
}
