/* What each action makes of the schema. */
#include "lint/lint_int.h"

#include <string.h>

static void
take_out(CatObjects *list, const void *object)
{
    size_t kept = 0;
    for (size_t i = 0; i < list->n; i++)
        if (list->v[i] != object)
            list->v[kept++] = list->v[i];
    list->n = kept;
}

static void
forget_relation(LintSchema *s, CatRelation *t)
{
    cat_each (CatIndex, index, &t->indexes)
        lint_remember(s, &s->indexes, index->id.schema, index->id.name, NULL);
    lint_remember(s, &s->relations, t->id.schema, t->id.name, NULL);
    take_out((CatObjects *)(void *)(t->id.kind == CAT_TABLE ? (void *)&s->catalog->tables
                                                            : (void *)&s->catalog->views),
             t);
}

static CatRelation *
add_relation(LintSchema *s, const SqlAction *x, CatKind kind)
{
    CatRelation *t = lint_relation(s, x->on);
    if (t && x->if_exists)
        return NULL;
    if (t)
        forget_relation(s, t);
    const char *schema = *x->on.schema ? x->on.schema : s->usual;
    t = catalog_add(s->catalog, kind, schema, x->on.name);
    lint_remember(s, &s->relations, schema, x->on.name, t);
    return t;
}

static void
add_column(LintSchema *s, CatRelation *t, const SqlAction *x)
{
    if (catalog_column(t, x->name))
        return;
    CatColumn *c = catalog_add_to(s->catalog, t, CAT_COLUMN, x->name);
    const char *type = x->type;
    if (x->is_serial)
        type = strchr(type, 'b') || strchr(type, '8')   ? "int8"
               : strchr(type, 'm') || strchr(type, '2') ? "int2"
                                                        : "int4";
    c->type = catalog_type(s->arena, str_of(type));
    c->is_not_null = x->is_not_null;
    c->identity = x->is_identity ? CAT_BY_DEFAULT : CAT_NO_IDENTITY;
    c->generated = x->is_generated ? CAT_STORED : CAT_NOT_GENERATED;
    c->default_expr = x->expr.is_there && !x->expr.is_null ? "" : x->is_serial ? "" : NULL;
}

static void
add_constraint(LintSchema *s, CatRelation *t, const SqlAction *x)
{
    static const struct {
        char letter;
        CatConstraintType type;
    } types[] = {{'c', CAT_CHECK},
                 {'p', CAT_PRIMARY_KEY},
                 {'u', CAT_UNIQUE},
                 {'x', CAT_EXCLUDE},
                 {'f', CAT_FOREIGN_KEY}};
    CatConstraint *k =
        catalog_add_to(s->catalog, t, CAT_CONSTRAINT, lint_constraint_name(s->arena, x));
    for (size_t i = 0; i < COUNT(types); i++)
        if (types[i].letter == x->constraint)
            k->type = types[i].type;
    vec_each (const char *const, column, &x->columns)
        *vec_add(s->arena, &k->columns) = *column;
    /* Of a check: the columns that it says are not NULL. */
    vec_each (const char *const, column, &x->expr.not_null)
        *vec_add(s->arena, &k->set_columns) = *column;
    k->is_not_valid = x->is_not_valid;
    if (x->constraint == 'f')
        k->ref_table = (CatName){*x->ref.schema ? x->ref.schema : s->usual, x->ref.name};
    vec_each (const char *const, column, &x->ref_columns)
        *vec_add(s->arena, &k->ref_columns) = *column;
    for (size_t i = 0; x->constraint == 'p' && i < k->columns.n; i++) {
        CatColumn *c = catalog_column(t, k->columns.v[i]);
        if (c)
            c->is_not_null = true;
    }
}

static void
add_index(LintSchema *s, CatRelation *t, const SqlAction *x)
{
    Buf b;
    buf_init(&b, s->arena);
    buf_addz(&b, x->on.name);
    vec_each (const char *const, column, &x->columns)
        buf_fmt(&b, "_%s", *column);
    const char *name = *x->name ? x->name : str_fmt(s->arena, "%s_idx", b.p);
    if (lint_index(s, (SqlName){t->id.schema, name}))
        return;
    CatIndex *index = catalog_add_to(s->catalog, t, CAT_INDEX, name);
    index->is_unique = x->is_unique;
    index->predicate = x->is_partial ? "" : NULL;
    vec_each (const char *const, column, &x->columns)
        vec_add(s->arena, &index->keys)->column = *column;
    if (x->has_expression)
        vec_add(s->arena, &index->keys)->expr = "";
    lint_remember_index(s, t, index);
}

