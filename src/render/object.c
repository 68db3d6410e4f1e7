/* Schemas, extensions, domains, composite types, sequences, functions, views and code on tables. */
#include "render/render_int.h"

#include <inttypes.h>

static const char *
title_of(Render *r, const Change *c, const char *kind)
{
    return str_fmt(r->arena, "%s%s",
                   c->op == CHANGE_CREATE ? "Create"
                   : c->op == CHANGE_DROP ? "Drop"
                                          : "Alter",
                   kind);
}

/* ---- schemas, extensions ------------------------------------------------------------------- */

static void
render_schema(Render *r, const Change *c)
{
    if (c->op == CHANGE_CREATE) {
        r->step->title = "CreateSchema";
        statement(r, "CREATE SCHEMA IF NOT EXISTS %s", ident_text(r, c->to->id.name));
        render_attributes(r, NULL, c->to);
    } else if (c->op == CHANGE_DROP) {
        r->step->title = "DropSchema";
        statement(r, "DROP SCHEMA %s", ident_text(r, c->from->id.name));
    } else {
        r->step->title = "AlterSchema";
        render_attributes(r, c->from, c->to);
    }
}

static void
render_extension(Render *r, const Change *c)
{
    const CatExtension *e = (const CatExtension *)(c->to ? c->to : c->from);
    const char *name = ident_text(r, e->id.name);
    if (c->op == CHANGE_DROP) {
        r->step->title = "DropExtension";
        statement(r, "DROP EXTENSION %s", name);
    } else if (c->op == CHANGE_CREATE) {
        Buf b;
        buf_init(&b, r->arena);
        r->step->title = "CreateExtension";
        buf_fmt(&b, "CREATE EXTENSION IF NOT EXISTS %s", name);
        /* A version is wanted where somebody wrote one; a database that is copied has the newest. */
        bool version = e->version && (r->compat || r->diff->options.prisma_kinds);
        if (e->in_schema || version)
            buf_addz(&b, " WITH");
        if (e->in_schema) {
            buf_addz(&b, " SCHEMA ");
            put_ident(r, &b, e->in_schema);
        }
        if (version) {
            buf_addz(&b, " VERSION ");
            put_ident(r, &b, e->version);
        }
        statement_buf(r, &b);
    } else {
        r->step->title = "AlterExtension";
        if (cat_has_text(&c->fields, "version"))
            statement(r, "ALTER EXTENSION %s UPDATE TO %s", name, ident_text(r, e->version));
        if (cat_has_text(&c->fields, "in_schema"))
            statement(r, "ALTER EXTENSION %s SET SCHEMA %s", name, ident_text(r, e->in_schema));
    }
}

/* ---- types --------------------------------------------------------------------------------- */

static void
create_domain(Render *r, const CatDomain *d)
{
    Buf b;
    buf_init(&b, r->arena);
    buf_fmt(&b, "CREATE DOMAIN %s AS ", name_text(r, &d->id));
    put_type(r, &b, &d->type);
    if (d->collation.name) {
        buf_addz(&b, " COLLATE ");
        put_name(r, &b, d->collation.schema, d->collation.name);
    }
    if (d->default_expr)
        buf_fmt(&b, " DEFAULT %s", d->default_expr);
    if (d->is_not_null)
        buf_addz(&b, " NOT NULL");
    cat_each (CatConstraint, k, &d->constraints) {
        if (k->is_not_valid)
            continue;
        buf_addz(&b, " CONSTRAINT ");
        put_ident(r, &b, k->id.sub);
        buf_addc(&b, ' ');
        put_constraint(r, &b, k);
    }
    statement_buf(r, &b);
    cat_each (CatConstraint, k, &d->constraints) {
        if (!k->is_not_valid)
            continue;
        buf_clear(&b);
        put_constraint(r, &b, k);
        statement(r, "ALTER DOMAIN %s ADD CONSTRAINT %s %s", name_text(r, &d->id),
                  ident_text(r, k->id.sub), b.p);
    }
    render_attributes(r, NULL, (const CatObject *)d);
    cat_each (CatConstraint, k, &d->constraints)
        render_attributes(r, NULL, (const CatObject *)k);
}

