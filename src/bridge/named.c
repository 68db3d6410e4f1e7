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
        bool is_type = strcmp(c->type.name, id->name) == 0 &&
                       (!c->type.schema || strcmp(c->type.schema, id->schema) == 0);
        /* nextval('name'::regclass) holds a name in a string. */
        if (is_type || catalog_mentions(c->default_expr, id->name) ||
            (id->kind == CAT_SEQUENCE && c->default_expr && strstr(c->default_expr, id->name)))
            return true;
    }
    return false;
}

static bool
can_be_named(const CatObject *o)
{
    return o->id.kind == CAT_ENUM || o->id.kind == CAT_DOMAIN || o->id.kind == CAT_COMPOSITE ||
           o->id.kind == CAT_FUNCTION ||
           (o->id.kind == CAT_SEQUENCE && !((const CatSequence *)o)->is_identity);
}

/* By ordinal: what the schema names, and what that needs in turn. */
static bool *
find_named(Arena *a, const Catalog *schema, const Catalog *other)
{
    CatObjects *needs = catalog_needs(a, other), open = {0};
    bool *named = arena_array(a, bool, other->count);
    vec_each (CatObject *, o, &other->objects)
        if (can_be_named(*o) && is_named(schema, &(*o)->id))
            *vec_add(a, &open) = *o;
    while (open.n) {
        const CatObject *o = open.v[--open.n];
        if (named[o->ordinal] || catalog_find(schema, o->id))
            continue;
        named[o->ordinal] = true;
        vec_each (CatObject *, need, &needs[o->ordinal])
            *vec_add(a, &open) = *need;
    }
    return named;
}

/* `to` as `from` is, but for its place in its own catalog, and its parts. */
#define COPY(T, to, from)                                                                          \
    do {                                                                                           \
        unsigned ordinal_ = (to)->ordinal;                                                         \
        *(to) = *(const T *)(from);                                                                \
        (to)->ordinal = ordinal_;                                                                  \
        (to)->owner = NULL;                                                                        \
    } while (0)

static void
add_schema(Catalog *c, const char *name)
{
    cat_each (CatSchema, s, &c->schemas)
        if (strcmp(s->id.name, name) == 0)
            return;
    if (!str_starts(str_of(name), STR("pg_")))
        catalog_add(c, CAT_SCHEMA, NULL, name);
}

static void *
add_object(Catalog *c, CatRef id)
{
    add_schema(c, id.schema);
    return catalog_add(c, id.kind, id.schema, id.name);
}

/* Those that are named, without what they belong to. */
static void
add_named(Catalog *c, const bool *named, const Catalog *other)
{
    cat_each (CatEnum, x, &other->enums)
        if (named[x->ordinal]) {
            CatEnum *copy = add_object(c, x->id);
            COPY(CatEnum, copy, x);
        }
    cat_each (CatDomain, x, &other->domains)
        if (named[x->ordinal]) {
            CatDomain *copy = add_object(c, x->id);
            COPY(CatDomain, copy, x);
            copy->constraints = (CatConstraints){0};
            cat_each (CatConstraint, k, &x->constraints) {
                CatConstraint *part = catalog_add_to(c, copy, CAT_CONSTRAINT, k->id.sub);
                COPY(CatConstraint, part, k);
            }
        }
    cat_each (CatComposite, x, &other->composites)
        if (named[x->ordinal]) {
            CatComposite *copy = add_object(c, x->id);
            COPY(CatComposite, copy, x);
            copy->columns = (CatColumns){0};
            cat_each (CatColumn, k, &x->columns) {
                CatColumn *part = catalog_add_to(c, copy, CAT_COLUMN, k->id.sub);
                COPY(CatColumn, part, k);
            }
        }
    cat_each (CatSequence, x, &other->sequences)
        if (named[x->ordinal]) {
            CatSequence *copy = add_object(c, x->id);
            COPY(CatSequence, copy, x);
            copy->owner_column = NULL;
            copy->owner_table = (CatName){0};
        }
    cat_each (CatFunction, x, &other->functions)
        if (named[x->ordinal]) {
            CatFunction *copy = add_object(c, x->id);
            COPY(CatFunction, copy, x);
            copy->id = x->id;
        }
}

static Catalog *
surroundings(Arena *a, const Catalog *other)
{
    Catalog *c = catalog_new(a);
    cat_each (CatSchema, s, &other->schemas)
        add_schema(c, s->id.name);
    cat_each (CatExtension, e, &other->extensions) {
        CatExtension *copy = catalog_add(c, CAT_EXTENSION, NULL, e->id.name);
        copy->in_schema = e->in_schema;
        if (e->in_schema)
            add_schema(c, e->in_schema);
    }
    return c;
}

Catalog *
bridge_surroundings(Arena *a, const Catalog *other)
{
    Catalog *c = surroundings(a, other);
    catalog_finish(c);
    return c;
}

Catalog *
bridge_named(Arena *a, const Catalog *schema, const Catalog *other)
{
    Catalog *named = surroundings(a, other);
    ARENA_LOCAL(scratch);
    add_named(named, find_named(scratch, schema, other), other);
    catalog_finish(named);
    return named;
}

static bool
says_more(const PslModelField *f)
{
    return f->kind == PSL_FIELD_UNSUPPORTED || f->dflt.kind == PSL_DEFAULT_DBGENERATED;
}

bool
bridge_names_more(const PslResolved *schema)
{
    for (size_t i = 0; i < schema->nmodels; i++)
        for (size_t k = 0; k < schema->models[i]->nfields; k++)
            if (says_more(&schema->models[i]->fields[k]))
                return true;
    return false;
}
