/* A diagram as SVG. */
#include "report/erd.h"

#include "erd/text.h"
#include "report/html.h"

#include <stdlib.h>

enum { PAD = 12, ICON = 22, ROUND = 6, FOOT = 10, NAME = 14, ROW = 12 };

/* By ErdMark: class, sign, word. */
static const char *const classes[] = {"", "c", "a", "d"};
static const char *const signs[] = {"", "~", "+", "\xe2\x88\x92"};
static const char *const words[] = {"", "changed", "new", "removed"};

/* As much of a text as there is room for; its width. */
static int
add_fit(Buf *out, const char *text, int size, bool is_bold, int room)
{
    int w = erd_text_width(text, size, is_bold);
    if (w <= room) {
        html_textz(out, text);
        return w;
    }
    size_t n = str_utf8_len(str_of(text));
    const char *shorter = text;
    while (n > 1 && erd_text_width(shorter, size, is_bold) + size > room)
        shorter = str_dup(out->arena, (Str){text, str_utf8_offset(str_of(text), --n)});
    html_textz(out, shorter);
    buf_addz(out, "\xe2\x80\xa6");
    return room;
}

static void
add_key(Buf *out, int x, int y)
{
    buf_fmt(out, "<path class=\"i\" d=\"M%d %da3 3 0 1 0 6 0a3 3 0 1 0-6 0M%d %dh7v3m-3-3v2\"/>", x,
            y, x + 6, y);
}

static void
add_arrow(Buf *out, int x, int y)
{
    buf_fmt(out, "<path class=\"i\" d=\"M%d %dh10m-4-3.500 4 3.500-4 3.500\"/>", x, y);
}

/* The former type or name, then the new type; from the right edge. */
static void
add_type(Buf *out, const ErdRow *r, int right, int y, int room)
{
    if (!r->type && !r->was)
        return;
    buf_fmt(out, "<text class=\"t e\" x=\"%d\" y=\"%d\">", right, y);
    if (r->was) {
        int w = add_fit(out, r->was, ROW, false, r->type ? room / 2 : room);
        buf_addz(out, " \xe2\x86\x92 ");
        room -= w + 24;
    }
    add_fit(out, r->type ? r->type : r->name, ROW, false, room > 20 ? room : 20);
    buf_addz(out, r->is_nullable ? "?</text>" : "</text>");
}

static void
add_row(Buf *out, const ErdBox *b, const ErdRow *r, int y)
{
    int middle = y + ERD_ROW / 2, base = middle + 4;
    int room = b->w - 2 * PAD - ICON, name = erd_text_width(r->name, ROW, r->is_key);
    int type = (r->type ? erd_text_width(r->type, ROW, false) + 10 : 0) +
               (r->was ? erd_text_width(r->was, ROW, false) + 26 : 0);
    int name_room = name + type + 8 <= room ? name : type > room / 2 ? room / 2 : room - type - 8;
    if (name_room > name)
        name_room = name;
    buf_addz(out, "<g>");
    if (name > name_room || name + type + 8 > room) {
        buf_addz(out, "<title>");
        html_textz(out, r->name);
        buf_addc(out, ' ');
        html_textz(out, r->type);
        buf_addz(out, "</title>");
    }
    if (r->mark != ERD_SAME)
        buf_fmt(out, "<rect class=\"r%s\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\"/>",
                classes[r->mark], b->x + 1, y, b->w - 2, ERD_ROW - 1);
    if (r->mark != ERD_SAME)
        buf_fmt(out, "<text class=\"m%s\" x=\"%d\" y=\"%d\">%s</text>", classes[r->mark],
                b->x + PAD + 1, base, signs[r->mark]);
    else if (r->is_key)
        add_key(out, b->x + PAD, middle);
    else if (r->is_foreign)
        add_arrow(out, b->x + PAD, middle);
    buf_fmt(out, "<text class=\"%s%s\" x=\"%d\" y=\"%d\">",
            r->is_key    ? "k"
            : r->is_part ? "s"
                         : "",
            r->mark == ERD_REMOVED ? " x" : "", b->x + PAD + ICON, base);
    add_fit(out, r->name, ROW, r->is_key, name_room);
    buf_addz(out, "</text>");
    add_type(out, r, b->x + b->w - PAD, base, room - name_room - 8);
    buf_addz(out, "</g>\n");
}

