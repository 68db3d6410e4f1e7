#include "flow/squash.h"

#include "base/fs.h"
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

/* What a script leaves in an empty database. */
typedef struct Left {
    Catalog *catalog;
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
           replay_server_rows(server, s->a, &s->left->rows, err);
}

static bool
replay(Squashing *s, Left *ret, Err *err)
{
    Replay r;
    *ret = (Left){0};
    s->left = ret;
    return replay_with(s->a, &s->options, turn, s, &r, err);
}

static bool
replay_old(Squashing *s, Left *ret, Err *err)
{
    s->scripts.n = 0;
    for (size_t i = 0; i < s->ret->count; i++)
        if (!flow_add_script(s->a, &s->ret->history.files.v[i], &s->scripts, err))
            return false;
    return replay(s, ret, err);
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
            bool may = is_kept(o, KEEPS_CODE);
            if (around ? !is_around(o) : !is_kept(o, keeps) || is_dropped(s, m->name, k)) {
                s->ret->left_out += !around && may;
                continue;
            }
            s->ret->data += !around;
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
write_text(Squashing *s, const Left *old, Keeps keeps, Err *err)
{
    const MigrationVec *files = &s->ret->history.files;
    Buf b;
    buf_init(&b, s->a);
    s->ret->data = s->ret->left_out = 0;
    s->kept.n = 0;
    buf_fmt(&b,
            "-- %zu migrations, %s to %s, as one (aramid squash). Databases that have them are\n"
            "-- told by these lines: it is recorded there, and never run.\n",
            s->ret->count, files->v[0].name, files->v[s->ret->count - 1].name);
    for (size_t i = 0; i < s->ret->count; i++)
        buf_fmt(&b, "-- aramid:replaces %s %s\n", files->v[i].name, files->v[i].checksum);
    if (!add_statements(s, &b, true, keeps, err))
        return false;
    Catalog *nothing = catalog_new(s->a);
    catalog_finish(nothing);
    buf_addc(&b, '\n');
    buf_add(&b, render_script(s->a, flow_compare_states(s->a, nothing, old->catalog, "postgres"),
                              NULL));
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

/* NULL: all is the same but for values that differ between two runs of the old ones, too. */
static const char *
difference(Squashing *s, const Left *old, const Left *again, const Left *now)
{
    Diff *d = flow_compare_states(s->a, old->catalog, now->catalog, NULL);
    if (d->changes.n)
        return str_dup(s->a, str_trim(render_summary(s->a, d)));
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

/* The new one with so much of the old statements. *ret_why: what differs; NULL: nothing does. */
static bool
try_one(Squashing *s, const Left *old, const Left *again, Keeps keeps, const char **ret_why,
        Err *err)
{
    Left now;
    const char *failed = NULL;
    s->dropped.n = 0;
    for (int i = 0; i < TRIES_MAX; i++) {
        if (!write_text(s, old, keeps, err))
            return false;
        s->scripts.n = 0;
        *vec_add(s->a, &s->scripts) = (ReplayScript){s->ret->name, s->ret->shown, s->ret->text};
        if (replay(s, &now, err)) {
            *ret_why = difference(s, old, again, &now);
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
    Left old, again;
    const char *why = NULL;
    if (!replay_old(s, &old, err))
        return false;
    vec_each (const ReplayRows, r, &old.rows)
        s->ret->rows += r->count;
    again = old;
    if (s->ret->rows && !replay_old(s, &again, err))
        return false;
    for (Keeps keeps = s->ret->rows ? KEEPS_ROWS : KEEPS_NOTHING; keeps < KEEPS_COUNT; keeps++) {
        if (!try_one(s, &old, &again, keeps, &why, err))
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

/* The old ones leave the folder one by one behind the new one: a call that was killed in between is
 * seen by every deploy, which refuses both together. */
static bool
move_files(Arena *a, const Config *c, SquashResult *r, Err *err)
{
    const char *dir = r->history.source;
    const char *kept = fs_join(a, c->project_dir, str_fmt(a, ".aramid/squashed/%s", r->name));
    const char *folder = fs_join(a, dir, r->name);
    r->kept = fs_below(c->project_dir, kept);
    if (!fs_mkdirs(kept, 0755, err) || !fs_mkdirs(folder, 0755, err) ||
        !fs_write(fs_join(a, folder, "migration.sql"), r->text, 0644, err))
        return false;
    for (size_t i = 0; i < r->count; i++) {
        const char *name = r->history.files.v[i].name;
        if (rename(fs_join(a, dir, name), fs_join(a, kept, name)) == 0)
            continue;
        err_set(err, ERR_IO, "cannot move \"%s\" to \"%s\": %s", name, r->kept, strerror(errno));
        return err_hint(err, "the new migration is complete: remove the old ones, which git has");
    }
    return true;
}

static bool
choose(Arena *a, const SquashInput *in, SquashResult *r, Err *err)
{
    const History *h = &r->history;
    if (h->layout != &history_prisma) {
        err_set(err, ERR_USAGE, "migrations of %s are not squashed by Aramid",
                h->layout->ledger.tool);
        return err_hint(err, "so far those in Prisma's folders are");
    }
    r->count = h->files.n;
    for (size_t i = 0; in->to && i < h->files.n; i++)
        if (strcmp(h->files.v[i].name, in->to) == 0)
            r->count = i + 1;
    if (in->to && !history_find(h, in->to))
        return flow_no_such_migration(in->to, h, err);
    if (r->count < 2)
        return err_set(err, ERR_USAGE, "there is nothing to squash: %zu migration%s", r->count,
                       str_plural((int64_t)r->count));
    for (size_t i = 0; i < r->count; i++) {
        const Migration *m = &h->files.v[i];
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
    /* Its place is that of the last one. */
    const char *last = h->files.v[r->count - 1].name;
    size_t digits = strspn(last, "0123456789");
    r->name = str_fmt(a, "%.*s_squashed", (int)digits, last);
    r->shown = fs_join(a, h->dir, fs_join(a, r->name, "migration.sql"));
    bool fits = digits && (r->count == h->files.n ||
                           history_name_cmp(r->name, h->files.v[r->count].name) < 0);
    if (fits && !history_find(h, r->name))
        return true;
    err_set(err, ERR_USAGE, "\"%s\" cannot stand in the place of \"%s\"", r->name, last);
    return err_hint(err, "squash up to another one: aramid squash --to NAME");
}

bool
flow_squash(Arena *a, const SquashInput *in, SquashResult *ret, Err *err)
{
    *ret = (SquashResult){0};
    Squashing s = {.a = a, .ret = ret};
    return flow_versions(a, in->base.config, &ret->history, err) &&
           flow_history_is_one(&ret->history, err) && choose(a, in, ret, err) &&
           flow_ways_options(a, &in->base, NULL, &s.options, err) && prove(&s, err) &&
           (in->only_looks || move_files(a, in->base.config, ret, err));
}
