/* Opening a session: where ledger and journal are, and what we may do. */
#include "base/clock.h"
#include "base/os.h"
#include "run/session_int.h"
#include "sqltext/sqltext.h"

/* ---- where ledger and journal are ----------------------------------------------------------- */

/* One row for each schema in which they may lie and each of our tables there: its place in the
 * search_path (NULL = not on it), whether we may create in it, and what we may do with the table.
 * Unqualified names lie in the first schema of the path that exists, as Prisma's do. Each row also
 * says where the database itself is (neon.branch_id is Neon's; the identifier of the system is left
 * out where the server keeps it to itself), and which publication sends each table to somebody. */
static void
add_facts_query(Buf *b, const Session *s, bool with_system)
{
    Buf path;
    buf_init(&path, b->arena);
    if (s->url_schema) {
        buf_addz(&path, "ARRAY[");
        sql_add_literal(&path, str_of(s->url_schema));
        buf_addz(&path, "]::pg_catalog.name[]");
    } else
        buf_addz(&path, "pg_catalog.current_schemas(false)");
    buf_fmt(
        b,
        "SELECT n.nspname, c.relname, pg_catalog.has_schema_privilege(n.oid, 'CREATE'), n.place,"
        " pg_catalog.has_database_privilege(d.oid, 'CREATE'),"
        " pg_catalog.has_table_privilege(c.oid, 'SELECT'),"
        " pg_catalog.has_table_privilege(c.oid, 'INSERT') AND"
        " pg_catalog.has_table_privilege(c.oid, 'UPDATE') AND"
        " pg_catalog.has_table_privilege(c.oid, 'DELETE'), %s, d.oid,"
        " pg_catalog.current_setting('neon.branch_id', true), (SELECT pg_catalog.min(u.pubname)"
        " FROM pg_catalog.pg_publication u WHERE u.puballtables AND EXISTS (SELECT 1 FROM"
        " pg_catalog.pg_replication_slots o WHERE o.datoid OPERATOR(pg_catalog.=) d.oid)),"
        " pg_catalog.row_security_active(c.oid),"
        " c.relnatts, pg_catalog.pg_has_role(c.relowner, 'USAGE')"
        " FROM pg_catalog.pg_database d"
        " LEFT JOIN (SELECT m.oid, m.nspname, pg_catalog.array_position(%s, m.nspname) AS place "
        "FROM"
        " pg_catalog.pg_namespace m WHERE m.nspname OPERATOR(pg_catalog.=) ANY"
        " (pg_catalog.array_cat(%s, ARRAY['aramid'",
        with_system ? "(SELECT y.system_identifier FROM pg_catalog.pg_control_system() y)" : "NULL",
        path.p, path.p);
    vec_each (const SessionLedger, l, &s->ledgers)
        if (l->home) {
            buf_addc(b, ',');
            sql_add_literal(b, str_of(l->home));
        }
    buf_addz(b, "]::pg_catalog.name[]))) n ON true LEFT JOIN pg_catalog.pg_class c ON "
                "c.relnamespace OPERATOR(pg_catalog.=)"
                " n.oid AND c.relname OPERATOR(pg_catalog.=) ANY (ARRAY[");
    own_add_names(b);
    buf_addz(b, "'" HISTORY_ONCE "'");
    vec_each (const SessionLedger, l, &s->ledgers) {
        buf_addc(b, ',');
        sql_add_literal(b, str_of(l->at.table));
        if (l->layout->beside) {
            buf_addc(b, ',');
            sql_add_literal(b, str_of(l->layout->beside));
        }
    }
    buf_addz(b, "]::pg_catalog.name[]) WHERE d.datname OPERATOR(pg_catalog.=)"
                " pg_catalog.current_database()");
}

static bool
is_true(const DbRows *r, int row, int col)
{
    return str_is(db_cell(r, row, col), "t");
}

/* The schema of the ledger: its home, or where on the path it is, else the first of the path. */
static int
ledger_row(const DbRows *r, const char *home, const char *table)
{
    int best = -1;
    bool best_has = false;
    long long best_place = 0;
    for (int i = 0; i < r->rows; i++) {
        long long place = 0;
        bool has = str_is(db_cell(r, i, 1), table);
        bool fits = home ? str_is(db_cell(r, i, 0), home)
                         : str_to_int(db_cell(r, i, 3), 1, INT32_MAX, &place);
        if (!fits || (best >= 0 && (has == best_has ? place >= best_place : best_has)))
            continue;
        best = i;
        best_has = has;
        best_place = place;
    }
    return best;
}

