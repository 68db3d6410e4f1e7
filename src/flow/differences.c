/* What differs between folder, ledger and database, each with its repair. */
#include "flow/reconcile.h"
#include "flow/rollback.h"
#include "render/render.h"

const char *
difference_name(DifferenceClass c)
{
    static const char *const names[] = {
        "pending", "order",   "unrecorded", "partly",     "failed",   "interrupted", "edited",
        "renamed", "missing", "doubled",    "incomplete", "outdated", "drift"};
    _Static_assert(COUNT(names) == DIFFERENCE_CLASSES, "each has a name");
    return names[c];
}

typedef struct Seeking {
    Arena *a;
    const ReconcileInput *in;
    const Session *session;
    ReconcileResult *ret;
    MigrationRefs assumed; /* whose whole effect is there */
} Seeking;

static Difference *
add(Seeking *k, DifferenceClass class, const char *name, const char *text)
{
    Difference *d = vec_add(k->a, &k->ret->differences);
    *d = (Difference){.class = class, .name = name, .text = text};
    return d;
}

static void
leave(Difference *d, const char *next)
{
    d->next = next;
    d->is_left = true;
}

static void
mend(Difference *d, const RunRepair *repair, const char *does)
{
    d->repair = *repair;
    d->repair.name = d->name;
    d->does = does;
}

static const char *
shell(const Seeking *k, const char *name)
{
    return str_shell(k->a, name);
}

/* ---- rows ---------------------------------------------------------------------------------- */

static bool
is_live(const LedgerRow *r)
{
    return r->finished_us && !r->rolled_back_us;
}

static const Migration *
file_of(const History *h, const char *name)
{
    const Entry *e = history_find(h, name);
    return e ? e->file : NULL;
}

#define layout_of(k, part) (history_part_of(&(k)->ret->history, part)->layout)

/* Of the rows of a ledger that say that a migration is applied, the one that is as the tool would have it. */
static const LedgerRow *
row_to_keep(const Seeking *k, const char *name, size_t part)
{
    const History *h = &k->ret->history;
    const Migration *m = file_of(h, name);
    const LedgerRow *best = NULL;
    int best_worth = -1;
    vec_each (const LedgerRow, r, &h->rows) {
        if (!is_live(r) || r->part != part || strcmp(r->name, name) != 0)
            continue;
        bool fits = m && layout_of(k, part)->checksum_matches(k->a, r->checksum, m);
        int worth = 2 * !r->lacks + fits;
        if (worth > best_worth)
            best = r, best_worth = worth;
    }
    return best;
}

static void
find_doubled(Seeking *k, const LedgerRow *r, const LedgerRow *kept)
{
    Difference *d =
        add(k, DIFFERENCE_DOUBLED, r->name,
            str_fmt(k->a, "row %s says that it is applied, and so does row %s: two runs at once",
                    r->id, kept->id));
    if (!layout_of(k, r->part)->add_removed) {
        leave(d, "the table should hold each migration once: look at it");
        return;
    }
    mend(d, &(RunRepair){.kind = RUN_REMOVE, .part = r->part, .row_id = r->id},
         str_fmt(k->a, "deletes row %s; row %s stays", r->id, kept->id));
    d->next = "it may have run twice: look whether rows that it writes are there twice";
}

static void
find_incomplete(Seeking *k, const LedgerRow *r)
{
    const History *h = &k->ret->history;
    const Migration *m = file_of(h, r->name);
    Difference *d =
        add(k, DIFFERENCE_INCOMPLETE, r->name, str_fmt(k->a, "row %s lacks %s", r->id, r->lacks));
    if (!m)
        leave(d, "no file has its hash: find out which migration it was, and give the row what it "
                 "lacks, or delete it");
    else
        mend(d, &(RunRepair){.kind = RUN_CORRECT, .part = r->part, .row_id = r->id, .migration = m},
             str_fmt(k->a, "gives row %s what \"%s\" has, found by its hash or time", r->id,
                     m->name));
}

static void
find_in_rows(Seeking *k)
{
    const History *h = &k->ret->history;
    bool lacks[HISTORY_PARTS_MAX] = {0};
    vec_each (const LedgerRow, r, &h->rows) {
        const LedgerRow *kept = is_live(r) ? row_to_keep(k, r->name, r->part) : NULL;
        lacks[r->part] = lacks[r->part] || r->lacks;
        if (kept && kept != r)
            find_doubled(k, r, kept);
        else if (r->lacks)
            find_incomplete(k, r);
    }
    for (size_t i = 0; i < history_parts(h); i++) {
        if (!history_part_of(h, i)->is_outdated || lacks[i] || !k->session->ledgers.v[i].exists)
            continue;
        Difference *d = add(k, DIFFERENCE_OUTDATED, NULL,
                            "the history table has the form of an older version of the tool");
        mend(d, &(RunRepair){.kind = RUN_UPGRADE, .part = i},
             "gives it the columns and names of today's, as the tool itself does");
    }
}

