/* Datasource and generator blocks. */
#include "psl/validate_int.h"

/* env("NAME") with exactly one string */
static bool
read_env(Ctx *c, const PslFile *file, const PslExpr *e, Str *ret)
{
    const PslExpr *only = NULL;
    size_t n = 0;
    for (size_t i = 0; i < e->args.n; i++) {
        if (e->args.v[i].value.kind != PSL_MISSING) {
            only = &e->args.v[i].value;
            n++;
        }
    }
    if (n != 1) {
        Finding *d = v_error(c, FINDING_ENV_ARGUMENTS, file, e->span,
                             "env() takes the name of one environment variable");
        v_hint(c, d, "write env(\"NAME\")");
        return false;
    }
    *ret = only->text;
    return v_expr_is(c, file, only, PSL_STRING);
}

/* A text or env("NAME"). */
static bool
read_url(Ctx *c, const PslProp *prop, const PslExpr *e, PslUrl *ret)
{
    const PslFile *file = prop->parent->file;
    *ret = (PslUrl){.prop = prop};
    if (e->kind == PSL_FUNCTION && str_is(e->text, "env")) {
        if (!read_env(c, file, e, &ret->text))
            return false;
        ret->kind = PSL_URL_ENV;
        return true;
    }
    if (!v_expr_is(c, file, e, PSL_STRING))
        return false;
    ret->kind = PSL_URL_TEXT;
    ret->text = e->text;
    return true;
}

static bool
same_url(const PslUrl *x, const PslUrl *y)
{
    return x->kind != PSL_URL_NONE && x->kind == y->kind && str_eq(x->text, y->text);
}

/* -- Datasource -- */

/* The URLs, which Prisma 5 and 6 want here and Prisma 7 refuses. */
static bool
read_urls(Ctx *c, PslDatasource *ds)
{
    static const char *const names[] = {"url", "directUrl", "shadowDatabaseUrl"};
    PslUrl *urls[] = {&ds->url, &ds->direct_url, &ds->shadow_url};
    for (size_t i = 0; i < 3; i++) {
        const PslProp *prop = psl_prop(ds->decl, names[i]);
        if (!prop)
            continue;
        Finding *d = v_dialect(c, P7, FINDING_DATASOURCE_URL, ds->decl->file, prop->span,
                               "Prisma 7 does not read \"%s\" in the schema", names[i]);
        v_hint(c, d, "with Prisma 7, move it to datasource in prisma.config.ts");
        if (c->prisma != 7 && !read_url(c, prop, &prop->value, urls[i]))
            return false;
    }
    if (!psl_prop(ds->decl, "url") && (c->prisma == 5 || c->prisma == 6) &&
        c->schema->errors == 0) {
        Finding *d = v_error(c, FINDING_DATASOURCE_URL, ds->decl->file, ds->decl->head,
                             "Prisma %d wants a \"url\" in the datasource", c->prisma);
        v_hint(c, d, "add: url = env(\"DATABASE_URL\")");
        return false;
    }
    const PslUrl *shadow = &ds->shadow_url;
    if (shadow->text.n && (same_url(shadow, &ds->url) || same_url(shadow, &ds->direct_url))) {
        Finding *d =
            v_error(c, FINDING_DATASOURCE_SHADOW, ds->decl->file,
                    same_url(shadow, &ds->url) ? ds->url.prop->span : ds->direct_url.prop->span,
                    "the shadow database cannot be the database itself");
        v_note(c, d, "whatever is in the shadow database is deleted");
    }
    return true;
}

static void
read_relation_mode(Ctx *c, PslDatasource *ds)
{
    const PslFile *file = ds->decl->file;
    const PslProp *mode = psl_prop(ds->decl, "relationMode");
    const PslProp *old = psl_prop(ds->decl, "referentialIntegrity");
    if (old)
        v_warn(c, FINDING_DATASOURCE_RELATION_MODE, file, old->span,
               "\"referentialIntegrity\" is the old name of \"relationMode\"");
    if (mode && old) {
        v_error(c, FINDING_DATASOURCE_RELATION_MODE, file, old->span,
                "\"referentialIntegrity\" and \"relationMode\" cannot both be set");
        return;
    }
    if (!mode && !old)
        return;
    const PslExpr *e = mode ? &mode->value : &old->value;
    if (!v_expr_is(c, file, e, PSL_STRING))
        return;
    if (str_is(e->text, "prisma")) {
        ds->relation_mode = PSL_MODE_PRISMA;
    } else if (!str_is(e->text, "foreignKeys")) {
        Finding *d = v_error(c, FINDING_DATASOURCE_RELATION_MODE, file, e->span,
                             "there is no relation mode \"" STR_FMT "\"", Q(e->text));
        v_hint(c, d, "write \"foreignKeys\" or \"prisma\"");
    }
}

