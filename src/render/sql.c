/* Pieces of statements: names, types, columns, keys, constraints. */
#include "render/render_int.h"

#include <inttypes.h>
#include <stdio.h>

void
put_ident(Render *r, Buf *b, const char *name)
{
    if (r->compat)
        buf_fmt(b, "\"%s\"", name);
    else
        sql_add_ident(b, name);
}

void
put_label(Render *r, Buf *b, const char *text)
{
    if (r->compat) {
        buf_fmt(b, "'%s'", text);
        return;
    }
    buf_addc(b, '\'');
    for (const char *p = text; *p; p++) {
        if (*p == '\'')
            buf_addc(b, '\'');
        buf_addc(b, *p);
    }
    buf_addc(b, '\'');
}

void
put_name(Render *r, Buf *b, const char *schema, const char *name)
{
    if (schema && strcmp(schema, r->schema) != 0) {
        put_ident(r, b, schema);
        buf_addc(b, '.');
    }
    put_ident(r, b, name);
}

const char *
ident_text(Render *r, const char *name)
{
    Buf b;
    buf_init(&b, r->arena);
    put_ident(r, &b, name);
    return b.p;
}

const char *
name_text(Render *r, const CatRef *id)
{
    Buf b;
    buf_init(&b, r->arena);
    put_name(r, &b, id->schema, id->name);
    return b.p;
}

const char *
signature_text(Render *r, const CatFunction *f)
{
    Buf b;
    buf_init(&b, r->arena);
    buf_fmt(&b, "%s(", name_text(r, &f->id));
    const char *types = f->id.sub ? f->id.sub : "";
    /* OUT arguments of another procedure count unless all of these say what they are. */
    bool quoted = false, begins = f->is_procedure && *types;
    for (const char *p = types; *p; p++) {
        if (begins)
            buf_addz(&b, "IN ");
        begins = false;
        quoted ^= *p == '"';
        buf_addc(&b, *p);
        if (f->is_procedure && !quoted && *p == ',' && p[1] == ' ') {
            buf_addc(&b, *++p);
            begins = true;
        }
    }
    buf_addc(&b, ')');
    return b.p;
}

/* Names of which the schema may not be known: operator classes, collations. */
static void
put_cname(Render *r, Buf *b, const CatName *name)
{
    if (name->schema)
        put_name(r, b, name->schema, name->name);
    else
        buf_addz(b, name->name);
}

void
put_collation(Render *r, Buf *b, const CatName *collation)
{
    if (!collation->name)
        return;
    buf_addz(b, " COLLATE ");
    put_name(r, b, collation->schema, collation->name);
}

void
put_columns(Render *r, Buf *b, const CatTexts *columns, const char *comma)
{
    for (size_t i = 0; i < columns->n; i++) {
        if (i)
            buf_addz(b, comma);
        put_ident(r, b, columns->v[i]);
    }
}

/* ---- types --------------------------------------------------------------------------------- */

/* Built-in types as Prisma writes them; the others as the server does. */
static const char *const spellings[][2] = {
    {"int2", "SMALLINT"},
    {"int4", "INTEGER"},
    {"int8", "BIGINT"},
    {"float4", "REAL"},
    {"float8", "DOUBLE PRECISION"},
    {"numeric", "DECIMAL"},
    {"bool", "BOOLEAN"},
    {"text", "TEXT"},
    {"varchar", "VARCHAR"},
    {"bpchar", "CHAR"},
    {"bit", "BIT"},
    {"varbit", "VARBIT"},
    {"uuid", "UUID"},
    {"xml", "XML"},
    {"json", "JSON"},
    {"jsonb", "JSONB"},
    {"bytea", "BYTEA"},
    {"date", "DATE"},
    {"time", "TIME"},
    {"timetz", "TIMETZ"},
    {"timestamp", "TIMESTAMP"},
    {"timestamptz", "TIMESTAMPTZ"},
    {"inet", "INET"},
    {"money", "MONEY"},
    {"oid", "OID"},
    {"citext", "CITEXT"},
};

