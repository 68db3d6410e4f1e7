/* Where a dump goes, and where its facts come from. */
#include "backup/native_int.h"

enum { OUT_BYTES = 256 * 1024 };

static bool
hand_on(NativeDumper *d, Str bytes)
{
    d->failed = d->failed || !dump_read(d->reader, bytes, d->err) ||
                !d->options->write(d->options->write_arg, bytes, d->err);
    return !d->failed;
}

bool
native_flush(NativeDumper *d)
{
    bool ok = !d->out.n || hand_on(d, buf_str(&d->out));
    buf_clear(&d->out);
    if (d->options->progress)
        d->options->progress(d->options->progress_arg, d->table, d->number, d->count,
                             dump_read_totals(d->reader)->bytes);
    return ok;
}

bool
native_put(NativeDumper *d, Str text)
{
    if (d->out.n + text.n >= OUT_BYTES && !native_flush(d))
        return false;
    if (text.n >= OUT_BYTES)
        return hand_on(d, text);
    buf_add(&d->out, text);
    return !d->failed;
}

bool
native_put_fmt(NativeDumper *d, const char *fmt, ...)
{
    ARENA_LOCAL(scratch);
    va_list ap;
    va_start(ap, fmt);
    Str text = str_of(str_vfmt(scratch, fmt, ap));
    va_end(ap);
    return native_put(d, text);
}

/* A comment that is one line whatever the names are. */
bool
native_put_title(NativeDumper *d, const char *kind, const char *schema, const char *name)
{
    ARENA_LOCAL(scratch);
    return native_put_fmt(d, "--\n-- %s: %s%s%s\n--\n\n", kind,
                          schema ? str_printable(scratch, str_of(schema), false) : "",
                          schema ? "." : "", str_printable(scratch, str_of(name), false));
}

bool
native_no_text(NativeDumper *d)
{
    if (strcmp(d->err->sqlstate, "22021") != 0 && strcmp(d->err->sqlstate, "22P05") != 0)
        return false;
    const Err why = *d->err;
    err_set(d->err, ERR_BACKUP,
            "Aramid's own dump cannot have names or comments that are no text of any encoding");
    err_detail(d->err, "%s", why.detail);
    return err_hint(d->err, "install a pg_dump that is not older than the server");
}

bool
native_ask(NativeDumper *d, Arena *a, Str sql, const DbRows **ret)
{
    DbOutcome o;
    db_run(d->db, a, sql, &(DbRun){0}, &o);
    if (o.end != DB_DONE) {
        db_outcome_err(&o, "reading the database for a dump", d->err);
        return native_no_text(d);
    }
    *ret = &o.results.v[o.results.n - 1];
    return true;
}
