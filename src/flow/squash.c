#include "flow/squash.h"

#include "base/fs.h"
#include "flow/endpoint.h"
#include "flow/rollback.h"
#include "flow/undo.h"
#include "render/render.h"
#include "sqltext/sqltext.h"

#include <errno.h>
#include <stdio.h>

/* What of the old statements stands in the new file beside what makes the schema: each time more, until
 * the same comes out. */
typedef enum Keeps {
    KEEPS_NOTHING,
    KEEPS_ROWS, /* INSERT, UPDATE, ... */
    KEEPS_CODE, /* and SELECT, DO, CALL, which may do anything */
    KEEPS_COUNT,
} Keeps;

/* What scripts leave in an empty database. */
typedef struct Left {
    Catalog *catalog;
    Catalog *stubs; /* of the schemas that are a platform's */
    ReplayRowsVec rows;
} Left;

/* A statement about rows in the new file: which one of which old file, and its lines. */
typedef struct Kept {
    const char *migration;
    size_t statement;
    int first, last;
} Kept;
typedef VEC(Kept) KeptVec;

enum { TRIES_MAX = 64 };

typedef struct Squashing {
    Arena *a;
    KeptVec kept, dropped; /* of the text; and those that cannot run behind the later schema */
    SquashResult *ret;
    ReplayOptions options;
    CatTexts platforms;    /* schemas that the old ones found there */
    ReplayScripts around;  /* what lets them, and else nothing, be there */
    ReplayScripts scripts; /* of one turn */
    Left *left;            /* its result */
} Squashing;

/* ---- replays ----------------------------------------------------------------------------------- */

static bool
turn(void *arg, ReplayServer *server, Err *err)
{
    Squashing *s = arg;
    vec_each (const ReplayScript, script, &s->scripts)
        if (!replay_server_run(server, script, err))
            return false;
    return replay_server_read(server, s->a, &s->left->catalog, err) &&
           replay_server_read_stubs(server, s->a, &s->left->stubs, err) &&
           replay_server_rows(server, s->a, &s->left->rows, err);
}

static bool
replay(Squashing *s, Left *ret, Replay *r, Err *err)
{
    *ret = (Left){0};
    s->left = ret;
    return replay_with(s->a, &s->options, turn, s, r, err);
}

static bool
replay_old(Squashing *s, Left *ret, Replay *r, Err *err)
{
    s->scripts.n = 0;
    for (size_t i = 0; i < s->ret->count; i++)
        if (!flow_add_script(s->a, &s->ret->history.files.v[i], &s->scripts, err))
            return false;
    return replay(s, ret, r, err);
}

/* What a platform has is there before the new one, too: each stand-in is made as soon as a statement asks for it. */
static void
take_surroundings(Squashing *s, const Replay *r)
{
    Buf b;
    buf_init(&b, s->a);
    vec_each (const ReplayStub, stub, &r->stubs)
        if (stub->kind == REPLAY_SCHEMA) {
            *vec_add(s->a, &s->platforms) = stub->name;
            buf_addz(&b, "CREATE TABLE ");
            sql_add_name(&b, stub->name, "aramid_surroundings");
            buf_addz(&b, " ();\nDROP TABLE ");
            sql_add_name(&b, stub->name, "aramid_surroundings");
            buf_addz(&b, ";\n");
        } else if (stub->kind == REPLAY_PUBLICATION) {
            buf_addz(&b, "COMMENT ON PUBLICATION ");
            sql_add_ident(&b, stub->name);
            buf_addz(&b, " IS NULL;\n");
        }
    if (b.n)
        *vec_add(s->a, &s->around) =
            (ReplayScript){"surroundings", "what the platform has", buf_str(&b)};
}

static bool
replay_new(Squashing *s, const ReplayScript *script, Left *ret, Err *err)
{
    Replay r;
    s->scripts.n = 0;
    vec_each (const ReplayScript, around, &s->around)
        *vec_add(s->a, &s->scripts) = *around;
    if (script)
        *vec_add(s->a, &s->scripts) = *script;
    return replay(s, ret, &r, err);
}

/* ---- the new file -------------------------------------------------------------------------------- */

/* What no catalog of one database shows: it stands in front, as it was written. */
static bool
is_around(const SqlStmt *s)
{
    static const char *const words[] = {" ROLE", " USER", " GROUP", " DATABASE", " SYSTEM"};
    for (size_t i = 0; i < COUNT(words); i++)
        if (str_ends(str_of(s->tag), str_of(words[i])))
            return true;
    return false;
}

