/* What the pending migrations do, against what the role may do: a deploy that would fail in its
 * middle is known before. By the statements' own words; what code in a DO block needs is not seen.
 */
#include "doctor/doctor_int.h"

#include "sqltext/sqltext.h"

enum { NEEDS_MAX = 400 };

/* Rules: the "Notes" and "Description" of each command's page, and
 * https://www.postgresql.org/docs/current/ddl-priv.html */
typedef enum NeedKind {
    NEED_OWNER,
    NEED_OWNER_OR_SCHEMAS, /* DROP */
    NEED_REFERENCES,
    NEED_TRIGGER,
    NEED_SELECT,
    NEED_INSERT,
    NEED_UPDATE,
    NEED_DELETE,
    NEED_TRUNCATE,
    NEED_CREATE_IN, /* schema; "" = the first of the path */
    NEED_CREATE_SCHEMA,
    NEED_EXTENSION,
} NeedKind;

typedef struct Need {
    NeedKind kind;
    SqlName name; /* relation; of the last three only .name */
    const char *migration, *tag;
} Need;
typedef VEC(Need) NeedVec;

static void
add(Doctor *d, NeedVec *list, NeedKind kind, SqlName name, const MigrationPlan *mp,
    const SqlStmt *st)
{
    vec_each (const Need, n, list)
        if (n->kind == kind && strcmp(n->name.name, name.name) == 0 &&
            strcmp(n->name.schema, name.schema) == 0)
            return;
    if (list->n < NEEDS_MAX)
        *vec_add(d->arena, list) =
            (Need){.kind = kind, .name = name, .migration = mp->migration->name, .tag = st->tag};
}

static NeedKind
of_lock(const SqlStmt *st, size_t i)
{
    SqlLockMode mode = st->locks.v[i].mode;
    bool first = i == 0;
    if (mode <= SQL_LOCK_ROW_SHARE)
        return NEED_SELECT;
    switch ((int)st->kind) {
    case SQL_DROP:
    case SQL_DROP_INDEX:
        return NEED_OWNER_OR_SCHEMAS;
    case SQL_INSERT:
    case SQL_COPY:
    case SQL_MERGE:
        return NEED_INSERT;
    case SQL_UPDATE:
        return NEED_UPDATE;
    case SQL_DELETE:
        return NEED_DELETE;
    case SQL_TRUNCATE:
        return NEED_TRUNCATE;
    case SQL_CREATE_TABLE:
        return mode == SQL_LOCK_SHARE_ROW_EXCLUSIVE ? NEED_REFERENCES : NEED_OWNER;
    case SQL_ALTER_TABLE:
        return !first && mode == SQL_LOCK_SHARE_ROW_EXCLUSIVE ? NEED_REFERENCES : NEED_OWNER;
    default:
        break;
    }
    vec_each (const SqlObject, o, &st->objects)
        if (o->kind == SQL_OBJ_TRIGGER && o->effect == SQL_CREATES)
            return NEED_TRIGGER;
    return NEED_OWNER;
}

static void
collect_statement(Doctor *d, const MigrationPlan *mp, const SqlStmt *st, NeedVec *ret)
{
    bool counts = st->kind != SQL_LOCK && st->kind != SQL_VACUUM && st->kind != SQL_CALL &&
                  st->kind != SQL_DO;
    for (size_t i = 0; counts && i < st->locks.n; i++)
        add(d, ret, of_lock(st, i), st->locks.v[i].rel, mp, st);
    vec_each (const SqlObject, o, &st->objects) {
        if (o->effect != SQL_CREATES || st->kind == SQL_RENAME)
            continue;
        if (o->kind == SQL_OBJ_SCHEMA)
            add(d, ret, NEED_CREATE_SCHEMA, (SqlName){"", o->name.name}, mp, st);
        else if (o->kind == SQL_OBJ_EXTENSION)
            add(d, ret, NEED_EXTENSION, (SqlName){"", o->name.name}, mp, st);
        else if (o->kind == SQL_OBJ_TABLE || o->kind == SQL_OBJ_VIEW || o->kind == SQL_OBJ_TYPE ||
                 o->kind == SQL_OBJ_SEQUENCE || o->kind == SQL_OBJ_FUNCTION)
            add(d, ret, NEED_CREATE_IN, (SqlName){"", o->name.schema}, mp, st);
    }
}

