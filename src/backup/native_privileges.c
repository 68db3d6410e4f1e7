/* What the catalog does not hold: it leaves extensions to themselves. */
#include "backup/native_int.h"

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
native_privileges_sql(Arena *a)
{
    Buf b;
    buf_init(&b, a);
    add_query(&b, extension_privileges);
    return buf_str(&b);
}
