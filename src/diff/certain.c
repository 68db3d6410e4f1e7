/* Which changes are sure where one side is in a server's words and the other as its schema is written:
 * what is only printed in another way must not be taken for a change. */
#include "diff/diff_int.h"

static bool
is_among(const char *name, const char *const *names)
{
    for (; *names; names++)
        if (strcmp(name, *names) == 0)
            return true;
    return false;
}

/* Types that a server prints in one way, whatever a schema called them. */
static bool
is_plain_type(const CatType *t)
{
    static const char *const names[] = {
        "int2",   "int4",   "int8",    "numeric", "money",     "inet",        "oid",
        "float4", "float8", "text",    "varchar", "bpchar",    "bytea",       "date",
        "time",   "timetz", "boolean", "bool",    "timestamp", "timestamptz", "bit",
        "uuid",   "varbit", "xml",     "json",    "jsonb",     NULL,
    };
    return !t->schema && is_among(t->name, names);
}

/* Constants whose text is the value. */
static bool
is_plain_default(const CatColumn *c)
{
    static const char *const numbers[] = {"int2", "int4", "int8", "bool", NULL};
    static const char *const texts[] = {"text", "varchar", NULL};
    const char *s = c->default_expr;
    if (!s)
        return true;
    if (c->type.schema || c->type.is_array)
        return false;
    if (*s == '\'')
        return is_among(c->type.name, texts) && s[1] && s[strlen(s) - 1] == '\'';
    return is_among(c->type.name, numbers) && !strchr(s, '(');
}

static bool
column_is_certain(const ColumnChange *k)
{
    if (k->op == COLUMN_ADD || k->op == COLUMN_DROP)
        return true;
    if (k->op == COLUMN_RECREATE ||
        (k->fields & ~(unsigned)(COLUMN_NULLABLE | COLUMN_DEFAULT | COLUMN_TYPE)))
        return false;
    if (k->fields & COLUMN_TYPE && !(is_plain_type(&k->from->type) && is_plain_type(&k->to->type)))
        return false;
    return !(k->fields & COLUMN_DEFAULT) || is_plain_default(k->to);
}

/* An index that differs from one that goes in its expressions, perhaps, and only in their words. */
static bool
may_be_reprinted(const Diff *d, const CatIndex *i)
{
    bool has_words = i->predicate != NULL;
    vec_each (const CatKey, k, &i->keys)
        has_words = has_words || k->expr;
    if (!has_words)
        return false;
    vec_each (Change *, c, &d->changes)
        if ((*c)->kind == CAT_INDEX && (*c)->op == CHANGE_DROP &&
            strcmp(((const CatIndex *)(*c)->from)->table, i->table) == 0)
            return true;
    return false;
}

static bool
change_is_certain(const Diff *d, const Change *c)
{
    switch (c->kind) {
    case CAT_SCHEMA:
    case CAT_EXTENSION:
    case CAT_ENUM:
    case CAT_TABLE:
    case CAT_INDEX:
    case CAT_CONSTRAINT:
        break;
    default:
        return false;
    }
    switch (c->op) {
    case CHANGE_CREATE:
        return !catalog_find(d->from.catalog, c->to->id) &&
               !(c->kind == CAT_INDEX && may_be_reprinted(d, (const CatIndex *)c->to));
    case CHANGE_DROP:
        return !catalog_find(d->to.catalog, c->from->id);
    case CHANGE_RENAME:
        return true;
    case CHANGE_ALTER:
        break;
    default:
        return false;
    }
    if (c->kind == CAT_ENUM)
        return !c->is_rebuilt;
    if (c->kind != CAT_TABLE || c->fields.n)
        return false;
    vec_each (const ColumnChange, k, &c->columns)
        if (!column_is_certain(k))
            return false;
    return true;
}

bool
diff_is_certain(const Diff *d)
{
    vec_each (Change *, c, &d->changes)
        if (!change_is_certain(d, *c))
            return false;
    return true;
}