static bool
is_kept(const SqlStmt *s, Keeps keeps)
{
    bool rows = s->is_dml || s->kind == SQL_TRUNCATE || s->kind == SQL_COPY;
    bool code = s->kind == SQL_SELECT || s->kind == SQL_DO || s->kind == SQL_CALL;
    return (keeps >= KEEPS_ROWS && rows) || (keeps >= KEEPS_CODE && code);
}

static bool
is_platforms(const Squashing *s, SqlName name)
{
    return *name.schema && cat_has_text(&s->platforms, name.schema);
}

/* It changes what a platform made (a trigger on its table, a policy), of which the schema that is written tells
 * nothing: it stands behind that, as it was written. */
static bool
is_on_platform(const Squashing *s, const SqlStmt *stmt)
{
    if (is_kept(stmt, KEEPS_CODE))
        return false;
    if (stmt->objects.n)
        return is_platforms(s, stmt->objects.v[0].name);
    return stmt->locks.n && is_platforms(s, stmt->locks.v[0].rel);
}

static bool
is_dropped(const Squashing *s, const char *migration, size_t statement)
{
    vec_each (const Kept, k, &s->dropped)
        if (k->statement == statement && strcmp(k->migration, migration) == 0)
            return true;
    return false;
}

static int
lines(const Buf *b)
{
    int n = 1;
    for (size_t i = 0; i < b->n; i++)
        n += b->p[i] == '\n';
    return n;
}

/* Statements of the old files for which `around` or `keeps` holds, each group under its file's name. */
static bool
add_statements(Squashing *s, Buf *b, bool around, Keeps keeps, Err *err)
{
    for (size_t i = 0; i < s->ret->count; i++) {
        ARENA_LOCAL(a);
        const Migration *m = &s->ret->history.files.v[i];
        SqlScript script;
        SqlStmt stmt;
        Str text;
        bool any = false;
        if (!migration_text(a, m, &text, err) || !sql_split(a, m->path, text, &script, err))
            return false;
        sql_classify(a, &script);
        for (size_t k = 0; k < script.stmts.n; k++) {
            const SqlStmt *o = sql_stmt(&script, k, &stmt);
            bool may = is_kept(o, KEEPS_CODE), platform = !around && is_on_platform(s, o);
            if (around ? !is_around(o)
                       : (!platform && !is_kept(o, keeps)) || is_dropped(s, m->name, k)) {
                s->ret->left_out += !around && may;
                continue;
            }
            s->ret->data += !around && !platform;
            s->ret->platform += platform;
            int first = lines(b) + (any ? 0 : 2);
            if (!any)
                buf_fmt(b, "\n-- of %s\n", m->name);
            any = true;
            buf_add(b, str_slice(script.text, o->off, o->off + o->len));
            buf_addz(b, ";\n");
            if (!around)
                *vec_add(s->a, &s->kept) = (Kept){m->name, k, first, lines(b)};
        }
    }
    return true;
}

static bool
write_text(Squashing *s, const Left *before, const Left *old, Keeps keeps, Err *err)
{
    const MigrationVec *files = &s->ret->history.files;
    Buf b;
    buf_init(&b, s->a);
    s->ret->data = s->ret->platform = s->ret->left_out = 0;
    s->kept.n = 0;
    buf_fmt(&b,
            "-- %zu migrations, %s to %s, as one (aramid squash). Databases that have them are\n"
            "-- told by these lines: it is recorded there, and never run.\n",
            s->ret->count, files->v[0].name, files->v[s->ret->count - 1].name);
    for (size_t i = 0; i < s->ret->count; i++)
        buf_fmt(&b, "-- aramid:replaces %s %s\n", files->v[i].name, files->v[i].checksum);
    if (!add_statements(s, &b, true, keeps, err))
        return false;
    const char *runner = "postgres"; /* of replays: what is its own is that of whoever deploys */
    buf_addc(&b, '\n');
    buf_add(&b, render_script(
                    s->a, flow_compare_states(s->a, before->catalog, old->catalog, runner), NULL));
    if (!add_statements(s, &b, false, keeps, err))
        return false;
    s->ret->text = buf_str(&b);
    return true;
}

/* ---- the proof ------------------------------------------------------------------------------------ */

static const ReplayRows *
rows_of(const Left *l, const char *name)
{
    vec_each (const ReplayRows, r, &l->rows)
        if (strcmp(r->name, name) == 0)
            return r;
    return NULL;
}

static const char *
other_schema(Arena *a, const Catalog *old, const Catalog *now)
{
    Diff *d = flow_compare_states(a, old, now, NULL);
    if (d->changes.n)
        return str_dup(a, str_trim(render_summary(a, d)));
    for (size_t i = 0; i < old->others.n; i++)
        if (i >= now->others.n || strcmp(old->others.v[i].name, now->others.v[i].name) != 0)
            return str_fmt(a, "%s %s is not made again", old->others.v[i].what,
                           old->others.v[i].name);
    return NULL;
}

