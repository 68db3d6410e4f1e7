/* Kinds that are not tables: schemas, extensions, types, sequences, functions, views, and the code
 * that belongs to tables and views. */
#include "diff/diff_int.h"

/* ---- schemas and extensions ---------------------------------------------------------------- */

static void
diff_schemas(Differ *d)
{
    cat_each (CatSchema, y, &d->to->schemas) {
        const CatSchema *x = catalog_find(d->from, y->id);
        bool is_taken_for_made = d->compat && refs_have(d->diff->from.unused_schemas, &y->id);
        if (x)
            part_alter(d, x, y);
        else if (!is_taken_for_made)
            change_add(d, CHANGE_CREATE, NULL, y, RANK_CREATE_SCHEMA);
    }
    if (d->prisma_kinds)
        return;
    cat_each (CatSchema, x, &d->from->schemas)
        if (!catalog_find(d->to, x->id))
            change_add(d, CHANGE_DROP, x, NULL, RANK_DROP_SCHEMA);
}

static bool
differs(const char *x, const char *y)
{
    return x && y && strcmp(x, y) != 0;
}

static void
diff_extensions(Differ *d)
{
    cat_each (CatExtension, y, &d->to->extensions) {
        const CatExtension *x = catalog_find(d->from, y->id);
        if (!x) {
            change_add(d, CHANGE_CREATE, NULL, y, RANK_CREATE_EXTENSION);
            continue;
        }
        bool version = differs(x->version, y->version) && !d->rules.ignore_versions;
        bool schema = differs(x->in_schema, y->in_schema);
        if (!version && !schema)
            continue;
        /* Between two schemas Prisma cannot know that an extension may be moved. */
        if (d->compat && d->options->from_is_written) {
            change_add(d, CHANGE_DROP, x, NULL, RANK_DROP_EXTENSION);
            change_add(d, CHANGE_CREATE, NULL, y, RANK_CREATE_EXTENSION);
            continue;
        }
        Change *c = change_add(d, CHANGE_ALTER, x, y, RANK_ALTER_EXTENSION);
        if (version)
            *vec_add(d->arena, &c->fields) = "version";
        if (schema)
            *vec_add(d->arena, &c->fields) = "in_schema";
    }
    if (d->prisma_kinds)
        return;
    cat_each (CatExtension, x, &d->from->extensions)
        if (!catalog_find(d->to, x->id))
            change_add(d, CHANGE_DROP, x, NULL, RANK_REMOVE_EXTENSION);
}

/* ---- sequences ----------------------------------------------------------------------------- */

/* The other side of the column that a sequence belongs to. */
static const CatColumn *
owner_in(const Catalog *c, const CatSequence *s)
{
    if (!s->owner_column)
        return NULL;
    return catalog_find(
        c, (CatRef){CAT_COLUMN, s->owner_table.schema, s->owner_table.name, s->owner_column});
}

static bool
is_new_column(const Differ *d, const CatSequence *s)
{
    const CatColumn *to = owner_in(d->to, s), *from = owner_in(d->from, s);
    return to && (!from || map_has(&d->recreated, ref_key(d->arena, &from->id)));
}

/* Made by SERIAL or by the identity column. */
static bool
comes_with_column(const Differ *d, const CatSequence *s)
{
    const CatColumn *to = owner_in(d->to, s);
    if (s->is_identity)
        return true;
    return to && is_new_column(d, s) && diff_serial(d->arena, d->to, to) == s;
}

static bool
goes_with_column(const Differ *d, const CatSequence *s)
{
    const CatColumn *from = owner_in(d->from, s);
    return s->is_identity || (s->owner_column && !owner_in(d->to, s)) ||
           (from && map_has(&d->recreated, ref_key(d->arena, &from->id)));
}

static void
alter_sequence(Differ *d, const CatSequence *x, const CatSequence *y)
{
    CatTexts fields = catalog_changes(d->arena, x, y, &d->rules);
    if (fields.n)
        change_add(d, CHANGE_ALTER, x, y, RANK_ALTER_SEQUENCE)->fields = fields;
}

