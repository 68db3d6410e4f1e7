#include "sqltext/sqltext_int.h"

#include <pg_query/pg_query.pb-c.h>
#include <string.h>

#include "sqltext/tree_int.h"

/* CREATE, DROP and the smaller statements; the lock modes are measured ones. */

static void
create_table(Arena *a, SqlStmt *stmt, const PgQuery__CreateStmt *create)
{
    SqlName self = sql_tree_name(a, create->relation);
    sql_tree_object(a, stmt, SQL_CREATES, SQL_OBJ_TABLE, self, "", create->if_not_exists);
    for (size_t i = 0; i < create->n_table_elts; i++) {
        const PgQuery__Node *element = create->table_elts[i];
        sql_tree_reference(a, stmt, element, &self);
        sql_tree_column_references(a, stmt, element, &self);
        if (element->node_case == NODE(TABLE_LIKE_CLAUSE))
            sql_lock_add(a, stmt, sql_tree_name(a, element->table_like_clause->relation),
                         SQL_LOCK_ACCESS_SHARE, false);
    }
    for (size_t i = 0; i < create->n_constraints; i++)
        sql_tree_reference(a, stmt, create->constraints[i], &self);
    for (size_t i = 0; i < create->n_inh_relations; i++)
        if (create->inh_relations[i]->node_case == NODE(RANGE_VAR))
            sql_lock_add(a, stmt, sql_tree_name(a, create->inh_relations[i]->range_var),
                         create->partbound ? SQL_LOCK_ACCESS_EXCLUSIVE
                                           : SQL_LOCK_SHARE_UPDATE_EXCLUSIVE,
                         true);
}

static void
create_table_as(Arena *a, SqlStmt *stmt, const PgQuery__CreateTableAsStmt *create)
{
    sql_tree_object(a, stmt, SQL_CREATES, sql_tree_object_kind(create->objtype),
                    sql_tree_name(a, create->into ? create->into->rel : NULL), "",
                    create->if_not_exists);
    if (create->query)
        sql_tree_read_rows(a, create->query, stmt);
}

static void
create_view(Arena *a, SqlStmt *stmt, const PgQuery__ViewStmt *create)
{
    SqlName view = sql_tree_name(a, create->view);
    sql_tree_object(a, stmt, SQL_CREATES, SQL_OBJ_VIEW, view, "", false);
    if (create->replace)
        sql_lock_add(a, stmt, view, SQL_LOCK_ACCESS_EXCLUSIVE, false);
    if (create->query)
        sql_tree_read_rows(a, create->query, stmt);
}

static void
create_index(Arena *a, SqlStmt *stmt, const PgQuery__IndexStmt *create)
{
    SqlName table = sql_tree_name(a, create->relation);
    /* The words cannot read U&"..." names. */
    stmt->table = table;
    stmt->index = (SqlName){table.schema, str_dupz(a, create->idxname)};
    sql_lock_add(a, stmt, table,
                 create->concurrent ? SQL_LOCK_SHARE_UPDATE_EXCLUSIVE : SQL_LOCK_SHARE, true);
    sql_tree_object(a, stmt, SQL_CREATES, SQL_OBJ_INDEX, stmt->index, table.name,
                    create->if_not_exists);
}

static void
create_trigger(Arena *a, SqlStmt *stmt, const PgQuery__CreateTrigStmt *create)
{
    SqlName table = sql_tree_name(a, create->relation);
    sql_lock_add(a, stmt, table, SQL_LOCK_SHARE_ROW_EXCLUSIVE, true);
    sql_lock_add(a, stmt, sql_tree_name(a, create->constrrel), SQL_LOCK_SHARE_ROW_EXCLUSIVE, true);
    sql_tree_object(a, stmt, SQL_CREATES, SQL_OBJ_TRIGGER, table, create->trigname, false);
}

