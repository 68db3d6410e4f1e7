/* Old blocks: their own text with edits. */
#include "bridge/pull_int.h"

/* The lines of a block that is being edited. */
typedef struct Edit {
    PullCtx *c;
    const PslDecl *decl;
    Buf b;
    size_t comments; /* where the comments above the next line begin */
    bool changed;
} Edit;

static void
begin(Edit *e, PullCtx *c, const PslDecl *decl)
{
    *e = (Edit){.c = c, .decl = decl};
    buf_init(&e->b, c->a);
    Str after = psl_text(decl->file, decl->after_brace);
    buf_fmt(&e->b, "%s " STR_FMT " {", psl_decl_keyword(decl->kind), STR_ARG(decl->name));
    if (after.n) {
        buf_addc(&e->b, ' ');
        buf_add(&e->b, after);
    }
    buf_addc(&e->b, '\n');
    e->comments = e->b.n;
}

static Str
finish(Edit *e)
{
    buf_addz(&e->b, "}\n");
    return e->changed ? pull_laid_out(e->c, buf_str(&e->b))
                      : psl_text(e->decl->file, e->decl->span);
}

/* A line, with the comment that stood behind it; then comments begin anew. */
static void
end_line(Edit *e, PslSpan comment)
{
    if (comment.len) {
        buf_addc(&e->b, ' ');
        buf_add(&e->b, psl_text(e->decl->file, comment));
    }
    buf_addc(&e->b, '\n');
    e->comments = e->b.n;
}

static void
keep(Edit *e, PslSpan span, PslSpan comment)
{
    buf_addz(&e->b, "  ");
    buf_add(&e->b, psl_text(e->decl->file, span));
    end_line(e, comment);
}

/* Without a line that is no longer so, and without what was said about it. */
static void
drop(Edit *e)
{
    e->b.n = e->comments;
    e->b.p[e->b.n] = 0;
    e->changed = true;
}

/* The same, with a word about it. */
static void
lose(Edit *e, const char *what, Str name)
{
    pull_find(e->c, FINDING_PULL_REMOVED,
              str_fmt(e->c->a, "%s \"" STR_FMT "." STR_FMT "\"", what, STR_ARG(e->decl->name),
                      STR_ARG(name)));
    drop(e);
}

/* A comment or a blank line; a blank line ends what is said about the next line. */
static void
other(Edit *e, const PslItem *item)
{
    if (item->kind == PSL_ITEM_BLANK) {
        buf_addc(&e->b, '\n');
        e->comments = e->b.n;
    } else {
        buf_addz(&e->b, "  ");
        buf_add(&e->b, psl_text(e->decl->file, item->span));
        buf_addc(&e->b, '\n');
    }
}

static bool
is_native(Str name)
{
    return str_starts(name, STR("db."));
}

static const char *
part_name(PullPart part)
{
    static const char *const names[PART_COUNT] = {"id",       "unique", "default", "map",
                                                  "relation", "",       "ignore"};
    return names[part];
}

static bool
same_part(const char *x, const char *y)
{
    return x && y ? strcmp(x, y) == 0 : !x && !y;
}

/* Write an old field with the parts that differ: `set` says which, `to` what they become. */
static void
change(Edit *e, const PslField *f, const char *type, const PullField *to, const bool *set)
{
    buf_fmt(&e->b, "  " STR_FMT " %s", STR_ARG(f->name), type);
    vec_each (const PslAttr, attr, &f->attrs) {
        PullPart part = 0;
        while (part < PART_COUNT &&
               !(part == PART_NATIVE ? is_native(attr->name) : str_is(attr->name, part_name(part))))
            part++;
        if (str_is(attr->name, "updatedAt") &&
            (strcmp(to->type, "DateTime") != 0 || strcmp(to->arity, "[]") == 0))
            continue;
        if (part == PART_COUNT || !set[part]) {
            buf_addc(&e->b, ' ');
            buf_add(&e->b, psl_text(e->decl->file, attr->span));
        }
    }
    for (PullPart part = 0; part < PART_COUNT; part++)
        if (set[part] && to->parts[part])
            buf_fmt(&e->b, " %s", to->parts[part]);
    end_line(e, f->comment);
    e->changed = true;
}

