/* Ledgers that hold a row of a migration that did not end, and those that leave that to the
 * journal. */
#include "base/invariant.h"
#include "run/session_int.h"

const SessionLedger *
ledger_of(const Session *s, const LedgerRow *row)
{
    INVARIANT(row->part < s->ledgers.n, "a row of no ledger");
    return &s->ledgers.v[row->part];
}

bool
ledger_holds_begun(const SessionLedger *l)
{
    return l->layout->add_begun != NULL;
}

bool
ledger_may_hold(const SessionLedger *l, const char *ledger_id)
{
    return str_starts(str_of(ledger_id), STR(JOURNAL_SCRIPT)) == l->layout->is_beside;
}

void
ledger_add_is_settled(const Session *s, Buf *b, const LedgerRow *row)
{
    const SessionLedger *l = ledger_of(s, row);
    if (row->is_undone)
        history_add_is_gone(b, l->layout, &l->at, row);
    else
        history_add_is_applied(b, l->layout, &l->at, row);
}

void
ledger_add_whole(const Session *s, Buf *b, const LedgerRow *row)
{
    const SessionLedger *l = ledger_of(s, row);
    if (row->is_undone)
        history_add_undone(b, l->layout, &l->at, row);
    else
        l->layout->add_applied(b, &l->at, row);
}

void
ledger_add_begun(const Session *s, Buf *b, const LedgerRow *row)
{
    const SessionLedger *l = ledger_of(s, row);
    if (row->is_undone)
        l->layout->add_reopened(b, &l->at, row->id);
    else
        l->layout->add_begun(b, &l->at, row);
}

void
ledger_add_forgotten(const Session *s, Buf *b, const LedgerRow *row)
{
    const SessionLedger *l = ledger_of(s, row);
    if (row->is_undone) /* it is applied, as it was */
        l->layout->add_finished(b, &l->at, row->id, row->checksum);
    else
        l->layout->add_forgotten(b, &l->at, row->id);
}

void
ledger_add_finished(const Session *s, Buf *b, const LedgerRow *row)
{
    const SessionLedger *l = ledger_of(s, row);
    if (row->is_undone)
        ledger_add_whole(s, b, row);
    else if (ledger_holds_begun(l))
        l->layout->add_finished(b, &l->at, row->id, row->checksum);
    else
        l->layout->add_applied(b, &l->at, row);
}

static bool
has_row(const History *h, const char *id, const char *name)
{
    vec_each (const LedgerRow, r, &h->rows)
        if (strcmp(r->id, id) == 0 || (r->finished_us && strcmp(r->name, name) == 0))
            return true;
    return false;
}

static bool
has_file(const History *h, const char *name)
{
    vec_each (const Migration, m, &h->files)
        if (strcmp(m->name, name) == 0)
            return true;
    return false;
}

/* The history that a step of the journal is of, among those whose ledger lacks the row: that which has
 * the file, else the first. NULL: no ledger lacks it. */
static History *
lacks_row(const Session *s, const JournalStep *j, History *h)
{
    History *first = NULL;
    for (size_t i = 0; i < history_parts(h); i++) {
        History *p = history_part(h, i);
        if (has_row(p, j->ledger_id, j->name))
            return NULL;
        if (ledger_holds_begun(&s->ledgers.v[i]) ||
            !ledger_may_hold(&s->ledgers.v[i], j->ledger_id))
            continue;
        if (has_file(p, j->name))
            return p;
        first = first ? first : p;
    }
    return first;
}

void
ledger_take_begun(const Session *s, const JournalVec *journal, History *h)
{
    vec_each (const JournalStep, j, journal) {
        History *p = lacks_row(s, j, h);
        if (p)
            *vec_add(s->arena, &p->rows) = (LedgerRow){.id = j->ledger_id,
                                                       .checksum = "",
                                                       .name = j->name,
                                                       .logs = "",
                                                       .started_us = j->begun_us};
    }
}

void
ledger_add_proof(const Session *s, Buf *b, const Kept *k)
{
    buf_addz(b, "SELECT 1 OPERATOR(pg_catalog./) CASE WHEN true");
    if (k->ledger) {
        const SessionLedger *l = ledger_of(s, k->row);
        buf_addz(b, " AND (");
        if (k->row->is_undone && k->finished)
            history_add_is_gone(b, l->layout, &l->at, k->row);
        else
            history_add_is_kept(b, l->layout, &l->at, k->row, k->finished);
        buf_addc(b, ')');
    }
    if (k->journal) {
        buf_addz(b, " AND (");
        journal_add_is_kept(s, b, k);
        buf_addc(b, ')');
    }
    buf_addz(b, " THEN 1 ELSE 0 END");
}
