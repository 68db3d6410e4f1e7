/* What finished steps outside of transactions left to be recorded. */
#include "run/session_int.h"
#include "run/step.h"

void
run_add_carry(const Run *r, Buf *b)
{
    if (!r->carry.proof_count)
        return;
    buf_add(b, buf_str(&r->carry.records));
    buf_add(b, buf_str(&r->carry.proofs));
}

void
run_drop_carry(Run *r)
{
    r->carry = (Carry){0};
}

bool
run_flush_carry(Run *r, Err *err)
{
    if (!r->carry.proof_count)
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
    Carry *c = &r->carry;
    if (!c->proof_count) {
        buf_init(&c->records, r->arena);
        buf_init(&c->proofs, r->arena);
    }
    bool forgets = t->last && (!ledger_holds_begun(ledger_of(s, t->row)) || t->row->is_undone);
    if (forgets)
        journal_add_forget(s, &c->records, t->row->id);
    else if (closed)
        journal_add_closed(s, &c->records, closed);
    else
        journal_add_done(s, &c->records, t->row->id, t->step->first);
    buf_addc(&c->records, ';');
    if (t->last) {
        ledger_add_finished(s, &c->records, t->row);
        buf_addc(&c->records, ';');
    }
    c->record_count += 1 + t->last;
    ledger_add_proof(s, &c->proofs,
                     &(Kept){.row = t->row,
                             .ledger = t->last,
                             .finished = t->last,
                             .journal = !forgets,
                             .done = true,
                             .first = t->step->first,
                             .next = t->step->first + 1});
    buf_addc(&c->proofs, ';');
    c->proof_count++;
}

Str
journal_undo(const Try *t)
{
    return t->first && t->mp->undoes ? t->mp->migration->text : (Str){0};
}
