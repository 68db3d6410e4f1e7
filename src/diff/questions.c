/* Notes as questions to a database with rows. Each query gives two numbers: the rows of the table,
 * and those of them that the effect is about; both are counted up to a bound. */
#include "diff/diff_int.h"

#include "sqltext/sqltext.h"

typedef struct Asking {
    Arena *arena;
    const Diff *diff;
    DiffQuestions *out;
} Asking;

/* ---- names as they are before the renames --------------------------------------------------- */

static CatName
table_was(const Asking *q, const char *schema, const char *name)
{
    vec_each (const CatRename, r, &q->diff->renamed)
        if (r->from.kind == CAT_TABLE && strcmp(r->to, name) == 0 &&
            cat_same_text(r->schema ? r->schema : r->from.schema, schema))
            return (CatName){r->from.schema, r->from.name};
    return (CatName){schema, name};
}

static void
put_table(const Asking *q, Buf *b, const char *schema, const char *name)
{
    const CatName was = table_was(q, schema, name);
    sql_add_name(b, was.schema, was.name);
}

static void
put_column(const Asking *q, Buf *b, const CatRef *column)
{
    const CatName table = table_was(q, column->schema, column->name);
    const char *name = column->sub;
    vec_each (const CatRename, r, &q->diff->renamed)
        if (r->from.kind == CAT_COLUMN && cat_same_text(r->from.schema, table.schema) &&
            strcmp(r->from.name, table.name) == 0 && strcmp(r->to, column->sub) == 0)
            name = r->from.sub;
    sql_add_ident(b, name);
}

static const CatColumn *
old_column(const Asking *q, const CatRef *table, const char *name)
{
    return catalog_find(q->diff->from.catalog,
                        (CatRef){CAT_COLUMN, table->schema, table->name, name});
}

/* ---- queries -------------------------------------------------------------------------------- */

/* `hits` is a query whose rows are counted; NULL: all rows of the table. */
static void
ask(Asking *q, DiffEffect *effect, const char *hits)
{
    Buf b, rows;
    buf_init(&b, q->arena);
    buf_init(&rows, q->arena);
    buf_addz(&rows, "SELECT count(*) FROM (SELECT FROM ");
    put_table(q, &rows, effect->at.schema, effect->at.name);
    buf_fmt(&rows, " LIMIT %d) AS x", DIFF_ROWS_MAX);
    if (hits)
        buf_fmt(&b, "SELECT (%s), (SELECT count(*) FROM (%s LIMIT %d) AS y)", rows.p, hits,
                DIFF_ROWS_MAX);
    else
        buf_fmt(&b, "SELECT n, n FROM (%s) AS z (n)", rows.p);
    *vec_add(q->arena, q->out) = (DiffQuestion){effect, buf_str(&b)};
}

/* Rows of the effect's table for which a condition holds: the first %s in it is the column. */
static void
ask_where(Asking *q, DiffEffect *effect, const char *condition)
{
    Buf b;
    buf_init(&b, q->arena);
    buf_addz(&b, "SELECT FROM ");
    put_table(q, &b, effect->at.schema, effect->at.name);
    buf_addz(&b, " WHERE ");
    const char *column = strstr(condition, "%s");
    buf_add(&b, (Str){condition, (size_t)(column - condition)});
    put_column(q, &b, &effect->at);
    buf_addz(&b, column + 2);
    ask(q, effect, b.p);
}

static void
ask_check(Asking *q, DiffEffect *effect, const CatConstraint *k)
{
    Buf b;
    buf_init(&b, q->arena);
    buf_addz(&b, "SELECT FROM ");
    put_table(q, &b, effect->at.schema, effect->at.name);
    buf_fmt(&b, " WHERE NOT (%s\n)", k->expr);
    ask(q, effect, b.p);
}

