/* Which table stands in which column: as in the placing of cells on a chip, what counts is how many columns
 * each net spans. */
#include "erd/erd_int.h"

#include <stdlib.h>

/* In hundredths. A join within a column is a loop, which is worse than a neighbour. */
enum {
    SPAN = 100,
    SAME = 90,
    FAR = 25,
    BACKWARDS = 15,
    PASSES = 30,
    SWAPS_MAX = 400,
    WIDE = 17 /* tenths of the height */
};

typedef struct Placing {
    Layout *l;
    VEC(int) * nets_of; /* of each box */
    int *height;        /* of each column */
    int limit;
    int first, last; /* the columns of the group */
} Placing;

static long
net_cost(const Layout *l, const Net *net)
{
    int at = l->column_of[net->box], low = at, high = at;
    long cost = 0;
    vec_each (const int, i, &net->joins) {
        int c = l->column_of[l->erd->joins.v[*i].from];
        low = c < low ? c : low;
        high = c > high ? c : high;
        if (l->erd->joins.v[*i].from != net->box)
            cost += c == at ? SAME : (c > at ? c - at : at - c) * FAR;
        if (c < at)
            cost += BACKWARDS;
    }
    return cost + (high - low) * SPAN;
}

static long
box_cost(const Placing *p, size_t box)
{
    long cost = 0;
    vec_each (const int, net, &p->nets_of[box])
        cost += net_cost(p->l, &p->l->nets.v[*net]);
    return cost;
}

static int
room_of(const Placing *p, size_t box)
{
    return p->l->erd->boxes.v[box].h + GAP;
}

static void
move(Placing *p, size_t box, int column)
{
    p->height[p->l->column_of[box]] -= room_of(p, box);
    p->l->column_of[box] = column;
    p->height[column] += room_of(p, box);
}

static bool
better_alone(Placing *p, size_t box)
{
    int was = p->l->column_of[box], best = was;
    long least = box_cost(p, box);
    for (int c = p->first; c <= p->last; c++) {
        if (c == was || p->height[c] + room_of(p, box) > p->limit)
            continue;
        move(p, box, c);
        long cost = box_cost(p, box);
        if (cost < least) {
            least = cost;
            best = c;
        }
        move(p, box, was);
    }
    if (best != was)
        move(p, box, best);
    return best != was;
}

static bool
better_swapped(Placing *p, size_t x, size_t y)
{
    int cx = p->l->column_of[x], cy = p->l->column_of[y];
    int more = room_of(p, x) - room_of(p, y);
    if (cx == cy || p->height[cy] + more > p->limit || p->height[cx] - more > p->limit)
        return false;
    long before = box_cost(p, x) + box_cost(p, y);
    move(p, x, cy);
    move(p, y, cx);
    if (box_cost(p, x) + box_cost(p, y) < before)
        return true;
    move(p, x, cx);
    move(p, y, cy);
    return false;
}

/* Places on a line, neighbours near each other: each goes to the middle of its neighbours, then all are spread
 * again. */
typedef struct Ranked {
    double at;
    size_t box;
} Ranked;

static int
by_place(const void *x, const void *y)
{
    const Ranked *p = x, *q = y;
    return p->at != q->at ? (p->at > q->at) - (p->at < q->at)
                          : (p->box > q->box) - (p->box < q->box);
}

static void
rank(const Layout *l, Ranked *order, size_t n, double *at)
{
    enum { ROUNDS = 60 };
    const Erd *e = l->erd;
    double *sum = arena_array(l->a, double, e->boxes.n),
           *count = arena_array(l->a, double, e->boxes.n);
    for (int round = 0; round < ROUNDS; round++) {
        memset(sum, 0, e->boxes.n * sizeof *sum);
        memset(count, 0, e->boxes.n * sizeof *count);
        vec_each (const ErdJoin, j, &e->joins) {
            double weight = 1.0 / (double)l->nets.v[l->net_of[j - e->joins.v]].joins.n + 0.1;
            sum[j->from] += at[j->to] * weight;
            count[j->from] += weight;
            sum[j->to] += at[j->from] * weight;
            count[j->to] += weight;
        }
        for (size_t i = 0; i < n; i++) {
            size_t b = order[i].box;
            order[i].at = count[b] > 0 ? 0.6 * at[b] + 0.4 * sum[b] / count[b] : 1e9;
        }
        qsort(order, n, sizeof *order, by_place);
        for (size_t i = 0; i < n; i++)
            at[order[i].box] = (double)i / (double)n;
    }
}