static void
render_domain(Render *r, const Change *c)
{
    if (c->op == CHANGE_CREATE) {
        r->step->title = "CreateDomain";
        create_domain(r, (const CatDomain *)c->to);
        return;
    }
    const char *name = name_text(r, &c->from->id);
    if (c->op == CHANGE_DROP) {
        r->step->title = "DropDomain";
        statement(r, "DROP DOMAIN %s", name);
        return;
    }
    const CatDomain *d = (const CatDomain *)c->to;
    if (c->op == CHANGE_RENAME) {
        r->step->title = "RenameDomain";
        statement(r, "ALTER DOMAIN %s RENAME TO %s", name, ident_text(r, d->id.name));
        return;
    }
    r->step->title = "AlterDomain";
    if (cat_has_text(&c->fields, "default_expr")) {
        if (d->default_expr)
            statement(r, "ALTER DOMAIN %s SET DEFAULT %s", name, d->default_expr);
        else
            statement(r, "ALTER DOMAIN %s DROP DEFAULT", name);
    }
    if (cat_has_text(&c->fields, "is_not_null"))
        statement(r, "ALTER DOMAIN %s %s NOT NULL", name, d->is_not_null ? "SET" : "DROP");
    render_attributes(r, c->from, c->to);
}

static void
put_attribute(Render *r, Buf *b, const CatColumn *column)
{
    put_ident(r, b, column->id.sub);
    buf_addc(b, ' ');
    put_type(r, b, &column->type);
    if (column->collation.name) {
        buf_addz(b, " COLLATE ");
        put_name(r, b, column->collation.schema, column->collation.name);
    }
}

static void
render_composite(Render *r, const Change *c)
{
    const CatComposite *t = (const CatComposite *)(c->to ? c->to : c->from);
    const char *name = name_text(r, &t->id);
    Buf b;
    buf_init(&b, r->arena);
    if (c->op == CHANGE_DROP) {
        r->step->title = "DropType";
        statement(r, "DROP TYPE %s", name);
        return;
    }
    if (c->op == CHANGE_CREATE) {
        r->step->title = "CreateType";
        buf_fmt(&b, "CREATE TYPE %s AS (", name);
        cat_each (CatColumn, column, &t->columns) {
            if (column != t->columns.v[0])
                buf_addz(&b, ", ");
            put_attribute(r, &b, column);
        }
        buf_addc(&b, ')');
        statement_buf(r, &b);
        render_attributes(r, NULL, c->to);
        cat_each (CatColumn, column, &t->columns)
            render_attributes(r, NULL, (const CatObject *)column);
        return;
    }
    r->step->title = "AlterType";
    vec_each (const ColumnChange, k, &c->columns) {
        buf_clear(&b);
        if (k->op == COLUMN_DROP) {
            statement(r, "ALTER TYPE %s DROP ATTRIBUTE %s", name, ident_text(r, k->from->id.sub));
            continue;
        }
        if (k->op == COLUMN_ADD) {
            put_attribute(r, &b, k->to);
            statement(r, "ALTER TYPE %s ADD ATTRIBUTE %s", name, b.p);
        } else if (k->op == COLUMN_RECREATE) {
            put_attribute(r, &b, k->to);
            statement(r, "ALTER TYPE %s DROP ATTRIBUTE %s, ADD ATTRIBUTE %s", name,
                      ident_text(r, k->from->id.sub), b.p);
            render_attributes(r, NULL, (const CatObject *)k->to);
            continue;
        } else if (k->fields & COLUMN_TYPE) {
            put_type(r, &b, &k->to->type);
            if (k->to->collation.name) {
                buf_addz(&b, " COLLATE ");
                put_name(r, &b, k->to->collation.schema, k->to->collation.name);
            }
            statement(r, "ALTER TYPE %s ALTER ATTRIBUTE %s TYPE %s", name,
                      ident_text(r, k->to->id.sub), b.p);
        }
        render_attributes(r, (const CatObject *)k->from, (const CatObject *)k->to);
    }
    render_attributes(r, c->from, c->to);
}

/* ---- sequences ----------------------------------------------------------------------------- */

static void
own_sequence(Render *r, const CatSequence *s)
{
    if (!s->owner_column) {
        statement(r, "ALTER SEQUENCE %s OWNED BY NONE", name_text(r, &s->id));
        return;
    }
    Buf b;
    buf_init(&b, r->arena);
    put_name(r, &b, s->owner_table.schema, s->owner_table.name);
    buf_addc(&b, '.');
    put_ident(r, &b, s->owner_column);
    statement(r, "ALTER SEQUENCE %s OWNED BY %s", name_text(r, &s->id), b.p);
}

