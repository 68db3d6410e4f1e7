/* Writing the ledger by a person's decision. */
#include "base/clock.h"
#include "base/os.h"
#include "run/run_int.h"

static bool
begin_ledger(Session *s, Buf *b, Err *err)
{
    session_add_prefix(s, b);
    if (s->ledger_exists)
        return true;
    if (!s->ledger_schema)
        return err_set(err, ERR_DENIED, "the role's search_path names no schema that exists");
    s->layout->add_create(b, s->ledger_schema);
    buf_addc(b, ';');
    return true;
}

bool
run_resolve_applied(Session *s, const Migration *const *list, size_t n, const History *h, Err *err)
{
    Buf b;
    buf_init(&b, s->arena);
    if (!begin_ledger(s, &b, err))
        return false;
    int64_t now = clock_wall_us() + db_info(s->db)->clock_offset_us;
    now -= now % 1000;
    if (now <= h->last_started_us)
        now = h->last_started_us - h->last_started_us % 1000 + 1000;
    for (size_t i = 0; i < n; i++) {
        s->layout->add_rolled_back(&b, s->ledger_schema, list[i]->name);
        buf_addc(&b, ';');
        s->layout->add_resolved(&b, s->ledger_schema,
                                &(LedgerRow){.id = os_uuid(s->arena),
                                             .checksum = list[i]->checksum,
                                             .name = list[i]->name,
                                             .started_us = now + (int64_t)i * 1000});
        buf_addc(&b, ';');
    }
    return db_query(s->db, s->arena, buf_str(&b), NULL, err);
}

bool
run_resolve_rolled_back(Session *s, const char *name, Err *err)
{
    Buf b;
    buf_init(&b, s->arena);
    session_add_prefix(s, &b);
    s->layout->add_rolled_back(&b, s->ledger_schema, name);
    return db_query(s->db, s->arena, buf_str(&b), NULL, err);
}