/* Whether a default on the new side draws from a sequence that only the old side has. */
static bool
is_drawn_from(const Differ *d, const CatSequence *s)
{
    const char *name = s->id.name;
    vec_each (CatObject *, o, &d->from->objects) {
        if ((*o)->id.kind != CAT_COLUMN)
            continue;
        const CatColumn *x = (const CatColumn *)*o;
        bool is_owner = cat_same_text(x->id.sub, s->owner_column) &&
                        cat_same_text(x->id.name, s->owner_table.name) &&
                        cat_same_text(x->id.schema, s->owner_table.schema);
        if (!is_owner && x->default_expr && strncmp(x->default_expr, "nextval(", 8) == 0 &&
            strstr(x->default_expr, name) && catalog_find(d->to, x->id))
            return true;
    }
    return false;
}

/* autoincrement() is any sequence; a wider column still needs a wider one. Those that belong to no
 * column are not said. */
static bool
is_in_words(Differ *d, const CatSequence *y)
{
    const CatColumn *from = owner_in(d->from, y), *to = owner_in(d->to, y);
    if (d->in_words && !y->owner_column)
        return true;
    if (!d->in_words || !from || !to || is_new_column(d, y) || !words_draws(from) ||
        !words_draws(to))
        return false;
    const CatSequence *x = map_get(&d->owned_from, ref_key(d->arena, &from->id));
    CatType was = words_type(d->arena, d->from, from->type);
    if (x && !x->is_identity && !y->is_identity && !catalog_type_same(&was, &to->type) &&
        !catalog_type_same(&x->type, &y->type)) {
        Change *c = change_add(d, CHANGE_ALTER, x, y, RANK_ALTER_SEQUENCE);
        *vec_add(d->arena, &c->fields) = "type";
    }
    return true;
}

void
diff_sequences(Differ *d)
{
    cat_each (CatSequence, y, &d->to->sequences) {
        if (is_in_words(d, y))
            continue;
        const CatSequence *x = catalog_find(d->from, y->id);
        if (x && goes_with_column(d, x) && !(x->is_identity && y->is_identity))
            x = NULL;
        if (d->prisma_kinds && y->owner_column) {
            CatRef id = {CAT_COLUMN, y->owner_table.schema, y->owner_table.name, y->owner_column};
            if (!x)
                x = map_get(&d->owned_from, ref_key(d->arena, &id));
        }
        if (x && strcmp(x->id.name, y->id.name) != 0) {
            /* Only the type can be wrong: a bigint column drawing from an integer sequence. */
            if (!x->is_identity && !catalog_type_same(&x->type, &y->type)) {
                Change *c = change_add(d, CHANGE_ALTER, x, y, RANK_ALTER_SEQUENCE);
                *vec_add(d->arena, &c->fields) = "type";
            }
        } else if (x) {
            /* One goes with its column, the other comes with another one. */
            if (!x->owner_column || owner_in(d->to, x) || !comes_with_column(d, y))
                alter_sequence(d, x, y);
        } else if (!comes_with_column(d, y)) {
            change_add(d, CHANGE_CREATE, NULL, y, RANK_CREATE_SEQUENCE);
            if (y->owner_column) {
                Change *c = change_add(d, CHANGE_ALTER, NULL, y, RANK_ALTER_SEQUENCE);
                *vec_add(d->arena, &c->fields) = "owner_column";
            }
        }
    }
    cat_each (CatSequence, x, &d->from->sequences) {
        if (catalog_find(d->to, x->id) || goes_with_column(d, x))
            continue;
        if (!d->prisma_kinds) {
            change_add(d, CHANGE_DROP, x, NULL, RANK_DROP_SEQUENCE);
            continue;
        }
        /* A schema knows sequences as the property of a column only. */
        const CatColumn *to = owner_in(d->to, x);
        if (to && !map_has(&d->owned_to, ref_key(d->arena, &to->id)) && !is_drawn_from(d, x) &&
            !(d->in_words && words_draws(to)))
            change_add(d, CHANGE_DROP, x, NULL, RANK_DROP_SEQUENCE);
    }
}

/* ---- types --------------------------------------------------------------------------------- */

static bool
has_field(const CatTexts *fields, const char *name)
{
    vec_each (const char *, f, fields)
        if (strcmp(*f, name) == 0)
            return true;
    return false;
}

