/* The readers of Prisma's files accept any bytes and give whole values. */
#include <stdlib.h>

#include "config/config_int.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(const FileValue *v)
{
    if (!v->key || v->line < 1)
        abort();
    vec_each (FileAlt, alt, &v->alts) {
        if (!alt->text)
            abort();
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ARENA_LOCAL(a);
    Str text = {(const char *)data, size};
    PrismaConfig config = {.path = "prisma.config.ts", .dir = "/p"};
    config_prisma_parse(a, text, "/p", &config);
    vec_each (FileValue, v, &config.values)
        check(v);
    PrismaDatasource datasource = {0};
    if (config_schema_parse(a, text, &datasource))
        vec_each (FileValue, v, &datasource.values)
            check(v);
    return 0;
}
