/* The sides of a comparison. */
#include "cli/sides.h"

/* What --from-... or --to-... names. */
static Endpoint
endpoint(const CmdCall *call, const char *side, const Config *config)
{
    Arena *a = call->arena;
    static const struct {
        const char *name;
        EndpointKind kind;
    } forms[] = {
        {"empty", ENDPOINT_EMPTY},
        {"schema", ENDPOINT_SCHEMA},
        {"migrations", ENDPOINT_MIGRATIONS},
        {"sql", ENDPOINT_SQL},
        {"url", ENDPOINT_DATABASE},
        {"config-datasource", ENDPOINT_DATABASE},
        {"schema-datasource", ENDPOINT_DATABASE},
    };
    for (size_t i = 0; i < COUNT(forms); i++) {
        const char *option = str_fmt(a, "%s-%s", side, forms[i].name);
        if (!cli_given(call, option))
            continue;
        Endpoint e = {.kind = forms[i].kind};
        if (strcmp(forms[i].name, "url") == 0)
            e.url = cli_text(call, option);
        else if (e.kind == ENDPOINT_DATABASE)
            e.config = config;
        else
            e.path = cli_text(call, option);
        e.origin = str_fmt(a, "flag --%s", option);
        return e;
    }
    return (Endpoint){0};
}

/* The configuration of a side's schema where only its datasource is wanted; else the call's. */
bool
cli_side(CmdCall *call, const char *side, const Config *config, Endpoint *ret, Err *err)
{
    *ret = endpoint(call, side, config);
    const char *schema = cli_text(call, str_fmt(call->arena, "%s-schema-datasource", side));
    if (!schema)
        return true;
    Config *own = arena_new(call->arena, Config);
    ret->config = own;
    return cli_load_config_of(call, schema, own, err);
}

CatTexts
cli_renames(const CmdCall *call)
{
    CatTexts renames = {0};
    vec_each (const OptValue, v, &call->options)
        if (strcmp(v->spec->name, "rename") == 0)
            *vec_add(call->arena, &renames) = v->text;
    return renames;
}
