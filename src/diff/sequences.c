/* Sequences, after it is known which columns go, and their sequences with them. */
#include "diff/diff_int.h"

/* The other side of the column that a sequence belongs to. */
static const CatColumn *
owner_in(const Catalog *c, const CatSequence *s)
{
    if (!s->owner_column)
        return NULL;
    return catalog_find(
        c, (CatRef){CAT_COLUMN, s->owner_table.schema, s->owner_table.name, s->owner_column});
}

static bool
is_new_column(const Differ *d, const CatSequence *s)
{
    const CatColumn *to = owner_in(d->to, s), *from = owner_in(d->from, s);
    return to && (!from || map_has(&d->recreated, ref_key(d->arena, &from->id)));
}

bool
diff_sequence_is_there(const Diff *d, const CatSequence *s)
{
    const CatSequence *x = d->options.prisma_kinds || d->options.prisma_compat
                               ? NULL
                               : catalog_find(d->from.catalog, s->id);
    return x && !x->is_identity &&
           !(cat_same_text(x->owner_column, s->owner_column) &&
             cat_same_text(x->owner_table.name, s->owner_table.name) &&
             cat_same_text(x->owner_table.schema, s->owner_table.schema));
}

/* Made by SERIAL or by the identity column. */
static bool
comes_with_column(const Differ *d, const CatSequence *s)
{
    const CatColumn *to = owner_in(d->to, s);
    if (s->is_identity)
        return true;
    return to && is_new_column(d, s) && diff_serial(d->arena, d->to, to) == s &&
           !diff_sequence_is_there(d->diff, s);
}

static bool
goes_with_column(const Differ *d, const CatSequence *s)
{
    const CatColumn *from = owner_in(d->from, s);
    return s->is_identity || (s->owner_column && !owner_in(d->to, s)) ||
           (from && map_has(&d->recreated, ref_key(d->arena, &from->id)));
}

static void
alter_sequence(Differ *d, const CatSequence *x, const CatSequence *y)
{
    CatTexts fields = catalog_changes(d->arena, x, y, &d->rules);
    if (fields.n)
        change_alter(d, x, y)->fields = fields;
}

/* Whether a default on the new side draws from a sequence that only the old side has. */
static bool
is_drawn_from(const Differ *d, const CatSequence *s)
{
    const char *name = s->id.name;
    vec_each (CatObject *, o, &d->from->objects) {
        if ((*o)->id.kind != CAT_COLUMN)
            continue;
        const CatColumn *x = (const CatColumn *)*o;
        bool is_owner = cat_same_text(x->id.sub, s->owner_column) &&
                        cat_same_text(x->id.name, s->owner_table.name) &&
                        cat_same_text(x->id.schema, s->owner_table.schema);
        if (!is_owner && x->default_expr && strncmp(x->default_expr, "nextval(", 8) == 0 &&
            strstr(x->default_expr, name) && catalog_find(d->to, x->id))
            return true;
    }
    return false;
}

/* autoincrement() is any sequence; a wider column still needs a wider one. Those that belong to no
 * column are not said. */
static bool
is_in_words(Differ *d, const CatSequence *y)
{
    const CatColumn *from = owner_in(d->from, y), *to = owner_in(d->to, y);
    if (d->in_words && !y->owner_column)
        return true;
    if (!d->in_words || !from || !to || is_new_column(d, y) || !words_draws(from) ||
        !words_draws(to))
        return false;
    const CatSequence *x = map_get(&d->owned_from, ref_key(d->arena, &from->id));
    CatType was = words_type(d->arena, d->from, from->type);
    if (x && !x->is_identity && !y->is_identity && !catalog_type_same(&was, &to->type) &&
        !catalog_type_same(&x->type, &y->type)) {
        Change *c = change_alter(d, x, y);
        *vec_add(d->arena, &c->fields) = "type";
    }
    return true;
}

/* A serial column becomes an identity one, or the other way: both sequences have the column's name,
 * so the old one makes room first. That of an identity goes with it. */
