/* What Prisma's language cannot say: comments above the models, and findings. */
#include "bridge/pull_int.h"

void
pull_find(PullCtx *c, FindingId id, const char *object)
{
    Finding *f =
        finding_addz(&c->out->findings, id, finding_info(id)->severity, finding_info(id)->meaning);
    f->object = object;
}

/* ---- models -------------------------------------------------------------------------------- */

static void
doc(PullCtx *c, PullModel *m, const char *text)
{
    *vec_add(c->a, &m->docs) = text;
}

static const char *
constraint_item(PullCtx *c, const PullModel *m, const char *name)
{
    return str_fmt(c->a, "Model: \"%s\", constraint: \"%s\"", m->name, name);
}

static bool
note_constraints(PullCtx *c, const PullModel *m, CatConstraintType type, FindingId id)
{
    bool found = false;
    cat_each (CatConstraint, k, &m->table->constraints) {
        if (k->type != type)
            continue;
        found = true;
        pull_find(c, id, constraint_item(c, m, k->id.sub));
    }
    return found;
}

static const char *
constraint_detail(const CatConstraint *k)
{
    return k->is_without_overlaps && k->type != CAT_FOREIGN_KEY
               ? "WITHOUT OVERLAPS, it was left out"
           : k->is_not_enforced ? "NOT ENFORCED"
                                : NULL;
}

/* What PostgreSQL 18 brought. */
static void
note_details(PullCtx *c, const PullModel *m)
{
    cat_each (CatConstraint, k, &m->table->constraints)
        if (constraint_detail(k))
            pull_find(
                c, FINDING_PULL_CONSTRAINT_DETAIL,
                str_fmt(c->a, "%s: %s", constraint_item(c, m, k->id.sub), constraint_detail(k)));
    vec_each (const PullField, f, &m->fields) {
        const CatColumn *k = f->column;
        if (k->is_not_null_unchecked || k->not_null_name)
            pull_find(c, FINDING_PULL_CONSTRAINT_DETAIL,
                      str_fmt(c->a, "Model: \"%s\", field: \"%s\": %s%s%s", m->name, f->name,
                              k->not_null_name ? "the name of NOT NULL, " : "NOT NULL",
                              k->not_null_name ? k->not_null_name : "",
                              k->is_not_null_unchecked ? ", NOT VALID: rows may have NULL" : ""));
    }
}

static bool
note_deferrable(PullCtx *c, const PullModel *m)
{
    bool found = false;
    cat_each (CatConstraint, k, &m->table->constraints) {
        if (!k->is_deferrable || k->type == CAT_EXCLUDE || k->type == CAT_CHECK)
            continue;
        found = true;
        pull_find(c, FINDING_PULL_DEFERRABLE, constraint_item(c, m, k->id.sub));
    }
    return found;
}

static const char *
index_detail(PullCtx *c, const CatIndex *index)
{
    Buf b;
    buf_init(&b, c->a);
    if (index->include.n)
        buf_addz(&b, ", INCLUDE");
    if (index->is_nulls_not_distinct)
        buf_addz(&b, ", NULLS NOT DISTINCT");
    if (index->options.n)
        buf_addz(&b, ", storage parameters");
    vec_each (const CatKey, key, &index->keys) {
        if (key->collation.name)
            buf_fmt(&b, ", collation of \"%s\"", key->column);
        if (key->opclass.name && (index->is_unique || key->opclass_args))
            buf_fmt(&b, ", operator class of \"%s\"", key->column);
    }
    return b.n ? b.p + 2 : NULL;
}

static void
note_indexes(PullCtx *c, const PullModel *m, bool *ret_null_order, bool *ret_expression,
             bool *ret_partial)
{
    cat_each (CatIndex, i, &m->table->indexes) {
        bool expression = false;
        vec_each (const CatKey, key, &i->keys)
            expression = expression || key->expr;
        if (expression) {
            *ret_expression = true;
            pull_find(c, FINDING_PULL_EXPRESSION_INDEX, constraint_item(c, m, i->id.name));
            continue;
        }
        if (pull_is_unsayable(c, &m->table->id, i->id.name)) {
            pull_find(c, FINDING_PULL_INDEX, constraint_item(c, m, i->id.name));
            continue;
        }
        vec_each (const CatKey, key, &i->keys)
            if (key->is_nulls_reversed) {
                *ret_null_order = true;
                pull_find(c, FINDING_PULL_NULL_ORDER,
                          str_fmt(c->a, "Index: \"%s\", column: \"%s\"", i->id.name, key->column));
            }
        const char *item = str_fmt(c->a, "Model: \"%s\", index: \"%s\"", m->name, i->id.name);
        if (i->predicate && !c->has_partial) {
            *ret_partial = true;
            pull_find(c, FINDING_PULL_PARTIAL_INDEX, item);
        } else if (index_detail(c, i)) {
            pull_find(c, FINDING_PULL_INDEX_DETAIL,
                      str_fmt(c->a, "%s: %s", item, index_detail(c, i)));
        }
    }
    cat_each (CatConstraint, k, &m->table->constraints)
        if (pull_is_unsayable(c, &m->table->id, k->id.sub))
            pull_find(c, FINDING_PULL_INDEX, constraint_item(c, m, k->id.sub));
        else if (k->include.n || k->is_nulls_not_distinct)
            pull_find(c, FINDING_PULL_INDEX_DETAIL,
                      str_fmt(c->a, "Model: \"%s\", index: \"%s\": %s", m->name, k->id.sub,
                              k->include.n ? "INCLUDE" : "NULLS NOT DISTINCT"));
}

