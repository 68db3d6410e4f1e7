/* How much room texts and tables take. */
#include "erd/erd_int.h"

enum { NAME_SIZE = 14, ROW_SIZE = 12, WIDTH_MIN = 148, WIDTH_MAX = 340, PAD = 12, ICON = 22 };

/* Of Helvetica and what has its widths, in thousandths of the size, from the space on. */
static const short widths[] = {
    278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333,  278, 278, 556, 556, 556,
    556, 556, 556, 556, 556, 556, 556, 278, 278, 584, 584, 584, 556, 1015, 667, 667, 722, 722, 667,
    611, 778, 722, 278, 500, 667, 556, 833, 722, 778, 667, 778, 722, 667,  611, 722, 667, 944, 667,
    667, 611, 278, 278, 278, 469, 556, 333, 556, 556, 500, 556, 556, 278,  556, 556, 222, 222, 500,
    222, 833, 556, 556, 556, 556, 333, 500, 278, 556, 500, 722, 500, 500,  500, 334, 260, 334, 584,
};

/* Other fonts are wider, DejaVu by an eighth; so are bold letters. */
int
erd_text_width(const char *text, int size, bool is_bold)
{
    long sum = 0;
    for (const unsigned char *p = (const unsigned char *)text; p && *p; p++) {
        if (*p >= ' ' && *p - (unsigned)' ' < COUNT(widths))
            sum += widths[*p - ' '];
        else if (*p < 0xe0 && *p >= 0xc0) /* two bytes: Latin, Greek, Cyrillic */
            sum += 667;
        else if (*p >= 0xe0)
            sum += 1000;
        else if (*p < ' ')
            sum += 2000; /* is written as \xNN */
    }
    return (int)(sum * size * (is_bold ? 122 : 113) / 100000) + 1;
}

static int
at_most(int x, int most)
{
    return x < most ? x : most;
}

static int
row_width(const ErdRow *r)
{
    int w = erd_text_width(r->name, ROW_SIZE, r->is_key) + 2 * PAD + ICON;
    if (r->type)
        w += erd_text_width(r->type, ROW_SIZE, false) + 18;
    if (r->was)
        w += erd_text_width(r->was, ROW_SIZE, false) + 30;
    return w;
}

void
erd_size(Erd *e)
{
    int *joins = arena_array(e->arena, int, e->boxes.n + 1);
    vec_each (const ErdJoin, j, &e->joins) {
        joins[j->from]++;
        joins[j->to] += j->from != j->to;
    }
    for (size_t i = 0; i < e->boxes.n; i++) {
        ErdBox *b = &e->boxes.v[i];
        int w = erd_text_width(b->name, NAME_SIZE, true) + 2 * PAD;
        if (b->kind)
            w += erd_text_width(b->kind, ROW_SIZE, false) + 12;
        if (b->was)
            w += erd_text_width(b->was, ROW_SIZE, false) + 30;
        if (b->mark != ERD_SAME)
            w += 92;
        vec_each (const ErdRow, r, &b->rows) {
            int row = row_width(r);
            w = row > w ? row : w;
        }
        w = at_most(w, WIDTH_MAX);
        b->w = w < WIDTH_MIN ? WIDTH_MIN : w;
        size_t lines = b->rows.n + (b->left_out && b->rows.n ? 1 : 0);
        b->h = ERD_HEAD + (int)lines * ERD_ROW;
        /* Where there are no rows, the head has room for all lines. */
        if (!b->rows.n)
            b->h = GRID * at_most(joins[i] < 3 ? 5 : joins[i] + 2, 12);
    }
}
