/* Statements on the ledger of any layout, about the rows that tell of one migration. */
#include "history/layout_int.h"

static void
add_rows(Buf *b, const HistoryLayout *l, const LedgerName *at, const LedgerRow *row)
{
    layout_add_table(b, at);
    l->add_where(b, row);
}

void
history_add_is_applied(Buf *b, const HistoryLayout *l, const LedgerName *at, const LedgerRow *row)
{
    if (l->add_is_applied) {
        l->add_is_applied(b, at, row);
        return;
    }
    buf_addz(b, "SELECT EXISTS (SELECT 1 FROM ");
    add_rows(b, l, at, row);
    buf_addc(b, ')');
}

void
history_add_is_kept(Buf *b, const HistoryLayout *l, const LedgerName *at, const LedgerRow *row,
                    bool finished)
{
    if (l->add_is_kept) {
        l->add_is_kept(b, at, row, finished);
        return;
    }
    buf_addz(b, "SELECT pg_catalog.count(*) OPERATOR(pg_catalog.=) 1");
    if (l->add_written) {
        buf_addz(b, " AND pg_catalog.bool_and(");
        l->add_written(b, row);
        buf_addc(b, ')');
    }
    buf_addz(b, " FROM ");
    add_rows(b, l, at, row);
}

void
layout_add_one(Buf *b, const HistoryLayout *l, const LedgerName *at, const LedgerRow *row)
{
    buf_addz(b, "1 OPERATOR(pg_catalog./) CASE WHEN (");
    history_add_is_applied(b, l, at, row);
    buf_addz(b, ") THEN 0 ELSE 1 END");
}

void
history_add_undone(Buf *b, const HistoryLayout *l, const LedgerName *at, const LedgerRow *row)
{
    if (row->is_journals) {
        history_add_is_gone(b, l, at, row);
        return;
    }
    buf_addz(b, "WITH gone AS (DELETE FROM ");
    add_rows(b, l, at, row);
    buf_addz(b, " RETURNING 1) SELECT 1 OPERATOR(pg_catalog./) CASE WHEN pg_catalog.count(*)"
                " OPERATOR(pg_catalog.>) 0 THEN 1 ELSE 0 END FROM gone");
}

void
history_add_is_gone(Buf *b, const HistoryLayout *l, const LedgerName *at, const LedgerRow *row)
{
    buf_addz(b, "SELECT NOT EXISTS (SELECT 1 FROM ");
    add_rows(b, l, at, row);
    buf_addc(b, ')');
}
