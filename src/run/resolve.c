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
add_rolled_back(const SessionLedger *l, Buf *b, const char *name)
{
    if (!ledger_holds_begun(l))
        return; /* the journal was all that knew of it */
    l->layout->add_rolled_back(b, &l->at, name);
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
                     .part = m->part,
                     .started_us = started_us};
    const SessionLedger *l = ledger_of(s, &row);
    add_rolled_back(l, b, m->name);
    add_forget(s, b, h, m->name);
    l->layout->add_resolved(b, &l->at, &row);
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
    unsigned parts = 0;
    for (size_t i = 0; i < n; i++)
        parts |= 1u << list[i]->part;
    if (!session_add_ledgers(s, &b, h, parts, err))
        return false;
    int64_t now = next_time(s, h);
    for (size_t i = 0; i < n; i++)
        add_recorded(s, &b, h, list[i], now + (int64_t)i * 1000);
    const HistoryLayout *last = n ? s->ledgers.v[list[n - 1]->part].layout : NULL;
    if (last && last->add_promise)
        last->add_promise(&b, &(LedgerRow){.name = list[n - 1]->name, .migration = list[n - 1]});
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
    const Entry *e = history_find(h, name);
    add_rolled_back(&s->ledgers.v[e ? e->part : 0], &b, name);
    return session_query(s, s->arena, buf_str(&b), NULL, err);
}

/* ---- several repairs at once --------------------------------------------------------------- */

/* A statement that divides by zero unless the table holds so many rows. */
static void
add_row_count(const SessionLedger *l, Buf *b, size_t rows)
{
    if (l->layout->beside) /* a row of the table is not one of the history */
        return;
    buf_addz(b, "SELECT 1 OPERATOR(pg_catalog./) CASE WHEN pg_catalog.count(*)"
                " OPERATOR(pg_catalog.=) ");
    buf_fmt(b, "%zu THEN 1 ELSE 0 END FROM ", rows);
    sql_add_name(b, l->at.schema, l->at.table);
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
                     .part = r->part,
                     .checksum = r->migration ? r->migration->checksum : ""};
    const SessionLedger *l = ledger_of(s, &row);
    switch (r->kind) {
    case RUN_RECORD:
        add_recorded(s, b, h, r->migration, now);
        return;
    case RUN_ROLL_BACK:
        add_forget(s, b, h, r->name);
        add_rolled_back(l, b, r->name);
        return;
    case RUN_CORRECT:
        l->layout->add_corrected(&one, &l->at, r->row_id, &row);
        add_for_one_row(b, one.p);
        return;
    case RUN_REMOVE:
        l->layout->add_removed(&one, &l->at, r->row_id);
        add_for_one_row(b, one.p);
        return;
    case RUN_UPGRADE: /* by session_add_ledgers */
    case RUN_REPAIR_NONE:
        return;
    }
}

/* Rows of the table itself: those of journals that stand in for some are left out. */
static size_t
rows_of_table(const SessionLedger *l, const History *part)
{
    size_t n = 0;
    vec_each (const LedgerRow, r, &part->rows)
        n += ledger_holds_begun(l) || r->finished_us;
    return n;
}

bool
run_repair(Session *s, const RunRepair *list, size_t n, const History *h, Err *err)
{
    INVARIANT(s->has_own_lock, "a ledger written without the migration lock");
    Buf b;
    unsigned parts = 0;
    size_t *rows = arena_array(s->arena, size_t, s->ledgers.n);
    buf_init(&b, s->arena);
    session_add_prefix(s, &b);
    for (size_t i = 0; i < n; i++)
        parts |= 1u << list[i].part;
    for (size_t i = 0; i < s->ledgers.n; i++) {
        const SessionLedger *l = &s->ledgers.v[i];
        rows[i] = rows_of_table(l, history_part_of(h, i));
        if (!l->exists || !(parts & 1u << i))
            continue;
        buf_addz(&b, "LOCK TABLE ");
        sql_add_name(&b, l->at.schema, l->at.table);
        buf_addz(&b, " IN SHARE ROW EXCLUSIVE MODE;");
        add_row_count(l, &b, rows[i]);
    }
    if (!session_add_ledgers(s, &b, h, parts, err))
        return false;
    int64_t now = next_time(s, h);
    for (size_t i = 0; i < n; i++) {
        add_repair(s, &b, &list[i], h, now + (int64_t)i * 1000);
        rows[list[i].part] += list[i].kind == RUN_RECORD;
        rows[list[i].part] -= list[i].kind == RUN_REMOVE;
    }
    for (size_t i = 0; i < s->ledgers.n; i++)
        if (parts & 1u << i)
            add_row_count(&s->ledgers.v[i], &b, rows[i]);
    return session_make(s, buf_str(&b), NULL, err);
}

/* ---- a squash ------------------------------------------------------------------------------ */

static bool
is_replaced(const Migration *m, const char *name)
{
    vec_each (const MigrationReplaced, r, &m->replaces)
        if (strcmp(r->name, name) == 0)
            return true;
    return false;
}

bool
run_move_rows(Session *s, const History *h, size_t *ret_moved, Err *err)
{
    VEC(RunRepair) list = {0};
    *ret_moved = 0;
    vec_each (const Entry, e, &h->entries) {
        if (!e->moves)
            continue;
        vec_each (const LedgerRow, row, &h->rows)
            if (row->part == e->part && is_replaced(e->file, row->name)) {
                *vec_add(s->arena, &list) =
                    (RunRepair){.kind = RUN_REMOVE, .part = e->part, .row_id = row->id};
                ++*ret_moved;
            }
        *vec_add(s->arena, &list) = /* behind them: it may have the version of one */
            (RunRepair){.kind = RUN_RECORD, .part = e->part, .migration = e->file};
    }
    return !list.n || run_repair(s, list.v, list.n, h, err);
}
