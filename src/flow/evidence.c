/* Whether a migration's own effect is in the database: its catalogs before and behind it, and the live
 * one, part by part. */
#include "flow/evidence.h"

#include "plan/plan.h"
#include "sqltext/sqltext.h"

const char *
verdict_name(Verdict v)
{
    static const char *const names[] = {"applied", "not-applied", "partly", "untold"};
    return names[v];
}

static bool
is_among(const MigrationRefs *list, const char *name)
{
    vec_each (const Migration *, m, list)
        if (strcmp((*m)->name, name) == 0)
            return true;
    return false;
}

History
flow_history_as(Arena *a, const History *h, const MigrationRefs *of, EntryState state)
{
    History ret = *h;
    ret.entries.v = arena_array(a, Entry, h->entries.n + 1);
    for (size_t i = 0; i < h->entries.n; i++) {
        Entry *e = &ret.entries.v[i];
        *e = h->entries.v[i];
        if (is_among(of, e->name))
            e->state = state;
    }
    return ret;
}

/* ---- parts of an effect --------------------------------------------------------------------- */

/* One thing that a difference changes: of an object, or all of it. */
typedef struct Piece {
    ChangeOp op;
    CatRef ref;
    const char *part; /* column, field, label; "" = the object itself */
    bool is_more;     /* its object only has more than it should */
} Piece;
typedef VEC(Piece) Pieces;

static void
add_piece(Arena *a, Pieces *list, const Change *c, const char *part)
{
    const CatObject *o = c->from ? c->from : c->to;
    *vec_add(a, list) = (Piece){.op = c->op,
                                .ref = o->id,
                                .part = part,
                                .is_more = c->op == CHANGE_ALTER && !c->fields.n && !c->drop_key &&
                                           !c->add_key && !c->labels.n};
}

static Pieces
pieces_of(Arena *a, const Diff *d)
{
    Pieces list = {0};
    vec_each (Change *, at, &d->changes) {
        const Change *c = *at;
        if (diff_is_detach(c)) {
            add_piece(a, &list, c, "its being a partition");
            list.v[list.n - 1].is_more = false;
        }
        if (c->is_aside)
            continue;
        size_t before = list.n;
        vec_each (const ColumnChange, k, &c->columns) {
            const CatRef *id = k->from ? &k->from->id : &k->to->id;
            add_piece(a, &list, c, str_fmt(a, "column %s", id->sub ? id->sub : id->name));
            list.v[list.n - 1].is_more &= k->op == COLUMN_DROP;
        }
        vec_each (const char *, f, &c->fields)
            add_piece(a, &list, c, str_fmt(a, "its %s", *f));
        vec_each (const char *, l, &c->labels)
            add_piece(a, &list, c, str_fmt(a, "value %s", *l));
        if (c->drop_key || c->add_key)
            add_piece(a, &list, c, "its primary key");
        if (list.n == before)
            add_piece(a, &list, c, "");
    }
    return list;
}

/* Whether a difference touches what a part is about. */
static bool
touches(const Pieces *list, const Piece *p)
{
    vec_each (const Piece, q, list) {
        if (cat_ref_cmp(&q->ref, &p->ref) != 0)
            continue;
        if (!*q->part || strcmp(q->part, p->part) == 0)
            return true;
        if (!*p->part && p->op == CHANGE_CREATE && !q->is_more)
            return true; /* made, and not as it should be */
    }
    return false;
}

static const char *
piece_text(Arena *a, const Piece *p)
{
    static const char *const ops[] = {"create", "drop", "alter", "rename", "attach", "index"};
    return str_fmt(a, "%s %s%s%s", ops[p->op], cat_ref_text(a, &p->ref), *p->part ? ": " : "",
                   p->part);
}

static bool
is_listed(const CatTexts *list, const char *text)
{
    vec_each (const char *, t, list)
        if (strcmp(*t, text) == 0)
            return true;
    return false;
}

/* effect: before -> behind. to_after, to_before: what the database lacks to be the one and the other. */
static void
sort_out(Arena *a, const Pieces *effect, const Pieces *to_after, const Pieces *to_before,
         Evidence *ret)
{
    vec_each (const Piece, p, effect) {
        CatTexts *list = !touches(to_after, p)   ? &ret->there
                         : touches(to_before, p) ? &ret->other
                                                 : &ret->missing;
        const char *text = piece_text(a, p);
        if (!is_listed(list, text))
            *vec_add(a, list) = text;
    }
}

