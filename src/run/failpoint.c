/* Places where tests stop or kill the process. */
#include "base/clock.h"
#include "base/os.h"
#include "run/run_int.h"

#include <signal.h>
#include <unistd.h>

static const char *const names[FP_COUNT + 1] = {
    [FP_CONNECTED] = "connected",
    [FP_LOCKED] = "locked",
    [FP_LEDGER_CREATED] = "ledger-created",
    [FP_JOURNAL_CREATED] = "journal-created",
    [FP_IDENTITY_WRITTEN] = "identity-written",
    [FP_BEFORE_MESSAGE] = "before-message",
    [FP_AFTER_MESSAGE] = "after-message",
    [FP_BETWEEN_BLOCKS] = "between-blocks",
    [FP_BEFORE_INTENT] = "before-intent",
    [FP_AFTER_INTENT] = "after-intent",
    [FP_AFTER_STATEMENT] = "after-statement",
    [FP_AFTER_FINISH] = "after-finish",
    [FP_BEFORE_REPAIR] = "before-repair",
    [FP_AFTER_REPAIR] = "after-repair",
    [FP_LOCK_RETRY] = "lock-retry",
    [FP_BATCHES_CREATED] = "batches-created",
    [FP_BEFORE_BATCH] = "before-batch",
    [FP_AFTER_BATCH] = "after-batch",
    [FP_AFTER_BATCHES] = "after-batches",
    [FP_BEFORE_PROOF] = "before-proof",
    [FP_BEFORE_VERIFY] = "before-verify",
};

const char *const *
run_failpoint_names(void)
{
    return names;
}

void
failpoint(Run *r, Failpoint id)
{
    const char *spec = os_env("ARAMID_FAILPOINT");
    if (!spec || !spec[0])
        return;
    Str action = str_of(spec), wanted = str_cut(&action, ':'), name = wanted;
    name = str_cut(&wanted, '#');
    if (!str_is(name, names[id]))
        return;
    long long nth = 1, ms;
    if (wanted.p)
        str_to_int(wanted, 1, 1000000, &nth);
    if (++r->hits[id] != nth)
        return;
    if (str_is(action, "kill"))
        kill(getpid(), SIGKILL);
    else if (str_starts(action, STR("pause=")) &&
             str_to_int(str_slice(action, 6, action.n), 0, 3600000, &ms))
        db_pause(run_tick, r, ms);
}
