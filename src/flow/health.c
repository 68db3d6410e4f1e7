#include "flow/health.h"

#include "base/clock.h"
#include "base/fs.h"
#include "http/http.h"

#include "sqltext/sqltext.h"

enum {
    SQL_MAX = 16 * 1024 * 1024,
    PAUSE_MAX_MS = 30 * 1000,
    ANSWER_MAX = 256 * 1024,
    ROW_SHOWN = 120
};

typedef struct Asking {
    Arena *arena;
    const HookFacts *facts;
    HealthChecks *ret;
    Db *db; /* opened by the first that needs it */
} Asking;

static void
asking_close(Asking *k)
{
    db_close(k->db);
}

bool
flow_has_health(const Config *c)
{
    return c->values[CFG_HEALTH_URL].text || c->values[CFG_HEALTH_SQL].text ||
           flow_has_hooks(c, HOOK_SMOKE) || flow_has_hooks(c, HOOK_AFTER);
}

static void
add(Asking *k, const char *what, bool ok, const char *why, int64_t ms)
{
    *vec_add(k->arena, k->ret) = (HealthCheck){.what = what, .why = why, .ok = ok, .ms = ms};
    const RunSink *sink = k->facts->sink;
    const char *text = str_fmt(k->arena, "%s %s%s%s", what, ok ? "is well" : "is not well",
                               why ? ": " : "", why ? why : "");
    sink->event(
        sink->arg,
        &(RunEvent){.kind = RUN_CHECKED, .level = ok ? RUN_OK : RUN_ERROR, .ms = ms, .text = text});
}

/* ---- the database -------------------------------------------------------------------------- */

static bool
connect(Asking *k, Err *err)
{
    const HookFacts *f = k->facts;
    DbOptions o = flow_connection(f->in, &f->target->url, f->target->origin, "aramid/health");
    return k->db || db_open(k->arena, &o, &k->db, err);
}

/* The session's own table: nothing of the schema is touched, yet the server has to write. */
static bool
ask_write(Asking *k, Err *err)
{
    static const char what[] = "the database (a write that is rolled back)";
    const Str sql = STR("BEGIN; CREATE TEMP TABLE aramid_probe (x pg_catalog.int4) ON COMMIT DROP;"
                        " INSERT INTO pg_temp.aramid_probe VALUES (1); ROLLBACK");
    int64_t began = clock_ms();
    Err why;
    bool ok = connect(k, &why) && db_query(k->db, k->arena, sql, NULL, &why);
    if (ok || strcmp(why.sqlstate, "42501") == 0) {
        add(k, what, true, ok ? NULL : "this role may make no temporary table, so it only answers",
            clock_ms() - began);
        return ok || db_query(k->db, k->arena, STR("ROLLBACK"), NULL, err);
    }
    if (why.code == ERR_INTERRUPTED) {
        *err = why;
        return false;
    }
    add(k, what, false, str_dupz(k->arena, why.primary), clock_ms() - began);
    return true;
}

/* No row, or true alone: as the proofs of data migrations have it. */
static const char *
unwell(Arena *a, const DbRowsVec *results)
{
    vec_each (const DbRows, r, results) {
        if (!r->rows || !r->cols)
            continue;
        if (r->rows == 1 && r->cols == 1 && str_is(db_cell(r, 0, 0), "t"))
            continue;
        Buf b;
        buf_init(&b, a);
        /* BEGIN has the first result. */
        buf_fmt(&b, "query %d gives %s:", (int)(r - results->v), str_count(a, r->rows, "row"));
        for (int i = 0; i < r->cols && b.n < ROW_SHOWN; i++)
            buf_fmt(&b, " %s", r->cells[i].p ? str_printable(a, r->cells[i], false) : "NULL");
        return b.p;
    }
    return NULL;
}

static bool
ask_sql(Asking *k, const char *file, Err *err)
{
    Arena *a = k->arena;
    const Config *c = k->facts->in->config;
    Str text;
    SqlScript script;
    int64_t began = clock_ms();
    if (!fs_read(a, fs_join(a, c->project_dir, file), SQL_MAX, &text, err) ||
        !sql_split(a, file, text, &script, err))
        return false;
    if (!connect(k, err))
        return err->code != ERR_INTERRUPTED; /* said already, of the write */
    Buf sql;
    buf_init(&sql, a);
    buf_addz(&sql, "BEGIN READ ONLY;\n");
    buf_add(&sql, text);
    buf_addz(&sql, "\n;ROLLBACK");
    DbOutcome out;
    db_run(k->db, a, buf_str(&sql), &(DbRun){.timeout_ms = config_ms(c, CFG_HOOK_TIMEOUT)}, &out);
    if (out.cancelled && !out.timed_out)
        return db_outcome_err(&out, file, err);
    const char *why =
        out.end != DB_DONE
            ? str_printable(a, str_of(out.message ? out.message : "the connection is gone"), false)
            : unwell(a, &out.results);
    add(k, file, !why, why, clock_ms() - began);
    if (db_is_open(k->db))
        return out.end == DB_DONE || db_query(k->db, a, STR("ROLLBACK"), NULL, err);
    db_close(k->db); /* the next file has one of its own */
    k->db = NULL;
    return true;
}

