/* aramid rollback: which migrations go, and whether these can. */
#include "flow/rollback_int.h"

static bool
refuse_newer(const Entry *e, Err *err)
{
    err_set(err, ERR_NO_WAY_BACK,
            "the newest migration in the database, \"%s\", is not in the folder", e->name);
    err_detail(err,
               "migrations are rolled back newest first, as newer ones may use what older ones "
               "made");
    return err_hint(err,
                    "check out the version of the project that has it, and run the command there");
}

/* One that only the database knows and that may be newer than those that are to go. */
static bool
check_unknown(const Rolling *r, const Migration *oldest, Err *err)
{
    const History *h = &r->ret->history;
    const Entry *from = history_find(h, oldest->name);
    vec_each (const Entry, e, &h->entries) {
        if (e->file || e->state == ENTRY_PENDING || e->undo)
            continue;
        bool has_times = e->row->started_us > HISTORY_SOMETIME && from->row &&
                         from->row->started_us > HISTORY_SOMETIME;
        if (has_times ? e->row->started_us > from->row->started_us
                      : history_name_cmp(e->name, oldest->name) > 0)
            return refuse_newer(e, err);
    }
    return true;
}

bool
rollback_check(const Rolling *r, Err *err)
{
    vec_each (const Migration *const, m, &r->chosen) {
        const Entry *e = history_find(&r->ret->history, (*m)->name);
        const HistoryLayout *l = history_part_of(&r->ret->history, (*m)->part)->layout;
        if (!l->add_where) {
            err_set(err, ERR_NO_WAY_BACK, "migrations of %s are not rolled back by Aramid",
                    l->ledger.tool);
            return err_hint(err, "go on with a migration that reverses \"%s\"", e->name);
        }
        if (!e->edited)
            continue;
        err_set(err, ERR_DIVERGED, "migration \"%s\" was changed after it was applied", e->name);
        err_detail(err, "what it really made is not known, so no way back can be proven");
        err_at(err, e->file->path, 0, 0);
        return err_hint(err,
                        "restore the file as it was applied; aramid status --verbose tells when");
    }
    return !r->chosen.n || check_unknown(r, r->chosen.v[0], err);
}

/* The entry that stays, as an index; SIZE_MAX: none does. errors: it is not known, or not applied */
static bool
find_last_kept(const Rolling *r, size_t applied, size_t *ret, Err *err)
{
    const RollbackInput *in = r->in;
    const History *h = &r->ret->history;
    *ret = SIZE_MAX;
    if (in->to) {
        const Entry *e = history_find(h, in->to);
        if (!e || !e->file)
            return flow_no_such_migration(in->to, h, err);
        if (e->state != ENTRY_APPLIED || e->undo) {
            err_set(err, ERR_NOT_APPLIED,
                    "migration \"%s\" is not applied: there is no way back to it", in->to);
            return err_hint(err, "name one that is: aramid status --verbose");
        }
        *ret = (size_t)(e - h->entries.v);
        return true;
    }
    int64_t steps = in->steps - r->ret->finishes;
    if (steps > (int64_t)applied) {
        err_set(err, ERR_NO_WAY_BACK, "%zu migration%s %s applied: %lld cannot be rolled back",
                applied, str_plural((int64_t)applied), applied == 1 ? "is" : "are",
                (long long)in->steps);
        return err_hint(err, "aramid status --verbose lists them");
    }
    for (size_t i = h->files.n; i-- > 0;) {
        if (h->entries.v[i].state != ENTRY_APPLIED || h->entries.v[i].undo)
            continue;
        if (steps-- > 0)
            continue;
        *ret = i;
        return true;
    }
    return true;
}

static bool
refuse_unfinished(const Entry *e, Err *err)
{
    bool ours = e->state == ENTRY_RESUMABLE;
    err_set(err, ours ? ERR_NO_WAY_BACK : ERR_HISTORY_FAILED,
            ours ? "migration \"%s\" is half applied: its run was interrupted"
                 : "migration \"%s\" has failed and was never settled",
            e->name);
    err_hint(err, "undo what it left: aramid rollback --failed");
    return err_hint(err, ours ? "or finish it first: aramid deploy; then: aramid rollback"
                              : "aramid status tells what of it is there, and how to settle it");
}

bool
rollback_choose(Arena *a, Rolling *r, Err *err)
{
    const History *h = &r->ret->history;
    size_t applied = 0, kept;
    vec_each (const Entry, e, &h->entries) {
        r->ret->finishes = r->ret->finishes || e->undo;
        applied += e->file && e->state == ENTRY_APPLIED && !e->undo;
        if ((e->state == ENTRY_FAILED || e->state == ENTRY_RESUMABLE) && !e->undo)
            return refuse_unfinished(e, err);
    }
    if (!find_last_kept(r, applied, &kept, err))
        return false;
    for (size_t i = 0; i < h->files.n; i++) {
        const Entry *e = &h->entries.v[i];
        if (e->state != ENTRY_APPLIED || e->undo)
            continue;
        if (kept == SIZE_MAX || i > kept)
            *vec_add(a, &r->chosen) = e->file;
        else if (!flow_add_script(a, e->file, &r->before, err))
            return false;
    }
    return rollback_check(r, err);
}