static bool
has_children(const PullCtx *c, const CatRelation *t)
{
    cat_each (CatRelation, x, &c->catalog->tables)
        vec_each (const CatName, parent, &x->inherits)
            if (strcmp(parent->name, t->id.name) == 0 && strcmp(parent->schema, t->id.schema) == 0)
                return true;
    return false;
}

static bool
has_comment(const CatRelation *t)
{
    cat_each (CatColumn, k, &t->columns)
        if (k->comment)
            return true;
    return t->comment;
}

static void
note_fields(PullCtx *c, PullModel *m)
{
    vec_each (const PullField, f, &m->fields) {
        const char *place = str_fmt(c->a, "Model: \"%s\", field: \"%s\"", m->name, f->name);
        if (f->unsupported)
            pull_find(c, FINDING_PULL_UNSUPPORTED_TYPE,
                      str_fmt(c->a, "%s, original data type: \"%s\"", place, f->unsupported));
        if (f->column->generated)
            pull_find(c, FINDING_PULL_GENERATED, place);
        if (f->column->type.schema &&
            catalog_find(c->catalog,
                         (CatRef){CAT_DOMAIN, f->column->type.schema, f->column->type.name, NULL}))
            pull_find(c, FINDING_PULL_DOMAIN,
                      str_fmt(c->a, "%s, domain: \"%s\"", place, f->column->type.name));
    }
}

/* In the order in which Prisma's engine has its comments. */
static void
note_model(PullCtx *c, PullModel *m, bool any_inherits)
{
    const CatRelation *t = m->table;
    if (m->is_renamed_reserved)
        doc(c, m,
            str_fmt(c->a,
                    "This %s has been renamed to '%s' during introspection, because "
                    "the original name '%s' is reserved.",
                    t->id.kind == CAT_TABLE ? "model" : "view", m->name, m->name + 7));
    if (m->is_duplicate)
        pull_find(c, FINDING_PULL_RENAMED, str_fmt(c->a, "Type: \"model\", name: \"%s\"", m->name));
    if (!t->columns.n) {
        doc(c, m,
            "We could not retrieve columns for the underlying table. Either it has none or "
            "you are missing rights to see them. Please check your privileges.");
        pull_find(c, FINDING_PULL_NO_COLUMNS, str_fmt(c->a, "\"%s\"", m->name));
        return;
    }
    const char *item = str_fmt(c->a, "\"%s\"", m->name);
    if (t->partition_key) {
        doc(c, m,
            "This table is a partition table and requires additional setup for migrations. "
            "Visit https://pris.ly/d/partition-tables for more info.");
        pull_find(c, FINDING_PULL_PARTITIONED, item);
    }
    if (any_inherits && has_children(c, t)) {
        doc(c, m,
            "This table has subclasses and requires additional setup for migrations. Visit "
            "https://pris.ly/d/table-inheritance for more info.");
        pull_find(c, FINDING_PULL_INHERITED, item);
    }
    if (note_constraints(c, m, CAT_CHECK, FINDING_PULL_CHECK))
        doc(c, m,
            "This table contains check constraints and requires additional setup for "
            "migrations. Visit https://pris.ly/d/check-constraints for more info.");
    if (note_constraints(c, m, CAT_EXCLUDE, FINDING_PULL_EXCLUSION))
        doc(c, m,
            "This table contains exclusion constraints and requires additional setup for "
            "migrations. Visit https://pris.ly/d/exclusion-constraints for more info.");
    if (!m->has_id) {
        doc(c, m,
            "The underlying table does not contain a valid unique identifier and can "
            "therefore currently not be handled by Prisma Client.");
        pull_find(c, FINDING_PULL_NO_ID, item);
    }
    if (has_comment(t))
        doc(c, m,
            str_fmt(c->a,
                    "This %s or at least one of its fields has comments in the "
                    "database, and requires an additional setup for migrations: Read "
                    "more: https://pris.ly/d/database-comments",
                    t->id.kind == CAT_TABLE ? "model" : "view"));
    if (note_deferrable(c, m))
        doc(c, m,
            "This model has constraints using non-default deferring rules and requires "
            "additional setup for migrations. Visit "
            "https://pris.ly/d/constraint-deferring for more info.");
    if (t->is_rls) {
        doc(c, m,
            "This model contains row level security and requires additional setup for "
            "migrations. Visit https://pris.ly/d/row-level-security for more info.");
        pull_find(c, FINDING_PULL_ROW_SECURITY, item);
    }
    bool null_order = false, expression = false, partial = false;
    note_indexes(c, m, &null_order, &expression, &partial);
    if (null_order)
        doc(c, m,
            "This model contains an index with non-default null sort order and requires "
            "additional setup for migrations. Visit "
            "https://pris.ly/d/default-index-null-ordering for more info.");
    if (expression)
        doc(c, m,
            "This model contains an expression index which requires additional setup for "
            "migrations. Visit https://pris.ly/d/expression-indexes for more info.");
    if (partial)
        doc(c, m,
            "This model has partial indexes, which only the preview feature "
            "\"partialIndexes\" brings into the schema.");
    note_fields(c, m);
    note_details(c, m);
    cat_each (CatTrigger, g, &t->triggers)
        if (!g->is_inherited)
            pull_find(c, FINDING_PULL_TRIGGER,
                      str_fmt(c->a, "Model: \"%s\", trigger: \"%s\"", m->name, g->id.sub));
}

