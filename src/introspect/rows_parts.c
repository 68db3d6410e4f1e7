/* Parts of relations. */
#include "introspect/introspect_int.h"

enum { OID_DEFAULT_COLLATION = 100 };

static CatAction
action(Str cell)
{
    switch (cell_letter(cell)) {
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

/* NULL: the name that PostgreSQL gives. */
static const char *
not_null_name(Reading *r, Str cell, const CatRef *of)
{
    const char *name = cell_name(r, cell);
    return strcmp(name, catalog_not_null_name(r->scratch, of->name, of->sub)) == 0 ? NULL : name;
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
        OPERATORS,
        NOT_NULL_COMMENT
    };
    const Rel *rel = intro_by_oid(&r->rels, cell_oid(c[REL]));
    CatObject *of = cell_oid(c[DOMAIN]) ? intro_recall(r, CLASS_TYPE, cell_oid(c[DOMAIN]))
                    : rel               ? rel->object
                                        : NULL;
    if (!of)
        return;
    char letter_ = cell_letter(c[TYPE]);
    if (letter_ == 'n' && of->id.kind == CAT_DOMAIN) {
        CatDomain *domain = (void *)of;
        domain->not_null_name = not_null_name(r, c[NAME], &domain->id);
        domain->not_null_comment = cell_text(r, c[NOT_NULL_COMMENT]);
        return;
    }
    if (letter_ == 'n') {
        Numbers nums = cell_numbers(r, c[COLUMNS]);
        CatColumn *column = nums.n && rel && rel_column(rel, nums.v[0])
                                ? rel->columns.v[nums.v[0] - 1].column
                                : NULL;
        if (!column)
            return;
        column->not_null_name = not_null_name(r, c[NAME], &column->id);
        column->not_null_comment = cell_text(r, c[NOT_NULL_COMMENT]);
        column->is_not_null_unchecked = !cell_yes(c[VALID]);
        column->is_not_null_inherited = cell_yes(c[INHERITED]);
        column->is_not_null_own = !column->is_not_null_inherited;
        column->is_not_null_no_inherit = cell_yes(c[NO_INHERIT]);
        return;
    }
    CatConstraint *o = catalog_add_to(r->catalog, of, CAT_CONSTRAINT, cell_name(r, c[NAME]));
    intro_remember(r, CLASS_CONSTRAINT, cell_oid(c[OID]), o);
    o->type = constraint_type(letter_);
    o->is_deferrable = cell_yes(c[DEFERRABLE]);
    o->is_deferred = cell_yes(c[DEFERRED]);
    o->is_not_enforced = !cell_yes(c[ENFORCED]);
    o->is_not_valid = !cell_yes(c[VALID]) && !o->is_not_enforced;
    o->is_inherited = cell_yes(c[INHERITED]);
    o->is_without_overlaps = cell_yes(c[OVERLAPS]);
    if (o->type == CAT_CHECK) {
        o->expr = cell_printed(r, c[EXPR]);
        o->is_no_inherit = cell_yes(c[NO_INHERIT]);
    } else if (o->type != CAT_EXCLUDE) {
        rel_columns(r, rel, c[COLUMNS], &o->columns);
    }
    Strs operators = intro_array(r->scratch, c[OPERATORS]);
    vec_each (Str, op, &operators)
        vec_add(r->arena, &o->keys)->op = cell_name(r, *op);
    if (o->type != CAT_FOREIGN_KEY)
        return;
    o->ref_table = (CatName){cell_name(r, c[REF_SCHEMA]), cell_name(r, c[REF_NAME])};
    if (c[REF_NAMES].p)
        cell_names(r, c[REF_NAMES], &o->ref_columns);
    else
        rel_columns(r, intro_by_oid(&r->rels, cell_oid(c[REF])), c[REF_COLUMNS], &o->ref_columns);
    rel_columns(r, rel, c[SET_COLUMNS], &o->set_columns);
    o->on_update = action(c[UPDATE]);
    o->on_delete = action(c[DELETE]);
    o->is_match_full = cell_letter(c[MATCH]) == 'f';
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
    Numbers columns = cell_numbers(r, c[COLUMNS]), flags = cell_numbers(r, c[OPTION]);
    Numbers classes = cell_numbers(r, c[OPCLASS]), collations = cell_numbers(r, c[COLLATION]);
    Strs exprs = intro_array(r->scratch, c[EXPRS]);
    size_t nkeys = (size_t)cell_int(c[NKEYS]);
    for (size_t i = nkeys; i < columns.n; i++) {
        const char *column = rel_column(rel, columns.v[i]);
        if (column)
            *vec_add(r->arena, t->include) = column;
    }
    for (size_t i = 0; t->keys && i < nkeys && i < columns.n; i++) {
        /* An exclusion constraint has its keys already, for their operators. */
        CatKey *k = i < t->keys->n ? &t->keys->v[i] : vec_add(r->arena, t->keys);
        unsigned usual = OID_DEFAULT_COLLATION, own = (unsigned)collations.v[i];
        if (columns.v[i] == 0) {
            k->expr = i < exprs.n ? cell_printed(r, exprs.v[i]) : NULL;
        } else {
            k->column = rel_column(rel, columns.v[i]);
            usual = k->column ? rel->columns.v[columns.v[i] - 1].collation : own;
        }
        if (own && own != usual)
            k->collation = intro_collation(r, own);
        const CatName *opclass = intro_by_oid(&r->opclasses, (unsigned)classes.v[i]);
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
    const Rel *rel = intro_by_oid(&r->rels, cell_oid(c[REL]));
    CatRelation *t = rel_relation(r, cell_oid(c[REL]));
    if (!t)
        return;
    const char *index_name = cell_name(r, c[NAME]);
    if (cell_yes(c[REPLICA]) && t->replica_identity == 'i')
        t->replica_index = index_name;
    if (cell_yes(c[CLUSTERED]))
        t->cluster_index = index_name;
    if (c[CONSTRAINT].p) {
        CatConstraint *k = (void *)intro_recall(r, CLASS_CONSTRAINT, cell_oid(c[CONSTRAINT]));
        if (!k)
            return;
        intro_remember(r, CLASS_CLASS, cell_oid(c[OID]), k);
        IndexTarget target = {k->type == CAT_EXCLUDE ? &k->keys : NULL, &k->include, &k->options};
        read_keys(r, rel, &target, c);
        cell_options(r, c[OPTIONS], &k->options);
        k->tablespace = cell_name(r, c[TABLESPACE]);
        k->is_nulls_not_distinct = cell_yes(c[NULLS_NOT_DISTINCT]);
        if (k->type == CAT_EXCLUDE) {
            k->method = cell_name(r, c[METHOD]);
            k->expr = cell_printed(r, c[PREDICATE]);
        }
        return;
    }
    CatIndex *i = catalog_add_to(r->catalog, t, CAT_INDEX, index_name);
    intro_remember(r, CLASS_CLASS, cell_oid(c[OID]), i);
    read_keys(r, rel, &(IndexTarget){&i->keys, &i->include, &i->options}, c);
    cell_options(r, c[OPTIONS], &i->options);
    i->method = str_is(c[METHOD], "btree") ? NULL : cell_name(r, c[METHOD]);
    i->is_unique = cell_yes(c[UNIQUE]);
    i->is_nulls_not_distinct = cell_yes(c[NULLS_NOT_DISTINCT]);
    i->predicate = cell_printed(r, c[PREDICATE]);
    i->tablespace = cell_name(r, c[TABLESPACE]);
    i->parent = (CatName){cell_name(r, c[PARENT_SCHEMA]), cell_name(r, c[PARENT])};
    if (!cell_yes(c[VALID]))
        *(cell_letter(c[KIND]) == 'I' ? &i->is_only : &i->is_invalid) = true;
}

void
intro_row_index_option(Reading *r, const Str *c)
{
    CatObject *o = intro_recall(r, CLASS_CLASS, cell_oid(c[0]));
    if (!o)
        return;
    CatKeys *keys = o->id.kind == CAT_INDEX ? &((CatIndex *)(void *)o)->keys
                                            : &((CatConstraint *)(void *)o)->keys;
    size_t i = (size_t)cell_int(c[1]) - 1;
    if (o->id.kind == CAT_INDEX && c[3].n)
        *vec_add(r->arena, &((CatIndex *)(void *)o)->statistics) =
            str_fmt(r->arena, "%zu=" STR_FMT, i + 1, STR_ARG(c[3]));
    CatTexts list = {0};
    cell_options(r, c[2], &list);
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
    return cell_letter(cell) == 'O' ? '\0' : cell_letter(cell);
}

void
intro_row_trigger(Reading *r, const Str *c)
{
    CatRelation *t = rel_relation(r, cell_oid(c[1]));
    if (!t)
        return;
    CatTrigger *o = catalog_add_to(r->catalog, t, CAT_TRIGGER, cell_name(r, c[2]));
    o->function = cell_qualified(r, c[3], c[4]);
    o->definition = cell_printed(r, c[5]);
    o->enabled = enabled(c[6]);
    o->is_inherited = !c[5].p;
    if (o->is_inherited)
        return;
    intro_remember(r, CLASS_TRIGGER, cell_oid(c[0]), o);
}

void
intro_row_rule(Reading *r, const Str *c)
{
    CatRelation *t = rel_relation(r, cell_oid(c[1]));
    if (!t)
        return;
    if (!c[3].p) { /* a view's query: what it uses, the view uses */
        intro_remember(r, CLASS_REWRITE, cell_oid(c[0]), t);
        return;
    }
    CatRule *o = catalog_add_to(r->catalog, t, CAT_RULE, cell_name(r, c[2]));
    o->definition = cell_statement(r, c[3]);
    o->enabled = enabled(c[4]);
    intro_remember(r, CLASS_REWRITE, cell_oid(c[0]), o);
}

void
intro_row_policy(Reading *r, const Str *c)
{
    CatRelation *t = rel_relation(r, cell_oid(c[1]));
    if (!t)
        return;
    CatPolicy *o = catalog_add_to(r->catalog, t, CAT_POLICY, cell_name(r, c[2]));
    o->command = cell_letter(c[3]) == '*' ? '\0' : cell_letter(c[3]);
    o->is_restrictive = !cell_yes(c[4]);
    cell_names(r, c[5], &o->roles);
    o->using_expr = cell_printed(r, c[6]);
    o->check_expr = cell_printed(r, c[7]);
    intro_remember(r, CLASS_POLICY, cell_oid(c[0]), o);
}
