#include "flow/verify_rollback.h"

#include "flow/rollback.h"
#include "history/known.h"
#include "render/render.h"

typedef struct Proving {
    Arena *arena; /* of the result */
    VerifyRollbackResult *ret;
    bool *chosen; /* by index of h->files */
    size_t next;  /* what is before it has been tried */
    bool anew;    /* what a script left is not what was there: from the beginning, behind it */
} Proving;

const char *
proof_state_name(ProofState state)
{
    static const char *const names[] = {"leads-back", "irreversible", "rows-stay", "differs",
                                        "breaks"};
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

/* Behind the migration: down, and up again. */
static bool
lead_back(Proving *p, ReplayServer *s, const Way *w, const Catalog *states[2], RollbackProof *proof,
          Err *err)
{
    ARENA_LOCAL(a);
    Catalog *now;
    const ReplayScript down = {str_fmt(a, "way back of %s", w->migration->name),
                               w->path ? w->path : w->migration->name, w->script};
    if (!replay_server_run(s, &down, err))
        return take_failure(p, proof, "the way back", err);
    if (!read_state(p, s, a, &now, err))
        return false;
    compare(p, proof, "behind the way back, against what was before:", states[0], now);
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
    compare(p, proof, "applied again, against the first time:", states[1], now);
    return true;
}

static bool
prove_one(Proving *p, ReplayServer *s, const Migration *m, Err *err)
{
    ARENA_LOCAL(a);
    Catalog *before, *after;
    Way w = {.migration = m};
    if (!read_state(p, s, a, &before, err) || !run_up(s, m, err) ||
        !read_state(p, s, a, &after, err))
        return false;
    RollbackProof proof = {.name = m->name, .checksum = m->checksum};
    if (!flow_way_own(a, &p->ret->history, &w, err)) {
        if (err->code != ERR_MIGRATION_FILE)
            return false;
        set_why(p, &proof, PROOF_BREAKS, err->primary);
        p->anew = false;
    } else {
        flow_way_derive(a, before, after, "postgres", &w);
        proof.path = w.path ? str_dupz(p->arena, w.path) : NULL;
        proof.rest = (int)w.rest.n;
        vec_each (Change *, c, &w.diff->changes)
            vec_each (const DiffEffect, e, &(*c)->effects)
                proof.losses += e->harm == DIFF_LOSS;
        if (w.irreversible) {
            set_why(p, &proof, PROOF_IRREVERSIBLE, w.irreversible);
            p->anew = false;
        } else if (!lead_back(p, s, &w, (const Catalog *[]){before, after}, &proof, err))
            return false;
    }
    p->ret->wrong += proof.state >= PROOF_ROWS_STAY;
    *vec_add(p->arena, &p->ret->proofs) = proof;
    return true;
}

static bool
turn(void *arg, ReplayServer *s, Err *err)
{
    Proving *p = arg;
    const MigrationVec *files = &p->ret->history.files;
    p->anew = false;
    for (size_t i = 0; i < files->n; i++) {
        if (i < p->next || !p->chosen[i]) {
            if (!run_up(s, &files->v[i], err))
                return false;
            continue;
        }
        if (!prove_one(p, s, &files->v[i], err))
            return false;
        p->next = i + 1;
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

bool
flow_verify_rollback(Arena *a, const VerifyRollbackInput *in, VerifyRollbackResult *ret, Err *err)
{
    *ret = (VerifyRollbackResult){.config = in->base.config};
    Proving p = {.arena = a, .ret = ret};
    ReplayOptions o;
    if (!flow_versions(a, in->base.config, &ret->history, err) || !choose(a, in, &p, err) ||
        !flow_ways_options(a, &in->base, NULL, &o, err))
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