static void
read_schemas(Ctx *c, PslDatasource *ds)
{
    const PslFile *file = ds->decl->file;
    const PslProp *prop = ds->schemas_prop = psl_prop(ds->decl, "schemas");
    if (!prop)
        return;
    PslArg space;
    PslArgs elements = v_expr_elements(&prop->value, &space);
    if (elements.n == 0) {
        Finding *d =
            v_error(c, FINDING_DATASOURCE_SCHEMAS, file, prop->value.span, "\"schemas\" is empty");
        v_hint(c, d, "remove it, or write: schemas = [\"public\"]");
        return;
    }
    Map seen;
    map_init(&seen, c->a);
    ds->schemas = arena_array(c->a, Str, elements.n);
    for (size_t i = 0; i < elements.n; i++) {
        const PslExpr *e = &elements.v[i].value;
        if (!v_expr_is(c, file, e, PSL_STRING))
            continue;
        if (map_put(&seen, e->text, ds))
            v_error(c, FINDING_DATASOURCE_SCHEMAS, file, e->span,
                    "the schema \"" STR_FMT "\" is listed twice", Q(e->text));
        else
            ds->schemas[ds->nschemas++] = e->text;
    }
    if (c->prisma == 5 && !v_has_preview(c, "multiSchema")) {
        Finding *d = v_error(c, FINDING_DATASOURCE_SCHEMAS, file, prop->span,
                             "Prisma 5 knows \"schemas\" as a preview feature only");
        v_hint(c, d, "add to the generator: previewFeatures = [\"multiSchema\"]");
    }
}

/* The named strings of `name(map: "uuid-ossp", schema: "x", version: "1.1")` */
static void
read_extension(Ctx *c, const PslFile *file, const PslExpr *e, PslExtension *ret)
{
    static const char *const names[] = {"map", "schema", "version"};
    Str *values[] = {&ret->db_name, &ret->schema, &ret->version};
    bool seen[3] = {false};
    *ret = (PslExtension){.name = e->text, .span = e->span};
    for (size_t i = 0; i < e->args.n; i++) {
        const PslArg *arg = &e->args.v[i];
        size_t k = 0;
        while (k < 3 && !str_is(arg->name, names[k]))
            k++;
        if (arg->value.kind == PSL_MISSING)
            continue;
        if (arg->name.n == 0)
            v_error(c, FINDING_EXTENSION_ARGUMENT, file, arg->span,
                    "the arguments of an extension have names");
        else if (k == 3)
            v_error(c, FINDING_EXTENSION_ARGUMENT, file, arg->span,
                    "an extension has no argument \"" STR_FMT "\"", Q(arg->name));
        else if (seen[k])
            v_error(c, FINDING_EXTENSION_ARGUMENT, file, arg->span, "\"%s\" is given twice",
                    names[k]);
        else if (v_expr_is(c, file, &arg->value, PSL_STRING))
            *values[k] = arg->value.text;
        if (k < 3)
            seen[k] = true;
    }
    if (memchr(e->text.p, '-', e->text.n) && v_has_preview(c, "postgresqlExtensions")) {
        Finding *d = v_error(c, FINDING_EXTENSION_NAME, file, e->span,
                             "the name of an extension cannot contain a hyphen");
        v_hint(c, d, "give it another name here: uuidOssp(map: \"uuid-ossp\")");
    }
}

static void
read_extensions(Ctx *c, PslDatasource *ds)
{
    const PslFile *file = ds->decl->file;
    const PslProp *prop = ds->extensions_prop = psl_prop(ds->decl, "extensions");
    if (!prop)
        return;
    PslArg space;
    PslArgs elements = v_expr_elements(&prop->value, &space);
    ds->extensions = arena_array(c->a, PslExtension, elements.n);
    for (size_t i = 0; i < elements.n; i++) {
        const PslExpr *e = &elements.v[i].value;
        if (e->kind == PSL_FUNCTION || v_expr_is(c, file, e, PSL_CONSTANT))
            read_extension(c, file, e, &ds->extensions[ds->nextensions++]);
    }
    if (!v_has_preview(c, "postgresqlExtensions")) {
        Finding *d = v_error(c, FINDING_EXTENSIONS_PREVIEW, file, prop->span,
                             "\"extensions\" needs a preview feature");
        v_hint(c, d, "add to the generator: previewFeatures = [\"postgresqlExtensions\"]");
    }
}

