#include "flow/verify_rollback.h"

#include "base/fs.h"
#include "flow/rollback.h"
#include "flow/seed.h"
#include "history/known.h"
#include "render/render.h"

typedef struct Proving {
    Arena *arena; /* of the result */
    VerifyRollbackResult *ret;
    bool *chosen; /* by index of h->files */
    size_t next;  /* what is before it has been tried */
    bool anew;    /* what a script left is not what was there: from the beginning, behind it */
    ReplayScripts seeds;
    size_t seeds_from; /* the migrations before it do not run on the rows */
    size_t seeded;     /* so many of them have run on the server */
} Proving;

const char *
proof_state_name(ProofState state)
{
    static const char *const names[] = {"leads-back",  "irreversible", "rows-stay",
                                        "rows-differ", "differs",      "breaks"};
    return names[state];
}

static bool
read_state(const Proving *p, ReplayServer *s, Arena *a, Catalog **ret, Err *err)
{
    if (!replay_server_read(s, a, ret, err))
        return false;
    history_leave_out(*ret, &p->ret->history, NULL);
    return true;
}

static bool
run_up(ReplayServer *s, const Migration *m, Err *err)
{
    ARENA_LOCAL(a);
    Str text;
    return migration_text(a, m, &text, err) &&
           replay_server_run(s, &(ReplayScript){m->name, m->path, text}, err);
}

static void
set_why(Proving *p, RollbackProof *proof, ProofState state, const char *why)
{
    proof->state = state;
    proof->why = str_dup(p->arena, str_trim(str_of(why)));
    p->anew = true;
}

/* Whether it can go on at all: a script that fails is a result, a lost server is none. */
static bool
take_failure(Proving *p, RollbackProof *proof, const char *what, const Err *err)
{
    if (err->code != ERR_REPLAY && err->code != ERR_MIGRATION_FILE)
        return false;
    ARENA_LOCAL(a);
    set_why(p, proof, PROOF_BREAKS, str_fmt(a, "%s: %s", what, err->primary));
    return true;
}

static void
compare(Proving *p, RollbackProof *proof, const char *what, const Catalog *was, const Catalog *is)
{
    ARENA_LOCAL(a);
    Diff *d = flow_compare_states(a, was, is, NULL);
    if (d->changes.n)
        set_why(p, proof, PROOF_DIFFERS,
                str_fmt(a, "%s\n%s", what, str_dup(a, render_summary(a, d))));
}

/* ---- rows ------------------------------------------------------------------------------------- */

/* Rows before the first migration on whose schema the seeds run. */
static bool
put_seeds(Proving *p, ReplayServer *s, Err *err)
{
    for (; p->seeded < p->seeds.n; p->seeded++) {
        const ReplayScript *seed = &p->seeds.v[p->seeded];
        if (replay_server_run(s, seed, err))
            continue;
        if (err->code != ERR_REPLAY && err->code != ERR_MIGRATION_FILE)
            return false;
        if (!p->seeds_from)
            p->ret->unseeded = str_fmt(p->arena, "%s does not run: %s", seed->path, err->primary);
        return true;
    }
    if (!p->seeds_from)
        p->ret->unseeded = NULL;
    return true;
}

/* What a migration and its way back do, with the rows that are there at one end. */
typedef struct Turn {
    const Way *way;
    const Catalog *before, *after;
    ReplayColumnVec rows[2]; /* before it, behind it */
} Turn;

/* Whether nothing says that the values may be others: the column is there on both sides, and the migration does not
 * write to the table. */
static bool
has_to_stay(const Turn *t, const ReplayColumn *c)
{
    const CatRelation *x = catalog_relation(t->before, c->schema, c->table),
                      *y = catalog_relation(t->after, c->schema, c->table);
    vec_each (const WayRest, r, &t->way->rest)
        if (!r->table || strcmp(r->table, c->table) == 0)
            return false;
    return x && y && catalog_column(x, c->column) && catalog_column(y, c->column);
}

static const ReplayColumn *
column_of(const ReplayColumnVec *list, const ReplayColumn *like)
{
    vec_each (const ReplayColumn, c, list)
        if (strcmp(c->column, like->column) == 0 && strcmp(c->table, like->table) == 0 &&
            strcmp(c->schema, like->schema) == 0)
            return c;
    return NULL;
}

