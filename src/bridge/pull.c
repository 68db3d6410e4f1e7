/* From blocks to files: what stays where it is, what goes, where new blocks stand. */
#include "bridge/pull_int.h"

#include <stdlib.h>

/* ---- edits of a file's text ---------------------------------------------------------------- */

typedef struct TextEdit {
    size_t off, len;
    Str text;
    size_t order;
} TextEdit;

typedef VEC(TextEdit) TextEdits;

typedef struct FileEdits {
    const PslFile *file;
    TextEdits edits;
    CatTexts models, enums; /* new blocks */
    size_t models_at, enums_at;
    bool has_models, has_enums; /* that stay: the places are behind them */
} FileEdits;

static void
edit(PullCtx *c, FileEdits *f, size_t off, size_t len, Str text)
{
    *vec_add(c->a, &f->edits) = (TextEdit){off, len, text, f->edits.n};
}

static int
by_place(const void *x, const void *y)
{
    const TextEdit *p = x, *q = y;
    if (p->off != q->off)
        return p->off < q->off ? -1 : 1;
    return (p->order > q->order) - (p->order < q->order);
}

/* ---- blocks that are there ----------------------------------------------------------------- */

/* The comments that belong to a block: those directly above it. */
static size_t
first_comment(const PslFile *f, size_t item)
{
    while (item && (f->items.v[item - 1].kind == PSL_ITEM_COMMENT ||
                    f->items.v[item - 1].kind == PSL_ITEM_BLOCK_COMMENT))
        item--;
    return item;
}

/* Behind the block and whatever else stands on its last line. */
static size_t
line_end(const PslFile *f, const PslDecl *decl)
{
    Str text = f->source->text;
    size_t at = decl->span.off + decl->span.len;
    while (at < text.n && text.p[at] != '\n')
        at++;
    return at;
}

/* Without a block, its comments, and the blank lines behind it. */
static void
remove_block(PullCtx *c, FileEdits *f, const PslDecl *decl)
{
    Str text = f->file->source->text;
    size_t off = f->file->items.v[first_comment(f->file, decl->item)].span.off;
    size_t end = line_end(f->file, decl);
    while (end < text.n && (text.p[end] == '\n' || text.p[end] == '\r'))
        end++;
    edit(c, f, off, end - off, STR(""));
}

static void
replace_block(PullCtx *c, FileEdits *f, const PslDecl *decl, const CatTexts *docs, Str text)
{
    size_t first = first_comment(f->file, decl->item);
    size_t off = f->file->items.v[first].span.off;
    Str above = str_slice(f->file->source->text, off, decl->span.off);
    Str more = pull_docs(c, docs, above);
    if (more.n)
        edit(c, f, decl->span.off, 0, more);
    if (!str_eq(text, psl_text(f->file, decl->span)))
        edit(c, f, decl->span.off, decl->span.len, text);
}

static void
removed(PullCtx *c, const PslDecl *decl)
{
    if (c->keeps)
        pull_find(
            c, FINDING_PULL_REMOVED,
            str_fmt(c->a, "%s \"" STR_FMT "\"", psl_decl_word(decl->kind), STR_ARG(decl->name)));
}

static void
edit_block(PullCtx *c, FileEdits *f, const PslDecl *decl, const Map *blocks)
{
    void *block = map_get(blocks, (Str){(const char *)&decl, sizeof decl});
    if (decl->kind == PSL_DATASOURCE || decl->kind == PSL_GENERATOR)
        return;
    if (!block) {
        remove_block(c, f, decl);
        removed(c, decl);
    } else if (decl->kind == PSL_ENUM) {
        CatTexts docs = pull_enum_docs(c, block);
        replace_block(c, f, decl, &docs, pull_edit_enum(c, block));
        f->enums_at = line_end(f->file, decl);
        f->has_enums = true;
    } else {
        PullModel *m = block;
        replace_block(c, f, decl, &m->docs, pull_edit_model(c, m));
        f->models_at = line_end(f->file, decl);
        f->has_models = true;
    }
}

