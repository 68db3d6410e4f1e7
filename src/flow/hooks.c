#include "flow/hooks.h"

#include "base/clock.h"
#include "base/fs.h"
#include "base/jw.h"
#include "base/os.h"
#include "flow/command.h"
#include "http/http.h"

enum { SQL_MAX = 16 * 1024 * 1024, SAID_MAX = 64 * 1024, ANSWER_MAX = 16 * 1024 };

static const struct {
    ConfigKey key;
    const char *name; /* as in aramid.yaml, without its group */
} points[] = {
    [HOOK_BEFORE] = {CFG_HOOK_PRE, "pre_migrate"},
    [HOOK_AFTER] = {CFG_HOOK_POST, "post_migrate"},
    [HOOK_SMOKE] = {CFG_HOOK_SMOKE, "smoke"},
    [HOOK_GENERATED] = {CFG_HOOK_GENERATE, "post_generate"},
    [HOOK_FAILED] = {CFG_HOOK_FAILURE, "on_failure"},
};

/* One hook. */
typedef struct Hook {
    const HookFacts *facts;
    const char *name; /* of the point, or the task */
    bool gets_urls;
    const char *text;  /* as it is written */
    const char *shown; /* the same, without what is secret */
    size_t said;       /* bytes passed on */
} Hook;

bool
flow_has_hooks(const Config *c, HookPoint point)
{
    Str text = str_of(c->values[points[point].key].text);
    return str_trim(text).n > 0;
}

bool
flow_hooks_outside(Err *err)
{
    const char *hook = os_env("ARAMID_HOOK");
    if (!hook || strcmp(hook, points[HOOK_BEFORE].name) != 0)
        return true;
    err_set(err, ERR_REFUSED,
            "a hook before a deploy must not change the database by Aramid itself");
    err_detail(err,
               "the deploy waits for its hook (ARAMID_HOOK is %s) and holds the migration lock",
               hook);
    return err_hint(err,
                    "give the SQL as a .sql file under hooks in aramid.yaml, or as a migration");
}

/* ---- commands ------------------------------------------------------------------------------ */

static ConfigList
environment(Arena *a, const Hook *h)
{
    static const char *const plain[] = {"PATH",   "HOME", "USER",   "LOGNAME", "SHELL", "LANG",
                                        "LC_ALL", "TZ",   "TMPDIR", "TERM",    "CI",    "NODE_ENV"};
    const HookFacts *f = h->facts;
    const Config *c = f->in->config;
    ConfigList list = {0}, given = config_list(a, c, CFG_HOOK_ENV);
    for (size_t i = 0; i < COUNT(plain); i++)
        if (os_env(plain[i]))
            *vec_add(a, &list) = str_fmt(a, "%s=%s", plain[i], os_env(plain[i]));
    *vec_add(a, &list) = flow_path(a, c->project_dir);
    ConfigList urls = h->gets_urls && f->target ? flow_urls(a, c, f->target) : (ConfigList){0};
    vec_each (const char *const, url, &urls)
        *vec_add(a, &list) = *url;
    vec_each (const char *const, name, &given) {
        const char *value = config_variable(a, c, *name);
        if (value)
            *vec_add(a, &list) = str_fmt(a, "%s=%s", *name, value);
    }
    *vec_add(a, &list) = str_fmt(a, "ARAMID_HOOK=%s", h->name);
    *vec_add(a, &list) = str_fmt(a, "ARAMID_ENVIRONMENT=%s", c->env_name);
    if (f->run_id)
        *vec_add(a, &list) = str_fmt(a, "ARAMID_RUN_ID=%s", f->run_id);
    if (f->server)
        *vec_add(a, &list) = str_fmt(a, "ARAMID_DATABASE=%s", f->server->database);
    if (f->error)
        *vec_add(a, &list) =
            str_fmt(a, "ARAMID_ERROR=%s",
                    url_redact(a, str_of(f->error->primary), c->secrets.v, c->secrets.n));
    Buf names;
    buf_init(&names, a);
    for (size_t i = 0; f->migrations && f->migrations[i]; i++)
        buf_fmt(&names, "%s%s", i ? "\n" : "", f->migrations[i]);
    *vec_add(a, &list) = str_fmt(a, "ARAMID_MIGRATION_NAMES=%s", names.p);
    *vec_add(a, &list) = NULL;
    return list;
}

