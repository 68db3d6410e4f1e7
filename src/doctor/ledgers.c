/* Histories of migration tools: several on one database go different ways sooner or later. */
#include "doctor/doctor_int.h"

#include "history/known.h"
#include "sqltext/sqltext.h"

typedef struct Ledger {
    KnownTable at;
    int64_t rows, failed;
} Ledger;
typedef VEC(Ledger) LedgerVec;

static bool
find(Doctor *d, Session *s, LedgerVec *ret)
{
    Buf b;
    buf_init(&b, d->arena);
    history_add_known_query(&b);
    const DbRows *r = doctor_ask(d, s, "histories", b.p);
    KnownTableVec tables = {0};
    if (r)
        history_take_known(d->arena, r, &tables);
    vec_each (const KnownTable, t, &tables)
        *vec_add(d->arena, ret) = (Ledger){.at = *t};
    return r != NULL;
}

static bool
count(Doctor *d, Session *s, LedgerVec *list)
{
    Buf b;
    buf_init(&b, d->arena);
    for (size_t i = 0; i < list->n; i++) {
        const Ledger *l = &list->v[i];
        if (!l->at.is_readable)
            continue;
        buf_fmt(&b, "%sSELECT %zu, pg_catalog.count(*), ", b.n ? " UNION ALL " : "", i);
        if (l->at.as->failed)
            buf_fmt(&b, "pg_catalog.count(*) FILTER (WHERE %s)", l->at.as->failed);
        else
            buf_addz(&b, "0");
        buf_addz(&b, " FROM ");
        sql_add_name(&b, l->at.schema, l->at.table);
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
    const char *name = str_printable(
        d->arena, str_of(str_fmt(d->arena, "%s.%s", l->at.schema, l->at.table)), false);
    if (!l->at.is_readable)
        doctor_add(d, FINDING_LEDGER_HIDDEN, SEV_WARNING, name,
                   str_fmt(d->arena, "as its owner: GRANT SELECT ON %s TO %s",
                           doctor_ident(d, l->at.schema, l->at.table),
                           doctor_ident(d, NULL, db_info(s->db)->user)),
                   "%s's history is not visible to this role", l->at.as->tool);
    else if (l->failed)
        doctor_add(d, FINDING_LEDGER_FAILED, SEV_ERROR, name, l->at.as->fix,
                   "%s's history: %s, %lld of them failed or not finished", l->at.as->tool,
                   str_count(d->arena, l->rows, "row"), (long long)l->failed);
    else
        doctor_add(d, FINDING_LEDGER_FOUND, SEV_OK, name, NULL, "%s's history: %s", l->at.as->tool,
                   str_count(d->arena, l->rows, "row"));
}

/* Among the histories of the project. */
static bool
is_deployed(const Session *s, const char *tool)
{
    vec_each (const SessionLedger, l, &s->ledgers)
        if (strcmp(l->layout->ledger.tool, tool) == 0)
            return true;
    return false;
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
    int different = 0, foreign = 0;
    for (size_t i = 0; i < list.n; i++) {
        bool is_first = true;
        for (size_t k = 0; k < i; k++)
            is_first = is_first && strcmp(list.v[k].at.as->tool, list.v[i].at.as->tool) != 0;
        tell(d, s, &list.v[i]);
        if (!is_first)
            continue;
        different++;
        foreign += !is_deployed(s, list.v[i].at.as->tool);
        buf_fmt(&tools, "%s%s", tools.n ? ", " : "", list.v[i].at.as->tool);
    }
    if (different > 1 && !foreign)
        doctor_add(d, FINDING_LEDGER_SEVERAL, SEV_OK, NULL, NULL,
                   "%d tools keep a history in this database, and this project deploys all of "
                   "them in one order: %s",
                   different, tools.p);
    else if (different > 1)
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
