/* What a contract of Prisma 8 wants to be there, as rows and temporary tables for prisma8_promise.c. What
 * is compared, and what may be more, is as rc.13's verification has it. */
#include "history/prisma8_int.h"
#include "sqltext/sqltext.h"

static void
add_texts(Buf *b, const JsonTree *list)
{
    buf_addz(b, "ARRAY[");
    for (size_t i = 0; list && i < list->n; i++) {
        buf_addz(b, i ? "," : "");
        sql_add_literal(b, list->items[i].text);
    }
    buf_addz(b, "]::pg_catalog.text[]");
}

static Str
qualified(P8Promise *p, const char *schema, const char *name)
{
    Buf b;
    buf_init(&b, p->b->arena);
    sql_add_name(&b, schema, name);
    return buf_str(&b);
}

/* A row of what must be there: what it is, of which table, its name, its columns, and more. */
typedef struct Want {
    const char *kind;
    Str table, name;
    const JsonTree *columns;
    Str other;
    const JsonTree *others;
    const char *more, *less;
} Want;

static void
add_want(P8Promise *p, Want w)
{
    Buf *b = &p->want;
    buf_addz(b, b->n ? ",\n(" : "(");
    const Str texts[] = {str_of(w.kind), w.table, w.name};
    for (size_t i = 0; i < COUNT(texts); i++) {
        sql_add_literal(b, texts[i].p ? texts[i] : STR(""));
        buf_addc(b, ',');
    }
    add_texts(b, w.columns);
    buf_addc(b, ',');
    sql_add_literal(b, w.other.p ? w.other : STR(""));
    buf_addc(b, ',');
    add_texts(b, w.others);
    buf_addc(b, ',');
    sql_add_literal(b, str_of(w.more ? w.more : ""));
    buf_addc(b, ',');
    sql_add_literal(b, str_of(w.less ? w.less : ""));
    buf_addc(b, ')');
}

/* ---- columns -------------------------------------------------------------------------------- */

static void
add_number(Buf *b, const JsonTree *n)
{
    if (n && n->kind == JT_NUMBER)
        jt_write(b, n, 0);
}

/* The type, as SQL. *ret_loose: its modifier is not known here. */
static void
add_type(Buf *b, const JsonTree *types, const JsonTree *column, bool *ret_loose)
{
    const char *ref = jt_text(column, "typeRef");
    const JsonTree *own = ref ? jt_get(types, ref) : column;
    const JsonTree *params = jt_get(own, "typeParams");
    const char *native = jt_text(own, "nativeType"), *of_enum = jt_text(params, "typeName");
    const JsonTree *first = jt_get(params, "length");
    first = first ? first : jt_get(params, "precision");
    bool is_plain = native && !native[strspn(native, "abcdefghijklmnopqrstuvwxyz"
                                                     "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_ []")];
    if (of_enum || ref || !is_plain) {
        for (Str rest = str_of(native ? native : ""); rest.p;) {
            ARENA_LOCAL(scratch);
            sql_add_ident(b, str_dup(scratch, str_cut(&rest, '.')));
            buf_addz(b, rest.p ? "." : "");
        }
    } else
        buf_addz(b, native);
    if (!of_enum && first) {
        buf_addc(b, '(');
        add_number(b, first);
        if (jt_get(params, "scale")) {
            buf_addc(b, ',');
            add_number(b, jt_get(params, "scale"));
        }
        buf_addc(b, ')');
    }
    *ret_loose = !of_enum && params && params->n && !first;
    const JsonTree *many = jt_get(column, "many");
    if (many && many->truth)
        buf_addz(b, "[]");
}

static void
add_literal_value(Buf *b, const JsonTree *v)
{
    Buf json;
    switch (v->kind) {
    case JT_STRING:
        sql_add_literal(b, v->text);
        return;
    case JT_NULL:
    case JT_BOOL:
    case JT_NUMBER:
        jt_write(b, v, 0);
        return;
    case JT_ARRAY:
    case JT_OBJECT:
        break;
    }
    buf_init(&json, b->arena);
    jt_write(&json, v, 0);
    sql_add_literal(b, buf_str(&json));
}

/* What Prisma itself takes for an expression: nothing behind it. */
static bool
is_expression(const char *text)
{
    return !strchr(text, ';') && !strstr(text, "--") && !strstr(text, "/*") && !strchr(text, '$');
}

