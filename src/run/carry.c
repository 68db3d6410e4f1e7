/* What a finished step outside of transactions left to be recorded. */
#include "base/invariant.h"
#include "run/session_int.h"
#include "run/step.h"

int
run_add_carry(const Run *r, Buf *b)
{
    if (!r->carry)
        return 0;
    buf_addz(b, r->carry);
    return r->carry_statements;
}

void
run_drop_carry(Run *r)
{
    r->carry = NULL;
}

bool
run_flush_carry(Run *r, Err *err)
{
    if (!r->carry)
        return true;
    Buf b;
    buf_init(&b, r->arena);
    session_add_prefix(&r->session, &b);
    run_add_carry(r, &b);
    if (!session_query(&r->session, r->arena, buf_str(&b), NULL, err))
        return false;
    run_drop_carry(r);
    return true;
}

void
step_finish(const Try *t, const JournalEntry *closed)
{
    Run *r = t->run;
    const Session *s = &r->session;
    INVARIANT(!r->carry, "the record of an earlier statement was never sent");
    Buf b;
    buf_init(&b, r->arena);
    bool forgets = t->last && (!ledger_holds_begun(ledger_of(s, t->row)) || t->row->is_undone);
    if (forgets)
        journal_add_forget(s, &b, t->row->id);
    else if (closed)
        journal_add_closed(s, &b, closed);
    else
        journal_add_done(s, &b, t->row->id, t->step->first);
    buf_addc(&b, ';');
    if (t->last) {
        ledger_add_finished(s, &b, t->row);
        buf_addc(&b, ';');
    }
    ledger_add_proof(s, &b,
                     &(Kept){.row = t->row,
                             .ledger = t->last,
                             .finished = t->last,
                             .journal = !forgets,
                             .done = true,
                             .first = t->step->first,
                             .next = t->step->first + 1});
    buf_addc(&b, ';');
    r->carry = b.p;
    r->carry_statements = t->last ? 3 : 2;
}

Str
journal_undo(const Try *t)
{
    return t->first && t->mp->undoes ? t->mp->migration->text : (Str){0};
}
