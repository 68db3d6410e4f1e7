/* Renames that people wish for: read, understood from both catalogs, refused where they cannot be
 * done, since what is not renamed would be dropped. */
#include "diff/diff_int.h"

/* ---- names ----------------------------------------------------------------------------------- */

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

/* The one object of a kind and name that `c` has in any schema and the other catalog does not;
 * `id` itself where there is none, or more than one. */
static CatRef
find_elsewhere(const Catalog *c, const Catalog *other, CatRef id)
{
    CatRef only = id;
    size_t count = 0;
    cat_each (CatSchema, s, &c->schemas) {
        const CatRef there = {id.kind, s->id.name, id.name, NULL};
        if (wish_exists(c, there) && !wish_exists(other, there)) {
            only = there;
            count++;
        }
    }
    return count == 1 ? only : id;
}

/* ---- typed ones ------------------------------------------------------------------------------ */

static bool
unreadable(Str text, Err *err)
{
    err_set(err, ERR_USAGE, "cannot read the rename \"" STR_FMT "\"", STR_ARG(text));
    return err_hint(err, "write OLD:NEW, as in --rename User:Account, --rename User.mail:email or "
                         "--rename Role.ADMIN:OWNER; names with a dot or a colon in double quotes");
}

static void
add_meaning(const Wishes *w, CatRefs *all, CatRef id)
{
    if (!wish_exists(w->from, id))
        return;
    vec_each (const CatRef, x, all)
        if (wish_same(x, id))
            return;
    *vec_add(w->arena, all) = id;
}

/* What a path without its schema can mean in one; parts also under the new name of theirs. */
static void
add_meanings(const Wishes *w, CatRefs *all, const char *schema, const char *const *p, size_t n)
{
    static const CatKind wholes[] = {CAT_TABLE, CAT_ENUM}, parts[] = {CAT_COLUMN, CAT_ENUM};
    for (size_t i = 0; i < 2; i++) {
        if (n == 1) {
            add_meaning(w, all, (CatRef){wholes[i], schema, p[0], NULL});
        } else if (n == 2) {
            const CatRef part = {parts[i], schema, p[0], p[1]};
            add_meaning(w, all, part);
            add_meaning(w, all, wish_part_was(w, part));
        }
    }
}

static CatRefs
meanings(const Wishes *w, const char *const *p, size_t n)
{
    CatRefs all = {0};
    const Catalog *sides[] = {w->from, w->to};
    for (size_t i = 0; i < 2; i++)
        cat_each (CatSchema, s, &sides[i]->schemas) {
            add_meanings(w, &all, s->id.name, p, n);
            if (strcmp(s->id.name, p[0]) == 0)
                add_meanings(w, &all, s->id.name, p + 1, n - 1);
        }
    return all;
}

static bool
find_old(const Wishes *w, Str text, const char *const *p, size_t n, CatRef *ret, Err *err)
{
    CatRefs all = meanings(w, p, n);
    if (!all.n) {
        err_set(err, ERR_USAGE, "nothing of that name to rename: \"" STR_FMT "\"", STR_ARG(text));
        return err_hint(err, "names are those of the database, with upper and lower case: TABLE, "
                             "TABLE.COLUMN, ENUM or ENUM.VALUE, with SCHEMA. in front if needed");
    }
    if (all.n > 1) {
        err_set(err, ERR_USAGE, "the rename \"" STR_FMT "\" has more than one meaning",
                STR_ARG(text));
        err_detail(err, "%s, or %s", cat_ref_text(w->arena, &all.v[0]),
                   cat_ref_text(w->arena, &all.v[1]));
        return err_hint(err, "write the schema in front, as in --rename public.User:Account");
    }
    *ret = all.v[0];
    return true;
}

/* The new name of a table or enum, which may go to another schema. */
static bool
find_new_whole(const Wishes *w, const CatRef *old, const char *const *p, size_t n, CatRef *ret)
{
    *ret = (CatRef){old->kind, n == 2 ? p[0] : old->schema, p[n - 1], NULL};
    if (n == 1 && !wish_exists(w->to, *ret))
        *ret = find_elsewhere(w->to, w->from, *ret);
    return n <= 2;
}

/* The new name of a column or value, alone or behind the old or new name of what it belongs to. */
static bool
find_new_part(const Wishes *w, const CatRef *old, const char *const *p, size_t n, CatRef *ret)
{
    CatRef now = wish_part_now(w, *old);
    *ret = (CatRef){old->kind, now.schema, now.name, p[n - 1]};
    const CatRef *wholes[] = {old, &now};
    for (size_t i = 0; i < 2; i++)
        if (n == 1 || (strcmp(p[n - 2], wholes[i]->name) == 0 &&
                       (n == 2 || strcmp(p[0], wholes[i]->schema) == 0)))
            return true;
    return false;
}

