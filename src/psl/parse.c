/* The parser: lines, blocks, files.
 *
 * The grammar is line oriented: every part of a block stands on one line. A line that cannot be
 * read becomes an item of its own and costs nothing else; a block that is not closed ends where
 * the next one begins. */
#include "psl/parse.h"

static const PslDeclKind keywords[] = {
    PSL_MODEL, PSL_TYPE, PSL_VIEW, PSL_ENUM, PSL_DATASOURCE, PSL_GENERATOR,
};

static void
add_item(Parser *p, PslItemKind kind, size_t index, PslSpan at)
{
    *vec_add(p->scratch, &p->items) = (PslItem){kind, (uint32_t)index, at};
}

/* Where a view of this text begins. */
static size_t
offset_of(const Parser *p, Str view)
{
    return (size_t)(view.p - p->t.p);
}

/* The rest of the line becomes an unreadable item, its line end is stepped over. */
static void
skip_line(Parser *p, size_t start)
{
    p->at = lex_line(p->t, start > p->at ? start : p->at);
    add_item(p, PSL_ITEM_BAD, 0, parse_span(start, p->at));
    p->file->bad++;
    p->at = lex_newline(p->t, p->at);
}

/* What stands at `at`, for "expected x, found y". */
static const char *
found(Parser *p, size_t at)
{
    size_t end = lex_path(p->t, at), n;
    if (at >= p->t.n)
        return "the end of the file";
    if (lex_newline(p->t, at) > at)
        return "the end of the line";
    if (end == at) {
        lex_code_point(p->t, at, &n);
        end = at + n;
    }
    if (end - at > 40)
        return "a long name";
    return str_fmt(p->diags->arena, "`%s`",
                   str_printable(p->diags->arena, str_slice(p->t, at, end), false));
}

/* Complain about the line that begins at `start` and skip it. */
static Finding *
bad_line(Parser *p, size_t start, const char *what)
{
    size_t at = p->fail_at, end = lex_path(p->t, at), n = 1;
    if (end == at && lex_newline(p->t, at) == at && at < p->t.n)
        lex_code_point(p->t, at, &n);
    if (end == at)
        end = at + (lex_newline(p->t, at) > at || at >= p->t.n ? 0 : n);
    Finding *d = parse_error(p, FINDING_SYNTAX_LINE, parse_span(at, end),
                             "%s: expected %s, found %s", what, p->expected, found(p, at));
    char c = at < p->t.n ? p->t.p[at] : '\n';
    if (c == '\'')
        d->fix = "strings are written in double quotes";
    else if (strncmp(p->expected, "another", 7) == 0)
        d->fix = "delete the comma in front of the closing bracket";
    else if ((c == '\n' || c == '\r') && p->expected[0] != '`' && at > start)
        d->fix = "everything that belongs to a field or attribute must stand on one line";
    else if ((c == '\n' || c == '\r') && at > start)
        d->fix = "brackets must be closed on the line where they were opened";
    else if (c == '/' && at + 1 < p->t.n && p->t.p[at + 1] == '*')
        d->fix = "a block comment may stand on lines of its own or at the end of a line; it ends "
                 "with */";
    p->at = at;
    skip_line(p, start);
    return d;
}

/* -- Blank lines and comments -- */

/* blank <- (space* newline)+ ; from the beginning of a line */
static bool
blank_lines(Parser *p)
{
    size_t start = p->at, at = start, end;
    while ((end = lex_newline(p->t, lex_space(p->t, at))) > lex_space(p->t, at))
        at = end;
    if (at == start)
        return false;
    add_item(p, PSL_ITEM_BLANK, 0, parse_span(start, at));
    p->at = at;
    return true;
}

