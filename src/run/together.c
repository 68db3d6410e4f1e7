/* Which migrations go to the server in one message, and when their commits are on disk. */
#include "run/session_int.h"
#include "run/step.h"

enum { TOGETHER_BYTES = 256 * 1024 };

bool
together_flushes_late(const Run *r)
{
    const char *flush = r->session.config->values[CFG_FLUSH].text;
    return strcmp(flush, "end") == 0 && !db_info(r->session.db)->has_sync_standbys;
}

/* Nobody can be in its way: what it locks strongly was made by this run, or was not there before. */
static bool
waits_for_nobody(const Run *r, const Step *step)
{
    if (r->session.is_fresh)
        return true;
    vec_each (const StepLock, l, &step->locks)
        if (l->mode >= SQL_LOCK_SHARE && !l->is_new &&
            (!l->can_prelock || run_relation_exists(r, l)))
            return false;
    return !step->drops && !step->hides_locks;
}

size_t
together_count(const Run *r, const MigrationPlan *mps, size_t n)
{
    const DbInfo *info = db_info(r->session.db);
    size_t most = (size_t)r->session.config->values[CFG_MESSAGE_MIGRATIONS].number;
    if (r->one_by_one || r->deploy->one_by_one || info->is_shared || !info->gives_notices)
        return 1;
    size_t together = 0, bytes = 0;
    for (; together < n && together < most; together++) {
        const MigrationPlan *mp = &mps[together];
        bytes += mp->migration->bytes;
        if (!plan_may_share(mp) || bytes > TOGETHER_BYTES || !waits_for_nobody(r, mp->steps.v))
            break;
        /* All transactions of a message have one now(): what changes rows could see that. */
        if (together && mp->steps.v->has_dml)
            break;
    }
    return together ? together : 1;
}