/* A host's name that means the same one everywhere: not an address, nor of one network or machine. */
static bool
is_public_name(Str host)
{
    static const char *const inner[] = {".local", ".localdomain", ".localhost", ".internal",
                                        ".lan",   ".home.arpa",   ".test",      ".svc"};
    bool letter = false, dot = false;
    for (size_t i = 0; i < host.n; i++) {
        letter = letter || (host.p[i] >= 'g' && host.p[i] <= 'z') ||
                 (host.p[i] >= 'G' && host.p[i] <= 'Z');
        dot = dot || host.p[i] == '.';
    }
    for (size_t i = 0; i < COUNT(inner); i++)
        if (str_ends(host, str_of(inner[i])))
            return false;
    return letter && dot && host.p[0] != '/';
}

/* Where the database was reached, when that tells one from another: poolers know projects by user. */
static const char *
shown_address(const Session *s)
{
    Str rest = str_of(db_info(s->db)->host), host = str_cut(&rest, ':');
    if (!is_public_name(host))
        return NULL;
    return str_fmt(s->arena, "%s@%s", s->url_user ? s->url_user : "", db_info(s->db)->host);
}

static bool
has_table(const DbRows *r, const char *schema, const char *table)
{
    for (int i = 0; i < r->rows && schema && table; i++)
        if (str_is(db_cell(r, i, 1), table) && str_is(db_cell(r, i, 0), schema))
            return true;
    return false;
}

static void
take_facts(Session *s, const DbRows *r)
{
    int at = -1;
    s->ledger_exists = false;
    for (size_t i = s->ledgers.n; i-- > 0;) { /* `at` is the first one's in the end */
        SessionLedger *l = &s->ledgers.v[i];
        if (l->layout->repeats) /* behind own_take */
            continue;
        at = ledger_row(r, l->home, l->at.table);
        l->at.schema = at < 0 ? NULL : db_cell(r, at, 0).p;
        l->exists = at >= 0 && str_is(db_cell(r, at, 1), l->at.table);
        s->ledger_exists = s->ledger_exists || l->exists;
        l->at.has_beside = has_table(r, l->at.schema, l->layout->beside);
        l->has_once = l->layout->add_once && has_table(r, l->at.schema, HISTORY_ONCE);
    }
    int first = s->ledgers.v[0].home ? ledger_row(r, NULL, "") : at;
    s->schema = first < 0 ? NULL : db_cell(r, first, 0).p;
    s->has_own_schema = false;
    OwnMay may = {.own = is_true(r, 0, 4), .beside = at >= 0 && is_true(r, at, 2)};
    s->has_policies = false;
    for (int i = 0; i < r->rows; i++)
        s->has_policies = s->has_policies || is_true(r, i, 11);
    for (int i = 0; i < r->rows; i++)
        if (str_is(db_cell(r, i, 0), "aramid")) {
            s->has_own_schema = true;
            may.own = is_true(r, i, 2);
        }
    s->sent_by = db_cell(r, 0, 10).p;
    own_take(s, r, &may);
    own_take_scripts(s);
    s->may_make_beside = may.beside;
    s->place.system = db_cell(r, 0, 7).p;
    s->place.oid = db_cell(r, 0, 8).p;
    Str branch = db_cell(r, 0, 9);
    s->place.branch = branch.n ? branch.p : NULL;
    s->place.database = db_info(s->db)->database;
    s->place.address = shown_address(s);
}

bool
session_refresh(Session *s, Err *err)
{
    Buf b;
    buf_init(&b, s->arena);
    session_add_user_prefix(s, &b);
    add_facts_query(&b, s, s->place.system != NULL);
    DbRowsVec results;
    if (!db_query(s->db, s->arena, buf_str(&b), &results, err))
        return false;
    take_facts(s, &results.v[results.n - 1]);
    return true;
}

