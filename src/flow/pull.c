/* aramid pull: schema.prisma from the database. */
#include "base/fs.h"
#include "bridge/bridge.h"
#include "flow/flow.h"
#include "flow/managed.h"
#include "history/known.h"
#include "introspect/introspect.h"

#include <sys/stat.h>

static const char first_schema[] = "generator client {\n"
                                   "  provider = \"prisma-client-js\"\n"
                                   "}\n"
                                   "\n"
                                   "datasource db {\n"
                                   "  provider = \"postgresql\"\n"
                                   "}\n";

/* The files of the schema, or one that is still to be made. */
static bool
load(Arena *a, const Config *c, PullResult *ret, Source **ret_files, size_t *ret_n, Err *err)
{
    ret->is_new = !c->schema_path;
    ret->schema_path =
        ret->is_new ? fs_join(a, c->project_dir, "prisma/schema.prisma") : c->schema_path;
    if (!ret->is_new)
        return psl_load_sources(a, ret->schema_path, ret_files, ret_n, err);
    *ret_n = 1;
    *ret_files = arena_new(a, Source);
    **ret_files = (Source){ret->schema_path, STR("")};
    return true;
}

static bool
refuse(const FindingList *diags, Err *err)
{
    vec_each (const Finding, d, &diags->items) {
        if (d->severity != SEV_ERROR)
            continue;
        int line = 0, column = 0;
        err_set(err, ERR_SCHEMA, "the schema that is there has errors: %s", d->text);
        if (d->source) {
            str_line_col(d->source->text, d->off, &line, &column);
            err_at(err, d->source->path, line, column);
        }
        break;
    }
    err_hint(err, "to see all of them: aramid validate");
    return err_hint(err, "to begin anew: aramid pull --force");
}

/* Read the schema that is there; one without a datasource gets one. */
static bool
read_old(Arena *a, Source *files, size_t n, bool force, const PslResolved **ret, Err *err)
{
    FindingList diags;
    findings_init(&diags, a, NULL);
    const PslSchema *schema = psl_parse(a, files, n, &diags);
    if (!psl_decl(schema, PSL_DATASOURCE, STR(""))) {
        const char *head = psl_decl(schema, PSL_GENERATOR, STR(""))
                               ? strstr(first_schema, "datasource")
                               : first_schema;
        files[0].text = str_of(
            str_fmt(a, "%s%s" STR_FMT, head, files[0].text.n ? "\n" : "", STR_ARG(files[0].text)));
        findings_init(&diags, a, NULL);
        schema = psl_parse(a, files, n, &diags);
    }
    *ret = psl_validate(a, schema, NULL, &diags);
    if (schema->errors == 0 && ((*ret)->errors == 0 || force))
        return true;
    findings_sort(&diags);
    return refuse(&diags, err);
}

static bool
read_database(Arena *a, const PullInput *in, PullResult *ret, const IntrospectOptions *what,
              Catalog **ret_catalog, Err *err)
{
    const Config *c = in->base.config;
    DbOptions o = flow_connection(&in->base, &ret->target.url, ret->target.origin, "aramid/pull");
    o.wait_server_ms = config_ms(c, CFG_WAIT_SERVER);
    o.retries = (int)c->values[CFG_MAX_RETRIES].number;
    o.retry_delay_ms = config_ms(c, CFG_RETRY_DELAY);
    Db *db;
    if (!db_open(a, &o, &db, err))
        return false;
    bool ok = introspect(a, db, what, ret_catalog, err);
    ret->server = db_info(db);
    db_close(db);
    return ok;
}

/* Other tools' histories are no models, unless somebody made them models. */
static void
leave_out_ledgers(Arena *a, Catalog *c, const PslResolved *old, const char *schema, bool is_anew)
{
    const Bridge written =
        is_anew ? (Bridge){0} : bridge_catalog(a, old, &(BridgeOptions){.schema = schema});
    history_leave_out(c, NULL, written.catalog);
}

static bool
is_empty(Arena *a, const PullResult *r, const CatTexts *schemas, Err *err)
{
    Buf names;
    buf_init(&names, a);
    vec_each (const char *, name, schemas)
        buf_fmt(&names, "%s%s", names.n ? ", " : "", *name);
    err_set(err, ERR_DB_EMPTY, "the database has no tables");
    if (r->target.absent) {
        err_detail(err, "%s was not made yet", r->target.origin);
        return err_hint(err, "aramid deploy makes it, and what the migrations say");
    }
    err_detail(err, "looked into schema %s of %s", str_printable(a, buf_str(&names), false),
               r->target.shown);
    err_hint(err, "does the URL lead to the right database? aramid config show");
    return err_hint(err, "other schemas: aramid pull --schemas A,B");
}

static CatTexts
listed(Arena *a, const char *text)
{
    CatTexts all = {0};
    for (Str rest = str_of(text); rest.p;) {
        Str one = str_trim(str_cut(&rest, ','));
        if (one.n)
            *vec_add(a, &all) = str_dup(a, one);
    }
    return all;
}

bool
flow_pull(Arena *a, const PullInput *in, PullResult *ret, Err *err)
{
    const Config *c = in->base.config;
    Source *files;
    size_t n;
    const PslResolved *old;
    Catalog *catalog;
    *ret = (PullResult){0};
    if (!load(a, c, ret, &files, &n, err))
        return false;
    Source *before = arena_array(a, Source, n);
    memcpy(before, files, n * sizeof *before);
    ret->before = before;
    if (!read_old(a, files, n, in->force, &old, err) ||
        !flow_target(a, c, in->base.self_exe, FLOW_MAKES_NOTHING, &ret->target, err))
        return false;
    const char *schema = ret->target.url.schema ? ret->target.url.schema : "public";
    CatTexts asked = listed(a, in->schemas ? in->schemas : "");
    CatTexts schemas = asked;
    for (size_t i = 0; !asked.n && old->datasource && i < old->datasource->nschemas; i++)
        *vec_add(a, &schemas) = str_dup(a, old->datasource->schemas[i]);
    if (!schemas.n)
        *vec_add(a, &schemas) = schema;
    if (ret->target.absent)
        return is_empty(a, ret, &schemas, err);
    Patterns except = managed_ignored(a, c);
    IntrospectOptions what = {
        .schemas = schemas.v, .nschemas = schemas.n, .except = except.v, .nexcept = except.n};
    PullOptions options = {.schema = schema,
                           .schemas = asked.v,
                           .nschemas = asked.n,
                           .rules = &c->finding_rules,
                           .force = in->force};
    if (!read_database(a, in, ret, &what, &catalog, err))
        return false;
    leave_out_ledgers(a, catalog, old, schema, in->force);
    if (!bridge_pull(a, catalog, old, &options, &ret->pull, err))
        return false;
    if (ret->pull.is_empty)
        return is_empty(a, ret, &schemas, err);
    for (size_t i = 0; i < n; i++)
        ret->changed += !str_eq(before[i].text, ret->pull.files[i].text);
    return true;
}

bool
flow_pull_write(Arena *a, const PullResult *r, Err *err)
{
    for (size_t i = 0; i < r->pull.nfiles; i++) {
        const Source *f = &r->pull.files[i];
        if (str_eq(r->before[i].text, f->text))
            continue;
        if ((r->is_new && !fs_mkdirs(fs_dirname(a, f->path), 0755, err)) ||
            !fs_replace(f->path, f->text, err))
            return false;
    }
    return true;
}
