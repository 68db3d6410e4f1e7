/* What a history says before anything is touched: refusals, and oddities that are only told. */
#include "base/clock.h"
#include "run/pass.h"
#include "run/watch.h"

static bool
refuse_failed(Run *r, const History *h, Err *err)
{
    ARENA_LOCAL(a);
    const Entry *failed = NULL;
    vec_each (const Entry, e, &h->entries)
        if (e->state == ENTRY_FAILED && !failed)
            failed = e;
    err_set(err, ERR_HISTORY_FAILED,
            "the history holds %d failed migration%s; new ones are not applied before that is "
            "settled",
            h->failed, str_plural(h->failed));
    vec_each (const Entry, e, &h->entries) {
        if (e->state != ENTRY_FAILED)
            continue;
        err_detail(err, "\"%s\" was begun at %s by another tool and never finished",
                   str_printable(a, str_of(e->name), false), clock_iso(a, e->row->started_us));
        if (e->row->logs[0])
            err_detail(err, "its log: %s", str_printable(a, str_of(e->row->logs), true));
    }
    MigrationPlan mp;
    ProbeResult probe = {0};
    Err ignored;
    if (failed->file && plan_migration(r->arena, failed->file, &(PlanHints){0}, &mp, &ignored) &&
        run_probe(&r->session, r->arena, &mp, &probe, &ignored)) {
        err_detail(err, "of what \"%s\" makes, the database has %d and lacks %d:", failed->name,
                   probe.present, probe.absent);
        for (size_t i = 0; i < probe.lines.n && i < 12; i++)
            err_detail(err, "  %s", probe.lines.v[i]);
    }
    const char *name = str_shell(a, failed->name);
    if (probe.present && !probe.absent)
        err_hint(err,
                 "all of it is there, so it seems to have been applied: aramid resolve "
                 "--applied %s",
                 name);
    else if (probe.absent && !probe.present)
        err_hint(err,
                 "nothing of it is there, so it seems to have been rolled back: aramid resolve "
                 "--rolled-back %s",
                 name);
    else {
        err_hint(err, "if it was rolled back or undone by hand: aramid resolve --rolled-back %s",
                 name);
        err_hint(err, "if its changes are all in the database: aramid resolve --applied %s", name);
    }
    return false;
}

/* A table like the ledger, in another place or under a name of other case. */
static bool
find_lookalike(Session *s, const SessionLedger *l, CatName *ret)
{
    Err unread;
    DbRowsVec results;
    Buf b;
    buf_init(&b, s->arena);
    session_add_prefix(s, &b);
    buf_addz(&b, "SELECT n.nspname, c.relname FROM pg_catalog.pg_class c JOIN"
                 " pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN"
                 " ('r', 'p', 'v', 'm', 'f') AND n.nspname !~ '^pg_' AND"
                 " pg_catalog.lower(c.relname::text) = pg_catalog.lower(");
    sql_add_literal(&b, str_of(l->at.table));
    buf_addz(&b, ") AND NOT EXISTS (SELECT FROM pg_catalog.unnest(pg_catalog.string_to_array(");
    sql_add_literal(&b, str_of(l->layout->ledger.columns));
    buf_addz(&b, ", ',')) AS want WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_attribute a WHERE"
                 " a.attrelid = c.oid AND a.attname = want AND NOT a.attisdropped))"
                 " ORDER BY 1, 2 LIMIT 1");
    if (!db_query(s->db, s->arena, buf_str(&b), &results, &unread))
        return false;
    const DbRows *rows = &results.v[results.n - 1];
    if (!rows->rows)
        return false;
    *ret = (CatName){.schema = db_cell(rows, 0, 0).p, .name = db_cell(rows, 0, 1).p};
    return true;
}

/* A baseline would be the wrong advice where the history is there and only not found. */
static bool
refuse_misplaced(Session *s, Err *err)
{
    vec_each (const SessionLedger, l, &s->ledgers) {
        CatName at;
        if (!find_lookalike(s, l, &at))
            continue;
        const char *tool = l->layout->ledger.tool;
        err_detail(err, "a table like %s's history lies where nobody looks for it: %s.%s", tool,
                   str_printable(s->arena, str_of(at.schema), false),
                   str_printable(s->arena, str_of(at.name), false));
        if (l->layout->ledger.may_move)
            return err_hint(err,
                            "if that is the history of this database, in aramid.yaml: "
                            "history_table: %s.%s",
                            at.schema, at.name);
        return err_hint(err,
                        "if that is the history of this database, give it its place and name back, "
                        "where %s itself looks, too: %s%s%s",
                        tool, l->at.schema ? l->at.schema : "", l->at.schema ? "." : "",
                        l->at.table);
    }
    return true;
}

/* What made these tables has another folder of the project, and goes into no run with this one. */
static bool
is_made_beside(Session *s, const History *h)
{
    KnownTableVec others = {0};
    Err unread;
    return h->beside && session_other_histories(s, &others, &unread) &&
           history_has_beside(h, &others);
}