/* A column that becomes a serial one goes on behind the values that it has. */
static void
start_behind_rows(Render *r, const CatSequence *s)
{
    const CatRef *t = &(CatRef){CAT_TABLE, s->owner_table.schema, s->owner_table.name, NULL};
    const CatRef column = {CAT_COLUMN, t->schema, t->name, s->owner_column};
    const CatColumn *from = catalog_find(r->diff->from.catalog, column);
    if (!from || from->type.is_array || strncmp(from->type.name, "int", 3) != 0)
        return;
    Buf b;
    buf_init(&b, r->arena);
    put_label(r, &b, name_text(r, &s->id));
    statement(r, "SELECT setval(%s, COALESCE((SELECT MAX(%s) FROM %s), 0) + 1, false)", b.p,
              ident_text(r, s->owner_column), name_text(r, t));
}

void
render_sequence(Render *r, const Change *c)
{
    const CatSequence *s = (const CatSequence *)(c->to ? c->to : c->from);
    CatSequence usual = *s;
    Buf b;
    buf_init(&b, r->arena);
    catalog_sequence_init(&usual, s->type);
    usual.is_cycle = false;
    if (c->op == CHANGE_DROP) {
        r->step->title = "DropSequence";
        statement(r, "DROP SEQUENCE %s", name_text(r, &s->id));
        return;
    }
    if (c->op == CHANGE_RENAME) {
        r->step->title = "RenameSequence";
        statement(r, "ALTER SEQUENCE %s RENAME TO %s", name_text(r, &c->from->id),
                  ident_text(r, s->id.name));
        return;
    }
    if (c->op == CHANGE_CREATE) {
        r->step->title = "CreateSequence";
        buf_fmt(&b, "CREATE %sSEQUENCE %s", s->is_unlogged ? "UNLOGGED " : "",
                name_text(r, &s->id));
        if (strcmp(s->type.name, "int8") != 0) {
            buf_addz(&b, " AS ");
            put_type(r, &b, &s->type);
        }
        usual.start = s->increment > 0 ? s->min : s->max;
        put_sequence_options(&b, s, &usual);
        statement_buf(r, &b);
        render_attributes(r, NULL, c->to);
        return;
    }
    r->step->title = "AlterSequence";
    if (!c->from) {
        own_sequence(r, s);
        start_behind_rows(r, s);
        return;
    }
    const CatSequence *x = (const CatSequence *)c->from;
    CatSequence then = *x; /* what AS changes by itself */
    buf_fmt(&b, "ALTER SEQUENCE %s", name_text(r, &x->id));
    size_t head = b.n;
    if (cat_has_text(&c->fields, "type")) {
        CatSequence was = *x;
        buf_addz(&b, " AS ");
        put_type(r, &b, &s->type);
        catalog_sequence_init(&was, x->type);
        if (x->max == was.max)
            then.max = usual.max;
    }
    if (strcmp(x->id.name, s->id.name) == 0)
        put_sequence_options(&b, s, &then);
    if (b.n > head)
        statement_buf(r, &b);
    if (cat_has_text(&c->fields, "is_unlogged"))
        statement(r, "ALTER SEQUENCE %s SET %s", name_text(r, &s->id),
                  s->is_unlogged ? "UNLOGGED" : "LOGGED");
    /* A sequence is like the table that it belongs to, and so it is when it leaves it. */
    bool moves =
        cat_has_text(&c->fields, "owner_table") || cat_has_text(&c->fields, "owner_column");
    if (moves && x->owner_column)
        statement(r, "ALTER SEQUENCE %s OWNED BY NONE", name_text(r, &s->id));
    CatSequence left = *x;
    const CatRelation *t =
        catalog_relation(r->diff->to.catalog, x->owner_table.schema, x->owner_table.name);
    if (moves && x->owner_column && t) {
        left.owner = t->owner;
        if (t->is_unlogged != s->is_unlogged && !cat_has_text(&c->fields, "is_unlogged"))
            statement(r, "ALTER SEQUENCE %s SET %s", name_text(r, &s->id),
                      s->is_unlogged ? "UNLOGGED" : "LOGGED");
    }
    if (!r->diff->options.prisma_kinds)
        render_attributes(r, (const CatObject *)&left, c->to);
    if (moves)
        own_sequence(r, s);
}

