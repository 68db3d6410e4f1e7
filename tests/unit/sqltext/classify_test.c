#include "base/mem_int.h"
#include "sqltext/sqltext_int.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

static SqlScript
classify(Arena *a, const char *sql)
{
    SqlScript s;
    Err err;
    if (!sql_split(a, "m.sql", str_of(sql), &s, &err))
        fail_msg("%s: %s", sql, err.primary);
    sql_classify(a, &s);
    return s;
}

static void
add_sql_name(Buf *b, const SqlName *name)
{
    if (*name->schema)
        buf_fmt(b, "%s.", name->schema);
    buf_addz(b, name->name);
}

/* "AX t, SRE s.p, AS v!": the mode's short name and the relation; "!" = not surely a table. */
static const char *
locks_text(Arena *a, const SqlStmt *stmt)
{
    static const char *const modes[] = {"none", "AS", "RS", "RX", "SUE", "S", "SRE", "X", "AX"};
    Buf b;
    buf_init(&b, a);
    vec_each (const SqlLock, l, &stmt->locks) {
        buf_fmt(&b, "%s%s ", b.n ? ", " : "", modes[l->mode]);
        add_sql_name(&b, &l->rel);
        if (!l->kind_table)
            buf_addc(&b, '!');
    }
    return b.p;
}

/* "+table s.t, -column t/c, ~type a": creates, drops, renames away; "?" = IF [NOT] EXISTS. */
static const char *
objects_text(Arena *a, const SqlStmt *stmt)
{
    static const char *const kinds[] = {"table",     "column",  "index",    "constraint", "view",
                                        "type",      "value",   "sequence", "function",   "schema",
                                        "extension", "trigger", "policy",   "other"};
    Buf b;
    buf_init(&b, a);
    vec_each (const SqlObject, o, &stmt->objects) {
        buf_fmt(&b, "%s%c%s ", b.n ? ", " : "", "+-~"[o->effect], kinds[o->kind]);
        add_sql_name(&b, &o->name);
        if (*o->sub)
            buf_fmt(&b, "/%s", o->sub);
        if (o->if_exists)
            buf_addc(&b, '?');
    }
    return b.p;
}

typedef struct Case {
    const char *sql, *want;
} Case;

typedef const char *(*TextFn)(Arena *a, const SqlStmt *stmt);

/* The last statement of each case is looked at. */
static void
check_cases(TextFn text, const Case *cases, size_t n, bool opaque)
{
    for (size_t i = 0; i < n; i++) {
        ARENA_LOCAL(a);
        SqlScript s = classify(a, cases[i].sql);
        assert_true(s.stmts.n > 0);
        const SqlStmt *last = sql_stmt(&s, s.stmts.n - 1, &(SqlStmt){0});
        const char *got = text(a, last);
        if (strcmp(got, cases[i].want) != 0 || last->opaque != opaque)
            fail_msg("%s\n  got:  %s (%s)\n  want: %s", cases[i].sql, got,
                     last->opaque ? "opaque" : "parsed", cases[i].want);
    }
}

#define CHECK(text, cases, opaque) check_cases(text, cases, sizeof(cases) / sizeof *(cases), opaque)

static const char *
tx_text(Arena *a, const SqlStmt *stmt)
{
    static const char *const modes[] = {"any",      "never",   "begin", "commit",
                                        "rollback", "prepare", "hidden"};
    return str_fmt(a, "%s%s%s%s%s", modes[stmt->tx], stmt->is_chain ? " chain" : "",
                   stmt->is_concurrent ? " concurrent" : "", *stmt->isolation ? ": " : "",
                   stmt->isolation);
}

