/* clang-format off */
/* Rare kinds, all of one shape (CatDefined): what makes an object is written by the query itself. A kind is
 * only asked about where its catalog has anything that initdb did not make. In braces: queries.c. */
#include "introspect/introspect_int.h"

typedef struct Defined {
    CatKind kind;
    int since;           /* version */
    const char *probe;   /* FROM ... WHERE of what says that there is any */
    const char *catalog; /* x */
    const char *table;   /* where rows are not read from there */
    const char *space;   /* column: its namespace, n; NULL = not in a schema */
    const char *joins, *where;
    /* expressions; NULL = NULL */
    const char *schema; /* where it is not n's */
    const char *name, *sub, *address, *definition, *removal, *setting, *options, *more, *owner, *acl, *enabled;
    const char *needs; /* texts of numbers: class, oid, column; beside its own rows in pg_depend */
    const char *column_secrets; /* what is left out of the definition, beside options */
    const char *types, *multirange, *goes_along;
    bool is_beside; /* made of a row that has an object of its own already: what that depends on is not its business */
} Defined;

#define MADE(catalog) "pg_catalog." catalog " x WHERE x.oid {>=} 16384"
#define Q(name) "pg_catalog.format('%I.%I', n.nspname, x." name ")"
#define QI(name) "pg_catalog.quote_ident(x." name ")"
#define WITH_FUNCTION(word, column) \
    "CASE WHEN " column "::pg_catalog.oid {<>} 0 THEN pg_catalog.concat(', " word " = ', " column "::pg_catalog.regproc) END"
#define WITH_TYPE(word, column) \
    "CASE WHEN " column " {<>} 0 THEN pg_catalog.concat(', " word " = ', pg_catalog.format_type(" column ", NULL)) END"
#define WITH_OPERATOR(word, column) \
    "CASE WHEN " column "::pg_catalog.oid {<>} 0 THEN (SELECT pg_catalog.format(', " word " = OPERATOR(%I.%s)', " \
    "m.nspname, o.oprname) FROM pg_catalog.pg_operator o JOIN pg_catalog.pg_namespace m ON m.oid {=} o.oprnamespace " \
    "WHERE o.oid {=} " column "::pg_catalog.oid) END"
#define WITH_NUMBER(word, column, usual) \
    "CASE WHEN " column " {<>} " usual " THEN pg_catalog.concat(', " word " = ', " column ") END"
#define MODIFY(word, column) \
    "CASE WHEN " column " {<>} CASE WHEN a.aggkind {=} 'n' THEN 'r'::pg_catalog.\"char\" ELSE 'w' END THEN " \
    "pg_catalog.concat(', " word " = ', CASE " column " WHEN 'r' THEN 'READ_ONLY' WHEN 's' THEN 'SHAREABLE' ELSE 'READ_WRITE' END) END"
#define WITH_NAME(word, catalog, prefix, column) \
    "CASE WHEN " column " {<>} 0 THEN (SELECT pg_catalog.format('" word "%I.%I', m.nspname, nm." prefix "name) FROM " \
    "pg_catalog." catalog " nm JOIN pg_catalog.pg_namespace m ON m.oid {=} nm." prefix "namespace WHERE nm.oid {=} " column ") END"
#define OWNER(column) "pg_catalog.pg_get_userbyid(x." column ")"
/* Members of an operator class or family, as its statements say them. */
#define MEMBER_OPERATOR \
    "pg_catalog.concat('OPERATOR ', o.amopstrategy, ' ', o.amopopr::pg_catalog.regoperator, " \
    WITH_NAME(" FOR ORDER BY ", "pg_opfamily", "opf", "o.amopsortfamily") ")"
#define MEMBER_FUNCTION \
    "pg_catalog.concat('FUNCTION ', p.amprocnum, ' (', pg_catalog.format_type(p.amproclefttype, NULL), ', ', " \
    "pg_catalog.format_type(p.amprocrighttype, NULL), ') ', p.amproc::pg_catalog.oid::pg_catalog.regprocedure)"
/* What needs a shell: its input function, or what makes its values canonical, takes the type itself. */
#define IS_BASE "x.typtype {in b,p} AND (x.typarray {<>} 0 OR NOT x.typisdefined) AND x.typisdefined"
#define HAS_SHELL \
    "((x.typtype {in b,p} AND (x.typarray {<>} 0 OR NOT x.typisdefined)) OR (x.typtype {=} 'r' AND EXISTS (SELECT FROM " \
    "pg_catalog.pg_range r WHERE r.rngtypid {=} x.oid AND r.rngcanonical::pg_catalog.oid {<>} 0)))"
/* The type and its functions need each other: only CASCADE drops them. */
#define REMOVAL_OF_TYPE \
    "pg_catalog.format('DO $drop$ BEGIN IF EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.refclassid = " \
    "''pg_catalog.pg_type''::pg_catalog.regclass AND d.refobjid IN (%1$L::pg_catalog.regtype, %2$L::pg_catalog.regtype) AND " \
    "d.deptype = ''n'' AND d.classid IN (''pg_catalog.pg_class''::pg_catalog.regclass, " \
    "''pg_catalog.pg_type''::pg_catalog.regclass)) THEN RAISE EXCEPTION ''columns or types use %%'', %1$L; END IF; " \
    "DROP TYPE %1$s CASCADE; END $drop$', " Q("typname") ", pg_catalog.format_type(x.typarray, NULL))"

