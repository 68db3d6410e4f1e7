#include "flow/word.h"

#include "base/clock.h"
#include "base/fs.h"
#include "base/os.h"
#include "http/http.h"

#include <stdlib.h>

enum { ANSWER_MAX = 4096 };

/* ---- what is known ------------------------------------------------------------------------- */

static const char *
first_of(const char *const *names, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (os_env(names[i]) && os_env(names[i])[0])
            return os_env(names[i]);
    return NULL;
}

/* The page of the pipeline that runs us. */
static const char *
pipeline_link(Arena *a)
{
    const char *server = os_env("GITHUB_SERVER_URL"), *repo = os_env("GITHUB_REPOSITORY"),
               *run = os_env("GITHUB_RUN_ID"), *vercel = os_env("VERCEL_URL");
    if (server && repo && run)
        return str_fmt(a, "%s/%s/actions/runs/%s", server, repo, run);
    static const char *const others[] = {"CI_JOB_URL", "BUILD_URL"};
    const char *other = first_of(others, COUNT(others));
    return other ? other : vercel && vercel[0] ? str_fmt(a, "https://%s", vercel) : NULL;
}

void
flow_word_begin(Arena *a, const FlowInput *in, WordKind kind, const char *command, Word *ret)
{
    static const char *const commits[] = {"SENTRY_RELEASE", "VERCEL_GIT_COMMIT_SHA", "GITHUB_SHA",
                                          "CI_COMMIT_SHA", "GIT_COMMIT"};
    const Config *c = in->config;
    ConfigList contacts = config_list(a, c, CFG_CONTACTS);
    *ret = (Word){.kind = kind,
                  .command = command,
                  .environment = c->env_name,
                  .release = first_of(commits, COUNT(commits)),
                  .who = os_who(a),
                  .link = pipeline_link(a),
                  .began_us = clock_wall_us(),
                  .channel = c->values[CFG_NOTIFY_CHANNEL].text};
    vec_each (const char *const, name, &contacts)
        *vec_add(a, &ret->contacts) = *name;
}

static void
add_migrations(Arena *a, Word *w, const RunReport *run)
{
    vec_each (const RunDone, d, &run->applied) {
        WordMigration *m = vec_add(a, &w->migrations);
        *m = (WordMigration){.name = d->name, .ms = d->ms};
        vec_each (const RunStatement, s, &d->statements)
            *vec_add(a, &m->statements) =
                (WordStatement){.number = s->number, .line = s->line, .tag = s->tag, .us = s->us};
    }
}

void
flow_word_end(Arena *a, Word *w, const RunReport *run, const Err *err)
{
    w->kind = err ? WORD_FAILED : WORD_DONE;
    w->database = run->server.host ? run->server.database : NULL;
    w->host = run->server.host;
    w->ms = run->ms;
    w->began_us -= run->ms * 1000;
    add_migrations(a, w, run);
    if (!err)
        return;
    w->failed = run->failed;
    w->error_name = err_info(err->code)->name;
    w->error_text = word_text(a, err);
    w->error_hint = err->hint[0] ? str_dupz(a, err->hint) : NULL;
    w->sqlstate = err->sqlstate[0] ? str_dupz(a, err->sqlstate) : NULL;
    w->error_at = !err->at.path[0] ? NULL
                  : err->at.line   ? str_fmt(a, "%s:%d", err->at.path, err->at.line)
                                   : str_dupz(a, err->at.path);
}

/* ---- sending ------------------------------------------------------------------------------- */

typedef struct Telling {
    Arena *arena;
    const FlowInput *in;
    const RunSink *sink;
    const Word *word;
    bool missed; /* Slack or the webhook */
} Telling;

static void
unsent(const Telling *t, const char *whom, const char *why)
{
    run_find(t->sink, FINDING_WORD_UNSENT, NULL, NULL, "%s was not told of this run: %s", whom,
             why);
}

static const char *const json_headers[] = {"Content-Type: application/json", NULL};

