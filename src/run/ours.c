/* Own statements on the ledger and our own tables: waited for where others have locked these, and
 * told with what lies on them where the server refuses or swallows what is written. */
#include "base/clock.h"
#include "run/session_int.h"
#include "sqltext/sqltext.h"

enum { LOOK_EVERY_MS = 200, TELL_EVERY_MS = 5000, HINTS_MAX = 3 };

/* ---- what lies on them -------------------------------------------------------------------- */

static void
add_name(Buf *b, const char *schema, const char *table)
{
    buf_addz(b, b->n ? ",(" : "(");
    sql_add_literal(b, str_of(schema));
    buf_addz(b, ",");
    sql_add_literal(b, str_of(table));
    buf_addz(b, ")");
}

/* A list of VALUES: (schema, table) of the ledger and of those of our own that are there. */
static char *
table_names(const Session *s, Arena *a)
{
    Buf b;
    buf_init(&b, a);
    vec_each (const SessionLedger, l, &s->ledgers)
        if (l->exists)
            add_name(&b, l->at.schema, l->at.table);
    for (int i = 0; i < OWN_COUNT; i++)
        if (s->own[i].exists)
            add_name(&b, s->own[i].schema, s->own[i].table);
    if (!b.n)
        buf_addz(&b, "('','')");
    return b.p;
}

/* In an empty search_path. Columns: whose, what, whether it hides rows from us, and what takes it away. */
static const char on_tables_query[] =
    "WITH t AS (SELECT c.oid, c.relkind, c.relrowsecurity, c.relforcerowsecurity, c.relispartition,"
    " c.oid::regclass::text AS name, c.relnamespace,"
    " quote_ident(n.nspname) AS schema, quote_ident(current_user) AS me FROM pg_class c"
    " JOIN pg_namespace n ON n.oid = c.relnamespace"
    " JOIN (VALUES %s) AS w (s, r) ON w.s = n.nspname AND w.r = c.relname)"
    " SELECT name, 'row-level security' || CASE WHEN relforcerowsecurity"
    " THEN ', forced on its owner too' ELSE '' END || COALESCE((SELECT ' (policies: ' ||"
    " string_agg(quote_ident(p.polname), ', ') || ')' FROM pg_policy p WHERE p.polrelid = t.oid), "
    "''),"
    " row_security_active(oid), 'ALTER TABLE ' || name || ' DISABLE ROW LEVEL SECURITY'"
    " FROM t WHERE relrowsecurity"
    " UNION ALL SELECT name, 'trigger ' || quote_ident(g.tgname) || ' (function ' ||"
    " g.tgfoid::regproc::text || ')', false, 'ALTER TABLE ' || name || ' DISABLE TRIGGER ' ||"
    " quote_ident(g.tgname) FROM t JOIN pg_trigger g ON g.tgrelid = t.oid"
    " WHERE NOT g.tgisinternal AND g.tgenabled <> 'D'"
    " UNION ALL SELECT name, 'rule ' || quote_ident(r.rulename), false, 'ALTER TABLE ' || name ||"
    " ' DISABLE RULE ' || quote_ident(r.rulename) FROM t JOIN pg_rewrite r ON r.ev_class = t.oid"
    " WHERE r.rulename <> '_RETURN' AND r.ev_enabled <> 'D'"
    " UNION ALL SELECT name, 'it is ' || CASE relkind WHEN 'v' THEN 'a view' WHEN 'm' THEN"
    " 'a materialized view' WHEN 'p' THEN 'partitioned' WHEN 'f' THEN 'a foreign table'"
    " ELSE 'no table' END, false, NULL FROM t WHERE relkind <> 'r'"
    " UNION ALL SELECT name, 'it is a part of ' || h.inhparent::regclass::text, false, NULL FROM t"
    " JOIN pg_inherits h ON h.inhrelid = t.oid"
    " UNION ALL SELECT name, 'it has the part ' || h.inhrelid::regclass::text, false, NULL FROM t"
    " JOIN pg_inherits h ON h.inhparent = t.oid WHERE relkind <> 'p'"
    " UNION ALL SELECT name, 'column ' || quote_ident(k.attname) || CASE WHEN k.attgenerated <> ''"
    " THEN ' is generated' ELSE ' is an identity column' END, false, NULL FROM t"
    " JOIN pg_attribute k ON k.attrelid = t.oid"
    " WHERE k.attnum > 0 AND NOT k.attisdropped AND (k.attgenerated <> '' OR k.attidentity = 'a')"
    " UNION ALL SELECT name, me || ' may not write it', false,"
    " 'GRANT SELECT, INSERT, UPDATE, DELETE ON ' || name || ' TO ' || me FROM t WHERE NOT"
    " (has_table_privilege(oid, 'SELECT') AND has_table_privilege(oid, 'INSERT') AND"
    " has_table_privilege(oid, 'UPDATE') AND has_table_privilege(oid, 'DELETE'))"
    " UNION ALL SELECT DISTINCT schema, me || ' may not use it', false,"
    " 'GRANT USAGE ON SCHEMA ' || schema || ' TO ' || me FROM t WHERE NOT"
    " has_schema_privilege(relnamespace, 'USAGE')"
    " UNION ALL SELECT d.objid::regclass::text, me || ' may not use it', false,"
    " 'GRANT USAGE ON SEQUENCE ' || d.objid::regclass::text || ' TO ' || me FROM t"
    " JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass"
    " AND d.refobjid = t.oid AND d.deptype IN ('a', 'i') JOIN pg_class q ON q.oid = d.objid"
    " WHERE CASE WHEN q.relkind = 'S' THEN NOT has_sequence_privilege(d.objid, 'USAGE') END"
    " UNION ALL SELECT 'the database', 'event trigger ' || quote_ident(v.evtname) || ' (function '"
    " || v.evtfoid::regproc::text || ')', false, 'ALTER EVENT TRIGGER ' || quote_ident(v.evtname)"
    " || ' DISABLE' FROM pg_event_trigger v WHERE v.evtenabled <> 'D' AND v.evtevent LIKE 'ddl%%' "
    "AND %s";

