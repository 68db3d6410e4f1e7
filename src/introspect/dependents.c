/* What stands on objects that are read and is not read itself: it lies in a schema that nobody asked about, or
 * is a member of an extension. */
#include "introspect/introspect_int.h"

/* clang-format off */
/* Only where there can be any. In braces: queries.c.
 *   member  of extensions
 *   rel     relations outside
 *   part    all objects outside that may stand on something; of a relation's parts its oid
 *   used    what they stand on, and the extensions of both; found by index for each of them, as nobody can
 *           guess how few are left
 *   heir    children outside, and the relation inside that they inherit from: what stands on a child's column
 *           stands on that one's */
#define OF_RELATION(catalog, column) \
    "UNION ALL SELECT {class " catalog "}::pg_catalog.oid, x.oid, r.id FROM pg_catalog." catalog " x " \
    "JOIN rel r ON r.id {=} x." column " "
#define OF_SCHEMA(catalog, column) \
    "UNION ALL SELECT {class " catalog "}::pg_catalog.oid, x.oid, 0 FROM pg_catalog." catalog " x " \
    "WHERE x." column " {outside} "
#define OF_FAMILY(catalog, column) \
    "UNION ALL SELECT {class " catalog "}::pg_catalog.oid, x.oid, 0 FROM pg_catalog." catalog " x " \
    "JOIN pg_catalog.pg_opfamily f ON f.oid {=} x." column " WHERE f.opfnamespace {outside} "
#define EXTENSION_OF(class, id) \
    "(SELECT e.refobjid FROM pg_catalog.pg_depend e WHERE e.classid {=} " class " AND e.objid {=} " id \
    " AND e.refclassid {=} {class pg_extension} AND e.deptype {=} 'e' LIMIT 1) "

