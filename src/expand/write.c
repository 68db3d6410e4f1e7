/* The first migration: what is asked for, whether it can be had, and its text. */
#include "expand/expand_int.h"

typedef struct Writer {
    const Catalog *catalog;
    const ExpandWish *wish;
    Expansion x;
    ExpandScript *ret;
    Err *err;
} Writer;

/* ---- its head --------------------------------------------------------------------------------- */

static void
add_head(Arena *a, Buf *b, const ExpandChange *c)
{
    buf_fmt(b, "-- aramid:expand %s %s.%s", expand_kind_name(c->kind), expand_ident(a, c->schema),
            expand_ident(a, c->table));
    if (c->column)
        buf_fmt(b, ".%s", expand_ident(a, c->column));
    vec_each (const char *, m, &c->made)
        buf_fmt(b, " %s", expand_ident(a, *m));
    buf_addc(b, '\n');
}

/* ---- what is asked for -------------------------------------------------------------------------- */

static bool
find_target(Writer *w)
{
    Arena *a = w->x.arena;
    bool of_table = w->wish->kind == EXPAND_RENAME_TABLE;
    const char *parts[3], *schema = w->wish->schema, *shown = w->wish->target;
    Str rest = str_of(shown);
    size_t n = cat_cut_path(a, &rest, parts, 3), wanted = of_table ? 1 : 2;
    if ((n != wanted && n != wanted + 1) || rest.n) {
        err_set(w->err, ERR_USAGE, "\"%s\" names no %s", shown, of_table ? "table" : "column");
        return err_hint(w->err,
                        of_table ? "TABLE or SCHEMA.TABLE" : "TABLE.COLUMN or SCHEMA.TABLE.COLUMN");
    }
    if (n > wanted)
        schema = parts[0];
    const char *table = parts[n - wanted], *column = of_table ? NULL : parts[n - 1];
    w->x.table = catalog_relation(w->catalog, schema, table);
    if (!w->x.table || w->x.table->id.kind != CAT_TABLE) {
        err_set(w->err, ERR_USAGE, "the migrations make no table \"%s\" in schema \"%s\"", table,
                schema);
        return err_hint(w->err, "as the database calls it, not as the schema's model is called");
    }
    w->x.column = column ? catalog_column(w->x.table, column) : NULL;
    if (column && !w->x.column)
        return err_set(w->err, ERR_USAGE, "table \"%s\" has no column \"%s\"", table, column);
    Buf b;
    buf_init(&b, a);
    sql_add_name(&b, schema, table);
    w->x.where = b.p;
    w->x.alone = expand_ident(a, table);
    w->ret->change =
        (ExpandChange){.kind = w->wish->kind, .schema = schema, .table = table, .column = column};
    return true;
}

static bool
refuse(Writer *w, ErrCode code, const char *why)
{
    const CatColumn *c = w->x.column;
    err_set(w->err, code, "%s%s%s%s of \"%s\" cannot be changed in this way: %s",
            c ? "column " : "", c ? "\"" : "", c ? c->id.sub : "the name", c ? "\"" : "",
            w->x.table->id.name, why);
    return err_detail(w->err, "nothing was written");
}

/* The form of the table and column, whatever uses them. */
static bool
check_form(Writer *w)
{
    const CatRelation *t = w->x.table;
    const CatColumn *c = w->x.column;
    Buf ignored;
    buf_init(&ignored, w->x.arena);
    if (t->inherits.n || t->partition_of.name || t->of_type.name)
        return refuse(w, ERR_IMPOSSIBLE, "the table is a part of another one, or of a type");
    bool makes = w->wish->kind != EXPAND_DROP_COLUMN && w->wish->kind != EXPAND_RENAME_TABLE;
    if (makes && !expand_has_key(&w->x, &ignored))
        return refuse(w, ERR_IMPOSSIBLE,
                      "the table has no primary key and no unique one, by which rows could be "
                      "changed in batches");
    if (!c)
        return true;
    if (c->generated)
        return refuse(w, ERR_IMPOSSIBLE, "it is generated from others");
    if (c->identity && w->wish->kind != EXPAND_DROP_COLUMN)
        return refuse(w, ERR_IMPOSSIBLE,
                      "it is an identity column, whose values come from its own sequence");
    cat_each (CatSequence, s, &w->catalog->sequences)
        if (makes && s->owner_column && strcmp(s->owner_column, c->id.sub) == 0 &&
            cat_same_text(s->owner_table.name, t->id.name) &&
            cat_same_text(s->owner_table.schema, t->id.schema))
            return refuse(w, ERR_IMPOSSIBLE, "a sequence belongs to it");
    if (makes && w->wish->kind != EXPAND_NOT_NULL && c->grants.n)
        return refuse(w, ERR_IMPOSSIBLE, "it has privileges of its own");
    return true;
}

