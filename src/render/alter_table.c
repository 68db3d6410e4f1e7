/* ALTER TABLE. */
#include "render/render_int.h"

/* A new type brings its own storage, as a new column does. */
static void
altered_storage(Render *r, const char *table, const ColumnChange *k)
{
    CatColumn retyped;
    if (k->op != COLUMN_ALTER) {
        column_storage(r, table, NULL, k->to);
    } else if (k->fields & COLUMN_TYPE) {
        retyped = *k->from;
        retyped.storage = retyped.compression = 0;
        column_storage(r, table, &retyped, k->to);
    } else if (k->fields & COLUMN_STORAGE) {
        column_storage(r, table, k->from, k->to);
    }
}

typedef struct Alter {
    Render *r;
    const Change *change;
    const char *table, *only; /* only: without its children */
    Buf clauses;
    Buf own; /* what must not be passed on to children */
    CatTexts before, after;
} Alter;

static Buf *
next_clause(Buf *b)
{
    if (b->n)
        buf_addz(b, ",\n");
    return b;
}

static Buf *
clause(Alter *a)
{
    return next_clause(&a->clauses);
}

static void
put_prefix(Alter *a, Buf *b, const ColumnChange *k)
{
    buf_addz(next_clause(b), "ALTER COLUMN ");
    put_ident(a->r, b, k->from->id.sub);
    buf_addc(b, ' ');
}

static void
alter_prefix(Alter *a, const ColumnChange *k)
{
    put_prefix(a, &a->clauses, k);
}

static bool
has_children(const Render *r, const CatRef *table)
{
    if (r->diff->options.prisma_kinds)
        return false;
    cat_each (CatRelation, t, &r->diff->to.catalog->tables)
        if (catalog_is_child(t, table))
            return true;
    return false;
}

static bool
draws(const CatColumn *c)
{
    return c->default_expr && strncmp(c->default_expr, "nextval(", 8) == 0;
}

/* nextval('public."A_x_seq"'::regclass) -> A_x_seq */
static const char *
drawn_sequence(Render *r, const CatColumn *c)
{
    Str s = str_of(c->default_expr);
    const char *open = memchr(s.p, '\'', s.n), *end = strstr(s.p, "'::");
    if (!open || !end || r->diff->options.from_is_written)
        return "";
    Buf b;
    buf_init(&b, r->arena);
    for (const char *p = open + 1; p < end; p++) {
        if (*p == '.')
            buf_clear(&b);
        else if (*p != '"')
            buf_addc(&b, *p);
    }
    return b.p;
}

/* Prisma knows the sequences of a schema by the empty name. */
static bool
other_column_draws(const Diff *d, const CatColumn *c)
{
    if (!d->options.from_is_written)
        return false;
    vec_each (CatObject *, o, &d->to.catalog->objects)
        if ((*o)->id.kind == CAT_COLUMN && draws((const CatColumn *)*o) &&
            cat_ref_cmp(&(*o)->id, &c->id) != 0)
            return true;
    return false;
}

static void
drop_default_compat(Alter *a, const ColumnChange *k)
{
    Render *r = a->r;
    alter_prefix(a, k);
    buf_addz(&a->clauses, "DROP DEFAULT");
    if (draws(k->from) && !other_column_draws(r->diff, k->to))
        *vec_add(r->arena, &a->after) =
            str_fmt(r->arena, "DROP SEQUENCE \"%s\"", drawn_sequence(r, k->from));
}

static char
lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static void
add_sequence_compat(Alter *a, const ColumnChange *k)
{
    Render *r = a->r;
    Buf b, table;
    buf_init(&b, r->arena);
    buf_init(&table, r->arena);
    const CatRef *id = &k->to->id;
    if (strcmp(id->schema, r->schema) != 0)
        buf_fmt(&b, "\"%s\".", id->schema);
    buf_fmt(&b, "%s_%s_seq", id->name, id->sub);
    for (size_t i = 0; i < b.n; i++)
        b.p[i] = lower(b.p[i]);
    put_name(r, &table, id->schema, id->name);
    *vec_add(r->arena, &a->before) = str_fmt(r->arena, "CREATE SEQUENCE %s", b.p);
    alter_prefix(a, k);
    buf_fmt(&a->clauses, "SET DEFAULT nextval('%s')", b.p);
    *vec_add(r->arena, &a->after) =
        str_fmt(r->arena, "ALTER SEQUENCE %s OWNED BY %s.\"%s\"", b.p, table.p, id->sub);
}

