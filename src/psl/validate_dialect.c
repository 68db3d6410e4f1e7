/* Forms that the parser takes and an older generation of Prisma does not: block comments and names
 * in other scripts came with Prisma 6, object literals with Prisma 7. */
#include "psl/validate_int.h"

static void
check_name(Ctx *c, const PslFile *file, Str name)
{
    for (size_t i = 0; i < name.n; i++) {
        if ((unsigned char)name.p[i] < 0x80)
            continue;
        v_error(c, FINDING_DIALECT_NAME, file, psl_span_of(file, name),
                "Prisma 5 knows names of ASCII letters only");
        return;
    }
}

static void
check_expr(Ctx *c, const PslFile *file, const PslExpr *e)
{
    if (e->kind == PSL_OBJECT && c->prisma != 7) {
        v_error(c, FINDING_DIALECT_OBJECT, file, e->span, "Prisma %d does not know objects in { }",
                c->prisma);
        return;
    }
    for (size_t i = 0; i < e->args.n; i++)
        check_expr(c, file, &e->args.v[i].value);
}

static void
check_attr_list(Ctx *c, const PslFile *file, PslAttrs attrs)
{
    for (size_t i = 0; i < attrs.n; i++) {
        for (size_t k = 0; k < attrs.v[i].args.n; k++)
            check_expr(c, file, &attrs.v[i].args.v[k].value);
    }
}

static void
check_block_comment(Ctx *c, const PslFile *file, PslSpan at)
{
    Str text = psl_text(file, at);
    if (c->prisma == 5 && str_starts(text, STR("/*")))
        v_error(c, FINDING_DIALECT_COMMENT, file, at, "Prisma 5 knows // comments only");
}

static void
check_items(Ctx *c, const PslFile *file, PslItems items)
{
    for (size_t i = 0; i < items.n; i++) {
        if (items.v[i].kind == PSL_ITEM_BLOCK_COMMENT)
            check_block_comment(c, file, items.v[i].span);
    }
}

static void
check_decl(Ctx *c, const PslDecl *decl)
{
    const PslFile *file = decl->file;
    check_items(c, file, decl->items);
    check_attr_list(c, file, decl->attrs);
    for (size_t i = 0; i < decl->fields.n; i++) {
        check_attr_list(c, file, decl->fields.v[i].attrs);
        check_block_comment(c, file, decl->fields.v[i].comment);
    }
    for (size_t i = 0; i < decl->values.n; i++)
        check_block_comment(c, file, decl->values.v[i].comment);
    for (size_t i = 0; i < decl->props.n; i++) {
        check_expr(c, file, &decl->props.v[i].value);
        check_block_comment(c, file, decl->props.v[i].comment);
    }
    if (c->prisma != 5)
        return;
    check_name(c, file, decl->name);
    for (size_t i = 0; i < decl->fields.n; i++)
        check_name(c, file, decl->fields.v[i].name);
    for (size_t i = 0; i < decl->values.n; i++)
        check_name(c, file, decl->values.v[i].name);
}

void
v_check_dialect(Ctx *c)
{
    if (c->prisma == 0 || c->prisma == 7)
        return;
    for (size_t i = 0; i < c->schema->nfiles; i++)
        check_items(c, &c->schema->files[i], c->schema->files[i].items);
    for (size_t i = 0; i < c->schema->ndecls; i++)
        check_decl(c, c->schema->decls[i]);
}
