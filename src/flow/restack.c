/* aramid restack: which migrations were overtaken, and their new names. */
#include "flow/restack.h"

#include "base/child.h"
#include "base/clock.h"
#include "base/fs.h"
#include "base/map.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

enum { GIT_MS = 20000 };

/* ---- git -------------------------------------------------------------------------------------- */

static bool
has_ref(Arena *a, const char *dir, const char *ref)
{
    const char *const argv[] = {"git",
                                "-C",
                                dir,
                                "rev-parse",
                                "--verify",
                                "--quiet",
                                "--end-of-options",
                                str_fmt(a, "%s^{commit}", ref),
                                NULL};
    ChildResult r;
    Err ignored;
    return child_run(a, argv, NULL, GIT_MS, &r, &ignored) && r.status == 0;
}

static bool
find_ref(Arena *a, const RestackInput *in, const char *dir, const char **ret, Err *err)
{
    static const char *const usual[] = {"origin/HEAD", "origin/main", "origin/master", "main",
                                        "master"};
    *ret = NULL;
    if (in->ref) {
        *ret = in->ref;
        if (has_ref(a, dir, in->ref))
            return true;
        err_set(err, ERR_CONFIG, "git knows no \"%s\" here",
                str_printable(a, str_of(in->ref), false));
        return err_hint(
            err, "name the branch that the migrations go to: aramid restack --base origin/main");
    }
    for (size_t i = 0; i < COUNT(usual) && !*ret; i++)
        if (has_ref(a, dir, usual[i]))
            *ret = usual[i];
    return true;
}

/* What lies in the folder there: paths as they are here. */
static bool
add_names(Arena *a, const char *dir, const char *ref, Map *ret, Err *err)
{
    const char *const argv[] = {"git", "-C", dir, "ls-tree", "-z", "--name-only", ref, NULL};
    ChildOptions o = {
        .argv = argv, .out = CHILD_PIPE, .messages = CHILD_KEEP, .timeout_ms = GIT_MS};
    Buf all;
    ChildResult done;
    CHILD_LOCAL c;
    buf_init(&all, a);
    if (!child_start(a, &o, &c, err))
        return false;
    for (size_t n = 1; n;) {
        char part[4096];
        if (!child_exchange(&c, NULL, part, sizeof part, &n, err))
            return false;
        buf_add(&all, (Str){part, n});
    }
    if (!child_finish(&c, &done, err))
        return false;
    if (done.status)
        return err_set(err, ERR_CONFIG, "git could not read \"%s\"", ref);
    for (Str rest = buf_str(&all); rest.n && rest.p;) {
        Str name = str_cut(&rest, 0);
        if (name.n)
            map_put(ret, str_of(fs_join(a, dir, str_dup(a, name))), ret);
    }
    return true;
}

/* ---- what arrived ------------------------------------------------------------------------------ */

/* "20261130210000_x/migration.sql" -> the folder: what is renamed as a whole. */
static const char *
entry_of(Arena *a, const History *part, const Migration *m)
{
    Str below = str_of(fs_below(part->dir, m->path));
    return str_dup(a, str_cut(&below, '/'));
}

static bool
is_applied(const RestackResult *r, const Migration *m)
{
    const Entry *e = history_find(&r->history, m->name);
    return e && e->state != ENTRY_PENDING;
}

/* The history of the configured database, where it can be asked. */
static void
look_at_database(Arena *a, const RestackInput *in, RestackResult *r)
{
    StatusResult s;
    Err ignored;
    if (!config_target(in->base.config) || !flow_status(a, &in->base, &s, &ignored) ||
        s.target.absent)
        return;
    r->history = s.history;
    r->database = s.target.shown;
}

static void
add_moves(Arena *a, RestackResult *r, const Map *there)
{
    size_t first = SIZE_MAX, last = 0;
    VEC(const Migration *) ours = {0};
    for (size_t i = 0; i < r->history.files.n; i++) {
        const Migration *m = &r->history.files.v[i];
        const History *part = history_part_of(&r->history, m->part);
        if (part->layout->is_beside)
            continue;
        if (map_has(there, str_of(fs_join(a, part->source, entry_of(a, part, m)))) ||
            is_applied(r, m)) {
            r->newest = m->name;
            last = i;
        } else {
            *vec_add(a, &ours) = m;
            first = first == SIZE_MAX ? i : first;
        }
    }
    if (first == SIZE_MAX || !r->newest || first > last)
        return;
    int64_t us = history_next_us(&r->history, clock_wall_us());
    vec_each (const Migration *, m, &ours) {
        const History *part = history_part_of(&r->history, (*m)->part);
        const char *stamp = history_stamp(a, us), *entry = entry_of(a, part, *m);
        bool is_stamped = history_stamp_us((*m)->name) != 0; /* else it is refused */
        us += 1000000;
        *vec_add(a, &r->moves) = (RestackMove){
            .of = *m,
            .from = (*m)->name,
            .to = is_stamped ? str_fmt(a, "%s%s", stamp, (*m)->name + strlen(stamp)) : "",
            .from_path = fs_join(a, part->source, entry),
            .to_path = is_stamped ? fs_join(a, part->source,
                                            str_fmt(a, "%s%s", stamp, entry + strlen(stamp)))
                                  : ""};
    }
}

