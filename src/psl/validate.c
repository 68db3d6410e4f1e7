/* The order of the validation. */
#include "psl/validate_int.h"

PslResolved *
psl_validate(Arena *a, const PslSchema *schema, const PslValidateOpts *opts, FindingList *diags)
{
    enum { COMPARISONS = 200000 };
    PslResolved *r = arena_new(a, PslResolved);
    r->schema = schema;
    Ctx c = {.a = a,
             .schema = schema,
             .diags = diags,
             .r = r,
             .near_left = COMPARISONS,
             .prisma = opts ? opts->prisma : 0};
    map_init(&r->models_by_name, a);
    map_init(&r->enums_by_name, a);
    map_init(&c.composites, a);
    /* In this order: each relies on what the ones before it found out. */
    static void (*const steps[])(Ctx *) = {
        v_resolve_names,   v_check_config, v_check_dialect, v_check_attrs,
        v_relations_infer, v_check_models, v_check_names,   v_check_relations,
    };
    for (size_t i = 0; i < COUNT(steps); i++) {
        ARENA_LOCAL(scratch);
        c.scratch = scratch;
        steps[i](&c);
    }
    return r;
}
