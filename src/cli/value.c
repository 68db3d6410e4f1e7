/* Values of options by their types. */
#include "base/clock.h"
#include "cli/cli_int.h"

#include <inttypes.h>

void
cli_mask(char *text)
{
    char *rest = strstr(text, "://");
    if (!rest) {
        memset(text, '*', strlen(text));
        return;
    }
    rest += 3;
    char *at = strrchr(rest, '@'), *query = strchr(rest, '?');
    if (at && query && query < at) { /* nobody knows where which part ends */
        memset(rest, '*', strlen(rest));
        return;
    }
    if (at)
        memset(rest, '*', (size_t)(at - rest));
    if (query)
        memset(query + 1, '*', strlen(query + 1));
}

const char *
cli_quotable(Arena *a, Str text)
{
    enum { MAX = 120 };
    const char *copy = str_dup(a, text);
    if (strstr(copy, "://") && strchr(copy, '@'))
        copy = url_redact(a, text, NULL, 0);
    Str shown = str_of(str_printable(a, str_of(copy), false));
    size_t cut = str_utf8_offset(shown, MAX);
    return str_fmt(a, "\"%s%s\"", str_dup(a, str_slice(shown, 0, cut)), cut < shown.n ? "..." : "");
}

static bool
check_choice(Arena *a, const OptValue *v, Err *err)
{
    Buf list;
    buf_init(&list, a);
    CliNearest near = cli_nearest_begin(str_of(v->text));
    for (const char *const *c = v->spec->choices; *c; c++) {
        if (strcmp(*c, v->text) == 0)
            return true;
        buf_fmt(&list, "%s%s", list.n ? ", " : "", *c);
        cli_nearest_try(&near, *c);
    }
    err_set(err, ERR_USAGE, "%s is no value for %s", cli_quotable(a, str_of(v->text)), v->spelling);
    err_detail(err, "allowed: %s", list.p);
    if (near.best)
        err_hint(err, "did you mean %s %s?", v->spelling, near.best);
    return false;
}

static bool
check_number(Arena *a, OptValue *v, Err *err)
{
    const OptSpec *o = v->spec;
    int64_t max = o->min || o->max ? o->max : 1000000;
    long long n;
    if (!str_to_int(str_of(v->text), o->min, max, &n)) {
        err_set(err, ERR_USAGE, "%s is no value for %s", cli_quotable(a, str_of(v->text)),
                v->spelling);
        return err_detail(err, "a whole number from %" PRId64 " to %" PRId64 " is needed", o->min,
                          max);
    }
    v->number = n;
    return true;
}

bool
cli_check_value(Arena *a, OptValue *v, Err *err)
{
    if (!*v->text) {
        err_set(err, ERR_USAGE, "the value of %s is empty", v->spelling);
        return err_hint(err, "if it comes from a variable: is the variable set here?");
    }
    switch (v->spec->type) {
    case OPT_CHOICE:
        return check_choice(a, v, err);
    case OPT_INT:
        return check_number(a, v, err);
    case OPT_DURATION:
        if (clock_parse(str_of(v->text), &v->number))
            return true;
        err_set(err, ERR_USAGE, "%s is no duration, as %s needs it",
                cli_quotable(a, str_of(v->text)), v->spelling);
        return err_detail(err, "examples: 250ms, 30s, 5min, 2h; a bare number is milliseconds");
    case OPT_FLAG:
    case OPT_TEXT:
    case OPT_PATH:
    case OPT_URL:
    case OPT_TYPE_COUNT:
        break;
    }
    return true;
}

CliNearest
cli_nearest_begin(Str word)
{
    size_t distance = word.n < 2 ? 0 : word.n < 4 ? 1 : word.n < 8 ? 2 : 3;
    return (CliNearest){.word = word, .distance = distance};
}

void
cli_nearest_try(CliNearest *near, const char *candidate)
{
    /* A prefix is as good as one wrong letter. */
    bool is_prefix = near->word.n >= 2 && str_starts(str_of(candidate), near->word);
    size_t d = is_prefix ? 1 : str_distance(near->word, str_of(candidate), near->distance);
    if (d > near->distance || (near->best && d == near->distance))
        return;
    near->best = candidate;
    near->distance = d;
}
