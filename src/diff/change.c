/* What every part of the comparison works with: changes, effects, names as keys. */
#include "diff/diff_int.h"

#include "base/invariant.h"

Change *
change_add(Differ *d, ChangeOp op, const void *from, const void *to, Rank rank)
{
    INVARIANT(from || to, "a change of nothing");
    Change *c = arena_new(d->arena, Change);
    c->op = op;
    c->from = from;
    c->to = to;
    c->kind = to ? c->to->id.kind : c->from->id.kind;
    c->rank[0] = (uint32_t)rank;
    /* Prisma orders by the previous object, then the next one. */
    c->rank[1] = from ? c->from->ordinal : c->to->ordinal;
    c->rank[2] = to ? c->to->ordinal : 0;
    *vec_add(d->arena, &d->diff->changes) = c;
    return c;
}

static const struct Ranks {
    Rank create, alter, drop;
} ranks[] = {
#define KIND(id, T, fields, list, key, name, title, sql, named, code, plain, owner, public, acl,   \
             create, alter, drop, ...)                                                             \
    {RANK_##create, RANK_##alter, RANK_##drop},
#include "catalog/kinds.def"
};

Change *
change_create(Differ *d, const void *to)
{
    return change_add(d, CHANGE_CREATE, NULL, to, ranks[((const CatObject *)to)->id.kind].create);
}

Change *
change_drop(Differ *d, const void *from)
{
    return change_add(d, CHANGE_DROP, from, NULL, ranks[((const CatObject *)from)->id.kind].drop);
}

Change *
change_alter(Differ *d, const void *from, const void *to)
{
    return change_add(d, CHANGE_ALTER, from, to, ranks[((const CatObject *)to)->id.kind].alter);
}

bool
change_makes_room(const Differ *d, const Change *c)
{
    return c->op == CHANGE_RENAME && c->kind == CAT_SEQUENCE &&
           catalog_find(d->from, c->from->id) == c->from;
}

static DiffHarm
harm_of(FindingId id)
{
    switch (id) {
    case FINDING_DIFF_ADD_REQUIRED:
    case FINDING_DIFF_ADD_REQUIRED_CLIENT:
    case FINDING_DIFF_MADE_REQUIRED:
    case FINDING_DIFF_RECREATE_REQUIRED:
    case FINDING_DIFF_SCALAR_TO_LIST:
    case FINDING_DIFF_STILL_USED:
    case FINDING_DIFF_STANDS_ON:
    case FINDING_DIFF_IMPOSSIBLE:
    case FINDING_DIFF_USED_OUTSIDE:
        return DIFF_FAILS;
    default:
        return finding_info(id)->severity == SEV_NOTICE ? DIFF_HARMLESS : DIFF_LOSS;
    }
}

DiffEffect *
effect_add(Differ *d, Change *c, FindingId id, const CatRef *at)
{
    DiffEffect *e = vec_add(d->arena, &c->effects);
    *e = (DiffEffect){.id = id, .harm = harm_of(id), .at = *at};
    return e;
}

Str
name_key(Arena *a, const char *schema, const char *name)
{
    return str_of(str_fmt(a, "%s\n%s", schema ? schema : "", name));
}

Str
ref_key(Arena *a, const CatRef *id)
{
    return str_of(str_fmt(a, "%d\n%s\n%s\n%s", (int)id->kind, id->schema ? id->schema : "",
                          id->name, id->sub ? id->sub : ""));
}

bool
refs_have(const CatRefs *refs, const CatRef *id)
{
    if (refs)
        vec_each (const CatRef, r, refs)
            if (cat_ref_cmp(r, id) == 0)
                return true;
    return false;
}

/* Fields that differ, without those that have a change of their own. */
bool
part_same(const Differ *d, const void *x, const void *y)
{
    CatRules rules = {.ignore_owners = true, .ignore_grants = true, .ignore_comments = true};
    return catalog_changes(d->arena, x, y, &rules).n == 0;
}

void
part_alter(Differ *d, const void *x, const void *y)
{
    if (d->prisma_kinds)
        return;
    CatTexts fields = catalog_changes(d->arena, x, y, &d->rules);
    if (fields.n)
        change_add(d, CHANGE_ALTER, x, y, RANK_ALTER_OTHER)->fields = fields;
}

const char *
name_free(const Differ *d, const CatRef *id)
{
    for (int i = 0;; i++) {
        const char *name =
            catalog_name_with(d->arena, id->name, i ? str_fmt(d->arena, "_old%d", i) : "_old");
        bool is_free = true;
        for (CatKind kind = CAT_SCHEMA; kind < CAT_KIND_COUNT; kind++) {
            const CatRef taken = {kind, id->schema, name, NULL};
            is_free = is_free && !catalog_find(d->from, taken) && !catalog_find(d->to, taken);
        }
        if (is_free)
            return name;
    }
}
