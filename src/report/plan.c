/* Steps of pending migrations and what they lock. */
#include "report/finding.h"
#include "report/identity.h"
#include "report/migrations.h"

static void
add_locks_text(Buf *out, const Term *t, const Step *s)
{
    vec_each (const StepLock, l, &s->locks) {
        if (l->mode < SQL_LOCK_SHARE_UPDATE_EXCLUSIVE)
            continue;
        buf_addz(out, "       lock: ");
        term_add(out, t, l->mode >= SQL_LOCK_SHARE && !l->is_new ? TERM_YELLOW : TERM_DIM,
                 sql_lock_mode_name(l->mode));
        buf_addz(out, " on ");
        if (l->rel.schema[0]) {
            term_text(out, t, TERM_PLAIN, str_of(l->rel.schema));
            buf_addc(out, '.');
        }
        term_text(out, t, TERM_PLAIN, str_of(l->rel.name));
        buf_addz(out, l->is_new ? " (new in this deploy)\n" : "\n");
    }
}

static void
add_sql_text(Buf *out, const Term *t, const SqlScript *script, const Step *s)
{
    for (size_t i = s->first; i < s->first + s->count; i++) {
        const SqlSpan *st = &script->stmts.v[i];
        Str rest = str_slice(script->text, st->off, st->off + st->len);
        while (rest.p) {
            Str line = str_cut(&rest, '\n');
            buf_addz(out, "       | ");
            term_text(out, t, TERM_DIM, line);
            buf_addc(out, '\n');
        }
    }
}

static const char *
mode_text(const Step *s)
{
    switch (s->mode) {
    case STEP_TX:
        return "one transaction, with its row in the history";
    case STEP_OWN_TX:
        return "the file's own transaction";
    case STEP_ALONE:
        return "outside of a transaction; resumable";
    case STEP_BATCH:
        return "many transactions; resumable";
    case STEP_PROVE:
        return "a query; nothing goes on unless it gives no row, or true";
    }
    return "";
}

static void
add_step_text(Buf *out, const Term *t, const MigrationPlan *mp, size_t index,
              const SqlScript *script)
{
    const Step *s = &mp->steps.v[index];
    if (mp->steps.n > 1 || !plan_is_one_message(mp)) {
        buf_fmt(out, "     step %zu: ", index + 1);
        buf_addz(out, mp->steps.n == 1                        ? mode_text(s)
                      : s->mode == STEP_TX && mp->steps.n > 1 ? "one transaction"
                                                              : mode_text(s));
        if (s->why) {
            buf_addz(out, " (");
            term_text(out, t, TERM_PLAIN, str_of(s->why));
            buf_addc(out, ')');
        }
        buf_addc(out, '\n');
    }
    if (script)
        add_sql_text(out, t, script, s);
    add_locks_text(out, t, s);
}

static void
add_migrations_text(Buf *out, const Term *t, const PlanResult *r, bool with_sql)
{
    size_t number = 0;
    vec_each (const MigrationPlan, mp, &r->plan.migrations) {
        buf_fmt(out, "%3zu. ", ++number);
        term_text(out, t, TERM_BOLD, str_of(mp->migration->name));
        if (history_versioned(&r->history) > 1)
            buf_fmt(out, "  %s,", r->history.parts.v[mp->migration->part]->layout->ledger.tool);
        buf_fmt(out, "  %zu statement%s, ", mp->statements, str_plural(mp->statements));
        if (plan_is_one_message(mp))
            buf_addz(out, "one transaction");
        else
            buf_fmt(out, "%zu step%s", mp->steps.n, str_plural(mp->steps.n));
        if (mp->resumes)
            buf_fmt(out, "; resumes behind statement %zu", mp->done_statements);
        buf_addc(out, '\n');
        ARENA_LOCAL(scratch);
        SqlScript script;
        Err err;
        bool shows = with_sql && plan_script(scratch, mp, true, &script, &err);
        for (size_t i = 0; i < mp->steps.n; i++)
            add_step_text(out, t, mp, i, shows ? &script : NULL);
        if (with_sql && !shows) {
            buf_addz(out, "       ");
            term_text(out, t, TERM_PLAIN, str_of(err.primary));
            buf_addc(out, '\n');
        }
    }
}

void
report_plan_steps_text(Buf *out, const Term *t, const PlanResult *r, bool with_sql)
{
    buf_addz(out, "Target: ");
    report_target_text(out, t, &r->target);
    if (r->server)
        buf_fmt(out, ", %s", db_server_text(out->arena, r->server));
    buf_addz(out, "\n\n");
    add_migrations_text(out, t, r, with_sql);
}

