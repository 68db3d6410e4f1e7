/* Contracts of Prisma 8: where they lie, whether they are what their hashes say, and which one the project
 * is to be brought to. */
#include "base/fs.h"
#include "history/prisma8_int.h"

enum { FILE_MAX_BYTES = 1024 * 1024 };

/* A contract whose hash is what it says. */
static bool
read_contract(Arena *a, P8Place at, Str *ret_text, JsonTree *ret, Err *err)
{
    if (!p8_read_json(a, at, ret_text, ret, err))
        return false;
    const char *said = jt_text(jt_get(ret, "storage"), "storageHash");
    const char *hash = p8_storage_hash(a, ret);
    if (said && strncmp(said, "sha256:", 7) == 0)
        return p8_refuse_old(at, err);
    if (said && hash && strcmp(said, hash) == 0)
        return true;
    err_set(err, ERR_MIGRATION_FILE,
            "the contract is not what its hash says: it was changed by hand, "
            "or is of a version of Prisma that is not known here");
    if (said && hash)
        err_detail(err, "it says %s; its storage gives %s", said, hash);
    return p8_fail(at, err,
                   "make it again: npx prisma contract emit, or restore it from version "
                   "control");
}

/* The text behind `key: "` in a configuration that is a program; NULL: no literal. */
static const char *
said_in(Arena *a, Str text, const char *key)
{
    for (size_t i = 0; i + strlen(key) < text.n; i++) {
        if (!str_starts(str_slice(text, i, text.n), str_of(key)))
            continue;
        size_t at = i + strlen(key);
        while (at < text.n && strchr(" \t\r\n:", text.p[at]))
            at++;
        if (at >= text.n || !strchr("'\"`", text.p[at]))
            continue;
        size_t end = at + 1;
        while (end < text.n && text.p[end] != text.p[at])
            end++;
        return str_dup(a, str_slice(text, at + 1, end));
    }
    return NULL;
}

/* Where the project's contract was emitted to: beside its source, or where the configuration says. */
static bool
find_emitted(Arena *a, const char *dir, const char *shown, P8Place *ret)
{
    static const char *const configs[] = {"prisma.config.ts", "prisma.config.js",
                                          "prisma.config.mts", "prisma.config.mjs"};
    static const char *const usual[] = {"src/prisma", "prisma", "src", "db", "."};
    const char *home = fs_dirname(a, dir), *said = NULL;
    Err ignored;
    for (size_t i = 0; i < COUNT(configs) && !said; i++) {
        Str text;
        if (!fs_read(a, fs_join(a, home, configs[i]), FILE_MAX_BYTES, &text, &ignored))
            continue;
        said = said_in(a, text, "output:");
        const char *source = said ? NULL : said_in(a, text, "contract:");
        said = source ? fs_dirname(a, source) : said;
    }
    for (size_t i = 0; i <= COUNT(usual); i++) {
        const char *folder = i ? usual[i - 1] : said;
        if (!folder)
            continue;
        if (str_starts(str_of(folder), STR("./")))
            folder += 2;
        const char *path = strcmp(folder, ".") == 0 || !*folder
                               ? "contract.json"
                               : fs_join(a, folder, "contract.json");
        const char *shown_home = fs_dirname(a, shown);
        *ret = (P8Place){fs_join(a, home, path),
                         strcmp(shown_home, ".") == 0 ? path : fs_join(a, shown_home, path)};
        if (fs_exists(ret->path))
            return true;
    }
    return false;
}

/* Without an emitted contract: the one to which packages lead and from which none does. */
static bool
find_tip(P8Place root, P8Space *s, Err *err)
{
    const P8Package *other = NULL;
    s->target_path = root.shown;
    vec_each (P8Package *, p, &s->packages) {
        bool leads_on = false;
        vec_each (P8Package *, next, &s->packages)
            leads_on = leads_on || ((*next)->from && strcmp((*next)->from, (*p)->to) == 0 &&
                                    strcmp((*next)->to, (*next)->from) != 0);
        if (leads_on || (s->target && strcmp(s->target, (*p)->to) == 0))
            continue;
        other = s->target ? *p : other;
        s->target = s->target ? s->target : (*p)->to;
    }
    if (s->target && !other)
        return true;
    err_set(err, ERR_MIGRATION_FILE,
            "the project has no emitted contract, and its packages do not "
            "lead to one");
    if (other)
        err_detail(err, "\"%s\" leads to %.12s, others to %.12s", other->dir, other->to, s->target);
    return p8_fail(root, err,
                   "make it: npx prisma contract emit (it writes contract.json beside the "
                   "schema; commit it, too)");
}

bool
p8_find_target(Arena *a, P8Place root, P8 *all, P8Space *s, Err *err)
{
    P8Place at;
    Str text;
    JsonTree head;
    if (strcmp(s->name, "app") != 0) {
        at = p8_below(a, root, str_fmt(a, "%s/refs/head.json", s->name));
        s->target_path = at.shown;
        if (!p8_read_json(a, at, &text, &head, err))
            return false;
        s->target = jt_text(&head, "hash");
        const JsonTree *wants = jt_get(&head, "invariants");
        for (size_t i = 0; wants && i < wants->n; i++)
            *vec_add(a, &s->demands) = wants->items[i].text.p;
        if (p8_is_hash(s->target))
            return true;
        err_set(err, ERR_MIGRATION_FILE, "the file names no contract");
        return p8_fail(at, err, "restore it from version control");
    }
    if (!find_emitted(a, root.path, root.shown, &at))
        return find_tip(root, s, err);
    JsonTree *contract = arena_new(a, JsonTree);
    s->target_path = at.shown;
    if (!read_contract(a, at, &text, contract, err))
        return false;
    all->emitted = contract;
    s->target = jt_text(jt_get(contract, "storage"), "storageHash");
    return true;
}

bool
p8_take_contract(Arena *a, P8Package *p, bool is_needed, Err *err)
{
    P8Place at = {p->snapshot, p->snapshot_shown};
    if (p->tree)
        return true;
    if (fs_exists(at.path)) {
        JsonTree *tree = arena_new(a, JsonTree);
        if (!read_contract(a, at, &p->contract, tree, err))
            return false;
        p->tree = tree;
        const char *hash = jt_text(jt_get(tree, "storage"), "storageHash");
        if (strcmp(hash, p->to) == 0)
            return true;
        err_set(err, ERR_MIGRATION_FILE, "the file holds contract %.12s, not that of its folder",
                hash);
        return p8_fail(at, err, "restore it from version control");
    }
    const JsonTree *emitted = p->all->emitted;
    const char *hash = jt_text(jt_get(emitted, "storage"), "storageHash");
    if (hash && strcmp(hash, p->to) == 0)
        p->tree = emitted;
    if (p->tree || !is_needed)
        return true;
    err_set(err, ERR_MIGRATION_FILE,
            "the contract to which package \"%s\" leads is not there: what "
            "it makes could not be checked",
            p->dir);
    return p8_fail(at, err, "restore the folder snapshots from version control");
}