static bool
check_new_name(Writer *w, const char *name)
{
    if (!name || !*name)
        return err_set(w->err, ERR_USAGE, "the new name is missing");
    if (strlen(name) > 63)
        return err_set(w->err, ERR_USAGE, "\"%s\" is longer than PostgreSQL's 63 bytes", name);
    if (w->x.column && catalog_column(w->x.table, name))
        return err_set(w->err, ERR_USAGE, "table \"%s\" has a column \"%s\" already",
                       w->x.table->id.name, name);
    if (!w->x.column && catalog_relation(w->catalog, w->x.table->id.schema, name))
        return err_set(w->err, ERR_USAGE, "there is a \"%s\" already", name);
    return true;
}

static bool
add_made(Writer *w, const char *name, const char *type, const char *expr)
{
    if (!check_new_name(w, name))
        return false;
    *vec_add(w->x.arena, &w->x.made) = (ExpandColumn){name, type, expr};
    *vec_add(w->x.arena, &w->ret->change.made) = name;
    return true;
}

/* "NAME TYPE = EXPRESSION" */
static bool
add_into(Writer *w, const char *text)
{
    Arena *a = w->x.arena;
    Str rest = str_trim(str_of(text));
    const char *name = cat_cut_name(a, &rest);
    Str type = str_trim(str_cut(&rest, '='));
    if (!name || !type.n || !rest.p || !str_trim(rest).n) {
        err_set(w->err, ERR_USAGE, "\"%s\" says no column, type and value", text);
        return err_hint(w->err, "--into \"first_name text = split_part(name, ' ', 1)\"");
    }
    return add_made(w, name, str_dup(a, type), str_dup(a, str_trim(rest)));
}

static const char *
typed(Writer *w, const CatColumn *c)
{
    Buf b;
    buf_init(&b, w->x.arena);
    buf_addz(&b, c->type.text);
    if (c->collation.name) {
        buf_addz(&b, " COLLATE ");
        sql_add_name(&b, c->collation.schema, c->collation.name);
    }
    return b.p;
}

static bool
take_type(Writer *w)
{
    Arena *a = w->x.arena;
    const ExpandWish *wish = w->wish;
    const char *old = w->x.column->id.sub;
    if (!wish->to || !*wish->to)
        return err_set(w->err, ERR_USAGE, "the new type is missing");
    Buf as;
    buf_init(&as, a);
    buf_fmt(&as, "%s_", old);
    expand_slug_add(&as, wish->to);
    const char *name = wish->as ? wish->as : as.p;
    const char *quoted = expand_ident(a, old);
    w->x.back = wish->back ? wish->back
                           : str_fmt(a, "%s::%s", expand_ident(a, name), w->x.column->type.text);
    return add_made(w, name, wish->to,
                    wish->using ? wish->using : str_fmt(a, "%s::%s", quoted, wish->to));
}

static bool
take_split(Writer *w)
{
    if (!w->wish->ninto || !w->wish->back) {
        err_set(w->err, ERR_USAGE,
                "a split needs the new columns, and the way back to the old one");
        return err_hint(
            w->err, "--into \"first_name text = split_part(name, ' ', 1)\" --into \"...\" --back "
                    "\"first_name || ' ' || last_name\"");
    }
    w->x.back = w->wish->back;
    for (size_t i = 0; i < w->wish->ninto; i++)
        if (!add_into(w, w->wish->into[i]))
            return false;
    return true;
}