/* From the first one on, each behind those that it is joined to. */
static void
begin(const Layout *l, Ranked *order, size_t n, double *at)
{
    const Erd *e = l->erd;
    bool *seen = arena_array(l->a, bool, e->boxes.n);
    bool *is_ours = arena_array(l->a, bool, e->boxes.n);
    size_t *queue = arena_array(l->a, size_t, n), head = 0, tail = 0;
    for (size_t i = 0; i < n; i++)
        is_ours[order[i].box] = true;
    for (size_t i = 0; i < n; i++) {
        if (!seen[order[i].box])
            queue[tail++] = order[i].box;
        seen[order[i].box] = true;
        for (; head < tail; head++) {
            at[queue[head]] = (double)head / (double)n;
            vec_each (const ErdJoin, j, &e->joins)
                for (int side = 0; side < 2; side++) {
                    size_t one = side ? j->from : j->to, other = side ? j->to : j->from;
                    if (one == queue[head] && is_ours[other] && !seen[other]) {
                        seen[other] = true;
                        queue[tail++] = other;
                    }
                }
        }
    }
}

static int
lowest(const Placing *p)
{
    int best = p->first;
    for (int c = p->first; c <= p->last; c++)
        if (p->height[c] < p->height[best])
            best = c;
    return best;
}

static void
improve(Placing *p, const Ranked *order, size_t n)
{
    bool is_better = true;
    for (int pass = 0; pass < PASSES && is_better; pass++) {
        is_better = false;
        for (size_t i = 0; i < n; i++) {
            if (!p->nets_of[order[i].box].n)
                continue;
            is_better |= better_alone(p, order[i].box);
            for (size_t k = 0; k < n && n <= SWAPS_MAX; k++)
                is_better |= better_swapped(p, order[i].box, order[k].box);
        }
    }
}

/* The tables of one group, into columns of their own. */
static void
place_group(Placing *p, int group, int tall)
{
    Layout *l = p->l;
    Ranked *order = arena_array(l->a, Ranked, l->erd->boxes.n);
    double *at = arena_array(l->a, double, l->erd->boxes.n);
    size_t n = 0;
    int total = 0, most = 0;
    for (size_t i = 0; i < l->erd->boxes.n; i++) {
        if (l->erd->boxes.v[i].group != group)
            continue;
        order[n++] = (Ranked){.box = i};
        total += room_of(p, i);
        most = room_of(p, i) > most ? room_of(p, i) : most;
    }
    int count = (total + tall / 2) / tall;
    count = count < 1 ? 1 : count > (int)n ? (int)n : count;
    p->limit = total / count + most / 2;
    p->limit = p->limit < most ? most : p->limit;
    p->first = (int)l->columns.n;
    p->last = p->first + count - 1;
    for (int i = 0; i < count; i++)
        *vec_add(l->a, &l->columns) = (Column){.group = group};
    begin(l, order, n, at);
    rank(l, order, n, at);
    int column = p->first;
    for (size_t i = 0; i < n; i++) {
        size_t b = order[i].box;
        bool is_full = p->height[column] + room_of(p, b) / 2 > total / count;
        if (p->nets_of[b].n && is_full && column < p->last)
            column++;
        l->column_of[b] = p->nets_of[b].n ? column : -1;
        if (p->nets_of[b].n)
            p->height[column] += room_of(p, b);
    }
    for (size_t i = 0; i < n; i++) /* what is joined to nothing fills up */
        if (l->column_of[order[i].box] < 0) {
            int to = lowest(p);
            l->column_of[order[i].box] = to;
            p->height[to] += room_of(p, order[i].box);
        }
    improve(p, order, n);
}

void
layout_columns(Layout *l)
{
    const Erd *e = l->erd;
    Placing p = {.l = l};
    long area = 0;
    int groups = 1;
    p.nets_of = arena_alloc(l->a, sizeof *p.nets_of * (e->boxes.n + 1));
    p.height = arena_array(l->a, int, e->boxes.n + 1);
    for (size_t i = 0; i < l->nets.n; i++) {
        *vec_add(l->a, &p.nets_of[l->nets.v[i].box]) = (int)i;
        vec_each (const int, j, &l->nets.v[i].joins) {
            size_t from = e->joins.v[*j].from;
            size_t have = p.nets_of[from].n;
            if (!have || p.nets_of[from].v[have - 1] != (int)i)
                *vec_add(l->a, &p.nets_of[from]) = (int)i;
        }
    }
    vec_each (const ErdBox, b, &e->boxes) {
        area += (long)(b->w + 90) * (b->h + GAP);
        groups = b->group >= groups ? b->group + 1 : groups;
    }
    int tall = 1;
    while ((long)tall * tall * WIDE < area * 10)
        tall++;
    for (int g = 0; g < groups; g++)
        place_group(&p, g, tall);
}
