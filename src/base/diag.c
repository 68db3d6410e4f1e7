/* A list of what is wrong in a text: added, sorted, without doubles. */
#include "base/diag.h"

#include <stdlib.h>

void
diag_init(DiagList *list, Arena *a)
{
    *list = (DiagList){.arena = a};
}

Diag *
diag_add(DiagList *list, Severity severity, const char *id, const Source *source, size_t off,
         size_t len, const char *fmt, ...)
{
    if (severity == SEV_ERROR)
        list->errors++;
    else if (severity == SEV_WARNING)
        list->warnings++;
    Diag *d;
    if (list->max && list->items.n >= list->max)
        d = arena_new(list->arena, Diag);
    else
        d = vec_add(list->arena, &list->items);
    va_list ap;
    va_start(ap, fmt);
    *d = (Diag){.severity = severity,
                .id = id,
                .source = source,
                .off = off,
                .len = len,
                .message = str_vfmt(list->arena, fmt, ap)};
    va_end(ap);
    return d;
}

static int
compare(const void *pa, const void *pb)
{
    const Diag *a = pa, *b = pb;
    if (a->rank != b->rank)
        return a->rank < b->rank ? -1 : 1;
    if (a->source != b->source) {
        int c = strcmp(a->source ? a->source->path : "", b->source ? b->source->path : "");
        if (c)
            return c;
    }
    if (a->off != b->off)
        return a->off < b->off ? -1 : 1;
    if (a->severity != b->severity)
        return a->severity < b->severity ? -1 : 1;
    int c = strcmp(a->id, b->id);
    return c ? c : strcmp(a->message, b->message);
}

void
diag_sort(DiagList *list)
{
    size_t n = list->items.n, kept = 0;
    if (n == 0)
        return;
    qsort(list->items.v, n, sizeof(Diag), compare);
    for (size_t i = 0; i < n; i++) {
        const Diag *d = &list->items.v[i];
        if (kept && compare(&list->items.v[kept - 1], d) == 0) {
            if (d->severity == SEV_ERROR)
                list->errors--;
            else if (d->severity == SEV_WARNING)
                list->warnings--;
            continue;
        }
        list->items.v[kept++] = *d;
    }
    list->items.n = kept;
}
