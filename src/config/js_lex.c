#include "js_lex.h"

typedef struct Lexer {
    Arena *a;
    Str s;
    size_t i;
    int line;
} Lexer;

static char
peek(const Lexer *x, size_t ahead)
{
    return x->i + ahead < x->s.n ? x->s.p[x->i + ahead] : '\0';
}

static void
step(Lexer *x)
{
    x->line += peek(x, 0) == '\n';
    x->i++;
}

static bool
is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '$' || (unsigned char)c >= 0x80;
}

/* White space and comments. */
static void
skip_space(Lexer *x)
{
    while (x->i < x->s.n) {
        char c = peek(x, 0);
        if (c == '/' && peek(x, 1) == '/') {
            while (x->i < x->s.n && peek(x, 0) != '\n')
                x->i++;
        } else if (c == '/' && peek(x, 1) == '*') {
            for (x->i += 2; x->i < x->s.n && !(peek(x, 0) == '*' && peek(x, 1) == '/'); step(x))
                ;
            x->i = x->i < x->s.n ? x->i + 2 : x->s.n;
        } else if (c == ' ' || (c >= '\t' && c <= '\r')) {
            step(x);
        } else {
            return;
        }
    }
}

static void
add_utf8(Buf *b, uint32_t c)
{
    if (c == 0)
        return; /* no value may hold a NUL */
    if (c < 0x80) {
        buf_addc(b, (char)c);
    } else if (c < 0x800) {
        buf_addc(b, (char)(0xc0 | c >> 6));
        buf_addc(b, (char)(0x80 | (c & 0x3f)));
    } else if (c < 0x10000) {
        buf_addc(b, (char)(0xe0 | c >> 12));
        buf_addc(b, (char)(0x80 | (c >> 6 & 0x3f)));
        buf_addc(b, (char)(0x80 | (c & 0x3f)));
    } else {
        buf_addc(b, (char)(0xf0 | (c >> 18 & 7)));
        buf_addc(b, (char)(0x80 | (c >> 12 & 0x3f)));
        buf_addc(b, (char)(0x80 | (c >> 6 & 0x3f)));
        buf_addc(b, (char)(0x80 | (c & 0x3f)));
    }
}

static uint32_t
hex(Lexer *x, size_t most)
{
    uint32_t v = 0;
    for (size_t n = 0; n < most; n++, x->i++) {
        char c = peek(x, 0);
        int d = c >= '0' && c <= '9'   ? c - '0'
                : c >= 'a' && c <= 'f' ? c - 'a' + 10
                : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                       : -1;
        if (d < 0)
            break;
        v = v * 16 + (uint32_t)d;
    }
    return v;
}

/* The escape whose backslash is next. */
static void
add_escape(Lexer *x, Buf *b)
{
    x->i++;
    char c = peek(x, 0);
    if (x->i >= x->s.n)
        return;
    step(x);
    if (c == '\r' && peek(x, 0) == '\n')
        step(x);
    else if (c == 'u' && peek(x, 0) == '{') {
        x->i++;
        add_utf8(b, hex(x, 6));
        x->i += peek(x, 0) == '}';
    } else if (c == 'u' || c == 'x')
        add_utf8(b, hex(x, c == 'u' ? 4 : 2));
    else if (c == 'n' || c == 'r' || c == 't')
        buf_addc(b, c == 'n' ? '\n' : c == 'r' ? '\r' : '\t');
    else if (c != '\n' && c != '\r' && c != '\0')
        buf_addc(b, c);
}

/* Move behind the string whose opening quote is next. */
static void
skip_string(Lexer *x)
{
    char quote = peek(x, 0);
    for (step(x); x->i < x->s.n && peek(x, 0) != quote; step(x))
        if (peek(x, 0) == '\\' && x->i + 1 < x->s.n)
            step(x);
    if (x->i < x->s.n)
        step(x);
}

/* The source inside the "${...}" whose "$" is next; moves behind it. Strings and comments in it do not
 * end it; a template there ends with its own quote, whatever it holds. */
static Str
placeholder(Lexer *x)
{
    size_t from = x->i + 2;
    int depth = 0;
    while (x->i < x->s.n) {
        char c = peek(x, 0);
        if (c == '"' || c == '\'' || c == '`') {
            skip_string(x);
            continue;
        }
        step(x);
        depth += c == '{' ? 1 : c == '}' ? -1 : 0;
        if (c == '}' && depth == 0)
            return str_slice(x->s, from, x->i - 1);
    }
    return str_slice(x->s, from < x->s.n ? from : x->s.n, x->s.n);
}

static void
add_piece(Lexer *x, JsToken *t, Buf *b)
{
    if (b->n)
        *vec_add(x->a, &t->pieces) = (JsPiece){.text = buf_str(b)};
    buf_init(b, x->a);
}

static JsToken
text_token(Lexer *x)
{
    JsToken t = {.kind = JS_TEXT, .line = x->line};
    char quote = peek(x, 0);
    Buf b;
    buf_init(&b, x->a);
    x->i++;
    while (x->i < x->s.n && peek(x, 0) != quote && (quote == '`' || peek(x, 0) != '\n')) {
        if (peek(x, 0) == '\\') {
            add_escape(x, &b);
        } else if (quote == '`' && peek(x, 0) == '$' && peek(x, 1) == '{') {
            t.kind = JS_TEMPLATE;
            add_piece(x, &t, &b);
            *vec_add(x->a, &t.pieces) = (JsPiece){placeholder(x), true};
        } else {
            if (peek(x, 0))
                buf_addc(&b, peek(x, 0));
            step(x);
        }
    }
    if (x->i < x->s.n && peek(x, 0) == quote)
        x->i++;
    if (t.kind == JS_TEMPLATE)
        add_piece(x, &t, &b);
    t.text = t.kind == JS_TEXT ? buf_str(&b) : (Str){"", 0};
    return t;
}

static JsToken
punct_token(Lexer *x)
{
    static const char *const longer[] = {"...", "=>", "?.", "??", "||", "&&"};
    size_t n = 1;
    Str rest = str_slice(x->s, x->i, x->s.n);
    for (size_t i = 0; i < COUNT(longer) && n == 1; i++)
        if (str_starts(rest, str_of(longer[i])))
            n = strlen(longer[i]);
    x->i += n;
    return (JsToken){.kind = JS_PUNCT, .text = str_slice(rest, 0, n), .line = x->line};
}

void
config_js_lex(Arena *a, Str text, JsTokenVec *ret)
{
    Lexer x = {a, text, 0, 1};
    for (skip_space(&x); x.i < text.n; skip_space(&x)) {
        char c = peek(&x, 0);
        if (c == '"' || c == '\'' || c == '`') {
            JsToken t = text_token(&x);
            *vec_add(a, ret) = t;
        } else if (is_word(c)) {
            size_t from = x.i;
            while (x.i < text.n && is_word(peek(&x, 0)))
                x.i++;
            JsKind kind = c >= '0' && c <= '9' ? JS_NUMBER : JS_WORD;
            *vec_add(a, ret) =
                (JsToken){.kind = kind, .text = str_slice(text, from, x.i), .line = x.line};
        } else {
            JsToken t = punct_token(&x);
            *vec_add(a, ret) = t;
        }
    }
    *vec_add(a, ret) = (JsToken){.kind = JS_END, .text = {"", 0}, .line = x.line};
}
