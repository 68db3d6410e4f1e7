/* aramid describe: which relation, what there is beside its own parts, which migrations speak of it. */
#include "flow/describe.h"

#include "flow/rollback.h"
#include "introspect/introspect.h"
#include "sqltext/actions.h"

#include <stdlib.h>

/* A name with more letters wrong is another one. */
enum { NAME_MAX_WRONG = 3 };

/* ---- which ------------------------------------------------------------------------------------ */

typedef VEC(const CatRelation *) Found;

static void
add_named(Arena *a, const Catalog *c, const char *schema, Str name, bool folded, Found *ret)
{
    vec_each (CatObject *, o, &c->objects) {
        const CatRef *id = &(*o)->id;
        if (id->kind != CAT_TABLE && id->kind != CAT_VIEW && id->kind != CAT_MATVIEW)
            continue;
        bool same = folded ? str_ieq(str_of(id->name), name) : str_is(name, id->name);
        if (same && (!schema || strcmp(schema, id->schema) == 0))
            *vec_add(a, ret) = (const CatRelation *)*o;
    }
}

/* Of all schemas, or of the one that unqualified names lead to where that has one. */
static void
find_by_name(Arena *a, const DescribeResult *r, Str name, bool folded, Found *ret)
{
    const char *parts[2];
    Str rest = name;
    size_t n = cat_cut_path(a, &rest, parts, COUNT(parts));
    if (n == 2 && !rest.n)
        add_named(a, r->catalog, parts[0], str_of(parts[1]), folded, ret);
    if (n == 1 && !rest.n)
        name = str_of(parts[0]);
    if (!ret->n && r->schema)
        add_named(a, r->catalog, r->schema, name, folded, ret);
    if (!ret->n)
        add_named(a, r->catalog, NULL, name, folded, ret);
}

static void
find_by_model(Arena *a, DescribeResult *r, const char *name, Found *ret)
{
    PslSchema *schema;
    FindingList diags;
    Err why;
    findings_init(&diags, a, NULL);
    if (!r->config->schema_path || !psl_load(a, r->config->schema_path, &schema, &diags, &why))
        return;
    const PslResolved *models = psl_validate(a, schema, NULL, &diags);
    for (size_t i = 0; i < models->nmodels && !ret->n; i++) {
        const PslModel *m = models->models[i];
        if (!str_is(m->name, name))
            continue;
        add_named(a, r->catalog, m->schema.n ? str_dup(a, m->schema) : r->schema, m->table, false,
                  ret);
        r->model = ret->n ? name : NULL;
    }
}

static bool
refuse_missing(Arena *a, const DescribeResult *r, const char *name, Err *err)
{
    const char *nearest = NULL;
    size_t best = NAME_MAX_WRONG + 1;
    vec_each (CatObject *, o, &r->catalog->objects) {
        const CatRef *id = &(*o)->id;
        if (id->kind != CAT_TABLE && id->kind != CAT_VIEW && id->kind != CAT_MATVIEW)
            continue;
        size_t d = str_distance(str_of(id->name), str_of(name), NAME_MAX_WRONG);
        if (d < best)
            best = d, nearest = str_fmt(a, "%s.%s", id->schema, id->name);
    }
    err_set(err, ERR_NO_SUCH_TABLE, "there is no table and no view \"%s\"",
            str_printable(a, str_of(name), false));
    err_detail(err, "looked into all schemas of %s", r->target.shown);
    return nearest ? err_hint(err, "did you mean \"%s\"?", str_printable(a, str_of(nearest), false))
                   : err_hint(err, "is it the right database? aramid config show");
}

static bool
refuse_several(Arena *a, const Found *found, const char *name, Err *err)
{
    err_set(err, ERR_NO_SUCH_TABLE, "%zu schemas have a \"%s\"", found->n,
            str_printable(a, str_of(name), false));
    vec_each (const CatRelation *, r, found)
        err_detail(err, "%s", str_printable(a, str_of(cat_ref_text(a, &(*r)->id)), false));
    return err_hint(err, "name it with its schema: aramid describe %s.%s",
                    str_shell(a, found->v[0]->id.schema), str_shell(a, found->v[0]->id.name));
}

