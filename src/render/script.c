/* Steps and scripts. */
#include "render/render_int.h"

static void (*const writers[])(Render *r, const Change *c) = {
#define KIND(id, T, fields, list, key, name, title, sql, named, code, plain, owner, public, acl,   \
             create, alter, drop, write)                                                           \
    render_##write,
#include "catalog/kinds.def"
};

/* "CreateTable"; what is called otherwise names itself. */
static const char *
title(Arena *a, const Change *c)
{
    static const char *const words[] = {
        [CHANGE_CREATE] = "Create", [CHANGE_DROP] = "Drop",    [CHANGE_ALTER] = "Alter",
        [CHANGE_RENAME] = "Rename", [CHANGE_ATTACH] = "Alter", [CHANGE_INDEX_STATE] = "Alter",
    };
    const CatObject *o = c->to ? c->to : c->from;
    bool is_procedure = c->kind == CAT_FUNCTION && ((const CatFunction *)o)->is_procedure;
    return str_fmt(a, "%s%s", words[c->op], is_procedure ? "Procedure" : cat_kind(c->kind)->title);
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
        RenderStep step = {.change = *c, .title = title(a, *c)};
        r.step = &step;
        writers[(*c)->kind](&r, *c);
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
