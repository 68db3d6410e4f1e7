/* What every message begins with. */
#include "run/session_int.h"
#include "sqltext/sqltext.h"

/* The state in which the role's own sessions begin, where a script may have left another one.
 * DISCARD ALL would drop the lock. */
static int
add_resets(const Session *s, Buf *b)
{
    if (!s->unclean)
        return 0;
    buf_addz(b, "RESET ALL;RESET ROLE;RESET SESSION AUTHORIZATION;");
    return 3 + db_add_settings(s->db, b);
}

/* Of those tables one whose policies could hide a row: none of them shows all rows to this role, or a
 * restrictive one takes some away. */
static const char closed_query[] =
    "SELECT 1 FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid"
    " OPERATOR(pg_catalog.=) c.relnamespace LEFT JOIN LATERAL (SELECT"
    " pg_catalog.bool_or(p.polpermissive AND e.all_rows) AS shows,"
    " pg_catalog.bool_or(NOT p.polpermissive AND NOT e.all_rows) AS hides"
    " FROM pg_catalog.pg_policy p, LATERAL (SELECT COALESCE(pg_catalog.pg_get_expr(p.polqual,"
    " p.polrelid), 'true') OPERATOR(pg_catalog.=) 'true' AS all_rows) e WHERE p.polrelid"
    " OPERATOR(pg_catalog.=) c.oid AND p.polcmd OPERATOR(pg_catalog.=) ANY"
    " ('{*,r}'::pg_catalog.\"char\"[]) AND EXISTS (SELECT 1 FROM pg_catalog.unnest(p.polroles) AS"
    " r (oid) WHERE r.oid OPERATOR(pg_catalog.=) 0 OR pg_catalog.pg_has_role(r.oid, 'USAGE'))) k"
    " ON true WHERE pg_catalog.row_security_active(c.oid) AND"
    " (k.shows IS NOT TRUE OR k.hides) AND (";

static void
add_table(Buf *b, const char *schema, const char *table)
{
    buf_addz(b, " OR (n.nspname OPERATOR(pg_catalog.=) ");
    sql_add_literal(b, str_of(schema));
    buf_addz(b, " AND c.relname OPERATOR(pg_catalog.=) ");
    sql_add_literal(b, str_of(table));
    buf_addc(b, ')');
}

static void
add_tables(const Session *s, Buf *b)
{
    buf_addz(b, "false");
    vec_each (const SessionLedger, l, &s->ledgers)
        if (l->at.schema)
            add_table(b, l->at.schema, l->at.table);
    for (int i = 0; i < OWN_COUNT; i++)
        if (s->own[i].schema && s->own[i].exists)
            add_table(b, s->own[i].schema, s->own[i].table);
}

void
session_add_row_security_call(const Session *s, Buf *b)
{
    if (!s->has_policies) {
        buf_addz(b, "pg_catalog.set_config('row_security', 'off', true)");
        return;
    }
    buf_addz(b, "pg_catalog.set_config('row_security', CASE WHEN EXISTS (");
    buf_addz(b, closed_query);
    add_tables(s, b);
    buf_addz(b, ")) THEN 'off' ELSE 'on' END, true)");
}

void
session_add_row_security(const Session *s, Buf *b)
{
    if (!s->has_policies) {
        buf_addz(b, "SET LOCAL row_security=off;");
        return;
    }
    buf_addz(b, "SELECT ");
    session_add_row_security_call(s, b);
    buf_addc(b, ';');
}

int
session_add_prefix(const Session *s, Buf *b)
{
    int n = add_resets(s, b);
    if (s->only_reads) {
        buf_addz(b, "SET TRANSACTION READ ONLY;");
        n++;
    }
    buf_addz(b,
             "SET LOCAL statement_timeout=0;SET LOCAL lock_timeout='5s';SET LOCAL search_path='';");
    session_add_row_security(s, b);
    return n + 4;
}

/* The same for the user's statements: the role's search_path, or the URL's schema as Prisma does. */
int
session_add_user_prefix(const Session *s, Buf *b)
{
    int n = add_resets(s, b);
    if (s->url_schema) {
        buf_addz(b, "SET search_path=");
        sql_add_ident(b, s->url_schema);
        buf_addc(b, ';');
        n++;
    }
    return n;
}

bool
session_clean(Session *s, Err *err)
{
    Buf b;
    buf_init(&b, s->arena);
    if (!add_resets(s, &b))
        return true;
    s->unclean = false;
    return db_query(s->db, s->arena, buf_str(&b), NULL, err);
}
