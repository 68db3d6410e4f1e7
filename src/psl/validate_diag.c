/* Diagnostics of the validator: how they are made, and what they quote. */
#include "psl/validate_int.h"

/* So many errors are described; the rest is only counted. */
enum { DESCRIBED = 1000 };

__attribute__((format(printf, 6, 0))) static Finding *
add(Ctx *c, Severity severity, FindingId id, const PslFile *file, PslSpan at, const char *fmt,
    va_list ap)
{
    if (severity == SEV_ERROR)
        c->r->errors++;
    if (c->diags->items.n >= DESCRIBED) {
        if (severity == SEV_ERROR)
            c->diags->counts[SEV_ERROR]++;
        else
            c->diags->counts[SEV_WARNING]++;
        return &c->unseen;
    }
    return psl_diag(c->diags, severity, id, file, at, "%s", str_vfmt(c->diags->arena, fmt, ap));
}

Finding *
v_error(Ctx *c, FindingId id, const PslFile *file, PslSpan at, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    Finding *d = add(c, SEV_ERROR, id, file, at, fmt, ap);
    va_end(ap);
    return d;
}

Finding *
v_warn(Ctx *c, FindingId id, const PslFile *file, PslSpan at, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    Finding *d = add(c, SEV_WARNING, id, file, at, fmt, ap);
    va_end(ap);
    return d;
}

Finding *
v_dialect(Ctx *c, unsigned refused, FindingId id, const PslFile *file, PslSpan at, const char *fmt,
          ...)
{
    if (c->prisma && !refused_by(c, refused))
        return NULL;
    va_list ap;
    va_start(ap, fmt);
    Finding *d = add(c, c->prisma ? SEV_ERROR : SEV_WARNING, id, file, at, fmt, ap);
    va_end(ap);
    return d;
}

Finding *
v_field_error(Ctx *c, FindingId id, PslModelField *f, PslSpan at, const char *fmt, ...)
{
    f->is_broken = true;
    va_list ap;
    va_start(ap, fmt);
    Finding *d = add(c, SEV_ERROR, id, model_file(f->model), at, fmt, ap);
    va_end(ap);
    return d;
}

Finding *
v_model_error(Ctx *c, FindingId id, PslModel *m, PslSpan at, const char *fmt, ...)
{
    m->is_broken = true;
    va_list ap;
    va_start(ap, fmt);
    Finding *d = add(c, SEV_ERROR, id, model_file(m), at, fmt, ap);
    va_end(ap);
    return d;
}

void
v_note(Ctx *c, Finding *d, const char *fmt, ...)
{
    if (!d || d == &c->unseen)
        return;
    va_list ap;
    va_start(ap, fmt);
    d->note = str_vfmt(c->diags->arena, fmt, ap);
    va_end(ap);
}

void
v_hint(Ctx *c, Finding *d, const char *fmt, ...)
{
    if (!d || d == &c->unseen)
        return;
    va_list ap;
    va_start(ap, fmt);
    d->fix = str_vfmt(c->diags->arena, fmt, ap);
    va_end(ap);
}

const char *
v_a(Ctx *c, const char *word)
{
    if (strcmp(word, "nothing") == 0)
        return word;
    return str_fmt(c->a, "%s %s", strchr("aeiouAEIOU", word[0]) ? "an" : "a", word);
}

Str
v_quote(Str s)
{
    if (s.n <= QUOTE_MAX)
        return s;
    size_t n = QUOTE_MAX;
    while (n > QUOTE_MAX - 4 && ((unsigned char)s.p[n] & 0xc0) == 0x80)
        n--;
    return str_slice(s, 0, n);
}

const char *
v_field_names(Ctx *c, PslFieldList fields, const char *separator)
{
    enum { SHOWN = 5 };
    Buf b;
    buf_init(&b, c->a);
    for (size_t i = 0; i < fields.n && i < SHOWN; i++)
        buf_fmt(&b, "%s" STR_FMT, i ? separator : "", Q(fields.v[i]->name));
    if (fields.n > SHOWN)
        buf_fmt(&b, "%s...", separator);
    return b.p;
}

void
v_near_init(Ctx *c, Nearest *n, Str word)
{
    enum { WORD_MAX = 40 };
    if (word.n > WORD_MAX)
        word.n = 0;
    *n = (Nearest){c, word, {NULL, 0}, 1 + word.n / 3};
    if (n->distance > 4)
        n->distance = 4;
}

/* A name that differs in case only is as near as can be. */
void
v_near_try(Nearest *n, Str candidate)
{
    if (n->word.n == 0 || n->c->near_left == 0)
        return;
    n->c->near_left--;
    if (str_ieq(n->word, candidate)) {
        n->best = candidate;
        n->distance = 0;
        return;
    }
    if (n->distance == 0 || candidate.n > n->word.n + n->distance ||
        candidate.n + n->distance < n->word.n)
        return;
    size_t distance = str_distance(n->word, candidate, n->distance);
    if (distance < n->distance || (distance == n->distance && !n->best.p)) {
        n->best = candidate;
        n->distance = distance;
    }
}

bool
v_near_found(const Nearest *n)
{
    return n->best.p != NULL && n->best.n > 0;
}
