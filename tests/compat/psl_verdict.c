/* Answers for psl_compare.py: is a schema valid, and where is the first error.
 *
 * Requests on standard input: a line "PRISMA COUNT LENGTH..." (generation 5, 6, 7 or 0 for all;
 * number of files; their sizes in bytes), then the files' bytes. For each an answer on one line:
 * "valid", or "invalid FILE:LINE:ID ..." with every error in order, FILE counting from 0. Warnings
 * are not shown. Files are called 0.prisma, 1.prisma, ... */
#include "psl/psl_validate.h"

#include <stdio.h>
#include <stdlib.h>

enum { FILES_MAX = 64 };

static Str
read_bytes(Arena *a, size_t n)
{
    char *p = arena_alloc(a, n + 1);
    if (fread(p, 1, n, stdin) != n)
        exit(2);
    return (Str){p, n};
}

static void
answer(Arena *a, int prisma, const Source *files, size_t n)
{
    DiagList diags;
    diag_init(&diags, a);
    PslSchema *schema = psl_parse(a, files, n, &diags);
    PslResolved *r = psl_validate(a, schema, &(PslValidateOpts){.prisma = prisma}, &diags);
    diag_sort(&diags);
    if (schema->errors + r->errors == 0) {
        puts("valid");
        return;
    }
    fputs("invalid", stdout);
    vec_each (Diag, d, &diags.items) {
        int line, column;
        if (d->severity != SEV_ERROR)
            continue;
        str_line_col(d->source->text, d->off, &line, &column);
        printf(" %td:%d:%s", d->source - files, line, d->id);
    }
    putchar('\n');
}

int
main(void)
{
    int prisma;
    size_t n;
    while (scanf("%d %zu", &prisma, &n) == 2) {
        ARENA_LOCAL(a);
        size_t sizes[FILES_MAX];
        Source files[FILES_MAX];
        if (n > FILES_MAX)
            return 2;
        for (size_t i = 0; i < n; i++) {
            if (scanf("%zu", &sizes[i]) != 1)
                return 2;
        }
        if (getchar() != '\n')
            return 2;
        for (size_t i = 0; i < n; i++)
            files[i] = (Source){str_fmt(a, "%zu.prisma", i), read_bytes(a, sizes[i])};
        answer(a, prisma, files, n);
        fflush(stdout);
    }
    return 0;
}
