/* Comparing two columns. */
#include "diff/diff_int.h"

#include <ctype.h>
#include <stdlib.h>

/* ---- sequences ----------------------------------------------------------------------------- */

static bool
draws_from_sequence(const CatColumn *column)
{
    return column->default_expr && strncmp(column->default_expr, "nextval(", 8) == 0;
}

static bool
belongs_to(const CatSequence *s, const CatColumn *column)
{
    return cat_same_text(s->owner_column, column->id.sub) &&
           cat_same_text(s->owner_table.name, column->id.name) &&
           cat_same_text(s->owner_table.schema, column->id.schema);
}

const CatSequence *
diff_serial(Arena *a, const Catalog *c, const CatColumn *column)
{
    if (!draws_from_sequence(column) || !column->is_not_null || column->type.is_array ||
        column->type.schema)
        return NULL;
    const char *type = column->type.name;
    if (strcmp(type, "int2") != 0 && strcmp(type, "int4") != 0 && strcmp(type, "int8") != 0)
        return NULL;
    const CatSequence *s =
        catalog_find(c, (CatRef){CAT_SEQUENCE, column->id.schema,
                                 catalog_serial_name(a, column->id.name, column->id.sub), NULL});
    if (!s || s->is_identity || !belongs_to(s, column))
        return NULL;
    CatSequence usual = *s;
    catalog_sequence_init(&usual, column->type);
    bool same = catalog_type_same(&s->type, &usual.type) && s->start == usual.start &&
                s->increment == usual.increment && s->min == usual.min && s->max == usual.max &&
                s->cache == usual.cache && !s->is_cycle && !s->is_unlogged;
    return same ? s : NULL;
}

static bool
column_is_serial(const CatColumn *column)
{
    return draws_from_sequence(column) || column->identity != CAT_NO_IDENTITY;
}

/* ---- defaults ------------------------------------------------------------------------------ */

typedef enum DefaultKind {
    DEFAULT_NONE,
    DEFAULT_UNKNOWN, /* dbgenerated() */
    DEFAULT_SEQUENCE,
    DEFAULT_NOW,
    DEFAULT_VALUE,
    DEFAULT_LIST,
    DEFAULT_EXPR,
} DefaultKind;

/* A text that is one quoted literal, or a number, or a boolean. */
static bool
is_literal(const char *s)
{
    if (*s == '\'') {
        for (s++; *s; s++)
            if (*s == '\'' && *++s != '\'')
                return !*s;
        return false;
    }
    if (strcmp(s, "true") == 0 || strcmp(s, "false") == 0)
        return true;
    if (*s == '-')
        s++;
    bool digits = false;
    for (; isdigit((unsigned char)*s) || *s == '.'; s++)
        digits = true;
    return digits && !*s;
}

/* 'x'::text, '1'::integer: the literal without its cast, as Prisma's describer reads it. */
static const char *
without_cast(Arena *a, const char *s)
{
    const char *cast = strstr(s, "::");
    for (const char *next; cast && (next = strstr(cast + 2, "::"));)
        cast = next;
    if (!cast)
        return s;
    const char *plain = str_dup(a, (Str){s, (size_t)(cast - s)});
    return is_literal(plain) ? plain : s;
}

static DefaultKind
default_kind(const CatRefs *any, const CatColumn *c, const char *expr)
{
    if (refs_have(any, &c->id))
        return DEFAULT_UNKNOWN;
    if (c->identity)
        return DEFAULT_SEQUENCE;
    if (!expr)
        return DEFAULT_NONE;
    if (draws_from_sequence(c))
        return DEFAULT_SEQUENCE;
    if (strcmp(expr, "CURRENT_TIMESTAMP") == 0 || strcmp(expr, "now()") == 0)
        return DEFAULT_NOW;
    if (strncmp(expr, "ARRAY[", 6) == 0)
        return DEFAULT_LIST;
    return is_literal(expr) ? DEFAULT_VALUE : DEFAULT_EXPR;
}

