/* What a comparison has found, on the tables that it is about. */
#include "erd/erd_int.h"

#include "render/render.h"

static ErdMark
mark_of(const Change *c)
{
    return c->op == CHANGE_CREATE ? ERD_ADDED : c->op == CHANGE_DROP ? ERD_REMOVED : ERD_CHANGED;
}

/* What is dropped and made again has changed. */
static ErdMark
both(ErdMark was, ErdMark now)
{
    return was == ERD_SAME || was == now ? now : ERD_CHANGED;
}

static bool
is_same(const char *x, const char *y)
{
    return strcmp(x ? x : "", y ? y : "") == 0;
}

static ErdBox *
find_box(Erd *e, const char *kind, const CatRef *id)
{
    vec_each (ErdBox, b, &e->boxes)
        if (is_same(b->kind, kind) && is_same(b->schema, id->schema) && is_same(b->name, id->name))
            return b;
    return NULL;
}

static ErdRow *
find_row(ErdBox *box, const char *name, bool is_part)
{
    vec_each (ErdRow, r, &box->rows)
        if (r->is_part == is_part && is_same(r->name, name))
            return r;
    return NULL;
}

static void
touch(ErdBox *box)
{
    if (box->mark == ERD_SAME)
        box->mark = ERD_CHANGED;
}

static void
add_part(Erd *e, ErdBox *box, const char *kind, const char *name, ErdMark mark)
{
    const char *text = str_fmt(e->arena, "%s %s", kind, name);
    ErdRow *there = find_row(box, text, true);
    if (there)
        there->mark = both(there->mark, mark);
    else
        *vec_add(e->arena, &box->rows) = (ErdRow){.name = text, .is_part = true, .mark = mark};
}

/* ---- tables ---------------------------------------------------------------------------------- */

static void
take_column(Erd *e, ErdBox *box, const ColumnChange *c)
{
    static const ErdMark marks[] = {[COLUMN_ADD] = ERD_ADDED,
                                    [COLUMN_DROP] = ERD_REMOVED,
                                    [COLUMN_ALTER] = ERD_CHANGED,
                                    [COLUMN_RECREATE] = ERD_CHANGED};
    ErdRow *row = find_row(box, c->to ? c->to->id.sub : c->from->id.sub, false);
    if (!row)
        return;
    row->mark = both(row->mark, marks[c->op]);
    if (!c->from || !c->to)
        return;
    if (!catalog_type_same(&c->from->type, &c->to->type))
        row->was = c->from->type.text;
    else if (c->from->is_not_null != c->to->is_not_null)
        row->was = c->from->is_not_null ? "not null" : "null";
    else if (!is_same(c->from->default_expr, c->to->default_expr))
        row->was = c->from->default_expr ? str_fmt(e->arena, "default %s", c->from->default_expr)
                                         : "no default";
}

static void
take_table(Erd *e, const Change *c)
{
    const CatObject *o = c->to ? c->to : c->from;
    ErdBox *box = find_box(e, NULL, &o->id);
    if (!box)
        return;
    box->mark = both(box->mark, mark_of(c));
    vec_each (const ColumnChange, k, &c->columns)
        take_column(e, box, k);
    if (c->op != CHANGE_ALTER)
        return;
    const CatConstraint *from = c->drop_key, *to = c->add_key;
    if (from || to)
        add_part(e, box, "primary key", to ? to->id.sub : from->id.sub,
                 from && to ? ERD_CHANGED
                 : to       ? ERD_ADDED
                            : ERD_REMOVED);
    vec_each (const char *, field, &c->fields)
        add_part(e, box, *field, "", ERD_CHANGED);
}

static bool
take_join(Erd *e, const ErdBox *box, const CatObject *o, ErdMark mark)
{
    const CatConstraint *k = (const CatConstraint *)o;
    if (o->id.kind != CAT_CONSTRAINT || k->type != CAT_FOREIGN_KEY)
        return false;
    vec_each (ErdJoin, j, &e->joins)
        if (&e->boxes.v[j->from] == box && is_same(j->name, o->id.sub))
            j->mark = both(j->mark, mark);
    return true;
}

