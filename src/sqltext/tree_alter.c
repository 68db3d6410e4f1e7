#include "sqltext/sqltext_int.h"

#include <pg_query/pg_query.pb-c.h>
#include <string.h>

#include "sqltext/tree_int.h"

/* ALTER and RENAME. Lock levels: AlterTableGetLockLevel() in src/backend/commands/tablecmds.c,
 * compared with what was measured on a server. */

#define AT(name) PG_QUERY__ALTER_TABLE_TYPE__AT_##name

static bool
is_foreign_key(const PgQuery__Node *node)
{
    return node && node->node_case == NODE(CONSTRAINT) &&
           node->constraint->contype == PG_QUERY__CONSTR_TYPE__CONSTR_FOREIGN;
}

/* SET (...): storage parameters are read anew by others later, but user_catalog_table and the
 * options of views are not. */
static SqlLockMode
options_mode(const PgQuery__AlterTableStmt *alter, const PgQuery__Node *def)
{
    if (alter->objtype == OBJECT(VIEW))
        return SQL_LOCK_ACCESS_EXCLUSIVE;
    if (!def || def->node_case != NODE(LIST))
        return SQL_LOCK_SHARE_UPDATE_EXCLUSIVE;
    for (size_t i = 0; i < def->list->n_items; i++) {
        const PgQuery__Node *item = def->list->items[i];
        if (item->node_case == NODE(DEF_ELEM) &&
            strcmp(item->def_elem->defname, "user_catalog_table") == 0)
            return SQL_LOCK_ACCESS_EXCLUSIVE;
    }
    return SQL_LOCK_SHARE_UPDATE_EXCLUSIVE;
}

static SqlLockMode
command_mode(const PgQuery__AlterTableStmt *alter, const PgQuery__AlterTableCmd *cmd)
{
    switch ((int)cmd->subtype) {
    case AT(SetStatistics):
    case AT(SetOptions):
    case AT(ResetOptions):
    case AT(ClusterOn):
    case AT(DropCluster):
    case AT(ValidateConstraint):
    case AT(AttachPartition):
    case AT(DetachPartitionFinalize):
        return SQL_LOCK_SHARE_UPDATE_EXCLUSIVE;
    case AT(SetRelOptions):
    case AT(ResetRelOptions):
        return options_mode(alter, cmd->def);
    case AT(DetachPartition):
        return cmd->def && cmd->def->node_case == NODE(PARTITION_CMD) &&
                       cmd->def->partition_cmd->concurrent
                   ? SQL_LOCK_SHARE_UPDATE_EXCLUSIVE
                   : SQL_LOCK_ACCESS_EXCLUSIVE;
    case AT(EnableTrig):
    case AT(EnableAlwaysTrig):
    case AT(EnableReplicaTrig):
    case AT(DisableTrig):
    case AT(EnableTrigAll):
    case AT(DisableTrigAll):
    case AT(EnableTrigUser):
    case AT(DisableTrigUser):
        return SQL_LOCK_SHARE_ROW_EXCLUSIVE;
    case AT(AddConstraint):
        return is_foreign_key(cmd->def) ? SQL_LOCK_SHARE_ROW_EXCLUSIVE : SQL_LOCK_ACCESS_EXCLUSIVE;
    default:
        return SQL_LOCK_ACCESS_EXCLUSIVE;
    }
}

/* The other relation of ATTACH, DETACH and INHERIT. */
static void
read_other_relation(Arena *a, SqlStmt *stmt, const PgQuery__AlterTableCmd *cmd, bool kind_table)
{
    if (!cmd->def)
        return;
    if (cmd->def->node_case == NODE(PARTITION_CMD))
        sql_lock_add(a, stmt, sql_tree_name(a, cmd->def->partition_cmd->name),
                     SQL_LOCK_ACCESS_EXCLUSIVE, kind_table);
    else if (cmd->subtype == AT(AddInherit) && cmd->def->node_case == NODE(RANGE_VAR))
        sql_lock_add(a, stmt, sql_tree_name(a, cmd->def->range_var),
                     SQL_LOCK_SHARE_UPDATE_EXCLUSIVE, kind_table);
}

