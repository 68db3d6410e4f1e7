/* What names an index: replica identity and CLUSTER ON, changed behind the indexes. */
#include "diff/diff_int.h"

static bool
is_made(const Differ *d, const CatRelation *r, const char *index)
{
    vec_each (Change *, at, &d->diff->changes) {
        const Change *c = *at;
        const char *name = NULL;
        if (c->op == CHANGE_CREATE && c->kind == CAT_INDEX)
            name = c->to->id.name;
        else if (c->op == CHANGE_CREATE && c->kind == CAT_CONSTRAINT &&
                 strcmp(c->to->id.name, r->id.name) == 0)
            name = c->to->id.sub;
        else if (c->add_key && c->to == (const CatObject *)r)
            name = c->add_key->id.sub;
        if (index && cat_same_text(name, index) && cat_same_text(c->to->id.schema, r->id.schema))
            return true;
    }
    return false;
}

static bool
names_index(const CatRelation *r)
{
    return r->replica_identity == 'i' || r->cluster_index;
}

void
index_state_compare(Differ *d, const CatRelation *x, const CatRelation *y)
{
    if (!names_index(y))
        return;
    if (x && x->replica_identity == y->replica_identity &&
        cat_same_text(x->replica_index, y->replica_index) &&
        cat_same_text(x->cluster_index, y->cluster_index) && !is_made(d, y, y->replica_index) &&
        !is_made(d, y, y->cluster_index))
        return;
    change_add(d, CHANGE_INDEX_STATE, x, y, RANK_ALTER_OTHER);
}

/* Without the fields that index_state_compare compares. */
void
index_state_leave(CatTexts *fields, const CatRelation *y)
{
    size_t kept = 0;
    vec_each (const char *, name, fields)
        if (!(y->replica_identity == 'i' && strncmp(*name, "replica_", 8) == 0) &&
            !(y->cluster_index && strcmp(*name, "cluster_index") == 0))
            fields->v[kept++] = *name;
    fields->n = kept;
}
