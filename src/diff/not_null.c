/* The constraints behind NOT NULL, which have names since 18. A table's goes with those of its children by its name, and
 * theirs cannot be renamed: where names differ the table's is for itself alone (NO INHERIT) meanwhile. */
#include "diff/diff_int.h"

/* Names that PostgreSQL gives: t_c_not_null, t_c_not_null1. They follow from what a table was called once. */
static bool
is_given_name(const char *name)
{
    Str s = str_of(name ? name : "_not_null");
    while (s.n && s.p[s.n - 1] >= '0' && s.p[s.n - 1] <= '9')
        s.n--;
    return str_ends(s, STR("_not_null"));
}

bool
not_null_is_renamed(const char *was, const char *is)
{
    return !cat_same_text(was, is) && !(is_given_name(was) && is_given_name(is));
}

static const CatColumn *
column_of(const Catalog *c, const CatRef *table, const char *name)
{
    const CatRelation *t = catalog_relation(c, table->schema, table->name);
    const CatColumn *column = t ? catalog_column(t, name) : NULL;
    return column && column->is_not_null ? column : NULL;
}

/* The NOT NULL of a parent that it has from there, or merged with its own; NULL where there is none. */
static const CatColumn *
given(const Catalog *c, const CatColumn *column)
{
    const CatRelation *t = catalog_relation(c, column->id.schema, column->id.name);
    const CatColumn *of = NULL;
    if (t)
        vec_each (const CatName, parent, &t->inherits) {
            const CatRef id = {CAT_TABLE, parent->schema, parent->name, NULL};
            of = of ? of : column_of(c, &id, column->id.sub);
            of = of && of->is_not_null_no_inherit ? NULL : of;
        }
    return of;
}

/* The same, also of the table that a partition is of. */
static const CatColumn *
above(const Catalog *c, const CatColumn *column)
{
    const CatRelation *t = catalog_relation(c, column->id.schema, column->id.name);
    const CatRef id = {CAT_TABLE, t ? t->partition_of.schema : NULL,
                       t ? t->partition_of.name : NULL, NULL};
    return id.name ? column_of(c, &id, column->id.sub) : given(c, column);
}

bool
not_null_is_validated(const Differ *d, const CatColumn *x, const CatColumn *y)
{
    if (!d->has_unchecked || !y->is_not_null || y->is_not_null_unchecked)
        return false;
    const CatColumn *was = above(d->from, x), *is = above(d->to, y);
    bool is_valid = x->is_not_null && !x->is_not_null_unchecked;
    return is && is->is_not_null_unchecked &&
           (!is_valid || (was && !was->is_not_null_unchecked && !x->is_not_null_own));
}

bool
not_null_differs(const Differ *d, const CatColumn *x, const CatColumn *y)
{
    if (!x->is_not_null || !y->is_not_null)
        return false;
    if (!d->rules.ignore_comments && !cat_same_text(x->not_null_comment, y->not_null_comment))
        return true;
    if (x->is_not_null_inherited || y->is_not_null_inherited)
        return false;
    /* Where a parent's is renamed, too, it goes along. */
    return (not_null_is_renamed(x->not_null_name, y->not_null_name) &&
            !(given(d->from, x) && given(d->to, y))) ||
           x->is_not_null_unchecked != y->is_not_null_unchecked ||
           x->is_not_null_no_inherit != y->is_not_null_no_inherit;
}

/* ---- families ----------------------------------------------------------------------------------- */

/* A table's column for which a child has a constraint of its own under another name. */
typedef struct Family {
    CatRef parent;
    const char *column;
    bool is_done;
} Family;

typedef VEC(Family) Families;
typedef VEC(CatRelation *) Versions;

typedef struct Loosening {
    Differ *d;
    Families families;
    Versions from, to; /* tables that are replaced */
    uint32_t count;    /* of those that are alone: parents come before children */
} Loosening;

static const char *
name_of(const Differ *d, const CatColumn *column)
{
    return column->not_null_name ? column->not_null_name
                                 : catalog_not_null_name(d->arena, column->id.name, column->id.sub);
}

