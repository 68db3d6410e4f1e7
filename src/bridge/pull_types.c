/* Columns as fields: types, and default expressions that the language has words for. */
#include "bridge/pull_int.h"

#include <ctype.h>
#include <stdlib.h>

/* ---- texts --------------------------------------------------------------------------------- */

void
pull_add_string(Buf *b, Str text)
{
    buf_addc(b, '"');
    for (size_t i = 0; i < text.n; i++) {
        unsigned char ch = (unsigned char)text.p[i];
        if (ch == '"' || ch == '\\')
            buf_fmt(b, "\\%c", ch);
        else if (ch == '\n')
            buf_addz(b, "\\n");
        else if (ch == '\r')
            buf_addz(b, "\\r");
        else if (ch == '\t')
            buf_addz(b, "\\t");
        else if (ch < 0x20)
            buf_fmt(b, "\\u%04x", ch);
        else
            buf_addc(b, (char)ch);
    }
    buf_addc(b, '"');
}

/* The end of the literal that begins at `p`. */
static const char *
literal_end(const char *p)
{
    for (p++; *p && !(*p == '\'' && p[1] != '\''); p++)
        if (*p == '\'')
            p++;
    return *p ? p + 1 : p;
}

/* An expression with names of the default schema as a session prints them that has the schema in
 * its search_path. */
static Str
without_schema(PullCtx *c, const char *expr)
{
    Buf b;
    buf_init(&b, c->a);
    size_t n = strlen(c->schema);
    for (const char *p = expr; *p;) {
        bool begins = p == expr || (!pull_is_word(p[-1]) && p[-1] != '"' && p[-1] != '.');
        if (*p == '\'') {
            const char *end = literal_end(p);
            buf_addc(&b, *p++);
            if (strncmp(end, "::regclass", 10) == 0 && strncmp(p, c->schema, n) == 0 && p[n] == '.')
                p += n + 1;
            buf_add(&b, (Str){p, (size_t)(end - p)});
            p = end;
        } else if (begins && strncmp(p, c->schema, n) == 0 && p[n] == '.') {
            p += n + 1;
        } else {
            buf_addc(&b, *p++);
        }
    }
    return buf_finish(&b);
}

/* ---- types --------------------------------------------------------------------------------- */

typedef struct Known {
    const char *name; /* in pg_type */
    PslScalar scalar;
    PslNative native;
    const char *usual; /* arguments of the type that needs no @db; NULL: none do */
} Known;

/* https://www.prisma.io/docs/orm/overview/databases/postgresql#type-mapping-between-postgresql-and-prisma-schema
 */
static const Known known[] = {
    {"int4", PSL_INT, PSL_NATIVE_NONE, NULL},
    {"text", PSL_TEXT, PSL_NATIVE_NONE, NULL},
    {"bool", PSL_BOOLEAN, PSL_NATIVE_NONE, NULL},
    {"int8", PSL_BIGINT, PSL_NATIVE_NONE, NULL},
    {"float8", PSL_FLOAT, PSL_NATIVE_NONE, NULL},
    {"jsonb", PSL_JSON, PSL_NATIVE_NONE, NULL},
    {"bytea", PSL_BYTES, PSL_NATIVE_NONE, NULL},
    {"timestamp", PSL_DATETIME, PSL_NATIVE_TIMESTAMP, "3"},
    {"numeric", PSL_DECIMAL, PSL_NATIVE_DECIMAL, "65,30"},
    {"timestamptz", PSL_DATETIME, PSL_NATIVE_TIMESTAMPTZ, NULL},
    {"varchar", PSL_TEXT, PSL_NATIVE_VARCHAR, NULL},
    {"bpchar", PSL_TEXT, PSL_NATIVE_CHAR, NULL},
    {"char", PSL_TEXT, PSL_NATIVE_CHAR, NULL},
    {"uuid", PSL_TEXT, PSL_NATIVE_UUID, NULL},
    {"date", PSL_DATETIME, PSL_NATIVE_DATE, NULL},
    {"time", PSL_DATETIME, PSL_NATIVE_TIME, NULL},
    {"timetz", PSL_DATETIME, PSL_NATIVE_TIMETZ, NULL},
    {"int2", PSL_INT, PSL_NATIVE_SMALLINT, NULL},
    {"oid", PSL_INT, PSL_NATIVE_OID, NULL},
    {"float4", PSL_FLOAT, PSL_NATIVE_REAL, NULL},
    {"money", PSL_DECIMAL, PSL_NATIVE_MONEY, NULL},
    {"json", PSL_JSON, PSL_NATIVE_JSON, NULL},
    {"citext", PSL_TEXT, PSL_NATIVE_CITEXT, NULL},
    {"inet", PSL_TEXT, PSL_NATIVE_INET, NULL},
    {"xml", PSL_TEXT, PSL_NATIVE_XML, NULL},
    {"bit", PSL_TEXT, PSL_NATIVE_BIT, NULL},
    {"varbit", PSL_TEXT, PSL_NATIVE_VARBIT, NULL},
};