static void
add_head(Buf *out, const ErdBox *b, int h)
{
    int base = b->y + h / 2 + 5, right = b->x + b->w - PAD, x = b->x + PAD, room = b->w - 2 * PAD;
    if (b->mark != ERD_SAME) {
        const char *word = str_fmt(out->arena, "%s %s", signs[b->mark], words[b->mark]);
        buf_fmt(out, "<text class=\"m%s e\" x=\"%d\" y=\"%d\">%s</text>", classes[b->mark], right,
                base, word);
        room -= erd_text_width(word, ROW, true) + 8;
    }
    if (b->kind) {
        buf_fmt(out, "<text class=\"s\" x=\"%d\" y=\"%d\">", x, base);
        html_textz(out, b->kind);
        buf_addz(out, "</text>");
        x += erd_text_width(b->kind, ROW, false) + 6;
        room -= erd_text_width(b->kind, ROW, false) + 6;
    }
    buf_fmt(out, "<text class=\"n%s\" x=\"%d\" y=\"%d\">", b->mark == ERD_REMOVED ? " x" : "", x,
            base);
    int w = add_fit(out, b->name, NAME, true, b->was ? room / 2 : room);
    buf_addz(out, "</text>");
    if (b->was) {
        buf_fmt(out, "<text class=\"s\" x=\"%d\" y=\"%d\">was ", x + w + 8, base);
        add_fit(out, b->was, ROW, false, room - w - 34);
        buf_addz(out, "</text>");
    }
}

static void
add_box(Buf *out, const ErdBox *b)
{
    int h = b->rows.n ? ERD_HEAD : b->h, y = b->y + ERD_HEAD;
    buf_fmt(out, "<g%s%s%s>", b->mark ? " class=\"" : "", classes[b->mark], b->mark ? "\"" : "");
    buf_addz(out, "<title>");
    if (b->schema) {
        html_textz(out, b->schema);
        buf_addc(out, '.');
    }
    html_textz(out, b->name);
    if (b->comment) {
        buf_addz(out, ": ");
        html_textz(out, b->comment);
    }
    buf_fmt(out,
            "</title>\n<rect class=\"b\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"7\"/>",
            b->x, b->y, b->w, b->h);
    if (b->rows.n)
        buf_fmt(out, "<path class=\"h\" d=\"M%d %dv%da6 6 0 0 1 6-6h%da6 6 0 0 1 6 6v%dz\"/>\n",
                b->x + 1, b->y + h, 7 - h, b->w - 14, h - 7);
    else
        buf_fmt(out, "<rect class=\"h\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"6\"/>\n",
                b->x + 1, b->y + 1, b->w - 2, b->h - 2);
    add_head(out, b, h);
    buf_addc(out, '\n');
    for (size_t i = 0; i < b->rows.n; i++, y += ERD_ROW) {
        buf_fmt(out, "<path class=\"r\" d=\"M%d %d.5h%d\"/>", b->x, y, b->w);
        add_row(out, b, &b->rows.v[i], y);
    }
    if (b->rows.n && b->left_out)
        buf_fmt(out, "<text class=\"s\" x=\"%d\" y=\"%d\">%zu more</text>", b->x + PAD + ICON,
                y + ERD_ROW / 2 + 4, b->left_out);
    buf_addz(out, "</g>\n");
}

static int
sign_of(int x)
{
    return (x > 0) - (x < 0);
}