/* ---- asking ---------------------------------------------------------------------------------- */

/* Where a deploy would look for names: the URL's schema, or the role's path. Only function calls,
 * whose names are qualified, so that what lies in the path cannot change their meaning. */
static bool
read_path(Doctor *d, Session *s, Str *ret_path, Str *ret_first)
{
    Buf b;
    Err err;
    DbRowsVec results = {0};
    buf_init(&b, d->arena);
    if (s->url_schema) {
        buf_addz(&b, "SET LOCAL search_path=");
        sql_add_ident(&b, s->url_schema);
        buf_addc(&b, ';');
    }
    buf_addz(&b, "SELECT pg_catalog.current_schemas(false), pg_catalog.current_schema()");
    if (!db_query(s->db, d->arena, buf_str(&b), &results, &err)) {
        d->is_over = err.code == ERR_INTERRUPTED || !db_is_open(s->db);
        doctor_add(d, FINDING_REACH_PRIVILEGES, SEV_NOTICE, NULL, NULL,
                   "what the pending migrations need could not be asked: %s", err.primary);
        return false;
    }
    const DbRows *r = &results.v[results.n - 1];
    *ret_path = db_cell(r, 0, 0);
    *ret_first = db_cell(r, 0, 1);
    return true;
}

static const char what_may[] =
    "CASE w.kind WHEN 0 THEN pg_catalog.pg_has_role(c.relowner, 'USAGE')"
    " WHEN 1 THEN pg_catalog.pg_has_role(c.relowner, 'USAGE') OR"
    "  pg_catalog.pg_has_role(c.nspowner, 'USAGE')"
    " WHEN 2 THEN pg_catalog.has_any_column_privilege(c.oid, 'REFERENCES')"
    " WHEN 3 THEN pg_catalog.has_table_privilege(c.oid, 'TRIGGER')"
    " WHEN 4 THEN pg_catalog.has_any_column_privilege(c.oid, 'SELECT')"
    " WHEN 5 THEN pg_catalog.has_any_column_privilege(c.oid, 'INSERT')"
    " WHEN 6 THEN pg_catalog.has_any_column_privilege(c.oid, 'UPDATE')"
    " WHEN 7 THEN pg_catalog.has_table_privilege(c.oid, 'DELETE')"
    " ELSE pg_catalog.has_table_privilege(c.oid, 'TRUNCATE') END";

/* A row for each need that meets something: number, owner, whether it is allowed, of an extension
 * its name, of a relation its schema and whether that may be used. */
