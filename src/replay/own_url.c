/* A database that the user names for replays. It may be used when nothing is in it, or when a
 * replay of ours was interrupted there, which a schema tells. What was there before (extensions,
 * default privileges, casts, languages, ...) is written into that schema's comment, and stays. */
#include "base/clock.h"
#include "replay/replay_int.h"

#define MARK "database for replays: emptied by aramid before and after each"

enum { WAIT_MS = 60000, POLL_MS = 100 };

static const char lock_sql[] = "SELECT pg_catalog.pg_try_advisory_lock(727073691504)";

static const char mark_sql[] =
    "DO $aramid$ BEGIN CREATE SCHEMA " SHADOW_SCHEMA ";"
    " EXECUTE pg_catalog.format('COMMENT ON SCHEMA " SHADOW_SCHEMA " IS %L',"
    " pg_catalog.concat_ws(E'\\n', '" MARK "', coalesce((SELECT pg_catalog.array_agg(extname) FROM"
    " pg_catalog.pg_extension), '{}'), coalesce((SELECT pg_catalog.array_agg(oid) FROM"
    " pg_catalog.pg_default_acl), '{}'), coalesce((SELECT pg_catalog.array_agg(oid) FROM ("
    "SELECT oid FROM pg_catalog.pg_cast UNION ALL SELECT oid FROM pg_catalog.pg_language UNION ALL "
    "SELECT oid FROM pg_catalog.pg_am UNION ALL SELECT oid FROM pg_catalog.pg_transform UNION ALL "
    "SELECT oid FROM pg_catalog.pg_foreign_data_wrapper UNION ALL SELECT oid FROM "
    "pg_catalog.pg_opfamily) o WHERE oid >= 16384), '{}'))); END $aramid$";

/* Schemas go as a whole; public stays, because extensions may live there and not everybody may make
 * it again. Names are collected first: what went with another object is passed over then. */
