/* The table of errors, and filling an Err. */
#include "base/err.h"
#include "base/os.h"

#include <stdio.h>

static const ErrInfo infos[ERR_COUNT] = {
    [ERR_NONE] = {.name = "none", .prisma = "", .meaning = "no error", .help = ""},
#define ERR(id, exit, name, prisma, meaning, help) [ERR_##id] = {name, prisma, meaning, help, exit},
#include "base/errors.def"
#undef ERR
};

const ErrInfo *
err_info(ErrCode code)
{
    return &infos[(unsigned)code < ERR_COUNT ? code : ERR_INTERNAL];
}

int
err_exit_status(const Err *err)
{
    if (err->code == ERR_INTERRUPTED && os_signal_pending())
        return 128 + os_signal_pending();
    return err_info(err->code)->exit_status;
}

bool
err_is_temporary(const Err *err)
{
    int e = err_exit_status(err);
    return e >= 40 && e < 50;
}

/* Cut a text that snprintf truncated at a character boundary and mark it. */
static void
mark_cut(char *text, size_t size, int wanted)
{
    if (wanted < 0 || (size_t)wanted < size || size < 8)
        return;
    size_t i = size - 4;
    while (i > 0 && ((unsigned char)text[i] & 0xc0) == 0x80)
        i--;
    memcpy(text + i, "...", 4);
}

bool
err_set(Err *err, ErrCode code, const char *fmt, ...)
{
    *err = (Err){.code = code};
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(err->primary, sizeof err->primary, fmt, ap);
    va_end(ap);
    mark_cut(err->primary, sizeof err->primary, n);
    return false;
}

__attribute__((format(printf, 3, 0))) static void
append(char *text, size_t size, const char *fmt, va_list ap)
{
    size_t used = strlen(text);
    if (used && used + 1 < size)
        text[used++] = '\n', text[used] = 0;
    int n = vsnprintf(text + used, size - used, fmt, ap);
    mark_cut(text, size, n < 0 ? n : n + (int)used);
}

bool
err_detail(Err *err, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    append(err->detail, sizeof err->detail, fmt, ap);
    va_end(ap);
    return false;
}

bool
err_hint(Err *err, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    append(err->hint, sizeof err->hint, fmt, ap);
    va_end(ap);
    return false;
}

bool
err_at(Err *err, const char *path, int line, int column)
{
    if (path)
        snprintf(err->at.path, sizeof err->at.path, "%s", path);
    err->at.line = line;
    err->at.column = column;
    return false;
}