static void
judge(Arena *a, Evidence *e)
{
    size_t there = e->there.n, missing = e->missing.n, other = e->other.n,
           all = there + missing + other;
    if (!all) {
        e->verdict = VERDICT_UNTOLD;
        e->why =
            "it changes nothing that the catalog shows, only rows: whether it ran cannot be seen";
    } else if (there == all) {
        e->verdict = VERDICT_APPLIED;
        e->why = str_fmt(a, "the database has all that it changes (%zu of %zu)", there, all);
    } else if (missing == all) {
        e->verdict = VERDICT_NOT_APPLIED;
        e->why = str_fmt(a, "the database has nothing of what it changes (0 of %zu)", all);
    } else if (other == all) {
        e->verdict = VERDICT_UNTOLD;
        e->why = "what it changes is neither as it was before it nor as it is behind it";
    } else {
        e->verdict = VERDICT_PARTLY;
        e->why = str_fmt(a, "the database has %zu of the %zu things that it changes", there, all);
    }
}

/* ---- the file ------------------------------------------------------------------------------ */

static bool
add_row_changes(Arena *a, const Migration *m, Evidence *ret, Err *err)
{
    MigrationPlan mp;
    SqlScript script;
    if (!m->has_file)
        return migration_gone(m, err);
    if (!plan_migration(a, m, &(PlanHints){0}, &mp, err) ||
        !plan_script(a, &mp, false, &script, err))
        return false;
    ret->is_parted = ret->is_parted || mp.steps.n > 1;
    vec_each (const SqlSpan, at, &script.stmts) {
        const SqlStmt *s = &script.forms.v[at->form];
        ret->rows += s->is_dml || s->opaque || s->kind == SQL_TRUNCATE || s->kind == SQL_CALL ||
                     s->kind == SQL_DO || (s->kind == SQL_SELECT && !s->changes_session);
    }
    return true;
}

bool
flow_evidence_rows(Arena *a, const Migration *m, Evidence *ret, Err *err)
{
    *ret = (Evidence){0};
    return add_row_changes(a, m, ret, err);
}

bool
flow_migration_until(Arena *a, const Migration *m, size_t n, Migration *ret, Err *err)
{
    Str text;
    SqlScript script;
    *ret = *m;
    if (!migration_text(a, m, &text, err) || !sql_split(a, m->path, text, &script, err))
        return false;
    ret->text = str_copy(a, str_slice(script.text, 0, n ? script.stmts.v[n - 1].end : 0));
    return true;
}

/* ---- the comparison ------------------------------------------------------------------------ */

typedef struct Looking {
    Arena *arena;
    const FlowInput *in;
    const Session *session;
    const History *history;
    const MigrationRefs *of;
} Looking;

/* state: of those that are looked at. part: stands in for one of them, or NULL. */
static bool
compare(const Looking *l, EntryState state, const Migration *part, DriftResult *ret, Err *err)
{
    History h = flow_history_as(l->arena, l->history, l->of, state);
    for (size_t i = 0; part && i < h.entries.n; i++)
        if (strcmp(h.entries.v[i].name, part->name) == 0)
            h.entries.v[i].file = part;
    *ret = (DriftResult){.config = l->in->config, .history = h, .only_applied = true};
    return flow_drift_of(l->arena, l->in, l->session, ret, err);
}

/* The effect where nothing was built on it yet: what is behind in the order is left out. */
static bool
own_effect(const Looking *l, const Migration *part, Pieces *ret, Err *err)
{
    DriftResult sides[2];
    Looking early = *l;
    MigrationRefs none = {0};
    History h = flow_history_as(l->arena, l->history, &none, ENTRY_PENDING);
    bool is_behind = false;
    for (size_t i = 0; i < h.entries.n; i++) {
        is_behind = is_behind || is_among(l->of, h.entries.v[i].name);
        if (is_behind)
            h.entries.v[i].state = ENTRY_PENDING;
    }
    early.history = &h;
    if (!compare(&early, ENTRY_PENDING, NULL, &sides[0], err) ||
        !compare(&early, ENTRY_APPLIED, part, &sides[1], err))
        return false;
    *ret = pieces_of(l->arena, flow_drift_between(l->arena, &sides[0], &sides[1]));
    return true;
}

