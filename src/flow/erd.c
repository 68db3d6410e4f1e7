/* aramid erd. */
#include "flow/erd.h"

#include "base/fs.h"

static const char *
shown(Arena *a, const Side *s)
{
    const char *text = s->shown && *s->shown ? s->shown
                       : s->endpoint.path    ? s->endpoint.path
                                             : "nothing";
    return s->endpoint.kind == ENDPOINT_DATABASE ? text : fs_below(fs_absolute(a, "."), text);
}

bool
flow_erd(Arena *a, const ErdInput *in, ErdResult *ret, Err *err)
{
    *ret = (ErdResult){0};
    if (in->diff.sides.from.kind != ENDPOINT_NONE) {
        DiffResult r;
        bool ok = flow_diff(a, &in->diff, &r, err);
        ret->diags = r.diags;
        if (!ok)
            return false;
        ret->erd = erd_of_diff(a, r.diff);
        ret->title = str_fmt(a, "From %s to %s", shown(a, &r.sides[0]), shown(a, &r.sides[1]));
    } else {
        SidesInput sides_in = in->diff.sides;
        Side sides[2];
        sides_in.from = (Endpoint){.kind = ENDPOINT_EMPTY};
        findings_init(&ret->diags, a, &sides_in.base.config->finding_rules);
        bool ok = flow_sides(a, &sides_in, &ret->diags, sides, err);
        findings_sort(&ret->diags);
        if (!ok)
            return false;
        flow_sides_close(sides);
        ret->erd = erd_of_catalog(a, sides[1].catalog);
        ret->title = shown(a, &sides[1]);
    }
    return erd_choose(ret->erd, &in->choice, err);
}
