/* The upright lines of each channel, and then all places. */
#include "erd/erd_int.h"

/* Two lines nearer than this are read as one. */
enum { NEAR = GRID / 2, SHIFTS = 20 };

/* ---- lines that are nearly straight ---------------------------------------------------------- */

/* Whether another net meets the channel at this height. */
static bool
is_taken(const Layout *l, int channel, int net, int y)
{
    vec_each (const int, r, &l->channels.v[channel].runs) {
        const Run *run = &l->runs.v[*r];
        if (run->net == net)
            continue;
        vec_each (const Pin, p, &run->pins) {
            int far = pin_y(l, p) - y;
            if (far < NEAR && far > -NEAR)
                return true;
        }
    }
    return false;
}

/* Put one end of a run as high as the other, where nobody else is. */
static bool
straighten_pin(Layout *l, Run *run, Pin *p, int y)
{
    Item *item = &l->items.v[p->item];
    if (is_taken(l, run->channel, run->net, y))
        return false;
    if (item->box >= 0) {
        int row = (p->offset - ERD_HEAD) / ERD_ROW, moved = p->offset + y - pin_y(l, p);
        if (p->offset < ERD_HEAD || moved < ERD_HEAD + row * ERD_ROW + 2 ||
            moved > ERD_HEAD + (row + 1) * ERD_ROW - 2)
            return false;
        p->offset = moved;
        return true;
    }
    int other = p->is_left ? run->channel - 1 : run->channel + 1;
    if (is_taken(l, other, run->net, y))
        return false;
    item->y = y - p->offset;
    return true;
}

static void
straighten(Layout *l)
{
    for (size_t i = 0; i < l->channels.n; i++)
        vec_each (const int, r, &l->channels.v[i].runs) {
            Run *run = &l->runs.v[*r];
            if (run->pins.n != 2 || run->pins.v[0].is_left == run->pins.v[1].is_left)
                continue;
            Pin *x = &run->pins.v[run->pins.v[0].is_left ? 0 : 1],
                *y = &run->pins.v[x == run->pins.v];
            int far = pin_y(l, x) - pin_y(l, y);
            if (far == 0 || far > NEAR || far < -NEAR)
                continue;
            if (!straighten_pin(l, run, y, pin_y(l, x)) && !straighten_pin(l, run, x, pin_y(l, y)))
                continue;
        }
}

/* ---- the order of upright lines -------------------------------------------------------------- */

/* Each moves to where it crosses least, until none does. */
static void
order_runs(Layout *l, Channel *c)
{
    ARENA_LOCAL(a);
    size_t n = c->runs.n;
    int *gain = arena_array(a, int, n *n + 1); /* of row before column: less is better */
    int *order = arena_array(a, int, n + 1);
    for (size_t i = 0; i < n; i++) {
        order[i] = (int)i;
        for (size_t k = 0; k < n; k++) {
            const Run *x = &l->runs.v[c->runs.v[i]], *y = &l->runs.v[c->runs.v[k]];
            gain[i * n + k] = i == k ? 0 : layout_crossings(l, x, y) - layout_crossings(l, y, x);
        }
    }
    bool is_better = true;
    for (int pass = 0; pass < SHIFTS && is_better; pass++) {
        is_better = false;
        for (size_t i = 0; i < n; i++) {
            int best = 0, sum = 0, moved = order[i];
            size_t to = i;
            for (size_t k = i; k-- > 0;) {
                sum += gain[(size_t)moved * n + (size_t)order[k]];
                if (sum < best) {
                    best = sum;
                    to = k;
                }
            }
            sum = 0;
            for (size_t k = i + 1; k < n; k++) {
                sum += gain[(size_t)order[k] * n + (size_t)moved];
                if (sum < best) {
                    best = sum;
                    to = k;
                }
            }
            for (size_t k = i; k > to; k--)
                order[k] = order[k - 1];
            for (size_t k = i; k < to; k++)
                order[k] = order[k + 1];
            order[to] = moved;
            is_better |= to != i;
        }
    }
    for (size_t i = 0; i < n; i++)
        order[i] = c->runs.v[order[i]];
    if (n)
        memcpy(c->runs.v, order, n * sizeof *order);
}

static int
give_tracks(Layout *l, const Channel *c)
{
    int count = 0;
    for (size_t i = 0; i < c->runs.n; i++) {
        Run *run = &l->runs.v[c->runs.v[i]];
        run->track = 0;
        for (size_t k = 0; k < i; k++) {
            const Run *before = &l->runs.v[c->runs.v[k]];
            bool are_beside = run->low <= before->high + NEAR && before->low <= run->high + NEAR;
            if (are_beside && before->low < before->high && before->track >= run->track)
                run->track = before->track + 1;
        }
        if (run->low < run->high && run->track >= count)
            count = run->track + 1;
    }
    return count;
}

void
layout_tracks(Layout *l)
{
    straighten(l);
    for (size_t i = 0; i < l->channels.n; i++) {
        Channel *c = &l->channels.v[i];
        layout_cost(l, (int)i); /* where its lines end */
        order_runs(l, c);
        int tracks = give_tracks(l, c);
        bool is_side = i == 0 || i == l->columns.n;
        bool is_border = !is_side && l->columns.v[i - 1].group != l->columns.v[i].group;
        int lines = tracks > 0 ? (tracks - 1) * LANE : 0;
        c->w = is_side ? (tracks ? SIDE + lines : 0) : 2 * SIDE + lines;
        c->w += is_border ? 2 * FRAME : !is_side && c->w < 64 ? 64 - c->w : 0;
        for (size_t r = 0; r < c->runs.n; r++) {
            Run *run = &l->runs.v[c->runs.v[r]];
            int room = c->w - lines;
            run->x = (i == 0 ? 0 : is_side ? SIDE : room / 2) + run->track * LANE;
        }
    }
}

