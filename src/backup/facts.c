/* What a backup asks of the server: who it is, how much there is, whether we may read all of it. */
#include "backup/backup_int.h"

#include "base/os.h"
#include "sqltext/sqltext.h"

enum { HASTE_MS = 3000, NAMED_MAX = 5 };

bool
backup_connect(Arena *a, const BackupRequest *r, const char *application, bool in_haste, Db **ret,
               Err *err)
{
    const Config *c = r->config;
    int64_t connect = config_ms(c, CFG_CONNECT_TIMEOUT);
    DbOptions o = {.url = r->url,
                   .url_origin = r->url_origin,
                   .application = application,
                   .trace = c->trace,
                   .secrets = &c->secrets,
                   .connect_ms = in_haste && connect > HASTE_MS ? HASTE_MS : connect,
                   .operation_ms = in_haste ? HASTE_MS : config_ms(c, CFG_OPERATION_TIMEOUT),
                   .wait_server_ms = in_haste ? 0 : config_ms(c, CFG_WAIT_SERVER),
                   .retries = in_haste ? 0 : (int)c->values[CFG_MAX_RETRIES].number,
                   .retry_delay_ms = config_ms(c, CFG_RETRY_DELAY),
                   /* In haste we clean up after a signal, which must not stop that. */
                   .tick = in_haste ? NULL : r->tick,
                   .tick_arg = r->tick_arg,
                   .refuse_pooler = !in_haste};
    return db_open(a, &o, ret, err);
}

static void
db_close_cleanup(Db **db)
{
    db_close(*db);
}

/* Tables, sequences and the like whose rows a dump needs. */
#define DUMPED                                                                                     \
    "FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n"                                    \
    " ON n.oid OPERATOR(pg_catalog.=) c.relnamespace"                                              \
    " WHERE n.nspname OPERATOR(pg_catalog.<>) 'information_schema'"                                \
    " AND pg_catalog.\"left\"(n.nspname::pg_catalog.text, 3) OPERATOR(pg_catalog.<>) 'pg_'"        \
    " AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend d WHERE"                                  \
    " d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass"                 \
    " AND d.objid OPERATOR(pg_catalog.=) c.oid AND d.deptype OPERATOR(pg_catalog.=) 'e')"

/* Sizes are those of the last ANALYZE: asking the files would need a lock on each table. */
static const char facts_query[] =
    "SET search_path='';"
    "SELECT pg_catalog.current_setting('server_version'),"
    " CASE WHEN pg_catalog.pg_is_in_recovery() THEN pg_catalog.pg_last_wal_replay_lsn()"
    " ELSE pg_catalog.pg_current_wal_lsn() END;"
    "SELECT pg_catalog.count(*), COALESCE(pg_catalog.sum(c.relpages::pg_catalog.int8), 0)"
    " OPERATOR(pg_catalog.*) pg_catalog.current_setting('block_size')::pg_catalog.int8 " DUMPED
    " AND c.relkind OPERATOR(pg_catalog.=) 'r';"
    "SELECT pg_catalog.format('%I.%I', n.nspname, c.relname),"
    " CASE WHEN NOT pg_catalog.has_schema_privilege(n.oid, 'USAGE') THEN 'usage'"
    " WHEN NOT pg_catalog.has_table_privilege(c.oid, 'SELECT') THEN 'select' ELSE 'rows' END,"
    " pg_catalog.format('%I', n.nspname), pg_catalog.quote_ident(CURRENT_USER::pg_catalog.text),"
    " c.relkind " DUMPED
    " AND c.relkind OPERATOR(pg_catalog.=) ANY ('{r,p,S,m}'::pg_catalog.\"char\"[])"
    " AND (NOT pg_catalog.has_schema_privilege(n.oid, 'USAGE')"
    " OR NOT pg_catalog.has_table_privilege(c.oid, 'SELECT')"
    " OR (c.relrowsecurity AND pg_catalog.row_security_active(c.oid))) ORDER BY 1;"
    /* pg_dump takes these as role and database have them; poolers refuse options that are not needed */
    "SELECT pg_catalog.current_setting('server_encoding'), pg_catalog.concat("
    "CASE WHEN pg_catalog.current_setting('bytea_output') OPERATOR(pg_catalog.<>) 'hex'"
    " THEN ' -c bytea_output=hex' END,"
    "CASE WHEN pg_catalog.current_setting('standard_conforming_strings') OPERATOR(pg_catalog.<>)"
    " 'on' THEN ' -c standard_conforming_strings=on' END,"
    "CASE WHEN pg_catalog.current_setting('quote_all_identifiers') OPERATOR(pg_catalog.<>) 'off'"
    " THEN ' -c quote_all_identifiers=off' END,"
    "CASE WHEN pg_catalog.current_setting('lc_monetary') OPERATOR(pg_catalog.<>) 'C' AND"
    " (EXISTS (SELECT FROM pg_catalog.pg_attribute a WHERE a.attrelid OPERATOR(pg_catalog.>=) 16384"
    " AND a.atttypid OPERATOR(pg_catalog.=) ANY ('{790,791}'::pg_catalog.oid[])) OR EXISTS (SELECT"
    " FROM pg_catalog.pg_type t WHERE t.typbasetype OPERATOR(pg_catalog.=) ANY"
    " ('{790,791}'::pg_catalog.oid[]))) THEN ' -c lc_monetary=C' END)";

