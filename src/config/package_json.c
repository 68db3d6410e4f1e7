#include <jansson.h>

#include "config_int.h"

static void
json_cleanup(json_t **json)
{
    json_decref(*json);
}

bool
config_package_parse(Arena *a, Str text, const char **ret_schema, const char **ret_seed,
                     int *ret_line)
{
    *ret_schema = *ret_seed = NULL;
    if (str_starts(text, STR("\xef\xbb\xbf")))
        text = str_slice(text, 3, text.n);
    json_error_t error;
    __attribute__((cleanup(json_cleanup))) json_t *root = json_loadb(text.p, text.n, 0, &error);
    if (!root) {
        *ret_line = error.line > 0 ? error.line : 1;
        return false;
    }
    const json_t *prisma = json_object_get(root, "prisma");
    *ret_schema = str_dupz(a, json_string_value(json_object_get(prisma, "schema")));
    *ret_seed = str_dupz(a, json_string_value(json_object_get(prisma, "seed")));
    return true;
}
