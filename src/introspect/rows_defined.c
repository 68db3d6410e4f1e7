/* Rows of rare kinds become objects. */
#include "introspect/introspect_int.h"

static void
take_texts(Reading *r, Str cell, CatTexts *ret)
{
    Strs items = intro_array(r->scratch, cell);
    vec_each (Str, item, &items)
        if (item->p)
            *vec_add(r->arena, ret) = str_dup(r->arena, *item);
}

/* What it needs may be read later: once all is there. */
static void
need_later(Reading *r, CatDefined *o, Str cell)
{
    *vec_add(r->scratch, &r->needs) = (LaterNeeds){o, cell_numbers(r, cell)};
}

void
intro_row_defined(Reading *r, const Str *c)
{
    enum {
        KIND,
        BESIDE,
        CLASS,
        OID,
        SCHEMA,
        NAME,
        SUB,
        ADDRESS,
        DEFINITION,
        REMOVAL,
        SETTING,
        MORE,
        OWNER,
        ACL,
        ENABLED,
        TYPES,
        MULTIRANGE,
        GOES_ALONG,
        NEEDS,
        OPTIONS,
        SECRETS,
        DEPENDS
    };
    const char *schema = cell_name(r, c[SCHEMA]), *name = cell_name(r, c[NAME]);
    if (schema && intro_left_out(r, schema, name))
        return;
    CatDefined *o = catalog_add(r->catalog, (CatKind)cell_int(c[KIND]), schema, name);
    o->id.sub = cell_name(r, c[SUB]);
    o->address = cell_text(r, c[ADDRESS]);
    o->definition = cell_printed(r, c[DEFINITION]);
    o->setting = cell_text(r, c[SETTING]);
    o->owner = cell_name(r, c[OWNER]);
    o->enabled = cell_letter(c[ENABLED]);
    o->goes_along = cell_yes(c[GOES_ALONG]);
    o->grants = intro_acl(r, &o->id, o->owner, c[ACL]);
    take_texts(r, c[REMOVAL], &o->removal);
    take_texts(r, c[MORE], &o->more);
    take_texts(r, c[OPTIONS], &o->options);
    take_texts(r, c[SECRETS], &o->secrets);
    Strs multirange = intro_array(r->scratch, c[MULTIRANGE]);
    if (multirange.n == 2)
        o->multirange = (CatName){cell_name(r, multirange.v[0]), cell_name(r, multirange.v[1])};
    Numbers types = cell_numbers(r, c[TYPES]);
    vec_each (long long, type, &types)
        intro_remember(r, CLASS_TYPE, (unsigned)*type, o);
    if (!cell_yes(c[BESIDE]))
        intro_remember(r, cell_oid(c[CLASS]), cell_oid(c[OID]), o);
    need_later(r, o, c[NEEDS]);
    need_later(r, o, c[DEPENDS]);
}

void
intro_take_needs(Reading *r)
{
    vec_each (LaterNeeds, later, &r->needs)
        for (size_t i = 0; i + 2 < later->numbers.n; i += 3) {
            const long long *n = later->numbers.v + i;
            const CatObject *on = intro_recall(r, (unsigned)n[0], (unsigned)n[1]);
            if (!on || on == (const CatObject *)later->object ||
                (on->id.kind == CAT_SCHEMA && cat_same_text(on->id.name, later->object->id.schema)))
                continue;
            const Rel *rel = n[2] ? intro_by_oid(&r->rels, (unsigned)n[1]) : NULL;
            *vec_add(r->arena, &later->object->needs) =
                rel && rel_column(rel, n[2]) ? rel->columns.v[n[2] - 1].column->id : on->id;
        }
}

/* ---- shells ----------------------------------------------------------------------------------- */

static CatDefined *
shell_of(const Reading *r, const CatDefined *type)
{
    if (type->id.kind == CAT_BASE || type->id.kind == CAT_RANGE)
        cat_each (CatDefined, o, &r->catalog->defined)
            if (o->id.kind == CAT_SHELL && strcmp(o->id.name, type->id.name) == 0 &&
                strcmp(o->id.schema, type->id.schema) == 0)
                return o;
    return NULL;
}

static bool
needs(const CatDefined *o, const CatRef *id)
{
    vec_each (const CatRef, need, &o->needs)
        if (cat_ref_cmp(need, id) == 0)
            return true;
    return false;
}

/* A type's functions take the type itself: they, and the type, need its shell. */
void
intro_use_shells(Reading *r)
{
    cat_each (CatDefined, type, &r->catalog->defined) {
        const CatDefined *shell = shell_of(r, type);
        if (!shell)
            continue;
        *vec_add(r->arena, &type->needs) = shell->id;
        cat_each (CatFunction, f, &r->catalog->functions)
            if (needs(type, &f->id))
                vec_each (CatRef, need, &f->needs)
                    if (cat_ref_cmp(need, &type->id) == 0)
                        *need = shell->id;
    }
}