static void
add_family(Loosening *l, CatRef parent, const char *column)
{
    vec_each (const Family, f, &l->families)
        if (cat_ref_cmp(&f->parent, &parent) == 0 && strcmp(f->column, column) == 0)
            return;
    *vec_add(l->d->arena, &l->families) = (Family){.parent = parent, .column = column};
}

static void
find_families(Loosening *l, const Catalog *c)
{
    cat_each (CatRelation, t, &c->tables)
        vec_each (const CatName, parent, &t->inherits) {
            const CatRef id = {CAT_TABLE, parent->schema, parent->name, NULL};
            cat_each (CatColumn, own, &t->columns) {
                const CatColumn *of = column_of(c, &id, own->id.sub);
                if (of && own->is_not_null && own->is_not_null_own &&
                    strcmp(name_of(l->d, own), name_of(l->d, of)) != 0)
                    add_family(l, id, own->id.sub);
            }
        }
}

static bool
is_other(const CatColumn *x, const CatColumn *y)
{
    return !x != !y || (x && (not_null_is_renamed(x->not_null_name, y->not_null_name) ||
                              x->is_not_null_unchecked != y->is_not_null_unchecked));
}

static bool
changes(const Differ *d, const Family *f)
{
    if (is_other(column_of(d->from, &f->parent, f->column),
                 column_of(d->to, &f->parent, f->column)))
        return true;
    cat_each (CatRelation, t, &d->to->tables)
        if (t->inherits.n && catalog_is_child(t, &f->parent) && catalog_find(d->from, t->id) &&
            is_other(column_of(d->from, &t->id, f->column), column_of(d->to, &t->id, f->column)))
            return true;
    return false;
}

static CatRelation *
version(const Versions *versions, const CatRef *id)
{
    vec_each (CatRelation *, v, versions)
        if (cat_ref_cmp(&(*v)->id, id) == 0)
            return *v;
    return NULL;
}

/* Another version of a table, in which its columns may be changed. */
static CatRelation *
version_made(Arena *a, Versions *versions, const CatRelation *t)
{
    CatRelation *copy = version(versions, &t->id);
    if (copy)
        return copy;
    copy = arena_new(a, CatRelation);
    *copy = *t;
    memset(&copy->columns, 0, sizeof copy->columns);
    cat_each (CatColumn, column, &t->columns) {
        CatColumn *own = arena_new(a, CatColumn);
        *own = *column;
        *vec_add(a, &copy->columns) = own;
    }
    *vec_add(a, versions) = copy;
    return copy;
}

/* Those of a partitioned table are the partitions', too, and those of a primary key are its children's; one that comes
 * from above waits until that is alone. */
static bool
can_be_alone(const Catalog *c, const Versions *versions, const Family *f)
{
    const CatRelation *t = catalog_relation(c, f->parent.schema, f->parent.name);
    if (!t || t->partition_key || t->partition_of.name)
        return false;
    cat_each (CatConstraint, k, &t->constraints)
        if (k->type == CAT_PRIMARY_KEY && cat_has_text(&k->columns, f->column))
            return false;
    vec_each (const CatName, name, &t->inherits) {
        const CatRef id = {CAT_TABLE, name->schema, name->name, NULL};
        const CatRelation *parent = version(versions, &id);
        const CatColumn *of =
            parent ? catalog_column(parent, f->column) : column_of(c, &id, f->column);
        if (of && of->is_not_null && !of->is_not_null_no_inherit)
            return false;
    }
    return true;
}

static void
leave_alone(Arena *a, const Catalog *c, Versions *versions, const Family *f)
{
    if (!column_of(c, &f->parent, f->column))
        return;
    const CatRelation *t = catalog_relation(c, f->parent.schema, f->parent.name);
    catalog_column(version_made(a, versions, t), f->column)->is_not_null_no_inherit = true;
    cat_each (CatRelation, child, &c->tables)
        if (catalog_is_child(child, &f->parent) && catalog_column(child, f->column))
            catalog_column(version_made(a, versions, child), f->column)->is_not_null_inherited =
                false;
}

