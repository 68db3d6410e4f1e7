/* Actions of tables: columns, constraints, indexes. */
#include "sqltext/sqltext_int.h"

#include <pg_query/pg_query.pb-c.h>
#include <string.h>

#include "sqltext/actions_int.h"

#define AT(name) PG_QUERY__ALTER_TABLE_TYPE__AT_##name
#define CONSTR(name) PG_QUERY__CONSTR_TYPE__CONSTR_##name

/* What the parser puts in front of an interval's digits (INTERVAL_FULL_RANGE of utils/timestamp.h). */
static bool
is_all_fields(const PgQuery__Node *mod)
{
    enum { FULL_RANGE = 0x7fff };
    return mod->node_case == NODE(A_CONST) &&
           mod->a_const->val_case == PG_QUERY__A__CONST__VAL_IVAL &&
           mod->a_const->ival->ival == FULL_RANGE;
}

/* A type as SQL: names quoted, arguments as they are written. */
static const char *
type_text(Arena *a, const PgQuery__TypeName *type)
{
    if (!type || !type->n_names)
        return "";
    Buf b;
    buf_init(&b, a);
    SqlName name = sql_tree_list_name(a, type->names, type->n_names, 0);
    bool is_own = *name.schema && strcmp(name.schema, "pg_catalog") != 0;
    if (is_own)
        sql_add_name(&b, name.schema, name.name);
    else if (*name.schema)
        buf_addz(&b, name.name);
    else
        sql_add_ident(&b, name.name);
    const char *open = "(";
    size_t first = strcmp(name.name, "interval") == 0 && type->n_typmods > 0;
    if (first && !is_all_fields(type->typmods[0]))
        buf_addz(
            &b,
            "_of_fields"); /* INTERVAL DAY TO SECOND: a type of its own, as far as anybody asks */
    for (size_t i = first; i < type->n_typmods; i++) {
        const PgQuery__Node *mod = type->typmods[i];
        if (mod->node_case != NODE(A_CONST) ||
            mod->a_const->val_case != PG_QUERY__A__CONST__VAL_IVAL)
            continue;
        buf_fmt(&b, "%s%d", open, mod->a_const->ival->ival);
        open = ",";
    }
    if (*open == ',')
        buf_addc(&b, ')');
    for (size_t i = 0; i < type->n_array_bounds; i++)
        buf_addz(&b, "[]");
    return b.p;
}

static bool
is_serial(const PgQuery__TypeName *type)
{
    static const char *const names[] = {"serial",  "bigserial", "smallserial",
                                        "serial4", "serial8",   "serial2"};
    if (!type || type->n_names != 1 || type->names[0]->node_case != NODE(STRING))
        return false;
    for (size_t i = 0; i < COUNT(names); i++)
        if (strcmp(type->names[0]->string->sval, names[i]) == 0)
            return true;
    return false;
}

static char
letter(const char *text)
{
    return text && *text ? *text : 0;
}

static void
add_constraint(Actions *x, const PgQuery__Constraint *c, SqlName on, const char *column)
{
    static const struct {
        PgQuery__ConstrType type;
        char letter;
    } types[] = {{CONSTR(CHECK), 'c'},     {CONSTR(PRIMARY), 'p'}, {CONSTR(UNIQUE), 'u'},
                 {CONSTR(EXCLUSION), 'x'}, {CONSTR(FOREIGN), 'f'}, {CONSTR(NOTNULL), 'n'}};
    char type = 0;
    for (size_t i = 0; i < COUNT(types); i++)
        if (types[i].type == c->contype)
            type = types[i].letter;
    if (!type || (type == 'n' && column))
        return;
    SqlAction *s = sql_action_add(x, SQL_ACT_CONSTRAINT, on);
    s->name = str_dupz(x->arena, c->conname);
    s->constraint = type;
    s->is_in_create = x->in_create;
    s->is_inline = column;
    s->off = c->location > 0 ? (size_t)c->location : 0;
    s->is_not_valid = c->skip_validation;
    s->index = str_dupz(x->arena, c->indexname);
    s->columns = type == 'f' ? sql_action_texts(x->arena, c->fk_attrs, c->n_fk_attrs)
                             : sql_action_texts(x->arena, c->keys, c->n_keys);
    if (column && !s->columns.n)
        *vec_add(x->arena, &s->columns) = str_dupz(x->arena, column);
    if (type == 'f') {
        s->ref = sql_tree_name(x->arena, c->pktable);
        s->ref_columns = sql_action_texts(x->arena, c->pk_attrs, c->n_pk_attrs);
        s->on_delete = letter(c->fk_del_action);
    }
    if (type == 'c')
        sql_action_expr(x->arena, c->raw_expr, &s->expr);
    s->is_partial = c->where_clause;
    s->is_nulls_equal = c->nulls_not_distinct;
}

