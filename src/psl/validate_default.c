/* @default: functions and literals against the type of the field. */
#include "psl/validate_int.h"

typedef struct DefaultFunction {
    const char *name;
    PslDefaultKind kind;
    uint32_t scalars; /* fields that it can fill */
} DefaultFunction;

static const DefaultFunction functions[] = {
    {"autoincrement", PSL_DEFAULT_AUTOINCREMENT, 1u << PSL_INT | 1u << PSL_BIGINT},
    {"now", PSL_DEFAULT_NOW, 1u << PSL_DATETIME},
    {"uuid", PSL_DEFAULT_UUID, 1u << PSL_TEXT},
    {"cuid", PSL_DEFAULT_CUID, 1u << PSL_TEXT},
    {"ulid", PSL_DEFAULT_ULID, 1u << PSL_TEXT},
    {"nanoid", PSL_DEFAULT_NANOID, 1u << PSL_TEXT},
    {"dbgenerated", PSL_DEFAULT_DBGENERATED, ~0u},
};

enum { FUNCTIONS = COUNT(functions) };

static const DefaultFunction *
function_of(const Ctx *c, Str name)
{
    for (size_t i = 0; i < FUNCTIONS; i++) {
        if (str_is(name, functions[i].name) &&
            !(c->prisma == 5 && functions[i].kind == PSL_DEFAULT_ULID))
            return &functions[i];
    }
    return NULL;
}

static void
unknown_function(Ctx *c, PslModelField *f, const PslExpr *e)
{
    Finding *d = v_field_error(c, FINDING_DEFAULT_FUNCTION, f, e->span,
                               "there is no default function " STR_FMT "()", Q(e->text));
    Nearest near;
    v_near_init(c, &near, e->text);
    for (size_t i = 0; i < FUNCTIONS; i++) {
        if (function_of(c, str_of(functions[i].name)))
            v_near_try(&near, str_of(functions[i].name));
    }
    if (v_near_found(&near))
        v_hint(c, d, "did you mean " STR_FMT "()?", Q(near.best));
    else
        v_hint(c, d, "for an expression of the database: dbgenerated(\"...\")");
}

/* The only argument's number, when it is one from 0 to 255. */
static bool
small_number(const PslExpr *e, int64_t *ret)
{
    return e->kind == PSL_NUMBER && !v_literal_integer(e->text, ret) && *ret >= 0 && *ret <= 255;
}

static void
check_arguments(Ctx *c, PslModelField *f, const DefaultFunction *fn, const PslExpr *e)
{
    const char *takes = NULL;
    const PslExpr *first = e->args.n ? &e->args.v[0].value : NULL;
    int64_t n = 0;
    switch (fn->kind) {
    case PSL_DEFAULT_UUID:
        if (first && (e->args.n > 1 || !small_number(first, &n) || (n != 4 && n != 7)))
            takes = "no argument, 4 or 7";
        break;
    case PSL_DEFAULT_CUID:
        if (first && c->prisma == 5)
            takes = "no argument in Prisma 5";
        else if (first && (e->args.n > 1 || !small_number(first, &n) || (n != 1 && n != 2)))
            takes = "no argument, 1 or 2";
        break;
    case PSL_DEFAULT_NANOID:
        if (first && (e->args.n > 1 || !small_number(first, &n) || n < 2))
            takes = "no argument or a length from 2 to 255";
        break;
    case PSL_DEFAULT_DBGENERATED:
        if (first && (e->args.n > 1 || first->kind != PSL_STRING || first->text.n == 0))
            takes = "no argument or an SQL expression as a text that is not empty";
        else if (first)
            f->dflt.value = first;
        break;
    default:
        if (first)
            takes = "no argument";
        break;
    }
    if (takes)
        v_field_error(c, FINDING_DEFAULT_ARGUMENT, f, e->span, "%s() takes %s", fn->name, takes);
}