static const CatConstraint *
check_named(const CatDomain *domain, const char *name)
{
    cat_each (CatConstraint, k, &domain->constraints)
        if (strcmp(k->id.sub, name) == 0)
            return k;
    return NULL;
}

bool
domain_stays(const Differ *d, const CatDomain *x, const CatDomain *y)
{
    CatTexts fields = catalog_changes(d->arena, x, y, &d->rules);
    return !has_field(&fields, "type") && !has_field(&fields, "collation");
}

static void
diff_domains(Differ *d)
{
    cat_each (CatDomain, y, &d->to->domains) {
        const CatDomain *x = catalog_find(d->from, y->id);
        if (!x || !domain_stays(d, x, y)) {
            if (x)
                change_add(d, CHANGE_DROP, x, NULL, RANK_DROP_TYPE);
            change_add(d, CHANGE_CREATE, NULL, y, RANK_CREATE_TYPE);
            continue;
        }
        CatTexts fields = catalog_changes(d->arena, x, y, &d->rules);
        if (fields.n)
            change_add(d, CHANGE_ALTER, x, y, RANK_ALTER_TYPE)->fields = fields;
        cat_each (CatConstraint, k, &x->constraints) {
            const CatConstraint *other = check_named(y, k->id.sub);
            if (other && constraint_stays(d, k, other))
                part_alter(d, k, other);
            else
                change_add(d, CHANGE_DROP, k, NULL, RANK_ALTER_TYPE);
        }
        cat_each (CatConstraint, k, &y->constraints) {
            const CatConstraint *other = check_named(x, k->id.sub);
            if (!other || !constraint_stays(d, other, k))
                change_add(d, CHANGE_CREATE, NULL, k, RANK_ALTER_TYPE);
        }
    }
    cat_each (CatDomain, x, &d->from->domains)
        if (!catalog_find(d->to, x->id))
            change_add(d, CHANGE_DROP, x, NULL, RANK_DROP_TYPE);
}

static const CatColumn *
attribute(const CatComposite *t, const char *name)
{
    cat_each (CatColumn, c, &t->columns)
        if (strcmp(c->id.sub, name) == 0)
            return c;
    return NULL;
}

bool
type_is_rebuilt(const Differ *d, const CatType *t)
{
    vec_each (Change *, c, &d->diff->changes)
        if ((*c)->is_rebuilt && cat_same_text((*c)->from->id.schema, t->schema) &&
            strcmp((*c)->from->id.name, t->name) == 0)
            return true;
    return false;
}

bool
type_is_used(const Catalog *c, const CatRef *type)
{
    vec_each (CatObject *, o, &c->objects)
        if ((*o)->id.kind == CAT_COLUMN &&
            cat_same_text(((const CatColumn *)*o)->type.schema, type->schema) &&
            strcmp(((const CatColumn *)*o)->type.name, type->name) == 0)
            return true;
    return false;
}

static void
alter_composite(Differ *d, const CatComposite *x, const CatComposite *y)
{
    Change *c = arena_new(d->arena, Change);
    cat_each (CatColumn, from, &x->columns)
        if (!attribute(y, from->id.sub))
            *vec_add(d->arena, &c->columns) = (ColumnChange){.op = COLUMN_DROP, .from = from};
    cat_each (CatColumn, to, &y->columns) {
        const CatColumn *from = attribute(x, to->id.sub);
        if (!from) {
            *vec_add(d->arena, &c->columns) = (ColumnChange){.op = COLUMN_ADD, .to = to};
            continue;
        }
        bool anew = type_is_rebuilt(d, &from->type);
        unsigned fields = anew ? COLUMN_TYPE : 0;
        CatTexts changes = catalog_changes(d->arena, from, to, &d->rules);
        vec_each (const char *, name, &changes)
            fields |=
                strcmp(*name, "comment") == 0 ? (unsigned)COLUMN_COMMENT : (unsigned)COLUMN_TYPE;
        /* PostgreSQL does not change the type of an attribute while a column is of the type. */
        if (fields)
            *vec_add(d->arena, &c->columns) =
                (ColumnChange){.op = anew || (fields & COLUMN_TYPE && type_is_used(d->from, &x->id))
                                         ? COLUMN_RECREATE
                                         : COLUMN_ALTER,
                               .from = from,
                               .to = to,
                               .fields = fields};
    }
    CatRules rules = d->rules;
    rules.ignore_column_order = true;
    CatTexts fields = catalog_changes(d->arena, x, y, &rules);
    if (!c->columns.n && !fields.n)
        return;
    Change *added = change_add(d, CHANGE_ALTER, x, y, RANK_ALTER_TYPE);
    added->fields = fields;
    added->columns.v = c->columns.v;
    added->columns.n = c->columns.n;
    added->columns.cap = c->columns.cap;
}

