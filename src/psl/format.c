/* The layout of `prisma format`.
 *
 * A block is printed as tables of up to three columns: name, type, attributes. A blank line ends a
 * table, comments do not. Block attributes are printed last, in a fixed order, each with the
 * comment directly above it. Where Prisma's own formatter loses comments, aligns by bytes or
 * changes its mind on the second run, this one does not (docs: `aramid format`). */
#include "psl/attrs.h"
#include "psl/lex.h"
#include "psl/psl.h"

#include <stdlib.h>

/* -- Tables -- */

typedef struct Row {
    Str cells[3];
    Str end; /* behind the last cell; alone on its line when there are no cells */
} Row;

typedef struct Printer {
    Arena *scratch;
    const PslFile *file;
    Buf *out;
    VEC(Row) rows;
    const char *indent;
    bool is_empty;        /* nothing was printed in the current block */
    bool ends_in_comment; /* the last row is a comment line */
} Printer;

static size_t
row_width(const Row *row)
{
    size_t n = 3;
    while (n > 0 && row->cells[n - 1].n == 0)
        n--;
    return n;
}

/* Print the rows with the columns aligned, and begin a new table. Absurdly wide cells do not take
 * part: one name of a megabyte must not add a megabyte of blanks to every other line. */
static void
flush(Printer *p)
{
    enum { MOST_COLUMNS = 200 };
    size_t widths[3] = {0};
    vec_each (Row, row, &p->rows) {
        for (size_t i = 0; i < row_width(row); i++) {
            size_t columns = lex_columns(row->cells[i]);
            if (columns > widths[i] && columns <= MOST_COLUMNS)
                widths[i] = columns;
        }
    }
    vec_each (Row, row, &p->rows) {
        size_t n = row_width(row);
        if (n || row->end.n)
            buf_addz(p->out, p->indent);
        for (size_t i = 0; i < n; i++) {
            buf_add(p->out, row->cells[i]);
            size_t columns = lex_columns(row->cells[i]);
            if (i + 1 < n)
                buf_addn(p->out, ' ', columns < widths[i] ? widths[i] - columns + 1 : 1);
        }
        if (n && row->end.n)
            buf_addc(p->out, ' ');
        buf_add(p->out, row->end);
        buf_addc(p->out, '\n');
    }
    p->rows.n = 0;
}

static void
add_row(Printer *p, Row row)
{
    *vec_add(p->scratch, &p->rows) = row;
    p->is_empty = p->ends_in_comment = false;
}

/* End the table with a blank line, unless the block has just begun. */
static void
add_blank(Printer *p)
{
    if (p->is_empty)
        return;
    flush(p);
    add_row(p, (Row){0});
}

/* -- Comments -- */

/* A block comment at the end of a line may hold line ends of any kind. */
static Str
comment_text(Printer *p, PslSpan at)
{
    Str s = psl_text(p->file, at);
    if (!s.n || !memchr(s.p, '\r', s.n))
        return s;
    Buf b;
    buf_init(&b, p->scratch);
    for (size_t from = 0; from < s.n;) {
        size_t to = lex_line(s, from);
        buf_add(&b, str_slice(s, from, to));
        from = lex_newline(s, to);
        if (from > to)
            buf_addc(&b, '\n');
    }
    return buf_str(&b);
}

static void
add_block_comment(Printer *p, Str comment)
{
    Str words;
    add_row(p, (Row){.end = STR("/**")});
    for (size_t at = 0; lex_comment_line(comment, &at, &words);) {
        Buf b;
        buf_init(&b, p->scratch);
        buf_addz(&b, " * ");
        buf_add(&b, words);
        add_row(p, (Row){.end = buf_str(&b)});
    }
    add_row(p, (Row){.end = STR(" */")});
}

static void
add_comment(Printer *p, PslSpan at)
{
    Str s = psl_text(p->file, at);
    if (s.p[1] == '*')
        add_block_comment(p, s);
    else
        add_row(p, (Row){.end = s});
    p->ends_in_comment = true;
}

static bool
is_comment(const PslItem *item)
{
    return item->kind == PSL_ITEM_COMMENT || item->kind == PSL_ITEM_BLOCK_COMMENT;
}

/* -- Parts of a line -- */

static void write_args(Printer *p, Buf *b, PslArgs args);

static void
write_expr(Printer *p, Buf *b, const PslExpr *expr)
{
    switch (expr->kind) {
    case PSL_MISSING:
        break;
    case PSL_STRING:
    case PSL_NUMBER:
    case PSL_CONSTANT:
        buf_add(b, psl_text(p->file, expr->span));
        break;
    case PSL_FUNCTION:
        buf_add(b, expr->text);
        buf_addc(b, '(');
        write_args(p, b, expr->args);
        buf_addc(b, ')');
        break;
    case PSL_ARRAY:
        buf_addc(b, '[');
        write_args(p, b, expr->args);
        buf_addc(b, ']');
        break;
    case PSL_OBJECT:
        buf_addz(b, "{ ");
        write_args(p, b, expr->args);
        buf_addz(b, " }");
        break;
    }
}