static void
set_type(Alter *a, const ColumnChange *k)
{
    Buf *b = &a->clauses;
    const char *column = ident_text(a->r, k->to->id.sub);
    alter_prefix(a, k);
    buf_addz(b, "SET DATA TYPE ");
    /* Prisma takes it for a type. */
    const char *serial = a->r->compat ? serial_of(a->r, a->r->diff->to.catalog, k->to) : NULL;
    if (serial)
        buf_addz(b, serial);
    else
        put_type(a->r, b, &k->to->type);
    if (!a->r->compat)
        put_collation(a->r, b, &k->to->collation);
    switch (k->cast_using) {
    case USING_NOTHING:
        return;
    case USING_TEXT:
        buf_fmt(b, " USING (%s::text%s::", column, k->from->type.is_array ? "[]" : "");
        break;
    case USING_ARRAY:
        buf_fmt(b, " USING (CASE WHEN %s IS NOT NULL THEN ARRAY[%s] END::", column, column);
        break;
    case USING_FIRST:
        buf_fmt(b, " USING (%s[1]::", column);
        break;
    case USING_CAST:
        buf_fmt(b, " USING (%s::", column);
        break;
    case USING_INTEGER:
        buf_fmt(b, " USING (%s::integer%s::", column, k->from->type.is_array ? "[]" : "");
        break;
    }
    put_type(a->r, b, &k->to->type);
    buf_addc(b, ')');
}

static void
alter_column_compat(Alter *a, const ColumnChange *k)
{
    bool was_list = k->from->type.is_array, is_list = k->to->type.is_array;
    bool retype = (k->fields & COLUMN_TYPE) || was_list != is_list;
    if (k->fields & COLUMN_NULLABLE && !is_list) {
        alter_prefix(a, k);
        buf_addz(&a->clauses, k->to->is_not_null ? "SET NOT NULL" : "DROP NOT NULL");
    }
    if (k->fields & COLUMN_DEFAULT) {
        if (k->to->default_expr && !draws(k->to)) {
            alter_prefix(a, k);
            buf_fmt(&a->clauses, "SET DEFAULT %s", k->to->default_expr);
        } else {
            drop_default_compat(a, k);
        }
    }
    if (k->fields & COLUMN_SEQUENCE) {
        if (draws(k->from) || k->from->identity)
            drop_default_compat(a, k);
        else
            add_sequence_compat(a, k);
    }
    if (retype)
        set_type(a, k);
}

/* The sequence of an identity column is looked at before any clause is done: statements of their
 * own before and after those that change the type and NOT NULL. */
static void
alter_identity(Alter *a, const ColumnChange *k)
{
    Render *r = a->r;
    Buf b;
    buf_init(&b, r->arena);
    /* Partitions have the identity of their table. */
    bool is_partitioned = ((const CatRelation *)a->change->to)->partition_key;
    buf_fmt(&b, "ALTER TABLE %s ALTER COLUMN %s ", is_partitioned ? a->table : a->only,
            ident_text(r, k->to->id.sub));
    if (k->to->identity == CAT_NO_IDENTITY) {
        buf_addz(&b, "DROP IDENTITY");
        *vec_add(r->arena, &a->before) = b.p;
        return;
    }
    if (k->from->identity) {
        buf_fmt(&b, "SET GENERATED %s", k->to->identity == CAT_ALWAYS ? "ALWAYS" : "BY DEFAULT");
    } else {
        buf_addz(&b, "ADD");
        put_identity(r, &b, r->diff->to.catalog, k->to);
    }
    *vec_add(r->arena, &a->after) = b.p;
    const CatSequence *s = identity_sequence(r->diff->to.catalog, k->to);
    const char *start = s && !k->from->identity ? behind_rows(r, s) : NULL;
    if (start)
        *vec_add(r->arena, &a->after) = start;
}

static void
validate_not_null(Alter *a, const CatColumn *y)
{
    *vec_add(a->r->arena, &a->after) =
        str_fmt(a->r->arena, "ALTER TABLE %s VALIDATE CONSTRAINT %s", a->table,
                ident_text(a->r, not_null_name(a->r, &y->id, y->not_null_name)));
}