static void
function_default(Ctx *c, PslModelField *f, const PslExpr *e)
{
    const DefaultFunction *fn = function_of(c, e->text);
    if (f->kind == PSL_FIELD_ENUM && !(fn && fn->kind == PSL_DEFAULT_DBGENERATED)) {
        v_field_error(c, FINDING_DEFAULT_TYPE, f, e->span,
                      "the default of \"" STR_FMT "\" must be a value of the enum \"" STR_FMT "\"",
                      Q(f->name), Q(f->enum_->name));
        return;
    }
    if (!fn && str_is(e->text, "auto")) {
        v_field_error(c, FINDING_DEFAULT_FUNCTION, f, e->span,
                      "auto() is not available with PostgreSQL");
        return;
    }
    if (!fn) {
        unknown_function(c, f, e);
        return;
    }
    f->dflt.kind = fn->kind;
    f->dflt.value = NULL;
    if (fn->kind != PSL_DEFAULT_DBGENERATED && !(fn->scalars & (1u << f->scalar))) {
        v_field_error(c, FINDING_DEFAULT_TYPE, f, e->span, "%s() does not give %s", fn->name,
                      v_a(c, psl_scalar_name(f->scalar)));
        return;
    }
    check_arguments(c, f, fn, e);
}

static bool
enum_value(Ctx *c, PslModelField *f, const PslExpr *e)
{
    if (e->kind != PSL_CONSTANT) {
        Finding *d = v_field_error(c, FINDING_DEFAULT_TYPE, f, e->span,
                                   "the default of \"" STR_FMT
                                   "\" must be a value of the enum \"" STR_FMT "\"",
                                   Q(f->name), Q(f->enum_->name));
        if (e->kind == PSL_STRING && map_has(&f->enum_->by_name, e->text))
            v_hint(c, d, "write it without quotes: " STR_FMT, Q(e->text));
        return false;
    }
    if (map_has(&f->enum_->by_name, e->text) || f->enum_->is_partial)
        return true;
    Finding *d = v_field_error(c, FINDING_DEFAULT_ENUM, f, e->span,
                               "the enum \"" STR_FMT "\" has no value \"" STR_FMT "\"",
                               Q(f->enum_->name), Q(e->text));
    Nearest near;
    v_near_init(c, &near, e->text);
    for (size_t i = 0; i < f->enum_->nvalues && v_near_open(&near); i++)
        v_near_try(&near, f->enum_->values[i].name);
    if (v_near_found(&near))
        v_hint(c, d, "did you mean " STR_FMT "?", Q(near.best));
    return false;
}

static bool
scalar_value(Ctx *c, PslModelField *f, const PslExpr *e)
{
    static const struct {
        bool number, string;
    } takes[PSL_SCALAR_COUNT] = {
        [PSL_INT] = {.number = true},   [PSL_BIGINT] = {.number = true},
        [PSL_FLOAT] = {.number = true}, [PSL_DECIMAL] = {.number = true, .string = true},
        [PSL_TEXT] = {.string = true},  [PSL_DATETIME] = {.string = true},
        [PSL_JSON] = {.string = true},  [PSL_BYTES] = {.string = true},
    };
    if ((e->kind == PSL_NUMBER && takes[f->scalar].number) ||
        (e->kind == PSL_STRING && takes[f->scalar].string))
        return true;
    if (e->kind == PSL_CONSTANT && f->scalar == PSL_BOOLEAN) {
        if (str_is(e->text, "true") || str_is(e->text, "false"))
            return true;
        v_field_error(c, FINDING_DEFAULT_TYPE, f, e->span, "a Boolean is true or false");
        return false;
    }
    Finding *d = v_field_error(c, FINDING_DEFAULT_TYPE, f, e->span,
                               "the default of \"" STR_FMT "\" must be %s, not %s", Q(f->name),
                               v_a(c, psl_scalar_name(f->scalar)), v_a(c, psl_expr_word(e->kind)));
    Str text = psl_text(model_file(f->model), e->span);
    if (e->kind == PSL_STRING && (takes[f->scalar].number || f->scalar == PSL_BOOLEAN))
        v_hint(c, d, "write it without quotes");
    else if (f->scalar == PSL_TEXT && e->kind != PSL_ARRAY && e->kind != PSL_OBJECT)
        v_hint(c, d, "write it in quotes: \"" STR_FMT "\"", Q(text));
    return false;
}

static bool
single_value(Ctx *c, PslModelField *f, const PslExpr *e)
{
    return f->kind == PSL_FIELD_ENUM ? enum_value(c, f, e) : scalar_value(c, f, e);
}

static void
list_value(Ctx *c, PslModelField *f, const PslExpr *e)
{
    if (e->kind != PSL_ARRAY) {
        Finding *d = v_field_error(c, FINDING_DEFAULT_LIST, f, e->span,
                                   "the default of a list must be a list");
        v_hint(c, d, "write [" STR_FMT "]", Q(psl_text(model_file(f->model), e->span)));
        return;
    }
    for (size_t i = 0; i < e->args.n; i++) {
        if (!single_value(c, f, &e->args.v[i].value))
            return;
    }
}

