/* What is wished for so far, and names before and after it. */
#include "diff/diff_int.h"

bool
wish_exists(const Catalog *c, CatRef id)
{
    if (id.kind != CAT_ENUM || !id.sub)
        return catalog_find(c, id) != NULL;
    const CatEnum *e = catalog_find(c, (CatRef){CAT_ENUM, id.schema, id.name, NULL});
    return e && cat_has_text(&e->labels, id.sub);
}

CatRef
wish_whole_of(CatRef part)
{
    return (CatRef){part.kind == CAT_COLUMN ? CAT_TABLE : part.kind, part.schema, part.name, NULL};
}

bool
wish_same(const CatRef *x, CatRef y)
{
    return cat_ref_cmp(x, &y) == 0;
}

const Wish *
wish_from(const Wishes *w, CatRef old)
{
    vec_each (const Wish, x, &w->all)
        if (wish_same(&x->old, old))
            return x;
    return NULL;
}

const Wish *
wish_to(const Wishes *w, CatRef now)
{
    vec_each (const Wish, x, &w->all)
        if (wish_same(&x->now, now))
            return x;
    return NULL;
}

/* A part under its table's or enum's new name, and under its old one. */
CatRef
wish_part_now(const Wishes *w, CatRef part)
{
    const Wish *x = wish_from(w, wish_whole_of(part));
    return x ? (CatRef){part.kind, x->now.schema, x->now.name, part.sub} : part;
}

CatRef
wish_part_was(const Wishes *w, CatRef part)
{
    const Wish *x = wish_to(w, wish_whole_of(part));
    return x ? (CatRef){part.kind, x->old.schema, x->old.name, part.sub} : part;
}

bool
wish_goes(const Wishes *w, CatRef old)
{
    return !wish_exists(w->to, wish_part_now(w, old)) && !wish_from(w, old);
}
