/* Prisma 8's layout: packages of operations and the schema prisma_contract, where a marker names the
 * contract that the database has. Seen in runs of prisma 8.0.0-rc.19 and its packages rc.13. */
#include "history/prisma8_int.h"
#include "sqltext/sqltext.h"

/* ---- the folder ----------------------------------------------------------------------------- */

/* Prisma's runner locks by the first schema of the contract that it goes to. */
static void
add_locks(Arena *a, const P8 *all, History *h)
{
    static const char domain[] = "prisma_8.contract.marker";
    const P8Package *last = h->files.n ? h->files.v[h->files.n - 1].own : NULL;
    const JsonTree *contract = all->emitted ? all->emitted : last ? last->tree : NULL;
    const JsonTree *spaces = jt_get(jt_get(contract, "storage"), "namespaces");
    *vec_add(a, &h->lock_names) = domain; /* of versions since rc.13 */
    vec_each (const P8Space, s, &all->spaces) {
        *vec_add(a, &h->lock_names) = str_fmt(a, "%s:public:%s", domain, s->name);
        for (size_t i = 0; spaces && i < spaces->n; i++)
            if (!str_is(spaces->keys[i], "public"))
                *vec_add(a, &h->lock_names) =
                    str_fmt(a, "%s:%s:%s", domain, spaces->keys[i].p, s->name);
    }
}

static bool
prisma8_list(Arena *a, const char *dir, const char *shown, History *ret, Err *err)
{
    P8 *all = arena_new(a, P8);
    *all = (P8){0};
    ret->own = all;
    if (!p8_read_folder(a, dir, shown, all, err) || !p8_route(a, NULL, ret, err))
        return false;
    add_locks(a, all, ret);
    return true;
}

/* ---- the ledger ----------------------------------------------------------------------------- */

static void
add_table(Buf *b, const LedgerName *at, const char *table)
{
    sql_add_name(b, at->schema, table);
}

static void
add_create_beside(Buf *b, const LedgerName *at)
{
    buf_addz(b, "CREATE TABLE IF NOT EXISTS ");
    add_table(b, at, "ledger");
    buf_addz(b, " (id bigserial PRIMARY KEY, created_at timestamptz NOT NULL DEFAULT (now()), space"
                " text NOT NULL, migration_name text NOT NULL, migration_hash text NOT NULL,"
                " origin_core_hash text, origin_profile_hash text, destination_core_hash text NOT"
                " NULL, destination_profile_hash text, operations jsonb NOT NULL);"
                "CREATE TABLE IF NOT EXISTS ");
    add_table(b, at, "contract");
    buf_addz(b, " (core_hash text NOT NULL PRIMARY KEY, created_at timestamptz NOT NULL DEFAULT"
                " (now()), contract_json jsonb NOT NULL)");
}

static void
prisma8_add_create(Buf *b, const LedgerName *at)
{
    buf_addz(b, "CREATE TABLE ");
    add_table(b, at, "marker");
    buf_addz(b,
             " (space text NOT NULL PRIMARY KEY DEFAULT 'app', core_hash text NOT NULL,"
             " profile_hash text NOT NULL, contract_json jsonb, canonical_version int, updated_at"
             " timestamptz NOT NULL DEFAULT (now()), app_tag text, meta jsonb NOT NULL DEFAULT"
             " '{}', invariants text[] NOT NULL DEFAULT '{}');");
    add_create_beside(b, at);
}

/* prisma db sign makes the marker alone. */
static void
prisma8_add_upgrade(Buf *b, const LedgerName *at, const History *h)
{
    (void)h;
    add_create_beside(b, at);
    buf_addc(b, ';');
}

/* The markers, then the rows in their order. Members of the marker are read as JSON: one of an older
 * form has no column "space". */