/* numeric(5,-2), numeric(3,6) */
static bool
is_odd_scale(const char *args)
{
    if (!args)
        return false;
    const char *comma = strchr(args, ',');
    long long precision = 0, scale = 0;
    return strchr(args, '-') ||
           (comma && str_to_int((Str){args, (size_t)(comma - args)}, 0, 1000, &precision) &&
            str_to_int(str_of(comma + 1), 0, 1000, &scale) && scale > precision);
}

static const Known *
known_type(const CatType *t)
{
    for (size_t i = 0; i < COUNT(known); i++)
        if (strcmp(known[i].name, t->name) == 0 &&
            (!t->schema || known[i].native == PSL_NATIVE_CITEXT) && !is_odd_scale(t->args))
            return &known[i];
    return NULL;
}

/* What stands behind domains, with its own brackets. */
static CatType
base_type(const Catalog *catalog, CatType t)
{
    for (int depth = 0; t.schema && depth < 16; depth++) {
        const CatDomain *d = catalog_find(catalog, (CatRef){CAT_DOMAIN, t.schema, t.name, NULL});
        if (!d)
            break;
        bool is_array = t.is_array || d->type.is_array;
        t = d->type;
        t.is_array = is_array;
    }
    return t;
}

static const char *
native_text(PullCtx *c, const Known *k, const CatType *t)
{
    bool is_time = k->native == PSL_NATIVE_TIMESTAMP || k->native == PSL_NATIVE_TIMESTAMPTZ ||
                   k->native == PSL_NATIVE_TIME || k->native == PSL_NATIVE_TIMETZ;
    const char *args = t->args;
    if (k->native == PSL_NATIVE_NONE || (k->usual && args && strcmp(k->usual, args) == 0))
        return NULL;
    if (is_time && !args && !t->is_array)
        args = "6";
    Buf b;
    buf_init(&b, c->a);
    buf_fmt(&b, "@db.%s", psl_native_info(k->native)->name);
    if (args && k->native != PSL_NATIVE_CITEXT) {
        buf_addc(&b, '(');
        for (const char *p = args; *p; p++)
            buf_addz(&b, *p == ',' ? ", " : (char[]){*p, 0});
        if (k->native == PSL_NATIVE_DECIMAL && !strchr(args, ','))
            buf_addz(&b, ", 0");
        buf_addc(&b, ')');
    }
    return b.p;
}

/* A type that has no word, as SQL writes it in the default schema. */
static const char *
unsupported_text(PullCtx *c, const CatType *t)
{
    Buf sql;
    buf_init(&sql, c->a);
    if (!t->schema) {
        Str text = str_of(t->text);
        if (t->is_array && str_ends(text, STR("[]")))
            text.n -= 2;
        buf_add(&sql, text);
    } else {
        const char *const names[] = {strcmp(t->schema, c->schema) == 0 ? NULL : t->schema, t->name};
        for (size_t i = 0; i < 2; i++) {
            if (!names[i])
                continue;
            bool plain = islower((unsigned char)*names[i]) || *names[i] == '_';
            for (const char *p = names[i]; *p && plain; p++)
                plain = islower((unsigned char)*p) || isdigit((unsigned char)*p) || *p == '_';
            if (sql.n)
                buf_addc(&sql, '.');
            if (!plain)
                buf_addc(&sql, '"');
            for (const char *p = names[i]; *p; p++)
                buf_addz(&sql, *p == '"' ? "\"\"" : (char[]){*p, 0});
            if (!plain)
                buf_addc(&sql, '"');
        }
        if (t->args)
            buf_fmt(&sql, "(%s)", t->args);
    }
    return sql.p;
}

