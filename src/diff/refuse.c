/* What PostgreSQL refuses whatever comes before it: no script is written, and a person is told why. */
#include "diff/diff_int.h"

static void
refuse(Differ *d, Change *c, const CatRef *at, const char *why)
{
    DiffEffect *effect = effect_add(d, c, FINDING_DIFF_IMPOSSIBLE, at);
    *vec_add(d->arena, &effect->names) = why;
}

/* ---- partition keys --------------------------------------------------------------------------- */

/* The partitioned table, it or one of its partitions, whose key holds the column. */
static const CatRelation *
keyed_by(const Catalog *c, const CatRelation *t, const char *column)
{
    if (catalog_mentions(t->partition_key, column))
        return t;
    const CatRelation *found = NULL;
    if (t->partition_key)
        cat_each (CatRelation, child, &c->tables)
            if (!found && catalog_is_child(child, &t->id))
                found = keyed_by(c, child, column);
    return found;
}

/* ---- row types -------------------------------------------------------------------------------- */

/* A column elsewhere that holds rows of the table. */
static const CatColumn *
row_holder(const Catalog *c, const CatRef *table)
{
    vec_each (CatObject *, at, &c->objects) {
        const CatColumn *column = (const CatColumn *)*at;
        const CatRelation *r = (*at)->id.kind == CAT_COLUMN
                                   ? catalog_relation(c, (*at)->id.schema, (*at)->id.name)
                                   : NULL;
        if (r && r->id.kind != CAT_VIEW && cat_same_text(column->type.schema, table->schema) &&
            strcmp(column->type.name, table->name) == 0)
            return column;
    }
    return NULL;
}

bool
change_touches_rows(const Change *c)
{
    if (cat_has_text(&c->fields, "is_unlogged") || cat_has_text(&c->fields, "access_method"))
        return true;
    vec_each (const ColumnChange, k, &c->columns) {
        bool is_new = k->op == COLUMN_ADD || k->op == COLUMN_RECREATE;
        if ((k->op == COLUMN_ALTER && k->fields & COLUMN_TYPE) ||
            (is_new && (k->to->default_expr || k->to->identity || k->to->generated)))
            return true;
    }
    return false;
}

/* The column goes or gets another type before. */
static bool
holder_goes(const Differ *d, const CatColumn *holder)
{
    const CatRelation *t = catalog_relation(d->to, holder->id.schema, holder->id.name);
    const CatColumn *to = t ? catalog_column(t, holder->id.sub) : NULL;
    return !to || !catalog_type_same(&to->type, &holder->type);
}

/* ---- typed tables ----------------------------------------------------------------------------- */

static bool
is_made_again(const Change *table, const char *column)
{
    if (table)
        vec_each (const ColumnChange, k, &table->columns)
            if (k->op == COLUMN_RECREATE && strcmp(k->to->id.sub, column) == 0)
                return true;
    return false;
}

/* Whether the columns stand in the order of the new type: those that stay come first. */
static bool
is_in_order(const CatRelation *x, const CatRelation *y, const Change *table)
{
    size_t place = 0;
    cat_each (CatColumn, from, &x->columns) {
        if (!catalog_column(y, from->id.sub) || is_made_again(table, from->id.sub))
            continue;
        if (strcmp(y->columns.v[place++]->id.sub, from->id.sub) != 0)
            return false;
    }
    return true;
}

/* Also those of children, which change with it. */
static void
look_at_rows(Differ *d, Change *c, const CatRelation *x)
{
    const CatColumn *holder = row_holder(d->from, &x->id);
    if (holder && !holder_goes(d, holder))
        refuse(d, c, &x->id,
               str_fmt(d->arena, "the %s holds rows of it", cat_ref_text(d->arena, &holder->id)));
    cat_each (CatRelation, t, &d->from->tables)
        if (catalog_is_child(t, &x->id))
            look_at_rows(d, c, t);
}

static void
look_at_table(Differ *d, Change *c)
{
    const CatRelation *x = (const CatRelation *)c->from;
    vec_each (const ColumnChange, k, &c->columns) {
        if (k->op != COLUMN_ALTER || !(k->fields & COLUMN_TYPE))
            continue;
        const CatRelation *keyed = keyed_by(d->from, x, k->from->id.sub);
        if (keyed)
            refuse(d, c, &k->to->id,
                   str_fmt(d->arena, "rows of \"%s\" are partitioned by it", keyed->id.name));
    }
    if (change_touches_rows(c))
        look_at_rows(d, c, x);
}

static void
look_at_type(Differ *d, Change *c)
{
    const CatRelation *x = (const CatRelation *)c->from, *y = (const CatRelation *)c->to;
    if (x->of_type.name || !y->of_type.name)
        return;
    const CatRelation *was = catalog_relation(d->from, y->id.schema, y->id.name);
    const Change *own = NULL;
    vec_each (Change *, at, &d->diff->changes)
        if ((*at)->op == CHANGE_ALTER && !(*at)->is_aside && was &&
            (*at)->from == (const CatObject *)was)
            own = *at;
    if (was && !is_in_order(was, y, own))
        refuse(d, c, &y->id, "its columns do not stand in the order of its type");
}

/* Columns of an enum that is made anew are retyped by its own change. */
static void
look_at_enum(Differ *d, Change *c)
{
    vec_each (const CatColumn *, column, &c->retype) {
        const CatRef table = {CAT_TABLE, (*column)->id.schema, (*column)->id.name, NULL};
        const CatRelation *x = catalog_find(d->from, table);
        const CatRelation *keyed = x ? keyed_by(d->from, x, (*column)->id.sub) : NULL;
        const CatColumn *holder = row_holder(d->from, &table);
        if (keyed)
            refuse(d, c, &(*column)->id,
                   str_fmt(d->arena, "rows of \"%s\" are partitioned by it", keyed->id.name));
        else if (holder && !holder_goes(d, holder))
            refuse(
                d, c, &table,
                str_fmt(d->arena, "the %s holds rows of it", cat_ref_text(d->arena, &holder->id)));
    }
}

/* A function of a partition key cannot be made again. */
static void
look_at_function(Differ *d, Change *drop)
{
    cat_each (CatRelation, t, &d->from->tables) {
        const CatRelation *to = catalog_find(d->to, t->id);
        bool stays = to && cat_same_text(to->partition_key, t->partition_key);
        if (t->partition_key && stays && refs_have(&t->needs, &drop->from->id))
            refuse(d, drop, &drop->from->id,
                   str_fmt(d->arena, "rows of \"%s\" are partitioned by it", t->id.name));
    }
}

void
diff_refuse(Differ *d)
{
    vec_each (Change *, at, &d->diff->changes) {
        Change *c = *at;
        if (c->op == CHANGE_DROP && c->kind == CAT_FUNCTION)
            look_at_function(d, c);
        if (c->kind == CAT_ENUM && c->is_rebuilt)
            look_at_enum(d, c);
        if (c->op == CHANGE_ALTER && c->kind == CAT_TABLE)
            (c->is_aside ? look_at_type : look_at_table)(d, c);
        if (c->op != CHANGE_DROP ||
            (c->kind != CAT_VIEW && c->kind != CAT_MATVIEW && c->kind != CAT_TABLE))
            continue;
        const CatColumn *holder = row_holder(d->from, &c->from->id);
        if (holder && !holder_goes(d, holder))
            refuse(
                d, c, &c->from->id,
                str_fmt(d->arena, "the %s holds rows of it", cat_ref_text(d->arena, &holder->id)));
    }
}
