#include "flow/verify.h"

static bool
look_for_drift(Arena *a, const FlowInput *in, VerifyResult *ret, Err *err)
{
    if (ret->status.state != STATUS_UP_TO_DATE)
        return true;
    Err why;
    ret->looked = flow_drift(a, in, &ret->drift, &why);
    if (!ret->looked && why.code == ERR_NO_POSTGRES) { /* nowhere to replay: said, and gone on */
        ret->not_looked = str_dupz(a, why.primary);
        return true;
    }
    if (!ret->looked)
        *err = why;
    return ret->looked;
}

bool
flow_verify(Arena *a, const FlowInput *in, const RunSink *sink, VerifyResult *ret, Err *err)
{
    *ret = (VerifyResult){.config = in->config};
    if (!flow_status(a, in, &ret->status, err) || !look_for_drift(a, in, ret, err))
        return false;
    if (ret->status.target.absent) {
        err_set(err, ERR_DB_MISSING, "the embedded database of this project was not made yet");
        return err_hint(err, "aramid deploy makes it");
    }
    const HookFacts facts = {
        .in = in, .sink = sink, .target = &ret->status.target, .server = ret->status.server};
    Err why = {0};
    bool is_well = flow_health(a, &facts, &ret->health, &why);
    if (!is_well && why.code != ERR_HEALTH) {
        *err = why;
        return false;
    }
    ret->exit_status = ret->status.state != STATUS_UP_TO_DATE ? (int)ret->status.state
                       : ret->looked && ret->drift.has_drift  ? DRIFT_EXIT
                       : !is_well                             ? err_info(ERR_HEALTH)->exit_status
                                                              : 0;
    return true;
}