static void
transaction_modes(void **state)
{
    (void)state;
    static const Case cases[] = {
        {"CREATE INDEX i ON t (a)", "any"},
        {"CREATE INDEX CONCURRENTLY i ON t (a)", "never concurrent"},
        {"/* c */ create -- x\n unique index concurrently on t (a)", "never concurrent"},
        {"CREATE INDEX \"concurrently\" ON t (a)", "any"},
        {"DROP INDEX i", "any"},
        {"DROP INDEX CONCURRENTLY i", "never concurrent"},
        {"REINDEX TABLE t", "any"},
        {"REINDEX INDEX CONCURRENTLY i", "never concurrent"},
        {"REINDEX (VERBOSE, CONCURRENTLY) TABLE t", "never concurrent"},
        {"REINDEX (CONCURRENTLY on) TABLE t", "never concurrent"},
        {"REINDEX (CONCURRENTLY off) TABLE t", "any"},
        {"REINDEX SCHEMA s", "never"},
        {"REINDEX DATABASE d", "never"},
        {"REINDEX SYSTEM d", "never"},
        {"ALTER TABLE p DETACH PARTITION c", "any"},
        {"ALTER TABLE p DETACH PARTITION c CONCURRENTLY", "never concurrent"},
        {"ALTER TABLE p DETACH PARTITION c FINALIZE", "any"},
        {"VACUUM", "never"},
        {"VACUUM (FULL) t", "never"},
        {"ANALYZE t", "any"},
        {"ALTER SYSTEM SET work_mem = '1MB'", "never"},
        {"CREATE DATABASE d", "never"},
        {"DROP DATABASE IF EXISTS d", "never"},
        {"ALTER DATABASE d SET TABLESPACE t", "never"},
        {"ALTER DATABASE d SET work_mem = '1MB'", "any"},
        {"CREATE TABLESPACE t LOCATION '/t'", "never"},
        {"DROP TABLESPACE t", "never"},
        {"CLUSTER", "never"},
        {"CLUSTER VERBOSE", "never"},
        {"CLUSTER t USING i", "any"},
        {"CREATE SUBSCRIPTION s CONNECTION 'x' PUBLICATION p", "never"},
        {"CREATE SUBSCRIPTION s CONNECTION 'x' PUBLICATION p WITH (connect = false)", "any"},
        {"CREATE SUBSCRIPTION s CONNECTION 'x' PUBLICATION p WITH (create_slot=false)", "any"},
        {"DROP SUBSCRIPTION s", "never"},
        {"ALTER SUBSCRIPTION s REFRESH PUBLICATION", "never"},
        {"ALTER SUBSCRIPTION s SET PUBLICATION p", "never"},
        {"ALTER SUBSCRIPTION s SET PUBLICATION p WITH (refresh = false)", "any"},
        {"ALTER SUBSCRIPTION s DISABLE", "any"},
        {"DISCARD ALL", "never"},
        {"DISCARD PLANS", "any"},
        {"REFRESH MATERIALIZED VIEW CONCURRENTLY v", "any concurrent"},
        {"ALTER TYPE t ADD VALUE 'x'", "any"},
        {"CALL p()", "hidden"},
        {"DO 'x'", "hidden"},
        {"BEGIN", "begin"},
        {"BEGIN WORK", "begin"},
        {"begin transaction isolation /* x */ level\n serializable , read only",
         "begin: isolation level serializable, read only"},
        {"START TRANSACTION READ WRITE", "begin: READ WRITE"},
        {"COMMIT", "commit"},
        {"END TRANSACTION", "commit"},
        {"COMMIT AND CHAIN", "commit chain"},
        {"COMMIT WORK AND NO CHAIN", "commit"},
        {"ROLLBACK", "rollback"},
        {"ABORT AND CHAIN", "rollback chain"},
        {"ROLLBACK TO x", "any"},
        {"ROLLBACK TRANSACTION TO SAVEPOINT x", "any"},
        {"SAVEPOINT x", "any"},
        {"RELEASE SAVEPOINT x", "any"},
        {"PREPARE TRANSACTION 'x'", "prepare"},
        {"COMMIT PREPARED 'x'", "prepare"},
        {"ROLLBACK PREPARED 'x'", "prepare"},
        {"PREPARE q AS SELECT 1", "any"},
    };
    CHECK(tx_text, cases, false);
    static const Case newer[] = {
        {"REINDEX DATABASE", "never"},
        {"REPACK", "never"},
        {"REPACK t", "any"},
        {"REPACK (CONCURRENTLY) t", "never"},
        {"CREATE UNIQUE INDEX CONCURRENTLY i ON t (a) FROBNICATE", "never concurrent"},
    };
    CHECK(tx_text, newer, true);
}