static bool
can_be_renamed(const HistoryLayout *l)
{
    return l == &history_prisma || l == &history_supabase || l == &history_dbmate;
}

/* All of ours must have a time in front, or there is nothing to count on. */
static bool
check_names(const RestackResult *r, Err *err)
{
    vec_each (const RestackMove, m, &r->moves) {
        const HistoryLayout *l = history_part_of(&r->history, m->of->part)->layout;
        if (!can_be_renamed(l)) {
            err_set(err, ERR_USAGE, "migrations of %s cannot be given other places by renaming",
                    l->ledger.tool);
            err_detail(err, "\"%s\" comes before \"%s\", which arrived earlier", m->from,
                       r->newest);
            return err_hint(err, "make it again with its tool, then the same call for the others");
        }
        if (!history_stamp_us(m->from)) {
            err_set(err, ERR_USAGE, "\"%s\" does not begin with a time of 14 digits", m->from);
            return err_hint(err, "give it such a name first");
        }
    }
    return true;
}

/* ---- renaming ---------------------------------------------------------------------------------- */

/* "-- down of NAME" */
static bool
rename_in_down(Arena *a, const char *path, const RestackMove *m, Err *err)
{
    Str text;
    bool there;
    if (!fs_read_if_there(a, path, &there, &text, err))
        return false;
    const char *line = str_fmt(a, "-- down of %s\n", m->from);
    if (!there || !str_starts(text, str_of(line)))
        return true;
    return fs_replace(path, str_of(str_fmt(a, "-- down of %s\n%s", m->to, text.p + strlen(line))),
                      err);
}

/* "-- aramid:after NAME, NAME" of the file at `path`; both names are of one length. */
static bool
rename_in_after(Arena *a, const char *path, const RestackMove *m, Err *err)
{
    Str text;
    if (!fs_read(a, path, 0, &text, err))
        return false;
    char *copy = str_dup(a, text);
    for (Str rest = text; rest.n;) {
        Str line = str_cut(&rest, '\n');
        if (!str_starts(line, STR("-- aramid:after")))
            continue;
        for (Str names = str_slice(line, sizeof "-- aramid:after" - 1, line.n); names.p;) {
            Str name = str_trim(str_cut(&names, ','));
            if (str_is(name, m->from))
                memcpy(copy + (name.p - text.p), m->to, name.n);
        }
    }
    return fs_replace(path, (Str){copy, text.n}, err);
}

/* Those of ours that are to run behind it. Those from `renamed` on have their new places. */
static bool
rename_in_others(Arena *a, const RestackResult *r, size_t renamed, Err *err)
{
    const RestackMove *m = &r->moves.v[renamed];
    for (size_t i = 0; i < r->moves.n; i++) {
        const RestackMove *other = &r->moves.v[i];
        const char *at = i < renamed ? other->from_path : other->to_path;
        if (!other->of->after || !strstr(other->of->after, m->from))
            continue;
        const char *path = fs_kind(at) == FS_DIR ? fs_join(a, at, "migration.sql") : at;
        if (!rename_in_after(a, path, m, err))
            return false;
    }
    return true;
}

static bool
rename_all(Arena *a, const RestackResult *r, Err *err)
{
    for (size_t i = r->moves.n; i-- > 0;) {
        const RestackMove *m = &r->moves.v[i];
        if (renameat2(AT_FDCWD, m->from_path, AT_FDCWD, m->to_path, RENAME_NOREPLACE) != 0) {
            err_set(err, ERR_IO, "cannot rename \"%s\" to \"%s\": %s", m->from_path, m->to_path,
                    strerror(errno));
            return err_hint(err, "the others are in their order; the same call again goes on");
        }
        if (!rename_in_down(a, fs_join(a, m->to_path, "down.sql"), m, err) ||
            !rename_in_others(a, r, i, err))
            return false;
    }
    return true;
}

bool
flow_restack(Arena *a, const RestackInput *in, RestackResult *ret, Err *err)
{
    const char *home = in->base.config->migrations_dir;
    Map there;
    map_init(&there, a);
    *ret = (RestackResult){0};
    if (!flow_versions(a, in->base.config, &ret->history, err) ||
        !find_ref(a, in, home, &ret->ref, err))
        return false;
    for (size_t i = 0; ret->ref && i < history_versioned(&ret->history); i++)
        if (!add_names(a, history_part_of(&ret->history, i)->source, ret->ref, &there, err))
            return false;
    look_at_database(a, in, ret);
    if (!ret->ref && !ret->database) {
        err_set(err, ERR_CONFIG,
                "neither git nor a database tells which migrations arrived earlier");
        return err_hint(err, "name the branch that they go to: aramid restack --base origin/main");
    }
    add_moves(a, ret, &there);
    return check_names(ret, err) && (in->only_looks || rename_all(a, ret, err));
}