static void
diff_composites(Differ *d)
{
    cat_each (CatComposite, y, &d->to->composites) {
        const CatComposite *x = catalog_find(d->from, y->id);
        if (x)
            alter_composite(d, x, y);
        else
            change_add(d, CHANGE_CREATE, NULL, y, RANK_CREATE_TYPE);
    }
    cat_each (CatComposite, x, &d->from->composites)
        if (!catalog_find(d->to, x->id))
            change_add(d, CHANGE_DROP, x, NULL, RANK_DROP_TYPE);
}

/* ---- code ---------------------------------------------------------------------------------- */

/* CREATE OR REPLACE cannot change what is returned, the names of arguments or drop defaults. */
static bool
is_replaceable(const CatTexts *fields)
{
    return !has_field(fields, "is_procedure") && !has_field(fields, "arguments") &&
           !has_field(fields, "returns");
}

static void
diff_functions(Differ *d)
{
    cat_each (CatFunction, y, &d->to->functions) {
        const CatFunction *x = catalog_find(d->from, y->id);
        CatTexts fields = {0};
        if (x)
            fields = catalog_changes(d->arena, x, y, &d->rules);
        if (x && !fields.n)
            continue;
        if (x && is_replaceable(&fields)) {
            change_add(d, CHANGE_ALTER, x, y, RANK_CREATE_FUNCTION)->fields = fields;
            continue;
        }
        if (x)
            change_add(d, CHANGE_DROP, x, NULL, RANK_DROP_FUNCTION);
        change_add(d, CHANGE_CREATE, NULL, y, RANK_CREATE_FUNCTION);
    }
    cat_each (CatFunction, x, &d->from->functions)
        if (!catalog_find(d->to, x->id))
            change_add(d, CHANGE_DROP, x, NULL, RANK_DROP_FUNCTION);
}

/* CREATE OR REPLACE VIEW may only add columns at the end. */
static bool
has_same_columns(const CatRelation *x, const CatRelation *y)
{
    if (x->columns.n > y->columns.n)
        return false;
    for (size_t i = 0; i < x->columns.n; i++) {
        const CatColumn *p = x->columns.v[i], *q = y->columns.v[i];
        if (strcmp(p->id.sub, q->id.sub) != 0 || !catalog_type_same(&p->type, &q->type) ||
            !cat_same_text(p->collation.name, q->collation.name))
            return false;
    }
    return true;
}

static void
alter_view(Differ *d, const CatRelation *x, const CatRelation *y)
{
    CatRules rules = d->rules;
    rules.ignore_column_order = true;
    CatTexts fields = catalog_changes(d->arena, x, y, &rules);
    bool query = has_field(&fields, "query");
    if ((x->id.kind == CAT_MATVIEW && query) || !has_same_columns(x, y)) {
        change_add(d, CHANGE_DROP, x, NULL, RANK_DROP_CODE);
        change_add(d, CHANGE_CREATE, NULL, y, RANK_CREATE_VIEW);
        return;
    }
    Change *c = change_add(d, CHANGE_ALTER, x, y, RANK_CREATE_VIEW);
    c->fields = fields;
    cat_each (CatColumn, to, &y->columns) {
        const CatColumn *from = catalog_column(x, to->id.sub);
        ColumnChange k = {.op = COLUMN_ALTER, .from = from, .to = to};
        CatTexts changes = {0};
        if (from)
            changes = catalog_changes(d->arena, from, to, &d->rules);
        vec_each (const char *, name, &changes)
            k.fields |= strcmp(*name, "comment") == 0        ? (unsigned)COLUMN_COMMENT
                        : strcmp(*name, "grants") == 0       ? (unsigned)COLUMN_GRANTS
                        : strcmp(*name, "default_expr") == 0 ? (unsigned)COLUMN_DEFAULT
                                                             : 0;
        if (k.fields)
            *vec_add(d->arena, &c->columns) = k;
    }
    if (!c->fields.n && !c->columns.n)
        d->diff->changes.n--;
}

