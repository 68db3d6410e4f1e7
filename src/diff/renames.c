/* Renames: from old names to new ones, in an order in which each name is free. */
#include "diff/diff_int.h"

static CatRef
renamed(const CatRename *x)
{
    CatRef id = x->from;
    if (id.sub)
        id.sub = x->to;
    else
        id.name = x->to;
    if (x->schema)
        id.schema = x->schema;
    return id;
}

static const CatRename *
find_from(const CatRenames *all, const CatRef *id)
{
    vec_each (const CatRename, x, all)
        if (cat_ref_cmp(&x->from, id) == 0)
            return x;
    return NULL;
}

static const CatRename *
find_to(const CatRenames *all, const CatRef *id)
{
    vec_each (const CatRename, x, all) {
        const CatRef now = renamed(x);
        if (cat_ref_cmp(&now, id) == 0)
            return x;
    }
    return NULL;
}

/* The sequence of a serial column has the names of table and column in its own. */
static void
add_sequences(Differ *d, const Catalog *after, CatRenames *applied)
{
    CatRenames wanted = {0};
    Map owned;
    map_init(&owned, d->arena);
    cat_each (CatSequence, y, &d->to->sequences)
        if (y->owner_column && !y->is_identity) {
            const CatRef id = {CAT_COLUMN, y->owner_table.schema, y->owner_table.name,
                               y->owner_column};
            map_put(&owned, ref_key(d->arena, &id), y);
        }
    cat_each (CatSequence, x, &after->sequences) {
        if (!x->owner_column || x->is_identity)
            continue;
        const CatRef id = {CAT_COLUMN, x->owner_table.schema, x->owner_table.name, x->owner_column};
        const CatSequence *y = map_get(&owned, ref_key(d->arena, &id));
        const CatColumn *column = catalog_find(after, id);
        if (y && column && diff_serial(d->arena, after, column) != x &&
            cat_same_text(x->id.schema, y->id.schema) && cat_ref_cmp(&x->id, &y->id) != 0)
            *vec_add(d->arena, &wanted) = (CatRename){x->id, y->id.name, NULL};
    }
    /* Where the name is free, or becomes free by another of them. */
    for (bool changed = true; changed;) {
        changed = false;
        for (size_t i = 0; i < wanted.n; i++) {
            const CatRename *x = &wanted.v[i];
            const CatRef now = renamed(x);
            if ((!catalog_find(after, now) || find_from(&wanted, &now)) &&
                (!catalog_find(d->to, x->from) || find_to(&wanted, &x->from)))
                continue;
            wanted.v[i--] = wanted.v[--wanted.n];
            changed = true;
        }
    }
    vec_each (const CatRename, x, &wanted)
        *vec_add(d->arena, applied) = *x;
}

/* Sequences go to another schema with the column that owns them. */
static CatRenames
with_owned(const Differ *d, const CatRenames *applied)
{
    CatRenames all = {0};
    vec_each (const CatRename, x, applied) {
        *vec_add(d->arena, &all) = *x;
        if (!x->schema || x->from.kind != CAT_TABLE)
            continue;
        cat_each (CatSequence, s, &d->from->sequences)
            if (s->owner_column && cat_same_text(s->owner_table.schema, x->from.schema) &&
                strcmp(s->owner_table.name, x->from.name) == 0)
                *vec_add(d->arena, &all) = (CatRename){s->id, s->id.name, x->schema};
    }
    return all;
}

/* ---- the changes ----------------------------------------------------------------------------- */

/* One step from a name to another; both may be on the way only. */
typedef struct Renamer {
    Differ *d;
    const Catalog *after;
    const CatRenames *applied;
    uint32_t steps;
} Renamer;

/* A part under the new name of its table or type. */
static CatRef
part_now(const CatRenames *applied, CatRef part)
{
    const CatRef whole = {part.kind == CAT_COLUMN ? CAT_TABLE : part.kind, part.schema, part.name,
                          NULL};
    const CatRename *x = part.sub ? find_from(applied, &whole) : NULL;
    return x ? (CatRef){part.kind, x->schema ? x->schema : part.schema, x->to, part.sub} : part;
}

/* A type makes room for a new one, behind the code that uses it. */
static bool
makes_room(const Renamer *r, const CatRename *x)
{
    bool is_type =
        x->from.kind == CAT_DOMAIN || x->from.kind == CAT_COMPOSITE || x->from.kind == CAT_ENUM;
    return is_type && !r->d->prisma_kinds && catalog_find(r->d->to, x->from) &&
           !catalog_find(r->d->to, renamed(x));
}

static void
add_step(Renamer *r, const CatRename *x, CatRef was, CatRef now)
{
    Differ *d = r->d;
    const bool is_label = now.kind == CAT_ENUM && now.sub;
    const CatRef whole = {now.kind, now.schema, now.name, NULL};
    const CatObject *o =
        catalog_find(r->after, is_label ? whole : part_now(r->applied, renamed(x)));
    Change *c;
    if (is_label) {
        c = change_add(d, CHANGE_RENAME, o, o, RANK_RENAME);
        c->old_name = was.sub;
        *vec_add(d->arena, &c->fields) = now.sub;
    } else {
        c = change_add(d, CHANGE_RENAME, catalog_called(d->arena, o, was),
                       catalog_called(d->arena, o, now),
                       makes_room(r, x) ? RANK_CREATE_ENUM : RANK_RENAME);
    }
    c->rank[1] = x->from.sub || x->from.kind == CAT_SEQUENCE;
    c->rank[2] = r->steps++;
}