static bool
find(Arena *a, DescribeResult *r, const char *name, Err *err)
{
    Found found = {0};
    find_by_name(a, r, str_of(name), false, &found);
    if (!found.n)
        find_by_model(a, r, name, &found);
    if (!found.n)
        find_by_name(a, r, str_of(name), true, &found);
    if (found.n != 1)
        return found.n ? refuse_several(a, &found, name, err) : refuse_missing(a, r, name, err);
    r->relation = found.v[0];
    return true;
}

/* ---- what belongs to it elsewhere ------------------------------------------------------------- */

static bool
is_this(const CatRelation *r, const char *schema, const char *name)
{
    return cat_same_text(r->id.name, name) && cat_same_text(r->id.schema, schema);
}

static bool
needs(const CatObject *o, const CatRelation *r)
{
    vec_each (const CatRef, ref, &o->needs)
        if (is_this(r, ref->schema, ref->name) &&
            (ref->kind == r->id.kind || ref->kind == CAT_COLUMN))
            return true;
    return false;
}

static void
look_around(Arena *a, DescribeResult *r)
{
    const CatRelation *t = r->relation;
    cat_each (CatRelation, other, &r->catalog->tables) {
        r->partitions += is_this(t, other->partition_of.schema, other->partition_of.name);
        cat_each (CatConstraint, k, &other->constraints)
            if (k->type == CAT_FOREIGN_KEY && is_this(t, k->ref_table.schema, k->ref_table.name))
                *vec_add(a, &r->referenced_by) = k;
    }
    vec_each (CatObject *, o, &r->catalog->objects) {
        CatKind kind = (*o)->id.kind;
        if ((kind == CAT_VIEW || kind == CAT_MATVIEW || kind == CAT_FUNCTION) && needs(*o, t))
            *vec_add(a, &r->used_by) = *o;
    }
}

/* A server counts a table that it has never looked at as -1, before 14 as 0. */
static bool
measure(Arena *a, Db *db, const CatRelation *t, DescribeSize *ret, Err *err)
{
    Buf b;
    DbRowsVec results;
    buf_init(&b, a);
    buf_addz(&b, "SELECT CASE WHEN NOT pg_catalog.bool_or(pg_catalog.pg_relation_size(m.oid)"
                 " OPERATOR(pg_catalog.>) 0 AND (m.reltuples OPERATOR(pg_catalog.<) 0 OR"
                 " m.relpages OPERATOR(pg_catalog.=) 0)) THEN pg_catalog.sum(CASE WHEN"
                 " m.reltuples OPERATOR(pg_catalog.<) 0 THEN 0 ELSE m.reltuples END)"
                 "::pg_catalog.int8 END,"
                 " pg_catalog.sum(pg_catalog.pg_total_relation_size(m.oid)),"
                 " pg_catalog.sum(pg_catalog.pg_table_size(m.oid)),"
                 " pg_catalog.sum(pg_catalog.pg_indexes_size(m.oid))"
                 " FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n"
                 " ON n.oid OPERATOR(pg_catalog.=) c.relnamespace"
                 " JOIN pg_catalog.pg_class m ON m.oid OPERATOR(pg_catalog.=) c.oid OR m.oid"
                 " OPERATOR(pg_catalog.=) ANY (ARRAY(SELECT p.relid::pg_catalog.oid FROM"
                 " pg_catalog.pg_partition_tree(c.oid) p))"
                 " WHERE m.relkind OPERATOR(pg_catalog.<>) 'v' AND (c.relkind"
                 " OPERATOR(pg_catalog.<>) 'p' OR m.relkind OPERATOR(pg_catalog.<>) 'p')"
                 " AND n.nspname OPERATOR(pg_catalog.=) ");
    sql_add_literal(&b, str_of(t->id.schema));
    buf_addz(&b, " AND c.relname OPERATOR(pg_catalog.=) ");
    sql_add_literal(&b, str_of(t->id.name));
    if (!db_query(db, a, buf_str(&b), &results, err))
        return false;
    int64_t *const members[] = {&ret->rows, &ret->bytes, &ret->table_bytes, &ret->index_bytes};
    const DbRows *rows = &results.v[results.n - 1];
    for (int i = 0; i < (int)COUNT(members); i++) {
        Str cell = db_cell(rows, 0, i);
        *members[i] = cell.p ? strtoll(cell.p, NULL, 10) : -1;
    }
    return true;
}

