#include "sqltext/sqltext_int.h"

#include <pg_query/pg_query.pb-c.h>
#include <string.h>

#include "sqltext/tree_int.h"

/* Statements that read or change rows. The tables of FROM lists are found, those of expressions
 * (sub-selects in WHERE and the like) are not: their locks are weak. */

/* Names of common table expressions, which are no relations. */
typedef struct Scope Scope;
struct Scope {
    const PgQuery__WithClause *with;
    const Scope *outer;
};

typedef struct Rows {
    Arena *arena;
    SqlStmt *stmt;
} Rows;

static void read_rows(Rows *r, const PgQuery__Node *node, const Scope *outer);
static void read_select(Rows *r, const PgQuery__SelectStmt *select, const Scope *outer);

static bool
is_expression_name(const Scope *scope, const PgQuery__RangeVar *rel)
{
    if (*rel->schemaname)
        return false;
    for (; scope; scope = scope->outer)
        for (size_t i = 0; scope->with && i < scope->with->n_ctes; i++)
            if (scope->with->ctes[i]->node_case == NODE(COMMON_TABLE_EXPR) &&
                strcmp(scope->with->ctes[i]->common_table_expr->ctename, rel->relname) == 0)
                return true;
    return false;
}

static void
read_from(Rows *r, const PgQuery__Node *node, SqlLockMode mode, const Scope *scope)
{
    if (!node)
        return;
    if (node->node_case == NODE(RANGE_VAR)) {
        if (!is_expression_name(scope, node->range_var))
            sql_lock_add(r->arena, r->stmt, sql_tree_name(r->arena, node->range_var), mode, false);
    } else if (node->node_case == NODE(JOIN_EXPR)) {
        read_from(r, node->join_expr->larg, mode, scope);
        read_from(r, node->join_expr->rarg, mode, scope);
    } else if (node->node_case == NODE(RANGE_TABLE_SAMPLE)) {
        read_from(r, node->range_table_sample->relation, mode, scope);
    } else if (node->node_case == NODE(RANGE_SUBSELECT)) {
        read_rows(r, node->range_subselect->subquery, scope);
    }
}

static void
read_from_list(Rows *r, PgQuery__Node *const *nodes, size_t n, const Scope *scope)
{
    for (size_t i = 0; i < n; i++)
        read_from(r, nodes[i], SQL_LOCK_ACCESS_SHARE, scope);
}

static void
read_with(Rows *r, const Scope *scope)
{
    for (size_t i = 0; scope->with && i < scope->with->n_ctes; i++)
        if (scope->with->ctes[i]->node_case == NODE(COMMON_TABLE_EXPR))
            read_rows(r, scope->with->ctes[i]->common_table_expr->ctequery, scope);
}

/* FOR UPDATE and its weaker forms; without OF it is about every table of the list. The names
 * behind OF are those of the list, aliases included. */
static bool
is_row_locked(const PgQuery__SelectStmt *select, const PgQuery__RangeVar *rel)
{
    const char *alias = rel->alias ? rel->alias->aliasname : rel->relname;
    for (size_t i = 0; i < select->n_locking_clause; i++) {
        const PgQuery__Node *node = select->locking_clause[i];
        if (node->node_case != NODE(LOCKING_CLAUSE))
            continue;
        const PgQuery__LockingClause *clause = node->locking_clause;
        if (clause->n_locked_rels == 0)
            return true;
        for (size_t k = 0; k < clause->n_locked_rels; k++)
            if (clause->locked_rels[k]->node_case == NODE(RANGE_VAR) &&
                strcmp(clause->locked_rels[k]->range_var->relname, alias) == 0)
                return true;
    }
    return false;
}

