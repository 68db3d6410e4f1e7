/* What tables and columns have beside their definition: storage, options, parents. */
#include "render/render_int.h"

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

void
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

/* Such a change comes alone, before and behind those of the columns. */
static void
table_type(Render *r, const CatRelation *from, const CatRelation *to)
{
    const char *table = name_text(r, &to->id);
    const CatRef type = {CAT_COMPOSITE, to->of_type.schema, to->of_type.name, NULL};
    if (!r->step->change->is_aside)
        return;
    if (from->of_type.name && !to->of_type.name)
        statement(r, "ALTER TABLE %s NOT OF", table);
    if (to->of_type.name && !from->of_type.name)
        statement(r, "ALTER TABLE %s OF %s", table, name_text(r, &type));
}

void
table_parents(Render *r, const CatRelation *from, const CatRelation *to)
{
    const char *table = name_text(r, &to->id);
    table_type(r, from, to);
    Buf b;
    buf_init(&b, r->arena);
    if (from->partition_of.name && !to->partition_of.name) {
        put_name(r, &b, from->partition_of.schema, from->partition_of.name);
        statement(r, "ALTER TABLE %s DETACH PARTITION %s", b.p, table);
    }
    if (!r->step->change->is_aside)
        return; /* see let_go.c */
    cat_each (CatColumn, column, &to->columns) {
        const CatColumn *was = catalog_column(from, column->id.sub);
        const char *inheritance = not_null_inheritance(r, table, was, column);
        if (inheritance)
            statement(r, "%s", inheritance);
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

void
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

CatColumn
column_without_identity(const CatColumn *column)
{
    CatColumn plain = *column;
    plain.identity = CAT_NO_IDENTITY;
    return plain;
}