static const char *
spelling(const CatType *t)
{
    bool is_char = strcmp(t->name, "bpchar") == 0 || strcmp(t->name, "bit") == 0;
    if (t->schema || (is_char && !t->args))
        return NULL;
    for (size_t i = 0; i < COUNT(spellings); i++)
        if (strcmp(spellings[i][0], t->name) == 0)
            return spellings[i][1];
    return NULL;
}

void
put_type(Render *r, Buf *b, const CatType *t)
{
    const char *known = spelling(t);
    if (t->schema) {
        put_name(r, b, t->schema, t->name);
        if (t->args)
            buf_fmt(b, "(%s)", t->args);
    } else if (known) {
        bool plain = strncmp(t->text, "character", 9) == 0 ? t->text[9] != '(' && t->text[9] != ' '
                     : strncmp(t->text, "bit", 3) == 0     ? t->text[3] != '(' && t->text[3] != ' '
                                                           : false;
        buf_addz(b, known);
        if (t->args && !plain)
            buf_fmt(b, "(%s)", t->args);
    } else {
        buf_addz(b, t->text);
        return; /* with its brackets */
    }
    if (t->is_array)
        buf_addz(b, "[]");
}

/* ---- columns ------------------------------------------------------------------------------- */

const char *
serial_of(Render *r, const Catalog *c, const CatColumn *column)
{
    const CatType *t = &column->type;
    bool draws = column->default_expr && strncmp(column->default_expr, "nextval(", 8) == 0;
    if (t->schema || t->is_array || !draws)
        return NULL;
    const CatSequence *s = r->compat ? NULL : diff_serial(r->arena, c, column);
    if (!r->compat && (!s || diff_sequence_is_there(r->diff, s)))
        return NULL;
    return strcmp(t->name, "int2") == 0   ? "SMALLSERIAL"
           : strcmp(t->name, "int4") == 0 ? "SERIAL"
           : strcmp(t->name, "int8") == 0 ? "BIGSERIAL"
                                          : NULL;
}

/* What differs from the usual sequence. */
void
put_sequence_options(Buf *b, const CatSequence *s, const CatSequence *usual)
{
    if (s->increment != usual->increment)
        buf_fmt(b, " INCREMENT BY %" PRId64, s->increment);
    if (s->min != usual->min)
        buf_fmt(b, " MINVALUE %" PRId64, s->min);
    if (s->max != usual->max)
        buf_fmt(b, " MAXVALUE %" PRId64, s->max);
    if (s->start != usual->start)
        buf_fmt(b, " START WITH %" PRId64, s->start);
    if (s->cache != usual->cache)
        buf_fmt(b, " CACHE %" PRId64, s->cache);
    if (s->is_cycle != usual->is_cycle)
        buf_addz(b, s->is_cycle ? " CYCLE" : " NO CYCLE");
}

const CatSequence *
identity_sequence(const Catalog *c, const CatColumn *column)
{
    cat_each (CatSequence, s, &c->sequences)
        if (s->is_identity && cat_same_text(s->owner_column, column->id.sub) &&
            cat_same_text(s->owner_table.name, column->id.name) &&
            cat_same_text(s->owner_table.schema, column->id.schema))
            return s;
    return NULL;
}

void
put_identity(Render *r, Buf *b, const Catalog *c, const CatColumn *column)
{
    const CatSequence *s = identity_sequence(c, column);
    buf_addz(b, column->identity == CAT_ALWAYS ? " GENERATED ALWAYS AS IDENTITY"
                                               : " GENERATED BY DEFAULT AS IDENTITY");
    if (!s)
        return;
    CatSequence usual;
    catalog_sequence_usual(&usual, s);
    Buf options;
    buf_init(&options, r->arena);
    const char *name = catalog_serial_name(r->arena, column->id.name, column->id.sub);
    if (!cat_same_text(s->id.name, name) || !cat_same_text(s->id.schema, column->id.schema)) {
        buf_addz(&options, " SEQUENCE NAME ");
        put_name(r, &options, s->id.schema, s->id.name);
    }
    put_sequence_options(&options, s, &usual);
    if (options.n)
        buf_fmt(b, " (%s)", options.p + 1);
}

