/* Opening a session: where ledger and journal are, and what we may do. */
#include "base/clock.h"
#include "base/os.h"
#include "run/run_int.h"
#include "sqltext/sqltext.h"

/* The state in which the role's own sessions begin. A script's SET and SET ROLE stay with the
 * connection, and DISCARD ALL would drop the lock. */
static int
add_resets(const Session *s, Buf *b)
{
    int n = 4;
    buf_addz(b, "RESET ALL;RESET ROLE;RESET SESSION AUTHORIZATION;");
    const DbInfo *info = db_info(s->db);
    if (info->checks_client) {
        buf_addz(b, "SET client_connection_check_interval='1s';");
        n++;
    }
    buf_addz(b, "SET idle_in_transaction_session_timeout=0;");
    if (info->version >= 170000) {
        buf_addz(b, "SET transaction_timeout=0;");
        n++;
    }
    return n;
}

int
session_add_prefix(const Session *s, Buf *b)
{
    int n = add_resets(s, b);
    buf_addz(b, "SET statement_timeout=0;SET lock_timeout='5s';SET search_path='';");
    return n + 3;
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

/* A subquery: the oid of an ordinary table in a schema of this oid, by name. */
static void
add_exists(Buf *b, const char *schema_oid, const char *table)
{
    buf_fmt(b, "EXISTS (SELECT 1 FROM pg_catalog.pg_class c WHERE c.relnamespace"
               " OPERATOR(pg_catalog.=) %s AND c.relname OPERATOR(pg_catalog.=) '%s')",
            schema_oid, table);
}

static void
add_facts_query(const Session *s, Buf *b)
{
    const char *ledger = s->layout->ledger;
    /* Unqualified names lie in the first schema of the path that exists, as Prisma's do. */
    buf_addz(b, "WITH f AS (SELECT n.oid, n.nspname AS nsp FROM pg_catalog.pg_namespace n WHERE"
                " n.nspname OPERATOR(pg_catalog.=) ");
    if (s->url_schema)
        sql_add_literal(b, str_of(s->url_schema));
    else
        buf_fmt(b, "COALESCE((SELECT m.nspname FROM pg_catalog.pg_class c JOIN"
                   " pg_catalog.pg_namespace m ON m.oid OPERATOR(pg_catalog.=) c.relnamespace WHERE"
                   " c.oid OPERATOR(pg_catalog.=) pg_catalog.to_regclass('%s')),"
                   " pg_catalog.current_schema())", ledger);
    buf_addz(b, "), o AS (SELECT pg_catalog.to_regnamespace('aramid')::pg_catalog.oid AS oid)"
                " SELECT f.nsp, ");
    add_exists(b, "f.oid", ledger);
    buf_fmt(b, ", (SELECT pg_catalog.count(*) FROM pg_catalog.pg_class c WHERE c.relnamespace"
               " OPERATOR(pg_catalog.=) f.oid AND c.relkind OPERATOR(pg_catalog.=) 'r' AND NOT"
               " c.relname OPERATOR(pg_catalog.=) ANY ('{%s,_aramid_journal,spatial_ref_sys,"
               "geometry_columns,geography_columns,raster_columns,raster_overviews}'"
               "::pg_catalog.name[])), ", ledger);
    add_exists(b, "o.oid", "journal");
    buf_addz(b, ", ");
    add_exists(b, "f.oid", "_aramid_journal");
    buf_addz(b, ", CASE WHEN o.oid IS NULL THEN pg_catalog.has_database_privilege("
                "pg_catalog.current_database(), 'CREATE') ELSE"
                " pg_catalog.has_schema_privilege(o.oid, 'CREATE') END,"
                " COALESCE(pg_catalog.has_schema_privilege(f.oid, 'CREATE'), false)"
                ", NOT EXISTS (SELECT 1 FROM pg_catalog.pg_class c WHERE c.relkind"
                " OPERATOR(pg_catalog.=) ANY ('{r,p}'::pg_catalog.\"char\"[]) AND c.oid"
                " OPERATOR(pg_catalog.>=) 16384 AND c.relname OPERATOR(pg_catalog.<>) '");
    buf_fmt(b, "%s'), o.oid IS NOT NULL FROM o LEFT JOIN f ON true", ledger);
}

static bool
is_true(const DbRows *r, int col)
{
    return str_is(db_cell(r, 0, col), "t");
}

bool
session_refresh(Session *s, Err *err)
{
    Buf b;
    buf_init(&b, s->arena);
    session_add_user_prefix(s, &b);
    add_facts_query(s, &b);
    DbRowsVec results;
    if (!db_query(s->db, s->arena, buf_str(&b), &results, err))
        return false;
    const DbRows *r = &results.v[results.n - 1];
    if (r->rows != 1)
        return err_set(err, ERR_INTERNAL, "the first look at the database gave %d rows", r->rows);
    s->ledger_schema = db_cell(r, 0, 0).p;
    s->ledger_exists = is_true(r, 1);
    long long tables = 0;
    str_to_int(db_cell(r, 0, 2), 0, INT32_MAX, &tables);
    s->tables = (int)tables;
    bool in_own = is_true(r, 3), beside = is_true(r, 4), may_own = is_true(r, 5),
         may_beside = is_true(r, 6);
    s->is_fresh = is_true(r, 7);
    s->has_own_schema = is_true(r, 8);
    s->journal_exists = in_own || beside;
    if (in_own || (!beside && may_own)) {
        s->journal_schema = "aramid";
        s->journal_table = "journal";
    } else if (beside || may_beside) {
        s->journal_schema = s->ledger_schema;
        s->journal_table = "_aramid_journal";
    }
    return true;
}

bool
session_open(Arena *a, const SessionOptions *o, Session *ret, Err *err)
{
    const Config *c = o->config;
    *ret = (Session){.arena = a, .config = c, .layout = o->layout, .url_schema = o->url->schema,
                     .tick = o->tick, .tick_arg = o->tick_arg};
    DbOptions db = {
        .url = o->url,
        .url_origin = o->url_origin,
        .application = str_fmt(a, "aramid/%s/%s", os_self_tag(a), o->verb),
        .connect_ms = config_ms(c, CFG_CONNECT_TIMEOUT),
        .operation_ms = config_ms(c, CFG_OPERATION_TIMEOUT),
        .wait_server_ms = config_ms(c, CFG_WAIT_SERVER),
        .retries = (int)c->values[CFG_MAX_RETRIES].number,
        .retry_delay_ms = config_ms(c, CFG_RETRY_DELAY),
        .tick = o->tick,
        .tick_arg = o->tick_arg,
        .refuse_pooler = o->writes,
    };
    if (!db_open(a, &db, &ret->db, err))
        return false;
    const DbInfo *info = db_info(ret->db);
    if (o->writes && (info->in_recovery || info->read_only)) {
        err_set(err, ERR_READ_ONLY, "the server at %s accepts no writes", info->host);
        err_detail(err, info->in_recovery ? "it is a standby"
                                          : "default_transaction_read_only is on for this role, "
                                            "database or server");
        err_hint(err, info->in_recovery ? "use the address of the primary"
                                        : "use another role, or turn the setting off");
    } else if (session_refresh(ret, err))
        return true;
    session_close(ret);
    return false;
}

void
session_close(Session *s)
{
    db_close(s->db);
    s->has_own_lock = s->has_prisma_lock = false;
}

/* Rows of ledger and journal out of a message's last results. */
bool
session_take_history(Session *s, const DbRowsVec *results, size_t at, History *h,
                     JournalVec *journal, Err *err)
{
    h->rows.n = 0;
    journal->n = 0;
    if (s->ledger_exists && !s->layout->read_rows(s->arena, &results->v[at++], &h->rows, err))
        return false;
    if (s->journal_exists && !journal_read(s->arena, &results->v[at], journal, err))
        return false;
    history_compare(s->arena, h);
    vec_each(Entry, e, &h->entries)
    {
        if (e->state != ENTRY_FAILED)
            continue;
        vec_each(const JournalStep, j, journal) if (strcmp(j->ledger_id, e->row->id) == 0)
        {
            e->state = ENTRY_RESUMABLE;
            h->failed--;
            h->resumable++;
            break;
        }
    }
    return true;
}

bool
session_add_ledger(Session *s, Buf *b, Err *err)
{
    if (s->ledger_exists)
        return true;
    if (!s->ledger_schema && !s->url_schema) {
        err_set(err, ERR_DENIED, "the role's search_path names no schema that exists");
        return err_hint(err, "create schema public, or name a schema in the URL: ?schema=app");
    }
    if (!s->ledger_schema) {
        buf_addz(b, "CREATE SCHEMA ");
        sql_add_ident(b, s->url_schema);
        buf_addc(b, ';');
        s->ledger_schema = s->url_schema;
        if (!s->journal_schema) {
            s->journal_schema = s->url_schema;
            s->journal_table = "_aramid_journal";
        }
    }
    s->layout->add_create(b, s->ledger_schema);
    buf_addc(b, ';');
    return true;
}

void
session_add_history_queries(Session *s, Buf *b)
{
    if (s->ledger_exists) {
        s->layout->add_select(b, s->ledger_schema);
        buf_addc(b, ';');
    }
    if (s->journal_exists) {
        journal_add_select(s, b);
        buf_addc(b, ';');
    }
}

bool
session_read(Session *s, History *h, JournalVec *journal, Err *err)
{
    Buf b;
    buf_init(&b, s->arena);
    buf_addz(&b, "SET search_path='';SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY;");
    session_add_history_queries(s, &b);
    DbRowsVec results;
    return db_query(s->db, s->arena, buf_str(&b), &results, err) &&
           session_take_history(s, &results, 2, h, journal, err);
}