static const char query[] =
    "WITH RECURSIVE member (class, id, ext) AS (SELECT d.classid, d.objid, d.refobjid FROM pg_catalog.pg_depend d "
    "  WHERE d.refclassid {=} {class pg_extension} AND d.deptype {=} 'e'), "
    "rel (id) AS (SELECT c.oid FROM pg_catalog.pg_class c WHERE c.relnamespace {outside} UNION "
    "  SELECT m.id FROM member m WHERE m.class {=} {class pg_class}), "
    "part (class, id, rel) AS (SELECT {class pg_class}::pg_catalog.oid, r.id, r.id FROM rel r "
    OF_RELATION("pg_rewrite", "ev_class") OF_RELATION("pg_attrdef", "adrelid") OF_RELATION("pg_constraint", "conrelid")
    OF_RELATION("pg_policy", "polrelid") OF_RELATION("pg_trigger", "tgrelid") "AND NOT x.tgisinternal "
    OF_SCHEMA("pg_constraint", "connamespace") "AND x.contypid {<>} 0 "
    OF_SCHEMA("pg_proc", "pronamespace") OF_SCHEMA("pg_type", "typnamespace") OF_SCHEMA("pg_operator", "oprnamespace")
    OF_SCHEMA("pg_opclass", "opcnamespace") OF_SCHEMA("pg_opfamily", "opfnamespace")
    OF_FAMILY("pg_amop", "amopfamily") OF_FAMILY("pg_amproc", "amprocfamily")
    OF_SCHEMA("pg_statistic_ext", "stxnamespace") OF_SCHEMA("pg_ts_config", "cfgnamespace")
    OF_SCHEMA("pg_ts_dict", "dictnamespace") OF_SCHEMA("pg_conversion", "connamespace")
    "UNION ALL SELECT m.class, m.id, 0 FROM member m WHERE m.class {<>} {class pg_class}), "
    "used AS MATERIALIZED (SELECT u.class, u.id, u.rel, d.refclassid, d.refobjid, d.objsubid, d.refobjsubid, "
    EXTENSION_OF("CASE WHEN u.rel {=} 0 THEN u.class ELSE {class pg_class}::pg_catalog.oid END",
                 "CASE WHEN u.rel {=} 0 THEN u.id ELSE u.rel END") "AS own, "
    EXTENSION_OF("d.refclassid", "d.refobjid") "AS ext FROM part u CROSS JOIN LATERAL (SELECT z.* FROM "
    "  pg_catalog.pg_depend z WHERE z.classid {=} u.class AND z.objid {=} u.id AND z.deptype {in a,n} AND "
    "  z.refobjid {>=} 16384 OFFSET 0) d), "
    "heir (id, root) AS (SELECT h.inhrelid, h.inhparent FROM pg_catalog.pg_inherits h JOIN rel r ON r.id {=} h.inhrelid "
    "  WHERE NOT EXISTS (SELECT FROM rel o WHERE o.id {=} h.inhparent) UNION "
    "  SELECT h.inhrelid, p.root FROM heir p JOIN pg_catalog.pg_inherits h ON h.inhparent {=} p.id "
    "  JOIN rel r ON r.id {=} h.inhrelid) "
    "SELECT i.type, i.identity, n.nspname, e.extname, CASE WHEN k.contypid {<>} 0 THEN "
    "  pg_catalog.format_type(k.contypid, NULL) ELSE c.oid::pg_catalog.regclass::pg_catalog.text END, k.contype, "
    "  pg_catalog.quote_ident(a.attname), a.attgenerated {<>} '', c.relispartition, "
    /* no rows of its own, nor in others */
    "  c.relkind {=} 'v' OR (c.relkind {=} 'c' AND NOT EXISTS (SELECT FROM pg_catalog.pg_type t JOIN pg_catalog.pg_depend z "
    "  ON z.refclassid {=} {class pg_type} AND z.refobjid {=} t.oid AND z.objsubid {>} 0 WHERE t.typrelid {=} c.oid OR "
    "  t.typelem {=} c.reltype)), c.relkind {=} 'c' OR EXISTS (SELECT FROM pg_catalog.pg_type t WHERE t.oid {=} a.atttypid "
    "  AND (t.typelem {<>} 0 OR t.typtype {in m,r})), u.class, u.objsubid, u.refclassid, "
    "  COALESCE(p.root, u.refobjid), CASE WHEN p.root IS NULL THEN u.refobjsubid ELSE (SELECT x.attnum::pg_catalog.int4 "
    "  FROM pg_catalog.pg_attribute x JOIN pg_catalog.pg_attribute y ON y.attname {=} x.attname WHERE "
    "  x.attrelid {=} p.root AND y.attrelid {=} u.refobjid AND y.attnum {=} u.refobjsubid) END, f.extname "
    "FROM used u "
    "LEFT JOIN heir p ON u.refclassid {=} {class pg_class} AND p.id {=} u.refobjid AND u.rel {<>} u.refobjid "
    "LEFT JOIN pg_catalog.pg_extension e ON e.oid {=} u.own "
    "LEFT JOIN pg_catalog.pg_extension f ON f.oid {=} u.ext "
    "LEFT JOIN pg_catalog.pg_class c ON c.oid {=} u.rel "
    "LEFT JOIN pg_catalog.pg_rewrite w ON u.class {=} {class pg_rewrite} AND w.oid {=} u.id "
    "LEFT JOIN pg_catalog.pg_constraint k ON u.class {=} {class pg_constraint} AND k.oid {=} u.id "
    "LEFT JOIN pg_catalog.pg_attrdef v ON u.class {=} {class pg_attrdef} AND v.oid {=} u.id "
    "LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid {=} u.rel AND a.attnum {=} COALESCE(v.adnum, u.objsubid) AND "
    "  a.attnum {>} 0 "
    /* A view's columns and its query are the view. */
    "CROSS JOIN LATERAL pg_catalog.pg_identify_object(CASE WHEN w.rulename {=} '_RETURN' THEN "
    "  {class pg_class}::pg_catalog.oid ELSE u.class END, CASE WHEN w.rulename {=} '_RETURN' THEN u.rel ELSE u.id END, "
    "  CASE WHEN c.relkind {in c,m,v} THEN 0 ELSE u.objsubid END) i "
    "LEFT JOIN pg_catalog.pg_namespace n ON n.nspname {=} i.schema OR (i.schema IS NULL AND n.oid {=} COALESCE("
    "  c.relnamespace, k.connamespace)) "
    "WHERE NOT (u.refclassid {=} {class pg_namespace} AND "
    "  u.refobjid {outside}) AND CASE WHEN u.ext IS NOT NULL THEN u.own IS NULL OR u.own {<>} u.ext ELSE "
    "  p.root IS NOT NULL OR NOT EXISTS (SELECT FROM part o WHERE o.class {=} u.refclassid AND o.id {=} u.refobjid) END "
    "ORDER BY 2, 1";
/* clang-format on */

void
intro_dependents_add(Buf *b, const Reading *r)
{
    if (r->outside.n || r->has_extensions)
        intro_query_add(b, r, query);
    else
        buf_addz(b, "SELECT 0 WHERE false");
}
