/* Actions of everything but tables. */
#include "sqltext/sqltext_int.h"

#include <pg_query/pg_query.pb-c.h>
#include <string.h>

#include "sqltext/actions_int.h"

/* Drops and renames, as the reader of names found them. */
static void
add_objects(Actions *x, const SqlStmt *stmt, bool is_cascade)
{
    for (size_t i = 0; i < stmt->objects.n; i++) {
        const SqlObject *o = &stmt->objects.v[i];
        const SqlObject *next = i + 1 < stmt->objects.n ? &stmt->objects.v[i + 1] : NULL;
        bool is_drop = o->effect == SQL_DROPS && stmt->kind == SQL_DROP;
        is_drop = is_drop || (o->effect == SQL_DROPS && stmt->kind == SQL_DROP_INDEX);
        bool is_rename = o->effect == SQL_RENAMES_AWAY && next && next->kind == o->kind &&
                         next->effect == SQL_CREATES;
        if (!is_drop && !is_rename)
            continue;
        bool moves = is_rename && strcmp(o->name.schema, next->name.schema) != 0 &&
                     strcmp(o->name.name, next->name.name) == 0 && !*o->sub;
        SqlName on = {str_dupz(x->arena, o->name.schema), str_dupz(x->arena, o->name.name)};
        SqlAction *s = sql_action_add(x,
                                      is_drop ? SQL_ACT_DROP
                                      : moves ? SQL_ACT_SET_SCHEMA
                                              : SQL_ACT_RENAME,
                                      on);
        s->object = o->kind;
        s->name = str_dupz(x->arena, o->sub);
        s->if_exists = o->if_exists;
        s->is_cascade = is_cascade;
        s->is_concurrent = stmt->is_concurrent;
        if (is_rename)
            s->to = str_dupz(x->arena, moves        ? next->name.schema
                                       : *next->sub ? next->sub
                                                    : next->name.name);
    }
}

static void
add_function(Actions *x, const PgQuery__CreateFunctionStmt *create)
{
    SqlAction *s = sql_action_add(
        x, SQL_ACT_FUNCTION, sql_tree_list_name(x->arena, create->funcname, create->n_funcname, 0));
    s->volatility = 'v';
    for (size_t i = 0; i < create->n_options; i++) {
        if (create->options[i]->node_case != NODE(DEF_ELEM))
            continue;
        const PgQuery__DefElem *option = create->options[i]->def_elem;
        const PgQuery__Node *arg = option->arg;
        if (strcmp(option->defname, "volatility") == 0 && arg && arg->node_case == NODE(STRING))
            s->volatility = *arg->string->sval;
        else if (strcmp(option->defname, "security") == 0 && arg && arg->node_case == NODE(BOOLEAN))
            s->is_definer = arg->boolean->boolval;
        else if (strcmp(option->defname, "set") == 0 && arg &&
                 arg->node_case == NODE(VARIABLE_SET_STMT))
            s->has_path = s->has_path || strcmp(arg->variable_set_stmt->name, "search_path") == 0;
    }
}

static void
add_domain(Actions *x, const PgQuery__CreateDomainStmt *create)
{
    SqlAction *s =
        sql_action_add(x, SQL_ACT_DOMAIN,
                       sql_tree_list_name(x->arena, create->domainname, create->n_domainname, 0));
    for (size_t i = 0; i < create->n_constraints; i++) {
        const PgQuery__Node *c = create->constraints[i];
        s->is_checked =
            s->is_checked || (c->node_case == NODE(CONSTRAINT) &&
                              (c->constraint->contype == PG_QUERY__CONSTR_TYPE__CONSTR_CHECK ||
                               c->constraint->contype == PG_QUERY__CONSTR_TYPE__CONSTR_NOTNULL));
    }
}

static void
add_alter_domain(Actions *x, const PgQuery__AlterDomainStmt *alter)
{
    const PgQuery__Node *def = alter->def;
    bool is_valid = def && def->node_case == NODE(CONSTRAINT) && !def->constraint->skip_validation;
    if (*alter->subtype != 'O' && *alter->subtype != 'V' && !(*alter->subtype == 'C' && is_valid))
        return;
    sql_action_add(x, SQL_ACT_CHECK_DOMAIN,
                   sql_tree_list_name(x->arena, alter->type_name, alter->n_type_name, 0))
        ->name = *alter->subtype == 'O' ? "NOT NULL" : "";
}

static void
add_enum_value(Actions *x, const PgQuery__AlterEnumStmt *alter)
{
    SqlAction *s =
        sql_action_add(x, *alter->old_val ? SQL_ACT_RENAME_VALUE : SQL_ACT_ENUM_VALUE,
                       sql_tree_list_name(x->arena, alter->type_name, alter->n_type_name, 0));
    s->name = str_dupz(x->arena, *alter->old_val ? alter->old_val : alter->new_val);
    s->to = str_dupz(x->arena, alter->new_val);
    s->if_exists = alter->skip_if_new_val_exists;
}