static void
write_args(Printer *p, Buf *b, PslArgs args)
{
    for (size_t i = 0; i < args.n; i++) {
        if (i)
            buf_addz(b, ", ");
        if (args.v[i].name.n) {
            buf_add(b, args.v[i].name);
            buf_addz(b, ": ");
        }
        write_expr(p, b, &args.v[i].value);
    }
}

static void
write_attr(Printer *p, Buf *b, const PslAttr *attr)
{
    buf_add(b, attr->name);
    if (attr->parens.len) {
        buf_addc(b, '(');
        write_args(p, b, attr->args);
        buf_addc(b, ')');
    }
}

static unsigned
attr_rank(Str name)
{
    for (AttrId id = 0; id < ATTR_COUNT; id++) {
        if (str_is(name, psl_attr_specs[id].name))
            return psl_attr_specs[id].rank;
    }
    return RANK_LAST;
}

/* The attributes of a field or value in Prisma's order (stable: few, so insertion sort by rank). */
static Str
attrs_text(Printer *p, PslAttrs attrs)
{
    Buf b;
    if (!attrs.n)
        return (Str){"", 0};
    buf_init(&b, p->scratch);
    for (unsigned rank = 1; rank <= RANK_LAST; rank++) {
        vec_each (const PslAttr, attr, &attrs) {
            if (attr_rank(attr->name) != rank)
                continue;
            buf_addz(&b, b.n ? " @" : "@");
            write_attr(p, &b, attr);
        }
    }
    return buf_str(&b);
}

/* A type in today's notation; what stands inside Unsupported( ) is kept as written. */
static Str
type_text(Printer *p, const PslType *type)
{
    Str base = type->name;
    if (type->is_unsupported) {
        base = psl_text(p->file, type->span);
        while (base.n && base.p[base.n - 1] != ')')
            base.n--;
        while (base.n && base.p[0] != 'U')
            base = str_slice(base, 1, base.n);
    }
    static const char *const suffixes[] = {
        [PSL_REQUIRED] = "", [PSL_OPTIONAL] = "?", [PSL_LIST] = "[]", [PSL_OPTIONAL_LIST] = "[]?"};
    if (type->arity == PSL_REQUIRED)
        return base;
    Buf b;
    buf_init(&b, p->scratch);
    buf_add(&b, base);
    buf_addz(&b, suffixes[type->arity]);
    return buf_str(&b);
}

static void
add_prop(Printer *p, const PslProp *prop)
{
    Buf b;
    buf_init(&b, p->scratch);
    buf_addc(&b, '=');
    if (prop->value.kind != PSL_MISSING)
        buf_addc(&b, ' ');
    write_expr(p, &b, &prop->value);
    add_row(p, (Row){{prop->name, buf_str(&b)}, comment_text(p, prop->comment)});
}

static void
add_line(Printer *p, const PslDecl *decl, const PslItem *item)
{
    if (item->kind == PSL_ITEM_FIELD) {
        const PslField *f = &decl->fields.v[item->index];
        add_row(p, (Row){{f->name, type_text(p, &f->type), attrs_text(p, f->attrs)},
                         comment_text(p, f->comment)});
    } else if (item->kind == PSL_ITEM_VALUE) {
        const PslValue *v = &decl->values.v[item->index];
        add_row(p, (Row){{v->name, attrs_text(p, v->attrs)}, comment_text(p, v->comment)});
    } else if (item->kind == PSL_ITEM_PROP) {
        add_prop(p, &decl->props.v[item->index]);
    }
}

/* -- Blocks -- */

/* A block attribute with the comments that move with it: items [from, to). */
typedef struct Moved {
    size_t rank, from, to;
    const PslAttr *attr;
} Moved;

static int
compare_moved(const void *pa, const void *pb)
{
    const Moved *a = pa, *b = pb;
    if (a->rank != b->rank)
        return a->rank < b->rank ? -1 : 1;
    return a->attr < b->attr ? -1 : 1;
}

static void
add_block_attrs(Printer *p, const PslItems *items, Moved *attrs, size_t n)
{
    flush(p);
    if (n)
        add_row(p, (Row){0});
    if (n)
        qsort(attrs, n, sizeof *attrs, compare_moved);
    for (size_t i = 0; i < n; i++) {
        for (size_t k = attrs[i].from; k < attrs[i].to; k++)
            add_comment(p, items->v[k].span);
        Buf b;
        buf_init(&b, p->scratch);
        buf_addz(&b, "@@");
        write_attr(p, &b, attrs[i].attr);
        add_row(p, (Row){{buf_str(&b)}, comment_text(p, attrs[i].attr->comment)});
    }
    flush(p);
}

