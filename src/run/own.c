/* Aramid's own tables: the journal, who the database is, and the runs. They lie in schema aramid,
 * or beside the ledger where the role may not make schemas. */
#include "run/session_int.h"
#include "sqltext/sqltext.h"

typedef struct OwnSpec {
    const char *name, *beside; /* in schema aramid; in the ledger's */
    const char *columns, *comment;
    bool is_public;    /* for read-only roles: it holds nothing that the catalog does not show */
    int width;         /* columns; 0 = it always had these */
    const char *added; /* those that older versions lacked: ADD COLUMN ... */
} OwnSpec;

static const OwnSpec specs[OWN_COUNT] = {
    [OWN_JOURNAL] =
        {"journal", "_aramid_journal",
         "ledger_id text NOT NULL, migration_name text NOT NULL, first_statement integer NOT NULL,"
         " next_statement integer NOT NULL, done boolean NOT NULL, prefix_hash text NOT NULL,"
         " chained text, relation oid, indexes_before oid[], run_id text NOT NULL,"
         " backend_pid integer NOT NULL DEFAULT pg_catalog.pg_backend_pid(),"
         " started_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),"
         " finished_at timestamptz, undo text, PRIMARY KEY (ledger_id, first_statement)",
         "Aramid: steps of migrations that cannot run in one transaction", true, 14,
         "ADD COLUMN IF NOT EXISTS undo text"},
    [OWN_IDENTITY] =
        {"identity", "_aramid_identity",
         "schema text PRIMARY KEY, environment text NOT NULL, profile text NOT NULL, name text,"
         " system_identifier text, database_name text NOT NULL, database_oid oid NOT NULL,"
         " branch text, address text,"
         " made_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),"
         " made_by text NOT NULL DEFAULT CURRENT_USER, made_with text NOT NULL",
         "Aramid: which environment this database is, and where it was when that was written", true,
         0, NULL},
    [OWN_RUNS] =
        {"runs", "_aramid_runs",
         "run_id text PRIMARY KEY, verb text NOT NULL, environment text NOT NULL, os_user text,"
         " db_user text NOT NULL DEFAULT CURRENT_USER,"
         " started_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),"
         " finished_at timestamptz, outcome text NOT NULL DEFAULT 'running',"
         " applied integer NOT NULL DEFAULT 0, backup_id text, no_backup_reason text, consent text,"
         " tool_version text, log text, migrations text[]",
         "Aramid: runs that changed this database", false, 15,
         "ADD COLUMN IF NOT EXISTS tool_version text, ADD COLUMN IF NOT EXISTS log text,"
         " ADD COLUMN IF NOT EXISTS migrations text[]"},
    /* Not for everybody: it holds keys of rows. */
    [OWN_BATCHES] = {"batches", "_aramid_batches",
                     "ledger_id text NOT NULL, first_statement integer NOT NULL,"
                     " relation oid NOT NULL, keys text[] NOT NULL, reached text[], last text[],"
                     " rows bigint NOT NULL, size bigint NOT NULL, changed_at timestamptz NOT NULL"
                     " DEFAULT pg_catalog.clock_timestamp(), PRIMARY KEY (ledger_id,"
                     " first_statement)",
                     "Aramid: how far statements that run in batches have come", false, 0, NULL},
    [OWN_REPEATABLE] =
        {"repeatable", "_aramid_repeatable",
         "name text PRIMARY KEY, checksum text NOT NULL, script text NOT NULL,"
         " applied_at timestamptz NOT NULL, applied_by text NOT NULL DEFAULT CURRENT_USER",
         "Aramid: repeatable scripts as they were applied last", true, 0, NULL},
};

void
own_add_names(Buf *b)
{
    for (int i = 0; i < OWN_COUNT; i++)
        buf_fmt(b, "'%s','%s',", specs[i].name, specs[i].beside);
}

void
own_take(Session *s, const DbRows *facts, const OwnMay *may)
{
    for (int i = 0; i < OWN_COUNT; i++) {
        OwnPlace *p = &s->own[i];
        *p = (OwnPlace){0};
        int own = -1, beside = -1;
        for (int row = 0; row < facts->rows; row++) {
            if (str_is(db_cell(facts, row, 0), "aramid") &&
                str_is(db_cell(facts, row, 1), specs[i].name))
                own = row;
            /* Where several ledgers have one, as the first one's was another before: that one. */
            vec_each (const SessionLedger, l, &s->ledgers)
                if (beside < 0 && l->at.schema && str_is(db_cell(facts, row, 0), l->at.schema) &&
                    str_is(db_cell(facts, row, 1), specs[i].beside))
                    beside = row;
        }
        int at = own >= 0 ? own : beside;
        p->exists = at >= 0;
        p->may_read = p->exists && str_is(db_cell(facts, at, 5), "t");
        p->may_write = p->exists && str_is(db_cell(facts, at, 6), "t");
        long long width = 0;
        p->is_old = p->exists && str_to_int(db_cell(facts, at, 12), 0, 10000, &width) &&
                    width < specs[i].width;
        p->may_alter = p->exists && str_is(db_cell(facts, at, 13), "t");
        if (own >= 0 || (beside < 0 && may->own)) {
            p->schema = "aramid";
            p->table = specs[i].name;
        } else if (beside >= 0 || may->beside) {
            p->schema = beside >= 0 ? db_cell(facts, beside, 0).p : s->ledgers.v[0].at.schema;
            p->table = specs[i].beside;
        }
    }
}

