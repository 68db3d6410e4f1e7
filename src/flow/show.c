#include "flow/show.h"

#include "flow/rollback.h"

/* "20260101000000_add_bio" for "add_bio". */
static bool
is_meant(const Migration *m, Str name)
{
    Str full = str_of(m->name);
    if (!str_ends(full, name) || full.n <= name.n)
        return false;
    Str stamp = str_slice(full, 0, full.n - name.n);
    for (size_t i = 0; i < stamp.n; i++)
        if (!strchr("0123456789_-", stamp.p[i]))
            return false;
    return true;
}

static bool
find(const History *h, const char *name, const Migration **ret, Err *err)
{
    *ret = NULL;
    vec_each (const Migration, m, &h->files)
        if (strcmp(m->name, name) == 0) {
            *ret = m;
            return true;
        }
    size_t n = 0;
    vec_each (const Migration, m, &h->files)
        if (is_meant(m, str_of(name)) && n++ == 0)
            *ret = m;
    if (n == 1)
        return true;
    if (!n)
        return flow_no_such_migration(name, h, err);
    err_set(err, ERR_NO_SUCH_MIGRATION, "%zu migrations have that name", n);
    vec_each (const Migration, m, &h->files)
        if (is_meant(m, str_of(name)))
            err_detail(err, "%s", m->name);
    return err_hint(err, "name it with its timestamp");
}

/* The project's own, or else what leads from the catalog behind it to the one before it. */
static bool
find_way(Arena *a, const ShowInput *in, const History *h, ShowResult *r, Err *err)
{
    ReplayScripts before = {0};
    Ways ways;
    Err why;
    r->way = (Way){.migration = r->migration};
    if (!flow_way_own(a, h, &r->way, err))
        return false;
    if (r->way.path || r->way.irreversible || in->no_down)
        return true;
    bool ok = true;
    vec_each (const Migration, m, &h->files) {
        if (m == r->migration)
            break;
        ok = ok && flow_add_script(a, m, &before, &why);
    }
    const WaysInput input = {.base = &in->base,
                             .history = h,
                             .before = before.v,
                             .nbefore = before.n,
                             .list = &r->migration,
                             .n = 1};
    if (ok && flow_ways(a, &input, &ways, &why)) {
        if (ways.list.v[0].script.p)
            r->way = ways.list.v[0];
        else
            r->no_way = str_dupz(a, ways.why.primary);
        return true;
    }
    if (why.code == ERR_INTERRUPTED) {
        *err = why;
        return false;
    }
    r->no_way = str_dupz(a, why.primary);
    return true;
}

static void
ask_database(Arena *a, const ShowInput *in, ShowResult *r)
{
    Err why;
    StatusResult s;
    if (!flow_status(a, &in->base, &s, &why)) {
        r->unasked = str_dupz(a, why.primary);
        return;
    }
    r->target = s.target;
    const Entry *e = history_find(&s.history, r->migration->name);
    if (s.target.absent || !e)
        return;
    r->is_asked = true;
    r->state = e->state;
    r->edited = e->edited;
    r->applied_us = e->row && e->state == ENTRY_APPLIED ? e->row->finished_us : 0;
}

bool
flow_show(Arena *a, const ShowInput *in, ShowResult *ret, Err *err)
{
    History h;
    *ret = (ShowResult){.config = in->base.config};
    if (!flow_history(a, in->base.config, &h, err) || !find(&h, in->name, &ret->migration, err))
        return false;
    if (!ret->migration->has_file)
        return migration_gone(ret->migration, err);
    const LintInput lint = {.base = in->base, .names = &ret->migration->name, .nnames = 1};
    if (!migration_text(a, ret->migration, &ret->up, err) ||
        !flow_lint(a, &lint, &ret->lint, err) || !find_way(a, in, &h, ret, err))
        return false;
    ask_database(a, in, ret);
    return true;
}
