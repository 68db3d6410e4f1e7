/* What is said, and to whom it matters. */
#include "lint/lint_int.h"

#include <string.h>

static const LintSize *
size_of(const Lint *l, const CatRelation *t)
{
    for (size_t i = 0; i < l->options->nsizes; i++) {
        const LintSize *s = &l->options->sizes[i];
        if (strcmp(s->name, t->id.name) == 0 && strcmp(s->schema, t->id.schema) == 0)
            return s;
    }
    return NULL;
}

bool
lint_is_small(const Lint *l, const CatRelation *t)
{
    const LintSize *s = size_of(l, t);
    return s && s->rows < l->options->small_rows;
}

bool
lint_is_empty(const Lint *l, const CatRelation *t)
{
    const LintSize *s = size_of(l, t);
    return s && s->rows == 0;
}

const char *
lint_ident(const Lint *l, const char *name)
{
    Buf b;
    buf_init(&b, l->arena);
    cat_add_ident(&b, str_printable(l->arena, str_of(name), false));
    return b.p;
}

const char *
lint_shown(const Lint *l, const CatRelation *t)
{
    const char *kind = t->id.kind == CAT_TABLE ? "table" : "view";
    const char *name = lint_ident(l, t->id.name);
    if (strcmp(t->id.schema, l->schema.usual) == 0)
        return str_fmt(l->arena, "%s %s", kind, name);
    return str_fmt(l->arena, "%s %s.%s", kind, lint_ident(l, t->id.schema), name);
}

static bool
is_ignored(const Lint *l, FindingId rule)
{
    vec_each (const SqlDirective, d, l->script->directives)
        if (d->id == SQL_DIRECTIVE_IGNORE && d->rule == rule &&
            (!d->statement || d->statement == l->at))
            return true;
    return false;
}

void
lint_say(Lint *l, FindingId rule, const CatRelation *table, const char *fix, const char *fmt, ...)
{
    if (is_ignored(l, rule))
        return;
    Str key =
        str_of(table ? str_fmt(l->arena, "%d %s %s", (int)rule, table->id.schema, table->id.name)
                     : str_fmt(l->arena, "%d #%zu", (int)rule, l->at));
    if (map_put(&l->said, key, l))
        return;
    va_list ap;
    va_start(ap, fmt);
    const char *text = str_vfmt(l->arena, fmt, ap);
    va_end(ap);
    Finding *f = finding_addz(l->options->findings, rule, finding_info(rule)->severity, text);
    f->object = l->script->name;
    f->source = l->script->source;
    f->off = l->stmt.off + l->script->script->bom;
    f->len = l->stmt.len;
    f->path = l->script->source->path;
    f->line = l->stmt.line;
    f->column = l->stmt.column;
    f->fix = fix;
}