static bool
read_create(Arena *a, const PgQuery__Node *node, SqlStmt *stmt)
{
    SqlName name;
    switch ((int)node->node_case) {
    case NODE(CREATE_STMT):
        create_table(a, stmt, node->create_stmt);
        return true;
    case NODE(CREATE_FOREIGN_TABLE_STMT):
        create_table(a, stmt, node->create_foreign_table_stmt->base_stmt);
        return true;
    case NODE(CREATE_TABLE_AS_STMT):
        create_table_as(a, stmt, node->create_table_as_stmt);
        return true;
    case NODE(VIEW_STMT):
        create_view(a, stmt, node->view_stmt);
        return true;
    case NODE(INDEX_STMT):
        create_index(a, stmt, node->index_stmt);
        return true;
    case NODE(CREATE_TRIG_STMT):
        create_trigger(a, stmt, node->create_trig_stmt);
        return true;
    case NODE(CREATE_POLICY_STMT):
        name = sql_tree_name(a, node->create_policy_stmt->table);
        sql_lock_add(a, stmt, name, SQL_LOCK_ACCESS_EXCLUSIVE, true);
        sql_tree_object(a, stmt, SQL_CREATES, SQL_OBJ_POLICY, name,
                        node->create_policy_stmt->policy_name, false);
        return true;
    case NODE(RULE_STMT):
        name = sql_tree_name(a, node->rule_stmt->relation);
        sql_lock_add(a, stmt, name, SQL_LOCK_ACCESS_EXCLUSIVE, true);
        sql_tree_object(a, stmt, SQL_CREATES, SQL_OBJ_OTHER, name, node->rule_stmt->rulename,
                        false);
        return true;
    case NODE(CREATE_SEQ_STMT):
        sql_tree_object(a, stmt, SQL_CREATES, SQL_OBJ_SEQUENCE,
                        sql_tree_name(a, node->create_seq_stmt->sequence), "",
                        node->create_seq_stmt->if_not_exists);
        return true;
    case NODE(CREATE_EXTENSION_STMT):
        sql_tree_object(a, stmt, SQL_CREATES, SQL_OBJ_EXTENSION,
                        (SqlName){"", str_dupz(a, node->create_extension_stmt->extname)}, "",
                        node->create_extension_stmt->if_not_exists);
        return true;
    case NODE(CREATE_SCHEMA_STMT):
        sql_tree_object(a, stmt, SQL_CREATES, SQL_OBJ_SCHEMA,
                        (SqlName){"", str_dupz(a, node->create_schema_stmt->schemaname)}, "",
                        node->create_schema_stmt->if_not_exists);
        return true;
    case NODE(CREATE_FUNCTION_STMT):
        sql_tree_object(a, stmt, SQL_CREATES, SQL_OBJ_FUNCTION,
                        sql_tree_list_name(a, node->create_function_stmt->funcname,
                                           node->create_function_stmt->n_funcname, 0),
                        "", false);
        return true;
    case NODE(COMPOSITE_TYPE_STMT):
        sql_tree_object(a, stmt, SQL_CREATES, SQL_OBJ_TYPE,
                        sql_tree_name(a, node->composite_type_stmt->typevar), "", false);
        return true;
    case NODE(CREATE_ENUM_STMT):
        sql_tree_object(a, stmt, SQL_CREATES, SQL_OBJ_TYPE,
                        sql_tree_list_name(a, node->create_enum_stmt->type_name,
                                           node->create_enum_stmt->n_type_name, 0),
                        "", false);
        return true;
    case NODE(CREATE_RANGE_STMT):
        sql_tree_object(a, stmt, SQL_CREATES, SQL_OBJ_TYPE,
                        sql_tree_list_name(a, node->create_range_stmt->type_name,
                                           node->create_range_stmt->n_type_name, 0),
                        "", false);
        return true;
    case NODE(CREATE_DOMAIN_STMT):
        sql_tree_object(a, stmt, SQL_CREATES, SQL_OBJ_TYPE,
                        sql_tree_list_name(a, node->create_domain_stmt->domainname,
                                           node->create_domain_stmt->n_domainname, 0),
                        "", false);
        return true;
    case NODE(DEFINE_STMT):
        sql_tree_object(
            a, stmt, SQL_CREATES, sql_tree_object_kind(node->define_stmt->kind),
            sql_tree_list_name(a, node->define_stmt->defnames, node->define_stmt->n_defnames, 0),
            "", node->define_stmt->if_not_exists);
        return true;
    default:
        return false;
    }
}

