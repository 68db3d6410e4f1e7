/* Schemas and extensions. */
#include "render/render_int.h"

void
render_schema(Render *r, const Change *c)
{
    if (c->op == CHANGE_CREATE) {
        statement(r, "CREATE SCHEMA IF NOT EXISTS %s", ident_text(r, c->to->id.name));
        render_attributes(r, NULL, c->to);
    } else if (c->op == CHANGE_DROP) {
        statement(r, "DROP SCHEMA %s", ident_text(r, c->from->id.name));
    } else {
        render_attributes(r, c->from, c->to);
    }
}

void
render_extension(Render *r, const Change *c)
{
    const CatExtension *e = (const CatExtension *)(c->to ? c->to : c->from);
    const char *name = ident_text(r, e->id.name);
    if (c->op == CHANGE_DROP) {
        statement(r, "DROP EXTENSION %s", name);
    } else if (c->op == CHANGE_CREATE) {
        Buf b;
        buf_init(&b, r->arena);
        buf_fmt(&b, "CREATE EXTENSION IF NOT EXISTS %s", name);
        /* A version is wanted where somebody wrote one; a database that is copied has the newest. */
        bool version = e->version && (r->compat || r->diff->options.prisma_kinds);
        if (e->in_schema || version)
            buf_addz(&b, " WITH");
        if (e->in_schema) {
            buf_addz(&b, " SCHEMA ");
            put_ident(r, &b, e->in_schema);
        }
        if (version) {
            buf_addz(&b, " VERSION ");
            put_ident(r, &b, e->version);
        }
        statement_buf(r, &b);
    } else {
        if (cat_has_text(&c->fields, "version"))
            statement(r, "ALTER EXTENSION %s UPDATE TO %s", name, ident_text(r, e->version));
        if (cat_has_text(&c->fields, "in_schema"))
            statement(r, "ALTER EXTENSION %s SET SCHEMA %s", name, ident_text(r, e->in_schema));
    }
}
