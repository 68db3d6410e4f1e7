/* Writing the ledger by a person's decision. */
#include "base/clock.h"
#include "base/invariant.h"
#include "base/os.h"
#include "run/session_int.h"
#include "sqltext/sqltext.h"

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

/* What the rows that are written now are to say of their time. */
static int64_t
next_time(const Session *s, const History *h)
{
    int64_t now = clock_wall_us() + db_info(s->db)->clock_offset_us;
    now -= now % 1000;
    return now > h->last_started_us ? now : h->last_started_us - h->last_started_us % 1000 + 1000;
}

static void
add_recorded(const Session *s, Buf *b, const History *h, const Migration *m, int64_t started_us)
{
    LedgerRow row = {.id = os_uuid(s->arena),
                     .checksum = m->checksum,
                     .name = m->name,
                     .migration = m,
                     .started_us = started_us};
    add_rolled_back(s, b, m->name);
    add_forget(s, b, h, m->name);
    s->layout->add_resolved(b, &s->ledger, &row);
    buf_addc(b, ';');
    ledger_add_proof(s, b, &(Kept){.row = &row, .ledger = true, .finished = true});
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
    int64_t now = next_time(s, h);
    for (size_t i = 0; i < n; i++)
        add_recorded(s, &b, h, list[i], now + (int64_t)i * 1000);
    if (n && s->layout->add_promise)
        s->layout->add_promise(&b,
                               &(LedgerRow){.name = list[n - 1]->name, .migration = list[n - 1]});
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

/* ---- several repairs at once --------------------------------------------------------------- */

/* A statement that divides by zero unless the table holds so many rows. */
static void
add_row_count(const Session *s, Buf *b, size_t rows)
{
    if (s->layout->beside) /* a row of the table is not one of the history */
        return;
    buf_addz(b, "SELECT 1 OPERATOR(pg_catalog./) CASE WHEN pg_catalog.count(*)"
                " OPERATOR(pg_catalog.=) ");
    buf_fmt(b, "%zu THEN 1 ELSE 0 END FROM ", rows);
    sql_add_name(b, s->ledger.schema, s->ledger.table);
    buf_addc(b, ';');
}

/* The same unless a statement changes exactly one row. */
static void
add_for_one_row(Buf *b, const char *statement)
{
    buf_fmt(b,
            "WITH x AS (%s RETURNING 1) SELECT 1 OPERATOR(pg_catalog./) CASE WHEN"
            " pg_catalog.count(*) OPERATOR(pg_catalog.=) 1 THEN 1 ELSE 0 END FROM x;",
            statement);
}

static void
add_repair(const Session *s, Buf *b, const RunRepair *r, const History *h, int64_t now)
{
    Buf one;
    buf_init(&one, s->arena);
    LedgerRow row = {.name = r->name,
                     .migration = r->migration,
                     .checksum = r->migration ? r->migration->checksum : ""};
    switch (r->kind) {
    case RUN_RECORD:
        add_recorded(s, b, h, r->migration, now);
        return;
    case RUN_ROLL_BACK:
        add_forget(s, b, h, r->name);
        add_rolled_back(s, b, r->name);
        return;
    case RUN_CORRECT:
        s->layout->add_corrected(&one, &s->ledger, r->row_id, &row);
        add_for_one_row(b, one.p);
        return;
    case RUN_REMOVE:
        s->layout->add_removed(&one, &s->ledger, r->row_id);
        add_for_one_row(b, one.p);
        return;
    case RUN_UPGRADE: /* by session_add_ledger */
    case RUN_REPAIR_NONE:
        return;
    }
}

/* Rows of the table itself: those of journals that stand in for some are left out. */
static size_t
rows_of_table(const Session *s, const History *h)
{
    size_t n = 0;
    vec_each (const LedgerRow, r, &h->rows)
        n += ledger_holds_begun(s) || r->finished_us;
    return n;
}

bool
run_repair(Session *s, const RunRepair *list, size_t n, const History *h, Err *err)
{
    INVARIANT(s->has_own_lock, "a ledger written without the migration lock");
    Buf b;
    size_t rows = rows_of_table(s, h);
    buf_init(&b, s->arena);
    session_add_prefix(s, &b);
    if (s->ledger_exists) {
        buf_addz(&b, "LOCK TABLE ");
        sql_add_name(&b, s->ledger.schema, s->ledger.table);
        buf_addz(&b, " IN SHARE ROW EXCLUSIVE MODE;");
        add_row_count(s, &b, rows);
    }
    if (!session_add_ledger(s, &b, h, err))
        return false;
    int64_t now = next_time(s, h);
    for (size_t i = 0; i < n; i++) {
        add_repair(s, &b, &list[i], h, now + (int64_t)i * 1000);
        rows += list[i].kind == RUN_RECORD;
        rows -= list[i].kind == RUN_REMOVE;
    }
    add_row_count(s, &b, rows);
    return session_make(s, buf_str(&b), NULL, err);
}