static char *
query(Doctor *d, const NeedVec *list, Str path, Str path_schema)
{
    Buf b;
    buf_init(&b, d->arena);
    buf_fmt(&b,
            "SELECT w.n, pg_catalog.pg_get_userbyid(c.relowner), %s, NULL, c.nspname,"
            " pg_catalog.has_schema_privilege(c.nsp, 'USAGE') FROM (VALUES (-1, 0, NULL, '')",
            what_may);
    for (size_t i = 0; i < list->n; i++) {
        const Need *n = &list->v[i];
        if (n->kind >= NEED_CREATE_IN)
            continue;
        buf_fmt(&b, ",(%zu,%d,", i, (int)n->kind);
        if (n->name.schema[0])
            sql_add_literal(&b, str_of(n->name.schema));
        else
            buf_addz(&b, "NULL");
        buf_addc(&b, ',');
        sql_add_literal(&b, str_of(n->name.name));
        buf_addc(&b, ')');
    }
    buf_addz(&b,
             ") w(n, kind, nsp, rel) CROSS JOIN LATERAL (SELECT t.oid, t.relowner, x.oid AS nsp,"
             " x.nspname, x.nspowner FROM pg_catalog.pg_class t JOIN pg_catalog.pg_namespace x ON"
             " x.oid = t.relnamespace, (SELECT ");
    sql_add_literal(&b, path);
    buf_addz(
        &b,
        "::pg_catalog.name[] AS path) p WHERE t.relname = w.rel::pg_catalog.name AND x.nspname ="
        " ANY (CASE WHEN w.nsp IS NULL THEN p.path ELSE ARRAY[w.nsp::pg_catalog.name] END)"
        " ORDER BY pg_catalog.array_position(p.path, x.nspname) LIMIT 1) c");
    for (size_t i = 0; i < list->n; i++) {
        const Need *n = &list->v[i];
        if (n->kind < NEED_CREATE_IN)
            continue;
        buf_fmt(&b, " UNION ALL SELECT %zu, ", i);
        if (n->kind == NEED_CREATE_IN) {
            buf_addz(&b, "pg_catalog.pg_get_userbyid(x.nspowner),"
                         " pg_catalog.has_schema_privilege(x.oid, 'CREATE'), NULL, NULL, NULL FROM"
                         " pg_catalog.pg_namespace x WHERE x.nspname = ");
            sql_add_literal(&b, n->name.name[0] ? str_of(n->name.name) : path_schema);
        } else if (n->kind == NEED_CREATE_SCHEMA) {
            buf_addz(
                &b,
                "pg_catalog.pg_get_userbyid(x.datdba), pg_catalog.has_database_privilege("
                "x.oid, 'CREATE'), NULL, NULL, NULL FROM pg_catalog.pg_database x WHERE x.datname ="
                " pg_catalog.current_database() AND NOT EXISTS (SELECT FROM"
                " pg_catalog.pg_namespace y WHERE y.nspname = ");
            sql_add_literal(&b, str_of(n->name.name));
            buf_addc(&b, ')');
        } else {
            buf_addz(
                &b, "CASE WHEN x.trusted THEN 'trusted' END,"
                    " x.name IS NOT NULL AND (r.rolsuper OR (x.trusted AND"
                    " pg_catalog.has_database_privilege(pg_catalog.current_database(), 'CREATE'))),"
                    " x.name, NULL, NULL FROM"
                    " pg_catalog.pg_roles r LEFT JOIN (SELECT v.name, v.trusted FROM"
                    " pg_catalog.pg_available_extension_versions v JOIN"
                    " pg_catalog.pg_available_extensions e ON e.name = v.name AND"
                    " e.default_version = v.version WHERE v.name = ");
            sql_add_literal(&b, str_of(n->name.name));
            buf_addz(&b, ") x ON true WHERE r.rolname = CURRENT_USER AND NOT EXISTS (SELECT FROM"
                         " pg_catalog.pg_extension i WHERE i.extname = ");
            sql_add_literal(&b, str_of(n->name.name));
            buf_addc(&b, ')');
        }
    }
    buf_addz(&b, " ORDER BY 1");
    return b.p;
}

static const char *
shown(Doctor *d, const SqlName *n)
{
    return str_printable(
        d->arena, str_of(n->schema[0] ? str_fmt(d->arena, "%s.%s", n->schema, n->name) : n->name),
        false);
}