static void
locks(void **state)
{
    (void)state;
    static const Case cases[] = {
        {"CREATE TABLE t (id int)", ""},
        {"CREATE TABLE c (p int REFERENCES s.p (id))", "SRE s.p"},
        {"CREATE TABLE c (p int, FOREIGN KEY (p) REFERENCES p)", "SRE p"},
        {"CREATE TABLE c (p int REFERENCES c)", ""},
        {"CREATE TABLE c (LIKE t)", "AS t!"},
        {"CREATE TABLE c () INHERITS (t)", "SUE t"},
        {"CREATE TABLE c PARTITION OF t DEFAULT", "AX t"},
        {"CREATE TABLE c AS SELECT * FROM t", "AS t!"},
        {"DROP TABLE IF EXISTS s.a, \"B\" CASCADE", "AX s.a, AX B"},
        {"DROP VIEW v", "AX v!"},
        {"DROP SEQUENCE q", "AX q!"},
        {"DROP INDEX i", "AX i!"},
        {"DROP INDEX CONCURRENTLY i", "SUE i!"},
        {"DROP TRIGGER x ON s.t", "AX s.t"},
        {"DROP POLICY x ON t", "AX t"},
        {"DROP RULE x ON t", "AX t"},
        {"DROP TYPE x", ""},
        {"TRUNCATE a, ONLY b CASCADE", "AX a, AX b"},
        {"CREATE INDEX ON t (a)", "S t"},
        {"CREATE UNIQUE INDEX CONCURRENTLY i ON ONLY s.t (a)", "SUE s.t"},
        {"ALTER TABLE t ADD COLUMN a int", "AX t"},
        {"ALTER TABLE t ADD COLUMN a int REFERENCES p", "AX t, SRE p"},
        {"ALTER TABLE ONLY t ADD FOREIGN KEY (a) REFERENCES p NOT VALID", "SRE t, SRE p"},
        {"ALTER TABLE t ADD FOREIGN KEY (a) REFERENCES t", "SRE t"},
        {"ALTER TABLE t ADD CHECK (a > 0) NOT VALID", "AX t"},
        {"ALTER TABLE t VALIDATE CONSTRAINT c", "SUE t"},
        {"ALTER TABLE t ALTER a SET STATISTICS 9, VALIDATE CONSTRAINT c", "SUE t"},
        {"ALTER TABLE t VALIDATE CONSTRAINT c, ALTER a SET NOT NULL", "AX t"},
        {"ALTER TABLE t ALTER a SET STORAGE PLAIN", "AX t"},
        {"ALTER TABLE t SET (fillfactor = 70)", "SUE t"},
        {"ALTER TABLE t RESET (user_catalog_table)", "AX t"},
        {"ALTER TABLE t CLUSTER ON i", "SUE t"},
        {"ALTER TABLE t DISABLE TRIGGER ALL", "SRE t"},
        {"ALTER TABLE t ENABLE ROW LEVEL SECURITY", "AX t"},
        {"ALTER TABLE t INHERIT p", "AX t, SUE p"},
        {"ALTER TABLE t OWNER TO x", "AX t"},
        {"ALTER TABLE t SET SCHEMA s", "AX t"},
        {"ALTER TABLE p ATTACH PARTITION c DEFAULT", "SUE p, AX c"},
        {"ALTER TABLE p DETACH PARTITION c", "AX p, AX c"},
        {"ALTER TABLE p DETACH PARTITION c CONCURRENTLY", "SUE p, AX c"},
        {"ALTER TABLE t RENAME TO u", "AX t"},
        {"ALTER TABLE t RENAME a TO b", "AX t"},
        {"ALTER TABLE t RENAME CONSTRAINT a TO b", "AX t"},
        {"ALTER TRIGGER x ON t RENAME TO y", "AX t"},
        {"ALTER INDEX i RENAME TO j", "SUE i!"},
        {"ALTER INDEX i SET (fillfactor = 70)", "SUE i!"},
        {"ALTER VIEW v RENAME TO w", "AX v!"},
        {"ALTER VIEW v SET (security_barrier)", "AX v!"},
        {"ALTER SEQUENCE q RESTART", "SRE q!"},
        {"ALTER TYPE c ADD ATTRIBUTE a int", ""},
        {"CREATE TRIGGER x AFTER INSERT ON t EXECUTE FUNCTION f()", "SRE t"},
        {"CREATE POLICY x ON t", "AX t"},
        {"ALTER POLICY x ON t USING (true)", "AX t"},
        {"CREATE RULE x AS ON INSERT TO t DO NOTHING", "AX t"},
        {"CREATE VIEW v AS SELECT 1 FROM a JOIN b ON true", "AS a!, AS b!"},
        {"CREATE OR REPLACE VIEW v AS SELECT 1", "AX v!"},
        {"CREATE MATERIALIZED VIEW v AS SELECT 1 FROM a", "AS a!"},
        {"REFRESH MATERIALIZED VIEW v", "AX v!"},
        {"REFRESH MATERIALIZED VIEW CONCURRENTLY v", "X v!"},
        {"COMMENT ON TABLE s.t IS 'x'", "SUE s.t"},
        {"COMMENT ON COLUMN s.t.c IS 'x'", "SUE s.t"},
        {"COMMENT ON INDEX i IS 'x'", "SUE i!"},
        {"COMMENT ON SCHEMA s IS 'x'", ""},
        {"CREATE STATISTICS x ON a, b FROM t", "SUE t"},
        {"CREATE PUBLICATION x FOR TABLE a, s.b", "SUE a, SUE s.b"},
        {"REINDEX TABLE t", "S t"},
        {"REINDEX INDEX i", "AX i!"},
        {"REINDEX TABLE CONCURRENTLY t", "SUE t"},
        {"CLUSTER t USING i", "AX t"},
        {"VACUUM t", "SUE t"},
        {"VACUUM FULL t", "AX t"},
        {"ANALYZE t (a)", "SUE t"},
        {"LOCK a, s.b IN SHARE UPDATE EXCLUSIVE MODE", "SUE a, SUE s.b"},
        {"LOCK TABLE ONLY a", "AX a"},
        {"GRANT SELECT ON t TO x", ""},
        {"INSERT INTO t SELECT * FROM s.a", "RX t, AS s.a!"},
        {"UPDATE t SET a = 1 FROM u WHERE t.b = u.b", "RX t, AS u!"},
        {"DELETE FROM t USING u", "RX t, AS u!"},
        {"MERGE INTO t USING u ON true WHEN MATCHED THEN DELETE", "RX t, AS u!"},
        {"COPY t FROM '/x'", "RX t"},
        {"COPY t TO '/x'", "AS t!"},
        {"SELECT 1 FROM a, (SELECT 2 FROM b) x UNION SELECT 3 FROM c", "AS a!, AS b!, AS c!"},
        {"SELECT 1 FROM a x, b FOR UPDATE OF x", "RS a!, AS b!"},
        {"SELECT 1 FROM a, b FOR SHARE", "RS a!, RS b!"},
        {"WITH d AS (DELETE FROM a RETURNING *) INSERT INTO b SELECT * FROM d", "RX b, RX a"},
        {"EXPLAIN ANALYZE UPDATE t SET a = 1", "RX t"},
        {"EXPLAIN UPDATE t SET a = 1", ""},
        /* What the script made itself is not listed. */
        {"CREATE TABLE t (); CREATE INDEX ON t (a)", ""},
        {"CREATE TABLE t (); ALTER TABLE public.t ADD FOREIGN KEY (a) REFERENCES p", "SRE p"},
        {"CREATE TABLE a.t (); ALTER TABLE b.t ADD c int", "AX b.t"},
        {"CREATE TABLE IF NOT EXISTS t (); ALTER TABLE t ADD c int", "AX t"},
        {"ALTER TABLE a RENAME TO b; ALTER TABLE b ADD c int", ""},
        {"CREATE VIEW v AS SELECT 1; SELECT * FROM v", ""},
        {"ALTER TABLE t ADD CONSTRAINT c CHECK (true); DROP TABLE c", "AX c"},
    };
    CHECK(locks_text, cases, false);
    static const Case newer[] = {
        {"ALTER TABLE x ADD CONSTRAINT c FOREIGN KEY (a) REFERENCES p NOT ENFORCED", "AX x, SRE p"},
        {"ALTER TABLE IF EXISTS ONLY s.x ADD CONSTRAINT c NOT NULL a NOT VALID", "AX s.x"},
        {"ALTER TABLE m SPLIT PARTITION a INTO (PARTITION b DEFAULT)", "AX m"},
        {"CREATE TABLE v (g int GENERATED ALWAYS AS (1) VIRTUAL, r int REFERENCES p)", "SRE p"},
        {"CREATE INDEX CONCURRENTLY IF NOT EXISTS i ON ONLY S.Tab (a) FROBNICATE", "SUE s.tab"},
        {"DROP TABLE IF EXISTS a, s.b FROBNICATE", "AX a, AX s.b"},
        {"TRUNCATE a, ONLY b FROBNICATE", "AX a, AX b"},
        {"DROP POLICY x ON t FROBNICATE", "AX t"},
        {"CREATE TRIGGER x BEFORE INSERT ON t FROBNICATE", "SRE t"},
        {"ALTER POLICY x ON t FROBNICATE", "AX t"},
        {"ALTER VIEW v FROBNICATE", "AX v!"},
        {"INSERT INTO t VALUES (1_000)", "RX t"},
        {"UPDATE ONLY t SET a = 1_000", "RX t"},
        {"DELETE FROM t WHERE a = 0xff", "RX t"},
        {"MERGE INTO t USING u ON true WHEN NOT MATCHED BY SOURCE THEN DELETE", "RX t"},
        {"REPACK t", "AX t"},
        {"CREATE TABLE t (); ALTER TABLE t ADD CONSTRAINT c NOT NULL a", ""},
    };
    CHECK(locks_text, newer, true);
}