/* comment <- ("//" anything / block-comment) newline? */
static bool
comment(Parser *p)
{
    size_t start = p->at;
    bool is_line = str_starts(str_slice(p->t, start, p->t.n), STR("//"));
    size_t end = is_line ? lex_line(p->t, start) : parse_block_comment(p);
    if (end == start)
        return false;
    if (p->doc_to != p->items.n || p->doc_from == p->doc_to)
        p->doc_from = p->items.n; /* not directly below the last one: a new run */
    add_item(p, is_line ? PSL_ITEM_COMMENT : PSL_ITEM_BLOCK_COMMENT, 0, parse_span(start, end));
    p->doc_to = p->items.n;
    size_t next = lex_space(p->t, end);
    p->at = lex_newline(p->t, next) > next ? lex_newline(p->t, next) : end;
    return true;
}

/* -- Lines of blocks -- */

/* field <- name ":"? type? attrs rest */
static bool
field(Parser *p, PslDecl *decl)
{
    PslField f = {.parent = decl, .index = (uint32_t)p->fields.n};
    size_t start = p->at, attrs = p->attrs.n;
    if (!parse_name(p, "a field, an attribute beginning with @@ or `}`", &f.name))
        return false;
    size_t colon = lex_space(p->t, p->at);
    bool has_colon = colon < p->t.n && p->t.p[colon] == ':';
    p->at = has_colon ? colon + 1 : p->at;
    parse_space(p);
    bool ok = parse_type(p, &f.type) && parse_attrs(p);
    size_t end = p->at;
    ok = ok && parse_line_rest(p, f.type.name.p ? "an attribute or the end of the line" : "a type",
                               &f.comment);
    if (!ok) {
        p->attrs.n = attrs;
        return false;
    }
    f.span = parse_span(start, end);
    PARSE_TAKE(p, attrs, attrs, &f.attrs);
    if (has_colon) {
        Finding *d = parse_error(p, FINDING_SYNTAX_LEGACY_COLON, parse_span(colon, colon + 1),
                                 "no colon stands between a field and its type");
        d->fix = "`aramid format` removes it";
    }
    if (!f.type.name.p) {
        Finding *d =
            parse_error(p, FINDING_SYNTAX_MISSING_TYPE, parse_span(start, start + f.name.n),
                        "field \"%.*s\" of %s \"%.*s\" has no type", STR_ARG(f.name),
                        psl_decl_word(decl->kind), STR_ARG(decl->name));
        d->fix = "write the type behind the name, for instance String";
        end = f.comment.len ? f.comment.off + f.comment.len : end;
        add_item(p, PSL_ITEM_BAD, 0, parse_span(start, end));
        p->file->bad++;
        return true;
    }
    parse_check_type(p, &f.type);
    f.doc = parse_take_doc(p, f.comment);
    *vec_add(p->scratch, &p->fields) = f;
    add_item(p, PSL_ITEM_FIELD, f.index, f.span);
    return true;
}

/* value <- name attrs rest */
static bool
enum_value(Parser *p, PslDecl *decl)
{
    PslValue v = {.parent = decl, .index = (uint32_t)p->values.n};
    size_t start = p->at, attrs = p->attrs.n;
    bool ok =
        parse_name(p, "a value, an attribute beginning with @@ or `}`", &v.name) && parse_attrs(p);
    size_t end = p->at;
    if (!ok || !parse_line_rest(p, "an attribute or the end of the line", &v.comment)) {
        p->attrs.n = attrs;
        return false;
    }
    v.span = parse_span(start, end);
    v.doc = parse_take_doc(p, v.comment);
    PARSE_TAKE(p, attrs, attrs, &v.attrs);
    *vec_add(p->scratch, &p->values) = v;
    add_item(p, PSL_ITEM_VALUE, v.index, v.span);
    return true;
}

