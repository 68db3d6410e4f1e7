/* The statements of the two migrations. */
#include "expand/expand_int.h"

const char *
expand_ident(Arena *a, const char *name)
{
    Buf b;
    buf_init(&b, a);
    sql_add_ident(&b, name);
    return b.p;
}

const char *
expand_function(Arena *a, const char *table, const char *column)
{
    return catalog_name_with(a, str_fmt(a, "aramid_%s", table), str_fmt(a, "_%s", column));
}

static void
add_names(Buf *b, const CatTexts *names)
{
    for (size_t i = 0; i < names->n; i++) {
        buf_addz(b, i ? ", " : "");
        sql_add_ident(b, names->v[i]);
    }
}

static bool
is_not_null(const CatRelation *t, const CatTexts *columns)
{
    vec_each (const char *, name, columns) {
        const CatColumn *c = catalog_column(t, *name);
        if (!c || !c->is_not_null)
            return false;
    }
    return true;
}

bool
expand_has_key(const Expansion *x, Buf *b)
{
    cat_each (CatConstraint, k, &x->table->constraints)
        if (k->type == CAT_PRIMARY_KEY) {
            add_names(b, &k->columns);
            return true;
        }
    cat_each (CatConstraint, k, &x->table->constraints)
        if (k->type == CAT_UNIQUE && !k->is_deferrable && is_not_null(x->table, &k->columns)) {
            add_names(b, &k->columns);
            return true;
        }
    cat_each (CatIndex, i, &x->table->indexes) {
        CatTexts columns = {0};
        bool is_plain = i->is_unique && !i->method && !i->predicate && !i->is_invalid;
        for (size_t k = 0; is_plain && k < i->keys.n; k++) {
            is_plain = i->keys.v[k].column != NULL;
            *vec_add(x->arena, &columns) = i->keys.v[k].column;
        }
        if (is_plain && is_not_null(x->table, &columns)) {
            add_names(b, &columns);
            return true;
        }
    }
    return false;
}

void
expand_add_columns(const Expansion *x, Buf *b)
{
    vec_each (const ExpandColumn, m, &x->made)
        buf_fmt(b, "ALTER TABLE %s ADD COLUMN %s %s;\n", x->where, expand_ident(x->arena, m->name),
                m->type);
}

/* ---- both alike -------------------------------------------------------------------------------- */

/* Types without an equality of their own are compared as texts. */
static bool
has_equality(const char *type)
{
    static const char *const none[] = {"json", "xml", "point", "polygon", "path", "box"};
    for (size_t i = 0; i < COUNT(none); i++)
        if (strcmp(type, none[i]) == 0)
            return false;
    return true;
}

static void
add_differs(Buf *b, const char *type, const char *x, const char *y)
{
    const char *cast = has_equality(type) ? "" : "::text";
    buf_fmt(b, "(%s)%s IS DISTINCT FROM (%s)%s", x, cast, y, cast);
}

/* An expression over a row of the trigger; a plain column needs no query. */
static const char *
over_new(const Expansion *x, const char *expr)
{
    Arena *a = x->arena;
    cat_each (CatColumn, c, &x->table->columns)
        if (strcmp(expr, expand_ident(a, c->id.sub)) == 0)
            return str_fmt(a, "NEW.%s", expr);
    vec_each (const ExpandColumn, m, &x->made)
        if (strcmp(expr, expand_ident(a, m->name)) == 0)
            return str_fmt(a, "NEW.%s", expr);
    return str_fmt(a, "(SELECT %s FROM (SELECT NEW.*) AS %s)", expr, x->alone);
}

static void
add_forward(const Expansion *x, Buf *b)
{
    vec_each (const ExpandColumn, m, &x->made)
        buf_fmt(b, "    NEW.%s := %s;\n", expand_ident(x->arena, m->name), over_new(x, m->expr));
}

static void
add_back(const Expansion *x, Buf *b)
{
    buf_fmt(b, "    NEW.%s := %s;\n", expand_ident(x->arena, x->column->id.sub),
            over_new(x, x->back));
}

/* All new columns are NULL: code that does not know them, or rows that are not filled yet. */
static void
add_is_empty(const Expansion *x, Buf *b)
{
    for (size_t i = 0; i < x->made.n; i++)
        buf_fmt(b, "%sNEW.%s IS NULL", i ? " AND " : "", expand_ident(x->arena, x->made.v[i].name));
}

static void
add_sync_body(const Expansion *x, Buf *b)
{
    Arena *a = x->arena;
    const char *old = expand_ident(a, x->column->id.sub);
    buf_addz(b, "  IF TG_OP = 'INSERT' THEN\n    IF ");
    add_is_empty(x, b);
    buf_addz(b, " THEN\n");
    add_forward(x, b);
    buf_addz(b, "    ELSE\n");
    add_back(x, b);
    buf_addz(b, "    END IF;\n  -- Who writes the new one wins; filling it changes nothing of the "
                "old one.\n"
                "  ELSIF (");
    for (size_t i = 0; i < x->made.n; i++) {
        const char *name = expand_ident(a, x->made.v[i].name);
        buf_addz(b, i ? " OR " : "");
        add_differs(b, x->made.v[i].type, str_fmt(a, "NEW.%s", name), str_fmt(a, "OLD.%s", name));
    }
    buf_addz(b, ")\n    AND (");
    for (size_t i = 0; i < x->made.n; i++) {
        buf_addz(b, i ? " OR " : "");
        add_differs(b, x->made.v[i].type, str_fmt(a, "NEW.%s", expand_ident(a, x->made.v[i].name)),
                    over_new(x, x->made.v[i].expr));
    }
    buf_addz(b, ") THEN\n");
    add_back(x, b);
    buf_addz(b, "  ELSIF ");
    add_differs(b, x->column->type.text, str_fmt(a, "NEW.%s", old), str_fmt(a, "OLD.%s", old));
    buf_addz(b, " OR (");
    add_is_empty(x, b);
    buf_addz(b, ") THEN\n");
    add_forward(x, b);
    buf_addz(b, "  END IF;\n");
}

