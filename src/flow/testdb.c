/* Databases for tests: taken, kept ready, swept, dropped. */
#include "flow/testdb_int.h"

#include "base/clock.h"
#include "base/jw.h"
#include "base/os.h"
#include "sqltext/sqltext.h"

#define TEMPLATES_KEPT 8
#define TEMPLATE_AGE_US (INT64_C(7) * 24 * 3600 * 1000000)

/* ---- what is noted ------------------------------------------------------------------------------- */

static Str
comment_of(Arena *a, int64_t until_us, const char *owner)
{
    JsonWriter w;
    jw_init(&w, a, false);
    jw_object(&w, NULL);
    jw_int(&w, "until", until_us);
    if (owner)
        jw_strz(&w, "owner", owner);
    jw_end(&w);
    return buf_str(&w.out);
}

static void
add_comment(Buf *b, const char *name, Str comment)
{
    buf_addz(b, "COMMENT ON DATABASE ");
    sql_add_ident(b, name);
    buf_addz(b, " IS ");
    sql_add_literal(b, comment);
    buf_addz(b, ";");
}

/* ---- taking ------------------------------------------------------------------------------------ */

/* false without an error: somebody else has taken it. */
static bool
take(Arena *a, const TestServer *s, const char *ready, TestDb *ret, bool *ret_taken, Err *err)
{
    const TestDbInput *in = s->in;
    *ret = (TestDb){.kind = TESTDB_TAKEN,
                    .until_us = clock_wall_us() + in->ttl_ms * 1000,
                    .owner = in->owner ? os_tag(a, in->owner) : NULL};
    Str name = str_of(ready);
    ret->name = str_fmt(a, TESTDB_PREFIX "c%.*s", (int)(name.n - sizeof TESTDB_PREFIX),
                        ready + sizeof TESTDB_PREFIX);
    Buf b;
    buf_init(&b, a);
    buf_addz(&b, "ALTER DATABASE ");
    sql_add_ident(&b, ready);
    buf_addz(&b, " RENAME TO ");
    sql_add_ident(&b, ret->name);
    buf_addz(&b, ";");
    add_comment(&b, ret->name, comment_of(a, ret->until_us, ret->owner));
    *ret_taken = db_query(s->admin, a, buf_str(&b), NULL, err);
    if (!*ret_taken)
        return strcmp(err->sqlstate, "3D000") == 0 || strcmp(err->sqlstate, "55006") == 0;
    ret->url = url_with_database(a, s->url, ret->name);
    return true;
}

static bool
take_one(Arena *a, const TestServer *s, const char *hash, TestDb *ret, Err *err)
{
    bool taken = false;
    vec_each (TestDb, d, &s->all) {
        if (d->kind != TESTDB_READY || d->was_tried || strcmp(d->hash, hash) != 0)
            continue;
        d->was_tried = true;
        if (!take(a, s, d->name, ret, &taken, err))
            return false;
        if (taken)
            return true;
    }
    const char *name = testdb_name(a, TESTDB_READY, hash);
    if (!testdb_create(a, s, name, testdb_name(a, TESTDB_TEMPLATE, hash), err))
        return false;
    bool ok = take(a, s, name, ret, &taken, err);
    ret->is_new = true;
    if (!ok || taken)
        return ok;
    return take_one(a, s, hash, ret, err); /* who was quicker has taken this one */
}

bool
flow_testdb_take(Arena *a, const TestDbInput *in, TestDbResult *ret, Err *err)
{
    TestServer s;
    TestPlan plan;
    *ret = (TestDbResult){0};
    if (in->owner && !os_tag(a, in->owner)) {
        err_set(err, ERR_USAGE, "there is no process %ld", in->owner);
        return err_hint(err, "--owner is the process that runs the tests: process.pid, $$");
    }
    if (!testdb_open(a, in, true, &s, err))
        return false;
    bool ok = testdb_plan(a, &s, &plan, err);
    if (ok && !testdb_find(&s, TESTDB_TEMPLATE, plan.hash))
        ok = testdb_make(a, &s, &plan, &ret->has_made, err);
    ret->server = s.shown;
    for (int i = 0; ok && i < in->count; i++) {
        TestDb d;
        ok = take_one(a, &s, plan.hash, &d, err);
        if (ok)
            *vec_add(a, &ret->list) = d;
    }
    if (ok) {
        ret->template = testdb_name(a, TESTDB_TEMPLATE, plan.hash);
        ret->hash = plan.hash;
    }
    db_close(s.admin);
    return ok;
}

/* ---- afterwards -------------------------------------------------------------------------------- */

static bool
is_over(const TestDb *d, int64_t now)
{
    if (d->until_us < now)
        return true;
    return d->owner && !d->sessions && os_tag_alive(str_of(d->owner)) == OS_DEAD;
}

static bool
is_older(const TestDb *x, const TestDb *y)
{
    return x->until_us != y->until_us ? x->until_us < y->until_us : strcmp(x->name, y->name) < 0;
}

static bool
is_template_kept(const TestServer *s, const TestDb *t, int64_t now)
{
    size_t newer = 0;
    vec_each (const TestDb, d, &s->all)
        newer += d->kind == TESTDB_TEMPLATE && is_older(t, d);
    return newer < TEMPLATES_KEPT && t->until_us > now - TEMPLATE_AGE_US;
}

