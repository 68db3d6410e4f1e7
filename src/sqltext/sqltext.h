/* SQL scripts as text: where statements begin and end, and what they are.
 *
 * The splitter is our own, modelled on psql's rules, and knows nothing about the grammar, so that
 * syntax of newer servers never confuses it. Classification asks libpg_query (PostgreSQL 15's
 * grammar, loaded on first use) for each statement; what it cannot parse is `opaque`: never an
 * error, the server decides. For opaque statements the leading keywords still tell the little
 * that a plan needs (transaction control, CONCURRENTLY, VACUUM, ...).
 *
 * Nothing here executes or rewrites SQL: offsets point into the original bytes. */
#pragma once

#include "base/finding.h"
#include "base/map.h"
#include "base/vec.h"

/* How a statement stands towards transaction blocks. */
typedef enum SqlTxMode {
    SQL_TX_ANY,      /* runs in or out of a transaction */
    SQL_TX_NEVER,    /* the server refuses it inside one: must be sent alone */
    SQL_TX_BEGIN,    /* BEGIN, START TRANSACTION */
    SQL_TX_COMMIT,   /* COMMIT, END, also AND CHAIN (see is_chain) */
    SQL_TX_ROLLBACK, /* ROLLBACK, ABORT (not ROLLBACK TO) */
    SQL_TX_PREPARE,  /* PREPARE TRANSACTION, COMMIT PREPARED, ROLLBACK PREPARED */
    SQL_TX_HIDDEN,   /* CALL and DO: may hold a COMMIT of their own */
} SqlTxMode;

/* Kinds that somebody downstream decides on; everything else is SQL_OTHER. */
typedef enum SqlKind {
    SQL_OTHER,
    SQL_CREATE_INDEX,
    SQL_DROP_INDEX,
    SQL_REINDEX,
    SQL_DETACH_PARTITION,
    SQL_ALTER_TYPE_ADD_VALUE,
    SQL_ALTER_TABLE,
    SQL_CREATE_TABLE,
    SQL_DROP,
    SQL_RENAME,
    SQL_TRUNCATE,
    SQL_INSERT,
    SQL_UPDATE,
    SQL_DELETE,
    SQL_MERGE,
    SQL_SELECT,
    SQL_COPY,
    SQL_CALL,
    SQL_DO,
    SQL_VACUUM,
    SQL_SET, /* SET, RESET, DISCARD, SET ROLE */
    SQL_LOCK,
    SQL_TRANSACTION,
    SQL_KIND_COUNT
} SqlKind;

/* PostgreSQL's table lock modes, weakest first. */
typedef enum SqlLockMode {
    SQL_LOCK_NONE,
    SQL_LOCK_ACCESS_SHARE,
    SQL_LOCK_ROW_SHARE,
    SQL_LOCK_ROW_EXCLUSIVE,
    SQL_LOCK_SHARE_UPDATE_EXCLUSIVE,
    SQL_LOCK_SHARE,
    SQL_LOCK_SHARE_ROW_EXCLUSIVE,
    SQL_LOCK_EXCLUSIVE,
    SQL_LOCK_ACCESS_EXCLUSIVE,
} SqlLockMode;

/* "ACCESS EXCLUSIVE", as LOCK TABLE wants it. */
const char *sql_lock_mode_name(SqlLockMode mode);

/* A relation as the statement names it; schema "" = by search_path. Names are unquoted, folded
 * and cut to 63 bytes as the server would. */
typedef struct SqlName {
    const char *schema;
    const char *name;
} SqlName;

/* A lock that the statement is known to take on an existing relation (measured, and
 * https://www.postgresql.org/docs/current/explicit-locking.html). Relations that the same script
 * created before are not listed. `kind_table`: an ordinary or partitioned table by the statement's
 * own words, so that LOCK TABLE ONLY may be tried on it (not for an index, sequence, view). */
typedef struct SqlLock {
    SqlName rel;
    SqlLockMode mode;
    bool kind_table;
} SqlLock;

/* An object that the statement would create, drop or rename; for `resolve`'s probing and for
 * knowing which names an earlier migration touched. */