/* ---- evidence ------------------------------------------------------------------------------ */

static bool
look(Seeking *k, const MigrationRefs *of, const Evidence **ret, Err *err)
{
    Evidence *e = arena_new(k->a, Evidence);
    History h = flow_history_as(k->a, &k->ret->history, &k->assumed, ENTRY_APPLIED);
    *ret = e;
    return flow_evidence(k->a, &k->in->base, k->session, &h, of, e, err);
}

static bool
look_at(Seeking *k, const Migration *m, const Evidence **ret, Err *err)
{
    MigrationRefs one = {0};
    *vec_add(k->a, &one) = m;
    return look(k, &one, ret, err);
}

static const char *
rows_note(Seeking *k, const Evidence *e)
{
    return str_fmt(k->a,
                   "%zu statement%s of it change%s rows, or may: no catalog shows whether %s ran",
                   e->rows, str_plural((int64_t)e->rows), e->rows == 1 ? "s" : "",
                   e->rows == 1 ? "it" : "they");
}

/* Record what is there: where rows change, too, only when a person asks about this one. */
static void
record(Seeking *k, Difference *d, const Migration *m)
{
    const Evidence *e = d->evidence;
    *vec_add(k->a, &k->assumed) = m;
    if (e->rows && k->in->scope != RECONCILE_DECIDE) {
        d->text = str_fmt(k->a, "%s; but %s", d->text, rows_note(k, e));
        leave(d, str_fmt(k->a, "look at those rows; then: aramid resolve --applied %s",
                         shell(k, d->name)));
        return;
    }
    mend(d, &(RunRepair){.kind = RUN_RECORD, .part = m->part, .migration = m},
         "records it as applied, without running it");
    if (e->rows)
        d->next = str_fmt(k->a, "look at the rows: %s", rows_note(k, e));
}

static bool
find_failed(Seeking *k, const Entry *e, Err *err)
{
    const LedgerRow *kept = row_to_keep(k, e->name, e->part);
    const char *name = shell(k, e->name);
    Difference *d = add(k, DIFFERENCE_FAILED, e->name, "it did not end");
    const RunRepair back = {.kind = RUN_ROLL_BACK, .part = e->part};
    if (kept) {
        d->text =
            str_fmt(k->a, "a row says that it failed, and row %s that it is applied", kept->id);
        mend(d, &back, "marks the failed row as rolled back");
        return true;
    }
    if (!e->file) {
        leave(d, str_fmt(k->a,
                         "its file is gone: look at the database; then aramid resolve "
                         "--rolled-back %s, or restore the file",
                         name));
        return true;
    }
    if (!look_at(k, e->file, &d->evidence, err))
        return false;
    d->text = str_fmt(k->a, "it did not end; %s", d->evidence->why);
    switch (d->evidence->verdict) {
    case VERDICT_APPLIED:
        record(k, d, e->file);
        break;
    case VERDICT_NOT_APPLIED:
        mend(d, &back, "marks it as rolled back: the next deploy runs it again");
        break;
    case VERDICT_PARTLY:
        leave(d, str_fmt(k->a,
                         "do by hand what is missing, then: aramid resolve --applied %s; or "
                         "undo what is there, then: aramid resolve --rolled-back %s",
                         name, name));
        break;
    case VERDICT_UNTOLD:
        leave(d, str_fmt(k->a,
                         "look at the data, then: aramid resolve --applied %s, or aramid "
                         "resolve --rolled-back %s",
                         name, name));
        break;
    }
    return true;
}

static void
find_pending(Seeking *k, const Entry *e, const Evidence *evidence)
{
    const char *name = shell(k, e->name);
    bool one = k->in->scope == RECONCILE_DECIDE;
    Difference *d;
    if (evidence && evidence->verdict == VERDICT_APPLIED) {
        d = add(k, DIFFERENCE_UNRECORDED, e->name, evidence->why);
        d->evidence = evidence;
        record(k, d, e->file);
    } else if (evidence && evidence->verdict == VERDICT_PARTLY) {
        d = add(k, DIFFERENCE_PARTLY, e->name, evidence->why);
        d->evidence = evidence;
        leave(d, str_fmt(k->a,
                         "do by hand what is missing, then: aramid resolve --applied %s; or "
                         "undo what is there, then: aramid deploy",
                         name));
    } else {
        d = add(k, e->out_of_order ? DIFFERENCE_ORDER : DIFFERENCE_PENDING, e->name,
                e->out_of_order ? "it is not applied, and older than one that is"
                                : "it is not applied");
        d->evidence = evidence;
        if (evidence)
            d->text = str_fmt(k->a, "%s: %s", d->text, evidence->why);
        d->next = "apply it: aramid deploy";
        if (one && evidence && evidence->verdict == VERDICT_UNTOLD)
            leave(d, str_fmt(k->a,
                             "if it was run by hand: aramid resolve --applied %s; else: aramid "
                             "deploy",
                             name));
    }
}

