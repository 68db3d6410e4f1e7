/* CREATE, ALTER and DROP TABLE. */
#include "render/render_int.h"

static const CatConstraint *
primary_key(const CatRelation *t)
{
    cat_each (CatConstraint, k, &t->constraints)
        if (k->type == CAT_PRIMARY_KEY)
            return k;
    return NULL;
}

/* ---- what tables have beside columns --------------------------------------------------------- */

static void
reset_options(Render *r, const char *table, const char *prefix, const CatTexts *from,
              const CatTexts *to)
{
    Buf set, reset;
    buf_init(&set, r->arena);
    buf_init(&reset, r->arena);
    vec_each (const char *, option, to) {
        const char *value = strchr(*option, '=');
        buf_fmt(&set, "%s%s%.*s=", set.n ? ", " : "", prefix, (int)(value - *option), *option);
        put_label(r, &set, value + 1);
    }
    vec_each (const char *, option, from) {
        size_t n = (size_t)(strchr(*option, '=') - *option) + 1;
        bool kept = false;
        vec_each (const char *, other, to)
            kept = kept || strncmp(*option, *other, n) == 0;
        if (!kept)
            buf_fmt(&reset, "%s%s%.*s", reset.n ? ", " : "", prefix, (int)n - 1, *option);
    }
    if (reset.n)
        statement(r, "ALTER TABLE %s RESET (%s)", table, reset.p);
    if (set.n)
        statement(r, "ALTER TABLE %s SET (%s)", table, set.p);
}

/* What CREATE TABLE leaves as it is: `from` is what the table has then. */
static void
table_state(Render *r, const CatRelation *from, const CatRelation *to)
{
    const char *table = name_text(r, &to->id);
    if (from->is_unlogged != to->is_unlogged)
        statement(r, "ALTER TABLE %s SET %s", table, to->is_unlogged ? "UNLOGGED" : "LOGGED");
    if (!cat_same_text(from->tablespace, to->tablespace))
        statement(r, "ALTER TABLE %s SET TABLESPACE %s", table,
                  to->tablespace ? ident_text(r, to->tablespace) : "pg_default");
    if (!cat_same_text(from->access_method, to->access_method))
        statement(r, "ALTER TABLE %s SET ACCESS METHOD %s", table,
                  to->access_method ? ident_text(r, to->access_method) : "heap");
    if (!cat_same_texts(&from->options, &to->options))
        reset_options(r, table, "", &from->options, &to->options);
    if (!cat_same_texts(&from->toast_options, &to->toast_options))
        reset_options(r, table, "toast.", &from->toast_options, &to->toast_options);
    /* What names an index comes when it is there. */
    if (from->replica_identity != to->replica_identity && to->replica_identity != 'i')
        statement(r, "ALTER TABLE %s REPLICA IDENTITY %s", table,
                  to->replica_identity == 'f'   ? "FULL"
                  : to->replica_identity == 'n' ? "NOTHING"
                                                : "DEFAULT");
    if (from->cluster_index && !to->cluster_index)
        statement(r, "ALTER TABLE %s SET WITHOUT CLUSTER", table);
    if (from->is_rls != to->is_rls)
        statement(r, "ALTER TABLE %s %s ROW LEVEL SECURITY", table,
                  to->is_rls ? "ENABLE" : "DISABLE");
    if (from->is_rls_forced != to->is_rls_forced)
        statement(r, "ALTER TABLE %s %s ROW LEVEL SECURITY", table,
                  to->is_rls_forced ? "FORCE" : "NO FORCE");
}

static bool
has_name(const CatNames *list, const CatName *name)
{
    vec_each (const CatName, n, list)
        if (cat_same_text(n->schema, name->schema) && strcmp(n->name, name->name) == 0)
            return true;
    return false;
}

