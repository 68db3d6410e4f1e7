/* Inside of the parser: shared by parse.c (lines, blocks, files), parse_part.c (what stands on a
 * line) and parse_doc.c (documentation). Not for other rooms. */
#pragma once

#include "psl/lex.h"
#include "psl/psl.h"

/* Where the parser is, and the parts that are not finished yet. Each list is a stack: a rule
 * remembers its height, adds, and at its end copies what is above into the arena. */
typedef struct Parser {
    Arena *a;
    Arena *scratch;
    FindingList *diags;
    PslSchema *schema;
    PslFile *file;
    Str t;
    size_t at;
    size_t fail_at;       /* the furthest place where the current line could not be read on */
    const char *expected; /* what the grammar wanted there */
    int depth;
    Finding unseen; /* takes the notes for diagnostics beyond the limit */

    size_t comment_from, comment_end; /* last search for the end of a block comment */
    size_t doc_from, doc_to;          /* pending documentation: a run of comments in `items` */

    VEC(PslArg) args;
    VEC(PslAttr) attrs;
    VEC(PslField) fields;
    VEC(PslValue) values;
    VEC(PslProp) props;
    VEC(PslItem) items;
    VEC(PslDecl *) decls;
} Parser;

/* Copy everything above `height` into the arena and cut the stack down to it. */
#define PARSE_TAKE(p, stack, height, ret)                                                          \
    do {                                                                                           \
        (ret)->n = (p)->stack.n - (height);                                                        \
        (ret)->v = NULL;                                                                           \
        if ((ret)->n) {                                                                            \
            size_t take_size = (ret)->n * sizeof *(p)->stack.v;                                    \
            (ret)->v = arena_alloc((p)->a, take_size);                                             \
            memcpy((ret)->v, (p)->stack.v + (height), take_size);                                  \
        }                                                                                          \
        (p)->stack.n = (height);                                                                   \
    } while (0)

static inline PslSpan
parse_span(size_t from, size_t to)
{
    return (PslSpan){(uint32_t)from, (uint32_t)(to - from)};
}

static inline void
parse_space(Parser *p)
{
    p->at = lex_space(p->t, p->at);
}

/* The byte at the parser's place, or NUL at the end of the text. */
static inline char
parse_peek(const Parser *p)
{
    return p->at < p->t.n ? p->t.p[p->at] : '\0';
}

static inline bool
parse_at_line_end(const Parser *p)
{
    return p->at >= p->t.n || p->t.p[p->at] == '\n' || p->t.p[p->at] == '\r';
}

/* Add an error; the diagnostic is valid until the next one. */
__attribute__((format(printf, 4, 5))) Finding *parse_error(Parser *p, FindingId id, PslSpan at,
                                                           const char *fmt, ...);

/* Note that `expected` is not here (the furthest such place becomes the line's error): false. */
bool parse_fail(Parser *p, const char *expected);

/* Step over `c`, if it is here. */
bool parse_skip(Parser *p, char c);

/* name ; expected is for the error */
bool parse_name(Parser *p, const char *expected, Str *ret);

/* expression ; leaves p->at behind it */
bool parse_expr(Parser *p, PslExpr *ret);

/* attribute* with one @ each: pushed on p->attrs */
bool parse_attrs(Parser *p);

/* What follows the @ or @@ at `start`: path args? ; `ret` is filled */
bool parse_attr(Parser *p, size_t start, PslAttr *ret);

/* type? ; ret->name.p stays NULL when there is none */
bool parse_type(Parser *p, PslType *ret);

/* Complain about the forms of a type that Prisma once had. */
void parse_check_type(Parser *p, const PslType *type);

/* The end of the block comment that starts here, or p->at when none does or it has no end. */
size_t parse_block_comment(Parser *p);

/* The pending documentation together with that in the comment at the end of the line itself (len 0:
 * none); nothing is pending afterwards. */
Str parse_take_doc(Parser *p, PslSpan comment);

/* comment? line-end ; *ret has len 0 without a comment. expected: what else could stand here */
bool parse_line_rest(Parser *p, const char *expected, PslSpan *ret);