bool
session_count_tables(Session *s, Err *err)
{
    Buf b;
    buf_init(&b, s->arena);
    session_add_prefix(s, &b);
    buf_addz(&b, "SELECT pg_catalog.count(*) FILTER (WHERE n.nspname OPERATOR(pg_catalog.=) ");
    sql_add_literal(&b, str_of(s->schema ? s->schema : ""));
    buf_addz(&b,
             " AND c.relkind OPERATOR(pg_catalog.=) 'r' AND NOT c.relname OPERATOR(pg_catalog.=)"
             " ANY ('{spatial_ref_sys,geometry_columns,geography_columns,"
             "raster_columns,raster_overviews}'::pg_catalog.name[])), pg_catalog.count(*) FROM"
             " pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=)"
             " c.relnamespace WHERE c.relkind OPERATOR(pg_catalog.=) ANY"
             " ('{r,p}'::pg_catalog.\"char\"[]) AND c.oid OPERATOR(pg_catalog.>=) 16384 AND"
             " n.nspname OPERATOR(pg_catalog.<>) 'aramid' AND"
             " c.relname OPERATOR(pg_catalog.<>) ALL (ARRAY['_aramid_journal',"
             "'_aramid_identity','_aramid_runs','_aramid_batches','_aramid_repeatable'");
    vec_each (const SessionLedger, l, &s->ledgers) {
        buf_addc(&b, ',');
        sql_add_literal(&b, str_of(l->at.table));
    }
    buf_addz(&b, "]::pg_catalog.name[])");
    DbRowsVec results;
    if (!db_query(s->db, s->arena, buf_str(&b), &results, err))
        return false;
    long long n = 0;
    const DbRows *r = &results.v[results.n - 1];
    str_to_int(db_cell(r, 0, 0), 0, INT32_MAX, &n);
    s->tables = (int)n;
    s->is_fresh = str_is(db_cell(r, 0, 1), "0");
    return true;
}

bool
session_other_histories(Session *s, KnownTableVec *ret, Err *err)
{
    Buf b;
    buf_init(&b, s->arena);
    session_add_prefix(s, &b);
    history_add_known_query(&b);
    DbRowsVec results;
    if (!db_query(s->db, s->arena, buf_str(&b), &results, err))
        return false;
    KnownTableVec all;
    history_take_known(s->arena, &results.v[results.n - 1], &all);
    vec_each (const KnownTable, t, &all) {
        bool is_ours = false;
        vec_each (const SessionLedger, l, &s->ledgers)
            is_ours = is_ours || strcmp(t->as->tool, l->layout->ledger.tool) == 0;
        if (!is_ours)
            *vec_add(s->arena, ret) = *t;
    }
    return true;
}

/* Two histories must not meet in one table: names that say different places may lead to the same. */
static bool
check_ledgers(const Session *s, Err *err)
{
    vec_each (const SessionLedger, l, &s->ledgers)
        for (const SessionLedger *k = s->ledgers.v; k < l; k++) {
            if (!l->at.schema || !k->at.schema || strcmp(l->at.schema, k->at.schema) != 0 ||
                strcmp(l->at.table, k->at.table) != 0)
                continue;
            err_set(err, ERR_CONFIG, "two histories would share the table %s.%s", l->at.schema,
                    l->at.table);
            return err_hint(err, "give one of them another one: history_table in aramid.yaml");
        }
    return true;
}

bool
session_open(Arena *a, const SessionOptions *o, Session *ret, Err *err)
{
    const Config *c = o->config;
    *ret = (Session){.arena = a,
                     .config = c,
                     .url_schema = o->url->schema,
                     .url_user = o->url->user,
                     .tick = o->tick,
                     .tick_arg = o->tick_arg,
                     .only_reads = o->only_reads,
                     .sink = o->sink,
                     .patience_ms = o->writes ? config_ms(c, CFG_LOCK_BUDGET) : 0};
    for (size_t i = 0; i < history_parts(o->history); i++) {
        const History *p = history_part_of(o->history, i);
        *vec_add(a, &ret->ledgers) = (SessionLedger){.layout = p->layout,
                                                     .at = p->ledger,
                                                     .home = p->ledger.schema,
                                                     .lock_names = p->lock_names.v,
                                                     .lock_name_count = p->lock_names.n};
    }
    Buf facts;
    buf_init(&facts, a);
    add_facts_query(&facts, ret, true);
    DbOptions db = {
        .url = o->url,
        .url_origin = o->url_origin,
        .application = str_fmt(a, "aramid/%s/%s", os_self_tag(a), o->verb),
        .trace = c->trace,
        .secrets = &c->secrets,
        .connect_ms = config_ms(c, CFG_CONNECT_TIMEOUT),
        .operation_ms = config_ms(c, CFG_OPERATION_TIMEOUT),
        .wait_server_ms = config_ms(c, CFG_WAIT_SERVER),
        .retries = (int)c->values[CFG_MAX_RETRIES].number,
        .retry_delay_ms = config_ms(c, CFG_RETRY_DELAY),
        .tick = o->tick,
        .tick_arg = o->tick_arg,
        .refuse_pooler = o->writes || o->locks,
        .ask = facts.p,
    };
    if (!db_open(a, &db, &ret->db, err)) {
        bool refused = strcmp(err->sqlstate, "42501") == 0 || strcmp(err->sqlstate, "42883") == 0;
        buf_clear(&facts);
        add_facts_query(&facts, ret, false);
        db.ask = facts.p;
        if (!refused || !db_open(a, &db, &ret->db, err))
            return false;
    }
    const DbInfo *info = db_info(ret->db);
    if (o->writes && (info->in_recovery || info->read_only)) {
        err_set(err, ERR_READ_ONLY, "the server at %s accepts no writes", info->host);
        err_detail(err, info->in_recovery ? "it is a standby"
                                          : "default_transaction_read_only is on for this role, "
                                            "database or server");
        err_hint(err, info->in_recovery ? "use the address of the primary"
                                        : "use another role, or turn the setting off");
    } else {
        take_facts(ret, db_asked(ret->db));
        if (check_ledgers(ret, err))
            return true;
    }
    session_close(ret);
    return false;
}

