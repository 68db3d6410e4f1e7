/* Helpers of the tree readers; include it behind pg_query.pb-c.h. */
#pragma once

#define NODE(name) PG_QUERY__NODE__NODE_##name
#define OBJECT(name) PG_QUERY__OBJECT_TYPE__OBJECT_##name

SqlName sql_tree_name(Arena *a, const PgQuery__RangeVar *rel); /* "" for NULL */
void sql_tree_object(Arena *a, SqlStmt *stmt, SqlEffect effect, SqlObjectKind kind, SqlName name,
                     const char *sub, bool if_exists);

/* The name that a list of strings makes, without its `drop` last parts. */
SqlName sql_tree_list_name(Arena *a, PgQuery__Node *const *parts, size_t n, size_t drop);

/* The lock of each foreign key among the constraints (of a column or a table) on the table that
 * it refers to, except `self`. */
void sql_tree_reference(Arena *a, SqlStmt *stmt, const PgQuery__Node *constraint,
                        const SqlName *self);
void sql_tree_column_references(Arena *a, SqlStmt *stmt, const PgQuery__Node *column,
                                const SqlName *self);

/* Which kind of ours an object type is; SQL_OBJ_OTHER for the rest. */
SqlObjectKind sql_tree_object_kind(PgQuery__ObjectType type);