static bool
is_taken(const Catalog *c, CatRef id)
{
    for (CatKind kind = CAT_SCHEMA; kind < CAT_KIND_COUNT; kind++)
        if (cat_kind(kind)->named == CAT_NAMED_SHARED &&
            catalog_find(c, (CatRef){kind, id.schema, id.name, NULL}))
            return true;
    return false;
}

/* A name that nothing has before or afterwards. */
static CatRef
on_the_way(const Differ *d, CatRef id)
{
    if (!id.sub) {
        id.name = name_free(d, &id);
        return id;
    }
    id.sub = str_fmt(d->arena, "%.*s_old", (int)str_utf8_offset(str_of(id.sub), 40), id.sub);
    return id;
}

/* Name and schema are two statements; between them the name must be free, too. */
static void
add_move(Renamer *r, const CatRename *x, CatRef was, CatRef now)
{
    CatRef first = {was.kind, was.schema, now.name, NULL};
    if (strcmp(was.name, now.name) == 0) {
        add_step(r, x, was, now);
        return;
    }
    if (is_taken(r->d->from, first)) {
        first.name = on_the_way(r->d, was).name;
        add_step(r, x, was, first);
        const CatRef then = {was.kind, now.schema, first.name, NULL};
        add_step(r, x, first, then);
        add_step(r, x, then, now);
        return;
    }
    add_step(r, x, was, first);
    add_step(r, x, first, now);
}

/* Each as soon as its name is free; one of a circle makes room first. */
static void
add_changes(Renamer *r, bool parts)
{
    Arena *a = r->d->arena;
    VEC(CatRename) left = {0}; /* from: as it is called at that moment */
    VEC(const CatRename *) of = {0};
    vec_each (const CatRename, x, r->applied)
        if ((x->from.sub || x->from.kind == CAT_SEQUENCE) == parts) {
            *vec_add(a, &left) = (CatRename){part_now(r->applied, x->from), x->to, x->schema};
            *vec_add(a, &of) = x;
        }
    while (left.n) {
        size_t i = 0;
        for (bool is_free = false; i < left.n; i += !is_free) {
            const CatRef now = renamed(&left.v[i]);
            is_free = true;
            for (size_t k = 0; k < left.n; k++)
                is_free = is_free && (k == i || cat_ref_cmp(&left.v[k].from, &now) != 0);
            if (is_free)
                break;
        }
        if (i == left.n) {
            const CatRef was = left.v[0].from;
            left.v[0].from = on_the_way(r->d, was);
            add_step(r, of.v[0], was, left.v[0].from);
            continue;
        }
        (left.v[i].schema ? add_move : add_step)(r, of.v[i], left.v[i].from, renamed(&left.v[i]));
        memmove(left.v + i, left.v + i + 1, (left.n - i - 1) * sizeof *left.v);
        memmove(of.v + i, of.v + i + 1, (of.n - i - 1) * sizeof *of.v);
        left.n--;
        of.n--;
    }
}

void
diff_renames(Differ *d)
{
    CatRenames applied = {0};
    for (size_t i = 0; i < d->options->nrenames; i++)
        *vec_add(d->arena, &applied) = d->options->renames[i];
    CatRenames silent = with_owned(d, &applied);
    if (!d->prisma_kinds) {
        CatRenames types = {0};
        types_make_room(d, silent.n ? catalog_renamed(d->arena, d->from, &silent) : d->from,
                        &types);
        vec_each (const CatRename, x, &types) {
            *vec_add(d->arena, &applied) = *x;
            *vec_add(d->arena, &silent) = *x;
        }
    }
    if (!applied.n)
        return;
    CatRenames sequences = {0};
    add_sequences(d, catalog_renamed(d->arena, d->from, &silent), &sequences);
    CatRenames all = {0};
    vec_each (const CatRename, x, &silent) {
        const CatRef now = renamed(x);
        const CatRename *then = find_from(&sequences, &now);
        *vec_add(d->arena, &all) = (CatRename){x->from, then ? then->to : x->to, x->schema};
    }
    vec_each (const CatRename, x, &sequences) {
        *vec_add(d->arena, &applied) = *x;
        if (!find_to(&silent, &x->from))
            *vec_add(d->arena, &all) = *x;
    }
    Catalog *after = catalog_renamed(d->arena, d->from, &all);
    Renamer r = {.d = d, .after = after, .applied = &applied};
    add_changes(&r, false);
    add_changes(&r, true);
    d->diff->renamed.v = applied.v;
    d->diff->renamed.n = applied.n;
    DiffSide *from = &d->diff->from;
    const CatRefs **refs[] = {&from->any_default, &from->client_default};
    for (size_t i = 0; i < 2; i++)
        if (*refs[i]) {
            CatRefs *copy = arena_new(d->arena, CatRefs);
            *copy = catalog_refs_renamed(d->arena, *refs[i], &all);
            *refs[i] = copy;
        }
    d->from = from->catalog = after;
}
