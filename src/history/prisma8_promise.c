/* That a database has what a contract of Prisma 8 says: one statement that raises what differs. Types and
 * defaults are put into words by the server itself, of temporary tables that are made as the contract has
 * them. */
#include "history/prisma8_int.h"
#include "sqltext/sqltext.h"

/* The question is asked with the path pg_catalog, which is set in the same statement: so that operators
 * mean the catalog's, and both texts of a default are made alike. */
/* clang-format off */

/* Names of a constraint's or an index's columns, in its order. */
#define NAMES(numbers, relation) \
    "(SELECT array_agg(a.attname::text ORDER BY k.i) FROM unnest(" numbers ") WITH ORDINALITY k(n, i)" \
    " JOIN pg_catalog.pg_attribute a ON a.attrelid = " relation " AND a.attnum = k.n)"
#define CONSTRAINT(type) \
    "EXISTS (SELECT 1 FROM pg_catalog.pg_constraint c WHERE c.conrelid = w.rel AND c.contype = '" type "'"

static const char question[] =
    "FOR said, is_now, is_said, of_type IN\n"
    "SELECT CASE w.kind WHEN 't' THEN concat('table ', w.t, ' is missing')"
    " WHEN 'e' THEN concat('enum ', w.t, ' has not the values ', array_to_string(w.cols, ', '))"
    " WHEN 'r' THEN concat('row level security of table ', w.t, CASE w.x WHEN 't' THEN ' is off' ELSE ' is on' END)"
    " ELSE concat('table ', w.t, CASE w.kind"
    " WHEN 'p' THEN concat(' has no primary key (', array_to_string(w.cols, ', '), ')')"
    " WHEN 'u' THEN concat(' has no unique constraint (', array_to_string(w.cols, ', '), ')')"
    " WHEN 'f' THEN concat(' has no foreign key (', array_to_string(w.cols, ', '), ') to ', w.o, ' (',"
    " array_to_string(w.ocols, ', '), ') with the actions of the contract')"
    " WHEN 'c' THEN concat(' has no check ', w.n)"
    " WHEN 'i' THEN concat(' has no index ', w.n, ' as the contract has it')"
    " ELSE concat(' has no policy ', w.n) END) END, NULL::text, NULL::text, NULL::text"
    " FROM (SELECT v.*, CASE WHEN v.kind <> 'e' THEN to_regclass(v.t) END AS rel FROM (VALUES ";

static const char wanted[] =
    ") v(kind, t, n, cols, o, ocols, x, y)) w WHERE NOT CASE w.kind"
    " WHEN 't' THEN w.rel IS NOT NULL"
    " WHEN 'e' THEN EXISTS (SELECT 1 FROM pg_catalog.pg_type t WHERE t.oid = to_regtype(w.t) AND w.cols ="
    " (SELECT array_agg(e.enumlabel::text ORDER BY e.enumsortorder) FROM pg_catalog.pg_enum e WHERE"
    " e.enumtypid = t.oid))"
    " ELSE w.rel IS NULL OR CASE w.kind" /* then the table has been told */
    " WHEN 'p' THEN " CONSTRAINT("p") " AND w.cols = " NAMES("c.conkey", "c.conrelid") ")"
    " WHEN 'u' THEN " CONSTRAINT("u") " AND w.cols = " NAMES("c.conkey", "c.conrelid") ")"
    " WHEN 'f' THEN " CONSTRAINT("f") " AND w.cols = " NAMES("c.conkey", "c.conrelid")
    " AND c.confrelid = to_regclass(w.o) AND w.ocols = " NAMES("c.confkey", "c.confrelid")
    " AND w.x IN ('', c.confdeltype::text) AND w.y IN ('', c.confupdtype::text))"
    " WHEN 'c' THEN " CONSTRAINT("c") " AND c.conname = w.n)"
    " WHEN 'i' THEN EXISTS (SELECT 1 FROM pg_catalog.pg_index x JOIN pg_catalog.pg_class c ON"
    " c.oid = x.indexrelid WHERE x.indrelid = w.rel AND c.relname = w.n AND x.indisvalid AND"
    " x.indisunique = (w.x = 't') AND (w.cols = '{}' OR w.cols = "
    NAMES("(x.indkey::int2[])", "x.indrelid") "))"
    " WHEN 'r' THEN EXISTS (SELECT 1 FROM pg_catalog.pg_class c WHERE c.oid = w.rel AND"
    " c.relrowsecurity = (w.x = 't'))"
    " ELSE EXISTS (SELECT 1 FROM pg_catalog.pg_policy c WHERE c.polrelid = w.rel AND c.polname = w.n) END END";

