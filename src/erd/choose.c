/* What of a diagram is shown. */
#include "erd/erd_int.h"

static bool
is_marked(const Erd *e, size_t box)
{
    if (e->boxes.v[box].mark != ERD_SAME)
        return true;
    vec_each (const ErdJoin, j, &e->joins)
        if (j->mark != ERD_SAME && (j->from == box || j->to == box))
            return true;
    return false;
}

/* Let `is_in` reach what is joined to what it has. */
static void
spread(const Erd *e, bool *is_in, bool *scratch)
{
    memcpy(scratch, is_in, e->boxes.n);
    vec_each (const ErdJoin, j, &e->joins)
        if (scratch[j->from] || scratch[j->to])
            is_in[j->from] = is_in[j->to] = true;
}

static const char *
shown(const Erd *e, const ErdBox *b)
{
    return str_fmt(e->arena, "%s%s%s", b->schema ? b->schema : "", b->schema ? "." : "", b->name);
}

/* TABLE or SCHEMA.TABLE; a table's name may hold a dot. Letters count only where nothing else decides. */
static bool
find_around(const Erd *e, const char *name, bool *is_in, Err *err)
{
    enum { NEAR = 3 };
    size_t found = 0, nearest = NEAR;
    const char *near = NULL;
    for (int pass = 0; pass < 2 && !found; pass++)
        for (size_t i = 0; i < e->boxes.n; i++) {
            const ErdBox *b = &e->boxes.v[i];
            Str full = str_of(shown(e, b)), wanted = str_of(name);
            bool is_it = pass ? str_ieq(str_of(b->name), wanted) || str_ieq(full, wanted)
                              : str_eq(str_of(b->name), wanted) || str_eq(full, wanted);
            size_t far = str_distance(str_of(b->name), wanted, NEAR);
            near = far < nearest ? b->name : near;
            nearest = far < nearest ? far : nearest;
            if (is_it)
                found++;
            if (is_it && found == 1)
                is_in[i] = true;
            else if (is_it)
                near = shown(e, b);
        }
    if (found == 1)
        return true;
    if (found) {
        err_set(err, ERR_USAGE, "there are %zu tables called %s", found,
                str_printable(e->arena, str_of(name), false));
        return err_hint(err, "name one with its schema: --around %s", str_shell(e->arena, near));
    }
    err_set(err, ERR_USAGE, "there is no table %s in the diagram",
            str_printable(e->arena, str_of(name), false));
    return near ? err_hint(err, "did you mean %s?", str_printable(e->arena, str_of(near), false))
                : err_hint(err, "aramid erd --show names lists all");
}

/* Take out boxes, and the joins that lead to them. */
static void
keep_boxes(Erd *e, const bool *is_in)
{
    size_t *now = arena_array(e->arena, size_t, e->boxes.n), n = 0;
    for (size_t i = 0; i < e->boxes.n; i++) {
        now[i] = n;
        if (is_in[i])
            e->boxes.v[n++] = e->boxes.v[i];
        else
            e->left_out += !e->boxes.v[i].kind;
    }
    e->boxes.n = n;
    n = 0;
    for (size_t i = 0; i < e->joins.n; i++) {
        ErdJoin j = e->joins.v[i];
        if (!is_in[j.from] || !is_in[j.to])
            continue;
        j.from = now[j.from];
        j.to = now[j.to];
        e->joins.v[n++] = j;
    }
    e->joins.n = n;
}

static void
mark_ends(const Erd *e, bool **ends)
{
    for (size_t i = 0; i < e->boxes.n; i++)
        ends[i] = arena_array(e->arena, bool, e->boxes.v[i].rows.n + 1);
    vec_each (const ErdJoin, j, &e->joins) {
        if (j->from_row >= 0)
            ends[j->from][j->from_row] = true;
        if (j->to_row >= 0)
            ends[j->to][j->to_row] = true;
    }
}

static void
keep_rows(Erd *e, const ErdChoice *choice)
{
    bool **ends = arena_array(e->arena, bool *, e->boxes.n);
    mark_ends(e, ends);
    for (size_t i = 0; i < e->boxes.n; i++) {
        ErdBox *b = &e->boxes.v[i];
        bool is_quiet = e->is_difference && b->mark == ERD_SAME && !choice->all;
        bool is_brief = e->is_difference && b->mark == ERD_CHANGED && !choice->all;
        size_t n = 0;
        for (size_t k = 0; k < b->rows.n; k++) {
            const ErdRow *r = &b->rows.v[k];
            bool is_key = r->is_key || r->is_foreign || ends[i][k];
            bool stays = choice->show == ERD_NAMES  ? false
                         : r->mark != ERD_SAME      ? true
                         : choice->show == ERD_KEYS ? is_key || (r->is_part && b->kind)
                         : is_quiet                 ? r->is_key || ends[i][k]
                         : is_brief                 ? is_key || r->is_part || b->kind
                                                    : true;
            if (stays)
                b->rows.v[n++] = *r;
            else
                b->left_out++;
        }
        b->rows.n = n;
    }
}

bool
erd_choose(Erd *e, const ErdChoice *choice, Err *err)
{
    size_t n = e->boxes.n;
    bool *is_in = arena_array(e->arena, bool, n + 1), *scratch = arena_array(e->arena, bool, n + 1);
    if (choice->around) {
        if (!find_around(e, choice->around, is_in, err))
            return false;
        for (int i = 0; i < choice->depth; i++)
            spread(e, is_in, scratch);
    } else if (e->is_difference && !choice->all) {
        for (size_t i = 0; i < n; i++)
            is_in[i] = is_marked(e, i);
        spread(e, is_in, scratch);
    } else {
        memset(is_in, true, n);
    }
    keep_boxes(e, is_in);
    keep_rows(e, choice);
    erd_find_rows(e);
    return true;
}