/* Values that would be others were the zone UTC; and what it is. */
static void
ask_zone(Asking *q, DiffEffect *effect)
{
    Arena *a = q->arena;
    const CatType *x = effect->from_type, *y = effect->to_type;
    bool from_zone = strcmp(x->name, "timestamptz") == 0;
    if (x->is_array || y->is_array || strcmp(x->name, "time") == 0)
        return;
    Buf b, column, rows;
    buf_init(&b, a);
    buf_init(&column, a);
    buf_init(&rows, a);
    put_column(q, &column, &effect->at);
    put_table(q, &rows, effect->at.schema, effect->at.name);
    const char *moved =
        strcmp(y->name, "timetz") == 0
            ? "extract(timezone FROM %s::timestamp AT TIME ZONE current_setting('TimeZone')) <> 0"
        : from_zone ? "(%s)::timestamp IS DISTINCT FROM (%s AT TIME ZONE 'UTC')"
                    : "(%s)::timestamptz IS DISTINCT FROM (%s::timestamp AT TIME ZONE 'UTC')";
    buf_fmt(&b, "SELECT count(*), count(*) FILTER (WHERE ");
    for (const char *p = moved; *p; p++) {
        if (p[0] != '%') {
            buf_addc(&b, *p);
            continue;
        }
        buf_addz(&b, column.p);
        p++;
    }
    buf_fmt(&b, "), current_setting('TimeZone') FROM (SELECT * FROM %s LIMIT %d) AS x", rows.p,
            DIFF_ROWS_MAX);
    *vec_add(a, q->out) = (DiffQuestion){effect, buf_str(&b)};
}

static const char *
labels_list(Arena *a, const CatTexts *labels)
{
    Buf b;
    buf_init(&b, a);
    for (size_t i = 0; i < labels->n; i++) {
        buf_addz(&b, i ? ", " : "");
        sql_add_literal(&b, str_of(labels->v[i]));
    }
    return b.p;
}

/* Values that cannot become the new type, or lose something; where SQL can tell. */
static void
ask_cast(Asking *q, DiffEffect *effect)
{
    const CatType *x = effect->from_type, *y = effect->to_type;
    Arena *a = q->arena;
    static const struct {
        const char *type, *text, *number;
    } casts[] = {
        {"int2", "%s !~ '^\\s*[-+]?[0-9]+\\s*$'", "%s NOT BETWEEN -32768 AND 32767"},
        {"int4", "%s !~ '^\\s*[-+]?[0-9]+\\s*$'", "%s NOT BETWEEN -2147483648 AND 2147483647"},
        {"int8", "%s !~ '^\\s*[-+]?[0-9]+\\s*$'",
         "%s NOT BETWEEN -9223372036854775808 AND 9223372036854775807"},
        {"uuid",
         "%s !~* "
         "'^\\{?[0-9a-f]{4}(-?[0-9a-f]{4}){7}\\}?$'",
         NULL},
        {"bool",
         "lower(btrim(%s)) NOT IN ('t','tr','tru','true','y','ye','yes','on','1',"
         "'f','fa','fal','fals','false','n','no','of','off','0')",
         NULL},
        {"numeric", "%s !~ '^\\s*[-+]?([0-9]+\\.?[0-9]*|\\.[0-9]+)([eE][-+]?[0-9]+)?\\s*$'", NULL},
    };
    bool was_text =
        !x->is_array && (strcmp(x->name, "text") == 0 || strcmp(x->name, "varchar") == 0 ||
                         strcmp(x->name, "bpchar") == 0);
    const CatEnum *e =
        y->schema ? catalog_find(q->diff->to.catalog, (CatRef){CAT_ENUM, y->schema, y->name, NULL})
                  : NULL;
    if (x->is_array || y->is_array)
        return;
    if (e && e->labels.n) {
        ask_where(q, effect, str_fmt(a, "%%s::text NOT IN (%s)", labels_list(a, &e->labels)));
        return;
    }
    bool to_short = y->args && (strcmp(y->name, "varchar") == 0 || strcmp(y->name, "bpchar") == 0);
    if (to_short && !y->schema) {
        ask_where(q, effect, str_fmt(a, "length(%%s::text) > %s", y->args));
        return;
    }
    bool was_number = strncmp(x->name, "int", 3) == 0 || strncmp(x->name, "float", 5) == 0 ||
                      strcmp(x->name, "numeric") == 0;
    if (was_number && strcmp(y->name, "numeric") == 0 && y->args) {
        Str rest = str_of(y->args), p = str_cut(&rest, ',');
        ask_where(q, effect,
                  str_fmt(a,
                          "abs(round(%%s::numeric, " STR_FMT ")) >= 10::numeric ^ (" STR_FMT
                          " - (" STR_FMT "))",
                          STR_ARG(rest.n ? rest : STR("0")), STR_ARG(p),
                          STR_ARG(rest.n ? rest : STR("0"))));
        return;
    }
    for (size_t i = 0; i < COUNT(casts); i++) {
        const char *condition = was_text ? casts[i].text : was_number ? casts[i].number : NULL;
        if (!y->schema && condition && strcmp(casts[i].type, y->name) == 0)
            ask_where(q, effect, condition);
    }
}

