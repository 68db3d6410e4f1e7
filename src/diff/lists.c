/* Default values of list columns: '{a,b}'::text[] and ARRAY['a'::text, 'b'::text] are the same. */
#include "diff/diff_int.h"

/* The SQL string at p, quotes doubled inside; *p is behind it. */
static const char *
read_string(Arena *a, const char **p)
{
    Buf b;
    buf_init(&b, a);
    buf_addz(&b, "");
    const char *s = *p + 1;
    for (; *s; s++) {
        if (*s == '\'' && *++s != '\'')
            break;
        buf_addc(&b, *s);
    }
    *p = s;
    return b.p ? b.p : "";
}

/* {a,"b c",NULL}: PostgreSQL's documentation, 8.15.6 Array Input and Output Syntax. */
static bool
read_braces(Arena *a, const char *s, CatTexts *ret)
{
    if (*s++ != '{')
        return false;
    if (strcmp(s, "}") == 0)
        return true;
    for (;;) {
        Buf b;
        buf_init(&b, a);
        bool quoted = *s == '"';
        s += quoted;
        for (; *s && (quoted ? *s != '"' : *s != ',' && *s != '}'); s++) {
            if (*s == '{' && !quoted)
                return false; /* of several dimensions */
            s += *s == '\\' && s[1];
            buf_addc(&b, *s);
        }
        s += quoted && *s == '"';
        if (!quoted && (!b.n || str_ieq(buf_str(&b), STR("NULL"))))
            return false;
        *vec_add(a, ret) = b.n ? b.p : "";
        if (*s == '}')
            return !s[1];
        if (*s++ != ',')
            return false;
    }
}

/* ARRAY['a'::text, 1] without what follows the bracket. */
static bool
read_constructor(Arena *a, const char *s, CatTexts *ret)
{
    for (s += strlen("ARRAY["); *s && *s != ']';) {
        const char *text;
        if (*s == '\'')
            text = read_string(a, &s);
        else {
            size_t n = strcspn(s, ",]:'([");
            text = str_dup(a, (Str){s, n});
            s += n;
        }
        *vec_add(a, ret) = text;
        if (strncmp(s, "::", 2) == 0)
            s += strcspn(s, ",](");
        if (*s == ',')
            s += 1 + (s[1] == ' ');
        else if (*s != ']')
            return false;
    }
    return *s == ']';
}

static bool
read_list(Arena *a, const char *expr, CatTexts *ret)
{
    if (strncmp(expr, "ARRAY[", 6) == 0)
        return read_constructor(a, expr, ret);
    if (*expr != '\'')
        return false;
    const char *text = read_string(a, &expr);
    return strncmp(expr, "::", 2) == 0 && !strpbrk(expr, "'(") && read_braces(a, text, ret);
}

bool
same_list(Arena *a, const char *x, const char *y)
{
    CatTexts p = {0}, q = {0};
    if (!x || !y || !read_list(a, x, &p) || !read_list(a, y, &q) || p.n != q.n)
        return false;
    for (size_t i = 0; i < p.n; i++)
        if (strcmp(p.v[i], q.v[i]) != 0)
            return false;
    return true;
}
