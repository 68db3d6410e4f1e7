/* Partitions that are made while the database runs: a place for rows, and nobody's migration. */
#include "flow/managed.h"

#include "sqltext/sqltext.h"

/* What is known of them; names as pg_partman keeps them: schema.table. */
typedef struct RunTime {
    const Catalog *made, *live;
    bool both_live; /* `made` is another database: what it lacks was made by nobody's migrations */
    CatTexts parents, templates; /* of pg_partman's part_config */
} RunTime;

static const char *
name_of(Arena *a, const CatRef *t)
{
    return str_fmt(a, "%s.%s", t->schema, t->name);
}

static bool
is_one_of(const void *arg, const CatRelation *t)
{
    ARENA_LOCAL(scratch);
    return map_has(arg, str_of(name_of(scratch, &t->id)));
}

static bool
is_listed(const CatTexts *list, const CatRef *t)
{
    ARENA_LOCAL(scratch);
    return list->n && cat_has_text(list, name_of(scratch, t));
}

static const CatRelation *
parent_of(const Catalog *c, const CatRelation *t)
{
    return t->partition_of.name ? catalog_relation(c, t->partition_of.schema, t->partition_of.name)
                                : NULL;
}

/* Whether migrations say which partitions there are; a DEFAULT one says nothing of the others. */
static bool
has_declared(const Catalog *made, const CatRelation *parent)
{
    cat_each (CatRelation, t, &made->tables)
        if (parent_of(made, t) == parent && strcmp(t->partition_bound, "DEFAULT") != 0)
            return true;
    return false;
}

static bool
is_out_of_live(const RunTime *r, const CatRelation *t)
{
    if (is_listed(&r->templates, &t->id))
        return true;
    if (catalog_find(r->made, t->id))
        return false;
    for (const CatRelation *p = t; (p = parent_of(r->live, p));) {
        const CatRelation *declared = catalog_find(r->made, p->id);
        if (declared && declared->partition_key)
            return is_listed(&r->parents, &p->id) ||
                   (!r->both_live && !has_declared(r->made, declared));
    }
    return false;
}

/* Of those that a replay makes today, maintenance has dropped some, or made others. */
static bool
is_out_of_made(const RunTime *r, const CatRelation *t)
{
    if (is_listed(&r->templates, &t->id))
        return true;
    for (const CatRelation *p = t; (p = parent_of(r->made, p));)
        if (is_listed(&r->parents, &p->id))
            return !catalog_find(r->live, t->id);
    return false;
}

static bool
read_partman(Arena *a, Db *db, RunTime *ret, Err *err)
{
    DbRowsVec results;
    if (!db_query(db, a,
                  STR("SELECT n.nspname FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n"
                      " ON n.oid OPERATOR(pg_catalog.=) c.relnamespace WHERE c.relname"
                      " OPERATOR(pg_catalog.=) 'part_config' AND"
                      " pg_catalog.has_table_privilege(c.oid, 'SELECT') AND"
                      " pg_catalog.has_schema_privilege(n.oid, 'USAGE') AND (SELECT"
                      " pg_catalog.count(*) FROM pg_catalog.pg_attribute t WHERE t.attrelid"
                      " OPERATOR(pg_catalog.=) c.oid AND t.attname OPERATOR(pg_catalog.=)"
                      " ANY ('{parent_table,template_table}')) OPERATOR(pg_catalog.=) 2"),
                  &results, err))
        return false;
    const DbRows *schemas = &results.v[results.n - 1];
    for (int i = 0; i < schemas->rows; i++) {
        Buf b;
        buf_init(&b, a);
        buf_addz(&b, "SELECT parent_table, template_table FROM ");
        sql_add_ident(&b, db_cell(schemas, i, 0).p);
        buf_addz(&b, ".part_config");
        DbRowsVec found;
        if (!db_query(db, a, buf_str(&b), &found, err))
            return false;
        const DbRows *rows = &found.v[found.n - 1];
        for (int k = 0; k < rows->rows; k++) {
            *vec_add(a, &ret->parents) = str_dup(a, db_cell(rows, k, 0));
            if (db_cell(rows, k, 1).n)
                *vec_add(a, &ret->templates) = str_dup(a, db_cell(rows, k, 1));
        }
    }
    return true;
}

static bool
has_partitioned(const Catalog *c)
{
    cat_each (CatRelation, t, &c->tables)
        if (t->partition_key)
            return true;
    return false;
}

bool
managed_partitions(Arena *a, Db *db, Catalog *live, Catalog *made, bool both_live, Err *err)
{
    RunTime r = {.made = made, .live = live, .both_live = both_live};
    if (!has_partitioned(live) && !has_partitioned(made))
        return true;
    if (!read_partman(a, db, &r, err))
        return false;
    /* Both are asked before either changes. */
    ARENA_LOCAL(scratch);
    Map out[2];
    Catalog *sides[2] = {made, live};
    for (int i = 0; i < 2; i++) {
        map_init(&out[i], scratch);
        cat_each (CatRelation, t, &sides[i]->tables)
            if (i ? is_out_of_live(&r, t) : is_out_of_made(&r, t))
                map_put(&out[i], str_of(name_of(scratch, &t->id)), t);
    }
    for (int i = 0; i < 2; i++)
        catalog_leave_out(sides[i], is_one_of, &out[i]);
    return true;
}