void
put_not_null_name(Render *r, Buf *b, const char *name)
{
    if (!name || r->compat)
        return;
    buf_addz(b, " CONSTRAINT ");
    put_ident(r, b, name);
}

void
put_column(Render *r, Buf *b, const Catalog *c, const CatColumn *column)
{
    const char *serial = serial_of(r, c, column);
    put_ident(r, b, column->id.sub);
    buf_addc(b, ' ');
    if (serial)
        buf_addz(b, serial);
    else
        put_type(r, b, &column->type);
    put_collation(r, b, &column->collation);
    if (column->is_not_null && !column->is_not_null_unchecked && !column->is_not_null_inherited) {
        put_not_null_name(r, b, column->not_null_name);
        buf_addz(b, " NOT NULL");
        if (column->is_not_null_no_inherit)
            buf_addz(b, " NO INHERIT");
    }
    if (column->identity)
        put_identity(r, b, c, column);
    else if (column->generated)
        buf_fmt(b, " GENERATED ALWAYS AS (%s) %s", column->default_expr,
                column->generated == CAT_STORED ? "STORED" : "VIRTUAL");
    else if (column->default_expr && !serial &&
             !(r->compat && strncmp(column->default_expr, "nextval(", 8) == 0))
        buf_fmt(b, " DEFAULT %s", column->default_expr);
}

/* ---- keys ---------------------------------------------------------------------------------- */

void
put_options(Render *r, Buf *b, const CatTexts *options)
{
    (void)r;
    for (size_t i = 0; i < options->n; i++) {
        const char *value = strchr(options->v[i], '=');
        size_t n = value ? (size_t)(value - options->v[i]) : strlen(options->v[i]);
        buf_addz(b, i ? ", " : " WITH (");
        buf_add(b, (Str){options->v[i], n});
        if (value) {
            buf_addc(b, '=');
            put_label(r, b, value + 1);
        }
    }
    if (options->n)
        buf_addc(b, ')');
}

void
put_keys(Render *r, Buf *b, const CatKeys *keys)
{
    for (size_t i = 0; i < keys->n; i++) {
        const CatKey *k = &keys->v[i];
        if (i)
            buf_addz(b, ", ");
        if (k->column)
            put_ident(r, b, k->column);
        else
            buf_addz(b, k->expr);
        put_collation(r, b, &k->collation);
        if (k->opclass.name || k->opclass_args) {
            buf_addc(b, ' ');
            if (k->opclass.name)
                put_cname(r, b, &k->opclass);
            if (k->opclass_args)
                buf_fmt(b, "(%s)", k->opclass_args);
        }
        if (k->is_desc)
            buf_addz(b, " DESC");
        if (k->is_nulls_reversed)
            buf_addz(b, k->is_desc ? " NULLS LAST" : " NULLS FIRST");
        if (k->op)
            buf_fmt(b, " WITH %s", k->op);
    }
}

static const char *
action_words(CatAction action)
{
    static const char *const words[] = {"NO ACTION", "RESTRICT", "CASCADE", "SET NULL",
                                        "SET DEFAULT"};
    return words[action];
}

