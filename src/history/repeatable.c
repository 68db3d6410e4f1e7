/* Repeatable scripts: views, functions, policies and the like, in files that are changed in place and run
 * again when they were. Their ledger is a table of Aramid's own, with each script as it was applied last. */
#include "base/fs.h"
#include "base/hash.h"
#include "base/map.h"
#include "history/layout_int.h"
#include "sqltext/sqltext.h"

enum { SCRIPT_MAX = 1024 * 1024 }; /* they lie in the ledger */

static const HistoryLayout history_repeatable;

/* ---- one file -------------------------------------------------------------------------------- */

/* On its way into the order. */
typedef struct Node {
    Migration m;
    VEC(SqlName) makes;
    Map mentions;
    const char *after; /* its directive */
    bool drops, taken;
} Node;

typedef struct Nodes {
    Arena *a;
    VEC(Node) list;
} Nodes;

static bool
is_flyways(const char *name)
{
    return str_starts(str_of(fs_basename(name)), STR("R__"));
}

/* Whether it is a script at all; what is none is told. */
static bool
is_repeatable(Arena *a, const char *name, const SqlScript *script, const SqlDirectiveVec *said,
              FindingList *found)
{
    size_t at;
    if (is_flyways(name) || sql_directive(said, SQL_DIRECTIVE_REPEATABLE))
        return true;
    Finding *f;
    switch (sql_rerun(a, script, &at)) {
    case SQL_RERUN_YES:
        return true;
    case SQL_RERUN_QUERY:
        f = finding_add(found, FINDING_SCRIPT_QUERY,
                        "it is a query (Prisma's TypedSQL keeps them there): not run");
        break;
    case SQL_RERUN_NO:
    default: {
        SqlStmt stmt;
        const SqlStmt *s = sql_stmt(script, at, &stmt);
        f = finding_add(found, FINDING_SCRIPT_ONCE,
                        "it is not run: the %s of line %d cannot be run again and again", s->tag,
                        s->line);
        f->line = s->line;
        f->fix = "put it into a migration, or make it repeatable: CREATE OR REPLACE, DROP ... IF "
                 "EXISTS before CREATE";
    }
    }
    f->object = name;
    f->path = name;
    return false;
}

static void
take_names(Nodes *n, Node *to, const SqlScript *script)
{
    SqlStmt stmt;
    sql_mentions(n->a, script, &to->mentions);
    to->drops = sql_drops_code(script);
    for (size_t i = 0; i < script->stmts.n; i++) {
        const SqlStmt *s = sql_stmt(script, i, &stmt);
        vec_each (const SqlObject, o, &s->objects)
            if (o->effect == SQL_CREATES && o->kind != SQL_OBJ_TRIGGER && o->kind != SQL_OBJ_POLICY)
                *vec_add(n->a, &to->makes) = o->name;
    }
}

static bool
take(Nodes *n, const HistoryScript *file, History *h, Err *err)
{
    Arena *a = n->a;
    Node node = {.m = {.name = file->name, .path = file->name, .source = file->source}};
    Str text;
    SqlScript script;
    SqlDirectiveVec said;
    if (!layout_check_name(a, file->name, "file", 0, file->name, err) ||
        !history_read_file(a, a, h, &node.m, &text, err))
        return false;
    if (node.m.bytes > SCRIPT_MAX) {
        err_set(err, ERR_MIGRATION_FILE, "the script of %zu bytes is longer than 1 MB",
                node.m.bytes);
        err_at(err, file->name, 0, 0);
        return err_hint(err, "what it makes in parts, or what fills tables by a migration");
    }
    if (!sql_split(a, file->name, text, &script, err) ||
        !sql_directives(a, file->name, &script, &said, err))
        return false;
    sql_classify_brief(a, &script);
    if (!script.stmts.n || !is_repeatable(a, file->name, &script, &said, &h->findings))
        return true;
    node.m.text = text;
    node.m.when_us = INT64_MAX; /* behind all versions */
    node.m.checksum = layout_checksum(a, text);
    node.after = node.m.after;
    node.m.after = NULL;
    take_names(n, &node, &script);
    *vec_add(a, &n->list) = node;
    return true;
}

/* ---- the order ------------------------------------------------------------------------------- */

static bool
uses(const Nodes *n, const Node *x, const Node *y)
{
    vec_each (const SqlName, name, &y->makes)
        if (x != y && sql_is_mentioned(n->a, &x->mentions, *name))
            return true;
    return false;
}

/* "after views.sql": the whole name, or that of a file in any place. */
static bool
is_named(const Node *y, Str said)
{
    return str_is(said, y->m.name) || str_is(said, fs_basename(y->m.name));
}

static bool
says_after(const Node *x, const Node *y)
{
    for (Str rest = x->after ? str_of(x->after) : (Str){0}; rest.p;)
        if (is_named(y, str_trim(str_cut(&rest, ','))))
            return true;
    return false;
}

static const Node *
waits_for(const Nodes *n, const Node *x, bool only_said)
{
    vec_each (const Node, y, &n->list)
        if (!y->taken && x != y && (says_after(x, y) || (!only_said && uses(n, x, y))))
            return y;
    return NULL;
}

/* By name the first that waits for nobody; in a circle of names the first that is not told to wait. */
static Node *
next(Nodes *n)
{
    for (int only_said = 0; only_said < 2; only_said++)
        vec_each (Node, x, &n->list)
            if (!x->taken && !waits_for(n, x, only_said))
                return x;
    return NULL;
}