static void
on_output(void *arg, Str line)
{
    Hook *h = arg;
    ARENA_LOCAL(a);
    bool was_full = h->said > SAID_MAX;
    h->said += line.n;
    const char *text = h->said > SAID_MAX ? "... what it says further is left out"
                                          : str_printable(a, str_trim(line), false);
    if (!was_full && text[0])
        h->facts->sink->event(
            h->facts->sink->arg,
            &(RunEvent){.kind = RUN_OUTPUT, .ms = -1, .text = str_fmt(a, "%s: %s", h->name, text)});
}

static bool
run_command(Arena *a, Hook *h, Err *err)
{
    const FlowInput *in = h->facts->in;
    const Config *c = in->config;
    const char *const argv[] = {"/bin/sh", "-c", h->text, NULL};
    const FlowCommand command = {.in = in,
                                 .name = h->shown,
                                 .argv = argv,
                                 .env = environment(a, h).v,
                                 .folder = c->project_dir,
                                 .timeout_ms = config_ms(c, CFG_HOOK_TIMEOUT),
                                 .on_output = on_output,
                                 .arg = h};
    int status = 0;
    if (!flow_command(a, &command, &status, err))
        return false;
    if (!status)
        return true;
    return err_set(err, ERR_HOOK, "exit status %d", status);
}

/* ---- SQL files ----------------------------------------------------------------------------- */

static void
on_notice(void *arg, const char *severity, const char *sqlstate, const char *text)
{
    (void)sqlstate;
    ARENA_LOCAL(a);
    on_output(arg, str_of(str_fmt(a, "%s: %s", severity, text)));
}

static void
close_db(Db **db)
{
    db_close(*db);
}

static bool
run_sql(Arena *a, Hook *h, Err *err)
{
    const FlowInput *in = h->facts->in;
    const Target *t = h->facts->target;
    Str text;
    const char *path = fs_join(a, in->config->project_dir, h->text);
    if (!t || t->absent)
        return err_set(err, ERR_HOOK, "there is no database to run it on");
    if (!fs_read(a, path, SQL_MAX, &text, err))
        return false;
    DbOptions o = flow_connection(in, &t->url, t->origin, "aramid/hook");
    __attribute__((cleanup(close_db))) Db *db = NULL;
    if (!db_open(a, &o, &db, err))
        return false;
    DbRun run = {.timeout_ms = config_ms(in->config, CFG_HOOK_TIMEOUT),
                 .discard_rows = true,
                 .notice = on_notice,
                 .notice_arg = h};
    DbOutcome out;
    db_run(db, a, text, &run, &out);
    if (out.end == DB_DONE)
        return true;
    db_outcome_err(&out, h->shown, err);
    db_outcome_details(a, &out, err);
    return false;
}

/* ---- addresses ----------------------------------------------------------------------------- */

static Str
facts_json(Arena *a, const Hook *h)
{
    const HookFacts *f = h->facts;
    const Config *c = f->in->config;
    JsonWriter w;
    jw_init(&w, a, false);
    jw_object(&w, NULL);
    jw_strz(&w, "hook", h->name);
    jw_strz(&w, "environment", c->env_name);
    jw_strz(&w, "run", f->run_id);
    jw_strz(&w, "database", f->server ? f->server->database : NULL);
    jw_array(&w, "migrations");
    for (size_t i = 0; f->migrations && f->migrations[i]; i++)
        jw_strz(&w, NULL, f->migrations[i]);
    jw_end(&w);
    if (f->error) {
        jw_object(&w, "error");
        jw_strz(&w, "name", err_info(f->error->code)->name);
        jw_strz(&w, "text", url_redact(a, str_of(f->error->primary), c->secrets.v, c->secrets.n));
        jw_end(&w);
    }
    jw_end(&w);
    return buf_str(&w.out);
}

