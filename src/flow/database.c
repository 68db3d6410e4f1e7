/* Whole databases: what belongs to them, making one, exchanging two. */
#include "flow/database.h"

#include "base/clock.h"
#include "sqltext/sqltext.h"

#include <inttypes.h>

/* PGlite has one database, whatever name is asked for: the one that is in use. A role's default
 * must not stop what was asked for; a server that accepts no writes says so all the same. */
static bool
check_server(Db *db, Err *err)
{
    ARENA_LOCAL(a);
    if (!db_info(db)->is_shared)
        return db_query(db, a, STR("SET default_transaction_read_only = off"), NULL, err);
    err_set(err, ERR_RESTORE,
            "this server is PGlite (also in `prisma dev`): it has one database, "
            "which is in use");
    return err_hint(err, "restore on a PostgreSQL: --into URL; nothing was touched");
}

bool
database_admin(Arena *a, const FlowInput *in, const DbUrl *url, const char *origin, Db **ret,
               Err *err)
{
    static const char *const others[] = {"postgres", "template1", "defaultdb"};
    for (size_t i = 0; i < COUNT(others); i++) {
        if (url->database && strcmp(url->database, others[i]) == 0)
            continue;
        DbUrl *admin = arena_new(a, DbUrl);
        *admin = *url;
        admin->database = others[i];
        DbOptions o = flow_connection(in, admin, origin, "aramid restore");
        o.refuse_pooler = true;
        if (db_open(a, &o, ret, err))
            return check_server(*ret, err);
        if (err->code != ERR_DB_MISSING && err->code != ERR_DENIED)
            return false;
    }
    return false;
}

/* ---- what belongs to a database -------------------------------------------------------------- */

static const char facts_sql[] =
    "SELECT pg_catalog.pg_encoding_to_char(d.encoding), d.datcollate, d.datctype, %s, %s, %s,"
    " CASE WHEN d.dattablespace OPERATOR(pg_catalog.<>) (SELECT x.dattablespace FROM"
    " pg_catalog.pg_database x WHERE x.datname OPERATOR(pg_catalog.=) 'template0') THEN t.spcname"
    " END, o.rolname, pg_catalog.pg_has_role(d.datdba, 'MEMBER'), d.datconnlimit,"
    " CASE WHEN pg_catalog.has_database_privilege(d.oid, 'CONNECT') THEN"
    " pg_catalog.pg_database_size(d.oid) ELSE -1 END,"
    " pg_catalog.shobj_description(d.oid, 'pg_database'),"
    " EXISTS (SELECT FROM pg_catalog.pg_replication_slots s WHERE s.database"
    " OPERATOR(pg_catalog.=) d.datname),"
    " EXISTS (SELECT FROM pg_catalog.pg_subscription s WHERE s.subdbid OPERATOR(pg_catalog.=) "
    "d.oid)"
    " FROM pg_catalog.pg_database d JOIN pg_catalog.pg_tablespace t ON t.oid OPERATOR(pg_catalog.=)"
    " d.dattablespace JOIN pg_catalog.pg_roles o ON o.oid OPERATOR(pg_catalog.=) d.datdba"
    " WHERE d.datname OPERATOR(pg_catalog.=) %s;"
    "SELECT s.setrole, r.rolname, x.v FROM pg_catalog.pg_db_role_setting s JOIN"
    " pg_catalog.pg_database d ON d.oid OPERATOR(pg_catalog.=) s.setdatabase LEFT JOIN"
    " pg_catalog.pg_roles r ON r.oid OPERATOR(pg_catalog.=) s.setrole CROSS JOIN LATERAL"
    " pg_catalog.unnest(s.setconfig) x(v) WHERE d.datname OPERATOR(pg_catalog.=) %s;"
    "SELECT pg_catalog.pg_get_userbyid(x.grantee), x.grantee, x.privilege_type, x.is_grantable FROM"
    " pg_catalog.pg_database d CROSS JOIN LATERAL pg_catalog.aclexplode(d.datacl) x WHERE d.datname"
    " OPERATOR(pg_catalog.=) %s;"
    "SELECT rolcreatedb OR rolsuper FROM pg_catalog.pg_roles WHERE rolname OPERATOR(pg_catalog.=)"
    " CURRENT_USER;"
    "SELECT gid, owner FROM pg_catalog.pg_prepared_xacts WHERE database OPERATOR(pg_catalog.=) %s"
    " ORDER BY 1;"
    "SELECT name, setting FROM pg_catalog.pg_settings WHERE name OPERATOR(pg_catalog.=) ANY"
    " ('{shared_preload_libraries,cron.database_name}')";

