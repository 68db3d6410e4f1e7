/* Ledgers that hold a row of a migration that did not end, and those that leave that to the
 * journal. */
#include "run/session_int.h"

bool
ledger_holds_begun(const Session *s)
{
    return s->layout->add_begun != NULL;
}

void
ledger_add_is_settled(const Session *s, Buf *b, const LedgerRow *row)
{
    if (row->is_undone)
        history_add_is_gone(b, s->layout, &s->ledger, row);
    else
        s->layout->add_is_applied(b, &s->ledger, row);
}

void
ledger_add_whole(const Session *s, Buf *b, const LedgerRow *row)
{
    if (row->is_undone)
        history_add_undone(b, s->layout, &s->ledger, row);
    else
        s->layout->add_applied(b, &s->ledger, row);
}

void
ledger_add_begun(const Session *s, Buf *b, const LedgerRow *row)
{
    if (row->is_undone)
        s->layout->add_reopened(b, &s->ledger, row->id);
    else
        s->layout->add_begun(b, &s->ledger, row);
}

void
ledger_add_forgotten(const Session *s, Buf *b, const LedgerRow *row)
{
    if (row->is_undone) /* it is applied, as it was */
        s->layout->add_finished(b, &s->ledger, row->id, row->checksum);
    else
        s->layout->add_forgotten(b, &s->ledger, row->id);
}

void
ledger_add_finished(const Session *s, Buf *b, const LedgerRow *row)
{
    if (row->is_undone)
        ledger_add_whole(s, b, row);
    else if (ledger_holds_begun(s))
        s->layout->add_finished(b, &s->ledger, row->id, row->checksum);
    else
        s->layout->add_applied(b, &s->ledger, row);
}

static bool
has_row(const History *h, const char *id, const char *name)
{
    vec_each (const LedgerRow, r, &h->rows)
        if (strcmp(r->id, id) == 0 || (r->finished_us && strcmp(r->name, name) == 0))
            return true;
    return false;
}

void
ledger_take_begun(const Session *s, const JournalVec *journal, History *h)
{
    vec_each (const JournalStep, j, journal)
        if (!has_row(h, j->ledger_id, j->name))
            *vec_add(s->arena, &h->rows) = (LedgerRow){.id = j->ledger_id,
                                                       .checksum = "",
                                                       .name = j->name,
                                                       .logs = "",
                                                       .started_us = j->begun_us};
}

void
ledger_add_proof(const Session *s, Buf *b, const Kept *k)
{
    buf_addz(b, "SELECT 1 OPERATOR(pg_catalog./) CASE WHEN true");
    if (k->ledger) {
        buf_addz(b, " AND (");
        if (k->row->is_undone && k->finished)
            history_add_is_gone(b, s->layout, &s->ledger, k->row);
        else
            s->layout->add_is_kept(b, &s->ledger, k->row, k->finished);
        buf_addc(b, ')');
    }
    if (k->journal) {
        buf_addz(b, " AND (");
        journal_add_is_kept(s, b, k);
        buf_addc(b, ')');
    }
    buf_addz(b, " THEN 1 ELSE 0 END");
}