static bool
read_text(Wishes *w, Str text, bool parts, Err *err)
{
    const char *old[PARTS_MAX], *now[PARTS_MAX];
    size_t colon = find_colon(text);
    if (colon == text.n)
        return unreadable(text, err);
    size_t nold = read_path(w->arena, str_trim(str_slice(text, 0, colon)), old);
    size_t nnow = read_path(w->arena, str_trim(str_slice(text, colon + 1, text.n)), now);
    if (!nold || !nnow)
        return unreadable(text, err);
    Wish x;
    Err ignored;
    if (!find_old(w, text, old, nold, &x.old, parts ? err : &ignored))
        return !parts; /* may be known when the tables are */
    if ((x.old.sub != NULL) != parts)
        return true;
    if (parts ? !find_new_part(w, &x.old, now, nnow, &x.now)
              : !find_new_whole(w, &x.old, now, nnow, &x.now)) {
        err_set(err, ERR_USAGE, "a rename does not move to another table: \"" STR_FMT "\"",
                STR_ARG(text));
        return err_hint(err, "give the new name alone, as in --rename User.mail:email; a table "
                             "and its column are two renames");
    }
    *vec_add(w->arena, &w->all) = x;
    return true;
}

/* ---- those of the schema --------------------------------------------------------------------- */

/* The object of `from` that an annotation means; none: one with the name that it gives. */
static CatRef
find_former(const Wishes *w, const CatFormer *f)
{
    if (f->now.sub) {
        CatRef old = wish_part_was(w, f->now);
        old.sub = f->was;
        return old;
    }
    CatRef old = {f->now.kind, f->now.schema, f->was, NULL};
    const char *p[PARTS_MAX];
    if (wish_exists(w->from, old))
        return old;
    if (read_path(w->arena, str_of(f->was), p) == 2)
        return (CatRef){f->now.kind, p[0], p[1], NULL};
    return find_elsewhere(w->from, w->to, old);
}

/* Whether something of the kind goes, which may be what a mistyped name means; with a part of what is
 * not there, what goes may be the whole. */
static bool
something_goes(const Wishes *w, const CatRef *old)
{
    const CatRef whole = wish_whole_of(*old);
    if (old->sub && !wish_exists(w->from, whole))
        return something_goes(w, &whole);
    if (old->kind == CAT_TABLE) {
        cat_each (CatRelation, t, &w->from->tables)
            if (wish_goes(w, t->id))
                return true;
    } else if (old->kind == CAT_COLUMN) {
        const CatRelation *t = catalog_find(w->from, wish_whole_of(*old));
        if (t)
            cat_each (CatColumn, column, &t->columns)
                if (wish_goes(w, column->id))
                    return true;
    } else if (!old->sub) {
        cat_each (CatEnum, e, &w->from->enums)
            if (wish_goes(w, e->id))
                return true;
    } else {
        const CatEnum *e = catalog_find(w->from, wish_whole_of(*old));
        if (e)
            vec_each (const char *, label, &e->labels)
                if (wish_goes(w, (CatRef){CAT_ENUM, old->schema, old->name, *label}))
                    return true;
    }
    return false;
}

static bool
refuse_former(const Wishes *w, const CatFormer *f, const CatRef *old, const char *why, Err *err)
{
    err_set(err, ERR_USAGE, "the @renamed of %s cannot be followed: %s",
            cat_ref_text(w->arena, &f->now), why);
    err_detail(err, "it says that it was %s", cat_ref_text(w->arena, old));
    return err_hint(err,
                    "correct the annotation, remove it if that is long ago, or say it for this "
                    "time with --rename OLD:NEW");
}

static CatRef
before(const Wishes *w, CatRef now)
{
    return now.sub ? wish_part_was(w, now) : now;
}

/* Whether annotations lead back to the first: they would be followed again and again. */
static bool
is_circle(const Wishes *w, const DiffWishes *in, const CatFormer *first)
{
    CatRef old = find_former(w, first);
    for (size_t steps = 0; steps < in->nformer; steps++) {
        const CatFormer *next = NULL;
        for (size_t i = 0; i < in->nformer; i++)
            if (wish_same(&old, before(w, in->former[i].now)))
                next = &in->former[i];
        if (!next || next == first)
            return next;
        old = find_former(w, next);
    }
    return false;
}