static void
drop_one(Arena *a, SqlStmt *stmt, const PgQuery__DropStmt *drop, const PgQuery__Node *object)
{
    SqlObjectKind kind = sql_tree_object_kind(drop->remove_type);
    SqlName name = {"", ""};
    const char *sub = "";
    bool is_part =
        kind == SQL_OBJ_TRIGGER || kind == SQL_OBJ_POLICY || drop->remove_type == OBJECT(RULE);
    if (object->node_case == NODE(LIST)) {
        PgQuery__Node **items = object->list->items;
        size_t n = object->list->n_items;
        name = sql_tree_list_name(a, items, n, is_part);
        if (is_part && n > 0)
            sub = sql_tree_list_name(a, items, n, 0).name;
    } else if (object->node_case == NODE(STRING)) {
        name.name = str_dupz(a, object->string->sval);
    } else if (object->node_case == NODE(TYPE_NAME)) {
        name = sql_tree_list_name(a, object->type_name->names, object->type_name->n_names, 0);
    } else if (object->node_case == NODE(OBJECT_WITH_ARGS)) {
        name = sql_tree_list_name(a, object->object_with_args->objname,
                                  object->object_with_args->n_objname, 0);
    }
    sql_tree_object(a, stmt, SQL_DROPS, kind, name, sub, drop->missing_ok);
    bool is_relation = kind == SQL_OBJ_TABLE || kind == SQL_OBJ_VIEW || kind == SQL_OBJ_INDEX ||
                       kind == SQL_OBJ_SEQUENCE;
    if (is_relation || is_part)
        sql_lock_add(a, stmt, name,
                     drop->concurrent ? SQL_LOCK_SHARE_UPDATE_EXCLUSIVE : SQL_LOCK_ACCESS_EXCLUSIVE,
                     is_part || drop->remove_type == OBJECT(TABLE));
}

static void
lock_relations(Arena *a, SqlStmt *stmt, PgQuery__Node *const *nodes, size_t n, SqlLockMode mode)
{
    for (size_t i = 0; i < n; i++) {
        const PgQuery__RangeVar *rel = NULL;
        if (nodes[i]->node_case == NODE(RANGE_VAR))
            rel = nodes[i]->range_var;
        else if (nodes[i]->node_case == NODE(VACUUM_RELATION))
            rel = nodes[i]->vacuum_relation->relation;
        else if (nodes[i]->node_case == NODE(PUBLICATION_OBJ_SPEC) &&
                 nodes[i]->publication_obj_spec->pubtable)
            rel = nodes[i]->publication_obj_spec->pubtable->relation;
        sql_lock_add(a, stmt, sql_tree_name(a, rel), mode, true);
    }
}

static bool
vacuums_full(const PgQuery__VacuumStmt *vacuum)
{
    for (size_t i = 0; i < vacuum->n_options; i++)
        if (vacuum->options[i]->node_case == NODE(DEF_ELEM) &&
            strcmp(vacuum->options[i]->def_elem->defname, "full") == 0)
            return true;
    return false;
}

static void
read_comment(Arena *a, SqlStmt *stmt, const PgQuery__CommentStmt *comment)
{
    SqlObjectKind kind = sql_tree_object_kind(comment->objtype);
    bool is_part = kind == SQL_OBJ_COLUMN || kind == SQL_OBJ_CONSTRAINT ||
                   kind == SQL_OBJ_TRIGGER || kind == SQL_OBJ_POLICY ||
                   comment->objtype == OBJECT(RULE);
    bool is_relation = kind == SQL_OBJ_TABLE || kind == SQL_OBJ_VIEW || kind == SQL_OBJ_INDEX ||
                       kind == SQL_OBJ_SEQUENCE;
    if ((!is_part && !is_relation) || !comment->object || comment->object->node_case != NODE(LIST))
        return;
    const PgQuery__List *list = comment->object->list;
    sql_lock_add(a, stmt, sql_tree_list_name(a, list->items, list->n_items, is_part),
                 SQL_LOCK_SHARE_UPDATE_EXCLUSIVE, is_part || comment->objtype == OBJECT(TABLE));
}

