/* The folder of a Prisma 8 project: its packages. */
#include "base/fs.h"
#include "base/hash.h"
#include "history/prisma8_int.h"

#include <stdlib.h>

static bool
recognise(Arena *a, const char *dir, int depth)
{
    static const char *const files[] = {"ops.json", "refs/db.json", "refs/head.json"};
    FsEntryVec list = {0};
    Err ignored;
    for (size_t i = 0; i < COUNT(files); i++)
        if (fs_exists(fs_join(a, dir, files[i])))
            return true;
    if (!fs_list(a, dir, &list, &ignored))
        return false;
    bool in_refs = strcmp(fs_basename(dir), "refs") == 0;
    vec_each (FsEntry, e, &list) {
        const char *path = fs_join(a, dir, e->name);
        if (e->kind == FS_DIR && p8_is_hash(e->name) &&
            fs_exists(fs_join(a, path, "contract.json")))
            return true;
        if (e->kind == FS_FILE && in_refs && str_ends(str_of(e->name), STR(".json")))
            return true;
        if (e->kind == FS_DIR && depth && recognise(a, path, depth - 1))
            return true;
    }
    return false;
}

/* Signing a database for Prisma 8 writes beside the migrations of Prisma 7, which go on then. */
bool
p8_recognise(Arena *a, const char *dir)
{
    FsEntryVec list = {0};
    Err ignored;
    if (!fs_list(a, dir, &list, &ignored))
        return false;
    vec_each (FsEntry, e, &list)
        if (fs_exists(fs_join(a, fs_join(a, dir, e->name), "migration.sql")))
            return false;
    return recognise(a, dir, 2);
}

/* ---- packages ------------------------------------------------------------------------------- */

static bool
take_invariants(Arena *a, const JsonTree *list, P8Package *p)
{
    if (!list || list->kind != JT_ARRAY)
        return false;
    for (size_t i = 0; i < list->n; i++) {
        if (list->items[i].kind != JT_STRING ||
            (i && jt_cmp_text(list->items[i - 1].text, list->items[i].text) >= 0))
            return false;
        *vec_add(a, &p->invariants) = list->items[i].text.p;
    }
    return true;
}

static bool
take_manifest(Arena *a, P8Place at, const JsonTree *m, P8Package *p, Err *err)
{
    static const char *const keys[] = {"from", "to", "providedInvariants", "createdAt",
                                       "migrationHash"};
    const JsonTree *from = jt_get(m, "from");
    p->from = jt_text(m, "from");
    p->to = jt_text(m, "to");
    p->hash = jt_text(m, "migrationHash");
    p->made_at = jt_text(m, "createdAt");
    if ((p->hash && strncmp(p->hash, "sha256:", 7) == 0) || jt_get(m, "labels") ||
        jt_get(m, "hints"))
        return p8_refuse_old(at, err);
    bool ok = from && (from->kind == JT_NULL || p8_is_hash(p->from)) && p8_is_hash(p->to) &&
              p8_is_hash(p->hash) && p->made_at &&
              take_invariants(a, jt_get(m, "providedInvariants"), p);
    for (size_t i = 0; ok && i < m->n; i++) {
        bool known = false;
        for (size_t k = 0; k < COUNT(keys); k++)
            known = known || str_is(m->keys[i], keys[k]);
        ok = known;
    }
    if (ok)
        return true;
    err_set(err, ERR_MIGRATION_FILE,
            "migration.json of package \"%s\" is not what Prisma 8 writes: from, to, "
            "providedInvariants, createdAt, migrationHash, and nothing else",
            p->dir);
    return p8_fail(at, err, "restore it from version control");
}

/* Its invariants are those of its operations. */
static bool
names_invariants(const P8Package *p, const JsonTree *ops)
{
    size_t given = 0;
    for (size_t i = 0; i < ops->n; i++) {
        const char *id = jt_text(&ops->items[i], "invariantId");
        for (size_t k = 0; id && k < i; k++) {
            const char *before = jt_text(&ops->items[k], "invariantId");
            if (before && strcmp(before, id) == 0)
                return false;
        }
        given += id != NULL;
    }
    return given == p->invariants.n; /* each of them is among these: p8_take_ops */
}