static bool
is_type(const CatColumn *c, const char *const *names)
{
    for (; *names; names++)
        if (!c->type.schema && strcmp(c->type.name, *names) == 0)
            return true;
    return false;
}

static bool
is_datetime(const CatColumn *c)
{
    static const char *const names[] = {"timestamp", "timestamptz", "date", "time", "timetz", NULL};
    return is_type(c, names);
}

static bool
same_value(Arena *a, const CatColumn *x, const CatColumn *y, const char *p, const char *q)
{
    static const char *const json[] = {"json", "jsonb", NULL};
    if (is_datetime(x) || is_datetime(y))
        return true; /* Prisma can't compare these */
    if (*p == '\'' && *q == '\'' && is_type(x, json) && is_type(y, json))
        return strcmp(json_squeezed(a, p), json_squeezed(a, q)) == 0;
    static const char *const integers[] = {"int2", "int4", "int8", "oid", NULL};
    if (*p != '\'' && *q != '\'')
        return is_type(x, integers) == is_type(y, integers) &&
               str_eq(number_trimmed(p), number_trimmed(q));
    return strcmp(p, q) == 0;
}

/* The rules of Prisma's engine (sql_schema_differ/column.rs). */
static bool
same_default_compat(Differ *d, const CatColumn *x, const CatColumn *y)
{
    const char *p = x->default_expr, *q = y->default_expr;
    if (p && !d->options->from_is_written) {
        if (same_list(d->arena, p, q))
            return true;
        p = without_cast(d->arena, p);
        /* '-1'::integer */
        if (*p == '\'' && q && *q == '-')
            p = str_dup(d->arena, str_slice(str_of(p), 1, strlen(p) - 1));
    }
    DefaultKind from = default_kind(d->diff->from.any_default, x, p);
    DefaultKind to = default_kind(d->diff->to.any_default, y, q);
    if (from == DEFAULT_VALUE && is_datetime(x))
        return to != DEFAULT_NONE;
    if (to == DEFAULT_VALUE && is_datetime(y))
        return from != DEFAULT_NONE;
    if (from == DEFAULT_NONE)
        return to == DEFAULT_NONE || to == DEFAULT_SEQUENCE || to == DEFAULT_UNKNOWN;
    if (from == DEFAULT_UNKNOWN && to != DEFAULT_UNKNOWN)
        return to == DEFAULT_SEQUENCE;
    if (to == DEFAULT_UNKNOWN || to == DEFAULT_SEQUENCE)
        return true;
    if (from == DEFAULT_SEQUENCE)
        return to == DEFAULT_NONE;
    if (from != to)
        return false;
    if (from == DEFAULT_NOW)
        return true;
    if (from == DEFAULT_VALUE)
        return same_value(d->arena, x, y, p, q);
    /* Lists are compared by their elements, not by the type behind them. */
    if (from == DEFAULT_LIST) {
        const char *end_p = strstr(p, "]::"), *end_q = strstr(q, "]::");
        return is_datetime(x) || str_eq((Str){p, end_p ? (size_t)(end_p - p) : strlen(p)},
                                        (Str){q, end_q ? (size_t)(end_q - q) : strlen(q)});
    }
    return str_ieq(str_of(p), str_of(q));
}

static bool
same_default(Differ *d, const CatColumn *x, const CatColumn *y)
{
    if (d->compat)
        return same_default_compat(d, x, y);
    if (refs_have(d->diff->to.any_default, &y->id) || (d->in_words && words_default_same(d, x, y)))
        return true;
    /* Another sequence of its own does the same, where a schema only says "serial". */
    if (d->prisma_kinds && draws_from_sequence(x) && draws_from_sequence(y) &&
        map_has(&d->owned_from, ref_key(d->arena, &x->id)) &&
        map_has(&d->owned_to, ref_key(d->arena, &y->id)))
        return true;
    return cat_same_text(x->default_expr, y->default_expr) ||
           (d->prisma_kinds && x->type.is_array && y->type.is_array &&
            same_list(d->arena, x->default_expr, y->default_expr));
}

