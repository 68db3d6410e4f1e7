/* Answers for diff_compare.py: the script from one schema to another.
 *
 * Requests on standard input: a line "MODE PRISMA LENGTH LENGTH" (mode: compat, default, summary,
 * warnings; length -1 = no schema), then the bytes of both. The answer is a line with its length,
 * then the text; for a schema with errors the line "-1". */
#include "bridge/bridge.h"
#include "render/render.h"

#include <stdio.h>
#include <stdlib.h>

static bool
read_side(Arena *a, long n, int prisma, Bridge *ret)
{
    static const BridgeOptions none;
    if (n < 0) {
        ret->catalog = catalog_new(a);
        catalog_finish(ret->catalog);
        return true;
    }
    char *p = arena_alloc(a, (size_t)n + 1);
    if (fread(p, 1, (size_t)n, stdin) != (size_t)n)
        exit(2);
    Source *source = arena_new(a, Source);
    *source = (Source){"schema.prisma", {p, (size_t)n}};
    FindingList diags;
    findings_init(&diags, a, NULL);
    PslSchema *schema = psl_parse(a, source, 1, &diags);
    PslResolved *r = psl_validate(a, schema, &(PslValidateOpts){.prisma = prisma}, &diags);
    if (schema->errors + r->errors)
        return false;
    *ret = bridge_catalog(a, r, &none);
    return true;
}

static Str
answer(Arena *a, const char *mode, int prisma, const Bridge *from, const Bridge *to)
{
    DiffOptions options = {.prisma_compat = strcmp(mode, "compat") == 0,
                           .prisma_kinds = true,
                           .prisma = prisma,
                           .from_is_written = true};
    DiffSide x = {from->catalog, &from->any_default, &from->client_default, &from->unused_schemas};
    DiffSide y = {to->catalog, &to->any_default, &to->client_default, &to->unused_schemas};
    Diff *d = diff_catalogs(a, &x, &y, &options);
    if (strcmp(mode, "summary") == 0)
        return render_summary(a, d);
    if (strcmp(mode, "warnings") == 0)
        return render_warnings(a, d, true);
    return render_script(a, d, NULL);
}

int
main(void)
{
    char mode[16];
    int prisma;
    long sizes[2];
    while (scanf("%15s %d %ld %ld", mode, &prisma, &sizes[0], &sizes[1]) == 4) {
        ARENA_LOCAL(a);
        Bridge sides[2] = {{0}};
        if (getchar() != '\n')
            return 2;
        bool ok = read_side(a, sizes[0], prisma, &sides[0]);
        ok = read_side(a, sizes[1], prisma, &sides[1]) && ok;
        if (!ok) {
            puts("-1");
        } else {
            Str text = answer(a, mode, prisma, &sides[0], &sides[1]);
            printf("%zu\n", text.n);
            fwrite(text.p, 1, text.n, stdout);
        }
        fflush(stdout);
    }
    return 0;
}