static const char *
type_word(PullCtx *c, const PullField *f, const PullEnum *enum_, const Known *k)
{
    if (!f->unsupported)
        return enum_ ? enum_->name : psl_scalar_name(k->scalar);
    Buf b;
    buf_init(&b, c->a);
    buf_addz(&b, "Unsupported(");
    pull_add_string(&b, str_of(f->unsupported));
    buf_addc(&b, ')');
    return b.p;
}

/* ---- defaults ------------------------------------------------------------------------------ */

static bool
is_number(Str s, bool with_fraction)
{
    size_t i = s.n && s.p[0] == '-' ? 1 : 0, digits = 0;
    for (; i < s.n; i++) {
        if (isdigit((unsigned char)s.p[i]))
            digits++;
        else if (s.p[i] == '.' && with_fraction && digits && i + 1 < s.n)
            with_fraction = false;
        else
            return false;
    }
    return digits > 0;
}

static int
hex_value(char ch)
{
    return isdigit((unsigned char)ch) ? ch - '0' : (tolower((unsigned char)ch) - 'a') + 10;
}

static bool
add_base64(Buf *b, Str s)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    if (s.n < 2 || s.p[0] != '\\' || s.p[1] != 'x' || s.n % 2)
        return false;
    buf_addc(b, '"');
    for (size_t i = 2; i < s.n; i += 6) {
        unsigned bits = 0, n = 0;
        for (; n < 3 && i + 2 * n + 1 < s.n; n++) {
            if (!isxdigit((unsigned char)s.p[i + 2 * n]) ||
                !isxdigit((unsigned char)s.p[i + 2 * n + 1]))
                return false;
            bits |= (unsigned)(hex_value(s.p[i + 2 * n]) << 4 | hex_value(s.p[i + 2 * n + 1]))
                    << (16 - 8 * n);
        }
        for (unsigned k = 0; k < 4; k++)
            buf_addc(b, k <= n ? digits[bits >> (18 - 6 * k) & 63] : '=');
    }
    buf_addc(b, '"');
    return true;
}

typedef struct Kind {
    const Known *known; /* or */
    const PullEnum *enum_;
} Kind;

static bool
add_constant(Buf *b, const Kind *kind, const PullValue *v)
{
    if (v->kind != VALUE_STRING && v->kind != VALUE_WORD)
        return false;
    if (kind->enum_) {
        for (size_t i = 0; v->kind == VALUE_STRING && i < kind->enum_->type->labels.n; i++)
            if (str_is(v->text, kind->enum_->type->labels.v[i])) {
                buf_addz(b, kind->enum_->values.v[i]);
                return true;
            }
        return false;
    }
    if (!kind->known || kind->known->native == PSL_NATIVE_UUID)
        return false;
    switch (kind->known->scalar) {
    case PSL_INT:
    case PSL_BIGINT:
    case PSL_FLOAT:
    case PSL_DECIMAL:
        if (!is_number(v->text,
                       kind->known->scalar == PSL_FLOAT || kind->known->scalar == PSL_DECIMAL))
            return false;
        buf_add(b, v->text);
        return true;
    case PSL_BOOLEAN:
        if (str_ieq(v->text, STR("true")) || str_is(v->text, "t"))
            buf_addz(b, "true");
        else if (str_ieq(v->text, STR("false")) || str_is(v->text, "f"))
            buf_addz(b, "false");
        else
            return false;
        return true;
    case PSL_BYTES:
        return v->kind == VALUE_STRING && add_base64(b, v->text);
    case PSL_TEXT:
    case PSL_JSON:
        if (v->kind != VALUE_STRING)
            return false;
        pull_add_string(b, v->text);
        return true;
    default:
        return false;
    }
}

