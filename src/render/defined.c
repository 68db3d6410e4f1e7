/* Objects of rare kinds: what makes them was written by the query that read them. */
#include "render/render_int.h"

/* The key of an option, as it is written: host, "odd key". */
static Str
key_of(const char *option)
{
    if (*option != '"')
        return (Str){option, strcspn(option, " ")};
    const char *p = option + 1;
    while (*p && (*p != '"' || p[1] == '"'))
        p += *p == '"' ? 2 : 1;
    return (Str){option, (size_t)(p - option) + (*p == '"')};
}

static const char *
option_of(const CatTexts *options, Str key)
{
    vec_each (const char *, o, options)
        if (str_eq(key_of(*o), key))
            return *o;
    return NULL;
}

static void
create(Render *r, const CatDefined *o)
{
    Buf b;
    buf_init(&b, r->arena);
    if (o->secrets.n) {
        buf_addz(&b, "-- Not written here, because it is secret: ");
        for (size_t i = 0; i < o->secrets.n; i++)
            buf_fmt(&b, "%s%s", i ? ", " : "",
                    str_printable(r->arena, str_of(o->secrets.v[i]), false));
        buf_addc(&b, '\n');
    }
    buf_addz(&b, o->definition);
    for (size_t i = 0; i < o->options.n; i++)
        buf_fmt(&b, "%s%s", i ? ", " : " OPTIONS (", o->options.v[i]);
    buf_addz(&b, o->options.n ? ")" : "");
    if (b.n) /* default privileges: all of it is in `more` */
        statement_buf(r, &b);
    vec_each (const char *, more, &o->more)
        statement(r, "%s", *more);
}

static void
alter_options(Render *r, const CatDefined *from, const CatDefined *to)
{
    Buf b;
    buf_init(&b, r->arena);
    vec_each (const char *, o, &from->options)
        if (!option_of(&to->options, key_of(*o)))
            buf_fmt(&b, "%sDROP " STR_FMT, b.n ? ", " : "", STR_ARG(key_of(*o)));
    vec_each (const char *, o, &to->options) {
        const char *was = option_of(&from->options, key_of(*o));
        if (!was || strcmp(was, *o) != 0)
            buf_fmt(&b, "%s%s %s", b.n ? ", " : "", was ? "SET" : "ADD", *o);
    }
    if (b.n)
        statement(r, "ALTER %s %s OPTIONS (%s)", cat_kind(to->id.kind)->sql, to->address, b.p);
}

void
render_defined(Render *r, const Change *c)
{
    const CatDefined *from = (const CatDefined *)c->from, *to = (const CatDefined *)c->to;
    const char *sql = cat_kind(c->kind)->sql;
    if (c->op == CHANGE_DROP) {
        vec_each (const char *, removal, &from->removal)
            statement(r, "%s", *removal);
        if (!from->removal.n && !from->goes_along)
            statement(r, "DROP %s %s", sql, from->address);
        return;
    }
    if (c->op == CHANGE_CREATE)
        create(r, to);
    else if (cat_has_text(&c->fields, "options"))
        alter_options(r, from, to);
    if (to->setting && !cat_same_text(from ? from->setting : NULL, to->setting))
        statement(r, "ALTER %s %s %s", sql, to->address, to->setting);
    if ((from ? from->enabled : 0) != to->enabled)
        statement(r, "ALTER %s %s %s", sql, to->address, enabled_words(to->enabled));
    render_attributes(r, c->from, c->to);
}