/* property <- name "=" expression? rest */
static bool
property(Parser *p, PslDecl *decl)
{
    PslProp prop = {.parent = decl, .index = (uint32_t)p->props.n};
    size_t start = p->at;
    if (!parse_name(p, "a property or `}`", &prop.name))
        return false;
    parse_space(p);
    if (!parse_skip(p, '='))
        return parse_fail(p, "`=`");
    size_t end = p->at;
    parse_space(p);
    char c = parse_peek(p);
    if (parse_at_line_end(p) || c == '/') {
        prop.value.span = parse_span(end, end);
    } else {
        if (!parse_expr(p, &prop.value))
            return false;
        end = p->at;
    }
    if (!parse_line_rest(p, prop.value.kind ? "the end of the line" : "a value", &prop.comment))
        return false;
    prop.span = parse_span(start, end);
    p->doc_from = p->doc_to = 0;
    *vec_add(p->scratch, &p->props) = prop;
    add_item(p, PSL_ITEM_PROP, prop.index, prop.span);
    return true;
}

/* block-attr <- "@@" attr rest */
static bool
block_attr(Parser *p, size_t height)
{
    PslAttr attr;
    size_t start = p->at;
    p->at += 2;
    if (!parse_attr(p, start, &attr))
        return false;
    if (!parse_line_rest(p, "the end of the line", &attr.comment))
        return false;
    if (p->doc_to == p->items.n)
        p->doc_from = p->doc_to = 0; /* the comment is about the attribute */
    add_item(p, PSL_ITEM_ATTR, p->attrs.n - height, attr.span);
    *vec_add(p->scratch, &p->attrs) = attr;
    return true;
}

/* -- Blocks -- */

/* head <- keyword name ; the space between them may be missing */
static bool
head(Parser *p, PslDeclKind *ret_kind, Str *ret_name)
{
    Str here = str_slice(p->t, p->at, p->t.n);
    for (size_t i = 0; i < COUNT(keywords); i++) {
        Str word = str_of(psl_decl_keyword(keywords[i]));
        if (!str_starts(here, word))
            continue;
        size_t name = lex_space(p->t, p->at + word.n), end = lex_name(p->t, name);
        if (end == name)
            return false;
        *ret_kind = keywords[i];
        *ret_name = str_slice(p->t, name, end);
        p->at = end;
        return true;
    }
    return false;
}

/* Does a line like `model Name {` begin here? Inside a block that means that its end is missing. */
static bool
at_head(Parser *p)
{
    size_t start = p->at;
    PslDeclKind kind;
    Str name;
    bool yes = head(p, &kind, &name) && offset_of(p, name) > start + strlen(psl_decl_keyword(kind));
    parse_space(p);
    yes = yes && parse_peek(p) == '{';
    p->at = start;
    return yes;
}

/* Go to the end of a block whose beginning could not be read: its lines would only be errors. */
static void
skip_block(Parser *p, size_t start)
{
    p->at = lex_line(p->t, p->at);
    for (;;) {
        size_t end = p->at;
        p->at = lex_space(p->t, lex_newline(p->t, end));
        if (p->at >= p->t.n || p->at == end || at_head(p)) {
            p->at = end;
            break;
        }
        if (parse_skip(p, '}'))
            break;
        p->at = lex_line(p->t, p->at);
    }
    add_item(p, PSL_ITEM_BAD, 0, parse_span(start, p->at));
    p->file->bad++;
}

static void
unclosed(Parser *p, PslDecl *decl, size_t at)
{
    const char *word = psl_decl_word(decl->kind);
    Finding *d;
    if (at >= p->t.n)
        d = parse_error(p, FINDING_SYNTAX_UNCLOSED, decl->head, "%s \"%.*s\" is not closed", word,
                        STR_ARG(decl->name));
    else
        d = parse_error(p, FINDING_SYNTAX_UNCLOSED, parse_span(at, lex_line(p->t, at)),
                        "%s \"%.*s\" is not closed before the next block begins", word,
                        STR_ARG(decl->name));
    Str after = psl_text(p->file, decl->after_brace);
    d->fix = str_ends(after, STR("}")) ? "write every field and the closing } on its own line"
                                       : "add a line with }";
    p->file->bad++;
}