/* A table of the ledger's name that somebody else made. */
static void
explain_columns(const Session *s, Arena *a, Err *err)
{
    const char *said = str_dupz(a, err->detail);
    if (strcmp(err->sqlstate, "42703") != 0 || !s->ledger_exists)
        return;
    bool may_move = false;
    Buf names;
    buf_init(&names, a);
    vec_each (const SessionLedger, l, &s->ledgers) {
        if (!l->exists)
            continue;
        buf_fmt(&names, "%s%s.%s does not have the columns of %s's history", names.n ? ", or " : "",
                l->at.schema, l->at.table, l->layout->ledger.tool);
        may_move = may_move || l->layout->ledger.may_move;
    }
    err_set(err, ERR_LEDGER, "the table %s", names.p);
    err_detail(err, "%s", said);
    if (may_move)
        err_hint(err, "where the history has another place: \"history_table: schema.table\" in "
                      "aramid.yaml");
    err_hint(err, "where it is a table of yours, and no history: give it another name");
}

bool
session_explain(Session *s, bool makes, Err *err)
{
    ARENA_LOCAL(a);
    Buf b;
    DbRowsVec results;
    Err ignored;
    bool is_denied = strcmp(err->sqlstate, "42501") == 0;
    buf_init(&b, a);
    explain_columns(s, a, err);
    if (!db_is_open(s->db))
        return false;
    session_add_prefix(s, &b);
    buf_fmt(&b, on_tables_query, table_names(s, a), makes ? "true" : "false");
    if (!db_query(s->db, a, buf_str(&b), &results, &ignored))
        return false;
    const DbRows *r = &results.v[results.n - 1];
    for (int i = 0; i < r->rows; i++)
        if (is_denied && str_is(db_cell(r, i, 2), "t")) {
            err_set(err, ERR_LEDGER, "row-level security keeps rows of %s from user \"%s\"",
                    str_printable(a, db_cell(r, i, 0), false), db_info(s->db)->user);
            memcpy(err->sqlstate, "42501", sizeof err->sqlstate);
            err_hint(err, "use the role that owns it, or one with BYPASSRLS");
            break;
        }
    int hints = 0;
    for (int i = 0; i < r->rows; i++) {
        err_detail(err, "on %s: %s", str_printable(a, db_cell(r, i, 0), false),
                   str_printable(a, db_cell(r, i, 1), false));
        if (db_cell(r, i, 3).p && hints++ < HINTS_MAX)
            err_hint(err, "as its owner: %s", str_printable(a, db_cell(r, i, 3), false));
    }
    return false;
}

