#include "backup/restore_int.h"

#include "base/clock.h"

#include <stdlib.h>

enum { TELL_MS = 200 };

/* Names, each once. */
typedef struct Names {
    Map seen;
    RestoreTexts *list;
} Names;

static void
names_init(Names *n, Arena *a, RestoreTexts *list)
{
    map_init(&n->seen, a);
    n->list = list;
}

static void
names_add(Arena *a, Names *n, const char *name)
{
    if (map_has(&n->seen, str_of(name)))
        return;
    const char *copy = str_dupz(a, name);
    map_put(&n->seen, str_of(copy), n);
    *vec_add(a, n->list) = copy;
}

static int
by_name(const void *x, const void *y)
{
    return strcmp(*(const char *const *)x, *(const char *const *)y);
}

static void
sort(RestoreTexts *list)
{
    if (list->n > 1)
        qsort(list->v, list->n, sizeof *list->v, by_name);
}

/* "-- Dumped from database version 15.20 (Debian ...)" */
static void
read_head(Arena *a, Str head, RestoreSurvey *ret)
{
    static const char from[] = "-- Dumped from database version ";
    while (head.p) {
        Str line = str_cut(&head, '\n');
        if (str_starts(line, STR("-- Dumped by Aramid")))
            ret->is_native = true;
        if (!str_starts(line, str_of(from)))
            continue;
        line = str_slice(line, sizeof from - 1, line.n);
        ret->server = str_dup(a, str_cut(&line, ' '));
        Str version = str_of(ret->server), major = str_cut(&version, '.');
        size_t digits = 0;
        while (digits < major.n && major.p[digits] >= '0' && major.p[digits] <= '9')
            digits++;
        long long n = 0;
        str_to_int(str_slice(major, 0, digits), 0, 1000, &n);
        ret->major = (int)n;
    }
}

static bool
refuse(Str text, const char *why, Err *err)
{
    ARENA_LOCAL(scratch);
    err_set(err, ERR_RESTORE, "the backup cannot be restored into one database: %s", why);
    Str line = str_cut(&text, '\n');
    err_detail(err, "%s",
               str_printable(scratch, str_slice(line, 0, line.n < 200 ? line.n : 200), false));
    return err_hint(err, "make a dump of one database without --create: aramid backup create, or "
                         "pg_dump -Fc");
}

static bool
check_meta(Str line, Err *err)
{
    /* pg_dump writes these two around its text, so that psql runs nothing else in between. */
    if (str_starts(line, STR("\\restrict")) || str_starts(line, STR("\\unrestrict")))
        return true;
    return refuse(line, "it holds a command of psql's", err);
}

typedef struct Survey {
    Arena *arena;
    RestoreSurvey *ret;
    Names owners, grantees, others, extensions;
    Map tables;
    int64_t told;
    /* rows whose columns stand in another order than the first rows of their table */
    DumpReader *sorted; /* takes them in that order, NULL = they stand so */
    DumpSum sum;
    VEC(size_t) order;
    Buf rest; /* a row that has not ended */
} Survey;

/* What stands between quotes: SET client_encoding = 'LATIN1' */
static const char *
quoted(Arena *a, Str text)
{
    str_cut(&text, '\'');
    return text.p ? str_dup(a, str_cut(&text, '\'')) : NULL;
}

