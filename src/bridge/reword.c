/* What a server printed of a schema, back in the words of the schema. */
#include "bridge/bridge.h"

static bool
draws(const char *expr)
{
    return strncmp(expr, "nextval(", 8) == 0;
}

static void
reword_column(CatColumn *c, const CatColumn *written)
{
    if (c->default_expr && written->default_expr && !c->generated && !draws(c->default_expr))
        c->default_expr = written->default_expr;
    if (c->type.schema && !written->type.schema) /* Unsupported("vector(3)") */
        c->type = written->type;
}

void
bridge_reword(Catalog *printed, const Catalog *written)
{
    cat_each (CatRelation, t, &printed->tables) {
        const CatRelation *w = catalog_find(written, t->id);
        if (!w)
            continue;
        cat_each (CatColumn, c, &t->columns) {
            const CatColumn *of = catalog_column(w, c->id.sub);
            if (of)
                reword_column(c, of);
        }
        cat_each (CatIndex, i, &t->indexes) {
            const CatIndex *of = catalog_find(written, i->id);
            if (of && of->predicate && i->predicate)
                i->predicate = of->predicate;
        }
    }
}
