/* The first step of the validation: declarations, names, types of fields. */
#include "psl/lex.h"
#include "psl/validate_int.h"

static bool
check_identifier(Ctx *c, const PslFile *file, Str name, const char *what)
{
    PslSpan at = psl_span_of(file, name);
    if (name.n && name.p[0] >= '0' && name.p[0] <= '9') {
        Finding *d = v_error(c, FINDING_NAME_DIGIT, file, at,
                             "the name of %s cannot begin with a digit", what);
        v_hint(c, d, "choose another name and keep the old one in the database with @map");
        return false;
    }
    if (memchr(name.p, '-', name.n)) {
        Finding *d = v_error(c, FINDING_NAME_HYPHEN, file, at,
                             "the name of %s cannot contain a hyphen", what);
        v_hint(c, d, "write _ instead and keep the old name in the database with @map");
        return false;
    }
    return true;
}

static void
check_reserved(Ctx *c, const PslDecl *decl)
{
    bool late = false;
    if (!v_is_reserved(decl->name, &late))
        return;
    const char *word = v_a(c, psl_decl_word(decl->kind));
    if (!late) {
        Finding *d = v_error(c, FINDING_NAME_RESERVED, decl->file, name_span(decl),
                             "\"" STR_FMT "\" is reserved and cannot be the name of %s",
                             Q(decl->name), word);
        v_hint(c, d, "rename it and add @@map(\"" STR_FMT "\")", Q(decl->name));
        return;
    }
    Finding *d =
        v_dialect(c, P6 | P7, FINDING_NAME_RESERVED, decl->file, name_span(decl),
                  "Prisma 6 and 7 refuse \"" STR_FMT "\" as the name of %s", Q(decl->name), word);
    v_hint(c, d, "rename it and add @@map(\"" STR_FMT "\")", Q(decl->name));
}

/* Remember the words of what could not be read outside of blocks. */
static void
collect_unread(Ctx *c, const PslFile *file)
{
    for (size_t i = 0; i < file->items.n; i++) {
        if (file->items.v[i].kind != PSL_ITEM_BAD)
            continue;
        c->has_unread = true;
        Str text = psl_text(file, file->items.v[i].span);
        c->has_headless |= text.n > 0 && text.p[0] == '}';
        for (size_t at = 0, end; at<text.n; at = end> at ? end : at + 1) {
            end = lex_name(text, at);
            if (end > at)
                map_put(&c->unread, str_slice(text, at, end), c);
        }
    }
}

/* Enter a declaration under its name; false when the name is taken in that name space. */
static bool
claim_name(Ctx *c, Map *names, const PslDecl *decl)
{
    const PslDecl *other = map_get(names, decl->name);
    if (!other) {
        map_put(names, decl->name, (void *)(uintptr_t)decl);
        return true;
    }
    Finding *d = v_error(c, FINDING_NAME_DUPLICATE, decl->file, name_span(decl),
                         "there is already %s with the name \"" STR_FMT "\"",
                         v_a(c, psl_decl_word(other->kind)), Q(decl->name));
    str_cursor_to(&c->cursor, other->file->source->text, other->span.off);
    v_note(c, d, "the first one is at %s:%d", other->file->source->path, c->cursor.line);
    return false;
}

static void
declare_fields(Ctx *c, PslModel *m)
{
    m->nfields = m->decl->fields.n;
    m->fields = arena_array(c->a, PslModelField, m->nfields);
    map_init(&m->by_name, c->a);
    if (m->nfields > FEW_FIELDS)
        map_reserve(&m->by_name, m->nfields);
    for (size_t i = 0; i < m->nfields; i++) {
        const PslField *ast = &m->decl->fields.v[i];
        PslModelField *f = &m->fields[i];
        *f = (PslModelField){.ast = ast,
                             .model = m,
                             .name = ast->name,
                             .column = ast->name,
                             .arity = ast->type.arity};
        if (!check_identifier(c, model_file(m), f->name, "a field"))
            f->is_broken = true;
        const PslModelField *first = psl_model_field(m, f->name);
        if (first && first != f) {
            m->is_broken = true;
            if (m->is_partial)
                continue;
            v_field_error(c, FINDING_FIELD_DUPLICATE, f, psl_span_of(model_file(m), f->name),
                          "the %s \"" STR_FMT "\" has a field \"" STR_FMT "\" already",
                          psl_decl_word(m->decl->kind), Q(m->name), Q(f->name));
            continue;
        }
        if (m->nfields > FEW_FIELDS)
            map_put(&m->by_name, f->name, f);
    }
}

