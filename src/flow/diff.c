/* aramid diff: two sides, their changes, what the rows answer. */
#include "flow/diff.h"

#include "flow/drift.h"

/* A question to the rows may take so long; then the effect stays as general as it was. */
enum { QUESTION_MS = 5000 };

/* The same renames from behind. */
static Diff *
way_back(Arena *a, const Diff *d, const DiffSide sides[2])
{
    const CatRenames wished = {.v = (CatRename *)(uintptr_t)d->options.renames,
                               .n = d->options.nrenames};
    const CatRenames renames = catalog_renames_back(a, &wished);
    DiffOptions options = d->options;
    options.renames = renames.v;
    options.nrenames = renames.n;
    return diff_catalogs(a, &sides[1], &sides[0], &options);
}

static Catalog *
new_database(Arena *a)
{
    Catalog *c = catalog_new(a);
    catalog_add(c, CAT_SCHEMA, NULL, "public");
    catalog_finish(c);
    return c;
}

static bool
compare(Arena *a, const DiffInput *in, DiffResult *ret, Err *err)
{
    const Side *from = &ret->sides[0], *to = &ret->sides[1];
    if (in->new_database && from->endpoint.kind == ENDPOINT_EMPTY)
        ret->sides[0].catalog = new_database(a);
    EndpointKind x = from->endpoint.kind, y = to->endpoint.kind;
    bool is_written = x == ENDPOINT_SCHEMA || y == ENDPOINT_SCHEMA;
    bool has_grants = x == ENDPOINT_DATABASE && y == ENDPOINT_DATABASE;
    for (int i = 0; i < 2 && !in->prisma_compat; i++) {
        const Side *made = &ret->sides[i], *live = &ret->sides[1 - i];
        if (made->endpoint.kind != ENDPOINT_MIGRATIONS ||
            live->endpoint.kind != ENDPOINT_DATABASE || !made->replay.catalog || !live->session.db)
            continue;
        has_grants = true;
        if (!flow_align_grants(a, live->session.db, live->catalog, &made->replay, err))
            return false;
    }
    CatRules *rules = arena_new(a, CatRules); /* the diff keeps them */
    *rules =
        (CatRules){.ignore_owners = true, .ignore_versions = true, .ignore_grants = !has_grants};
    CatRenames renames = {0};
    const CatFormers *former = &to->schema.former;
    CatRefs unsure = {0};
    const DiffWishes wishes = {
        .texts = in->renames,
        .ntexts = in->nrenames,
        .former = former->v,
        .nformer = former->n,
        .unread = &to->schema.unread_renames,
        .prisma_compat = in->prisma_compat,
        .from_joins = x == ENDPOINT_SCHEMA ? &from->schema.joins : NULL,
        .to_joins = y == ENDPOINT_SCHEMA ? &to->schema.joins : NULL,
        .unsure = &unsure,
    };
    if (!diff_wishes(a, &wishes, from->catalog, to->catalog, &renames, err))
        return false;
    vec_each (const CatRef, t, &unsure)
        finding_add(
            &ret->findings, FINDING_DIFF_JOIN_SIDES,
            "The columns A and B of `%s` may mean the opposite of what the schema says: it has "
            "no foreign keys, and its name or the old names of its models would have them the "
            "other way round. If so: --rename %s.A:B --rename %s.B:A",
            t->name, t->name, t->name)
            ->object = cat_ref_text(a, t);
    DiffOptions options = {
        .prisma_compat = in->prisma_compat,
        .prisma = in->sides.prisma,
        .from_is_written = x != ENDPOINT_DATABASE && !from->major,
        .partial_indexes = from->has_partial_indexes || to->has_partial_indexes,
        .prisma_kinds = is_written,
        .rules = rules,
        .runner = from->session.db ? db_info(from->session.db)->user : NULL,
        .renames = renames.v,
        .nrenames = renames.n,
    };
    for (int i = 0; i < 2; i++)
        if (ret->sides[i].target.url.schema)
            ret->schema = ret->sides[i].target.url.schema;
    DiffSide sides[2];
    for (int i = 0; i < 2; i++) {
        const Side *side = &ret->sides[i];
        const Bridge *b = &side->schema;
        sides[i] =
            (DiffSide){side->catalog, &b->any_default, &b->client_default, &b->unused_schemas};
    }
    ret->diff = diff_catalogs(a, &sides[0], &sides[1], &options);
    if (in->with_way_back)
        ret->back = way_back(a, ret->diff, sides);
    return !from->session.db || in->prisma_compat ||
           introspect_answers(from->session.db, ret->diff, QUESTION_MS, err);
}