/* Round corners, no rounder than the shorter side allows. */
static void
add_corner(Buf *out, ErdPoint p, ErdPoint q, ErdPoint n)
{
    int in = abs(q.x - p.x) + abs(q.y - p.y), away = abs(n.x - q.x) + abs(n.y - q.y);
    int r = ROUND;
    r = in / 2 < r ? in / 2 : r;
    r = away / 2 < r ? away / 2 : r;
    buf_fmt(out, "L%d %dQ%d %d %d %d", q.x - r * sign_of(q.x - p.x), q.y - r * sign_of(q.y - p.y),
            q.x, q.y, q.x + r * sign_of(n.x - q.x), q.y + r * sign_of(n.y - q.y));
}

static void
add_join(Buf *out, const Erd *e, const ErdJoin *j)
{
    size_t n = j->path.n;
    if (n < 2)
        return;
    const ErdPoint *p = j->path.v;
    int first = sign_of(p[1].x - p[0].x), last = sign_of(p[n - 2].x - p[n - 1].x);
    buf_fmt(out, "<path class=\"j%s%s\" d=\"M%d %d", j->mark ? " " : "", classes[j->mark], p[0].x,
            p[0].y);
    for (size_t i = 1; i + 1 < n; i++)
        add_corner(out, p[i - 1], p[i], p[i + 1]);
    buf_fmt(out, "L%d %d", p[n - 1].x, p[n - 1].y);
    if (j->is_single)
        buf_fmt(out, "M%d %dv10", p[0].x + 7 * first, p[0].y - 5);
    else
        buf_fmt(out, "M%d %dl%d 5l%d 5", p[0].x, p[0].y - 5, FOOT * first, -FOOT * first);
    buf_fmt(out, "M%d %dv10\"><title>", p[n - 1].x + 7 * last, p[n - 1].y - 5);
    html_textz(out, e->boxes.v[j->from].name);
    buf_addz(out, " \xe2\x86\x92 ");
    html_textz(out, e->boxes.v[j->to].name);
    buf_addz(out, ": ");
    html_textz(out, j->name);
    if (j->mark)
        buf_fmt(out, " (%s)", words[j->mark]);
    buf_addz(out, "</title></path>\n");
}

static void
add_all(Buf *out, const Erd *e)
{
    vec_each (const ErdGroup, g, &e->groups) {
        buf_fmt(out,
                "<rect class=\"g\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"12\"/>"
                "<text class=\"gn\" x=\"%d\" y=\"%d\">",
                g->x, g->y, g->w, g->h, g->x + 14, g->y + 23);
        add_fit(out, g->name, ROW, true, g->w - 28);
        buf_addz(out, "</text>\n");
    }
    vec_each (const ErdJoin, j, &e->joins)
        add_join(out, e, j);
    vec_each (const ErdBox, b, &e->boxes)
        add_box(out, b);
}

static void
add_svg(Buf *out, const Erd *e, const char *title, bool is_alone)
{
    int w = e->w > 1 ? e->w : 1, h = e->h > 1 ? e->h : 1;
    buf_fmt(out,
            "<svg %sclass=\"erd\" width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\" "
            "role=\"img\">\n<title>",
            is_alone ? "xmlns=\"http://www.w3.org/2000/svg\" " : "", w, h, w, h);
    html_textz(out, title);
    buf_fmt(out, "</title>\n<desc>%s, %s.</desc>\n",
            str_count(out->arena, (int64_t)e->boxes.n, e->is_difference ? "object" : "table"),
            str_count(out->arena, (int64_t)e->joins.n, "foreign key"));
    if (is_alone) {
        buf_addz(out, "<style>");
        buf_add(out, html_erd_style());
        buf_addz(out, "</style>\n");
        buf_fmt(out, "<rect width=\"%d\" height=\"%d\" fill=\"var(--bg)\"/>\n", w, h);
    }
    add_all(out, e);
    buf_addz(out, "</svg>\n");
}

void
report_erd_svg(Buf *out, const Erd *e, const char *title)
{
    add_svg(out, e, title, true);
}

void
report_erd_inline(Buf *out, const Erd *e, const char *title)
{
    add_svg(out, e, title, false);
}
