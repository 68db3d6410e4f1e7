/* The script from one stored catalog to another, as far as Prisma's language goes:
 *
 *     catalog-diff FROM.json TO.json */
#include "base/fs.h"
#include "render/render.h"

#include <stdio.h>

int
main(int argc, char **argv)
{
    ARENA_LOCAL(a);
    Catalog *sides[2];
    Err err;
    for (int i = 0; i < 2; i++) {
        Str json;
        if (argc != 3 || !fs_read(a, argv[i + 1], 0, &json, &err) ||
            !catalog_read(a, json, &sides[i], &err)) {
            fprintf(stderr, "catalog-diff: %s\n", argc == 3 ? err.primary : "two files are needed");
            return 2;
        }
    }
    DiffOptions options = {.prisma_kinds = true};
    Diff *d = diff_catalogs(a, &(DiffSide){.catalog = sides[0]}, &(DiffSide){.catalog = sides[1]},
                            &options);
    if (d->changes.n)
        fputs(render_script(a, d, NULL).p, stdout);
    return d->changes.n > 0;
}
