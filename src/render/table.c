/* Tables: new ones, and what of theirs is a change of its own. */
#include "render/render_int.h"

static const CatConstraint *
primary_key(const CatRelation *t)
{
    cat_each (CatConstraint, k, &t->constraints)
        if (k->type == CAT_PRIMARY_KEY)
            return k;
    return NULL;
}

/* A column that a parent generates, too, and in the same way: only servers since 16 let a child say so. */
static bool
is_generated_above(const Catalog *c, const CatRelation *t, const CatColumn *column)
{
    vec_each (const CatName, n, &t->inherits) {
        const CatRelation *parent = catalog_relation(c, n->schema, n->name);
        const CatColumn *of = parent ? catalog_column(parent, column->id.sub) : NULL;
        if (of && of->generated && of->generated == column->generated &&
            cat_same_text(of->default_expr, column->default_expr))
            return true;
    }
    return false;
}

/* A child's own constraint for a column of its parent's (18). */
static bool
has_own_not_null(const CatRelation *t, const CatColumn *column)
{
    return column->is_not_null && column->is_inherited && !t->partition_of.name &&
           column->is_not_null_own && !column->is_not_null_unchecked;
}

static void
put_body(Render *r, Buf *b, const CatRelation *t)
{
    bool first = true, is_partition = t->partition_of.name;
    buf_addz(b, " (\n");
    cat_each (CatColumn, column, &t->columns) {
        if (column->is_inherited && !is_partition)
            continue;
        CatColumn plain = is_partition ? column_without_identity(column) : *column;
        if (is_partition)
            plain.is_not_null_inherited = false; /* it stands alone until it is attached */
        if (is_generated_above(r->diff->to.catalog, t, column)) {
            plain.generated = CAT_NOT_GENERATED;
            plain.default_expr = NULL;
        }
        buf_addz(b, first ? "    " : ",\n    ");
        put_column(r, b, r->diff->to.catalog, &plain);
        first = false;
    }
    cat_each (CatColumn, column, &t->columns)
        if (has_own_not_null(t, column)) {
            buf_addz(b, first ? "   " : ",\n   ");
            put_not_null(r, b, column);
            first = false;
        }
    const CatConstraint *pk = primary_key(t);
    if (pk && (!pk->is_inherited || is_partition) && !catalog_comes_attached(pk)) {
        buf_addz(b, first ? "    CONSTRAINT " : ",\n\n    CONSTRAINT ");
        put_ident(r, b, pk->id.sub);
        bool plain = !pk->include.n && !pk->options.n && !pk->tablespace && !pk->is_deferrable &&
                     !pk->is_without_overlaps;
        if (plain) {
            buf_addz(b, " PRIMARY KEY (");
            put_columns(r, b, &pk->columns, ",");
            buf_addc(b, ')');
        } else {
            buf_addc(b, ' ');
            put_constraint(r, b, pk);
        }
    }
    buf_addz(b, "\n)");
}

/* What a child has other than the parent that a column comes from. */
static void
own_column(Render *r, const CatRelation *t, const CatColumn *column)
{
    const char *table = name_text(r, &t->id), *name = ident_text(r, column->id.sub);
    const CatColumn *of = NULL;
    vec_each (const CatName, n, &t->inherits) {
        const CatRelation *parent = catalog_relation(r->diff->to.catalog, n->schema, n->name);
        of = !of && parent ? catalog_column(parent, column->id.sub) : of;
    }
    if (!of)
        return;
    CatColumn given = *of; /* the others stay with the parent */
    given.statistics = NULL;
    given.options = (CatTexts){0};
    column_storage(r, table, &given, column);
    if (column->is_not_null && !column->is_not_null_own && !column->is_not_null_unchecked &&
        (!of->is_not_null || of->is_not_null_no_inherit))
        statement(r, "ALTER TABLE %s %s", table, set_not_null(r, column));
    if (column->generated || cat_same_text(of->default_expr, column->default_expr))
        return;
    if (column->default_expr)
        statement(r, "ALTER TABLE %s ALTER COLUMN %s SET DEFAULT %s", table, name,
                  column->default_expr);
    else
        statement(r, "ALTER TABLE %s ALTER COLUMN %s DROP DEFAULT", table, name);
}

