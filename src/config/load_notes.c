/* What is odd in the files: told, and gone on. */
#include "load.h"

void
config_load_note(Loader *l, FindingId id, const char *path, int line, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    const char *text = str_vfmt(l->a, fmt, ap);
    va_end(ap);
    vec_each (const Finding, old, &l->c->findings.items)
        if (strcmp(old->text, text) == 0)
            return;
    Finding *f = finding_addz(&l->c->findings, id, SEV_WARNING, text);
    f->path = path;
    f->line = line;
}

void
config_load_unread(Loader *l, const char *path, int line, const char *why)
{
    if (!l->c->unread_url)
        l->c->unread_url =
            line ? str_fmt(l->a, "%s:%d: %s", path, line, why) : str_fmt(l->a, "%s: %s", path, why);
}

bool
config_load_forgive(Loader *l)
{
    if (!l->request->problems)
        return false;
    *vec_add(l->a, l->request->problems) = *l->err;
    return true;
}
