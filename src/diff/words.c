/* Equal as far as Prisma's language goes: what a server prints in several ways for what the
 * language says in one, and what it has no words for (Prisma's engine: sql_schema_differ, and the
 * describer for PostgreSQL; https://www.prisma.io/docs/orm/overview/databases/postgresql). */
#include "diff/diff_int.h"

#include <ctype.h>

/* ---- constants ----------------------------------------------------------------------------- */

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

/* The name of a type, with what PostgreSQL writes behind it. */
static const char *
skip_type(const char *s)
{
    for (bool quoted = false; *s; s++) {
        if (*s == '"')
            quoted = !quoted;
        else if (quoted)
            continue;
        else if (*s == '(')
            s += strcspn(s, ")") - (strchr(s, ')') ? 0 : 1);
        else if (*s == '[' && s[1] == ']')
            s++;
        else if (!isalnum((unsigned char)*s) && !strchr("_. ", *s) && (unsigned char)*s < 0x80)
            break;
    }
    return s;
}

typedef struct Constant {
    const char *text; /* of a string without its quotes */
    bool is_string;
} Constant;

/* A string or a word, in casts and parentheses: ('-2'::integer)::bigint. *p is behind it. */
static bool
read_constant(Arena *a, const char **p, int depth, Constant *ret)
{
    const char *s = *p;
    if (*s == '(') {
        s++;
        if (depth > 32 || !read_constant(a, &s, depth + 1, ret) || *s++ != ')')
            return false;
    } else if (*s == '\'' || (*s == 'E' && s[1] == '\'')) {
        s += *s == 'E';
        *ret = (Constant){.text = read_string(a, &s), .is_string = true};
    } else {
        size_t n = strcspn(s, ",]:'([) ");
        *ret = (Constant){.text = str_dup(a, (Str){s, n})};
        s += n;
        if (!n)
            return false;
    }
    while (strncmp(s, "::", 2) == 0)
        s = skip_type(s + 2);
    *p = s;
    return true;
}

