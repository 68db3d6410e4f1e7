/* aramid drift: the live database against what its applied migrations make. */
#include "flow/drift.h"

#include "flow/endpoint.h"
#include "flow/managed.h"
#include "flow/repeatable.h"
#include "history/known.h"
#include "render/render.h"
#include "sqltext/sqltext.h"

#include <stdlib.h>

static void
close_session(Session *s)
{
    if (s->db)
        session_close(s);
}

/* ---- the two sides ------------------------------------------------------------------------- */

static const ReplayScript *
as_applied(const AppliedScripts *scripts, const char *name)
{
    vec_each (const ReplayScript, s, &scripts->changed)
        if (strcmp(s->name, name) == 0)
            return s;
    return NULL;
}

/* The migrations that are in the database, in the order of a new one; scripts as they were applied, and at the
 * end those that have no file any more. */
static bool
applied_scripts(Arena *a, Arena *texts, DriftResult *r, const AppliedScripts *scripts, bool all,
                ReplayScript **ret, Err *err)
{
    *ret = arena_array(a, ReplayScript, r->history.files.n + scripts->removed.n + 1);
    vec_each (const Entry, e, &r->history.entries) {
        const Migration *m = e->file;
        const ReplayScript *old = e->repeats && m ? as_applied(scripts, e->name) : NULL;
        Str text;
        if (old)
            (*ret)[r->migrations++] = *old;
        if (old || !m || !m->has_file || !(all || e->state == ENTRY_APPLIED))
            continue;
        if (!migration_sent_text(texts, history_part_of(&r->history, m->part)->layout, m, &text,
                                 err))
            return false;
        (*ret)[r->migrations++] = (ReplayScript){m->name, m->path, text};
    }
    vec_each (const ReplayScript, s, &scripts->removed)
        (*ret)[r->migrations++] = *s;
    return true;
}

static void
find_in_history(DriftResult *r, bool all)
{
    const History *h = &r->history;
    FindingList *l = &r->findings;
    if (all)
        finding_add(l, FINDING_DRIFT_NO_HISTORY,
                    "the database has no migration history: it is compared with all migrations");
    if (h->failed + h->resumable)
        finding_add(l, FINDING_DRIFT_UNFINISHED,
                    "a migration did not end: what it left in the database counts as drift");
    if (h->missing)
        finding_add(l, FINDING_DRIFT_FILES_MISSING,
                    "applied migrations are missing in the folder: what they made counts as drift");
    if (h->edited)
        finding_add(l, FINDING_DRIFT_FILES_EDITED,
                    "migrations were edited after they were applied: the files as they are now "
                    "were replayed");
}

static bool
has_schema(const Catalog *c, const char *name)
{
    return catalog_find(c, (CatRef){CAT_SCHEMA, NULL, name, NULL}) != NULL;
}

static IntrospectOptions
except_options(const Patterns *p)
{
    return (IntrospectOptions){.except = p->v, .nexcept = p->n};
}

/* ---- alignment: what differs without being drift -------------------------------------------- */

/* Privileges that new objects get in this database: letters by schema ("" = any), kind, role. */
typedef struct DefaultAcl {
    const char *schema, *role; /* role NULL = PUBLIC */
    char kind;                 /* as pg_default_acl has it: r, S, f, T, n */
    const char *letters;
} DefaultAcl;
typedef VEC(DefaultAcl) DefaultAcls;

static bool
read_default_acls(Arena *a, Db *db, DefaultAcls *ret, Err *err)
{
    DbRowsVec results;
    if (!db_query(
            db, a,
            STR("SELECT coalesce(n.nspname, ''), d.defaclobjtype, r.rolname, x.grantee::text,"
                " pg_catalog.string_agg(CASE x.privilege_type WHEN 'SELECT' THEN 'r' WHEN 'INSERT'"
                " THEN 'a' WHEN 'UPDATE' THEN 'w' WHEN 'DELETE' THEN 'd' WHEN 'TRUNCATE' THEN 'D'"
                " WHEN 'REFERENCES' THEN 'x' WHEN 'TRIGGER' THEN 't' WHEN 'MAINTAIN' THEN 'm' WHEN"
                " 'USAGE' THEN 'U' WHEN 'CREATE' THEN 'C' WHEN 'EXECUTE' THEN 'X' END, '')"
                " FROM pg_catalog.pg_default_acl d CROSS JOIN LATERAL"
                " pg_catalog.aclexplode(d.defaclacl) x LEFT JOIN pg_catalog.pg_namespace n ON n.oid"
                " OPERATOR(pg_catalog.=) d.defaclnamespace LEFT JOIN pg_catalog.pg_roles r ON r.oid"
                " OPERATOR(pg_catalog.=) x.grantee GROUP BY 1, 2, 3, 4"),
            &results, err))
        return false;
    const DbRows *rows = &results.v[results.n - 1];
    for (int i = 0; i < rows->rows; i++)
        *vec_add(a, ret) = (DefaultAcl){.schema = db_cell(rows, i, 0).p,
                                        .kind = db_cell(rows, i, 1).p[0],
                                        .role = db_cell(rows, i, 2).p,
                                        .letters = db_cell(rows, i, 4).p};
    return true;
}

