/* What is in what a plan throws away. */
#include "run/session_int.h"
#include "sqltext/sqltext.h"

enum { COUNT_MS = 5000 };

static bool
is_kind(const PlanLoss *l, const char *what)
{
    return l->drop->what && strcmp(l->drop->what, what) == 0;
}

/* Whether names mean what they mean to us: not where a statement before it leads elsewhere. */
static bool
can_count(const PlanLoss *l)
{
    ARENA_LOCAL(a);
    SqlScript script;
    Err ignored;
    if (!is_kind(l, "table") && !is_kind(l, "column") && !is_kind(l, "schema"))
        return false;
    if (l->drop->name.schema[0] || is_kind(l, "schema"))
        return true;
    if (!plan_script(a, l->mp, true, &script, &ignored))
        return false;
    for (size_t i = 0; i < l->statement; i++)
        if (script.forms.v[script.stmts.v[i].form].changes_session)
            return false;
    return true;
}

static void
add_name(Buf *b, const SqlName *name)
{
    if (name->schema[0])
        sql_add_name(b, name->schema, name->name);
    else
        sql_add_ident(b, name->name);
}

static void
add_is_there(Buf *b, const PlanLoss *l)
{
    Buf name;
    buf_init(&name, b->arena);
    add_name(&name, &l->drop->name);
    buf_addz(b, "SELECT 1 FROM pg_catalog.pg_attribute t WHERE t.attrelid OPERATOR(pg_catalog.=)"
                " pg_catalog.to_regclass(");
    sql_add_literal(b, buf_str(&name));
    buf_addz(b, ")::pg_catalog.oid AND NOT t.attisdropped");
    if (!is_kind(l, "column"))
        return;
    buf_addz(b, " AND t.attname OPERATOR(pg_catalog.=) ");
    sql_add_literal(b, str_of(l->drop->sub));
}

static void
add_count(Buf *b, const PlanLoss *l)
{
    if (is_kind(l, "schema")) {
        buf_addz(b, "SELECT pg_catalog.count(*) FROM pg_catalog.pg_class c JOIN"
                    " pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace"
                    " WHERE c.relkind OPERATOR(pg_catalog.=) ANY"
                    " ('{r,p,m}'::pg_catalog.\"char\"[]) AND n.nspname OPERATOR(pg_catalog.=) ");
        sql_add_literal(b, str_of(l->drop->name.name));
        return;
    }
    buf_addz(b, "SELECT pg_catalog.count(");
    if (is_kind(l, "column"))
        sql_add_ident(b, l->drop->sub);
    else
        buf_addc(b, '*');
    buf_addz(b, ") FROM ");
    add_name(b, &l->drop->name);
}

/* Ask for one value; *ret -1: there is none. */
static bool
ask(const Session *s, Arena *a, const PlanLoss *l, void (*add)(Buf *b, const PlanLoss *l),
    long long *ret, Err *err)
{
    Buf b;
    DbRowsVec results;
    buf_init(&b, a);
    session_add_user_prefix(s, &b);
    buf_fmt(&b, "SET LOCAL statement_timeout = %d;", COUNT_MS);
    add(&b, l);
    *ret = -1;
    if (!db_query(s->db, a, buf_str(&b), &results, err))
        return false;
    const DbRows *rows = &results.v[results.n - 1];
    return !rows->rows || str_to_int(db_cell(rows, 0, 0), 0, INT64_MAX, ret);
}

static bool
count_one(const Session *s, Arena *a, const PlanLoss *l, PlanLosses *ret, Err *err)
{
    long long n = 1;
    Err why;
    bool there = is_kind(l, "schema") || ask(s, a, l, add_is_there, &n, &why);
    if (there && n > 0)
        there = ask(s, a, l, add_count, &n, &why);
    if (!there && (!db_is_open(s->db) || why.code == ERR_INTERRUPTED)) {
        *err = why;
        return false;
    }
    if (there && n <= 0)
        return true;
    PlanLoss *kept = vec_add(a, ret);
    *kept = *l;
    if (there)
        kept->what = str_fmt(a, "%s: %lld %s%s", l->what, n,
                             is_kind(l, "schema")   ? "table"
                             : is_kind(l, "column") ? "value"
                                                    : "row",
                             str_plural(n));
    return true;
}

bool
run_count_losses(const Session *s, Arena *a, const Plan *plan, PlanLosses *ret, Err *err)
{
    vec_each (const PlanLoss, l, &plan->losses)
        if (!can_count(l))
            *vec_add(a, ret) = *l;
        else if (!count_one(s, a, l, ret, err))
            return false;
    return true;
}