/* ARRAY['a'::text, 1] without what follows the bracket. */
static bool
read_constructor(Arena *a, const char *s, CatTexts *ret)
{
    for (s += strlen("ARRAY["); *s && *s != ']';) {
        Constant element;
        if (!read_constant(a, &s, 0, &element))
            return false;
        *vec_add(a, ret) = element.text;
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
    if (strncmp(expr, "::", 2) != 0 || strpbrk(expr, "'(") || !read_braces(a, text, ret))
        return false;
    vec_each (const char *, e, ret)
        if (strcmp(expr, "::boolean[]") == 0)
            *e = **e == 't' ? "true" : "false";
    return true;
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

const char *
json_squeezed(Arena *a, const char *s)
{
    Buf b;
    buf_init(&b, a);
    bool in_string = false;
    for (; *s; s++) {
        if (*s == '"')
            in_string = !in_string;
        if (in_string && *s == '\\' && s[1])
            buf_addc(&b, *s++);
        if (in_string || !isspace((unsigned char)*s))
            buf_addc(&b, *s);
    }
    return b.p;
}

Str
number_trimmed(const char *s)
{
    Str n = str_of(s);
    if (!strchr(s, '.'))
        return n;
    while (n.n && n.p[n.n - 1] == '0')
        n.n--;
    if (n.n && n.p[n.n - 1] == '.')
        n.n--;
    return n;
}

static bool
is_number(const char *s)
{
    s += *s == '-';
    return isdigit((unsigned char)*s) && !s[strspn(s, "0123456789.")];
}

/* The constant that a default is; false: it is something else. */
static bool
constant_of(Arena *a, const char *expr, Constant *ret)
{
    return read_constant(a, &expr, 0, ret) && !*expr &&
           (ret->is_string || is_number(ret->text) || strcmp(ret->text, "true") == 0 ||
            strcmp(ret->text, "false") == 0 || strcmp(ret->text, "NULL") == 0);
}

/* ---- types --------------------------------------------------------------------------------- */

CatType
words_type(Arena *a, const Catalog *c, CatType t)
{
    for (int depth = 0; t.schema && depth < 16; depth++) {
        const CatDomain *d = catalog_find(c, (CatRef){CAT_DOMAIN, t.schema, t.name, NULL});
        if (!d)
            break;
        bool is_array = t.is_array;
        t = d->type;
        t.is_array = t.is_array || is_array;
    }
    if (t.schema || t.args)
        return t;
    static const char *const usual[][2] = {
        {"timestamp", "timestamp(6)"}, {"timestamptz", "timestamp(6) with time zone"},
        {"time", "time(6)"},           {"timetz", "time(6) with time zone"},
        {"char", "character(1)"},      {"bpchar", "character(1)"},
    };
    for (size_t i = 0; i < COUNT(usual); i++)
        if (strcmp(t.name, usual[i][0]) == 0) {
            bool is_array = t.is_array;
            t = catalog_type(a, str_of(usual[i][1]));
            t.is_array = is_array;
        }
    return t;
}

/* Prisma's scalar type. */
static const char *
scalar_of(const CatType *t)
{
    static const char *const scalars[][2] = {
        {"int2", "Int"},           {"int4", "Int"},        {"oid", "Int"},
        {"float4", "Float"},       {"float8", "Float"},    {"numeric", "Decimal"},
        {"money", "Decimal"},      {"json", "Json"},       {"jsonb", "Json"},
        {"timestamp", "DateTime"}, {"date", "DateTime"},   {"timestamptz", "DateTime"},
        {"time", "DateTime"},      {"timetz", "DateTime"}, {"text", "String"},
        {"varchar", "String"},     {"bpchar", "String"},   {"uuid", "String"},
        {"citext", "String"},      {"inet", "String"},     {"xml", "String"},
        {"bit", "String"},         {"varbit", "String"},
    };
    for (size_t i = 0; i < COUNT(scalars); i++)
        if (strcmp(t->name, scalars[i][0]) == 0)
            return scalars[i][1];
    return t->name;
}

/* ---- defaults ------------------------------------------------------------------------------ */

static bool
is_type_of(const CatColumn *x, const CatColumn *y, const char *scalar)
{
    return strcmp(scalar_of(&x->type), scalar) == 0 && strcmp(scalar_of(&y->type), scalar) == 0;
}

static bool
is_now(const char *expr)
{
    return expr && (strcmp(expr, "now()") == 0 || strcmp(expr, "CURRENT_TIMESTAMP") == 0);
}

bool
words_draws(const CatColumn *c)
{
    return c->identity != CAT_NO_IDENTITY ||
           (c->default_expr && strncmp(c->default_expr, "nextval(", 8) == 0);
}

bool
words_default_same(const Differ *d, const CatColumn *x, const CatColumn *y)
{
    const char *p = x->default_expr, *q = y->default_expr;
    Constant from = {.text = "NULL"}, to = {.text = "NULL"};
    if (refs_have(d->diff->from.any_default, &x->id) || (words_draws(x) && words_draws(y)) ||
        (is_now(p) && is_now(q)) || same_list(d->arena, p, q))
        return true;
    if ((p && !constant_of(d->arena, p, &from)) || (q && !constant_of(d->arena, q, &to)))
        return false;
    bool is_null = !from.is_string && strcmp(from.text, "NULL") == 0;
    if (is_null || (!to.is_string && strcmp(to.text, "NULL") == 0))
        return from.is_string == to.is_string && strcmp(from.text, to.text) == 0;
    if (is_number(from.text) && is_number(to.text) && !is_type_of(x, y, "String"))
        return str_eq(number_trimmed(from.text), number_trimmed(to.text));
    if (is_type_of(x, y, "Json"))
        return strcmp(json_squeezed(d->arena, from.text), json_squeezed(d->arena, to.text)) == 0;
    return strcmp(from.text, to.text) == 0;
}

/* ---- tables, indexes, keys ----------------------------------------------------------------- */

bool
words_know_table(const CatRelation *r)
{
    return r->columns.n && !r->partition_of.name;
}

const char *
words_method(const char *method)
{
    static const char *const known[] = {"hash", "gist", "gin", "spgist", "brin"};
    for (size_t i = 0; method && i < COUNT(known); i++)
        if (strcmp(method, known[i]) == 0)
            return method;
    return NULL;
}

bool
words_know_relation(const Differ *d, const CatConstraint *fk)
{
    if (!catalog_relation(d->from, fk->ref_table.schema, fk->ref_table.name))
        return false;
    const CatRelation *x = catalog_relation(d->to, fk->id.schema, fk->id.name);
    const CatRelation *y = catalog_relation(d->to, fk->ref_table.schema, fk->ref_table.name);
    bool said = false;
    if (x && fk->is_without_overlaps)
        cat_each (CatConstraint, k, &x->constraints)
            said =
                said || (k->type == CAT_FOREIGN_KEY && cat_same_texts(&k->columns, &fk->columns));
    if (fk->is_without_overlaps && !said)
        return false;
    for (size_t i = 0; x && y && i < fk->columns.n; i++) {
        const CatColumn *p = catalog_column(x, fk->columns.v[i]);
        const CatColumn *q = catalog_column(y, fk->ref_columns.v[i]);
        if (p && q && strcmp(scalar_of(&p->type), scalar_of(&q->type)) != 0)
            return false;
    }
    return true;
}

bool
words_is_pair(const CatIndex *i)
{
    return i->is_unique && !i->predicate && i->keys.n == 2 &&
           cat_same_text(i->keys.v[0].column, "A") && cat_same_text(i->keys.v[1].column, "B");
}

/* Whether no two rows are the same, by a primary key or, before Prisma 6, an index. */
static bool
has_pair(const CatRelation *r)
{
    cat_each (CatConstraint, k, &r->constraints)
        if ((k->type == CAT_PRIMARY_KEY || k->type == CAT_UNIQUE) && k->columns.n == 2)
            return true;
    cat_each (CatIndex, i, &r->indexes)
        if (words_is_pair(i))
            return true;
    return false;
}

bool
words_is_join(const CatRelation *x, const CatRelation *y)
{
    return *x->id.name == '_' && x->columns.n == 2 && catalog_column(x, "A") &&
           catalog_column(x, "B") && y->columns.n == 2 && catalog_column(y, "A") &&
           catalog_column(y, "B") && has_pair(x) && has_pair(y);
}