static bool
look_at(Survey *s, Str text, Err *err)
{
    ARENA_LOCAL(scratch);
    SqlDumpStmt stmt = sql_dump_statement(scratch, text);
    Names *names = NULL;
    switch (stmt.kind) {
    case SQL_DUMP_DATABASE:
        return refuse(text, "it makes or changes a database", err);
    case SQL_DUMP_ROLE:
        return refuse(text, "it makes roles, which belong to the whole server", err);
    case SQL_DUMP_ROLLBACK:
        return refuse(text, "it takes back what it did", err);
    case SQL_DUMP_OWNER:
    case SQL_DUMP_SCHEMA:
        names = &s->owners;
        break;
    case SQL_DUMP_PRIVILEGES:
        names = &s->grantees;
        break;
    case SQL_DUMP_FOREIGN_KEY:
    case SQL_DUMP_ATTACH:
        *vec_add(s->arena, &s->ret->links) =
            (RestoreLink){str_dupz(s->arena, stmt.table), str_dupz(s->arena, stmt.other),
                          stmt.kind == SQL_DUMP_ATTACH};
        return true;
    case SQL_DUMP_SETTING:
        if (strcmp(stmt.name, "client_encoding") == 0 && !s->ret->tables.n)
            s->ret->encoding = quoted(s->arena, text);
        return true;
    case SQL_DUMP_EXTENSION:
        names_add(s->arena, &s->extensions, stmt.name);
        return true;
    default:
        names = &s->others;
    }
    vec_each (const char *, role, &stmt.roles)
        names_add(s->arena, names, *role);
    return true;
}

RestoreTexts
restore_names(Arena *a, Str columns)
{
    RestoreTexts list = {0};
    bool quoted = false;
    for (size_t i = 0, from = 0; i <= columns.n; i++) {
        quoted ^= i < columns.n && columns.p[i] == '"';
        if (i < columns.n && (quoted || columns.p[i] != ','))
            continue;
        *vec_add(a, &list) = str_dup(a, str_trim(str_slice(columns, from, i)));
        from = i + 1;
    }
    return list;
}

static bool
take_sum(void *arg, const DumpEvent *e, Err *err)
{
    (void)err;
    Survey *s = arg;
    if (e->kind == DUMP_COPY_END)
        s->sum = e->sum;
    return true;
}

/* Rows begin. pg_dump lets those of a partition come in through the root in the partition's order of
 * columns; as one table they can only be compared in one. */
static bool
begin_rows(Survey *s, const DumpEvent *copy, Err *err)
{
    ARENA_LOCAL(scratch);
    uintptr_t place = (uintptr_t)map_get(&s->tables, copy->table);
    s->sorted = NULL;
    if (!place || str_is(copy->columns, s->ret->tables.v[place - 1].columns))
        return true;
    RestoreTexts first = restore_names(scratch, str_of(s->ret->tables.v[place - 1].columns));
    RestoreTexts here = restore_names(scratch, copy->columns);
    s->order.n = 0;
    vec_each (const char *, name, &first)
        for (size_t i = 0; i < here.n; i++)
            if (strcmp(*name, here.v[i]) == 0)
                *vec_add(s->arena, &s->order) = i;
    if (s->order.n != first.n || first.n != here.n)
        return err_set(err, ERR_BACKUP_BROKEN, "table %s stands with different columns in it",
                       str_printable(scratch, copy->table, false));
    s->sorted = dump_reader_make(s->arena, take_sum, s);
    buf_clear(&s->rest);
    return dump_read(s->sorted, STR("COPY x FROM stdin;\n"), err);
}

static bool
sort_row(Survey *s, Str row, Err *err)
{
    ARENA_LOCAL(scratch);
    VEC(Str) fields = {0};
    for (Str rest = row; rest.p;)
        *vec_add(scratch, &fields) = str_cut(&rest, '\t');
    Buf b;
    buf_init(&b, scratch);
    for (size_t i = 0; i < s->order.n && fields.n == s->order.n; i++) {
        buf_add(&b, fields.v[s->order.v[i]]);
        buf_addc(&b, i + 1 < s->order.n ? '\t' : '\n');
    }
    return dump_read(s->sorted, buf_str(&b), err);
}

static bool
sort_rows(Survey *s, Str text, Err *err)
{
    if (!s->sorted)
        return true;
    buf_add(&s->rest, text);
    Str rows = buf_str(&s->rest);
    for (const char *end; (end = memchr(rows.p, '\n', rows.n));) {
        size_t n = (size_t)(end - rows.p);
        if (!sort_row(s, str_slice(rows, 0, n), err))
            return false;
        rows = str_slice(rows, n + 1, rows.n);
    }
    memmove(s->rest.p, rows.p, rows.n);
    s->rest.n = rows.n;
    return true;
}

