/* Scalar and native types, and the arguments of the latter. */
#include "psl/validate_int.h"

static const char *const scalar_names[PSL_SCALAR_COUNT] = {
    [PSL_INT] = "Int",           [PSL_BIGINT] = "BigInt",   [PSL_FLOAT] = "Float",
    [PSL_DECIMAL] = "Decimal",   [PSL_BOOLEAN] = "Boolean", [PSL_TEXT] = "String",
    [PSL_DATETIME] = "DateTime", [PSL_JSON] = "Json",       [PSL_BYTES] = "Bytes",
};

static const PslNativeInfo infos[PSL_NATIVE_COUNT] = {
#define X(id, name, scalar, args) [PSL_NATIVE_##id] = {name, scalar, args},
    PSL_NATIVE_TYPES(X)
#undef X
};

const PslNativeInfo *
psl_native_info(PslNative type)
{
    return &infos[type];
}

/* The type of that name, PSL_NATIVE_NONE when there is none. */
static PslNative
native_of(Str name)
{
    for (PslNative t = PSL_NATIVE_NONE + 1; t < PSL_NATIVE_COUNT; t++) {
        if (str_is(name, infos[t].name))
            return t;
    }
    return PSL_NATIVE_NONE;
}

const char *
psl_scalar_name(PslScalar scalar)
{
    return scalar_names[scalar];
}

/* A whole number of 32 bits without sign; Rust's parser, which Prisma uses, also takes a +. */
static bool
parse_u32(Str s, uint32_t *ret)
{
    if (s.n > 1 && s.p[0] == '+')
        s = str_slice(s, 1, s.n);
    uint64_t value = 0;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] < '0' || s.p[i] > '9')
            return false;
        value = value * 10 + (uint64_t)(s.p[i] - '0');
        if (value > UINT32_MAX)
            return false;
    }
    *ret = (uint32_t)value;
    return s.n > 0;
}

/* Read a native type's arguments into ret (two places); false when they do not fit. */
static bool
parse_args(PslNative type, const Str *args, size_t n, uint32_t *ret)
{
    if (infos[type].max_args == 0 || n == 0)
        return true;
    if (n != infos[type].max_args)
        return false;
    for (size_t i = 0; i < n; i++) {
        if (!parse_u32(args[i], &ret[i]))
            return false;
    }
    return true;
}

static void
check_ranges(Ctx *c, PslModelField *f)
{
    const char *name = infos[f->native].name;
    const uint32_t *args = f->native_args;
    PslSpan at = f->native_attr->span;
    if (f->native_nargs == 0)
        return;
    switch (f->native) {
    case PSL_NATIVE_DECIMAL:
        if (args[1] > args[0]) {
            v_field_error(c, FINDING_NATIVE_TYPE_RANGE, f, at,
                          "the scale of Decimal(%u, %u) is larger than its precision", args[0],
                          args[1]);
        } else if (args[0] == 0 || args[0] > 1000) {
            v_field_error(c, FINDING_NATIVE_TYPE_RANGE, f, at,
                          "the precision of Decimal must be between 1 and 1000, not %u", args[0]);
        }
        break;
    case PSL_NATIVE_BIT:
    case PSL_NATIVE_VARBIT:
        if (args[0] == 0)
            v_field_error(c, FINDING_NATIVE_TYPE_RANGE, f, at, "the length of %s must be positive",
                          name);
        break;
    case PSL_NATIVE_TIMESTAMP:
    case PSL_NATIVE_TIMESTAMPTZ:
    case PSL_NATIVE_TIME:
    case PSL_NATIVE_TIMETZ:
        if (args[0] > 6) {
            v_field_error(c, FINDING_NATIVE_TYPE_RANGE, f, at,
                          "%s holds 0 to 6 digits of a second, not %u", name, args[0]);
        }
        break;
    case PSL_NATIVE_CHAR:
    case PSL_NATIVE_VARCHAR:
        /* Prisma lets this pass, CREATE TABLE does not. */
        if (args[0] == 0 || args[0] > 10485760) {
            v_warn(c, FINDING_NATIVE_TYPE_LENGTH, model_file(f->model), at,
                   "PostgreSQL refuses %s(%u): the length must be between 1 and 10485760", name,
                   args[0]);
        }
        break;
    default:
        break;
    }
}

static void
unknown_type(Ctx *c, PslModelField *f, Str name)
{
    Finding *d = v_field_error(c, FINDING_NATIVE_TYPE_UNKNOWN, f, f->native_attr->span,
                               "PostgreSQL has no native type \"" STR_FMT "\"", Q(name));
    Nearest near;
    v_near_init(c, &near, name);
    for (PslNative t = PSL_NATIVE_NONE + 1; t < PSL_NATIVE_COUNT; t++)
        v_near_try(&near, str_of(infos[t].name));
    if (v_near_found(&near))
        v_hint(c, d, "did you mean @" STR_FMT "." STR_FMT "?",
               Q(c->r->datasource ? c->r->datasource->name : STR("db")), Q(near.best));
}