static bool
ends_it(const Looking *l, const Err *err)
{
    return err->code == ERR_INTERRUPTED || !db_is_open(l->session->db);
}

static bool
untold(const Looking *l, const Err *why, Evidence *ret)
{
    ret->verdict = VERDICT_UNTOLD;
    ret->why = str_fmt(l->arena, "it cannot be replayed here: %s", why->primary);
    return true;
}

/* Later migrations that are applied need it. */
static bool
look_beneath(const Looking *l, const Migration *part, const DriftResult *behind, Evidence *ret,
             Err *err)
{
    Pieces effect, none = {0}, to_behind = pieces_of(l->arena, behind->repair);
    Err why = *err;
    if (!own_effect(l, part, &effect, err))
        return !ends_it(l, err) && untold(l, &why, ret);
    sort_out(l->arena, &effect, &to_behind, &none, ret);
    judge(l->arena, ret);
    ret->why =
        str_fmt(l->arena, "%s; applied migrations behind it do not run without it", ret->why);
    return true;
}

static bool
look(const Looking *l, const Migration *part, Evidence *ret, Err *err)
{
    DriftResult before, behind;
    if (!compare(l, ENTRY_APPLIED, part, &behind, err))
        return false;
    if (!compare(l, ENTRY_PENDING, NULL, &before, err))
        return !ends_it(l, err) && err->code == ERR_REPLAY &&
               look_beneath(l, part, &behind, ret, err);
    Pieces effect = pieces_of(l->arena, flow_drift_between(l->arena, &before, &behind)),
           to_behind = pieces_of(l->arena, behind.repair),
           to_before = pieces_of(l->arena, before.repair);
    sort_out(l->arena, &effect, &to_behind, &to_before, ret);
    judge(l->arena, ret);
    return true;
}

/* The file does not run to its end on an empty server either: what stands before the statement. */
static bool
look_at_part(const Looking *l, const Err *why, Evidence *ret, Err *err)
{
    Arena *a = l->arena;
    Migration part;
    if (!flow_migration_until(a, l->of->v[0], (size_t)why->statement - 1, &part, err))
        return false;
    if (!look(l, &part, ret, err))
        return !ends_it(l, err) && untold(l, why, ret);
    bool is_none = !ret->there.n && !ret->other.n;
    ret->verdict = is_none ? VERDICT_NOT_APPLIED : VERDICT_PARTLY;
    ret->why = str_fmt(a,
                       "the database has %s of what stands before its error; statement %d does not "
                       "run on an empty server, either: %s",
                       is_none ? "nothing" : "some", why->statement, why->primary);
    return true;
}

/* Statements that change rows are undone together with the others, but where the file commits on its
 * way. */
static void
weigh_rows(Evidence *e)
{
    if (e->verdict != VERDICT_NOT_APPLIED || !e->rows || !e->is_parted)
        return;
    e->verdict = VERDICT_UNTOLD;
    e->why = "the database has nothing of what it changes in the catalog, but it is not one "
             "transaction: its statements that change rows may have run";
}

bool
flow_evidence(Arena *a, const FlowInput *in, const Session *s, const History *h,
              const MigrationRefs *of, Evidence *ret, Err *err)
{
    const Looking l = {.arena = a, .in = in, .session = s, .history = h, .of = of};
    *ret = (Evidence){0};
    Err first;
    vec_each (const Migration *, m, of)
        if (!add_row_changes(a, *m, ret, &first))
            return untold(&l, &first, ret);
    if (!look(&l, NULL, ret, &first)) {
        bool is_its = of->n == 1 && first.code == ERR_REPLAY && first.statement &&
                      strcmp(first.at.path, of->v[0]->path) == 0;
        *err = first;
        if (ends_it(&l, &first) || (is_its && !look_at_part(&l, &first, ret, err)))
            return false;
        if (!is_its)
            return untold(&l, &first, ret);
    }
    weigh_rows(ret);
    return true;
}
