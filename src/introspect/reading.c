/* What was read already, by the oids that rows refer to it with. */
#include "introspect/introspect_int.h"

static Str
key_of(Reading *r, const unsigned *parts, size_t n)
{
    unsigned *copy = arena_array(r->scratch, unsigned, n);
    memcpy(copy, parts, n * sizeof *parts);
    return (Str){(const char *)copy, n * sizeof *parts};
}

void *
intro_by_oid(const Map *map, unsigned id)
{
    return map_get(map, (Str){(const char *)&id, sizeof id});
}

void
intro_put_oid(Reading *r, Map *map, unsigned id, void *value)
{
    map_put(map, key_of(r, &id, 1), value);
}

void
intro_remember(Reading *r, unsigned class, unsigned id, void *object)
{
    if (id)
        map_put(&r->objects, key_of(r, (unsigned[]){class, id}, 2), object);
}

CatObject *
intro_recall(const Reading *r, unsigned class, unsigned id)
{
    unsigned key[] = {class, id};
    return map_get(&r->objects, (Str){(const char *)key, sizeof key});
}

bool
intro_left_out(const Reading *r, const char *schema, const char *object)
{
    const IntrospectOptions *o = r->options;
    if (!o || !o->nexcept)
        return false;
    const char *full = str_fmt(r->scratch, "%s.%s", schema, object);
    for (size_t i = 0; i < o->nexcept; i++)
        if (strchr(o->except[i], '.') && introspect_matches(o->except[i], full))
            return true;
    return false;
}

Rel *
rel_add(Reading *r, unsigned id, CatObject *object, const char *schema, const char *rel_name)
{
    Rel *rel = arena_new(r->scratch, Rel);
    *rel = (Rel){.object = object, .schema = schema, .name = rel_name};
    intro_put_oid(r, &r->rels, id, rel);
    if (object)
        intro_remember(r, CLASS_CLASS, id, object);
    return rel;
}

CatRelation *
rel_relation(const Reading *r, unsigned id)
{
    const Rel *rel = intro_by_oid(&r->rels, id);
    if (!rel || !rel->object || rel->object->id.kind == CAT_COMPOSITE)
        return NULL;
    return (CatRelation *)(void *)rel->object;
}

const char *
rel_column(const Rel *rel, long long number_)
{
    if (!rel || number_ < 1 || (size_t)number_ > rel->columns.n)
        return NULL;
    return rel->columns.v[number_ - 1].name;
}

void
rel_columns(Reading *r, const Rel *rel, Str cell, CatTexts *ret)
{
    Numbers list = cell_numbers(r, cell);
    vec_each (long long, k, &list) {
        const char *column = rel_column(rel, *k);
        if (column)
            *vec_add(r->arena, ret) = column;
    }
}

void
intro_finish(Reading *r)
{
    for (size_t i = 0; i < r->rels.n; i++) {
        const Rel *rel = r->rels.entries[i].value;
        if (!rel->object)
            continue;
        CatColumns *list = rel->object->id.kind == CAT_COMPOSITE
                               ? &((CatComposite *)(void *)rel->object)->columns
                               : &((CatRelation *)(void *)rel->object)->columns;
        size_t n = 0;
        vec_each (const RelColumn, c, &rel->columns)
            if (c->column)
                list->v[n++] = c->column;
    }
}

CatName
intro_collation(const Reading *r, unsigned id)
{
    const CatName *o = id ? intro_by_oid(&r->collations, id) : NULL;
    return o ? *o : (CatName){0};
}
