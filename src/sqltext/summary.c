/* What a script does, in one line of a comment: read from its statements, so that it can be held against
 * them again. */
#include "sqltext/sqltext.h"

#include "base/map.h"

enum { NAMES_SHOWN = 6 };

static const char *const nouns[][2] = {
    [SQL_OBJ_TABLE] = {"table", "tables"},
    [SQL_OBJ_COLUMN] = {"column", "columns"},
    [SQL_OBJ_INDEX] = {"index", "indexes"},
    [SQL_OBJ_CONSTRAINT] = {"constraint", "constraints"},
    [SQL_OBJ_VIEW] = {"view", "views"},
    [SQL_OBJ_TYPE] = {"type", "types"},
    [SQL_OBJ_ENUM_VALUE] = {"enum value", "enum values"},
    [SQL_OBJ_SEQUENCE] = {"sequence", "sequences"},
    [SQL_OBJ_FUNCTION] = {"function", "functions"},
    [SQL_OBJ_SCHEMA] = {"schema", "schemas"},
    [SQL_OBJ_EXTENSION] = {"extension", "extensions"},
    [SQL_OBJ_TRIGGER] = {"trigger", "triggers"},
    [SQL_OBJ_POLICY] = {"policy", "policies"},
    [SQL_OBJ_OTHER] = {"object", "objects"},
};

enum { KINDS = COUNT(nouns) };

typedef struct Summary {
    Arena *arena;
    int made[KINDS], gone[KINDS], renamed, altered;
    bool loses[KINDS]; /* what was in them goes, too */
    bool changes_rows, runs_code, truncates;
    int unread;
    Map own; /* relations that the script makes: nothing is in them, and nobody waits */
    Map altered_names;
    Map modes; /* relation: its SqlLockMode */
} Summary;

static Str
key_of(Arena *a, SqlName name)
{
    return str_of(str_fmt(a, "%s%s%s", name.schema, name.schema[0] ? "." : "", name.name));
}

static void
count_object(Summary *s, const SqlStmt *stmt, const SqlObject *o)
{
    Str key = key_of(s->arena, o->name);
    bool is_own = map_has(&s->own, key);
    if (o->effect == SQL_RENAMES_AWAY) {
        s->renamed++;
        return;
    }
    if (stmt->kind == SQL_RENAME) /* the new name */
        return;
    if (o->effect == SQL_CREATES) {
        s->made[o->kind]++;
        if (o->kind == SQL_OBJ_TABLE || o->kind == SQL_OBJ_VIEW)
            map_put(&s->own, key, s);
        return;
    }
    s->gone[o->kind]++;
    bool has_data =
        o->kind == SQL_OBJ_TABLE || o->kind == SQL_OBJ_COLUMN || o->kind == SQL_OBJ_SCHEMA;
    s->loses[o->kind] = s->loses[o->kind] || (has_data && !is_own);
}

static void
count_locks(Summary *s, const SqlStmt *stmt)
{
    vec_each (const SqlLock, l, &stmt->locks) {
        Str key = key_of(s->arena, l->rel);
        if (map_has(&s->own, key))
            continue;
        SqlLockMode *mode = map_get(&s->modes, key);
        if (!mode) {
            mode = arena_new(s->arena, SqlLockMode);
            map_put(&s->modes, key, mode);
        }
        if (l->mode > *mode)
            *mode = l->mode;
        if (stmt->kind == SQL_ALTER_TABLE && !stmt->objects.n && !map_has(&s->altered_names, key)) {
            map_put(&s->altered_names, key, mode);
            s->altered++;
        }
    }
}

static void
count_statement(Summary *s, const SqlStmt *stmt)
{
    count_locks(s, stmt);
    vec_each (const SqlObject, o, &stmt->objects)
        count_object(s, stmt, o);
    s->changes_rows = s->changes_rows || stmt->is_dml;
    s->truncates = s->truncates || stmt->kind == SQL_TRUNCATE;
    s->runs_code = s->runs_code || stmt->kind == SQL_DO || stmt->kind == SQL_CALL;
    s->unread += stmt->opaque;
}

static void
add_part(Buf *b, const char *text)
{
    buf_fmt(b, "%s%s", b->n ? ", " : "", text);
}

static void
add_counts(const Summary *s, Buf *b)
{
    Arena *a = s->arena;
    for (int k = 0; k < KINDS; k++)
        if (s->made[k])
            add_part(b, str_fmt(a, "+%d %s", s->made[k], nouns[k][s->made[k] != 1]));
    for (int k = 0; k < KINDS; k++)
        if (s->gone[k])
            add_part(b, str_fmt(a, "-%d %s%s", s->gone[k], nouns[k][s->gone[k] != 1],
                                s->loses[k] ? " (data)" : ""));
    if (s->altered)
        add_part(b, str_fmt(a, "~%s", str_count(a, s->altered, "table")));
    if (s->renamed)
        add_part(b, str_count(a, s->renamed, "rename"));
    if (s->truncates)
        add_part(b, "empties tables (data)");
    if (s->changes_rows)
        add_part(b, "changes rows");
    if (s->runs_code)
        add_part(b, "runs code");
    if (s->unread)
        add_part(b, str_fmt(a, "%s not read", str_count(a, s->unread, "statement")));
    if (!b->n)
        add_part(b, "nothing");
}

const char *
sql_summary(Arena *a, const SqlScript *script)
{
    Summary s = {.arena = a};
    Buf b;
    buf_init(&b, a);
    map_init(&s.own, a);
    map_init(&s.modes, a);
    map_init(&s.altered_names, a);
    for (size_t i = 0; i < script->stmts.n; i++) {
        SqlStmt stmt;
        count_statement(&s, sql_stmt(script, i, &stmt));
    }
    add_counts(&s, &b);
    buf_addz(&b, ", locks: ");
    for (size_t i = 0; i < s.modes.n && i < NAMES_SHOWN; i++)
        buf_fmt(&b, "%s%s %s", i ? ", " : "", str_printable(a, s.modes.entries[i].key, false),
                sql_lock_mode_name(*(const SqlLockMode *)s.modes.entries[i].value));
    if (s.modes.n > NAMES_SHOWN)
        buf_fmt(&b, " and %zu more", s.modes.n - NAMES_SHOWN);
    if (!s.modes.n)
        buf_addz(&b, "none");
    return str_fmt(a, "-- %s", b.p);
}

bool
sql_summary_find(Str text, Str *ret)
{
    Str line = str_cut(&text, '\n');
    if (str_starts(line, STR(SQL_BOM)))
        line = str_slice(line, 3, line.n);
    if (str_ends(line, STR("\r")))
        line.n--;
    *ret = line;
    if (!str_starts(line, STR("-- ")) || !str_contains(line, STR(", locks: ")))
        return false;
    static const char *const first[] = {
        "+", "-", "~", "nothing, ", "empties tables", "changes rows", "runs code"};
    Str said = str_slice(line, 3, line.n);
    for (size_t i = 0; i < COUNT(first); i++)
        if (str_starts(said, str_of(first[i])))
            return true;
    return said.n && said.p[0] >= '1' && said.p[0] <= '9';
}