/* ---- configuration ------------------------------------------------------------------------- */

/* A block with a property set to a value. */
static void
set_property(PullCtx *c, FileEdits *files, const PslDecl *decl, const char *name, const char *value)
{
    FileEdits *f = &files[decl->file - c->old->schema->files];
    const PslProp *prop = psl_prop(decl, name);
    if (prop) {
        edit(c, f, prop->value.span.off, prop->value.span.len, str_of(value));
        return;
    }
    Str block = psl_text(f->file, decl->span);
    Buf b;
    buf_init(&b, c->a);
    buf_add(&b, str_trim(str_slice(block, 0, block.n - 1)));
    buf_fmt(&b, "\n%s = %s\n}\n", name, value);
    edit(c, f, decl->span.off, decl->span.len, pull_laid_out(c, buf_str(&b)));
}

static void
set_schemas(PullCtx *c, FileEdits *files)
{
    if (!c->options->nschemas || !c->old->datasource)
        return;
    Buf b;
    buf_init(&b, c->a);
    for (size_t i = 0; i < c->options->nschemas; i++) {
        buf_addz(&b, i ? ", " : "[");
        pull_add_string(&b, str_of(c->options->schemas[i]));
    }
    buf_addc(&b, ']');
    set_property(c, files, c->old->datasource->decl, "schemas", b.p);
}

/* As Prisma's engine: without the feature the next migration would drop the indexes. */
static void
add_preview(PullCtx *c, FileEdits *files)
{
    for (size_t i = 0; c->adds_partial && i < c->old->ngenerators; i++) {
        const PslGenerator *g = &c->old->generators[i];
        Buf b;
        buf_init(&b, c->a);
        buf_addc(&b, '[');
        for (size_t k = 0; k < g->npreviews; k++) {
            pull_add_string(&b, g->previews[k]);
            buf_addz(&b, ", ");
        }
        buf_addz(&b, "\"partialIndexes\"]");
        set_property(c, files, g->decl, "previewFeatures", b.p);
    }
}

/* Generation 7 knows the feature, and has no URL in the datasource. */
static bool
may_add_preview(const PullCtx *c)
{
    const PslDatasource *ds = c->old->datasource;
    if (!c->old->ngenerators || !ds || ds->url.kind || ds->direct_url.kind || ds->shadow_url.kind)
        return false;
    cat_each (CatRelation, t, &c->catalog->tables)
        cat_each (CatIndex, i, &t->indexes) {
            bool expression = false;
            vec_each (const CatKey, key, &i->keys)
                expression = expression || key->expr;
            if (i->predicate && !expression)
                return true;
        }
    return false;
}

/* ---- new blocks ---------------------------------------------------------------------------- */

static size_t
main_file(const PullCtx *c)
{
    return c->old->datasource ? (size_t)(c->old->datasource->decl->file - c->old->schema->files)
                              : 0;
}

/* New blocks go where most models of their schema are, else into the main file. */
static size_t
file_for(PullCtx *c, const char *schema)
{
    const PslSchema *s = c->old->schema;
    size_t *count = arena_array(c->a, size_t, s->nfiles), best = main_file(c);
    if (s->nfiles == 1)
        return 0;
    vec_each (PullModel *, m, &c->models)
        if ((*m)->old && strcmp((*m)->table->id.schema, schema) == 0)
            count[(*m)->old->decl->file - s->files]++;
    for (size_t i = 0; i < s->nfiles; i++)
        if (count[i] > count[best])
            best = i;
    return best;
}

static size_t
remembered_file(PullCtx *c, Map *files, const char *schema)
{
    uintptr_t at = (uintptr_t)map_get(files, str_of(schema));
    if (!at) {
        at = file_for(c, schema) + 1;
        map_put(files, str_of(schema), (void *)at);
    }
    return at - 1;
}