static void
add_column(Actions *x, const PgQuery__ColumnDef *def, SqlName on, bool if_exists)
{
    SqlAction s = *sql_action_add(x, SQL_ACT_COLUMN, on);
    s.name = str_dupz(x->arena, def->colname);
    s.type = type_text(x->arena, def->type_name);
    s.is_serial = is_serial(def->type_name);
    s.is_not_null = def->is_not_null || s.is_serial;
    s.is_in_create = x->in_create;
    s.if_exists = if_exists;
    for (size_t i = 0; i < def->n_constraints; i++) {
        if (def->constraints[i]->node_case != NODE(CONSTRAINT))
            continue;
        const PgQuery__Constraint *c = def->constraints[i]->constraint;
        s.is_not_null = s.is_not_null || c->contype == CONSTR(NOTNULL) ||
                        c->contype == CONSTR(PRIMARY) || c->contype == CONSTR(IDENTITY);
        s.is_identity = s.is_identity || c->contype == CONSTR(IDENTITY);
        s.is_generated = s.is_generated || c->contype == CONSTR(GENERATED);
        if (c->contype == CONSTR(DEFAULT) || c->contype == CONSTR(GENERATED))
            sql_action_expr(x->arena, c->raw_expr, &s.expr);
    }
    x->list->v[x->list->n - 1] = s;
    for (size_t i = 0; i < def->n_constraints; i++)
        if (def->constraints[i]->node_case == NODE(CONSTRAINT))
            add_constraint(x, def->constraints[i]->constraint, on, def->colname);
}

static void
add_element(Actions *x, const PgQuery__Node *element, SqlName on)
{
    if (element->node_case == NODE(COLUMN_DEF))
        add_column(x, element->column_def, on, false);
    else if (element->node_case == NODE(CONSTRAINT))
        add_constraint(x, element->constraint, on, NULL);
    else if (element->node_case == NODE(TABLE_LIKE_CLAUSE))
        sql_action_add(x, SQL_ACT_LIKE, on)->ref =
            sql_tree_name(x->arena, element->table_like_clause->relation);
}

void
sql_action_create_table(Actions *x, const PgQuery__CreateStmt *create)
{
    SqlName on = sql_tree_name(x->arena, create->relation);
    sql_action_add(x, SQL_ACT_TABLE, on)->if_exists = create->if_not_exists;
    x->in_create = true;
    for (size_t i = 0; i < create->n_inh_relations; i++)
        if (create->inh_relations[i]->node_case == NODE(RANGE_VAR))
            sql_action_add(x, create->partbound ? SQL_ACT_PARTITION : SQL_ACT_INHERITS, on)->ref =
                sql_tree_name(x->arena, create->inh_relations[i]->range_var);
    for (size_t i = 0; i < create->n_table_elts; i++)
        add_element(x, create->table_elts[i], on);
    for (size_t i = 0; i < create->n_constraints; i++)
        add_element(x, create->constraints[i], on);
    x->in_create = false;
}

void
sql_action_index(Actions *x, const PgQuery__IndexStmt *create)
{
    SqlAction *s = sql_action_add(x, SQL_ACT_INDEX, sql_tree_name(x->arena, create->relation));
    s->name = str_dupz(x->arena, create->idxname);
    s->is_unique = create->unique;
    s->is_concurrent = create->concurrent;
    s->is_partial = create->where_clause;
    s->is_nulls_equal = create->nulls_not_distinct;
    s->if_exists = create->if_not_exists;
    for (size_t i = 0; i < create->n_index_params; i++) {
        const PgQuery__Node *key = create->index_params[i];
        if (key->node_case == NODE(INDEX_ELEM) && *key->index_elem->name)
            *vec_add(x->arena, &s->columns) = str_dupz(x->arena, key->index_elem->name);
        else
            s->has_expression = true;
    }
    if (s->has_expression)
        s->columns.n = 0;
}

/* Whether it is the column, whatever it is cast to. */
static bool
is_column(const PgQuery__Node *node, const char *column)
{
    while (node && node->node_case == NODE(TYPE_CAST))
        node = node->type_cast->arg;
    const PgQuery__ColumnRef *ref =
        node && node->node_case == NODE(COLUMN_REF) ? node->column_ref : NULL;
    const PgQuery__Node *last = ref && ref->n_fields ? ref->fields[ref->n_fields - 1] : NULL;
    return last && last->node_case == NODE(STRING) && strcmp(last->string->sval, column) == 0;
}