static bool
check_hash(Arena *a, P8Place at, const JsonTree *manifest, const JsonTree *ops, const P8Package *p,
           Err *err)
{
    const char *hash = p8_migration_hash(a, manifest, ops);
    if (strcmp(hash, p->hash) == 0)
        return true;
    err_set(err, ERR_MIGRATION_FILE,
            "package \"%s\" is not what its hash says: ops.json or "
            "migration.json was changed after it was made",
            p->dir);
    err_detail(err, "migration.json says %s; the two files give %s", p->hash, hash);
    err_hint(err, "restore both files from version control");
    err_at(err, at.shown, 0, 0);
    return err_hint(err,
                    "or, if it was applied nowhere, make them again: node "
                    "migrations/%s/%s/migration.ts",
                    p->space, p->dir);
}

/* Operations that its program does not make yet. Without any, a package may also only lead on to a
 * contract that wants nothing else of the database. */
static bool
is_open(Arena *a, P8Place dir, const JsonTree *ops)
{
    Str program;
    Err ignored;
    return !ops->n && fs_read(a, fs_join(a, dir.path, "migration.ts"), 0, &program, &ignored) &&
           str_contains(program, STR("placeholder("));
}

static bool
refuse_open(P8Place at, const P8Package *p, Err *err)
{
    err_set(err, ERR_MIGRATION_FILE,
            "package \"%s\" has no operations yet: "
            "placeholders in its migration.ts are open",
            p->dir);
    err_at(err, at.shown, 0, 0);
    return err_hint(err,
                    "fill them in, then: node migrations/%s/%s/migration.ts (it writes "
                    "ops.json; Aramid runs no TypeScript)",
                    p->space, p->dir);
}

static bool
refuse_half(P8Place dir, const char *space, const char *name, const char *missing, Err *err)
{
    err_set(err, ERR_MIGRATION_FILE, "package \"%s\" has no %s", name, missing);
    err_at(err, dir.shown, 0, 0);
    return err_hint(err,
                    "restore it from version control, or make it: node "
                    "migrations/%s/%s/migration.ts",
                    space, name);
}

/* What of the package lies in the two files. */
static bool
read_package(Arena *a, P8Place dir, P8Package *p, Err *err)
{
    P8Place manifest_at = p8_below(a, dir, "migration.json"), ops_at = p8_below(a, dir, "ops.json");
    JsonTree manifest, ops;
    Str manifest_text, text;
    Migration *m = &p->migration;
    m->path = ops_at.shown;
    m->source = ops_at.path;
    m->name = strcmp(p->space, "app") == 0 ? p->dir : str_fmt(a, "%s/%s", p->space, p->dir);
    if (!p8_read_json(a, manifest_at, &manifest_text, &manifest, err) ||
        !take_manifest(a, manifest_at, &manifest, p, err) ||
        !p8_read_json(a, ops_at, &text, &ops, err) ||
        !check_hash(a, ops_at, &manifest, &ops, p, err) || !p8_take_ops(a, &ops, text, p, err))
        return false;
    if (!names_invariants(p, &ops)) {
        err_set(err, ERR_MIGRATION_FILE,
                "migration.json of package \"%s\" names other invariants "
                "than its operations",
                p->dir);
        return p8_fail(manifest_at, err, "restore both files from version control");
    }
    if (is_open(a, dir, &ops))
        return refuse_open(ops_at, p, err);
    Buf b;
    buf_init(&b, a);
    jt_write(&b, &ops, 0);
    p->operations = b.p;
    m->has_file = true;
    m->bytes = text.n;
    m->sha256 = hash_sha256_hex(a, text);
    m->checksum = p->hash;
    m->key = p->dir;
    m->own = p;
    return true;
}