static void
objects(void **state)
{
    (void)state;
    static const Case cases[] = {
        {"CREATE TABLE IF NOT EXISTS s.t ()", "+table s.t?"},
        {"CREATE TEMP TABLE t AS SELECT 1", "+table t"},
        {"SELECT 1 INTO t", "+table t"},
        {"CREATE UNIQUE INDEX \"I\" ON s.t (a)", "+index s.I/t"},
        {"CREATE INDEX ON t (a)", ""},
        {"ALTER TABLE s.t ADD COLUMN IF NOT EXISTS a int, DROP b, ADD CONSTRAINT c UNIQUE (a), "
         "DROP CONSTRAINT IF EXISTS d, ADD CHECK (true)",
         "+column s.t/a?, -column s.t/b, +constraint s.t/c, -constraint s.t/d?"},
        {"ALTER TABLE t RENAME a TO b", "~column t/a, +column t/b"},
        {"ALTER TABLE s.t RENAME TO u", "~table s.t, +table s.u"},
        {"ALTER TABLE t RENAME CONSTRAINT a TO b", "~constraint t/a, +constraint t/b"},
        {"ALTER TABLE t SET SCHEMA s", "~table t, +table s.t"},
        {"ALTER INDEX s.i RENAME TO j", "~index s.i, +index s.j"},
        {"ALTER TYPE s.a RENAME TO b", "~type s.a, +type s.b"},
        {"ALTER TYPE s.a RENAME VALUE 'x' TO 'y'", "~value s.a/x, +value s.a/y"},
        {"ALTER TYPE a ADD VALUE IF NOT EXISTS 'it''s' BEFORE 'x'", "+value a/it's?"},
        {"ALTER SCHEMA a RENAME TO b", "~schema a, +schema b"},
        {"ALTER FUNCTION s.f(int) RENAME TO g", "~function s.f, +function s.g"},
        {"ALTER POLICY a ON t RENAME TO b", "~policy t/a, +policy t/b"},
        {"CREATE TYPE s.e AS ENUM ('a')", "+type s.e"},
        {"CREATE TYPE e AS (a int)", "+type e"},
        {"CREATE DOMAIN d AS int", "+type d"},
        {"CREATE SEQUENCE IF NOT EXISTS q", "+sequence q?"},
        {"CREATE OR REPLACE FUNCTION s.f() RETURNS int LANGUAGE sql AS ''", "+function s.f"},
        {"CREATE SCHEMA s", "+schema s"},
        {"CREATE EXTENSION IF NOT EXISTS \"uuid-ossp\"", "+extension uuid-ossp?"},
        {"CREATE TRIGGER x AFTER INSERT ON s.t EXECUTE FUNCTION f()", "+trigger s.t/x"},
        {"CREATE POLICY x ON s.t", "+policy s.t/x"},
        {"CREATE MATERIALIZED VIEW s.v AS SELECT 1", "+view s.v"},
        {"DROP TABLE IF EXISTS a, s.b", "-table a?, -table s.b?"},
        {"DROP INDEX s.i", "-index s.i"},
        {"DROP TYPE a, s.b", "-type a, -type s.b"},
        {"DROP FUNCTION s.f(int, text)", "-function s.f"},
        {"DROP TRIGGER IF EXISTS x ON t", "-trigger t/x?"},
        {"DROP POLICY x ON s.t", "-policy s.t/x"},
        {"DROP SCHEMA s CASCADE", "-schema s"},
        {"DROP EXTENSION e", "-extension e"},
    };
    CHECK(objects_text, cases, false);
    static const Case newer[] = {
        {"ALTER TABLE x ADD CONSTRAINT nn NOT NULL c NOT VALID, ADD IF NOT EXISTS g int, "
         "DROP COLUMN IF EXISTS z, ADD NOT NULL q, ALTER d SET DEFAULT f(1, 2)",
         "+constraint x/nn, +column x/g?, -column x/z?"},
        {"CREATE TABLE IF NOT EXISTS s.t (g int AS (1) VIRTUAL)", "+table s.t?"},
        {"CREATE UNIQUE INDEX i ON s.t (a) FROBNICATE", "+index s.i/t"},
        {"DROP TRIGGER x ON s.t FROBNICATE", "-trigger s.t/x"},
        {"ALTER TABLE IF EXISTS s.t RENAME TO u FROBNICATE", "~table s.t?, +table s.u?"},
        {"ALTER TABLE t RENAME COLUMN a TO b FROBNICATE", "~column t/a, +column t/b"},
        {"ALTER TABLE t RENAME CONSTRAINT a TO b FROBNICATE", "~constraint t/a, +constraint t/b"},
        {"ALTER FUNCTION s.f(int) RENAME TO g FROBNICATE", "~function s.f, +function s.g"},
        {"ALTER TYPE t RENAME VALUE 'a' TO 'b' FROBNICATE", ""},
        {"CREATE OR REPLACE VIEW v FROBNICATE", "+view v"},
    };
    CHECK(objects_text, newer, true);
}

