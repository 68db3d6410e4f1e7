/* What the catalog does not compare, and PostgreSQL can all but print by itself. */
#include "backup/native_int.h"

/* Each gives statements as rows of one text; {=} and the like are pg_catalog's operators. */
static const char statistics[] =
    "SELECT pg_catalog.concat(pg_catalog.pg_get_statisticsobjdef(s.oid), E';\\n', "
    "pg_catalog.format("
    "E'ALTER STATISTICS %%I.%%I OWNER TO %%I;\\n', n.nspname, s.stxname, "
    "pg_catalog.pg_get_userbyid(s.stxowner)), %s) FROM pg_catalog.pg_statistic_ext s JOIN "
    "pg_catalog.pg_namespace n ON n.oid {=} s.stxnamespace WHERE NOT EXISTS (SELECT FROM "
    "pg_catalog.pg_depend x WHERE x.classid {=} 'pg_catalog.pg_statistic_ext'::pg_catalog.regclass "
    "AND x.objid {=} s.oid AND x.deptype {=} 'e') ORDER BY n.nspname COLLATE \"C\", s.stxname "
    "COLLATE \"C\"";

static const char publications[] =
    "SELECT pg_catalog.concat(pg_catalog.format('CREATE PUBLICATION %%I', p.pubname), CASE WHEN "
    "p.puballtables THEN ' FOR ALL TABLES' END, pg_catalog.format(' WITH (publish = %%L, "
    "publish_via_partition_root = %%s%%s)', pg_catalog.concat_ws(', ', CASE WHEN p.pubinsert THEN "
    "'insert' END, CASE WHEN p.pubupdate THEN 'update' END, CASE WHEN p.pubdelete THEN 'delete' "
    "END, CASE WHEN p.pubtruncate THEN 'truncate' END), p.pubviaroot::pg_catalog.text, %s), "
    "E';\\n', "
    "pg_catalog.format(E'ALTER PUBLICATION %%I OWNER TO %%I;\\n', p.pubname, "
    "pg_catalog.pg_get_userbyid(p.pubowner)), (SELECT pg_catalog.string_agg(pg_catalog.format("
    "E'ALTER PUBLICATION %%I ADD TABLE ONLY %%I.%%I%%s;\\n', p.pubname, n.nspname, c.relname, %s), "
    "'' ORDER BY n.nspname COLLATE \"C\", c.relname COLLATE \"C\") FROM "
    "pg_catalog.pg_publication_rel r JOIN pg_catalog.pg_class c ON c.oid {=} r.prrelid JOIN "
    "pg_catalog.pg_namespace n ON n.oid {=} c.relnamespace WHERE r.prpubid {=} p.oid), %s) FROM "
    "pg_catalog.pg_publication p ORDER BY p.pubname COLLATE \"C\"";

/* Of a table in a publication: its columns and its rows (15). */
static const char publication_part[] =
    "pg_catalog.concat((SELECT pg_catalog.concat(' (', pg_catalog.string_agg("
    "pg_catalog.quote_ident(a.attname), ', ' ORDER BY u.place), ')') FROM pg_catalog.unnest("
    "r.prattrs) WITH ORDINALITY u(num, place) JOIN pg_catalog.pg_attribute a ON a.attrelid {=} "
    "r.prrelid AND a.attnum {=} u.num HAVING pg_catalog.count(*) {>} 0), CASE WHEN r.prqual IS NOT "
    "NULL THEN pg_catalog.concat(' WHERE ', pg_catalog.pg_get_expr(r.prqual, r.prrelid)) END)";

static const char publication_schemas[] =
    "(SELECT pg_catalog.string_agg(pg_catalog.format(E'ALTER PUBLICATION %I ADD TABLES IN SCHEMA "
    "%I;\\n', p.pubname, n.nspname), '' ORDER BY n.nspname COLLATE \"C\") FROM "
    "pg_catalog.pg_publication_namespace r JOIN pg_catalog.pg_namespace n ON n.oid {=} r.pnnspid "
    "WHERE r.pnpubid {=} p.oid)";

