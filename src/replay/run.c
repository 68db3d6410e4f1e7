/* One script, step by step, on an empty server: nobody else is there, so there is nothing to wait
 * for and nothing to record. */
#include "replay/replay_int.h"

/* The step as one message; returns how many of our own statements stand in front of the user's. */
static int
step_message(const MigrationPlan *mp, const Step *step, Buf *b, size_t *ret_shift)
{
    const SqlScript *script = &mp->script;
    if (step->chained)
        buf_fmt(b, "BEGIN %s;", step->chained);
    const SqlSpan *first = &script->stmts.v[step->first];
    *ret_shift = first->off - b->n;
    buf_add(b, str_slice(script->text, first->off, first[step->count - 1].end));
    return step->chained ? 1 : 0;
}

/* Where the server's position lies in the file; without one, the statement that failed. */
/* A message with statements of a migration. */
typedef struct Sent {
    const MigrationPlan *mp;
    Str message;
    size_t shift;  /* where its text is in the file, minus where it is in the message */
    size_t failed; /* statement of the file */
} Sent;

static void
set_place(const Sent *sent, const DbOutcome *o, Err *err)
{
    const MigrationPlan *mp = sent->mp;
    plan_place(mp, sent->failed, err);
    if (!o->position)
        return;
    size_t off = str_utf8_offset(sent->message, o->position - 1) + sent->shift;
    int line, column;
    str_line_col(mp->script.text, off, &line, &column);
    err_at(err, mp->migration->path, line, column);
    for (size_t i = 0; i < mp->script.stmts.n && mp->script.stmts.v[i].off <= off; i++)
        err->statement = (int)i + 1;
}

static bool
too_old(const Work *w, Err *err)
{
    int wanted = w->options->major;
    err_detail(err, "it was replayed on PostgreSQL %d", w->ret->major);
    if (wanted <= w->ret->major)
        return err_hint(err, "what a newer PostgreSQL brought needs that one here: install it, or "
                             "name an empty database of that version with --shadow-url");
    return err_hint(err,
                    "the database is of PostgreSQL %d: install PostgreSQL %d here, or name an "
                    "empty database of that version with --shadow-url",
                    wanted, wanted);
}

static bool
script_failed(Arena *a, const Work *w, const Sent *sent, const DbOutcome *o, Err *err)
{
    const MigrationPlan *mp = sent->mp;
    err_set(err, ERR_REPLAY, "migration \"%s\" cannot be replayed: %s", mp->migration->name,
            str_printable(a, str_of(o->message), false));
    memcpy(err->sqlstate, o->sqlstate, sizeof err->sqlstate);
    set_place(sent, o, err);
    MigrationPlan shown = *mp; /* the file's own text, not what stands in for a part of it */
    if (mp->migration->text.n == mp->script.text.n)
        shown.script.text = mp->migration->text;
    plan_quote_line(&shown, err);
    db_outcome_details(a, o, err);
    vec_each (const ReplayStub, s, &w->ret->stubs)
        err_detail(err, "the %s \"%s\" is missing on this server; a stub stood in for it",
                   replay_stub_name(s->kind), str_printable(a, str_of(s->name), false));
    if (w->unloaded)
        return err_hint(
            err,
            "\"%s\" is a library that a server is started with, and none here starts with it: "
            "name an empty database of one that has it in shared_preload_libraries, with "
            "--shadow-url",
            str_printable(a, str_of(w->unloaded), false));
    if (strcmp(o->sqlstate, "42601") == 0) /* the file's own, or the server is too old for it */
        return too_old(w, err);
    bool is_missing = strncmp(o->sqlstate, "42", 2) == 0 || strcmp(o->sqlstate, "3F000") == 0;
    if (is_missing)
        err_hint(err, "the migrations must make all that they use, from an empty database on; what "
                      "databases have from elsewhere belongs into a first migration, recorded "
                      "there with: aramid resolve --applied NAME");
    if (!w->is_private)
        return false;
    return err_hint(err,
                    "extensions, or data that the private server (PostgreSQL %d) does not "
                    "have: name an empty database that has them with --shadow-url",
                    w->ret->major);
}