/* kind, tag and flags */
static const char *
facts_text(Arena *a, const SqlStmt *stmt)
{
    static const char *const kinds[SQL_KIND_COUNT] = {
        [SQL_OTHER] = "other",
        [SQL_CREATE_INDEX] = "create-index",
        [SQL_DROP_INDEX] = "drop-index",
        [SQL_REINDEX] = "reindex",
        [SQL_DETACH_PARTITION] = "detach",
        [SQL_ALTER_TYPE_ADD_VALUE] = "add-value",
        [SQL_ALTER_TABLE] = "alter-table",
        [SQL_CREATE_TABLE] = "create-table",
        [SQL_DROP] = "drop",
        [SQL_RENAME] = "rename",
        [SQL_TRUNCATE] = "truncate",
        [SQL_INSERT] = "insert",
        [SQL_UPDATE] = "update",
        [SQL_DELETE] = "delete",
        [SQL_MERGE] = "merge",
        [SQL_SELECT] = "select",
        [SQL_COPY] = "copy",
        [SQL_CALL] = "call",
        [SQL_DO] = "do",
        [SQL_VACUUM] = "vacuum",
        [SQL_SET] = "set",
        [SQL_LOCK] = "lock",
        [SQL_TRANSACTION] = "transaction",
    };
    return str_fmt(a, "%s [%s]%s%s%s%s", kinds[stmt->kind], stmt->tag, stmt->is_dml ? " dml" : "",
                   stmt->if_exists ? " if-exists" : "", stmt->changes_session ? " session" : "",
                   stmt->is_unique ? " unique" : "");
}

