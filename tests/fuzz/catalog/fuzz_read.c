/* Any text is refused or gives a catalog; what that is stored as reads back as the same. */
#include "catalog/catalog_int.h"

#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ARENA_LOCAL(a);
    Err err;
    Catalog *one, *two;
    if (!catalog_read(a, (Str){(const char *)data, size}, &one, &err))
        return 0;
    Str first = catalog_store(a, one);
    if (!catalog_read(a, first, &two, &err)) {
        fprintf(stderr, "%s\n", err.primary);
        abort();
    }
    Str second = catalog_store(a, two);
    if (!str_eq(first, second)) {
        fprintf(stderr, "read back, it is stored as something else\n");
        abort();
    }
    catalog_json(a, one, &(CatRules){0}, false);
    catalog_order(a, one, NULL);
    return 0;
}
