/* `where` of partial indexes: raw("...") or an object of fields and values. */
#include "psl/validate_int.h"

typedef struct Where {
    Ctx *c;
    PslKey *key;
} Where;

static Finding *
wrong(Where *w, const PslExpr *e, const char *text)
{
    return v_model_error(w->c, FINDING_WHERE_FORM, w->key->model, e->span, "%s", text);
}

static bool
fits(const PslModelField *f, const PslExpr *e)
{
    bool is_bool = e->kind == PSL_CONSTANT;
    bool is_number = e->kind == PSL_NUMBER;
    if (f->kind == PSL_FIELD_ENUM)
        return e->kind == PSL_STRING;
    switch (f->scalar) {
    case PSL_BOOLEAN:
        return is_bool;
    case PSL_INT:
    case PSL_BIGINT:
    case PSL_FLOAT:
    case PSL_DECIMAL:
        return is_number;
    case PSL_TEXT:
    case PSL_DATETIME:
        return e->kind == PSL_STRING;
    default:
        return false;
    }
}

static void
check_value(Where *w, const PslModelField *f, const PslExpr *e)
{
    bool is_null = e->kind == PSL_CONSTANT && str_is(e->text, "null");
    bool is_bool = e->kind == PSL_CONSTANT && (str_is(e->text, "true") || str_is(e->text, "false"));
    if (is_null)
        return;
    if (!is_bool && e->kind != PSL_STRING && e->kind != PSL_NUMBER) {
        wrong(w, e, "a condition is null, true, false, a text, a number, or { not: ... } of those");
    } else if (f->kind == PSL_FIELD_UNSUPPORTED) {
        Finding *d = wrong(w, e, "a field of type Unsupported can only be compared with null");
        v_hint(w->c, d, "write the condition in SQL: where: raw(\"...\")");
    } else if (!fits(f, e)) {
        Finding *d =
            v_model_error(w->c, FINDING_WHERE_TYPE, w->key->model, e->span,
                          "\"" STR_FMT "\" cannot be compared with this value", Q(f->name));
        v_note(w->c, d, "its type is " STR_FMT, Q(f->ast->type.name));
        v_hint(w->c, d, "write the condition in SQL: where: raw(\"...\")");
    }
}

static void
check_condition(Where *w, const PslArg *member)
{
    const PslModelField *f = psl_model_field(w->key->model, member->name);
    const PslExpr *e = &member->value;
    if (!f) {
        v_model_error(w->c, FINDING_FIELD_UNKNOWN, w->key->model, member->span,
                      "the model \"" STR_FMT "\" has no field \"" STR_FMT "\"",
                      Q(w->key->model->name), Q(member->name));
        return;
    }
    if (f->kind == PSL_FIELD_RELATION) {
        v_model_error(w->c, FINDING_FIELD_NOT_SCALAR, w->key->model, member->span,
                      "\"" STR_FMT "\" is a relation field: it has no column of its own",
                      Q(f->name));
        return;
    }
    if (f->kind == PSL_FIELD_UNKNOWN || f->kind == PSL_FIELD_COMPOSITE)
        return;
    if (e->kind != PSL_OBJECT) {
        check_value(w, f, e);
        return;
    }
    if (e->args.n != 1 || !str_is(e->args.v[0].name, "not")) {
        Finding *d = wrong(w, e, "the only operator in a condition is \"not\"");
        v_hint(w->c, d, "write { " STR_FMT ": { not: null } }, or use raw(\"...\")", Q(f->name));
        return;
    }
    check_value(w, f, &e->args.v[0].value);
}

void
v_where_check(Ctx *c, PslKey *key, const PslArg *arg)
{
    Where w = {c, key};
    const PslExpr *e = &arg->value;
    key->where = e;
    if (e->kind == PSL_FUNCTION && str_is(e->text, "raw")) {
        const PslExpr *sql = e->args.n ? &e->args.v[0].value : NULL;
        if (!sql || sql->kind != PSL_STRING || sql->text.n == 0) {
            Finding *d = wrong(&w, e, "raw() takes an SQL condition");
            v_hint(c, d, "write raw(\"status = 'active'\")");
        }
    } else if (e->kind == PSL_OBJECT && e->args.n) {
        for (size_t i = 0; i < e->args.n; i++)
            check_condition(&w, &e->args.v[i]);
    } else {
        Finding *d = wrong(&w, e, "a partial index needs a condition");
        v_hint(c, d, "write where: raw(\"...\"), or where: { active: true }");
    }
    if (!v_has_preview(c, "partialIndexes")) {
        Finding *d = v_model_error(c, FINDING_WHERE_PREVIEW, key->model, arg->span,
                                   "partial indexes are a preview feature of Prisma");
        v_hint(c, d, "add to the generator: previewFeatures = [\"partialIndexes\"]");
    }
}
