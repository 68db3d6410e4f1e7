/* The journal: how far a migration of several steps has come. Migrations of one step leave no row
 * here. */
#include "base/hash.h"
#include "base/invariant.h"
#include "run/session_int.h"
#include "sqltext/sqltext.h"

static void
add_table(const Session *s, Buf *b)
{
    own_add_table(s, b, OWN_JOURNAL);
}

void
journal_add_select(const Session *s, Buf *b)
{
    buf_addz(b, "SELECT ledger_id, migration_name, first_statement, next_statement, done, "
                "prefix_hash, chained, relation, indexes_before,"
                " pg_catalog.encode(pg_catalog.timestamptz_send(started_at), 'hex'), run_id, ");
    buf_addz(b, s->own[OWN_JOURNAL].is_old ? "NULL FROM " : "undo FROM ");
    add_table(s, b);
    buf_addz(b, " ORDER BY ledger_id, first_statement");
}

bool
journal_read(Arena *a, const DbRows *rows, JournalVec *ret, Err *err)
{
    if (rows->cols != 12)
        return err_set(err, ERR_INTERNAL, "the journal query gave %d columns", rows->cols);
    for (int i = 0; i < rows->rows; i++) {
        long long first = 0, next = 0, relation = 0;
        str_to_int(db_cell(rows, i, 2), 0, INT32_MAX, &first);
        str_to_int(db_cell(rows, i, 3), 0, INT32_MAX, &next);
        if (db_cell(rows, i, 7).p)
            str_to_int(db_cell(rows, i, 7), 0, UINT32_MAX, &relation);
        *vec_add(a, ret) = (JournalStep){
            .ledger_id = db_cell(rows, i, 0).p,
            .name = db_cell(rows, i, 1).p,
            .begun_us = db_time_us(db_cell(rows, i, 9)),
            .first = (size_t)first,
            .next = (size_t)next,
            .done = str_is(db_cell(rows, i, 4), "t"),
            .prefix_hash = db_cell(rows, i, 5).p,
            .chained = db_cell(rows, i, 6).p,
            .relation = relation,
            .indexes_before = db_cell(rows, i, 8).p,
            .run_id = db_cell(rows, i, 10).p,
            .undo = db_cell(rows, i, 11).p,
        };
    }
    return true;
}

bool
journal_prefix_hash(Arena *a, const MigrationPlan *mp, size_t next, const char **ret, Err *err)
{
    INVARIANT(next <= mp->statements, "a journal beyond its script");
    ARENA_LOCAL(scratch);
    SqlScript script;
    if (!plan_script(scratch, mp, true, &script, err))
        return false;
    *ret = hash_sha256_hex(a, str_slice(script.text, 0, next ? script.stmts.v[next - 1].end : 0));
    return true;
}

void
journal_add_insert(const Session *s, Buf *b, const JournalEntry *e)
{
    buf_addz(b, "INSERT INTO ");
    add_table(s, b);
    buf_addz(b, " (ledger_id, migration_name, first_statement, next_statement, done, prefix_hash,"
                " chained, run_id, relation, indexes_before, ");
    buf_addz(b, e->undo.p ? "undo, finished_at) SELECT " : "finished_at) SELECT ");
    sql_add_literal(b, str_of(e->ledger_id));
    buf_addz(b, ", ");
    sql_add_literal(b, str_of(e->name));
    buf_fmt(b, ", %zu, %zu, %s, ", e->first, e->next, e->done ? "true" : "false");
    sql_add_literal(b, str_of(e->prefix_hash));
    buf_addz(b, ", ");
    sql_add_text(b, e->chained);
    buf_addz(b, ", ");
    sql_add_literal(b, str_of(e->run_id));
    buf_fmt(b, ", %s, ", e->relation ? e->relation : "NULL");
    if (e->before)
        buf_fmt(b,
                "ARRAY(SELECT c.oid FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid"
                " OPERATOR(pg_catalog.=) i.indexrelid WHERE %s)",
                e->before);
    else
        buf_addz(b, "NULL");
    if (e->undo.p) {
        buf_addz(b, ", ");
        sql_add_literal(b, e->undo);
    }
    buf_addz(b, e->done ? ", pg_catalog.clock_timestamp()" : ", NULL");
}

static void
add_where(Buf *b, const char *ledger_id)
{
    buf_addz(b, " WHERE ledger_id OPERATOR(pg_catalog.=) ");
    sql_add_literal(b, str_of(ledger_id));
}

void
journal_add_is_kept(const Session *s, Buf *b, const Kept *k)
{
    buf_fmt(b,
            "SELECT pg_catalog.count(*) OPERATOR(pg_catalog.=) 1 AND pg_catalog.bool_and("
            "done OPERATOR(pg_catalog.=) %s AND next_statement OPERATOR(pg_catalog.=) %zu) FROM ",
            k->done ? "true" : "false", k->next);
    add_table(s, b);
    add_where(b, k->row->id);
    buf_fmt(b, " AND first_statement OPERATOR(pg_catalog.=) %zu", k->first);
}

void
journal_add_done(const Session *s, Buf *b, const char *ledger_id, size_t first)
{
    buf_addz(b, "UPDATE ");
    add_table(s, b);
    buf_addz(b, " SET done = true, finished_at = pg_catalog.clock_timestamp()");
    add_where(b, ledger_id);
    buf_fmt(b, " AND first_statement OPERATOR(pg_catalog.=) %zu", first);
}

/* How far batches have come is of no use behind their end. Stands in front of a statement. */
static void
add_batches_gone(const Session *s, Buf *b, const char *ledger_id)
{
    if (!own_is_there(s, OWN_BATCHES))
        return;
    buf_addz(b, "WITH b AS (DELETE FROM ");
    own_add_table(s, b, OWN_BATCHES);
    add_where(b, ledger_id);
    buf_addz(b, ") ");
}

void
journal_add_closed(const Session *s, Buf *b, const JournalEntry *e)
{
    add_batches_gone(s, b, e->ledger_id);
    buf_addz(b, "UPDATE ");
    add_table(s, b);
    buf_fmt(b,
            " SET done = true, finished_at = pg_catalog.clock_timestamp(), next_statement = %zu,"
            " prefix_hash = ",
            e->next);
    sql_add_literal(b, str_of(e->prefix_hash));
    add_where(b, e->ledger_id);
    buf_fmt(b, " AND first_statement OPERATOR(pg_catalog.=) %zu", e->first);
}

void
journal_add_forget(const Session *s, Buf *b, const char *ledger_id)
{
    add_batches_gone(s, b, ledger_id);
    buf_addz(b, "DELETE FROM ");
    add_table(s, b);
    add_where(b, ledger_id);
}
