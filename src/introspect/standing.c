/* What stands on something that is about to go: pg_depend as DROP reads it (findDependentObjects in
 * src/backend/catalog/dependency.c), and ALTER COLUMN TYPE (RememberAllDependentForRebuilding). */
#include "introspect/introspect_int.h"

#include "sqltext/sqltext.h"

enum { STANDING_MAX = 1000 };

/* clang-format off */
#define NAMED(catalog, ns, name) \
    "FROM wish w JOIN pg_catalog.pg_namespace s ON s.nspname {=} w.s JOIN pg_catalog." catalog " x ON x." ns " {=} s.oid AND x." \
    name " {=} w.name "
#define STANDS_ON(x) \
    "pg_catalog.pg_depend d ON d.refclassid {=} " x ".class AND d.refobjid {=} " x ".id AND (" x ".sub {=} 0 OR " \
    "d.refobjsubid {=} " x ".sub) "
/* A view's query is the view. */
#define DEPENDER \
    "CASE WHEN v.oid IS NULL THEN d.classid ELSE {class pg_class} END, COALESCE(v.ev_class, d.objid), " \
    "CASE WHEN v.oid IS NULL THEN d.objsubid ELSE 0 END "
#define ITS_VIEW \
    "LEFT JOIN pg_catalog.pg_rewrite v ON d.classid {=} {class pg_rewrite} AND v.oid {=} d.objid AND v.rulename {=} '_RETURN' "

/* The wishes' rows come before it.
 *   tree   a column and those that children have because of it
 *   gone   what goes without being asked: parts, indexes, ...
 *   base   the same and, with CASCADE, all that stands there
 *   hit    what stands on that
 *   holds  types whose values hold rows of a table, and so cannot be while a column gets another type */
