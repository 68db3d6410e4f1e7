/* Whether the result is valid, and which keys are to blame where it is not. */
#include "bridge/pull_int.h"

static bool
lies_in(const Finding *d, PslSpan span)
{
    return d->off >= span.off && d->off < span.off + span.len;
}

/* The block in which an error lies. */
static const PslDecl *
block_at(const PslSchema *s, const Finding *d)
{
    for (size_t i = 0; i < s->ndecls; i++)
        if (s->decls[i]->file->source == d->source && lies_in(d, s->decls[i]->span))
            return s->decls[i];
    return NULL;
}

/* The attribute in which it lies; *ret_field: whose, "" for those of the block. */
static const PslAttr *
attr_at(const PslDecl *decl, const Finding *d, Str *ret_field)
{
    for (size_t i = 0; i < decl->attrs.n; i++)
        if (lies_in(d, decl->attrs.v[i].span))
            return &decl->attrs.v[i];
    for (size_t i = 0; i < decl->fields.n; i++)
        for (size_t k = 0; k < decl->fields.v[i].attrs.n; k++)
            if (lies_in(d, decl->fields.v[i].attrs.v[k].span)) {
                *ret_field = decl->fields.v[i].name;
                return &decl->fields.v[i].attrs.v[k];
            }
    return NULL;
}

/* Keys that the old schema has are kept as they stand there. */
static bool
is_written_as(PullCtx *c, const PullModel *m, const PullKey *k, Str text)
{
    if (str_is(text, pull_key_text(c, m, k)))
        return true;
    if (!k->old)
        return false;
    PslSpan span = k->old->attr->span;
    return str_eq(text, str_slice(m->old->decl->file->source->text, span.off, span.off + span.len));
}

static void
blame(PullCtx *c, const PullModel *m, const PullKey *k)
{
    const CatRef *t = &m->table->id;
    *vec_add(c->a, c->unsayable) = (CatRef){CAT_INDEX, t->schema, t->name, k->name};
}

/* A key whose name something else of the model has, too: a foreign key, which is worth more. */
static void
blame_name(PullCtx *c, const PslDecl *decl, const Finding *d)
{
    vec_each (PullModel *, m, &c->models)
        vec_each (const PullKey, k, &(*m)->keys)
            if (str_is(decl->name, (*m)->name) && !k->is_left_out && k->name &&
                strstr(d->text, str_fmt(c->a, "\"%s\"", k->name))) {
                blame(c, *m, k);
                return;
            }
}

/* One index is no reason to have no schema at all. */
static void
blame_key(PullCtx *c, const PslDecl *decl, const Finding *d)
{
    Str field = STR("");
    const PslAttr *at = attr_at(decl, d, &field);
    if (!at) {
        blame_name(c, decl, d);
        return;
    }
    Str text = str_slice(d->source->text, at->span.off, at->span.off + at->span.len);
    vec_each (PullModel *, m, &c->models)
        vec_each (const PullKey, k, &(*m)->keys)
            if (str_is(decl->name, (*m)->name) && !k->is_left_out &&
                str_is(field, k->field ? k->field->name : "") && is_written_as(c, *m, k, text)) {
                blame(c, *m, k);
                return;
            }
    blame_name(c, decl, d);
}

bool
pull_check(PullCtx *c, Err *err)
{
    FindingList diags;
    findings_init(&diags, c->a, NULL);
    PslSchema *s = psl_parse(c->a, c->out->files, c->out->nfiles, &diags);
    PslResolved *r = psl_validate(c->a, s, NULL, &diags);
    if (s->errors + r->errors == 0)
        return true;
    findings_sort(&diags);
    const Finding *first = NULL;
    vec_each (const Finding, d, &diags.items) {
        if (d->severity != SEV_ERROR)
            continue;
        const PslDecl *at = block_at(s, d);
        if (at)
            blame_key(c, at, d);
        if (first)
            continue;
        first = d;
        err_set(err, ERR_INTERNAL, "the schema of this database would not be valid");
        if (at)
            err_detail(err, "%s \"" STR_FMT "\": %s", psl_decl_word(at->kind), STR_ARG(at->name),
                       d->text);
        else
            err_detail(err, "%s", d->text);
    }
    return err_hint(err,
                    "please report this with the definition of the table; nothing was written");
}
