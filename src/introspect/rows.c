/* Rows of the queries become objects. The cells of each row are in the order of its query. */
#include "introspect/introspect_int.h"

#include <stdlib.h>

/* Oids of the system catalogs, which never change (src/include/catalog of PostgreSQL). */
enum {
    CLASS_TYPE = 1247,
    CLASS_PROC = 1255,
    CLASS_CLASS = 1259,
    CLASS_ATTRDEF = 2604,
    CLASS_CONSTRAINT = 2606,
    CLASS_NAMESPACE = 2615,
    CLASS_REWRITE = 2618,
    CLASS_TRIGGER = 2620,
    CLASS_POLICY = 3256,
};

enum { OID_DEFAULT_COLLATION = 100 };

/* ---- cells --------------------------------------------------------------------------------- */

static unsigned
oid(Str cell)
{
    long long value = 0;
    if (cell.n)
        str_to_int(cell, 0, UINT32_MAX, &value);
    return (unsigned)value;
}

static int
number(Str cell)
{
    long long value = 0;
    if (cell.n)
        str_to_int(cell, INT32_MIN, INT32_MAX, &value);
    return (int)value;
}

static int64_t
big(Str cell)
{
    long long value = 0;
    if (cell.n)
        str_to_int(cell, INT64_MIN, INT64_MAX, &value);
    return value;
}

static bool
yes(Str cell)
{
    return cell.n && cell.p[0] == 't';
}

static char
letter(Str cell)
{
    return cell.n ? cell.p[0] : '\0';
}

/* NULL and "" are absent. */
static const char *
text(Reading *r, Str cell)
{
    return cell.n ? str_dup(r->arena, cell) : NULL;
}

/* What the server printed of an object; it sees the present, and there it was gone when it is "".
 */
static const char *
printed(Reading *r, Str cell)
{
    r->is_torn = r->is_torn || (cell.p && !cell.n);
    return text(r, cell);
}

/* A text that comes often: a name. */
static const char *
name(Reading *r, Str cell)
{
    if (!cell.p)
        return NULL;
    const char *known = map_get(&r->names, cell);
    if (known)
        return known;
    char *copy = str_dup(r->arena, cell);
    map_put(&r->names, (Str){copy, cell.n}, copy);
    return copy;
}

/* schema, name -> CatName, whose schema is NULL for pg_catalog. */
static CatName
qualified(Reading *r, Str schema, Str name_)
{
    return (CatName){str_is(schema, "pg_catalog") ? NULL : name(r, schema), name(r, name_)};
}

static CatType
type(Reading *r, Str cell)
{
    CatType *known = map_get(&r->types, cell);
    if (!known) {
        known = arena_new(r->scratch, CatType);
        *known = catalog_type(r->arena, cell);
        r->is_torn = r->is_torn || str_starts(cell, STR("???")); /* format_type's word for gone */
        map_put(&r->types, str_copy(r->scratch, cell), known);
    }
    return *known;
}

/* key=value; minor releases since November 2026 keep pg_attver among the options of columns. */
static void
options(Reading *r, Str cell, CatTexts *ret)
{
    Strs items = intro_array(r->scratch, cell);
    vec_each (Str, item, &items)
        if (!str_starts(*item, STR("pg_attver=")))
            *vec_add(r->arena, ret) = name(r, *item);
}

static void
names(Reading *r, Str cell, CatTexts *ret)
{
    Strs items = intro_array(r->scratch, cell);
    vec_each (Str, item, &items)
        *vec_add(r->arena, ret) = name(r, *item);
}

/* Numbers of an array "{1,2}" or of a vector "1 2". */
typedef VEC(long long) Numbers;

static Numbers
numbers(Reading *r, Str cell)
{
    Numbers out = {0};
    long long value = 0;
    bool in = false, minus = false;
    for (size_t i = 0; i <= cell.n; i++) {
        char c = i < cell.n ? cell.p[i] : ' ';
        if (c == '-')
            minus = true;
        else if (c >= '0' && c <= '9') {
            value = value * 10 + (c - '0');
            in = true;
        } else {
            if (in)
                *vec_add(r->scratch, &out) = minus ? -value : value;
            value = 0;
            in = minus = false;
        }
    }
    return out;
}

/* ---- what was read ------------------------------------------------------------------------- */