static bool
is_to_go(Arena *a, TestServer *s, const TestDb *d, int64_t now)
{
    Err ignored;
    bool is_free = false;
    switch (d->kind) {
    case TESTDB_TEMPLATE:
        return !is_template_kept(s, d, now);
    case TESTDB_READY: {
        const TestDb *t = testdb_find(s, TESTDB_TEMPLATE, d->hash);
        return !t || !is_template_kept(s, t, now);
    }
    case TESTDB_TAKEN:
        return is_over(d, now);
    case TESTDB_BEGUN: /* whoever makes it holds the lock */
        if (!testdb_try_lock(a, s, d->hash, &is_free, &ignored) || !is_free)
            return false;
        return testdb_unlock(a, s, d->hash, &ignored);
    }
    return false;
}

static bool
sweep(Arena *a, TestServer *s, TestDbResult *ret, Err *err)
{
    if (!testdb_read(a, s, err))
        return false;
    const int64_t now = clock_wall_us();
    vec_each (TestDb, d, &s->all)
        if (is_to_go(a, s, d, now))
            ret->dropped += testdb_drop_one(s, d->name);
    return true;
}

bool
flow_testdb_sweep(Arena *a, const TestDbInput *in, TestDbResult *ret, Err *err)
{
    TestServer s;
    *ret = (TestDbResult){0};
    if (!testdb_open(a, in, false, &s, err))
        return false;
    ret->server = s.shown;
    bool ok = !s.admin || sweep(a, &s, ret, err);
    db_close(s.admin);
    return ok;
}

static bool
fill_up(Arena *a, TestServer *s, const char *hash, Err *err)
{
    const char *of = testdb_name(a, TESTDB_TEMPLATE, hash);
    Buf b;
    buf_init(&b, a);
    add_comment(&b, of, comment_of(a, clock_wall_us(), NULL));
    int64_t wanted = s->in->base.config->values[CFG_TESTDB_POOL].number;
    vec_each (const TestDb, d, &s->all)
        wanted -= d->kind == TESTDB_READY && strcmp(d->hash, hash) == 0;
    bool ok = db_query(s->admin, a, buf_str(&b), NULL, err);
    for (; ok && wanted > 0; wanted--) {
        ARENA_LOCAL(scratch);
        ok = testdb_create(scratch, s, testdb_name(scratch, TESTDB_READY, hash), of, err);
    }
    return ok;
}

bool
flow_testdb_refill(Arena *a, const TestDbInput *in, const char *hash, Err *err)
{
    static const char lock[] = "7e57db000000000"; /* of all who refill this server */
    TestServer s;
    TestDbResult swept = {0};
    bool is_ours = false;
    if (!testdb_open(a, in, false, &s, err))
        return false;
    if (!s.admin)
        return true;
    bool ok = testdb_try_lock(a, &s, lock, &is_ours, err);
    if (ok && is_ours)
        ok = sweep(a, &s, &swept, err) && testdb_read(a, &s, err) &&
             (!testdb_find(&s, TESTDB_TEMPLATE, hash) || fill_up(a, &s, hash, err));
    db_close(s.admin);
    return ok;
}

bool
flow_testdb_list(Arena *a, const TestDbInput *in, TestDbResult *ret, Err *err)
{
    TestServer s;
    *ret = (TestDbResult){0};
    if (!testdb_open(a, in, false, &s, err))
        return false;
    ret->server = s.shown;
    vec_each (const TestDb, d, &s.all) {
        TestDb *copy = vec_add(a, &ret->list);
        *copy = *d;
        copy->url = url_with_database(a, s.url, d->name);
    }
    db_close(s.admin);
    return true;
}

/* "postgres://.../NAME?..." is what was printed. false: a name that is none of ours. */
static bool
read_typed(Arena *a, const char *typed, TestDb *ret)
{
    const char *end = typed + strcspn(typed, "?#"), *begin = end;
    while (begin > typed && begin[-1] != '/')
        begin--;
    *ret = (TestDb){0};
    return testdb_read_name(a, (Str){begin, (size_t)(end - begin)}, ret);
}

static bool
is_there(const TestServer *s, const char *name)
{
    vec_each (const TestDb, d, &s->all)
        if (strcmp(d->name, name) == 0)
            return true;
    return false;
}

bool
flow_testdb_drop(Arena *a, const TestDbInput *in, const char *const *names, size_t n,
                 TestDbResult *ret, Err *err)
{
    TestServer s;
    *ret = (TestDbResult){0};
    if (!testdb_open(a, in, false, &s, err))
        return false;
    ret->server = s.shown;
    bool ok = true;
    TestDb typed;
    for (size_t i = 0; ok && i < n; i++)
        if (!read_typed(a, names[i], &typed)) {
            ok = err_set(err, ERR_USAGE, "this is no database of `aramid testdb`");
            err_hint(err, "those that there are: aramid testdb list");
        }
    for (size_t i = 0; ok && i < n; i++)
        if (read_typed(a, names[i], &typed) && is_there(&s, typed.name))
            ret->dropped += testdb_drop_one(&s, typed.name);
    vec_each (const TestDb, d, &s.all)
        if (ok && !n)
            ret->dropped += testdb_drop_one(&s, d->name);
    db_close(s.admin);
    return ok && (n || !s.is_own || testdb_remove_server(a, in, err));
}