static bool
add_list(Buf *b, const Kind *kind, const PullValue *v)
{
    buf_addc(b, '[');
    for (size_t i = 0; i < v->n; i++) {
        if (i)
            buf_addz(b, ", ");
        if (!add_constant(b, kind, &v->v[i]))
            return false;
    }
    buf_addc(b, ']');
    return true;
}

static bool
is_now(Str s)
{
    return str_ieq(s, STR("now()")) || str_ieq(s, STR("CURRENT_TIMESTAMP"));
}

/* The value in the language's words; false: it has none. *ret_null: the default is NULL. */
static bool
add_known_default(PullCtx *c, Buf *b, const CatColumn *column, const Kind *kind, bool is_list,
                  bool *ret_null)
{
    Str expr = str_trim(str_of(column->default_expr));
    bool is_int =
        kind->known && (kind->known->scalar == PSL_INT || kind->known->scalar == PSL_BIGINT);
    PullReader r = {.a = c->a, .s = expr};
    PullValue v = {0};
    if (!is_list && kind->known && kind->known->scalar == PSL_DATETIME && is_now(expr)) {
        buf_addz(b, "now()");
        return true;
    }
    if (!is_list && is_int && pull_take(&r, "nextval(") && pull_read_value(&r, &v) &&
        pull_take(&r, ")") && r.at == expr.n) {
        buf_addz(b, "autoincrement()");
        return true;
    }
    r.at = 0;
    v = (PullValue){0};
    if (!pull_read_value(&r, &v) || r.at != expr.n)
        return false;
    *ret_null = v.kind == VALUE_WORD && str_ieq(v.text, STR("null"));
    if (*ret_null)
        return true;
    if (!is_list)
        return add_constant(b, kind, &v);
    PullValue elements;
    if (v.kind == VALUE_STRING && pull_read_array(c->a, v.text, &elements))
        v = elements;
    return v.kind == VALUE_ARRAY && add_list(b, kind, &v);
}

static const char *
default_text(PullCtx *c, const CatColumn *column, const Kind *kind, bool is_list)
{
    Buf b;
    buf_init(&b, c->a);
    bool is_null = false;
    if (column->identity)
        return "@default(autoincrement())";
    if (column->generated)
        return "@default(dbgenerated())";
    if (!column->default_expr)
        return NULL;
    buf_addz(&b, "@default(");
    size_t start = b.n;
    if (!add_known_default(c, &b, column, kind, is_list, &is_null)) {
        b.n = start;
        b.p[start] = 0;
        buf_addz(&b, "dbgenerated(");
        pull_add_string(&b, without_schema(c, column->default_expr));
        buf_addc(&b, ')');
    }
    buf_addc(&b, ')');
    return is_null ? NULL : b.p;
}

/* ---- the field ----------------------------------------------------------------------------- */

void
pull_fill_field(PullCtx *c, const Catalog *catalog, const CatColumn *column, PullField *f)
{
    CatType t = base_type(catalog, column->type);
    Kind kind = {0};
    if (t.schema)
        kind.enum_ = map_get(&c->enums_by_type, pull_key(c, t.schema, t.name));
    if (!kind.enum_)
        kind.known = known_type(&t);
    f->arity = t.is_array ? "[]" : column->is_not_null ? "" : "?";
    f->unsupported = kind.enum_ || kind.known ? NULL : unsupported_text(c, &t);
    f->type = type_word(c, f, kind.enum_, kind.known);
    f->parts[PART_NATIVE] = kind.known ? native_text(c, kind.known, &t) : NULL;
    f->parts[PART_DEFAULT] = default_text(c, column, &kind, t.is_array);
    if (strcmp(f->name, column->id.sub) != 0) {
        Buf b;
        buf_init(&b, c->a);
        buf_addz(&b, "@map(");
        pull_add_string(&b, str_of(column->id.sub));
        buf_addc(&b, ')');
        f->parts[PART_MAP] = b.p;
    }
}
