#include "history/history.h"

/* ICU's root order for ASCII, which localeCompare uses: every character has a primary weight, and
 * upper case counts only when all else is equal. Others follow by code point. */
static int
weight(unsigned char c)
{
    static const char order[] = " _-,;:!?.'\"()[]{}@*/\\&#%`^+<=>|~$0123456789";
    if (c >= 'A' && c <= 'Z')
        c = (unsigned char)(c + 32);
    if (c >= 'a' && c <= 'z')
        return 100 + c;
    const char *p = c ? strchr(order, c) : NULL;
    return p ? 1 + (int)(p - order) : c ? 300 + c : 0;
}

int
history_name_cmp(const char *a, const char *b)
{
    int tie = 0;
    for (size_t i = 0;; i++) {
        unsigned char x = (unsigned char)a[i], y = (unsigned char)b[i];
        int d = weight(x) - weight(y);
        if (d)
            return d;
        if (!x)
            return tie;
        if (!tie && x != y)
            tie = x >= 'a' ? -1 : 1; /* lower case first */
    }
}