/* The constraint behind NOT NULL (18), which stays where it can. */
static void
alter_not_null(Alter *a, const ColumnChange *k)
{
    Render *r = a->r;
    const CatColumn *x = k->from, *y = k->to;
    const char *was = not_null_name(r, &x->id, x->not_null_name);
    const char *name = not_null_name(r, &y->id, y->not_null_name);
    if (x->is_not_null_inherited || y->is_not_null_inherited)
        return; /* only the comment is its own */
    if (y->is_not_null_unchecked && !x->is_not_null_unchecked) {
        *vec_add(r->arena, &a->after) =
            str_fmt(r->arena, "ALTER TABLE %s ALTER COLUMN %s DROP NOT NULL", a->table,
                    ident_text(r, y->id.sub));
        *vec_add(r->arena, &a->after) =
            str_fmt(r->arena, "ALTER TABLE %s %s", a->table, set_not_null(r, y));
        return;
    }
    if (strcmp(was, name) != 0)
        *vec_add(r->arena, &a->after) =
            str_fmt(r->arena, "ALTER TABLE %s RENAME CONSTRAINT %s TO %s", a->table,
                    ident_text(r, was), ident_text(r, name));
    const char *inheritance = not_null_inheritance(r, a->table, x, y);
    if (inheritance)
        *vec_add(r->arena, &a->after) = inheritance;
    if (x->is_not_null_unchecked && !y->is_not_null_unchecked)
        validate_not_null(a, y);
}

static void
alter_column(Alter *a, const ColumnChange *k)
{
    Buf *b = &a->clauses, *own = a->only == a->table ? b : &a->own;
    if (k->fields & COLUMN_VALIDATED)
        validate_not_null(a, k->to);
    else if (k->fields & COLUMN_NOT_NULL && !(k->fields & COLUMN_NULLABLE))
        alter_not_null(a, k);
    if (k->fields & COLUMN_EXPRESSION)
        *vec_add(a->r->arena, &a->before) =
            str_fmt(a->r->arena, "ALTER TABLE %s ALTER COLUMN %s SET EXPRESSION AS (%s)", a->only,
                    ident_text(a->r, k->to->id.sub), k->to->default_expr);
    if (k->fields & COLUMN_VALIDATED) {
        ; /* it comes with the parent's */
    } else if (k->fields & COLUMN_NULLABLE && k->to->is_not_null_unchecked) {
        if (!k->to->is_not_null_inherited)
            *vec_add(a->r->arena, &a->after) =
                str_fmt(a->r->arena, "ALTER TABLE %s %s", a->table, set_not_null(a->r, k->to));
    } else if (k->fields & COLUMN_NULLABLE && k->to->is_not_null) {
        buf_addz(clause(a), set_not_null(a->r, k->to));
    } else if (k->fields & COLUMN_NULLABLE) {
        alter_prefix(a, k);
        buf_addz(b, "DROP NOT NULL");
    }
    /* Before USING, which generated columns do not take. */
    if (k->fields & COLUMN_GENERATED)
        *vec_add(a->r->arena, &a->before) =
            str_fmt(a->r->arena, "ALTER TABLE %s ALTER COLUMN %s DROP EXPRESSION", a->table,
                    ident_text(a->r, k->to->id.sub));
    bool drops = k->fields & COLUMN_DEFAULT && !k->to->default_expr;
    if ((drops || k->is_default_in_the_way) && !(k->fields & COLUMN_GENERATED)) {
        Buf *where = k->is_default_in_the_way || k->fields & COLUMN_IDENTITY ? b : own;
        put_prefix(a, where, k);
        buf_addz(where, "DROP DEFAULT");
    }
    if (k->fields & COLUMN_IDENTITY)
        alter_identity(a, k);
    bool sets = k->fields & COLUMN_DEFAULT && k->to->default_expr;
    if (sets && !k->is_default_in_the_way) {
        put_prefix(a, own, k);
        buf_fmt(own, "SET DEFAULT %s", k->to->default_expr);
    }
    if (k->fields & COLUMN_TYPE)
        set_type(a, k);
    if (sets && k->is_default_in_the_way) {
        put_prefix(a, own, k);
        buf_fmt(own, "SET DEFAULT %s", k->to->default_expr);
    }
}

/* Before the columns that it is generated from, and comes back behind them. */
static bool
goes_first(const Alter *a, const ColumnChange *k)
{
    return !a->r->compat && k->op != COLUMN_ADD && k->op != COLUMN_ALTER && k->from->generated &&
           !k->is_let_go;
}

static void
drop_column(Alter *a, const ColumnChange *k)
{
    buf_addz(clause(a), "DROP COLUMN ");
    put_ident(a->r, &a->clauses, k->from->id.sub);
}