/* A model without fields that an earlier pull has left as a comment. */
static bool
is_commented_out(PullCtx *c, const PullModel *m)
{
    Str head = str_of(str_fmt(c->a, "// model %s {\n", m->name));
    for (size_t i = 0; !m->table->columns.n && i < c->old->schema->nfiles; i++)
        if (str_contains(c->old->schema->files[i].source->text, head))
            return true;
    return false;
}

static void
add_new_blocks(PullCtx *c, FileEdits *files)
{
    Map places;
    map_init(&places, c->a);
    vec_each (PullModel *, m, &c->models)
        if (!(*m)->old && !is_commented_out(c, *m))
            *vec_add(c->a, &files[remembered_file(c, &places, (*m)->table->id.schema)].models) =
                pull_new_model(c, *m);
    vec_each (PullEnum *, e, &c->enums)
        if (!(*e)->old)
            *vec_add(c->a, &files[remembered_file(c, &places, (*e)->type->id.schema)].enums) =
                pull_new_enum(c, *e);
}

static void
add_at(PullCtx *c, FileEdits *f, const CatTexts *blocks, size_t at)
{
    vec_each (const char *, text, blocks) {
        Buf b;
        buf_init(&b, c->a);
        buf_fmt(&b, "\n\n%s", *text);
        edit(c, f, at, 0, buf_finish(&b));
    }
}

/* ---- files --------------------------------------------------------------------------------- */

static Str
applied(PullCtx *c, FileEdits *f)
{
    Str text = f->file->source->text;
    Buf b;
    buf_init(&b, c->a);
    size_t at = 0;
    if (f->edits.n)
        qsort(f->edits.v, f->edits.n, sizeof *f->edits.v, by_place);
    vec_each (const TextEdit, e, &f->edits) {
        buf_add(&b, str_slice(text, at, e->off));
        buf_add(&b, e->text);
        at = e->off + e->len;
    }
    buf_add(&b, str_slice(text, at, text.n));
    return buf_finish(&b);
}

/* The text without blank lines at its end; what is new begins behind one blank line. */
static Str
appended(PullCtx *c, Str text, const CatTexts *blocks)
{
    Buf b;
    buf_init(&b, c->a);
    while (text.n && strchr(" \t\r\n", text.p[text.n - 1]))
        text.n--;
    buf_add(&b, text);
    vec_each (const char *, block, blocks)
        buf_fmt(&b, "%s%s", b.n ? "\n\n" : "", *block);
    if (b.n)
        buf_addc(&b, '\n');
    return buf_finish(&b);
}

/* With the line ends of the file, where it has those of Windows. */
static Str
with_line_ends(PullCtx *c, const FileEdits *f, Str text)
{
    if (!str_contains(f->file->source->text, STR("\r\n")))
        return text;
    Buf b;
    buf_init(&b, c->a);
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == '\n' && !(i && text.p[i - 1] == '\r'))
            buf_addc(&b, '\r');
        buf_addc(&b, text.p[i]);
    }
    return buf_finish(&b);
}

static Str
finished_file(PullCtx *c, FileEdits *f)
{
    bool removes = false;
    CatTexts rest = {0};
    vec_each (const TextEdit, e, &f->edits)
        removes = removes || (!e->text.n && e->len);
    if (f->has_models)
        add_at(c, f, &f->models, f->models_at);
    else
        vec_each (const char *, block, &f->models)
            *vec_add(c->a, &rest) = *block;
    if (f->has_enums)
        add_at(c, f, &f->enums, f->enums_at);
    else
        vec_each (const char *, block, &f->enums)
            *vec_add(c->a, &rest) = *block;
    Str text = applied(c, f);
    if (rest.n || removes)
        text = appended(c, text, &rest);
    return f->edits.n || rest.n ? with_line_ends(c, f, text) : text;
}

