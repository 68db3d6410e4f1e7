/* Documentation: the comments above a part of the schema and at the end of its line. */
#include "psl/parse.h"

/* The text of the documentation among `n` comments: `///` lines and block comments. */
static Str
doc_text(Parser *p, const PslItem *items, size_t n)
{
    Buf b = {0};
    Str only = {"", 0};
    size_t lines = 0;
    for (size_t i = 0; i < n; i++) {
        Str s = psl_text(p->file, items[i].span);
        bool is_block = s.p[1] == '*';
        if (!is_block && !str_starts(s, STR("///")))
            continue;
        Str line = str_slice(s, is_block ? s.n : 3, s.n);
        line = str_slice(line, lex_space(line, 0), line.n);
        if (lines++ == 0 && !is_block) {
            only = line;
            continue;
        }
        if (!b.arena) {
            buf_init(&b, p->a);
            buf_add(&b, only);
        }
        if (is_block) {
            Str part;
            for (size_t at = 0; lex_comment_line(s, &at, &part);) {
                if (b.n)
                    buf_addc(&b, '\n');
                buf_add(&b, part);
            }
        } else {
            if (lines > 1)
                buf_addc(&b, '\n');
            buf_add(&b, line);
        }
    }
    return b.arena ? buf_str(&b) : only;
}

Str
parse_take_doc(Parser *p, PslSpan comment)
{
    PslItem last = {PSL_ITEM_COMMENT, 0, comment};
    size_t n = p->doc_to - p->doc_from;
    Str doc = {"", 0};
    if (comment.len && psl_text(p->file, comment).p[1] == '/' &&
        !str_starts(psl_text(p->file, comment), STR("///")))
        comment.len = 0;
    if (n && comment.len) {
        PslItem *all = arena_array(p->scratch, PslItem, n + 1);
        memcpy(all, p->items.v + p->doc_from, n * sizeof *all);
        all[n] = last;
        doc = doc_text(p, all, n + 1);
    } else if (n) {
        doc = doc_text(p, p->items.v + p->doc_from, n);
    } else if (comment.len) {
        doc = doc_text(p, &last, 1);
    }
    p->doc_from = p->doc_to = 0;
    return doc;
}