static void
tell(Doctor *d, const DbRows *r, int row, const Need *n, const char *user, const char *schema)
{
    static const char *const privileges[] = {
        [NEED_REFERENCES] = "REFERENCES", [NEED_TRIGGER] = "TRIGGER", [NEED_SELECT] = "SELECT",
        [NEED_INSERT] = "INSERT",         [NEED_UPDATE] = "UPDATE",   [NEED_DELETE] = "DELETE",
        [NEED_TRUNCATE] = "TRUNCATE",
    };
    Arena *a = d->arena;
    const char *name = shown(d, &n->name), *other = doctor_text(d, r, row, 1);
    const char *owner = doctor_ident(d, NULL, db_cell(r, row, 1).p ? db_cell(r, row, 1).p : "");
    const char *typed = doctor_ident(d, n->name.schema, n->name.name);
    const char *in =
        str_fmt(a, "%s of migration %s", n->tag, str_printable(a, str_of(n->migration), false));
    const char *fix = NULL;
    FindingId id = FINDING_REACH_PRIVILEGES;
    switch (n->kind) {
    case NEED_OWNER:
    case NEED_OWNER_OR_SCHEMAS:
        fix = str_fmt(a, "as an administrator: GRANT %s TO %s; or deploy as role %s", owner, user,
                      other);
        doctor_add(d, id, SEV_ERROR, name, fix, "belongs to role \"%s\": %s needs its owner", other,
                   in);
        return;
    case NEED_CREATE_IN:
        typed = n->name.name[0] ? n->name.name : schema;
        fix = str_fmt(a, "as role %s: GRANT CREATE, USAGE ON SCHEMA %s TO %s", other,
                      doctor_ident(d, NULL, typed), user);
        doctor_add(d, id, SEV_ERROR, str_printable(a, str_of(typed), false), fix,
                   "in this schema the role may create nothing: %s", in);
        return;
    case NEED_CREATE_SCHEMA:
        fix = str_fmt(a, "as role %s: GRANT CREATE ON DATABASE ... TO %s", other, user);
        doctor_add(d, id, SEV_ERROR, name, fix,
                   "the role may create no schema in this database: %s", in);
        return;
    case NEED_EXTENSION:
        if (doctor_null(r, row, 3))
            doctor_add(d, id, SEV_ERROR, name,
                       "install its package on the server, or ask the provider",
                       "the server does not have this extension: %s", in);
        else if (doctor_null(r, row, 1)) { /* platforms let others do it, too: no error for sure */
            fix =
                str_fmt(a, "as a superuser, or on the provider's page: CREATE EXTENSION %s", typed);
            doctor_add(d, id, SEV_WARNING, name, fix, "this extension needs a superuser: %s", in);
        } else {
            fix = str_fmt(a, "as the owner: GRANT CREATE ON DATABASE ... TO %s", user);
            doctor_add(d, id, SEV_ERROR, name, fix,
                       "this extension needs CREATE on the database: %s", in);
        }
        return;
    default:
        fix =
            str_fmt(a, "as role %s: GRANT %s ON %s TO %s", other, privileges[n->kind], typed, user);
        doctor_add(d, id, SEV_ERROR, name, fix, "the role has no %s on it: %s", privileges[n->kind],
                   in);
    }
}

/* Without USAGE nothing in a schema is found by its name. */
static void
tell_usage(Doctor *d, const DbRows *r, int row, const Need *n, const char *user)
{
    const char *schema = doctor_text(d, r, row, 4);
    vec_each (const Finding, f, &d->findings.items)
        if (f->id == FINDING_REACH_PRIVILEGES && f->object && strcmp(f->object, schema) == 0)
            return;
    doctor_add(d, FINDING_REACH_PRIVILEGES, SEV_ERROR, schema,
               str_fmt(d->arena, "as its owner: GRANT USAGE ON SCHEMA %s TO %s",
                       doctor_ident(d, NULL, db_cell(r, row, 4).p), user),
               "the role may not use this schema: %s of migration %s", n->tag,
               str_printable(d->arena, str_of(n->migration), false));
}

void
doctor_privileges(Doctor *d, Session *s, const Plan *plan)
{
    d->now = AREA_REACH;
    NeedVec list = {0};
    Str path, first;
    vec_each (const MigrationPlan, mp, &plan->migrations) {
        SqlScript script;
        SqlStmt st;
        Err ignored; /* a file that changes now is told by the next command */
        if (plan_script(d->arena, mp, false, &script, &ignored))
            for (size_t i = mp->resumes ? mp->done_statements : 0; i < script.stmts.n; i++)
                collect_statement(d, mp, sql_stmt(&script, i, &st), &list);
    }
    if (!plan->migrations.n || !read_path(d, s, &path, &first))
        return;
    const DbRows *r = list.n ? doctor_ask(d, s, "privileges", query(d, &list, path, first)) : NULL;
    int wrong = 0;
    const char *user = doctor_ident(d, NULL, db_info(s->db)->user);
    for (int i = 0; r && i < r->rows; i++) {
        const Need *n = &list.v[doctor_int(r, i, 0)];
        bool no_usage = !doctor_null(r, i, 5) && !doctor_true(r, i, 5);
        if (no_usage)
            tell_usage(d, r, i, n, user);
        if (!doctor_true(r, i, 2))
            tell(d, r, i, n, user, first.p ? first.p : "");
        wrong += no_usage || !doctor_true(r, i, 2);
    }
    if (!wrong && (r || !list.n))
        doctor_add(d, FINDING_REACH_PRIVILEGES, SEV_OK,
                   str_printable(d->arena, str_of(db_info(s->db)->user), false), NULL,
                   "may do what %s need%s, as far as the statements tell",
                   str_count(d->arena, (int64_t)plan->migrations.n, "pending migration"),
                   plan->migrations.n == 1 ? "s" : "");
}
