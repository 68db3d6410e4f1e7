/* What stands on a line: names, types, attributes, expressions, the comment at its end.
 *
 * The rule above a function is in the notation of parsing expression grammars; white space may
 * stand between any two of its parts, line ends may not. */
#include "psl/parse.h"

Finding *
parse_error(Parser *p, FindingId id, PslSpan at, const char *fmt, ...)
{
    enum { DESCRIBED = 1000 };
    p->schema->errors++;
    if (++p->file->errors > DESCRIBED) {
        p->diags->counts[SEV_ERROR]++;
        return &p->unseen;
    }
    va_list ap;
    va_start(ap, fmt);
    const char *message = str_vfmt(p->diags->arena, fmt, ap);
    va_end(ap);
    return psl_diag(p->diags, SEV_ERROR, id, p->file, at, "%s", message);
}

bool
parse_fail(Parser *p, const char *expected)
{
    if (p->at >= p->fail_at) {
        p->fail_at = p->at;
        p->expected = expected;
    }
    return false;
}

bool
parse_skip(Parser *p, char c)
{
    if (p->at >= p->t.n || p->t.p[p->at] != c)
        return false;
    p->at++;
    return true;
}

bool
parse_name(Parser *p, const char *expected, Str *ret)
{
    size_t end = lex_name(p->t, p->at);
    if (end == p->at)
        return parse_fail(p, expected);
    *ret = str_slice(p->t, p->at, end);
    p->at = end;
    return true;
}

/* string ; its value, decoded */
static bool
string(Parser *p, Str *ret)
{
    size_t start = p->at, bad = 0, bad_len;
    size_t end = lex_string(p->t, start, &bad);
    if (end == start) {
        if (parse_peek(p) != '"')
            return parse_fail(p, "a string");
        p->at = bad;
        return parse_fail(p, "the closing quote of the string");
    }
    *ret = lex_unescape(p->a, str_slice(p->t, start + 1, end - 1), &bad, &bad_len);
    p->at = end;
    if (bad_len) {
        size_t from = start + 1 + bad;
        Finding *d = parse_error(p, FINDING_SYNTAX_ESCAPE, parse_span(from, from + bad_len),
                                 "a string holds an escape that JSON strings do not have");
        d->fix = "write a backslash as \\\\";
    }
    return true;
}

/* What a list of arguments, elements or members looks like. */
typedef struct ListForm {
    char close;
    bool names;          /* an element may have a name */
    bool needs_names;    /* and must */
    bool trailing_comma; /* is read, for the validator to refuse */
    const char *expected_element, *expected_next;
} ListForm;

static const ListForm arguments = {
    ')', true, false, true, "an argument or `)`", "`,` or `)`",
};
static const ListForm elements = {
    ']', false, false, false, "a value or `]`", "`,` or `]`",
};
static const ListForm members = {
    '}', true, true, false, "a name or `}`", "`,` or `}`",
};

/* argument <- name ":" expression / name ":" / expression */
static bool
element(Parser *p, const ListForm *form)
{
    PslArg arg = {0};
    size_t start = p->at;
    size_t name_end = form->names ? lex_name(p->t, start) : start;
    size_t colon = lex_space(p->t, name_end);
    if (name_end > start && colon < p->t.n && p->t.p[colon] == ':') {
        arg.name = str_slice(p->t, start, name_end);
        p->at = colon + 1;
        parse_space(p);
        char next = parse_peek(p);
        bool is_empty = form == &arguments && (next == ',' || next == ')');
        if (is_empty)
            arg.value.span = parse_span(colon + 1, colon + 1);
        else if (!parse_expr(p, &arg.value))
            return false;
        arg.span = parse_span(start, is_empty ? colon + 1 : p->at);
    } else if (form->needs_names) {
        p->at = name_end == start ? start : colon;
        return parse_fail(p, name_end == start ? form->expected_element : "`:`");
    } else {
        if (!parse_expr(p, &arg.value))
            return p->fail_at == start ? parse_fail(p, form->expected_element) : false;
        arg.span = arg.value.span;
    }
    *vec_add(p->scratch, &p->args) = arg;
    return true;
}

