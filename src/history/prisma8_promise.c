/* That a database has what a contract of Prisma 8 says: one statement that raises what differs. Types and
 * defaults are put into words by the server itself, of temporary tables that are made as the contract has
 * them. */
#include "history/prisma8_int.h"
#include "sqltext/sqltext.h"

#define EQ " OPERATOR(pg_catalog.=) "
#define NE " OPERATOR(pg_catalog.<>) "

/* Names of a constraint's or an index's columns, in its order. */
#define NAMES(numbers, relation)                                                                   \
    "(SELECT pg_catalog.array_agg(a.attname::pg_catalog.text ORDER BY k.i) FROM "                  \
    "pg_catalog.unnest(" numbers ") WITH ORDINALITY k(n, i) JOIN pg_catalog.pg_attribute a ON "    \
    "a.attrelid" EQ relation " AND a.attnum" EQ "k.n)"
#define CONSTRAINT(type)                                                                           \
    "EXISTS (SELECT 1 FROM pg_catalog.pg_constraint c WHERE c.conrelid" EQ                         \
    "w.rel AND c.contype" EQ "'" type "'"
#define LIST(name) "pg_catalog.array_to_string(w." name ", ', ')"

static const char differences[] =
    "SELECT pg_catalog.array_agg(q.w) INTO miss FROM (\n"
    "SELECT CASE w.kind WHEN 't' THEN pg_catalog.concat('table ', w.t, ' is missing')"
    " WHEN 'e' THEN pg_catalog.concat('enum ', w.t, ' has not the values ', " LIST(
        "cols") ")"
                " WHEN 'r' THEN pg_catalog.concat('row level security of table ', w.t, CASE w.x "
                "WHEN 't' THEN"
                " ' is off' ELSE ' is on' END)"
                " ELSE pg_catalog.concat('table ', w.t, CASE w.kind"
                " WHEN 'p' THEN pg_catalog.concat(' has no primary key (', " LIST(
                    "cols") ", ')')"
                            " WHEN 'u' THEN pg_catalog.concat(' has no unique constraint (', " LIST(
                                "cols") ", ')')"
                                        " WHEN 'f' THEN pg_catalog.concat(' has no foreign key "
                                        "(', " LIST(
                                            "cols") ", ') to ', w.o,"
                                                    " ' (', " LIST(
                                                        "ocols") ", ') with the actions of the "
                                                                 "contract')"
                                                                 " WHEN 'c' THEN "
                                                                 "pg_catalog.concat(' has no check "
                                                                 "', w.n)"
                                                                 " WHEN 'i' THEN "
                                                                 "pg_catalog.concat(' has no index "
                                                                 "', w.n, ' as the contract has "
                                                                 "it')"
                                                                 " ELSE pg_catalog.concat(' has no "
                                                                 "policy ', w.n) END) END FROM "
                                                                 "(SELECT v.*,"
                                                                 " CASE WHEN v.kind" NE "'e' THEN "
                                                                 "pg_catalog.to_regclass(v.t) END "
                                                                 "AS rel FROM (VALUES ";

