/* The same as fuzz_parse with missing relation parts added first: the result is readable and
 * stable. */
#include <stdio.h>
#include <stdlib.h>

#include "same.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *problem = tree_check_text((Str){(const char *)data, size}, true);
    if (problem) {
        fprintf(stderr, "%s\n", problem);
        abort();
    }
    return 0;
}