static void
declare_model(Ctx *c, const PslDecl *decl, bool is_first)
{
    PslModel *m = arena_new(c->a, PslModel);
    *m = (PslModel){.decl = decl,
                    .index = (uint32_t)c->r->nmodels,
                    .name = decl->name,
                    .table = decl->name,
                    .is_view = decl->kind == PSL_VIEW};
    m->is_broken = m->is_partial = v_decl_is_partial(decl) || !is_first;
    c->r->models[c->r->nmodels++] = m;
    if (!check_identifier(c, decl->file, decl->name, m->is_view ? "a view" : "a model"))
        m->is_broken = true;
    check_reserved(c, decl);
    PslModel *first = psl_model(c->r, m->name);
    if (first)
        first->is_broken = first->is_partial = true; /* fields of it may stand in the other */
    else if (is_first)
        map_put(&c->r->models_by_name, m->name, m);
    declare_fields(c, m);
}

static void
declare_enum(Ctx *c, const PslDecl *decl, bool is_first)
{
    PslEnum *e = arena_new(c->a, PslEnum);
    *e = (PslEnum){.decl = decl, .name = decl->name, .db_name = decl->name};
    e->is_partial = v_decl_is_partial(decl) || !is_first;
    c->r->enums[c->r->nenums++] = e;
    check_identifier(c, decl->file, decl->name, "an enum");
    check_reserved(c, decl);
    if (is_first)
        map_put(&c->r->enums_by_name, e->name, e);
    e->nvalues = decl->values.n;
    e->values = arena_array(c->a, PslEnumValue, e->nvalues);
    map_init(&e->by_name, c->a);
    map_reserve(&e->by_name, e->nvalues);
    for (size_t i = 0; i < e->nvalues; i++) {
        const PslValue *ast = &decl->values.v[i];
        e->values[i] = (PslEnumValue){ast, ast->name, ast->name};
        check_identifier(c, decl->file, ast->name, "an enum value");
        if (map_put(&e->by_name, ast->name, &e->values[i])) {
            v_error(c, FINDING_ENUM_VALUE_DUPLICATE, decl->file, psl_span_of(decl->file, ast->name),
                    "the enum \"" STR_FMT "\" has the value \"" STR_FMT "\" already", Q(e->name),
                    Q(ast->name));
        }
    }
    if (e->nvalues == 0 && !e->is_partial)
        v_error(c, FINDING_ENUM_EMPTY, decl->file, name_span(decl),
                "the enum \"" STR_FMT "\" has no values", Q(e->name));
}

/* Prisma takes composite types for MongoDB only: their fields are not looked at. */
static void
declare_composite(Ctx *c, const PslDecl *decl, bool is_first)
{
    if (is_first)
        map_put(&c->composites, decl->name, (void *)(uintptr_t)decl);
    Finding *d = v_error(c, FINDING_COMPOSITE_UNSUPPORTED, decl->file, name_span(decl),
                         "composite types are not available with PostgreSQL");
    v_hint(c, d, "use a model with a relation, or a field of type Json");
}

static void
check_props(Ctx *c, const PslDecl *decl)
{
    Map seen;
    map_init(&seen, c->scratch);
    for (size_t i = 0; i < decl->props.n && !v_decl_is_partial(decl); i++) {
        const PslProp *prop = &decl->props.v[i];
        if (map_put(&seen, prop->name, (void *)(uintptr_t)prop))
            v_error(c, FINDING_PROPERTY_DUPLICATE, decl->file, psl_span_of(decl->file, prop->name),
                    "\"" STR_FMT "\" is set twice in this %s", Q(prop->name),
                    psl_decl_word(decl->kind));
    }
}