static void
compare_rows(Proving *p, RollbackProof *proof, const Turn *t, const ReplayColumnVec *was,
             const ReplayColumnVec *is, const char *what)
{
    ARENA_LOCAL(a);
    Buf b;
    buf_init(&b, a);
    vec_each (const ReplayColumn, x, was) {
        const ReplayColumn *y = column_of(is, x);
        if (!has_to_stay(t, x) || (y && x->count == y->count && strcmp(x->hash, y->hash) == 0))
            continue;
        buf_fmt(&b, "\n%s.%s, column %s: %lld row%s, were %lld", x->schema, x->table, x->column,
                y ? (long long)y->count : 0, str_plural(y ? y->count : 0), (long long)x->count);
        if (y && x->count == y->count)
            buf_addz(&b, ", with other values");
    }
    if (b.n)
        set_why(p, proof, PROOF_ROWS_DIFFER, str_fmt(a, "%s%s", what, b.p));
}

/* ---- one migration ---------------------------------------------------------------------------- */

/* Behind the migration: down, and up again. */
static bool
lead_back(Proving *p, ReplayServer *s, const Turn *t, RollbackProof *proof, Err *err)
{
    const Way *w = t->way;
    ReplayColumnVec rows;
    ARENA_LOCAL(a);
    Catalog *now;
    const ReplayScript down = {str_fmt(a, "way back of %s", w->migration->name),
                               w->path ? w->path : w->migration->name, w->script};
    if (!replay_server_run(s, &down, err))
        return take_failure(p, proof, "the way back", err);
    if (!read_state(p, s, a, &now, err))
        return false;
    compare(p, proof, "behind the way back, against what was before:", t->before, now);
    if (!p->anew && p->seeded) {
        if (!replay_server_columns(s, a, &rows, err))
            return false;
        compare_rows(p, proof, t, &t->rows[0], &rows,
                     "rows behind the way back, against those before:");
    }
    if (p->anew)
        return true;
    if (!run_up(s, w->migration, err)) {
        if (!take_failure(p, proof, "applied again", err))
            return false;
        if (w->rest.n && strncmp(err->sqlstate, "23", 2) == 0)
            proof->state = PROOF_ROWS_STAY;
        return true;
    }
    if (!read_state(p, s, a, &now, err))
        return false;
    compare(p, proof, "applied again, against the first time:", t->after, now);
    if (!p->anew && p->seeded) {
        if (!replay_server_columns(s, a, &rows, err))
            return false;
        compare_rows(p, proof, t, &t->rows[1], &rows,
                     "rows behind the second time, against the first:");
    }
    return true;
}

/* It does not run on the seeded rows: once more, and rows behind it only. */
static bool
try_without_rows(Proving *p, const Migration *m, const Err *err)
{
    if (err->code != ERR_REPLAY)
        return false;
    p->ret->unseeded = str_fmt(p->arena, "%s does not run on them: %s", m->name, err->primary);
    p->seeds_from = p->next + 1;
    p->anew = true;
    return true;
}

static bool
prove_one(Proving *p, ReplayServer *s, const Migration *m, Err *err)
{
    ARENA_LOCAL(a);
    Catalog *before, *after;
    Way w = {.migration = m};
    Turn t = {.way = &w};
    if (p->next >= p->seeds_from && !put_seeds(p, s, err))
        return false;
    if (!read_state(p, s, a, &before, err) ||
        (p->seeded && !replay_server_columns(s, a, &t.rows[0], err)))
        return false;
    if (!run_up(s, m, err))
        return p->seeded && try_without_rows(p, m, err);
    if (!read_state(p, s, a, &after, err) ||
        (p->seeded && !replay_server_columns(s, a, &t.rows[1], err)))
        return false;
    RollbackProof proof = {.name = m->name, .checksum = m->checksum, .is_seeded = p->seeded > 0};
    if (!flow_way_own(a, &p->ret->history, &w, err)) {
        if (err->code != ERR_MIGRATION_FILE)
            return false;
        set_why(p, &proof, PROOF_BREAKS, err->primary);
        p->anew = false;
    } else {
        t.before = before;
        t.after = after;
        flow_way_derive(a, before, after, "postgres", &w);
        proof.path = w.path ? str_dupz(p->arena, w.path) : NULL;
        proof.rest = (int)w.rest.n;
        vec_each (Change *, c, &w.diff->changes)
            vec_each (const DiffEffect, e, &(*c)->effects)
                proof.losses += e->harm == DIFF_LOSS;
        if (w.irreversible) {
            set_why(p, &proof, PROOF_IRREVERSIBLE, w.irreversible);
            p->anew = false;
        } else if (!lead_back(p, s, &t, &proof, err))
            return false;
    }
    p->ret->wrong += proof.state >= PROOF_ROWS_STAY;
    *vec_add(p->arena, &p->ret->proofs) = proof;
    p->next++;
    return true;
}