static bool
is_client_default(const PslDefault *d)
{
    return d->kind == PSL_DEFAULT_UUID || d->kind == PSL_DEFAULT_CUID ||
           d->kind == PSL_DEFAULT_ULID || d->kind == PSL_DEFAULT_NANOID;
}

/* Defaults of which the database knows nothing, or not what they are. */
static bool
is_own_default(const PslDefault *d, const PullField *now)
{
    if (d->kind == PSL_DEFAULT_DBGENERATED)
        return !d->value && now->parts[PART_DEFAULT];
    return is_client_default(d) && !now->parts[PART_DEFAULT];
}

/* Whether the key that is written at a field is to be written anew: it is gone, has come, or is
 * called otherwise. */
static bool
is_key_changed(const PullModel *m, const PullField *f, PullPart part)
{
    PslKeyKind kind = part == PART_ID ? PSL_KEY_ID : PSL_KEY_UNIQUE;
    vec_each (const PullKey, k, &m->keys)
        if (k->kind == kind && k->old && k->old->source == f->old)
            return !str_is(k->old->name, k->name);
    vec_each (const PullKey, k, &m->old_keys)
        if (k->kind == kind && k->old && k->old->source == f->old)
            return true;
    return f->parts[part] != NULL;
}

static void
edit_scalar(Edit *e, PullModel *m, PullField *f)
{
    const PslField *ast = f->old->ast;
    bool set[PART_COUNT] = {0}, any = false;
    const CatColumn *column = m->old_table ? catalog_column(m->old_table, f->column->id.sub) : NULL;
    PullField was = {.name = f->name, .type = "", .arity = ""};
    if (column)
        pull_fill_field(e->c, e->c->old_bridge.catalog, column, &was);
    else /* of a view, which says nothing about the database */
        was = *f;
    bool same_type =
        strcmp(was.type, f->type) == 0 ||
        (was.unsupported && f->unsupported && catalog_type_same(&column->type, &f->column->type));
    set[PART_NATIVE] = !same_type || !same_part(was.parts[PART_NATIVE], f->parts[PART_NATIVE]);
    bool keeps_own = same_type && (strcmp(was.arity, "[]") == 0) == (strcmp(f->arity, "[]") == 0) &&
                     is_own_default(&f->old->dflt, f);
    set[PART_DEFAULT] =
        !keeps_own && (!same_part(was.parts[PART_DEFAULT], f->parts[PART_DEFAULT]) ||
                       is_client_default(&f->old->dflt));
    for (PullPart part = PART_ID; column && part <= PART_UNIQUE; part++)
        set[part] = is_key_changed(m, f, part);
    for (PullPart part = 0; part < PART_COUNT; part++)
        any = any || set[part];
    bool retyped = !same_type || strcmp(was.arity, f->arity) != 0;
    if (!any && !retyped)
        keep(e, ast->span, ast->comment);
    else
        change(e, ast,
               retyped ? str_fmt(e->c->a, "%s%s", f->type, f->arity)
                       : str_dup(e->c->a, psl_text(e->decl->file, ast->type.span)),
               f, set);
}

static const PullField *
relation_of(const PullModel *m, const PslModelField *old)
{
    vec_each (const PullField, f, &m->relations)
        if (f->old == old)
            return f;
    return NULL;
}

static void
edit_relation(Edit *e, const PullModel *m, const PslModelField *old)
{
    static const char *const arities[] = {
        [PSL_REQUIRED] = "", [PSL_OPTIONAL] = "?", [PSL_LIST] = "[]"};
    const PullField *f = relation_of(m, old);
    const PslField *ast = old->ast;
    if (!f) {
        lose(e, "field", old->name);
        return;
    }
    bool set[PART_COUNT] = {[PART_RELATION] = f->parts[PART_RELATION] != NULL,
                            [PART_IGNORE] = f->parts[PART_IGNORE] && !old->is_ignored};
    bool retyped = strcmp(arities[ast->type.arity], f->arity) != 0;
    if (!set[PART_RELATION] && !set[PART_IGNORE] && !retyped)
        keep(e, ast->span, ast->comment);
    else
        change(e, ast, str_fmt(e->c->a, "%s%s", f->type, f->arity), f, set);
}