/* ---- functions, views ---------------------------------------------------------------------- */

static void
render_function(Render *r, const Change *c)
{
    const CatFunction *f = (const CatFunction *)(c->to ? c->to : c->from);
    const char *word = f->is_procedure ? "Procedure" : "Function";
    r->step->title = title_of(r, c, word);
    if (c->op == CHANGE_DROP) {
        statement(r, "DROP %s %s(%s)", f->is_procedure ? "PROCEDURE" : "FUNCTION",
                  name_text(r, &f->id), f->id.sub ? f->id.sub : "");
        return;
    }
    if (c->op == CHANGE_CREATE || cat_has_text(&c->fields, "definition"))
        statement(r, "%s", str_dup(r->arena, str_trim(str_of(f->definition))));
    render_attributes(r, c->from, c->to);
}

static const char *
view_words(const CatObject *o)
{
    return o->id.kind == CAT_MATVIEW ? "MATERIALIZED VIEW" : "VIEW";
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

static void
create_view(Render *r, const CatRelation *v, bool replace)
{
    Buf b;
    buf_init(&b, r->arena);
    buf_fmt(&b, "CREATE %s%s %s", replace ? "OR REPLACE " : "", view_words((const CatObject *)v),
            name_text(r, &v->id));
    buf_addz(&b, " (");
    cat_each (CatColumn, column, &v->columns) {
        if (column != v->columns.v[0])
            buf_addz(&b, ", ");
        put_ident(r, &b, column->id.sub);
    }
    buf_addc(&b, ')');
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

static void
render_view(Render *r, const Change *c)
{
    const CatRelation *v = (const CatRelation *)(c->to ? c->to : c->from);
    const char *word = c->kind == CAT_MATVIEW ? "MaterializedView" : "View";
    r->step->title = title_of(r, c, word);
    if (c->op == CHANGE_DROP) {
        statement(r, "DROP %s %s", view_words(c->from), name_text(r, &v->id));
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
        cat_each (CatColumn, column, &v->columns)
            render_attributes(r,
                              c->from ? (const CatObject *)catalog_column(
                                            (const CatRelation *)c->from, column->id.sub)
                                      : NULL,
                              (const CatObject *)column);
    render_attributes(r, c->from, c->to);
}

/* ---- code on tables ------------------------------------------------------------------------ */

static const char *
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

static void
put_policy(Render *r, Buf *b, const CatPolicy *p)
{
    static const char *const commands[] = {
        ['r'] = "SELECT", ['a'] = "INSERT", ['w'] = "UPDATE", ['d'] = "DELETE"};
    buf_fmt(b, "CREATE POLICY %s ON %s", ident_text(r, p->id.sub), name_text(r, &p->id));
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

static void
render_code(Render *r, const Change *c)
{
    const CatObject *o = c->to ? c->to : c->from;
    const char *word = c->kind == CAT_TRIGGER ? "Trigger" : c->kind == CAT_RULE ? "Rule" : "Policy";
    const char *sql = c->kind == CAT_TRIGGER ? "TRIGGER" : c->kind == CAT_RULE ? "RULE" : "POLICY";
    r->step->title = title_of(r, c, word);
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
            put_policy(r, &b, (const CatPolicy *)o);
        }
        statement_buf(r, &b);
    }
    set_enabled(r, o, was, is, sql);
    render_attributes(r, c->from, c->to);
}

void
render_object(Render *r, const Change *c)
{
    switch (c->kind) {
    case CAT_SCHEMA:
        render_schema(r, c);
        break;
    case CAT_EXTENSION:
        render_extension(r, c);
        break;
    case CAT_DOMAIN:
        render_domain(r, c);
        break;
    case CAT_COMPOSITE:
        render_composite(r, c);
        break;
    case CAT_FUNCTION:
        render_function(r, c);
        break;
    case CAT_VIEW:
    case CAT_MATVIEW:
        render_view(r, c);
        break;
    case CAT_TRIGGER:
    case CAT_RULE:
    case CAT_POLICY:
        render_code(r, c);
        break;
    default:
        break;
    }
}