static void
option(Buf *b, const char *word, Str value)
{
    if (!value.n)
        return;
    buf_fmt(b, " %s ", word);
    sql_add_literal(b, value);
}

static const char *
create_options(Arena *a, const DbRows *r)
{
    Buf b;
    buf_init(&b, a);
    option(&b, "ENCODING", db_cell(r, 0, 0));
    option(&b, "LC_COLLATE", db_cell(r, 0, 1));
    option(&b, "LC_CTYPE", db_cell(r, 0, 2));
    Str provider = db_cell(r, 0, 3), locale = db_cell(r, 0, 4);
    if (str_is(provider, "i")) {
        buf_addz(&b, " LOCALE_PROVIDER icu");
        option(&b, "ICU_LOCALE", locale);
        option(&b, "ICU_RULES", db_cell(r, 0, 5));
    } else if (str_is(provider, "b")) {
        buf_addz(&b, " LOCALE_PROVIDER builtin");
        option(&b, "BUILTIN_LOCALE", locale);
    } else if (str_is(provider, "c")) {
        buf_addz(&b, " LOCALE_PROVIDER libc");
    }
    /* To name the one that it gets anyway wants a privilege that CREATEDB does not bring. */
    if (db_cell(r, 0, 6).n) {
        buf_addz(&b, " TABLESPACE ");
        sql_add_ident(&b, db_cell(r, 0, 6).p);
    }
    if (str_is(db_cell(r, 0, 8), "t")) {
        buf_addz(&b, " OWNER ");
        sql_add_ident(&b, db_cell(r, 0, 7).p);
    }
    return b.p;
}

const char *
database_raw_options(Arena *a, const RestoreSurvey *s)
{
    return str_fmt(a, " ENCODING '%s' LC_COLLATE 'C' LC_CTYPE 'C'",
                   strcmp(s->encoding, "SQL_ASCII") == 0 ? "SQL_ASCII" : "MULE_INTERNAL");
}

/* Settings that are lists hold names in quotes already; as one literal they would be one name
 * (variable_is_guc_list_quote in PostgreSQL's src/bin/pg_dump/dumputils.c). */
static bool
is_list(Str name)
{
    static const char *const lists[] = {"search_path",
                                        "temp_tablespaces",
                                        "session_preload_libraries",
                                        "shared_preload_libraries",
                                        "local_preload_libraries",
                                        "unix_socket_directories"};
    for (size_t i = 0; i < COUNT(lists); i++)
        if (str_is(name, lists[i]))
            return true;
    return false;
}

/* "a", b -> 'a', 'b' */
static void
add_list(Buf *b, Str value)
{
    ARENA_LOCAL(a);
    Buf item;
    buf_init(&item, a);
    bool quoted = false, first = true;
    for (size_t i = 0; i <= value.n; i++) {
        char c = i < value.n ? value.p[i] : ',';
        if (c == '"' && quoted && i + 1 < value.n && value.p[i + 1] == '"') {
            buf_addc(&item, '"');
            i++;
        } else if (c == '"') {
            quoted = !quoted;
        } else if (c == ',' && (!quoted || i == value.n)) {
            buf_addz(b, first ? "" : ", ");
            sql_add_literal(b, buf_str(&item));
            buf_clear(&item);
            first = false;
        } else if (quoted || c != ' ') {
            buf_addc(&item, c);
        }
    }
}

static void
add_setting(Arena *a, DatabaseFacts *f, Str role, Str text)
{
    Buf b;
    buf_init(&b, a);
    Str value = text, name = str_cut(&value, '=');
    if (role.p) {
        buf_addz(&b, "ALTER ROLE ");
        sql_add_ident(&b, role.p);
        buf_addz(&b, " IN DATABASE %DB% SET ");
    } else {
        buf_addz(&b, "ALTER DATABASE %DB% SET ");
    }
    sql_add_ident(&b, str_dup(a, name));
    buf_addz(&b, " TO ");
    if (is_list(name))
        add_list(&b, value);
    else
        sql_add_literal(&b, value);
    *vec_add(a, &f->alters) = b.p;
}

