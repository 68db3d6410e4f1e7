/* Several histories of one database as one. */
#include "base/fs.h"
#include "base/map.h"
#include "history/layout_int.h"

size_t
history_parts(const History *h)
{
    return h->parts.n ? h->parts.n : 1;
}

size_t
history_versioned(const History *h)
{
    size_t n = history_parts(h);
    return n - (n > 1 && history_part_of(h, n - 1)->layout->repeats);
}

History *
history_part(History *h, size_t i)
{
    return h->parts.n ? h->parts.v[i] : h;
}

const History *
history_part_of(const History *h, size_t i)
{
    return h->parts.n ? h->parts.v[i] : h;
}

History
history_unread(Arena *a, const History *h)
{
    History ret = *h;
    ret.rows = (LedgerRowVec){0};
    memset(&ret.entries, 0, sizeof ret.entries);
    memset(&ret.parts, 0, sizeof ret.parts);
    vec_each (History *, p, &h->parts) {
        History *copy = *vec_add(a, &ret.parts) = arena_new(a, History);
        *copy = history_unread(a, *p);
    }
    return ret;
}

/* ---- what cannot be joined ------------------------------------------------------------------- */

static bool
check_places(History *const *parts, size_t n, Err *err)
{
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < i; k++) {
            const History *a = parts[k], *b = parts[i];
            if (fs_same(a->source, b->source)) {
                err_set(err, ERR_CONFIG, "\"%s\" and \"%s\" are the same folder", a->dir, b->dir);
                return err_hint(err, "name each folder of migrations once");
            }
            if (strcmp(a->ledger.table, b->ledger.table) != 0 ||
                strcmp(a->ledger.schema ? a->ledger.schema : "",
                       b->ledger.schema ? b->ledger.schema : "") != 0)
                continue;
            err_set(err, ERR_CONFIG, "\"%s\" and \"%s\" would share the history table %s%s%s",
                    a->dir, b->dir, a->ledger.schema ? a->ledger.schema : "",
                    a->ledger.schema ? "." : "", a->ledger.table);
            if (!a->files.n || !b->files.n)
                return err_hint(err,
                                "\"%s\" holds no migration that would tell whose it is: say it "
                                "in aramid.yaml, as in \"history: [prisma, dbmate]\"",
                                b->files.n ? a->dir : b->dir);
            return err_hint(err, "give each a table of its own (history_table in aramid.yaml), or "
                                 "put the files into one folder");
        }
    return true;
}

/* By name; a name is of one history only, so that it tells which. */
static bool
index_names(History *const *parts, size_t n, Map *ret, Err *err)
{
    for (size_t i = 0; i < n; i++)
        vec_each (Migration, m, &parts[i]->files) {
            m->part = i;
            const Migration *before = map_get(ret, str_of(m->name));
            map_put(ret, str_of(m->name), m);
            if (!before || before->part == i)
                continue;
            err_set(err, ERR_MIGRATION_FILE, "two histories have a migration \"%s\"", m->name);
            err_detail(err, "%s and %s", before->path, m->path);
            err_at(err, m->path, 0, 0);
            return err_hint(err, "is it the same change, it must be in one of the folders only: it "
                                 "would run twice; if not, rename the one that was not applied "
                                 "anywhere");
        }
    return true;
}

/* ---- the order ------------------------------------------------------------------------------- */

static int64_t
time_of(const Migration *m)
{
    Str digits = layout_digits(m->name);
    if (m->when_us)
        return m->when_us;
    if (!digits.n && m->key) /* "V20261130174500__name" */
        digits = layout_digits(m->key);
    return digits.n < 14 ? 0 : layout_stamp_us((Str){digits.p, 14});
}

/* A history on its way into the order. */
typedef struct Queue {
    const History *h;
    size_t next;
    int64_t newest_us; /* of what was taken: it keeps the order of its tool */
} Queue;

static bool
is_taken(const Queue *queues, const Migration *m)
{
    const Queue *q = &queues[m->part];
    return m < q->h->files.v + q->next;
}

/* The first migration that must come before `m` and was not taken yet. */
static const Migration *
waits_for(const Queue *queues, const Map *names, const Migration *m)
{
    for (Str rest = m->after ? str_of(m->after) : (Str){0}; rest.p;) {
        const Migration *before = map_get(names, str_trim(str_cut(&rest, ',')));
        if (before && !is_taken(queues, before))
            return before;
    }
    return NULL;
}

static bool
refuse_circle(const Queue *queues, size_t n, const Map *names, Err *err)
{
    err_set(err, ERR_MIGRATION_FILE, "the order of the migrations goes in a circle");
    for (size_t i = 0; i < n; i++) {
        if (queues[i].next == queues[i].h->files.n)
            continue;
        const Migration *m = &queues[i].h->files.v[queues[i].next],
                        *before = waits_for(queues, names, m);
        if (!err->at.path[0])
            err_at(err, m->path, 0, 0);
        err_detail(err, "\"%s\" says that it comes after \"%s\"", m->name, before->name);
        if (before != &queues[before->part].h->files.v[queues[before->part].next])
            err_detail(err, "which its own tool runs behind \"%s\"",
                       queues[before->part].h->files.v[queues[before->part].next].name);
    }
    return err_hint(err, "change one of the lines \"-- aramid:after\"");
}