/* type: of the column, as SQL. */
static void
add_default(Buf *b, const JsonTree *column, Str type, const JsonTree *from)
{
    const char *kind = jt_text(from, "kind"), *expression = jt_text(from, "expression");
    const char *name = jt_text(from, "name");
    const JsonTree *value = jt_get(from, "value"), *many = jt_get(column, "many");
    if (kind && strcmp(kind, "sequence") == 0 && name) {
        Buf quoted;
        buf_init(&quoted, b->arena);
        sql_add_ident(&quoted, name);
        buf_addz(b, " DEFAULT pg_catalog.nextval(");
        sql_add_literal(b, buf_str(&quoted));
        buf_addz(b, "::pg_catalog.regclass)");
    } else if (expression && is_expression(expression)) {
        buf_fmt(b, " DEFAULT (%s)", expression);
    } else if (value && many && many->truth && value->kind == JT_ARRAY) {
        buf_addz(b, value->n ? " DEFAULT ARRAY[" : " DEFAULT '{}'");
        for (size_t i = 0; i < value->n; i++) {
            buf_addz(b, i ? "," : "");
            add_literal_value(b, &value->items[i]);
        }
        if (value->n)
            buf_fmt(b, "]::" STR_FMT, STR_ARG(type));
    } else if (value) {
        buf_addz(b, " DEFAULT ");
        add_literal_value(b, value);
    }
}

static bool
is_sequence(const JsonTree *from)
{
    const char *expression = jt_text(from, "expression");
    return expression && strcmp(expression, "autoincrement()") == 0;
}

static void
add_columns(P8Promise *p, Str table, const JsonTree *columns)
{
    Buf text, *b = &text;
    buf_init(b, p->tables.arena);
    buf_addz(&p->pairs, p->made ? ",(" : "(");
    sql_add_literal(&p->pairs, table);
    buf_fmt(&p->pairs, ",concat(place, '.aramid_contract_%d'))", p->made);
    buf_fmt(b, ".aramid_contract_%d (", p->made++);
    for (size_t i = 0; i < columns->n; i++) {
        const JsonTree *c = &columns->items[i], *nullable = jt_get(c, "nullable");
        const JsonTree *from = jt_get(c, "default");
        bool loose = false, counts = is_sequence(from);
        buf_addz(b, i ? ", " : "");
        sql_add_ident(b, columns->keys[i].p);
        buf_addc(b, ' ');
        size_t at = b->n;
        add_type(b, p->types, c, &loose);
        if (!counts && from)
            add_default(b, c, str_copy(b->arena, str_slice(buf_str(b), at, b->n)), from);
        if (!nullable || !nullable->truth)
            buf_addz(b, " NOT NULL");
        if (!loose && !counts)
            continue;
        buf_addz(&p->odd, ",(");
        sql_add_literal(&p->odd, table);
        buf_addc(&p->odd, ',');
        sql_add_literal(&p->odd, columns->keys[i]);
        buf_fmt(&p->odd, ",%s,%s)", loose ? "true" : "false", counts ? "true" : "false");
    }
    buf_addc(b, ')');
    buf_addz(&p->tables, "EXECUTE pg_catalog.concat('CREATE TABLE ', place, ");
    sql_add_literal(&p->tables, buf_str(b));
    buf_addz(&p->tables, ");\n");
}

/* ---- tables --------------------------------------------------------------------------------- */

static const char *
action_of(const JsonTree *key, const char *when)
{
    static const char *const actions[][2] = {
        {"cascade", "c"}, {"restrict", "r"}, {"setNull", "n"}, {"setDefault", "d"}};
    const char *said = jt_text(key, when);
    for (size_t i = 0; said && i < COUNT(actions); i++)
        if (strcmp(said, actions[i][0]) == 0)
            return actions[i][1];
    return "";
}

static const char *
schema_of(const char *space)
{
    return !space || strcmp(space, "__unbound__") == 0 ? "public" : space;
}

