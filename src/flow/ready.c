#include "flow/ready.h"

#include "base/clock.h"
#include "base/fs.h"
#include "base/hash.h"
#include "base/os.h"
#include "flow/git.h"
#include "flow/review.h"
#include "sqltext/sqltext.h"

const char *
flow_actor(Arena *a)
{
    static const char *const names[] = {"GITHUB_ACTOR", "GITLAB_USER_LOGIN",
                                        "BITBUCKET_STEP_TRIGGERER_UUID",
                                        "VERCEL_GIT_COMMIT_AUTHOR_LOGIN"};
    for (size_t i = 0; i < COUNT(names); i++)
        if (os_env(names[i]) && os_env(names[i])[0])
            return str_printable(a, str_of(os_env(names[i])), false);
    const char *user = git_user(a);
    return user ? user : os_who(a);
}

bool
flow_records_read(Arena *a, const Config *c, GateRecords *ret, Err *err)
{
    const char *path = c->values[CFG_GATE_EVIDENCE].text;
    bool is_there;
    Str text;
    *ret = (GateRecords){0};
    if (!fs_read_if_there(a, path, &is_there, &text, err))
        return false;
    return !is_there || gate_records_read(a, fs_below(c->project_dir, path), text, ret, err);
}

bool
flow_folder_checksum(Arena *a, const History *h, const char **ret, Err *err)
{
    HashState *all = hash_sha256_begin(a);
    vec_each (const Migration, m, &h->files) {
        const char *one;
        if (!m->has_file)
            continue;
        if (!flow_file_checksum(a, m, &one, err))
            return false;
        hash_sha256_add(all, str_of(str_fmt(a, "%s %s\n", one, m->name)));
    }
    *ret = hash_sha256_end(a, all);
    return true;
}

static bool
fill_pending(Arena *a, const History *h, GateReadyFacts *f, Err *err)
{
    vec_each (const Entry, e, &h->entries) {
        GatePending p = {.name = e->name};
        if (e->state == ENTRY_APPLIED || !e->file || !e->file->has_file)
            continue;
        if (!flow_file_checksum(a, e->file, &p.checksum, err))
            return false;
        *vec_add(a, &f->pending) = p;
    }
    return true;
}

/* ---- windows ------------------------------------------------------------------------------- */

static bool
read_windows(Arena *a, const Config *c, ConfigKey key, GateWindows *ret, Err *err)
{
    ConfigList list = config_list(a, c, key);
    vec_each (const char *const, text, &list)
        if (!gate_window_parse(a, *text, vec_add(a, ret), err)) {
            err_detail(err, "it is from %s", c->values[key].origin);
            return false;
        }
    return true;
}

static void
add_zone(Arena *a, const GateWindows *list, GateTimes *ret)
{
    vec_each (const GateWindow, w, list) {
        const char *zone = w->zone ? w->zone : "UTC";
        bool known = false;
        vec_each (const GateTime, t, ret)
            known |= strcmp(t->zone, zone) == 0;
        if (!known)
            *vec_add(a, ret) = (GateTime){.zone = zone};
    }
}