static bool
refuse_circle(const Nodes *n, Err *err)
{
    err_set(err, ERR_MIGRATION_FILE, "the order of the repeatable scripts goes in a circle");
    vec_each (const Node, x, &n->list) {
        if (x->taken)
            continue;
        if (!err->at.path[0])
            err_at(err, x->m.path, 0, 0);
        err_detail(err, "\"%s\" says that it comes after \"%s\"", x->m.name,
                   waits_for(n, x, true)->m.name);
    }
    return err_hint(err, "change one of the lines \"-- aramid:after\"");
}

/* What a script drops goes with all that stands on it: that is made again with it. */
static void
add_drops(Nodes *n, Node *x)
{
    Buf b;
    buf_init(&b, n->a);
    vec_each (const Node, y, &n->list)
        if (y->taken && y->drops && (says_after(x, y) || uses(n, x, y)))
            buf_fmt(&b, "%s ", y->m.checksum);
    if (!b.n)
        return;
    buf_addz(&b, x->m.checksum);
    x->m.checksum = hash_sha256_hex(n->a, buf_str(&b));
}

/* A word of "after" that names none of them is told where histories are joined. */
static void
keep_unknown(Nodes *n, Node *x)
{
    for (Str rest = x->after ? str_of(x->after) : (Str){0}; rest.p;) {
        Str said = str_trim(str_cut(&rest, ','));
        bool known = false;
        vec_each (const Node, y, &n->list)
            known = known || is_named(y, said);
        if (!known)
            x->m.after = str_dup(n->a, said);
    }
}

bool
history_repeatables(Arena *a, const HistoryScripts *files, History *ret, Err *err)
{
    Nodes n = {.a = a};
    *ret = (History){.layout = &history_repeatable,
                     .ledger = {.schema = history_repeatable.ledger.schema,
                                .table = history_repeatable.ledger.table},
                     .dir = "run when they change",
                     .source = ""};
    findings_init(&ret->findings, a, NULL);
    vec_each (const HistoryScript, f, files)
        if (!take(&n, f, ret, err))
            return false;
    for (size_t i = 0; i < n.list.n; i++) {
        Node *x = next(&n);
        if (!x)
            return refuse_circle(&n, err);
        add_drops(&n, x);
        keep_unknown(&n, x);
        x->taken = true;
        *vec_add(a, &ret->files) = x->m;
    }
    return true;
}

/* ---- the ledger ------------------------------------------------------------------------------ */

/* The folder is none: history_repeatables reads it. */
static bool
repeatable_recognise(Arena *a, const char *dir)
{
    (void)a;
    (void)dir;
    return false;
}

static bool
repeatable_matches(Arena *a, const char *recorded, const Migration *m)
{
    (void)a;
    return strcmp(recorded, m->checksum) == 0;
}

static void
repeatable_add_select(Buf *b, const LedgerName *at)
{
    buf_addz(b, "SELECT name, checksum");
    layout_add_epoch(b, "applied_at");
    buf_addz(b, " FROM ");
    layout_add_table(b, at);
    buf_addz(b, " ORDER BY applied_at, name");
}

static bool
repeatable_read_rows(Arena *a, const DbRows *rows, History *h, Err *err)
{
    if (!layout_check_columns(rows, 3, err))
        return false;
    h->rows.n = 0;
    for (int i = 0; i < rows->rows; i++) {
        LedgerRow row = layout_row(db_cell(rows, i, 0), db_cell(rows, i, 1), db_cell(rows, i, 0).p);
        row.started_us = row.finished_us = db_time_us(db_cell(rows, i, 2));
        *vec_add(a, &h->rows) = row;
    }
    return true;
}

static void
repeatable_add_where(Buf *b, const LedgerRow *row)
{
    layout_add_where(b, "name", row->name);
    buf_addz(b, " AND ");
    layout_add_equal(b, "checksum", row->checksum);
}

static void
repeatable_add_applied(Buf *b, const LedgerName *at, const LedgerRow *row)
{
    buf_addz(b, "INSERT INTO ");
    layout_add_table(b, at);
    buf_addz(b, " (name, checksum, script, applied_at) VALUES (pg_catalog.repeat(");
    sql_add_literal(b, str_of(row->name));
    buf_addz(b, ", ");
    layout_add_one(b, &history_repeatable, at, row);
    buf_addz(b, "), ");
    sql_add_literal(b, str_of(row->checksum));
    buf_addz(b, ", ");
    sql_add_literal(b, row->migration->text);
    /* To the microsecond: it is the order in which they are replayed, and one message holds many. */
    buf_addz(b, ", pg_catalog.clock_timestamp()) ON CONFLICT (name) DO UPDATE SET"
                " checksum = EXCLUDED.checksum, script = EXCLUDED.script,"
                " applied_at = EXCLUDED.applied_at, applied_by = CURRENT_USER");
}

void
history_add_script_texts(Buf *b, const LedgerName *at)
{
    buf_addz(b, "SELECT name, script FROM ");
    layout_add_table(b, at);
    buf_addz(b, " ORDER BY applied_at, name");
}

void
history_add_script_forgotten(Buf *b, const LedgerName *at, const char *name)
{
    buf_addz(b, "DELETE FROM ");
    layout_add_table(b, at);
    layout_add_where(b, "name", name);
    buf_addc(b, ';');
}

static const HistoryLayout history_repeatable = {
    .name = "repeatable",
    .ledger = {.kind = KNOWN_OWN,
               .tool = "scripts",
               .schema = "aramid",
               .table = "repeatable",
               .columns = "name,checksum,script,applied_at"},
    .repeats = true,
    .recognise = repeatable_recognise,
    .checksum_matches = repeatable_matches,
    .add_select = repeatable_add_select,
    .read_rows = repeatable_read_rows,
    .add_applied = repeatable_add_applied,
    .add_where = repeatable_add_where,
};
