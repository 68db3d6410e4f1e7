/* How large tables are: what the server knows of them, without reading one. */
#include "introspect/introspect_int.h"

#include "base/clock.h"
#include "introspect/stats.h"

#include <stdlib.h>
#include <string.h>

/* search_path is empty: operators are pg_catalog's. A relation that somebody holds, or waits for, in ACCESS
 * EXCLUSIVE mode is not opened for its size: what the last VACUUM has left of it must do. */
#define TABLES_SQL                                                                                 \
    "WITH busy AS (SELECT DISTINCT l.relation FROM pg_catalog.pg_locks l"                          \
    " WHERE l.mode = 'AccessExclusiveLock' AND l.relation IS NOT NULL),"                           \
    " held AS (SELECT relation FROM busy UNION SELECT i.indrelid FROM pg_catalog.pg_index i"       \
    " JOIN busy b ON b.relation = i.indexrelid),"                                                  \
    " sized AS (SELECT c.oid, c.relname, c.relnamespace, c.reltuples, c.relpages,"                 \
    " pg_catalog.current_setting('block_size')::pg_catalog.int8 AS block,"                         \
    " CASE WHEN c.relkind = 'p' THEN 0 WHEN h.relation IS NOT NULL THEN c.relpages *"              \
    " pg_catalog.current_setting('block_size')::pg_catalog.int8 ELSE"                              \
    " pg_catalog.pg_relation_size(c.oid) END AS heap,"                                             \
    " CASE WHEN c.relkind = 'p' THEN 0 WHEN h.relation IS NOT NULL THEN c.relpages *"              \
    " pg_catalog.current_setting('block_size')::pg_catalog.int8 ELSE"                              \
    " pg_catalog.pg_total_relation_size(c.oid) END AS total"                                       \
    " FROM pg_catalog.pg_class c LEFT JOIN held h ON h.relation = c.oid"                           \
    " WHERE c.relkind IN ('r', 'p', 'm') AND c.relpersistence <> 't' AND c.oid >= 16384)"          \
    " SELECT s.oid, n.nspname, s.relname, coalesce((SELECT i.inhparent FROM"                       \
    " pg_catalog.pg_inherits i JOIN pg_catalog.pg_class p ON p.oid = i.inhparent"                  \
    " WHERE i.inhrelid = s.oid AND p.relkind = 'p' LIMIT 1), 0),"                                  \
    " coalesce(CASE WHEN s.heap = 0 THEN 0 WHEN s.reltuples > 0 AND s.relpages > 0 THEN"           \
    " s.reltuples / s.relpages * (s.heap / s.block)"                                               \
    " ELSE pg_catalog.pg_stat_get_live_tuples(s.oid) END, 0)::pg_catalog.int8,"                    \
    " coalesce(s.heap, 0), coalesce(s.total, 0)"                                                   \
    " FROM sized s JOIN pg_catalog.pg_namespace n ON n.oid = s.relnamespace"                       \
    " WHERE n.nspname <> 'information_schema' AND n.nspname !~ '^pg_' ORDER BY 2, 3"

#define COLUMNS_SQL                                                                                \
    "SELECT s.schemaname, s.tablename, s.attname, s.null_frac, s.n_distinct, s.avg_width"          \
    " FROM pg_catalog.pg_stats s JOIN pg_catalog.pg_namespace n ON n.nspname = s.schemaname"       \
    " JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = s.tablename"            \
    " JOIN pg_catalog.pg_attribute t ON t.attrelid = c.oid AND t.attname = s.attname"              \
    " WHERE c.oid >= 16384 AND s.schemaname <> 'information_schema'"                               \
    " AND s.schemaname !~ '^pg_' ORDER BY 1, 2, t.attnum, s.inherited"

typedef struct Partition {
    size_t table; /* index into tables */
    long long oid, parent;
} Partition;
typedef VEC(Partition) Partitions;

static long long
number(Str cell)
{
    long long n = 0;
    return str_to_int(cell, INT64_MIN, INT64_MAX, &n) ? n : 0;
}

