/* What there is to do: the plan, where begun migrations go on, and what the server must be asked
 * before the first message. */
#include "base/hash.h"
#include "run/message.h"
#include "run/pass.h"
#include "run/session_int.h"
#include "run/step.h"
#include "sqltext/sqltext.h"

static bool
refuse_without_batch(const Entry *e, const MigrationPlan *mp, const JournalStep *j, Err *err)
{
    err_set(err, ERR_DIVERGED, "migration \"%s\" was changed in a part that has already run",
            e->name);
    err_detail(err,
               "statement %zu runs in batches, and some of them are committed: as a whole it "
               "would change their rows again",
               j->first + 1);
    plan_place(mp, 0, err);
    return err_hint(err, "restore the directive \"-- aramid:batch\" in front of it");
}

/* Where the journal says that a begun migration goes on. *ret_changed: that is unknown, as the part that
 * has run was changed. */
static bool
resume_hints(Run *r, const Entry *e, const MigrationPlan *mp, PlanHints *hints, bool *ret_changed,
             Err *err)
{
    *ret_changed = false;
    const JournalStep *last = NULL;
    vec_each (const JournalStep, j, &r->journal) {
        if (strcmp(j->ledger_id, e->row->id) != 0 ||
            (last && j->next <= last->next && (j->done || j->next > j->first)))
            continue;
        last = j;
        const char *prefix = "";
        if (j->next <= mp->statements && !journal_prefix_hash(r->arena, mp, j->next, &prefix, err))
            return false;
        if (strcmp(prefix, j->prefix_hash) != 0) {
            *ret_changed = true;
            err_set(err, ERR_DIVERGED,
                    "migration \"%s\" was changed in a part that has already run", e->name);
            err_detail(err, "statements 1 to %zu were begun or committed by an interrupted run",
                       j->next);
            plan_place(mp, 0, err);
            return err_hint(err, "restore the file; statements behind that part may be corrected");
        }
        bool was_batch = !j->done && j->next == j->first; /* how far it is stands elsewhere */
        *ret_changed =
            was_batch && !sql_directive_at(&mp->directives, SQL_DIRECTIVE_BATCH, j->first);
        if (*ret_changed)
            return refuse_without_batch(e, mp, j, err);
        if (j->done) {
            hints->start = j->next;
            hints->chained = j->chained;
        } else if (!was_batch) /* begun outside of a transaction: again alone, after looking */
            *vec_add(r->arena, &hints->alone) = j->first;
    }
    return true;
}

static bool
is_script(const Run *r, const Entry *e)
{
    return r->session.ledgers.n && r->session.ledgers.v[e->part].layout->is_beside;
}

/* Where all or nothing was promised. */
static bool
check_one_tx(const Run *r, const MigrationPlan *mp, Err *err)
{
    const RunDeploy *d = r->deploy;
    return !d || !d->one_tx || plan_check_one_tx(mp, err) ||
           (d->many_tx_hint && err_hint(err, "%s", d->many_tx_hint));
}

/* undo: its way back, NULL: it is to be applied. */
static bool
plan_entry(Run *r, const Entry *e, const RunUndo *undo, Err *err)
{
    MigrationPlan of = {.migration = undo ? &undo->script : e->file,
                        .undoes = undo ? undo->migration : NULL};
    Learned *l = run_learned(r, &of);
    const char *tx = r->session.config->values[CFG_TX].text;
    bool each = tx && strcmp(tx, "none") == 0 && !(r->deploy && r->deploy->one_tx);
    l->hints.tx = each ? PLAN_TX_NONE : PLAN_TX_FILE;
    PlanHints hints = l->hints;
    hints.start = 0;
    hints.chained = NULL;
    hints.fresh = r->deploy && r->session.is_fresh;
    MigrationPlan *mp = vec_add(r->arena, &r->plan.migrations);
    if (!plan_migration(r->arena, of.migration, &hints, mp, err) ||
        (r->session.db && db_info(r->session.db)->escapes_strings && !plan_check_strings(mp, err)))
        return false;
    bool resumes = e->state == ENTRY_RESUMABLE && (undo ? e->undo != NULL : !e->undo);
    mp->undoes = of.undoes;
    if (undo || resumes)
        mp->ledger_id = e->row->id;
    if (undo) {
        mp->checksum = e->row->checksum;
        mp->lacks_row = !e->row->finished_us && !ledger_holds_begun(&r->session.ledgers.v[e->part]);
    }
    if (!check_one_tx(r, mp, err))
        return false;
    if (!resumes)
        return true;
    bool is_other = r->deploy && r->deploy->from_start;
    if (!is_other && resume_hints(r, e, mp, &hints, &is_other, err))
        return plan_cut(r->arena, &hints, mp, err);
    if (!is_other || !is_script(r, e))
        return false;
    /* A script whose beginning was changed is another one: it begins with its first statement. */
    mp->ledger_id = NULL;
    *vec_add(r->arena, &r->stale) = e->row;
    return true;
}