static bool
read_provider(Ctx *c, PslDatasource *ds)
{
    static const char *const others[] = {"mysql", "sqlite", "sqlserver", "mongodb", "cockroachdb"};
    const PslFile *file = ds->decl->file;
    const PslProp *prop = psl_prop(ds->decl, "provider");
    if (!prop && c->schema->errors)
        return false;
    if (!prop) {
        Finding *d = v_error(c, FINDING_DATASOURCE_PROVIDER, file, ds->decl->head,
                             "the datasource \"" STR_FMT "\" has no provider", Q(ds->name));
        v_hint(c, d, "add: provider = \"postgresql\"");
        return false;
    }
    if (prop->value.kind != PSL_STRING) {
        Finding *d = v_error(c, FINDING_DATASOURCE_PROVIDER, file, prop->span,
                             "the provider of a datasource must be a plain string");
        v_hint(c, d, "write: provider = \"postgresql\"");
        return false;
    }
    ds->provider = prop->value.text;
    ds->is_postgres = str_is(ds->provider, "postgresql") || str_is(ds->provider, "postgres");
    if (ds->is_postgres)
        return true;
    for (size_t i = 0; i < COUNT(others); i++)
        c->is_foreign |= str_is(ds->provider, others[i]);
    Finding *d = c->is_foreign
                     ? v_error(c, FINDING_PROVIDER_UNSUPPORTED, file, prop->value.span,
                               "Aramid works with PostgreSQL only, not with \"" STR_FMT "\"",
                               Q(ds->provider))
                     : v_error(c, FINDING_PROVIDER_UNKNOWN, file, prop->value.span,
                               "there is no provider \"" STR_FMT "\"", Q(ds->provider));
    v_hint(c, d, "write: provider = \"postgresql\"");
    return c->is_foreign;
}

static void
check_datasource_props(Ctx *c, const PslDatasource *ds)
{
    static const char *const known[] = {
        "provider",     "url",     "directUrl",  "shadowDatabaseUrl",
        "relationMode", "schemas", "extensions", "referentialIntegrity"};
    enum { KNOWN = COUNT(known) };
    for (size_t i = 0; i < ds->decl->props.n; i++) {
        const PslProp *prop = &ds->decl->props.v[i];
        bool found = false;
        for (size_t k = 0; k < KNOWN; k++)
            found |= str_is(prop->name, known[k]);
        if (found)
            continue;
        if (str_is(prop->name, "previewFeatures")) {
            Finding *d = v_error(c, FINDING_PROPERTY_UNKNOWN, ds->decl->file, prop->span,
                                 "preview features belong into the generator block");
            v_hint(c, d, "move the line there");
            continue;
        }
        Finding *d = v_error(c, FINDING_PROPERTY_UNKNOWN, ds->decl->file, prop->span,
                             "a datasource has no property \"" STR_FMT "\"", Q(prop->name));
        Nearest near;
        v_near_init(c, &near, prop->name);
        for (size_t k = 0; k < KNOWN; k++)
            v_near_try(&near, str_of(known[k]));
        if (v_near_found(&near))
            v_hint(c, d, "did you mean \"" STR_FMT "\"?", Q(near.best));
    }
}

static bool
check_values(Ctx *c, const PslDecl *decl)
{
    bool ok = true;
    for (size_t i = 0; i < decl->props.n; i++) {
        const PslProp *prop = &decl->props.v[i];
        if (prop->value.kind != PSL_MISSING)
            continue;
        v_error(c, FINDING_PROPERTY_EMPTY, decl->file, prop->span, "\"" STR_FMT "\" has no value",
                Q(prop->name));
        ok = false;
    }
    return ok;
}

static void
read_datasource(Ctx *c, const PslDecl *decl)
{
    c->has_datasource = true;
    PslDatasource *ds = arena_new(c->a, PslDatasource);
    ds->decl = decl;
    ds->name = decl->name;
    if (!check_values(c, decl) || !read_provider(c, ds))
        return;
    if (!c->r->datasource)
        c->r->datasource = ds;
    read_relation_mode(c, ds);
    if (ds->is_postgres)
        read_extensions(c, ds);
    if (!read_urls(c, ds))
        return;
    read_schemas(c, ds);
    check_datasource_props(c, ds);
}