/* A partitioned table is as large as its partitions are. */
static void
add_up(Stats *s, const Partitions *list, const Partition *part)
{
    const StatTable *t = &s->tables.v[part->table];
    long long parent = part->parent;
    for (int depth = 0; parent && depth < 32; depth++) {
        long long above = 0;
        vec_each (const Partition, p, list) {
            if (p->oid != parent)
                continue;
            StatTable *to = &s->tables.v[p->table];
            to->rows += t->rows;
            to->bytes += t->bytes;
            to->total += t->total;
            above = p->parent;
        }
        parent = above;
    }
}

static void
take_tables(Arena *a, const DbRows *r, Stats *ret)
{
    Partitions list = {0};
    for (int i = 0; i < r->rows; i++) {
        *vec_add(a, &list) =
            (Partition){ret->tables.n, number(db_cell(r, i, 0)), number(db_cell(r, i, 3))};
        *vec_add(a, &ret->tables) = (StatTable){.schema = str_dup(a, db_cell(r, i, 1)),
                                                .name = str_dup(a, db_cell(r, i, 2)),
                                                .rows = number(db_cell(r, i, 4)),
                                                .bytes = number(db_cell(r, i, 5)),
                                                .total = number(db_cell(r, i, 6))};
    }
    StatTable *own = arena_array(a, StatTable, ret->tables.n);
    if (ret->tables.n)
        memcpy(own, ret->tables.v, ret->tables.n * sizeof *own);
    vec_each (const Partition, p, &list)
        if (p->parent &&
            own[p->table].bytes) /* leaves: what is partitioned itself has nothing yet */
            add_up(ret, &list, p);
}

/* Both answers are in the order of the tables' names. */
static StatTable *
table_from(Stats *s, size_t *at, Str schema, Str name)
{
    for (size_t i = *at; i < s->tables.n; i++)
        if (str_is(name, s->tables.v[i].name) && str_is(schema, s->tables.v[i].schema)) {
            *at = i;
            return &s->tables.v[i];
        }
    return NULL;
}

static void
take_columns(Arena *a, const DbRows *r, Stats *ret)
{
    size_t at = 0;
    for (int i = 0; i < r->rows; i++) {
        Str name = db_cell(r, i, 2);
        StatTable *t = table_from(ret, &at, db_cell(r, i, 0), db_cell(r, i, 1));
        if (!t || (t->columns.n && str_is(name, t->columns.v[t->columns.n - 1].name)))
            continue;
        *vec_add(a, &t->columns) =
            (StatColumn){.name = str_dup(a, name),
                         .nulls = strtod(str_dup(a, db_cell(r, i, 3)), NULL),
                         .distinct = strtod(str_dup(a, db_cell(r, i, 4)), NULL),
                         .width = (int)number(db_cell(r, i, 5))};
    }
}

bool
introspect_stats(Arena *a, Db *db, int64_t lock_ms, Stats *ret, Err *err)
{
    DbRowsVec results;
    ARENA_LOCAL(scratch);
    *ret = (Stats){.server = db_info(db)->version, .taken = clock_iso(a, clock_wall_us())};
    const char *sql = str_fmt(scratch,
                              "BEGIN READ ONLY;SET LOCAL search_path = '';"
                              "SET LOCAL lock_timeout = %lld;" TABLES_SQL ";" COLUMNS_SQL ";COMMIT",
                              (long long)lock_ms);
    if (!db_query(db, scratch, str_of(sql), &results, err)) {
        Err ignored;
        bool is_over = db_is_open(db) && db_query(db, scratch, STR("ROLLBACK"), NULL, &ignored);
        (void)is_over;
        return false;
    }
    const DbRows *tables = NULL, *columns = NULL;
    vec_each (const DbRows, r, &results) {
        if (r->cols == 7)
            tables = r;
        if (r->cols == 6)
            columns = r;
    }
    if (tables)
        take_tables(a, tables, ret);
    stats_index(a, ret);
    if (columns)
        take_columns(a, columns, ret);
    return true;
}
