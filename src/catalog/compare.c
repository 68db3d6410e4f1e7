/* Comparing two objects field by field under rules. */
#include "catalog/catalog_int.h"

#include <stdlib.h>

bool
cat_field_counts(const Field *f, const CatObject *o, const CatRules *rules)
{
    if (!rules)
        return true;
    switch (f->rule) {
    case RULE_ALWAYS:
        return true;
    case RULE_NEVER:
        return false;
    case RULE_OWNER:
        return !rules->ignore_owners;
    case RULE_COMMENT:
        return !rules->ignore_comments;
    case RULE_VERSION:
        return !rules->ignore_versions;
    case RULE_GRANTS:
        break;
    }
    if (rules->ignore_grants || !rules->grants_of)
        return !rules->ignore_grants;
    size_t low = 0, high = rules->grants_of->n;
    while (low < high) {
        size_t mid = (low + high) / 2;
        int d = cat_ref_cmp(&rules->grants_of->v[mid], &o->id);
        if (d == 0)
            return true;
        if (d < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return false;
}

const char *
cat_role_of(const CatRules *rules, const char *role)
{
    for (size_t i = 0; rules && role && i < rules->nroles; i++)
        if (strcmp(rules->roles[i].from, role) == 0)
            return rules->roles[i].to;
    return role;
}

CatTexts
cat_roles_of(Arena *a, const CatRules *rules, CatTexts roles)
{
    if (!rules || !rules->nroles)
        return roles;
    CatTexts mapped = {0};
    for (size_t i = 0; i < roles.n; i++)
        *vec_add(a, &mapped) = cat_role_of(rules, roles.v[i]);
    cat_texts_sort(&mapped);
    return mapped;
}

CatGrants
cat_grants_of(Arena *a, const CatRules *rules, CatGrants grants)
{
    if (!rules || !rules->nroles)
        return grants;
    CatGrants mapped = {0};
    for (size_t i = 0; i < grants.n; i++)
        *vec_add(a, &mapped) =
            (CatGrant){cat_role_of(rules, grants.v[i].role), grants.v[i].privileges};
    cat_grants_sort(&mapped);
    return mapped;
}

static bool
same_name(const CatName *x, const CatName *y)
{
    return cat_same_text(x->name, y->name) &&
           (!x->schema || !y->schema || strcmp(x->schema, y->schema) == 0);
}

static bool
same_names(const CatNames *x, const CatNames *y)
{
    for (size_t i = 0; x->n == y->n && i < x->n; i++)
        if (!same_name(&x->v[i], &y->v[i]))
            return false;
    return x->n == y->n;
}

static bool
same_keys(const CatKeys *x, const CatKeys *y)
{
    for (size_t i = 0; x->n == y->n && i < x->n; i++) {
        const CatKey *p = &x->v[i], *q = &y->v[i];
        if (!cat_same_text(p->column, q->column) || !cat_same_text(p->expr, q->expr) ||
            !same_name(&p->collation, &q->collation) || !same_name(&p->opclass, &q->opclass) ||
            !cat_same_text(p->opclass_args, q->opclass_args) || !cat_same_text(p->op, q->op) ||
            p->is_desc != q->is_desc || p->is_nulls_reversed != q->is_nulls_reversed)
            return false;
    }
    return x->n == y->n;
}

static bool
same_grants(CatGrants x, CatGrants y)
{
    for (size_t i = 0; x.n == y.n && i < x.n; i++)
        if (!cat_same_text(x.v[i].role, y.v[i].role) ||
            !cat_same_text(x.v[i].privileges, y.v[i].privileges))
            return false;
    return x.n == y.n;
}

static bool
same_field(Arena *a, const Field *f, const void *x, const void *y, const CatRules *rules)
{
    const void *p = field_at(x, f), *q = field_at(y, f);
    switch (f->type) {
    case FIELD_TEXT: {
        const char *s = *(const char *const *)p, *t = *(const char *const *)q;
        return f->is_role ? cat_same_text(cat_role_of(rules, s), cat_role_of(rules, t))
                          : cat_same_text(s, t);
    }
    case FIELD_BOOL:
        return *(const bool *)p == *(const bool *)q;
    case FIELD_CHAR:
        return *(const char *)p == *(const char *)q;
    case FIELD_INT:
        return *(const int64_t *)p == *(const int64_t *)q;
    case FIELD_ENUM:
        return *(const int *)p == *(const int *)q;
    case FIELD_NAME:
        return same_name(p, q);
    case FIELD_TYPE:
        return catalog_type_same(p, q);
    case FIELD_TEXTS: {
        CatTexts s = *(const CatTexts *)p, t = *(const CatTexts *)q;
        if (f->is_role) {
            s = cat_roles_of(a, rules, s);
            t = cat_roles_of(a, rules, t);
        }
        return cat_same_texts(&s, &t);
    }
    case FIELD_NAMES:
        return same_names(p, q);
    case FIELD_KEYS:
        return same_keys(p, q);
    case FIELD_GRANTS:
        return same_grants(cat_grants_of(a, rules, *(const CatGrants *)p),
                           cat_grants_of(a, rules, *(const CatGrants *)q));
    case FIELD_REFS:
        break; /* follows from the other fields */
    }
    return true;
}

static bool
has_column(const ObjectList *columns, const char *name)
{
    for (size_t i = 0; i < columns->n; i++)
        if (cat_same_text(list_get(columns, i)->id.sub, name))
            return true;
    return false;
}

/* Whether the columns that both have stand in the same order. */
static bool
same_order(const ObjectList *x, const ObjectList *y)
{
    size_t k = 0;
    for (size_t i = 0; i < x->n; i++) {
        const char *name = list_get(x, i)->id.sub;
        /* Mostly they are equal, and then nothing is searched. */
        if (k < y->n && cat_same_text(list_get(y, k)->id.sub, name)) {
            k++;
            continue;
        }
        if (!has_column(y, name))
            continue;
        while (k < y->n && !has_column(x, list_get(y, k)->id.sub))
            k++;
        if (k == y->n || !cat_same_text(list_get(y, k)->id.sub, name))
            return false;
        k++;
    }
    return true;
}

CatTexts
catalog_changes(Arena *a, const void *x, const void *y, const CatRules *rules)
{
    static const CatRules everything;
    CatTexts changed = {0};
    const CatObject *o = x;
    const KindInfo *kind = cat_kind_info(o->id.kind);
    if (!rules)
        rules = &everything;
    for (size_t i = 0; i < kind->nfields; i++)
        if (cat_field_counts(&kind->fields[i], o, rules) &&
            !same_field(a, &kind->fields[i], x, y, rules))
            *vec_add(a, &changed) = kind->fields[i].name;
    for (size_t i = 0; i < cat_nhead_fields; i++)
        if (cat_field_counts(&cat_head_fields[i], o, rules) &&
            !same_field(a, &cat_head_fields[i], x, y, rules))
            *vec_add(a, &changed) = cat_head_fields[i].name;
    const ListInfo *lists = cat_part_lists(o->id.kind);
    if (lists->key && lists->kind == CAT_COLUMN && !rules->ignore_column_order &&
        !same_order(list_at(x, lists), list_at(y, lists)))
        *vec_add(a, &changed) = "column_order";
    return changed;
}
