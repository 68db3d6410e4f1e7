/* Functions and views, and the code that belongs to tables and views. */
#include "render/render_int.h"

void
render_function(Render *r, const Change *c)
{
    const CatFunction *f = (const CatFunction *)(c->to ? c->to : c->from);
    if (c->op == CHANGE_DROP) {
        if (c->goes_along)
            return;
        statement(r, "DROP %s %s", f->is_procedure ? "PROCEDURE" : "FUNCTION",
                  signature_text(r, f));
        return;
    }
    if (c->op == CHANGE_CREATE || cat_has_text(&c->fields, "definition"))
        statement(r, "%s", str_dup(r->arena, str_trim(str_of(f->definition))));
    render_attributes(r, c->from, c->to);
}

static void
view_defaults(Render *r, const CatRelation *from, const CatRelation *to)
{
    cat_each (CatColumn, column, &to->columns) {
        const CatColumn *x = from ? catalog_column(from, column->id.sub) : NULL;
        if (!cat_same_text(x ? x->default_expr : NULL, column->default_expr)) {
            if (column->default_expr)
                statement(r, "ALTER VIEW %s ALTER COLUMN %s SET DEFAULT %s", name_text(r, &to->id),
                          ident_text(r, column->id.sub), column->default_expr);
            else
                statement(r, "ALTER VIEW %s ALTER COLUMN %s DROP DEFAULT", name_text(r, &to->id),
                          ident_text(r, column->id.sub));
        }
        render_attributes(r, (const CatObject *)x, (const CatObject *)column);
    }
}

/* from NULL: it was made just now. */
static void
matview_state(Render *r, const CatRelation *from, const CatRelation *to)
{
    CatRelation made = *to;
    made.toast_options = (CatTexts){0};
    table_state(r, from ? from : &made, to);
    cat_each (CatColumn, column, &to->columns) {
        const CatColumn *x = from ? catalog_column(from, column->id.sub) : NULL;
        column_storage(r, name_text(r, &to->id), x, column);
        render_attributes(r, (const CatObject *)x, (const CatObject *)column);
    }
}

static void
create_view(Render *r, const CatRelation *v, bool replace)
{
    Buf b;
    buf_init(&b, r->arena);
    buf_fmt(&b, "CREATE %s%s %s", replace ? "OR REPLACE " : "", cat_kind(v->id.kind)->sql,
            name_text(r, &v->id));
    cat_each (CatColumn, column, &v->columns) {
        buf_addz(&b, column == v->columns.v[0] ? " (" : ", ");
        put_ident(r, &b, column->id.sub);
    }
    buf_addz(&b, v->columns.n ? ")" : "");
    if (v->access_method) {
        buf_addz(&b, " USING ");
        put_ident(r, &b, v->access_method);
    }
    put_options(r, &b, &v->options);
    if (v->tablespace) {
        buf_addz(&b, " TABLESPACE ");
        put_ident(r, &b, v->tablespace);
    }
    Str query = str_trim(str_of(v->query));
    if (query.n && query.p[query.n - 1] == ';')
        query.n--;
    buf_addz(&b, " AS\n");
    buf_add(&b, query);
    statement_buf(r, &b);
}

void
render_view(Render *r, const Change *c)
{
    const CatRelation *v = (const CatRelation *)(c->to ? c->to : c->from);
    if (c->op == CHANGE_INDEX_STATE) {
        render_index_state(r, c);
        return;
    }
    if (c->op == CHANGE_DROP) {
        statement(r, "DROP %s %s", cat_kind(c->kind)->sql, name_text(r, &v->id));
        return;
    }
    bool options = cat_has_text(&c->fields, "options");
    if (c->op == CHANGE_CREATE)
        create_view(r, v, false);
    else if (c->kind == CAT_VIEW && (cat_has_text(&c->fields, "query") || options))
        create_view(r, v, true);
    if (c->kind == CAT_VIEW)
        view_defaults(r, (const CatRelation *)c->from, v);
    else
        matview_state(r, (const CatRelation *)c->from, v);
    render_attributes(r, c->from, c->to);
}

const char *
enabled_words(char enabled)
{
    return enabled == 'D'   ? "DISABLE"
           : enabled == 'R' ? "ENABLE REPLICA"
           : enabled == 'A' ? "ENABLE ALWAYS"
                            : "ENABLE";
}

static void
set_enabled(Render *r, const CatObject *o, char from, char to, const char *what)
{
    if (from != to)
        statement(r, "ALTER TABLE %s %s %s %s", name_text(r, &o->id), enabled_words(to), what,
                  ident_text(r, o->id.sub));
}

void
put_policy_rule(Render *r, Buf *b, const CatPolicy *p)
{
    static const char *const commands[] = {
        ['r'] = "SELECT", ['a'] = "INSERT", ['w'] = "UPDATE", ['d'] = "DELETE"};
    if (p->is_restrictive)
        buf_addz(b, " AS RESTRICTIVE");
    if (p->command)
        buf_fmt(b, " FOR %s", commands[(unsigned char)p->command]);
    for (size_t i = 0; i < p->roles.n; i++) {
        buf_addz(b, i ? ", " : " TO ");
        put_ident(r, b, p->roles.v[i]);
    }
    if (p->using_expr)
        buf_fmt(b, " USING (%s)", p->using_expr);
    if (p->check_expr)
        buf_fmt(b, " WITH CHECK (%s)", p->check_expr);
}

void
render_code(Render *r, const Change *c)
{
    const CatObject *o = c->to ? c->to : c->from;
    const char *sql = cat_kind(c->kind)->sql;
    bool is_inherited = c->kind == CAT_TRIGGER && ((const CatTrigger *)o)->is_inherited;
    if (is_inherited) { /* comes and goes with that of the partitioned table, as its partitions' do with it */
        if (c->op != CHANGE_DROP)
            statement(r, "ALTER TABLE %s %s TRIGGER %s", name_text(r, &o->id),
                      enabled_words(((const CatTrigger *)o)->enabled), ident_text(r, o->id.sub));
        return;
    }
    if (c->op == CHANGE_DROP) {
        statement(r, "DROP %s %s ON %s", sql, ident_text(r, o->id.sub), name_text(r, &o->id));
        return;
    }
    char was = 0, is = 0;
    const char *definition = NULL;
    if (c->kind == CAT_TRIGGER) {
        was = c->from ? ((const CatTrigger *)c->from)->enabled : 0;
        is = ((const CatTrigger *)o)->enabled;
        definition = ((const CatTrigger *)o)->definition;
    } else if (c->kind == CAT_RULE) {
        was = c->from ? ((const CatRule *)c->from)->enabled : 0;
        is = ((const CatRule *)o)->enabled;
        definition = ((const CatRule *)o)->definition;
    }
    if (c->op == CHANGE_CREATE) {
        Buf b;
        buf_init(&b, r->arena);
        if (definition) {
            Str text = str_trim(str_of(definition));
            if (text.n && text.p[text.n - 1] == ';')
                text.n--;
            buf_add(&b, text);
        } else {
            buf_fmt(&b, "CREATE POLICY %s ON %s", ident_text(r, o->id.sub), name_text(r, &o->id));
            put_policy_rule(r, &b, (const CatPolicy *)o);
        }
        statement_buf(r, &b);
    }
    set_enabled(r, o, was, is, sql);
    render_attributes(r, c->from, c->to);
}
