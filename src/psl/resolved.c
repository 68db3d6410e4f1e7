/* Looking things up in what was resolved, and what may be missing there. */
#include "psl/validate_int.h"

PslModel *
psl_model(const PslResolved *r, Str name)
{
    return map_get(&r->models_by_name, name);
}

PslEnum *
psl_enum(const PslResolved *r, Str name)
{
    return map_get(&r->enums_by_name, name);
}

PslModelField *
psl_model_field(const PslModel *model, Str name)
{
    if (model->nfields > FEW_FIELDS)
        return map_get(&model->by_name, name);
    for (size_t i = 0; i < model->nfields; i++) {
        if (str_eq(model->fields[i].name, name))
            return &model->fields[i];
    }
    return NULL;
}

bool
psl_has_preview(const PslResolved *r, const char *feature)
{
    for (size_t i = 0; i < r->ngenerators; i++) {
        for (size_t k = 0; k < r->generators[i].npreviews; k++) {
            if (str_ieq(r->generators[i].previews[k], str_of(feature)))
                return true;
        }
    }
    return false;
}

const char *
psl_action_name(PslAction action)
{
    static const char *const names[] = {
        [PSL_ACTION_NONE] = "",       [PSL_CASCADE] = "Cascade",  [PSL_RESTRICT] = "Restrict",
        [PSL_NO_ACTION] = "NoAction", [PSL_SET_NULL] = "SetNull", [PSL_SET_DEFAULT] = "SetDefault",
    };
    return names[action];
}

bool
psl_scalar_of(Str name, PslScalar *ret)
{
    for (PslScalar s = 0; s < PSL_SCALAR_COUNT; s++) {
        if (str_is(name, psl_scalar_name(s))) {
            if (ret)
                *ret = s;
            return true;
        }
    }
    return false;
}

/* The words of JavaScript and the client's own. */
bool
v_is_reserved(Str name, bool *ret_is_late)
{
    static const char *const words[] = {
        "PrismaClient", "break",   "case",       "catch",     "class",    "const", "continue",
        "debugger",     "default", "delete",     "do",        "else",     "enum",  "export",
        "extends",      "false",   "finally",    "for",       "function", "if",    "implements",
        "import",       "in",      "instanceof", "interface", "let",      "new",   "null",
        "package",      "private", "protected",  "public",    "return",   "super", "switch",
        "this",         "throw",   "true",       "try",       "typeof",   "var",   "void",
        "while",        "with",    "yield",      "async",     "await",    "using",
    };
    enum { WORDS = COUNT(words), LATE = 3 };
    for (size_t i = 0; i < WORDS; i++) {
        if (str_is(name, words[i])) {
            *ret_is_late = i >= WORDS - LATE;
            return true;
        }
    }
    return false;
}

bool
psl_is_reserved(Str name)
{
    bool late;
    return v_is_reserved(name, &late);
}

static bool
has_bad_item(PslItems items)
{
    for (size_t i = 0; i < items.n; i++) {
        if (items.v[i].kind == PSL_ITEM_BAD)
            return true;
    }
    return false;
}

static bool
is_note(const PslItem *item)
{
    return item->kind == PSL_ITEM_COMMENT || item->kind == PSL_ITEM_BLOCK_COMMENT ||
           item->kind == PSL_ITEM_BLANK;
}

/* Unread lines, not a block of their own. */
static bool
is_loose(const PslDecl *decl, const PslItem *item)
{
    Str text = psl_text(decl->file, item->span);
    return item->kind == PSL_ITEM_BAD && !memchr(text.p, '{', text.n);
}

/* Lines beside a block that could not be read may belong into it: a brace too many ends it early, a
 * line slipped out above it. */
static bool
has_loose_neighbour(const PslDecl *decl)
{
    const PslItem *first = decl->file->items.v, *end = first + decl->file->items.n;
    const PslItem *before = first + decl->item, *behind = before + 1;
    while (before > first && is_note(before - 1))
        before--;
    while (behind < end && is_note(behind))
        behind++;
    return (before > first && is_loose(decl, before - 1)) ||
           (behind < end && is_loose(decl, behind));
}

bool
v_decl_is_partial(const PslDecl *decl)
{
    Str text = decl->file->source->text;
    bool is_closed = decl->close < text.n && text.p[decl->close] == '}';
    return !is_closed || has_bad_item(decl->items) || has_loose_neighbour(decl);
}
