/* Operator classes: which index types and fields each goes with. The table was measured with every
 * class, index type and field type that Prisma knows; the names in SQL are PostgreSQL's. */
#include "psl/validate_int.h"

#define T(type) (1u << PSL_INDEX_##type)
#define N(native) (1u << PSL_NATIVE_##native)
#define NO_PLAIN -1

typedef struct OpRule {
    PslOpClass op;
    unsigned types;   /* index types */
    uint32_t natives; /* native types */
    int plain;        /* the scalar that needs no native type */
} OpRule;

static const OpRule rules[] = {
    /* clang-format off */
    {{"JsonbOps", "jsonb_ops"}, T(GIN), N(JSONB), PSL_JSON},
    {{"JsonbPathOps", "jsonb_path_ops"}, T(GIN), N(JSONB), PSL_JSON},
    {{"ArrayOps", "array_ops"}, T(GIN), 0, NO_PLAIN},
    {{"InetOps", "inet_ops"}, T(GIST) | T(SPGIST), N(INET), NO_PLAIN},
    {{"TextOps", "text_ops"}, T(SPGIST), N(TEXT) | N(CHAR) | N(VARCHAR), PSL_TEXT},
    {{"BitMinMaxOps", "bit_minmax_ops"}, T(BRIN), N(BIT), NO_PLAIN},
    {{"VarBitMinMaxOps", "varbit_minmax_ops"}, T(BRIN), N(VARBIT), NO_PLAIN},
    {{"BpcharBloomOps", "bpchar_bloom_ops"}, T(BRIN), N(CHAR), NO_PLAIN},
    {{"BpcharMinMaxOps", "bpchar_minmax_ops"}, T(BRIN), N(CHAR), NO_PLAIN},
    {{"ByteaBloomOps", "bytea_bloom_ops"}, T(BRIN), N(BYTEA), PSL_BYTES},
    {{"ByteaMinMaxOps", "bytea_minmax_ops"}, T(BRIN), N(BYTEA), PSL_BYTES},
    {{"DateBloomOps", "date_bloom_ops"}, T(BRIN), N(DATE), NO_PLAIN},
    {{"DateMinMaxOps", "date_minmax_ops"}, T(BRIN), N(DATE), NO_PLAIN},
    {{"DateMinMaxMultiOps", "date_minmax_multi_ops"}, T(BRIN), N(DATE), NO_PLAIN},
    {{"Float4BloomOps", "float4_bloom_ops"}, T(BRIN), N(REAL), NO_PLAIN},
    {{"Float4MinMaxOps", "float4_minmax_ops"}, T(BRIN), N(REAL), NO_PLAIN},
    {{"Float4MinMaxMultiOps", "float4_minmax_multi_ops"}, T(BRIN), N(REAL), NO_PLAIN},
    {{"Float8BloomOps", "float8_bloom_ops"}, T(BRIN), N(DOUBLE), PSL_FLOAT},
    {{"Float8MinMaxOps", "float8_minmax_ops"}, T(BRIN), N(DOUBLE), PSL_FLOAT},
    {{"Float8MinMaxMultiOps", "float8_minmax_multi_ops"}, T(BRIN), N(DOUBLE), PSL_FLOAT},
    {{"InetInclusionOps", "inet_inclusion_ops"}, T(BRIN), N(INET), NO_PLAIN},
    {{"InetBloomOps", "inet_bloom_ops"}, T(BRIN), N(INET), NO_PLAIN},
    {{"InetMinMaxOps", "inet_minmax_ops"}, T(BRIN), N(INET), NO_PLAIN},
    {{"InetMinMaxMultiOps", "inet_minmax_multi_ops"}, T(BRIN), N(INET), NO_PLAIN},
    {{"Int2BloomOps", "int2_bloom_ops"}, T(BRIN), N(SMALLINT), NO_PLAIN},
    {{"Int2MinMaxOps", "int2_minmax_ops"}, T(BRIN), N(SMALLINT), NO_PLAIN},
    {{"Int2MinMaxMultiOps", "int2_minmax_multi_ops"}, T(BRIN), N(SMALLINT), NO_PLAIN},
    {{"Int4BloomOps", "int4_bloom_ops"}, T(BRIN), N(INTEGER), PSL_INT},
    {{"Int4MinMaxOps", "int4_minmax_ops"}, T(BRIN), N(INTEGER), PSL_INT},
    {{"Int4MinMaxMultiOps", "int4_minmax_multi_ops"}, T(BRIN), N(INTEGER), PSL_INT},
    {{"Int8BloomOps", "int8_bloom_ops"}, T(BRIN), N(BIGINT), PSL_BIGINT},
    {{"Int8MinMaxOps", "int8_minmax_ops"}, T(BRIN), N(BIGINT), PSL_BIGINT},
    {{"Int8MinMaxMultiOps", "int8_minmax_multi_ops"}, T(BRIN), N(BIGINT), PSL_BIGINT},
    {{"NumericBloomOps", "numeric_bloom_ops"}, T(BRIN), N(DECIMAL), PSL_DECIMAL},
    {{"NumericMinMaxOps", "numeric_minmax_ops"}, T(BRIN), N(DECIMAL), PSL_DECIMAL},
    {{"NumericMinMaxMultiOps", "numeric_minmax_multi_ops"}, T(BRIN), N(DECIMAL), PSL_DECIMAL},
    {{"OidBloomOps", "oid_bloom_ops"}, T(BRIN), N(OID), NO_PLAIN},
    {{"OidMinMaxOps", "oid_minmax_ops"}, T(BRIN), N(OID), NO_PLAIN},
    {{"OidMinMaxMultiOps", "oid_minmax_multi_ops"}, T(BRIN), N(OID), NO_PLAIN},
    {{"TextBloomOps", "text_bloom_ops"}, T(BRIN), N(TEXT) | N(VARCHAR), PSL_TEXT},
    {{"TextMinMaxOps", "text_minmax_ops"}, T(BRIN), N(TEXT) | N(VARCHAR), PSL_TEXT},
    {{"TimestampBloomOps", "timestamp_bloom_ops"}, T(BRIN), N(TIMESTAMP), PSL_DATETIME},
    {{"TimestampMinMaxOps", "timestamp_minmax_ops"}, T(BRIN), N(TIMESTAMP), PSL_DATETIME},
    {{"TimestampMinMaxMultiOps", "timestamp_minmax_multi_ops"}, T(BRIN), N(TIMESTAMP),
     PSL_DATETIME},
    {{"TimestampTzBloomOps", "timestamptz_bloom_ops"}, T(BRIN), N(TIMESTAMPTZ), NO_PLAIN},
    {{"TimestampTzMinMaxOps", "timestamptz_minmax_ops"}, T(BRIN), N(TIMESTAMPTZ), NO_PLAIN},
    {{"TimestampTzMinMaxMultiOps", "timestamptz_minmax_multi_ops"}, T(BRIN), N(TIMESTAMPTZ),
     NO_PLAIN},
    {{"TimeBloomOps", "time_bloom_ops"}, T(BRIN), N(TIME), NO_PLAIN},
    {{"TimeMinMaxOps", "time_minmax_ops"}, T(BRIN), N(TIME), NO_PLAIN},
    {{"TimeMinMaxMultiOps", "time_minmax_multi_ops"}, T(BRIN), N(TIME), NO_PLAIN},
    {{"TimeTzBloomOps", "timetz_bloom_ops"}, T(BRIN), N(TIMETZ), NO_PLAIN},
    {{"TimeTzMinMaxOps", "timetz_minmax_ops"}, T(BRIN), N(TIMETZ), NO_PLAIN},
    {{"TimeTzMinMaxMultiOps", "timetz_minmax_multi_ops"}, T(BRIN), N(TIMETZ), NO_PLAIN},
    {{"UuidBloomOps", "uuid_bloom_ops"}, T(BRIN), N(UUID), NO_PLAIN},
    {{"UuidMinMaxOps", "uuid_minmax_ops"}, T(BRIN), N(UUID), NO_PLAIN},
    {{"UuidMinMaxMultiOps", "uuid_minmax_multi_ops"}, T(BRIN), N(UUID), NO_PLAIN},
    /* clang-format on */
};

