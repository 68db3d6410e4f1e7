/* Which migrations go to the server in one message, or are announced in one, and when their commits are on
 * disk. */
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

/* Of these the catalog proves each by its name, and who was announced first is sent first. */
static bool
is_announced(const MigrationPlan *mp, const MigrationPlan *first)
{
    const Step *step = mp->steps.v;
    if (mp->steps.n != 1 || step->mode != STEP_ALONE || mp->undoes || mp->ledger_id || mp->resumes)
        return false;
    const SqlStmt *s = step->only;
    return s->is_concurrent && (s->kind == SQL_CREATE_INDEX || s->kind == SQL_DROP_INDEX) &&
           s->index.name[0] && plan_timeout_ms(mp) == plan_timeout_ms(first) &&
           plan_lock_timeout_ms(mp) == plan_lock_timeout_ms(first);
}

static size_t
announced_count(const MigrationPlan *mps, size_t n)
{
    size_t together = 0;
    for (; together < n && is_announced(&mps[together], mps); together++)
        for (size_t i = 0; i < together; i++)
            if (strcmp(mps[i].steps.v->only->index.name, mps[together].steps.v->only->index.name) ==
                0)
                return together;
    return together ? together : 1;
}

size_t
together_count(const Run *r, const MigrationPlan *mps, size_t n)
{
    const DbInfo *info = db_info(r->session.db);
    size_t most = (size_t)r->session.config->values[CFG_MESSAGE_MIGRATIONS].number;
    if (r->one_by_one || r->deploy->one_by_one || info->is_shared)
        return 1;
    if (mps->steps.n && mps->steps.v->mode == STEP_ALONE)
        return announced_count(mps, n < most ? n : most);
    if (!info->gives_notices)
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
