/* Schemas and extensions. */
#include "diff/diff_int.h"

void
diff_schemas(Differ *d)
{
    cat_each (CatSchema, y, &d->to->schemas) {
        const CatSchema *x = catalog_find(d->from, y->id);
        bool is_taken_for_made = d->compat && refs_have(d->diff->from.unused_schemas, &y->id);
        if (x)
            part_alter(d, x, y);
        else if (!is_taken_for_made)
            change_create(d, y);
    }
    if (d->prisma_kinds)
        return;
    cat_each (CatSchema, x, &d->from->schemas)
        if (!catalog_find(d->to, x->id))
            change_drop(d, x);
}

static bool
differs(const char *x, const char *y)
{
    return x && y && strcmp(x, y) != 0;
}

void
diff_extensions(Differ *d)
{
    cat_each (CatExtension, y, &d->to->extensions) {
        const CatExtension *x = catalog_find(d->from, y->id);
        if (!x) {
            change_create(d, y);
            continue;
        }
        bool version = differs(x->version, y->version) && !d->rules.ignore_versions;
        bool schema = differs(x->in_schema, y->in_schema);
        if (!version && !schema)
            continue;
        /* Between two schemas Prisma cannot know that an extension may be moved. */
        if (d->compat && d->options->from_is_written) {
            change_add(d, CHANGE_DROP, x, NULL, RANK_DROP_EXTENSION);
            change_create(d, y);
            continue;
        }
        Change *c = change_alter(d, x, y);
        if (version)
            *vec_add(d->arena, &c->fields) = "version";
        if (schema)
            *vec_add(d->arena, &c->fields) = "in_schema";
    }
    if (d->prisma_kinds)
        return;
    cat_each (CatExtension, x, &d->from->extensions)
        if (!catalog_find(d->to, x->id))
            change_drop(d, x);
}