static void
diff_views(Differ *d)
{
    cat_each (CatRelation, y, &d->to->views) {
        const CatRelation *x = catalog_find(d->from, y->id);
        if (x)
            alter_view(d, x, y);
        else
            change_add(d, CHANGE_CREATE, NULL, y, RANK_CREATE_VIEW);
    }
    cat_each (CatRelation, x, &d->from->views)
        if (!catalog_find(d->to, x->id))
            change_add(d, CHANGE_DROP, x, NULL, RANK_DROP_CODE);
}

/* Whether the relation itself is dropped, or dropped and made again. */
static bool
relation_goes(const Differ *d, const CatRelation *x)
{
    vec_each (Change *, c, &d->diff->changes)
        if ((*c)->op == CHANGE_DROP && (*c)->from == (const CatObject *)x)
            return true;
    return false;
}

static Rank
rank_of_part(CatKind kind)
{
    return kind == CAT_RULE      ? RANK_CREATE_RULE
           : kind == CAT_TRIGGER ? RANK_CREATE_TRIGGER
           : kind == CAT_POLICY  ? RANK_CREATE_POLICY
                                 : RANK_CREATE_INDEX;
}

static void
diff_part(Differ *d, const CatObject *x, const CatObject *y)
{
    CatTexts fields = {0};
    if (x && y)
        fields = catalog_changes(d->arena, x, y, &d->rules);
    if (x && y && !fields.n)
        return;
    const CatObject *o = x ? x : y;
    if (map_has(&d->remade, ref_key(d->arena, &o->id)))
        return;
    bool by_comment = fields.n == 1 && strcmp(fields.v[0], "comment") == 0;
    bool by_state = fields.n == 1 && strcmp(fields.v[0], "enabled") == 0;
    if (by_comment || by_state) {
        change_add(d, CHANGE_ALTER, x, y, RANK_ALTER_OTHER)->fields = fields;
        return;
    }
    if (x)
        change_add(d, CHANGE_DROP, x, NULL,
                   o->id.kind == CAT_INDEX ? RANK_DROP_INDEX : RANK_DROP_CODE);
    if (y)
        change_add(d, CHANGE_CREATE, NULL, y, rank_of_part(o->id.kind));
}

#define DIFF_PARTS(T, list)                                                                        \
    do {                                                                                           \
        if (x)                                                                                     \
            cat_each (T, p, &x->list)                                                              \
                diff_part(d, (CatObject *)p, catalog_find(d->to, p->id));                          \
        if (y)                                                                                     \
            cat_each (T, q, &y->list)                                                              \
                if (!x || !catalog_find(d->from, q->id))                                           \
                    diff_part(d, NULL, (CatObject *)q);                                            \
    } while (0)

/* The code on a relation. x NULL: it is new, or was dropped before. */
static void
diff_parts(Differ *d, const CatRelation *x, const CatRelation *y)
{
    if (x && relation_goes(d, x))
        x = NULL;
    if (!y)
        return; /* goes with it */
    DIFF_PARTS(CatTrigger, triggers);
    DIFF_PARTS(CatRule, rules);
    DIFF_PARTS(CatPolicy, policies);
    if (y->id.kind != CAT_MATVIEW)
        return;
    DIFF_PARTS(CatIndex, indexes);
    diff_index_state(d, x, y);
}

void
diff_others(Differ *d)
{
    diff_schemas(d);
    diff_extensions(d);
    if (d->prisma_kinds)
        return;
    diff_domains(d);
    diff_composites(d);
    diff_functions(d);
    diff_views(d);
}

void
diff_code(Differ *d)
{
    if (d->prisma_kinds)
        return;
    vec_each (Pair, p, &d->tables)
        diff_parts(d, p->from, p->to);
    cat_each (CatRelation, y, &d->to->views)
        diff_parts(d, catalog_find(d->from, y->id), y);
}
