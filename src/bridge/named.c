/* What a schema takes for given: extensions, and what it names without words to make it. */
#include "bridge/bridge.h"

/* Whether a schema names what it has no words to make: in Unsupported("..."), dbgenerated("...").
 */
static bool
is_named(const Catalog *schema, const CatRef *id)
{
    if (catalog_find(schema, *id))
        return false;
    vec_each (CatObject *, o, &schema->objects) {
        const CatColumn *c = (const CatColumn *)*o;
        if (c->id.kind != CAT_COLUMN)
            continue;
        /* nextval('name'::regclass) holds a name in a string. */
        if (strcmp(c->type.name, id->name) == 0 || catalog_mentions(c->default_expr, id->name) ||
            (id->kind == CAT_SEQUENCE && c->default_expr && strstr(c->default_expr, id->name)))
            return true;
    }
    return false;
}

/* `to` as `from` is, but for its place in its own catalog, and its parts. */
#define COPY(T, to, from)                                                                          \
    do {                                                                                           \
        unsigned ordinal_ = (to)->ordinal;                                                         \
        *(to) = *(const T *)(from);                                                                \
        (to)->ordinal = ordinal_;                                                                  \
        (to)->owner = NULL;                                                                        \
    } while (0)

/* Those that the schema names, without what they belong to. */
static void
add_named(Catalog *c, const Catalog *schema, const Catalog *other)
{
    cat_each (CatDomain, x, &other->domains)
        if (is_named(schema, &x->id)) {
            CatDomain *copy = catalog_add(c, CAT_DOMAIN, x->id.schema, x->id.name);
            COPY(CatDomain, copy, x);
            copy->constraints = (CatConstraints){0};
            cat_each (CatConstraint, k, &x->constraints) {
                CatConstraint *part = catalog_add_to(c, copy, CAT_CONSTRAINT, k->id.sub);
                COPY(CatConstraint, part, k);
            }
        }
    cat_each (CatComposite, x, &other->composites)
        if (is_named(schema, &x->id)) {
            CatComposite *copy = catalog_add(c, CAT_COMPOSITE, x->id.schema, x->id.name);
            COPY(CatComposite, copy, x);
            copy->columns = (CatColumns){0};
            cat_each (CatColumn, k, &x->columns) {
                CatColumn *part = catalog_add_to(c, copy, CAT_COLUMN, k->id.sub);
                COPY(CatColumn, part, k);
            }
        }
    cat_each (CatSequence, x, &other->sequences)
        if (!x->is_identity && is_named(schema, &x->id)) {
            CatSequence *copy = catalog_add(c, CAT_SEQUENCE, x->id.schema, x->id.name);
            COPY(CatSequence, copy, x);
            copy->owner_column = NULL;
            copy->owner_table = (CatName){0};
        }
    cat_each (CatFunction, x, &other->functions)
        if (is_named(schema, &x->id)) {
            CatFunction *copy = catalog_add(c, CAT_FUNCTION, x->id.schema, x->id.name);
            COPY(CatFunction, copy, x);
            copy->id = x->id;
        }
}

Catalog *
bridge_named(Arena *a, const Catalog *schema, const Catalog *other)
{
    Catalog *named = catalog_new(a);
    cat_each (CatSchema, s, &other->schemas)
        catalog_add(named, CAT_SCHEMA, NULL, s->id.name);
    cat_each (CatExtension, e, &other->extensions) {
        CatExtension *copy = catalog_add(named, CAT_EXTENSION, NULL, e->id.name);
        copy->in_schema = e->in_schema;
    }
    add_named(named, schema, other);
    catalog_finish(named);
    return named;
}
