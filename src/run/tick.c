/* What every wait of a run looks at: signals, the run's own deadline, the statement under way. */
#include "base/clock.h"
#include "base/os.h"
#include "run/watch.h"

bool
run_tick(void *arg, int64_t elapsed_ms)
{
    Run *r = arg;
    int64_t limit = config_ms(r->deploy->session.config, CFG_RUN_TIMEOUT);
    if (os_signal_pending() || (limit && clock_ms() - r->started_ms > limit)) {
        r->stop_asked = true;
        return false;
    }
    return stall_tick(r) && watch_tick(r, elapsed_ms);
}
