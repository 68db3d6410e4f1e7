/* Windows of time in which a database may be changed, or may not. Pure: what time it is, is told.
 *
 * One is written as days, times and a time zone, each of which may be left out but one of the first two:
 * "Mon-Fri 09:00-17:00 Europe/Berlin", "22:00-06:00 UTC" (over midnight: of the day on which it begins),
 * "2026-12-24..2026-12-26", "Fri 12:00-24:00". */
#pragma once

#include "base/err.h"
#include "base/vec.h"

/* A moment as clocks on the wall of a time zone show it. */
typedef struct GateTime {
    const char *zone; /* as it was written */
    int date;         /* 20261224 */
    int weekday;      /* 0 = Monday */
    int minute;       /* of the day, 0 to 1439 */
} GateTime;
typedef VEC(GateTime) GateTimes;

typedef struct GateWindow {
    const char *text, *zone; /* zone NULL = UTC was not said, and holds */
    unsigned days;           /* a bit for each, Monday the lowest; 0x7f = all */
    int from_date, to_date;  /* 0 = any */
    int from, to;            /* minutes: [from, to); from > to: over midnight */
} GateWindow;
typedef VEC(GateWindow) GateWindows;

/* errors: ERR_CONFIG, with the word that is none */
MUST_CHECK bool gate_window_parse(Arena *a, const char *text, GateWindow *ret, Err *err);

/* Why nothing may be changed now; NULL: it may. A window that denies is stronger than all that allow; without
 * windows that allow any time is allowed. `times` has one for each zone that is used. */
const char *gate_window_closed(Arena *a, const GateWindows *allow, const GateWindows *deny,
                               const GateTimes *times);
