/* Rows of the queries become objects; the cells of each row are in the order of its query. Here:
 * schemas, extensions and types, and what is said about objects of all kinds. */
#include "introspect/introspect_int.h"

static bool
wanted_schema(const Reading *r, const char *schema)
{
    const IntrospectOptions *o = r->options;
    if (!o)
        return true;
    bool wanted = !o->nschemas;
    for (size_t i = 0; i < o->nschemas; i++)
        wanted = wanted || introspect_matches(o->schemas[i], schema);
    for (size_t i = 0; i < o->nexcept; i++)
        if (!strchr(o->except[i], '.') && introspect_matches(o->except[i], schema))
            return false;
    return wanted;
}

void
intro_row_schema(Reading *r, const Str *c)
{
    const char *schema = cell_name(r, c[1]);
    if (!wanted_schema(r, schema)) {
        *vec_add(r->scratch, &r->outside) = cell_oid(c[0]);
        return;
    }
    *vec_add(r->scratch, &r->schemas) = cell_oid(c[0]);
    if (cell_yes(c[4])) /* an extension's schema may hold objects of users */
        return;
    CatSchema *o = catalog_add(r->catalog, CAT_SCHEMA, NULL, schema);
    o->owner = cell_name(r, c[2]);
    o->grants = intro_acl(r, &o->id, o->owner, c[3]);
    o->usual = intro_is_public(&o->id) ? intro_usual_in_public(r->major) : NULL;
    intro_remember(r, CLASS_NAMESPACE, cell_oid(c[0]), o);
}

void
intro_row_extension(Reading *r, const Str *c)
{
    CatExtension *o = catalog_add(r->catalog, CAT_EXTENSION, NULL, cell_name(r, c[1]));
    o->in_schema = cell_name(r, c[2]);
    o->version = cell_text(r, c[3]);
    o->owner = cell_name(r, c[4]);
}

void
intro_row_opclass(Reading *r, const Str *c)
{
    CatName *o = arena_new(r->scratch, CatName);
    *o = cell_qualified(r, c[1], c[2]);
    intro_put_oid(r, &r->opclasses, cell_oid(c[0]), o);
}

void
intro_row_collation(Reading *r, const Str *c)
{
    CatName *o = arena_new(r->scratch, CatName);
    *o = cell_qualified(r, c[1], c[2]);
    intro_put_oid(r, &r->collations, cell_oid(c[0]), o);
}

void
intro_row_type(Reading *r, const Str *c)
{
    const char *schema = cell_name(r, c[2]), *type_name = cell_name(r, c[3]);
    char kind = cell_letter(c[4]);
    bool skip = cell_yes(c[8]) || intro_left_out(r, schema, type_name);
    CatObject *o = NULL;
    if (!skip) {
        CatKind k = kind == 'e' ? CAT_ENUM : kind == 'd' ? CAT_DOMAIN : CAT_COMPOSITE;
        o = catalog_add(r->catalog, k, schema, type_name);
        o->owner = cell_name(r, c[6]);
        o->grants = intro_acl(r, &o->id, o->owner, c[7]);
        intro_remember(r, CLASS_TYPE, cell_oid(c[0]), o);
        intro_remember(r, CLASS_TYPE, cell_oid(c[1]), o);
    }
    if (kind == 'c')
        rel_add(r, cell_oid(c[5]), o, schema, type_name);
    if (kind != 'd' || skip)
        return;
    CatDomain *d = (void *)o;
    d->type = cell_type(r, c[9]);
    d->is_not_null = cell_yes(c[10]);
    d->default_expr = cell_text(r, c[11]);
    d->collation = intro_collation(r, cell_oid(c[12]));
}

void
intro_row_label(Reading *r, const Str *c)
{
    CatEnum *e = (void *)intro_recall(r, CLASS_TYPE, cell_oid(c[0]));
    if (e)
        *vec_add(r->arena, &e->labels) = cell_name(r, c[1]);
}

void
intro_row_comment(Reading *r, const Str *c)
{
    unsigned class = cell_oid(c[0]), id = cell_oid(c[1]);
    int num = cell_int(c[2]);
    CatObject *o = intro_recall(r, class, id);
    if (class == CLASS_CLASS && num > 0) {
        const Rel *rel = intro_by_oid(&r->rels, id);
        o = rel_column(rel, num) ? (CatObject *)rel->columns.v[num - 1].column : NULL;
    }
    if (!o || (o->id.kind == CAT_SCHEMA && str_is(c[3], "standard public schema")))
        return; /* initdb's */
    if (class == CLASS_CLASS && o->id.kind == CAT_CONSTRAINT)
        ((CatConstraint *)(void *)o)->index_comment = cell_text(r, c[3]);
    else if (str_is(c[4], "m"))
        ((CatDefined *)(void *)o)->multirange_comment = cell_text(r, c[3]);
    else
        o->comment = cell_text(r, c[3]);
}

static bool
is_condition(const CatObject *trigger, const CatObject *on)
{
    const CatName *called = &((const CatTrigger *)(const void *)trigger)->function;
    return on->id.kind == CAT_FUNCTION && (strcmp(on->id.name, called->name) != 0 ||
                                           !cat_same_text(on->id.schema, called->schema));
}

static bool
is_type_of(const CatColumn *column, const CatObject *on)
{
    return cat_same_text(column->type.schema, on->id.schema) &&
           strcmp(column->type.name, on->id.name) == 0;
}

void
intro_row_dependency(Reading *r, const Str *c)
{
    CatObject *o = intro_recall(r, cell_oid(c[0]), cell_oid(c[1]));
    const CatObject *on = intro_recall(r, cell_oid(c[2]), cell_oid(c[3]));
    int part = cell_int(c[5]);
    if (part) { /* a generated column */
        const Rel *of = intro_by_oid(&r->rels, cell_oid(c[1]));
        o = of && rel_column(of, part) ? (CatObject *)of->columns.v[part - 1].column : NULL;
    }
    if (!o || !on || o == on || (part && is_type_of((const CatColumn *)o, on)))
        return;
    /* Parents and types of tables, functions of triggers are fields; functions of a partition key and of a
     * trigger's condition are not. */
    if ((o->id.kind == CAT_TRIGGER && !is_condition(o, on)) ||
        (o->id.kind == CAT_TABLE && cell_oid(c[0]) == CLASS_CLASS && on->id.kind != CAT_FUNCTION &&
         !cat_kind(on->id.kind)->is_defined))
        return;
    CatRef need = on->id;
    int num = cell_int(c[4]);
    const Rel *rel = num ? intro_by_oid(&r->rels, cell_oid(c[3])) : NULL;
    if (rel && rel_column(rel, num))
        need = rel->columns.v[num - 1].column->id;
    if (cat_kind(o->id.kind)->named == CAT_NAMED_WHOLE && need.kind != CAT_CONSTRAINT &&
        strcmp(o->id.name, need.name) == 0 && cat_same_text(o->id.schema, need.schema))
        return; /* of its own relation */
    *vec_add(r->arena, &o->needs) = need;
}

void
intro_row_other(Reading *r, const Str *c)
{
    const char *schema = cell_name(r, c[1]);
    if (schema && (!wanted_schema(r, schema) || intro_left_out(r, schema, cell_name(r, c[2]))))
        return;
    *vec_add(r->arena, &r->catalog->others) =
        (CatOther){cell_name(r, c[0]), schema, cell_name(r, c[2])};
}