static Str
key_of(Reading *r, const unsigned *parts, size_t n)
{
    unsigned *copy = arena_array(r->scratch, unsigned, n);
    memcpy(copy, parts, n * sizeof *parts);
    return (Str){(const char *)copy, n * sizeof *parts};
}

static void *
by_oid(const Map *map, unsigned id)
{
    return map_get(map, (Str){(const char *)&id, sizeof id});
}

static void
put_oid(Reading *r, Map *map, unsigned id, void *value)
{
    map_put(map, key_of(r, &id, 1), value);
}

static void
remember(Reading *r, unsigned class, unsigned id, void *object)
{
    if (id)
        map_put(&r->objects, key_of(r, (unsigned[]){class, id}, 2), object);
}

static CatObject *
recall(const Reading *r, unsigned class, unsigned id)
{
    unsigned key[] = {class, id};
    return map_get(&r->objects, (Str){(const char *)key, sizeof key});
}

static bool
left_out(const Reading *r, const char *schema, const char *object)
{
    const IntrospectOptions *o = r->options;
    if (!o || !o->nexcept)
        return false;
    const char *full = str_fmt(r->scratch, "%s.%s", schema, object);
    for (size_t i = 0; i < o->nexcept; i++)
        if (strchr(o->except[i], '.') && introspect_matches(o->except[i], full))
            return true;
    return false;
}

static bool
wanted_schema(const Reading *r, const char *schema)
{
    const IntrospectOptions *o = r->options;
    if (!o)
        return true;
    bool wanted = !o->nschemas;
    for (size_t i = 0; i < o->nschemas; i++)
        wanted = wanted || introspect_matches(o->schemas[i], schema);
    for (size_t i = 0; i < o->nexcept; i++)
        if (!strchr(o->except[i], '.') && introspect_matches(o->except[i], schema))
            return false;
    return wanted;
}

static Rel *
add_rel(Reading *r, unsigned id, CatObject *object, const char *schema, const char *rel_name)
{
    Rel *rel = arena_new(r->scratch, Rel);
    *rel = (Rel){.object = object, .schema = schema, .name = rel_name};
    put_oid(r, &r->rels, id, rel);
    if (object)
        remember(r, CLASS_CLASS, id, object);
    return rel;
}

/* The relation of that oid, when it is in the catalog. */
static CatRelation *
relation(const Reading *r, unsigned id)
{
    const Rel *rel = by_oid(&r->rels, id);
    if (!rel || !rel->object || rel->object->id.kind == CAT_COMPOSITE)
        return NULL;
    return (CatRelation *)(void *)rel->object;
}

static const char *
column_name(const Rel *rel, long long number_)
{
    if (!rel || number_ < 1 || (size_t)number_ > rel->columns.n)
        return NULL;
    return rel->columns.v[number_ - 1].name;
}

static void
column_names(Reading *r, const Rel *rel, Str cell, CatTexts *ret)
{
    Numbers list = numbers(r, cell);
    vec_each (long long, k, &list) {
        const char *column = column_name(rel, *k);
        if (column)
            *vec_add(r->arena, ret) = column;
    }
}

void
intro_finish(Reading *r)
{
    for (size_t i = 0; i < r->rels.n; i++) {
        const Rel *rel = r->rels.entries[i].value;
        if (!rel->object)
            continue;
        CatColumns *list = rel->object->id.kind == CAT_COMPOSITE
                               ? &((CatComposite *)(void *)rel->object)->columns
                               : &((CatRelation *)(void *)rel->object)->columns;
        size_t n = 0;
        vec_each (const RelColumn, c, &rel->columns)
            if (c->column)
                list->v[n++] = c->column;
    }
}

/* ---- schemas, extensions, types ------------------------------------------------------------ */

void
intro_row_schema(Reading *r, const Str *c)
{
    const char *schema = name(r, c[1]);
    if (!wanted_schema(r, schema))
        return;
    *vec_add(r->scratch, &r->schemas) = oid(c[0]);
    if (yes(c[4])) /* an extension's schema may hold objects of users */
        return;
    CatSchema *o = catalog_add(r->catalog, CAT_SCHEMA, NULL, schema);
    o->owner = name(r, c[2]);
    o->grants = intro_acl(r, &o->id, o->owner, c[3]);
    remember(r, CLASS_NAMESPACE, oid(c[0]), o);
}

