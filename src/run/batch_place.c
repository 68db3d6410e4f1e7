/* Places in the order of a key, as SQL: where the rows of a batch begin and end. */
#include "run/batch.h"

#include "run/session_int.h"
#include "sqltext/sqltext.h"

static void
batch_add_columns(const Batches *b, Buf *out, const char *qualifier)
{
    bool is_row = b->key.columns.n > 1;
    buf_addz(out, is_row ? "(" : "");
    for (size_t i = 0; i < b->key.columns.n; i++) {
        buf_addz(out, i ? "," : "");
        sql_add_ident(out, qualifier);
        buf_addc(out, '.');
        buf_addz(out, b->key.columns.v[i].quoted);
    }
    buf_addz(out, is_row ? ")" : "");
}

static void
add_place(const Batches *b, Buf *out, BatchPlace at)
{
    bool is_row = b->key.columns.n > 1;
    buf_addz(out, is_row ? "(" : "");
    for (size_t i = 0; i < b->key.columns.n; i++) {
        buf_addz(out, i ? "," : "");
        sql_add_literal(out, str_of(at[i]));
        buf_fmt(out, "::%s", b->key.columns.v[i].type);
    }
    buf_addz(out, is_row ? ")" : "");
}

/* Behind `from`, up to `to`; at least one of them. */
void
batch_add_range(const Batches *b, Buf *out, const char *qualifier, BatchPlace from, BatchPlace to)
{
    buf_addc(out, '(');
    if (from) {
        batch_add_columns(b, out, qualifier);
        buf_addz(out, " OPERATOR(pg_catalog.>) ");
        add_place(b, out, from);
        buf_addz(out, " AND ");
    }
    batch_add_columns(b, out, qualifier);
    buf_addz(out, " OPERATOR(pg_catalog.<=) ");
    add_place(b, out, to);
    buf_addc(out, ')');
}

/* The name in front: what is given is called like the column, and order would be that of the texts. */
static void
add_key_texts(const Batches *b, Buf *out)
{
    for (size_t i = 0; i < b->key.columns.n; i++)
        buf_fmt(out, "%sk.%s::pg_catalog.text", i ? "," : "", b->key.columns.v[i].quoted);
}

static void
add_order(const Batches *b, Buf *out, const char *direction)
{
    buf_addz(out, " ORDER BY ");
    for (size_t i = 0; i < b->key.columns.n; i++)
        buf_fmt(out, "%sk.%s%s", i ? "," : "", b->key.columns.v[i].quoted, direction);
}

void
batch_add_array(const Batches *b, Buf *out, BatchPlace at)
{
    if (!at) {
        buf_addz(out, "NULL");
        return;
    }
    buf_addz(out, "ARRAY[");
    for (size_t i = 0; i < b->key.columns.n; i++) {
        buf_addz(out, i ? "," : "");
        sql_add_literal(out, str_of(at[i]));
    }
    buf_addz(out, "]::pg_catalog.text[]");
}

/* What a key's values are as texts must not depend on the role's settings. */
static void
add_texts_setting(Buf *out)
{
    buf_addz(out, "SET LOCAL datestyle='ISO, MDY';SET LOCAL intervalstyle='postgres';"
                  "SET LOCAL extra_float_digits=1;SET LOCAL bytea_output='hex';");
}

static BatchPlace
take_place(const Batches *b, Arena *a, const DbRows *rows, int row, int col)
{
    const char **at = arena_array(a, const char *, b->key.columns.n);
    for (size_t i = 0; i < b->key.columns.n; i++) {
        Str cell = db_cell(rows, row, col + (int)i);
        if (!cell.p)
            return NULL;
        at[i] = str_dup(a, cell);
    }
    return at;
}

const char *
batch_place_text(const Batches *b, Arena *a, BatchPlace at)
{
    Buf out;
    buf_init(&out, a);
    for (size_t i = 0; at && i < b->key.columns.n; i++)
        buf_fmt(&out, "%s%s", i ? ", " : "", at[i]);
    return at ? str_printable(a, buf_str(&out), false) : "the beginning";
}

/* Where the rows end that are there now: those that come later are not its. */
bool
batch_find_end(Batches *b, Err *err)
{
    Buf out;
    DbRowsVec results;
    buf_init(&out, b->arena);
    session_add_user_prefix(&b->t->run->session, &out);
    add_texts_setting(&out);
    buf_addz(&out, "SELECT ");
    add_key_texts(b, &out);
    buf_fmt(&out, " FROM %s k", b->key.table);
    add_order(b, &out, " DESC");
    buf_addz(&out, " LIMIT 1");
    if (!db_query(b->t->run->session.db, b->arena, buf_str(&out), &results, err))
        return false;
    const DbRows *rows = &results.v[results.n - 1];
    b->end = rows->rows ? take_place(b, b->arena, rows, 0, 0) : NULL;
    return true;
}

/* Where the next batch ends. */
bool
batch_find_next(Batches *b, Err *err)
{
    ARENA_LOCAL(a);
    Buf out;
    DbRowsVec results;
    Session *s = &b->t->run->session;
    buf_init(&out, a);
    session_add_user_prefix(s, &out);
    add_texts_setting(&out);
    buf_addz(&out, "SELECT ");
    add_key_texts(b, &out);
    buf_fmt(&out, " FROM %s k WHERE ", b->key.table);
    batch_add_range(b, &out, "k", b->last, b->end);
    add_order(b, &out, "");
    buf_fmt(&out, " OFFSET %lld LIMIT 1", (long long)b->size - 1);
    if (!db_query(s->db, a, buf_str(&out), &results, err))
        return false;
    const DbRows *rows = &results.v[results.n - 1];
    b->is_final = !rows->rows;
    b->next = rows->rows ? take_place(b, b->memory, rows, 0, 0) : b->end;
    return true;
}

bool
batch_is_reached(const Batches *b)
{
    for (size_t i = 0; b->end && i < b->key.columns.n; i++)
        if (!b->last || strcmp(b->last[i], b->end[i]) != 0)
            return false;
    return true;
}
