#include "flow/undo.h"

#include "flow/endpoint.h"
#include "flow/managed.h"
#include "flow/undo_names.h"
#include "history/known.h"
#include "render/render.h"
#include "sqltext/sqltext.h"

static const CatRules rules = {.ignore_column_order = true, .ignore_versions = true};

static Diff *
compare_renamed(Arena *a, const Catalog *from, const Catalog *to, const CatRenames *renames,
                const char *runner)
{
    const DiffSide x = {.catalog = from}, y = {.catalog = to};
    const DiffOptions options = {
        .rules = &rules, .runner = runner, .renames = renames->v, .nrenames = renames->n};
    return diff_catalogs(a, &x, &y, &options);
}

Diff *
flow_compare_states(Arena *a, const Catalog *from, const Catalog *to, const char *runner)
{
    return compare_renamed(a, from, to, &(CatRenames){0}, runner);
}

bool
flow_add_script(Arena *a, const Migration *m, ReplayScripts *ret, Err *err)
{
    Str text;
    if (!migration_text(a, m, &text, err))
        return false;
    *vec_add(a, ret) = (ReplayScript){m->name, m->path, text};
    return true;
}

/* ---- what a migration does to rows ------------------------------------------------------------ */

/* The word for what is changed; NULL: nothing that was there before. Locks on what the script made itself
 * are not listed. */
static const char *
changed_rows(Arena *a, const SqlScript *script, const SqlStmt *s, const char **ret_table)
{
    static const char *const words[] = {"insert into", "update ", "delete from", "truncate",
                                        "merge into"};
    *ret_table = NULL;
    if (s->is_dml || s->kind == SQL_TRUNCATE) {
        vec_each (const SqlLock, l, &s->locks)
            if (l->mode >= SQL_LOCK_ROW_EXCLUSIVE) {
                *ret_table = l->rel.name;
                return str_fmt(a, "%s of %s", s->tag, l->rel.name);
            }
        return s->opaque ? s->tag : NULL;
    }
    Str text = str_slice(script->text, s->off, s->off + s->len);
    for (size_t i = 0; s->kind == SQL_DO && i < COUNT(words); i++)
        if (str_icontains(text, str_of(words[i])))
            return "DO, which may change rows";
    return s->kind == SQL_CALL ? "CALL, which may change rows" : NULL;
}

static bool
changes_rows(Arena *a, SqlScript *script)
{
    sql_classify(a, script);
    for (size_t i = 0; i < script->stmts.n; i++) {
        SqlStmt stmt;
        const char *table;
        if (changed_rows(a, script, sql_stmt(script, i, &stmt), &table))
            return true;
    }
    return false;
}

/* What each statement does; of the script anew, which then has other locks than those that count for rows. */
static bool
read_actions(Arena *a, const char *path, Str text, const SqlActionVec **ret, size_t *ret_n,
             Err *err)
{
    SqlScript script;
    if (!sql_split(a, path, text, &script, err))
        return false;
    *ret = sql_classify_actions(a, &script);
    *ret_n = script.stmts.n;
    return true;
}

static bool
look_at_script(Arena *a, Way *w, Err *err)
{
    Str text;
    SqlScript script;
    SqlDirectiveVec directives;
    const Migration *m = w->migration;
    if (!migration_text(a, m, &text, err) || !sql_split(a, m->path, text, &script, err) ||
        !sql_directives(a, m->path, &script, &directives, err))
        return false;
    const SqlDirective *d = sql_directive(&directives, SQL_DIRECTIVE_IRREVERSIBLE);
    if (d)
        w->irreversible = str_dup(a, d->value);
    sql_classify(a, &script);
    for (size_t i = 0; i < script.stmts.n; i++) {
        SqlStmt stmt;
        const SqlStmt *s = sql_stmt(&script, i, &stmt);
        const char *table, *what = changed_rows(a, &script, s, &table);
        if (what)
            *vec_add(a, &w->rest) = (WayRest){s->line, what, table};
        if (s->is_concurrent && s->index.name && s->index.name[0])
            *vec_add(a, &w->concurrent) = s->index.name;
    }
    return read_actions(a, m->path, text, &w->actions, &w->nactions, err);
}

/* ---- deriving --------------------------------------------------------------------------------- */

static bool
is_concurrent(const Way *w, const char *name)
{
    vec_each (const char *const, n, &w->concurrent)
        if (strcmp(*n, name) == 0)
            return true;
    return false;
}

/* What was made without blocking others goes so, too, in a step of its own; and the other way round. */
static void
add_statement(Buf *b, const RenderStep *step, const char *sql, const Way *w)
{
    static const char *const heads[] = {"DROP INDEX ", "CREATE INDEX ", "CREATE UNIQUE INDEX "};
    const CatObject *o = step->change->from ? step->change->from : step->change->to;
    bool is = o && o->id.kind == CAT_INDEX && is_concurrent(w, o->id.name);
    for (size_t i = 0; is && i < COUNT(heads); i++)
        if (str_starts(str_of(sql), str_of(heads[i]))) {
            buf_fmt(b, "%sCONCURRENTLY %s;\n", heads[i], sql + strlen(heads[i]));
            return;
        }
    buf_fmt(b, "%s;\n", sql);
}

