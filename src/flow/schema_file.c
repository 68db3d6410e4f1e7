#include "flow/schema_file.h"

#include "backup/backup.h"
#include "base/fs.h"
#include "introspect/introspect.h"
#include "render/render.h"
#include "sqltext/sqltext.h"

/* Without what pg_dump writes before its first statement or command. */
static Str
without_head(Str text)
{
    while (text.n) {
        Str rest = text, line = str_cut(&rest, '\n');
        if ((line.n && !str_starts(line, STR("--"))) || !rest.p)
            break;
        text = rest;
    }
    return text;
}

static bool
by_pg_dump(Arena *a, const FlowInput *in, const Target *t, Buf *out, Err *err)
{
    BackupRequest r = {.config = in->config,
                       .url = &t->url,
                       .url_origin = t->origin,
                       .tick = in->tick,
                       .tick_arg = in->tick_arg};
    Str text;
    if (!backup_schema_text(a, &r, "dbmate", &text, err))
        return false;
    buf_add(out, without_head(text));
    return true;
}

/* What psql reads to make the same schema. */
static bool
by_catalog(Arena *a, const Session *s, Buf *out, Err *err)
{
    static const CatRules rules = {
        .ignore_owners = true, .ignore_grants = true, .ignore_versions = true};
    const DiffOptions options = {.rules = &rules};
    const RenderOptions plain = {.schema = ""};
    Catalog *live, *none = catalog_new(a);
    catalog_add(none, CAT_SCHEMA, NULL, "public");
    catalog_finish(none);
    if (!introspect(a, s->db, NULL, &live, err))
        return false;
    Diff *d =
        diff_catalogs(a, &(DiffSide){.catalog = none}, &(DiffSide){.catalog = live}, &options);
    buf_addz(out, "-- Written by Aramid from the catalog, without pg_dump\n\n"
                  "SET check_function_bodies = false;\n"
                  "SELECT pg_catalog.set_config('search_path', '', false);\n\n");
    buf_add(out, render_script(a, d, &plain));
    buf_addz(out, "\n");
    return true;
}

/* The rows of the ledger, as dbmate puts them at the end. */
static bool
add_versions(Arena *a, const Session *s, Buf *out, Err *err)
{
    Buf b;
    DbRowsVec results;
    buf_init(&b, a);
    buf_addz(&b, "SELECT pg_catalog.quote_literal(version), pg_catalog.quote_ident(");
    sql_add_literal(&b, str_of(s->ledgers.v[0].at.schema));
    buf_addz(&b, "), pg_catalog.quote_ident(");
    sql_add_literal(&b, str_of(s->ledgers.v[0].at.table));
    buf_addz(&b, ") FROM ");
    sql_add_name(&b, s->ledgers.v[0].at.schema, s->ledgers.v[0].at.table);
    buf_addz(&b, " ORDER BY version");
    if (!db_query(s->db, a, buf_str(&b), &results, err))
        return false;
    const DbRows *rows = &results.v[0];
    buf_addz(out, "\n--\n-- Dbmate schema migrations\n--\n\n");
    for (int i = 0; i < rows->rows; i++) {
        if (i == 0)
            buf_fmt(out, "INSERT INTO %s.%s (version) VALUES", db_cell(rows, i, 1).p,
                    db_cell(rows, i, 2).p);
        buf_fmt(out, "%s\n    (%s)", i ? "," : "", db_cell(rows, i, 0).p);
    }
    buf_addz(out, rows->rows ? ";\n" : "");
    return true;
}

static bool
is_wanted(const Config *c, const Session *s)
{
    const char *when = c->values[CFG_DUMP_SCHEMA].text;
    return s->ledgers.n == 1 && s->ledgers.v[0].layout->dumps_schema && !c->dbmate.no_dump &&
           strcmp(when, "never") != 0 &&
           (strcmp(when, "always") == 0 || c->profile == PROFILE_DEVELOPMENT);
}

void
flow_schema_file(Arena *a, const FlowInput *in, const Target *t, const Session *s,
                 const RunSink *sink, size_t applied)
{
    const Config *c = in->config;
    const char *path = c->dbmate.schema_file, *shown = fs_below(c->project_dir, path);
    Err why, err;
    if (!applied || !is_wanted(c, s))
        return;
    Buf out;
    buf_init(&out, a);
    bool dumped = by_pg_dump(a, in, t, &out, &why);
    bool missing = !dumped && why.code == ERR_NO_DUMP;
    if (!dumped)
        buf_clear(&out);
    err = why;
    if ((!dumped && (!missing || !by_catalog(a, s, &out, &err))) ||
        !add_versions(a, s, &out, &err) || !fs_mkdirs(fs_dirname(a, path), 0755, &err) ||
        !fs_replace(path, buf_str(&out), &err)) {
        run_find(sink, FINDING_DEPLOY_SCHEMA_FILE, shown, "dbmate dump, or deploy again",
                 "it was not written, and is that of an earlier state: %s", err.primary);
        return;
    }
    if (missing)
        run_find(sink, FINDING_DEPLOY_SCHEMA_BY_CATALOG, shown, NULL,
                 "it was written from the catalog, and looks other than dbmate's: %s", why.primary);
    sink->event(sink->arg, &(RunEvent){.kind = RUN_STAGE,
                                       .level = RUN_INFO,
                                       .ms = -1,
                                       .text = str_fmt(a, "wrote %s", shown)});
}