static void
add_grant(Arena *a, DatabaseFacts *f, const DbRows *r, int i)
{
    Buf b;
    buf_init(&b, a);
    buf_fmt(&b, "GRANT %s ON DATABASE %%DB%% TO ", db_cell(r, i, 2).p);
    if (str_is(db_cell(r, i, 1), "0"))
        buf_addz(&b, "PUBLIC");
    else
        sql_add_ident(&b, db_cell(r, i, 0).p);
    if (str_is(db_cell(r, i, 3), "t"))
        buf_addz(&b, " WITH GRANT OPTION");
    *vec_add(a, &f->alters) = b.p;
}

bool
database_facts(Arena *a, Db *admin, const char *name, DatabaseFacts *ret, Err *err)
{
    *ret = (DatabaseFacts){.create = ""};
    int major = db_info(admin)->version / 10000;
    Buf literal;
    buf_init(&literal, a);
    sql_add_literal(&literal, str_of(name));
    DbRowsVec r;
    char *sql =
        str_fmt(a, facts_sql, major >= 15 ? "d.datlocprovider" : "NULL",
                major >= 17   ? "d.datlocale"
                : major >= 15 ? "d.daticulocale"
                              : "NULL",
                major >= 16 ? "d.daticurules" : "NULL", literal.p, literal.p, literal.p, literal.p);
    if (!db_query(admin, a, str_of(sql), &r, err))
        return false;
    ret->may_create = r.v[3].rows && str_is(db_cell(&r.v[3], 0, 0), "t");
    for (int i = 0; i < r.v[4].rows; i++)
        *vec_add(a, &ret->prepared) =
            str_fmt(a, "'%s' of %s", db_cell(&r.v[4], i, 0).p, db_cell(&r.v[4], i, 1).p);
    for (int i = 0; i < r.v[5].rows; i++)
        *(str_starts(db_cell(&r.v[5], i, 0), STR("cron")) ? &ret->cron : &ret->preloaded) =
            db_cell(&r.v[5], i, 1).p;
    Buf b;
    buf_init(&b, a);
    buf_addz(&b, "COMMENT ON DATABASE %DB% IS ");
    const DbRows *d = &r.v[0];
    ret->exists = d->rows > 0;
    if (!ret->exists || !db_cell(d, 0, 11).p)
        buf_addz(&b, "NULL");
    else
        sql_add_literal(&b, db_cell(d, 0, 11));
    *vec_add(a, &ret->alters) = b.p;
    if (!ret->exists)
        return true;
    long long number = 0;
    str_to_int(db_cell(d, 0, 10), -1, INT64_MAX, &number);
    ret->bytes = number;
    ret->has_slots = str_is(db_cell(d, 0, 12), "t");
    ret->has_subscriptions = str_is(db_cell(d, 0, 13), "t");
    ret->create = create_options(a, d);
    ret->owner = db_cell(d, 0, 7).p;
    ret->may_rename = str_is(db_cell(d, 0, 8), "t");
    if (!str_is(db_cell(d, 0, 9), "-1"))
        *vec_add(a, &ret->alters) =
            str_fmt(a, "ALTER DATABASE %%DB%% CONNECTION LIMIT %s", db_cell(d, 0, 9).p);
    for (int i = 0; i < r.v[1].rows; i++)
        add_setting(a, ret, db_cell(&r.v[1], i, 1), db_cell(&r.v[1], i, 2));
    if (r.v[2].rows)
        *vec_add(a, &ret->alters) = "REVOKE ALL ON DATABASE %DB% FROM PUBLIC";
    for (int i = 0; i < r.v[2].rows; i++)
        add_grant(a, ret, &r.v[2], i);
    return true;
}

/* Of the sessions on a database: all but those of the server itself. */
static void
add_guests_from(Buf *b, const char *name)
{
    buf_addz(b, " FROM pg_catalog.pg_stat_activity WHERE pid OPERATOR(pg_catalog.<>)"
                " pg_catalog.pg_backend_pid() AND datname OPERATOR(pg_catalog.=) ");
    sql_add_literal(b, str_of(name));
}