void
intro_row_extension(Reading *r, const Str *c)
{
    CatExtension *o = catalog_add(r->catalog, CAT_EXTENSION, NULL, name(r, c[1]));
    o->in_schema = name(r, c[2]);
    o->version = text(r, c[3]);
    o->owner = name(r, c[4]);
}

void
intro_row_opclass(Reading *r, const Str *c)
{
    CatName *o = arena_new(r->scratch, CatName);
    *o = qualified(r, c[1], c[2]);
    put_oid(r, &r->opclasses, oid(c[0]), o);
}

void
intro_row_collation(Reading *r, const Str *c)
{
    CatName *o = arena_new(r->scratch, CatName);
    *o = qualified(r, c[1], c[2]);
    put_oid(r, &r->collations, oid(c[0]), o);
}

static CatName
collation(const Reading *r, unsigned id)
{
    const CatName *o = id ? by_oid(&r->collations, id) : NULL;
    return o ? *o : (CatName){0};
}

void
intro_row_type(Reading *r, const Str *c)
{
    const char *schema = name(r, c[2]), *type_name = name(r, c[3]);
    char kind = letter(c[4]);
    bool skip = yes(c[8]) || left_out(r, schema, type_name);
    CatObject *o = NULL;
    if (!skip) {
        CatKind k = kind == 'e' ? CAT_ENUM : kind == 'd' ? CAT_DOMAIN : CAT_COMPOSITE;
        o = catalog_add(r->catalog, k, schema, type_name);
        o->owner = name(r, c[6]);
        o->grants = intro_acl(r, &o->id, o->owner, c[7]);
        remember(r, CLASS_TYPE, oid(c[0]), o);
        remember(r, CLASS_TYPE, oid(c[1]), o);
    }
    if (kind == 'c')
        add_rel(r, oid(c[5]), o, schema, type_name);
    if (kind != 'd' || skip)
        return;
    CatDomain *d = (void *)o;
    d->type = type(r, c[9]);
    d->is_not_null = yes(c[10]);
    d->default_expr = text(r, c[11]);
    d->collation = collation(r, oid(c[12]));
}

void
intro_row_label(Reading *r, const Str *c)
{
    CatEnum *e = (void *)recall(r, CLASS_TYPE, oid(c[0]));
    if (e)
        *vec_add(r->arena, &e->labels) = name(r, c[1]);
}

/* ---- relations ----------------------------------------------------------------------------- */