static void
kinds(void **state)
{
    (void)state;
    static const Case cases[] = {
        {"CREATE UNIQUE INDEX IF NOT EXISTS i ON t (a)",
         "create-index [CREATE UNIQUE INDEX] if-exists unique"},
        {"DROP INDEX CONCURRENTLY IF EXISTS i", "drop-index [DROP INDEX CONCURRENTLY] if-exists"},
        {"REINDEX (CONCURRENTLY) INDEX i", "reindex [REINDEX INDEX CONCURRENTLY]"},
        {"ALTER TABLE p DETACH PARTITION c CONCURRENTLY",
         "detach [ALTER TABLE DETACH PARTITION CONCURRENTLY]"},
        {"ALTER TYPE t ADD VALUE IF NOT EXISTS 'x'", "add-value [ALTER TYPE ADD VALUE] if-exists"},
        {"ALTER TABLE IF EXISTS t ADD a int", "alter-table [ALTER TABLE] if-exists"},
        {"CREATE UNLOGGED TABLE t ()", "create-table [CREATE TABLE]"},
        {"CREATE TABLE t AS SELECT 1", "create-table [CREATE TABLE]"},
        {"DROP MATERIALIZED VIEW v", "drop [DROP MATERIALIZED VIEW]"},
        {"ALTER TABLE t RENAME a TO b", "rename [ALTER TABLE]"},
        {"ALTER TYPE t RENAME VALUE 'a' TO 'b'", "rename [ALTER TYPE]"},
        {"ALTER FUNCTION f(a int) RENAME TO g", "rename [ALTER FUNCTION]"},
        {"TRUNCATE t", "truncate [TRUNCATE TABLE]"},
        {"INSERT INTO t VALUES (1)", "insert [INSERT] dml"},
        {"WITH RECURSIVE x AS (SELECT 1) SEARCH DEPTH FIRST BY a SET b UPDATE t SET a = 1",
         "update [UPDATE] dml"},
        {"WITH x (a) AS NOT MATERIALIZED (DELETE FROM t RETURNING *) TABLE x",
         "select [SELECT] dml"},
        {"WITH x AS (INSERT INTO t VALUES (1) RETURNING *) SELECT 1", "select [SELECT] dml"},
        {"MERGE INTO t USING u ON true WHEN MATCHED THEN DELETE", "merge [MERGE] dml"},
        {"(SELECT 1)", "select [SELECT]"},
        {"VALUES (1)", "select [SELECT]"},
        {"SELECT 'DELETE FROM x', SET_CONFIG('a', 'b', false)", "select [SELECT] session"},
        {"DO $$ begin perform pg_advisory_unlock_all(); end $$", "do [DO] session"},
        {"COPY t FROM '/x'", "copy [COPY FROM] dml"},
        {"COPY (SELECT 1 FROM t) TO '/x'", "copy [COPY TO]"},
        {"CALL p()", "call [CALL]"},
        {"VACUUM t", "vacuum [VACUUM]"},
        {"LOCK t", "lock [LOCK TABLE]"},
        {"ROLLBACK TO x", "transaction [ROLLBACK]"},
        {"SET x = 1", "set [SET] session"},
        {"SET LOCAL x = 1", "set [SET]"},
        {"SET CONSTRAINTS ALL DEFERRED", "set [SET]"},
        {"SET TRANSACTION READ ONLY", "set [SET]"},
        {"SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY", "set [SET] session"},
        {"SET ROLE x", "set [SET] session"},
        {"SET SESSION AUTHORIZATION x", "set [SET] session"},
        {"RESET ALL", "set [RESET] session"},
        {"DISCARD TEMP", "set [DISCARD] session"},
        {"CREATE CONSTRAINT TRIGGER x AFTER INSERT ON t FOR EACH ROW EXECUTE FUNCTION f()",
         "other [CREATE CONSTRAINT TRIGGER]"},
        {"CREATE OR REPLACE VIEW v AS SELECT 1", "other [CREATE VIEW]"},
        {"CREATE TEXT SEARCH CONFIGURATION c (PARSER = p)",
         "other [CREATE TEXT SEARCH CONFIGURATION]"},
        {"EXPLAIN ANALYZE DELETE FROM t", "other [EXPLAIN] dml"},
        {"grant select on t to x", "other [GRANT]"},
    };
    CHECK(facts_text, cases, false);
    static const Case newer[] = {
        {"WITH x AS (DELETE FROM t RETURNING 1_000) SELECT 1", "select [SELECT] dml"},
        {"CREATE UNIQUE INDEX IF NOT EXISTS i ON t (a) FROBNICATE",
         "create-index [CREATE UNIQUE INDEX] if-exists unique"},
        {"Frobnicate x", "other [FROBNICATE]"},
        {"\"quoted\" x", "other [SQL]"},
        {"'x'", "other [SQL]"},
    };
    CHECK(facts_text, newer, true);
}