bool
database_guests(Arena *a, Db *admin, const char *name, RestoreReport *ret, Err *err)
{
    Buf b;
    buf_init(&b, a);
    buf_addz(
        &b,
        "SELECT pid, usename, CASE WHEN backend_type OPERATOR(pg_catalog.=) 'client backend' THEN"
        " application_name ELSE backend_type END, coalesce(client_addr::pg_catalog.text, 'local'),"
        " state");
    add_guests_from(&b, name);
    buf_addz(&b, " AND backend_type OPERATOR(pg_catalog.!~~) 'autovacuum%'"
                 " AND backend_type OPERATOR(pg_catalog.!~~) 'parallel%' ORDER BY pid");
    DbRowsVec r;
    if (!db_query(admin, a, buf_str(&b), &r, err))
        return false;
    for (int i = 0; i < r.v[0].rows; i++) {
        long long pid = 0;
        str_to_int(db_cell(&r.v[0], i, 0), 0, INT32_MAX, &pid);
        RestoreGuest *g = vec_add(a, &ret->guests);
        *g = (RestoreGuest){.pid = (int)pid};
        const char **texts[] = {&g->user, &g->application, &g->from, &g->state};
        for (int k = 0; k < 4; k++)
            *texts[k] = str_printable(a, db_cell(&r.v[0], i, k + 1), false);
    }
    return true;
}

/* ---- making and dropping -------------------------------------------------------------------- */

/* CREATE DATABASE copies a template: that takes longer than a query of ours may. */
static bool
run_long(Db *admin, Arena *a, Str sql, const char *what, Err *err)
{
    DbOutcome o;
    db_run(admin, a, sql, &(DbRun){.discard_rows = true}, &o);
    return o.end == DB_DONE || db_outcome_err(&o, what, err);
}

bool
database_create(Arena *a, Db *admin, const char *name, const DatabaseFacts *like, Err *err)
{
    Buf b;
    buf_init(&b, a);
    buf_addz(&b, "CREATE DATABASE ");
    sql_add_ident(&b, name);
    buf_fmt(&b, " TEMPLATE template0%s", like->create);
    const char *shown = str_printable(a, str_of(name), false);
    if (!run_long(admin, a, buf_str(&b), str_fmt(a, "making database \"%s\"", shown), err)) {
        if (err->code == ERR_DENIED)
            err_hint(err, "give the role the right (ALTER ROLE ... CREATEDB), or have an empty "
                          "database made and restore with: --into URL");
        return false;
    }
    buf_clear(&b);
    buf_addz(&b, "COMMENT ON DATABASE ");
    sql_add_ident(&b, name);
    buf_addz(&b, " IS '" DATABASE_BEGUN "'");
    return run_long(admin, a, buf_str(&b), "marking the new database", err);
}

bool
database_finish(Arena *a, Db *admin, const char *name, const DatabaseFacts *like,
                RestoreTexts *denied, Err *err)
{
    static const char what[] = "giving the new database its settings";
    vec_each (const char *, text, &like->alters) {
        const char *at = strstr(*text, "%DB%");
        Buf b;
        buf_init(&b, a);
        buf_add(&b, (Str){*text, (size_t)(at - *text)});
        sql_add_ident(&b, name);
        buf_addz(&b, at + strlen("%DB%"));
        if (run_long(admin, a, buf_str(&b), what, err))
            continue;
        if (err->code != ERR_DENIED) /* a superuser may have set it: no reason to stop */
            return false;
        *vec_add(a, denied) = b.p;
    }
    return true;
}

bool
database_writes(Arena *a, Db *db, int64_t *ret, Err *err)
{
    enum { LATE_MS = 600 }; /* before 15 a collector hands the numbers out, twice a second */
    DbRowsVec r;
    if (db_info(db)->version < 150000)
        clock_sleep_ms(LATE_MS);
    if (!db_query(db, a,
                  STR("SELECT COALESCE(pg_catalog.sum(n_tup_ins OPERATOR(pg_catalog.+) n_tup_upd"
                      " OPERATOR(pg_catalog.+) n_tup_del), 0)::pg_catalog.int8 FROM"
                      " pg_catalog.pg_stat_user_tables"),
                  &r, err))
        return false;
    long long n = 0;
    str_to_int(db_cell(&r.v[0], 0, 0), 0, INT64_MAX, &n);
    *ret = n;
    return true;
}

bool
database_drop(Db *admin, const char *name)
{
    ARENA_LOCAL(a);
    Err ignored;
    Buf b;
    buf_init(&b, a);
    buf_addz(&b, "DROP DATABASE IF EXISTS ");
    sql_add_ident(&b, name);
    buf_addz(&b, " WITH (FORCE)");
    db_set_tick(admin, NULL, NULL); /* also after Ctrl-C */
    return db_is_open(admin) && db_query(admin, a, buf_str(&b), NULL, &ignored);
}