/* ---- the column ---------------------------------------------------------------------------- */

typedef enum Arity { REQUIRED, NULLABLE, LIST } Arity;

static Arity
arity(const CatColumn *c)
{
    return c->type.is_array ? LIST : c->is_not_null ? REQUIRED : NULLABLE;
}

static void
compare_compat(Differ *d, ColumnChange *c)
{
    const CatColumn *x = c->from, *y = c->to;
    bool was_enum = type_is_enum(d->from, &x->type), is_enum = type_is_enum(d->to, &y->type);
    bool same_enum = was_enum && is_enum && cat_same_text(x->type.name, y->type.name) &&
                     cat_same_text(x->type.schema, y->type.schema);
    c->cast = same_enum             ? CAST_NONE
              : was_enum || is_enum ? CAST_IMPOSSIBLE
                                    : diff_cast(&x->type, &y->type);
    if (arity(x) != arity(y))
        c->fields |= COLUMN_NULLABLE;
    if (c->cast != CAST_NONE)
        c->fields |= COLUMN_TYPE;
    if (!same_default(d, x, y))
        c->fields |= COLUMN_DEFAULT;
    if (column_is_serial(x) != column_is_serial(y))
        c->fields |= COLUMN_SEQUENCE;
}

static bool
is_one_of(const char *name, const char *const *names)
{
    for (; *names; names++)
        if (strcmp(name, *names) == 0)
            return true;
    return false;
}

/* An old composite type and the one that it made room for. */
static bool
made_room(const Differ *d, const CatType *from, const CatType *to)
{
    if (!from->schema || from->is_array != to->is_array)
        return false;
    const CatRef old = {CAT_COMPOSITE, from->schema, from->name, NULL};
    const CatObject *now = type_made_room(d, &old);
    return now && cat_same_text(now->id.schema, to->schema) && strcmp(now->id.name, to->name) == 0;
}

/* Whether a virtual column can get its new expression in place: PostgreSQL refuses where it would have to look at the
 * rows. */
static bool
expression_is_set(const Differ *d, const CatColumn *x, const CatColumn *y)
{
    if (x->generated != CAT_VIRTUAL || y->generated != CAT_VIRTUAL || x->is_not_null ||
        y->is_not_null)
        return false;
    const CatRelation *t = catalog_relation(d->from, x->id.schema, x->id.name);
    if (t)
        cat_each (CatConstraint, k, &t->constraints)
            if (k->type == CAT_CHECK)
                return false;
    return t != NULL;
}

/* Without the domains around it, or around what a list holds: those are cast as their base is. */
static CatType
type_for_cast(const Catalog *c, const CatType *t)
{
    CatType element = *t;
    element.is_array = false;
    CatType base = *type_behind_domains(c, &element);
    if (t->is_array && base.is_array)
        return *t; /* a domain over lists */
    base.is_array = base.is_array || t->is_array;
    return base;
}