static void
find(Arena *a, DiffResult *r)
{
    FindingList *l = &r->findings;
    render_findings(a, r->diff, l);
    vec_each (const CatRef, o, &r->sides[1].schema.unread_renames)
        finding_add(l, FINDING_DIFF_RENAME_UNREAD,
                    "its @renamed is not understood; it is written /// @renamed(from: \"old\")")
            ->object = cat_ref_text(a, o);
    vec_each (const CatOther, o, &r->others)
        finding_add(l, FINDING_DIFF_NOT_COMPARED, "not compared")->object = str_fmt(
            a, "%s %s%s%s", o->what, o->schema ? o->schema : "", o->schema ? "." : "", o->name);
    for (int i = 0; i < 2; i++)
        vec_each (const CatRef, o, &r->sides[i].of_others)
            if (o->kind == CAT_TABLE || o->kind == CAT_COLUMN || o->kind == CAT_INDEX ||
                o->kind == CAT_CONSTRAINT || o->kind == CAT_ENUM)
                finding_add(l, FINDING_DIFF_OTHER_HISTORY,
                            "another history makes it, and the schema does not name it: it stays")
                    ->object = cat_ref_text(a, o);
    for (int i = 0; i < 2; i++)
        if (r->sides[i].replay.catalog)
            flow_find_replay(a, &r->sides[i].replay, l);
    int majors[2] = {r->sides[0].major, r->sides[1].major};
    if (majors[0] && majors[1] && majors[0] != majors[1])
        finding_add(l, FINDING_DIFF_MAJORS,
                    "compared across PostgreSQL %d and %d: expressions that they print differently "
                    "show up as differences",
                    majors[0], majors[1]);
}

/* keep_written: schemas stay as they are written, as Prisma has it. */
static bool
read_and_compare(Arena *a, const DiffInput *in, bool keep_written, DiffResult *ret, Err *err)
{
    *ret = (DiffResult){.schema = "public"};
    findings_init(&ret->diags, a, &in->sides.base.config->finding_rules);
    findings_init(&ret->findings, a, &in->sides.base.config->finding_rules);
    SidesInput sides_in = in->sides;
    sides_in.keep_written = keep_written;
    bool ok = flow_sides(a, &sides_in, &ret->diags, ret->sides, err);
    findings_sort(&ret->diags);
    if (!ok)
        return false;
    ok = compare(a, in, ret, err);
    flow_sides_close(ret->sides);
    return ok;
}

bool
flow_diff(Arena *a, const DiffInput *in, DiffResult *ret, Err *err)
{
    bool is_written = in->written_first && in->sides.to.kind == ENDPOINT_SCHEMA;
    if (!read_and_compare(a, in, in->prisma_compat || is_written, ret, err))
        return false;
    if (is_written && !(diff_is_certain(ret->diff) && (!ret->back || diff_is_certain(ret->back))) &&
        !read_and_compare(a, in, in->prisma_compat, ret, err))
        return false;
    if (in->written_first && ret->sides[1].replay.catalog && ret->sides[1].schema.catalog)
        bridge_reword(ret->sides[1].catalog, ret->sides[1].schema.catalog);
    if (ret->back)
        ret->back_script = render_script(a, ret->back, &(RenderOptions){.schema = ret->schema});
    ret->script = render_script(a, ret->diff, &(RenderOptions){.schema = ret->schema});
    ret->summary = render_summary(a, ret->diff);
    if (!ret->diff->options.prisma_kinds)
        for (int i = 0; i < 2; i++)
            flow_add_others(a, &ret->others, ret->sides[i].catalog);
    find(a, ret);
    return true;
}

/* What is not compared and used all the same; the statements that let go of it. */
static bool
used_outside(Arena *a, const CatDependents *users, Err *err)
{
    Buf names, ways;
    buf_init(&names, a);
    buf_init(&ways, a);
    vec_each (const CatDependent, user, users) {
        buf_fmt(&names, "%s%s", names.n ? ", " : "", render_dependent(a, user));
        if (user->remedy)
            buf_fmt(&ways, "%s%s;", ways.n ? " " : "", user->remedy);
    }
    err_set(err, ERR_STILL_USED,
            "what the script drops or changes is used by the %s%s, which %s not compared",
            render_dependent(a, &users->v[0]), users->n > 1 ? " and others" : "",
            users->n > 1 ? "are" : "is");
    err_detail(err, "%s", names.p);
    if (ways.n)
        err_hint(err, "%s", ways.p);
    return err_hint(err, "write that into a migration of its own before, and what makes it again "
                         "into one behind; without --script the differences are listed all the "
                         "same");
}

bool
flow_diff_can_run(Arena *a, const Diff *d, Err *err)
{
    CatTexts used = {0};
    CatDependents outside = {0};
    Buf b;
    buf_init(&b, a);
    vec_each (Change *, c, &d->changes)
        vec_each (const DiffEffect, e, &(*c)->effects)
            if (e->id == FINDING_DIFF_USED_OUTSIDE)
                *vec_add(a, &outside) = *e->dependent;
            else if (e->id == FINDING_DIFF_STILL_USED)
                *vec_add(a, &used) = cat_ref_text(a, &e->at);
            else if (e->id == FINDING_DIFF_STANDS_ON)
                vec_each (const char *, name, &e->names)
                    *vec_add(a, &used) = *name;
            else if (e->id == FINDING_DIFF_IMPOSSIBLE) {
                err_set(err, ERR_IMPOSSIBLE,
                        "PostgreSQL refuses a change that the script would need");
                err_detail(err, "%s", render_effect(a, e));
                return err_hint(err,
                                "make a new table or column beside the old one in a migration of "
                                "your own and copy the rows; without --script the differences "
                                "are listed all the same");
            }
    if (outside.n)
        return used_outside(a, &outside, err);
    if (!used.n)
        return true;
    vec_each (const char *, name, &used)
        buf_fmt(&b, "%s%s", b.n ? ", " : "", *name);
    err_set(err, ERR_STILL_USED, "what the script drops is still used by the %s%s", used.v[0],
            used.n > 1 ? " and others" : "");
    err_detail(err, "%s", b.p);
    return err_hint(err, "change or drop it in a migration of its own first; without --script the "
                         "differences are listed all the same");
}
