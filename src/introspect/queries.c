/* clang-format off */
/* The queries. Names and operators are qualified, although search_path is empty while they run.
 *
 * Catalogs: https://www.postgresql.org/docs/current/catalogs.html; what older versions lack is told
 * by the release notes of 14 to 18. In braces (see intro_query_add):
 *   {=} {<>} {>} {>=}    pg_catalog's operators
 *   {ns}, {outside}      = any of the schemas that are read, that are not
 *   {in a,b}             = any of these letters
 *   {class pg_x}         oid of that catalog
 *   {member pg_x x.oid}  whether the object belongs to an extension
 *   {made pg_x x.oid}    the same, or it came with another object (constructors of ranges)
 *   {text x|call}        what the call prints of x; '' when x vanished since the snapshot
 *   {secret}             whether the option o is one whose value stays unread: its name says so, or the
 *                        value holds one ("postgres://me:it@host", "password=it")
 *   {15|new|old}         since that version, and before
 * 16384 is the first oid of objects that initdb did not make. */
#include "introspect/introspect_int.h"

const Query intro_schema_query = {
    "SELECT n.oid, n.nspname, pg_catalog.pg_get_userbyid(n.nspowner), n.nspacl, "
    "  {member pg_namespace n.oid} "
    "FROM pg_catalog.pg_namespace n "
    "WHERE NOT pg_catalog.starts_with(n.nspname::pg_catalog.text, 'pg_') AND "
    "  n.nspname {<>} 'information_schema'",
    intro_row_schema};

