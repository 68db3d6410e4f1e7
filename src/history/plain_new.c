/* What a new migration of a plain SQL folder is called: in the form of the last one. */
#include "base/fs.h"
#include "history/layout_int.h"

enum { STAMP_DIGITS = 14, EPOCH_DIGITS = 10 };

/* The next one behind a version: a time where that is one, else a number more, as wide. */
static const char *
next_version(Arena *a, Str last, const char *stamp)
{
    if (last.n == EPOCH_DIGITS && last.p[0] != '0')
        return str_fmt(a, "%lld", (long long)(history_stamp_us(stamp) / 1000000));
    if (!last.n || last.n >= STAMP_DIGITS)
        return stamp;
    char *next = str_dup(a, last);
    for (size_t i = last.n; i-- > 0;) {
        if (next[i]++ != '9')
            return next;
        next[i] = '0';
    }
    return str_fmt(a, "1%s", next);
}

HistoryNew
plain_new(Arena *a, const History *h, const char *stamp, const char *slug)
{
    const char *last = h->files.n ? fs_basename(h->files.v[h->files.n - 1].path) : "";
    bool flyway = last[0] == 'V', pair = str_ends(str_of(last), STR(".up.sql"));
    const char *digits = last + flyway;
    Str number = {digits, strspn(digits, "0123456789._")};
    while (number.n && (number.p[number.n - 1] == '_' || number.p[number.n - 1] == '.'))
        number.n--;
    size_t from = number.n; /* of its last part */
    while (from && number.p[from - 1] >= '0' && number.p[from - 1] <= '9')
        from--;
    const char *version = str_fmt(a, "%.*s%s", (int)from, number.p,
                                  next_version(a, str_slice(number, from, number.n), stamp));
    if (flyway)
        return (HistoryNew){str_fmt(a, "V%s__%s.sql", version, slug),
                            str_fmt(a, "V%s__%s", version, slug), NULL};
    const char *name = str_fmt(a, "%s_%s", version, slug);
    if (pair)
        return (HistoryNew){str_fmt(a, "%s.up.sql", name), name, str_fmt(a, "%s.down.sql", name)};
    return (HistoryNew){str_fmt(a, "%s.sql", name), name, NULL};
}