static void
make_room(Differ *d, const CatSequence *x)
{
    const CatRef away = {CAT_SEQUENCE, x->id.schema, name_free(d, &x->id), NULL};
    const CatObject *then = catalog_called(d->arena, (const CatObject *)x, away);
    Change *c = change_add(d, CHANGE_RENAME, x, then, RANK_RENAME);
    c->rank[1] = 1;
    c->rank[2] = UINT32_MAX; /* behind the renames that were wished for */
    if (!x->is_identity)
        change_drop(d, then);
}

/* The column that owns it goes, and it stays. */
static const CatSequence *
hand_over(Differ *d, const CatSequence *x)
{
    CatSequence *free = arena_new(d->arena, CatSequence);
    *free = *x;
    free->owner_table = (CatName){0};
    free->owner_column = NULL;
    Change *c = change_add(d, CHANGE_ALTER, x, free, RANK_CREATE_SEQUENCE);
    *vec_add(d->arena, &c->fields) = "owner_column";
    c->is_aside = true;
    return free;
}

/* An identity that stays, and whose sequence is called otherwise. */
static void
rename_identity(Differ *d, const CatSequence *y)
{
    const CatColumn *from = owner_in(d->from, y);
    const CatSequence *x =
        from && !is_new_column(d, y) ? map_get(&d->owned_from, ref_key(d->arena, &from->id)) : NULL;
    if (!x || !x->is_identity || strcmp(x->id.name, y->id.name) == 0)
        return;
    change_add(d, CHANGE_RENAME, x, y, RANK_ALTER_SEQUENCE)->rank[1] = 0;
    alter_sequence(d, (const CatSequence *)catalog_called(d->arena, (const CatObject *)x, y->id),
                   y);
}

void
diff_sequences(Differ *d)
{
    cat_each (CatSequence, y, &d->to->sequences) {
        if (is_in_words(d, y))
            continue;
        const CatSequence *x = catalog_find(d->from, y->id);
        if (x && !d->prisma_kinds && x->is_identity != y->is_identity && owner_in(d->to, x) &&
            owner_in(d->to, x) == owner_in(d->to, y) && !is_new_column(d, y)) {
            make_room(d, x);
            x = NULL;
        }
        if (x && !x->is_identity && !y->is_identity && goes_with_column(d, x) &&
            diff_sequence_is_there(d->diff, y))
            x = hand_over(d, x);
        else if (x && goes_with_column(d, x) && !(x->is_identity && y->is_identity))
            x = NULL;
        if (d->prisma_kinds && y->owner_column) {
            CatRef id = {CAT_COLUMN, y->owner_table.schema, y->owner_table.name, y->owner_column};
            if (!x)
                x = map_get(&d->owned_from, ref_key(d->arena, &id));
        }
        if (x && strcmp(x->id.name, y->id.name) != 0) {
            /* Only the type can be wrong: a bigint column drawing from an integer sequence. */
            if (!x->is_identity && !catalog_type_same(&x->type, &y->type)) {
                Change *c = change_alter(d, x, y);
                *vec_add(d->arena, &c->fields) = "type";
            }
        } else if (x) {
            /* One goes with its column, the other comes with another one. */
            if (!x->owner_column || owner_in(d->to, x) || !comes_with_column(d, y))
                alter_sequence(d, x, y);
        } else if (y->is_identity) {
            if (!d->prisma_kinds)
                rename_identity(d, y);
        } else if (!comes_with_column(d, y)) {
            change_create(d, y);
            if (y->owner_column) {
                Change *c = change_alter(d, NULL, y);
                *vec_add(d->arena, &c->fields) = "owner_column";
            }
        }
    }
    cat_each (CatSequence, x, &d->from->sequences) {
        if (catalog_find(d->to, x->id) || goes_with_column(d, x))
            continue;
        if (!d->prisma_kinds) {
            change_drop(d, x);
            continue;
        }
        /* A schema knows sequences as the property of a column only. */
        const CatColumn *to = owner_in(d->to, x);
        if (to && !map_has(&d->owned_to, ref_key(d->arena, &to->id)) && !is_drawn_from(d, x) &&
            !(d->in_words && words_draws(to)))
            change_drop(d, x);
    }
}
