/* Stand-ins for what a server of our own does not have, made when a statement fails for want of it:
 * its transaction was rolled back, so it is simply sent again. */
#include "replay/replay_int.h"

const char *
replay_stub_name(ReplayStubKind kind)
{
    static const char *const names[] = {"role", "schema", "publication", "extension"};
    return names[kind];
}

/* Each name is made once: a statement that fails again fails for another reason. */
static bool
is_made(const Work *w, ReplayStubKind kind, const char *name)
{
    vec_each (const ReplayStub, s, &w->ret->stubs)
        if (s->kind == kind && strcmp(s->name, name) == 0)
            return true;
    return false;
}

static bool
make(Work *w, ReplayStubKind kind, const char *name, Str sql)
{
    ARENA_LOCAL(a);
    DbOutcome o;
    Err ignored;
    if (is_made(w, kind, name) || !replay_reset(w, &ignored))
        return false;
    db_run(w->db, a, sql, &(DbRun){.discard_rows = true}, &o);
    if (o.end == DB_DONE)
        *vec_add(w->arena, &w->ret->stubs) = (ReplayStub){kind, str_dupz(w->arena, name)};
    return o.end == DB_DONE;
}

/* `what "name" does not exist`: the name, NULL = the message says something else. */
static const char *
missing(Arena *a, const DbOutcome *o, const char *what)
{
    Str m = str_of(o->message), head = str_of(str_fmt(a, "%s \"", what));
    Str tail = STR("\" does not exist");
    if (!str_starts(m, head) || !str_ends(m, tail) || m.n < head.n + tail.n)
        return NULL;
    return str_dup(a, str_slice(m, head.n, m.n - tail.n));
}

/* A superuser, because scripts may go on as that role. */
static bool
make_role(Work *w, Arena *a, const char *name)
{
    Buf b;
    buf_init(&b, a);
    buf_addz(&b, "CREATE ROLE ");
    sql_add_ident(&b, name);
    buf_addz(&b, " SUPERUSER");
    return make(w, REPLAY_ROLE, name, buf_str(&b));
}

static bool
make_schema(Work *w, Arena *a, Str name)
{
    const char *sql = stand_in_schema(name);
    return sql && make(w, REPLAY_SCHEMA, str_dup(a, name), str_of(sql));
}

/* ---- extensions ---------------------------------------------------------------------------- */

/* The word behind `keyword`, as the server folds it; *ret_from and *ret_to: both words. */
static const char *
word_after(Arena *a, Str sql, const char *keyword, size_t *ret_from, size_t *ret_to)
{
    size_t n = strlen(keyword);
    for (size_t i = 1; i + n < sql.n; i++) {
        if (sql.p[i] == '"' || sql.p[i] == '\'') {
            const char *end = memchr(sql.p + i + 1, sql.p[i], sql.n - i - 1);
            i = end ? (size_t)(end - sql.p) : sql.n;
            continue;
        }
        if (!str_ieq(str_slice(sql, i, i + n), str_of(keyword)) ||
            !strchr(" \t\r\n", sql.p[i - 1]) || !strchr(" \t\r\n\"'", sql.p[i + n]))
            continue;
        Str rest = str_trim(str_slice(sql, i + n, sql.n));
        char quote = rest.n && (rest.p[0] == '"' || rest.p[0] == '\'') ? rest.p[0] : 0;
        size_t len = quote ? 1 : 0;
        while (len < rest.n && (quote ? rest.p[len] != quote : !strchr(" \t\r\n;", rest.p[len])))
            len++;
        *ret_from = i;
        *ret_to = (size_t)(rest.p - sql.p) + len + (quote && len < rest.n);
        return str_dup(a, str_slice(rest, quote ? 1 : 0, len));
    }
    return NULL;
}

/* Write over a part of the script: statements keep their places. */
static void
overwrite(MigrationPlan *mp, Arena *a, size_t from, size_t to, Str with)
{
    char *copy = str_dup(a, mp->script.text);
    memset(copy + from, ' ', to - from);
    memcpy(copy + from, with.p, with.n);
    mp->script.text.p = copy;
}

/* Register it as CREATE EXTENSION would, without its files: then it can be commented, altered and
 * dropped, and owns what stands in for its objects. */