/* Once more where that may help; the second try is the last. false: interrupted. */
static bool
post(Telling *t, const char *whom, const char *url, const char *const *headers, Str body,
     bool *ret_told)
{
    const FlowInput *in = t->in;
    const Config *c = in->config;
    int64_t timeout = config_ms(c, CFG_NOTIFY_TIMEOUT);
    const HttpRequest r = {.url = url,
                           .headers = headers,
                           .body = body,
                           .timeout_ms = timeout,
                           .roots = url_system_roots(),
                           .keep = ANSWER_MAX,
                           .tick = in->tick,
                           .tick_arg = in->tick_arg,
                           .trace = c->trace};
    *ret_told = false;
    for (int tries = 1;; tries++) {
        HttpAnswer answer = {0};
        Err why;
        bool ok = http_request(t->arena, &r, &answer, &why);
        *ret_told = ok && answer.status / 100 == 2;
        if (*ret_told)
            return true;
        if (!ok && why.code == ERR_INTERRUPTED)
            return false;
        bool again = ok ? http_may_retry(answer.status) : why.code == ERR_HTTP;
        int64_t pause = answer.retry_after_ms > 0 ? answer.retry_after_ms : 100;
        if (tries == 2 || !again || pause > timeout) {
            unsent(t, whom,
                   ok ? str_fmt(t->arena, "%s answered with status %d", http_shown(t->arena, url),
                                answer.status)
                      : str_fmt(t->arena, "%s%s%s", why.primary, why.detail[0] ? ": " : "",
                                why.detail));
            return true;
        }
        if (!db_pause(in->tick, in->tick_arg, pause))
            return false;
    }
}

static bool
tell_people(Telling *t)
{
    const Config *c = t->in->config;
    ConfigList events = config_list(t->arena, c, CFG_NOTIFY_EVENTS);
    const char *slack = c->values[CFG_NOTIFY_SLACK].text,
               *hook = c->values[CFG_NOTIFY_WEBHOOK].text;
    bool wants = t->word->kind == WORD_STARTED && c->values[CFG_NOTIFY_REQUIRED].number;
    bool told;
    vec_each (const char *const, e, &events)
        wants = wants || strcmp(*e, word_name(t->word->kind)) == 0;
    if (!wants)
        return true;
    if (slack) {
        if (!post(t, "Slack", slack, json_headers, notify_slack(t->arena, t->word), &told))
            return false;
        t->missed |= !told;
    }
    if (hook) {
        if (!post(t, "the webhook", hook, json_headers, notify_webhook(t->arena, t->word), &told))
            return false;
        t->missed |= !told;
    }
    return true;
}

static bool
tell_sentry(Telling *t)
{
    const char *dsn = t->in->config->values[CFG_NOTIFY_SENTRY].text;
    WordKind kind = t->word->kind;
    SentryPlace place;
    Err why;
    bool told;
    if (!dsn || (kind != WORD_FAILED && kind != WORD_DRIFT))
        return true;
    if (!notify_sentry_place(t->arena, dsn, &place, &why)) {
        unsent(t, "Sentry", why.primary);
        return true;
    }
    char *uuid = os_uuid(t->arena), *to = uuid;
    for (const char *p = uuid; *p; p++)
        if (*p != '-')
            *to++ = *p;
    *to = 0;
    const char *const headers[] = {"Content-Type: application/x-sentry-envelope", place.auth, NULL};
    return post(t, "Sentry", place.url, headers,
                notify_sentry(t->arena, t->word, uuid, clock_wall_us()), &told);
}

/* "k=v,k2=v2", percent-encoded, as OpenTelemetry's variables have it. */
static const char *const *
otlp_headers(Arena *a, const Config *c)
{
    VEC(const char *) list = {0};
    const char *given = config_variable(a, c, "OTEL_EXPORTER_OTLP_HEADERS");
    *vec_add(a, &list) = json_headers[0];
    for (Str rest = str_of(given); given && rest.p;) {
        Str value = str_trim(str_cut(&rest, ','));
        Str key = str_cut(&value, '=');
        if (!value.p || !key.n)
            continue;
        Buf b;
        buf_init(&b, a);
        buf_add(&b, key);
        buf_addz(&b, ": ");
        for (size_t i = 0; i < value.n; i++) {
            long long byte;
            char hex[] = {'0', 'x', 0, 0, 0};
            if (value.p[i] == '%' && i + 2 < value.n) {
                hex[2] = value.p[i + 1];
                hex[3] = value.p[i + 2];
                byte = strtoll(hex, NULL, 16);
                if (byte >= ' ' && byte < 0x7f) {
                    buf_addc(&b, (char)byte);
                    i += 2;
                    continue;
                }
            }
            buf_addc(&b, value.p[i]);
        }
        *vec_add(a, &list) = b.p;
    }
    *vec_add(a, &list) = NULL;
    return list.v;
}