static const char empty_sql[] =
    "SET search_path = pg_catalog;"
    "DO $aramid$ DECLARE"
    " m text[] := string_to_array(obj_description((SELECT oid FROM pg_namespace WHERE nspname ="
    " '" SHADOW_SCHEMA "'), 'pg_namespace'), E'\\n');"
    " x record; head text; kind text; list text[]; item text;"
    " BEGIN"
    " list := array(SELECT format('EVENT TRIGGER IF EXISTS %I', evtname) FROM pg_event_trigger e "
    "WHERE"
    "  NOT EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_event_trigger'::regclass AND objid = "
    "e.oid"
    "  AND deptype = 'e') AND pg_has_role(evtowner, 'MEMBER')"
    " UNION ALL SELECT format('PUBLICATION IF EXISTS %I', pubname) FROM pg_publication WHERE"
    "  pg_has_role(pubowner, 'MEMBER')"
    " UNION ALL SELECT format('SERVER IF EXISTS %I', srvname) FROM pg_foreign_server"
    " UNION ALL SELECT format('EXTENSION IF EXISTS %I', extname) FROM pg_extension WHERE extname "
    "<> ALL"
    "  (m[2]::name[])"
    " UNION ALL SELECT format('SCHEMA IF EXISTS %I', nspname) FROM pg_namespace n WHERE nspname !~"
    "  '^pg_' AND nspname NOT IN ('information_schema', 'public', '" SHADOW_SCHEMA
    "') AND NOT EXISTS"
    "  (SELECT FROM pg_depend WHERE classid = 'pg_namespace'::regclass AND objid = n.oid AND "
    "deptype ="
    "  'e')"
    " UNION ALL SELECT o.what || ' IF EXISTS ' || o.name FROM ("
    "  SELECT 'pg_class'::regclass AS class, oid, CASE relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN"
    "   'MATERIALIZED VIEW' WHEN 'S' THEN 'SEQUENCE' WHEN 'f' THEN 'FOREIGN TABLE' WHEN 'c' THEN "
    "'TYPE'"
    "   ELSE 'TABLE' END AS what, format('public.%I', relname) AS name FROM pg_class WHERE relkind "
    "IN"
    "   ('r', 'p', 'v', 'm', 'S', 'f', 'c') AND relnamespace = 'public'::regnamespace"
    "  UNION ALL SELECT 'pg_proc'::regclass, oid, 'ROUTINE', oid::regprocedure::text FROM pg_proc "
    "WHERE"
    "   pronamespace = 'public'::regnamespace"
    "  UNION ALL SELECT 'pg_type'::regclass, oid, 'TYPE', format('public.%I', typname) FROM pg_type"
    "   WHERE (typtype IN ('e', 'd', 'r') OR (typtype IN ('b', 'p') AND (typarray <> 0 OR NOT "
    "   typisdefined))) AND typnamespace = 'public'::regnamespace"
    "  UNION ALL SELECT c.class, c.oid, c.what, c.name FROM ("
    "   SELECT 'pg_cast'::regclass AS class, oid, 'CAST' AS what, format('(%s AS %s)', "
    "   format_type(castsource, NULL), format_type(casttarget, NULL)) AS name FROM pg_cast"
    "   UNION ALL SELECT 'pg_language'::regclass, oid, 'LANGUAGE', quote_ident(lanname) FROM "
    "   pg_language"
    "   UNION ALL SELECT 'pg_am'::regclass, oid, 'ACCESS METHOD', quote_ident(amname) FROM pg_am"
    "   UNION ALL SELECT 'pg_transform'::regclass, t.oid, 'TRANSFORM', format('FOR %s LANGUAGE "
    "%I', "
    "   format_type(trftype, NULL), lanname) FROM pg_transform t JOIN pg_language l ON l.oid = "
    "trflang"
    "   UNION ALL SELECT 'pg_foreign_data_wrapper'::regclass, oid, 'FOREIGN DATA WRAPPER', "
    "   quote_ident(fdwname) FROM pg_foreign_data_wrapper"
    "   UNION ALL SELECT 'pg_opfamily'::regclass, f.oid, 'OPERATOR FAMILY', "
    "   format('public.%I USING %I', opfname, amname) FROM pg_opfamily f JOIN pg_am a ON a.oid = "
    "   opfmethod WHERE opfnamespace = 'public'::regnamespace) c"
    "   WHERE c.oid >= 16384 AND c.oid <> ALL (m[4]::oid[])"
    "  UNION ALL SELECT 'pg_conversion'::regclass, oid, 'CONVERSION', format('public.%I', conname) "
    "   FROM pg_conversion WHERE connamespace = 'public'::regnamespace"
    "  UNION ALL SELECT 'pg_ts_parser'::regclass, oid, 'TEXT SEARCH PARSER', format('public.%I', "
    "   prsname) FROM pg_ts_parser WHERE prsnamespace = 'public'::regnamespace"
    "  UNION ALL SELECT 'pg_ts_template'::regclass, oid, 'TEXT SEARCH TEMPLATE', "
    "   format('public.%I', tmplname) FROM pg_ts_template WHERE tmplnamespace = "
    "   'public'::regnamespace"
    "  UNION ALL SELECT 'pg_operator'::regclass, oid, 'OPERATOR', oid::regoperator::text FROM"
    "   pg_operator WHERE oprnamespace = 'public'::regnamespace"
    "  UNION ALL SELECT 'pg_collation'::regclass, oid, 'COLLATION', format('public.%I', collname) "
    "FROM"
    "   pg_collation WHERE collnamespace = 'public'::regnamespace"
    "  UNION ALL SELECT 'pg_ts_config'::regclass, oid, 'TEXT SEARCH CONFIGURATION', "
    "format('public.%I',"
    "   cfgname) FROM pg_ts_config WHERE cfgnamespace = 'public'::regnamespace"
    "  UNION ALL SELECT 'pg_ts_dict'::regclass, oid, 'TEXT SEARCH DICTIONARY', format('public.%I',"
    "   dictname) FROM pg_ts_dict WHERE dictnamespace = 'public'::regnamespace) o"
    "  WHERE NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = o.class AND d.objid = o.oid AND"
    "  d.deptype IN ('e', 'i')));"
    " FOREACH item IN ARRAY list LOOP EXECUTE 'DROP ' || item || ' CASCADE'; END LOOP;"
    " FOR x IN SELECT d.oid, r.rolname, n.nspname, d.defaclobjtype, array(SELECT DISTINCT CASE "
    "grantee"
    "  WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END FROM"
    "  aclexplode(d.defaclacl)) AS grantees FROM pg_default_acl d JOIN pg_roles r ON r.oid ="
    "  d.defaclrole LEFT JOIN pg_namespace n ON n.oid = d.defaclnamespace WHERE d.oid <> ALL"
    "  (m[3]::oid[]) LOOP"
    "  head := format('ALTER DEFAULT PRIVILEGES FOR ROLE %I', x.rolname) || coalesce(' IN SCHEMA ' "
    "||"
    "  quote_ident(x.nspname), '');"
    "  kind := CASE x.defaclobjtype WHEN 'r' THEN 'TABLES' WHEN 'S' THEN 'SEQUENCES' WHEN 'f' THEN"
    "   'FUNCTIONS' WHEN 'T' THEN 'TYPES' ELSE 'SCHEMAS' END;"
    "  FOREACH item IN ARRAY x.grantees LOOP"
    "   EXECUTE head || ' REVOKE ALL ON ' || kind || ' FROM ' || item; END LOOP;"
    "  IF x.nspname IS NULL THEN"
    "   EXECUTE head || ' GRANT ALL ON ' || kind || ' TO ' || quote_ident(x.rolname);"
    "   IF kind IN ('FUNCTIONS', 'TYPES') THEN EXECUTE head || ' GRANT ALL ON ' || kind || ' TO "
    "PUBLIC';"
    "   END IF; END IF; END LOOP;"
    " DROP SCHEMA " SHADOW_SCHEMA ";"
    " END $aramid$; RESET search_path";