/* The locks of one transaction have to fit into memory that a server sets aside when it starts. */
static bool
wants_locks(Work *w, const DbOutcome *o)
{
    if (!w->is_private || w->locks_more || strcmp(o->sqlstate, "53200") != 0)
        return false;
    return w->locks_more = w->starts_anew = true;
}

static bool
run_step(Work *w, Arena *script, MigrationPlan *mp, const Step *step, PlanHints *hints,
         bool *ret_again, Err *err)
{
    ARENA_LOCAL(a);
    Buf b;
    buf_init(&b, a);
    size_t shift;
    int own = step_message(mp, step, &b, &shift);
    DbOutcome o;
    db_run(w->db, a, buf_str(&b), &(DbRun){.discard_rows = true}, &o);
    *ret_again = false;
    if (o.end == DB_DONE)
        return true;
    if (o.end == DB_LOST || o.cancelled)
        return db_outcome_err(&o, "replaying migrations", err);
    if (step->mode == STEP_OWN_TX && !db_query(w->db, a, STR("ROLLBACK"), NULL, err))
        return false;
    size_t failed = step->first + (size_t)(o.completed > own ? o.completed - own : 0);
    *ret_again = !wants_locks(w, &o) && (plan_learn(script, mp, step, failed, o.sqlstate, hints) ||
                                         stub_missing(w, script, mp, failed, &o));
    return *ret_again || script_failed(a, w, &(Sent){mp, buf_str(&b), shift, failed}, &o, err);
}

/* Of a transaction that makes thousands of objects every statement costs more than the one before it, for the locks
 * that it keeps. Where a step does nothing but make them, pieces of it come to the same, on a server on which
 * nobody looks. */
enum { PIECE = 1000 };

static size_t
piece_count(const Work *w, const MigrationPlan *mp, const Step *step)
{
    bool may = w->is_private && step->mode == STEP_TX && !step->chained && !mp->has_opaque &&
               !step->has_dml && !step->runs_code && !step->hides_session && !step->hides_locks &&
               !step->sets_isolation;
    return may && step->count > 2 * PIECE ? PIECE : step->count;
}

static bool
run_pieces(Work *w, Arena *script, MigrationPlan *mp, const Step *step, PlanHints *hints,
           bool *ret_again, Err *err)
{
    Step piece = *step;
    size_t end = step->first + step->count;
    *ret_again = false;
    for (piece.count = piece_count(w, mp, step); piece.first < end; piece.first += piece.count) {
        if (piece.count > end - piece.first)
            piece.count = end - piece.first;
        if (!run_step(w, script, mp, &piece, hints, ret_again, err))
            return false;
        if (!*ret_again)
            continue;
        hints->start = piece.first;
        hints->chained = piece.chained;
        return true;
    }
    return true;
}

bool
replay_run(Work *w, const ReplayScript *script, Err *err)
{
    ARENA_LOCAL(a);
    MigrationPlan mp;
    PlanHints hints = {.fresh = true};
    Migration m = {.name = script->name,
                   .path = script->path ? script->path : script->name,
                   .has_file = true,
                   .text = script->sql};
    if (!plan_migration(a, &m, &hints, &mp, err) || !replay_reset(w, err))
        return false;
    for (size_t i = 0; i < mp.steps.n; i++) {
        bool again;
        const Step *step = &mp.steps.v[i];
        if (!step->count)
            continue;
        if (!run_pieces(w, a, &mp, step, &hints, &again, err))
            return false;
        if (!again)
            continue;
        if (!plan_cut(a, &hints, &mp, err))
            return false;
        i = SIZE_MAX;
    }
    return true;
}
