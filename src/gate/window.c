#include "gate/window.h"

enum { ALL_DAYS = 0x7f, DAY = 24 * 60 };

static bool
wrong(const char *text, Str word, Err *err)
{
    err_set(err, ERR_CONFIG, "\"%s\" is no window of time: \"" STR_FMT "\" cannot be read", text,
            STR_ARG(word));
    return err_hint(err, "such as: Mon-Fri 09:00-17:00 Europe/Berlin, or 2026-12-24..2026-12-26");
}

static int
day_of(Str s)
{
    static const char *const names[] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};
    for (int i = 0; s.n == 3 && i < 7; i++)
        if (str_ieq(s, str_of(names[i])))
            return i;
    return -1;
}

/* "Mon-Fri", "Sat,Sun", "Fri-Mon". */
static bool
parse_days(Str word, unsigned *ret)
{
    unsigned days = 0;
    while (word.p) {
        Str part = str_cut(&word, ','), first = str_cut(&part, '-');
        int from = day_of(first), to = part.p ? day_of(part) : from;
        if (from < 0 || to < 0)
            return false;
        for (int d = from;; d = (d + 1) % 7) {
            days |= 1u << d;
            if (d == to)
                break;
        }
    }
    *ret = days;
    return true;
}

static bool
parse_minute(Str s, int *ret)
{
    Str hours = str_cut(&s, ':');
    long long h, m;
    if (!s.p || hours.n != 2 || s.n != 2 || !str_to_int(hours, 0, 24, &h) ||
        !str_to_int(s, 0, 59, &m) || (h == 24 && m))
        return false;
    *ret = (int)(h * 60 + m);
    return true;
}

static bool
parse_hours(Str word, GateWindow *w)
{
    Str first = str_cut(&word, '-');
    return word.p && parse_minute(first, &w->from) && parse_minute(word, &w->to) &&
           w->from != w->to && w->from < DAY;
}

static bool
parse_date(Str s, int *ret)
{
    static const int days[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    Str rest = s;
    Str year = str_cut(&rest, '-'), month = rest.p ? str_cut(&rest, '-') : (Str){0};
    long long y, m, d;
    if (s.n != 10 || !rest.p || !str_to_int(year, 1970, 9999, &y) ||
        !str_to_int(month, 1, 12, &m) || !str_to_int(rest, 1, days[m - 1], &d))
        return false;
    bool leaps = y % 4 == 0 && (y % 100 != 0 || y % 400 == 0);
    *ret = (int)(y * 10000 + m * 100 + d);
    return m != 2 || d < 29 || leaps;
}

static bool
parse_dates(Str word, GateWindow *w)
{
    const char *dots = memmem(word.p, word.n, "..", 2);
    Str first = dots ? (Str){word.p, (size_t)(dots - word.p)} : word;
    Str last = dots ? str_slice(word, first.n + 2, word.n) : word;
    return parse_date(first, &w->from_date) && parse_date(last, &w->to_date) &&
           w->from_date <= w->to_date;
}

/* What a server may be asked for: "Europe/Berlin", "UTC", "Etc/GMT+3". */
static bool
is_zone(Str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!((s.p[i] >= 'a' && s.p[i] <= 'z') || (s.p[i] >= 'A' && s.p[i] <= 'Z') ||
              (i && strchr("/_+-0123456789", s.p[i]) && s.p[i])))
            return false;
    return s.n > 0 && s.n < 64;
}

bool
gate_window_parse(Arena *a, const char *text, GateWindow *ret, Err *err)
{
    *ret = (GateWindow){.text = text, .days = ALL_DAYS, .from = 0, .to = DAY};
    bool has_days = false, has_hours = false, has_dates = false;
    for (Str rest = str_trim(str_of(text)); rest.p;) {
        Str word = str_cut(&rest, ' ');
        if (!word.n)
            continue;
        bool digit = word.p[0] >= '0' && word.p[0] <= '9';
        if (!has_dates && digit && parse_dates(word, ret))
            has_dates = true;
        else if (!has_hours && digit && parse_hours(word, ret))
            has_hours = true;
        else if (!digit && !has_days && !ret->zone && parse_days(word, &ret->days))
            has_days = true;
        else if (!digit && !ret->zone && is_zone(word))
            ret->zone = str_dup(a, word);
        else
            return wrong(text, word, err);
    }
    return has_days || has_hours || has_dates || wrong(text, str_of(text), err);
}

static bool
day_fits(const GateWindow *w, int weekday, int date)
{
    return (w->days >> weekday & 1) && (!w->from_date || date >= w->from_date) &&
           (!w->to_date || date <= w->to_date);
}

/* The day before, of a date as a number. */
static int
day_before(int date)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int y = date / 10000, m = date / 100 % 100, d = date % 100;
    if (d > 1)
        return date - 1;
    m = m == 1 ? 12 : m - 1;
    y = m == 12 ? y - 1 : y;
    bool leaps = m == 2 && y % 4 == 0 && (y % 100 != 0 || y % 400 == 0);
    return y * 10000 + m * 100 + days[m - 1] + leaps;
}

static bool
holds(const GateWindow *w, const GateTime *at)
{
    bool today = day_fits(w, at->weekday, at->date);
    if (w->from < w->to)
        return today && at->minute >= w->from && at->minute < w->to;
    bool yesterday = day_fits(w, (at->weekday + 6) % 7, day_before(at->date));
    return (today && at->minute >= w->from) || (yesterday && at->minute < w->to);
}

static const GateTime *
time_of(const GateTimes *times, const char *zone)
{
    vec_each (const GateTime, t, times)
        if (strcmp(t->zone, zone ? zone : "UTC") == 0)
            return t;
    return NULL;
}

static const char *
clock_text(Arena *a, const GateTime *t)
{
    static const char *const names[] = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
    return str_fmt(a, "%s %04d-%02d-%02d %02d:%02d %s", names[t->weekday], t->date / 10000,
                   t->date / 100 % 100, t->date % 100, t->minute / 60, t->minute % 60, t->zone);
}

const char *
gate_window_closed(Arena *a, const GateWindows *allow, const GateWindows *deny,
                   const GateTimes *times)
{
    vec_each (const GateWindow, w, deny) {
        const GateTime *t = time_of(times, w->zone);
        if (!t || holds(w, t))
            return t ? str_fmt(a, "it is %s, and \"%s\" is closed", clock_text(a, t), w->text)
                     : str_fmt(a, "what time it is in %s is not known", w->zone);
    }
    Buf list;
    buf_init(&list, a);
    const GateTime *now = NULL;
    vec_each (const GateWindow, w, allow) {
        const GateTime *t = time_of(times, w->zone);
        if (t && holds(w, t))
            return NULL;
        now = now ? now : t;
        buf_fmt(&list, "%s\"%s\"", list.n ? ", " : "", w->text);
    }
    return !allow->n ? NULL
           : now     ? str_fmt(a, "it is %s; it is open at %s", clock_text(a, now), list.p)
                     : str_fmt(a, "what time it is there is not known; it is open at %s", list.p);
}