/* ---- exchanging names ----------------------------------------------------------------------- */

typedef struct Ending {
    Db *db;
    const char *name;
    bool all;
} Ending;

/* While ALTER DATABASE waits for the others to go (it lets nobody new in), they are ended. */
static bool
end_guests(void *arg, int64_t elapsed_ms)
{
    (void)elapsed_ms;
    Ending *e = arg;
    ARENA_LOCAL(a);
    Err ignored;
    Buf b;
    buf_init(&b, a);
    buf_addz(&b, "SELECT pg_catalog.pg_terminate_backend(pid)");
    add_guests_from(&b, e->name);
    if (!e->all)
        buf_addz(&b, " AND application_name OPERATOR(pg_catalog.~~) 'aramid/%'");
    if (db_is_open(e->db))
        (void)!db_query(e->db, a, buf_str(&b), NULL, &ignored);
    return true;
}

enum { EXCHANGE_ATTEMPTS = 3 };

const char *
database_exchange_sql(Arena *a, const DatabaseNames *n)
{
    Buf b;
    buf_init(&b, a);
    const char *const names[][2] = {{n->old, n->kept}, {n->fresh, n->old}};
    buf_addz(&b, "BEGIN; ");
    for (size_t i = n->kept ? 0 : 1; i < 2; i++) {
        buf_addz(&b, "ALTER DATABASE ");
        sql_add_ident(&b, names[i][0]);
        buf_addz(&b, " RENAME TO ");
        sql_add_ident(&b, names[i][1]);
        buf_addz(&b, "; ");
    }
    buf_addz(&b, "COMMIT");
    return b.p;
}

bool
database_exchange(Arena *a, Db *admin, Db *other, const DatabaseNames *names, bool force, Err *err)
{
    Str sql = str_of(database_exchange_sql(a, names));
    Ending ending = {other, names->old, force};
    for (int attempt = 1;; attempt++) {
        ARENA_LOCAL(scratch);
        DbOutcome o;
        end_guests(&ending, 0);
        db_set_tick(admin, end_guests, &ending);
        db_run(admin, scratch, sql, &(DbRun){0}, &o);
        db_set_tick(admin, NULL, NULL);
        if (o.end == DB_DONE)
            return true;
        Err ignored;
        if (db_is_open(admin))
            (void)!db_query(admin, scratch, STR("ROLLBACK"), NULL, &ignored);
        bool in_use = strcmp(o.sqlstate, "55006") == 0;
        if (in_use && force && attempt < EXCHANGE_ATTEMPTS)
            continue;
        db_outcome_err(&o, "exchanging the names of the databases", err);
        if (in_use) {
            err_set(err, ERR_RESTORE, "database \"%s\" is in use: its name was not given away",
                    str_printable(scratch, str_of(names->old), false));
            err_hint(err,
                     "stop what is connected to it, or add --force, which ends those sessions");
        }
        return false;
    }
}

static bool
is_taken(Arena *a, Db *admin, const char *name)
{
    Err ignored;
    DbRowsVec rows;
    Buf b;
    buf_init(&b, a);
    buf_addz(&b, "SELECT 1 FROM pg_catalog.pg_database WHERE datname OPERATOR(pg_catalog.=) ");
    sql_add_literal(&b, str_of(name));
    return db_query(admin, a, buf_str(&b), &rows, &ignored) && rows.v[0].rows;
}

const char *
database_dated(Arena *a, Db *admin, const char *name, const char *word)
{
    enum { NAME_MAX_BYTES = 63, NUMBER_BYTES = 3, TRIES = 99 };
    char *stamp = clock_stamp(a, clock_wall_us());
    for (char *p = stamp; *p; p++)
        *p = (char)(*p >= 'A' && *p <= 'Z' ? *p + 32 : *p);
    size_t room = NAME_MAX_BYTES - strlen(stamp) - strlen(word) - 2 - NUMBER_BYTES,
           n = strlen(name);
    while (n > room || (n && n < strlen(name) && ((unsigned char)name[n] & 0xc0) == 0x80))
        n--;
    const char *dated = str_fmt(a, "%.*s_%s_%s", (int)n, name, word, stamp), *ret = dated;
    for (int i = 2; i <= TRIES && is_taken(a, admin, ret); i++) /* another one in this second */
        ret = str_fmt(a, "%s_%d", dated, i);
    return ret;
}