/* A statement without its semicolon. */
static const char *
statement(Reading *r, Str cell)
{
    Str trimmed = str_trim(cell);
    if (str_ends(trimmed, STR(";")))
        trimmed.n--;
    return printed(r, trimmed);
}

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
    const char *schema = name(r, c[SCHEMA]), *rel_name = name(r, c[NAME]);
    char kind = letter(c[KIND]);
    if (yes(c[MEMBER]) || left_out(r, schema, rel_name)) {
        add_rel(r, oid(c[OID]), NULL, schema, rel_name);
        return;
    }
    CatKind k = kind == 'v' ? CAT_VIEW : kind == 'm' ? CAT_MATVIEW : CAT_TABLE;
    CatRelation *o = catalog_add(r->catalog, k, schema, rel_name);
    add_rel(r, oid(c[OID]), (CatObject *)o, schema, rel_name);
    remember(r, CLASS_TYPE, oid(c[ROWTYPE]), o);
    remember(r, CLASS_TYPE, oid(c[ROWARRAY]), o);
    o->owner = name(r, c[OWNER]);
    o->grants = intro_acl(r, &o->id, o->owner, c[ACL]);
    o->is_unlogged = letter(c[PERSISTENCE]) == 'u';
    options(r, c[OPTIONS], &o->options);
    options(r, c[TOAST_OPTIONS], &o->toast_options);
    o->tablespace = name(r, c[TABLESPACE]);
    o->access_method = name(r, c[METHOD]);
    /* Tables say d, views and system tables n. */
    if (k != CAT_VIEW && letter(c[REPLICA]) != 'd')
        o->replica_identity = letter(c[REPLICA]);
    o->is_rls = yes(c[RLS]);
    o->is_rls_forced = yes(c[RLS_FORCED]);
    o->partition_key = text(r, c[PARTITION_KEY]);
    o->partition_bound = text(r, c[BOUND]);
    Strs parents = intro_array(r->scratch, c[PARENTS]);
    for (size_t i = 0; i + 1 < parents.n; i += 2) {
        CatName parent = {name(r, parents.v[i]), name(r, parents.v[i + 1])};
        if (yes(c[IS_PARTITION]))
            o->partition_of = parent;
        else
            *vec_add(r->arena, &o->inherits) = parent;
    }
    o->of_type = (CatName){name(r, c[OF_SCHEMA]), name(r, c[OF_NAME])};
    o->query = statement(r, c[QUERY]);
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
    Rel *rel = by_oid(&r->rels, oid(c[REL]));
    int num = number(c[NUM]);
    if (!rel || num < 1)
        return;
    while (rel->columns.n < (size_t)num) /* a gap is a dropped column */
        *vec_add(r->scratch, &rel->columns) = (RelColumn){0};
    const char *column = name(r, c[NAME]);
    rel->columns.v[num - 1].name = column;
    rel->columns.v[num - 1].collation = oid(c[COLLATION]);
    if (!rel->object)
        return;
    CatColumn *o = catalog_add_to(r->catalog, rel->object, CAT_COLUMN, column);
    rel->columns.v[num - 1].column = o;
    o->type = type(r, c[TYPE]);
    o->is_not_null = yes(c[NOT_NULL]);
    o->identity = letter(c[IDENTITY]) == 'a'   ? CAT_ALWAYS
                  : letter(c[IDENTITY]) == 'd' ? CAT_BY_DEFAULT
                                               : CAT_NO_IDENTITY;
    o->generated = letter(c[GENERATED]) == 's'   ? CAT_STORED
                   : letter(c[GENERATED]) == 'v' ? CAT_VIRTUAL
                                                 : CAT_NOT_GENERATED;
    if (yes(c[OWN_COLLATION]))
        o->collation = collation(r, oid(c[COLLATION]));
    o->storage = letter(c[STORAGE]);
    o->compression = letter(c[COMPRESSION]);
    o->statistics = text(r, c[STATISTICS]);
    options(r, c[OPTIONS], &o->options);
    o->is_inherited = yes(c[INHERITED]);
    o->grants = intro_acl(r, &o->id, NULL, c[ACL]);
    remember(r, CLASS_ATTRDEF, oid(c[DEFAULT_OID]), o);
    o->default_expr = printed(r, c[DEFAULT]);
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
    const char *schema = name(r, c[SCHEMA]), *seq_name = name(r, c[NAME]);
    const Rel *rel = by_oid(&r->rels, oid(c[TABLE]));
    if (yes(c[MEMBER]) || left_out(r, schema, seq_name) || (rel && !rel->object))
        return;
    CatSequence *o = catalog_add(r->catalog, CAT_SEQUENCE, schema, seq_name);
    o->owner = name(r, c[OWNER]);
    o->grants = intro_acl(r, &o->id, o->owner, c[ACL]);
    o->type = type(r, c[TYPE]);
    o->start = big(c[START]);
    o->increment = big(c[INCREMENT]);
    o->min = big(c[MIN]);
    o->max = big(c[MAX]);
    o->cache = big(c[CACHE]);
    o->is_cycle = yes(c[CYCLE]);
    o->is_identity = letter(c[DEPENDENCY]) == 'i';
    if (rel) { /* in the same schema, always */
        o->owner_table = (CatName){rel->schema, rel->name};
        o->owner_column = column_name(rel, number(c[NUM]));
    }
    o->is_unlogged = letter(c[PERSISTENCE]) == 'u';
    remember(r, CLASS_CLASS, oid(c[OID]), o);
}

void
intro_row_function(Reading *r, const Str *c)
{
    enum { OID, SCHEMA, NAME, PROCEDURE, TYPES, ARGUMENTS, RETURNS, DEFINITION, OWNER, ACL };
    const char *schema = name(r, c[SCHEMA]), *fn_name = name(r, c[NAME]);
    if (left_out(r, schema, fn_name))
        return;
    CatFunction *o = catalog_add(r->catalog, CAT_FUNCTION, schema, fn_name);
    o->id.sub = name(r, c[TYPES]);
    o->is_procedure = yes(c[PROCEDURE]);
    o->arguments = text(r, c[ARGUMENTS]);
    o->returns = text(r, c[RETURNS]);
    o->definition = printed(r, str_trim(c[DEFINITION]));
    o->owner = name(r, c[OWNER]);
    o->grants = intro_acl(r, &o->id, o->owner, c[ACL]);
    remember(r, CLASS_PROC, oid(c[OID]), o);
}

/* ---- parts of relations -------------------------------------------------------------------- */

