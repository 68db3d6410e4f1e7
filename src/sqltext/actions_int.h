/* Between the readers of actions; include it behind pg_query.pb-c.h. */
#pragma once

#include "sqltext/actions.h"
#include "sqltext/tree_int.h"

typedef struct Actions {
    Arena *arena;
    SqlActionVec *list; /* of the statement that is read */
    bool in_create;
} Actions;

/* Add an action with empty texts; valid until the next one. */
SqlAction *sql_action_add(Actions *x, SqlActionKind kind, SqlName on);

/* The strings of a list of names. */
SqlTexts sql_action_texts(Arena *a, PgQuery__Node *const *nodes, size_t n);
/* node may be NULL: then there is none. */
void sql_action_expr(Arena *a, const PgQuery__Node *node, SqlExpr *ret);

void sql_action_create_table(Actions *x, const PgQuery__CreateStmt *create);
void sql_action_index(Actions *x, const PgQuery__IndexStmt *create);
void sql_action_alter_table(Actions *x, const PgQuery__AlterTableStmt *alter);