static const char query[] =
    "tree (n, id, num) AS (SELECT w.n, x.oid, a.attnum " NAMED("pg_class", "relnamespace", "relname")
    "  JOIN pg_catalog.pg_attribute a ON a.attrelid {=} x.oid AND a.attname {=} w.sub AND a.attnum {>} 0 WHERE w.kind {=} 'c' "
    "  UNION SELECT t.n, i.inhrelid, a.attnum FROM tree t JOIN wish w ON w.n {=} t.n JOIN pg_catalog.pg_inherits i ON "
    "  i.inhparent {=} t.id JOIN pg_catalog.pg_attribute a ON a.attrelid {=} i.inhrelid AND a.attname {=} w.sub AND "
    "  (w.retyped OR (a.attinhcount {=} 1 AND NOT a.attislocal))), "
    "start (n, class, id, sub) AS ("
    "  SELECT w.n, {class pg_class}::pg_catalog.oid, x.oid, 0 " NAMED("pg_class", "relnamespace", "relname") "WHERE w.kind {=} 'r' "
    "  UNION ALL SELECT w.n, {class pg_type}, x.oid, 0 " NAMED("pg_type", "typnamespace", "typname") "WHERE w.kind {=} 'r' "
    "  UNION ALL SELECT t.n, {class pg_class}, t.id, t.num FROM tree t "
    "  UNION ALL SELECT w.n, {class pg_constraint}, k.oid, 0 " NAMED("pg_class", "relnamespace", "relname")
    "  JOIN pg_catalog.pg_constraint k ON k.conrelid {=} x.oid AND k.conname {=} w.sub WHERE w.kind {=} 'p' "
    "  UNION ALL SELECT w.n, {class pg_proc}, pg_catalog.min(x.oid), 0 " NAMED("pg_proc", "pronamespace", "proname")
    "  WHERE w.kind {=} 'f' GROUP BY w.n HAVING pg_catalog.count(*) {=} 1 "
    "  UNION ALL SELECT w.n, {class pg_namespace}, s.oid, 0 FROM wish w JOIN pg_catalog.pg_namespace s ON s.nspname {=} w.name "
    "  WHERE w.kind {=} 's' "
    "  UNION ALL SELECT w.n, {class pg_extension}, e.oid, 0 FROM wish w JOIN pg_catalog.pg_extension e ON e.extname {=} w.name "
    "  WHERE w.kind {=} 'e'), "
    "gone (n, class, id, sub) AS (SELECT z.n, z.class, z.id, z.sub FROM start z UNION SELECT g.n, " DEPENDER
    "  FROM gone g JOIN wish w ON w.n {=} g.n AND NOT w.retyped JOIN " STANDS_ON("g") ITS_VIEW
    "  WHERE d.deptype {in a,e,i,P,S,x}), "
    "base (n, class, id, sub) AS (SELECT g.n, g.class, g.id, g.sub FROM gone g UNION SELECT b.n, " DEPENDER
    "  FROM base b JOIN wish w ON w.n {=} b.n AND w.cascades AND NOT w.retyped JOIN " STANDS_ON("b") ITS_VIEW
    "  WHERE d.deptype {in a,e,i,n,P,S,x}), "
    "hit (n, class, id, sub) AS (SELECT b.n, " DEPENDER "FROM base b JOIN wish w ON w.n {=} b.n JOIN " STANDS_ON("b") ITS_VIEW
    "  WHERE CASE WHEN w.retyped THEN d.deptype {in a,n} AND (d.classid IN ({class pg_rewrite}, {class pg_trigger}, "
    "  {class pg_policy}, {class pg_proc}, {class pg_publication_rel}) OR (d.classid {=} {class pg_attrdef} AND NOT EXISTS (SELECT FROM "
    "  pg_catalog.pg_attrdef o WHERE o.oid {=} d.objid AND o.adrelid {=} b.id AND o.adnum {=} b.sub))) ELSE d.deptype {=} 'n' END), "
    "holds (n, type) AS (SELECT t.n, c.reltype FROM tree t JOIN wish w ON w.n {=} t.n AND w.retyped JOIN pg_catalog.pg_class c ON "
    "  c.oid {=} t.id UNION SELECT o.n, COALESCE(c.reltype, d.objid) FROM holds o JOIN pg_catalog.pg_depend d ON "
    "  d.refclassid {=} {class pg_type} AND d.refobjid {=} o.type LEFT JOIN pg_catalog.pg_class c ON d.classid {=} {class pg_class} "
    "  AND c.oid {=} d.objid AND c.relkind {=} 'c' WHERE d.classid {=} {class pg_type} OR c.oid IS NOT NULL), "
    "found AS (SELECT o.n, d.classid AS class, d.objid AS id, d.objsubid AS sub FROM holds o JOIN pg_catalog.pg_depend d ON "
    "  d.refclassid {=} {class pg_type} AND d.refobjid {=} o.type AND d.classid {=} {class pg_class} AND d.objsubid {>} 0 "
    "  JOIN pg_catalog.pg_class c ON c.oid {=} d.objid AND c.relkind {in m,p,r} "
    "  UNION SELECT h.n, h.class, h.id, h.sub FROM hit h WHERE NOT EXISTS (SELECT FROM gone g WHERE g.n {=} h.n AND "
    "  g.class {=} h.class AND g.id {=} h.id AND g.sub IN (0, h.sub))) "
    "SELECT f.n, CASE WHEN f.class {=} {class pg_proc} THEN 'f' WHEN f.class {=} {class pg_attrdef} OR (f.class {=} {class pg_class} "
    "  AND f.sub {>} 0) THEN 'c' WHEN f.class IN ({class pg_class}, {class pg_type}) THEN 'r' WHEN c.oid IS NULL THEN 'o' ELSE 'p' END, "
    "  COALESCE(i.schema, n.nspname), COALESCE(c.relname, p.proname, y.typname, ''), "
    "  COALESCE(a.attname, k.conname, t.tgname, q.polname, v.rulename, ''), i.type, i.identity, COALESCE(m.nspname, ''), "
    "  COALESCE(o.relname, '') "
    "FROM found f "
    "LEFT JOIN pg_catalog.pg_rewrite v ON f.class {=} {class pg_rewrite} AND v.oid {=} f.id "
    "LEFT JOIN pg_catalog.pg_attrdef e ON f.class {=} {class pg_attrdef} AND e.oid {=} f.id "
    "LEFT JOIN pg_catalog.pg_constraint k ON f.class {=} {class pg_constraint} AND k.oid {=} f.id "
    "LEFT JOIN pg_catalog.pg_trigger t ON f.class {=} {class pg_trigger} AND t.oid {=} f.id "
    "LEFT JOIN pg_catalog.pg_policy q ON f.class {=} {class pg_policy} AND q.oid {=} f.id "
    "LEFT JOIN pg_catalog.pg_proc p ON f.class {=} {class pg_proc} AND p.oid {=} f.id "
    "LEFT JOIN pg_catalog.pg_type y ON f.class {=} {class pg_type} AND y.oid {=} f.id "
    "LEFT JOIN pg_catalog.pg_class c ON c.oid {=} COALESCE(v.ev_class, e.adrelid, NULLIF(k.conrelid, 0), t.tgrelid, q.polrelid, "
    "  CASE WHEN f.class {=} {class pg_class} THEN f.id END) "
    "LEFT JOIN pg_catalog.pg_namespace n ON n.oid {=} c.relnamespace "
    "LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid {=} c.oid AND a.attnum {=} COALESCE(e.adnum, NULLIF(f.sub, 0)) "
    "LEFT JOIN LATERAL (SELECT z.refobjid FROM pg_catalog.pg_depend z WHERE f.class {=} {class pg_class} AND z.classid {=} f.class AND "
    "  z.objid {=} f.id AND z.refclassid {=} f.class AND z.deptype {in a,i} LIMIT 1) u ON true "
    "LEFT JOIN pg_catalog.pg_class o ON o.oid {=} u.refobjid "
    "LEFT JOIN pg_catalog.pg_namespace m ON m.oid {=} o.relnamespace "
    "CROSS JOIN LATERAL pg_catalog.pg_identify_object(f.class, f.id, f.sub) i "
    "WHERE NOT COALESCE(t.tgisinternal, false) ORDER BY 1, 6, 7 LIMIT ";