static CatAction
action(Str cell)
{
    switch (letter(cell)) {
    case 'r':
        return CAT_RESTRICT;
    case 'c':
        return CAT_CASCADE;
    case 'n':
        return CAT_SET_NULL;
    case 'd':
        return CAT_SET_DEFAULT;
    default:
        return CAT_NO_ACTION;
    }
}

static CatConstraintType
constraint_type(char c)
{
    return c == 'p'   ? CAT_PRIMARY_KEY
           : c == 'u' ? CAT_UNIQUE
           : c == 'x' ? CAT_EXCLUDE
           : c == 'f' ? CAT_FOREIGN_KEY
                      : CAT_CHECK;
}

void
intro_row_constraint(Reading *r, const Str *c)
{
    enum {
        OID,
        REL,
        DOMAIN,
        NAME,
        TYPE,
        DEFERRABLE,
        DEFERRED,
        VALID,
        COLUMNS,
        REF,
        REF_SCHEMA,
        REF_NAME,
        REF_COLUMNS,
        REF_NAMES,
        UPDATE,
        DELETE,
        MATCH,
        NO_INHERIT,
        INHERITED,
        EXPR,
        SET_COLUMNS,
        ENFORCED,
        OVERLAPS,
        OPERATORS
    };
    const Rel *rel = by_oid(&r->rels, oid(c[REL]));
    CatObject *of = oid(c[DOMAIN]) ? recall(r, CLASS_TYPE, oid(c[DOMAIN]))
                    : rel          ? rel->object
                                   : NULL;
    if (!of)
        return;
    char letter_ = letter(c[TYPE]);
    if (letter_ == 'n') {
        Numbers nums = numbers(r, c[COLUMNS]);
        if (nums.n && rel && column_name(rel, nums.v[0]))
            rel->columns.v[nums.v[0] - 1].column->is_not_null_unchecked = true;
        return;
    }
    CatConstraint *o = catalog_add_to(r->catalog, of, CAT_CONSTRAINT, name(r, c[NAME]));
    remember(r, CLASS_CONSTRAINT, oid(c[OID]), o);
    o->type = constraint_type(letter_);
    o->is_deferrable = yes(c[DEFERRABLE]);
    o->is_deferred = yes(c[DEFERRED]);
    o->is_not_enforced = !yes(c[ENFORCED]);
    o->is_not_valid = !yes(c[VALID]) && !o->is_not_enforced;
    o->is_inherited = yes(c[INHERITED]);
    o->is_without_overlaps = yes(c[OVERLAPS]);
    if (o->type == CAT_CHECK) {
        o->expr = printed(r, c[EXPR]);
        o->is_no_inherit = yes(c[NO_INHERIT]);
    } else if (o->type != CAT_EXCLUDE) {
        column_names(r, rel, c[COLUMNS], &o->columns);
    }
    Strs operators = intro_array(r->scratch, c[OPERATORS]);
    vec_each (Str, op, &operators)
        vec_add(r->arena, &o->keys)->op = name(r, *op);
    if (o->type != CAT_FOREIGN_KEY)
        return;
    o->ref_table = (CatName){name(r, c[REF_SCHEMA]), name(r, c[REF_NAME])};
    if (c[REF_NAMES].p)
        names(r, c[REF_NAMES], &o->ref_columns);
    else
        column_names(r, by_oid(&r->rels, oid(c[REF])), c[REF_COLUMNS], &o->ref_columns);
    column_names(r, rel, c[SET_COLUMNS], &o->set_columns);
    o->on_update = action(c[UPDATE]);
    o->on_delete = action(c[DELETE]);
    o->is_match_full = letter(c[MATCH]) == 'f';
}

/* Where an index is told: in an object of its own, or in the constraint that owns it. */
typedef struct IndexTarget {
    CatKeys *keys; /* NULL: the constraint's columns say it */
    CatTexts *include, *options;
} IndexTarget;

