/* Renames: which of the wished ones apply, and what people type for one. */
#include "diff/diff_int.h"

static CatRef
renamed(const CatRename *x)
{
    CatRef id = x->from;
    if (id.sub)
        id.sub = x->to;
    else
        id.name = x->to;
    return id;
}

static bool
has_label(const CatEnum *e, const char *label)
{
    if (e)
        vec_each (const char *, l, &e->labels)
            if (strcmp(*l, label) == 0)
                return true;
    return false;
}

/* The new name of a table or enum, for its columns and values. */
static CatRef
parent_now(const CatRenames *applied, CatRef part)
{
    CatRef parent = {part.kind == CAT_COLUMN ? CAT_TABLE : part.kind, part.schema, part.name, NULL};
    vec_each (const CatRename, x, applied)
        if (cat_ref_cmp(&x->from, &parent) == 0)
            part.name = x->to;
    return part;
}

static bool
exists(const Catalog *c, CatRef id)
{
    if (id.kind != CAT_ENUM || !id.sub)
        return catalog_find(c, id) != NULL;
    return has_label(catalog_find(c, (CatRef){CAT_ENUM, id.schema, id.name, NULL}), id.sub);
}

/* Old name there, new name not there yet; afterwards the other way. */
static bool
applies(const Differ *d, const CatRenames *applied, const CatRename *x)
{
    CatRef old_later = parent_now(applied, x->from), now = renamed(x);
    CatRef now_later = parent_now(applied, now);
    return exists(d->from, x->from) && !exists(d->from, now) && exists(d->to, now_later) &&
           !exists(d->to, old_later);
}

/* Annotations name parts by the new name of their table. */
static CatRename
with_old_parent(const CatRenames *applied, CatRename x)
{
    CatKind kind = x.from.kind == CAT_COLUMN ? CAT_TABLE : x.from.kind;
    vec_each (const CatRename, y, applied)
        if (x.from.sub && y->from.kind == kind && !y->from.sub &&
            cat_same_text(y->from.schema, x.from.schema) && strcmp(y->to, x.from.name) == 0)
            x.from.name = y->from.name;
    return x;
}

static void
add_change(Differ *d, const Catalog *after, const CatRenames *applied, const CatRename *x)
{
    CatRef now = parent_now(applied, renamed(x)), was = x->from;
    bool is_label = x->from.kind == CAT_ENUM && x->from.sub;
    if (is_label)
        now.sub = was.sub = NULL;
    Change *c = change_add(d, CHANGE_RENAME, catalog_find(d->from, was), catalog_find(after, now),
                           x->from.kind == CAT_DOMAIN ? RANK_CREATE_TYPE : RANK_RENAME);
    /* Parts under the new name of their table or type. */
    c->rank[1] = x->from.sub || x->from.kind == CAT_SEQUENCE;
    if (is_label) {
        c->old_name = x->from.sub;
        *vec_add(d->arena, &c->fields) = x->to;
    }
}

/* The sequence of a serial column has the names of table and column in its own. */
static void
add_sequences(Differ *d, const Catalog *after, CatRenames *applied)
{
    Map owned;
    map_init(&owned, d->arena);
    cat_each (CatSequence, y, &d->to->sequences)
        if (y->owner_column && !y->is_identity) {
            const CatRef id = {CAT_COLUMN, y->owner_table.schema, y->owner_table.name,
                               y->owner_column};
            map_put(&owned, ref_key(d->arena, &id), y);
        }
    cat_each (CatSequence, x, &after->sequences) {
        if (!x->owner_column || x->is_identity)
            continue;
        const CatRef id = {CAT_COLUMN, x->owner_table.schema, x->owner_table.name, x->owner_column};
        const CatSequence *y = map_get(&owned, ref_key(d->arena, &id));
        const CatColumn *column = catalog_find(after, id);
        if (y && column && diff_serial(d->arena, after, column) != x &&
            cat_same_text(x->id.schema, y->id.schema) && !catalog_find(after, y->id) &&
            !catalog_find(d->to, x->id))
            *vec_add(d->arena, applied) = (CatRename){x->id, y->id.name};
    }
}

static const char *
free_name(const Differ *d, const CatRef *id)
{
    for (int i = 0;; i++) {
        const char *name =
            catalog_name_with(d->arena, id->name, i ? str_fmt(d->arena, "_old%d", i) : "_old");
        bool is_free = true;
        for (CatKind kind = CAT_SCHEMA; kind < CAT_KIND_COUNT; kind++) {
            const CatRef taken = {kind, id->schema, name, NULL};
            is_free = is_free && !catalog_find(d->from, taken) && !catalog_find(d->to, taken);
        }
        if (is_free)
            return name;
    }
}

/* PostgreSQL cannot change what a domain is made of: one that columns have makes room for the new
 * one, and goes when the last column has left it. */
static void
add_domains(Differ *d, const Catalog *after, CatRenames *applied)
{
    cat_each (CatDomain, y, &d->to->domains) {
        const CatDomain *x = catalog_find(after, y->id);
        if (x && !domain_stays(d, x, y) && type_is_used(after, &x->id))
            *vec_add(d->arena, applied) = (CatRename){x->id, free_name(d, &x->id)};
    }
}