/* ---- which migrations ------------------------------------------------------------------------- */

typedef struct Read {
    const Entry *entry;
    SqlScript script;
} Read;

/* The scripts, while they are walked from the newest statement to the oldest. */
typedef struct Walk {
    Arena *arena;
    DescribeResult *ret;
    VEC(Read) reads;
    Map indexes;  /* name -> the table that it was made on */
    CatName as;   /* what the relation is called at that point */
    bool is_over; /* that is where it was made: what is older is about another one */
} Walk;

static bool
is_called(const Walk *w, const SqlName *name)
{
    const char *schema = w->ret->schema;
    if (strcmp(name->name, w->as.name) != 0)
        return false;
    return *name->schema ? strcmp(name->schema, w->as.schema) == 0
                         : !schema || strcmp(schema, w->as.schema) == 0;
}

static bool
names_table(SqlObjectKind kind)
{
    return kind == SQL_OBJ_TABLE || kind == SQL_OBJ_VIEW || kind == SQL_OBJ_COLUMN ||
           kind == SQL_OBJ_CONSTRAINT || kind == SQL_OBJ_TRIGGER || kind == SQL_OBJ_POLICY;
}

static bool
speaks_of_it(const Walk *w, const SqlStmt *s)
{
    vec_each (const SqlLock, l, &s->locks)
        if (l->mode >= SQL_LOCK_ROW_EXCLUSIVE && is_called(w, &l->rel))
            return true;
    vec_each (const SqlObject, o, &s->objects) {
        if (names_table(o->kind) && is_called(w, &o->name))
            return true;
        const char *on =
            o->kind == SQL_OBJ_INDEX ? map_get(&w->indexes, str_of(o->name.name)) : NULL;
        if (on && strcmp(on, w->as.name) == 0)
            return true;
    }
    return false;
}

/* What it was called before a statement that may have given it this name, or have made it. */
static void
go_back(Walk *w, const SqlStmt *s)
{
    for (size_t i = 0; i < s->objects.n; i++) {
        const SqlObject *o = &s->objects.v[i], *old = i ? o - 1 : NULL;
        if ((o->kind != SQL_OBJ_TABLE && o->kind != SQL_OBJ_VIEW) || o->effect != SQL_CREATES ||
            !is_called(w, &o->name))
            continue;
        if (old && old->effect == SQL_RENAMES_AWAY) {
            w->as.name = str_dupz(w->arena, old->name.name);
            if (*old->name.schema)
                w->as.schema = str_dupz(w->arena, old->name.schema);
            return;
        }
        w->is_over = w->is_over || (s->kind == SQL_CREATE_TABLE && !o->if_exists);
    }
}

/* Forwards: where indexes are, for DROP INDEX, which does not say it. */
static void
follow_indexes(Walk *w, const SqlStmt *s)
{
    for (size_t i = 0; i < s->objects.n; i++) {
        const SqlObject *o = &s->objects.v[i], *old = i ? o - 1 : NULL;
        if (o->kind == SQL_OBJ_INDEX && o->effect == SQL_CREATES && *o->sub)
            map_put(&w->indexes, str_of(str_dupz(w->arena, o->name.name)),
                    str_dupz(w->arena, o->sub));
        if (o->kind != SQL_OBJ_TABLE || !old || old->effect != SQL_RENAMES_AWAY)
            continue;
        for (size_t k = 0; k < w->indexes.n; k++)
            if (strcmp(w->indexes.entries[k].value, old->name.name) == 0)
                w->indexes.entries[k].value = str_dupz(w->arena, o->name.name);
    }
}