static const char wanted[] =
    ") v(kind, t, n, cols, o, ocols, x, y)) w WHERE NOT CASE w.kind"
    " WHEN 't' THEN w.rel IS NOT NULL"
    " WHEN 'e' THEN EXISTS (SELECT 1 FROM pg_catalog.pg_type t WHERE t.oid" EQ
    "pg_catalog.to_regtype(w.t) AND w.cols" EQ "(SELECT pg_catalog.array_agg("
    "e.enumlabel::pg_catalog.text ORDER BY e.enumsortorder) FROM pg_catalog.pg_enum e WHERE "
    "e.enumtypid" EQ "t.oid))"
    " ELSE w.rel IS NULL OR CASE w.kind"
    " WHEN 'p' THEN " CONSTRAINT("p") " AND w.cols" EQ NAMES(
        "c.conkey",
        "c.conrelid") ")"
                      " WHEN 'u' THEN " CONSTRAINT("u") " AND w.cols" EQ NAMES(
                          "c.conkey",
                          "c.conrelid") ")"
                                        " WHEN 'f' THEN " CONSTRAINT("f") " AND w.cols" EQ NAMES(
                                            "c.conkey",
                                            "c.conrelid") " AND c.confrelid" EQ
                                                          "pg_catalog.to_regclass(w.o) AND "
                                                          "w.ocols" EQ NAMES(
                                                              "c.confkey",
                                                              "c.confrelid") " AND w.x" EQ
                                                                             "ANY (ARRAY['', "
                                                                             "c.confdeltype::pg_"
                                                                             "catalog.text]) AND "
                                                                             "w.y" EQ
                                                                             "ANY (ARRAY['', "
                                                                             "c.confupdtype::pg_"
                                                                             "catalog.text]))"
                                                                             " WHEN 'c' "
                                                                             "THEN " CONSTRAINT(
                                                                                 "c") " AND "
                                                                                      "c.conname" EQ
                                                                                      "w.n)"
                                                                                      " WHEN 'i' "
                                                                                      "THEN EXISTS "
                                                                                      "(SELECT 1 "
                                                                                      "FROM "
                                                                                      "pg_catalog."
                                                                                      "pg_index x "
                                                                                      "JOIN "
                                                                                      "pg_catalog."
                                                                                      "pg_class c "
                                                                                      "ON"
                                                                                      " c.oid" EQ
                                                                                      "x."
                                                                                      "indexrelid "
                                                                                      "WHERE "
                                                                                      "x."
                                                                                      "indrelid" EQ
                                                                                      "w.rel AND "
                                                                                      "c.relname" EQ
                                                                                      "w.n AND "
                                                                                      "x."
                                                                                      "indisvalid "
                                                                                      "AND "
                                                                                      "x."
                                                                                      "indisuniqu"
                                                                                      "e" EQ
                                                                                      "(w.x" EQ
                                                                                      "'t') AND "
                                                                                      "(w.cols" EQ
                                                                                      "'{}' OR "
                                                                                      "w.cols" EQ NAMES(
                                                                                          "(x."
                                                                                          "indkey::"
                                                                                          "pg_"
                                                                                          "catalog."
                                                                                          "int2[])",
                                                                                          "x."
                                                                                          "indreli"
                                                                                          "d") "))"
                                                                                               " WH"
                                                                                               "EN "
                                                                                               "'r'"
                                                                                               " TH"
                                                                                               "EN "
                                                                                               "EXI"
                                                                                               "STS"
                                                                                               " ("
                                                                                               "SEL"
                                                                                               "ECT"
                                                                                               " 1 "
                                                                                               "FRO"
                                                                                               "M "
                                                                                               "pg_"
                                                                                               "cat"
                                                                                               "alo"
                                                                                               "g."
                                                                                               "pg_"
                                                                                               "cla"
                                                                                               "ss "
                                                                                               "c "
                                                                                               "WHE"
                                                                                               "RE "
                                                                                               "c."
                                                                                               "oi"
                                                                                               "d" EQ
                                                                                               "w."
                                                                                               "rel"
                                                                                               " AN"
                                                                                               "D "
                                                                                               "c."
                                                                                               "rel"
                                                                                               "row"
                                                                                               "sec"
                                                                                               "uri"
                                                                                               "t"
                                                                                               "y" EQ
                                                                                               "(w."
                                                                                               "x" EQ
                                                                                               "'t'"
                                                                                               "))"
                                                                                               " EL"
                                                                                               "SE "
                                                                                               "EXI"
                                                                                               "STS"
                                                                                               " ("
                                                                                               "SEL"
                                                                                               "ECT"
                                                                                               " 1 "
                                                                                               "FRO"
                                                                                               "M "
                                                                                               "pg_"
                                                                                               "cat"
                                                                                               "alo"
                                                                                               "g."
                                                                                               "pg_"
                                                                                               "pol"
                                                                                               "icy"
                                                                                               " c "
                                                                                               "WHE"
                                                                                               "RE "
                                                                                               "c."
                                                                                               "pol"
                                                                                               "rel"
                                                                                               "i"
                                                                                               "d" EQ
                                                                                               "w."
                                                                                               "rel"
                                                                                               " AN"
                                                                                               "D "
                                                                                               "c."
                                                                                               "pol"
                                                                                               "nam"
                                                                                               "e" EQ
                                                                                               "w."
                                                                                               "n) "
                                                                                               "END"
                                                                                               " EN"
                                                                                               "D";

#define TYPE(of) "pg_catalog.format_type(" of ".atttypid, " of ".atttypmod)"
#define DEFAULT_OF(of) "pg_catalog.pg_get_expr(" of "d.adbin, " of "d.adrelid)"