/* list <- open (element ("," element)*)? ","? close */
static bool
list(Parser *p, const ListForm *form, PslArgs *ret, uint32_t *ret_comma)
{
    size_t height = p->args.n;
    p->at++;
    if (++p->depth > PSL_MAX_DEPTH) {
        p->depth--;
        return parse_fail(p, "fewer than 64 levels of brackets");
    }
    bool ok = true;
    for (;;) {
        parse_space(p);
        size_t comma = p->at;
        bool has_comma = p->args.n > height || form->trailing_comma ? parse_skip(p, ',') : false;
        if (has_comma)
            parse_space(p);
        if (parse_peek(p) == form->close && (!has_comma || form->trailing_comma)) {
            *ret_comma = has_comma ? (uint32_t)comma : 0;
            p->at++;
            break;
        }
        if (p->args.n > height && !has_comma)
            ok = parse_fail(p, form->expected_next);
        else if (p->args.n == height && has_comma)
            ok = parse_fail(p, "`)`");
        else if (has_comma && parse_peek(p) == form->close)
            ok = parse_fail(p, "another element behind the comma");
        ok = ok && element(p, form);
        if (!ok)
            break;
    }
    p->depth--;
    if (ok)
        PARSE_TAKE(p, args, height, ret);
    else
        p->args.n = height;
    return ok;
}

/* expression <- path list / array / number / string / object / path */
bool
parse_expr(Parser *p, PslExpr *ret)
{
    size_t start = p->at;
    char c = parse_peek(p);
    size_t path_end = lex_path(p->t, start);
    size_t number_end = lex_number(p->t, start);
    bool ok = true;
    if (path_end > start) {
        p->at = lex_space(p->t, path_end);
        ret->text = str_slice(p->t, start, path_end);
        if (parse_peek(p) == '(') {
            ret->kind = PSL_FUNCTION;
            ok = list(p, &arguments, &ret->args, &ret->trailing_comma);
        } else if (number_end > start) {
            ret->kind = PSL_NUMBER;
            ret->text = str_slice(p->t, start, number_end);
            p->at = number_end;
        } else {
            ret->kind = PSL_CONSTANT;
            p->at = path_end;
        }
    } else if (number_end > start) {
        ret->kind = PSL_NUMBER;
        ret->text = str_slice(p->t, start, number_end);
        p->at = number_end;
    } else if (c == '"') {
        ret->kind = PSL_STRING;
        ok = string(p, &ret->text);
    } else if (c == '[' || c == '{') {
        ret->kind = c == '[' ? PSL_ARRAY : PSL_OBJECT;
        ok = list(p, c == '[' ? &elements : &members, &ret->args, &ret->trailing_comma);
    } else {
        ok = parse_fail(p, "a value");
    }
    ret->span = parse_span(start, p->at);
    return ok;
}

/* attr <- path list? */
bool
parse_attr(Parser *p, size_t start, PslAttr *ret)
{
    parse_space(p);
    size_t name = p->at, end = lex_path(p->t, name);
    if (end == name)
        return parse_fail(p, "the name of an attribute");
    *ret = (PslAttr){.name = str_slice(p->t, name, end), .span = parse_span(start, end)};
    p->at = lex_space(p->t, end);
    size_t open = p->at;
    if (parse_peek(p) != '(') {
        p->at = end;
        return true;
    }
    if (!list(p, &arguments, &ret->args, &ret->trailing_comma))
        return false;
    ret->parens = parse_span(open, p->at);
    ret->span = parse_span(start, p->at);
    return true;
}

/* attrs <- ("@" attr)* */
bool
parse_attrs(Parser *p)
{
    for (;;) {
        size_t start = lex_space(p->t, p->at);
        if (start >= p->t.n || p->t.p[start] != '@')
            return true;
        p->at = start + 1;
        PslAttr attr;
        if (!parse_attr(p, start, &attr))
            return false;
        *vec_add(p->scratch, &p->attrs) = attr;
    }
}