static Str
derived_script(Arena *a, const Way *w)
{
    Buf b;
    FindingList losses;
    buf_init(&b, a);
    findings_init(&losses, a, NULL);
    buf_fmt(&b, "-- down of %s\n", w->migration->name);
    buf_addz(&b, "-- Derived by Aramid from what is there before and behind this migration.\n");
    vec_each (Change *, c, &w->diff->changes)
        vec_each (const DiffEffect, e, &(*c)->effects)
            if (e->harm != DIFF_HARMLESS)
                buf_fmt(&b, "-- %s: %s\n", e->harm == DIFF_LOSS ? "Lost" : "May fail",
                        str_printable(a, str_of(render_effect(a, e)), false));
    vec_each (const WayRest, r, &w->rest)
        buf_fmt(&b, "-- Not undone: line %d, %s\n", r->line,
                str_printable(a, str_of(r->what), false));
    RenderSteps steps = render_steps(a, w->diff, &(RenderOptions){.schema = ""});
    vec_each (const RenderStep, s, &steps) {
        buf_fmt(&b, "\n-- %s\n", s->title);
        vec_each (const char *, sql, &s->statements)
            add_statement(&b, s, *sql, w);
    }
    return buf_str(&b);
}

/* ---- the project's own ------------------------------------------------------------------------ */

static bool
take_own(Arena *a, const History *h, Way *w, Err *err)
{
    HistoryDown down;
    SqlScript script;
    SqlDirectiveVec directives;
    if (w->irreversible || !history_down(a, h, w->migration, &down, err))
        return w->irreversible != NULL;
    if (!down.path)
        return true;
    Buf b;
    buf_init(&b, a);
    for (int i = 1; i < down.line; i++) /* lines are those of the file */
        buf_addc(&b, '\n');
    buf_add(&b, down.text);
    if (!sql_split(a, down.path, buf_str(&b), &script, err) ||
        !sql_directives(a, down.path, &script, &directives, err))
        return false;
    const SqlDirective *d = sql_directive(&directives, SQL_DIRECTIVE_IRREVERSIBLE);
    if (d) {
        w->irreversible = str_dup(a, d->value);
        return true;
    }
    w->path = down.path;
    w->script = buf_str(&b);
    if (!str_starts(str_trim(down.text), STR("-- down of ")) || changes_rows(a, &script))
        w->rest.n = 0; /* whoever wrote it thought of it */
    return true;
}

bool
flow_way_own(Arena *a, const History *h, Way *w, Err *err)
{
    if (!w->migration->has_file)
        return migration_gone(w->migration, err);
    return look_at_script(a, w, err) && take_own(a, h, w, err);
}

void
flow_way_derive(Arena *a, const Catalog *before, const Catalog *after, const char *user, Way *w)
{
    const CatRenames renames = script_renames(a, w->actions, w->nactions, before, after, true);
    w->diff = compare_renamed(a, after, before, &renames, user);
    if (!w->path && !w->irreversible)
        w->script = derived_script(a, w);
}

/* ---- all of them ------------------------------------------------------------------------------ */

bool
flow_ways_options(Arena *a, const FlowInput *in, const Session *compared, ReplayOptions *ret,
                  Err *err)
{
    if (!flow_replay_options(a, in, compared, ret, err))
        return false;
    Patterns ignored = managed_ignored(a, in->config);
    IntrospectOptions *what = arena_new(a, IntrospectOptions);
    *what = (IntrospectOptions){.except = ignored.v, .nexcept = ignored.n};
    ret->introspect = what;
    return true;
}

/* The catalogs before the first, and behind each. */
static bool
replay_all(Arena *a, const WaysInput *in, const Catalog **states, Replay *last, Err *err)
{
    ReplayOptions o;
    ReplayScripts scripts = {0};
    if (!flow_ways_options(a, in->base, in->compared, &o, err))
        return false;
    for (size_t i = 0; i < in->nbefore; i++)
        *vec_add(a, &scripts) = in->before[i];
    for (size_t i = 0; i <= in->n; i++) {
        if (i && !flow_add_script(a, in->list[i - 1], &scripts, err))
            return false;
        Replay r;
        if (!replay_scripts(a, scripts.v, scripts.n, &o, &r, err))
            return false;
        history_leave_out(r.catalog, in->history, NULL);
        states[i] = r.catalog;
        *last = r;
    }
    return true;
}

