/* The constraint behind NOT NULL, which has a name since 18 (of domains: 17). */
#include "render/render_int.h"

const char *
not_null_name(const Render *r, const CatRef *of, const char *name)
{
    return name ? name : catalog_not_null_name(r->arena, of->name, of->sub);
}

void
put_not_null(Render *r, Buf *b, const CatColumn *column)
{
    put_not_null_name(r, b, column->not_null_name);
    buf_fmt(b, " NOT NULL %s%s%s", ident_text(r, column->id.sub),
            column->is_not_null_no_inherit ? " NO INHERIT" : "",
            column->is_not_null_unchecked ? " NOT VALID" : "");
}

const char *
not_null_inheritance(Render *r, const char *table, const CatColumn *x, const CatColumn *y)
{
    if (!x || x->is_not_null_no_inherit == y->is_not_null_no_inherit)
        return NULL;
    return str_fmt(r->arena, "ALTER TABLE %s ALTER CONSTRAINT %s %s", table,
                   ident_text(r, not_null_name(r, &y->id, y->not_null_name)),
                   y->is_not_null_no_inherit ? "NO INHERIT" : "INHERIT");
}

const char *
set_not_null(Render *r, const CatColumn *column)
{
    if (!column->not_null_name && !column->is_not_null_no_inherit && !column->is_not_null_unchecked)
        return str_fmt(r->arena, "ALTER COLUMN %s SET NOT NULL", ident_text(r, column->id.sub));
    Buf b;
    buf_init(&b, r->arena);
    buf_addz(&b, "ADD");
    put_not_null(r, &b, column);
    return buf_finish(&b).p;
}
