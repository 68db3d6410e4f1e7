/* Timestamps that names of migrations begin with. */
#include "history/layout_int.h"

#include <time.h>

int64_t
history_stamp_us(const char *name)
{
    return layout_stamp_us(layout_digits(name));
}

char *
history_stamp(Arena *a, int64_t us)
{
    time_t s = (time_t)(us / 1000000);
    struct tm tm;
    gmtime_r(&s, &tm);
    return str_fmt(a, "%04d%02d%02d%02d%02d%02d", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday,
                   tm.tm_hour, tm.tm_min, tm.tm_sec);
}

int64_t
history_next_us(const History *h, int64_t now_us)
{
    int64_t last = now_us - now_us % 1000000;
    vec_each (const Migration, m, &h->files) {
        int64_t us = history_stamp_us(m->name);
        if (us >= last)
            last = us + 1000000;
    }
    return last;
}