static bool
refuse_not_empty(Session *s, Err *err)
{
    err_set(err, ERR_NOT_EMPTY, "the database has %d table%s but no migration history", s->tables,
            str_plural(s->tables));
    err_detail(err, "schema \"%s\" of database \"%s\" at %s", s->schema, db_info(s->db)->database,
               db_info(s->db)->host);
    KnownTableVec others = {0};
    Err unread;
    if (session_other_histories(s, &others, &unread) && others.n) {
        const KnownTable *k = &others.v[0];
        err_detail(err, "%s has a history here: %s.%s", k->as->tool, k->schema, k->table);
        return err_hint(err, "this database is %s's; check the URL, or let that tool migrate it",
                        k->as->tool);
    }
    if (!refuse_misplaced(s, err))
        return false;
    err_hint(err,
             "if these migrations made it, record them as applied (a baseline): aramid resolve "
             "--applied --up-to NAME");
    return err_hint(err, "if it is another database than you meant, check the URL");
}

static bool
refuse_edited(const History *h, Err *err)
{
    const Entry *edited = NULL;
    vec_each (const Entry, e, &h->entries)
        if (e->edited && !edited)
            edited = e;
    err_set(err, ERR_DIVERGED, "migration \"%s\" was changed after it was applied", edited->name);
    err_at(err, edited->file->path, 0, 0);
    return err_hint(err, "restore the file as it was applied, and put the change into a new "
                         "migration (edited: warn in aramid.yaml only reports it)");
}

/* What is rolled back may have failed, and what was applied is what the files make. */
static bool
check_undos(Run *r, const History *h, Err *err)
{
    int failed = h->failed;
    const char *first = r->deploy->undos[r->deploy->undo_count - 1].migration->name;
    const Entry *from = history_find(h, first);
    for (const Entry *e = from && from->file ? from + 1 : h->entries.v + h->entries.n;
         e < h->entries.v + h->entries.n; e++) {
        bool listed = e->undo || e->state == ENTRY_PENDING || !e->file;
        for (size_t i = 0; !listed && i < r->deploy->undo_count; i++)
            listed = strcmp(e->name, r->deploy->undos[i].migration->name) == 0;
        if (listed)
            continue;
        err_set(err, ERR_NO_WAY_BACK,
                "migration \"%s\" was applied meanwhile, and may use what \"%s\" has made", e->name,
                first);
        return err_hint(err, "nothing was changed; look again: aramid rollback --plan");
    }
    for (size_t i = 0; i < r->deploy->undo_count; i++) {
        const Entry *e = history_find(h, r->deploy->undos[i].migration->name);
        if (e && e->moves) {
            err_set(err, ERR_NO_WAY_BACK,
                    "\"%s\" is recorded under the names of those that it replaces", e->name);
            return err_hint(err, "let its row take their place first: aramid deploy");
        }
        failed -= e && e->state == ENTRY_FAILED;
    }
    return failed <= 0 || refuse_failed(r, h, err);
}

/* A squash whose old files are there, too, or a database that has only a part of them. */
static bool
check_squashed(const History *h, Err *err)
{
    vec_each (const Entry, e, &h->entries) {
        if (!e->file || !e->file->replaces.n)
            continue;
        vec_each (const MigrationReplaced, m, &e->file->replaces) {
            const Entry *old = history_find(h, m->name);
            if (!old || !old->file)
                continue;
            err_set(err, ERR_DIVERGED, "\"%s\" replaces \"%s\", which is in the folder, too",
                    e->name, old->name);
            err_at(err, e->file->path, 0, 0);
            return err_hint(err, "take what it replaces out of the folder; git has it");
        }
        if (!e->partly)
            continue;
        err_set(err, ERR_DIVERGED,
                "only %d of the %zu migrations that \"%s\" replaces are applied here, as they "
                "were put into it",
                e->partly, e->file->replaces.n, e->name);
        vec_each (const MigrationReplaced, m, &e->file->replaces) {
            const Entry *row = history_find(h, m->name);
            if (!row || row->state != ENTRY_APPLIED ||
                (*row->row->checksum && strcmp(row->row->checksum, m->checksum) != 0)) {
                err_detail(err, "\"%s\" is %s", m->name,
                           row ? "applied as another text, or has failed" : "not applied");
                break;
            }
        }
        err_hint(err, "check out the version of the project before the squash, and run: aramid "
                      "deploy");
        return err_hint(err, "then this version again: it records what is there");
    }
    return true;
}

bool
run_check_history(Run *r, const History *h, Err *err)
{
    Session *s = &r->session;
    if (r->deploy && r->deploy->undo_count)
        return check_undos(r, h, err);
    if (h->layout->is_beside)
        return true;
    if (h->failed)
        return refuse_failed(r, h, err);
    if (!s->ledger_exists && s->tables && h->files.n && !is_made_beside(s, h))
        return refuse_not_empty(s, err);
    if (!check_squashed(h, err))
        return false;
    if (h->edited && strcmp(s->config->values[CFG_EDITED].text, "error") == 0)
        return refuse_edited(h, err);
    return true;
}