static void
print_items(Printer *p, const PslDecl *decl, const PslItems *items)
{
    VEC(Moved) moved = {0};
    bool was_attr = false;
    p->is_empty = true;
    for (size_t i = 0; i < items->n;) {
        bool blank = items->v[i].kind == PSL_ITEM_BLANK;
        i += blank;
        size_t to = i;
        while (to < items->n && is_comment(&items->v[to]))
            to++;
        if (to < items->n && items->v[to].kind == PSL_ITEM_ATTR) {
            const PslAttr *attr = &decl->attrs.v[items->v[to].index];
            *vec_add(p->scratch, &moved) = (Moved){attr_rank(attr->name), i, to, attr};
            i = to + 1;
            was_attr = true;
            continue;
        }
        /* A comment that stood behind an attribute must not join the one in front of it. */
        if (i < items->n && (blank || (was_attr && to > i && p->ends_in_comment)))
            add_blank(p);
        was_attr = false;
        for (size_t k = i; k < to; k++)
            add_comment(p, items->v[k].span);
        if (to == i && i < items->n)
            add_line(p, decl, &items->v[i++]);
        else
            i = to;
    }
    add_block_attrs(p, items, moved.v, moved.n);
}

/* The comment behind the opening brace: documentation goes above the block, others to its first
 * line; other text stays where it is. */
static void
print_decl(Printer *p, const PslDecl *decl)
{
    Str after = psl_text(p->file, decl->after_brace);
    const char *end = after.n < 2 ? NULL : memmem(after.p + 2, after.n - 2, "*/", 2);
    bool is_doc = str_starts(after, STR("///")) ||
                  (str_starts(after, STR("/*")) && end == after.p + after.n - 2);
    bool is_inner = !is_doc && str_starts(after, STR("//"));
    p->indent = "";
    if (is_doc)
        add_comment(p, decl->after_brace);
    flush(p);
    buf_addz(p->out, psl_decl_keyword(decl->kind));
    buf_addc(p->out, ' ');
    buf_add(p->out, decl->name);
    buf_addz(p->out, " {");
    if (after.n && !is_doc && !is_inner) {
        buf_addc(p->out, ' ');
        buf_add(p->out, after);
    }
    buf_addc(p->out, '\n');
    PslItems items = decl->items;
    if (is_inner) {
        items.v = arena_array(p->scratch, PslItem, items.n + 1);
        items.v[0] = (PslItem){PSL_ITEM_COMMENT, 0, decl->after_brace};
        if (items.n)
            memcpy(items.v + 1, decl->items.v, decl->items.n * sizeof *items.v);
        items.n++;
    }
    p->indent = "  ";
    print_items(p, decl, &items);
    p->indent = "";
    buf_add(p->out, STR("}"));
}

/* Does the comment stand on the line where the block before it ends? */
static bool
is_on_line_of(const PslFile *file, const PslItem *decl, const PslItem *comment)
{
    Str between = psl_text(file, (PslSpan){decl->span.off + decl->span.len,
                                           comment->span.off - decl->span.off - decl->span.len});
    return lex_line(between, 0) == between.n;
}

bool
psl_format(Arena *a, const PslFile *file, Str *ret, Err *err)
{
    if (file->bad) {
        err_set(err, ERR_SCHEMA, "\"%s\" cannot be formatted: it has syntax errors",
                file->source->path);
        return err_hint(err, "run `aramid validate` to see them");
    }
    ARENA_LOCAL(scratch);
    ArenaMark mark = arena_mark(scratch);
    Buf out;
    buf_init(&out, a);
    Printer p = {.scratch = scratch, .file = file, .out = &out, .indent = ""};
    bool after_block = false, after_blank = false;
    for (size_t i = 0; i < file->items.n; i++) {
        const PslItem *item = &file->items.v[i];
        if (item->kind == PSL_ITEM_BLANK) {
            after_blank = true;
            continue;
        }
        if (i && is_comment(item) && item[-1].kind == PSL_ITEM_DECL &&
            is_on_line_of(file, item - 1, item)) {
            buf_addc(&out, ' ');
            buf_add(&out, comment_text(&p, item->span));
            continue;
        }
        if (out.n && (after_block || after_blank))
            buf_addz(&out, after_block ? "\n\n" : "\n");
        after_blank = false;
        after_block = item->kind == PSL_ITEM_DECL;
        if (after_block) {
            print_decl(&p, file->schema->decls[item->index]);
        } else {
            add_comment(&p, item->span);
            flush(&p);
        }
        p.rows.v = NULL;
        p.rows.cap = 0;
        arena_reset(scratch, mark);
    }
    if (after_block || !out.n)
        buf_addc(&out, '\n');
    *ret = buf_str(&out);
    return true;
}

bool
psl_reformat(Arena *a, const Source *files, size_t n, bool fixups, Source **ret, FindingList *diags,
             Err *err)
{
    PslSchema *schema = psl_parse(a, files, n, diags);
    PslInsertVec inserts = {0};
    if (fixups)
        psl_format_fixups(a, schema, &inserts);
    Source *texts = psl_apply(a, schema, &inserts);
    if (inserts.n) {
        FindingList again;
        findings_init(&again, a, NULL);
        schema = psl_parse(a, texts, n, &again);
    }
    for (size_t i = 0; i < n; i++) {
        if (!psl_format(a, &schema->files[i], &texts[i].text, err))
            return false;
    }
    *ret = texts;
    return true;
}