/* An index, constraint, trigger, policy of a table that stays. */
static void
take_part(Erd *e, const Change *c)
{
    const CatObject *o = c->to ? c->to : c->from;
    CatRef at = o->id;
    const char *name = at.sub, *more = "";
    if (at.kind == CAT_INDEX) {
        name = at.name;
        at.name = ((const CatIndex *)o)->table;
    }
    ErdBox *box = find_box(e, NULL, &at);
    if (!box ||
        (take_join(e, box, o, mark_of(c)) && box->mark != ERD_SAME && box->mark != ERD_CHANGED))
        return;
    if (box->mark == ERD_ADDED || box->mark == ERD_REMOVED)
        return;
    touch(box);
    if (at.kind == CAT_INDEX)
        more = render_part(e->arena, o, at.schema);
    add_part(e, box, cat_kind_name(o->id.kind),
             str_fmt(e->arena, "%s%s%s", name, *more ? " " : "", more), mark_of(c));
}

/* ---- other objects --------------------------------------------------------------------------- */

static void
take_labels(Erd *e, ErdBox *box, const Change *c)
{
    const CatEnum *from = (const CatEnum *)c->from, *to = (const CatEnum *)c->to;
    for (int side = 0; side < 2; side++) {
        const CatEnum *x = side ? from : to, *other = side ? to : from;
        vec_each (const char *, label, x ? &x->labels : &(CatTexts){0}) {
            bool has_other = other && cat_has_text(&other->labels, *label);
            if (side && has_other)
                continue;
            *vec_add(e->arena, &box->rows) = (ErdRow){.name = *label,
                                                      .is_part = true,
                                                      .mark = has_other || !from || !to ? ERD_SAME
                                                              : side ? ERD_REMOVED
                                                                     : ERD_ADDED};
        }
    }
}

/* The sequence of a serial column is told by the column. */
static bool
is_of_column(const CatObject *o)
{
    return o->id.kind == CAT_SEQUENCE && ((const CatSequence *)o)->owner_table.name;
}

static void
take_other(Erd *e, const Change *c)
{
    const CatObject *o = c->to ? c->to : c->from;
    const char *kind = cat_kind_name(o->id.kind);
    ErdBox *box = find_box(e, kind, &o->id);
    if (!box) {
        box = vec_add(e->arena, &e->boxes);
        *box = (ErdBox){.kind = kind, .schema = o->id.schema, .name = o->id.name};
        if (o->id.kind == CAT_ENUM)
            take_labels(e, box, c);
    }
    box->mark = both(box->mark, mark_of(c));
}

/* A column's rename may name its table as it was before, too. */
static void
take_renamed(Erd *e, const CatRename *r)
{
    bool is_column = r->from.kind == CAT_COLUMN;
    if (r->from.kind != CAT_TABLE && !is_column)
        return;
    vec_each (ErdBox, box, &e->boxes) {
        if (box->kind)
            continue;
        if (!is_column && is_same(box->name, r->to) &&
            is_same(box->schema, r->schema ? r->schema : r->from.schema)) {
            box->was = r->from.name;
            touch(box);
        }
        bool is_its = is_same(box->schema, r->from.schema) &&
                      (is_same(box->name, r->from.name) || is_same(box->was, r->from.name));
        ErdRow *row = is_column && is_its ? find_row(box, r->to, false) : NULL;
        if (row) {
            row->was = r->from.sub;
            row->mark = both(row->mark, ERD_CHANGED);
            touch(box);
        }
    }
}

Erd *
erd_of_diff(Arena *a, const Diff *d)
{
    Erd *e = arena_new(a, Erd);
    *e = (Erd){.arena = a, .is_difference = true};
    erd_add_tables(e, d->to.catalog, d->from.catalog);
    vec_each (Change *, at, &d->changes) {
        const Change *c = *at;
        const CatObject *o = c->to ? c->to : c->from;
        if (c->is_aside || c->op == CHANGE_ATTACH || c->op == CHANGE_INDEX_STATE)
            continue;
        if (o->id.kind == CAT_TABLE)
            take_table(e, c);
        else if (o->id.kind == CAT_INDEX || cat_kind(o->id.kind)->is_part)
            take_part(e, c);
        else if (!is_of_column(o))
            take_other(e, c);
    }
    vec_each (const CatRename, r, &d->renamed)
        take_renamed(e, r);
    vec_each (ErdBox, b, &e->boxes) /* what is new is so with all of it */
        vec_each (ErdRow, r, &b->rows)
            if (b->mark == ERD_ADDED || b->mark == ERD_REMOVED)
                r->mark = ERD_SAME;
    vec_each (ErdJoin, j, &e->joins) {
        ErdMark marks[] = {e->boxes.v[j->from].mark, e->boxes.v[j->to].mark};
        for (int i = 0; i < 2; i++)
            if (marks[i] == ERD_ADDED || marks[i] == ERD_REMOVED)
                j->mark = marks[i];
    }
    erd_find_rows(e);
    return e;
}