/* Without a schema the list stands for the built-in defaults; with one it is added to them. */
static const char default_privileges[] =
    "SELECT pg_catalog.concat(CASE WHEN d.defaclnamespace {=} 0 THEN pg_catalog.format("
    "E'ALTER DEFAULT PRIVILEGES FOR ROLE %I REVOKE ALL ON %s FROM PUBLIC, %I;\\n', o.rolname, "
    "k.words, o.rolname) END, (SELECT pg_catalog.string_agg(pg_catalog.format("
    "E'ALTER DEFAULT PRIVILEGES FOR ROLE %I%s GRANT %s ON %s TO %s%s;\\n', o.rolname, CASE "
    "WHEN n.oid IS NOT NULL THEN pg_catalog.format(' IN SCHEMA %I', n.nspname) END, "
    "x.privilege_type, k.words, CASE WHEN g.oid IS NULL THEN 'PUBLIC' ELSE "
    "pg_catalog.quote_ident(g.rolname) END, CASE WHEN x.is_grantable THEN ' WITH GRANT OPTION' "
    "END), '' ORDER BY g.rolname COLLATE \"C\", x.privilege_type) FROM "
    "pg_catalog.aclexplode(d.defaclacl) x LEFT JOIN pg_catalog.pg_roles g ON g.oid {=} x.grantee)) "
    "FROM pg_catalog.pg_default_acl d JOIN pg_catalog.pg_roles o ON o.oid {=} d.defaclrole LEFT "
    "JOIN pg_catalog.pg_namespace n ON n.oid {=} d.defaclnamespace JOIN (VALUES ('r', 'TABLES'), "
    "('S', 'SEQUENCES'), ('f', 'FUNCTIONS'), ('T', 'TYPES'), ('n', 'SCHEMAS'), ('L', 'LARGE "
    "OBJECTS')) k(letter, words) ON k.letter {=} d.defaclobjtype::pg_catalog.text ORDER BY "
    "o.rolname COLLATE \"C\", n.nspname COLLATE \"C\", k.letter";

static const char event_triggers[] =
    "SELECT pg_catalog.concat(pg_catalog.format('CREATE EVENT TRIGGER %I ON %s%s EXECUTE "
    "FUNCTION %s()', e.evtname, e.evtevent, CASE WHEN e.evttags IS NOT NULL THEN "
    "pg_catalog.format(' WHEN TAG IN (%s)', (SELECT pg_catalog.string_agg("
    "pg_catalog.quote_literal(t), ', ') FROM pg_catalog.unnest(e.evttags) t)) END, "
    "e.evtfoid::pg_catalog.regproc), E';\\n', pg_catalog.format(E'ALTER EVENT TRIGGER %I OWNER TO "
    "%I;\\n', e.evtname, pg_catalog.pg_get_userbyid(e.evtowner)), CASE WHEN e.evtenabled {<>} 'O' "
    "THEN pg_catalog.format(E'ALTER EVENT TRIGGER %I %s;\\n', e.evtname, CASE e.evtenabled WHEN "
    "'D' THEN 'DISABLE' WHEN 'R' THEN 'ENABLE REPLICA' ELSE 'ENABLE ALWAYS' END) END) FROM "
    "pg_catalog.pg_event_trigger e WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_depend x WHERE "
    "x.classid {=} 'pg_catalog.pg_event_trigger'::pg_catalog.regclass AND x.objid {=} e.oid AND "
    "x.deptype {=} 'e') ORDER BY e.evtname COLLATE \"C\"";

/* Who may do what with the objects of extensions, where it is not what CREATE EXTENSION leaves (which
 * pg_init_privs tells where that is not the default). */