const Query intro_queries[] = {
    /* Every new database has plpgsql. */
    {"SELECT e.oid, e.extname, n.nspname, e.extversion, pg_catalog.pg_get_userbyid(e.extowner) "
     "FROM pg_catalog.pg_extension e JOIN pg_catalog.pg_namespace n ON n.oid {=} e.extnamespace "
     "WHERE NOT (e.extname {=} 'plpgsql' AND n.nspname {=} 'pg_catalog')",
     intro_row_extension},

    {"SELECT o.oid, n.nspname, o.opcname "
     "FROM pg_catalog.pg_opclass o JOIN pg_catalog.pg_namespace n ON n.oid {=} o.opcnamespace "
     "WHERE NOT o.opcdefault",
     intro_row_opclass},

    {"SELECT o.oid, n.nspname, o.collname "
     "FROM pg_catalog.pg_collation o JOIN pg_catalog.pg_namespace n ON n.oid {=} o.collnamespace",
     intro_row_collation},

    {"SELECT t.oid, t.typarray, n.nspname, t.typname, t.typtype, t.typrelid, "
     "  pg_catalog.pg_get_userbyid(t.typowner), t.typacl, {member pg_type t.oid}, CASE WHEN "
     "  t.typtype {=} 'd' THEN pg_catalog.format_type(t.typbasetype, t.typtypmod) END, "
     "  t.typnotnull, pg_catalog.pg_get_expr(t.typdefaultbin, 0), CASE WHEN "
     "  t.typcollation {<>} b.typcollation THEN t.typcollation END "
     "FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid {=} t.typnamespace "
     "LEFT JOIN pg_catalog.pg_type b ON b.oid {=} t.typbasetype "
     "LEFT JOIN pg_catalog.pg_class c ON c.oid {=} t.typrelid "
     "WHERE t.typnamespace {ns} AND (t.typtype {in d,e} OR c.relkind {=} 'c')",
     intro_row_type},

    {"SELECT e.enumtypid, e.enumlabel "
     "FROM pg_catalog.pg_enum e JOIN pg_catalog.pg_type t ON t.oid {=} e.enumtypid "
     "WHERE t.typnamespace {ns} ORDER BY e.enumtypid, e.enumsortorder",
     intro_row_label},

    {"SELECT c.oid, c.reltype, t.typarray, n.nspname, c.relname, c.relkind, "
     "  pg_catalog.pg_get_userbyid(c.relowner), c.relacl, {member pg_class c.oid}, "
     "  c.relpersistence, c.reloptions, o.reloptions, s.spcname, CASE WHEN m.amname {<>} 'heap' "
     "  THEN m.amname END, c.relreplident, c.relrowsecurity, c.relforcerowsecurity, CASE WHEN "
     "  c.relkind {=} 'p' THEN pg_catalog.pg_get_partkeydef(c.oid) END, c.relispartition, "
     "  pg_catalog.pg_get_expr(c.relpartbound, c.oid), (SELECT "
     "  pg_catalog.array_agg(ARRAY[pn.nspname, p.relname] ORDER BY h.inhseqno) FROM "
     "  pg_catalog.pg_inherits h JOIN pg_catalog.pg_class p ON p.oid {=} h.inhparent JOIN "
     "  pg_catalog.pg_namespace pn ON pn.oid {=} p.relnamespace WHERE h.inhrelid {=} c.oid), "
     "  ofn.nspname, oft.typname, CASE WHEN c.relkind {in m,v} THEN "
     "  {text c.oid|pg_catalog.pg_get_viewdef(c.oid)} END "
     "FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid {=} c.relnamespace "
     "LEFT JOIN pg_catalog.pg_type t ON t.oid {=} c.reltype "
     "LEFT JOIN pg_catalog.pg_class o ON o.oid {=} c.reltoastrelid AND o.reloptions IS NOT NULL "
     "LEFT JOIN pg_catalog.pg_tablespace s ON s.oid {=} c.reltablespace "
     "LEFT JOIN pg_catalog.pg_am m ON m.oid {=} c.relam "
     "LEFT JOIN pg_catalog.pg_type oft ON oft.oid {=} c.reloftype "
     "LEFT JOIN pg_catalog.pg_namespace ofn ON ofn.oid {=} oft.typnamespace "
     "WHERE c.relnamespace {ns} AND c.relkind {in m,p,r,v}",
     intro_row_relation},

    /* A default cannot refer to columns; without the relation the server need not load it. */
    {"SELECT a.attrelid, a.attnum, a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod), "
     "  a.attnotnull, a.attidentity, a.attgenerated, a.attcollation, "
     "  a.attcollation {<>} t.typcollation, CASE WHEN a.attstorage {<>} t.typstorage THEN "
     "  a.attstorage END, {14|a.attcompression|''}, CASE WHEN a.attstattarget {>=} 0 THEN "
     "  a.attstattarget END, a.attoptions, a.attinhcount {>} 0 AND NOT a.attislocal, a.attacl, "
     "  d.oid, {text d.adbin|pg_catalog.pg_get_expr(d.adbin, "
     "  CASE WHEN a.attgenerated {=} '' THEN 0::pg_catalog.oid ELSE d.adrelid END)} "
     "FROM pg_catalog.pg_class c JOIN pg_catalog.pg_attribute a ON a.attrelid {=} c.oid "
     "JOIN pg_catalog.pg_type t ON t.oid {=} a.atttypid "
     "LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid {=} a.attrelid AND d.adnum {=} a.attnum "
     "WHERE c.relnamespace {ns} AND c.relkind {in c,m,p,r,v} AND a.attnum {>} 0 AND "
     "  NOT a.attisdropped",
     intro_row_column},

    {"SELECT c.oid, n.nspname, c.relname, pg_catalog.pg_get_userbyid(c.relowner), c.relacl, "
     "  {member pg_class c.oid}, c.relpersistence, pg_catalog.format_type(s.seqtypid, NULL), "
     "  s.seqstart, s.seqincrement, s.seqmin, s.seqmax, s.seqcache, s.seqcycle, d.deptype, "
     "  d.refobjid, d.refobjsubid "
     "FROM pg_catalog.pg_sequence s JOIN pg_catalog.pg_class c ON c.oid {=} s.seqrelid "
     "JOIN pg_catalog.pg_namespace n ON n.oid {=} c.relnamespace "
     "LEFT JOIN pg_catalog.pg_depend d ON d.classid {=} {class pg_class} AND d.objid {=} c.oid "
     "  AND d.objsubid {=} 0 AND d.refclassid {=} {class pg_class} AND d.deptype {in a,i} "
     "WHERE c.relnamespace {ns}",
     intro_row_sequence},

    {"SELECT p.oid, n.nspname, p.proname, p.prokind {=} 'p', "
     "  pg_catalog.oidvectortypes(p.proargtypes), pg_catalog.pg_get_function_arguments(p.oid), "
     "  pg_catalog.pg_get_function_result(p.oid), {text p.oid|pg_catalog.pg_get_functiondef(p.oid)}, "
     "  pg_catalog.pg_get_userbyid(p.proowner), p.proacl "
     "FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid {=} p.pronamespace "
     "WHERE p.pronamespace {ns} AND p.prokind {<>} 'a' AND NOT {made pg_proc p.oid}",
     intro_row_function},

    /* Foreign keys of partitions, and those that a partitioned table referred to makes, belong to the
     * one that was declared. */
    {"SELECT k.oid, k.conrelid, k.contypid, k.conname, k.contype, k.condeferrable, "
     "  k.condeferred, k.convalidated, k.conkey, k.confrelid, rn.nspname, r.relname, k.confkey, "
     "  CASE WHEN r.relnamespace IS NOT NULL AND NOT (r.relnamespace {ns}) THEN (SELECT "
     "  pg_catalog.array_agg(a.attname ORDER BY u.place) FROM pg_catalog.unnest(k.confkey) WITH "
     "  ORDINALITY u(num, place) JOIN pg_catalog.pg_attribute a ON a.attrelid {=} k.confrelid "
     "  AND a.attnum {=} u.num) END, k.confupdtype, k.confdeltype, k.confmatchtype, "
     "  k.connoinherit, k.conparentid {<>} 0 OR (k.coninhcount {>} 0 AND NOT k.conislocal), "
     "  {text k.conbin|pg_catalog.pg_get_expr(k.conbin, k.conrelid)}, "
     "  {15|k.confdelsetcols|NULL::pg_catalog.text}, {18|k.conenforced|true}, "
     "  {18|k.conperiod|false}, CASE WHEN k.contype {=} 'x' THEN (SELECT "
     "  pg_catalog.array_agg(CASE WHEN n.nspname {=} 'pg_catalog' THEN "
     "  o.oprname::pg_catalog.text ELSE pg_catalog.format('OPERATOR(%I.%s)', n.nspname, "
     "  o.oprname) END ORDER BY u.place) FROM pg_catalog.unnest(k.conexclop) WITH ORDINALITY "
     "  u(op, place) JOIN pg_catalog.pg_operator o ON o.oid {=} u.op JOIN "
     "  pg_catalog.pg_namespace n ON n.oid {=} o.oprnamespace) END, "
     "  {17|CASE WHEN k.contype {=} 'n' THEN pg_catalog.obj_description(k.oid, 'pg_constraint') "
     "  END|NULL} "
     "FROM pg_catalog.pg_constraint k LEFT JOIN pg_catalog.pg_class r ON r.oid {=} k.confrelid "
     "LEFT JOIN pg_catalog.pg_namespace rn ON rn.oid {=} r.relnamespace "
     "WHERE k.connamespace {ns} AND (k.contype {in c,p,u,x} OR (k.contype {=} 'f' AND "
     "  k.conparentid {=} 0){17| OR k.contype {=} 'n'|})",
     intro_row_constraint},

    {"SELECT i.indexrelid, c.relname, c.relkind, i.indrelid, k.oid, m.amname, i.indisunique, "
     "  {15|i.indnullsnotdistinct|false}, i.indnkeyatts, i.indkey, i.indoption, i.indclass, "
     "  i.indcollation, CASE WHEN i.indexprs IS NOT NULL THEN (SELECT "
     "  pg_catalog.array_agg({text g.k|pg_catalog.pg_get_indexdef(i.indexrelid, g.k, false)} "
     "  ORDER BY g.k) "
     "  FROM pg_catalog.generate_series(1, i.indnkeyatts::pg_catalog.int4) g(k)) END, "
     "  {text i.indpred|pg_catalog.pg_get_expr(i.indpred, i.indrelid)}, c.reloptions, s.spcname, pn.nspname, "
     "  p.relname, i.indisvalid AND i.indisready AND i.indislive, i.indisreplident, "
     "  i.indisclustered "
     "FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid {=} i.indexrelid "
     "JOIN pg_catalog.pg_am m ON m.oid {=} c.relam "
     "LEFT JOIN pg_catalog.pg_constraint k ON k.conindid {=} i.indexrelid AND "
     "  k.conrelid {=} i.indrelid AND k.contype {in p,u,x} "
     "LEFT JOIN pg_catalog.pg_tablespace s ON s.oid {=} c.reltablespace "
     "LEFT JOIN pg_catalog.pg_inherits h ON h.inhrelid {=} i.indexrelid "
     "LEFT JOIN pg_catalog.pg_class p ON p.oid {=} h.inhparent "
     "LEFT JOIN pg_catalog.pg_namespace pn ON pn.oid {=} p.relnamespace "
     "WHERE c.relnamespace {ns}",
     intro_row_index},

    {"SELECT a.attrelid, a.attnum, a.attoptions, CASE WHEN a.attstattarget {>=} 0 THEN a.attstattarget END "
     "FROM pg_catalog.pg_class c JOIN pg_catalog.pg_attribute a ON a.attrelid {=} c.oid "
     "WHERE c.relnamespace {ns} AND c.relkind {in I,i} AND (a.attoptions IS NOT NULL OR a.attstattarget {>=} 0)",
     intro_row_index_option},

    /* Those of partitions belong to their table, but for the state. */
    {"SELECT t.oid, t.tgrelid, t.tgname, n.nspname, p.proname, CASE WHEN t.tgparentid {=} 0 THEN "
     "  {text t.oid|pg_catalog.pg_get_triggerdef(t.oid)} END, t.tgenabled "
     "FROM pg_catalog.pg_trigger t JOIN pg_catalog.pg_class c ON c.oid {=} t.tgrelid "
     "JOIN pg_catalog.pg_proc p ON p.oid {=} t.tgfoid "
     "JOIN pg_catalog.pg_namespace n ON n.oid {=} p.pronamespace "
     "LEFT JOIN pg_catalog.pg_trigger o ON o.oid {=} t.tgparentid "
     "WHERE c.relnamespace {ns} AND (CASE WHEN t.tgparentid {=} 0 THEN NOT t.tgisinternal ELSE "
     "  NOT o.tgisinternal AND o.tgenabled {<>} t.tgenabled END)",
     intro_row_trigger},

    {"SELECT w.oid, w.ev_class, w.rulename, CASE WHEN w.rulename {<>} '_RETURN' THEN "
     "  {text w.oid|pg_catalog.pg_get_ruledef(w.oid)} END, w.ev_enabled "
     "FROM pg_catalog.pg_rewrite w JOIN pg_catalog.pg_class c ON c.oid {=} w.ev_class "
     "WHERE c.relnamespace {ns}",
     intro_row_rule},

    {"SELECT p.oid, p.polrelid, p.polname, p.polcmd, p.polpermissive, (SELECT "
     "  pg_catalog.array_agg(r.rolname) FROM pg_catalog.pg_roles r WHERE r.oid {=} ANY "
     "  (p.polroles)), {text p.polqual|pg_catalog.pg_get_expr(p.polqual, p.polrelid)}, "
     "  {text p.polwithcheck|pg_catalog.pg_get_expr(p.polwithcheck, p.polrelid)} "
     "FROM pg_catalog.pg_policy p JOIN pg_catalog.pg_class c ON c.oid {=} p.polrelid "
     "WHERE c.relnamespace {ns}",
     intro_row_policy},

    {NULL, intro_row_defined}, /* defined.c writes it */

    {NULL, intro_row_dependent}, /* and dependents.c */

    {"SELECT d.classoid, d.objoid, d.objsubid, d.description, t.typtype "
     "FROM pg_catalog.pg_description d "
     "LEFT JOIN pg_catalog.pg_type t ON d.classoid {=} {class pg_type} AND t.oid {=} d.objoid "
     "LEFT JOIN pg_catalog.pg_type e ON e.oid {=} t.typelem AND e.typarray {=} t.oid "
     "WHERE (d.objoid {>=} 16384 OR d.classoid {=} {class pg_namespace}) AND e.oid IS NULL",
     intro_row_comment},

    /* What expressions, queries and signatures use; types of columns, keys and the like are fields. */
    {"SELECT d.classid, d.objid, d.refclassid, d.refobjid, d.refobjsubid, d.objsubid "
     "FROM pg_catalog.pg_depend d "
     /* Up to 14 it is a generated column itself that uses what its expression does. */
     "WHERE ((d.deptype {=} 'n' AND d.objsubid {=} 0){15|| OR (d.deptype {=} 'a' AND "
     "  d.classid {=} {class pg_class} AND d.refclassid {<>} {class pg_class} AND d.objsubid {>} 0 AND EXISTS "
     "  (SELECT FROM pg_catalog.pg_attribute a WHERE a.attrelid {=} d.objid AND "
     "  a.attnum {=} d.objsubid AND a.attgenerated {<>} ''))}) AND d.refobjid {>=} 16384 AND "
     /* A query that groups by a primary key uses that, one with ON CONFLICT ON CONSTRAINT what it names. */
     "  d.refclassid {=} ANY (ARRAY[{class pg_class}, {class pg_constraint}, {class pg_proc}, "
     "  {class pg_type}, {class pg_operator}, {class pg_opclass}, {class pg_opfamily}, "
     "  {class pg_collation}, {class pg_ts_config}, {class pg_ts_dict}, "
     "  {class pg_language}, {class pg_transform}]::pg_catalog.oid[]) AND (d.classid {=} ANY (ARRAY[{class pg_attrdef}, "
     "  {class pg_class}, {class pg_policy}, {class pg_proc}, {class pg_rewrite}, "
     "  {class pg_trigger}, {class pg_type}]::pg_catalog.oid[]) OR "
     "  (d.classid {=} {class pg_constraint} AND d.refclassid {<>} {class pg_class}))",
     intro_row_dependency},

    /* What is only named. */
    {"SELECT 'subscription', NULL::pg_catalog.text, x.subname::pg_catalog.text "
     "FROM pg_catalog.pg_subscription x JOIN pg_catalog.pg_database b ON b.oid {=} x.subdbid "
     "WHERE b.datname {=} pg_catalog.current_database() "
     "UNION ALL "
     "SELECT 'database setting', NULL, x.setting "
     "FROM (SELECT pg_catalog.unnest(s.setconfig) AS setting FROM pg_catalog.pg_db_role_setting s "
     "  JOIN pg_catalog.pg_database b ON b.oid {=} s.setdatabase "
     "  WHERE b.datname {=} pg_catalog.current_database()) x "
     "UNION ALL "
     "SELECT 'security label', NULL, x.provider FROM pg_catalog.pg_seclabel x "
     "UNION ALL "
     "SELECT 'statistics target of a constraint', n.nspname::pg_catalog.text, "
     "  c.relname::pg_catalog.text "
     "FROM pg_catalog.pg_attribute x JOIN pg_catalog.pg_class c ON c.oid {=} x.attrelid "
     "JOIN pg_catalog.pg_namespace n ON n.oid {=} c.relnamespace "
     "JOIN pg_catalog.pg_constraint k ON k.conindid {=} c.oid AND k.contype {in p,u,x} "
     "WHERE c.relnamespace {ns} AND c.relkind {in I,i} AND x.attstattarget {>=} 0",
     intro_row_other},
};
const size_t intro_nqueries = COUNT(intro_queries);
/* clang-format on */