static void
read_command(Arena *a, SqlStmt *stmt, const PgQuery__AlterTableCmd *cmd, SqlName table)
{
    const PgQuery__Node *def = cmd->def;
    switch ((int)cmd->subtype) {
    case AT(AddColumn):
        if (def && def->node_case == NODE(COLUMN_DEF)) {
            sql_tree_object(a, stmt, SQL_CREATES, SQL_OBJ_COLUMN, table, def->column_def->colname,
                            cmd->missing_ok);
            sql_tree_column_references(a, stmt, def, &table);
        }
        return;
    case AT(DropColumn):
        sql_tree_object(a, stmt, SQL_DROPS, SQL_OBJ_COLUMN, table, cmd->name, cmd->missing_ok);
        return;
    case AT(AddConstraint):
        if (def && def->node_case == NODE(CONSTRAINT)) {
            if (*def->constraint->conname)
                sql_tree_object(a, stmt, SQL_CREATES, SQL_OBJ_CONSTRAINT, table,
                                def->constraint->conname, false);
            sql_tree_reference(a, stmt, def, &table);
        }
        return;
    case AT(DropConstraint):
        sql_tree_object(a, stmt, SQL_DROPS, SQL_OBJ_CONSTRAINT, table, cmd->name, cmd->missing_ok);
        return;
    default:
        return;
    }
}

static void
read_alter_table(Arena *a, SqlStmt *stmt, const PgQuery__AlterTableStmt *alter)
{
    if (alter->objtype == OBJECT(TYPE))
        return;
    SqlName table = sql_tree_name(a, alter->relation);
    bool kind_table = alter->objtype == OBJECT(TABLE);
    for (size_t i = 0; i < alter->n_cmds; i++) {
        if (alter->cmds[i]->node_case != NODE(ALTER_TABLE_CMD))
            continue;
        const PgQuery__AlterTableCmd *cmd = alter->cmds[i]->alter_table_cmd;
        sql_lock_add(a, stmt, table, command_mode(alter, cmd), kind_table);
        read_other_relation(a, stmt, cmd, kind_table);
        read_command(a, stmt, cmd, table);
    }
}

/* The old name goes, the new one comes; `sub` of both when a part of `name` is renamed. */
static void
add_rename(Arena *a, SqlStmt *stmt, SqlObjectKind kind, SqlName name, const char *from,
           const char *to, bool if_exists)
{
    if (*from) {
        sql_tree_object(a, stmt, SQL_RENAMES_AWAY, kind, name, from, if_exists);
        sql_tree_object(a, stmt, SQL_CREATES, kind, name, to, if_exists);
    } else {
        sql_tree_object(a, stmt, SQL_RENAMES_AWAY, kind, name, "", if_exists);
        sql_tree_object(a, stmt, SQL_CREATES, kind, (SqlName){name.schema, str_dupz(a, to)}, "",
                        if_exists);
    }
}

static SqlName
object_name(Arena *a, const PgQuery__Node *object)
{
    if (object && object->node_case == NODE(LIST))
        return sql_tree_list_name(a, object->list->items, object->list->n_items, 0);
    if (object && object->node_case == NODE(TYPE_NAME))
        return sql_tree_list_name(a, object->type_name->names, object->type_name->n_names, 0);
    if (object && object->node_case == NODE(OBJECT_WITH_ARGS))
        return sql_tree_list_name(a, object->object_with_args->objname,
                                  object->object_with_args->n_objname, 0);
    return (SqlName){"", ""};
}