/* A key's attribute: as it is, under another name, or not any more. */
static void
edit_attr(Edit *e, PullModel *m, const PslAttr *attr)
{
    const PslKey *old = NULL;
    if (m->old->id && m->old->id->attr == attr)
        old = m->old->id;
    vec_each (PslKey *, k, &m->old->keys)
        if ((*k)->attr == attr)
            old = *k;
    if (!old || !m->old_table) {
        keep(e, attr->span, attr->comment);
        return;
    }
    vec_each (const PullKey, k, &m->keys) {
        if (k->old != old)
            continue;
        if (str_is(old->name, k->name)) {
            keep(e, attr->span, attr->comment);
            return;
        }
        buf_fmt(&e->b, "  %s", pull_key_text(e->c, m, k));
        end_line(e, attr->comment);
        e->changed = true;
        return;
    }
    drop(e);
}

/* New columns stand behind the one in front of them. */
static void
add_new_fields(Edit *e, PullModel *m, const PslModelField *after)
{
    bool here = after == NULL;
    vec_each (PullField, f, &m->fields) {
        if (f->old) {
            here = f->old == after;
            continue;
        }
        if (!here)
            continue;
        pull_add_field(&e->b, f);
        e->comments = e->b.n;
        e->changed = true;
    }
}

static void
add_new_relations(Edit *e, const PullModel *m)
{
    vec_each (const PullField, f, &m->relations)
        if (!f->old) {
            pull_add_field(&e->b, f);
            e->comments = e->b.n;
            e->changed = true;
        }
}

static PullField *
field_of(PullModel *m, const PslModelField *old)
{
    vec_each (PullField, f, &m->fields)
        if (f->old == old)
            return f;
    return NULL;
}

static size_t
last_field(const PslDecl *decl)
{
    size_t last = 0;
    for (size_t i = 0; i < decl->items.n; i++)
        if (decl->items.v[i].kind == PSL_ITEM_FIELD)
            last = i + 1;
    return last;
}

static void
edit_field(Edit *e, PullModel *m, const PslModelField *old)
{
    if (old->kind == PSL_FIELD_RELATION) {
        edit_relation(e, m, old);
        return;
    }
    PullField *f = field_of(m, old);
    if (f)
        edit_scalar(e, m, f);
    else
        lose(e, "field", old->name);
    add_new_fields(e, m, old);
}

Str
pull_edit_model(PullCtx *c, PullModel *m)
{
    const PslDecl *decl = m->old->decl;
    size_t last = last_field(decl);
    Edit e;
    begin(&e, c, decl);
    add_new_fields(&e, m, NULL);
    for (size_t i = 0; i < decl->items.n; i++) {
        const PslItem *item = &decl->items.v[i];
        if (item->kind == PSL_ITEM_FIELD)
            edit_field(&e, m, &m->old->fields[item->index]);
        else if (item->kind == PSL_ITEM_ATTR)
            edit_attr(&e, m, &decl->attrs.v[item->index]);
        else
            other(&e, item);
        if (i + 1 == last)
            add_new_relations(&e, m);
    }
    vec_each (const PullKey, k, &m->keys)
        if (!k->old && !k->field && !k->is_left_out) {
            buf_fmt(&e.b, "  %s\n", pull_key_text(c, m, k));
            e.changed = true;
        }
    if (!m->has_id && !m->old->is_ignored) {
        buf_addz(&e.b, "  @@ignore\n");
        e.changed = true;
    }
    if (c->says_schema && !psl_attr(decl->attrs, "schema")) {
        pull_add_schema(c, &e.b, m->table->id.schema);
        e.changed = true;
    }
    return finish(&e);
}