static void
prisma8_add_select(Buf *b, const LedgerName *at)
{
    buf_addz(b, "SELECT u.* FROM (SELECT 0 AS kind, 0::pg_catalog.int8 AS id, m.j"
                " OPERATOR(pg_catalog.->>) 'space' AS space, m.j OPERATOR(pg_catalog.->>)"
                " 'core_hash' AS name, m.j OPERATOR(pg_catalog.->>) 'invariants' AS hash,"
                " NULL::pg_catalog.text AS origin, NULL::pg_catalog.text AS destination,"
                " NULL::pg_catalog.text AS made FROM (SELECT pg_catalog.to_jsonb(t) AS j FROM ");
    add_table(b, at, "marker");
    buf_addz(b, " t) m");
    if (at->has_beside) {
        buf_addz(b, " UNION ALL SELECT 1, t.id, t.space, t.migration_name, t.migration_hash,"
                    " t.origin_core_hash, t.destination_core_hash, pg_catalog.encode("
                    "pg_catalog.timestamptz_send(t.created_at), 'hex') FROM ");
        add_table(b, at, "ledger");
        buf_addz(b, " t");
    }
    buf_addz(b, ") u ORDER BY u.kind, u.id");
}

static bool
old_marker(const History *h, Err *err)
{
    err_set(err, ERR_LEDGER,
            "%s.%s has the form of a version before Prisma 8 (no column \"space\")",
            h->ledger.schema, h->ledger.table);
    err_detail(err, "Prisma 8 refuses it, too (LEGACY_MARKER_SHAPE)");
    return err_hint(err,
                    "drop the table, then let Prisma sign the database: npx prisma db sign (it "
                    "checks first that the database is what the contract says)");
}

static bool
take_marker(Arena *a, const DbRows *rows, int i, P8State *state)
{
    P8Marker *m = vec_add(a, &state->markers);
    *m = (P8Marker){.space = db_cell(rows, i, 2).p, .contract = db_cell(rows, i, 3).p};
    JsonTree list;
    JtError ignored;
    if (db_cell(rows, i, 4).p && jt_parse(a, db_cell(rows, i, 4), &list, &ignored))
        for (size_t k = 0; k < list.n; k++)
            if (list.items[k].kind == JT_STRING)
                *vec_add(a, &m->invariants) = list.items[k].text.p;
    return m->space && m->contract;
}

static bool
prisma8_read_rows(Arena *a, const DbRows *rows, History *h, Err *err)
{
    P8State state = {0};
    if (!layout_check_columns(rows, 8, err))
        return false;
    if (!h->own) /* of no folder: whose tables they are is all that is asked */
        return true;
    h->is_outdated = !h->ledger.has_beside;
    for (int i = 0; i < rows->rows; i++) {
        Str from = db_cell(rows, i, 5), when = db_cell(rows, i, 7);
        if (str_is(db_cell(rows, i, 0), "0")) {
            if (!take_marker(a, rows, i, &state))
                return old_marker(h, err);
            continue;
        }
        *vec_add(a, &state.rows) = (P8Row){.id = db_cell(rows, i, 1).p,
                                           .space = db_cell(rows, i, 2).p,
                                           .name = db_cell(rows, i, 3).p,
                                           .hash = db_cell(rows, i, 4).p,
                                           .from = from.p && !str_is(from, "empty") ? from.p : "",
                                           .to = db_cell(rows, i, 6).p,
                                           .when_us = when.p ? db_time_us(when) : 0};
    }
    return p8_route(a, &state, h, err);
}

static bool
prisma8_checksum_matches(Arena *a, const char *recorded, const Migration *m)
{
    (void)a;
    return !*recorded || strcmp(recorded, m->checksum) == 0;
}

static const P8Package *
package_of(const LedgerRow *row)
{
    return row->migration->own;
}

static void
add_where_space(Buf *b, const char *column, const P8Package *p)
{
    layout_add_where(b, column, p->space);
}

/* Pending is what begins where the marker is. */
static void
prisma8_add_is_applied(Buf *b, const LedgerName *at, const LedgerRow *row)
{
    const P8Package *p = package_of(row);
    buf_addz(b, p->from ? "SELECT NOT EXISTS (SELECT 1 FROM " : "SELECT EXISTS (SELECT 1 FROM ");
    add_table(b, at, "marker");
    add_where_space(b, "space", p);
    if (p->from) {
        buf_addz(b, " AND core_hash OPERATOR(pg_catalog.=) ");
        sql_add_literal(b, str_of(p->from));
    }
    buf_addc(b, ')');
}

