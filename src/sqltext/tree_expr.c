/* Expressions, as far as somebody judges them. */
#include "sqltext/sqltext_int.h"

#include <pg_query/pg_query.pb-c.h>
#include <string.h>

#include "sqltext/actions_int.h"

SqlAction *
sql_action_add(Actions *x, SqlActionKind kind, SqlName on)
{
    SqlAction *s = vec_add(x->arena, x->list);
    *s = (SqlAction){.kind = kind, .on = on, .name = "", .to = "", .type = "", .index = ""};
    s->ref = (SqlName){"", ""};
    return s;
}

SqlTexts
sql_action_texts(Arena *a, PgQuery__Node *const *nodes, size_t n)
{
    SqlTexts out = {0};
    for (size_t i = 0; i < n; i++)
        if (nodes[i]->node_case == NODE(STRING))
            *vec_add(a, &out) = str_dupz(a, nodes[i]->string->sval);
    return out;
}

static void expr_walk(Arena *a, const PgQuery__Node *node, SqlExpr *e);

static void
expr_list(Arena *a, PgQuery__Node *const *nodes, size_t n, SqlExpr *e)
{
    for (size_t i = 0; i < n; i++)
        expr_walk(a, nodes[i], e);
}

static void
expr_call(Arena *a, const PgQuery__FuncCall *call, SqlExpr *e)
{
    *vec_add(a, &e->calls) = sql_tree_list_name(a, call->funcname, call->n_funcname, 0);
    expr_list(a, call->args, call->n_args, e);
}

/* What is not known here is no plain expression. */
static void
expr_walk(Arena *a, const PgQuery__Node *node, SqlExpr *e)
{
    if (!node)
        return;
    switch ((int)node->node_case) {
    case NODE(A_CONST):
    case NODE(SQLVALUE_FUNCTION): /* CURRENT_TIMESTAMP and its like: stable */
        return;
    case NODE(TYPE_CAST):
        expr_walk(a, node->type_cast->arg, e);
        return;
    case NODE(COLLATE_CLAUSE):
        expr_walk(a, node->collate_clause->arg, e);
        return;
    case NODE(FUNC_CALL):
        expr_call(a, node->func_call, e);
        return;
    case NODE(A_EXPR):
        expr_walk(a, node->a_expr->lexpr, e);
        expr_walk(a, node->a_expr->rexpr, e);
        return;
    case NODE(BOOL_EXPR):
        expr_list(a, node->bool_expr->args, node->bool_expr->n_args, e);
        return;
    case NODE(A_ARRAY_EXPR):
        expr_list(a, node->a_array_expr->elements, node->a_array_expr->n_elements, e);
        return;
    case NODE(COALESCE_EXPR):
        expr_list(a, node->coalesce_expr->args, node->coalesce_expr->n_args, e);
        return;
    case NODE(NULL_TEST):
        expr_walk(a, node->null_test->arg, e);
        return;
    default:
        e->is_plain = false;
        return;
    }
}

static bool
is_null_const(const PgQuery__Node *node)
{
    while (node && node->node_case == NODE(TYPE_CAST))
        node = node->type_cast->arg;
    return node && node->node_case == NODE(A_CONST) && node->a_const->isnull;
}

/* The columns of which a condition says that they are not NULL. */
static void
find_not_null(Arena *a, const PgQuery__Node *node, SqlExpr *e)
{
    if (!node)
        return;
    if (node->node_case == NODE(BOOL_EXPR) &&
        node->bool_expr->boolop == PG_QUERY__BOOL_EXPR_TYPE__AND_EXPR)
        for (size_t i = 0; i < node->bool_expr->n_args; i++)
            find_not_null(a, node->bool_expr->args[i], e);
    if (node->node_case != NODE(NULL_TEST) ||
        node->null_test->nulltesttype != PG_QUERY__NULL_TEST_TYPE__IS_NOT_NULL ||
        !node->null_test->arg || node->null_test->arg->node_case != NODE(COLUMN_REF))
        return;
    const PgQuery__ColumnRef *ref = node->null_test->arg->column_ref;
    if (ref->n_fields == 1 && ref->fields[0]->node_case == NODE(STRING))
        *vec_add(a, &e->not_null) = str_dupz(a, ref->fields[0]->string->sval);
}

void
sql_action_expr(Arena *a, const PgQuery__Node *node, SqlExpr *ret)
{
    *ret = (SqlExpr){.is_there = node, .is_plain = true, .is_null = is_null_const(node)};
    expr_walk(a, node, ret);
    find_not_null(a, node, ret);
}
