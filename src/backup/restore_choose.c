/* Which tables' rows are restored: those that are named, and what their foreign keys need. */
#include "backup/restore_int.h"

typedef struct Choose {
    Arena *arena; /* scratch */
    const RestoreSurvey *survey;
    Map tables;        /* names of the survey's tables, as sql_dump_name has them -> themselves */
    Map chosen, added; /* of all tables, also those whose rows stand under others' names */
    VEC(const char *) queue;
} Choose;

static void
choose(Choose *c, const char *name, bool is_added)
{
    if (map_has(&c->chosen, str_of(name)))
        return;
    map_put(&c->chosen, str_of(name), c);
    if (is_added)
        map_put(&c->added, str_of(name), c);
    *vec_add(c->arena, &c->queue) = name;
}

/* Partitions have the foreign keys of their table. */
static void
choose_referred(Choose *c, const char *name)
{
    vec_each (const RestoreLink, link, &c->survey->links) {
        if (strcmp(link->from, name) != 0)
            continue;
        if (link->is_partition)
            choose_referred(c, link->to);
        else
            choose(c, link->to, true);
    }
}

static void
close_over(Choose *c)
{
    for (size_t i = 0; i < c->queue.n; i++) {
        const char *name = c->queue.v[i];
        choose_referred(c, name);
        vec_each (const RestoreLink, link, &c->survey->links)
            if (link->is_partition && strcmp(link->to, name) == 0)
                choose(c, link->from, map_has(&c->added, str_of(name)));
    }
}

static bool
is_named(const char *table, const char *wanted)
{
    size_t n = strlen(table), k = strlen(wanted);
    return strcmp(table, wanted) == 0 ||
           (n > k && table[n - k - 1] == '.' && strcmp(table + n - k, wanted) == 0);
}

static void
add_match(Choose *c, RestoreTexts *found, const char *table, const char *wanted)
{
    if (!is_named(table, wanted))
        return;
    vec_each (const char *, name, found)
        if (strcmp(*name, table) == 0)
            return;
    *vec_add(c->arena, found) = table;
}

static RestoreTexts
matches(Choose *c, const char *wanted)
{
    RestoreTexts found = {0};
    vec_each (const BackupTable, t, &c->survey->tables)
        add_match(c, &found, sql_dump_name(c->arena, str_of(t->name)), wanted);
    vec_each (const RestoreLink, link, &c->survey->links) {
        add_match(c, &found, link->from, wanted);
        add_match(c, &found, link->to, wanted);
    }
    return found;
}

/* Whether its rows stand under its own name or under that of a partition; or under which other. */
static bool
has_rows(const Choose *c, const char *name, const char **ret_other)
{
    if (map_has(&c->tables, str_of(name)))
        return true;
    vec_each (const RestoreLink, link, &c->survey->links) {
        if (link->is_partition && strcmp(link->to, name) == 0)
            return true;
        if (link->is_partition && strcmp(link->from, name) == 0)
            *ret_other = link->to;
    }
    return false;
}

static bool
choose_word(Choose *c, Str word, Err *err)
{
    Arena *a = c->arena;
    const char *wanted = sql_dump_name(a, word), *other = NULL;
    RestoreTexts found = matches(c, wanted);
    if (!found.n && !memchr(word.p, '"', word.n)) { /* as it is written, without quotes */
        Buf b;
        buf_init(&b, a);
        sql_add_ident(&b, str_dup(a, word));
        found = matches(c, buf_finish(&b).p);
    }
    const char *shown = str_printable(a, word, false);
    if (found.n == 1 && has_rows(c, found.v[0], &other)) {
        choose(c, found.v[0], false);
        return true;
    }
    if (found.n == 1 && other) {
        err_set(err, ERR_RESTORE, "the rows of table %s stand in the backup as those of %s", shown,
                str_printable(a, str_of(other), false));
        return err_hint(err, "name that table; all of its partitions come with it");
    }
    if (found.n < 2) {
        err_set(err, ERR_RESTORE, "the backup has no table %s", shown);
        return err_hint(err, "--only-tables takes names as in SQL: orders, \"User\", app.orders");
    }
    err_set(err, ERR_RESTORE, "the backup has several tables %s", shown);
    vec_each (const char *, name, &found)
        err_detail(err, "%s", str_printable(a, str_of(*name), false));
    return err_hint(err, "name its schema, too");
}

bool
restore_choose(Arena *a, const RestoreSurvey *s, const char *names, RestoreChoice *ret, Err *err)
{
    ARENA_LOCAL(scratch);
    *ret = (RestoreChoice){0};
    Choose c = {.arena = scratch, .survey = s};
    map_init(&c.tables, scratch);
    map_init(&c.chosen, scratch);
    map_init(&c.added, scratch);
    vec_each (BackupTable, t, &s->tables)
        map_put(&c.tables, str_of(sql_dump_name(scratch, str_of(t->name))), t);
    RestoreTexts words = restore_names(scratch, str_of(names));
    vec_each (const char *, word, &words)
        if (**word && !choose_word(&c, str_of(*word), err))
            return false;
    close_over(&c);
    vec_each (const BackupTable, t, &s->tables) {
        Str name = str_of(sql_dump_name(scratch, str_of(t->name)));
        if (map_has(&c.chosen, name))
            *vec_add(a, &ret->tables) = t->name;
        if (map_has(&c.added, name))
            *vec_add(a, &ret->added) = t->name;
    }
    return ret->tables.n || err_set(err, ERR_RESTORE, "--only-tables names no table");
}
