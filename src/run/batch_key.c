/* By which key a statement runs in batches. */
#include "run/batch.h"
#include "run/pass.h"
#include "run/session_int.h"
#include "sqltext/sqltext.h"

/* ---- refusing --------------------------------------------------------------------------------- */

typedef struct Finder {
    Run *run;
    Arena *arena;
    const MigrationPlan *mp;
    const Step *step;
    BatchKey *key;
    Err *err;
} Finder;

__attribute__((format(printf, 2, 3))) static bool
refuse(Finder *f, const char *fmt, ...)
{
    const SqlBatch *b = f->step->batch;
    va_list ap;
    va_start(ap, fmt);
    const char *why = str_vfmt(f->arena, fmt, ap);
    va_end(ap);
    err_set(f->err, ERR_NO_KEY, "\"%s\" cannot be changed in batches: %s", b->table.name, why);
    err_at(f->err, f->mp->migration->path, b->line, b->column);
    f->err->statement = (int)f->step->first + 1;
    return false;
}

/* ---- the table -------------------------------------------------------------------------------- */

static const char *
written(Arena *a, SqlName name)
{
    Buf b;
    buf_init(&b, a);
    if (name.schema[0])
        sql_add_name(&b, name.schema, name.name);
    else
        sql_add_ident(&b, name.name);
    return b.p;
}

static bool
find_table(Finder *f)
{
    Buf b;
    DbRowsVec results;
    Arena *a = f->arena;
    buf_init(&b, a);
    session_add_user_prefix(&f->run->session, &b);
    buf_addz(
        &b,
        "SELECT c.oid, pg_catalog.quote_ident(n.nspname::pg_catalog.text)"
        " OPERATOR(pg_catalog.||) '.' OPERATOR(pg_catalog.||)"
        " pg_catalog.quote_ident(c.relname::pg_catalog.text), c.relkind, c.relkind"
        " OPERATOR(pg_catalog.=) 'r' AND EXISTS (SELECT 1 FROM pg_catalog.pg_inherits h WHERE"
        " h.inhparent OPERATOR(pg_catalog.=) c.oid), (SELECT pg_catalog.sum(p.reltuples)"
        "::pg_catalog.int8 FROM pg_catalog.pg_class p WHERE p.reltuples OPERATOR(pg_catalog.>) 0"
        " AND (p.oid OPERATOR(pg_catalog.=) c.oid OR p.oid OPERATOR(pg_catalog.=) ANY (SELECT "
        "t.relid"
        " FROM pg_catalog.pg_partition_tree(c.oid) t WHERE t.isleaf))) FROM pg_catalog.pg_class c"
        " JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace WHERE c.oid"
        " OPERATOR(pg_catalog.=) pg_catalog.to_regclass(");
    sql_add_literal(&b, str_of(written(a, f->step->batch->table)));
    buf_addc(&b, ')');
    if (!db_query(f->run->session.db, a, buf_str(&b), &results, f->err))
        return false;
    const DbRows *rows = &results.v[results.n - 1];
    if (!rows->rows)
        return true;
    long long n = 0;
    str_to_int(db_cell(rows, 0, 0), 1, UINT32_MAX, &f->key->relation);
    f->key->table = db_cell(rows, 0, 1).p;
    if (!str_is(db_cell(rows, 0, 2), "r") && !str_is(db_cell(rows, 0, 2), "p"))
        return refuse(f, "it is no table");
    if (str_is(db_cell(rows, 0, 3), "t"))
        return refuse(f, "other tables inherit from it, and have keys of their own");
    if (db_cell(rows, 0, 4).p && str_to_int(db_cell(rows, 0, 4), 0, INT64_MAX, &n))
        f->key->rows = n;
    return true;
}

/* ---- its indexes ------------------------------------------------------------------------------ */

/* An index that gives rows in order, with its columns up to the first one that cannot be a key. */
typedef struct Candidate {
    const char *index;
    bool is_primary, is_unique;
    size_t parts; /* columns that it has */
    VEC(BatchColumn) columns;
    const char *nullable; /* the first one that may be NULL */
    bool is_descending;
} Candidate;
typedef VEC(Candidate) Candidates;