void
report_plan_text(Buf *out, const Term *t, const PlanResult *r, bool with_sql)
{
    buf_addz(out, "Target: ");
    report_target_text(out, t, &r->target);
    if (r->server)
        buf_fmt(out, ", %s", db_server_text(out->arena, r->server));
    buf_addz(out, "\n\n");
    if (r->plan.migrations.n) {
        buf_fmt(out, "deploy would apply %zu migration%s:\n\n", r->plan.migrations.n,
                str_plural(r->plan.migrations.n));
        add_migrations_text(out, t, r, with_sql);
    } else
        buf_addz(out, "No pending migrations to apply.\n");
    if (r->findings.items.n)
        buf_addc(out, '\n');
    findings_text(out, t, &r->findings);
    if (r->findings.counts[SEV_ERROR])
        buf_addz(out,
                 "\nNothing was changed. A deploy would be refused: the settings make an error "
                 "of what was found\n");
    else if (r->plan.migrations.n)
        buf_addz(out, "\nNothing was changed. To apply: aramid deploy\n");
}

/* Of a step without its SQL no more statements are listed: their number is told. */
enum { LISTED_MAX = 1000 };

static void
batch_json(JsonWriter *w, const SqlBatch *b)
{
    jw_object(w, "batch");
    jw_strz(w, "schema", b->table.schema[0] ? b->table.schema : NULL);
    jw_strz(w, "table", b->table.name);
    jw_array(w, "key"); /* none: the primary key */
    vec_each (const char *, key, &b->keys)
        jw_strz(w, NULL, *key);
    jw_end(w);
    if (b->size)
        jw_int(w, "size", b->size);
    else
        jw_null(w, "size");
    if (b->ms)
        jw_int(w, "timeMs", b->ms);
    else
        jw_null(w, "timeMs");
    jw_end(w);
}

static void
step_json(JsonWriter *w, const Step *s, const SqlScript *script, bool with_sql)
{
    jw_object(w, NULL);
    jw_strz(w, "mode", plan_mode_name(s->mode));
    jw_strz(w, "why", s->why);
    jw_int(w, "firstStatement", (int64_t)s->first + 1);
    jw_int(w, "statements", (int64_t)s->count);
    jw_array(w, "sql");
    size_t listed = with_sql || s->count < LISTED_MAX ? s->count : LISTED_MAX;
    for (size_t i = s->first; script && i < s->first + listed; i++) {
        SqlStmt stmt;
        const SqlStmt *st = sql_stmt(script, i, &stmt);
        jw_object(w, NULL);
        jw_int(w, "line", st->line);
        jw_strz(w, "kind", st->tag);
        jw_bool(w, "parsed", !st->opaque);
        if (with_sql)
            jw_str(w, "text", str_slice(script->text, st->off, st->off + st->len));
        jw_end(w);
    }
    jw_end(w);
    if (s->batch)
        batch_json(w, s->batch);
    else
        jw_null(w, "batch");
    jw_array(w, "locks");
    vec_each (const StepLock, l, &s->locks) {
        jw_object(w, NULL);
        jw_strz(w, "schema", l->rel.schema[0] ? l->rel.schema : NULL);
        jw_strz(w, "relation", l->rel.name);
        jw_strz(w, "mode", sql_lock_mode_name(l->mode));
        jw_bool(w, "new", l->is_new);
        jw_end(w);
    }
    jw_end(w);
    jw_end(w);
}

void
report_plan_steps_json(JsonWriter *w, const char *key, const Plan *plan, const History *h,
                       bool with_sql)
{
    jw_array(w, key);
    vec_each (const MigrationPlan, mp, &plan->migrations) {
        jw_object(w, NULL);
        jw_strz(w, "name", mp->migration->name);
        jw_strz(w, "path", mp->migration->path);
        jw_strz(w, "checksum", mp->migration->checksum);
        if (h)
            jw_strz(w, "history", history_part_of(h, mp->migration->part)->layout->name);
        jw_bool(w, "resumes", mp->resumes);
        jw_array(w, "notes"); /* before findings had one form */
        vec_each (const Finding, f, &plan->findings.items)
            if (strcmp(f->object, mp->migration->name) == 0)
                jw_strz(w, NULL, f->text);
        jw_end(w);
        jw_array(w, "steps");
        ARENA_LOCAL(scratch);
        SqlScript script;
        Err ignored; /* a file that changes meanwhile: the steps are as they were planned */
        bool reads = plan_script(scratch, mp, true, &script, &ignored);
        vec_each (const Step, s, &mp->steps)
            step_json(w, s, reads ? &script : NULL, with_sql);
        jw_end(w);
        jw_end(w);
    }
    jw_end(w);
}

void
report_plan_json(JsonWriter *w, const PlanResult *r)
{
    jw_object(w, NULL);
    jw_strz(w, "command", "plan");
    jw_bool(w, "ok", r->findings.counts[SEV_ERROR] == 0);
    report_target_json(w, &r->target);
    report_identity_member(w, &r->identity);
    if (r->server)
        jw_int(w, "serverVersion", r->server->version);
    else
        jw_null(w, "serverVersion");
    jw_int(w, "statements", (int64_t)r->plan.statements);
    report_plan_steps_json(w, "migrations", &r->plan, &r->history, true);
    findings_json(w, "findings", &r->findings);
    jw_end(w);
}