typedef enum SqlObjectKind {
    SQL_OBJ_TABLE,
    SQL_OBJ_COLUMN,     /* name = table, sub = column */
    SQL_OBJ_INDEX,      /* sub = table (CREATE), "" (DROP) */
    SQL_OBJ_CONSTRAINT, /* name = table, sub = constraint */
    SQL_OBJ_VIEW,       /* also materialized */
    SQL_OBJ_TYPE,       /* enum, composite, domain */
    SQL_OBJ_ENUM_VALUE, /* name = type, sub = label */
    SQL_OBJ_SEQUENCE,
    SQL_OBJ_FUNCTION, /* by name only */
    SQL_OBJ_SCHEMA,
    SQL_OBJ_EXTENSION,
    SQL_OBJ_TRIGGER, /* name = table, sub = trigger */
    SQL_OBJ_POLICY,  /* name = table, sub = policy */
    SQL_OBJ_OTHER,
} SqlObjectKind;

typedef enum SqlEffect {
    SQL_CREATES,
    SQL_DROPS,
    SQL_RENAMES_AWAY, /* the old name; the new one follows as SQL_CREATES */
} SqlEffect;

typedef struct SqlObject {
    SqlEffect effect;
    SqlObjectKind kind;
    SqlName name;
    const char *sub; /* "" when unused */
    bool if_exists;  /* IF [NOT] EXISTS was said: the effect may be none */
} SqlObject;

/* Members but for the place are its form (form.c compares and copies each). */
typedef struct SqlStmt {
    size_t off, len; /* bytes of the statement: from its first token, without the semicolon */
    size_t end;      /* offset behind the semicolon (or end of text) */
    int line, column;
    bool opaque; /* libpg_query could not parse it */
    SqlKind kind;
    SqlTxMode tx;
    bool is_chain;         /* COMMIT AND CHAIN */
    const char *isolation; /* of BEGIN: its words ("ISOLATION LEVEL SERIALIZABLE"), or "" */
    bool is_concurrent;    /* CREATE/DROP/REINDEX ... CONCURRENTLY, DETACH ... CONCURRENTLY */
    bool is_dml;    /* changes rows: INSERT, UPDATE, DELETE, MERGE, COPY FROM, also in a CTE */
    bool if_exists; /* IF EXISTS / IF NOT EXISTS was said */
    bool changes_session; /* SET, RESET, DISCARD, SET ROLE, set_config(...), advisory lock calls */
    /* CREATE INDEX: name ("" when the server picks it) and table. DROP INDEX, REINDEX INDEX: name.
     * REINDEX TABLE: table; SCHEMA: a table without a name in it. DETACH: table = the partition, parent = the partitioned table. */
    SqlName index, table, parent;
    bool is_unique;
    const char *tag; /* short words for people: "CREATE INDEX CONCURRENTLY", "ALTER TABLE" */
    VEC(SqlLock) locks;
    VEC(SqlObject) objects;
} SqlStmt;

/* Where a statement stands, and which of the script's forms it has: statements that differ in their
 * values only share one, so that a million of them take little room. */
typedef struct SqlSpan {
    uint32_t off, len, end, line, column;
    uint32_t form;
} SqlSpan;

typedef struct SqlScript {
    Str text;   /* without a byte order mark */
    size_t bom; /* bytes of it that were skipped: 0 or 3 */
    VEC(SqlSpan) stmts;
    VEC(SqlStmt) forms; /* none before it is classified */
    bool has_opaque;
} SqlScript;

/* Statement `i` of a script, put into *ret, which is returned; what it points to is the script's. */
const SqlStmt *sql_stmt(const SqlScript *script, size_t i, SqlStmt *ret);

#define SQL_BOM "\xef\xbb\xbf"

/* Cut a script into statements. `path` is for places in errors. Empty statements are dropped;
 * comments in front of a statement do not belong to it.
 *
 * The text has less than 4 GB.
 *
 * errors  ERR_MIGRATION_FILE with place: NUL byte, invalid UTF-8, UTF-16 (by its mark), COPY ...
 *         FROM STDIN (data can only be sent by psql; hint: INSERT or \copy outside), a psql
 *         meta-command (\connect, \restrict, ...), unterminated quote, dollar quote or comment
 * cost    one pass, no copy of the text */
MUST_CHECK bool sql_split(Arena *a, const char *path, Str text, SqlScript *ret, Err *err);

/* What a comment "-- aramid:NAME VALUE" says about the running of its file, or of the statement behind it.
 * Those about the file stand at its head, in front of its first statement; other tools pass them over. */
