/* Nets, and what of them runs where. */
#include "erd/erd_int.h"

void
layout_nets(Layout *l)
{
    Erd *e = l->erd;
    l->net_of = arena_array(l->a, int, e->joins.n + 1);
    for (size_t i = 0; i < e->joins.n; i++) {
        const ErdJoin *j = &e->joins.v[i];
        size_t at = 0;
        while (at < l->nets.n && (l->nets.v[at].box != j->to || l->nets.v[at].row != j->to_row))
            at++;
        if (at == l->nets.n)
            *vec_add(l->a, &l->nets) = (Net){.box = j->to, .row = j->to_row};
        *vec_add(l->a, &l->nets.v[at].joins) = (int)i;
        l->net_of[i] = (int)at;
    }
}

static int
run_of(Layout *l, int net, int channel)
{
    vec_each (const int, r, &l->channels.v[channel].runs)
        if (l->runs.v[*r].net == net)
            return *r;
    int at = (int)l->runs.n;
    *vec_add(l->a, &l->runs) = (Run){.net = net, .channel = channel};
    *vec_add(l->a, &l->channels.v[channel].runs) = at;
    return at;
}

static void
add_pin(Layout *l, int net, int channel, Pin pin)
{
    int at = run_of(l, net, channel);
    Run *run = &l->runs.v[at];
    *vec_add(l->a, &l->pins_of[pin.item]) = (ItemPin){at, (int)run->pins.n};
    *vec_add(l->a, &run->pins) = pin;
    l->items.v[pin.item].weight++;
}

/* Where on a table's side the next line to that row begins: in its middle, then above and below. */
static int
offset_of(const Layout *l, int item, int row, int channel)
{
    static const int places[] = {12, 4, 20};
    const ErdBox *box = &l->erd->boxes.v[item];
    int n = 0;
    vec_each (const ItemPin, at, &l->pins_of[item]) {
        const Run *run = &l->runs.v[at->run];
        if (run->channel != channel)
            continue;
        int there = run->pins.v[at->pin].offset;
        n += row < 0 ||
             (there - ERD_HEAD >= row * ERD_ROW && there - ERD_HEAD < (row + 1) * ERD_ROW);
    }
    if (row < 0) {
        int most = (box->rows.n ? ERD_HEAD : box->h) / GRID - 1;
        return GRID / 2 + GRID * ((n + 1) % (most > 0 ? most : 1));
    }
    return ERD_HEAD + row * ERD_ROW + places[n % (int)COUNT(places)];
}

static void
add_end(Layout *l, int net, int channel, bool is_left, int join)
{
    const ErdJoin *j = join >= 0 ? &l->erd->joins.v[join] : NULL;
    const Net *n = &l->nets.v[net];
    int item = (int)(j ? j->from : n->box);
    add_pin(l, net, channel,
            (Pin){.item = item,
                  .offset = offset_of(l, item, j ? j->from_row : n->row, channel),
                  .is_left = is_left,
                  .join = join});
}

/* The line of a net across a column, from channel to channel. */
static void
add_crossing(Layout *l, int net, int column)
{
    int item = (int)l->items.n;
    *vec_add(l->a, &l->items) = (Item){.column = column, .box = -1, .net = net, .h = GRID};
    *vec_add(l->a, &l->columns.v[column].items) = item;
    for (int side = 0; side < 2; side++)
        add_pin(l, net, column + side,
                (Pin){.item = item, .offset = GRID / 2, .is_left = side == 1, .join = -1});
}

static void
add_net(Layout *l, int net)
{
    const Net *n = &l->nets.v[net];
    int at = l->column_of[n->box], left = at, right = at;
    bool has_loop = false;
    vec_each (const int, j, &n->joins) {
        int c = l->column_of[l->erd->joins.v[*j].from];
        left = c < left ? c : left;
        right = c > right ? c : right;
        has_loop |= c == at;
    }
    bool loops_left = has_loop && right == at && left < at;
    bool loops_right = has_loop && !loops_left;
    if (right > at || loops_right)
        add_end(l, net, at + 1, true, -1);
    if (left < at)
        add_end(l, net, at, false, -1);
    vec_each (const int, j, &n->joins) {
        int c = l->column_of[l->erd->joins.v[*j].from];
        if (c > at || (c == at && loops_left))
            add_end(l, net, c, false, *j);
        else
            add_end(l, net, c + 1, true, *j);
    }
    for (int c = at + 1; c < right; c++)
        add_crossing(l, net, c);
    for (int c = at - 1; c > left; c--)
        add_crossing(l, net, c);
}

void
layout_runs(Layout *l)
{
    const Erd *e = l->erd;
    for (size_t i = 0; i < e->boxes.n; i++) {
        *vec_add(l->a, &l->items) =
            (Item){.column = l->column_of[i], .box = (int)i, .h = e->boxes.v[i].h};
        *vec_add(l->a, &l->columns.v[l->column_of[i]].items) = (int)i;
    }
    for (size_t i = 0; i <= l->columns.n; i++)
        *vec_add(l->a, &l->channels) = (Channel){0};
    size_t most = e->boxes.n + l->nets.n * l->columns.n;
    l->pins_of = arena_alloc(l->a, sizeof *l->pins_of * (most + 1));
    for (size_t i = 0; i < l->nets.n; i++)
        add_net(l, (int)i);
}
