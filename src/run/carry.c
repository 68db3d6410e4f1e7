/* What a finished step outside of transactions left to be recorded. */
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

Str
journal_undo(const Try *t)
{
    return t->first && t->mp->undoes ? t->mp->migration->text : (Str){0};
}
