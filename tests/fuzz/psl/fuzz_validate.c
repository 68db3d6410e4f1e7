/* Any text can be validated, for every generation: no crash, every diagnostic has a place inside
 * the text, the count of errors is right, and what is valid for a generation is valid for all. */
#include <stdio.h>
#include <stdlib.h>

#include "psl/psl_validate.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t
errors_for(Arena *a, const Source *source, int prisma)
{
    FindingList diags;
    findings_init(&diags, a, NULL);
    PslSchema *schema = psl_parse(a, source, 1, &diags);
    PslResolved *r = psl_validate(a, schema, &(PslValidateOpts){.prisma = prisma}, &diags);
    if (schema->errors + r->errors != diags.counts[SEV_ERROR])
        abort();
    vec_each (const Finding, d, &diags.items) {
        if (!d->source || d->off > source->text.n || d->len > source->text.n - d->off)
            abort();
    }
    return diags.counts[SEV_ERROR];
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ARENA_LOCAL(a);
    Source source = {"schema.prisma", {(const char *)data, size}};
    size_t all = errors_for(a, &source, 0);
    for (int prisma = 5; prisma <= 7; prisma++) {
        if (errors_for(a, &source, prisma) == 0 && all > 0) {
            fprintf(stderr, "valid for Prisma %d only\n", prisma);
            abort();
        }
    }
    return 0;
}