static bool
is_pending(const Entry *e)
{
    return e->state == ENTRY_PENDING && e->file && e->file->has_file && !e->repeats;
}

/* A file under another name than its row. */
static const LedgerRow *
row_renamed(const Seeking *k, const Entry *e)
{
    const History *h = &k->ret->history;
    const LedgerRow *found = NULL;
    const HistoryLayout *l = layout_of(k, e->part);
    if (!l->add_corrected)
        return NULL;
    vec_each (const Entry, gone, &h->entries) {
        bool fits = gone->part == e->part && gone->state == ENTRY_APPLIED && !gone->file &&
                    *gone->row->checksum && l->checksum_matches(k->a, gone->row->checksum, e->file);
        if (fits && found)
            return NULL; /* several: nobody knows which */
        found = fits ? gone->row : found;
    }
    return found;
}

static bool
find_renamed(Seeking *k, const Entry *e)
{
    const LedgerRow *row = row_renamed(k, e);
    if (!row)
        return false;
    Difference *d = add(k, DIFFERENCE_RENAMED, e->name,
                        str_fmt(k->a,
                                "it is recorded as \"%s\", which has the same contents and no "
                                "file any more",
                                row->name));
    mend(
        d,
        &(RunRepair){.kind = RUN_CORRECT, .part = e->part, .row_id = row->id, .migration = e->file},
        "gives the row the name that the file has now; nothing is run");
    *vec_add(k->a, &k->assumed) = e->file;
    return true;
}

/* All together first: most often none is there, or every one. */
static bool
find_all_pending(Seeking *k, Err *err)
{
    const History *h = &k->ret->history;
    MigrationRefs all = {0};
    const Evidence *whole = NULL;
    bool *renamed = arena_array(k->a, bool, h->entries.n + 1);
    for (size_t i = 0; i < h->entries.n; i++) {
        const Entry *e = &h->entries.v[i];
        renamed[i] = is_pending(e) && find_renamed(k, e);
        if (is_pending(e) && !renamed[i])
            *vec_add(k->a, &all) = e->file;
    }
    bool has_any = k->session->ledger_exists || k->session->tables;
    if (all.n && has_any && !look(k, &all, &whole, err))
        return false;
    bool is_plain = !whole || whole->verdict == VERDICT_NOT_APPLIED;
    for (size_t i = 0; i < h->entries.n; i++) {
        const Entry *e = &h->entries.v[i];
        const Evidence *own = NULL;
        if (!is_pending(e) || renamed[i])
            continue;
        if (!is_plain && !look_at(k, e->file, &own, err))
            return false;
        find_pending(k, e, own);
    }
    return true;
}

/* ---- files --------------------------------------------------------------------------------- */

static bool
changes_rows(Seeking *k, const Migration *m)
{
    Evidence e;
    Err ignored;
    return !flow_evidence_rows(k->a, m, &e, &ignored) || e.rows;
}

/* is_same: the database is what all of its migrations make, as their files are now. */
static void
find_edited(Seeking *k, const Entry *e, bool is_same)
{
    const RunRepair correct = {
        .kind = RUN_CORRECT, .part = e->part, .row_id = e->row->id, .migration = e->file};
    bool can = layout_of(k, e->part)->add_corrected != NULL;
    Difference *d = add(k, DIFFERENCE_EDITED, e->name, "the file is another one than was applied");
    if (can && migration_differs_by_line_ends(e->file, e->row->checksum)) {
        d->text = "its line ends are others than when it was applied, and nothing else";
        mend(d, &correct, "records the hash of the file as it is now");
    } else if (can && is_same && !changes_rows(k, e->file)) {
        d->text = "the file was changed after it was applied; the database is what the migrations "
                  "make with the file as it is now";
        mend(d, &correct, "records the hash of the file as it is now");
    } else {
        leave(d, "restore the file as it was (git log), and put the change into a new migration");
    }
}

