/* The script from one stored catalog to another, as far as Prisma's language goes:
 *
 *     catalog-diff FROM TO */
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
        Str stored;
        if (argc != 3 || !fs_read(a, argv[i + 1], 0, &stored, &err) ||
            !catalog_read(a, stored, &sides[i], &err)) {
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
