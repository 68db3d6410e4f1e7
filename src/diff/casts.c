/* Which types a column can change to: the rules of Prisma's engine (flavour/postgres/
 * schema_differ.rs, measured in full), and for our own use which casts PostgreSQL makes by itself
 * (pg_cast: https://www.postgresql.org/docs/current/catalog-pg-cast.html). */
#include "diff/diff_int.h"

typedef enum Native {
    N_UNKNOWN,
    N_SMALLINT,
    N_INTEGER,
    N_BIGINT,
    N_DECIMAL,
    N_MONEY,
    N_INET,
    N_OID,
    N_CITEXT,
    N_REAL,
    N_DOUBLE,
    N_VARCHAR,
    N_CHAR,
    N_TEXT,
    N_BYTEA,
    N_TIMESTAMP,
    N_TIMESTAMPTZ,
    N_DATE,
    N_TIME,
    N_TIMETZ,
    N_BOOLEAN,
    N_BIT,
    N_VARBIT,
    N_UUID,
    N_XML,
    N_JSON,
    N_JSONB,
} Native;

typedef struct Type {
    Native native;
    bool has_args;
    long p, s; /* length or precision, scale */
} Type;

static const char *const natives[] = {
    [N_SMALLINT] = "int2",
    [N_INTEGER] = "int4",
    [N_BIGINT] = "int8",
    [N_DECIMAL] = "numeric",
    [N_MONEY] = "money",
    [N_INET] = "inet",
    [N_OID] = "oid",
    [N_CITEXT] = "citext",
    [N_REAL] = "float4",
    [N_DOUBLE] = "float8",
    [N_VARCHAR] = "varchar",
    [N_CHAR] = "bpchar",
    [N_TEXT] = "text",
    [N_BYTEA] = "bytea",
    [N_TIMESTAMP] = "timestamp",
    [N_TIMESTAMPTZ] = "timestamptz",
    [N_DATE] = "date",
    [N_TIME] = "time",
    [N_TIMETZ] = "timetz",
    [N_BOOLEAN] = "bool",
    [N_BIT] = "bit",
    [N_VARBIT] = "varbit",
    [N_UUID] = "uuid",
    [N_XML] = "xml",
    [N_JSON] = "json",
    [N_JSONB] = "jsonb",
};

static Type
type_read(const CatType *t)
{
    Type out = {0};
    for (size_t i = 1; i < COUNT(natives); i++)
        if (strcmp(natives[i], t->name) == 0 && (!t->schema || i == N_CITEXT))
            out.native = (Native)i;
    bool says_length = strncmp(t->text, "character", 9) != 0 || t->text[9] == '(';
    if (out.native == N_BIT)
        says_length = t->text[3] == '(';
    else if (out.native != N_CHAR)
        says_length = true;
    if (!t->args || !says_length)
        return out;
    Str rest = str_of(t->args);
    long long p = 0, s = 0;
    out.has_args = str_to_int(str_trim(str_cut(&rest, ',')), 0, 1000000000, &p);
    if (rest.p)
        str_to_int(str_trim(rest), -1000, 1000000000, &s);
    out.p = (long)p;
    out.s = (long)s;
    return out;
}

/* ---- Prisma's rules ------------------------------------------------------------------------ */

/* An integer or a float of at most `width` characters. */
static Cast
cast_number(const Type *next, long width)
{
    if (next->native == N_TEXT)
        return CAST_SAFE;
    if (next->native != N_VARCHAR && next->native != N_CHAR)
        return CAST_IMPOSSIBLE;
    if (next->has_args)
        return next->p < width ? CAST_RISKY : CAST_SAFE;
    return next->native == N_CHAR ? CAST_RISKY : CAST_SAFE;
}

static Cast
cast_integer(const Type *prev, const Type *next)
{
    static const long digits[] = {[N_SMALLINT] = 3, [N_INTEGER] = 10, [N_BIGINT] = 19};
    static const long widths[] = {[N_SMALLINT] = 4, [N_INTEGER] = 11, [N_BIGINT] = 20};
    switch (next->native) {
    case N_SMALLINT:
    case N_INTEGER:
    case N_BIGINT:
        return next->native > prev->native ? CAST_SAFE : CAST_RISKY;
    case N_DECIMAL:
        return next->has_args && next->p - next->s < digits[prev->native] ? CAST_RISKY : CAST_SAFE;
    case N_REAL:
    case N_DOUBLE:
        return CAST_SAFE;
    default:
        return cast_number(next, widths[prev->native]);
    }
}