/* The first tables that cannot be read whole, and what has to be granted. */
static bool
refuse(const DbRows *rows, int server, Err *err)
{
    ARENA_LOCAL(a);
    bool hidden_rows = false, denied = false;
    for (int i = 0; i < rows->rows; i++) {
        hidden_rows |= str_is(db_cell(rows, i, 1), "rows");
        denied |= !str_is(db_cell(rows, i, 1), "rows");
    }
    const char *user = str_printable(a, db_cell(rows, 0, 3), false);
    err_set(err, ERR_DENIED, "role %s cannot read all rows, so a backup would not be whole", user);
    for (int i = 0; i < rows->rows && i < NAMED_MAX; i++) {
        Str why = db_cell(rows, i, 1);
        err_detail(err, "%s: %s", str_printable(a, db_cell(rows, i, 0), false),
                   str_is(why, "rows")     ? "row-level security hides rows from it"
                   : str_is(why, "select") ? "no privilege SELECT"
                                           : "no privilege USAGE on its schema");
    }
    if (rows->rows > NAMED_MAX)
        err_detail(err, "and %d more", rows->rows - NAMED_MAX);
    if (hidden_rows)
        err_hint(err, "as a superuser: ALTER ROLE %s BYPASSRLS", user);
    if (denied && server >= 140000)
        err_hint(err, "as a superuser: GRANT pg_read_all_data TO %s", user);
    else if (denied)
        err_hint(err,
                 "as their owner: GRANT USAGE ON SCHEMA %s TO %s; GRANT SELECT ON ALL TABLES "
                 "IN SCHEMA %s TO %s; GRANT SELECT ON ALL SEQUENCES IN SCHEMA %s TO %s",
                 db_cell(rows, 0, 2).p, user, db_cell(rows, 0, 2).p, user, db_cell(rows, 0, 2).p,
                 user);
    return err_hint(err, "or make backups with the URL of another role");
}

static int64_t
number(Str s)
{
    long long n = 0;
    return str_to_int(s, 0, INT64_MAX, &n) ? n : 0;
}

bool
backup_facts(Arena *a, const BackupRequest *r, BackupFacts *ret, Err *err)
{
    __attribute__((cleanup(db_close_cleanup))) Db *db = NULL;
    if (!backup_connect(a, r, str_fmt(a, "aramid/%s/backup", os_self_tag(a)), false, &db, err))
        return false;
    DbRowsVec results;
    if (!db_query(db, a, str_of(facts_query), &results, err))
        return false;
    const DbInfo *info = db_info(db);
    const DbRows *who = &results.v[1], *size = &results.v[2], *closed = &results.v[3],
                 *values = &results.v[4];
    *ret = (BackupFacts){.server = db_cell(who, 0, 0).p,
                         .server_number = info->version,
                         .host = info->host,
                         .database = info->database,
                         .user = info->user,
                         .system_identifier = "",
                         .wal_position = db_cell(who, 0, 1).p ? db_cell(who, 0, 1).p : "",
                         .encoding = db_cell(values, 0, 0).p,
                         .options = db_cell(values, 0, 1).p,
                         .tables = number(db_cell(size, 0, 0)),
                         .bytes = number(db_cell(size, 0, 1))};
    if (closed->rows)
        return refuse(closed, info->version, err);
    if (db_query(db, a, STR("SELECT system_identifier FROM pg_catalog.pg_control_system()"),
                 &results, err))
        ret->system_identifier = db_cell(&results.v[0], 0, 0).p;
    else if (err->code != ERR_DENIED && err->code != ERR_SQL)
        return false;
    return true;
}

bool
backup_foreign_dumps(Db *db, Arena *a, ForeignDumpVec *ret, Err *err)
{
    *ret = (ForeignDumpVec){0};
    DbRowsVec results;
    if (!db_query(db, a,
                  STR("SELECT pid, application_name, COALESCE(usename, ''),"
                      " COALESCE(EXTRACT(epoch FROM pg_catalog.clock_timestamp()"
                      " OPERATOR(pg_catalog.-) xact_start)::pg_catalog.int8, -1)"
                      " FROM pg_catalog.pg_stat_activity WHERE datname OPERATOR(pg_catalog.=)"
                      " pg_catalog.current_database() AND (application_name"
                      " OPERATOR(pg_catalog.=) 'pg_dump' OR application_name"
                      " OPERATOR(pg_catalog.~~) 'aramid/%/dump') ORDER BY pid"),
                  &results, err))
        return false;
    const DbRows *rows = &results.v[0];
    for (int i = 0; i < rows->rows; i++) {
        long long seconds;
        Str age = db_cell(rows, i, 3);
        *vec_add(a, ret) =
            (ForeignDump){.pid = (int)number(db_cell(rows, i, 0)),
                          .application = db_cell(rows, i, 1).p,
                          .user = db_cell(rows, i, 2).p,
                          .seconds = str_to_int(age, 0, INT64_MAX, &seconds) ? seconds : -1};
    }
    return true;
}