static bool
add_rows(Survey *s, const DumpEvent *e, Err *err)
{
    ARENA_LOCAL(scratch);
    if (s->sorted && !dump_read(s->sorted, STR("\\.\n"), err))
        return false;
    backup_add_table(s->arena, &s->ret->tables, &s->tables,
                     &(BackupTable){.name = str_dup(scratch, e->table),
                                    .columns = str_dup(scratch, e->columns),
                                    .rows = e->rows,
                                    .bytes = e->bytes,
                                    .sum = s->sorted ? s->sum : e->sum});
    return true;
}

/* Several times a second. */
static void
tell_read(Survey *s, BackupTell tell, void *tell_arg, BackupInput *in)
{
    int64_t now = clock_ms();
    if (!tell || now - s->told < TELL_MS)
        return;
    s->told = now;
    tell(tell_arg, &(BackupProgress){.reads_back = true,
                                     .bytes = backup_input_position(in),
                                     .all_bytes = backup_input_size(in),
                                     .tables = (int64_t)s->ret->tables.n});
}

bool
restore_is_raw(const RestoreSurvey *s)
{
    return s->encoding &&
           (strcmp(s->encoding, "SQL_ASCII") == 0 || strcmp(s->encoding, "MULE_INTERNAL") == 0);
}

bool
restore_survey(Arena *a, const BackupInputOptions *input, const BackupManifest *manifest,
               BackupTell tell, void *tell_arg, RestoreSurvey *ret, Err *err)
{
    ARENA_LOCAL(scratch);
    *ret = (RestoreSurvey){0};
    RESTORE_STREAM_LOCAL stream = NULL;
    if (!restore_stream_open(scratch, input, &stream, err))
        return false;
    Survey s = {.arena = a, .ret = ret, .told = clock_ms()};
    names_init(&s.owners, scratch, &ret->owners);
    names_init(&s.grantees, scratch, &ret->grantees);
    names_init(&s.others, scratch, &ret->others);
    names_init(&s.extensions, scratch, &ret->extensions);
    map_init(&s.tables, scratch);
    buf_init(&s.rest, scratch);
    for (RestoreItem item = {0}; item.kind != RESTORE_END;) {
        if (!restore_next(stream, &item, err) ||
            (item.kind == RESTORE_STATEMENT && !look_at(&s, item.text, err)) ||
            (item.kind == RESTORE_META && !check_meta(item.text, err)) ||
            (item.kind == RESTORE_COPY && !begin_rows(&s, item.copy, err)) ||
            (item.kind == RESTORE_ROWS && !sort_rows(&s, item.text, err)) ||
            (item.kind == RESTORE_COPY_END && !add_rows(&s, item.copy, err)))
            return false;
        tell_read(&s, tell, tell_arg, restore_input(stream));
    }
    read_head(a, restore_comments(stream), ret);
    BackupInput *in = restore_input(stream);
    ret->format = backup_input_format(in);
    ret->is_encrypted = backup_input_is_encrypted(in);
    ret->file_bytes = backup_input_size(in);
    ret->sha256 = str_dupz(a, backup_input_sha256(in));
    ret->totals = *restore_totals(stream);
    sort(&ret->owners);
    sort(&ret->grantees);
    sort(&ret->others);
    sort(&ret->extensions);
    ret->is_exact = ret->is_native || manifest;
    ret->is_neutral = ret->is_native || (manifest && manifest->is_neutral);
    const BackupContents c = {ret->tables, ret->totals, ret->sha256, ret->file_bytes};
    return !manifest || backup_compare(manifest, &c, err);
}

/* ---- against a server ----------------------------------------------------------------------- */

