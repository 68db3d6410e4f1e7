/* What is said, and to whom it matters. */
#include "lint/lint_int.h"

#include <string.h>

static const StatTable *
size_of(const Lint *l, const CatRelation *t)
{
    const Stats *s = l->options->stats;
    return s ? stats_table(s, t->id.schema, t->id.name) : NULL;
}

/* Whether nobody would notice work on all its rows. */
static bool
is_small(const Lint *l, const CatRelation *t)
{
    const StatTable *s = size_of(l, t);
    return s && s->rows < l->options->small_rows && s->bytes < l->options->small_bytes;
}

static bool
is_empty(const Lint *l, const CatRelation *t)
{
    const StatTable *s = size_of(l, t);
    return s && s->bytes == 0;
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

static const char *
size_note(const Lint *l, const CatRelation *t)
{
    const StatTable *size = t ? size_of(l, t) : NULL;
    return size ? str_fmt(l->arena, "%s: %s", lint_shown(l, t), stats_size_text(l->arena, size))
                : NULL;
}

Finding
lint_place(const Lint *l)
{
    return (Finding){.object = l->script->name,
                     .source = l->script->source,
                     .off = l->stmt.off + l->script->script->bom,
                     .len = l->stmt.len,
                     .path = l->script->source->path,
                     .line = l->stmt.line,
                     .column = l->stmt.column};
}

/* How a finding is told. */
typedef struct Saying {
    FindingId rule;
    const CatRelation *table;
    const char *fix;
    bool has_size; /* matters for it */
    bool is_mild;
} Saying;

static void
say(Lint *l, const Saying *how, const char *text)
{
    const CatRelation *t = how->table;
    Str key = str_of(t ? str_fmt(l->arena, "%d %s %s", (int)how->rule, t->id.schema, t->id.name)
                       : str_fmt(l->arena, "%d #%zu", (int)how->rule, l->at));
    if (is_ignored(l, how->rule) || map_put(&l->said, key, l))
        return;
    Severity usual = finding_info(how->rule)->severity;
    Finding f = lint_place(l);
    f.id = how->rule;
    f.severity = how->is_mild && usual > SEV_NOTICE ? SEV_NOTICE : usual;
    f.area = AREA_LINT;
    f.is_mild = how->is_mild;
    f.text = text;
    f.note = how->has_size ? size_note(l, t) : NULL;
    f.fix = how->fix;
    finding_keep(l->options->findings, &f);
}

#define SAID(l, fmt, text)                                                                         \
    va_list ap;                                                                                    \
    va_start(ap, fmt);                                                                             \
    const char *text = str_vfmt((l)->arena, fmt, ap);                                              \
    va_end(ap)

void
lint_say(Lint *l, FindingId rule, const CatRelation *table, const char *fix, const char *fmt, ...)
{
    SAID(l, fmt, text);
    say(l, &(Saying){.rule = rule, .table = table, .fix = fix}, text);
}

void
lint_say_work(Lint *l, FindingId rule, const CatRelation *table, const char *fix, const char *fmt,
              ...)
{
    SAID(l, fmt, text);
    say(l,
        &(Saying){.rule = rule,
                  .table = table,
                  .fix = fix,
                  .has_size = true,
                  .is_mild = is_small(l, table)},
        text);
}

void
lint_say_rows(Lint *l, FindingId rule, const CatRelation *table, const char *fix, const char *fmt,
              ...)
{
    SAID(l, fmt, text);
    say(l,
        &(Saying){.rule = rule,
                  .table = table,
                  .fix = fix,
                  .has_size = true,
                  .is_mild = is_empty(l, table)},
        text);
}
