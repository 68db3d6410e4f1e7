#include "psl/attrs.h"

#include <stddef.h>

const AttrSpec psl_attr_specs[ATTR_COUNT] = {
#define A(id, name, shown, where, form, rank, ...)                                                 \
    [ATTR_##id] = {name, shown, where, form, rank, {__VA_ARGS__}},
#include "psl/attrs.def"
#undef A
};
