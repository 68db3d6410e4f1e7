/* .env files parse or fail with a line; every value can be expanded in bounded space. */
#include <stdlib.h>

#include "config/config_int.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ARENA_LOCAL(a);
    Err err = {0};
    EnvSet set = {0};
    *vec_add(a, &set.layers) = (EnvLayer){.path = ".env"};
    EnvVarVec *vars = &set.layers.v[0].vars;
    if (!config_dotenv_parse(a, ".env", (Str){(const char *)data, size}, vars, &err)) {
        if (err.code != ERR_CONFIG)
            abort();
        return 0;
    }
    for (size_t i = 0; i < vars->n && i < 100; i++) {
        EnvHit hit;
        if (vars->v[i].line < 1 || !config_env_find_in(a, &set, 0, vars->v[i].key, &hit))
            abort();
    }
    return 0;
}