/* One row for each column of each index that is whole and knows all rows, in its order. A type's own order
 * only: the condition of a batch compares by it. */
static const char indexes_query[] =
    "SELECT i.indexrelid, i.indisprimary, i.indisunique, i.indnkeyatts, a.attname,"
    " pg_catalog.quote_ident(a.attname::pg_catalog.text), pg_catalog.format_type(a.atttypid,"
    " a.atttypmod), a.attnotnull, o.opcdefault AND n.nspname OPERATOR(pg_catalog.=) 'pg_catalog'"
    " AND i.indcollation[k.k] OPERATOR(pg_catalog.=) a.attcollation, (i.indoption[k.k]"
    " OPERATOR(pg_catalog.&) 1) OPERATOR(pg_catalog.=) 1 FROM pg_catalog.pg_index i"
    " JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) i.indexrelid"
    " JOIN pg_catalog.pg_am m ON m.oid OPERATOR(pg_catalog.=) c.relam AND m.amname"
    " OPERATOR(pg_catalog.=) 'btree' CROSS JOIN LATERAL pg_catalog.generate_series(0, i.indnkeyatts"
    " OPERATOR(pg_catalog.-) 1) k (k) LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid"
    " OPERATOR(pg_catalog.=) i.indrelid AND a.attnum OPERATOR(pg_catalog.=) i.indkey[k.k]"
    " AND i.indkey[k.k] OPERATOR(pg_catalog.<>) 0 JOIN pg_catalog.pg_opclass o ON o.oid"
    " OPERATOR(pg_catalog.=) i.indclass[k.k] JOIN pg_catalog.pg_namespace n ON n.oid"
    " OPERATOR(pg_catalog.=) o.opcnamespace WHERE i.indrelid OPERATOR(pg_catalog.=) %lld"
    " AND i.indisvalid AND i.indisready AND i.indpred IS NULL ORDER BY i.indexrelid, k.k";

static bool
read_indexes(Finder *f, Candidates *ret)
{
    Buf b;
    DbRowsVec results;
    buf_init(&b, f->arena);
    session_add_user_prefix(&f->run->session, &b);
    buf_fmt(&b, indexes_query, f->key->relation);
    if (!db_query(f->run->session.db, f->arena, buf_str(&b), &results, f->err))
        return false;
    const DbRows *rows = &results.v[results.n - 1];
    bool ends = false;
    for (int i = 0; i < rows->rows; i++) {
        const char *index = db_cell(rows, i, 0).p;
        Candidate *c = ret->n ? &ret->v[ret->n - 1] : NULL;
        if (!c || strcmp(c->index, index) != 0) {
            long long parts = 0;
            c = vec_add(f->arena, ret);
            str_to_int(db_cell(rows, i, 3), 1, 32, &parts);
            *c = (Candidate){.index = index,
                             .is_primary = str_is(db_cell(rows, i, 1), "t"),
                             .is_unique = str_is(db_cell(rows, i, 2), "t"),
                             .parts = (size_t)parts,
                             .is_descending = str_is(db_cell(rows, i, 9), "t")};
            ends = false;
        }
        ends = ends || !db_cell(rows, i, 4).p || !str_is(db_cell(rows, i, 8), "t") ||
               c->is_descending != str_is(db_cell(rows, i, 9), "t");
        if (ends)
            continue;
        if (!c->nullable && !str_is(db_cell(rows, i, 7), "t"))
            c->nullable = db_cell(rows, i, 4).p;
        *vec_add(f->arena, &c->columns) =
            (BatchColumn){db_cell(rows, i, 4).p, db_cell(rows, i, 5).p, db_cell(rows, i, 6).p};
    }
    return true;
}

static bool
begins_with(const Candidate *c, const SqlBatch *b)
{
    bool same = b->keys.n <= c->columns.n;
    for (size_t i = 0; same && i < b->keys.n; i++)
        same = strcmp(c->columns.v[i].name, b->keys.v[i]) == 0;
    return same;
}

