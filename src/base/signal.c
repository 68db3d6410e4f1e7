/* Signals that end the process. */
#include "base/os.h"

#include <signal.h>

/* The one piece of state that a signal handler can reach. */
static volatile sig_atomic_t caught_signal;

static void
on_signal(int sig)
{
    if (!caught_signal)
        caught_signal = sig;
}

void
os_signals_catch(void)
{
    struct sigaction sa = {.sa_handler = on_signal};
    sigemptyset(&sa.sa_mask);
    sigaction(SIGINT, &sa, NULL);
    sigaction(SIGTERM, &sa, NULL);
    sigaction(SIGHUP, &sa, NULL);
    sa.sa_handler = SIG_IGN;
    sigaction(SIGPIPE, &sa, NULL);
    sigaction(SIGXFSZ, &sa, NULL);
}

int
os_signal_pending(void)
{
    return caught_signal;
}