/* ---- places ---------------------------------------------------------------------------------- */

static void
add_point(Layout *l, ErdJoin *j, int x, int y)
{
    ErdPoint *last = j->path.n ? &j->path.v[j->path.n - 1] : NULL;
    ErdPoint *before = j->path.n > 1 ? last - 1 : NULL;
    if (last && last->x == x && last->y == y)
        return;
    if (before &&
        ((before->x == last->x && last->x == x) || (before->y == last->y && last->y == y)))
        *last = (ErdPoint){x, y};
    else
        *vec_add(l->erd->arena, &j->path) = (ErdPoint){x, y};
}

/* The place of a pin on the edge of its column. */
static int
edge_of(const Layout *l, const Pin *p)
{
    const Item *item = &l->items.v[p->item];
    const Column *c = &l->columns.v[item->column];
    return p->is_left ? c->x + c->w : c->x;
}

/* From the child along the net to its parent: through channels, and through columns in between. */
static void
trace(Layout *l, int join)
{
    ErdJoin *j = &l->erd->joins.v[join];
    int net = l->net_of[join], at = -1;
    vec_each (const ItemPin, ip, &l->pins_of[j->from])
        if (l->runs.v[ip->run].pins.v[ip->pin].join == join)
            at = ip->run;
    if (at < 0)
        return;
    vec_each (const Pin, p, &l->runs.v[at].pins)
        if (p->join == join)
            add_point(l, j, edge_of(l, p), pin_y(l, p));
    int to = l->column_of[l->nets.v[net].box];
    for (;;) {
        const Run *run = &l->runs.v[at];
        const Pin *next = NULL;
        vec_each (const Pin, p, &run->pins) {
            const Item *item = &l->items.v[p->item];
            bool is_parent = p->join < 0 && item->box >= 0;
            bool is_nearer = item->box < 0 && (run->channel > to) == p->is_left;
            if (is_parent || (is_nearer && !next))
                next = p;
            if (is_parent)
                break;
        }
        add_point(l, j, run->x, j->path.v[j->path.n - 1].y);
        if (!next)
            return;
        add_point(l, j, run->x, pin_y(l, next));
        add_point(l, j, edge_of(l, next), pin_y(l, next));
        if (l->items.v[next->item].box >= 0)
            return;
        int channel = next->is_left ? run->channel - 1 : run->channel + 1;
        at = -1;
        vec_each (const int, r, &l->channels.v[channel].runs)
            if (l->runs.v[*r].net == net)
                at = *r;
        if (at < 0)
            return;
    }
}

static void
frame_groups(Layout *l)
{
    Erd *e = l->erd;
    vec_each (ErdGroup, g, &e->groups) {
        int index = (int)(g - e->groups.v), left = -1, right = 0, top = 0, bottom = 0;
        vec_each (const ErdBox, b, &e->boxes) {
            if (b->group != index)
                continue;
            bool is_first = left < 0;
            left = is_first || b->x < left ? b->x : left;
            top = is_first || b->y < top ? b->y : top;
            right = b->x + b->w > right ? b->x + b->w : right;
            bottom = b->y + b->h > bottom ? b->y + b->h : bottom;
        }
        g->x = left - FRAME;
        g->y = top - FRAME_HEAD;
        g->w = right - left + 2 * FRAME;
        g->h = bottom - top + FRAME_HEAD + FRAME;
    }
}

void
layout_places(Layout *l)
{
    Erd *e = l->erd;
    int margin = MARGIN + (e->groups.n ? FRAME : 0), x = margin, low = 0, high = 0;
    bool is_first = true;
    vec_each (const Item, i, &l->items) {
        low = is_first || i->y < low ? i->y : low;
        high = is_first || i->y + i->h > high ? i->y + i->h : high;
        is_first = false;
    }
    int down = MARGIN - low + (e->groups.n ? FRAME_HEAD : 0);
    vec_each (Item, i, &l->items)
        i->y += down;
    for (size_t i = 0; i < l->channels.n; i++) {
        Channel *c = &l->channels.v[i];
        c->x = x;
        vec_each (const int, r, &c->runs)
            l->runs.v[*r].x += x;
        x += c->w;
        if (i < l->columns.n) {
            Column *column = &l->columns.v[i];
            column->x = x;
            vec_each (const int, at, &column->items)
                if (l->items.v[*at].box >= 0 && e->boxes.v[*at].w > column->w)
                    column->w = e->boxes.v[*at].w;
            x += column->w;
        }
    }
    for (size_t i = 0; i < e->boxes.n; i++) {
        ErdBox *b = &e->boxes.v[i];
        b->x = l->columns.v[l->column_of[i]].x;
        b->w = l->columns.v[l->column_of[i]].w;
        b->y = l->items.v[i].y;
    }
    for (size_t i = 0; i < e->joins.n; i++)
        trace(l, (int)i);
    frame_groups(l);
    e->w = x + margin;
    e->h = high + down + margin;
}
