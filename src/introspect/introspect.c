/* Reading a catalog: settings, schemas, everything else, in one snapshot. */
#include "introspect/introspect_int.h"

/* Functions that print definitions see the present, not the snapshot: of an object that was dropped
 * in between they print nothing or fail (XX000), and then all is read again. */
static const char begin[] = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;";
static const char opening[] =
    "SET LOCAL statement_timeout = 0;" /* the connection's own deadline counts */
    "SET LOCAL search_path = '';"
    "SET LOCAL quote_all_identifiers = off;"
    "SET LOCAL extra_float_digits = 1;"
    "SET LOCAL bytea_output = 'hex';"
    "SET LOCAL DateStyle = 'ISO, MDY';"
    "SET LOCAL IntervalStyle = 'postgres';"
    "SET LOCAL TimeZone = 'UTC';"
    "SET LOCAL standard_conforming_strings = on;"
    "SET LOCAL xmlbinary = 'base64';"
    "SET LOCAL jit = off;"; /* compiling these queries takes longer than running them */
enum { OPENING_STATEMENTS = 11 };

static bool
reads_inside(const IntrospectOptions *options)
{
    return options && options->in_transaction;
}

static void
take_schema(void *arg, size_t result, const Str *cells)
{
    Reading *r = arg;
    size_t first = OPENING_STATEMENTS + (reads_inside(r->options) ? 0u : 1u);
    if (result == first)
        intro_schema_query.row(r, cells);
    else if (result > first)
        intro_row_probe(r, cells);
}

static void
take_row(void *arg, size_t result, const Str *cells)
{
    if (result < intro_nqueries)
        intro_queries[result].row(arg, cells);
}

static bool
read_all(Reading *r, Db *db, Err *err)
{
    Buf sql;
    buf_init(&sql, r->scratch);
    if (!reads_inside(r->options))
        buf_addz(&sql, begin);
    buf_addz(&sql, opening);
    intro_query_add(&sql, r, intro_schema_query.sql);
    buf_addz(&sql, ";\n");
    intro_probe_add(&sql, r);
    if (!db_query_rows(db, r->scratch, buf_str(&sql), take_schema, r, err))
        return false;
    buf_clear(&sql);
    for (size_t i = 0; i < intro_nqueries; i++) {
        if (intro_queries[i].sql)
            intro_query_add(&sql, r, intro_queries[i].sql);
        else
            (intro_queries[i].row == intro_row_defined ? intro_defined_add
                                                       : intro_dependents_add)(&sql, r);
        buf_addz(&sql, ";\n");
    }
    return db_query_rows(db, r->scratch, buf_str(&sql), take_row, r, err);
}

/* Objects are numbered in canonical order: the order of rows means nothing. */
static void
number_objects(Catalog *c)
{
    for (size_t i = 0; i < c->objects.n; i++)
        c->objects.v[i]->ordinal = (unsigned)i;
    c->count = (unsigned)c->objects.n;
}

bool
introspect(Arena *a, Db *db, const IntrospectOptions *options, Catalog **ret, Err *err)
{
    for (int attempt = 1;; attempt++) {
        ArenaMark m = arena_mark(a);
        ARENA_LOCAL(scratch);
        Reading r = {.arena = a,
                     .scratch = scratch,
                     .options = options,
                     .major = db_info(db)->version / 10000,
                     .catalog = catalog_new(a)};
        Map *maps[] = {&r.names,     &r.types,      &r.objects,   &r.rels,
                       &r.opclasses, &r.collations, &r.dependents};
        for (size_t i = 0; i < COUNT(maps); i++)
            map_init(maps[i], scratch);
        bool done = read_all(&r, db, err);
        Err ignored; /* a lost connection was told by the reading, or will be by the next message */
        if (db_is_open(db) && !reads_inside(options))
            (void)!db_query(db, scratch, STR("ROLLBACK"), NULL, &ignored);
        if (done && !r.is_torn) {
            intro_finish(&r);
            intro_take_needs(&r);
            intro_take_dependents(&r);
            intro_use_shells(&r);
            catalog_finish(r.catalog);
            number_objects(r.catalog);
            *ret = r.catalog;
            return true;
        }
        if (!done && strcmp(err->sqlstate, "XX000") != 0)
            return false;
        if (!db_may_retry(DB_PATIENCE_SCHEMA, 0, attempt) || reads_inside(options)) {
            if (done)
                err_set(err, ERR_SQL, "the schema changed each of %d times that it was read",
                        attempt);
            return err_hint(err, "try again when nobody changes the schema");
        }
        arena_reset(a, m);
        db_pause(NULL, NULL, db_retry_ms(DB_PATIENCE_SCHEMA, 0, attempt));
    }
}
