/* Blocks: their pieces, and new ones. */
#include "bridge/pull_int.h"

/* ---- pieces -------------------------------------------------------------------------------- */

Str
pull_laid_out(PullCtx *c, Str text)
{
    FindingList diags;
    Err err;
    Str out;
    findings_init(&diags, c->a, NULL);
    Source *source = arena_new(c->a, Source);
    *source = (Source){"schema.prisma", text};
    const PslSchema *schema = psl_parse(c->a, source, 1, &diags);
    /* A text that cannot be read stays as it is: the validator will name it. */
    if (!psl_format(c->a, &schema->files[0], &out, &err))
        out = text;
    while (out.n && out.p[out.n - 1] == '\n')
        out.n--;
    return out;
}

void
pull_add_field(Buf *b, const PullField *f)
{
    buf_fmt(b, "  %s %s%s", f->name, f->type, f->arity);
    for (PullPart part = 0; part < PART_COUNT; part++)
        if (f->parts[part])
            buf_fmt(b, " %s", f->parts[part]);
    buf_addc(b, '\n');
}

/* @map("name"), and a line end. */
static void
add_mapped(Buf *b, const char *attr, const char *name)
{
    buf_fmt(b, "%s(", attr);
    pull_add_string(b, str_of(name));
    buf_addz(b, ")\n");
}

void
pull_add_schema(PullCtx *c, Buf *b, const char *schema)
{
    if (c->says_schema)
        add_mapped(b, "  @@schema", schema);
}

Str
pull_docs(PullCtx *c, const CatTexts *docs, Str there)
{
    Buf b;
    buf_init(&b, c->a);
    vec_each (const char *, line, docs)
        if (!str_contains(there, str_of(*line)))
            buf_fmt(&b, "/// %s\n", *line);
    return buf_finish(&b);
}

/* ---- new blocks ---------------------------------------------------------------------------- */

const char *
pull_new_model(PullCtx *c, const PullModel *m)
{
    const char *keyword = m->table->id.kind == CAT_TABLE ? "model" : "view";
    Buf b;
    buf_init(&b, c->a);
    buf_add(&b, pull_docs(c, &m->docs, STR("")));
    if (!m->table->columns.n) {
        buf_fmt(&b, "// %s %s {\n// }", keyword, m->name);
        return b.p;
    }
    buf_fmt(&b, "%s %s {\n", keyword, m->name);
    vec_each (const PullField, f, &m->fields)
        pull_add_field(&b, f);
    vec_each (const PullField, f, &m->relations)
        pull_add_field(&b, f);
    vec_each (const PullKey, k, &m->keys)
        if (!k->field && !k->is_left_out)
            buf_fmt(&b, "  %s\n", pull_key_text(c, m, k));
    if (strcmp(m->name, m->table->id.name) != 0)
        add_mapped(&b, "  @@map", m->table->id.name);
    if (!m->has_id)
        buf_addz(&b, "  @@ignore\n");
    pull_add_schema(c, &b, m->table->id.schema);
    buf_addz(&b, "}\n");
    return str_dup(c->a, pull_laid_out(c, buf_str(&b)));
}

CatTexts
pull_enum_docs(PullCtx *c, const PullEnum *e)
{
    CatTexts docs = {0};
    if (e->is_renamed_reserved)
        *vec_add(c->a, &docs) = str_fmt(c->a,
                                        "This enum has been renamed to '%s' during introspection, "
                                        "because the original name '%s' is reserved.",
                                        e->name, e->name + 7);
    if (e->type->comment)
        *vec_add(c->a, &docs) =
            "This enum is commented in the database, and requires an additional "
            "setup for migrations: Read more: "
            "https://pris.ly/d/database-comments";
    return docs;
}

void
pull_add_value(Buf *b, const char *name, const char *label)
{
    buf_fmt(b, "  %s", name);
    if (strcmp(name, label) != 0)
        add_mapped(b, " @map", label);
    else
        buf_addc(b, '\n');
}

const char *
pull_new_enum(PullCtx *c, const PullEnum *e)
{
    CatTexts docs = pull_enum_docs(c, e);
    Buf b;
    buf_init(&b, c->a);
    buf_add(&b, pull_docs(c, &docs, STR("")));
    buf_fmt(&b, "enum %s {\n", e->name);
    for (size_t i = 0; i < e->values.n; i++)
        pull_add_value(&b, e->values.v[i], e->type->labels.v[i]);
    if (strcmp(e->name, e->type->id.name) != 0)
        add_mapped(&b, "  @@map", e->type->id.name);
    pull_add_schema(c, &b, e->type->id.schema);
    buf_addz(&b, "}\n");
    return str_dup(c->a, pull_laid_out(c, buf_str(&b)));
}