/* Of `names`, those that a query of names does not give. */
static void
add_missing(Arena *a, const RestoreTexts *names, const Map *there, Names *ret)
{
    vec_each (const char *, name, names)
        if (!map_has(there, str_of(*name)))
            names_add(a, ret, *name);
}

static void
read_names(Arena *a, const DbRows *rows, Map *ret)
{
    map_init(ret, a);
    for (int i = 0; i < rows->rows; i++)
        map_put(ret, db_cell(rows, i, 0), ret);
}

bool
restore_lacks(Arena *a, Db *db, const RestoreSurvey *s, bool no_owner, bool no_privileges,
              RestoreLacks *ret, Err *err)
{
    *ret = (RestoreLacks){0};
    ARENA_LOCAL(scratch);
    DbRowsVec rows;
    if (!db_query(db, scratch,
                  STR("SELECT rolname FROM pg_catalog.pg_roles;"
                      "SELECT name FROM pg_catalog.pg_available_extensions"),
                  &rows, err))
        return false;
    Map roles, extensions;
    Names lacking;
    read_names(scratch, &rows.v[0], &roles);
    read_names(scratch, &rows.v[1], &extensions);
    names_init(&lacking, scratch, &ret->roles);
    if (!no_owner)
        add_missing(a, &s->owners, &roles, &lacking);
    if (!no_privileges)
        add_missing(a, &s->grantees, &roles, &lacking);
    add_missing(a, &s->others, &roles, &lacking);
    names_init(&lacking, scratch, &ret->extensions);
    add_missing(a, &s->extensions, &extensions, &lacking);
    sort(&ret->roles);
    return true;
}

bool
restore_is_empty(Arena *a, Db *db, const char **ret_found, Err *err)
{
    DbRowsVec rows;
    if (!db_query(
            db, a,
            STR("SELECT x.name FROM (SELECT 'pg_catalog.pg_class'::pg_catalog.regclass, c.oid, "
                "pg_catalog.format('%s.%s', n.nspname, c.relname) FROM pg_catalog.pg_class c JOIN "
                "pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace WHERE "
                "n.nspname OPERATOR(pg_catalog.<>) 'information_schema' AND NOT "
                "pg_catalog.starts_with(n.nspname::pg_catalog.text, 'pg_') UNION ALL "
                "SELECT 'pg_catalog.pg_proc'::pg_catalog.regclass, p.oid, "
                "pg_catalog.format('%s.%s()', n.nspname, p.proname) FROM pg_catalog.pg_proc p JOIN "
                "pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) p.pronamespace WHERE "
                "p.oid OPERATOR(pg_catalog.>=) 16384 UNION ALL "
                "SELECT 'pg_catalog.pg_namespace'::pg_catalog.regclass, n.oid, "
                "pg_catalog.format('schema %s', n.nspname) FROM pg_catalog.pg_namespace n WHERE "
                "n.oid OPERATOR(pg_catalog.>=) 16384 AND NOT "
                "pg_catalog.starts_with(n.nspname::pg_catalog.text, 'pg_') UNION ALL "
                "SELECT 'pg_catalog.pg_largeobject'::pg_catalog.regclass, m.oid, "
                "pg_catalog.format('large object %s', m.oid) FROM "
                "pg_catalog.pg_largeobject_metadata m) x(class, oid, name) WHERE NOT EXISTS "
                "(SELECT "
                "FROM pg_catalog.pg_depend d WHERE d.classid OPERATOR(pg_catalog.=) x.class AND "
                "d.objid OPERATOR(pg_catalog.=) x.oid AND d.deptype OPERATOR(pg_catalog.=) ANY "
                "('{e,i}'::pg_catalog.\"char\"[])) LIMIT 1"),
            &rows, err))
        return false;
    *ret_found = rows.v[0].rows ? db_cell(&rows.v[0], 0, 0).p : NULL;
    return true;
}
