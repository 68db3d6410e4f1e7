/* Answers for roundtrip.py: scripts, notes between live databases, stored catalogs and schemas.
 *
 * Requests on standard input, one a line: "script MODE FROM TO" (MODE: exact, or prisma where TO
 * knows only what Prisma's language does), "notes MODE FROM TO" (one a line with its severity,
 * after asking FROM's rows where it is a database) or "fingerprint SIDE", "catalog SIDE", "stored SIDE". A side is
 * "-" for nothing, the URL of a database (?schema=NAME: only that one), "psl:LENGTH" for a schema.prisma whose bytes follow the
 * line (of two, the first one's first) or "stored:LENGTH" for a stored catalog. The answer is a line
 * with its length, then the text; of an error the length is negative. Column order does not count.
 */
#include "base/hash.h"
#include "bridge/bridge.h"
#include "introspect/introspect.h"
#include "render/render.h"
#include "catalog/catalog_int.h"

#include <stdio.h>
#include <stdlib.h>

static bool
open_live(Arena *a, const char *text, DbUrl **ret_url, Db **ret, Err *err)
{
    DbUrl *url = arena_new(a, DbUrl);
    if (!url_parse(a, text, "the request", url, err))
        return false;
    *ret_url = url;
    DbOptions how = {.url = url,
                     .url_origin = "the request",
                     .application = "live-script",
                     .connect_ms = 900000,
                     .operation_ms = 900000};
    return db_open(a, &how, ret, err);
}

static bool
read_live(Arena *a, const char *text, Catalog **ret, Err *err)
{
    static const char *const except[] = {"*._prisma_migrations"};
    IntrospectOptions options = {.except = except, .nexcept = 1};
    DbUrl *url;
    Db *db;
    if (!open_live(a, text, &url, &db, err))
        return false;
    const char *const schemas[] = {url->schema};
    options.schemas = schemas;
    options.nschemas = url->schema ? 1 : 0;
    bool ok = introspect(a, db, &options, ret, err);
    db_close(db);
    return ok;
}

static bool
read_schema(Arena *a, Str text, Bridge *ret, Err *err)
{
    static const BridgeOptions none;
    Source *source = arena_new(a, Source);
    *source = (Source){"schema.prisma", text};
    FindingList diags;
    findings_init(&diags, a, NULL);
    PslSchema *schema = psl_parse(a, source, 1, &diags);
    PslResolved *r = psl_validate(a, schema, &(PslValidateOpts){.prisma = 7}, &diags);
    if (schema->errors + r->errors)
        return err_set(err, ERR_SCHEMA, "the schema is not valid");
    *ret = bridge_catalog(a, r, &none);
    return true;
}

static Str
read_bytes(Arena *a, const char *digits)
{
    size_t n = strtoul(digits, NULL, 10);
    char *p = arena_alloc(a, n + 1);
    if (fread(p, 1, n, stdin) != n)
        exit(2);
    return (Str){p, n};
}

static bool
read_side(Arena *a, const char *word, Bridge *ret, Err *err)
{
    Catalog *c;
    *ret = (Bridge){0};
    if (strncmp(word, "psl:", 4) == 0)
        return read_schema(a, read_bytes(a, word + 4), ret, err);
    if (strncmp(word, "stored:", 7) == 0) {
        if (!catalog_read(a, read_bytes(a, word + 7), &c, err))
            return false;
    } else if (strcmp(word, "-") == 0) {
        c = catalog_new(a);
        catalog_finish(c);
    } else if (!read_live(a, word, &c, err)) {
        return false;
    }
    ret->catalog = c;
    return true;
}

static Diff *
compare(Arena *a, bool exact, const Bridge *from, const Bridge *to)
{
    CatRenames renames = {0};
    const DiffWishes wishes = {.former = to->former.v, .nformer = to->former.n};
    Err err;
    if (!diff_wishes(a, &wishes, from->catalog, to->catalog, &renames, &err))
        abort();
    static const CatRules rules = {.ignore_column_order = true};
    /* Both databases were made from schemas: all that these say counts. */
    DiffOptions options = {.prisma_kinds = !exact,
                           .from_is_written = !exact,
                           .rules = &rules,
                           .renames = renames.v,
                           .nrenames = renames.n};
    DiffSide x = {from->catalog, &from->any_default, &from->client_default, NULL};
    DiffSide y = {to->catalog, &to->any_default, &to->client_default, NULL};
    return diff_catalogs(a, &x, &y, &options);
}

static bool
notes(Arena *a, const char *url, Diff *d, Str *ret, Err *err)
{
    Buf b;
    DbUrl *ignored;
    Db *db = NULL;
    if (strchr(url, '/')) {
        if (!open_live(a, url, &ignored, &db, err))
            return false;
        bool ok = introspect_answers(db, d, 10000, err);
        db_close(db);
        if (!ok)
            return false;
    }
    static const char *const severities[] = {"loss", "fails", "notice"};
    buf_init(&b, a);
    vec_each (Change *, c, &d->changes)
        vec_each (const DiffEffect, n, &(*c)->effects)
            buf_fmt(&b, "%s: %s\n", severities[n->harm], render_effect(a, n));
    *ret = buf_str(&b);
    return true;
}

int
main(void)
{
    static char line[16384];
    while (fgets(line, sizeof line, stdin)) {
        ARENA_LOCAL(a);
        Bridge sides[2];
        Err err;
        Str text = {0};
        const char *what = strtok(line, " \n");
        bool is_notes = strcmp(what, "notes") == 0, is_script = strcmp(what, "script") == 0;
        bool exact = (is_script || is_notes) && strcmp(strtok(NULL, " \n"), "exact") == 0;
        const char *first = strtok(NULL, " \n"), *second = strtok(NULL, " \n");
        bool ok = read_side(a, first, &sides[0], &err);
        bool is_pair = is_script || is_notes;
        ok = (!is_pair || read_side(a, second, &sides[1], &err)) && ok;
        static const CatRules rules = {.ignore_column_order = true};
        if (ok && is_notes)
            ok = notes(a, first, compare(a, exact, &sides[0], &sides[1]), &text, &err);
        if (!ok)
            text = str_of(str_fmt(a, "%s\n%s\n%s", err.primary, err.detail, err.hint));
        else if (is_script)
            text = render_script(a, compare(a, exact, &sides[0], &sides[1]), NULL);
        else if (strcmp(what, "fingerprint") == 0)
            text = str_of(hash_sha256_hex(a, catalog_json(a, sides[0].catalog, &rules, false)));
        else if (strcmp(what, "stored") == 0)
            text = catalog_store(a, sides[0].catalog);
        else if (!is_notes)
            text = catalog_json(a, sides[0].catalog, NULL, true);
        printf("%s%zu\n", ok ? "" : "-", text.n);
        fwrite(text.p, 1, text.n, stdout);
        fflush(stdout);
    }
    return 0;
}