static void
create_table(Render *r, const CatRelation *t)
{
    Buf b;
    buf_init(&b, r->arena);
    buf_fmt(&b, "CREATE %sTABLE ", t->is_unlogged ? "UNLOGGED " : "");
    put_name(r, &b, t->id.schema, t->id.name);
    put_body(r, &b, t);
    for (size_t i = 0; i < t->inherits.n; i++) {
        buf_addz(&b, i ? ", " : " INHERITS (");
        put_name(r, &b, t->inherits.v[i].schema, t->inherits.v[i].name);
        buf_addz(&b, i + 1 == t->inherits.n ? ")" : "");
    }
    if (t->partition_key)
        buf_fmt(&b, " PARTITION BY %s", t->partition_key);
    if (t->access_method) {
        buf_addz(&b, " USING ");
        put_ident(r, &b, t->access_method);
    }
    put_options(r, &b, &t->options);
    if (t->tablespace) {
        buf_addz(&b, " TABLESPACE ");
        put_ident(r, &b, t->tablespace);
    }
    statement_buf(r, &b);
    if (r->compat)
        return;
    CatRelation made = {.id = t->id,
                        .is_unlogged = t->is_unlogged,
                        .tablespace = t->tablespace,
                        .access_method = t->access_method,
                        .options = t->options};
    table_state(r, &made, t);
    const char *name = name_text(r, &t->id);
    cat_each (CatColumn, column, &t->columns) {
        if (column->is_inherited && !t->partition_of.name)
            own_column(r, t, column);
        else
            column_storage(r, name, NULL, column);
        if (column->is_not_null_unchecked &&
            !(column->is_not_null_inherited && !t->partition_of.name))
            statement(r, "ALTER TABLE %s %s", name, set_not_null(r, column));
    }
    if (t->of_type.name)
        statement(r, "ALTER TABLE %s OF %s", name,
                  name_text(r, &(CatRef){CAT_COMPOSITE, t->of_type.schema, t->of_type.name, NULL}));
    render_attributes(r, NULL, (const CatObject *)t);
    cat_each (CatColumn, column, &t->columns)
        render_attributes(r, NULL, (const CatObject *)column);
    const CatConstraint *key = primary_key(t);
    if (key && !key->is_inherited)
        render_attributes(r, NULL, (const CatObject *)key);
}

void
render_column(Render *r, const Change *c)
{
    statement(r, "ALTER TABLE %s RENAME COLUMN %s TO %s", name_text(r, &c->to->id),
              ident_text(r, c->from->id.sub), ident_text(r, c->to->id.sub));
}

static void
render_attach(Render *r, const Change *c)
{
    const CatRelation *t = (const CatRelation *)c->to;
    const CatRef parent = {CAT_TABLE, t->partition_of.schema, t->partition_of.name, NULL};
    r->step->title = "AttachPartition";
    statement(r, "ALTER TABLE %s ATTACH PARTITION %s %s", name_text(r, &parent),
              name_text(r, &t->id), t->partition_bound);
}

void
render_index_state(Render *r, const Change *c)
{
    const CatRelation *t = (const CatRelation *)c->to;
    bool is_view = t->id.kind == CAT_MATVIEW;
    const char *name = name_text(r, &t->id);
    if (t->replica_identity == 'i')
        statement(r, "ALTER TABLE %s REPLICA IDENTITY USING INDEX %s", name,
                  ident_text(r, t->replica_index));
    if (t->cluster_index)
        statement(r, "ALTER %s %s CLUSTER ON %s", is_view ? "MATERIALIZED VIEW" : "TABLE", name,
                  ident_text(r, t->cluster_index));
}

void
render_table(Render *r, const Change *c)
{
    switch (c->op) {
    case CHANGE_CREATE:
        create_table(r, (const CatRelation *)c->to);
        break;
    case CHANGE_DROP:
        statement(r, "DROP TABLE %s", name_text(r, &c->from->id));
        break;
    case CHANGE_ALTER:
        render_alter_table(r, c);
        break;
    case CHANGE_ATTACH:
        render_attach(r, c);
        break;
    case CHANGE_INDEX_STATE:
        render_index_state(r, c);
        break;
    case CHANGE_RENAME:
        if (strcmp(c->from->id.name, c->to->id.name) != 0)
            statement(r, "ALTER TABLE %s RENAME TO %s", name_text(r, &c->from->id),
                      ident_text(r, c->to->id.name));
        else
            statement(r, "ALTER TABLE %s SET SCHEMA %s", name_text(r, &c->from->id),
                      ident_text(r, c->to->id.schema));
        break;
    }
}
