/* Only the datasource block, only its values: the parser of the whole language is in psl/. */
#include "config_int.h"

typedef struct Scan {
    Arena *a;
    Str s;
    size_t i;
    int line;
} Scan;

static char
peek(const Scan *x, size_t ahead)
{
    return x->i + ahead < x->s.n ? x->s.p[x->i + ahead] : '\0';
}

static void
step(Scan *x)
{
    x->line += x->s.p[x->i] == '\n';
    x->i++;
}

static bool
is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

static void
skip_line(Scan *x)
{
    while (x->i < x->s.n && x->s.p[x->i] != '\n')
        x->i++;
}

/* White space, commas and comments. */
static void
skip_space(Scan *x)
{
    for (; x->i < x->s.n; step(x)) {
        char c = peek(x, 0);
        if (c == '/' && peek(x, 1) == '/')
            skip_line(x);
        else if (c != ',' && c != ' ' && (c < '\t' || c > '\r'))
            return;
        if (x->i == x->s.n)
            return;
    }
}

static Str
word(Scan *x)
{
    size_t from = x->i;
    while (is_word(peek(x, 0)))
        x->i++;
    return str_slice(x->s, from, x->i);
}

/* The text whose opening quote is next; ends at its closing quote or the line's end. */
static const char *
quoted(Scan *x)
{
    Buf b;
    buf_init(&b, x->a);
    for (x->i++; x->i < x->s.n && peek(x, 0) != '"' && peek(x, 0) != '\n'; x->i++) {
        char c = peek(x, 0), after = peek(x, 1);
        if (c == '\\' && (after == '"' || after == '\\' || after == '/'))
            x->i++, c = after;
        if (c)
            buf_addc(&b, c);
    }
    if (peek(x, 0) == '"')
        x->i++;
    return b.p;
}

/* One value: "text", env("NAME") or ["a", "b"]; anything else leaves the value empty. */
static void
read_value(Scan *x, FileValue *v)
{
    if (peek(x, 0) == '"') {
        *vec_add(x->a, &v->alts) = (FileAlt){.text = quoted(x)};
        return;
    }
    if (peek(x, 0) == '[') {
        x->i++;
        for (skip_space(x); peek(x, 0) == '"'; skip_space(x))
            *vec_add(x->a, &v->list) = quoted(x);
        if (peek(x, 0) == ']')
            x->i++;
        return;
    }
    bool is_env = str_is(word(x), "env");
    skip_space(x);
    if (is_env && peek(x, 0) == '(') {
        x->i++;
        skip_space(x);
        if (peek(x, 0) == '"')
            *vec_add(x->a, &v->alts) = (FileAlt){.is_env = true, .text = quoted(x)};
    }
}

static void
read_block(Scan *x, PrismaDatasource *ret)
{
    for (skip_space(x); x->i < x->s.n && peek(x, 0) != '}'; skip_space(x)) {
        FileValue v = {.line = x->line};
        Str key = word(x);
        skip_space(x);
        if (!key.n || peek(x, 0) != '=') {
            if (!key.n)
                step(x);
            continue;
        }
        x->i++;
        skip_space(x);
        v.key = str_dup(x->a, key);
        read_value(x, &v);
        *vec_add(x->a, &ret->values) = v;
    }
}

bool
config_schema_parse(Arena *a, Str text, PrismaDatasource *ret)
{
    Scan x = {a, text, 0, 1};
    int depth = 0;
    for (skip_space(&x); x.i < text.n; skip_space(&x)) {
        char c = peek(&x, 0);
        if (c == '"') {
            quoted(&x);
        } else if (is_word(c)) {
            bool ours = str_is(word(&x), "datasource") && depth == 0;
            if (!ours)
                continue;
            skip_space(&x);
            bool has_name = word(&x).n > 0;
            skip_space(&x);
            if (!has_name || peek(&x, 0) != '{')
                continue;
            x.i++;
            read_block(&x, ret);
            return true;
        } else {
            depth += c == '{' ? 1 : c == '}' && depth > 0 ? -1 : 0;
            step(&x);
        }
    }
    return false;
}