static void
read_reindex(Arena *a, SqlStmt *stmt, const PgQuery__ReindexStmt *reindex)
{
    SqlLockMode strong = SQL_LOCK_SHARE_UPDATE_EXCLUSIVE, weak = strong;
    if (!stmt->is_concurrent)
        strong = SQL_LOCK_ACCESS_EXCLUSIVE, weak = SQL_LOCK_SHARE;
    bool is_table = reindex->kind == PG_QUERY__REINDEX_OBJECT_TYPE__REINDEX_OBJECT_TABLE;
    sql_lock_add(a, stmt, sql_tree_name(a, reindex->relation), is_table ? weak : strong, is_table);
}

static void
read_explain(Arena *a, SqlStmt *stmt, const PgQuery__ExplainStmt *explain)
{
    for (size_t i = 0; i < explain->n_options; i++)
        if (explain->options[i]->node_case == NODE(DEF_ELEM) &&
            strcmp(explain->options[i]->def_elem->defname, "analyze") == 0)
            sql_tree_read(a, explain->query, stmt);
}

static void
read_other(Arena *a, const PgQuery__Node *node, SqlStmt *stmt)
{
    switch ((int)node->node_case) {
    case NODE(DROP_STMT):
        for (size_t i = 0; i < node->drop_stmt->n_objects; i++)
            drop_one(a, stmt, node->drop_stmt, node->drop_stmt->objects[i]);
        return;
    case NODE(TRUNCATE_STMT):
        lock_relations(a, stmt, node->truncate_stmt->relations, node->truncate_stmt->n_relations,
                       SQL_LOCK_ACCESS_EXCLUSIVE);
        return;
    case NODE(LOCK_STMT):
        /* The tree's mode is the server's LOCKMODE, 1 to 8, as ours. */
        lock_relations(a, stmt, node->lock_stmt->relations, node->lock_stmt->n_relations,
                       (SqlLockMode)node->lock_stmt->mode);
        return;
    case NODE(VACUUM_STMT):
        lock_relations(a, stmt, node->vacuum_stmt->rels, node->vacuum_stmt->n_rels,
                       vacuums_full(node->vacuum_stmt) ? SQL_LOCK_ACCESS_EXCLUSIVE
                                                       : SQL_LOCK_SHARE_UPDATE_EXCLUSIVE);
        return;
    case NODE(CLUSTER_STMT):
        sql_lock_add(a, stmt, sql_tree_name(a, node->cluster_stmt->relation),
                     SQL_LOCK_ACCESS_EXCLUSIVE, true);
        return;
    case NODE(REINDEX_STMT):
        read_reindex(a, stmt, node->reindex_stmt);
        return;
    case NODE(COMMENT_STMT):
        read_comment(a, stmt, node->comment_stmt);
        return;
    case NODE(REFRESH_MAT_VIEW_STMT):
        sql_lock_add(a, stmt, sql_tree_name(a, node->refresh_mat_view_stmt->relation),
                     stmt->is_concurrent ? SQL_LOCK_EXCLUSIVE : SQL_LOCK_ACCESS_EXCLUSIVE, false);
        return;
    case NODE(EXPLAIN_STMT):
        read_explain(a, stmt, node->explain_stmt);
        return;
    case NODE(CREATE_STATS_STMT):
        lock_relations(a, stmt, node->create_stats_stmt->relations,
                       node->create_stats_stmt->n_relations, SQL_LOCK_SHARE_UPDATE_EXCLUSIVE);
        return;
    case NODE(CREATE_PUBLICATION_STMT):
        lock_relations(a, stmt, node->create_publication_stmt->pubobjects,
                       node->create_publication_stmt->n_pubobjects,
                       SQL_LOCK_SHARE_UPDATE_EXCLUSIVE);
        return;
    case NODE(ALTER_PUBLICATION_STMT):
        lock_relations(a, stmt, node->alter_publication_stmt->pubobjects,
                       node->alter_publication_stmt->n_pubobjects, SQL_LOCK_SHARE_UPDATE_EXCLUSIVE);
        return;
    default:
        return;
    }
}

void
sql_tree_read(Arena *a, const PgQuery__Node *node, SqlStmt *stmt)
{
    if (!read_create(a, node, stmt) && !sql_tree_read_alter(a, node, stmt) &&
        !sql_tree_read_rows(a, node, stmt))
        read_other(a, node, stmt);
}