/* One datasource per schema; Prisma notices a second one in the same file only. */
static void
check_one_datasource(Ctx *c)
{
    const PslDecl *first = NULL;
    for (size_t i = 0; i < c->schema->ndecls; i++) {
        const PslDecl *decl = c->schema->decls[i];
        if (decl->kind != PSL_DATASOURCE)
            continue;
        if (first && v_decl_is_partial(first))
            return;
        if (first && decl->file == first->file) {
            v_error(c, FINDING_DATASOURCE_SECOND, first->file, first->head,
                    "a schema has one datasource, this one has more");
            v_error(c, FINDING_DATASOURCE_SECOND, decl->file, decl->head,
                    "a schema has one datasource, this one has more");
        } else if (first) {
            v_warn(c, FINDING_DATASOURCE_SECOND, decl->file, decl->head,
                   "a schema has one datasource: this one is ignored");
        } else {
            first = decl;
        }
    }
}

/* -- Generator -- */

static void
check_env_calls(Ctx *c, const PslFile *file, const PslExpr *e)
{
    Str name;
    if (e->kind == PSL_FUNCTION && str_is(e->text, "env"))
        (void)read_env(c, file, e, &name);
    if (e->kind != PSL_ARRAY)
        return;
    for (size_t i = 0; i < e->args.n; i++)
        check_env_calls(c, file, &e->args.v[i].value);
}

static void
read_previews(Ctx *c, PslGenerator *g, const PslProp *prop)
{
    PslArg space;
    PslArgs elements = v_expr_elements(&prop->value, &space);
    g->previews = arena_array(c->a, Str, elements.n);
    g->npreviews = 0; /* the property may be written twice */
    for (size_t i = 0; i < elements.n; i++) {
        const PslExpr *e = &elements.v[i].value;
        if (!v_expr_is(c, g->decl->file, e, PSL_STRING))
            continue;
        g->previews[g->npreviews++] = e->text;
        v_check_preview(c, g->decl->file, e);
    }
}

static void
read_generator(Ctx *c, const PslDecl *decl, PslGenerator *g)
{
    const PslFile *file = decl->file;
    g->decl = decl;
    g->name = decl->name;
    if (!check_values(c, decl))
        return;
    for (size_t i = 0; i < decl->props.n; i++) {
        const PslProp *prop = &decl->props.v[i];
        PslUrl ignored;
        PslArg space;
        if (str_is(prop->name, "provider"))
            (void)read_url(c, prop, &prop->value, &g->provider);
        else if (str_is(prop->name, "output"))
            (void)read_url(c, prop, &prop->value, &g->output);
        else if (str_is(prop->name, "engineType"))
            (void)v_expr_is(c, file, &prop->value, PSL_STRING);
        else if (str_is(prop->name, "previewFeatures"))
            read_previews(c, g, prop);
        else if (str_is(prop->name, "binaryTargets")) {
            PslArgs targets = v_expr_elements(&prop->value, &space);
            for (size_t k = 0; k < targets.n; k++)
                (void)read_url(c, prop, &targets.v[k].value, &ignored);
        } else {
            check_env_calls(c, file, &prop->value);
        }
    }
    if (!psl_prop(decl, "provider") && c->schema->errors == 0) {
        Finding *d = v_error(c, FINDING_GENERATOR_PROVIDER, file, decl->head,
                             "the generator \"" STR_FMT "\" has no provider", Q(g->name));
        v_hint(c, d, "add: provider = \"prisma-client\"");
    }
}

void
v_check_config(Ctx *c)
{
    size_t generators = 0;
    for (size_t i = 0; i < c->schema->ndecls; i++)
        generators += c->schema->decls[i]->kind == PSL_GENERATOR;
    c->r->generators = arena_array(c->a, PslGenerator, generators);
    for (size_t i = 0; i < c->schema->ndecls; i++) {
        if (c->schema->decls[i]->kind == PSL_GENERATOR)
            read_generator(c, c->schema->decls[i], &c->r->generators[c->r->ngenerators++]);
    }
    for (size_t i = 0; i < c->schema->ndecls; i++) {
        if (c->schema->decls[i]->kind == PSL_DATASOURCE)
            read_datasource(c, c->schema->decls[i]);
    }
    check_one_datasource(c);
}
