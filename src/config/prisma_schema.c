/* What the datasource block of a schema says, as psl/ reads it. */
#include "config_int.h"

#include "psl/psl.h"

static const char *
text_of(Arena *a, const PslExpr *e)
{
    return str_dup(a, e->text);
}

/* "text", env("NAME") or ["a", "b"]; anything else leaves the value empty. */
static FileValue
value_of(Arena *a, const PslProp *prop)
{
    const PslExpr *e = &prop->value;
    int column;
    FileValue v = {.key = str_dup(a, prop->name)};
    str_line_col(prop->parent->file->source->text, prop->span.off, &v.line, &column);
    if (e->kind == PSL_STRING)
        *vec_add(a, &v.alts) = (FileAlt){.text = text_of(a, e)};
    const PslExpr *name =
        e->kind == PSL_FUNCTION && str_is(e->text, "env") ? psl_arg_value(e->args, NULL, 0) : NULL;
    if (name && name->kind == PSL_STRING)
        *vec_add(a, &v.alts) = (FileAlt){.is_env = true, .text = text_of(a, name)};
    for (size_t i = 0; e->kind == PSL_ARRAY && i < e->args.n; i++)
        if (e->args.v[i].value.kind == PSL_STRING)
            *vec_add(a, &v.list) = text_of(a, &e->args.v[i].value);
    return v;
}

/* The line of the first part that the language has no place for; 0 = there is none. Text behind the
 * opening brace counts: Prisma passes over it. */
static int
first_bad_line(const PslDecl *d)
{
    size_t at = SIZE_MAX;
    Str text = d->file->source->text, behind = psl_text(d->file, d->after_brace);
    if (behind.n && !str_starts(behind, STR("/")))
        at = d->after_brace.off;
    for (size_t i = 0; i < d->items.n && at == SIZE_MAX; i++)
        if (d->items.v[i].kind == PSL_ITEM_BAD)
            at = d->items.v[i].span.off;
    int line = 0, column;
    if (at != SIZE_MAX)
        str_line_col(text, at, &line, &column);
    return line;
}

bool
config_schema_parse(Arena *a, Str text, PrismaDatasource *ret)
{
    static const char keyword[] = "datasource";
    ARENA_LOCAL(tree);
    if (!memmem(text.p, text.n, keyword, sizeof keyword - 1)) /* most files of a folder */
        return false;
    const PslDecl *d = psl_parse_first(tree, &(Source){.text = text}, PSL_DATASOURCE);
    for (size_t i = 0; d && i < d->props.n; i++)
        *vec_add(a, &ret->values) = value_of(a, &d->props.v[i]);
    ret->bad_line = d ? first_bad_line(d) : 0;
    return d != NULL;
}