static void
find_missing(Seeking *k, const Entry *e)
{
    vec_each (const Difference, d, &k->ret->differences)
        if (d->class == DIFFERENCE_RENAMED && d->repair.part == e->part &&
            strcmp(d->repair.row_id, e->row->id) == 0)
            return;
    if (e->row->lacks)
        return; /* told already */
    leave(add(k, DIFFERENCE_MISSING, e->name, "it is applied here, and there is no file of it"),
          "restore the file (git log --diff-filter=D), or fetch the branch that has it: a new "
          "database would be made without it");
}

/* ---- the database -------------------------------------------------------------------------- */

static bool
find_drift(Seeking *k, bool *ret_same, Err *err)
{
    ReconcileResult *r = k->ret;
    DriftResult d = {.config = k->in->base.config,
                     .history = flow_history_as(k->a, &r->history, &k->assumed, ENTRY_APPLIED),
                     .only_applied = true};
    *ret_same = false;
    if (!flow_drift_of(k->a, &k->in->base, k->session, &d, err)) {
        if (err->code == ERR_INTERRUPTED || !db_is_open(k->session->db))
            return false;
        leave(add(k, DIFFERENCE_DRIFT, NULL,
                  str_fmt(k->a, "the database could not be compared with its migrations: %s",
                          err->primary)),
              "more about it: aramid drift");
        return true;
    }
    r->compared = true;
    *ret_same = !d.has_drift;
    if (!d.has_drift)
        return true;
    Difference *found = add(k, DIFFERENCE_DRIFT, NULL,
                            str_fmt(k->a,
                                    "the database was changed beside its migrations (%zu "
                                    "difference%s)",
                                    d.adopt->changes.n, str_plural((int64_t)d.adopt->changes.n)));
    Evidence *e = arena_new(k->a, Evidence);
    *e = (Evidence){.verdict = VERDICT_UNTOLD, .why = found->text};
    for (Str rest = str_trim(render_summary(k->a, d.adopt)); rest.p;)
        *vec_add(k->a, &e->other) = str_dup(k->a, str_cut(&rest, '\n'));
    found->evidence = e;
    leave(found, "the SQL that undoes it, or keeps it in a migration: aramid drift");
    return true;
}

/* ---- all of it ----------------------------------------------------------------------------- */

static bool
find_one(Seeking *k, Err *err)
{
    const History *h = &k->ret->history;
    bool any = false;
    vec_each (const Entry, e, &h->entries) {
        const Evidence *own = NULL;
        if (k->in->only ? strcmp(e->name, k->in->only) != 0
                        : e->state != ENTRY_FAILED && e->state != ENTRY_RESUMABLE)
            continue;
        any = true;
        if (e->state == ENTRY_FAILED || e->state == ENTRY_RESUMABLE) {
            if (!find_failed(k, e, err))
                return false;
        } else if (e->state == ENTRY_PENDING) {
            if (!look_at(k, e->file, &own, err))
                return false;
            find_pending(k, e, own);
        }
    }
    if (any || !k->in->only)
        return true;
    return flow_no_such_migration(k->in->only, h, err);
}

static bool
find_all(Seeking *k, Err *err)
{
    const History *h = &k->ret->history;
    bool whole = k->in->scope == RECONCILE_ALL, is_same = false;
    find_in_rows(k);
    vec_each (const Entry, e, &h->entries) {
        if (e->state == ENTRY_FAILED && !find_failed(k, e, err))
            return false;
        if (e->state == ENTRY_RESUMABLE)
            add(k, DIFFERENCE_INTERRUPTED, e->name,
                "a run was interrupted; its journal tells where")
                ->next = "finish it: aramid deploy";
    }
    bool has_any = k->session->ledger_exists || k->session->tables;
    if (whole && (!find_all_pending(k, err) || (has_any && !find_drift(k, &is_same, err))))
        return false;
    vec_each (const Entry, e, &h->entries) {
        if (e->edited)
            find_edited(k, e, is_same);
        if (e->state == ENTRY_APPLIED && !e->file && !e->repeats)
            find_missing(k, e);
    }
    return true;
}

static void
count(ReconcileResult *r)
{
    r->repairs = r->left = r->pending = 0;
    vec_each (const Difference, d, &r->differences) {
        r->repairs += d->repair.kind != RUN_REPAIR_NONE;
        r->left += d->is_left;
        r->pending += !d->is_left && d->repair.kind == RUN_REPAIR_NONE;
    }
}

bool
flow_differences(Arena *a, const ReconcileInput *in, const Session *s, ReconcileResult *ret,
                 Err *err)
{
    Seeking k = {.a = a, .in = in, .session = s, .ret = ret};
    ret->differences.n = 0;
    ret->compared = false;
    if (!(in->scope == RECONCILE_DECIDE ? find_one(&k, err) : find_all(&k, err)))
        return false;
    count(ret);
    return true;
}
