/* Lines are written with one call each, so that those of several processes do not mix. */
#include "base/trace.h"

#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TEXT_MAX = 64 * 1024 };

bool
trace_open(const char *path, TraceHide hide, void *hide_arg, Trace *ret, Err *err)
{
    *ret = (Trace){.hide = hide, .hide_arg = hide_arg};
    /* Not waiting for the reader of a pipe, not following somebody's link in a shared folder. */
    ret->fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
    struct stat st;
    int e = ret->fd < 0 || fstat(ret->fd, &st) != 0 ? errno : 0;
    if (!e && (!S_ISREG(st.st_mode) || st.st_uid != geteuid())) {
        err_set(err, ERR_IO, "cannot write a trace to \"%s\"", path);
        err_detail(err, S_ISREG(st.st_mode) ? "it belongs to another user"
                                            : "it is not an ordinary file");
    } else if (e || (st.st_mode & 077 && fchmod(ret->fd, 0600) != 0)) {
        err_set(err, ERR_IO, "cannot write a trace to \"%s\": %s", path, strerror(e ? e : errno));
    } else {
        return true;
    }
    trace_close(ret);
    return err_hint(err, "name another file in ARAMID_TRACE, or unset it");
}

void
trace_close(Trace *t)
{
    if (t->fd >= 0)
        close(t->fd);
    t->fd = -1;
}

void
trace_begin(Arena *a, JsonWriter *w, const char *event)
{
    jw_init(w, a, false);
    jw_object(w, NULL);
    jw_strz(w, "time", clock_iso(a, clock_wall_us()));
    jw_int(w, "pid", getpid());
    jw_strz(w, "event", event);
}

void
trace_text(const Trace *t, JsonWriter *w, const char *key, Str text)
{
    /* Hidden first: half of a secret would not be known as one. */
    Str shown = str_of(t->hide(t->hide_arg, w->out.arena, text));
    if (shown.n > TEXT_MAX)
        shown = str_of(str_fmt(w->out.arena, STR_FMT "... (%zu bytes in all)",
                               STR_ARG(str_slice(shown, 0, TEXT_MAX)), text.n));
    jw_str(w, key, shown);
}

void
trace_end(Trace *t, JsonWriter *w)
{
    jw_end(w);
    buf_addc(&w->out, '\n');
    Str line = buf_str(&w->out);
    while (line.n) {
        ssize_t n = write(t->fd, line.p, line.n);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            t->lost = t->lost ? t->lost : errno;
            return;
        }
        line = str_slice(line, (size_t)n, line.n);
    }
}
