/* The way through the graph of Prisma 8's packages: from what the marker names to the project's contract,
 * the shortest one, as rc.13 chooses it (migration/src/migration-graph.ts). */
#include "history/prisma8_int.h"

#include "base/fs.h"
#include "base/map.h"

typedef VEC(P8Package *) Way;

static const char *
node(const char *contract)
{
    return contract ? contract : "";
}

static bool
is_known(const P8Space *s, const char *at)
{
    vec_each (P8Package *, p, &s->packages)
        if (strcmp(node((*p)->from), at) == 0 || strcmp((*p)->to, at) == 0)
            return true;
    return !*at;
}

/* Breadth first; false = there is none. Both are nodes: "" = the empty database. */
static bool
find_way(Arena *a, const P8Space *s, const char *from, const char *to, Way *ret)
{
    ret->n = 0;
    if (strcmp(from, to) == 0)
        return true;
    ARENA_LOCAL(scratch);
    Map came_by; /* node: the package that leads to it */
    VEC(const char *) queue = {0};
    map_init(&came_by, scratch);
    *vec_add(scratch, &queue) = from;
    for (size_t i = 0; i < queue.n && !map_has(&came_by, str_of(to)); i++)
        vec_each (P8Package *, p, &s->packages) {
            if (strcmp(node((*p)->from), queue.v[i]) != 0 || strcmp((*p)->to, from) == 0 ||
                map_has(&came_by, str_of((*p)->to)))
                continue;
            map_put(&came_by, str_of((*p)->to), *p);
            *vec_add(scratch, &queue) = (*p)->to;
        }
    for (const char *at = to; strcmp(at, from) != 0;) {
        P8Package *p = map_get(&came_by, str_of(at));
        if (!p)
            return false;
        *vec_add(a, ret) = p;
        at = node(p->from);
    }
    for (size_t i = 0; i < ret->n / 2; i++) {
        P8Package *p = ret->v[i];
        ret->v[i] = ret->v[ret->n - 1 - i];
        ret->v[ret->n - 1 - i] = p;
    }
    return true;
}

/* ---- what was applied ----------------------------------------------------------------------- */

static P8Package *
package_named(const P8Space *s, const char *dir)
{
    vec_each (P8Package *, p, &s->packages)
        if (strcmp((*p)->dir, dir) == 0)
            return *p;
    return NULL;
}

static bool
is_of(const P8Row *r, const P8Space *s)
{
    return strcmp(r->space, s->name) == 0;
}

/* The rows that lead to the marker, from its last one back. */
typedef VEC(const P8Row *) Rows;

static bool
find_rows(Arena *a, const P8State *state, const P8Space *s, const char *at, Rows *ret)
{
    ret->n = 0;
    for (size_t i = state->rows.n; i-- > 0 && *at;) {
        const P8Row *r = &state->rows.v[i];
        if (!is_of(r, s) || strcmp(r->to, at) != 0)
            continue;
        if (!r->name[0] || !package_named(s, r->name))
            return false;
        *vec_add(a, ret) = r;
        at = r->from;
    }
    for (size_t i = 0; i < ret->n / 2; i++) {
        const P8Row *r = ret->v[i];
        ret->v[i] = ret->v[ret->n - 1 - i];
        ret->v[ret->n - 1 - i] = r;
    }
    return !*at;
}

static void
add_row(Arena *a, History *h, const P8Row *r, const char *name)
{
    bool known = r && r->when_us;
    *vec_add(a, &h->rows) = (LedgerRow){.id = r ? r->id : name,
                                        .checksum = r ? r->hash : "",
                                        .name = name,
                                        .logs = "",
                                        .started_us = known ? r->when_us : HISTORY_SOMETIME,
                                        .finished_us = known ? r->when_us : HISTORY_SOMETIME,
                                        .steps = 1};
}

/* Where only the marker tells (prisma db sign, db init, db update), the shortest way to it. */
static void
take_applied(Arena *a, const P8State *state, const P8Space *s, const char *at, History *h)
{
    Rows rows = {0};
    Way way = {0};
    if (find_rows(a, state, s, at, &rows)) {
        vec_each (const P8Row *, r, &rows) {
            const P8Package *p = package_named(s, (*r)->name);
            *vec_add(a, &h->files) = p->migration;
            add_row(a, h, *r, p->migration.name);
        }
    } else if (find_way(a, s, "", at, &way)) {
        vec_each (P8Package *, p, &way) {
            const P8Row *row = NULL;
            vec_each (const P8Row, r, &state->rows)
                if (is_of(r, s) && strcmp(r->name, (*p)->dir) == 0)
                    row = r;
            *vec_add(a, &h->files) = (*p)->migration;
            add_row(a, h, row, (*p)->migration.name);
        }
    }
}

/* What is to run again, in a circle of contracts, is pending. */
static void
take_back(History *h, const char *name)
{
    size_t files = 0, rows = 0;
    for (size_t i = 0; i < h->files.n; i++)
        if (strcmp(h->files.v[i].name, name) != 0)
            h->files.v[files++] = h->files.v[i];
    for (size_t i = 0; i < h->rows.n; i++)
        if (strcmp(h->rows.v[i].name, name) != 0)
            h->rows.v[rows++] = h->rows.v[i];
    h->files.n = files;
    h->rows.n = rows;
}

