#include "flow/undo_names.h"

#include <string.h>

/* Something that was there before, and what it is called at this point of the script. The `now` of a part names its
 * whole as that was called before. */
typedef struct Known {
    CatRef was, now;
    bool is_gone;
} Known;

typedef struct Names {
    Arena *arena;
    const Catalog *from, *to;
    VEC(Known) list; /* what the script has touched */
} Names;

static bool
exists(const Catalog *c, const CatRef *id)
{
    if (id->kind != CAT_ENUM || !id->sub)
        return catalog_find(c, *id) != NULL;
    const CatEnum *e = catalog_find(c, (CatRef){CAT_ENUM, id->schema, id->name, NULL});
    return e && cat_has_text(&e->labels, id->sub);
}

static const Known *
find_was(const Names *n, const CatRef *was)
{
    vec_each (const Known, k, &n->list)
        if (cat_ref_cmp(&k->was, was) == 0)
            return k;
    return NULL;
}

/* What is called so now; NULL: nothing that was there before. Valid until the next call. */
static Known *
known(Names *n, CatRef now)
{
    vec_each (Known, k, &n->list)
        if (!k->is_gone && cat_ref_cmp(&k->now, &now) == 0)
            return k;
    if (!exists(n->from, &now) || find_was(n, &now))
        return NULL;
    Known *k = vec_add(n->arena, &n->list);
    *k = (Known){.was = now, .now = now};
    return k;
}

static void
add_meaning(const Names *n, CatRefs *all, const CatRef *id, const SqlName *name)
{
    if (!id->sub && strcmp(id->name, name->name) == 0 &&
        (!*name->schema || strcmp(id->schema, name->schema) == 0))
        *vec_add(n->arena, all) = *id;
}

/* What a statement means by the name of a table, sequence or enum. */
static Known *
named(Names *n, const SqlName *name)
{
    CatRefs all = {0};
    cat_each (CatRelation, t, &n->from->tables)
        add_meaning(n, &all, &t->id, name);
    cat_each (CatSequence, s, &n->from->sequences)
        add_meaning(n, &all, &s->id, name);
    cat_each (CatEnum, e, &n->from->enums)
        add_meaning(n, &all, &e->id, name);
    vec_each (const Known, k, &n->list)
        add_meaning(n, &all, &k->now, name);
    Known *one = NULL;
    vec_each (const CatRef, id, &all) {
        Known *k = known(n, *id);
        bool is_first = k && (!one || strcmp(k->now.schema, "public") == 0);
        one = is_first ? k : one;
    }
    return one ? known(n, one->now) : NULL;
}

static Known *
named_part(Names *n, const SqlName *whole, const char *part)
{
    const Known *of = named(n, whole);
    if (!of)
        return NULL;
    CatRef id = of->was;
    id.kind = id.kind == CAT_TABLE ? CAT_COLUMN : id.kind;
    id.sub = part;
    return known(n, id);
}

/* All that was in a schema. */
static void
rename_schema(Names *n, const char *was, const char *now)
{
    CatRefs all = {0};
    cat_each (CatRelation, t, &n->from->tables)
        *vec_add(n->arena, &all) = t->id;
    cat_each (CatEnum, e, &n->from->enums)
        *vec_add(n->arena, &all) = e->id;
    cat_each (CatSequence, s, &n->from->sequences)
        if (!s->owner_column)
            *vec_add(n->arena, &all) = s->id;
    vec_each (const CatRef, id, &all)
        if (strcmp(id->schema, was) == 0)
            known(n, *id);
    vec_each (Known, k, &n->list)
        if (!k->now.sub && strcmp(k->now.schema, was) == 0)
            k->now.schema = now;
}

static void
follow(Names *n, const SqlAction *x)
{
    Known *k;
    switch (x->kind) {
    case SQL_ACT_RENAME:
        if (x->object == SQL_OBJ_SCHEMA) {
            rename_schema(n, x->on.name, x->to);
        } else if (x->object == SQL_OBJ_COLUMN) {
            if ((k = named_part(n, &x->on, x->name)) != NULL)
                k->now.sub = x->to;
        } else if (!*x->name && (k = named(n, &x->on)) != NULL) {
            k->now.name = x->to;
        }
        break;
    case SQL_ACT_RENAME_VALUE:
        if ((k = named_part(n, &x->on, x->name)) != NULL)
            k->now.sub = x->to;
        break;
    case SQL_ACT_SET_SCHEMA:
        if ((k = named(n, &x->on)) != NULL)
            k->now.schema = x->to;
        break;
    case SQL_ACT_DROP_COLUMN:
        if ((k = named_part(n, &x->on, x->name)) != NULL)
            k->is_gone = true;
        break;
    case SQL_ACT_DROP:
        if (!*x->name && (k = named(n, &x->on)) != NULL)
            k->is_gone = true;
        break;
    default:
        break;
    }
}

/* The same with the name that its whole has at the end. */
static CatRef
at_the_end(const Names *n, CatRef now)
{
    if (!now.sub)
        return now;
    const CatRef whole = {now.kind == CAT_COLUMN ? CAT_TABLE : now.kind, now.schema, now.name,
                          NULL};
    const Known *of = find_was(n, &whole);
    return of ? (CatRef){now.kind, of->now.schema, of->now.name, now.sub} : now;
}

/* Something has the name in the catalog that the renames begin with, and keeps it. */
static bool
is_taken(const Names *n, const Known *k, bool back)
{
    const CatRef wanted = back ? k->was : k->now;
    const CatRef id = back ? at_the_end(n, wanted) : wanted;
    if (!exists(back ? n->to : n->from, &id))
        return false;
    vec_each (const Known, other, &n->list)
        if (!other->is_gone && cat_ref_cmp(back ? &other->now : &other->was, &wanted) == 0)
            return cat_ref_cmp(&other->now, &other->was) == 0;
    return true;
}

CatRenames
script_renames(Arena *a, const SqlActionVec *actions, size_t n, const Catalog *from,
               const Catalog *to, bool back)
{
    Names names = {.arena = a, .from = from, .to = to};
    for (size_t i = 0; i < n; i++)
        vec_each (const SqlAction, x, &actions[i])
            follow(&names, x);
    CatRenames ret = {0};
    vec_each (const Known, k, &names.list) {
        const CatRef now = at_the_end(&names, k->now);
        if (k->is_gone || cat_ref_cmp(&k->was, &k->now) == 0 || !exists(to, &now) ||
            is_taken(&names, k, back))
            continue;
        const CatRef *then = back ? &k->was : &k->now;
        bool moves = !then->sub && strcmp(k->was.schema, k->now.schema) != 0;
        *vec_add(a, &ret) = (CatRename){back ? now : k->was, then->sub ? then->sub : then->name,
                                        moves ? then->schema : NULL};
    }
    return ret;
}