typedef enum SqlDirectiveId {
    SQL_DIRECTIVE_TIMEOUT,      /* DURATION: statement_timeout of each statement */
    SQL_DIRECTIVE_LOCK_TIMEOUT, /* DURATION: instead of the setting locks.timeout */
    SQL_DIRECTIVE_TX,           /* file, none: see PlanTx */
    SQL_DIRECTIVE_IRREVERSIBLE, /* REASON: there is no way back */
    SQL_DIRECTIVE_AFTER,        /* NAME, NAME: migrations that come before it (history/) */
    SQL_DIRECTIVE_EXPAND, /* KIND TABLE ...: a change that old and new code can live with (expand/) */
    SQL_DIRECTIVE_CONTRACT, /* NAME: its end */
    SQL_DIRECTIVE_BATCH,    /* of a statement: it runs in batches (SqlBatch) */
    SQL_DIRECTIVE_PROVE,    /* of a query: it must give no row, or true */
    SQL_DIRECTIVE_REPLACES, /* NAME CHECKSUM: a migration that it stands for (history/); several lines */
    SQL_DIRECTIVE_REPEATABLE, /* REASON: the script may be run again, whatever it looks like */
    SQL_DIRECTIVE_IGNORE, /* RULE REASON: a finding of lint/ that is no news; any number of them */
    SQL_DIRECTIVE_COUNT
} SqlDirectiveId;

typedef struct SqlDirective {
    SqlDirectiveId id;
    Str value;      /* as it is written */
    int64_t ms;     /* of a DURATION */
    FindingId rule; /* of IGNORE */
    int line, column;
    size_t
        statement; /* that it stands in front of, where it is about one; of IGNORE 0 = the whole file */
} SqlDirective;
typedef VEC(SqlDirective) SqlDirectiveVec;

/* Find those of a script that was split. Comments in the marks of a block, in quotes and in the bodies of
 * functions are none.
 * errors: ERR_MIGRATION_FILE with place: unknown (with the nearest one that is known), said twice, not at
 * the head or not in front of a statement, a value that it cannot have
 * cost: one more pass, of files that have the word "aramid" in them */
MUST_CHECK bool sql_directives(Arena *a, const char *path, const SqlScript *script,
                               SqlDirectiveVec *ret, Err *err);
const SqlDirective *sql_directive(const SqlDirectiveVec *list, SqlDirectiveId id); /* or NULL */
/* The one in front of a statement, or NULL. */
const SqlDirective *sql_directive_at(const SqlDirectiveVec *list, SqlDirectiveId id,
                                     size_t statement);

/* A statement that runs in batches by a key of one table: what is asked for, and where in its text the
 * condition goes that bounds a batch. */
typedef struct SqlBatch {
    SqlName table;           /* whose key it is */
    const char *alias;       /* what the statement calls it */
    VEC(const char *) keys;  /* columns; none = those of the primary key */
    int64_t size, ms;        /* rows of the first batch, time of each; 0 = not said */
    size_t where, where_end; /* of the statement's text: its condition; the same = it has none */
    VEC(const char *) sets;  /* columns that an UPDATE changes */
    int line, column;        /* of the directive */
} SqlBatch;

/* Read it: UPDATE and DELETE of a table, INSERT ... SELECT from one. By its words, not by a parser.
 * errors: ERR_MIGRATION_FILE with the place of the directive or of the statement: an option that is none,
 * another table than the statement's, a statement that means something else when it is run in parts
 * (LIMIT, GROUP BY, DISTINCT, UNION, an outer join that fills the table up, changes in WITH, a key that
 * it changes itself) */
MUST_CHECK bool sql_batch(Arena *a, const char *path, const SqlScript *script,
                          const SqlDirective *d, SqlBatch *ret, Err *err);

/* Add the statement's text with a condition more. */
void sql_add_batch(Buf *b, Str statement, const SqlBatch *batch, Str condition);

/* Fill kind, tx, locks, objects, ... of every statement. Never fails: what libpg_query (absent,
 * or too old for the syntax) cannot parse is opaque and described by its leading words. */
void sql_classify(Arena *a, SqlScript *script);

/* The same at a tenth of the cost, when nobody will ask what the statements lock and make: kind, tx,
 * tag and names are as above, opaque tells the same, locks and objects are what the words tell. */
void sql_classify_brief(Arena *a, SqlScript *script);

/* What a classified script does, as one line of a comment: "-- +2 tables, -1 column (data), locks: users ACCESS
 * EXCLUSIVE". Made of its statements alone: the same script gives the same line. */