/* A table while its constraints are for itself alone: before all else, or until the end. */
static void
aside(Loosening *l, const CatRelation *whole, const Versions *versions, bool is_first)
{
    const CatRelation *alone = version(versions, &whole->id);
    bool differs = false;
    if (alone)
        cat_each (CatColumn, column, &alone->columns)
            differs = differs || column->is_not_null_no_inherit !=
                                     catalog_column(whole, column->id.sub)->is_not_null_no_inherit;
    if (!differs)
        return;
    CatRelation *between = arena_new(l->d->arena, CatRelation);
    *between = *alone;
    between->needs = (CatRefs){0};
    Change *c = is_first ? change_add(l->d, CHANGE_ALTER, whole, between, RANK_DROP_CODE)
                         : change_add(l->d, CHANGE_ALTER, between, whole, RANK_ATTACH);
    c->is_aside = true;
    c->rank[1] = is_first ? l->count : UINT32_MAX - l->count;
}

static bool
loosen(Loosening *l, Family *f)
{
    Differ *d = l->d;
    if (f->is_done || !can_be_alone(d->from, &l->from, f) || !can_be_alone(d->to, &l->to, f) ||
        !changes(d, f))
        return false;
    leave_alone(d->arena, d->from, &l->from, f);
    leave_alone(d->arena, d->to, &l->to, f);
    f->is_done = true;
    return true;
}

static void
keep_name(Loosening *l, const CatRelation *to, const char *column)
{
    const CatRelation *from = catalog_find(l->d->from, to->id);
    const CatColumn *was = from ? catalog_column(from, column) : NULL;
    CatColumn *now = from ? catalog_column(version_made(l->d->arena, &l->to, to), column) : NULL;
    if (was && now)
        now->not_null_name = was->is_not_null ? was->not_null_name : NULL;
}

/* Where a table's cannot be alone, names stay what they are. */
static void
keep_names(Loosening *l, const Family *f)
{
    const CatRelation *t = catalog_relation(l->d->to, f->parent.schema, f->parent.name);
    if (f->is_done || !t || !changes(l->d, f))
        return;
    keep_name(l, t, f->column);
    cat_each (CatRelation, child, &l->d->to->tables)
        if (child->inherits.n && catalog_is_child(child, &f->parent))
            keep_name(l, child, f->column);
}

static void
replace(Differ *d, DiffSide *side, const Catalog **catalog, const Versions *tables)
{
    if (tables->n)
        *catalog = side->catalog =
            catalog_replaced(d->arena, *catalog, (CatRelation *const *)tables->v, tables->n);
}

void
diff_not_nulls(Differ *d)
{
    Loosening l = {.d = d};
    if (d->prisma_kinds)
        return;
    cat_each (CatRelation, t, &d->to->tables)
        cat_each (CatColumn, column, &t->columns)
            d->has_unchecked = d->has_unchecked || column->is_not_null_unchecked;
    find_families(&l, d->from);
    find_families(&l, d->to);
    VEC(CatRef) alone = {0};
    for (bool more = true; more;) {
        more = false;
        vec_each (Family, f, &l.families)
            if (loosen(&l, f)) {
                *vec_add(d->arena, &alone) = f->parent;
                more = true;
            }
    }
    vec_each (const Family, f, &l.families)
        keep_names(&l, f);
    Map done;
    map_init(&done, d->arena);
    vec_each (const CatRef, id, &alone) {
        if (map_has(&done, ref_key(d->arena, id)))
            continue;
        map_put(&done, ref_key(d->arena, id), (void *)(uintptr_t)id);
        aside(&l, catalog_find(d->from, *id), &l.from, true);
        aside(&l, catalog_find(d->to, *id), &l.to, false);
        l.count++;
    }
    replace(d, &d->diff->from, &d->from, &l.from);
    replace(d, &d->diff->to, &d->to, &l.to);
}