static void
parents(Render *r, const CatRelation *from, const CatRelation *to)
{
    const char *table = name_text(r, &to->id);
    bool moved = !cat_same_text(from->partition_of.name, to->partition_of.name) ||
                 !cat_same_text(from->partition_bound, to->partition_bound);
    Buf b;
    buf_init(&b, r->arena);
    if (moved && from->partition_of.name) {
        put_name(r, &b, from->partition_of.schema, from->partition_of.name);
        statement(r, "ALTER TABLE %s DETACH PARTITION %s", b.p, table);
    }
    buf_clear(&b);
    if (moved && to->partition_of.name) {
        put_name(r, &b, to->partition_of.schema, to->partition_of.name);
        statement(r, "ALTER TABLE %s ATTACH PARTITION %s %s", b.p, table, to->partition_bound);
    }
    vec_each (const CatName, parent, &from->inherits)
        if (!has_name(&to->inherits, parent))
            statement(r, "ALTER TABLE %s NO INHERIT %s", table,
                      name_text(r, &(CatRef){CAT_TABLE, parent->schema, parent->name, NULL}));
    vec_each (const CatName, parent, &to->inherits)
        if (!has_name(&from->inherits, parent))
            statement(r, "ALTER TABLE %s INHERIT %s", table,
                      name_text(r, &(CatRef){CAT_TABLE, parent->schema, parent->name, NULL}));
}

/* ---- columns ------------------------------------------------------------------------------- */

static const char *
storage_name(char c)
{
    return c == 'p' ? "PLAIN" : c == 'e' ? "EXTERNAL" : c == 'm' ? "MAIN" : "EXTENDED";
}

/* The type's own, which SET STORAGE has no word for before version 16 (pg_type.typstorage). */
static char
storage_of_type(const Render *r, const CatType *type)
{
    const CatDomain *domain;
    while (!type->is_array && type->schema &&
           (domain = catalog_find(r->diff->to.catalog,
                                  (CatRef){CAT_DOMAIN, type->schema, type->name, NULL})))
        type = &domain->type;
    bool is_main = strcmp(type->name, "numeric") == 0 || strcmp(type->name, "inet") == 0 ||
                   strcmp(type->name, "cidr") == 0;
    return is_main && !type->is_array && !type->schema ? 'm' : 'x';
}

/* Storage, compression, statistics and options, where they differ. */
static void
column_storage(Render *r, const char *table, const CatColumn *from, const CatColumn *to)
{
    const char *name = ident_text(r, to->id.sub);
    char was = from ? from->storage : 0, compressed = from ? from->compression : 0;
    const char *target = from ? from->statistics : NULL;
    if (was != to->storage)
        statement(r, "ALTER TABLE %s ALTER COLUMN %s SET STORAGE %s", table, name,
                  storage_name(to->storage ? to->storage : storage_of_type(r, &to->type)));
    if (compressed != to->compression)
        statement(r, "ALTER TABLE %s ALTER COLUMN %s SET COMPRESSION %s", table, name,
                  to->compression == 'l'   ? "lz4"
                  : to->compression == 'p' ? "pglz"
                                           : "default");
    if (!cat_same_text(target, to->statistics))
        statement(r, "ALTER TABLE %s ALTER COLUMN %s SET STATISTICS %s", table, name,
                  to->statistics ? to->statistics : "-1");
    static const CatTexts none;
    const CatTexts *options = from ? &from->options : &none;
    if (cat_same_texts(options, &to->options))
        return;
    Buf b;
    buf_init(&b, r->arena);
    vec_each (const char *, option, options)
        buf_fmt(&b, "%s%.*s", b.n ? ", " : "", (int)(strchr(*option, '=') - *option), *option);
    if (b.n)
        statement(r, "ALTER TABLE %s ALTER COLUMN %s RESET (%s)", table, name, b.p);
    buf_clear(&b);
    vec_each (const char *, option, &to->options)
        buf_fmt(&b, "%s%s", b.n ? ", " : "", *option);
    if (b.n)
        statement(r, "ALTER TABLE %s ALTER COLUMN %s SET (%s)", table, name, b.p);
}

/* For partitions, which get an identity when they are attached, and for parents. */
static CatColumn
without_identity(const CatColumn *column)
{
    CatColumn plain = *column;
    plain.identity = CAT_NO_IDENTITY;
    return plain;
}

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
is_child(const CatRelation *t, const CatRef *parent)
{
    if (cat_same_text(t->partition_of.name, parent->name) &&
        cat_same_text(t->partition_of.schema, parent->schema))
        return true;
    vec_each (const CatName, name, &t->inherits)
        if (strcmp(name->name, parent->name) == 0 && cat_same_text(name->schema, parent->schema))
            return true;
    return false;
}

