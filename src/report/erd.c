/* A diagram in Mermaid's language, and as a page. */
#include "report/erd.h"

#include "report/html.h"

#include <ctype.h>

/* ---- Mermaid --------------------------------------------------------------------------------- */

/* A word of its grammar: letters, digits, _; others become _. */
static const char *
word(Arena *a, const char *text)
{
    Buf b;
    buf_init(&b, a);
    for (const char *p = text; *p; p++)
        buf_addc(&b, isalnum((unsigned char)*p) && (unsigned char)*p < 0x80 ? *p : '_');
    return b.n && isalpha((unsigned char)b.p[0]) ? b.p : str_fmt(a, "t_%s", b.p);
}

/* In quotes: what would end them, or the line, is said in Mermaid's own way (#quot;). */
static void
add_quoted(Buf *out, const char *text)
{
    buf_addc(out, '"');
    for (const char *p = str_printable(out->arena, str_of(text), false); *p; p++)
        if (strchr("\"#;<>&%`\\", *p))
            buf_fmt(out, "#%d;", (unsigned char)*p);
        else
            buf_addc(out, *p);
    buf_addc(out, '"');
}

static const char *
box_word(Arena *a, const Erd *e, size_t i)
{
    const ErdBox *b = &e->boxes.v[i];
    const char *own = word(a, b->name);
    for (size_t k = 0; k < e->boxes.n; k++)
        if (k != i && strcmp(word(a, e->boxes.v[k].name), own) == 0)
            return str_fmt(a, "%s_%zu", own, i);
    return own;
}

static const char *const marks[] = {"", "changed", "new", "removed"};

static void
add_rows(Buf *out, const ErdBox *b)
{
    Arena *a = out->arena;
    vec_each (const ErdRow, r, &b->rows) {
        if (r->is_part)
            continue;
        buf_fmt(out, "        %s %s", word(a, r->type ? r->type : "value"), word(a, r->name));
        if (r->is_key || r->is_foreign)
            buf_fmt(out, " %s%s%s", r->is_key ? "PK" : "", r->is_key && r->is_foreign ? ", " : "",
                    r->is_foreign ? "FK" : "");
        const char *more = r->mark ? marks[r->mark] : r->is_nullable ? "may be null" : NULL;
        bool is_other = strcmp(word(a, r->name), r->name) != 0;
        if (more || is_other) {
            buf_addc(out, ' ');
            add_quoted(out, str_fmt(a, "%s%s%s", is_other ? r->name : "",
                                    is_other && more ? ": " : "", more ? more : ""));
        }
        buf_addc(out, '\n');
    }
}

void
report_erd_mermaid(Buf *out, const Erd *e)
{
    Arena *a = out->arena;
    buf_addz(out, "erDiagram\n");
    for (size_t i = 0; i < e->boxes.n; i++) {
        const ErdBox *b = &e->boxes.v[i];
        const char *name =
            b->schema && e->groups.n ? str_fmt(a, "%s.%s", b->schema, b->name) : b->name;
        buf_fmt(out, "    %s", box_word(a, e, i));
        if (b->mark || b->kind || strcmp(box_word(a, e, i), name) != 0) {
            buf_addc(out, '[');
            add_quoted(out, str_fmt(a, "%s%s%s%s%s", b->kind ? b->kind : "", b->kind ? " " : "",
                                    name, b->mark ? " - " : "", marks[b->mark]));
            buf_addc(out, ']');
        }
        buf_addz(out, " {\n");
        add_rows(out, b);
        buf_addz(out, "    }\n");
    }
    vec_each (const ErdJoin, j, &e->joins) {
        buf_fmt(out, "    %s %s%s%s %s : ", box_word(a, e, j->to),
                j->mark == ERD_REMOVED ? "||.." : "||--", "o", j->is_single ? "|" : "{",
                box_word(a, e, j->from));
        const char *columns = j->from_columns.n ? j->from_columns.v[0] : j->name;
        add_quoted(out, j->mark ? str_fmt(a, "%s - %s", columns, marks[j->mark]) : columns);
        buf_addc(out, '\n');
    }
}

/* ---- a page ---------------------------------------------------------------------------------- */

void
report_erd_legend(Buf *out, const Erd *e)
{
    buf_addz(out, "<ul class=\"legend\">\n");
    if (e->is_difference)
        buf_addz(out, "<li><b>+ new</b></li>\n<li><b>~ changed</b></li>\n"
                      "<li><b>\xe2\x88\x92 removed</b>, dashed</li>\n");
    buf_addz(out,
             "<li>key: primary key</li>\n<li>arrow: foreign key</li>\n<li>?: may be null</li>\n"
             "<li>fork: many rows</li>\n<li>bar: one row</li>\n</ul>\n");
}

void
report_erd_html(Buf *out, const Erd *e, const char *title)
{
    Arena *a = out->arena;
    html_begin(out, title, true);
    buf_addz(out, "<div class=\"top\"><h1>");
    html_textz(out, title);
    buf_fmt(out, "</h1></div>\n<p class=\"soft\">%s, %s",
            str_count(a, (int64_t)e->boxes.n, e->is_difference ? "object" : "table"),
            str_count(a, (int64_t)e->joins.n, "foreign key"));
    if (e->left_out)
        buf_fmt(out, "; %s not shown", str_count(a, (int64_t)e->left_out, "table"));
    buf_addz(
        out,
        "</p>\n<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Diagram\">\n");
    report_erd_inline(out, e, title);
    buf_addz(out, "</div>\n");
    report_erd_legend(out, e);
    html_end(out);
}
