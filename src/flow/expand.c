/* Changes in two steps: their migrations, and how far they have come. */
#include "flow/expand.h"

#include "flow/create_int.h"
#include "flow/endpoint.h"

/* ---- what the files say -------------------------------------------------------------------------- */

typedef struct Said {
    SqlScript script;
    SqlDirectiveVec directives;
    const SqlDirective *expand, *contract;
} Said;

static bool
read_said(Arena *a, const Migration *m, Said *ret, Err *err)
{
    Str text;
    *ret = (Said){0};
    if (!m->is_of_change || m->unfit)
        return true;
    if (!migration_text(a, m, &text, err))
        return false;
    if (!sql_split(a, m->path, text, &ret->script, err))
        return false;
    sql_classify_brief(a, &ret->script);
    if (!sql_directives(a, m->path, &ret->script, &ret->directives, err))
        return false;
    ret->expand = sql_directive(&ret->directives, SQL_DIRECTIVE_EXPAND);
    ret->contract = sql_directive(&ret->directives, SQL_DIRECTIVE_CONTRACT);
    return true;
}

static bool
refuse_said(const Migration *m, const SqlDirective *d, const char *why, Err *err)
{
    err_set(err, ERR_MIGRATION_FILE, "%s", why);
    return err_at(err, m->path, d->line, d->column);
}

static ExpandShown *
find_change(const ExpandShownVec *list, Str name)
{
    vec_each (ExpandShown, s, list)
        if (str_is(name, s->change.name))
            return s;
    return NULL;
}

static ExpandState
state_of(const History *h, const char *name)
{
    const Entry *e = history_find(h, name);
    return !e                            ? EXPAND_UNKNOWN
           : e->state == ENTRY_APPLIED   ? EXPAND_EXPANDED
           : e->state == ENTRY_RESUMABLE ? EXPAND_RUNNING
                                         : EXPAND_PENDING;
}

static ExpandState
judge(const History *h, const ExpandShown *s)
{
    ExpandState first = state_of(h, s->expand);
    if (first != EXPAND_EXPANDED || !s->contract)
        return first;
    return state_of(h, s->contract) == EXPAND_EXPANDED ? EXPAND_CONTRACTED : EXPAND_CONTRACTING;
}

bool
flow_find_changes(Arena *a, const History *h, bool compared, ExpandShownVec *ret, Err *err)
{
    vec_each (const Migration, m, &h->files) {
        ARENA_LOCAL(scratch);
        Said said;
        ExpandChange change;
        if (!read_said(scratch, m, &said, err))
            return false;
        if (said.expand) {
            if (!expand_read(a, said.expand->value, &change))
                return refuse_said(m, said.expand, "the directive \"expand\" tells of no change",
                                   err);
            *vec_add(a, ret) = (ExpandShown){.change = change, .expand = m->name};
        }
        ExpandShown *of = said.contract ? find_change(ret, said.contract->value) : NULL;
        if (said.contract && !of)
            return refuse_said(m, said.contract,
                               "the directive \"contract\" names no change that was begun before",
                               err);
        if (of)
            of->contract = m->name;
    }
    vec_each (ExpandShown, s, ret)
        s->state = compared ? judge(h, s) : EXPAND_UNKNOWN;
    return true;
}

/* ---- the migrations ------------------------------------------------------------------------------ */

typedef struct Making {
    Arena *arena;
    const ExpandInput *in;
    ExpandResult *ret;
    const HistoryLayout *layout;
    const char *schema; /* where names without one lie */
    Err *err;
} Making;

/* What the migrations make, with some more behind them. */
static bool
replay(Making *m, const Migration *more, size_t nmore, Catalog **ret)
{
    History h = m->ret->history;
    FindingList diags;
    Side sides[2];
    h.files = (MigrationVec){0};
    vec_each (const Migration, f, &m->ret->history.files)
        *vec_add(m->arena, &h.files) = *f;
    for (size_t i = 0; i < nmore; i++)
        *vec_add(m->arena, &h.files) = more[i];
    findings_init(&diags, m->arena, NULL);
    SidesInput in = {.base = m->in->base,
                     .from = {.kind = ENDPOINT_EMPTY},
                     .to = {.kind = ENDPOINT_MIGRATIONS, .path = h.dir, .history = &h}};
    if (!flow_sides(m->arena, &in, &diags, sides, m->err))
        return false;
    *ret = sides[1].catalog;
    flow_sides_close(sides);
    return true;
}

static Migration
script(Making *m, const char *name, Str text)
{
    Migration ret;
    run_undo_script(m->arena, name, str_fmt(m->arena, "%s.sql (not written yet)", name), text,
                    &ret);
    return ret;
}

/* The step is tried behind the migrations; behind a first one its second one is, too. */
static bool
rehearse(Making *m)
{
    const ExpandScript *s = &m->ret->script;
    Catalog *after, *end;
    ExpandScript second;
    VEC(Migration) more = {0};
    *vec_add(m->arena, &more) =
        script(m, m->ret->is_contract ? "the contract" : "the expansion", s->sql);
    for (size_t i = 0; i < s->indexes.n; i++)
        *vec_add(m->arena, &more) = script(m, "the index", str_of(s->indexes.v[i]));
    if (!replay(m, more.v, more.n, &after))
        return false;
    if (m->ret->is_contract)
        return true;
    if (!expand_contract(m->arena, after, &s->change, (Str){"SELECT 1 WHERE false", 20}, &second,
                         m->err))
        return false;
    *vec_add(m->arena, &more) = script(m, "the contract", second.sql);
    return replay(m, more.v, more.n, &end);
}

