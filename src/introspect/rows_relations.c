/* Relations with their columns, sequences, functions. */
#include "introspect/introspect_int.h"

void
intro_row_relation(Reading *r, const Str *c)
{
    enum {
        OID,
        ROWTYPE,
        ROWARRAY,
        SCHEMA,
        NAME,
        KIND,
        OWNER,
        ACL,
        MEMBER,
        PERSISTENCE,
        OPTIONS,
        TOAST_OPTIONS,
        TABLESPACE,
        METHOD,
        REPLICA,
        RLS,
        RLS_FORCED,
        PARTITION_KEY,
        IS_PARTITION,
        BOUND,
        PARENTS,
        OF_SCHEMA,
        OF_NAME,
        QUERY
    };
    const char *schema = cell_name(r, c[SCHEMA]), *rel_name = cell_name(r, c[NAME]);
    char kind = cell_letter(c[KIND]);
    if (cell_yes(c[MEMBER]) || intro_left_out(r, schema, rel_name)) {
        rel_add(r, cell_oid(c[OID]), NULL, schema, rel_name);
        return;
    }
    CatKind k = kind == 'v' ? CAT_VIEW : kind == 'm' ? CAT_MATVIEW : CAT_TABLE;
    CatRelation *o = catalog_add(r->catalog, k, schema, rel_name);
    rel_add(r, cell_oid(c[OID]), (CatObject *)o, schema, rel_name);
    intro_remember(r, CLASS_TYPE, cell_oid(c[ROWTYPE]), o);
    intro_remember(r, CLASS_TYPE, cell_oid(c[ROWARRAY]), o);
    o->owner = cell_name(r, c[OWNER]);
    o->grants = intro_acl(r, &o->id, o->owner, c[ACL]);
    o->is_unlogged = cell_letter(c[PERSISTENCE]) == 'u';
    cell_options(r, c[OPTIONS], &o->options);
    cell_options(r, c[TOAST_OPTIONS], &o->toast_options);
    o->tablespace = cell_name(r, c[TABLESPACE]);
    o->access_method = cell_name(r, c[METHOD]);
    /* Tables say d, views and system tables n. */
    if (k != CAT_VIEW && cell_letter(c[REPLICA]) != 'd')
        o->replica_identity = cell_letter(c[REPLICA]);
    o->is_rls = cell_yes(c[RLS]);
    o->is_rls_forced = cell_yes(c[RLS_FORCED]);
    o->partition_key = cell_text(r, c[PARTITION_KEY]);
    o->partition_bound = cell_text(r, c[BOUND]);
    Strs parents = intro_array(r->scratch, c[PARENTS]);
    for (size_t i = 0; i + 1 < parents.n; i += 2) {
        CatName parent = {cell_name(r, parents.v[i]), cell_name(r, parents.v[i + 1])};
        if (cell_yes(c[IS_PARTITION]))
            o->partition_of = parent;
        else
            *vec_add(r->arena, &o->inherits) = parent;
    }
    o->of_type = (CatName){cell_name(r, c[OF_SCHEMA]), cell_name(r, c[OF_NAME])};
    o->query = cell_statement(r, c[QUERY]);
}