/* Rollbacks that were interrupted go on by the script with which they began. */
static bool
plan_begun_undos(Run *r, const History *h, Err *err)
{
    for (size_t i = h->entries.n; i-- > 0;) {
        const Entry *e = &h->entries.v[i];
        if (!e->undo)
            continue;
        RunUndo *undo = arena_new(r->arena, RunUndo);
        Migration *m = arena_new(r->arena, Migration);
        *m = (Migration){.name = e->name, .key = e->row->id, .part = e->part};
        undo->migration = e->file ? e->file : m;
        run_undo_script(r->arena, e->name, str_fmt(r->arena, "rollback of %s", e->name),
                        str_of(e->undo), &undo->script);
        if (!plan_entry(r, e, undo, err))
            return false;
    }
    return true;
}

static bool
plan_undos(Run *r, const History *h, Err *err)
{
    for (size_t i = 0; i < r->deploy->undo_count; i++) {
        const RunUndo *u = &r->deploy->undos[i];
        const Entry *e = history_find(h, u->migration->name);
        if (e && !e->undo && e->state != ENTRY_PENDING && !plan_entry(r, e, u, err))
            return false;
    }
    return true;
}

void
run_undo_script(Arena *a, const char *name, const char *path, Str text, Migration *ret)
{
    *ret = (Migration){.name = name,
                       .path = path,
                       .has_file = true,
                       .bytes = text.n,
                       .text = text,
                       .source = path,
                       .sha256 = hash_sha256_hex(a, text),
                       .checksum = ""};
}

/* A way back is never joined with others: each has its own row to take out. */
static bool
has_undo(const Plan *plan)
{
    vec_each (const MigrationPlan, mp, &plan->migrations)
        if (mp->undoes)
            return true;
    return false;
}

/* Batches are transactions of their own: what a tool otherwise runs as a whole is then run file by file. */
static bool
has_batch(const Plan *plan)
{
    vec_each (const MigrationPlan, mp, &plan->migrations)
        if (plan_has_batch(mp))
            return true;
    return false;
}

bool
run_make_plan(Run *r, const History *h, Err *err)
{
    r->plan = (Plan){0};
    r->stale.n = 0;
    bool undoes = r->deploy && r->deploy->undo_count;
    if (!plan_begun_undos(r, h, err) || (undoes && !plan_undos(r, h, err)))
        return false;
    vec_each (const Entry, e, &h->entries) {
        if (undoes || (e->undo && !e->file))
            continue;
        if (e->state == ENTRY_RESUMABLE && !e->file) {
            err_set(err, ERR_DIVERGED, "migration \"%s\" is half applied, but its file is gone",
                    e->name);
            return err_hint(err, "restore the folder from version control and run: aramid deploy");
        }
        if ((e->state == ENTRY_RESUMABLE || (e->state == ENTRY_PENDING && e->file)) &&
            !plan_entry(r, e, NULL, err))
            return false;
    }
    plan_link(r->arena, &r->plan);
    const ConfigValue *tx = &r->session.config->values[CFG_TX];
    bool is_said = tx->text && strcmp(tx->origin, "default") != 0;
    bool is_whole = is_said ? strcmp(tx->text, "all") == 0
                            : h->layout->is_whole && !h->resumable && !has_batch(&r->plan);
    if (is_whole && !h->layout->is_beside && !has_undo(&r->plan) &&
        !plan_join(r->arena, &r->plan, err))
        return false;
    findings_apply(&r->plan.findings, &r->session.config->finding_rules);
    return true;
}

/* Syntax that libpg_query does not know is shown to the server before anything runs: it parses a
 * whole message first, and the exception in front stops it from running. */