/* Of the columns: e as it should be, r as it is. */
static const char columns_differ[] =
    " UNION ALL SELECT pg_catalog.concat('column ', e.attname, ' of table ', t.real,"
    " CASE WHEN r.attname IS NULL THEN ' is missing'"
    " WHEN NOT COALESCE(z.loose, false) AND " TYPE("r")
        NE TYPE("e") " THEN pg_catalog.concat(' is of type ', " TYPE("r") ", ', not ', " TYPE(
            "e") ")"
                 " WHEN r.attnotnull" NE
                 "e.attnotnull THEN CASE WHEN e.attnotnull THEN ' allows NULL' ELSE"
                 " ' is NOT NULL' END"
                 " WHEN z.counts THEN ' does not count by itself'"
                 " ELSE pg_catalog.concat(' has the default ', COALESCE(" DEFAULT_OF(
                     "r") ", 'NULL'), ', not ', " DEFAULT_OF("e") ") END)"
                                                                  " FROM (VALUES ";

static const char columns_joined[] =
    ") t(real, made)"
    " JOIN pg_catalog.pg_attribute e ON e.attrelid" EQ "t.made::pg_catalog.regclass AND e.attnum"
    " OPERATOR(pg_catalog.>) 0"
    " LEFT JOIN pg_catalog.pg_attribute r ON r.attrelid" EQ "pg_catalog.to_regclass(t.real) AND"
    " r.attname" EQ "e.attname AND r.attnum OPERATOR(pg_catalog.>) 0 AND NOT r.attisdropped"
    " LEFT JOIN pg_catalog.pg_attrdef ed ON ed.adrelid" EQ "e.attrelid AND ed.adnum" EQ "e.attnum"
    " LEFT JOIN pg_catalog.pg_attrdef rd ON rd.adrelid" EQ "r.attrelid AND rd.adnum" EQ "r.attnum"
    " LEFT JOIN (VALUES (NULL::pg_catalog.text, NULL::pg_catalog.text, false, false)";

static const char columns_wanted[] =
    ") z(rel, col, loose, counts) ON z.rel" EQ "t.real AND z.col" EQ "e.attname::pg_catalog.text"
    " WHERE pg_catalog.to_regclass(t.real) IS NOT NULL AND (r.attname IS NULL OR"
    " (NOT COALESCE(z.loose, false) AND " TYPE("r") NE TYPE(
        "e") ") OR"
             " r.attnotnull" NE "e.attnotnull OR (ed.adbin IS NOT NULL AND COALESCE(" DEFAULT_OF(
                 "r") ", '')" NE DEFAULT_OF("e") ") OR (z.counts AND r.attidentity" EQ
                                                 "'' AND (rd.adbin IS NULL OR " DEFAULT_OF(
                                                     "r") " OPERATOR(pg_catalog.!~) 'nextval')))";

static void
add_question(P8Promise *p, const P8Package *package)
{
    Buf *b = p->b;
    buf_add(b, buf_str(&p->tables));
    /* Both texts of a default are then made with the same path, and CASE compares by the catalog's. */
    buf_addz(b, "PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);\n");
    buf_addz(b, differences);
    buf_add(b, buf_str(&p->want));
    buf_addz(b, wanted);
    if (p->made) {
        buf_addz(b, columns_differ);
        buf_add(b, buf_str(&p->pairs));
        buf_addz(b, columns_joined);
        buf_add(b, buf_str(&p->odd));
        buf_addz(b, columns_wanted);
    }
    buf_addz(b, ") q(w);\n");
    for (int i = 0; i < p->made; i++)
        buf_fmt(b, "DROP TABLE pg_temp.aramid_contract_%d;\n", i);
    buf_fmt(b,
            "IF miss IS NOT NULL THEN RAISE EXCEPTION USING ERRCODE = 'P8002', MESSAGE = "
            "pg_catalog.concat('the database would not be what contract %.12s says: ', miss[1],"
            " CASE WHEN miss[2] IS NOT NULL THEN pg_catalog.concat(' (and ', "
            "pg_catalog.array_length(miss, 1) OPERATOR(pg_catalog.-) 1, ' more)') END),"
            " DETAIL = pg_catalog.array_to_string(miss, E'\\n'); END IF;\n",
            package->to);
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
    buf_addz(&body, "DECLARE miss pg_catalog.text[];\nBEGIN\n");
    add_question(&p, package);
    buf_addz(&body, "END");
    buf_addz(b, "DO ");
    sql_add_literal(b, buf_str(&body));
}