/* Objects with comments: enums, then models, then fields. */
static void
note_comments(PullCtx *c)
{
    vec_each (PullEnum *, e, &c->enums)
        if ((*e)->type->comment)
            pull_find(c, FINDING_PULL_COMMENT,
                      str_fmt(c->a, "Type: \"enum\", name: \"%s\"", (*e)->name));
    vec_each (PullModel *, m, &c->models)
        if ((*m)->table->comment)
            pull_find(c, FINDING_PULL_COMMENT,
                      str_fmt(c->a, "Type: \"model\", name: \"%s\"", (*m)->name));
    vec_each (PullModel *, m, &c->models)
        vec_each (const PullField, f, &(*m)->fields)
            if (f->column->comment)
                pull_find(c, FINDING_PULL_COMMENT,
                          str_fmt(c->a, "Type: \"field\", name: \"%s.%s\"", (*m)->name, f->name));
}

/* What is told with another object. */
static bool
is_told_along(const CatDefined *o)
{
    return o->goes_along || o->id.kind == CAT_TS_MAPPING || o->id.kind == CAT_OPMEMBER ||
           o->id.kind == CAT_PUBLISHED;
}

/* Rare kinds: aggregate (2): public.a(integer), public.b(*) */
static void
note_kind(PullCtx *c, CatKind kind)
{
    enum { NAMED = 10 };
    size_t n = 0;
    Buf names;
    buf_init(&names, c->a);
    cat_each (CatDefined, o, &c->catalog->defined)
        if (o->id.kind == kind && !is_told_along(o) && n++ < NAMED)
            buf_fmt(&names, "%s%s", names.n ? ", " : "",
                    kind == CAT_DEFAULT_ACL ? str_fmt(c->a, "%s of %s", o->id.sub, o->id.name)
                                            : o->address);
    if (n > NAMED)
        buf_fmt(&names, " and %zu more", n - NAMED);
    if (n)
        pull_find(c, FINDING_PULL_OTHER_KIND,
                  str_fmt(c->a, "%s (%zu): %s", cat_kind_name(kind), n, names.p));
}

void
pull_notes(PullCtx *c)
{
    bool any_inherits = false;
    cat_each (CatRelation, t, &c->catalog->tables)
        any_inherits = any_inherits || t->inherits.n;
    vec_each (PullEnum *, e, &c->enums)
        if ((*e)->is_duplicate)
            pull_find(c, FINDING_PULL_RENAMED,
                      str_fmt(c->a, "Type: \"enum\", name: \"%s\"", (*e)->name));
    note_comments(c);
    vec_each (PullModel *, m, &c->models)
        note_model(c, *m, any_inherits);
    cat_each (CatRelation, v, &c->catalog->views)
        if (!c->has_views || v->id.kind == CAT_MATVIEW)
            pull_find(c, FINDING_PULL_VIEW, str_fmt(c->a, "\"%s\"", v->id.name));
    for (CatKind kind = 0; c->catalog->defined.n && kind < CAT_KIND_COUNT; kind++)
        if (cat_kind(kind)->is_defined)
            note_kind(c, kind);
}