static bool
tell_collector(Telling *t)
{
    Arena *a = t->arena;
    const Config *c = t->in->config;
    const char *endpoint = c->values[CFG_NOTIFY_OTLP].text;
    TraceIds ids = {0};
    unsigned char random[24];
    bool told, more;
    if (!endpoint || (t->word->kind != WORD_DONE && t->word->kind != WORD_FAILED))
        return true;
    Str base = str_of(endpoint);
    while (base.n && base.p[base.n - 1] == '/')
        base.n--;
    const char *parent = os_env("TRACEPARENT");
    os_random(random, sizeof random);
    if (!parent || !notify_traceparent(a, parent, &ids)) {
        Buf hex;
        buf_init(&hex, a);
        for (size_t i = 0; i < 16; i++)
            buf_fmt(&hex, "%02x", random[i] | (i == 0));
        ids.trace = hex.p;
    }
    memcpy(&ids.first, random + 16, sizeof ids.first);
    ids.first = ids.first >> 1 | 1; /* room to count, and never 0 */
    const char *const *headers = otlp_headers(a, c);
    const char *traces = config_variable(a, c, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT");
    const char *metrics = config_variable(a, c, "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT");
    traces = traces ? traces : str_fmt(a, STR_FMT "/v1/traces", STR_ARG(base));
    metrics = metrics ? metrics : str_fmt(a, STR_FMT "/v1/metrics", STR_ARG(base));
    if (!post(t, "the collector", traces, headers, notify_otlp_traces(a, t->word, &ids), &more))
        return false;
    return !more ||
           post(t, "the collector", metrics, headers, notify_otlp_metrics(a, t->word), &told);
}

static void
tell_files(const Telling *t)
{
    const char *metrics = t->in->config->values[CFG_NOTIFY_METRICS].text;
    const char *summary = os_env("GITHUB_STEP_SUMMARY");
    WordKind kind = t->word->kind;
    Err why;
    if (kind != WORD_DONE && kind != WORD_FAILED)
        return;
    if (metrics && !fs_write(metrics, notify_prometheus(t->arena, t->word), 0644, &why))
        unsent(t, metrics, why.primary);
    if (summary && summary[0] && !fs_add(summary, notify_summary(t->arena, t->word), &why))
        unsent(t, "the job's summary", why.primary);
}

/* Texts that came from elsewhere, without what is secret. */
static Word
hidden(Arena *a, const Config *c, const Word *w)
{
    Word copy = *w;
    const char **texts[] = {&copy.error_text, &copy.error_hint, &copy.link, &copy.release,
                            &copy.error_at};
    for (size_t i = 0; i < COUNT(texts); i++)
        if (*texts[i])
            *texts[i] = url_redact(a, str_of(*texts[i]), c->secrets.v, c->secrets.n);
    return copy;
}

static bool
is_talked_about(Arena *a, const Config *c)
{
    ConfigList profiles = config_list(a, c, CFG_NOTIFY_PROFILES);
    vec_each (const char *const, p, &profiles)
        if (strcmp(*p, c->values[CFG_PROFILE].text) == 0)
            return true;
    return false;
}

bool
flow_word(Arena *a, const FlowInput *in, const RunSink *sink, const Word *w, Err *err)
{
    const Config *c = in->config;
    if (!is_talked_about(a, c))
        return true;
    const Word word = hidden(a, c, w);
    Telling t = {.arena = a, .in = in, .sink = sink, .word = &word};
    if (!tell_people(&t) || !tell_sentry(&t) || !tell_collector(&t))
        return err_set(err, ERR_INTERRUPTED, "interrupted while others were told of this run");
    tell_files(&t);
    if (!t.missed || w->kind != WORD_STARTED || !c->values[CFG_NOTIFY_REQUIRED].number)
        return true;
    err_set(err, ERR_HTTP,
            "nobody could be told that this %s begins, and notify.required wants that", w->command);
    return err_detail(err, "nothing was changed");
}