static const char *
names_text(Arena *a, const SqlStmt *stmt)
{
    return str_fmt(a, "%s.%s %s.%s %s.%s", stmt->index.schema, stmt->index.name, stmt->table.schema,
                   stmt->table.name, stmt->parent.schema, stmt->parent.name);
}

static void
names(void **state)
{
    (void)state;
    static const Case cases[] = {
        {"CREATE INDEX Foo ON db.S.\"T\"\"x\" (a)", "s.foo s.T\"x ."},
        {"CREATE INDEX ON t (a)", ". .t ."},
        {"CREATE INDEX U&\"d\\0061t\" ON t (a)", ".dat .t ."},
        {"CREATE INDEX IF NOT EXISTS i ON ONLY t (a)", ".i .t ."},
        {"DROP INDEX IF EXISTS s.i", "s.i . ."},
        {"REINDEX (VERBOSE) INDEX s.i", "s.i . ."},
        {"REINDEX TABLE CONCURRENTLY s.t", ". s.t ."},
        {"ALTER TABLE ONLY s.p DETACH PARTITION c.c FINALIZE", ". c.c s.p"},
        {"ALTER TABLE IF EXISTS ONLY t ADD a int", ". .t ."},
        {"CREATE TABLE IF NOT EXISTS s.t ()", ". s.t ."},
        {"ALTER TABLE ALL IN TABLESPACE a SET TABLESPACE b", ". . ."},
    };
    CHECK(names_text, cases, false);
}

/* The reader of words and the parser fold, unquote and cut names in the same way. */
static void
names_agree_with_parser(void **state)
{
    (void)state;
    static const char *const tables[] = {
        "Abc",
        "\"Abc\"",
        "\"a\"\"b\"",
        "\xc3\x84x",
        "sixty_three_bytes_are_kept_and_the_rest_is_cut_off_by_the_server_x_y_z",
        "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\xc3\xa4\"",
        "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\xc3\xa4\"",
        "a$1",
    };
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        ARENA_LOCAL(a);
        SqlScript s = classify(a, str_fmt(a, "CREATE INDEX ON %s (a)", tables[i]));
        assert_false(s.has_opaque);
        assert_string_equal(s.forms.v[0].table.name, s.forms.v[0].locks.v[0].rel.name);
    }
}

/* One statement of unknown syntax does not hide what the others are. */
static void
mixed_script(void **state)
{
    (void)state;
    ARENA_LOCAL(a);
    Buf b;
    buf_init(&b, a);
    for (int i = 0; i < 300; i++)
        buf_fmt(&b, "ALTER TABLE t%d ADD %s;\n", i,
                i == 7 || i == 200 ? "CONSTRAINT x NOT NULL c" : "c int");
    SqlScript s = classify(a, b.p);
    assert_int_equal(s.stmts.n, 300);
    assert_true(s.has_opaque);
    for (int i = 0; i < 300; i++) {
        const SqlStmt *stmt = sql_stmt(&s, (size_t)i, &(SqlStmt){0});
        assert_int_equal(stmt->opaque, i == 7 || i == 200);
        assert_int_equal(stmt->objects.n, 1);
        assert_string_equal(locks_text(a, stmt), str_fmt(a, "AX t%d", i));
    }
}

/* Trees too deep for the stack are opaque; broad ones are not. */
static void
deep_and_broad(void **state)
{
    (void)state;
    enum { N = 20000 };
    static const struct {
        const char *head, *repeat, *middle, *tail;
        bool opaque;
    } shapes[] = {
        {"SELECT 1", "+1", "", "", true},
        {"SELECT 1", "::int", "", "", true},
        {"SELECT 1", " UNION SELECT 1,2", "", "", true},
        {"SELECT 1 FROM a", " JOIN b ON x AND y", "", "", true},
        {"SELECT 1", " BETWEEN 1 AND 2 IS NULL", "", "", true},
        {"SELECT ", "NOT ", "a", "", true},
        {"SELECT ", "(", "1", ")", true},
        {"SELECT ", "(SELECT 1 AS end, ", "1", ")", true},
        {"SELECT ", "CASE WHEN a.end THEN ", "1", " END", true},
        {"SELECT 1", ",(1+f(2))", "", "", false},
        {"SELECT 1 WHERE a", " AND b = 1", "", "", false},
        {"INSERT INTO t VALUES (1, 'x')", ",(2,'y')", "", "", false},
        {"SELECT CASE", " WHEN a THEN b", " END", "", false},
    };
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        ARENA_LOCAL(a);
        Buf b;
        buf_init(&b, a);
        buf_addz(&b, shapes[i].head);
        for (int k = 0; k < N; k++)
            buf_addz(&b, shapes[i].repeat);
        buf_addz(&b, shapes[i].middle);
        for (int k = 0; k < N; k++)
            buf_addz(&b, shapes[i].tail);
        SqlScript s = classify(a, b.p);
        assert_int_equal(s.stmts.n, 1);
        if (s.forms.v[0].opaque != shapes[i].opaque)
            fail_msg("%s... is %s", shapes[i].repeat, shapes[i].opaque ? "parsed" : "opaque");
    }
}

