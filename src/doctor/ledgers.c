/* Histories of migration tools: several on one database go different ways sooner or later. */
#include "doctor/doctor_int.h"

#include "history/known.h"
#include "sqltext/sqltext.h"

typedef struct Ledger {
    const KnownLedger *as;
    const char *schema;
    bool readable;
    int64_t rows, failed;
} Ledger;
typedef VEC(Ledger) LedgerVec;

static const KnownLedger *
recognise(Doctor *d, Str schema, Str table, Str columns)
{
    VEC(const char *) list = {0};
    for (Str rest = columns; rest.p;)
        *vec_add(d->arena, &list) = str_dup(d->arena, str_cut(&rest, ','));
    const KnownLedger *k = history_known(schema.p, table.p, list.v, list.n);
    return k && k->kind == KNOWN_HISTORY ? k : NULL;
}

static bool
find(Doctor *d, Session *s, LedgerVec *ret)
{
    Buf b;
    buf_init(&b, d->arena);
    buf_addz(
        &b, "SELECT n.nspname, c.relname, (SELECT pg_catalog.string_agg(a.attname, ',') FROM"
            " pg_catalog.pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT"
            " a.attisdropped), pg_catalog.has_table_privilege(c.oid, 'SELECT') AND"
            " pg_catalog.has_schema_privilege(n.oid, 'USAGE') FROM pg_catalog.pg_class c JOIN"
            " pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'p') AND"
            " n.nspname !~ '^pg_' AND c.relname = ANY (ARRAY[");
    const KnownLedger *k;
    for (size_t i = 0; (k = history_known_at(i)); i++) {
        buf_addz(&b, i ? "," : "");
        sql_add_literal(&b, str_of(k->table));
    }
    buf_addz(&b, "]::pg_catalog.name[]) ORDER BY 1, 2 LIMIT 100");
    const DbRows *r = doctor_ask(d, s, "histories", b.p);
    for (int i = 0; r && i < r->rows; i++) {
        k = recognise(d, db_cell(r, i, 0), db_cell(r, i, 1), db_cell(r, i, 2));
        if (k)
            *vec_add(d->arena, ret) =
                (Ledger){.as = k, .schema = db_cell(r, i, 0).p, .readable = doctor_true(r, i, 3)};
    }
    return r != NULL;
}

static bool
count(Doctor *d, Session *s, LedgerVec *list)
{
    Buf b;
    buf_init(&b, d->arena);
    for (size_t i = 0; i < list->n; i++) {
        const Ledger *l = &list->v[i];
        if (!l->readable)
            continue;
        buf_fmt(&b, "%sSELECT %zu, pg_catalog.count(*), ", b.n ? " UNION ALL " : "", i);
        if (l->as->failed)
            buf_fmt(&b, "pg_catalog.count(*) FILTER (WHERE %s)", l->as->failed);
        else
            buf_addz(&b, "0");
        buf_addz(&b, " FROM ");
        sql_add_name(&b, l->schema, l->as->table);
    }
    const DbRows *r = b.n ? doctor_ask(d, s, "rows of histories", b.p) : NULL;
    for (int i = 0; r && i < r->rows; i++) {
        Ledger *l = &list->v[doctor_int(r, i, 0)];
        l->rows = doctor_int(r, i, 1);
        l->failed = doctor_int(r, i, 2);
    }
    return r || !b.n;
}

static void
tell(Doctor *d, const Session *s, const Ledger *l)
{
    const char *name =
        str_printable(d->arena, str_of(str_fmt(d->arena, "%s.%s", l->schema, l->as->table)), false);
    if (!l->readable)
        doctor_add(d, FINDING_LEDGER_HIDDEN, SEV_WARNING, name,
                   str_fmt(d->arena, "as its owner: GRANT SELECT ON %s TO %s",
                           doctor_ident(d, l->schema, l->as->table),
                           doctor_ident(d, NULL, db_info(s->db)->user)),
                   "%s's history is not visible to this role", l->as->tool);
    else if (l->failed)
        doctor_add(d, FINDING_LEDGER_FAILED, SEV_ERROR, name, l->as->fix,
                   "%s's history: %s, %lld of them failed or not finished", l->as->tool,
                   doctor_count(d->arena, l->rows, "row"), (long long)l->failed);
    else
        doctor_add(d, FINDING_LEDGER_FOUND, SEV_OK, name, NULL, "%s's history: %s", l->as->tool,
                   doctor_count(d->arena, l->rows, "row"));
}

void
doctor_ledgers(Doctor *d, Session *s)
{
    d->now = AREA_LEDGERS;
    LedgerVec list = {0};
    if (!find(d, s, &list) || !count(d, s, &list))
        return;
    Buf tools;
    buf_init(&tools, d->arena);
    int different = 0;
    for (size_t i = 0; i < list.n; i++) {
        bool is_first = true;
        for (size_t k = 0; k < i; k++)
            is_first = is_first && strcmp(list.v[k].as->tool, list.v[i].as->tool) != 0;
        tell(d, s, &list.v[i]);
        if (is_first && different++ >= 0)
            buf_fmt(&tools, "%s%s", tools.n ? ", " : "", list.v[i].as->tool);
    }
    if (different > 1)
        doctor_add(d, FINDING_LEDGER_SEVERAL, SEV_WARNING, NULL,
                   "let one tool make the changes; the others' histories do not know what it did",
                   "%d tools keep a history in this database: %s", different, tools.p);
    else if (list.n > 1)
        doctor_add(
            d, FINDING_LEDGER_SEVERAL, SEV_WARNING, NULL,
            "the search_path or the URL's schema decides which one counts; aramid status shows it",
            "%s has %zu histories in different schemas", tools.p, list.n);
    if (!list.n)
        doctor_add(d, FINDING_LEDGER_FOUND, SEV_NOTICE, NULL, NULL,
                   "no migration history in this database");
}