static Cast
cast_decimal(const Type *prev, const Type *next)
{
    static const long digits[] = {[N_SMALLINT] = 2, [N_INTEGER] = 9, [N_BIGINT] = 18};
    switch (next->native) {
    case N_SMALLINT:
    case N_INTEGER:
    case N_BIGINT:
        return !prev->has_args || prev->s > 0 || prev->p > digits[next->native] ? CAST_RISKY
                                                                                : CAST_SAFE;
    case N_DECIMAL:
        if (!next->has_args)
            return CAST_SAFE;
        if (!prev->has_args)
            return next->p < 131072 || next->s < 16383 ? CAST_RISKY : CAST_SAFE;
        return prev->p - prev->s > next->p - next->s || prev->s > next->s ? CAST_RISKY : CAST_SAFE;
    case N_REAL:
    case N_DOUBLE:
        return CAST_RISKY;
    case N_VARCHAR:
    case N_CHAR:
        if (!next->has_args)
            return next->native == N_CHAR ? CAST_RISKY : CAST_SAFE;
        if (!prev->has_args)
            return next->p < 131073 ? CAST_RISKY : CAST_SAFE;
        return prev->p + (prev->s ? 2 : 1) > next->p ? CAST_RISKY : CAST_SAFE;
    case N_TEXT:
        return CAST_SAFE;
    default:
        return CAST_IMPOSSIBLE;
    }
}

static Cast
cast_float(const Type *prev, const Type *next)
{
    switch (next->native) {
    case N_SMALLINT:
    case N_INTEGER:
    case N_BIGINT:
    case N_DECIMAL:
        return CAST_RISKY;
    case N_REAL:
        return prev->native == N_REAL ? CAST_SAFE : CAST_RISKY;
    case N_DOUBLE:
        return CAST_SAFE;
    default:
        return cast_number(next, prev->native == N_REAL ? 47 : 317);
    }
}

static Cast
cast_string(const Type *prev, const Type *next)
{
    bool is_char = next->native == N_CHAR;
    if (next->native == N_TEXT)
        return CAST_SAFE;
    if (next->native != N_VARCHAR && !is_char)
        return CAST_IMPOSSIBLE;
    if (!prev->has_args) {
        if (prev->native == N_CHAR)
            return CAST_SAFE;
        return next->has_args || is_char ? CAST_RISKY : CAST_SAFE;
    }
    if (!next->has_args)
        return is_char && prev->p != 1 ? CAST_RISKY : CAST_SAFE;
    return prev->p > next->p ? CAST_RISKY : CAST_SAFE;
}

static bool
is_string_over(const Type *next, long length)
{
    return (next->native == N_VARCHAR || next->native == N_CHAR) && next->has_args &&
           next->p > length;
}

static bool
is_open_string(const Type *next)
{
    return next->native == N_TEXT || (next->native == N_VARCHAR && !next->has_args);
}

/* Dates and times; `width` characters hold any value. */
static Cast
cast_time(const Type *prev, const Type *next, long width, unsigned others)
{
    if (is_open_string(next) || is_string_over(next, width))
        return CAST_SAFE;
    /* No precision means six digits, at least as much as was there. */
    if (prev->native == next->native && prev->native != N_DATE &&
        (!next->has_args || !prev->has_args || prev->p == next->p))
        return CAST_NONE;
    return others & 1u << next->native ? CAST_SAFE : CAST_IMPOSSIBLE;
}

static Cast
cast_bits(const Type *prev, const Type *next)
{
    bool fits = next->has_args && prev->has_args && next->p >= prev->p;
    if (prev->native == N_BIT) {
        if (!prev->has_args)
            return next->native == N_TEXT || next->native == N_VARCHAR || next->native == N_CHAR ||
                           next->native == N_VARBIT
                       ? CAST_SAFE
                       : CAST_IMPOSSIBLE;
        if (is_open_string(next) || (next->native == N_VARBIT && !next->has_args))
            return CAST_SAFE;
        return fits && (next->native == N_VARCHAR || next->native == N_VARBIT ||
                        next->native == N_CHAR)
                   ? CAST_SAFE
                   : CAST_IMPOSSIBLE;
    }
    if (is_open_string(next))
        return CAST_SAFE;
    if (!prev->has_args)
        return next->native == N_VARCHAR || next->native == N_CHAR || next->native == N_BIT
                   ? CAST_RISKY
                   : CAST_IMPOSSIBLE;
    switch (next->native) {
    case N_VARBIT:
        return !next->has_args || next->p > prev->p ? CAST_SAFE : CAST_IMPOSSIBLE;
    case N_VARCHAR:
    case N_CHAR:
        return fits ? CAST_SAFE : CAST_RISKY;
    case N_BIT:
        return !next->has_args || next->p <= prev->p ? CAST_RISKY : CAST_IMPOSSIBLE;
    default:
        return CAST_IMPOSSIBLE;
    }
}