bool
flow_ways(Arena *a, const WaysInput *in, Ways *ret, Err *err)
{
    *ret = (Ways){0};
    bool derives = false;
    for (size_t i = in->n; i-- > 0;) {
        Way *w = vec_add(a, &ret->list);
        *w = (Way){.migration = in->list[i]};
        if (!(in->is_part ? look_at_script(a, w, err) : flow_way_own(a, in->history, w, err)))
            return false;
        if (in->is_part) {
            w->irreversible = NULL;
            w->concurrent.n = 0;
        }
        derives = derives || (!w->path && !w->irreversible);
    }
    const Catalog **states = arena_array(a, const Catalog *, in->n + 1);
    if (!replay_all(a, in, states, &ret->replay, &ret->why)) {
        *err = ret->why;
        return !derives && ret->why.code != ERR_INTERRUPTED;
    }
    ret->before = states[0];
    ret->after = states[in->n];
    for (size_t i = 0; i < in->n; i++) {
        Way *w = &ret->list.v[in->n - 1 - i];
        flow_way_derive(a, states[i], states[i + 1], ret->replay.user, w);
    }
    return true;
}

bool
flow_ways_total(Arena *a, const Ways *ways, Diff **ret, Err *err)
{
    *ret = NULL;
    if (!ways->after)
        return true;
    VEC(SqlActionVec) actions = {0};
    vec_each (const Way, w, &ways->list) {
        const SqlActionVec *of;
        size_t n;
        if (!read_actions(a, w->path ? w->path : w->migration->path, w->script, &of, &n, err))
            return false;
        for (size_t i = 0; i < n; i++)
            *vec_add(a, &actions) = of[i];
    }
    const CatRenames renames =
        script_renames(a, actions.v, actions.n, ways->after, ways->before, false);
    *ret = compare_renamed(a, ways->after, ways->before, &renames, ways->replay.user);
    return true;
}

static bool
no_way_back(const Ways *ways, Err *err)
{
    Err why = *err;
    err_set(err, ERR_NO_WAY_BACK, "%s", why.primary);
    err->at = why.at;
    memcpy(err->sqlstate, why.sqlstate, sizeof err->sqlstate);
    err_detail(err, "it was tried on a private server; the database was not touched");
    vec_each (const Way, w, &ways->list)
        if (!w->path && !w->irreversible && why.at.path[0] &&
            str_contains(str_of(why.at.path), str_of(w->migration->name)))
            return err_hint(err, "write the way back of \"%s\" yourself: down.sql beside it",
                            w->migration->name);
    return err_hint(err, "correct the script that is named");
}

bool
flow_ways_lead_back(Arena *a, const WaysInput *in, const Ways *ways, Diff **ret, Err *err)
{
    ReplayOptions o;
    ReplayScripts scripts = {0};
    *ret = NULL;
    if (!flow_ways_options(a, in->base, in->compared, &o, err))
        return false;
    for (size_t i = 0; i < in->nbefore; i++)
        *vec_add(a, &scripts) = in->before[i];
    for (size_t i = 0; i < in->n; i++)
        if (!flow_add_script(a, in->list[i], &scripts, err))
            return false;
    vec_each (const Way, w, &ways->list)
        *vec_add(a, &scripts) = (ReplayScript){
            str_fmt(a, "way back of %s", w->migration->name),
            w->path ? w->path : str_fmt(a, "rollback of %s", w->migration->name), w->script};
    Replay r;
    if (!replay_scripts(a, scripts.v, scripts.n, &o, &r, err))
        return err->code == ERR_REPLAY || err->code == ERR_MIGRATION_FILE ? no_way_back(ways, err)
                                                                          : false;
    history_leave_out(r.catalog, in->history, NULL);
    Diff *d = flow_compare_states(a, ways->before, r.catalog, NULL);
    *ret = d->changes.n ? d : NULL;
    return true;
}

Str
flow_ways_text(Arena *a, const Ways *ways, const History *h, const Session *s)
{
    Buf b;
    buf_init(&b, a);
    buf_addz(&b,
             "-- The way back, newest first. `aramid rollback` runs it with locks, journal and "
             "backup, and\n-- proves the result; psql -1 -f runs it as it is, where nothing in it "
             "is CONCURRENTLY.\n");
    vec_each (const Way, w, &ways->list) {
        buf_addc(&b, '\n');
        if (!w->script.p) {
            buf_fmt(&b, "-- down of %s\n-- There is none: %s\n", w->migration->name,
                    str_printable(a, str_of(w->irreversible ? w->irreversible : ways->why.primary),
                                  false));
            continue;
        }
        Str script = str_trim(w->script);
        if (!str_starts(script, STR("-- down of ")))
            buf_fmt(&b, "-- down of %s\n", w->migration->name);
        buf_add(&b, script);
        buf_addz(&b, "\n");
        size_t part = w->migration->part;
        const History *of = history_part_of(h, part);
        const LedgerName *ledger = s ? &s->ledgers.v[part].at : &of->ledger;
        if (!ledger->schema || !of->layout->add_where)
            continue;
        const LedgerRow row = {.name = w->migration->name, .migration = w->migration, .part = part};
        buf_addz(&b, "\n-- History\n");
        history_add_undone(&b, of->layout, ledger, &row);
        buf_addz(&b, ";\n");
    }
    return buf_str(&b);
}