static void
add_keys(P8Promise *p, Str table, const JsonTree *t)
{
    const JsonTree *primary = jt_get(t, "primaryKey"), *uniques = jt_get(t, "uniques");
    const JsonTree *foreign = jt_get(t, "foreignKeys");
    if (primary)
        add_want(p, (Want){.kind = "p", .table = table, .columns = jt_get(primary, "columns")});
    for (size_t i = 0; uniques && i < uniques->n; i++)
        add_want(
            p,
            (Want){.kind = "u", .table = table, .columns = jt_get(&uniques->items[i], "columns")});
    for (size_t i = 0; foreign && i < foreign->n; i++) {
        const JsonTree *key = &foreign->items[i], *constraint = jt_get(key, "constraint");
        const JsonTree *to = jt_get(key, "target");
        const char *name = jt_text(to, "tableName");
        if (!name || (constraint && constraint->kind == JT_BOOL && !constraint->truth))
            continue;
        add_want(p, (Want){.kind = "f",
                           .table = table,
                           .columns = jt_get(jt_get(key, "source"), "columns"),
                           .other = qualified(p, schema_of(jt_text(to, "namespaceId")), name),
                           .others = jt_get(to, "columns"),
                           .more = action_of(key, "onDelete"),
                           .less = action_of(key, "onUpdate")});
    }
}

static void
add_named(P8Promise *p, Str table, const JsonTree *t)
{
    const JsonTree *checks = jt_get(t, "checks"), *indexes = jt_get(t, "indexes");
    for (size_t i = 0; checks && i < checks->n; i++)
        add_want(p, (Want){.kind = "c",
                           .table = table,
                           .name = str_of(jt_text(&checks->items[i], "name"))});
    for (size_t i = 0; indexes && i < indexes->n; i++) {
        const JsonTree *x = &indexes->items[i], *unique = jt_get(x, "unique");
        add_want(p, (Want){.kind = "i",
                           .table = table,
                           .name = str_of(jt_text(x, "name")),
                           .columns = jt_get(x, "columns"),
                           .more = unique && unique->truth ? "t" : "f"});
    }
}

static void
add_table(P8Promise *p, Str name, const JsonTree *t, const JsonTree *rls)
{
    const char *control = jt_text(t, "control");
    control = control ? control : p->policy ? p->policy : "managed";
    Str table = qualified(p, p->schema, name.p);
    const JsonTree *columns = jt_get(t, "columns");
    if (strcmp(control, "observed") == 0)
        return;
    add_want(p, (Want){.kind = "t", .table = table});
    if (strcmp(control, "external") == 0 || !columns)
        return;
    add_columns(p, table, columns);
    add_keys(p, table, t);
    add_named(p, table, t);
    add_want(p, (Want){.kind = "r", .table = table, .more = jt_get(rls, name.p) ? "t" : "f"});
}

static void
add_namespace(P8Promise *p, const JsonTree *space)
{
    const JsonTree *entries = jt_get(space, "entries"), *tables = jt_get(entries, "table");
    const JsonTree *enums = jt_get(entries, "native_enum"), *policies = jt_get(entries, "policy");
    for (size_t i = 0; tables && i < tables->n; i++)
        add_table(p, tables->keys[i], &tables->items[i], jt_get(entries, "rls"));
    for (size_t i = 0; tables && tables->n && enums && i < enums->n; i++) {
        const char *name = jt_text(&enums->items[i], "typeName");
        const char *control = jt_text(&enums->items[i], "control");
        if (name && !(control && strcmp(control, "observed") == 0))
            add_want(p, (Want){.kind = "e",
                               .table = qualified(p, p->schema, name),
                               .columns = jt_get(&enums->items[i], "members")});
    }
    for (size_t i = 0; policies && i < policies->n; i++) {
        const char *name = jt_text(&policies->items[i], "name");
        const char *table = jt_text(&policies->items[i], "tableName");
        if (name && table)
            add_want(
                p,
                (Want){.kind = "y", .table = qualified(p, p->schema, table), .name = str_of(name)});
    }
}

void
p8_want(P8Promise *p, const JsonTree *contract)
{
    const JsonTree *storage = jt_get(contract, "storage");
    const JsonTree *spaces = jt_get(storage, "namespaces");
    p->types = jt_get(storage, "types");
    p->policy = jt_text(contract, "defaultControlPolicy");
    for (size_t i = 0; spaces && i < spaces->n; i++) {
        p->schema = schema_of(spaces->keys[i].p);
        add_namespace(p, &spaces->items[i]);
    }
}