static const Defined kinds[] = {
    {.kind = CAT_COLLATION, .probe = MADE("pg_collation"), .catalog = "pg_collation", .space = "collnamespace",
     .name = "x.collname", .address = Q("collname"), .owner = OWNER("collowner"),
     .definition =
        "pg_catalog.concat('CREATE COLLATION ', " Q("collname") ", ' (provider = ', CASE x.collprovider WHEN 'i' THEN 'icu' "
        "WHEN 'b' THEN 'builtin' WHEN 'd' THEN 'default' ELSE 'libc' END, CASE WHEN NOT x.collisdeterministic THEN "
        "', deterministic = false' END, "
        "{15|CASE WHEN {17|x.colllocale|x.colliculocale} IS NOT NULL THEN pg_catalog.format(', locale = %L', "
        "{17|x.colllocale|x.colliculocale}) ELSE|CASE WHEN x.collprovider {=} 'i' THEN pg_catalog.format(', locale = %L', "
        "x.collcollate) ELSE} "
        "CASE WHEN x.collcollate {=} x.collctype THEN pg_catalog.format(', locale = %L', x.collcollate) ELSE "
        "pg_catalog.format(', lc_collate = %L, lc_ctype = %L', x.collcollate, x.collctype) END END, "
        "{16|CASE WHEN x.collicurules IS NOT NULL THEN pg_catalog.format(', rules = %L', x.collicurules) END|NULL}, ')')"},
    {.kind = CAT_SHELL, .probe = MADE("pg_type") " AND " HAS_SHELL, .catalog = "pg_type", .space = "typnamespace",
     .where = HAS_SHELL, .name = "x.typname", .address = Q("typname"),
     .definition = "pg_catalog.concat('CREATE TYPE ', " Q("typname") ")", .goes_along = "x.typisdefined", .is_beside = true,
     .owner = "CASE WHEN NOT x.typisdefined THEN " OWNER("typowner") " END"},
    {.kind = CAT_BASE, .probe = MADE("pg_type") " AND " IS_BASE, .catalog = "pg_type", .space = "typnamespace",
     .where = IS_BASE, .name = "x.typname", .address = Q("typname"), .owner = OWNER("typowner"), .acl = "x.typacl",
     .types = "pg_catalog.concat_ws(' ', x.oid, x.typarray)", .removal = "ARRAY[" REMOVAL_OF_TYPE "]",
     .definition =
        "pg_catalog.concat('CREATE TYPE ', " Q("typname") ", ' (INTERNALLENGTH = ', CASE WHEN x.typlen {=} -1 THEN 'VARIABLE' "
        "ELSE x.typlen::pg_catalog.text END, " WITH_FUNCTION("INPUT", "x.typinput") ", " WITH_FUNCTION("OUTPUT", "x.typoutput") ", "
        WITH_FUNCTION("RECEIVE", "x.typreceive") ", " WITH_FUNCTION("SEND", "x.typsend") ", "
        WITH_FUNCTION("TYPMOD_IN", "x.typmodin") ", " WITH_FUNCTION("TYPMOD_OUT", "x.typmodout") ", "
        WITH_FUNCTION("ANALYZE", "x.typanalyze") ", {14|" WITH_FUNCTION("SUBSCRIPT", "x.typsubscript") "|NULL}, "
        "CASE WHEN x.typcollation {<>} 0 THEN ', COLLATABLE = true' END, CASE WHEN x.typdefault IS NOT NULL THEN "
        "pg_catalog.format(', DEFAULT = %L', x.typdefault) END, " WITH_TYPE("ELEMENT", "x.typelem") ", "
        "CASE WHEN x.typcategory {<>} 'U' THEN pg_catalog.format(', CATEGORY = %L', x.typcategory) END, "
        "CASE WHEN x.typispreferred THEN ', PREFERRED = true' END, CASE WHEN x.typdelim {<>} ',' THEN "
        "pg_catalog.format(', DELIMITER = %L', x.typdelim) END, ', ALIGNMENT = ', CASE x.typalign WHEN 'c' THEN 'char' "
        "WHEN 's' THEN 'int2' WHEN 'd' THEN 'double' ELSE 'int4' END, ', STORAGE = ', CASE x.typstorage WHEN 'e' THEN 'external' "
        "WHEN 'x' THEN 'extended' WHEN 'm' THEN 'main' ELSE 'plain' END, CASE WHEN x.typbyval THEN ', PASSEDBYVALUE' END, ')')"},
    {.kind = CAT_RANGE, .probe = MADE("pg_type") " AND x.typtype {=} 'r'", .catalog = "pg_type", .space = "typnamespace",
     .joins = "JOIN pg_catalog.pg_range r ON r.rngtypid {=} x.oid "
        "JOIN pg_catalog.pg_type b ON b.oid {=} r.rngsubtype "
        "{14|LEFT JOIN (pg_catalog.pg_type mt JOIN pg_catalog.pg_namespace mn ON mn.oid {=} mt.typnamespace) ON mt.oid {=} r.rngmultitypid|}",
     .name = "x.typname", .address = Q("typname"), .owner = OWNER("typowner"), .acl = "x.typacl",
     .types = "pg_catalog.concat_ws(' ', x.oid, x.typarray{14|, mt.oid, mt.typarray|})",
     .multirange = "{14|ARRAY[mn.nspname, mt.typname]|NULL}",
     .removal = "CASE WHEN r.rngcanonical::pg_catalog.oid {<>} 0 THEN ARRAY[" REMOVAL_OF_TYPE "] END",
     .definition =
        "pg_catalog.concat('CREATE TYPE ', " Q("typname") ", ' AS RANGE (subtype = ', pg_catalog.format_type(r.rngsubtype, NULL), "
        "{14|CASE WHEN mn.oid {<>} n.oid OR mt.typname::pg_catalog.text {<>} CASE WHEN pg_catalog.strpos(x.typname::pg_catalog.text, 'range') {>} 0 THEN "
        "pg_catalog.regexp_replace(x.typname::pg_catalog.text, 'range', 'multirange') ELSE pg_catalog.concat(x.typname, '_multirange') END "
        "THEN pg_catalog.format(', multirange_type_name = %I.%I', mn.nspname, mt.typname) END|NULL}, "
        "CASE WHEN NOT (SELECT o.opcdefault FROM pg_catalog.pg_opclass o WHERE o.oid {=} r.rngsubopc) THEN "
        WITH_NAME(", subtype_opclass = ", "pg_opclass", "opc", "r.rngsubopc") " END, "
        "CASE WHEN r.rngcollation {<>} b.typcollation THEN "
        WITH_NAME(", collation = ", "pg_collation", "coll", "r.rngcollation") " END, "
        WITH_FUNCTION("canonical", "r.rngcanonical") ", " WITH_FUNCTION("subtype_diff", "r.rngsubdiff") ", ')')"},
    {.kind = CAT_LANGUAGE, .probe = MADE("pg_language"), .catalog = "pg_language", .where = "x.oid {>=} 16384 AND x.lanispl",
     .name = "x.lanname", .address = QI("lanname"), .owner = OWNER("lanowner"), .acl = "x.lanacl",
     .definition =
        "pg_catalog.concat('CREATE ', CASE WHEN x.lanpltrusted THEN 'TRUSTED ' END, 'PROCEDURAL LANGUAGE ', " QI("lanname") ", "
        "CASE WHEN x.lanplcallfoid {<>} 0 THEN pg_catalog.concat(' HANDLER ', x.lanplcallfoid::pg_catalog.regproc) END, "
        "CASE WHEN x.laninline {<>} 0 THEN pg_catalog.concat(' INLINE ', x.laninline::pg_catalog.regproc) END, "
        "CASE WHEN x.lanvalidator {<>} 0 THEN pg_catalog.concat(' VALIDATOR ', x.lanvalidator::pg_catalog.regproc) END)"},
    {.kind = CAT_AGGREGATE, .probe = MADE("pg_proc") " AND x.prokind {=} 'a'", .catalog = "pg_proc", .space = "pronamespace",
     .joins = "JOIN pg_catalog.pg_aggregate a ON a.aggfnoid::pg_catalog.oid {=} x.oid",
     .name = "x.proname", .sub = "pg_catalog.oidvectortypes(x.proargtypes)", .owner = OWNER("proowner"), .acl = "x.proacl",
     .address = "pg_catalog.concat(" Q("proname") ", '(', CASE WHEN x.pronargs {=} 0 THEN '*' ELSE "
        "pg_catalog.pg_get_function_identity_arguments(x.oid) END, ')')",
     .definition =
        "pg_catalog.concat('CREATE AGGREGATE ', " Q("proname") ", '(', CASE WHEN x.pronargs {=} 0 THEN '*' ELSE "
        "pg_catalog.pg_get_function_arguments(x.oid) END, ') (SFUNC = ', a.aggtransfn, ', STYPE = ', "
        "pg_catalog.format_type(a.aggtranstype, NULL), " WITH_NUMBER("SSPACE", "a.aggtransspace", "0") ", "
        WITH_FUNCTION("FINALFUNC", "a.aggfinalfn") ", CASE WHEN a.aggfinalextra THEN ', FINALFUNC_EXTRA' END, "
        MODIFY("FINALFUNC_MODIFY", "a.aggfinalmodify") ", " WITH_FUNCTION("COMBINEFUNC", "a.aggcombinefn") ", "
        WITH_FUNCTION("SERIALFUNC", "a.aggserialfn") ", " WITH_FUNCTION("DESERIALFUNC", "a.aggdeserialfn") ", "
        "CASE WHEN a.agginitval IS NOT NULL THEN pg_catalog.format(', INITCOND = %L', a.agginitval) END, "
        WITH_FUNCTION("MSFUNC", "a.aggmtransfn") ", " WITH_FUNCTION("MINVFUNC", "a.aggminvtransfn") ", "
        WITH_TYPE("MSTYPE", "a.aggmtranstype") ", " WITH_NUMBER("MSSPACE", "a.aggmtransspace", "0") ", "
        WITH_FUNCTION("MFINALFUNC", "a.aggmfinalfn") ", CASE WHEN a.aggmfinalextra THEN ', MFINALFUNC_EXTRA' END, "
        "CASE WHEN a.aggmtransfn::pg_catalog.oid {<>} 0 THEN " MODIFY("MFINALFUNC_MODIFY", "a.aggmfinalmodify") " END, "
        "CASE WHEN a.aggminitval IS NOT NULL THEN pg_catalog.format(', MINITCOND = %L', a.aggminitval) END, "
        WITH_OPERATOR("SORTOP", "a.aggsortop") ", CASE WHEN a.aggkind {=} 'h' THEN ', HYPOTHETICAL' END, "
        "CASE x.proparallel WHEN 's' THEN ', PARALLEL = SAFE' WHEN 'r' THEN ', PARALLEL = RESTRICTED' END, ')')"},
    {.kind = CAT_OPERATOR, .probe = MADE("pg_operator"), .catalog = "pg_operator", .space = "oprnamespace",
     .where = "x.oprcode::pg_catalog.oid {<>} 0", /* others were only named, as a commutator */
     .name = "x.oprname", .owner = OWNER("oprowner"),
     .sub = "pg_catalog.format('%s, %s', CASE WHEN x.oprleft {=} 0 THEN 'NONE' ELSE pg_catalog.format_type(x.oprleft, NULL) END, "
        "CASE WHEN x.oprright {=} 0 THEN 'NONE' ELSE pg_catalog.format_type(x.oprright, NULL) END)",
     .address = "pg_catalog.format('%I.%s (%s, %s)', n.nspname, x.oprname, "
        "CASE WHEN x.oprleft {=} 0 THEN 'NONE' ELSE pg_catalog.format_type(x.oprleft, NULL) END, "
        "CASE WHEN x.oprright {=} 0 THEN 'NONE' ELSE pg_catalog.format_type(x.oprright, NULL) END)",
     .definition =
        "pg_catalog.concat(pg_catalog.format('CREATE OPERATOR %I.%s (FUNCTION = ', n.nspname, x.oprname), x.oprcode, "
        WITH_TYPE("LEFTARG", "x.oprleft") ", " WITH_TYPE("RIGHTARG", "x.oprright") ", "
        WITH_OPERATOR("COMMUTATOR", "x.oprcom") ", " WITH_OPERATOR("NEGATOR", "x.oprnegate") ", "
        "CASE WHEN x.oprcanmerge THEN ', MERGES' END, CASE WHEN x.oprcanhash THEN ', HASHES' END, "
        WITH_FUNCTION("RESTRICT", "x.oprrest") ", " WITH_FUNCTION("JOIN", "x.oprjoin") ", ')')"},
    {.kind = CAT_OPFAMILY, .probe = MADE("pg_opfamily"), .catalog = "pg_opfamily", .space = "opfnamespace",
     .joins = "JOIN pg_catalog.pg_am am ON am.oid {=} x.opfmethod", .name = "x.opfname", .sub = "am.amname",
     .address = "pg_catalog.format('%I.%I USING %I', n.nspname, x.opfname, am.amname)", .owner = OWNER("opfowner"),
     .definition = "pg_catalog.format('CREATE OPERATOR FAMILY %I.%I USING %I', n.nspname, x.opfname, am.amname)"},
    {.kind = CAT_OPCLASS, .probe = MADE("pg_opclass"), .catalog = "pg_opclass", .space = "opcnamespace",
     .joins = "JOIN pg_catalog.pg_am am ON am.oid {=} x.opcmethod", .name = "x.opcname", .sub = "am.amname",
     .address = "pg_catalog.format('%I.%I USING %I', n.nspname, x.opcname, am.amname)", .owner = OWNER("opcowner"),
     .needs = "(SELECT pg_catalog.string_agg(pg_catalog.concat_ws(' ', d.refclassid, d.refobjid, d.refobjsubid), ' ') FROM "
        "pg_catalog.pg_depend m JOIN pg_catalog.pg_depend d ON d.classid {=} m.classid AND d.objid {=} m.objid "
        "WHERE m.refclassid {=} {class pg_opclass} AND m.refobjid {=} x.oid AND m.classid {<>} {class pg_class} "
        "AND m.deptype {=} 'i')",
     .definition =
        "pg_catalog.concat('CREATE OPERATOR CLASS ', " Q("opcname") ", CASE WHEN x.opcdefault THEN ' DEFAULT' END, ' FOR TYPE ', "
        "pg_catalog.format_type(x.opcintype, NULL), pg_catalog.format(' USING %I', am.amname), "
        WITH_NAME(" FAMILY ", "pg_opfamily", "opf", "x.opcfamily") ", ' AS ', COALESCE(NULLIF(pg_catalog.concat_ws(', ', "
        "CASE WHEN x.opckeytype {<>} 0 THEN pg_catalog.concat('STORAGE ', pg_catalog.format_type(x.opckeytype, NULL)) END, "
        "(SELECT pg_catalog.string_agg(" MEMBER_OPERATOR ", ', ' ORDER BY o.amopstrategy) FROM pg_catalog.pg_amop o JOIN "
        "pg_catalog.pg_depend d ON d.classid {=} {class pg_amop} AND d.objid {=} o.oid AND d.refclassid {=} {class pg_opclass} "
        "AND d.refobjid {=} x.oid), "
        "(SELECT pg_catalog.string_agg(" MEMBER_FUNCTION ", ', ' ORDER BY p.amprocnum) FROM pg_catalog.pg_amproc p JOIN "
        "pg_catalog.pg_depend d ON d.classid {=} {class pg_amproc} AND d.objid {=} p.oid AND d.refclassid {=} {class pg_opclass} "
        "AND d.refobjid {=} x.oid)), ''), pg_catalog.concat('STORAGE ', pg_catalog.format_type(x.opcintype, NULL))))"},
    {.kind = CAT_OPMEMBER, .probe = MADE("pg_amop"), .catalog = "pg_amop", .schema = "n.nspname",
     .joins = "JOIN pg_catalog.pg_depend md ON md.classid {=} {class pg_amop} AND md.objid {=} x.oid AND md.refclassid {=} "
        "{class pg_opfamily} JOIN pg_catalog.pg_opfamily f ON f.oid {=} x.amopfamily JOIN pg_catalog.pg_am am ON am.oid {=} "
        "f.opfmethod JOIN pg_catalog.pg_namespace n ON n.oid {=} f.opfnamespace JOIN pg_catalog.pg_amop o ON o.oid {=} x.oid",
     .where = "n.oid {ns} AND NOT {made pg_opfamily f.oid}", .name = "f.opfname",
     .sub = "pg_catalog.format('%s operator %s (%s, %s)', am.amname, x.amopstrategy, pg_catalog.format_type(x.amoplefttype, NULL), "
        "pg_catalog.format_type(x.amoprighttype, NULL))",
     .address = "pg_catalog.format('%I.%I USING %I', n.nspname, f.opfname, am.amname)",
     .definition = "pg_catalog.concat('ALTER OPERATOR FAMILY ', pg_catalog.format('%I.%I USING %I', n.nspname, f.opfname, "
        "am.amname), ' ADD ', " MEMBER_OPERATOR ")",
     .removal = "ARRAY[pg_catalog.format('ALTER OPERATOR FAMILY %I.%I USING %I DROP OPERATOR %s (%s, %s)', n.nspname, f.opfname, "
        "am.amname, x.amopstrategy, pg_catalog.format_type(x.amoplefttype, NULL), pg_catalog.format_type(x.amoprighttype, NULL))]"},
    {.kind = CAT_OPMEMBER, .probe = MADE("pg_amproc"), .catalog = "pg_amproc", .schema = "n.nspname",
     .joins = "JOIN pg_catalog.pg_depend md ON md.classid {=} {class pg_amproc} AND md.objid {=} x.oid AND md.refclassid {=} "
        "{class pg_opfamily} JOIN pg_catalog.pg_opfamily f ON f.oid {=} x.amprocfamily JOIN pg_catalog.pg_am am ON am.oid {=} "
        "f.opfmethod JOIN pg_catalog.pg_namespace n ON n.oid {=} f.opfnamespace JOIN pg_catalog.pg_amproc p ON p.oid {=} x.oid",
     .where = "n.oid {ns} AND NOT {made pg_opfamily f.oid}", .name = "f.opfname",
     .sub = "pg_catalog.format('%s function %s (%s, %s)', am.amname, x.amprocnum, pg_catalog.format_type(x.amproclefttype, NULL), "
        "pg_catalog.format_type(x.amprocrighttype, NULL))",
     .address = "pg_catalog.format('%I.%I USING %I', n.nspname, f.opfname, am.amname)",
     .definition = "pg_catalog.concat('ALTER OPERATOR FAMILY ', pg_catalog.format('%I.%I USING %I', n.nspname, f.opfname, "
        "am.amname), ' ADD ', " MEMBER_FUNCTION ")",
     .removal = "ARRAY[pg_catalog.format('ALTER OPERATOR FAMILY %I.%I USING %I DROP FUNCTION %s (%s, %s)', n.nspname, f.opfname, "
        "am.amname, x.amprocnum, pg_catalog.format_type(x.amproclefttype, NULL), pg_catalog.format_type(x.amprocrighttype, NULL))]"},
    {.kind = CAT_CAST, .probe = MADE("pg_cast"), .catalog = "pg_cast", .where = "x.oid {>=} 16384",
     .name = "pg_catalog.format('%s AS %s', pg_catalog.format_type(x.castsource, NULL), pg_catalog.format_type(x.casttarget, NULL))",
     .address = "pg_catalog.format('(%s AS %s)', pg_catalog.format_type(x.castsource, NULL), pg_catalog.format_type(x.casttarget, NULL))",
     .definition =
        "pg_catalog.concat(pg_catalog.format('CREATE CAST (%s AS %s)', pg_catalog.format_type(x.castsource, NULL), "
        "pg_catalog.format_type(x.casttarget, NULL)), CASE x.castmethod WHEN 'b' THEN ' WITHOUT FUNCTION' WHEN 'i' THEN ' WITH INOUT' "
        "ELSE pg_catalog.concat(' WITH FUNCTION ', x.castfunc::pg_catalog.regprocedure) END, "
        "CASE x.castcontext WHEN 'a' THEN ' AS ASSIGNMENT' WHEN 'i' THEN ' AS IMPLICIT' END)"},
    {.kind = CAT_CONVERSION, .probe = MADE("pg_conversion"), .catalog = "pg_conversion", .space = "connamespace",
     .name = "x.conname", .address = Q("conname"), .owner = OWNER("conowner"),
     .definition =
        "pg_catalog.concat('CREATE ', CASE WHEN x.condefault THEN 'DEFAULT ' END, 'CONVERSION ', " Q("conname") ", "
        "pg_catalog.format(' FOR %L TO %L FROM ', pg_catalog.pg_encoding_to_char(x.conforencoding), "
        "pg_catalog.pg_encoding_to_char(x.contoencoding)), x.conproc)"},
    {.kind = CAT_TRANSFORM, .probe = MADE("pg_transform"), .catalog = "pg_transform", .where = "x.oid {>=} 16384",
     .joins = "JOIN pg_catalog.pg_language l ON l.oid {=} x.trflang",
     .name = "pg_catalog.format('%s', pg_catalog.format_type(x.trftype, NULL))", .sub = "l.lanname",
     .address = "pg_catalog.format('FOR %s LANGUAGE %I', pg_catalog.format_type(x.trftype, NULL), l.lanname)",
     .definition =
        "pg_catalog.concat(pg_catalog.format('CREATE TRANSFORM FOR %s LANGUAGE %I (', pg_catalog.format_type(x.trftype, NULL), "
        "l.lanname), pg_catalog.concat_ws(', ', CASE WHEN x.trffromsql::pg_catalog.oid {<>} 0 THEN pg_catalog.concat("
        "'FROM SQL WITH FUNCTION ', x.trffromsql::pg_catalog.oid::pg_catalog.regprocedure) END, CASE WHEN "
        "x.trftosql::pg_catalog.oid {<>} 0 THEN pg_catalog.concat('TO SQL WITH FUNCTION ', "
        "x.trftosql::pg_catalog.oid::pg_catalog.regprocedure) END), ')')"},
    {.kind = CAT_ACCESS_METHOD, .probe = MADE("pg_am"), .catalog = "pg_am", .where = "x.oid {>=} 16384", .name = "x.amname",
     .address = QI("amname"),
     .definition = "pg_catalog.concat('CREATE ACCESS METHOD ', " QI("amname") ", ' TYPE ', CASE x.amtype WHEN 't' THEN 'TABLE' "
        "ELSE 'INDEX' END, ' HANDLER ', x.amhandler)"},
    {.kind = CAT_TS_PARSER, .probe = MADE("pg_ts_parser"), .catalog = "pg_ts_parser", .space = "prsnamespace",
     .name = "x.prsname", .address = Q("prsname"),
     .definition =
        "pg_catalog.concat('CREATE TEXT SEARCH PARSER ', " Q("prsname") ", ' (START = ', x.prsstart, ', GETTOKEN = ', x.prstoken, "
        "', END = ', x.prsend, " WITH_FUNCTION("HEADLINE", "x.prsheadline") ", ', LEXTYPES = ', x.prslextype, ')')"},
    {.kind = CAT_TS_TEMPLATE, .probe = MADE("pg_ts_template"), .catalog = "pg_ts_template", .space = "tmplnamespace",
     .name = "x.tmplname", .address = Q("tmplname"),
     .definition =
        "pg_catalog.concat('CREATE TEXT SEARCH TEMPLATE ', " Q("tmplname") ", ' (LEXIZE = ', x.tmpllexize, "
        WITH_FUNCTION("INIT", "x.tmplinit") ", ')')"},
    {.kind = CAT_TS_DICTIONARY, .probe = MADE("pg_ts_dict"), .catalog = "pg_ts_dict", .space = "dictnamespace",
     .name = "x.dictname", .address = Q("dictname"), .owner = OWNER("dictowner"),
     .definition =
        "pg_catalog.concat('CREATE TEXT SEARCH DICTIONARY ', " Q("dictname") ", "
        WITH_NAME(" (TEMPLATE = ", "pg_ts_template", "tmpl", "x.dicttemplate") ", CASE WHEN x.dictinitoption IS NOT NULL THEN "
        "pg_catalog.concat(', ', x.dictinitoption) END, ')')"},
    {.kind = CAT_TS_CONFIG, .probe = MADE("pg_ts_config"), .catalog = "pg_ts_config", .space = "cfgnamespace",
     .name = "x.cfgname", .address = Q("cfgname"), .owner = OWNER("cfgowner"),
     .definition =
        "pg_catalog.concat('CREATE TEXT SEARCH CONFIGURATION ', " Q("cfgname") ", "
        WITH_NAME(" (PARSER = ", "pg_ts_parser", "prs", "x.cfgparser") ", ')')"},
    {.kind = CAT_TS_MAPPING, .is_beside = true, .probe = MADE("pg_ts_config"), .catalog = "pg_ts_config", .space = "cfgnamespace",
     .table = "(SELECT c.*, k.alias, m.dicts, m.ids FROM pg_catalog.pg_ts_config c CROSS JOIN LATERAL (SELECT g.maptokentype, "
        "pg_catalog.string_agg(pg_catalog.format('%I.%I', dn.nspname, d.dictname), ', ' ORDER BY g.mapseqno) AS dicts, "
        "pg_catalog.string_agg(pg_catalog.concat_ws(' ', {class pg_ts_dict}::pg_catalog.oid, d.oid, 0), ' ') AS ids FROM "
        "pg_catalog.pg_ts_config_map g JOIN pg_catalog.pg_ts_dict d ON d.oid {=} g.mapdict JOIN pg_catalog.pg_namespace dn ON "
        "dn.oid {=} d.dictnamespace WHERE g.mapcfg {=} c.oid GROUP BY g.maptokentype) m JOIN LATERAL "
        "pg_catalog.ts_token_type(c.cfgparser) k ON k.tokid {=} m.maptokentype WHERE c.cfgnamespace {ns})",
     .name = "x.cfgname", .sub = "x.alias", .address = Q("cfgname"),
     .needs = "pg_catalog.concat_ws(' ', {class pg_ts_config}::pg_catalog.oid, x.oid, 0, x.ids)",
     .definition = "pg_catalog.concat('ALTER TEXT SEARCH CONFIGURATION ', " Q("cfgname") ", ' ADD MAPPING FOR ', x.alias, ' WITH ', x.dicts)",
     .removal = "ARRAY[pg_catalog.concat('ALTER TEXT SEARCH CONFIGURATION ', " Q("cfgname") ", ' DROP MAPPING FOR ', x.alias)]"},
    {.kind = CAT_FDW, .probe = MADE("pg_foreign_data_wrapper"), .catalog = "pg_foreign_data_wrapper", .where = "x.oid {>=} 16384",
     .name = "x.fdwname", .address = QI("fdwname"), .owner = OWNER("fdwowner"), .acl = "x.fdwacl", .options = "x.fdwoptions",
     .definition =
        "pg_catalog.concat('CREATE FOREIGN DATA WRAPPER ', " QI("fdwname") ", CASE WHEN x.fdwhandler {<>} 0 THEN "
        "pg_catalog.concat(' HANDLER ', x.fdwhandler::pg_catalog.regproc) END, CASE WHEN x.fdwvalidator {<>} 0 THEN "
        "pg_catalog.concat(' VALIDATOR ', x.fdwvalidator::pg_catalog.regproc) END)"},
    {.kind = CAT_SERVER, .probe = MADE("pg_foreign_server"), .catalog = "pg_foreign_server", .where = "x.oid {>=} 16384",
     .joins = "JOIN pg_catalog.pg_foreign_data_wrapper w ON w.oid {=} x.srvfdw",
     .name = "x.srvname", .address = QI("srvname"), .owner = OWNER("srvowner"), .acl = "x.srvacl", .options = "x.srvoptions",
     .definition =
        "pg_catalog.concat('CREATE SERVER ', " QI("srvname") ", CASE WHEN x.srvtype IS NOT NULL THEN pg_catalog.format(' TYPE %L', "
        "x.srvtype) END, pg_catalog.format(' FOREIGN DATA WRAPPER %I', w.fdwname))",
     .setting = "CASE WHEN x.srvversion IS NOT NULL THEN pg_catalog.format('VERSION %L', x.srvversion) END"},
    {.kind = CAT_USER_MAPPING, .probe = MADE("pg_foreign_server"), .catalog = "pg_user_mapping",
     .table = "(SELECT v.umid AS oid, v.* FROM pg_catalog.pg_user_mappings v)", .name = "x.srvname", .sub = "x.usename",
     .address = "pg_catalog.format('FOR %s SERVER %I', CASE WHEN x.umuser {=} 0 THEN 'PUBLIC' ELSE pg_catalog.quote_ident(x.usename) END, "
        "x.srvname)",
     .definition = "pg_catalog.format('CREATE USER MAPPING FOR %s SERVER %I', CASE WHEN x.umuser {=} 0 THEN 'PUBLIC' ELSE "
        "pg_catalog.quote_ident(x.usename) END, x.srvname)",
     .options = "x.umoptions"},
    {.kind = CAT_FOREIGN_TABLE, .probe = MADE("pg_class") " AND x.relkind {=} 'f'", .catalog = "pg_class", .space = "relnamespace",
     .joins = "JOIN pg_catalog.pg_foreign_table ft ON ft.ftrelid {=} x.oid JOIN pg_catalog.pg_foreign_server s ON s.oid {=} ft.ftserver",
     .name = "x.relname", .address = Q("relname"), .owner = OWNER("relowner"), .acl = "x.relacl", .options = "ft.ftoptions",
     .column_secrets = "(SELECT pg_catalog.array_agg(pg_catalog.format('%I.%I', a.attname, o.option_name) ORDER BY a.attnum) FROM "
        "pg_catalog.pg_attribute a CROSS JOIN LATERAL pg_catalog.pg_options_to_table(a.attfdwoptions) o WHERE a.attrelid {=} x.oid AND "
        "NOT a.attisdropped AND {secret})",
     .types = "(SELECT pg_catalog.concat_ws(' ', t.oid, t.typarray) FROM pg_catalog.pg_type t WHERE t.oid {=} x.reltype)",
     .needs = "(SELECT pg_catalog.string_agg(pg_catalog.concat_ws(' ', d.refclassid, d.refobjid, d.refobjsubid), ' ') FROM "
        "pg_catalog.pg_depend d WHERE (d.classid {=} {class pg_attrdef} AND d.objid {=} ANY (ARRAY(SELECT ad.oid FROM "
        "pg_catalog.pg_attrdef ad WHERE ad.adrelid {=} x.oid))) OR (d.classid {=} {class pg_constraint} AND d.objid {=} ANY (ARRAY("
        "SELECT k.oid FROM pg_catalog.pg_constraint k WHERE k.conrelid {=} x.oid))) OR (d.classid {=} {class pg_trigger} AND d.objid "
        "{=} ANY (ARRAY(SELECT g.oid FROM pg_catalog.pg_trigger g WHERE g.tgrelid {=} x.oid))) OR "
        "(d.classid {=} {class pg_class} AND d.objid {=} x.oid AND d.objsubid {>} 0))",
     .definition =
        "pg_catalog.concat('CREATE FOREIGN TABLE ', " Q("relname") ", ' (', (SELECT pg_catalog.string_agg(l.line, ',' ORDER BY l.place, "
        "l.line) FROM (SELECT a.attnum::pg_catalog.int4 AS place, pg_catalog.concat(E'\\n    ', pg_catalog.quote_ident(a.attname), ' ', "
        "pg_catalog.format_type(a.atttypid, a.atttypmod), CASE WHEN a.attfdwoptions IS NOT NULL THEN (SELECT pg_catalog.concat("
        "' OPTIONS (', pg_catalog.string_agg(pg_catalog.format('%I %L', o.option_name, o.option_value), ', '), ')') FROM "
        "pg_catalog.pg_options_to_table(a.attfdwoptions) o WHERE NOT {secret} HAVING pg_catalog.count(*) {>} 0) END, CASE WHEN a.attcollation {<>} t.typcollation THEN "
        WITH_NAME(" COLLATE ", "pg_collation", "coll", "a.attcollation") " END, CASE WHEN ad.adbin IS NOT NULL THEN CASE a.attgenerated "
        "WHEN 's' THEN pg_catalog.concat(' GENERATED ALWAYS AS (', pg_catalog.pg_get_expr(ad.adbin, ad.adrelid), ') STORED') "
        "WHEN 'v' THEN pg_catalog.concat(' GENERATED ALWAYS AS (', pg_catalog.pg_get_expr(ad.adbin, ad.adrelid), ')') "
        "ELSE pg_catalog.concat(' DEFAULT ', pg_catalog.pg_get_expr(ad.adbin, ad.adrelid)) END END, CASE WHEN a.attnotnull THEN "
        "' NOT NULL' END) AS line FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t ON t.oid {=} a.atttypid LEFT JOIN "
        "pg_catalog.pg_attrdef ad ON ad.adrelid {=} a.attrelid AND ad.adnum {=} a.attnum WHERE a.attrelid {=} x.oid AND a.attnum {>} 0 "
        "AND NOT a.attisdropped AND (a.attislocal OR x.relispartition) UNION ALL SELECT 10000, pg_catalog.format(E'\\n    CONSTRAINT "
        "%I %s', k.conname, pg_catalog.pg_get_constraintdef(k.oid)) FROM pg_catalog.pg_constraint k WHERE k.conrelid {=} x.oid AND "
        "k.contype {=} 'c' AND k.conislocal) l), E'\\n)', CASE WHEN NOT x.relispartition THEN (SELECT pg_catalog.concat("
        "' INHERITS (', pg_catalog.string_agg(pg_catalog.format('%I.%I', pn.nspname, p.relname), ', ' ORDER BY h.inhseqno), ')') FROM "
        "pg_catalog.pg_inherits h JOIN pg_catalog.pg_class p ON p.oid {=} h.inhparent JOIN pg_catalog.pg_namespace pn ON pn.oid {=} "
        "p.relnamespace WHERE h.inhrelid {=} x.oid HAVING pg_catalog.count(*) {>} 0) END, pg_catalog.format(' SERVER %I', s.srvname))",
     .more =
        "(SELECT pg_catalog.array_agg(l.line ORDER BY l.place, l.num, l.line) FROM (SELECT 1 AS place, 0 AS num, pg_catalog.format("
        "'ALTER TABLE ONLY %I.%I ATTACH PARTITION %I.%I %s', pn.nspname, p.relname, n.nspname, x.relname, "
        "pg_catalog.pg_get_expr(x.relpartbound, x.oid)) AS line FROM pg_catalog.pg_inherits h JOIN pg_catalog.pg_class p ON p.oid {=} "
        "h.inhparent JOIN pg_catalog.pg_namespace pn ON pn.oid {=} p.relnamespace WHERE h.inhrelid {=} x.oid AND x.relispartition "
        "UNION ALL SELECT 2, c.objsubid, pg_catalog.format('COMMENT ON COLUMN %I.%I.%I IS %L', n.nspname, x.relname, a.attname, "
        "c.description) FROM pg_catalog.pg_description c JOIN pg_catalog.pg_attribute a ON a.attrelid {=} c.objoid AND a.attnum {=} "
        "c.objsubid WHERE c.classoid {=} {class pg_class} AND c.objoid {=} x.oid AND c.objsubid {>} 0 "
        "UNION ALL SELECT 3, a.attnum::pg_catalog.int4, pg_catalog.concat(pg_catalog.format('ALTER FOREIGN TABLE ONLY %I.%I ALTER COLUMN %I "
        "SET STATISTICS ', n.nspname, x.relname, a.attname), a.attstattarget) FROM pg_catalog.pg_attribute a WHERE a.attrelid {=} x.oid "
        "AND a.attnum {>} 0 AND NOT a.attisdropped AND a.attstattarget {>=} 0 "
        "UNION ALL SELECT 4, 0, pg_catalog.pg_get_triggerdef(g.oid) FROM pg_catalog.pg_trigger g WHERE g.tgrelid {=} x.oid AND NOT "
        "g.tgisinternal AND g.tgparentid {=} 0 "
        "UNION ALL SELECT 5, 0, pg_catalog.format('GRANT %s (%I) ON TABLE %I.%I TO %s%s', acl.privilege_type, a.attname, n.nspname, "
        "x.relname, CASE WHEN acl.grantee {=} 0 THEN 'PUBLIC' ELSE pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(acl.grantee)) END, "
        "CASE WHEN acl.is_grantable THEN ' WITH GRANT OPTION' END) FROM pg_catalog.pg_attribute a CROSS JOIN LATERAL "
        "pg_catalog.aclexplode(a.attacl) acl WHERE a.attrelid {=} x.oid) l)"},
    {.kind = CAT_STATISTICS, .probe = MADE("pg_statistic_ext"), .catalog = "pg_statistic_ext", .space = "stxnamespace",
     .name = "x.stxname", .address = Q("stxname"), .owner = OWNER("stxowner"),
     /* Its columns are a set, printed by their places in the table. */
     .definition = "{text x.oid|pg_catalog.replace(pg_catalog.pg_get_statisticsobjdef(x.oid), (SELECT pg_catalog.concat(' ON ', "
        "pg_catalog.string_agg(pg_catalog.quote_ident(a.attname), ', ' ORDER BY a.attnum)) FROM pg_catalog.pg_attribute a WHERE "
        "a.attrelid {=} x.stxrelid AND a.attnum {=} ANY (x.stxkeys::pg_catalog.int2[])), (SELECT pg_catalog.concat(' ON ', "
        "pg_catalog.string_agg(pg_catalog.quote_ident(a.attname), ', ' ORDER BY a.attname)) FROM pg_catalog.pg_attribute a WHERE "
        "a.attrelid {=} x.stxrelid AND a.attnum {=} ANY (x.stxkeys::pg_catalog.int2[])))}",
     .setting = "CASE WHEN x.stxstattarget {>=} 0 THEN pg_catalog.concat('SET STATISTICS ', x.stxstattarget) END",
     .needs = "pg_catalog.concat_ws(' ', {class pg_class}::pg_catalog.oid, x.stxrelid, 0)"},
    {.kind = CAT_PUBLICATION, .probe = "pg_catalog.pg_publication x", .catalog = "pg_publication", .name = "x.pubname",
     .address = QI("pubname"), .owner = OWNER("pubowner"),
     .definition = "pg_catalog.concat('CREATE PUBLICATION ', " QI("pubname") ", CASE WHEN x.puballtables THEN ' FOR ALL TABLES' END)",
     .setting =
        "pg_catalog.concat('SET (publish = ', pg_catalog.quote_literal(pg_catalog.concat_ws(', ', CASE WHEN x.pubinsert THEN 'insert' END, "
        "CASE WHEN x.pubupdate THEN 'update' END, CASE WHEN x.pubdelete THEN 'delete' END, CASE WHEN x.pubtruncate THEN 'truncate' END)), "
        "', publish_via_partition_root = ', x.pubviaroot::pg_catalog.text, "
        "{18|CASE x.pubgencols WHEN 's' THEN ', publish_generated_columns = stored' ELSE ', publish_generated_columns = none' END|NULL}, ')')"},
    {.kind = CAT_PUBLISHED, .probe = "pg_catalog.pg_publication_rel x", .catalog = "pg_publication_rel",
     .joins = "JOIN pg_catalog.pg_publication p ON p.oid {=} x.prpubid JOIN pg_catalog.pg_class c ON c.oid {=} x.prrelid "
        "JOIN pg_catalog.pg_namespace n ON n.oid {=} c.relnamespace",
     .where = "n.oid {ns}", .name = "p.pubname", .sub = "pg_catalog.format('%I.%I', n.nspname, c.relname)",
     .address = "pg_catalog.quote_ident(p.pubname)",
     .definition =
        "pg_catalog.concat(pg_catalog.format('ALTER PUBLICATION %I ADD TABLE ONLY %I.%I', p.pubname, n.nspname, c.relname), "
        "{15|(SELECT pg_catalog.concat(' (', pg_catalog.string_agg(pg_catalog.quote_ident(a.attname), ', ' ORDER BY a.attname), ')') FROM "
        "pg_catalog.unnest(x.prattrs) WITH ORDINALITY u(num, place) JOIN pg_catalog.pg_attribute a ON a.attrelid {=} x.prrelid AND "
        "a.attnum {=} u.num HAVING pg_catalog.count(*) {>} 0), CASE WHEN x.prqual IS NOT NULL THEN pg_catalog.concat(' WHERE (', "
        "pg_catalog.pg_get_expr(x.prqual, x.prrelid), ')') END|NULL})",
     .removal = "ARRAY[pg_catalog.format('ALTER PUBLICATION %I DROP TABLE ONLY %I.%I', p.pubname, n.nspname, c.relname)]"},
    {.kind = CAT_PUBLISHED, .since = 15, .probe = "pg_catalog.pg_publication_namespace x", .catalog = "pg_publication_namespace",
     .joins = "JOIN pg_catalog.pg_publication p ON p.oid {=} x.pnpubid JOIN pg_catalog.pg_namespace n ON n.oid {=} x.pnnspid",
     .where = "n.oid {ns}", .name = "p.pubname", .sub = "n.nspname", .address = "pg_catalog.quote_ident(p.pubname)",
     .definition = "pg_catalog.format('ALTER PUBLICATION %I ADD TABLES IN SCHEMA %I', p.pubname, n.nspname)",
     .removal = "ARRAY[pg_catalog.format('ALTER PUBLICATION %I DROP TABLES IN SCHEMA %I', p.pubname, n.nspname)]"},
    {.kind = CAT_DEFAULT_ACL, .probe = "pg_catalog.pg_default_acl x", .catalog = "pg_default_acl", .schema = "n.nspname",
     .joins = "LEFT JOIN pg_catalog.pg_namespace n ON n.oid {=} x.defaclnamespace JOIN (VALUES ('r', 'TABLES'), ('S', 'SEQUENCES'), "
        "('f', 'FUNCTIONS'), ('T', 'TYPES'), ('n', 'SCHEMAS'), ('L', 'LARGE OBJECTS')) k(letter, words) ON k.letter {=} "
        "x.defaclobjtype::pg_catalog.text",
     .where = "(x.defaclnamespace {=} 0 OR x.defaclnamespace {ns})", .name = OWNER("defaclrole"),
     .sub = "pg_catalog.lower(k.words)", .address = "k.words",
     .more =
        "pg_catalog.array_cat(CASE WHEN x.defaclnamespace {=} 0 THEN ARRAY[pg_catalog.format('ALTER DEFAULT PRIVILEGES FOR ROLE %1$I "
        "REVOKE ALL ON %2$s FROM PUBLIC, %1$I', " OWNER("defaclrole") ", k.words)] END, "
        "COALESCE((SELECT pg_catalog.array_agg(pg_catalog.format('ALTER DEFAULT PRIVILEGES FOR ROLE %I%s GRANT %s ON %s TO %s%s', "
        OWNER("defaclrole") ", CASE WHEN n.oid IS NOT NULL THEN pg_catalog.format(' IN SCHEMA %I', n.nspname) END, g.privilege_type, k.words, "
        "CASE WHEN g.grantee {=} 0 THEN 'PUBLIC' ELSE pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(g.grantee)) END, CASE WHEN "
        "g.is_grantable THEN ' WITH GRANT OPTION' END) ORDER BY pg_catalog.pg_get_userbyid(g.grantee), g.privilege_type) FROM "
        "pg_catalog.aclexplode(x.defaclacl) g), ARRAY[]::pg_catalog.text[]))",
     .removal =
        "pg_catalog.array_cat(COALESCE((SELECT pg_catalog.array_agg(DISTINCT pg_catalog.format('ALTER DEFAULT PRIVILEGES FOR ROLE %I%s REVOKE ALL ON %s FROM %s', "
        OWNER("defaclrole") ", CASE WHEN n.oid IS NOT NULL THEN pg_catalog.format(' IN SCHEMA %I', n.nspname) END, k.words, "
        "CASE WHEN g.grantee {=} 0 THEN 'PUBLIC' ELSE pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(g.grantee)) END)) FROM "
        "pg_catalog.aclexplode(x.defaclacl) g), ARRAY[]::pg_catalog.text[]), pg_catalog.array_cat("
        "CASE WHEN x.defaclnamespace {=} 0 THEN ARRAY[pg_catalog.format('ALTER DEFAULT PRIVILEGES FOR ROLE %1$I GRANT ALL ON %2$s TO %1$I', "
        OWNER("defaclrole") ", k.words)] END, CASE WHEN x.defaclnamespace {=} 0 AND "
        "x.defaclobjtype {in f,T} THEN ARRAY[pg_catalog.format('ALTER DEFAULT PRIVILEGES FOR ROLE %I GRANT %s ON %s TO PUBLIC', "
        OWNER("defaclrole") ", CASE x.defaclobjtype WHEN 'f' THEN 'EXECUTE' ELSE 'USAGE' END, k.words)] END))"},
    {.kind = CAT_EVENT_TRIGGER, .probe = "pg_catalog.pg_event_trigger x", .catalog = "pg_event_trigger", .name = "x.evtname",
     .address = QI("evtname"), .owner = OWNER("evtowner"), .enabled = "NULLIF(x.evtenabled, 'O')",
     .definition =
        "pg_catalog.concat('CREATE EVENT TRIGGER ', " QI("evtname") ", ' ON ', x.evtevent, CASE WHEN x.evttags IS NOT NULL THEN "
        "(SELECT pg_catalog.concat(' WHEN TAG IN (', pg_catalog.string_agg(pg_catalog.quote_literal(t), ', '), ')') FROM "
        "pg_catalog.unnest(x.evttags) t) END, ' EXECUTE FUNCTION ', x.evtfoid::pg_catalog.regproc, '()')"},
};
/* clang-format on */

