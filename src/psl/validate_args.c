/* Arguments of an attribute: matched with the table, and read as what they should be. */
#include "psl/validate_int.h"

bool
v_expr_is(Ctx *c, const PslFile *file, const PslExpr *e, PslExprKind kind)
{
    if (e->kind == kind)
        return true;
    v_error(c, FINDING_VALUE_KIND, file, e->span, "%s belongs here, not %s",
            v_a(c, psl_expr_word(kind)), v_a(c, psl_expr_word(e->kind)));
    return false;
}

PslArgs
v_expr_elements(const PslExpr *e, PslArg *space)
{
    if (e->kind == PSL_ARRAY)
        return e->args;
    *space = (PslArg){.value = *e, .span = e->span};
    return (PslArgs){space, 1};
}

/* Arguments without a value and commas too many, in a list of arguments. */
static bool
check_form(Ctx *c, const PslFile *file, PslArgs args, uint32_t trailing_comma, bool allow_comma)
{
    bool ok = true;
    for (size_t i = 0; i < args.n; i++) {
        if (args.v[i].value.kind != PSL_MISSING)
            continue;
        v_error(c, FINDING_ARGUMENT_EMPTY, file, args.v[i].span,
                "the argument \"" STR_FMT "\" has no value", Q(args.v[i].name));
        ok = false;
    }
    if (trailing_comma && !allow_comma) {
        Finding *d = v_error(c, FINDING_ARGUMENT_COMMA, file, (PslSpan){trailing_comma, 1},
                             "there is a comma behind the last argument");
        v_hint(c, d, "remove it");
    }
    return ok;
}

static bool
check_forms(Ctx *c, const PslFile *file, const PslAttr *attr)
{
    bool ok = check_form(c, file, attr->args, attr->trailing_comma, false);
    for (size_t i = 0; i < attr->args.n; i++) {
        const PslExpr *e = &attr->args.v[i].value;
        if (e->kind == PSL_FUNCTION)
            ok &= check_form(c, file, e->args, e->trailing_comma, false);
        if (e->kind != PSL_ARRAY)
            continue;
        for (size_t k = 0; k < e->args.n; k++) {
            const PslExpr *element = &e->args.v[k].value;
            if (element->kind == PSL_FUNCTION)
                (void)check_form(c, file, element->args, element->trailing_comma, true);
        }
    }
    return ok;
}

/* The position of an argument in the spec, ATTR_ARGS_MAX when it has none of that name. Partial
 * indexes came with Prisma 7. */
static unsigned
arg_index(const Ctx *c, const AttrSpec *spec, Str name)
{
    unsigned i = 0;
    while (i < ATTR_ARGS_MAX && !(spec->args[i] && str_is(name, spec->args[i])))
        i++;
    bool too_new = (c->prisma == 5 || c->prisma == 6) && str_is(name, "where");
    return too_new ? ATTR_ARGS_MAX : i;
}

static void
unknown_arg(Ctx *c, Args *args, const PslArg *arg)
{
    const AttrSpec *spec = &psl_attr_specs[args->id];
    args->is_broken = true;
    if (arg->name.n == 0) {
        v_error(c, FINDING_ARGUMENT_UNKNOWN, args->file, arg->span,
                "%s takes no argument like this", spec->shown);
        return;
    }
    Finding *d = v_error(c, FINDING_ARGUMENT_UNKNOWN, args->file, arg->span,
                         "%s has no argument \"" STR_FMT "\"", spec->shown, Q(arg->name));
    Nearest near;
    v_near_init(c, &near, arg->name);
    for (unsigned i = 0; i < ATTR_ARGS_MAX && spec->args[i]; i++)
        v_near_try(&near, str_of(spec->args[i]));
    if (c->prisma && c->prisma < 7 && str_is(arg->name, "where"))
        v_hint(c, d, "partial indexes came with Prisma 7");
    else if (v_near_found(&near))
        v_hint(c, d, "did you mean \"" STR_FMT "\"?", Q(near.best));
}

static void
match_args(Ctx *c, Args *args)
{
    const AttrSpec *spec = &psl_attr_specs[args->id];
    const PslArg *unnamed = NULL;
    for (size_t i = 0; i < args->attr->args.n; i++) {
        const PslArg *arg = &args->attr->args.v[i];
        if (arg->name.n == 0) {
            if (unnamed && (spec->form & ARG_UNNAMED)) {
                Finding *d = v_error(c, FINDING_ARGUMENT_SEVERAL, args->file, arg->span,
                                     "%s takes one argument without a name", spec->shown);
                if (str_is(STR("fields"), spec->args[0]))
                    v_hint(c, d, "put the fields into brackets: %s([a, b])", spec->shown);
                args->is_broken = true;
            } else if (!(spec->form & ARG_UNNAMED)) {
                unknown_arg(c, args, arg);
            }
            unnamed = arg;
            continue;
        }
        unsigned k = arg_index(c, spec, arg->name);
        if (k == ATTR_ARGS_MAX) {
            unknown_arg(c, args, arg);
            continue;
        }
        if (args->v[k]) {
            v_error(c, FINDING_ARGUMENT_DUPLICATE, args->file, arg->span,
                    "the argument \"" STR_FMT "\" is given twice", Q(arg->name));
            args->is_broken = true;
        }
        args->v[k] = arg;
    }
    if (!unnamed || !(spec->form & ARG_UNNAMED))
        return;
    if (args->v[0]) {
        v_error(c, FINDING_ARGUMENT_DUPLICATE, args->file, args->v[0]->span,
                "the argument \"%s\" is given twice: with and without its name", spec->args[0]);
        args->is_broken = true;
    }
    args->v[0] = unnamed;
}

bool
v_args_read(Ctx *c, const PslFile *file, const PslAttr *attr, AttrId id, Args *ret)
{
    const AttrSpec *spec = &psl_attr_specs[id];
    *ret = (Args){.attr = attr, .file = file, .id = id};
    if (!check_forms(c, file, attr)) {
        ret->is_broken = true;
        return false;
    }
    match_args(c, ret);
    if (ret->v[0] || !(spec->form & ARG_NEEDED))
        return true;
    Finding *d = v_error(c, FINDING_ARGUMENT_MISSING, file, attr->span,
                         "%s needs the argument \"%s\"", spec->shown, spec->args[0]);
    if (str_is(STR("fields"), spec->args[0]))
        v_hint(c, d, "write %s([a, b]) with the names of the fields", spec->shown);
    ret->is_broken = true;
    return false;
}

static bool
args_value(Ctx *c, Args *args, unsigned index, PslExprKind kind, Str *ret)
{
    if (!args->v[index])
        return false;
    const PslExpr *e = &args->v[index]->value;
    if (!v_expr_is(c, args->file, e, kind)) {
        args->is_broken = true;
        return false;
    }
    *ret = e->text;
    return true;
}

bool
v_args_string(Ctx *c, Args *args, unsigned index, Str *ret)
{
    return args_value(c, args, index, PSL_STRING, ret);
}

bool
v_args_constant(Ctx *c, Args *args, unsigned index, Str *ret)
{
    return args_value(c, args, index, PSL_CONSTANT, ret);
}

bool
v_args_name(Ctx *c, Args *args, unsigned index, Str *ret)
{
    if (!v_args_string(c, args, index, ret))
        return false;
    if (ret->n)
        return true;
    v_error(c, FINDING_ARGUMENT_EMPTY_TEXT, args->file, args->v[index]->span,
            "the argument \"%s\" cannot be an empty text", psl_attr_specs[args->id].args[index]);
    args->is_broken = true;
    return false;
}