static void
edit_files(PullCtx *c)
{
    const PslSchema *s = c->old->schema;
    FileEdits *files = arena_array(c->a, FileEdits, s->nfiles);
    Map blocks;
    map_init(&blocks, c->a);
    vec_each (PullModel *, m, &c->models)
        if ((*m)->old)
            map_put(&blocks, (Str){(const char *)&(*m)->old->decl, sizeof(PslDecl *)}, *m);
    vec_each (PullEnum *, e, &c->enums)
        if ((*e)->old)
            map_put(&blocks, (Str){(const char *)&(*e)->old->decl, sizeof(PslDecl *)}, *e);
    for (size_t i = 0; i < s->nfiles; i++)
        files[i].file = &s->files[i];
    for (size_t i = 0; i < s->ndecls; i++)
        edit_block(c, &files[s->decls[i]->file - s->files], s->decls[i], &blocks);
    set_schemas(c, files);
    add_preview(c, files);
    add_new_blocks(c, files);
    c->out->nfiles = s->nfiles;
    c->out->files = arena_array(c->a, Source, s->nfiles);
    for (size_t i = 0; i < s->nfiles; i++)
        c->out->files[i] = (Source){s->files[i].source->path, finished_file(c, &files[i])};
}

/* ---- the result ---------------------------------------------------------------------------- */

/* In the order of the table, and within an id as they were found. */
static int
by_id(const void *x, const void *y)
{
    const Finding *p = x, *q = y;
    if (p->id != q->id)
        return p->id < q->id ? -1 : 1;
    return (p->rank > q->rank) - (p->rank < q->rank);
}

static void
sort_findings(FindingList *list)
{
    for (size_t i = 0; i < list->items.n; i++)
        list->items.v[i].rank = (unsigned)i;
    if (list->items.n)
        qsort(list->items.v, list->items.n, sizeof *list->items.v, by_id);
}

static bool
pull_once(Arena *a, const Catalog *catalog, const PslResolved *old, const PullOptions *options,
          CatRefs *unsayable, Pull *ret, Err *err)
{
    *ret = (Pull){0};
    findings_init(&ret->findings, a, options->rules);
    PullCtx c = {.a = a,
                 .catalog = catalog,
                 .old = old,
                 .options = options,
                 .unsayable = unsayable,
                 .out = ret};
    c.schema = c.options->schema ? c.options->schema : "public";
    c.keeps = !c.options->force;
    c.says_schema = c.options->nschemas || (old->datasource && old->datasource->nschemas);
    c.has_views = psl_has_preview(old, "views");
    c.has_partial = psl_has_preview(old, "partialIndexes");
    c.adds_partial = !c.has_partial && may_add_preview(&c);
    c.has_partial = c.has_partial || c.adds_partial;
    c.is_emulated = old->datasource && old->datasource->relation_mode == PSL_MODE_PRISMA;
    c.old_bridge = bridge_catalog(a, old, &(BridgeOptions){c.schema});
    pull_collect(&c);
    vec_each (PullModel *, m, &c.models)
        pull_keys(&c, *m);
    pull_relations(&c);
    pull_notes(&c);
    edit_files(&c);
    sort_findings(&ret->findings);
    vec_each (PullModel *, m, &c.models) {
        ret->models += (*m)->table->id.kind == CAT_TABLE && (*m)->table->columns.n;
        ret->views += (*m)->table->id.kind == CAT_VIEW;
    }
    ret->enums = c.enums.n;
    ret->is_empty = !c.models.n && !c.enums.n;
    return pull_check(&c, err);
}

bool
bridge_pull(Arena *a, const Catalog *catalog, const PslResolved *old, const PullOptions *options,
            Pull *ret, Err *err)
{
    static const PullOptions none;
    CatRefs unsayable = {0};
    size_t known;
    do {
        known = unsayable.n;
        if (pull_once(a, catalog, old, options ? options : &none, &unsayable, ret, err))
            return true;
    } while (unsayable.n > known);
    return false;
}
