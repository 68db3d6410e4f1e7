/* Answers for roundtrip.py: scripts between live databases, stored catalogs and schemas.
 *
 * Requests on standard input, one a line: "script MODE FROM TO" (MODE: exact, or prisma where TO
 * knows only what Prisma's language does) or "fingerprint SIDE", "catalog SIDE". A side is "-" for
 * nothing, the URL of a database, "psl:LENGTH" for a schema.prisma whose bytes follow the line (of
 * two, the first one's first) or "json:LENGTH" for a stored catalog. The answer is a line with its
 * length, then the text; of an error the length is negative. Column order does not count. */
#include "bridge/bridge.h"
#include "introspect/introspect.h"
#include "render/render.h"

#include <stdio.h>
#include <stdlib.h>

static bool
read_live(Arena *a, const char *text, Catalog **ret, Err *err)
{
    static const char *const except[] = {"*._prisma_migrations"};
    IntrospectOptions options = {.except = except, .nexcept = 1};
    DbUrl *url = arena_new(a, DbUrl);
    Db *db;
    if (!url_parse(a, text, "the request", url, err))
        return false;
    DbOptions how = {.url = url,
                     .url_origin = "the request",
                     .application = "live-script",
                     .connect_ms = 10000,
                     .operation_ms = 120000};
    if (!db_open(a, &how, &db, err))
        return false;
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
    DiagList diags;
    diag_init(&diags, a);
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
    if (strncmp(word, "json:", 5) == 0) {
        if (!catalog_read(a, read_bytes(a, word + 5), &c, err))
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

static Str
script(Arena *a, bool exact, const Bridge *from, const Bridge *to)
{
    static const CatRules rules = {.ignore_column_order = true};
    DiffOptions options = {.prisma_kinds = !exact,
                           .rules = &rules,
                           .renames = to->renames.v,
                           .nrenames = to->renames.n};
    DiffSide x = {from->catalog, &from->any_default, &from->client_default, NULL};
    DiffSide y = {to->catalog, &to->any_default, &to->client_default, NULL};
    return render_script(a, diff_catalogs(a, &x, &y, &options), NULL);
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
        bool is_script = strcmp(what, "script") == 0;
        bool exact = is_script && strcmp(strtok(NULL, " \n"), "exact") == 0;
        const char *first = strtok(NULL, " \n"), *second = strtok(NULL, " \n");
        bool ok = read_side(a, first, &sides[0], &err);
        ok = (!is_script || read_side(a, second, &sides[1], &err)) && ok;
        static const CatRules rules = {.ignore_column_order = true};
        if (!ok)
            text = str_of(str_fmt(a, "%s\n%s\n%s", err.primary, err.detail, err.hint));
        else if (is_script)
            text = script(a, exact, &sides[0], &sides[1]);
        else if (strcmp(what, "fingerprint") == 0)
            text = str_of(catalog_fingerprint(a, sides[0].catalog, &rules));
        else
            text = catalog_json(a, sides[0].catalog, NULL, true);
        printf("%s%zu\n", ok ? "" : "-", text.n);
        fwrite(text.p, 1, text.n, stdout);
        fflush(stdout);
    }
    return 0;
}