static Cast
cast_known(const Type *prev, const Type *next)
{
    bool is_string = next->native == N_VARCHAR || next->native == N_CHAR;
#define BIT(n) (1u << (n))
    const unsigned stamps = BIT(N_TIMESTAMP) | BIT(N_TIMESTAMPTZ);
    const unsigned times = BIT(N_TIME) | BIT(N_TIMETZ);
    switch (prev->native) {
    case N_INET:
        return next->native == N_CITEXT || next->native == N_TEXT || next->native == N_VARCHAR
                   ? CAST_SAFE
                   : CAST_IMPOSSIBLE;
    case N_MONEY:
        return next->native == N_CITEXT || next->native == N_TEXT || next->native == N_VARCHAR
                   ? CAST_SAFE
                   : CAST_RISKY;
    case N_CITEXT:
        return next->native == N_TEXT || next->native == N_VARCHAR ? CAST_SAFE : CAST_RISKY;
    case N_OID:
        return next->native == N_TEXT || next->native == N_VARCHAR || next->native == N_BIGINT ||
                       next->native == N_INTEGER
                   ? CAST_SAFE
                   : CAST_IMPOSSIBLE;
    case N_SMALLINT:
    case N_INTEGER:
    case N_BIGINT:
        return cast_integer(prev, next);
    case N_DECIMAL:
        return cast_decimal(prev, next);
    case N_REAL:
    case N_DOUBLE:
        return cast_float(prev, next);
    case N_VARCHAR:
    case N_CHAR:
        return cast_string(prev, next);
    case N_TEXT:
        return is_open_string(next) || next->native == N_CITEXT ? CAST_SAFE
               : is_string                                      ? CAST_RISKY
                                                                : CAST_IMPOSSIBLE;
    case N_BYTEA:
        return is_open_string(next)      ? CAST_SAFE
               : is_string_over(next, 2) ? CAST_RISKY
                                         : CAST_IMPOSSIBLE;
    case N_TIMESTAMP:
        return cast_time(prev, next, 22, stamps | times | BIT(N_DATE));
    case N_TIMESTAMPTZ:
        return cast_time(prev, next, 27, stamps | times | BIT(N_DATE));
    case N_DATE:
        return cast_time(prev, next, 27, stamps);
    case N_TIME:
        return cast_time(prev, next, 13, BIT(N_TIMETZ));
    case N_TIMETZ:
        return cast_time(prev, next, 18, times);
    case N_BOOLEAN:
        if (next->native == N_TEXT || next->native == N_VARCHAR || is_string_over(next, 4))
            return CAST_SAFE;
        return is_string_over(next, 3) ? CAST_RISKY : CAST_IMPOSSIBLE;
    case N_BIT:
    case N_VARBIT:
        return cast_bits(prev, next);
    case N_UUID:
        return is_open_string(next) || is_string_over(next, 31) ? CAST_SAFE : CAST_IMPOSSIBLE;
    case N_XML:
        return is_open_string(next) ? CAST_SAFE : is_string ? CAST_RISKY : CAST_IMPOSSIBLE;
    case N_JSON:
    case N_JSONB:
        return is_open_string(next) || next->native == N_JSON || next->native == N_JSONB ? CAST_SAFE
               : is_string ? CAST_RISKY
                           : CAST_IMPOSSIBLE;
    case N_UNKNOWN:
        break;
    }
    return CAST_RISKY;
#undef BIT
}

Cast
diff_cast(const CatType *from, const CatType *to)
{
    Type prev = type_read(from), next = type_read(to);
    if (from->is_array && !to->is_array && !to->schema) {
        if (next.native == N_TEXT || (next.native == N_VARCHAR && !next.has_args))
            return CAST_SAFE;
        if (next.native == N_VARCHAR || next.native == N_CHAR)
            return CAST_RISKY;
    }
    if (from->is_array != to->is_array)
        return CAST_IMPOSSIBLE;
    if (prev.native == N_UNKNOWN && next.native == N_UNKNOWN)
        return CAST_NONE;
    if (prev.native == N_UNKNOWN || next.native == N_UNKNOWN)
        return CAST_RISKY;
    if (prev.native == next.native && prev.has_args == next.has_args && prev.p == next.p &&
        prev.s == next.s)
        return CAST_NONE;
    return cast_known(&prev, &next);
}

/* ---- our own ------------------------------------------------------------------------------- */

bool
type_is_enum(const Catalog *c, const CatType *type)
{
    return type->schema &&
           catalog_find(c, (CatRef){CAT_ENUM, type->schema, type->name, NULL}) != NULL;
}

static bool
is_text(Native n)
{
    return n == N_TEXT || n == N_VARCHAR || n == N_CHAR;
}