void
session_close(Session *s)
{
    db_close(s->db);
    lease_drop(s);
    s->has_own_lock = s->has_tool_lock = false;
}

/* What a rollback has begun: of ledgers that cannot tell that, the journal does. */
static void
take_undos(History *h, const JournalVec *journal)
{
    vec_each (const JournalStep, j, journal) {
        if (!j->undo)
            continue;
        vec_each (Entry, e, &h->entries) {
            if (!e->row || strcmp(e->row->id, j->ledger_id) != 0 || strcmp(e->name, j->name) != 0 ||
                e->state == ENTRY_PENDING)
                continue;
            e->undo = j->undo;
            if (e->state == ENTRY_APPLIED) {
                h->applied--;
                h->resumable++;
                e->state = ENTRY_RESUMABLE;
            }
            h->edited -= e->edited;
            e->edited = false;
        }
    }
}

/* Rows of ledger and journal out of a message's last results. */
bool
session_take_history(Session *s, const DbRowsVec *results, size_t at, History *h,
                     JournalVec *journal, Err *err)
{
    *journal = (JournalVec){0};
    for (size_t i = 0; i < s->ledgers.n; i++) {
        const SessionLedger *l = &s->ledgers.v[i];
        History *p = history_part(h, i);
        p->rows.n = 0;
        p->has_ledger = l->exists;
        p->ledger.has_beside = l->at.has_beside;
        if (l->exists && !l->layout->read_rows(s->arena, &results->v[at++], p, err))
            return false;
    }
    if (s->own[OWN_JOURNAL].exists && !journal_read(s->arena, &results->v[at++], journal, err))
        return false;
    s->identities.n = 0;
    if (s->own[OWN_IDENTITY].may_read && !identity_read(s, &results->v[at], err))
        return false;
    ledger_take_begun(s, journal, h);
    history_compare(s->arena, h);
    vec_each (Entry, e, &h->entries) {
        if (e->state != ENTRY_FAILED)
            continue;
        vec_each (const JournalStep, j, journal)
            if (strcmp(j->ledger_id, e->row->id) == 0) {
                e->state = ENTRY_RESUMABLE;
                h->failed--;
                h->resumable++;
                break;
            }
    }
    take_undos(h, journal);
    history_read_pending(s->arena, h);
    return true;
}

void
session_add_history_queries(Session *s, Buf *b)
{
    vec_each (const SessionLedger, l, &s->ledgers) {
        if (!l->exists)
            continue;
        l->layout->add_select(b, &l->at);
        buf_addc(b, ';');
    }
    if (s->own[OWN_JOURNAL].exists) {
        journal_add_select(s, b);
        buf_addc(b, ';');
    }
    if (s->own[OWN_IDENTITY].may_read) {
        identity_add_select(s, b);
        buf_addc(b, ';');
    }
}

bool
session_read(Session *s, History *h, JournalVec *journal, Err *err)
{
    Buf b;
    buf_init(&b, s->arena);
    buf_addz(&b, "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY;");
    size_t at = (size_t)session_add_prefix(s, &b);
    session_add_history_queries(s, &b);
    DbRowsVec results;
    if (!s->ledger_exists && !session_count_tables(s, err))
        return false;
    /* Schemas that the role may not use are not on its path: no history is seen there. */
    if (!s->ledger_exists && !s->schema && !s->url_schema && !s->is_fresh) {
        err_set(err, ERR_DENIED, "the role may use no schema of its search_path");
        return err_hint(err, "GRANT USAGE ON SCHEMA public TO the role, or name a schema in the "
                             "URL: ?schema=app");
    }
    return session_query(s, s->arena, buf_str(&b), &results, err) &&
           session_take_history(s, &results, at + 1, h, journal, err);
}