/* Rows whose package the folder does not have. */
static void
take_gone(Arena *a, const P8State *state, const P8 *all, History *h)
{
    vec_each (const P8Row, r, &state->rows) {
        const P8Space *of = NULL;
        vec_each (const P8Space, s, &all->spaces)
            of = is_of(r, s) ? s : of;
        if (!r->name[0] || (of && package_named(of, r->name)))
            continue;
        add_row(a, h, r,
                of && strcmp(of->name, "app") == 0 ? r->name
                                                   : str_fmt(a, "%s/%s", r->space, r->name));
    }
}

/* ---- what is pending ------------------------------------------------------------------------ */

static bool
off_the_graph(const P8Space *s, const char *at, Err *err)
{
    err_set(err, ERR_DIVERGED,
            "the database is at contract %.12s (space %s), of which no package "
            "here knows",
            at, s->name);
    err_at(err, s->target_path, 0, 0);
    err_detail(err, "prisma_contract.marker says so; another branch, another project or prisma db "
                    "update brought it there");
    err_hint(err, "get the packages that led there (git pull)");
    return err_hint(err,
                    "or plan one from it, with Prisma: npx prisma migration plan --from %.12s "
                    "--name NAME",
                    at);
}

static bool
no_way(Arena *a, const P8Space *s, const char *at, Err *err)
{
    Way back = {0};
    const char *target = s->target;
    bool is_made = is_known(s, target);
    if (find_way(a, s, target, at, &back)) {
        err_set(err, ERR_DIVERGED, "the database is %zu package%s ahead of contract %.12s", back.n,
                str_plural((int64_t)back.n), target);
        err_at(err, s->target_path, 0, 0);
        err_detail(err, "it is at contract %.12s, behind package \"%s\"", at,
                   back.v[back.n - 1]->migration.name);
        err_hint(err, "get the newer contract (git pull; npx prisma contract emit)");
        return err_hint(err,
                        "or, to go back, plan a package that does: npx prisma migration plan "
                        "--from %.12s --name NAME",
                        at);
    }
    if (is_made)
        err_set(err, ERR_DIVERGED,
                "no packages lead from contract %.12s, where the database is, to "
                "%.12s",
                *at ? at : "none", target);
    else
        err_set(err, ERR_DIVERGED, "contract %.12s is of changes for which there is no package yet",
                target);
    err_at(err, s->target_path, 0, 0);
    return err_hint(err, "plan it with Prisma: npx prisma migration plan%s%.12s --name NAME",
                    is_made && *at ? " --from " : "", is_made ? at : "");
}

static bool
meets_demands(const P8Space *s, const P8Marker *marker, const Way *way, Err *err)
{
    vec_each (const char *const, demand, &s->demands) {
        bool met = false;
        for (size_t i = 0; marker && i < marker->invariants.n; i++)
            met = met || strcmp(marker->invariants.v[i], *demand) == 0;
        for (size_t i = 0; i < way->n; i++)
            for (size_t k = 0; k < way->v[i]->invariants.n; k++)
                met = met || strcmp(way->v[i]->invariants.v[k], *demand) == 0;
        if (met)
            continue;
        err_set(
            err, ERR_DIVERGED,
            "space %s wants the invariant \"%s\", which the packages on the shortest way do not "
            "bring",
            s->name, *demand);
        err_at(err, s->target_path, 0, 0);
        return err_hint(err, "let Prisma find another way: npx prisma db migrate");
    }
    return true;
}

static const P8Marker *
marker_of(const P8State *state, const P8Space *s)
{
    vec_each (const P8Marker, m, &state->markers)
        if (strcmp(m->space, s->name) == 0)
            return m;
    return NULL;
}

bool
p8_route(Arena *a, const P8State *state, History *h, Err *err)
{
    static const P8State nothing = {0};
    const P8 *all = h->own;
    state = state ? state : &nothing;
    /* Others keep what they found in the old lists. */
    h->files = (MigrationVec){0};
    h->rows = (LedgerRowVec){0};
    vec_each (const P8Space, s, &all->spaces) {
        const P8Marker *m = marker_of(state, s);
        const char *at = m ? m->contract : "";
        if (!is_known(s, at) && strcmp(at, s->target) != 0)
            return off_the_graph(s, at, err);
        take_applied(a, state, s, at, h);
    }
    vec_each (const P8Space, s, &all->spaces) {
        const P8Marker *m = marker_of(state, s);
        const char *at = m ? m->contract : "";
        Way way = {0};
        if (!find_way(a, s, at, s->target, &way))
            return no_way(a, s, at, err);
        if (!meets_demands(s, m, &way, err))
            return false;
        vec_each (P8Package *, p, &way) {
            if (!p8_take_contract(a, *p, p == way.v + way.n - 1 && strcmp(s->name, "app") == 0,
                                  err))
                return false;
            take_back(h, (*p)->migration.name);
            *vec_add(a, &h->files) = (*p)->migration;
        }
    }
    take_gone(a, state, all, h);
    return true;
}