#define TYPE(of) "format_type(" of ".atttypid, " of ".atttypmod)"
#define DEFAULT_OF(of) "pg_get_expr(" of "d.adbin, " of "d.adrelid)"
/* now() has another spelling, and space and case mean nothing in a call. */
#define PLAIN(of) \
    "replace(lower(regexp_replace(COALESCE(" DEFAULT_OF(of) ", ''), '\\s', '', 'g')), 'current_timestamp'," \
    " 'now()')"

/* Of the columns: e as it should be, r as it is. A default that differs in its words is looked at again. */
static const char columns_differ[] =
    " UNION ALL SELECT concat('column ', e.attname, ' of table ', t.real,"
    " CASE WHEN r.attname IS NULL THEN ' is missing'"
    " WHEN NOT COALESCE(z.loose, false) AND " TYPE("r") " <> " TYPE("e")
    " THEN concat(' is of type ', " TYPE("r") ", ', not ', " TYPE("e") ")"
    " WHEN r.attnotnull <> e.attnotnull THEN CASE WHEN e.attnotnull THEN ' allows NULL' ELSE ' is NOT NULL' END"
    " WHEN z.counts THEN ' does not count by itself'"
    " ELSE concat(' has the default ', COALESCE(" DEFAULT_OF("r") ", 'NULL'), ', not ', " DEFAULT_OF("e") ") END),"
    " CASE WHEN " TYPE("r") " = " TYPE("e") " AND r.attnotnull = e.attnotnull THEN " DEFAULT_OF("r") " END,"
    " " DEFAULT_OF("e") ", " TYPE("e")
    " FROM (VALUES ";

static const char columns_joined[] =
    ") t(real, made)"
    " JOIN pg_catalog.pg_attribute e ON e.attrelid = t.made::regclass AND e.attnum > 0"
    " LEFT JOIN pg_catalog.pg_attribute r ON r.attrelid = to_regclass(t.real) AND r.attname = e.attname"
    " AND r.attnum > 0 AND NOT r.attisdropped"
    " LEFT JOIN pg_catalog.pg_attrdef ed ON ed.adrelid = e.attrelid AND ed.adnum = e.attnum"
    " LEFT JOIN pg_catalog.pg_attrdef rd ON rd.adrelid = r.attrelid AND rd.adnum = r.attnum"
    " LEFT JOIN (VALUES (NULL::text, NULL::text, false, false)";

static const char columns_wanted[] =
    ") z(rel, col, loose, counts) ON z.rel = t.real AND z.col = e.attname::text"
    " WHERE to_regclass(t.real) IS NOT NULL AND (r.attname IS NULL OR"
    " (NOT COALESCE(z.loose, false) AND " TYPE("r") " <> " TYPE("e") ") OR r.attnotnull <> e.attnotnull OR"
    " (ed.adbin IS NOT NULL AND " PLAIN("r") " <> " PLAIN("e") ") OR"
    " (z.counts AND r.attidentity = '' AND (rd.adbin IS NULL OR " DEFAULT_OF("r") " !~ 'nextval')))";

/* Constants of other words may have one value: 0 and '0'::bigint. Nothing is called to find out. */
#define CONSTANT "'^(\\(?[-+0-9.eE]+\\)?|''([^'']|'''')*''|true|false|ARRAY\\[[^(]*\\])(::[\\w\" .,()\\[\\]]+)?$'"