static const char extension_privileges[] =
    "WITH x(words, name, has, had) AS ("
    "SELECT 'ROUTINE', p.oid::pg_catalog.regprocedure::pg_catalog.text, "
    "coalesce(p.proacl, pg_catalog.acldefault('f', p.proowner)), coalesce(i.initprivs, "
    "pg_catalog.acldefault('f', p.proowner)) FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_proc p "
    "ON p.oid {=} d.objid LEFT JOIN pg_catalog.pg_init_privs i ON i.classoid {=} d.classid AND "
    "i.objoid {=} d.objid AND i.objsubid {=} 0 WHERE d.deptype {=} 'e' AND d.classid {=} "
    "'pg_catalog.pg_proc'::pg_catalog.regclass AND p.proacl IS NOT NULL "
    "UNION ALL SELECT CASE WHEN c.relkind {=} 'S' THEN 'SEQUENCE' ELSE 'TABLE' END, "
    "c.oid::pg_catalog.regclass::pg_catalog.text, coalesce(c.relacl, s.std), "
    "coalesce(i.initprivs, s.std) FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_class c ON c.oid "
    "{=} d.objid CROSS JOIN LATERAL (SELECT pg_catalog.acldefault(CASE WHEN c.relkind {=} 'S' THEN "
    "'s'::pg_catalog.\"char\" ELSE 'r'::pg_catalog.\"char\" END, c.relowner) AS std) s LEFT JOIN "
    "pg_catalog.pg_init_privs i ON i.classoid {=} d.classid AND i.objoid {=} d.objid AND "
    "i.objsubid {=} 0 WHERE d.deptype {=} 'e' AND d.objsubid {=} 0 AND d.classid {=} "
    "'pg_catalog.pg_class'::pg_catalog.regclass AND pg_catalog.strpos("
    "'rvmpfS', c.relkind::pg_catalog.text) {>} 0 "
    "UNION ALL SELECT 'TYPE', pg_catalog.format_type(t.oid, NULL), coalesce(t.typacl, "
    "pg_catalog.acldefault('T', t.typowner)), coalesce(i.initprivs, pg_catalog.acldefault('T', "
    "t.typowner)) FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_type t ON t.oid {=} d.objid LEFT "
    "JOIN pg_catalog.pg_init_privs i ON i.classoid {=} d.classid AND i.objoid {=} d.objid WHERE "
    "d.deptype {=} 'e' AND d.classid {=} 'pg_catalog.pg_type'::pg_catalog.regclass AND t.typacl IS "
    "NOT NULL AND t.typelem {=} 0), "
    "privilege(place, words, name, verb, what, who, grantable) AS ("
    "SELECT 1, x.words, x.name, 'REVOKE', a.privilege_type, a.grantee, a.is_grantable FROM x CROSS "
    "JOIN LATERAL (SELECT grantee, privilege_type, is_grantable FROM pg_catalog.aclexplode(x.had) "
    "EXCEPT SELECT grantee, privilege_type, is_grantable FROM pg_catalog.aclexplode(x.has)) a "
    "UNION ALL SELECT 2, x.words, x.name, 'GRANT', a.privilege_type, a.grantee, a.is_grantable "
    "FROM x CROSS JOIN LATERAL (SELECT grantee, privilege_type, is_grantable FROM "
    "pg_catalog.aclexplode(x.has) EXCEPT SELECT grantee, privilege_type, is_grantable FROM "
    "pg_catalog.aclexplode(x.had)) a) "
    "SELECT pg_catalog.concat(v.verb, ' ', v.what, ' ON ', v.words, ' ', v.name, CASE v.place WHEN "
    "1 "
    "THEN ' FROM ' ELSE ' TO ' END, CASE WHEN g.oid IS NULL THEN 'PUBLIC' ELSE "
    "pg_catalog.quote_ident(g.rolname) END, CASE WHEN v.place {=} 2 AND v.grantable THEN ' WITH "
    "GRANT "
    "OPTION' END, ';') FROM privilege v LEFT JOIN pg_catalog.pg_roles g ON g.oid {=} v.who ORDER "
    "BY "
    "v.words, v.name COLLATE \"C\", v.place, g.rolname COLLATE \"C\", v.what";

bool
native_is_other_dumped(const char *what)
{
    static const char *const kinds[] = {"statistics", "publication", "default privileges",
                                        "event trigger"};
    for (size_t i = 0; i < COUNT(kinds); i++)
        if (strcmp(what, kinds[i]) == 0)
            return true;
    return false;
}

/* {=} -> OPERATOR(pg_catalog.=) */
static void
add_query(Buf *b, const char *sql)
{
    for (const char *open; (open = strchr(sql, '{'));) {
        const char *close = strchr(open, '}');
        buf_add(b, (Str){sql, (size_t)(open - sql)});
        buf_fmt(b, "OPERATOR(pg_catalog.%.*s)", (int)(close - open - 1), open + 1);
        sql = close + 1;
    }
    buf_fmt(b, "%s;", sql);
}

Str
native_others_sql(Arena *a, int major)
{
    Buf b;
    buf_init(&b, a);
    /* Targets of statistics: NULL where not set since 17, -1 before. */
    add_query(&b,
              str_fmt(a, statistics,
                      "CASE WHEN s.stxstattarget {>=} 0 THEN pg_catalog.format(E'ALTER STATISTICS "
                      "%I.%I SET STATISTICS %s;\\n', n.nspname, s.stxname, s.stxstattarget) END"));
    add_query(&b, str_fmt(a, publications,
                          major >= 18 ? "CASE WHEN p.pubgencols {=} 's' THEN "
                                        "', publish_generated_columns = stored' END"
                                      : "NULL",
                          major >= 15 ? publication_part : "NULL",
                          major >= 15 ? publication_schemas : "NULL"));
    add_query(&b, default_privileges);
    add_query(&b, extension_privileges);
    add_query(&b, event_triggers);
    return buf_str(&b);
}
