/* The table of attributes (attrs.def); internal to psl/. */
#pragma once

/* Where an attribute may stand. */
enum {
    ON_SCALAR = 1,
    ON_RELATION = 2,
    ON_MODEL = 4,
    ON_ENUM = 8,
    ON_ENUM_VALUE = 16,
    ON_NATIVE = 32, /* with ON_SCALAR: @db.X */
    ON_FIELDS = ON_SCALAR | ON_RELATION,
};

enum {
    ARG_UNNAMED = 1, /* the first argument may be written without its name */
    ARG_NEEDED = 2,  /* and must be there */
    ARG_REPEATS = 4, /* the attribute may be written several times */
    ARG_FIRST = ARG_UNNAMED | ARG_NEEDED,
};

#define ATTR_ARGS_MAX 6

enum { RANK_LAST = 10 };

typedef enum AttrId {
#define A(id, ...) ATTR_##id,
#include "psl/attrs.def"
#undef A
    ATTR_COUNT,
} AttrId;

typedef struct AttrSpec {
    const char *name; /* without @ */
    const char *shown;
    unsigned where;
    unsigned form; /* ARG_... */
    unsigned rank; /* 1 to RANK_LAST */
    const char *args[ATTR_ARGS_MAX];
} AttrSpec;

extern const AttrSpec psl_attr_specs[ATTR_COUNT];
