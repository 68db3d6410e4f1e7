/* The layout as a whole, and how good it is. */
#include "erd/erd_int.h"

static void
find_groups(Erd *e)
{
    vec_each (ErdBox, b, &e->boxes) {
        const char *name = b->schema ? b->schema : "";
        size_t at = 0;
        while (at < e->groups.n && strcmp(e->groups.v[at].name, name) != 0)
            at++;
        if (at == e->groups.n)
            *vec_add(e->arena, &e->groups) = (ErdGroup){.name = name};
        b->group = (int)at;
    }
    if (e->groups.n < 2)
        e->groups.n = 0;
}

void
erd_layout(Erd *e)
{
    ARENA_LOCAL(a);
    Layout l = {.a = a, .erd = e};
    e->groups.n = 0;
    vec_each (ErdJoin, j, &e->joins)
        j->path.n = 0;
    find_groups(e);
    erd_size(e);
    l.column_of = arena_array(a, int, e->boxes.n + 1);
    layout_nets(&l);
    if (e->boxes.n)
        layout_columns(&l);
    layout_runs(&l);
    layout_order(&l);
    layout_tracks(&l);
    layout_places(&l);
}

/* ---- how good it is -------------------------------------------------------------------------- */

/* A straight piece of a line, from the smaller end to the larger one. */
typedef struct Piece {
    int net, x0, y0, x1, y1;
    bool is_level;
} Piece;
typedef VEC(Piece) Pieces;

static int
smaller(int x, int y)
{
    return x < y ? x : y;
}

static int
larger(int x, int y)
{
    return x > y ? x : y;
}

/* All of them, each once: joins of one net share some. */
static Pieces
all_pieces(Arena *a, const Erd *e)
{
    Pieces all = {0};
    vec_each (const ErdJoin, j, &e->joins)
        for (size_t i = 0; i + 1 < j->path.n; i++) {
            ErdPoint p = j->path.v[i], q = j->path.v[i + 1];
            Piece piece = {.net = (int)j->to * 1000 + j->to_row,
                           .x0 = smaller(p.x, q.x),
                           .x1 = larger(p.x, q.x),
                           .y0 = smaller(p.y, q.y),
                           .y1 = larger(p.y, q.y),
                           .is_level = p.y == q.y};
            bool is_there = false;
            vec_each (const Piece, o, &all)
                is_there = is_there || (o->net == piece.net && o->is_level == piece.is_level &&
                                        o->x0 <= piece.x0 && o->x1 >= piece.x1 &&
                                        o->y0 <= piece.y0 && o->y1 >= piece.y1);
            if (!is_there)
                *vec_add(a, &all) = piece;
        }
    return all;
}

static bool
is_inside(const Piece *p, const ErdBox *b)
{
    return p->x0 < b->x + b->w && p->x1 > b->x && p->y0 < b->y + b->h && p->y1 > b->y;
}

static void
compare_pieces(const Piece *p, const Piece *o, ErdQuality *q)
{
    if (p->net == o->net)
        return;
    if (p->is_level == o->is_level) {
        bool on_top = p->is_level ? p->y0 == o->y0 && p->x0 < o->x1 && o->x0 < p->x1
                                  : p->x0 == o->x0 && p->y0 < o->y1 && o->y0 < p->y1;
        q->shared += on_top;
        return;
    }
    const Piece *level = p->is_level ? p : o, *upright = p->is_level ? o : p;
    q->crossings += level->x0 < upright->x0 && level->x1 > upright->x0 && upright->y0 < level->y0 &&
                    upright->y1 > level->y0;
}

ErdQuality
erd_measure(const Erd *e)
{
    ARENA_LOCAL(a);
    ErdQuality q = {0};
    Pieces all = all_pieces(a, e);
    for (size_t i = 0; i < e->boxes.n; i++)
        for (size_t k = i + 1; k < e->boxes.n; k++) {
            const ErdBox *x = &e->boxes.v[i], *y = &e->boxes.v[k];
            q.overlaps += x->x < y->x + y->w && y->x < x->x + x->w && x->y < y->y + y->h &&
                          y->y < x->y + x->h;
        }
    for (size_t i = 0; i < all.n; i++) {
        const Piece *p = &all.v[i];
        q.length += p->x1 - p->x0 + p->y1 - p->y0;
        vec_each (const ErdBox, b, &e->boxes)
            q.through += is_inside(p, b);
        for (size_t k = i + 1; k < all.n; k++)
            compare_pieces(p, &all.v[k], &q);
    }
    return q;
}