void
intro_row_column(Reading *r, const Str *c)
{
    enum {
        REL,
        NUM,
        NAME,
        TYPE,
        NOT_NULL,
        IDENTITY,
        GENERATED,
        COLLATION,
        OWN_COLLATION,
        STORAGE,
        COMPRESSION,
        STATISTICS,
        OPTIONS,
        INHERITED,
        ACL,
        DEFAULT_OID,
        DEFAULT
    };
    Rel *rel = intro_by_oid(&r->rels, cell_oid(c[REL]));
    int num = cell_int(c[NUM]);
    if (!rel || num < 1)
        return;
    while (rel->columns.n < (size_t)num) /* a gap is a dropped column */
        *vec_add(r->scratch, &rel->columns) = (RelColumn){0};
    const char *column = cell_name(r, c[NAME]);
    rel->columns.v[num - 1].name = column;
    rel->columns.v[num - 1].collation = cell_oid(c[COLLATION]);
    if (!rel->object)
        return;
    CatColumn *o = catalog_add_to(r->catalog, rel->object, CAT_COLUMN, column);
    rel->columns.v[num - 1].column = o;
    o->type = cell_type(r, c[TYPE]);
    o->is_not_null = cell_yes(c[NOT_NULL]);
    o->identity = cell_letter(c[IDENTITY]) == 'a'   ? CAT_ALWAYS
                  : cell_letter(c[IDENTITY]) == 'd' ? CAT_BY_DEFAULT
                                                    : CAT_NO_IDENTITY;
    o->generated = cell_letter(c[GENERATED]) == 's'   ? CAT_STORED
                   : cell_letter(c[GENERATED]) == 'v' ? CAT_VIRTUAL
                                                      : CAT_NOT_GENERATED;
    if (cell_yes(c[OWN_COLLATION]))
        o->collation = intro_collation(r, cell_oid(c[COLLATION]));
    o->storage = cell_letter(c[STORAGE]);
    o->compression = cell_letter(c[COMPRESSION]);
    o->statistics = cell_text(r, c[STATISTICS]);
    cell_options(r, c[OPTIONS], &o->options);
    o->is_inherited = cell_yes(c[INHERITED]);
    o->grants = intro_acl(r, &o->id, NULL, c[ACL]);
    intro_remember(r, CLASS_ATTRDEF, cell_oid(c[DEFAULT_OID]), o);
    o->default_expr = cell_printed(r, c[DEFAULT]);
}

void
intro_row_sequence(Reading *r, const Str *c)
{
    enum {
        OID,
        SCHEMA,
        NAME,
        OWNER,
        ACL,
        MEMBER,
        PERSISTENCE,
        TYPE,
        START,
        INCREMENT,
        MIN,
        MAX,
        CACHE,
        CYCLE,
        DEPENDENCY,
        TABLE,
        NUM
    };
    const char *schema = cell_name(r, c[SCHEMA]), *seq_name = cell_name(r, c[NAME]);
    const Rel *rel = intro_by_oid(&r->rels, cell_oid(c[TABLE]));
    if (cell_yes(c[MEMBER]) || intro_left_out(r, schema, seq_name) || (rel && !rel->object))
        return;
    CatSequence *o = catalog_add(r->catalog, CAT_SEQUENCE, schema, seq_name);
    o->owner = cell_name(r, c[OWNER]);
    o->grants = intro_acl(r, &o->id, o->owner, c[ACL]);
    o->type = cell_type(r, c[TYPE]);
    o->start = cell_big(c[START]);
    o->increment = cell_big(c[INCREMENT]);
    o->min = cell_big(c[MIN]);
    o->max = cell_big(c[MAX]);
    o->cache = cell_big(c[CACHE]);
    o->is_cycle = cell_yes(c[CYCLE]);
    o->is_identity = cell_letter(c[DEPENDENCY]) == 'i';
    if (rel) { /* in the same schema, always */
        o->owner_table = (CatName){rel->schema, rel->name};
        o->owner_column = rel_column(rel, cell_int(c[NUM]));
    }
    o->is_unlogged = cell_letter(c[PERSISTENCE]) == 'u';
    intro_remember(r, CLASS_CLASS, cell_oid(c[OID]), o);
}

void
intro_row_function(Reading *r, const Str *c)
{
    enum { OID, SCHEMA, NAME, PROCEDURE, TYPES, ARGUMENTS, RETURNS, DEFINITION, OWNER, ACL };
    const char *schema = cell_name(r, c[SCHEMA]), *fn_name = cell_name(r, c[NAME]);
    if (intro_left_out(r, schema, fn_name))
        return;
    CatFunction *o = catalog_add(r->catalog, CAT_FUNCTION, schema, fn_name);
    o->id.sub = cell_name(r, c[TYPES]);
    o->is_procedure = cell_yes(c[PROCEDURE]);
    o->arguments = cell_text(r, c[ARGUMENTS]);
    o->returns = cell_text(r, c[RETURNS]);
    o->definition = cell_printed(r, str_trim(c[DEFINITION]));
    o->owner = cell_name(r, c[OWNER]);
    o->grants = intro_acl(r, &o->id, o->owner, c[ACL]);
    intro_remember(r, CLASS_PROC, cell_oid(c[OID]), o);
}