/* What stands behind `@db.` and in its parentheses. A missing value and a comma too many are let
 * pass there, as Prisma does. */
void
v_native_check(Ctx *c, PslModelField *f)
{
    if (!f->native_attr)
        return;
    const PslFile *file = model_file(f->model);
    PslSpan at = f->native_attr->span;
    Str name = f->native_attr->name, prefix = str_cut(&name, '.');
    if (!name.p)
        name = STR("");
    if (!c->r->datasource && c->has_datasource)
        return; /* it could not be read */
    if (!c->r->datasource) {
        Finding *d = v_field_error(c, FINDING_NATIVE_TYPE_UNKNOWN, f, at,
                                   "native types need a datasource block that says the provider");
        v_hint(c, d, "add: datasource db { provider = \"postgresql\" }");
        return;
    }
    if (!str_eq(prefix, c->r->datasource->name)) {
        Finding *d = v_field_error(c, FINDING_NATIVE_TYPE_PREFIX, f, at,
                                   "\"" STR_FMT "\" is not the name of the datasource", Q(prefix));
        v_hint(c, d, "write @" STR_FMT "." STR_FMT, Q(c->r->datasource->name), Q(name));
    }
    PslNative type = native_of(name);
    if (type == PSL_NATIVE_NONE) {
        unknown_type(c, f, name);
        return;
    }
    const PslNativeInfo *info = &infos[type];
    Str args[3];
    size_t n = 0;
    for (size_t i = 0; i < f->native_attr->args.n; i++) {
        const PslExpr *e = &f->native_attr->args.v[i].value;
        if (e->kind == PSL_MISSING)
            continue;
        if (n < 3)
            args[n] = psl_text(file, e->span);
        n++;
    }
    if (n > info->max_args) {
        v_field_error(c, FINDING_NATIVE_TYPE_ARGUMENTS, f, at, "%s takes %s, not %zu", info->name,
                      info->max_args == 0   ? "no arguments"
                      : info->max_args == 1 ? "at most one argument"
                                            : "at most two arguments",
                      n);
        return;
    }
    if (info->scalar != f->scalar) {
        Finding *d =
            v_field_error(c, FINDING_NATIVE_TYPE_MISMATCH, f, at,
                          "@%s belongs to fields of type %s, but \"" STR_FMT "\" is %s", info->name,
                          scalar_names[info->scalar], Q(f->name), scalar_names[f->scalar]);
        v_hint(c, d, "change the field's type to %s", scalar_names[info->scalar]);
        return;
    }
    if (!parse_args(type, args, n, f->native_args)) {
        v_field_error(c, FINDING_NATIVE_TYPE_ARGUMENTS, f, at, "%s takes %s", info->name,
                      info->max_args == 1 ? "a whole number"
                                          : "two whole numbers: precision and scale");
        return;
    }
    f->native = type;
    f->native_nargs = (uint8_t)n;
    check_ranges(c, f);
}

/* Split `VarChar(3) rest` as Prisma does: a name up to the first parenthesis, then, when one
 * closes, what is inside. Without one, everything belongs to the name: no type has such a name. */
void
v_unsupported_check(Ctx *c, PslModelField *f)
{
    Str text = f->ast->type.name;
    const char *open = memchr(text.p, '(', text.n);
    Str name = text, inside = {NULL, 0};
    if (open) {
        name = str_slice(text, 0, (size_t)(open - text.p));
        Str rest = str_slice(text, name.n + 1, text.n);
        const char *close = memchr(rest.p, ')', rest.n);
        if (close)
            inside = str_slice(rest, 0, (size_t)(close - rest.p));
    }
    PslNative type = native_of(str_trim(name));
    if (type == PSL_NATIVE_NONE)
        return;
    Str args[3];
    uint32_t values[2];
    size_t n = 0;
    while (inside.p) {
        Str part = str_trim(str_cut(&inside, ','));
        if (n < 3)
            args[n++] = part;
    }
    if (!parse_args(type, args, n, values))
        return;
    Finding *d =
        v_field_error(c, FINDING_UNSUPPORTED_IS_SUPPORTED, f, f->ast->span,
                      "Unsupported(\"" STR_FMT "\") is a type that Prisma supports", Q(text));
    v_hint(c, d, "write: " STR_FMT " %s @" STR_FMT "." STR_FMT, Q(f->name),
           scalar_names[infos[type].scalar], Q(c->r->datasource->name), Q(str_trim(text)));
}
