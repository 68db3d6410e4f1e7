/* Names, objects and references in a parse tree. */
#include "sqltext/sqltext_int.h"

#include <pg_query/pg_query.pb-c.h>
#include <string.h>

#include "sqltext/tree_int.h"

SqlName
sql_tree_name(Arena *a, const PgQuery__RangeVar *rel)
{
    if (!rel)
        return (SqlName){"", ""};
    return (SqlName){*rel->schemaname ? str_dupz(a, rel->schemaname) : "",
                     str_dupz(a, rel->relname)};
}

static const char *
part(PgQuery__Node *const *parts, size_t i)
{
    return parts[i]->node_case == NODE(STRING) ? parts[i]->string->sval : "";
}

SqlName
sql_tree_list_name(Arena *a, PgQuery__Node *const *parts, size_t n, size_t drop)
{
    SqlName name = {"", ""};
    if (n <= drop)
        return name;
    n -= drop;
    name.name = str_dupz(a, part(parts, n - 1));
    if (n > 1)
        name.schema = str_dupz(a, part(parts, n - 2));
    return name;
}

void
sql_tree_object(Arena *a, SqlStmt *stmt, SqlEffect effect, SqlObjectKind kind, SqlName name,
                const char *sub, bool if_exists)
{
    sql_object_add(a, stmt,
                   &(SqlObject){.effect = effect,
                                .kind = kind,
                                .name = name,
                                .sub = sub && *sub ? str_dupz(a, sub) : "",
                                .if_exists = if_exists});
}

SqlObjectKind
sql_tree_object_kind(PgQuery__ObjectType type)
{
    switch ((int)type) {
    case OBJECT(TABLE):
    case OBJECT(FOREIGN_TABLE):
        return SQL_OBJ_TABLE;
    case OBJECT(COLUMN):
        return SQL_OBJ_COLUMN;
    case OBJECT(INDEX):
        return SQL_OBJ_INDEX;
    case OBJECT(TABCONSTRAINT):
        return SQL_OBJ_CONSTRAINT;
    case OBJECT(VIEW):
    case OBJECT(MATVIEW):
        return SQL_OBJ_VIEW;
    case OBJECT(TYPE):
    case OBJECT(DOMAIN):
        return SQL_OBJ_TYPE;
    case OBJECT(SEQUENCE):
        return SQL_OBJ_SEQUENCE;
    case OBJECT(FUNCTION):
    case OBJECT(PROCEDURE):
    case OBJECT(ROUTINE):
    case OBJECT(AGGREGATE):
        return SQL_OBJ_FUNCTION;
    case OBJECT(SCHEMA):
        return SQL_OBJ_SCHEMA;
    case OBJECT(EXTENSION):
        return SQL_OBJ_EXTENSION;
    case OBJECT(TRIGGER):
        return SQL_OBJ_TRIGGER;
    case OBJECT(POLICY):
        return SQL_OBJ_POLICY;
    default:
        return SQL_OBJ_OTHER;
    }
}

void
sql_tree_reference(Arena *a, SqlStmt *stmt, const PgQuery__Node *constraint, const SqlName *self)
{
    if (constraint->node_case != NODE(CONSTRAINT) || !constraint->constraint->pktable)
        return;
    SqlName other = sql_tree_name(a, constraint->constraint->pktable);
    if (strcmp(other.name, self->name) != 0 || strcmp(other.schema, self->schema) != 0)
        sql_lock_add(a, stmt, other, SQL_LOCK_SHARE_ROW_EXCLUSIVE, true);
}

void
sql_tree_column_references(Arena *a, SqlStmt *stmt, const PgQuery__Node *column,
                           const SqlName *self)
{
    if (column->node_case != NODE(COLUMN_DEF))
        return;
    for (size_t i = 0; i < column->column_def->n_constraints; i++)
        sql_tree_reference(a, stmt, column->column_def->constraints[i], self);
}
