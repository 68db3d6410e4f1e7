/* The way back that a project has for a migration: a file beside it, or a block of its own file. */
#include "base/fs.h"
#include "history/layout_int.h"
#include "sqltext/sqltext.h"

/* A place where it may be. */
typedef struct WayPlace {
    const char *path, *source; /* as people see it, and the real one */
} WayPlace;
typedef VEC(WayPlace) WayPlaces;

static void
add_place(Arena *a, WayPlaces *list, const char *path, const char *source)
{
    vec_each (const WayPlace, p, list)
        if (strcmp(p->source, source) == 0)
            return;
    *vec_add(a, list) = (WayPlace){path, source};
}

static void
add_in(Arena *a, WayPlaces *list, const Migration *m, const char *file, bool above)
{
    const char *path = fs_dirname(a, m->path), *source = fs_dirname(a, m->source);
    if (above) {
        path = fs_dirname(a, path);
        source = fs_dirname(a, source);
    }
    add_place(a, list, fs_join(a, path, file), fs_join(a, source, file));
}

static WayPlaces
places_of(Arena *a, const History *h, const Migration *m)
{
    WayPlaces list = {0};
    const char *named = str_fmt(a, "rollback_%s.sql", fs_basename(m->name));
    bool is_folder = strcmp(fs_basename(m->source), "migration.sql") == 0;
    if (is_folder)
        add_in(a, &list, m, "down.sql", false);
    add_in(a, &list, m, named, false);
    if (is_folder)
        add_in(a, &list, m, named, true);
    vec_each (const Migration, d, &h->downs)
        if (m->key && strcmp(d->key, m->key) == 0)
            add_place(a, &list, d->path, d->source);
    return list;
}

HistoryPaths
history_down_files(Arena *a, const History *h, const Migration *m)
{
    HistoryPaths found = {0};
    const WayPlaces list = places_of(a, history_part_of(h, m->part), m);
    vec_each (const WayPlace, p, &list)
        if (fs_kind(p->source) == FS_FILE)
            *vec_add(a, &found) = p->source;
    return found;
}

/* "-- down of NAME", as `aramid create` writes it: a file that was copied from another migration would
 * undo that one. */
static bool
check_first_line(const Migration *m, const HistoryDown *d, Err *err)
{
    ARENA_LOCAL(a);
    Str rest = d->text, line = str_trim(str_cut(&rest, '\n')), mark = STR("-- down of ");
    if (!str_starts(line, mark))
        return true;
    Str name = str_trim(str_slice(line, mark.n, line.n));
    if (str_is(name, m->name))
        return true;
    err_set(err, ERR_MIGRATION_FILE, "the way back of \"%s\" says that it is that of \"%s\"",
            m->name, str_printable(a, name, false));
    err_at(err, d->path, d->line, 1);
    return err_hint(err, "was it copied? Write what undoes \"%s\", and its name in the first line",
                    m->name);
}

/* Statements, or the word that there is no way back. */
static bool
says_something(Arena *a, const HistoryDown *d)
{
    SqlScript script;
    SqlDirectiveVec directives;
    Err told_later; /* by who plans it */
    return !sql_split(a, d->path, d->text, &script, &told_later) || script.stmts.n ||
           !sql_directives(a, d->path, &script, &directives, &told_later) || directives.n;
}

static bool
take(Arena *a, const Migration *m, HistoryDown d, HistoryDown *ret, Err *err)
{
    if (!says_something(a, &d))
        return true;
    if (!check_first_line(m, &d, err))
        return false;
    if (ret->path) {
        err_set(err, ERR_MIGRATION_FILE, "\"%s\" has two ways back", m->name);
        err_detail(err, "\"%s\" and \"%s\"", ret->path, d.path);
        err_at(err, d.path, 0, 0);
        return err_hint(err, "delete the one that is not to be used");
    }
    *ret = d;
    return true;
}

bool
history_down(Arena *a, const History *h, const Migration *m, HistoryDown *ret, Err *err)
{
    *ret = (HistoryDown){0};
    if (!m->has_file)
        return true;
    h = history_part_of(h, m->part);
    WayPlaces list = places_of(a, h, m);
    vec_each (const WayPlace, p, &list) {
        HistoryDown d = {.path = p->path, .line = 1};
        bool is_there = false;
        if (!fs_read_if_there(a, p->source, &is_there, &d.text, err))
            return err_at(err, p->path, 0, 0);
        if (is_there && !take(a, m, d, ret, err))
            return false;
    }
    if (!h->layout->cut_up)
        return true;
    HistoryDown d = {.path = m->path};
    Str text;
    return fs_read(a, m->source, 0, &text, err) &&
           h->layout->cut_up(m, text, &d.text, &d.line, err) && take(a, m, d, ret, err);
}
