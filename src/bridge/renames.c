/* Annotations of renames in documentation comments: /// @renamed(from: "old") */
#include "bridge/bridge_int.h"

static Str
skip_space(Str s)
{
    while (s.n && (*s.p == ' ' || *s.p == '\t'))
        s = str_slice(s, 1, s.n);
    return s;
}

static bool
take(Str *s, const char *word)
{
    *s = skip_space(*s);
    if (!str_starts(*s, str_of(word)))
        return false;
    *s = str_slice(*s, strlen(word), s->n);
    return true;
}

/* The old name; NULL when the annotation cannot be read. */
static const char *
read_old(Arena *a, Str s)
{
    Buf b;
    buf_init(&b, a);
    if (!take(&s, "(") || !take(&s, "from") || !take(&s, ":") || !take(&s, "\""))
        return NULL;
    size_t i = 0;
    for (; i < s.n && s.p[i] != '"' && s.p[i] != '\n'; i++) {
        i += s.p[i] == '\\' && i + 1 < s.n;
        buf_addc(&b, s.p[i]);
    }
    if (i >= s.n || s.p[i] != '"')
        return NULL;
    s = str_slice(s, i + 1, s.n);
    return take(&s, ")") && b.n ? b.p : NULL;
}

void
bridge_rename(Arena *a, Bridge *b, Str doc, CatRef now)
{
    static const char word[] = "@renamed";
    for (size_t i = 0; i + sizeof word - 1 <= doc.n; i++) {
        Str rest = str_slice(doc, i, doc.n);
        if (!str_starts(rest, str_of(word)))
            continue;
        const char *old = read_old(a, str_slice(rest, sizeof word - 1, rest.n));
        if (!old) {
            *vec_add(a, &b->unread_renames) = now;
            return;
        }
        *vec_add(a, &b->former) = (CatFormer){now, old};
        return;
    }
}
