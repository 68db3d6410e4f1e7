/* What a plan throws away. */
#include "plan/plan_int.h"

/* ---- of one file, while its text is at hand ---------------------------------------------------- */

static void
note(Arena *a, MigrationPlan *mp, const SqlStmt *s, size_t statement, PlanDrop drop)
{
    drop.statement = statement;
    drop.line = s->line;
    drop.tag = s->tag;
    drop.sub = drop.sub ? drop.sub : "";
    *vec_add(a, &mp->drops) = drop;
}

static void
note_objects(Arena *a, MigrationPlan *mp, const SqlScript *script, const SqlStmt *s,
             size_t statement)
{
    bool found = false;
    vec_each (const SqlObject, o, &s->objects) {
        bool made = s->kind == SQL_CREATE_TABLE && o->effect == SQL_CREATES && !o->if_exists;
        const char *what = o->kind == SQL_OBJ_TABLE    ? "table"
                           : o->kind == SQL_OBJ_COLUMN ? "column"
                           : o->kind == SQL_OBJ_SCHEMA ? "schema"
                                                       : NULL;
        if (!what || (made ? o->kind != SQL_OBJ_TABLE : o->effect != SQL_DROPS))
            continue;
        found = true;
        note(a, mp, s, statement,
             (PlanDrop){.what = what, .name = o->name, .sub = o->sub, .made = made});
    }
    /* A type, an extension or a role's things, with the columns that use them. */
    if (!found && s->kind == SQL_DROP &&
        str_icontains(str_slice(script->text, s->off, s->off + s->len), STR("cascade")))
        note(a, mp, s, statement, (PlanDrop){.name = {"", ""}});
}

void
plan_note_drops(Arena *a, const SqlScript *script, MigrationPlan *mp)
{
    bool any = false;
    vec_each (const SqlStmt, f, &script->forms)
        any = any || f->objects.n || f->kind == SQL_TRUNCATE || f->kind == SQL_DROP;
    for (size_t i = 0; i < script->stmts.n && any; i++) {
        const SqlStmt *form = &script->forms.v[script->stmts.v[i].form];
        SqlStmt s;
        if (!form->objects.n && form->kind != SQL_TRUNCATE && form->kind != SQL_DROP)
            continue;
        sql_stmt(script, i, &s);
        if (s.kind != SQL_TRUNCATE)
            note_objects(a, mp, script, &s, i);
        vec_each (const SqlLock, k, &s.locks)
            if (s.kind == SQL_TRUNCATE)
                note(a, mp, &s, i, (PlanDrop){.what = "table", .name = k->rel});
    }
}

/* ---- of all ------------------------------------------------------------------------------------ */

typedef VEC(SqlName) Names;

/* Tables that the plan itself makes: nothing was in them before. */
static bool
is_among(const Names *made, SqlName name)
{
    vec_each (const SqlName, f, made)
        if (strcmp(f->name, name.name) == 0 &&
            (!f->schema[0] || !name.schema[0] || strcmp(f->schema, name.schema) == 0))
            return true;
    return false;
}

static void
add_loss(Arena *a, Plan *plan, const MigrationPlan *mp, const PlanDrop *d)
{
    const char *what =
        d->what ? str_printable(a,
                                str_of(str_fmt(a, "%s %s%s%s%s%s", d->what, d->name.schema,
                                               d->name.schema[0] ? "." : "", d->name.name,
                                               d->sub[0] ? "." : "", d->sub)),
                                false)
                : "what hangs on it (CASCADE)";
    *vec_add(a, &plan->losses) = (PlanLoss){mp, d->statement, d->line, what, d};
    Finding *f = finding_add(&plan->findings, FINDING_PLAN_LOSES, "%s: the data of %s is gone then",
                             d->tag, what);
    f->object = mp->migration->name;
    f->path = mp->migration->path;
    f->line = d->line;
}

/* A piece that says of itself that data goes with it, of whose words nobody here tells what. */
static void
find_declared(Arena *a, Plan *plan, const MigrationPlan *mp, const Names *made)
{
    const SqlScript *script = &mp->script;
    vec_each (const MigrationPiece, p, &mp->migration->pieces) {
        size_t first = 0, end;
        bool is_known = !p->loses, is_old = false;
        while (first < script->stmts.n && script->stmts.v[first].off < p->off)
            first++;
        for (end = first; end < script->stmts.n && script->stmts.v[end].off < p->end; end++)
            vec_each (const SqlLock, l, &script->forms.v[script->stmts.v[end].form].locks)
                is_old = is_old || !is_among(made, l->rel);
        vec_each (const PlanDrop, d, &mp->drops)
            is_known = is_known || (!d->made && d->statement >= first && d->statement < end);
        if (is_known || first == end || first < mp->done_statements || !is_old)
            continue;
        SqlStmt s;
        PlanDrop *d = arena_new(a, PlanDrop);
        *d = (PlanDrop){.statement = first, .what = "what changes by", .sub = ""};
        d->line = sql_stmt(script, first, &s)->line;
        d->tag = s.tag;
        d->name = (SqlName){"", p->loses};
        add_loss(a, plan, mp, d);
    }
}

void
plan_find_losses(Arena *a, Plan *plan)
{
    Names made = {0};
    plan->losses.n = 0;
    vec_each (const MigrationPlan, mp, &plan->migrations) {
        vec_each (const PlanDrop, d, &mp->drops) {
            bool is_schema = d->what && strcmp(d->what, "schema") == 0;
            if (d->made)
                *vec_add(a, &made) = d->name;
            else if (d->statement >= mp->done_statements &&
                     (is_schema || !d->what || !is_among(&made, d->name)))
                add_loss(a, plan, mp, d);
        }
        find_declared(a, plan, mp, &made);
    }
}
