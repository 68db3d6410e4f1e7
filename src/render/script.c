/* Steps and scripts. */
#include "render/render_int.h"

#include <assert.h>

static void (*const renderers[])(Render *r, const Change *c) = {
    [CAT_SCHEMA] = render_schema,
    [CAT_EXTENSION] = render_extension,
    [CAT_ENUM] = render_enum,
    [CAT_DOMAIN] = render_domain,
    [CAT_COMPOSITE] = render_composite,
    [CAT_SEQUENCE] = render_sequence,
    [CAT_FUNCTION] = render_function,
    [CAT_TABLE] = render_table,
    [CAT_VIEW] = render_view,
    [CAT_MATVIEW] = render_view,
    [CAT_COLUMN] = render_renamed_column,
    [CAT_INDEX] = render_index,
    [CAT_CONSTRAINT] = render_constraint,
    [CAT_TRIGGER] = render_code,
    [CAT_RULE] = render_code,
    [CAT_POLICY] = render_code,
};
static_assert(sizeof renderers / sizeof *renderers == CAT_KIND_COUNT, "a renderer for each kind");

static void
render_change(Render *r, const Change *c)
{
    if (c->is_index_state || c->attaches) {
        if (c->attaches)
            render_attach(r, c);
        else
            render_index_state(r, c);
        return;
    }
    renderers[c->kind](r, c);
}

RenderSteps
render_steps(Arena *a, const Diff *d, const RenderOptions *options)
{
    RenderSteps steps = {0};
    Render r = {.arena = a,
                .diff = d,
                .schema = options && options->schema ? options->schema : "public",
                .compat = d->options.prisma_compat};
    vec_each (Change *, c, &d->changes) {
        RenderStep step = {.change = *c};
        r.step = &step;
        render_change(&r, *c);
        if (step.statements.n)
            *vec_add(a, &steps) = step;
    }
    return steps;
}

/* Bodies of SQL functions may use what comes later: they are not looked at while they are made. */
static bool
has_sql_function(const Diff *d)
{
    vec_each (Change *, c, &d->changes)
        if ((*c)->kind == CAT_FUNCTION && (*c)->to) {
            const char *text = ((const CatFunction *)(*c)->to)->definition;
            if (text && strstr(text, "LANGUAGE sql") && strstr(text, "AS $"))
                return true;
        }
    return false;
}

Str
render_script(Arena *a, const Diff *d, const RenderOptions *options)
{
    RenderSteps steps = render_steps(a, d, options);
    if (!steps.n)
        return STR("-- This is an empty migration.");
    Buf b;
    buf_init(&b, a);
    if (has_sql_function(d))
        buf_addz(&b, "SET check_function_bodies = off;\n\n");
    vec_each (const RenderStep, step, &steps) {
        if (step != steps.v)
            buf_addc(&b, '\n');
        buf_fmt(&b, "-- %s\n", step->title);
        vec_each (const char *, text, &step->statements) {
            buf_addz(&b, *text);
            buf_addz(&b, ";\n");
        }
    }
    return buf_str(&b);
}
