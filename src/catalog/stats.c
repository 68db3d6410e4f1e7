/* Sizes of tables, as a file and looked up. */
#include "catalog/stats.h"

#include "base/jt.h"

#include <stdio.h>
#include <string.h>

static Str
key_of(Arena *a, const char *schema, const char *name)
{
    return str_of(str_fmt(a, "%s.%s", schema, name));
}

void
stats_index(Arena *a, Stats *s)
{
    map_init(&s->by_name, a);
    for (size_t i = 0; i < s->tables.n; i++)
        map_put(&s->by_name, key_of(a, s->tables.v[i].schema, s->tables.v[i].name),
                &s->tables.v[i]);
}

const StatTable *
stats_table(const Stats *s, const char *schema, const char *name)
{
    ARENA_LOCAL(scratch);
    return map_get(&s->by_name, key_of(scratch, schema, name));
}

bool
stats_has_applied(const Stats *s, const char *migration)
{
    vec_each (const char *const, name, &s->applied)
        if (strcmp(*name, migration) == 0)
            return true;
    return false;
}

const char *
stats_size_text(Arena *a, const StatTable *t)
{
    if (!t->bytes)
        return "no rows";
    const char *rows = t->rows < 1000000 ? str_count(a, t->rows, "row")
                       : t->rows < 1000000000
                           ? str_fmt(a, "%.3g million rows", (double)t->rows / 1e6)
                           : str_fmt(a, "%.3g billion rows", (double)t->rows / 1e9);
    return str_fmt(a, "about %s, %s", rows, str_bytes(a, t->total));
}

/* ---- the file ------------------------------------------------------------------------------------ */

/* In JSON, without a locale: six digits are more than an estimate has. */
static void
add_number(Buf *b, double value)
{
    buf_fmt(b, "%.6g", value);
}

static void
column_json(JsonWriter *w, const StatColumn *c)
{
    ARENA_LOCAL(scratch);
    JsonWriter name;
    jw_init(&name, scratch, false);
    jw_strz(&name, NULL, c->name);
    Buf b;
    buf_init(&b, scratch);
    buf_addc(&b, '[');
    buf_add(&b, buf_str(&name.out));
    buf_addz(&b, ", ");
    add_number(&b, c->nulls);
    buf_addz(&b, ", ");
    add_number(&b, c->distinct);
    buf_fmt(&b, ", %d]", c->width);
    jw_raw(w, NULL, buf_str(&b));
}

void
stats_write(JsonWriter *w, const Stats *s)
{
    jw_object(w, NULL);
    jw_strz(w, "format", "aramid statistics 1");
    jw_int(w, "server", s->server);
    jw_strz(w, "taken", s->taken);
    if (s->has_applied) {
        jw_array(w, "applied");
        vec_each (const char *const, name, &s->applied)
            jw_strz(w, NULL, *name);
        jw_end(w);
    } else {
        jw_null(w, "applied");
    }
    jw_array(w, "tables");
    vec_each (const StatTable, t, &s->tables) {
        jw_object(w, NULL);
        jw_strz(w, "schema", t->schema);
        jw_strz(w, "name", t->name);
        jw_int(w, "rows", t->rows);
        jw_int(w, "bytes", t->bytes);
        jw_int(w, "total", t->total);
        jw_array(w, "columns"); /* name, NULLs, distinct, width */
        vec_each (const StatColumn, c, &t->columns)
            column_json(w, c);
        jw_end(w);
        jw_end(w);
    }
    jw_end(w);
    jw_end(w);
}

static double
number_of(const JsonTree *t)
{
    return t && t->kind == JT_NUMBER ? t->number : 0;
}

/* Of what is counted: never below zero, and never more than fits. */
static int64_t
count_of(const JsonTree *t)
{
    double n = number_of(t);
    return n <= 0 ? 0 : n < 9e18 ? (int64_t)n : INT64_MAX;
}

static bool
take_table(Arena *a, const JsonTree *in, Stats *ret)
{
    StatTable t = {.schema = jt_text(in, "schema"),
                   .name = jt_text(in, "name"),
                   .rows = count_of(jt_get(in, "rows")),
                   .bytes = count_of(jt_get(in, "bytes")),
                   .total = count_of(jt_get(in, "total"))};
    const JsonTree *columns = jt_get(in, "columns");
    if (!t.schema || !t.name)
        return false;
    for (size_t i = 0; columns && columns->kind == JT_ARRAY && i < columns->n; i++) {
        const JsonTree *c = &columns->items[i];
        if (c->kind != JT_ARRAY || c->n != 4 || c->items[0].kind != JT_STRING)
            return false;
        *vec_add(a, &t.columns) = (StatColumn){.name = c->items[0].text.p,
                                               .nulls = number_of(&c->items[1]),
                                               .distinct = number_of(&c->items[2]),
                                               .width = (int)(count_of(&c->items[3]) & 0x7fffffff)};
    }
    *vec_add(a, &ret->tables) = t;
    return true;
}

static bool
not_ours(const char *path, int line, const char *why, Err *err)
{
    err_set(err, ERR_CONFIG, "%s is no file of statistics: %s", path, why);
    err_at(err, path, line, 0);
    return err_hint(err, "to write a new one: aramid stats save");
}

bool
stats_read(Arena *a, const char *path, Str text, Stats *ret, Err *err)
{
    JsonTree root;
    JtError wrong;
    *ret = (Stats){0};
    if (!jt_parse(a, text, &root, &wrong))
        return not_ours(path, wrong.line, wrong.why, err);
    const char *format = jt_text(&root, "format");
    const JsonTree *applied = jt_get(&root, "applied"), *tables = jt_get(&root, "tables");
    if (!format || strncmp(format, "aramid statistics", 17) != 0 || !tables ||
        tables->kind != JT_ARRAY)
        return not_ours(path, 1, "\"format\" or \"tables\" is missing", err);
    if (strcmp(format, "aramid statistics 1") != 0)
        return not_ours(path, 1, "another version of Aramid wrote it", err);
    ret->server = (int)(count_of(jt_get(&root, "server")) & 0x7fffffff);
    ret->taken = jt_text(&root, "taken");
    ret->has_applied = applied && applied->kind == JT_ARRAY;
    for (size_t i = 0; ret->has_applied && i < applied->n; i++)
        if (applied->items[i].kind == JT_STRING)
            *vec_add(a, &ret->applied) = applied->items[i].text.p;
    for (size_t i = 0; i < tables->n; i++)
        if (!take_table(a, &tables->items[i], ret))
            return not_ours(path, 1, str_fmt(a, "table number %zu cannot be read", i + 1), err);
    stats_index(a, ret);
    return true;
}