static void
read_scripts(Walk *w)
{
    vec_each (const Entry, e, &w->ret->history.entries) {
        const Migration *m = e->file;
        Str text;
        Err why;
        if (!m || !m->has_file)
            continue;
        Read one = {.entry = e};
        if (m->unfit || !migration_text(w->arena, m, &text, &why) ||
            !sql_split(w->arena, m->path, text, &one.script, &why)) {
            *vec_add(w->arena, &w->ret->unread) = m->name;
            continue;
        }
        (void)sql_classify_actions(w->arena, &one.script); /* locks on what it makes itself, too */
        *vec_add(w->arena, &w->reads) = one;
        for (size_t i = 0; i < one.script.stmts.n; i++) {
            SqlStmt s;
            follow_indexes(w, sql_stmt(&one.script, i, &s));
        }
    }
}

static void
walk_script(Walk *w, const Read *read)
{
    const char *now = w->ret->relation->id.name;
    DescribeTouch touch = {.entry = read->entry};
    for (size_t i = read->script.stmts.n; i-- > 0 && !w->is_over;) {
        SqlStmt s;
        if (speaks_of_it(w, sql_stmt(&read->script, i, &s)))
            *vec_add(w->arena, &touch.statements) = (DescribeStatement){s.line, s.tag};
        go_back(w, &s);
    }
    touch.was = strcmp(w->as.name, now) == 0 ? NULL : w->as.name;
    vec_reverse(&touch.statements);
    if (touch.statements.n)
        *vec_add(w->arena, &w->ret->touches) = touch;
}

static void
find_touches(Arena *a, DescribeResult *r)
{
    Walk w = {.arena = a, .ret = r, .as = {r->relation->id.schema, r->relation->id.name}};
    map_init(&w.indexes, a);
    read_scripts(&w);
    for (size_t i = w.reads.n; i-- > 0 && !w.is_over;)
        walk_script(&w, &w.reads.v[i]);
    vec_reverse(&r->touches);
}

/* ---- all of it -------------------------------------------------------------------------------- */

/* A role that may not read it is told so, and sees the rest. */
static bool
read_history(Arena *a, Session *s, DescribeResult *r, Err *err)
{
    JournalVec journal;
    if (s->ledger_exists && session_read(s, &r->history, &journal, err))
        return r->has_states = true;
    if (s->ledger_exists && err->code != ERR_DENIED)
        return false;
    r->no_history = s->ledger_exists ? str_dupz(a, err->primary) : NULL;
    history_compare(a, &r->history);
    return true;
}

static bool
read_all(Arena *a, Session *s, const char *name, DescribeResult *r, Err *err)
{
    Catalog *c;
    if (!read_history(a, s, r, err) || !introspect(a, s->db, NULL, &c, err))
        return false;
    r->server = db_info(s->db);
    r->schema = s->schema;
    r->catalog = c;
    if (!find(a, r, name, err) || !measure(a, s->db, r->relation, &r->size, err))
        return false;
    look_around(a, r);
    find_touches(a, r);
    return true;
}

bool
flow_describe(Arena *a, const DescribeInput *in, DescribeResult *ret, Err *err)
{
    const Config *c = in->base.config;
    Session s;
    *ret = (DescribeResult){.config = c};
    if (!flow_history_if_any(a, c, &ret->history, err) ||
        !flow_target(a, c, in->base.self_exe, FLOW_MAKES_NOTHING, &ret->target, err))
        return false;
    if (ret->target.absent) {
        err_set(err, ERR_DB_MISSING,
                "there is no database to look into: no URL is set, and the "
                "embedded PostgreSQL of this project was not made yet");
        return err_hint(err, "set %s, or make that one: aramid deploy", flow_url_variable(c));
    }
    SessionOptions o = flow_session(&in->base, &ret->target, &ret->history, "describe", FLOW_READS);
    if (!session_open(a, &o, &s, err))
        return false;
    bool ok = read_all(a, &s, in->name, ret, err);
    session_close(&s);
    return ok;
}