static void
add_relations(Actions *x, SqlActionKind kind, PgQuery__Node *const *nodes, size_t n,
              const char *name)
{
    for (size_t i = 0; i < n; i++) {
        const PgQuery__RangeVar *rel = nodes[i]->node_case == NODE(RANGE_VAR) ? nodes[i]->range_var
                                       : nodes[i]->node_case == NODE(VACUUM_RELATION)
                                           ? nodes[i]->vacuum_relation->relation
                                           : NULL;
        if (rel)
            sql_action_add(x, kind, sql_tree_name(x->arena, rel))->name = name;
    }
}

static bool
add_rows(Actions *x, const PgQuery__Node *node)
{
    const PgQuery__Node *query;
    switch ((int)node->node_case) {
    case NODE(UPDATE_STMT):
        sql_action_add(x, SQL_ACT_UPDATE, sql_tree_name(x->arena, node->update_stmt->relation))
            ->has_where = node->update_stmt->where_clause || node->update_stmt->n_from_clause;
        return true;
    case NODE(DELETE_STMT):
        sql_action_add(x, SQL_ACT_DELETE, sql_tree_name(x->arena, node->delete_stmt->relation))
            ->has_where = node->delete_stmt->where_clause || node->delete_stmt->n_using_clause;
        return true;
    case NODE(INSERT_STMT):
        query = node->insert_stmt->select_stmt;
        if (query && query->node_case == NODE(SELECT_STMT) &&
            (query->select_stmt->n_from_clause || query->select_stmt->larg))
            sql_action_add(x, SQL_ACT_INSERT, sql_tree_name(x->arena, node->insert_stmt->relation))
                ->has_where = query->select_stmt->where_clause;
        return true;
    case NODE(TRUNCATE_STMT):
        add_relations(x, SQL_ACT_TRUNCATE, node->truncate_stmt->relations,
                      node->truncate_stmt->n_relations, "");
        vec_each (SqlAction, s, x->list)
            s->is_cascade = node->truncate_stmt->behavior == PG_QUERY__DROP_BEHAVIOR__DROP_CASCADE;
        return true;
    default:
        return false;
    }
}

static bool
add_create(Actions *x, const PgQuery__Node *node)
{
    switch ((int)node->node_case) {
    case NODE(CREATE_STMT):
        sql_action_create_table(x, node->create_stmt);
        return true;
    case NODE(CREATE_TABLE_AS_STMT):
        if (node->create_table_as_stmt->into)
            sql_action_add(x, SQL_ACT_TABLE_AS,
                           sql_tree_name(x->arena, node->create_table_as_stmt->into->rel))
                ->is_matview = node->create_table_as_stmt->objtype == OBJECT(MATVIEW);
        return true;
    case NODE(VIEW_STMT):
        sql_action_add(x, SQL_ACT_VIEW, sql_tree_name(x->arena, node->view_stmt->view));
        return true;
    case NODE(INDEX_STMT):
        sql_action_index(x, node->index_stmt);
        return true;
    case NODE(CREATE_FUNCTION_STMT):
        add_function(x, node->create_function_stmt);
        return true;
    case NODE(CREATE_ENUM_STMT):
        sql_action_add(x, SQL_ACT_ENUM,
                       sql_tree_list_name(x->arena, node->create_enum_stmt->type_name,
                                          node->create_enum_stmt->n_type_name, 0))
            ->columns = sql_action_texts(x->arena, node->create_enum_stmt->vals,
                                         node->create_enum_stmt->n_vals);
        return true;
    case NODE(CREATE_DOMAIN_STMT):
        add_domain(x, node->create_domain_stmt);
        return true;
    default:
        return false;
    }
}

