/* Writing the ledger by a person's decision. */
#include "base/clock.h"
#include "base/invariant.h"
#include "base/os.h"
#include "run/session_int.h"

/* The steps of the rows that are settled now mean nothing any more. */
static void
add_forget(const Session *s, Buf *b, const History *h, const char *name)
{
    vec_each (const LedgerRow, r, &h->rows) {
        if (!s->own[OWN_JOURNAL].exists || r->finished_us || r->rolled_back_us ||
            strcmp(r->name, name) != 0)
            continue;
        journal_add_forget(s, b, r->id);
        buf_addc(b, ';');
    }
}

static void
add_rolled_back(const Session *s, Buf *b, const char *name)
{
    if (!ledger_holds_begun(s))
        return; /* the journal was all that knew of it */
    s->layout->add_rolled_back(b, &s->ledger, name);
    buf_addc(b, ';');
}

bool
run_resolve_applied(Session *s, const Migration *const *list, size_t n, const History *h, Err *err)
{
    INVARIANT(s->has_own_lock, "a ledger written without the migration lock");
    Buf b;
    buf_init(&b, s->arena);
    session_add_prefix(s, &b);
    if (!session_add_ledger(s, &b, h, err))
        return false;
    int64_t now = clock_wall_us() + db_info(s->db)->clock_offset_us;
    now -= now % 1000;
    if (now <= h->last_started_us)
        now = h->last_started_us - h->last_started_us % 1000 + 1000;
    for (size_t i = 0; i < n; i++) {
        add_rolled_back(s, &b, list[i]->name);
        add_forget(s, &b, h, list[i]->name);
        LedgerRow row = {.id = os_uuid(s->arena),
                         .checksum = list[i]->checksum,
                         .name = list[i]->name,
                         .migration = list[i],
                         .started_us = now + (int64_t)i * 1000};
        s->layout->add_resolved(&b, &s->ledger, &row);
        buf_addc(&b, ';');
        ledger_add_proof(s, &b, &(Kept){.row = &row, .ledger = true, .finished = true});
        buf_addc(&b, ';');
    }
    return session_make(s, buf_str(&b), NULL, err);
}

bool
run_resolve_rolled_back(Session *s, const char *name, const History *h, Err *err)
{
    INVARIANT(s->has_own_lock, "a ledger written without the migration lock");
    Buf b;
    buf_init(&b, s->arena);
    session_add_prefix(s, &b);
    add_forget(s, &b, h, name);
    add_rolled_back(s, &b, name);
    return session_query(s, s->arena, buf_str(&b), NULL, err);
}
