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

static bool
is_in_replica_index(const CatRelation *r, const char *column)
{
    if (r->replica_identity != 'i')
        return false;
    cat_each (CatIndex, i, &r->indexes)
        if (cat_same_text(i->id.name, r->replica_index))
            vec_each (const CatKey, key, &i->keys)
                if (cat_same_text(key->column, column))
                    return true;
    cat_each (CatConstraint, k, &r->constraints)
        if (cat_same_text(k->id.sub, r->replica_index) && cat_has_text(&k->columns, column))
            return true;
    return false;
}

/* Whether a column of the index that tells rows apart loses its NOT NULL, if only for the time until it is set again:
 * PostgreSQL refuses that. */
static bool
loses_not_null(const Differ *d, const CatRelation *x)
{
    vec_each (Change *, at, &d->diff->changes) {
        if ((*at)->op != CHANGE_ALTER || (*at)->from != (const CatObject *)x)
            continue;
        vec_each (const ColumnChange, k, &(*at)->columns)
            if (k->op == COLUMN_ALTER && k->fields & COLUMN_NULLABLE && k->from->is_not_null &&
                is_in_replica_index(x, k->from->id.sub))
                return true;
    }
    return false;
}

/* The table as it is without that index, until its columns have changed. */
static const CatRelation *
let_replica_index_go(Differ *d, const CatRelation *x)
{
    CatRelation *between = arena_new(d->arena, CatRelation);
    *between = *x;
    between->replica_identity = 0;
    between->replica_index = NULL;
    between->needs = (CatRefs){0};
    change_add(d, CHANGE_ALTER, x, between, RANK_DROP_CODE)->is_aside = true;
    return between;
}

void
index_state_compare(Differ *d, const CatRelation *x, const CatRelation *y)
{
    if (x && loses_not_null(d, x))
        x = let_replica_index_go(d, x);
    if (!names_index(y))
        return;
    if (x && x->replica_identity == y->replica_identity &&
        cat_same_text(x->replica_index, y->replica_index) &&
        cat_same_text(x->cluster_index, y->cluster_index) && !is_made(d, y, y->replica_index) &&
        !is_made(d, y, y->cluster_index))
        return;
    change_add(d, CHANGE_INDEX_STATE, x, y, RANK_ALTER_OTHER);
}

static bool
is_dropped(const Differ *d, const CatRelation *r, const char *index)
{
    vec_each (Change *, at, &d->diff->changes) {
        const Change *c = *at;
        const char *name = NULL;
        if (c->op == CHANGE_DROP && c->kind == CAT_INDEX)
            name = c->from->id.name;
        else if (c->op == CHANGE_DROP && c->kind == CAT_CONSTRAINT &&
                 strcmp(c->from->id.name, r->id.name) == 0)
            name = c->from->id.sub;
        else if (c->drop_key && c->from == (const CatObject *)r)
            name = c->drop_key->id.sub;
        if (name && cat_same_text(name, index) && cat_same_text(c->from->id.schema, r->id.schema))
            return true;
    }
    return false;
}

static bool
is_set(const CatRelation *r, const char *column)
{
    const CatColumn *found = column ? catalog_column(r, column) : NULL;
    return found && found->is_not_null;
}

/* Whether PostgreSQL takes the index to tell rows apart. */
static bool
tells_rows_apart(const CatRelation *r, const char *name)
{
    cat_each (CatIndex, i, &r->indexes) {
        bool is_fit = strcmp(i->id.name, name) == 0 && i->is_unique && !i->predicate;
        vec_each (const CatKey, key, &i->keys)
            is_fit = is_fit && is_set(r, key->column);
        if (is_fit)
            return true;
    }
    cat_each (CatConstraint, k, &r->constraints)
        if (strcmp(k->id.sub, name) == 0 && k->type == CAT_PRIMARY_KEY)
            return true;
    return false;
}

void
index_state_keep(Differ *d, const CatRelation *x, const CatRelation *y)
{
    if (!names_index(x))
        return;
    const char *name = x->replica_identity == 'i' ? x->replica_index : NULL;
    bool is_made_anew = name && is_made(d, y, name);
    bool goes = name && (is_made_anew || is_dropped(d, x, name));
    CatRelation *now = arena_new(d->arena, CatRelation);
    *now = *x;
    now->needs = (CatRefs){0};
    now->cluster_index =
        x->cluster_index && is_made(d, y, x->cluster_index) ? x->cluster_index : NULL;
    now->replica_identity = 0;
    now->replica_index = NULL;
    if (goes || loses_not_null(d, x)) {
        x = let_replica_index_go(d, x);
        if (is_made_anew && tells_rows_apart(y, name)) {
            now->replica_identity = 'i';
            now->replica_index = name;
        }
    }
    if (names_index(now))
        change_add(d, CHANGE_INDEX_STATE, x, now, RANK_ALTER_OTHER);
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
