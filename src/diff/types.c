/* Domains and composite types. */
#include "diff/diff_int.h"

bool
domain_stays(const Differ *d, const CatDomain *x, const CatDomain *y)
{
    CatTexts fields = catalog_changes(d->arena, x, y, &d->rules);
    return !cat_has_text(&fields, "type") && !cat_has_text(&fields, "collation") &&
           !type_is_rebuilt(d, &x->type);
}

const CatConstraint *
domain_check(const CatDomain *domain, const char *name)
{
    cat_each (CatConstraint, k, &domain->constraints)
        if (strcmp(k->id.sub, name) == 0)
            return k;
    return NULL;
}

static void
create_domain(Differ *d, const CatDomain *y)
{
    change_create(d, y);
    cat_each (CatConstraint, k, &y->constraints)
        if (catalog_check_is_apart(k))
            change_add(d, CHANGE_CREATE, NULL, k, RANK_ALTER_TYPE);
}

/* A function that takes the domain goes before it, what calls the function before both. */
static void
drop_domain(Differ *d, const CatDomain *x)
{
    cat_each (CatConstraint, k, &x->constraints)
        if (k->needs.n && catalog_check_is_apart(k))
            change_add(d, CHANGE_DROP, k, NULL, RANK_ALTER_TYPE);
    change_drop(d, x);
}

void
diff_domains(Differ *d)
{
    cat_each (CatDomain, y, &d->to->domains) {
        const CatDomain *x = catalog_find(d->from, y->id);
        if (!x || !domain_stays(d, x, y)) {
            if (x)
                drop_domain(d, x);
            create_domain(d, y);
            continue;
        }
        CatTexts fields = catalog_changes(d->arena, x, y, &d->rules);
        if (y->is_not_null && not_null_is_renamed(x->not_null_name, y->not_null_name))
            *vec_add(d->arena, &fields) = "not_null_name";
        if (fields.n)
            change_alter(d, x, y)->fields = fields;
        cat_each (CatConstraint, k, &x->constraints) {
            const CatConstraint *other = domain_check(y, k->id.sub);
            if (other && constraint_stays(d, k, other))
                part_alter(d, k, other);
            else
                change_add(d, CHANGE_DROP, k, NULL, RANK_ALTER_TYPE);
        }
        cat_each (CatConstraint, k, &y->constraints) {
            const CatConstraint *other = domain_check(x, k->id.sub);
            if (!other || !constraint_stays(d, other, k))
                change_add(d, CHANGE_CREATE, NULL, k, RANK_ALTER_TYPE);
        }
    }
    cat_each (CatDomain, x, &d->from->domains)
        if (!catalog_find(d->to, x->id))
            drop_domain(d, x);
}

const CatColumn *
composite_attribute(const CatComposite *t, const char *name)
{
    cat_each (CatColumn, c, &t->columns)
        if (strcmp(c->id.sub, name) == 0)
            return c;
    return NULL;
}

static void
alter_composite(Differ *d, const CatComposite *x, const CatComposite *y)
{
    Change *c = arena_new(d->arena, Change);
    cat_each (CatColumn, from, &x->columns)
        if (!composite_attribute(y, from->id.sub))
            *vec_add(d->arena, &c->columns) = (ColumnChange){.op = COLUMN_DROP, .from = from};
    /* The order is part of the type: ROW(1, 2)::pair. What is added comes last, so all that stands behind it
     * is added again. */
    bool is_behind = false;
    const CatColumn *last = NULL;
    cat_each (CatColumn, to, &y->columns) {
        const CatColumn *from = composite_attribute(x, to->id.sub);
        if (!from) {
            *vec_add(d->arena, &c->columns) = (ColumnChange){.op = COLUMN_ADD, .to = to};
            is_behind = true;
            continue;
        }
        is_behind = is_behind || (last && from->ordinal < last->ordinal);
        last = from;
        bool anew = is_behind || type_is_rebuilt(d, &from->type);
        unsigned fields = anew ? COLUMN_TYPE : 0;
        CatTexts changes = catalog_changes(d->arena, from, to, &d->rules);
        vec_each (const char *, name, &changes)
            fields |=
                strcmp(*name, "comment") == 0 ? (unsigned)COLUMN_COMMENT : (unsigned)COLUMN_TYPE;
        is_behind = is_behind || anew;
        if (fields)
            *vec_add(d->arena, &c->columns) =
                (ColumnChange){.op = anew ? COLUMN_RECREATE : COLUMN_ALTER,
                               .from = from,
                               .to = to,
                               .fields = fields};
    }
    CatRules rules = d->rules;
    rules.ignore_column_order = true;
    CatTexts fields = catalog_changes(d->arena, x, y, &rules);
    if (!c->columns.n && !fields.n)
        return;
    Change *added = change_alter(d, x, y);
    added->fields = fields;
    added->columns.v = c->columns.v;
    added->columns.n = c->columns.n;
    added->columns.cap = c->columns.cap;
}

/* The attributes of a composite type for whose old values a function makes new ones. */
static void
composite_convert(Differ *d, Change *c, const CatComposite *x, const CatComposite *y)
{
    c->room = (const CatObject *)x;
    cat_each (CatColumn, to, &y->columns) {
        ColumnChange *k = vec_add(d->arena, &c->columns);
        const CatColumn *from = composite_attribute(x, to->id.sub);
        *k = (ColumnChange){.op = COLUMN_ADD, .to = to};
        if (from) {
            column_compare(d, from, to, k);
            k->from = from;
        }
    }
    cat_each (CatColumn, from, &x->columns)
        if (!composite_attribute(y, from->id.sub))
            *vec_add(d->arena, &c->columns) = (ColumnChange){.op = COLUMN_DROP, .from = from};
}

void
diff_composites(Differ *d)
{
    cat_each (CatComposite, y, &d->to->composites) {
        const CatComposite *x = catalog_find(d->from, y->id);
        if (x)
            alter_composite(d, x, y);
        else if ((x = (const CatComposite *)type_that_made_room(d, &y->id)))
            composite_convert(d, change_create(d, y), x, y);
        else
            change_create(d, y);
    }
    cat_each (CatComposite, x, &d->from->composites)
        if (!catalog_find(d->to, x->id))
            change_drop(d, x)->room = type_made_room(d, &x->id);
}