static void
read_keys(Reading *r, const Rel *rel, IndexTarget *t, const Str *c)
{
    /* In the order of row_index. */
    enum { NKEYS = 8, COLUMNS, OPTION, OPCLASS, COLLATION, EXPRS };
    Numbers columns = numbers(r, c[COLUMNS]), flags = numbers(r, c[OPTION]);
    Numbers classes = numbers(r, c[OPCLASS]), collations = numbers(r, c[COLLATION]);
    Strs exprs = intro_array(r->scratch, c[EXPRS]);
    size_t nkeys = (size_t)number(c[NKEYS]);
    for (size_t i = nkeys; i < columns.n; i++) {
        const char *column = column_name(rel, columns.v[i]);
        if (column)
            *vec_add(r->arena, t->include) = column;
    }
    for (size_t i = 0; t->keys && i < nkeys && i < columns.n; i++) {
        /* An exclusion constraint has its keys already, for their operators. */
        CatKey *k = i < t->keys->n ? &t->keys->v[i] : vec_add(r->arena, t->keys);
        unsigned usual = OID_DEFAULT_COLLATION, own = (unsigned)collations.v[i];
        if (columns.v[i] == 0) {
            k->expr = i < exprs.n ? printed(r, exprs.v[i]) : NULL;
        } else {
            k->column = column_name(rel, columns.v[i]);
            usual = k->column ? rel->columns.v[columns.v[i] - 1].collation : own;
        }
        if (own && own != usual)
            k->collation = collation(r, own);
        const CatName *opclass = by_oid(&r->opclasses, (unsigned)classes.v[i]);
        if (opclass)
            k->opclass = *opclass;
        bool first = flags.v[i] & 2;
        k->is_desc = flags.v[i] & 1;
        k->is_nulls_reversed = first != k->is_desc;
    }
}

void
intro_row_index(Reading *r, const Str *c)
{
    enum {
        OID,
        NAME,
        KIND,
        REL,
        CONSTRAINT,
        METHOD,
        UNIQUE,
        NULLS_NOT_DISTINCT,
        NKEYS,
        COLUMNS,
        OPTION,
        OPCLASS,
        COLLATION,
        EXPRS,
        PREDICATE,
        OPTIONS,
        TABLESPACE,
        PARENT_SCHEMA,
        PARENT,
        VALID,
        REPLICA,
        CLUSTERED
    };
    const Rel *rel = by_oid(&r->rels, oid(c[REL]));
    CatRelation *t = relation(r, oid(c[REL]));
    if (!t)
        return;
    const char *index_name = name(r, c[NAME]);
    if (yes(c[REPLICA]) && t->replica_identity == 'i')
        t->replica_index = index_name;
    if (yes(c[CLUSTERED]))
        t->cluster_index = index_name;
    if (c[CONSTRAINT].p) {
        CatConstraint *k = (void *)recall(r, CLASS_CONSTRAINT, oid(c[CONSTRAINT]));
        if (!k)
            return;
        remember(r, CLASS_CLASS, oid(c[OID]), k);
        IndexTarget target = {k->type == CAT_EXCLUDE ? &k->keys : NULL, &k->include, &k->options};
        read_keys(r, rel, &target, c);
        options(r, c[OPTIONS], &k->options);
        k->tablespace = name(r, c[TABLESPACE]);
        k->is_nulls_not_distinct = yes(c[NULLS_NOT_DISTINCT]);
        if (k->type == CAT_EXCLUDE) {
            k->method = name(r, c[METHOD]);
            k->expr = printed(r, c[PREDICATE]);
        }
        return;
    }
    CatIndex *i = catalog_add_to(r->catalog, t, CAT_INDEX, index_name);
    remember(r, CLASS_CLASS, oid(c[OID]), i);
    read_keys(r, rel, &(IndexTarget){&i->keys, &i->include, &i->options}, c);
    options(r, c[OPTIONS], &i->options);
    i->method = str_is(c[METHOD], "btree") ? NULL : name(r, c[METHOD]);
    i->is_unique = yes(c[UNIQUE]);
    i->is_nulls_not_distinct = yes(c[NULLS_NOT_DISTINCT]);
    i->predicate = printed(r, c[PREDICATE]);
    i->tablespace = name(r, c[TABLESPACE]);
    i->parent = (CatName){name(r, c[PARENT_SCHEMA]), name(r, c[PARENT])};
    if (!yes(c[VALID]))
        *(letter(c[KIND]) == 'I' ? &i->is_only : &i->is_invalid) = true;
}