static bool
read_space(Arena *a, P8Place root, P8 *all, P8Space *s, Err *err)
{
    P8Place dir = p8_below(a, root, s->name);
    FsEntryVec list;
    if (!fs_list(a, dir.path, &list, err))
        return err_at(err, dir.shown, 0, 0);
    vec_each (FsEntry, e, &list) {
        P8Place at = p8_below(a, dir, e->name);
        bool has_ops = fs_exists(fs_join(a, at.path, "ops.json"));
        bool has_manifest = fs_exists(fs_join(a, at.path, "migration.json"));
        bool has_program = fs_exists(fs_join(a, at.path, "migration.ts"));
        if (e->kind != FS_DIR || strcmp(e->name, "refs") == 0 ||
            !(has_ops || has_manifest || has_program))
            continue;
        if (!layout_check_name(a, e->name, "folder", 0, dir.shown, err))
            return false;
        if (!has_ops || !has_manifest)
            return refuse_half(at, s->name, e->name, has_ops ? "migration.json" : "ops.json", err);
        P8Package *p = arena_new(a, P8Package);
        *p = (P8Package){.space = s->name, .dir = e->name, .all = all};
        if (!read_package(a, at, p, err))
            return false;
        const char *snapshot = fs_join(a, fs_join(a, "snapshots", p->to), "contract.json");
        p->snapshot = fs_join(a, root.path, snapshot);
        p->snapshot_shown = fs_join(a, root.shown, snapshot);
        *vec_add(a, &s->packages) = p;
    }
    return true;
}

static int
by_age(const void *pa, const void *pb)
{
    const P8Package *a = *(P8Package *const *)pa, *b = *(P8Package *const *)pb;
    int d = jt_cmp_text(str_of(a->made_at), str_of(b->made_at));
    d = d ? d : strcmp(a->to, b->to);
    return d ? d : strcmp(a->hash, b->hash);
}

static int
by_space(const void *pa, const void *pb)
{
    const P8Space *a = pa, *b = pb;
    bool is_app = strcmp(a->name, "app") == 0, other = strcmp(b->name, "app") == 0;
    return is_app != other ? (is_app ? 1 : -1) : strcmp(a->name, b->name);
}

bool
p8_read_folder(Arena *a, const char *dir, const char *shown, P8 *ret, Err *err)
{
    P8Place root = {dir, shown};
    FsEntryVec list;
    if (!fs_list(a, dir, &list, err))
        return false;
    bool has_packages = false;
    vec_each (FsEntry, e, &list) {
        P8Place at = p8_below(a, root, e->name);
        if (e->kind != FS_DIR || strcmp(e->name, "snapshots") == 0)
            continue;
        if (fs_exists(fs_join(a, at.path, "ops.json"))) {
            err_set(err, ERR_MIGRATION_FILE,
                    "package \"%s\" lies in no space: Prisma 8 keeps the "
                    "app's in %s/app",
                    e->name, shown);
            return p8_fail(at, err,
                           "move it there, or bring the project to Prisma 8's form with "
                           "Prisma's upgrade guide");
        }
        bool is_app = strcmp(e->name, "app") == 0;
        if (!is_app && !fs_exists(fs_join(a, at.path, "refs/head.json")))
            continue;
        P8Space *s = vec_add(a, &ret->spaces);
        *s = (P8Space){.name = e->name};
        if (!read_space(a, root, ret, s, err))
            return false;
        if (s->packages.n)
            qsort(s->packages.v, s->packages.n, sizeof(P8Package *), by_age);
        has_packages = has_packages || (is_app && s->packages.n);
    }
    if (!has_packages) {
        err_set(err, ERR_NO_MIGRATIONS,
                "\"%s\" is of a Prisma 8 project that has no migrations yet: "
                "only names of contracts (prisma db update, db sign)",
                shown);
        return p8_fail(root, err,
                       "plan the first one with Prisma: npx prisma migration plan --name "
                       "init");
    }
    qsort(ret->spaces.v, ret->spaces.n, sizeof(P8Space), by_space);
    vec_each (P8Space, s, &ret->spaces)
        if (!p8_find_target(a, root, ret, s, err))
            return false;
    return true;
}
