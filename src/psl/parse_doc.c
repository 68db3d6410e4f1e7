/* Documentation: the comments above a part of the schema and at the end of its line. */
#include "psl/parse.h"

typedef VEC(Str) LineVec;

/* Add what a comment says, if it is documentation: `///` or a block comment. */
static void
add_lines(Parser *p, LineVec *lines, PslSpan comment)
{
    Str text = psl_text(p->file, comment), line;
    if (str_starts(text, STR("///"))) {
        text = str_slice(text, 3, text.n);
        *vec_add(p->scratch, lines) = str_slice(text, lex_space(text, 0), text.n);
    } else if (str_starts(text, STR("/*"))) {
        for (size_t at = 0; lex_comment_line(text, &at, &line);)
            *vec_add(p->scratch, lines) = line;
    }
}

Str
parse_take_doc(Parser *p, PslSpan comment)
{
    ArenaMark mark = arena_mark(p->scratch);
    LineVec lines = {0};
    for (size_t i = p->doc_from; i < p->doc_to; i++)
        add_lines(p, &lines, p->items.v[i].span);
    add_lines(p, &lines, comment);
    p->doc_from = p->doc_to = 0;
    Str doc = lines.n ? lines.v[0] : (Str){"", 0};
    if (lines.n > 1) {
        Buf b;
        buf_init(&b, p->a);
        vec_each (const Str, line, &lines) {
            if (line != lines.v)
                buf_addc(&b, '\n');
            buf_add(&b, *line);
        }
        doc = buf_str(&b);
    }
    arena_reset(p->scratch, mark);
    return doc;
}
