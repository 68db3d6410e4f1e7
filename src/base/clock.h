/* Time. Durations are milliseconds; deadlines are points of the monotonic clock. */
#pragma once

#include "base/str.h"

/* Milliseconds of the monotonic clock. */
int64_t clock_ms(void);

/* Wall clock: microseconds since 1970 UTC. */
int64_t clock_wall_us(void);

/* "2026-11-21T02:22:46.123Z" from wall microseconds. */
char *clock_iso(Arena *a, int64_t wall_us);

/* "20261121T022246Z", for file names. */
char *clock_stamp(Arena *a, int64_t wall_us);

/* "850 ms", "4.2 s", "3 min 05 s", "2 h 10 min". */
char *clock_duration(Arena *a, int64_t ms);

/* Read a duration: "250ms", "30s", "5min", "2h", "1d"; a bare number is milliseconds. false when it
 * is none, or above 24 days: PostgreSQL's own timeouts hold no more. */
bool clock_parse(Str text, int64_t *ret_ms);

/* Sleep; returns early when a signal arrives. */
void clock_sleep_ms(int64_t ms);