static void
column_command(Actions *x, SqlActionKind kind, SqlName on, const PgQuery__AlterTableCmd *cmd)
{
    SqlAction *s = sql_action_add(x, kind, on);
    s->name = str_dupz(x->arena, cmd->name);
    s->if_exists = cmd->missing_ok;
    s->is_cascade = cmd->behavior == PG_QUERY__DROP_BEHAVIOR__DROP_CASCADE;
    if (kind == SQL_ACT_SET_DEFAULT)
        sql_action_expr(x->arena, cmd->def, &s->expr);
    if (kind != SQL_ACT_TYPE || !cmd->def || cmd->def->node_case != NODE(COLUMN_DEF))
        return;
    s->type = type_text(x->arena, cmd->def->column_def->type_name);
    sql_action_expr(x->arena, cmd->def->column_def->raw_default, &s->expr);
    s->is_cast = !s->expr.is_there || is_column(cmd->def->column_def->raw_default, s->name);
}

static void
partition_command(Actions *x, SqlActionKind kind, SqlName on, const PgQuery__AlterTableCmd *cmd)
{
    if (!cmd->def || cmd->def->node_case != NODE(PARTITION_CMD))
        return;
    SqlAction *s = sql_action_add(x, kind, on);
    s->ref = sql_tree_name(x->arena, cmd->def->partition_cmd->name);
    s->is_concurrent = cmd->def->partition_cmd->concurrent;
}

/* What needs no more than its name. */
static bool
is_named_only(Actions *x, SqlName on, const PgQuery__AlterTableCmd *cmd)
{
    static const struct {
        PgQuery__AlterTableType type;
        SqlActionKind kind;
        const char *name;
    } table[] = {
        {AT(SetLogged), SQL_ACT_REWRITE, "SET LOGGED"},
        {AT(SetUnLogged), SQL_ACT_REWRITE, "SET UNLOGGED"},
        {AT(SetAccessMethod), SQL_ACT_REWRITE, "SET ACCESS METHOD"},
        {AT(SetTableSpace), SQL_ACT_REWRITE, "SET TABLESPACE"},
        {AT(EnableRowSecurity), SQL_ACT_ROW_SECURITY, "ENABLE"},
        {AT(DisableRowSecurity), SQL_ACT_ROW_SECURITY, "DISABLE"},
    };
    for (size_t i = 0; i < COUNT(table); i++)
        if (table[i].type == cmd->subtype) {
            sql_action_add(x, table[i].kind, on)->name = table[i].name;
            return true;
        }
    return false;
}

static void
alter_command(Actions *x, SqlName on, const PgQuery__AlterTableCmd *cmd)
{
    const PgQuery__Node *def = cmd->def;
    switch ((int)cmd->subtype) {
    case AT(AddColumn):
        if (def && def->node_case == NODE(COLUMN_DEF))
            add_column(x, def->column_def, on, cmd->missing_ok);
        return;
    case AT(AddConstraint):
        if (def && def->node_case == NODE(CONSTRAINT))
            add_constraint(x, def->constraint, on, NULL);
        return;
    case AT(DropColumn):
        column_command(x, SQL_ACT_DROP_COLUMN, on, cmd);
        return;
    case AT(AlterColumnType):
        column_command(x, SQL_ACT_TYPE, on, cmd);
        return;
    case AT(SetNotNull):
        column_command(x, SQL_ACT_SET_NOT_NULL, on, cmd);
        return;
    case AT(DropNotNull):
        column_command(x, SQL_ACT_DROP_NOT_NULL, on, cmd);
        return;
    case AT(ColumnDefault):
        column_command(x, def ? SQL_ACT_SET_DEFAULT : SQL_ACT_DROP_DEFAULT, on, cmd);
        return;
    case AT(AddIdentity):
        column_command(x, SQL_ACT_ADD_IDENTITY, on, cmd);
        return;
    case AT(DropConstraint):
        column_command(x, SQL_ACT_DROP_CONSTRAINT, on, cmd);
        return;
    case AT(ValidateConstraint):
        column_command(x, SQL_ACT_VALIDATE, on, cmd);
        return;
    case AT(AttachPartition):
        partition_command(x, SQL_ACT_ATTACH, on, cmd);
        return;
    case AT(DetachPartition):
        partition_command(x, SQL_ACT_DETACH, on, cmd);
        return;
    default:
        is_named_only(x, on, cmd);
        return;
    }
}

void
sql_action_alter_table(Actions *x, const PgQuery__AlterTableStmt *alter)
{
    SqlName on = sql_tree_name(x->arena, alter->relation);
    if (alter->objtype != OBJECT(TABLE))
        return;
    for (size_t i = 0; i < alter->n_cmds; i++)
        if (alter->cmds[i]->node_case == NODE(ALTER_TABLE_CMD))
            alter_command(x, on, alter->cmds[i]->alter_table_cmd);
}