/* One line of a block that is neither blank nor a comment. */
static void
line(Parser *p, PslDecl *decl, size_t attrs)
{
    static const char *const what[] = {
        [PSL_MODEL] = "this line is no field and no attribute",
        [PSL_VIEW] = "this line is no field and no attribute",
        [PSL_TYPE] = "this line is no field and no attribute",
        [PSL_ENUM] = "this line is no value and no attribute",
        [PSL_DATASOURCE] = "this line is no property of a datasource",
        [PSL_GENERATOR] = "this line is no property of a generator",
    };
    size_t start = p->at;
    bool is_config = decl->kind == PSL_DATASOURCE || decl->kind == PSL_GENERATOR, ok;
    p->fail_at = start;
    p->expected = NULL;
    if (is_config)
        ok = property(p, decl);
    else if (str_starts(str_slice(p->t, start, p->t.n), STR("@@")))
        ok = block_attr(p, attrs);
    else if (decl->kind == PSL_ENUM)
        ok = enum_value(p, decl);
    else
        ok = field(p, decl);
    if (ok)
        return;
    Finding *d = bad_line(p, start, what[decl->kind]);
    if (p->t.p[start] == '@' && p->fail_at == start && !is_config)
        d->fix = "an attribute stands on the line of its field; those of the block begin with @@";
}

/* contents <- (blank / comment / line)* "}" ; the brace must be the first thing on its line */
static void
contents(Parser *p, PslDecl *decl)
{
    size_t items = p->items.n, attrs = p->attrs.n;
    p->doc_from = p->doc_to = 0;
    for (;;) {
        if (blank_lines(p))
            continue;
        parse_space(p);
        if (p->at >= p->t.n || at_head(p)) {
            decl->close = (uint32_t)p->at;
            unclosed(p, decl, p->at);
            break;
        }
        decl->close = (uint32_t)p->at;
        if (parse_skip(p, '}'))
            break;
        if (!comment(p))
            line(p, decl, attrs);
    }
    PARSE_TAKE(p, fields, 0, &decl->fields);
    PARSE_TAKE(p, values, 0, &decl->values);
    PARSE_TAKE(p, props, 0, &decl->props);
    PARSE_TAKE(p, attrs, attrs, &decl->attrs);
    PARSE_TAKE(p, items, items, &decl->items);
    p->doc_from = p->doc_to = 0;
}

/* What follows the opening brace on its line. Prisma drops it; here documentation is taken as the
 * block's, and all of it is kept. Returns its place if it is a comment. */
static PslSpan
after_brace(Parser *p, PslDecl *decl)
{
    size_t from = lex_space(p->t, p->at);
    p->at = lex_line(p->t, from);
    Str rest = str_trim(str_slice(p->t, from, p->at));
    if (!rest.n)
        return (PslSpan){0, 0};
    decl->after_brace = psl_span_of(p->file, rest);
    size_t at = p->at;
    p->at = decl->after_brace.off;
    size_t comment_end = parse_block_comment(p);
    p->at = at;
    if (str_starts(rest, STR("//")) || comment_end == decl->after_brace.off + rest.n)
        return decl->after_brace;
    Finding *d = psl_diag(p->diags, SEV_WARNING, FINDING_SYNTAX_IGNORED_TEXT, p->file,
                          decl->after_brace, "text behind the opening brace is ignored");
    d->fix = "write it on a line of its own";
    return (PslSpan){0, 0};
}