/* base <- "Unsupported(" string ")" / name */
static bool
base_type(Parser *p, PslType *ret)
{
    size_t start = p->at;
    if (str_starts(str_slice(p->t, start, p->t.n), STR("Unsupported("))) {
        p->at += strlen("Unsupported(");
        parse_space(p);
        if (!string(p, &ret->name))
            return false;
        parse_space(p);
        if (!parse_skip(p, ')'))
            return parse_fail(p, "`)`");
        ret->is_unsupported = true;
        return true;
    }
    return parse_name(p, "a type", &ret->name);
}

/* type <- base "[]" "?" / base "[]" / base "?" / base "!" / "[" base "]" / base */
bool
parse_type(Parser *p, PslType *ret)
{
    size_t start = p->at;
    char c = parse_peek(p);
    *ret = (PslType){.name = {NULL, 0}};
    if (parse_at_line_end(p) || c == '@' || c == '/')
        return true;
    if (parse_skip(p, '[')) {
        ret->arity = PSL_LIST;
        parse_space(p);
        if (!base_type(p, ret))
            return false;
        parse_space(p);
        if (!parse_skip(p, ']'))
            return parse_fail(p, "`]`");
        ret->span = parse_span(start, p->at);
        return true;
    }
    if (!base_type(p, ret))
        return false;
    size_t end = p->at;
    parse_space(p);
    if (str_starts(str_slice(p->t, p->at, p->t.n), STR("[]"))) {
        ret->arity = PSL_LIST;
        end = p->at += 2;
        parse_space(p);
        if (parse_skip(p, '?')) {
            ret->arity = PSL_OPTIONAL_LIST;
            end = p->at;
        }
    } else if (parse_skip(p, '?')) {
        ret->arity = PSL_OPTIONAL;
        end = p->at;
    } else if (parse_skip(p, '!')) {
        end = p->at;
    }
    p->at = end;
    ret->span = parse_span(start, end);
    return true;
}

void
parse_check_type(Parser *p, const PslType *type)
{
    Str as_written = psl_text(p->file, type->span);
    if (type->arity == PSL_OPTIONAL_LIST) {
        Finding *d =
            parse_error(p, FINDING_SYNTAX_OPTIONAL_LIST, type->span, "a list cannot be optional");
        d->fix = "a list may be empty: leave the ? away";
    } else if (as_written.p[0] == '[') {
        Finding *d = parse_error(p, FINDING_SYNTAX_LEGACY_LIST, type->span,
                                 "lists are written with the brackets behind the type");
        d->fix = "`aramid format` rewrites it";
    } else if (as_written.p[as_written.n - 1] == '!') {
        Finding *d = parse_error(p, FINDING_SYNTAX_LEGACY_REQUIRED, type->span,
                                 "`!` is not needed: fields without `?` are required");
        d->fix = "`aramid format` rewrites it";
    }
}

size_t
parse_block_comment(Parser *p)
{
    size_t at = p->at;
    if (p->t.n - at < 2 || p->t.p[at] != '/' || p->t.p[at + 1] != '*')
        return at;
    /* One search serves all comments that begin before its result: no text is walked twice. */
    if (p->comment_from > at + 2 || p->comment_end < at + 4) {
        const char *end = memmem(p->t.p + at + 2, p->t.n - at - 2, "*/", 2);
        p->comment_from = at + 2;
        p->comment_end = end ? (size_t)(end - p->t.p) + 2 : SIZE_MAX;
    }
    return p->comment_end == SIZE_MAX ? at : p->comment_end;
}

/* rest <- ("//" anything / block-comment)? line-end */
bool
parse_line_rest(Parser *p, const char *expected, PslSpan *ret)
{
    parse_space(p);
    size_t start = p->at;
    *ret = (PslSpan){0, 0};
    if (str_starts(str_slice(p->t, start, p->t.n), STR("//")))
        p->at = lex_line(p->t, start);
    else
        p->at = parse_block_comment(p);
    if (p->at > start) {
        *ret = parse_span(start, p->at);
        parse_space(p);
    }
    if (!parse_at_line_end(p))
        return parse_fail(p, ret->len ? "the end of the line" : expected);
    p->at = lex_newline(p->t, p->at);
    return true;
}