/* ---- locked by others ---------------------------------------------------------------------- */

static bool
look(Session *s, Arena *a, const char **ret, Err *err)
{
    Buf b;
    DbRowsVec results;
    buf_init(&b, a);
    session_add_prefix(s, &b);
    holders_add_query(
        &b, str_fmt(a,
                    "SELECT k.oid, '{ShareLock,ShareRowExclusiveLock,ExclusiveLock,"
                    "AccessExclusiveLock}'::pg_catalog.text[] FROM pg_catalog.pg_class k"
                    " JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) k.relnamespace"
                    " JOIN (VALUES %s) AS v (s, r) ON v.s OPERATOR(pg_catalog.=) n.nspname"
                    " AND v.r OPERATOR(pg_catalog.=) k.relname",
                    table_names(s, a)));
    if (!db_query(s->db, a, buf_str(&b), &results, err))
        return false;
    const DbRows *r = &results.v[results.n - 1];
    *ret = r->rows ? holders_text(a, r, 0) : NULL;
    return true;
}

static bool
give_up(const Session *s, const char *holder, Err *err)
{
    err_set(err, ERR_LOCK_BUDGET, "the history table, or one of Aramid's own, is locked by others");
    if (holder)
        err_detail(err, "%s", holder);
    memcpy(err->sqlstate, "55P03", sizeof err->sqlstate);
    return err_hint(err, s->patience_ms ? "end that session, or run the same command again later "
                                          "(--lock-budget 30min waits longer)"
                                        : "end that session, or run the same command again later");
}

bool
session_wait_for_tables(Session *s, int64_t *since_ms, Err *err)
{
    int64_t told_ms = 0;
    if (!*since_ms)
        *since_ms = clock_ms();
    for (;;) {
        ARENA_LOCAL(a);
        const char *holder;
        if (!look(s, a, &holder, err))
            return false;
        int64_t now = clock_ms();
        if (now - *since_ms >= s->patience_ms)
            return give_up(s, holder, err);
        if (holder && s->sink && now - told_ms >= TELL_EVERY_MS) {
            RunEvent e = {.kind = RUN_BLOCKED, .level = RUN_INFO, .ms = -1};
            e.text = str_fmt(a, "waiting for a lock: %s", holder);
            s->sink->event(s->sink->arg, &e);
            told_ms = now;
        }
        if (!db_pause(s->tick, s->tick_arg, LOOK_EVERY_MS))
            return err_set(err, ERR_INTERRUPTED, "waiting for a table lock was interrupted");
        if (!holder)
            return true;
    }
}

/* ---- sending ------------------------------------------------------------------------------ */

static bool
query(Session *s, Arena *a, Str sql, bool makes, DbRowsVec *ret, Err *err)
{
    for (int64_t since = 0;;) {
        if (db_query(s->db, a, sql, ret, err))
            return true;
        if (strcmp(err->sqlstate, "55P03") == 0) {
            if (!session_wait_for_tables(s, &since, err))
                return false;
            continue;
        }
        if (strcmp(err->sqlstate, "22012") == 0) /* our own proof */
            err_set(err, ERR_LEDGER,
                    "the history table, or one of Aramid's own, does not keep rows as they are "
                    "written; this one was taken back");
        else if (err->code != ERR_SQL && err->code != ERR_DENIED)
            return false;
        return session_explain(s, makes, err);
    }
}

bool
session_query(Session *s, Arena *a, Str sql, DbRowsVec *ret, Err *err)
{
    return query(s, a, sql, false, ret, err);
}

bool
session_make(Session *s, Str sql, DbRowsVec *ret, Err *err)
{
    return query(s, s->arena, sql, true, ret, err);
}