/* declaration <- head "{" anything newline contents */
static bool
declaration(Parser *p)
{
    size_t start = p->at;
    PslDeclKind kind;
    Str name;
    if (!head(p, &kind, &name)) {
        p->at = start;
        return false;
    }
    PslSpan at = parse_span(start, p->at);
    parse_space(p);
    size_t brace = p->at;
    while (lex_newline(p->t, brace) > brace)
        brace = lex_space(p->t, lex_newline(p->t, brace));
    if (brace >= p->t.n || p->t.p[brace] != '{') {
        p->at = start;
        return false;
    }
    if (brace > p->at) {
        Finding *d = parse_error(p, FINDING_SYNTAX_BRACE, at,
                                 "the opening brace of %s \"%.*s\" stands on another line",
                                 psl_decl_word(kind), STR_ARG(name));
        d->fix = "write { behind the name";
        p->file->bad++;
    }
    p->at = brace + 1;
    PslDecl *decl = arena_new(p->a, PslDecl);
    *decl = (PslDecl){
        .kind = kind,
        .index = (uint32_t)p->decls.n,
        .name = name,
        .head = at,
        .span = at,
        .file = p->file,
    };
    decl->doc = parse_take_doc(p, after_brace(p, decl));
    *vec_add(p->scratch, &p->decls) = decl;
    p->at = lex_newline(p->t, p->at);
    contents(p, decl);
    decl->span = parse_span(start, p->at);
    decl->item = (uint32_t)p->items.n; /* the items of a file begin at 0 */
    add_item(p, PSL_ITEM_DECL, decl->index, decl->span);
    return true;
}

/* -- Files -- */

/* alias <- "type" name "=" base attrs ; Prisma once had it */
static bool
type_alias(Parser *p)
{
    size_t start = p->at;
    PslDeclKind kind;
    Str name;
    bool ok = head(p, &kind, &name) && kind == PSL_TYPE;
    parse_space(p);
    ok = ok && parse_peek(p) == '=';
    p->at = start;
    if (!ok)
        return false;
    size_t end = lex_line(p->t, start);
    Finding *d = parse_error(p, FINDING_SYNTAX_TYPE_ALIAS, parse_span(start, end),
                             "type aliases do not exist in the schema language");
    d->fix = str_fmt(p->diags->arena, "use the type itself instead of \"%.*s\"", STR_ARG(name));
    skip_line(p, start);
    return true;
}

/* The keyword that a word was probably meant to be, or NULL. */
static const char *
nearest_keyword(Str word)
{
    for (size_t i = 0; i < COUNT(keywords) && word.n < 20; i++) {
        const char *keyword = psl_decl_keyword(keywords[i]);
        if (str_ieq(word, str_of(keyword)) || str_distance(word, str_of(keyword), 2) <= 2)
            return keyword;
    }
    return NULL;
}

/* Text at the top of the file that begins nothing. Its block, if it has one, is skipped as well. */
static void
bad_top(Parser *p)
{
    size_t start = p->at, line_end = lex_line(p->t, start), end = lex_name(p->t, start);
    Str line_text = str_trim(str_slice(p->t, start, line_end));
    Str word = str_slice(p->t, start, end);
    bool opens = str_ends(line_text, STR("{"));
    const char *keyword = nearest_keyword(word);
    if (p->t.p[start] == '}') {
        Finding *d = parse_error(p, FINDING_SYNTAX_TOP_LEVEL, parse_span(start, start + 1),
                                 "this brace closes nothing");
        d->fix = "delete it";
    } else if (keyword && str_is(word, keyword)) {
        size_t at = lex_space(p->t, end), name_end = lex_name(p->t, at);
        bool no_name = name_end == at;
        at = no_name ? at : lex_space(p->t, name_end);
        Finding *d =
            parse_error(p, FINDING_SYNTAX_BLOCK_HEAD, parse_span(start, start + line_text.n),
                        "this line does not begin a %s: expected %s, found %s", keyword,
                        no_name ? "a name" : "`{`", found(p, at));
        d->fix = no_name ? "names begin with a letter and hold letters, digits and _"
                         : "write the name and { on one line";
    } else {
        Finding *d = parse_error(p, opens ? FINDING_SYNTAX_UNKNOWN_BLOCK : FINDING_SYNTAX_TOP_LEVEL,
                                 parse_span(start, start + line_text.n),
                                 opens ? "no block begins like this"
                                       : "this line stands outside of all blocks");
        if (str_starts(line_text, STR("/*")))
            d->fix = "a block comment ends with */";
        else if (keyword)
            d->fix = str_fmt(p->diags->arena, "did you mean `%s`?", keyword);
        else if (opens)
            d->fix = "blocks are model, enum, view, type, datasource and generator";
    }
    p->at = start;
    if (opens)
        skip_block(p, start);
    else
        skip_line(p, start);
}