static void
column_clauses(Alter *a, const ColumnChange *k)
{
    if ((k->op == COLUMN_DROP || k->op == COLUMN_RECREATE) && !k->is_let_go && !goes_first(a, k))
        drop_column(a, k);
    if (k->op == COLUMN_ADD || k->op == COLUMN_RECREATE) {
        /* Children get the column, but no identity. */
        bool is_later = k->to->identity && a->only != a->table;
        CatColumn plain = column_without_identity(k->to), none = plain;
        buf_addz(clause(a), "ADD COLUMN     ");
        put_column(a->r, &a->clauses, a->r->diff->to.catalog, is_later ? &plain : k->to);
        if (is_later)
            alter_identity(a, &(ColumnChange){.from = &none, .to = k->to});
    }
    if (k->op != COLUMN_ALTER)
        return;
    if (a->r->compat)
        alter_column_compat(a, k);
    else
        alter_column(a, k);
}

static void
add_key(Alter *a, const CatConstraint *k)
{
    buf_addz(clause(a), "ADD CONSTRAINT ");
    put_ident(a->r, &a->clauses, k->id.sub);
    buf_addc(&a->clauses, ' ');
    put_constraint(a->r, &a->clauses, k);
}

static void
rename_key(Alter *a, bool as_clause)
{
    const Change *c = a->change;
    if (!c->rename_key_from)
        return;
    const char *text = str_fmt(a->r->arena, "RENAME CONSTRAINT %s TO %s",
                               ident_text(a->r, c->rename_key_from->id.sub),
                               ident_text(a->r, c->rename_key_to->id.sub));
    if (as_clause)
        buf_addz(clause(a), text);
    else
        statement(a->r, "ALTER TABLE %s %s", a->table, text);
}

void
render_alter_table(Render *r, const Change *c)
{
    Alter a = {.r = r, .change = c, .table = name_text(r, &c->to->id)};
    bool rename_inside = r->compat && r->diff->options.prisma == 6;
    buf_init(&a.clauses, r->arena);
    buf_init(&a.own, r->arena);
    a.only = has_children(r, &c->to->id) ? str_fmt(r->arena, "ONLY %s", a.table) : a.table;
    if (c->drop_key) {
        buf_addz(clause(&a), "DROP CONSTRAINT ");
        put_ident(r, &a.clauses, c->drop_key->id.sub);
    }
    if (rename_inside)
        rename_key(&a, true);
    vec_each (const ColumnChange, k, &c->columns)
        if (goes_first(&a, k))
            drop_column(&a, k);
    vec_each (const ColumnChange, k, &c->columns)
        if (!goes_first(&a, k))
            column_clauses(&a, k);
    vec_each (const ColumnChange, k, &c->columns)
        if (goes_first(&a, k))
            column_clauses(&a, k);
    if (c->add_key)
        add_key(&a, c->add_key);
    vec_each (const char *, text, &a.before)
        statement(r, "%s", *text);
    if (a.clauses.n)
        statement(r, "ALTER TABLE %s %s", a.table, a.clauses.p);
    if (a.own.n)
        statement(r, "ALTER TABLE %s %s", a.only, a.own.p);
    if (!rename_inside)
        rename_key(&a, false);
    vec_each (const char *, text, &a.after)
        statement(r, "%s", *text);
    if (r->compat)
        return;
    if (r->diff->options.prisma_kinds) {
        if (c->is_aside)
            table_state(r, (const CatRelation *)c->from, (const CatRelation *)c->to);
        vec_each (const ColumnChange, k, &c->columns)
            if (k->op == COLUMN_RECREATE)
                render_attributes(r, NULL, (const CatObject *)k->to);
        return;
    }
    if (c->add_key)
        render_attributes(r, NULL, (const CatObject *)c->add_key);
    vec_each (const ColumnChange, k, &c->columns)
        if (k->to)
            altered_storage(r, a.only, k);
    const CatRelation *x = (const CatRelation *)c->from, *y = (const CatRelation *)c->to;
    table_parents(r, x, y);
    table_state(r, x, y);
    render_attributes(r, c->from, c->to);
    /* A new owner changes what columns grant, too. */
    if (!cat_same_text(x->owner, y->owner))
        cat_each (CatColumn, column, &y->columns) {
            const CatColumn *was = catalog_column(x, column->id.sub);
            if (was && (was->grants.n || column->grants.n))
                render_attributes(r, (const CatObject *)was, (const CatObject *)column);
        }
    vec_each (const ColumnChange, k, &c->columns)
        if (k->to)
            render_attributes(r, k->op == COLUMN_ALTER ? (const CatObject *)k->from : NULL,
                              (const CatObject *)k->to);
}