static void
put_foreign_key(Render *r, Buf *b, const CatConstraint *k)
{
    buf_addz(b, "FOREIGN KEY (");
    size_t last = k->columns.n - (k->is_without_overlaps ? 1 : 0);
    for (size_t i = 0; i < k->columns.n; i++) {
        buf_addz(b, i ? ", " : "");
        buf_addz(b, i == last ? "PERIOD " : "");
        put_ident(r, b, k->columns.v[i]);
    }
    buf_addz(b, ") REFERENCES ");
    put_name(r, b, k->ref_table.schema, k->ref_table.name);
    buf_addc(b, '(');
    for (size_t i = 0; i < k->ref_columns.n; i++) {
        buf_addz(b, i ? ", " : "");
        buf_addz(b, i == last ? "PERIOD " : "");
        put_ident(r, b, k->ref_columns.v[i]);
    }
    buf_addc(b, ')');
    if (k->is_match_full)
        buf_addz(b, " MATCH FULL");
    buf_fmt(b, " ON DELETE %s", action_words(k->on_delete));
    if (k->set_columns.n) {
        buf_addz(b, " (");
        put_columns(r, b, &k->set_columns, ", ");
        buf_addc(b, ')');
    }
    buf_fmt(b, " ON UPDATE %s", action_words(k->on_update));
}

static void
put_index_parts(Render *r, Buf *b, const CatConstraint *k)
{
    if (k->include.n) {
        buf_addz(b, " INCLUDE (");
        put_columns(r, b, &k->include, ", ");
        buf_addc(b, ')');
    }
    put_options(r, b, &k->options);
    if (k->tablespace) {
        buf_addz(b, " USING INDEX TABLESPACE ");
        put_ident(r, b, k->tablespace);
    }
}

/* Expressions as the server prints them have their parentheses, or need none but the grammar's. */
static void
put_parens(Buf *b, const char *expr)
{
    size_t n = strlen(expr);
    int depth = 0;
    bool whole = n > 1 && expr[0] == '(';
    for (size_t i = 0; i < n && whole; i++) {
        if (expr[i] == '\'' || expr[i] == '"')
            for (char q = expr[i++]; i < n && expr[i] != q; i++)
                ;
        else if (expr[i] == '(')
            depth++;
        else if (expr[i] == ')')
            whole = --depth > 0 || i + 1 == n;
    }
    buf_fmt(b, whole ? "%s" : "(%s)", expr);
}

void
put_constraint(Render *r, Buf *b, const CatConstraint *k)
{
    switch (k->type) {
    case CAT_CHECK:
        buf_addz(b, "CHECK ");
        put_parens(b, k->expr);
        if (k->is_no_inherit)
            buf_addz(b, " NO INHERIT");
        break;
    case CAT_PRIMARY_KEY:
    case CAT_UNIQUE:
        buf_addz(b, k->type == CAT_UNIQUE ? "UNIQUE" : "PRIMARY KEY");
        if (k->is_nulls_not_distinct)
            buf_addz(b, " NULLS NOT DISTINCT");
        buf_addz(b, " (");
        put_columns(r, b, &k->columns, ", ");
        if (k->is_without_overlaps)
            buf_addz(b, " WITHOUT OVERLAPS");
        buf_addc(b, ')');
        put_index_parts(r, b, k);
        break;
    case CAT_EXCLUDE:
        buf_addz(b, "EXCLUDE");
        if (k->method)
            buf_fmt(b, " USING %s", k->method);
        buf_addz(b, " (");
        put_keys(r, b, &k->keys);
        buf_addc(b, ')');
        put_index_parts(r, b, k);
        if (k->expr) {
            buf_addz(b, " WHERE ");
            put_parens(b, k->expr);
        }
        break;
    case CAT_FOREIGN_KEY:
        put_foreign_key(r, b, k);
        break;
    }
    if (k->is_deferrable)
        buf_addz(b, k->is_deferred ? " DEFERRABLE INITIALLY DEFERRED" : " DEFERRABLE");
    if (k->is_not_enforced)
        buf_addz(b, " NOT ENFORCED");
    if (k->is_not_valid && !k->is_not_enforced)
        buf_addz(b, " NOT VALID");
}

/* ---- statements ---------------------------------------------------------------------------- */

void
statement_buf(Render *r, const Buf *b)
{
    *vec_add(r->arena, &r->step->statements) = str_dup(r->arena, buf_str(b));
}

void
statement(Render *r, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    *vec_add(r->arena, &r->step->statements) = str_vfmt(r->arena, fmt, ap);
    va_end(ap);
}
