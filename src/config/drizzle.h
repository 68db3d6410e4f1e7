/* drizzle.config.*: where drizzle-kit writes, and which table keeps its history. Nothing is run: what a
 * program makes is not known, and said so. */
#pragma once

#include "base/mem.h"
#include "base/vec.h"

typedef struct ConfigDrizzle {
    const char *path;           /* of the file, absolute */
    const char *folder;         /* where drizzle-kit is run: its paths begin there */
    const char *out;            /* "drizzle", when the file does not say */
    const char *dialect;        /* or NULL */
    const char *schema, *table; /* of the history; NULL = Drizzle's own */
    const char *computed;       /* a key of these whose value is no literal; or NULL */
    bool is_table_computed;     /* schema or table is one */
} ConfigDrizzle;

typedef VEC(ConfigDrizzle) ConfigDrizzleVec;

/* Those of the folder `dir`: named by drizzle-kit's --config in the scripts of its package.json, then those of
 * usual names; where there is none, drizzle.prod.config.ts and its like. */
ConfigDrizzleVec config_drizzle_in(Arena *a, const char *dir);

/* The one that leads to the folder `migrations`, which need not be there, from it upwards to `top`; both
 * absolute. false: there is none. */
bool config_drizzle_of(Arena *a, const char *top, const char *migrations, ConfigDrizzle *ret);

/* Whether drizzle-kit takes it without --config. */
bool config_drizzle_is_default(const ConfigDrizzle *d);

/* "schema.table" of the history; NULL where it is Drizzle's own. */
const char *config_drizzle_table(Arena *a, const ConfigDrizzle *d);