static bool
take_not_null(Writer *w)
{
    const CatColumn *c = w->x.column;
    if (c->is_not_null)
        return refuse(w, ERR_USAGE, "it is NOT NULL already");
    w->x.value = w->wish->value ? w->wish->value : c->default_expr;
    if (w->x.value)
        return true;
    refuse(w, ERR_USAGE, "nobody said what NULL becomes, and the column has no default");
    return err_hint(w->err, "--value \"''\"");
}

static bool
take_wish(Writer *w)
{
    Arena *a = w->x.arena;
    switch (w->wish->kind) {
    case EXPAND_RENAME_COLUMN:
        w->x.back = w->wish->to ? expand_ident(a, w->wish->to) : "";
        return add_made(w, w->wish->to, typed(w, w->x.column),
                        expand_ident(a, w->x.column->id.sub));
    case EXPAND_CHANGE_TYPE:
        return take_type(w);
    case EXPAND_SPLIT:
        return take_split(w);
    case EXPAND_NOT_NULL:
        return take_not_null(w);
    case EXPAND_RENAME_TABLE:
        *vec_add(a, &w->ret->change.made) = w->wish->to;
        return check_new_name(w, w->wish->to);
    case EXPAND_DROP_COLUMN:
    case EXPAND_KIND_COUNT:
        break;
    }
    return true;
}

static bool
has_tag(const char *text)
{
    return text && strstr(text, "$aramid$");
}

/* What it stands in the way of: leaving the column, now or by the second migration. */
static bool
check_users(Writer *w)
{
    Arena *a = w->x.arena;
    bool stays = w->wish->kind == EXPAND_NOT_NULL || w->wish->kind == EXPAND_RENAME_TABLE;
    bool tagged = has_tag(w->x.back) || has_tag(w->x.value);
    vec_each (const ExpandColumn, m, &w->x.made)
        tagged = tagged || has_tag(m->expr);
    if (tagged)
        return refuse(w, ERR_USAGE, "an expression holds $aramid$, which quotes the function");
    const char *user =
        stays ? NULL : expand_user(a, w->catalog, &w->x, w->wish->kind == EXPAND_DROP_COLUMN);
    if (!user)
        return true;
    refuse(w, ERR_STILL_USED, str_fmt(a, "it is used by %s", user));
    return err_hint(w->err, "change or drop that in a migration first, then the same again");
}

/* ---- its text ----------------------------------------------------------------------------------- */

static bool
is_simple(const CatIndex *i, const char *column)
{
    bool uses = false, simple = !i->include.n && !i->predicate && !i->options.n &&
                                !i->is_nulls_not_distinct && !i->tablespace && !i->is_only;
    vec_each (const CatKey, k, &i->keys) {
        uses = uses || cat_same_text(k->column, column);
        simple = simple && k->column && !k->collation.name && !k->opclass.name;
    }
    return uses && simple;
}

static bool
mentions(const CatIndex *i, const char *column)
{
    bool uses = cat_has_text(&i->include, column);
    vec_each (const CatKey, k, &i->keys)
        uses = uses || cat_same_text(k->column, column);
    return uses;
}

static void
add_index(Writer *w, const CatIndex *i, const char *column)
{
    Arena *a = w->x.arena;
    const char *made = w->x.made.v[0].name,
               *name = catalog_name_with(a, i->id.name, str_fmt(a, "_%s", made));
    Buf b;
    buf_init(&b, a);
    buf_fmt(&b, "CREATE %sINDEX CONCURRENTLY %s ON %s USING %s (", i->is_unique ? "UNIQUE " : "",
            expand_ident(a, name), w->x.where, i->method ? i->method : "btree");
    for (size_t k = 0; k < i->keys.n; k++) {
        const CatKey *key = &i->keys.v[k];
        bool is_it = strcmp(key->column, column) == 0;
        buf_fmt(&b, "%s%s%s%s", k ? ", " : "", expand_ident(a, is_it ? made : key->column),
                key->is_desc ? " DESC" : "",
                !key->is_nulls_reversed ? ""
                : key->is_desc          ? " NULLS LAST"
                                        : " NULLS FIRST");
    }
    buf_addz(&b, ");\n");
    *vec_add(a, &w->ret->indexes) = b.p;
    *vec_add(a, &w->ret->index_names) = name;
}

