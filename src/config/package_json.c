#include "config_int.h"

/* The string that stands here; NULL when it is something else. */
static const char *
text_or_null(JsonReader *r)
{
    if (jr_is_str(r))
        return jr_str(r).p;
    jr_skip(r);
    return NULL;
}

bool
config_package_open(Arena *a, Str text, JsonReader *ret)
{
    if (str_starts(text, STR("\xef\xbb\xbf")))
        text = str_slice(text, 3, text.n);
    jr_init(ret, a, text);
    bool has_keys = jr_is_object(ret);
    if (has_keys)
        jr_object(ret);
    else
        jr_skip(ret);
    return has_keys;
}

bool
config_package_parse(Arena *a, Str text, const char **ret_schema, const char **ret_seed,
                     int *ret_line)
{
    *ret_schema = *ret_seed = NULL;
    JsonReader r;
    bool has_keys = config_package_open(a, text, &r);
    *ret_line = r.line ? r.line : 1;
    for (Str key; has_keys && jr_key(&r, &key);) {
        if (!str_is(key, "prisma") || !jr_is_object(&r)) {
            jr_skip(&r);
            continue;
        }
        jr_object(&r);
        for (Str k; jr_key(&r, &k);)
            if (str_is(k, "schema"))
                *ret_schema = text_or_null(&r);
            else if (str_is(k, "seed"))
                *ret_seed = text_or_null(&r);
            else
                jr_skip(&r);
    }
    return jr_done(&r);
}