static bool
turn(void *arg, ReplayServer *s, Err *err)
{
    Proving *p = arg;
    const MigrationVec *files = &p->ret->history.files;
    p->anew = false;
    p->seeded = 0;
    for (size_t i = 0; i < files->n; i++) {
        if (i < p->next || !p->chosen[i]) {
            if (!run_up(s, &files->v[i], err))
                return false;
            continue;
        }
        p->next = i;
        if (!prove_one(p, s, &files->v[i], err))
            return false;
        if (p->anew)
            return true;
    }
    return true;
}

static void
close_session(Session *s)
{
    if (s->db)
        session_close(s);
}

static bool
choose_pending(Arena *a, const FlowInput *in, Proving *p, Err *err)
{
    History *h = &p->ret->history;
    Target target;
    Session s __attribute__((cleanup(close_session))) = {0};
    JournalVec journal = {0};
    if (!flow_target(a, in->config, in->self_exe, FLOW_MAKES_NOTHING, &target, err))
        return false;
    SessionOptions o = flow_session(in, &target, h, "verify-rollback", FLOW_READS);
    if (!target.absent && (!session_open(a, &o, &s, err) || !session_read(&s, h, &journal, err)))
        return false;
    for (size_t i = 0; i < h->files.n; i++)
        p->chosen[i] = h->entries.v[i].state != ENTRY_APPLIED;
    return true;
}

static bool
choose(Arena *a, const VerifyRollbackInput *in, Proving *p, Err *err)
{
    const History *h = &p->ret->history;
    p->chosen = arena_array(a, bool, h->files.n + 1);
    if (!in->all && !in->nnames)
        return choose_pending(a, &in->base, p, err);
    for (size_t k = 0; k < in->nnames; k++)
        if (!history_find(h, in->names[k]))
            return flow_no_such_migration(in->names[k], h, err);
    for (size_t i = 0; i < h->files.n; i++) {
        p->chosen[i] = in->all;
        for (size_t k = 0; k < in->nnames; k++)
            p->chosen[i] = p->chosen[i] || strcmp(in->names[k], h->files.v[i].name) == 0;
    }
    return true;
}

static bool
read_seeds(Arena *a, const VerifyRollbackInput *in, ReplayScripts *ret, Err *err)
{
    MigrationVec files = {0};
    for (size_t i = 0; i < in->nseeds; i++) {
        ReplayScript *s = vec_add(a, ret);
        *s = (ReplayScript){in->seeds[i], in->seeds[i], {0}};
        if (!fs_read(a, in->seeds[i], 0, &s->sql, err))
            return false;
    }
    if (in->nseeds)
        return true;
    if (!flow_seed_files(a, in->base.config, &files, err))
        return false;
    vec_each (const Migration, m, &files)
        if (!flow_add_script(a, m, ret, err))
            return false;
    return true;
}

bool
flow_verify_rollback(Arena *a, const VerifyRollbackInput *in, VerifyRollbackResult *ret, Err *err)
{
    *ret = (VerifyRollbackResult){.config = in->base.config};
    Proving p = {.arena = a, .ret = ret};
    ReplayOptions o;
    if (!flow_versions(a, in->base.config, &ret->history, err) || !choose(a, in, &p, err) ||
        !flow_ways_options(a, &in->base, NULL, &o, err))
        return false;
    if (!read_seeds(a, in, &p.seeds, err))
        return false;
    bool any = false;
    for (size_t i = 0; i < ret->history.files.n; i++)
        any = any || p.chosen[i];
    while (any) {
        Replay r;
        if (!replay_with(a, &o, turn, &p, &r, err))
            return false;
        ret->major = r.major;
        if (!p.anew)
            break;
    }
    return true;
}