static bool
is_on_column(const CatTexts *columns, const char *name)
{
    return cat_has_text(columns, name);
}

/* What goes with a column. */
static void
drop_column(LintSchema *s, CatRelation *t, const char *name)
{
    CatColumn *c = catalog_column(t, name);
    if (!c)
        return;
    take_out((CatObjects *)(void *)&t->columns, c);
    for (size_t i = t->constraints.n; i-- > 0;)
        if (is_on_column(&t->constraints.v[i]->columns, name))
            take_out((CatObjects *)(void *)&t->constraints, t->constraints.v[i]);
    for (size_t i = t->indexes.n; i-- > 0;) {
        CatIndex *index = t->indexes.v[i];
        bool uses = false;
        vec_each (const CatKey, key, &index->keys)
            uses = uses || cat_same_text(key->column, name);
        if (!uses)
            continue;
        lint_remember(s, &s->indexes, index->id.schema, index->id.name, NULL);
        take_out((CatObjects *)(void *)&t->indexes, index);
    }
}

static void
drop_constraint(CatRelation *t, const char *name)
{
    for (size_t i = t->constraints.n; i-- > 0;)
        if (strcmp(t->constraints.v[i]->id.sub, name) == 0)
            take_out((CatObjects *)(void *)&t->constraints, t->constraints.v[i]);
}

static void
drop_key_to(void *arg, CatRelation *from, const CatConstraint *key)
{
    (void)arg;
    drop_constraint(from, key->id.sub);
}

static void
drop_object(LintSchema *s, const SqlAction *x)
{
    LintIndexAt *at;
    CatRelation *t;
    switch (x->object) {
    case SQL_OBJ_TABLE:
    case SQL_OBJ_VIEW:
        t = lint_relation(s, x->on);
        if (t) {
            forget_relation(s, t);
            lint_each_key_to(s, t, drop_key_to, NULL);
        }
        return;
    case SQL_OBJ_INDEX:
        at = lint_index(s, x->on);
        if (at) {
            take_out((CatObjects *)(void *)&at->table->indexes, at->index);
            lint_remember(s, &s->indexes, at->index->id.schema, at->index->id.name, NULL);
        }
        return;
    case SQL_OBJ_TYPE:
        lint_remember(s, &s->enums, *x->on.schema ? x->on.schema : NULL, x->on.name, NULL);
        lint_remember(s, &s->domains, *x->on.schema ? x->on.schema : NULL, x->on.name, NULL);
        return;
    default:
        return;
    }
}

/* ---- renaming ------------------------------------------------------------------------------------ */

static void
follow_table_name(void *arg, CatRelation *from, const CatConstraint *key)
{
    CatName *to = arg;
    for (size_t i = 0; i < from->constraints.n; i++)
        if (from->constraints.v[i] == key)
            from->constraints.v[i]->ref_table = *to;
}

static void
rename_relation(LintSchema *s, const SqlAction *x)
{
    CatRelation *t = lint_relation(s, x->on);
    if (!t)
        return;
    bool moves = x->kind == SQL_ACT_SET_SCHEMA;
    CatName to = {moves ? x->to : t->id.schema, moves ? t->id.name : x->to};
    lint_each_key_to(s, t, follow_table_name, &to);
    lint_remember(s, &s->relations, t->id.schema, t->id.name, NULL);
    t->id.schema = to.schema;
    t->id.name = to.name;
    lint_remember(s, &s->relations, to.schema, to.name, t);
    cat_each (CatColumn, c, &t->columns)
        c->id.schema = to.schema, c->id.name = to.name;
    cat_each (CatConstraint, k, &t->constraints)
        k->id.schema = to.schema, k->id.name = to.name;
    cat_each (CatIndex, index, &t->indexes) {
        lint_remember(s, &s->indexes, index->id.schema, index->id.name, NULL);
        index->table = to.name;
        index->id.schema = to.schema;
        lint_remember_index(s, t, index);
    }
}

