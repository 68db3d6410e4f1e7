/* How large the tables of a database are and what their columns hold, without a row or a value of it: what
 * `aramid stats save` keeps in a file for who judges migrations without the database. Pure. */
#pragma once

#include "base/err.h"
#include "base/jw.h"
#include "base/map.h"
#include "catalog/values.h"

typedef struct StatColumn {
    const char *name;
    double nulls;    /* fraction of rows in which it is NULL */
    double distinct; /* values; below 0: times -1 the number of rows, as pg_stats has it */
    int width;       /* bytes on average */
} StatColumn;

typedef struct StatTable {
    const char *schema, *name;
    int64_t rows;            /* about */
    int64_t bytes;           /* of its rows */
    int64_t total;           /* with its indexes and what is stored beside */
    VEC(StatColumn) columns; /* none where it was never analyzed, or may not be read */
} StatTable;

typedef struct Stats {
    int server;        /* 150018 */
    const char *taken; /* "2026-12-01T04:30:00Z" */
    CatTexts applied;  /* names of the migrations that the database had */
    bool has_applied;  /* that is known */
    VEC(StatTable) tables;
    Map by_name; /* "schema.name": index + 1 of `tables`, once stats_index was called */
} Stats;

void stats_index(Arena *a, Stats *s);
/* NULL: not known. Once stats_index was called. */
const StatTable *stats_table(const Stats *s, const char *schema, const char *name);
bool stats_has_applied(const Stats *s, const char *migration);

/* "3 rows", "about 1.2 million rows, 340 MB". */
const char *stats_size_text(Arena *a, const StatTable *t);

void stats_write(JsonWriter *w, const Stats *s);
/* What stats_write wrote, indexed. errors: ERR_CONFIG with the place in `path` */
MUST_CHECK bool stats_read(Arena *a, const char *path, Str text, Stats *ret, Err *err);