static void
declare(Ctx *c, Map *tops, Map *generators, Map *datasources, const PslDecl *decl)
{
    if (psl_scalar_of(decl->name, NULL)) {
        Finding *d = v_error(c, FINDING_NAME_SCALAR, decl->file, name_span(decl),
                             "\"" STR_FMT "\" is the name of a scalar type", Q(decl->name));
        v_hint(c, d, "choose another name");
    }
    switch (decl->kind) {
    case PSL_MODEL:
    case PSL_VIEW:
        declare_model(c, decl, claim_name(c, tops, decl));
        break;
    case PSL_ENUM:
        declare_enum(c, decl, claim_name(c, tops, decl));
        break;
    case PSL_TYPE:
        declare_composite(c, decl, claim_name(c, tops, decl));
        break;
    case PSL_GENERATOR:
        (void)claim_name(c, generators, decl);
        check_props(c, decl);
        break;
    case PSL_DATASOURCE:
        (void)claim_name(c, datasources, decl);
        check_props(c, decl);
        break;
    }
}

static void
unknown_type(Ctx *c, PslModelField *f)
{
    f->is_broken = f->model->is_broken = true;
    Str name = f->ast->type.name;
    if (c->has_headless || map_has(&c->unread, name))
        return; /* its declaration may be what could not be read */
    Finding *d = v_field_error(c, FINDING_TYPE_UNKNOWN, f, f->ast->type.span,
                               "there is no type, model or enum \"" STR_FMT "\"", Q(name));
    Nearest near;
    v_near_init(c, &near, name);
    for (PslScalar s = 0; s < PSL_SCALAR_COUNT; s++)
        v_near_try(&near, str_of(psl_scalar_name(s)));
    for (size_t i = 0; i < c->r->nmodels && v_near_open(&near); i++)
        v_near_try(&near, c->r->models[i]->name);
    for (size_t i = 0; i < c->r->nenums && v_near_open(&near); i++)
        v_near_try(&near, c->r->enums[i]->name);
    if (v_near_found(&near))
        v_hint(c, d, "did you mean \"" STR_FMT "\"?", Q(near.best));
}

static const PslRelationAttr nothing_written;

static void
resolve_type(Ctx *c, PslModelField *f)
{
    const PslType *type = &f->ast->type;
    if (psl_model_field(f->model, f->name) != f)
        return; /* the second one of that name */
    if (type->is_unsupported) {
        f->kind = PSL_FIELD_UNSUPPORTED;
        return;
    }
    if (psl_scalar_of(type->name, &f->scalar)) {
        f->kind = PSL_FIELD_SCALAR;
        return;
    }
    f->target = psl_model(c->r, type->name);
    f->enum_ = f->target ? NULL : psl_enum(c->r, type->name);
    if (f->target) {
        f->kind = PSL_FIELD_RELATION;
        f->written = &nothing_written;
    } else if (f->enum_) {
        f->kind = PSL_FIELD_ENUM;
    } else if (map_has(&c->composites, type->name)) {
        f->kind = PSL_FIELD_COMPOSITE;
        f->is_broken = f->model->is_broken = true;
    } else {
        unknown_type(c, f);
    }
}

void
v_resolve_names(Ctx *c)
{
    Map tops, generators, datasources;
    map_init(&tops, c->scratch);
    map_init(&generators, c->scratch);
    map_init(&datasources, c->scratch);
    size_t models = 0, enums = 0;
    for (size_t i = 0; i < c->schema->ndecls; i++) {
        PslDeclKind kind = c->schema->decls[i]->kind;
        models += kind == PSL_MODEL || kind == PSL_VIEW;
        enums += kind == PSL_ENUM;
    }
    map_init(&c->unread, c->scratch);
    map_reserve(&tops, models + enums);
    map_reserve(&c->r->models_by_name, models);
    map_reserve(&c->r->enums_by_name, enums);
    c->r->models = arena_array(c->a, PslModel *, models);
    c->r->enums = arena_array(c->a, PslEnum *, enums);
    for (size_t i = 0; i < c->schema->nfiles; i++)
        collect_unread(c, &c->schema->files[i]);
    c->has_datasource = c->has_headless || map_has(&c->unread, STR("datasource"));
    for (size_t i = 0; i < c->schema->ndecls; i++)
        declare(c, &tops, &generators, &datasources, c->schema->decls[i]);
    for (size_t i = 0; i < c->r->nmodels; i++) {
        PslModel *m = c->r->models[i];
        for (size_t k = 0; k < m->nfields; k++)
            resolve_type(c, &m->fields[k]);
    }
}