static size_t
label_of(const PullEnum *en, const PslEnumValue *old)
{
    size_t i = 0;
    while (i < en->values.n && !str_is(old->db_name, en->type->labels.v[i]))
        i++;
    return i;
}

/* The old value behind a label, or NULL. */
static const PslEnumValue *
value_of(const PullEnum *en, size_t label)
{
    for (size_t k = 0; k < en->old->nvalues; k++)
        if (label_of(en, &en->old->values[k]) == label)
            return &en->old->values[k];
    return NULL;
}

/* The labels from `from` on, up to one that was there already. */
static void
add_new_values(Edit *e, const PullEnum *en, size_t from)
{
    for (size_t i = from; i < en->values.n && !value_of(en, i); i++) {
        pull_add_value(&e->b, en->values.v[i], en->type->labels.v[i]);
        e->comments = e->b.n;
        e->changed = true;
    }
}

static bool
is_in_order(const PullEnum *en)
{
    size_t last = 0;
    for (size_t k = 0; k < en->old->nvalues; k++) {
        size_t label = label_of(en, &en->old->values[k]);
        if (label == en->values.n)
            continue;
        if (label < last)
            return false;
        last = label;
    }
    return true;
}

/* The comments directly above an item. */
static void
add_comments_above(Edit *e, size_t item)
{
    const PslItem *items = e->decl->items.v;
    size_t first = item;
    while (first && (items[first - 1].kind == PSL_ITEM_COMMENT ||
                     items[first - 1].kind == PSL_ITEM_BLOCK_COMMENT))
        first--;
    for (; first < item; first++)
        other(e, &items[first]);
}

/* Values in the order of the database, which is part of the type; each with its comments. */
static void
reorder(Edit *e, const PullEnum *en)
{
    const PslItems *items = &e->decl->items;
    e->changed = true;
    for (size_t i = 0; i < en->values.n; i++) {
        const PslEnumValue *old = value_of(en, i);
        if (!old) {
            pull_add_value(&e->b, en->values.v[i], en->type->labels.v[i]);
            e->comments = e->b.n;
            continue;
        }
        for (size_t k = 0; k < items->n; k++)
            if (items->v[k].kind == PSL_ITEM_VALUE && items->v[k].index == old->ast->index)
                add_comments_above(e, k);
        keep(e, old->ast->span, old->ast->comment);
    }
    for (size_t k = 0; k < items->n; k++) {
        const PslItem *item = &items->v[k];
        if (item->kind == PSL_ITEM_ATTR) {
            const PslAttr *attr = &e->decl->attrs.v[item->index];
            add_comments_above(e, k);
            keep(e, attr->span, attr->comment);
        } else if (item->kind == PSL_ITEM_VALUE &&
                   label_of(en, &en->old->values[item->index]) == en->values.n) {
            lose(e, "enum value", en->old->values[item->index].name);
        }
    }
}

Str
pull_edit_enum(PullCtx *c, const PullEnum *en)
{
    const PslDecl *decl = en->old->decl;
    Edit e;
    begin(&e, c, decl);
    if (!is_in_order(en)) {
        reorder(&e, en);
        return finish(&e);
    }
    add_new_values(&e, en, 0);
    for (size_t i = 0; i < decl->items.n; i++) {
        const PslItem *item = &decl->items.v[i];
        if (item->kind == PSL_ITEM_ATTR) {
            const PslAttr *attr = &decl->attrs.v[item->index];
            keep(&e, attr->span, attr->comment);
        } else if (item->kind == PSL_ITEM_VALUE) {
            const PslEnumValue *old = &en->old->values[item->index];
            size_t label = label_of(en, old);
            if (label == en->values.n) {
                lose(&e, "enum value", old->name);
                continue;
            }
            keep(&e, old->ast->span, old->ast->comment);
            add_new_values(&e, en, label + 1);
        } else {
            other(&e, item);
        }
    }
    return finish(&e);
}