/* Rows that share a key with another one. */
static void
ask_duplicates(Asking *q, DiffEffect *effect, const CatKeys *keys, const char *predicate,
               bool nulls_are_equal)
{
    Buf b, list, where;
    buf_init(&b, q->arena);
    buf_init(&list, q->arena);
    buf_init(&where, q->arena);
    if (!keys->n)
        return; /* it is not known what they are */
    vec_each (const CatKey, k, keys) {
        Buf key;
        buf_init(&key, q->arena);
        if (k->column && !old_column(q, &effect->at, k->column))
            return; /* a new column: the same value for all, or told elsewhere */
        const CatRef column = {CAT_COLUMN, effect->at.schema, effect->at.name, k->column};
        if (k->column)
            put_column(q, &key, &column);
        else
            buf_fmt(&key, "(%s\n)", k->expr); /* it may end with a comment */
        buf_fmt(&list, "%s%s", list.n ? ", " : "", key.p);
        if (!nulls_are_equal)
            buf_fmt(&where, "%s%s IS NOT NULL", where.n ? " AND " : " WHERE ", key.p);
    }
    if (predicate)
        buf_fmt(&where, "%s(%s\n)", where.n ? " AND " : " WHERE ", predicate);
    buf_addz(&b, "SELECT FROM (SELECT count(*) OVER (PARTITION BY ");
    buf_fmt(&b, "%s) AS n FROM ", list.p);
    put_table(q, &b, effect->at.schema, effect->at.name);
    buf_fmt(&b, "%s) AS d WHERE n > 1", where.n ? where.p : "");
    ask(q, effect, b.p);
}

static void
ask_unique(Asking *q, DiffEffect *effect, const Change *c)
{
    CatKeys keys = {0};
    if (c->kind == CAT_INDEX) {
        const CatIndex *i = (const CatIndex *)c->to;
        ask_duplicates(q, effect, &i->keys, i->predicate, i->is_nulls_not_distinct);
    } else if (c->kind == CAT_CONSTRAINT) {
        const CatConstraint *k = (const CatConstraint *)c->to;
        vec_each (const char *, column, &k->columns)
            vec_add(q->arena, &keys)->column = *column;
        ask_duplicates(q, effect, &keys, NULL, k->is_nulls_not_distinct);
    }
}

static void
ask_references(Asking *q, DiffEffect *effect, const CatConstraint *k)
{
    Buf b, on;
    buf_init(&b, q->arena);
    buf_init(&on, q->arena);
    const CatRef ref = {CAT_TABLE, k->ref_table.schema, k->ref_table.name, NULL};
    bool has_table = catalog_find(q->diff->from.catalog, ref);
    buf_addz(&b, "SELECT FROM ");
    put_table(q, &b, k->id.schema, k->id.name);
    buf_addz(&b, " AS c WHERE ");
    for (size_t i = 0; i < k->columns.n; i++) {
        const CatRef column = {CAT_COLUMN, k->id.schema, k->id.name, k->columns.v[i]};
        const CatRef target = {CAT_COLUMN, ref.schema, ref.name, k->ref_columns.v[i]};
        if (!old_column(q, &k->id, k->columns.v[i]))
            return;
        has_table = has_table && old_column(q, &ref, k->ref_columns.v[i]);
        buf_addz(&b, i ? " AND c." : "c.");
        put_column(q, &b, &column);
        buf_addz(&b, " IS NOT NULL");
        buf_addz(&on, i ? " AND p." : "p.");
        put_column(q, &on, &target);
        buf_addz(&on, " = c.");
        put_column(q, &on, &column);
    }
    if (has_table) {
        buf_addz(&b, " AND NOT EXISTS (SELECT FROM ");
        put_table(q, &b, ref.schema, ref.name);
        buf_fmt(&b, " AS p WHERE %s)", on.p);
    }
    ask(q, effect, b.p);
}

