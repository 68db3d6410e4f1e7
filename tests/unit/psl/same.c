#include "same.h"

#include "psl/lex.h"

#include <stdlib.h>

#define TRY(call)                                                                                  \
    do {                                                                                           \
        const char *problem_ = (call);                                                             \
        if (problem_)                                                                              \
            return problem_;                                                                       \
    } while (0)

/* -- Well-formed trees -- */

static size_t
end_of(PslSpan span)
{
    return (size_t)span.off + span.len;
}

/* The comment at the end of an item's line. */
static PslSpan
trailing_comment(const PslDecl *decl, const PslItem *item)
{
    switch (item->kind) {
    case PSL_ITEM_FIELD:
        return decl->fields.v[item->index].comment;
    case PSL_ITEM_VALUE:
        return decl->values.v[item->index].comment;
    case PSL_ITEM_PROP:
        return decl->props.v[item->index].comment;
    case PSL_ITEM_ATTR:
        return decl->attrs.v[item->index].comment;
    default:
        return (PslSpan){0, 0};
    }
}

static bool
is_blank(Str text, size_t from, size_t to)
{
    while (from < to) {
        size_t next = lex_space(text, from);
        next = next > from ? next : lex_newline(text, from);
        if (next == from)
            return false;
        from = next;
    }
    return true;
}

static const char *
check_items(Str text, const PslDecl *decl, const PslItems *items, size_t from, size_t to)
{
    vec_each (const PslItem, item, items) {
        if (item->span.off < from || end_of(item->span) > to)
            return "an item is out of order";
        if (!is_blank(text, from, item->span.off))
            return "text between items";
        from = end_of(item->span);
        PslSpan comment = decl ? trailing_comment(decl, item) : (PslSpan){0, 0};
        if (comment.len) {
            if (!is_blank(text, from, comment.off))
                return "text before a comment";
            from = end_of(comment);
        }
    }
    return is_blank(text, from, to) ? NULL : "text behind the last item";
}

const char *
tree_check(const PslSchema *schema)
{
    for (size_t i = 0; i < schema->nfiles; i++) {
        Str text = schema->files[i].source->text;
        size_t start = str_starts(text, STR("\xef\xbb\xbf")) ? 3 : 0;
        TRY(check_items(text, NULL, &schema->files[i].items, start, text.n));
    }
    for (size_t i = 0; i < schema->ndecls; i++) {
        const PslDecl *decl = schema->decls[i];
        Str text = decl->file->source->text;
        if (decl->index != i || decl->file->schema != schema ||
            decl->file->items.v[decl->item].kind != PSL_ITEM_DECL ||
            decl->file->items.v[decl->item].index != i)
            return "a block does not know where it is";
        size_t from = lex_space(text, end_of(decl->head));
        while (lex_newline(text, from) > from)
            from = lex_space(text, lex_newline(text, from));
        from = lex_line(text, from);
        TRY(check_items(text, decl, &decl->items, from, decl->close));
        vec_each (const PslField, field, &decl->fields) {
            if (field->parent != decl || &decl->fields.v[field->index] != field)
                return "a field does not know where it is";
            if (!str_eq(psl_text(decl->file, psl_span_of(decl->file, field->name)), field->name))
                return "a name is no view";
        }
    }
    return NULL;
}

/* -- Equal trees -- */

static const char *
same_args(PslArgs a, PslArgs b)
{
    if (a.n != b.n)
        return "number of arguments";
    for (size_t i = 0; i < a.n; i++) {
        const PslExpr *x = &a.v[i].value, *y = &b.v[i].value;
        if (!str_eq(a.v[i].name, b.v[i].name))
            return "name of an argument";
        if (x->kind != y->kind || !str_eq(x->text, y->text))
            return "a value";
        TRY(same_args(x->args, y->args));
    }
    return NULL;
}

/* Attributes of one name keep their order; those of different names may change places. */
static const char *
same_attrs(PslAttrs a, PslAttrs b)
{
    if (a.n != b.n)
        return "number of attributes";
    for (size_t i = 0; i < a.n; i++) {
        size_t before = 0;
        for (size_t k = 0; k < i; k++)
            before += str_eq(a.v[k].name, a.v[i].name);
        const PslAttr *other = NULL;
        for (size_t k = 0; k < b.n && !other; k++) {
            if (str_eq(b.v[k].name, a.v[i].name) && before-- == 0)
                other = &b.v[k];
        }
        if (!other || (other->parens.len > 0) != (a.v[i].parens.len > 0))
            return "an attribute";
        TRY(same_args(a.v[i].args, other->args));
    }
    return NULL;
}

