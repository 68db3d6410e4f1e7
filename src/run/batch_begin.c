/* That a statement begins to run in batches is written down; and where an interrupted one goes on. */
#include "run/batch.h"

#include "run/session_int.h"
#include "sqltext/sqltext.h"

static void
add_keys(const Batches *b, Buf *out)
{
    buf_addz(out, "ARRAY[");
    for (size_t i = 0; i < b->key.columns.n; i++) {
        buf_addz(out, i ? "," : "");
        sql_add_literal(out, str_of(b->key.columns.v[i].name));
    }
    buf_addz(out, "]::pg_catalog.text[]");
}

/* The ledger's and the journal's word that it begins, and where it stands. The journal's hash ends before
 * the statement: how far it has come stays true when it is corrected for the rest. */
bool
batch_begin(Batches *b, Err *err)
{
    const Try *t = b->t;
    const Session *s = &t->run->session;
    const LedgerRow *row = t->row;
    const char *prefix;
    if (!batch_find_end(b, err) ||
        !journal_prefix_hash(b->arena, t->mp, t->step->first, &prefix, err))
        return false;
    Buf out;
    buf_init(&out, b->arena);
    session_add_prefix(s, &out);
    bool begins = t->first && ledger_holds_begun(ledger_of(s, row));
    if (begins) {
        ledger_add_begun(s, &out, row);
        buf_addc(&out, ';');
    }
    if (t->first && row->is_undone) {
        journal_add_forget(s, &out, row->id);
        buf_addc(&out, ';');
    }
    journal_add_insert(s, &out,
                       &(JournalEntry){.ledger_id = row->id,
                                       .name = row->name,
                                       .first = t->step->first,
                                       .next = t->step->first,
                                       .prefix_hash = prefix,
                                       .undo = journal_undo(t),
                                       .run_id = t->run->deploy->run_id});
    buf_addz(&out, ";INSERT INTO ");
    own_add_table(s, &out, OWN_BATCHES);
    buf_addz(&out, " (ledger_id, first_statement, relation, keys, last, rows, size) SELECT ");
    sql_add_literal(&out, str_of(row->id));
    buf_fmt(&out, ", %zu, %lld, ", t->step->first, b->key.relation);
    add_keys(b, &out);
    buf_addz(&out, ", ");
    batch_add_array(b, &out, b->end);
    buf_fmt(&out, ", 0, %lld;", (long long)b->size);
    ledger_add_proof(s, &out,
                     &(Kept){.row = row,
                             .ledger = begins,
                             .journal = true,
                             .first = t->step->first,
                             .next = t->step->first});
    failpoint(t->run, FP_BEFORE_INTENT);
    bool ok = session_query(&t->run->session, b->arena, buf_str(&out), NULL, err);
    failpoint(t->run, FP_AFTER_INTENT);
    return ok;
}

void
batch_add_where(const Batches *b, Buf *out)
{
    buf_addz(out, " WHERE ledger_id OPERATOR(pg_catalog.=) ");
    sql_add_literal(out, str_of(b->t->row->id));
    buf_fmt(out, " AND first_statement OPERATOR(pg_catalog.=) %zu", b->t->step->first);
}

static bool
refuse_other_key(const Batches *b, Err *err)
{
    err_set(err, ERR_DIVERGED,
            "the table or the key of a statement that runs in batches was changed in between");
    err_detail(err, "how far it has come is known by the key with which it began");
    plan_place(b->t->mp, b->t->step->first, err);
    return err_hint(err,
                    "restore both; or undo what is there and let the migration run from its "
                    "beginning: aramid resolve --rolled-back %s",
                    str_shell(b->arena, b->t->mp->migration->name));
}

/* An earlier run began it. */
bool
batch_resume(Batches *b, Err *err)
{
    const Session *s = &b->t->run->session;
    Buf out;
    DbRowsVec results;
    buf_init(&out, b->arena);
    int before = session_add_prefix(s, &out);
    buf_fmt(&out, "SELECT relation OPERATOR(pg_catalog.=) %lld AND keys OPERATOR(pg_catalog.=) ",
            b->key.relation);
    add_keys(b, &out);
    buf_addz(&out, ", rows, size, reached IS NOT NULL, last IS NOT NULL");
    for (size_t i = 0; i < b->key.columns.n; i++)
        buf_fmt(&out, ", reached[%zu], last[%zu]", i + 1, i + 1);
    buf_addz(&out, " FROM ");
    own_add_table(s, &out, OWN_BATCHES);
    batch_add_where(b, &out);
    if (!session_query(&b->t->run->session, b->arena, buf_str(&out), &results, err))
        return false;
    const DbRows *rows = &results.v[before];
    long long n = 0;
    if (!rows->rows || !str_is(db_cell(rows, 0, 0), "t"))
        return refuse_other_key(b, err);
    if (str_to_int(db_cell(rows, 0, 1), 0, INT64_MAX, &n))
        b->rows = b->began_rows = n;
    if (!b->what->size && str_to_int(db_cell(rows, 0, 2), 1, BATCH_ROWS_MAX, &n))
        b->size = n;
    const char **at[2] = {arena_array(b->arena, const char *, b->key.columns.n),
                          arena_array(b->arena, const char *, b->key.columns.n)};
    for (size_t i = 0; i < b->key.columns.n; i++)
        for (int k = 0; k < 2; k++)
            at[k][i] = db_cell(rows, 0, 5 + (int)i * 2 + k).p;
    b->last = str_is(db_cell(rows, 0, 3), "t") ? at[0] : NULL;
    b->end = str_is(db_cell(rows, 0, 4), "t") ? at[1] : NULL;
    return true;
}
