/* What each action locks, and works on under that lock: PostgreSQL's explicit-locking.html and tablecmds.c,
 * compared with what was measured on a server (tests/compat/lint_truth.py). */
#include "lint/lint_int.h"

#include <string.h>

static LintEffect *
effect_on(Lint *l, const CatRelation *t, SqlLockMode mode)
{
    static const LintEffect none;
    if (!lint_is_old(l, t))
        return NULL;
    vec_each (LintEffect, e, l->effects)
        if (e->table == t) {
            if (mode > e->mode)
                e->mode = mode;
            return e;
        }
    LintEffect *e = vec_add(l->arena, l->effects);
    *e = none;
    e->table = t;
    e->schema = t->id.schema;
    e->name = t->id.name;
    e->mode = mode;
    return e;
}

static void
scans(Lint *l, const CatRelation *t, SqlLockMode mode)
{
    LintEffect *e = effect_on(l, t, mode);
    if (e)
        e->scans = l->did.scans = true;
}

static void
builds(Lint *l, const CatRelation *t, SqlLockMode mode)
{
    LintEffect *e = effect_on(l, t, mode);
    if (e)
        e->builds = l->did.builds = true;
}

static void
rewrites(Lint *l, const CatRelation *t)
{
    LintEffect *e = effect_on(l, t, SQL_LOCK_ACCESS_EXCLUSIVE);
    if (e)
        e->rewrites = l->did.rewrites = true;
}

void
lint_effects_named(Lint *l)
{
    vec_each (const SqlLock, lock, &l->stmt.locks) {
        const CatRelation *t = lint_relation(&l->schema, lock->rel);
        const LintIndexAt *index = t ? NULL : lint_index(&l->schema, lock->rel);
        if (t)
            effect_on(l, t, lock->mode);
        else if (index && l->stmt.kind == SQL_DROP_INDEX)
            effect_on(l, index->table, lock->mode);
    }
}

/* ---- defaults ------------------------------------------------------------------------------------ */

/* Functions of PostgreSQL's and of common extensions that give another value for each row. */
static bool
is_steady(const Lint *l, const char *name)
{
    static const char *const differ[] = {"random",
                                         "gen_random_uuid",
                                         "gen_random_bytes",
                                         "uuid_generate_v1",
                                         "uuid_generate_v1mc",
                                         "uuid_generate_v4",
                                         "uuidv4",
                                         "uuidv7",
                                         "clock_timestamp",
                                         "timeofday",
                                         "nextval",
                                         "setval",
                                         "currval",
                                         "lastval",
                                         "txid_current",
                                         "set_config",
                                         "pg_sleep"};
    static const char *const same[] = {"now",
                                       "transaction_timestamp",
                                       "statement_timestamp",
                                       "current_setting",
                                       "timezone",
                                       "date_trunc",
                                       "date_part",
                                       "to_char",
                                       "to_timestamp",
                                       "to_date",
                                       "lower",
                                       "upper",
                                       "md5",
                                       "concat",
                                       "format",
                                       "replace",
                                       "substring",
                                       "substr",
                                       "length",
                                       "jsonb_build_object",
                                       "json_build_object",
                                       "jsonb_build_array",
                                       "json_build_array",
                                       "array_to_string",
                                       "make_interval",
                                       "make_date",
                                       "make_timestamp",
                                       "abs",
                                       "round",
                                       "floor",
                                       "ceil",
                                       "decode",
                                       "encode",
                                       "string_to_array",
                                       "array_fill",
                                       "to_jsonb",
                                       "to_json",
                                       "nullif",
                                       "greatest",
                                       "least",
                                       "trim",
                                       "btrim",
                                       "int4range",
                                       "tstzrange",
                                       "daterange",
                                       "numrange",
                                       "repeat",
                                       "pg_typeof"};
    if (map_has(&l->schema.steady, str_of(name)))
        return map_get(&l->schema.steady, str_of(name));
    for (size_t i = 0; i < COUNT(differ); i++)
        if (strcmp(differ[i], name) == 0)
            return false;
    for (size_t i = 0; i < COUNT(same); i++)
        if (strcmp(same[i], name) == 0)
            return true;
    return false;
}

static bool
is_volatile(const Lint *l, const SqlExpr *e)
{
    vec_each (const SqlName, call, &e->calls)
        if (!is_steady(l, call->name))
            return true;
    return e->is_there && !e->is_plain;
}

/* ---- actions ------------------------------------------------------------------------------------- */

/* A domain whose check must be asked for each row of a new column. */
static bool
is_checked_domain(const Lint *l, const char *type)
{
    CatType t = catalog_type(l->arena, str_of(type));
    ARENA_LOCAL(scratch);
    const char *schema = t.schema ? t.schema : l->schema.usual;
    const CatDomain *d =
        map_get(&l->schema.domains, str_of(str_fmt(scratch, "%s.%s", schema, t.name)));
    return d && (d->is_not_null || d->constraints.n);
}