static bool
make_extension(Work *w, Arena *a, const char *name, const char *schema)
{
    const char *sql = stand_in_extension(str_of(name));
    Buf b;
    buf_init(&b, a);
    buf_addz(&b, "SET LOCAL allow_system_table_mods = on; SET LOCAL search_path = ");
    sql_add_ident(&b, schema);
    buf_addz(&b, "; INSERT INTO pg_catalog.pg_extension SELECT pg_catalog.pg_nextoid("
                 "'pg_catalog.pg_extension', 'oid', 'pg_catalog.pg_extension_oid_index'), ");
    sql_add_literal(&b, str_of(name));
    buf_addz(&b, ", 10, n.oid, true, '0' FROM pg_catalog.pg_namespace n WHERE n.nspname = ");
    sql_add_literal(&b, str_of(schema));
    buf_addc(&b, ';');
    if (sql) {
        /* Whatever these statements make gets an oid above this one. */
        buf_addz(&b, sql);
        buf_addz(&b,
                 "; INSERT INTO pg_catalog.pg_depend SELECT DISTINCT d.classid, d.objid, 0,"
                 " 'pg_catalog.pg_extension'::pg_catalog.regclass, e.oid, 0, 'e'::\"char\" FROM"
                 " pg_catalog.pg_extension e, (SELECT 'pg_proc'::regclass::oid classid, oid"
                 " objid, xmin FROM pg_proc UNION ALL SELECT 'pg_type'::regclass, oid, xmin FROM"
                 " pg_type UNION ALL SELECT 'pg_operator'::regclass, oid, xmin FROM pg_operator"
                 " UNION ALL SELECT 'pg_am'::regclass, oid, xmin FROM pg_am UNION ALL SELECT"
                 " 'pg_opclass'::regclass, oid, xmin FROM pg_opclass UNION ALL SELECT"
                 " 'pg_opfamily'::regclass, oid, xmin FROM pg_opfamily UNION ALL SELECT"
                 " 'pg_cast'::regclass, oid, xmin FROM pg_cast) d WHERE e.extname = ");
        sql_add_literal(&b, str_of(name));
        buf_addz(&b, " AND d.xmin = e.xmin");
    }
    return make(w, REPLAY_EXTENSION, name, buf_str(&b));
}

/* A CREATE EXTENSION or ALTER EXTENSION that the server has no files for. */
static bool
replace_extension(Work *w, Arena *a, Arena *script, MigrationPlan *mp, const SqlStmt *s,
                  const DbOutcome *o)
{
    size_t from, to;
    Str sql = str_slice(mp->script.text, s->off, s->off + s->len);
    if (str_starts(str_of(s->tag), STR("ALTER EXTENSION"))) {
        const char *made = word_after(a, sql, "EXTENSION", &from, &to);
        /* 22023: no way to a version that this server does not have. */
        bool goes =
            made && (is_made(w, REPLAY_EXTENSION, made) || strcmp(o->sqlstate, "22023") == 0);
        if (goes)
            overwrite(mp, script, s->off, s->off + s->len, STR("SELECT"));
        return goes;
    }
    if (!s->objects.n || s->objects.v[0].kind != SQL_OBJ_EXTENSION)
        return false;
    const char *name = s->objects.v[0].name.name;
    if (word_after(a, sql, "VERSION", &from, &to)) {
        overwrite(mp, script, s->off + from, s->off + to, STR(""));
        return true;
    }
    const char *schema = word_after(a, sql, "SCHEMA", &from, &to);
    if (schema)
        make_schema(w, a, str_of(schema));
    if (!make_extension(w, a, name, schema ? schema : "public"))
        return false;
    overwrite(mp, script, s->off, s->off + s->len, STR("SELECT"));
    return true;
}

static bool
install(Work *w, Arena *a, const CatName *e)
{
    Buf b;
    if (is_made(w, REPLAY_EXTENSION, e->name))
        return false;
    buf_init(&b, a);
    buf_addz(&b, "CREATE SCHEMA ");
    sql_add_ident(&b, e->schema);
    if (!make_schema(w, a, str_of(e->schema)))
        make(w, REPLAY_SCHEMA, e->schema, buf_str(&b)); /* or it is there */
    buf_clear(&b);
    buf_addz(&b, "CREATE EXTENSION ");
    sql_add_ident(&b, e->name);
    buf_addz(&b, " SCHEMA ");
    sql_add_ident(&b, e->schema);
    return make(w, REPLAY_EXTENSION, e->name, buf_str(&b)) ||
           (stand_in_extension(str_of(e->name)) && make_extension(w, a, e->name, e->schema));
}

