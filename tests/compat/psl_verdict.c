/* Answers for psl_compare.py: is a schema valid, where are its errors, how is it formatted.
 *
 * Requests on standard input: a line "WHAT COUNT LENGTH..." (WHAT: the generation 5, 6, 7 or 0 for
 * all, or "format"; number of files; their sizes in bytes), then the files' bytes. Answers are a
 * line: "valid", "invalid FILE:LINE:ID ..." with every error in the order in which users see them,
 * FILE counting from 0, or "formatted LENGTH..." and the files' bytes. Warnings are not shown.
 * Files are called 00.prisma, 01.prisma, ... */
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
print_errors(FindingList *diags, const Source *files)
{
    findings_sort(diags);
    StrCursor at = {0};
    fputs("invalid", stdout);
    vec_each (Finding, d, &diags->items) {
        if (d->severity != SEV_ERROR)
            continue;
        str_cursor_to(&at, d->source->text, d->off);
        printf(" %td:%d:%s", d->source - files, at.line, finding_info(d->id)->name);
    }
    putchar('\n');
}

static void
validate(Arena *a, int prisma, const Source *files, size_t n)
{
    FindingList diags;
    findings_init(&diags, a, NULL);
    PslSchema *schema = psl_parse(a, files, n, &diags);
    PslResolved *r = psl_validate(a, schema, &(PslValidateOpts){.prisma = prisma}, &diags);
    if (schema->errors + r->errors == 0)
        puts("valid");
    else
        print_errors(&diags, files);
}

static void
format(Arena *a, const Source *files, size_t n)
{
    FindingList diags;
    Source *out;
    Err err;
    findings_init(&diags, a, NULL);
    if (!psl_reformat(a, files, n, true, &out, &diags, &err)) {
        print_errors(&diags, files);
        return;
    }
    fputs("formatted", stdout);
    for (size_t i = 0; i < n; i++)
        printf(" %zu", out[i].text.n);
    putchar('\n');
    for (size_t i = 0; i < n; i++)
        fwrite(out[i].text.p, 1, out[i].text.n, stdout);
}

int
main(void)
{
    char what[8];
    size_t n;
    while (scanf("%7s %zu", what, &n) == 2) {
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
            files[i] = (Source){str_fmt(a, "%02zu.prisma", i), read_bytes(a, sizes[i])};
        if (strcmp(what, "format") == 0)
            format(a, files, n);
        else
            validate(a, what[0] - '0', files, n);
        fflush(stdout);
    }
    return 0;
}
