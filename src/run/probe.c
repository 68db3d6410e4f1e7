/* What the objects that a script makes look like in the database now. */
#include "run/session_int.h"
#include "sqltext/sqltext.h"

/* SQL condition that is true when the object exists; NULL for kinds that cannot be asked for. */
static const char *
condition(Arena *a, const SqlObject *o)
{
    Buf name, rel, sub, schema;
    buf_init(&name, a);
    buf_init(&rel, a);
    buf_init(&sub, a);
    buf_init(&schema, a);
    sql_add_literal(&name, str_of(o->name.name));
    sql_add_literal(&sub, str_of(o->sub));
    Buf quoted;
    buf_init(&quoted, a);
    if (o->name.schema[0])
        sql_add_name(&quoted, o->name.schema, o->name.name);
    else
        sql_add_ident(&quoted, o->name.name);
    sql_add_literal(&rel, buf_str(&quoted));
#define OP_EQ " OPERATOR(pg_catalog.=) "
    switch (o->kind) {
    case SQL_OBJ_TABLE:
    case SQL_OBJ_INDEX:
    case SQL_OBJ_VIEW:
    case SQL_OBJ_SEQUENCE:
        return str_fmt(a, "pg_catalog.to_regclass(%s) IS NOT NULL", rel.p);
    case SQL_OBJ_TYPE:
        return str_fmt(a, "pg_catalog.to_regtype(%s) IS NOT NULL", rel.p);
    case SQL_OBJ_COLUMN:
        return str_fmt(a,
                       "EXISTS (SELECT 1 FROM pg_catalog.pg_attribute x WHERE x.attrelid" OP_EQ
                       "pg_catalog.to_regclass(%s) AND x.attname" OP_EQ
                       "%s AND NOT x.attisdropped)",
                       rel.p, sub.p);
    case SQL_OBJ_CONSTRAINT:
        return str_fmt(a,
                       "EXISTS (SELECT 1 FROM pg_catalog.pg_constraint x WHERE x.conrelid" OP_EQ
                       "pg_catalog.to_regclass(%s) AND x.conname" OP_EQ "%s)",
                       rel.p, sub.p);
    case SQL_OBJ_TRIGGER:
        return str_fmt(a,
                       "EXISTS (SELECT 1 FROM pg_catalog.pg_trigger x WHERE x.tgrelid" OP_EQ
                       "pg_catalog.to_regclass(%s) AND x.tgname" OP_EQ "%s)",
                       rel.p, sub.p);
    case SQL_OBJ_POLICY:
        return str_fmt(a,
                       "EXISTS (SELECT 1 FROM pg_catalog.pg_policy x WHERE x.polrelid" OP_EQ
                       "pg_catalog.to_regclass(%s) AND x.polname" OP_EQ "%s)",
                       rel.p, sub.p);
    case SQL_OBJ_ENUM_VALUE:
        return str_fmt(a,
                       "EXISTS (SELECT 1 FROM pg_catalog.pg_enum x WHERE x.enumtypid" OP_EQ
                       "pg_catalog.to_regtype(%s) AND x.enumlabel" OP_EQ "%s)",
                       rel.p, sub.p);
    case SQL_OBJ_FUNCTION:
        return str_fmt(a, "EXISTS (SELECT 1 FROM pg_catalog.pg_proc x WHERE x.proname" OP_EQ "%s)",
                       name.p);
    case SQL_OBJ_SCHEMA:
        return str_fmt(
            a, "EXISTS (SELECT 1 FROM pg_catalog.pg_namespace x WHERE x.nspname" OP_EQ "%s)",
            name.p);
    case SQL_OBJ_EXTENSION:
        return str_fmt(
            a, "EXISTS (SELECT 1 FROM pg_catalog.pg_extension x WHERE x.extname" OP_EQ "%s)",
            name.p);
    case SQL_OBJ_OTHER:
        break;
    }
#undef OP_EQ
    return NULL;
}

static char *
describe(Arena *a, const SqlObject *o)
{
    static const char *const kinds[] = {
        "table",    "column",   "index",  "constraint", "view",    "type",   "enum value",
        "sequence", "function", "schema", "extension",  "trigger", "policy", "object"};
    const char *dot = o->name.schema[0] ? "." : "";
    bool has_sub = o->sub[0] && o->kind != SQL_OBJ_INDEX;
    return str_printable(a,
                         str_of(str_fmt(a, "%s \"%s%s%s%s%s\"", kinds[o->kind], o->name.schema, dot,
                                        o->name.name, has_sub ? "." : "", has_sub ? o->sub : "")),
                         false);
}

static bool
same_object(const SqlObject *x, const SqlObject *y)
{
    return x->kind == y->kind && strcmp(x->name.name, y->name.name) == 0 &&
           strcmp(x->name.schema, y->name.schema) == 0 &&
           (x->kind == SQL_OBJ_INDEX || strcmp(x->sub, y->sub) == 0);
}

/* The table of a column, constraint, ... was dropped or renamed later on. */
static bool
belongs_to(const SqlObject *part, const SqlObject *whole)
{
    return whole->kind == SQL_OBJ_TABLE && strcmp(part->name.name, whole->name.name) == 0;
}

/* Whether the script itself removes the object, or makes it anew, behind statement `from`. */
static bool
overridden(const SqlScript *script, size_t from, const SqlObject *o)
{
    for (size_t i = from + 1; i < script->stmts.n; i++)
        vec_each (const SqlObject, later, &script->forms.v[script->stmts.v[i].form].objects) {
            if (same_object(o, later))
                return true;
            if (later->effect != SQL_CREATES && belongs_to(o, later))
                return true;
        }
    return false;
}

bool
run_probe(const Session *s, Arena *a, const MigrationPlan *mp, ProbeResult *ret, Err *err)
{
    *ret = (ProbeResult){0};
    SqlScript read, *script = &read;
    if (!plan_script(a, mp, false, script, err))
        return false;
    VEC(const SqlObject *) asked = {0};
    Buf b;
    buf_init(&b, a);
    session_add_user_prefix(s, &b);
    buf_addz(&b, "SELECT true");
    for (size_t i = 0; i < script->stmts.n; i++)
        vec_each (const SqlObject, o, &script->forms.v[script->stmts.v[i].form].objects) {
            const char *sql = overridden(script, i, o) ? NULL : condition(a, o);
            if (!sql || asked.n >= 500)
                continue;
            *vec_add(a, &asked) = o;
            buf_fmt(&b, ", %s", sql);
        }
    DbRowsVec results;
    if (!db_query(s->db, a, buf_str(&b), &results, err))
        return false;
    const DbRows *row = &results.v[results.n - 1];
    for (size_t i = 0; i < asked.n; i++) {
        const SqlObject *o = asked.v[i];
        bool exists = str_is(db_cell(row, 0, (int)i + 1), "t");
        bool as_after = exists == (o->effect == SQL_CREATES);
        as_after ? ret->present++ : ret->absent++;
        *vec_add(a, &ret->lines) =
            str_fmt(a, "%s: %s%s", describe(a, o), exists ? "exists" : "missing",
                    as_after                   ? ""
                    : o->effect == SQL_CREATES ? ", would have been made"
                                               : ", would have been removed");
    }
    return true;
}
