/* Primary keys of tables that stay. */
#include "diff/diff_int.h"

static const CatConstraint *
primary_key(const CatRelation *r)
{
    cat_each (CatConstraint, k, &r->constraints)
        if (k->type == CAT_PRIMARY_KEY)
            return k;
    return NULL;
}

void
primary_key_compare(Differ *d, Change *c, const CatRelation *x, const CatRelation *y)
{
    const CatConstraint *from = primary_key(x), *to = primary_key(y);
    if ((to && to->is_inherited) || (d->in_words && !from != !to && words_is_join(x, y)))
        return;
    /* The language cannot say it, so it is left alone. */
    if (d->in_words &&
        ((from && !to && from->is_without_overlaps) || (to && !from && to->is_without_overlaps)))
        return;
    if (from && from->is_inherited)
        from = NULL; /* goes with that of its table */
    bool changed =
        from && to &&
        (!cat_same_texts(&from->columns, &to->columns) || columns_recreated(c, &from->include) ||
         columns_retyped(c, &from->columns) || (!d->prisma_kinds && !part_same(d, from, to)));
    if (from && (!to || changed))
        c->drop_key = from;
    if (to && (!from || changed))
        c->add_key = to;
    if (from && to && !changed)
        part_alter(d, from, to);
    if (from && to && strcmp(from->id.sub, to->id.sub) != 0 && !(changed && !d->compat)) {
        c->rename_key_from = from;
        c->rename_key_to = to;
    }
}

bool
key_has(const CatConstraint *key, const char *column)
{
    vec_each (const CatKey, k, &key->keys)
        if (cat_same_text(k->column, column) || catalog_mentions(k->expr, column))
            return true;
    return cat_has_text(&key->columns, column) || cat_has_text(&key->include, column) ||
           catalog_mentions(key->expr, column);
}

const CatConstraint *
key_above(const Catalog *c, const CatConstraint *key)
{
    const CatRelation *t = catalog_relation(c, key->id.schema, key->id.name);
    const CatRelation *above =
        t && key->is_inherited && t->partition_of.name
            ? catalog_relation(c, t->partition_of.schema, t->partition_of.name)
            : NULL;
    if (above)
        cat_each (CatConstraint, k, &above->constraints)
            if (k->type == key->type && cat_same_texts(&k->columns, &key->columns))
                return k;
    return NULL;
}