static bool
is_default(const DefaultAcls *acls, const CatObject *o, const char *role, char letter)
{
    vec_each (const DefaultAcl, d, acls)
        if (d->kind == cat_kind(o->id.kind)->acl && cat_same_text(d->role, role) &&
            strchr(d->letters, letter) &&
            (!d->schema[0] || (o->id.schema && !strcmp(d->schema, o->id.schema))))
            return true;
    return false;
}

static const CatGrant *
grant_of(const CatGrants *grants, const char *role)
{
    vec_each (const CatGrant, g, grants)
        if (cat_same_text(g->role, role))
            return g;
    return NULL;
}

/* The privileges of a live object without those that only default privileges gave it. */
static CatGrants
align_grants(Arena *a, const CatObject *live, const CatObject *expected, const DefaultAcls *acls)
{
    CatGrants kept = {0};
    vec_each (const CatGrant, g, &live->grants) {
        const CatGrant *wanted = grant_of(&expected->grants, g->role);
        Buf letters;
        buf_init(&letters, a);
        for (const char *l = g->privileges; *l; l++) {
            bool has_option = l[1] == '*';
            if ((wanted && strchr(wanted->privileges, *l)) ||
                !is_default(acls, live, g->role, *l)) {
                buf_addc(&letters, *l);
                buf_addz(&letters, has_option ? "*" : "");
            }
            l += has_option;
        }
        if (letters.n || wanted || !g->privileges[0])
            *vec_add(a, &kept) = (CatGrant){g->role, letters.p};
    }
    /* What is granted to a role that owns the object now goes unsaid. */
    const CatGrant *own = grant_of(&expected->grants, live->owner);
    if (own && !grant_of(&kept, live->owner))
        *vec_add(a, &kept) = *own;
    return kept;
}

/* What nobody owns explicitly belongs to whom it belongs. */
static void
take_owner(CatObject *expected, const CatObject *live, const char *user)
{
    if (!cat_same_text(expected->owner, user))
        return;
    vec_each (CatGrant, g, &expected->grants)
        if (live && cat_same_text(g->role, user))
            g->role = live->owner;
    expected->owner = live ? live->owner : NULL;
}

static void
take_public(CatObject *expected, const CatObject *live)
{
    expected->owner = live->owner;
    expected->grants = live->grants;
    expected->comment = live->comment;
}

/* Owners count where migrations set them; privileges where they grant or revoke any (the rules'
 * grants_of); the schema public is each server's own. */
static void
align(Arena *a, Catalog *live, const Replay *expected, const DefaultAcls *acls)
{
    vec_each (CatObject *, at, &expected->catalog->objects) {
        CatObject *e = *at, *l = catalog_find(live, e->id);
        take_owner(e, l, expected->user);
        if (l)
            l->grants = align_grants(a, l, e, acls);
        if (l && e->id.kind == CAT_SCHEMA && strcmp(e->id.name, "public") == 0)
            take_public(e, l);
    }
    vec_each (CatObject *, at, &live->objects)
        if (!catalog_find(expected->catalog, (*at)->id)) {
            (*at)->owner = NULL;
            (*at)->grants = (CatGrants){0};
        }
}

bool
flow_align_grants(Arena *a, Db *db, Catalog *live, const Replay *expected, Err *err)
{
    static const CatObject nothing = {0};
    DefaultAcls acls = {0};
    if (!read_default_acls(a, db, &acls, err))
        return false;
    vec_each (CatObject *, at, &expected->catalog->objects)
        take_owner(*at, catalog_find(live, (*at)->id), expected->user);
    vec_each (CatObject *, at, &live->objects) {
        CatObject *l = *at, *e = catalog_find(expected->catalog, l->id);
        l->grants = align_grants(a, l, e ? e : &nothing, &acls);
        if (e && l->id.kind == CAT_SCHEMA && strcmp(l->id.name, "public") == 0)
            take_public(e, l);
    }
    return true;
}

static void
drop_managed_extensions(Catalog *live, const Catalog *expected)
{
    size_t n = 0;
    for (size_t i = 0; i < live->extensions.n; i++) {
        CatExtension *x = live->extensions.v[i];
        if (catalog_find(expected, x->id) || !managed_extension(x->id.name, x->in_schema))
            live->extensions.v[n++] = x;
    }
    live->extensions.n = n;
}

/* ---- the comparison ------------------------------------------------------------------------- */

static int
by_ref(const void *x, const void *y)
{
    return cat_ref_cmp(x, y);
}