static bool
write_one(Making *m, const char *name, Str sql)
{
    Arena *a = m->arena;
    const Config *c = m->in->base.config;
    CreateInput in = {.base = m->in->base,
                      .command = "aramid create",
                      .kind = CREATE_CHANGES,
                      .name = name,
                      .any_name = true};
    CreateResult r = {.config = c, .kind = CREATE_CHANGES, .sql = sql, .down = STR("")};
    in.author = c->values[CFG_CREATE_AUTHOR].number != 0;
    findings_init(&r.findings, a, &c->finding_rules);
    r.history = m->ret->history;
    /* Read again: the one before it is there now. */
    if (!m->in->dry_run && !flow_history(a, c, &r.history, m->err))
        return false;
    r.all = r.history; /* new times follow all of them */
    if (!create_name(a, &in, &r.name, m->err) || !create_files(a, &in, &r, m->err) ||
        (!m->in->dry_run && !flow_create_write(a, &r, m->err)))
        return false;
    vec_each (const CreateFile, f, &r.files)
        *vec_add(a, &m->ret->files) = *f;
    return true;
}

static bool
write_all(Making *m)
{
    Arena *a = m->arena;
    const ExpandScript *s = &m->ret->script;
    const char *verb = m->ret->is_contract ? "contract" : "expand";
    if (!write_one(m, str_fmt(a, "%s_%s", verb, s->change.name), s->sql))
        return false;
    for (size_t i = 0; i < s->indexes.n; i++)
        if (!write_one(m, str_fmt(a, "index_%s", s->index_names.v[i]), str_of(s->indexes.v[i])))
            return false;
    return true;
}

static bool
no_such_change(const ExpandShownVec *list, const char *name, Err *err)
{
    err_set(err, ERR_USAGE, "no migration begins a change \"%s\"", name);
    vec_each (const ExpandShown, s, list)
        err_hint(err, "there is: %s", s->change.name);
    return err_hint(err, "aramid state shows all");
}

/* The first proof of the change's first migration. */
static bool
find_proof(Making *m, const ExpandShown *of, Str *ret)
{
    Said said;
    SqlStmt stmt;
    *ret = STR("");
    vec_each (const Migration, f, &m->ret->history.files) {
        if (strcmp(f->name, of->expand) != 0)
            continue;
        if (!read_said(m->arena, f, &said, m->err))
            return false;
        const SqlDirective *d = sql_directive(&said.directives, SQL_DIRECTIVE_PROVE);
        const SqlStmt *s = d ? sql_stmt(&said.script, d->statement, &stmt) : NULL;
        if (s)
            *ret = str_slice(said.script.text, s->off, s->off + s->len);
    }
    return true;
}

static bool
make_contract(Making *m, const Catalog *c)
{
    ExpandShownVec list = {0};
    Str proof;
    if (!flow_find_changes(m->arena, &m->ret->history, false, &list, m->err))
        return false;
    const ExpandShown *of = find_change(&list, str_of(m->in->contract));
    if (!of)
        return no_such_change(&list, m->in->contract, m->err);
    if (of->contract) {
        err_set(m->err, ERR_EXISTS, "the second step of \"%s\" is written already",
                of->change.name);
        return err_hint(m->err, "it is the migration %s", of->contract);
    }
    return find_proof(m, of, &proof) &&
           expand_contract(m->arena, c, &of->change, proof, &m->ret->script, m->err);
}

static bool
make_expand(Making *m, const Catalog *c)
{
    ExpandShownVec list = {0};
    ExpandWish wish = m->in->wish;
    wish.schema = m->schema;
    if (!flow_find_changes(m->arena, &m->ret->history, false, &list, m->err) ||
        !expand_write(m->arena, c, &wish, &m->ret->script, m->err))
        return false;
    if (!find_change(&list, str_of(m->ret->script.change.name)))
        return true;
    err_set(m->err, ERR_EXISTS, "a change \"%s\" was begun already", m->ret->script.change.name);
    return err_hint(m->err, "aramid state shows how far it is");
}

static bool
check_layout(const Making *m)
{
    if (m->layout->new_one)
        return true;
    err_set(m->err, ERR_USAGE, "migrations of %s are made by the tool itself",
            m->layout->ledger.tool);
    return err_hint(
        m->err, "print the SQL with --dry-run, and put it into a migration of that tool%s%s",
        m->layout->new_command ? ": " : "", m->layout->new_command ? m->layout->new_command : "");
}

bool
flow_expand(Arena *a, const ExpandInput *in, ExpandResult *ret, Err *err)
{
    *ret = (ExpandResult){.is_contract = in->contract != NULL};
    Making m = {.arena = a, .in = in, .ret = ret, .schema = "public", .err = err};
    Catalog *c;
    if (!flow_history(a, in->base.config, &ret->history, err))
        return false;
    m.layout = ret->history.layout;
    if ((!in->dry_run && !check_layout(&m)) || !replay(&m, NULL, 0, &c) ||
        !(in->contract ? make_contract(&m, c) : make_expand(&m, c)) || !rehearse(&m))
        return false;
    if (m.layout->new_one)
        return write_all(&m);
    *vec_add(a, &ret->files) =
        (CreateFile){.path = "migration.sql", .shown = "migration.sql", .text = ret->script.sql};
    return true;
}
