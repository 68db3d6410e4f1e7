/* Any text gives a well-formed tree and diagnostics with places; what can be formatted says the
 * same afterwards and is stable. */
#include <stdio.h>
#include <stdlib.h>

#include "same.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *problem = tree_check_text((Str){(const char *)data, size}, false);
    if (problem) {
        fprintf(stderr, "%s\n", problem);
        abort();
    }
    return 0;
}
