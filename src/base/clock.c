/* Clocks, and durations as text. */
#include "base/clock.h"

#include <time.h>

static int64_t
now_us(clockid_t id)
{
    struct timespec ts;
    clock_gettime(id, &ts);
    return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

int64_t
clock_ms(void)
{
    return now_us(CLOCK_MONOTONIC) / 1000;
}

int64_t
clock_wall_us(void)
{
    return now_us(CLOCK_REALTIME);
}

char *
clock_iso(Arena *a, int64_t wall_us)
{
    int64_t us = wall_us % 1000000;
    us += us < 0 ? 1000000 : 0; /* before 1970 */
    time_t s = (time_t)((wall_us - us) / 1000000);
    struct tm tm;
    gmtime_r(&s, &tm);
    return str_fmt(a, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", tm.tm_year + 1900, tm.tm_mon + 1,
                   tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, (int)(us / 1000));
}

char *
clock_stamp(Arena *a, int64_t wall_us)
{
    time_t s = (time_t)(wall_us / 1000000);
    struct tm tm;
    gmtime_r(&s, &tm);
    return str_fmt(a, "%04d%02d%02dT%02d%02d%02dZ", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday,
                   tm.tm_hour, tm.tm_min, tm.tm_sec);
}

char *
clock_duration(Arena *a, int64_t ms)
{
    if (ms < 1000)
        return str_fmt(a, "%d ms", (int)ms);
    if (ms < 60000)
        return str_fmt(a, "%.1f s", (double)ms / 1000);
    int64_t s = ms / 1000;
    if (s < 3600)
        return str_fmt(a, "%d min %02d s", (int)(s / 60), (int)(s % 60));
    return str_fmt(a, "%d h %02d min", (int)(s / 3600), (int)(s % 3600 / 60));
}

bool
clock_parse(Str text, int64_t *ret_ms)
{
    static const struct {
        const char *name;
        int64_t ms;
    } units[] = {{"", 1},        {"ms", 1},    {"s", 1000},    {"sec", 1000},
                 {"min", 60000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000}};
    Str s = str_trim(text);
    size_t digits = 0;
    while (digits < s.n && s.p[digits] >= '0' && s.p[digits] <= '9')
        digits++;
    long long number;
    Str unit = str_trim(str_slice(s, digits, s.n));
    if (!str_to_int(str_slice(s, 0, digits), 0, INT32_MAX, &number))
        return false;
    for (size_t i = 0; i < COUNT(units); i++)
        if (str_is(unit, units[i].name)) {
            *ret_ms = number * units[i].ms;
            return *ret_ms <= INT32_MAX;
        }
    return false;
}

void
clock_sleep_ms(int64_t ms)
{
    if (ms <= 0)
        return;
    struct timespec ts = {.tv_sec = (time_t)(ms / 1000), .tv_nsec = (long)(ms % 1000) * 1000000};
    nanosleep(&ts, NULL);
}