static bool
read_former(Wishes *w, const DiffWishes *in, const CatFormer *f, Err *err)
{
    CatRef old = find_former(w, f), now = before(w, f->now);
    if (wish_to(w, f->now))
        return true; /* it was typed, too */
    if (wish_exists(w->from, old) && is_circle(w, in, f))
        return refuse_former(w, f, &old, "names that are exchanged would be exchanged each time",
                             err);
    if (!wish_exists(w->from, old)) {
        bool is_done = wish_exists(w->from, now) && !wish_from(w, now);
        if (is_done || !something_goes(w, &old))
            return true;
        return refuse_former(w, f, &old, "there is nothing of that name, and others would go", err);
    }
    if (wish_exists(w->from, now) && wish_exists(w->to, old.sub ? wish_part_now(w, old) : old) &&
        !wish_from(w, now))
        return true; /* of an earlier time: both are there, and stay */
    *vec_add(w->arena, &w->all) = (Wish){.old = old, .now = f->now};
    return true;
}

/* An annotation that cannot be read is passed over only where nothing goes that it may mean. */
static bool
check_unread(const Wishes *w, const CatRef *now, Err *err)
{
    const CatRef old = before(w, *now);
    if (wish_to(w, *now) || !something_goes(w, &old))
        return true;
    err_set(err, ERR_USAGE, "the @renamed of %s cannot be read", cat_ref_text(w->arena, now));
    err_detail(err, "others would go, and what is not renamed is dropped");
    return err_hint(err, "write /// @renamed(from: \"old\"), or remove it and say it for this time "
                         "with --rename OLD:NEW");
}

/* ---- whether they can be done ----------------------------------------------------------------- */

static bool
refuse(const Wishes *w, const Wish *x, const char *why, const char *hint, Err *err)
{
    err_set(err, ERR_USAGE, "%s cannot be renamed to \"%s\": %s", cat_ref_text(w->arena, &x->old),
            x->now.sub ? x->now.sub : x->now.name, why);
    return err_hint(err, "%s", hint);
}

static bool
check(const Wishes *w, const Wish *x, Err *err)
{
    const CatRef later = x->old.sub ? wish_part_now(w, x->old) : x->old;
    if (!wish_exists(w->to, x->now))
        return refuse(w, x, "nothing is called so afterwards",
                      "the new name is that of the database (@map, @@map), with upper and lower "
                      "case; with SCHEMA. in front if it is in another schema",
                      err);
    vec_each (const Wish, y, &w->all)
        if (y != x && (wish_same(&y->old, x->old) || wish_same(&y->now, x->now)))
            return refuse(w, x,
                          wish_same(&y->old, x->old) ? "it is renamed to something else, too"
                                                     : "something else is renamed to that, too",
                          "give one rename for each name", err);
    if (wish_exists(w->from, before(w, x->now)) && !wish_from(w, before(w, x->now)))
        return refuse(w, x, "there is one of that name already",
                      "rename or drop that one first, in a migration of its own", err);
    if (wish_exists(w->to, later) && !wish_to(w, later))
        return refuse(w, x, "the old name is there afterwards, too",
                      "leave one of both to a later migration: what is renamed, or what is new "
                      "under the old name",
                      err);
    return true;
}

bool
diff_wishes(Arena *a, const DiffWishes *in, const Catalog *from, const Catalog *to, CatRenames *ret,
            Err *err)
{
    Wishes w = {.arena = a, .from = from, .to = to};
    for (int parts = 0; parts < 2; parts++) {
        for (size_t i = 0; i < in->ntexts; i++)
            if (!read_text(&w, str_of(in->texts[i]), parts, err))
                return false;
        for (size_t i = 0; i < in->nformer; i++)
            if ((in->former[i].now.sub != NULL) == parts &&
                !read_former(&w, in, &in->former[i], err))
                return false;
    }
    if (in->unread)
        vec_each (const CatRef, now, in->unread)
            if (!check_unread(&w, now, err))
                return false;
    if (!in->prisma_compat)
        wishes_follow_joins(&w, in);
    vec_each (const Wish, x, &w.all) {
        if (!check(&w, x, err))
            return false;
        bool moves = strcmp(x->now.schema, x->old.schema) != 0 && !x->old.sub;
        *vec_add(a, ret) = (CatRename){x->old, x->now.sub ? x->now.sub : x->now.name,
                                       moves ? x->now.schema : NULL};
    }
    return true;
}