static void
rename_in(CatTexts *list, const char *was, const char *now)
{
    vec_each (const char *, text, list)
        if (strcmp(*text, was) == 0)
            *text = now;
}

static void
rename_column(const LintSchema *s, const SqlAction *x)
{
    CatRelation *t = lint_relation(s, x->on);
    CatColumn *c = t ? catalog_column(t, x->name) : NULL;
    if (!c)
        return;
    c->id.sub = x->to;
    cat_each (CatConstraint, k, &t->constraints) {
        rename_in(&k->columns, x->name, x->to);
        rename_in(&k->set_columns, x->name, x->to);
    }
    cat_each (CatIndex, index, &t->indexes)
        vec_each (CatKey, key, &index->keys)
            if (cat_same_text(key->column, x->name))
                key->column = x->to;
}

/* Columns are of a type, whatever it is called. */
static void
follow_type_name(const LintSchema *s, const CatName *was, const CatName *now)
{
    Buf b;
    buf_init(&b, s->arena);
    sql_add_name(&b, now->schema, now->name);
    cat_each (CatRelation, t, &s->catalog->tables)
        cat_each (CatColumn, c, &t->columns) {
            const char *schema = c->type.schema ? c->type.schema : s->usual;
            if (strcmp(c->type.name, was->name) == 0 && strcmp(schema, was->schema) == 0)
                c->type = catalog_type(
                    s->arena, str_of(str_fmt(s->arena, "%s%s", b.p, c->type.is_array ? "[]" : "")));
        }
}

static void
rename_other(LintSchema *s, const SqlAction *x)
{
    LintIndexAt *at = x->object == SQL_OBJ_INDEX ? lint_index(s, x->on) : NULL;
    CatRelation *t = x->object == SQL_OBJ_CONSTRAINT ? lint_relation(s, x->on) : NULL;
    if (at) {
        lint_remember(s, &s->indexes, at->index->id.schema, at->index->id.name, NULL);
        at->index->id.name = x->to;
        lint_remember_index(s, at->table, at->index);
    }
    for (size_t i = 0; t && i < t->constraints.n; i++)
        if (strcmp(t->constraints.v[i]->id.sub, x->name) == 0)
            t->constraints.v[i]->id.sub = x->to;
    if (x->object != SQL_OBJ_TYPE)
        return;
    bool moves = x->kind == SQL_ACT_SET_SCHEMA;
    const CatName was = {*x->on.schema ? x->on.schema : s->usual, x->on.name};
    const CatName now = {moves ? x->to : was.schema, moves ? was.name : x->to};
    Map *const maps[] = {&s->enums, &s->domains};
    for (size_t i = 0; i < COUNT(maps); i++) {
        void *type = lint_lookup(s, maps[i], x->on);
        if (!type)
            continue;
        lint_remember(s, maps[i], was.schema, was.name, NULL);
        lint_remember(s, maps[i], now.schema, now.name, type);
    }
    follow_type_name(s, &was, &now);
}

/* ---- all ----------------------------------------------------------------------------------------- */

static void
take_columns(LintSchema *s, CatRelation *t, SqlName from)
{
    const CatRelation *other = lint_relation(s, from);
    for (size_t i = 0; other && i < other->columns.n; i++) {
        CatColumn *c = catalog_add_to(s->catalog, t, CAT_COLUMN, other->columns.v[i]->id.sub);
        c->type = other->columns.v[i]->type;
        c->is_not_null = other->columns.v[i]->is_not_null;
        c->default_expr = other->columns.v[i]->default_expr;
    }
}

static void
change_column(const LintSchema *s, CatRelation *t, const SqlAction *x)
{
    CatColumn *c = catalog_column(t, x->name);
    if (!c)
        return;
    if (x->kind == SQL_ACT_TYPE)
        c->type = catalog_type(s->arena, str_of(x->type));
    else if (x->kind == SQL_ACT_SET_NOT_NULL || x->kind == SQL_ACT_DROP_NOT_NULL)
        c->is_not_null = x->kind == SQL_ACT_SET_NOT_NULL;
    else if (x->kind == SQL_ACT_ADD_IDENTITY)
        c->identity = CAT_BY_DEFAULT;
    else
        c->default_expr = x->kind == SQL_ACT_SET_DEFAULT && !x->expr.is_null ? "" : NULL;
}