static bool
run_request(Arena *a, Hook *h, const char *method, const char *url, Err *err)
{
    const FlowInput *in = h->facts->in;
    static const char *const json[] = {"Content-Type: application/json", NULL};
    bool posts = strcmp(method, "GET") != 0;
    const HttpRequest r = {.method = method,
                           .url = url,
                           .headers = posts ? json : NULL,
                           .body = posts ? facts_json(a, h) : (Str){"", 0},
                           .timeout_ms = config_ms(in->config, CFG_HOOK_TIMEOUT),
                           .roots = url_system_roots(),
                           .keep = ANSWER_MAX,
                           .tick = in->tick,
                           .tick_arg = in->tick_arg,
                           .trace = in->config->trace};
    HttpAnswer answer;
    if (!http_request(a, &r, &answer, err))
        return false;
    if (answer.status / 100 == 2)
        return true;
    err_set(err, ERR_HOOK, "status %d", answer.status);
    return answer.location
               ? err_detail(err, "it redirects to %s, which is not followed", answer.location)
               : false;
}

/* ---- all of them --------------------------------------------------------------------------- */

/* "POST https://..." or an address alone; false: it is none. */
static bool
is_request(Arena *a, const char *text, const char **ret_method, const char **ret_url)
{
    static const char *const methods[] = {"GET", "POST", "PUT"};
    Str rest = str_of(text);
    *ret_method = "GET";
    for (size_t i = 0; i < COUNT(methods); i++)
        if (str_starts(rest, str_of(str_fmt(a, "%s http", methods[i])))) {
            *ret_method = methods[i];
            rest = str_trim(str_slice(rest, strlen(methods[i]), rest.n));
        }
    *ret_url = str_dup(a, rest);
    return !strpbrk(*ret_url, " \t") &&
           (str_starts(rest, STR("https://")) || str_starts(rest, STR("http://")));
}

static bool
run_one(Arena *a, Hook *h, Err *err)
{
    const char *method, *url;
    if (is_request(a, h->text, &method, &url)) {
        h->shown = http_shown(a, url);
        return run_request(a, h, method, url, err);
    }
    return str_ends(str_of(h->text), STR(".sql")) && !strpbrk(h->text, " \t")
               ? run_sql(a, h, err)
               : run_command(a, h, err);
}

static void
tell(const Hook *h, RunLevel level, int64_t ms, const char *what)
{
    const RunSink *sink = h->facts->sink;
    sink->event(sink->arg, &(RunEvent){.kind = RUN_STAGE, .level = level, .ms = ms, .text = what});
}

/* Run and tell; false: why. */
static bool
run_told(Arena *a, Hook *h, Err *why)
{
    const Config *c = h->facts->in->config;
    int64_t began = clock_ms();
    h->shown = url_redact(a, str_of(h->text), c->secrets.v, c->secrets.n);
    bool ok = run_one(a, h, why);
    h->shown = str_printable(a, str_of(h->shown), false);
    if (ok)
        tell(h, RUN_OK, clock_ms() - began, str_fmt(a, "%s: %s", h->name, h->shown));
    return ok;
}

static bool
failed(const Hook *h, const char *group, const Err *why, Err *err)
{
    err_set(err, ERR_HOOK, "%s%s failed: %s: %s", group, h->name, h->shown, why->primary);
    if (why->detail[0])
        err_detail(err, "%s", why->detail);
    return why->hint[0] ? err_hint(err, "%s", why->hint) : false;
}

bool
flow_hooks(Arena *a, HookPoint point, const HookFacts *facts, Err *err)
{
    ConfigList list = config_list(a, facts->in->config, points[point].key);
    vec_each (const char *const, text, &list) {
        ARENA_LOCAL(scratch);
        Err why;
        Hook h = {.facts = facts, .name = points[point].name, .text = *text};
        if (run_told(scratch, &h, &why))
            continue;
        if (point == HOOK_FAILED) {
            run_find(facts->sink, FINDING_HOOK_FAILED, NULL, NULL, "hooks.on_failure: %s: %s",
                     h.shown, why.primary);
            continue;
        }
        if (why.code != ERR_INTERRUPTED)
            return failed(&h, "hooks.", &why, err);
        *err = why;
        return false;
    }
    return true;
}

bool
flow_hook(Arena *a, const char *name, const char *text, const HookFacts *facts, Err *err)
{
    Err why;
    Hook h = {.facts = facts, .name = name, .gets_urls = true, .text = text};
    if (run_told(a, &h, &why))
        return true;
    if (why.code != ERR_INTERRUPTED)
        return failed(&h, "task ", &why, err);
    *err = why;
    return false;
}
