/* Waiting: for a socket, and for time to pass; ticking. */
#include "db/db_int.h"

#include "base/clock.h"

#include <poll.h>

WaitEnd
db_wait_socket(int fd, short events, int64_t deadline_ms, int64_t started_ms, int tick_ms,
               DbTick tick, void *arg)
{
    if (tick_ms == 0)
        tick_ms = TICK_MS;
    for (;;) {
        int64_t now = clock_ms();
        if (now >= deadline_ms)
            return WAIT_DEADLINE;
        int64_t left = deadline_ms - now;
        struct pollfd pfd = {.fd = fd, .events = events};
        int n = poll(&pfd, 1, (int)(left < tick_ms ? left : tick_ms));
        if (n > 0)
            return WAIT_READY;
        if (tick && !tick(arg, clock_ms() - started_ms))
            return WAIT_STOP;
    }
}

bool
db_pause(DbTick tick, void *arg, int64_t ms)
{
    int64_t start = clock_ms(), end = start + ms;
    for (;;) {
        if (tick && !tick(arg, clock_ms() - start))
            return false;
        int64_t left = end - clock_ms();
        if (left <= 0)
            return true;
        clock_sleep_ms(left < 100 ? left : 100);
    }
}