/* Statements that differ in their values only share a form; a million of them take little room. */
static void
forms_are_shared(void **state)
{
    (void)state;
    enum { N = 100000 };
    ARENA_LOCAL(text);
    ARENA_LOCAL(a);
    Buf b;
    buf_init(&b, text);
    for (int i = 0; i < N; i++)
        buf_fmt(&b, "INSERT INTO %s VALUES (%d);\n", i % 2 ? "t" : "u", i);
    buf_addz(&b,
             "INSERT INTO t SELECT 1 FOR UPDATE;CREATE TABLE t (i int);INSERT INTO t VALUES (1)");
    Err err;
    SqlScript s;
    assert_true(sql_split(a, "m.sql", buf_str(&b), &s, &err));
    sql_classify(a, &s);
    assert_int_equal(s.stmts.n, N + 3);
    assert_true(s.forms.n <= 5); /* the last one's table is new */
    assert_string_equal(locks_text(a, sql_stmt(&s, 1, &(SqlStmt){0})), "RX t");
    assert_string_equal(locks_text(a, sql_stmt(&s, N + 2, &(SqlStmt){0})), "");
    if (arena_bytes(a) > N * 64)
        fail_msg("%zu bytes for %d statements", arena_bytes(a), N);
}

static void
lock_mode_names(void **state)
{
    (void)state;
    assert_string_equal(sql_lock_mode_name(SQL_LOCK_SHARE_UPDATE_EXCLUSIVE),
                        "SHARE UPDATE EXCLUSIVE");
    assert_string_equal(sql_lock_mode_name(SQL_LOCK_NONE), "");
    assert_true(sql_parser_available());
    assert_true(sql_parser_available());
}

static void
summaries(void **state)
{
    (void)state;
    static const struct {
        const char *sql, *line;
    } cases[] = {
        {"", "-- nothing, locks: none"},
        {"CREATE TABLE t (i int); ALTER TABLE t ADD c int; CREATE INDEX i ON t (c); DROP TABLE t",
         "-- +1 table, +1 column, +1 index, -1 table, locks: none"},
        {"DROP TABLE a, s.b; ALTER TABLE c DROP x, DROP y",
         "-- -2 tables (data), -2 columns (data), locks: a ACCESS EXCLUSIVE, s.b ACCESS EXCLUSIVE, "
         "c "
         "ACCESS EXCLUSIVE"},
        {"ALTER TABLE a RENAME x TO y; ALTER TABLE a RENAME TO b",
         "-- 2 renames, locks: a ACCESS EXCLUSIVE"},
        {"ALTER TABLE a ALTER x SET NOT NULL; ALTER TABLE a ALTER x TYPE bigint",
         "-- ~1 table, locks: a ACCESS EXCLUSIVE"},
        {"UPDATE a SET x = 1; TRUNCATE b; DO $$BEGIN END$$",
         "-- empties tables (data), changes rows, runs code, locks: a ROW EXCLUSIVE, b ACCESS "
         "EXCLUSIVE"},
        {"DROP TABLE \"a\nDROP TABLE b;\"",
         "-- -1 table (data), locks: a\\x0aDROP TABLE b; ACCESS EXCLUSIVE"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        ARENA_LOCAL(a);
        SqlScript s = classify(a, cases[i].sql);
        Str line;
        const char *text = str_fmt(a, "%s\r\nSELECT 1", sql_summary(a, &s));
        assert_string_equal(sql_summary(a, &s), cases[i].line);
        assert_true(sql_summary_find(str_of(text), &line) && str_is(line, cases[i].line));
    }
    Str line;
    assert_false(sql_summary_find(STR("-- AlterTable\nALTER TABLE a"), &line));
    assert_false(sql_summary_find(STR("-- takes, locks: many"), &line));
    assert_false(sql_summary_find(STR(""), &line));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(transaction_modes),
        cmocka_unit_test(locks),
        cmocka_unit_test(summaries),
        cmocka_unit_test(objects),
        cmocka_unit_test(kinds),
        cmocka_unit_test(names),
        cmocka_unit_test(names_agree_with_parser),
        cmocka_unit_test(mixed_script),
        cmocka_unit_test(deep_and_broad),
        cmocka_unit_test(forms_are_shared),
        cmocka_unit_test(lock_mode_names),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