/* One row of this transaction, and the marker where it leads, or where a later one has led it on. */
static void
prisma8_add_is_kept(Buf *b, const LedgerName *at, const LedgerRow *row, bool finished)
{
    const P8Package *p = package_of(row);
    (void)finished;
    buf_addz(b,
             "SELECT (SELECT pg_catalog.count(*) OPERATOR(pg_catalog.=) 1 AND pg_catalog.bool_and("
             "l.destination_core_hash OPERATOR(pg_catalog.=) ");
    sql_add_literal(b, str_of(p->to));
    buf_addz(b, ") FROM ");
    add_table(b, at, "ledger");
    buf_addz(b, " l");
    layout_add_where(b, "migration_hash", p->hash);
    buf_addz(b, " AND l.space OPERATOR(pg_catalog.=) ");
    sql_add_literal(b, str_of(p->space));
    buf_addz(b, " AND l.created_at OPERATOR(pg_catalog.=) pg_catalog.now()) AND (SELECT"
                " pg_catalog.count(*) OPERATOR(pg_catalog.=) 1 AND pg_catalog.bool_and("
                "m.core_hash OPERATOR(pg_catalog.=) ");
    sql_add_literal(b, str_of(p->to));
    buf_addz(b, " OR EXISTS (SELECT 1 FROM ");
    add_table(b, at, "ledger");
    buf_addz(b, " n WHERE n.space OPERATOR(pg_catalog.=) m.space AND n.origin_core_hash"
                " OPERATOR(pg_catalog.=) ");
    sql_add_literal(b, str_of(p->to));
    buf_addz(b, " AND n.created_at OPERATOR(pg_catalog.=) pg_catalog.now())) FROM ");
    add_table(b, at, "marker");
    buf_addz(b, " m");
    add_where_space(b, "space", p);
    buf_addc(b, ')');
}

static void
add_invariants(Buf *b, const P8Package *p)
{
    buf_addz(b, "ARRAY[");
    for (size_t i = 0; i < p->invariants.n; i++) {
        buf_addz(b, i ? "," : "");
        sql_add_literal(b, str_of(p->invariants.v[i]));
    }
    buf_addz(b, "]::pg_catalog.text[]");
}

/* What was run of each operation: one that was skipped has its postchecks only, and says why. */
static void
add_operations(Buf *b, const P8Package *p)
{
    buf_fmt(
        b,
        "(SELECT COALESCE(pg_catalog.jsonb_agg(CASE WHEN pg_catalog.strpos("
        "pg_catalog.current_setting('aramid.skipped', true), pg_catalog.concat('%.16s:', o.i"
        " OPERATOR(pg_catalog.-) 1, ',')) OPERATOR(pg_catalog.>) 0 THEN (SELECT"
        " pg_catalog.jsonb_object_agg(e.k, e.v) FROM pg_catalog.jsonb_each(o.op) e(k, v) WHERE"
        " e.k OPERATOR(pg_catalog.=) ANY (ARRAY['id','label','summary','operationClass',"
        "'target','postcheck'])) OPERATOR(pg_catalog.||) pg_catalog.jsonb_build_object("
        "'precheck', '[]'::pg_catalog.jsonb, 'execute', '[]'::pg_catalog.jsonb, 'meta', COALESCE("
        "NULLIF(o.op OPERATOR(pg_catalog.->) 'meta', 'null'), '{}') OPERATOR(pg_catalog.||)"
        " '{\"runner\": {\"skipped\": true, \"reason\": \"postcheck_pre_satisfied\"}}') ELSE o.op"
        " END ORDER BY o.i), '[]') FROM pg_catalog.jsonb_array_elements(",
        p->hash);
    sql_add_literal(b, str_of(p->operations));
    buf_addz(b, "::pg_catalog.jsonb) WITH ORDINALITY o(op, i))");
}