static CatRefs
objects_with_grants(Arena *a, const Catalog *c)
{
    CatRefs list = {0};
    vec_each (CatObject *, o, &c->objects)
        if ((*o)->grants.n)
            *vec_add(a, &list) = (*o)->id;
    if (list.n)
        qsort(list.v, list.n, sizeof *list.v, by_ref);
    return list;
}

static DiffOptions
rules_of(Arena *a, const Replay *made)
{
    CatRefs *granted = arena_new(a, CatRefs);
    CatRules *rules = arena_new(a, CatRules);
    *granted = objects_with_grants(a, made->catalog);
    *rules = (CatRules){.ignore_column_order = true, .ignore_versions = true, .grants_of = granted};
    return (DiffOptions){.rules = rules};
}

static void
compare(Arena *a, DriftResult *r)
{
    const DiffOptions options = rules_of(a, &r->replay);
    const DiffSide made = {.catalog = r->replay.catalog}, live = {.catalog = r->live};
    r->adopt = diff_catalogs(a, &made, &live, &options);
    r->repair = diff_catalogs(a, &live, &made, &options);
    r->has_drift = r->repair->changes.n > 0;
}

Diff *
flow_drift_between(Arena *a, const DriftResult *from, const DriftResult *to)
{
    const DiffOptions options = rules_of(a, &to->replay);
    const DiffSide x = {.catalog = from->replay.catalog}, y = {.catalog = to->replay.catalog};
    return diff_catalogs(a, &x, &y, &options);
}

bool
flow_drift_of(Arena *a, const FlowInput *in, const Session *s, DriftResult *r, Err *err)
{
    ManagedSchemas schemas = {0};
    DefaultAcls acls = {0};
    ReplayOptions replay;
    if (!managed_schemas(a, s->db, &schemas, err) || !read_default_acls(a, s->db, &acls, err) ||
        !flow_replay_options(a, in, s, &replay, err))
        return false;
    r->server = db_info(s->db);
    /* Not even a table: all migrations are pending. */
    bool all = !r->only_applied && !s->ledger_exists && s->tables;
    findings_init(&r->findings, a, &in->config->finding_rules);
    find_in_history(r, all);
    ARENA_LOCAL(texts);
    ReplayScript *scripts;
    AppliedScripts other;
    if (!flow_applied_scripts(a, s, &r->history, &other, err) ||
        !applied_scripts(a, texts, r, &other, all, &scripts, err))
        return false;
    Patterns except = managed_ignored(a, in->config);
    vec_each (const char *, p, &schemas.owned)
        *vec_add(a, &except) = *p;
    IntrospectOptions what = except_options(&except);
    replay.introspect = &what;
    replay.also = r->also;
    if (!replay_scripts(a, scripts, r->migrations, &replay, &r->replay, err))
        return false;
    flow_find_replay(a, &r->replay, &r->findings);
    for (size_t i = 0; i < history_parts(&r->history); i++) {
        const char *schema = history_part_of(&r->history, i)->ledger.schema;
        if (schema && !history_known_schema(schema))
            *vec_add(a, &schemas.named) = schema;
    }
    vec_each (const char *, p, &schemas.named)
        if (!has_schema(r->replay.catalog, *p)) {
            *vec_add(a, &except) = *p;
            *vec_add(a, &schemas.owned) = *p;
        }
    vec_each (const char *, p, &schemas.owned)
        if (strcmp(*p, "aramid") != 0)
            *vec_add(a, &r->left_out) = *p;
    Catalog *live;
    what = except_options(&except);
    if (!introspect(a, s->db, &what, &live, err))
        return false;
    history_leave_out(live, &r->history, NULL);
    history_leave_out(r->replay.catalog, &r->history, NULL);
    if (!managed_partitions(a, s->db, live, r->replay.catalog, false, err))
        return false;
    managed_defined(live, &r->replay);
    flow_add_others(a, &r->not_compared, live);
    flow_add_others(a, &r->not_compared, r->replay.catalog);
    align(a, live, &r->replay, &acls);
    int major = r->server->version / 10000;
    if (!flow_reprint(a, &replay, &major, r->replay.major, &live, err))
        return false;
    drop_managed_extensions(live, r->replay.catalog);
    r->live = live;
    compare(a, r);
    return true;
}

bool
flow_drift(Arena *a, const FlowInput *in, DriftResult *ret, Err *err)
{
    *ret = (DriftResult){.config = in->config};
    if (!flow_history(a, in->config, &ret->history, err) ||
        !flow_target(a, in->config, in->self_exe, FLOW_MAKES_NOTHING, &ret->target, err))
        return false;
    if (ret->target.absent)
        return true;
    Session s __attribute__((cleanup(close_session))) = {0};
    SessionOptions o = flow_session(in, &ret->target, &ret->history, "drift", FLOW_READS);
    JournalVec journal;
    return session_open(a, &o, &s, err) && session_read(&s, &ret->history, &journal, err) &&
           flow_drift_of(a, in, &s, ret, err);
}
