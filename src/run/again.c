/* Trying again: a new pass, and how often and after which pauses. */
#include "run/run_int.h"

void
run_restart(Run *r, DbPatience patience, const char *why)
{
    r->restart = (Restart){patience, str_dupz(r->arena, why)};
}

void
run_restart_lost_lock(Run *r)
{
    run_restart(r, DB_PATIENCE_PASS,
                "the lock of this run was lost: a script may have released it");
}

bool
run_try_again(Run *r, DbPatience patience)
{
    return db_may_retry(patience, r->deploy->session.config->values[CFG_MAX_RETRIES].number,
                        ++r->failures[patience]);
}

bool
run_retry_pause(Run *r, DbPatience patience, Err *err)
{
    int64_t delay = config_ms(r->deploy->session.config, CFG_RETRY_DELAY);
    return db_pause(run_tick, r, db_retry_ms(patience, delay, r->failures[patience])) ||
           err_set(err, ERR_INTERRUPTED, "the run was interrupted");
}