/* As Prisma's runner leaves them: the contract, the marker moved on, the ledger's row. */
static void
add_rows(Buf *b, const LedgerName *at, const LedgerRow *row, bool once)
{
    const P8Package *p = package_of(row);
    const char *profile = jt_text(p->tree, "profileHash");
    buf_addz(b, "WITH moved AS (INSERT INTO ");
    add_table(b, at, "marker");
    buf_addz(b, " AS m (space, core_hash, profile_hash, updated_at, meta, invariants) VALUES (");
    sql_add_literal(b, str_of(p->space));
    buf_addc(b, ',');
    sql_add_literal(b, str_of(p->to));
    buf_addc(b, ',');
    sql_add_literal(b, str_of(profile ? profile : p->to));
    buf_addz(b, ", pg_catalog.now(), '{}', ");
    add_invariants(b, p);
    buf_addz(b, ") ON CONFLICT (space) DO UPDATE SET core_hash = excluded.core_hash, profile_hash ="
                " excluded.profile_hash, updated_at = pg_catalog.now(), invariants ="
                " ARRAY(SELECT i.x FROM (SELECT DISTINCT x FROM pg_catalog.unnest(m.invariants"
                " OPERATOR(pg_catalog.||) excluded.invariants) u(x)) i ORDER BY i.x COLLATE"
                " pg_catalog.\"C\"))");
    if (p->contract.p) {
        buf_addz(b, ", kept AS (INSERT INTO ");
        add_table(b, at, "contract");
        buf_addz(b, " (core_hash, contract_json) VALUES (");
        sql_add_literal(b, str_of(p->to));
        buf_addc(b, ',');
        sql_add_literal(b, p->contract);
        buf_addz(b, ") ON CONFLICT DO NOTHING)");
    }
    buf_addz(b, " INSERT INTO ");
    add_table(b, at, "ledger");
    buf_addz(b, " (space, migration_name, migration_hash, origin_core_hash, destination_core_hash,"
                " operations) VALUES (");
    sql_add_literal(b, str_of(p->space));
    buf_addc(b, ',');
    if (once) {
        buf_addz(b, "pg_catalog.repeat(");
        sql_add_literal(b, str_of(p->dir));
        buf_addz(b, ", ");
        layout_add_one(b, &history_prisma8, at, row);
        buf_addc(b, ')');
    } else
        sql_add_literal(b, str_of(p->dir));
    buf_addc(b, ',');
    sql_add_literal(b, str_of(p->hash));
    buf_addc(b, ',');
    sql_add_literal(b, str_of(p->from ? p->from : "empty"));
    buf_addc(b, ',');
    sql_add_literal(b, str_of(p->to));
    buf_addc(b, ',');
    add_operations(b, p);
    buf_addc(b, ')');
}

static void
prisma8_add_applied(Buf *b, const LedgerName *at, const LedgerRow *row)
{
    add_rows(b, at, row, true);
}

static void
prisma8_add_resolved(Buf *b, const LedgerName *at, const LedgerRow *row)
{
    add_rows(b, at, row, false);
}

const HistoryLayout history_prisma8 = {
    .name = "prisma8",
    .ledger = {.kind = KNOWN_BESIDE, /* alone it says that the database was signed */
               .tool = "Prisma 8",
               .schema = "prisma_contract",
               .table = "marker",
               .columns = "space,core_hash"},
    .beside = "ledger",
    .new_command = "npx prisma migration plan --name NAME",
    .is_whole = true,
    .recognise = p8_recognise,
    .list = prisma8_list,
    .checksum_matches = prisma8_checksum_matches,
    .add_piece = p8_add_op,
    .add_promise = p8_add_promise,
    .add_create = prisma8_add_create,
    .add_select = prisma8_add_select,
    .read_rows = prisma8_read_rows,
    .add_upgrade = prisma8_add_upgrade,
    .add_applied = prisma8_add_applied,
    .add_resolved = prisma8_add_resolved,
    .add_is_applied = prisma8_add_is_applied,
    .add_is_kept = prisma8_add_is_kept,
};