const char *sql_summary(Arena *a, const SqlScript *script);
/* Whether the first line of a text is one, and the line without its end. */
bool sql_summary_find(Str text, Str *ret);

/* Whether a script may be run again and again. */
typedef enum SqlRerun {
    SQL_RERUN_YES, /* each statement ends the same whatever was there: CREATE OR REPLACE; CREATE behind
                        DROP ... IF EXISTS of code; GRANT, COMMENT, states that ALTER sets */
    SQL_RERUN_NO,    /* *ret_stmt is the first that does not, or may lose rows */
    SQL_RERUN_QUERY, /* it makes nothing: one SELECT, or statements about rows with parameters ($1) */
} SqlRerun;

/* Asked of a classified script. */
SqlRerun sql_rerun(Arena *a, const SqlScript *script, size_t *ret_stmt);
/* Whether it has a DROP: what stands on that goes with it, or keeps it. */
bool sql_drops_code(const SqlScript *script);

/* The names that a classified script mentions outside of comments and strings, and in the bodies of functions in
 * SQL; and whether an object's is among them. */
void sql_mentions(Arena *a, const SqlScript *script, Map *ret);
bool sql_is_mentioned(Arena *a, const Map *mentions, SqlName name);

/* The first plain string ('...', N'...') with a backslash from `from` on: its place. Where
 * standard_conforming_strings is off such a string means something else. */
bool sql_find_backslash(Str text, size_t from, size_t *ret_off);

/* The first statement of a text that goes on later: where it begins (behind comments), its length
 * without the semicolon, and what lies behind it. false: it does not end in the text; with `is_last`
 * the end of the text ends it, and false means that there is none (only comments), or that a quote
 * never closes (ret_len is then not 0). COPY and lines of psql's must not be in it.
 * cost: linear in the statement */
bool sql_next_statement(Str text, bool is_last, size_t *ret_off, size_t *ret_len, size_t *ret_end);

/* What a restore must know of a statement of a dump; told by its words. */
typedef enum SqlDumpKind {
    SQL_DUMP_OTHER,
    SQL_DUMP_SETTING,     /* SET name, SELECT set_config('name', ...) */
    SQL_DUMP_TRANSACTION, /* BEGIN, COMMIT, END, START TRANSACTION */
    SQL_DUMP_ROLLBACK,
    SQL_DUMP_OWNER,      /* ALTER ... OWNER TO, SET SESSION AUTHORIZATION */
    SQL_DUMP_PRIVILEGES, /* GRANT, REVOKE, ALTER DEFAULT PRIVILEGES */
    SQL_DUMP_POLICY,
    SQL_DUMP_EXTENSION, /* CREATE EXTENSION name */
    SQL_DUMP_EXTENSION_COMMENT,
    SQL_DUMP_SCHEMA,      /* CREATE SCHEMA name [AUTHORIZATION role] */
    SQL_DUMP_DATABASE,    /* CREATE, ALTER, DROP DATABASE */
    SQL_DUMP_ROLE,        /* CREATE ROLE */
    SQL_DUMP_FOREIGN_KEY, /* ALTER TABLE table ADD ... REFERENCES other */
    SQL_DUMP_ATTACH,      /* ALTER TABLE other ATTACH PARTITION table */
    SQL_DUMP_REFRESH,     /* REFRESH MATERIALIZED VIEW; name: without its schema */
} SqlDumpKind;

typedef struct SqlDumpStmt {
    SqlDumpKind kind;
    const char *name;          /* of the setting, extension, schema; "" = none */
    const char *table, *other; /* as sql_dump_name has them; NULL = of another kind */
    VEC(const char *) roles;   /* that it names and that must exist; not PUBLIC */
} SqlDumpStmt;

/* A name in the one way of writing it, quoted: "schema"."name", or "name". "" where there is none. */
const char *sql_dump_name(Arena *a, Str text);

/* text: one statement, beginning with its first word. */
SqlDumpStmt sql_dump_statement(Arena *a, Str text);

/* Quoting, also used for our own statements. The literal is safe under either setting of
 * standard_conforming_strings: text with a backslash becomes E'...'. */
void sql_add_ident(Buf *b, const char *name);
void sql_add_name(Buf *b, const char *schema, const char *name); /* "schema"."name" */
void sql_add_literal(Buf *b, Str text);
void sql_add_text(Buf *b, const char *text); /* a literal, or NULL for NULL */