bool
run_check_syntax(Run *r, Err *err)
{
    static const char raise[] = "DO $aramid$BEGIN RAISE EXCEPTION 'syntax is fine'; END$aramid$;\n";
    vec_each (MigrationPlan, mp, &r->plan.migrations) {
        if (!mp->has_opaque)
            continue;
        ARENA_LOCAL(a);
        ARENA_LOCAL(text);
        ArenaMark no_text = arena_mark(text);
        Message m;
        Block block = {.user_off = strlen(raise)};
        message_begin(&m, a, text, false);
        buf_room(&m.sql, strlen(raise) + mp->migration->bytes);
        buf_addz(&m.sql, raise);
        if (!plan_add_text(&m.sql, mp, 0, SIZE_MAX, err))
            return false;
        block.user_len = m.sql.n - block.user_off;
        DbOutcome o;
        db_run(r->session.db, a, buf_str(&m.sql),
               &(DbRun){.timeout_ms = config_ms(r->session.config, CFG_OPERATION_TIMEOUT)}, &o);
        if (o.end == DB_LOST || o.cancelled)
            return db_outcome_err(&o, "the check of the syntax", err);
        if (strcmp(o.sqlstate, "P0001") == 0)
            continue;
        message_drop_text(&m, &block, &o);
        arena_reset(text, no_text);
        step_failed(r, mp, &block, &o, 0, err);
        return err_detail(err, "no %s of this run was begun", run_noun(r));
    }
    return true;
}

bool
run_plan(Arena *a, const Session *s, const History *h, const JournalVec *journal, Plan *ret,
         Err *err)
{
    RunReport report = {0};
    Run r = {.arena = a, .session = *s, .journal = *journal, .report = &report};
    if (!run_check_history(&r, h, err) || !run_make_plan(&r, h, err) ||
        (s->db && (!run_check_syntax(&r, err) || !run_check_batches(&r, err))))
        return false;
    *ret = r.plan;
    return true;
}

/* One query: which relations that need strong locks exist as tables. */
bool
run_find_existing(Run *r, Err *err)
{
    Buf b;
    buf_init(&b, r->arena);
    session_add_user_prefix(&r->session, &b);
    buf_addz(&b, "SELECT w.s, w.n FROM (VALUES ");
    size_t n = 0;
    vec_each (const MigrationPlan, mp, &r->plan.migrations)
        vec_each (const Step, s, &mp->steps)
            vec_each (const StepLock, l, &s->locks) {
                if (!l->can_prelock || l->mode < SQL_LOCK_SHARE || !s->has_strong)
                    continue;
                buf_addz(&b, n++ ? ",(" : "(");
                sql_add_literal(&b, str_of(l->rel.schema));
                buf_addc(&b, ',');
                sql_add_literal(&b, str_of(l->rel.name));
                buf_addc(&b, ',');
                Buf name;
                buf_init(&name, r->arena);
                if (l->rel.schema[0])
                    sql_add_name(&name, l->rel.schema, l->rel.name);
                else
                    sql_add_ident(&name, l->rel.name);
                sql_add_literal(&b, buf_str(&name));
                buf_addc(&b, ')');
            }
    r->existing.n = 0;
    if (n == 0 || (!r->session.tables && !r->session.ledger_exists))
        return true;
    buf_addz(&b, ") AS w (s, n, q) JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=)"
                 " pg_catalog.to_regclass(w.q) WHERE c.relkind OPERATOR(pg_catalog.=) ANY"
                 " ('{r,p}'::pg_catalog.\"char\"[]) GROUP BY w.s, w.n");
    DbRowsVec results;
    if (!db_query(r->session.db, r->arena, buf_str(&b), &results, err)) {
        return err->code != ERR_CONNECTION_LOST && err->code != ERR_INTERRUPTED &&
               err->code !=
                   ERR_TIMEOUT; /* a name in a schema that is closed to us: no early locks */
    }
    const DbRows *rows = &results.v[results.n - 1];
    for (int i = 0; i < rows->rows; i++)
        *vec_add(r->arena, &r->existing) = (SqlName){db_cell(rows, i, 0).p, db_cell(rows, i, 1).p};
    return true;
}

bool
run_relation_exists(const Run *r, const StepLock *l)
{
    for (size_t i = 0; i < r->existing.n; i++)
        if (strcmp(r->existing.v[i].name, l->rel.name) == 0 &&
            strcmp(r->existing.v[i].schema, l->rel.schema) == 0)
            return true;
    return false;
}
