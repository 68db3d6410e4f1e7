/* aramid rollback --failed: how far a migration came that did not end. */
#include "flow/rollback_int.h"

#include "base/hash.h"
#include "flow/evidence.h"
#include "render/render.h"
#include "sqltext/sqltext.h"

#include <stdlib.h>

/* A beginning of the migration, beside what is in the database. */
typedef struct Beginning {
    size_t n;       /* statements */
    bool may_be_it; /* else it only helps to tell what has nothing to do with the migration */
    Migration part;
    DriftResult drift;
    Look look;        /* what differs, but for: */
    CatTexts invalid; /* statements that drop the indexes of which only the attempt is there */
} Beginning;

typedef struct Search {
    Arena *arena;
    Rolling *rolling;
    const Session *session;
    const Entry *entry;
    SqlScript script;
    VEC(Beginning) list; /* ascending */
} Search;

/* ---- which one -------------------------------------------------------------------------------- */

static bool
find_failed(Arena *a, const History *h, const Entry **ret, Err *err)
{
    *ret = NULL;
    vec_each (const Entry, e, &h->entries) {
        if ((e->state != ENTRY_FAILED && e->state != ENTRY_RESUMABLE) || e->undo)
            continue;
        if (*ret) {
            err_set(err, ERR_NO_WAY_BACK, "several migrations did not end: \"%s\" and \"%s\"",
                    (*ret)->name, e->name);
            return err_hint(err, "settle one of them first: aramid resolve --auto %s",
                            str_shell(a, e->name));
        }
        *ret = e;
    }
    if (!*ret) {
        err_set(err, ERR_NOT_FAILED, "no migration has failed, and none was interrupted");
        return err_hint(err, "aramid rollback undoes the newest one that is applied");
    }
    return true;
}

/* What ran must be what the file says. */
static bool
check_same(const Search *x, const JournalVec *journal, Err *err)
{
    const Entry *e = x->entry;
    const HistoryLayout *l = history_part_of(&x->rolling->ret->history, e->part)->layout;
    bool is_same =
        e->state == ENTRY_RESUMABLE || l->checksum_matches(x->arena, e->row->checksum, e->file);
    vec_each (const JournalStep, j, journal) {
        if (strcmp(j->ledger_id, e->row->id) != 0 || j->undo)
            continue;
        Str ran =
            j->next <= x->script.stmts.n
                ? str_slice(x->script.text, 0, j->next ? x->script.stmts.v[j->next - 1].end : 0)
                : (Str){0};
        is_same = is_same && ran.p && strcmp(hash_sha256_hex(x->arena, ran), j->prefix_hash) == 0;
    }
    if (is_same)
        return true;
    err_set(err, ERR_DIVERGED, "migration \"%s\" was changed after a part of it had run", e->name);
    err_at(err, e->file->path, 0, 0);
    err_detail(err, "what it has done cannot be told from the file as it is now");
    return err_hint(err,
                    "restore the file, roll back, then correct it; or let the database decide: "
                    "aramid resolve --auto %s",
                    str_shell(x->arena, e->name));
}

/* ---- how far ---------------------------------------------------------------------------------- */

static void
add_beginning(Search *x, size_t n, bool may_be_it)
{
    vec_each (Beginning, b, &x->list)
        if (b->n == n) {
            b->may_be_it = b->may_be_it || may_be_it;
            return;
        }
    *vec_add(x->arena, &x->list) = (Beginning){.n = n, .may_be_it = may_be_it};
}

static int
by_length(const void *x, const void *y)
{
    const Beginning *a = x, *b = y;
    return a->n < b->n ? -1 : a->n > b->n;
}

/* Of an Aramid's run the journal knows. Another tool sends the file as one message: it ends at its own COMMITs,
 * around statements outside of transactions, or at its end, which an error says that it did not reach. */
static void
list_beginnings(Search *x, const JournalVec *journal)
{
    size_t done = 0, all = x->script.stmts.n;
    bool is_ours = x->entry->state == ENTRY_RESUMABLE, is_open = false;
    vec_each (const JournalStep, j, journal) {
        if (strcmp(j->ledger_id, x->entry->row->id) != 0)
            continue;
        done = j->done && j->next > done ? j->next : done;
        is_open = is_open || !j->done;
    }
    add_beginning(x, 0, !is_ours);
    add_beginning(x, all, !is_ours && !x->entry->row->logs[0]);
    if (is_ours) {
        add_beginning(x, done, true);
        if (is_open && done < all)
            add_beginning(x, done + 1, true);
    }
    for (size_t i = 0; i < all && !is_ours; i++) {
        SqlStmt s;
        sql_stmt(&x->script, i, &s);
        if (s.tx == SQL_TX_NEVER)
            add_beginning(x, i, true);
        if (s.tx == SQL_TX_NEVER || s.tx == SQL_TX_COMMIT || s.tx == SQL_TX_HIDDEN)
            add_beginning(x, i + 1, true);
    }
    qsort(x->list.v, x->list.n, sizeof *x->list.v, by_length);
}

/* Whether an index is what an attempt of the script left: the replay has none of it. */
static bool
is_attempt(const Search *x, const Change *c)
{
    const CatIndex *i = (const CatIndex *)c->from;
    if (c->op != CHANGE_DROP || c->kind != CAT_INDEX || !i->is_invalid)
        return false;
    vec_each (const SqlStmt, s, &x->script.forms)
        if (s->is_concurrent && s->kind == SQL_CREATE_INDEX &&
            strcmp(s->table.name, i->table) == 0 &&
            (!*s->index.name || strcmp(s->index.name, i->id.name) == 0))
            return true;
    return false;
}