/* Bytes that are no text make the whole file suspect: one error is enough. */
static void
check_encoding(Parser *p)
{
    size_t bad = str_utf8_invalid_at(p->t);
    if (str_starts(p->t, STR("\xef\xbb\xbf"))) {
        Finding *d =
            psl_diag(p->diags, SEV_WARNING, FINDING_SYNTAX_BOM, p->file, parse_span(0, 3),
                     "the file begins with a byte order mark, which Prisma does not accept");
        d->fix = "save it as UTF-8 without BOM";
        p->at = 3;
    }
    if (bad < p->t.n) {
        Finding *d = parse_error(p, FINDING_SYNTAX_ENCODING, parse_span(bad, bad + 1),
                                 "the file is not UTF-8: byte 0x%02x", (unsigned char)p->t.p[bad]);
        d->fix = "save it as UTF-8";
        p->file->bad++;
    }
}

static bool
is_at_end(const Parser *p, const PslDeclKind *last)
{
    return p->at >= p->t.n || (last && p->decls.n && p->decls.v[p->decls.n - 1]->kind == *last);
}

/* file <- (declaration / alias / comment / blank / anything)* ; the first declaration of kind `last`
 * ends it, where that is not NULL */
static void
parse_file(Parser *p, const PslDeclKind *last)
{
    size_t items = p->items.n;
    check_encoding(p);
    for (;;) {
        if (blank_lines(p)) {
            p->doc_from = p->doc_to = 0;
            continue;
        }
        parse_space(p);
        if (is_at_end(p, last))
            break;
        if (comment(p))
            continue;
        if (declaration(p)) {
            parse_space(p);
            if (!comment(p)) /* on the line of the brace: about this block, not the next */
                p->at = lex_newline(p->t, p->at);
        } else if (!type_alias(p)) {
            bad_top(p);
        }
        p->doc_from = p->doc_to = 0;
    }
    PARSE_TAKE(p, items, items, &p->file->items);
}

static PslSchema *
parse(Arena *a, const Source *files, size_t n, const PslDeclKind *last, FindingList *diags)
{
    ARENA_LOCAL(scratch);
    PslSchema *schema = arena_new(a, PslSchema);
    schema->files = arena_array(a, PslFile, n);
    schema->nfiles = n;
    Parser *p = arena_new(scratch, Parser);
    *p = (Parser){.a = a, .scratch = scratch, .diags = diags, .schema = schema};
    for (size_t i = 0; i < n; i++) {
        p->file = &schema->files[i];
        p->file->source = &files[i];
        p->file->schema = schema;
        p->t = files[i].text;
        p->at = p->comment_from = p->comment_end = p->doc_from = p->doc_to = 0;
        if (p->t.n > PSL_MAX_TEXT) {
            parse_error(p, FINDING_SYNTAX_TOO_LARGE, parse_span(0, 0),
                        "the file is larger than 2 GB");
            p->file->bad++;
            continue;
        }
        parse_file(p, last);
    }
    struct {
        PslDecl **v;
        size_t n;
    } decls;
    PARSE_TAKE(p, decls, 0, &decls);
    schema->decls = decls.v;
    schema->ndecls = decls.n;
    return schema;
}

PslSchema *
psl_parse(Arena *a, const Source *files, size_t n, FindingList *diags)
{
    return parse(a, files, n, NULL, diags);
}

const PslDecl *
psl_parse_first(Arena *a, const Source *file, PslDeclKind kind)
{
    FindingList nobody;
    findings_init(&nobody, a, NULL);
    nobody.max = 1;
    return psl_decl(parse(a, file, 1, &kind, &nobody), kind, (Str){0});
}