/* By the server's clock and its table of time zones: one clock for all who deploy. */
static bool
ask_times(Arena *a, const Session *s, GateTimes *ret, Err *err)
{
    Buf sql;
    DbRowsVec results = {0};
    buf_init(&sql, a);
    buf_addz(&sql, "SELECT pg_catalog.to_char(t, 'YYYYMMDD'), pg_catalog.to_char(t, 'ID'),"
                   " pg_catalog.to_char(t, 'HH24'), pg_catalog.to_char(t, 'MI') FROM (VALUES ");
    vec_each (const GateTime, t, ret) {
        buf_addz(&sql, t == ret->v ? "(" : ", (");
        sql_add_text(&sql, t->zone);
        buf_addc(&sql, ')');
    }
    buf_addz(&sql, ") AS z (n), LATERAL (SELECT pg_catalog.timezone(z.n,"
                   " pg_catalog.clock_timestamp()) AS t) AS l");
    if (!db_query(s->db, a, buf_str(&sql), &results, err)) {
        if (strcmp(err->sqlstate, "22023") == 0) { /* a time zone that it does not know */
            err->code = ERR_CONFIG;
            return err_hint(err, "the setting windows.allow or windows.deny names it");
        }
        return false;
    }
    const DbRows *r = &results.v[results.n - 1];
    for (int i = 0; i < r->rows && (size_t)i < ret->n; i++) {
        long long v[4] = {0};
        for (int k = 0; k < 4; k++)
            (void)!str_to_int(db_cell(r, i, k), 0, 99999999, &v[k]);
        GateTime *t = &ret->v[i];
        t->date = (int)v[0];
        t->weekday = (int)v[1] - 1;
        t->minute = (int)(v[2] * 60 + v[3]);
    }
    return true;
}

/* ---- all of it ----------------------------------------------------------------------------- */

static bool
has_gate(const Config *c)
{
    return c->values[CFG_GATE_REQUIRES].text || c->values[CFG_WINDOW_ALLOW].text ||
           c->values[CFG_WINDOW_DENY].text;
}

bool
flow_ready(Arena *a, const Config *c, const ConfigList *words, const Session *s, const History *h,
           GateItems *ret, Err *err)
{
    GateRecords records;
    GateReviews reviews;
    const ConfigList required = words ? *words : config_list(a, c, CFG_GATE_REQUIRES);
    GateReadyFacts f = {.records = &records,
                        .reviews = &reviews,
                        .required = required.v,
                        .required_count = required.n,
                        .approvals = (int)c->values[CFG_GATE_APPROVALS].number,
                        .is_pipeline = c->is_ci};
    *ret = (GateItems){0};
    if (!words && !has_gate(c))
        return true;
    vec_each (const char *const, word, &required)
        if (strcmp(*word, "approval") == 0) /* git is asked for nobody else */
            f.actor = flow_actor(a);
    int64_t days = c->values[CFG_GATE_DRILL_DAYS].number;
    if (days)
        f.newest_drill = clock_iso(a, clock_wall_us() - days * 86400 * INT64_C(1000000));
    if (!flow_records_read(a, c, &records, err) || !flow_reviews_read(a, c, &reviews, err) ||
        !read_windows(a, c, CFG_WINDOW_ALLOW, &f.allow, err) ||
        !read_windows(a, c, CFG_WINDOW_DENY, &f.deny, err) ||
        !flow_folder_checksum(a, h, &f.folder, err) || !fill_pending(a, h, &f, err))
        return false;
    gate_records_check(a, &records, c->values[CFG_GATE_KEY].text);
    add_zone(a, &f.allow, &f.times);
    add_zone(a, &f.deny, &f.times);
    if (!s || !s->db) {
        f.allow.n = f.deny.n = 0;
    } else if (f.times.n && f.pending.n && !ask_times(a, s, &f.times, err))
        return false;
    gate_ready(a, &f, ret);
    /* The URL of this call is not the one of another environment. */
    const ConfigValue *url = config_target(c);
    vec_each (GateItem, i, ret)
        if (i->fix && strstr(i->fix, " --env ") && url &&
            str_starts(str_of(url->origin), STR("flag")))
            i->fix = str_fmt(a, "%s --url URL", i->fix);
    return true;
}

bool
flow_refuse_unready(const Config *c, const GateItems *items, Err *err)
{
    err_set(err, ERR_NOT_READY, "environment \"%s\" asks for what is not there", c->env_name);
    vec_each (const GateItem, i, items)
        if (!i->ok)
            err_detail(err, "%s: %s", i->what, i->why);
    err_detail(err, "nothing was changed");
    vec_each (const GateItem, i, items)
        if (!i->ok && i->fix)
            err_hint(err, "%s", i->fix);
    return err_hint(err, "in an emergency: --break-glass REASON, which is recorded and told");
}