/* ---- the application ----------------------------------------------------------------------- */

/* Why an answer is not one of a well application; NULL: it is. */
static const char *
judge(Arena *a, const Config *c, const HttpAnswer *answer)
{
    ConfigList statuses = config_list(a, c, CFG_HEALTH_STATUS);
    ConfigList texts = config_list(a, c, CFG_HEALTH_BODY);
    bool fits = false;
    vec_each (const char *const, s, &statuses)
        fits = fits || strcmp(*s, str_fmt(a, "%d", answer->status)) == 0;
    if (!fits)
        return str_fmt(a, "status %d%s%s", answer->status,
                       answer->location ? ", redirects are not followed: " : "",
                       answer->location ? answer->location : "");
    vec_each (const char *const, t, &texts)
        if (!str_contains(answer->body, str_of(*t)))
            return str_fmt(a, "its answer does not hold \"%s\"",
                           str_printable(a, str_of(*t), false));
    return NULL;
}

static int64_t
pause_after(const Config *c, int tries, int64_t asked_ms)
{
    int64_t ms = config_ms(c, CFG_HEALTH_DELAY);
    for (int i = 1; i < tries && ms < PAUSE_MAX_MS; i++)
        ms *= 2;
    ms = ms < PAUSE_MAX_MS ? ms : PAUSE_MAX_MS;
    return asked_ms > ms ? asked_ms : ms;
}

static bool
ask_address(Asking *k, const char *url, Err *err)
{
    Arena *a = k->arena;
    const FlowInput *in = k->facts->in;
    const Config *c = in->config;
    const char *what = http_shown(a, url);
    const HttpRequest r = {.url = url,
                           .timeout_ms = config_ms(c, CFG_HEALTH_TIMEOUT),
                           .roots = url_system_roots(),
                           .keep = ANSWER_MAX,
                           .tick = in->tick,
                           .tick_arg = in->tick_arg,
                           .trace = c->trace};
    int64_t began = clock_ms(), most = c->values[CFG_HEALTH_TRIES].number;
    for (int tries = 1;; tries++) {
        ARENA_LOCAL(scratch);
        HttpAnswer answer;
        Err no_answer;
        const char *why;
        bool ok = http_request(scratch, &r, &answer, &no_answer);
        if (!ok && (no_answer.code == ERR_INTERRUPTED || no_answer.code == ERR_URL ||
                    no_answer.code == ERR_CONFIG)) {
            *err = no_answer;
            return false;
        }
        why = ok ? judge(scratch, c, &answer)
                 : str_fmt(scratch, "%s%s%s", no_answer.primary, no_answer.detail[0] ? ": " : "",
                           no_answer.detail);
        if (!why || tries >= most) {
            add(k, what, !why,
                !why        ? NULL
                : tries > 1 ? str_fmt(a, "%s (asked %d times)", why, tries)
                            : str_dupz(a, why),
                clock_ms() - began);
            return true;
        }
        if (!db_pause(in->tick, in->tick_arg,
                      pause_after(c, tries, ok ? answer.retry_after_ms : -1)))
            return err_set(err, ERR_INTERRUPTED, "interrupted while %s was asked", what);
    }
}

/* ---- all of it ----------------------------------------------------------------------------- */

static const HealthCheck *
first_unwell(const HealthChecks *list)
{
    vec_each (const HealthCheck, h, list)
        if (!h->ok)
            return h;
    return NULL;
}

static bool
ask_smoke(Asking *k, Err *err)
{
    int64_t began = clock_ms();
    if (!flow_has_hooks(k->facts->in->config, HOOK_SMOKE))
        return true;
    Err why;
    bool ok = flow_hooks(k->arena, HOOK_SMOKE, k->facts, &why);
    if (!ok && why.code == ERR_INTERRUPTED) {
        *err = why;
        return false;
    }
    *vec_add(k->arena, k->ret) = (HealthCheck){.what = "hooks.smoke",
                                               .why = ok ? NULL : str_dupz(k->arena, why.primary),
                                               .ok = ok,
                                               .ms = clock_ms() - began};
    return true;
}

bool
flow_health(Arena *a, const HookFacts *facts, HealthChecks *ret, Err *err)
{
    const Config *c = facts->in->config;
    __attribute__((cleanup(asking_close))) Asking k = {.arena = a, .facts = facts, .ret = ret};
    if (!ask_write(&k, err))
        return false;
    ConfigList files = config_list(a, c, CFG_HEALTH_SQL);
    vec_each (const char *const, f, &files)
        if (!ask_sql(&k, *f, err))
            return false;
    if (c->values[CFG_HEALTH_URL].text && !ask_address(&k, c->values[CFG_HEALTH_URL].text, err))
        return false;
    const HealthCheck *bad = first_unwell(ret);
    if (!bad && !ask_smoke(&k, err))
        return false;
    bad = first_unwell(ret);
    if (!bad)
        return true;
    bool is_smoke = strcmp(bad->what, "hooks.smoke") == 0; /* which says its name itself */
    return err_set(err, ERR_HEALTH, "%s%s%s", is_smoke ? "" : bad->what,
                   is_smoke ? "" : " is not well: ", bad->why);
}