/* Rows with a value that goes away, in all columns of the enum. */
static void
ask_labels(Asking *q, DiffEffect *effect, const Change *c)
{
    Buf b;
    buf_init(&b, q->arena);
    const char *list = labels_list(q->arena, &effect->names);
    vec_each (const CatColumn *, at, &c->retype) {
        const CatColumn *column = *at;
        buf_addz(&b, b.n ? " UNION ALL SELECT FROM " : "SELECT FROM ");
        put_table(q, &b, column->id.schema, column->id.name);
        buf_addz(&b, " WHERE ");
        put_column(q, &b, &column->id);
        if (column->type.is_array)
            buf_fmt(&b, "::text[] && ARRAY[%s]", list);
        else
            buf_fmt(&b, "::text IN (%s)", list);
    }
    if (!b.n)
        return;
    Buf sql;
    buf_init(&sql, q->arena);
    buf_fmt(&sql, "SELECT n, n FROM (SELECT count(*) FROM (%s LIMIT %d) AS y) AS z (n)", b.p,
            DIFF_ROWS_MAX);
    *vec_add(q->arena, q->out) = (DiffQuestion){effect, buf_str(&sql)};
}

static void
ask_effect(Asking *q, DiffEffect *effect, const Change *c)
{
    switch (effect->id) {
    case FINDING_DIFF_DROP_TABLE:
    case FINDING_DIFF_ADD_REQUIRED:
    case FINDING_DIFF_ADD_REQUIRED_CLIENT:
    case FINDING_DIFF_RECREATE_REQUIRED:
    case FINDING_DIFF_REWRITE:
        ask(q, effect, NULL);
        break;
    case FINDING_DIFF_DROP_COLUMN:
    case FINDING_DIFF_RECREATE_COLUMN:
    case FINDING_DIFF_SCALAR_TO_LIST:
        if (c->kind == CAT_TABLE)
            ask_where(q, effect, "%s IS NOT NULL");
        break;
    case FINDING_DIFF_DROP_DATA:
        if (effect->at.kind == CAT_MATVIEW)
            ask(q, effect, NULL);
        break;
    case FINDING_DIFF_MADE_REQUIRED:
        ask_where(q, effect, "%s IS NULL");
        break;
    case FINDING_DIFF_RISKY_CAST:
        if (c->kind == CAT_TABLE)
            ask_cast(q, effect);
        break;
    case FINDING_DIFF_TIME_ZONE:
        ask_zone(q, effect);
        break;
    case FINDING_DIFF_UNIQUE:
        ask_unique(q, effect, c);
        break;
    case FINDING_DIFF_FOREIGN_KEY_ROWS:
        ask_references(q, effect, (const CatConstraint *)c->to);
        break;
    case FINDING_DIFF_CHECK_ROWS:
        if (((const CatConstraint *)c->to)->type == CAT_CHECK)
            ask_check(q, effect, (const CatConstraint *)c->to);
        break;
    case FINDING_DIFF_ENUM_VALUES_REMOVED:
        ask_labels(q, effect, c);
        break;
    default:
        break;
    }
}

DiffQuestions
diff_questions(Arena *a, const Diff *d)
{
    DiffQuestions out = {0};
    Asking q = {a, d, &out};
    vec_each (Change *, c, &d->changes)
        vec_each (DiffEffect, effect, &(*c)->effects)
            ask_effect(&q, effect, *c);
    return out;
}

void
diff_answer(DiffEffect *effect, int64_t rows, int64_t hits)
{
    effect->is_answered = true;
    effect->rows = rows;
    effect->hits = hits;
    switch (effect->id) {
    case FINDING_DIFF_UNIQUE:
    case FINDING_DIFF_FOREIGN_KEY_ROWS:
    case FINDING_DIFF_CHECK_ROWS:
    case FINDING_DIFF_ENUM_VALUES_REMOVED:
    case FINDING_DIFF_ADD_REQUIRED:
    case FINDING_DIFF_ADD_REQUIRED_CLIENT:
    case FINDING_DIFF_MADE_REQUIRED:
    case FINDING_DIFF_RECREATE_REQUIRED:
        effect->harm = hits ? DIFF_FAILS : DIFF_HARMLESS;
        break;
    default:
        if (effect->harm == DIFF_LOSS && !hits)
            effect->harm = DIFF_HARMLESS;
        break;
    }
}