static void
read_rename(Arena *a, SqlStmt *stmt, const PgQuery__RenameStmt *rename)
{
    SqlObjectKind kind = sql_tree_object_kind(rename->rename_type);
    if (!rename->relation) {
        SqlName name = object_name(a, rename->object);
        if (kind == SQL_OBJ_SCHEMA)
            name = (SqlName){"", str_dupz(a, rename->subname)};
        if (kind != SQL_OBJ_OTHER)
            add_rename(a, stmt, kind, name, "", rename->newname, rename->missing_ok);
        return;
    }
    if (rename->rename_type == OBJECT(ATTRIBUTE))
        return;
    SqlName rel = sql_tree_name(a, rename->relation);
    bool is_part = kind != SQL_OBJ_TABLE && kind != SQL_OBJ_VIEW && kind != SQL_OBJ_INDEX &&
                   kind != SQL_OBJ_SEQUENCE;
    bool kind_table = rename->rename_type == OBJECT(TABLE) ||
                      (is_part && (rename->rename_type != OBJECT(COLUMN) ||
                                   rename->relation_type == OBJECT(TABLE)));
    sql_lock_add(a, stmt, rel,
                 kind == SQL_OBJ_INDEX ? SQL_LOCK_SHARE_UPDATE_EXCLUSIVE
                                       : SQL_LOCK_ACCESS_EXCLUSIVE,
                 kind_table);
    if (kind != SQL_OBJ_OTHER)
        add_rename(a, stmt, kind, rel, is_part ? rename->subname : "", rename->newname,
                   rename->missing_ok);
}

static void
read_set_schema(Arena *a, SqlStmt *stmt, const PgQuery__AlterObjectSchemaStmt *move)
{
    SqlObjectKind kind = sql_tree_object_kind(move->object_type);
    SqlName name = move->relation ? sql_tree_name(a, move->relation) : object_name(a, move->object);
    if (move->relation)
        sql_lock_add(a, stmt, name, SQL_LOCK_ACCESS_EXCLUSIVE, move->object_type == OBJECT(TABLE));
    if (kind == SQL_OBJ_OTHER || kind == SQL_OBJ_EXTENSION)
        return;
    sql_tree_object(a, stmt, SQL_RENAMES_AWAY, kind, name, "", move->missing_ok);
    sql_tree_object(a, stmt, SQL_CREATES, kind, (SqlName){str_dupz(a, move->newschema), name.name},
                    "", move->missing_ok);
}

static void
read_alter_enum(Arena *a, SqlStmt *stmt, const PgQuery__AlterEnumStmt *alter)
{
    SqlName type = sql_tree_list_name(a, alter->type_name, alter->n_type_name, 0);
    if (*alter->old_val)
        add_rename(a, stmt, SQL_OBJ_ENUM_VALUE, type, alter->old_val, alter->new_val, false);
    else
        sql_tree_object(a, stmt, SQL_CREATES, SQL_OBJ_ENUM_VALUE, type, alter->new_val,
                        alter->skip_if_new_val_exists);
}

bool
sql_tree_read_alter(Arena *a, const PgQuery__Node *node, SqlStmt *stmt)
{
    switch ((int)node->node_case) {
    case NODE(ALTER_TABLE_STMT):
        read_alter_table(a, stmt, node->alter_table_stmt);
        return true;
    case NODE(RENAME_STMT):
        read_rename(a, stmt, node->rename_stmt);
        return true;
    case NODE(ALTER_OBJECT_SCHEMA_STMT):
        read_set_schema(a, stmt, node->alter_object_schema_stmt);
        return true;
    case NODE(ALTER_ENUM_STMT):
        read_alter_enum(a, stmt, node->alter_enum_stmt);
        return true;
    case NODE(ALTER_SEQ_STMT):
        sql_lock_add(a, stmt, sql_tree_name(a, node->alter_seq_stmt->sequence),
                     SQL_LOCK_SHARE_ROW_EXCLUSIVE, false);
        return true;
    case NODE(ALTER_POLICY_STMT):
        sql_lock_add(a, stmt, sql_tree_name(a, node->alter_policy_stmt->table),
                     SQL_LOCK_ACCESS_EXCLUSIVE, true);
        return true;
    default:
        return false;
    }
}