enum { RULES = COUNT(rules) };

const PslOpClass *
v_opclass_of(Str name)
{
    for (size_t i = 0; i < RULES; i++) {
        if (str_is(name, rules[i].op.name))
            return &rules[i].op;
    }
    return NULL;
}

const PslOpClass *
psl_opclass_of_sql(Str sql)
{
    for (size_t i = 0; i < RULES; i++) {
        if (str_is(sql, rules[i].op.sql))
            return &rules[i].op;
    }
    return NULL;
}

void
v_opclass_nearest(Nearest *n)
{
    for (size_t i = 0; i < RULES; i++)
        v_near_try(n, str_of(rules[i].op.name));
}

const char *
psl_index_type_name(PslIndexType type)
{
    static const char *const names[] = {
        [PSL_INDEX_DEFAULT] = "BTree", [PSL_INDEX_BTREE] = "BTree", [PSL_INDEX_HASH] = "Hash",
        [PSL_INDEX_GIST] = "Gist",     [PSL_INDEX_GIN] = "Gin",     [PSL_INDEX_SPGIST] = "SpGist",
        [PSL_INDEX_BRIN] = "Brin",
    };
    return names[type];
}

/* What an index of that type can hold without an operator class. */
static bool
has_default_class(PslIndexType type, const PslModelField *f)
{
    static const uint32_t spgist = N(INET) | N(TEXT) | N(VARCHAR) | N(CHAR);
    static const uint32_t brin = N(BIT) | N(VARBIT) | N(CHAR) | N(DATE) | N(REAL) | N(DOUBLE) |
                                 N(INET) | N(SMALLINT) | N(INTEGER) | N(BIGINT) | N(DECIMAL) |
                                 N(OID) | N(BYTEA) | N(TEXT) | N(VARCHAR) | N(TIMESTAMP) |
                                 N(TIMESTAMPTZ) | N(TIME) | N(TIMETZ) | N(UUID);
    uint32_t native = 1u << f->native;
    bool scalar = f->kind == PSL_FIELD_SCALAR, plain = f->native == PSL_NATIVE_NONE;
    if (f->kind == PSL_FIELD_UNSUPPORTED)
        return true;
    switch (type) {
    case PSL_INDEX_GIN:
        return f->arity == PSL_LIST ||
               (scalar && (plain ? f->scalar == PSL_JSON : f->native == PSL_NATIVE_JSONB));
    case PSL_INDEX_GIST:
        return scalar && plain && f->scalar == PSL_TEXT;
    case PSL_INDEX_SPGIST:
        return scalar && (plain ? f->scalar == PSL_TEXT : (native & spgist) != 0);
    case PSL_INDEX_BRIN:
        return scalar &&
               (plain ? f->scalar != PSL_BOOLEAN && f->scalar != PSL_JSON : (native & brin) != 0);
    default:
        return true;
    }
}