static const char *
same_decl(const PslDecl *a, const PslDecl *b)
{
    if (a->kind != b->kind || !str_eq(a->name, b->name))
        return "kind or name of a block";
    if (!str_eq(a->doc, b->doc))
        return "documentation of a block";
    if (a->fields.n != b->fields.n || a->values.n != b->values.n || a->props.n != b->props.n)
        return "number of fields";
    for (size_t i = 0; i < a->fields.n; i++) {
        const PslField *x = &a->fields.v[i], *y = &b->fields.v[i];
        if (!str_eq(x->name, y->name) || !str_eq(x->type.name, y->type.name) ||
            x->type.arity != y->type.arity || x->type.is_unsupported != y->type.is_unsupported)
            return "a field";
        if (!str_eq(x->doc, y->doc))
            return "documentation of a field";
        TRY(same_attrs(x->attrs, y->attrs));
    }
    for (size_t i = 0; i < a->values.n; i++) {
        if (!str_eq(a->values.v[i].name, b->values.v[i].name) ||
            !str_eq(a->values.v[i].doc, b->values.v[i].doc))
            return "a value of an enum";
        TRY(same_attrs(a->values.v[i].attrs, b->values.v[i].attrs));
    }
    for (size_t i = 0; i < a->props.n; i++) {
        PslArg x = {.value = a->props.v[i].value}, y = {.value = b->props.v[i].value};
        if (!str_eq(a->props.v[i].name, b->props.v[i].name))
            return "a property";
        TRY(same_args((PslArgs){&x, 1}, (PslArgs){&y, 1}));
    }
    return same_attrs(a->attrs, b->attrs);
}

/* -- Comments -- */

typedef VEC(Str) StrVec;

/* Add what a comment says, without slashes, stars and white space at places where layout may
 * change them. */
static void
add_comment(Arena *a, StrVec *list, const PslFile *file, PslSpan at)
{
    Str s = psl_text(file, at);
    Buf b;
    if (!s.n)
        return;
    buf_init(&b, a);
    for (size_t i = 0; i < s.n; i++) {
        if (!strchr(" \t\r\n\v\f*/", s.p[i]) || !s.p[i])
            buf_addc(&b, s.p[i]);
    }
    *vec_add(a, list) = buf_str(&b);
}

static void
add_comments(Arena *a, StrVec *list, const PslFile *file, const PslDecl *decl,
             const PslItems *items)
{
    vec_each (const PslItem, item, items) {
        if (item->kind == PSL_ITEM_COMMENT || item->kind == PSL_ITEM_BLOCK_COMMENT)
            add_comment(a, list, file, item->span);
        if (decl)
            add_comment(a, list, file, trailing_comment(decl, item));
    }
}

static int
compare_texts(const void *a, const void *b)
{
    const Str *x = a, *y = b;
    return str_cmp(*x, *y);
}

static StrVec
comments(Arena *a, const PslSchema *schema)
{
    StrVec list = {0};
    for (size_t i = 0; i < schema->nfiles; i++)
        add_comments(a, &list, &schema->files[i], NULL, &schema->files[i].items);
    for (size_t i = 0; i < schema->ndecls; i++) {
        const PslDecl *decl = schema->decls[i];
        add_comments(a, &list, decl->file, decl, &decl->items);
        add_comment(a, &list, decl->file, decl->after_brace);
    }
    if (list.n)
        qsort(list.v, list.n, sizeof *list.v, compare_texts);
    return list;
}

const char *
tree_same(const PslSchema *a, const PslSchema *b)
{
    ARENA_LOCAL(scratch);
    if (a->ndecls != b->ndecls)
        return "number of blocks";
    for (size_t i = 0; i < a->ndecls; i++)
        TRY(same_decl(a->decls[i], b->decls[i]));
    StrVec x = comments(scratch, a), y = comments(scratch, b);
    if (x.n != y.n)
        return "number of comments";
    for (size_t i = 0; i < x.n; i++) {
        if (!str_eq(x.v[i], y.v[i]))
            return "text of a comment";
    }
    return NULL;
}

/* -- Any text -- */

const char *
tree_check_text(Str text, bool fixups)
{
    ARENA_LOCAL(a);
    FindingList diags;
    Err err;
    Source source = {"any.prisma", text}, *formatted, *again;
    findings_init(&diags, a, NULL);
    PslSchema *schema = psl_parse(a, &source, 1, &diags);
    TRY(tree_check(schema));
    if (schema->errors != diags.counts[SEV_ERROR])
        return "errors are counted wrongly";
    vec_each (const Finding, d, &diags.items) {
        if (d->source != &source || d->off > text.n || d->len > text.n - d->off || !d->text[0])
            return "a diagnostic without a place";
    }
    findings_init(&diags, a, NULL);
    if (!psl_reformat(a, &source, 1, fixups, &formatted, &diags, &err))
        return schema->files[0].bad ? NULL : "a readable file is not formatted";
    PslSchema *other = psl_parse(a, formatted, 1, &diags);
    if (other->files[0].bad)
        return "formatting made a file unreadable";
    if (!fixups)
        TRY(tree_same(schema, other));
    if (!psl_reformat(a, formatted, 1, false, &again, &diags, &err))
        return "a formatted file is not formatted";
    return str_eq(formatted->text, again->text) ? NULL : "formatting twice changes the text";
}