/* clang-format on */

static void
add_text(Buf *b, const char *text)
{
    buf_addc(b, ',');
    sql_add_literal(b, str_of(text));
}

static void
add_query(Buf *b, const Reading *r, const StandGones *list)
{
    buf_addz(b, "WITH RECURSIVE wish (n, kind, s, name, sub, retyped, cascades) AS (VALUES ");
    for (size_t i = 0; i < list->n; i++) {
        const StandGone *g = &list->v[i];
        buf_fmt(b, "%s(%zu,'%c'", i ? "," : "", i, g->what.kind);
        add_text(b, g->what.schema);
        add_text(b, g->what.name);
        add_text(b, g->what.sub);
        buf_fmt(b, ",%s,%s)", g->is_retyped ? "true" : "false", g->is_cascade ? "true" : "false");
    }
    buf_addz(b, "),");
    intro_query_add(b, r, query);
    buf_fmt(b, "%d", STANDING_MAX);
}

static const char *
text(Arena *a, const DbRows *r, int row, int col)
{
    return str_dup(a, db_cell(r, row, col));
}

static void
take(Arena *a, const DbRows *r, Standings *ret)
{
    for (int i = 0; r->cols == 9 && i < r->rows; i++)
        *vec_add(a, ret) =
            (Standing){.of = (size_t)cell_big(db_cell(r, i, 0)),
                       .what = {(StandKind)cell_letter(db_cell(r, i, 1)), text(a, r, i, 2),
                                text(a, r, i, 3), text(a, r, i, 4)},
                       .type = text(a, r, i, 5),
                       .identity = text(a, r, i, 6),
                       .owner_schema = text(a, r, i, 7),
                       .owner = text(a, r, i, 8)};
}

bool
introspect_standing(Arena *a, Db *db, const StandGones *list, int64_t timeout_ms, Standings *ret,
                    bool *ret_answered, Err *err)
{
    ARENA_LOCAL(scratch);
    const Reading r = {.scratch = scratch, .major = db_info(db)->version / 10000};
    static const DbRun run = {0};
    DbOutcome o;
    Buf b;
    *ret_answered = true;
    if (!list->n)
        return true;
    buf_init(&b, scratch);
    buf_fmt(&b,
            "BEGIN READ ONLY;SET LOCAL search_path = '';SET LOCAL statement_timeout = %lld;"
            "SET LOCAL lock_timeout = %lld;",
            (long long)timeout_ms, (long long)timeout_ms);
    add_query(&b, &r, list);
    db_run(db, scratch, buf_str(&b), &run, &o);
    if (o.end == DB_LOST || o.cancelled)
        return db_outcome_err(&o, "asking what stands on what goes", err);
    *ret_answered = o.end == DB_DONE;
    vec_each (const DbRows, rows, &o.results)
        if (*ret_answered)
            take(a, rows, ret);
    return db_query(db, scratch, STR("ROLLBACK"), NULL, err);
}