static const char *
type_of(Ctx *c, const PslModelField *f)
{
    if (f->kind == PSL_FIELD_ENUM)
        return str_fmt(c->a, "enum " STR_FMT, Q(f->enum_->name));
    if (f->kind == PSL_FIELD_UNSUPPORTED)
        return str_fmt(c->a, "Unsupported(\"" STR_FMT "\")", Q(f->ast->type.name));
    const char *list = f->arity == PSL_LIST ? "[]" : "";
    if (f->native == PSL_NATIVE_NONE)
        return str_fmt(c->a, "%s%s", psl_scalar_name(f->scalar), list);
    return str_fmt(c->a, "%s%s @db.%s", psl_scalar_name(f->scalar), list,
                   psl_native_info(f->native)->name);
}

/* "Inet", "Text, Char or VarChar" of a set of native types */
static const char *
natives_of(Ctx *c, const OpRule *rule)
{
    Buf b;
    buf_init(&b, c->a);
    if (rule->plain != NO_PLAIN)
        buf_addz(&b, psl_scalar_name((PslScalar)rule->plain));
    for (PslNative t = PSL_NATIVE_NONE + 1; t < PSL_NATIVE_COUNT; t++) {
        if (rule->natives & (1u << t))
            buf_fmt(&b, "%s@db.%s", b.n ? " or " : "", psl_native_info(t)->name);
    }
    return b.n ? b.p : "an array";
}

static void
check_field(Ctx *c, PslKey *key, const PslKeyField *kf)
{
    PslIndexType type = key->type == PSL_INDEX_DEFAULT ? PSL_INDEX_BTREE : key->type;
    const PslModelField *f = kf->field;
    PslSpan at = key->attr->span;
    const char *type_name = psl_index_type_name(type);
    if (!kf->ops) {
        if (has_default_class(type, f))
            return;
        Finding *d = v_model_error(c, FINDING_INDEX_TYPE_MISMATCH, key->model, at,
                                   "a %s index cannot hold the field \"" STR_FMT
                                   "\" of type %s without an operator class",
                                   type_name, Q(f->name), type_of(c, f));
        v_hint(c, d, "name one: [" STR_FMT "(ops: raw(\"...\"))], or choose another index type",
               Q(f->name));
        return;
    }
    const OpRule *rule = (const OpRule *)(const void *)kf->ops;
    if (!(rule->types & (1u << type))) {
        Finding *d = v_model_error(c, FINDING_OPCLASS_INDEX_TYPE, key->model, at,
                                   "the operator class %s does not belong to %s indexes",
                                   kf->ops->name, type_name);
        for (PslIndexType t = PSL_INDEX_BTREE; t <= PSL_INDEX_BRIN; t++) {
            if (rule->types & (1u << t))
                v_hint(c, d, "add to the index: type: %s", psl_index_type_name(t));
        }
        return;
    }
    bool fits = rule->natives == 0             ? f->arity == PSL_LIST
                : f->kind != PSL_FIELD_SCALAR  ? false
                : f->native == PSL_NATIVE_NONE ? (int)f->scalar == rule->plain
                                               : (rule->natives & (1u << f->native)) != 0;
    if (!fits) {
        v_model_error(c, FINDING_OPCLASS_TYPE, key->model, at,
                      "the operator class %s is for %s, but \"" STR_FMT "\" is %s", kf->ops->name,
                      natives_of(c, rule), Q(f->name), type_of(c, f));
    }
}

void
v_opclass_check(Ctx *c, PslKey *key)
{
    for (size_t i = 0; i < key->nfields; i++) {
        if (!key->fields[i].raw_ops.p)
            check_field(c, key, &key->fields[i]);
    }
}