static void
take_differences(const Search *x, Beginning *b)
{
    Arena *a = x->arena;
    Diff rest = *b->drift.repair;
    rest.changes.v = arena_array(a, Change *, rest.changes.n + 1);
    rest.changes.n = 0;
    vec_each (Change *, c, &b->drift.repair->changes) {
        if (!is_attempt(x, *c)) {
            rest.changes.v[rest.changes.n++] = *c;
            continue;
        }
        Buf sql;
        buf_init(&sql, a);
        buf_addz(&sql, "DROP INDEX ");
        sql_add_name(&sql, (*c)->from->id.schema, (*c)->from->id.name);
        *vec_add(a, &b->invalid) = sql.p;
    }
    look_take(a, &rest, true, &b->look);
}

/* *ret_fails: a statement of it does not run on an empty server either, its number is err->statement. */
static bool
compare(Search *x, Beginning *b, bool *ret_fails, Err *err)
{
    Arena *a = x->arena;
    const Rolling *r = x->rolling;
    MigrationRefs self = {0};
    *ret_fails = false;
    *vec_add(a, &self) = x->entry->file;
    if (!flow_migration_until(a, x->entry->file, b->n, &b->part, err))
        return false;
    History h = flow_history_as(a, &r->ret->history, &self, ENTRY_APPLIED);
    h.entries.v[x->entry - r->ret->history.entries.v].file = &b->part;
    b->drift = (DriftResult){.config = r->in->base.config, .history = h, .only_applied = true};
    if (flow_drift_of(a, &r->in->base, x->session, &b->drift, err)) {
        take_differences(x, b);
        return true;
    }
    *ret_fails = err->code == ERR_REPLAY && err->statement > 0 &&
                 strcmp(err->at.path, x->entry->file->path) == 0;
    return *ret_fails;
}

static bool
compare_all(Search *x, Err *err)
{
    for (size_t i = 0; i < x->list.n; i++) {
        bool fails;
        if (!compare(x, &x->list.v[i], &fails, err))
            return false;
        if (!fails)
            continue;
        /* It did not come further than to the statement in front of that one. */
        size_t most = (size_t)err->statement - 1;
        bool is_known = i && x->list.v[i - 1].n >= most;
        x->list.n = i + !is_known;
        if (is_known)
            break;
        x->list.v[i--] = (Beginning){.n = most};
    }
    return true;
}

/* ---- the decision ----------------------------------------------------------------------------- */

/* What differs whatever is taken for done: others' changes. */
static Look
others_changes(const Search *x)
{
    Look ret = {.is_done = true};
    vec_each (const char *const, text, &x->list.v[0].look.differences) {
        Look one = {0};
        bool everywhere = true;
        *vec_add(x->arena, &one.differences) = *text;
        vec_each (const Beginning, b, &x->list)
            everywhere = everywhere && look_new(&one, &b->look) == 0;
        if (everywhere)
            *vec_add(x->arena, &ret.differences) = *text;
    }
    return ret;
}

static bool
refuse_unlike(const Search *x, const Look *others, Err *err)
{
    Arena *a = x->arena;
    const Beginning *nearest = NULL;
    vec_each (const Beginning, b, &x->list)
        if (b->may_be_it &&
            (!nearest || look_new(&b->look, others) < look_new(&nearest->look, others)))
            nearest = b;
    err_set(
        err, ERR_NO_WAY_BACK,
        "what is in the database is not what migration \"%s\" makes, as far as it can have come",
        x->entry->name);
    if (nearest)
        err_detail(err, "%s\nagainst its first %zu statement%s",
                   str_printable(a, str_trim(render_summary(a, nearest->drift.adopt)), true),
                   nearest->n, str_plural((int64_t)nearest->n));
    err_detail(err, "nothing was changed");
    return err_hint(err, "undo by hand what it left; then: aramid resolve --rolled-back %s",
                    str_shell(a, x->entry->name));
}

/* The longest one that fits: then all rows that it may have changed are told. */
static const Beginning *
decide(const Search *x, const Look *others)
{
    const Beginning *found = NULL;
    vec_each (const Beginning, b, &x->list)
        if (b->may_be_it && look_new(&b->look, others) == 0)
            found = b;
    return found;
}

bool
rollback_choose_failed(Arena *a, Rolling *r, const Session *s, const JournalVec *journal, Err *err)
{
    Str text;
    History *h = &r->ret->history;
    Search x = {.arena = a, .rolling = r, .session = s};
    vec_each (const Entry, e, &h->entries)
        r->ret->finishes = r->ret->finishes || e->undo;
    if (r->ret->finishes)
        return true;
    if (!find_failed(a, h, &x.entry, err))
        return false;
    const Migration *m = x.entry->file;
    if (!m || !m->has_file) {
        err_set(err, ERR_MIGRATION_GONE, "migration \"%s\" did not end, and its file is gone",
                x.entry->name);
        return err_hint(err, "restore the folder from version control");
    }
    if (!migration_text(a, m, &text, err) || !sql_split(a, m->path, text, &x.script, err))
        return false;
    sql_classify(a, &x.script);
    if (!check_same(&x, journal, err))
        return false;
    list_beginnings(&x, journal);
    if (!compare_all(&x, err))
        return false;
    r->looked = others_changes(&x);
    const Beginning *found = decide(&x, &r->looked);
    if (!found)
        return refuse_unlike(&x, &r->looked, err);
    r->failed = x.entry;
    r->invalid = found->invalid;
    Migration *part = arena_new(a, Migration);
    *part = found->part;
    *vec_add(a, &r->chosen) = part;
    vec_each (const Entry, e, &h->entries)
        if (e->file && e->state == ENTRY_APPLIED && !flow_add_script(a, e->file, &r->before, err))
            return false;
    return rollback_check(r, err);
}