/* The smallest that is whole; the primary key before all others. */
static const Candidate *
best_unique(const Candidates *list)
{
    const Candidate *best = NULL;
    vec_each (const Candidate, c, list) {
        if (!c->is_unique || c->nullable || c->columns.n != c->parts)
            continue;
        if (c->is_primary)
            return c;
        best = !best || c->parts < best->parts ? c : best;
    }
    return best;
}

static const char *
key_text(Arena *a, const SqlBatch *b)
{
    Buf text;
    buf_init(&text, a);
    for (size_t i = 0; i < b->keys.n; i++) {
        buf_addz(&text, i ? ", " : "");
        sql_add_ident(&text, b->keys.v[i]);
    }
    return text.p;
}

static bool
has_column(Finder *f, const char *name, bool *ret)
{
    Buf b;
    DbRowsVec results;
    buf_init(&b, f->arena);
    buf_fmt(&b,
            "SELECT 1 FROM pg_catalog.pg_attribute a WHERE a.attrelid OPERATOR(pg_catalog.=) %lld"
            " AND a.attnum OPERATOR(pg_catalog.>) 0 AND NOT a.attisdropped AND a.attname"
            " OPERATOR(pg_catalog.=) ",
            f->key->relation);
    sql_add_literal(&b, str_of(name));
    if (!db_query(f->run->session.db, f->arena, buf_str(&b), &results, f->err))
        return false;
    *ret = results.v[0].rows > 0;
    return true;
}

static bool
refuse_named(Finder *f, const Candidate *nullable)
{
    const SqlBatch *b = f->step->batch;
    vec_each (const char *, name, &b->keys) {
        bool there;
        if (!has_column(f, *name, &there))
            return false;
        if (!there)
            return refuse(f, "it has no column \"%s\"", *name);
    }
    const char *names = key_text(f->arena, b);
    if (nullable) {
        refuse(f, "column \"%s\" of the key may be NULL, and such rows would be passed over",
               nullable->nullable);
        return err_hint(f->err, "name a key that is NOT NULL, or leave key= away: then it is the "
                                "primary key");
    }
    refuse(f, "no index gives its rows in the order of (%s)", names);
    err_detail(f->err, "wanted is a valid btree index that begins with these columns, without a "
                       "condition, in the usual order of their types");
    return err_hint(f->err,
                    "CREATE INDEX CONCURRENTLY ON %s (%s); or leave key= away: then it is the "
                    "primary key",
                    f->key->table, names);
}

static bool
choose(Finder *f, const Candidates *list)
{
    const SqlBatch *b = f->step->batch;
    const Candidate *found = NULL, *nullable = NULL;
    if (!b->keys.n)
        found = best_unique(list);
    for (size_t i = 0; b->keys.n && i < list->n && !found; i++) {
        const Candidate *c = &list->v[i];
        if (!begins_with(c, b))
            continue;
        bool may_be_null = false;
        for (size_t k = 0; k < b->keys.n; k++)
            may_be_null = may_be_null || (c->nullable && strcmp(c->nullable, b->keys.v[k]) == 0);
        if (may_be_null)
            nullable = c;
        else
            found = c;
    }
    if (!found && b->keys.n)
        return refuse_named(f, nullable);
    if (!found) {
        refuse(f, "it has no primary key, and no unique index whose columns are NOT NULL");
        return err_hint(f->err, "make one, or name indexed columns: -- aramid:batch key=COLUMN");
    }
    for (size_t i = 0; i < (b->keys.n ? b->keys.n : found->columns.n); i++)
        *vec_add(f->arena, &f->key->columns) = found->columns.v[i];
    vec_each (const BatchColumn, c, &f->key->columns)
        vec_each (const char *, set, &b->sets)
            if (strcmp(*set, c->name) == 0)
                return refuse(f, "the statement changes \"%s\", a column of the key", c->name);
    return true;
}