void
diff_renames(Differ *d)
{
    CatRenames applied = {0};
    for (int parts = 0; parts < 2; parts++)
        for (size_t i = 0; i < d->options->nrenames; i++) {
            CatRename x = with_old_parent(&applied, d->options->renames[i]);
            if ((x.from.sub != NULL) == parts && applies(d, &applied, &x))
                *vec_add(d->arena, &applied) = x;
        }
    if (!d->prisma_kinds)
        add_domains(d, applied.n ? catalog_renamed(d->arena, d->from, &applied) : d->from,
                    &applied);
    if (!applied.n)
        return;
    add_sequences(d, catalog_renamed(d->arena, d->from, &applied), &applied);
    Catalog *after = catalog_renamed(d->arena, d->from, &applied);
    vec_each (const CatRename, x, &applied)
        add_change(d, after, &applied, x);
    d->diff->renamed.v = applied.v;
    d->diff->renamed.n = applied.n;
    DiffSide *from = &d->diff->from;
    const CatRefs **refs[] = {&from->any_default, &from->client_default};
    for (size_t i = 0; i < 2; i++)
        if (*refs[i]) {
            CatRefs *copy = arena_new(d->arena, CatRefs);
            *copy = catalog_refs_renamed(d->arena, *refs[i], &applied);
            *refs[i] = copy;
        }
    d->from = from->catalog = after;
}

/* ---- texts --------------------------------------------------------------------------------- */

enum { PARTS_MAX = 3 };

/* a.b."c.d" -> its names; 0 when it cannot be read. */
static size_t
read_path(Arena *a, Str s, const char **parts)
{
    size_t n = 0;
    for (;;) {
        Buf b;
        buf_init(&b, a);
        if (n == PARTS_MAX)
            return 0;
        if (s.n && *s.p == '"') {
            size_t i = 1;
            for (; i < s.n && (s.p[i] != '"' || (i + 1 < s.n && s.p[i + 1] == '"')); i++) {
                i += s.p[i] == '"';
                buf_addc(&b, s.p[i]);
            }
            if (i >= s.n)
                return 0;
            s = str_slice(s, i + 1, s.n);
        } else {
            size_t i = 0;
            for (; i < s.n && s.p[i] != '.' && s.p[i] != '"'; i++)
                buf_addc(&b, s.p[i]);
            s = str_slice(s, i, s.n);
        }
        if (!b.n)
            return 0;
        parts[n++] = b.p;
        if (!s.n)
            return n;
        if (*s.p != '.')
            return 0;
        s = str_slice(s, 1, s.n);
    }
}

/* The colon between both names, outside of quotes. */
static size_t
find_colon(Str s)
{
    bool quoted = false;
    for (size_t i = 0; i < s.n; i++) {
        quoted = quoted != (s.p[i] == '"');
        if (s.p[i] == ':' && !quoted)
            return i;
    }
    return s.n;
}

static void
add_meaning(Arena *a, CatRefs *all, const Catalog *c, CatRef id)
{
    if (exists(c, id))
        *vec_add(a, all) = id;
}

/* What a path of names can mean: with and without its schema. */
static CatRefs
meanings(Arena *a, const Catalog *c, const char *const *p, size_t n)
{
    CatRefs all = {0};
    cat_each (CatSchema, s, &c->schemas) {
        const char *schema = s->id.name;
        bool is_first = strcmp(schema, p[0]) == 0;
        const char *const *q = p;
        size_t left = n;
        for (int with = 0; with < 2; with++, q = p + 1, left = n - 1) {
            if (!left || (with && !is_first))
                break;
            if (left == 1) {
                add_meaning(a, &all, c, (CatRef){CAT_TABLE, schema, q[0], NULL});
                add_meaning(a, &all, c, (CatRef){CAT_ENUM, schema, q[0], NULL});
            } else if (left == 2) {
                add_meaning(a, &all, c, (CatRef){CAT_COLUMN, schema, q[0], q[1]});
                add_meaning(a, &all, c, (CatRef){CAT_ENUM, schema, q[0], q[1]});
            }
        }
    }
    return all;
}

static bool
unreadable(Str text, Err *err)
{
    err_set(err, ERR_USAGE, "cannot read the rename \"" STR_FMT "\"", STR_ARG(text));
    return err_hint(err, "write OLD:NEW, as in --rename User:Account, --rename User.mail:email or "
                         "--rename Role.ADMIN:OWNER; names with a dot or a colon in double quotes");
}

bool
diff_rename_parse(Arena *a, Str text, const Catalog *from, CatRename *ret, Err *err)
{
    const char *old[PARTS_MAX], *now[PARTS_MAX];
    size_t colon = find_colon(text);
    if (colon == text.n)
        return unreadable(text, err);
    size_t nold = read_path(a, str_trim(str_slice(text, 0, colon)), old);
    size_t nnow = read_path(a, str_trim(str_slice(text, colon + 1, text.n)), now);
    if (!nold || !nnow || (nnow != 1 && nnow != nold))
        return unreadable(text, err);
    for (size_t i = 0; nnow > 1 && i + 1 < nnow; i++)
        if (strcmp(old[i], now[i]) != 0) {
            err_set(err, ERR_USAGE, "a rename changes the last name only: \"" STR_FMT "\"",
                    STR_ARG(text));
            return err_hint(err, "give the new name alone, as in --rename User.mail:email; a table "
                                 "and its column are two renames, the column under the table's "
                                 "old name");
        }
    CatRefs all = meanings(a, from, old, nold);
    if (!all.n) {
        err_set(err, ERR_USAGE, "nothing of that name to rename: \"" STR_FMT "\"", STR_ARG(text));
        return err_hint(err, "names are those of the database, with upper and lower case: TABLE, "
                             "TABLE.COLUMN, ENUM or ENUM.VALUE, with SCHEMA. in front if needed");
    }
    if (all.n > 1) {
        err_set(err, ERR_USAGE, "the rename \"" STR_FMT "\" has more than one meaning",
                STR_ARG(text));
        err_detail(err, "%s, or %s", cat_ref_text(a, &all.v[0]), cat_ref_text(a, &all.v[1]));
        return err_hint(err, "write the schema in front, as in --rename public.User:Account");
    }
    *ret = (CatRename){all.v[0], now[nnow - 1]};
    return true;
}