void
expand_add_sync(const Expansion *x, Buf *b)
{
    Arena *a = x->arena;
    const CatRef *id = &x->table->id;
    Buf function;
    buf_init(&function, a);
    sql_add_name(&function, id->schema, x->function);
    buf_fmt(b,
            "CREATE FUNCTION %s() RETURNS trigger LANGUAGE plpgsql\n"
            "SET search_path = pg_catalog, %s, pg_temp AS $aramid$\nBEGIN\n",
            function.p, expand_ident(a, id->schema));
    if (x->kind == EXPAND_NOT_NULL) {
        const char *column = expand_ident(a, x->column->id.sub);
        buf_fmt(b, "  IF NEW.%s IS NULL THEN\n    NEW.%s := %s;\n  END IF;\n", column, column,
                over_new(x, x->value));
    } else {
        add_sync_body(x, b);
    }
    buf_fmt(
        b,
        "  RETURN NEW;\nEND\n$aramid$;\n"
        "CREATE TRIGGER %s BEFORE INSERT OR UPDATE ON %s\nFOR EACH ROW EXECUTE FUNCTION %s();\n",
        expand_ident(a, x->function), x->where, function.p);
}

void
expand_add_sync_gone(const Expansion *x, Buf *b)
{
    Buf function;
    buf_init(&function, x->arena);
    sql_add_name(&function, x->table->id.schema, x->function);
    buf_fmt(b, "DROP TRIGGER %s ON %s;\nDROP FUNCTION %s();\n", expand_ident(x->arena, x->function),
            x->where, function.p);
}

/* ---- what is there already ----------------------------------------------------------------------- */

static void
add_unlike(const Expansion *x, Buf *b)
{
    if (x->kind == EXPAND_NOT_NULL) {
        buf_fmt(b, "%s IS NULL", expand_ident(x->arena, x->column->id.sub));
        return;
    }
    for (size_t i = 0; i < x->made.n; i++) {
        buf_addz(b, i ? " OR " : "");
        add_differs(b, x->made.v[i].type, expand_ident(x->arena, x->made.v[i].name),
                    x->made.v[i].expr);
    }
}

void
expand_add_fill(const Expansion *x, Buf *b)
{
    buf_fmt(b, "-- aramid:batch\nUPDATE %s SET ", x->where);
    if (x->kind == EXPAND_NOT_NULL)
        buf_fmt(b, "%s = %s", expand_ident(x->arena, x->column->id.sub), x->value);
    for (size_t i = 0; i < x->made.n; i++)
        buf_fmt(b, "%s%s = %s", i ? ", " : "", expand_ident(x->arena, x->made.v[i].name),
                x->made.v[i].expr);
    buf_addz(b, "\nWHERE ");
    add_unlike(x, b);
    buf_addz(b, ";\n");
}

Str
expand_proof(const Expansion *x)
{
    Buf b;
    buf_init(&b, x->arena);
    buf_addz(&b, "SELECT ");
    (void)expand_has_key(x, &b);
    buf_fmt(&b, " FROM %s\nWHERE ", x->where);
    add_unlike(x, &b);
    return buf_str(&b);
}

void
expand_add_proof(Buf *b, Str proof)
{
    buf_addz(b, "-- aramid:prove\n");
    buf_add(b, proof);
    buf_addz(b, ";\n");
}

/* Without a scan under a lock: a check that is validated beside writers, and then stands for it. The proofs
 * keep its parts in transactions of their own. */
void
expand_add_not_null(const Expansion *x, Buf *b, const char *column, Str proof)
{
    Arena *a = x->arena;
    const char *name =
        catalog_name_with(a, str_fmt(a, "%s_%s", x->table->id.name, column), "_not_null_check");
    const char *check = expand_ident(a, name), *quoted = expand_ident(a, column);
    Buf table, q;
    buf_init(&table, a);
    buf_init(&q, a);
    sql_add_literal(&table, str_of(x->where));
    buf_addz(&q, "SELECT convalidated FROM pg_catalog.pg_constraint WHERE conname = ");
    sql_add_literal(&q, str_of(name));
    buf_fmt(&q, "\nAND conrelid = %s::pg_catalog.regclass", table.p);
    buf_fmt(b, "ALTER TABLE %s ADD CONSTRAINT %s CHECK (%s IS NOT NULL) NOT VALID;\n", x->where,
            check, quoted);
    expand_add_proof(b, proof);
    buf_fmt(b, "ALTER TABLE %s VALIDATE CONSTRAINT %s;\n", x->where, check);
    expand_add_proof(b, buf_str(&q));
    buf_fmt(b, "ALTER TABLE %s ALTER COLUMN %s SET NOT NULL;\nALTER TABLE %s DROP CONSTRAINT %s;\n",
            x->where, quoted, x->where, check);
}