/* Next in time of those that need not wait; of the same time that of the first history. NULL: a circle. */
static Queue *
next_queue(Queue *queues, size_t n, const Map *names)
{
    Queue *best = NULL;
    int64_t best_us = 0;
    for (size_t i = 0; i < n; i++) {
        Queue *q = &queues[i];
        if (q->next == q->h->files.n || waits_for(queues, names, &q->h->files.v[q->next]))
            continue;
        int64_t us = time_of(&q->h->files.v[q->next]);
        us = us > q->newest_us ? us : q->newest_us;
        if (!best || us < best_us)
            best = q, best_us = us;
    }
    return best;
}

static bool
put_in_order(Arena *a, const Map *names, History *ret, Err *err)
{
    size_t n = ret->parts.n, all = 0;
    Queue *queues = arena_array(a, Queue, n);
    for (size_t i = 0; i < n; i++) {
        queues[i].h = ret->parts.v[i];
        all += ret->parts.v[i]->files.n;
    }
    while (ret->files.n < all) {
        Queue *q = next_queue(queues, n, names);
        if (!q)
            return refuse_circle(queues, n, names, err);
        const Migration *m = &q->h->files.v[q->next++];
        int64_t us = time_of(m);
        q->newest_us = us > q->newest_us ? us : q->newest_us;
        *vec_add(a, &ret->files) = *m;
    }
    return true;
}

/* ---- what is told about it ------------------------------------------------------------------- */

static void
find_unknown(Arena *a, const Map *names, const Migration *m, FindingList *ret)
{
    for (Str rest = m->after ? str_of(m->after) : (Str){0}; rest.p;) {
        Str name = str_trim(str_cut(&rest, ','));
        if (map_has(names, name))
            continue;
        Finding *f = finding_add(ret, FINDING_HISTORY_AFTER,
                                 "it is to run after \"%s\", which is no migration of this project",
                                 str_printable(a, name, false));
        f->object = m->name;
        f->path = m->path;
        f->fix = "write the whole name as aramid status shows it";
    }
}

/* Where times do not tell how two histories go together. */
static void
find_unclear(Arena *a, const History *h, FindingList *ret)
{
    ARENA_LOCAL(scratch);
    Map times;
    map_init(&times, scratch);
    bool has_time = false;
    vec_each (const Migration, m, &h->files) {
        int64_t us = time_of(m);
        Str key = str_of(str_fmt(scratch, "%lld", (long long)us));
        const Migration *same = us ? map_get(&times, key) : NULL;
        has_time = has_time || us || m->part;
        if (!same)
            map_put(&times, key, (void *)(uintptr_t)m);
        if (m->after || (us && (!same || same->part == m->part || same->after)) ||
            (!us && !has_time)) /* a first "0_init" of the first history */
            continue;
        Finding *f =
            same ? finding_add(ret, FINDING_HISTORY_BETWEEN,
                               "it has the same time as \"%s\" of another history: the order of "
                               "the folders in the settings decides",
                               same->name)
                 : finding_add(ret, FINDING_HISTORY_BETWEEN,
                               "its name tells no time: it stands behind the one before it in its "
                               "own history, wherever the others' are");
        f->object = m->name;
        f->path = m->path;
        f->fix = str_fmt(a, "where that matters, at the head of the file: -- aramid:after NAME");
    }
}

bool
history_join(Arena *a, History *const *parts, size_t n, History *ret, Err *err)
{
    Map names;
    map_init(&names, a);
    bool has_scripts = parts[n - 1]->layout->repeats;
    for (size_t i = 0; n - has_scripts > 1 && i < n; i++)
        if (parts[i]->layout->is_whole) {
            err_set(err, ERR_CONFIG,
                    "\"%s\": %s takes its order from what the database has, so that no other "
                    "history goes with it in one run",
                    parts[i]->dir, parts[i]->layout->ledger.tool);
            return err_hint(err,
                            "name it alone (migrations: %s in aramid.yaml), and deploy the others "
                            "by a run of their own: aramid deploy --migrations %s",
                            parts[i]->dir, str_shell(a, parts[i ? 0 : 1]->dir));
        }
    if (!check_places(parts, n, err) || !index_names(parts, n, &names, err))
        return false;
    History all = {
        .layout = parts[0]->layout, .ledger = parts[0]->ledger, .source = parts[0]->source};
    findings_init(&all.findings, a, NULL);
    Buf dirs;
    buf_init(&dirs, a);
    for (size_t i = 0; i < n; i++) {
        *vec_add(a, &all.parts) = parts[i];
        if (!parts[i]->layout->repeats)
            buf_fmt(&dirs, "%s%s", i ? ", " : "", parts[i]->dir);
        vec_each (const Finding, f, &parts[i]->findings.items)
            finding_keep(&all.findings, f);
    }
    if (!put_in_order(a, &names, &all, err))
        return false;
    vec_each (const Migration, m, &all.files)
        find_unknown(a, &names, m, &all.findings);
    if (n > 1)
        find_unclear(a, &all, &all.findings);
    all.dir = dirs.p;
    *ret = all;
    if (n == 1) { /* itself, with what was found */
        *ret = *parts[0];
        ret->findings = all.findings;
    }
    history_compare(a, ret);
    return true;
}