static void
add_other(Actions *x, const PgQuery__Node *node, const SqlStmt *stmt)
{
    switch ((int)node->node_case) {
    case NODE(ALTER_TABLE_STMT):
        sql_action_alter_table(x, node->alter_table_stmt);
        return;
    case NODE(DROP_STMT):
        add_objects(x, stmt, node->drop_stmt->behavior == PG_QUERY__DROP_BEHAVIOR__DROP_CASCADE);
        return;
    case NODE(RENAME_STMT):
    case NODE(ALTER_OBJECT_SCHEMA_STMT):
        add_objects(x, stmt, false);
        return;
    case NODE(ALTER_ENUM_STMT):
        add_enum_value(x, node->alter_enum_stmt);
        return;
    case NODE(ALTER_DOMAIN_STMT):
        add_alter_domain(x, node->alter_domain_stmt);
        return;
    case NODE(CLUSTER_STMT):
        sql_action_add(x, SQL_ACT_REWRITE, sql_tree_name(x->arena, node->cluster_stmt->relation))
            ->name = "CLUSTER";
        return;
    case NODE(VACUUM_STMT):
        if (stmt->locks.n && stmt->locks.v[0].mode == SQL_LOCK_ACCESS_EXCLUSIVE)
            add_relations(x, SQL_ACT_REWRITE, node->vacuum_stmt->rels, node->vacuum_stmt->n_rels,
                          "VACUUM FULL");
        return;
    case NODE(REFRESH_MAT_VIEW_STMT):
        sql_action_add(x, SQL_ACT_REFRESH,
                       sql_tree_name(x->arena, node->refresh_mat_view_stmt->relation))
            ->is_concurrent = node->refresh_mat_view_stmt->concurrent;
        return;
    case NODE(REINDEX_STMT):
        sql_action_add(x, SQL_ACT_REINDEX, sql_tree_name(x->arena, node->reindex_stmt->relation))
            ->is_concurrent = stmt->is_concurrent;
        return;
    case NODE(DO_STMT):
    case NODE(CALL_STMT):
        sql_action_add(x, SQL_ACT_CODE, (SqlName){"", ""});
        return;
    default:
        return;
    }
}

void
sql_actions_read(Arena *a, const PgQuery__Node *node, const SqlStmt *stmt, SqlActionVec *ret)
{
    Actions x = {.arena = a, .list = ret};
    if (!add_create(&x, node) && !add_rows(&x, node))
        add_other(&x, node, stmt);
}

Str
sql_action_check(Str script, const SqlAction *x)
{
    SqlLexer lex = {.text = script, .pos = x->off < script.n ? x->off : script.n};
    SqlTok tok;
    do
        sql_lex_next(&lex, &tok);
    while (tok.kind != SQL_TOK_END && tok.kind != SQL_TOK_UNCLOSED &&
           !sql_tok_is(script, &tok, "check"));
    sql_lex_next(&lex, &tok);
    if (tok.c != '(')
        return STR("");
    size_t from = tok.off + 1;
    for (int depth = 1; depth;) {
        sql_lex_next(&lex, &tok);
        if (tok.kind == SQL_TOK_END || tok.kind == SQL_TOK_UNCLOSED)
            return STR("");
        depth += (tok.c == '(') - (tok.c == ')');
    }
    return str_trim(str_slice(script, from, tok.off));
}

/* From one key to the comma or parenthesis behind it: the end of its expression is put into *end. */
static bool
read_key(SqlLexer *lex, SqlTok *tok, size_t *end)
{
    bool is_over = false, was_name = false;
    for (int depth = 0; depth || (tok->c != ',' && tok->c != ')'); sql_lex_next(lex, tok)) {
        if (tok->kind == SQL_TOK_END || tok->kind == SQL_TOK_UNCLOSED)
            return false;
        if (!depth && sql_tok_is(lex->text, tok, "collate"))
            return false;
        bool is_name = tok->kind == SQL_TOK_WORD || tok->kind == SQL_TOK_IDENT;
        /* a name behind a name, or behind what is closed: a class of operators, an order */
        is_over = is_over || (!depth && is_name && was_name);
        depth += (tok->c == '(') - (tok->c == ')');
        was_name = is_name || tok->c == ')';
        if (!is_over)
            *end = tok->off + tok->len;
    }
    return true;
}

bool
sql_index_words(Arena *a, Str statement, SqlTexts *keys, Str *condition)
{
    SqlLexer lex = {.text = statement};
    SqlTok tok;
    *condition = STR("");
    do
        sql_lex_next(&lex, &tok);
    while (tok.c != '(' && tok.kind != SQL_TOK_END && tok.kind != SQL_TOK_UNCLOSED);
    while (tok.c == '(' || tok.c == ',') {
        sql_lex_next(&lex, &tok);
        size_t from = tok.off, end = from;
        if (!read_key(&lex, &tok, &end))
            return false;
        *vec_add(a, keys) = str_dup(a, str_slice(statement, from, end));
    }
    int depth = 0;
    do {
        sql_lex_next(&lex, &tok);
        depth += (tok.c == '(') - (tok.c == ')');
        if (!depth && sql_tok_is(statement, &tok, "where")) {
            *condition = str_trim(str_slice(statement, tok.off + tok.len, statement.n));
            return condition->n > 0;
        }
    } while (tok.kind != SQL_TOK_END && tok.kind != SQL_TOK_UNCLOSED);
    return keys->n > 0;
}