static void
add_indexes(Writer *w)
{
    Arena *a = w->x.arena;
    const char *column = w->x.column->id.sub;
    cat_each (CatIndex, i, &w->x.table->indexes) {
        if (!mentions(i, column))
            continue;
        if (w->wish->kind != EXPAND_SPLIT && is_simple(i, column) && !w->x.table->partition_key)
            add_index(w, i, column);
        else
            *vec_add(a, &w->ret->notes) = str_fmt(
                a,
                "index \"%s\" has the old column: make its like yourself, in a migration of "
                "its own (CREATE INDEX CONCURRENTLY)",
                i->id.name);
    }
}

static void
write_table_rename(Writer *w, Buf *b)
{
    Arena *a = w->x.arena;
    const CatRelation *t = w->x.table;
    const char *to = expand_ident(a, w->wish->to);
    Buf now;
    buf_init(&now, a);
    sql_add_name(&now, t->id.schema, w->wish->to);
    buf_fmt(b, "ALTER TABLE %s RENAME TO %s;\n", w->x.where, to);
    buf_fmt(b,
            "-- For code that knows the old name: reads and writes go through.\n"
            "CREATE VIEW %s%s AS SELECT * FROM %s;\n",
            w->x.where, t->is_rls ? " WITH (security_invoker = true)" : "", now.p);
    vec_each (const CatGrant, g, &t->grants) {
        static const struct {
            char letter;
            const char *name;
        } all[] = {{'r', "SELECT"}, {'a', "INSERT"}, {'w', "UPDATE"}, {'d', "DELETE"}};
        for (size_t i = 0; i < COUNT(all); i++)
            if (strchr(g->privileges, all[i].letter))
                buf_fmt(b, "GRANT %s ON %s TO %s;\n", all[i].name, w->x.where,
                        g->role ? expand_ident(a, g->role) : "PUBLIC");
    }
}

static void
write_columns(Writer *w, Buf *b)
{
    Str proof = expand_proof(&w->x);
    expand_add_columns(&w->x, b);
    expand_add_sync(&w->x, b);
    expand_add_fill(&w->x, b);
    bool requires = w->wish->kind != EXPAND_SPLIT && w->wish->kind != EXPAND_NOT_NULL &&
                    w->x.column->is_not_null;
    if (requires)
        expand_add_not_null(&w->x, b, w->x.made.v[0].name, proof);
    else
        expand_add_proof(b, proof);
    if (w->wish->kind != EXPAND_NOT_NULL)
        add_indexes(w);
}

static void
write_sql(Writer *w, Buf *b)
{
    const CatColumn *c = w->x.column;
    add_head(w->x.arena, b, &w->ret->change);
    if (w->wish->kind == EXPAND_RENAME_TABLE) {
        write_table_rename(w, b);
    } else if (w->wish->kind != EXPAND_DROP_COLUMN) {
        write_columns(w, b);
    } else if (c->is_not_null && !c->default_expr) {
        buf_fmt(b, "ALTER TABLE %s ALTER COLUMN %s DROP NOT NULL;\n", w->x.where,
                expand_ident(w->x.arena, c->id.sub));
    } else {
        buf_addz(b, "-- Code may leave the column out already.\n");
    }
}

bool
expand_write(Arena *a, const Catalog *c, const ExpandWish *wish, ExpandScript *ret, Err *err)
{
    *ret = (ExpandScript){0};
    Writer w = {
        .catalog = c, .wish = wish, .x = {.arena = a, .kind = wish->kind}, .ret = ret, .err = err};
    if (!find_target(&w) || !check_form(&w) || !take_wish(&w))
        return false;
    w.x.function = expand_function(a, ret->change.table,
                                   ret->change.made.n ? ret->change.made.v[0] : ret->change.column);
    if (!check_users(&w))
        return false;
    ret->change.name = expand_change_name(a, &ret->change);
    Buf b;
    buf_init(&b, a);
    write_sql(&w, &b);
    ret->sql = buf_str(&b);
    return true;
}