void
own_take_scripts(Session *s)
{
    const OwnPlace *p = &s->own[OWN_REPEATABLE];
    vec_each (SessionLedger, l, &s->ledgers) {
        if (!l->layout->repeats)
            continue;
        l->at = (LedgerName){.schema = p->schema, .table = p->table ? p->table : ""};
        l->exists = p->exists;
    }
}

void
own_place_beside(Session *s, const char *schema)
{
    for (int i = 0; i < OWN_COUNT; i++)
        if (!s->own[i].schema) {
            s->own[i].schema = schema;
            s->own[i].table = specs[i].beside;
        }
}

void
own_add_table(const Session *s, Buf *b, OwnTable t)
{
    sql_add_name(b, s->own[t].schema, s->own[t].table);
}

bool
own_is_there(const Session *s, OwnTable t)
{
    return s->own[t].exists && s->own[t].may_read && s->own[t].may_write;
}

bool
own_can_be(const Session *s, OwnTable t)
{
    /* A subscriber that lacks the table would stop at its first row. */
    return s->own[t].exists ? own_is_there(s, t) : s->own[t].schema && !s->sent_by;
}

static void
add_create(const Session *s, Buf *b, OwnTable t)
{
    buf_addz(b, "CREATE TABLE ");
    own_add_table(s, b, t);
    buf_fmt(b, " (%s);COMMENT ON TABLE ", specs[t].columns);
    own_add_table(s, b, t);
    buf_fmt(b, " IS '%s';", specs[t].comment);
    if (specs[t].is_public) {
        buf_addz(b, "GRANT SELECT ON ");
        own_add_table(s, b, t);
        buf_addz(b, " TO PUBLIC;");
    }
}

bool
own_is_behind(const Session *s, OwnTable t)
{
    const OwnPlace *p = &s->own[t];
    return p->schema && (!p->exists || (p->is_old && p->may_alter));
}

void
own_add_schema(Buf *b)
{
    buf_addz(b, "CREATE SCHEMA aramid;GRANT USAGE ON SCHEMA aramid TO PUBLIC;");
}

void
own_add_create(const Session *s, Buf *b, unsigned tables)
{
    /* A ledger in it was made before. */
    bool has_schema = s->has_own_schema;
    vec_each (const SessionLedger, l, &s->ledgers)
        has_schema = has_schema ||
                     (l->at.schema && !l->layout->repeats && strcmp(l->at.schema, "aramid") == 0);
    for (int i = 0; i < OWN_COUNT; i++) {
        if (!(tables & 1u << i) || !own_is_behind(s, (OwnTable)i))
            continue;
        if (s->own[i].exists) {
            buf_addz(b, "ALTER TABLE ");
            own_add_table(s, b, (OwnTable)i);
            buf_addc(b, ' ');
            buf_addz(b, specs[i].added); /* where there is none nothing is old */
            buf_addc(b, ';');
            continue;
        }
        if (!has_schema && strcmp(s->own[i].schema, "aramid") == 0) {
            own_add_schema(b);
            has_schema = true;
        }
        add_create(s, b, (OwnTable)i);
    }
}

void
own_made(Session *s, unsigned tables)
{
    for (int i = 0; i < OWN_COUNT; i++) {
        OwnPlace *p = &s->own[i];
        if (!(tables & 1u << i) || !own_is_behind(s, (OwnTable)i))
            continue;
        p->exists = p->may_read = p->may_write = true;
        p->is_old = false;
        s->has_own_schema = s->has_own_schema || strcmp(p->schema, "aramid") == 0;
    }
    own_take_scripts(s);
}

/* A schema of our own that nobody may make (an event trigger, mostly) is no reason to do without. */
bool
own_fall_back(Session *s, unsigned tables, const Err *why)
{
    bool moved = false;
    if (!why->sqlstate[0] || !db_is_open(s->db) || s->has_own_schema || !s->may_make_beside)
        return false;
    for (int i = 0; i < OWN_COUNT; i++) {
        OwnPlace *p = &s->own[i];
        if (p->exists || !p->schema || strcmp(p->schema, "aramid") != 0)
            continue;
        p->schema = s->ledgers.v[0].at.schema;
        p->table = specs[i].beside;
        moved = moved || tables & 1u << i;
    }
    return moved;
}

bool
own_refuse(const Session *s, OwnTable t, const char *what, Err *err)
{
    const OwnPlace *p = &s->own[t];
    const char *user = db_info(s->db)->user;
    err_set(err, ERR_DENIED, "%s", what);
    if (p->exists) {
        Buf name;
        buf_init(&name, s->arena);
        own_add_table(s, &name, t);
        err_detail(err, "user \"%s\" may not write %s, which another role has made", user, name.p);
        return err_hint(err, "as its owner: GRANT SELECT, INSERT, UPDATE, DELETE ON %s TO \"%s\"",
                        name.p, user);
    }
    if (s->sent_by && p->schema) {
        Buf ddl;
        buf_init(&ddl, s->arena);
        own_add_create(s, &ddl, 1u << t);
        err_detail(
            err,
            "publication \"%s\" sends every table to subscribers, and one that lacks a table "
            "stops at its first row",
            s->sent_by);
        err_detail(err, "%s", ddl.p);
        return err_hint(err, "run these statements on each subscriber, then here");
    }
    err_detail(err,
               "the role may create neither a schema in this database nor a table in "
               "schema \"%s\"",
               s->ledgers.v[0].at.schema ? s->ledgers.v[0].at.schema : "");
    return err_hint(err, "as the owner of the database: GRANT CREATE ON DATABASE ... TO %s", user);
}