void
intro_row_index_option(Reading *r, const Str *c)
{
    CatObject *o = recall(r, CLASS_CLASS, oid(c[0]));
    if (!o)
        return;
    CatKeys *keys = o->id.kind == CAT_INDEX ? &((CatIndex *)(void *)o)->keys
                                            : &((CatConstraint *)(void *)o)->keys;
    size_t i = (size_t)number(c[1]) - 1;
    CatTexts list = {0};
    options(r, c[2], &list);
    Buf b;
    buf_init(&b, r->arena);
    for (size_t k = 0; k < list.n; k++)
        buf_fmt(&b, "%s%s", k ? ", " : "", list.v[k]);
    if (i < keys->n && b.n)
        keys->v[i].opclass_args = b.p;
}

/* O means origin and local: as made. */
static char
enabled(Str cell)
{
    return letter(cell) == 'O' ? '\0' : letter(cell);
}

void
intro_row_trigger(Reading *r, const Str *c)
{
    CatRelation *t = relation(r, oid(c[1]));
    if (!t)
        return;
    CatTrigger *o = catalog_add_to(r->catalog, t, CAT_TRIGGER, name(r, c[2]));
    o->function = qualified(r, c[3], c[4]);
    o->definition = printed(r, c[5]);
    o->enabled = enabled(c[6]);
    remember(r, CLASS_TRIGGER, oid(c[0]), o);
}

void
intro_row_rule(Reading *r, const Str *c)
{
    CatRelation *t = relation(r, oid(c[1]));
    if (!t)
        return;
    if (!c[3].p) { /* a view's query: what it uses, the view uses */
        remember(r, CLASS_REWRITE, oid(c[0]), t);
        return;
    }
    CatRule *o = catalog_add_to(r->catalog, t, CAT_RULE, name(r, c[2]));
    o->definition = statement(r, c[3]);
    o->enabled = enabled(c[4]);
    remember(r, CLASS_REWRITE, oid(c[0]), o);
}

void
intro_row_policy(Reading *r, const Str *c)
{
    CatRelation *t = relation(r, oid(c[1]));
    if (!t)
        return;
    CatPolicy *o = catalog_add_to(r->catalog, t, CAT_POLICY, name(r, c[2]));
    o->command = letter(c[3]) == '*' ? '\0' : letter(c[3]);
    o->is_restrictive = !yes(c[4]);
    names(r, c[5], &o->roles);
    o->using_expr = printed(r, c[6]);
    o->check_expr = printed(r, c[7]);
    remember(r, CLASS_POLICY, oid(c[0]), o);
}

/* ---- comments, dependencies, the rest ------------------------------------------------------- */

void
intro_row_comment(Reading *r, const Str *c)
{
    unsigned class = oid(c[0]), id = oid(c[1]);
    int num = number(c[2]);
    CatObject *o = recall(r, class, id);
    if (class == CLASS_CLASS && num > 0) {
        const Rel *rel = by_oid(&r->rels, id);
        o = column_name(rel, num) ? (CatObject *)rel->columns.v[num - 1].column : NULL;
    }
    if (!o || (o->id.kind == CAT_SCHEMA && str_is(c[3], "standard public schema")))
        return; /* initdb's */
    /* The index of a constraint is the constraint; what is said of the latter is said of it. */
    if (class == CLASS_CLASS && o->id.kind == CAT_CONSTRAINT && o->comment)
        return;
    o->comment = text(r, c[3]);
}

void
intro_row_dependency(Reading *r, const Str *c)
{
    CatObject *o = recall(r, oid(c[0]), oid(c[1]));
    const CatObject *on = recall(r, oid(c[2]), oid(c[3]));
    if (!o || !on || o == on)
        return;
    /* Parents and types of tables, functions of triggers are fields. */
    if (o->id.kind == CAT_TRIGGER || (o->id.kind == CAT_TABLE && oid(c[0]) == CLASS_CLASS))
        return;
    CatRef need = on->id;
    int num = number(c[4]);
    const Rel *rel = num ? by_oid(&r->rels, oid(c[3])) : NULL;
    if (rel && column_name(rel, num))
        need = rel->columns.v[num - 1].column->id;
    if (o->id.sub && strcmp(o->id.name, need.name) == 0 && strcmp(o->id.schema, need.schema) == 0)
        return; /* of its own relation */
    *vec_add(r->arena, &o->needs) = need;
}

void
intro_row_other(Reading *r, const Str *c)
{
    const char *schema = name(r, c[1]);
    if (schema && (!wanted_schema(r, schema) || left_out(r, schema, name(r, c[2]))))
        return;
    *vec_add(r->arena, &r->catalog->others) = (CatOther){name(r, c[0]), schema, name(r, c[2])};
}
