/* Writing a tar archive. */
#include "base/tar.h"

#include "base/invariant.h"

enum {
    BLOCK = 512,
    NAME_AT = 0,
    MODE_AT = 100,
    UID_AT = 108,
    GID_AT = 116,
    SIZE_AT = 124,
    TIME_AT = 136,
    SUM_AT = 148,
    TYPE_AT = 156,
    MAGIC_AT = 257,
    VERSION_AT = 263,
    NAME_MAX_BYTES = 100
};

/* `width` octal digits from `at` on; the block is zeroed, so that a NUL follows. */
static void
put_octal(char *block, int at, int width, int64_t value)
{
    for (int i = at + width; i-- > at; value /= 8)
        block[i] = (char)('0' + value % 8);
}

static void
pad(Buf *b)
{
    buf_addn(b, 0, (BLOCK - b->n % BLOCK) % BLOCK);
}

void
tar_add(Buf *archive, const char *name, Str content, int64_t time_s)
{
    char block[BLOCK] = {0};
    INVARIANT(strlen(name) <= NAME_MAX_BYTES, "a name too long for an archive");
    memcpy(block + NAME_AT, name, strnlen(name, NAME_MAX_BYTES));
    put_octal(block, MODE_AT, 7, 0600);
    put_octal(block, UID_AT, 7, 0);
    put_octal(block, GID_AT, 7, 0);
    put_octal(block, SIZE_AT, 11, (int64_t)content.n);
    put_octal(block, TIME_AT, 11, time_s);
    block[TYPE_AT] = '0';
    memcpy(block + MAGIC_AT, "ustar", 6);
    memcpy(block + VERSION_AT, "00", 2);
    memset(block + SUM_AT, ' ', 8); /* counts as spaces */
    unsigned sum = 0;
    for (size_t i = 0; i < BLOCK; i++)
        sum += (unsigned char)block[i];
    put_octal(block, SUM_AT, 6, sum);
    block[SUM_AT + 6] = 0;
    buf_add(archive, (Str){block, BLOCK});
    buf_add(archive, content);
    pad(archive);
}

void
tar_end(Buf *archive)
{
    buf_addn(archive, 0, 2 * (size_t)BLOCK);
}