static const char judged[] =
    "\nLOOP differs := true;\n"
    "IF is_now ~ " CONSTANT " AND is_said ~ " CONSTANT " THEN BEGIN\n"
    "EXECUTE concat('SELECT ((', is_now, ')::', of_type, ')::text IS DISTINCT FROM ((', is_said, ')::', of_type,"
    " ')::text') INTO differs;\n"
    "EXCEPTION WHEN data_exception OR syntax_error_or_access_rule_violation THEN differs := true; END; END IF;\n"
    "IF differs THEN miss := array_append(miss, said); END IF;\nEND LOOP;\n";

static const char raised[] =
    "IF miss[1] IS NOT NULL THEN RAISE EXCEPTION USING ERRCODE = 'P8002', MESSAGE = concat("
    "'the database would not be what contract %.12s says: ', miss[1], CASE WHEN miss[2] IS NOT NULL THEN"
    " concat(' (and ', array_length(miss, 1) - 1, ' more)') END), DETAIL = array_to_string(miss, chr(10));"
    " END IF;\n";
/* Where the tables go: a role may have been refused temporary ones. Schema and ledger are its own then, as a
 * rule; the tables are gone before the transaction ends. */
static const char placed[] =
    "IF pg_catalog.has_database_privilege(pg_catalog.current_database(), 'TEMPORARY') THEN place := 'pg_temp';\n"
    "ELSIF pg_catalog.has_schema_privilege('prisma_contract', 'CREATE') THEN place := 'prisma_contract';\n"
    "ELSE RAISE EXCEPTION USING ERRCODE = 'insufficient_privilege', MESSAGE = pg_catalog.concat("
    "'the database cannot be compared with the contract: role \"', current_user, '\" may make neither temporary"
    " tables nor tables in schema prisma_contract'), HINT = pg_catalog.format("
    "'GRANT TEMPORARY ON DATABASE %I TO %I', pg_catalog.current_database(), current_user);\nEND IF;\n";
/* clang-format on */

static void
add_question(P8Promise *p, const P8Package *package)
{
    Buf *b = p->b;
    if (p->made)
        buf_addz(b, placed);
    buf_add(b, buf_str(&p->tables));
    buf_addz(b, "PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);\n");
    buf_addz(b, question);
    buf_add(b, buf_str(&p->want));
    buf_addz(b, wanted);
    if (p->made) {
        buf_addz(b, columns_differ);
        buf_add(b, buf_str(&p->pairs));
        buf_addz(b, columns_joined);
        buf_add(b, buf_str(&p->odd));
        buf_addz(b, columns_wanted);
    }
    buf_addz(b, judged);
    for (int i = 0; i < p->made; i++)
        buf_fmt(b, "EXECUTE concat('DROP TABLE ', place, '.aramid_contract_%d');\n", i);
    buf_fmt(b, raised, package->to);
}

void
p8_add_promise(Buf *b, const LedgerRow *row)
{
    const P8Package *package = row->migration->own;
    ARENA_LOCAL(a);
    Buf body;
    buf_init(&body, a);
    P8Promise p = {.b = &body};
    Buf *const parts[] = {&p.tables, &p.pairs, &p.want, &p.odd};
    for (size_t i = 0; i < COUNT(parts); i++)
        buf_init(parts[i], a);
    p8_want(&p, package->tree);
    if (!p.want.n)
        return;
    buf_addz(&body, "DECLARE miss pg_catalog.text[] := '{}'; said pg_catalog.text; is_now "
                    "pg_catalog.text; is_said pg_catalog.text; of_type pg_catalog.text;\n"
                    "differs pg_catalog.bool; place pg_catalog.text;\nBEGIN\n");
    add_question(&p, package);
    buf_addz(&body, "END");
    buf_addz(b, "DO ");
    sql_add_literal(b, buf_str(&body));
}