static void
apply_to_table(LintSchema *s, const SqlAction *x)
{
    CatRelation *t = lint_relation(s, x->on), *other;
    if (!t)
        return;
    switch (x->kind) {
    case SQL_ACT_LIKE:
    case SQL_ACT_INHERITS:
        take_columns(s, t, x->ref);
        return;
    case SQL_ACT_PARTITION:
        take_columns(s, t, x->ref);
        t->partition_of = (CatName){*x->ref.schema ? x->ref.schema : s->usual, x->ref.name};
        return;
    case SQL_ACT_ATTACH:
    case SQL_ACT_DETACH:
        other = lint_relation(s, x->ref);
        if (other)
            other->partition_of =
                x->kind == SQL_ACT_ATTACH ? (CatName){t->id.schema, t->id.name} : (CatName){0};
        return;
    case SQL_ACT_COLUMN:
        add_column(s, t, x);
        return;
    case SQL_ACT_CONSTRAINT:
        add_constraint(s, t, x);
        return;
    case SQL_ACT_INDEX:
        add_index(s, t, x);
        return;
    case SQL_ACT_DROP_COLUMN:
        drop_column(s, t, x->name);
        return;
    case SQL_ACT_DROP_CONSTRAINT:
        drop_constraint(t, x->name);
        return;
    case SQL_ACT_VALIDATE:
        cat_each (CatConstraint, k, &t->constraints)
            if (strcmp(k->id.sub, x->name) == 0)
                k->is_not_valid = false;
        return;
    case SQL_ACT_ROW_SECURITY:
        t->is_rls = strcmp(x->name, "ENABLE") == 0;
        return;
    default:
        change_column(s, t, x);
        return;
    }
}

static void
add_label(LintSchema *s, const SqlAction *x)
{
    CatEnum *e = lint_lookup(s, &s->enums, x->on);
    if (e && !cat_has_text(&e->labels, x->name))
        *vec_add(s->arena, &e->labels) = x->name;
}

void
lint_schema_apply(LintSchema *s, const SqlAction *x)
{
    CatObject *o;
    switch (x->kind) {
    case SQL_ACT_TABLE:
        add_relation(s, x, CAT_TABLE);
        return;
    case SQL_ACT_TABLE_AS:
        add_relation(s, x, x->is_matview ? CAT_MATVIEW : CAT_TABLE);
        return;
    case SQL_ACT_VIEW:
        add_relation(s, x, CAT_VIEW);
        return;
    case SQL_ACT_ENUM:
    case SQL_ACT_DOMAIN:
        o = catalog_add(s->catalog, x->kind == SQL_ACT_ENUM ? CAT_ENUM : CAT_DOMAIN,
                        *x->on.schema ? x->on.schema : s->usual, x->on.name);
        if (x->kind == SQL_ACT_DOMAIN)
            ((CatDomain *)(void *)o)->is_not_null = x->is_checked;
        else
            vec_each (const char *const, label, &x->columns)
                *vec_add(s->arena, &((CatEnum *)(void *)o)->labels) = *label;
        lint_remember(s, x->kind == SQL_ACT_ENUM ? &s->enums : &s->domains, o->id.schema,
                      o->id.name, o);
        return;
    case SQL_ACT_ENUM_VALUE:
        add_label(s, x);
        return;
    case SQL_ACT_FUNCTION:
        map_put(&s->steady, str_copy(s->arena, str_of(x->on.name)),
                x->volatility == 'v' ? NULL : s);
        return;
    case SQL_ACT_DROP:
        drop_object(s, x);
        return;
    case SQL_ACT_RENAME:
    case SQL_ACT_SET_SCHEMA:
        if (x->object == SQL_OBJ_TABLE || x->object == SQL_OBJ_VIEW)
            rename_relation(s, x);
        else if (x->object == SQL_OBJ_COLUMN)
            rename_column(s, x);
        else
            rename_other(s, x);
        return;
    default:
        apply_to_table(s, x);
        return;
    }
}