static void
on_column(Lint *l, CatRelation *t, const SqlAction *x)
{
    if (x->is_in_create || (x->if_exists && catalog_column(t, x->name)))
        return;
    bool computed = x->is_serial || x->is_identity || (x->is_generated && !x->is_virtual) ||
                    is_volatile(l, &x->expr) || is_checked_domain(l, x->type);
    if (computed)
        rewrites(l, t);
    else if (x->is_not_null && (!x->expr.is_there || x->expr.is_null))
        scans(l, t, SQL_LOCK_ACCESS_EXCLUSIVE);
}

/* A column that came without values in the same statement has none to look at. */
static bool
is_of_new_column(const SqlAction *x)
{
    return x->is_inline && x->constraint == 'f';
}

static void
on_key(Lint *l, CatRelation *t, const SqlAction *x)
{
    bool looks = false;
    for (size_t i = 0; x->constraint == 'p' && i < x->columns.n; i++) {
        const CatColumn *c = catalog_column(t, x->columns.v[i]);
        looks = looks || (c && !c->is_not_null && !lint_is_proven_not_null(t, x->columns.v[i]));
    }
    const LintIndexAt *index =
        *x->index ? lint_index(&l->schema, (SqlName){t->id.schema, x->index}) : NULL;
    for (size_t i = 0; index && x->constraint == 'p' && i < index->index->keys.n; i++) {
        const char *column = index->index->keys.v[i].column;
        const CatColumn *c = column ? catalog_column(t, column) : NULL;
        looks = looks || (c && !c->is_not_null && !lint_is_proven_not_null(t, column));
    }
    if (looks)
        scans(l, t, SQL_LOCK_ACCESS_EXCLUSIVE);
    if (!*x->index)
        builds(l, t, SQL_LOCK_ACCESS_EXCLUSIVE);
}

static void
on_constraint(Lint *l, CatRelation *t, const SqlAction *x)
{
    if (x->is_in_create)
        return;
    if (x->constraint == 'f' && !x->is_not_valid && !is_of_new_column(x))
        scans(l, t, SQL_LOCK_SHARE_ROW_EXCLUSIVE);
    else if ((x->constraint == 'c' || x->constraint == 'n') && !x->is_not_valid)
        scans(l, t, SQL_LOCK_ACCESS_EXCLUSIVE);
    else if (x->constraint == 'p' || x->constraint == 'u' || x->constraint == 'x')
        on_key(l, t, x);
}

/* The other tables of the foreign keys of a column, or of one key, are locked when these go. */
static void
lock_key(void *arg, CatRelation *from, const CatConstraint *key)
{
    (void)key;
    effect_on(arg, from, SQL_LOCK_ACCESS_EXCLUSIVE);
}

static void
lock_referred(Lint *l, const CatConstraint *k)
{
    if (k->type == CAT_FOREIGN_KEY)
        effect_on(l, lint_relation(&l->schema, (SqlName){k->ref_table.schema, k->ref_table.name}),
                  SQL_LOCK_ACCESS_EXCLUSIVE);
}

static void
on_type(Lint *l, CatRelation *t, const SqlAction *x)
{
    const CatColumn *c = catalog_column(t, x->name);
    if (!c) { /* made by code */
        rewrites(l, t);
        return;
    }
    CatType now = catalog_type(l->arena, str_of(x->type));
    LintChange change = lint_type_change(&c->type, &now, x->expr.calls.n);
    bool again = false, same = strcmp(c->type.text, now.text) == 0;
    cat_each (CatIndex, index, &t->indexes) {
        bool is_on = false;
        vec_each (const CatKey, key, &index->keys)
            is_on = is_on || cat_same_text(key->column, x->name);
        again = again || (is_on && change == LINT_REBUILDS) || index->predicate ||
                (index->keys.n && !index->keys.v[0].column);
    }
    cat_each (CatConstraint, k, &t->constraints) {
        bool is_on = cat_has_text(&k->columns, x->name);
        if (is_on && k->type == CAT_FOREIGN_KEY)
            lock_referred(l, k);
        again = again || (is_on && change == LINT_REBUILDS &&
                          (k->type == CAT_PRIMARY_KEY || k->type == CAT_UNIQUE));
        if (is_on && k->type == CAT_PRIMARY_KEY)
            lint_each_key_to(&l->schema, t, lock_key, l);
    }
    if (change == LINT_REWRITES)
        rewrites(l, t);
    else if (again && !same)
        builds(l, t, SQL_LOCK_ACCESS_EXCLUSIVE);
}

