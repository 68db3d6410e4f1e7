/* aramid.yaml parses or fails with a place; accepted literal values have the right type. */
#include <stdlib.h>

#include "config/config_int.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ARENA_LOCAL(a);
    AramidYaml yaml = {0};
    Err err = {0};
    if (!config_yaml_parse(a, "aramid.yaml", (Str){(const char *)data, size}, &yaml, &err)) {
        if (err.code != ERR_CONFIG || err.at.line < 1)
            abort();
        return 0;
    }
    vec_each (YamlSetting, s, &yaml.settings) {
        int64_t number;
        if (!strstr(s->text, "${") && config_value_check(s->key, s->text, &number))
            abort();
    }
    return 0;
}
