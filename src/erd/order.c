/* The order of a column and the height of what stands in it: near to what it is joined to, with few
 * crossings. */
#include "erd/erd_int.h"

enum {
    CROSSING = 60,
    SWEEPS = 24,
    SETTLES = 10,
    SWAP_PASSES = 8,
    SWAP_ITEMS_MAX = 900,
    UPWARDS = -10000
};

int
pin_y(const Layout *l, const Pin *p)
{
    return l->items.v[p->item].y + p->offset;
}

int
layout_crossings(const Layout *l, const Run *x, const Run *y)
{
    int n = 0;
    vec_each (const Pin, p, &x->pins)
        n += !p->is_left && pin_y(l, p) > y->low && pin_y(l, p) < y->high;
    vec_each (const Pin, p, &y->pins)
        n += p->is_left && pin_y(l, p) > x->low && pin_y(l, p) < x->high;
    return n;
}

static void
measure(const Layout *l, Run *run)
{
    run->low = run->high = pin_y(l, &run->pins.v[0]);
    vec_each (const Pin, p, &run->pins) {
        int y = pin_y(l, p);
        run->low = y < run->low ? y : run->low;
        run->high = y > run->high ? y : run->high;
    }
}

long
layout_cost(Layout *l, int channel)
{
    const Channel *c = &l->channels.v[channel];
    long cost = 0;
    vec_each (const int, r, &c->runs) {
        Run *run = &l->runs.v[*r];
        measure(l, run);
        cost += run->high - run->low;
    }
    for (size_t i = 0; i < c->runs.n; i++)
        for (size_t k = i + 1; k < c->runs.n; k++) {
            const Run *x = &l->runs.v[c->runs.v[i]], *y = &l->runs.v[c->runs.v[k]];
            if (x->high < y->low || y->high < x->low)
                continue;
            int first = layout_crossings(l, x, y), second = layout_crossings(l, y, x);
            cost += (long)CROSSING * (first < second ? first : second);
        }
    return cost;
}

static long
whole_cost(Layout *l)
{
    long cost = 0;
    for (size_t i = 0; i < l->channels.n; i++)
        cost += layout_cost(l, (int)i);
    return cost;
}

/* Where an item would like to be: its pins as high as the others of their lines. */
static void
set_want(Layout *l, int at)
{
    Item *item = &l->items.v[at];
    double sum = 0, weight = 0;
    vec_each (const ItemPin, ip, &l->pins_of[at]) {
        const Run *run = &l->runs.v[ip->run];
        const Pin *own = &run->pins.v[ip->pin];
        double others = 0;
        int n = 0;
        vec_each (const Pin, p, &run->pins)
            if (p->item != at) {
                others += pin_y(l, p);
                n++;
            }
        if (n) {
            double w = own->join >= 0 ? 2.0 : 1.0;
            sum += w * (others / n - own->offset);
            weight += w;
        }
    }
    item->want = weight > 0 ? sum / weight : UPWARDS;
}

static int
between(const Item *x, const Item *y)
{
    return x->box >= 0 && y->box >= 0 ? GAP : x->box < 0 && y->box < 0 ? 0 : GRID;
}

/* Heights for the order that is there, as near to the wishes as it lets them (pool adjacent violators), within
 * the height of the diagram, on the grid. */
static void
stack(Layout *l, int column)
{
    typedef struct Block {
        double sum, weight;
        size_t end;
    } Block;
    const Column *c = &l->columns.v[column];
    size_t n = c->items.n, top = 0;
    if (!n)
        return;
    ARENA_LOCAL(a);
    Block *blocks = arena_array(a, Block, n);
    int *offset = arena_array(a, int, n);
    for (size_t i = 0; i < n; i++) {
        const Item *x = &l->items.v[c->items.v[i]];
        if (i > 0) {
            const Item *above = &l->items.v[c->items.v[i - 1]];
            offset[i] = offset[i - 1] + above->h + between(above, x);
        }
        double w = x->weight ? x->weight : 1e-6;
        blocks[top++] = (Block){.sum = (x->want - offset[i]) * w, .weight = w, .end = i + 1};
        while (top > 1 && blocks[top - 2].sum * blocks[top - 1].weight >
                              blocks[top - 1].sum * blocks[top - 2].weight) {
            blocks[top - 2].sum += blocks[top - 1].sum;
            blocks[top - 2].weight += blocks[top - 1].weight;
            blocks[top - 2].end = blocks[top - 1].end;
            top--;
        }
    }
    int parity = column % 2 * GRID / 2;
    double most = l->height - offset[n - 1] - l->items.v[c->items.v[n - 1]].h;
    int free = -100000;
    for (size_t i = 0, b = 0; i < n; i++) {
        Item *x = &l->items.v[c->items.v[i]];
        b += i >= blocks[b].end;
        double z = blocks[b].sum / blocks[b].weight;
        z = z > most ? most : z;
        z = z < 0 ? 0 : z;
        int y = ((int)(z + 0.5) + offset[i]) / GRID * GRID + parity;
        x->y = y < free ? free : y;
        if (i + 1 < n)
            free = x->y + x->h + between(x, &l->items.v[c->items.v[i + 1]]);
    }
}