/* NULL: all is the same but for values that differ between two runs of the old ones, too. */
static const char *
difference(Squashing *s, const Left *old, const Left *again, const Left *now)
{
    const char *why = other_schema(s->a, old->catalog, now->catalog);
    if (why)
        return why;
    if ((why = other_schema(s->a, old->stubs, now->stubs)))
        return str_fmt(s->a, "what is added to the platform's own objects:\n%s", why);
    s->ret->varying.n = 0;
    vec_each (const ReplayRows, r, &old->rows) {
        const ReplayRows *n = rows_of(now, r->name), *o = rows_of(again, r->name);
        if (!n || n->count != r->count)
            return str_fmt(s->a, "%s holds %lld rows instead of %lld", r->name,
                           (long long)(n ? n->count : 0), (long long)r->count);
        if (strcmp(n->hash, r->hash) == 0)
            continue;
        if (!o || strcmp(o->hash, r->hash) == 0)
            return str_fmt(s->a, "%s holds other values", r->name);
        *vec_add(s->a, &s->ret->varying) = r->name;
    }
    return NULL;
}

/* A statement about rows of long ago may name what the later schema does not have. Without it the rows tell
 * whether it left anything. */
static bool
drop_failed(Squashing *s, const Err *err)
{
    vec_each (const Kept, k, &s->kept)
        if (err->at.line >= k->first && err->at.line <= k->last) {
            *vec_add(s->a, &s->dropped) = *k;
            return true;
        }
    return false;
}

typedef struct Before {
    Left nothing;    /* an empty database */
    Left old, again; /* behind the old ones; and behind a second run of these */
} Before;

/* The new one with so much of the old statements. *ret_why: what differs; NULL: nothing does. */
static bool
try_one(Squashing *s, const Before *b, Keeps keeps, const char **ret_why, Err *err)
{
    Left now;
    const char *failed = NULL;
    s->dropped.n = 0;
    for (int i = 0; i < TRIES_MAX; i++) {
        if (!write_text(s, &b->nothing, &b->old, keeps, err))
            return false;
        const ReplayScript script = {s->ret->name, s->ret->shown, s->ret->text};
        if (replay_new(s, &script, &now, err)) {
            *ret_why = difference(s, &b->old, &b->again, &now);
            if (*ret_why && failed)
                *ret_why = str_fmt(s->a, "%s\n%s", *ret_why, failed);
            return true;
        }
        if (err->code != ERR_REPLAY)
            return false;
        failed = *ret_why =
            str_fmt(s->a, "left out, as it does not run there: %s", str_dupz(s->a, err->primary));
        if (!drop_failed(s, err))
            return true;
    }
    return true;
}

static bool
prove(Squashing *s, Err *err)
{
    Before b;
    Replay r;
    const char *why = NULL;
    if (!replay_old(s, &b.old, &r, err))
        return false;
    take_surroundings(s, &r);
    vec_each (const ReplayRows, rows, &b.old.rows)
        s->ret->rows += rows->count;
    b.again = b.old;
    if ((s->ret->rows && !replay_old(s, &b.again, &r, err)) ||
        !replay_new(s, NULL, &b.nothing, err))
        return false;
    for (Keeps keeps = s->ret->rows ? KEEPS_ROWS : KEEPS_NOTHING; keeps < KEEPS_COUNT; keeps++) {
        if (!try_one(s, &b, keeps, &why, err))
            return false;
        if (!why)
            return true;
    }
    err_set(err, ERR_VERIFY, "no one migration of these statements makes what the %zu make",
            s->ret->count);
    err_detail(err, "%s", str_printable(s->a, str_of(why), true));
    err_detail(err, "nothing was written");
    return err_hint(err,
                    "squash up to the migration before the one that changes these rows: aramid "
                    "squash --to NAME");
}

/* ---- files ------------------------------------------------------------------------------------------ */

/* What of a migration lies in the folder: its own folder, or its file. */
static const char *
top_of(Arena *a, const Migration *m)
{
    bool is_folder = strcmp(fs_basename(m->source), "migration.sql") == 0;
    return is_folder ? fs_dirname(a, m->source) : m->source;
}

static bool
move(Arena *a, const char *from, const SquashResult *r, const char *kept, Err *err)
{
    if (rename(from, fs_join(a, kept, fs_basename(from))) == 0)
        return true;
    err_set(err, ERR_IO, "cannot move \"%s\" to \"%s\": %s", fs_basename(from), r->kept,
            strerror(errno));
    return err_hint(err, "the new migration is complete: remove the old ones, which git has");
}

