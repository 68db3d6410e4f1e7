/* What all forms share. */
#include "notify/notify.h"

#include "base/clock.h"

const char *
word_name(WordKind kind)
{
    static const char *const names[] = {"planned", "started", "done", "failed", "drift"};
    return names[kind];
}

const char *
word_text(Arena *a, const Err *err)
{
    bool is_data = strncmp(err->sqlstate, "22", 2) == 0 || strncmp(err->sqlstate, "23", 2) == 0;
    const char *colon = strchr(err->primary, ':');
    const char *quote = is_data && colon ? strchr(colon, '"') : NULL;
    return quote ? str_fmt(a, STR_FMT "\"...\"", (int)(quote - err->primary), err->primary)
                 : str_dupz(a, err->primary);
}

const char *
word_line(Arena *a, const Word *w)
{
    const char *n = str_count(a, (int64_t)w->migrations.n, "migration");
    const char *to = str_fmt(a, "%s of %s", w->command, w->environment);
    switch (w->kind) {
    case WORD_PLANNED:
        return str_fmt(a, "%s: %s will be applied", to, n);
    case WORD_STARTED:
        return str_fmt(a, "%s begins: %s", to, n);
    case WORD_DONE:
        return str_fmt(a, "%s is done: %s in %s", to, n, clock_duration(a, w->ms));
    case WORD_DRIFT:
        return str_fmt(a, "%s: the database is not what its migrations make", w->environment);
    case WORD_FAILED:
    case WORD_COUNT:
        break;
    }
    return str_fmt(a, "%s failed: %s", to, w->error_text ? w->error_text : "no reason is known");
}
