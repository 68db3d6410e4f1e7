/* Internal to erd/: the layout. */
#pragma once

#include "erd/erd.h"
#include "erd/text.h"

enum {
    GRID = 8,    /* what stands in a column lies on it, in every second column half a step lower */
    GAP = 32,    /* between two tables of a column */
    LANE = 10,   /* between two lines of a channel */
    SIDE = 26,   /* between a table and the first line */
    MARGIN = 28, /* around all */
    FRAME = 14,  /* between a table and the frame of its schema */
    FRAME_HEAD = 36 /* its name */
};

/* What stands in a column: a table, or a line that crosses it. */
typedef struct Item {
    int column, box; /* box -1: a line */
    int net;         /* of a line */
    int y, h;
    int weight; /* how many pins */
    double want;
} Item;

/* Where a line meets what stands in a column. */
typedef struct Pin {
    int item, offset; /* from the item's y */
    bool is_left;     /* of the channel: the item is in the column to the left of it */
    int join;         /* of a child's pin; -1: the parent's, or a line's */
} Pin;

/* What of a net runs in one channel. */
typedef struct Run {
    int net, channel;
    VEC(Pin) pins;
    int low, high; /* of its upright line */
    int track, x;
} Run;

/* All joins that lead to one column of one table. */
typedef struct Net {
    size_t box;
    int row;
    VEC(int) joins;
} Net;

typedef struct Column {
    VEC(int) items; /* from top to bottom */
    int group, x, w;
} Column;

typedef struct Channel {
    VEC(int) runs;
    int x, w;
} Channel;

/* A pin of an item, to find it. */
typedef struct ItemPin {
    int run, pin;
} ItemPin;
typedef VEC(ItemPin) ItemPins;

typedef struct Layout {
    Arena *a;
    Erd *erd;
    VEC(Net) nets;
    int *net_of;    /* of each join */
    int *column_of; /* of each box; of its item too, which has the box's number */
    VEC(Item) items;
    VEC(Column) columns;
    VEC(Channel) channels; /* one more than columns: number i is to the left of column i */
    VEC(Run) runs;
    ItemPins *pins_of; /* of each item */
    int height;
} Layout;

/* model.c: the tables of one side or of both; rows of joins, again whenever rows have gone. */
void erd_add_tables(Erd *e, const Catalog *c, const Catalog *old);
void erd_find_rows(Erd *e);

/* size.c */
void erd_size(Erd *e);

/* columns.c: which table stands in which column. */
void layout_columns(Layout *l);
/* runs.c: nets become items, runs and pins. */
void layout_nets(Layout *l);
void layout_runs(Layout *l);
/* order.c: in which order, and at which height. */
void layout_order(Layout *l);
/* tracks.c: the lines of each channel, then all places. */
void layout_tracks(Layout *l);
void layout_places(Layout *l);

/* The upright lines of a channel: ends, and crossings whichever of two comes first. */
long layout_cost(Layout *l, int channel);
/* How often the lines of `x` and `y` cross when x's upright one is to the left: what comes to x from the right
 * passes y's, what comes to y from the left passes x's. */
int layout_crossings(const Layout *l, const Run *x, const Run *y);
int pin_y(const Layout *l, const Pin *p);

/* What is wrong with a layout; for tests. */
typedef struct ErdQuality {
    int overlaps;  /* of tables */
    int through;   /* pieces of lines in tables that they do not belong to */
    int shared;    /* pieces of different nets on top of each other */
    int crossings; /* of different nets */
    long length;   /* of all lines, each counted once */
} ErdQuality;
ErdQuality erd_measure(const Erd *e);