const CatName replay_supabase[2] = {{.schema = "extensions", .name = "pgcrypto"},
                                    {.schema = "extensions", .name = "uuid-ossp"}};

/* What platforms and administrators install beforehand: in the database that is looked at, or
 * without one in each of Supabase's. */
static bool
make_installed(Work *w, Arena *a)
{
    bool any = false;
    for (size_t i = 0; i < w->options->nextensions; i++)
        any = install(w, a, &w->options->extensions[i]) || any;
    if (!w->options->nextensions && is_made(w, REPLAY_SCHEMA, "extensions"))
        for (size_t i = 0; i < COUNT(replay_supabase); i++)
            any = install(w, a, &replay_supabase[i]) || any;
    return any;
}

/* Functions of extensions are called without their schema there. */
static bool
reach_extensions(Work *w)
{
    Err ignored;
    if (w->is_supabase || w->options->search_path || !is_made(w, REPLAY_SCHEMA, "extensions"))
        return false;
    w->is_supabase = true;
    return replay_reset(w, &ignored);
}

/* The first schema of the path, as Prisma makes that of its URL. */
static bool
make_path(Work *w, Arena *a)
{
    static const char sql[] =
        "DO $aramid$ BEGIN EXECUTE pg_catalog.format('CREATE SCHEMA IF NOT EXISTS %I',"
        " (pg_catalog.parse_ident(pg_catalog.current_setting('search_path')))[1]); END $aramid$";
    DbOutcome o;
    Err ignored;
    if (!w->options->search_path || w->has_path || !replay_reset(w, &ignored))
        return false;
    w->has_path = true;
    db_run(w->db, a, str_of(sql), &(DbRun){0}, &o);
    return o.end == DB_DONE;
}

/* The library that a server must be started with for this, as the server says it: "pglogical is not in
 * shared_preload_libraries", or of the CREATE EXTENSION that failed. NULL: it is something else. */
static const char *
unloaded(Arena *a, const SqlStmt *s, const DbOutcome *o)
{
    Str rest = str_of(o->message), word = str_cut(&rest, ' ');
    if (!strstr(o->message, "shared_preload_libraries") &&
        !(o->hint && strstr(o->hint, "shared_preload_libraries")) &&
        !strstr(o->message, "cron.database_name"))
        return NULL;
    if (s && s->objects.n && s->objects.v[0].kind == SQL_OBJ_EXTENSION)
        return s->objects.v[0].name.name;
    for (size_t i = 0; i < word.n; i++)
        if (!strchr("abcdefghijklmnopqrstuvwxyz0123456789_", word.p[i]))
            return NULL;
    return str_dup(a, word);
}

bool
stub_add_library(Work *w, const char *name)
{
    vec_each (const char *, known, &w->libraries)
        if (strcmp(*known, name) == 0)
            return false;
    *vec_add(w->arena, &w->libraries) = str_dupz(w->arena, name);
    return true;
}

bool
stub_missing(Work *w, Arena *script, MigrationPlan *mp, size_t failed, const DbOutcome *o)
{
    ARENA_LOCAL(a);
    const char *name;
    SqlStmt read;
    const SqlStmt *s = failed < mp->script.stmts.n ? sql_stmt(&mp->script, failed, &read) : NULL;
    if (!w->is_private)
        return false;
    if (!w->unloaded && (name = unloaded(a, s, o)) && stub_add_library(w, name)) {
        w->starts_anew = true;
        return false;
    }
    if ((name = missing(a, o, "role")))
        return make_role(w, a, name);
    if ((name = missing(a, o, "schema")))
        return make_schema(w, a, str_of(name));
    if ((name = missing(a, o, "relation"))) {
        Str rest = str_of(name);
        return make_schema(w, a, str_cut(&rest, '.'));
    }
    if ((name = missing(a, o, "publication")) && strcmp(name, "supabase_realtime") == 0)
        return make(w, REPLAY_PUBLICATION, name, STR("CREATE PUBLICATION supabase_realtime"));
    if (strcmp(o->message, "no schema has been selected to create in") == 0)
        return make_path(w, a);
    bool is_missing = strcmp(o->sqlstate, "42883") == 0 || strcmp(o->sqlstate, "42704") == 0;
    if (is_missing && (make_installed(w, a) || reach_extensions(w)))
        return true;
    return s && strncmp(o->sqlstate, "42710", 5) != 0 && replace_extension(w, a, script, mp, s, o);
}
