/* What a new migration is called: the words of a person as Prisma makes a folder's name of them. */
#include "flow/create_int.h"

#include <ctype.h>

enum { NAME_MAX_BYTES = 200 }; /* P3010 */

/* Letters of Latin-1 from U+00C0 on, as Prisma writes them (@sindresorhus/transliterate). */
static const char *const latin[] = {
    "A", "A", "A", "A", "Ae", "A", "AE", "C", "E", "E", "E", "E", "I",  "I", "I",  "I",
    "D", "N", "O", "O", "O",  "O", "Oe", " ", "O", "U", "U", "U", "Ue", "Y", "TH", "ss",
    "a", "a", "a", "a", "ae", "a", "ae", "c", "e", "e", "e", "e", "i",  "i", "i",  "i",
    "d", "n", "o", "o", "o",  "o", "oe", " ", "o", "u", "u", "u", "ue", "y", "th", "y",
};

/* false: a letter without a plain spelling. */
static bool
to_ascii(const char *name, Buf *b)
{
    for (const unsigned char *p = (const unsigned char *)name; *p; p++) {
        if (*p == '&')
            buf_addz(b, " and ");
        else if (*p < 0x80)
            buf_addc(b, (char)*p);
        else if (*p == 0xc3 && p[1] >= 0x80 && p[1] <= 0xbf)
            buf_addz(b, latin[*++p - 0x80]);
        else
            return false;
    }
    return true;
}

static bool
is_lower(char c)
{
    return islower((unsigned char)c) || isdigit((unsigned char)c);
}

/* Where one word of fooBar or HTMLParser ends and the next begins. */
static bool
begins_word(const char *text, size_t i)
{
    if (!i)
        return false;
    char before = text[i - 1], c = text[i], after = text[i + 1];
    bool upper = isupper((unsigned char)c);
    if (upper && is_lower(before))
        return true;
    /* AB1 -> AB 1 */
    if (isdigit((unsigned char)c) && i >= 2 && isupper((unsigned char)before) &&
        isupper((unsigned char)text[i - 2]))
        return true;
    /* ABc -> A Bc, but not ABs */
    return upper && isupper((unsigned char)before) && after && is_lower(after) && after != 's';
}

static const char *
slug_of(Arena *a, Str text)
{
    Buf b;
    buf_init(&b, a);
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        char before = i ? text.p[i - 1] : ' ', after = i + 1 < text.n ? text.p[i + 1] : ' ';
        if (c == '\'' && isalnum((unsigned char)before) && (after == 't' || after == 's') &&
            (i + 2 >= text.n || isspace((unsigned char)text.p[i + 2])))
            continue; /* don't -> dont */
        bool is_word = isalnum((unsigned char)c);
        if (b.n && b.p[b.n - 1] != '_' && (!is_word || begins_word(text.p, i)))
            buf_addc(&b, '_');
        if (is_word)
            buf_addc(&b, (char)tolower((unsigned char)c));
    }
    while (b.n && b.p[b.n - 1] == '_')
        b.p[--b.n] = 0;
    return b.p;
}

/* Words that say nothing of what is in it; numbers behind them do not either. */
static bool
is_generic(Arena *a, const Config *c, const char *slug)
{
    Str bare = str_of(slug);
    while (bare.n && (isdigit((unsigned char)bare.p[bare.n - 1]) || bare.p[bare.n - 1] == '_'))
        bare.n--;
    if (!bare.n)
        return true;
    ConfigList words = config_list(a, c, CFG_CREATE_REFUSED);
    vec_each (const char *, w, &words)
        if (str_ieq(bare, str_of(*w)))
            return true;
    return false;
}

static bool
refuse(const CreateInput *in, const char *why, Err *err)
{
    ARENA_LOCAL(a);
    const char *name = in->name;
    Str shown = str_of(name);
    if (shown.n > 80)
        shown = str_of(str_fmt(a, "%.*s...", (int)str_utf8_offset(shown, 60), name));
    err_set(err, ERR_NAME, "\"%s\" cannot be the name of a migration: %s",
            str_printable(a, shown, false), why);
    return err_hint(err, "say in a few words what it changes: %s add_user_bio", in->command);
}

bool
create_name(Arena *a, const CreateInput *in, const char **ret, Err *err)
{
    const char *name = in->name;
    Buf plain;
    buf_init(&plain, a);
    if (!to_ascii(name, &plain))
        return refuse(in, "write it in the letters a to z", err);
    const char *slug = slug_of(a, buf_str(&plain));
    if (!*slug)
        return refuse(in, "there is no letter and no digit in it", err);
    if (strlen(slug) > NAME_MAX_BYTES)
        return refuse(in, "it is longer than 200 characters", err);
    if (!in->any_name && is_generic(a, in->base.config, slug))
        return refuse(in, "it does not say what is changed (setting create.refused)", err);
    *ret = slug;
    return true;
}