/* ---- braces -------------------------------------------------------------------------------- */

/* What is before the next | that is in no inner braces; *rest is behind it. */
static Str
cut(Str *rest)
{
    Str all = *rest;
    int depth = 0;
    for (size_t i = 0; i < all.n; i++) {
        depth += (all.p[i] == '{') - (all.p[i] == '}');
        if (!depth && all.p[i] == '|') {
            *rest = str_slice(all, i + 1, all.n);
            return str_slice(all, 0, i);
        }
    }
    *rest = str_slice(all, all.n, all.n);
    return all;
}

static const char secret[] =
    "(o.option_name {~*} 'passw|passphrase|passcode|secret|token|credential|"
    "(access|api|private|account|encryption)_?key' OR "
    "o.option_value {~*} '://[^/@]*:[^/@]*@|passw(or)?d *=')";

static void
add_token(Buf *b, const Reading *r, Str token)
{
    Str rest = token, word = str_cut(&rest, ' ');
    if (str_is(word, "ns") || str_is(word, "outside")) {
        bool inside = str_is(word, "ns");
        const unsigned *oids = inside ? r->schemas.v : r->outside.v;
        buf_addz(b, "OPERATOR(pg_catalog.=) ANY ('{");
        for (size_t i = 0; i < (inside ? r->schemas.n : r->outside.n); i++)
            buf_fmt(b, "%s%u", i ? "," : "", oids[i]);
        buf_addz(b, "}'::pg_catalog.oid[])");
    } else if (str_is(word, "in")) {
        buf_fmt(b, "OPERATOR(pg_catalog.=) ANY ('{" STR_FMT "}'::pg_catalog.\"char\"[])",
                STR_ARG(rest));
    } else if (str_is(word, "class")) {
        buf_fmt(b, "'pg_catalog." STR_FMT "'::pg_catalog.regclass", STR_ARG(rest));
    } else if (str_is(word, "member") || str_is(word, "made")) {
        Str object = rest, catalog = str_cut(&object, ' ');
        intro_query_add(
            b, r,
            str_fmt(r->scratch,
                    "EXISTS (SELECT FROM pg_catalog.pg_depend m WHERE m.classid {=} "
                    "{class " STR_FMT "} AND m.objid {=} " STR_FMT " AND m.deptype {in %s})",
                    STR_ARG(catalog), STR_ARG(object), str_is(word, "made") ? "e,i" : "e"));
    } else if (str_is(word, "secret")) {
        intro_query_add(b, r, r->options && r->options->secrets ? "false" : secret);
    } else if (str_is(word, "text")) {
        Str call = rest, x = str_cut(&call, '|');
        intro_query_add(b, r,
                        str_fmt(r->scratch,
                                "CASE WHEN " STR_FMT " IS NOT NULL THEN COALESCE(" STR_FMT
                                ", '') END",
                                STR_ARG(x), STR_ARG(call)));
    } else if (str_contains(token, STR("|"))) {
        Str older = token, since = cut(&older), newer = cut(&older);
        long long version = 0;
        str_to_int(since, 0, 99, &version);
        intro_query_add(b, r, str_dup(r->scratch, r->major >= version ? newer : older));
    } else {
        buf_fmt(b, "OPERATOR(pg_catalog." STR_FMT ")", STR_ARG(token));
    }
}

/* The brace that closes the one at p. */
static const char *
closing(const char *p)
{
    int depth = 0;
    do {
        depth += (*p == '{') - (*p == '}');
    } while (depth && *++p);
    return p;
}

void
intro_query_add(Buf *b, const Reading *r, const char *sql)
{
    for (const char *open; (open = strchr(sql, '{'));) {
        const char *close = closing(open);
        buf_add(b, (Str){sql, (size_t)(open - sql)});
        add_token(b, r, (Str){open + 1, (size_t)(close - open - 1)});
        sql = close + 1;
    }
    buf_addz(b, sql);
}