static void
sort_column(Layout *l, int column)
{
    Column *c = &l->columns.v[column];
    for (size_t i = 1; i < c->items.n; i++) {
        int moved = c->items.v[i];
        const Item *m = &l->items.v[moved];
        double at = m->weight ? m->want + m->h / 2.0 : 1e9;
        size_t k = i;
        for (; k > 0; k--) {
            const Item *o = &l->items.v[c->items.v[k - 1]];
            if ((o->weight ? o->want + o->h / 2.0 : 1e9) <= at)
                break;
            c->items.v[k] = c->items.v[k - 1];
        }
        c->items.v[k] = moved;
    }
}

static void
sweep(Layout *l, bool is_back, bool sorts)
{
    int n = (int)l->columns.n;
    for (int i = 0; i < n; i++) {
        int column = is_back ? n - 1 - i : i;
        vec_each (const int, at, &l->columns.v[column].items)
            set_want(l, *at);
        if (sorts)
            sort_column(l, column);
        stack(l, column);
    }
}

/* An order, with its heights. */
typedef struct Saved {
    long cost;
    int *order, *y;
} Saved;

static void
keep_best(Layout *l, Saved *best)
{
    long cost = whole_cost(l);
    if (best->order && cost >= best->cost)
        return;
    if (!best->order) {
        best->order = arena_array(l->a, int, l->items.n + 1);
        best->y = arena_array(l->a, int, l->items.n + 1);
    }
    best->cost = cost;
    size_t n = 0;
    vec_each (const Column, c, &l->columns)
        vec_each (const int, at, &c->items)
            best->order[n++] = *at;
    for (size_t i = 0; i < l->items.n; i++)
        best->y[i] = l->items.v[i].y;
}

static void
take_best(Layout *l, const Saved *best)
{
    size_t n = 0;
    vec_each (Column, c, &l->columns)
        vec_each (int, at, &c->items)
            *at = best->order[n++];
    for (size_t i = 0; i < l->items.n; i++)
        l->items.v[i].y = best->y[i];
}

/* Neighbours change places where that is better. */
static bool
swap_neighbours(Layout *l, int column)
{
    Column *c = &l->columns.v[column];
    bool is_better = false;
    for (size_t i = 0; i + 1 < c->items.n; i++) {
        long before = layout_cost(l, column) + layout_cost(l, column + 1);
        for (int turn = 0; turn < 2; turn++) {
            int x = c->items.v[i];
            c->items.v[i] = c->items.v[i + 1];
            c->items.v[i + 1] = x;
            stack(l, column);
            if (turn == 0 && layout_cost(l, column) + layout_cost(l, column + 1) < before) {
                is_better = true;
                break;
            }
        }
    }
    return is_better;
}

void
layout_order(Layout *l)
{
    Saved best = {0};
    l->height = 0;
    for (size_t i = 0; i < l->columns.n; i++) {
        int y = 0;
        vec_each (const int, at, &l->columns.v[i].items) {
            Item *x = &l->items.v[*at];
            x->y = y;
            y += x->h + (x->box < 0 ? GRID : GAP);
        }
        l->height = y > l->height ? y : l->height;
    }
    l->height += l->height / 20;
    for (int i = 0; i < SWEEPS; i++) {
        sweep(l, i % 2, true);
        keep_best(l, &best);
    }
    if (best.order)
        take_best(l, &best);
    bool is_better = l->items.n <= SWAP_ITEMS_MAX;
    for (int pass = 0; pass < SWAP_PASSES && is_better; pass++) {
        is_better = false;
        for (size_t i = 0; i < l->columns.n; i++) {
            vec_each (const int, at, &l->columns.v[i].items)
                set_want(l, *at);
            is_better |= swap_neighbours(l, (int)i);
        }
        keep_best(l, &best);
    }
    for (int i = 0; i < SETTLES; i++) {
        sweep(l, i % 2, false);
        keep_best(l, &best);
    }
    if (best.order)
        take_best(l, &best);
}