/* Whether ALTER COLUMN TYPE needs no USING: an assignment cast, or I/O to a string type. */
static bool
is_assignable(const Type *prev, const Type *next)
{
#define BIT(n) (1u << (n))
    static const unsigned numbers = BIT(N_SMALLINT) | BIT(N_INTEGER) | BIT(N_BIGINT) |
                                    BIT(N_DECIMAL) | BIT(N_REAL) | BIT(N_DOUBLE);
    static const unsigned to[] = {
        [N_SMALLINT] = numbers | BIT(N_OID),
        [N_INTEGER] = numbers | BIT(N_OID) | BIT(N_MONEY),
        [N_BIGINT] = numbers | BIT(N_OID) | BIT(N_MONEY),
        [N_DECIMAL] = numbers | BIT(N_MONEY),
        [N_REAL] = numbers,
        [N_DOUBLE] = numbers,
        [N_MONEY] = BIT(N_DECIMAL),
        [N_OID] = BIT(N_INTEGER) | BIT(N_BIGINT),
        [N_INET] = BIT(N_CITEXT),
        [N_BOOLEAN] = BIT(N_CITEXT),
        [N_TEXT] = BIT(N_CITEXT),
        [N_VARCHAR] = BIT(N_CITEXT),
        [N_CHAR] = BIT(N_CITEXT),
        [N_TIMESTAMP] = BIT(N_TIMESTAMPTZ) | BIT(N_DATE) | BIT(N_TIME),
        [N_TIMESTAMPTZ] = BIT(N_TIMESTAMP) | BIT(N_DATE) | BIT(N_TIME) | BIT(N_TIMETZ),
        [N_DATE] = BIT(N_TIMESTAMP) | BIT(N_TIMESTAMPTZ),
        [N_TIME] = BIT(N_TIMETZ),
        [N_TIMETZ] = BIT(N_TIME),
        [N_JSON] = BIT(N_JSONB),
        [N_JSONB] = BIT(N_JSON),
        [N_BIT] = BIT(N_VARBIT),
        [N_VARBIT] = BIT(N_BIT),
    };
#undef BIT
    if (prev->native == N_UNKNOWN || next->native == N_UNKNOWN)
        return next->native != N_UNKNOWN && is_text(next->native);
    if (prev->native == next->native || is_text(next->native))
        return true;
    return prev->native < COUNT(to) && to[prev->native] & 1u << next->native;
}

static bool
is_integer(Native n)
{
    return n == N_SMALLINT || n == N_INTEGER || n == N_BIGINT;
}

Cast
cast_choose(const CatColumn *from, const CatColumn *to, const Catalog *c_from, const Catalog *c_to,
            CastUsing *ret_using)
{
    const CatType *x = &from->type, *y = &to->type;
    Type prev = type_read(x), next = type_read(y);
    bool was_enum = type_is_enum(c_from, x), is_enum = type_is_enum(c_to, y);
    *ret_using = USING_NOTHING;
    if (catalog_type_same(x, y))
        return CAST_NONE;
    if (x->is_array != y->is_array) {
        bool same_element = cat_same_text(x->name, y->name) && cat_same_text(x->schema, y->schema);
        if (was_enum && is_enum && same_element) {
            *ret_using = y->is_array ? USING_ARRAY : USING_FIRST;
            return y->is_array ? CAST_SAFE : CAST_RISKY;
        }
        return was_enum || is_enum ? CAST_IMPOSSIBLE : diff_cast(x, y);
    }
    if (was_enum || is_enum) {
        /* By way of text, as enums of other names and strings go. */
        bool other_ok = was_enum && is_enum ? true
                        : was_enum          ? is_text(next.native) || next.native == N_CITEXT
                                            : is_text(prev.native) || prev.native == N_CITEXT;
        if (!other_ok)
            return CAST_IMPOSSIBLE;
        *ret_using = is_enum ? USING_TEXT : USING_NOTHING;
        return is_enum ? CAST_RISKY : CAST_SAFE;
    }
    Cast cast = diff_cast(x, y);
    if (cast == CAST_NONE) /* differs in what Prisma does not look at */
        cast = CAST_RISKY;
    if (cast == CAST_IMPOSSIBLE && prev.native == next.native && prev.native != N_UNKNOWN)
        cast = CAST_RISKY;
    if (cast == CAST_IMPOSSIBLE && (is_text(prev.native) || prev.native == N_CITEXT) &&
        next.native != N_BYTEA)
        cast = CAST_RISKY;
    if ((prev.native == N_BOOLEAN && is_integer(next.native)) ||
        (is_integer(prev.native) && next.native == N_BOOLEAN)) {
        *ret_using = USING_INTEGER;
        return next.native == N_BOOLEAN ? CAST_RISKY : CAST_SAFE;
    }
    if (cast != CAST_IMPOSSIBLE && !is_assignable(&prev, &next))
        *ret_using = USING_TEXT;
    return cast;
}
