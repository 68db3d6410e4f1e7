/* Looking things up in the syntax tree. */
#include "psl/psl.h"
#include "psl/stages.h"

const PslAttr *
psl_attr(PslAttrs attrs, const char *name)
{
    vec_each (const PslAttr, attr, &attrs) {
        if (str_is(attr->name, name))
            return attr;
    }
    return NULL;
}

static const PslArg *
argument(PslArgs args, const char *name, int position)
{
    const PslArg *unnamed = NULL;
    vec_each (const PslArg, arg, &args) {
        if (arg->name.n == 0) {
            if (position-- == 0)
                unnamed = arg;
        } else if (name && str_is(arg->name, name)) {
            return arg;
        }
    }
    return unnamed;
}

const PslExpr *
psl_arg_value(PslArgs args, const char *name, int position)
{
    const PslArg *arg = argument(args, name, position);
    return arg && arg->value.kind != PSL_MISSING ? &arg->value : NULL;
}

const PslField *
psl_field(const PslDecl *decl, Str name)
{
    vec_each (const PslField, field, &decl->fields) {
        if (str_eq(field->name, name))
            return field;
    }
    return NULL;
}

const PslProp *
psl_prop(const PslDecl *decl, const char *name)
{
    vec_each (const PslProp, prop, &decl->props) {
        if (str_is(prop->name, name))
            return prop;
    }
    return NULL;
}

const PslDecl *
psl_decl(const PslSchema *schema, PslDeclKind kind, Str name)
{
    for (size_t i = 0; i < schema->ndecls; i++) {
        const PslDecl *decl = schema->decls[i];
        if (decl->kind == kind && (name.n == 0 || str_eq(decl->name, name)))
            return decl;
    }
    return NULL;
}

const char *
psl_decl_word(PslDeclKind kind)
{
    return kind == PSL_TYPE ? "composite type" : psl_decl_keyword(kind);
}

const char *
psl_decl_keyword(PslDeclKind kind)
{
    static const char *const words[] = {
        [PSL_MODEL] = "model",
        [PSL_VIEW] = "view",
        [PSL_TYPE] = "type",
        [PSL_ENUM] = "enum",
        [PSL_DATASOURCE] = "datasource",
        [PSL_GENERATOR] = "generator",
    };
    return words[kind];
}

const char *
psl_expr_word(PslExprKind kind)
{
    static const char *const words[] = {
        [PSL_MISSING] = "nothing",   [PSL_STRING] = "string",          [PSL_NUMBER] = "number",
        [PSL_CONSTANT] = "constant", [PSL_FUNCTION] = "function call", [PSL_ARRAY] = "array",
        [PSL_OBJECT] = "object",
    };
    return words[kind];
}

PslSpan
psl_span_of(const PslFile *file, Str view)
{
    Str text = file->source->text;
    uintptr_t start = (uintptr_t)text.p, p = (uintptr_t)view.p;
    if (p < start || p - start > text.n || view.n > text.n - (p - start))
        return (PslSpan){0, 0};
    return (PslSpan){(uint32_t)(p - start), (uint32_t)view.n};
}

Str
psl_text(const PslFile *file, PslSpan span)
{
    return str_slice(file->source->text, span.off, (size_t)span.off + span.len);
}

Finding *
psl_diag(FindingList *diags, Severity severity, FindingId id, const PslFile *file, PslSpan at,
         const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    const char *message = str_vfmt(diags->arena, fmt, ap);
    va_end(ap);
    Finding *d = finding_addz(diags, id, severity, message);
    d->source = file->source;
    d->off = at.off;
    d->len = at.len;
    d->rank = psl_stage(d->severity, id);
    return d;
}