/* The old ones leave the folder one by one behind the new one: a call that was killed in between is
 * seen by every deploy, which refuses both together. */
static bool
move_files(Arena *a, const Config *c, SquashResult *r, Err *err)
{
    const HistoryLayout *l = r->history.layout;
    const char *kept =
        fs_join(a, c->project_dir, str_fmt(a, ".aramid/squashed/%s", fs_basename(r->name)));
    Str text = r->text;
    r->kept = fs_below(c->project_dir, kept);
    if (l->add_both) {
        Buf b;
        buf_init(&b, a);
        l->add_both(&b, STR(""), r->text, STR(""));
        text = buf_str(&b);
    }
    if (!fs_mkdirs(kept, 0755, err) || !fs_mkdirs(fs_dirname(a, r->source), 0755, err) ||
        !fs_write(r->source, text, 0644, err))
        return false;
    for (size_t i = 0; i < r->count; i++) {
        const Migration *m = &r->history.files.v[i];
        const char *top = top_of(a, m);
        HistoryPaths downs = history_down_files(a, &r->history, m);
        vec_each (const char *const, down, &downs)
            if (fs_below(top, *down) == *down && !move(a, *down, r, kept, err))
                return false;
        if (!move(a, top, r, kept, err))
            return false;
    }
    return true;
}

/* ---- which ------------------------------------------------------------------------------------------ */

static bool
check_layout(const History *h, Err *err)
{
    if (h->layout->squashed)
        return true;
    err_set(err, ERR_USAGE, "migrations of %s are not squashed by Aramid", h->layout->ledger.tool);
    if (!history_is_drizzle(h->layout))
        return err_hint(err, "those of Prisma, Supabase, dbmate and plain SQL are");
    err_detail(err,
               "beside each lies a snapshot of drizzle-kit's, and its migrator knows by time alone "
               "what a database has");
    return err_hint(err,
                    "one migration of the whole schema: a new folder (out in drizzle.config) by "
                    "drizzle-kit generate; then aramid resolve --applied NAME in each database");
}

static bool
check_old(const SquashResult *r, Err *err)
{
    if (r->count < 2)
        return err_set(err, ERR_USAGE, "there is nothing to squash: %zu migration%s", r->count,
                       str_plural((int64_t)r->count));
    for (size_t i = 0; i < r->count; i++) {
        const Migration *m = &r->history.files.v[i];
        if (!m->has_file)
            return migration_gone(m, err);
        if (!m->replaces.n)
            continue;
        err_set(err, ERR_USAGE, "\"%s\" is a squash itself", m->name);
        err_detail(err,
                   "a database that has not been deployed to since would not be known any more");
        return err_hint(err,
                        "squash what came behind it later, when it is no first one any more; or "
                        "take the squash back by git, and squash all at once");
    }
    return true;
}

static bool
choose(Arena *a, const SquashInput *in, SquashResult *r, Err *err)
{
    const History *h = &r->history;
    if (!check_layout(h, err))
        return false;
    r->count = h->files.n;
    for (size_t i = 0; in->to && i < h->files.n; i++)
        if (strcmp(h->files.v[i].name, in->to) == 0)
            r->count = i + 1;
    if (in->to && !history_find(h, in->to))
        return flow_no_such_migration(in->to, h, err);
    if (!check_old(r, err))
        return false;
    const Migration *last = &h->files.v[r->count - 1];
    const HistoryNew made = h->layout->squashed(a, last);
    bool fits = made.name && (h->layout->version || r->count == h->files.n ||
                              history_name_cmp(made.name, h->files.v[r->count].name) < 0);
    if (!fits || history_find(h, made.name)) {
        err_set(err, ERR_USAGE, "\"%s\" cannot stand in the place of \"%s\"",
                made.name ? made.name : "squashed", last->name);
        return err_hint(err, "squash up to another one: aramid squash --to NAME");
    }
    const char *beside = fs_dirname(a, top_of(a, last));
    r->name = made.name;
    r->source = fs_join(a, beside, made.file);
    r->shown = fs_join(a, h->dir, fs_below(h->source, r->source));
    return true;
}

bool
flow_squash(Arena *a, const SquashInput *in, SquashResult *ret, Err *err)
{
    *ret = (SquashResult){0};
    Squashing s = {.a = a, .ret = ret};
    return flow_versions(a, in->base.config, &ret->history, err) &&
           flow_history_is_one(&ret->history, err) && choose(a, in, ret, err) &&
           flow_ways_options(a, &in->base, NULL, &s.options, err) &&
           (s.options = flow_replay_as(&ret->history, &s.options), prove(&s, err)) &&
           (in->only_looks || move_files(a, in->base.config, ret, err));
}