static bool
lock(Work *w, const char *shown, Err *err)
{
    int64_t deadline = clock_ms() + WAIT_MS;
    for (;;) {
        ARENA_LOCAL(a);
        DbRowsVec results;
        if (!db_query(w->db, a, str_of(lock_sql), &results, err))
            return false;
        if (str_is(db_cell(&results.v[0], 0, 0), "t"))
            return true;
        if (clock_ms() > deadline)
            return err_set(err, ERR_SHADOW, "another replay has been using %s for long", shown);
        if (!db_pause(w->options->tick, w->options->tick_arg, POLL_MS))
            return err_set(err, ERR_INTERRUPTED, "interrupted while waiting for another replay");
    }
}

/* What emptying leaves as it is. */
static bool
stays(const CatObject *o)
{
    switch ((int)o->id.kind) {
    case CAT_EXTENSION:
    case CAT_ACCESS_METHOD:
    case CAT_CAST:
    case CAT_DEFAULT_ACL:
    case CAT_FDW:
    case CAT_LANGUAGE:
    case CAT_OPFAMILY:
    case CAT_TRANSFORM:
        return true;
    case CAT_SCHEMA:
        return strcmp(o->id.name, "public") == 0;
    default:
        return false;
    }
}

static bool
other_stays(const CatOther *o)
{
    return strcmp(o->what, "database setting") == 0 || strcmp(o->what, "security label") == 0;
}

/* The first thing that is not of an extension, as people read it; NULL = there is none. */
static const char *
first_object(Arena *a, const Catalog *c)
{
    vec_each (CatObject *, at, &c->objects) {
        const CatObject *o = *at;
        if (!stays(o))
            return cat_ref_text(a, &o->id);
    }
    vec_each (const CatOther, o, &c->others)
        if (!other_stays(o))
            return str_fmt(a, "%s %s%s%s", o->what, o->schema ? o->schema : "",
                           o->schema ? "." : "", o->name);
    return NULL;
}

static bool
is_marked(const Catalog *c)
{
    const CatSchema *s = catalog_find(c, (CatRef){CAT_SCHEMA, NULL, SHADOW_SCHEMA, NULL});
    return s && s->comment && strncmp(s->comment, MARK "\n", sizeof MARK) == 0;
}

bool
own_url_claim(Work *w, Err *err)
{
    ARENA_LOCAL(a);
    Catalog *c;
    const DbInfo *info = db_info(w->db);
    const char *shown = str_printable(a, str_of(url_shown(a, w->options->shadow_url)), false);
    if (info->read_only || info->in_recovery) {
        err_set(err, ERR_SHADOW, "the database for replays can only be read: %s", shown);
        return err_detail(err, "its URL comes from %s", w->options->shadow_origin);
    }
    const DbInfo *other = w->options->not_there;
    if (other && strcmp(other->started, info->started) == 0 &&
        strcmp(other->database, info->database) == 0) {
        err_set(err, ERR_SHADOW, "the database for replays is the one that is looked at");
        err_detail(err, "%s is another spelling of it", shown);
        return err_hint(err, "name an empty database, or none: then a private server is used");
    }
    if (!lock(w, shown, err) || !introspect(a, w->db, NULL, &c, err))
        return false;
    if (is_marked(c))
        return own_url_empty(w, err) && db_query(w->db, a, str_of(mark_sql), NULL, err);
    const char *first = first_object(a, c);
    if (!first)
        return db_query(w->db, a, str_of(mark_sql), NULL, err);
    err_set(err, ERR_SHADOW, "the database for replays is not empty: %s", shown);
    err_detail(err, "it holds %s; what is in it would be dropped",
               str_printable(a, str_of(first), false));
    err_detail(err, "its URL comes from %s", w->options->shadow_origin);
    return err_hint(err, "name an empty database, or none: then a private server is used");
}

bool
own_url_empty(Work *w, Err *err)
{
    ARENA_LOCAL(a);
    return replay_reset(w, err) && db_query(w->db, a, str_of(empty_sql), NULL, err);
}