static void
compare_exact(Differ *d, ColumnChange *c)
{
    static const char *const stored[] = {"statistics", "options", "storage", "compression", NULL};
    const CatColumn *x = c->from, *y = c->to;
    CatColumn from = *x, to = *y;
    if (d->in_words) {
        from.type = words_type(d->arena, d->from, x->type);
        to.type = words_type(d->arena, d->to, y->type);
    }
    from.type = type_for_cast(d->from, &from.type);
    to.type = type_for_cast(d->to, &to.type);
    c->cast = cast_choose(&from, &to, d->from, d->to, &c->cast_using);
    if (!d->prisma_kinds && made_room(d, &from.type, &to.type)) {
        c->cast = CAST_SAFE;
        c->cast_using = USING_CAST;
    } else if (c->cast == CAST_NONE && !d->in_words && !catalog_type_same(&x->type, &y->type)) {
        c->cast = CAST_RISKY; /* by what a domain wants */
    }
    if (c->cast != CAST_NONE)
        c->fields |= COLUMN_TYPE;
    /* A list is never NOT NULL in Prisma's schemas, which says nothing about the database. */
    if (x->is_not_null != y->is_not_null &&
        !(d->prisma_kinds && y->type.is_array && x->type.is_array))
        c->fields |= COLUMN_NULLABLE;
    bool generated_changed = x->generated != y->generated;
    if (!same_default(d, x, y) && !(x->generated && y->generated && d->prisma_kinds)) {
        if (y->generated || (x->generated && generated_changed))
            generated_changed = true;
        else
            c->fields |= COLUMN_DEFAULT;
    }
    if (d->prisma_kinds) {
        /* What else there is is not Prisma's business. Identity and generated columns answer to
         * autoincrement() and dbgenerated(), in a way. */
        if (x->identity || x->generated)
            c->fields &= ~(unsigned)COLUMN_DEFAULT;
    } else {
        CatTexts changes = catalog_changes(d->arena, x, y, &d->rules);
        vec_each (const char *, name, &changes) {
            if (is_one_of(*name, stored)) {
                *vec_add(d->arena, &c->names) = *name;
                c->fields |= COLUMN_STORAGE;
            } else if (strcmp(*name, "collation") == 0) {
                c->fields |= COLUMN_TYPE;
                if (c->cast == CAST_NONE)
                    c->cast = CAST_SAFE;
            } else if (strcmp(*name, "identity") == 0) {
                c->fields |= COLUMN_IDENTITY;
            } else if (strcmp(*name, "comment") == 0) {
                c->fields |= COLUMN_COMMENT;
            } else if (strcmp(*name, "grants") == 0) {
                c->fields |= COLUMN_GRANTS;
            }
        }
        if (not_null_differs(d, x, y))
            c->fields |= COLUMN_NOT_NULL;
        if (not_null_is_validated(d, x, y))
            c->fields |= COLUMN_VALIDATED;
        if (generated_changed) {
            c->fields &= ~(unsigned)COLUMN_DEFAULT;
            if (!(c->fields & COLUMN_TYPE) && expression_is_set(d, x, y))
                c->fields |= COLUMN_EXPRESSION;
            else if (y->generated || x->generated == CAT_VIRTUAL)
                c->cast = CAST_IMPOSSIBLE; /* only a new column can be generated */
            else
                c->fields |= COLUMN_GENERATED | (y->default_expr ? COLUMN_DEFAULT : 0);
            if (c->cast == CAST_IMPOSSIBLE)
                c->fields |= COLUMN_TYPE;
        }
        /* Values that are made of others are made again. */
        if (x->generated && y->generated && c->cast_using != USING_NOTHING)
            c->cast = CAST_IMPOSSIBLE;
    }
    /* Defaults are cast like values, without USING. */
    c->is_default_in_the_way = c->cast_using != USING_NOTHING && x->default_expr && !x->generated;
    if (c->is_default_in_the_way && y->default_expr)
        c->fields |= COLUMN_DEFAULT;
    /* A literal that stays takes its new type only when it is set again. */
    if (c->fields & COLUMN_TYPE && y->default_expr && !y->generated && !draws_from_sequence(y) &&
        strcmp(x->type.name, y->type.name) != 0)
        c->fields |= COLUMN_DEFAULT;
}

bool
column_compare(Differ *d, const CatColumn *from, const CatColumn *to, ColumnChange *ret)
{
    *ret = (ColumnChange){.op = COLUMN_ALTER, .from = from, .to = to};
    if (d->compat)
        compare_compat(d, ret);
    else
        compare_exact(d, ret);
    if (ret->cast == CAST_IMPOSSIBLE)
        ret->op = COLUMN_RECREATE;
    return ret->fields != 0;
}