bool
batch_key(Run *r, Arena *a, const MigrationPlan *mp, const Step *s, BatchKey *ret, Err *err)
{
    Finder f = {.run = r, .arena = a, .mp = mp, .step = s, .key = ret, .err = err};
    Candidates list = {0};
    *ret = (BatchKey){0};
    if (!find_table(&f))
        return false;
    return !ret->relation || (read_indexes(&f, &list) && choose(&f, &list));
}

/* ---- before anything is changed ----------------------------------------------------------------- */

static bool
makes(const MigrationPlan *mp, const char *name)
{
    vec_each (const Touched, t, &mp->touched)
        if (t->is_made && strcmp(t->name, name) == 0)
            return true;
    return false;
}

/* An earlier statement of the run makes or changes the table: what it will be is not known yet. */
static bool
is_changed_before(const Run *r, const MigrationPlan *mp, const Step *step)
{
    const char *name = step->batch->table.name;
    vec_each (const MigrationPlan, m, &r->plan.migrations) {
        vec_each (const Touched, t, &m->touched)
            if (m != mp && strcmp(t->name, name) == 0)
                return true;
        vec_each (const Step, s, &m->steps) {
            if (s == step)
                return makes(mp, name);
            if (s->has_dml && s->hides_locks)
                return true;
            vec_each (const StepLock, l, &s->locks)
                if (l->mode >= SQL_LOCK_SHARE_UPDATE_EXCLUSIVE && strcmp(l->rel.name, name) == 0)
                    return true;
        }
    }
    return false;
}

/* Of a step of the plan: what is between the change and its rows, as far as one row follows from one. */
static bool
sums_up(Str line)
{
    Str node = str_trim(line);
    if (str_starts(node, STR("->")))
        node = str_trim(str_slice(node, 2, node.n));
    return str_contains(node, STR("Aggregate")) || str_starts(node, STR("Group")) ||
           str_starts(node, STR("WindowAgg"));
}

/* An INSERT of sums would make one row for each batch: the server's plan tells. That it has none (a table
 * that is still to be made) is no error here. */
static bool
check_rows(Finder *f)
{
    Buf b;
    DbRowsVec results;
    Err ignored;
    const SqlStmt *s = f->step->only;
    if (s->kind != SQL_INSERT)
        return true;
    buf_init(&b, f->arena);
    session_add_user_prefix(&f->run->session, &b);
    buf_addz(&b, "EXPLAIN (COSTS OFF) ");
    if (!plan_add_text(&b, f->mp, s->off, s->off + s->len, f->err))
        return false;
    if (!db_query(f->run->session.db, f->arena, buf_str(&b), &results, &ignored))
        return db_is_open(f->run->session.db) ||
               db_query(f->run->session.db, f->arena, STR("SELECT 1"), NULL, f->err);
    const DbRows *rows = &results.v[results.n - 1];
    for (int i = 1; i < rows->rows; i++) {
        Str line = db_cell(rows, i, 0);
        if (sums_up(line))
            return refuse(f, "the rows of the INSERT are sums over many of its rows");
        if (!str_contains(line, STR("\"*SELECT*\"")) && !str_contains(line, STR("->  Result")) &&
            !str_contains(line, STR("->  ProjectSet")))
            break;
    }
    return true;
}

static bool
check_one(Run *r, const MigrationPlan *mp, const Step *s, Err *err)
{
    ARENA_LOCAL(a);
    BatchKey key;
    if (is_changed_before(r, mp, s))
        return true;
    if (!batch_key(r, a, mp, s, &key, err))
        return false;
    Finder f = {.run = r, .arena = a, .mp = mp, .step = s, .key = &key, .err = err};
    return key.relation ? check_rows(&f) : refuse(&f, "there is no such table");
}

bool
run_check_batches(Run *r, Err *err)
{
    vec_each (const MigrationPlan, mp, &r->plan.migrations)
        vec_each (const Step, s, &mp->steps)
            if (s->mode == STEP_BATCH && !check_one(r, mp, s, err))
                return false;
    return true;
}
