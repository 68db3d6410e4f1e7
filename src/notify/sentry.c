/* Sentry's envelopes. */
#include "notify/notify.h"

#include "base/clock.h"
#include "base/jw.h"

bool
notify_sentry_place(Arena *a, const char *dsn, SentryPlace *ret, Err *err)
{
    Str rest = str_of(dsn);
    size_t at = 0;
    while (at + 3 < rest.n && memcmp(rest.p + at, "://", 3) != 0)
        at++;
    Str scheme = str_slice(rest, 0, at);
    Str after = at + 3 < rest.n ? str_slice(rest, at + 3, rest.n) : (Str){"", 0};
    const char *sign = memchr(after.p, '@', after.n);
    const char *slash = after.n ? memrchr(after.p, '/', after.n) : NULL;
    bool is_http = str_is(scheme, "https") || str_is(scheme, "http");
    if (!is_http || !sign || !slash || slash < sign || slash + 1 == after.p + after.n)
        return err_set(err, ERR_URL, "the DSN of Sentry is not SCHEME://KEY@HOST/PROJECT");
    Str key = str_slice(after, 0, (size_t)(sign - after.p));
    key = str_cut(&key, ':'); /* older ones have a secret behind it */
    Str host = {sign + 1, (size_t)(slash - sign) - 1};
    Str project = {slash + 1, (size_t)(after.p + after.n - slash) - 1};
    ret->url = str_fmt(a, STR_FMT "://" STR_FMT "/api/" STR_FMT "/envelope/", STR_ARG(scheme),
                       STR_ARG(host), STR_ARG(project));
    ret->auth = str_fmt(a,
                        "X-Sentry-Auth: Sentry sentry_version=7, sentry_key=" STR_FMT
                        ", sentry_client=aramid/" ARAMID_VERSION,
                        STR_ARG(key));
    return true;
}

static void
add_event(JsonWriter *w, Arena *a, const Word *word, const char *event_id, int64_t now_us)
{
    bool failed = word->kind == WORD_FAILED;
    jw_object(w, NULL);
    jw_strz(w, "event_id", event_id);
    jw_raw(w, "timestamp",
           str_of(str_fmt(a, "%lld.%06lld", (long long)(now_us / 1000000),
                          (long long)(now_us % 1000000))));
    jw_strz(w, "platform", "other");
    jw_strz(w, "level", failed ? "error" : word->kind == WORD_DRIFT ? "warning" : "info");
    jw_strz(w, "logger", "aramid");
    jw_strz(w, "environment", word->environment);
    if (word->release)
        jw_strz(w, "release", word->release);
    if (failed) {
        jw_object(w, "exception");
        jw_array(w, "values");
        jw_object(w, NULL);
        jw_strz(w, "type", word->error_name);
        jw_strz(w, "value", word->error_text);
        jw_end(w);
        jw_end(w);
        jw_end(w);
    } else {
        jw_object(w, "message");
        jw_strz(w, "formatted", word_line(a, word));
        jw_end(w);
    }
    jw_object(w, "tags");
    jw_strz(w, "command", word->command);
    if (word->database)
        jw_strz(w, "database", word->database);
    if (word->failed)
        jw_strz(w, "migration", word->failed);
    if (word->sqlstate)
        jw_strz(w, "sqlstate", word->sqlstate);
    if (word->health)
        jw_strz(w, "health", word->health);
    jw_end(w);
    jw_object(w, "extra");
    jw_strz(w, "run", word->run_id);
    jw_strz(w, "at", word->error_at);
    jw_strz(w, "hint", word->error_hint);
    jw_strz(w, "backup", word->backup);
    jw_end(w);
    jw_array(w, "fingerprint");
    jw_strz(w, NULL, "aramid");
    jw_strz(w, NULL, word->environment);
    jw_strz(w, NULL, failed ? word->error_name : word_name(word->kind));
    jw_strz(w, NULL, word->failed ? word->failed : "");
    jw_end(w);
    jw_end(w);
}

Str
notify_sentry(Arena *a, const Word *word, const char *event_id, int64_t now_us)
{
    JsonWriter head, item, event;
    jw_init(&head, a, false);
    jw_object(&head, NULL);
    jw_strz(&head, "event_id", event_id);
    jw_strz(&head, "sent_at", clock_iso(a, now_us));
    jw_end(&head);
    jw_init(&event, a, false);
    add_event(&event, a, word, event_id, now_us);
    jw_init(&item, a, false);
    jw_object(&item, NULL);
    jw_strz(&item, "type", "event");
    jw_end(&item);
    return str_of(str_fmt(a, "%s\n%s\n%s\n", head.out.p, item.out.p, event.out.p));
}