/* Of several histories: one without a table here, though it is older than what others have applied. */
static void
find_no_ledger(const History *h, FindingList *ret)
{
    for (size_t i = 0; i < h->parts.n; i++) {
        const History *p = h->parts.v[i];
        const Entry *last = NULL;
        size_t n = 0;
        vec_each (const Entry, e, &h->entries)
            if (e->part == i && e->out_of_order)
                last = e, n++;
        if (p->has_ledger || !last)
            continue;
        Finding *f = finding_add(ret, FINDING_HISTORY_NO_LEDGER,
                                 "the database has no history table of %s: %zu migration%s of %s "
                                 "older than what is applied here may have run without one",
                                 p->layout->ledger.tool, n, n == 1 ? "" : "s", p->dir);
        f->path = p->dir;
        f->fix = str_fmt(ret->arena,
                         "did they run: aramid resolve --history %s --applied --up-to %s; did they "
                         "not: findings: {history-no-ledger: warning} in aramid.yaml",
                         p->layout->name, str_shell(ret->arena, last->name));
    }
}

static bool
is_edited(const Entry *e)
{
    return e->edited;
}

static bool
is_late(const Entry *e)
{
    return e->out_of_order;
}

static bool
is_gone(const Entry *e)
{
    return !e->file && !e->repeats;
}

static bool
is_moving(const Entry *e)
{
    return e->moves;
}

/* One finding for all entries of a kind: the place of one, the first few names of more. */
static void
find_entries(const History *h, bool (*wanted)(const Entry *), FindingId id, const char *what,
             FindingList *ret)
{
    ARENA_LOCAL(a);
    Buf names;
    buf_init(&names, a);
    const Entry *first = NULL;
    int n = 0;
    vec_each (const Entry, e, &h->entries) {
        if (!wanted(e) || ++n > 3)
            continue;
        first = first ? first : e;
        buf_addz(&names, n > 1 ? ", " : "");
        buf_addz(&names, e->name);
    }
    if (!n)
        return;
    Finding *f = n == 1 ? finding_add(ret, id, "%s", what)
                        : finding_add(ret, id, "%d migrations %s: %s%s", n, what, names.p,
                                      n > 3 ? ", ..." : "");
    f->object = n == 1 ? first->name : NULL;
    f->path = n == 1 && first->file ? first->file->path : NULL;
}

void
run_find_history(const History *h, FindingList *ret)
{
    if (h->layout->is_beside) /* nothing in it is late or missing */
        return;
    find_entries(h, is_edited, FINDING_HISTORY_EDITED,
                 "changed after being applied (the change is not in the database)", ret);
    find_entries(h, is_late, FINDING_HISTORY_LATE,
                 h->layout->late && history_versioned(h) == 1
                     ? h->layout->late
                     : "older than what is applied already, to be applied now",
                 ret);
    find_entries(h, is_gone, FINDING_HISTORY_MISSING,
                 "applied in the database but missing from the migrations folder", ret);
    find_entries(h, is_moving, FINDING_HISTORY_SQUASHED,
                 "it is applied as the migrations that it replaces; the next deploy records that",
                 ret);
    find_no_ledger(h, ret);
}

bool
run_finding_matters(const History *h, const Finding *f)
{
    const Entry *e;
    switch (f->id) {
    case FINDING_HISTORY_STRAY_SQL: /* a file that nobody runs may be waited for */
    case FINDING_HISTORY_OTHER_FOLDER:
    case FINDING_SCRIPT_ONCE:
    case FINDING_SCRIPT_REMOVED:
        return true;
    case FINDING_HISTORY_BETWEEN: /* settled where it was applied */
    case FINDING_HISTORY_AFTER:
        e = history_find(h, f->object);
        return e && e->state == ENTRY_PENDING;
    default:
        return h->pending;
    }
}

void
run_find_ahead(const History *h, const Plan *plan, FindingList *ret)
{
    vec_each (const Finding, f, &h->findings.items)
        if (run_finding_matters(h, f))
            finding_keep(ret, f);
    run_find_history(h, ret);
    vec_each (const Finding, f, &plan->findings.items)
        finding_keep(ret, f);
}

void
run_tell_ahead(Run *r, const History *h)
{
    if (r->told)
        return;
    r->told = true;
    r->report->pending_before = (int)r->plan.migrations.n;
    FindingList list;
    findings_init(&list, r->arena, &r->session.config->finding_rules);
    run_find_ahead(h, &r->plan, &list);
    vec_each (const Finding, f, &list.items)
        if (f->severity > SEV_NOTICE)
            run_finding(&r->deploy->sink, f);
    if (db_info(r->session.db)->is_shared)
        stall_tell_off(r);
}
