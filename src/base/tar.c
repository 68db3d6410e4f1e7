#include "base/tar.h"

#include <assert.h>
#include <stdio.h>

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

/* Octal digits and NUL fill the field. */
static void
put_octal(char *block, int at, int width, int64_t value)
{
    snprintf(block + at, (size_t)width, "%0*llo", width - 1, (unsigned long long)value);
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
    assert(strlen(name) <= NAME_MAX_BYTES);
    memcpy(block + NAME_AT, name, strnlen(name, NAME_MAX_BYTES));
    put_octal(block, MODE_AT, 8, 0600);
    put_octal(block, UID_AT, 8, 0);
    put_octal(block, GID_AT, 8, 0);
    put_octal(block, SIZE_AT, 12, (int64_t)content.n);
    put_octal(block, TIME_AT, 12, time_s);
    block[TYPE_AT] = '0';
    memcpy(block + MAGIC_AT, "ustar", 6);
    memcpy(block + VERSION_AT, "00", 2);
    memset(block + SUM_AT, ' ', 8); /* counts as spaces */
    unsigned sum = 0;
    for (size_t i = 0; i < BLOCK; i++)
        sum += (unsigned char)block[i];
    put_octal(block, SUM_AT, 7, sum);
    buf_add(archive, (Str){block, BLOCK});
    buf_add(archive, content);
    pad(archive);
}

void
tar_end(Buf *archive)
{
    buf_addn(archive, 0, 2 * (size_t)BLOCK);
}