static void
add_options(Buf *b, const Defined *k)
{
    if (!k->options) {
        buf_addz(b, "NULL, NULL, ");
        return;
    }
    buf_fmt(b,
            "(SELECT pg_catalog.array_agg(pg_catalog.format('%%I %%L', o.option_name, "
            "o.option_value)) FROM pg_catalog.pg_options_to_table(%s) o WHERE NOT "
            "{secret})::pg_catalog.text, "
            "pg_catalog.array_cat((SELECT pg_catalog.array_agg(o.option_name) FROM "
            "pg_catalog.pg_options_to_table(%s) o WHERE {secret}), %s)::pg_catalog.text, ",
            k->options, k->options,
            k->column_secrets ? k->column_secrets : "NULL::pg_catalog.text[]");
}

/* In the order of intro_row_defined. */
static void
add_query(Buf *b, const Reading *r, const Defined *k)
{
    Buf sql;
    buf_init(&sql, r->scratch);
    buf_fmt(&sql, "SELECT %d, %s, {class %s}::pg_catalog.oid, x.oid, ", (int)k->kind,
            k->is_beside ? "true" : "false", k->catalog);
    const char *const texts[] = {
        k->space ? "n.nspname" : k->schema,
        k->name,
        k->sub,
        k->address,
        k->definition,
        k->removal,
        k->setting,
        k->more,
        k->owner,
        k->acl,
        k->enabled,
        k->types,
        k->multirange,
        k->goes_along ? k->goes_along : "false",
        k->needs,
    };
    for (size_t i = 0; i < COUNT(texts); i++)
        buf_fmt(&sql, "(%s)::pg_catalog.text, ", texts[i] ? texts[i] : "NULL");
    add_options(&sql, k);
    if (k->is_beside)
        buf_addz(&sql, "NULL ");
    else
        buf_fmt(&sql,
                "(SELECT pg_catalog.string_agg(pg_catalog.concat_ws(' ', d.refclassid, d.refobjid, "
                "d.refobjsubid), ' ') FROM pg_catalog.pg_depend d WHERE d.classid {=} {class %s} "
                "AND d.objid {=} x.oid AND d.objsubid {=} 0 AND d.deptype {in a,n} AND d.refobjid "
                "{>=} 16384) ",
                k->catalog);
    if (k->table)
        buf_fmt(&sql, "FROM %s x ", k->table);
    else
        buf_fmt(&sql, "FROM pg_catalog.%s x ", k->catalog);
    if (k->space)
        buf_fmt(&sql, "JOIN pg_catalog.pg_namespace n ON n.oid {=} x.%s ", k->space);
    buf_fmt(&sql, "%s WHERE NOT {made %s x.oid}", k->joins ? k->joins : "", k->catalog);
    if (k->space)
        buf_fmt(&sql, " AND x.%s {ns}", k->space);
    if (k->where)
        buf_fmt(&sql, " AND %s", k->where);
    intro_query_add(b, r, sql.p);
}

void
intro_probe_add(Buf *b, const Reading *r)
{
    const char *between = "";
    for (size_t i = 0; i < COUNT(kinds); i++) {
        if (r->major < kinds[i].since)
            continue;
        buf_fmt(b, "%sSELECT %zu WHERE EXISTS (SELECT FROM ", between, i);
        intro_query_add(b, r, kinds[i].probe);
        buf_addc(b, ')');
        between = " UNION ALL ";
    }
    buf_fmt(b, "%sSELECT %zu WHERE EXISTS (SELECT FROM ", between, COUNT(kinds));
    intro_query_add(b, r, MADE("pg_extension") ")");
}

void
intro_row_probe(Reading *r, const Str *c)
{
    if (cell_oid(c[0]) == COUNT(kinds))
        r->has_extensions = true;
    else
        *vec_add(r->scratch, &r->there) = cell_oid(c[0]);
}

void
intro_defined_add(Buf *b, const Reading *r)
{
    const char *between = "";
    vec_each (unsigned, i, &r->there) {
        buf_addz(b, between);
        add_query(b, r, &kinds[*i]);
        between = " UNION ALL ";
    }
    if (!r->there.n)
        buf_addz(b, "SELECT 0 WHERE false");
}