static void
read_row_locks(Rows *r, const PgQuery__SelectStmt *select, const PgQuery__Node *node,
               const Scope *scope)
{
    if (!node)
        return;
    if (node->node_case == NODE(JOIN_EXPR)) {
        read_row_locks(r, select, node->join_expr->larg, scope);
        read_row_locks(r, select, node->join_expr->rarg, scope);
    } else if (node->node_case == NODE(RANGE_VAR) && is_row_locked(select, node->range_var)) {
        read_from(r, node, SQL_LOCK_ROW_SHARE, scope);
    }
}

static void
read_select(Rows *r, const PgQuery__SelectStmt *select, const Scope *outer)
{
    if (!select)
        return;
    Scope scope = {select->with_clause, outer};
    read_with(r, &scope);
    read_from_list(r, select->from_clause, select->n_from_clause, &scope);
    for (size_t i = 0; select->n_locking_clause && i < select->n_from_clause; i++)
        read_row_locks(r, select, select->from_clause[i], &scope);
    if (select->into_clause && select->into_clause->rel)
        sql_tree_object(r->arena, r->stmt, SQL_CREATES, SQL_OBJ_TABLE,
                        sql_tree_name(r->arena, select->into_clause->rel), "", false);
    read_select(r, select->larg, &scope);
    read_select(r, select->rarg, &scope);
}

static void
change_rows(Rows *r, const PgQuery__RangeVar *rel, const Scope *scope)
{
    r->stmt->is_dml = true;
    sql_lock_add(r->arena, r->stmt, sql_tree_name(r->arena, rel), SQL_LOCK_ROW_EXCLUSIVE, true);
    read_with(r, scope);
}

static void
read_rows(Rows *r, const PgQuery__Node *node, const Scope *outer)
{
    if (!node)
        return;
    if (node->node_case == NODE(SELECT_STMT)) {
        read_select(r, node->select_stmt, outer);
    } else if (node->node_case == NODE(INSERT_STMT)) {
        const PgQuery__InsertStmt *insert = node->insert_stmt;
        Scope scope = {insert->with_clause, outer};
        change_rows(r, insert->relation, &scope);
        read_rows(r, insert->select_stmt, &scope);
    } else if (node->node_case == NODE(UPDATE_STMT)) {
        const PgQuery__UpdateStmt *update = node->update_stmt;
        Scope scope = {update->with_clause, outer};
        change_rows(r, update->relation, &scope);
        read_from_list(r, update->from_clause, update->n_from_clause, &scope);
    } else if (node->node_case == NODE(DELETE_STMT)) {
        const PgQuery__DeleteStmt *del = node->delete_stmt;
        Scope scope = {del->with_clause, outer};
        change_rows(r, del->relation, &scope);
        read_from_list(r, del->using_clause, del->n_using_clause, &scope);
    } else if (node->node_case == NODE(MERGE_STMT)) {
        const PgQuery__MergeStmt *merge = node->merge_stmt;
        Scope scope = {merge->with_clause, outer};
        change_rows(r, merge->relation, &scope);
        read_from(r, merge->source_relation, SQL_LOCK_ACCESS_SHARE, &scope);
    }
}

static void
read_copy(Rows *r, const PgQuery__CopyStmt *copy)
{
    SqlLockMode mode = copy->is_from ? SQL_LOCK_ROW_EXCLUSIVE : SQL_LOCK_ACCESS_SHARE;
    if (copy->relation)
        sql_lock_add(r->arena, r->stmt, sql_tree_name(r->arena, copy->relation), mode,
                     copy->is_from);
    read_rows(r, copy->query, NULL);
}

bool
sql_tree_read_rows(Arena *a, const PgQuery__Node *node, SqlStmt *stmt)
{
    Rows r = {a, stmt};
    switch ((int)node->node_case) {
    case NODE(SELECT_STMT):
    case NODE(INSERT_STMT):
    case NODE(UPDATE_STMT):
    case NODE(DELETE_STMT):
    case NODE(MERGE_STMT):
        read_rows(&r, node, NULL);
        return true;
    case NODE(COPY_STMT):
        read_copy(&r, node->copy_stmt);
        return true;
    default:
        return false;
    }
}