static void
on_drop_table(Lint *l, CatRelation *t, const SqlAction *x)
{
    cat_each (CatConstraint, k, &t->constraints)
        lock_referred(l, k);
    if (x->is_cascade)
        lint_each_key_to(&l->schema, t, lock_key, l);
    cat_each (CatRelation, part, &l->schema.catalog->tables)
        if (cat_same_text(part->partition_of.name, t->id.name) &&
            cat_same_text(part->partition_of.schema, t->id.schema))
            effect_on(l, part, SQL_LOCK_ACCESS_EXCLUSIVE);
}

static void truncate(Lint *l, CatRelation *t, unsigned depth);

typedef struct Cascade {
    Lint *lint;
    unsigned depth;
} Cascade;

static void
truncate_child(void *arg, CatRelation *from, const CatConstraint *key)
{
    const Cascade *c = arg;
    (void)key;
    if (c->depth < 50)
        truncate(c->lint, from, c->depth + 1);
}

static void
truncate(Lint *l, CatRelation *t, unsigned depth)
{
    size_t before = l->effects->n;
    effect_on(l, t, SQL_LOCK_ACCESS_EXCLUSIVE);
    if (l->effects->n > before || !depth)
        lint_each_key_to(&l->schema, t, truncate_child, &(Cascade){l, depth});
}

static void
on_domain(Lint *l, const SqlAction *x)
{
    cat_each (CatRelation, t, &l->schema.catalog->tables)
        cat_each (CatColumn, c, &t->columns)
            if (strcmp(c->type.name, x->on.name) == 0)
                scans(l, t, SQL_LOCK_SHARE);
}

static void
on_gone(Lint *l, CatRelation *t, const SqlAction *x)
{
    cat_each (CatConstraint, k, &t->constraints) {
        bool goes = x->kind == SQL_ACT_DROP_COLUMN ? cat_has_text(&k->columns, x->name)
                                                   : strcmp(k->id.sub, x->name) == 0;
        if (goes)
            lock_referred(l, k);
        if (goes && x->is_cascade && (k->type == CAT_PRIMARY_KEY || k->type == CAT_UNIQUE))
            lint_each_key_to(&l->schema, t, lock_key, l);
    }
}

static void
on_validate(Lint *l, CatRelation *t, const SqlAction *x)
{
    cat_each (CatConstraint, k, &t->constraints) {
        if (strcmp(k->id.sub, x->name) != 0 || !k->is_not_valid)
            continue;
        scans(l, t, SQL_LOCK_SHARE_UPDATE_EXCLUSIVE);
        if (k->type == CAT_FOREIGN_KEY)
            effect_on(l,
                      lint_relation(&l->schema, (SqlName){k->ref_table.schema, k->ref_table.name}),
                      SQL_LOCK_ROW_SHARE);
    }
}

void
lint_effects_add(Lint *l, const SqlAction *x)
{
    CatRelation *t = lint_relation(&l->schema, x->on);
    const CatColumn *c = t && *x->name ? catalog_column(t, x->name) : NULL;
    if (x->kind == SQL_ACT_CHECK_DOMAIN)
        on_domain(l, x);
    if (!t)
        return;
    switch (x->kind) {
    case SQL_ACT_COLUMN:
        on_column(l, t, x);
        return;
    case SQL_ACT_CONSTRAINT:
        on_constraint(l, t, x);
        return;
    case SQL_ACT_INDEX:
        if (!x->if_exists || !lint_index(&l->schema, (SqlName){t->id.schema, x->name}))
            builds(l, t, x->is_concurrent ? SQL_LOCK_SHARE_UPDATE_EXCLUSIVE : SQL_LOCK_SHARE);
        return;
    case SQL_ACT_SET_NOT_NULL:
        if (!c || (!c->is_not_null && !lint_is_proven_not_null(t, x->name)))
            scans(l, t, SQL_LOCK_ACCESS_EXCLUSIVE);
        return;
    case SQL_ACT_TYPE:
        on_type(l, t, x);
        return;
    case SQL_ACT_REWRITE:
        rewrites(l, t);
        return;
    case SQL_ACT_DROP:
        if (x->object == SQL_OBJ_TABLE)
            on_drop_table(l, t, x);
        return;
    case SQL_ACT_DROP_COLUMN:
    case SQL_ACT_DROP_CONSTRAINT:
        on_gone(l, t, x);
        return;
    case SQL_ACT_VALIDATE:
        on_validate(l, t, x);
        return;
    case SQL_ACT_TRUNCATE:
        if (x->is_cascade)
            truncate(l, t, 0);
        return;
    case SQL_ACT_ATTACH:
        scans(l, lint_relation(&l->schema, x->ref), SQL_LOCK_ACCESS_EXCLUSIVE);
        return;
    case SQL_ACT_REINDEX:
        builds(l, t, x->is_concurrent ? SQL_LOCK_SHARE_UPDATE_EXCLUSIVE : SQL_LOCK_SHARE);
        return;
    case SQL_ACT_REFRESH:
        rewrites(l, t);
        return;
    default:
        return;
    }
}