void
v_check_default(Ctx *c, PslModelField *f, const PslAttr *attr)
{
    Args args;
    Str map;
    if (!v_args_read(c, model_file(f->model), attr, ATTR_DEFAULT, &args)) {
        f->is_broken = true;
        return;
    }
    const PslExpr *e = &args.v[0]->value;
    f->dflt = (PslDefault){attr, e, PSL_DEFAULT_VALUE};
    if (v_args_name(c, &args, 1, &map))
        v_field_error(c, FINDING_DEFAULT_MAP, f, attr->span,
                      "defaults have no name of their own in PostgreSQL");
    if (args.is_broken)
        f->is_broken = true;
    bool dbgenerated = e->kind == PSL_FUNCTION && str_is(e->text, "dbgenerated");
    if (f->kind == PSL_FIELD_UNSUPPORTED && !dbgenerated) {
        Finding *d = v_field_error(c, FINDING_DEFAULT_TYPE, f, e->span,
                                   "the default of an Unsupported field can only be dbgenerated()");
        v_hint(c, d, "write @default(dbgenerated(\"...\")) with an SQL expression");
    } else if (e->kind == PSL_FUNCTION) {
        function_default(c, f, e);
    } else if (f->arity == PSL_LIST) {
        list_value(c, f, e);
    } else if (e->kind == PSL_ARRAY && f->kind == PSL_FIELD_SCALAR) {
        v_field_error(c, FINDING_DEFAULT_LIST, f, e->span,
                      "the default of a field that is no list cannot be a list");
    } else {
        (void)single_value(c, f, e);
    }
}

/* -- What the literals hold -- */

static void
check_range(Ctx *c, PslModelField *f, const PslExpr *e, int64_t value)
{
    int64_t max = f->native == PSL_NATIVE_SMALLINT ? INT16_MAX
                  : f->native == PSL_NATIVE_OID    ? UINT32_MAX
                                                   : INT32_MAX;
    int64_t min = f->native == PSL_NATIVE_OID ? 0 : -max - 1;
    /* Prisma lets this pass, every INSERT that needs the default fails. */
    if (f->scalar == PSL_INT && (value < min || value > max))
        v_warn(c, FINDING_DEFAULT_RANGE, model_file(f->model), e->span,
               "%lld does not fit into the column", (long long)value);
}

static void
check_literal(Ctx *c, PslModelField *f, const PslExpr *e)
{
    const char *wrong = NULL, *what = NULL;
    int64_t value;
    if (e->kind == PSL_NUMBER && (f->scalar == PSL_INT || f->scalar == PSL_BIGINT)) {
        what = "whole number";
        wrong = v_literal_integer(e->text, &value);
        if (!wrong)
            check_range(c, f, e, value);
    } else if (e->kind != PSL_STRING) {
        return;
    } else if (f->scalar == PSL_JSON) {
        what = "JSON text";
        wrong = v_literal_json(e->text);
    } else if (f->scalar == PSL_BYTES) {
        what = "base64 text";
        wrong = v_literal_base64(e->text);
    } else if (f->scalar == PSL_DATETIME) {
        what = "time";
        wrong = v_literal_datetime(e->text);
    } else if (f->scalar == PSL_DECIMAL) {
        what = "decimal number";
        wrong = v_literal_decimal(e->text);
    }
    if (!wrong)
        return;
    Finding *d =
        v_field_error(c, FINDING_DEFAULT_LITERAL, f, e->span,
                      "the default of \"" STR_FMT "\" is not a %s: %s", Q(f->name), what, wrong);
    if (f->scalar == PSL_DATETIME)
        v_hint(c, d, "write it like \"2024-12-31T23:59:59Z\" (RFC 3339)");
}

void
v_default_literal_check(Ctx *c, PslModelField *f)
{
    const PslExpr *e = f->dflt.value;
    if (f->dflt.kind != PSL_DEFAULT_VALUE || f->kind != PSL_FIELD_SCALAR)
        return;
    if (e->kind != PSL_ARRAY) {
        check_literal(c, f, e);
        return;
    }
    for (size_t i = 0; i < e->args.n; i++)
        check_literal(c, f, &e->args.v[i].value);
}