static bool
has_children(const Render *r, const CatRef *table)
{
    if (r->diff->options.prisma_kinds)
        return false;
    cat_each (CatRelation, t, &r->diff->to.catalog->tables)
        if (is_child(t, table))
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
    if (!a->r->compat && k->to->collation.name) {
        buf_addz(b, " COLLATE ");
        put_name(a->r, b, k->to->collation.schema, k->to->collation.name);
    }
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
}

static void
alter_column(Alter *a, const ColumnChange *k)
{
    Buf *b = &a->clauses, *own = a->only == a->table ? b : &a->own;
    if (k->fields & COLUMN_NULLABLE && k->to->is_not_null_unchecked) {
        *vec_add(a->r->arena, &a->after) =
            str_fmt(a->r->arena, "ALTER TABLE %s ADD NOT NULL %s NOT VALID", a->table,
                    ident_text(a->r, k->to->id.sub));
    } else if (k->fields & COLUMN_NULLABLE) {
        alter_prefix(a, k);
        buf_addz(b, k->to->is_not_null ? "SET NOT NULL" : "DROP NOT NULL");
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

static void
column_clauses(Alter *a, const ColumnChange *k)
{
    if (k->op == COLUMN_DROP || k->op == COLUMN_RECREATE) {
        buf_addz(clause(a), "DROP COLUMN ");
        put_ident(a->r, &a->clauses, k->from->id.sub);
    }
    if (k->op == COLUMN_ADD || k->op == COLUMN_RECREATE) {
        /* Children get the column, but no identity. */
        bool is_later = k->to->identity && a->only != a->table;
        CatColumn plain = without_identity(k->to), none = plain;
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

static void
alter_table(Render *r, const Change *c)
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
    if (r->diff->options.prisma_kinds || r->compat)
        return;
    vec_each (const ColumnChange, k, &c->columns)
        if (k->to)
            altered_storage(r, a.only, k);
    const CatRelation *x = (const CatRelation *)c->from, *y = (const CatRelation *)c->to;
    parents(r, x, y);
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

/* ---- new tables ---------------------------------------------------------------------------- */

static void
put_body(Render *r, Buf *b, const CatRelation *t)
{
    bool first = true, is_partition = t->partition_of.name;
    buf_addz(b, " (\n");
    cat_each (CatColumn, column, &t->columns) {
        if (column->is_inherited && !is_partition)
            continue;
        CatColumn plain = without_identity(column);
        buf_addz(b, first ? "    " : ",\n    ");
        put_column(r, b, r->diff->to.catalog, is_partition ? &plain : column);
        first = false;
    }
    const CatConstraint *pk = primary_key(t);
    if (pk && (!pk->is_inherited || is_partition)) {
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
    if (column->is_not_null && !of->is_not_null)
        statement(r, "ALTER TABLE %s ALTER COLUMN %s SET NOT NULL", table, name);
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
        if (column->is_not_null_unchecked)
            statement(r, "ALTER TABLE %s ADD NOT NULL %s NOT VALID", name,
                      ident_text(r, column->id.sub));
    }
    render_attributes(r, NULL, (const CatObject *)t);
    cat_each (CatColumn, column, &t->columns)
        render_attributes(r, NULL, (const CatObject *)column);
}

void
render_renamed_column(Render *r, const Change *c)
{
    r->step->title = "RenameColumn";
    statement(r, "ALTER TABLE %s RENAME COLUMN %s TO %s", name_text(r, &c->to->id),
              ident_text(r, c->from->id.sub), ident_text(r, c->to->id.sub));
}

void
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
    r->step->title = is_view ? "AlterMaterializedView" : "AlterTable";
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
        r->step->title = "CreateTable";
        create_table(r, (const CatRelation *)c->to);
        break;
    case CHANGE_DROP:
        r->step->title = "DropTable";
        statement(r, "DROP TABLE %s", name_text(r, &c->from->id));
        break;
    case CHANGE_ALTER:
        r->step->title = "AlterTable";
        alter_table(r, c);
        break;
    case CHANGE_RENAME:
        r->step->title = "RenameTable";
        statement(r, "ALTER TABLE %s RENAME TO %s", name_text(r, &c->from->id),
                  ident_text(r, c->to->id.name));
        break;
    }
}
